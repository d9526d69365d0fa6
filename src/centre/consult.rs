//! Whom does an operator ask while the resident hears music? Asking, taking all three together, handing over, and coming back.

use serde::{Deserialize, Serialize};

use super::Centre;
use super::call::Stage;
use super::calling::Calling;
use super::fact::{ConsultEnd, EndReason, Fact, OfferEnd, Party, Role};
use super::ids::{AgentId, CallId, CallTo, LegId};
use super::output::Refusal;
use super::talk::{Partner, Talk};

/// Who was called in beside the operator.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Third {
    /// Rings; the resident hears music.
    Called(Calling),
    /// Is asked; the resident hears music.
    Consulted { party: Party, leg: u16 },
    /// Talks with both.
    Guest { party: Party, leg: u16 },
}

impl Third {
    /// The leg of one who has answered.
    pub fn up(&self) -> Option<u16> {
        match self {
            Third::Called(_) => None,
            Third::Consulted { leg, .. } | Third::Guest { leg, .. } => Some(*leg),
        }
    }

    /// Whether it is this operator, with sound.
    pub fn is_agent(&self, agent: &AgentId) -> bool {
        match self {
            Third::Called(_) => false,
            Third::Consulted { party, .. } | Third::Guest { party, .. } => *party == Party::Agent(agent.clone()),
        }
    }

    /// Whether this leg is one of theirs.
    pub fn has_leg(&self, n: u16) -> bool {
        match self {
            Third::Called(calling) => calling.legs.contains(&n),
            Third::Consulted { leg, .. } | Third::Guest { leg, .. } => *leg == n,
        }
    }
}

impl Centre {
    /// The operator asks somebody. A hold ends with it: when the consultation is over, the resident is back.
    pub(super) fn consult(&mut self, agent: &AgentId, call: CallId, with: &CallTo) -> Result<(), Refusal> {
        let talk = self.own_talk(agent, call)?;
        if talk.third.is_some() {
            return Err(Refusal::NotNow);
        }
        let Some(queue) = talk.operator().map(|(_, queue)| queue.clone()) else { return Err(Refusal::NotYourTalk) };
        let called = self.whom(with)?;
        self.out.fact(Fact::ConsultStarted { call, agent: agent.clone(), with: called.party.clone() });
        let calling = Calling::new(called.party.clone(), agent);
        self.set_hold_told(call);
        self.rearrange(call, |talk| (talk.hold, talk.third) = (false, Some(Third::Called(calling))));
        self.ring(call, called, &queue);
        Ok(())
    }

    /// A hold that a consultation takes the place of is over; the resident goes on hearing music.
    fn set_hold_told(&mut self, call: CallId) {
        if let Some(talk) = self.talk(call).filter(|talk| talk.hold) {
            let leg = LegId { call, n: talk.leg };
            if !self.holds_by_phone(leg) {
                self.out.fact(Fact::Held { leg, held: false });
            }
        }
    }

    /// Who is asked has sound.
    pub(super) fn consultant_up(&mut self, leg: LegId) {
        let Some(calling) = self.calling(leg.call).cloned() else { return };
        self.calling_won(leg.call, &calling, leg.n);
        let party = calling.party;
        self.out.fact(Fact::Joined { leg, party: party.clone(), role: Role::Consultant });
        self.rearrange(leg.call, |talk| talk.third = Some(Third::Consulted { party, leg: leg.n }));
    }

    /// Who is asked did not take part: the resident is back with the operator.
    pub(super) fn consult_failed(&mut self, call: CallId, how: OfferEnd) {
        let Some(calling) = self.calling(call).cloned() else { return };
        self.consult_ended(call, ConsultEnd::NotTaken(how));
        self.calling_over(call, &calling, how);
        self.rearrange(call, |talk| talk.third = None);
    }

    fn consult_ended(&mut self, call: CallId, how: ConsultEnd) {
        if let Some((agent, _)) = self.talk(call).and_then(Talk::operator) {
            self.out.fact(Fact::ConsultEnded { call, agent: agent.clone(), how });
        }
    }

    /// The operator lets them go, whether they ring, are asked or talk along.
    pub(super) fn end_consult(&mut self, agent: &AgentId, call: CallId) -> Result<(), Refusal> {
        self.own_talk(agent, call)?.third.as_ref().ok_or(Refusal::NotNow)?;
        self.third_goes(call, ConsultEnd::Ended);
        Ok(())
    }

    /// The consultant leaves at their own desk.
    pub(super) fn consultant_leaves(&mut self, call: CallId) {
        self.third_goes(call, ConsultEnd::ConsultantGone);
    }

    /// The leg of the consultant is over: the resident is back with the operator, who talks on.
    pub(super) fn third_leg_ended(&mut self, leg: LegId, how: OfferEnd) {
        if self.calling(leg.call).is_none() {
            self.third_goes(leg.call, ConsultEnd::ConsultantGone);
        } else if self.calling_leg_ended(leg) {
            self.consult_failed(leg.call, how);
        }
    }

    /// Releases whoever was called in; the talk is between two again.
    fn third_goes(&mut self, call: CallId, how: ConsultEnd) {
        let Some(third) = self.talk(call).and_then(|talk| talk.third.clone()) else { return };
        self.consult_ended(call, how);
        match third {
            Third::Called(calling) => self.calling_over(call, &calling, OfferEnd::CallerGone),
            Third::Consulted { party, leg } | Third::Guest { party, leg } => {
                self.end_leg(LegId { call, n: leg }, EndReason::ConsultOver);
                if let Party::Agent(agent) = party {
                    self.wrap_up_over(&agent);
                }
            }
        }
        self.rearrange(call, |talk| talk.third = None);
    }

    /// The call is over: who was called in is free again; the legs end with the call.
    pub(super) fn release_third(&mut self, call: CallId, talk: &Talk) {
        match &talk.third {
            Some(Third::Called(calling)) => {
                self.consult_ended(call, ConsultEnd::CallOver);
                self.calling_over(call, calling, OfferEnd::CallerGone);
            }
            Some(Third::Consulted { party, .. } | Third::Guest { party, .. }) => {
                self.consult_ended(call, ConsultEnd::CallOver);
                if let Party::Agent(agent) = party {
                    self.wrap_up_over(&agent.clone());
                }
            }
            None => {}
        }
    }

    /// Resident, operator and consultant all talk.
    pub(super) fn conference(&mut self, agent: &AgentId, call: CallId) -> Result<(), Refusal> {
        let talk = self.own_talk(agent, call)?;
        let Some(Third::Consulted { party, leg }) = talk.third.clone() else { return Err(Refusal::NotNow) };
        self.out.fact(Fact::Joined { leg: LegId { call, n: leg }, party: party.clone(), role: Role::Guest });
        self.rearrange(call, |talk| talk.third = Some(Third::Guest { party, leg }));
        Ok(())
    }

    /// The operator leaves the resident to the consultant; one who still rings rings on for the resident.
    pub(super) fn complete_consult(&mut self, agent: &AgentId, call: CallId) -> Result<(), Refusal> {
        self.own_talk(agent, call)?.third.as_ref().ok_or(Refusal::NotNow)?;
        self.partner_leaves(call, EndReason::OperatorHungUp);
        Ok(())
    }

    /// The third takes the partner's place. Supervisors stay with an operator, and leave a talk that none is in.
    pub(super) fn third_takes_over(&mut self, call: CallId, party: Party, leg: u16) {
        let Some(Stage::Talking(talk)) = self.stage(call).cloned() else { return };
        let Some((_, queue)) = talk.operator() else { return };
        self.consult_ended(call, ConsultEnd::Completed);
        let partner = match &party {
            Party::Agent(agent) => Partner::Agent { agent: agent.clone(), queue: queue.clone() },
            Party::Resident | Party::Outside(_) | Party::Number(_) => Partner::Outside,
        };
        let record = self.queue_settings(queue).is_some_and(|rules| rules.record);
        self.give_up_place(call, &talk, EndReason::Transferred);
        if partner == Partner::Outside {
            self.end_supervisions(call);
        }
        self.out.fact(Fact::Joined { leg: LegId { call, n: leg }, party, role: Role::Partner });
        let supervisors = self.talk(call).map(|talk| talk.supervisors.clone()).unwrap_or_default();
        self.start_talk(call, Talk { supervisors, ..Talk::new(leg, partner, self.now) }, record);
    }

    /// The partner's part ends and their leg with it; the resident and all others stay.
    pub(super) fn give_up_place(&mut self, call: CallId, talk: &Talk, reason: EndReason) {
        self.end_talk(call, talk);
        self.end_leg(LegId { call, n: talk.leg }, reason);
    }
}
