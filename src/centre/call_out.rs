//! How does an operator call a resident? The operator's own phone first; once it has sound, the resident is dialled under the city's number.

use serde::{Deserialize, Serialize};

use super::Centre;
use super::agent::{State, Wish};
use super::call::{Call, Stage};
use super::calling::Calling;
use super::deadline::Reason;
use super::fact::{EndReason, Fact, Party, Role};
use super::ids::{AgentId, CallId, CallerRef, LegId, NumberId, QueueId};
use super::leg::LegState;
use super::output::{Output, Refusal, Shown, Target};
use super::queue::Wait;
use super::settings::QueueSettings;
use super::talk::{Partner, Talk};

/// A resident is being called.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CallingOut {
    /// Who calls.
    pub agent: AgentId,
    /// By the rules of which queue.
    pub queue: QueueId,
    /// How far it is.
    pub step: Step,
    /// The place in the queue that a resident who is called back keeps until there is a talk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back: Option<Wait>,
}

/// How far a call to a resident is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Step {
    /// The operator's own phone is called.
    Operator(Calling),
    /// The operator has sound on this leg, the resident is dialled.
    Resident { operator: u16 },
}

/// What an operator wants who calls a resident.
pub(super) struct Wanted {
    pub call: CallId,
    pub to: CallerRef,
    pub queue: Option<QueueId>,
    pub shown: Option<NumberId>,
}

impl Centre {
    /// Begins a call to a resident. The operator is busy with it from here on, and goes back to a pause after it.
    pub(super) fn call_out(&mut self, agent: &AgentId, wanted: &Wanted) -> Result<(), Refusal> {
        let wish = match self.agent_state(agent) {
            Some(State::Ready | State::WrapUp | State::NotResponding) => None,
            Some(State::Paused { reason }) => Some(Wish::Pause(reason.clone())),
            Some(State::Offered { .. } | State::Talking { .. } | State::Supervising { .. } | State::Internal { .. }) => {
                return Err(Refusal::Busy);
            }
            Some(State::Offline) | None => return Err(Refusal::NotNow),
        };
        if self.beside(agent).is_some() {
            return Err(Refusal::Busy);
        }
        if self.is_full() || self.draining || self.calls.contains_key(&wanted.call) {
            return Err(Refusal::NotNow);
        }
        if !self.can_be_rung(agent) {
            return Err(self.missing_device(agent));
        }
        let queue = self.queue_of_call_out(agent, wanted).ok_or(Refusal::UnknownTarget)?;
        let shown = self.number_of_call_out(wanted).ok_or(Refusal::UnknownTarget)?;
        if wanted.to.is_withheld() {
            return Err(Refusal::UnknownTarget);
        }
        self.begin_call_out(agent, wanted, queue, shown);
        if let Some(known) = self.agents.get_mut(agent) {
            known.wish = wish;
        }
        Ok(())
    }

    /// The queue that was named, else the first whose calls the operator takes, else the first.
    fn queue_of_call_out(&self, agent: &AgentId, wanted: &Wanted) -> Option<QueueId> {
        let queues = &self.settings.queues;
        if let Some(named) = &wanted.queue {
            return queues.contains_key(named).then(|| named.clone());
        }
        let skills = self.settings.agents.get(agent).map(|known| &known.skills)?;
        let serves = |rules: &QueueSettings| rules.skills.iter().all(|skill| skills.level(skill) > 0);
        let served = queues.iter().find(|(_, rules)| serves(rules)).map(|(queue, _)| queue);
        served.or(queues.keys().next()).cloned()
    }

    fn number_of_call_out(&self, wanted: &Wanted) -> Option<NumberId> {
        let numbers = &self.settings.numbers;
        match &wanted.shown {
            Some(named) => numbers.contains_key(named).then(|| named.clone()),
            None => numbers.keys().next().cloned(),
        }
    }

    fn begin_call_out(&mut self, agent: &AgentId, wanted: &Wanted, queue: QueueId, shown: NumberId) {
        let Wanted { call, to, .. } = *wanted;
        self.highest_call = self.highest_call.max(call);
        self.out.fact(Fact::CalledOut { call, number: shown.clone(), caller: to, agent: agent.clone(), queue: queue.clone() });
        let party = Party::Agent(agent.clone());
        // Nobody is asked: who wants the call has said yes already.
        let calling = Calling { accepted: true, ..Calling::new(party.clone(), agent) };
        let stage = Stage::CallingOut(CallingOut { agent: agent.clone(), queue, step: Step::Operator(calling), back: None });
        self.calls.insert(call, Call::going_out(shown.clone(), to, self.now, stage));
        self.out.send(Output::LookUp { call, caller: to });
        self.deadlines.set(Reason::LookUp(call), self.now.plus_ms(self.settings.limits.look_up_ms));
        self.set_agent(agent, State::Talking { call });
        self.show_asked(call);
        let targets = self.targets(agent);
        let legs = self.open_legs(call, &party, targets, &Shown::City(shown), true, None);
        if let Some(calling) = self.calling_mut(call) {
            calling.legs = legs;
        }
        self.deadlines.set(Reason::CallingEnds(call), self.now.plus_ms(self.settings.limits.dial_ms));
    }

    /// The operator's phone has sound: the resident is dialled.
    pub(super) fn caller_out_up(&mut self, leg: LegId) {
        let call = leg.call;
        let Some(Stage::CallingOut(out)) = self.stage(call).cloned() else { return };
        let Step::Operator(calling) = &out.step else { return };
        self.calling_won(call, calling, leg.n);
        let Some((number, to)) = self.calls.get(&call).map(|known| (known.number.clone(), known.caller)) else { return };
        self.set_stage(call, Stage::CallingOut(CallingOut { step: Step::Resident { operator: leg.n }, ..out }));
        let state = LegState::Opening { target: Target::Outside(to), shown: Shown::City(number), auto_answer: false, replaces: None };
        self.open_leg_as(LegId::caller(call), Party::Resident, state);
        self.deadlines.set(Reason::CallingEnds(call), self.now.plus_ms(self.settings.limits.dial_ms));
    }

    /// The resident has sound: the talk begins, as one of its queue.
    pub(super) fn called_out(&mut self, call: CallId) {
        let Some(Stage::CallingOut(CallingOut { agent, queue, step: Step::Resident { operator }, back })) = self.stage(call).cloned()
        else {
            return;
        };
        self.deadlines.cancel(&Reason::CallingEnds(call));
        if let Some(wait) = back {
            return self.reached(call, agent, operator, &wait);
        }
        self.out.fact(Fact::CallAnswered { call });
        let leg = LegId { call, n: operator };
        self.out.fact(Fact::Joined { leg, party: Party::Agent(agent.clone()), role: Role::Partner });
        let record = self.queue_settings(&queue).is_some_and(|rules| rules.record);
        self.start_talk(call, Talk::new(operator, Partner::Agent { agent, queue }, self.now), record);
    }

    /// A leg of a call to a resident is over before the talk; the resident's own end is the call's.
    pub(super) fn caller_out_leg_ended(&mut self, leg: LegId, reason: EndReason) {
        let Some(Stage::CallingOut(out)) = self.stage(leg.call) else { return };
        let over = match &out.step {
            Step::Operator(_) => self.calling_leg_ended(leg),
            Step::Resident { operator } => *operator == leg.n,
        };
        if over && out_is_back(self.stage(leg.call)) {
            self.try_failed(leg.call, reason);
        } else if over {
            self.end_call(leg.call, reason);
        }
    }

    /// The call ends before there was a talk: nothing is to be written down.
    pub(super) fn release_caller_out(&mut self, call: CallId) {
        let Some(Stage::CallingOut(out)) = self.stage(call).cloned() else { return };
        if let Step::Operator(_) = out.step {
            self.out.desk(super::output::ToDesk::OfferGone { agent: out.agent.clone(), call });
        }
        self.wrap_up_over(&out.agent);
    }
}

fn out_is_back(stage: Option<&Stage>) -> bool {
    matches!(stage, Some(Stage::CallingOut(CallingOut { back: Some(_), .. })))
}
