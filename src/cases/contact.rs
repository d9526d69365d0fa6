//! What came of somebody's turning to the city? One word a contact; cases are counted apart.

use serde::{Deserialize, Serialize};

/// What came of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// A case was written.
    Case,
    /// It was answered at once, from an article or from memory.
    Consultation,
    /// Somebody asked how their case stands.
    CaseAsked,
    /// It was given to another service.
    HandedOn,
    /// It was for somebody else.
    WrongNumber,
    /// Nobody spoke.
    Silent,
    /// None of these.
    Other,
}

impl Disposition {
    /// The word, in the database and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Disposition::Case => "case",
            Disposition::Consultation => "consultation",
            Disposition::CaseAsked => "case_asked",
            Disposition::HandedOn => "handed_on",
            Disposition::WrongNumber => "wrong_number",
            Disposition::Silent => "silent",
            Disposition::Other => "other",
        }
    }
}
