//! What does an RTP packet say (RFC 3550 §5.1)?

/// Bytes of a header without extensions.
pub const HEADER_BYTES: usize = 12;

/// The fields of a header that a phone cares for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub marker: bool,
    pub payload_type: u8,
    pub sequence: u16,
    /// In samples (8,000 a second).
    pub timestamp: u32,
    pub ssrc: u32,
}

impl Header {
    /// The header's bytes, with no padding, extension or contributing source.
    pub fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0x80; HEADER_BYTES];
        bytes[1] = self.payload_type & 0x7f | u8::from(self.marker) << 7;
        bytes[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        bytes[8..].copy_from_slice(&self.ssrc.to_be_bytes());
        bytes
    }
}

/// Header and payload of a packet; none for what is no RTP of version 2 (RTCP's types 72–76 included).
pub fn parse(packet: &[u8]) -> Option<(Header, &[u8])> {
    let (header, from) = parse_header(packet)?;
    let mut rest = packet.get(from..)?;
    if packet.first()? & 0x20 != 0 {
        let padding = usize::from(*rest.last()?);
        rest = rest.get(..rest.len().checked_sub(padding)?)?;
    }
    Some((header, rest))
}

/// Header of a packet, and where what follows its sources and its extension begins.
pub fn parse_header(packet: &[u8]) -> Option<(Header, usize)> {
    let (head, mut rest) = packet.split_at_checked(HEADER_BYTES)?;
    let &[flags, second, s1, s2, t1, t2, t3, t4, c1, c2, c3, c4] = head else { return None };
    let payload_type = second & 0x7f;
    if flags >> 6 != 2 || (72..=76).contains(&payload_type) {
        return None;
    }
    rest = rest.get(usize::from(flags & 0x0f) * 4..)?;
    if flags & 0x10 != 0 {
        let (extension, after) = rest.split_at_checked(4)?;
        let &[_, _, high, low] = extension else { return None };
        rest = after.get(usize::from(u16::from_be_bytes([high, low])) * 4..)?;
    }
    let header = Header {
        marker: second & 0x80 != 0,
        payload_type,
        sequence: u16::from_be_bytes([s1, s2]),
        timestamp: u32::from_be_bytes([t1, t2, t3, t4]),
        ssrc: u32::from_be_bytes([c1, c2, c3, c4]),
    };
    Some((header, packet.len() - rest.len()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let header = Header { marker: true, payload_type: 101, sequence: 65_535, timestamp: 4_000_000_000, ssrc: 7 };
        let mut packet = header.to_bytes().to_vec();
        packet.extend([1, 2]);
        assert_eq!(parse(&packet), Some((header, &[1u8, 2][..])));
    }

    #[test]
    fn skips_extension_and_padding_and_refuses_the_rest() {
        let mut packet = vec![0xb1, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 9, 9, 9, 9, 0, 0, 0, 1, 5, 5, 5, 5, 42, 0, 2];
        assert_eq!(parse(&packet).map(|(_, payload)| payload), Some(&[42u8][..]));
        packet[26] = 200;
        assert_eq!(parse(&packet), None);
        assert_eq!(parse(&[0x80, 200, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3]), None);
        assert_eq!(parse(b"not rtp at all"), None);
    }
}
