//! What does a run say? Flows, the generator's own lateness, the server's cost, and whether the run counts and passes.

use std::collections::BTreeMap;
use std::time::Duration;

use cityline_phone::media::Lateness;
use cityline_phone::media::capture::Arrivals;
use serde::Serialize;

use crate::process::Used;

/// A pass needs so much of 50 packets a second, and at most so many gaps of more than 40 ms.
const LEAST_RECEIVED_PCT: f64 = 99.9;
const MOST_OVER_40MS_PCT: f64 = 0.1;

/// Percentiles in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Ms {
    pub count: usize,
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    pub max: f64,
}

impl Ms {
    /// The percentiles of these times; zeros for none.
    pub fn of(times: &[Duration]) -> Self {
        let mut sorted: Vec<f64> = times.iter().map(|time| time.as_secs_f64() * 1000.0).collect();
        sorted.sort_by(f64::total_cmp);
        let at = |share: f64| sorted.get(((sorted.len() as f64 * share).ceil() as usize).saturating_sub(1)).copied().unwrap_or(0.0);
        Self { count: sorted.len(), p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1.0) }
    }
}

/// Sound that arrived at all legs of one side during the window.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Flow {
    /// Legs that were up at the window's end.
    pub legs: u64,
    pub packets: u64,
    /// 50 a second and leg; in a queue over the time that each leg had sound.
    pub expected: u64,
    pub received_pct: f64,
    pub sequence_lost: u64,
    pub late_or_twice: u64,
    pub restarts: u64,
    pub foreign: u64,
    pub gap_ms_p50: u64,
    pub gap_ms_p99: u64,
    pub gap_ms_p999: u64,
    pub gap_ms_max: f64,
    pub over_40ms_pct: f64,
}

impl Flow {
    /// Sums up the legs of one side over a window.
    pub fn of(arrivals: &Arrivals, legs: u64, window: Duration) -> Self {
        let expected = (legs as f64 * window.as_secs_f64() * 50.0).round() as u64;
        let percent = |part: u64, whole: u64| if whole == 0 { 0.0 } else { 100.0 * part as f64 / whole as f64 };
        Self {
            legs,
            packets: arrivals.packets,
            expected,
            received_pct: percent(arrivals.packets, expected),
            sequence_lost: arrivals.lost,
            late_or_twice: arrivals.late_or_twice,
            restarts: arrivals.restarts,
            foreign: arrivals.foreign,
            gap_ms_p50: arrivals.gap_ms(0.5),
            gap_ms_p99: arrivals.gap_ms(0.99),
            gap_ms_p999: arrivals.gap_ms(0.999),
            gap_ms_max: arrivals.longest_gap_us as f64 / 1000.0,
            over_40ms_pct: percent(arrivals.over_40ms, arrivals.packets),
        }
    }

    /// Sets what was expected, where legs came and went within the window.
    pub fn expect(&mut self, expected: u64) {
        self.expected = expected;
        self.received_pct = 100.0 * self.packets as f64 / expected.max(1) as f64;
    }

    fn passes(&self) -> bool {
        self.received_pct >= LEAST_RECEIVED_PCT && self.sequence_lost == 0 && self.over_40ms_pct <= MOST_OVER_40MS_PCT
    }
}

/// How late the generator was itself, one entry a thread.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Own {
    pub ticks: u64,
    pub ticks_over_5ms: u64,
    pub ticks_over_10ms: u64,
    pub ticks_skipped: u64,
    pub latest_ms: f64,
    /// The control leg: its own echo through the same thread.
    pub echo_gap_ms_p99: u64,
    pub echo_gap_ms_max: f64,
    pub echo_over_40ms: u64,
}

impl Own {
    /// From a thread's lateness and its echo control.
    pub fn of(lateness: &Lateness, echo: &Arrivals) -> Self {
        Self {
            ticks: lateness.ticks,
            ticks_over_5ms: lateness.over_5ms,
            ticks_over_10ms: lateness.over_10ms,
            ticks_skipped: lateness.skipped,
            latest_ms: lateness.longest_us as f64 / 1000.0,
            echo_gap_ms_p99: echo.gap_ms(0.99),
            echo_gap_ms_max: echo.longest_gap_us as f64 / 1000.0,
            echo_over_40ms: echo.over_40ms,
        }
    }

    /// A generator that was late itself cannot say that the server was.
    pub fn was_in_time(&self) -> bool {
        self.ticks_skipped == 0 && self.ticks_over_10ms * 1000 <= self.ticks && self.echo_over_40ms * 1000 <= self.ticks / 4
    }
}

/// What was said, judged in a sample of the calls.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Content {
    /// Calls whose sound was judged, on one side.
    pub judged: u64,
    /// Of these: the other side's voice (bridged), the prompt, or any sound was heard.
    pub heard: u64,
    /// Calls in which more than one voice was heard.
    pub crossed: u64,
    pub chirps: u64,
    pub chirps_missing: u64,
    pub chirps_repeated: u64,
    pub chirps_disordered: u64,
    pub chirps_damaged: u64,
    /// From the mouth to the arrival of the ear's packet.
    pub mouth_to_ear_ms: Ms,
    /// Lowest and median score of the prompt, 0 to 1; 0 when none was asked for.
    pub prompt_lowest: f32,
    pub prompt_median: f32,
    /// Lowest share of packets with sound in a judged call, 0 to 1.
    pub audible_lowest: f64,
}

/// One run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    pub mode: String,
    pub target: String,
    pub number: String,
    pub calls: u64,
    pub rate: f64,
    pub window_s: f64,
    /// Calls that were up in the window, or were set up and ended.
    pub reached: u64,
    pub failed: u64,
    pub failed_by_code: BTreeMap<u16, u64>,
    /// Calls that the server ended before the window was over.
    pub ended_early: u64,
    /// Messages that this side had to say again.
    pub retransmitted: u64,
    /// Messages that the server said again.
    pub repeated: u64,
    pub set_up_ms: Ms,
    /// INVITE to the first packet of sound.
    pub first_packet_ms: Ms,
    /// BYE to its 200.
    pub bye_ms: Ms,
    pub callers: Flow,
    pub operators: Flow,
    pub callers_content: Content,
    pub operators_content: Content,
    /// Talks that ended in the window (queue).
    pub talks: u64,
    pub talks_per_minute: f64,
    /// From an operator's BYE to the next INVITE for the same operator (queue).
    pub next_ring_ms: Ms,
    pub own: Vec<Own>,
    pub server: Used,
    pub cpu_ms_per_call: f64,
    pub core_pct_per_100: f64,
    pub kb_per_call: f64,
    /// The generator was in time: the run counts.
    pub valid: bool,
    /// The run counts, and the server did what it should.
    pub pass: bool,
}

impl Report {
    /// Fills the figures that follow from the others. `held`: calls stay up during the window.
    pub fn conclude(&mut self, held: bool) {
        let calls = self.reached.max(1) as f64;
        self.cpu_ms_per_call = if held { 0.0 } else { self.server.cpu_s * 1000.0 / calls };
        self.core_pct_per_100 = if held { self.server.core_pct * 100.0 / calls } else { 0.0 };
        self.kb_per_call = if held { self.server.rss_end_kb.saturating_sub(self.server.rss_start_kb) as f64 / calls } else { 0.0 };
        self.valid = self.own.iter().all(Own::was_in_time);
        let clean = self.reached == self.calls && self.failed == 0 && self.ended_early == 0;
        let sound = self.callers.passes() && (self.operators.legs == 0 || self.operators.passes());
        let done = match self.mode.as_str() {
            // Callers come and go: their flow has no fixed number of legs.
            "queue" => self.failed == 0 && self.talks > 0,
            _ if held => clean && sound,
            _ => clean && self.retransmitted == 0 && self.repeated == 0,
        };
        self.pass = self.valid && done;
    }

    /// One line for people.
    pub fn line(&self) -> String {
        format!(
            "{} {}: {}/{} calls, {} failed, {} retransmitted; set-up p50 {:.1} p99 {:.1} ms; received {:.2} %, lost {}, >40 ms {:.3} %; \
             server {:.1} % of a core ({:.2} % per 100, {:.3} ms a call, {:.0} KB a call); next ring p95 {:.1} ms; {}",
            self.mode,
            self.number,
            self.reached,
            self.calls,
            self.failed,
            self.retransmitted + self.repeated,
            self.set_up_ms.p50,
            self.set_up_ms.p99,
            self.callers.received_pct,
            self.callers.sequence_lost,
            self.callers.over_40ms_pct,
            self.server.core_pct,
            self.core_pct_per_100,
            self.cpu_ms_per_call,
            self.kb_per_call,
            self.next_ring_ms.p95,
            if !self.valid {
                "VOID: the generator was late"
            } else if self.pass {
                "pass"
            } else {
                "FAIL"
            }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_generator_voids_the_run() {
        let lateness = Lateness { ticks: 1000, over_10ms: 2, ..Lateness::default() };
        assert!(!Own::of(&lateness, &Arrivals::default()).was_in_time());
        let lateness = Lateness { ticks: 1000, over_10ms: 1, ..Lateness::default() };
        assert!(Own::of(&lateness, &Arrivals::default()).was_in_time());
    }

    #[test]
    fn percentiles() {
        let times: Vec<Duration> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(Ms::of(&times), Ms { count: 200, p50: 100.0, p95: 190.0, p99: 198.0, max: 200.0 });
    }
}
