//! How does a supervisor take part in a talk? Listening, whispering, joining, taking the operator's place; all of it on record.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Centre;
use super::agent::{State, Wish};
use super::call::Stage;
use super::deadline::Reason;
use super::fact::{EndReason, Fact, Party, Role};
use super::ids::{AgentId, CallId, LegId, Supervision};
use super::output::{Refusal, Shown};
use super::talk::{Partner, Talk};

/// Supervisors in one talk at most: the leg that is mixed for the operator costs the media thread.
const MOST_SUPERVISORS: usize = 4;

/// One supervisor of a talk.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Supervisor {
    /// How they take part, or will once their phone has sound.
    pub mode: Supervision,
    /// Their phone.
    pub phone: Phone,
}

/// A supervisor's own phone, which is called and picks up by itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Phone {
    /// These legs ring.
    Rings { legs: BTreeSet<u16> },
    /// This one has sound.
    Up { leg: u16 },
}

impl Supervisor {
    /// The leg with sound.
    pub fn up(&self) -> Option<u16> {
        match self.phone {
            Phone::Up { leg } => Some(leg),
            Phone::Rings { .. } => None,
        }
    }

    fn legs(&self) -> BTreeSet<u16> {
        match &self.phone {
            Phone::Up { leg } => [*leg].into(),
            Phone::Rings { legs } => legs.clone(),
        }
    }
}

impl Centre {
    /// A supervisor comes to a talk, or takes part in it in another way.
    pub(super) fn supervise(&mut self, agent: &AgentId, call: CallId, mode: Supervision) -> Result<(), Refusal> {
        if self.talk(call).is_some_and(|talk| talk.supervisors.contains_key(agent)) {
            self.change_supervision(agent, call, mode);
            return Ok(());
        }
        let wish = match self.agent_state(agent) {
            Some(State::Ready | State::WrapUp) => None,
            Some(State::Paused { reason }) => Some(Wish::Pause(reason.clone())),
            Some(State::Offline | State::NotResponding) => Some(Wish::SignOut),
            Some(State::Offered { .. } | State::Talking { .. } | State::Supervising { .. } | State::Internal { .. }) => {
                return Err(Refusal::Busy);
            }
            None => return Err(Refusal::UnknownOperator),
        };
        if self.beside(agent).is_some() {
            return Err(Refusal::Busy);
        }
        let talk = self.talk(call).filter(|talk| talk.operator().is_some()).ok_or(Refusal::NotNow)?;
        if talk.supervisors.len() >= MOST_SUPERVISORS {
            return Err(Refusal::NotNow);
        }
        if !self.can_be_rung(agent) {
            return Err(self.missing_device(agent));
        }
        self.call_supervisor(agent, call, mode, wish);
        Ok(())
    }

    fn call_supervisor(&mut self, agent: &AgentId, call: CallId, mode: Supervision, wish: Option<Wish>) {
        let Some(shown) = self.calls.get(&call).map(|known| Shown::City(known.number.clone())) else { return };
        self.set_agent(agent, State::Supervising { call });
        if let Some(known) = self.agents.get_mut(agent) {
            known.wish = wish;
        }
        let targets = self.targets(agent);
        let legs = self.open_legs(call, &Party::Agent(agent.clone()), targets, &shown, true, None);
        let supervisor = Supervisor { mode, phone: Phone::Rings { legs } };
        if let Some(talk) = self.talk_mut(call) {
            talk.supervisors.insert(agent.clone(), supervisor);
        }
        self.deadlines.set(Reason::SupervisorRings(agent.clone()), self.now.plus_ms(self.settings.limits.dial_ms));
    }

    fn change_supervision(&mut self, agent: &AgentId, call: CallId, mode: Supervision) {
        let former = self.talk(call).and_then(|talk| talk.supervisors.get(agent)).cloned();
        let Some(former) = former.filter(|former| former.mode != mode) else { return };
        if let Some(n) = former.up() {
            self.tell_supervision(LegId { call, n }, agent, mode);
        }
        self.rearrange(call, |talk| drop(talk.supervisors.insert(agent.clone(), Supervisor { mode, ..former })));
    }

    fn tell_supervision(&mut self, leg: LegId, agent: &AgentId, mode: Supervision) {
        self.out.fact(Fact::Joined { leg, party: Party::Agent(agent.clone()), role: Role::Supervisor(mode) });
        self.help_has_come(leg.call);
    }

    /// A supervisor's phone has sound.
    pub(super) fn supervisor_up(&mut self, agent: &AgentId, leg: LegId) {
        let Some(supervisor) = self.talk(leg.call).and_then(|talk| talk.supervisors.get(agent)).cloned() else { return };
        if supervisor.up().is_some() {
            return;
        }
        self.deadlines.cancel(&Reason::SupervisorRings(agent.clone()));
        for n in supervisor.legs().into_iter().filter(|n| *n != leg.n) {
            self.end_leg(LegId { call: leg.call, n }, EndReason::AnsweredElsewhere);
        }
        self.tell_supervision(leg, agent, supervisor.mode);
        let up = Supervisor { phone: Phone::Up { leg: leg.n }, ..supervisor };
        self.rearrange(leg.call, |talk| drop(talk.supervisors.insert(agent.clone(), up)));
    }

    /// A leg of a supervisor is over; with the last one so is the supervision.
    pub(super) fn supervisor_leg_ended(&mut self, agent: &AgentId, leg: LegId) {
        let Some(supervisor) = self.talk_mut(leg.call).and_then(|talk| talk.supervisors.get_mut(agent)) else { return };
        let over = match &mut supervisor.phone {
            Phone::Up { .. } => true,
            Phone::Rings { legs } => legs.remove(&leg.n) && legs.is_empty(),
        };
        if over {
            self.end_supervision(leg.call, agent);
        }
    }

    /// The supervisor's phone has rung long enough.
    pub(super) fn supervisor_rang(&mut self, agent: &AgentId) {
        if let Some(State::Supervising { call }) = self.agent_state(agent) {
            self.end_supervision(*call, agent);
        }
    }

    /// The supervisor leaves.
    pub(super) fn stop_supervising(&mut self, agent: &AgentId, call: CallId) -> Result<(), Refusal> {
        self.talk(call).filter(|talk| talk.supervisors.contains_key(agent)).ok_or(Refusal::NotNow)?;
        self.end_supervision(call, agent);
        Ok(())
    }

    /// Releases a supervisor, who goes back to what they did before.
    pub(super) fn end_supervision(&mut self, call: CallId, agent: &AgentId) {
        let before = self.arrangement(call);
        let Some(supervisor) = self.talk_mut(call).and_then(|talk| talk.supervisors.remove(agent)) else { return };
        for n in supervisor.legs() {
            self.end_leg(LegId { call, n }, EndReason::SupervisionOver);
        }
        self.deadlines.cancel(&Reason::SupervisorRings(agent.clone()));
        self.wrap_up_over(agent);
        self.arranged(call, &before);
    }

    /// Releases every supervisor of a talk.
    pub(super) fn end_supervisions(&mut self, call: CallId) {
        let all: Vec<AgentId> = self.talk(call).map_or(Vec::new(), |talk| talk.supervisors.keys().cloned().collect());
        all.iter().for_each(|agent| self.end_supervision(call, agent));
    }

    /// A supervisor who has sound takes the operator's place. Whoever the operator was asking must have gone.
    pub(super) fn take_over(&mut self, agent: &AgentId, call: CallId) -> Result<(), Refusal> {
        let Some(Stage::Talking(talk)) = self.stage(call).cloned() else { return Err(Refusal::NotNow) };
        let leg = talk.supervisors.get(agent).and_then(Supervisor::up).ok_or(Refusal::NotNow)?;
        let Some((from, queue)) = talk.operator().filter(|_| talk.third.is_none()) else { return Err(Refusal::NotNow) };
        self.out.fact(Fact::TakenOver { call, agent: agent.clone(), from: from.clone() });
        self.give_up_place(call, &talk, EndReason::TakenOver);
        self.set_agent(agent, State::Talking { call });
        self.out.fact(Fact::Joined { leg: LegId { call, n: leg }, party: Party::Agent(agent.clone()), role: Role::Partner });
        let record = self.queue_settings(queue).is_some_and(|rules| rules.record);
        let partner = Partner::Agent { agent: agent.clone(), queue: queue.clone() };
        let mut supervisors = talk.supervisors.clone();
        supervisors.remove(agent);
        self.start_talk(call, Talk { supervisors, ..Talk::new(leg, partner, self.now) }, record);
        Ok(())
    }

    /// Whether a supervisor's phone is still being called.
    pub(super) fn supervisor_rings(&self, call: CallId, agent: &AgentId) -> bool {
        self.talk(call).and_then(|talk| talk.supervisors.get(agent)).is_some_and(|supervisor| supervisor.up().is_none())
    }

    /// Whose supervision a leg belongs to.
    pub(super) fn supervisor_of(&self, leg: LegId) -> Option<AgentId> {
        let supervisors = &self.talk(leg.call)?.supervisors;
        supervisors.iter().find(|(_, supervisor)| supervisor.legs().contains(&leg.n)).map(|(agent, _)| agent.clone())
    }
}
