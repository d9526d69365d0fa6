//! What have supervisors ordered that holds now? Modes of queues, what operators do today, the evacuation: folded from facts for screens.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

use crate::centre::fact::Fact;
use crate::centre::ids::{AgentId, QueueId, SkillId};
use crate::centre::steer::Order;
use crate::centre::surge::Mode;
use crate::centre::time::Time;

/// Refused orders that are kept; the oldest goes first.
const REFUSED_KEPT: usize = 20;

/// What holds now. Its memory is bounded by the queues and the operators.
#[derive(Clone, Debug, Default)]
pub struct Steering {
    evacuation: Option<EvacuationView>,
    modes: BTreeMap<QueueId, ModeView>,
    able: BTreeMap<AgentId, AbleView>,
    refused: VecDeque<RefusedView>,
    /// The author of the order that the next facts follow from.
    author: (String, String),
}

/// What holds now, as screens draw it. Times in milliseconds since the epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = Steering)]
pub struct SteeringView {
    /// The evacuation, while it holds.
    pub evacuation: Option<EvacuationView>,
    /// The queues that are not simply open, by name.
    pub modes: Vec<ModeView>,
    /// Operators who do something else today than the settings say, by name. For supervisors alone: others are shown none.
    pub able: Vec<AbleView>,
    /// The last states that were ordered and could not be, the newest first, twenty at most. For supervisors alone.
    pub refused: Vec<RefusedView>,
}

/// A state that was ordered and could not be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = OrderRefused)]
pub struct RefusedView {
    /// Whose.
    pub operator: AgentId,
    /// `no_phone`, `no_sound` or `evacuated`.
    #[schema(value_type = String)]
    pub why: &'static str,
    /// Who ordered it.
    pub by: String,
    /// When.
    pub at_ms: u64,
}

/// The centre is evacuated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = Evacuation)]
pub struct EvacuationView {
    /// Who ordered it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub since_ms: u64,
}

/// A queue that is not simply open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = ModeInForce)]
pub struct ModeView {
    /// Its name.
    pub queue: QueueId,
    /// How it is.
    pub mode: Mode,
    /// Who ordered it; `null`: the queue's own rule.
    pub by: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Since when.
    pub since_ms: u64,
    /// Until when; `null`: until another order, or until it is calm.
    pub until_ms: Option<u64>,
}

/// What an operator does today in place of what the settings say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = AbleToday)]
pub struct AbleView {
    /// The name.
    pub operator: AgentId,
    /// Levels of skills, 0 for "not today".
    #[schema(value_type = BTreeMap<String, u8>)]
    pub levels: BTreeMap<SkillId, u8>,
    /// Whether they get the calls of queues.
    #[schema(value_type = BTreeMap<String, bool>)]
    pub queues: BTreeMap<QueueId, bool>,
    /// Who ordered it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub since_ms: u64,
    /// Until when.
    pub until_ms: Option<u64>,
}

impl Steering {
    /// Takes one fact in; one of something else changes nothing.
    pub fn apply(&mut self, at: Time, fact: &Fact) {
        match fact {
            Fact::Steered { order, by, reason, refused, .. } => {
                self.author = (by.clone(), reason.clone());
                if let (Order::State { operator, .. }, Some(why)) = (order, refused) {
                    self.refused.truncate(REFUSED_KEPT - 1);
                    self.refused.push_front(RefusedView { operator: operator.clone(), why: why.word(), by: by.clone(), at_ms: at.0 });
                }
            }
            Fact::QueueModeChanged { queue, mode: Mode::Open, .. } => drop(self.modes.remove(queue)),
            Fact::QueueModeChanged { queue, mode, until_ms, by, reason } => {
                let (by, reason) = (by.clone(), reason.clone());
                let view = ModeView { queue: queue.clone(), mode: *mode, by, reason, since_ms: at.0, until_ms: *until_ms };
                self.modes.insert(queue.clone(), view);
            }
            Fact::AbleToday { agent, levels, queues, .. } if levels.is_empty() && queues.is_empty() => drop(self.able.remove(agent)),
            Fact::AbleToday { agent, levels, queues, until_ms } => {
                let (by, reason) = self.author.clone();
                let (levels, queues, since_ms, until_ms) = (levels.clone(), queues.clone(), at.0, *until_ms);
                self.able.insert(agent.clone(), AbleView { operator: agent.clone(), levels, queues, by, reason, since_ms, until_ms });
            }
            Fact::EvacuationChanged { on, by, reason } => {
                let (by, reason) = (by.clone(), reason.clone());
                self.evacuation = on.then_some(EvacuationView { by, reason, since_ms: at.0 });
            }
            _ => {}
        }
    }

    /// The levels of skills that somebody has today by order, in place of what the settings say.
    pub fn levels(&self, agent: &AgentId) -> Option<&BTreeMap<SkillId, u8>> {
        self.able.get(agent).map(|today| &today.levels).filter(|levels| !levels.is_empty())
    }

    /// What somebody does today by order: levels of skills, and whether they get the calls of a queue where it says so.
    pub fn today(&self, agent: &AgentId, queue: &QueueId) -> (&BTreeMap<SkillId, u8>, Option<bool>) {
        static NOTHING: BTreeMap<SkillId, u8> = BTreeMap::new();
        self.able.get(agent).map_or((&NOTHING, None), |today| (&today.levels, today.queues.get(queue).copied()))
    }

    /// What holds now.
    pub fn view(&self) -> SteeringView {
        SteeringView {
            evacuation: self.evacuation.clone(),
            modes: self.modes.values().cloned().collect(),
            able: self.able.values().cloned().collect(),
            refused: self.refused.iter().cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ordered_stands_there_until_it_is_taken_back() {
        let mut steering = Steering::default();
        let mode = |mode, by: Option<&str>| Fact::QueueModeChanged {
            queue: "roads".into(),
            mode,
            until_ms: None,
            by: by.map(str::to_owned),
            reason: by.map(|_| "storm".to_owned()),
        };
        steering.apply(Time(5), &mode(Mode::Surge, None));
        steering.apply(Time(7), &mode(Mode::Closed, Some("boss")));
        let view = steering.view().modes;
        assert_eq!((view.len(), view[0].mode, view[0].since_ms, view[0].by.as_deref()), (1, Mode::Closed, 7, Some("boss")));
        steering.apply(Time(8), &mode(Mode::Open, Some("boss")));
        steering.apply(Time(9), &Fact::EvacuationChanged { on: true, by: "boss".into(), reason: "smoke".into() });
        assert_eq!((steering.view().modes.len(), steering.view().evacuation.map(|now| now.since_ms)), (0, Some(9)));
        steering.apply(Time(10), &Fact::EvacuationChanged { on: false, by: "boss".into(), reason: "aired".into() });
        assert_eq!(steering.view(), SteeringView::default());
    }
}
