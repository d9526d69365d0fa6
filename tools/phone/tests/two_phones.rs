//! Do two of our phones understand each other: calls, keys, sound both ways, and every way to end?
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::{Duration, Instant};

use cityline_phone::judge::chirp::Voice;
use cityline_phone::judge::find;
use cityline_phone::line::Record;
use cityline_phone::media::codec::Codec;
use cityline_phone::sdp::Direction;
use cityline_phone::sip::transport::Peer;
use cityline_phone::{AnswerOptions, Behaviour, Call, CallOptions, Event, Phone, Side, Sound, Then};

const SOON: Duration = Duration::from_secs(5);

fn pair() -> (Phone, Phone) {
    (Phone::on_loopback().unwrap(), Phone::on_loopback().unwrap())
}

fn answered(caller: &Phone, callee: &Phone, options: CallOptions) -> (Call, Call) {
    let mut call = caller.call(&callee.uri("109"), options).unwrap();
    let mut taken = callee.next_call(SOON).unwrap();
    call.wait_for(Event::Answered, SOON).unwrap();
    taken.wait_for(Event::Confirmed, SOON).unwrap();
    (call, taken)
}

#[test]
fn chirps_arrive_both_ways_whole_and_soon() {
    let (caller, callee) = pair();
    let (ours, theirs) = (Voice::new(0, 1), Voice::new(1, 2));
    callee.on_call(Behaviour::answering(Duration::from_millis(20), Sound::Chirps(theirs))).unwrap();
    let (mut call, mut taken) = answered(&caller, &callee, CallOptions { sound: Sound::Chirps(ours), ..CallOptions::default() });
    taken.wait_for(Event::FirstSound, SOON).unwrap();
    let end = taken.wait_until("nothing", Duration::from_millis(1500), |_| false);
    assert!(end.is_err());
    call.hang_up().unwrap();
    assert_eq!(call.wait_for_end(SOON).unwrap(), Event::Ended(Side::Us));
    assert_eq!(taken.wait_for_end(SOON).unwrap(), Event::Ended(Side::Them));
    let (mine, its) = (call.record().unwrap(), taken.record().unwrap());
    judge(&mine, &its, theirs);
    judge(&its, &mine, ours);
}

fn judge(ear: &Record, mouth: &Record, voice: Voice) {
    let timeline = ear.heard.timeline();
    let hearings = find::hearings(&find::chirps(&timeline.pcm, &[0, 1, 2, 3]));
    assert_eq!(hearings.keys().collect::<Vec<_>>(), [&voice]);
    let hearing = &hearings[&voice];
    assert!(hearing.is_whole(2) && hearing.chirps.len() >= 5, "{hearing:?}");
    let delays = hearing.delays(&timeline, &mouth.said);
    assert!(delays.len() == hearing.chirps.len() && delays[0] >= Duration::from_millis(20), "{delays:?}");
    assert!(delays[delays.len() / 2] < Duration::from_millis(60), "{delays:?}");
}

#[test]
fn keys_arrive_by_all_three_ways() {
    let (caller, callee) = pair();
    let (call, mut taken) = answered(&caller, &callee, CallOptions { codecs: vec![Codec::Ulaw], ..CallOptions::default() });
    call.press("12").unwrap();
    taken.wait_for(Event::Digit('1'), SOON).unwrap();
    taken.wait_for(Event::Digit('2'), SOON).unwrap();
    call.press_by_info("7").unwrap();
    taken.wait_until("INFO", SOON, |event| matches!(event, Event::Info(body) if body.contains("Signal=7"))).unwrap();
    call.press_in_band("5").unwrap();
    taken.wait_for(Event::FirstSound, SOON).unwrap();
}

#[test]
fn every_way_to_end_is_told_to_both() {
    let (caller, callee) = pair();
    let ends = |then: Then, give_up: bool| {
        callee.on_call(Behaviour { ring_for: Duration::ZERO, then, answer: AnswerOptions::default() }).unwrap();
        let mut call = caller.call(&callee.uri("1520"), CallOptions::default()).unwrap();
        let mut taken = callee.next_call(SOON).unwrap();
        call.wait_for(Event::Progress(180), SOON).unwrap();
        if give_up {
            call.hang_up().unwrap();
        }
        (call.wait_for_end(SOON).unwrap(), taken.wait_for_end(SOON).unwrap())
    };
    assert_eq!(ends(Then::AnswerFor(Duration::from_millis(50)), false), (Event::Ended(Side::Them), Event::Ended(Side::Us)));
    assert_eq!(ends(Then::Reject(486), false), (Event::Rejected(486), Event::Ended(Side::Us)));
    assert_eq!(ends(Then::RingOn, true), (Event::Ended(Side::Us), Event::Cancelled));
}

#[test]
fn hold_stops_the_sound_and_takes_it_back() {
    let (caller, callee) = pair();
    callee.on_call(Behaviour::answering(Duration::ZERO, Sound::Chirps(Voice::new(0, 0)))).unwrap();
    let (mut call, mut taken) = answered(&caller, &callee, CallOptions::default());
    call.wait_for(Event::FirstSound, SOON).unwrap();
    call.change(Direction::SendOnly).unwrap();
    call.wait_for(Event::ChangeAnswered(200), SOON).unwrap();
    taken.wait_for(Event::Changed { listens: false }, SOON).unwrap();
    call.change(Direction::SendRecv).unwrap();
    taken.wait_for(Event::Changed { listens: true }, SOON).unwrap();
}

#[test]
fn tcp_carries_a_call_as_well() {
    let (caller, callee) = pair();
    let (mut call, mut taken) = answered(&caller, &callee, CallOptions { tcp: true, ..CallOptions::default() });
    taken.wait_for(Event::FirstPacket, SOON).unwrap();
    taken.hang_up().unwrap();
    assert_eq!(call.wait_for_end(SOON).unwrap(), Event::Ended(Side::Them));
    assert_eq!(caller.ask_options(&callee.uri("x"), Peer::Tcp(callee.address()), SOON).unwrap(), 200);
    assert_eq!(caller.ask_options(&callee.uri("x"), Peer::Udp(callee.address()), SOON).unwrap(), 200);
}

#[test]
fn nobody_there_is_a_wait_that_ends() {
    let phone = Phone::on_loopback().unwrap();
    let begin = Instant::now();
    let mut call = phone.call("sip:109@127.0.0.1:9", CallOptions::default()).unwrap();
    let missed = call.wait_for(Event::Answered, Duration::from_millis(1700)).unwrap_err();
    assert!(missed.to_string().contains("Answered") && begin.elapsed() < SOON);
    assert_eq!(phone.counters().unwrap().retransmitted, 2);
    assert!(phone.call("sip:109@city.example", CallOptions::default()).is_err());
}
