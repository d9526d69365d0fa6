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

use super::callers::{Caller, Callers, ms};
use super::chance::Chance;
use super::scenario::{HALF_HOUR_MS, HALF_HOURS, Scenario};
use super::tally::Tally;
use crew::Crew;
use outline::Door;

/// The first midnight: far from zero, as in life, since moments are subtracted from.
pub const MIDNIGHT: Time = Time(20_000 * 86_400_000);
/// Who still waits when the last day is over is served for so long, in milliseconds.
const LEFT_OVER_MS: u64 = 6 * 3_600_000;
/// The stream of operators' breaks.
const BREAKS: u64 = 5;

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
        breaks: Chance::new(scenario.seed, BREAKS),
        drawn: Callers::of(scenario),
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
    breaks: Chance,
    /// Who is yet to call.
    drawn: Callers<'s>,
    /// Who is up, and whether they talk.
    callers: BTreeMap<CallId, (Caller, bool)>,
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
    /// Somebody calls, and the next one for the same queue is drawn.
    Calls(Caller),
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

impl<W: FnMut(Time, &Fact)> Simulation<'_, W> {
    fn run(&mut self) {
        self.give(Input::SettingsChanged(Box::new(outline::settings(self.scenario))));
        self.note(0, Event::HalfHour(0));
        let queues: Vec<QueueId> = self.scenario.queues.keys().cloned().collect();
        queues.iter().for_each(|queue| self.note_next_call(queue));
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
            Event::Calls(caller) => self.calls(caller),
            Event::GivesUp(call) => {
                if self.callers.get(&call).is_some_and(|(_, talks)| !talks) {
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

    fn note_next_call(&mut self, queue: &QueueId) {
        if let Some(caller) = self.drawn.next(queue) {
            self.note_at(MIDNIGHT.plus_ms(caller.at_ms), Event::Calls(caller));
        }
    }

    fn calls(&mut self, caller: Caller) {
        self.calls += 1;
        let call = CallId(self.calls);
        let queue = caller.queue.clone();
        let number = Door { queue: queue.clone(), language: caller.language }.number();
        self.callers.insert(call, (caller, false));
        self.give(Input::Line(FromLine::CallArrived {
            call,
            caller: CallerRef(call.0),
            number,
            trunk: TrunkId::from("city"),
            sdp: Some(SdpRef(call.0)),
        }));
        self.note_next_call(&queue);
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
            Fact::Enqueued { call, .. } => self.waits(*call),
            Fact::Connected { call, agent, .. } => self.talks(*call, agent),
            Fact::AgentChanged { agent, state } => self.operator_changed(agent, state),
            Fact::CallEnded { call, .. } => drop(self.callers.remove(call)),
            _ => {}
        }
    }

    fn waits(&mut self, call: CallId) {
        let patience_ms = self.callers.get(&call).and_then(|(caller, _)| caller.patience_ms);
        patience_ms.into_iter().for_each(|after_ms| self.note(after_ms, Event::GivesUp(call)));
    }

    fn talks(&mut self, call: CallId, agent: &AgentId) {
        let Some((caller, talks)) = self.callers.get_mut(&call) else { return };
        *talks = true;
        let (talk_ms, wrap_up_ms) = (caller.talk_ms, caller.wrap_up_ms);
        self.crew.talks(agent, wrap_up_ms);
        self.note(talk_ms, Event::TalkOver(call));
    }

    fn operator_changed(&mut self, agent: &AgentId, state: &AgentStatus) {
        if *state != AgentStatus::WrapUp {
            if matches!(state, AgentStatus::Paused(_)) {
                self.break_begins(agent);
            }
            return self.crew.is_done(agent);
        }
        if let Some((wrap_up, after_ms)) = self.crew.writes_down(agent) {
            self.note(after_ms, Event::WrittenDown { agent: agent.clone(), wrap_up });
        }
    }
}
