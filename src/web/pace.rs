//! How often may somebody ask what nobody needs to sign in for? So many times a window of time, each; then it is said when again.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::centre::time::Time;

/// Counts kept; when the table is full the one whose window ends first goes.
const KEPT: usize = 10_000;

/// Counts of one kind of question.
pub(super) struct Pace {
    most: u32,
    window_ms: u64,
    counts: Mutex<BTreeMap<String, Count>>,
}

#[derive(Clone, Copy)]
struct Count {
    asked: u32,
    ends: Time,
}

impl Pace {
    /// `most` questions in `window_ms` milliseconds.
    pub fn new(most: u32, window_ms: u64) -> Self {
        Self { most, window_ms, counts: Mutex::default() }
    }

    /// Counts a question of `who`, `times` as many of whom are let through; refused: the seconds until the next.
    pub fn ask(&self, who: &str, times: u32, now: Time) -> Result<(), u64> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = Count { asked: 0, ends: now.plus_ms(self.window_ms) };
        let count = counts.get(who).copied().filter(|count| count.ends > now).unwrap_or(fresh);
        if count.asked >= self.most.saturating_mul(times) {
            return Err(count.ends.ms_since(now) / 1000 + 1);
        }
        make_room(&mut counts, who);
        counts.insert(who.to_owned(), Count { asked: count.asked + 1, ..count });
        Ok(())
    }
}

fn make_room(counts: &mut BTreeMap<String, Count>, who: &str) {
    if counts.len() < KEPT || counts.contains_key(who) {
        return;
    }
    let first = counts.iter().min_by_key(|(_, count)| count.ends).map(|(who, _)| who.clone());
    if let Some(first) = first {
        counts.remove(&first);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_lets_so_many_through_and_the_next_as_many_again() {
        let pace = Pace::new(2, 60_000);
        let ask = |who, at| pace.ask(who, 1, Time(at));
        assert_eq!([ask("a", 0), ask("a", 10), ask("b", 10)], [Ok(()); 3]);
        assert_eq!(ask("a", 30_000), Err(31));
        assert_eq!(pace.ask("a", 10, Time(30_000)), Ok(()), "who speaks for ten");
        assert_eq!(ask("a", 60_000), Ok(()));
    }

    #[test]
    fn the_table_stays_bounded() {
        let pace = Pace::new(1, 60_000);
        for n in 0..KEPT as u64 + 2_000 {
            assert_eq!(pace.ask(&n.to_string(), 1, Time(n)), Ok(()));
        }
        assert!(pace.counts.lock().is_ok_and(|counts| counts.len() <= KEPT));
    }
}
