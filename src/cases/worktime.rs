//! When is a span of an organisation's working time over, and how much of it lies between two moments?

use crate::centre::schedule::Calendar;
use crate::centre::time::Time;

const DAY_MS: i64 = 86_400_000;
const MINUTE_MS: i64 = 60_000;

/// How far working time is looked for: a calendar that is closed for longer has none.
const HORIZON_DAYS: i64 = 3_660;

/// The moment at which `span_ms` of working time have passed since `from`; a span of 0 ends at once, also by night.
///
/// `None` where the calendar has not that much working time in ten years.
pub fn after(calendar: &Calendar, from: Time, span_ms: u64) -> Option<Time> {
    let mut left = i64::try_from(span_ms).ok()?;
    if left == 0 {
        return Some(from);
    }
    let start = signed(from);
    for (opens, closes) in open_spans(calendar, start, start.checked_add(HORIZON_DAYS * DAY_MS)?) {
        let length = closes - opens;
        if left <= length {
            return Some(Time(u64::try_from(opens + left).ok()?));
        }
        left -= length;
    }
    None
}

/// Milliseconds of working time in `[from, to)`, 0 where `to` is not later; of the first ten years, where it lies further ahead.
pub fn between(calendar: &Calendar, from: Time, to: Time) -> u64 {
    let from = signed(from);
    let spans = open_spans(calendar, from, signed(to).min(from.saturating_add(HORIZON_DAYS * DAY_MS)));
    spans.map(|(opens, closes)| u64::try_from(closes - opens).unwrap_or(0)).sum()
}

/// The open spans in `[from, to)`, ascending, in milliseconds since the epoch.
///
/// A span of the local clock is looked for within each stretch of equal offset: what a clock that is put forward leaves out is no working
/// time, and what it repeats when it is put back is worked twice, which is what [`Calendar::is_open`] says of every moment.
fn open_spans(calendar: &Calendar, from: i64, to: i64) -> impl Iterator<Item = (i64, i64)> + '_ {
    stretches(calendar, from, to).flat_map(move |(begins, ends, ahead_ms)| {
        let days = (begins + ahead_ms).div_euclid(DAY_MS)..=(ends - 1 + ahead_ms).div_euclid(DAY_MS);
        days.flat_map(move |day| {
            let midnight = day * DAY_MS - ahead_ms;
            let hours = calendar
                .hours(day)
                .iter()
                .map(move |&(from, to)| (midnight + i64::from(from) * MINUTE_MS, midnight + i64::from(to) * MINUTE_MS));
            hours.map(move |(opens, closes)| (opens.max(begins), closes.min(ends))).filter(|(opens, closes)| opens < closes)
        })
    })
}

/// Parts of `[from, to)` in which the local clock is the same way ahead of UTC: begin, end, milliseconds ahead.
fn stretches(calendar: &Calendar, from: i64, to: i64) -> impl Iterator<Item = (i64, i64, i64)> + '_ {
    let offsets = &calendar.offsets;
    let count = offsets.len().max(1);
    (0..count).filter_map(move |i| {
        let begins = if i == 0 { i64::MIN } else { offsets.get(i).map_or(i64::MIN, |(at, _)| *at) };
        let ends = offsets.get(i + 1).map_or(i64::MAX, |(at, _)| *at);
        let ahead_ms = offsets.get(i).map_or(0, |(_, minutes)| i64::from(*minutes) * MINUTE_MS);
        let (begins, ends) = (begins.max(from), ends.min(to));
        (begins < ends).then_some((begins, ends, ahead_ms))
    })
}

fn signed(time: Time) -> i64 {
    // Half of the range is 146 million years; sums with the horizon stay within it.
    i64::try_from(time.0).unwrap_or(i64::MAX / 2).min(i64::MAX / 2)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const HOUR: u64 = 3_600_000;
    // 2026-11-20 is a Friday, 00:00 UTC; Kostanay is five hours ahead.
    const FRIDAY: u64 = 1_795_132_800_000;

    fn office() -> Calendar {
        let mut week: [Vec<(u16, u16)>; 7] = std::array::from_fn(|_| vec![(9 * 60, 13 * 60), (14 * 60, 18 * 60)]);
        week[5].clear();
        week[6].clear();
        Calendar { offsets: vec![(0, 300)], week, special: std::collections::BTreeMap::new() }
    }

    #[test]
    fn a_span_ends_on_the_next_working_day() {
        let from = Time(FRIDAY + 12 * HOUR); // Friday 17:00 there.
        assert_eq!(after(&office(), from, HOUR).unwrap(), Time(FRIDAY + 13 * HOUR), "to the last minute of Friday");
        assert_eq!(after(&office(), from, 2 * HOUR).unwrap(), Time(FRIDAY + (72 + 5) * HOUR), "Monday 10:00");
        assert_eq!(after(&office(), Time(FRIDAY + 20 * HOUR), 0).unwrap(), Time(FRIDAY + 20 * HOUR));
    }

    #[test]
    fn the_lunch_hour_and_holidays_do_not_count() {
        let mut calendar = office();
        assert_eq!(between(&calendar, Time(FRIDAY), Time(FRIDAY + 24 * HOUR)), 8 * HOUR);
        calendar.special.insert(i32::try_from(FRIDAY / 86_400_000).unwrap(), vec![(600, 660)]);
        assert_eq!(between(&calendar, Time(FRIDAY), Time(FRIDAY + 24 * HOUR)), HOUR);
    }

    #[test]
    fn a_calendar_that_never_opens_ends_nothing() {
        let closed = Calendar { offsets: Vec::new(), week: Default::default(), special: Default::default() };
        assert_eq!(after(&closed, Time(FRIDAY), 1), None);
        assert_eq!(between(&closed, Time(0), Time(u64::MAX)), 0);
    }

    #[test]
    fn a_clock_put_back_is_worked_twice_and_one_put_forward_leaves_out() {
        let change = i64::try_from(FRIDAY).unwrap() + 3 * 3_600_000;
        let night = Calendar { week: std::array::from_fn(|_| vec![(0, 1440)]), ..office() };
        for minutes in [240, 360] {
            let calendar = Calendar { offsets: vec![(0, 300), (change, minutes)], ..night.clone() };
            assert_eq!(between(&calendar, Time(FRIDAY), Time(FRIDAY + 24 * HOUR)), 24 * HOUR, "round the clock is round the clock");
        }
        let early = Calendar { week: std::array::from_fn(|_| vec![(7 * 60, 9 * 60)]), ..office() };
        let back = Calendar { offsets: vec![(0, 300), (change, 240)], ..early.clone() };
        let forward = Calendar { offsets: vec![(0, 300), (change, 360)], ..early };
        // At 08:00 local the clock goes back to 07:00, or forward to 09:00.
        assert_eq!(between(&back, Time(FRIDAY), Time(FRIDAY + 6 * HOUR)), 3 * HOUR);
        assert_eq!(between(&forward, Time(FRIDAY), Time(FRIDAY + 6 * HOUR)), HOUR);
    }
}
