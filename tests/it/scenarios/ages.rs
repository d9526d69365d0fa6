//! Does the time that somebody has waited follow them, from queue to queue and through changes of the rules?

use cityline::centre::dialplan::Action;
use cityline::centre::fact::{AgentStatus, Fact, QueueEnd};
use cityline::centre::ids::{CallId, CallTo};
use cityline::centre::settings::Settings;

use super::story::{SPEAKS_MS, Story};
use crate::city::{PHONE, operator, settings, step, with};

/// Who waits for roads for a minute goes on to the queue for everything; aigul takes all.
fn overflowing() -> Settings {
    let mut city = with(settings(), "aigul", operator(&["kk", "ru", "heating", "roads"], PHONE));
    city.queues.get_mut(&"roads".into()).into_iter().for_each(|roads| roads.max_wait_ms = 60_000);
    city
}

fn put_behind(story: &Story, call: CallId) -> usize {
    story.told_count(|fact| matches!(fact, Fact::PutBehind { call: id, .. } if *id == call))
}

#[test]
fn who_overflows_to_another_queue_stands_before_those_who_came_later() {
    let mut story = Story::new(overflowing());
    let first = story.waits_for(1, '2');
    story.pass(30_000);
    let second = story.waits_for(2, '2');
    story.pass(30_000);
    assert_eq!(story.dequeued(first), [("roads".to_owned(), QueueEnd::Overflowed, 60_000)]);
    story.pass(10_000);
    story.signs_in("aigul", &[1]);
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(first), "the wait for roads counts");
    story.pass(100);
    let leg = story.rings_at("aigul");
    story.answers(leg);
    let (queue, how, waited_ms) = story.dequeued(first)[1].clone();
    assert_eq!((queue.as_str(), how), ("general", QueueEnd::Answered));
    assert!(waited_ms < 20_000, "the statistics of the second queue begin with it: {waited_ms} ms");
    assert!(story.dequeued(second).is_empty());
}

#[test]
fn another_language_chosen_in_a_full_queue_costs_nobody_the_place() {
    let mut city = with(settings(), "aigul", operator(&["kk", "ru", "heating"], PHONE));
    city.queues.get_mut(&"heating".into()).into_iter().for_each(|heating| heating.max_waiting = 2);
    let mut story = Story::new(city);
    let first = story.waits_for_heating(1);
    story.waits_for_heating(2);
    story.presses(first, '*');
    story.pass(100);
    let third = story.waits_for_heating(3);
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::Enqueued { call, .. } if *call == third)), 1, "there is room for a third");
    story.presses(first, '1');
    assert!(!story.steps(first).contains(&"busy".to_owned()), "{:?}", story.steps(first));
    story.signs_in("aigul", &[1]);
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(first));
}

#[test]
fn a_longest_wait_that_is_set_while_somebody_waits_holds_for_them() {
    let mut city = settings();
    let mut story = Story::new(city.clone());
    let call = story.waits_for_heating(1);
    story.pass(90_000);
    city.revision = 2;
    city.queues.get_mut(&"heating".into()).into_iter().for_each(|heating| heating.max_wait_ms = 120_000);
    story.reload(city.clone());
    assert!(story.dequeued(call).is_empty());
    story.pass(30_000);
    assert_eq!(story.dequeued(call), [("heating".to_owned(), QueueEnd::Overflowed, 120_000)]);
    let late = story.waits_for_heating(2);
    story.pass(10_000);
    city.revision = 3;
    city.queues.get_mut(&"heating".into()).into_iter().for_each(|heating| heating.max_wait_ms = 5_000);
    story.reload(city.clone());
    assert_eq!(story.dequeued(late), [("heating".to_owned(), QueueEnd::Overflowed, 10_000)], "who is over it already goes at once");
    let patient = story.waits_for_heating(3);
    city.revision = 4;
    city.queues.get_mut(&"heating".into()).into_iter().for_each(|heating| heating.max_wait_ms = 0);
    story.reload(city);
    story.pass(200_000);
    assert!(story.dequeued(patient).is_empty(), "nobody is sent away any more");
}

#[test]
fn announcements_begin_and_end_with_the_rule_for_them() {
    let announces = |every_ms: u64, revision: u64| {
        let mut city = settings();
        city.revision = revision;
        city.queues.get_mut(&"heating".into()).into_iter().for_each(|heating| heating.announce_every_ms = every_ms);
        city
    };
    let told = |story: &Story| story.told_count(|fact| matches!(fact, Fact::PlaceTold { .. }));
    let mut story = Story::new(announces(0, 1));
    story.waits_for_heating(1);
    story.pass(60_000);
    assert_eq!(told(&story), 0);
    story.reload(announces(20_000, 2));
    story.pass(60_000);
    let so_far = told(&story);
    assert!(so_far >= 2, "told {so_far} times");
    story.reload(announces(0, 3));
    story.pass(60_000);
    assert_eq!(told(&story), so_far);
}

#[test]
fn a_talk_between_two_waits_puts_nobody_behind() {
    let mut city = with(settings(), "aigul", operator(&["kk", "ru", "heating"], PHONE));
    city.queues.get_mut(&"heating".into()).into_iter().for_each(|heating| heating.announce_every_ms = 20_000);
    let mut story = Story::new(city);
    let call = story.waits_for_heating(1);
    story.pass(30_000);
    story.waits_for_heating(2);
    story.signs_in("aigul", &[1]);
    story.pass(100);
    let leg = story.rings_at("aigul");
    story.answers(leg);
    story.pass(10_000);
    story.transfers("aigul", call, CallTo::Queue("heating".into()));
    story.pass(60_000);
    let places = story.told_count(|fact| matches!(fact, Fact::PlaceTold { call: id, place: 2, .. } if *id == call));
    assert!(places > 0, "the second wait begins behind who waits already");
    assert_eq!(put_behind(&story, call), 0, "that is no place that grew");
}

/// Somebody whom the plan sends to a queue, elsewhere and to the same queue again has waited there all the time.
#[test]
fn a_way_through_two_queues_keeps_the_first_entry() {
    let mut city = overflowing();
    if let Some(plan) = city.numbers.get_mut(&"109".into()) {
        let back = Action::Queue { queue: "heating".into(), overflow: None, subscribed: None, credit_ms: 0, callback: None };
        plan.steps.extend([step("general", back)]);
    }
    let mut story = Story::new(city);
    let first = story.waits_for(1, '2');
    story.pass(SPEAKS_MS);
    let second = story.waits_for_heating(2);
    story.pass(120_000);
    story.signs_in("aigul", &[1]);
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(first), "before {second}, who came later but to this queue first");
}
