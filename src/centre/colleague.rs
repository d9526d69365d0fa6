//! How do two operators call each other by their own phones? Without a queue and without a resident; when it is over, both go on as before.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Centre;
use super::agent::{State, Wish, state_of};
use super::call::{Call, RETRY_AFTER_S, Stage};
use super::deadline::Reason;
use super::early::Early;
use super::explanation::{Explanation, Rule};
use super::fact::{EndReason, Fact, OfferEnd, Party};
use super::ids::{AgentId, CallId, CallerRef, Language, LegId, NumberId, PauseReason, QueueId, SdpRef};
use super::leg::{Leg, LegState};
use super::offer::CONNECT_MS;
use super::output::{Offer, Shown, ToDesk, ToLine, ToMedia};
use super::room::{Arrangement, Room};
use super::time::Time;
use super::wrap_up::COOL_OFF;

/// The status when a colleague's phones ring and nobody answers, or none is registered (RFC 3261 §21.4.18).
const NOT_THERE: u16 = 480;

/// A call between two operators.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Internal {
    /// Who calls.
    pub from: AgentId,
    /// Who is called.
    pub to: AgentId,
    /// How far it is.
    pub phase: Phase,
}

/// How far a call between two operators is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Phase {
    /// These legs ring; the caller's own waits for an answer. `at_desk`: the colleague's page rings, and they have not said yes.
    Rings {
        legs: BTreeSet<u16>,
        #[serde(default)]
        at_desk: bool,
    },
    /// They talk, by these legs.
    Talks { from: u16, to: u16 },
}

/// What an operator did before a call with a colleague, and does again after it. `until` is when it would have ended by itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Before {
    /// Not signed in.
    Offline,
    /// Took calls.
    Ready,
    /// Wrote down what the last call was.
    WrapUp { until: Option<Time> },
    /// Took no calls, because.
    Paused { reason: PauseReason },
    /// Had not answered an offer.
    NotResponding { until: Option<Time> },
}

impl Before {
    /// What a wish leads to.
    pub fn of_wish(wish: Wish) -> Before {
        match wish {
            Wish::Pause(reason) => Before::Paused { reason },
            Wish::SignOut => Before::Offline,
            Wish::CoolOff => Before::Paused { reason: PauseReason::from(COOL_OFF) },
        }
    }

    /// The wish that leads to it, for one who is taken into a talk instead.
    pub fn wish(&self) -> Option<Wish> {
        match self {
            Before::Paused { reason } => Some(Wish::Pause(reason.clone())),
            Before::Offline => Some(Wish::SignOut),
            Before::Ready | Before::WrapUp { .. } | Before::NotResponding { .. } => None,
        }
    }
}

impl Internal {
    /// The other side of an operator's leg, with its own leg where that has sound: who calls is on leg `from`, 0 until another phone
    /// of theirs takes its place.
    pub fn colleague(&self, agent: &AgentId, n: u16) -> Option<(&AgentId, Option<u16>)> {
        match &self.phase {
            Phase::Rings { .. } => (*agent == self.from && n == 0).then_some((&self.to, None)),
            Phase::Talks { from, to } if *agent == self.from && n == *from => Some((&self.to, Some(*to))),
            Phase::Talks { from, to } if *agent == self.to && n == *to => Some((&self.from, Some(*from))),
            Phase::Talks { .. } => None,
        }
    }

    fn is_of(&self, agent: &AgentId) -> bool {
        self.from == *agent || self.to == *agent
    }
}

impl Centre {
    /// An operator's phone calls a colleague.
    pub(super) fn phone_called(&mut self, call: CallId, from: &AgentId, to: &AgentId, sdp: Option<SdpRef>) {
        self.highest_call = self.highest_call.max(call);
        if self.calls.contains_key(&call) || self.early_ends.remove(&call) {
            return;
        }
        let leg = LegId::caller(call);
        if let Some(status) = self.why_not_internal(from, to) {
            self.out.line(ToLine::Reject { leg, status, retry_after_s: (status == 503).then_some(RETRY_AFTER_S) });
            return;
        }
        self.out.fact(Fact::ColleagueCalled { call, from: from.clone(), to: to.clone() });
        self.out.fact(Fact::LegStarted { leg, party: Party::Agent(from.clone()) });
        self.calls.insert(call, Call::between(from, to, self.now, sdp.is_none()));
        self.is_internal(from, call);
        self.is_internal(to, call);
        self.out.media(ToMedia::Open { leg, offer: sdp });
        if self.is_at_page(to) {
            self.ring_page(call);
        } else {
            self.ring_colleague(call);
        }
        self.deadlines.set(Reason::CallingEnds(call), self.now.plus_ms(self.settings.limits.dial_ms));
    }

    /// Each phone of the colleague rings; a page is connected, because they have said yes.
    fn ring_colleague(&mut self, call: CallId) {
        let Some(Stage::Internal(internal)) = self.stage(call) else { return };
        let (from, to) = (internal.from.clone(), internal.to.clone());
        let targets = self.targets(&to);
        let legs = self.open_legs(call, &Party::Agent(to), targets, &Shown::Operator(from), false, None);
        if let Some(Stage::Internal(internal)) = self.stage_mut(call) {
            internal.phase = Phase::Rings { legs, at_desk: false };
        }
    }

    /// The colleague's page rings, and so does the call at the caller's.
    fn ring_page(&mut self, call: CallId) {
        if let Some(Stage::Internal(internal)) = self.stage_mut(call) {
            internal.phase = Phase::Rings { legs: BTreeSet::new(), at_desk: true };
        }
        self.show_colleague(call);
        self.out.line(ToLine::Ring { leg: LegId::caller(call) });
    }

    /// Tells the colleague's desk who calls; also a desk that opens while it rings.
    pub(super) fn show_colleague(&mut self, call: CallId) {
        let Some(Stage::Internal(Internal { from, to, phase: Phase::Rings { at_desk: true, .. } })) = self.stage(call) else { return };
        let offer = Offer {
            call,
            caller: CallerRef::WITHHELD,
            // It comes by no queue.
            queue: QueueId::from(""),
            language: Language::Kk,
            topic: None,
            waited_ms: 0,
            rings_ms: self.settings.limits.dial_ms,
            why: Explanation { rule: Rule::AskedFor, ..Explanation::default() },
            from: Some(from.clone()),
            auto_answer_ms: 0,
            callback: None,
        };
        let agent = to.clone();
        self.out.desk(ToDesk::Offer { agent, offer });
    }

    /// Whether this colleague's page rings in this call.
    pub(super) fn rings_at_page(&self, agent: &AgentId, call: CallId) -> bool {
        let rings = |internal: &Internal| internal.to == *agent && matches!(internal.phase, Phase::Rings { at_desk: true, .. });
        matches!(self.stage(call), Some(Stage::Internal(internal)) if rings(internal))
    }

    /// The colleague says yes at the page.
    pub(super) fn accept_colleague(&mut self, agent: &AgentId, call: CallId) {
        if !self.can_be_rung(agent) {
            return self.out.desk(ToDesk::Refused { agent: agent.clone(), why: self.missing_device(agent) });
        }
        self.page_rings_no_more(call);
        self.deadlines.put_off(Reason::CallingEnds(call), self.now.plus_ms(CONNECT_MS));
        self.ring_colleague(call);
    }

    fn page_rings_no_more(&mut self, call: CallId) {
        let Some(Stage::Internal(internal)) = self.stage_mut(call) else { return };
        let Phase::Rings { at_desk, .. } = &mut internal.phase else { return };
        if std::mem::take(at_desk) {
            let agent = internal.to.clone();
            self.out.desk(ToDesk::OfferGone { agent, call });
        }
    }

    /// The status that refuses such a call.
    fn why_not_internal(&self, from: &AgentId, to: &AgentId) -> Option<u16> {
        let caller_may = match self.agent_state(from) {
            Some(State::Offered { .. } | State::Supervising { .. } | State::Internal { .. }) => false,
            Some(State::Offline | State::Ready | State::Talking { .. } | State::WrapUp | State::Paused { .. } | State::NotResponding) => {
                self.beside(from).is_none()
            }
            None => return Some(403),
        };
        if !self.settings.agents.contains_key(from) {
            Some(403)
        } else if !self.settings.agents.contains_key(to) {
            Some(404)
        } else if self.is_full() || self.draining {
            Some(503)
        } else if from == to || !caller_may || !self.is_at_rest(to) {
            Some(486)
        } else {
            self.targets(to).is_empty().then_some(NOT_THERE)
        }
    }

    /// Whether an operator has no call of any kind.
    pub(super) fn is_at_rest(&self, agent: &AgentId) -> bool {
        self.beside(agent).is_none()
            && match self.agent_state(agent) {
                Some(State::Offered { .. } | State::Talking { .. } | State::Supervising { .. } | State::Internal { .. }) | None => false,
                Some(State::Offline | State::Ready | State::WrapUp | State::Paused { .. } | State::NotResponding) => true,
            }
    }

    pub(super) fn beside(&self, agent: &AgentId) -> Option<CallId> {
        self.agents.get(agent).and_then(|known| known.beside)
    }

    /// Whoever is at rest shows that they are called or call; who talks with a resident goes on doing so.
    fn is_internal(&mut self, agent: &AgentId, call: CallId) {
        let before = match self.agent_state(agent) {
            Some(State::Offline) => Before::Offline,
            Some(State::Ready) => Before::Ready,
            Some(State::WrapUp) => Before::WrapUp { until: self.deadlines.at(&Reason::WrapUp(agent.clone())) },
            Some(State::Paused { reason }) => Before::Paused { reason: reason.clone() },
            Some(State::NotResponding) => Before::NotResponding { until: self.deadlines.at(&Reason::Rest(agent.clone())) },
            Some(State::Offered { .. } | State::Talking { .. } | State::Supervising { .. } | State::Internal { .. }) | None => {
                self.agents.get_mut(agent).into_iter().for_each(|known| known.beside = Some(call));
                return;
            }
        };
        self.set_agent(agent, State::Internal { call, before });
    }

    /// What an operator does after the call with the colleague, in place of what they did before it.
    pub(super) fn go_on_as(&mut self, agent: &AgentId, after: Before) {
        if let Some(known) = self.agents.get_mut(agent)
            && let State::Internal { before, .. } = &mut known.state
        {
            (*before, known.wish) = (after, None);
        }
    }

    /// The call with a colleague is over for this operator.
    fn goes_on(&mut self, agent: &AgentId, call: CallId) {
        let Some(known) = self.agents.get_mut(agent) else { return };
        known.beside = known.beside.filter(|beside| *beside != call);
        let State::Internal { call: talked, before } = &known.state else { return };
        if *talked != call {
            return;
        }
        match before.clone() {
            _ if !self.settings.agents.contains_key(agent) => self.set_agent(agent, State::Offline),
            Before::WrapUp { until: Some(until) } if until > self.now => {
                self.set_agent(agent, State::WrapUp);
                self.deadlines.set(Reason::WrapUp(agent.clone()), until);
                self.tell_end_of_state(agent);
            }
            Before::Ready | Before::WrapUp { .. } => self.wrap_up_over(agent),
            Before::Offline => self.set_agent(agent, State::Offline),
            Before::Paused { reason } => self.set_agent(agent, state_of(Wish::Pause(reason))),
            Before::NotResponding { until } => self.does_not_respond_again(agent, until),
        }
    }

    fn does_not_respond_again(&mut self, agent: &AgentId, until: Option<Time>) {
        if self.is_ready_by_phone(agent) && !self.can_be_rung(agent) {
            return self.set_agent(agent, State::Offline);
        }
        if until.is_some_and(|until| until <= self.now) && self.can_be_rung(agent) {
            return self.set_agent(agent, State::Ready);
        }
        self.set_agent(agent, State::NotResponding);
        if let Some(until) = until.filter(|until| *until > self.now) {
            self.deadlines.set(Reason::Rest(agent.clone()), until);
        }
    }

    // ---- ringing ----

    /// The first of the colleague's phones rings: so does the call at the caller's.
    pub(super) fn colleague_rings(&mut self, leg: LegId) {
        let leg_of_caller = LegId::caller(leg.call);
        let Some(known) = self.calls.get(&leg.call) else { return };
        let waits = known.legs.get(&0).is_some_and(|leg| matches!(leg.state, LegState::Arriving { .. } | LegState::Waiting { .. }));
        let ringing = known.legs.values().filter(|leg| leg.early == Early::Rings).count();
        if matches!(known.stage, Stage::Internal(_)) && waits && ringing == 1 {
            self.out.line(ToLine::Ring { leg: leg_of_caller });
        }
    }

    /// The port of the caller's leg is open: it is answered when the colleague has.
    pub(super) fn internal_opened(&mut self, call: CallId, sdp: SdpRef, late: bool) {
        if let Some(known) = self.leg_mut(LegId::caller(call)) {
            known.state = LegState::Waiting { sdp, late };
        }
        if matches!(self.stage(call), Some(Stage::Internal(Internal { phase: Phase::Talks { .. }, .. }))) {
            self.answer_caller(call);
        }
    }

    /// One of the colleague's phones has sound: the others are released, and the caller is answered.
    pub(super) fn internal_up(&mut self, leg: LegId) {
        let call = leg.call;
        let Some(Stage::Internal(internal)) = self.stage_mut(call) else { return };
        let talks = Phase::Talks { from: 0, to: leg.n };
        let Phase::Rings { legs, .. } = std::mem::replace(&mut internal.phase, talks) else { return };
        self.deadlines.cancel(&Reason::CallingEnds(call));
        for n in legs.into_iter().filter(|n| *n != leg.n) {
            self.end_leg(LegId { call, n }, EndReason::AnsweredElsewhere);
        }
        self.answer_caller(call);
    }

    fn answer_caller(&mut self, call: CallId) {
        let leg = LegId::caller(call);
        let Some(known) = self.leg_mut(leg) else { return };
        let LegState::Waiting { sdp, late } = known.state else { return };
        known.state = LegState::AwaitingAnswer;
        self.out.line(ToLine::Answer { leg, sdp });
        if !late {
            self.leg_answered(leg);
        }
    }

    /// Both have sound, as far as is known: they hear each other.
    pub(super) fn connect_internal(&mut self, call: CallId) {
        let Arrangement { hears, music } = self.arrangement(call);
        self.out.media(ToMedia::Connect { call, hears });
        self.play_missing_music(call, &music);
        self.judge_lines(call);
    }

    /// The room of a call between operators; both sides of it must have sound.
    pub(super) fn internal_arrangement(&self, call: CallId, known: &Call, internal: &Internal) -> Arrangement {
        let Phase::Talks { from, to } = internal.phase else { return Arrangement::default() };
        let has_sound = |n| known.legs.get(&n).is_some_and(|leg| matches!(leg.state, LegState::Up | LegState::Unknown));
        if !has_sound(from) || !has_sound(to) {
            return Arrangement::default();
        }
        let leg = |n: u16| LegId { call, n };
        let room = Room {
            resident: leg(from),
            partner: leg(to),
            third: None,
            resident_waits: false,
            holding: known.legs.iter().filter(|(_, known)| known.held).map(|(n, _)| leg(*n)).collect(),
            supervisors: Vec::new(),
        };
        room.arrange()
    }

    /// Whether this phone rings for a colleague's call.
    pub(super) fn rings_internally(&self, leg: LegId) -> bool {
        matches!(self.stage(leg.call), Some(Stage::Internal(Internal { phase: Phase::Rings { legs, .. }, .. })) if legs.contains(&leg.n))
    }

    // ---- the end ----

    /// A leg that is not the first one is over: with the last that rings, or with one that talks, so is the call.
    pub(super) fn internal_leg_ended(&mut self, leg: LegId, how: OfferEnd, reason: EndReason) {
        let Some(Stage::Internal(internal)) = self.stage_mut(leg.call) else { return };
        match &mut internal.phase {
            Phase::Talks { from, to } if leg.n == *from || leg.n == *to => self.end_call(leg.call, reason),
            Phase::Talks { .. } => {}
            Phase::Rings { legs, .. } => {
                if legs.remove(&leg.n) && legs.is_empty() {
                    let status = if let OfferEnd::Failed(status @ 400..=699) = how { status } else { NOT_THERE };
                    self.refuse_caller(leg.call, status, EndReason::Refused);
                }
            }
        }
    }

    /// Nobody answered in time.
    pub(super) fn colleague_did_not_answer(&mut self, call: CallId) {
        self.refuse_caller(call, NOT_THERE, EndReason::NotReached);
    }

    fn refuse_caller(&mut self, call: CallId, status: u16, reason: EndReason) {
        let leg = LegId::caller(call);
        if let Some(LegState::Arriving { .. } | LegState::Waiting { .. }) = self.leg_mut(leg).map(|known| known.state.clone()) {
            self.out.line(ToLine::Reject { leg, status, retry_after_s: None });
            self.drop_leg(leg, reason);
        }
        self.end_call(call, reason);
    }

    /// Hung up at a desk, by either.
    pub(super) fn internal_hung_up(&mut self, agent: &AgentId, call: CallId) {
        if matches!(self.stage(call), Some(Stage::Internal(internal)) if internal.is_of(agent)) {
            self.refuse_caller(call, 603, EndReason::OperatorHungUp);
        }
    }

    /// Both operators go on as before; the legs end with the call.
    pub(super) fn release_internal(&mut self, call: CallId) {
        self.page_rings_no_more(call);
        let Some(Stage::Internal(internal)) = self.stage(call).cloned() else { return };
        self.goes_on(&internal.from, call);
        self.goes_on(&internal.to, call);
    }
}

impl Call {
    fn between(from: &AgentId, to: &AgentId, now: Time, late: bool) -> Call {
        let phase = Phase::Rings { legs: BTreeSet::new(), at_desk: false };
        let stage = Stage::Internal(Internal { from: from.clone(), to: to.clone(), phase });
        let caller = Leg::new(Party::Agent(from.clone()), LegState::Arriving { late });
        let mut call = Call::going_out(NumberId::from(to.as_str()), CallerRef::WITHHELD, now, stage);
        call.legs.insert(0, caller);
        call
    }
}
