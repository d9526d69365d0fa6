//! Is the line open now? Opening hours in local time, with holidays, decided from the core's time alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::time::Time;

const DAY_MS: i64 = 86_400_000;
const MINUTE_MS: i64 = 60_000;
/// How far ahead the next change is looked for.
const LOOKS_AHEAD_DAYS: i64 = 9;

/// Opening hours. The time zone comes as a table of its offsets, so that the core needs no zone database.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Calendar {
    /// From each moment (milliseconds since the epoch, ascending) the local clock is this many minutes ahead of UTC.
    pub offsets: Vec<(i64, i32)>,
    /// Open spans of each weekday, Monday first, as minutes from midnight `[from, to)`, up to 1440, ascending and apart.
    pub week: [Vec<(u16, u16)>; 7],
    /// Days (local, counted from 1970-01-01) with hours of their own; an empty list is a closed day.
    pub special: BTreeMap<i32, Vec<(u16, u16)>>,
}

impl Calendar {
    /// A calendar that is always open.
    pub fn always() -> Self {
        Self { offsets: Vec::new(), week: std::array::from_fn(|_| vec![(0, 1440)]), special: BTreeMap::new() }
    }

    /// Whether the line is open at `now`, with the wall clock `stepped_ms` ahead of the core's time.
    pub fn is_open(&self, now: Time, stepped_ms: i64) -> bool {
        let utc = i64::try_from(now.0).unwrap_or(i64::MAX).saturating_add(stepped_ms);
        let local = utc.saturating_add(i64::from(self.offset_minutes(utc)) * MINUTE_MS);
        let day = local.div_euclid(DAY_MS);
        let minute = u16::try_from(local.rem_euclid(DAY_MS) / MINUTE_MS).unwrap_or(0);
        self.hours(day).iter().any(|&(from, to)| (from..to).contains(&minute))
    }

    /// The open spans of a local day, counted from 1970-01-01, as minutes from its midnight.
    pub fn hours(&self, day: i64) -> &[(u16, u16)] {
        i32::try_from(day).ok().and_then(|day| self.special.get(&day)).unwrap_or_else(|| self.weekday(day))
    }

    /// 1970-01-01 was a Thursday, which is weekday 3 when Monday is 0.
    fn weekday(&self, day: i64) -> &Vec<(u16, u16)> {
        let index = usize::try_from((day + 3).rem_euclid(7)).unwrap_or(0);
        &self.week[index.min(6)]
    }

    /// When the line opens or closes next; where that is more than a week ahead, a moment before it at which to ask again. `None` for hours
    /// that never change.
    pub fn next_change(&self, now: Time, stepped_ms: i64) -> Option<Time> {
        if self.special.is_empty() && self.week.iter().all(|spans| *spans == self.week[0] && (spans.is_empty() || **spans == [(0, 1440)])) {
            return None;
        }
        let is_open = self.is_open(now, stepped_ms);
        let utc = i64::try_from(now.0).unwrap_or(i64::MAX).saturating_add(stepped_ms);
        let day = (utc + i64::from(self.offset_minutes(utc)) * MINUTE_MS).div_euclid(DAY_MS);
        let mut moments: Vec<i64> = (day - 1..=day + LOOKS_AHEAD_DAYS).flat_map(|day| self.changes(day)).collect();
        moments.extend(self.offsets.iter().map(|(from, _)| *from));
        moments.sort_unstable();
        let core = |utc: i64| u64::try_from(utc.saturating_sub(stepped_ms)).map(Time).unwrap_or_default();
        let later = moments.into_iter().map(core).filter(|at| *at > now && at.ms_since(now) < LOOKS_AHEAD_DAYS.unsigned_abs() * 86_400_000);
        let next = later.into_iter().find(|at| self.is_open(*at, stepped_ms) != is_open);
        Some(next.unwrap_or(now.plus_ms((LOOKS_AHEAD_DAYS.unsigned_abs() - 1) * 86_400_000)))
    }

    /// The last midnight of the local clock; `now` where it is midnight.
    fn last_midnight(&self, now: Time, stepped_ms: i64) -> Time {
        self.midnight(now, stepped_ms, 0)
    }

    /// The next midnight of the local clock.
    pub fn next_midnight(&self, now: Time, stepped_ms: i64) -> Time {
        self.midnight(now, stepped_ms, 1)
    }

    /// The midnight at which the local day begins that is so many days after that of `now`.
    fn midnight(&self, now: Time, stepped_ms: i64, days: i64) -> Time {
        let utc = i64::try_from(now.0).unwrap_or(i64::MAX).saturating_add(stepped_ms);
        let local = utc.saturating_add(i64::from(self.offset_minutes(utc)) * MINUTE_MS);
        let midnight = local.div_euclid(DAY_MS).saturating_add(days).saturating_mul(DAY_MS);
        // The offset may change on the way there: that of the last moment before counts.
        let about = midnight.saturating_sub(i64::from(self.offset_minutes(utc)) * MINUTE_MS);
        let there = midnight.saturating_sub(i64::from(self.offset_minutes(about.saturating_sub(1))) * MINUTE_MS);
        u64::try_from(there.saturating_sub(stepped_ms)).map(Time).unwrap_or_default()
    }

    /// The end of what is open now, if it has been open since before the last midnight: a night that belongs to the day before.
    pub fn end_of_the_night(&self, now: Time, stepped_ms: i64) -> Option<Time> {
        let midnight = self.last_midnight(now, stepped_ms);
        let before = Time(midnight.0.saturating_sub(1));
        let ends = self.next_change(now, stepped_ms)?;
        let since_before = self.is_open(now, stepped_ms) && self.is_open(before, stepped_ms);
        (since_before && self.next_change(before, stepped_ms) == Some(ends)).then_some(ends)
    }

    /// The end of the last span that goes on now or begins before the next midnight; it may lie on the day after.
    pub fn end_of_the_day(&self, now: Time, stepped_ms: i64) -> Option<Time> {
        let midnight = self.next_midnight(now, stepped_ms);
        let (mut at, mut last) = (now, None);
        while at < midnight {
            let next = self.next_change(at, stepped_ms).filter(|next| *next > at)?;
            if self.is_open(at, stepped_ms) {
                last = Some(next);
            }
            at = next;
        }
        last
    }

    /// The moments, in UTC, at which spans of a local day may begin or end: by each offset that may hold then.
    fn changes(&self, day: i64) -> Vec<i64> {
        let midnight = day.saturating_mul(DAY_MS);
        let offsets: std::collections::BTreeSet<i32> =
            [-DAY_MS, 0, DAY_MS].into_iter().map(|around| self.offset_minutes(midnight.saturating_add(around))).collect();
        let minutes = self.hours(day).iter().flat_map(|&(from, to)| [from, to]);
        minutes
            .flat_map(|minute| offsets.iter().map(move |offset| midnight + (i64::from(minute) - i64::from(*offset)) * MINUTE_MS))
            .collect()
    }

    fn offset_minutes(&self, utc: i64) -> i32 {
        self.offsets.iter().rev().find(|(from, _)| *from <= utc).or(self.offsets.first()).map_or(0, |(_, minutes)| *minutes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // 2026-11-20 is a Friday; Kostanay is five hours ahead of UTC.
    const FRIDAY_UTC: u64 = 1_795_132_800_000;

    fn office() -> Calendar {
        let mut week: [Vec<(u16, u16)>; 7] = std::array::from_fn(|_| vec![(9 * 60, 18 * 60)]);
        week[5].clear();
        week[6].clear();
        Calendar { offsets: vec![(0, 300)], week, special: BTreeMap::new() }
    }

    #[test]
    fn office_hours_follow_the_local_clock() {
        let at = |hours: u64| Time(FRIDAY_UTC + hours * 3_600_000);
        assert!(!office().is_open(at(3), 0), "08:00 local");
        assert!(office().is_open(at(4), 0), "09:00 local");
        assert!(!office().is_open(at(13), 0), "18:00 local");
        assert!(!office().is_open(at(28), 0), "Saturday");
    }

    #[test]
    fn a_special_day_replaces_the_week() {
        let mut calendar = office();
        let friday = i32::try_from(FRIDAY_UTC / 86_400_000).unwrap_or_default();
        calendar.special.insert(friday, Vec::new());
        assert!(!calendar.is_open(Time(FRIDAY_UTC + 6 * 3_600_000), 0));
    }

    #[test]
    fn an_offset_changes_with_daylight_saving() {
        let change = i64::try_from(FRIDAY_UTC).unwrap_or_default() + 4 * 3_600_000;
        let calendar = Calendar { offsets: vec![(0, 240), (change, 300)], ..office() };
        assert!(!calendar.is_open(Time(FRIDAY_UTC + 4 * 3_600_000 - 1), 0));
        assert!(calendar.is_open(Time(FRIDAY_UTC + 4 * 3_600_000), 0));
    }

    #[test]
    fn the_next_change_is_found_over_nights_holidays_and_the_change_of_the_clocks() {
        let at = |hours: u64| Time(FRIDAY_UTC + hours * 3_600_000);
        assert_eq!(office().next_change(at(0), 0), Some(at(4)), "opens at 09:00");
        assert_eq!(office().next_change(at(4), 0), Some(at(13)), "closes at 18:00");
        assert_eq!(office().next_change(at(13), 0), Some(at(76)), "on Monday, over the weekend");
        assert_eq!(Calendar::always().next_change(at(0), 0), None);
        let night = Calendar { week: std::array::from_fn(|_| vec![(0, 480), (1200, 1440)]), ..office() };
        assert_eq!(night.next_change(at(15), 0), Some(at(27)), "20:00 to 08:00: midnight changes nothing");
        let change = i64::try_from(FRIDAY_UTC).unwrap_or_default() + 6 * 3_600_000;
        let summer = Calendar { offsets: vec![(0, 300), (change, 240)], ..office() };
        assert_eq!(summer.next_change(at(5), 0), Some(at(14)), "an hour later, because the clocks were put back");
        assert_eq!(office().next_change(at(0), 3_600_000), Some(at(3)), "the wall clock is an hour ahead");
        assert_eq!(office().next_midnight(at(0), 0), at(19));
        assert_eq!(summer.next_midnight(at(5), 0), at(20), "the day has an hour more");
    }

    #[test]
    fn a_night_belongs_to_the_day_on_which_it_begins() {
        let at = |hours: u64| Time(FRIDAY_UTC + hours * 3_600_000);
        let week = |spans: &[(u16, u16)]| Calendar { week: std::array::from_fn(|_| spans.to_vec()), ..office() };
        let night = week(&[(0, 480), (1200, 1440)]);
        // 19:00 UTC is midnight there.
        assert_eq!(night.end_of_the_day(at(9), 0), Some(at(27)), "14:00: tonight's, until 08:00");
        assert_eq!(night.end_of_the_night(at(9), 0), None);
        assert_eq!((night.end_of_the_night(at(16), 0), night.end_of_the_day(at(16), 0)), (None, Some(at(27))), "21:00");
        assert_eq!(night.end_of_the_night(at(21), 0), Some(at(27)), "02:00: the one that began yesterday");
        let halves = week(&[(8 * 60, 12 * 60), (13 * 60, 17 * 60)]);
        assert_eq!(halves.end_of_the_day(at(4), 0), Some(at(12)), "09:00: until 17:00");
        assert_eq!(halves.end_of_the_day(at(13), 0), None, "18:00: nothing comes today");
        assert_eq!((Calendar::always().end_of_the_day(at(0), 0), Calendar::always().end_of_the_night(at(0), 0)), (None, None));
    }

    #[test]
    fn a_stepped_wall_clock_moves_the_hours() {
        assert!(office().is_open(Time(FRIDAY_UTC + 3 * 3_600_000), 3_600_000));
    }
}
