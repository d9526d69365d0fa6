//! How many calls a second can be set up and ended? INVITE, 200, the first packet of sound, BYE.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use cityline_phone::agenda::Agenda;
use cityline_phone::line::{CallKey, CallOptions, Event, Line, LineError, Script, Side};
use cityline_phone::media::EchoControl;

use crate::callers::{Outcome, Plan};
use crate::process;
use crate::report::Own;

/// After the last INVITE the calls get so long to end.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug)]
struct Caller {
    since: Instant,
    answered: bool,
    heard: bool,
    left: Option<Instant>,
}

struct Setups {
    plan: Plan,
    hold: Duration,
    echo: EchoControl,
    callers: HashMap<CallKey, Caller>,
    agenda: Agenda<CallKey>,
    placed: usize,
    next: Instant,
    ends: Option<Instant>,
    outcome: Outcome,
    bye: Vec<Duration>,
}

/// Runs `plan.calls` calls at `plan.rate` a second; each stays up for `hold` after its first packet. Gives what was seen and how long
/// every BYE took.
///
/// # Errors
/// When no socket is left.
pub fn run(mut line: Line, plan: Plan, hold: Duration) -> Result<(Outcome, Vec<Duration>), LineError> {
    let echo = EchoControl::open(line.media()).map_err(LineError::NoSocket)?;
    let (start, pid) = (Instant::now(), plan.pid);
    let before = pid.map(process::read).unwrap_or_default();
    let mut setups = Setups {
        plan,
        hold,
        echo,
        callers: HashMap::new(),
        agenda: Agenda::default(),
        placed: 0,
        next: start,
        ends: None,
        outcome: Outcome::default(),
        bye: Vec::new(),
    };
    line.run(&mut setups);
    let mut outcome = setups.outcome;
    outcome.window = start.elapsed();
    outcome.server = before.until(&pid.map(process::read).unwrap_or_default(), outcome.window.as_secs_f64());
    let lateness = line.media().lateness().clone();
    outcome.own = Own::of(&lateness, &setups.echo.arrivals(line.media()).cloned().unwrap_or_default());
    outcome.retransmitted = line.counters().retransmitted;
    outcome.repeated = line.counters().repeated;
    Ok((outcome, setups.bye))
}

impl Setups {
    fn place(&mut self, line: &mut Line, now: Instant) {
        self.placed += 1;
        let options = CallOptions { from: "sipp".to_owned(), keep: Duration::ZERO, ..CallOptions::default() };
        match line.call(&format!("sip:{}@{}", self.plan.number, self.plan.target), &options) {
            Ok(key) => {
                self.callers.insert(key, Caller { since: now, answered: false, heard: false, left: None });
            }
            Err(_) => *self.outcome.failed_by_code.entry(0).or_default() += 1,
        }
    }

    /// Both the answer and the first packet are here: the call is set up.
    fn settle(&mut self, key: CallKey, now: Instant) {
        if self.callers.get(&key).is_some_and(|caller| caller.answered && caller.heard) {
            self.agenda.put(now + self.hold, key);
        }
    }

    fn over(&mut self, key: CallKey, event: &Event) {
        let Some(caller) = self.callers.remove(&key) else { return };
        match (event, caller.left) {
            (Event::Ended(Side::Us), Some(left)) => {
                self.outcome.reached += 1;
                self.bye.push(left.elapsed());
            }
            (Event::Rejected(code), _) => *self.outcome.failed_by_code.entry(*code).or_default() += 1,
            (Event::Ended(_), _) => self.outcome.ended_early += 1,
            _ => *self.outcome.failed_by_code.entry(0).or_default() += 1,
        }
    }
}

impl Script for Setups {
    fn on_event(&mut self, _line: &mut Line, call: CallKey, event: Event) {
        let now = Instant::now();
        if event.is_last() {
            return self.over(call, &event);
        }
        let Some(caller) = self.callers.get_mut(&call) else { return };
        match event {
            Event::Answered => {
                caller.answered = true;
                self.outcome.set_up.push(now - caller.since);
            }
            Event::FirstPacket => {
                caller.heard = true;
                self.outcome.first_packet.push(now - caller.since);
            }
            _ => return,
        }
        self.settle(call, now);
    }

    fn on_turn(&mut self, line: &mut Line, now: Instant) -> Option<Instant> {
        while self.placed < self.plan.calls && self.next <= now {
            self.place(line, now);
            self.next += Duration::from_secs_f64(1.0 / self.plan.rate.max(0.01));
        }
        while let Some(key) = self.agenda.due(now) {
            if let Some(caller) = self.callers.get_mut(&key) {
                caller.left = Some(now);
            }
            line.hang_up(key);
        }
        let all = self.placed >= self.plan.calls;
        let ends = *self.ends.get_or_insert(now + PATIENCE);
        self.ends = all.then_some(ends);
        if all && (self.callers.is_empty() || now >= ends) {
            // What is still up has failed.
            if !self.callers.is_empty() {
                *self.outcome.failed_by_code.entry(0).or_default() += self.callers.len() as u64;
            }
            return None;
        }
        let soon = [Some(now + Duration::from_millis(100)), self.agenda.next(), (!all).then_some(self.next)];
        soon.into_iter().flatten().min()
    }
}
