//! What was counted minute by minute, not longer ago than is asked for? A short row of whole minutes.

use std::collections::VecDeque;

use crate::centre::time::Time;

/// A minute, in milliseconds.
pub const MINUTE_MS: u64 = 60_000;

/// Minutes that are kept: two hours, and the five minutes that have begun.
pub const KEPT: u64 = 125;

/// Counts of the last [`KEPT`] minutes in which there was anything to count.
#[derive(Clone, Debug, Default)]
pub struct Rolling<T> {
    past: VecDeque<(u64, T)>,
    last: (u64, T),
}

impl<T: Default> Rolling<T> {
    /// The counts of the minute of this moment. A moment before the last one counts with the last.
    pub fn at(&mut self, at: Time) -> &mut T {
        self.of_minute(at.0 / MINUTE_MS)
    }

    fn of_minute(&mut self, minute: u64) -> &mut T {
        if minute > self.last.0 {
            self.past.push_back(std::mem::replace(&mut self.last, (minute, T::default())));
        }
        while self.past.front().is_some_and(|(first, _)| first + KEPT <= minute) {
            self.past.pop_front();
        }
        &mut self.last.1
    }

    /// The counts of the `minutes` whole minutes that end with the one of `now`, the oldest first, each with its beginning.
    pub fn last(&self, minutes: u64, now: Time) -> impl Iterator<Item = (Time, &T)> {
        let first = first_minute(minutes, now);
        let all = self.past.iter().chain(std::iter::once(&self.last));
        all.filter(move |(minute, _)| *minute >= first).map(|(minute, counted)| (Time(minute * MINUTE_MS), counted))
    }

    /// Tells each minute that a span touches how much of it lies there, in milliseconds; what is longer ago than is kept is left out.
    pub fn spread(&mut self, from: Time, to: Time, mut tell: impl FnMut(&mut T, u64)) {
        let last = to.0 / MINUTE_MS;
        for minute in (from.0 / MINUTE_MS).max(last.saturating_sub(KEPT - 1))..=last {
            let begins = from.0.max(minute * MINUTE_MS);
            let ends = to.0.min((minute + 1) * MINUTE_MS);
            if ends > begins {
                tell(self.of_minute(minute), ends - begins);
            }
        }
    }
}

/// The first of so many minutes that end with the one of `now`.
fn first_minute(minutes: u64, now: Time) -> u64 {
    (now.0 / MINUTE_MS + 1).saturating_sub(minutes)
}

/// When a window of so many minutes begins.
pub fn window_begins(minutes: u64, now: Time) -> Time {
    Time(first_minute(minutes, now) * MINUTE_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_to_each_minute_that_it_touches() {
        let mut rolling = Rolling::<u64>::default();
        rolling.spread(Time(30_000), Time(150_000), |counted, ms| *counted += ms);
        let told = |rolling: &Rolling<u64>, minutes, now| rolling.last(minutes, now).map(|(_, ms)| *ms).collect::<Vec<_>>();
        assert_eq!(told(&rolling, 10, Time(150_000)), [30_000, 60_000, 30_000]);
        assert_eq!(told(&rolling, 2, Time(150_000)), [60_000, 30_000]);
        assert_eq!(told(&rolling, 2, Time(240_000)), [] as [u64; 0]);
    }

    #[test]
    fn years_leave_two_hours() {
        let mut rolling = Rolling::<u64>::default();
        for minute in 0..100_000 {
            *rolling.at(Time(minute * MINUTE_MS)) += 1;
        }
        rolling.spread(Time(0), Time(100_000 * MINUTE_MS), |counted, ms| *counted += ms);
        assert!((rolling.past.len() as u64) < KEPT);
    }
}
