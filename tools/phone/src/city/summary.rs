//! How did the day go? Counts and times of callers and of operators.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Percentiles of a row of times, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Times {
    pub count: usize,
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub longest: f64,
}

impl Times {
    /// The percentiles of these times; all 0 for none.
    pub fn of(times: &[Duration]) -> Self {
        let mut sorted: Vec<f64> = times.iter().map(Duration::as_secs_f64).collect();
        sorted.sort_by(f64::total_cmp);
        let at = |share: f64| sorted.get(((sorted.len() as f64 * share).ceil() as usize).saturating_sub(1)).copied().unwrap_or(0.0);
        Self { count: sorted.len(), p50: at(0.5), p90: at(0.9), p99: at(0.99), longest: at(1.0) }
    }
}

/// What the callers met.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CallerSummary {
    /// Calls that were placed.
    pub calls: u64,
    /// Calls that are up at this moment.
    pub open: u64,
    /// An operator's voice was heard.
    pub answered: u64,
    /// The caller hung up before.
    pub abandoned: u64,
    /// The other side hung up before: closed, full, or a callback was promised.
    pub released: u64,
    /// No call at all, by the final answer (0: none came).
    pub failed: u64,
    pub failed_by_code: BTreeMap<u16, u64>,
    /// Calls in which a greeting was heard.
    pub greeted: u64,
    /// From the topic's key to the operator's voice.
    pub waiting: Times,
    /// From INVITE to 200.
    pub set_up: Times,
    /// Chirps of operators that were heard, and that were missing between the first and the last of their talk.
    pub chirps_heard: u64,
    pub chirps_missing: u64,
}

/// What the operators did.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct OperatorSummary {
    pub registered: u64,
    pub registrations_failed: u64,
    /// INVITEs that came in.
    pub offered: u64,
    pub answered: u64,
    /// Taken back before the answer.
    pub cancelled: u64,
    /// Came while the operator was in a call.
    pub busy: u64,
    /// Talks that are up at this moment.
    pub open: u64,
    /// Talks that are over and were judged.
    pub talks: u64,
    /// Of these: the caller's voice was heard.
    pub talks_heard: u64,
    pub talking: Times,
    pub chirps_heard: u64,
    pub chirps_missing: u64,
}

impl OperatorSummary {
    /// Share of talks in which the caller was heard; 1 when there was none.
    pub fn heard_share(&self) -> f64 {
        if self.talks == 0 { 1.0 } else { self.talks_heard as f64 / self.talks as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_a_row() {
        let times: Vec<Duration> = (1..=100).rev().map(Duration::from_secs).collect();
        assert_eq!(Times::of(&times), Times { count: 100, p50: 50.0, p90: 90.0, p99: 99.0, longest: 100.0 });
        assert_eq!(Times::of(&[]), Times::default());
    }
}
