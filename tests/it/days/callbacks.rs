//! Is everybody called back who was promised it, once and in turn, on days that nobody thought of? Random callers, operators, numbers,
//! hours and ends of the process, judged by what is told and asked alone.

use std::collections::{BTreeMap, BTreeSet};

use cityline::centre::Centre;
use cityline::centre::fact::{AgentStatus, CallbackEnd, Fact};
use cityline::centre::ids::{CallId, CallerRef, LegId};
use cityline::centre::input::{FromDesk, Input, Keyed};
use cityline::centre::output::{KeyingOrder, Output, Target, ToLine};
use cityline::centre::settings::Settings;
use cityline::centre::time::Time;

use super::dice::Dice;
use crate::city::{PHONE, operator, with};
use crate::scenarios::callbacks::{AGAIN_MS, city};
use crate::scenarios::story::Story;

const DAYS: u64 = 400;
const EVENTS: usize = 90;
const OPERATORS: [&str; 2] = ["aigul", "bolat"];
const TRIES: u8 = 3;

/// What was promised for a call.
#[derive(Default)]
struct Promise {
    to: u64,
    attempts: u8,
    again: Option<Time>,
    rings: bool,
    ended: Option<CallbackEnd>,
}

/// What is known of everybody who waits, from facts alone.
#[derive(Default)]
struct Books {
    read: usize,
    asked: usize,
    waiting: BTreeMap<CallId, Time>,
    since: BTreeMap<CallId, Time>,
    /// Asked something, or offered: nobody is offered them.
    aside: BTreeSet<CallId>,
    promises: BTreeMap<CallId, Promise>,
    owed: BTreeSet<CallId>,
    places: BTreeMap<CallId, u32>,
    keying: BTreeSet<CallId>,
    /// Until then a new process does not know who is there.
    unsettled: Time,
    closed: bool,
    seen: BTreeMap<&'static str, u64>,
    faults: Vec<String>,
}

impl Books {
    fn read(&mut self, story: &Story) {
        for (at, fact) in &story.told[self.read..] {
            self.take(*at, fact);
        }
        self.read = story.told.len();
        for output in &story.asked[self.asked..] {
            self.ask(output);
        }
        self.asked = story.asked.len();
    }

    fn fault(&mut self, wrong: bool, what: impl FnOnce() -> String) {
        if wrong {
            self.faults.push(what());
        }
    }

    fn saw(&mut self, what: &'static str) {
        *self.seen.entry(what).or_default() += 1;
    }

    fn ask(&mut self, output: &Output) {
        match output {
            Output::Keying { call, order: KeyingOrder::Begin } => drop(self.keying.insert(*call)),
            Output::Keying { call, order: KeyingOrder::End } => drop(self.keying.remove(call)),
            Output::Line(ToLine::Dial { leg, target: Target::Outside(number), .. }) => {
                let right = self.promises.get(&leg.call).is_some_and(|promise| promise.to == number.0 && promise.ended.is_none());
                self.fault(!right, || format!("{leg} is dialled, which nobody was promised"));
            }
            _ => {}
        }
    }

    fn take(&mut self, at: Time, fact: &Fact) {
        match fact {
            Fact::Enqueued { call, .. } => {
                // Who left for another language comes back with the age of the wait.
                let since = *self.since.entry(*call).or_insert(at);
                self.waiting.insert(*call, since);
            }
            Fact::PutBehind { call, to, .. } => drop(self.places.insert(*call, *to)),
            Fact::StepEntered { call, step } if step.as_str() == "callback" => drop(self.aside.insert(*call)),
            Fact::WaitsOn { call, .. } => drop(self.aside.remove(call)),
            Fact::Dequeued { call, .. } => {
                let stood = self.waiting.remove(call).is_some();
                self.fault(!stood, || format!("{call} left a queue that it was not in"));
                self.aside.remove(call);
            }
            Fact::Offered { call, .. } => self.offered(at, *call),
            Fact::OfferEnded { call, .. } => drop(self.aside.remove(call)),
            Fact::PlaceTold { call, place, .. } => {
                let before = self.places.insert(*call, *place);
                self.fault(before.is_some_and(|before| before < *place), || format!("{call} went back from {before:?} to {place}"));
            }
            Fact::CallbackOwed { call, .. } => {
                let new = self.owed.insert(*call);
                self.fault(!new, || format!("{call} is owed twice"));
            }
            Fact::CallEnded { call, .. } => {
                let promise = self.promises.get(call);
                self.fault(promise.is_some_and(|promise| promise.ended.is_none()), || format!("{call} ended, and its promise is lost"));
            }
            Fact::CallbackStands { .. }
            | Fact::CallbackDialled { .. }
            | Fact::CallbackTried { .. }
            | Fact::CallbackEnded { .. }
            | Fact::CallbackRefused { .. } => self.callback(at, fact),
            _ => {}
        }
    }

    fn callback(&mut self, at: Time, fact: &Fact) {
        match fact {
            Fact::CallbackStands { call, to, .. } => {
                self.saw("stands");
                let twice = self.promises.values().any(|promise| promise.to == to.0 && promise.ended.is_none());
                self.fault(twice, || format!("two callbacks stand for {to:?}"));
                let before = self.promises.insert(*call, Promise { to: to.0, ..Promise::default() });
                self.fault(before.is_some(), || format!("{call} was promised two callbacks"));
            }
            Fact::CallbackRefused { .. } => self.saw("refused"),
            Fact::CallbackDialled { call, attempt, .. } => {
                self.saw("dialled");
                let Some(promise) = self.promises.get_mut(call) else { return };
                let too_early = promise.again.is_some_and(|again| again > at);
                let wrong = promise.rings || *attempt != promise.attempts + 1 || *attempt > TRIES || too_early || promise.ended.is_some();
                (promise.attempts, promise.rings) = (*attempt, true);
                self.fault(wrong, || format!("{call} is dialled for the {attempt}. time, out of its turn"));
            }
            Fact::CallbackTried { call, attempt, again_ms, .. } => {
                self.saw("tried");
                let Some(promise) = self.promises.get_mut(call) else { return };
                promise.again = again_ms.map(Time);
                let wrong = !std::mem::take(&mut promise.rings) || (*attempt < TRIES) != again_ms.is_some();
                let soon = again_ms.is_some_and(|again| again < at.0 + AGAIN_MS);
                self.fault(wrong || soon, || format!("{call}: the {attempt}. try is told wrongly"));
            }
            Fact::CallbackEnded { call, how } => {
                self.saw(how.word());
                let owed = self.owed.contains(call);
                let Some(promise) = self.promises.get_mut(call) else { return };
                let twice = promise.ended.replace(*how).is_some();
                let lost = matches!(how, CallbackEnd::NotReached | CallbackEnd::Lost) && !owed;
                self.fault(twice || lost, || format!("{call}: its promise ended as {how:?}, owed: {owed}"));
            }
            _ => {}
        }
    }

    /// Nobody who could be offered, and has waited for longer, is passed over.
    fn offered(&mut self, at: Time, call: CallId) {
        let Some(since) = self.waiting.get(&call).copied() else { return };
        let promised = self.promises.get(&call);
        let held = |promise: &Promise| promise.again.is_some_and(|again| again > at);
        let (early, closed) = (promised.is_some_and(held), self.closed && promised.is_some());
        self.fault(early, || format!("{call} is offered before its time"));
        self.fault(closed, || format!("{call} is offered at an hour when nobody is called"));
        let could = |(other, theirs): &(&CallId, &Time)| {
            let free = !self.aside.contains(other) && **other != call && (**theirs, **other) < (since, call);
            free && self.promises.get(other).is_none_or(|promise| !self.closed && !held(promise) && !promise.rings)
        };
        let over = self.waiting.iter().find(could).map(|(other, _)| *other);
        let settled = at >= self.unsettled;
        self.fault(settled && over.is_some(), || format!("{call} is offered before {over:?}, who has waited longer"));
        self.aside.insert(call);
    }
}

/// Whoever is free may take whoever waits, so that seniority alone decides.
fn everybody_can(city: Settings) -> Settings {
    let all = || operator(&["kk", "ru", "en", "heating", "roads"], PHONE);
    with(with(city, "aigul", all()), "bolat", all())
}

fn settings(dice: &mut Dice, revision: u64) -> (Settings, bool) {
    let mut city = everybody_can(city());
    city.revision = revision;
    let closed = dice.percent(15);
    city.callbacks.calendar = Some(if closed { "never".into() } else { "always".into() });
    city.callbacks.most = if dice.percent(20) { 1 } else { 4 };
    (city, closed)
}

fn happens(story: &mut Story, books: &mut Books, dice: &mut Dice, revision: &mut u64) {
    let agent = *dice.pick(&OPERATORS).unwrap();
    let lines: Vec<CallId> = story.up().iter().filter(|leg| leg.n == 0).map(|leg| leg.call).collect();
    let line = dice.pick(&lines).copied();
    match dice.below(100) {
        0..18 => {
            let caller = dice.below(6);
            story.waits_for_heating(caller);
        }
        18..46 => {
            if let Some(call) = line {
                story.presses(call, *dice.pick(&['1', '1', '1', '2', '*', '7']).unwrap());
            }
        }
        46..54 => {
            let keying: Vec<CallId> = books.keying.iter().copied().collect();
            if let Some(call) = dice.pick(&keying).copied() {
                let keyed = match dice.below(6) {
                    0 => Keyed::Key,
                    1 => Keyed::Refused,
                    2 => Keyed::GivenUp,
                    n => Keyed::Number(CallerRef(50 + n)),
                };
                if keyed != Keyed::Key {
                    books.keying.remove(&call);
                }
                story.happens(Input::Keyed { call, keyed });
            }
        }
        54..60 => line.into_iter().for_each(|call| story.hangs_up(call)),
        60..78 => {
            let dialled = story.dialled();
            if let Some(leg) = dice.pick(&dialled).copied() {
                if dice.percent(65) { story.answers(leg) } else { story.refuses(leg, 486) }
            }
        }
        78..86 => match story.agent(agent) {
            AgentStatus::Talking(call) => story.hangs_up_at_desk(agent, call),
            _ => story.signs_in(agent, &[if agent == "aigul" { 1 } else { 2 }]),
        },
        86..89 => story.pauses(agent, "lunch"),
        89..91 => {
            *revision += 1;
            let (city, closed) = settings(dice, *revision);
            books.closed = closed;
            story.reload(city);
        }
        91..93 => restarts(story, books, dice),
        _ => story.pass(dice.below(200_000)),
    }
    story.pass(dice.below(3_000));
}

/// The process ends in one way or the other, and the next one finds some of the lines again.
fn restarts(story: &mut Story, books: &mut Books, dice: &mut Dice) {
    let gone: BTreeSet<LegId> = story.centre.legs().into_iter().filter(|leg| !story.up().contains(leg)).collect();
    if dice.percent(40) {
        story.happens(Input::DrainStarted);
        story.happens(Input::Stopping);
    }
    books.unsettled = story.now.plus_ms(60_000);
    // The engine tells of it as of the last record: no deadline has passed.
    story.restarts(0);
    for leg in story.centre.legs() {
        let is_gone = gone.contains(&leg) || dice.percent(30);
        story.happens(if is_gone { Input::LegGone { leg } } else { Input::LegRecovered { leg } });
    }
    story.pass(12_000);
}

/// Operators take whoever is there until nobody waits any more.
fn evening(story: &mut Story, books: &mut Books, revision: u64) {
    let mut city = everybody_can(city());
    city.revision = revision + 1;
    books.closed = false;
    story.reload(city);
    for round in 0..400 {
        for (agent, contact) in [("aigul", 1), ("bolat", 2)] {
            if !matches!(story.agent(agent), AgentStatus::Offered(_) | AgentStatus::Talking(_)) {
                story.signs_in(agent, &[contact]);
                story.desk(FromDesk::WrapUpDone { agent: agent.into() });
            }
        }
        for leg in story.dialled() {
            if leg.n != 0 || round % 3 == 0 { story.answers(leg) } else { story.refuses(leg, 486) }
        }
        books.read(story);
        let up: Vec<LegId> = story.up().into_iter().filter(|leg| leg.n == 0).collect();
        up.into_iter().for_each(|leg| story.leg_hangs_up(leg));
        story.pass(10_000);
        books.read(story);
        if story.centre.calls_up() == 0 && story.centre.callbacks_standing() == 0 {
            return;
        }
    }
    books.faults.push(format!("{} callbacks stand for ever", story.centre.callbacks_standing()));
}

fn one_day(seed: u64) -> Books {
    let mut dice = Dice::new(seed);
    let mut revision = 1;
    let (city, closed) = settings(&mut dice, revision);
    let mut story = Story::new(city);
    let mut books = Books { closed, ..Books::default() };
    for event in 0..EVENTS {
        happens(&mut story, &mut books, &mut dice, &mut revision);
        books.read(&story);
        assert!(books.faults.is_empty(), "day {seed}, event {event}: {}\n{}", books.faults.join("\n"), last(&story));
    }
    evening(&mut story, &mut books, revision);
    assert!(books.faults.is_empty(), "evening of day {seed}: {}\n{}", books.faults.join("\n"), last(&story));
    let open: Vec<&CallId> = books.promises.iter().filter(|(_, promise)| promise.ended.is_none()).map(|(call, _)| call).collect();
    assert!(open.is_empty(), "day {seed}: nobody was told what became of {open:?}");
    let mut twin = Centre::new();
    for (at, input) in &story.inputs {
        twin.handle(*at, input.clone());
        while twin.poll_output().is_some() {}
        twin.take_facts();
    }
    assert!(twin == story.centre, "day {seed}: the same inputs led to another state");
    books
}

fn last(story: &Story) -> String {
    let tail = story.told.iter().rev().take(40).rev();
    tail.map(|(at, fact)| format!("{at} {fact:?}")).collect::<Vec<_>>().join("\n")
}

#[test]
fn everybody_is_called_back_in_turn_and_nobody_twice() {
    let one = std::env::var("CITYLINE_DAY").ok().and_then(|text| text.parse::<u64>().ok());
    let days = one.map_or(0..DAYS, |day| day..day + 1);
    let many = days.end - days.start >= DAYS;
    let mut seen = BTreeMap::new();
    for books in days.map(one_day) {
        books.seen.into_iter().for_each(|(what, count)| *seen.entry(what).or_insert(0_u64) += count);
    }
    println!("{seen:?}");
    for what in ["stands", "refused", "dialled", "tried", "reached", "not_reached", "called_again"] {
        assert!(!many || seen.get(what).copied().unwrap_or(0) > 10, "hardly any {what}: {seen:?}");
    }
}
