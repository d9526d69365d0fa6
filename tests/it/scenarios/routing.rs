//! Who may take a caller after how long a wait, and which of several gets the call? Rings of levels, and each queue's rule.

use std::collections::BTreeMap;

use cityline::centre::explanation::{Explanation, Rule, Verdict};
use cityline::centre::fact::{AgentStatus, Fact};
use cityline::centre::ids::{AgentId, CallId};
use cityline::centre::input::CallerKnown;
use cityline::centre::settings::{QueueSettings, Ring, Settings, Strategy};

use super::queues::explanation;
use super::story::Story;
use crate::city::{PHONE, operator, settings, skilled, with};
use crate::days::judge::judge;

/// The city whose heating queue has these rules.
fn heating(change: impl FnOnce(&mut QueueSettings)) -> Settings {
    let mut city = settings();
    change(city.queues.get_mut(&"heating".into()).unwrap());
    city
}

fn ring(after_ms: u64, level: u8, dropped: &[&str]) -> Ring {
    Ring { after_ms, level, dropped: dropped.iter().map(|skill| (*skill).into()).collect() }
}

/// The best from the beginning, the good after 20 s, after a minute anyone who speaks the language.
fn widening() -> Vec<Ring> {
    vec![ring(0, 8, &[]), ring(20_000, 5, &[]), ring(60_000, 1, &["heating"])]
}

/// Operators with Russian and heating at these levels, who sign in in this order, a second apart.
fn city_of(mut city: Settings, staff: &[(&str, u8, u8)]) -> Story {
    for (name, ru, heating) in staff {
        city = with(city, name, skilled(&[("ru", *ru), ("heating", *heating)], PHONE));
    }
    let mut story = Story::new(city);
    for (n, (name, ..)) in (1..).zip(staff) {
        story.signs_in(name, &[n]);
        story.pass(1_000);
    }
    story
}

fn rings_told(story: &Story, call: CallId) -> Vec<(u32, u64)> {
    let since = story.told.iter().find(|(_, fact)| matches!(fact, Fact::Enqueued { call: id, .. } if *id == call)).unwrap().0;
    let told = |(at, fact): &(_, Fact)| match fact {
        Fact::RingReached { call: id, ring, .. } if *id == call => Some((*ring, at_ms(*at, since))),
        _ => None,
    };
    story.told.iter().filter_map(told).collect()
}

fn at_ms(at: cityline::centre::time::Time, since: cityline::centre::time::Time) -> u64 {
    at.ms_since(since)
}

fn chosen(why: &Explanation) -> Option<&AgentId> {
    why.verdicts.iter().find(|(_, verdict)| matches!(verdict, Verdict::Chosen { .. })).map(|(agent, _)| agent)
}

#[test]
fn rings_widen_from_the_best_to_the_good_to_anyone_who_speaks_the_language() {
    let mut story = city_of(heating(|queue| queue.rings = widening()), &[("aigul", 10, 0), ("bolat", 6, 5)]);
    let call = story.waits_for_heating(77);
    story.pass(19_999);
    assert!(story.offers(call).is_empty(), "nobody is of the best");
    story.pass(1);
    assert_eq!(story.agent("bolat"), AgentStatus::Offered(call), "the good are asked after twenty seconds");
    let why = explanation(&story, call);
    assert_eq!((why.ring, &why.minimum), (1, &BTreeMap::from([("heating".into(), 5), ("ru".into(), 5)])));
    assert_eq!(why.verdicts[0], ("aigul".into(), Verdict::Lacks { skills: vec!["heating".into()] }));
    assert_eq!(judge(&why, chosen(&why)), Ok(()));
    story.pass(15_000);
    assert_eq!(story.agent("bolat"), AgentStatus::NotResponding);
    story.pass(25_000);
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(call), "after a minute anyone who speaks Russian");
    assert_eq!(rings_told(&story, call), [(0, 0), (1, 20_000), (2, 60_000)]);
    story.hangs_up(call);
    story.everything_is_released();
}

#[test]
fn a_ring_that_is_reached_while_the_phone_rings_counts_when_nobody_answers() {
    let mut story = city_of(heating(|queue| queue.rings = widening()), &[("aigul", 9, 9), ("bolat", 6, 5)]);
    let call = story.waits_for_heating(77);
    story.pass(10_000);
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(call));
    story.pass(5_000);
    assert_eq!(story.agent("bolat"), AgentStatus::Ready, "not good enough for fifteen seconds of waiting");
    story.signs_in("aigul", &[1]);
    story.pass(10_000);
    assert_eq!(story.agent("bolat"), AgentStatus::Ready);
    story.pass(5_000);
    assert_eq!(story.agent("bolat"), AgentStatus::Offered(call), "the wait has gone on while the other's phone rang");
}

#[test]
fn below_the_level_is_told_with_the_level() {
    let mut story = city_of(heating(|queue| queue.rings = widening()), &[("aigul", 9, 9), ("bolat", 6, 5)]);
    let call = story.waits_for_heating(77);
    let levels = BTreeMap::from([("heating".into(), 5), ("ru".into(), 6)]);
    assert_eq!(explanation(&story, call).verdicts[1], ("bolat".into(), Verdict::BelowLevel { levels }));
}

/// A caller who comes back to the queue with the age of before is in the ring of that age.
#[test]
fn new_settings_put_those_who_wait_into_their_rings() {
    let staff = [("aigul", 3, 3)];
    let mut story = city_of(heating(|queue| queue.rings = vec![ring(0, 9, &[])]), &staff);
    let call = story.waits_for_heating(77);
    story.pass(30_000);
    assert!(story.offers(call).is_empty());
    let easier = heating(|queue| queue.rings = vec![ring(0, 9, &[]), ring(25_000, 2, &[])]);
    story.reload(with(easier, "aigul", skilled(&[("ru", 3), ("heating", 3)], PHONE)));
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(call), "the new rules hold for those who wait already");
}

/// Three free operators, of whom each rule chooses another.
#[test]
fn each_rule_chooses_its_own_operator() {
    let staff = [("aigul", 4, 4), ("bolat", 9, 9), ("cemre", 5, 5)];
    for (strategy, expected, rule) in [
        (Strategy::LongestIdle, "aigul", Rule::LongestIdle),
        (Strategy::MostSkilled, "bolat", Rule::MostSkilled),
        (Strategy::LastOperator, "cemre", Rule::LastOperator),
    ] {
        let mut story = city_of(heating(|queue| queue.strategy = strategy), &staff);
        story.knows(77, CallerKnown { last_operator: Some("cemre".into()), ..CallerKnown::default() });
        let call = story.waits_for_heating(77);
        assert_eq!(story.agent(expected), AgentStatus::Offered(call), "{strategy:?}");
        let why = explanation(&story, call);
        assert_eq!(why.rule, rule);
        assert_eq!(judge(&why, Some(&expected.into())), Ok(()));
    }
}

#[test]
fn the_last_operator_of_a_caller_who_is_busy_is_not_waited_for() {
    let mut story = city_of(heating(|queue| queue.strategy = Strategy::LastOperator), &[("aigul", 4, 4), ("bolat", 9, 9)]);
    story.pauses("bolat", "lunch");
    story.knows(77, CallerKnown { last_operator: Some("bolat".into()), ..CallerKnown::default() });
    let call = story.waits_for_heating(77);
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(call));
    assert_eq!(explanation(&story, call).rule, Rule::LongestIdle);
}

#[test]
fn in_turn_goes_by_name_and_begins_again() {
    let mut story = city_of(heating(|queue| queue.strategy = Strategy::RoundRobin), &[("cemre", 9, 9), ("aigul", 9, 9), ("bolat", 9, 9)]);
    let mut turns = Vec::new();
    for caller in 1..6 {
        let call = story.waits_for_heating(caller);
        story.pass(100);
        let why = explanation(&story, call);
        let agent = chosen(&why).unwrap().clone();
        assert_eq!(judge(&why, Some(&agent)), Ok(()));
        turns.push(agent.to_string());
        story.hangs_up(call);
        story.pass(100);
    }
    assert_eq!(turns, ["aigul", "bolat", "cemre", "aigul", "bolat"]);
}

#[test]
fn fewest_calls_counts_since_signing_in() {
    let mut story =
        city_of(heating(|queue| (queue.strategy, queue.wrap_up_ms) = (Strategy::FewestCalls, 0)), &[("aigul", 9, 9), ("bolat", 9, 9)]);
    story.pauses("bolat", "lunch");
    for caller in 1..3 {
        let call = story.talks_with(caller, "aigul");
        story.hangs_up(call);
        story.pass(100);
    }
    story.signs_in("bolat", &[2]);
    let call = story.waits_for_heating(9);
    assert_eq!(story.agent("bolat"), AgentStatus::Offered(call), "who has answered none, though ready for a shorter time");
    let why = explanation(&story, call);
    assert_eq!(judge(&why, Some(&"bolat".into())), Ok(()));
    assert!(matches!(&why.verdicts[0].1, Verdict::Eligible { merits, .. } if merits.calls == 2));
}

/// Old lists of skills mean the best level, so that a city without levels is as it was.
#[test]
fn a_list_of_skills_is_good_enough_for_every_ring() {
    let mut story = Story::new(with(heating(|queue| queue.rings = vec![ring(0, 10, &[])]), "aigul", operator(&["ru", "heating"], PHONE)));
    story.signs_in("aigul", &[1]);
    let call = story.waits_for_heating(77);
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(call));
}
