//! What does a waiting caller hear? A calm loop of our own, composed from a seed (CC0); its end joins its start.

use super::loudness::{MUSIC_LUFS, gain, levelled, lufs};
use super::sound::RATE_HZ;

/// The loop's length in seconds: eight chords of six seconds.
pub const LENGTH_S: usize = CHORDS.len() * CHORD_S;

const CHORD_S: usize = 6;
const RATE: usize = RATE_HZ as usize;
/// The chords as MIDI notes. All lie between 330 and 784 Hz, where a telephone carries them.
const CHORDS: [[u8; 4]; 8] = [
    [64, 67, 71, 74], // C major seventh with ninth, without its root
    [64, 67, 69, 72], // A minor seventh
    [65, 69, 72, 76], // F major seventh
    [65, 67, 71, 74], // G seventh
    [64, 67, 71, 76], // E minor
    [64, 69, 72, 76], // A minor
    [65, 69, 72, 74], // D minor seventh
    [67, 71, 74, 79], // G
];

/// The samples of the loop, at 8 kHz, as loud as music on hold should be.
pub fn compose(seed: u64) -> Vec<f32> {
    let mut circle = Circle { samples: vec![0.0; LENGTH_S * RATE] };
    let mut dice = Dice(seed);
    for (bar, chord) in CHORDS.iter().enumerate() {
        let start = bar * CHORD_S * RATE;
        chord.iter().for_each(|note| circle.pad(start, pitch_hz(*note)));
        for step in 0..CHORD_S * 2 {
            let at = start + step * RATE / 2 + dice.below(RATE / 50);
            let octave = if dice.below(4) == 0 { 12 } else { 0 };
            let note = chord.get(dice.below(chord.len())).map_or(72, |note| note + octave);
            // Every third beat rests, so that the melody breathes.
            if dice.below(3) != 0 {
                circle.bell(at, pitch_hz(note), 0.10 + 0.02 * dice.below(4) as f32);
            }
        }
    }
    let loudness = lufs([circle.samples.as_slice()]).unwrap_or(MUSIC_LUFS);
    levelled(&circle.samples, gain(loudness, MUSIC_LUFS))
}

/// A loop: what is played past its end goes on at its start, so there is no seam to hear.
struct Circle {
    samples: Vec<f32>,
}

impl Circle {
    fn play(&mut self, start: usize, length: usize, wave: impl Fn(f32) -> f32) {
        let around = self.samples.len();
        for i in 0..length {
            if let Some(sample) = self.samples.get_mut((start + i) % around) {
                *sample += wave(i as f32 / RATE as f32);
            }
        }
    }

    /// A soft tone that swells and fades over a chord and into the next one.
    fn pad(&mut self, start: usize, hz: f32) {
        let seconds = CHORD_S as f32 + 2.0;
        self.play(start, (seconds * RATE as f32) as usize, |t| {
            let swell = (std::f32::consts::PI * t / seconds).sin().powi(2);
            0.05 * swell * (sine(hz, t) + 0.6 * sine(hz * 1.003, t) + 0.2 * sine(hz * 2.0, t))
        });
    }

    /// A struck tone that dies away within three seconds.
    fn bell(&mut self, start: usize, hz: f32, loud: f32) {
        let seconds = 3.0;
        self.play(start, (seconds * RATE as f32) as usize, |t| {
            let struck = (t / 0.008).min(1.0) * (-2.2 * t).exp() * (1.0 - t / seconds);
            loud * struck * (sine(hz, t) + 0.25 * (-3.0 * t).exp() * sine(hz * 2.0, t))
        });
    }
}

fn sine(hz: f32, t: f32) -> f32 {
    (std::f32::consts::TAU * (hz * t).fract()).sin()
}

fn pitch_hz(note: u8) -> f32 {
    440.0 * 2.0_f32.powf((f32::from(note) - 69.0) / 12.0)
}

/// Seeded chance (SplitMix64, Steele, Lea and Flood 2014).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound.max(1) as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::loudness::dbtp;
    use super::*;

    #[test]
    fn the_end_joins_the_start() {
        let music = compose(109);
        let largest = music.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
        let seam = (music.first().unwrap() - music.last().unwrap()).abs();
        assert!(seam <= largest, "the seam jumps by {seam}, the music by {largest} at most");
    }

    #[test]
    fn it_is_calm_and_as_loud_as_it_should_be() {
        let music = compose(109);
        assert_eq!(music.len(), 48 * 8_000);
        assert!(music.len().is_multiple_of(160), "whole frames of 20 ms");
        assert!((lufs([music.as_slice()]).unwrap() - MUSIC_LUFS).abs() < 0.5);
        assert!(dbtp(&music).unwrap() < -8.0);
        let softest = music.chunks(RATE * 2).map(|part| part.iter().map(|s| s * s).sum::<f32>()).fold(f32::MAX, f32::min);
        assert!(softest > 0.0, "it never falls silent");
    }

    #[test]
    fn a_seed_is_a_piece() {
        assert_eq!(compose(1), compose(1));
        assert_ne!(compose(1), compose(2));
    }
}
