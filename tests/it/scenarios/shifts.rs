//! Who may be offered a call at which hour? The table of shifts, and what supervisors order over it.

use std::collections::BTreeMap;

use cityline::centre::explanation::Verdict;
use cityline::centre::fact::{AgentStatus, Fact};
use cityline::centre::ids::CallId;
use cityline::centre::input::Input;
use cityline::centre::schedule::Calendar;
use cityline::centre::settings::Settings;
use cityline::centre::shift::{Shift, ShiftOrder, Wanted};

use super::queues::explanation;
use super::story::Story;
use crate::city::{PHONE, operator, settings, with};

const HOUR: u64 = 3_600_000;

fn hours(spans: &[(u16, u16)]) -> Calendar {
    Calendar { week: std::array::from_fn(|_| spans.to_vec()), ..Calendar::default() }
}

fn shift(spans: &[(u16, u16)], agents: &[&str]) -> Shift {
    Shift { hours: hours(spans), agents: agents.iter().map(|name| (*name).into()).collect(), ..Shift::default() }
}

/// Two day shifts and a night over midnight; stories begin at midnight.
fn table() -> Settings {
    let mut city = ["aigul", "bolat", "cemre"]
        .into_iter()
        .fold(settings(), |city, name| with(city, name, operator(&["ru", "heating", "roads"], PHONE)));
    city.shifts = BTreeMap::from([
        ("day".into(), shift(&[(8 * 60, 17 * 60)], &["aigul"])),
        ("late".into(), shift(&[(11 * 60, 20 * 60)], &["bolat"])),
        ("night".into(), shift(&[(0, 8 * 60), (20 * 60, 24 * 60)], &["cemre"])),
    ]);
    city
}

fn everybody_in(story: &mut Story) {
    for (name, contact) in [("aigul", 1), ("bolat", 2), ("cemre", 3)] {
        story.signs_in(name, &[contact]);
    }
}

fn ordered(story: &mut Story, agent: &str, wanted: Wanted, until_ms: Option<u64>) {
    let (by, reason) = ("boss".to_owned(), "two are ill".to_owned());
    story.happens(Input::ShiftOrdered(ShiftOrder { agent: agent.into(), wanted, until_ms, by, reason }));
}

fn offered_to(story: &Story, call: CallId) -> Vec<String> {
    let to = |fact: &Fact| match fact {
        Fact::Offered { call: id, agent, .. } if *id == call => Some(agent.to_string()),
        _ => None,
    };
    story.told.iter().filter_map(|(_, fact)| to(fact)).collect()
}

#[test]
fn who_is_on_shift_decides_who_is_offered_a_call_and_the_clock_changes_it() {
    let mut story = Story::new(table());
    everybody_in(&mut story);
    story.pass(8 * HOUR - 20_000);
    let night = story.waits_for_heating(1);
    assert_eq!(offered_to(&story, night), ["cemre"], "the night's alone, though others are ready");
    let verdicts = explanation(&story, night).verdicts;
    assert_eq!(verdicts[0], ("aigul".into(), Verdict::OffShift {}));
    story.pauses("cemre", "lunch");
    story.pass(10_000);
    assert_eq!(offered_to(&story, night), ["cemre"], "nobody else is on shift");
    story.pass(10_000);
    assert_eq!(offered_to(&story, night), ["cemre", "aigul"], "at eight the day's shift begins, and whoever waits is offered at once");
}

#[test]
fn an_order_of_a_supervisor_holds_in_the_same_step_and_until_its_end() {
    let mut story = Story::new(table());
    everybody_in(&mut story);
    story.pass(9 * HOUR);
    ordered(&mut story, "aigul", Wanted::Home {}, None);
    let call = story.waits_for_heating(1);
    assert!(offered_to(&story, call).is_empty(), "sent home, and the others' shifts are not now");
    let until = story.now.0 + HOUR;
    ordered(&mut story, "bolat", Wanted::On { shift: None }, Some(until));
    assert_eq!(offered_to(&story, call), ["bolat"]);
    let told = story.told_count(|fact| matches!(fact, Fact::ShiftOrdered { by, reason, .. } if by == "boss" && reason == "two are ill"));
    assert_eq!(told, 2, "with author and reason");
    story.hangs_up(call);
    story.pass(HOUR);
    let call = story.waits_for_heating(2);
    assert!(offered_to(&story, call).is_empty(), "the hour is over, and the late shift begins at eleven");
    story.pass(HOUR);
    assert_eq!(offered_to(&story, call), ["bolat"]);
    let home_until = story.told.iter().find_map(|(_, fact)| match fact {
        Fact::ShiftOrdered { wanted: Wanted::Home {}, until_ms, .. } => Some(*until_ms),
        _ => None,
    });
    let midnight = story.now.0 - story.now.0 % (24 * HOUR);
    assert_eq!(home_until, Some(midnight + 17 * HOUR), "home until the shift would have ended");
}

#[test]
fn who_is_moved_works_the_other_shifts_hours() {
    let mut story = Story::new(table());
    everybody_in(&mut story);
    story.pass(9 * HOUR);
    let until = story.now.0 + 20 * HOUR;
    ordered(&mut story, "cemre", Wanted::Moved { to: "day".into() }, Some(until));
    story.pauses("aigul", "lunch");
    let day = story.waits_for_heating(1);
    assert_eq!(offered_to(&story, day), ["cemre"]);
    story.hangs_up(day);
    story.pass(12 * HOUR);
    let evening = story.waits_for_heating(2);
    assert!(offered_to(&story, evening).is_empty(), "the night is not theirs today");
    ordered(&mut story, "cemre", Wanted::Table {}, None);
    assert_eq!(offered_to(&story, evening), ["cemre"]);
}

#[test]
fn a_shift_serves_its_queues_and_with_its_skills() {
    let mut city = table();
    city.shifts = BTreeMap::from([
        ("roads".into(), Shift { queues: ["roads".into()].into(), ..shift(&[(0, 1440)], &["aigul"]) }),
        ("lifts".into(), Shift { skills: ["roads".into()].into(), ..shift(&[(0, 1440)], &["bolat"]) }),
    ]);
    let mut story = Story::new(city);
    everybody_in(&mut story);
    let heating = story.waits_for_heating(1);
    assert!(offered_to(&story, heating).is_empty());
    let roads = story.waits_for(2, '2');
    assert_eq!(offered_to(&story, roads).len(), 1);
    story.reload(Settings { shifts: BTreeMap::new(), ..table() });
    assert_eq!(offered_to(&story, heating).len(), 1, "without a table everybody is on shift");
    let mut one = table();
    one.shifts = BTreeMap::from([("roads".into(), Shift { queues: ["roads".into()].into(), ..shift(&[(0, 1440)], &["aigul"]) })]);
    one.shifts.insert("all".into(), shift(&[(0, 1440)], &["bolat"]));
    let mut story = Story::new(one);
    everybody_in(&mut story);
    let call = story.waits_for_heating(1);
    let verdicts = explanation(&story, call).verdicts;
    assert_eq!(verdicts[0], ("aigul".into(), Verdict::NotInQueue { shifts: vec!["roads".into()] }));
    assert_eq!(verdicts[2], ("cemre".into(), Verdict::OffShift {}));
}

#[test]
fn a_talk_goes_on_when_the_shift_ends_and_nothing_new_comes() {
    let mut story = Story::new(table());
    everybody_in(&mut story);
    story.pass(17 * HOUR - 10_000);
    story.pauses("bolat", "lunch");
    let call = story.talks_with(1, "aigul");
    story.pass(60_000);
    assert_eq!(story.agent("aigul"), AgentStatus::Talking(call));
    story.hangs_up(call);
    story.pass(60_000);
    let next = story.waits_for_heating(2);
    story.pass(1_000);
    assert!(offered_to(&story, next).is_empty());
}

/// The deadline of a shift's change outlives a restart, and so do orders.
#[test]
fn orders_and_shifts_outlive_a_restart() {
    let mut story = Story::new(table());
    everybody_in(&mut story);
    story.pass(9 * HOUR);
    ordered(&mut story, "cemre", Wanted::On { shift: Some("day".into()) }, None);
    story.restarts(5_000);
    everybody_in(&mut story);
    story.pauses("aigul", "lunch");
    let call = story.waits_for_heating(1);
    assert_eq!(offered_to(&story, call), ["cemre"]);
    story.hangs_up(call);
    story.pass(8 * HOUR);
    let call = story.waits_for_heating(2);
    assert!(!offered_to(&story, call).contains(&"cemre".to_owned()), "until the day's shift has ended");
}

/// Until when the last order holds, in hours since the first midnight.
fn holds_until(story: &Story) -> u64 {
    let until = |fact: &Fact| match fact {
        Fact::ShiftOrdered { until_ms, .. } => Some(*until_ms),
        _ => None,
    };
    let until = story.told.iter().rev().find_map(|(_, fact)| until(fact)).unwrap();
    (until - story.now.0 / (24 * HOUR) * 24 * HOUR) / HOUR
}

#[test]
fn an_order_without_an_end_holds_for_the_day_and_for_the_night_that_begins_on_it() {
    let mut story = Story::new(table());
    story.signs_in("aigul", &[1]);
    story.pass(14 * HOUR);
    ordered(&mut story, "cemre", Wanted::Home {}, None);
    assert_eq!(holds_until(&story), 32, "cemre's night ends at eight of the next day");
    ordered(&mut story, "aigul", Wanted::Moved { to: "night".into() }, None);
    assert_eq!(holds_until(&story), 32);
    ordered(&mut story, "bolat", Wanted::Home {}, None);
    assert_eq!(holds_until(&story), 20);
    story.pass(11 * HOUR);
    let call = story.waits_for_heating(1);
    assert_eq!(offered_to(&story, call), ["aigul"], "at one in the night, and cemre is at home");
    ordered(&mut story, "cemre", Wanted::Table {}, None);
    ordered(&mut story, "cemre", Wanted::Home {}, None);
    assert_eq!(holds_until(&story), 8, "the night that goes on, not the next one");
}

#[test]
fn who_is_sent_home_from_the_first_of_two_shifts_of_a_day_does_not_come_back_for_the_second() {
    let mut city = table();
    city.shifts.insert("evening".into(), shift(&[(18 * 60, 20 * 60)], &["aigul"]));
    let mut story = Story::new(city);
    story.pass(9 * HOUR);
    ordered(&mut story, "aigul", Wanted::Home {}, None);
    assert_eq!(holds_until(&story), 20);
}

#[test]
fn orders_about_a_shift_that_is_gone_are_void() {
    let mut story = Story::new(table());
    everybody_in(&mut story);
    story.pass(9 * HOUR);
    ordered(&mut story, "cemre", Wanted::Moved { to: "late".into() }, None);
    ordered(&mut story, "aigul", Wanted::On { shift: Some("late".into()) }, None);
    let mut renamed = table();
    let late = renamed.shifts.remove(&"late".into()).unwrap();
    renamed.shifts.insert("late-1".into(), late);
    story.reload(renamed);
    let on = |story: &Story, name: &str| story.centre.duty().is_on(&name.into());
    assert!(on(&story, "aigul") && !on(&story, "cemre"), "as the table says at nine");
    assert_eq!(story.centre.duty().shifts(&"aigul".into()).map(ToString::to_string).collect::<Vec<_>>(), ["day"]);
    story.pass(12 * HOUR);
    assert!(!on(&story, "aigul") && on(&story, "cemre"), "and at nine in the evening");
}
