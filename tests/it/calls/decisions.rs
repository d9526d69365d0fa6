//! Does an administrator's decision hold at once, over a reload and over a restart, without a call lost, and is a wrong one refused whole?

use std::io::{Read, Write};
use std::net::{SocketAddrV4, TcpStream};
use std::time::Duration;

use cityline_phone::{Event, Phone, Then};
use serde_json::{Value, json};

use super::SOON;
use super::cast::{OPERATOR, calls, chirping, phone_of, rings, short_city_with_one};
use super::desk::{cookie, make_account};
use super::server::{Place, Server};

/// One request of an administrator; status and body.
fn ask(web: SocketAddrV4, cookie: &str, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
    let body = body.map(Value::to_string).unwrap_or_default();
    let mut stream = TcpStream::connect(web).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    let head =
        format!("{method} {path} HTTP/1.1\r\nHost: {web}\r\nCookie: {cookie}\r\nConnection: close\r\nContent-Type: application/json\r\n");
    write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap_or(Value::Null))
}

#[test]
fn a_decision_holds_at_once_and_a_wrong_one_changes_nothing() {
    let server = Server::start_at(Place::new("decisions"), &short_city_with_one());
    make_account(&server, "root", "administrator");
    let root = cookie(server.web(), "root");
    let read = || ask(server.web(), &root, "GET", "/api/settings", None).1;
    let put = |path: &str, body: Value| ask(server.web(), &root, "PUT", path, Some(&body));
    let daniyar = phone_of(&server, "202", rings(50, Then::Answer, OPERATOR));
    let phone = Phone::on_loopback().unwrap();
    let mut up = calls(&server, &phone, "200", chirping("+77010800001"));
    let mut answered = daniyar.next_call(SOON).unwrap();
    answered.wait_for(Event::FirstSound, SOON).unwrap();

    let before = read();
    assert_eq!((before["revision"].as_u64(), before["edited"].as_array().unwrap().len()), (Some(0), 0));
    assert!(before["operators"]["daniyar"]["phone"]["has_password"] == true && !before.to_string().contains("secret-202"));
    let mut operators = json!({ "daniyar": { "skills": ["kk"], "phone": { "user": "202" }, "ready_when_registered": true } });
    operators["dana"] = json!({ "skills": ["kk"], "phone": { "user": "203", "password": "secret-203" }, "ready_when_registered": true });
    let wrong = json!({ "dana": { "skills": ["kk"], "phone": { "user": "203" } } });
    let (status, told) = put("/api/settings", json!({ "revision": 0, "reason": "x", "operators": wrong }));
    assert!(status == 422 && told["faults"][0].as_str().unwrap().contains("operators.dana.phone.password"), "{told}");
    let short = json!({ "general": { "skills": [], "offer_ms": 5 } });
    let (status, told) = put("/api/settings", json!({ "revision": 0, "reason": "x", "queues": short, "operators": operators }));
    assert!(status == 422 && told["faults"][0].as_str().unwrap().contains("queues.general.offer_ms"), "{told}");
    let none = json!({ "other": { "skills": [] } });
    let (status, told) = put("/api/settings", json!({ "revision": 0, "reason": "x", "queues": none }));
    assert!(status == 422 && told["faults"].to_string().contains("unknown queue"), "the plans name it: {told}");
    assert_eq!(read(), before, "nothing holds of what was refused");

    let decision = json!({ "revision": 0, "reason": "Dana begins today", "operators": operators, "pause_reasons": ["tea"] });
    assert_eq!(put("/api/settings", decision.clone()), (200, json!({ "revision": 1 })));
    assert_eq!(put("/api/settings", decision).0, 409, "it was read before the other decision");
    let after = read();
    assert_eq!((after["edited"].clone(), after["pause_reasons"].clone()), (json!(["operators", "pause_reasons"]), json!(["tea"])));
    let dana = phone_of(&server, "203", rings(50, Then::Answer, OPERATOR));
    let second = calls(&server, &phone, "200", chirping("+77010800002"));
    let mut taken = dana.next_call(SOON).unwrap();
    taken.wait_for(Event::FirstSound, SOON).unwrap();
    second.hang_up().unwrap();
    taken.wait_for_end(SOON).unwrap();

    let (_, plans) = ask(server.web(), &root, "GET", "/api/dialplans", None);
    let straight = plans["plans"].as_array().unwrap().iter().find(|plan| plan["name"] == "straight").unwrap().clone();
    assert!(straight["nodes"].as_array().unwrap().iter().any(|node| node["id"] == "emergency"), "{straight}");
    let warned = |fault: &Value| fault["is_warning"] == true && fault["step"] == "emergency";
    assert!(straight["faults"].as_array().unwrap().iter().any(warned), "no trunk takes calls to the outside: {straight}");
    let text = straight["text"].as_str().unwrap();
    let broken = json!({ "revision": 1, "reason": "x", "text": text.replace("queue = \"general\"", "queue = \"generel\"") });
    let (status, told) = put("/api/dialplans/straight", broken);
    assert!(status == 422 && told["faults"][0].as_str().unwrap().contains("did you mean \"general\""), "{told}");
    let tried = json!({ "name": "straight", "text": text.replace("kind = \"queue\"", "kind = \"line\"") });
    let (status, drawn) = ask(server.web(), &root, "POST", "/api/dialplans/check", Some(&tried));
    assert!(status == 200 && drawn["faults"].as_array().unwrap().iter().any(|fault| fault["step"] == "wait"), "{drawn}");
    let other = json!({ "revision": 1, "reason": "another number", "text": text.replace("number = \"200\"", "number = \"201\"") });
    assert_eq!(put("/api/dialplans/straight", other), (200, json!({ "revision": 2 })));
    let mut third = calls(&server, &phone, "201", chirping("+77010800003"));
    third.hang_up().unwrap();
    third.wait_for_end(SOON).unwrap();

    server.signal("HUP");
    server.until_logged(&["are in force"]);
    assert_eq!(read()["revision"], 2, "a reload keeps what was decided");
    let (_, record) = ask(server.web(), &root, "GET", "/api/settings/revisions", None);
    assert_eq!((record[1]["reason"].as_str(), record[1]["by_name"].as_str()), (Some("Dana begins today"), Some("root")));
    assert_eq!(record[0]["sections"], json!(["plans.straight"]));
    assert!(up.wait_until("the end of the call", Duration::from_millis(300), Event::is_last).is_err(), "the call that was up goes on");
    up.hang_up().unwrap();
    answered.wait_for_end(SOON).unwrap();
}
