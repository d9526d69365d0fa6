//! What does a numbered chirp sound like? 40 ms of sweep that marks the place, 140 ms of tones that name source and number.
//!
//! A chirp takes ten packets of 20 ms: two of sweep, seven tones of three bits, one of silence. The 21 bits are the number (8), the
//! source (8) and a checksum (5). Each of the four bands has tones of its own, so that voices that are mixed can still be told apart.

use std::f64::consts::{PI, TAU};
use std::sync::OnceLock;

use crate::media::g711::Law;
use crate::media::sound::{PACKET_SAMPLES, Sound};

/// Packets of 20 ms from the start of a chirp to the start of the next.
pub const PACKETS: u64 = 10;
/// Samples from the start of a chirp to the start of the next.
pub const SPACING: usize = PACKETS as usize * PACKET_SAMPLES;
/// Bands that can be told apart in a mix.
pub const BANDS: u8 = 4;
/// Samples of the sweep.
pub(super) const SWEEP: usize = 2 * PACKET_SAMPLES;
/// Tones that name the bits.
pub(super) const SYMBOLS: usize = 7;
/// Tones of one band, three bits each; 100 Hz apart, so that each turns whole in a packet.
pub(super) const TONES: usize = 8;
/// Peak of one voice: four of them mixed stay below full scale.
const PEAK: f64 = 7000.0;
/// Chirps whose sending time is kept: two hours.
const MOST_SAID: usize = 36_000;

/// Who chirps: a band (0 to 3) and a source (0 to 255) within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Voice {
    band: u8,
    pub source: u8,
}

impl Voice {
    /// A voice; bands beyond the last begin again at the first.
    pub const fn new(band: u8, source: u8) -> Self {
        Self { band: band % BANDS, source }
    }

    /// The band, 0 to 3.
    pub const fn band(self) -> u8 {
        self.band
    }
}

/// When each chirp of a sound went out.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// None for a sound that does not chirp.
    pub voice: Option<Voice>,
    /// Nanoseconds since the epoch at which the packet with the first sample of chirp n was sent; at most two hours of them.
    pub sent_ns: Vec<u64>,
}

impl Said {
    /// An empty record.
    pub(crate) fn for_sound(sound: &Sound) -> Self {
        let voice = match sound {
            Sound::Chirps(voice) => Some(*voice),
            Sound::Coded(coded) => Some(coded.voice()),
            _ => None,
        };
        Self { voice, sent_ns: Vec::new() }
    }

    pub(crate) fn mark(&mut self, now_ns: u64) {
        if self.sent_ns.len() < MOST_SAID {
            self.sent_ns.push(now_ns);
        }
    }
}

/// The payload of the n-th packet of a voice's endless row of chirps.
pub(crate) fn packet(voice: Voice, law: Law, n: u64) -> &'static [u8] {
    let (number, step) = ((n / PACKETS) as u8, (n % PACKETS) as usize);
    let table = table(voice.band, law);
    match step {
        0 | 1 => table.get(step * PACKET_SAMPLES..(step + 1) * PACKET_SAMPLES).unwrap_or_default(),
        2..9 => {
            let from = SWEEP + usize::from(symbols(number, voice)[step - 2]) * PACKET_SAMPLES;
            table.get(from..from + PACKET_SAMPLES).unwrap_or_default()
        }
        _ => table.get(SWEEP + TONES * PACKET_SAMPLES..).unwrap_or_default(),
    }
}

/// So many chirps as PCM, for files and tests.
pub fn pcm(voice: Voice, count: usize) -> Vec<i16> {
    let packets = 0..count as u64 * PACKETS;
    packets.flat_map(|n| packet(voice, Law::Ulaw, n).iter().map(|byte| Law::Ulaw.decode(*byte))).collect()
}

/// Sweep, tones and silence of a band, encoded.
fn table(band: u8, law: Law) -> &'static [u8] {
    static TABLES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    let tables = TABLES.get_or_init(|| {
        let bands = (0..BANDS).map(|band| sweep(band).into_iter().chain((0..TONES).flat_map(move |tone| wave(band, tone))).collect());
        let bands: Vec<Vec<f64>> = bands.collect();
        let encode = |law: Law, band: &Vec<f64>| {
            let sound = band.iter().map(|sample| law.encode((sample * PEAK) as i16));
            sound.chain([law.silence(); PACKET_SAMPLES]).collect()
        };
        [Law::Alaw, Law::Ulaw].iter().flat_map(|law| bands.iter().map(|band| encode(*law, band))).collect()
    });
    let at = usize::from(band) + if law == Law::Ulaw { usize::from(BANDS) } else { 0 };
    tables.get(at).map_or(&[], Vec::as_slice)
}

fn lowest_hz(band: u8) -> f64 {
    300.0 + 800.0 * f64::from(band)
}

/// Frequency of a band's tone.
pub(super) fn tone_hz(band: u8, tone: usize) -> f64 {
    lowest_hz(band) + 100.0 * tone as f64
}

/// The sweep of a band, −1 to 1, from its lowest to its highest tone, with edges of 5 ms.
pub(super) fn sweep(band: u8) -> Vec<f64> {
    let (length, from) = (SWEEP as f64 / 8000.0, lowest_hz(band));
    let sample = |n: usize| {
        let t = n as f64 / 8000.0;
        let edge = (n.min(SWEEP - 1 - n) as f64 / 40.0).min(1.0);
        (TAU * (from * t + 350.0 * t * t / length)).sin() * (PI / 2.0 * edge).sin()
    };
    (0..SWEEP).map(sample).collect()
}

fn wave(band: u8, tone: usize) -> Vec<f64> {
    (0..PACKET_SAMPLES).map(|n| (TAU * tone_hz(band, tone) * n as f64 / 8000.0).sin()).collect()
}

/// The tones of a chirp.
pub(super) fn symbols(number: u8, voice: Voice) -> [u8; SYMBOLS] {
    let bits = u32::from(number) << 13 | u32::from(voice.source) << 5 | checksum(number, voice);
    std::array::from_fn(|at| (bits >> (18 - 3 * at) & 7) as u8)
}

/// Number and voice that a row of tones names, if its checksum holds.
pub(super) fn read_symbols(symbols: [u8; SYMBOLS], band: u8) -> Option<(u8, Voice)> {
    let bits = symbols.iter().fold(0u32, |bits, symbol| bits << 3 | u32::from(symbol & 7));
    let (number, voice) = ((bits >> 13) as u8, Voice::new(band, (bits >> 5) as u8));
    (bits & 31 == checksum(number, voice)).then_some((number, voice))
}

/// CRC-5 (x⁵+x²+1) over number and source, begun with the band.
fn checksum(number: u8, voice: Voice) -> u32 {
    let word = u32::from(number) << 8 | u32::from(voice.source);
    (0..16).rev().fold(u32::from(voice.band) + 1, |sum, bit| {
        let carry = (sum >> 4 ^ word >> bit) & 1;
        (sum << 1 & 31) ^ (carry * 0b00101)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tones_name_number_and_voice() {
        for (number, band, source) in [(0, 0, 0), (255, 3, 255), (77, 2, 9)] {
            let voice = Voice::new(band, source);
            let mut tones = symbols(number, voice);
            assert_eq!(read_symbols(tones, band), Some((number, voice)));
            tones[3] ^= 1;
            assert_eq!(read_symbols(tones, band), None);
        }
    }

    #[test]
    fn a_chirp_is_ten_packets() {
        let chirps = pcm(Voice::new(1, 4), 3);
        assert_eq!(chirps.len(), 3 * SPACING);
        assert!(chirps[SPACING - PACKET_SAMPLES..SPACING].iter().all(|sample| sample.abs() < 9));
    }
}
