//! Does the cabinet show a resident their own cases, and nobody anything else?

use cityline::store::Role;
use cityline_bases::{Kind, on_both};
use serde_json::{Value, json};

use super::city::City;

on_both!(
    a_resident_follows_reopens_and_confirms_their_own_case,
    a_code_is_one_numbers_and_opens_once,
    a_number_without_cases_is_answered_alike_and_sent_nothing,
    a_residents_session_and_an_accounts_end_each_other,
);

const MINE: &str = "+77142000001";
const THEIRS: &str = "+77142000002";
const PHOTO: &str = "%PDF-1.4 a photo of the radiator";

async fn clerk(city: &City) -> Vec<String> {
    vec![city.signed_in("supervisor", Role::Supervisor).await]
}

async fn entered(city: &City, number: &str) -> Vec<String> {
    let code = city.code(number).await.expect("a code");
    let answer = login(city, number, &code).await;
    vec![format!("Cookie: {}", answer.cookie().unwrap())]
}

async fn login(city: &City, number: &str, code: &str) -> super::http::Answer {
    city.ask("POST", "/api/cabinet/login", &[], Some(&json!({ "number": number, "code": code }).to_string())).await
}

async fn a_resident_follows_reopens_and_confirms_their_own_case(kind: Kind) {
    let city = City::start(kind).await;
    let clerk = clerk(&city).await;
    let mine = city.case_of(MINE, &clerk, "one").await;
    let theirs = city.case_of(THEIRS, &clerk, "two").await;
    let own = entered(&city, MINE).await;
    let ask = async |method: &str, path: &str, body: Option<Value>| {
        city.ask(method, path, &own, body.map(|body| body.to_string()).as_deref()).await
    };
    let me = ask("GET", "/api/cabinet/me", None).await.json();
    assert_eq!(me["number"], "•••01");
    let cases = ask("GET", "/api/cabinet/cases", None).await.json();
    assert_eq!((cases.as_array().unwrap().len(), cases[0]["number"].as_str()), (1, Some(mine.as_str())));
    assert_eq!((cases[0]["station"].as_str(), cases[0]["may_confirm"].as_bool()), (Some("registered"), Some(false)));
    assert_eq!(cases[0]["topic_names"]["en"], "Heating");
    for part in ["", "/confirm", "/reopen", "/files"] {
        let (method, body) = if part.is_empty() { ("GET", None) } else { ("POST", Some(json!({ "words": "x" }))) };
        assert_eq!(ask(method, &format!("/api/cabinet/cases/{theirs}{part}"), body).await.status, 404, "{part} of another's case");
    }
    let path = format!("/api/cabinet/cases/{mine}");
    assert_eq!(ask("POST", &format!("{path}/confirm"), Some(json!({}))).await.status, 409, "nobody has done it");
    let finish = r#"{"do":"finish","photos":[],"words":"The valve was replaced."}"#;
    assert_eq!(city.ask("POST", &format!("/api/cases/{mine}/act"), &clerk, Some(finish)).await.status, 200);
    let story = ask("GET", &path, None).await.json();
    assert_eq!((story["text"].as_str(), story["answer"].as_str()), (Some("cold"), Some("The valve was replaced.")));
    assert_eq!((story["station"].as_str(), story["may_confirm"].as_bool()), (Some("done"), Some(true)));
    assert_eq!(ask("POST", &format!("{path}/reopen"), Some(json!({ "words": " " }))).await.status, 422);
    let reopened = ask("POST", &format!("{path}/reopen"), Some(json!({ "words": "still cold" }))).await;
    assert_eq!((reopened.status, reopened.json()["reopened"].as_u64()), (200, Some(1)), "{}", reopened.json());
    let added = city.ask("POST", &format!("{path}/files"), &own, Some(PHOTO)).await;
    assert_eq!(added.status, 201);
    let hash = added.json()["hash"].as_str().unwrap().to_owned();
    assert_eq!(ask("GET", &path, None).await.json()["files"][0]["own"], true);
    assert_eq!(ask("GET", &format!("{path}/files/{hash}"), None).await.body, PHOTO.as_bytes());
    assert_eq!(city.ask("POST", &format!("/api/cases/{mine}/act"), &clerk, Some(finish)).await.status, 200);
    let confirmed = ask("POST", &format!("{path}/confirm"), Some(json!({}))).await;
    assert_eq!((confirmed.status, confirmed.json()["may_confirm"].as_bool()), (200, Some(false)));
    let history = city.ask("GET", &format!("/api/cases/{mine}/history"), &clerk, None).await.json();
    let last = history["events"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((last["what"]["what"].as_str(), last["by"]["role"].as_str()), (Some("confirmed"), Some("resident")));
    let record = city.store.accesses(50).await.unwrap();
    let looks = record.iter().filter(|entry| entry.action == "cabinet" && entry.who.starts_with("resident:")).count();
    assert!(looks >= 8, "{looks} looks are on record");
    assert!(record.iter().all(|entry| !entry.who.contains("7714") && !entry.subject.contains("7714")), "no number in the record");
    city.stop().await;
}

async fn a_code_is_one_numbers_and_opens_once(kind: Kind) {
    let city = City::start(kind).await;
    let clerk = clerk(&city).await;
    city.case_of(MINE, &clerk, "one").await;
    city.case_of(THEIRS, &clerk, "two").await;
    let code = city.code(MINE).await.unwrap();
    let other = login(&city, THEIRS, &code).await;
    assert_eq!((other.status, other.json()["error"].as_str()), (401, Some("wrong_code")), "it is another number's");
    assert_eq!(login(&city, MINE, &code).await.status, 200);
    assert_eq!(login(&city, MINE, &code).await.status, 401, "it was used");
    let code = city.code(MINE).await.unwrap();
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        assert_eq!(login(&city, MINE, wrong).await.status, 401);
    }
    assert_eq!(login(&city, MINE, &code).await.status, 401, "it was guessed too often");
    city.stop().await;
}

async fn a_number_without_cases_is_answered_alike_and_sent_nothing(kind: Kind) {
    let city = City::start(kind).await;
    let clerk = clerk(&city).await;
    city.case_of(MINE, &clerk, "one").await;
    let ask = async |number: &str| city.ask("POST", "/api/cabinet/code", &[], Some(&json!({ "number": number }).to_string())).await;
    let (known, unknown) = (ask(MINE).await, ask("+77142999999").await);
    assert_eq!((known.status, &known.body), (unknown.status, &unknown.body));
    let due = city.store.messages_due(cityline::centre::time::Time(u64::MAX / 2), 100).await.unwrap();
    assert_eq!(due.iter().filter(|message| message.receiver.starts_with("sms:")).count(), 1);
    assert_eq!(ask("none").await.status, 422);
    let wrong = [login(&city, MINE, "000000x").await, login(&city, "+77142999999", "000000").await];
    assert_eq!((wrong[0].status, &wrong[0].body), (401, &wrong[1].body));
    for _ in 0..2 {
        assert_eq!(ask("+77142999999").await.status, 202);
    }
    let often = ask("+77142999999").await;
    assert_eq!((often.status, often.json()["error"].as_str()), (429, Some("pace")), "an unknown number is counted too");
    city.stop().await;
}

async fn a_residents_session_and_an_accounts_end_each_other(kind: Kind) {
    let city = City::start(kind).await;
    let clerk = clerk(&city).await;
    city.case_of(MINE, &clerk, "one").await;
    let code = city.code(MINE).await.unwrap();
    let body = json!({ "number": MINE, "code": code }).to_string();
    let entered = city.ask("POST", "/api/cabinet/login", &clerk, Some(&body)).await;
    let own = vec![format!("Cookie: {}", entered.cookie().unwrap())];
    let status = async |path: &str, cookie: &[String]| city.ask("GET", path, cookie, None).await.status;
    assert_eq!((status("/api/cabinet/me", &own).await, status("/api/me", &own).await), (200, 401));
    assert_eq!(status("/api/me", &clerk).await, 401, "the account's session is over on this browser");
    let typed = json!({ "name": "supervisor", "password": "secret-supervisor" }).to_string();
    let back = city.ask("POST", "/api/login", &own, Some(&typed)).await;
    let account = vec![format!("Cookie: {}", back.cookie().unwrap())];
    assert_eq!((status("/api/me", &account).await, status("/api/cabinet/me", &account).await), (200, 401));
    assert_eq!(status("/api/cabinet/me", &own).await, 401, "the resident's is over too");
    let again = city.code(MINE).await.unwrap();
    let own = vec![format!("Cookie: {}", login(&city, MINE, &again).await.cookie().unwrap())];
    assert_eq!(city.ask("POST", "/api/cabinet/logout", &own, Some("{}")).await.status, 204);
    assert_eq!(status("/api/cabinet/me", &own).await, 401);
    city.stop().await;
}
