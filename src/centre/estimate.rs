//! How long will a caller still wait? From who is before them, who is at work and able now and after the next change of shifts, how long a
//! call keeps an operator busy, and how fast those before them give up.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Centre;
use super::agent::{Agent, State};
use super::colleague::Before;
use super::deadline::Reason;
use super::fact::QueueEnd;
use super::ids::{AgentId, CallId, QueueId};
use super::line::Line;
use super::queue::Wait;
use super::time::Time;

/// A call is taken to keep an operator busy for so long, in milliseconds, until the queue has had some.
const FIRST_HANDLING_MS: u64 = 180_000;
/// That counts as so many calls.
const FIRST_COUNT: u64 = 4;
/// The mean is of about so many calls: enough not to follow one, few enough to follow a change within minutes.
const MEAN_OF: u64 = 32;
/// Who waits is taken to give up after so long, in milliseconds, until the queue has shown how patient its callers are.
const FIRST_PATIENCE_MS: u64 = 600_000;
/// Waits of about so many callers tell how patient they are.
const PATIENCE_OF: u64 = 64;
/// One caller who gave up, in the fixed point in which they are counted.
const ONE: u64 = 1 << 16;
/// A wait below this, in milliseconds, says nothing of patience.
const NO_WAIT_MS: u64 = 1_000;
/// One caller, in the fixed point in which those are counted who may go to other operators.
const WHOLE: u64 = 1_000;
/// Capacities are calls in so many milliseconds.
const SPAN_MS: u64 = 1_000_000_000;
/// Of a wait beyond this, in milliseconds, nothing is told.
const LONGEST_MS: u64 = 86_400_000;

/// What each queue has shown lately; the latest calls weigh most.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Pace {
    handling: BTreeMap<QueueId, Handling>,
    patience: BTreeMap<QueueId, Patience>,
}

/// How long a call keeps an operator busy: from the first ring to the end of wrap-up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Handling {
    mean_ms: u64,
    count: u64,
}

/// How fast those who wait give up: callers who did, by the time that all have waited.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Patience {
    /// In units of 1/65,536.
    gave_up: u64,
    waited_ms: u64,
}

/// A call of this queue keeps an operator busy, since then.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Busy {
    queue: QueueId,
    since: Time,
}

impl Default for Handling {
    fn default() -> Self {
        Self { mean_ms: FIRST_HANDLING_MS, count: FIRST_COUNT }
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self { gave_up: 2 * ONE, waited_ms: 2 * FIRST_PATIENCE_MS }
    }
}

impl Pace {
    /// An operator is done with a call of this queue, after so long.
    pub fn handled(&mut self, queue: &QueueId, ms: u64) {
        let known = self.handling.entry(queue.clone()).or_default();
        known.count = known.count.saturating_add(1).min(MEAN_OF);
        let others = known.mean_ms.saturating_mul(known.count - 1);
        known.mean_ms = others.saturating_add(ms).saturating_add(known.count / 2) / known.count;
    }

    /// A caller has left the queue after so long.
    pub fn left(&mut self, queue: &QueueId, how: QueueEnd, waited_ms: u64) {
        let gave_up = how == QueueEnd::Abandoned;
        if waited_ms < NO_WAIT_MS && !gave_up {
            return;
        }
        let known = self.patience.entry(queue.clone()).or_default();
        let faded = |sum: u64| sum - sum / PATIENCE_OF;
        known.gave_up = faded(known.gave_up) + if gave_up { ONE } else { 0 };
        known.waited_ms = faded(known.waited_ms).saturating_add(waited_ms);
    }

    /// How long a call of this queue keeps an operator busy, in milliseconds, at least 1.
    pub fn handling_ms(&self, queue: &QueueId) -> u64 {
        self.handling.get(queue).copied().unwrap_or_default().mean_ms.max(1)
    }

    /// How many of a thousand callers who wait give up in a span of `SPAN_MS`.
    fn giving_up(&self, queue: &QueueId) -> u64 {
        let known = self.patience.get(queue).copied().unwrap_or_default();
        let rate = u128::from(known.gave_up) * u128::from(SPAN_MS) / u128::from(ONE) / u128::from(known.waited_ms.max(1));
        u64::try_from(rate).unwrap_or(u64::MAX)
    }
}

/// Whole minutes as they are told: to the nearest, since too much is as wrong as too little, and never none.
pub fn whole_minutes(ms: u64) -> u32 {
    u32::try_from(ms.saturating_add(30_000) / 60_000).unwrap_or(u32::MAX).max(1)
}

/// Callers before somebody and they themselves, in thousandths, who go on to operators or give up.
struct Standing {
    count: u64,
    /// How often one of those before them gives up in `SPAN_MS`.
    giving_up: u64,
}

impl Standing {
    /// Milliseconds until it is their turn, where `capacity` calls are begun in `SPAN_MS`. `None` where that is later than `longest_ms`: what is
    /// left then stands. The queue before them shrinks by both: with k of them left in 1/(capacity + k · giving_up).
    fn turn_in_ms(&mut self, capacity: u64, longest_ms: u64) -> Option<u64> {
        let mut ms = 0_u64;
        while self.count > 0 {
            let step = self.count.min(WHOLE);
            let before = self.count.saturating_sub(WHOLE);
            let rate = capacity.saturating_mul(WHOLE).saturating_add(before.saturating_mul(self.giving_up)).max(1);
            let later = ms.saturating_add(share(SPAN_MS, step, rate));
            if later > longest_ms {
                self.count -= share(longest_ms - ms, rate, SPAN_MS).min(step);
                return None;
            }
            ms = later;
            self.count -= step;
        }
        Some(ms)
    }
}

/// a · b / c
fn share(a: u64, b: u64, c: u64) -> u64 {
    u64::try_from(u128::from(a) * u128::from(b) / u128::from(c.max(1))).unwrap_or(u64::MAX)
}

impl Centre {
    /// The minutes that a waiting caller is told; `None` where nobody who is there or is to come could serve them, so that nobody knows.
    pub(super) fn minutes_left(&self, call: CallId, wait: &Wait) -> Option<u32> {
        self.wait_left_ms(call, wait).map(whole_minutes)
    }

    /// The soonest turn in this ring of the queue or in one that the wait will reach.
    fn wait_left_ms(&self, call: CallId, wait: &Wait) -> Option<u64> {
        let rules = self.queue_settings(&wait.queue)?;
        let waited_ms = self.now.ms_since(wait.since);
        let reached = rules.rings.iter().map(|ring| ring.after_ms).filter(|after_ms| *after_ms > waited_ms);
        let turn = |after_ms: u64| {
            let line = Line { queue: wait.queue.clone(), needs: rules.needs(wait.language, after_ms).1 };
            Some(self.turn_ms(call, wait, &line)?.max(after_ms - waited_ms))
        };
        std::iter::once(waited_ms).chain(reached).filter_map(turn).min()
    }

    /// When it is the caller's turn at the operators of a line: those of now, and after the next change of shifts those of then.
    fn turn_ms(&self, call: CallId, wait: &Wait, line: &Line) -> Option<u64> {
        let able = self.at_work(line);
        let mut standing =
            Standing { count: WHOLE.saturating_add(self.ahead(call, wait, &able)), giving_up: self.pace.giving_up(&wait.queue) };
        let change = self.deadlines.at(&Reason::ShiftChanges).filter(|at| at.ms_since(self.now) < LONGEST_MS);
        let until_ms = change.map_or(LONGEST_MS, |at| at.ms_since(self.now));
        let turn_ms = standing.turn_in_ms(self.capacity(&able, &wait.queue), until_ms);
        if turn_ms.is_some() {
            return turn_ms;
        }
        let then = self.at_work_from(change?, line);
        standing.turn_in_ms(self.capacity(&then, &wait.queue), LONGEST_MS).map(|ms| until_ms.saturating_add(ms))
    }

    /// Callers who are served before this one, in thousandths: who stands in another line counts for as much as its operators are the same.
    fn ahead(&self, call: CallId, wait: &Wait, able: &BTreeSet<&AgentId>) -> u64 {
        let of_line = |(line, count): (&Line, usize)| {
            let count = u64::try_from(count).unwrap_or(u64::MAX).saturating_mul(WHOLE);
            let theirs = if count > 0 { self.at_work(line) } else { BTreeSet::new() };
            if theirs.is_empty() {
                // Nobody is there for them yet: whoever comes may be for both, if it is the same queue.
                return if line.queue == wait.queue { count } else { 0 };
            }
            share(count, theirs.intersection(able).count() as u64, theirs.len() as u64)
        };
        self.waiting.before(call, wait).map(of_line).sum()
    }

    /// Calls that these operators begin in `SPAN_MS`.
    fn capacity(&self, able: &BTreeSet<&AgentId>, queue: &QueueId) -> u64 {
        able.iter().map(|agent| SPAN_MS / self.handling_of(agent, queue)).sum()
    }

    /// Operators at work and on shift who may take the callers of a line.
    fn at_work(&self, line: &Line) -> BTreeSet<&AgentId> {
        let works = |id: &AgentId, agent: &Agent| agent.is_at_work() && self.duty.is_on(id) && self.may_take(id, line);
        self.agents.iter().filter(|(id, agent)| works(id, agent)).map(|(id, _)| id).collect()
    }

    /// The same from the next change of shifts on: those at work who stay, and those whose shift begins, who are taken to come.
    fn at_work_from(&self, change: Time, line: &Line) -> BTreeSet<&AgentId> {
        let is_for = |id: &AgentId| {
            let (is_on, shifts) = self.duty_at(id, change);
            let mut theirs = shifts.iter().filter_map(|shift| self.settings.shifts.get(shift));
            let by_shift = || shifts.is_empty() || theirs.any(|shift| shift.takes(line));
            is_on && self.member_at(id, &line.queue, change).unwrap_or_else(by_shift)
        };
        let works = |id: &AgentId, agent: &Agent| agent.is_at_work() || !self.duty.is_on(id);
        self.agents.iter().filter(|(id, agent)| works(id, agent) && self.can(id, line) && is_for(id)).map(|(id, _)| id).collect()
    }

    /// How long a call keeps this operator busy: one of the queue that they work for, else of the caller's.
    fn handling_of(&self, agent: &AgentId, queue: &QueueId) -> u64 {
        let busy = self.agents.get(agent).and_then(|known| known.busy.as_ref());
        self.pace.handling_ms(busy.map_or(queue, |busy| &busy.queue))
    }

    /// The operator has taken the call that was offered: the time since its first ring counts.
    pub(super) fn is_busy_with(&mut self, agent: &AgentId, queue: &QueueId) {
        if let Some(known) = self.agents.get_mut(agent) {
            known.busy = Some(Busy { queue: queue.clone(), since: known.since });
        }
    }

    /// The operator's state is another one: a call that they are done with has taken so long.
    pub(super) fn note_handling(&mut self, agent: &AgentId) {
        let now = self.now;
        let done = self.agents.get_mut(agent).filter(|known| !known.is_busy()).and_then(|known| known.busy.take());
        if let Some(Busy { queue, since }) = done {
            self.pace.handled(&queue, now.ms_since(since));
        }
    }
}

impl Agent {
    /// Whether the last call still keeps the operator busy.
    fn is_busy(&self) -> bool {
        match &self.state {
            State::Offered { .. } | State::Talking { .. } | State::WrapUp => true,
            State::Internal { before: Before::WrapUp { .. }, .. } => true,
            State::Internal { before: Before::Ready | Before::Offline | Before::Paused { .. } | Before::NotResponding { .. }, .. } => false,
            State::Offline | State::Ready | State::Paused { .. } | State::NotResponding | State::Supervising { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls that so many operators begin in a span, when each takes so long.
    fn capacity(operators: u64, handling_ms: u64) -> u64 {
        operators * (SPAN_MS / handling_ms)
    }

    fn turn_ms(ahead: u64, capacity: u64, giving_up: u64) -> Option<u64> {
        Standing { count: ahead + WHOLE, giving_up }.turn_in_ms(capacity, LONGEST_MS)
    }

    #[test]
    fn the_wait_is_a_step_for_each_before_and_one_for_oneself() {
        assert_eq!(turn_ms(0, capacity(10, 200_000), 0), Some(20_000), "ten operators are done every 20 s");
        assert_eq!(turn_ms(3 * WHOLE, capacity(10, 200_000), 0), Some(80_000));
        assert_eq!(turn_ms(WHOLE / 2, capacity(10, 200_000), 0), Some(30_000), "half a caller is half a step");
        assert_eq!(turn_ms(0, 0, 0), None, "nobody serves them");
    }

    #[test]
    fn those_before_who_give_up_shorten_it() {
        // Five calls and one caller of ten in a span of 100 s: 1/5 + 1/(5 + 0.1), in units of it.
        let giving_up = SPAN_MS / 1_000_000;
        assert_eq!(turn_ms(WHOLE, 5 * SPAN_MS / 100_000, giving_up), Some(20_000 + 19_607));
    }

    #[test]
    fn what_is_left_at_a_change_of_shifts_goes_on_by_those_who_come() {
        let mut standing = Standing { count: 4 * WHOLE, giving_up: 0 };
        assert_eq!(standing.turn_in_ms(capacity(10, 200_000), 50_000), None);
        assert_eq!(standing.count, WHOLE + WHOLE / 2, "two and a half steps of 20 s are done");
        assert_eq!(standing.turn_in_ms(capacity(5, 200_000), LONGEST_MS), Some(60_000), "the rest takes twice as long");
    }

    #[test]
    fn the_mean_follows_the_last_calls() {
        let (queue, mut pace) = (QueueId::from("heating"), Pace::default());
        assert_eq!(pace.handling_ms(&queue), 180_000, "nobody has talked yet: three minutes");
        pace.handled(&queue, 480_000);
        assert_eq!(pace.handling_ms(&queue), 240_000, "the first talk weighs a fifth");
        (0..200).for_each(|_| pace.handled(&queue, 60_000));
        assert!(pace.handling_ms(&queue) < 61_000);
        pace.handled(&queue, 380_000);
        assert!((69_000..72_000).contains(&pace.handling_ms(&queue)), "one long talk of 32");
        assert_eq!(pace.handling_ms(&QueueId::from("lifts")), 180_000, "another queue has talks of its own");
    }

    #[test]
    fn patience_follows_those_who_waited() {
        let (queue, mut pace) = (QueueId::from("heating"), Pace::default());
        let first = pace.giving_up(&queue);
        assert_eq!(first, SPAN_MS / FIRST_PATIENCE_MS);
        pace.left(&queue, QueueEnd::Answered, 0);
        assert_eq!(pace.giving_up(&queue), first, "who never waited says nothing");
        // One of four gives up after a minute, the others are answered after it: four minutes of patience.
        for n in 0..2_000_u32 {
            let how = if n.is_multiple_of(4) { QueueEnd::Abandoned } else { QueueEnd::Answered };
            pace.left(&queue, how, 60_000);
        }
        let patience_ms = SPAN_MS / pace.giving_up(&queue);
        assert!((225_000..255_000).contains(&patience_ms), "{patience_ms}");
    }

    #[test]
    fn minutes_are_told_to_the_nearest() {
        assert_eq!([0, 29_999, 89_999, 90_000, 150_000].map(whole_minutes), [1, 1, 1, 2, 3]);
        assert_eq!(whole_minutes(u64::MAX), u32::MAX);
    }
}
