//! Are thirty desks served at once, and does one that stops reading cost the others anything? The first is measured, the second asserted.
//!
//! `cargo test --release --workspace --test it -- --ignored --nocapture api::desk_load` prints it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cityline::caller::CallerSeen;
use cityline::centre::explanation::{Explanation, Merits, Rule, Verdict};
use cityline::centre::fact::{AgentStatus, Fact};
use cityline::centre::ids::{AgentId, CallId, CallerRef, Language, TrunkId};
use cityline::centre::input::{FromDesk, Input};
use cityline::centre::output::{Offer, ToDesk};
use cityline::centre::time::Time;
use cityline::private::Private;
use cityline::store::Role;
use cityline::web::SpeaksBy;
use cityline_bases::{Kind, on_both};
use serde_json::json;
use tokio::sync::mpsc;

use super::city::City;
use super::desk::Desk;
use super::desk_work::{now, report_of};

on_both!(
    a_reader_that_stops_is_cut_off_and_delays_nobody,
    #[ignore = "a measurement"]
    thirty_desks_and_a_call_a_second,
);

const DESKS: u64 = 30;
const CALLS: u64 = 60;
/// Every caller has reported so much before.
const CASES_A_CALLER: u64 = 5;

fn names(count: u64) -> Vec<AgentId> {
    (1..=count).map(|n| AgentId::from(format!("desk-{n}"))).collect()
}

fn offer_to(operator: &AgentId, call: u64) -> ToDesk {
    let verdicts = names(DESKS).into_iter().map(|name| (name, Verdict::Eligible { idle_ms: 9_000, merits: Merits::default() })).collect();
    let why = Explanation { rule: Rule::LongestIdle, needed: vec!["kk".into()], verdicts, ..Explanation::default() };
    let offer = Offer {
        call: CallId(call),
        caller: CallerRef(call),
        queue: "heating".into(),
        language: Language::Kk,
        topic: Some("heating".into()),
        waited_ms: 48_000,
        rings_ms: 15_000,
        why,
        from: None,
        auto_answer_ms: 0,
        callback: None,
    };
    ToDesk::Offer { agent: operator.clone(), offer }
}

fn is(operator: &AgentId, state: AgentStatus) -> Fact {
    Fact::AgentChanged { agent: operator.clone(), state }
}

/// Signs so many operators in, each at an open page.
async fn staff(city: &mut City, count: u64) -> BTreeMap<AgentId, Desk> {
    let names = names(count);
    city.shell.reload(&names.iter().map(|name| (name.clone(), SpeaksBy::Telephone)).collect(), Default::default(), vec!["lunch".into()]);
    let origin = format!("http://{}", city.address);
    let mut desks = BTreeMap::new();
    for name in names {
        let cookie = city.signed_in(name.as_str(), Role::Operator).await;
        let desk = Desk::open(city, &cookie, &origin).await.unwrap();
        assert!(matches!(city.input().await, Input::Desk(FromDesk::DeskUp { .. })));
        city.happens(now(), vec![is(&name, AgentStatus::Ready)]).await;
        desks.insert(name, desk);
    }
    desks
}

/// A page that reads, answers echoes and says which message about which call came when.
fn reads(mut desk: Desk, heard: mpsc::Sender<(&'static str, u64, Instant)>) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        while let Some(message) = desk.any().await {
            let kind = match message["type"].as_str().unwrap() {
                "offer" => "offer",
                "context" => "context",
                "echo" => {
                    desk.say(json!({ "type": "echo", "n": message["n"] })).await;
                    continue;
                }
                _ => continue,
            };
            if heard.send((kind, message["call"].as_u64().unwrap(), Instant::now())).await.is_err() {
                return;
            }
        }
    })
}

async fn a_reader_that_stops_is_cut_off_and_delays_nobody(kind: Kind) {
    let mut city = City::start(kind).await;
    let mut desks = staff(&mut city, 2).await.into_iter();
    let ((first, stopped), (second, desk)) = (desks.next().unwrap(), desks.next().unwrap());
    let (heard, mut hears) = mpsc::channel(100);
    let reading = reads(desk, heard);
    let began = Instant::now();
    let mut slowest = Duration::ZERO;
    let mut gone = None;
    for call in 1..=120 {
        // The page that does not read gets as much as the one that does, and more.
        for operator in [&first, &second] {
            city.happens(now(), vec![is(operator, AgentStatus::Offered(CallId(call)))]).await;
            city.shell.carry_out(offer_to(operator, call));
        }
        let given = Instant::now();
        let offered = async { while hears.recv().await.is_some_and(|(what, of, _)| (what, of) != ("offer", call)) {} };
        tokio::time::timeout(Duration::from_secs(2), offered).await.unwrap_or_else(|_| panic!("offer {call} is delayed"));
        slowest = slowest.max(given.elapsed());
        if let Ok(input) = tokio::time::timeout(Duration::from_millis(250), city.input_at_any_time()).await {
            assert!(matches!(&input, Input::Desk(FromDesk::DeskGone { agent, .. }) if *agent == first), "{input:?}");
            gone = Some(began.elapsed());
            break;
        }
    }
    let gone = gone.expect("the reader that stopped is cut off");
    println!("cut off after {gone:?}; the other's slowest offer took {slowest:?}");
    assert!(gone < Duration::from_secs(30), "{gone:?}");
    drop((stopped, hears));
    reading.abort();
    city.stop().await;
}

async fn thirty_desks_and_a_call_a_second(kind: Kind) {
    let mut city = City::start(kind).await;
    for call in 1..=CALLS {
        let number = Private::new(format!("+7701{call:07}"));
        city.store.remember_callers(&[CallerSeen { caller: CallerRef(call), number, name: None, at: Time(1) }]).await.unwrap();
        for n in 0..CASES_A_CALLER {
            report_of(&city, CallerRef(call), &format!("{call}-{n}"), Time(now() - n * 86_400_000), None).await;
        }
        city.store.write_note(CallerRef(call), None, &Private::new("speaks slowly".into()), "desk-1", Time(5)).await.unwrap();
    }
    let desks = staff(&mut city, DESKS).await;
    let (heard, mut hears) = mpsc::channel(1_000);
    let reading: Vec<_> = desks.into_values().map(|desk| reads(desk, heard.clone())).collect();
    let given = Arc::new(std::sync::Mutex::new(BTreeMap::new()));
    let all = given.clone();
    let judged = tokio::spawn(async move {
        let mut spans: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
        while spans.get("context").map_or(0, Vec::len) < CALLS as usize {
            let (what, call, at) = hears.recv().await.unwrap();
            let from: Instant = all.lock().unwrap()[&call];
            spans.entry(what).or_default().push(at.duration_since(from));
        }
        spans
    });
    let names = names(DESKS);
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    for call in 1..=CALLS {
        seconds.tick().await;
        let operator = &names[(call % DESKS) as usize];
        let started = Fact::CallStarted { call: CallId(call), number: "109".into(), trunk: TrunkId::from("city"), caller: CallerRef(call) };
        city.happens(now(), vec![started, is(operator, AgentStatus::Offered(CallId(call)))]).await;
        given.lock().unwrap().insert(call, Instant::now());
        city.shell.carry_out(offer_to(operator, call));
    }
    let mut spans = tokio::time::timeout(Duration::from_secs(20), judged).await.unwrap().unwrap();
    for (what, spans) in &mut spans {
        spans.sort();
        let at = |percent: usize| spans[(spans.len() * percent / 100).min(spans.len() - 1)];
        println!("{kind:?}: {what}: {} of {CALLS}, median {:?}, p99 {:?}, longest {:?}", spans.len(), at(50), at(99), at(100));
    }
    reading.into_iter().for_each(|task| task.abort());
    city.stop().await;
}
