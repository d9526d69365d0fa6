//! Who gets the next caller? A decision and its explanation, as one value.

use std::collections::BTreeSet;

use super::Centre;
use super::agent::{Agent, State};
use super::explanation::{Explanation, Rule, Verdict};
use super::fact::AgentStatus;
use super::ids::{AgentId, CallId, SkillId};
use super::time::Time;

/// One caller for one operator, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    /// Who gets the call.
    pub agent: AgentId,
    /// Which call.
    pub call: CallId,
    /// Why.
    pub why: Explanation,
}

impl Centre {
    /// Offers until no caller who waits has a free operator who could take them.
    pub(super) fn route(&mut self) {
        while let Some(decision) = self.decide() {
            self.offer(decision);
        }
    }

    /// The next caller to be offered: of all who could be served now the one who has waited longest, with the operator idle for longest.
    fn decide(&self) -> Option<Decision> {
        if !self.waiting.is_anyone_seeking() {
            return None;
        }
        let ready: Vec<(&AgentId, Time)> =
            self.agents.iter().filter(|(id, agent)| self.may_be_offered(id, agent)).map(|(id, agent)| (id, agent.since)).collect();
        if ready.is_empty() {
            return None;
        }
        let served = self.waiting.heads().filter_map(|(needs, head)| Some((head, needs, self.longest_idle(&ready, needs)?)));
        let ((_, call), needs, agent) = served.min_by_key(|(head, _, _)| *head)?;
        Some(Decision { agent: agent.clone(), call, why: self.explain(agent, needs) })
    }

    /// Ready, and not at a desk that is yet to come back after a restart.
    fn may_be_offered(&self, id: &AgentId, agent: &Agent) -> bool {
        agent.state == State::Ready && !(agent.desk_awaited && self.answers_at_desk(id))
    }

    fn longest_idle<'a>(&self, ready: &[(&'a AgentId, Time)], needs: &BTreeSet<SkillId>) -> Option<&'a AgentId> {
        let can = |agent: &AgentId| self.settings.agents.get(agent).is_some_and(|known| needs.is_subset(&known.skills));
        let able = ready.iter().filter(|(agent, _)| can(agent));
        able.min_by_key(|(agent, since)| (*since, *agent)).map(|(agent, _)| *agent)
    }

    fn lacks(&self, agent: &AgentId, needs: &BTreeSet<SkillId>) -> Vec<SkillId> {
        match self.settings.agents.get(agent) {
            Some(known) => needs.difference(&known.skills).cloned().collect(),
            None => needs.iter().cloned().collect(),
        }
    }

    fn explain(&self, chosen: &AgentId, needs: &BTreeSet<SkillId>) -> Explanation {
        let verdict = |agent: &AgentId, known: &Agent| {
            if known.state != State::Ready {
                return Verdict::NotReady { state: known.status().word().to_owned() };
            }
            if !self.may_be_offered(agent, known) {
                return Verdict::NotReady { state: AgentStatus::NotResponding.word().to_owned() };
            }
            let idle_ms = self.now.ms_since(known.since);
            let skills = self.lacks(agent, needs);
            match skills.is_empty() {
                true if agent == chosen => Verdict::Chosen { idle_ms },
                true => Verdict::Eligible { idle_ms },
                false => Verdict::Lacks { skills },
            }
        };
        let signed_in = self.agents.iter().filter(|(_, known)| known.state != State::Offline);
        Explanation {
            rule: Rule::LongestIdle,
            needed: needs.iter().cloned().collect(),
            verdicts: signed_in.map(|(agent, known)| (agent.clone(), verdict(agent, known))).collect(),
        }
    }
}
