//! How many passwords may be guessed? A few for a name from one address, more for a name or an address alone; then a pause.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::centre::time::Time;

/// Wrong passwords for one name from one address.
const PAIR: u32 = 5;

/// Wrong passwords for one name from everywhere, and from one address for every name.
const ALONE: u32 = 50;

/// After this without a further guess a count is forgotten, in milliseconds.
const FORGOTTEN_MS: u64 = 15 * 60 * 1000;

/// Counts kept; when the table is full the one that is forgotten next goes.
const KEPT: usize = 10_000;

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Pair(String, IpAddr),
    Name(String),
    Address(IpAddr),
}

#[derive(Clone, Copy)]
struct Count {
    wrong: u32,
    last: Time,
}

/// Wrong passwords of the last minutes.
#[derive(Default)]
pub(super) struct Guesses {
    counts: BTreeMap<Key, Count>,
}

impl Guesses {
    /// Counts a try before it is checked, so that many at once gain nothing; [`Guesses::right`] takes it back.
    /// While locked the seconds until the next try are returned and nothing is counted.
    pub fn try_one(&mut self, name: &str, from: IpAddr, now: Time) -> Result<(), u64> {
        let keys = keys(name, from);
        for (key, most) in &keys {
            if let Some(count) = self.fresh(key, now).filter(|count| count.wrong >= *most) {
                return Err(FORGOTTEN_MS.saturating_sub(now.ms_since(count.last)) / 1000 + 1);
            }
        }
        for (key, _) in keys {
            let wrong = self.fresh(&key, now).map_or(0, |count| count.wrong) + 1;
            self.make_room(&key);
            self.counts.insert(key, Count { wrong, last: now });
        }
        Ok(())
    }

    /// The password was right: the pair starts afresh, the other two lose this try.
    pub fn right(&mut self, name: &str, from: IpAddr) {
        let [(pair, _), others @ ..] = keys(name, from);
        self.counts.remove(&pair);
        for (key, _) in others {
            if let Some(count) = self.counts.get_mut(&key) {
                count.wrong = count.wrong.saturating_sub(1);
            }
        }
    }

    fn fresh(&self, key: &Key, now: Time) -> Option<Count> {
        self.counts.get(key).copied().filter(|count| now.ms_since(count.last) < FORGOTTEN_MS)
    }

    fn make_room(&mut self, key: &Key) {
        if self.counts.len() < KEPT || self.counts.contains_key(key) {
            return;
        }
        let oldest = self.counts.iter().min_by_key(|(_, count)| count.last).map(|(key, _)| key.clone());
        if let Some(oldest) = oldest {
            self.counts.remove(&oldest);
        }
    }
}

fn keys(name: &str, from: IpAddr) -> [(Key, u32); 3] {
    [(Key::Pair(name.to_owned(), from), PAIR), (Key::Name(name.to_owned()), ALONE), (Key::Address(from), ALONE)]
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn five_wrong_passwords_lock_and_a_quarter_of_an_hour_opens() {
        let mut guesses = Guesses::default();
        for at in 0..5 {
            assert_eq!(guesses.try_one("aigul", HERE, Time(at)), Ok(()));
        }
        assert_eq!(guesses.try_one("aigul", HERE, Time(5)), Err(900));
        assert_eq!(guesses.try_one("olena", HERE, Time(5)), Ok(()), "another name is free");
        assert_eq!(guesses.try_one("aigul", HERE, Time(4 + FORGOTTEN_MS)), Ok(()));
    }

    #[test]
    fn a_right_password_forgives_the_pair() {
        let mut guesses = Guesses::default();
        for round in 0..20 {
            for _ in 0..4 {
                assert_eq!(guesses.try_one("aigul", HERE, Time(round * FORGOTTEN_MS)), Ok(()));
            }
            guesses.right("aigul", HERE);
        }
    }

    #[test]
    fn the_table_stays_bounded() {
        let mut guesses = Guesses::default();
        for n in 0..12_000u32 {
            let from = IpAddr::V4((0x0a00_0000 + n).into());
            assert_eq!(guesses.try_one(&format!("name-{n}"), from, Time(u64::from(n))), Ok(()));
        }
        assert!(guesses.counts.len() <= KEPT);
    }
}
