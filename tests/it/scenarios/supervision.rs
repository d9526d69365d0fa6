//! What may a supervisor do with a talk? Listen, whisper, join, take it; the resident hears no more than they should, and all is on record.

use cityline::centre::fact::{AgentStatus, EndReason, Fact};
use cityline::centre::ids::{CallId, CallTo, LegId, Supervision};
use cityline::centre::input::FromDesk;
use cityline::centre::output::Refusal;

use super::story::Story;
use crate::city::three_operators;

/// Aigul talks, Cemre supervises and has a phone.
fn city() -> (Story, CallId) {
    let mut story = Story::new(three_operators());
    story.signs_in("aigul", &[11]);
    let call = story.talks_with(77, "aigul");
    story.desk(FromDesk::DeskUp { agent: "cemre".into(), generation: cityline::centre::ids::Generation(1) });
    story.registers("cemre", &[13]);
    story.pauses("cemre", "break");
    (story, call)
}

fn mode(story: &mut Story, call: CallId, mode: Supervision) {
    story.desk(FromDesk::Monitor { agent: "cemre".into(), call, mode });
}

fn takes_over(story: &mut Story, call: CallId) {
    story.desk(FromDesk::TakeOver { agent: "cemre".into(), call });
}

fn stops(story: &mut Story, call: CallId) {
    story.desk(FromDesk::StopMonitor { agent: "cemre".into(), call });
}

fn is_on_break(story: &Story) -> bool {
    matches!(story.agent("cemre"), AgentStatus::Paused(reason) if reason.as_str() == "break")
}

#[test]
fn listening_whispering_and_joining_are_heard_by_whom_they_are_meant_for() {
    let (mut story, call) = city();
    let leg = story.supervises("cemre", call, Supervision::Monitor);
    assert_eq!((story.matrix(call).as_str(), story.agent("cemre")), ("0:1 1:0 2:0 2:1", AgentStatus::Supervising(call)));
    mode(&mut story, call, Supervision::Whisper);
    assert_eq!(story.matrix(call), "0:1 1:0 1:2 2:0 2:1");
    mode(&mut story, call, Supervision::Barge);
    assert_eq!(story.matrix(call), "0:1 0:2 1:0 1:2 2:0 2:1");
    mode(&mut story, call, Supervision::Monitor);
    assert_eq!(story.matrix(call), "0:1 1:0 2:0 2:1");
    stops(&mut story, call);
    assert_eq!((story.matrix(call).as_str(), story.leg_ended(leg)), ("0:1 1:0", Some(EndReason::SupervisionOver)));
    assert!(is_on_break(&story), "back to what they did before");
    assert_eq!(story.parts(call), ["2 monitor", "2 whisper", "2 barge", "2 monitor"], "on record");
    assert_eq!(story.recorded(call).len(), 1, "one recording from beginning to end");
    story.hangs_up(call);
    story.everything_is_released();
}

#[test]
fn taking_over_leaves_the_resident_with_the_supervisor() {
    let (mut story, call) = city();
    takes_over(&mut story, call);
    assert_eq!(story.refused("cemre"), Some(Refusal::NotNow), "first one listens");
    story.supervises("cemre", call, Supervision::Whisper);
    takes_over(&mut story, call);
    assert_eq!((story.matrix(call).as_str(), story.agent("aigul")), ("0:2 2:0", AgentStatus::WrapUp));
    assert_eq!((story.agent("cemre"), story.leg_ended(LegId { call, n: 1 })), (AgentStatus::Talking(call), Some(EndReason::TakenOver)));
    assert_eq!(story.recorded(call), [Some("aigul".to_owned()), Some("cemre".to_owned())]);
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::TakenOver { .. })), 1);
    story.hangs_up(call);
    assert_eq!(story.agent("cemre"), AgentStatus::WrapUp);
    story.pass(20_000);
    assert!(is_on_break(&story));
    story.everything_is_released();
}

#[test]
fn an_end_of_the_talk_sends_the_supervisor_back() {
    for who in ["resident", "operator", "supervisor's phone", "desk"] {
        let (mut story, call) = city();
        let leg = story.supervises("cemre", call, Supervision::Whisper);
        match who {
            "resident" => story.hangs_up(call),
            "operator" => story.leg_hangs_up(LegId { call, n: 1 }),
            "desk" => story.hangs_up_at_desk("cemre", call),
            _ => story.leg_hangs_up(leg),
        }
        assert!(is_on_break(&story), "{who}");
        assert_eq!(story.ended(call).is_none(), matches!(who, "desk" | "supervisor's phone"), "{who}");
        story.hangs_up(call);
        story.everything_is_released();
    }
}

#[test]
fn a_hold_and_a_consultation_are_heard_as_the_operator_hears_them() {
    let (mut story, call) = city();
    story.supervises("cemre", call, Supervision::Monitor);
    story.holds("aigul", call);
    assert_eq!((story.matrix(call).as_str(), story.hears_music(LegId::caller(call))), ("2:1", true));
    story.resumes("aigul", call);
    story.signs_in("bolat", &[12]);
    story.asks_colleague("aigul", call, "bolat");
    assert_eq!(story.matrix(call), "1:3 2:1 2:3 3:1");
    story.completes("aigul", call);
    assert_eq!(story.matrix(call), "0:3 2:0 2:3 3:0", "the supervisor stays with the call");
    story.hangs_up(call);
    assert!(is_on_break(&story));
    story.everything_is_released();
}

#[test]
fn a_call_that_goes_elsewhere_is_not_followed() {
    let (mut story, call) = city();
    story.supervises("cemre", call, Supervision::Monitor);
    story.transfers("aigul", call, CallTo::Queue("roads".into()));
    assert!(is_on_break(&story));
    assert_eq!((story.matrix(call).as_str(), story.ended(call)), ("", None));
    story.hangs_up(call);
    story.everything_is_released();
}

#[test]
fn a_phone_that_does_not_answer_ends_the_wish() {
    let (mut story, call) = city();
    mode(&mut story, call, Supervision::Monitor);
    story.pass(100);
    story.rings_at("cemre");
    story.pass(30_000);
    assert!(is_on_break(&story) && story.all_rings_at("cemre").is_empty());
    assert_eq!(story.matrix(call), "0:1 1:0");
}

#[test]
fn a_mode_chosen_while_it_rings_is_the_one_that_comes() {
    let (mut story, call) = city();
    mode(&mut story, call, Supervision::Barge);
    story.pass(100);
    mode(&mut story, call, Supervision::Whisper);
    let leg = story.rings_at("cemre");
    story.answers(leg);
    assert_eq!((story.matrix(call).as_str(), story.parts(call)), ("0:1 1:0 1:2 2:0 2:1", vec!["2 whisper".to_owned()]));
}

#[test]
fn who_is_busy_or_has_no_phone_cannot_listen_and_nobody_listens_to_a_queue() {
    let (mut story, call) = city();
    story.desk(FromDesk::Monitor { agent: "aigul".into(), call, mode: Supervision::Monitor });
    assert_eq!(story.refused("aigul"), Some(Refusal::Busy));
    story.desk(FromDesk::Monitor { agent: "bolat".into(), call, mode: Supervision::Monitor });
    assert_eq!(story.refused("bolat"), Some(Refusal::NoPhone));
    let waits = story.waits_for_heating(78);
    mode(&mut story, waits, Supervision::Monitor);
    assert_eq!(story.refused("cemre"), Some(Refusal::NotNow));
    assert!(is_on_break(&story));
}

#[test]
fn a_ready_supervisor_is_offered_nothing_while_listening_and_something_after() {
    let (mut story, call) = city();
    story.desk(FromDesk::Ready { agent: "cemre".into() });
    story.supervises("cemre", call, Supervision::Monitor);
    let next = story.waits_for_heating(78);
    assert_eq!(story.agent("cemre"), AgentStatus::Supervising(call));
    stops(&mut story, call);
    assert_eq!(story.agent("cemre"), AgentStatus::Offered(next));
}

#[test]
fn two_supervisors_hear_the_same_and_not_each_others_whispers() {
    let (mut story, call) = city();
    story.supervises("cemre", call, Supervision::Whisper);
    story.signs_in("bolat", &[12]);
    story.supervises("bolat", call, Supervision::Monitor);
    assert_eq!(story.matrix(call), "0:1 1:0 1:2 2:0 2:1 3:0 3:1");
    takes_over(&mut story, call);
    assert_eq!(story.matrix(call), "0:2 2:0 3:0 3:2");
    story.hangs_up(call);
    story.everything_is_released();
}
