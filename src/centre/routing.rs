//! Who gets the next caller? A decision and its explanation, as one value.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Centre;
use super::agent::{Agent, State};
use super::ids::{AgentId, CallId, SkillId};
use super::time::Time;

/// Why a caller came to an operator: the rule that chose, and what was found of every operator.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Explanation {
    /// The rule that chose among the eligible.
    pub rule: Rule,
    /// What the caller needed, sorted.
    pub needed: Vec<SkillId>,
    /// Every operator who is signed in, in order of name.
    pub verdicts: Vec<(AgentId, Verdict)>,
}

/// How one of several eligible operators is chosen.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Rule {
    /// The one who has been ready for the longest time; at equal times the first by name.
    LongestIdle,
}

/// What was found of one operator.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
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
            self.agents.iter().filter(|(_, agent)| agent.state == State::Ready).map(|(id, agent)| (id, agent.since)).collect();
        if ready.is_empty() {
            return None;
        }
        let served = self.waiting.heads().filter_map(|(needs, head)| Some((head, needs, self.longest_idle(&ready, needs)?)));
        let ((_, call), needs, agent) = served.min_by_key(|(head, _, _)| *head)?;
        Some(Decision { agent: agent.clone(), call, why: self.explain(agent, needs) })
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
