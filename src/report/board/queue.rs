//! How does a queue stand? Who waits in it, how the last waits ended, and the counts of each minute.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::centre::fact::QueueEnd;
use crate::centre::ids::{AgentId, CallId};
use crate::centre::time::Time;
use crate::report::waits::Waits;

use super::rolling::Rolling;
use super::scene::Targets;
use super::views::{BehindView, Outcome};

/// Waits that are over and can still be opened from a figure; the oldest goes first.
const WAITS_KEPT: usize = 500;

/// A queue of the board.
#[derive(Clone, Debug, Default)]
pub(super) struct QueueNow {
    pub waiting: BTreeMap<CallId, Time>,
    /// Callers who wait for a callback without a line: they are counted apart, and longer than a target by their own wish.
    pub callbacks: BTreeSet<CallId>,
    /// Since the start of the day; who enters counts at once.
    pub counts: Waits,
    pub callbacks_owed: u64,
    pub minutes: Rolling<QueueMinute>,
    ended: VecDeque<WaitOver>,
}

/// One minute of a queue.
#[derive(Clone, Debug, Default)]
pub(super) struct QueueMinute {
    /// Who entered.
    pub entered: u64,
    /// Waits that ended in it: O is those that ended.
    pub counts: Waits,
    /// Calls of the queue whose talk and wrap-up were over in it, and how long both took.
    pub handled: u64,
    pub handling_ms: u64,
}

/// A wait that is over.
#[derive(Clone, Debug)]
pub(super) struct WaitOver {
    pub call: CallId,
    pub ended: Time,
    pub how: QueueEnd,
    pub waited_ms: u64,
    /// Who answered, or let it ring last.
    pub agent: Option<AgentId>,
}

impl QueueNow {
    pub fn entered(&mut self, at: Time) {
        self.counts.offered += 1;
        self.minutes.at(at).entered += 1;
    }

    pub fn left(&mut self, over: WaitOver, targets: &Targets) {
        self.waiting.remove(&over.call);
        self.counts.ended(over.how, over.waited_ms, targets.answer_ms, targets.short_ms);
        let minute = &mut self.minutes.at(over.ended).counts;
        minute.offered += 1;
        minute.ended(over.how, over.waited_ms, targets.answer_ms, targets.short_ms);
        if self.ended.len() >= WAITS_KEPT {
            self.ended.pop_front();
        }
        self.ended.push_back(over);
    }

    pub fn handled(&mut self, at: Time, handling_ms: u64) {
        let minute = self.minutes.at(at);
        minute.handled += 1;
        minute.handling_ms = minute.handling_ms.saturating_add(handling_ms);
    }

    /// The window's counts, handled calls and the time that these took. Who still waits beyond the target counts as offered: that call is
    /// late whatever becomes of it.
    pub fn window(&self, minutes: u64, now: Time, targets: &Targets) -> QueueMinute {
        let mut all = QueueMinute::default();
        for (_, minute) in self.minutes.last(minutes, now) {
            all.entered += minute.entered;
            all.counts = all.counts.and(minute.counts);
            all.handled += minute.handled;
            all.handling_ms = all.handling_ms.saturating_add(minute.handling_ms);
        }
        all.counts.offered += self.waiting.values().filter(|since| now.ms_since(**since) > targets.answer_ms).count() as u64;
        all
    }

    /// The calls behind the figures of a window that begins then: who waits, the longest first, then the waits that are over, the newest first.
    pub fn behind(&self, begins: Time, now: Time, targets: &Targets) -> Vec<BehindView> {
        let mut waiting: Vec<(&CallId, &Time)> = self.waiting.iter().collect();
        waiting.sort_by_key(|(call, since)| (**since, **call));
        let waiting = waiting.into_iter().map(|(call, since)| BehindView {
            call: *call,
            at_ms: since.0,
            waited_ms: now.ms_since(*since),
            outcome: Outcome::Waiting,
            in_target: now.ms_since(*since) <= targets.answer_ms,
            operator: None,
        });
        let over = self.ended.iter().rev().filter(|over| over.ended >= begins).map(|over| BehindView {
            call: over.call,
            at_ms: over.ended.0,
            waited_ms: over.waited_ms,
            outcome: over.how.into(),
            in_target: over.waited_ms <= targets.answer_ms,
            operator: over.agent.clone(),
        });
        waiting.chain(over).collect()
    }
}

impl From<QueueEnd> for Outcome {
    fn from(how: QueueEnd) -> Self {
        match how {
            QueueEnd::Answered => Outcome::Answered,
            QueueEnd::Abandoned => Outcome::Abandoned,
            QueueEnd::Overflowed | QueueEnd::KeyPressed | QueueEnd::Interrupted | QueueEnd::Failed | QueueEnd::Evacuated => {
                Outcome::FlowedOut
            }
        }
    }
}
