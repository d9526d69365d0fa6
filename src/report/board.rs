//! What happens at this moment? A live board for page, terminal and metrics, folded from facts alone.

mod person;
mod place;
mod queue;
mod rolling;
mod scene;
mod show;
mod views;
mod watch;

use std::collections::{BTreeMap, VecDeque};

use crate::centre::fact::{AgentStatus, EndReason, Fact, OfferEnd, Party, QueueEnd, Role};
use crate::centre::ids::{AgentId, CallId, CallTo, NumberId, QueueId, ShiftId, StepId};
use crate::centre::time::Time;

use super::steering::{Steering, SteeringView};
use person::OperatorNow;
use place::{CallUp, Place};
use queue::{QueueNow, WaitOver};

use super::alerts::Alerts;

pub use super::waits::Waits;
pub use scene::{QueueScene, Scene, Targets};
pub use views::{BehindView, BoardView, CallView, EndedView, Figures, HelpView, OperatorView, Outcome, QueueView, Staff, StripView, Today};

/// Calls that are over and still shown.
const LAST_KEPT: usize = 20;

/// What the board calls a number outside, which is personal.
const NUMBER: &str = "a number outside";

/// The board. Its memory is bounded by the calls that are up, the last twenty calls, and of each queue and operator two hours of minutes, of each
/// queue the last 500 waits.
#[derive(Clone, Debug, Default)]
pub struct Board {
    scene: Scene,
    since: Time,
    revision: u64,
    calls: BTreeMap<CallId, CallUp>,
    ended: VecDeque<EndedView>,
    queues: BTreeMap<QueueId, QueueNow>,
    operators: BTreeMap<AgentId, OperatorNow>,
    /// Who wants a supervisor to come, in which call and since when.
    help: BTreeMap<AgentId, (CallId, Time)>,
    /// Those who are not on shift as they are without a table: off, or on these.
    shifts: BTreeMap<AgentId, (bool, Vec<ShiftId>)>,
    /// Counted up with each change and each order of these.
    shifts_revision: u64,
    /// Offers of the last minutes that nobody took, with their queues.
    unanswered: VecDeque<(Time, QueueId)>,
    alerts: Alerts,
    today: Today,
    /// What supervisors have ordered.
    steering: Steering,
}

impl Board {
    /// A board that counts from `since` on.
    pub fn new(since: Time) -> Self {
        Self { since, ..Self::default() }
    }

    /// Other settings. Their queues stand on the board from the beginning of a day on, and one that they dropped until its callers are gone and
    /// its day is over.
    pub fn set_scene(&mut self, scene: Scene) {
        self.queues.retain(|queue, now| {
            scene.queues.contains_key(queue) || !now.waiting.is_empty() || !now.callbacks.is_empty() || now.counts != Waits::default()
        });
        scene.queues.keys().for_each(|queue| {
            self.queues.entry(queue.clone()).or_default();
        });
        self.scene = scene;
        self.revision += 1;
    }

    /// A new day: the counts begin again, the states stay. To be called at midnight of the city.
    pub fn start_day(&mut self, at: Time) {
        self.since = at;
        self.revision += 1;
        self.today = Today::default();
        for queue in self.queues.values_mut() {
            (queue.counts, queue.callbacks_owed) = (Waits::default(), 0);
        }
        self.operators.values_mut().for_each(|operator| operator.answered = 0);
    }

    /// Takes one fact in. Facts must come in their order; one about a call that is not up changes counts only.
    pub fn apply(&mut self, at: Time, fact: &Fact) {
        self.revision += 1;
        self.steering.apply(at, fact);
        match fact {
            Fact::CallStarted { call, number, .. } => self.started(*call, number, at),
            Fact::CallEnded { call, reason } => self.ended(*call, at, *reason),
            Fact::LanguageChosen { call, language, .. } => self.with_call(*call, |up| up.language = Some(*language)),
            Fact::TopicChosen { call, topic } => self.with_call(*call, |up| up.topic = Some(topic.clone())),
            Fact::StepEntered { call, step } => self.entered_step(*call, step, at),
            Fact::Enqueued { call, queue, .. } => self.enqueued(*call, queue, at),
            Fact::Dequeued { call, queue, how, waited_ms } => self.dequeued(*call, queue, *how, *waited_ms, at),
            Fact::Offered { call, queue, agent, .. } => self.offered(*call, queue, agent, at),
            Fact::OfferEnded { call, how, .. } => self.offer_ended(*call, *how, at),
            Fact::Connected { call, queue, agent, .. } => self.connected(*call, queue, agent, at),
            Fact::LegStarted { leg, party: Party::Outside(party) } => self.dialled_outside(leg.call, party, at),
            Fact::CalledOut { call, number, agent, .. } => self.called_out(*call, number, agent, at),
            Fact::Joined { leg, party, role: Role::Partner } => self.goes_on_with(leg.call, party, at),
            Fact::Transferred { call, to, .. } => self.given_away(*call, to, at),
            Fact::LegSound { leg, lost } => self.with_call(leg.call, |up| up.lines.silent(leg.n, *lost)),
            Fact::LegUnheard { leg, unheard } => self.with_call(leg.call, |up| up.lines.unheard(leg.n, *unheard)),
            Fact::AgentChanged { agent, state } => self.operator_changed(agent, state, at),
            Fact::LegEnded { leg, .. } => self.with_call(leg.call, |up| up.lines.forget(leg.n)),
            Fact::CallbackOwed { queue, .. } => {
                self.today.callbacks_owed += 1;
                self.queues.entry(queue.clone()).or_default().callbacks_owed += 1;
            }
            Fact::HelpAsked { call, agent } => drop(self.help.insert(agent.clone(), (*call, at))),
            Fact::HelpOver { agent, .. } => drop(self.help.remove(agent)),
            Fact::ShiftChanged { agent, is_on, shifts } => self.shift_changed(agent, *is_on, shifts),
            Fact::ShiftOrdered { .. } => self.shifts_revision += 1,
            Fact::WaitsOn { call, queue } => self.moved(*call, Place::Waiting { queue: queue.clone() }, at),
            Fact::CallbackStands { call, queue, .. } => self.callback_stands(*call, queue),
            Fact::CallbackDialled { call, agent, .. } => self.moved(*call, Place::CallingOut { agent: agent.clone() }, at),
            Fact::CallbackTried { call, .. } => self.callback_tried(*call, at),
            Fact::CallbackEnded { call, .. } => self.callback_ended(*call),
            Fact::CallAnswered { .. }
            | Fact::CallbackRefused { .. }
            | Fact::KeyPressed { .. }
            | Fact::PlaceTold { .. }
            | Fact::OfferShown { .. }
            | Fact::LegStarted { party: Party::Resident | Party::Agent(_) | Party::Number(_), .. }
            | Fact::LegAnswered { .. }
            | Fact::LegQuality { .. }
            | Fact::RecordingStarted { .. }
            | Fact::RecordingEnded { .. }
            | Fact::SettingsApplied { .. }
            | Fact::Restarted { .. }
            | Fact::Held { .. }
            | Fact::StateEnds { .. }
            | Fact::Warned { .. }
            | Fact::WarningOver { .. }
            | Fact::CallerMarked { .. }
            | Fact::RecordingPaused { .. }
            | Fact::ConsultStarted { .. }
            | Fact::ConsultEnded { .. }
            | Fact::Joined { role: Role::Consultant | Role::Guest | Role::Supervisor(_), .. }
            | Fact::CallDiverted { .. }
            | Fact::TransferFailed { .. }
            | Fact::LegReplaced { .. }
            | Fact::ColleagueCalled { .. }
            | Fact::ColleagueCallEnded { .. }
            | Fact::NoticeTold { .. }
            | Fact::Subscribed { .. }
            | Fact::PageLost { .. }
            | Fact::RingReached { .. }
            | Fact::Credited { .. }
            | Fact::PutBehind { .. }
            | Fact::Steered { .. }
            | Fact::QueueModeChanged { .. }
            | Fact::AbleToday { .. }
            | Fact::EvacuationChanged { .. }
            | Fact::TakenOver { .. } => {}
        }
    }

    /// Counted up with every change: two views of the same revision differ in `at_ms` only.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// What an operator does and since when; `None` for one of whom no fact has told.
    pub fn operator(&self, agent: &AgentId) -> Option<(&AgentStatus, Time)> {
        self.operators.get(agent).map(|operator| (&operator.state, operator.since))
    }

    /// Whether somebody is on shift, and on which; none for who serves all that they can.
    pub fn on_shift(&self, agent: &AgentId) -> (bool, Vec<ShiftId>) {
        self.shifts.get(agent).cloned().unwrap_or((true, Vec::new()))
    }

    fn shift_changed(&mut self, agent: &AgentId, is_on: bool, shifts: &[ShiftId]) {
        self.shifts_revision += 1;
        if is_on && shifts.is_empty() {
            self.shifts.remove(agent);
        } else {
            self.shifts.insert(agent.clone(), (is_on, shifts.to_vec()));
        }
    }

    /// What every operator does and since when.
    pub fn states(&self) -> Vec<(AgentId, AgentStatus, Time)> {
        self.operators.iter().map(|(agent, operator)| (agent.clone(), operator.state.clone(), operator.since)).collect()
    }

    /// What supervisors have ordered that holds now.
    pub fn steering(&self) -> SteeringView {
        self.steering.view()
    }

    /// The short number of a call that is up.
    pub fn number(&self, call: CallId) -> Option<&NumberId> {
        self.calls.get(&call).map(|up| &up.number)
    }

    /// How many calls are up; who waits for a callback has none.
    pub fn calls_up(&self) -> usize {
        let callbacks: usize = self.queues.values().map(|queue| queue.callbacks.len()).sum();
        self.calls.len().saturating_sub(callbacks)
    }

    fn with_call(&mut self, call: CallId, change: impl FnOnce(&mut CallUp)) {
        if let Some(up) = self.calls.get_mut(&call) {
            change(up);
        }
    }

    fn moved(&mut self, call: CallId, place: Place, since: Time) {
        self.with_call(call, |up| (up.place, up.since) = (place, since));
    }

    fn started(&mut self, call: CallId, number: &NumberId, at: Time) {
        self.today.calls += 1;
        let up = CallUp::new(number, Place::Arriving, at);
        self.calls.insert(call, up);
    }

    fn ended(&mut self, call: CallId, at: Time, reason: EndReason) {
        let Some(up) = self.calls.remove(&call) else { return };
        *self.today.ended.entry(reason).or_default() += 1;
        for queue in self.queues.values_mut() {
            queue.waiting.remove(&call);
            queue.callbacks.remove(&call);
        }
        if self.ended.len() >= LAST_KEPT {
            self.ended.pop_front();
        }
        self.ended.push_back(EndedView {
            call,
            number: up.number,
            language: up.language,
            topic: up.topic,
            started_ms: up.started.0,
            ended_ms: at.0,
            reason: reason.word(),
        });
    }

    /// A service that an operator asks takes no call away; one that the plan dials does.
    fn dialled_outside(&mut self, call: CallId, party: &str, at: Time) {
        self.with_call(call, |up| {
            if !matches!(up.place, Place::Talking { .. }) {
                (up.place, up.since) = (Place::Outside { party: party.to_owned() }, at);
            }
        });
    }

    fn called_out(&mut self, call: CallId, number: &NumberId, agent: &AgentId, at: Time) {
        self.today.called_out += 1;
        self.calls.insert(call, CallUp::new(number, Place::CallingOut { agent: agent.clone() }, at));
    }

    /// The resident talks with somebody who was called in.
    fn goes_on_with(&mut self, call: CallId, party: &Party, at: Time) {
        if let Party::Agent(agent) = party
            && let Some(operator) = self.operators.get_mut(agent)
        {
            operator.handles = self.calls.get(&call).and_then(|up| up.queue.clone());
        }
        let place = match party {
            Party::Agent(agent) => Place::Talking { agent: agent.clone() },
            Party::Outside(name) => Place::Outside { party: name.clone() },
            Party::Resident | Party::Number(_) => Place::Outside { party: NUMBER.to_owned() },
        };
        self.moved(call, place, at);
    }

    /// The next thing that is told of a call given to a queue is that it waits there.
    fn given_away(&mut self, call: CallId, to: &CallTo, at: Time) {
        let to = match to {
            CallTo::Queue(queue) => queue.to_string(),
            CallTo::Agent(agent) => agent.to_string(),
            CallTo::Service(name) => name.clone(),
            CallTo::Outside(_) => NUMBER.to_owned(),
        };
        self.moved(call, Place::GivenAway { to }, at);
    }

    /// A step that queues is told just before `Enqueued`, one that announces in the queue must not take the call out of it.
    fn entered_step(&mut self, call: CallId, step: &StepId, at: Time) {
        self.with_call(call, |up| match up.place {
            Place::Arriving | Place::Plan { .. } | Place::Waiting { .. } | Place::Outside { .. } => {
                (up.place, up.since) = (Place::Plan { step: Some(step.clone()) }, at);
            }
            Place::Offered { .. } | Place::Talking { .. } | Place::GivenAway { .. } | Place::CallingOut { .. } => {}
        });
    }

    fn enqueued(&mut self, call: CallId, queue: &QueueId, at: Time) {
        let state = self.queues.entry(queue.clone()).or_default();
        state.entered(at);
        self.today.queues.offered += 1;
        let is_callback = state.callbacks.contains(&call);
        if let Some(up) = self.calls.get_mut(&call) {
            if !is_callback {
                state.waiting.insert(call, at);
            }
            up.queue = Some(queue.clone());
        }
        self.moved(call, Place::Waiting { queue: queue.clone() }, at);
    }

    fn dequeued(&mut self, call: CallId, queue: &QueueId, how: QueueEnd, waited_ms: u64, at: Time) {
        let agent = self.calls.get(&call).and_then(CallUp::agent).filter(|_| how == QueueEnd::Answered).cloned();
        let over = WaitOver { call, ended: at, how, waited_ms, agent };
        let targets = self.scene.targets(queue);
        self.today.queues.ended(how, waited_ms, targets.answer_ms, targets.short_ms);
        self.queues.entry(queue.clone()).or_default().left(over, &targets);
    }

    /// From here on they wait without a line, and are counted apart.
    fn callback_stands(&mut self, call: CallId, queue: &QueueId) {
        for state in self.queues.values_mut() {
            state.waiting.remove(&call);
        }
        self.queues.entry(queue.clone()).or_default().callbacks.insert(call);
    }

    fn callback_ended(&mut self, call: CallId) {
        for state in self.queues.values_mut() {
            state.callbacks.remove(&call);
        }
    }

    fn callback_tried(&mut self, call: CallId, at: Time) {
        let queue = self.queues.iter().find(|(_, state)| state.callbacks.contains(&call)).map(|(queue, _)| queue.clone());
        queue.into_iter().for_each(|queue| self.moved(call, Place::Waiting { queue }, at));
    }

    fn offered(&mut self, call: CallId, queue: &QueueId, agent: &AgentId, at: Time) {
        let entered = self.queues.get(queue).and_then(|state| state.waiting.get(&call)).copied().unwrap_or(at);
        self.moved(call, Place::Offered { queue: queue.clone(), entered, agent: agent.clone() }, at);
    }

    /// A caller whose offer came to nothing waits on, since the same moment as before.
    fn offer_ended(&mut self, call: CallId, how: OfferEnd, at: Time) {
        match how {
            OfferEnd::Answered | OfferEnd::CallerGone => {}
            OfferEnd::Declined | OfferEnd::NoAnswer | OfferEnd::Failed(_) | OfferEnd::AgentGone => {
                self.today.offers_missed += 1;
                let mut of = None;
                self.with_call(call, |up| {
                    if let Place::Offered { queue, entered, .. } = &up.place {
                        of = Some(queue.clone());
                        (up.since, up.place) = (*entered, Place::Waiting { queue: queue.clone() });
                    }
                });
                of.into_iter().for_each(|queue| self.note_unanswered(at, queue));
            }
        }
    }

    fn connected(&mut self, call: CallId, queue: &QueueId, agent: &AgentId, at: Time) {
        if let Some(operator) = self.operators.get_mut(agent) {
            operator.answered += 1;
            operator.handles = Some(queue.clone());
        }
        self.moved(call, Place::Talking { agent: agent.clone() }, at);
    }

    fn operator_changed(&mut self, agent: &AgentId, state: &AgentStatus, at: Time) {
        let Some(operator) = self.operators.get_mut(agent) else {
            self.operators.insert(agent.clone(), OperatorNow::new(state.clone(), at));
            return;
        };
        // A talk that ends for the operator alone: the resident is told why, and may go on from there.
        if let AgentStatus::Talking(call) = &operator.state
            && *state != operator.state
            && let Some(up) = self.calls.get_mut(call)
            && matches!(&up.place, Place::Talking { agent: with } if with == agent)
        {
            (up.place, up.since) = (Place::Plan { step: None }, at);
        }
        if let Some((queue, handling_ms)) = operator.changed(state, at) {
            self.queues.entry(queue).or_default().handled(at, handling_ms);
        }
    }
}

#[cfg(test)]
mod tests;
