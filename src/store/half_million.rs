//! How fast is the register with half a million cases? A measurement: `tools/bench/register.sh`, which says how it is asked for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod cost;
mod filling;

use std::time::Duration;

use cityline_bases::{Kind, on_both};
use sqlx::Connection;

use super::bulk::{self, BulkRow};
use super::search::KeptRow;
use super::statement::{Statement, query, query_made};
use super::tests::Folder;
use super::transaction::Lock;
use super::{Address, CaseFilter, CaseRow, NewCase, ReportWords, Sight, Store};
use crate::cases::assignment::Place;
use crate::cases::case::Case;
use crate::cases::chain::{Digest, Link, commit};
use crate::cases::decide::{Report, Wish};
use crate::cases::event::{Author, Channel, Event, Kind as Of, What};
use crate::cases::ids::{CaseNumber, OrganisationId};
use crate::cases::terms::Priority;
use crate::centre::ids::{CallerRef, NumberId};
use crate::centre::time::Time;
use crate::private::Private;
use crate::report::league::League;
use cost::{Cost, Spans, peak_mb};
use filling::{Dice, filled};

on_both!(
    #[ignore = "a measurement"]
    half_a_million,
);

const SERVICE: &str = "109";
const ORGANISATIONS: u64 = 300;
const DISTRICTS: u64 = 12;
const CALLERS: u64 = 150_000;
/// An institution that has reported very often.
const OFTEN: u64 = 7;
const FIRST_MS: u64 = 1_704_067_200_000;
const STEP_MS: u64 = 126_000;
const DAY_MS: u64 = 24 * 3_600_000;

/// Where it is measured: a database of the tests, or the one that `CITYLINE_BASE` names (`sqlite:PATH`, `postgres://…`), which stays and is
/// filled where it is empty. `CITYLINE_PARTS` names the parts that are measured, parted by commas.
async fn half_a_million(kind: Kind) {
    let folder = Folder::new(kind, "half-a-million");
    let address = match std::env::var("CITYLINE_BASE") {
        Ok(address) if address.starts_with("sqlite") == (kind == Kind::Sqlite) => address,
        Ok(_) => return,
        Err(_) => folder.address().to_owned(),
    };
    let store = Store::open_at(&address, folder.recordings()).await.unwrap();
    let wanted: u64 = std::env::var("CITYLINE_CASES").map_or(500_000, |cases| cases.parse().unwrap());
    if count(&store, "SELECT COUNT(*) FROM cases").await == 0 {
        let begun = std::time::Instant::now();
        filled(&store, kind, wanted).await;
        rested(&address, kind, &store).await;
        println!("{kind:?}: filled in {:.0} s", begun.elapsed().as_secs_f64());
    }
    let cases = count(&store, "SELECT COUNT(*) FROM cases").await.cast_unsigned();
    let words = count(&store, "SELECT COUNT(*) FROM search_words").await;
    let open = count(&store, "SELECT COUNT(*) FROM cases WHERE is_open").await;
    println!("{kind:?}: {cases} cases, {open} open, {words} words");
    let now = Time(FIRST_MS + cases * STEP_MS);
    let mut dice = Dice(2);
    let parts = std::env::var("CITYLINE_PARTS").unwrap_or_default();
    let wanted = |part: &str| parts.is_empty() || parts.split(',').any(|named| named == part);
    if wanted("known") {
        known(&store, &mut dice).await;
    }
    if wanted("searched") {
        searched(&store, &mut dice, cases).await;
    }
    if wanted("listed") {
        listed(&store, &mut dice, now).await;
    }
    if wanted("figured") {
        figured(&store, now).await;
    }
    if wanted("verified") {
        verified(&store, kind).await;
    }
    if wanted("written") {
        written(&store, &mut dice, now).await;
    }
}

async fn count(store: &Store, text: &'static str) -> i64 {
    query(text).fetch_scalar(store.db.readers()).await.unwrap()
}

/// What the databases find out when they rest: PostgreSQL by its autovacuum. On a connection that may take longer than ours.
async fn rested(address: &str, kind: Kind, store: &Store) {
    if kind == Kind::Sqlite {
        query("ANALYZE").execute(store.db.writer()).await.unwrap();
        return;
    }
    let mut connection = sqlx::PgConnection::connect(address).await.unwrap();
    sqlx::query("VACUUM ANALYZE").execute(&mut connection).await.unwrap();
}

/// The screen pop, and what the core asks of every caller.
async fn known(store: &Store, dice: &mut Dice) {
    let caller = |n: u64, dice: &mut Dice| CallerRef(if n.is_multiple_of(50) { OFTEN } else { 10 + dice.below(CALLERS) });
    let mut spans = Spans::new("screen pop");
    for n in 0..3_000 {
        let caller = caller(n, dice);
        spans.of(store.story(caller)).await.unwrap();
    }
    spans.print();
    let mut spans = Spans::new("look-up of a caller");
    for n in 0..3_000 {
        let caller = caller(n, dice);
        spans.of(store.known(caller, crate::centre::ids::CallId(u32::MAX.into()), Time(0))).await.unwrap();
    }
    spans.print();
}

fn questions(dice: &mut Dice, cases: u64) -> Vec<String> {
    let labelled = include_str!("search/queries.txt").lines().filter_map(|line| Some(line.split_once(" | ")?.0.to_owned()));
    let mut asked: Vec<String> = labelled.collect();
    for _ in 0..100 {
        asked.push(format!("улица {} {}", dice.word(), 1 + dice.below(200)));
        asked.push(format!("{} {}", dice.word(), dice.word()));
        asked.push((1 + dice.below(cases)).to_string());
    }
    // Common words that never stand together, and one that stands in every case.
    asked.extend(
        ["лифт отопление собак", "улица", "троллейбус лифт", "radiators elevator", "ул", "1", "отоп", "лиф улица"].map(str::to_owned),
    );
    asked
}

fn of_organisation() -> Sight {
    Sight { organisation: Some("o7".into()), groups: vec![] }
}

async fn searched(store: &Store, dice: &mut Dice, cases: u64) {
    let asked = questions(dice, cases);
    let open = CaseFilter { open: Some(true), ..CaseFilter::default() };
    let sights = [
        ("search, the centre", Sight::centre(vec![]), CaseFilter::default(), 1),
        ("search, open cases", Sight::centre(vec![]), open, 2),
        ("search, an organisation", of_organisation(), CaseFilter::default(), 2),
    ];
    for (name, sight, filter, every) in sights {
        let mut spans = Spans::new(name);
        let mut slow = Vec::new();
        for text in asked.iter().step_by(every) {
            spans.of(store.search_cases(text, &filter, &sight, Time(0))).await.unwrap();
            slow.push((spans.last(), text));
        }
        spans.print();
        slow.sort();
        println!("  slowest: {:?}", slow.iter().rev().take(6).collect::<Vec<_>>());
    }
}

async fn listed(store: &Store, dice: &mut Dice, now: Time) {
    let filter = CaseFilter::default;
    let lists = [
        ("list, newest", filter()),
        ("list, open", CaseFilter { open: Some(true), ..filter() }),
        ("list, far down", CaseFilter { before: Some(1_000), ..filter() }),
        ("list, a topic", CaseFilter { topic: Some("heating".into()), ..filter() }),
        ("list, a district", CaseFilter { district: Some("d3".into()), open: Some(true), ..filter() }),
        ("list, a state", CaseFilter { state: Some("done".into()), ..filter() }),
        ("overdue, the latest 50", CaseFilter { overdue: true, ..filter() }),
        ("overdue, the latest 500", CaseFilter { overdue: true, limit: 500, ..filter() }),
    ];
    for (name, filter) in lists {
        for (whose, sight) in [("the centre", Sight::centre(vec![])), ("an organisation", of_organisation())] {
            let mut spans = Spans::new(&format!("{name}, {whose}"));
            for _ in 0..50 {
                spans.of(store.cases(&filter, &sight, now)).await.unwrap();
            }
            spans.print();
        }
    }
    let mut spans = Spans::new("overdue by desk");
    for _ in 0..30 {
        spans.of(store.late_desks(&Sight::centre(vec![]), now)).await.unwrap();
    }
    spans.print();
    let mut spans = Spans::new("control calls");
    for _ in 0..30 {
        spans.of(store.control_work(&Sight::centre(vec![]), 0)).await.unwrap();
    }
    spans.print();
    let mut spans = Spans::new("a case with its history");
    for _ in 0..500 {
        let number = number(1 + dice.below(100_000));
        spans.of(store.case(&number)).await.unwrap();
    }
    spans.print();
}

/// What whoever leads asks for: of a month, and of all two years.
async fn figured(store: &Store, now: Time) {
    for (name, days) in [("a month", 30), ("two years", 730)] {
        let from = Time(now.0.saturating_sub(days * DAY_MS));
        let cost = Cost::begin();
        let mut league = League::default();
        store.each_promise(from, now, |case| league.count(case, now)).await.unwrap();
        let lines = league.lines();
        cost.print(&format!("league table of {name} ({} lines)", lines.len()));
        let cost = Cost::begin();
        store.districts(from, now, None, &Sight::centre(vec![]), now).await.unwrap();
        cost.print(&format!("districts of {name}"));
        let cost = Cost::begin();
        store.contacts(from, now).await.unwrap();
        cost.print(&format!("contacts of {name}"));
        let cost = Cost::begin();
        let found = store.first_calls(from, now, 7, now).await;
        let told = found.map_or_else(|error| error.to_string(), |found| format!("{} contacts", found.contacts));
        cost.print(&format!("first calls of {name} ({told})"));
    }
    let mut spans = Spans::new("incidents proposed");
    for _ in 0..5 {
        spans.of(store.propose_incidents(now)).await.unwrap();
    }
    spans.print();
}

async fn verified(store: &Store, kind: Kind) {
    peak_mb();
    let cost = Cost::begin();
    let found = store.verify(&[]).await.unwrap();
    let wall = cost.print(&format!("{kind:?} verify of {} events and {} cases, peak {} MB", found.events, found.cases, peak_mb()));
    println!("  a million events: {:.1} s", wall * 1e6 / found.events as f64);
}

fn number(n: u64) -> CaseNumber {
    CaseNumber { service: SERVICE.into(), year: 2026, n: n as u32 }
}

/// What is written while all that is there.
async fn written(store: &Store, dice: &mut Dice, now: Time) {
    let begun = count(store, "SELECT COUNT(*) FROM cases").await.cast_unsigned();
    let mut spans = Spans::new("a case registered");
    let mut numbers = Vec::new();
    for n in 0..200 {
        let new = reported(dice, begun + n, now);
        numbers.push(spans.of(store.open_case(new)).await.unwrap().number.parse::<CaseNumber>().unwrap());
    }
    spans.print();
    let saule = Author::Supervisor { name: "saule".into() };
    let mut spans = Spans::new("a case acted on");
    for number in &numbers {
        let words = Private::new("asked again".to_owned());
        spans.of(store.act(number, &Wish::Note, saule.clone(), Some(&words), now)).await.unwrap();
    }
    spans.print();
    let mut spans = Spans::new("a case erased");
    for number in numbers.iter().take(50) {
        let row: Result<CaseRow, _> = spans.of(store.erase_case(number, saule.clone(), &Private::new("Article 17".into()), now)).await;
        row.unwrap();
    }
    spans.print();
}

fn reported(dice: &mut Dice, n: u64, at: Time) -> NewCase {
    let text = (0..10).map(|_| dice.word()).collect::<Vec<_>>().join(" ");
    let report = Report {
        kind: Of::Complaint,
        channel: Channel::Phone,
        topic: "heating".into(),
        priority: Priority::Normal,
        district: None,
        call: None,
        proposed: None,
    };
    NewCase {
        service: NumberId::from(SERVICE),
        year: 2026,
        report,
        caller: CallerRef(10 + dice.below(CALLERS)),
        resident: None,
        place: Place::default(),
        at_degrees: None,
        words: ReportWords { text: Private::new(text), address: None, resident: None },
        by: Author::Operator { name: "aigul".into() },
        by_name: "aigul".into(),
        draft: format!("measured-{n}-{}", std::process::id()),
        at,
    }
}
