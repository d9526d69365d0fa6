//! What does a crash cost? `kill -9` in mid-call: the recordings, the calls, the callbacks owed, and the journal, round after round.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cityline_phone::media::sound::read_wav;
use cityline_phone::phone::Call;
use cityline_phone::{Event, Phone, Then};

use super::cast::{OPERATOR, RESIDENT, calls, chirping, goes_on, operators, phone_of, rings, short_city};
use super::server::{Place, Server};
use super::{SOON, heard};

/// Talks and waits that each crash meets.
const TALKS: usize = 2;
const WAITS: usize = 3;
/// At the crash a recording may lack this much, in milliseconds.
const LACKS_MS: u64 = 1_000;

/// How many crashes; `SOAK_KILLS` makes them more.
fn rounds() -> usize {
    std::env::var("SOAK_KILLS").map_or(2, |rounds| rounds.parse().unwrap())
}

/// Prints a figure, and adds it to the report that `make soak` names.
pub fn report(line: &str) {
    println!("{line}");
    if let Ok(path) = std::env::var("SOAK_REPORT") {
        use std::io::Write;
        let mut file = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        writeln!(file, "{line}").unwrap();
    }
}

fn wall_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

/// What is up when the server dies; kept alive until then.
struct Scene {
    _phones: Vec<Phone>,
    _calls: Vec<Call>,
}

/// Two talks, three who wait, one in the plan.
fn scene(server: &Server, round: usize) -> Scene {
    let mut phones: Vec<Phone> = ["201", "202"].iter().map(|user| phone_of(server, user, rings(50, Then::Answer, OPERATOR))).collect();
    let mut all = Vec::new();
    for n in 0..TALKS {
        let phone = Phone::on_loopback().unwrap();
        all.push(calls(server, &phone, "200", chirping(&format!("+770107{round:02}{n:03}"))));
        phones.push(phone);
    }
    for phone in &phones[..TALKS] {
        let mut answered = phone.next_call(SOON).unwrap();
        answered.wait_for(Event::FirstSound, SOON).unwrap();
        all.push(answered);
    }
    for n in 0..WAITS {
        let phone = Phone::on_loopback().unwrap();
        all.push(calls(server, &phone, "200", chirping(&format!("+770107{round:02}{n:03}9"))));
        phones.push(phone);
    }
    let phone = Phone::on_loopback().unwrap();
    all.push(calls(server, &phone, "300", chirping(&format!("+770107{round:02}888"))));
    phones.push(phone);
    let waiting = format!("{WAITS}");
    server.rows_until("SELECT count(*) FROM queue_events WHERE left_ms IS NULL", SOON, |rows| rows == waiting);
    Scene { _phones: phones, _calls: all }
}

#[test]
fn a_crash_costs_at_most_the_last_second_of_a_recording_and_no_call() {
    let settings = short_city("") + &operators(&[("aigul", "201"), ("daniyar", "202")]);
    let mut server = Server::start("crash", &settings);
    let mut lacking = Vec::new();
    for round in 1..=rounds() {
        let mut scene = scene(&server, round);
        // A different moment of the recorder's second in each round.
        goes_on(&mut scene._calls[0], Duration::from_millis(3_000 + round as u64 * 137 % 1_000));
        let killed_ms = wall_ms();
        let place = server.kill();
        lacking.extend(recordings(&place, round, killed_ms));
        drop(scene);
        server = Server::start_at(place, &settings);
        nothing_is_missing(&server, round);
    }
    let place = server.terminate();
    let segments = replay(&place);
    let worst = lacking.iter().max().copied().unwrap_or_default();
    let rounds = rounds();
    report(&format!("| `kill -9` in mid-call | {rounds} times, each with {TALKS} talks, {WAITS} waiting, 1 in the plan |"));
    report(&format!(
        "| recordings | {} opened by sox and by hound; the last second is what they lack: at most {worst} ms |",
        lacking.len()
    ));
    report(&format!("| calls after the restart | {} of {} ended as interrupted, none twice, none missing |", rounds * 6, rounds * 6));
    report(&format!("| callbacks owed | {} for {} who waited, each once |", rounds * WAITS, rounds * WAITS));
    report(&format!("| `cityline replay` | {segments} segments of the journal, no difference |"));
    let _ = fs::remove_dir_all(&place.folder);
}

/// Every recording of the round opens, is well formed, and holds the talk up to the last second; returns what each lacks, in ms.
fn recordings(place: &Place, round: usize, killed_ms: u64) -> Vec<u64> {
    let started =
        place.rows(&format!("SELECT path, started_ms FROM recordings ORDER BY call_id LIMIT {TALKS} OFFSET {}", (round - 1) * TALKS));
    assert_eq!(started.lines().count(), TALKS, "{started}");
    let lacks = |row: &str| {
        let (path, started_ms) = row.split_once('|').unwrap();
        let file = place.folder.join("var/recordings").join(path);
        let sox = Command::new("sox").arg(&file).args(["-n", "stat"]).output().expect("sox must be installed");
        let said = String::from_utf8_lossy(&sox.stderr).into_owned();
        assert!(sox.status.success() && !said.contains("WARN"), "{path}: {said}");
        let channels = read_wav(&file).unwrap();
        let [left, right] = channels.as_slice() else { panic!("{path} has {} channels", channels.len()) };
        let header = fs::metadata(&file).unwrap().len();
        assert_eq!(header, 44 + left.len() as u64 * 4, "{path}: the header tells the whole file");
        for (channel, voice) in [(left, RESIDENT), (right, OPERATOR)] {
            let hearing = heard(channel, voice).unwrap_or_else(|| panic!("{path}: a side is not heard"));
            assert_eq!((hearing.missing, hearing.repeated), (0, 0), "{path}");
        }
        let talk_ms = killed_ms - started_ms.parse::<u64>().unwrap();
        let lacks_ms = talk_ms.saturating_sub(left.len() as u64 / 8);
        assert!(lacks_ms <= LACKS_MS, "{path} lacks {lacks_ms} ms of {talk_ms} ms");
        lacks_ms
    };
    started.lines().map(lacks).collect()
}

/// All calls of all rounds so far are there, interrupted; who waited is owed a callback, once.
fn nothing_is_missing(server: &Server, round: usize) {
    let all = (round * (TALKS + WAITS + 1)).to_string();
    let select = "SELECT count(*) FROM calls WHERE end_reason = 'interrupted' AND ended_ms IS NOT NULL";
    server.rows_until(select, SOON, |rows| rows == all);
    assert_eq!(server.rows("SELECT count(*) FROM calls"), all);
    assert_eq!(server.rows("SELECT count(*), count(DISTINCT caller) FROM callbacks"), format!("{0}|{0}", round * WAITS));
    assert_eq!(server.rows("SELECT count(*) FROM legs WHERE ended_ms IS NULL"), "0");
    assert_eq!(server.rows("SELECT count(*) FROM recordings WHERE length_ms IS NULL"), "0");
}

/// Every segment of the journal comes out as it ran live.
fn replay(place: &Place) -> usize {
    let mut segments: Vec<PathBuf> = fs::read_dir(place.folder.join("var/journal")).unwrap().flatten().map(|entry| entry.path()).collect();
    segments.retain(|path| path.extension().is_some_and(|extension| extension == "journal"));
    for segment in &segments {
        let out = Command::new(env!("CARGO_BIN_EXE_cityline")).arg("replay").arg(segment).output().unwrap();
        assert!(out.status.success(), "{}: {}", segment.display(), String::from_utf8_lossy(&out.stdout));
    }
    segments.len()
}
