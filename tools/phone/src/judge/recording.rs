//! Is a recording whole, and are its two channels in step?

use std::time::Duration;

use super::chirp::{Said, Voice};
use super::find::{self, Hearing};

/// What a stereo recording shows of a talk in chirps.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// Of the longer channel.
    pub length: Duration,
    /// What the left channel holds of the left voice, and the right of the right one.
    pub left: Hearing,
    pub right: Hearing,
    /// Voices that should not be in their channel.
    pub strangers: Vec<Voice>,
    /// By how much the right channel's sound lies later in the file than it was spoken, compared with the left's: the median over
    /// the chirps, in milliseconds; none when a side has none.
    pub skew_ms: Option<f64>,
    /// Largest change of that lag within the recording, milliseconds: drift and slips of the time line.
    pub drift_ms: f64,
}

/// Judges two channels of 16-bit PCM at 8 kHz by what each side said and when.
pub fn judge(left: &[i16], right: &[i16], left_said: &Said, right_said: &Said) -> Judgement {
    let (left_heard, mut strangers) = hear(left, left_said);
    let (right_heard, others) = hear(right, right_said);
    strangers.extend(others);
    let (left_lags, right_lags) = (lags_ms(&left_heard, left_said), lags_ms(&right_heard, right_said));
    let skew_ms = median(&right_lags).zip(median(&left_lags)).map(|(right, left)| right - left);
    Judgement {
        length: Duration::from_secs_f64(left.len().max(right.len()) as f64 / 8000.0),
        drift_ms: spread(&left_lags).max(spread(&right_lags)),
        left: left_heard,
        right: right_heard,
        strangers,
        skew_ms,
    }
}

fn hear(channel: &[i16], said: &Said) -> (Hearing, Vec<Voice>) {
    let mut hearings = find::hearings(&find::chirps(channel, &[0, 1, 2, 3]));
    let own = said.voice.and_then(|voice| hearings.remove(&voice)).unwrap_or_default();
    (own, hearings.into_keys().collect())
}

/// Place in the file less the time of speaking, for every chirp, in milliseconds.
///
/// The first chirp's number is taken as it is: the recording begins within the first 256 chirps (51 s) of the voice.
fn lags_ms(hearing: &Hearing, said: &Said) -> Vec<f64> {
    let lag = |(at, number): &(usize, i64)| {
        let sent_ns = *said.sent_ns.get(usize::try_from(*number).ok()?)?;
        Some(*at as f64 / 8.0 - sent_ns as f64 / 1e6)
    };
    hearing.chirps.iter().filter_map(lag).collect()
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

fn spread(values: &[f64]) -> f64 {
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    if values.is_empty() { 0.0 } else { most - least }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::judge::chirp;

    fn side(voice: Voice, count: usize, lead: usize, begun_ms: u64) -> (Vec<i16>, Said) {
        let mut channel = vec![0; lead];
        channel.extend(chirp::pcm(voice, count));
        let sent_ns = (0..count as u64).map(|n| (1_790_000_000_000 + begun_ms + n * 200) * 1_000_000).collect();
        (channel, Said { voice: Some(voice), sent_ns })
    }

    #[test]
    fn channels_in_step_and_out_of_it() {
        let (left, left_said) = side(Voice::new(0, 1), 120, 800, 100);
        let (right, right_said) = side(Voice::new(1, 2), 110, 8000, 1000);
        let good = judge(&left, &right, &left_said, &right_said);
        assert!(good.skew_ms.unwrap().abs() < 0.5 && good.drift_ms < 0.5 && good.strangers.is_empty(), "{good:?}");
        assert_eq!((good.left.chirps.len(), good.right.missing), (120, 0));
        assert!((good.length.as_secs_f64() - 24.1).abs() < 0.001);
        let late = judge(&left[400..], &right, &left_said, &right_said);
        assert!((late.skew_ms.unwrap() - 50.0).abs() < 0.5, "{:?}", late.skew_ms);
        let swapped = judge(&right, &left, &left_said, &right_said);
        assert_eq!((swapped.strangers.len(), swapped.skew_ms), (2, None));
    }
}
