//! Who gets the next caller? A decision and its explanation, as one value.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::Centre;
use super::agent::{Agent, State};
use super::call::Stage;
use super::explanation::{Explanation, Merits, Rule, Verdict};
use super::fact::AgentStatus;
use super::ids::{AgentId, CallId, LegId, QueueId, SkillId};
use super::line::Line;
use super::queue::Wait;
use super::settings::Strategy;
use super::shift::Shift;
use super::skill::{BEST, Needs};

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

    /// The next caller to be offered: of all who could be served now the most senior, with the operator whom the queue's rule chooses.
    fn decide(&self) -> Option<Decision> {
        if !self.waiting.is_anyone_seeking() {
            return None;
        }
        let ready: Vec<(&AgentId, &Agent)> = self.agents.iter().filter(|(id, agent)| self.may_be_offered(id, agent)).collect();
        if ready.is_empty() {
            return None;
        }
        self.waiting.heads().into_iter().find_map(|(line, call)| {
            let (agent, rule) = self.choose(&ready, line, call)?;
            Some(Decision { agent: agent.clone(), call, why: self.explain(call, Some(agent), rule)? })
        })
    }

    /// Ready, on shift, and not at a desk that is yet to come back after a restart.
    fn may_be_offered(&self, id: &AgentId, agent: &Agent) -> bool {
        agent.state == State::Ready && !self.is_evacuated() && self.duty.is_on(id) && !self.is_awaited(id, agent)
    }

    fn is_awaited(&self, id: &AgentId, agent: &Agent) -> bool {
        agent.desk_awaited && self.answers_at_desk(id)
    }

    /// The operator who gets this call, by the rule of its queue; `None` where nobody may take it.
    fn choose<'a>(&self, ready: &[(&'a AgentId, &'a Agent)], line: &Line, call: CallId) -> Option<(&'a AgentId, Rule)> {
        let able = ready.iter().filter(|(id, _)| self.may_take(id, line));
        let rule = self.rule_of(&line.queue);
        let last = || self.calls.get(&call).and_then(|known| known.known.as_ref()?.last_operator.as_ref());
        let idle = |&&(id, agent): &&(&'a AgentId, &'a Agent)| (agent.since, id);
        let chosen = match rule {
            Rule::LongestIdle | Rule::AskedFor => able.min_by_key(idle),
            Rule::MostSkilled => able.min_by_key(|free| (Reverse(self.skill_sum(free.0, &line.needs)), idle(free))),
            Rule::FewestCalls => able.min_by_key(|free| (free.1.answered, idle(free))),
            Rule::RoundRobin => {
                let before = self.waiting.last_turn(&line.queue);
                able.min_by_key(|(id, _)| (before.is_some_and(|before| *id <= before), *id))
            }
            Rule::LastOperator => {
                let known = able.clone().find(|(id, _)| Some(*id) == last());
                return known.map(|(id, _)| (*id, rule)).or_else(|| able.min_by_key(idle).map(|(id, _)| (*id, Rule::LongestIdle)));
            }
        };
        chosen.map(|(id, _)| (*id, rule))
    }

    fn rule_of(&self, queue: &QueueId) -> Rule {
        match self.queue_settings(queue).map_or(Strategy::default(), |rules| rules.strategy) {
            Strategy::LongestIdle => Rule::LongestIdle,
            Strategy::MostSkilled => Rule::MostSkilled,
            Strategy::FewestCalls => Rule::FewestCalls,
            Strategy::RoundRobin => Rule::RoundRobin,
            Strategy::LastOperator => Rule::LastOperator,
        }
    }

    /// Whether an operator who is free could take the callers of a line, by what they can do and by a shift that they are on.
    pub(super) fn may_take(&self, agent: &AgentId, line: &Line) -> bool {
        let by_shift = || self.serving(agent).is_none_or(|shifts| shifts.iter().any(|shift| shift.takes(line)));
        self.can(agent, line) && self.member_today(agent, &line.queue).unwrap_or_else(by_shift)
    }

    /// Whether an operator could take the callers of a line by what they can do.
    pub(super) fn can(&self, agent: &AgentId, line: &Line) -> bool {
        line.needs.are_met(|skill| self.level(agent, skill))
    }

    /// How well an operator does something.
    fn level(&self, agent: &AgentId, skill: &SkillId) -> u8 {
        let by_settings = || self.settings.agents.get(agent).map_or(0, |known| known.skills.level(skill));
        self.level_today(agent, skill).map_or_else(by_settings, |level| level.min(BEST))
    }

    fn skill_sum(&self, agent: &AgentId, needs: &Needs) -> u32 {
        needs.levels().map(|(skill, _)| u32::from(self.level(agent, skill))).sum()
    }

    /// Why nobody is offered a caller who waits: what is found of every operator now. `None` for a call that does not wait without an offer,
    /// and for one of before a restart of which it is not known yet whether it is still there.
    pub fn explain_wait(&self, call: CallId) -> Option<Explanation> {
        match self.stage(call)? {
            Stage::Waiting(wait) if !self.is_unknown(LegId::caller(call)) => self.explain(call, None, self.rule_of(&wait.queue)),
            Stage::Waiting(_)
            | Stage::Arriving
            | Stage::Walking(_)
            | Stage::Offered(_)
            | Stage::Dialling(_)
            | Stage::Talking(_)
            | Stage::Transferring(_)
            | Stage::CallingOut(_)
            | Stage::Internal(_) => None,
        }
    }

    /// What is found of every operator now for a caller who waits: why the call is offered to `chosen`, or goes on waiting.
    pub(super) fn explain(&self, call: CallId, chosen: Option<&AgentId>, rule: Rule) -> Option<Explanation> {
        let wait = self.wait_of(call)?;
        let signed_in = self.agents.iter().filter(|(_, known)| known.state != State::Offline);
        let turn_after = (rule == Rule::RoundRobin).then(|| self.waiting.last_turn(&wait.queue).cloned()).flatten();
        Some(Explanation {
            rule,
            needed: wait.needs.names(),
            minimum: wait.needs.above_one(),
            ring: wait.ring,
            credit_ms: wait.credit_ms,
            turn_after,
            callback: self.calling_back(call),
            mode: self.mode(&wait.queue),
            able_today: self.able_today(),
            verdicts: signed_in.map(|(id, known)| (id.clone(), self.verdict(id, known, wait, chosen, rule))).collect(),
        })
    }

    fn verdict(&self, id: &AgentId, known: &Agent, wait: &Wait, chosen: Option<&AgentId>, rule: Rule) -> Verdict {
        if known.state != State::Ready {
            return Verdict::NotReady { state: known.status().word().to_owned() };
        }
        if !self.duty.is_on(id) {
            return Verdict::OffShift {};
        }
        if self.is_awaited(id, known) {
            return Verdict::NotReady { state: AgentStatus::NotResponding.word().to_owned() };
        }
        let levels: BTreeMap<&SkillId, (u8, u8)> =
            wait.needs.levels().map(|(skill, least)| (skill, (self.level(id, skill), least))).collect();
        let of = |wanted: &dyn Fn(u8, u8) -> bool| -> BTreeMap<SkillId, u8> {
            levels.iter().filter(|(_, (has, least))| wanted(*has, *least)).map(|(skill, (has, _))| ((*skill).clone(), *has)).collect()
        };
        let member = self.member_today(id, &wait.queue);
        if member == Some(false) {
            return Verdict::ByOrder {};
        }
        let serving: Option<Vec<&Shift>> =
            self.serving(id).filter(|_| member.is_none()).map(|all| all.into_iter().filter(|shift| shift.serves(&wait.queue)).collect());
        if serving.as_ref().is_some_and(Vec::is_empty) {
            return Verdict::NotInQueue { shifts: self.duty.shifts(id).cloned().collect() };
        }
        let mut lacks: Vec<SkillId> = of(&|has, _| has == 0).into_keys().collect();
        // Of several shifts the one counts that asks for the least beyond it.
        let uncounted = |shift: &&Shift| wait.needs.names().into_iter().filter(|skill| !shift.counts(skill)).collect::<Vec<_>>();
        if lacks.is_empty() {
            lacks = serving.and_then(|shifts| shifts.iter().map(uncounted).min_by_key(Vec::len)).unwrap_or_default();
        }
        let below = of(&|has, least| has < least);
        if !lacks.is_empty() {
            return Verdict::Lacks { skills: lacks };
        }
        if !below.is_empty() {
            return Verdict::BelowLevel { levels: below };
        }
        let idle_ms = self.now.ms_since(known.since);
        let calls = if rule == Rule::FewestCalls { known.answered } else { 0 };
        let merits = Merits { levels: of(&|has, _| has < BEST), calls };
        if chosen == Some(id) { Verdict::Chosen { idle_ms, merits } } else { Verdict::Eligible { idle_ms, merits } }
    }
}
