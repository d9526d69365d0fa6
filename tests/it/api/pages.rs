//! Is the page bound to its own server, and is bad input refused with what mends it?

use cityline::store::Role;

use super::city::City;
use cityline_bases::{Kind, on_both};

on_both!(
    pages_carry_a_strict_policy_and_ask_nobody_else,
    a_page_is_answered_at_its_own_address_and_kept_by_what_it_holds,
    bad_input_is_refused_with_its_mend,
    a_case_without_a_call_is_written_once_and_answered,
);

async fn pages_carry_a_strict_policy_and_ask_nobody_else(kind: Kind) {
    let city = City::start(kind).await;
    let html = page(&city, "/", "text/html").await;
    // What the page names is there; without a desk that is built it names its icon alone.
    let named = html.split(['"', '\'']).filter(|part| part.starts_with("/assets/") || *part == "/icon.svg");
    for path in named {
        let kind = if path.ends_with(".js") {
            "text/javascript"
        } else if path.ends_with(".css") {
            "text/css"
        } else {
            "image/svg"
        };
        page(&city, path, kind).await;
    }
    city.stop().await;
}

/// A file that the page is made of: bound to this server by its policy, and naming no other.
async fn page(city: &City, path: &str, kind: &str) -> String {
    let answer = city.ask("GET", path, &[], None).await;
    assert_eq!(answer.status, 200, "{path}");
    assert!(answer.header("content-type").unwrap().starts_with(kind), "{path}");
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
    assert!(answer.header("permissions-policy").unwrap().contains("microphone=(self), speaker-selection=(self)"));
    assert_eq!((answer.header("x-frame-options"), answer.header("x-content-type-options")), (Some("DENY"), Some("nosniff")));
    let told = String::from_utf8(answer.body).unwrap();
    // Namespaces of XML, and where a library explains its errors, are names that nobody asks.
    let text = told.replace("http://www.w3.org/", "").replace("https://svelte.dev/", "").replace("https://tailwindcss.com", "");
    assert!(!text.contains("http://") && !text.contains("https://"), "{path} names another host");
    told
}

async fn a_page_is_answered_at_its_own_address_and_kept_by_what_it_holds(kind: Kind) {
    let city = City::start(kind).await;
    let browser = ["Accept: text/html,*/*;q=0.8".to_owned()];
    let opened = city.ask("GET", "/case/109-2026-000001", &browser, None).await;
    assert_eq!((opened.status, opened.header("cache-control")), (200, Some("no-cache")));
    assert_eq!(city.ask("GET", "/case/109-2026-000001", &[], None).await.status, 404, "a program asks for no page");
    assert_eq!(city.ask("GET", "/api/nothing", &browser, None).await.json()["error"], "missing");
    assert_eq!(city.ask("GET", "/assets/gone.js", &browser, None).await.json()["error"], "missing");
    let html = String::from_utf8(opened.body).unwrap();
    if let Some(program) = html.split('"').find(|part| part.ends_with(".js")) {
        let zipped = city.ask("GET", program, &["Accept-Encoding: gzip, br".to_owned()], None).await;
        assert_eq!((zipped.header("content-encoding"), zipped.header("vary")), (Some("gzip"), Some("accept-encoding")));
        assert!(zipped.header("cache-control").unwrap().contains("immutable"));
        assert!(zipped.body.starts_with(&[0x1f, 0x8b]));
    }
    city.stop().await;
}

async fn bad_input_is_refused_with_its_mend(kind: Kind) {
    let city = City::start(kind).await;
    let cookie = city.signed_in("operator", Role::Operator).await;
    let cookie = std::slice::from_ref(&cookie);
    let long = serde_json::json!({ "service": "109", "topic": "x", "text": "y".repeat(10_001), "draft": "d" }).to_string();
    for (body, part) in [
        ("{", "JSON"),
        (r#"{"topic":"heating","text":"cold","draft":"1"}"#, "service"),
        (r#"{"service":"109","topic":" ","text":"cold","draft":"1"}"#, "topic is empty"),
        (r#"{"call":7,"topic":"heating","text":"cold","draft":"1"}"#, "not yours"),
        (long.as_str(), "10001 characters"),
    ] {
        let answer = city.ask("POST", "/api/cases", cookie, Some(body)).await;
        let told = answer.json();
        assert_eq!((answer.status, told["error"].as_str()), (422, Some("invalid")), "{body}");
        assert!(told["what"].as_str().unwrap().contains(part), "{told}");
        assert!(!told["mend"].as_str().unwrap().is_empty());
    }
    let huge = format!("{{\"text\":\"{}\"}}", "y".repeat(100_000));
    assert_eq!(city.ask("POST", "/api/cases", cookie, Some(&huge)).await.status, 422);
    assert_eq!(city.ask("GET", "/api/nothing", cookie, None).await.json()["error"], "missing");
    city.stop().await;
}

async fn a_case_without_a_call_is_written_once_and_answered(kind: Kind) {
    let city = City::start(kind).await;
    let cookie = city.signed_in("supervisor", Role::Supervisor).await;
    let cookie = std::slice::from_ref(&cookie);
    let body = r#"{"service":"1520","topic":"lifts","text":"it stands still","draft":"form-1"}"#;
    let first = city.ask("POST", "/api/cases", cookie, Some(body)).await;
    let again = city.ask("POST", "/api/cases", cookie, Some(body)).await;
    assert_eq!((first.status, &first.json()["number"]), (201, &again.json()["number"]));
    let number = first.json()["number"].as_str().unwrap().to_owned();
    assert!(number.starts_with("1520-") && number.ends_with("-000001"), "{number}");
    let act = format!("/api/cases/{number}/act");
    let told = city.ask("POST", &act, cookie, Some(r#"{"do":"accept"}"#)).await;
    assert_eq!((told.status, told.json()["error"].as_str()), (409, Some("refused")), "it lies with the centre");
    assert_eq!(city.ask("POST", &act, cookie, Some(r#"{"do":"finish","photos":[]}"#)).await.status, 409, "no evidence");
    let done = city.ask("POST", &act, cookie, Some(r#"{"do":"finish","photos":[],"words":"explained"}"#)).await;
    assert_eq!((done.status, done.json()["state"].as_str()), (200, Some("done")));
    let other = city.ask("POST", "/api/cases/109-2026-000777/act", cookie, Some(r#"{"do":"note","words":"y"}"#)).await;
    assert_eq!(other.status, 404);
    assert_eq!(city.ask("GET", "/api/cases?open=false", cookie, None).await.json()[0]["number"], number.as_str());
    let detail = city.ask("GET", &format!("/api/cases/{number}"), cookie, None).await.json();
    assert_eq!(detail["history"][0]["words"], r#"{"text":"it stands still"}"#);
    assert_eq!(detail["history"][1]["what"]["what"], "done");
    city.stop().await;
}
