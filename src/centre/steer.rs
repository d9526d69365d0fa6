//! What have supervisors ordered for now? States, what somebody can do today, modes of queues, evacuation: each with author and reason.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Centre;
use super::agent::State;
use super::deadline::Reason;
use super::evacuation::Evacuated;
use super::fact::Fact;
use super::ids::{AgentId, PauseReason, QueueId, SkillId};
use super::input::FromDesk;
use super::output::{Refusal, ToDesk};
use super::shift::Wanted;
use super::surge::{Mode, Ordered, Standing};
use super::time::Time;

/// An order of a supervisor about what holds now.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schema(as = SteerOrder)]
pub enum Order {
    /// An operator's state, at once or after the talk.
    State {
        operator: AgentId,
        to: StateWanted,
        /// Why they pause, with `pause` alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pause: Option<PauseReason>,
    },
    /// What an operator does today, in place of what the settings say; both empty: as the settings say.
    Able {
        operator: AgentId,
        /// Levels from 0 (not today) to 10.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        #[schema(value_type = BTreeMap<String, u8>, required = false)]
        levels: BTreeMap<SkillId, u8>,
        /// Whether they get calls of a queue, whatever their shift serves. What the callers need they must be able to do all the same.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        #[schema(value_type = BTreeMap<String, bool>, required = false)]
        queues: BTreeMap<QueueId, bool>,
    },
    /// A queue's mode.
    Mode { queue: QueueId, mode: Mode },
    /// All leave the building, or come back.
    Evacuation { on: bool },
}

/// The state that an operator is to be in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StateWanted {
    /// Takes calls.
    Ready,
    /// Takes none.
    Pause,
    /// Signed out.
    SignedOut,
}

/// An order with its author. The words name no resident.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Steered {
    /// What.
    pub order: Order,
    /// Until when, in milliseconds since the epoch, for what lasts.
    pub until_ms: Option<u64>,
    /// Who orders it.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// What somebody does today.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Able {
    pub levels: BTreeMap<SkillId, u8>,
    pub queues: BTreeMap<QueueId, bool>,
    pub until: Time,
    pub since: Time,
    /// Who ordered it, and why.
    #[serde(default)]
    pub by: String,
    #[serde(default)]
    pub reason: String,
}

/// The orders in force.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Steering {
    pub able: BTreeMap<AgentId, Able>,
    pub queues: BTreeMap<QueueId, Standing>,
    pub evacuation: Option<Evacuated>,
}

impl Order {
    /// The order's kind, as a word for the database.
    pub fn kind(&self) -> &'static str {
        match self {
            Order::State { .. } => "state",
            Order::Able { .. } => "able",
            Order::Mode { .. } => "mode",
            Order::Evacuation { .. } => "evacuation",
        }
    }

    /// Whom or what it is about; nothing: the whole centre.
    pub fn target(&self) -> &str {
        match self {
            Order::State { operator, .. } | Order::Able { operator, .. } => operator.as_str(),
            Order::Mode { queue, .. } => queue.as_str(),
            Order::Evacuation { .. } => "",
        }
    }
}

impl Centre {
    /// A supervisor steers: it holds in this step. What names somebody or something that is not there is void.
    pub(super) fn steered(&mut self, steered: Steered) {
        let Steered { order, until_ms, by, reason } = steered;
        if !self.names_stand(&order) {
            return;
        }
        let until_ms = match &order {
            Order::Able { operator, .. } => Some(until_ms.unwrap_or_else(|| self.end_of_order(operator, &Wanted::Home {}).0)),
            Order::Mode { .. } => until_ms,
            Order::State { .. } | Order::Evacuation { .. } => None,
        };
        let refused = match &order {
            Order::State { operator, to: StateWanted::Ready, .. } => self.why_not_ready(operator),
            Order::State { .. } | Order::Able { .. } | Order::Mode { .. } | Order::Evacuation { .. } => None,
        };
        self.out.fact(Fact::Steered { order: order.clone(), until_ms, by: by.clone(), reason: reason.clone(), refused });
        match &order {
            Order::State { operator, to, pause } => {
                self.show_order(operator, &order, &by, &reason);
                self.force(operator, *to, pause.as_ref());
            }
            Order::Able { operator, levels, queues } => {
                self.show_order(operator, &order, &by, &reason);
                let (since, until) = (self.now, Time(until_ms.unwrap_or_default()));
                self.order_able(operator, Able { levels: levels.clone(), queues: queues.clone(), until, since, by, reason });
            }
            Order::Mode { queue, mode } => {
                self.order_mode(queue, Ordered { mode: *mode, until: until_ms.map(Time), by, reason });
            }
            Order::Evacuation { on } => {
                let everybody: Vec<AgentId> = self.agents.keys().cloned().collect();
                everybody.iter().for_each(|agent| self.show_order(agent, &order, &by, &reason));
                if *on { self.evacuate(by, reason) } else { self.end_evacuation(by, reason) }
            }
        }
        self.match_orders();
    }

    fn names_stand(&self, order: &Order) -> bool {
        match order {
            Order::State { operator, to, pause } => {
                let reasoned = match to {
                    StateWanted::Pause => pause.as_ref().is_some_and(|reason| self.settings.pause_reasons.contains(reason)),
                    StateWanted::Ready | StateWanted::SignedOut => true,
                };
                self.settings.agents.contains_key(operator) && reasoned
            }
            Order::Able { operator, .. } => self.settings.agents.contains_key(operator),
            Order::Mode { queue, .. } => self.settings.queues.contains_key(queue),
            Order::Evacuation { .. } => true,
        }
    }

    fn show_order(&mut self, agent: &AgentId, order: &Order, by: &str, reason: &str) {
        let (by, reason) = (by.to_owned(), reason.to_owned());
        self.out.desk(ToDesk::Ordered { agent: agent.clone(), order: order.clone(), by, reason });
    }

    /// A desk that opens while the centre is evacuated is shown so.
    pub(super) fn show_evacuation(&mut self, agent: &AgentId) {
        if let Some(Evacuated { by, reason, .. }) = self.steering.evacuation.clone() {
            self.show_order(agent, &Order::Evacuation { on: true }, &by, &reason);
        }
    }

    /// Why somebody cannot be made ready at this moment; nothing for who can, is, or will be after the call.
    pub(super) fn why_not_ready(&self, agent: &AgentId) -> Option<Refusal> {
        match self.agent_state(agent)? {
            State::Ready | State::Offered { .. } | State::Talking { .. } | State::Supervising { .. } => None,
            State::Offline | State::WrapUp | State::Paused { .. } | State::NotResponding | State::Internal { .. } => {
                if self.is_evacuated() { Some(Refusal::Evacuated) } else { (!self.can_be_rung(agent)).then(|| self.missing_device(agent)) }
            }
        }
    }

    /// As if the operator had wished it at the desk.
    fn force(&mut self, agent: &AgentId, to: StateWanted, pause: Option<&PauseReason>) {
        let agent = agent.clone();
        match (to, pause) {
            (StateWanted::Ready, _) => self.on_desk(FromDesk::Ready { agent }),
            (StateWanted::Pause, Some(reason)) => self.on_desk(FromDesk::Pause { agent, reason: reason.clone() }),
            (StateWanted::Pause, None) => {}
            (StateWanted::SignedOut, _) => {
                let by_phone = self.is_ready_by_phone(&agent);
                self.on_desk(FromDesk::SignOut { agent: agent.clone() });
                self.agents.get_mut(&agent).into_iter().for_each(|known| known.sent_off = by_phone);
            }
        }
    }

    fn order_able(&mut self, agent: &AgentId, able: Able) {
        let (levels, queues, until_ms) = (able.levels.clone(), able.queues.clone(), Some(able.until.0));
        if levels.is_empty() && queues.is_empty() {
            return self.able_over(agent);
        }
        self.steering.able.insert(agent.clone(), able);
        self.out.fact(Fact::AbleToday { agent: agent.clone(), levels, queues, until_ms });
    }

    fn able_over(&mut self, agent: &AgentId) {
        if self.steering.able.remove(agent).is_some() {
            let (levels, queues) = (BTreeMap::new(), BTreeMap::new());
            self.out.fact(Fact::AbleToday { agent: agent.clone(), levels, queues, until_ms: None });
        }
    }

    /// What has ended is taken back, and the next end has a deadline.
    pub(super) fn match_orders(&mut self) {
        let now = self.now;
        let known = &self.settings.agents;
        let over = |(id, able): &(&AgentId, &Able)| able.until <= now || !known.contains_key(*id);
        let able: Vec<AgentId> = self.steering.able.iter().filter(over).map(|(id, _)| id.clone()).collect();
        able.iter().for_each(|agent| self.able_over(agent));
        let ends = |standing: &Standing| standing.ordered.as_ref().and_then(|ordered| ordered.until);
        let modes = self.steering.queues.iter().filter(|(_, standing)| ends(standing).is_some_and(|until| until <= now));
        let modes: Vec<QueueId> = modes.map(|(queue, _)| queue.clone()).collect();
        modes.iter().for_each(|queue| self.mode_over(queue));
        let next = self.steering.able.values().map(|able| able.until).chain(self.steering.queues.values().filter_map(ends)).min();
        match next {
            Some(at) => self.deadlines.set(Reason::OrdersEnd, at),
            None => self.deadlines.cancel(&Reason::OrdersEnd),
        }
    }

    /// How well somebody does something by today's orders, where they say.
    pub(super) fn level_today(&self, agent: &AgentId, skill: &SkillId) -> Option<u8> {
        self.steering.able.get(agent)?.levels.get(skill).copied()
    }

    /// Whether somebody gets the calls of a queue by today's orders, where they say.
    pub(super) fn member_today(&self, agent: &AgentId, queue: &QueueId) -> Option<bool> {
        self.steering.able.get(agent)?.queues.get(queue).copied()
    }

    /// The same at a later moment, when the order may be over.
    pub(super) fn member_at(&self, agent: &AgentId, queue: &QueueId, at: Time) -> Option<bool> {
        self.steering.able.get(agent).filter(|able| able.until > at)?.queues.get(queue).copied()
    }

    /// Those for whom today's orders count beside the settings.
    pub(super) fn able_today(&self) -> Vec<AgentId> {
        self.steering.able.keys().cloned().collect()
    }

    /// What is ordered, as facts told long ago: for a board that begins anew with the process.
    pub(super) fn orders_retold(&self) -> Vec<(Time, Fact)> {
        // The order before what follows from it, which names no author.
        let able = self.steering.able.iter().flat_map(|(agent, able)| {
            let Able { levels, queues, until, since, by, reason } = able.clone();
            let order = Order::Able { operator: agent.clone(), levels: levels.clone(), queues: queues.clone() };
            let ordered = Fact::Steered { order, until_ms: Some(until.0), by, reason, refused: None };
            [(since, ordered), (since, Fact::AbleToday { agent: agent.clone(), levels, queues, until_ms: Some(until.0) })]
        });
        let modes = self.steering.queues.iter().filter(|(queue, _)| self.mode(queue) != Mode::Open).map(|(queue, standing)| {
            let ordered = standing.ordered.as_ref();
            let (by, reason) = ordered.map(|ordered| (ordered.by.clone(), ordered.reason.clone())).unzip();
            let until_ms = ordered.and_then(|ordered| ordered.until).map(|until| until.0);
            (standing.since, Fact::QueueModeChanged { queue: queue.clone(), mode: self.mode(queue), until_ms, by, reason })
        });
        let evacuated = self.steering.evacuation.clone();
        let evacuated = evacuated.map(|now| (now.since, Fact::EvacuationChanged { on: true, by: now.by, reason: now.reason }));
        able.chain(modes).chain(evacuated).collect()
    }
}
