//! Who gets in, and who may do what?

use cityline::centre::time::Time;
use cityline::private::Private;
use cityline::store::Role;

use super::city::City;
use cityline_bases::{Kind, on_both};

on_both!(
    every_route_knows_its_roles,
    five_guesses_lock_the_name_for_its_address,
    a_session_ends_with_logout_and_with_the_password,
    another_site_changes_nothing_in_a_users_name,
);

/// Every route behind a role: method, path, and the roles that may, in the order of `Role::ALL`.
const MATRIX: [(&str, &str, [bool; 6]); 22] = [
    ("GET", "/api/me", [true, true, true, true, true, true]),
    ("GET", "/api/topics", [true, true, true, true, true, true]),
    ("GET", "/api/board", [true, true, true, true, false, false]),
    ("GET", "/api/live", [true, true, true, true, false, false]),
    ("GET", "/desk", [true, false, true, false, false, false]),
    ("GET", "/api/calls", [false, true, true, true, false, false]),
    ("GET", "/api/calls/7", [false, true, true, true, false, false]),
    ("GET", "/api/recordings/7/1", [false, true, true, true, false, false]),
    ("GET", "/api/cases", [true, true, true, false, true, true]),
    ("POST", "/api/cases", [true, false, true, false, false, false]),
    ("GET", "/api/cases/109-2026-000001", [true, true, true, false, true, true]),
    ("POST", "/api/cases/109-2026-000001/act", [true, true, true, false, true, false]),
    ("GET", "/api/callbacks", [true, false, true, false, false, false]),
    ("POST", "/api/callbacks/7/done", [true, false, true, false, false, false]),
    ("GET", "/api/calls-to-make", [true, false, true, false, false, false]),
    ("POST", "/api/calls-to-make/7/done", [true, false, true, false, false, false]),
    ("GET", "/api/incidents", [true, true, true, false, true, true]),
    ("GET", "/api/incidents/7", [true, true, true, false, true, true]),
    ("POST", "/api/incidents/7/act", [false, false, true, false, true, false]),
    ("POST", "/api/works", [false, false, true, false, true, false]),
    ("POST", "/api/erasures", [false, false, false, true, false, false]),
    ("POST", "/api/logout", [true, true, true, true, true, true]),
];

async fn every_route_knows_its_roles(kind: Kind) {
    let city = City::start(kind).await;
    for (method, path, _) in MATRIX {
        let body = (method == "POST").then_some("{}");
        assert_eq!(city.ask(method, path, &[], body).await.status, 401, "{method} {path} without an account");
    }
    for (at, role) in Role::ALL.into_iter().enumerate() {
        let cookie = city.signed_in(role.word(), role).await;
        for (method, path, may) in MATRIX {
            let body = (method == "POST").then_some("{}");
            let status = city.ask(method, path, std::slice::from_ref(&cookie), body).await.status;
            assert_eq!(!matches!(status, 401 | 403), may[at], "{method} {path} as {role:?}: {status}");
        }
    }
    city.stop().await;
}

async fn five_guesses_lock_the_name_for_its_address(kind: Kind) {
    let city = City::start(kind).await;
    city.account("operator", Role::Operator).await;
    for _ in 0..5 {
        let answer = city.login("operator", "wrong").await;
        assert_eq!((answer.status, answer.json()["error"].as_str()), (401, Some("wrong_password")));
    }
    let answer = city.login("operator", "secret-operator").await;
    assert_eq!((answer.status, answer.json()["error"].as_str()), (429, Some("locked")));
    assert!(answer.header("retry-after").unwrap().parse::<u64>().unwrap() <= 901);
    city.account("olena", Role::Operator).await;
    assert_eq!(city.login("olena", "secret-olena").await.status, 200, "another name goes on");
    city.stop().await;
}

async fn a_session_ends_with_logout_and_with_the_password(kind: Kind) {
    let city = City::start(kind).await;
    city.account("operator", Role::Operator).await;
    let answer = city.login("operator", "secret-operator").await;
    let sent = answer.header("set-cookie").unwrap();
    assert!(sent.contains("HttpOnly") && sent.contains("SameSite=Lax"), "{sent}");
    let cookie = [format!("Cookie: {}", answer.cookie().unwrap())];
    assert_eq!(city.ask("GET", "/api/me", &cookie, None).await.json()["role"], "operator");
    assert_eq!(city.ask("POST", "/api/logout", &cookie, Some("{}")).await.status, 204);
    assert_eq!(city.ask("GET", "/api/me", &cookie, None).await.status, 401);

    let cookie = [city.signed_in("operator", Role::Operator).await];
    assert_eq!(city.ask("GET", "/api/me", &cookie, None).await.status, 200);
    city.store.put_user("operator", &Private::new("another".into()), Role::Operator, Time(2)).await.unwrap();
    assert_eq!(city.ask("GET", "/api/me", &cookie, None).await.status, 401, "the password was changed");
    city.stop().await;
}

async fn another_site_changes_nothing_in_a_users_name(kind: Kind) {
    let city = City::start(kind).await;
    let cookie = city.signed_in("supervisor", Role::Supervisor).await;
    let evil = [cookie.clone(), "Origin: http://evil.example".to_owned()];
    let answer = city.ask("POST", "/api/callbacks/7/done", &evil, Some("{}")).await;
    assert_eq!((answer.status, answer.json()["error"].as_str()), (403, Some("origin")));
    let own = [cookie, format!("Origin: http://{}", city.address)];
    assert_eq!(city.ask("POST", "/api/callbacks/7/done", &own, Some("{}")).await.status, 404);
    city.stop().await;
}
