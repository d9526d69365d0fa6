//! What does a message, an order or a moment change? The signalling without sockets and without a clock: bytes in, bytes out.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::caller::{CallerKey, CallerSeen};
use crate::centre::ids::{AgentId, CallId, ContactId, LegId};
use crate::centre::input::{FromDesk, FromLine, HangUpCause, Input};
use crate::centre::output::ToLine;
use crate::centre::time::Time;
use crate::lanes::Inputs;
use crate::number_book::NumberBook;
use crate::private::Private;
use crate::sdp_book::SdpBook;

use super::clients::{self, ClientId, Clients, Purpose};
use super::dialog::Own;
use super::guard::{Request, Response, Verdict, judge};
use super::legs::{Leg, Salts};
use super::message::Method;
use super::names::Names;
use super::outbound::{Unfound, Wish};
use super::peer::{ConnId, Peer};
use super::persist::{self, Keeper};
use super::rate::Bucket;
use super::registrar::{PhoneAccount, Registrar};
use super::renegotiate::Refusal;
use super::replaces::Over;
use super::reply::{ABILITIES, Reply, ReplyHead};
use super::servers::{self, Outgoing, Servers};
use super::timers::{Due, Timers};
use super::transfer::Consultations;
use super::trunk::Trunks;
use super::unsent::Unsent;

/// Legs at most, whatever the core would take; more are answered 503.
pub(super) const MOST_LEGS: usize = 50_000;
/// 403s a second to strangers; what comes on top is dropped and counted.
const STRANGERS_A_SECOND: u32 = 20;

/// Answers a second, of all kinds that keep no state, to addresses that anybody may have forged; what comes on top is dropped and counted.
/// Above what the phones of a city ask for when they all come back at once.
const UNPROVEN_A_SECOND: u32 = 500;

/// All signalling state. One task owns it.
pub struct Exchange {
    pub(super) own: Own,
    pub(super) trunks: Trunks,
    pub(super) names: Names,
    /// Legs whose host is still looked up.
    pub(super) unfound: BTreeMap<LegId, Unfound>,
    pub(super) registrar: Registrar,
    pub(super) servers: Servers,
    pub(super) clients: Clients,
    pub(super) timers: Timers,
    pub(super) legs: HashMap<LegId, Leg>,
    /// Calls between phones that a transfer is to take the place of.
    pub(super) consultations: Consultations,
    /// Dialogs that have ended of late.
    pub(super) over: Over,
    /// The number of each resident whose leg is up, to be shown where the call is dialled on.
    pub(super) numbers: HashMap<CallId, Private<String>>,
    pub(super) out: Vec<Outgoing>,
    pub(super) salts: Salts,
    pub(super) new_calls: Bucket,
    pub(super) links: Links,
    strangers: Bucket,
    unproven: Bucket,
    /// Connections over which a phone has registered since they were last asked for; a few a turn.
    registered: Vec<ConnId>,
    unsent: Unsent,
    /// What outlives the process.
    pub(super) keeper: Keeper,
    /// The transaction key of the message that is being handled; its space is used again.
    pub(super) key: String,
}

/// The ways out of signalling that are not the network.
pub struct Links {
    /// To the engine.
    pub inputs: Inputs,
    /// Session descriptions, shared with media.
    pub sdps: SdpBook,
    /// Hashes numbers.
    pub caller_key: CallerKey,
    /// Numbers with their references, to the store.
    pub callers: tokio::sync::mpsc::Sender<CallerSeen>,
    /// Numbers outside that the core knows by their references.
    pub numbers: NumberBook,
    /// Call ids, counted across restarts.
    pub next_call: Arc<AtomicU64>,
}

impl Exchange {
    /// Signalling without any call.
    pub fn new(now: Time, own: Own, registrar: Registrar, calls_per_second: u32, links: Links) -> Exchange {
        Exchange {
            own,
            trunks: Trunks::default(),
            names: Names::default(),
            unfound: BTreeMap::new(),
            consultations: Consultations::default(),
            over: Over::default(),
            registrar,
            servers: Servers::default(),
            clients: Clients::default(),
            timers: Timers::default(),
            legs: HashMap::new(),
            numbers: HashMap::new(),
            out: Vec::new(),
            salts: Salts::default(),
            new_calls: Bucket::new(calls_per_second, now),
            links,
            strangers: Bucket::new(STRANGERS_A_SECOND, now),
            unproven: Bucket::new(UNPROVEN_A_SECOND, now),
            registered: Vec::new(),
            unsent: Unsent::default(),
            keeper: Keeper::default(),
            key: String::new(),
        }
    }

    /// One datagram, or one message of a stream.
    pub fn receive(&mut self, now: Time, raw: &[u8], scratch: &mut String, peer: Peer) {
        match judge(raw, scratch, peer) {
            Verdict::Request(request) => self.request(now, &request),
            Verdict::Response(response) => self.response(now, &response),
            Verdict::Refuse(refusal) if self.may_answer(now, refusal.head.peer) => {
                let tag = format!("{:016x}", self.salts.of(&refusal.headers));
                let reply = Reply { status: refusal.status, tag: &tag, headers: &refusal.headers, ..Reply::default() };
                self.out.push((refusal.head.peer, refusal.head.write(reply)));
            }
            Verdict::Refuse(_) | Verdict::Nothing => {}
        }
    }

    /// One order of the core.
    pub fn order(&mut self, now: Time, order: ToLine) {
        self.touch(super::leg_of(&order));
        match order {
            ToLine::Ring { leg } => self.ring(now, leg),
            ToLine::Answer { leg, sdp } => self.answer(now, leg, sdp),
            ToLine::Reject { leg, status, retry_after_s } => self.reject(now, leg, status, retry_after_s),
            ToLine::Dial { leg, target, shown, sdp, auto_answer, replaces } => {
                self.dial(now, leg, Wish { target, shown, auto_answer, replaces }, sdp)
            }
            ToLine::CancelDial { leg } => self.cancel_dial(now, leg),
            ToLine::AcceptOffer { leg, sdp } => self.accept_offer(now, leg, sdp),
            ToLine::RefuseOffer { leg } => self.refuse_offer(now, leg),
            ToLine::Renegotiate { leg, sdp } => self.renegotiate(now, leg, sdp),
            ToLine::HangUp { leg, reason } => self.hang_up(now, leg, reason),
            ToLine::ReferProgress { leg, status } => self.refer_progress(now, leg, status),
        }
    }

    /// Everything whose moment has come.
    pub fn due(&mut self, now: Time) {
        while let Some((at, due)) = self.timers.pop(now) {
            match due {
                Due::Server(id) => match self.servers.due(at, now, id, &mut self.timers, &mut self.out) {
                    servers::Lapse::Nothing => {}
                    servers::Lapse::NoAck(leg) => self.no_ack(now, leg),
                    servers::Lapse::NoPrack(leg) => self.no_prack(now, leg),
                },
                Due::Client(id) => match self.clients.due(at, now, id, &mut self.timers, &mut self.out) {
                    clients::Lapse::Nothing => {}
                    clients::Lapse::Silent(id) => self.silent(now, id),
                    clients::Lapse::TimedOut(purpose) => self.timed_out(now, purpose),
                },
                Due::Leg(leg) => self.leg_due(now, at, leg),
            }
        }
        for (agent, contacts) in self.registrar.expire(now) {
            self.phone_changed(agent, contacts);
        }
        self.upkeep(now);
        self.ask_for_the_lost(now);
        self.unsent.send(&self.links.inputs);
    }

    /// The next moment at which [`Exchange::due`] has something to do.
    pub fn next_deadline(&mut self, now: Time) -> Option<Time> {
        let unsent = (!self.unsent.is_empty()).then(|| now.plus_ms(10));
        let (servers, clients, legs) = (&self.servers, &self.clients, &self.legs);
        let timer = self.timers.next(|at, due| match due {
            Due::Server(id) => servers.counts_on(at, id),
            Due::Client(id) => clients.counts_on(at, id),
            Due::Leg(leg) => legs.get(&leg).is_some_and(|leg| leg.counts_on(at)),
        });
        [timer, self.registrar.next_expiry(), self.trunks.wake, unsent, self.next_asking()].into_iter().flatten().min()
    }

    /// Messages that wait to be sent.
    pub fn take_out(&mut self) -> std::vec::Drain<'_, Outgoing> {
        self.out.drain(..)
    }

    /// Connections over which a phone has registered.
    pub fn take_registered(&mut self) -> std::vec::Drain<'_, ConnId> {
        self.registered.drain(..)
    }

    /// A connection has ended, or could not be made. What went out on it counts as refused with 503 (RFC 3261 §8.1.3.1).
    pub fn closed(&mut self, now: Time, gone: Peer) {
        for failed in self.clients.cut_off(gone) {
            self.dial_failed(now, failed, 503);
        }
        for (client, purpose) in self.clients.cut_off_within(gone) {
            self.not_carried(now, client, purpose);
        }
        for (agent, contacts) in gone.conn().map(|conn| self.registrar.closed(conn)).unwrap_or_default() {
            self.phone_changed(agent, contacts);
        }
    }

    /// Other phones are in force.
    pub fn reload_phones(&mut self, phones: Vec<PhoneAccount>) {
        for (agent, contacts) in self.registrar.reload(phones) {
            self.phone_changed(agent, contacts);
        }
    }

    /// Sets the gauges.
    pub fn measure(&self, now: Time) {
        self.measure_trunks(now);
        metrics::gauge!("cityline_sip_legs").set(self.legs.len() as f64);
        metrics::gauge!("cityline_sip_transactions", "side" => "server").set(self.servers.len() as f64);
        metrics::gauge!("cityline_sip_transactions", "side" => "client").set(self.clients.len() as f64);
    }

    fn request(&mut self, now: Time, request: &Request<'_>) {
        let mut key = std::mem::take(&mut self.key);
        let method = if request.method == Method::Ack { Method::Invite } else { request.method };
        servers::write_key(request, method, &mut key);
        if request.method == Method::Ack {
            self.ack(now, request, &key);
        } else if let Some(tx) = self.servers.find(&key) {
            self.servers.repeat(tx, &mut self.out);
        } else {
            self.new_request(now, request, &key);
        }
        self.key = key;
    }

    fn new_request(&mut self, now: Time, request: &Request<'_>, key: &str) {
        match request.method {
            Method::Invite if request.to.tag().is_some() => self.reinvite(now, request, key),
            Method::Invite => self.invite(now, request, key),
            Method::Cancel => self.cancel(now, request),
            Method::Bye => self.bye(now, request, key),
            Method::Info => self.info(now, request, key),
            Method::Update => self.update(now, request, key),
            Method::Options => self.options(now, request),
            Method::Register => self.register(now, request, key),
            Method::Ack => {}
            Method::Prack => self.prack(now, request, key),
            Method::Refer => self.refer(now, request, key),
            Method::Notify | Method::NotOffered(_) => self.refuse(now, request, 405, &format!("Allow: {}\r\n", Method::ALLOW)),
        }
    }

    fn response(&mut self, now: Time, response: &Response<'_>) {
        let Some(client) = self.clients.of(response.branch, response.method) else {
            metrics::counter!("cityline_sip_stray_answers_total").increment(1);
            return;
        };
        if response.method == Method::Cancel.name() {
            return self.clients.cancel_answered(client, &mut self.timers);
        }
        if response.status < 200 {
            self.clients.provisional(now, client, &mut self.timers, &mut self.out);
        }
        match self.clients.purpose(client) {
            Some(Purpose::Dial(_) | Purpose::Answered { .. }) => self.dial_response(now, client, response),
            Some(Purpose::Bye { leg, reason, proven }) if response.status >= 200 => {
                let (leg, reason, proven) = (*leg, *reason, *proven);
                self.clients.answered(now, client, &mut self.timers);
                if proven || !self.prove_bye(now, leg, reason, response) {
                    self.legs.remove(&leg);
                }
            }
            Some(Purpose::OfTrunk) => self.trunk_response(now, client, response),
            Some(Purpose::Bye { .. }) | None => {}
            Some(Purpose::Reinvite { leg, .. }) => {
                let leg = *leg;
                if self.reinvite_response(now, client, response) {
                    self.answers_to_reinvite(leg, response.status);
                } else {
                    self.touch(leg);
                }
            }
            Some(Purpose::Update(leg)) if response.status >= 200 => {
                let leg = *leg;
                self.clients.answered(now, client, &mut self.timers);
                self.update_response(now, leg, response);
            }
            Some(Purpose::Update(_)) => {}
            Some(Purpose::Nothing) => {
                if response.status >= 200 && !self.clients.answered(now, client, &mut self.timers) {
                    self.clients.ack_again(client, &mut self.out);
                }
            }
        }
    }

    fn timed_out(&mut self, now: Time, purpose: Purpose) {
        match purpose {
            Purpose::Dial(calling) => self.not_answered(now, *calling),
            Purpose::Bye { leg, .. } => {
                self.legs.remove(&leg);
            }
            // Whoever does not answer in the dialog is not there any more (RFC 3261 §12.2.1.2).
            Purpose::Reinvite { leg, .. } | Purpose::Update(leg) if matches!(self.legs.get(&leg), Some(Leg::Up(_))) => {
                self.drop_leg(now, leg)
            }
            Purpose::Reinvite { .. } | Purpose::Update(_) => {}
            Purpose::Answered { .. } | Purpose::OfTrunk | Purpose::Nothing => {}
        }
    }

    /// The connection of a request within a dialog is gone: as if it were refused with 503, which ends no dialog (RFC 3261 §8.1.3.1, §12.2.1.2).
    fn not_carried(&mut self, now: Time, client: ClientId, purpose: Purpose) {
        match purpose {
            Purpose::Bye { leg, .. } => {
                self.legs.remove(&leg);
            }
            Purpose::Reinvite { leg, .. } | Purpose::Update(leg) if self.is_lost(leg) => self.drop_leg(now, leg),
            Purpose::Reinvite { leg, .. } => {
                self.touch(leg);
                self.offer_failed(now, leg, client, Refusal::of_status(503));
            }
            Purpose::Update(leg) => self.update_refused(now, leg, Refusal::of_status(503)),
            Purpose::Dial(_) | Purpose::Answered { .. } | Purpose::OfTrunk | Purpose::Nothing => {}
        }
    }

    /// An answer that keeps no state (RFC 3261 §8.2.7): its tag is the same each time.
    pub(super) fn refuse(&mut self, now: Time, request: &Request<'_>, status: u16, headers: &str) {
        if !self.may_answer(now, request.from_peer) {
            return;
        }
        let tag = format!("{:016x}", self.salts.of(request.call_id));
        let head = ReplyHead::of(&request.message, request.from_peer);
        self.out.push((head.peer, head.write(Reply { status, tag: &tag, headers, ..Reply::default() })));
    }

    /// Whether an answer without state may go out. The source of a datagram can be forged: unless it is a trunk's or a registered phone's,
    /// its answers are limited together, so that nobody floods a third party through us.
    fn may_answer(&mut self, now: Time, peer: Peer) -> bool {
        let ip = peer.addr.ip();
        let proven = peer.is_reliable() || self.trunks.of(ip).is_some() || self.registrar.knows(now, ip);
        let may = proven || self.unproven.take(now);
        if !may {
            metrics::counter!("cityline_sip_answers_withheld_total").increment(1);
        }
        may
    }

    /// An answer that is kept, so that the repeated request has no second effect.
    pub(super) fn answer_once(&mut self, now: Time, request: &Request<'_>, key: &str, status: u16, headers: &str) {
        if !self.servers.has_room() {
            return self.refuse(now, request, status, headers);
        }
        let tag = format!("{:016x}", self.salts.of(request.call_id));
        let tx = self.servers.open(key, ReplyHead::of(&request.message, request.from_peer), request.method == Method::Invite, None);
        let reply = Reply { status, tag: &tag, headers, ..Reply::default() };
        self.servers.answer(now, tx, reply, &mut self.timers, &mut self.out);
    }

    /// 403 to a stranger, or silence when there are many: an answer to every packet would make us an amplifier.
    pub(super) fn refuse_stranger(&mut self, now: Time, request: &Request<'_>) {
        metrics::counter!("cityline_sip_strangers_total").increment(1);
        if self.strangers.take(now) {
            self.refuse(now, request, 403, "");
        }
    }

    fn options(&mut self, now: Time, request: &Request<'_>) {
        if let Some(tag) = request.to.tag()
            && self.leg_of(request, tag).is_none()
        {
            return self.refuse(now, request, 481, "");
        }
        self.refuse(now, request, 200, &format!("{ABILITIES}Accept: application/sdp\r\n"));
    }

    fn register(&mut self, now: Time, request: &Request<'_>, key: &str) {
        let outcome = self.registrar.register(now, request);
        if outcome.keep {
            self.registered.extend(request.from_peer.conn());
            self.answer_once(now, request, key, outcome.status, &outcome.headers);
        } else {
            self.refuse(now, request, outcome.status, &outcome.headers);
        }
        if let Some((agent, contacts)) = outcome.changed {
            self.phone_changed(agent, contacts);
        }
    }

    /// The leg whose dialog a request belongs to.
    pub(super) fn leg_of(&mut self, request: &Request<'_>, our_tag: &str) -> Option<LegId> {
        let id = super::legs::leg_of(our_tag)?;
        let dialog = self.legs.get_mut(&id)?.dialog()?;
        let belongs = dialog.local_tag == our_tag && dialog.is_of(request.call_id, request.from.tag().unwrap_or_default());
        if !belongs {
            return None;
        }
        if matches!(request.method, Method::Invite | Method::Update) {
            self.touch(id);
        }
        Some(id)
    }

    pub(super) fn phone_changed(&mut self, agent: AgentId, contacts: Vec<ContactId>) {
        self.unsent.tell(&self.links.inputs, Input::Desk(FromDesk::PhoneChanged { agent, contacts }));
    }

    /// Tells the core what no one may forget; kept and tried again when the lane is full.
    pub(super) fn report(&mut self, event: FromLine) {
        persist::changed_by(&event).into_iter().for_each(|leg| self.touch(leg));
        self.unsent.tell(&self.links.inputs, Input::Line(event));
    }

    /// Tells the core what only matters now; false when the lane is full.
    pub(super) fn try_report(&mut self, event: FromLine) -> bool {
        persist::changed_by(&event).into_iter().for_each(|leg| self.touch(leg));
        self.links.inputs.send(Input::Line(event)).is_ok()
    }

    /// Tells the core what became of a leg that a former process had.
    pub(super) fn tell_of_the_lost(&mut self, input: Input) {
        self.unsent.tell(&self.links.inputs, input);
    }

    /// The far end of a leg that the core still counts on is gone.
    pub(super) fn report_gone(&mut self, leg: LegId) {
        self.report(FromLine::HungUp { leg, cause: HangUpCause::Failed });
    }
}
