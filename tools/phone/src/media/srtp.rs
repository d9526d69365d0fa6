//! How is a phone's sound kept from strangers? SRTP with AES-128 in counter mode and HMAC-SHA1 tags of 80 bits (RFC 3711), keys by SDES (RFC 4568).

use std::fmt;

use aes::cipher::{InnerIvInit, KeyInit, KeyIvInit, StreamCipher, StreamCipherCore};
use aes::{Aes128, Aes128Enc};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use hmac::{Hmac, Mac};
use sha1::Sha1;

use super::rtp;

/// Bytes that protection adds to a packet.
pub const TAG_BYTES: usize = 10;

const SUITE: &str = "AES_CM_128_HMAC_SHA1_80";
const KEY_BYTES: usize = 16;
const SALT_BYTES: usize = 14;
/// The block of SHA-1: a shorter key of its HMAC is filled up with zeros.
const HASH_BLOCK: usize = 64;

/// One `a=crypto` line: with what its author protects what it sends. It prints no key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Crypto {
    /// Which of the author's lines it is; an answer repeats the tag of the one that it takes.
    pub tag: u32,
    key: [u8; KEY_BYTES],
    salt: [u8; SALT_BYTES],
}

impl fmt::Debug for Crypto {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Crypto({} {SUITE})", self.tag)
    }
}

impl Crypto {
    /// A line with a key of its own. The phone says chirps only: its keys differ, but could be guessed.
    pub fn random() -> Self {
        Self { tag: 1, key: std::array::from_fn(|_| fastrand::u8(..)), salt: std::array::from_fn(|_| fastrand::u8(..)) }
    }

    /// Reads `1 AES_CM_128_HMAC_SHA1_80 inline:KEY|2^20`; none for another suite.
    pub fn read(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let tag = words.next()?.parse().ok()?;
        words.next().filter(|suite| *suite == SUITE)?;
        let material = words.next()?.strip_prefix("inline:")?.split('|').next()?;
        let bytes = STANDARD_NO_PAD.decode(material.trim_end_matches('=')).ok()?;
        let (key, salt) = bytes.split_at_checked(KEY_BYTES)?;
        Some(Self { tag, key: key.try_into().ok()?, salt: salt.try_into().ok()? })
    }

    /// The same key under the tag of the line that it answers.
    pub fn answering(self, theirs: &Self) -> Self {
        Self { tag: theirs.tag, ..self }
    }

    /// The attribute's value.
    pub fn to_value(&self) -> String {
        format!("{} {SUITE} inline:{}", self.tag, STANDARD.encode([&self.key[..], &self.salt[..]].concat()))
    }

    /// A session key (RFC 3711 §4.3.1 and §4.3.3, key derivation rate 0).
    fn derive<const N: usize>(&self, label: u8) -> [u8; N] {
        let mut iv = [0; 16];
        iv[..SALT_BYTES].copy_from_slice(&self.salt);
        iv[7] ^= label;
        let mut out = [0; N];
        ctr::Ctr128BE::<Aes128>::new(&self.key.into(), &iv.into()).apply_keystream(&mut out);
        out
    }
}

/// Both sides' keys of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keys {
    pub ours: Crypto,
    pub theirs: Crypto,
}

/// One direction of a protected stream. Packets that come twice are taken twice: the judge counts them.
pub struct Session {
    aes: Aes128Enc,
    /// Moved up by 16 bits, as it goes into a counter block (RFC 3711 §4.1.1).
    salt: u128,
    mac: Hmac<Sha1>,
    /// SSRC and highest index so far, the rollover counter above the 16 bits of the sequence.
    newest: Option<(u32, u64)>,
}

impl fmt::Debug for Session {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Session({:?})", self.newest)
    }
}

impl Session {
    /// A stream that has not begun.
    pub fn new(crypto: &Crypto) -> Self {
        let mut salt = [0; 16];
        salt[..SALT_BYTES].copy_from_slice(&crypto.derive::<SALT_BYTES>(2));
        let mut mac = [0; HASH_BLOCK];
        mac[..20].copy_from_slice(&crypto.derive::<20>(1));
        Self {
            aes: Aes128Enc::new(&crypto.derive::<KEY_BYTES>(0).into()),
            salt: u128::from_be_bytes(salt),
            mac: <Hmac<Sha1> as KeyInit>::new(&mac.into()),
            newest: None,
        }
    }

    /// Protects the packet of `length` bytes at the start of `buffer`; its new length. None when it is no RTP or the tag has no room.
    pub fn protect(&mut self, buffer: &mut [u8], length: usize) -> Option<usize> {
        let (header, from) = rtp::parse_header(buffer.get(..length)?)?;
        let index = self.index_of(header);
        self.apply(buffer.get_mut(from..length)?, header.ssrc, index);
        let tag = self.tag(buffer.get(..length)?, index);
        buffer.get_mut(length..length + TAG_BYTES)?.copy_from_slice(tag.get(..TAG_BYTES)?);
        self.newest = Some((header.ssrc, index));
        Some(length + TAG_BYTES)
    }

    /// Proves and decrypts a packet; its new length. None, and the packet unchanged, when it is not authentic.
    pub fn open(&mut self, packet: &mut [u8]) -> Option<usize> {
        let length = packet.len().checked_sub(TAG_BYTES)?;
        let (proven, tag) = packet.split_at_checked(length)?;
        let (header, from) = rtp::parse_header(proven)?;
        let index = self.index_of(header);
        if self.tag(proven, index).get(..TAG_BYTES)? != tag {
            return None;
        }
        self.apply(packet.get_mut(from..length)?, header.ssrc, index);
        let newest = self.newest.filter(|(ssrc, _)| *ssrc == header.ssrc).map_or(index, |(_, newest)| newest.max(index));
        self.newest = Some((header.ssrc, newest));
        Some(length)
    }

    /// The index that is nearest to the newest one (RFC 3711 §3.3.1).
    fn index_of(&self, header: rtp::Header) -> u64 {
        match self.newest {
            Some((ssrc, newest)) if ssrc == header.ssrc => {
                newest.saturating_add_signed(i64::from(header.sequence.wrapping_sub(newest as u16) as i16))
            }
            _ => u64::from(header.sequence),
        }
    }

    fn apply(&self, sound: &mut [u8], ssrc: u32, index: u64) {
        let iv = self.salt ^ (u128::from(ssrc) << 64) ^ (u128::from(index) << 16);
        let blocks = ctr::CtrCore::<&Aes128Enc, ctr::flavors::Ctr128BE>::inner_iv_init(&self.aes, &iv.to_be_bytes().into());
        blocks.apply_keystream_partial(sound.into());
    }

    fn tag(&self, packet: &[u8], index: u64) -> [u8; 20] {
        let mut mac = self.mac.clone();
        mac.update(packet);
        mac.update(&((index >> 16) as u32).to_be_bytes());
        mac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn bytes<const N: usize>(hex: &str) -> [u8; N] {
        std::array::from_fn(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
    }

    fn crypto() -> Crypto {
        Crypto { tag: 1, key: bytes("E1F97A0D3E018BE0D64FA32C06DE4139"), salt: bytes("0EC675AD498AFEEBB6960B3AABE6") }
    }

    fn packet(sequence: u16) -> Vec<u8> {
        let header = rtp::Header { marker: false, payload_type: 8, sequence, timestamp: 160, ssrc: 0xcafe_babe };
        [&header.to_bytes()[..], &[0xab; 160], &[0; TAG_BYTES]].concat()
    }

    #[test]
    fn keys_are_those_of_rfc_3711_b3() {
        assert_eq!(crypto().derive::<16>(0), bytes("C61E7A93744F39EE10734AFE3FF7A087"));
        assert_eq!(crypto().derive::<14>(2), bytes("30CBBC08863D8C85D49DB34A9AE1"));
        assert_eq!(crypto().derive::<20>(1), bytes("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"));
    }

    #[test]
    fn the_key_stream_is_that_of_rfc_3711_b2() {
        let mut session = Session::new(&crypto());
        session.aes = Aes128Enc::new(&bytes::<16>("2B7E151628AED2A6ABF7158809CF4F3C").into());
        session.salt = u128::from_be_bytes(bytes("F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000"));
        let mut stream = [0; 32];
        session.apply(&mut stream, 0, 0);
        assert_eq!(stream, bytes("E03EAD0935C95E80E166B16DD92B4EB4D23513162B02D0F72A43A2FE4A5F97AB"));
    }

    /// The packet that libsrtp's own test driver uses with the keys of appendix B.3.
    #[test]
    fn a_packet_is_that_of_libsrtp() {
        let header = bytes::<12>("800f1234decafbadcafebabe");
        let mut packet = [&header[..], &[0xab; 16], &[0; TAG_BYTES]].concat();
        assert_eq!(Session::new(&crypto()).protect(&mut packet, 28), Some(38));
        assert_eq!(packet[12..], bytes::<26>("4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb"));
    }

    #[test]
    fn a_stream_goes_on_over_a_wrap_and_in_any_order() {
        let (mut mouth, mut ear) = (Session::new(&crypto()), Session::new(&crypto()));
        let sealed = [65_534, 65_535, 0, 1].map(|sequence| {
            let mut packet = packet(sequence);
            mouth.protect(&mut packet, 172).unwrap();
            packet
        });
        for at in [0, 2, 1, 3] {
            let mut packet = sealed[at].clone();
            assert_eq!(ear.open(&mut packet), Some(172), "packet {at}");
            assert_eq!(packet[12..172], [0xab; 160]);
        }
        let mut changed = sealed[3].clone();
        changed[40] ^= 1;
        assert_eq!(ear.open(&mut changed), None);
    }

    #[test]
    fn a_line_is_read_as_it_is_written() {
        let line = Crypto::random();
        assert_eq!(Crypto::read(&line.to_value()), Some(line));
        assert_eq!(Crypto::read("1 AES_CM_128_HMAC_SHA1_32 inline:AAAA"), None);
        assert!(!format!("{line:?}").contains("inline"));
    }
}
