//! Who calls, when, how long do they wait and talk? All of it is drawn before anything is decided, so that another routing, and another
//! server, meets the same callers.

use std::collections::BTreeMap;

use crate::centre::ids::{Language, QueueId};

use super::chance::Chance;
use super::scenario::{HALF_HOUR_MS, HALF_HOURS, QueueLoad, Scenario, Span};

/// Streams of a queue that are not its arrivals begin here; a queue has so many.
const FIRST_STREAM: u64 = 1 << 20;
const STREAMS: u64 = 4;
/// Arrivals' streams begin here, below which are those of the operators.
const FIRST_ARRIVALS: u64 = 16;

/// One caller.
#[derive(Clone, PartialEq, Debug)]
pub struct Caller {
    /// When the call comes, in milliseconds after the first midnight.
    pub at_ms: u64,
    /// For which queue.
    pub queue: QueueId,
    /// In which language.
    pub language: Language,
    /// After waiting for so long they hang up; `None` where nobody does.
    pub patience_ms: Option<u64>,
    /// How long they talk.
    pub talk_ms: u64,
    /// How long the operator then writes; `None` where the queue has no wrap-up.
    pub wrap_up_ms: Option<u64>,
}

/// The callers of a scenario, queue by queue.
pub struct Callers<'s> {
    scenario: &'s Scenario,
    queues: BTreeMap<QueueId, Streams>,
}

/// Streams of their own, so that another number of draws in one leaves the others as they are.
struct Streams {
    /// When the last call came.
    at_ms: f64,
    arrivals: Chance,
    kinds: Chance,
    patience: Chance,
    talks: Chance,
    wrap_ups: Chance,
}

impl<'s> Callers<'s> {
    /// Nobody has called yet.
    pub fn of(scenario: &'s Scenario) -> Self {
        let streams = |n: u64| {
            let stream = |at| Chance::new(scenario.seed, FIRST_STREAM + n * STREAMS + at);
            let arrivals = Chance::new(scenario.seed, FIRST_ARRIVALS + n);
            Streams { at_ms: 0.0, arrivals, kinds: stream(0), patience: stream(1), talks: stream(2), wrap_ups: stream(3) }
        };
        Self { scenario, queues: (0..).zip(scenario.queues.keys()).map(|(n, queue)| (queue.clone(), streams(n))).collect() }
    }

    /// All of them, in the order in which they call.
    pub fn all(scenario: &Scenario) -> Vec<Caller> {
        let mut callers = Callers::of(scenario);
        let queues: Vec<&QueueId> = scenario.queues.keys().collect();
        let mut all: Vec<Caller> =
            queues.into_iter().flat_map(|queue| std::iter::from_fn(|| callers.next(queue)).collect::<Vec<_>>()).collect();
        all.sort_by_key(|caller| caller.at_ms);
        all
    }

    /// The next caller of this queue; none when the days are over. Within a half hour the rate stays, and a draw that goes beyond it begins
    /// again there.
    pub fn next(&mut self, queue: &QueueId) -> Option<Caller> {
        let load = self.scenario.queues.get(queue)?;
        let streams = self.queues.get_mut(queue)?;
        let half_hours = u64::from(self.scenario.days) * HALF_HOURS as u64;
        loop {
            let half_hour = (streams.at_ms / HALF_HOUR_MS as f64) as u64;
            if half_hour >= half_hours {
                return None;
            }
            let ends_ms = ((half_hour + 1) * HALF_HOUR_MS) as f64;
            let rate = self.scenario.rate_per_s(queue, half_hour);
            let drawn_ms = if rate > 0.0 { streams.at_ms + streams.arrivals.exponential(1000.0 / rate) } else { ends_ms };
            if drawn_ms < ends_ms {
                streams.at_ms = drawn_ms;
                let times = self.scenario.talk_times(queue, half_hour);
                return Some(streams.caller(queue, load, times));
            }
            streams.at_ms = ends_ms;
        }
    }
}

impl Streams {
    fn caller(&mut self, queue: &QueueId, load: &QueueLoad, times: f64) -> Caller {
        Caller {
            at_ms: self.at_ms.round() as u64,
            queue: queue.clone(),
            language: language(load, &mut self.kinds),
            patience_ms: load.patience_s.map(|mean_s| ms(self.patience.exponential(mean_s))),
            talk_ms: ms(span(load.talk, &mut self.talks) * times),
            wrap_up_ms: load.wrap_up.map(|wrap_up| ms(span(wrap_up, &mut self.wrap_ups))),
        }
    }
}

/// A caller's language, by the weights of the queue.
fn language(load: &QueueLoad, chance: &mut Chance) -> Language {
    let mut left = chance.unit() * load.languages.values().sum::<f64>();
    let drawn = load.languages.iter().find(|(_, weight)| {
        left -= **weight;
        left <= 0.0
    });
    drawn.or(load.languages.last_key_value()).map_or(Language::En, |(language, _)| *language)
}

/// Draws a span, in seconds.
fn span(span: Span, chance: &mut Chance) -> f64 {
    match span.deviation_s {
        None => chance.exponential(span.mean_s),
        Some(deviation) if deviation > 0.0 => chance.lognormal(span.mean_s, deviation),
        Some(_) => span.mean_s,
    }
}

/// Seconds as whole milliseconds.
pub fn ms(seconds: f64) -> u64 {
    (seconds * 1000.0).round() as u64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn another_patience_leaves_the_calls_and_the_talks_as_they_are() {
        let scenario = |patience: &str| {
            let text = format!(
                "title = \"t\"\ndays = 1\ncalls = {{ per_day = 500, weights = [1] }}\n\
                 [queues.a]\nshare = 1\ntalk = {{ mean_s = 60 }}\n{patience}\n[queues.b]\nshare = 2\ntalk = {{ mean_s = 30, deviation_s = 0 }}\n\
                 [operators.all]\ncount = 1\nskills = []\npresent = [\"00:00-24:00\"]\n"
            );
            Scenario::read(&text).unwrap()
        };
        let of = |patience: &str| -> Vec<(u64, u64)> {
            Callers::all(&scenario(patience)).into_iter().map(|caller| (caller.at_ms, caller.talk_ms)).collect()
        };
        let (patient, hasty) = (of(""), of("patience_s = 10"));
        assert_eq!(patient, hasty);
        assert!((400..600).contains(&patient.len()), "500 on average: {}", patient.len());
        assert!(patient.is_sorted_by_key(|(at_ms, _)| *at_ms));
        assert!(patient.iter().any(|(_, talk_ms)| *talk_ms == 30_000));
    }
}
