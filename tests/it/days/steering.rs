//! What do supervisors order for now on a random day, and does it hold? States, what somebody does today, modes of queues.

use std::collections::BTreeMap;

use cityline::centre::fact::Fact;
use cityline::centre::ids::{AgentId, CallId, QueueId, SkillId, StepId};
use cityline::centre::input::{FromDesk, Input};
use cityline::centre::steer::{Order, StateWanted, Steered};
use cityline::centre::surge::Mode;

use super::model::Model;
use super::towns::OPERATORS;
use super::world::World;

/// What somebody does today, and until when.
pub type Today = (BTreeMap<SkillId, u8>, BTreeMap<QueueId, bool>, u64);

const QUEUES: [&str; 3] = ["general", "heating", "roads"];

impl World {
    /// Calls for which a callback is owed.
    pub fn owed(&self) -> Vec<CallId> {
        self.model.owed.iter().copied().collect()
    }

    pub(super) fn a_supervisor_steers(&mut self) {
        let operator = AgentId::from(*self.dice.pick(&OPERATORS).unwrap_or(&"aigul"));
        let queue = QueueId::from(*self.dice.pick(&QUEUES).unwrap_or(&"general"));
        let order = match self.dice.below(10) {
            0 => Order::State { operator, to: StateWanted::Ready, pause: None },
            1 => Order::State { operator, to: StateWanted::Pause, pause: Some("lunch".into()) },
            2 => Order::State { operator, to: StateWanted::SignedOut, pause: None },
            3..6 => {
                let levels =
                    ["ru", "heating", "roads"].into_iter().filter(|_| self.dice.percent(40)).map(SkillId::from).collect::<Vec<_>>();
                let levels = levels.into_iter().map(|skill| (skill, self.dice.below(11) as u8)).collect();
                let queues = if self.dice.percent(40) { BTreeMap::from([(queue, self.dice.percent(50))]) } else { BTreeMap::new() };
                Order::Able { operator, levels, queues }
            }
            _ => {
                let modes = [Mode::Open, Mode::Open, Mode::Closed, Mode::Draining, Mode::Surge];
                Order::Mode { queue, mode: *self.dice.pick(&modes).unwrap_or(&Mode::Open) }
            }
        };
        let lasts = !matches!(order, Order::State { .. });
        let until_ms = (lasts && self.dice.percent(60)).then(|| self.now.0 + self.dice.below(60_000));
        self.handle(Input::Steered(Box::new(Steered { order, until_ms, by: "boss".into(), reason: "today".into() })));
    }
}

/// The wish of the operator that an ordered state is like.
pub fn as_wished(input: &Input) -> Option<Input> {
    let Input::Steered(steered) = input else { return None };
    let Order::State { operator, to, pause } = &steered.order else { return None };
    let agent = operator.clone();
    Some(Input::Desk(match (to, pause) {
        (StateWanted::Ready, _) => FromDesk::Ready { agent },
        (StateWanted::Pause, reason) => FromDesk::Pause { agent, reason: reason.clone()? },
        (StateWanted::SignedOut, _) => FromDesk::SignOut { agent },
    }))
}

impl Model {
    pub fn steering(&mut self, fact: &Fact, given: Option<&Steered>) {
        match fact {
            Fact::Steered { order, by, reason, .. } => {
                let theirs = given.is_some_and(|given| given.order == *order && given.by == *by && given.reason == *reason);
                self.check(theirs, || format!("an order that nobody gave: {order:?}"));
            }
            Fact::AbleToday { agent, levels, queues, until_ms } => match until_ms {
                None => {
                    let ended = self.able.remove(agent);
                    let now = self.now.0;
                    let cleared = matches!(given, Some(Steered { order: Order::Able { operator, levels, queues }, .. })
                        if operator == agent && levels.is_empty() && queues.is_empty());
                    let caused = cleared || !self.settings.agents.contains_key(agent);
                    self.check(ended.is_some_and(|(.., until)| caused || until <= now), || format!("the order about {agent} ended early"));
                }
                Some(until) => drop(self.able.insert(agent.clone(), (levels.clone(), queues.clone(), *until))),
            },
            Fact::QueueModeChanged { queue, mode, until_ms, by, .. } => {
                let drained = *mode == Mode::Closed && self.modes.get(queue).is_some_and(|(before, _)| *before == Mode::Draining);
                let ordered = given.is_some_and(|given| matches!(&given.order, Order::Mode { queue: of, .. } if of == queue));
                let by_rule = *mode == Mode::Surge || *mode == Mode::Open;
                self.check(ordered || drained || (by.is_none() && by_rule), || format!("{queue} is {mode:?}, and nobody said so"));
                let waits = self.calls.values().any(|known| known.wait.as_ref().is_some_and(|wait| wait.queue == *queue));
                self.check(!(drained && !ordered && waits), || format!("{queue} is closed before it is drained"));
                self.modes.insert(queue.clone(), (*mode, *until_ms));
            }
            other => self.faults.push(format!("{other:?} on a day without it")),
        }
        self.staff.able_today(&self.able);
    }

    pub fn mode(&self, queue: &QueueId) -> Mode {
        self.modes.get(queue).map_or(Mode::Open, |(mode, _)| *mode)
    }

    /// Whether a queue sends who comes to its step by this step elsewhere without looking at its length.
    pub fn leads_around(&self, queue: &QueueId, step: Option<&StepId>) -> bool {
        let mode = self.mode(queue);
        mode.turns_away() || (mode == Mode::Surge && step.is_some_and(|step| self.has_short_way(step)))
    }

    /// Nobody new is in a queue that takes nobody: who is had a place before, or came from a talk.
    pub fn came_in(&mut self, call: CallId, queue: &QueueId, had_place: bool, by_step: bool) {
        let turns_away = self.mode(queue).turns_away();
        self.check(!(turns_away && by_step && !had_place), || format!("{call} was let into {queue}, which takes nobody"));
    }

    /// No order outlives its end, and a queue that is drained and empty is closed.
    pub fn check_steering(&self) -> Vec<String> {
        let now = self.now.0;
        let mut faults = Vec::new();
        faults.extend(self.able.iter().filter(|(_, (.., until))| *until <= now).map(|(agent, _)| format!("{agent}'s order has ended")));
        for (queue, (mode, until)) in &self.modes {
            let waits = self.calls.values().any(|known| known.wait.as_ref().is_some_and(|wait| wait.queue == *queue));
            if *mode == Mode::Draining && !waits {
                faults.push(format!("{queue} is empty, and still drained"));
            }
            if until.is_some_and(|until| until <= now) && self.settings.queues.contains_key(queue) {
                faults.push(format!("{queue} is {mode:?} beyond the end of the order"));
            }
        }
        faults
    }
}
