//! Which city do the tests play in? Settings and plans built by hand: one short number, its queues, operators and calendars.
#![allow(clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};

use cityline::centre::dialplan::{Action, Plan, Spoken, Step};
use cityline::centre::ids::{AgentId, CalendarId, Language, NumberId, PauseReason, PromptId, QueueId, SkillId, StepId};
use cityline::centre::input::Digit;
use cityline::centre::schedule::Calendar;
use cityline::centre::settings::{AgentSettings, Device, QueueSettings, Settings};

/// How long a question waits for a key, in milliseconds.
pub const KEY_WAIT_MS: u64 = 5_000;

/// A phone at which the operator picks up; ready by the desk.
pub const PHONE: Device = Device::Phone { ready_when_registered: false, answer_at_desk: false };
/// A phone whose operator is ready as soon as it registers.
pub const BARE_PHONE: Device = Device::Phone { ready_when_registered: true, answer_at_desk: false };
/// A phone that is dialled once the operator has said yes at the desk.
pub const HEADSET: Device = Device::Phone { ready_when_registered: false, answer_at_desk: true };
/// The page of the desk.
pub const PAGE: Device = Device::Browser;

/// Revision 1 of the city: number 109 with its plan, queues `heating`, `roads`, `general`, and no operators.
pub fn settings() -> Settings {
    let queue = |skills: &[&str]| QueueSettings { skills: skill_set(skills), ..QueueSettings::default() };
    let night = Calendar { week: Default::default(), ..Calendar::always() };
    Settings {
        revision: 1,
        numbers: BTreeMap::from([(NumberId::from("109"), plan())]),
        queues: BTreeMap::from([
            (QueueId::from("general"), queue(&[])),
            (QueueId::from("heating"), queue(&["heating"])),
            (QueueId::from("roads"), queue(&["roads"])),
        ]),
        calendars: BTreeMap::from([(CalendarId::from("always"), Calendar::always()), (CalendarId::from("never"), night)]),
        pause_reasons: BTreeSet::from([PauseReason::from("lunch"), PauseReason::from("break")]),
        ..Settings::default()
    }
}

/// An operator with these skills and this device.
pub fn operator(skills: &[&str], device: Device) -> AgentSettings {
    AgentSettings { skills: skill_set(skills).into_iter().collect(), device }
}

/// An operator who does these things so well.
pub fn skilled(levels: &[(&str, u8)], device: Device) -> AgentSettings {
    AgentSettings { skills: levels.iter().map(|(skill, level)| (SkillId::from(*skill), *level)).collect(), device }
}

/// An operator who is rung at a fixed address.
pub fn fixed(skills: &[&str]) -> AgentSettings {
    operator(skills, Device::Fixed { address: "sip:desk@127.0.0.1:5070".into() })
}

/// Adds or replaces an operator.
pub fn with(mut settings: Settings, agent: &str, known: AgentSettings) -> Settings {
    settings.agents.insert(AgentId::from(agent), known);
    settings
}

/// The city with three operators who can all take heating in Russian, each with a phone and a desk.
pub fn three_operators() -> Settings {
    let anyone = || operator(&["kk", "ru", "heating", "roads"], PHONE);
    ["aigul", "bolat", "cemre"].into_iter().fold(settings(), |settings, name| with(settings, name, anyone()))
}

/// A set of skills by name.
pub fn skill_set(names: &[&str]) -> BTreeSet<SkillId> {
    names.iter().copied().map(SkillId::from).collect()
}

/// A key of a phone.
pub fn key(key: char) -> Digit {
    Digit::new(key).expect("a key that phones have")
}

/// welcome → language → hours → topics (1 heating, 2 roads, 3 goodbye, silence general) → queues; 0 is 112, * the language.
pub fn plan() -> Plan {
    let steps = [
        step("welcome", Action::Play { say: say(&["welcome"]), repeat: false, next: "language".into() }),
        step("language", language_step()),
        step("hours", Action::Hours { calendar: "always".into(), open: "topics".into(), closed: "closed".into() }),
        step("topics", menu(&[('1', "heating"), ('2', "roads"), ('3', "goodbye")], "general")),
        topic(
            "heating",
            Action::Queue {
                queue: "heating".into(),
                overflow: Some("busy".into()),
                subscribed: Some("goodbye".into()),
                credit_ms: 0,
                callback: None,
            },
        ),
        topic(
            "roads",
            Action::Queue { queue: "roads".into(), overflow: Some("general".into()), subscribed: None, credit_ms: 0, callback: None },
        ),
        step("general", Action::Queue { queue: "general".into(), overflow: None, subscribed: None, credit_ms: 0, callback: None }),
        step("busy", Action::Play { say: say(&["busy"]), repeat: false, next: "heating".into() }),
        step("closed", Action::HangUp { say: say(&["closed"]) }),
        step("goodbye", Action::HangUp { say: say(&["goodbye"]) }),
        step("emergency", emergency()),
    ];
    Plan {
        number: "109".into(),
        title: "iKomek 109".into(),
        languages: vec![Language::Kk, Language::Ru, Language::En],
        start: "welcome".into(),
        keys: BTreeMap::from([(key('0'), "emergency".into()), (key('*'), "language".into())]),
        steps: steps.into(),
        closed: BTreeMap::new(),
        surge: BTreeMap::new(),
    }
}

/// A step by its name.
pub fn step(name: &str, action: Action) -> (StepId, Step) {
    (name.into(), Step { topic: None, action })
}

/// What a step says, in the caller's language.
pub fn say(prompts: &[&str]) -> Vec<Spoken> {
    prompts.iter().map(|id| Spoken::Prompt { id: PromptId::from(*id), language: None }).collect()
}

fn topic(name: &str, action: Action) -> (StepId, Step) {
    (name.into(), Step { topic: Some(name.to_owned()), action })
}

fn language_step() -> Action {
    let keys = [('1', Language::Kk), ('2', Language::Ru), ('3', Language::En)].map(|(digit, language)| (key(digit), language));
    Action::Language {
        say: say(&["choose-language"]),
        keys: keys.into(),
        wait_ms: KEY_WAIT_MS,
        tries: 2,
        otherwise: Language::Kk,
        next: "hours".into(),
    }
}

fn menu(keys: &[(char, &str)], otherwise: &str) -> Action {
    let keys = keys.iter().map(|(digit, step)| (key(*digit), StepId::from(*step))).collect();
    Action::Menu { say: say(&["topics"]), keys, wait_ms: KEY_WAIT_MS, tries: 2, wrong: say(&["wrong-key"]), otherwise: otherwise.into() }
}

fn emergency() -> Action {
    Action::Dial {
        say: say(&["emergency"]),
        party: "112".into(),
        address: "sip:112@127.0.0.1".into(),
        record: false,
        failed: "general".into(),
    }
}
