//! Where does a call go that an operator gives away? To a queue, to somebody who rings for the resident, or back to the queue.

use serde::{Deserialize, Serialize};

use super::Centre;
use super::agent::State;
use super::call::Stage;
use super::calling::{Called, Calling};
use super::deadline::Reason;
use super::fact::{ConsultEnd, EndReason, Fact, OfferEnd, Party, Role};
use super::ids::{AgentId, CallId, CallTo, LegId, QueueId};
use super::input::ReferTo;
use super::output::{Refusal, ToLine, ToMedia};
use super::queue::Wait;
use super::talk::{Partner, Talk};
use super::time::Time;

/// Somebody rings for a resident who hears music.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Transfer {
    /// Who rings.
    pub calling: Calling,
    /// Where the resident waits if it comes to nothing; its rules hold.
    pub queue: QueueId,
    /// Since when the resident waits for it.
    #[serde(default)]
    pub since: Time,
}

/// Where a transfer leads, when it is sure to begin.
enum Way {
    Queue(QueueId),
    Rings(Called),
}

impl Centre {
    /// The operator gives the call away without asking. What cannot be is refused, and the talk goes on.
    pub(super) fn transfer(&mut self, agent: &AgentId, call: CallId, to: &CallTo) -> Result<(), Refusal> {
        let (way, queue) = self.way(agent, call, to)?;
        self.out.fact(Fact::Transferred { call, agent: agent.clone(), to: to.clone() });
        self.leave_resident(call, EndReason::Transferred);
        match way {
            Way::Queue(queue) => self.send_to_queue(call, &queue),
            Way::Rings(called) => {
                let calling = Calling::new(called.party.clone(), agent);
                self.wait_for(call, Transfer { calling, queue: queue.clone(), since: self.now });
                self.ring(call, called, &queue);
            }
        }
        Ok(())
    }

    fn way(&self, agent: &AgentId, call: CallId, to: &CallTo) -> Result<(Way, QueueId), Refusal> {
        let talk = self.own_talk(agent, call)?;
        if talk.third.is_some() {
            return Err(Refusal::NotNow);
        }
        let Some((_, queue)) = talk.operator() else { return Err(Refusal::NotYourTalk) };
        let way = match to {
            CallTo::Queue(name) if self.mode(name).turns_away() => return Err(Refusal::NotFree),
            CallTo::Queue(name) if self.settings.queues.contains_key(name) => Way::Queue(name.clone()),
            CallTo::Queue(_) | CallTo::Agent(_) | CallTo::Service(_) | CallTo::Outside(_) => Way::Rings(self.whom(to)?),
        };
        Ok((way, queue.clone()))
    }

    /// The operator leaves while the consultant still rings: it rings on for the resident.
    pub(super) fn hand_on(&mut self, call: CallId, calling: Calling) {
        let Some((agent, queue)) = self.talk(call).and_then(Talk::operator).map(|(agent, queue)| (agent.clone(), queue.clone())) else {
            return;
        };
        self.out.fact(Fact::ConsultEnded { call, agent, how: ConsultEnd::HandedOn });
        self.leave_resident(call, EndReason::Transferred);
        let since = self.now;
        self.wait_for(call, Transfer { calling, queue, since });
    }

    /// The operator's part is over, and so is that of supervisors; the resident stays.
    pub(super) fn leave_resident(&mut self, call: CallId, reason: EndReason) {
        self.end_supervisions(call);
        let Some(talk) = self.talk(call).cloned() else { return };
        self.give_up_place(call, &talk, reason);
        self.out.media(ToMedia::Connect { call, hears: Vec::new() });
        self.deadlines.cancel(&Reason::NoSound(call));
    }

    fn wait_for(&mut self, call: CallId, transfer: Transfer) {
        self.set_stage(call, Stage::Transferring(transfer));
        self.play_hold_music(LegId::caller(call));
        self.hear_the_called(call);
    }

    /// A new entry: the clock of this wait starts now, and nobody who has talked with an operator is turned away for a full queue.
    fn send_to_queue(&mut self, call: CallId, queue: &QueueId) {
        if let Some(known) = self.calls.get_mut(&call) {
            (known.waited, known.waits_since, known.queue_step, known.overflowed, known.line_lost) = (None, None, None, true, false);
            known.place_told = None;
        }
        self.enter_queue(call, queue);
    }

    /// The place that a resident has who waits for somebody to take a transfer: in the queue that the talk came from.
    pub(super) fn wait_of_transfer(&self, call: CallId) -> Option<Wait> {
        let known = self.calls.get(&call)?;
        let Stage::Transferring(Transfer { queue, since, .. }) = &known.stage else { return None };
        let language = self.language_of(call);
        // A journal of before `since` was kept knows only when the call came.
        let since = (*since).max(known.arrived);
        let (ring, needs) = self.queue_settings(queue).map(|rules| rules.needs(language, self.now.ms_since(since))).unwrap_or_default();
        Some(Wait { queue: queue.clone(), since, before_ms: 0, needs, language, ring, credit_ms: 0 })
    }

    /// Who rings for the resident has sound.
    pub(super) fn transfer_up(&mut self, leg: LegId) {
        let Some(Stage::Transferring(Transfer { calling, queue, .. })) = self.stage(leg.call).cloned() else { return };
        let replaced = calling.replaces;
        self.calling_won(leg.call, &calling, leg.n);
        let record = self.queue_settings(&queue).is_some_and(|rules| rules.record);
        let partner = match &calling.party {
            Party::Agent(agent) => Partner::Agent { agent: agent.clone(), queue },
            Party::Resident | Party::Outside(_) | Party::Number(_) => Partner::Outside,
        };
        self.out.fact(Fact::Joined { leg, party: calling.party, role: Role::Partner });
        self.start_talk(leg.call, Talk::new(leg.n, partner, self.now), record);
        if let Some(replaced) = replaced {
            self.end_call(replaced.call, EndReason::Transferred);
        }
    }

    /// Nobody took the resident: they wait in the queue that the talk came from.
    pub(super) fn transfer_failed(&mut self, call: CallId, how: OfferEnd) {
        let Some(Stage::Transferring(Transfer { calling, queue, .. })) = self.stage(call).cloned() else { return };
        self.out.fact(Fact::TransferFailed { call, queue: queue.clone(), how });
        self.calling_over(call, &calling, how);
        self.send_to_queue(call, &queue);
    }

    /// A phone that rang for the resident is over.
    pub(super) fn transfer_leg_ended(&mut self, leg: LegId, how: OfferEnd) {
        if self.calling_leg_ended(leg) {
            self.transfer_failed(leg.call, how);
        }
    }

    // ---- by phone ----

    /// An operator's phone gives the call away by REFER. The answer goes out before the leg ends.
    pub(super) fn referred(&mut self, leg: LegId, to: &ReferTo) {
        if self.leg_mut(leg).is_none() {
            return;
        }
        let status = match self.refer(leg, to) {
            Ok(()) => return,
            Err(Refusal::UnknownTarget | Refusal::UnknownOperator | Refusal::UnknownReason(_)) => 404,
            Err(Refusal::NotFree | Refusal::Busy | Refusal::NoPhone | Refusal::NoSound | Refusal::OfferOver | Refusal::PickUpThePhone) => {
                486
            }
            Err(Refusal::NotYourTalk | Refusal::NotNow | Refusal::Evacuated) => 603,
        };
        self.out.line(ToLine::ReferProgress { leg, status });
    }

    fn refer(&mut self, leg: LegId, to: &ReferTo) -> Result<(), Refusal> {
        let call = leg.call;
        if let ReferTo::Replaces(other) = to
            && let Some((of_talk, of_internal)) = self.asked_by_phone(leg, *other)
        {
            return self.hand_to_colleague(leg, of_talk, of_internal);
        }
        let talk = self.talk(call).filter(|talk| talk.leg == leg.n).ok_or(Refusal::NotYourTalk)?;
        let agent = talk.operator().map(|(agent, _)| agent.clone()).ok_or(Refusal::NotYourTalk)?;
        let to = match to {
            ReferTo::Replaces(other) => {
                let is_third = other.call == call && talk.third.as_ref().is_some_and(|third| third.has_leg(other.n));
                return if is_third { self.refer_to_third(leg) } else { Err(Refusal::UnknownTarget) };
            }
            ReferTo::Name(name) => self.named(name),
            ReferTo::Agent(agent) => CallTo::Agent(agent.clone()),
            ReferTo::Outside(number) => CallTo::Outside(*number),
        };
        self.way(&agent, call, &to)?;
        self.out.line(ToLine::ReferProgress { leg, status: 200 });
        self.transfer(&agent, call, &to)
    }

    /// One leg is of a talk with a resident, the other of a call with a colleague: which is which, whichever the REFER came on.
    fn asked_by_phone(&self, leg: LegId, other: LegId) -> Option<(LegId, LegId)> {
        let is_internal = |leg: LegId| matches!(self.stage(leg.call), Some(Stage::Internal(_)));
        match (is_internal(leg), is_internal(other)) {
            (false, true) => Some((leg, other)),
            (true, false) => Some((other, leg)),
            (true, true) | (false, false) => None,
        }
    }

    /// An operator who has asked a colleague by a call of the phone's own leaves the resident to the colleague. Where they talk already, the
    /// colleague's phone is told which of its calls ends (RFC 5589 §7); where it only rings, it rings on for the resident.
    fn hand_to_colleague(&mut self, told: LegId, of_talk: LegId, of_internal: LegId) -> Result<(), Refusal> {
        let (call, between) = (of_talk.call, of_internal.call);
        let talk = self.talk(call).filter(|talk| talk.leg == of_talk.n).ok_or(Refusal::NotYourTalk)?;
        let (agent, queue) = talk.operator().map(|(agent, queue)| (agent.clone(), queue.clone())).ok_or(Refusal::NotYourTalk)?;
        if talk.third.is_some() {
            return Err(Refusal::NotNow);
        }
        let Some(Stage::Internal(internal)) = self.stage(between) else { return Err(Refusal::UnknownTarget) };
        let (colleague, n) = internal.colleague(&agent, of_internal.n).ok_or(Refusal::NotYourTalk)?;
        let (colleague, replaces) = (colleague.clone(), n.map(|n| LegId { call: between, n }));
        let Some(State::Internal { before, .. }) = self.agent_state(&colleague).cloned() else { return Err(Refusal::NotFree) };
        let targets = self.targets(&colleague);
        if targets.is_empty() {
            return Err(Refusal::NoPhone);
        }
        self.out.line(ToLine::ReferProgress { leg: told, status: 200 });
        self.out.fact(Fact::Transferred { call, agent: agent.clone(), to: CallTo::Agent(colleague.clone()) });
        self.leave_resident(call, EndReason::Transferred);
        if replaces.is_none() {
            self.end_call(between, EndReason::Transferred);
        } else if let Some(known) = self.agents.get_mut(&colleague) {
            known.beside = Some(between);
        }
        let called = Called { party: Party::Agent(colleague.clone()), targets };
        let calling = Calling { replaces, ..Calling::new(called.party.clone(), &agent) };
        self.wait_for(call, Transfer { calling, queue: queue.clone(), since: self.now });
        self.ring(call, called, &queue);
        if let Some(known) = self.agents.get_mut(&colleague) {
            known.wish = before.wish();
        }
        Ok(())
    }

    fn refer_to_third(&mut self, leg: LegId) -> Result<(), Refusal> {
        self.out.line(ToLine::ReferProgress { leg, status: 200 });
        self.partner_leaves(leg.call, EndReason::OperatorHungUp);
        Ok(())
    }

    /// A dialled name: a queue, an operator, or a service of the plans.
    fn named(&self, name: &str) -> CallTo {
        let queue = QueueId::from(name);
        let agent = AgentId::from(name);
        if self.settings.queues.contains_key(&queue) {
            CallTo::Queue(queue)
        } else if self.settings.agents.contains_key(&agent) {
            CallTo::Agent(agent)
        } else {
            CallTo::Service(name.to_owned())
        }
    }
}
