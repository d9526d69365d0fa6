//! Does a call to 109 go all its way: greeting, language, queue, operator, recording, database?

use std::time::Duration;

use cityline_phone::judge::chirp::Voice;
use cityline_phone::judge::prompt::recognise;
use cityline_phone::media::sound::read_wav;
use cityline_phone::phone::Call;
use cityline_phone::{AnswerOptions, Behaviour, CallOptions, Event, Phone, Side, Sound, Then};

use super::server::{Server, prompt};
use super::{SOON, heard};

const RESIDENT: Voice = Voice::new(0, 7);
const OPERATOR: Voice = Voice::new(1, 9);

/// Operators who work without a desk, one of them.
const ONE_OPERATOR: &str = "[operators.daniyar]\nskills = [\"kk\", \"ru\", \"heating\"]\nready_when_registered = true\n\
    phone = { user = \"202\", password = \"secret-202\" }\n";

/// An operator's phone that is registered, rings for a moment and answers with chirps.
fn operator(server: &Server, then: Then) -> Phone {
    let phone = Phone::on_loopback().unwrap();
    let answer = AnswerOptions { sound: Sound::Chirps(OPERATOR), ..AnswerOptions::default() };
    phone.on_call(Behaviour { ring_for: Duration::from_millis(300), then, answer }).unwrap();
    phone.register("202", "secret-202", server.sip, Duration::from_secs(300)).unwrap();
    phone
}

/// A resident who has chosen Russian and heating, and speaks in chirps.
fn resident_in_queue(server: &Server, phone: &Phone) -> Call {
    let options = CallOptions { from: "+77011234545".into(), sound: Sound::Chirps(RESIDENT), ..CallOptions::default() };
    let mut call = phone.call(&server.uri("109"), options).unwrap();
    call.wait_for(Event::Answered, SOON).unwrap();
    call.wait_for(Event::FirstSound, SOON).unwrap();
    call
}

#[test]
fn the_greeting_is_heard_whole_and_in_its_language_alone() {
    let server = Server::start("greeting", ONE_OPERATOR);
    let phone = Phone::on_loopback().unwrap();
    let mut call = resident_in_queue(&server, &phone);
    let greeting = prompt("kk", "welcome-109");
    let lasts = Duration::from_millis(greeting.len() as u64 / 8 + 1500);
    assert!(call.wait_until("the end of the greeting", lasts, Event::is_last).is_err(), "the call stays up");
    call.hang_up().unwrap();
    call.wait_for_end(SOON).unwrap();
    let pcm = call.record().unwrap().heard.timeline().pcm;
    let score = recognise(&greeting, &pcm).map_or(0.0, |found| found.score());
    assert!(score >= 0.9, "the greeting was recognised with {score}");
    for language in ["ru", "en", "uk"] {
        let other = prompt(language, if language == "uk" { "welcome-1520" } else { "welcome-109" });
        let score = recognise(&other, &pcm[..greeting.len().min(pcm.len())]).map_or(0.0, |found| found.whole);
        assert!(score < 0.3, "{language} was recognised with {score}");
    }
}

#[test]
fn a_talk_is_heard_both_ways_recorded_in_its_channels_and_stored() {
    let server = Server::start("talk", ONE_OPERATOR);
    let operator = operator(&server, Then::Answer);
    let phone = Phone::on_loopback().unwrap();
    let mut call = resident_in_queue(&server, &phone);
    choose_russian_and_heating(&server, &call);
    let mut answered = operator.next_call(SOON).unwrap();
    answered.wait_for(Event::Confirmed, SOON).unwrap();
    assert!(call.wait_until("ten seconds of talk", Duration::from_secs(10), Event::is_last).is_err());
    call.hang_up().unwrap();
    assert_eq!(answered.wait_for_end(SOON).unwrap(), Event::Ended(Side::Them), "the operator's phone is hung up");

    let (at_resident, at_operator) = (call.record().unwrap(), answered.record().unwrap());
    let operator_heard = at_resident.heard.timeline();
    let hearing = heard(&operator_heard.pcm, OPERATOR).expect("the resident hears the operator");
    assert!(hearing.chirps.len() >= 30, "{hearing:?}");
    assert_eq!((hearing.missing, hearing.repeated, hearing.disordered), (0, 0, 0));
    let delays = hearing.delays(&operator_heard, &at_operator.said);
    assert!(delays.iter().all(|delay| *delay <= Duration::from_millis(150)), "mouth to ear: {delays:?}");
    let resident_heard = at_operator.heard.timeline();
    let hearing = heard(&resident_heard.pcm, RESIDENT).expect("the operator hears the resident");
    assert_eq!((hearing.missing, hearing.repeated, hearing.disordered), (0, 0, 0));

    let row = server
        .rows_until("SELECT number, language, end_reason, agent FROM calls WHERE ended_ms IS NOT NULL", SOON, |rows| !rows.is_empty());
    assert_eq!(row, "109|ru|caller_hung_up|daniyar");
    let length_ms: i64 =
        server.rows_until("SELECT length_ms FROM recordings WHERE length_ms IS NOT NULL", SOON, |rows| !rows.is_empty()).parse().unwrap();
    assert!((9_500..=12_000).contains(&length_ms), "{length_ms} ms");
    let channels = read_wav(&server.recording(1, 1)).unwrap();
    let [left, right] = channels.as_slice() else { panic!("two channels, not {}", channels.len()) };
    assert!(heard(left, RESIDENT).is_some_and(|hearing| hearing.missing == 0) && heard(left, OPERATOR).is_none(), "left is the resident");
    assert!(
        heard(right, OPERATOR).is_some_and(|hearing| hearing.missing == 0) && heard(right, RESIDENT).is_none(),
        "right is the operator"
    );
    assert_eq!(server.rows("SELECT count(*) FROM queue_events WHERE how = 'answered'"), "1");
}

#[test]
fn the_operator_may_hang_up_first() {
    let server = Server::start("operator-ends", ONE_OPERATOR);
    let operator = operator(&server, Then::AnswerFor(Duration::from_secs(2)));
    let phone = Phone::on_loopback().unwrap();
    let mut call = resident_in_queue(&server, &phone);
    choose_russian_and_heating(&server, &call);
    operator.next_call(SOON).unwrap().wait_for(Event::Confirmed, SOON).unwrap();
    assert_eq!(call.wait_for_end(SOON).unwrap(), Event::Ended(Side::Them));
    let row = server.rows_until("SELECT end_reason FROM calls WHERE ended_ms IS NOT NULL", SOON, |rows| !rows.is_empty());
    assert_eq!(row, "operator_hung_up");
}

#[test]
fn a_number_that_is_none_of_ours_gets_404() {
    let server = Server::start("unknown", ONE_OPERATOR);
    let phone = Phone::on_loopback().unwrap();
    let mut call = phone.call(&server.uri("911"), CallOptions::default()).unwrap();
    assert_eq!(call.wait_for_end(SOON).unwrap(), Event::Rejected(404));
}

/// Presses "2" in the language step and "1" in the menu, each once the plan is there.
fn choose_russian_and_heating(server: &Server, call: &Call) {
    let in_step = |step: &str| {
        let select = format!("SELECT count(*) FROM steps WHERE step = '{step}'");
        server.rows_until(&select, Duration::from_secs(30), |rows| rows != "0");
    };
    in_step("language");
    call.press("2").unwrap();
    in_step("topics");
    call.press("1").unwrap();
}
