//! Is a caller who keys a number and hangs up called there, in their turn, by an operator who is on the line already?

use std::time::Duration;

use cityline_phone::{CallOptions, Event, Phone, Side, Sound, Then};

use super::SOON;
use super::cast::{OPERATOR, RESIDENT, calls, goes_on, operators, phone_of, record, rings, short_city};
use super::heard;
use super::server::Server;

const KEYED: &str = "87011234567";

/// The short city, in which number 400 offers a callback and calls to the outside go to `trunk`.
fn city(trunk: &Phone) -> String {
    let plan = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/plans/callback.toml");
    let straight = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/plans/straight.toml");
    let city = short_city("").lines().skip(1).collect::<Vec<_>>().join("\n");
    format!(
        "dialplans = [\"{straight}\", \"{plan}\"]\n{city}\n[trunks.city]\nfrom = [\"127.0.0.1\"]\nto = \"{}\"\n{}",
        trunk.address(),
        operators(&[("daniyar", "202")])
    )
}

#[test]
fn a_caller_keys_a_number_hangs_up_and_is_called_there() {
    let resident = Phone::on_loopback().unwrap();
    resident.on_call(rings(300, Then::Answer, RESIDENT)).unwrap();
    let server = Server::start("callback", &city(&resident));
    let caller = Phone::on_loopback().unwrap();
    let options = CallOptions { from: "+77010000001".to_owned(), sound: Sound::Silence, ..CallOptions::default() };
    let mut call = calls(&server, &caller, "400", options);
    call.wait_for(Event::FirstSound, SOON).unwrap();
    call.press("1").unwrap();
    server.rows_until("SELECT count(*) FROM steps WHERE step = 'callback' AND key IS NULL", SOON, |rows| rows == "1");
    call.press("2").unwrap();
    server.rows_until("SELECT count(*) FROM steps WHERE key = '2'", SOON, |rows| rows == "1");
    call.press(&format!("{KEYED}#")).unwrap();
    server.rows_until(&format!("SELECT count(*) FROM callers WHERE number = '{KEYED}'"), SOON, |rows| rows == "1");
    call.press("1").unwrap();
    server.rows_until("SELECT queue, ended_ms IS NULL FROM callback_wishes", SOON, |rows| rows == "general|1");
    call.hang_up().unwrap();
    call.wait_for_end(SOON).unwrap();

    let operator = phone_of(&server, "202", rings(300, Then::Answer, OPERATOR));
    let mut answered = operator.next_call(SOON).unwrap();
    answered.wait_for(Event::Confirmed, SOON).unwrap();
    let mut back = resident.next_call(SOON).unwrap();
    assert_eq!((back.to.as_str(), back.from.as_str()), (KEYED, "400"), "the keyed number is called, from the city's");
    back.wait_for(Event::Confirmed, SOON).unwrap();
    back.wait_for(Event::FirstSound, SOON).unwrap();
    goes_on(&mut answered, Duration::from_secs(6));
    back.hang_up().unwrap();
    assert_eq!(answered.wait_for_end(SOON).unwrap(), Event::Ended(Side::Them));

    let (at_resident, at_operator) = (record(&mut back), record(&mut answered));
    let resident_hears = heard(&at_resident.heard.timeline().pcm, OPERATOR);
    let operator_hears = heard(&at_operator.heard.timeline().pcm, RESIDENT);
    assert!(resident_hears.is_some() && operator_hears.is_some(), "{resident_hears:?} {operator_hears:?}");
    let wish = server.rows_until("SELECT how, tries FROM callback_wishes", SOON, |rows| rows.contains("reached"));
    assert_eq!(wish, "reached|1");
    let row = server.rows_until("SELECT agent, end_reason FROM calls WHERE ended_ms IS NOT NULL", SOON, |rows| !rows.is_empty());
    assert_eq!(row, "daniyar|caller_hung_up", "one call, from the first INVITE to the last BYE");
    server.rows_become("SELECT count(*), min(how) FROM queue_events", "1|answered");
    for segment in std::fs::read_dir(server.folder.join("var/journal")).unwrap().flatten() {
        let text = std::fs::read(segment.path()).unwrap();
        assert!(!text.windows(KEYED.len()).any(|window| window == KEYED.as_bytes()), "the number is in the journal");
    }
}

/// A crash costs nobody the callback: number, place and age are there again, and nobody is dialled twice.
#[test]
fn a_callback_outlives_a_crash() {
    let resident = Phone::on_loopback().unwrap();
    resident.on_call(rings(300, Then::Answer, RESIDENT)).unwrap();
    let settings = city(&resident);
    let server = Server::start("callback-crash", &settings);
    let caller = Phone::on_loopback().unwrap();
    let options = CallOptions { from: "+77010000002".to_owned(), sound: Sound::Silence, ..CallOptions::default() };
    let mut call = calls(&server, &caller, "400", options);
    call.wait_for(Event::FirstSound, SOON).unwrap();
    call.press("1").unwrap();
    server.rows_until("SELECT count(*) FROM steps WHERE step = 'callback' AND key IS NULL", SOON, |rows| rows == "1");
    call.press("1").unwrap();
    assert_eq!(call.wait_for_end(SOON).unwrap(), Event::Ended(Side::Them), "the promise is said, then the line is given up");
    let server = Server::start_at(server.kill(), &settings);
    let operator = phone_of(&server, "202", rings(300, Then::Answer, OPERATOR));
    let mut answered = operator.next_call(Duration::from_secs(40)).unwrap();
    answered.wait_for(Event::Confirmed, SOON).unwrap();
    let mut back = resident.next_call(SOON).unwrap();
    assert_eq!(back.to, "+77010000002");
    back.wait_for(Event::Confirmed, SOON).unwrap();
    goes_on(&mut back, Duration::from_secs(2));
    answered.hang_up().unwrap();
    back.wait_for_end(SOON).unwrap();
    let wish = server.rows_until("SELECT how, tries FROM callback_wishes", SOON, |rows| rows.contains("reached"));
    assert_eq!(wish, "reached|1");
}
