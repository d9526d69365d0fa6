//! What do trunks want while nobody calls? OPTIONS to their addresses, our registrations, lookups of their names, and their gauges.

use std::collections::BTreeMap;

use crate::centre::time::Time;
use crate::config;

use super::clients::{ClientId, NewRequest, Purpose};
use super::dialog::{Dialog, More};
use super::exchange::Exchange;
use super::guard::Response;
use super::health;
use super::message::Method;
use super::names::{Answer, Place};
use super::peer::Peer;
use super::registration::{self, Next};
use super::trunk::Rules;

impl Exchange {
    /// Other trunks are in force; calls that are up stay.
    pub fn reload_trunks(&mut self, now: Time, settings: &BTreeMap<String, config::Trunk>) {
        self.trunks.reload(now, settings);
        self.upkeep(now);
    }

    /// Hosts that must be looked up.
    pub fn take_questions(&mut self) -> Vec<Place> {
        self.names.take_questions()
    }

    /// What a lookup has brought; `None` for nothing.
    pub fn resolved(&mut self, now: Time, place: &Place, answer: Option<Answer>) {
        self.names.learn(now, place, answer);
        self.trunks.wake = Some(now);
        self.upkeep(now);
        self.dial_found(now, place);
    }

    /// Does what is due for trunks; cheap while nothing is.
    pub(super) fn upkeep(&mut self, now: Time) {
        if self.trunks.wake.is_none_or(|wake| wake > now) {
            return;
        }
        self.trunks.settle(now, &mut self.names);
        let mut wake = self.trunks.look_again(now);
        for trunk in 0..self.trunks.all.len() {
            let hops = self.trunks.all.get(trunk).map_or(0, |trunk| trunk.hops.len());
            let checks = (0..hops).filter_map(|hop| self.check(now, trunk, hop)).min();
            wake = [wake, checks, self.registration(now, trunk)].into_iter().flatten().min();
        }
        self.trunks.wake = wake;
    }

    /// Asks an address whether it lives where that is due; returns when to come again.
    fn check(&mut self, now: Time, trunk: usize, hop: usize) -> Option<Time> {
        let of = self.trunks.all.get_mut(trunk)?;
        let asked = of.hops.get_mut(hop)?;
        if let health::Step::GiveUp(client) = asked.health.step(now) {
            self.clients.forget(client);
            note_health(&of.rules, asked.peer, asked.health.heard(now, false));
        }
        if asked.health.step(now) == health::Step::Ask {
            let (peer, host) = (asked.peer, asked.host.clone());
            let client = self.send_options(now, peer, &host);
            self.trunks.all.get_mut(trunk)?.hops.get_mut(hop)?.health.asked(now, client);
        }
        match self.trunks.all.get(trunk)?.hops.get(hop)?.health.step(now) {
            health::Step::Wait(at) => at,
            health::Step::Ask | health::Step::GiveUp(_) => Some(now.plus_ms(1)),
        }
    }

    fn send_options(&mut self, now: Time, peer: Peer, host: &str) -> ClientId {
        let tag = format!("{:016x}", self.salts.next());
        let local = format!("<{}>;tag={tag}", self.own.uri("cityline", peer));
        let call_id = format!("{:016x}{:016x}", self.salts.next(), self.salts.next());
        let mut dialog = Dialog::outgoing(call_id, local, tag, format!("<sip:{host}>"), format!("sip:{host}"), peer);
        let headers = format!("{}Accept: application/sdp\r\n", self.own.contact(peer));
        let (client, branch) = self.clients.reserve(self.salts.next());
        let request = dialog.request(Method::Options, &branch, &self.own, More { peer, cseq: None, headers: &headers, sdp: None });
        let options = NewRequest { branch, peer, request, method: Method::Options, purpose: Purpose::OfTrunk };
        self.clients.send(now, client, options, &mut self.timers, &mut self.out);
        client
    }

    /// Registers at a trunk where that is due; returns when to come again.
    fn registration(&mut self, now: Time, trunk: usize) -> Option<Time> {
        let of = self.trunks.all.get_mut(trunk)?;
        let registration = of.registration.as_mut()?;
        match registration.step(now) {
            registration::Step::Wait(_) => {}
            registration::Step::Ask => self.send_register(now, trunk)?,
            registration::Step::GiveUp(client) => {
                self.clients.forget(client);
                note_registration(&of.rules, registration.failed(now), "no answer");
            }
        }
        match self.trunks.all.get(trunk)?.registration.as_ref()?.step(now) {
            registration::Step::Wait(at) => Some(at),
            registration::Step::Ask | registration::Step::GiveUp(_) => Some(now.plus_ms(1)),
        }
    }

    fn send_register(&mut self, now: Time, trunk: usize) -> Option<()> {
        let of = self.trunks.all.get_mut(trunk)?;
        let (login, registration) = (of.rules.login.as_ref()?, of.registration.as_mut()?);
        let Some(peer) = of.hops.get(registration.hop(of.hops.len())).map(|hop| hop.peer) else {
            registration.put_off(now);
            return Some(());
        };
        if registration.dialog.call_id.is_empty() {
            registration.name(self.salts.next(), self.salts.next());
        }
        registration.dialog.peer = peer;
        let contact = self.own.uri(&login.user, peer);
        let headers = format!("Contact: <{contact}>\r\n{}User-Agent: Cityline\r\n", registration.headers(login, self.salts.next()));
        let (client, branch) = self.clients.reserve(self.salts.next());
        let more = More { peer, cseq: None, headers: &headers, sdp: None };
        let request = registration.dialog.request(Method::Register, &branch, &self.own, more);
        registration.asked(now, client);
        let register = NewRequest { branch, peer, request, method: Method::Register, purpose: Purpose::OfTrunk };
        self.clients.send(now, client, register, &mut self.timers, &mut self.out);
        Some(())
    }

    /// An answer to a request of this file.
    pub(super) fn trunk_response(&mut self, now: Time, client: ClientId, response: &Response<'_>) {
        if response.status < 200 {
            return;
        }
        self.clients.answered(now, client, &mut self.timers);
        if let Some((rules, hop)) = self.trunks.asked_by(client) {
            // Any answer shows that it lives; these two say that it cannot serve.
            let changed = hop.health.heard(now, !matches!(response.status, 408 | 503));
            note_health(rules, hop.peer, changed);
        } else if let Some(trunk) = self.trunks.registered_by(client) {
            self.register_answered(now, trunk, response);
        }
        self.trunks.wake = Some(now);
    }

    fn register_answered(&mut self, now: Time, trunk: usize, response: &Response<'_>) -> Option<()> {
        let of = self.trunks.all.get_mut(trunk)?;
        let (login, registration) = (of.rules.login.as_ref()?, of.registration.as_mut()?);
        let contact = self.own.uri(&login.user, registration.dialog.peer);
        let next = registration.answered(now, response, &contact);
        note_registration(&of.rules, next, super::reply::phrase(response.status));
        if next == Next::Again { self.send_register(now, trunk) } else { Some(()) }
    }

    /// A call did not reach this address.
    pub(super) fn call_failed_at(&mut self, now: Time, peer: Peer) {
        for trunk in &mut self.trunks.all {
            for hop in trunk.hops.iter_mut().filter(|hop| hop.peer == peer) {
                note_health(&trunk.rules, peer, hop.health.failed_a_call(now));
            }
        }
        self.trunks.wake = Some(now);
    }

    /// Sets the gauges of trunks.
    pub(super) fn measure_trunks(&self, now: Time) {
        for trunk in &self.trunks.all {
            let name = trunk.rules.id.as_str();
            for hop in &trunk.hops {
                let gauge = metrics::gauge!("cityline_trunk_up", "trunk" => name.to_owned(), "address" => hop.peer.addr.to_string());
                gauge.set(if hop.health.is_up() { 1.0 } else { 0.0 });
            }
            if let Some(registration) = &trunk.registration {
                let gauge = metrics::gauge!("cityline_trunk_registered", "trunk" => name.to_owned());
                gauge.set(if registration.is_registered(now) { 1.0 } else { 0.0 });
            }
        }
    }
}

fn note_health(rules: &Rules, peer: Peer, changed: Option<bool>) {
    match changed {
        Some(true) => tracing::info!("trunk {}: {} answers again", rules.id, peer.addr),
        Some(false) => tracing::warn!("trunk {}: {} does not answer; calls go elsewhere while they can", rules.id, peer.addr),
        None => {}
    }
}

fn note_registration(rules: &Rules, next: Next, why: &str) {
    match next {
        Next::Failed => tracing::warn!("trunk {}: not registered: {why}; see its login, domain and address", rules.id),
        Next::Registered => tracing::debug!("trunk {}: registered", rules.id),
        Next::Again => {}
    }
}
