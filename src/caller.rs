//! Who calls? The number stays with the shells; the core gets a keyed hash of it.

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::centre::ids::CallerRef;
use crate::centre::time::Time;
use crate::private::Private;

/// The secret under which numbers are hashed: without it nobody can try all numbers against a journal.
#[derive(Clone)]
pub struct CallerKey([u8; 32]);

/// A number and its reference, for the store: the only place where the two meet for good.
#[derive(Clone, Debug)]
pub struct CallerSeen {
    /// What the core knows.
    pub caller: CallerRef,
    /// The normalised number, as it may be dialled.
    pub number: Private<String>,
    /// The name that the line gave, if any.
    pub name: Option<Private<String>>,
    /// When.
    pub at: Time,
}

impl CallerKey {
    /// The key of a data folder, from its stored 32 bytes.
    pub fn new(secret: [u8; 32]) -> Self {
        Self(secret)
    }

    /// Proves that these words were put together by whoever has the key: 24 hexadecimal digits (96 bits of an HMAC-SHA-256).
    pub fn proof(&self, words: &[&str]) -> String {
        self.mac(words).iter().take(12).map(|byte| format!("{byte:02x}")).collect()
    }

    /// A secret of 160 bits that follows from these words and the key alone, and tells nothing of it.
    pub fn secret(&self, words: &[&str]) -> Private<Vec<u8>> {
        Private::new(self.mac(words).into_iter().take(20).collect())
    }

    /// HMAC-SHA-256 of the words, 32 bytes.
    fn mac(&self, words: &[&str]) -> Vec<u8> {
        // A key of any length is a key.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return Vec::new() };
        // No number has a NUL: a proof is never a caller's reference.
        for word in words {
            mac.update(b"\0");
            mac.update(word.as_bytes());
        }
        mac.finalize().into_bytes().to_vec()
    }

    /// The reference of a number; 0 is kept for callers who withhold theirs.
    pub fn reference(&self, number: &Private<String>) -> CallerRef {
        if number.reveal().is_empty() {
            return CallerRef::WITHHELD;
        }
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return CallerRef::WITHHELD };
        mac.update(number.reveal().as_bytes());
        let hash = mac.finalize().into_bytes();
        let mut first = [0u8; 8];
        first.copy_from_slice(&hash[..8]);
        CallerRef(u64::from_be_bytes(first).max(1))
    }
}

/// A number as it is compared and dialled: digits with a leading `+` where the line gave one; empty for "anonymous".
pub fn normalise(user: &str) -> Private<String> {
    let kept: String = user.chars().enumerate().filter(|(at, c)| c.is_ascii_digit() || (*at == 0 && *c == '+')).map(|(_, c)| c).collect();
    Private::new(if kept == "+" { String::new() } else { kept })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_number_has_the_same_reference() {
        let key = CallerKey::new([7; 32]);
        assert_eq!(key.reference(&normalise("+7 (701) 123-45-45")), key.reference(&normalise("+77011234545")));
        assert_ne!(key.reference(&normalise("+77011234545")), key.reference(&normalise("+77011234546")));
        assert_ne!(key.reference(&normalise("1")), CallerKey::new([8; 32]).reference(&normalise("1")), "another key");
        assert_eq!(key.reference(&normalise("anonymous")), CallerRef(0));
    }

    #[test]
    fn a_proof_is_of_its_words_and_its_key() {
        let key = CallerKey::new([7; 32]);
        assert_eq!(key.proof(&["a", "b"]).len(), 24);
        assert_eq!(key.proof(&["a", "b"]), key.proof(&["a", "b"]));
        for other in [key.proof(&["ab"]), key.proof(&["b", "a"]), CallerKey::new([8; 32]).proof(&["a", "b"])] {
            assert_ne!(key.proof(&["a", "b"]), other);
        }
    }
}
