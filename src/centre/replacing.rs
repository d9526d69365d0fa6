//! May another phone go on with a leg that is up, and what does that change? INVITE with Replaces from an operator's phone (RFC 3891).

use super::Centre;
use super::agent::State;
use super::call::Stage;
use super::colleague::{Before, Internal, Phase};
use super::consult::Third;
use super::fact::{EndReason, Fact, Party, Role};
use super::ids::{AgentId, LegId, SdpRef};
use super::leg::{Leg, LegState};
use super::output::{ToLine, ToMedia};
use super::supervise::Phone;
use super::talk::{Partner, Talk};

/// Whose phone may not go on with this leg.
const FORBIDDEN: u16 = 403;
/// The leg is not one that anybody can go on with any more (RFC 3891 §3).
const OVER: u16 = 603;
/// The operator has another call.
const BUSY: u16 = 486;

impl Centre {
    /// An operator's phone wants the place of the leg `replaced`: it is answered first, and takes the place once it has sound.
    pub(super) fn replacing(&mut self, leg: LegId, replaced: u16, agent: &AgentId, sdp: Option<SdpRef>) {
        if let Err(status) = self.may_replace(leg, replaced, agent) {
            self.out.line(ToLine::Reject { leg, status, retry_after_s: None });
            return;
        }
        let Some(known) = self.calls.get_mut(&leg.call) else { return };
        let party = Party::Agent(agent.clone());
        let state = LegState::Arriving { late: sdp.is_none() };
        known.legs.insert(leg.n, Leg { replaces: Some(replaced), ..Leg::new(party.clone(), state) });
        self.out.fact(Fact::LegStarted { leg, party });
        self.out.media(ToMedia::Open { leg, offer: sdp });
    }

    /// Errors: the status that refuses it.
    fn may_replace(&self, leg: LegId, replaced: u16, agent: &AgentId) -> Result<(), u16> {
        if !self.settings.agents.contains_key(agent) {
            return Err(FORBIDDEN);
        }
        let known = self.calls.get(&leg.call).ok_or(OVER)?;
        if known.legs.contains_key(&leg.n) {
            return Err(500);
        }
        let old = known.legs.get(&replaced).ok_or(OVER)?;
        let Party::Agent(owner) = &old.party else { return Err(FORBIDDEN) };
        if !matches!(old.state, LegState::Up | LegState::Unknown) {
            return Err(OVER);
        }
        match self.talk(leg.call) {
            _ if owner == agent => Ok(()),
            Some(talk) if talk.leg == replaced && talk.third.is_none() && self.is_at_rest(agent) => Ok(()),
            Some(talk) if talk.leg == replaced => Err(BUSY),
            Some(_) | None => Err(FORBIDDEN),
        }
    }

    /// The new leg has sound: it takes the place, and the old one ends in the same step.
    pub(super) fn replaces(&mut self, leg: LegId, replaced: u16) {
        self.out.fact(Fact::LegAnswered { leg });
        let old = LegId { n: replaced, ..leg };
        let owners = [old, leg].map(|leg| self.leg_mut(leg).map(|known| known.party.clone()));
        let [Some(Party::Agent(owner)), Some(Party::Agent(agent))] = owners else {
            return self.end_leg(leg, EndReason::AnsweredElsewhere);
        };
        self.leg_mut(leg).into_iter().for_each(|known| known.replaces = None);
        if owner == agent {
            self.goes_on_by(old, leg);
        } else if self.may_still_take(&agent, old) {
            self.colleague_takes(old, leg, &agent);
        } else {
            self.end_leg(leg, EndReason::AnsweredElsewhere);
        }
    }

    /// Whoever was free when the phone called may have got another call since.
    fn may_still_take(&self, agent: &AgentId, old: LegId) -> bool {
        self.is_at_rest(agent) && self.talk(old.call).is_some_and(|talk| talk.leg == old.n && talk.third.is_none())
    }

    /// The same operator by another phone: whatever goes on goes on, recording and clock included.
    fn goes_on_by(&mut self, old: LegId, new: LegId) {
        let before = self.arrangement(old.call);
        let held = self.holds_by_phone(old);
        if !self.put_in_place(old, new) {
            return self.end_leg(new, EndReason::AnsweredElsewhere);
        }
        self.out.fact(Fact::LegReplaced { leg: old, by: new });
        if held && self.talk(old.call).is_some() {
            self.out.fact(Fact::Held { leg: new, held: false });
        }
        self.end_leg(old, EndReason::Replaced);
        self.arranged(old.call, &before);
    }

    /// Whether the old leg had a place.
    fn put_in_place(&mut self, old: LegId, new: LegId) -> bool {
        match self.stage_mut(old.call) {
            Some(Stage::Talking(talk)) if talk.leg == old.n => talk.leg = new.n,
            Some(Stage::Talking(talk)) => {
                let third = match &mut talk.third {
                    Some(Third::Consulted { leg, .. } | Third::Guest { leg, .. }) => Some(leg),
                    Some(Third::Called(_)) | None => None,
                };
                let supervisors = talk.supervisors.values_mut().filter_map(|supervisor| match &mut supervisor.phone {
                    Phone::Up { leg } => Some(leg),
                    Phone::Rings { .. } => None,
                });
                let Some(place) = third.into_iter().chain(supervisors).find(|n| **n == old.n) else { return false };
                *place = new.n;
            }
            Some(Stage::Internal(Internal { phase: Phase::Talks { from, to }, .. })) => {
                let Some(place) = [from, to].into_iter().find(|n| **n == old.n) else { return false };
                *place = new.n;
            }
            Some(
                Stage::Arriving
                | Stage::Walking(_)
                | Stage::Waiting(_)
                | Stage::Offered(_)
                | Stage::Dialling(_)
                | Stage::Transferring(_)
                | Stage::CallingOut(_)
                | Stage::Internal(_),
            )
            | None => return false,
        }
        true
    }

    /// A colleague's phone: the talk goes on with the colleague, who goes back to a pause after it; the operator writes things down.
    fn colleague_takes(&mut self, old: LegId, new: LegId, agent: &AgentId) {
        let call = old.call;
        let Some(Stage::Talking(talk)) = self.stage(call).cloned() else { return };
        let Some((from, queue)) = talk.operator() else { return };
        self.out.fact(Fact::TakenOver { call, agent: agent.clone(), from: from.clone() });
        self.give_up_place(call, &talk, EndReason::TakenOver);
        let wish = match self.agent_state(agent) {
            Some(State::Paused { reason }) => Before::Paused { reason: reason.clone() }.wish(),
            Some(State::Offline) => Before::Offline.wish(),
            Some(_) | None => None,
        };
        self.set_agent(agent, State::Talking { call });
        if let Some(known) = self.agents.get_mut(agent) {
            known.wish = wish;
        }
        self.out.fact(Fact::Joined { leg: new, party: Party::Agent(agent.clone()), role: Role::Partner });
        let record = self.queue_settings(queue).is_some_and(|rules| rules.record);
        let partner = Partner::Agent { agent: agent.clone(), queue: queue.clone() };
        self.start_talk(call, Talk { supervisors: talk.supervisors.clone(), ..Talk::new(new.n, partner, self.now) }, record);
    }
}
