//! What happens when everybody has to leave the building? Nobody is offered anything, and nobody who waited or talked is lost.

use cityline::centre::fact::{AgentStatus, EndReason, Fact, QueueEnd};
use cityline::centre::ids::{CallId, CallTo, CallerRef, SdpRef};
use cityline::centre::input::{FromDesk, FromLine};
use cityline::centre::output::{KeyingOrder, Output, Refusal, Sound, ToDesk, ToLine};
use cityline::centre::steer::{Order, StateWanted};

use super::steering::orders;
use super::story::{SPEAKS_MS, Story};
use crate::city::{BARE_PHONE, operator, three_operators, with};

fn owed(story: &Story, call: CallId) -> usize {
    story.told_count(|fact| matches!(fact, Fact::CallbackOwed { call: id, .. } if *id == call))
}

fn hears_why(story: &Story, call: CallId) -> bool {
    story.hears(call).iter().any(|sound| matches!(sound, Sound::Prompt { id, .. } if id.as_str() == "evacuation"))
}

fn away() -> AgentStatus {
    AgentStatus::Paused("evacuation".into())
}

#[test]
fn everybody_leaves_in_one_step_and_who_waited_rang_or_talked_hears_why_and_is_owed_a_callback() {
    let mut story = Story::new(three_operators());
    for (name, contact) in [("aigul", 1), ("bolat", 2)] {
        story.signs_in(name, &[contact]);
    }
    let talks = story.talks_with(1, "aigul");
    let rings = story.waits_for_heating(2);
    assert_eq!(story.agent("bolat"), AgentStatus::Offered(rings));
    let waits = story.waits_for_heating(3);
    let chooses = story.calls(4);
    story.pass(2_100);
    orders(&mut story, Order::Evacuation { on: true });
    assert_eq!([story.agent("aigul"), story.agent("bolat"), story.agent("cemre")], [away(), away(), AgentStatus::Offline]);
    for call in [talks, rings, waits] {
        assert_eq!((owed(&story, call), hears_why(&story, call)), (1, true), "{call}");
    }
    assert_eq!(story.dequeued(waits)[0].1, QueueEnd::Evacuated);
    let told = story.asked_count(|output| matches!(output, Output::Desk(ToDesk::Ordered { order: Order::Evacuation { on: true }, .. })));
    assert_eq!(told, 3, "every desk is shown it");
    story.pass(5_000);
    assert_eq!(story.ended(talks), Some(EndReason::PlanEnded));
    // Who was in the menu hears it where they would wait, and is owed a callback as well.
    story.presses(chooses, '2');
    story.pass(100);
    story.presses(chooses, '1');
    story.pass(100);
    assert_eq!((owed(&story, chooses), hears_why(&story, chooses)), (1, true));
    let new = story.calls(5);
    story.pass(100);
    assert!(hears_why(&story, new), "a call that comes in hears it before anything else");
    story.pass(5_000);
    story.everything_is_released();
}

#[test]
fn nobody_is_ready_before_the_evacuation_is_over() {
    let mut story = Story::new(with(three_operators(), "dana", operator(&["ru", "heating"], BARE_PHONE)));
    story.signs_in("aigul", &[1]);
    story.registers("dana", &[4]);
    assert_eq!(story.agent("dana"), AgentStatus::Ready);
    orders(&mut story, Order::Evacuation { on: true });
    story.desk(FromDesk::Ready { agent: "aigul".into() });
    assert_eq!((story.agent("aigul"), story.refused("aigul")), (away(), Some(Refusal::Evacuated)));
    story.signs_in("bolat", &[2]);
    assert_ne!(story.agent("bolat"), AgentStatus::Ready);
    story.restarts(1_000);
    assert!(story.centre.is_evacuated(), "it outlives the process");
    orders(&mut story, Order::Evacuation { on: false });
    assert_eq!(
        (story.agent("aigul"), story.agent("dana")),
        (away(), AgentStatus::Ready),
        "a phone without a desk is ready again by itself"
    );
    story.desk(FromDesk::Ready { agent: "aigul".into() });
    assert_eq!(story.agent("aigul"), AgentStatus::Ready);
}

#[test]
fn a_resident_who_talks_with_an_emergency_service_is_not_cut_off() {
    let mut story = Story::new(three_operators());
    story.signs_in("aigul", &[1]);
    let call = story.talks_with(1, "aigul");
    story.consults_with("aigul", call, CallTo::Service("112".into()));
    let service = story.outside_rings();
    story.answers(service);
    orders(&mut story, Order::Evacuation { on: true });
    assert_eq!((story.agent("aigul"), owed(&story, call)), (away(), 0));
    story.pass(60_000);
    assert_eq!(story.ended(call), None, "112 talks on with the resident");
    let emergency = story.calls(2);
    story.pass(100);
    story.presses(emergency, '0');
    assert!(story.steps(emergency).contains(&"emergency".to_owned()), "the way to 112 stays open: {:?}", story.steps(emergency));
}

#[test]
fn a_phone_without_a_desk_is_ready_again_whatever_it_did_meanwhile() {
    let city = with(three_operators(), "dana", operator(&["ru", "heating"], BARE_PHONE));
    let mut story = Story::new(with(city, "erik", operator(&["ru", "heating"], BARE_PHONE)));
    story.registers("dana", &[4]);
    story.registers("erik", &[5]);
    orders(&mut story, Order::Evacuation { on: true });
    let call = CallId(50);
    story.line(FromLine::PhoneCalled { call, from: "dana".into(), to: "erik".into(), sdp: Some(SdpRef(1)) });
    story.pass(100);
    let leg = story.rings_at("erik");
    story.answers(leg);
    assert_eq!(["dana", "erik"].map(|who| story.agent(who)), [AgentStatus::Internal(call), AgentStatus::Internal(call)]);
    orders(&mut story, Order::Evacuation { on: false });
    story.leg_hangs_up(leg);
    assert_eq!(["dana", "erik"].map(|who| story.agent(who)), [AgentStatus::Ready, AgentStatus::Ready]);
}

#[test]
fn a_pause_of_a_phone_without_a_desk_outlives_the_evacuation() {
    let mut story = Story::new(with(three_operators(), "dana", operator(&["ru", "heating"], BARE_PHONE)));
    story.registers("dana", &[4]);
    let lunch = Order::State { operator: "dana".into(), to: StateWanted::Pause, pause: Some("lunch".into()) };
    orders(&mut story, lunch);
    orders(&mut story, Order::Evacuation { on: true });
    orders(&mut story, Order::Evacuation { on: false });
    assert_eq!(story.agent("dana"), AgentStatus::Paused("lunch".into()));
}

#[test]
fn an_emergency_service_that_is_being_called_rings_on_for_the_resident() {
    let mut story = Story::new(three_operators());
    story.signs_in("aigul", &[1]);
    let call = story.talks_with(1, "aigul");
    story.consults_with("aigul", call, CallTo::Service("112".into()));
    let service = story.outside_rings();
    orders(&mut story, Order::Evacuation { on: true });
    let cancelled = |output: &Output| matches!(output, Output::Line(ToLine::CancelDial { leg }) if *leg == service);
    assert_eq!((story.agent("aigul"), story.asked_count(cancelled), owed(&story, call)), (away(), 0, 0));
    story.answers(service);
    story.pass(60_000);
    assert_eq!(story.ended(call), None, "112 talks with the resident");
    assert_eq!(story.matrix(call), format!("0:{n} {n}:0", n = service.n));
}

#[test]
fn who_is_keying_a_number_can_go_to_112_and_no_digits_are_left() {
    let mut story = Story::new(super::callbacks::city());
    let call = story.waits_for_heating(77);
    for key in ['1', '2'] {
        story.presses(call, key);
        story.pass(SPEAKS_MS + 100);
    }
    let keying = |order| move |output: &Output| matches!(output, Output::Keying { order: given, .. } if *given == order);
    assert_eq!(story.asked_count(keying(KeyingOrder::Begin)), 1);
    orders(&mut story, Order::Evacuation { on: true });
    assert_eq!((story.asked_count(keying(KeyingOrder::End)), owed(&story, call)), (1, 1));
    story.presses(call, '0');
    assert!(story.steps(call).contains(&"emergency".to_owned()), "{:?}", story.steps(call));
}

#[test]
fn who_was_reached_by_a_callback_is_owed_the_next_at_the_same_number() {
    let mut story = Story::new(super::callbacks::city());
    let call = super::callbacks::is_reached_at(&mut story, 55);
    orders(&mut story, Order::Evacuation { on: true });
    let to = |fact: &Fact| matches!(fact, Fact::CallbackOwed { call: id, caller: CallerRef(55), .. } if *id == call);
    assert_eq!(story.told_count(to), 1, "the call itself came from a withheld number");
}
