//! What if sound, signalling or a shell fails? The call ends or goes on as the plan says, and nothing is left of it.

use cityline::centre::fact::{AgentStatus, EndReason, Fact, OfferEnd};
use cityline::centre::ids::{CallId, LegId, SdpRef};
use cityline::centre::input::{FromLine, FromMedia, Input, MediaFailure, Quality};
use cityline::centre::output::{Output, ToLine, ToMedia};

use super::story::Story;
use crate::city::{PHONE, operator, settings, with};

fn city() -> Story {
    let mut story = Story::new(with(settings(), "aigul", operator(&["kk", "ru", "heating"], PHONE)));
    story.signs_in("aigul", &[11]);
    story
}

#[test]
fn a_caller_for_whom_no_port_can_be_opened_is_refused_with_the_right_status() {
    let cases = [(MediaFailure::NoPort, 503), (MediaFailure::Overloaded, 503), (MediaFailure::NoCodec, 488), (MediaFailure::BadSdp, 488)];
    for (why, expected) in cases {
        let mut story = city();
        story.shells.opens = false;
        let call = story.calls(77);
        story.media_fails(LegId::caller(call), why);
        let rejected = |output: &Output| matches!(output, Output::Line(ToLine::Reject { status, .. }) if *status == expected);
        assert_eq!(story.asked_count(rejected), 1, "{why:?}");
        assert_eq!(story.ended(call), Some(EndReason::MediaFailed));
        story.everything_is_released();
    }
}

#[test]
fn a_caller_whose_sound_fails_later_is_hung_up_at_any_stage() {
    for stage in ["late offer", "menu", "queue", "ringing", "talking"] {
        let mut story = city();
        if stage == "queue" {
            story.pauses("aigul", "lunch");
        }
        let call = match stage {
            "late offer" => story.calls_number(77, "109", false),
            "menu" => story.calls(77),
            "talking" => story.talks_with(77, "aigul"),
            _ => story.waits_for_heating(77),
        };
        story.pass(100);
        story.media_fails(LegId::caller(call), MediaFailure::Overloaded);
        assert_eq!(story.ended(call), Some(EndReason::MediaFailed), "{stage}");
        let bye = |output: &Output| matches!(output, Output::Line(ToLine::HangUp { leg, .. }) if *leg == LegId::caller(call));
        assert_eq!(story.asked_count(bye), 1, "{stage}");
        story.everything_is_released();
    }
}

#[test]
fn an_operators_phone_without_a_port_ends_the_offer_alone() {
    let mut story = city();
    let call = story.waits_for_heating(77);
    story.media_fails(LegId { call, n: 1 }, MediaFailure::NoPort);
    assert_eq!(story.offers(call), [("aigul".to_owned(), OfferEnd::Failed(488))]);
    assert_eq!(story.ended(call), None);
    assert_eq!(story.asked_count(|output| matches!(output, Output::Line(ToLine::Dial { .. }))), 0);
}

#[test]
fn sound_that_fails_on_the_operators_side_ends_the_talk() {
    let mut story = city();
    let call = story.talks_with(77, "aigul");
    story.media_fails(LegId { call, n: 1 }, MediaFailure::Overloaded);
    assert_eq!(story.ended(call), Some(EndReason::MediaFailed));
    story.everything_is_released();
}

#[test]
fn a_talk_without_sound_from_the_resident_ends_after_its_time_and_not_when_it_comes_back() {
    let mut story = city();
    let call = story.talks_with(77, "aigul");
    let leg = LegId::caller(call);
    story.media(FromMedia::SoundLost { leg });
    story.pass(59_000);
    story.media(FromMedia::SoundBack { leg });
    story.pass(120_000);
    assert_eq!(story.ended(call), None);
    story.media(FromMedia::SoundLost { leg: LegId { call, n: 1 } });
    story.pass(120_000);
    assert_eq!(story.ended(call), None, "an operator may mute the phone");
    story.media(FromMedia::SoundLost { leg });
    story.pass(60_000);
    assert_eq!(story.ended(call), Some(EndReason::NoSound));
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::LegSound { lost: true, .. })), 3);
    story.everything_is_released();
}

#[test]
fn a_talk_whose_far_end_hears_nothing_ends_after_its_time_whichever_side_it_is() {
    for side in [0, 1] {
        let mut story = city();
        let call = story.talks_with(77, "aigul");
        let leg = LegId { call, n: side };
        story.media(FromMedia::Unheard { leg, unheard: true });
        story.pass(59_000);
        story.media(FromMedia::Unheard { leg, unheard: false });
        story.pass(120_000);
        assert_eq!(story.ended(call), None);
        story.media(FromMedia::SoundLost { leg: LegId::caller(call) });
        story.pass(30_000);
        story.media(FromMedia::Unheard { leg, unheard: true });
        story.pass(10_000);
        story.media(FromMedia::SoundBack { leg: LegId::caller(call) });
        story.pass(20_000);
        assert_eq!(story.ended(call), Some(EndReason::NoSound), "counted from the first of both");
        let quality = Quality { expected: 100, received: 90, ..Quality::default() };
        story.media(FromMedia::Quality { leg, quality });
        assert_eq!(story.told_count(|fact| matches!(fact, Fact::LegQuality { .. })), 1, "a leg's figures come when it is over");
        story.everything_is_released();
    }
}

#[test]
fn no_sound_for_ever_may_be_allowed() {
    let mut lenient = with(settings(), "aigul", operator(&["kk", "ru", "heating"], PHONE));
    lenient.limits.no_sound_ends_ms = 0;
    let mut story = Story::new(lenient);
    let call = story.waits_for_heating(77);
    story.media(FromMedia::SoundLost { leg: LegId::caller(call) });
    story.pass(3_600_000);
    assert_eq!(story.ended(call), None);
}

#[test]
fn a_shell_that_is_full_costs_the_leg_that_it_could_not_serve() {
    let mut story = city();
    let call = story.waits_for_heating(77);
    story.pass(100);
    let leg = story.rings_at("aigul");
    story.happens(Input::ShellLost { leg });
    assert_eq!(story.offers(call), [("aigul".to_owned(), OfferEnd::Failed(488))]);
    assert_eq!(story.ended(call), None);
    story.happens(Input::ShellLost { leg: LegId::caller(call) });
    assert_eq!(story.ended(call), Some(EndReason::ShellLost));
    story.happens(Input::ShellLost { leg: LegId::caller(call) });
    story.everything_is_released();
}

#[test]
fn a_poisoned_call_ends_and_all_others_go_on() {
    for stage in ["arriving", "menu", "ringing", "talking"] {
        let mut story = city();
        let other = story.waits_for(1, '2');
        let call = match stage {
            "talking" => story.talks_with(77, "aigul"),
            "ringing" => story.waits_for_heating(77),
            _ => story.calls(77),
        };
        if ["menu", "ringing"].contains(&stage) {
            story.pass(100);
        }
        story.happens(Input::CallPoisoned { call });
        assert_eq!(story.ended(call), Some(EndReason::Poisoned), "{stage}");
        assert_eq!(story.ended(other), None, "{stage}");
        story.happens(Input::CallPoisoned { call });
        story.hangs_up(other);
        story.everything_is_released();
    }
}

#[test]
fn a_refusal_told_of_the_residents_own_leg_ends_the_call() {
    let mut story = city();
    let call = story.waits_for_heating(77);
    story.refuses(LegId::caller(call), 500);
    assert_eq!(story.ended(call), Some(EndReason::SignallingFailed), "a call without its resident would be a zombie");
    story.everything_is_released();
}

#[test]
fn a_recording_that_outlives_its_call_is_told_once() {
    let mut story = city();
    let call = story.talks_with(77, "aigul");
    story.hangs_up(call);
    let stop = |output: &Output| match output {
        Output::Media(ToMedia::StopRecord { recording }) => Some(*recording),
        _ => None,
    };
    let recording = story.asked.iter().find_map(stop).unwrap();
    for _ in 0..2 {
        story.media(FromMedia::Recorded { recording, length_ms: 5_000, lost_ms: 0 });
    }
    story.pass(100);
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::RecordingEnded { length_ms: 5_000, .. })), 1);
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::RecordingEnded { .. })), 1);
}

/// AST#1736, AST#759: every count is made of facts, and each thing that happens is told once.
#[test]
fn each_event_of_a_talk_is_one_fact() {
    let mut story = city();
    let call = story.talks_with(77, "aigul");
    let leg = LegId { call, n: 1 };
    story.line(FromLine::Answered { leg, sdp: SdpRef(9) });
    story.media(FromMedia::Opened { leg, sdp: SdpRef(9) });
    story.pass(1_000);
    story.leg_hangs_up(leg);
    story.leg_hangs_up(leg);
    story.hangs_up(call);
    let count = |is: fn(&Fact) -> bool| story.told_count(is);
    assert_eq!(count(|fact| matches!(fact, Fact::CallStarted { .. })), 1);
    assert_eq!(count(|fact| matches!(fact, Fact::CallAnswered { .. })), 1);
    assert_eq!(count(|fact| matches!(fact, Fact::Enqueued { .. })), 1);
    assert_eq!(count(|fact| matches!(fact, Fact::Offered { .. })), 1);
    assert_eq!(count(|fact| matches!(fact, Fact::Connected { .. })), 1);
    assert_eq!(count(|fact| matches!(fact, Fact::Dequeued { .. })), 1);
    assert_eq!(count(|fact| matches!(fact, Fact::LegStarted { .. })), 2);
    assert_eq!(count(|fact| matches!(fact, Fact::LegAnswered { .. })), 2);
    assert_eq!(count(|fact| matches!(fact, Fact::LegEnded { .. })), 2);
    assert_eq!(count(|fact| matches!(fact, Fact::CallEnded { .. })), 1);
    assert_eq!(story.agent("aigul"), AgentStatus::WrapUp);
}

#[test]
fn an_operator_is_in_one_talk_however_many_wait() {
    let mut story = city();
    let calls: Vec<CallId> = (1..=3).map(|caller| story.waits_for_heating(caller)).collect();
    story.pass(100);
    let leg = story.rings_at("aigul");
    story.answers(leg);
    story.pass(10_000);
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::Offered { .. })), 1);
    assert_eq!(story.agent("aigul"), AgentStatus::Talking(calls[0]));
}
