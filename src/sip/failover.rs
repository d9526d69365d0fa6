//! Where else can a call to the outside go? By the next address of a trunk when one refuses, is silent or cannot be reached, until something rings.

use std::collections::VecDeque;

use crate::centre::ids::LegId;
use crate::centre::input::FromLine;
use crate::centre::output::Shown;
use crate::centre::time::Time;

use super::calling::Calling;
use super::challenge::Challenge;
use super::clients::{ClientId, Purpose};
use super::exchange::Exchange;
use super::guard::Response;
use super::identity;
use super::message::Method;
use super::numbers::rewrite;
use super::outbound::{NewCall, Route, Wish};
use super::trunk::Way;

/// An address that says nothing at all for so long, in milliseconds, is given up for another one: INVITE went out four times.
const SILENT_MS: u64 = 4_000;

/// What a call to the outside needs to go on elsewhere.
pub struct Tries {
    wish: Wish,
    number: String,
    way: Way,
    left: VecDeque<Way>,
    /// Whether a challenge has been answered on this way: none is answered twice.
    proven: bool,
}

/// A leg whose INVITE has come to nothing.
pub struct Failed {
    /// The leg.
    pub leg: LegId,
    /// Whether it rang.
    pub rang: bool,
    /// What we offered.
    pub sdp: String,
    /// How it may go on.
    pub tries: Option<Box<Tries>>,
}

impl Tries {
    /// For how long silence is borne on this way, in milliseconds; `None` for as long as the transaction lasts.
    pub fn silent_ms(&self) -> Option<u64> {
        (!self.left.is_empty()).then_some(SILENT_MS)
    }
}

impl Exchange {
    /// A number goes out by the first trunk that is up.
    pub(super) fn dial_outside(&mut self, now: Time, leg: LegId, wish: Wish, number: &str, sdp: String) {
        let mut left = self.trunks.ways();
        match (left.pop_front(), outside_number(number)) {
            (Some(way), Some(number)) => {
                let tries = Tries { wish, number: number.to_owned(), way, left, proven: false };
                self.try_way(now, leg, Box::new(tries), sdp);
            }
            _ => self.report(FromLine::Refused { leg, status: 480 }),
        }
    }

    fn try_way(&mut self, now: Time, leg: LegId, mut tries: Box<Tries>, sdp: String) {
        tries.proven = false;
        let rules = &tries.way.rules;
        let number = rewrite(&rules.dial, &tries.number).replace('#', "%23");
        let uri = format!("sip:{number}@{}", rules.domain.as_deref().unwrap_or(&tries.way.host));
        let route = Route { uri, peer: tries.way.peer, pinned: false };
        let (shown, auto_answer, refers) = (self.shown_to(leg, &tries), tries.wish.auto_answer, rules.refers);
        let new = NewCall { shown, auto_answer, refers, replaces: None, sdp, tries: Some(tries) };
        self.send_invite(now, leg, route, new);
    }

    /// The city's number, as this trunk shows it, or the resident's with the city's asserted beside it.
    fn shown_to(&self, leg: LegId, tries: &Tries) -> identity::Shown {
        let rules = &tries.way.rules;
        let own = || self.own.address(tries.way.peer).ip().to_string();
        let domain = rules.domain.clone().or_else(|| rules.login.as_ref().and_then(|_| rules.our_domain())).unwrap_or_else(own);
        match &tries.wish.shown {
            // Operators call no colleague by a trunk under their own name: the line takes the city's number alone.
            Shown::Operator(agent) => identity::Shown::ours(rules.our_number().unwrap_or(agent.as_str()), &domain, true),
            Shown::City(number) => identity::Shown::ours(rules.our_number().unwrap_or(number.as_str()), &domain, true),
            Shown::Resident(_) => identity::Shown::resident(self.residents_number(leg), rules.our_number(), &domain),
        }
    }

    /// A way has been silent for too long. Should it still answer, it is told that nobody waits.
    pub(super) fn silent(&mut self, now: Time, client: ClientId) {
        let Some(Purpose::Dial(calling)) = self.clients.purpose(client) else { return };
        let Some(failed) = calling.fail() else { return };
        self.cancel_invite(now, client);
        self.clients.hush(client, &mut self.timers);
        self.dial_failed(now, failed, 408);
    }

    /// Answers a challenge to an INVITE by a trunk, once a way; gives the call back where that cannot be.
    pub(super) fn prove(&mut self, now: Time, mut calling: Box<Calling>, response: &Response<'_>) -> Option<Box<Calling>> {
        let asked = matches!(response.status, 401 | 407);
        let Some(tries) = calling.tries.as_mut().filter(|tries| asked && !tries.proven) else { return Some(calling) };
        let (Some(mut challenge), Some(login)) = (Challenge::read(&response.message), &tries.way.rules.login) else { return Some(calling) };
        let proof = challenge.answer(login, Method::Invite.name(), &calling.dialog.target, self.salts.next());
        tries.proven = true;
        calling.headers.push_str(&proof);
        self.call(now, calling);
        None
    }

    /// A dialled leg has come to nothing on its way: on by the next one, if there is one and nothing has rung, else the core hears of it.
    pub(super) fn dial_failed(&mut self, now: Time, failed: Failed, status: u16) {
        let Failed { leg, rang, sdp, tries } = failed;
        let unreached = matches!(status, 408 | 502..=504) && !rang;
        if let Some(mut tries) = tries.filter(|_| unreached) {
            self.call_failed_at(now, tries.way.peer);
            if let Some(way) = tries.left.pop_front() {
                metrics::counter!("cityline_trunk_failovers_total", "trunk" => tries.way.rules.id.as_str().to_owned()).increment(1);
                tries.way = way;
                return self.try_way(now, leg, tries, sdp);
            }
        }
        self.legs.remove(&leg);
        self.report(FromLine::Refused { leg, status });
    }
}

/// A number that may be dialled: nothing that is dialled carries a text of others' making.
fn outside_number(text: &str) -> Option<&str> {
    let number = text.strip_prefix("tel:").unwrap_or(text);
    let sound = number.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+*#-.".contains(&byte));
    (sound && !number.is_empty()).then_some(number)
}
