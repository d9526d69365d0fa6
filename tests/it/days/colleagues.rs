//! What becomes of calls between operators, and of phones that take each other's place? The model's own account.

use std::collections::BTreeMap;

use cityline::centre::fact::Party;
use cityline::centre::ids::{AgentId, CallId, LegId};

use super::calls::Third;
use super::model::{Model, Step};

/// A call between two operators.
pub struct Between {
    pub from: AgentId,
    pub to: AgentId,
    /// Whether they have heard each other.
    talks: bool,
}

impl Between {
    pub fn is_of(&self, agent: &AgentId) -> bool {
        self.from == *agent || self.to == *agent
    }

    pub fn rings(&self) -> bool {
        !self.talks
    }
}

impl Step {
    /// Whether a call between operators is to this one.
    pub fn calls_colleague(&self, call: CallId, agent: &AgentId) -> bool {
        self.between.get(&call).is_some_and(|(_, to)| to == agent)
    }

    /// Whether a call of this operator's with a colleague began in this step.
    pub fn began_between(&self, agent: &AgentId) -> bool {
        self.between_begun.iter().any(|begun| begun == agent)
    }

    /// Whether one of theirs has ended in it.
    pub fn has_ended_between(&self, agent: &AgentId) -> bool {
        let of_theirs = |call: &CallId| self.between.get(call).is_some_and(|(from, to)| from == agent || to == agent);
        self.between_ended.iter().any(of_theirs)
    }
}

impl Model {
    pub fn operators_between(&self) -> BTreeMap<CallId, (AgentId, AgentId)> {
        self.between.iter().map(|(call, known)| (*call, (known.from.clone(), known.to.clone()))).collect()
    }

    /// A leg of each call between operators, by which it can be ended.
    pub fn first_legs_between(&self) -> Vec<LegId> {
        let first = |call: &CallId| self.legs.live.keys().find(|leg| leg.call == *call).copied();
        self.between.keys().filter_map(first).collect()
    }

    pub fn colleague_called(&mut self, call: CallId, from: &AgentId, to: &AgentId, step: &mut Step) {
        let others = self.between.values().any(|known| known.is_of(from) || known.is_of(to));
        let known = |agent: &AgentId| self.settings.agents.contains_key(agent);
        let may = !others && from != to && known(from) && known(to) && !self.calls.contains_key(&call);
        self.check(may, || format!("{from} calls {to} in {call}"));
        step.between.insert(call, (from.clone(), to.clone()));
        step.between_begun.extend([from.clone(), to.clone()]);
        self.between.insert(call, Between { from: from.clone(), to: to.clone(), talks: false });
    }

    pub fn colleague_call_ended(&mut self, call: CallId) {
        let was = self.between.remove(&call).is_some();
        self.check(was, || format!("{call} between operators ended, and was not up"));
        self.rooms.call_ended(call);
        self.over.insert(call);
    }

    /// Another phone of the same operator goes on with the part of the first.
    pub fn leg_replaced(&mut self, leg: LegId, by: LegId) {
        let party = |leg| self.legs.party(leg).cloned();
        let same = leg.call == by.call && party(leg) == party(by) && matches!(party(by), Some(Party::Agent(_))) && self.legs.is_live(by);
        self.check(same, || format!("{by} takes the place of {leg}"));
        self.rooms.replaced(leg, by);
        let Some(talk) = self.calls.get_mut(&leg.call).and_then(|known| known.talk.as_mut()) else { return };
        if talk.leg == leg.n {
            talk.leg = by.n;
        }
        match &mut talk.third {
            Some(Third::Consulted(_, n) | Third::Guest(_, n)) if *n == leg.n => *n = by.n,
            Some(_) | None => {}
        }
    }

    /// Two hear each other at most, and each operator of it is told to be so, or busy with a resident.
    pub fn check_between(&mut self) -> Vec<String> {
        let mut faults = Vec::new();
        for (call, known) in &mut self.between {
            let pairs: Vec<(u16, u16)> = self.rooms.pairs(*call).collect();
            known.talks |= !pairs.is_empty();
            let both = matches!(pairs.as_slice(), [] | [_, _]) && pairs.iter().all(|(ear, mouth)| pairs.contains(&(*mouth, *ear)));
            if !both {
                faults.push(format!("{call}: {pairs:?} hear each other"));
            }
        }
        faults
    }
}
