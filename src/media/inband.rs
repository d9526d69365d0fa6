//! Which keys are heard in the sound itself? Goertzel's filter at the eight tones of ITU-T Q.23, with the tolerances of Q.24.
//!
//! Only for lines that offer no RFC 4733. Speech must not pass for a key, so the two tones must hold nearly all the energy,
//! for two blocks on end, within the allowed twist.

use std::f32::consts::TAU;

use crate::centre::input::Digit;
use crate::media::codec::{Law, RATE_HZ, decode};

/// Rows and columns of the keypad.
const TONES_HZ: [f32; 8] = [697.0, 770.0, 852.0, 941.0, 1_209.0, 1_336.0, 1_477.0, 1_633.0];
const KEYS: [[char; 4]; 4] = [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];

/// 12.75 ms: the shortest key of Q.24, 40 ms, holds two whole blocks wherever it begins.
const BLOCK: usize = 102;
/// Blocks on end that make a press, and that end one.
const BLOCKS: u8 = 2;
/// Share of a block's energy that the two tones hold at least.
const PURITY: f32 = 0.8;
/// The strongest tone of each group is so much stronger than the next (8 dB).
const ABOVE_OTHERS: f32 = 6.3;
/// The column may be 8 dB stronger than the row, the row 4 dB stronger than the column (twist, Q.24).
const MAX_TWIST: f32 = 6.3;
const MAX_REVERSE_TWIST: f32 = 2.5;
/// Mean square below which a block is silence: about −36 dBm0.
const FLOOR: f32 = 40_000.0;

/// The row's and the column's tone of a key.
pub fn tones_hz(digit: Digit) -> [f32; 2] {
    let [first, second, third, fourth, columns @ ..] = TONES_HZ;
    let place = KEYS.iter().zip([first, second, third, fourth]).find_map(|(row, low)| {
        let column = row.iter().zip(columns).find(|(key, _)| **key == digit.key());
        column.map(|(_, high)| [low, high])
    });
    // Every key of `Digit` has its place.
    place.unwrap_or_default()
}

/// Listens to one leg.
pub struct ToneListener {
    /// 2·cos ω of each tone.
    weights: [f32; 8],
    state: [(f32, f32); 8],
    energy: f32,
    samples: usize,
    /// What the last blocks said, and how many on end.
    latest: (Option<char>, u8),
    /// The press that is not over yet.
    pressed: Option<char>,
}

impl Default for ToneListener {
    fn default() -> Self {
        let weights = TONES_HZ.map(|hz| 2.0 * (TAU * hz / RATE_HZ as f32).cos());
        Self { weights, state: Default::default(), energy: 0.0, samples: 0, latest: (None, 0), pressed: None }
    }
}

impl ToneListener {
    /// Takes sound in the order of the line; the key whose press has become certain in it.
    pub fn hear(&mut self, law: Law, sound: &[u8]) -> Option<Digit> {
        let mut heard = None;
        for byte in sound {
            self.take(f32::from(decode(law, *byte)));
            if self.samples == BLOCK {
                let key = self.judge();
                heard = self.follow(key).or(heard);
            }
        }
        heard
    }

    fn take(&mut self, sample: f32) {
        for ((before, last), weight) in self.state.iter_mut().zip(self.weights) {
            let next = sample + weight * *last - *before;
            (*before, *last) = (*last, next);
        }
        self.energy += sample * sample;
        self.samples += 1;
    }

    /// The key of the block that is full, and a fresh block.
    fn judge(&mut self) -> Option<char> {
        let mut powers = [0f32; 8];
        for ((power, (before, last)), weight) in powers.iter_mut().zip(self.state).zip(self.weights) {
            // Scaled so that a tone that fills the block has the block's energy.
            *power = (last * last + before * before - weight * last * before) * 2.0 / BLOCK as f32;
        }
        let energy = std::mem::take(&mut self.energy);
        self.samples = 0;
        self.state = Default::default();
        let (rows, columns) = powers.split_at(4);
        let (row, row_power) = strongest(rows)?;
        let (column, column_power) = strongest(columns)?;
        let balanced = column_power <= row_power * MAX_TWIST && row_power <= column_power * MAX_REVERSE_TWIST;
        let loud = energy > FLOOR * BLOCK as f32;
        let pure = row_power + column_power > PURITY * energy;
        (balanced && loud && pure).then(|| KEYS.get(row)?.get(column).copied()).flatten()
    }

    /// A key is told once, when its second block agrees; it is over when as many blocks say otherwise.
    fn follow(&mut self, key: Option<char>) -> Option<Digit> {
        let count = if self.latest.0 == key { self.latest.1.saturating_add(1) } else { 1 };
        self.latest = (key, count);
        if count < BLOCKS || self.pressed == key {
            return None;
        }
        self.pressed = key;
        key.and_then(Digit::new)
    }
}

/// The strongest of a group, if it stands above the others.
fn strongest(group: &[f32]) -> Option<(usize, f32)> {
    let (place, power) = group.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let alone = group.iter().enumerate().all(|(other, value)| other == place || value * ABOVE_OTHERS <= power);
    alone.then_some((place, power))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::media::codec::encode;

    fn tones(parts: &[(f32, f32)], ms: usize) -> Vec<u8> {
        let sample = |n: usize| parts.iter().map(|(hz, level)| level * (TAU * hz * n as f32 / 8_000.0).sin()).sum::<f32>();
        (0..ms * 8).map(|n| encode(Law::A, sample(n) as i16)).collect()
    }

    fn heard(sound: &[u8]) -> String {
        let mut listener = ToneListener::default();
        sound.chunks(160).filter_map(|frame| listener.hear(Law::A, frame)).map(Digit::key).collect()
    }

    #[test]
    fn every_key_is_heard_once_also_short_and_off_tune() {
        for detune in [0.988, 1.0, 1.012] {
            for (row, keys) in KEYS.iter().enumerate() {
                for (column, key) in keys.iter().enumerate() {
                    let parts = [(TONES_HZ[row] * detune, 3_000.0), (TONES_HZ[4 + column] * detune, 4_000.0)];
                    let line = [tones(&[], 33), tones(&parts, 45), tones(&[], 45), tones(&parts, 500), tones(&[], 60)].concat();
                    assert_eq!(heard(&line), format!("{key}{key}"), "detuned {detune}");
                }
            }
        }
    }

    #[test]
    fn one_tone_twist_and_voices_are_no_keys() {
        assert_eq!(heard(&tones(&[(697.0, 6_000.0)], 300)), "");
        assert_eq!(heard(&tones(&[(697.0, 500.0), (1_209.0, 6_000.0)], 300)), "");
        assert_eq!(heard(&tones(&[(697.0, 6_000.0), (1_209.0, 2_000.0)], 300)), "");
        assert_eq!(heard(&tones(&[(697.0, 4_000.0), (1_209.0, 4_000.0), (400.0, 5_000.0)], 300)), "");
    }

    /// Ten minutes of something like vowels: harmonics of a wandering voice under two wandering formants.
    #[test]
    fn speech_is_no_key() {
        let (mut listener, mut phase, mut keys) = (ToneListener::default(), 0f32, 0);
        for frame in 0..30_000u32 {
            let at = frame as f32 * 0.02;
            let pitch = 140.0 + 60.0 * (at * 1.7).sin() + 25.0 * (at * 7.3).sin();
            let formants = [550.0 + 300.0 * (at * 2.9).sin(), 1_500.0 + 600.0 * (at * 2.3).cos()];
            let sound: Vec<u8> = (0..160)
                .map(|_| {
                    phase += TAU * pitch / 8_000.0;
                    let voice = (1..20).map(|n| {
                        let hz = pitch * n as f32;
                        let level: f32 = formants.iter().map(|formant| (-((hz - formant) / 250.0).powi(2)).exp()).sum();
                        (level + 0.05) * (phase * n as f32).sin()
                    });
                    encode(Law::A, (voice.sum::<f32>() * 4_000.0) as i16)
                })
                .collect();
            keys += usize::from(listener.hear(Law::A, &sound).is_some());
        }
        assert_eq!(keys, 0);
    }
}
