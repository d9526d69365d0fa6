//! What becomes of calls when the process starts again? Each leg is unknown until it is found or gone; who waited is owed a callback.

use super::Centre;
use super::agent::State;
use super::call::Stage;
use super::deadline::Reason;
use super::fact::{EndReason, Fact};
use super::ids::{AgentId, CallId, LegId};
use super::leg::LegState;

/// Legs that have not been found again after this many milliseconds are gone.
const RECOVERY_MS: u64 = 10_000;

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
        self.free_operators();
        self.hold_the_unknown_back();
        if !self.calls.is_empty() {
            self.deadlines.set(Reason::Recovery, self.now.plus_ms(RECOVERY_MS));
        }
    }

    /// Desks and phones must come back by themselves; an operator in a talk stays with it until its leg is known.
    fn free_operators(&mut self) {
        let all: Vec<(AgentId, State)> = self.agents.iter().map(|(id, agent)| (id.clone(), agent.state.clone())).collect();
        for (id, state) in all {
            if let Some(agent) = self.agents.get_mut(&id) {
                agent.desk = None;
                agent.contacts.clear();
            }
            match state {
                State::Offered { call } => self.offer_failed(call, super::fact::OfferEnd::AgentGone),
                State::Ready | State::WrapUp | State::NotResponding | State::Paused { .. } => self.set_agent(&id, State::Offline),
                State::Talking { .. } | State::Supervising { .. } | State::Offline => {}
            }
            if !matches!(state, State::Talking { .. } | State::Supervising { .. }) {
                self.set_agent(&id, State::Offline);
            }
        }
        self.match_agents_to_settings();
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
            (Stage::Arriving, 0) => self.resident_answered(leg.call),
            // What played is lost with the process: the step speaks again, the music begins again.
            (Stage::Walking(walk), 0) => {
                let step = walk.step.clone();
                self.enter_step(leg.call, &step, false);
            }
            (Stage::Waiting(wait), 0) => {
                self.waiting.seek(leg.call, wait);
                self.announcement_played(leg.call);
            }
            (Stage::Dialling(_), 1..) => self.partner_up(leg),
            (Stage::Transferring(_), 0) => self.play_hold_music(leg),
            (Stage::CallingOut(_), 0) => self.partner_up(leg),
            (Stage::Talking(_), _) if self.arrangement(leg.call).music.contains(&leg) => self.play_hold_music(leg),
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
        self.is_called(leg) || self.supervisor_of(leg).is_some_and(|agent| self.supervisor_rings(leg.call, &agent))
    }

    /// This leg could not be brought back: its call is interrupted, and a caller who waited is owed a callback.
    pub(super) fn leg_gone(&mut self, leg: LegId) {
        let Some(call) = self.calls.get(&leg.call) else { return };
        if !call.legs.contains_key(&leg.n) {
            return;
        }
        if leg.n == 0 {
            self.owe_if_waiting(leg.call);
        }
        self.far_end_gone(leg, EndReason::Interrupted);
    }

    fn owe_if_waiting(&mut self, call: CallId) {
        let caller = self.calls.get(&call).map(|known| known.caller);
        if let (Some(caller), Some(wait)) = (caller, self.wait_of(call).cloned()) {
            self.owe_callback(call, caller, wait);
        }
    }

    /// Who has not been found by now is gone.
    pub(super) fn recovery_over(&mut self) {
        for leg in self.legs() {
            if self.is_unknown(leg) {
                self.leg_gone(leg);
            }
        }
    }

    /// Whether a new process does not know yet if the leg can be had back.
    pub(super) fn is_unknown(&self, leg: LegId) -> bool {
        self.calls.get(&leg.call).and_then(|call| call.legs.get(&leg.n)).is_some_and(|known| known.state == LegState::Unknown)
    }
}
