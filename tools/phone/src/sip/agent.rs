//! What does the phone say next? The user agent of RFC 3261: calls, their dialogs, and what is on its way. It does no IO.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddrV4;
use std::time::{Duration, Instant};

use super::digest::{self, Asked, Credentials};
use super::message::{self, FirstLine, Message};
use super::registration::Registration;
use super::transaction::{GIVE_UP, Purpose, Said, T1, T2, Transaction};
use super::transport::Peer;
use crate::agenda::Agenda;
use crate::media::leg::Far;
use crate::media::srtp::Keys;
use crate::sdp::Description;

pub use super::registration::{Account, RegistrationKey};

/// A call's name on this phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallKey(pub u64);

/// Which side ended a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    Us,
    Them,
}

/// What happened to a call. Every call ends with exactly one of `Rejected`, `Cancelled`, `Ended` and `Failed`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A call comes in, for that user part of the request URI.
    Incoming { user: String, from: String },
    /// 100, 180 or any other provisional answer than 183 with a description.
    Progress(u16),
    /// 18x with a description: sound comes before the answer.
    EarlyMedia,
    /// 200, and our ACK is out.
    Answered,
    /// The ACK to our own 200.
    Confirmed,
    /// The first RTP packet.
    FirstPacket,
    /// The first sound that is not silence.
    FirstSound,
    /// A key by RFC 4733.
    Digit(char),
    /// The body of an INFO.
    Info(String),
    /// The other side changed the description: does it listen to us?
    Changed { listens: bool },
    /// Our own change was answered.
    ChangeAnswered(u16),
    /// An INFO of ours was answered.
    InfoAnswered(u16),
    /// The call came to nothing, by that final answer.
    Rejected(u16),
    /// The caller gave up before the answer.
    Cancelled,
    /// BYE, from that side.
    Ended(Side),
    /// No answer at all within 32 s, or no ACK.
    Failed,
}

impl Event {
    /// Does it come once in a call at most?
    pub fn is_single(&self) -> bool {
        matches!(self, Self::Answered | Self::Confirmed | Self::FirstPacket | Self::FirstSound)
    }

    /// Is it the last of its call?
    pub fn is_last(&self) -> bool {
        matches!(self, Self::Rejected(_) | Self::Cancelled | Self::Ended(_) | Self::Failed)
    }
}

/// What is no part of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    Registered {
        key: RegistrationKey,
        expires: Duration,
    },
    Unregistered {
        key: RegistrationKey,
    },
    /// 0: no answer at all.
    RegistrationFailed {
        key: RegistrationKey,
        code: u16,
    },
    /// Answer to an OPTIONS of ours; 0: none.
    OptionsAnswered(u16),
}

/// What the agent wants done.
#[derive(Debug)]
pub(crate) enum Order {
    Send(Peer, Vec<u8>),
    /// The far end's description is known.
    Connect(CallKey, Far),
    Report(CallKey, Event),
    Notice(Notice),
}

/// Counters of one phone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub sent: u64,
    pub received: u64,
    /// Requests and responses of ours that had to be sent again.
    pub retransmitted: u64,
    /// Requests of the other side that came again.
    pub repeated: u64,
    /// Bytes that were no message.
    pub unreadable: u64,
    /// Messages that belong to nothing known.
    pub stray: u64,
}

/// How a call of ours is placed.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub to: String,
    pub from_user: String,
    pub peer: Peer,
    pub offer: Description,
    pub account: Option<Credentials>,
    pub headers: Vec<(String, String)>,
}

#[derive(Debug)]
pub(super) enum Stage {
    /// Our INVITE is out. `leave`: we gave up, and CANCEL goes out as soon as a provisional answer allows it.
    Calling {
        branch: String,
        proceeding: bool,
        leave: bool,
    },
    /// Their INVITE has no final answer yet.
    Offered {
        invite: Message,
    },
    /// Our 200 waits for its ACK.
    Answering {
        ok: Vec<u8>,
        interval: Duration,
        give_up: Instant,
    },
    Up,
    /// Our BYE is out, or the call is over.
    Leaving,
}

#[derive(Debug)]
pub(super) struct Call {
    pub stage: Stage,
    pub peer: Peer,
    pub call_id: String,
    pub local: String,
    pub remote: String,
    pub local_tag: String,
    pub remote_tag: Option<String>,
    /// The other side's Contact, or whom we call.
    pub target: String,
    pub route: Vec<String>,
    pub cseq: u32,
    pub session: u64,
    pub version: u32,
    /// Our description as sent last.
    pub described: Option<Description>,
    /// The other side's events and codec.
    pub far: Option<Far>,
    pub account: Option<Credentials>,
    /// Our ACK to their 200, to be said again.
    pub ack: Option<Vec<u8>>,
}

#[derive(Debug)]
pub(super) enum Timer {
    Repeat(String),
    GiveUp(String),
    RepeatOk(CallKey),
    RepeatFinal(String),
    Forget(String),
    Refresh(RegistrationKey),
}

/// The user agent.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(super) local: SocketAddrV4,
    pub(super) calls: HashMap<CallKey, Call>,
    pub(super) by_call_id: HashMap<String, CallKey>,
    pub(super) transactions: HashMap<String, Transaction>,
    /// By branch and method.
    pub(super) said: HashMap<String, Said>,
    pub(super) registrations: HashMap<RegistrationKey, Registration>,
    pub(super) agenda: Agenda<Timer>,
    pub(super) orders: VecDeque<Order>,
    pub(super) counters: Counters,
    pub(super) random: fastrand::Rng,
    count: u64,
}

impl Agent {
    pub fn new(local: SocketAddrV4, seed: u64) -> Self {
        Self {
            local,
            calls: HashMap::new(),
            by_call_id: HashMap::new(),
            transactions: HashMap::new(),
            said: HashMap::new(),
            registrations: HashMap::new(),
            agenda: Agenda::default(),
            orders: VecDeque::new(),
            counters: Counters::default(),
            random: fastrand::Rng::with_seed(seed),
            count: 0,
        }
    }

    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The next thing to be done outside; to be asked until it is none.
    pub fn order(&mut self) -> Option<Order> {
        self.orders.pop_front()
    }

    /// When [`Agent::run`] has something to do.
    pub fn next(&self) -> Option<Instant> {
        self.agenda.next()
    }

    /// Does what is due.
    pub fn run(&mut self, now: Instant) {
        while let Some(timer) = self.agenda.due(now) {
            match timer {
                Timer::Repeat(branch) => self.repeat(branch, now),
                Timer::GiveUp(branch) => self.give_up(&branch, now),
                Timer::RepeatOk(key) => self.repeat_ok(key, now),
                Timer::RepeatFinal(branch) => self.repeat_final(branch, now),
                Timer::Forget(branch) => self.forget(branch, now),
                Timer::Refresh(key) => self.refresh(key, now),
            }
        }
    }

    /// Takes a message in.
    pub fn take(&mut self, from: Peer, bytes: &[u8], now: Instant) {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        self.counters.received += 1;
        match Message::parse(bytes) {
            Ok(message) if matches!(message.first, FirstLine::Request { .. }) => self.take_request(from, &message, now),
            Ok(message) => self.take_response(from, &message, now),
            Err(_) => self.counters.unreadable += 1,
        }
    }

    pub(super) fn next_key(&mut self) -> CallKey {
        self.count += 1;
        CallKey(self.count)
    }

    /// A random word for tags, branches and nonces.
    pub(super) fn word(&mut self) -> String {
        format!("{:016x}", self.random.u64(..))
    }

    pub(super) fn send(&mut self, to: Peer, bytes: Vec<u8>) {
        self.counters.sent += 1;
        self.orders.push_back(Order::Send(to, bytes));
    }

    pub(super) fn report(&mut self, key: CallKey, event: Event) {
        self.orders.push_back(Order::Report(key, event));
    }

    /// Reports a call's last event and forgets the call.
    pub(super) fn finish(&mut self, key: CallKey, event: Event) {
        if let Some(call) = self.calls.remove(&key) {
            self.by_call_id.remove(&call.call_id);
            self.report(key, event);
        }
    }

    /// Puts Via and the fixed headers to a request and sends it as a transaction; gives its branch.
    pub(super) fn begin(&mut self, mut request: Message, purpose: Purpose, to: Peer, proven: bool, now: Instant) -> String {
        let branch = format!("z9hG4bK{}", self.word());
        let (sent_by, transport) = (self.local, to.via_name());
        request.set("Via", format!("SIP/2.0/{transport} {sent_by};branch={branch};rport"));
        request.set("Max-Forwards", "70");
        let bytes = request.to_bytes();
        let transaction = Transaction { purpose, request, bytes: bytes.clone(), to, interval: T1, proceeding: false, proven };
        if !to.is_reliable() {
            self.agenda.put(now + T1, Timer::Repeat(branch.clone()));
        }
        self.agenda.put(now + GIVE_UP, Timer::GiveUp(branch.clone()));
        self.transactions.insert(branch.clone(), transaction);
        self.send(to, bytes);
        branch
    }

    fn repeat(&mut self, branch: String, now: Instant) {
        let Some(transaction) = self.transactions.get_mut(&branch) else { return };
        if transaction.is_invite() && transaction.proceeding {
            return;
        }
        let (next, to, bytes) = (transaction.back_off(now), transaction.to, transaction.bytes.clone());
        self.agenda.put(next, Timer::Repeat(branch));
        self.counters.retransmitted += 1;
        self.send(to, bytes);
    }

    fn give_up(&mut self, branch: &str, now: Instant) {
        let Some(transaction) = self.transactions.get(branch) else { return };
        // An INVITE that rings may ring on: a provisional answer ends timer B (§17.1.1.2), unless we gave up ourselves.
        if transaction.is_invite() && transaction.proceeding && !self.is_leaving(transaction.purpose) {
            return;
        }
        let purpose = transaction.purpose;
        self.transactions.remove(branch);
        match purpose {
            Purpose::Invite(key) => self.finish(key, Event::Failed),
            Purpose::Bye(key) => self.finish(key, Event::Ended(Side::Us)),
            Purpose::Reinvite(key) => self.report(key, Event::ChangeAnswered(408)),
            Purpose::Register(key) => self.registration_failed(key, 0, now),
            Purpose::Ask(None) => self.orders.push_back(Order::Notice(Notice::OptionsAnswered(0))),
            Purpose::Ask(Some(key)) => self.report(key, Event::InfoAnswered(408)),
            Purpose::Cancel => {}
        }
    }

    fn is_leaving(&self, purpose: Purpose) -> bool {
        let Purpose::Invite(key) = purpose else { return false };
        matches!(self.calls.get(&key).map(|call| &call.stage), Some(Stage::Calling { leave: true, .. }))
    }

    fn repeat_ok(&mut self, key: CallKey, now: Instant) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        let Stage::Answering { ok, interval, give_up } = &mut call.stage else { return };
        if now >= *give_up {
            return self.finish(key, Event::Failed);
        }
        *interval = (*interval * 2).min(T2);
        let (next, ok, to) = (now + *interval, ok.clone(), call.peer);
        self.agenda.put(next, Timer::RepeatOk(key));
        self.counters.retransmitted += 1;
        self.send(to, ok);
    }

    fn repeat_final(&mut self, branch: String, now: Instant) {
        let Some(said) = self.said.get_mut(&branch) else { return };
        let Some(interval) = said.until_ack.filter(|_| now < said.forget) else { return };
        said.until_ack = Some((interval * 2).min(T2));
        let (to, bytes) = (said.to, said.bytes.clone());
        self.agenda.put(now + interval, Timer::RepeatFinal(branch));
        self.counters.retransmitted += 1;
        self.send(to, bytes);
    }

    fn forget(&mut self, branch: String, now: Instant) {
        if self.said.get(&branch).is_some_and(|said| said.forget <= now) {
            self.said.remove(&branch);
        }
    }

    /// Keeps what was said, so that it can be said again.
    pub(super) fn remember(&mut self, branch: String, bytes: Vec<u8>, to: Peer, until_ack: bool, now: Instant) {
        let until_ack = (until_ack && !to.is_reliable()).then_some(T1);
        if until_ack.is_some() {
            self.agenda.put(now + T1, Timer::RepeatFinal(branch.clone()));
        }
        let forget = now + GIVE_UP;
        self.agenda.put(forget, Timer::Forget(branch.clone()));
        self.said.insert(branch, Said { bytes, to, until_ack, forget });
    }

    /// The credentials' answer to a 401 or 407, as header name and value.
    pub(super) fn proof(&mut self, request: &Message, challenge: &Message, who: &Credentials) -> Option<(&'static str, String)> {
        let FirstLine::Request { method, uri } = &request.first else { return None };
        let (asked_by, header) = match challenge.first {
            FirstLine::Response { code: 407, .. } => ("Proxy-Authenticate", "Proxy-Authorization"),
            _ => ("WWW-Authenticate", "Authorization"),
        };
        let cnonce = self.word();
        let asked = Asked { method, uri, cnonce: &cnonce };
        digest::answer(challenge.all(asked_by), who, asked).map(|value| (header, value))
    }

    /// Our Contact for a user, by the transport that is used.
    pub(super) fn contact(&self, user: &str, peer: Peer) -> String {
        let transport = if peer.is_reliable() { ";transport=tcp" } else { "" };
        format!("<sip:{user}@{}{transport}>", self.local)
    }
}

impl Call {
    /// A request within the dialog, with the next CSeq (§12.2.1.1).
    pub fn request(&mut self, method: &str) -> Message {
        self.cseq += 1;
        let cseq = self.cseq;
        self.request_numbered(method, cseq)
    }

    /// A request within the dialog with a CSeq of its own (ACK, CANCEL).
    pub fn request_numbered(&self, method: &str, cseq: u32) -> Message {
        let mut request = Message::request(method, &self.target);
        for route in &self.route {
            request.push("Route", route.clone());
        }
        request.push("From", format!("{};tag={}", self.local, self.local_tag));
        let tag = self.remote_tag.as_ref().map(|tag| format!(";tag={tag}")).unwrap_or_default();
        request.push("To", format!("{}{tag}", self.remote));
        request.push("Call-ID", self.call_id.clone());
        request.push("CSeq", format!("{cseq} {method}"));
        request
    }

    /// Where requests of the dialog go: to the first route, or to the other side's Contact; over TCP down the known connection.
    pub fn next_hop(&self) -> Peer {
        let uri = self.route.first().map_or(self.target.as_str(), |route| message::uri_of(route));
        let (host, port) = message::host_of(uri);
        match host.parse() {
            Ok(host) if !self.peer.is_reliable() => self.peer.at(SocketAddrV4::new(host, port)),
            _ => self.peer,
        }
    }

    /// Our description for this dialog in its next version.
    pub fn describe(&mut self, description: Description) -> Vec<u8> {
        self.version += 1;
        let text = description.to_text(self.session, self.version);
        self.described = Some(description);
        text.into_bytes()
    }

    /// Notes the other side's description; what we send from here on.
    pub fn agree(&mut self, theirs: &Description) -> Option<Far> {
        let ours = self.described.as_ref();
        let speaks = |codec| ours.is_none_or(|ours| ours.codecs.contains(codec));
        let codec = theirs.codecs.iter().find(|codec| speaks(codec)).copied()?;
        let listens = theirs.direction.listens() && !theirs.address.ip().is_unspecified() && theirs.address.port() != 0;
        let keys = match (ours.and_then(|ours| ours.crypto), theirs.crypto) {
            (Some(ours), Some(theirs)) => Some(Keys { ours, theirs }),
            (None, None) => None,
            // One side wants protection that the other does not give.
            _ => return None,
        };
        let far = Far { address: theirs.address, codec, events: theirs.events, listens, keys };
        self.far = Some(far);
        Some(far)
    }

    /// Our answer to their offer: the same port as before, the mirrored direction.
    pub fn answer_to(&self, theirs: &Description) -> Option<Description> {
        let ours = self.described.clone()?;
        let codecs: Vec<_> = theirs.codecs.iter().copied().filter(|codec| ours.codecs.contains(codec)).collect();
        let direction = theirs.direction.mirrored();
        let crypto = ours.crypto.zip(theirs.crypto).map(|(ours, theirs)| ours.answering(&theirs));
        (!codecs.is_empty()).then_some(Description { codecs, events: theirs.events, direction, crypto, ..ours })
    }
}
