//! What is going on in one call? Its stage, its legs, and how it comes to its end from any of them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::Centre;
use super::call_out::CallingOut;
use super::deadline::Reason;
use super::early::Early;
use super::fact::{EndReason, Fact, OfferEnd, Party, QueueEnd};
use super::ids::{CallId, CallerRef, Language, LegId, NumberId, PlayId, QueueId, SdpRef, StepId, TrunkId};
use super::input::{CallerKnown, Digit, Diverted, FromLine, FromMedia, HangUpCause, MediaFailure};
use super::ivr::Walk;
use super::leg::{Leg, LegState};
use super::offer::Ringing;
use super::output::{Ending, Output, Sound, ToLine, ToMedia};
use super::queue::Wait;
use super::talk::{Partner, Talk};
use super::time::Time;
use super::transfer::Transfer;

/// A refused caller is asked to come back after this many seconds (RFC 3261 §20.33).
pub(super) const RETRY_AFTER_S: u32 = 5;
/// Calls whose end was told while they were not up, remembered at most: some of them have yet to arrive.
const EARLY_KEPT: usize = 10_000;

/// One call.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Call {
    /// The short number that was dialled.
    pub number: NumberId,
    /// Who calls.
    pub caller: CallerRef,
    /// When it came in.
    pub arrived: Time,
    /// The language, once it is settled.
    pub language: Option<Language>,
    /// What the store knows of the caller, once it has said so.
    pub known: Option<CallerKnown>,
    /// What the caller chose to report, by its step.
    pub topic: Option<String>,
    /// The queue that the caller waited in, and since when: kept for a return to it.
    pub waited: Option<(QueueId, Time)>,
    /// Whether the caller has been sent elsewhere once already.
    pub overflowed: bool,
    /// Nothing arrives from the resident.
    pub silent: bool,
    /// Legs whose far ends do not hear us.
    #[serde(default)]
    pub unheard: BTreeSet<u16>,
    /// Keys pressed while a text was spoken that takes none: they count for the next question.
    pub typed_ahead: VecDeque<Digit>,
    /// The plan's queue step that the caller came through: it says where an overflow leads.
    pub queue_step: Option<StepId>,
    /// The legs that are up or on their way, by number.
    pub legs: BTreeMap<u16, Leg>,
    /// The number of the next leg.
    pub next_leg: u16,
    /// The last order to play to the resident.
    pub play: PlayId,
    /// The legs that hear music because nobody talks to them.
    #[serde(default)]
    pub hold_music: BTreeSet<u16>,
    /// The leg that hears the ringing tone of somebody who is called.
    #[serde(default)]
    pub ring_tone: Option<u16>,
    /// The number of the next recording.
    pub next_recording: u16,
    /// What is going on.
    pub stage: Stage,
}

/// What is going on in a call.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Stage {
    /// The resident's leg is being opened.
    Arriving,
    /// The resident walks the plan.
    Walking(Walk),
    /// The resident waits, nobody rings.
    Waiting(Wait),
    /// The resident waits, an operator's phone rings.
    Offered(Ringing),
    /// A service outside is being called.
    Dialling(Dialling),
    /// The resident talks with somebody.
    Talking(Talk),
    /// An operator has given the call away, and somebody rings for the resident.
    Transferring(Transfer),
    /// An operator calls a resident; there is no talk yet.
    CallingOut(CallingOut),
}

/// A service outside is being called for the resident.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Dialling {
    /// Its leg.
    pub leg: u16,
    /// Where the caller goes when it cannot be reached.
    pub failed: StepId,
    /// Whether the talk is recorded.
    pub record: bool,
}

impl Centre {
    /// What signalling reports.
    pub(super) fn on_line(&mut self, input: FromLine) {
        match input {
            FromLine::CallArrived { call, caller, number, trunk, sdp } => self.arrive(call, caller, number, trunk, sdp),
            FromLine::Diverted { call, why } => self.diverted(call, why),
            FromLine::Ringing { leg } => self.far_end_rings(leg),
            FromLine::EarlyMedia { leg, sdp } => self.far_end_speaks_early(leg, sdp),
            FromLine::Answered { leg, sdp } => self.far_end_answered(leg, sdp),
            FromLine::Refused { leg, status } => self.far_end_refused(leg, status),
            FromLine::Reoffered { leg, sdp } => self.far_end_reoffered(leg, sdp),
            FromLine::Renegotiated { leg, sdp } => self.far_end_renegotiated(leg, sdp),
            FromLine::NotRenegotiated { .. } => {}
            FromLine::Digit { leg, digit } => self.on_digit(leg, digit),
            FromLine::HungUp { leg, cause } => self.far_end_hung_up(leg, cause),
            FromLine::Referred { leg, to } => self.referred(leg, &to),
        }
    }

    /// What the media shell reports.
    pub(super) fn on_media(&mut self, input: FromMedia) {
        match input {
            FromMedia::Opened { leg, sdp } => self.media_opened(leg, sdp),
            FromMedia::Agreed { leg, codec: _, answer } => self.media_agreed(leg, answer),
            FromMedia::Failed { leg, why } => self.media_failed(leg, why),
            FromMedia::Digit { leg, digit } => self.on_digit(leg, digit),
            FromMedia::Played { leg, play } => self.on_played(leg, play),
            FromMedia::SoundLost { leg } => self.sound_lost(leg),
            FromMedia::SoundBack { leg } => self.sound_back(leg),
            FromMedia::Held { leg, held } => self.phone_held(leg, held),
            FromMedia::Unheard { leg, unheard } => self.far_end_unheard(leg, unheard),
            // The leg is closed, and its call may be over.
            FromMedia::Quality { leg, quality } => self.out.fact(Fact::LegQuality { leg, quality }),
            FromMedia::Recorded { recording, length_ms, lost_ms } => {
                if self.open_recordings.remove(&recording) {
                    self.out.fact(Fact::RecordingEnded { recording, length_ms, lost_ms });
                }
            }
        }
    }

    fn arrive(&mut self, call: CallId, caller: CallerRef, number: NumberId, trunk: TrunkId, sdp: Option<SdpRef>) {
        self.highest_call = self.highest_call.max(call);
        if self.calls.contains_key(&call) {
            return;
        }
        if self.early_ends.remove(&call) {
            self.out.fact(Fact::CallStarted { call, number, trunk, caller });
            self.out.fact(Fact::CallEnded { call, reason: EndReason::LeftInMenu });
            return;
        }
        let leg = LegId::caller(call);
        if let Some((status, reason)) = self.refusal(&number) {
            let retry_after_s = (status == 503).then_some(RETRY_AFTER_S);
            self.out.line(ToLine::Reject { leg, status, retry_after_s });
            self.out.fact(Fact::CallStarted { call, number, trunk, caller });
            self.out.fact(Fact::CallEnded { call, reason });
            return;
        }
        self.out.fact(Fact::CallStarted { call, number: number.clone(), trunk, caller });
        self.out.fact(Fact::LegStarted { leg, party: Party::Resident });
        self.calls.insert(call, Call::arriving(number, caller, self.now, sdp.is_none()));
        if !caller.is_withheld() {
            self.out.send(Output::LookUp { call, caller });
            self.deadlines.set(Reason::LookUp(call), self.now.plus_ms(self.settings.limits.look_up_ms));
        }
        self.out.media(ToMedia::Open { leg, offer: sdp });
    }

    fn diverted(&mut self, call: CallId, why: Diverted) {
        if self.calls.contains_key(&call) {
            self.out.fact(Fact::CallDiverted { call, why });
        }
    }

    fn refusal(&self, number: &NumberId) -> Option<(u16, EndReason)> {
        if !self.settings.numbers.contains_key(number) {
            Some((404, EndReason::UnknownNumber))
        } else if self.is_full() || self.draining {
            Some((503, EndReason::Overloaded))
        } else {
            None
        }
    }

    /// Whether as many calls are up as may be.
    pub(super) fn is_full(&self) -> bool {
        self.calls.len() >= usize::try_from(self.settings.limits.max_calls).unwrap_or(usize::MAX)
    }

    /// A port is open: the resident is answered, or the far end is dialled.
    fn media_opened(&mut self, leg: LegId, sdp: SdpRef) {
        let Some(known) = self.leg_mut(leg) else { return };
        match known.state.clone() {
            LegState::Arriving { late } => {
                known.state = LegState::AwaitingAnswer;
                self.out.line(ToLine::Answer { leg, sdp });
                if !late {
                    self.resident_answered(leg.call);
                }
            }
            LegState::Opening { target, shown, auto_answer } => {
                known.state = LegState::Dialled;
                self.out.line(ToLine::Dial { leg, target, shown, sdp, auto_answer });
            }
            LegState::AwaitingAnswer | LegState::Dialled | LegState::Agreeing | LegState::Up | LegState::Unknown => {}
        }
    }

    pub(super) fn resident_answered(&mut self, call: CallId) {
        let leg = LegId::caller(call);
        if let Some(known) = self.leg_mut(leg) {
            known.state = LegState::Up;
        }
        self.out.fact(Fact::CallAnswered { call });
        self.out.fact(Fact::LegAnswered { leg });
        self.start_plan(call);
    }

    fn far_end_answered(&mut self, leg: LegId, sdp: SdpRef) {
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
            LegState::Arriving { .. } | LegState::Opening { .. } | LegState::Agreeing | LegState::Up | LegState::Unknown => {}
        }
    }

    fn media_agreed(&mut self, leg: LegId, answer: Option<SdpRef>) {
        if answer.is_none() && self.is_about_early_sound(leg) {
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
            LegState::AwaitingAnswer => self.resident_answered(leg.call),
            LegState::Agreeing => {
                known.state = LegState::Up;
                self.partner_up(leg);
            }
            LegState::Arriving { .. } | LegState::Opening { .. } | LegState::Dialled | LegState::Up | LegState::Unknown => {}
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
                | Stage::CallingOut(_),
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

    fn far_end_refused(&mut self, leg: LegId, status: u16) {
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

    fn far_end_hung_up(&mut self, leg: LegId, cause: HangUpCause) {
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
            self.end_call(leg.call, reason);
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
            Some(Stage::Arriving | Stage::Walking(_) | Stage::Waiting(_) | Stage::Offered(_) | Stage::Dialling(_)) | None => {}
        }
    }

    fn far_end_reoffered(&mut self, leg: LegId, sdp: SdpRef) {
        let Some(known) = self.leg_mut(leg) else { return };
        if known.state == LegState::Up {
            known.reoffered = true;
            self.out.media(ToMedia::Agree { leg, sdp, answer: true });
        } else {
            self.out.line(ToLine::RefuseOffer { leg });
        }
    }

    fn media_failed(&mut self, leg: LegId, why: MediaFailure) {
        // Sound before the answer that we cannot take is not heard; the answer may bring another.
        if self.is_about_early_sound(leg) {
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
                MediaFailure::NoPort | MediaFailure::Overloaded => (503, Some(RETRY_AFTER_S)),
                MediaFailure::BadSdp | MediaFailure::NoCodec => (488, None),
            };
            self.out.line(ToLine::Reject { leg, status, retry_after_s });
            self.far_end_gone(leg, EndReason::MediaFailed);
            return;
        }
        self.leg_failed(leg, EndReason::MediaFailed);
    }

    /// A leg cannot go on through no wish of its far end, which is told.
    pub(super) fn leg_failed(&mut self, leg: LegId, reason: EndReason) {
        if self.leg_mut(leg).is_none() {
            return;
        }
        self.end_leg(leg, reason);
        if leg.n == 0 {
            self.end_call(leg.call, reason);
        } else {
            self.partner_lost(leg, OfferEnd::Failed(488), reason);
        }
    }

    /// Ends a call from whatever stage: every leg, offer, place, recording and deadline of it is released in this one step.
    pub(super) fn end_call(&mut self, call: CallId, reason: EndReason) {
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
                    self.end_talk(&talk);
                }
            }
            Some(Stage::Transferring(transfer)) => {
                let calling = transfer.calling.clone();
                self.calling_over(call, &calling, OfferEnd::CallerGone);
            }
            Some(Stage::CallingOut(_)) => self.release_caller_out(call),
            Some(Stage::Arriving | Stage::Walking(_) | Stage::Dialling(_)) => {}
            None => return,
        }
        let legs: Vec<u16> = self.calls.get(&call).map_or(Vec::new(), |known| known.legs.keys().copied().collect());
        for n in legs {
            self.end_leg(LegId { call, n }, reason);
        }
        self.deadlines.cancel_call(call);
        self.calls.remove(&call);
        self.out.fact(Fact::CallEnded { call, reason });
    }

    /// Plays to the resident, in place of what plays.
    pub(super) fn play(&mut self, call: CallId, sounds: Vec<Sound>, ending: Ending) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        known.play = PlayId(known.play.0.wrapping_add(1));
        let play = known.play;
        self.out.media(ToMedia::Play { leg: LegId::caller(call), play, sounds, ending });
    }

    fn on_played(&mut self, leg: LegId, play: PlayId) {
        let Some(known) = self.calls.get(&leg.call) else { return };
        if leg.n != 0 || known.play != play {
            return;
        }
        match known.stage {
            Stage::Walking(_) => self.step_played(leg.call),
            Stage::Waiting(_) | Stage::Offered(_) => self.announcement_played(leg.call),
            Stage::Arriving | Stage::Dialling(_) | Stage::Talking(_) | Stage::Transferring(_) | Stage::CallingOut(_) => {}
        }
    }

    pub(super) fn stage(&self, call: CallId) -> Option<&Stage> {
        self.calls.get(&call).map(|known| &known.stage)
    }

    pub(super) fn stage_mut(&mut self, call: CallId) -> Option<&mut Stage> {
        self.calls.get_mut(&call).map(|known| &mut known.stage)
    }

    pub(super) fn set_stage(&mut self, call: CallId, stage: Stage) {
        if let Some(known) = self.calls.get_mut(&call) {
            known.stage = stage;
        }
    }

    /// The wait of a call that is in a queue, whether or not somebody rings.
    pub(super) fn wait_of(&self, call: CallId) -> Option<&Wait> {
        match self.stage(call)? {
            Stage::Waiting(wait) => Some(wait),
            Stage::Offered(ringing) => Some(&ringing.wait),
            Stage::Arriving
            | Stage::Walking(_)
            | Stage::Dialling(_)
            | Stage::Talking(_)
            | Stage::Transferring(_)
            | Stage::CallingOut(_) => None,
        }
    }
}

impl Call {
    fn arriving(number: NumberId, caller: CallerRef, arrived: Time, late: bool) -> Self {
        let resident = Leg {
            party: Party::Resident,
            state: LegState::Arriving { late },
            reoffered: false,
            held: false,
            early: Early::Nothing,
            early_asked: 0,
        };
        Self { legs: BTreeMap::from([(0, resident)]), ..Self::going_out(number, caller, arrived, Stage::Arriving) }
    }

    /// A call that an operator makes: without a leg, and without a step of a plan.
    pub(super) fn going_out(number: NumberId, caller: CallerRef, arrived: Time, stage: Stage) -> Self {
        Self {
            number,
            caller,
            arrived,
            language: None,
            known: None,
            topic: None,
            waited: None,
            overflowed: false,
            silent: false,
            unheard: BTreeSet::new(),
            typed_ahead: VecDeque::new(),
            queue_step: None,
            legs: BTreeMap::new(),
            next_leg: 1,
            play: PlayId(0),
            hold_music: BTreeSet::new(),
            ring_tone: None,
            next_recording: 1,
            stage,
        }
    }

    /// The queue that the resident waits in, or by whose rules the talk goes.
    pub(super) fn queue(&self) -> Option<&QueueId> {
        match &self.stage {
            Stage::Waiting(wait) => Some(&wait.queue),
            Stage::Offered(ringing) => Some(&ringing.wait.queue),
            Stage::Talking(talk) => talk.operator().map(|(_, queue)| queue),
            Stage::Transferring(transfer) => Some(&transfer.queue),
            Stage::CallingOut(out) => Some(&out.queue),
            Stage::Arriving | Stage::Walking(_) | Stage::Dialling(_) => None,
        }
    }

    /// What it means that leg `n` was hung up by its far end now.
    fn hung_up_reason(&self, n: u16) -> EndReason {
        match (&self.stage, n) {
            (Stage::Talking(_) | Stage::Transferring(_) | Stage::CallingOut(_), 0) => EndReason::CallerHungUp,
            (Stage::Waiting(_) | Stage::Offered(_), 0) => EndReason::Abandoned,
            (Stage::Arriving | Stage::Walking(_) | Stage::Dialling(_), 0) => EndReason::LeftInMenu,
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
}

impl Call {
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
        | EndReason::NotReached => QueueEnd::Failed,
    }
}
