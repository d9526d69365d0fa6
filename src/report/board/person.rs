//! How does an operator stand? State with its age, what they work on, and how much of the last minutes was work.

use crate::centre::fact::AgentStatus;
use crate::centre::ids::QueueId;
use crate::centre::time::Time;

use super::rolling::{Rolling, window_begins};

/// An operator of the board.
#[derive(Clone, Debug)]
pub(super) struct OperatorNow {
    pub state: AgentStatus,
    pub since: Time,
    pub answered: u64,
    /// The queue whose call is handled, from the talk to the end of wrap-up.
    pub handles: Option<QueueId>,
    /// For how long it has been handled in states that are over.
    handled_ms: u64,
    minutes: Rolling<Worked>,
}

/// How much of an interval an operator handled calls, or was free for one; what is neither is not available. In milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Worked {
    pub handling_ms: u64,
    pub idle_ms: u64,
}

/// What a state counts as. A call that rings is not handled yet: its operator is still free.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counts {
    Handling,
    Idle,
    Neither,
}

impl Counts {
    fn of(state: &AgentStatus) -> Self {
        match state {
            AgentStatus::Talking(_) | AgentStatus::WrapUp => Counts::Handling,
            AgentStatus::Ready | AgentStatus::Offered(_) => Counts::Idle,
            AgentStatus::Offline
            | AgentStatus::Paused(_)
            | AgentStatus::NotResponding
            | AgentStatus::Supervising(_)
            | AgentStatus::Internal(_) => Counts::Neither,
        }
    }
}

impl Worked {
    fn add(&mut self, counts: Counts, ms: u64) {
        match counts {
            Counts::Handling => self.handling_ms += ms,
            Counts::Idle => self.idle_ms += ms,
            Counts::Neither => {}
        }
    }
}

impl OperatorNow {
    pub fn new(state: AgentStatus, since: Time) -> Self {
        Self { state, since, answered: 0, handles: None, handled_ms: 0, minutes: Rolling::default() }
    }

    /// Another state; the queue of a call whose talk and wrap-up are over with it, and how long both took.
    pub fn changed(&mut self, state: &AgentStatus, at: Time) -> Option<(QueueId, u64)> {
        let former = Counts::of(&self.state);
        let spent = at.ms_since(self.since);
        if former != Counts::Neither {
            self.minutes.spread(self.since, at, |worked, ms| worked.add(former, ms));
        }
        (self.state, self.since) = (state.clone(), at);
        if former != Counts::Handling {
            self.handled_ms = 0;
            return None;
        }
        self.handled_ms = self.handled_ms.saturating_add(spent);
        if Counts::of(state) == Counts::Handling {
            return None;
        }
        let handled_ms = std::mem::take(&mut self.handled_ms);
        self.handles.take().map(|queue| (queue, handled_ms))
    }

    /// How much of the window was work, with the state that goes on.
    pub fn worked(&self, minutes: u64, now: Time) -> Worked {
        let mut all = Worked::default();
        for (_, worked) in self.minutes.last(minutes, now) {
            all.handling_ms += worked.handling_ms;
            all.idle_ms += worked.idle_ms;
        }
        let begins = window_begins(minutes, now).max(self.since);
        all.add(Counts::of(&self.state), now.ms_since(begins));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::centre::ids::CallId;

    #[test]
    fn talk_and_wrap_up_are_handling_ringing_is_idle_and_a_pause_is_neither() {
        let mut person = OperatorNow::new(AgentStatus::Ready, Time(0));
        assert_eq!(person.changed(&AgentStatus::Offered(CallId(1)), Time(100_000)), None);
        assert_eq!(person.changed(&AgentStatus::Talking(CallId(1)), Time(110_000)), None);
        person.handles = Some("heating".into());
        assert_eq!(person.changed(&AgentStatus::WrapUp, Time(210_000)), None);
        assert_eq!(person.changed(&AgentStatus::Paused("lunch".into()), Time(230_000)), Some(("heating".into(), 120_000)));
        assert_eq!(person.worked(30, Time(900_000)), Worked { handling_ms: 120_000, idle_ms: 110_000 });
        assert_eq!(person.changed(&AgentStatus::Ready, Time(900_000)), None);
        assert_eq!(person.worked(30, Time(960_000)), Worked { handling_ms: 120_000, idle_ms: 170_000 });
        assert_eq!(person.worked(1, Time(960_000)).idle_ms, 0, "a minute that has just begun");
    }
}
