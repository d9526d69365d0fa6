//! What does a payload sound like? One decoder a voice, because G.722 and Opus remember what came before.

use audio_codec::g722::G722Decoder;

use crate::centre::input::Codec;
use crate::media::codec::{Law, law, samples_of};
use crate::media::resample::Halver;

/// A packet of Opus is 120 ms at most (RFC 6716 §2.1.4); at 16 kHz.
const LONGEST_OPUS: usize = 1_920;
/// Opus makes up for losses in steps of 2.5 ms; in moments.
const OPUS_STEP: usize = 20;

/// Decodes one stream.
pub struct Decoder {
    codec: Codec,
    kind: Kind,
    /// Samples a moment of what comes out.
    scale: usize,
}

enum Kind {
    Law(Law),
    G722 { decoder: Box<G722Decoder>, halver: Option<Box<Halver>>, wide: Vec<i16> },
    Opus(Box<opus::Decoder>),
}

impl Decoder {
    /// A decoder for this codec, at its own rate as far as 16 kHz, or at 8 kHz if that is `narrow`. `None` when libopus has no memory.
    pub fn new(codec: Codec, narrow: bool) -> Option<Decoder> {
        let scale = if narrow || law(codec).is_some() { 1 } else { 2 };
        let kind = match codec {
            Codec::Pcma => Kind::Law(Law::A),
            Codec::Pcmu => Kind::Law(Law::Mu),
            Codec::G722 => {
                let decoder = Box::new(G722Decoder::new());
                Kind::G722 { decoder, halver: narrow.then(Box::default), wide: Vec::new() }
            }
            Codec::Opus => {
                let decoder = opus::Decoder::new(if narrow { 8_000 } else { 16_000 }, opus::Channels::Mono);
                let decoder = decoder.inspect_err(|error| tracing::error!(%error, "libopus makes no decoder: a leg is not heard"));
                Kind::Opus(Box::new(decoder.ok()?))
            }
        };
        Some(Decoder { codec, kind, scale })
    }

    /// What it reads.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// Samples a moment of 1/8000 s of what it writes: 1 or 2.
    pub fn scale(&self) -> usize {
        self.scale
    }

    /// Appends the sound of a payload; nothing of one that cannot be read.
    pub fn decode(&mut self, payload: &[u8], out: &mut Vec<i16>) {
        match &mut self.kind {
            Kind::Law(law) => {
                let samples = samples_of(*law);
                out.extend(payload.iter().map(|byte| samples[usize::from(*byte)]));
            }
            Kind::G722 { decoder, halver: None, .. } => append_g722(decoder, payload, out),
            Kind::G722 { decoder, halver: Some(halver), wide } => {
                wide.clear();
                append_g722(decoder, payload, wide);
                halver.halve(wide, out);
            }
            Kind::Opus(decoder) => append_opus(decoder, payload, LONGEST_OPUS, false, out),
        }
    }

    /// Appends what the codec itself makes up for `moments` of loss: of Opus, which may find them repeated in the payload that follows
    /// (RFC 6716 §2.1.7). False where the codec has no such means, and nothing was appended.
    pub fn make_up(&mut self, moments: usize, following: Option<&[u8]>, out: &mut Vec<i16>) -> bool {
        let (Kind::Opus(decoder), whole) = (&mut self.kind, moments / OPUS_STEP * OPUS_STEP) else { return false };
        if whole > 0 {
            append_opus(decoder, following.unwrap_or_default(), whole * self.scale, following.is_some(), out);
        }
        true
    }
}

fn append_g722(decoder: &mut G722Decoder, payload: &[u8], out: &mut Vec<i16>) {
    let before = out.len();
    out.resize(before + 2 * payload.len(), 0);
    let written = decoder.decode_frame_into(payload, out.get_mut(before..).unwrap_or_default());
    out.truncate(before + written.unwrap_or(0));
}

/// An empty payload is a loss; with `again` the payload is read for what it repeats of the packet before it.
fn append_opus(decoder: &mut opus::Decoder, payload: &[u8], room: usize, again: bool, out: &mut Vec<i16>) {
    let before = out.len();
    out.resize(before + room, 0);
    let written = decoder.decode(payload, out.get_mut(before..).unwrap_or_default(), again);
    out.truncate(before + written.unwrap_or(0));
}
