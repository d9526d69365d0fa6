//! What do robot operators do? They register, let it ring, answer, talk for a while and hang up.

use std::collections::HashMap;
use std::net::SocketAddrV4;
use std::time::{Duration, Instant};

use super::dice::Dice;
use super::summary::{OperatorSummary, Times};
use super::{CALLERS_BAND, DRAIN, OPERATORS_BAND, PROGRESS};
use crate::agenda::Agenda;
use crate::judge::chirp::Voice;
use crate::judge::find::{self, Ear};
use crate::line::{Account, AnswerOptions, CallKey, Event, Line, LineError, Notice, Record, RegistrationKey, Script};
use crate::media::sound::Sound;
use crate::sip::digest::Credentials;
use crate::sip::transport::Peer;

/// What is heard is kept so long.
const KEEP: Duration = Duration::from_secs(30 * 60);
/// Asked for at the registrar; renewed after half of what it grants.
const EXPIRES: Duration = Duration::from_secs(120);

/// The robots of one room.
#[derive(Clone, Debug)]
pub struct OperatorOptions {
    /// The server's SIP address.
    pub target: SocketAddrV4,
    /// Where the phones are: one address for all, port 0 for one of the system's choice.
    pub source: SocketAddrV4,
    /// One phone each; the user name is the phone's.
    pub operators: Vec<Credentials>,
    /// Without registration the server calls `sip:USER@SOURCE` by itself.
    pub register: bool,
    pub seed: u64,
    /// Calls are answered so long; talks that are up then get 30 s more.
    pub duration: Duration,
    /// It rings between these times.
    pub ring: (Duration, Duration),
    /// Mean handling time; at least 2 s, at most ten times of it.
    pub talk: Duration,
}

impl OperatorOptions {
    /// Operators of that server who answer after 0.5–3 s and talk half a minute, for a minute.
    pub fn for_target(target: SocketAddrV4, operators: Vec<Credentials>) -> Self {
        Self {
            target,
            source: SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 0),
            operators,
            register: true,
            seed: 1,
            duration: Duration::from_secs(60),
            ring: (Duration::from_millis(500), Duration::from_secs(3)),
            talk: Duration::from_secs(30),
        }
    }
}

/// Lets the operators work and tells their summary once a second and at the end.
///
/// # Errors
/// When the source address is busy.
pub fn run_operators(options: &OperatorOptions, tell: &mut dyn FnMut(&OperatorSummary)) -> Result<OperatorSummary, LineError> {
    let mut line = Line::bind(options.source)?;
    let mut room = Room::new(options, tell, Instant::now());
    room.register(&mut line);
    line.run(&mut room);
    Ok(room.summary())
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Tell,
    PickUp(CallKey),
    HangUp(CallKey),
}

#[derive(Debug)]
struct Talk {
    operator: usize,
    /// None while it rings.
    since: Option<Instant>,
}

struct Room<'a> {
    options: &'a OperatorOptions,
    tell: &'a mut dyn FnMut(&OperatorSummary),
    dice: Dice,
    agenda: Agenda<Step>,
    ear: Ear,
    talks: HashMap<CallKey, Talk>,
    registered: HashMap<RegistrationKey, bool>,
    counted: OperatorSummary,
    talked: Vec<Duration>,
    closes: Instant,
    leaving: bool,
}

impl<'a> Room<'a> {
    fn new(options: &'a OperatorOptions, tell: &'a mut dyn FnMut(&OperatorSummary), now: Instant) -> Self {
        let mut agenda = Agenda::default();
        agenda.put(now + PROGRESS, Step::Tell);
        Self {
            options,
            tell,
            dice: Dice::new(options.seed),
            agenda,
            ear: Ear::for_bands(&[CALLERS_BAND]),
            talks: HashMap::new(),
            registered: HashMap::new(),
            counted: OperatorSummary::default(),
            talked: Vec::new(),
            closes: now + options.duration,
            leaving: false,
        }
    }

    fn register(&mut self, line: &mut Line) {
        for credentials in self.options.operators.iter().filter(|_| self.options.register) {
            let (domain, registrar) = (self.options.target.ip().to_string(), Peer::Udp(self.options.target));
            let key = line.register(Account { credentials: credentials.clone(), domain, registrar, expires: EXPIRES });
            self.registered.insert(key, false);
        }
    }

    fn summary(&self) -> OperatorSummary {
        let open = self.talks.values().filter(|talk| talk.since.is_some()).count() as u64;
        let registered = self.registered.values().filter(|up| **up).count() as u64;
        OperatorSummary { open, registered, talking: Times::of(&self.talked), ..self.counted.clone() }
    }

    fn take_step(&mut self, line: &mut Line, step: Step, now: Instant) {
        match step {
            Step::Tell => {
                let summary = self.summary();
                (self.tell)(&summary);
                self.agenda.put(now + PROGRESS, Step::Tell);
            }
            Step::PickUp(key) => self.pick_up(line, key, now),
            Step::HangUp(key) => line.hang_up(key),
        }
    }

    fn offered(&mut self, line: &mut Line, key: CallKey, user: &str, now: Instant) {
        self.counted.offered += 1;
        let operator = self.options.operators.iter().position(|known| known.user == user);
        let Some(operator) = operator else { return line.reject(key, 404) };
        if self.talks.values().any(|talk| talk.operator == operator) {
            self.counted.busy += 1;
            return line.reject(key, 486);
        }
        self.talks.insert(key, Talk { operator, since: None });
        line.ring(key);
        let (least, most) = self.options.ring;
        let ring = self.dice.between(least, most);
        self.agenda.put(now + ring, Step::PickUp(key));
    }

    fn pick_up(&mut self, line: &mut Line, key: CallKey, now: Instant) {
        let Some(talk) = self.talks.get_mut(&key) else { return };
        let voice = Voice::new(OPERATORS_BAND, talk.operator as u8);
        let options = AnswerOptions { sound: Sound::Chirps(voice), keep: KEEP, ..AnswerOptions::default() };
        if line.answer(key, &options).is_err() {
            return line.reject(key, 480);
        }
        talk.since = Some(now);
        self.counted.answered += 1;
        let length = self.dice.exponential(self.options.talk).max(Duration::from_secs(2));
        self.agenda.put(now + length, Step::HangUp(key));
    }

    fn over(&mut self, key: CallKey, event: &Event, record: Option<Record>, now: Instant) {
        self.counted.cancelled += u64::from(*event == Event::Cancelled);
        let Some(Talk { since: Some(since), .. }) = self.talks.remove(&key) else { return };
        self.talked.push(now - since);
        let timeline = record.unwrap_or_default().heard.timeline();
        let hearings = find::hearings(&self.ear.chirps(&timeline.pcm));
        self.counted.talks += 1;
        self.counted.talks_heard += u64::from(!hearings.is_empty());
        for hearing in hearings.values() {
            self.counted.chirps_heard += hearing.chirps.len() as u64;
            self.counted.chirps_missing += hearing.missing;
        }
    }

    /// At the end the phones unregister, once.
    fn leave(&mut self, line: &mut Line) {
        if !std::mem::replace(&mut self.leaving, true) {
            self.registered.keys().for_each(|key| line.unregister(*key));
        }
    }
}

impl Script for Room<'_> {
    fn on_event(&mut self, line: &mut Line, call: CallKey, event: Event) {
        let now = Instant::now();
        if let Event::Incoming { user, .. } = &event {
            self.offered(line, call, user, now);
        }
        if event.is_last() {
            let record = line.take_record(call);
            self.over(call, &event, record, now);
        }
    }

    fn on_notice(&mut self, _line: &mut Line, notice: Notice) {
        match notice {
            Notice::Registered { key, .. } => {
                self.registered.insert(key, true);
            }
            Notice::RegistrationFailed { key, .. } if !self.leaving => {
                self.counted.registrations_failed += 1;
                self.registered.insert(key, false);
            }
            Notice::Unregistered { key } | Notice::RegistrationFailed { key, .. } => {
                self.registered.remove(&key);
            }
            Notice::OptionsAnswered(_) => {}
        }
    }

    fn on_turn(&mut self, line: &mut Line, now: Instant) -> Option<Instant> {
        while let Some(step) = self.agenda.due(now) {
            self.take_step(line, step, now);
        }
        let over = now >= self.closes && (self.talks.is_empty() || now >= self.closes + DRAIN);
        if over {
            self.talks.keys().for_each(|key| line.hang_up(*key));
            self.leave(line);
        }
        // The last answers get 5 s.
        let end = over && self.registered.is_empty() && self.talks.is_empty() || now >= self.closes + DRAIN + Duration::from_secs(5);
        (!end).then(|| self.agenda.next().unwrap_or(self.closes))
    }
}
