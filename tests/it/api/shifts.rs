//! Do supervisors, and nobody else, decide about today's shifts, on record and seen by everybody who works here?

use cityline::centre::fact::Fact;
use cityline::centre::input::Input;
use cityline::centre::shift::{ShiftOrder, Wanted};
use cityline::store::Role;
use cityline_bases::{Kind, on_both};
use serde_json::json;

use super::city::City;

on_both!(a_supervisors_order_goes_to_the_core_and_is_shown,);

async fn a_supervisors_order_goes_to_the_core_and_is_shown(kind: Kind) {
    let mut city = City::start(kind).await;
    let boss = [city.signed_in("boss", Role::Supervisor).await];
    let operator = [city.signed_in("operator", Role::Operator).await];
    let order =
        |operator: &str, wanted: serde_json::Value, reason: &str| json!({ "operator": operator, "wanted": wanted, "reason": reason });
    let home = order("olena", json!({ "home": {} }), "ill").to_string();
    let path = "/api/shifts/orders";
    assert_eq!(city.ask("POST", path, &operator, Some(&home)).await.status, 403, "an operator leads nobody");
    let nobody = order("nobody", json!({ "home": {} }), "ill").to_string();
    assert_eq!(city.ask("POST", path, &boss, Some(&nobody)).await.status, 404);
    let nowhere = order("olena", json!({ "moved": { "to": "nowhere" } }), "ill").to_string();
    assert_eq!(city.ask("POST", path, &boss, Some(&nowhere)).await.status, 404, "no such shift");
    let wordless = order("olena", json!({ "home": {} }), "").to_string();
    assert_eq!(city.ask("POST", path, &boss, Some(&wordless)).await.status, 422, "every order has a reason");
    let over = json!({ "operator": "olena", "wanted": { "home": {} }, "reason": "ill", "until_ms": 5 }).to_string();
    assert_eq!(city.ask("POST", path, &boss, Some(&over)).await.status, 422, "its end is over");
    assert_eq!(city.ask("POST", path, &boss, Some(&home)).await.status, 202);
    let expected = ShiftOrder { agent: "olena".into(), wanted: Wanted::Home {}, until_ms: None, by: "boss".into(), reason: "ill".into() };
    assert_eq!(city.input().await, Input::ShiftOrdered(expected));

    let (by, reason) = ("boss".to_owned(), "ill".to_owned());
    let ordered = Fact::ShiftOrdered { agent: "olena".into(), wanted: Wanted::Home {}, until_ms: 9_000, by, reason };
    city.happens(2_000, vec![ordered, Fact::ShiftChanged { agent: "olena".into(), is_on: false, shifts: vec![] }]).await;
    let table = city.ask("GET", "/api/shifts", &operator, None).await.json();
    let of = |name: &str| table["operators"].as_array().unwrap().iter().find(|row| row["operator"] == name).unwrap()["is_on"].clone();
    assert_eq!((of("olena"), of("aigul")), (json!(false), json!(true)));
    assert_eq!((&table["orders"][0]["wanted"], &table["orders"][0]["reason"]), (&json!("home"), &json!("")), "why a colleague went home");
    let table = city.ask("GET", "/api/shifts", &boss, None).await.json();
    assert_eq!((&table["orders"][0]["by_name"], &table["orders"][0]["wanted"]), (&json!("boss"), &json!("home")));
    assert!(table["templates"]["night"].is_object());
    let why = city.ask("GET", "/api/calls/7/why", &boss, None).await;
    assert_eq!((why.status, why.json()), (200, json!([])), "the journal of this city is empty");
    city.stop().await;
}
