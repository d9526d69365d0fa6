//! What came of the simulated calls? Counts and spans of each half hour, folded from the core's facts.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::centre::fact::{AgentStatus, Fact, QueueEnd};
use crate::centre::ids::{AgentId, CallId};
use crate::centre::time::Time;
use crate::report::waits::Waits;

use super::scenario::{HALF_HOUR_MS, HALF_HOURS, day_of};

/// What happened in half an hour. Callers count in the one in which they entered the queue; operators' time by the clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Interval {
    /// How callers waited.
    pub waits: Waits,
    /// Operators' time in talks and wrap-up, in milliseconds. The ringing of their phones is in neither span.
    pub handling_ms: u64,
    /// Operators' time ready and without a call, in milliseconds.
    pub idle_ms: u64,
    /// Callers who found nobody free.
    pub had_to_wait: u64,
    /// Talks that ended, with their wrap-up.
    pub handled: u64,
}

/// The fold.
#[derive(Clone, Debug)]
pub struct Tally {
    begins: Time,
    target_ms: u64,
    short_ms: u64,
    intervals: Vec<Interval>,
    waiting: BTreeMap<CallId, Time>,
    operators: BTreeMap<AgentId, (AgentStatus, Time)>,
}

impl Interval {
    /// The two counted together.
    #[must_use]
    pub fn and(self, other: Interval) -> Interval {
        Interval {
            waits: self.waits.and(other.waits),
            handling_ms: self.handling_ms + other.handling_ms,
            idle_ms: self.idle_ms + other.idle_ms,
            had_to_wait: self.had_to_wait + other.had_to_wait,
            handled: self.handled + other.handled,
        }
    }

    /// Handling by the time that operators were available; `None` where nobody was.
    pub fn occupancy(&self) -> Option<f64> {
        let available_ms = self.handling_ms + self.idle_ms;
        (available_ms > 0).then(|| self.handling_ms as f64 / available_ms as f64)
    }
}

impl Tally {
    /// Counts from `begins` on, over so many half hours, at least one; who comes later counts in the last.
    pub fn new(begins: Time, half_hours: u64, target_ms: u64, short_ms: u64) -> Self {
        let intervals = vec![Interval::default(); usize::try_from(half_hours).unwrap_or(1).max(1)];
        Self { begins, target_ms, short_ms, intervals, waiting: BTreeMap::new(), operators: BTreeMap::new() }
    }

    /// Takes one fact in.
    pub fn apply(&mut self, at: Time, fact: &Fact) {
        match fact {
            Fact::Enqueued { call, .. } => {
                self.waiting.insert(*call, at);
                self.interval(at).waits.offered += 1;
            }
            Fact::Dequeued { call, how, waited_ms, .. } => self.left(*call, *how, *waited_ms),
            Fact::AgentChanged { agent, state } => self.changed(agent, state, at),
            _ => {}
        }
    }

    /// What operators still do is counted up to here.
    pub fn end(&mut self, at: Time) {
        for (before, since) in std::mem::take(&mut self.operators).into_values() {
            self.was(&before, since, at);
        }
    }

    /// Every half hour from the beginning.
    pub fn intervals(&self) -> &[Interval] {
        &self.intervals
    }

    /// The half hours of a day, those of all days together.
    pub fn of_a_day(&self) -> Vec<Interval> {
        let mut day = vec![Interval::default(); HALF_HOURS];
        for (at, interval) in (0..).zip(&self.intervals) {
            let sum = day.get_mut(day_of(at).1);
            sum.into_iter().for_each(|sum| *sum = sum.and(*interval));
        }
        day
    }

    /// All of it together.
    pub fn total(&self) -> Interval {
        self.intervals.iter().fold(Interval::default(), |sum, interval| sum.and(*interval))
    }

    fn left(&mut self, call: CallId, how: QueueEnd, waited_ms: u64) {
        let Some(entered) = self.waiting.remove(&call) else { return };
        let (target_ms, short_ms) = (self.target_ms, self.short_ms);
        let interval = self.interval(entered);
        interval.waits.ended(how, waited_ms, target_ms, short_ms);
        interval.had_to_wait += u64::from(waited_ms > 0);
    }

    fn changed(&mut self, agent: &AgentId, state: &AgentStatus, at: Time) {
        let before = self.operators.insert(agent.clone(), (state.clone(), at));
        let Some((before, since)) = before else { return };
        if before == AgentStatus::WrapUp || matches!((&before, state), (AgentStatus::Talking(_), AgentStatus::Ready)) {
            self.interval(at).handled += 1;
        }
        self.was(&before, since, at);
    }

    /// An operator was in this state for so long.
    fn was(&mut self, state: &AgentStatus, from: Time, to: Time) {
        match state {
            AgentStatus::Talking(_) | AgentStatus::WrapUp => self.spread(from, to, |interval, ms| interval.handling_ms += ms),
            AgentStatus::Ready => self.spread(from, to, |interval, ms| interval.idle_ms += ms),
            _ => {}
        }
    }

    /// Adds a span to the half hours that it lies in.
    fn spread(&mut self, from: Time, to: Time, add: fn(&mut Interval, u64)) {
        let (mut from, to) = (from, to.min(self.ends()));
        while from < to {
            let next = self.begins.plus_ms((self.number(from) + 1) * HALF_HOUR_MS).min(to);
            add(self.interval(from), next.ms_since(from));
            from = next;
        }
    }

    fn ends(&self) -> Time {
        self.begins.plus_ms(self.intervals.len() as u64 * HALF_HOUR_MS)
    }

    fn number(&self, at: Time) -> u64 {
        at.ms_since(self.begins) / HALF_HOUR_MS
    }

    fn interval(&mut self, at: Time) -> &mut Interval {
        let last = self.intervals.len() - 1;
        let number = usize::try_from(self.number(at)).unwrap_or(last).min(last);
        &mut self.intervals[number]
    }
}
