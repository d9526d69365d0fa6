//! How does a phone's own thread serve orders from other threads and incoming calls?

use std::collections::HashMap;
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::time::{Duration, Instant};

use crate::agenda::Agenda;
use crate::line::{AnswerOptions, CallKey, Event, Line, Notice, Record, RegistrationKey, Script};
use crate::media::sound::Sound;
use crate::phone::{Call, PhoneError};

/// Events of a call that wait for its test.
pub(crate) const EVENTS: usize = 4096;
/// The loop looks after orders from other threads at least so often; the bell wakes it at once.
const TURN: Duration = Duration::from_millis(200);

/// An order that runs on the phone's thread.
pub(crate) type Job = Box<dyn FnOnce(&mut Line, &mut Desk) + Send>;
/// An event, with the call's record at the last one.
pub(crate) type Happened = (Event, Option<Record>);

/// What an incoming call meets.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// From the INVITE to the answer; 180 goes out at once.
    pub ring_for: Duration,
    pub then: Then,
    pub answer: AnswerOptions,
}

/// What follows the ringing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Answer and wait for the other side's BYE.
    Answer,
    /// Answer, and hang up after that time.
    AnswerFor(Duration),
    /// Refuse with that code.
    Reject(u16),
    /// Never answer.
    RingOn,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self { ring_for: Duration::from_millis(50), then: Then::Answer, answer: AnswerOptions::default() }
    }
}

impl Behaviour {
    /// Answers after that time and says this.
    pub fn answering(ring_for: Duration, sound: Sound) -> Self {
        Self { ring_for, then: Then::Answer, answer: AnswerOptions { sound, ..AnswerOptions::default() } }
    }
}

#[derive(Clone)]
pub(crate) struct Orders {
    pub jobs: SyncSender<Job>,
    pub bell: Arc<UnixDatagram>,
}

impl Orders {
    pub fn give(&self, job: impl FnOnce(&mut Line, &mut Desk) + Send + 'static) -> Result<(), PhoneError> {
        self.jobs.send(Box::new(job)).map_err(|_| PhoneError::Gone)?;
        // A full bell rings already.
        let _ = self.bell.send(&[1]);
        Ok(())
    }

    pub fn ask<T: Send + 'static>(&self, job: impl FnOnce(&mut Line, &mut Desk) -> T + Send + 'static) -> Result<T, PhoneError> {
        let (sender, answer) = mpsc::sync_channel(1);
        self.give(move |line, desk| {
            let _ = sender.try_send(job(line, desk));
        })?;
        answer.recv().map_err(|_| PhoneError::Gone)
    }
}

/// The script behind a phone: carries orders out and hands events on.
///
/// A full channel of events or calls drops what comes: nobody listens there.
pub(crate) struct Desk {
    jobs: Receiver<Job>,
    ear: UnixDatagram,
    ring: SyncSender<Call>,
    orders: Orders,
    pub(crate) calls: HashMap<CallKey, SyncSender<Happened>>,
    pub(crate) registering: HashMap<u64, SyncSender<Notice>>,
    pub(crate) registered: Vec<RegistrationKey>,
    pub(crate) asking: Vec<SyncSender<u16>>,
    pub(crate) behaviour: Behaviour,
    agenda: Agenda<(CallKey, Step)>,
    pub(crate) open: bool,
}

#[derive(Clone, Debug)]
enum Step {
    Decide(Behaviour),
    HangUp,
}

impl Desk {
    pub(crate) fn new(jobs: Receiver<Job>, ear: UnixDatagram, ring: SyncSender<Call>, orders: Orders) -> Self {
        Self {
            jobs,
            ear,
            ring,
            orders,
            calls: HashMap::new(),
            registering: HashMap::new(),
            registered: Vec::new(),
            asking: Vec::new(),
            behaviour: Behaviour::default(),
            agenda: Agenda::default(),
            open: true,
        }
    }

    fn take_call(&mut self, line: &mut Line, key: CallKey, user: &str, from: &str) {
        let (sender, events) = mpsc::sync_channel(EVENTS);
        self.calls.insert(key, sender);
        let (to, from) = (user.to_owned(), from.to_owned());
        let call = Call { orders: self.orders.clone(), key, to, from, events, seen: Vec::new(), record: None };
        // Nobody may wait for incoming calls: their events are dropped then.
        let _ = self.ring.try_send(call);
        line.ring(key);
        self.agenda.put(Instant::now() + self.behaviour.ring_for, (key, Step::Decide(self.behaviour.clone())));
    }

    fn step(&mut self, line: &mut Line, key: CallKey, step: Step, now: Instant) {
        let Step::Decide(behaviour) = step else { return line.hang_up(key) };
        match behaviour.then {
            Then::Answer | Then::AnswerFor(_) => {
                if line.answer(key, &behaviour.answer).is_err() {
                    line.reject(key, 480);
                }
            }
            Then::Reject(code) => line.reject(key, code),
            Then::RingOn => {}
        }
        if let Then::AnswerFor(talk) = behaviour.then {
            self.agenda.put(now + talk, (key, Step::HangUp));
        }
    }
}

impl Script for Desk {
    fn on_event(&mut self, line: &mut Line, call: CallKey, event: Event) {
        if let Event::Incoming { user, from } = &event {
            self.take_call(line, call, user, from);
        }
        let last = event.is_last();
        let record = if last { line.take_record(call) } else { None };
        if let Some(sender) = self.calls.get(&call) {
            let _ = sender.try_send((event, record));
        }
        if last {
            self.calls.remove(&call);
        }
    }

    fn on_notice(&mut self, _line: &mut Line, notice: Notice) {
        match &notice {
            Notice::Registered { key, .. } | Notice::RegistrationFailed { key, .. } | Notice::Unregistered { key } => {
                if let Some(sender) = self.registering.remove(&key.0) {
                    let _ = sender.try_send(notice);
                }
            }
            Notice::OptionsAnswered(code) => {
                for sender in self.asking.drain(..) {
                    let _ = sender.try_send(*code);
                }
            }
        }
    }

    fn on_turn(&mut self, line: &mut Line, now: Instant) -> Option<Instant> {
        let mut bell = [0; 16];
        while self.ear.recv(&mut bell).is_ok() {}
        while let Ok(job) = self.jobs.try_recv() {
            job(line, self);
        }
        while let Some((key, step)) = self.agenda.due(now) {
            self.step(line, key, step, now);
        }
        let next = self.agenda.next().unwrap_or(now + TURN).min(now + TURN);
        self.open.then_some(next)
    }
}
