//! What if somebody who is called has not answered yet? Whoever called them hears that it rings, or the sound that comes before an answer.

use cityline::centre::ids::{CallId, CallTo, CallerRef, LegId, SdpRef};
use cityline::centre::input::{Codec, FromDesk, FromLine, FromMedia, MediaFailure};
use cityline::centre::output::{Output, Sound, ToMedia};

use super::story::Story;
use crate::city::three_operators;

const OUTSIDE: CallTo = CallTo::Outside(CallerRef(4711));

/// Aigul talks with a resident and calls a number outside, which is dialled.
fn asks_outside() -> (Story, CallId, LegId) {
    let mut story = Story::new(three_operators());
    story.signs_in("aigul", &[11]);
    let call = story.talks_with(77, "aigul");
    story.consults_with("aigul", call, OUTSIDE);
    story.pass(10);
    let (leg, _) = story.number_rings();
    (story, call, leg)
}

/// Whether this leg hears the ringing tone by the last order.
fn hears_tone(story: &Story, leg: LegId) -> bool {
    let last = story.asked.iter().rev().find_map(|output| match output {
        Output::Media(ToMedia::Play { leg: id, sounds, .. }) if *id == leg => Some(*sounds == [Sound::RingTone]),
        Output::Media(ToMedia::StopPlay { leg: id }) if *id == leg => Some(false),
        _ => None,
    });
    last == Some(true)
}

fn sounds_early(story: &mut Story, leg: LegId) {
    story.line(FromLine::EarlyMedia { leg, sdp: SdpRef(9) });
    assert_eq!(story.asked.last(), Some(&Output::Media(ToMedia::Agree { leg, sdp: SdpRef(9), answer: false })));
    story.media(FromMedia::Agreed { leg, codec: Codec::Pcma, answer: None, about: Some(SdpRef(9)) });
}

#[test]
fn the_operator_hears_the_ringing_tone_until_the_answer() {
    let (mut story, call, leg) = asks_outside();
    let operator = LegId { call, n: 1 };
    story.pass(100);
    assert!(hears_tone(&story, operator) && story.hears_music(LegId::caller(call)) && story.matrix(call).is_empty());
    story.answers(leg);
    assert_eq!((hears_tone(&story, operator), story.matrix(call).as_str()), (false, "1:2 2:1"));
    story.hangs_up(call);
    story.everything_is_released();
}

#[test]
fn the_operator_hears_what_comes_before_the_answer_and_is_not_heard() {
    let (mut story, call, leg) = asks_outside();
    story.pass(100);
    sounds_early(&mut story, leg);
    assert_eq!((hears_tone(&story, LegId { call, n: 1 }), story.matrix(call).as_str()), (false, "1:2"));
    story.refuses(leg, 486);
    assert_eq!((story.matrix(call).as_str(), story.hears_music(LegId::caller(call))), ("0:1 1:0", false));
    story.hangs_up(call);
    story.everything_is_released();
}

#[test]
fn early_sound_that_cannot_be_taken_ends_nothing() {
    let (mut story, call, leg) = asks_outside();
    story.pass(100);
    story.line(FromLine::EarlyMedia { leg, sdp: SdpRef(9) });
    story.media(FromMedia::Failed { leg, why: MediaFailure::NoCodec, about: Some(SdpRef(9)) });
    assert!(hears_tone(&story, LegId { call, n: 1 }), "it still rings");
    story.answers(leg);
    assert_eq!(story.matrix(call), "1:2 2:1");
    story.hangs_up(call);
    story.everything_is_released();
}

/// Failures have a lane of their own: that of the answer arrives before the outcome of what came early.
#[test]
fn a_failed_answer_that_overtakes_early_sound_is_not_taken_for_it() {
    for about_early in [Some(SdpRef(9)), None] {
        let (mut story, call, leg) = asks_outside();
        story.pass(100);
        story.shells.agrees = false;
        story.line(FromLine::EarlyMedia { leg, sdp: SdpRef(9) });
        story.line(FromLine::Answered { leg, sdp: SdpRef(10) });
        story.media(FromMedia::Failed { leg, why: MediaFailure::NoCodec, about: about_early.map(|_| SdpRef(10)) });
        let ended = story.asked.iter().any(|output| matches!(output, Output::Media(ToMedia::Close { leg: id }) if *id == leg));
        assert_eq!(ended, about_early.is_some(), "a report of an older journal is the oldest order's");
        story.media(FromMedia::Agreed { leg, codec: Codec::Pcma, answer: None, about: about_early });
        assert_eq!(story.matrix(call), if ended { "0:1 1:0" } else { "1:2 2:1" });
        story.hangs_up(call);
        story.everything_is_released();
    }
}

#[test]
fn who_calls_a_resident_hears_them_ring_and_speak_before_the_answer() {
    let mut story = Story::new(three_operators());
    story.signs_in("aigul", &[11]);
    let (call, agent) = (CallId(900), "aigul");
    story.desk(FromDesk::CallOut { agent: agent.into(), call, to: CallerRef(4711), queue: Some("heating".into()), shown: None });
    story.pass(100);
    let operator = story.rings_at(agent);
    story.answers(operator);
    story.pass(100);
    let resident = LegId::caller(call);
    assert!(hears_tone(&story, operator));
    sounds_early(&mut story, resident);
    assert_eq!((hears_tone(&story, operator), story.matrix(call).as_str()), (false, "1:0"));
    story.answers(resident);
    assert_eq!(story.matrix(call), "0:1 1:0");
    story.hangs_up(call);
    story.everything_is_released();
}

#[test]
fn a_resident_who_is_given_to_a_number_hears_it_ring_and_speak_and_one_given_to_a_colleague_music() {
    let mut story = Story::new(three_operators());
    story.signs_in("aigul", &[11]);
    let call = story.talks_with(77, "aigul");
    let resident = LegId::caller(call);
    story.transfers("aigul", call, OUTSIDE);
    story.pass(100);
    assert!(hears_tone(&story, resident) && story.matrix(call).is_empty());
    let (leg, _) = story.number_rings();
    sounds_early(&mut story, leg);
    assert_eq!((hears_tone(&story, resident), story.matrix(call).as_str()), (false, "0:2"));
    story.refuses(leg, 486);
    assert!(story.hears_music(resident), "in the queue that the talk came from");
    story.hangs_up(call);
    story.pass(60_000);
    let call = story.talks_with(78, "aigul");
    story.signs_in("bolat", &[12]);
    story.transfers("aigul", call, CallTo::Agent("bolat".into()));
    assert!(story.hears_music(LegId::caller(call)));
    story.hangs_up(call);
    story.everything_is_released();
}

#[test]
fn a_resident_who_dials_112_hears_it_ring_once_the_announcement_is_over() {
    let mut story = Story::new(three_operators());
    let call = story.calls(77);
    story.pass(100);
    story.presses(call, '0');
    story.pass(500);
    let resident = LegId::caller(call);
    assert!(!hears_tone(&story, resident), "the announcement is heard to its end");
    story.pass(2_000);
    assert!(hears_tone(&story, resident));
    let leg = story.outside_rings();
    story.answers(leg);
    assert!(!hears_tone(&story, resident) && story.matrix(call) == "0:1 1:0");
    story.hangs_up(call);
    story.everything_is_released();
}
