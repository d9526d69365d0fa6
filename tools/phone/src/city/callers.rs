//! What do residents do? They dial, listen, press their language and topic, wait, talk, and give up when bored.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};

use super::dice::Dice;
use super::summary::{CallerSummary, Times};
use super::{CALLERS_BAND, DRAIN, OPERATORS_BAND, PROGRESS};
use crate::agenda::Agenda;
use crate::judge::chirp::{SPACING, Voice};
use crate::judge::find::{self, Ear};
use crate::line::{CallKey, CallOptions, Event, Line, LineError, Record, Script, Side};
use crate::media::sound::{PACKET_SAMPLES, Sound};

/// A caller looks up so often whether an operator speaks; the sound looked at holds one whole chirp at least.
const LISTEN_EVERY: Duration = Duration::from_millis(500);
const LISTEN_PACKETS: usize = 2 * SPACING / PACKET_SAMPLES + 5;
/// What is heard is kept so long.
const KEEP: Duration = Duration::from_secs(30 * 60);
/// A caller who hears nothing at all gives up.
const SILENCE_LIMIT: Duration = Duration::from_secs(10);

/// The residents of a city.
#[derive(Clone, Debug)]
pub struct CallerOptions {
    /// The server's SIP address.
    pub target: SocketAddrV4,
    /// Where the calls come from: the trunk's address.
    pub source: Ipv4Addr,
    pub calls_per_minute: f64,
    pub seed: u64,
    /// Calls arrive so long; those that are up then get 30 s more.
    pub duration: Duration,
    /// Numbers that are dialled, with their weights.
    pub numbers: Vec<(String, f64)>,
    /// Keys for the language, with their weights.
    pub languages: Vec<(char, f64)>,
    /// Keys for the topic, with their weights.
    pub topics: Vec<(char, f64)>,
    /// Share of callers who press nothing.
    pub silent: f64,
    /// Mean time after which a waiting caller gives up; at least 5 s.
    pub patience: Duration,
    /// Mean time after which a caller ends the talk; operators may end it before.
    pub talk: Duration,
    /// Residents with a phone, +77000000000 and up, at most 10,000: with few of them the same ones call again.
    pub residents: u16,
    /// Calls at once; more arrivals stay away and are not counted.
    pub most: usize,
}

impl CallerOptions {
    /// A quiet day for that server: 10 calls a minute to 109 and 1520 for a minute.
    pub fn for_target(target: SocketAddrV4) -> Self {
        Self {
            target,
            source: Ipv4Addr::LOCALHOST,
            calls_per_minute: 10.0,
            seed: 1,
            duration: Duration::from_secs(60),
            numbers: vec![("109".to_owned(), 0.6), ("1520".to_owned(), 0.4)],
            languages: vec![('1', 0.45), ('2', 0.45), ('3', 0.1)],
            topics: vec![('1', 0.4), ('2', 0.3), ('3', 0.2), ('4', 0.1)],
            silent: 0.05,
            patience: Duration::from_secs(120),
            talk: Duration::from_secs(60),
            residents: 10_000,
            most: 2_000,
        }
    }
}

/// Lets the callers live and tells their summary once a second and at the end.
///
/// # Errors
/// When no port is free at the source address.
pub fn run_callers(options: &CallerOptions, tell: &mut dyn FnMut(&CallerSummary)) -> Result<CallerSummary, LineError> {
    let mut line = Line::bind(SocketAddrV4::new(options.source, 0))?;
    let mut callers = Callers::new(options, tell, Instant::now());
    line.run(&mut callers);
    Ok(callers.summary())
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Arrive,
    Tell,
    /// Out of patience with a server that says nothing.
    Unheard(CallKey),
    PressLanguage(CallKey),
    PressTopic(CallKey),
    Listen(CallKey),
    Bored(CallKey),
    SaidAll(CallKey),
}

#[derive(Debug)]
enum Stage {
    Dialling { since: Instant },
    Listening,
    Choosing,
    Waiting { since: Instant },
    Talking,
}

#[derive(Debug)]
struct Caller {
    stage: Stage,
    voice: Voice,
    /// Sound has come, perhaps before the answer that it overtook.
    heard: bool,
}

struct Callers<'a> {
    options: &'a CallerOptions,
    tell: &'a mut dyn FnMut(&CallerSummary),
    dice: Dice,
    agenda: Agenda<Step>,
    ear: Ear,
    callers: HashMap<CallKey, Caller>,
    counted: CallerSummary,
    waited: Vec<Duration>,
    set_up: Vec<Duration>,
    closes: Instant,
}

impl<'a> Callers<'a> {
    fn new(options: &'a CallerOptions, tell: &'a mut dyn FnMut(&CallerSummary), now: Instant) -> Self {
        let mut agenda = Agenda::default();
        agenda.put(now, Step::Arrive);
        agenda.put(now + PROGRESS, Step::Tell);
        Self {
            options,
            tell,
            dice: Dice::new(options.seed),
            agenda,
            ear: Ear::for_bands(&[OPERATORS_BAND]),
            callers: HashMap::new(),
            counted: CallerSummary::default(),
            waited: Vec::new(),
            set_up: Vec::new(),
            closes: now + options.duration,
        }
    }

    fn summary(&self) -> CallerSummary {
        let (waiting, set_up) = (Times::of(&self.waited), Times::of(&self.set_up));
        CallerSummary { open: self.callers.len() as u64, waiting, set_up, ..self.counted.clone() }
    }

    fn take_step(&mut self, line: &mut Line, step: Step, now: Instant) {
        match step {
            Step::Arrive => self.arrive(line, now),
            Step::Tell => {
                let summary = self.summary();
                (self.tell)(&summary);
                self.agenda.put(now + PROGRESS, Step::Tell);
            }
            Step::Unheard(key) => self.leave_if(line, key, |stage| matches!(stage, Stage::Listening)),
            Step::PressLanguage(key) => self.press_language(line, key, now),
            Step::PressTopic(key) => self.press_topic(line, key, now),
            Step::Listen(key) => self.listen(line, key, now),
            Step::Bored(key) => self.leave_if(line, key, |stage| matches!(stage, Stage::Waiting { .. })),
            Step::SaidAll(key) => self.leave_if(line, key, |stage| matches!(stage, Stage::Talking)),
        }
    }

    fn arrive(&mut self, line: &mut Line, now: Instant) {
        if now >= self.closes {
            return;
        }
        let mean = Duration::from_secs_f64(60.0 / self.options.calls_per_minute.max(0.001));
        let next = now + self.dice.exponential(mean);
        self.agenda.put(next, Step::Arrive);
        let (from, number) = (self.dice.phone_number(self.options.residents), self.dice.choose(&self.options.numbers).cloned());
        let Some(number) = number.filter(|_| self.callers.len() < self.options.most) else { return };
        let voice = Voice::new(CALLERS_BAND, self.counted.calls as u8);
        let options = CallOptions { from, keep: KEEP, ..CallOptions::default() };
        self.counted.calls += 1;
        match line.call(&format!("sip:{number}@{}", self.options.target), &options) {
            Ok(key) => drop(self.callers.insert(key, Caller { stage: Stage::Dialling { since: now }, voice, heard: false })),
            Err(_) => self.fail(0),
        }
    }

    fn fail(&mut self, code: u16) {
        self.counted.failed += 1;
        *self.counted.failed_by_code.entry(code).or_default() += 1;
    }

    fn answered(&mut self, line: &mut Line, key: CallKey, now: Instant) {
        let Some(caller) = self.callers.get_mut(&key) else { return };
        if let Stage::Dialling { since } = caller.stage {
            self.set_up.push(now - since);
        }
        caller.stage = Stage::Listening;
        let heard = caller.heard;
        self.agenda.put(now + SILENCE_LIMIT, Step::Unheard(key));
        if heard {
            self.greeted(line, key, now);
        }
    }

    fn hears(&mut self, line: &mut Line, key: CallKey, now: Instant) {
        let Some(caller) = self.callers.get_mut(&key) else { return };
        caller.heard = true;
        if matches!(caller.stage, Stage::Listening) {
            self.greeted(line, key, now);
        }
    }

    /// The greeting has begun: a human listens for a while, then presses a key or just waits.
    fn greeted(&mut self, line: &mut Line, key: CallKey, now: Instant) {
        let Some(caller) = self.callers.get_mut(&key) else { return };
        self.counted.greeted += 1;
        if self.dice.chance(self.options.silent) {
            return self.wait(line, key, now);
        }
        caller.stage = Stage::Choosing;
        let delay = self.dice.between(Duration::from_millis(1500), Duration::from_secs(6));
        self.agenda.put(now + delay, Step::PressLanguage(key));
    }

    fn press_language(&mut self, line: &mut Line, key: CallKey, now: Instant) {
        let language = self.dice.choose(&self.options.languages).copied();
        language.into_iter().for_each(|language| line.press(key, &language.to_string()));
        let delay = self.dice.between(Duration::from_secs(2), Duration::from_secs(5));
        self.agenda.put(now + delay, Step::PressTopic(key));
    }

    fn press_topic(&mut self, line: &mut Line, key: CallKey, now: Instant) {
        let topic = self.dice.choose(&self.options.topics).copied();
        topic.into_iter().for_each(|topic| line.press(key, &topic.to_string()));
        self.wait(line, key, now);
    }

    fn wait(&mut self, line: &mut Line, key: CallKey, now: Instant) {
        let Some(caller) = self.callers.get_mut(&key) else { return };
        caller.stage = Stage::Waiting { since: now };
        line.say(key, Sound::Chirps(caller.voice));
        let patience = self.dice.exponential(self.options.patience).max(Duration::from_secs(5));
        self.agenda.put(now + patience, Step::Bored(key));
        self.agenda.put(now + LISTEN_EVERY, Step::Listen(key));
    }

    /// Does an operator speak? Then the talk has begun.
    fn listen(&mut self, line: &mut Line, key: CallKey, now: Instant) {
        let Some(caller) = self.callers.get_mut(&key) else { return };
        let Stage::Waiting { since } = caller.stage else { return };
        let recent = line.leg(key).map(|leg| leg.heard().recent(LISTEN_PACKETS)).unwrap_or_default();
        if self.ear.chirps(&recent).chirps.is_empty() {
            return self.agenda.put(now + LISTEN_EVERY, Step::Listen(key));
        }
        caller.stage = Stage::Talking;
        self.counted.answered += 1;
        self.waited.push(now - since);
        let talk = self.dice.exponential(self.options.talk).max(Duration::from_secs(2));
        self.agenda.put(now + talk, Step::SaidAll(key));
    }

    fn leave_if(&mut self, line: &mut Line, key: CallKey, fits: impl Fn(&Stage) -> bool) {
        if self.callers.get(&key).is_some_and(|caller| fits(&caller.stage)) {
            line.hang_up(key);
        }
    }

    fn over(&mut self, key: CallKey, event: &Event, record: Option<Record>) {
        let Some(caller) = self.callers.remove(&key) else { return };
        match (event, caller.stage) {
            (_, Stage::Talking) => self.judge(&record.unwrap_or_default()),
            (Event::Rejected(code), _) => self.fail(*code),
            (Event::Failed, _) => self.fail(0),
            (Event::Ended(Side::Us), _) => self.counted.abandoned += 1,
            _ => self.counted.released += 1,
        }
    }

    fn judge(&mut self, record: &Record) {
        for hearing in find::hearings(&self.ear.chirps(&record.heard.timeline().pcm)).values() {
            self.counted.chirps_heard += hearing.chirps.len() as u64;
            self.counted.chirps_missing += hearing.missing;
        }
    }
}

impl Script for Callers<'_> {
    fn on_event(&mut self, line: &mut Line, call: CallKey, event: Event) {
        let now = Instant::now();
        match event {
            Event::Answered => self.answered(line, call, now),
            Event::FirstSound => self.hears(line, call, now),
            last if last.is_last() => {
                let record = line.take_record(call);
                self.over(call, &last, record);
            }
            _ => {}
        }
    }

    fn on_turn(&mut self, line: &mut Line, now: Instant) -> Option<Instant> {
        while let Some(step) = self.agenda.due(now) {
            self.take_step(line, step, now);
        }
        if now >= self.closes && self.callers.is_empty() {
            return None;
        }
        if now >= self.closes + DRAIN {
            self.callers.keys().for_each(|key| line.hang_up(*key));
        }
        // The last BYEs get 5 s for their answers.
        (now < self.closes + DRAIN + Duration::from_secs(5)).then(|| self.agenda.next().unwrap_or(self.closes))
    }
}
