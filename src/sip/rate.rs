//! Is it too many? Counters that let so much through in so long, in bounded memory.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;

use crate::centre::time::Time;

/// A token bucket of one second's worth.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    per_second: u32,
    /// Thousandths of a token.
    left: u64,
    at: Time,
}

impl Bucket {
    /// Lets `per_second` through each second; 0 lets everything through.
    pub fn new(per_second: u32, now: Time) -> Bucket {
        Bucket { per_second, left: u64::from(per_second) * 1000, at: now }
    }

    /// Takes one; false when there is none left.
    pub fn take(&mut self, now: Time) -> bool {
        if self.per_second == 0 {
            return true;
        }
        let grown = now.ms_since(self.at).saturating_mul(u64::from(self.per_second));
        self.left = self.left.saturating_add(grown).min(u64::from(self.per_second) * 1000);
        self.at = now;
        let granted = self.left >= 1000;
        self.left -= if granted { 1000 } else { 0 };
        granted
    }
}

/// Wrong passwords a source may try for a user in [`WINDOW_MS`].
const GUESSES: u32 = 10;
/// How long guesses are counted, and how long a source is shut out of a user after too many.
const WINDOW_MS: u64 = 60_000;
/// Counters kept; when the table is full, those whose time is over go, and if none is, all go.
const MOST_COUNTERS: usize = 4096;

/// Who guesses whose password. Each user counts apart, so that one wrong phone does not shut out all that share its address.
#[derive(Debug, Default)]
pub struct Guesses {
    /// By address and hashed user: the name may be of any length, and need not be one of ours.
    counters: HashMap<(IpAddr, u64), (u32, Time)>,
    hasher: RandomState,
}

impl Guesses {
    /// Whether this source has guessed wrong too often for this user.
    pub fn is_shut_out(&self, source: IpAddr, user: &str, now: Time) -> bool {
        self.counters
            .get(&(source, self.hasher.hash_one(user)))
            .is_some_and(|(count, since)| *count >= GUESSES && now.ms_since(*since) < WINDOW_MS)
    }

    /// Counts a wrong guess.
    pub fn wrong(&mut self, source: IpAddr, user: &str, now: Time) {
        if self.counters.len() >= MOST_COUNTERS {
            self.counters.retain(|_, (_, since)| now.ms_since(*since) < WINDOW_MS);
            if self.counters.len() >= MOST_COUNTERS {
                self.counters.clear();
            }
        }
        let entry = self.counters.entry((source, self.hasher.hash_one(user))).or_insert((0, now));
        if now.ms_since(entry.1) >= WINDOW_MS {
            *entry = (0, now);
        }
        entry.0 += 1;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_bucket_fills_again() {
        let mut bucket = Bucket::new(2, Time(0));
        assert_eq!([0, 0, 0, 499, 500, 501].map(|ms| bucket.take(Time(ms))), [true, true, false, false, true, false]);
        assert!(Bucket::new(0, Time(0)).take(Time(0)));
    }

    #[test]
    fn guessing_is_shut_out_for_a_minute() {
        let (mut guesses, source) = (Guesses::default(), "203.0.113.9".parse().unwrap());
        (0..10).for_each(|_| guesses.wrong(source, "201", Time(1)));
        assert!(guesses.is_shut_out(source, "201", Time(60_000)));
        assert!(!guesses.is_shut_out(source, "201", Time(60_002)));
        assert!(!guesses.is_shut_out("203.0.113.8".parse().unwrap(), "201", Time(2)));
        assert!(!guesses.is_shut_out(source, "202", Time(2)));
        (0..5000).for_each(|n| guesses.wrong(source, &n.to_string(), Time(3)));
        assert!(guesses.counters.len() <= MOST_COUNTERS);
    }
}
