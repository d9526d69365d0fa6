//! How does the model see a call? Where it waits, who rings, who talks and who was called in.

use cityline::centre::fact::Party;
use cityline::centre::ids::{AgentId, CallerRef, Language, QueueId, RecordingId, StepId};
use cityline::centre::input::CallerKnown;
use cityline::centre::time::Time;

use super::lines::Levels;

/// A call that is up.
pub struct Call {
    pub caller: CallerRef,
    pub arrived: Time,
    pub language: Option<Language>,
    pub wait: Option<Wait>,
    /// Who rings for it, and until when.
    pub offer: Option<(AgentId, Time)>,
    pub talk: Option<Talk>,
    /// The last queue, and since when.
    pub waited: Option<(QueueId, Time)>,
    /// Since when they wait, whichever queue it was: what counts for the place.
    pub waits_since: Option<Time>,
    pub overflowed: bool,
    /// In a queue's step, not yet in the queue: if another step follows, the queue was full.
    pub at_the_door: Option<QueueId>,
    /// The queue's step that the caller has come to.
    pub at_queue: Option<StepId>,
    pub silent: bool,
    pub silent_until: Option<Time>,
    /// After a restart, until the shell has spoken of the resident's leg.
    pub unknown: bool,
    /// Who rings for the resident after the operator has given the call away, and where they wait if it comes to nothing.
    pub ringing: Option<(Party, QueueId)>,
    /// Who calls the resident, as long as there is no talk, and by the rules of which queue.
    pub out: Option<(AgentId, QueueId)>,
    /// The resident hears why the talk was ended.
    pub dismissed: bool,
    /// The store has said what it knows, and what.
    pub looked_up: bool,
    pub story: CallerKnown,
    /// The step through which the caller came to the queue.
    pub queue_step: Option<StepId>,
    /// The operator's line was lost in the talk.
    pub line_lost: bool,
    /// The place that was told last, and in which queue.
    pub place_told: Option<(QueueId, u32)>,
}

pub struct Wait {
    pub queue: QueueId,
    pub since: Time,
    /// Since when they count as waiting, but for the credit.
    pub counts_since: Time,
    /// What its ring asks for.
    pub needs: Levels,
    /// Not the age: a caller who comes back may be overdue from the first moment.
    pub entered: Time,
    pub ring: u32,
    pub credit_ms: i64,
    /// The credit was settled in the step that is judged.
    pub is_settled: bool,
    pub language: Language,
}

#[derive(Clone)]
pub struct Talk {
    pub leg: u16,
    pub agent: Option<AgentId>,
    pub queue: Option<QueueId>,
    pub recording: Option<RecordingId>,
    /// Who was called in.
    pub third: Option<Third>,
    /// On hold at the desk.
    pub hold: bool,
    /// The resident hears a warning.
    pub warned: bool,
    /// The recording is paused.
    pub paused: bool,
}

impl Talk {
    pub fn new(leg: u16, agent: Option<AgentId>, queue: Option<QueueId>) -> Self {
        Self { leg, agent, queue, recording: None, third: None, hold: false, warned: false, paused: false }
    }
}

#[derive(Clone)]
pub enum Third {
    Rings(Party),
    Consulted(Party, u16),
    Guest(Party, u16),
}

impl Third {
    pub fn party(&self) -> &Party {
        match self {
            Third::Rings(party) | Third::Consulted(party, _) | Third::Guest(party, _) => party,
        }
    }

    pub fn up(&self) -> Option<u16> {
        match self {
            Third::Rings(_) => None,
            Third::Consulted(_, leg) | Third::Guest(_, leg) => Some(*leg),
        }
    }
}

impl Call {
    pub fn new(caller: CallerRef, arrived: Time) -> Self {
        Self {
            caller,
            arrived,
            language: None,
            wait: None,
            offer: None,
            talk: None,
            waited: None,
            waits_since: None,
            overflowed: false,
            at_the_door: None,
            at_queue: None,
            silent: false,
            silent_until: None,
            unknown: false,
            ringing: None,
            out: None,
            dismissed: false,
            looked_up: false,
            story: CallerKnown::default(),
            queue_step: None,
            line_lost: false,
            place_told: None,
        }
    }

    /// Whoever is asked by name and has not answered.
    pub fn asked(&self) -> Option<&AgentId> {
        let third = self.talk.as_ref().and_then(|talk| talk.third.as_ref());
        let rings = third.filter(|third| third.up().is_none()).map(Third::party).or(self.ringing.as_ref().map(|(party, _)| party));
        match rings? {
            Party::Agent(agent) => Some(agent),
            Party::Resident | Party::Outside(_) | Party::Number(_) => None,
        }
    }

    /// Operators who are busy with it and are not the one whom the resident talks with.
    pub fn beside(&self) -> impl Iterator<Item = &AgentId> {
        let third = self.talk.as_ref().and_then(|talk| talk.third.as_ref()).filter(|third| third.up().is_some()).map(Third::party);
        let consultant = third.and_then(|party| match party {
            Party::Agent(agent) => Some(agent),
            Party::Resident | Party::Outside(_) | Party::Number(_) => None,
        });
        let calls_out = self.out.as_ref().map(|(agent, _)| agent);
        consultant.into_iter().chain(calls_out)
    }

    /// By the rules of which queue it goes.
    pub fn queue(&self) -> Option<&QueueId> {
        let of_talk = self.talk.as_ref().and_then(|talk| talk.queue.as_ref());
        of_talk.or(self.ringing.as_ref().map(|(_, queue)| queue)).or(self.out.as_ref().map(|(_, queue)| queue))
    }

    /// Somebody is being called into it.
    pub fn is_calling(&self) -> bool {
        let third = self.talk.as_ref().and_then(|talk| talk.third.as_ref());
        self.ringing.is_some() || self.out.is_some() || third.is_some_and(|third| third.up().is_none())
    }

    /// The resident has talked, is talking or was called.
    pub fn was_served(&self) -> bool {
        self.talk.is_some() || self.ringing.is_some() || self.out.is_some() || self.dismissed
    }

    /// Something is said of abuse.
    pub fn is_told_of_abuse(&self) -> bool {
        self.dismissed || self.talk.as_ref().is_some_and(|talk| talk.warned)
    }
}
