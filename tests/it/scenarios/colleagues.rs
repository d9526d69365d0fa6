//! What if operators call each other by their phones? No queue, no resident, and everybody goes on as before.

use cityline::centre::fact::{AgentStatus, EndReason, Fact};
use cityline::centre::ids::{AgentId, CallId, LegId, SdpRef};
use cityline::centre::input::{FromDesk, FromLine, FromMedia, HangUpCause, Input, ReferTo};
use cityline::centre::output::{Output, Shown, ToLine};

use super::story::Story;
use crate::city::three_operators;

fn city() -> Story {
    let mut story = Story::new(three_operators());
    story.signs_in("aigul", &[11]);
    story.signs_in("bolat", &[12]);
    story
}

fn calls(story: &mut Story, call: u64, from: &str, to: &str) -> CallId {
    let call = CallId(call);
    story.line(FromLine::PhoneCalled { call, from: from.into(), to: to.into(), sdp: Some(SdpRef(1)) });
    story.pass(100);
    call
}

fn talk(story: &mut Story) -> CallId {
    let call = calls(story, 50, "aigul", "bolat");
    let leg = story.rings_at("bolat");
    story.answers(leg);
    call
}

fn refusals(story: &Story) -> Vec<u16> {
    let status = |output: &Output| match output {
        Output::Line(ToLine::Reject { status, .. }) => Some(*status),
        _ => None,
    };
    story.asked.iter().filter_map(status).collect()
}

fn dialled(story: &Story) -> Vec<(Shown, Option<LegId>)> {
    let dial = |output: &Output| match output {
        Output::Line(ToLine::Dial { shown, replaces, .. }) => Some((shown.clone(), *replaces)),
        _ => None,
    };
    story.asked.iter().filter_map(dial).collect()
}

#[test]
fn two_operators_talk_and_are_back_where_they_were() {
    let mut story = city();
    story.pauses("bolat", "lunch");
    let call = talk(&mut story);
    assert!(story.asked.iter().any(|output| matches!(output, Output::Line(ToLine::Ring { leg }) if *leg == LegId::caller(call))));
    assert_eq!(dialled(&story), [(Shown::Operator("aigul".into()), None)]);
    assert_eq!(["aigul", "bolat"].map(|who| story.agent(who)), [AgentStatus::Internal(call), AgentStatus::Internal(call)]);
    assert_eq!(story.matrix(call), "0:1 1:0");
    let waiting = story.waits_for_heating(7);
    assert!(story.offers(waiting).is_empty() && story.all_rings_at("aigul").is_empty(), "nobody is free");
    story.leg_hangs_up(LegId { call, n: 1 });
    assert_eq!((story.agent("aigul"), story.agent("bolat")), (AgentStatus::Offered(waiting), AgentStatus::Paused("lunch".into())));
    story.hangs_up(waiting);
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::CallStarted { .. })), 1, "no call of a resident");
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::RecordingStarted { .. } | Fact::Connected { .. })), 0);
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::ColleagueCallEnded { reason: EndReason::OperatorHungUp, .. })), 1);
    story.everything_is_released();
}

#[test]
fn whoever_is_busy_away_or_unknown_is_not_rung() {
    let mut story = city();
    story.desk(FromDesk::DeskUp { agent: "cemre".into(), generation: cityline::centre::ids::Generation(1) });
    for to in ["nobody", "cemre", "aigul"] {
        calls(&mut story, 40, "aigul", to);
    }
    calls(&mut story, 41, "stranger", "aigul");
    let call = talk(&mut story);
    story.signs_in("cemre", &[13]);
    calls(&mut story, 60, "cemre", "bolat");
    assert_eq!(refusals(&story), [404, 480, 486, 403, 486]);
    story.hangs_up(call);
    ["bolat", "cemre"].iter().for_each(|who| story.pauses(who, "lunch"));
    let resident = story.talks_with(7, "aigul");
    calls(&mut story, 70, "bolat", "aigul");
    assert_eq!(refusals(&story).last(), Some(&486), "a resident has aigul");
    story.hangs_up(resident);
    story.everything_is_released();
}

#[test]
fn a_call_that_is_given_up_refused_or_not_answered_leaves_nothing() {
    for what in ["cancel", "refused", "silence", "desk"] {
        let mut story = city();
        let call = calls(&mut story, 50, "aigul", "bolat");
        let leg = story.rings_at("bolat");
        let expected: &[u16] = match what {
            "cancel" => {
                story.line(FromLine::HungUp { leg: LegId::caller(call), cause: HangUpCause::Cancel });
                &[]
            }
            "refused" => {
                story.refuses(leg, 603);
                &[603]
            }
            "silence" => {
                story.pass(31_000);
                &[480]
            }
            _ => {
                story.desk(FromDesk::HangUp { agent: "bolat".into(), call });
                &[603]
            }
        };
        assert_eq!(
            (refusals(&story).as_slice(), story.agent("aigul"), story.agent("bolat")),
            (expected, AgentStatus::Ready, AgentStatus::Ready)
        );
        story.everything_is_released();
    }
}

#[test]
fn wrap_up_ends_when_it_would_have_and_wishes_come_after_the_call() {
    let mut story = city();
    let resident = story.talks_with(7, "aigul");
    story.hangs_up(resident);
    story.pass(5_000);
    let call = talk(&mut story);
    story.pass(5_000);
    story.hangs_up(call);
    assert_eq!(story.agent("aigul"), AgentStatus::WrapUp);
    story.pass(9_000);
    assert_eq!(story.agent("aigul"), AgentStatus::WrapUp, "20 s from the talk");
    story.pass(1_000);
    assert_eq!(story.agent("aigul"), AgentStatus::Ready);
    let call = calls(&mut story, 51, "aigul", "bolat");
    story.pauses("aigul", "break");
    story.desk(FromDesk::SignOut { agent: "bolat".into() });
    assert_eq!(story.agent("aigul"), AgentStatus::Internal(call));
    story.hangs_up(call);
    assert_eq!((story.agent("aigul"), story.agent("bolat")), (AgentStatus::Paused("break".into()), AgentStatus::Offline));
    story.everything_is_released();
}

#[test]
fn a_phone_that_holds_leaves_music_to_the_other() {
    let mut story = city();
    let call = talk(&mut story);
    story.media(FromMedia::Held { leg: LegId::caller(call), held: true });
    assert!(story.matrix(call).is_empty() && story.hears_music(LegId { call, n: 1 }));
    story.media(FromMedia::Held { leg: LegId::caller(call), held: false });
    assert!(story.matrix(call) == "0:1 1:0" && !story.hears_music(LegId { call, n: 1 }));
    story.hangs_up(call);
    story.everything_is_released();
}

#[test]
fn a_call_goes_on_in_the_next_process() {
    let mut story = city();
    let call = talk(&mut story);
    story.restarts(2_000);
    for n in [0, 1] {
        story.happens(Input::LegRecovered { leg: LegId { call, n } });
    }
    assert_eq!((story.matrix(call).as_str(), story.agent("bolat")), ("0:1 1:0", AgentStatus::Internal(call)));
    story.hangs_up(call);
    story.everything_is_released();
    let mut story = city();
    let call = talk(&mut story);
    story.restarts(2_000);
    story.happens(Input::LegGone { leg: LegId { call, n: 1 } });
    assert_eq!(story.centre.calls_up(), 0);
    story.everything_is_released();
}

/// Aigul, who talks with a resident, has called bolat by a call of her phone's own.
fn asks(story: &mut Story) -> (CallId, CallId) {
    let resident = story.talks_with(7, "aigul");
    story.signs_in("bolat", &[12]);
    story.media(FromMedia::Held { leg: LegId { call: resident, n: 1 }, held: true });
    let between = calls(story, 50, "aigul", "bolat");
    assert_eq!(story.agent("aigul"), AgentStatus::Talking(resident));
    (resident, between)
}

fn city_of_one() -> Story {
    let mut story = Story::new(three_operators());
    story.signs_in("aigul", &[11]);
    story
}

#[test]
fn a_resident_is_left_to_a_colleague_who_was_asked_by_phone() {
    for on_the_talk in [true, false] {
        let mut story = city_of_one();
        let (resident, between) = asks(&mut story);
        let asked = story.rings_at("bolat");
        story.answers(asked);
        let legs = [LegId { call: resident, n: 1 }, LegId::caller(between)];
        let [leg, other] = if on_the_talk { legs } else { [legs[1], legs[0]] };
        story.line(FromLine::Referred { leg, to: ReferTo::Replaces(other) });
        story.pass(100);
        assert_eq!((story.agent("aigul"), story.agent("bolat")), (AgentStatus::WrapUp, AgentStatus::Offered(resident)));
        assert_eq!(dialled(&story).last().unwrap().1, Some(asked), "the phone is told which of its calls ends");
        let leg = story.rings_at("bolat");
        story.answers(leg);
        assert_eq!((story.matrix(resident).as_str(), story.agent("bolat")), ("0:2 2:0", AgentStatus::Talking(resident)));
        assert_eq!(story.leg_ended(asked), Some(EndReason::Transferred));
        story.pass(20_000);
        assert_eq!(story.agent("aigul"), AgentStatus::Ready);
        assert_eq!(story.recorded(resident), [Some("aigul".into()), Some("bolat".into())]);
        story.hangs_up(resident);
        story.everything_is_released();
    }
}

#[test]
fn a_colleague_who_only_rings_rings_on_for_the_resident() {
    let mut story = city_of_one();
    let (resident, between) = asks(&mut story);
    story.line(FromLine::Referred { leg: LegId { call: resident, n: 1 }, to: ReferTo::Replaces(LegId::caller(between)) });
    story.pass(100);
    assert_eq!((story.centre.calls_up(), dialled(&story).last().unwrap().1), (1, None));
    let leg = story.rings_at("bolat");
    story.answers(leg);
    assert_eq!(story.matrix(resident), "0:2 2:0");
    story.hangs_up(resident);
    story.everything_is_released();
}

/// A pause outlives a resident who was left to one who pauses, whether the resident goes or nobody picks up.
#[test]
fn who_pauses_or_is_signed_out_and_does_not_take_the_resident_is_so_again() {
    for (signs_out, resident_goes) in [(false, true), (false, false), (true, true), (true, false)] {
        let mut story = city_of_one();
        let resident = story.talks_with(7, "aigul");
        story.signs_in("bolat", &[12]);
        match signs_out {
            true => story.desk(FromDesk::SignOut { agent: "bolat".into() }),
            false => story.pauses("bolat", "lunch"),
        }
        let before = story.agent("bolat");
        let between = calls(&mut story, 50, "aigul", "bolat");
        story.line(FromLine::Referred { leg: LegId { call: resident, n: 1 }, to: ReferTo::Replaces(LegId::caller(between)) });
        story.pass(100);
        assert_eq!(story.agent("bolat"), AgentStatus::Offered(resident));
        if resident_goes {
            story.hangs_up(resident)
        } else {
            story.pass(60_000)
        }
        assert_eq!(story.agent("bolat"), before, "signed out: {signs_out}, the resident goes: {resident_goes}");
        if !resident_goes {
            story.hangs_up(resident);
        }
    }
}

#[test]
fn who_asks_by_phone_and_loses_the_resident_is_free_after_both() {
    let mut story = city_of_one();
    let (resident, between) = asks(&mut story);
    let asked = story.rings_at("bolat");
    story.answers(asked);
    story.hangs_up(resident);
    assert_eq!(story.agent("aigul"), AgentStatus::WrapUp);
    story.pass(25_000);
    assert_eq!(story.agent("aigul"), AgentStatus::Internal(between), "not free while the phone is busy");
    story.hangs_up(between);
    assert_eq!(story.agent("aigul"), AgentStatus::Ready);
    story.everything_is_released();
}

// ---- Replaces ----

const NEW: u16 = 0x8000;

fn replaces(story: &mut Story, old: LegId, agent: &str) -> LegId {
    let leg = LegId { n: NEW + old.n, ..old };
    story.line(FromLine::Replacing { leg, replaced: old.n, agent: agent.into(), sdp: Some(SdpRef(5)) });
    story.pass(100);
    leg
}

#[test]
fn another_phone_of_the_operator_goes_on_with_the_talk_and_its_recording() {
    let mut story = city_of_one();
    let call = story.talks_with(7, "aigul");
    let old = LegId { call, n: 1 };
    replaces(&mut story, old, "aigul");
    assert_eq!((story.matrix(call), story.leg_ended(old)), ("0:32769 32769:0".to_owned(), Some(EndReason::Replaced)));
    assert_eq!((story.agent("aigul"), story.recorded(call).len()), (AgentStatus::Talking(call), 1));
    story.hangs_up(call);
    story.everything_is_released();
}

#[test]
fn a_colleague_takes_the_talk_and_nobody_takes_what_is_not_theirs() {
    let mut story = city_of_one();
    let call = story.talks_with(7, "aigul");
    story.signs_in("bolat", &[12]);
    story.pauses("bolat", "lunch");
    replaces(&mut story, LegId::caller(call), "bolat");
    replaces(&mut story, LegId { call, n: 9 }, "bolat");
    replaces(&mut story, LegId { call, n: 2 }, "stranger");
    assert_eq!(refusals(&story), [403, 603, 403]);
    replaces(&mut story, LegId { call, n: 1 }, "bolat");
    assert_eq!((story.agent("aigul"), story.agent("bolat")), (AgentStatus::WrapUp, AgentStatus::Talking(call)));
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::TakenOver { agent, .. } if *agent == AgentId::from("bolat"))), 1);
    story.hangs_up(call);
    story.pass(25_000);
    assert_eq!(story.agent("bolat"), AgentStatus::Paused("lunch".into()));
    story.everything_is_released();
}

#[test]
fn a_phone_that_gives_up_taking_a_place_changes_nothing() {
    let mut story = city_of_one();
    story.shells.opens = true;
    let call = story.talks_with(7, "aigul");
    story.shells.opens = false;
    let new = replaces(&mut story, LegId { call, n: 1 }, "aigul");
    story.line(FromLine::HungUp { leg: new, cause: HangUpCause::Cancel });
    assert_eq!((story.matrix(call).as_str(), story.ended(call)), ("0:1 1:0", None));
    story.hangs_up(call);
    story.everything_is_released();
}

#[test]
fn a_call_between_operators_moves_to_another_phone() {
    let mut story = city();
    let call = talk(&mut story);
    replaces(&mut story, LegId::caller(call), "aigul");
    assert_eq!(story.matrix(call), format!("1:{NEW} {NEW}:1"));
    story.leg_hangs_up(LegId { call, n: NEW });
    story.everything_is_released();
}
