//! What happens to callers of a queue that is closed, drained or in surge? By a supervisor's order, and by the rule that counts arrivals.

use cityline::centre::fact::{AgentStatus, EndReason, Fact, QueueEnd};
use cityline::centre::ids::CallId;
use cityline::centre::input::Input;
use cityline::centre::notice::Notice;
use cityline::centre::output::Sound;
use cityline::centre::settings::Settings;
use cityline::centre::steer::Order;
use cityline::centre::surge::{Mode, SurgeRule};

use super::steering::{offered_to, orders, orders_until};
use super::story::Story;
use crate::city::{say, step, three_operators};
use cityline::centre::dialplan::Action;

fn mode(queue: &str, mode: Mode) -> Order {
    Order::Mode { queue: queue.into(), mode }
}

fn hears_prompt(story: &Story, call: CallId, name: &str) -> bool {
    story.hears(call).iter().any(|sound| matches!(sound, Sound::Prompt { id, .. } if id.as_str() == name))
}

/// Heating has a step for when it is closed, and a shorter way in a rush; so has the menu.
fn city() -> Settings {
    let mut city = three_operators();
    let plan = city.numbers.values_mut().next().unwrap();
    let steps = [
        step("later", Action::HangUp { say: say(&["closed"]) }),
        step("rush", Action::Play { say: say(&["busy"]), repeat: false, next: "heating".into() }),
    ];
    plan.steps.extend(steps);
    plan.closed.insert("heating".into(), "later".into());
    plan.surge.insert("heating".into(), "rush".into());
    city
}

fn modes(story: &Story) -> Vec<(Mode, Option<String>)> {
    let mode = |fact: &Fact| match fact {
        Fact::QueueModeChanged { mode, by, .. } => Some((*mode, by.clone())),
        _ => None,
    };
    story.told.iter().filter_map(|(_, fact)| mode(fact)).collect()
}

#[test]
fn a_closed_queue_takes_nobody_new_and_serves_who_waits() {
    let mut story = Story::new(city());
    let waits = story.waits_for_heating(1);
    orders(&mut story, mode("heating", Mode::Closed));
    let late = story.waits_for_heating(2);
    assert!(story.steps(late).ends_with(&["later".to_owned()]), "{:?}", story.steps(late));
    story.pass(10_000);
    assert_eq!(story.ended(late), Some(EndReason::PlanEnded));
    story.signs_in("aigul", &[1]);
    assert_eq!(offered_to(&story, waits), ["aigul"]);
    let why = super::queues::explanation(&story, waits);
    assert_eq!(why.mode, Mode::Closed, "the explanation names the mode");
}

#[test]
fn a_closed_queue_without_a_way_around_says_so() {
    let mut story = Story::new(three_operators());
    orders(&mut story, mode("roads", Mode::Closed));
    orders(&mut story, mode("general", Mode::Closed));
    let call = story.waits_for(1, '2');
    assert!(hears_prompt(&story, call, "queue-closed"), "past roads to general, which is closed too: {:?}", story.hears(call));
    story.pass(5_000);
    assert_eq!(story.ended(call), Some(EndReason::PlanEnded));
    orders(&mut story, mode("heating", Mode::Closed));
    let call = story.waits_for_heating(2);
    story.pass(20_000);
    assert_eq!(
        story.ended(call),
        Some(EndReason::PlanEnded),
        "a way that leads back to the closed queue is gone once: {:?}",
        story.steps(call)
    );
    orders(&mut story, mode("roads", Mode::Open));
    let call = story.waits_for(3, '2');
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::Enqueued { call: id, .. } if *id == call)), 1);
}

#[test]
fn a_drained_queue_serves_those_who_wait_and_is_closed_when_the_last_has_gone() {
    let mut story = Story::new(city());
    let (first, second) = (story.waits_for_heating(1), story.waits_for_heating(2));
    orders(&mut story, mode("heating", Mode::Draining));
    let late = story.waits_for_heating(3);
    assert!(story.dequeued(late).is_empty() && story.steps(late).contains(&"later".to_owned()));
    story.hangs_up(first);
    assert_eq!(story.centre.mode(&"heating".into()), Mode::Draining);
    // Who leaves for another language keeps the place.
    story.presses(second, '*');
    assert_eq!(story.dequeued(second)[0].1, QueueEnd::KeyPressed);
    story.pass(2_100);
    story.presses(second, '1');
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::Enqueued { call, .. } if *call == second)), 2);
    story.hangs_up(second);
    let closed = |by: &str| (Mode::Closed, Some(by.to_owned()));
    assert_eq!(modes(&story).last(), Some(&closed("boss")));
}

#[test]
fn an_order_about_a_mode_ends_by_itself_and_outlives_the_process() {
    let mut story = Story::new(city());
    let until = story.now.0 + 60_000;
    orders_until(&mut story, mode("heating", Mode::Closed), Some(until));
    story.restarts(1_000);
    assert_eq!(story.centre.mode(&"heating".into()), Mode::Closed);
    story.pass(60_000);
    assert_eq!(story.centre.mode(&"heating".into()), Mode::Open);
    assert_eq!(modes(&story).last(), Some(&(Mode::Open, None)));
}

#[test]
fn calls_faster_than_the_rule_open_the_surge_and_calm_ends_it() {
    let mut city = city();
    city.queues.get_mut(&"heating".into()).unwrap().surge = Some(SurgeRule { calls: 3, within_ms: 60_000, calm_ms: 120_000 });
    let mut story = Story::new(city);
    let early: Vec<CallId> = (1..=3).map(|caller| story.waits_for_heating(caller)).collect();
    assert_eq!(modes(&story), [], "three in a minute are no rush");
    let fourth = story.waits_for_heating(4);
    assert_eq!(modes(&story), [(Mode::Surge, None)], "the fourth is, and nobody ordered it");
    assert!(story.centre.is_surge(&"heating".into()));
    assert!(story.steps(fourth).contains(&"rush".to_owned()), "and goes the shorter way: {:?}", story.steps(fourth));
    assert!(early.iter().all(|call| !story.steps(*call).contains(&"rush".to_owned())));
    story.pass(10_000);
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::Enqueued { call, .. } if *call == fourth)), 1, "which leads back once");
    story.pass(100_000);
    assert!(story.centre.is_surge(&"heating".into()));
    story.waits_for_heating(5);
    story.pass(20_000);
    assert_eq!(modes(&story).len(), 2, "one more caller is no rush, and two minutes are over: {:?}", modes(&story));
    assert_eq!(modes(&story)[1], (Mode::Open, None));
}

#[test]
fn a_rush_by_hand_shortens_the_menu_and_tells_notices_before_it() {
    let mut city = city();
    let plan = city.numbers.values_mut().next().unwrap();
    plan.surge.insert("topics".into(), "heating".into());
    let mut story = Story::new(city);
    story.lives_in(1, "north");
    let notice = cityline::centre::notice::Notice {
        id: "1".into(),
        prompt: "notice-1-1".into(),
        topic: "heating/no-heating".into(),
        districts: ["north".to_owned()].into(),
    };
    story.happens(cityline::centre::input::Input::NoticesChanged(vec![notice]));
    orders(&mut story, mode("general", Mode::Surge));
    let call = story.calls(1);
    story.pass(2_100);
    story.presses(call, '2');
    assert!(hears_prompt(&story, call, "notice-1-1"), "before the menu: {:?}", story.hears(call));
    story.pass(10_000);
    assert!(!story.hears(call).is_empty());
    assert_eq!(
        story.told_count(|fact| matches!(fact, Fact::Enqueued { call: id, queue, .. } if *id == call && queue.as_str() == "heating")),
        1
    );
    assert_eq!(
        story.told_count(|fact| matches!(fact, Fact::KeyPressed { call: id, step, .. } if *id == call && step.as_str() == "topics")),
        0
    );
    story.signs_in("aigul", &[1]);
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(call));
}

/// Heating is closed and leads to roads; roads are full and lead to heating.
#[test]
fn who_finds_one_queue_closed_and_the_next_full_waits_in_the_full_one() {
    let mut city = three_operators();
    let plan = city.numbers.values_mut().next().unwrap();
    let say_and_go = |to: &str| Action::Play { say: say(&["busy"]), repeat: false, next: to.into() };
    plan.steps.extend([step("to-roads", say_and_go("roads")), step("to-heating", say_and_go("heating"))]);
    for (name, to) in [("heating", "to-roads"), ("roads", "to-heating")] {
        if let Some(Action::Queue { overflow, .. }) = plan.steps.get_mut(&name.into()).map(|step| &mut step.action) {
            *overflow = Some(to.into());
        }
    }
    city.queues.get_mut(&"roads".into()).unwrap().max_waiting = 1;
    let mut story = Story::new(city);
    story.waits_for(1, '2');
    orders(&mut story, mode("heating", Mode::Closed));
    let call = story.waits_for_heating(2);
    story.pass(20_000);
    assert_eq!(story.ended(call), None, "nobody is sent away from a queue that is open: {:?}", story.steps(call));
    let enqueued = |fact: &Fact| matches!(fact, Fact::Enqueued { call: id, queue, .. } if *id == call && queue.as_str() == "roads");
    assert_eq!(story.told_count(enqueued), 1);
}

#[test]
fn a_key_of_the_menu_that_comes_before_the_question_is_no_answer_to_it() {
    let mut story = Story::new(city());
    story.lives_in(77, "north");
    let districts = std::collections::BTreeSet::from(["north".to_owned()]);
    let notice = Notice { id: "7".into(), prompt: "notice-7-1".into(), topic: "heating/no-heating".into(), districts };
    story.happens(Input::NoticesChanged(vec![notice]));
    orders(&mut story, mode("heating", Mode::Surge));
    let call = story.calls(77);
    story.pass(2_100);
    story.presses(call, '2');
    story.pass(100);
    assert!(hears_prompt(&story, call, "notice-7-1"), "what concerns them comes before the menu: {:?}", story.hears(call));
    story.presses(call, '2');
    story.pass(10_000);
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::Subscribed { .. })), 0);
    assert!(story.steps(call).contains(&"roads".to_owned()), "it chose: {:?}", story.steps(call));
    let call = story.calls(77);
    story.pass(2_100);
    story.presses(call, '2');
    story.pass(100);
    story.presses(call, '1');
    story.pass(10_000);
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::Subscribed { .. })), 0);
    assert!(story.steps(call).contains(&"heating".to_owned()), "it chose: {:?}", story.steps(call));
}
