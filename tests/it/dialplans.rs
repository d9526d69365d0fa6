//! Are the dialplans that come with Cityline good, by the prompts and settings that come with it?
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;

use cityline::centre::dialplan::{Action, Plan, Spoken, Vocabulary, read};
use cityline::centre::ids::{CalendarId, Language, PromptId, QueueId};
use cityline::centre::{abuse, asking, browser, evacuation, notice, queue, surge};
use cityline::prompts::Source;

const FILES: [&str; 3] = ["109.toml", "1520.toml", "quality.toml"];

fn plan(file: &str) -> Plan {
    let known = Vocabulary {
        prompts: Source::embedded().unwrap().manifest.vocabulary(),
        queues: ["general", "heating", "utilities", "roads", "quality"].map(QueueId::from).into(),
        calendars: ["always", "office"].map(CalendarId::from).into(),
    };
    let text = std::fs::read_to_string(format!("dialplans/{file}")).unwrap();
    read(file, &text, &known).unwrap_or_else(|errors| panic!("{}", errors.iter().map(|error| format!("{error}\n")).collect::<String>()))
}

fn said(action: &Action) -> Vec<&Spoken> {
    match action {
        Action::Menu { say, wrong, .. } => say.iter().chain(wrong).collect(),
        Action::Play { say, .. } | Action::Language { say, .. } | Action::Dial { say, .. } | Action::HangUp { say } => say.iter().collect(),
        Action::Hours { .. } | Action::Queue { .. } | Action::Callback { .. } => Vec::new(),
    }
}

fn prompts(action: &Action) -> impl Iterator<Item = (&PromptId, Option<Language>)> {
    said(action).into_iter().filter_map(|item| match item {
        Spoken::Prompt { id, language } => Some((id, *language)),
        Spoken::Silence { .. } => None,
    })
}

fn spoken(plan: &Plan) -> impl Iterator<Item = (&PromptId, Option<Language>)> {
    plan.steps.values().flat_map(|step| prompts(&step.action))
}

#[test]
fn they_are_without_a_fault() {
    let numbers: Vec<String> = FILES.map(|file| plan(file).number.to_string()).into();
    assert_eq!(numbers, ["109", "1520", "556655"]);
    assert_eq!(plan("109.toml").languages, [Language::Kk, Language::Ru, Language::En]);
    assert_eq!(plan("1520.toml").languages, [Language::Uk, Language::Ru, Language::En]);
}

#[test]
fn each_language_is_offered_in_that_language() {
    for plan in FILES.map(plan) {
        for step in plan.steps.values().filter(|step| matches!(step.action, Action::Language { .. })) {
            let invitations = prompts(&step.action).filter(|(id, _)| id.as_str() == "choose-language");
            assert_eq!(invitations.filter_map(|(_, language)| language).collect::<Vec<_>>(), plan.languages, "{}", plan.number);
        }
    }
}

#[test]
fn every_caller_is_told_of_the_recording_and_can_reach_112() {
    for plan in FILES.map(plan) {
        assert!(spoken(&plan).any(|(id, _)| id.as_str() == "recorded-notice"), "{}", plan.number);
        let emergency = plan.keys.iter().find(|(digit, _)| digit.key() == '0').and_then(|(_, step)| plan.steps.get(step)).unwrap();
        assert!(matches!(&emergency.action, Action::Dial { party, .. } if party == "112"), "{}", plan.number);
    }
}

#[test]
fn the_topics_of_the_city_are_told_to_the_operator() {
    let topics = |file| plan(file).steps.into_values().filter_map(|step| step.topic).collect::<BTreeSet<_>>();
    let expected = ["emergency", "heating", "lighting", "other", "roads", "transport", "water"].map(str::to_owned);
    assert_eq!(topics("109.toml"), expected.clone().into());
    assert_eq!(topics("1520.toml"), expected.into_iter().chain(["wartime".to_owned()]).collect());
}

#[test]
fn no_prompt_is_built_for_nobody() {
    let used: BTreeSet<PromptId> =
        FILES.map(plan).iter().flat_map(|plan| spoken(plan).map(|(id, _)| id.clone()).collect::<Vec<_>>()).collect();
    // These the core says by itself.
    let own = |id: &PromptId| {
        let of_queues = [queue::PUT_BEHIND, surge::CLOSED, evacuation::EVACUATION];
        [notice::PRESS_ONE, notice::THANKS, abuse::WARNING, abuse::LAST_WORD, browser::RESTORING, browser::LOST].contains(&id.as_str())
            || of_queues.contains(&id.as_str())
            || asking::PROMPTS.contains(&id.as_str())
            || id.as_str().starts_with("digit-")
    };
    let all = Source::embedded().unwrap().manifest.prompts.into_keys();
    let unused: Vec<PromptId> = all.filter(|id| !used.contains(id) && !own(id)).collect();
    assert!(unused.is_empty(), "{unused:?}");
}
