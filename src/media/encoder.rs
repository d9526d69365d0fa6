//! How is sound of ours said to a far end that speaks G.722 or Opus? One encoder a leg; G.711 needs none, its bytes are looked up.

use audio_codec::Encoder as _;
use audio_codec::g722::G722Encoder;

use crate::centre::input::Codec;
use crate::media::codec::{FRAME, WIDE_FRAME};
use crate::media::resample::Doubler;

/// Bits a second of Opus: from here on two voices at once come out whole; at 24,000 every tenth chirp of two was spoilt.
const OPUS_BITRATE: i32 = 32_000;
/// Of 10. Above it the encoder costs twice as much, and no listener of speech tells the difference.
const OPUS_COMPLEXITY: i32 = 4;
/// The loss that the repetition in Opus is made for, in percent.
const OPUS_LOSS: i32 = 10;

/// Encodes what one leg hears.
pub struct Encoder {
    kind: Kind,
    doubler: Doubler,
}

enum Kind {
    G722(Box<G722Encoder>),
    Opus(Box<opus::Encoder>),
}

impl Encoder {
    /// An encoder for this codec; `None` for G.711, and when libopus has no memory, which is logged.
    pub fn new(codec: Codec) -> Option<Encoder> {
        let kind = match codec {
            Codec::Pcma | Codec::Pcmu => return None,
            Codec::G722 => Kind::G722(Box::new(G722Encoder::new())),
            Codec::Opus => {
                let made = opus_encoder().inspect_err(|error| tracing::error!(%error, "libopus makes no encoder: a leg hears nothing"));
                Kind::Opus(Box::new(made.ok()?))
            }
        };
        Some(Encoder { kind, doubler: Doubler::default() })
    }

    /// Writes a frame of 20 ms at 8 kHz. The number of bytes; 0 if the codec refuses it.
    pub fn encode(&mut self, sound: &[i16; FRAME], out: &mut [u8; FRAME]) -> usize {
        let mut wide = [0; WIDE_FRAME];
        self.doubler.double(sound, &mut wide);
        self.encode_wide(&wide, out)
    }

    /// The same at 16 kHz.
    pub fn encode_wide(&mut self, sound: &[i16; WIDE_FRAME], out: &mut [u8; FRAME]) -> usize {
        match &mut self.kind {
            Kind::G722(encoder) => encoder.encode_into(sound, out).unwrap_or(0),
            Kind::Opus(encoder) => encoder.encode(sound, out).unwrap_or(0),
        }
    }
}

fn opus_encoder() -> Result<opus::Encoder, opus::Error> {
    let mut encoder = opus::Encoder::new(16_000, opus::Channels::Mono, opus::Application::Voip)?;
    encoder.set_bitrate(opus::Bitrate::Bits(OPUS_BITRATE))?;
    encoder.set_complexity(OPUS_COMPLEXITY)?;
    encoder.set_inband_fec(true)?;
    encoder.set_packet_loss_perc(OPUS_LOSS)?;
    Ok(encoder)
}

#[cfg(test)]
impl Encoder {
    /// What a far end of this codec sends, packet by packet of 20 ms.
    pub fn payloads(codec: Codec, said: &[i16]) -> Vec<Vec<u8>> {
        let mut encoder = Encoder::new(codec);
        let law = crate::media::codec::law(codec);
        let mut frame = |frame: &[i16]| match (&mut encoder, law) {
            (Some(encoder), _) => {
                let (mut out, mut sound) = ([0; FRAME], [0; FRAME]);
                sound.copy_from_slice(frame);
                let length = encoder.encode(&sound, &mut out);
                out.iter().copied().take(length).collect()
            }
            (None, law) => frame.iter().filter_map(|sample| Some(crate::media::codec::encode(law?, *sample))).collect(),
        };
        said.chunks_exact(FRAME).map(&mut frame).collect()
    }
}
