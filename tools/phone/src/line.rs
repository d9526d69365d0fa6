//! How do thousands of calls run on one thread? A line is one SIP port, its calls and their sound, driven by a script.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::judge::chirp::Said;
use crate::media::capture::Heard;
use crate::media::codec::Codec;
use crate::media::leg::{Leg, Noticed};
use crate::media::sound::Sound;
use crate::media::srtp::Crypto;
use crate::media::{LegKey, Media, dtmf};
use crate::sdp::{Description, Direction};
use crate::sip::agent::{Agent, Order, Outgoing};
use crate::sip::digest::Credentials;
use crate::sip::message;
use crate::sip::transport::{Peer, Transport};
use crate::sys::Poller;

pub use crate::sip::agent::{Account, CallKey, Counters, Event, Notice, RegistrationKey, Side};

/// Longest sleep of the loop without anything to do.
const IDLE: Duration = Duration::from_millis(500);
/// Token of the descriptor that ends the loop's sleep; the transport knows none by it.
const BELL: u64 = 0;

/// Why a line cannot do what it was asked for.
#[derive(Debug, Error)]
pub enum LineError {
    #[error("the phone cannot use {address}: {source}; choose a free address of this machine")]
    Bind { address: SocketAddrV4, source: io::Error },
    #[error("no socket is left for the sound of another call: {0}; raise the limit of open files")]
    NoSocket(io::Error),
    #[error("`{0}` names no IPv4 address to call; write sip:NUMBER@127.0.0.1:5060")]
    Uri(String),
    #[error("call {0:?} is over")]
    Over(CallKey),
}

/// How a call of ours is placed, and how it sounds.
#[derive(Clone, Debug)]
pub struct CallOptions {
    /// User part of From: the number that calls.
    pub from: String,
    /// Where the INVITE goes; none: to the address in the URI.
    pub via: Option<SocketAddrV4>,
    pub tcp: bool,
    /// In order of preference.
    pub codecs: Vec<Codec>,
    /// Are RFC 4733 events offered?
    pub events: bool,
    /// Is protected sound offered, and no other?
    pub secure: bool,
    pub sound: Sound,
    /// How much of what is heard is kept (counts and arrival times are kept in any case).
    pub keep: Duration,
    /// For a 401 or 407.
    pub credentials: Option<Credentials>,
    /// Put to the INVITE as they are.
    pub headers: Vec<(String, String)>,
}

impl Default for CallOptions {
    fn default() -> Self {
        Self {
            from: "phone".to_owned(),
            via: None,
            tcp: false,
            codecs: vec![Codec::Alaw, Codec::Ulaw],
            events: true,
            secure: false,
            sound: Sound::Silence,
            keep: Duration::from_secs(15 * 60),
            credentials: None,
            headers: Vec::new(),
        }
    }
}

/// How an incoming call is described and how it sounds.
#[derive(Clone, Debug)]
pub struct AnswerOptions {
    pub codecs: Vec<Codec>,
    /// Is a protected offer taken, and no other?
    pub secure: bool,
    pub sound: Sound,
    /// How much of what is heard is kept.
    pub keep: Duration,
}

impl Default for AnswerOptions {
    fn default() -> Self {
        let CallOptions { codecs, secure, sound, keep, .. } = CallOptions::default();
        Self { codecs, secure, sound, keep }
    }
}

/// What a finished call leaves behind.
#[derive(Clone, Debug, Default)]
pub struct Record {
    pub heard: Heard,
    pub said: Said,
}

/// What decides on a line. It is called on the line's own thread and must not block.
pub trait Script {
    /// Something happened to a call. At its last event the call's record can be taken, only then.
    fn on_event(&mut self, line: &mut Line, call: CallKey, event: Event);

    /// Something happened that is no part of a call.
    fn on_notice(&mut self, _line: &mut Line, _notice: Notice) {}

    /// Called after everything else; says when it wants to be called at the latest, or none to end the run.
    fn on_turn(&mut self, line: &mut Line, now: Instant) -> Option<Instant>;
}

#[derive(Debug)]
enum Told {
    Event(CallKey, Event),
    Notice(Notice),
}

/// One SIP port with its calls.
#[derive(Debug)]
pub struct Line {
    poller: Poller,
    transport: Transport,
    agent: Agent,
    media: Media,
    address: SocketAddrV4,
    legs: HashMap<CallKey, LegKey>,
    calls: HashMap<LegKey, CallKey>,
    /// Of calls whose last event is being told.
    records: HashMap<CallKey, Record>,
    /// What the agent and the legs have to tell, until the script hears it.
    told: VecDeque<Told>,
}

impl Line {
    /// Binds a SIP port (0: one of the system's choice) for UDP and TCP.
    ///
    /// Tags, branches, Call-IDs and SSRCs are drawn anew in every run: a server remembers those of the last one.
    ///
    /// # Errors
    /// When the address is busy or not of this machine.
    pub fn bind(address: SocketAddrV4) -> Result<Self, LineError> {
        let failed = |source| LineError::Bind { address, source };
        let poller = Poller::new().map_err(failed)?;
        let transport = Transport::bind(address, &poller).map_err(failed)?;
        let local = transport.local_address().map_err(failed)?;
        Ok(Self {
            poller,
            transport,
            agent: Agent::new(local, fastrand::u64(..)),
            media: Media::new(*local.ip(), fastrand::u64(..)).map_err(failed)?,
            address: local,
            legs: HashMap::new(),
            calls: HashMap::new(),
            records: HashMap::new(),
            told: VecDeque::new(),
        })
    }

    /// The address that it is bound to.
    pub fn address(&self) -> SocketAddrV4 {
        self.address
    }

    /// The line's IP address.
    pub fn host(&self) -> Ipv4Addr {
        *self.address.ip()
    }

    /// What was sent, received and repeated.
    pub fn counters(&self) -> &Counters {
        self.agent.counters()
    }

    /// Lets a descriptor that becomes readable end the loop's sleep; the script empties it.
    ///
    /// # Errors
    /// What the system reports.
    pub fn watch_bell(&self, bell: &impl std::os::fd::AsFd) -> io::Result<()> {
        self.poller.watch(bell, BELL)
    }

    /// All sound of the line, for lateness and control legs.
    pub fn media(&mut self) -> &mut Media {
        &mut self.media
    }

    /// The leg of a call that has one.
    pub fn leg(&self, call: CallKey) -> Option<&Leg> {
        self.media.leg(*self.legs.get(&call)?)
    }

    /// Sends an INVITE to `sip:NUMBER@ADDRESS:PORT`.
    ///
    /// # Errors
    /// When the URI names no address, or no socket is left.
    pub fn call(&mut self, to: &str, options: &CallOptions) -> Result<CallKey, LineError> {
        let (host, port) = message::host_of(to);
        let named = host.parse().map(|host| SocketAddrV4::new(host, port)).ok();
        let address = options.via.or(named).ok_or_else(|| LineError::Uri(to.to_owned()))?;
        let (leg, local) = self.media.open(options.sound.clone(), options.keep).map_err(LineError::NoSocket)?;
        let events = options.events.then_some(101);
        let crypto = options.secure.then(Crypto::random);
        let offer = Description { address: local, codecs: options.codecs.clone(), events, direction: Direction::SendRecv, crypto };
        let outgoing = Outgoing {
            to: to.to_owned(),
            from_user: options.from.clone(),
            peer: if options.tcp { Peer::Tcp(address) } else { Peer::Udp(address) },
            offer,
            account: options.credentials.clone(),
            headers: options.headers.clone(),
        };
        let key = self.agent.place(outgoing, Instant::now());
        self.join(key, leg);
        self.carry_out();
        Ok(key)
    }

    fn join(&mut self, call: CallKey, leg: LegKey) {
        self.legs.insert(call, leg);
        self.calls.insert(leg, call);
    }

    /// Tells the caller that it rings (180).
    pub fn ring(&mut self, call: CallKey) {
        self.agent.provisional(call, 180, "Ringing", None, Instant::now());
        self.carry_out();
    }

    /// Opens the sound before the answer (183).
    ///
    /// # Errors
    /// When no socket is left.
    pub fn ring_with_sound(&mut self, call: CallKey, options: &AnswerOptions) -> Result<(), LineError> {
        let ours = self.describe(call, options)?;
        self.agent.provisional(call, 183, "Session Progress", Some(ours), Instant::now());
        self.carry_out();
        Ok(())
    }

    /// Answers an incoming call (200).
    ///
    /// # Errors
    /// When no socket is left.
    pub fn answer(&mut self, call: CallKey, options: &AnswerOptions) -> Result<(), LineError> {
        let ours = self.describe(call, options)?;
        self.agent.accept(call, ours, Instant::now());
        self.carry_out();
        Ok(())
    }

    fn describe(&mut self, call: CallKey, options: &AnswerOptions) -> Result<Description, LineError> {
        let address = match self.legs.get(&call) {
            Some(leg) => self.media.address(*leg).ok_or(LineError::Over(call))?,
            None => {
                let (leg, address) = self.media.open(options.sound.clone(), options.keep).map_err(LineError::NoSocket)?;
                self.join(call, leg);
                address
            }
        };
        let crypto = options.secure.then(Crypto::random);
        Ok(Description { address, codecs: options.codecs.clone(), events: Some(101), direction: Direction::SendRecv, crypto })
    }

    /// Refuses an incoming call with a final answer of 300 or more.
    pub fn reject(&mut self, call: CallKey, code: u16) {
        self.agent.refuse(call, code, Instant::now());
        self.carry_out();
    }

    /// Ends a call: CANCEL, 603 or BYE, whatever its stage asks for.
    pub fn hang_up(&mut self, call: CallKey) {
        self.agent.hang_up(call, Instant::now());
        self.carry_out();
    }

    /// Presses keys, sent as RFC 4733 events.
    pub fn press(&mut self, call: CallKey, keys: &str) {
        self.with_leg(call, |leg| leg.press(keys));
    }

    /// Presses keys, sent as tones in the sound; what was said before ends.
    pub fn press_in_band(&mut self, call: CallKey, keys: &str) {
        self.with_leg(call, |leg| leg.say(Sound::once(&dtmf::tones(keys))));
    }

    /// Presses keys, sent as INFO requests (`application/dtmf-relay`).
    pub fn press_by_info(&mut self, call: CallKey, keys: &str) {
        for key in keys.chars() {
            let body = format!("Signal={key}\r\nDuration=160\r\n");
            self.agent.inform(call, "application/dtmf-relay", &body, Instant::now());
        }
        self.carry_out();
    }

    /// Says something else.
    pub fn say(&mut self, call: CallKey, sound: Sound) {
        self.with_leg(call, |leg| leg.say(sound));
    }

    /// Sends a call's sound to another address than the agreed one: a relay on the way.
    pub fn send_sound_to(&mut self, call: CallKey, by: SocketAddrV4) {
        self.with_leg(call, |leg| leg.detour(by));
    }

    fn with_leg(&mut self, call: CallKey, change: impl FnOnce(&mut Leg)) {
        if let Some(leg) = self.legs.get(&call).and_then(|leg| self.media.leg_mut(*leg)) {
            change(leg);
        }
    }

    /// Sends a re-INVITE with another direction; hold is `SendOnly`, and `SendRecv` takes it back.
    pub fn change(&mut self, call: CallKey, direction: Direction) {
        self.agent.change(call, direction, Instant::now());
        self.carry_out();
    }

    /// Registers and keeps it up.
    pub fn register(&mut self, account: Account) -> RegistrationKey {
        let key = self.agent.register(account, Instant::now());
        self.carry_out();
        key
    }

    /// Ends a registration.
    pub fn unregister(&mut self, key: RegistrationKey) {
        self.agent.unregister(key, Instant::now());
        self.carry_out();
    }

    /// Asks for the capabilities of a server.
    pub fn ask_options(&mut self, uri: &str, to: Peer) {
        self.agent.ask_options(uri, to, Instant::now());
        self.carry_out();
    }

    /// What a call left behind: to be taken while its last event is told.
    pub fn take_record(&mut self, call: CallKey) -> Option<Record> {
        self.records.remove(&call)
    }

    /// Sends what is waiting; what is to be told waits for the script's turn.
    fn carry_out(&mut self) {
        while let Some(order) = self.agent.order() {
            match order {
                Order::Send(to, bytes) => self.transport.send(to, &bytes, &self.poller),
                Order::Connect(call, far) => self.with_leg(call, |leg| leg.connect(far)),
                Order::Report(call, event) => self.told.push_back(Told::Event(call, event)),
                Order::Notice(notice) => self.told.push_back(Told::Notice(notice)),
            }
        }
    }

    /// Runs until the script wants no more.
    pub fn run(&mut self, script: &mut dyn Script) {
        let mut wanted = script.on_turn(self, Instant::now());
        while let Some(until) = wanted {
            self.wait(until);
            let now = Instant::now();
            self.agent.run(now);
            self.hear(now);
            self.tell(script);
            wanted = script.on_turn(self, Instant::now());
            self.tell(script);
        }
    }

    fn wait(&mut self, until: Instant) {
        let now = Instant::now();
        let due = [self.agent.next(), self.media.next_tick(now), Some(until), Some(now + IDLE)].into_iter().flatten().min();
        let limit = due.map_or(IDLE, |due| due.saturating_duration_since(now));
        let ready: Vec<u64> = self.poller.wait(limit).collect();
        for token in ready {
            let Self { transport, agent, poller, .. } = self;
            transport.read(token, poller, |from, bytes| agent.take(from, bytes, Instant::now()));
        }
        self.transport.flush();
    }

    fn hear(&mut self, now: Instant) {
        let Self { media, calls, told, .. } = self;
        media.run(now, |leg, what| {
            let event = match what {
                Noticed::FirstPacket => Event::FirstPacket,
                Noticed::FirstSound => Event::FirstSound,
                Noticed::Digit(key) => Event::Digit(key),
            };
            told.extend(calls.get(&leg).map(|call| Told::Event(*call, event)));
        });
    }

    fn tell(&mut self, script: &mut dyn Script) {
        self.carry_out();
        while let Some(told) = self.told.pop_front() {
            match told {
                Told::Event(call, event) => self.tell_one(script, call, event),
                Told::Notice(notice) => script.on_notice(self, notice),
            }
            self.carry_out();
        }
    }

    fn tell_one(&mut self, script: &mut dyn Script, call: CallKey, event: Event) {
        let last = event.is_last();
        if last {
            let closed = self.legs.remove(&call).and_then(|leg| {
                self.calls.remove(&leg);
                self.media.close(leg)
            });
            let (heard, said) = closed.unwrap_or_default();
            self.records.insert(call, Record { heard, said });
        }
        script.on_event(self, call, event);
        if last {
            self.records.remove(&call);
        }
    }
}
