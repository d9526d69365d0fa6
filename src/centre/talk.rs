//! What goes on in a talk? Who takes part, who holds, what is recorded, and how it begins and ends.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Centre;
use super::call::Stage;
use super::consult::Third;
use super::deadline::Reason;
use super::fact::{EndReason, Fact};
use super::ids::{AgentId, CallId, LegId, PlayId, PromptId, QueueId, RecordingId};
use super::input::Digit;
use super::output::{Ending, Refusal, Sound, Stands, ToMedia};
use super::room::{Arrangement, Room};
use super::settings::QueueSettings;
use super::supervise::Supervisor;
use super::time::Time;

/// The resident talks with somebody.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Talk {
    /// The leg of the one who is not the resident.
    pub leg: u16,
    /// Who that is.
    pub partner: Partner,
    /// Since when.
    pub since: Time,
    /// The recording that runs.
    pub recording: Option<RecordingId>,
    /// Whether the operator lets the resident wait.
    #[serde(default)]
    pub hold: bool,
    /// Who was called in beside the partner.
    #[serde(default)]
    pub third: Option<Third>,
    /// Supervisors who listen, or are being called to do so.
    #[serde(default)]
    pub supervisors: BTreeMap<AgentId, Supervisor>,
    /// The resident hears a warning in place of everybody.
    #[serde(default)]
    pub warned: bool,
    /// The recording is paused.
    #[serde(default)]
    pub paused: bool,
}

/// With whom the resident talks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Partner {
    /// An operator, for a call of this queue.
    Agent { agent: AgentId, queue: QueueId },
    /// A service or a number outside.
    Outside,
}

impl Talk {
    /// A talk that begins, with nobody else in it.
    pub fn new(leg: u16, partner: Partner, since: Time) -> Self {
        let supervisors = BTreeMap::new();
        Self { leg, partner, since, recording: None, hold: false, third: None, supervisors, warned: false, paused: false }
    }

    /// The operator, and the queue whose rules hold.
    pub fn operator(&self) -> Option<(&AgentId, &QueueId)> {
        match &self.partner {
            Partner::Agent { agent, queue } => Some((agent, queue)),
            Partner::Outside => None,
        }
    }

    /// How it stands for its operator; `None` where nothing but talk goes on.
    pub fn stands(&self) -> Option<Stands> {
        match &self.third {
            Some(Third::Called(_)) => Some(Stands::Asking),
            Some(Third::Consulted { .. }) => Some(Stands::Consulting),
            Some(Third::Guest { .. }) => Some(Stands::Conference),
            None => self.hold.then_some(Stands::Held),
        }
    }

    /// Whether the resident hears music, because the operator holds or asks somebody.
    pub fn resident_waits(&self) -> bool {
        self.hold || matches!(self.third, Some(Third::Called(_) | Third::Consulted { .. }))
    }
}

impl Centre {
    /// Connects the resident with the talk's leg, and records where the rules say so.
    pub(super) fn start_talk(&mut self, call: CallId, talk: Talk, record: bool) {
        let partner = talk.partner.clone();
        self.set_stage(call, Stage::Talking(talk));
        self.end_ring_tone(call);
        self.stop_hold_music(call, 0);
        let Arrangement { hears, music } = self.arrangement(call);
        self.stop_other_music(call, &music);
        self.out.media(ToMedia::Connect { call, hears });
        self.play_missing_music(call, &music);
        if record {
            let recording = self.start_recording(call, &partner);
            self.talk_mut(call).into_iter().for_each(|talk| talk.recording = recording);
        }
        self.judge_lines(call);
    }

    pub(super) fn start_recording(&mut self, call: CallId, partner: &Partner) -> Option<RecordingId> {
        let known = self.calls.get_mut(&call)?;
        let recording = RecordingId { call, n: known.next_recording };
        known.next_recording = known.next_recording.saturating_add(1);
        let agent = match partner {
            Partner::Agent { agent, .. } => Some(agent.clone()),
            Partner::Outside => None,
        };
        self.open_recordings.insert(recording);
        self.out.media(ToMedia::Record { recording, resident: LegId::caller(call) });
        self.out.fact(Fact::RecordingStarted { recording, agent });
        Some(recording)
    }

    /// The partner's part is over: the recording with it, and an operator has time to write things down.
    pub(super) fn end_talk(&mut self, call: CallId, talk: &Talk) {
        self.deadlines.cancel(&Reason::AbuseSaid(call));
        self.deadlines.cancel(&Reason::RecordingPaused(call));
        if let Some(recording) = talk.recording {
            self.out.media(ToMedia::StopRecord { recording });
        }
        if let Some((agent, queue)) = talk.operator() {
            let wrap_up_ms = self.queue_settings(queue).map_or(0, |rules| rules.wrap_up_ms);
            self.start_wrap_up(agent, wrap_up_ms);
        }
    }

    /// Somebody of the talk ends it at the desk: who was asked or listens leaves, the operator hands the call on or ends it.
    pub(super) fn operator_hangs_up(&mut self, agent: &AgentId, call: CallId) {
        match self.stage(call) {
            Some(Stage::Talking(talk)) if talk.operator().is_some_and(|(talking, _)| talking == agent) => {
                self.partner_leaves(call, EndReason::OperatorHungUp);
            }
            Some(Stage::Talking(talk)) if talk.supervisors.contains_key(agent) => self.end_supervision(call, agent),
            Some(Stage::Talking(talk)) if talk.third.as_ref().is_some_and(|third| third.is_agent(agent)) => self.consultant_leaves(call),
            Some(Stage::CallingOut(out)) if out.agent == *agent && out.back.is_some() => self.try_failed(call, EndReason::OperatorHungUp),
            Some(Stage::CallingOut(out)) if out.agent == *agent => self.end_call(call, EndReason::OperatorHungUp),
            Some(Stage::Internal(_)) => self.internal_hung_up(agent, call),
            Some(
                Stage::Arriving
                | Stage::Walking(_)
                | Stage::Waiting(_)
                | Stage::Offered(_)
                | Stage::Dialling(_)
                | Stage::Talking(_)
                | Stage::Transferring(_)
                | Stage::CallingOut(_),
            )
            | None => {}
        }
    }

    /// The partner goes. Who was asked takes the resident over, or rings on for them; without anybody the call is over.
    pub(super) fn partner_leaves(&mut self, call: CallId, reason: EndReason) {
        match self.talk(call).and_then(|talk| talk.third.clone()) {
            Some(Third::Consulted { party, leg } | Third::Guest { party, leg }) => self.third_takes_over(call, party, leg),
            Some(Third::Called(calling)) => self.hand_on(call, calling),
            None => self.end_call(call, reason),
        }
    }

    // ---- hold ----

    /// The operator lets the resident wait with music, or takes them back.
    pub(super) fn hold(&mut self, agent: &AgentId, call: CallId, hold: bool) -> Result<(), Refusal> {
        let talk = self.own_talk(agent, call)?;
        match &talk.third {
            Some(Third::Called(_) | Third::Consulted { .. }) => return Err(Refusal::NotNow),
            Some(Third::Guest { .. }) | None => {}
        }
        self.set_hold(call, hold);
        Ok(())
    }

    /// A fact for each change of what the others notice: a phone and a desk may both hold.
    pub(super) fn set_hold(&mut self, call: CallId, hold: bool) {
        let Some(leg) = self.talk(call).filter(|talk| talk.hold != hold).map(|talk| LegId { call, n: talk.leg }) else { return };
        if !self.holds_by_phone(leg) {
            self.out.fact(Fact::Held { leg, held: hold });
        }
        self.rearrange(call, |talk| talk.hold = hold);
    }

    /// The far end's own phone holds or is back.
    pub(super) fn phone_held(&mut self, leg: LegId, held: bool) {
        if self.leg_mut(leg).is_none_or(|known| known.held == held) {
            return;
        }
        let by_desk = self.talk(leg.call).is_some_and(|talk| talk.leg == leg.n && talk.hold);
        let is_internal = matches!(self.stage(leg.call), Some(Stage::Internal(_)));
        if !by_desk && !is_internal {
            self.out.fact(Fact::Held { leg, held });
        }
        let before = self.arrangement(leg.call);
        self.leg_mut(leg).into_iter().for_each(|known| known.held = held);
        self.arranged(leg.call, &before);
    }

    pub(super) fn holds_by_phone(&self, leg: LegId) -> bool {
        self.calls.get(&leg.call).and_then(|known| known.legs.get(&leg.n)).is_some_and(|known| known.held)
    }

    // ---- keys ----

    /// The operator presses keys for a machine at the other end: of whom they have asked, else of the resident. Nobody who waits hears any.
    pub(super) fn send_digits(&mut self, agent: &AgentId, call: CallId, digits: Vec<Digit>) -> Result<(), Refusal> {
        let talk = self.own_talk(agent, call)?;
        let n = talk.third.as_ref().and_then(Third::up);
        if n.is_none() && talk.resident_waits() {
            return Err(Refusal::NotNow);
        }
        let leg = LegId { call, n: n.unwrap_or_default() };
        if self.holds_by_phone(leg) {
            return Err(Refusal::NotNow);
        }
        self.out.media(ToMedia::SendDigits { leg, digits });
        Ok(())
    }

    // ---- who hears whom ----

    /// Changes a talk, and orders what that means for who hears whom.
    pub(super) fn rearrange(&mut self, call: CallId, change: impl FnOnce(&mut Talk)) {
        let before = self.arrangement(call);
        if let Some(talk) = self.talk_mut(call) {
            change(talk);
        }
        self.arranged(call, &before);
    }

    /// Orders what is other than `before`: music ends before voices come, and begins after they have gone.
    pub(super) fn arranged(&mut self, call: CallId, before: &Arrangement) {
        if !matches!(self.stage(call), Some(Stage::Talking(_) | Stage::Internal(_))) {
            return;
        }
        let after = self.arrangement(call);
        self.end_ring_tone(call);
        self.stop_other_music(call, &after.music);
        if before.hears != after.hears {
            self.out.media(ToMedia::Connect { call, hears: after.hears.clone() });
        }
        self.play_missing_music(call, &after.music);
        self.begin_ring_tone(call);
        self.note_silence(call, |_| {});
    }

    /// The room of a talk, also of one between operators; an empty one outside of talks.
    pub(super) fn arrangement(&self, call: CallId) -> Arrangement {
        let Some(known) = self.calls.get(&call) else { return Arrangement::default() };
        let talk = match &known.stage {
            Stage::Talking(talk) => talk,
            Stage::Internal(internal) => return self.internal_arrangement(call, known, internal),
            Stage::Arriving
            | Stage::Walking(_)
            | Stage::Waiting(_)
            | Stage::Offered(_)
            | Stage::Dialling(_)
            | Stage::Transferring(_)
            | Stage::CallingOut(_) => return Arrangement::default(),
        };
        let leg = |n: u16| LegId { call, n };
        let supervisors = talk.supervisors.values().filter_map(|supervisor| Some((leg(supervisor.up()?), supervisor.mode)));
        let is_up = |leg: &LegId| known.legs.contains_key(&leg.n);
        let room = Room {
            resident: LegId::caller(call),
            partner: leg(talk.leg),
            third: talk.third.as_ref().and_then(Third::up).map(leg),
            resident_waits: talk.resident_waits(),
            holding: known.legs.iter().filter(|(_, known)| known.held).map(|(n, _)| leg(*n)).collect(),
            supervisors: supervisors.collect(),
        };
        let Arrangement { mut hears, mut music } = room.arrange();
        hears.extend(self.early_pair(call).filter(|pair| !room.holding.contains(&pair.ear)));
        hears.retain(|pair| is_up(&pair.ear) && is_up(&pair.mouth) && !(talk.warned && pair.ear == room.resident));
        music.retain(is_up);
        Arrangement { hears, music }
    }

    /// Music for somebody who waits in or after a talk: that of its queue.
    pub(super) fn play_hold_music(&mut self, leg: LegId) {
        self.play_hold_music_after(leg, None);
    }

    /// The same after a word that says why.
    pub(super) fn play_hold_music_after(&mut self, leg: LegId, word: Option<PromptId>) {
        let language = self.language_of(leg.call);
        let word = word.map(|id| Sound::Prompt { id, language });
        let rules = self.calls.get(&leg.call).and_then(|known| known.queue()).and_then(|queue| self.queue_settings(queue));
        let id: PromptId = rules.map_or_else(|| QueueSettings::default().music, |rules| rules.music.clone());
        let Some(known) = self.calls.get_mut(&leg.call) else { return };
        known.play = PlayId(known.play.0.wrapping_add(1));
        known.hold_music.insert(leg.n);
        known.ring_tone = known.ring_tone.filter(|n| *n != leg.n);
        let play = known.play;
        if leg.n == 0 {
            self.forget_warning(leg.call);
        }
        let sounds = word.into_iter().chain([Sound::Music { id }]).collect();
        self.out.media(ToMedia::Play { leg, play, sounds, ending: Ending::Repeat });
    }

    pub(super) fn hears_hold_music(&self, leg: LegId) -> bool {
        self.calls.get(&leg.call).is_some_and(|known| known.hold_music.contains(&leg.n))
    }

    pub(super) fn play_missing_music(&mut self, call: CallId, music: &BTreeSet<LegId>) {
        for leg in music {
            if self.calls.contains_key(&call) && !self.hears_hold_music(*leg) {
                self.play_hold_music(*leg);
            }
        }
    }

    fn stop_other_music(&mut self, call: CallId, music: &BTreeSet<LegId>) {
        let plays = self.calls.get(&call).map(|known| known.hold_music.clone()).unwrap_or_default();
        plays.into_iter().filter(|n| !music.contains(&LegId { call, n: *n })).for_each(|n| self.stop_hold_music(call, n));
    }

    pub(super) fn stop_hold_music(&mut self, call: CallId, n: u16) {
        if let Some(known) = self.calls.get_mut(&call) {
            known.hold_music.remove(&n);
            self.out.media(ToMedia::StopPlay { leg: LegId { call, n } });
        }
    }

    // ---- looking it up ----

    pub(super) fn talk(&self, call: CallId) -> Option<&Talk> {
        match self.stage(call)? {
            Stage::Talking(talk) => Some(talk),
            Stage::Arriving
            | Stage::Walking(_)
            | Stage::Waiting(_)
            | Stage::Offered(_)
            | Stage::Dialling(_)
            | Stage::Transferring(_)
            | Stage::CallingOut(_)
            | Stage::Internal(_) => None,
        }
    }

    pub(super) fn talk_mut(&mut self, call: CallId) -> Option<&mut Talk> {
        match self.stage_mut(call)? {
            Stage::Talking(talk) => Some(talk),
            Stage::Arriving
            | Stage::Walking(_)
            | Stage::Waiting(_)
            | Stage::Offered(_)
            | Stage::Dialling(_)
            | Stage::Transferring(_)
            | Stage::CallingOut(_)
            | Stage::Internal(_) => None,
        }
    }

    /// The talk that this operator leads.
    pub(super) fn own_talk(&self, agent: &AgentId, call: CallId) -> Result<&Talk, Refusal> {
        let theirs = |talk: &&Talk| talk.operator().is_some_and(|(talking, _)| talking == agent);
        self.talk(call).filter(theirs).ok_or(Refusal::NotYourTalk)
    }
}
