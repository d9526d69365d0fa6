//! What does a desk get beside the call itself? The whole context, forms that outlive the page, one's own day, and what a report would become.

use cityline::cases::assignment::Place;
use cityline::cases::decide::Report;
use cityline::cases::event::{Author, Channel, Kind as CaseKind};
use cityline::cases::terms::Priority;
use cityline::centre::fact::{AgentStatus, EndReason, Fact};
use cityline::centre::ids::{CallerRef, LegId};
use cityline::centre::input::FromDesk;
use cityline::centre::output::ToDesk;
use cityline::centre::time::Time;
use cityline::private::Private;
use cityline::store::{NewCase, ReportWords, Role};
use cityline_bases::{Kind, on_both};
use serde_json::{Value, json};

use super::city::City;
use super::desk::{CALL, CALLER, Desk, call_waits, changed, offer, wish};

on_both!(
    the_context_tells_what_is_late_near_written_and_marked,
    a_form_outlives_its_page_until_it_is_written,
    a_wrap_up_ends_when_something_was_written_of_the_call,
    a_day_and_what_is_left_of_it_are_told,
    a_report_is_weighed_before_it_is_written,
    timed_states_help_and_a_paused_recording_reach_the_page,
    wishes_of_the_desk_become_inputs,
);

const DAY_MS: u64 = 86_400_000;

pub fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64
}

/// The operator's page, to which the call was offered and which talks in it.
async fn at_work(city: &mut City) -> Desk {
    call_waits(city).await;
    let (desk, _) = Desk::of(city, "operator").await;
    city.happens(2_000, vec![changed(AgentStatus::Offered(CALL))]).await;
    city.shell.carry_out(ToDesk::Offer { agent: "operator".into(), offer: offer() });
    desk
}

async fn report(city: &City, draft: &str, at: Time, at_degrees: Option<(f64, f64)>) -> String {
    report_of(city, CALLER, draft, at, at_degrees).await
}

/// A case of this caller, registered then and there.
pub async fn report_of(city: &City, caller: CallerRef, draft: &str, at: Time, at_degrees: Option<(f64, f64)>) -> String {
    let new = NewCase {
        service: "109".into(),
        year: 2026,
        report: Report {
            kind: CaseKind::Complaint,
            channel: Channel::Phone,
            topic: "heating".into(),
            priority: Priority::Normal,
            district: Some("north".into()),
            call: None,
            proposed: None,
        },
        caller,
        resident: None,
        place: Place { district: Some("north".into()), ..Place::default() },
        at_degrees,
        words: ReportWords { text: Private::new(format!("no heating {draft}")), ..ReportWords::default() },
        by: Author::Operator { name: "operator".into() },
        by_name: "operator".into(),
        draft: draft.into(),
        at,
    };
    city.store.open_case(new).await.unwrap().number
}

async fn the_context_tells_what_is_late_near_written_and_marked(kind: Kind) {
    let mut city = City::start(kind).await;
    report(&city, "old", Time(now() - 200 * DAY_MS), None).await;
    report(&city, "new", Time(now()), None).await;
    city.store.write_note(CALLER, None, &Private::new("asks for a written answer".into()), "olena", Time(5)).await.unwrap();
    let marked = Fact::CallerMarked { call: CALL, caller: CALLER, agent: "olena".into(), days: 30 };
    city.happens(now(), vec![marked]).await;
    let supervisor = vec![city.signed_in("supervisor", Role::Supervisor).await];
    let notice = json!({ "kk": "Жөндеу", "ru": "Ремонт", "uk": "Ремонт", "en": "Repairs" });
    for (districts, begins) in [(json!(["north"]), now() + DAY_MS), (json!(["south"]), now() - 1), (json!([]), now() + 30 * DAY_MS)] {
        let works = json!({ "topic": "heating", "districts": districts, "begins": begins, "ends": begins + DAY_MS, "notice": notice });
        let published = city.ask("POST", "/api/works", &supervisor, Some(&works.to_string())).await;
        assert_eq!(published.status, 201, "{}", String::from_utf8_lossy(&published.body));
    }
    let mut desk = at_work(&mut city).await;
    let story = desk.next("context").await["story"].clone();
    let late: Vec<bool> = story["cases"].as_array().unwrap().iter().map(|case| case["late_ms"].as_u64().is_some()).collect();
    assert_eq!(late, [false, true], "how late each is: {story}");
    assert_eq!(story["near"].as_array().unwrap().len(), 1, "in the caller's district, of the coming week: {}", story["near"]);
    assert_eq!((&story["near"][0]["sort"], &story["near"][0]["notice"]["en"]), (&json!("works"), &json!("Repairs")));
    assert_eq!((&story["notes"][0]["text"], &story["notes"][0]["by_name"]), (&json!("asks for a written answer"), &json!("olena")));
    assert!(story["abuse_until_ms"].as_u64().unwrap() > now() + 29 * DAY_MS);
    let headers = vec![desk.cookie.clone()];
    let note = json!({ "call": 7, "text": "speaks slowly" }).to_string();
    let written = city.ask("POST", "/api/notes", &headers, Some(&note)).await;
    assert_eq!(written.status, 201, "{}", String::from_utf8_lossy(&written.body));
    let other = vec![city.signed_in("olena", Role::Operator).await];
    assert_eq!(city.ask("POST", "/api/notes", &other, Some(&note)).await.status, 422, "only of the call that one works on");
    let id = written.json()["id"].as_i64().unwrap();
    assert_eq!(city.ask("DELETE", &format!("/api/notes/{id}"), &headers, None).await.status, 403);
    assert_eq!(city.ask("DELETE", &format!("/api/notes/{id}"), &supervisor, None).await.status, 204);
    assert_eq!(city.store.story(CALLER).await.unwrap().notes.len(), 1);
    city.stop().await;
}

async fn a_form_outlives_its_page_until_it_is_written(kind: Kind) {
    let mut city = City::start(kind).await;
    let mut desk = at_work(&mut city).await;
    assert_eq!(desk.next("drafts").await["drafts"], json!([]));
    for (draft, text) in [("form-1", "no heat"), ("form-2", "no light"), ("form-1", "no heating")] {
        desk.say(json!({ "type": "save_draft", "draft": draft, "call": 7, "content": { "text": text } })).await;
        assert_eq!(desk.next("draft_saved").await["draft"], draft);
    }
    desk.say(json!({ "type": "save_draft", "draft": "form-3", "content": { "text": "x".repeat(33_000) } })).await;
    assert!(desk.next("refused").await["what"].as_str().unwrap().contains("32 KB"));
    desk.say(json!({ "type": "hello", "last_event": 1 })).await;
    let kept = desk.next("drafts").await["drafts"].clone();
    let texts: Vec<&Value> = kept.as_array().unwrap().iter().map(|draft| &draft["content"]["text"]).collect();
    assert_eq!(texts, [&json!("no heating"), &json!("no light")]);
    assert_eq!(kept[0]["call"], 7);
    desk.say(json!({ "type": "write_case", "call": 7, "topic": "heating", "text": "no heating", "draft": "form-1" })).await;
    desk.next("case_saved").await;
    desk.say(json!({ "type": "drop_draft", "draft": "form-2" })).await;
    desk.say(json!({ "type": "save_draft", "draft": "form-4", "content": {} })).await;
    desk.next("draft_saved").await;
    let left: Vec<String> = city.store.drafts("operator").await.unwrap().into_iter().map(|draft| draft.draft).collect();
    assert_eq!(left, ["form-4"]);
    assert_eq!(city.store.forget_old_drafts(Time(now() + 1)).await.unwrap(), 1);
    city.stop().await;
}

/// The talk is over and the operator writes it up.
async fn talk_ends(city: &mut City) {
    let connected = Fact::Connected { call: CALL, queue: "heating".into(), agent: "operator".into(), waited_ms: 48_000 };
    city.shell.carry_out(ToDesk::OfferGone { agent: "operator".into(), call: CALL });
    city.happens(now() - 60_000, vec![connected, changed(AgentStatus::Talking(CALL))]).await;
    let ended = Fact::CallEnded { call: CALL, reason: EndReason::CallerHungUp };
    city.happens(now() - 20_000, vec![changed(AgentStatus::WrapUp), ended]).await;
}

async fn a_wrap_up_ends_when_something_was_written_of_the_call(kind: Kind) {
    let mut city = City::start(kind).await;
    let mut desk = at_work(&mut city).await;
    talk_ends(&mut city).await;
    while desk.next("call_state").await["state"] != "ended" {}
    for wish in ["wrap_up_done", "ready"] {
        desk.say(json!({ "type": wish })).await;
        assert!(desk.next("refused").await["what"].as_str().unwrap().contains("nothing was written"), "{wish}");
    }
    let headers = vec![desk.cookie.clone()];
    let contact = json!({ "draft": "form-1", "disposition": "consultation", "call": 7, "topic": "heating" }).to_string();
    assert_eq!(city.ask("POST", "/api/contacts", &headers, Some(&contact)).await.status, 201);
    desk.say(json!({ "type": "wrap_up_done" })).await;
    assert_eq!(wish(&mut city).await, FromDesk::WrapUpDone { agent: "operator".into() });
    city.stop().await;
}

async fn a_day_and_what_is_left_of_it_are_told(kind: Kind) {
    let mut city = City::start(kind).await;
    let mut desk = at_work(&mut city).await;
    assert_eq!(desk.next("day").await["calls"], 0);
    talk_ends(&mut city).await;
    while desk.next("call_state").await["state"] != "ended" {}
    city.happens(now(), vec![changed(AgentStatus::Paused("lunch".into()))]).await;
    let day = desk.next("day").await;
    assert_eq!((&day["calls"], &day["undisposed"]), (&json!(1), &json!([7])), "{day}");
    let near = |field: &str, ms: u64| day[field].as_u64().unwrap().abs_diff(ms) < 5_000;
    assert!(near("talk_ms", 40_000) && near("wrap_up_ms", 20_000) && near("handling_ms", 60_000), "{day}");
    let contact = json!({ "draft": "form-1", "disposition": "silent", "call": 7 }).to_string();
    assert_eq!(city.ask("POST", "/api/contacts", &[desk.cookie.clone()], Some(&contact)).await.status, 201);
    desk.say(json!({ "type": "hello", "last_event": 1 })).await;
    let day = desk.next("day").await;
    assert_eq!((&day["undisposed"], &day["pauses"][0]["reason"]), (&json!([]), &json!("lunch")), "{day}");
    city.stop().await;
}

async fn a_report_is_weighed_before_it_is_written(kind: Kind) {
    let city = City::start(kind).await;
    city.store.put_organisation(&super::contract::heat(), Time(1)).await.unwrap();
    let admin = vec![city.signed_in("administrator", Role::Administrator).await];
    let revision = city.ask("GET", "/api/routes", &admin, None).await.json()["revision"].as_str().unwrap().to_owned();
    let routes = json!({ "revision": revision, "routes": [{ "topic": "heating", "organisation": "heat" }] }).to_string();
    assert_eq!(city.ask("PUT", "/api/routes", &admin, Some(&routes)).await.status, 200);
    let operator = vec![city.signed_in("operator", Role::Operator).await];
    let proposed = city.ask("GET", "/api/propose?topic=heating&district=north", &operator, None).await;
    assert_eq!(proposed.status, 200, "{}", String::from_utf8_lossy(&proposed.body));
    let proposed = proposed.json();
    assert_eq!((&proposed["organisation"], &proposed["organisation_name"]), (&json!("heat"), &json!("Heat networks")));
    assert!(
        proposed["reaction_due_ms"].as_u64() <= proposed["resolution_due_ms"].as_u64()
            && proposed["reaction_due_ms"].as_u64() > Some(now())
    );
    assert_eq!(city.ask("GET", "/api/propose?topic=magic", &operator, None).await.status, 409);
    assert_eq!(city.ask("GET", "/api/propose?topic=heating&building=999", &operator, None).await.status, 404);

    let here = report(&city, "here", Time(now() - 1_000), Some((53.2, 63.6))).await;
    report(&city, "far", Time(now() - 1_000), Some((53.3, 63.6))).await;
    report(&city, "old", Time(now() - 30 * DAY_MS), Some((53.2, 63.6))).await;
    let near = city.ask("GET", "/api/duplicates?topic=heating&lat=53.2005&lon=63.6", &operator, None).await;
    assert_eq!(near.status, 200, "{}", String::from_utf8_lossy(&near.body));
    let near = near.json();
    assert_eq!((near.as_array().unwrap().len(), &near[0]["number"]), (1, &json!(here)), "{near}");
    assert!(near[0]["distance_m"].as_u64().unwrap().abs_diff(56) < 3, "{near}");
    assert_eq!(near[0]["text"], "no heating here");
    let other = city.ask("GET", "/api/duplicates?topic=roads&lat=53.2005&lon=63.6", &operator, None).await.json();
    assert_eq!(other, json!([]));
    city.stop().await;
}

async fn timed_states_help_and_a_paused_recording_reach_the_page(kind: Kind) {
    let mut city = City::start(kind).await;
    let mut desk = at_work(&mut city).await;
    let agent = || "operator".into();
    city.happens(3_000, vec![changed(AgentStatus::Talking(CALL)), Fact::HelpAsked { call: CALL, agent: agent() }]).await;
    assert_eq!(desk.next("call_state").await["state"], "help_asked");
    desk.say(json!({ "type": "hello", "last_event": 1 })).await;
    desk.next("welcome").await;
    assert_eq!(desk.next("board").await["board"]["help"], json!([{ "operator": "operator", "call": 7, "since_ms": 3_000 }]));
    let recording = cityline::centre::ids::RecordingId { call: CALL, n: 1 };
    city.happens(4_000, vec![Fact::RecordingPaused { recording, agent: Some(agent()), paused: true }]).await;
    assert_eq!(desk.next("recording").await["paused"], true);
    city.happens(5_000, vec![Fact::Warned { call: CALL, agent: agent() }, Fact::WarningOver { call: CALL }]).await;
    assert_eq!(desk.next("call_state").await["state"], "warned");
    assert_eq!(desk.next("call_state").await["state"], "heard");
    let ends = Fact::StateEnds { agent: agent(), until_ms: 26_000, extendable: true };
    let held = Fact::Held { leg: LegId { call: CALL, n: 1 }, held: false };
    city.happens(6_000, vec![changed(AgentStatus::WrapUp), ends, held]).await;
    let first = desk.next("state").await;
    assert_eq!((&first["state"], &first["until_ms"]), (&json!("wrap_up"), &Value::Null));
    let second = desk.next("state").await;
    assert_eq!((&second["until_ms"], &second["extendable"]), (&json!(26_000), &json!(true)));
    desk.say(json!({ "type": "hello", "last_event": 1 })).await;
    assert_eq!(desk.next("state").await["until_ms"], 26_000, "a page that is loaded again is told, too");
    city.stop().await;
}

async fn wishes_of_the_desk_become_inputs(kind: Kind) {
    let mut city = City::start(kind).await;
    let (mut desk, _) = Desk::of(&mut city, "operator").await;
    let agent = || "operator".into();
    for (said, expected) in [
        (json!({ "type": "extend_wrap_up" }), FromDesk::ExtendWrapUp { agent: agent() }),
        (json!({ "type": "ask_help", "call": 7 }), FromDesk::AskHelp { agent: agent(), call: CALL }),
        (json!({ "type": "help_done" }), FromDesk::HelpDone { agent: agent() }),
        (json!({ "type": "warn", "call": 7 }), FromDesk::Warn { agent: agent(), call: CALL }),
        (json!({ "type": "end_abuse", "call": 7, "days": 90 }), FromDesk::EndAbuse { agent: agent(), call: CALL, days: 90 }),
        (json!({ "type": "pause_recording", "call": 7 }), FromDesk::PauseRecording { agent: agent(), call: CALL }),
        (json!({ "type": "resume_recording", "call": 7 }), FromDesk::ResumeRecording { agent: agent(), call: CALL }),
    ] {
        desk.say(said).await;
        assert_eq!(wish(&mut city).await, expected);
    }
    for days in [0, 91] {
        desk.say(json!({ "type": "end_abuse", "call": 7, "days": days })).await;
        assert!(desk.next("refused").await["what"].as_str().unwrap().contains("90 days"));
    }
    city.stop().await;
}
