//! Do keys reach the plan, each once? By RFC 4733 over a bad line, by INFO, and as tones.

use std::net::Ipv4Addr;
use std::thread;
use std::time::Duration;

use cityline_phone::phone::Call;
use cityline_phone::{CallOptions, Event, Phone, Sound};
use cityline_relay::{Impairment, Relay};

use super::SOON;
use super::cast::{calls, goes_on, short_city};
use super::server::Server;

/// Calls at once, and keys that each of them presses.
const CALLS: usize = 10;
const KEYS: usize = 100;

/// The keys that the plan read in this call, in order.
fn read(server: &Server, call: u64) -> String {
    server.rows(&format!("SELECT key FROM steps WHERE call_id = {call} AND key IS NOT NULL ORDER BY position, place")).replace('\n', "")
}

/// The call that this number has made.
fn id_of(server: &Server, from: &str) -> u64 {
    let select = format!("SELECT id FROM calls JOIN callers USING (caller) WHERE callers.number = '{from}'");
    server.rows_until(&select, SOON, |rows| !rows.is_empty()).parse().unwrap()
}

fn in_the_plan(server: &Server, phone: &Phone, from: &str, sound: Sound, events: bool) -> (Call, u64) {
    let options = CallOptions { from: from.to_owned(), events, sound, ..CallOptions::default() };
    let call = calls(server, phone, "300", options);
    let id = id_of(server, from);
    server.rows_until(&format!("SELECT count(*) FROM steps WHERE call_id = {id}"), SOON, |rows| rows != "0");
    (call, id)
}

/// All keys, in an order that the number of the call decides; neighbours are equal now and then.
fn keys(n: usize) -> String {
    (0..KEYS).map(|at| "0123456789*#".chars().nth((at / 2 * 7 + n + at % 5) % 12).unwrap()).collect()
}

#[test]
fn a_thousand_keys_over_a_line_that_loses_every_twentieth_packet_are_each_read_once() {
    let server = Server::start("keys", &short_city(""));
    let relay = Relay::start(Ipv4Addr::LOCALHOST, Impairment { lose: 0.05, ..Impairment::default() }, 109).unwrap();
    thread::scope(|scope| {
        for n in 0..CALLS {
            let (server, relay) = (&server, &relay);
            scope.spawn(move || {
                let phone = Phone::on_loopback().unwrap();
                let from = format!("+7701000{n:04}");
                let (call, id) = in_the_plan(server, &phone, &from, Sound::Nothing, true);
                // The first packet already takes the bad line: the server keeps to the source that it has heard first.
                let far = call.far().unwrap().unwrap();
                call.send_sound_to(relay.open(0, far.address).unwrap()).unwrap();
                call.say(Sound::Silence).unwrap();
                let pressed = keys(n);
                call.press(&pressed).unwrap();
                let select = format!("SELECT count(*) FROM steps WHERE call_id = {id} AND key IS NOT NULL");
                server.rows_until(&select, Duration::from_secs(90), |rows| rows.parse::<usize>().is_ok_and(|count| count >= KEYS));
                assert_eq!(read(server, id), pressed, "call {id}");
                call.hang_up().unwrap();
            });
        }
    });
    let counts = relay.counts();
    let share = counts.lost as f64 / counts.taken as f64;
    println!("{} packets of {} were lost ({:.1} %)", counts.lost, counts.taken, share * 100.0);
    assert!((0.035..0.065).contains(&share), "{counts:?}");
    assert_eq!(server.rows("SELECT count(*) FROM steps WHERE key IS NOT NULL"), (CALLS * KEYS).to_string(), "none twice");
}

#[test]
fn keys_by_info_reach_the_plan() {
    let server = Server::start("info", &short_city(""));
    let phone = Phone::on_loopback().unwrap();
    let (mut call, id) = in_the_plan(&server, &phone, "+77010100001", Sound::Silence, true);
    for key in ["1", "#", "0"] {
        call.press_by_info(key).unwrap();
        call.wait_for(Event::InfoAnswered(200), SOON).unwrap();
    }
    server.rows_until(&format!("SELECT count(*) FROM steps WHERE call_id = {id} AND key IS NOT NULL"), SOON, |rows| rows == "3");
    assert_eq!(read(&server, id), "1#0");
}

#[test]
fn keys_as_tones_reach_the_plan_of_a_line_without_events() {
    let server = Server::start("tones", &short_city(""));
    let phone = Phone::on_loopback().unwrap();
    let (mut call, id) = in_the_plan(&server, &phone, "+77010100002", Sound::Silence, false);
    call.wait_for(Event::FirstPacket, SOON).unwrap();
    call.press_in_band("159*0#").unwrap();
    server.rows_until(&format!("SELECT count(*) FROM steps WHERE call_id = {id} AND key IS NOT NULL"), SOON, |rows| rows == "6");
    goes_on(&mut call, Duration::from_secs(1));
    assert_eq!(read(&server, id), "159*0#");
}
