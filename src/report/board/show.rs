//! What do screens see of the board? Calls, queues and people as they are, with the figures of the last minutes.

use std::collections::BTreeMap;

use crate::centre::fact::AgentStatus;
use crate::centre::ids::{AgentId, QueueId};
use crate::centre::time::Time;
use crate::report::waits::{hundredths, occupancy};

use super::Board;
use super::person::{OperatorNow, Worked};
use super::queue::{QueueMinute, QueueNow};
use super::rolling::{MINUTE_MS, window_begins};
use super::views::{BehindView, BoardView, Figures, HelpView, OperatorView, QueueView, Staff, StripView};

/// Calls that a view names; the count beside them is of all.
const CALLS_SHOWN: usize = 200;

/// The strip: so many spans of so many minutes.
const STRIP_SPANS: u64 = 24;
const STRIP_MINUTES: u64 = 5;

/// How much of the window was work, of everybody.
type WorkOf<'a> = BTreeMap<&'a AgentId, Worked>;

impl Board {
    /// The board as screens draw it.
    pub fn view(&self, now: Time) -> BoardView {
        let worked = self.worked(now);
        BoardView {
            at_ms: now.0,
            since_ms: self.since.0,
            window_minutes: self.scene.window_minutes,
            measure: self.scene.measure,
            window: self.window_of_all(now, &worked),
            strip: self.strip(now),
            calls_up: self.calls_up(),
            calls: self.calls.iter().take(CALLS_SHOWN).map(|(call, up)| up.view(*call)).collect(),
            queues: self.queues.iter().map(|(queue, state)| self.queue_view(queue, state, now, &worked)).collect(),
            alerts: self.alerts.active(),
            operators: self.operators.iter().map(|(agent, operator)| self.operator_view(agent, operator)).collect(),
            help: self
                .help
                .iter()
                .map(|(agent, (call, since))| HelpView { operator: agent.clone(), call: *call, since_ms: since.0 })
                .collect(),
            today: self.today.clone(),
            steering: self.steering(),
            shifts_revision: self.shifts_revision,
            last: self.ended.iter().rev().cloned().collect(),
        }
    }

    /// The queues alone.
    pub(super) fn queue_views(&self, now: Time) -> Vec<QueueView> {
        let worked = self.worked(now);
        self.queues.iter().map(|(queue, state)| self.queue_view(queue, state, now, &worked)).collect()
    }

    fn worked(&self, now: Time) -> WorkOf<'_> {
        let minutes = self.scene.window_minutes;
        self.operators.iter().map(|(agent, operator)| (agent, operator.worked(minutes, now))).collect()
    }

    /// The calls behind the figures of a queue; `None` for one that is not on the board.
    pub fn behind(&self, queue: &QueueId, now: Time) -> Option<Vec<BehindView>> {
        let begins = window_begins(self.scene.window_minutes, now);
        self.queues.get(queue).map(|state| state.behind(begins, now, &self.scene.targets(queue)))
    }

    fn queue_view(&self, queue: &QueueId, state: &QueueNow, now: Time, worked: &WorkOf) -> QueueView {
        let targets = self.scene.targets(queue);
        let window = state.window(self.scene.window_minutes, now, &targets);
        let serve = || self.operators.iter().filter(|(agent, _)| self.serves(agent, queue));
        let worked = serve().filter_map(|(agent, _)| worked.get(agent).copied());
        QueueView {
            queue: queue.clone(),
            waiting: state.waiting.len(),
            longest_since_ms: state.waiting.values().min().map(|since| since.0),
            counts: state.counts,
            callbacks: state.callbacks.len(),
            callbacks_owed: state.callbacks_owed,
            window: self.figures(window, worked),
            skills: self.scene.queues.get(queue).map(|known| known.skills.iter().cloned().collect()).unwrap_or_default(),
            staff: staff(serve().map(|(_, operator)| &operator.state)),
            targets,
        }
    }

    fn serves(&self, agent: &AgentId, queue: &QueueId) -> bool {
        let (is_on, shifts) = self.on_shift(agent);
        let (levels, member) = self.steering.today(agent, queue);
        is_on && self.scene.serves(agent, &shifts, queue, levels, member)
    }

    fn operator_view(&self, agent: &AgentId, operator: &OperatorNow) -> OperatorView {
        let (on_shift, shifts) = self.on_shift(agent);
        let call = operator.state.call();
        let up = call.and_then(|call| self.calls.get(&call));
        let settled = self.scene.people.get(agent).cloned().unwrap_or_default();
        let today = self.steering.levels(agent);
        let skills = settled.clone().into_iter().chain(today.cloned().unwrap_or_default()).collect();
        OperatorView {
            operator: agent.clone(),
            state: operator.state.word(),
            reason: operator.state.pause_reason().map(ToString::to_string),
            call,
            queue: up.and_then(|up| up.queue.clone()).or_else(|| operator.handles.clone()),
            language: up.and_then(|up| up.language),
            topic: up.and_then(|up| up.topic.clone()),
            skills,
            settled_skills: today.map(|_| settled),
            since_ms: operator.since.0,
            answered: operator.answered,
            on_shift,
            shifts,
        }
    }

    fn window_of_all(&self, now: Time, worked: &WorkOf) -> Figures {
        let minutes = self.scene.window_minutes;
        let mut all = QueueMinute::default();
        for (queue, state) in &self.queues {
            let window = state.window(minutes, now, &self.scene.targets(queue));
            all.entered += window.entered;
            all.counts = all.counts.and(window.counts);
            all.handled += window.handled;
            all.handling_ms = all.handling_ms.saturating_add(window.handling_ms);
        }
        self.figures(all, worked.values().copied())
    }

    fn figures(&self, window: QueueMinute, worked: impl Iterator<Item = Worked>) -> Figures {
        let worked = worked.fold(Worked::default(), |all, one| Worked {
            handling_ms: all.handling_ms + one.handling_ms,
            idle_ms: all.idle_ms + one.idle_ms,
        });
        Figures {
            entered: window.entered,
            level: hundredths(window.counts.service_level(self.scene.measure)),
            abandonment: hundredths(window.counts.abandonment()),
            average_answer_ms: window.counts.asa_ms().map(|ms| ms.round() as u64),
            average_handling_ms: window.handling_ms.checked_div(window.handled),
            handled: window.handled,
            occupancy: hundredths(occupancy(worked.handling_ms, worked.idle_ms)),
            counts: window.counts,
        }
    }

    /// Spans of five whole minutes of the clock; the last one goes on.
    fn strip(&self, now: Time) -> Vec<StripView> {
        let span_ms = STRIP_MINUTES * MINUTE_MS;
        let last = now.0 / span_ms;
        let first = last.saturating_sub(STRIP_SPANS - 1);
        let mut spans: Vec<StripView> = (first..=last).map(|span| StripView { from_ms: span * span_ms, ..StripView::default() }).collect();
        for queue in self.queues.values() {
            for (at, minute) in queue.minutes.last(STRIP_SPANS * STRIP_MINUTES + STRIP_MINUTES, now) {
                let place = (at.0 / span_ms).checked_sub(first).and_then(|n| usize::try_from(n).ok());
                let Some(span) = place.and_then(|n| spans.get_mut(n)) else { continue };
                span.entered += minute.entered;
                span.ended += minute.counts.offered;
                span.in_target += minute.counts.answered_in_target;
            }
        }
        spans
    }
}

fn staff<'a>(states: impl Iterator<Item = &'a AgentStatus>) -> Staff {
    let mut staff = Staff::default();
    for state in states {
        match state {
            AgentStatus::Ready => staff.ready += 1,
            AgentStatus::Offered(_) | AgentStatus::Talking(_) => staff.talking += 1,
            AgentStatus::WrapUp => staff.wrap_up += 1,
            AgentStatus::Paused(_) | AgentStatus::NotResponding | AgentStatus::Supervising(_) | AgentStatus::Internal(_) => staff.away += 1,
            AgentStatus::Offline => {}
        }
    }
    staff
}
