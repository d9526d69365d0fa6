//! Which chirps are in a sound, where, and what is missing?

use std::collections::{BTreeMap, BTreeSet};
use std::f64::consts::TAU;
use std::time::Duration;

use super::chirp::{self, SPACING, SWEEP, SYMBOLS, Said, TONES, Voice};
use super::correlate::{Pattern, floats};
use crate::media::capture::Timeline;
use crate::media::sound::PACKET_SAMPLES;

/// Likeness of the sweep from which a place is looked at; a mix of three voices still gives more.
const LEAST_LIKENESS: f32 = 0.4;
/// Likeness from which a sweep whose tones cannot be read counts as a damaged chirp.
const SURE_LIKENESS: f32 = 0.7;
/// Share of a band's energy that the named tone must hold: in every symbol, and on average.
const LEAST_SHARE: f64 = 0.35;
const MEAN_SHARE: f64 = 0.6;
/// A packet's sending time is that of its last sample: mouth to ear begins 20 ms before.
const PACKETISING: Duration = Duration::from_millis(20);

/// One chirp that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chirp {
    /// Place of its first sample.
    pub at: usize,
    pub voice: Voice,
    /// The number modulo 256.
    pub number: u8,
    /// Likeness of its sweep, 0 to 1.
    pub likeness: f32,
}

/// All that chirps in a sound.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// In order of place.
    pub chirps: Vec<Chirp>,
    /// Places of sweeps whose tones could not be read.
    pub damaged: Vec<usize>,
}

/// Looks for chirps of these bands (0 to 3) in 16-bit PCM of 8 kHz.
pub fn chirps(pcm: &[i16], bands: &[u8]) -> Found {
    Ear::for_bands(bands).chirps(pcm)
}

/// The sweeps of some bands, prepared to be looked for again and again.
pub struct Ear {
    sweeps: Vec<(u8, Pattern)>,
}

impl Ear {
    /// An ear for these bands (0 to 3).
    pub fn for_bands(bands: &[u8]) -> Self {
        let sweep = |band: u8| Pattern::new(&chirp::sweep(band).iter().map(|sample| *sample as f32).collect::<Vec<_>>());
        Self { sweeps: bands.iter().filter_map(|band| Some((*band, sweep(*band)?))).collect() }
    }

    /// All that chirps in 16-bit PCM of 8 kHz.
    pub fn chirps(&self, pcm: &[i16]) -> Found {
        let sound = floats(pcm);
        let mut found = Found::default();
        for (band, sweep) in &self.sweeps {
            look_in_band(&sound, *band, &sweep.along(&sound), &mut found);
        }
        found.chirps.sort_by_key(|chirp| chirp.at);
        found.damaged.sort_unstable();
        found
    }
}

fn look_in_band(sound: &[f32], band: u8, likeness: &[f32], found: &mut Found) {
    let (mut read, mut unread): (Vec<Chirp>, Vec<usize>) = (Vec::new(), Vec::new());
    for (at, likeness) in peaks(likeness) {
        match read_tones(sound, band, at) {
            Some((number, voice)) => read.push(Chirp { at, voice, number, likeness }),
            None if likeness >= SURE_LIKENESS => unread.push(at),
            None => {}
        }
    }
    // The tones of a chirp may look like a sweep themselves: the place that is most alike wins.
    read.sort_by(|a, b| b.likeness.total_cmp(&a.likeness));
    let mut taken = BTreeSet::new();
    read.retain(|chirp| !overlaps(&taken, chirp.at) && taken.insert(chirp.at));
    unread.retain(|at| !overlaps(&taken, *at));
    found.chirps.extend(read);
    found.damaged.extend(unread);
}

fn overlaps(taken: &BTreeSet<usize>, at: usize) -> bool {
    const LENGTH: usize = SPACING - PACKET_SAMPLES;
    taken.range(at.saturating_sub(LENGTH - 1)..at + LENGTH).next().is_some()
}

/// Places whose likeness is the highest within the length of a sweep on either side.
fn peaks(likeness: &[f32]) -> Vec<(usize, f32)> {
    let mut peaks: Vec<(usize, f32)> = Vec::new();
    for (at, value) in likeness.iter().map(|value| value.abs()).enumerate().filter(|(_, value)| *value >= LEAST_LIKENESS) {
        match peaks.last_mut() {
            Some((last, best)) if at - *last < SWEEP => {
                if value > *best {
                    (*last, *best) = (at, value);
                }
            }
            _ => peaks.push((at, value)),
        }
    }
    peaks
}

fn read_tones(sound: &[f32], band: u8, at: usize) -> Option<(u8, Voice)> {
    let mut symbols = [0; SYMBOLS];
    let mut shares = 0.0;
    for (symbol, from) in symbols.iter_mut().zip((at + SWEEP..).step_by(PACKET_SAMPLES)) {
        let part = sound.get(from..from + PACKET_SAMPLES)?;
        let (tone, share) = loudest(part, band)?;
        if share < LEAST_SHARE {
            return None;
        }
        *symbol = tone;
        shares += share;
    }
    if shares / (SYMBOLS as f64) < MEAN_SHARE { None } else { chirp::read_symbols(symbols, band) }
}

fn loudest(part: &[f32], band: u8) -> Option<(u8, f64)> {
    let powers: [f64; TONES] = std::array::from_fn(|tone| power(part, chirp::tone_hz(band, tone)));
    let sum: f64 = powers.iter().sum();
    let (tone, most) = powers.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
    (sum > 0.0).then(|| (tone as u8, most / sum))
}

/// The power of one frequency (Goertzel).
fn power(part: &[f32], hz: f64) -> f64 {
    let turn = 2.0 * (TAU * hz / 8000.0).cos();
    let (mut one, mut two) = (0.0, 0.0);
    for sample in part {
        (one, two) = (f64::from(*sample) + turn * one - two, one);
    }
    one * one + two * two - turn * one * two
}

/// What was heard of one voice.
#[derive(Clone, Debug, Default)]
pub struct Hearing {
    /// Place and running number (begun with the first chirp's own number) of every chirp, in order of place.
    pub chirps: Vec<(usize, i64)>,
    /// Numbers between the lowest and the highest that were never heard.
    pub missing: u64,
    /// Numbers heard again.
    pub repeated: u64,
    /// Chirps that came after one with a higher number.
    pub disordered: u64,
    /// How far the places stray from the even spacing, highest less lowest, in samples: gaps, slips and drift.
    pub slip: u64,
}

/// Sorts what was found by voice. Numbers run on past 255; a silence of more than 25 s cannot be counted whole.
pub fn hearings(found: &Found) -> BTreeMap<Voice, Hearing> {
    let mut voices: BTreeMap<Voice, Hearing> = BTreeMap::new();
    for chirp in &found.chirps {
        voices.entry(chirp.voice).or_default().hear(chirp);
    }
    voices.values_mut().for_each(Hearing::finish);
    voices
}

impl Hearing {
    fn hear(&mut self, chirp: &Chirp) {
        let number = match self.chirps.last() {
            None => i64::from(chirp.number),
            Some((_, last)) => last + i64::from(chirp.number.wrapping_sub(*last as u8) as i8),
        };
        self.chirps.push((chirp.at, number));
    }

    fn finish(&mut self) {
        let mut numbers: Vec<i64> = self.chirps.iter().map(|(_, number)| *number).collect();
        self.disordered = numbers.windows(2).filter(|pair| matches!(pair, [before, after] if after < before)).count() as u64;
        numbers.sort_unstable();
        let heard = numbers.len();
        numbers.dedup();
        self.repeated = (heard - numbers.len()) as u64;
        let span = numbers.last().zip(numbers.first()).map_or(0, |(last, first)| last - first + 1);
        self.missing = span as u64 - numbers.len() as u64;
        let strays = self.chirps.iter().map(|(at, number)| *at as i64 - number * SPACING as i64);
        self.slip = strays.clone().max().zip(strays.min()).map_or(0, |(most, least)| most.abs_diff(least));
    }

    /// Is the row whole, in order and even to within so many samples?
    pub fn is_whole(&self, slip: u64) -> bool {
        self.chirps.len() > 1 && self.missing == 0 && self.repeated == 0 && self.disordered == 0 && self.slip <= slip
    }

    /// From mouth to ear for every chirp: from the first sample at the microphone to its packet's arrival, sorted.
    ///
    /// The far phone's own jitter buffer is not in it.
    pub fn delays(&self, timeline: &Timeline, said: &Said) -> Vec<Duration> {
        let delay = |(at, number): &(usize, i64)| {
            let heard_ns = timeline.arrival_ns(*at)?;
            let sent = said.sent_ns.partition_point(|sent| *sent <= heard_ns);
            // The latest chirp with this number (modulo 256) that had been sent by then.
            let back = (sent as i64 - 1 - number).rem_euclid(256) as usize;
            let sent_ns = said.sent_ns.get(sent.checked_sub(1 + back)?)?;
            Some(Duration::from_nanos(heard_ns - sent_ns) + PACKETISING)
        };
        let mut delays: Vec<Duration> = self.chirps.iter().filter_map(delay).collect();
        delays.sort_unstable();
        delays
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::media::g711::Law;

    fn through(law: Law, pcm: &[i16]) -> Vec<i16> {
        pcm.iter().map(|sample| law.decode(law.encode(*sample))).collect()
    }

    #[test]
    fn finds_every_chirp_at_its_place_through_both_codecs() {
        let voice = Voice::new(2, 200);
        for law in [Law::Alaw, Law::Ulaw] {
            let mut sound = vec![0; 777];
            sound.extend(chirp::pcm(voice, 300).iter().map(|sample| sample / 3));
            let found = chirps(&through(law, &sound), &[0, 1, 2, 3]);
            let hearing = &hearings(&found)[&voice];
            assert_eq!((found.chirps.len(), found.damaged.len()), (300, 0));
            assert!(hearing.is_whole(2), "{} {}", hearing.missing, hearing.slip);
            assert!(hearing.chirps[0].0.abs_diff(777) <= 2 && hearing.chirps[299].1 == 299);
        }
    }

    #[test]
    fn sees_gaps_repeats_order_and_damage() {
        let row = chirp::pcm(Voice::new(0, 1), 10);
        let part = |n: usize| &row[n * SPACING..(n + 1) * SPACING];
        let mut sound: Vec<i16> = [0, 1, 2, 2, 3, 6, 5, 7].iter().flat_map(|n| part(*n)).copied().collect();
        sound.extend(&part(8)[..500]);
        sound.extend([0; 2000]);
        let found = chirps(&sound, &[0]);
        let hearing = &hearings(&found)[&Voice::new(0, 1)];
        assert_eq!((hearing.missing, hearing.repeated, hearing.disordered), (1, 1, 1));
        assert_eq!((found.damaged, hearing.slip), (vec![8 * SPACING], 2 * SPACING as u64));
    }

    #[test]
    fn tells_three_voices_in_a_mix() {
        let voices = [Voice::new(0, 7), Voice::new(1, 8), Voice::new(3, 9)];
        let rows: Vec<_> = voices.iter().map(|voice| chirp::pcm(*voice, 20)).collect();
        let mix: Vec<i16> =
            (0..20 * SPACING).map(|at| rows.iter().enumerate().map(|(n, row)| row.get(at + n * 431).copied().unwrap_or(0)).sum()).collect();
        let hearings = hearings(&chirps(&through(Law::Alaw, &mix), &[0, 1, 2, 3]));
        assert_eq!(hearings.keys().copied().collect::<Vec<_>>(), voices);
        assert!(hearings.values().all(|hearing| hearing.chirps.len() >= 19 && hearing.is_whole(4)));
    }

    #[test]
    fn noise_is_no_chirp() {
        let mut random = fastrand::Rng::with_seed(5);
        let noise: Vec<i16> = (0..400_000).map(|_| random.i16(-9000..9000)).collect();
        let found = chirps(&noise, &[0, 1, 2, 3]);
        assert!(found.chirps.is_empty() && found.damaged.is_empty());
    }
}
