//! What do pages and programs get while PostgreSQL is away? A refusal that says so, soon; and everything again when it is back.

use std::time::{Duration, Instant};

use cityline::centre::fact::Fact;
use cityline::centre::ids::CallId;
use cityline::centre::time::Time;
use cityline::store::{Position, Projected, Role, StoreError};
use cityline::vitals::Part;
use cityline_bases::{Base, Server};

use super::city::City;

/// Within this a request is refused where the server is gone: a connection is waited for (3 s), and other tests keep the machine busy.
const GONE: Duration = Duration::from_secs(9);

async fn is_refused_soon(city: &City, cookie: &str) {
    for (path, status) in [("/api/calls", 503), ("/api/me", 503), ("/readyz", 200)] {
        let asked = Instant::now();
        let answer = city.ask("GET", path, &[cookie.to_owned()], None).await;
        assert_eq!(answer.status, status, "{path}: {}", String::from_utf8_lossy(&answer.body));
        assert!(asked.elapsed() < GONE, "{path} took {:?}", asked.elapsed());
        if path == "/readyz" {
            assert_eq!(answer.json()["store"], false, "it is told, and calls are taken");
        } else {
            assert_eq!(answer.json()["error"], "database_away", "{path}");
            assert_eq!(answer.header("retry-after"), Some("5"), "{path}");
        }
    }
    let asked = Instant::now();
    let answer = city.login("supervisor", "secret-supervisor").await;
    assert_eq!((answer.status, answer.json()["error"].as_str()), (503, Some("database_away")));
    assert!(asked.elapsed() < GONE, "{:?}", asked.elapsed());
}

#[tokio::test]
async fn a_server_that_is_gone_is_told_and_everything_works_when_it_is_back() {
    let server = Server::start();
    let mut city = City::start_on(|_| Base::at(server.make("city"))).await;
    let cookie = city.signed_in("supervisor", Role::Supervisor).await;
    city.happens(1_000, vec![Fact::TopicChosen { call: CallId(1), topic: "heating".into() }]).await;
    assert_eq!(city.ask("GET", "/api/calls", std::slice::from_ref(&cookie), None).await.json()[0]["topic"], "heating");
    let _engine = city.vitals.pulse(Part::Engine);
    city.health.set_journal(true);
    city.health.set_sip(true);
    city.health.set_media(true);
    server.stop();
    is_refused_soon(&city, &cookie).await;
    let later = [Projected { position: Position(2), at: Time(2), facts: vec![Fact::CallAnswered { call: CallId(1) }] }];
    assert!(matches!(city.store.project(&later).await, Err(StoreError::Away(_))));
    server.start_again();
    city.store.project(&later).await.unwrap();
    assert_eq!(city.ask("GET", "/api/calls", &[cookie], None).await.json()[0]["answered_ms"], 2);
    city.stop().await;
}
