//! What are those who wait told about the time? It follows the operators who can serve them, their last calls and those before.

use cityline::centre::fact::Fact;
use cityline::centre::ids::CallId;
use cityline::centre::schedule::Calendar;
use cityline::centre::settings::{Ring, Settings};
use cityline::centre::shift::Shift;

use super::story::Story;
use crate::city::{PHONE, operator, settings, with};

/// The minutes that the caller was told last.
fn told(story: &Story, call: CallId) -> Option<u32> {
    let minutes = |fact: &Fact| match fact {
        Fact::PlaceTold { call: id, minutes, .. } if *id == call => Some(*minutes),
        _ => None,
    };
    story.told.iter().rev().find_map(|(_, fact)| minutes(fact)).expect("the place was told")
}

fn city(operators: &[(&str, &[&str])]) -> Settings {
    operators.iter().fold(settings(), |city, (name, skills)| with(city, name, operator(skills, PHONE)))
}

#[test]
fn callers_before_who_need_somebody_else_are_not_waited_for() {
    let mut story = Story::new(city(&[("aigul", &["ru", "heating"]), ("bolat", &["ru", "roads"])]));
    story.signs_in("aigul", &[1]);
    story.signs_in("bolat", &[2]);
    story.talks_with(1, "aigul");
    let on_roads = story.waits_for(2, '2');
    story.pass(100);
    let leg = story.rings_at("bolat");
    story.answers(leg);
    for caller in 3..7 {
        story.waits_for(caller, '2');
    }
    let call = story.waits_for_heating(7);
    story.pass(5_000);
    assert_eq!(told(&story, call), Some(3), "one talk about heating, whatever happens on the roads");
    story.hangs_up(on_roads);
}

#[test]
fn operators_who_go_and_talks_that_are_short_change_what_is_told() {
    let all: &[&str] = &["ru", "heating"];
    let mut story = Story::new(city(&[("aigul", all), ("bolat", all)]));
    story.signs_in("aigul", &[1]);
    story.signs_in("bolat", &[2]);
    story.talks_with(1, "aigul");
    let second = story.talks_with(2, "bolat");
    let call = story.waits_for_heating(3);
    story.pass(5_000);
    assert_eq!(told(&story, call), Some(2), "two operators, three minutes a talk");
    story.desk(cityline::centre::input::FromDesk::SignOut { agent: "bolat".into() });
    story.hangs_up(second);
    story.pass(60_000);
    assert_eq!(told(&story, call), Some(2), "one operator, and a short talk that has ended");
}

#[test]
fn without_anybody_at_work_no_time_is_told() {
    let mut story = Story::new(city(&[("aigul", &["ru", "heating"])]));
    story.signs_in("aigul", &[1]);
    let call = story.talks_with(1, "aigul");
    let waits = story.waits_for_heating(2);
    story.desk(cityline::centre::input::FromDesk::SignOut { agent: "aigul".into() });
    story.hangs_up(call);
    story.pass(40_000);
    assert_eq!(told(&story, waits), None);
}

#[test]
fn a_shift_that_begins_soon_counts_from_then_on() {
    let mut city = city(&[("aigul", &["ru", "heating"])]);
    let hours = Calendar { week: std::array::from_fn(|_| vec![(2, 1440)]), ..Calendar::always() };
    city.shifts.insert("day".into(), Shift { hours, agents: ["aigul".into()].into(), ..Shift::default() });
    let mut story = Story::new(city);
    let call = story.waits_for_heating(1);
    story.pass(5_000);
    assert_eq!(told(&story, call), Some(5), "two minutes until she comes, and a call of three");
}

#[test]
fn a_ring_that_widens_soon_counts_from_then_on() {
    let mut city = city(&[]);
    let learns = [("ru".into(), 10), ("heating".into(), 3)].into_iter().collect();
    city = with(city, "aigul", cityline::centre::settings::AgentSettings { skills: learns, device: PHONE });
    let ring = |after_ms, level| Ring { after_ms, level, dropped: [].into() };
    city.queues.entry("heating".into()).and_modify(|queue| queue.rings = vec![ring(0, 7), ring(240_000, 1)]);
    let mut story = Story::new(city);
    story.signs_in("aigul", &[1]);
    let call = story.waits_for_heating(1);
    story.pass(5_000);
    assert_eq!(told(&story, call), Some(4), "she may take it in four minutes");
}
