//! What happens if nothing else does? Deadlines, each with a name; setting one again moves it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::ids::{AgentId, CallId, QueueId};
use super::time::Time;

/// Why the core wants to be woken.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Reason {
    /// The store has not said what it knows of the caller.
    LookUp(CallId),
    /// The caller has not pressed a key.
    Key(CallId),
    /// The caller is to be told the place.
    Announce(CallId),
    /// The caller has waited as long as the queue allows.
    MaxWait(CallId),
    /// The offer has rung long enough.
    OfferEnds(CallId),
    /// The outside party has been rung long enough.
    DialEnds(CallId),
    /// The resident's side has been silent for too long.
    NoSound(CallId),
    /// Time to write things down is over.
    WrapUp(AgentId),
    /// An operator who did not answer may be tried again.
    Rest(AgentId),
    /// Legs that the new process has not found again are gone.
    Recovery,
    /// Who is called into a call, or for whom it was given away, has been rung long enough.
    CallingEnds(CallId),
    /// A supervisor's own phone has been rung long enough.
    SupervisorRings(AgentId),
    /// Desks that were open when the former process ended have had the time to come back.
    DesksReturn,
    /// The pause after a caller who was abusive is over.
    CoolOff(AgentId),
    /// What is said of abuse should have been heard.
    AbuseSaid(CallId),
    /// The recording has been paused for as long as it may be.
    RecordingPaused(CallId),
    /// The offer is accepted by itself.
    AutoAnswer(CallId),
    /// An operator's page has lost its sound and has had the time to come back.
    MediaReturns(AgentId),
    /// A shift begins or ends, or an order about one does.
    ShiftChanges,
    /// The caller has waited long enough for the next ring of the queue.
    Ring(CallId),
    /// Somebody who is to be called back may be called from here on, or may not any more.
    CallBack(CallId),
    /// An order about what somebody does today, or about a queue's mode, ends.
    OrdersEnd,
    /// It has been calm in a queue for as long as a rush is over by.
    Calm(QueueId),
}

impl Reason {
    /// The call that it is about.
    pub fn call(&self) -> Option<CallId> {
        match self {
            Reason::LookUp(call)
            | Reason::Key(call)
            | Reason::Announce(call)
            | Reason::MaxWait(call)
            | Reason::OfferEnds(call)
            | Reason::DialEnds(call)
            | Reason::NoSound(call)
            | Reason::CallingEnds(call)
            | Reason::AbuseSaid(call)
            | Reason::RecordingPaused(call)
            | Reason::AutoAnswer(call)
            | Reason::Ring(call)
            | Reason::CallBack(call) => Some(*call),
            Reason::WrapUp(_)
            | Reason::Rest(_)
            | Reason::Recovery
            | Reason::SupervisorRings(_)
            | Reason::DesksReturn
            | Reason::ShiftChanges
            | Reason::OrdersEnd
            | Reason::Calm(_)
            | Reason::MediaReturns(_)
            | Reason::CoolOff(_) => None,
        }
    }
}

/// All deadlines of the centre, by time and by name.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Deadlines {
    by_time: BTreeSet<(Time, Reason)>,
    /// Kept beside, so that a deadline is found by its name; a list because JSON keys are text.
    #[serde(with = "as_list")]
    by_reason: BTreeMap<Reason, Time>,
}

impl Deadlines {
    /// Sets or moves a deadline.
    pub fn set(&mut self, reason: Reason, at: Time) {
        self.cancel(&reason);
        self.by_reason.insert(reason.clone(), at);
        self.by_time.insert((at, reason));
    }

    /// Sets a deadline that is not set; one that is stays where it is.
    pub fn set_first(&mut self, reason: Reason, at: Time) {
        if !self.is_set(&reason) {
            self.set(reason, at);
        }
    }

    /// Moves a deadline that is set to `at`, unless it is later already.
    pub fn put_off(&mut self, reason: Reason, at: Time) {
        if self.by_reason.get(&reason).is_some_and(|set| *set < at) {
            self.set(reason, at);
        }
    }

    /// Forgets a deadline, if it is set.
    pub fn cancel(&mut self, reason: &Reason) {
        if let Some(at) = self.by_reason.remove(reason) {
            self.by_time.remove(&(at, reason.clone()));
        }
    }

    /// Forgets every deadline of a call.
    pub fn cancel_call(&mut self, call: CallId) {
        let of_calls = [
            Reason::LookUp,
            Reason::Key,
            Reason::Announce,
            Reason::MaxWait,
            Reason::OfferEnds,
            Reason::DialEnds,
            Reason::NoSound,
            Reason::CallingEnds,
            Reason::AbuseSaid,
            Reason::RecordingPaused,
            Reason::AutoAnswer,
            Reason::Ring,
            Reason::CallBack,
        ];
        of_calls.into_iter().for_each(|reason| self.cancel(&reason(call)));
    }

    /// When this deadline is, if it is set.
    pub fn at(&self, reason: &Reason) -> Option<Time> {
        self.by_reason.get(reason).copied()
    }

    /// Whether this deadline is set.
    pub fn is_set(&self, reason: &Reason) -> bool {
        self.by_reason.contains_key(reason)
    }

    /// The next one.
    pub fn next(&self) -> Option<(Time, Reason)> {
        self.by_time.first().cloned()
    }

    /// Takes the earliest one that is due at `now`.
    pub fn take_due(&mut self, now: Time) -> Option<Reason> {
        let (at, reason) = self.by_time.first().cloned()?;
        if at > now {
            return None;
        }
        self.cancel(&reason);
        Some(reason)
    }
}

mod as_list {
    use super::{BTreeMap, Reason, Time};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(map: &BTreeMap<Reason, Time>, out: S) -> Result<S::Ok, S::Error> {
        map.iter().collect::<Vec<_>>().serialize(out)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<BTreeMap<Reason, Time>, D::Error> {
        Ok(Vec::<(Reason, Time)>::deserialize(input)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_moves_and_goes_in_order() {
        let mut deadlines = Deadlines::default();
        deadlines.set(Reason::Key(CallId(1)), Time(10));
        deadlines.set(Reason::Announce(CallId(1)), Time(20));
        deadlines.set(Reason::Key(CallId(1)), Time(30));
        assert_eq!(deadlines.take_due(Time(15)), None);
        assert_eq!(deadlines.take_due(Time(40)), Some(Reason::Announce(CallId(1))));
        assert_eq!(deadlines.take_due(Time(40)), Some(Reason::Key(CallId(1))));
        assert_eq!(deadlines.next(), None);
    }

    #[test]
    fn a_call_takes_its_deadlines_along() {
        let mut deadlines = Deadlines::default();
        deadlines.set(Reason::NoSound(CallId(1)), Time(10));
        deadlines.set(Reason::NoSound(CallId(2)), Time(11));
        deadlines.cancel_call(CallId(1));
        assert_eq!(deadlines.next(), Some((Time(11), Reason::NoSound(CallId(2)))));
    }
}
