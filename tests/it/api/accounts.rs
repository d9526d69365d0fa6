//! Does an account keep its own doors: second factor, password, preferences? And is what everybody may know nothing more than that?

use cityline::centre::time::Time;
use cityline::clock::Clock;
use cityline::store::Role;
use cityline_bases::{Kind, on_both};
use serde_json::{Value, json};

use super::city::City;
use super::http::Answer;

on_both!(
    a_second_factor_is_asked_for_once_confirmed_and_no_code_opens_twice,
    guesses_of_codes_lock_as_those_of_passwords_do,
    the_own_password_ends_the_other_sessions,
    an_administrator_sees_and_opens_a_locked_account_and_who_opened_what,
    preferences_are_an_accounts_own,
    anybody_sees_the_station_of_a_public_case_and_nothing_else,
    who_asks_too_often_is_told_when_again,
);

fn error(answer: &Answer) -> (u16, String) {
    (answer.status, answer.json()["error"].as_str().unwrap_or_default().to_owned())
}

async fn login(city: &City, name: &str, code: Option<&str>) -> Answer {
    let body = json!({ "name": name, "password": format!("secret-{name}"), "code": code }).to_string();
    city.ask("POST", "/api/login", &[], Some(&body)).await
}

/// The code of a secret, so many steps from now, as a telephone shows it.
fn code(secret: &str, steps: i64) -> String {
    let secret = totp_rs::Secret::try_from_base32(secret).unwrap();
    let totp = totp_rs::Builder::new().with_secret(secret.as_ref().to_vec()).build().unwrap();
    let now = Clock::of_process().now().0 / 1000;
    totp.generate(now.checked_add_signed(steps * 30).unwrap()).to_string()
}

async fn enrolled(city: &City, name: &str, cookie: &[String]) -> String {
    let password = json!({ "password": format!("secret-{name}") }).to_string();
    let told = city.ask("POST", "/api/me/second-factor", cookie, Some(&password)).await;
    assert_eq!(told.status, 201, "{}", told.json());
    let secret = told.json()["secret"].as_str().unwrap().to_owned();
    assert!(told.json()["uri"].as_str().unwrap().contains(&secret));
    secret
}

async fn a_second_factor_is_asked_for_once_confirmed_and_no_code_opens_twice(kind: Kind) {
    let city = City::start(kind).await;
    let own = [city.signed_in("operator", Role::Operator).await];
    let root = [city.signed_in("administrator", Role::Administrator).await];
    let wrong = r#"{"password":"guessed"}"#;
    assert_eq!(error(&city.ask("POST", "/api/me/second-factor", &own, Some(wrong)).await), (401, "wrong_password".into()));
    let secret = enrolled(&city, "operator", &own).await;
    assert_eq!(login(&city, "operator", None).await.status, 200, "it is not confirmed");
    let confirm = |code: &str| json!({ "code": code }).to_string();
    let first = code(&secret, -1);
    assert_eq!(error(&city.ask("POST", "/api/me/second-factor/confirm", &own, Some(&confirm("12345"))).await), (401, "wrong_code".into()));
    assert_eq!(city.ask("POST", "/api/me/second-factor/confirm", &own, Some(&confirm(&first))).await.status, 204);
    assert_eq!(city.ask("GET", "/api/me", &own, None).await.json()["second_factor"], true);
    assert_eq!(error(&login(&city, "operator", None).await), (401, "needs_code".into()));
    assert_eq!(error(&login(&city, "operator", Some(&first)).await), (401, "wrong_code".into()), "it was used to confirm");
    let second = code(&secret, 0);
    assert_eq!(login(&city, "operator", Some(&second)).await.status, 200);
    assert_eq!(error(&login(&city, "operator", Some(&second)).await), (401, "wrong_code".into()), "it was used");
    let password = r#"{"password":"secret-operator"}"#;
    assert_eq!(error(&city.ask("POST", "/api/me/second-factor", &own, Some(password)).await), (409, "conflict".into()));
    let listed = city.ask("GET", "/api/accounts", &root, None).await.json();
    let of = |name: &str| listed.as_array().unwrap().iter().find(|row| row["name"] == name).unwrap()["second_factor"].clone();
    assert_eq!((of("operator"), of("administrator")), (json!(true), json!(false)));
    let taken = "/api/accounts/operator/second-factor";
    assert_eq!((city.ask("DELETE", taken, &own, None).await.status, city.ask("DELETE", taken, &root, None).await.status), (403, 204));
    assert_eq!(login(&city, "operator", None).await.status, 200);
    let record = city.store.accesses(5).await.unwrap();
    assert!(record.iter().any(|entry| entry.who == "administrator" && entry.subject == "second factor of operator taken away"));
    city.stop().await;
}

async fn guesses_of_codes_lock_as_those_of_passwords_do(kind: Kind) {
    let city = City::start(kind).await;
    let own = [city.signed_in("operator", Role::Operator).await];
    let secret = enrolled(&city, "operator", &own).await;
    let confirm = json!({ "code": code(&secret, -1) }).to_string();
    assert_eq!(city.ask("POST", "/api/me/second-factor/confirm", &own, Some(&confirm)).await.status, 204);
    for _ in 0..5 {
        assert_eq!(error(&login(&city, "operator", Some("000000x")).await), (401, "wrong_code".into()));
    }
    assert_eq!(error(&login(&city, "operator", Some(&code(&secret, 0))).await), (429, "locked".into()));
    city.stop().await;
}

async fn an_administrator_sees_and_opens_a_locked_account_and_who_opened_what(kind: Kind) {
    let city = City::start(kind).await;
    let own = [city.signed_in("operator", Role::Operator).await];
    let root = [city.signed_in("administrator", Role::Administrator).await];
    let unlock = "/api/accounts/operator/lock";
    assert_eq!(error(&city.ask("DELETE", unlock, &root, None).await), (404, "missing".into()));
    for _ in 0..5 {
        let guess = json!({ "name": "operator", "password": "guessed" }).to_string();
        assert_eq!(error(&city.ask("POST", "/api/login", &[], Some(&guess)).await), (401, "wrong_password".into()));
    }
    assert_eq!(error(&login(&city, "operator", None).await), (429, "locked".into()));
    let listed = city.ask("GET", "/api/accounts", &root, None).await.json();
    let until = |name: &str| listed.as_array().unwrap().iter().find(|row| row["name"] == name).unwrap()["locked_until_ms"].clone();
    assert!(until("operator").as_u64().unwrap() > Clock::of_process().now().0);
    assert_eq!(until("administrator"), Value::Null);
    assert_eq!((city.ask("DELETE", unlock, &own, None).await.status, city.ask("DELETE", unlock, &root, None).await.status), (403, 204));
    assert_eq!(login(&city, "operator", None).await.status, 200);
    let record = |query: &'static str| city.ask("GET", query, &root, None);
    let all = record("/api/accesses").await.json();
    let newest = &all.as_array().unwrap()[0];
    assert_eq!((&newest["who"], &newest["subject"]), (&json!("administrator"), &json!("account operator unlocked")));
    let before = format!("/api/accesses?before={}", newest["id"]);
    assert!(city.ask("GET", &before, &root, None).await.json().as_array().unwrap().iter().all(|row| row["id"] != newest["id"]));
    assert_eq!(record("/api/accesses?who=nobody").await.json(), json!([]));
    assert_eq!(record("/api/accesses?who=administrator&action=accounts&limit=1").await.json(), json!([newest]));
    assert_eq!(city.ask("GET", "/api/accesses", &own, None).await.status, 403);
    city.stop().await;
}

async fn the_own_password_ends_the_other_sessions(kind: Kind) {
    let city = City::start(kind).await;
    let other = [city.signed_in("operator", Role::Operator).await];
    let here = [format!("Cookie: {}", login(&city, "operator", None).await.cookie().unwrap())];
    let change = |old: &str, new: &str| json!({ "old": old, "new": new }).to_string();
    let path = "/api/me/password";
    assert_eq!(error(&city.ask("PUT", path, &here, Some(&change("guessed", "another-one"))).await), (401, "wrong_password".into()));
    assert_eq!(city.ask("PUT", path, &here, Some(&change("secret-operator", "short"))).await.status, 422);
    let changed = city.ask("PUT", path, &here, Some(&change("secret-operator", "another-one"))).await;
    assert_eq!(changed.status, 204);
    let here = changed.cookie().map_or(here, |cookie| [format!("Cookie: {cookie}")]);
    assert_eq!(city.ask("GET", "/api/me", &here, None).await.status, 200, "this session goes on");
    assert_eq!(city.ask("GET", "/api/me", &other, None).await.status, 401, "the other ends");
    assert_eq!((login(&city, "operator", None).await.status, city.login("operator", "another-one").await.status), (401, 200));
    city.stop().await;
}

async fn preferences_are_an_accounts_own(kind: Kind) {
    let city = City::start(kind).await;
    let own = [city.signed_in("operator", Role::Operator).await];
    let other = [city.signed_in("supervisor", Role::Supervisor).await];
    assert_eq!(city.ask("GET", "/api/me", &own, None).await.json()["preferences"], json!({}));
    let wanted = json!({ "preferences": { "language": "kk", "devices": { "ring": "speaker" } } });
    assert_eq!(city.ask("PUT", "/api/me", &own, Some(&wanted.to_string())).await.status, 204);
    assert_eq!(city.ask("GET", "/api/me", &own, None).await.json()["preferences"], wanted["preferences"]);
    assert_eq!(city.ask("GET", "/api/me", &other, None).await.json()["preferences"], json!({}));
    let long = json!({ "preferences": { "x": "y".repeat(9_000) } }).to_string();
    assert_eq!(city.ask("PUT", "/api/me", &own, Some(&long)).await.status, 422);
    let me = city.ask("GET", "/api/me", &own, None).await.json();
    assert_eq!((me["role"].as_str(), me["has_desk"].as_bool()), (Some("operator"), Some(true)));
    city.stop().await;
}

const CASE: &str = r#"{"service":"109","topic":"heating","text":"cold, flat of Dana","draft":"one"}"#;

async fn anybody_sees_the_station_of_a_public_case_and_nothing_else(kind: Kind) {
    let city = City::start(kind).await;
    let operator = [city.signed_in("operator", Role::Operator).await];
    let number = city.ask("POST", "/api/cases", &operator, Some(CASE)).await.json()["number"].as_str().unwrap().to_owned();
    let status = async |number: &str| city.ask("GET", &format!("/api/status/{number}"), &[], None).await;
    let told = status(&number).await;
    assert_eq!((told.status, told.json()["station"].as_str()), (200, Some("registered")));
    let fields: Vec<String> = told.json().as_object().unwrap().keys().cloned().collect();
    let allowed = ["begun_ms", "done_ms", "due_ms", "late_ms", "number", "registered_ms", "reopened", "sent_ms", "station"];
    assert_eq!(fields, allowed, "nothing else is told");
    let finish = r#"{"do":"finish","photos":[],"words":"explained"}"#;
    assert_eq!(city.ask("POST", &format!("/api/cases/{number}/act"), &operator, Some(finish)).await.status, 200);
    let told: Value = status(&number).await.json();
    assert_eq!((told["station"].as_str(), told["done_ms"].is_u64(), &told["sent_ms"]), (Some("done"), true, &Value::Null));
    let missing = status("109-2026-000777").await;
    for other in ["109-2026-777777", "none", "109-2026-0000010000000000000000000"] {
        let answer = status(other).await;
        assert_eq!((answer.status, answer.body), (missing.status, missing.body.clone()), "{other}");
    }
    let restricted = restricted_case(&city, &operator).await;
    let answer = status(&restricted).await;
    assert_eq!((answer.status, answer.body), (404, missing.body), "not public is as not there");
    city.stop().await;
}

/// A case of a topic that only a group sees.
async fn restricted_case(city: &City, operator: &[String]) -> String {
    let (revision, mut book) = city.store.rule_book().await.unwrap();
    let topic = book.topics.iter_mut().find(|topic| topic.id == "heating").unwrap();
    topic.restricted = Some("police".into());
    city.store.approve_rules(revision, &book, "administrator", Time(2)).await.unwrap();
    let body = CASE.replace("one", "two");
    city.ask("POST", "/api/cases", operator, Some(&body)).await.json()["number"].as_str().unwrap().to_owned()
}

async fn who_asks_too_often_is_told_when_again(kind: Kind) {
    let city = City::start(kind).await;
    // This machine's own address speaks for twenty.
    for _ in 0..60 * 20 {
        assert_eq!(city.ask("GET", "/api/status/none", &[], None).await.status, 404);
    }
    let answer = city.ask("GET", "/api/status/none", &[], None).await;
    assert_eq!(error(&answer), (429, "pace".into()));
    assert!(answer.header("retry-after").unwrap().parse::<u64>().unwrap() <= 61);
    let welcome = city.ask("GET", "/api/welcome", &[], None).await.json();
    assert_eq!((welcome["demo"].as_bool(), &welcome["demo_accounts"]), (Some(false), &json!([])));
    city.stop().await;
}
