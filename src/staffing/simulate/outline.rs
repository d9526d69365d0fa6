//! Which settings does a scenario have? Queues, operators, and for each kind of caller a number whose plan is one step: the queue.

use std::collections::{BTreeMap, BTreeSet};

use crate::centre::dialplan::{Action, Plan, Step};
use crate::centre::ids::{AgentId, Language, NumberId, PauseReason, QueueId, ShiftId, StepId};
use crate::centre::schedule::Calendar;
use crate::centre::settings::{AgentSettings, Device, Limits, QueueSettings, Settings};
use crate::centre::shift::Shift;

use super::super::scenario::{Group, QueueLoad, Scenario};

/// Why simulated operators pause.
pub const BREAK: &str = "break";
/// Wrap-up ends when the operator says so; the queue's own end is far away, in milliseconds.
const WRAP_UP_MS: u64 = 3_600_000;
/// Callers in a queue, at most: none is sent away.
const MAX_WAITING: u32 = u32::MAX;

/// By which a kind of caller comes in: what menus ask has been answered.
pub struct Door {
    pub queue: QueueId,
    pub language: Language,
}

impl Door {
    pub fn number(&self) -> NumberId {
        NumberId::from(format!("{}-{}", self.queue, self.language))
    }

    fn plan(&self) -> Plan {
        let start = StepId::from("queue");
        let action = Action::Queue { queue: self.queue.clone(), overflow: None, subscribed: None, credit_ms: 0, callback: None };
        Plan {
            number: self.number(),
            title: self.queue.to_string(),
            languages: vec![self.language],
            start: start.clone(),
            keys: BTreeMap::new(),
            steps: BTreeMap::from([(start, Step { topic: None, action })]),
            closed: BTreeMap::new(),
            surge: BTreeMap::new(),
        }
    }
}

/// The operators of a group by name.
pub fn operators(name: &str, group: &Group) -> Vec<AgentId> {
    (1..=group.count).map(|n| AgentId::from(format!("{name}-{n}"))).collect()
}

/// The settings of the core.
pub fn settings(scenario: &Scenario) -> Settings {
    let doors = scenario.queues.iter().flat_map(|(queue, load)| doors(queue, load));
    let operators = scenario.operators.iter().flat_map(|(name, group)| {
        let known = agent(group);
        operators(name, group).into_iter().map(move |operator| (operator, known.clone()))
    });
    Settings {
        revision: 1,
        numbers: doors.map(|door| (door.number(), door.plan())).collect(),
        queues: scenario.queues.iter().map(|(name, load)| (name.clone(), queue(scenario, load))).collect(),
        agents: operators.collect(),
        shifts: scenario.operators.iter().map(|(name, group)| (ShiftId::from(name.as_str()), shift(name, group))).collect(),
        pause_reasons: BTreeSet::from([PauseReason::from(BREAK)]),
        limits: Limits { max_calls: u32::MAX, ..Limits::default() },
        ..Settings::default()
    }
}

fn doors(queue: &QueueId, load: &QueueLoad) -> Vec<Door> {
    let spoken: Vec<Language> = if load.languages.is_empty() { vec![Language::En] } else { load.languages.keys().copied().collect() };
    spoken.into_iter().map(|language| Door { queue: queue.clone(), language }).collect()
}

fn queue(scenario: &Scenario, load: &QueueLoad) -> QueueSettings {
    QueueSettings {
        skills: load.skills.clone(),
        language_required: !load.languages.is_empty(),
        announce_every_ms: u64::from(scenario.announce_every_s) * 1000,
        wrap_up_ms: if load.wrap_up.is_some() { WRAP_UP_MS } else { 0 },
        max_waiting: MAX_WAITING,
        max_wait_ms: 0,
        offer_ms: 3_600_000,
        record: false,
        ..QueueSettings::default()
    }
}

fn agent(group: &Group) -> AgentSettings {
    AgentSettings { skills: group.skills.clone(), device: Device::Phone { ready_when_registered: false, answer_at_desk: false } }
}

/// The table of shifts has each group's hours, so that the core knows who comes and who goes.
fn shift(name: &str, group: &Group) -> Shift {
    let hours = Calendar { week: std::array::from_fn(|_| group.present.spans()), ..Calendar::always() };
    Shift { hours, agents: operators(name, group).into_iter().collect(), ..Shift::default() }
}
