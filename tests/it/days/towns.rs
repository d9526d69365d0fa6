//! Which settings does a random day run under, and what may they change to?

use std::collections::BTreeSet;

use cityline::centre::credit::Credits;
use cityline::centre::dialplan::{Action, Plan};
use cityline::centre::ids::SkillId;
use cityline::centre::schedule::Calendar;
use cityline::centre::settings::{AgentSettings, Device, QueueSettings, Ring, Settings, Strategy};

use cityline::centre::shift::Shift;
use cityline::centre::surge::SurgeRule;
use cityline::centre::time::Time;

use super::dice::Dice;
use crate::city::{BARE_PHONE, HEADSET, PAGE, PHONE, fixed, operator, plan, settings, step};

pub const SHIFTS: [&str; 3] = ["day", "late", "night"];
pub const OPERATORS: [&str; 5] = ["aigul", "bolat", "cemre", "dana", "eren"];
const STRATEGIES: [Strategy; 6] = [
    Strategy::LongestIdle,
    Strategy::LongestIdle,
    Strategy::MostSkilled,
    Strategy::FewestCalls,
    Strategy::RoundRobin,
    Strategy::LastOperator,
];
const SKILLS: [&str; 5] = ["kk", "ru", "en", "heating", "roads"];

/// Settings as an administrator might leave them.
pub fn town(dice: &mut Dice, revision: u64, now: Time) -> Settings {
    let mut town = settings();
    town.revision = revision;
    town.limits.max_calls = dice.between(3, 20) as u32;
    town.limits.rest_ms = dice.between(0, 30_000);
    town.limits.extend_wrap_up_ms = dice.between(1, 60_000);
    town.limits.cool_off_ms = dice.between(1, 60_000);
    town.limits.no_sound_ends_ms = *dice.pick(&[0, 20_000, 60_000]).unwrap_or(&0);
    town.credits = some_credits(dice);
    town.queues.values_mut().for_each(|queue| season(dice, queue));
    for name in OPERATORS {
        if dice.percent(85) {
            town.agents.insert(name.into(), someone(dice));
        }
    }
    if dice.percent(35) {
        town.shifts = SHIFTS.into_iter().map(|name| (name.into(), some_shift(dice, now))).collect();
    }
    town.numbers.insert("109".into(), some_plan(dice));
    if dice.percent(20) {
        without_roads(&mut town);
    }
    if dice.percent(8) {
        town.numbers.clear();
    }
    town
}

/// Settings under which everybody is served in the end: the evening of each day.
pub fn evening(revision: u64) -> Settings {
    let mut town = settings();
    town.revision = revision;
    town.queues.values_mut().for_each(|queue| queue.wrap_up_ms = 1_000);
    for name in ["night1", "night2"] {
        town.agents.insert(name.into(), fixed(&SKILLS));
    }
    town
}

fn season(dice: &mut Dice, queue: &mut QueueSettings) {
    queue.language_required = dice.percent(70);
    queue.announce_every_ms = *dice.pick(&[0, 10_000, 30_000]).unwrap_or(&0);
    queue.offer_ms = dice.between(0, 20_000);
    queue.wrap_up_ms = *dice.pick(&[0, 5_000, 20_000]).unwrap_or(&0);
    queue.max_waiting = dice.between(1, 8) as u32;
    queue.max_wait_ms = *dice.pick(&[0, 0, 15_000, 60_000]).unwrap_or(&0);
    queue.record = dice.percent(70);
    queue.credit_ms = *dice.pick(&[0, 0, 5_000]).unwrap_or(&0);
    queue.strategy = *dice.pick(&STRATEGIES).unwrap_or(&Strategy::LongestIdle);
    queue.rings = some_rings(dice, &queue.skills);
    queue.auto_answer_ms = *dice.pick(&[0, 0, 1_500]).unwrap_or(&0);
    if dice.percent(30) {
        queue.surge =
            Some(SurgeRule { calls: dice.between(1, 4) as u32, within_ms: dice.between(1_000, 60_000), calm_ms: dice.between(1, 60_000) });
    }
}

/// One that goes on now, has just ended or is about to begin; the days are short.
fn some_shift(dice: &mut Dice, now: Time) -> Shift {
    let minute = ((now.0 / 60_000) % 1440) as u16;
    let from = minute.saturating_sub(dice.below(8) as u16).saturating_add(dice.below(4) as u16).min(1438);
    let to = (from + 1 + dice.below(10) as u16).min(1440);
    let hours = match dice.below(3) {
        0 => Calendar::always(),
        1 => Calendar { week: std::array::from_fn(|_| vec![(from, to)]), ..Calendar::default() },
        _ => Calendar { week: std::array::from_fn(|_| vec![(0, from), (to, 1440)]), ..Calendar::default() },
    };
    let mut some =
        |names: &[&str], chance: u64| names.iter().filter(|_| dice.percent(chance)).map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let (agents, skills, queues) = (some(&OPERATORS, 60), some(&["heating", "roads"], 25), some(&["general", "heating", "roads"], 25));
    Shift {
        hours,
        agents: agents.into_iter().map(Into::into).collect(),
        skills: skills.into_iter().map(Into::into).collect(),
        queues: queues.into_iter().map(Into::into).collect(),
    }
}

/// None at all, or limits that cut some of them.
fn some_credits(dice: &mut Dice) -> Credits {
    if dice.percent(30) {
        return Credits::default();
    }
    Credits {
        open_case_ms: dice.below(10_000),
        overdue_case_ms: dice.below(30_000),
        repeat_call_ms: dice.below(10_000),
        protected_ms: dice.below(30_000),
        abuse_ms: dice.below(30_000),
        raise_at_most_ms: dice.below(40_000),
        lower_at_most_ms: dice.below(20_000),
    }
}

/// None, or up to three that widen.
fn some_rings(dice: &mut Dice, skills: &BTreeSet<SkillId>) -> Vec<Ring> {
    let mut rings: Vec<Ring> = Vec::new();
    for _ in 0..*dice.pick(&[0, 0, 1, 2, 3]).unwrap_or(&0) {
        let before = rings.last();
        let after_ms = before.map_or(0, |before| before.after_ms + dice.between(1, 20_000));
        let level = dice.between(1, before.map_or(10, |before| u64::from(before.level)) + 1) as u8;
        let dropped = if dice.percent(20) { skills.clone() } else { before.map(|before| before.dropped.clone()).unwrap_or_default() };
        rings.push(Ring { after_ms, level, dropped });
    }
    rings
}

fn someone(dice: &mut Dice) -> AgentSettings {
    let skills: Vec<&str> = SKILLS.into_iter().filter(|_| dice.percent(65)).collect();
    let mut someone = some_device(dice, &skills);
    if dice.percent(50) {
        someone.skills = skills.into_iter().map(|skill| (skill.into(), dice.below(11) as u8)).collect();
    }
    someone
}

fn some_device(dice: &mut Dice, skills: &[&str]) -> AgentSettings {
    match dice.below(8) {
        0 => fixed(skills),
        6 | 7 => operator(skills, PAGE),
        1 => operator(skills, BARE_PHONE),
        2 => operator(skills, HEADSET),
        3 => operator(skills, Device::Phone { ready_when_registered: true, answer_at_desk: true }),
        _ => operator(skills, PHONE),
    }
}

fn some_plan(dice: &mut Dice) -> Plan {
    let mut plan = plan();
    if dice.percent(40) {
        plan.start = "language".into();
    }
    if dice.percent(20) {
        plan.steps.remove(&"welcome".into());
        plan.start = "hours".into();
    }
    for step in plan.steps.values_mut() {
        if let Action::Queue { credit_ms, .. } = &mut step.action {
            *credit_ms = *dice.pick(&[0, 0, 0, 8_000]).unwrap_or(&0);
        }
    }
    if dice.percent(20) {
        let topics = plan.steps.get(&"heating".into()).cloned();
        plan.steps.extend(topics.map(|heating| ("language".into(), heating)));
    }
    plan
}

fn without_roads(town: &mut Settings) {
    town.queues.remove(&"roads".into());
    for plan in town.numbers.values_mut() {
        let general = cityline::centre::dialplan::Action::Queue {
            queue: "general".into(),
            overflow: None,
            subscribed: None,
            credit_ms: 0,
            callback: None,
        };
        plan.steps.extend([step("roads", general)]);
    }
    town.agents.values_mut().for_each(|agent| agent.skills.remove(&"roads".into()));
}
