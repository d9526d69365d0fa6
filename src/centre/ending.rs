//! How do a leg and a call come to their end? From either side and from any stage, everything released in one step.

use super::Centre;
use super::call::{Call, Stage};
use super::deadline::Reason;
use super::fact::{EndReason, Fact, OfferEnd, Party, QueueEnd};
use super::ids::{CallId, LegId};
use super::input::HangUpCause;
use super::ivr::{Phase, Walk};

/// Calls whose end was told while they were not up, remembered at most: some of them have yet to arrive.
const EARLY_KEPT: usize = 10_000;

impl Centre {
    pub(super) fn far_end_refused(&mut self, leg: LegId, status: u16) {
        if self.leg_mut(leg).is_none() {
            return;
        }
        if leg.n == 0 {
            let is_called = matches!(self.stage(leg.call), Some(Stage::CallingOut(_)));
            self.far_end_gone(leg, if is_called { EndReason::NotReached } else { EndReason::SignallingFailed });
            return;
        }
        self.drop_leg(leg, EndReason::Refused);
        self.partner_lost(leg, OfferEnd::Failed(status), EndReason::OutsideEnded);
    }

    pub(super) fn far_end_hung_up(&mut self, leg: LegId, cause: HangUpCause) {
        if leg.n == 0 && !self.calls.contains_key(&leg.call) {
            if self.early_ends.len() >= EARLY_KEPT {
                self.early_ends.pop_first();
            }
            self.early_ends.insert(leg.call);
            self.highest_call = self.highest_call.max(leg.call);
            return;
        }
        let Some(known) = self.calls.get(&leg.call) else { return };
        if !known.legs.contains_key(&leg.n) {
            return;
        }
        let reason = match cause {
            HangUpCause::Bye | HangUpCause::Cancel => known.hung_up_reason(leg.n),
            HangUpCause::NoAck | HangUpCause::Failed => EndReason::SignallingFailed,
        };
        self.far_end_gone(leg, reason);
    }

    /// The far end of a leg is gone: nothing is left to be sent to it.
    pub(super) fn far_end_gone(&mut self, leg: LegId, reason: EndReason) {
        self.drop_leg(leg, reason);
        if leg.n == 0 {
            self.resident_gone(leg.call, reason);
        } else {
            self.partner_lost(leg, OfferEnd::Failed(480), reason);
        }
    }

    /// A leg that was not the resident's is over: what it belonged to goes on without it.
    fn partner_lost(&mut self, leg: LegId, how: OfferEnd, reason: EndReason) {
        match self.stage(leg.call) {
            Some(Stage::Offered(ringing)) if ringing.legs.contains(&leg.n) => self.attempt_leg_ended(leg, how),
            Some(Stage::Dialling(dialling)) if dialling.leg == leg.n => {
                let failed = dialling.failed.clone();
                self.deadlines.cancel(&Reason::DialEnds(leg.call));
                self.enter_step(leg.call, &failed, false);
            }
            Some(Stage::Talking(talk)) if talk.leg == leg.n => self.partner_leaves(leg.call, reason),
            Some(Stage::Talking(talk)) if talk.third.as_ref().is_some_and(|third| third.has_leg(leg.n)) => self.third_leg_ended(leg, how),
            Some(Stage::Talking(_)) => {
                if let Some(agent) = self.supervisor_of(leg) {
                    self.supervisor_leg_ended(&agent, leg);
                }
            }
            Some(Stage::Transferring(_)) => self.transfer_leg_ended(leg, how),
            Some(Stage::CallingOut(_)) => self.caller_out_leg_ended(leg, reason),
            Some(Stage::Internal(_)) => self.internal_leg_ended(leg, how, reason),
            Some(Stage::Arriving | Stage::Walking(_) | Stage::Waiting(_) | Stage::Offered(_) | Stage::Dialling(_)) | None => {}
        }
    }

    /// A leg cannot go on through no wish of its far end, which is told.
    pub(super) fn leg_failed(&mut self, leg: LegId, reason: EndReason) {
        if self.leg_mut(leg).is_none() {
            return;
        }
        self.end_leg(leg, reason);
        if leg.n == 0 {
            self.resident_gone(leg.call, reason);
        } else {
            self.partner_lost(leg, OfferEnd::Failed(488), reason);
        }
    }

    /// Ends a call from whatever stage: every leg, offer, place, recording and deadline of it is released in this one step.
    pub(super) fn end_call(&mut self, call: CallId, reason: EndReason) {
        self.break_promise(call, reason);
        match self.stage(call) {
            Some(Stage::Offered(_)) => {
                self.offer_without_caller(call);
                self.leave_queue(call, queue_end(reason));
            }
            Some(Stage::Waiting(_)) => self.leave_queue(call, queue_end(reason)),
            Some(Stage::Talking(_)) => {
                self.end_supervisions(call);
                if let Some(talk) = self.talk(call).cloned() {
                    self.release_third(call, &talk);
                    self.end_talk(call, &talk);
                }
            }
            Some(Stage::Transferring(transfer)) => {
                let calling = transfer.calling.clone();
                self.calling_over(call, &calling, OfferEnd::CallerGone);
            }
            Some(Stage::CallingOut(_)) => {
                self.leave_queue(call, queue_end(reason));
                self.release_caller_out(call);
            }
            Some(Stage::Internal(_)) => self.release_internal(call),
            Some(Stage::Walking(_)) => {
                self.leave_queue(call, queue_end(reason));
                self.stop_keying(call);
            }
            Some(Stage::Arriving | Stage::Dialling(_)) => {}
            None => return,
        }
        let legs: Vec<u16> = self.calls.get(&call).map_or(Vec::new(), |known| known.legs.keys().copied().collect());
        for n in legs {
            self.end_leg(LegId { call, n }, reason);
        }
        self.deadlines.cancel_call(call);
        let ended = self.calls.remove(&call);
        let is_internal = ended.is_some_and(|known| matches!(known.stage, Stage::Internal(_)));
        self.callback_ended(call, reason);
        self.out.fact(if is_internal { Fact::ColleagueCallEnded { call, reason } } else { Fact::CallEnded { call, reason } });
    }
}

impl Call {
    /// What it means that leg `n` was hung up by its far end now.
    fn hung_up_reason(&self, n: u16) -> EndReason {
        match (&self.stage, n) {
            (Stage::Talking(_) | Stage::Transferring(_) | Stage::CallingOut(_), 0) => EndReason::CallerHungUp,
            (Stage::Waiting(_) | Stage::Offered(_), 0) => EndReason::Abandoned,
            (Stage::Walking(_), 0) if self.kept.is_some() => EndReason::Abandoned,
            (Stage::Walking(Walk { phase: Phase::Dismissed, .. }), 0) => EndReason::CallerHungUp,
            (Stage::Arriving | Stage::Walking(_) | Stage::Dialling(_), 0) => EndReason::LeftInMenu,
            (Stage::Internal(_), _) => EndReason::OperatorHungUp,
            (Stage::Talking(_) | Stage::CallingOut(_), n) if self.is_agents(n) => EndReason::OperatorHungUp,
            (
                Stage::Arriving
                | Stage::Walking(_)
                | Stage::Waiting(_)
                | Stage::Offered(_)
                | Stage::Dialling(_)
                | Stage::Talking(_)
                | Stage::Transferring(_)
                | Stage::CallingOut(_),
                _,
            ) => EndReason::OutsideEnded,
        }
    }

    fn is_agents(&self, n: u16) -> bool {
        self.legs.get(&n).is_some_and(|leg| matches!(leg.party, Party::Agent(_)))
    }
}

/// How the place in the queue is lost when the call ends for this reason.
fn queue_end(reason: EndReason) -> QueueEnd {
    match reason {
        EndReason::Abandoned | EndReason::CallerHungUp | EndReason::LeftInMenu => QueueEnd::Abandoned,
        EndReason::Interrupted => QueueEnd::Interrupted,
        EndReason::OperatorHungUp
        | EndReason::PlanEnded
        | EndReason::OutsideEnded
        | EndReason::AnsweredElsewhere
        | EndReason::GivenUp
        | EndReason::Refused
        | EndReason::UnknownNumber
        | EndReason::Overloaded
        | EndReason::MediaFailed
        | EndReason::NoSound
        | EndReason::SignallingFailed
        | EndReason::ShellLost
        | EndReason::Poisoned
        | EndReason::Transferred
        | EndReason::ConsultOver
        | EndReason::TakenOver
        | EndReason::SupervisionOver
        | EndReason::NotReached
        | EndReason::Replaced
        | EndReason::Abuse
        | EndReason::Evacuated => QueueEnd::Failed,
    }
}
