//! How is somebody called into a call? All their phones ring, the first with sound is taken, the others are released in the same step.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Centre;
use super::agent::State;
use super::call::Stage;
use super::call_out::{CallingOut, Step};
use super::consult::Third;
use super::deadline::Reason;
use super::dialplan::Action;
use super::explanation::{Explanation, Rule};
use super::fact::{EndReason, OfferEnd, Party};
use super::ids::{AgentId, CallId, CallTo, LegId, QueueId};
use super::leg::LegState;
use super::offer::CONNECT_MS;
use super::output::{Offer, Refusal, Shown, Target, ToDesk};

/// Somebody rings who was called in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Calling {
    /// Who.
    pub party: Party,
    /// Who wants them.
    pub from: AgentId,
    /// The legs of the attempt, one a phone.
    pub legs: BTreeSet<u16>,
    /// Whether an operator who answers at the desk has said yes.
    pub accepted: bool,
    /// The leg by which they talk with the operator who asks, in a call of the two: theirs takes its place.
    #[serde(default)]
    pub replaces: Option<LegId>,
}

/// Who is to be called, and where.
pub(super) struct Called {
    pub party: Party,
    pub targets: Vec<Target>,
}

impl Calling {
    /// Somebody who is to ring for this operator.
    pub fn new(party: Party, from: &AgentId) -> Calling {
        Calling { party, from: from.clone(), legs: BTreeSet::new(), accepted: false, replaces: None }
    }

    /// The operator who rings, if it is one.
    pub fn agent(&self) -> Option<&AgentId> {
        match &self.party {
            Party::Agent(agent) => Some(agent),
            Party::Resident | Party::Outside(_) | Party::Number(_) => None,
        }
    }
}

impl Centre {
    /// Who is meant, and whether they can be called now. A queue is nobody in particular.
    pub(super) fn whom(&self, to: &CallTo) -> Result<Called, Refusal> {
        match to {
            CallTo::Queue(_) => Err(Refusal::UnknownTarget),
            CallTo::Agent(agent) => match self.agent_state(agent).filter(|_| self.settings.agents.contains_key(agent)) {
                Some(State::Ready) => Ok(Called { party: Party::Agent(agent.clone()), targets: self.targets(agent) }),
                Some(_) => Err(Refusal::NotFree),
                None => Err(Refusal::UnknownTarget),
            },
            CallTo::Service(name) => {
                let address = self.service(name).ok_or(Refusal::UnknownTarget)?;
                Ok(Called { party: Party::Outside(name.clone()), targets: vec![Target::Address(address)] })
            }
            CallTo::Outside(number) if number.is_withheld() => Err(Refusal::UnknownTarget),
            CallTo::Outside(number) => Ok(Called { party: Party::Number(*number), targets: vec![Target::Outside(*number)] }),
        }
    }

    /// The address of a service, from the first plan that dials it.
    fn service(&self, name: &str) -> Option<String> {
        let steps = self.settings.numbers.values().flat_map(|plan| plan.steps.values());
        let address = |action: &Action| match action {
            Action::Dial { party, address, .. } if party == name => Some(address.clone()),
            Action::Dial { .. }
            | Action::Play { .. }
            | Action::Language { .. }
            | Action::Menu { .. }
            | Action::Hours { .. }
            | Action::Queue { .. }
            | Action::Callback { .. }
            | Action::HangUp { .. } => None,
        };
        steps.into_iter().find_map(|step| address(&step.action))
    }

    /// What somebody who is called in sees: an operator the resident, everybody else the city.
    fn shown_to(&self, call: CallId, party: &Party) -> Option<Shown> {
        let known = self.calls.get(&call)?;
        Some(match party {
            Party::Agent(_) => Shown::Resident(known.caller),
            Party::Resident | Party::Outside(_) | Party::Number(_) => Shown::City(known.number.clone()),
        })
    }

    /// Rings them: at once at their phones, or at the desk of an operator who answers there. The stage that is called for must be set.
    pub(super) fn ring(&mut self, call: CallId, called: Called, queue: &QueueId) {
        let Called { party, targets } = called;
        let agent = match &party {
            Party::Agent(agent) => Some(agent.clone()),
            Party::Resident | Party::Outside(_) | Party::Number(_) => None,
        };
        let offer_ms = self.queue_settings(queue).map_or(0, |rules| rules.offer_ms);
        let rings_ms = if agent.is_some() { offer_ms } else { self.settings.limits.dial_ms };
        self.deadlines.set(Reason::CallingEnds(call), self.now.plus_ms(rings_ms));
        // Who talks already has the phone in their hand.
        let talks = self.calling(call).is_some_and(|calling| calling.replaces.is_some());
        let at_desk = !talks && agent.as_ref().is_some_and(|agent| self.answers_at_desk(agent));
        if let Some(agent) = agent {
            self.set_agent(&agent, State::Offered { call });
            self.show_asked(call);
        }
        if !at_desk {
            self.ring_at(call, party, targets, false);
        }
    }

    fn ring_at(&mut self, call: CallId, party: Party, targets: Vec<Target>, auto_answer: bool) {
        let Some(shown) = self.shown_to(call, &party) else { return };
        let replaces = self.calling(call).and_then(|calling| calling.replaces);
        let legs = self.open_legs(call, &party, targets, &shown, auto_answer, replaces);
        if let Some(calling) = self.calling_mut(call) {
            calling.legs = legs;
        }
    }

    /// A leg to each of these targets.
    pub(super) fn open_legs(
        &mut self,
        call: CallId,
        party: &Party,
        targets: Vec<Target>,
        shown: &Shown,
        auto_answer: bool,
        replaces: Option<LegId>,
    ) -> BTreeSet<u16> {
        let state = |target| LegState::Opening { target, shown: shown.clone(), auto_answer, replaces };
        targets.into_iter().filter_map(|target| self.open_leg(call, party.clone(), state(target))).map(|leg| leg.n).collect()
    }

    /// Tells an operator's desk who asks for them; also a desk that opens while it rings.
    pub(super) fn show_asked(&mut self, call: CallId) {
        let Some((calling, known)) = self.calling(call).zip(self.calls.get(&call)) else { return };
        let (Some(agent), Some(queue)) = (calling.agent().cloned(), known.queue().cloned()) else { return };
        let rings_ms = self.queue_settings(&queue).map_or(0, |rules| rules.offer_ms);
        let offer = Offer {
            call,
            caller: known.caller,
            queue,
            language: self.language_of(call),
            topic: known.topic.clone(),
            waited_ms: 0,
            rings_ms,
            why: Explanation { rule: Rule::AskedFor, ..Explanation::default() },
            from: Some(calling.from.clone()),
            auto_answer_ms: 0,
            callback: None,
        };
        self.show_at_desk(agent, offer);
    }

    /// An operator who answers at the desk says yes.
    pub(super) fn accept_asked(&mut self, agent: &AgentId, call: CallId) {
        let at_desk = self.answers_at_desk(agent);
        let again = match self.calling_mut(call) {
            Some(calling) if calling.agent() == Some(agent) => at_desk && std::mem::replace(&mut calling.accepted, true),
            Some(_) | None => {
                self.out.desk(ToDesk::Refused { agent: agent.clone(), why: Refusal::OfferOver });
                return;
            }
        };
        if !at_desk {
            self.out.desk(ToDesk::Refused { agent: agent.clone(), why: Refusal::PickUpThePhone });
        } else if !again {
            self.deadlines.put_off(Reason::CallingEnds(call), self.now.plus_ms(CONNECT_MS));
            let targets = self.targets(agent);
            self.ring_at(call, Party::Agent(agent.clone()), targets, true);
        }
    }

    /// One of the phones has sound: the others are released, and nothing rings any more. The operator is the caller's to set.
    pub(super) fn calling_won(&mut self, call: CallId, calling: &Calling, winner: u16) {
        self.deadlines.cancel(&Reason::CallingEnds(call));
        for n in calling.legs.iter().copied().filter(|n| *n != winner) {
            self.end_leg(LegId { call, n }, EndReason::AnsweredElsewhere);
        }
        if let Some(agent) = calling.agent().cloned() {
            self.out.desk(ToDesk::OfferGone { agent: agent.clone(), call });
            self.set_agent(&agent, State::Talking { call });
        }
    }

    /// Nobody took it, or nobody wants it any more: everything that rings is released. `how` is what it was to an operator.
    pub(super) fn calling_over(&mut self, call: CallId, calling: &Calling, how: OfferEnd) {
        self.deadlines.cancel(&Reason::CallingEnds(call));
        for n in &calling.legs {
            self.end_leg(LegId { call, n: *n }, EndReason::GivenUp);
        }
        let Some(agent) = calling.agent().cloned() else { return };
        self.out.desk(ToDesk::OfferGone { agent: agent.clone(), call });
        match how {
            OfferEnd::CallerGone => self.let_go(&agent),
            OfferEnd::Answered | OfferEnd::Declined | OfferEnd::NoAnswer | OfferEnd::Failed(_) | OfferEnd::AgentGone => {
                self.set_aside(&agent, how);
            }
        }
    }

    /// A phone that rang is over; whether it was the last one.
    pub(super) fn calling_leg_ended(&mut self, leg: LegId) -> bool {
        let Some(calling) = self.calling_mut(leg.call) else { return false };
        calling.legs.remove(&leg.n) && calling.legs.is_empty()
    }

    /// Who rings has picked up: the end of the ringing waits for the sound.
    pub(super) fn give_called_time(&mut self, leg: LegId) {
        let until = self.now.plus_ms(CONNECT_MS);
        let supervisor = self.supervisor_of(leg);
        match supervisor {
            Some(agent) => self.deadlines.put_off(Reason::SupervisorRings(agent), until),
            None => self.deadlines.put_off(Reason::CallingEnds(leg.call), until),
        }
    }

    /// Time is up for whoever is called in.
    pub(super) fn calling_ends(&mut self, call: CallId) {
        match self.stage(call) {
            Some(Stage::CallingOut(CallingOut { back: Some(_), .. })) => self.try_failed(call, EndReason::NotReached),
            Some(Stage::CallingOut(_)) => self.end_call(call, EndReason::NotReached),
            Some(Stage::Internal(_)) => self.colleague_did_not_answer(call),
            Some(
                Stage::Arriving
                | Stage::Walking(_)
                | Stage::Waiting(_)
                | Stage::Offered(_)
                | Stage::Dialling(_)
                | Stage::Talking(_)
                | Stage::Transferring(_),
            )
            | None => self.offer_failed(call, OfferEnd::NoAnswer),
        }
    }

    /// Who is being called into this call, for the talk or for the resident; supervisors are called beside it.
    pub(super) fn calling(&self, call: CallId) -> Option<&Calling> {
        match self.stage(call)? {
            Stage::Talking(talk) => match talk.third.as_ref()? {
                Third::Called(calling) => Some(calling),
                Third::Consulted { .. } | Third::Guest { .. } => None,
            },
            Stage::Transferring(transfer) => Some(&transfer.calling),
            Stage::CallingOut(out) => match &out.step {
                Step::Operator(calling) => Some(calling),
                Step::Resident { .. } => None,
            },
            Stage::Arriving | Stage::Walking(_) | Stage::Waiting(_) | Stage::Offered(_) | Stage::Dialling(_) | Stage::Internal(_) => None,
        }
    }

    pub(super) fn calling_mut(&mut self, call: CallId) -> Option<&mut Calling> {
        match self.stage_mut(call)? {
            Stage::Talking(talk) => match talk.third.as_mut()? {
                Third::Called(calling) => Some(calling),
                Third::Consulted { .. } | Third::Guest { .. } => None,
            },
            Stage::Transferring(transfer) => Some(&mut transfer.calling),
            Stage::CallingOut(out) => match &mut out.step {
                Step::Operator(calling) => Some(calling),
                Step::Resident { .. } => None,
            },
            Stage::Arriving | Stage::Walking(_) | Stage::Waiting(_) | Stage::Offered(_) | Stage::Dialling(_) | Stage::Internal(_) => None,
        }
    }
}
