//! Do health checks and metrics tell the truth, and does a busy port say what to do?

use std::sync::Arc;
use std::time::{Duration, Instant};

use cityline::clock::Clock;
use cityline::vitals::{Fault, Part, Vitals};
use cityline::web::{Health, serve};
use cityline_bases::{Kind, on_both};
use tokio_util::sync::CancellationToken;

use super::city::{City, LIMIT, parts};
use super::http::request;

on_both!(
    ready_only_when_every_part_is,
    a_busy_port_is_named_with_its_mend,
    who_has_not_come_round_is_named_and_fails_life_only_if_calls_depend_on_it,
);

async fn ready_only_when_every_part_is(kind: Kind) {
    let city = City::start(kind).await;
    let status = async |path| city.ask("GET", path, &[], None).await.status;
    assert_eq!((status("/livez").await, status("/readyz").await), (503, 503), "there is no engine");
    let engine = city.vitals.pulse(Part::Engine);
    assert_eq!((status("/livez").await, status("/readyz").await), (200, 503));
    city.health.set_journal(true);
    city.health.set_sip(true);
    city.health.set_media(true);
    assert_eq!(status("/readyz").await, 200);
    city.health.set_journal(false);
    let answer = city.ask("GET", "/readyz", &[], None).await;
    assert_eq!((answer.status, answer.json()["journal"].as_bool()), (503, Some(false)));
    city.health.set_journal(true);
    city.health.set_draining();
    assert_eq!((status("/livez").await, status("/readyz").await), (200, 503));
    assert_eq!(status("/metrics").await, 200);
    city.stop().await;
    drop(engine);
}

async fn who_has_not_come_round_is_named_and_fails_life_only_if_calls_depend_on_it(kind: Kind) {
    let city = City::start(kind).await;
    let (mut parts, _lanes) = parts(&city.store, "127.0.0.1:0".parse().unwrap());
    let vitals = Vitals::with_limit(Clock::of_process(), 500);
    let health = Arc::new(Health::new(vitals.clone()));
    (parts.health, parts.vitals) = (health.clone(), vitals.clone());
    let stop = CancellationToken::new();
    let shell = serve(parts, stop.clone()).await.unwrap();
    let address = shell.address();
    let ask = async |path: &str| request(address, "GET", path, &[], None).await;
    health.set_journal(true);
    health.set_sip(true);
    health.set_media(true);
    let (engine, feeder, media) = (vitals.pulse(Part::Engine), vitals.pulse(Part::Projection), vitals.pulse(Part::Media(1)));
    let beats = || [&engine, &media].iter().for_each(|pulse| pulse.beat());
    vitals.strike(Part::Projection, Fault::Stalls);
    let limit = Instant::now() + LIMIT;
    let mut rounds = tokio::time::interval(Duration::from_millis(100));
    while !vitals.late().iter().any(|late| late.part == Part::Projection) {
        assert!(Instant::now() < limit, "a feeder that stalls is not late");
        rounds.tick().await;
        beats();
        feeder.beat();
    }
    beats();
    let ready = ask("/readyz").await;
    assert_eq!(
        (ready.status, ready.json()["late"][0]["part"].as_str()),
        (200, Some("the database's feeder")),
        "calls are taken without it"
    );
    assert_eq!(ask("/livez").await.status, 200);
    vitals.strike(Part::Media(1), Fault::Stalls);
    let limit = Instant::now() + LIMIT;
    while ask("/livez").await.status == 200 {
        assert!(Instant::now() < limit, "it hangs and counts as alive");
        beats();
    }
    beats();
    let ready = ask("/readyz").await;
    assert_eq!((ready.status, ready.json()["media"].as_bool()), (503, Some(false)));
    assert!(ready.json()["late"].as_array().unwrap().iter().any(|late| late["part"] == "media thread 1"));
    stop.cancel();
    shell.ended().await;
    city.stop().await;
}

async fn a_busy_port_is_named_with_its_mend(kind: Kind) {
    let city = City::start(kind).await;
    let (parts, _lanes) = parts(&city.store, city.address);
    let error = serve(parts, CancellationToken::new()).await.err().unwrap().to_string();
    assert!(error.contains(&city.address.to_string()) && error.contains("web.listen"), "{error}");
    city.stop().await;
}
