//! How good was the sound of a leg? Its figures when it closes, and the mark that the E-model makes of them.
//!
//! R = 93.2 − Id − Ie,eff (ITU-T G.107 with its default values, which make the other impairments the constant). Id is the delay's:
//! 0.024 d + 0.11 (d − 177.3) where d > 177.3 ms, the fit of R. G. Cole and J. H. Rosenbluth, "Voice over IP performance monitoring"
//! (2001), to G.107's curve. Ie,eff = Ie + (95 − Ie) · Ppl / (Ppl / BurstR + Bpl) (G.107 §3.5) has Ie and Bpl of the codec
//! from G.113 appendix I. MOS = 1 + 0.035 R + R (R − 60) (100 − R) · 7·10⁻⁶ (G.107 annex B).

use crate::centre::input::{Codec, Quality};

/// One frame, and what a jitter buffer holds at the ear, in milliseconds: what RTCP's round trip does not have.
const FRAME_MS: f64 = 20.0;
const BUFFER_MS: f64 = 40.0;

/// The E-model's default R, without delay and loss.
const BEST: f64 = 93.2;

/// Loss as it counts for the ear.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Loss {
    /// 0 to 1.
    pub share: f64,
    /// Mean length of a run of losses over that of independent ones, 1 or more (BurstR of G.107).
    pub burst_ratio: f64,
}

/// What has arrived of one stream, in packets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Arrived {
    /// Between the first and the last.
    pub expected: u64,
    /// Of them.
    pub received: u64,
    /// Runs of losses.
    pub runs: u64,
    /// Interarrival jitter (RFC 3550 §6.4.1), in microseconds; arrivals are seen on the media thread's grid of 5 to 20 ms.
    pub jitter_us: u32,
}

/// What the far end has reported of our stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reported {
    /// What we had sent by then.
    pub sent: u64,
    /// What it missed of that.
    pub lost: u64,
    /// In microseconds.
    pub jitter_us: u32,
}

impl Arrived {
    fn lost(&self) -> u64 {
        self.expected.saturating_sub(self.received)
    }

    fn loss(&self) -> Loss {
        let share = ratio(self.lost(), self.expected);
        let run = ratio(self.lost(), self.runs);
        Loss { share, burst_ratio: (run * (1.0 - share)).max(1.0) }
    }
}

/// The figures of a leg that closes. `round_trip_us`: by RTCP, if both ends speak it.
pub fn of_leg(codec: Codec, arrived: Arrived, reported: Option<Reported>, round_trip_us: Option<u64>, secured: bool) -> Quality {
    let delay_ms = round_trip_us.map_or(0.0, |us| us as f64 / 2_000.0) + FRAME_MS + BUFFER_MS;
    let far = reported.map(|reported| Loss { share: ratio(reported.lost, reported.sent), burst_ratio: 1.0 });
    Quality {
        expected: arrived.expected,
        received: arrived.received,
        loss_10k: ten_thousandths(arrived.loss().share),
        burst_100th: (ratio(arrived.lost(), arrived.runs) * 100.0).round() as u32,
        jitter_us: arrived.jitter_us,
        rtt_ms: round_trip_us.map(|us| u32::try_from(us / 1_000).unwrap_or(u32::MAX)),
        mos_100th: hundredths(mos(r_factor(codec, arrived.loss(), delay_ms))),
        far_loss_10k: far.map(|loss| ten_thousandths(loss.share)),
        far_jitter_us: reported.map(|reported| reported.jitter_us),
        far_mos_100th: far.map(|loss| hundredths(mos(r_factor(codec, loss, delay_ms)))),
        secured,
    }
}

/// The transmission rating, 0 to 93.2. `delay_ms` is from mouth to ear.
pub fn r_factor(codec: Codec, loss: Loss, delay_ms: f64) -> f64 {
    let (ie, bpl) = equipment(codec);
    let percent = loss.share.clamp(0.0, 1.0) * 100.0;
    let of_delay = 0.024 * delay_ms + 0.11 * (delay_ms - 177.3).max(0.0);
    let of_loss = ie + (95.0 - ie) * percent / (percent / loss.burst_ratio.max(1.0) + bpl);
    (BEST - of_delay - of_loss).clamp(0.0, 100.0)
}

/// The mean opinion score of a rating, 1 to 4.5.
pub fn mos(r: f64) -> f64 {
    (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).clamp(1.0, 4.5)
}

/// Ie and Bpl with concealment at the ear (G.113 appendix I, table I.3 and I.4). It has no values on this scale for G.722 and Opus, which
/// here end at a narrowband ear more often than not: they count as G.711.
fn equipment(codec: Codec) -> (f64, f64) {
    match codec {
        Codec::Pcma | Codec::Pcmu | Codec::G722 | Codec::Opus => (0.0, 25.1),
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn ten_thousandths(share: f64) -> u32 {
    (share.clamp(0.0, 1.0) * 10_000.0).round() as u32
}

fn hundredths(mark: f64) -> u32 {
    (mark * 100.0).round() as u32
}

/// Adds the figures of a leg to the process's metrics.
pub fn publish(quality: &Quality) {
    metrics::histogram!("cityline_leg_mos").record(f64::from(quality.mos_100th) / 100.0);
    metrics::histogram!("cityline_leg_loss_ratio").record(f64::from(quality.loss_10k) / 10_000.0);
    metrics::histogram!("cityline_leg_jitter_seconds").record(f64::from(quality.jitter_us) / 1e6);
    let of_far_end = [
        ("cityline_leg_round_trip_seconds", quality.rtt_ms, 1e3),
        ("cityline_leg_far_mos", quality.far_mos_100th, 100.0),
        ("cityline_leg_far_loss_ratio", quality.far_loss_10k, 10_000.0),
        ("cityline_leg_far_jitter_seconds", quality.far_jitter_us, 1e6),
    ];
    for (name, figure, unit) in of_far_end {
        if let Some(figure) = figure {
            metrics::histogram!(name).record(f64::from(figure) / unit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(share: f64, burst_ratio: f64, delay_ms: f64) -> f64 {
        mos(r_factor(Codec::Pcma, Loss { share, burst_ratio }, delay_ms))
    }

    #[test]
    fn known_ratings_have_known_marks() {
        // G.107 annex B: R 90 is 4.34, 80 is 4.03, 70 is 3.60, 60 is 3.10, 50 is 2.58.
        for (r, expected) in [(90.0, 4.34), (80.0, 4.03), (70.0, 3.60), (60.0, 3.10), (50.0, 2.58), (0.0, 1.0), (100.0, 4.5)] {
            assert!((mos(r) - expected).abs() < 0.01, "{r}: {}", mos(r));
        }
    }

    #[test]
    fn loss_bursts_and_delay_cost_what_they_should() {
        assert!((mark(0.0, 1.0, 0.0) - 4.41).abs() < 0.01, "nothing is better than G.711");
        assert!((r_factor(Codec::Pcma, Loss { share: 0.05, burst_ratio: 1.0 }, 0.0) - 77.42).abs() < 0.01);
        assert!(mark(0.05, 3.0, 50.0) < mark(0.05, 1.0, 50.0) && mark(0.05, 1.0, 50.0) < mark(0.01, 1.0, 50.0));
        assert!((r_factor(Codec::Pcmu, Loss::default(), 177.3) - 88.94).abs() < 0.01);
        assert!(mark(0.0, 1.0, 400.0) < 3.5);
        assert!((mark(1.0, 1.0, 400.0) - 1.0).abs() < 0.1);
    }

    #[test]
    fn figures_are_whole_numbers_and_what_is_unknown_is_none() {
        let arrived = Arrived { expected: 1_000, received: 950, runs: 25, jitter_us: 4_000 };
        let known = of_leg(Codec::Pcma, arrived, Some(Reported { sent: 1_000, lost: 10, jitter_us: 1_000 }), Some(80_400), true);
        assert_eq!((known.loss_10k, known.burst_100th, known.jitter_us, known.rtt_ms), (500, 200, 4_000, Some(80)));
        assert_eq!((known.far_loss_10k, known.far_jitter_us, known.secured), (Some(100), Some(1_000), true));
        assert!(known.far_mos_100th > Some(known.mos_100th), "it loses less");
        let unknown = of_leg(Codec::Pcma, Arrived::default(), None, None, false);
        assert_eq!((unknown.loss_10k, unknown.burst_100th, unknown.rtt_ms, unknown.far_mos_100th), (0, 0, None, None));
    }
}
