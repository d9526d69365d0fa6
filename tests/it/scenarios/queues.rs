//! Who is served next, what do those who wait hear, and when are they sent elsewhere?

use cityline::centre::explanation::{Explanation, Merits, Rule, Verdict};
use cityline::centre::fact::{AgentStatus, Fact, QueueEnd};
use cityline::centre::ids::{CallId, Language};
use cityline::centre::input::FromDesk;
use cityline::centre::output::{Output, Sound, ToDesk};
use cityline::centre::settings::Settings;

use super::story::{SPEAKS_MS, Story};
use crate::city::{PHONE, operator, settings, with};

/// Why the call was offered for the first time.
pub fn explanation(story: &Story, call: CallId) -> Explanation {
    let why = |fact: &Fact| match fact {
        Fact::Offered { call: id, why, .. } if *id == call => Some(why.clone()),
        _ => None,
    };
    story.told.iter().find_map(|(_, fact)| why(fact)).unwrap()
}

#[test]
fn the_longest_idle_operator_who_can_gets_the_call_and_the_offer_says_why() {
    let mut city = settings();
    for (name, skills) in [
        ("aigul", ["ru", "roads"]),
        ("bolat", ["ru", "heating"]),
        ("cemre", ["ru", "heating"]),
        ("dana", ["ru", "heating"]),
        ("eren", ["ru", "heating"]),
    ] {
        city = with(city, name, operator(&skills, PHONE));
    }
    let mut story = Story::new(city);
    for (agent, contact) in [("aigul", 1), ("cemre", 3), ("bolat", 2), ("eren", 4)] {
        story.signs_in(agent, &[contact]);
        story.pass(1_000);
    }
    story.pauses("eren", "lunch");
    let call = story.waits_for_heating(77);
    let why = explanation(&story, call);
    assert_eq!(why.rule, Rule::LongestIdle);
    assert_eq!(why.needed, ["heating".into(), "ru".into()]);
    let verdicts = [
        ("aigul".into(), Verdict::Lacks { skills: vec!["heating".into()] }),
        ("bolat".into(), Verdict::Eligible { idle_ms: 4_100, merits: Merits::default() }),
        ("cemre".into(), Verdict::Chosen { idle_ms: 5_100, merits: Merits::default() }),
        ("eren".into(), Verdict::NotReady { state: "paused".into() }),
    ];
    assert_eq!(why.verdicts, verdicts);
    let shown = |output: &Output| matches!(output, Output::Desk(ToDesk::Offer { offer, .. }) if offer.why == why && offer.topic.as_deref() == Some("heating"));
    assert_eq!(story.asked_count(shown), 1);
}

/// FS#1216: one unavailable agent halted the list.
#[test]
fn an_operator_who_cannot_take_it_does_not_hold_up_those_who_can() {
    let city = with(with(settings(), "aigul", operator(&["ru", "heating"], PHONE)), "bolat", operator(&["ru", "heating"], PHONE));
    let mut story = Story::new(city);
    story.signs_in("aigul", &[1]);
    story.signs_in("bolat", &[2]);
    story.pauses("aigul", "lunch");
    let call = story.waits_for_heating(77);
    assert_eq!(story.agent("bolat"), AgentStatus::Offered(call));
}

/// The language may change while somebody waits: they come back to the queue, with the age of the wait, and another operator is needed.
#[test]
fn a_caller_who_changes_the_language_while_waiting_keeps_the_age_of_the_wait() {
    let mut city = with(settings(), "aigul", operator(&["ru", "heating"], PHONE));
    city = with(city, "bolat", operator(&["en", "heating"], PHONE));
    let mut story = Story::new(city);
    story.signs_in("bolat", &[2]);
    let call = story.waits_for_heating(77);
    story.pass(30_000);
    story.presses(call, '*');
    story.pass(SPEAKS_MS + 100);
    story.presses(call, '3');
    assert_eq!(story.agent("bolat"), AgentStatus::Offered(call), "English, without another walk through the menus");
    let offered = story.told.iter().find(|(_, fact)| matches!(fact, Fact::Offered { .. })).unwrap().0;
    let first = story.told.iter().find(|(_, fact)| matches!(fact, Fact::Enqueued { .. })).unwrap().0;
    story.pass(200);
    let leg = story.rings_at("bolat");
    story.answers(leg);
    let waited = story.told.iter().find_map(|(at, fact)| match fact {
        Fact::Connected { waited_ms, .. } => Some((*waited_ms, at.ms_since(first))),
        _ => None,
    });
    assert!(offered.ms_since(first) > 30_000 && waited.is_some_and(|(told, real)| told == real));
}

/// Silence after the key for another language: the caller waits on in their own.
#[test]
fn who_chooses_no_other_language_waits_on_in_theirs() {
    let mut story = Story::new(with(settings(), "aigul", operator(&["ru", "heating"], PHONE)));
    let call = story.waits_for_heating(77);
    story.presses(call, '*');
    story.is_silent();
    story.is_silent();
    let again = story.told.iter().rev().find_map(|(_, fact)| match fact {
        Fact::Enqueued { call: id, language, queue, .. } if *id == call => Some((*language, queue.to_string())),
        _ => None,
    });
    assert_eq!(again, Some((Language::Ru, "heating".to_owned())));
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::Enqueued { .. })), 2);
}

/// AST#1691: the longest-waiting caller, whom nobody can serve, stopped all offers.
#[test]
fn a_caller_whom_nobody_can_serve_does_not_hold_up_those_behind() {
    let mut story = Story::new(with(settings(), "aigul", operator(&["ru", "roads"], PHONE)));
    let first = story.waits_for_heating(1);
    story.pass(1_000);
    let second = story.waits_for(2, '2');
    story.signs_in("aigul", &[1]);
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(second));
    assert!(story.offers(first).is_empty());
}

/// AST#1691: over all queues the oldest first, and at equal age the lower number.
#[test]
fn callers_are_served_by_age_over_all_queues() {
    let mut story = Story::new(with(settings(), "aigul", operator(&["kk", "ru", "heating", "roads"], PHONE)));
    let (first, second) = (story.calls(1), story.calls(2));
    story.pass(SPEAKS_MS + 100);
    for (call, topic) in [(second, '1'), (first, '2')] {
        story.presses(call, '2');
        story.presses(call, topic);
    }
    story.pass(500);
    let third = story.waits_for_heating(3);
    story.signs_in("aigul", &[1]);
    let mut served = Vec::new();
    for _ in 0..3 {
        let call = story.agent("aigul").call().unwrap();
        served.push(call);
        story.hangs_up(call);
    }
    assert_eq!(served, [first, second, third]);
}

/// FS#1641: nothing has to wake up for it: the step that frees an operator makes the offer.
#[test]
fn a_free_operator_and_a_caller_meet_in_the_same_step() {
    let mut story = Story::new(with(settings(), "aigul", operator(&["kk", "ru", "heating"], PHONE)));
    let call = story.waits_for_heating(77);
    story.pass(120_000);
    let at = story.now;
    story.signs_in("aigul", &[1]);
    let offered = story.told.iter().find(|(_, fact)| matches!(fact, Fact::Offered { call: id, .. } if *id == call)).unwrap();
    assert_eq!(offered.0, at);
}

#[test]
fn who_waits_hears_music_the_place_and_music_again() {
    let mut story = Story::new(with(settings(), "aigul", operator(&["kk", "ru", "heating"], PHONE)));
    story.signs_in("aigul", &[1]);
    let talking = story.talks_with(1, "aigul");
    let first = story.waits_for_heating(2);
    let second = story.waits_for_heating(3);
    assert_eq!(story.hears(second), [Sound::Music { id: "music".into() }]);
    story.pass(4_000);
    let language = Language::Ru;
    assert_eq!(story.hears(first), [Sound::Music { id: "music".into() }], "its announcement came earlier and is over");
    assert_eq!(
        story.hears(second),
        [Sound::Position { n: 2, language }, Sound::Minutes { n: 5, language }],
        "two talks, and one before them may give up"
    );
    story.pass(SPEAKS_MS);
    assert_eq!(story.hears(second), [Sound::Music { id: "music".into() }]);
    story.hangs_up(first);
    story.pass(28_000);
    assert_eq!(story.hears(second), [Sound::Position { n: 1, language }, Sound::Minutes { n: 3, language }]);
    assert_eq!(story.agent("aigul"), AgentStatus::Talking(talking));
}

#[test]
fn a_queue_that_announces_nothing_plays_music_alone() {
    let mut city = settings();
    city.queues.values_mut().for_each(|queue| queue.announce_every_ms = 0);
    let mut story = Story::new(city);
    let call = story.waits_for_heating(1);
    story.pass(300_000);
    assert_eq!(story.hears(call), [Sound::Music { id: "music".into() }]);
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::PlaceTold { .. })), 0);
}

/// A place never grows: nobody passes, whatever offers fail in front.
#[test]
fn an_offer_that_failed_costs_nobody_a_place() {
    let mut story = Story::new(with(settings(), "aigul", operator(&["kk", "ru", "heating"], PHONE)));
    story.signs_in("aigul", &[1]);
    let first = story.waits_for_heating(1);
    let second = story.waits_for_heating(2);
    story.pass(120_000);
    let places = |call: CallId| -> Vec<u32> {
        let place = |fact: &Fact| match fact {
            Fact::PlaceTold { call: id, place, .. } if *id == call => Some(*place),
            _ => None,
        };
        story.told.iter().filter_map(|(_, fact)| place(fact)).collect()
    };
    assert!(places(first).iter().all(|place| *place == 1) && !places(first).is_empty());
    assert!(places(second).iter().all(|place| *place == 2) && !places(second).is_empty());
}

fn crowded() -> Settings {
    let mut city = with(settings(), "aigul", operator(&["kk", "ru", "heating"], PHONE));
    if let Some(heating) = city.queues.get_mut(&"heating".into()) {
        heating.max_waiting = 1;
        heating.max_wait_ms = 60_000;
    }
    city
}

#[test]
fn a_full_queue_says_so_once_and_then_takes_the_caller() {
    let mut story = Story::new(crowded());
    story.waits_for_heating(1);
    let second = story.waits_for_heating(2);
    assert_eq!(story.steps(second).last().map(String::as_str), Some("busy"));
    assert!(story.dequeued(second).is_empty(), "it was in no queue yet");
    story.pass(SPEAKS_MS);
    assert_eq!(story.steps(second).last().map(String::as_str), Some("heating"));
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::Enqueued { call, .. } if *call == second)), 1);
}

#[test]
fn too_long_a_wait_overflows_once_and_the_age_is_kept_on_the_way_back() {
    let mut story = Story::new(crowded());
    let call = story.waits_for_heating(1);
    story.pass(60_000);
    assert_eq!(story.dequeued(call), [("heating".to_owned(), QueueEnd::Overflowed, 60_000)]);
    assert_eq!(story.hears(call), [Sound::Prompt { id: "busy".into(), language: Language::Ru }]);
    story.pass(SPEAKS_MS + 200_000);
    assert_eq!(story.dequeued(call).len(), 1, "nobody is sent away twice");
    story.signs_in("aigul", &[1]);
    story.pass(100);
    let leg = story.rings_at("aigul");
    story.answers(leg);
    let (_, how, waited_ms) = story.dequeued(call)[1].clone();
    assert_eq!((how, waited_ms), (QueueEnd::Answered, 60_000 + SPEAKS_MS + 200_000 + 105));
}

#[test]
fn a_wait_that_grows_too_long_during_an_offer_overflows_when_the_offer_fails() {
    let mut story = Story::new(crowded());
    let call = story.waits_for_heating(1);
    story.pass(55_000);
    story.signs_in("aigul", &[1]);
    story.pass(10_000);
    assert!(story.dequeued(call).is_empty(), "the operator may still answer");
    story.desk(FromDesk::Decline { agent: "aigul".into(), call });
    assert_eq!(story.dequeued(call), [("heating".to_owned(), QueueEnd::Overflowed, 65_000)]);
}

#[test]
fn a_language_that_the_queue_does_not_require_is_no_skill() {
    let mut city = with(settings(), "aigul", operator(&["kk", "heating"], PHONE));
    city.queues.values_mut().for_each(|queue| queue.language_required = false);
    let mut story = Story::new(city);
    story.signs_in("aigul", &[1]);
    let call = story.waits_for_heating(1);
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(call), "she does not speak Russian");
}

#[test]
fn another_language_chosen_in_the_queue_asks_for_another_operator() {
    let mut story = Story::new(with(settings(), "aigul", operator(&["kk", "heating"], PHONE)));
    story.signs_in("aigul", &[1]);
    let call = story.waits_for_heating(1);
    assert_eq!(story.agent("aigul"), AgentStatus::Ready);
    story.presses(call, '*');
    story.presses(call, '1');
    story.presses(call, '1');
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(call));
    assert_eq!(story.dequeued(call)[0].1, QueueEnd::KeyPressed);
}
