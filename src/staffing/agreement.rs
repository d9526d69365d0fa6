//! Does the simulator agree with arithmetic? The vectors of Erlang C and Erlang A, within the error of sampling that is stated.
//!
//! The core's own delays are nothing here: phones are picked up and prompts are played at once, no place is announced, and there is
//! no wrap-up beside the exponential handling. What is left of the core is who gets which call.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::erlang::{ErlangA, ErlangC, Load};
use super::scenario::{HALF_HOURS, Scenario};
use super::simulate::simulate;
use super::tally::Interval;

/// Half hours at the beginning that are not counted: the queue begins empty.
const WARM_UP: usize = 8;
/// The rest is cut into so many parts, each much longer than the queue remembers.
const PARTS: usize = 40;
/// Student's t for 26 degrees of freedom, what the fewest parts and a control leave: 99 % of all samples lie within so many standard errors.
const T_99: f64 = 2.779;

struct Case {
    name: &'static str,
    load: Load,
    operators: u32,
    patience_s: Option<f64>,
    days: u32,
    seed: u64,
}

/// A figure of each part; their mean is the estimate, and their spread says how far it may be off.
struct Sample(Vec<f64>);

/// A figure whose exact mean is known: by how far a sample of it is off, the others can be corrected (control variates).
struct Control {
    sample: Sample,
    exact: f64,
}

impl Sample {
    fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }

    /// Half of the 99 % confidence interval.
    fn error(&self) -> f64 {
        let n = self.0.len() as f64;
        T_99 * (self.covariance(self) / n).sqrt()
    }

    fn covariance(&self, other: &Sample) -> f64 {
        let (mean, others) = (self.mean(), other.mean());
        self.0.iter().zip(&other.0).map(|(x, y)| (x - mean) * (y - others)).sum::<f64>() / (self.0.len() as f64 - 1.0)
    }

    /// The same figure of parts that were as busy as they are on average: less of its spread is chance.
    fn controlled(&self, by: &Control) -> Sample {
        let slope = self.covariance(&by.sample) / by.sample.covariance(&by.sample);
        Sample(self.0.iter().zip(&by.sample.0).map(|(y, x)| y - slope * (x - by.exact)).collect())
    }

    /// Fails where the exact value is not within the interval, or the interval too wide to say anything.
    fn agrees(&self, what: &str, exact: f64, widest: f64) {
        let (mean, error) = (self.mean(), self.error());
        println!("{what}: simulated {mean:.5} ± {error:.5} (99 %), exact {exact:.5}");
        assert!((mean - exact).abs() <= error, "{what}: {mean} ± {error}, not {exact}");
        assert!(error <= widest, "{what}: ± {error} says nothing, ± {widest} is needed");
    }
}

impl Case {
    fn scenario(&self) -> Scenario {
        let per_day = self.load.calls_per_s * 86_400.0;
        let patience = self.patience_s.map_or(String::new(), |mean_s| format!("patience_s = {mean_s}"));
        let (name, days, seed, operators, handling_s) = (self.name, self.days, self.seed, self.operators, self.load.handling_s);
        let text = format!(
            r#"
            title = "{name}"
            days = {days}
            seed = {seed}
            announce_every_s = 0
            calls = {{ per_day = {per_day}, weights = [1] }}
            operators.all = {{ count = {operators}, skills = [], present = ["00:00-24:00"] }}
            [queues.only]
            share = 1
            talk = {{ mean_s = {handling_s} }}
            {patience}
            "#
        );
        Scenario::read(&text).unwrap()
    }

    /// The parts of a run.
    fn parts(&self) -> Vec<Interval> {
        let simulated = simulate(&self.scenario());
        let counted = &simulated.tally.intervals()[WARM_UP..];
        assert_eq!(simulated.tally.intervals().len(), self.days as usize * HALF_HOURS);
        let parts: Vec<Interval> = counted
            .chunks_exact(counted.len().div_ceil(PARTS))
            .map(|part| part.iter().fold(Interval::default(), |sum, one| sum.and(*one)))
            .collect();
        println!("{}: {} calls, {} parts", self.name, simulated.calls, parts.len());
        parts
    }
}

fn sample(parts: &[Interval], figure: impl Fn(&Interval) -> Option<f64>) -> Sample {
    Sample(parts.iter().map(|part| figure(part).expect("somebody called")).collect())
}

fn waiting(part: &Interval) -> Option<f64> {
    Some(part.had_to_wait as f64 / part.waits.offered as f64)
}

/// How busy operators were: the work that callers brought.
fn busy(parts: &[Interval], exact: f64) -> Control {
    Control { sample: sample(parts, Interval::occupancy), exact }
}

fn agrees_with_erlang_c(case: &Case) {
    let exact = ErlangC::new(case.load, case.operators).unwrap();
    let parts = case.parts();
    let busy = busy(&parts, exact.occupancy);
    busy.sample.agrees("occupancy", exact.occupancy, 0.01);
    sample(&parts, waiting).controlled(&busy).agrees("share that waits", exact.waiting, 0.01);
    let level = sample(&parts, |part| part.waits.service_level(Default::default()));
    level.controlled(&busy).agrees("answered within 20 s", exact.service_level(20.0), 0.01);
    let asa_s = sample(&parts, |part| part.waits.asa_ms().map(|ms| ms / 1000.0));
    asa_s.controlled(&busy).agrees("ASA", exact.asa_s, exact.asa_s * 0.17);
    assert!(parts.iter().all(|part| part.waits.abandoned == 0), "nobody gives up");
}

fn agrees_with_erlang_a(case: &Case) {
    let exact = ErlangA::new(case.load, case.operators, case.patience_s.unwrap()).unwrap();
    let parts = case.parts();
    let busy = busy(&parts, exact.occupancy);
    busy.sample.agrees("occupancy", exact.occupancy, 0.01);
    sample(&parts, waiting).controlled(&busy).agrees("share that waits", exact.waiting, 0.02);
    sample(&parts, |part| part.waits.abandonment()).controlled(&busy).agrees("abandonment", exact.abandonment, 0.004);
    let wait_s = sample(&parts, |part| Some(part.waits.all_waited_ms as f64 / 1000.0 / part.waits.offered as f64));
    wait_s.controlled(&busy).agrees("mean wait", exact.wait_s, exact.wait_s * 0.1);
}

#[test]
fn a_hundred_calls_in_half_an_hour_for_fourteen_operators() {
    let load = Load { calls_per_s: 100.0 / 1800.0, handling_s: 180.0 };
    agrees_with_erlang_c(&Case { name: "Erlang C, published", load, operators: 14, patience_s: None, days: 30, seed: 1 });
}

#[test]
fn two_erlangs_for_three_operators() {
    let load = Load { calls_per_s: 2.0 / 20.0, handling_s: 20.0 };
    agrees_with_erlang_c(&Case { name: "Erlang C, 2 erlang", load, operators: 3, patience_s: None, days: 12, seed: 1 });
}

#[test]
fn fifty_operators_whose_callers_are_patient_for_two_minutes() {
    let load = Load { calls_per_s: 0.8, handling_s: 60.0 };
    agrees_with_erlang_a(&Case { name: "Erlang A, published", load, operators: 50, patience_s: Some(120.0), days: 2, seed: 1 });
}

#[test]
fn patience_as_long_as_handling() {
    let load = Load { calls_per_s: 0.5, handling_s: 20.0 };
    agrees_with_erlang_a(&Case { name: "Erlang A, Poisson", load, operators: 12, patience_s: Some(20.0), days: 3, seed: 1 });
}
