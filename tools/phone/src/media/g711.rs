//! What is a sample of G.711 worth? A-law and µ-law, both ways (ITU-T G.711).

/// A law of G.711.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Law {
    /// A-law (PCMA).
    Alaw,
    /// µ-law (PCMU).
    Ulaw,
}

impl Law {
    /// The byte of silence.
    pub const fn silence(self) -> u8 {
        match self {
            Self::Alaw => 0xd5,
            Self::Ulaw => 0xff,
        }
    }

    /// One linear sample of 16 bits as a byte.
    pub fn encode(self, sample: i16) -> u8 {
        match self {
            Self::Alaw => encode_alaw(sample),
            Self::Ulaw => encode_ulaw(sample),
        }
    }

    /// One byte as a linear sample of 16 bits.
    pub fn decode(self, byte: u8) -> i16 {
        match self {
            Self::Alaw => decode_alaw(byte),
            Self::Ulaw => decode_ulaw(byte),
        }
    }
}

fn encode_alaw(sample: i16) -> u8 {
    let (sign, size) = if sample >= 0 { (0x80, i32::from(sample)) } else { (0, -i32::from(sample) - 1) };
    let size = size >> 4;
    let code = if size < 32 {
        size
    } else {
        let exponent = 28 - size.leading_zeros() as i32;
        (exponent << 4) | ((size >> (exponent - 1)) & 0x0f)
    };
    (code as u8 | sign) ^ 0x55
}

fn decode_alaw(byte: u8) -> i16 {
    let code = byte ^ 0x55;
    let (exponent, mantissa) = (i32::from(code >> 4 & 7), i32::from(code & 0x0f));
    let size = if exponent == 0 { (mantissa << 4) + 8 } else { ((mantissa << 4) + 0x108) << (exponent - 1) };
    if code & 0x80 != 0 { size as i16 } else { -size as i16 }
}

fn encode_ulaw(sample: i16) -> u8 {
    let (sign, size) = if sample >= 0 { (0, i32::from(sample)) } else { (0x80, -i32::from(sample)) };
    let size = size.min(32_635) + 0x84;
    let exponent = 24 - size.leading_zeros() as i32;
    let mantissa = (size >> (exponent + 3)) & 0x0f;
    !((sign | exponent << 4 | mantissa) as u8)
}

fn decode_ulaw(byte: u8) -> i16 {
    let code = !byte;
    let (exponent, mantissa) = (i32::from(code >> 4 & 7), i32::from(code & 0x0f));
    let size = (((mantissa << 3) + 0x84) << exponent) - 0x84;
    if code & 0x80 != 0 { -size as i16 } else { size as i16 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_a_round() {
        for codec in [Law::Alaw, Law::Ulaw] {
            // µ-law has two zeros; the negative one (0x7f) is written as the positive one.
            for byte in (0..=255).filter(|byte| !(codec == Law::Ulaw && *byte == 0x7f)) {
                assert_eq!(codec.encode(codec.decode(byte)), byte, "{codec:?} {byte:#x}");
            }
            assert!(codec.decode(codec.silence()).abs() <= 8);
        }
    }

    #[test]
    fn the_error_stays_within_a_step() {
        for codec in [Law::Alaw, Law::Ulaw] {
            for sample in (i16::MIN..=i16::MAX).step_by(7) {
                let error = (i32::from(codec.decode(codec.encode(sample))) - i32::from(sample)).abs();
                assert!(error <= i32::from(sample).abs() / 16 + 16, "{codec:?} {sample}: {error}");
            }
        }
    }

    #[test]
    fn known_values() {
        assert_eq!((Law::Alaw.encode(0), Law::Alaw.encode(32_767), Law::Alaw.encode(-32_768)), (0xd5, 0xaa, 0x2a));
        assert_eq!((Law::Ulaw.encode(0), Law::Ulaw.encode(32_767), Law::Ulaw.encode(-32_768)), (0xff, 0x80, 0x00));
    }
}
