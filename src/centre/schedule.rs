//! Is the line open now? Opening hours in local time, with holidays, decided from the core's time alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::time::Time;

const DAY_MS: i64 = 86_400_000;
const MINUTE_MS: i64 = 60_000;

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
    fn a_stepped_wall_clock_moves_the_hours() {
        assert!(office().is_open(Time(FRIDAY_UTC + 3 * 3_600_000), 3_600_000));
    }
}
