//! Why did a caller come to an operator? The rule that chose, and what was found of everybody else.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ids::{AgentId, ShiftId, SkillId};
use super::surge::Mode;

/// Why a caller came to an operator, or goes on waiting: the rule that chooses, and what was found of every operator.
///
/// What is not said is as it is without rings, levels and credits, so that explanations of before read the same.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Explanation {
    /// The rule that chose among the eligible.
    pub rule: Rule,
    /// What the caller needed, sorted.
    pub needed: Vec<SkillId>,
    /// The least level of those of them for which more than "can at all" was needed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = BTreeMap<String, u8>, required = false)]
    pub minimum: BTreeMap<SkillId, u8>,
    /// The ring of the queue that the wait had reached, counted from 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schema(required = false)]
    pub ring: u32,
    /// By how much longer than they did the caller counted as waiting, in milliseconds; less where it is negative.
    #[serde(default, skip_serializing_if = "is_even")]
    #[schema(required = false)]
    pub credit_ms: i64,
    /// Whose turn was the last, where operators take turns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn_after: Option<AgentId>,
    /// Of somebody who is to be called back: how often they were called, and why they are not called now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub callback: Option<CallingBack>,
    /// The queue's mode, where it is not open.
    #[serde(default, skip_serializing_if = "is_open")]
    #[schema(required = false)]
    pub mode: Mode,
    /// Those for whom a supervisor's order for today counts beside the settings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub able_today: Vec<AgentId>,
    /// Every operator who is signed in, in order of name.
    pub verdicts: Vec<(AgentId, Verdict)>,
}

/// Somebody who is to be called back.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CallingBack {
    /// How often they were called.
    pub tries: u8,
    /// Why they are not called whoever is free; `None` while they may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub held: Option<Held>,
}

/// Why somebody is not called back now.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub enum Held {
    /// They were not reached, and are called again then, in milliseconds since the epoch.
    Again { until_ms: u64 },
    /// Nobody is called at this hour; until then, where that is known.
    Hours { until_ms: Option<u64> },
    /// The server is about to end.
    Draining {},
}

/// How one of several eligible operators is chosen. Whoever is equal by it has been ready for longer, or comes first by name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub enum Rule {
    /// The one who has been ready for the longest time; at equal times the first by name.
    #[default]
    LongestIdle,
    /// A colleague asked for this operator by name.
    AskedFor,
    /// The one whose levels of what is needed add up to most.
    MostSkilled,
    /// The one who has answered the fewest calls since they signed in.
    FewestCalls,
    /// The next by name after the one who was offered the queue's last call.
    RoundRobin,
    /// The one with whom this caller talked last.
    LastOperator,
}

/// What was found of one operator.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub enum Verdict {
    /// Was chosen; ready for `idle_ms`.
    Chosen {
        idle_ms: u64,
        #[serde(default, skip_serializing_if = "Merits::is_plain")]
        #[schema(inline, required = false)]
        merits: Merits,
    },
    /// Could have taken the call, but the rule chose another.
    Eligible {
        idle_ms: u64,
        #[serde(default, skip_serializing_if = "Merits::is_plain")]
        #[schema(inline, required = false)]
        merits: Merits,
    },
    /// Is ready, but cannot do these.
    Lacks { skills: Vec<SkillId> },
    /// Is ready, but does these less well than the caller's ring asks for; with the levels that they have.
    BelowLevel {
        #[schema(value_type = BTreeMap<String, u8>)]
        levels: BTreeMap<SkillId, u8>,
    },
    /// Is ready, but not on shift.
    OffShift {},
    /// Is ready, but on these shifts, which do not serve this queue. (Explanations of before do not name them.)
    NotInQueue {
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[schema(value_type = Vec<String>, required = false)]
        shifts: Vec<ShiftId>,
    },
    /// Is ready, but gets none of this queue's calls today, by order of a supervisor.
    ByOrder {},
    /// Was not ready, by the name of the state.
    NotReady { state: String },
}

/// What a rule weighs beside the time for which somebody has been ready.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Merits {
    /// Their levels of what is needed, where it is not the best.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = BTreeMap<String, u8>, required = false)]
    pub levels: BTreeMap<SkillId, u8>,
    /// Calls answered since they signed in, where the rule counts them.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schema(required = false)]
    pub calls: u32,
}

impl Merits {
    /// Nothing is to be said.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

impl Rule {
    /// The rule in words, for the command line.
    pub fn in_words(self) -> &'static str {
        match self {
            Rule::LongestIdle => "longest idle",
            Rule::AskedFor => "asked for by name",
            Rule::MostSkilled => "most skilled",
            Rule::FewestCalls => "fewest calls",
            Rule::RoundRobin => "in turn",
            Rule::LastOperator => "talked with this caller last",
        }
    }
}

/// What held for a caller from a moment on: of an offer, or of a wait that goes on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, utoipa::ToSchema)]
pub struct Moment {
    /// Since when, in milliseconds since the epoch.
    pub at_ms: u64,
    /// Who was offered the call; `None` while nobody could take it.
    pub offered_to: Option<AgentId>,
    /// What was found of every operator.
    pub why: Explanation,
    /// Changes since the moment before that are not told, where there were too many; never an offer.
    pub left_out: u64,
}

impl Moment {
    /// The moment in words, a line for itself and one for each operator: the same for the command line and the call's page.
    pub fn in_words(&self) -> Vec<String> {
        let mut head = match &self.offered_to {
            Some(agent) => format!("offered to {agent} {}", self.why.in_words()),
            None => format!("waits for somebody {}", self.why.in_words()),
        };
        if self.left_out > 0 {
            head += &format!(" ({} changes before this are left out)", self.left_out);
        }
        let verdicts = self.why.verdicts.iter().map(|(agent, verdict)| format!("{agent} {}", verdict.in_words()));
        std::iter::once(head).chain(verdicts).collect()
    }
}

impl Verdict {
    /// The verdict in words, for the command line and the call's page.
    pub fn in_words(&self) -> String {
        match self {
            Verdict::Chosen { idle_ms, merits } => format!("is chosen, idle for {} s{}", idle_ms / 1000, merits.in_words()),
            Verdict::Eligible { idle_ms, merits } => format!("can take it, idle for {} s{}", idle_ms / 1000, merits.in_words()),
            Verdict::Lacks { skills } => format!("lacks {}", named(skills)),
            Verdict::BelowLevel { levels } => format!("is not good enough yet: {}", leveled(levels)),
            Verdict::OffShift {} => "is not on shift".to_owned(),
            Verdict::NotInQueue { shifts } if shifts.is_empty() => "is on a shift that does not serve this queue".to_owned(),
            Verdict::NotInQueue { shifts } => format!("is on {}, which does not serve this queue", named(shifts)),
            Verdict::ByOrder {} => "gets none of this queue's calls today, by a supervisor's order".to_owned(),
            Verdict::NotReady { state } => format!("is {state}"),
        }
    }
}

impl Explanation {
    /// What was needed and by which rule somebody is chosen, in words.
    pub fn in_words(&self) -> String {
        let level = |skill: &SkillId| self.minimum.get(skill).map_or(String::new(), |least| format!(" at {least} or better"));
        let needed: Vec<String> = self.needed.iter().map(|skill| format!("{skill}{}", level(skill))).collect();
        let mut words =
            format!("by {}, needs {}", self.rule.in_words(), if needed.is_empty() { "nothing".to_owned() } else { needed.join(", ") });
        if self.ring > 0 {
            words += &format!(", ring {}", self.ring);
        }
        if self.credit_ms != 0 {
            words += &format!(
                ", counts as waiting {} s {}",
                self.credit_ms.unsigned_abs() / 1000,
                if self.credit_ms > 0 { "longer" } else { "less" }
            );
        }
        if let Some(before) = &self.turn_after {
            words += &format!(", after {before}");
        }
        if self.mode != Mode::Open {
            words += &format!(", the queue is in the mode \"{}\"", self.mode.word());
        }
        if !self.able_today.is_empty() {
            words += &format!(", by supervisors' orders for {} today", named(&self.able_today));
        }
        if let Some(callback) = &self.callback {
            words += &callback.in_words();
        }
        words
    }
}

impl CallingBack {
    fn in_words(&self) -> String {
        let tried = format!(", to be called back, tried {} times", self.tries);
        match &self.held {
            None => tried,
            Some(Held::Again { .. }) => format!("{tried}, not again yet"),
            Some(Held::Hours { .. }) => format!("{tried}, nobody is called at this hour"),
            Some(Held::Draining {}) => format!("{tried}, the server is about to end"),
        }
    }
}

impl Merits {
    fn in_words(&self) -> String {
        let levels = if self.levels.is_empty() { String::new() } else { format!(", {}", leveled(&self.levels)) };
        if self.calls > 0 { format!("{levels}, {} calls answered", self.calls) } else { levels }
    }
}

fn named<T: ToString>(names: &[T]) -> String {
    names.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}

fn leveled(levels: &BTreeMap<SkillId, u8>) -> String {
    levels.iter().map(|(skill, level)| format!("{skill} {level}")).collect::<Vec<_>>().join(", ")
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

fn is_open(mode: &Mode) -> bool {
    *mode == Mode::Open
}

fn is_even(ms: &i64) -> bool {
    *ms == 0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_explanation_without_levels_reads_and_writes_as_before() {
        let text = r#"{"rule":"LongestIdle","needed":["ru"],"verdicts":[["aigul",{"Chosen":{"idle_ms":7}}],["bolat",{"Lacks":{"skills":["ru"]}}]]}"#;
        let read: Explanation = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
    }
}
