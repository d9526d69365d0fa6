//! What if an operator calls a resident? The operator first, then the resident under the city's number; then it is a talk like any other.

use cityline::centre::fact::{AgentStatus, EndReason, Fact};
use cityline::centre::ids::{CallId, CallTo, CallerRef, LegId};
use cityline::centre::input::{FromDesk, Input};
use cityline::centre::output::{Output, Refusal, Shown, Target, ToLine};

use super::story::Story;
use crate::city::three_operators;

const CALL: CallId = CallId(900);
const RESIDENT: CallerRef = CallerRef(4711);

fn city() -> Story {
    let mut story = Story::new(three_operators());
    story.signs_in("aigul", &[11]);
    story
}

fn wants(agent: &str) -> FromDesk {
    FromDesk::CallOut { agent: agent.into(), call: CALL, to: RESIDENT, queue: Some("heating".into()), shown: None }
}

/// The operator's phone has answered, the resident's rings.
fn resident_rings() -> (Story, LegId) {
    let mut story = city();
    story.desk(wants("aigul"));
    story.pass(100);
    let leg = story.rings_at("aigul");
    story.answers(leg);
    story.pass(100);
    (story, leg)
}

#[test]
fn the_operator_is_called_first_and_then_the_resident_sees_the_citys_number() {
    let (mut story, leg) = resident_rings();
    let picks_up_itself = |output: &Output| matches!(output, Output::Line(ToLine::Dial { leg: id, auto_answer: true, .. }) if *id == leg);
    assert_eq!(story.asked_count(picks_up_itself), 1);
    let resident = LegId::caller(CALL);
    let dialled = |output: &Output| match output {
        Output::Line(ToLine::Dial { leg, target, shown, auto_answer: false, .. }) if *leg == resident => {
            Some((target.clone(), shown.clone()))
        }
        _ => None,
    };
    let dialled = story.asked.iter().find_map(dialled);
    assert_eq!(dialled, Some((Target::Outside(RESIDENT), Shown::City("109".into()))));
    assert_eq!((story.matrix(CALL).as_str(), story.agent("aigul")), ("", AgentStatus::Talking(CALL)));
    story.answers(resident);
    assert_eq!((story.matrix(CALL).as_str(), story.recorded(CALL)), ("0:1 1:0", vec![Some("aigul".to_owned())]));
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::CallAnswered { call: CALL })), 1);
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::CallStarted { .. })), 0, "nobody called us");
    story.hangs_up(CALL);
    assert_eq!((story.ended(CALL), story.agent("aigul")), (Some(EndReason::CallerHungUp), AgentStatus::WrapUp));
    story.everything_is_released();
}

#[test]
fn a_resident_who_is_not_reached_leaves_the_operator_free() {
    for what in ["busy", "silent"] {
        let (mut story, _) = resident_rings();
        match what {
            "busy" => story.refuses(LegId::caller(CALL), 486),
            _ => story.pass(30_000),
        }
        assert_eq!((story.ended(CALL), story.agent("aigul")), (Some(EndReason::NotReached), AgentStatus::Ready), "{what}");
        story.everything_is_released();
    }
}

#[test]
fn an_operator_who_hangs_up_or_does_not_answer_ends_it() {
    for what in ["phone", "desk", "silent", "refuses"] {
        let mut story = city();
        story.desk(wants("aigul"));
        story.pass(100);
        let leg = story.rings_at("aigul");
        if matches!(what, "phone" | "desk") {
            story.answers(leg);
            story.pass(100);
        }
        let reason = match what {
            "phone" => {
                story.leg_hangs_up(leg);
                EndReason::OperatorHungUp
            }
            "desk" => {
                story.hangs_up_at_desk("aigul", CALL);
                EndReason::OperatorHungUp
            }
            "refuses" => {
                story.refuses(leg, 486);
                EndReason::OutsideEnded
            }
            _ => {
                story.pass(30_000);
                EndReason::NotReached
            }
        };
        assert_eq!((story.ended(CALL), story.agent("aigul")), (Some(reason), AgentStatus::Ready), "{what}");
        story.everything_is_released();
    }
}

#[test]
fn a_pause_is_gone_back_to() {
    let mut story = city();
    story.pauses("aigul", "lunch");
    story.desk(wants("aigul"));
    story.pass(100);
    let leg = story.rings_at("aigul");
    story.refuses(leg, 480);
    assert!(matches!(story.agent("aigul"), AgentStatus::Paused(_)));
}

#[test]
fn such_a_call_may_be_given_away_and_goes_by_the_rules_of_its_queue() {
    let (mut story, _) = resident_rings();
    story.answers(LegId::caller(CALL));
    story.signs_in("bolat", &[12]);
    story.transfers("aigul", CALL, CallTo::Agent("bolat".into()));
    story.pass(15_000);
    assert!(story.hears_music(LegId::caller(CALL)), "back in the queue that it went by");
    assert_eq!(story.ended(CALL), None);
    story.hangs_up(CALL);
    assert_eq!(story.dequeued(CALL)[0].0, "heating");
    story.everything_is_released();
}

#[test]
fn who_cannot_call_is_told_so() {
    let mut story = city();
    let cases = [
        (FromDesk::CallOut { agent: "bolat".into(), call: CALL, to: RESIDENT, queue: None, shown: None }, "bolat", Refusal::NotNow),
        (
            FromDesk::CallOut { agent: "aigul".into(), call: CALL, to: CallerRef::WITHHELD, queue: None, shown: None },
            "aigul",
            Refusal::UnknownTarget,
        ),
        (
            FromDesk::CallOut { agent: "aigul".into(), call: CALL, to: RESIDENT, queue: Some("nothing".into()), shown: None },
            "aigul",
            Refusal::UnknownTarget,
        ),
        (
            FromDesk::CallOut { agent: "aigul".into(), call: CALL, to: RESIDENT, queue: None, shown: Some("999".into()) },
            "aigul",
            Refusal::UnknownTarget,
        ),
    ];
    for (wish, agent, why) in cases {
        story.desk(wish);
        assert_eq!(story.refused(agent), Some(why));
    }
    story.talks_with(77, "aigul");
    story.desk(wants("aigul"));
    assert_eq!(story.refused("aigul"), Some(Refusal::Busy));
    story.happens(Input::DrainStarted);
    story.signs_in("bolat", &[12]);
    story.desk(wants("bolat"));
    assert_eq!(story.refused("bolat"), Some(Refusal::NotNow), "no new calls while draining");
}

#[test]
fn without_a_queue_the_first_that_the_operator_serves_sets_the_rules() {
    let mut story = city();
    story.desk(FromDesk::CallOut { agent: "aigul".into(), call: CALL, to: RESIDENT, queue: None, shown: None });
    let queue =
        |fact: &Fact| matches!(fact, Fact::CalledOut { queue, number, .. } if queue.as_str() == "general" && number.as_str() == "109");
    assert_eq!(story.told_count(queue), 1);
}
