//! Who hears of an incident before they wait, and what does "1" do?

use std::collections::BTreeSet;

use cityline::centre::dialplan::Action;
use cityline::centre::fact::{EndReason, Fact};
use cityline::centre::ids::{CallId, Language, NoticeId};
use cityline::centre::input::Input;
use cityline::centre::notice::Notice;
use cityline::centre::output::Sound;

use super::story::{SPEAKS_MS, Story};
use crate::city::{PHONE, operator, settings, with};

/// A caller thinks no longer than this about "press one", in milliseconds.
const DECIDED_MS: u64 = 3_000;

fn no_heating() -> Notice {
    let districts = BTreeSet::from(["north".to_owned()]);
    Notice { id: "7".into(), prompt: "notice-7-1".into(), topic: "heating/no-heating".into(), districts }
}

fn city() -> Story {
    let mut story = Story::new(with(settings(), "aigul", operator(&["kk", "ru", "heating", "roads"], PHONE)));
    story.happens(Input::NoticesChanged(vec![no_heating()]));
    story
}

fn prompt(id: &str) -> Sound {
    Sound::Prompt { id: id.into(), language: Language::Ru }
}

fn subscribed(story: &Story, call: CallId) -> Vec<NoticeId> {
    let of = |fact: &Fact| match fact {
        Fact::Subscribed { call: id, notice, language: Language::Ru, .. } if *id == call => Some(notice.clone()),
        _ => None,
    };
    story.told.iter().filter_map(|(_, fact)| of(fact)).collect()
}

fn heard(story: &Story, call: CallId) -> usize {
    story.told_count(|fact| matches!(fact, Fact::NoticeTold { call: id, .. } if *id == call))
}

fn waits(story: &Story, call: CallId) -> bool {
    story.told_count(|fact| matches!(fact, Fact::Enqueued { call: id, .. } if *id == call)) == 1
}

#[test]
fn who_chose_the_topic_is_told_in_their_language_and_waits_then() {
    let mut story = city();
    let call = story.waits_for_heating(77);
    assert_eq!(story.hears(call), [prompt("notice-7-1"), prompt("notice-press-one")]);
    assert!(!waits(&story, call));
    story.pass(SPEAKS_MS + DECIDED_MS + 100);
    assert!(waits(&story, call));
    assert_eq!((heard(&story, call), subscribed(&story, call).len()), (1, 0));
    let roads = story.waits_for(78, '2');
    assert!(waits(&story, roads) && heard(&story, roads) == 0, "roads are not out of order");
}

#[test]
fn one_subscribes_and_the_plan_says_where_it_leads() {
    let mut story = city();
    let call = story.waits_for_heating(77);
    story.pass(500);
    story.presses(call, '1');
    assert_eq!(subscribed(&story, call), [NoticeId::from("7")]);
    assert_eq!(story.hears(call), [prompt("goodbye")]);
    story.pass(SPEAKS_MS + 100);
    assert_eq!(story.ended(call), Some(EndReason::PlanEnded));
    story.everything_is_released();
}

#[test]
fn without_a_step_for_subscribers_they_are_thanked_and_wait() {
    let mut settings = settings();
    for step in settings.numbers.values_mut().flat_map(|plan| plan.steps.values_mut()) {
        if let Action::Queue { subscribed, .. } = &mut step.action {
            *subscribed = None;
        }
    }
    let mut story = Story::new(settings);
    story.happens(Input::NoticesChanged(vec![no_heating()]));
    let call = story.waits_for_heating(77);
    story.pass(SPEAKS_MS + 500);
    story.presses(call, '1');
    assert_eq!(story.hears(call), [prompt("notice-subscribed")]);
    story.pass(SPEAKS_MS);
    assert!(waits(&story, call));
    assert_eq!((heard(&story, call), subscribed(&story, call).len()), (1, 1));
}

#[test]
fn a_known_district_decides_whatever_the_topic() {
    let mut story = city();
    story.lives_in(77, "north");
    story.lives_in(78, "south");
    let here = story.waits_for(77, '2');
    assert_eq!(story.hears(here).first(), Some(&prompt("notice-7-1")));
    let elsewhere = story.waits_for_heating(78);
    assert!(waits(&story, elsewhere));
}

#[test]
fn a_withheld_number_is_told_and_cannot_subscribe() {
    let mut story = city();
    let call = story.waits_for_heating(0);
    assert_eq!(story.hears(call), [prompt("notice-7-1")]);
    story.presses(call, '1');
    assert!(subscribed(&story, call).is_empty());
    story.pass(SPEAKS_MS + 100);
    assert!(waits(&story, call));
}

#[test]
fn what_is_over_is_told_to_nobody_and_who_goes_meanwhile_leaves_nothing() {
    let mut story = city();
    let call = story.waits_for_heating(77);
    story.hangs_up(call);
    assert_eq!(story.ended(call), Some(EndReason::LeftInMenu));
    story.happens(Input::NoticesChanged(Vec::new()));
    let later = story.waits_for_heating(78);
    assert!(waits(&story, later));
    story.hangs_up(later);
    story.everything_is_released();
}
