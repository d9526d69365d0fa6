//! What is kept of cases? Their history in the chain, where each stands, and what the city has decided about them.

mod act;
mod around;
mod book;
mod chain;
mod erase;
mod escalate;
mod evidence;
mod history;
mod incident_list;
mod incidents;
mod keys;
mod link;
mod lists;
mod residents;
mod rules;
mod seals;
mod verify;

#[cfg(test)]
mod incident_tests;
#[cfg(test)]
mod tests;

use crate::cases::decide::Refusal;
use crate::cases::ids::CaseNumber;
use crate::cases::incident_life;

use super::StoreError;

pub use act::{Address, CaseRow, NewCase, ReportWords, ResidentWords};
pub(super) use act::{COLUMNS, IMPORT, change_in, open_in, place};
pub use around::{Duplicate, NearIncident, Spot};
pub use book::{District, Names, Register, RuleBook, Topic};
pub use evidence::{Attachment, LONGEST_EVIDENCE, media};
pub use history::{CaseDetail, HistoryEntry};
pub use incident_list::{IncidentDetail, IncidentEntry, IncidentFilter, IncidentRow, NoticeInForce};
pub use lists::{ControlWork, LateDesk};
pub use residents::{NewResident, Resident, ResidentSketch};
pub(super) use rules::{Kept, write_organisation, write_route};
pub use rules::{KeptOrganisation, Organisation, Route, revision_of};
pub use verify::{Verified, VerifyError};

/// Why the register does not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// The rules do not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It may not be done to an incident.
    #[error(transparent)]
    Incident(#[from] incident_life::Refusal),
    /// There is no such incident.
    #[error("there is no incident {0}")]
    NoIncident(i64),
    /// There is no such resident.
    #[error("there is no resident {0}")]
    NoResident(i64),
    /// There is no such case.
    #[error("there is no case {0}")]
    Missing(CaseNumber),
    /// The rules cannot be read: each line a problem with its mend.
    #[error("the register's rules cannot be used: {}", .0.join("; "))]
    Rules(Vec<String>),
    /// Somebody has changed them meanwhile.
    #[error("it has revision {now} meanwhile, not {given}")]
    Revision { now: String, given: String },
    /// An event cannot be written.
    #[error("the event cannot be written: {0}")]
    Unwritable(String),
    /// The database refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RegisterError {
    /// A value of the database that no release has written.
    fn damaged(what: &'static str) -> Self {
        RegisterError::Store(StoreError::Value { what, value: "•••".to_owned() })
    }
}

impl From<sqlx::Error> for RegisterError {
    fn from(error: sqlx::Error) -> Self {
        RegisterError::Store(error.into())
    }
}
