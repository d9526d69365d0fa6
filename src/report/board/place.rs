//! Where is a call that is up? In the plan, in a queue, at an operator or outside.

use crate::centre::ids::{AgentId, CallId, Language, NumberId, QueueId, StepId};
use crate::centre::time::Time;
use crate::report::dead_lines::DeadLines;

use super::views::CallView;

/// A call that is up.
#[derive(Clone, Debug)]
pub(super) struct CallUp {
    pub number: NumberId,
    pub started: Time,
    pub language: Option<Language>,
    pub topic: Option<String>,
    /// The queue that it was in last.
    pub queue: Option<QueueId>,
    pub place: Place,
    pub since: Time,
    pub lines: DeadLines,
}

/// Where a call is.
#[derive(Clone, Debug)]
pub(super) enum Place {
    Arriving,
    /// Nothing of the step where a talk has ended and the call goes on.
    Plan {
        step: Option<StepId>,
    },
    Waiting {
        queue: QueueId,
    },
    Offered {
        queue: QueueId,
        entered: Time,
        agent: AgentId,
    },
    Talking {
        agent: AgentId,
    },
    Outside {
        party: String,
    },
    GivenAway {
        to: String,
    },
    CallingOut {
        agent: AgentId,
    },
}

impl CallUp {
    pub fn new(number: &NumberId, place: Place, at: Time) -> Self {
        Self {
            number: number.clone(),
            started: at,
            language: None,
            topic: None,
            queue: None,
            place,
            since: at,
            lines: DeadLines::default(),
        }
    }

    /// Who has it, or has it ringing.
    pub fn agent(&self) -> Option<&AgentId> {
        match &self.place {
            Place::Offered { agent, .. } | Place::Talking { agent } | Place::CallingOut { agent } => Some(agent),
            Place::Arriving | Place::Plan { .. } | Place::Waiting { .. } | Place::Outside { .. } | Place::GivenAway { .. } => None,
        }
    }

    pub fn view(&self, call: CallId) -> CallView {
        let (state, with) = match &self.place {
            Place::Arriving => ("arriving", None),
            Place::Plan { step } => ("plan", step.as_ref().map(ToString::to_string)),
            Place::Waiting { queue } => ("waiting", Some(queue.to_string())),
            Place::Offered { agent, .. } => ("offered", Some(agent.to_string())),
            Place::Talking { agent } => ("talking", Some(agent.to_string())),
            Place::Outside { party } => ("outside", Some(party.clone())),
            Place::GivenAway { to } => ("transferring", Some(to.clone())),
            Place::CallingOut { agent } => ("calling", Some(agent.to_string())),
        };
        CallView {
            call,
            number: self.number.clone(),
            started_ms: self.started.0,
            since_ms: self.since.0,
            language: self.language,
            topic: self.topic.clone(),
            state,
            with,
            no_sound: self.lines.any(),
        }
    }
}
