//! What would a day be like? The real core driven in virtual time: callers, operators and shells are drawn and played here.

mod crew;
mod outline;
mod shells;

use std::collections::{BTreeMap, VecDeque};

use crate::centre::Centre;
use crate::centre::fact::{AgentStatus, Fact};
use crate::centre::ids::{AgentId, CallId, CallerRef, LegId, QueueId, SdpRef, TrunkId};
use crate::centre::input::{FromDesk, FromLine, HangUpCause, Input};
use crate::centre::time::Time;

use super::chance::Chance;
use super::scenario::{HALF_HOUR_MS, HALF_HOURS, Scenario, Span};
use super::tally::Tally;
use crew::Crew;
use outline::Door;

/// The first midnight: far from zero, as in life, since moments are subtracted from.
pub const MIDNIGHT: Time = Time(20_000 * 86_400_000);
/// Who still waits when the last day is over is served for so long, in milliseconds.
const LEFT_OVER_MS: u64 = 6 * 3_600_000;

/// What came of a scenario.
#[derive(Clone, Debug)]
pub struct Simulated {
    /// The counts.
    pub tally: Tally,
    /// Calls that came in.
    pub calls: u64,
    /// Inputs that the core handled.
    pub inputs: u64,
}

/// Simulates a scenario. The same scenario gives the same result, always.
pub fn simulate(scenario: &Scenario) -> Simulated {
    simulate_and_watch(scenario, |_, _| {})
}

/// The same, and `watch` sees every fact at its moment.
pub fn simulate_and_watch(scenario: &Scenario, watch: impl FnMut(Time, &Fact)) -> Simulated {
    let half_hours = u64::from(scenario.days) * HALF_HOURS as u64;
    let (target_ms, short_ms) = (u64::from(scenario.target_s) * 1000, u64::from(scenario.short_abandon_s) * 1000);
    let tally = Tally::new(MIDNIGHT, half_hours, target_ms, short_ms);
    let mut simulation = Simulation {
        scenario,
        ends: MIDNIGHT.plus_ms(half_hours * HALF_HOUR_MS),
        centre: Centre::new(),
        now: MIDNIGHT,
        agenda: BTreeMap::new(),
        noted: 0,
        chances: Chances::new(scenario.seed),
        callers: BTreeMap::new(),
        crew: Crew::of(scenario),
        tally,
        calls: 0,
        inputs: 0,
        watch,
    };
    simulation.run();
    Simulated { tally: simulation.tally, calls: simulation.calls, inputs: simulation.inputs }
}

struct Simulation<'s, W> {
    scenario: &'s Scenario,
    /// No call comes from here on.
    ends: Time,
    centre: Centre,
    now: Time,
    /// What is to happen, by its moment and in the order in which it was noted.
    agenda: BTreeMap<(Time, u64), Event>,
    noted: u64,
    chances: Chances,
    callers: BTreeMap<CallId, Caller>,
    crew: Crew,
    tally: Tally,
    calls: u64,
    inputs: u64,
    watch: W,
}

/// What is to happen.
#[derive(Clone, PartialEq, Debug)]
enum Event {
    /// Half an hour begins: operators come and go.
    HalfHour(u64),
    /// Somebody calls for this queue, and the next one after them is drawn.
    Calls(QueueId),
    /// The caller's patience is at its end.
    GivesUp(CallId),
    /// They have said everything.
    TalkOver(CallId),
    /// An operator picks up.
    PicksUp(LegId),
    /// An operator has written everything down, if it is still this wrap-up.
    WrittenDown {
        agent: AgentId,
        wrap_up: u64,
    },
    /// An operator takes a break, or is back, if it is still this shift.
    Break {
        agent: AgentId,
        shift: u64,
    },
    Back {
        agent: AgentId,
        shift: u64,
    },
}

/// Streams of their own, so that another number of draws in one leaves the others as they are.
struct Chances {
    arrivals: BTreeMap<QueueId, Chance>,
    kinds: Chance,
    patience: Chance,
    talks: Chance,
    wrap_ups: Chance,
    breaks: Chance,
    seed: u64,
}

#[derive(Clone, Debug)]
struct Caller {
    queue: QueueId,
    talks: bool,
}

impl Chances {
    fn new(seed: u64) -> Self {
        let stream = |n| Chance::new(seed, n);
        Self {
            arrivals: BTreeMap::new(),
            kinds: stream(1),
            patience: stream(2),
            talks: stream(3),
            wrap_ups: stream(4),
            breaks: stream(5),
            seed,
        }
    }

    fn arrivals(&mut self, queue: &QueueId) -> &mut Chance {
        let (seed, next) = (self.seed, 16 + self.arrivals.len() as u64);
        self.arrivals.entry(queue.clone()).or_insert_with(|| Chance::new(seed, next))
    }
}

impl<W: FnMut(Time, &Fact)> Simulation<'_, W> {
    fn run(&mut self) {
        self.give(Input::SettingsChanged(Box::new(outline::settings(self.scenario))));
        self.note(0, Event::HalfHour(0));
        let queues: Vec<QueueId> = self.scenario.queues.keys().cloned().collect();
        queues.into_iter().for_each(|queue| self.note_next_call(queue));
        while let Some((at, event)) = self.next() {
            self.now = at;
            match event {
                Some(event) => self.happens(event),
                None => self.give(Input::DeadlineReached),
            }
        }
        self.tally.end(self.now);
    }

    /// What comes next: an event, or a deadline of the core. Nothing once the days are over and everybody is served.
    fn next(&mut self) -> Option<(Time, Option<Event>)> {
        if self.now >= self.ends && (self.callers.is_empty() || self.now >= self.ends.plus_ms(LEFT_OVER_MS)) {
            return None;
        }
        let deadline = self.centre.next_deadline().map(|(at, _)| at);
        let first = self.agenda.first_entry()?;
        let event_at = first.key().0;
        match deadline.filter(|deadline| *deadline <= event_at) {
            Some(deadline) => Some((deadline.max(self.now), None)),
            None => Some((event_at, Some(first.remove()))),
        }
    }

    fn note(&mut self, in_ms: u64, event: Event) {
        self.note_at(self.now.plus_ms(in_ms), event);
    }

    fn note_at(&mut self, at: Time, event: Event) {
        self.noted += 1;
        self.agenda.insert((at, self.noted), event);
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::HalfHour(number) => self.half_hour(number),
            Event::Calls(queue) => self.calls(queue),
            Event::GivesUp(call) => {
                if self.callers.get(&call).is_some_and(|caller| !caller.talks) {
                    self.hangs_up(call);
                }
            }
            Event::TalkOver(call) => self.hangs_up(call),
            Event::PicksUp(leg) => self.give(Input::Line(FromLine::Answered { leg, sdp: SdpRef(leg.call.0) })),
            Event::WrittenDown { agent, wrap_up } => {
                if self.crew.writes(&agent, wrap_up) {
                    self.give(Input::Desk(FromDesk::WrapUpDone { agent }));
                }
            }
            Event::Break { agent, shift } => self.takes_break(agent, shift),
            Event::Back { agent, shift } => self.is_back(agent, shift),
        }
    }

    // ---- callers ----

    /// Draws when the next call for a queue comes: within a half hour the rate stays, and a draw that goes beyond it begins again there.
    fn note_next_call(&mut self, queue: QueueId) {
        let mut at_ms = self.now.ms_since(MIDNIGHT) as f64;
        let ends_ms = self.ends.ms_since(MIDNIGHT) as f64;
        while at_ms < ends_ms {
            let half_hour = (at_ms / HALF_HOUR_MS as f64) as u64;
            let next_ms = ((half_hour + 1) * HALF_HOUR_MS) as f64;
            let rate = self.scenario.rate_per_s(&queue, half_hour);
            let drawn_ms = if rate > 0.0 { at_ms + self.chances.arrivals(&queue).exponential(1000.0 / rate) } else { next_ms };
            if drawn_ms < next_ms {
                return self.note_at(MIDNIGHT.plus_ms(drawn_ms.round() as u64), Event::Calls(queue));
            }
            at_ms = next_ms;
        }
    }

    fn calls(&mut self, queue: QueueId) {
        self.calls += 1;
        let call = CallId(self.calls);
        let language = outline::draw_language(self.scenario, &queue, &mut self.chances.kinds);
        let number = Door { queue: queue.clone(), language }.number();
        self.callers.insert(call, Caller { queue: queue.clone(), talks: false });
        self.give(Input::Line(FromLine::CallArrived {
            call,
            caller: CallerRef(call.0),
            number,
            trunk: TrunkId::from("city"),
            sdp: Some(SdpRef(call.0)),
        }));
        self.note_next_call(queue);
    }

    fn hangs_up(&mut self, call: CallId) {
        self.give(Input::Line(FromLine::HungUp { leg: LegId::caller(call), cause: HangUpCause::Bye }));
    }

    // ---- the core ----

    /// Gives the core an input, and at once whatever the shells answer to what it orders.
    fn give(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            self.inputs += 1;
            self.centre.handle(self.now, input);
            for fact in self.centre.take_facts() {
                self.hears(&fact);
            }
            while let Some(output) = self.centre.poll_output() {
                match shells::answer(output) {
                    shells::Answer::Nothing => {}
                    shells::Answer::AtOnce(input) => inputs.push_back(input),
                    shells::Answer::Rings(leg) => self.note(ms(self.scenario.rings_s), Event::PicksUp(leg)),
                }
            }
        }
    }

    fn hears(&mut self, fact: &Fact) {
        self.tally.apply(self.now, fact);
        (self.watch)(self.now, fact);
        match fact {
            Fact::Enqueued { call, queue, .. } => self.waits(*call, queue),
            Fact::Connected { call, agent, .. } => self.talks(*call, agent),
            Fact::AgentChanged { agent, state } => self.operator_changed(agent, state),
            Fact::CallEnded { call, .. } => drop(self.callers.remove(call)),
            _ => {}
        }
    }

    fn waits(&mut self, call: CallId, queue: &QueueId) {
        let patience_s = self.scenario.queues.get(queue).and_then(|load| load.patience_s);
        if let Some(mean_s) = patience_s {
            let after_ms = ms(self.chances.patience.exponential(mean_s));
            self.note(after_ms, Event::GivesUp(call));
        }
    }

    fn talks(&mut self, call: CallId, agent: &AgentId) {
        let Some(caller) = self.callers.get_mut(&call) else { return };
        caller.talks = true;
        let queue = caller.queue.clone();
        let Some(load) = self.scenario.queues.get(&queue) else { return };
        let times = self.scenario.talk_times(&queue, self.now.ms_since(MIDNIGHT) / HALF_HOUR_MS);
        let talk_ms = ms(draw(load.talk, &mut self.chances.talks) * times);
        self.crew.talks(agent, queue);
        self.note(talk_ms, Event::TalkOver(call));
    }

    fn operator_changed(&mut self, agent: &AgentId, state: &AgentStatus) {
        if *state != AgentStatus::WrapUp {
            if matches!(state, AgentStatus::Paused(_)) {
                self.break_begins(agent);
            }
            return self.crew.is_done(agent);
        }
        let Some((wrap_up, queue)) = self.crew.writes_down(agent) else { return };
        if let Some(span) = self.scenario.queues.get(&queue).and_then(|load| load.wrap_up) {
            let after_ms = ms(draw(span, &mut self.chances.wrap_ups));
            self.note(after_ms, Event::WrittenDown { agent: agent.clone(), wrap_up });
        }
    }
}

/// Draws a span, in seconds.
fn draw(span: Span, chance: &mut Chance) -> f64 {
    match span.deviation_s {
        None => chance.exponential(span.mean_s),
        Some(deviation) if deviation > 0.0 => chance.lognormal(span.mean_s, deviation),
        Some(_) => span.mean_s,
    }
}

/// Seconds as whole milliseconds.
fn ms(seconds: f64) -> u64 {
    (seconds * 1000.0).round() as u64
}
