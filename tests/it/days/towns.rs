//! Which settings does a random day run under, and what may they change to?

use cityline::centre::dialplan::Plan;
use cityline::centre::settings::{AgentSettings, Device, QueueSettings, Settings};

use super::dice::Dice;
use crate::city::{BARE_PHONE, HEADSET, PHONE, fixed, operator, plan, settings, skill_set, step};

pub const OPERATORS: [&str; 5] = ["aigul", "bolat", "cemre", "dana", "eren"];
const SKILLS: [&str; 5] = ["kk", "ru", "en", "heating", "roads"];

/// Settings as an administrator might leave them.
pub fn town(dice: &mut Dice, revision: u64) -> Settings {
    let mut town = settings();
    town.revision = revision;
    town.limits.max_calls = dice.between(3, 20) as u32;
    town.limits.rest_ms = dice.between(0, 30_000);
    town.limits.extend_wrap_up_ms = dice.between(1, 60_000);
    town.limits.cool_off_ms = dice.between(1, 60_000);
    town.limits.no_sound_ends_ms = *dice.pick(&[0, 20_000, 60_000]).unwrap_or(&0);
    town.queues.values_mut().for_each(|queue| season(dice, queue));
    for name in OPERATORS {
        if dice.percent(85) {
            town.agents.insert(name.into(), someone(dice));
        }
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
    queue.auto_answer_ms = *dice.pick(&[0, 0, 1_500]).unwrap_or(&0);
}

fn someone(dice: &mut Dice) -> AgentSettings {
    let skills: Vec<&str> = SKILLS.into_iter().filter(|_| dice.percent(65)).collect();
    match dice.below(6) {
        0 => fixed(&skills),
        1 => operator(&skills, BARE_PHONE),
        2 => operator(&skills, HEADSET),
        3 => operator(&skills, Device::Phone { ready_when_registered: true, answer_at_desk: true }),
        _ => operator(&skills, PHONE),
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
    if dice.percent(20) {
        let topics = plan.steps.get(&"heating".into()).cloned();
        plan.steps.extend(topics.map(|heating| ("language".into(), heating)));
    }
    plan
}

fn without_roads(town: &mut Settings) {
    town.queues.remove(&"roads".into());
    for plan in town.numbers.values_mut() {
        let general = cityline::centre::dialplan::Action::Queue { queue: "general".into(), overflow: None, subscribed: None };
        plan.steps.extend([step("roads", general)]);
    }
    town.agents.values_mut().for_each(|agent| agent.skills = &agent.skills - &skill_set(&["roads"]));
}
