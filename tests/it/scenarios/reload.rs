//! What if the settings change while callers are in them? Everyone is served to the end.

use cityline::centre::dialplan::Action;
use cityline::centre::fact::{AgentStatus, EndReason, Fact, OfferEnd};
use cityline::centre::ids::StepId;
use cityline::centre::input::FromDesk;
use cityline::centre::settings::Settings;

use super::story::{SPEAKS_MS, Story};
use crate::city::{PHONE, fixed, operator, plan, say, settings, step, with};

fn city() -> Settings {
    with(settings(), "aigul", operator(&["kk", "ru", "heating"], PHONE))
}

/// The city has given up its number and all its queues.
fn emptied() -> Settings {
    let mut bare = city();
    bare.revision = 2;
    bare.numbers.clear();
    bare.queues.clear();
    bare
}

/// FS#1822, FU#1043: a queue drains, then closes.
#[test]
fn who_waits_in_a_queue_that_is_dropped_is_served_and_nobody_new_comes() {
    let mut story = Story::new(city());
    let call = story.waits_for_heating(1);
    story.reload(emptied());
    let late = story.calls(2);
    assert_eq!(story.ended(late), Some(EndReason::UnknownNumber));
    story.reload(emptied());
    story.signs_in("aigul", &[11]);
    story.pass(100);
    let leg = story.rings_at("aigul");
    story.answers(leg);
    assert_eq!(story.agent("aigul"), AgentStatus::Talking(call));
    story.reload(emptied());
    story.hangs_up(call);
    assert_eq!(story.agent("aigul"), AgentStatus::WrapUp, "the dropped queue's wrap-up is still the operator's");
    story.everything_is_released();
}

#[test]
fn who_walks_a_plan_that_is_dropped_comes_through_it_to_its_dropped_queue() {
    let mut story = Story::new(city());
    let call = story.calls(1);
    story.pass(100);
    story.reload(emptied());
    story.pass(SPEAKS_MS);
    story.presses(call, '2');
    story.presses(call, '1');
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::Enqueued { .. })), 1);
    story.signs_in("aigul", &[11]);
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(call));
    story.hangs_up(call);
    story.everything_is_released();
}

/// The plan that replaces the old one has other steps under the same names: the caller goes on in the new one.
#[test]
fn who_is_in_a_step_that_changes_goes_on_in_the_new_one() {
    let hang_up = || Action::HangUp { say: say(&["goodbye"]) };
    let play = || Action::Play { say: say(&["news"]), repeat: false, next: "general".into() };
    let queue = || Action::Queue { queue: "general".into(), overflow: None, subscribed: None, credit_ms: 0, callback: None };
    for (phase, wait_ms) in [("speaking", 100), ("asking", SPEAKS_MS + 100), ("listening", 2 * SPEAKS_MS + 100)] {
        for new in [hang_up(), play(), queue()] {
            let mut story = Story::new(city());
            let call = story.calls(1);
            story.pass(wait_ms);
            let mut changed = city();
            let mut rewritten = plan();
            let name: StepId = if phase == "speaking" { "welcome".into() } else { "language".into() };
            rewritten.steps.extend([step(name.as_str(), new.clone())]);
            changed.numbers.insert("109".into(), rewritten);
            story.reload(changed);
            story.pass(30_000);
            let served = story.ended(call).is_some() || story.told_count(|fact| matches!(fact, Fact::Enqueued { .. })) == 1;
            assert!(served, "{phase}, {new:?}: the caller sits in silence");
        }
    }
}

#[test]
fn who_is_in_a_step_that_is_gone_begins_again() {
    let mut story = Story::new(city());
    let call = story.calls(1);
    story.pass(100);
    let mut changed = city();
    let mut rewritten = plan();
    rewritten.steps.remove(&StepId::from("welcome"));
    rewritten.start = "language".into();
    changed.numbers.insert("109".into(), rewritten);
    story.reload(changed);
    story.pass(SPEAKS_MS);
    assert_eq!(story.steps(call), ["welcome", "language"]);
    story.presses(call, '2');
    assert_eq!(story.steps(call).last().map(String::as_str), Some("topics"));
}

#[test]
fn a_wrong_key_in_a_question_that_became_something_else_leaves_nobody_in_silence() {
    let mut story = Story::new(city());
    let call = story.calls(1);
    story.pass(2 * SPEAKS_MS + 100);
    let mut changed = city();
    let mut rewritten = plan();
    rewritten.steps.extend([step("language", Action::Play { say: say(&["news"]), repeat: false, next: "general".into() })]);
    changed.numbers.insert("109".into(), rewritten);
    story.reload(changed);
    story.presses(call, '9');
    story.pass(SPEAKS_MS);
    assert_eq!(story.steps(call).last().map(String::as_str), Some("general"));
}

#[test]
fn an_operator_who_is_removed_finishes_the_talk_and_is_gone() {
    let mut story = Story::new(city());
    story.signs_in("aigul", &[11]);
    let call = story.talks_with(1, "aigul");
    story.reload(settings());
    assert_eq!(story.agent("aigul"), AgentStatus::Talking(call));
    story.hangs_up(call);
    story.pass(20_000);
    assert_eq!(story.agent("aigul"), AgentStatus::Offline);
    story.waits_for_heating(2);
    assert_eq!(story.agent("aigul"), AgentStatus::Offline);
}

#[test]
fn an_operator_who_is_removed_in_any_other_state_is_gone_at_once() {
    for state in ["ready", "offered", "wrap-up", "paused"] {
        let mut story = Story::new(city());
        story.signs_in("aigul", &[11]);
        match state {
            "offered" => {
                story.waits_for_heating(1);
            }
            "wrap-up" => {
                let call = story.talks_with(1, "aigul");
                story.hangs_up(call);
            }
            "paused" => story.pauses("aigul", "lunch"),
            _ => {}
        }
        story.reload(settings());
        assert_eq!(story.agent("aigul"), AgentStatus::Offline, "{state}");
        story.desk(FromDesk::Ready { agent: "aigul".into() });
        assert_eq!(story.agent("aigul"), AgentStatus::Offline, "{state}");
        if state == "offered" {
            let call = cityline::centre::ids::CallId(1);
            assert_eq!(story.offers(call), [("aigul".to_owned(), OfferEnd::AgentGone)]);
            story.hangs_up(call);
        }
        story.everything_is_released();
    }
}

#[test]
fn a_skill_that_is_learnt_brings_the_caller_who_waits_for_it() {
    let mut story = Story::new(with(settings(), "aigul", operator(&["kk", "ru"], PHONE)));
    story.signs_in("aigul", &[11]);
    let call = story.waits_for_heating(1);
    assert_eq!(story.agent("aigul"), AgentStatus::Ready);
    story.reload(city());
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(call));
}

/// FU#2831: a ready operator whose new device has never been seen is not ready.
#[test]
fn a_new_device_must_be_there_before_its_operator_is_ready() {
    let mut story = Story::new(with(settings(), "aigul", fixed(&["ru", "heating"])));
    assert_eq!(story.agent("aigul"), AgentStatus::Ready);
    story.reload(city());
    assert_eq!(story.agent("aigul"), AgentStatus::NotResponding);
    story.waits_for_heating(1);
    assert_eq!(story.agent("aigul"), AgentStatus::NotResponding);
    story.reload(with(settings(), "aigul", fixed(&["ru", "heating"])));
    assert!(matches!(story.agent("aigul"), AgentStatus::Offered(_)), "a fixed address is always ready");
}
