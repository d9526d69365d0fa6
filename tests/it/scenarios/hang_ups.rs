//! What if the caller hangs up now? At every stage everything is released, and the reason is right.

use cityline::centre::fact::{AgentStatus, EndReason, Fact, OfferEnd, QueueEnd};
use cityline::centre::ids::{CallId, LegId, SdpRef};
use cityline::centre::input::{FromLine, HangUpCause};
use cityline::centre::output::Output;

use super::story::{SPEAKS_MS, Story};
use crate::city::{PHONE, operator, settings, with};

fn city() -> Story {
    let mut story = Story::new(with(settings(), "aigul", operator(&["kk", "ru", "heating"], PHONE)));
    story.signs_in("aigul", &[11]);
    story
}

/// FS#2529, RU#217: whatever stage the call is in, nothing of it goes on.
#[test]
fn a_hang_up_at_any_stage_releases_everything() {
    let stages: [(&str, EndReason); 9] = [
        ("arriving", EndReason::LeftInMenu),
        ("late offer", EndReason::LeftInMenu),
        ("welcome", EndReason::LeftInMenu),
        ("asked", EndReason::LeftInMenu),
        ("112 is dialled", EndReason::LeftInMenu),
        ("offered, no port yet", EndReason::Abandoned),
        ("ringing", EndReason::Abandoned),
        ("answered, not agreed", EndReason::Abandoned),
        ("talking", EndReason::CallerHungUp),
    ];
    for (stage, reason) in stages {
        let mut story = city();
        story.registers("aigul", &[11, 12]);
        let call = bring_to(&mut story, stage);
        let facts_before = story.told.len();
        story.hangs_up(call);
        assert_eq!(story.ended(call), Some(reason), "{stage}");
        let order: Vec<String> = story.told[facts_before..].iter().map(|(_, fact)| kind(fact)).collect();
        assert_eq!(order.last().map(String::as_str), Some("CallEnded"), "{stage}: the call's end is its last fact, {order:?}");
        let after = if stage == "talking" { AgentStatus::WrapUp } else { AgentStatus::Ready };
        assert_eq!(story.agent("aigul"), after, "{stage}");
        story.hangs_up(call);
        story.pass(1_000);
        assert_eq!(story.ended(call), Some(reason), "{stage}: told twice, ended once");
        story.everything_is_released();
    }
}

fn bring_to(story: &mut Story, stage: &str) -> CallId {
    if stage == "late offer" {
        let call = story.calls_number(77, "109", false);
        story.pass(100);
        return call;
    }
    let call = story.calls(77);
    if stage == "arriving" {
        return call;
    }
    story.pass(100);
    match stage {
        "welcome" => return call,
        "112 is dialled" => {
            story.presses(call, '0');
            story.pass(100);
            return call;
        }
        _ => story.pass(SPEAKS_MS),
    }
    if stage == "asked" {
        return call;
    }
    story.presses(call, '2');
    story.presses(call, '1');
    if stage == "offered, no port yet" {
        return call;
    }
    story.pass(100);
    let leg = story.all_rings_at("aigul")[0];
    match stage {
        "answered, not agreed" => story.line(FromLine::Answered { leg, sdp: SdpRef(9) }),
        "talking" => story.answers(leg),
        _ => {}
    }
    call
}

fn kind(fact: &Fact) -> String {
    format!("{fact:?}").split([' ', '(', '{']).next().unwrap_or_default().to_owned()
}

#[test]
fn a_caller_who_waits_in_vain_is_counted_as_abandoned_with_the_wait() {
    let mut story = Story::new(settings());
    let call = story.waits_for_heating(77);
    story.pass(90_000);
    story.hangs_up(call);
    assert_eq!(story.dequeued(call), [("heating".to_owned(), QueueEnd::Abandoned, 90_000)]);
    story.everything_is_released();
}

#[test]
fn a_caller_who_goes_during_an_offer_leaves_no_mark_on_the_operator() {
    let mut story = city();
    let call = story.waits_for_heating(77);
    story.pass(100);
    story.hangs_up(call);
    assert_eq!(story.offers(call), [("aigul".to_owned(), OfferEnd::CallerGone)]);
    assert_eq!(story.agent("aigul"), AgentStatus::Ready);
    let next = story.waits_for_heating(78);
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(next));
}

/// The lane of hang-ups overtakes the one of new calls.
#[test]
fn a_hang_up_told_before_the_arrival_ends_the_call_as_it_comes() {
    let mut story = city();
    story.hangs_up(CallId(5));
    story.arrives(CallId(5), 77, "109", true);
    assert_eq!(story.centre.calls_up(), 0);
    assert_eq!(story.ended(CallId(5)), Some(EndReason::LeftInMenu), "it counts as a call that came");
    assert_eq!(story.asked_count(|output| matches!(output, Output::Media(_))), 0, "nothing is opened for it");
    story.everything_is_released();
}

/// Two calls may arrive in another order than they were numbered.
#[test]
fn a_hang_up_that_overtakes_is_remembered_even_when_a_later_call_is_there_already() {
    let mut story = city();
    story.arrives(CallId(6), 78, "109", true);
    story.hangs_up(CallId(5));
    story.arrives(CallId(5), 77, "109", true);
    assert_eq!(story.centre.calls_up(), 1);
    assert_eq!(story.ended(CallId(5)), Some(EndReason::LeftInMenu));
}

#[test]
fn an_arrival_told_twice_is_one_call() {
    let mut story = city();
    let call = story.calls(77);
    story.pass(100);
    story.arrives(call, 77, "109", true);
    story.pass(100);
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::CallStarted { .. })), 1);
    assert_eq!(story.centre.calls_up(), 1);
}

#[test]
fn an_ack_that_never_came_is_a_fault_of_signalling() {
    let mut story = city();
    let call = story.talks_with(77, "aigul");
    story.line(FromLine::HungUp { leg: LegId::caller(call), cause: HangUpCause::NoAck });
    assert_eq!(story.ended(call), Some(EndReason::SignallingFailed));
    story.everything_is_released();
}

#[test]
fn keys_and_messages_of_calls_that_are_over_change_nothing() {
    let mut story = city();
    let call = story.talks_with(77, "aigul");
    let leg = LegId { call, n: 1 };
    story.hangs_up(call);
    let (asked, told) = (story.asked.len(), story.told.len());
    story.presses(call, '0');
    story.line(FromLine::Answered { leg, sdp: SdpRef(1) });
    story.refuses(leg, 486);
    story.leg_hangs_up(leg);
    story.line(FromLine::Reoffered { leg, sdp: SdpRef(2) });
    story.line(FromLine::Ringing { leg });
    assert_eq!((story.asked.len(), story.told.len()), (asked, told));
}
