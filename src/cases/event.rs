//! What can happen to a case? Events that are only ever appended, without a word of personal data.
//!
//! What people said (a report, a reason, an answer) goes beside the event as its *words*, which the chain holds by a salted hash alone.

use serde::{Deserialize, Serialize};

use super::clocks::Which;
use super::ids::{DistrictId, IncidentId, OrganisationId, PauseRuleId, TopicId};
use super::terms::Priority;
use crate::centre::ids::CallId;
use crate::centre::time::Time;

/// Who did it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum Author {
    /// The resident, in the cabinet or by a bot; which one is the case's own matter.
    Resident,
    /// An operator, by the account's name.
    Operator { name: String },
    /// Somebody of an organisation, by the account's name.
    Organisation { organisation: OrganisationId, name: String },
    /// Quality control.
    Quality { name: String },
    /// A supervisor.
    Supervisor { name: String },
    /// An administrator.
    Administrator { name: String },
    /// The server itself: which of its parts.
    System { part: String },
}

/// What kind of report it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Something is wrong.
    Complaint,
    /// Somebody asks for something to be done.
    Request,
    /// Somebody has an idea.
    Proposal,
    /// Somebody wants to know what only an organisation can say.
    Question,
    /// Somebody is content.
    Thanks,
    /// Life, health or much property is in danger.
    Emergency,
}

/// By which way it came in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A call to the short number.
    Phone,
    /// The resident's cabinet on the site.
    Cabinet,
    /// A form of the site.
    Site,
    /// A chat bot.
    ChatBot,
    /// A messenger.
    Messenger,
    /// The app.
    App,
    /// An (online) reception of an official.
    Reception,
    /// A letter.
    Written,
}

/// One event.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Event {
    /// When.
    pub at: Time,
    /// Who did it.
    pub by: Author,
    /// What.
    pub what: What,
}

/// The two moments that are promised, and the terms that they follow.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Promise {
    /// The version of the table of terms.
    pub terms: u32,
    /// When somebody must have taken it on.
    pub reaction_due: Time,
    /// When it must be done.
    pub resolution_due: Time,
}

/// What happened. The fields are what cannot be computed again later, or must not.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// It was reported and has its number; the words are the report.
    Registered {
        /// What kind of report.
        kind: Kind,
        /// By which way.
        channel: Channel,
        /// What it is about.
        topic: TopicId,
        /// How pressing.
        priority: Priority,
        /// Where, as coarsely as the map of districts shows it.
        district: Option<DistrictId>,
        /// In which call.
        call: Option<CallId>,
        /// Who should execute, as the routing proposed it.
        proposed: Option<OrganisationId>,
        /// What the resident was promised.
        promise: Promise,
    },
    /// It lies with an organisation; the words say why with this one.
    Forwarded {
        /// With which.
        organisation: OrganisationId,
        /// The promise that holds from here on.
        promise: Promise,
    },
    /// The organisation takes it on.
    Accepted,
    /// The organisation says that it is not theirs; the words say why.
    Returned,
    /// Somebody works on it.
    Started,
    /// The resolution's clock stands still by a rule; the words say for what.
    Paused {
        /// Which rule.
        rule: PauseRuleId,
        /// When it goes on by itself.
        until: Time,
        /// The moment that is promised if nobody resumes before.
        resolution_due: Time,
    },
    /// The clock goes on before its time.
    Resumed {
        /// The moment that is promised.
        resolution_due: Time,
    },
    /// The executor has done it; the words are the evidence, beside the hashes of photos.
    Done {
        /// SHA-256 of each photo, in hexadecimal digits.
        photos: Vec<String>,
    },
    /// The resident says that it is done.
    Confirmed {
        /// In which call.
        call: Option<CallId>,
    },
    /// Somebody called the resident to ask whether it is done; the words say what was heard.
    ControlCalled {
        /// In which call.
        call: Option<CallId>,
        /// What came of it.
        outcome: ControlOutcome,
    },
    /// Control closed it, because the resident did not speak within the days that the rules name.
    Closed,
    /// It is not done after all; the words say what is wrong.
    Reopened {
        /// The promise anew.
        promise: Promise,
    },
    /// Something to know; the words are the note.
    Noted,
    /// A photo or a document was added.
    Attached {
        /// Its SHA-256, in hexadecimal digits.
        file: String,
        /// Its media type, by its content.
        media: String,
        /// Its size.
        bytes: u64,
    },
    /// Whose case it is was said, or said otherwise; the words name the resident's record. Erased with them.
    ResidentNamed,
    /// What was registered wrongly is put right; the words say why. `None` leaves a field as it is.
    Corrected {
        /// The kind.
        kind: Option<Kind>,
        /// The topic.
        topic: Option<TopicId>,
        /// The priority.
        priority: Option<Priority>,
        /// The district.
        district: Option<DistrictId>,
    },
    /// It has the same cause as others.
    Linked {
        /// Which incident.
        incident: IncidentId,
    },
    /// It has not.
    Unlinked {
        /// Which incident.
        incident: IncidentId,
    },
    /// A step of the escalation chain was taken.
    Escalated {
        /// For which clock.
        clock: Which,
        /// Which step, 1..
        step: u8,
        /// Who was told ("supervisor", or an organisation's head).
        to: String,
    },
    /// By law, words and personal data of these events are gone. Their salted hashes stay.
    Erased {
        /// The events, by their places in the chain.
        events: Vec<u64>,
    },
}

/// What came of a control call.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ControlOutcome {
    /// Nobody answered.
    NoAnswer,
    /// The resident will say later.
    Undecided,
}

impl Author {
    /// The role as a word, for screens and refusals.
    pub fn role(&self) -> &'static str {
        match self {
            Author::Resident => "resident",
            Author::Operator { .. } => "operator",
            Author::Organisation { .. } => "organisation",
            Author::Quality { .. } => "quality",
            Author::Supervisor { .. } => "supervisor",
            Author::Administrator { .. } => "administrator",
            Author::System { .. } => "system",
        }
    }
}

impl What {
    /// The event as a word, for lists and the chain; it is the tag of its JSON.
    pub fn word(&self) -> &'static str {
        match self {
            What::Registered { .. } => "registered",
            What::Forwarded { .. } => "forwarded",
            What::Accepted => "accepted",
            What::Returned => "returned",
            What::Started => "started",
            What::Paused { .. } => "paused",
            What::Resumed { .. } => "resumed",
            What::Done { .. } => "done",
            What::Confirmed { .. } => "confirmed",
            What::ControlCalled { .. } => "control_called",
            What::Closed => "closed",
            What::Reopened { .. } => "reopened",
            What::Noted => "noted",
            What::Attached { .. } => "attached",
            What::ResidentNamed => "resident_named",
            What::Corrected { .. } => "corrected",
            What::Linked { .. } => "linked",
            What::Unlinked { .. } => "unlinked",
            What::Escalated { .. } => "escalated",
            What::Erased { .. } => "erased",
        }
    }
}
