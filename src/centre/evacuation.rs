//! What if everybody has to leave the building? In one step no operator is offered anything, talks and waits end with a word, and everybody
//! who can be called back is owed it.

use serde::{Deserialize, Serialize};

use super::Centre;
use super::agent::State;
use super::call::Stage;
use super::consult::Third;
use super::deadline::Reason;
use super::fact::{EndReason, Fact, OfferEnd, Party, QueueEnd};
use super::ids::{AgentId, CallId, LegId, PauseReason, PromptId, QueueId, StepId};
use super::ivr::Phase;
use super::output::{Ending, Sound};
use super::queue::Wait;
use super::settings::QueueSettings;
use super::talk::Talk;
use super::time::Time;

/// Why everybody pauses while it holds.
pub const EVACUATION: &str = "evacuation";

/// What callers hear while the centre is evacuated.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EvacuationSettings {
    /// The text, by its id.
    pub prompt: PromptId,
    /// A step in place of the text, for calls that come in; it holds for plans that have it.
    pub step: Option<StepId>,
}

impl Default for EvacuationSettings {
    fn default() -> Self {
        Self { prompt: PromptId::from(EVACUATION), step: None }
    }
}

/// The centre is evacuated.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Evacuated {
    pub since: Time,
    pub by: String,
    pub reason: String,
}

impl Centre {
    /// Whether the centre is evacuated.
    pub fn is_evacuated(&self) -> bool {
        self.steering.evacuation.is_some()
    }

    /// Everybody leaves at once.
    pub(super) fn evacuate(&mut self, by: String, reason: String) {
        if self.is_evacuated() {
            return;
        }
        self.out.fact(Fact::EvacuationChanged { on: true, by: by.clone(), reason: reason.clone() });
        self.steering.evacuation = Some(Evacuated { since: self.now, by, reason });
        let calls: Vec<CallId> = self.calls.keys().copied().collect();
        calls.into_iter().for_each(|call| self.evacuate_call(call));
        let agents: Vec<AgentId> = self.agents.keys().cloned().collect();
        for agent in agents {
            match self.agent_state(&agent) {
                // Nobody would tell a phone of the pause or the end of the shift that was meant for it.
                Some(State::Paused { .. }) if self.is_ready_by_phone(&agent) => {}
                Some(State::WrapUp) if self.is_ready_by_phone(&agent) => self.wrap_up_over(&agent),
                Some(State::Ready | State::WrapUp | State::Paused { .. } | State::NotResponding) => self.set_agent(&agent, evacuated()),
                // Who calls a service for a resident, or is beside a talk that goes on, is paused after it.
                Some(
                    State::Offline | State::Offered { .. } | State::Talking { .. } | State::Supervising { .. } | State::Internal { .. },
                )
                | None => {}
            }
        }
    }

    fn evacuate_call(&mut self, call: CallId) {
        match self.stage(call).cloned() {
            // Who was promised a callback waits on without a line.
            Some(Stage::Waiting(_)) if self.is_callback(call) => {}
            Some(Stage::Offered(_)) if self.is_callback(call) => self.offer_failed(call, OfferEnd::AgentGone),
            Some(Stage::CallingOut(_)) if self.is_callback(call) => self.try_failed(call, EndReason::Evacuated),
            Some(Stage::Walking(_)) if !self.is_callback(call) && self.kept(call).is_some() => {
                if let Some(wait) = self.kept(call) {
                    self.owe(call, wait);
                }
                self.stop_keying(call);
                self.leave_queue(call, QueueEnd::Evacuated);
                self.deadlines.cancel(&Reason::Key(call));
                self.send_away(call);
            }
            Some(Stage::Waiting(wait)) => {
                self.owe(call, wait);
                self.leave_queue(call, QueueEnd::Evacuated);
                self.send_away(call);
            }
            Some(Stage::Offered(ringing)) => {
                self.owe(call, ringing.wait);
                self.offer_without_caller(call);
                self.leave_queue(call, QueueEnd::Evacuated);
                self.send_away(call);
            }
            Some(Stage::Talking(talk)) => self.evacuate_talk(call, &talk),
            Some(Stage::Transferring(transfer)) if transfer.calling.agent().is_some() => {
                if let Some(wait) = self.wait_of_transfer(call) {
                    self.owe(call, wait);
                }
                self.calling_over(call, &transfer.calling, OfferEnd::CallerGone);
                self.send_away(call);
            }
            Some(Stage::CallingOut(_) | Stage::Internal(_)) => self.end_call(call, EndReason::Evacuated),
            // Who is in the plan hears of it where they would wait; a service outside goes on.
            Some(Stage::Arriving | Stage::Walking(_) | Stage::Dialling(_) | Stage::Transferring(_)) | None => {}
        }
    }

    /// A talk with a service outside goes on, also where the operator is only asking it; every other one ends for the operator at once.
    fn evacuate_talk(&mut self, call: CallId, talk: &Talk) {
        let Some((_, queue)) = talk.operator() else { return };
        let with_service = match &talk.third {
            Some(Third::Consulted { party, .. } | Third::Guest { party, .. }) => !matches!(party, Party::Agent(_)),
            Some(Third::Called(calling)) => calling.agent().is_none(),
            None => false,
        };
        if with_service {
            return self.partner_leaves(call, EndReason::Evacuated);
        }
        let wait = self.new_wait_of_talk(call, queue);
        self.owe(call, wait);
        let third = talk.third.as_ref().and_then(|third| match third {
            Third::Consulted { leg, .. } | Third::Guest { leg, .. } => Some(*leg),
            Third::Called(_) => None,
        });
        self.release_third(call, talk);
        self.talk_mut(call).into_iter().for_each(|talk| talk.third = None);
        third.into_iter().for_each(|n| self.end_leg(LegId { call, n }, EndReason::Evacuated));
        self.leave_resident(call, EndReason::Evacuated);
        if let Some(known) = self.calls.get_mut(&call) {
            known.hold_music.clear();
        }
        self.send_away(call);
    }

    fn new_wait_of_talk(&self, call: CallId, queue: &QueueId) -> Wait {
        let language = self.language_of(call);
        let (ring, needs) = self.queue_settings(queue).map(|rules| rules.needs(language, 0)).unwrap_or_default();
        Wait { queue: queue.clone(), since: self.now, before_ms: 0, needs, language, ring, credit_ms: 0 }
    }

    fn owe(&mut self, call: CallId, wait: Wait) {
        if let Some(caller) = self.whom_to_call(call) {
            self.owe_callback(call, caller, wait);
        }
    }

    /// A call that comes in hears of it before anything else; whether it does.
    pub(super) fn greets_evacuated(&mut self, call: CallId) -> bool {
        if !self.is_evacuated() {
            return false;
        }
        let step = self.settings.evacuation.step.clone();
        match step.filter(|step| self.action_named(call, step)) {
            Some(step) => self.enter_step(call, &step, false),
            None => self.send_away(call),
        }
        true
    }

    /// Who would take a place in a queue now is owed a callback instead.
    pub(super) fn owe_instead(&mut self, call: CallId, queue: &QueueId, rules: &QueueSettings) {
        if let Some(wait) = self.new_wait(call, queue, rules) {
            self.owe(call, wait);
        }
        self.send_away(call);
    }

    /// The caller hears that the centre is evacuated, and the call ends.
    pub(super) fn send_away(&mut self, call: CallId) {
        let prompt = self.settings.evacuation.prompt.clone();
        self.part_with(call, prompt);
    }

    /// A last word that is no step of the plan. Keys of the whole plan work meanwhile: the way to 112 stays open.
    pub(super) fn part_with(&mut self, call: CallId, prompt: PromptId) {
        let language = self.language_of(call);
        self.walk(call, &StepId::from(prompt.as_str()), Phase::SentAway);
        self.play(call, vec![Sound::Prompt { id: prompt, language }], Ending::Report);
    }

    /// Operators come back: who has a desk says so there, a phone without one is ready again.
    pub(super) fn end_evacuation(&mut self, by: String, reason: String) {
        if self.steering.evacuation.take().is_none() {
            return;
        }
        self.out.fact(Fact::EvacuationChanged { on: false, by, reason });
        let paused: Vec<AgentId> = self.agents.iter().filter(|(_, known)| known.state == evacuated()).map(|(id, _)| id.clone()).collect();
        for agent in paused {
            let state = self.after_evacuation(&agent, evacuated());
            self.set_agent(&agent, state);
        }
    }
}

impl Centre {
    /// What becomes of a state: nobody is ready during an evacuation, and a phone without a desk is not away because of one that is over.
    pub(super) fn after_evacuation(&self, agent: &AgentId, state: State) -> State {
        match (self.is_evacuated(), state) {
            (true, State::Ready) => evacuated(),
            (false, state) if state == evacuated() && self.is_ready_by_phone(agent) => {
                if self.can_be_rung(agent) {
                    State::Ready
                } else {
                    State::Offline
                }
            }
            (_, state) => state,
        }
    }
}

/// What everybody is who has not signed out.
pub(super) fn evacuated() -> State {
    State::Paused { reason: PauseReason::from(EVACUATION) }
}
