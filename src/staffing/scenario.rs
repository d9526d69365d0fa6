//! What is simulated? Calls by half hour, how long people talk and wait, and which operators are there: read from a TOML file and checked.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use thiserror::Error;

use crate::centre::ids::{Language, QueueId, SkillId};
use crate::centre::skill::Skills;

/// Half hours of a day.
pub const HALF_HOURS: usize = 48;
/// The length of one, in milliseconds.
pub const HALF_HOUR_MS: u64 = 1_800_000;

/// Operators of one group, at most: names are made for each.
const MOST_OPERATORS: u32 = 10_000;
/// Days, at most.
const MOST_DAYS: u32 = 10_000;

/// Why a scenario cannot be simulated.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum ScenarioError {
    /// The text is no scenario.
    #[error("{0}")]
    Unreadable(String),
    /// A value makes no sense; the mend is said with it.
    #[error("{place}: {fault}")]
    Fault { place: String, fault: String },
}

/// A scenario: the same days one after the other, but for surges that name one of them. Hours are those of the city's own clock.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it is, for the report.
    pub title: String,
    /// The same seed draws the same calls.
    #[serde(default = "default::seed")]
    pub seed: u64,
    /// How many days.
    #[serde(default = "default::days")]
    pub days: u32,
    /// T of the definitions: answered within so many seconds counts as answered in target.
    #[serde(default = "default::target_s")]
    pub target_s: u32,
    /// Who hangs up before so many seconds is a short abandon.
    #[serde(default = "default::short_abandon_s")]
    pub short_abandon_s: u32,
    /// An operator's phone rings for so many seconds before it is picked up.
    #[serde(default)]
    pub rings_s: f64,
    /// Seconds between two announcements of the place, 0 for none.
    #[serde(default = "default::announce_every_s")]
    pub announce_every_s: u32,
    /// How many calls come when.
    pub calls: Calls,
    /// What they are about.
    pub queues: BTreeMap<QueueId, QueueLoad>,
    /// Who answers them, by groups; the operators of the group `day` are `day-1`, `day-2` and so on.
    pub operators: BTreeMap<String, Group>,
    /// What is otherwise for some hours.
    #[serde(default)]
    pub surges: Vec<Surge>,
}

/// How many calls come when: a Poisson process whose rate is the same for half an hour.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calls {
    /// Calls a day, on average and without surges.
    pub per_day: f64,
    /// How they are spread over the half hours of a day, from midnight: 48 weights, or one for all.
    pub weights: Vec<f64>,
}

/// The callers of one queue.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueLoad {
    /// Its part of the calls, as a weight.
    pub share: f64,
    /// The languages of its callers, as weights, which operators must speak; without any it does not matter.
    #[serde(default)]
    pub languages: BTreeMap<Language, f64>,
    /// What its operators must be able to do besides.
    #[serde(default)]
    pub skills: BTreeSet<SkillId>,
    /// How long people talk.
    pub talk: Span,
    /// How long the operator writes it down.
    pub wrap_up: Option<Span>,
    /// After how many seconds of waiting a caller hangs up, on average; exponential. Without it nobody does.
    pub patience_s: Option<f64>,
}

/// A span of time that is drawn: lognormal with a deviation, constant with a deviation of 0, exponential without one.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// Its mean, in seconds.
    pub mean_s: f64,
    /// Its standard deviation, in seconds.
    pub deviation_s: Option<f64>,
}

/// Operators who are alike.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// How many.
    pub count: u32,
    /// What they can do, languages by their code among them: a list, or a table of levels.
    pub skills: Skills,
    /// When they are there. At the end of it they finish their talk and go.
    pub present: Hours,
    /// How they take breaks meanwhile.
    pub breaks: Option<Breaks>,
}

/// Breaks that are taken as they come: both the work between them and they themselves are exponential.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Breaks {
    /// The share of their presence that they take, 0 to 1.
    pub share: f64,
    /// How long one is on average, in seconds.
    pub mean_s: f64,
}

/// Hours in which more people call, or talk for longer.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Surge {
    /// When.
    pub hours: Hours,
    /// On which day, 1 for the first; on all of them without it.
    pub day: Option<u32>,
    /// In which queue; in all of them without it.
    pub queue: Option<QueueId>,
    /// So many times the calls.
    #[serde(default = "default::once")]
    pub calls: f64,
    /// So many times the length of a talk.
    #[serde(default = "default::once")]
    pub talk: f64,
}

/// Half hours of a day, written as `["08:00-12:00", "20:00-02:00"]`: the second goes over midnight.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct Hours([bool; HALF_HOURS]);

mod default {
    pub fn seed() -> u64 {
        109
    }
    pub fn days() -> u32 {
        1
    }
    pub fn target_s() -> u32 {
        20
    }
    pub fn short_abandon_s() -> u32 {
        5
    }
    pub fn announce_every_s() -> u32 {
        30
    }
    pub fn once() -> f64 {
        1.0
    }
}

impl Scenario {
    /// Reads and checks a scenario.
    ///
    /// # Errors
    /// Text that is no scenario, and the first value that makes no sense, with what is needed.
    pub fn read(text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self = toml::from_str(text).map_err(|error| ScenarioError::Unreadable(error.to_string()))?;
        scenario.check()?;
        Ok(scenario)
    }

    /// Calls of this queue a second, in a half hour counted from the first midnight.
    pub fn rate_per_s(&self, queue: &QueueId, half_hour: u64) -> f64 {
        let (day, of_day) = day_of(half_hour);
        let weight = self.calls.weights.get(of_day).or(self.calls.weights.first()).copied().unwrap_or_default();
        let weights: f64 = if self.calls.weights.len() == 1 { weight * HALF_HOURS as f64 } else { self.calls.weights.iter().sum() };
        let shares: f64 = self.queues.values().map(|load| load.share).sum();
        let share = self.queues.get(queue).map_or(0.0, |load| load.share);
        let surge: f64 = self.surges(queue, day, of_day).map(|surge| surge.calls).product();
        self.calls.per_day * weight / weights * share / shares * surge * 1000.0 / HALF_HOUR_MS as f64
    }

    /// So many times longer than otherwise people talk in this queue then.
    pub fn talk_times(&self, queue: &QueueId, half_hour: u64) -> f64 {
        let (day, of_day) = day_of(half_hour);
        self.surges(queue, day, of_day).map(|surge| surge.talk).product()
    }

    /// How many operators are there in a half hour of the day, 0 from midnight.
    pub fn present(&self, of_day: usize) -> u32 {
        self.operators.values().filter(|group| group.present.contains(of_day)).map(|group| group.count).sum()
    }

    fn surges(&self, queue: &QueueId, day: u64, of_day: usize) -> impl Iterator<Item = &Surge> {
        let is_then = move |surge: &&Surge| {
            surge.hours.contains(of_day)
                && surge.queue.as_ref().is_none_or(|known| known == queue)
                && surge.day.is_none_or(|known| u64::from(known) == day + 1)
        };
        self.surges.iter().filter(is_then)
    }

    fn check(&self) -> Result<(), ScenarioError> {
        need(self.days >= 1 && self.days <= MOST_DAYS, "days", "1 to 10000 are needed")?;
        need(self.rings_s >= 0.0 && self.rings_s < 3600.0, "rings_s", "0 to 3600 seconds are needed")?;
        need(self.calls.per_day > 0.0 && self.calls.per_day < 1e9, "calls.per_day", "a number above 0 is needed")?;
        let weights = &self.calls.weights;
        need(matches!(weights.len(), 1 | HALF_HOURS), "calls.weights", "48 weights are needed, one for each half hour, or one for all")?;
        need(weights.iter().all(|weight| *weight >= 0.0), "calls.weights", "no weight may be below 0")?;
        need(weights.iter().sum::<f64>() > 0.0, "calls.weights", "one of them must be above 0")?;
        need(!self.queues.is_empty(), "queues", "at least one is needed")?;
        self.queues.iter().try_for_each(|(name, load)| load.check(name))?;
        need(!self.operators.is_empty(), "operators", "at least one group is needed")?;
        self.operators.iter().try_for_each(|(name, group)| group.check(name))?;
        self.surges.iter().try_for_each(|surge| self.check_surge(surge))
    }

    fn check_surge(&self, surge: &Surge) -> Result<(), ScenarioError> {
        let known = surge.queue.as_ref().is_none_or(|queue| self.queues.contains_key(queue));
        need(known, "surges", "the queue of a surge must be among the queues")?;
        need(surge.calls >= 0.0 && surge.calls < 1e6, "surges", "`calls` is a factor of 0 or more")?;
        need(surge.talk > 0.0 && surge.talk < 1e6, "surges", "`talk` is a factor above 0")
    }
}

impl QueueLoad {
    fn check(&self, name: &QueueId) -> Result<(), ScenarioError> {
        let place = format!("queues.{name}");
        need(self.share > 0.0, &place, "its share must be above 0")?;
        need(self.languages.values().all(|weight| *weight > 0.0), &place, "the weights of its languages must be above 0")?;
        need(self.talk.is_sound(), &place, "`talk` needs a mean above 0 and a deviation of 0 or more")?;
        need(self.wrap_up.is_none_or(Span::is_sound), &place, "`wrap_up` needs a mean above 0 and a deviation of 0 or more")?;
        need(self.patience_s.is_none_or(|mean_s| mean_s > 0.0), &place, "`patience_s` must be above 0; leave it out where nobody hangs up")
    }
}

impl Group {
    fn check(&self, name: &str) -> Result<(), ScenarioError> {
        let place = format!("operators.{name}");
        need((1..=MOST_OPERATORS).contains(&self.count), &place, "`count` must be 1 to 10000")?;
        let sound = |breaks: Breaks| breaks.share > 0.0 && breaks.share < 1.0 && breaks.mean_s > 0.0;
        need(self.breaks.is_none_or(sound), &place, "`breaks` need a share between 0 and 1 and a mean above 0")
    }
}

impl Span {
    fn is_sound(self) -> bool {
        self.mean_s > 0.0 && self.mean_s.is_finite() && self.deviation_s.is_none_or(|deviation| deviation >= 0.0 && deviation.is_finite())
    }
}

impl Hours {
    /// Whether a half hour of the day, 0 from midnight, is among them.
    pub fn contains(&self, of_day: usize) -> bool {
        self.0.get(of_day).copied().unwrap_or_default()
    }

    /// The same as minutes from midnight, each span `[from, to)`, ascending and apart.
    pub fn spans(&self) -> Vec<(u16, u16)> {
        let mut spans: Vec<(u16, u16)> = Vec::new();
        for (from, _) in (0..).step_by(30).zip(self.0).filter(|(_, is_in)| *is_in) {
            match spans.last_mut() {
                Some((_, to)) if *to == from => *to += 30,
                Some(_) | None => spans.push((from, from + 30)),
            }
        }
        spans
    }
}

impl TryFrom<Vec<String>> for Hours {
    type Error = String;

    fn try_from(spans: Vec<String>) -> Result<Self, String> {
        let mut hours = [false; HALF_HOURS];
        for span in spans {
            let ends = span.split_once('-').and_then(|(from, to)| Some((half_hour(from)?, half_hour(to)?)));
            let (from, to) = ends.ok_or_else(|| format!("`{span}` is no span of half hours, such as \"08:00-12:30\""))?;
            let length = if to > from { to - from } else { to + HALF_HOURS - from };
            for at in (0..length).map(|n| (from + n) % HALF_HOURS) {
                hours.get_mut(at).into_iter().for_each(|is| *is = true);
            }
        }
        Ok(Self(hours))
    }
}

/// The day, 0 for the first, and the half hour of it.
pub fn day_of(half_hour: u64) -> (u64, usize) {
    let of_day = half_hour % HALF_HOURS as u64;
    (half_hour / HALF_HOURS as u64, usize::try_from(of_day).unwrap_or_default())
}

/// "08:30" as the seventeenth half hour from midnight; "24:00" is the end of the day.
fn half_hour(text: &str) -> Option<usize> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let hours: usize = hours.parse().ok().filter(|hours| *hours <= 24)?;
    let half = match minutes {
        "00" => 0,
        "30" if hours < 24 => 1,
        _ => return None,
    };
    Some(hours * 2 + half)
}

fn need(is_so: bool, place: &str, fault: &str) -> Result<(), ScenarioError> {
    if is_so { Ok(()) } else { Err(ScenarioError::Fault { place: place.to_owned(), fault: fault.to_owned() }) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const SMALL: &str = r#"
        title = "small"
        days = 2
        [calls]
        per_day = 480
        weights = [1]
        [queues.heating]
        share = 3
        talk = { mean_s = 180 }
        [queues.roads]
        share = 1
        talk = { mean_s = 120, deviation_s = 60 }
        patience_s = 90
        [operators.night]
        count = 8
        skills = ["kk"]
        present = ["20:00-08:00"]
        [operators.day]
        count = 20
        skills = ["kk"]
        present = ["07:30-12:00", "13:00-20:30"]
        [[surges]]
        hours = ["10:00-11:00"]
        queue = "heating"
        day = 2
        calls = 4
        talk = 0.5
    "#;

    fn rate(scenario: &Scenario, queue: &str, half_hour: u64) -> f64 {
        scenario.rate_per_s(&QueueId::from(queue), half_hour) * 1800.0
    }

    #[test]
    fn calls_are_spread_over_queues_and_half_hours() {
        let scenario = Scenario::read(SMALL).unwrap();
        assert!((rate(&scenario, "heating", 20) - 7.5).abs() < 1e-9, "ten calls in half an hour, three of four here");
        assert!((rate(&scenario, "heating", 48 + 20) - 30.0).abs() < 1e-9, "the surge of the second day");
        assert!((rate(&scenario, "roads", 48 + 20) - 2.5).abs() < 1e-9, "and of this queue alone");
        assert!((scenario.talk_times(&QueueId::from("heating"), 48 + 21) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn shifts_go_over_midnight() {
        let scenario = Scenario::read(SMALL).unwrap();
        let present = [0, 14, 15, 16, 23, 24, 26, 39, 40, 41, 47].map(|half_hour| scenario.present(half_hour));
        assert_eq!(present, [8, 8, 28, 20, 20, 0, 20, 20, 28, 8, 8]);
        let spans = ["night", "day"].map(|name| scenario.operators[name].present.spans());
        assert_eq!(spans, [vec![(0, 480), (1200, 1440)], vec![(450, 720), (780, 1230)]]);
    }

    #[test]
    fn what_makes_no_sense_is_named_with_its_mend() {
        let fault = |from: &str, to: &str| Scenario::read(&SMALL.replace(from, to)).unwrap_err().to_string();
        assert_eq!(
            fault("weights = [1]", "weights = [1, 2]"),
            "calls.weights: 48 weights are needed, one for each half hour, or one for all"
        );
        assert_eq!(fault("share = 3", "share = 0"), "queues.heating: its share must be above 0");
        assert!(fault("07:30-12:00", "07:40-12:00").contains("no span of half hours"));
        assert!(fault("queue = \"heating\"", "queue = \"lifts\"").starts_with("surges: the queue"));
        assert!(fault("patience_s", "patience").contains("patience"));
    }
}
