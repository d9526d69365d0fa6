//! How does a leg end? BYE from either side, a missing ACK, and legs for which nothing more comes (RFC 3261 §15).

use crate::centre::fact::EndReason;
use crate::centre::ids::LegId;
use crate::centre::input::{FromLine, HangUpCause};
use crate::centre::time::Time;

use super::clients::{NewRequest, Purpose};
use super::dialog::{Dialog, More};
use super::exchange::Exchange;
use super::guard::{Request, Response};
use super::legs::Leg;
use super::message::Method;
use super::negotiate::Turn;
use super::reply::Reply;

impl Exchange {
    /// The far end's BYE, in whatever phase its dialog is.
    pub(super) fn bye(&mut self, now: Time, request: &Request<'_>, key: &str) {
        let Some(leg) = request.to.tag().and_then(|tag| self.leg_of(request, tag)) else {
            return self.refuse(now, request, 481, "");
        };
        self.answer_once(now, request, key, 200, "");
        match self.legs.remove(&leg) {
            Some(Leg::Arrived { dialog, tx, .. }) => {
                let reply = Reply { status: 487, tag: &dialog.local_tag, ..Reply::default() };
                self.servers.answer(now, tx, reply, &mut self.timers, &mut self.out);
                self.report(FromLine::HungUp { leg, cause: HangUpCause::Cancel });
            }
            Some(Leg::Up(mut up)) => {
                self.over.note(&self.salts, &up.dialog.call_id, &up.dialog.local_tag);
                self.finish_negotiation(now, up.negotiation.close());
                if up.bye.is_none() {
                    self.report(FromLine::HungUp { leg, cause: HangUpCause::Bye });
                }
            }
            Some(Leg::Dialled { .. } | Leg::Closing(_)) | None => {}
        }
        self.forget_number(leg);
    }

    /// No transaction of a dialog outlives it unanswered.
    fn finish_negotiation(&mut self, now: Time, open: Turn) {
        match open {
            // The transaction of our re-INVITE goes on alone until it is acknowledged.
            Turn::Settled | Turn::WeOffered { .. } => {}
            Turn::TheyOffered { tx, .. } => {
                self.servers.answer(now, tx, Reply { status: 487, ..Reply::default() }, &mut self.timers, &mut self.out);
            }
            Turn::AwaitsAck { tx, .. } => self.servers.acked(now, tx, &mut self.timers),
        }
    }

    /// The core ends a leg. One that has not come so far is rejected or given up instead.
    pub(super) fn hang_up(&mut self, now: Time, leg: LegId, reason: EndReason) {
        match self.legs.get_mut(&leg) {
            Some(Leg::Up(up)) => {
                if let Turn::AwaitsAck { first: true, .. } = up.negotiation.turn() {
                    up.bye = Some(reason);
                } else {
                    self.send_bye(now, leg, reason);
                }
            }
            Some(Leg::Arrived { .. }) => self.reject(now, leg, 480, None),
            Some(Leg::Dialled { .. }) => self.cancel_dial(now, leg),
            Some(Leg::Closing(_)) => {}
            None => self.order_without_leg(leg),
        }
    }

    fn send_bye(&mut self, now: Time, leg: LegId, reason: EndReason) {
        let Some(Leg::Up(mut up)) = self.legs.remove(&leg) else { return };
        self.finish_negotiation(now, up.negotiation.close());
        self.forget_number(leg);
        let mut dialog = up.dialog;
        self.over.note(&self.salts, &dialog.call_id, &dialog.local_tag);
        self.bye_of(now, &mut dialog, Purpose::Bye { leg, reason, proven: false }, &reason_header(reason));
        self.legs.insert(leg, Leg::Closing(Box::new(dialog)));
    }

    /// Says BYE again with the trunk's credentials where it was challenged; false where it was not, or there are none.
    pub(super) fn prove_bye(&mut self, now: Time, leg: LegId, reason: EndReason, response: &Response<'_>) -> bool {
        let Some(Leg::Closing(dialog)) = self.legs.get(&leg) else { return false };
        let mut dialog = dialog.clone();
        let Some(proof) = self.proof(&dialog, Method::Bye, response) else { return false };
        self.bye_of(now, &mut dialog, Purpose::Bye { leg, reason, proven: true }, &format!("{}{proof}", reason_header(reason)));
        self.legs.insert(leg, Leg::Closing(dialog));
        true
    }

    /// Sends the BYE of a dialog.
    pub(super) fn bye_of(&mut self, now: Time, dialog: &mut Dialog, purpose: Purpose, headers: &str) {
        let (client, branch) = self.clients.reserve(self.salts.next());
        let peer = dialog.next_hop();
        let request = dialog.request(Method::Bye, &branch, &self.own, More { peer, cseq: None, headers, sdp: None });
        self.clients.send(now, client, NewRequest { branch, peer, request, method: Method::Bye, purpose }, &mut self.timers, &mut self.out);
    }

    /// Our 2xx was never acknowledged: BYE, and the core is told (RFC 3261 §13.3.1.4).
    pub(super) fn no_ack(&mut self, now: Time, leg: LegId) {
        let Some(Leg::Up(up)) = self.legs.get_mut(&leg) else { return };
        let told = up.bye.is_some();
        up.negotiation.close();
        self.send_bye(now, leg, EndReason::SignallingFailed);
        if !told {
            self.report(FromLine::HungUp { leg, cause: HangUpCause::NoAck });
        }
    }

    /// Ends a leg that the core still counts on.
    pub(super) fn drop_leg(&mut self, now: Time, leg: LegId) {
        self.send_bye(now, leg, EndReason::SignallingFailed);
        if !self.is_lost_for_good(leg) {
            self.report_gone(leg);
        }
    }

    /// A moment of a leg has come: one that came in has waited too long for an order, or has rung too long; one that is up goes on.
    pub(super) fn leg_due(&mut self, now: Time, at: Time, leg: LegId) {
        if !self.legs.get(&leg).is_some_and(|known| known.counts_on(at)) {
            return;
        }
        match self.legs.get_mut(&leg) {
            Some(Leg::Arrived { .. }) => {
                self.reject(now, leg, 480, None);
                self.report_gone(leg);
            }
            Some(Leg::Up(up)) => {
                up.wakes = None;
                self.keep_alive(now, leg);
            }
            Some(Leg::Dialled { .. } | Leg::Closing(_)) | None => {}
        }
    }

    /// An order overtook the end of its leg, or came for one that never was: the core hears of the end again, so that it keeps no zombie.
    pub(super) fn order_without_leg(&mut self, leg: LegId) {
        if self.unfound.remove(&leg).is_none() && !self.legs.contains_key(&leg) {
            self.report_gone(leg);
        }
    }

    pub(super) fn forget_number(&mut self, leg: LegId) {
        if leg.n == 0 {
            self.numbers.remove(&leg.call);
        }
    }
}

/// Why, for the far end's records (RFC 3326), as a Q.850 cause.
pub(super) fn reason_header(reason: EndReason) -> String {
    let cause = match reason {
        EndReason::CallerHungUp
        | EndReason::LeftInMenu
        | EndReason::Abandoned
        | EndReason::OperatorHungUp
        | EndReason::PlanEnded
        | EndReason::OutsideEnded
        | EndReason::GivenUp
        | EndReason::Transferred
        | EndReason::ConsultOver
        | EndReason::TakenOver
        | EndReason::SupervisionOver
        | EndReason::NotReached
        | EndReason::Abuse
        | EndReason::Evacuated => 16,
        EndReason::AnsweredElsewhere | EndReason::Replaced => 26,
        EndReason::Refused => 21,
        EndReason::UnknownNumber => 1,
        EndReason::Overloaded => 42,
        EndReason::MediaFailed => 88,
        EndReason::NoSound | EndReason::SignallingFailed | EndReason::ShellLost | EndReason::Interrupted | EndReason::Poisoned => 41,
    };
    format!("Reason: Q.850;cause={cause};text=\"{}\"\r\n", reason.word())
}
