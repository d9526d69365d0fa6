//! Do calls come about on a line that is as bad as lines get? Signalling and sound both over the relay; 200 calls here, 10,000 in `make soak`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use cityline_phone::phone::PhoneError;
use cityline_phone::{CallOptions, Event, Phone, Sound};
use cityline_relay::{Impairment, Relay};

use super::SOON;
use super::cast::short_city;
use super::crash::report;
use super::server::{Server, a_moment};

/// A call may take as long as SIP's own timers do (RFC 3261, timer B).
const SETS_UP: Duration = Duration::from_secs(33);

/// Keys of a call; each is sent nine times, and no run of losses is that long.
const KEYS: &str = "25#80";
/// The last of them is not on its way for longer than this.
const ARRIVES: Duration = Duration::from_millis(500);

/// Loss of 5 % in runs of two on average, jitter of 50 ms, every twentieth packet overtaken, every fiftieth twice.
pub const POOR: Impairment = Impairment {
    lose: 0.05,
    burst: 2.0,
    longest: 8,
    delay: Duration::from_millis(20),
    jitter: Duration::from_millis(50),
    reorder: 0.05,
    reorder_by: Duration::from_millis(60),
    duplicate: 0.02,
};

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// A call from its INVITE to its end, with its keys. How long it took until it was answered.
fn goes_through(phone: &Phone, front: SocketAddrV4, from: &str) -> Result<Duration, PhoneError> {
    let options = CallOptions { from: from.to_owned(), sound: Sound::Silence, keep: Duration::ZERO, ..CallOptions::default() };
    let began = Instant::now();
    let mut call = phone.call(&format!("sip:300@{front}"), options)?;
    call.wait_for(Event::Answered, SETS_UP)?;
    let took = began.elapsed();
    call.wait_for(Event::FirstPacket, SOON)?;
    call.press(KEYS)?;
    // On a machine with much else to do a phone presses later than it wants.
    let limit = Instant::now() + SOON;
    while call.is_pressing()? && Instant::now() < limit {
        a_moment();
    }
    match call.wait_until("the end of the call", ARRIVES, Event::is_last) {
        Err(PhoneError::NotInTime { .. }) => {}
        Err(error) => return Err(error),
        Ok(last) => return Err(PhoneError::Over { what: "keys".to_owned(), last, seen: call.seen().to_vec() }),
    }
    call.hang_up()?;
    call.wait_for_end(SETS_UP)?;
    Ok(took)
}

#[test]
fn calls_come_about_on_a_poor_line_and_every_key_is_read() {
    let (calls, at_once) = (number("SOAK_SETUPS", 200), number("SOAK_AT_ONCE", 20));
    let server = Server::start("poor", &short_city(""));
    let relay = Relay::start(Ipv4Addr::LOCALHOST, POOR, 1520).unwrap();
    let front = relay.open_signalling(0, server.sip).unwrap();
    let (took, failed) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    let through = Mutex::new(BTreeSet::new());
    thread::scope(|scope| {
        for worker in 0..at_once {
            let (took, failed, through) = (&took, &failed, &through);
            scope.spawn(move || {
                let phone = Phone::on_loopback().unwrap();
                for n in (worker..calls).step_by(at_once) {
                    let from = format!("+7702{n:07}");
                    match goes_through(&phone, front, &from) {
                        Ok(time) => {
                            took.lock().unwrap().push(time);
                            through.lock().unwrap().insert(from);
                        }
                        Err(error) => failed.lock().unwrap().push(format!("call {n}: {error}")),
                    }
                }
            });
        }
    });
    let (mut took, failed) = (took.into_inner().unwrap(), failed.into_inner().unwrap());
    took.sort();
    let up = calls - failed.len();
    let ended = "SELECT count(*) FROM calls WHERE ended_ms IS NOT NULL AND end_reason = 'left_in_menu'";
    server.rows_until(ended, SETS_UP, |rows| rows.parse::<usize>().is_ok_and(|rows| rows >= up));
    let wrong = misread(&server, &through.into_inner().unwrap());
    let counts = relay.counts();
    let lost = counts.lost as f64 / counts.taken as f64;
    let at = |share: f64| took.get((took.len() as f64 * share) as usize).copied().unwrap_or_default().as_millis();
    println!("{counts:?}");
    report(&format!(
        "| {calls} calls over a poor line ({:.1} % of {} packets lost) | {up} went through, half within {} ms, 99 % within {} ms; {} with a wrong key |",
        lost * 100.0,
        counts.taken,
        at(0.5),
        at(0.99),
        wrong.len()
    ));
    assert!((0.04..0.06).contains(&lost) && counts.overflowed == 0, "{counts:?}");
    assert!(failed.len() * 1_000 <= calls, "{} of {calls} failed\n{}", failed.len(), failed.join("\n"));
    wrong.iter().for_each(|wrong| println!("misread: {wrong}\n{}", told(&server, wrong)));
    assert!(wrong.is_empty(), "keys were misread: {wrong:?}");
}

/// Residents whose calls went through, and what was read of them that is not what they pressed.
fn misread(server: &Server, through: &BTreeSet<String>) -> Vec<String> {
    let select = "SELECT callers.number, steps.key FROM steps JOIN calls ON calls.id = steps.call_id \
                  JOIN callers ON callers.caller = calls.caller WHERE key IS NOT NULL ORDER BY call_id, position, place";
    let rows = server.rows(select);
    let mut keys: BTreeMap<&str, String> = through.iter().map(|number| (number.as_str(), String::new())).collect();
    for (number, key) in rows.lines().filter_map(|line| line.split_once('|')) {
        keys.get_mut(number).into_iter().for_each(|keys| keys.push_str(key));
    }
    keys.into_iter().filter(|(_, keys)| keys != KEYS).map(|(number, keys)| format!("{number}: {keys:?}")).collect()
}

/// What is stored of the sound of a call whose keys were misread, and how many packets of strangers there were in all.
fn told(server: &Server, misread: &str) -> String {
    let number = misread.split(':').next().unwrap_or_default();
    let select = format!(
        "SELECT calls.*, leg_quality.* FROM calls JOIN callers ON callers.caller = calls.caller \
         LEFT JOIN leg_quality ON leg_quality.call_id = calls.id WHERE callers.number = '{number}'"
    );
    server.rows(&select)
}
