//! Does a call to 109 go all its way: greeting, language, queue, operator, recording, database?

use std::time::Duration;

use cityline_phone::judge::chirp::Voice;
use cityline_phone::judge::prompt::recognise;
use cityline_phone::judge::recording;
use cityline_phone::line::Record;
use cityline_phone::media::sound::read_wav;
use cityline_phone::phone::Call;
use cityline_phone::sys::wall_ns;
use cityline_phone::{Event, Phone, Side, Then};

use super::cast::{
    CENTRE_112, ONE_OPERATOR, OPERATOR, RESIDENT, calls, chirping, ended, goes_on, phone_of, record, rings, short_city_with_one, talk,
};
use super::server::{Server, prompt};
use super::{SOON, heard, likeness, score};

/// The latest that a sound may reach the ear after it left the mouth.
const MOUTH_TO_EAR: Duration = Duration::from_millis(150);
/// From pressing a key until the next prompt begins.
const BARGE_IN: Duration = Duration::from_millis(400);
/// The longest greeting and question are over by then.
const SPOKEN: Duration = Duration::from_secs(40);

#[test]
fn the_greeting_is_heard_whole_and_in_its_language_alone() {
    let server = Server::start("greeting", ONE_OPERATOR);
    let phone = Phone::on_loopback().unwrap();
    let mut call = calls(&server, &phone, "109", chirping("+77011234545"));
    in_step(&server, "language");
    call.hang_up().unwrap();
    let pcm = record(&mut call).heard.timeline().pcm;
    let whole = score("kk", "welcome-109", &pcm);
    assert!(whole >= 0.9, "the greeting was recognised with {whole}");
    for (language, id) in [("ru", "welcome-109"), ("en", "welcome-109"), ("uk", "welcome-1520")] {
        let other = likeness(language, id, &pcm);
        assert!(other < 0.3, "{id} in {language} was recognised with {other}");
    }
    println!("greeting {whole:.3}");
    assert_eq!(ended(&server, "end_reason"), "left_in_menu");
}

#[test]
fn a_talk_is_heard_both_ways_recorded_in_its_channels_and_stored() {
    let server = Server::start("talk", ONE_OPERATOR);
    let operator = phone_of(&server, "202", rings(300, Then::Answer, OPERATOR));
    let phone = Phone::on_loopback().unwrap();
    let mut call = calls(&server, &phone, "109", chirping("+77011234545"));
    let pressed_ns = choose_russian_and_heating(&server, &call);
    let mut answered = operator.next_call(SPOKEN).unwrap();
    assert_eq!(answered.from, "+77011234545", "the operator's phone shows who calls");
    answered.wait_for(Event::Confirmed, SOON).unwrap();
    goes_on(&mut call, Duration::from_secs(8));
    call.hang_up().unwrap();
    assert_eq!(answered.wait_for_end(SOON).unwrap(), Event::Ended(Side::Them), "the operator's phone is hung up");

    let (at_resident, at_operator) = (record(&mut call), record(&mut answered));
    hears(&at_resident, OPERATOR, &at_operator);
    hears(&at_operator, RESIDENT, &at_resident);
    let spoken = at_resident.heard.timeline();
    let notice = recognise(&prompt("ru", "recorded-notice"), &spoken.pcm).unwrap();
    assert!(notice.score() >= 0.9, "the notice in Russian was recognised with {notice:?}");
    assert!(likeness("kk", "recorded-notice", &spoken.pcm) < 0.3, "and not in Kazakh");
    // Barge-in: the question stops, and what follows begins at once.
    let barged = Duration::from_nanos(spoken.arrival_ns(notice.at).unwrap() - pressed_ns);
    println!("from the key to the next prompt: {barged:?}");
    assert!(barged <= BARGE_IN, "the next prompt came {barged:?} after the key");
    assert!(score("en", "choose-language", &spoken.pcm) < 0.5, "the rest of the question is not heard");

    let row = ended(&server, "id, number, trunk, language, topic, queue, agent, end_reason, waited_ms > 0, connected_ms > answered_ms");
    assert_eq!(row, "1|109|city|ru|heating|heating|daniyar|caller_hung_up|1|1");
    let wait = server.rows("SELECT queue, language, how, waited_ms = left_ms - entered_ms, waited_ms FROM queue_events");
    assert!(wait.starts_with("heating|ru|answered|1|"), "{wait}");
    server.rows_become(
        "SELECT n, party, name, answered_ms IS NOT NULL, end_reason FROM legs ORDER BY n",
        "0|resident||1|caller_hung_up\n1|agent|daniyar|1|caller_hung_up",
    );
    let length_ms: i64 = server
        .rows_until("SELECT length_ms FROM recordings WHERE agent = 'daniyar' AND length_ms IS NOT NULL", SOON, |rows| !rows.is_empty())
        .parse()
        .unwrap();
    assert!((7_900..=10_500).contains(&length_ms), "{length_ms} ms");
    let channels = read_wav(&server.recording(1, 1)).unwrap();
    let [left, right] = channels.as_slice() else { panic!("two channels, not {}", channels.len()) };
    let judged = recording::judge(left, right, &at_resident.said, &at_operator.said);
    println!("recording: skew {:?} ms, drift {} ms", judged.skew_ms, judged.drift_ms);
    assert!(judged.strangers.is_empty(), "{judged:?}");
    assert_eq!((judged.left.missing, judged.right.missing), (0, 0));
    assert!(judged.skew_ms.is_some_and(|skew| skew.abs() <= 40.0), "{judged:?}");
}

#[test]
fn the_operator_may_hang_up_first() {
    let server = Server::start("operator-ends", &short_city_with_one());
    let mut talk = talk(&server, chirping("+77011234546"), Then::AnswerFor(Duration::from_secs(1)));
    assert_eq!(talk.call.wait_for_end(SOON).unwrap(), Event::Ended(Side::Them));
    assert_eq!(talk.answered.wait_for_end(SOON).unwrap(), Event::Ended(Side::Us));
    assert_eq!(ended(&server, "end_reason"), "operator_hung_up");
}

#[test]
fn who_presses_nothing_ends_at_a_human() {
    let server = Server::start("silent", &ONE_OPERATOR.replace("\"heating\"", "\"general\""));
    let operator = phone_of(&server, "202", rings(50, Then::Answer, OPERATOR));
    let phone = Phone::on_loopback().unwrap();
    let call = calls(&server, &phone, "109", chirping("+77011234547"));
    let mut answered = operator.next_call(Duration::from_secs(180)).unwrap();
    answered.wait_for(Event::Confirmed, SOON).unwrap();
    answered.wait_for(Event::FirstSound, SOON).unwrap();
    assert_eq!(server.rows("SELECT count(*) FROM steps WHERE key IS NOT NULL"), "0");
    call.hang_up().unwrap();
    answered.wait_for_end(SOON).unwrap();
    assert_eq!(ended(&server, "language, topic, agent"), "kk|other|daniyar");
}

#[test]
fn the_language_is_remembered() {
    let server = Server::start("remembered", ONE_OPERATOR);
    let phone = Phone::on_loopback().unwrap();
    let mut first = calls(&server, &phone, "109", chirping("+77011234548"));
    in_step(&server, "language");
    first.press("2").unwrap();
    in_step(&server, "recorded");
    first.hang_up().unwrap();
    first.wait_for_end(SOON).unwrap();
    server.rows_until("SELECT language FROM callers", SOON, |rows| rows == "ru");
    let mut second = calls(&server, &phone, "109", chirping("+77011234548"));
    server.rows_until("SELECT count(*) FROM steps WHERE call_id = 2 AND step = 'hours'", SPOKEN, |rows| rows == "1");
    second.hang_up().unwrap();
    let pcm = record(&mut second).heard.timeline().pcm;
    let notice = score("ru", "recorded-notice", &pcm);
    assert!(notice >= 0.9 && score("kk", "choose-language", &pcm) < 0.3, "the notice in Russian: {notice}");
}

#[test]
fn key_0_hands_over_to_112_at_once() {
    let centre = Phone::on_loopback().unwrap();
    centre.on_call(rings(200, Then::Answer, CENTRE_112)).unwrap();
    let trunk = format!("[trunks.city]\nfrom = [\"127.0.0.1\"]\nto = \"{}\"\n{ONE_OPERATOR}", centre.address());
    let server = Server::start("emergency", &trunk);
    let phone = Phone::on_loopback().unwrap();
    let mut call = calls(&server, &phone, "109", chirping("+77011234549"));
    call.wait_for(Event::FirstSound, SOON).unwrap();
    call.press("0").unwrap();
    let mut answered = centre.next_call(SOON).unwrap();
    assert_eq!((answered.to.as_str(), answered.from.as_str()), ("112", "+77011234549"));
    answered.wait_for(Event::Confirmed, SOON).unwrap();
    goes_on(&mut call, Duration::from_secs(3));
    answered.hang_up().unwrap();
    assert_eq!(call.wait_for_end(SOON).unwrap(), Event::Ended(Side::Them));
    let [resident, centre] = [&mut call, &mut answered].map(|side| record(side).heard.timeline().pcm);
    assert!(heard(&resident, CENTRE_112).is_some_and(|hearing| hearing.chirps.len() >= 8), "the resident hears 112");
    assert!(heard(&centre, RESIDENT).is_some_and(|hearing| hearing.chirps.len() >= 8), "112 hears the resident");
    assert_eq!(ended(&server, "topic, end_reason"), "emergency|outside_ended");
}

/// The far voice is heard whole, and soon after it was spoken.
fn hears(ear: &Record, voice: Voice, mouth: &Record) {
    let timeline = ear.heard.timeline();
    let hearing = heard(&timeline.pcm, voice).expect("the far voice is heard");
    assert!(hearing.chirps.len() >= 30, "{hearing:?}");
    assert_eq!((hearing.missing, hearing.repeated, hearing.disordered), (0, 0, 0));
    let delays = hearing.delays(&timeline, &mouth.said);
    let late = delays[delays.len() * 95 / 100];
    assert!(late <= MOUTH_TO_EAR, "mouth to ear: {delays:?}");
    println!("mouth to ear: median {:?}, 95 % {late:?}", delays[delays.len() / 2]);
}

/// Waits until a caller has come to this step of the plan.
fn in_step(server: &Server, step: &str) {
    let select = format!("SELECT count(*) FROM steps WHERE step = '{step}'");
    server.rows_until(&select, SPOKEN, |rows| rows != "0");
}

/// Presses "2" in the language step and "1" in the menu, each once the plan is there; returns when the first was pressed.
fn choose_russian_and_heating(server: &Server, call: &Call) -> u64 {
    in_step(server, "language");
    let pressed_ns = wall_ns();
    call.press("2").unwrap();
    in_step(server, "topics");
    call.press("1").unwrap();
    pressed_ns
}
