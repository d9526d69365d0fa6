//! Did callers wait for as long as they were told? Estimates against the waits that came of them, and against the last hour's average.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;

use serde::Serialize;

use crate::centre::estimate::whole_minutes;
use crate::centre::fact::{Fact, QueueEnd};
use crate::centre::ids::{CallId, QueueId};
use crate::centre::time::Time;

use super::table::percent;

/// Waits of this length and more are judged, in milliseconds.
const JUDGED_MS: u64 = 60_000;
/// An estimate is good within this share of the wait.
const GOOD: f64 = 0.3;
/// The naive estimate is the average of so long, in milliseconds.
const HOUR_MS: u64 = 3_600_000;

/// The fold of a simulated run.
#[derive(Clone, Debug, Default)]
pub struct Estimates {
    waiting: BTreeMap<CallId, Waiter>,
    /// Waits of those answered within the last hour, by their queue.
    answered: BTreeMap<QueueId, VecDeque<(Time, u64)>>,
    told: Vec<Told>,
    unanswered: u64,
}

#[derive(Clone, Debug)]
struct Waiter {
    entered: Time,
    told: Vec<Telling>,
}

/// What was said at a moment, and what the average of the last hour would have said; in minutes.
#[derive(Clone, Copy, Debug)]
struct Telling {
    at: Time,
    minutes: u32,
    average: u32,
}

/// One telling, with what came of it.
#[derive(Clone, Copy, Debug)]
struct Told {
    is_first: bool,
    minutes: u32,
    average: u32,
    /// How long the caller still waited, in milliseconds.
    waited_ms: u64,
}

/// How good some estimates were.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Quality {
    /// How many.
    pub n: usize,
    /// The mean of the waits, in seconds.
    pub waited_s: f64,
    /// Mean of told − waited, in seconds: above 0 where too long was told.
    pub bias_s: f64,
    /// Mean of |told − waited|, in seconds.
    pub error_s: f64,
    /// The share told within ±30 % of the wait.
    pub good: f64,
}

/// The measurement.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// What is compared, each of the same tellings.
    pub groups: Vec<Group>,
    /// Tellings to callers who hung up: what they would have waited nobody knows, so they are left out.
    pub unanswered: u64,
}

/// Some tellings: the core's estimates and the averages of the last hour.
#[derive(Clone, Debug, Serialize)]
pub struct Group {
    /// Which ones.
    pub name: &'static str,
    /// What callers were told.
    pub told: Option<Quality>,
    /// What the average would have told.
    pub average: Option<Quality>,
}

impl Estimates {
    /// Takes one fact in.
    pub fn apply(&mut self, at: Time, fact: &Fact) {
        match fact {
            Fact::Enqueued { call, .. } => drop(self.waiting.insert(*call, Waiter { entered: at, told: Vec::new() })),
            Fact::PlaceTold { call, queue, minutes: Some(minutes), .. } => self.is_told(at, *call, queue, *minutes),
            Fact::Dequeued { call, queue, how, waited_ms } => self.left(at, *call, queue, *how, *waited_ms),
            _ => {}
        }
    }

    /// What the estimates were worth.
    pub fn measured(&self) -> Measured {
        let long = |told: &&Told| told.waited_ms >= JUDGED_MS;
        let group = |name, is_in: &dyn Fn(&&Told) -> bool| {
            let of = |said: fn(&Told) -> u32| Quality::of(self.told.iter().filter(is_in).map(|told| (said(told), told.waited_ms)));
            Group { name, told: of(|told| told.minutes), average: of(|told| told.average) }
        };
        Measured {
            groups: vec![
                group("first telling, then waited 60 s and more", &|told| told.is_first && long(told)),
                group("every telling, then waited 60 s and more", &long),
                group("every telling of 2 minutes and more", &|told| told.minutes >= 2),
            ],
            unanswered: self.unanswered,
        }
    }

    fn is_told(&mut self, at: Time, call: CallId, queue: &QueueId, minutes: u32) {
        let Some(average_ms) = self.average_ms(at, queue) else { return };
        let Some(waiter) = self.waiting.get_mut(&call) else { return };
        let average = whole_minutes(average_ms.saturating_sub(at.ms_since(waiter.entered)));
        waiter.told.push(Telling { at, minutes, average });
    }

    fn left(&mut self, at: Time, call: CallId, queue: &QueueId, how: QueueEnd, waited_ms: u64) {
        let Some(waiter) = self.waiting.remove(&call) else { return };
        if how != QueueEnd::Answered {
            self.unanswered += waiter.told.len() as u64;
            return;
        }
        self.answered.entry(queue.clone()).or_default().push_back((at, waited_ms));
        let told = waiter.told.iter().enumerate().map(|(n, telling)| Told {
            is_first: n == 0,
            minutes: telling.minutes,
            average: telling.average,
            waited_ms: at.ms_since(telling.at),
        });
        self.told.extend(told);
    }

    /// The average wait of those who were answered within the last hour; 0 where nobody was.
    fn average_ms(&mut self, at: Time, queue: &QueueId) -> Option<u64> {
        let answered = self.answered.entry(queue.clone()).or_default();
        while answered.front().is_some_and(|(then, _)| at.ms_since(*then) > HOUR_MS) {
            answered.pop_front();
        }
        let waited_ms: u64 = answered.iter().map(|(_, waited_ms)| waited_ms).sum();
        Some(waited_ms.checked_div(answered.len() as u64).unwrap_or_default())
    }
}

impl Quality {
    /// Of minutes that were told and milliseconds that were waited; `None` without any.
    fn of(told: impl Iterator<Item = (u32, u64)>) -> Option<Self> {
        let pairs: Vec<(f64, f64)> = told.map(|(minutes, waited_ms)| (f64::from(minutes) * 60.0, waited_ms as f64 / 1000.0)).collect();
        let n = pairs.len() as f64;
        let mean = |figure: fn(&(f64, f64)) -> f64| pairs.iter().map(figure).sum::<f64>() / n;
        (!pairs.is_empty()).then(|| Self {
            n: pairs.len(),
            waited_s: mean(|(_, waited)| *waited),
            bias_s: mean(|(told, waited)| told - waited),
            error_s: mean(|(told, waited)| (told - waited).abs()),
            good: mean(|(told, waited)| if (told - waited).abs() <= GOOD * waited { 1.0 } else { 0.0 }),
        })
    }
}

impl Measured {
    /// The measurement as a table in Markdown.
    pub fn table(&self) -> String {
        let mut text =
            String::from("| tellings | estimate | n | mean wait | bias | mean error | within ±30 % |\n|---|---|---|---|---|---|---|\n");
        for group in &self.groups {
            for (name, quality) in [("told", group.told), ("last hour's average", group.average)] {
                let Some(quality) = quality else { continue };
                let Quality { n, waited_s, bias_s, error_s, good } = quality;
                let share = bias_s / waited_s * 100.0;
                let good = percent(Some(good));
                let _ = writeln!(
                    text,
                    "| {} | {name} | {n} | {waited_s:.0} s | {bias_s:+.0} s ({share:+.0} %) | {error_s:.0} s | {good} |",
                    group.name
                );
            }
        }
        let _ = writeln!(text, "\n{} tellings to callers who hung up are not among them.", self.unanswered);
        text
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::scenario::Scenario;
    use super::super::simulate::simulate_and_watch;
    use super::*;

    const SURGE_DAYS: &str = include_str!("../../tools/simulate/surge-days.toml");

    #[test]
    fn what_callers_are_told_is_better_than_the_last_hours_average() {
        let mut estimates = Estimates::default();
        simulate_and_watch(&Scenario::read(SURGE_DAYS).unwrap(), |at, fact| estimates.apply(at, fact));
        let measured = estimates.measured();
        println!("{}", measured.table());
        let first = measured.groups.first().unwrap();
        let (told, average) = (first.told.unwrap(), first.average.unwrap());
        assert!(told.n >= 1_000, "{told:?}");
        assert!(told.bias_s.abs() <= 0.1 * told.waited_s, "{told:?}");
        assert!(told.good > average.good + 0.1 && told.error_s < average.error_s, "{told:?} and {average:?}");
    }

    #[test]
    fn quality_is_told_against_waited() {
        let quality = Quality::of([(1, 60_000), (2, 100_000), (1, 100_000)].into_iter()).unwrap();
        assert_eq!((quality.n, quality.bias_s.round(), quality.error_s.round()), (3, -7.0, 20.0));
        assert!((quality.good - 2.0 / 3.0).abs() < 1e-9, "the last is told 40 % too short");
        assert_eq!(Quality::of(std::iter::empty()), None);
    }
}
