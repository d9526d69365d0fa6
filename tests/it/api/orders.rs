//! Do supervisors, and nobody else, steer the centre: on record with author and reason, and seen by supervisors as it holds?

use std::collections::BTreeMap;

use cityline::centre::fact::{AgentStatus, Fact};
use cityline::centre::ids::SkillId;
use cityline::centre::input::Input;
use cityline::centre::output::Refusal;
use cityline::centre::steer::{Order, StateWanted, Steered};
use cityline::centre::surge::Mode;
use cityline::store::Role;
use cityline_bases::{Kind, on_both};
use serde_json::{Value, json};

use super::city::City;

on_both!(a_supervisors_orders_go_to_the_core_and_stand_on_record, orders_about_a_person_are_shown_to_those_who_lead,);

async fn a_supervisors_orders_go_to_the_core_and_stand_on_record(kind: Kind) {
    let mut city = City::start(kind).await;
    let boss = [city.signed_in("boss", Role::Supervisor).await];
    let operator = [city.signed_in("operator", Role::Operator).await];
    let path = "/api/orders";
    let given = |order: Value| json!({ "order": order, "reason": "storm" }).to_string();
    let out = json!({ "kind": "state", "operator": "olena", "to": "signed_out" });
    assert_eq!(city.ask("POST", path, &operator, Some(&given(out.clone()))).await.status, 403, "an operator leads nobody");
    for (wrong, named) in [
        (json!({ "kind": "state", "operator": "nobody", "to": "ready" }), "nobody"),
        (json!({ "kind": "state", "operator": "olena", "to": "pause", "pause": "sleep" }), "sleep"),
        (json!({ "kind": "state", "operator": "olena", "to": "pause" }), "pause"),
        (json!({ "kind": "able", "operator": "olena", "levels": { "dancing": 3 } }), "dancing"),
        (json!({ "kind": "able", "operator": "olena", "levels": { "ru": 11 } }), "ru"),
        (json!({ "kind": "able", "operator": "olena", "queues": { "nowhere": true } }), "nowhere"),
        (json!({ "kind": "mode", "queue": "nowhere", "mode": "closed" }), "nowhere"),
    ] {
        let answer = city.ask("POST", path, &boss, Some(&given(wrong.clone()))).await;
        assert_eq!(answer.status, 422, "{wrong}");
        assert!(answer.json().to_string().contains(named), "{wrong}: {}", answer.json());
    }
    let wordless = json!({ "order": out, "reason": " " }).to_string();
    assert_eq!(city.ask("POST", path, &boss, Some(&wordless)).await.status, 422, "every order has a reason");
    let endless = json!({ "order": out, "reason": "storm", "until_ms": 5 }).to_string();
    assert_eq!(city.ask("POST", path, &boss, Some(&endless)).await.status, 422, "a state has no end");
    let open = json!({ "kind": "mode", "queue": "general", "mode": "open" });
    let open = json!({ "order": open, "reason": "storm", "until_ms": 9_000_000_000_000_u64 }).to_string();
    assert_eq!(city.ask("POST", path, &boss, Some(&open)).await.status, 422, "nor is a queue open until something");

    let queue = "general";
    let close = json!({ "kind": "mode", "queue": queue, "mode": "closed" });
    assert_eq!(city.ask("POST", path, &boss, Some(&given(close))).await.status, 202);
    let order = Order::Mode { queue: queue.into(), mode: Mode::Closed };
    let (by, reason) = ("boss".to_owned(), "storm".to_owned());
    let steered = Steered { order: order.clone(), until_ms: None, by: by.clone(), reason: reason.clone() };
    assert_eq!(city.input().await, Input::Steered(Box::new(steered)));
    let log = city.store.accesses_of(&Default::default()).await.unwrap();
    let logged = log.iter().find(|entry| entry.action == "order" && entry.who == "boss").unwrap();
    assert_eq!(logged.subject, "queue general closed: storm");

    let told = Fact::Steered { order, until_ms: None, by: by.clone(), reason: reason.clone(), refused: None };
    let (by, reason) = (Some(by), Some(reason));
    let changed = Fact::QueueModeChanged { queue: queue.into(), mode: Mode::Closed, until_ms: None, by, reason };
    let evacuated = Fact::EvacuationChanged { on: true, by: "boss".into(), reason: "smoke".into() };
    city.happens(2_000, vec![told, changed, evacuated]).await;
    let orders = city.ask("GET", path, &boss, None).await.json();
    assert_eq!((&orders["modes"][0]["queue"], &orders["modes"][0]["mode"]), (&json!(queue), &json!("closed")));
    assert_eq!(orders["evacuation"], json!({ "by": "boss", "reason": "smoke", "since_ms": 2_000 }));
    assert_eq!((&orders["orders"][0]["kind"], &orders["orders"][0]["by_name"]), (&json!("mode"), &json!("boss")));
    assert_eq!(city.ask("GET", "/api/board", &boss, None).await.json()["steering"]["modes"][0]["by"], "boss");
    city.stop().await;
}

/// What is ordered about one person, and why, is nothing for their colleagues.
async fn orders_about_a_person_are_shown_to_those_who_lead(kind: Kind) {
    let mut city = City::start(kind).await;
    let boss = [city.signed_in("boss", Role::Supervisor).await];
    let operator = [city.signed_in("operator", Role::Operator).await];
    let steered = |order, refused| Fact::Steered { order, until_ms: None, by: "boss".into(), reason: "slow in lifts".into(), refused };
    let levels: BTreeMap<SkillId, u8> = [("lifts".into(), 0)].into();
    let able = Order::Able { operator: "olena".into(), levels: levels.clone(), queues: BTreeMap::new() };
    let today = Fact::AbleToday { agent: "olena".into(), levels, queues: BTreeMap::new(), until_ms: Some(99_000) };
    let ready = Order::State { operator: "olena".into(), to: StateWanted::Ready, pause: None };
    let signed_in = Fact::AgentChanged { agent: "olena".into(), state: AgentStatus::Offline };
    let facts = vec![signed_in, steered(able, None), today, steered(ready, Some(Refusal::NoPhone))];
    city.happens(2_000, facts).await;
    let board = city.ask("GET", "/api/board", &boss, None).await.json();
    assert_eq!((&board["steering"]["able"][0]["by"], &board["steering"]["able"][0]["reason"]), (&json!("boss"), &json!("slow in lifts")));
    assert_eq!(board["steering"]["refused"], json!([{ "operator": "olena", "why": "no_phone", "by": "boss", "at_ms": 2_000 }]));
    let olena = &board["operators"][0];
    assert_eq!((&olena["skills"]["lifts"], olena["settled_skills"].is_object()), (&json!(0), true));
    let orders = city.ask("GET", "/api/orders", &boss, None).await.json();
    assert_eq!((&orders["orders"][0]["refused"], &orders["orders"][1]["refused"]), (&json!("no_phone"), &Value::Null));
    assert_eq!(orders["pause_reasons"][0], "lunch");
    let board = city.ask("GET", "/api/board", &operator, None).await.json();
    assert_eq!((&board["steering"]["able"], &board["steering"]["refused"]), (&json!([]), &json!([])));
    assert!(!board.to_string().contains("slow in lifts"), "{board}");
    assert_eq!(board["operators"][0]["skills"]["lifts"], 0, "what they can do today is no secret");
    city.stop().await;
}
