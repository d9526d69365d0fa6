//! Is the OpenAPI document what is answered, and does every route let in exactly the roles that its line names?

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cityline::centre::time::Time;
use cityline::store::{Organisation, Role};
use cityline::web::{Declared, Verb, declared, openapi};
use cityline_bases::{Kind, on_both};
use serde_json::Value;

use super::city::City;

/// The document as it was last agreed to; `UPDATE_OPENAPI=1` writes it anew.
const SNAPSHOT: &str = "openapi.json";

fn document() -> Value {
    serde_json::from_str(&openapi()).unwrap()
}

/// Every operation of the document: verb and path.
fn operations(document: &Value) -> BTreeMap<(String, String), Value> {
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &Value)| {
        let item = item.as_object().unwrap().clone();
        let path = path.clone();
        item.into_iter().map(move |(verb, operation)| ((verb.to_uppercase(), path.clone()), operation))
    };
    paths.iter().flat_map(of_path).collect()
}

#[test]
fn the_document_is_the_one_of_the_repository() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(SNAPSHOT);
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(&path, openapi()).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == openapi(),
        "the interface has changed: look at the difference after UPDATE_OPENAPI=1 cargo test, and commit {SNAPSHOT}"
    );
}

#[test]
fn every_route_is_in_the_document_and_the_other_way_round() {
    let told: BTreeSet<(String, String)> = operations(&document()).into_keys().collect();
    let answered: BTreeSet<(String, String)> =
        declared().into_iter().map(|line| (line.verb.word().to_owned(), line.path.to_owned())).collect();
    assert_eq!(told, answered);
}

#[test]
fn every_operation_names_its_roles_its_refusals_and_itself() {
    let operations = operations(&document());
    let mut names = BTreeSet::new();
    for line in declared() {
        let operation = &operations[&(line.verb.word().to_owned(), line.path.to_owned())];
        assert!(names.insert(operation["operationId"].as_str().unwrap().to_owned()), "{line:?}: another has this name");
        assert!(operation["summary"].as_str().is_some_and(|text| text.len() > 4), "{line:?} says what it is for");
        let roles: Option<Vec<&str>> = line.roles.map(|roles| roles.iter().map(|role| role.word()).collect());
        let told = operation.get("x-roles").map(|roles| roles.as_array().unwrap().iter().map(|role| role.as_str().unwrap()).collect());
        assert_eq!(roles, told, "{line:?}");
        for status in if line.roles.is_some() { &["401", "403"][..] } else { &[] } {
            assert!(operation["responses"].get(status).is_some(), "{line:?} does not say {status}");
        }
    }
}

/// Every name that a `$ref` leads to is there.
#[test]
fn no_reference_leads_nowhere() {
    let document = document();
    let text = openapi();
    let mut looked = 0;
    for part in text.split("\"$ref\": \"").skip(1) {
        let target = part.split('"').next().unwrap();
        assert!(document.pointer(target.trim_start_matches('#')).is_some(), "{target} is not there");
        looked += 1;
    }
    assert!(looked > 100, "references are looked at");
}

on_both!(every_role_gets_exactly_what_its_line_names, a_key_opens_its_organisation_and_nothing_else);

/// A path with something in each place where it varies.
fn filled(path: &str) -> String {
    path.replace("{call}", "1")
        .replace("{queue}", "heating")
        .replace("{n}", "1")
        .replace("{number}", "109-2026-000001")
        .replace("{name}", "x")
        .replace("{id}", "heat")
        .replace("{hash}", "aa")
        .replace("{file}", "x.js")
}

pub fn heat() -> Organisation {
    let (head, email, phone, webhook) = (None, None, None, None);
    Organisation { id: "heat".into(), name: "Heat networks".into(), calendar: "office".into(), head, email, phone, webhook, active: true }
}

/// Whether the gate let a request in: what is behind it may still refuse a request that says nothing.
async fn let_in(city: &City, line: &Declared, headers: &[String]) -> Result<bool, String> {
    let body = (line.verb != Verb::Get).then_some("{}");
    let answer = city.ask(line.verb.word(), &filled(line.path), headers, body).await;
    let error = || answer.json()["error"].as_str().unwrap_or_default().to_owned();
    match answer.status {
        401 if error() == "sign_in" => Ok(false),
        403 if error() == "role" => Ok(false),
        405 | 500.. => Err(format!("{line:?}: {} {}", answer.status, String::from_utf8_lossy(&answer.body))),
        _ => Ok(true),
    }
}

async fn every_role_gets_exactly_what_its_line_names(kind: Kind) {
    let city = City::start(kind).await;
    city.store.put_organisation(&heat(), Time(1)).await.unwrap();
    let key = format!("Authorization: Bearer {}", city.store.make_key("heat").await.unwrap().unwrap().reveal());
    let mut who: Vec<(Option<Role>, String, Vec<String>)> = vec![
        (None, "nobody".into(), vec![]),
        (None, "a wrong key".into(), vec!["Authorization: Bearer cityline_wrong".into()]),
        (None, "another scheme".into(), vec!["Authorization: Basic b3BlcmF0b3I6c2VjcmV0".into()]),
        (Some(Role::Organisation), "a key".into(), vec![key]),
    ];
    for role in Role::ALL {
        who.push((Some(role), role.word().to_owned(), vec![city.signed_in(role.word(), role).await]));
    }
    who.push((Some(Role::Resident), "a resident".into(), vec![city.resident("+77142000009").await]));
    let mut holes = Vec::new();
    let mut looked = 0;
    for line in declared() {
        // Signing out would end the session that the other lines need; it is every account's, which its line says.
        let lines_end = matches!(line.path, "/api/logout" | "/api/cabinet/logout");
        let signs_in = matches!(line.path, "/api/login" | "/api/cabinet/login" | "/api/cabinet/code");
        if lines_end || signs_in || matches!(line.path, "/livez" | "/readyz" | "/api/live") {
            continue;
        }
        for (role, name, headers) in &who {
            let may = line.roles.is_none_or(|roles| role.is_some_and(|role| roles.contains(&role)));
            looked += 1;
            match let_in(&city, &line, headers).await {
                Ok(got) if got == may => {}
                Ok(got) => holes.push(format!("{line:?}: {name} may: {may}, is let in: {got}")),
                Err(fault) => holes.push(format!("{name}: {fault}")),
            }
        }
    }
    assert!(holes.is_empty(), "{}", holes.join("\n"));
    assert!(looked > 300, "{looked} questions");
    city.stop().await;
}

async fn a_key_opens_its_organisation_and_nothing_else(kind: Kind) {
    let city = City::start(kind).await;
    city.store.put_organisation(&heat(), Time(1)).await.unwrap();
    city.store.put_organisation(&Organisation { id: "roads".into(), ..heat() }, Time(1)).await.unwrap();
    let admin = vec![city.signed_in("administrator", Role::Administrator).await];
    let operator = vec![city.signed_in("operator", Role::Operator).await];
    let revision = city.ask("GET", "/api/routes", &admin, None).await.json()["revision"].as_str().unwrap().to_owned();
    let routes = r#"[{"topic":"heating","organisation":"heat"},{"topic":"roads","organisation":"roads"}]"#;
    let routes = format!(r#"{{"revision":"{revision}","routes":{routes}}}"#);
    assert_eq!(city.ask("PUT", "/api/routes", &admin, Some(&routes)).await.status, 200);
    let mut keys = Vec::new();
    for id in ["heat", "roads"] {
        let made = city.ask("POST", &format!("/api/organisations/{id}/key"), &admin, None).await;
        assert_eq!(made.status, 201);
        keys.push(vec![format!("Authorization: Bearer {}", made.json()["key"].as_str().unwrap())]);
    }
    let case = r#"{"service":"109","topic":"heating","text":"cold","draft":"one"}"#;
    let number = city.ask("POST", "/api/cases", &operator, Some(case)).await.json()["number"].as_str().unwrap().to_owned();
    let act = format!("/api/cases/{number}/act");
    let accept = Some(r#"{"do":"accept"}"#);
    assert_eq!(city.ask("POST", &act, &keys[1], accept).await.status, 404, "another organisation does not see it");
    let accepted = city.ask("POST", &act, &keys[0], accept).await;
    assert_eq!((accepted.status, accepted.json()["state"].as_str()), (200, Some("accepted")));
    let seen = async |key: &[String]| city.ask("GET", "/api/cases", key, None).await.json().as_array().unwrap().len();
    assert_eq!((seen(&keys[0]).await, seen(&keys[1]).await), (1, 0));
    let history = city.ask("GET", &format!("/api/cases/{number}/history"), &keys[0], None).await.json();
    let last = history["events"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((last["by"]["role"].as_str(), last["by"]["organisation"].as_str()), (Some("organisation"), Some("heat")));
    assert_eq!(city.ask("POST", "/api/organisations/heat/key", &admin, None).await.status, 201);
    assert_eq!(city.ask("GET", "/api/cases", &keys[0], None).await.status, 401, "the former key opens nothing");
    assert_eq!(city.ask("DELETE", "/api/organisations/roads/key", &admin, None).await.status, 204);
    assert_eq!(city.ask("GET", "/api/cases", &keys[1], None).await.status, 401);
    city.stop().await;
}
