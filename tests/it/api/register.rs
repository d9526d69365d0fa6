//! Is the register read and ruled over HTTP as its rules say, and does nobody overwrite another's decision?

use cityline::cases::decide::{Report, Wish};
use cityline::cases::event::{Author, Channel, Kind as What};
use cityline::centre::ids::CallerRef;
use cityline::centre::time::Time;
use cityline::private::Private;
use cityline::store::{NewCase, ReportWords, Role};
use cityline_bases::{Kind, on_both};
use serde_json::{Value, json};

use super::city::City;
use super::contract::heat;

on_both!(
    rules_are_changed_by_who_has_read_them,
    who_is_late_and_who_keeps_promises_is_told,
    what_is_done_waits_for_control,
    accounts_speak_for_the_organisations_that_there_are,
    no_null_reaches_the_database
);

/// 5 January 2026, a Monday, at noon of Qostanay, in milliseconds.
const MONDAY: u64 = 1_767_596_400_000;
const HOUR: u64 = 3_600_000;

async fn case(city: &City, draft: &str, at: u64) -> cityline::cases::ids::CaseNumber {
    let (kind, channel, topic, priority) = (What::Complaint, Channel::Phone, "heating".into(), Default::default());
    let report = Report { kind, channel, topic, priority, district: None, call: None, proposed: Some("heat".into()) };
    let new = NewCase {
        service: "109".into(),
        year: 2026,
        report,
        caller: CallerRef::WITHHELD,
        resident: None,
        place: Default::default(),
        at_degrees: None,
        words: ReportWords { text: Private::new("cold".into()), address: None, resident: None },
        by: Author::Operator { name: "operator".into() },
        by_name: "operator".into(),
        draft: draft.into(),
        at: Time(at),
    };
    city.store.open_case(new).await.unwrap().number.parse().unwrap()
}

async fn act(city: &City, number: &cityline::cases::ids::CaseNumber, wish: Wish, at: u64) {
    let by = Author::Organisation { organisation: "heat".into(), name: "dana".into() };
    city.store.act(number, &wish, by, Some(&Private::new("mended".into())), Time(at)).await.unwrap();
}

async fn rules_are_changed_by_who_has_read_them(kind: Kind) {
    let city = City::start(kind).await;
    let admin = vec![city.signed_in("administrator", Role::Administrator).await];
    let mut rules = city.ask("GET", "/api/register/rules", &admin, None).await.json();
    assert_eq!(rules["revision"], 0);
    rules["book"]["control_calls"] = json!(5);
    let put = async |rules: &Value| city.ask("PUT", "/api/register/rules", &admin, Some(&rules.to_string())).await;
    let approved = put(&rules).await;
    assert_eq!((approved.status, approved.json()["revision"].as_i64()), (200, Some(1)));
    let late = put(&rules).await;
    assert_eq!((late.status, late.json()["error"].as_str()), (409, Some("conflict")));
    rules["revision"] = json!(i64::MAX);
    assert_eq!(put(&rules).await.status, 409, "a revision that never was");
    rules["revision"] = json!(1);
    rules["book"]["centre"] = json!("nowhere");
    rules["book"]["close_after"] = json!("soon");
    let wrong = put(&rules).await;
    let faults = wrong.json()["faults"].as_array().unwrap().clone();
    assert_eq!((wrong.status, faults.len()), (422, 2), "{faults:?}");
    assert!(faults[0].as_str().unwrap().contains("nowhere") || faults[1].as_str().unwrap().contains("nowhere"));
    let routes = city.ask("GET", "/api/routes", &admin, None).await.json();
    let unknown =
        json!({ "revision": routes["revision"], "routes": [{ "organisation": "mars" }, { "topic": "moon", "organisation": "mars" }] });
    let unknown = city.ask("PUT", "/api/routes", &admin, Some(&unknown.to_string())).await;
    assert_eq!((unknown.status, unknown.json()["faults"].as_array().unwrap().len()), (422, 2));
    let put = r#"{"name":"Heat","calendar":"never","active":true,"revision":0}"#;
    assert_eq!(city.ask("PUT", "/api/organisations/heat", &admin, Some(put)).await.status, 422, "no such calendar");
    let put = put.replace("never", "office");
    assert_eq!(city.ask("PUT", "/api/organisations/heat", &admin, Some(&put)).await.status, 200);
    assert_eq!(city.ask("PUT", "/api/organisations/He%20at", &admin, Some(&put)).await.status, 422, "no id");
    assert_eq!(city.ask("PUT", "/api/organisations/heat", &admin, Some(&put)).await.status, 409, "it is there meanwhile");
    let all = city.ask("GET", "/api/organisations", &admin, None).await.json();
    let again = put.replace("\"revision\":0", &format!("\"revision\":{}", all[0]["revision"])).replace("Heat", "Heating");
    let changed = city.ask("PUT", "/api/organisations/heat", &admin, Some(&again)).await;
    assert_eq!((changed.status, changed.json()["name"].as_str()), (200, Some("Heating")));
    assert_eq!(city.ask("PUT", "/api/organisations/heat", &admin, Some(&again)).await.status, 409, "somebody was faster");
    let one = json!({ "revision": routes["revision"], "routes": [{ "topic": "heating", "organisation": "heat" }] }).to_string();
    assert_eq!(city.ask("PUT", "/api/routes", &admin, Some(&one)).await.status, 200);
    assert_eq!(city.ask("PUT", "/api/routes", &admin, Some(&one)).await.status, 409, "somebody was faster");
    assert_eq!((all[0]["id"].as_str(), all[0].get("secret")), (Some("heat"), None));
    city.stop().await;
}

async fn who_is_late_and_who_keeps_promises_is_told(kind: Kind) {
    let city = City::start(kind).await;
    city.store.put_organisation(&heat(), Time(1)).await.unwrap();
    let supervisor = vec![city.signed_in("supervisor", Role::Supervisor).await];
    let in_time = case(&city, "one", MONDAY).await;
    act(&city, &in_time, Wish::Accept, MONDAY + HOUR).await;
    let late = case(&city, "two", MONDAY + 1).await;
    act(&city, &late, Wish::Accept, MONDAY + 1 + 6 * HOUR).await;
    case(&city, "three", MONDAY + 2).await;
    let overdue = city.ask("GET", "/api/register/overdue?limit=2", &supervisor, None).await.json();
    assert_eq!(overdue["desks"], json!([{ "organisation": "heat", "cases": 3, "oldest_due_ms": MONDAY + 2 + 4 * HOUR }]));
    let first = &overdue["cases"][0];
    assert_eq!(overdue["cases"].as_array().unwrap().len(), 2);
    let at = overdue["at_ms"].as_u64().unwrap();
    assert_eq!(first["overdue"], "resolution", "its breach weighs more");
    assert_eq!(first["late_ms"].as_u64(), Some(at - first["resolution_due_ms"].as_u64().unwrap()));
    let league = city.ask("GET", &format!("/api/register/league?from_ms={MONDAY}&to_ms={}", MONDAY + 10), &supervisor, None).await.json();
    let reaction = &league["lines"][0]["reaction"];
    let expected = json!({ "kept": 2, "median_ms": 7 * HOUR / 2, "in_time": 1, "judged": 3, "in_time_percent": 33, "running": 0 });
    assert_eq!((reaction, league["lines"][0]["cases"].as_u64()), (&expected, Some(3)));
    assert_eq!(city.ask("GET", "/api/register/league?from_ms=9&to_ms=1", &supervisor, None).await.status, 422);
    let view = city.ask("GET", &format!("/api/cases/{late}"), &supervisor, None).await.json();
    assert_eq!(view["reaction_late_ms"].as_u64(), Some(2 * HOUR), "taken on two hours late");
    city.stop().await;
}

async fn what_is_done_waits_for_control(kind: Kind) {
    let city = City::start(kind).await;
    city.store.put_organisation(&heat(), Time(1)).await.unwrap();
    let quality = vec![city.signed_in("quality", Role::Quality).await];
    for (n, draft) in ["one", "two"].into_iter().enumerate() {
        let number = case(&city, draft, MONDAY).await;
        act(&city, &number, Wish::Finish { photos: vec![] }, MONDAY + (2 - n as u64) * HOUR).await;
    }
    let seal = city.store.head_to_seal(Time(MONDAY + 9 * HOUR)).await.unwrap().unwrap();
    city.store.keep_seal(&seal, &[]).await.unwrap();
    let asked = r#"{"do":"control_call","call":null,"outcome":"no_answer","words":"nobody answered"}"#;
    let asked = city.ask("POST", "/api/cases/109-2026-000002/act", &quality, Some(asked)).await;
    assert_eq!(asked.status, 200, "{}", String::from_utf8_lossy(&asked.body));
    let work = city.ask("GET", "/api/register/control-calls", &quality, None).await.json();
    let told: Vec<(&str, u64)> =
        work.as_array().unwrap().iter().map(|case| (case["number"].as_str().unwrap(), case["control_calls"].as_u64().unwrap())).collect();
    assert_eq!(told, [("109-2026-000002", 1), ("109-2026-000001", 0)], "who waits longest first");
    assert_eq!(work[0]["close_after_ms"].as_u64(), Some(MONDAY + HOUR + 7 * 24 * HOUR));
    let history = city.ask("GET", "/api/cases/109-2026-000002/history", &quality, None).await.json();
    let sealed: Vec<bool> = history["events"].as_array().unwrap().iter().map(|event| !event["seal"].is_null()).collect();
    assert_eq!(sealed, [true, true, true, false], "the control call came after the seal");
    let seals = city.ask("GET", "/api/register/seals", &quality, None).await.json();
    assert_eq!(seals[0]["head"].as_str(), Some(seal.head.to_string().as_str()));
    city.stop().await;
}

async fn accounts_speak_for_the_organisations_that_there_are(kind: Kind) {
    let city = City::start(kind).await;
    city.store.put_organisation(&heat(), Time(1)).await.unwrap();
    let admin = vec![city.signed_in("administrator", Role::Administrator).await];
    let put = async |name: &str, body: &str| city.ask("PUT", &format!("/api/accounts/{name}"), &admin, Some(body)).await;
    assert_eq!(put("dana", r#"{"role":"organisation","organisation":"heat"}"#).await.status, 422, "no password");
    assert_eq!(put("dana", r#"{"role":"organisation","organisation":"mars","password":"longenough"}"#).await.status, 422);
    assert_eq!(put("dana", r#"{"role":"organisation","password":"longenough"}"#).await.status, 422);
    let made = put("dana", r#"{"role":"organisation","organisation":"heat","password":"longenough"}"#).await;
    assert_eq!((made.status, made.json()["organisation"].as_str()), (200, Some("heat")));
    let dana = city.login("dana", "longenough").await;
    let dana = vec![format!("Cookie: {}", dana.cookie().unwrap())];
    assert_eq!(city.ask("GET", "/api/cases", &dana, None).await.status, 200);
    let moved = put("dana", r#"{"role":"supervisor","groups":["police"]}"#).await.json();
    assert_eq!((moved["role"].as_str(), moved["groups"][0].as_str()), (Some("supervisor"), Some("police")));
    assert_eq!(city.ask("GET", "/api/board", &dana, None).await.status, 200, "the session goes on with the other role");
    assert_eq!(put("administrator", r#"{"role":"city"}"#).await.status, 409, "nobody locks everybody out");
    let listed = city.ask("GET", "/api/accounts", &admin, None).await.json();
    assert!(listed.as_array().unwrap().iter().all(|account| account.get("hash").is_none()));
    city.stop().await;
}

async fn no_null_reaches_the_database(kind: Kind) {
    let city = City::start(kind).await;
    let supervisor = vec![city.signed_in("supervisor", Role::Supervisor).await];
    let case = r#"{"service":"109","topic":"heating","text":"co\u0000ld","draft":"one"}"#;
    let refused = city.ask("POST", "/api/cases", &supervisor, Some(case)).await;
    assert_eq!(refused.status, 422);
    assert_eq!(city.ask("GET", "/api/cases?topic=a%00b", &supervisor, None).await.status, 422);
    assert_eq!(city.ask("GET", "/api/cases/a%00b", &supervisor, None).await.status, 422);
    city.stop().await;
}
