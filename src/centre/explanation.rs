//! Why did a caller come to an operator? The rule that chose, and what was found of everybody else.

use serde::{Deserialize, Serialize};

use super::ids::{AgentId, SkillId};

/// Why a caller came to an operator: the rule that chose, and what was found of every operator.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Explanation {
    /// The rule that chose among the eligible.
    pub rule: Rule,
    /// What the caller needed, sorted.
    pub needed: Vec<SkillId>,
    /// Every operator who is signed in, in order of name.
    pub verdicts: Vec<(AgentId, Verdict)>,
}

/// How one of several eligible operators is chosen.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub enum Rule {
    /// The one who has been ready for the longest time; at equal times the first by name.
    LongestIdle,
    /// A colleague asked for this operator by name.
    AskedFor,
}

/// What was found of one operator.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub enum Verdict {
    /// Was chosen; ready for `idle_ms`.
    Chosen { idle_ms: u64 },
    /// Could have taken the call, but was ready for a shorter time.
    Eligible { idle_ms: u64 },
    /// Is ready, but cannot do these.
    Lacks { skills: Vec<SkillId> },
    /// Was not ready, by the name of the state.
    NotReady { state: String },
}
