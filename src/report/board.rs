//! What happens at this moment? A live board for page, terminal and metrics, folded from facts alone.

mod views;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::centre::fact::{AgentStatus, EndReason, Fact, OfferEnd, Party, QueueEnd, Role};
use crate::centre::ids::{AgentId, CallId, CallTo, Language, NumberId, QueueId, ShiftId, StepId};
use crate::centre::time::Time;

use super::dead_lines::DeadLines;

pub use views::{BoardView, CallView, Counts, EndedView, HelpView, OperatorView, QueueView, SHORT_ABANDON_MS, TARGET_MS, Today};

/// Calls that are over and still shown.
const LAST_KEPT: usize = 20;

/// What the board calls a number outside, which is personal.
const NUMBER: &str = "a number outside";

/// Calls that a view names; the count beside them is of all.
const CALLS_SHOWN: usize = 200;

/// The board. Its memory is bounded by the calls that are up, the queues and the operators, and the last twenty calls.
#[derive(Clone, Debug, Default)]
pub struct Board {
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
    today: Today,
}

#[derive(Clone, Debug)]
struct CallUp {
    number: NumberId,
    started: Time,
    language: Option<Language>,
    topic: Option<String>,
    place: Place,
    since: Time,
    lines: DeadLines,
}

/// Where a call is.
#[derive(Clone, Debug)]
enum Place {
    Arriving,
    Plan { step: StepId },
    Waiting { queue: QueueId },
    Offered { queue: QueueId, entered: Time, agent: AgentId },
    Talking { agent: AgentId },
    Outside { party: String },
    GivenAway { to: String },
    CallingOut { agent: AgentId },
}

#[derive(Clone, Debug, Default)]
struct QueueNow {
    waiting: BTreeMap<CallId, Time>,
    counts: Counts,
}

#[derive(Clone, Debug)]
struct OperatorNow {
    state: AgentStatus,
    since: Time,
    answered: u64,
}

impl Board {
    /// A board that counts from `since` on.
    pub fn new(since: Time) -> Self {
        Self { since, ..Self::default() }
    }

    /// The queues of the settings stand on the board from the beginning of a day on, and one that they dropped until its callers are gone
    /// and its day is over.
    pub fn hold_queues(&mut self, queues: impl IntoIterator<Item = QueueId>) {
        let settings: BTreeSet<QueueId> = queues.into_iter().collect();
        self.queues.retain(|queue, now| settings.contains(queue) || !now.waiting.is_empty() || now.counts != Counts::default());
        settings.into_iter().for_each(|queue| {
            self.queues.entry(queue).or_default();
        });
        self.revision += 1;
    }

    /// A new day: the counts begin again, the states stay. To be called at midnight of the city.
    pub fn start_day(&mut self, at: Time) {
        self.since = at;
        self.revision += 1;
        self.today = Today::default();
        self.queues.values_mut().for_each(|queue| queue.counts = Counts::default());
        self.operators.values_mut().for_each(|operator| operator.answered = 0);
    }

    /// Takes one fact in. Facts must come in their order; one about a call that is not up changes counts only.
    pub fn apply(&mut self, at: Time, fact: &Fact) {
        self.revision += 1;
        match fact {
            Fact::CallStarted { call, number, .. } => self.started(*call, number, at),
            Fact::CallEnded { call, reason } => self.ended(*call, at, *reason),
            Fact::LanguageChosen { call, language, .. } => self.with_call(*call, |up| up.language = Some(*language)),
            Fact::TopicChosen { call, topic } => self.with_call(*call, |up| up.topic = Some(topic.clone())),
            Fact::StepEntered { call, step } => self.entered_step(*call, step, at),
            Fact::Enqueued { call, queue, .. } => self.enqueued(*call, queue, at),
            Fact::Dequeued { call, queue, how, waited_ms } => self.dequeued(*call, queue, *how, *waited_ms),
            Fact::Offered { call, queue, agent, .. } => self.offered(*call, queue, agent, at),
            Fact::OfferEnded { call, how, .. } => self.offer_ended(*call, *how),
            Fact::Connected { call, agent, .. } => self.connected(*call, agent, at),
            Fact::LegStarted { leg, party: Party::Outside(party) } => self.dialled_outside(leg.call, party, at),
            Fact::CalledOut { call, number, agent, .. } => self.called_out(*call, number, agent, at),
            Fact::Joined { leg, party, role: Role::Partner } => self.goes_on_with(leg.call, party, at),
            Fact::Transferred { call, to, .. } => self.given_away(*call, to, at),
            Fact::LegSound { leg, lost } => self.with_call(leg.call, |up| up.lines.silent(leg.n, *lost)),
            Fact::LegUnheard { leg, unheard } => self.with_call(leg.call, |up| up.lines.unheard(leg.n, *unheard)),
            Fact::AgentChanged { agent, state } => self.operator_changed(agent, state, at),
            Fact::LegEnded { leg, .. } => self.with_call(leg.call, |up| up.lines.forget(leg.n)),
            Fact::CallbackOwed { .. } => self.today.callbacks_owed += 1,
            Fact::HelpAsked { call, agent } => drop(self.help.insert(agent.clone(), (*call, at))),
            Fact::HelpOver { agent, .. } => drop(self.help.remove(agent)),
            Fact::ShiftChanged { agent, is_on, shifts } => self.shift_changed(agent, *is_on, shifts),
            Fact::CallAnswered { .. }
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
            | Fact::ShiftOrdered { .. }
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

    /// The short number of a call that is up.
    pub fn number(&self, call: CallId) -> Option<&NumberId> {
        self.calls.get(&call).map(|up| &up.number)
    }

    /// How many calls are up.
    pub fn calls_up(&self) -> usize {
        self.calls.len()
    }

    /// The board as screens draw it.
    pub fn view(&self, now: Time) -> BoardView {
        BoardView {
            at_ms: now.0,
            since_ms: self.since.0,
            calls_up: self.calls.len(),
            calls: self.calls.iter().take(CALLS_SHOWN).map(|(call, up)| up.view(*call)).collect(),
            queues: self.queues.iter().map(|(queue, state)| state.view(queue)).collect(),
            operators: self.operators.iter().map(|(agent, operator)| operator.view(agent, self.on_shift(agent))).collect(),
            help: self
                .help
                .iter()
                .map(|(agent, (call, since))| HelpView { operator: agent.clone(), call: *call, since_ms: since.0 })
                .collect(),
            today: self.today.clone(),
            last: self.ended.iter().rev().cloned().collect(),
        }
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
        let up = CallUp {
            number: number.clone(),
            started: at,
            language: None,
            topic: None,
            place: Place::Arriving,
            since: at,
            lines: DeadLines::default(),
        };
        self.calls.insert(call, up);
    }

    fn ended(&mut self, call: CallId, at: Time, reason: EndReason) {
        let Some(up) = self.calls.remove(&call) else { return };
        *self.today.ended.entry(reason).or_default() += 1;
        for queue in self.queues.values_mut() {
            queue.waiting.remove(&call);
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
        let place = Place::CallingOut { agent: agent.clone() };
        self.calls.insert(
            call,
            CallUp { number: number.clone(), started: at, language: None, topic: None, place, since: at, lines: DeadLines::default() },
        );
    }

    /// The resident talks with somebody who was called in.
    fn goes_on_with(&mut self, call: CallId, party: &Party, at: Time) {
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
                (up.place, up.since) = (Place::Plan { step: step.clone() }, at);
            }
            Place::Offered { .. } | Place::Talking { .. } | Place::GivenAway { .. } | Place::CallingOut { .. } => {}
        });
    }

    fn enqueued(&mut self, call: CallId, queue: &QueueId, at: Time) {
        let state = self.queues.entry(queue.clone()).or_default();
        state.counts.offered += 1;
        self.today.queues.offered += 1;
        if self.calls.contains_key(&call) {
            state.waiting.insert(call, at);
        }
        self.moved(call, Place::Waiting { queue: queue.clone() }, at);
    }

    fn dequeued(&mut self, call: CallId, queue: &QueueId, how: QueueEnd, waited_ms: u64) {
        let state = self.queues.entry(queue.clone()).or_default();
        state.waiting.remove(&call);
        state.counts.left(how, waited_ms);
        self.today.queues.left(how, waited_ms);
    }

    fn offered(&mut self, call: CallId, queue: &QueueId, agent: &AgentId, at: Time) {
        let entered = self.queues.get(queue).and_then(|state| state.waiting.get(&call)).copied().unwrap_or(at);
        self.moved(call, Place::Offered { queue: queue.clone(), entered, agent: agent.clone() }, at);
    }

    /// A caller whose offer came to nothing waits on, since the same moment as before.
    fn offer_ended(&mut self, call: CallId, how: OfferEnd) {
        match how {
            OfferEnd::Answered | OfferEnd::CallerGone => {}
            OfferEnd::Declined | OfferEnd::NoAnswer | OfferEnd::Failed(_) | OfferEnd::AgentGone => {
                self.today.offers_missed += 1;
                self.with_call(call, |up| {
                    if let Place::Offered { queue, entered, .. } = &up.place {
                        (up.since, up.place) = (*entered, Place::Waiting { queue: queue.clone() });
                    }
                });
            }
        }
    }

    fn connected(&mut self, call: CallId, agent: &AgentId, at: Time) {
        if let Some(operator) = self.operators.get_mut(agent) {
            operator.answered += 1;
        }
        self.moved(call, Place::Talking { agent: agent.clone() }, at);
    }

    fn operator_changed(&mut self, agent: &AgentId, state: &AgentStatus, at: Time) {
        let answered = self.operators.get(agent).map_or(0, |operator| operator.answered);
        self.operators.insert(agent.clone(), OperatorNow { state: state.clone(), since: at, answered });
    }
}

impl CallUp {
    fn view(&self, call: CallId) -> CallView {
        let (state, with) = match &self.place {
            Place::Arriving => ("arriving", None),
            Place::Plan { step } => ("plan", Some(step.to_string())),
            Place::Waiting { queue } => ("waiting", Some(queue.to_string())),
            Place::Offered { agent, .. } => ("offered", Some(agent.to_string())),
            Place::Talking { agent } => ("talking", Some(agent.to_string())),
            Place::Outside { party } => ("outside", Some(party.clone())),
            Place::GivenAway { to } => ("transferring", Some(to.clone())),
            Place::CallingOut { agent } => ("calling", Some(agent.to_string())),
        };
        CallView {
            call,
            number: self.number.clone(),
            started_ms: self.started.0,
            since_ms: self.since.0,
            language: self.language,
            topic: self.topic.clone(),
            state,
            with,
            no_sound: self.lines.any(),
        }
    }
}

impl QueueNow {
    fn view(&self, queue: &QueueId) -> QueueView {
        QueueView {
            queue: queue.clone(),
            waiting: self.waiting.len(),
            longest_since_ms: self.waiting.values().min().map(|since| since.0),
            counts: self.counts.clone(),
        }
    }
}

impl OperatorNow {
    fn view(&self, agent: &AgentId, (on_shift, shifts): (bool, Vec<ShiftId>)) -> OperatorView {
        let reason = self.state.pause_reason().map(ToString::to_string);
        OperatorView {
            operator: agent.clone(),
            state: self.state.word(),
            reason,
            call: self.state.call(),
            since_ms: self.since.0,
            answered: self.answered,
            on_shift,
            shifts,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::centre::explanation::{Explanation, Rule};
    use crate::centre::ids::{CallerRef, TrunkId};

    const QUEUE: &str = "heating";

    fn start(board: &mut Board, call: u64, at: u64) {
        let fact = Fact::CallStarted { call: CallId(call), number: "109".into(), trunk: TrunkId::from("city"), caller: CallerRef(call) };
        board.apply(Time(at), &fact);
    }

    fn enqueue(board: &mut Board, call: u64, at: u64) {
        board.apply(Time(at), &Fact::Enqueued { call: CallId(call), queue: QUEUE.into(), language: Language::Kk, skills: vec![] });
    }

    fn offer(board: &mut Board, call: u64, at: u64) {
        let why = Explanation { rule: Rule::LongestIdle, ..Explanation::default() };
        board.apply(Time(at), &Fact::Offered { call: CallId(call), queue: QUEUE.into(), agent: "aigul".into(), why });
        board.apply(Time(at), &Fact::AgentChanged { agent: "aigul".into(), state: AgentStatus::Offered(CallId(call)) });
    }

    fn leave(board: &mut Board, call: u64, at: u64, how: QueueEnd, waited_ms: u64) {
        board.apply(Time(at), &Fact::Dequeued { call: CallId(call), queue: QUEUE.into(), how, waited_ms });
    }

    #[test]
    fn a_missed_offer_leaves_the_caller_waiting_since_the_same_moment() {
        let mut board = Board::new(Time(0));
        start(&mut board, 1, 10);
        enqueue(&mut board, 1, 100);
        offer(&mut board, 1, 200);
        let view = board.view(Time(250));
        assert_eq!((view.calls[0].state, view.calls[0].with.as_deref()), ("offered", Some("aigul")));
        assert_eq!((view.queues[0].waiting, view.queues[0].longest_since_ms), (1, Some(100)));
        board.apply(Time(300), &Fact::OfferEnded { call: CallId(1), agent: "aigul".into(), how: OfferEnd::NoAnswer });
        let view = board.view(Time(350));
        assert_eq!((view.calls[0].state, view.calls[0].since_ms, view.today.offers_missed), ("waiting", 100, 1));
    }

    #[test]
    fn every_queue_of_the_settings_stands_there_and_a_dropped_one_until_its_callers_are_gone() {
        let named = |board: &Board| board.view(Time(0)).queues.iter().map(|queue| queue.queue.to_string()).collect::<Vec<_>>();
        let mut board = Board::new(Time(0));
        board.hold_queues([QUEUE.into(), "roads".into()]);
        assert_eq!(named(&board), [QUEUE, "roads"]);
        start(&mut board, 1, 10);
        enqueue(&mut board, 1, 100);
        board.hold_queues(["lifts".into()]);
        assert_eq!(named(&board), [QUEUE, "lifts"]);
        leave(&mut board, 1, 200, QueueEnd::Abandoned, 100);
        board.start_day(Time(300));
        board.hold_queues(["lifts".into()]);
        assert_eq!(named(&board), ["lifts"]);
    }

    #[test]
    fn counts_follow_the_definitions() {
        let mut board = Board::new(Time(0));
        for (call, how, waited) in [
            (1, QueueEnd::Answered, 20_000),
            (2, QueueEnd::Answered, 20_001),
            (3, QueueEnd::Abandoned, 4_999),
            (4, QueueEnd::Abandoned, 5_000),
            (5, QueueEnd::Overflowed, 90_000),
        ] {
            start(&mut board, call, 0);
            enqueue(&mut board, call, 0);
            leave(&mut board, call, waited, how, waited);
        }
        let expected = Counts {
            offered: 5,
            answered: 2,
            answered_in_target: 1,
            abandoned: 2,
            abandoned_short: 1,
            flowed_out: 1,
            waited_ms: 40_001,
            longest_wait_ms: 90_000,
        };
        assert_eq!(board.view(Time(0)).queues[0].counts, expected);
        assert_eq!(board.view(Time(0)).today.queues, expected);
        board.start_day(Time(100_000));
        assert_eq!(board.view(Time(0)).today, Today::default());
        assert_eq!(board.view(Time(0)).calls_up, 5, "a new day ends no call");
    }

    #[test]
    fn a_talk_is_shown_with_its_operator_and_ends_in_the_list_of_the_last() {
        let mut board = Board::new(Time(0));
        start(&mut board, 1, 10);
        enqueue(&mut board, 1, 100);
        offer(&mut board, 1, 200);
        board.apply(Time(300), &Fact::Connected { call: CallId(1), queue: QUEUE.into(), agent: "aigul".into(), waited_ms: 200 });
        leave(&mut board, 1, 300, QueueEnd::Answered, 200);
        board.apply(Time(300), &Fact::AgentChanged { agent: "aigul".into(), state: AgentStatus::Talking(CallId(1)) });
        let view = board.view(Time(400));
        assert_eq!((view.calls[0].state, view.queues[0].waiting), ("talking", 0));
        assert_eq!((view.operators[0].state, view.operators[0].answered, view.operators[0].call), ("talking", 1, Some(CallId(1))));
        board.apply(Time(900), &Fact::CallEnded { call: CallId(1), reason: EndReason::CallerHungUp });
        let view = board.view(Time(900));
        assert_eq!((view.calls_up, view.last[0].reason, view.today.ended[&EndReason::CallerHungUp]), (0, "caller_hung_up", 1));
    }

    #[test]
    fn a_hundred_thousand_calls_leave_nothing_behind_but_the_last_twenty() {
        let mut board = Board::new(Time(0));
        for call in 0..100_000 {
            start(&mut board, call, call);
            enqueue(&mut board, call, call);
            // A queue that never told of the leaving: the end of the call must be enough.
            board.apply(Time(call), &Fact::CallEnded { call: CallId(call), reason: EndReason::Interrupted });
        }
        assert_eq!((board.calls.len(), board.ended.len(), board.queues.len()), (0, LAST_KEPT, 1));
        assert!(board.queues.values().all(|queue| queue.waiting.is_empty()));
    }
}
