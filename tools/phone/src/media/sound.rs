//! What does the phone say? Silence, a sound, numbered chirps, or what it hears.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::judge::chirp::{self, Voice};
use crate::media::codec::{Codec, Coded};
use crate::media::g711::Law;

/// Samples in 20 ms at 8 kHz.
pub const PACKET_SAMPLES: usize = 160;

/// What a leg sends.
#[derive(Clone, Debug)]
pub enum Sound {
    /// Packets of silence.
    Silence,
    /// No packets at all.
    Nothing,
    /// 16-bit PCM at 8 kHz; then silence, or from the start again.
    Pcm { samples: Arc<[i16]>, looped: bool },
    /// Chirps with running numbers, one every 200 ms.
    Chirps(Voice),
    /// The same, encoded ahead; a leg that agrees on another codec than it was made for says nothing, or chirps in G.711.
    Coded(Arc<Coded>),
    /// Every packet that comes in goes back at once, as it is.
    Echo,
}

impl Sound {
    /// A sound that plays once.
    pub fn once(samples: &[i16]) -> Self {
        Self::Pcm { samples: samples.into(), looped: false }
    }

    /// The first channel of a 16-bit WAV of 8 kHz.
    ///
    /// # Errors
    /// When the file cannot be read, or has another rate or width.
    pub fn from_wav(path: &Path) -> io::Result<Self> {
        Ok(Self::once(read_wav(path)?.first().map_or(&[], Vec::as_slice)))
    }
}

/// The channels of a 16-bit WAV of 8 kHz.
///
/// # Errors
/// When the file cannot be read, or has another rate or width.
pub fn read_wav(path: &Path) -> io::Result<Vec<Vec<i16>>> {
    let named = |why: String| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {why}", path.display()));
    let mut reader = hound::WavReader::open(path).map_err(|error| named(error.to_string()))?;
    let spec = reader.spec();
    if (spec.sample_rate, spec.bits_per_sample, spec.sample_format) != (8000, 16, hound::SampleFormat::Int) {
        return Err(named(format!("{} Hz, {} bit; make it 8000 Hz, 16 bit", spec.sample_rate, spec.bits_per_sample)));
    }
    let mut channels = vec![Vec::new(); usize::from(spec.channels)];
    let count = channels.len().max(1);
    for (at, sample) in reader.samples::<i16>().enumerate() {
        let sample = sample.map_err(|error| named(error.to_string()))?;
        if let Some(channel) = channels.get_mut(at % count) {
            channel.push(sample);
        }
    }
    Ok(channels)
}

/// Writes one channel of 16-bit PCM at 8 kHz as a WAV.
///
/// # Errors
/// When the file cannot be written.
pub fn write_wav(path: &Path, samples: &[i16]) -> io::Result<()> {
    let spec = hound::WavSpec { channels: 1, sample_rate: 8000, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let named = |error: hound::Error| io::Error::other(format!("{}: {error}", path.display()));
    let mut writer = hound::WavWriter::create(path, spec).map_err(named)?;
    for sample in samples {
        writer.write_sample(*sample).map_err(named)?;
    }
    writer.finalize().map_err(named)
}

/// A sound on its way out: what it is and how far it got, in packets.
#[derive(Debug)]
pub(super) struct Playing {
    pub sound: Sound,
    packet: u64,
}

impl Playing {
    pub fn new(sound: Sound) -> Self {
        Self { sound, packet: 0 }
    }

    /// Fills the next 20 ms; none for what cannot be said in this codec.
    pub fn fill(&mut self, codec: Codec, payload: &mut [u8; PACKET_SAMPLES]) -> Option<Filled> {
        let packet = self.packet;
        self.packet += 1;
        let chirp = matches!(self.sound, Sound::Chirps(_) | Sound::Coded(_)) && packet.is_multiple_of(chirp::PACKETS);
        let Some(law) = codec.law() else {
            let Sound::Coded(coded) = &self.sound else { return None };
            let coded = coded.packet(codec, packet)?;
            payload.get_mut(..coded.len())?.copy_from_slice(coded);
            return Some(Filled { length: coded.len(), chirp });
        };
        match &self.sound {
            Sound::Silence | Sound::Nothing | Sound::Echo => payload.fill(law.silence()),
            Sound::Chirps(voice) => payload.copy_from_slice(chirp::packet(*voice, law, packet)),
            Sound::Coded(coded) => payload.copy_from_slice(chirp::packet(coded.voice(), law, packet)),
            Sound::Pcm { samples, looped } => fill_pcm(samples, *looped, packet, law, payload),
        }
        Some(Filled { length: PACKET_SAMPLES, chirp })
    }
}

/// What the next 20 ms are.
pub(super) struct Filled {
    /// Bytes of the payload.
    pub length: usize,
    /// Does a numbered chirp begin with it?
    pub chirp: bool,
}

fn fill_pcm(samples: &[i16], looped: bool, packet: u64, law: Law, payload: &mut [u8; PACKET_SAMPLES]) {
    let from = packet as usize * PACKET_SAMPLES;
    for (at, byte) in payload.iter_mut().enumerate() {
        let at = if looped { (from + at) % samples.len().max(1) } else { from + at };
        *byte = samples.get(at).map_or(law.silence(), |sample| law.encode(*sample));
    }
}
