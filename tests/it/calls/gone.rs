//! Does the server end, and say why, when a part of it has ended or hangs? Faults are injected into a server in the test's own process.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use cityline::app::{App, Gone, one_is_gone};
use cityline::journal::load_last;
use cityline::vitals::{Fault, Part};

use super::SOON;
use super::server::{Place, a_moment};

/// A GET of the server in this process; its status and body. The server runs on other threads.
fn get(address: SocketAddr, path: &str) -> Option<(u16, String)> {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(SOON)).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    Some((status, answer.split("\r\n\r\n").nth(1)?.to_owned()))
}

fn comes_to(app: &App, path: &str, wanted: u16, limit: Duration) -> String {
    let until = Instant::now() + limit;
    loop {
        match get(app.web_address(), path) {
            Some((status, body)) if status == wanted => return body,
            other => assert!(Instant::now() < until, "{path} is {other:?}, not {wanted}"),
        }
        a_moment();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whichever_part_panics_the_server_ends_with_its_name_and_its_journal_whole() {
    for part in [Part::Engine, Part::Signalling, Part::Media(0), Part::Recordings, Part::Projection, Part::Pages] {
        let place = Place::new("gone");
        let mut config = place.config();
        // The threads of a server that gives up stay to the end of its process, which here is the test's: their port with them.
        config.media.webrtc_port = if part == Part::Pages { place.pages_port() } else { 0 };
        let app = App::start(config).await.unwrap();
        comes_to(&app, "/livez", 200, SOON);
        app.vitals.strike(part, Fault::Panics);
        let gone = tokio::time::timeout(SOON, one_is_gone(app.vitals.clone())).await.expect("nobody misses it");
        assert_eq!(gone, Gone::Ended(part));
        let told = app.give_up(gone).await.to_string();
        assert!(told.starts_with(&format!("{part} has ended by a fault")) && told.contains("Start it again"), "{told}");
        assert_eq!(told.contains("the journal is synced"), part != Part::Engine, "{told}");
        let replay = load_last(&place.folder.join("var/journal")).unwrap().unwrap();
        assert!(replay.records > 0 && replay.differing.is_empty() && !replay.torn, "{replay:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_that_hangs_fails_life_and_is_named() {
    let place = Place::new("hangs");
    let app = App::start(place.config()).await.unwrap();
    comes_to(&app, "/readyz", 200, SOON);
    app.vitals.strike(Part::Signalling, Fault::Stalls);
    comes_to(&app, "/livez", 503, SOON * 2);
    let ready = comes_to(&app, "/readyz", 503, SOON);
    assert!(ready.contains("\"part\":\"signalling\"") && ready.contains("\"sip\":false"), "{ready}");
    app.stop().await.expect("an end that was asked for is no fault");
}
