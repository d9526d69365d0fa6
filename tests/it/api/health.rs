//! Do health checks and metrics tell the truth, and does a busy port say what to do?

use cityline::clock::Clock;
use cityline::web::serve;
use cityline_bases::{Kind, on_both};
use tokio_util::sync::CancellationToken;

use super::city::{City, parts};

on_both!(ready_only_when_every_part_is, a_busy_port_is_named_with_its_mend,);

async fn ready_only_when_every_part_is(kind: Kind) {
    let city = City::start(kind).await;
    let status = async |path| city.ask("GET", path, &[], None).await.status;
    assert_eq!((status("/livez").await, status("/readyz").await), (503, 503), "the engine has not come round");
    city.health.engine_came_round(Clock::of_process().now());
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
}

async fn a_busy_port_is_named_with_its_mend(kind: Kind) {
    let city = City::start(kind).await;
    let (parts, _lanes) = parts(&city.store, city.address);
    let error = serve(parts, CancellationToken::new()).await.err().unwrap().to_string();
    assert!(error.contains(&city.address.to_string()) && error.contains("web.listen"), "{error}");
    city.stop().await;
}
