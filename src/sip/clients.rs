//! Which of our requests are under way? Client transactions: repeated until answered, given up in time (RFC 3261 §17.1).

use std::collections::HashMap;

use bytes::Bytes;

use crate::centre::fact::EndReason;
use crate::centre::ids::LegId;
use crate::centre::time::Time;

use super::calling::Calling;
use super::dialog::Dialog;
use super::failover::Failed;
use super::message::Method;
use super::peer::Peer;
use super::servers::Outgoing;
use super::timers::{Due, GIVE_UP_MS, T1_MS, T2_MS, Timers};

/// A client transaction; its number stands in the branch, so that an answer finds it without a search.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ClientId(u64);

#[cfg(test)]
impl ClientId {
    /// A number for tests of what only compares it.
    pub const fn of_test(number: u64) -> ClientId {
        ClientId(number)
    }
}

/// What a request is for.
pub enum Purpose {
    /// An INVITE of ours without a final answer.
    Dial(Box<Calling>),
    /// An INVITE that the far end with this tag has answered. `pinned` as in its dialog; `ended` are the tags of other far ends
    /// whose answers were acknowledged and ended.
    Answered { remote_tag: String, pinned: bool, ended: Vec<String> },
    /// The BYE of a leg that waits for nothing else. `proven`: it answers a challenge.
    Bye { leg: LegId, reason: EndReason, proven: bool },
    /// A re-INVITE of ours, with the dialog as it was: its ACK is owed even when the leg is gone. `proven`: it answers a challenge.
    Reinvite { leg: LegId, dialog: Box<Dialog>, proven: bool },
    /// An UPDATE of ours, which refreshes the session.
    Update(LegId),
    /// What a trunk is asked while nobody calls.
    OfTrunk,
    /// CANCEL, or the BYE of a dialog that never had a leg: the answer does not matter.
    Nothing,
}

enum State {
    /// Nothing has come back. `cancel`: CANCEL goes out with the first provisional answer (RFC 3261 §9.1).
    Trying { cancel: Option<Bytes> },
    /// A provisional answer has come.
    Proceeding,
    /// CANCEL is out and is repeated in place of the INVITE, whose branch it shares.
    Cancelling,
    /// Finally answered; stays to acknowledge repeated answers. `Some` holds our ACK.
    Answered(Option<Bytes>),
}

struct Client {
    branch: Box<str>,
    peer: Peer,
    request: Bytes,
    method: Method,
    purpose: Purpose,
    state: State,
    interval_ms: u64,
    due: Time,
    ends: Time,
    /// Until when silence is borne, where that is not to the end.
    silent: Option<Time>,
}

/// What a moment brought.
pub enum Lapse {
    /// Nothing that others need to know.
    Nothing,
    /// Nothing at all has come back for as long as [`Clients::bear_silence`] said.
    Silent(ClientId),
    /// No final answer came in time (timers B, C, F).
    TimedOut(Purpose),
}

/// All client transactions. Their number is bounded by that of legs.
#[derive(Default)]
pub struct Clients {
    all: HashMap<ClientId, Client>,
    next: u64,
}

/// How long a dialled end may ring, in milliseconds; the core's own limit is below (timer C, RFC 3261 §16.6).
const RINGS_AT_MOST_MS: u64 = 180_000;

impl Clients {
    /// The next transaction and its branch; `salt` keeps strangers from guessing it.
    pub fn reserve(&mut self, salt: u64) -> (ClientId, String) {
        self.next += 1;
        (ClientId(self.next), format!("z9hG4bK{:x}.{salt:016x}", self.next))
    }

    /// Transactions that are under way.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Sends a request of a reserved transaction.
    pub fn send(&mut self, now: Time, id: ClientId, request: NewRequest, timers: &mut Timers, out: &mut Vec<Outgoing>) {
        let NewRequest { branch, peer, request, method, purpose } = request;
        out.push((peer, request.clone()));
        let ends = now.plus_ms(GIVE_UP_MS);
        let due = if peer.is_reliable() { ends } else { now.plus_ms(T1_MS) };
        timers.set(due, Due::Client(id));
        let client = Client {
            branch: branch.into(),
            peer,
            request,
            method,
            purpose,
            state: State::Trying { cancel: None },
            interval_ms: T1_MS,
            due,
            ends,
            silent: None,
        };
        self.all.insert(id, client);
    }

    /// The transaction that an answer belongs to; `None` for an answer to nothing.
    pub fn of(&self, branch: &str, method: &str) -> Option<ClientId> {
        let id = id_in(branch)?;
        self.all.get(&id).filter(|client| *client.branch == *branch && client.takes(method)).map(|_| id)
    }

    /// What a transaction is for.
    pub fn purpose(&mut self, id: ClientId) -> Option<&mut Purpose> {
        self.all.get_mut(&id).map(|client| &mut client.purpose)
    }

    /// An INVITE that has no answer and is still wanted, with its branch.
    pub fn unanswered(&self, id: ClientId) -> Option<(&str, &Calling)> {
        let client = self.all.get(&id)?;
        match &client.purpose {
            Purpose::Dial(calling) if calling.leg.is_some() => Some((&client.branch, calling)),
            Purpose::Dial(_)
            | Purpose::Answered { .. }
            | Purpose::Bye { .. }
            | Purpose::Reinvite { .. }
            | Purpose::Update(_)
            | Purpose::OfTrunk
            | Purpose::Nothing => None,
        }
    }

    /// The branch of a transaction, which its CANCEL and its ACK of a refusal share.
    pub fn branch(&self, id: ClientId) -> Option<(&str, Peer)> {
        self.all.get(&id).map(|client| (&*client.branch, client.peer))
    }

    /// Gives up an INVITE of a former process, whose branch says what number it had: as if its answer had just begun to be waited for.
    pub fn withdraw(&mut self, now: Time, asked: NewRequest, timers: &mut Timers, out: &mut Vec<Outgoing>) {
        let Some(id) = id_in(&asked.branch) else { return };
        self.next = self.next.max(id.0);
        let NewRequest { branch, peer, request, purpose, .. } = asked;
        let mut client = Client {
            branch: branch.into(),
            peer,
            request: Bytes::new(),
            method: Method::Invite,
            purpose,
            state: State::Proceeding,
            interval_ms: T1_MS,
            due: now,
            ends: now,
            silent: None,
        };
        client.cancel(now, id, request, timers, out);
        self.all.insert(id, client);
    }

    /// A provisional answer has come. A CANCEL that waited for it goes out.
    pub fn provisional(&mut self, now: Time, id: ClientId, timers: &mut Timers, out: &mut Vec<Outgoing>) {
        let Some(client) = self.all.get_mut(&id) else { return };
        let State::Trying { cancel } = &mut client.state else { return };
        let cancel = cancel.take();
        client.state = State::Proceeding;
        if client.method == Method::Invite {
            client.ends = now.plus_ms(RINGS_AT_MOST_MS);
            client.due = client.ends;
            timers.set(client.due, Due::Client(id));
        }
        if let Some(cancel) = cancel {
            client.cancel(now, id, cancel, timers, out);
        }
    }

    /// Gives an INVITE up: CANCEL at once, or as soon as the far end has shown that it knows of it.
    pub fn cancel(&mut self, now: Time, id: ClientId, cancel: Bytes, timers: &mut Timers, out: &mut Vec<Outgoing>) {
        let Some(client) = self.all.get_mut(&id) else { return };
        match &mut client.state {
            State::Trying { cancel: waiting } => *waiting = Some(cancel),
            State::Proceeding => client.cancel(now, id, cancel, timers, out),
            State::Cancelling | State::Answered(_) => {}
        }
    }

    /// The CANCEL of this INVITE has been answered: it needs no repetition.
    pub fn cancel_answered(&mut self, id: ClientId, timers: &mut Timers) {
        if let Some(client) = self.all.get_mut(&id).filter(|client| matches!(client.state, State::Cancelling)) {
            client.due = client.ends;
            timers.set(client.due, Due::Client(id));
        }
    }

    /// The final answer has come; returns whether it was the first. `ack` is repeated for each repetition of it.
    pub fn answered(&mut self, now: Time, id: ClientId, timers: &mut Timers) -> bool {
        let Some(client) = self.all.get_mut(&id).filter(|client| !matches!(client.state, State::Answered(_))) else { return false };
        client.state = State::Answered(None);
        client.request = Bytes::new();
        if client.method == Method::Invite {
            client.ends = now.plus_ms(GIVE_UP_MS);
            client.due = client.ends;
            timers.set(client.due, Due::Client(id));
        } else {
            self.all.remove(&id);
        }
        true
    }

    /// Keeps our ACK and sends it.
    pub fn ack(&mut self, id: ClientId, peer: Peer, ack: Bytes, out: &mut Vec<Outgoing>) {
        out.push((peer, ack.clone()));
        if let Some(client) = self.all.get_mut(&id) {
            client.peer = peer;
            client.state = State::Answered(Some(ack));
        }
    }

    /// A final answer has come again: our ACK was lost.
    pub fn ack_again(&self, id: ClientId, out: &mut Vec<Outgoing>) {
        if let Some(Client { peer, state: State::Answered(Some(ack)), .. }) = self.all.get(&id) {
            out.push((*peer, ack.clone()));
        }
    }

    /// A connection is gone, or was never made: the legs that are dialled on it, and those that have heard nothing from its address.
    /// Their transactions stay without them, because an answer may yet come over another connection and must be ended then.
    pub fn cut_off(&mut self, gone: Peer) -> Vec<Failed> {
        let leg_of = |client: &mut Client| match &mut client.purpose {
            Purpose::Dial(calling) => calling.fail(),
            Purpose::Answered { .. }
            | Purpose::Bye { .. }
            | Purpose::Reinvite { .. }
            | Purpose::Update(_)
            | Purpose::OfTrunk
            | Purpose::Nothing => None,
        };
        self.all.values_mut().filter(|client| client.is_cut_off(gone)).filter_map(leg_of).collect()
    }

    /// The same for what was asked within dialogs: those transactions are over, the oldest first.
    pub fn cut_off_within(&mut self, gone: Peer) -> Vec<(ClientId, Purpose)> {
        let within = |client: &Client| matches!(client.purpose, Purpose::Bye { .. } | Purpose::Reinvite { .. } | Purpose::Update(_));
        let over = |client: &Client| within(client) && !matches!(client.state, State::Answered(_)) && client.is_cut_off(gone);
        let mut ids: Vec<ClientId> = self.all.iter().filter(|(_, client)| over(client)).map(|(id, _)| *id).collect();
        ids.sort_unstable();
        ids.into_iter().filter_map(|id| Some((id, self.all.remove(&id)?.purpose))).collect()
    }

    /// Silence is borne until then: [`Lapse::Silent`] follows, unless something comes back before.
    pub fn bear_silence(&mut self, id: ClientId, until: Time, timers: &mut Timers) {
        if let Some(client) = self.all.get_mut(&id) {
            client.silent = Some(until);
            timers.set(until, Due::Client(id));
        }
    }

    /// A request is not repeated any more; a late answer still finds it.
    pub fn hush(&mut self, id: ClientId, timers: &mut Timers) {
        if let Some(client) = self.all.get_mut(&id) {
            client.due = client.ends;
            timers.set(client.due, Due::Client(id));
        }
    }

    /// Nobody waits for this answer any more.
    pub fn forget(&mut self, id: ClientId) {
        self.all.remove(&id);
    }

    /// Whether a transaction waits for this moment.
    pub fn counts_on(&self, at: Time, id: ClientId) -> bool {
        self.all.get(&id).is_some_and(|client| client.counts_on(at))
    }

    /// A moment of this transaction has come.
    pub fn due(&mut self, at: Time, now: Time, id: ClientId, timers: &mut Timers, out: &mut Vec<Outgoing>) -> Lapse {
        let Some(client) = self.all.get_mut(&id).filter(|client| client.counts_on(at)) else { return Lapse::Nothing };
        if client.is_silent(at) {
            client.silent = None;
            return Lapse::Silent(id);
        }
        if now >= client.ends {
            let unanswered = !matches!(client.state, State::Answered(_));
            let gone = self.all.remove(&id).filter(|_| unanswered);
            return gone.map_or(Lapse::Nothing, |client| Lapse::TimedOut(client.purpose));
        }
        metrics::counter!("cityline_sip_retransmissions_total", "what" => "request").increment(1);
        out.push((client.peer, client.request.clone()));
        // Timer A doubles without bound, timer E up to T2 (RFC 3261 §17.1.1.2, §17.1.2.2).
        let longest = if matches!(client.state, State::Trying { .. }) && client.method == Method::Invite { GIVE_UP_MS } else { T2_MS };
        let settled = client.method != Method::Invite && matches!(client.state, State::Proceeding);
        client.interval_ms = if settled { T2_MS } else { (client.interval_ms * 2).min(longest) };
        client.due = now.plus_ms(client.interval_ms).min(client.ends);
        timers.set(client.due, Due::Client(id));
        Lapse::Nothing
    }
}

impl Client {
    fn counts_on(&self, at: Time) -> bool {
        self.due == at || self.is_silent(at)
    }

    /// Whether silence has been borne until this moment.
    fn is_silent(&self, at: Time) -> bool {
        self.silent == Some(at) && matches!(self.state, State::Trying { cancel: None })
    }

    /// Whether this connection carried it, or would have.
    fn is_cut_off(&self, gone: Peer) -> bool {
        self.peer.conn().is_some_and(|conn| Some(conn) == gone.conn())
            || (matches!(self.state, State::Trying { .. }) && self.peer.may_use(gone))
    }

    fn takes(&self, method: &str) -> bool {
        self.method.name() == method || (self.method == Method::Invite && method == Method::Cancel.name())
    }

    fn cancel(&mut self, now: Time, id: ClientId, cancel: Bytes, timers: &mut Timers, out: &mut Vec<Outgoing>) {
        out.push((self.peer, cancel.clone()));
        (self.request, self.state, self.interval_ms) = (cancel, State::Cancelling, T1_MS);
        self.ends = now.plus_ms(GIVE_UP_MS);
        self.due = if self.peer.is_reliable() { self.ends } else { now.plus_ms(T1_MS) };
        timers.set(self.due, Due::Client(id));
    }
}

/// The transaction that a branch of ours names.
fn id_in(branch: &str) -> Option<ClientId> {
    let number = branch.strip_prefix("z9hG4bK")?.split_once('.')?.0;
    u64::from_str_radix(number, 16).ok().map(ClientId)
}

/// A request that is ready to go.
pub struct NewRequest {
    /// The branch that [`Clients::reserve`] gave.
    pub branch: String,
    /// Where it goes.
    pub peer: Peer,
    /// Its bytes.
    pub request: Bytes,
    /// Its method.
    pub method: Method,
    /// What it is for.
    pub purpose: Purpose,
}
