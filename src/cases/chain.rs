//! Can a history be altered without anybody seeing it? Each event holds the hash of the one before; seals hold the chain's head elsewhere.
//!
//! The hash is SHA-256 over the fields of an event, each with its length before it, so that no byte can move from one to the next. Words
//! and personal data are in it by a salted hash alone: without the salt, that hash tells nothing of the words, so that both can go by law
//! and the chain stays whole.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Stands before every hashed event, so that a hash of ours is never taken for another's.
const EVENT: &[u8] = b"cityline event 1";
const WORDS: &[u8] = b"cityline words 1";

/// 32 bytes of SHA-256, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Digest(pub [u8; 32]);

/// What one place of the chain holds, byte for byte as it is stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Link<'t> {
    /// 1.. without gaps.
    pub place: u64,
    /// What it belongs to: a case's number, "recording", "incident".
    pub subject: &'t str,
    /// Milliseconds since the epoch.
    pub at_ms: i64,
    /// The event, as the text that is stored.
    pub event: &'t str,
    /// The salted hash of the words beside it.
    pub words: Option<Digest>,
}

/// The first place at which the chain does not hold, and how it shows.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Break {
    /// A place is missing or stands twice.
    #[error("place {expected} is missing: {found} follows")]
    Gap { expected: u64, found: u64 },
    /// An event, or its link to the one before, is not what was appended.
    #[error("place {place} ({subject}): the event or its order was altered")]
    Altered { place: u64, subject: String },
    /// Words are not those that were appended.
    #[error("place {place} ({subject}): the words were altered")]
    Words { place: u64, subject: String },
    /// Words are gone, and no event says that they were erased by law.
    #[error("place {place} ({subject}): the words are gone without an erasure")]
    Gone { place: u64, subject: String },
    /// The chain ends before a seal, or is another one at its place.
    #[error("the seal of place {place} does not fit: the chain {why}")]
    Seal { place: u64, why: &'static str },
}

/// The head of the chain at a moment, to be written where whoever can write the database cannot.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Seal {
    /// How many events there are.
    pub place: u64,
    /// The hash of the last one.
    #[schema(value_type = String)]
    pub head: Digest,
    /// When it was taken, in milliseconds since the epoch.
    pub at_ms: i64,
}

/// A walk along the chain from its beginning; it holds one hash, however long the chain is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Walk {
    place: u64,
    head: Digest,
}

impl Link<'_> {
    /// The hash of this event behind the one before; the first follows [`Digest::default`].
    pub fn hash(&self, before: &Digest) -> Digest {
        let mut hash = Sha256::new();
        hash.update(EVENT);
        hash.update(before.0);
        hash.update(self.place.to_be_bytes());
        hash.update(self.at_ms.to_be_bytes());
        for text in [self.subject, self.event] {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
        match self.words {
            None => hash.update([0]),
            Some(words) => {
                hash.update([1]);
                hash.update(words.0);
            }
        }
        Digest(hash.finalize().into())
    }
}

/// The hash by which the chain holds words: salted, so that short words cannot be guessed once the salt is gone.
pub fn commit(salt: &[u8; 32], words: &str) -> Digest {
    let mut hash = Sha256::new();
    hash.update(WORDS);
    hash.update(salt);
    hash.update(words);
    Digest(hash.finalize().into())
}

impl Walk {
    /// The walk that has reached a place whose hash is known.
    pub fn from(place: u64, head: Digest) -> Self {
        Self { place, head }
    }

    /// How many events were walked.
    pub fn place(&self) -> u64 {
        self.place
    }

    /// The hash of the last one.
    pub fn head(&self) -> Digest {
        self.head
    }

    /// Goes on to the next event, which claims to have `hash`.
    ///
    /// # Errors
    /// When it is not the next one, or not what was appended.
    pub fn step(&mut self, link: &Link<'_>, hash: &Digest) -> Result<(), Break> {
        let expected = self.place + 1;
        if link.place != expected {
            return Err(Break::Gap { expected, found: link.place });
        }
        if link.hash(&self.head) != *hash {
            return Err(Break::Altered { place: link.place, subject: link.subject.to_owned() });
        }
        (self.place, self.head) = (link.place, *hash);
        Ok(())
    }

    /// Whether a seal of the place that was just reached fits.
    ///
    /// # Errors
    /// When the chain is another one.
    pub fn fits(&self, seal: &Seal) -> Result<(), Break> {
        let other = seal.place == self.place && seal.head != self.head;
        if other { Err(Break::Seal { place: seal.place, why: "was written anew" }) } else { Ok(()) }
    }

    /// Whether the chain, walked to its end, reaches a seal.
    ///
    /// # Errors
    /// When it ends before.
    pub fn reaches(&self, seal: &Seal) -> Result<(), Break> {
        if self.place < seal.place { Err(Break::Seal { place: seal.place, why: "ends before it" }) } else { Ok(()) }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self}")
    }
}

/// A text that is not 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a hash has 64 hexadecimal digits")]
pub struct NotADigest;

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        if text.len() != 64 || !text.is_ascii() {
            return Err(NotADigest);
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| NotADigest)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| NotADigest)?;
        }
        // `from_str_radix` takes "+1"; so that every hash has one way to be written, it is written again.
        let read = Digest(bytes);
        if read.to_string() == text { Ok(read) } else { Err(NotADigest) }
    }
}

impl TryFrom<&[u8]> for Digest {
    type Error = NotADigest;

    fn try_from(bytes: &[u8]) -> Result<Self, NotADigest> {
        bytes.try_into().map(Digest).map_err(|_| NotADigest)
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Seal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "cityline-seal 1 {} {} {}", self.place, self.head, self.at_ms)
    }
}

/// A line that is no seal.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0:?} is no seal; a seal is a line \"cityline-seal 1 PLACE HASH MS\"")]
pub struct NotASeal(pub String);

impl FromStr for Seal {
    type Err = NotASeal;

    fn from_str(line: &str) -> Result<Self, NotASeal> {
        let wrong = || NotASeal(line.chars().take(120).collect());
        let parts: Vec<&str> = line.split_whitespace().collect();
        let ["cityline-seal", "1", place, head, at_ms] = parts[..] else { return Err(wrong()) };
        let (place, at_ms) = (place.parse().map_err(|_| wrong())?, at_ms.parse().map_err(|_| wrong())?);
        Ok(Seal { place, head: head.parse().map_err(|_| wrong())?, at_ms })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn link(place: u64, event: &str) -> Link<'_> {
        Link { place, subject: "109-2026-000001", at_ms: 5, event, words: None }
    }

    #[test]
    fn a_chain_that_was_not_touched_holds_and_any_touch_shows() {
        let first = link(1, "{}").hash(&Digest::default());
        let second = Link { words: Some(commit(&[7; 32], "cold")), ..link(2, "{\"a\":1}") };
        let hash = second.hash(&first);
        let mut walk = Walk::default();
        walk.step(&link(1, "{}"), &first).unwrap();
        for touched in [
            Link { at_ms: 6, ..second },
            Link { subject: "109-2026-000002", ..second },
            Link { event: "{\"a\":2}", ..second },
            Link { words: None, ..second },
            Link { words: Some(commit(&[7; 32], "warm")), ..second },
        ] {
            assert!(matches!(walk.clone().step(&touched, &hash), Err(Break::Altered { place: 2, .. })), "{touched:?}");
        }
        assert_eq!(walk.clone().step(&Link { place: 3, ..second }, &hash), Err(Break::Gap { expected: 2, found: 3 }));
        walk.step(&second, &hash).unwrap();
        assert_eq!((walk.place(), walk.head()), (2, hash));
    }

    #[test]
    fn no_byte_moves_between_fields() {
        let (one, other) = (Link { subject: "ab", event: "c", ..link(1, "") }, Link { subject: "a", event: "bc", ..link(1, "") });
        assert_ne!(one.hash(&Digest::default()), other.hash(&Digest::default()));
    }

    #[test]
    fn a_seal_finds_a_chain_that_was_cut_or_written_anew() {
        let walk = Walk::from(9, Digest([1; 32]));
        let seal = Seal { place: 9, head: Digest([1; 32]), at_ms: 1 };
        assert_eq!(seal.to_string().parse::<Seal>().unwrap(), seal);
        assert!(walk.fits(&seal).is_ok() && walk.reaches(&seal).is_ok());
        assert!(walk.fits(&Seal { head: Digest([2; 32]), ..seal }).is_err());
        assert!(walk.reaches(&Seal { place: 10, ..seal }).is_err());
        for wrong in ["", "cityline-seal 2 1 00 1", "cityline-seal 1 x 00 1"] {
            assert!(wrong.parse::<Seal>().is_err());
        }
    }
}
