//! How is sound kept from strangers on its way? SRTP and SRTCP: counter mode with HMAC-SHA1 (RFC 3711) and AES-GCM (RFC 7714).
//!
//! Ciphers and hashes are RustCrypto's; the framing around them is ours, because it works where a packet lies and allocates nothing.
//! The tests hold it against the vectors of both RFCs.

mod streams;

use std::fmt;

use aes::Aes128Enc;
use aes::cipher::{InnerIvInit, KeyInit, KeyIvInit, StreamCipher, StreamCipherCore};
use aes_gcm::aead::consts::{U12, U16};
use aes_gcm::aead::{AeadCore, AeadInPlace};
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use hmac::{Hmac, Mac};
use sha1::Sha1;
use zeroize::Zeroizing;

use crate::media::rtp::HEADER;

pub use streams::{Receiving, Sending};

/// Bytes that protection adds to a packet at most: the tag of GCM and the index of SRTCP.
pub const MAX_OVERHEAD: usize = 20;

/// Bytes of a master key with its salt, at most.
const MAX_MATERIAL: usize = 44;
/// The header of an RTCP packet stays readable up to its sender's name (RFC 3711 §3.4).
const REPORT_HEADER: usize = 8;
/// An SRTCP index with its flag for encryption.
const REPORT_INDEX: usize = 4;
const ENCRYPTED: u32 = 1 << 31;
const GCM_TAG: usize = 16;
/// Packets and reports that one master key may protect (RFC 3711 §9.2).
pub const MOST_PACKETS: u64 = 1 << 48;
const MOST_REPORTS: u32 = 1 << 31;
/// Streams of one far end that are told apart; the oldest goes. Only who holds the key can begin another.
const MOST_STREAMS: usize = 4;

/// How packets are protected: the crypto suites of RFC 4568 §6.2 and RFC 7714 §14.1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Suite {
    /// AES-128 in counter mode; tags of 80 bits.
    AesCm80,
    /// The same with tags of 32 bits on sound, 80 on reports.
    AesCm32,
    /// AES-128 in Galois/counter mode.
    AeadAes128,
    /// AES-256 in Galois/counter mode.
    AeadAes256,
}

impl Suite {
    /// Every suite.
    pub const ALL: [Suite; 4] = [Suite::AesCm80, Suite::AesCm32, Suite::AeadAes128, Suite::AeadAes256];

    /// Its registered name.
    pub fn name(self) -> &'static str {
        match self {
            Suite::AesCm80 => "AES_CM_128_HMAC_SHA1_80",
            Suite::AesCm32 => "AES_CM_128_HMAC_SHA1_32",
            Suite::AeadAes128 => "AEAD_AES_128_GCM",
            Suite::AeadAes256 => "AEAD_AES_256_GCM",
        }
    }

    /// The suite of a name.
    pub fn of(name: &str) -> Option<Suite> {
        Suite::ALL.into_iter().find(|suite| suite.name() == name)
    }

    fn key_bytes(self) -> usize {
        if self == Suite::AeadAes256 { 32 } else { 16 }
    }

    fn salt_bytes(self) -> usize {
        match self {
            Suite::AesCm80 | Suite::AesCm32 => 14,
            Suite::AeadAes128 | Suite::AeadAes256 => 12,
        }
    }

    /// Bytes of a master key with its salt.
    pub fn material_bytes(self) -> usize {
        self.key_bytes() + self.salt_bytes()
    }
}

/// A master key with its salt. It prints nothing of itself, and is wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    suite: Suite,
    material: Zeroizing<[u8; MAX_MATERIAL]>,
}

impl fmt::Debug for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Key({})", self.suite.name())
    }
}

impl Key {
    /// A key and salt as they stand one after the other in a crypto line; `None` if their length is not the suite's.
    pub fn new(suite: Suite, material: &[u8]) -> Option<Key> {
        let mut key = Key { suite, material: Zeroizing::new([0; MAX_MATERIAL]) };
        key.material.get_mut(..suite.material_bytes()).filter(|own| own.len() == material.len())?.copy_from_slice(material);
        Some(key)
    }

    /// A key that nobody else knows. Errors: the system has no random numbers.
    pub fn random(suite: Suite) -> Result<Key, getrandom::Error> {
        let mut key = Key { suite, material: Zeroizing::new([0; MAX_MATERIAL]) };
        getrandom::fill(key.material.get_mut(..suite.material_bytes()).unwrap_or_default())?;
        Ok(key)
    }

    /// Its suite.
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// Key and salt, for a crypto line and nothing else.
    pub fn material(&self) -> &[u8] {
        self.material.get(..self.suite.material_bytes()).unwrap_or_default()
    }

    fn salt(&self) -> &[u8] {
        self.material().get(self.suite.key_bytes()..).unwrap_or_default()
    }

    /// A session key, with a key derivation rate of 0 (RFC 3711 §4.3.1 and §4.3.3; a salt of 12 bytes is filled up with zeros).
    fn derive(&self, label: u8, out: &mut [u8]) {
        let mut iv = [0u8; 16];
        iv.iter_mut().zip(self.salt()).for_each(|(byte, salt)| *byte = *salt);
        if let Some(byte) = iv.get_mut(7) {
            *byte ^= label;
        }
        let key = self.material().get(..self.suite.key_bytes()).unwrap_or_default();
        // The lengths are the suite's, so neither can fail.
        if let Ok(mut stream) = ctr::Ctr128BE::<aes::Aes128>::new_from_slices(key, &iv) {
            stream.apply_keystream(out);
        } else if let Ok(mut stream) = ctr::Ctr128BE::<aes::Aes256>::new_from_slices(key, &iv) {
            stream.apply_keystream(out);
        }
    }
}

/// What packets are derived keys for (RFC 3711 §4.3.1).
#[derive(Clone, Copy)]
enum Use {
    Sound,
    Reports,
}

/// The session keys for one kind of packet in one direction.
enum Cipher {
    Counter(Box<Counter>),
    Gcm128(Box<Gcm<Aes128Gcm>>),
    Gcm256(Box<Gcm<Aes256Gcm>>),
}

/// AES in counter mode and HMAC-SHA1.
struct Counter {
    aes: Aes128Enc,
    /// Moved up by 16 bits, as it goes into a counter block (RFC 3711 §4.1.1).
    salt: u128,
    mac: Hmac<Sha1>,
    tag_bytes: usize,
}

/// AES in Galois/counter mode.
struct Gcm<A> {
    aead: A,
    salt: u128,
}

impl Cipher {
    fn new(key: &Key, of: Use) -> Option<Cipher> {
        let label = match of {
            Use::Sound => 0,
            Use::Reports => 3,
        };
        let mut secret = Zeroizing::new([0u8; 32]);
        let secret = secret.get_mut(..key.suite.key_bytes())?;
        key.derive(label, secret);
        let mut salt = [0u8; 16];
        key.derive(label + 2, salt.get_mut(..key.suite.salt_bytes())?);
        let number = u128::from_be_bytes(salt);
        Some(match key.suite {
            Suite::AesCm80 | Suite::AesCm32 => {
                let mut mac = Zeroizing::new([0u8; 20]);
                key.derive(label + 1, mac.as_mut_slice());
                let short = key.suite == Suite::AesCm32 && matches!(of, Use::Sound);
                Cipher::Counter(Box::new(Counter::new(secret, number, mac.as_slice(), if short { 4 } else { 10 })?))
            }
            Suite::AeadAes128 => Cipher::Gcm128(Box::new(Gcm { aead: Aes128Gcm::new_from_slice(secret).ok()?, salt: number >> 32 })),
            Suite::AeadAes256 => Cipher::Gcm256(Box::new(Gcm { aead: Aes256Gcm::new_from_slice(secret).ok()?, salt: number >> 32 })),
        })
    }

    /// Encrypts `packet[begin..end]` and puts the tag behind it; the new end.
    fn seal(&self, packet: &mut [u8], begin: usize, end: usize, name: Name) -> Option<usize> {
        match self {
            Cipher::Counter(counter) => counter.seal(packet, begin, end, name),
            Cipher::Gcm128(gcm) => gcm.seal(packet, begin, end, name),
            Cipher::Gcm256(gcm) => gcm.seal(packet, begin, end, name),
        }
    }

    /// Proves the tag at the end of `packet` and decrypts from `begin` on; the new end. What is not authentic stays as it is.
    fn open(&self, packet: &mut [u8], begin: usize, name: Name) -> Option<usize> {
        match self {
            Cipher::Counter(counter) => counter.open(packet, begin, name),
            Cipher::Gcm128(gcm) => gcm.open(packet, begin, name),
            Cipher::Gcm256(gcm) => gcm.open(packet, begin, name),
        }
    }

    fn seal_report(&self, packet: &mut [u8], end: usize, name: Name) -> Option<usize> {
        match self {
            Cipher::Counter(counter) => counter.seal_report(packet, end, name),
            Cipher::Gcm128(gcm) => gcm.seal_report(packet, end, name),
            Cipher::Gcm256(gcm) => gcm.seal_report(packet, end, name),
        }
    }

    fn open_report(&self, packet: &mut [u8], name: impl Fn(u32) -> Option<Name>) -> Option<(usize, Name)> {
        match self {
            Cipher::Counter(counter) => counter.open_report(packet, name),
            Cipher::Gcm128(gcm) => gcm.open_report(packet, name),
            Cipher::Gcm256(gcm) => gcm.open_report(packet, name),
        }
    }
}

/// Which packet it is: its stream, and its number there, of 48 bits for sound and 31 for reports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Name {
    ssrc: u32,
    index: u64,
}

impl Name {
    /// The rollover counter, which is authenticated but not sent (RFC 3711 §4.2).
    fn rollover(self) -> [u8; 4] {
        ((self.index >> 16) as u32).to_be_bytes()
    }

    fn report_word(self) -> u32 {
        self.index as u32 | ENCRYPTED
    }
}

impl Counter {
    fn new(key: &[u8], salt: u128, mac: &[u8], tag_bytes: usize) -> Option<Counter> {
        let aes = Aes128Enc::new_from_slice(key).ok()?;
        Some(Counter { aes, salt, mac: <Hmac<Sha1> as Mac>::new_from_slice(mac).ok()?, tag_bytes })
    }

    fn apply(&self, sound: &mut [u8], name: Name) {
        let iv = self.salt ^ (u128::from(name.ssrc) << 64) ^ (u128::from(name.index) << 16);
        let blocks = ctr::CtrCore::<&Aes128Enc, ctr::flavors::Ctr128BE>::inner_iv_init(&self.aes, &iv.to_be_bytes().into());
        blocks.apply_keystream_partial(sound.into());
    }

    fn mac_of(&self, packet: &[u8], trailer: &[u8]) -> Hmac<Sha1> {
        let mut mac = self.mac.clone();
        mac.update(packet);
        mac.update(trailer);
        mac
    }

    fn put_tag(&self, packet: &mut [u8], end: usize, trailer: &[u8]) -> Option<usize> {
        let tag = self.mac_of(packet.get(..end)?, trailer).finalize().into_bytes();
        let sealed = end + self.tag_bytes;
        packet.get_mut(end..sealed)?.copy_from_slice(tag.get(..self.tag_bytes)?);
        Some(sealed)
    }

    /// Where the authenticated part ends, if the tag behind it is true.
    fn proven(&self, packet: &[u8], trailer: &[u8]) -> Option<usize> {
        let end = packet.len().checked_sub(self.tag_bytes)?;
        let (proven, tag) = packet.split_at_checked(end)?;
        self.mac_of(proven, trailer).verify_truncated_left(tag).ok()?;
        Some(end)
    }

    fn seal(&self, packet: &mut [u8], begin: usize, end: usize, name: Name) -> Option<usize> {
        self.apply(packet.get_mut(begin..end)?, name);
        self.put_tag(packet, end, &name.rollover())
    }

    fn open(&self, packet: &mut [u8], begin: usize, name: Name) -> Option<usize> {
        let end = self.proven(packet, &name.rollover()).filter(|end| begin <= *end)?;
        self.apply(packet.get_mut(begin..end)?, name);
        Some(end)
    }

    fn seal_report(&self, packet: &mut [u8], end: usize, name: Name) -> Option<usize> {
        self.apply(packet.get_mut(REPORT_HEADER..end)?, name);
        packet.get_mut(end..end + REPORT_INDEX)?.copy_from_slice(&name.report_word().to_be_bytes());
        self.put_tag(packet, end + REPORT_INDEX, &[])
    }

    fn open_report(&self, packet: &mut [u8], name: impl Fn(u32) -> Option<Name>) -> Option<(usize, Name)> {
        let with_index = self.proven(packet, &[])?;
        let end = with_index.checked_sub(REPORT_INDEX).filter(|end| *end >= REPORT_HEADER)?;
        let word = u32_at(packet, end)?;
        let name = name(word)?;
        if word & ENCRYPTED != 0 {
            self.apply(packet.get_mut(REPORT_HEADER..end)?, name);
        }
        Some((end, name))
    }
}

impl<A: AeadInPlace + AeadCore<NonceSize = U12, TagSize = U16>> Gcm<A> {
    /// RFC 7714 §8.1 and §9.1: both kinds of packet have their number in the last six bytes.
    fn nonce(&self, name: Name) -> [u8; 12] {
        let number = self.salt ^ (u128::from(name.ssrc) << 48) ^ u128::from(name.index);
        let mut nonce = [0; 12];
        nonce.iter_mut().zip(number.to_be_bytes().into_iter().skip(4)).for_each(|(out, byte)| *out = byte);
        nonce
    }

    fn seal(&self, packet: &mut [u8], begin: usize, end: usize, name: Name) -> Option<usize> {
        let (header, rest) = packet.split_at_mut_checked(begin)?;
        let (sound, room) = rest.split_at_mut_checked(end.checked_sub(begin)?)?;
        let tag = self.aead.encrypt_in_place_detached(&self.nonce(name).into(), header, sound).ok()?;
        room.get_mut(..GCM_TAG)?.copy_from_slice(&tag);
        Some(end + GCM_TAG)
    }

    fn open(&self, packet: &mut [u8], begin: usize, name: Name) -> Option<usize> {
        let end = packet.len().checked_sub(GCM_TAG).filter(|end| begin <= *end)?;
        let (header, rest) = packet.split_at_mut_checked(begin)?;
        let (sound, tag) = rest.split_at_mut_checked(end - begin)?;
        let tag = <[u8; GCM_TAG]>::try_from(&*tag).ok()?;
        self.aead.decrypt_in_place_detached(&self.nonce(name).into(), header, sound, &tag.into()).ok()?;
        Some(end)
    }

    fn seal_report(&self, packet: &mut [u8], end: usize, name: Name) -> Option<usize> {
        let word = name.report_word().to_be_bytes();
        let known = with_index(packet, word)?;
        let (sound, room) = packet.get_mut(REPORT_HEADER..)?.split_at_mut_checked(end.checked_sub(REPORT_HEADER)?)?;
        let tag = self.aead.encrypt_in_place_detached(&self.nonce(name).into(), &known, sound).ok()?;
        room.get_mut(..GCM_TAG)?.copy_from_slice(&tag);
        room.get_mut(GCM_TAG..GCM_TAG + REPORT_INDEX)?.copy_from_slice(&word);
        Some(end + GCM_TAG + REPORT_INDEX)
    }

    /// A report that is not encrypted is authenticated as a whole (RFC 7714 §9.3).
    fn open_report(&self, packet: &mut [u8], name: impl Fn(u32) -> Option<Name>) -> Option<(usize, Name)> {
        let index_at = packet.len().checked_sub(REPORT_INDEX)?;
        let end = index_at.checked_sub(GCM_TAG).filter(|end| *end >= REPORT_HEADER)?;
        let word = u32_at(packet, index_at)?;
        let name = name(word)?;
        let nonce = self.nonce(name).into();
        let tag = <[u8; GCM_TAG]>::try_from(packet.get(end..index_at)?).ok()?.into();
        if word & ENCRYPTED != 0 {
            let known = with_index(packet, word.to_be_bytes())?;
            self.aead.decrypt_in_place_detached(&nonce, &known, packet.get_mut(REPORT_HEADER..end)?, &tag).ok()?;
        } else {
            // The index takes the tag's place: then all that is authenticated lies in a row, and the tag was copied.
            packet.copy_within(index_at.., end);
            let known = packet.get(..end + REPORT_INDEX)?;
            self.aead.decrypt_in_place_detached(&nonce, known, &mut [], &tag).ok()?;
        }
        Some((end, name))
    }
}

/// What is authenticated of an encrypted report: its header and its index.
fn with_index(packet: &[u8], word: [u8; 4]) -> Option<[u8; REPORT_HEADER + REPORT_INDEX]> {
    let mut known = [0; REPORT_HEADER + REPORT_INDEX];
    let header = packet.get(..REPORT_HEADER)?;
    known.iter_mut().zip(header.iter().chain(&word)).for_each(|(out, byte)| *out = *byte);
    Some(known)
}

fn u32_at(packet: &[u8], at: usize) -> Option<u32> {
    packet.get(at..)?.first_chunk::<4>().map(|bytes| u32::from_be_bytes(*bytes))
}

/// Where the encrypted part of an RTP packet begins, behind sources and extension, with its sequence number and stream.
fn sound_of(packet: &[u8]) -> Option<(usize, u16, u32)> {
    let [flags, _, s0, s1, _, _, _, _, c0, c1, c2, c3] = *packet.first_chunk::<HEADER>()?;
    let mut begin = HEADER + 4 * usize::from(flags & 0x0f);
    if flags & 0x10 != 0 {
        let words = packet.get(begin + 2..begin + 4)?.first_chunk::<2>()?;
        begin += 4 + 4 * usize::from(u16::from_be_bytes(*words));
    }
    let fits = flags >> 6 == 2 && begin <= packet.len();
    fits.then_some((begin, u16::from_be_bytes([s0, s1]), u32::from_be_bytes([c0, c1, c2, c3])))
}

#[cfg(test)]
#[path = "srtp/tests.rs"]
mod tests;
