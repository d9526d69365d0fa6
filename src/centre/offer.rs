//! Does the operator take the call? An offer is a lease: it rings, it is won by one leg, or it ends and the caller keeps the place.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Centre;
use super::agent::State;
use super::call::Stage;
use super::deadline::Reason;
use super::explanation::Explanation;
use super::fact::{EndReason, Fact, OfferEnd, Party, QueueEnd};
use super::ids::{AgentId, CallId, LegId};
use super::leg::LegState;
use super::output::{Offer, Refusal, Shown, Stands, Target, ToDesk};
use super::queue::Wait;
use super::routing::Decision;
use super::settings::Device;
use super::talk::{Partner, Talk};

/// Who has said yes gets this long until the sound is connected, in milliseconds, also when the offer was about to end.
pub(super) const CONNECT_MS: u64 = 5_000;

/// An automatic callback is accepted so many milliseconds after the desk has shown it: 0 would be never.
const AT_ONCE_MS: u64 = 1;

/// An offer that rings.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Ringing {
    /// The place that the caller keeps.
    pub wait: Wait,
    /// Whom it rings at.
    pub agent: AgentId,
    /// The legs of the attempt, one a phone; the first that is connected wins.
    pub legs: BTreeSet<u16>,
    /// Whether the operator has said yes, at the desk or by picking up.
    pub accepted: bool,
    /// Why it came to this operator.
    pub why: Explanation,
}

impl Centre {
    /// Carries a decision out: the operator is taken, the desk and the phones ring.
    pub(super) fn offer(&mut self, decision: Decision) {
        let Decision { agent, call, why } = decision;
        let Some(wait) = self.wait_of(call).cloned() else { return };
        let offer_ms = self.queue_settings(&wait.queue).map_or(0, |rules| rules.offer_ms);
        self.waiting.offered(call, &wait);
        self.waiting.had_turn(&wait.queue, &agent);
        self.out.fact(Fact::Offered { call, queue: wait.queue.clone(), agent: agent.clone(), why: why.clone() });
        self.set_agent(&agent, State::Offered { call });
        self.deadlines.set(Reason::OfferEnds(call), self.now.plus_ms(offer_ms));
        let ringing = Ringing { wait, agent: agent.clone(), legs: BTreeSet::new(), accepted: false, why };
        self.set_stage(call, Stage::Offered(ringing));
        self.recall_number(call);
        self.show_offer(call);
        if !self.answers_at_desk(&agent) {
            self.ring_phones(call, false);
        }
    }

    /// Shows the offer at the operator's desk; also to a desk that opens while it rings.
    pub(super) fn show_offer(&mut self, call: CallId) {
        let Some(known) = self.calls.get(&call) else { return };
        let Stage::Offered(ringing) = &known.stage else { return self.show_asked(call) };
        let rings_ms = self.queue_settings(&ringing.wait.queue).map_or(0, |rules| rules.offer_ms);
        let auto_answer_ms = self.auto_answer_ms(call, ringing).unwrap_or(0);
        let offer = Offer {
            call,
            caller: self.whose_story(call, known.caller),
            queue: ringing.wait.queue.clone(),
            language: ringing.wait.language,
            topic: known.topic.clone(),
            waited_ms: self.now.ms_since(ringing.wait.since),
            rings_ms,
            why: ringing.why.clone(),
            from: None,
            auto_answer_ms,
            callback: self.offered_callback(call),
        };
        let agent = ringing.agent.clone();
        self.show_at_desk(agent, offer);
    }

    /// Rings at the desk. What is shown is kept for as long as the operator works on it.
    pub(super) fn show_at_desk(&mut self, agent: AgentId, offer: Offer) {
        if let Some(known) = self.agents.get_mut(&agent) {
            let why = Explanation { verdicts: Vec::new(), ..offer.why.clone() };
            known.work = Some(Offer { why, ..offer.clone() });
        }
        self.out.desk(ToDesk::Offer { agent, offer });
    }

    /// A desk has opened while its operator talks or writes the call up: it is shown the call, and how it stands.
    pub(super) fn show_work(&mut self, agent: &AgentId) {
        let Some(known) = self.agents.get(agent) else { return };
        let Some(mut offer) = known.work.clone() else { return };
        let stands = match known.state {
            State::Talking { call } if call == offer.call => {
                let own = self.talk(call).filter(|talk| talk.operator().is_some_and(|(talking, _)| talking == agent));
                if own.is_some() {
                    offer.from = None;
                }
                own.and_then(Talk::stands)
            }
            State::WrapUp => Some(Stands::Ended),
            _ => return,
        };
        self.out.desk(ToDesk::Work { agent: agent.clone(), offer, stands });
    }

    /// A leg to each phone of the operator.
    fn ring_phones(&mut self, call: CallId, auto_answer: bool) {
        let Some(Stage::Offered(ringing)) = self.stage(call) else { return };
        let agent = ringing.agent.clone();
        let Some(shown) = self.calls.get(&call).map(|known| Shown::Resident(known.caller)) else { return };
        for target in self.targets(&agent) {
            let leg = self.open_leg(
                call,
                Party::Agent(agent.clone()),
                LegState::Opening { target, shown: shown.clone(), auto_answer, replaces: None },
            );
            if let (Some(leg), Some(Stage::Offered(ringing))) = (leg, self.stage_mut(call)) {
                ringing.legs.insert(leg.n);
            }
        }
    }

    pub(super) fn targets(&self, agent: &AgentId) -> Vec<Target> {
        match self.settings.agents.get(agent).map(|known| &known.device) {
            Some(Device::Fixed { address }) => vec![Target::Address(address.clone())],
            Some(Device::Phone { .. }) => {
                self.agents.get(agent).map_or(Vec::new(), |known| known.contacts.iter().copied().map(Target::Contact).collect())
            }
            Some(Device::Browser) if self.can_be_rung(agent) => vec![Target::Browser(agent.clone())],
            Some(Device::Browser) | None => Vec::new(),
        }
    }

    pub(super) fn answers_at_desk(&self, agent: &AgentId) -> bool {
        matches!(
            self.settings.agents.get(agent).map(|known| &known.device),
            Some(Device::Browser | Device::Phone { answer_at_desk: true, .. })
        )
    }

    pub(super) fn is_at_page(&self, agent: &AgentId) -> bool {
        matches!(self.settings.agents.get(agent).map(|known| &known.device), Some(Device::Browser))
    }

    /// After how long an offer that rings is accepted by itself; `None` where the operator accepts.
    fn auto_answer_ms(&self, call: CallId, ringing: &Ringing) -> Option<u64> {
        let wanted = self.queue_settings(&ringing.wait.queue).map_or(0, |rules| rules.auto_answer_ms);
        let by_itself = self.settings.callbacks.automatic && self.is_callback(call);
        let wanted = if by_itself { AT_ONCE_MS } else { wanted };
        (wanted > 0 && self.answers_at_desk(&ringing.agent)).then_some(wanted)
    }

    /// The desk has shown the offer: from here on the time runs after which it is accepted by itself.
    pub(super) fn will_answer_by_itself(&mut self, agent: &AgentId, call: CallId) {
        let Some(Stage::Offered(ringing)) = self.stage(call) else { return };
        if let Some(after_ms) = self.auto_answer_ms(call, ringing).filter(|_| ringing.agent == *agent) {
            self.deadlines.set_first(Reason::AutoAnswer(call), self.now.plus_ms(after_ms));
        }
    }

    pub(super) fn answer_by_itself(&mut self, call: CallId) {
        let Some(Stage::Offered(ringing)) = self.stage(call) else { return };
        let agent = ringing.agent.clone();
        self.accept_at_desk(&agent, call);
    }

    /// The operator says "yes" at the desk: the phone is called and picks up by itself.
    pub(super) fn accept_at_desk(&mut self, agent: &AgentId, call: CallId) {
        if self.rings_at_page(agent, call) {
            return self.accept_colleague(agent, call);
        }
        let ringing = match self.stage_mut(call) {
            Some(Stage::Offered(ringing)) if ringing.agent == *agent => ringing,
            _ => return self.accept_asked(agent, call),
        };
        let again = ringing.accepted;
        if !self.answers_at_desk(agent) {
            self.out.desk(ToDesk::Refused { agent: agent.clone(), why: Refusal::PickUpThePhone });
        } else if !again {
            self.give_time_to_connect(call);
            self.ring_phones(call, true);
        }
    }

    /// The operator has said yes for the first time, at the desk or by picking up: the offer's end waits for the sound.
    pub(super) fn give_time_to_connect(&mut self, call: CallId) {
        let until = self.now.plus_ms(CONNECT_MS);
        let Some(Stage::Offered(ringing)) = self.stage_mut(call) else { return };
        if !std::mem::replace(&mut ringing.accepted, true) {
            self.deadlines.put_off(Reason::OfferEnds(call), until);
        }
    }

    /// A leg of the attempt is over without having won.
    pub(super) fn attempt_leg_ended(&mut self, leg: LegId, how: OfferEnd) {
        let Some(Stage::Offered(ringing)) = self.stage_mut(leg.call) else { return };
        ringing.legs.remove(&leg.n);
        if ringing.legs.is_empty() {
            self.offer_failed(leg.call, how);
        }
    }

    /// Sound flows to this phone: it has won. In one transition the losers are released, the caller leaves the queue and both talk.
    pub(super) fn commit(&mut self, leg: LegId) {
        let call = leg.call;
        let Some(Stage::Offered(ringing)) = self.stage(call) else { return };
        let Ringing { wait, agent, legs, .. } = ringing.clone();
        self.deadlines.cancel(&Reason::OfferEnds(call));
        self.deadlines.cancel(&Reason::AutoAnswer(call));
        for loser in legs.into_iter().filter(|n| *n != leg.n) {
            self.end_leg(LegId { call, n: loser }, EndReason::AnsweredElsewhere);
        }
        self.out.fact(Fact::OfferEnded { call, agent: agent.clone(), how: OfferEnd::Answered });
        self.out.desk(ToDesk::OfferGone { agent: agent.clone(), call });
        if self.is_callback(call) {
            return self.call_back(leg, agent, wait);
        }
        self.answer_wait(call, agent, wait, leg.n);
    }

    /// Operator and resident have sound: the wait is over, and they talk.
    pub(super) fn answer_wait(&mut self, call: CallId, agent: AgentId, wait: Wait, n: u16) {
        self.leave_queue(call, QueueEnd::Answered);
        self.out.fact(Fact::Connected { call, queue: wait.queue.clone(), agent: agent.clone(), waited_ms: self.now.ms_since(wait.since) });
        self.is_busy_with(&agent, &wait.queue);
        self.set_agent(&agent, State::Talking { call });
        self.agents.get_mut(&agent).into_iter().for_each(|known| known.answered = known.answered.saturating_add(1));
        let record = self.queue_settings(&wait.queue).is_some_and(|rules| rules.record);
        self.called_again(call, &wait.queue);
        let partner = Partner::Agent { agent, queue: wait.queue };
        self.start_talk(call, Talk::new(n, partner, self.now), record);
    }

    /// An operator does not take what is offered to them, or a number outside does not: whoever wanted it goes on without them.
    pub(super) fn offer_failed(&mut self, call: CallId, how: OfferEnd) {
        match self.stage(call) {
            Some(Stage::Offered(_)) => self.queue_offer_failed(call, how),
            Some(Stage::Talking(_)) => self.consult_failed(call, how),
            Some(Stage::Transferring(_)) => self.transfer_failed(call, how),
            Some(
                Stage::Arriving | Stage::Walking(_) | Stage::Waiting(_) | Stage::Dialling(_) | Stage::CallingOut(_) | Stage::Internal(_),
            )
            | None => {}
        }
    }

    /// The offer is over and nobody has won it: the caller keeps place and age, the operator is set aside.
    fn queue_offer_failed(&mut self, call: CallId, how: OfferEnd) {
        let Some(agent) = self.end_offer(call, how) else { return };
        if let Some(wait) = self.wait_of(call).cloned() {
            self.waiting.seek(call, &wait);
            self.set_stage(call, Stage::Waiting(wait));
        }
        self.match_callback(call);
        self.set_aside(&agent, how);
        self.overflow_if_overdue(call);
    }

    /// The caller is gone while an offer rings: the operator is free at once, and nothing was their fault.
    pub(super) fn offer_without_caller(&mut self, call: CallId) {
        let Some(agent) = self.end_offer(call, OfferEnd::CallerGone) else { return };
        self.let_go(&agent);
    }

    /// The process in which it rang has ended: the caller keeps place and age, and is held back until the leg is known again.
    pub(super) fn offer_cut_off(&mut self, call: CallId) {
        let Some(agent) = self.end_offer(call, OfferEnd::AgentGone) else { return };
        if let Some(wait) = self.wait_of(call).cloned() {
            self.set_stage(call, Stage::Waiting(wait));
        }
        self.set_aside(&agent, OfferEnd::AgentGone);
    }

    /// Releases the phones and the desk of an offer and tells how it ended; the stage and the operator are the caller's to set.
    fn end_offer(&mut self, call: CallId, how: OfferEnd) -> Option<AgentId> {
        let Some(Stage::Offered(ringing)) = self.stage(call) else { return None };
        let (agent, legs) = (ringing.agent.clone(), ringing.legs.clone());
        self.deadlines.cancel(&Reason::OfferEnds(call));
        self.deadlines.cancel(&Reason::AutoAnswer(call));
        for n in legs {
            self.end_leg(LegId { call, n }, EndReason::GivenUp);
        }
        self.out.fact(Fact::OfferEnded { call, agent: agent.clone(), how });
        self.out.desk(ToDesk::OfferGone { agent: agent.clone(), call });
        Some(agent)
    }
}
