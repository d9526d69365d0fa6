//! Which requests have we answered, and how? Server transactions, so that a repeated request gets the same answer (RFC 3261 §17.2, RFC 6026).

use std::collections::HashMap;
use std::fmt::Write;

use bytes::Bytes;

use crate::centre::ids::LegId;
use crate::centre::time::Time;

use super::guard::Request;
use super::message::Method;
use super::peer::Peer;
use super::reply::{Reply, ReplyHead};
use super::timers::{Due, GIVE_UP_MS, T1_MS, T2_MS, T4_MS, Timers};

/// A server transaction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ServerId(u64);

#[cfg(test)]
impl ServerId {
    /// A number for tests of what only compares it.
    pub const fn of_test(number: u64) -> ServerId {
        ServerId(number)
    }
}

/// Transactions kept at most (about a minute at 2,000 calls a second); a request that finds no room is answered 503 without state.
const MOST: usize = 250_000;

/// A request without an answer for so long is told that it has arrived, in milliseconds; RFC 3261 §17.2.1 allows 200. Most calls are
/// answered sooner, and a datagram that says nothing costs both sides as much as one that does.
const TRYING_MS: u64 = 100;

/// A message on its way out.
pub type Outgoing = (Peer, Bytes);

enum State {
    /// No final answer yet; the last provisional one is repeated.
    Proceeding(Option<Bytes>),
    /// A provisional answer that is repeated until its PRACK (RFC 3262 §3).
    Reliable { reply: Bytes, interval_ms: u64 },
    /// A final answer that is repeated on demand and, where `invite`, on time until the ACK.
    Answered { reply: Bytes, interval_ms: u64, awaits_ack: bool },
    /// Only absorbs what comes late.
    Quiet,
}

struct Server {
    key: Box<str>,
    head: ReplyHead,
    invite: bool,
    leg: Option<LegId>,
    state: State,
    /// The number of a reliable provisional answer whose PRACK has not come.
    rseq: Option<u32>,
    due: Time,
    ends: Time,
}

/// Waits for no moment.
const NEVER: Time = Time(u64::MAX);

impl Server {
    /// Whether a final answer may still be given.
    fn is_open(&self) -> bool {
        matches!(self.state, State::Proceeding(_) | State::Reliable { .. })
    }

    fn say_trying(&mut self, out: &mut Vec<Outgoing>) {
        let written = self.head.write(Reply { status: 100, ..Reply::default() });
        out.push((self.head.peer, written.clone()));
        self.state = State::Proceeding(Some(written));
        self.due = NEVER;
    }
}

/// What a moment brought.
pub enum Lapse {
    /// Nothing that others need to know.
    Nothing,
    /// Our 2xx was never acknowledged (RFC 3261 §13.3.1.4).
    NoAck(LegId),
    /// A reliable provisional answer of ours was never acknowledged (RFC 3262 §3).
    NoPrack(LegId),
}

/// All server transactions.
#[derive(Default)]
pub struct Servers {
    by_key: HashMap<Box<str>, ServerId>,
    all: HashMap<ServerId, Server>,
    next: u64,
}

/// Writes the key of a request's transaction, an ACK or CANCEL going by its INVITE's where `method` says so (RFC 3261 §17.2.3).
pub fn write_key(request: &Request<'_>, method: Method, key: &mut String) {
    key.clear();
    let via = &request.via;
    let branch = via.branch();
    if branch.len() > 7 && branch.get(..7).is_some_and(|cookie| cookie.eq_ignore_ascii_case("z9hG4bK")) {
        let _ = write!(key, "{branch}\n{}:{}\n{}", via.host, via.port.unwrap_or(5060), method.name());
    } else {
        let tag = request.from.tag().unwrap_or_default();
        let _ = write!(
            key,
            "{}\n{tag}\n{}\n{}\n{}:{}\n{}",
            request.call_id,
            request.cseq,
            request.uri.text,
            via.host,
            via.port.unwrap_or(5060),
            method.name()
        );
    }
}

impl Servers {
    /// The transaction of a key.
    pub fn find(&self, key: &str) -> Option<ServerId> {
        self.by_key.get(key).copied()
    }

    /// Whether another transaction has room.
    pub fn has_room(&self) -> bool {
        self.all.len() < MOST
    }

    /// Transactions that are kept.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Opens a transaction without an answer.
    pub fn open(&mut self, key: &str, head: ReplyHead, invite: bool, leg: Option<LegId>) -> ServerId {
        self.next += 1;
        let id = ServerId(self.next);
        self.by_key.insert(key.into(), id);
        let server = Server { key: key.into(), head, invite, leg, state: State::Proceeding(None), rseq: None, due: NEVER, ends: NEVER };
        self.all.insert(id, server);
        id
    }

    /// The answer may take its time: 100 is sent where none has come in [`TRYING_MS`], and at once where the request is repeated.
    pub fn will_answer(&mut self, now: Time, id: ServerId, timers: &mut Timers) {
        let Some(server) = self.all.get_mut(&id) else { return };
        server.due = now.plus_ms(TRYING_MS);
        timers.set(server.due, Due::Server(id));
    }

    /// The leg that a transaction belongs to, and whether it has no final answer yet.
    pub fn pending_leg(&self, id: ServerId) -> Option<(LegId, bool)> {
        let server = self.all.get(&id)?;
        Some((server.leg?, server.is_open()))
    }

    /// What a repeated request gets: the last answer, if there is one.
    pub fn repeat(&mut self, id: ServerId, out: &mut Vec<Outgoing>) {
        let Some(server) = self.all.get_mut(&id) else { return };
        match &server.state {
            State::Proceeding(Some(reply)) | State::Reliable { reply, .. } | State::Answered { reply, .. } => {
                out.push((server.head.peer, reply.clone()))
            }
            State::Proceeding(None) if server.invite => server.say_trying(out),
            State::Proceeding(None) | State::Quiet => {}
        }
    }

    /// Sends an answer. A second final one is dropped: the first has won.
    pub fn answer(&mut self, now: Time, id: ServerId, reply: Reply<'_>, timers: &mut Timers, out: &mut Vec<Outgoing>) {
        let Some(server) = self.all.get_mut(&id).filter(|server| server.is_open()) else { return };
        let written = server.head.write(reply);
        out.push((server.head.peer, written.clone()));
        if reply.status < 200 {
            server.state = State::Proceeding(Some(written));
            server.due = NEVER;
            return;
        }
        // A 2xx is repeated over TCP too, because its ACK is end to end (RFC 3261 §13.3.1.4).
        let repeats = server.invite && (reply.status < 300 || !server.head.peer.is_reliable());
        server.state = State::Answered { reply: written, interval_ms: T1_MS, awaits_ack: server.invite };
        server.ends = whole_second(now.plus_ms(GIVE_UP_MS));
        if reply.status >= 300 {
            server.leg = None;
        }
        server.due = if repeats { now.plus_ms(T1_MS) } else { server.ends };
        timers.set(server.due, Due::Server(id));
    }

    /// Sends a provisional answer that is repeated until its PRACK; `rseq` is its number, which the answer carries too.
    pub fn answer_reliably(&mut self, now: Time, id: ServerId, rseq: u32, reply: Reply<'_>, timers: &mut Timers, out: &mut Vec<Outgoing>) {
        let Some(server) = self.all.get_mut(&id).filter(|server| server.is_open() && server.rseq.is_none()) else { return };
        let written = server.head.write(reply);
        out.push((server.head.peer, written.clone()));
        server.state = State::Reliable { reply: written, interval_ms: T1_MS };
        (server.rseq, server.due, server.ends) = (Some(rseq), now.plus_ms(T1_MS), now.plus_ms(GIVE_UP_MS));
        timers.set(server.due, Due::Server(id));
    }

    /// A PRACK names this number: whether it is one that waits for its PRACK.
    pub fn pracked(&mut self, id: ServerId, rseq: u32) -> bool {
        let Some(server) = self.all.get_mut(&id).filter(|server| server.rseq == Some(rseq)) else { return false };
        server.rseq = None;
        if let State::Reliable { reply, .. } = &server.state {
            server.state = State::Proceeding(Some(reply.clone()));
            server.due = NEVER;
        }
        true
    }

    /// The ACK has come: nothing is repeated any more.
    pub fn acked(&mut self, now: Time, id: ServerId, timers: &mut Timers) {
        let Some(server) = self.all.get_mut(&id).filter(|server| matches!(server.state, State::Answered { awaits_ack: true, .. })) else {
            return;
        };
        server.state = State::Quiet;
        server.leg = None;
        server.ends = server.ends.min(whole_second(now.plus_ms(T4_MS)));
        server.due = server.ends;
        timers.set(server.due, Due::Server(id));
    }

    /// Whether a transaction waits for this moment.
    pub fn counts_on(&self, at: Time, id: ServerId) -> bool {
        self.all.get(&id).is_some_and(|server| server.due == at)
    }

    /// A moment of this transaction has come.
    pub fn due(&mut self, at: Time, now: Time, id: ServerId, timers: &mut Timers, out: &mut Vec<Outgoing>) -> Lapse {
        let Some(server) = self.all.get_mut(&id).filter(|server| server.due == at) else { return Lapse::Nothing };
        if matches!(server.state, State::Proceeding(_)) {
            server.say_trying(out);
            return Lapse::Nothing;
        }
        if let State::Reliable { reply, interval_ms } = &mut server.state {
            if now >= server.ends {
                server.due = NEVER;
                return server.leg.map_or(Lapse::Nothing, Lapse::NoPrack);
            }
            metrics::counter!("cityline_sip_retransmissions_total", "what" => "answer").increment(1);
            out.push((server.head.peer, reply.clone()));
            *interval_ms *= 2;
            server.due = now.plus_ms(*interval_ms).min(server.ends);
            timers.set(server.due, Due::Server(id));
            return Lapse::Nothing;
        }
        if now >= server.ends {
            let leg = server.leg;
            if let Some(server) = self.all.remove(&id) {
                self.by_key.remove(&server.key);
            }
            return leg.map_or(Lapse::Nothing, Lapse::NoAck);
        }
        if let State::Answered { reply, interval_ms, awaits_ack: true } = &mut server.state {
            metrics::counter!("cityline_sip_retransmissions_total", "what" => "answer").increment(1);
            out.push((server.head.peer, reply.clone()));
            *interval_ms = (*interval_ms * 2).min(T2_MS);
            server.due = now.plus_ms(*interval_ms).min(server.ends);
            timers.set(server.due, Due::Server(id));
        }
        Lapse::Nothing
    }
}

/// The second that this moment falls in, at its end: transactions are forgotten together, so that the task is not woken for each.
fn whole_second(at: Time) -> Time {
    Time(at.0.div_ceil(1000) * 1000)
}
