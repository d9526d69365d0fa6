//! Who is put before whom, by how much, and what do they hear of it? Credits of waiting time, and the bound that they keep.

use cityline::centre::credit::{CreditFor, Credits};
use cityline::centre::fact::{AgentStatus, Fact};
use cityline::centre::ids::CallId;
use cityline::centre::input::{CallerKnown, FromDesk, Input};
use cityline::centre::output::{Ending, Output, Sound, ToMedia};
use cityline::centre::settings::Settings;

use super::queues::explanation;
use super::story::Story;
use crate::city::{PHONE, operator, settings, with};

const CREDITS: Credits = Credits {
    open_case_ms: 20_000,
    overdue_case_ms: 90_000,
    repeat_call_ms: 15_000,
    protected_ms: 60_000,
    abuse_ms: 40_000,
    raise_at_most_ms: 120_000,
    lower_at_most_ms: 30_000,
};

fn city() -> Settings {
    Settings { credits: CREDITS, ..with(settings(), "aigul", operator(&["ru", "heating"], PHONE)) }
}

fn credit(story: &Story, call: CallId) -> Option<(i64, Vec<CreditFor>)> {
    story.told.iter().find_map(|(_, fact)| match fact {
        Fact::Credited { call: id, credit_ms, of, .. } if *id == call => Some((*credit_ms, of.clone())),
        _ => None,
    })
}

fn places(story: &Story, call: CallId) -> Vec<u32> {
    let told = |fact: &Fact| match fact {
        Fact::PlaceTold { call: id, place, .. } if *id == call => Some(*place),
        _ => None,
    };
    story.told.iter().filter_map(|(_, fact)| told(fact)).collect()
}

/// What was said to the caller that is more than music.
fn said(story: &Story, call: CallId) -> Vec<Vec<Sound>> {
    let words = |output: &Output| match output {
        Output::Media(ToMedia::Play { leg, sounds, ending: Ending::Report, .. }) if leg.call == call => Some(sounds.clone()),
        _ => None,
    };
    story.asked.iter().filter_map(words).collect()
}

#[test]
fn the_story_counts_as_waiting_and_the_limits_hold() {
    let known = CallerKnown::default;
    let cases = [
        (known(), None),
        (CallerKnown { open_cases: 2, ..known() }, Some((20_000, vec![CreditFor::OpenCase]))),
        (CallerKnown { open_cases: 2, overdue_cases: 1, ..known() }, Some((90_000, vec![CreditFor::OverdueCase]))),
        (CallerKnown { called_lately: true, is_marked: true, ..known() }, Some((-25_000, vec![CreditFor::RepeatCall, CreditFor::Abuse]))),
        (CallerKnown { is_marked: true, ..known() }, Some((-30_000, vec![CreditFor::Abuse]))),
        (
            CallerKnown { open_cases: 1, overdue_cases: 1, is_protected: true, ..known() },
            Some((120_000, vec![CreditFor::OverdueCase, CreditFor::Protected])),
        ),
    ];
    for (known, expected) in cases {
        let mut story = Story::new(city());
        story.knows(77, known.clone());
        let call = story.waits_for_heating(77);
        assert_eq!(credit(&story, call), expected, "{known:?}");
    }
}

#[test]
fn a_pressing_story_comes_before_those_who_have_waited_for_less_than_its_credit_longer() {
    let mut story = Story::new(city());
    story.knows(3, CallerKnown { is_protected: true, ..CallerKnown::default() });
    let first = story.waits_for_heating(1);
    story.pass(40_000);
    let second = story.waits_for_heating(2);
    story.pass(35_000);
    let third = story.waits_for_heating(3);
    story.signs_in("aigul", &[1]);
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(first), "who came 77 s before a credit of 60 s is not overtaken");
    story.hangs_up(first);
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(third));
    assert_eq!(explanation(&story, third).credit_ms, 60_000);
    story.hangs_up(third);
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(second));
}

#[test]
fn a_place_never_grows_without_the_reason_being_told_first() {
    let mut story = Story::new(city());
    let first = story.waits_for_heating(1);
    story.pass(10_000);
    let second = story.waits_for_heating(2);
    story.pass(10_000);
    assert_eq!((places(&story, first), places(&story, second)), (vec![1], vec![2]));
    story.knows(3, CallerKnown { is_protected: true, ..CallerKnown::default() });
    let third = story.waits_for_heating(3);
    story.pass(60_000);
    assert_eq!(places(&story, third)[0], 1, "their credit is longer than the others' waits");
    assert_eq!((places(&story, first).last(), places(&story, second).last()), (Some(&2), Some(&3)));
    let told = said(&story, second);
    let grown = told.iter().find(|sounds| sounds.iter().any(|sound| matches!(sound, Sound::Position { n: 3, .. }))).unwrap();
    assert!(
        matches!(&grown[0], Sound::Prompt { id, .. } if id.as_str() == "place-put-behind"),
        "the reason comes before the place: {grown:?}"
    );
    let reasons = story.told_count(|fact| matches!(fact, Fact::PutBehind { call, from: 2, to: 3, .. } if *call == second));
    assert_eq!(reasons, 1, "told once, not with every announcement");
}

/// The store may answer when the caller is in the queue already: within its time, the story still counts.
#[test]
fn a_story_that_comes_late_counts_within_the_time_of_the_look_up() {
    let mut city = city();
    let plan = city.numbers.get_mut(&"109".into()).unwrap();
    plan.start = "heating".into();
    let mut story = Story::new(city);
    story.shells.looks_up = false;
    let (first, second) = (story.calls(1), story.calls(2));
    story.pass(100);
    let known = CallerKnown { is_protected: true, ..CallerKnown::default() };
    story.happens(Input::LookedUp { call: second, known: known.clone() });
    assert_eq!(credit(&story, second), Some((60_000, vec![CreditFor::Protected])));
    story.pass(300);
    story.happens(Input::LookedUp { call: first, known });
    assert_eq!(credit(&story, first), None, "too late: whoever waits keeps their place");
    story.pass(5_000);
    assert_eq!((places(&story, first), places(&story, second)), (vec![2], vec![1]));
}

/// AST#1691: over all queues one total order, in which a pressing queue and a step of the plan count too.
#[test]
fn a_pressing_queue_and_a_step_of_the_plan_count() {
    let mut city = city();
    city.queues.get_mut(&"heating".into()).unwrap().credit_ms = 10_000;
    let plan = city.numbers.get_mut(&"109".into()).unwrap();
    let step = plan.steps.get_mut(&"heating".into()).unwrap();
    if let cityline::centre::dialplan::Action::Queue { credit_ms, .. } = &mut step.action {
        *credit_ms = 5_000;
    }
    let mut story = Story::new(with(city, "bolat", operator(&["ru", "heating", "roads"], PHONE)));
    let roads = story.waits_for(1, '2');
    story.pass(10_000);
    let heating = story.waits_for_heating(2);
    assert_eq!(credit(&story, heating), Some((15_000, vec![CreditFor::Queue, CreditFor::Step])));
    story.signs_in("bolat", &[1]);
    assert_eq!(story.agent("bolat"), AgentStatus::Offered(heating));
    story.desk(FromDesk::Decline { agent: "bolat".into(), call: heating });
    story.hangs_up(heating);
    story.signs_in("bolat", &[1]);
    assert_eq!(story.agent("bolat"), AgentStatus::Offered(roads));
}
