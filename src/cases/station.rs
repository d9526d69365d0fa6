//! What does a resident see of a case? One of four stations, and when each was reached.

use serde::{Deserialize, Serialize};

use super::case::{Case, State};
use super::event::{Event, What};
use crate::centre::time::Time;

/// Where a case stands, as a resident is told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Station {
    /// It has its number.
    Registered,
    /// It lies with whoever executes.
    Sent,
    /// Somebody has taken it on.
    BeingDone,
    /// Done, says the executor; or the resident.
    Done,
}

/// When each station was reached since the last reopening; `None` for one that was passed over or is ahead.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Passed {
    /// When it was sent.
    pub sent: Option<Time>,
    /// When it was taken on.
    pub begun: Option<Time>,
    /// When it was done.
    pub done: Option<Time>,
}

impl Station {
    /// The station of a case.
    pub fn of(case: &Case) -> Station {
        match &case.state {
            State::Registered => Station::Registered,
            State::Reopened if case.organisation.is_none() => Station::Registered,
            State::Forwarded | State::Reopened => Station::Sent,
            State::Accepted | State::InWork | State::Paused { .. } => Station::BeingDone,
            State::Done { .. } | State::Confirmed | State::Closed => Station::Done,
        }
    }
}

impl Passed {
    /// The stations that these events, in their order, have led past.
    pub fn of<'e>(events: impl IntoIterator<Item = &'e Event>) -> Passed {
        let mut passed = Passed::default();
        for event in events {
            passed.follow(event);
        }
        passed
    }

    fn follow(&mut self, event: &Event) {
        match &event.what {
            What::Forwarded { .. } => *self = Passed { sent: Some(event.at), ..Passed::default() },
            What::Accepted | What::Started => self.begun = self.begun.or(Some(event.at)),
            What::Returned => *self = Passed::default(),
            What::Done { .. } => self.done = Some(event.at),
            What::Reopened { .. } => *self = Passed { sent: self.sent, ..Passed::default() },
            What::Registered { .. }
            | What::Paused { .. }
            | What::Resumed { .. }
            | What::Confirmed { .. }
            | What::ControlCalled { .. }
            | What::Closed
            | What::Noted
            | What::Attached { .. }
            | What::ResidentNamed
            | What::Corrected { .. }
            | What::Linked { .. }
            | What::Unlinked { .. }
            | What::Escalated { .. }
            | What::Erased { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::event::{Author, Promise};

    fn at(ms: u64, what: What) -> Event {
        Event { at: Time(ms), by: Author::Resident, what }
    }

    #[test]
    fn a_reopened_case_begins_anew_where_it_lies() {
        let promise = Promise { terms: 1, reaction_due: Time(100), resolution_due: Time(200) };
        let way = [
            at(2, What::Forwarded { organisation: "heat".into(), promise }),
            at(3, What::Accepted),
            at(4, What::Started),
            at(5, What::Done { photos: Vec::new() }),
        ];
        let passed = Passed::of(&way);
        assert_eq!(passed, Passed { sent: Some(Time(2)), begun: Some(Time(3)), done: Some(Time(5)) });
        let again = Passed::of(way.iter().chain([&at(6, What::Reopened { promise })]));
        assert_eq!(again, Passed { sent: Some(Time(2)), begun: None, done: None });
        assert_eq!(Passed::of(way.iter().chain([&at(6, What::Returned)])), Passed::default());
    }
}
