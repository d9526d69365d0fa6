//! How does a leg come to have sound? From its port to the far end's answer, and what becomes of offers that come later.

use super::Centre;
use super::call::{RETRY_AFTER_S, Stage};
use super::deadline::Reason;
use super::fact::{EndReason, Fact};
use super::ids::{LegId, SdpRef};
use super::input::MediaFailure;
use super::leg::LegState;
use super::output::{ToLine, ToMedia};
use super::talk::{Partner, Talk};

impl Centre {
    /// A port is open: the resident is answered, or the far end is dialled.
    pub(super) fn media_opened(&mut self, leg: LegId, sdp: SdpRef) {
        let Some(known) = self.leg_mut(leg) else { return };
        match known.state.clone() {
            LegState::Arriving { late } => {
                if leg.n == 0 && matches!(self.stage(leg.call), Some(Stage::Internal(_))) {
                    return self.internal_opened(leg.call, sdp, late);
                }
                self.leg_mut(leg).into_iter().for_each(|known| known.state = LegState::AwaitingAnswer);
                self.out.line(ToLine::Answer { leg, sdp });
                if !late {
                    self.leg_answered(leg);
                }
            }
            LegState::Opening { target, shown, auto_answer, replaces } => {
                known.state = LegState::Dialled;
                self.out.line(ToLine::Dial { leg, target, shown, sdp, auto_answer, replaces });
            }
            LegState::Waiting { .. }
            | LegState::AwaitingAnswer
            | LegState::Dialled
            | LegState::Agreeing
            | LegState::Up
            | LegState::Unknown => {}
        }
    }

    /// A leg that came in has sound: the resident's, a colleague's, or one that takes another's place.
    pub(super) fn leg_answered(&mut self, leg: LegId) {
        let Some(known) = self.leg_mut(leg) else { return };
        known.state = LegState::Up;
        if let Some(replaced) = known.replaces {
            self.replaces(leg, replaced);
        } else if matches!(self.stage(leg.call), Some(Stage::Internal(_))) {
            self.out.fact(Fact::LegAnswered { leg });
            self.connect_internal(leg.call);
        } else {
            self.out.fact(Fact::CallAnswered { call: leg.call });
            self.out.fact(Fact::LegAnswered { leg });
            self.start_plan(leg.call);
        }
    }

    pub(super) fn far_end_answered(&mut self, leg: LegId, sdp: SdpRef) {
        let Some(known) = self.leg_mut(leg) else { return };
        match known.state {
            LegState::Dialled => {
                known.state = LegState::Agreeing;
                self.give_time_to_connect(leg.call);
                self.give_called_time(leg);
                self.out.fact(Fact::LegAnswered { leg });
                self.out.media(ToMedia::Agree { leg, sdp, answer: false });
            }
            LegState::AwaitingAnswer => self.out.media(ToMedia::Agree { leg, sdp, answer: false }),
            LegState::Arriving { .. }
            | LegState::Waiting { .. }
            | LegState::Opening { .. }
            | LegState::Agreeing
            | LegState::Up
            | LegState::Unknown => {}
        }
    }

    pub(super) fn media_agreed(&mut self, leg: LegId, answer: Option<SdpRef>, about: Option<SdpRef>) {
        if answer.is_none() && self.is_about_early_sound(leg, about) {
            return self.early_sound(leg);
        }
        let Some(known) = self.leg_mut(leg) else { return };
        if let Some(sdp) = answer {
            if std::mem::take(&mut known.reoffered) {
                self.out.line(ToLine::AcceptOffer { leg, sdp });
            }
            return;
        }
        match known.state {
            LegState::AwaitingAnswer => self.leg_answered(leg),
            LegState::Agreeing => {
                known.state = LegState::Up;
                if known.browser {
                    self.out.fact(Fact::LegAnswered { leg });
                }
                self.partner_up(leg);
            }
            LegState::Unknown if known.browser => self.page_found(leg),
            LegState::Arriving { .. }
            | LegState::Waiting { .. }
            | LegState::Opening { .. }
            | LegState::Dialled
            | LegState::Up
            | LegState::Unknown => {}
        }
    }

    /// A dialled leg has sound: it takes its part, if the call still wants it.
    pub(super) fn partner_up(&mut self, leg: LegId) {
        match self.stage(leg.call) {
            Some(Stage::Offered(ringing)) if ringing.legs.contains(&leg.n) => self.commit(leg),
            Some(Stage::Dialling(dialling)) if dialling.leg == leg.n => self.outside_up(leg),
            Some(Stage::CallingOut(_)) if leg.n == 0 => self.called_out(leg.call),
            Some(Stage::CallingOut(_)) if self.is_called(leg) => self.caller_out_up(leg),
            Some(Stage::Transferring(_)) if self.is_called(leg) => self.transfer_up(leg),
            Some(Stage::Internal(_)) if self.rings_internally(leg) => self.internal_up(leg),
            Some(Stage::Talking(_)) if self.is_called(leg) => self.consultant_up(leg),
            Some(Stage::Talking(_)) => match self.supervisor_of(leg) {
                Some(agent) => self.supervisor_up(&agent, leg),
                None => self.end_leg(leg, EndReason::AnsweredElsewhere),
            },
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
            | None => self.end_leg(leg, EndReason::AnsweredElsewhere),
        }
    }

    /// Whether this leg is one of somebody who is being called in.
    pub(super) fn is_called(&self, leg: LegId) -> bool {
        self.calling(leg.call).is_some_and(|calling| calling.legs.contains(&leg.n))
    }

    fn outside_up(&mut self, leg: LegId) {
        let Some(Stage::Dialling(dialling)) = self.stage(leg.call) else { return };
        let record = dialling.record;
        self.deadlines.cancel(&Reason::DialEnds(leg.call));
        self.start_talk(leg.call, Talk::new(leg.n, Partner::Outside, self.now), record);
    }

    pub(super) fn far_end_reoffered(&mut self, leg: LegId, sdp: SdpRef) {
        let Some(known) = self.leg_mut(leg) else { return };
        if known.state == LegState::Up {
            known.reoffered = true;
            self.out.media(ToMedia::Agree { leg, sdp, answer: true });
        } else {
            self.out.line(ToLine::RefuseOffer { leg });
        }
    }

    pub(super) fn media_failed(&mut self, leg: LegId, why: MediaFailure, about: Option<SdpRef>) {
        // Sound before the answer that we cannot take is not heard; the answer may bring another.
        if self.is_about_early_sound(leg, about) {
            return;
        }
        let Some(known) = self.leg_mut(leg) else { return };
        if known.reoffered {
            known.reoffered = false;
            self.out.line(ToLine::RefuseOffer { leg });
            return;
        }
        if matches!(known.state, LegState::Arriving { .. }) {
            let (status, retry_after_s) = match why {
                MediaFailure::NoPort | MediaFailure::Overloaded | MediaFailure::NoPage => (503, Some(RETRY_AFTER_S)),
                MediaFailure::BadSdp | MediaFailure::NoCodec => (488, None),
            };
            self.out.line(ToLine::Reject { leg, status, retry_after_s });
            self.far_end_gone(leg, EndReason::MediaFailed);
            return;
        }
        self.leg_failed(leg, EndReason::MediaFailed);
    }
}
