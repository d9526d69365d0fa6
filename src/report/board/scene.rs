//! What stands on the board before anything happens? Queues with what is wanted of them, people with what they can do, shifts.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::centre::ids::{AgentId, QueueId, ShiftId, SkillId};
use crate::report::alerts::Rule;
use crate::report::waits::ServiceLevel;

/// What the settings say of a board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scene {
    /// Over how many whole minutes figures are made.
    pub window_minutes: u64,
    /// Which service level is told.
    pub measure: ServiceLevel,
    /// The queues.
    pub queues: BTreeMap<QueueId, QueueScene>,
    /// The operators, with the levels of what they can do.
    pub people: BTreeMap<AgentId, BTreeMap<SkillId, u8>>,
    /// Which queues each shift serves; nothing: all.
    pub shifts: BTreeMap<ShiftId, BTreeSet<QueueId>>,
    /// Of what supervisors are alerted.
    pub alerts: BTreeSet<Rule>,
}

/// A queue of the settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueScene {
    /// What its operators must be able to do, besides speaking the caller's language.
    pub skills: BTreeSet<SkillId>,
    /// What is wanted of it.
    pub targets: Targets,
}

/// What is wanted of a queue: what is worse than this is told by an icon and a word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Targets {
    /// An answer within this is in target, in milliseconds (T of the definitions).
    pub answer_ms: u64,
    /// Who hangs up before this counts as a short wait, in milliseconds (B_s of the definitions).
    pub short_ms: u64,
    /// The share of answers in target, in percent.
    pub level_percent: u8,
    /// The longest wait that is well, in milliseconds.
    pub longest_ms: u64,
    /// So many may wait at once; 0 for any number.
    pub waiting: u32,
    /// The share of callers who may hang up, in percent.
    pub abandoned_percent: u8,
}

impl Default for Scene {
    fn default() -> Self {
        Self {
            window_minutes: 30,
            measure: ServiceLevel::default(),
            queues: BTreeMap::new(),
            people: BTreeMap::new(),
            shifts: BTreeMap::new(),
            alerts: BTreeSet::new(),
        }
    }
}

impl Default for Targets {
    fn default() -> Self {
        Self { answer_ms: 20_000, short_ms: 5_000, level_percent: 80, longest_ms: 20_000, waiting: 0, abandoned_percent: 10 }
    }
}

impl Scene {
    /// What is wanted of a queue; the usual where the settings do not know it.
    pub fn targets(&self, queue: &QueueId) -> Targets {
        self.queues.get(queue).map(|known| known.targets.clone()).unwrap_or_default()
    }

    /// Whether somebody who is on these shifts takes callers of a queue: none for who serves all that they can. What is ordered for today,
    /// levels and whether they get its calls, counts before the settings and the shifts.
    pub fn serves(
        &self,
        agent: &AgentId,
        shifts: &[ShiftId],
        queue: &QueueId,
        today: &BTreeMap<SkillId, u8>,
        member: Option<bool>,
    ) -> bool {
        let Some((can, wanted)) = self.people.get(agent).zip(self.queues.get(queue)) else { return false };
        let on = |shift: &ShiftId| self.shifts.get(shift).is_some_and(|queues| queues.is_empty() || queues.contains(queue));
        let is_able = |skill: &SkillId| today.get(skill).or_else(|| can.get(skill)).is_some_and(|level| *level > 0);
        wanted.skills.iter().all(is_able) && member.unwrap_or_else(|| shifts.is_empty() || shifts.iter().any(on))
    }
}
