//! What do callers do under load who stay: hear a prompt or music, wait in a queue, or talk to an operator?

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddrV4;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use cityline_phone::Sound;
use cityline_phone::judge::chirp::{Said, Voice};
use cityline_phone::line::{CallKey, CallOptions, Event, Line, LineError, Record, Script};
use cityline_phone::media::EchoControl;
use cityline_phone::media::capture::Arrivals;

use crate::content;
use crate::process::{self, Reading, Used};
use crate::report::Own;
use crate::window::{Phase, Window};

/// Between the last call that came up and the window.
const WARM: Duration = Duration::from_secs(2);
/// How long after the last INVITE the window begins in any case.
const SLACK: Duration = Duration::from_secs(15);
/// The operators' thread reads its counts in this time.
const COLLECT: Duration = Duration::from_millis(150);

/// What is played.
#[derive(Clone, Debug)]
pub struct Plan {
    pub target: SocketAddrV4,
    pub number: String,
    pub calls: usize,
    /// INVITEs a second.
    pub rate: f64,
    pub window: Duration,
    /// A call that the server ends is followed by another (queue).
    pub refill: bool,
    /// Operators that must be registered before the first call.
    pub registered: u64,
    /// Operators' legs that must be up before the window begins.
    pub operators: u64,
    /// Rooms of three that must be up before the window begins; what is judged begins with it.
    pub rooms: u64,
    /// Is protected sound offered, and no other?
    pub secure: bool,
    /// Calls whose sound is kept.
    pub judged: usize,
    pub keep: Duration,
    pub pid: Option<u32>,
}

/// What the callers saw.
#[derive(Debug, Default)]
pub struct Outcome {
    pub reached: u64,
    pub failed_by_code: BTreeMap<u16, u64>,
    pub ended_early: u64,
    pub set_up: Vec<Duration>,
    pub first_packet: Vec<Duration>,
    pub arrivals: Arrivals,
    pub legs: u64,
    /// Packets that 50 a second make, over each leg's own time in the window.
    pub expected: u64,
    pub window: Duration,
    pub own: Own,
    pub server: Used,
    pub records: Vec<Record>,
    pub said: HashMap<Voice, Said>,
    pub retransmitted: u64,
    pub repeated: u64,
}

struct Caller {
    number: usize,
    since: Instant,
    answered: bool,
    heard: bool,
}

struct Callers {
    plan: Plan,
    shared: Arc<Window>,
    echo: EchoControl,
    callers: HashMap<CallKey, Caller>,
    placed: usize,
    next: Instant,
    /// When the phase at hand ends; none while the ramp has no end in sight.
    until: Option<Instant>,
    before: Reading,
    at_start: Reading,
    began: Instant,
    outcome: Outcome,
}

/// Runs the callers until all calls are over.
///
/// # Errors
/// When no socket is left.
pub fn run(mut line: Line, plan: Plan, shared: Arc<Window>) -> Result<Outcome, LineError> {
    let echo = EchoControl::open(line.media()).map_err(LineError::NoSocket)?;
    let now = Instant::now();
    let before = plan.pid.map(process::read).unwrap_or_default();
    let mut callers = Callers {
        plan,
        shared,
        echo,
        callers: HashMap::new(),
        placed: 0,
        next: now,
        until: None,
        before,
        at_start: before,
        began: now,
        outcome: Outcome::default(),
    };
    line.run(&mut callers);
    callers.outcome.retransmitted = line.counters().retransmitted;
    callers.outcome.repeated = line.counters().repeated;
    Ok(callers.outcome)
}

impl Callers {
    fn place(&mut self, line: &mut Line, now: Instant) {
        let number = self.placed;
        self.placed += 1;
        let judged = number < self.plan.judged;
        let keep = if judged { self.plan.keep } else { Duration::ZERO };
        let (from, sound) = ("sipp".to_owned(), Sound::Chirps(content::caller_voice(number)));
        let options = CallOptions { from, sound, keep, secure: self.plan.secure, ..CallOptions::default() };
        match line.call(&format!("sip:{}@{}", self.plan.number, self.plan.target), &options) {
            Ok(key) => {
                self.callers.insert(key, Caller { number, since: now, answered: false, heard: false });
            }
            Err(_) => *self.outcome.failed_by_code.entry(0).or_default() += 1,
        }
    }

    fn over(&mut self, line: &mut Line, key: CallKey, event: &Event) {
        let Some(caller) = self.callers.remove(&key) else { return };
        let record = line.take_record(key).unwrap_or_default();
        match event {
            Event::Rejected(code) => *self.outcome.failed_by_code.entry(*code).or_default() += 1,
            Event::Failed => *self.outcome.failed_by_code.entry(0).or_default() += 1,
            _ if self.shared.phase() < Phase::Collect && !self.plan.refill => self.outcome.ended_early += 1,
            _ => {}
        }
        if self.plan.refill && self.shared.phase() < Phase::Collect {
            if self.shared.phase() == Phase::Measure {
                self.add(&record.heard.arrivals);
            }
            // The next resident takes the place in the queue.
            self.placed = self.placed.saturating_sub(1);
            return;
        }
        self.outcome.said.insert(content::caller_voice(caller.number), record.said.clone());
        if caller.number < self.plan.judged {
            self.outcome.records.push(record);
        }
    }

    fn is_ramped(&self) -> bool {
        let up = self.callers.values().all(|caller| caller.answered && caller.heard);
        let rooms = self.shared.rooms.load(Ordering::Relaxed) >= self.plan.rooms;
        self.placed >= self.plan.calls && up && rooms && self.shared.talking.load(Ordering::Relaxed) >= self.plan.operators
    }

    fn ramp(&mut self, line: &mut Line, now: Instant) {
        if self.shared.registered.load(Ordering::Relaxed) < self.plan.registered {
            self.next = now;
            return;
        }
        while self.placed < self.plan.calls && self.next <= now {
            self.place(line, now);
            self.next += Duration::from_secs_f64(1.0 / self.plan.rate.max(0.01));
        }
        if self.placed >= self.plan.calls {
            let latest = *self.until.get_or_insert(now + SLACK);
            if self.is_ramped() {
                self.until = Some(latest.min(now + WARM));
            }
        }
    }

    fn turn(&mut self, line: &mut Line, now: Instant) {
        let phase = self.shared.phase();
        if phase == Phase::Ramp || self.plan.refill && phase == Phase::Measure {
            let until = self.until;
            self.ramp(line, now);
            self.until = if phase == Phase::Measure { until } else { self.until };
        }
        if self.until.is_none_or(|until| now < until) {
            return;
        }
        match phase {
            Phase::Ramp => self.begin(line, now),
            Phase::Measure => self.collect(line, now),
            Phase::Collect => {
                self.shared.enter(Phase::End);
                self.callers.keys().for_each(|key| line.hang_up(*key));
                self.until = Some(now + Duration::from_secs(5));
            }
            Phase::End => self.callers.clear(),
        }
    }

    fn add(&mut self, arrivals: &Arrivals) {
        self.outcome.arrivals.add(arrivals);
        self.outcome.expected += arrivals.expected();
    }

    fn begin(&mut self, line: &mut Line, now: Instant) {
        line.media().reset_counts();
        if self.plan.rooms > 0 {
            line.media().forget_sound();
        }
        self.shared.enter(Phase::Measure);
        self.began = now;
        self.at_start = self.plan.pid.map(process::read).unwrap_or_default();
        self.until = Some(now + self.plan.window);
    }

    fn collect(&mut self, line: &mut Line, now: Instant) {
        self.shared.enter(Phase::Collect);
        let window = now - self.began;
        let end = self.plan.pid.map(process::read).unwrap_or_default();
        self.outcome.server = self.at_start.until(&end, window.as_secs_f64());
        self.outcome.server.rss_start_kb = self.before.rss_kb;
        self.outcome.window = window;
        let up = self.callers.iter().filter(|(_, caller)| caller.answered).filter_map(|(key, _)| line.leg(*key));
        let arrivals: Vec<Arrivals> = up.map(|leg| leg.heard().arrivals.clone()).collect();
        arrivals.iter().for_each(|arrivals| self.add(arrivals));
        self.outcome.legs = arrivals.len() as u64;
        self.outcome.reached = self.outcome.legs;
        let lateness = line.media().lateness().clone();
        let echo = self.echo.arrivals(line.media()).cloned().unwrap_or_default();
        self.outcome.own = Own::of(&lateness, &echo);
        self.until = Some(now + COLLECT);
    }
}

impl Script for Callers {
    fn on_event(&mut self, line: &mut Line, call: CallKey, event: Event) {
        if event.is_last() {
            return self.over(line, call, &event);
        }
        let Some(caller) = self.callers.get_mut(&call) else { return };
        match event {
            Event::Answered => {
                caller.answered = true;
                self.outcome.set_up.push(caller.since.elapsed());
            }
            Event::FirstPacket => {
                caller.heard = true;
                self.outcome.first_packet.push(caller.since.elapsed());
            }
            _ => {}
        }
    }

    fn on_turn(&mut self, line: &mut Line, now: Instant) -> Option<Instant> {
        self.turn(line, now);
        if self.shared.phase() == Phase::End && self.callers.is_empty() {
            return None;
        }
        let soon = now + Duration::from_millis(20);
        Some(if self.placed < self.plan.calls { self.next.min(soon) } else { soon })
    }
}
