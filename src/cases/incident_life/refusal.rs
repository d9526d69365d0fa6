//! Why can something not be done to an incident, and what can whoever was refused do?

use super::{LONGEST_NOTICE, MOST_DISTRICTS, MOST_PARTED};
use crate::cases::ids::{CaseNumber, DistrictId, OrganisationId, TopicId};
use crate::centre::ids::Language;
use crate::centre::time::Time;

/// Why it cannot be done. Every text says what stands in the way; [`Refusal::mend`] what to do.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// It is elsewhere on its way.
    #[error("an incident that is {state} cannot be {event}")]
    State { state: &'static str, event: &'static str },
    /// The author may not.
    #[error("the role {role} may not do this to this incident")]
    Role { role: &'static str },
    /// A cause or a reason is missing.
    #[error("{0} is missing")]
    Words(&'static str),
    /// Callers of a language would hear nothing.
    #[error("the notice has no text in {0}")]
    NoText(Language),
    /// Nobody listens to that.
    #[error("the notice in {language} has {length} characters of {LONGEST_NOTICE}")]
    LongText { language: Language, length: usize },
    /// It would end before it begins, or lies in the past.
    #[error("the moment {0} does not lie ahead")]
    Moment(Time),
    /// Too many.
    #[error("{0} districts are named, {MOST_DISTRICTS} may be")]
    Districts(usize),
    /// None, or too many.
    #[error("{0} cases are named, 1 to {MOST_PARTED} may be")]
    Cases(usize),
    /// It does not belong to it.
    #[error("the case {0} does not belong to this incident")]
    NoMember(CaseNumber),
    /// There is no such topic.
    #[error("the topic {0} is not known")]
    Topic(TopicId),
    /// There is no such district.
    #[error("the district {0} is not known")]
    District(DistrictId),
    /// There is no such organisation.
    #[error("the organisation {0} is not known")]
    Organisation(OrganisationId),
    /// A photo is named by something that is no hash.
    #[error("{0:?} is no SHA-256 of a photo")]
    Photo(String),
    /// It has no such file.
    #[error("it has no file {0:?}")]
    NoFile(String),
    /// It has too many.
    #[error("it has {0} files already")]
    Files(i64),
}

impl Refusal {
    /// What whoever was refused can do.
    pub fn mend(&self) -> &'static str {
        match self {
            Refusal::State { .. } => "Read its history: somebody may have been faster.",
            Refusal::Role { .. } => "Ask a supervisor, or its owner.",
            Refusal::Words(_) => "Write it, so that residents can read it.",
            Refusal::NoText(_) => "Write it in Kazakh, Russian, Ukrainian and English.",
            Refusal::LongText { .. } => "Shorten it: callers must listen to it.",
            Refusal::Moment(_) => "Name a later moment.",
            Refusal::Districts(_) => "Name none for the whole city.",
            Refusal::Cases(_) | Refusal::NoMember(_) => "Name some of those that are listed with it, each once.",
            Refusal::Topic(_) | Refusal::District(_) | Refusal::Organisation(_) => "Choose one of the register's.",
            Refusal::Photo(_) => "Send the hash as 64 hexadecimal digits.",
            Refusal::NoFile(_) => "Add the file first, then name it by its SHA-256.",
            Refusal::Files(_) => "Keep the most telling ones.",
        }
    }
}
