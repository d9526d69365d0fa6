//! How are calls, legs, operators, queues and sounds named? By small ids that carry no personal data.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Names that people give in settings and dialplans ("heating", "aigul"): cheap to clone, ordered, serialised as text.
macro_rules! names {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = String)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }
    )+};
}

pub(crate) use names;

names! {
    /// An operator (agent in the field's terms), by the name of their account.
    AgentId,
    /// A queue, by its name in the settings.
    QueueId,
    /// Something an operator can do and a caller may need; a language is a skill by its code ("kk").
    SkillId,
    /// A short number that the city publishes, as dialled ("109").
    NumberId,
    /// A trunk, by its name in the settings.
    TrunkId,
    /// A step of a dialplan.
    StepId,
    /// A spoken text or a sound by its id in the prompts' manifest ("welcome-109").
    PromptId,
    /// A calendar of opening hours.
    CalendarId,
    /// What callers are told before they wait: an incident or works, by its number in the register.
    NoticeId,
    /// A shift of the table ("night").
    ShiftId,
    /// Why an operator pauses ("lunch"), one of the reasons of the settings.
    PauseReason,
}

/// One call, from its first INVITE to its last BYE. Counted up by the shell that sees it arrive, across restarts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct CallId(pub u64);

/// One leg of a call: number 0 is the resident's, the others are counted up by the core as it dials.
///
/// All legs of a call share `call`, so a media thread chosen by it owns both sides of a talk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct LegId {
    /// The call that it belongs to.
    pub call: CallId,
    /// 0 for the resident, who called or is called; 1.. for the other legs that the core dialled.
    pub n: u16,
}

impl LegId {
    /// The resident's leg of a call.
    pub fn caller(call: CallId) -> Self {
        Self { call, n: 0 }
    }
}

/// Who calls, without saying who: a keyed hash of the normalised number, 0 when the number is withheld.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CallerRef(pub u64);

/// Whom a live call is taken to, or who is asked about it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum CallTo {
    /// Whoever of a queue is free.
    Queue(QueueId),
    /// An operator.
    Agent(AgentId),
    /// A service that a dialplan dials, by the name that it has there ("112").
    Service(String),
    /// A number outside, by its reference in the shells' number book: like a caller's it is personal data.
    Outside(CallerRef),
}

/// How a supervisor takes part in a talk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Supervision {
    /// Hears the talk; nobody hears the supervisor.
    Monitor,
    /// The operator alone hears the supervisor.
    Whisper,
    /// Everybody in the talk hears the supervisor.
    Barge,
}

/// A session description that `sip` and `media` resolve; the core never sees its text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SdpRef(pub u64);

/// One registered contact of an operator's phone, numbered by the registrar.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContactId(pub u64);

/// One order to play on one leg; an ending that names an older one is stale.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlayId(pub u32);

/// One recording of a call.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct RecordingId {
    /// The call that is recorded.
    pub call: CallId,
    /// 1.. within the call.
    pub n: u16,
}

impl RecordingId {
    /// Where its file lies below the recordings' folder, a thousand calls a folder: "000012/12345-1.wav".
    pub fn path(self) -> String {
        format!("{:06}/{}-{}.wav", self.call.0 / 1000, self.call.0, self.n)
    }
}

/// How often an operator's desk has connected: an older generation's messages are stale.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct Generation(pub u32);

/// A language that callers and operators speak; as a skill it goes by its code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Kazakh.
    Kk,
    /// Russian.
    Ru,
    /// Ukrainian.
    Uk,
    /// English.
    En,
}

impl Language {
    /// Every language, in the order in which screens list them.
    pub const ALL: [Language; 4] = [Language::Kk, Language::Ru, Language::Uk, Language::En];

    /// The ISO 639-1 code: "kk", "ru", "uk", "en".
    pub fn code(self) -> &'static str {
        match self {
            Language::Kk => "kk",
            Language::Ru => "ru",
            Language::Uk => "uk",
            Language::En => "en",
        }
    }

    /// The language of an ISO 639-1 code, if it is one of ours.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }

    /// The skill that an operator needs to speak it.
    pub fn skill(self) -> SkillId {
        SkillId::from(self.code())
    }
}

impl CallerRef {
    /// Of every caller whose number the line does not give.
    pub const WITHHELD: CallerRef = CallerRef(0);

    /// Whether nothing can be known of the caller, and nobody can call them back.
    pub fn is_withheld(self) -> bool {
        self == Self::WITHHELD
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "call {}", self.0)
    }
}

impl fmt::Display for LegId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "call {} leg {}", self.call.0, self.n)
    }
}

impl fmt::Debug for CallerRef {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "caller#{:016x}", self.0)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.code())
    }
}
