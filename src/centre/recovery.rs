//! What becomes of calls when the process starts again? Sound flows at once; each leg is unknown until it is found or gone; who waited and
//! cannot be kept is owed a callback.

use super::Centre;
use super::agent::State;
use super::call::{Call, Stage};
use super::colleague::Before;
use super::deadline::Reason;
use super::fact::{Chosen, EndReason, Fact, OfferEnd, Party};
use super::ids::{AgentId, CallId, Generation, LegId, TrunkId};
use super::ivr::{Phase, Walk};
use super::leg::LegState;
use super::output::ToMedia;
use super::room::Arrangement;
use super::talk::Partner;
use super::time::Time;

/// Legs that have not been found again after this many milliseconds are gone.
const RECOVERY_MS: u64 = 10_000;
/// A desk's page that outlives the process tries again every five seconds at the latest: one that has not come after this many
/// milliseconds is gone.
const DESKS_RETURN_MS: u64 = 15_000;
/// After a longer downtime, in milliseconds, nobody is at the other end any more, and operators have gone about their day.
pub const LIVES_ON_MS: u64 = 300_000;

impl Centre {
    /// A new process has replayed the journal. The engine tells it as of the last record's time: no deadline has passed for the
    /// calls of then, and what ends now ended then.
    pub(super) fn restarted(&mut self, downtime_ms: u64) {
        self.out.fact(Fact::Restarted { downtime_ms });
        self.draining = false;
        // The new process reads its own clock, and counts calls on from the highest.
        self.wall_ahead_ms = 0;
        self.early_ends.clear();
        for call in self.calls.values_mut() {
            for leg in call.legs.values_mut() {
                leg.state = LegState::Unknown;
            }
        }
        self.listen_anew();
        let without_sound = self.pages_silent(downtime_ms);
        if downtime_ms > LIVES_ON_MS {
            self.send_operators_home();
        } else {
            self.keep_operators();
            // From the start of the new process on: this is told as of the end of the former one.
            if self.agents.values().any(|agent| agent.desk_awaited) {
                self.deadlines.set(Reason::DesksReturn, self.now.plus_ms(downtime_ms).plus_ms(DESKS_RETURN_MS));
            }
            self.await_sounds(&without_sound, downtime_ms);
        }
        self.match_agents_to_settings();
        self.hold_the_unknown_back();
        self.hold_callbacks_back(self.now.plus_ms(downtime_ms).plus_ms(RECOVERY_MS));
        self.sound_at_once();
        if !self.calls.is_empty() {
            self.deadlines.set(Reason::Recovery, self.now.plus_ms(downtime_ms).plus_ms(RECOVERY_MS));
        }
    }

    /// The new process has heard nothing yet, and tells of silence again where there is some: what the former one told is no news of now,
    /// and would end a talk that is heard well.
    fn listen_anew(&mut self) {
        let calls: Vec<CallId> = self.calls.keys().copied().collect();
        for call in calls {
            self.deadlines.cancel(&Reason::NoSound(call));
            let Some(known) = self.calls.get_mut(&call) else { continue };
            for n in std::mem::take(&mut known.unheard) {
                self.out.fact(Fact::LegUnheard { leg: LegId { call, n }, unheard: false });
            }
            if std::mem::take(&mut known.silent) {
                self.out.fact(Fact::LegSound { leg: LegId::caller(call), lost: false });
            }
        }
    }

    /// Ready, wrapping up or paused as before: phones that are not registered any more are told of next, and desks that were open are
    /// given time to come back by themselves; until then nothing new rings at them. An offer that rang is withdrawn, and nobody is at fault.
    fn keep_operators(&mut self) {
        let all: Vec<AgentId> = self.agents.keys().cloned().collect();
        for id in all {
            if let Some(agent) = self.agents.get_mut(&id) {
                agent.desk_awaited = agent.desk.is_some();
            }
            if let Some(State::Offered { call }) = self.agent_state(&id) {
                let call = *call;
                if matches!(self.stage(call), Some(Stage::Offered(_))) {
                    self.offer_cut_off(call);
                } else {
                    self.offer_failed(call, OfferEnd::AgentGone);
                }
            }
        }
    }

    /// Desks and phones must come back by themselves; an operator in a talk stays with it until its leg is known.
    fn send_operators_home(&mut self) {
        let all: Vec<(AgentId, State)> = self.agents.iter().map(|(id, agent)| (id.clone(), agent.state.clone())).collect();
        for (id, state) in all {
            if let Some(agent) = self.agents.get_mut(&id) {
                (agent.desk, agent.desk_awaited) = (None, false);
                agent.contacts.clear();
            }
            match state {
                State::Offered { call } => self.offer_failed(call, OfferEnd::AgentGone),
                State::Ready | State::WrapUp | State::NotResponding | State::Paused { .. } => self.set_agent(&id, State::Offline),
                State::Internal { .. } => self.go_on_as(&id, Before::Offline),
                State::Talking { .. } | State::Supervising { .. } | State::Offline => {}
            }
            if !matches!(state, State::Talking { .. } | State::Supervising { .. } | State::Internal { .. }) {
                self.set_agent(&id, State::Offline);
            }
        }
    }

    /// Who talked goes on talking and who waited hears music, before anything else is known of them.
    fn sound_at_once(&mut self) {
        let calls: Vec<CallId> = self.calls.keys().copied().collect();
        for call in calls {
            match self.stage(call) {
                Some(Stage::Talking(_)) => {
                    self.forget_warning(call);
                    let Arrangement { hears, music } = self.arrangement(call);
                    self.out.media(ToMedia::Connect { call, hears });
                    music.into_iter().for_each(|leg| self.play_hold_music(leg));
                }
                Some(Stage::Waiting(_)) => self.announcement_played(call),
                Some(Stage::Transferring(_)) => self.play_hold_music(LegId::caller(call)),
                Some(Stage::Internal(_)) => self.connect_internal(call),
                Some(Stage::Arriving | Stage::Walking(_) | Stage::Offered(_) | Stage::Dialling(_) | Stage::CallingOut(_)) | None => {}
            }
        }
    }

    /// Nobody is rung for a caller who may be gone: who waits keeps place and age, and is served once the leg is known.
    fn hold_the_unknown_back(&mut self) {
        for (call, known) in &self.calls {
            if let Stage::Waiting(wait) = &known.stage {
                self.waiting.offered(*call, wait);
            }
        }
    }

    /// All legs that the core believes in, for a shell that has to say which of them it has.
    pub fn legs(&self) -> Vec<LegId> {
        let legs_of =
            |(call, known): (&CallId, &super::call::Call)| known.legs.keys().map(|n| LegId { call: *call, n: *n }).collect::<Vec<_>>();
        self.calls.iter().flat_map(legs_of).collect()
    }

    /// The process ends: every call is hung up while there is somebody to do it.
    pub(super) fn stop(&mut self) {
        self.draining = true;
        let calls: Vec<CallId> = self.calls.keys().copied().collect();
        for call in calls {
            if self.keep_callback(call) {
                continue;
            }
            self.owe_if_waiting(call);
            self.end_call(call, EndReason::Interrupted);
        }
    }

    /// The shell has this leg again: a caller who waits is served again, and what the end of the process cut off goes on.
    pub(super) fn leg_recovered(&mut self, leg: LegId) {
        let Some(call) = self.calls.get_mut(&leg.call) else { return };
        match call.legs.get_mut(&leg.n) {
            Some(known) if known.state == LegState::Unknown => known.state = LegState::Up,
            Some(_) | None => return,
        }
        if self.still_rings(leg) {
            return self.partner_up(leg);
        }
        let Some(call) = self.calls.get(&leg.call) else { return };
        match (&call.stage, leg.n) {
            (Stage::Arriving, 0) => self.leg_answered(leg),
            (Stage::Walking(Walk { phase: Phase::Dismissed, .. }), 0) => self.end_call(leg.call, EndReason::Abuse),
            (Stage::Walking(Walk { phase: Phase::Parting, .. }), 0) => self.caller_parts(leg.call),
            (Stage::Walking(Walk { phase: Phase::SentAway, .. }), 0) => self.end_call(leg.call, EndReason::PlanEnded),
            // What played is lost with the process: the step speaks again, the music begins again.
            (Stage::Walking(walk), 0) => {
                let step = walk.step.clone();
                self.enter_step(leg.call, &step, false);
            }
            (Stage::Waiting(wait), 0) => {
                self.waiting.seek(leg.call, wait);
                self.announcement_played(leg.call);
                // The question was put off to the end of an offer that the process did not live to see.
                self.overflow_if_overdue(leg.call);
            }
            (Stage::Dialling(_), 1..) => self.partner_up(leg),
            (Stage::CallingOut(_), 0) => self.partner_up(leg),
            (Stage::Talking(_), 0) => self.record_on(leg.call),
            (Stage::Internal(_), _) => self.connect_internal(leg.call),
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
            ) => {}
        }
    }

    /// Whether the core has not heard yet that this leg has sound: the process ended before it could be told.
    fn still_rings(&self, leg: LegId) -> bool {
        self.is_called(leg)
            || self.rings_internally(leg)
            || self.supervisor_of(leg).is_some_and(|agent| self.supervisor_rings(leg.call, &agent))
    }

    /// The recording ended with the process; a new one holds the rest of the talk.
    fn record_on(&mut self, call: CallId) {
        let Some(talk) = self.talk(call) else { return };
        let (cut_off, partner, paused) = (talk.recording, talk.partner.clone(), talk.paused);
        if let Some(recording) = cut_off {
            self.out.media(ToMedia::StopRecord { recording });
            let goes_on = self.start_recording(call, &partner);
            self.talk_mut(call).into_iter().for_each(|talk| talk.recording = goes_on);
            if let Some(recording) = goes_on.filter(|_| paused) {
                self.out.media(ToMedia::PauseRecord { recording });
            }
        }
    }

    /// This leg could not be brought back: its call is interrupted, and a caller who waited is owed a callback.
    pub(super) fn leg_gone(&mut self, leg: LegId) {
        let Some(call) = self.calls.get(&leg.call) else { return };
        if !call.legs.contains_key(&leg.n) {
            return;
        }
        if leg.n == 0 && !self.is_callback(leg.call) {
            self.owe_if_waiting(leg.call);
        }
        self.far_end_gone(leg, EndReason::Interrupted);
    }

    /// Who waits in a queue, or for somebody who rings for them after an operator has given them away.
    fn owe_if_waiting(&mut self, call: CallId) {
        let caller = self.whom_to_call(call);
        if let (Some(caller), Some(wait)) = (caller, self.wait_of(call).cloned().or_else(|| self.wait_of_transfer(call))) {
            self.owe_callback(call, caller, wait);
        }
    }

    /// The desks that were open when the former process ended have had their time: those that are not back are gone.
    pub(super) fn desks_returned(&mut self) {
        let awaited = self.agents.iter().filter(|(_, agent)| agent.desk_awaited);
        let gone: Vec<(AgentId, Generation)> = awaited.filter_map(|(id, agent)| Some((id.clone(), agent.desk?))).collect();
        gone.iter().for_each(|(agent, generation)| self.desk_gone(agent, *generation));
    }

    /// Who has not been found by now is given up: should the far end be there all the same, it is told.
    pub(super) fn recovery_over(&mut self) {
        for leg in self.legs() {
            // A page has a little longer, and a deadline of its own.
            if self.is_unknown(leg) && !self.is_page(leg) {
                if leg.n == 0 && !self.is_callback(leg.call) {
                    self.owe_if_waiting(leg.call);
                }
                self.leg_failed(leg, EndReason::Interrupted);
            }
        }
    }

    /// What is up and who is at work, as facts that were told long ago: for a board that begins anew with the process.
    pub fn retold(&self) -> Vec<(Time, Fact)> {
        let signed_in = self.agents.iter().filter(|(_, agent)| agent.state != State::Offline);
        let mut told: Vec<(Time, Fact)> =
            signed_in.map(|(id, agent)| (agent.since, Fact::AgentChanged { agent: id.clone(), state: agent.status() })).collect();
        for (call, known) in self.calls.iter().filter(|(_, known)| !matches!(known.stage, Stage::Internal(_))) {
            let trunk = TrunkId::from("");
            told.push((known.arrived, Fact::CallStarted { call: *call, number: known.number.clone(), trunk, caller: known.caller }));
            told.extend(known.language.map(|language| {
                (known.arrived, Fact::LanguageChosen { call: *call, caller: known.caller, language, how: Chosen::Remembered })
            }));
            told.extend(known.topic.clone().map(|topic| (known.arrived, Fact::TopicChosen { call: *call, topic })));
            told.extend(self.where_it_is(*call, known));
            told.extend(self.callback_retold(*call));
        }
        told.extend(self.duty_retold().into_iter().map(|fact| (self.now, fact)));
        told.extend(self.orders_retold());
        told
    }

    /// Where it stands; who is asked something keeps the place in the queue meanwhile.
    fn where_it_is(&self, call: CallId, known: &Call) -> impl Iterator<Item = (Time, Fact)> {
        let kept = known.kept.as_ref().filter(|_| matches!(known.stage, Stage::Walking(_)));
        let enqueued = kept.and_then(|_| self.enqueued_retold(call));
        enqueued.into_iter().chain(self.stage_retold(call, known))
    }

    fn stage_retold(&self, call: CallId, known: &Call) -> Option<(Time, Fact)> {
        match &known.stage {
            Stage::CallingOut(_) if self.is_callback(call) => self.enqueued_retold(call),
            Stage::Arriving | Stage::Transferring(_) | Stage::CallingOut(_) | Stage::Internal(_) => None,
            Stage::Walking(walk) => Some((self.now, Fact::StepEntered { call, step: walk.step.clone() })),
            Stage::Waiting(_) | Stage::Offered(_) => self.enqueued_retold(call),
            Stage::Dialling(dialling) => self.outside_leg(call, known, dialling.leg).map(|fact| (self.now, fact)),
            Stage::Talking(talk) => match &talk.partner {
                Partner::Agent { agent, queue } => {
                    Some((talk.since, Fact::Connected { call, queue: queue.clone(), agent: agent.clone(), waited_ms: 0 }))
                }
                Partner::Outside => self.outside_leg(call, known, talk.leg).map(|fact| (talk.since, fact)),
            },
        }
    }

    fn enqueued_retold(&self, call: CallId) -> Option<(Time, Fact)> {
        let wait = self.wait_of(call)?;
        let (queue, skills) = (wait.queue.clone(), wait.needs.names());
        Some((wait.since, Fact::Enqueued { call, queue, language: wait.language, skills }))
    }

    fn outside_leg(&self, call: CallId, known: &Call, n: u16) -> Option<Fact> {
        let party: Party = known.legs.get(&n)?.party.clone();
        Some(Fact::LegStarted { leg: LegId { call, n }, party })
    }

    /// Whether a new process does not know yet if the leg can be had back.
    pub(super) fn is_unknown(&self, leg: LegId) -> bool {
        self.calls.get(&leg.call).and_then(|call| call.legs.get(&leg.n)).is_some_and(|known| known.state == LegState::Unknown)
    }
}
