//! What do the operators do under load? They answer at once, chirp, and in a queue hang up after a while.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddrV4;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use cityline_phone::Sound;
use cityline_phone::agenda::Agenda;
use cityline_phone::judge::chirp::{Said, Voice};
use cityline_phone::line::{Account, AnswerOptions, CallKey, Event, Line, LineError, Notice, Record, RegistrationKey, Script, Side};
use cityline_phone::media::EchoControl;
use cityline_phone::media::capture::Arrivals;
use cityline_phone::media::codec::{Codec, Coded};
use cityline_phone::sip::digest::Credentials;
use cityline_phone::sip::transport::Peer;

use crate::content;
use crate::report::Own;
use crate::window::{Phase, Window};

/// How long a registration is asked to last: longer than any run.
pub const EXPIRES: Duration = Duration::from_secs(600);

/// How the operators behave.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// Those who register, and where.
    pub accounts: Vec<Credentials>,
    pub registrar: SocketAddrV4,
    /// Are protected offers taken, and no others?
    pub secure: bool,
    /// The user who is the third in rooms of three.
    pub third: Option<String>,
    /// What operators say, and the one codec that they take for it; none: chirps in G.711.
    pub speech: Option<Speech>,
    /// Talks end by the operator after a time between these; none: by the server.
    pub talk: Option<(Duration, Duration)>,
    /// Legs whose sound is kept.
    pub judged: usize,
    pub keep: Duration,
    pub seed: u64,
}

/// What operators say in a codec that costs too much to be spoken at the time.
#[derive(Clone, Debug)]
pub struct Speech {
    codec: Codec,
    voices: Arc<[Arc<Coded>]>,
}

impl Speech {
    /// Encodes a voice for each leg, some 50 ms of work each; beyond the voices that can be told apart they begin again.
    pub fn encode(codec: Codec, legs: usize) -> Self {
        let numbers = 0..legs.min(content::VOICES);
        Self { codec, voices: numbers.filter_map(|number| Coded::chirps(content::operator_voice(number), codec)).collect() }
    }

    fn of(&self, number: usize) -> Sound {
        self.voices.get(number % self.voices.len().max(1)).map_or(Sound::Silence, |coded| Sound::Coded(Arc::clone(coded)))
    }
}

/// What the operators saw.
#[derive(Debug, Default)]
pub struct Outcome {
    pub arrivals: Arrivals,
    pub legs: u64,
    pub own: Own,
    pub records: Vec<Record>,
    pub said: HashMap<Voice, Said>,
    /// Talks that the operators ended in the window.
    pub talks: u64,
    pub next_ring: Vec<Duration>,
    pub failed: u64,
}

struct Talk {
    user: String,
    number: usize,
    since: Option<Instant>,
}

struct Room {
    behaviour: Behaviour,
    window: Arc<Window>,
    echo: EchoControl,
    agenda: Agenda<CallKey>,
    talks: HashMap<CallKey, Talk>,
    /// When each operator became free by a BYE of ours.
    free_since: HashMap<String, Instant>,
    registered: HashSet<RegistrationKey>,
    random: fastrand::Rng,
    count: usize,
    seen: Phase,
    ends: Option<Instant>,
    outcome: Outcome,
}

/// Binds the operators' address and runs them until the window's end.
///
/// # Errors
/// When the address is busy or no socket is left.
pub fn run(mut line: Line, behaviour: Behaviour, window: Arc<Window>) -> Result<Outcome, LineError> {
    let echo = EchoControl::open(line.media()).map_err(LineError::NoSocket)?;
    for credentials in &behaviour.accounts {
        let (domain, registrar) = (behaviour.registrar.ip().to_string(), Peer::Udp(behaviour.registrar));
        line.register(Account { credentials: credentials.clone(), domain, registrar, expires: EXPIRES });
    }
    let mut room = Room {
        random: fastrand::Rng::with_seed(behaviour.seed),
        behaviour,
        window,
        echo,
        agenda: Agenda::default(),
        talks: HashMap::new(),
        free_since: HashMap::new(),
        registered: HashSet::new(),
        count: 0,
        seen: Phase::Ramp,
        ends: None,
        outcome: Outcome::default(),
    };
    line.run(&mut room);
    Ok(room.outcome)
}

impl Room {
    fn take(&mut self, line: &mut Line, key: CallKey, user: String, now: Instant) {
        if let Some(since) = self.free_since.remove(&user)
            && self.window.phase() == Phase::Measure
        {
            self.outcome.next_ring.push(now - since);
        }
        let number = self.count;
        self.count += 1;
        let keep = if number < self.behaviour.judged { self.behaviour.keep } else { Duration::ZERO };
        let mut options = AnswerOptions { keep, secure: self.behaviour.secure, ..AnswerOptions::default() };
        match &self.behaviour.speech {
            Some(speech) => (options.codecs, options.sound) = (vec![speech.codec], speech.of(number)),
            None => options.sound = Sound::Chirps(self.voice(number, &user)),
        }
        line.ring(key);
        if line.answer(key, &options).is_err() {
            self.outcome.failed += 1;
            return line.reject(key, 480);
        }
        self.talks.insert(key, Talk { user, number, since: None });
    }

    fn voice(&self, number: usize, user: &str) -> Voice {
        match &self.behaviour.third {
            Some(third) => content::mixed_voice(number, third == user),
            None => content::operator_voice(number),
        }
    }

    fn begin(&mut self, key: CallKey, now: Instant) {
        let Some(talk) = self.talks.get_mut(&key) else { return };
        talk.since = Some(now);
        self.window.talking.fetch_add(1, Ordering::Relaxed);
        if let Some((least, most)) = self.behaviour.talk {
            self.agenda.put(now + least + most.saturating_sub(least).mul_f64(self.random.f64()), key);
        }
    }

    fn over(&mut self, line: &mut Line, key: CallKey, event: &Event) {
        let Some(talk) = self.talks.remove(&key) else { return };
        if talk.since.is_some() {
            self.window.talking.fetch_sub(1, Ordering::Relaxed);
        }
        self.outcome.failed += u64::from(*event == Event::Failed);
        let measuring = self.window.phase() == Phase::Measure;
        self.outcome.talks += u64::from(measuring && *event == Event::Ended(Side::Us));
        let Some(record) = line.take_record(key).filter(|_| self.behaviour.talk.is_none()) else { return };
        let voice = self.voice(talk.number, &talk.user);
        self.outcome.said.insert(voice, record.said.clone());
        if talk.number < self.behaviour.judged {
            self.outcome.records.push(record);
        }
    }

    fn hang_up(&mut self, line: &mut Line, key: CallKey, now: Instant) {
        let Some(talk) = self.talks.get(&key) else { return };
        self.free_since.insert(talk.user.clone(), now);
        line.hang_up(key);
    }

    fn measure(&mut self, line: &mut Line) {
        line.media().reset_counts();
        if self.behaviour.third.is_some() {
            line.media().forget_sound();
        }
    }

    fn collect(&mut self, line: &mut Line) {
        for key in self.talks.keys() {
            if let Some(leg) = line.leg(*key) {
                self.outcome.legs += 1;
                self.outcome.arrivals.add(&leg.heard().arrivals);
            }
        }
        let lateness = line.media().lateness().clone();
        let echo = self.echo.arrivals(line.media()).cloned().unwrap_or_default();
        self.outcome.own = Own::of(&lateness, &echo);
    }
}

impl Script for Room {
    fn on_event(&mut self, line: &mut Line, call: CallKey, event: Event) {
        let now = Instant::now();
        match event {
            Event::Incoming { user, .. } => self.take(line, call, user, now),
            Event::Confirmed => self.begin(call, now),
            last if last.is_last() => self.over(line, call, &last),
            _ => {}
        }
    }

    fn on_notice(&mut self, _line: &mut Line, notice: Notice) {
        match notice {
            Notice::Registered { key, .. } => {
                self.registered.insert(key);
                self.window.registered.store(self.registered.len() as u64, Ordering::Relaxed);
            }
            Notice::RegistrationFailed { .. } => self.outcome.failed += 1,
            Notice::Unregistered { .. } | Notice::OptionsAnswered(_) => {}
        }
    }

    fn on_turn(&mut self, line: &mut Line, now: Instant) -> Option<Instant> {
        while let Some(key) = self.agenda.due(now) {
            self.hang_up(line, key, now);
        }
        let phase = self.window.phase();
        if phase != self.seen {
            self.seen = phase;
            match phase {
                Phase::Ramp => {}
                Phase::Measure => self.measure(line),
                Phase::Collect => self.collect(line),
                Phase::End => self.ends = Some(now + Duration::from_secs(5)),
            }
        }
        let over = self.ends.is_some_and(|ends| now >= ends || self.talks.is_empty());
        (!over).then(|| self.agenda.next().unwrap_or(now + Duration::from_millis(20)))
    }
}
