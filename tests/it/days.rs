//! Does the core keep its promises on days that nobody thought of? Thousands of random ones, judged after every step by a small
//! model that knows its inputs, outputs and facts and nothing of its inside.
//!
//! `CITYLINE_DAYS=n` lives through n days, `CITYLINE_DAY=seed` through one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod about;
mod callbacks;
mod calls;
mod colleagues;
mod deadlines;
mod desk_work;
pub mod dice;
mod doors;
mod evacuations;
mod figures;
pub mod judge;
mod legs;
mod lessons;
mod lines;
mod model;
mod moves;
mod night;
mod orders;
mod pages;
mod phones;
mod rooms;
mod shifts;
mod staff;
mod steering;
mod towns;
mod world;

use std::collections::BTreeMap;
use std::sync::Mutex;

use cityline::centre::Centre;
use cityline::centre::fact::{EndReason, Fact};
use cityline::centre::output::Output;
use cityline::journal::{Journal, replay_file};

use world::{Record, World};

const DAYS: u64 = 2_000;
const EVENTS: usize = 120;
/// One day in so many is also written to a journal and replayed from it.
const JOURNAL_EVERY: u64 = 50;

/// What must have happened on thousands of days, or they prove nothing of it.
const LIVELY: [&str; 41] = [
    "StateEnds",
    "HelpAsked",
    "Warned",
    "WarningOver",
    "CallerMarked",
    "RecordingPaused",
    "Connected",
    "Held",
    "partner",
    "consultant",
    "guest",
    "monitor",
    "whisper",
    "barge",
    "TakenOver",
    "consult_completed",
    "consult_handed_on",
    "consult_ended",
    "consult_consultant_gone",
    "consult_call_over",
    "consult_declined",
    "consult_no_answer",
    "consult_failed",
    "consult_agent_gone",
    "Transferred",
    "TransferFailed",
    "CalledOut",
    "CallbackOwed",
    "ColleagueCalled",
    "ColleagueCallEnded",
    "LegReplaced",
    "TakenOver",
    "handed_between",
    "RingReached",
    "Credited",
    "PutBehind",
    "ShiftOrdered",
    "ShiftChanged",
    "Steered",
    "AbleToday",
    "QueueModeChanged",
];

/// Runs beside each day: tells which one it was when anything panics.
struct Today(u64);

impl Drop for Today {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("it was day {0}: CITYLINE_DAY={0} lives through it again", self.0);
        }
    }
}

#[test]
fn every_day_ends_well() {
    let variable = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let days = match variable("CITYLINE_DAY") {
        Some(day) => day..day + 1,
        None => 0..variable("CITYLINE_DAYS").unwrap_or(DAYS),
    };
    let many = days.end - days.start >= DAYS;
    let seen = Mutex::new(BTreeMap::new());
    let workers = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
    let share = |worker: u64| days.clone().filter(move |day| day % workers == worker);
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let days = share(worker);
            let seen = &seen;
            scope.spawn(move || days.for_each(|day| one_day(day, seen)));
        }
    });
    let seen = seen.into_inner().expect("no day panicked");
    if many {
        let rare: Vec<&str> = LIVELY.into_iter().filter(|what| seen.get(*what).copied().unwrap_or(0) == 0).collect();
        assert!(rare.is_empty(), "none of {rare:?} on all these days: {seen:?}");
    }
}

/// AST#1691: nobody starves. Callers are overtaken on these days, and never by who came later by more than the settings state.
#[test]
fn nobody_is_overtaken_by_who_came_later_than_the_stated_bound() {
    let mut overtaken = Vec::new();
    for seed in 70_000..70_080 {
        let _today = Today(seed);
        let mut world = World::new(seed);
        world.live(EVENTS);
        let (most, bound) = (world.model.overtaken_ms, world.model.bound_ms);
        assert!(most <= bound, "somebody was overtaken by {most} ms of {bound}");
        overtaken.extend((most > 0).then_some(most));
    }
    println!("overtaken on {} of 80 days, by {:?} ms at most", overtaken.len(), overtaken.iter().max());
    assert!(overtaken.len() > 10, "hardly anybody is overtaken, which proves nothing");
}

/// Counts what was told on a day, by the name of the fact and, where there is one, the part or the ending.
fn count(records: &[Record], seen: &Mutex<BTreeMap<String, u64>>) {
    let mut seen = seen.lock().expect("no day panicked");
    for fact in records.iter().flat_map(|record| &record.facts) {
        let name = match fact {
            Fact::Joined { role, .. } => role.word().to_owned(),
            // A call between operators ends so when one of them leaves a resident to the other.
            Fact::ColleagueCallEnded { reason: EndReason::Transferred, .. } => "handed_between".to_owned(),
            Fact::ConsultEnded { how, .. } => format!("consult_{}", how.word()),
            other => format!("{other:?}").split([' ', '(', '{']).next().unwrap_or_default().to_owned(),
        };
        *seen.entry(name).or_default() += 1;
    }
}

fn one_day(seed: u64, seen: &Mutex<BTreeMap<String, u64>>) {
    let _today = Today(seed);
    let mut world = World::new(seed);
    world.live(EVENTS);
    run_again(&world.records, &world.centre);
    count(&world.records, seen);
    figures::judge(&world.records);
    if seed.is_multiple_of(JOURNAL_EVERY) {
        comes_back_from_the_journal(&world);
    }
}

/// The same inputs at the same times: the same outputs and facts, also when the core goes through text on the way.
fn run_again(records: &[Record], end: &Centre) {
    let mut twin = Centre::new();
    for (at, record) in records.iter().enumerate() {
        if at == records.len() / 2 {
            let text = serde_json::to_string(&twin.snapshot()).expect("a snapshot is written");
            twin = serde_json::from_str(&text).expect("a snapshot is read");
        }
        let (outputs, facts) = handle(&mut twin, record);
        assert!(outputs == record.outputs && facts == record.facts, "record {at} came out otherwise: {:?}", record.input);
    }
    assert!(twin == *end, "the same inputs led to another state");
}

fn handle(centre: &mut Centre, record: &Record) -> (Vec<Output>, Vec<cityline::centre::fact::Fact>) {
    centre.handle(record.time, record.input.clone());
    (std::iter::from_fn(|| centre.poll_output()).collect(), centre.take_facts())
}

fn comes_back_from_the_journal(world: &World) {
    let folder = std::env::temp_dir().join(format!("cityline-day-{}-{}", std::process::id(), world.seed));
    let mut journal = Journal::begin(&folder, &Centre::new(), 1).expect("a journal can be begun");
    for record in &world.records {
        journal.add(record.time, record.input.clone(), record.facts.clone(), &record.outputs);
    }
    journal.commit().expect("the journal is written");
    let replay = replay_file(journal.path()).expect("the journal is read");
    drop(journal);
    std::fs::remove_dir_all(&folder).expect("the journal is removed");
    assert_eq!(replay.differing, Vec::<u64>::new());
    assert_eq!(replay.records, world.records.len() as u64);
    assert!(replay.centre == world.centre, "the journal leads to another state");
}
