//! Where does a call go that an operator gives away? The story stays one, each part of it is somebody's.

use cityline::centre::fact::{AgentStatus, EndReason, Fact, OfferEnd, QueueEnd};
use cityline::centre::ids::{CallId, CallTo, CallerRef, LegId};
use cityline::centre::input::{FromDesk, FromLine, FromMedia, HangUpCause};
use cityline::centre::output::{Output, Refusal, Shown, Target, ToLine};

use super::story::Story;
use crate::city::{HEADSET, operator, three_operators, with};

fn city() -> Story {
    let mut story = Story::new(three_operators());
    story.signs_in("aigul", &[11]);
    story
}

fn with_bolat() -> (Story, CallId) {
    let mut story = city();
    let call = story.talks_with(77, "aigul");
    story.signs_in("bolat", &[12]);
    (story, call)
}

fn failed(story: &Story, call: CallId) -> Vec<OfferEnd> {
    let failed = |fact: &Fact| match fact {
        Fact::TransferFailed { call: id, how, .. } if *id == call => Some(*how),
        _ => None,
    };
    story.told.iter().filter_map(|(_, fact)| failed(fact)).collect()
}

fn colleague() -> CallTo {
    CallTo::Agent("bolat".into())
}

#[test]
fn to_a_queue_the_resident_waits_anew_and_the_operator_wraps_up() {
    let mut story = city();
    let call = story.talks_with(77, "aigul");
    story.pass(40_000);
    story.transfers("aigul", call, CallTo::Queue("roads".into()));
    assert_eq!(story.agent("aigul"), AgentStatus::WrapUp);
    assert_eq!(story.leg_ended(LegId { call, n: 1 }), Some(EndReason::Transferred));
    assert!(story.hears_music(LegId::caller(call)) && story.ended(call).is_none());
    story.signs_in("bolat", &[12]);
    story.pass(100);
    let leg = story.rings_at("bolat");
    story.answers(leg);
    assert_eq!((story.matrix(call).as_str(), story.agent("bolat")), ("0:2 2:0", AgentStatus::Talking(call)));
    let waits = story.dequeued(call);
    assert_eq!(waits.len(), 2);
    assert_eq!((waits[1].0.as_str(), waits[1].1), ("roads", QueueEnd::Answered));
    assert!(waits[1].2 < 1_000, "the clock of the second wait started with it: {} ms", waits[1].2);
    assert_eq!(story.recorded(call), [Some("aigul".to_owned()), Some("bolat".to_owned())]);
    story.hangs_up(call);
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::CallStarted { .. })), 1, "it is one call");
    story.everything_is_released();
}

/// Whoever has talked with an operator is not turned away for a full queue.
#[test]
fn a_full_queue_takes_a_transferred_resident_in() {
    let mut settings = three_operators();
    settings.queues.get_mut(&"roads".into()).unwrap().max_waiting = 0;
    let mut story = Story::new(settings);
    story.signs_in("aigul", &[11]);
    let call = story.talks_with(77, "aigul");
    let steps = story.steps(call).len();
    story.transfers("aigul", call, CallTo::Queue("roads".into()));
    assert_eq!(story.steps(call).len(), steps, "no step of the plan");
    assert!(story.hears_music(LegId::caller(call)));
}

/// AST#1006, AST#607: wrap-up belongs to the operator and outlasts what becomes of the call.
#[test]
fn wrap_up_of_the_first_operator_is_their_own() {
    let (mut story, call) = with_bolat();
    story.transfers("aigul", call, colleague());
    let leg = story.rings_at("bolat");
    story.answers(leg);
    assert_eq!((story.agent("aigul"), story.agent("bolat")), (AgentStatus::WrapUp, AgentStatus::Talking(call)));
    story.hangs_up(call);
    assert_eq!((story.agent("aigul"), story.agent("bolat")), (AgentStatus::WrapUp, AgentStatus::WrapUp));
    story.pass(20_000);
    assert_eq!((story.agent("aigul"), story.agent("bolat")), (AgentStatus::Ready, AgentStatus::Ready));
    assert_eq!(story.parts(call), ["2 partner"]);
    story.everything_is_released();
}

#[test]
fn to_a_colleague_who_is_told_from_whom_it_comes() {
    let (mut story, call) = with_bolat();
    story.transfers("aigul", call, colleague());
    assert_eq!(story.shown("bolat"), [(call, Some("aigul".to_owned()))]);
    assert!(story.hears_music(LegId::caller(call)));
    assert_eq!(story.agent("bolat"), AgentStatus::Offered(call));
    let leg = story.rings_at("bolat");
    story.answers(leg);
    assert_eq!((story.matrix(call).as_str(), story.hears_music(LegId::caller(call))), ("0:2 2:0", false));
}

#[test]
fn a_colleague_who_does_not_take_it_leaves_the_resident_in_the_queue() {
    for (what, how) in [("declines", OfferEnd::Declined), ("busy", OfferEnd::Failed(486)), ("silent", OfferEnd::NoAnswer)] {
        let (mut story, call) = with_bolat();
        story.transfers("aigul", call, colleague());
        let leg = story.rings_at("bolat");
        match what {
            "declines" => story.desk(FromDesk::Decline { agent: "bolat".into(), call }),
            "busy" => story.refuses(leg, 486),
            _ => story.pass(15_000),
        }
        assert_eq!((failed(&story, call), story.agent("bolat")), (vec![how], AgentStatus::NotResponding), "{what}");
        assert!(story.ended(call).is_none() && story.hears_music(LegId::caller(call)), "{what}");
        story.signs_in("cemre", &[13]);
        story.pass(100);
        let leg = story.rings_at("cemre");
        story.answers(leg);
        assert_eq!(story.agent("cemre"), AgentStatus::Talking(call), "{what}");
        story.hangs_up(call);
        story.everything_is_released();
    }
}

#[test]
fn a_resident_who_goes_while_it_rings_releases_everybody() {
    let (mut story, call) = with_bolat();
    story.transfers("aigul", call, colleague());
    story.hangs_up(call);
    assert_eq!((story.ended(call), story.agent("bolat")), (Some(EndReason::CallerHungUp), AgentStatus::Ready));
    story.everything_is_released();
}

#[test]
fn to_a_number_outside_that_only_the_shell_knows() {
    let mut story = city();
    let call = story.talks_with(77, "aigul");
    story.transfers("aigul", call, CallTo::Outside(CallerRef(4711)));
    let (leg, number) = story.number_rings();
    assert_eq!(number, CallerRef(4711));
    let dialled = |output: &Output| matches!(output, Output::Line(ToLine::Dial { target: Target::Outside(CallerRef(4711)), shown: Shown::City(city), .. }) if city.as_str() == "109");
    assert_eq!(story.asked_count(dialled), 1, "the city's number is shown");
    story.answers(leg);
    assert_eq!((story.matrix(call).as_str(), story.recorded(call).len()), ("0:2 2:0", 2));
    story.leg_hangs_up(leg);
    assert_eq!(story.ended(call), Some(EndReason::OutsideEnded));
    story.everything_is_released();
}

#[test]
fn a_number_that_is_not_reached_brings_the_resident_back_to_the_queue() {
    let mut story = city();
    let call = story.talks_with(77, "aigul");
    story.transfers("aigul", call, CallTo::Outside(CallerRef(4711)));
    story.pass(30_000);
    assert_eq!(failed(&story, call), [OfferEnd::NoAnswer]);
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(call), "who is free again is the next for them");
    story.hangs_up(call);
    story.everything_is_released();
}

#[test]
fn to_a_service_that_the_plan_dials() {
    let mut story = city();
    let call = story.talks_with(77, "aigul");
    story.transfers("aigul", call, CallTo::Service("112".into()));
    let leg = story.outside_rings();
    story.answers(leg);
    assert_eq!(story.matrix(call), "0:2 2:0");
    story.hangs_up(call);
    story.everything_is_released();
}

/// Who waits may be silent: a line that was silent in the talk is no dead line in the queue.
#[test]
fn a_silent_resident_who_is_given_to_a_queue_is_not_cut_off() {
    let mut story = city();
    let call = story.talks_with(77, "aigul");
    story.media(FromMedia::SoundLost { leg: LegId::caller(call) });
    story.transfers("aigul", call, CallTo::Queue("roads".into()));
    story.pauses("aigul", "lunch");
    story.pass(600_000);
    assert_eq!(story.ended(call), None);
    story.hangs_up(call);
    story.everything_is_released();
}

#[test]
fn what_cannot_be_is_refused_and_the_talk_goes_on() {
    let (mut story, call) = with_bolat();
    story.pauses("bolat", "lunch");
    let cases = [
        (colleague(), Refusal::NotFree),
        (CallTo::Agent("aigul".into()), Refusal::NotFree),
        (CallTo::Agent("nobody".into()), Refusal::UnknownTarget),
        (CallTo::Queue("nothing".into()), Refusal::UnknownTarget),
        (CallTo::Service("nothing".into()), Refusal::UnknownTarget),
        (CallTo::Outside(CallerRef::WITHHELD), Refusal::UnknownTarget),
    ];
    for (to, why) in cases {
        story.transfers("aigul", call, to.clone());
        assert_eq!((story.refused("aigul"), story.matrix(call).as_str()), (Some(why), "0:1 1:0"), "{to:?}");
    }
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::Transferred { .. })), 0);
}

#[test]
fn a_colleague_who_answers_at_the_desk_is_dialled_when_they_say_yes() {
    let mut story = Story::new(with(three_operators(), "bolat", operator(&["ru", "heating"], HEADSET)));
    story.signs_in("aigul", &[11]);
    let call = story.talks_with(77, "aigul");
    story.signs_in("bolat", &[12]);
    story.transfers("aigul", call, colleague());
    assert!(story.all_rings_at("bolat").is_empty());
    story.desk(FromDesk::Accept { agent: "bolat".into(), call });
    story.desk(FromDesk::Accept { agent: "bolat".into(), call });
    story.pass(100);
    let leg = story.rings_at("bolat");
    story.answers(leg);
    assert_eq!(story.agent("bolat"), AgentStatus::Talking(call));
    story.hangs_up(call);
    story.everything_is_released();
}

#[test]
fn two_phones_ring_and_the_second_answer_counts_as_nothing() {
    let mut story = city();
    let call = story.talks_with(77, "aigul");
    story.signs_in("bolat", &[12, 13]);
    story.transfers("aigul", call, colleague());
    let rings = story.all_rings_at("bolat");
    assert_eq!(rings.len(), 2);
    story.answers(rings[1]);
    assert_eq!(story.leg_ended(rings[0]), Some(EndReason::AnsweredElsewhere));
    story.line(FromLine::HungUp { leg: rings[0], cause: HangUpCause::Bye });
    assert_eq!(story.ended(call), None);
    story.hangs_up(call);
    story.everything_is_released();
}

#[test]
fn a_phone_that_goes_away_while_it_rings_brings_the_resident_back() {
    let (mut story, call) = with_bolat();
    story.transfers("aigul", call, colleague());
    story.registers("bolat", &[]);
    assert_eq!(failed(&story, call), [OfferEnd::AgentGone]);
    story.hangs_up(call);
    story.everything_is_released();
}
