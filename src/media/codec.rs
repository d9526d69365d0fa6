//! What do the codecs look like on the wire, and what do bytes of G.711 sound like? Tables between A-law, µ-law and 16-bit samples
//! (ITU-T G.711), made by the compiler; `decoder` and `encoder` speak the others.

use crate::centre::input::Codec;

/// Samples a second of G.711 and of recordings. Times in sound are counted in moments of 1/8000 s, whatever the codec.
pub const RATE_HZ: u32 = 8_000;

/// Moments, and bytes of G.711, in a frame of 20 ms.
pub const FRAME: usize = 160;

/// Samples of a frame at 16 kHz, the rate of G.722 and of what we make of Opus.
pub const WIDE_FRAME: usize = 2 * FRAME;

/// What a leg may speak, the preferred first: A-law is what trunks speak, so that with it nothing is transcoded.
pub const PREFERENCE: [Codec; 4] = [Codec::Pcma, Codec::Pcmu, Codec::G722, Codec::Opus];

/// The two laws of G.711.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Law {
    /// A-law, PCMA.
    A,
    /// µ-law, PCMU.
    Mu,
}

static FROM_ALAW: [i16; 256] = table_of_alaw();
static FROM_ULAW: [i16; 256] = table_of_ulaw();
static ALAW_TO_ULAW: [u8; 256] = recoded(&FROM_ALAW, Law::Mu);
static ULAW_TO_ALAW: [u8; 256] = recoded(&FROM_ULAW, Law::A);

/// The law of a codec that is G.711; `None` for the others.
#[inline]
pub const fn law(codec: Codec) -> Option<Law> {
    match codec {
        Codec::Pcma => Some(Law::A),
        Codec::Pcmu => Some(Law::Mu),
        Codec::G722 | Codec::Opus => None,
    }
}

/// Whether sound of one codec can be passed on to who listens in the other without being decoded.
pub fn passes(from: Codec, to: Codec) -> bool {
    from == to || (law(from).is_some() && law(to).is_some())
}

/// One byte as a sample.
#[inline]
pub fn decode(law: Law, byte: u8) -> i16 {
    samples_of(law)[usize::from(byte)]
}

/// The sample of every byte.
#[inline]
pub fn samples_of(law: Law) -> &'static [i16; 256] {
    match law {
        Law::A => &FROM_ALAW,
        Law::Mu => &FROM_ULAW,
    }
}

/// One sample as a byte.
pub const fn encode(law: Law, sample: i16) -> u8 {
    match law {
        Law::A => to_alaw(sample),
        Law::Mu => to_ulaw(sample),
    }
}

/// Rewrites sound in place from one law to the other.
pub fn transcode(from: Law, to: Law, sound: &mut [u8]) {
    let table = match (from, to) {
        (Law::A, Law::Mu) => &ALAW_TO_ULAW,
        (Law::Mu, Law::A) => &ULAW_TO_ALAW,
        (Law::A, Law::A) | (Law::Mu, Law::Mu) => return,
    };
    for byte in sound {
        *byte = table[usize::from(*byte)];
    }
}

/// The byte that is nearest to no sound.
pub const fn silence(law: Law) -> u8 {
    encode(law, 0)
}

/// The payload type in offers of ours: the static one of RFC 3551 §6 where there is one.
pub const fn payload_type(codec: Codec) -> u8 {
    match codec {
        Codec::Pcmu => 0,
        Codec::Pcma => 8,
        Codec::G722 => 9,
        Codec::Opus => 111,
    }
}

/// The codec of a static payload type (RFC 3551 §6).
pub fn of_static_type(number: u8) -> Option<Codec> {
    [Codec::Pcma, Codec::Pcmu, Codec::G722].into_iter().find(|codec| payload_type(*codec) == number)
}

/// The encoding of an `a=rtpmap` line (RFC 3551 §6, RFC 7587 §7). G.722 says 8000 although it is 16 kHz (RFC 3551 §4.5.2).
pub const fn encoding(codec: Codec) -> &'static str {
    match codec {
        Codec::Pcmu => "PCMU/8000",
        Codec::Pcma => "PCMA/8000",
        Codec::G722 => "G722/8000",
        Codec::Opus => "opus/48000/2",
    }
}

/// What an `a=fmtp` line says of us: we make nothing of what is above 8 kHz, and read the repetition that Opus can send along.
pub const fn parameters(codec: Codec) -> Option<&'static str> {
    match codec {
        Codec::Pcma | Codec::Pcmu | Codec::G722 => None,
        Codec::Opus => Some("maxplaybackrate=16000;sprop-maxcapturerate=16000;useinbandfec=1"),
    }
}

/// Steps of the RTP timestamp a moment of 1/8000 s: 6 for Opus, whose clock runs at 48 kHz (RFC 7587 §4.1).
pub const fn steps_a_moment(codec: Codec) -> u32 {
    match codec {
        Codec::Pcma | Codec::Pcmu | Codec::G722 => 1,
        Codec::Opus => 6,
    }
}

/// Moments of sound in a payload; 0 for what is no sound of this codec.
pub fn moments(codec: Codec, payload: &[u8]) -> usize {
    match codec {
        Codec::Pcma | Codec::Pcmu | Codec::G722 => payload.len(),
        Codec::Opus => opus::packet::get_nb_samples(payload, RATE_HZ).unwrap_or(0),
    }
}

const fn table_of_alaw() -> [i16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let bits = byte as i32 ^ 0x55;
        let (exponent, mantissa) = ((bits >> 4) & 7, bits & 15);
        let size = if exponent == 0 { (mantissa << 4) + 8 } else { ((mantissa << 4) + 0x108) << (exponent - 1) };
        table[byte] = if bits & 0x80 != 0 { size as i16 } else { -size as i16 };
        byte += 1;
    }
    table
}

const fn table_of_ulaw() -> [i16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let bits = !(byte as i32) & 0xff;
        let size = ((((bits & 15) << 3) + 0x84) << ((bits >> 4) & 7)) - 0x84;
        table[byte] = if bits & 0x80 != 0 { -size as i16 } else { size as i16 };
        byte += 1;
    }
    table
}

const fn recoded(from: &[i16; 256], to: Law) -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = encode(to, from[byte]);
        byte += 1;
    }
    table
}

const fn to_alaw(sample: i16) -> u8 {
    let (sign, size) = if sample >= 0 { (0x80, sample as i32 >> 4) } else { (0, (-1 - sample as i32) >> 4) };
    // 11 bits are left: below 32 the scale is linear, above it each doubling is a segment.
    let coded = if size < 32 {
        size
    } else {
        let segment = 31 - size.leading_zeros() as i32 - 3;
        (segment << 4) | ((size >> (segment - 1)) & 15)
    };
    ((coded | sign) ^ 0x55) as u8
}

const fn to_ulaw(sample: i16) -> u8 {
    const BIAS: i32 = 0x84;
    const CLIP: i32 = 32_635;
    let size = (sample as i32).abs();
    let biased = if size > CLIP { CLIP } else { size } + BIAS;
    let segment = 31 - biased.leading_zeros() as i32 - 7;
    let coded = (segment << 4) | ((biased >> (segment + 3)) & 15);
    let sign = if sample < 0 { 0x80 } else { 0 };
    !(coded | sign) as u8
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_byte_survives_its_own_law() {
        for law in [Law::A, Law::Mu] {
            for byte in 0..=255u8 {
                let sample = decode(law, byte);
                assert_eq!(decode(law, encode(law, sample)), sample, "{law:?} {byte:#x}");
            }
        }
    }

    #[test]
    fn the_nearest_step_is_taken() {
        for law in [Law::A, Law::Mu] {
            for sample in (i16::MIN..=i16::MAX).step_by(7) {
                let error = (i32::from(decode(law, encode(law, sample))) - i32::from(sample)).abs();
                let allowed = (i32::from(sample).abs() / 16).max(16);
                assert!(error <= allowed, "{law:?} {sample} is off by {error}");
            }
        }
    }

    #[test]
    fn the_tables_are_those_of_another_implementation() {
        use audio_codec::Decoder;
        let bytes: Vec<u8> = (0..=255).collect();
        let alaw = audio_codec::pcma::PcmaDecoder::new().decode(&bytes);
        let ulaw = audio_codec::pcmu::PcmuDecoder::new().decode(&bytes);
        for byte in 0..=255u8 {
            assert_eq!(decode(Law::A, byte), alaw[usize::from(byte)]);
            assert_eq!(decode(Law::Mu, byte), ulaw[usize::from(byte)]);
        }
    }

    #[test]
    fn silence_is_the_usual_byte() {
        assert_eq!((silence(Law::A), silence(Law::Mu)), (0xd5, 0xff));
    }
}
