//! How does a test use the phone? Calls that are placed, waited for and listened to from any thread.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::desk::{Desk, EVENTS, Happened, Orders};
use crate::line::{Account, AnswerOptions, CallKey, CallOptions, Counters, Event, Line, LineError, Notice, Record};
use crate::media::leg::{Far, Leg};
use crate::media::sound::{self, Sound};
use crate::sdp::Direction;
use crate::sip::digest::Credentials;
use crate::sip::transport::Peer;

pub use crate::desk::{Behaviour, Then};

/// Orders that wait for the phone's thread; the next one waits with its caller.
const ORDERS: usize = 64;
/// Incoming calls that wait for their test; more go on by the behaviour alone.
const CALLS: usize = 4096;

/// Why a wait or an order came to nothing.
#[derive(Debug, Error)]
pub enum PhoneError {
    #[error(transparent)]
    Line(#[from] LineError),
    #[error("waited {limit:?} for {what}; what happened: {seen:?}")]
    NotInTime { what: String, limit: Duration, seen: Vec<Event> },
    #[error("the call ended with {last:?} while {what} was waited for; what happened: {seen:?}")]
    Over { what: String, last: Event, seen: Vec<Event> },
    #[error("the registration of {user} failed with {code} (0: no answer)")]
    Registration { user: String, code: u16 },
    #[error("no answer to OPTIONS within {0:?}")]
    NoOptions(Duration),
    #[error("the phone's thread is gone")]
    Gone,
}

/// A phone with a thread of its own. Dropping it ends all its calls without a word: hang up before.
pub struct Phone {
    orders: Orders,
    incoming: Receiver<Call>,
    address: SocketAddrV4,
    thread: Option<JoinHandle<()>>,
}

/// A call on a phone.
pub struct Call {
    pub(crate) orders: Orders,
    pub key: CallKey,
    /// User part of the request URI of an incoming call, or the URI that was called.
    pub to: String,
    /// The other side's user part of an incoming call; our own of an outgoing one.
    pub from: String,
    pub(crate) events: Receiver<Happened>,
    pub(crate) seen: Vec<Event>,
    pub(crate) record: Option<Record>,
}

impl Phone {
    /// A phone on 127.0.0.1 with a port of the system's choice.
    ///
    /// # Errors
    /// When no port is free.
    pub fn on_loopback() -> Result<Self, PhoneError> {
        Self::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))
    }

    /// A phone on that address, UDP and TCP.
    ///
    /// # Errors
    /// When the address is busy or not of this machine.
    pub fn bind(address: SocketAddrV4) -> Result<Self, PhoneError> {
        let mut line = Line::bind(address)?;
        let failed = |source| LineError::Bind { address, source };
        let (bell, ear) = UnixDatagram::pair().map_err(failed)?;
        bell.set_nonblocking(true).map_err(failed)?;
        ear.set_nonblocking(true).map_err(failed)?;
        line.watch_bell(&ear).map_err(failed)?;
        let (jobs, waiting) = mpsc::sync_channel(ORDERS);
        let orders = Orders { jobs, bell: Arc::new(bell) };
        let (ring, incoming) = mpsc::sync_channel(CALLS);
        let address = line.address();
        let mut desk = Desk::new(waiting, ear, ring, orders.clone());
        let thread = std::thread::Builder::new().name("phone".to_owned()).spawn(move || line.run(&mut desk)).map_err(failed)?;
        Ok(Self { orders, incoming, address, thread: Some(thread) })
    }

    /// The address that it is bound to.
    pub fn address(&self) -> SocketAddrV4 {
        self.address
    }

    /// The URI at which it is called directly.
    pub fn uri(&self, user: &str) -> String {
        format!("sip:{user}@{}", self.address)
    }

    /// Places a call.
    ///
    /// # Errors
    /// When the URI names no address or no socket is left.
    pub fn call(&self, to: &str, options: CallOptions) -> Result<Call, PhoneError> {
        let (sender, events) = mpsc::sync_channel(EVENTS);
        let (uri, from) = (to.to_owned(), options.from.clone());
        let key = self.orders.ask(move |line, desk| {
            let key = line.call(&uri, &options)?;
            desk.calls.insert(key, sender);
            Ok::<_, LineError>(key)
        })??;
        Ok(Call { orders: self.orders.clone(), key, to: to.to_owned(), from, events, seen: Vec::new(), record: None })
    }

    /// Registers by UDP with digest and keeps it up; returns what the registrar granted.
    ///
    /// # Errors
    /// When the registrar refuses or does not answer within 32 s.
    pub fn register(&self, user: &str, password: &str, registrar: SocketAddrV4, expires: Duration) -> Result<Duration, PhoneError> {
        self.register_as(Account {
            credentials: Credentials { user: user.to_owned(), password: password.to_owned() },
            domain: registrar.ip().to_string(),
            registrar: Peer::Udp(registrar),
            expires,
        })
    }

    /// The same with every detail.
    ///
    /// # Errors
    /// When the registrar refuses or does not answer within 32 s.
    pub fn register_as(&self, account: Account) -> Result<Duration, PhoneError> {
        let (sender, notices) = mpsc::sync_channel(1);
        let user = account.credentials.user.clone();
        self.orders.give(move |line, desk| {
            let key = line.register(account);
            desk.registered.push(key);
            desk.registering.insert(key.0, sender);
        })?;
        match notices.recv().map_err(|_| PhoneError::Gone)? {
            Notice::Registered { expires, .. } => Ok(expires),
            Notice::RegistrationFailed { code, .. } => Err(PhoneError::Registration { user, code }),
            Notice::Unregistered { .. } | Notice::OptionsAnswered(_) => Err(PhoneError::Gone),
        }
    }

    /// Ends all registrations of this phone and waits for the registrar's word.
    ///
    /// # Errors
    /// When the registrar does not answer in time.
    pub fn unregister(&self, limit: Duration) -> Result<(), PhoneError> {
        let (sender, notices) = mpsc::sync_channel(EVENTS);
        let count = self.orders.ask(move |line, desk| {
            let keys = std::mem::take(&mut desk.registered);
            for key in &keys {
                line.unregister(*key);
                desk.registering.insert(key.0, sender.clone());
            }
            keys.len()
        })?;
        let late = |_| PhoneError::NotInTime { what: "the end of a registration".to_owned(), limit, seen: Vec::new() };
        (0..count).try_for_each(|_| notices.recv_timeout(limit).map(drop).map_err(late))
    }

    /// Sends OPTIONS and returns the answer's code.
    ///
    /// # Errors
    /// When no answer comes in time.
    pub fn ask_options(&self, uri: &str, to: Peer, limit: Duration) -> Result<u16, PhoneError> {
        let (sender, answer) = mpsc::sync_channel(1);
        let uri = uri.to_owned();
        self.orders.give(move |line, desk| {
            line.ask_options(&uri, to);
            desk.asking.push(sender);
        })?;
        answer.recv_timeout(limit).ok().filter(|code| *code != 0).ok_or(PhoneError::NoOptions(limit))
    }

    /// What incoming calls meet from here on.
    ///
    /// # Errors
    /// When the phone's thread is gone.
    pub fn on_call(&self, behaviour: Behaviour) -> Result<(), PhoneError> {
        self.orders.ask(move |_, desk| desk.behaviour = behaviour)
    }

    /// The next incoming call, as soon as its INVITE is here.
    ///
    /// # Errors
    /// When none comes in time.
    pub fn next_call(&self, limit: Duration) -> Result<Call, PhoneError> {
        let late = |_| PhoneError::NotInTime { what: "an incoming call".to_owned(), limit, seen: Vec::new() };
        self.incoming.recv_timeout(limit).map_err(late)
    }

    /// What was sent, received and repeated.
    ///
    /// # Errors
    /// When the phone's thread is gone.
    pub fn counters(&self) -> Result<Counters, PhoneError> {
        self.orders.ask(|line, _| line.counters().clone())
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        let _ = self.orders.give(|_, desk| desk.open = false);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Call {
    /// Waits for an event; those before it are passed over. One that comes once in a call may have come already: sound can overtake
    /// the answer.
    ///
    /// # Errors
    /// When the time is over or the call ends before.
    pub fn wait_for(&mut self, event: Event, limit: Duration) -> Result<Event, PhoneError> {
        if event.is_single() && self.seen.contains(&event) {
            return Ok(event);
        }
        let what = format!("{event:?}");
        self.wait_until(&what, limit, |seen| *seen == event)
    }

    /// Waits for an event that fits; those before it are passed over.
    ///
    /// # Errors
    /// When the time is over or the call ends before.
    pub fn wait_until(&mut self, what: &str, limit: Duration, fits: impl Fn(&Event) -> bool) -> Result<Event, PhoneError> {
        let end = Instant::now() + limit;
        let what = what.to_owned();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left) {
                Ok((event, record)) => {
                    self.record = record.or_else(|| self.record.take());
                    self.seen.push(event.clone());
                    if fits(&event) {
                        return Ok(event);
                    }
                    if event.is_last() {
                        return Err(PhoneError::Over { what, last: event, seen: self.seen.clone() });
                    }
                }
                Err(RecvTimeoutError::Timeout) => return Err(PhoneError::NotInTime { what, limit, seen: self.seen.clone() }),
                Err(RecvTimeoutError::Disconnected) => return Err(PhoneError::Gone),
            }
        }
    }

    /// Waits for the call's last event, whatever it is.
    ///
    /// # Errors
    /// When the time is over.
    pub fn wait_for_end(&mut self, limit: Duration) -> Result<Event, PhoneError> {
        match self.seen.last().filter(|event| event.is_last()) {
            Some(last) => Ok(last.clone()),
            None => self.wait_until("the end of the call", limit, Event::is_last),
        }
    }

    /// Events that were waited for or passed over so far, in order.
    pub fn seen(&self) -> &[Event] {
        &self.seen
    }

    /// Presses keys, sent as RFC 4733 events.
    ///
    /// # Errors
    /// When the phone's thread is gone; so for all orders below.
    pub fn press(&self, keys: &str) -> Result<(), PhoneError> {
        let (key, keys) = (self.key, keys.to_owned());
        self.orders.give(move |line, _| line.press(key, &keys))
    }

    /// Are keys still to be sent? What was ordered before has been begun.
    ///
    /// # Errors
    /// See [`Call::press`].
    pub fn is_pressing(&self) -> Result<bool, PhoneError> {
        let key = self.key;
        self.orders.ask(move |line, _| line.leg(key).is_some_and(Leg::is_pressing))
    }

    /// Presses keys, sent as tones.
    ///
    /// # Errors
    /// See [`Call::press`].
    pub fn press_in_band(&self, keys: &str) -> Result<(), PhoneError> {
        let (key, keys) = (self.key, keys.to_owned());
        self.orders.give(move |line, _| line.press_in_band(key, &keys))
    }

    /// Presses keys, sent as INFO.
    ///
    /// # Errors
    /// See [`Call::press`].
    pub fn press_by_info(&self, keys: &str) -> Result<(), PhoneError> {
        let (key, keys) = (self.key, keys.to_owned());
        self.orders.give(move |line, _| line.press_by_info(key, &keys))
    }

    /// Says something else.
    ///
    /// # Errors
    /// See [`Call::press`].
    pub fn say(&self, sound: Sound) -> Result<(), PhoneError> {
        let key = self.key;
        self.orders.give(move |line, _| line.say(key, sound))
    }

    /// What was agreed about the sound, once it was.
    ///
    /// # Errors
    /// See [`Call::press`].
    pub fn far(&self) -> Result<Option<Far>, PhoneError> {
        let key = self.key;
        self.orders.ask(move |line, _| line.leg(key).and_then(Leg::far))
    }

    /// Sends the sound to another address than the agreed one: a relay on the way.
    ///
    /// # Errors
    /// See [`Call::press`].
    pub fn send_sound_to(&self, by: SocketAddrV4) -> Result<(), PhoneError> {
        let key = self.key;
        self.orders.give(move |line, _| line.send_sound_to(key, by))
    }

    /// Sends a re-INVITE with another direction.
    ///
    /// # Errors
    /// See [`Call::press`].
    pub fn change(&self, direction: Direction) -> Result<(), PhoneError> {
        let key = self.key;
        self.orders.give(move |line, _| line.change(key, direction))
    }

    /// Answers an incoming call, where the behaviour does not.
    ///
    /// # Errors
    /// When no socket is left or the call is over.
    pub fn answer(&self, options: AnswerOptions) -> Result<(), PhoneError> {
        let key = self.key;
        Ok(self.orders.ask(move |line, _| line.answer(key, &options))??)
    }

    /// Refuses an incoming call.
    ///
    /// # Errors
    /// See [`Call::press`].
    pub fn reject(&self, code: u16) -> Result<(), PhoneError> {
        let key = self.key;
        self.orders.give(move |line, _| line.reject(key, code))
    }

    /// Ends the call in whatever stage it is.
    ///
    /// # Errors
    /// See [`Call::press`].
    pub fn hang_up(&self) -> Result<(), PhoneError> {
        let key = self.key;
        self.orders.give(move |line, _| line.hang_up(key))
    }

    /// What was heard and said: so far, or in all once the last event was waited for.
    ///
    /// # Errors
    /// When the phone's thread is gone.
    pub fn record(&self) -> Result<Record, PhoneError> {
        if let Some(record) = &self.record {
            return Ok(record.clone());
        }
        let key = self.key;
        let record =
            self.orders.ask(move |line, _| line.leg(key).map(|leg| Record { heard: leg.heard().clone(), said: leg.said().clone() }))?;
        Ok(record.unwrap_or_default())
    }

    /// Writes what was heard as a WAV, for human ears.
    ///
    /// # Errors
    /// When the phone's thread is gone; a file that cannot be written is passed over with its reason.
    pub fn write_heard(&self, path: &Path) -> Result<std::io::Result<()>, PhoneError> {
        Ok(sound::write_wav(path, &self.record()?.heard.timeline().pcm))
    }
}
