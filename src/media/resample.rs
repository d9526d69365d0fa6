//! How does sound change its rate? Twice and half by a half-band filter (8 and 16 kHz), and by a few samples where two clocks differ.

use std::sync::LazyLock;

/// Coefficients on each side of the middle that are not zero: 63 taps, flat to 3.5 kHz and 60 dB down from 4.5 kHz on.
const SIDE: usize = 16;
/// Samples at 16 kHz that one output looks at.
const SPAN: usize = 4 * SIDE - 1;
/// Kaiser's window for 60 dB.
const BETA: f32 = 5.65;

/// The odd taps of the right half, outwards from the middle; the even ones are zero and the middle is ½.
static TAPS: LazyLock<[f32; SIDE]> = LazyLock::new(taps);

fn taps() -> [f32; SIDE] {
    let half = 2.0 * SIDE as f32;
    let mut taps = [0.0; SIDE];
    for (n, tap) in taps.iter_mut().enumerate() {
        let at = 2.0 * n as f32 + 1.0;
        let sinc = (std::f32::consts::FRAC_PI_2 * at).sin() / (std::f32::consts::PI * at);
        *tap = sinc * bessel(BETA * (1.0 - (at / half).powi(2)).sqrt()) / bessel(BETA);
    }
    // A constant keeps its level exactly.
    let sum: f32 = taps.iter().sum();
    taps.map(|tap| tap * 0.25 / sum)
}

/// The modified Bessel function of order zero.
fn bessel(x: f32) -> f32 {
    let (mut term, mut sum) = (1.0f32, 1.0f32);
    for n in 1..20 {
        term *= (x / 2.0 / n as f32).powi(2);
        sum += term;
    }
    sum
}

fn sample(value: f32) -> i16 {
    value.round_ties_even().clamp(f32::from(i16::MIN), f32::from(i16::MAX)) as i16
}

/// From 8 to 16 kHz, 1.9 ms late.
pub struct Doubler {
    /// The latest inputs, then room for a frame.
    past: [i16; 2 * SIDE],
}

impl Default for Doubler {
    fn default() -> Self {
        Self { past: [0; 2 * SIDE] }
    }
}

impl Doubler {
    /// Writes twice as many samples as `sound` has; `out` has room for them.
    pub fn double(&mut self, sound: &[i16], out: &mut [i16]) {
        let taps = &*TAPS;
        for (input, pair) in sound.iter().zip(out.chunks_exact_mut(2)) {
            self.past.copy_within(1.., 0);
            if let Some(last) = self.past.last_mut() {
                *last = *input;
            }
            let (old, new) = self.past.split_at(SIDE);
            let between: f32 = taps.iter().zip(new).zip(old.iter().rev()).map(|((tap, b), a)| tap * (f32::from(*a) + f32::from(*b))).sum();
            let middle = old.last().copied().unwrap_or(0);
            pair.copy_from_slice(&[middle, sample(2.0 * between)]);
        }
    }
}

/// From 16 to 8 kHz, 1.9 ms late.
pub struct Halver {
    past: [i16; SPAN],
    work: Vec<i16>,
}

impl Default for Halver {
    fn default() -> Self {
        Self { past: [0; SPAN], work: Vec::new() }
    }
}

impl Halver {
    /// Appends half as many samples as `sound` has, an even number.
    pub fn halve(&mut self, sound: &[i16], out: &mut Vec<i16>) {
        let taps = &*TAPS;
        self.work.clear();
        self.work.extend_from_slice(&self.past);
        self.work.extend_from_slice(sound);
        for window in self.work.windows(SPAN + 1).step_by(2).take(sound.len() / 2) {
            let Some(window) = window.get(1..) else { break };
            let (left, right) = window.split_at(SPAN / 2);
            let middle = right.first().copied().map_or(0.0, f32::from);
            let pairs = left.iter().rev().step_by(2).zip(right.iter().skip(1).step_by(2));
            let around: f32 = taps.iter().zip(pairs).map(|(tap, (a, b))| tap * (f32::from(*a) + f32::from(*b))).sum();
            out.push(sample(0.5 * middle + around));
        }
        let kept = self.work.len().saturating_sub(SPAN);
        if let Some(last) = self.work.get(kept..) {
            self.past.copy_from_slice(last);
        }
    }
}

/// Stretches `sound` to the length of `out`, which differs by little: cubic between samples, its ends stay where they are. A packet that
/// is bent by 3 samples of 160 shifts its pitch by a third of a semitone for 20 ms, which nobody hears; a jump of 3 samples clicks.
pub fn bend(sound: &[i16], out: &mut [i16]) {
    let (from, to) = (sound.len(), out.len());
    if from == to {
        out.copy_from_slice(sound);
        return;
    }
    let at = |n: isize| f32::from(sound.get(n.clamp(0, from as isize - 1) as usize).copied().unwrap_or(0));
    let step = from as f32 / to.max(1) as f32;
    for (n, value) in out.iter_mut().enumerate() {
        let place = n as f32 * step;
        let (whole, t) = (place.floor() as isize, place.fract());
        let [a, b, c, d] = [at(whole - 1), at(whole), at(whole + 1), at(whole + 2)];
        // Catmull and Rom's spline.
        let bent = b + 0.5 * t * (c - a + t * (2.0 * a - 5.0 * b + 4.0 * c - d + t * (3.0 * (b - c) + d - a)));
        *value = sample(bent);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn tone(hz: f32, rate: f32, samples: usize) -> Vec<i16> {
        (0..samples).map(|n| (8_000.0 * (std::f32::consts::TAU * hz * n as f32 / rate).sin()) as i16).collect()
    }

    /// Decibels of `sound` relative to the tones of this test.
    fn level(sound: &[i16]) -> f32 {
        let power = sound.iter().map(|s| f32::from(*s).powi(2)).sum::<f32>() / sound.len() as f32;
        10.0 * (power / 32e6).max(1e-9).log10()
    }

    #[test]
    fn the_band_passes_and_what_would_fold_does_not() {
        for (hz, least, most) in
            [(300.0, -0.1, 0.1), (1_000.0, -0.1, 0.1), (3_400.0, -0.3, 0.1), (4_600.0, -200.0, -55.0), (6_000.0, -200.0, -55.0)]
        {
            let mut halved = Vec::new();
            let mut halver = Halver::default();
            tone(hz, 16_000.0, 16_000).chunks(320).for_each(|frame| halver.halve(frame, &mut halved));
            assert_eq!(halved.len(), 8_000);
            let level = level(&halved[200..]);
            assert!((least..most).contains(&level), "{hz} Hz: {level} dB");
        }
    }

    #[test]
    fn doubling_adds_no_image() {
        for hz in [300.0, 1_000.0, 3_400.0] {
            let (mut doubler, mut wide) = (Doubler::default(), vec![0; 16_000]);
            for (narrow, wide) in tone(hz, 8_000.0, 8_000).chunks(160).zip(wide.chunks_mut(320)) {
                doubler.double(narrow, wide);
            }
            // What is left of the tone at 16 kHz when the tone itself is taken away: the 15.5 samples that the filter is late are 31 half samples.
            let late = |n: usize| (8_000.0 * (std::f32::consts::TAU * hz * (n as f32 - 32.0) / 16_000.0).sin()) as i16;
            let rest: Vec<i16> = (400..16_000).map(|n| wide[n] - late(n)).collect();
            assert!(level(&rest) < -40.0, "{hz} Hz: {} dB", level(&rest));
        }
    }

    #[test]
    fn a_bent_packet_joins_its_neighbours() {
        let sound = tone(440.0, 8_000.0, 480);
        for length in [157, 160, 163] {
            let mut line = sound[..160].to_vec();
            let mut bent = vec![0; length];
            bend(&sound[160..320], &mut bent);
            line.extend(bent);
            line.extend(&sound[320..]);
            let steepest = line.windows(2).map(|pair| (pair[1] - pair[0]).abs()).max().unwrap();
            assert!(steepest < 3_000, "{steepest} where the tone itself has steps of 2,765");
        }
    }
}
