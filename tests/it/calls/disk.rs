//! What does a disk that is full, or a database that is locked, cost? No call, and no fact.

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cityline_phone::{Event, Phone, Then};

use super::SOON;
use super::cast::{calls, chirping, goes_on, short_city_with_one, talk};
use super::crash::report;
use super::server::{Place, Server, a_moment};

/// How long it lasts; `SOAK_OUTAGE_S` makes it longer.
fn outage() -> Duration {
    Duration::from_secs(std::env::var("SOAK_OUTAGE_S").map_or(6, |text| text.parse().unwrap()))
}

/// Everything that happened is in the database, once.
fn facts_are_complete(place: &Place, calls: usize) {
    place.rows_until("SELECT count(*) FROM calls WHERE ended_ms IS NOT NULL", SOON, |rows| rows == calls.to_string());
    assert_eq!(place.rows("SELECT count(*) FROM calls"), calls.to_string());
    assert_eq!(place.rows("SELECT count(*) FROM legs WHERE ended_ms IS NULL"), "0");
    assert_eq!(place.rows("SELECT count(*) FROM queue_events WHERE left_ms IS NULL"), "0");
    assert_eq!(place.rows("SELECT count(*) FROM calls WHERE end_reason NOT IN ('caller_hung_up', 'abandoned')"), "0");
    assert_eq!(place.rows("SELECT count(*) FROM (SELECT 1 FROM queue_events GROUP BY call_id HAVING count(*) > 1)"), "0");
}

/// Another program that holds the database for itself.
struct Lock(Child);

impl Lock {
    fn on(place: &Place) -> Lock {
        let mut command = Command::new("sqlite3");
        command.arg(place.folder.join("var/cityline.db")).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::inherit());
        let mut lock = Lock(command.spawn().expect("sqlite3 must be installed"));
        writeln!(lock.0.stdin.as_mut().unwrap(), ".timeout 10000\nBEGIN IMMEDIATE;").unwrap();
        lock
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

#[test]
fn a_database_that_is_locked_costs_no_call_and_no_fact() {
    let server = Server::start("locked", &short_city_with_one());
    let mut talk = talk(&server, chirping("+77010800001"), Then::Answer);
    let lock = Lock::on(&server);
    goes_on(&mut talk.call, Duration::from_millis(500));
    let phone = Phone::on_loopback().unwrap();
    let mut other = calls(&server, &phone, "200", chirping("+77010800002"));
    goes_on(&mut talk.call, outage());
    talk.call.hang_up().unwrap();
    talk.call.wait_for_end(SOON).unwrap();
    // The operator is free: the one who waits is served, with the database still away.
    let mut answered = talk.operator.next_call(SOON).unwrap();
    answered.wait_for(Event::FirstSound, SOON).unwrap();
    other.hang_up().unwrap();
    other.wait_for_end(SOON).unwrap();
    drop(lock);
    facts_are_complete(&server, 2);
    assert_eq!(server.rows("SELECT count(*) FROM calls WHERE agent = 'daniyar' AND connected_ms > 0"), "2");
    report(&format!("| SQLite locked for {} s in mid-call | no call dropped, every fact there once |", outage().as_secs()));
}

/// No file of this process may grow beyond so many bytes; none is the system's own limit.
fn limit_files(server: &Server, bytes: Option<u64>) {
    let limit = bytes.map_or("unlimited".to_owned(), |bytes| bytes.to_string());
    let status = Command::new("prlimit").args(["--pid", &server.pid().to_string(), &format!("--fsize={limit}:unlimited")]).status();
    assert!(status.expect("prlimit must be installed").success());
}

fn readiness(server: &Server) -> Option<u16> {
    server.get("/readyz").map(|(status, _)| status)
}

fn until_readiness_is(server: &Server, wanted: u16) {
    let limit = Instant::now() + SOON;
    while readiness(server) != Some(wanted) {
        assert!(Instant::now() < limit, "/readyz is {:?}, not {wanted}\n{}", readiness(server), server.log());
        a_moment();
    }
}

/// A file's limit refuses writes as a full disk does; the signal that comes with it is ignored.
#[test]
fn a_full_disk_costs_no_call_and_no_fact() {
    let server = Server::start_ignoring("full", &short_city_with_one(), "XFSZ");
    let mut talk = talk(&server, chirping("+77010900001"), Then::Answer);
    limit_files(&server, Some(1));
    let phone = Phone::on_loopback().unwrap();
    let mut other = calls(&server, &phone, "200", chirping("+77010900002"));
    until_readiness_is(&server, 503);
    goes_on(&mut talk.call, outage());
    talk.call.hang_up().unwrap();
    talk.call.wait_for_end(SOON).unwrap();
    let mut answered = talk.operator.next_call(SOON).unwrap();
    answered.wait_for(Event::FirstSound, SOON).unwrap();
    limit_files(&server, None);
    until_readiness_is(&server, 200);
    other.hang_up().unwrap();
    other.wait_for_end(SOON).unwrap();
    facts_are_complete(&server, 2);
    let segments = std::fs::read_dir(server.folder.join("var/journal")).unwrap().flatten().map(|entry| entry.path());
    for segment in segments.filter(|path| path.extension().is_some_and(|extension| extension == "journal")) {
        let out = Command::new(env!("CARGO_BIN_EXE_cityline")).arg("replay").arg(&segment).output().unwrap();
        assert!(out.status.success(), "{}: {}", segment.display(), String::from_utf8_lossy(&out.stdout));
    }
    report(&format!(
        "| disk full for {} s in mid-call | no call dropped, every fact there once, the journal replays |",
        outage().as_secs()
    ));
}
