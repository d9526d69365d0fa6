//! What do bytes of G.711 sound like? Tables between A-law, µ-law and 16-bit samples (ITU-T G.711), made by the compiler.

use crate::centre::input::Codec;

/// Samples a second of everything in this room.
pub const RATE_HZ: u32 = 8_000;

/// Samples, and bytes of G.711, in a frame of 20 ms.
pub const FRAME: usize = 160;

static FROM_ALAW: [i16; 256] = table_of_alaw();
static FROM_ULAW: [i16; 256] = table_of_ulaw();
static ALAW_TO_ULAW: [u8; 256] = recoded(&FROM_ALAW, Codec::Pcmu);
static ULAW_TO_ALAW: [u8; 256] = recoded(&FROM_ULAW, Codec::Pcma);

/// One byte as a sample.
#[inline]
pub fn decode(codec: Codec, byte: u8) -> i16 {
    samples_of(codec)[usize::from(byte)]
}

/// The sample of every byte.
#[inline]
pub fn samples_of(codec: Codec) -> &'static [i16; 256] {
    match codec {
        Codec::Pcma => &FROM_ALAW,
        Codec::Pcmu => &FROM_ULAW,
    }
}

/// One sample as a byte.
pub const fn encode(codec: Codec, sample: i16) -> u8 {
    match codec {
        Codec::Pcma => to_alaw(sample),
        Codec::Pcmu => to_ulaw(sample),
    }
}

/// Rewrites sound in place from one law to the other.
pub fn transcode(from: Codec, to: Codec, sound: &mut [u8]) {
    let table = match (from, to) {
        (Codec::Pcma, Codec::Pcmu) => &ALAW_TO_ULAW,
        (Codec::Pcmu, Codec::Pcma) => &ULAW_TO_ALAW,
        (Codec::Pcma, Codec::Pcma) | (Codec::Pcmu, Codec::Pcmu) => return,
    };
    for byte in sound {
        *byte = table[usize::from(*byte)];
    }
}

/// The byte that is nearest to no sound.
pub const fn silence(codec: Codec) -> u8 {
    encode(codec, 0)
}

/// The static payload type of RFC 3551 §6.
pub const fn payload_type(codec: Codec) -> u8 {
    match codec {
        Codec::Pcmu => 0,
        Codec::Pcma => 8,
    }
}

/// The name in an `a=rtpmap` line (RFC 3551 §6).
pub const fn name(codec: Codec) -> &'static str {
    match codec {
        Codec::Pcmu => "PCMU",
        Codec::Pcma => "PCMA",
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

const fn recoded(from: &[i16; 256], to: Codec) -> [u8; 256] {
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
        for codec in [Codec::Pcma, Codec::Pcmu] {
            for byte in 0..=255u8 {
                let sample = decode(codec, byte);
                assert_eq!(decode(codec, encode(codec, sample)), sample, "{codec:?} {byte:#x}");
            }
        }
    }

    #[test]
    fn the_nearest_step_is_taken() {
        for codec in [Codec::Pcma, Codec::Pcmu] {
            for sample in (i16::MIN..=i16::MAX).step_by(7) {
                let error = (i32::from(decode(codec, encode(codec, sample))) - i32::from(sample)).abs();
                let allowed = (i32::from(sample).abs() / 16).max(16);
                assert!(error <= allowed, "{codec:?} {sample} is off by {error}");
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
            assert_eq!(decode(Codec::Pcma, byte), alaw[usize::from(byte)]);
            assert_eq!(decode(Codec::Pcmu, byte), ulaw[usize::from(byte)]);
        }
    }

    #[test]
    fn silence_is_the_usual_byte() {
        assert_eq!((silence(Codec::Pcma), silence(Codec::Pcmu)), (0xd5, 0xff));
    }
}
