//! What can a phone speak? G.711 sample by sample, and two codecs that remember: G.722 and Opus.
//!
//! What is said in a codec that remembers was encoded before the call ([`Coded`]), and what is heard is decoded when it is judged, so that
//! thousands of calls cost one thread no more than those in G.711.

use std::sync::Arc;

use audio_codec::Encoder as _;
use audio_codec::g722::{Bitrate, G722Decoder, G722Encoder};

use super::g711::Law;
use super::sound::PACKET_SAMPLES;
use crate::judge::chirp::{self, Voice};

/// Bits a second of Opus: what phones use for wideband speech.
const OPUS_BITRATE: i32 = 24_000;
/// Of 10: what is said is encoded ahead of a run, voice by voice.
const OPUS_COMPLEXITY: i32 = 4;
/// A packet of Opus is 120 ms at most (RFC 6716 §2.1.4); in samples at 8 kHz.
const LONGEST_OPUS: usize = 960;
/// A voice's chirps are numbered up to here, then from 0 on.
const NUMBERS: usize = 256;

/// A codec that the phone speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// PCMA, payload type 8.
    Alaw,
    /// PCMU, payload type 0.
    Ulaw,
    /// G.722, payload type 9.
    G722,
    /// Opus at the payload type 111, which is the only one at which the phone knows it.
    Opus,
}

impl Codec {
    /// The RTP payload type (RFC 3551, by custom for Opus).
    pub const fn payload_type(self) -> u8 {
        match self {
            Self::Alaw => 8,
            Self::Ulaw => 0,
            Self::G722 => 9,
            Self::Opus => 111,
        }
    }

    /// The codec of a payload type.
    pub const fn of_payload_type(number: u8) -> Option<Self> {
        match number {
            8 => Some(Self::Alaw),
            0 => Some(Self::Ulaw),
            9 => Some(Self::G722),
            111 => Some(Self::Opus),
            _ => None,
        }
    }

    /// Name, clock and channels as in `a=rtpmap`; G.722's clock is what RFC 3551 §4.5.2 says.
    pub const fn encoding(self) -> &'static str {
        match self {
            Self::Alaw => "PCMA/8000",
            Self::Ulaw => "PCMU/8000",
            Self::G722 => "G722/8000",
            Self::Opus => "opus/48000/2",
        }
    }

    /// The law of G.711, where it is one.
    pub const fn law(self) -> Option<Law> {
        match self {
            Self::Alaw => Some(Law::Alaw),
            Self::Ulaw => Some(Law::Ulaw),
            Self::G722 | Self::Opus => None,
        }
    }

    /// Steps of the RTP timestamp a sample of 8 kHz (RFC 7587 §4.1).
    pub(super) const fn steps(self) -> u32 {
        if matches!(self, Self::Opus) { 6 } else { 1 }
    }
}

/// The chirps of a voice in a codec that remembers: all numbers once, 51.2 s, then from the start.
#[derive(Debug)]
pub struct Coded {
    codec: Codec,
    voice: Voice,
    packets: Vec<Vec<u8>>,
}

impl Coded {
    /// Encodes a voice at 16 kHz. None for G.711, which needs no such thing, and when libopus has no memory.
    pub fn chirps(voice: Voice, codec: Codec) -> Option<Arc<Self>> {
        let wide = doubled(&chirp::pcm(voice, NUMBERS));
        let frames = wide.chunks_exact(2 * PACKET_SAMPLES);
        let packets: Option<Vec<Vec<u8>>> = match codec {
            Codec::Alaw | Codec::Ulaw => None,
            Codec::G722 => {
                let mut encoder = G722Encoder::new();
                frames.map(|frame| encode_g722(&mut encoder, frame)).collect()
            }
            Codec::Opus => {
                let mut encoder = opus_encoder().ok()?;
                frames.map(|frame| encoder.encode_vec(frame, PACKET_SAMPLES).ok()).collect()
            }
        };
        Some(Arc::new(Self { codec, voice, packets: packets? }))
    }

    /// Who chirps.
    pub fn voice(&self) -> Voice {
        self.voice
    }

    /// The n-th packet, where this codec was agreed.
    pub(super) fn packet(&self, codec: Codec, n: u64) -> Option<&[u8]> {
        let at = n as usize % self.packets.len().max(1);
        self.packets.get(at).filter(|_| codec == self.codec).map(Vec::as_slice)
    }
}

fn opus_encoder() -> Result<opus::Encoder, opus::Error> {
    let mut encoder = opus::Encoder::new(16_000, opus::Channels::Mono, opus::Application::Voip)?;
    encoder.set_bitrate(opus::Bitrate::Bits(OPUS_BITRATE))?;
    encoder.set_complexity(OPUS_COMPLEXITY)?;
    Ok(encoder)
}

fn encode_g722(encoder: &mut G722Encoder, frame: &[i16]) -> Option<Vec<u8>> {
    let mut out = [0; PACKET_SAMPLES];
    let length = encoder.encode_into(frame, &mut out).ok()?;
    out.get(..length).map(<[u8]>::to_vec)
}

/// From 8 to 16 kHz: each new sample lies on the cubic through its four neighbours.
fn doubled(pcm: &[i16]) -> Vec<i16> {
    let at = |n: usize| i32::from(pcm.get(n.min(pcm.len().saturating_sub(1))).copied().unwrap_or(0));
    let between = |n: usize| (9 * (at(n) + at(n + 1)) - at(n.saturating_sub(1)) - at(n + 2)) / 16;
    let pair = |n: usize| [at(n), between(n)].map(|sample| sample.clamp(i16::MIN.into(), i16::MAX.into()) as i16);
    (0..pcm.len()).flat_map(pair).collect()
}

/// What payloads of one stream sound like, one after the other.
pub(super) enum Ear {
    Law(Law),
    G722(Box<G722Decoder>),
    Opus(Box<opus::Decoder>),
    /// libopus has no memory.
    Deaf,
}

impl Ear {
    pub fn new(codec: Codec) -> Self {
        match codec {
            Codec::Alaw => Self::Law(Law::Alaw),
            Codec::Ulaw => Self::Law(Law::Ulaw),
            Codec::G722 => Self::G722(Box::new(G722Decoder::with_options(Bitrate::Mode1_64000, false, true))),
            Codec::Opus => opus::Decoder::new(8000, opus::Channels::Mono).map_or(Self::Deaf, |decoder| Self::Opus(Box::new(decoder))),
        }
    }

    /// 16-bit PCM at 8 kHz; nothing of a payload that cannot be read.
    pub fn hear(&mut self, payload: &[u8]) -> Vec<i16> {
        let mut pcm = vec![0; LONGEST_OPUS];
        let length = match self {
            Self::Law(law) => return payload.iter().map(|byte| law.decode(*byte)).collect(),
            Self::G722(decoder) => decoder.decode_frame_into(payload, &mut pcm).unwrap_or(0),
            Self::Opus(decoder) => decoder.decode(payload, &mut pcm, false).unwrap_or(0),
            Self::Deaf => 0,
        };
        pcm.truncate(length);
        pcm
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::judge::find::{chirps, hearings};

    #[test]
    fn a_voice_is_heard_whole_in_every_codec() {
        for (codec, band) in [(Codec::G722, 0), (Codec::G722, 3), (Codec::Opus, 0), (Codec::Opus, 3)] {
            let voice = Voice::new(band, 9);
            let coded = Coded::chirps(voice, codec).unwrap();
            let mut ear = Ear::new(codec);
            // Twice round: the seam must not be heard.
            let heard: Vec<i16> = (2200..2900).flat_map(|n| ear.hear(coded.packet(codec, n).unwrap())).collect();
            let hearings = hearings(&chirps(&heard, &[0, 1, 2, 3]));
            assert_eq!(hearings.keys().collect::<Vec<_>>(), [&voice], "{codec:?}");
            assert!(hearings[&voice].is_whole(8) && hearings[&voice].chirps.len() >= 68, "{codec:?}: {:?}", hearings[&voice]);
        }
    }
}
