//! Do residents hear it when a supervisor closes a queue or has the whole centre leave, and do operators' phones fall silent at once?

use std::time::Duration;

use cityline_phone::phone::Call;
use cityline_phone::{Event, Phone, Side, Then};
use serde_json::{Value, json};

use super::cast::{OPERATOR, calls, chirping, goes_on, operators, phone_of, record, rings, short_city};
use super::server::Server;
use super::supervisor::Supervisor;
use super::{SOON, heard, score};

/// A text is over by then.
const SPOKEN: Duration = Duration::from_secs(40);
/// Samples of a packet.
const PACKET: usize = 160;

fn orders(boss: &Supervisor<'_>, order: &Value) {
    assert_eq!(boss.ask("POST", "/api/orders", &json!({ "order": order, "reason": "smoke" })).0, 202, "{order}");
}

/// How well a text is heard after which the server hangs up: the last packet may come after the BYE.
fn last_word(id: &str, call: &mut Call) -> f32 {
    let mut pcm = record(call).heard.timeline().pcm;
    pcm.extend([0; PACKET]);
    score("kk", id, &pcm)
}

#[test]
fn an_evacuation_is_heard_by_who_talks_who_waits_and_who_calls_and_leaves_no_phone_busy() {
    let server = Server::start("evacuation", &(short_city("") + &operators(&[("daniyar", "202")])));
    let boss = Supervisor::of(&server);
    let operator = phone_of(&server, "202", rings(300, Then::Answer, OPERATOR));
    let resident = Phone::on_loopback().unwrap();
    let mut talks = calls(&server, &resident, "200", chirping("+77010000001"));
    let mut answered = operator.next_call(SOON).unwrap();
    answered.wait_for(Event::FirstSound, SOON).unwrap();
    let mut waits = calls(&server, &resident, "200", chirping("+77010000002"));
    server.rows_until("SELECT count(*) FROM queue_events WHERE left_ms IS NULL", SOON, |rows| rows == "1");
    goes_on(&mut talks, Duration::from_secs(2));

    orders(&boss, &json!({ "kind": "evacuation", "on": true }));
    assert_eq!(answered.wait_for_end(SOON).unwrap(), Event::Ended(Side::Them), "the operator is free at once");
    let mut late = calls(&server, &resident, "200", chirping("+77010000003"));
    for (name, call) in [("talked", &mut talks), ("waited", &mut waits), ("called", &mut late)] {
        assert_eq!(call.wait_for_end(SPOKEN).unwrap(), Event::Ended(Side::Them), "{name}");
        let told = last_word("evacuation", call);
        assert!(told >= 0.9, "who {name} hears why: {told:.2}");
    }
    // Who talked and who waited are called back; who only called was told so.
    server.rows_become("SELECT count(*) FROM callbacks", "2");
    server.rows_become("SELECT by_name, kind, reason FROM orders", "dana|evacuation|smoke");

    orders(&boss, &json!({ "kind": "evacuation", "on": false }));
    let mut next = calls(&server, &resident, "200", chirping("+77010000004"));
    let mut answered = operator.next_call(SOON).unwrap();
    answered.wait_for(Event::FirstSound, SOON).unwrap();
    goes_on(&mut next, Duration::from_secs(4));
    next.hang_up().unwrap();
    assert!(heard(&record(&mut next).heard.timeline().pcm, OPERATOR).is_some(), "the phone without a desk takes calls again");
}

#[test]
fn a_queue_that_is_drained_leads_on_as_when_it_is_full_and_serves_who_waits() {
    let server = Server::start("closed", &(short_city("") + &operators(&[("daniyar", "202")])));
    let boss = Supervisor::of(&server);
    let resident = Phone::on_loopback().unwrap();
    let mut waits = calls(&server, &resident, "200", chirping("+77010000001"));
    server.rows_until("SELECT count(*) FROM queue_events WHERE left_ms IS NULL", SOON, |rows| rows == "1");
    orders(&boss, &json!({ "kind": "mode", "queue": "general", "mode": "draining" }));
    server.rows_until("SELECT count(*) FROM orders", SOON, |rows| rows == "1");
    let mut late = calls(&server, &resident, "200", chirping("+77010000002"));
    assert_eq!(late.wait_for_end(SPOKEN).unwrap(), Event::Ended(Side::Them));
    let told = last_word("queue-full", &mut late);
    assert!(told >= 0.9, "{told:.2}");
    let operator = phone_of(&server, "202", rings(300, Then::Answer, OPERATOR));
    let mut answered = operator.next_call(SOON).unwrap();
    answered.wait_for(Event::FirstSound, SOON).unwrap();
    goes_on(&mut waits, Duration::from_secs(3));
    waits.hang_up().unwrap();
    assert!(heard(&record(&mut waits).heard.timeline().pcm, OPERATOR).is_some(), "who waits is served");
    let modes = boss.does("GET", "/api/orders", &Value::Null)["modes"].clone();
    assert_eq!((&modes[0]["queue"], &modes[0]["mode"]), (&json!("general"), &json!("closed")), "the last has left");
}
