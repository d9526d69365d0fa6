//! What if an operator asks somebody first? Who hears whom at each moment, and who is left with the resident when one of them goes.

use cityline::centre::fact::{AgentStatus, ConsultEnd, EndReason, OfferEnd};
use cityline::centre::ids::{CallId, CallTo, CallerRef, LegId};
use cityline::centre::input::{FromDesk, FromMedia};
use cityline::centre::output::{Output, Refusal, ToMedia};

use super::story::Story;
use crate::city::three_operators;

fn city() -> (Story, CallId) {
    let mut story = Story::new(three_operators());
    story.signs_in("aigul", &[11]);
    let call = story.talks_with(77, "aigul");
    story.signs_in("bolat", &[12]);
    (story, call)
}

fn asked() -> (Story, CallId, LegId) {
    let (mut story, call) = city();
    let leg = story.asks_colleague("aigul", call, "bolat");
    (story, call, leg)
}

fn colleague() -> CallTo {
    CallTo::Agent("bolat".into())
}

fn ends(story: &mut Story, call: CallId) {
    story.desk(FromDesk::EndConsult { agent: "aigul".into(), call });
}

fn joins_all(story: &mut Story, call: CallId) {
    story.desk(FromDesk::Conference { agent: "aigul".into(), call });
}

#[test]
fn the_resident_hears_music_while_two_operators_talk_about_them() {
    let (mut story, call) = city();
    story.consults_with("aigul", call, colleague());
    assert_eq!((story.matrix(call).as_str(), story.hears_music(LegId::caller(call))), ("", true));
    assert_eq!(story.shown("bolat"), [(call, Some("aigul".to_owned()))]);
    let leg = story.rings_at("bolat");
    story.answers(leg);
    assert_eq!((story.matrix(call).as_str(), story.hears_music(LegId::caller(call))), ("1:2 2:1", true));
    assert_eq!((story.agent("aigul"), story.agent("bolat")), (AgentStatus::Talking(call), AgentStatus::Talking(call)));
    ends(&mut story, call);
    assert_eq!((story.matrix(call).as_str(), story.hears_music(LegId::caller(call))), ("0:1 1:0", false));
    assert_eq!((story.agent("bolat"), story.consults(call)), (AgentStatus::Ready, vec![ConsultEnd::Ended]), "who was asked has no wrap-up");
    assert_eq!(story.asked_count(|output| matches!(output, Output::Media(ToMedia::Record { .. }))), 1, "it is not recorded by itself");
    story.hangs_up(call);
    story.everything_is_released();
}

#[test]
fn completing_leaves_the_resident_with_the_consultant() {
    let (mut story, call, leg) = asked();
    story.pass(5_000);
    story.completes("aigul", call);
    assert_eq!((story.matrix(call).as_str(), story.hears_music(LegId::caller(call))), ("0:2 2:0", false));
    assert_eq!((story.agent("aigul"), story.agent("bolat")), (AgentStatus::WrapUp, AgentStatus::Talking(call)));
    assert_eq!(story.leg_ended(LegId { call, n: 1 }), Some(EndReason::Transferred));
    assert_eq!(story.parts(call), ["2 consultant", "2 partner"]);
    assert_eq!(story.recorded(call), [Some("aigul".to_owned()), Some("bolat".to_owned())]);
    story.leg_hangs_up(leg);
    assert_eq!((story.ended(call), story.agent("bolat")), (Some(EndReason::OperatorHungUp), AgentStatus::WrapUp));
    story.everything_is_released();
}

/// The stated rule: whoever asked and hangs up hands the call on to whom they asked.
#[test]
fn an_operator_who_hangs_up_hands_the_resident_to_the_consultant() {
    for at_desk in [false, true] {
        let (mut story, call, _) = asked();
        match at_desk {
            true => story.hangs_up_at_desk("aigul", call),
            false => story.leg_hangs_up(LegId { call, n: 1 }),
        }
        assert_eq!((story.matrix(call).as_str(), story.agent("aigul")), ("0:2 2:0", AgentStatus::WrapUp));
        assert_eq!((story.consults(call), story.ended(call)), (vec![ConsultEnd::Completed], None));
        story.hangs_up(call);
        story.everything_is_released();
    }
}

#[test]
fn an_operator_who_hangs_up_while_it_rings_lets_it_ring_on_for_the_resident() {
    let (mut story, call) = city();
    story.consults_with("aigul", call, colleague());
    story.leg_hangs_up(LegId { call, n: 1 });
    assert_eq!((story.agent("aigul"), story.consults(call)), (AgentStatus::WrapUp, vec![ConsultEnd::HandedOn]));
    assert!(story.hears_music(LegId::caller(call)));
    let leg = story.rings_at("bolat");
    story.answers(leg);
    assert_eq!((story.matrix(call).as_str(), story.agent("bolat")), ("0:2 2:0", AgentStatus::Talking(call)));
    story.hangs_up(call);
    story.everything_is_released();
}

#[test]
fn nobody_who_rings_on_answers_and_the_resident_is_in_the_queue() {
    let (mut story, call) = city();
    story.consults_with("aigul", call, colleague());
    story.completes("aigul", call);
    story.pass(15_000);
    assert_eq!(story.agent("bolat"), AgentStatus::NotResponding);
    assert_eq!(story.ended(call), None);
    story.pass(5_000);
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(call));
    story.hangs_up(call);
    story.everything_is_released();
}

#[test]
fn a_consultant_who_does_not_come_returns_the_resident() {
    for (what, how) in [("declines", OfferEnd::Declined), ("busy", OfferEnd::Failed(486)), ("silent", OfferEnd::NoAnswer)] {
        let (mut story, call) = city();
        story.consults_with("aigul", call, colleague());
        let leg = story.rings_at("bolat");
        match what {
            "declines" => story.desk(FromDesk::Decline { agent: "bolat".into(), call }),
            "busy" => story.refuses(leg, 486),
            _ => story.pass(15_000),
        }
        assert_eq!((story.matrix(call).as_str(), story.hears_music(LegId::caller(call))), ("0:1 1:0", false), "{what}");
        assert_eq!(story.consults(call), [ConsultEnd::NotTaken(how)], "{what}");
        assert_eq!(story.agent("bolat"), AgentStatus::NotResponding, "{what}");
        story.hangs_up(call);
        story.everything_is_released();
    }
}

#[test]
fn a_consultant_who_hangs_up_returns_the_resident() {
    for at_desk in [false, true] {
        let (mut story, call, leg) = asked();
        match at_desk {
            true => story.hangs_up_at_desk("bolat", call),
            false => story.leg_hangs_up(leg),
        }
        assert_eq!((story.matrix(call).as_str(), story.hears_music(LegId::caller(call))), ("0:1 1:0", false));
        assert_eq!((story.agent("bolat"), story.consults(call)), (AgentStatus::Ready, vec![ConsultEnd::ConsultantGone]));
        story.hangs_up(call);
        story.everything_is_released();
    }
}

#[test]
fn a_resident_who_hangs_up_releases_all_at_every_stage() {
    for stage in ["rings", "asked", "conference"] {
        let (mut story, call) = city();
        story.consults_with("aigul", call, colleague());
        if stage != "rings" {
            let leg = story.rings_at("bolat");
            story.answers(leg);
        }
        if stage == "conference" {
            joins_all(&mut story, call);
        }
        story.hangs_up(call);
        assert_eq!(story.ended(call), Some(EndReason::CallerHungUp), "{stage}");
        assert_eq!((story.agent("aigul"), story.agent("bolat")), (AgentStatus::WrapUp, AgentStatus::Ready), "{stage}");
        assert_eq!(story.consults(call), [ConsultEnd::CallOver], "{stage}");
        story.everything_is_released();
    }
}

#[test]
fn three_talk_and_two_stay_whoever_goes() {
    let (mut story, call, leg) = asked();
    joins_all(&mut story, call);
    assert_eq!((story.matrix(call).as_str(), story.hears_music(LegId::caller(call))), ("0:1 0:2 1:0 1:2 2:0 2:1", false));
    story.holds("aigul", call);
    assert_eq!((story.matrix(call).as_str(), story.hears_music(LegId::caller(call))), ("1:2 2:1", true), "a hold is the resident's");
    story.resumes("aigul", call);
    story.leg_hangs_up(leg);
    assert_eq!((story.matrix(call).as_str(), story.agent("bolat")), ("0:1 1:0", AgentStatus::Ready));
    let leg = story.asks_colleague("aigul", call, "bolat");
    joins_all(&mut story, call);
    story.leg_hangs_up(LegId { call, n: 1 });
    assert_eq!((story.matrix(call), story.agent("aigul")), (format!("0:{0} {0}:0", leg.n), AgentStatus::WrapUp));
    story.hangs_up(call);
    assert_eq!(story.agent("bolat"), AgentStatus::WrapUp, "who took the resident over writes up");
    story.everything_is_released();
}

/// Whoever was left with music because others' phones held hears the resident, not the music, once they take over.
#[test]
fn music_ends_for_a_consultant_who_takes_over_from_a_phone_that_holds() {
    let (mut story, call, leg) = asked();
    story.media(FromMedia::Held { leg: LegId { call, n: 1 }, held: true });
    assert!(story.hears_music(leg));
    story.completes("aigul", call);
    assert_eq!((story.matrix(call).as_str(), story.hears_music(leg)), ("0:2 2:0", false));
    story.hangs_up(call);
    story.everything_is_released();
}

#[test]
fn somebody_outside_may_be_asked_and_may_stay() {
    let (mut story, call) = city();
    story.consults_with("aigul", call, CallTo::Outside(CallerRef(4711)));
    let (leg, _) = story.number_rings();
    story.answers(leg);
    assert_eq!(story.matrix(call), "1:2 2:1");
    joins_all(&mut story, call);
    story.hangs_up_at_desk("aigul", call);
    assert_eq!((story.matrix(call).as_str(), story.agent("aigul")), ("0:2 2:0", AgentStatus::WrapUp));
    assert_eq!(story.recorded(call), [Some("aigul".to_owned()), None]);
    story.leg_hangs_up(leg);
    assert_eq!(story.ended(call), Some(EndReason::OutsideEnded));
    story.everything_is_released();
}

#[test]
fn a_consultation_takes_the_place_of_a_hold_and_ends_in_the_talk() {
    let (mut story, call) = city();
    story.holds("aigul", call);
    story.consults_with("aigul", call, colleague());
    assert!(story.hears_music(LegId::caller(call)));
    ends(&mut story, call);
    assert_eq!((story.matrix(call).as_str(), story.agent("bolat")), ("0:1 1:0", AgentStatus::Ready));
}

#[test]
fn what_makes_no_sense_at_a_moment_is_refused() {
    let (mut story, call) = city();
    story.completes("aigul", call);
    ends(&mut story, call);
    joins_all(&mut story, call);
    assert_eq!(story.refused("aigul"), Some(Refusal::NotNow));
    story.consults_with("aigul", call, CallTo::Queue("roads".into()));
    assert_eq!(story.refused("aigul"), Some(Refusal::UnknownTarget), "a queue cannot be asked");
    story.consults_with("aigul", call, colleague());
    let before = story.asked.len();
    joins_all(&mut story, call);
    story.holds("aigul", call);
    story.consults_with("aigul", call, CallTo::Outside(CallerRef(1)));
    story.transfers("aigul", call, CallTo::Queue("roads".into()));
    let refused = story.asked[before..].iter().filter(|output| matches!(output, Output::Desk(_))).count();
    assert_eq!(refused, 4);
    story.hangs_up(call);
    story.everything_is_released();
}
