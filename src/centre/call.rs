//! What is going on in one call? Its stage, its legs, and how it comes to its end from any of them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::Centre;
use super::call_out::CallingOut;
use super::colleague::Internal;
use super::deadline::Reason;
use super::fact::{EndReason, Fact, Party};
use super::ids::{CallId, CallerRef, Language, LegId, NoticeId, NumberId, PlayId, QueueId, SdpRef, StepId, TrunkId};
use super::input::{CallerKnown, Digit, Diverted, FromLine, FromMedia};
use super::ivr::Walk;
use super::leg::{Leg, LegState};
use super::offer::Ringing;
use super::output::{Ending, Output, Sound, ToLine, ToMedia};
use super::queue::Wait;
use super::talk::Talk;
use super::time::Time;
use super::transfer::Transfer;

/// A refused caller is asked to come back after this many seconds (RFC 3261 §20.33).
pub(super) const RETRY_AFTER_S: u32 = 5;

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
    /// Since when the caller waits, whichever queue it was then: it counts for the place. Nothing before the first wait and after a talk.
    #[serde(default)]
    pub waits_since: Option<Time>,
    /// Whether the caller has been sent elsewhere once already.
    pub overflowed: bool,
    /// The place in a queue that is kept while the caller is asked something: they walk the plan, and nobody is offered them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Wait>,
    /// Nothing arrives from the resident.
    pub silent: bool,
    /// Legs whose far ends do not hear us.
    #[serde(default)]
    pub unheard: BTreeSet<u16>,
    /// Notices that the caller has heard.
    #[serde(default)]
    pub told: BTreeSet<NoticeId>,
    /// Steps past which a rush has already led the caller by a shorter way.
    #[serde(default)]
    pub shortened: BTreeSet<StepId>,
    /// Steps of queues that took nobody, past which the plan has led the caller: the second time they are told so.
    #[serde(default)]
    pub passed: BTreeSet<StepId>,
    /// Queues to whose steps the caller has come: each counts once for a rush.
    #[serde(default)]
    pub came_to: BTreeSet<QueueId>,
    /// The number at which a callback has reached the resident.
    #[serde(default)]
    pub reached_at: Option<CallerRef>,
    /// Notices that are being told.
    #[serde(default)]
    pub telling: Vec<NoticeId>,
    /// Keys pressed while a text was spoken that takes none: they count for the next question.
    pub typed_ahead: VecDeque<Digit>,
    /// The plan's queue step that the caller came through: it says where an overflow leads.
    pub queue_step: Option<StepId>,
    /// The queue's step that the caller left to choose another language, and goes back to.
    #[serde(default)]
    pub way_back: Option<StepId>,
    /// The operator's line was lost in the middle of the talk, and the caller waits again.
    #[serde(default)]
    pub line_lost: bool,
    /// The last place that was told, and in which queue.
    #[serde(default)]
    pub place_told: Option<(QueueId, u32)>,
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
    /// Two operators call each other; there is no resident.
    Internal(Internal),
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
    /// Whether the announcement of it is being said.
    #[serde(default)]
    pub speaks: bool,
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
            FromLine::PhoneCalled { call, from, to, sdp } => self.phone_called(call, &from, &to, sdp),
            FromLine::Replacing { leg, replaced, agent, sdp } => self.replacing(leg, replaced, &agent, sdp),
        }
    }

    /// What the media shell reports.
    pub(super) fn on_media(&mut self, input: FromMedia) {
        match input {
            FromMedia::Opened { leg, sdp } => self.media_opened(leg, sdp),
            FromMedia::Agreed { leg, codec: _, answer, about } => self.media_agreed(leg, answer, about),
            FromMedia::Failed { leg, why, about } => self.media_failed(leg, why, about),
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
        self.calls_up() >= usize::try_from(self.settings.limits.max_calls).unwrap_or(usize::MAX)
    }

    /// Plays to the resident, in place of what plays.
    pub(super) fn play(&mut self, call: CallId, sounds: Vec<Sound>, ending: Ending) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        if !known.legs.contains_key(&0) && self.standing.contains_key(&call) {
            return;
        }
        known.play = PlayId(known.play.0.wrapping_add(1));
        known.ring_tone = known.ring_tone.filter(|n| *n != 0);
        let play = known.play;
        self.out.media(ToMedia::Play { leg: LegId::caller(call), play, sounds, ending });
    }

    fn on_played(&mut self, leg: LegId, play: PlayId) {
        let Some(known) = self.calls.get_mut(&leg.call) else { return };
        if leg.n != 0 || known.play != play {
            return;
        }
        match known.stage {
            Stage::Walking(_) => self.step_played(leg.call),
            Stage::Waiting(_) | Stage::Offered(_) => self.announcement_played(leg.call),
            Stage::Dialling(ref mut dialling) => {
                dialling.speaks = false;
                self.hear_the_called(leg.call);
            }
            Stage::Talking(_) => self.abuse_said(leg.call),
            Stage::Arriving | Stage::Transferring(_) | Stage::CallingOut(_) | Stage::Internal(_) => {}
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

    /// The wait of a call that is in a queue, whether or not somebody rings, the caller is asked something or is being called back.
    pub(super) fn wait_of(&self, call: CallId) -> Option<&Wait> {
        let known = self.calls.get(&call)?;
        match &known.stage {
            Stage::Waiting(wait) => Some(wait),
            Stage::Offered(ringing) => Some(&ringing.wait),
            Stage::Walking(_) => known.kept.as_ref(),
            Stage::CallingOut(out) => out.back.as_ref(),
            Stage::Arriving | Stage::Dialling(_) | Stage::Talking(_) | Stage::Transferring(_) | Stage::Internal(_) => None,
        }
    }
}

impl Call {
    fn arriving(number: NumberId, caller: CallerRef, arrived: Time, late: bool) -> Self {
        let resident = Leg::new(Party::Resident, LegState::Arriving { late });
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
            waits_since: None,
            overflowed: false,
            kept: None,
            silent: false,
            unheard: BTreeSet::new(),
            told: BTreeSet::new(),
            shortened: BTreeSet::new(),
            passed: BTreeSet::new(),
            came_to: BTreeSet::new(),
            reached_at: None,
            telling: Vec::new(),
            typed_ahead: VecDeque::new(),
            queue_step: None,
            way_back: None,
            line_lost: false,
            place_told: None,
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
            Stage::Walking(_) => self.kept.as_ref().map(|wait| &wait.queue),
            Stage::Arriving | Stage::Dialling(_) | Stage::Internal(_) => None,
        }
    }
}
