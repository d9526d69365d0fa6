//! What does the wallboard tell, which calls stand behind its figures, and what does a screen at the wall see?

use cityline::centre::fact::{AgentStatus, Fact, QueueEnd};
use cityline::centre::ids::{CallId, CallerRef, Language, TrunkId};
use cityline::store::Role;
use cityline_bases::{Kind, on_both};
use serde_json::json;

use super::city::City;

on_both!(a_figure_opens_to_its_calls, a_screen_at_the_wall_sees_figures_and_nobody_who_calls,);

/// A caller who waited 7 s for aigul, and one who still waits; both of a moment that the board's window has.
async fn two_callers(city: &mut City) -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64;
    let started =
        |call| Fact::CallStarted { call: CallId(call), number: "109".into(), trunk: TrunkId::from("city"), caller: CallerRef(call) };
    let enqueued = |call| Fact::Enqueued { call: CallId(call), queue: "heating".into(), language: Language::Kk, skills: vec![] };
    let topic = |call| Fact::TopicChosen { call: CallId(call), topic: "heating".into() };
    let at = now - 10_000;
    city.happens(at, vec![started(1), topic(1), enqueued(1), started(2), enqueued(2)]).await;
    let queue = "heating".into();
    let connected = Fact::Connected { call: CallId(1), queue, agent: "aigul".into(), waited_ms: 7_000 };
    let left = Fact::Dequeued { call: CallId(1), queue: "heating".into(), how: QueueEnd::Answered, waited_ms: 7_000 };
    let talks = Fact::AgentChanged { agent: "aigul".into(), state: AgentStatus::Talking(CallId(1)) };
    city.happens(at + 7_000, vec![connected, left, talks]).await;
    at
}

async fn a_figure_opens_to_its_calls(kind: Kind) {
    let mut city = City::start(kind).await;
    let boss = [city.signed_in("boss", Role::Supervisor).await];
    let at = two_callers(&mut city).await;
    let board = city.ask("GET", "/api/board", &boss, None).await.json();
    let queue = &board["queues"][0];
    assert_eq!((&queue["waiting"], &queue["window"]["level"]), (&json!(1), &json!(10_000)));
    assert_eq!((&queue["window"]["average_answer_ms"], &queue["targets"]["answer_ms"]), (&json!(7_000), &json!(20_000)));
    assert_eq!(
        (&board["window_minutes"], &board["measure"], &board["strip"].as_array().unwrap().len()),
        (&json!(30), &json!("strict"), &24)
    );
    assert_eq!((&board["operators"][0]["topic"], &board["operators"][0]["queue"]), (&json!("heating"), &json!("heating")));
    let calls = city.ask("GET", "/api/board/queues/heating", &boss, None).await.json();
    assert_eq!((&calls[0]["call"], &calls[0]["outcome"], &calls[0]["at_ms"]), (&json!(2), &json!("waiting"), &json!(at)));
    assert_eq!((&calls[1]["call"], &calls[1]["outcome"], &calls[1]["operator"]), (&json!(1), &json!("answered"), &json!("aigul")));
    assert_eq!(city.ask("GET", "/api/board/queues/nowhere", &boss, None).await.status, 404);
    let operator = [city.signed_in("operator", Role::Operator).await];
    assert_eq!(city.ask("GET", "/api/board/queues/heating", &operator, None).await.status, 403, "calls are opened by those who judge them");
    city.stop().await;
}

async fn a_screen_at_the_wall_sees_figures_and_nobody_who_calls(kind: Kind) {
    let mut city = City::start(kind).await;
    let admin = [city.signed_in("administrator", Role::Administrator).await];
    let boss = [city.signed_in("boss", Role::Supervisor).await];
    two_callers(&mut city).await;
    let hall = json!({ "name": "the hall" }).to_string();
    assert_eq!(city.ask("POST", "/api/kiosks", &boss, Some(&hall)).await.status, 403);
    assert_eq!(city.ask("POST", "/api/kiosks", &admin, Some(r#"{"name":""}"#)).await.status, 422);
    let made = city.ask("POST", "/api/kiosks", &admin, Some(&hall)).await;
    assert_eq!(made.status, 201);
    let token = made.json()["token"].as_str().unwrap().to_owned();
    let screen = [format!("Authorization: Bearer {token}")];
    let shown = city.ask("GET", "/api/kiosk", &screen, None).await;
    assert_eq!((shown.status, &shown.json()["queues"][0]["waiting"]), (200, &json!(1)));
    let keys: Vec<String> = shown.json()["operators"][0].as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["language", "operator", "queue", "since_ms", "state"], "no call, no topic");
    assert!(shown.json().get("calls").is_none() && shown.json().get("last").is_none() && shown.json().get("help").is_none());
    assert_eq!(city.ask("GET", "/api/board", &screen, None).await.status, 401, "the token opens nothing else");
    assert_eq!(city.ask("GET", "/api/kiosk", &[], None).await.status, 404);
    let listed = city.ask("GET", "/api/kiosks", &admin, None).await;
    assert!(!String::from_utf8_lossy(&listed.body).contains(&token) && listed.json()[0]["seen_ms"].is_i64());
    let id = listed.json()[0]["id"].as_i64().unwrap();
    assert_eq!(city.ask("DELETE", &format!("/api/kiosks/{id}"), &admin, None).await.status, 204);
    assert_eq!(city.ask("GET", "/api/kiosk", &screen, None).await.status, 404, "shut out");
    city.stop().await;
}
