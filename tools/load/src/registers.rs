//! How many phones a second can register? REGISTER, 401, REGISTER with digest, 200, at a rate.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use cityline_phone::line::{Account, CallKey, Event, Line, LineError, Notice, RegistrationKey, Script};
use cityline_phone::media::EchoControl;

use crate::callers::{Outcome, Plan};
use crate::process;
use crate::report::Own;

/// After the last REGISTER the answers get so long to come.
const PATIENCE: Duration = Duration::from_secs(5);

struct Registers {
    plan: Plan,
    accounts: Vec<Account>,
    waiting: HashMap<RegistrationKey, Instant>,
    placed: usize,
    next: Instant,
    ends: Option<Instant>,
    outcome: Outcome,
}

/// Registers `plan.calls` times at `plan.rate` a second, the accounts in turn. Gives what was seen; a set-up time is the time of both
/// exchanges.
///
/// # Errors
/// When no socket is left.
pub fn run(mut line: Line, plan: Plan, accounts: Vec<Account>) -> Result<Outcome, LineError> {
    let echo = EchoControl::open(line.media()).map_err(LineError::NoSocket)?;
    let (start, pid) = (Instant::now(), plan.pid);
    let before = pid.map(process::read).unwrap_or_default();
    let mut registers =
        Registers { plan, accounts, waiting: HashMap::new(), placed: 0, next: start, ends: None, outcome: Outcome::default() };
    line.run(&mut registers);
    let mut outcome = registers.outcome;
    outcome.window = start.elapsed();
    outcome.server = before.until(&pid.map(process::read).unwrap_or_default(), outcome.window.as_secs_f64());
    let lateness = line.media().lateness().clone();
    outcome.own = Own::of(&lateness, &echo.arrivals(line.media()).cloned().unwrap_or_default());
    outcome.retransmitted = line.counters().retransmitted;
    outcome.repeated = line.counters().repeated;
    Ok(outcome)
}

impl Registers {
    fn place(&mut self, line: &mut Line, now: Instant) {
        let account = self.placed.checked_rem(self.accounts.len()).and_then(|at| self.accounts.get(at));
        self.placed += 1;
        match account {
            Some(account) => {
                self.waiting.insert(line.register(account.clone()), now);
            }
            None => *self.outcome.failed_by_code.entry(0).or_default() += 1,
        }
    }
}

impl Script for Registers {
    fn on_event(&mut self, _line: &mut Line, _call: CallKey, _event: Event) {}

    fn on_notice(&mut self, _line: &mut Line, notice: Notice) {
        match notice {
            Notice::Registered { key, .. } => {
                if let Some(since) = self.waiting.remove(&key) {
                    self.outcome.reached += 1;
                    self.outcome.set_up.push(since.elapsed());
                }
            }
            Notice::RegistrationFailed { key, code } => {
                if self.waiting.remove(&key).is_some() {
                    *self.outcome.failed_by_code.entry(code).or_default() += 1;
                }
            }
            Notice::Unregistered { .. } | Notice::OptionsAnswered(_) => {}
        }
    }

    fn on_turn(&mut self, line: &mut Line, now: Instant) -> Option<Instant> {
        while self.placed < self.plan.calls && self.next <= now {
            self.place(line, now);
            self.next += Duration::from_secs_f64(1.0 / self.plan.rate.max(0.01));
        }
        let all = self.placed >= self.plan.calls;
        let ends = *self.ends.get_or_insert(now + PATIENCE);
        self.ends = all.then_some(ends);
        if all && (self.waiting.is_empty() || now >= ends) {
            if !self.waiting.is_empty() {
                *self.outcome.failed_by_code.entry(408).or_default() += self.waiting.len() as u64;
            }
            return None;
        }
        Some(if all { now + Duration::from_millis(100) } else { self.next })
    }
}
