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
    /// From where a name has signed in rightly, and when it last did; when the table is full the oldest goes. Strangers who guess at the name
    /// from everywhere do not lock it there.
    known: BTreeMap<(String, IpAddr), Time>,
}

/// Who tries: a name, from where, and for how many that address speaks.
#[derive(Clone, Copy)]
pub(super) struct From<'a> {
    /// The name as it was typed.
    pub name: &'a str,
    /// The address; of IPv6 the /64.
    pub address: IpAddr,
    /// So many people may come from there: more than one behind a proxy of this machine.
    pub people: u32,
}

impl Guesses {
    /// Counts a try before it is checked, so that many at once gain nothing; [`Guesses::right`] takes it back.
    /// While locked the seconds until the next try are returned and nothing is counted.
    pub fn try_one(&mut self, who: From<'_>, now: Time) -> Result<(), u64> {
        let keys = keys(who);
        let at_home = self.known.contains_key(&(who.name.to_owned(), who.address));
        for (key, most) in keys.iter().filter(|(key, _)| !at_home || !matches!(key, Key::Name(_))) {
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
    pub fn right(&mut self, who: From<'_>, now: Time) {
        self.half_right(who);
        let [(pair, _), ..] = keys(who);
        self.counts.remove(&pair);
        self.known.insert((who.name.to_owned(), who.address), now);
        if self.known.len() > KEPT {
            let oldest = self.known.iter().min_by_key(|(_, at)| **at).map(|(key, _)| key.clone());
            oldest.map(|oldest| self.known.remove(&oldest));
        }
    }

    /// The password was right, and a code is asked for yet: name and address lose this try, the pair keeps it until the code has come.
    pub fn half_right(&mut self, who: From<'_>) {
        let [_, others @ ..] = keys(who);
        for (key, _) in others {
            if let Some(count) = self.counts.get_mut(&key) {
                count.wrong = count.wrong.saturating_sub(1);
            }
        }
    }

    /// Until when nobody is let in by this name, from some address or from all.
    pub fn locked_until(&self, name: &str, now: Time) -> Option<Time> {
        let locks = |(key, most): (&Key, u32)| self.fresh(key, now).filter(|count| count.wrong >= most);
        let last = self.counts.keys().filter_map(|key| of_name(key, name)).filter_map(locks).map(|count| count.last).max()?;
        Some(Time(last.0.saturating_add(FORGOTTEN_MS)))
    }

    /// Whoever has guessed wrongly at this name may try anew. Addresses that have guessed at many names stay locked.
    pub fn forgive(&mut self, name: &str) {
        self.counts.retain(|key, _| of_name(key, name).is_none());
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

/// A count of this name, with how many it takes to lock.
fn of_name<'a>(key: &'a Key, name: &str) -> Option<(&'a Key, u32)> {
    match key {
        Key::Pair(known, _) if known == name => Some((key, PAIR)),
        Key::Name(known) if known == name => Some((key, ALONE)),
        Key::Pair(..) | Key::Name(_) | Key::Address(_) => None,
    }
}

fn keys(From { name, address, people }: From<'_>) -> [(Key, u32); 3] {
    let all = ALONE.saturating_mul(people);
    [(Key::Pair(name.to_owned(), address), PAIR), (Key::Name(name.to_owned()), ALONE), (Key::Address(address), all)]
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn here(name: &str) -> From<'_> {
        From { name, address: HERE, people: 1 }
    }

    #[test]
    fn five_wrong_passwords_lock_and_a_quarter_of_an_hour_opens() {
        let mut guesses = Guesses::default();
        for at in 0..5 {
            assert_eq!(guesses.try_one(here("aigul"), Time(at)), Ok(()));
        }
        assert_eq!(guesses.try_one(here("aigul"), Time(5)), Err(900));
        assert_eq!(guesses.try_one(here("olena"), Time(5)), Ok(()), "another name is free");
        assert_eq!(guesses.try_one(here("aigul"), Time(4 + FORGOTTEN_MS)), Ok(()));
    }

    #[test]
    fn a_name_is_locked_until_it_is_forgiven() {
        let mut guesses = Guesses::default();
        for at in 0..5 {
            assert_eq!(guesses.locked_until("aigul", Time(at)), None);
            assert_eq!(guesses.try_one(here("aigul"), Time(at)), Ok(()));
        }
        assert_eq!(guesses.locked_until("aigul", Time(5)), Some(Time(4 + FORGOTTEN_MS)));
        assert_eq!(guesses.locked_until("olena", Time(5)), None);
        guesses.forgive("aigul");
        assert_eq!(guesses.locked_until("aigul", Time(5)), None);
        assert_eq!(guesses.try_one(here("aigul"), Time(5)), Ok(()));
    }

    #[test]
    fn a_right_password_forgives_the_pair() {
        let mut guesses = Guesses::default();
        for round in 0..20 {
            for _ in 0..4 {
                assert_eq!(guesses.try_one(here("aigul"), Time(round * FORGOTTEN_MS)), Ok(()));
            }
            guesses.right(here("aigul"), Time(round * FORGOTTEN_MS));
        }
    }

    #[test]
    fn the_table_stays_bounded() {
        let mut guesses = Guesses::default();
        for n in 0..12_000u32 {
            let from = IpAddr::V4((0x0a00_0000 + n).into());
            assert_eq!(guesses.try_one(From { name: &format!("name-{n}"), address: from, people: 1 }, Time(u64::from(n))), Ok(()));
        }
        assert!(guesses.counts.len() <= KEPT);
    }

    #[test]
    fn an_office_that_signs_in_with_codes_locks_nobody_out() {
        let mut guesses = Guesses::default();
        for n in 0..200 {
            let name = format!("name-{n}");
            let who = From { name: &name, address: HERE, people: 1 };
            assert_eq!(guesses.try_one(who, Time(n)), Ok(()), "{n}");
            guesses.half_right(who);
            assert_eq!(guesses.try_one(who, Time(n)), Ok(()), "{n}");
            guesses.right(who, Time(n));
        }
        assert_eq!(guesses.try_one(here("aigul"), Time(300)), Ok(()));
    }

    #[test]
    fn strangers_do_not_lock_a_name_where_it_is_at_home() {
        let mut guesses = Guesses::default();
        guesses.right(here("admin"), Time(0));
        for n in 0..60u32 {
            let address = IpAddr::V4((0x0a00_0000 + n).into());
            let _ = guesses.try_one(From { name: "admin", address, people: 1 }, Time(1));
        }
        let abroad = From { name: "admin", address: IpAddr::V4(0x0b00_0000.into()), people: 1 };
        assert!(guesses.try_one(abroad, Time(2)).is_err());
        assert_eq!(guesses.try_one(here("admin"), Time(2)), Ok(()));
    }
}
