//! Who counts as having waited for longer than they did? Credits of waiting time, by the queue, the plan's step and the caller's story.
//!
//! A credit is settled when the caller enters the queue, or when the store answers within its time; after that it never changes,
//! so that the order of those who wait is a static one. Nobody is overtaken by a caller who came later by more than the largest
//! less the smallest credit: [`Credits::bound_ms`].

use serde::{Deserialize, Serialize};

use super::Centre;
use super::dialplan::Action;
use super::fact::Fact;
use super::ids::CallId;
use super::queue::Wait;
use super::settings::QueueSettings;

/// By how much longer callers count as waiting, in milliseconds, for what their story tells. All that holds is added up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credits {
    /// A case of theirs is open.
    pub open_case_ms: u64,
    /// In place of that: a case of theirs is overdue.
    pub overdue_case_ms: u64,
    /// They have called within the last 24 hours.
    pub repeat_call_ms: u64,
    /// A resident with this number belongs to a protected group.
    pub protected_ms: u64,
    /// The number is marked for abuse: they count as waiting for so much less.
    pub abuse_ms: u64,
    /// No credit is larger, whatever adds up; a resident whose operator's line was lost has it whole.
    pub raise_at_most_ms: u64,
    /// Nobody counts as waiting for so much less.
    pub lower_at_most_ms: u64,
}

/// What a credit is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreditFor {
    /// The queue is a pressing one.
    Queue,
    /// The step of the plan that led to it is.
    Step,
    /// A case is open.
    OpenCase,
    /// A case is overdue.
    OverdueCase,
    /// A call within 24 hours.
    RepeatCall,
    /// A protected group.
    Protected,
    /// An abuse mark.
    Abuse,
    /// The operator's line was lost in the middle of the talk.
    LineLost,
}

impl Credits {
    /// Nobody is overtaken by a caller who came later by more than this, in milliseconds.
    pub fn bound_ms(&self) -> u64 {
        self.raise_at_most_ms.saturating_add(self.lower_at_most_ms)
    }

    /// A credit within the limits.
    fn limited(&self, ms: i64) -> i64 {
        let limit = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
        ms.clamp(-limit(self.lower_at_most_ms), limit(self.raise_at_most_ms))
    }
}

impl Centre {
    /// By how much longer a caller of this queue counts as waiting, and for what.
    pub(super) fn credit(&self, call: CallId, rules: &QueueSettings) -> (i64, Vec<CreditFor>) {
        let credits = &self.settings.credits;
        let Some(known) = self.calls.get(&call) else { return (0, Vec::new()) };
        if known.line_lost {
            return (credits.limited(i64::MAX), vec![CreditFor::LineLost]);
        }
        let step_ms = match known.queue_step.as_ref().and_then(|step| self.action(call, step)) {
            Some(Action::Queue { credit_ms, .. }) => *credit_ms,
            Some(
                Action::Play { .. }
                | Action::Language { .. }
                | Action::Menu { .. }
                | Action::Hours { .. }
                | Action::Dial { .. }
                | Action::Callback { .. }
                | Action::HangUp { .. },
            )
            | None => 0,
        };
        let story = known.known.clone().unwrap_or_default();
        let holds = [
            (CreditFor::Queue, true, rules.credit_ms),
            (CreditFor::Step, true, step_ms),
            (CreditFor::OpenCase, story.open_cases > 0 && story.overdue_cases == 0, credits.open_case_ms),
            (CreditFor::OverdueCase, story.overdue_cases > 0, credits.overdue_case_ms),
            (CreditFor::RepeatCall, story.called_lately, credits.repeat_call_ms),
            (CreditFor::Protected, story.is_protected, credits.protected_ms),
            (CreditFor::Abuse, story.is_marked, credits.abuse_ms),
        ];
        let holds: Vec<(CreditFor, u64)> =
            holds.into_iter().filter(|(_, holds, ms)| *holds && *ms > 0).map(|(what, _, ms)| (what, ms)).collect();
        let sum = holds.iter().fold(0_i64, |sum, (what, ms)| {
            let ms = i64::try_from(*ms).unwrap_or(i64::MAX);
            if *what == CreditFor::Abuse { sum.saturating_sub(ms) } else { sum.saturating_add(ms) }
        });
        (credits.limited(sum), holds.into_iter().map(|(what, _)| what).collect())
    }

    /// The store has answered after the caller entered the queue: the story counts from here on.
    pub(super) fn credit_follows_story(&mut self, call: CallId) {
        let Some(before) = self.wait_of(call).cloned() else { return };
        let Some(rules) = self.queue_settings(&before.queue).cloned() else { return };
        let (credit_ms, of) = self.credit(call, &rules);
        if credit_ms != before.credit_ms {
            self.out.fact(Fact::Credited { call, queue: before.queue.clone(), credit_ms, of });
            self.change_wait(call, &before, Wait { credit_ms, ..before.clone() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_adds_up_stays_within_the_limits() {
        let credits = Credits { raise_at_most_ms: 300, lower_at_most_ms: 100, ..Credits::default() };
        assert_eq!([250, 301, i64::MAX, -99, -101].map(|ms| credits.limited(ms)), [250, 300, 300, -99, -100]);
        assert_eq!(credits.bound_ms(), 400);
    }
}
