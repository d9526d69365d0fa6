//! Does a queue take callers, and is there a rush? Its mode, by a supervisor's order or by the rule that counts arrivals.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::Centre;
use super::deadline::Reason;
use super::dialplan::{Action, Plan};
use super::fact::Fact;
use super::ids::{CallId, QueueId, StepId};
use super::time::Time;

/// What a caller hears whom a queue does not take, where the plan leads nowhere else.
pub const CLOSED: &str = "queue-closed";

/// Arrivals that a rule may count at most.
pub const MOST_ARRIVALS: u32 = 1_000;

/// Whether a queue takes callers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = QueueMode)]
pub enum Mode {
    /// As the plan has it.
    #[default]
    Open,
    /// Nobody new; who waits is served.
    Closed,
    /// Nobody new, and closed once the last of those who wait has left.
    Draining,
    /// More callers than can be served: the plan's shorter ways hold, and callers are told at once what concerns them.
    Surge,
}

impl Mode {
    /// The mode as a word for screens and explanations.
    pub fn word(self) -> &'static str {
        match self {
            Mode::Open => "open",
            Mode::Closed => "closed",
            Mode::Draining => "draining",
            Mode::Surge => "surge",
        }
    }

    /// Whether callers who come now are turned away.
    pub fn turns_away(self) -> bool {
        matches!(self, Mode::Closed | Mode::Draining)
    }
}

/// When a queue is in surge by itself: as soon as more than `calls` callers come within `within_ms`. It ends once none has come for `calm_ms`
/// at whose coming the count was above the half: so it does not flicker around the threshold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SurgeRule {
    /// More callers than this.
    pub calls: u32,
    /// Within so many milliseconds.
    pub within_ms: u64,
    /// Over after so many milliseconds of calm.
    pub calm_ms: u64,
}

/// How a queue stands that is not simply open.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Standing {
    /// What a supervisor has ordered.
    pub ordered: Option<Ordered>,
    /// The rule has found a rush.
    pub surges: bool,
    /// Since when the mode is what it is.
    pub since: Time,
    /// The last arrivals, one more than the rule's threshold at most.
    arrivals: VecDeque<Time>,
}

/// A mode by order.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Ordered {
    pub mode: Mode,
    pub until: Option<Time>,
    pub by: String,
    pub reason: String,
}

impl Standing {
    fn mode(&self) -> Mode {
        match &self.ordered {
            Some(ordered) => ordered.mode,
            None if self.surges => Mode::Surge,
            None => Mode::Open,
        }
    }

    /// How many have come in the last `within_ms`, with the one who comes now.
    fn counts(&mut self, now: Time, rule: SurgeRule) -> usize {
        self.arrivals.push_back(now);
        let most = usize::try_from(rule.calls.min(MOST_ARRIVALS)).unwrap_or(usize::MAX).saturating_add(1);
        while self.arrivals.len() > most || self.arrivals.front().is_some_and(|at| now.ms_since(*at) >= rule.within_ms) {
            self.arrivals.pop_front();
        }
        self.arrivals.len()
    }
}

impl Centre {
    /// How a queue is at this moment.
    pub fn mode(&self, queue: &QueueId) -> Mode {
        self.steering.queues.get(queue).map_or(Mode::Open, Standing::mode)
    }

    /// Whether a queue is in surge, by hand or by rule.
    pub fn is_surge(&self, queue: &QueueId) -> bool {
        self.mode(queue) == Mode::Surge
    }

    /// A supervisor has ordered a mode; `open` gives the queue back to the plan and to its rule, which counts anew.
    pub(super) fn order_mode(&mut self, queue: &QueueId, ordered: Ordered) {
        let standing = self.steering.queues.entry(queue.clone()).or_default();
        if ordered.mode == Mode::Open {
            self.deadlines.cancel(&Reason::Calm(queue.clone()));
            *standing = Standing { since: standing.since, ..Standing::default() };
            let Ordered { by, reason, .. } = ordered;
            self.tell_mode(queue, Some((by, reason)));
        } else {
            standing.ordered = Some(ordered);
            self.tell_mode_of(queue);
            self.close_if_drained(queue);
        }
    }

    /// The order about a queue's mode has ended.
    pub(super) fn mode_over(&mut self, queue: &QueueId) {
        if let Some(standing) = self.steering.queues.get_mut(queue) {
            standing.ordered = None;
        }
        self.tell_mode_of(queue);
    }

    fn tell_mode_of(&mut self, queue: &QueueId) {
        let ordered = self.steering.queues.get(queue).and_then(|standing| standing.ordered.as_ref());
        let author = ordered.map(|ordered| (ordered.by.clone(), ordered.reason.clone()));
        self.tell_mode(queue, author);
    }

    fn tell_mode(&mut self, queue: &QueueId, author: Option<(String, String)>) {
        let now = self.now;
        let Some(standing) = self.steering.queues.get_mut(queue) else { return };
        standing.since = now;
        let (mode, until_ms) = (standing.mode(), standing.ordered.as_ref().and_then(|ordered| ordered.until).map(|until| until.0));
        if mode == Mode::Open && standing.arrivals.is_empty() {
            self.steering.queues.remove(queue);
        }
        let (by, reason) = author.unzip();
        self.out.fact(Fact::QueueModeChanged { queue: queue.clone(), mode, until_ms, by, reason });
    }

    /// The last of a queue that is drained has left: it is closed.
    pub(super) fn close_if_drained(&mut self, queue: &QueueId) {
        if self.waiting.length(queue) > 0 {
            return;
        }
        let ordered = self.steering.queues.get_mut(queue).and_then(|standing| standing.ordered.as_mut());
        if let Some(ordered) = ordered.filter(|ordered| ordered.mode == Mode::Draining) {
            ordered.mode = Mode::Closed;
            self.tell_mode_of(queue);
        }
    }

    /// Somebody comes to the step of a queue for the first time in this call.
    pub(super) fn note_arrival(&mut self, queue: &QueueId) {
        let Some(rule) = self.queue_settings(queue).and_then(|rules| rules.surge) else { return };
        let now = self.now;
        let standing = self.steering.queues.entry(queue.clone()).or_default();
        let count = standing.counts(now, rule);
        let above = |least: u32| count > usize::try_from(least).unwrap_or(usize::MAX);
        if above(rule.calls) && !standing.surges {
            standing.surges = true;
            let told = standing.ordered.is_none();
            self.deadlines.set(Reason::Calm(queue.clone()), now.plus_ms(rule.calm_ms));
            if told {
                self.tell_mode(queue, None);
            }
        } else if above(rule.calls / 2) {
            self.deadlines.put_off(Reason::Calm(queue.clone()), now.plus_ms(rule.calm_ms));
        }
    }

    /// It has been calm for long enough.
    pub(super) fn calm(&mut self, queue: &QueueId) {
        let Some(standing) = self.steering.queues.get_mut(queue).filter(|standing| standing.surges) else { return };
        standing.surges = false;
        standing.arrivals.clear();
        if standing.ordered.is_none() {
            self.tell_mode(queue, None);
        }
    }

    /// New settings: what is of no queue any more is forgotten, and a rush by a rule that is gone is over.
    pub(super) fn match_modes_to_settings(&mut self) {
        let known: Vec<QueueId> = self.steering.queues.keys().cloned().collect();
        for queue in known {
            match self.queue_settings(&queue).map(|rules| rules.surge) {
                None => {
                    self.deadlines.cancel(&Reason::Calm(queue.clone()));
                    let was = self.mode(&queue);
                    let standing = self.steering.queues.entry(queue.clone()).or_default();
                    *standing = Standing::default();
                    if was == Mode::Open {
                        self.steering.queues.remove(&queue);
                    } else {
                        self.tell_mode(&queue, None);
                    }
                }
                Some(None) => {
                    self.deadlines.cancel(&Reason::Calm(queue.clone()));
                    self.calm(&queue);
                }
                Some(Some(_)) => {}
            }
        }
    }

    /// Another way than into the queue of this step: past one that takes nobody new, or, once a call, the shorter one of a rush.
    pub(super) fn way_around(&mut self, call: CallId, step: &StepId) -> Around {
        let Some(Action::Queue { queue, overflow, .. }) = self.action(call, step) else { return Around::None };
        let (queue, overflow) = (queue.clone(), overflow.clone());
        let had_place = self.calls.get(&call).is_some_and(|known| known.waited.as_ref().is_some_and(|(before, _)| *before == queue));
        if had_place {
            return Around::None;
        }
        if self.mode(&queue).turns_away() {
            let closed = self.plan(call).and_then(|plan| plan.closed.get(step)).cloned();
            let is_first = self.calls.get_mut(&call).is_some_and(|known| known.passed.insert(step.clone()));
            return closed.or(overflow).filter(|_| is_first).map_or(Around::TurnedAway, Around::To);
        }
        self.short_way(call, step, &[queue]).map_or(Around::None, Around::To)
    }

    /// The queue that was too full for a caller whom the next one does not take either: there they wait after all.
    pub(super) fn full_queue(&self, call: CallId) -> Option<StepId> {
        let known = self.calls.get(&call).filter(|known| known.overflowed)?;
        let step = known.queue_step.as_ref()?;
        let Some(Action::Queue { queue, .. }) = self.action(call, step) else { return None };
        (!self.mode(queue).turns_away()).then(|| step.clone())
    }

    /// The shorter way of a step while any of these queues is in surge; once a call, so that it may lead back.
    pub(super) fn short_way(&mut self, call: CallId, step: &StepId, queues: &[QueueId]) -> Option<StepId> {
        let to = self.plan(call)?.surge.get(step)?.clone();
        if !queues.iter().any(|queue| self.is_surge(queue)) {
            return None;
        }
        self.calls.get_mut(&call)?.shortened.insert(step.clone()).then_some(to)
    }

    /// Whether any queue that the caller's plan leads to is in surge.
    pub(super) fn queues_of_plan(&self, call: CallId) -> Vec<QueueId> {
        self.plan(call).map_or(Vec::new(), |plan: &Plan| plan.queues().cloned().collect())
    }
}

/// Where a caller goes who comes to the step of a queue.
pub(super) enum Around {
    /// Into it.
    None,
    /// To another step.
    To(StepId),
    /// Nowhere: they hear that it is closed.
    TurnedAway,
}
