//! Who hears what while somebody holds, at the desk or by a phone?

use cityline::centre::fact::{AgentStatus, EndReason, Fact};
use cityline::centre::ids::{CallId, LegId};
use cityline::centre::input::FromMedia;
use cityline::centre::output::{Output, Refusal, ToMedia};

use super::story::Story;
use crate::city::three_operators;

fn city() -> Story {
    let mut story = Story::new(three_operators());
    story.signs_in("aigul", &[11]);
    story
}

fn held(story: &Story) -> Vec<(u16, bool)> {
    let held = |fact: &Fact| match fact {
        Fact::Held { leg, held } => Some((leg.n, *held)),
        _ => None,
    };
    story.told.iter().filter_map(|(_, fact)| held(fact)).collect()
}

fn operators_leg(call: CallId) -> LegId {
    LegId { call, n: 1 }
}

fn phone_holds(story: &mut Story, leg: LegId, held: bool) {
    story.media(FromMedia::Held { leg, held });
}

#[test]
fn a_resident_on_hold_hears_music_and_nobody_hears_them() {
    let mut story = city();
    let call = story.talks_with(77, "aigul");
    assert_eq!(story.matrix(call), "0:1 1:0");
    story.holds("aigul", call);
    assert_eq!(story.matrix(call), "");
    assert!(story.hears_music(LegId::caller(call)) && !story.hears_music(operators_leg(call)));
    story.holds("aigul", call);
    story.resumes("aigul", call);
    assert_eq!(story.matrix(call), "0:1 1:0");
    assert!(!story.hears_music(LegId::caller(call)));
    assert_eq!(held(&story), [(1, true), (1, false)], "each change is told once");
    assert_eq!(story.agent("aigul"), AgentStatus::Talking(call));
    story.hangs_up(call);
    story.everything_is_released();
}

/// The recording is one file: its timeline goes on, and in a hold nobody is heard on it.
#[test]
fn a_hold_neither_ends_nor_begins_a_recording() {
    let mut story = city();
    let call = story.talks_with(77, "aigul");
    story.holds("aigul", call);
    story.pass(60_000);
    story.resumes("aigul", call);
    assert_eq!(story.asked_count(|output| matches!(output, Output::Media(ToMedia::Record { .. }))), 1);
    assert_eq!(story.asked_count(|output| matches!(output, Output::Media(ToMedia::StopRecord { .. }))), 0);
}

#[test]
fn a_phone_that_holds_gives_the_other_side_music() {
    for (holder, other) in [(1, 0), (0, 1)] {
        let mut story = city();
        let call = story.talks_with(77, "aigul");
        let [holder, other] = [holder, other].map(|n| LegId { call, n });
        phone_holds(&mut story, holder, true);
        assert_eq!(story.matrix(call), "");
        assert!(story.hears_music(other) && !story.hears_music(holder));
        phone_holds(&mut story, holder, true);
        phone_holds(&mut story, holder, false);
        assert_eq!((story.matrix(call).as_str(), story.hears_music(other)), ("0:1 1:0", false));
        assert_eq!(held(&story), [(holder.n, true), (holder.n, false)]);
    }
}

#[test]
fn a_hold_at_the_desk_and_by_the_phone_is_one_hold_that_ends_with_the_last() {
    let mut story = city();
    let call = story.talks_with(77, "aigul");
    story.holds("aigul", call);
    phone_holds(&mut story, operators_leg(call), true);
    story.resumes("aigul", call);
    assert_eq!((story.matrix(call).as_str(), story.hears_music(LegId::caller(call))), ("", true));
    phone_holds(&mut story, operators_leg(call), false);
    assert_eq!(story.matrix(call), "0:1 1:0");
    assert_eq!(held(&story), [(1, true), (1, false)]);
}

#[test]
fn who_holds_before_the_talk_is_not_talked_to_when_it_begins() {
    let mut story = city();
    let call = story.waits_for_heating(77);
    phone_holds(&mut story, LegId::caller(call), true);
    story.pass(100);
    let leg = story.rings_at("aigul");
    story.answers(leg);
    assert_eq!(story.matrix(call), "");
    assert!(story.hears_music(leg));
    phone_holds(&mut story, LegId::caller(call), false);
    assert_eq!(story.matrix(call), "0:1 1:0");
}

#[test]
fn a_silent_line_on_hold_is_no_dead_line() {
    let mut story = city();
    let call = story.talks_with(77, "aigul");
    story.holds("aigul", call);
    story.media(FromMedia::SoundLost { leg: LegId::caller(call) });
    story.pass(600_000);
    assert_eq!(story.ended(call), None);
    story.resumes("aigul", call);
    story.pass(60_000);
    assert_eq!(story.ended(call), Some(EndReason::NoSound), "back in the talk it is one");
    story.everything_is_released();
}

#[test]
fn only_the_operator_of_the_talk_may_hold() {
    let mut story = city();
    story.signs_in("bolat", &[12]);
    let call = story.talks_with(77, "aigul");
    story.holds("bolat", call);
    assert_eq!(story.refused("bolat"), Some(Refusal::NotYourTalk));
    assert_eq!(story.matrix(call), "0:1 1:0");
    let waits = story.waits_for_heating(78);
    story.holds("aigul", waits);
    assert_eq!(story.refused("aigul"), Some(Refusal::NotYourTalk));
}

#[test]
fn a_hang_up_on_hold_ends_the_call_from_either_side() {
    for side in [0, 1] {
        let mut story = city();
        let call = story.talks_with(77, "aigul");
        story.holds("aigul", call);
        story.leg_hangs_up(LegId { call, n: side });
        let reason = if side == 0 { EndReason::CallerHungUp } else { EndReason::OperatorHungUp };
        assert_eq!((story.ended(call), story.agent("aigul")), (Some(reason), AgentStatus::WrapUp));
        story.everything_is_released();
    }
}
