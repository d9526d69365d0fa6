//! Do supervisors, and nobody else, steer the centre: on record with author and reason, and seen by supervisors as it holds?

use cityline::centre::fact::Fact;
use cityline::centre::input::Input;
use cityline::centre::steer::{Order, Steered};
use cityline::centre::surge::Mode;
use cityline::store::Role;
use cityline_bases::{Kind, on_both};
use serde_json::{Value, json};

use super::city::City;

on_both!(a_supervisors_orders_go_to_the_core_and_stand_on_record,);

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

    let queue = "general";
    let close = json!({ "kind": "mode", "queue": queue, "mode": "closed" });
    assert_eq!(city.ask("POST", path, &boss, Some(&given(close))).await.status, 202);
    let order = Order::Mode { queue: queue.into(), mode: Mode::Closed };
    let (by, reason) = ("boss".to_owned(), "storm".to_owned());
    let steered = Steered { order: order.clone(), until_ms: None, by: by.clone(), reason: reason.clone() };
    assert_eq!(city.input().await, Input::Steered(Box::new(steered)));
    let log = city.store.accesses_of(&Default::default()).await.unwrap();
    assert!(log.iter().any(|entry| entry.action == "order" && entry.who == "boss"), "{log:?}");

    let told = Fact::Steered { order, until_ms: None, by: by.clone(), reason: reason.clone() };
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
