//! How do written opening hours become a calendar that needs no zone database?

use chrono::{Datelike, NaiveDate, NaiveTime, Offset, TimeZone, Timelike, Utc};
use chrono_tz::Tz;

use super::Hours;
use crate::centre::schedule::Calendar;

/// Offsets are tabled from this year to this one; transitions are found to the minute.
const YEARS: (i32, i32) = (2024, 2045);
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// The calendar of these hours, or what is wrong and the mend, one line a problem.
pub fn build(name: &str, hours: &Hours) -> Result<Calendar, Vec<String>> {
    let mut problems = Vec::new();
    let mut calendar = Calendar::default();
    match hours.zone.parse::<Tz>() {
        Ok(zone) => calendar.offsets = offsets(zone),
        Err(_) => {
            problems.push(format!("calendars.{name}.zone: no time zone is called {:?}; use a name such as \"Asia/Qostanay\"", hours.zone))
        }
    }
    for (day, spans) in &hours.week {
        match DAYS.iter().position(|known| known == day) {
            Some(index) => calendar.week[index] = spans_of(name, day, spans, &mut problems),
            None => problems.push(format!("calendars.{name}.week: no weekday is called {day:?}; use {}", DAYS.join(", "))),
        }
    }
    for (date, spans) in &hours.special {
        match date.parse::<NaiveDate>() {
            Ok(parsed) => {
                calendar.special.insert(days_since_1970(parsed), spans_of(name, date, spans, &mut problems));
            }
            Err(_) => problems.push(format!("calendars.{name}.special: {date:?} is no date; write it as 2026-12-16")),
        }
    }
    if problems.is_empty() { Ok(calendar) } else { Err(problems) }
}

fn days_since_1970(date: NaiveDate) -> i32 {
    date.num_days_from_ce() - NaiveDate::default().num_days_from_ce()
}

fn spans_of(name: &str, day: &str, spans: &[String], problems: &mut Vec<String>) -> Vec<(u16, u16)> {
    let mut read = Vec::new();
    for span in spans {
        match span_of(span) {
            Some(minutes) => read.push(minutes),
            None => {
                problems.push(format!("calendars.{name}: {day} has {span:?}; write a span as \"09:00-18:00\", the end after the start"))
            }
        }
    }
    merged(read)
}

/// The spans in their order, with what overlaps or touches as one: sums of working time count each minute once.
fn merged(mut spans: Vec<(u16, u16)>) -> Vec<(u16, u16)> {
    spans.sort_unstable();
    let mut apart: Vec<(u16, u16)> = Vec::with_capacity(spans.len());
    for (from, to) in spans {
        match apart.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => apart.push((from, to)),
        }
    }
    apart
}

fn span_of(text: &str) -> Option<(u16, u16)> {
    let (from, to) = text.split_once('-')?;
    let (from, to) = (minute(from)?, minute(to)?);
    (from < to).then_some((from, to))
}

/// A time of day as minutes from midnight; "24:00" is the end of the day.
pub(super) fn minute(text: &str) -> Option<u16> {
    if text == "24:00" {
        return Some(1440);
    }
    let time = NaiveTime::parse_from_str(text, "%H:%M").ok()?;
    u16::try_from(time.hour() * 60 + time.minute()).ok()
}

/// Every change of the zone's offset: day by day, then to the minute by bisection.
fn offsets(zone: Tz) -> Vec<(i64, i32)> {
    let at =
        |ms: i64| Utc.timestamp_millis_opt(ms).single().map_or(0, |utc| utc.with_timezone(&zone).offset().fix().local_minus_utc() / 60);
    let year = |year: i32| NaiveDate::from_ymd_opt(year, 1, 1).map_or(0, |date| i64::from(days_since_1970(date)) * 86_400_000);
    let (from, to) = (year(YEARS.0), year(YEARS.1));
    let mut table = vec![(from, at(from))];
    let mut day = from;
    while day < to {
        let next = day + 86_400_000;
        if at(day) != at(next) {
            table.push((transition(day, next, at), at(next)));
        }
        day = next;
    }
    table
}

fn transition(before: i64, after: i64, at: impl Fn(i64) -> i32) -> i64 {
    let (mut low, mut high) = (before, after);
    while high - low > 60_000 {
        let middle = low + (high - low) / 120_000 * 60_000;
        if at(middle) == at(before) { low = middle } else { high = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::centre::time::Time;

    #[test]
    fn kyiv_hours_follow_daylight_saving() {
        let hours = Hours {
            zone: "Europe/Kyiv".into(),
            week: [("mon".to_owned(), vec!["08:00-17:00".to_owned()])].into(),
            special: Default::default(),
        };
        let calendar = build("office", &hours).unwrap();
        let utc = |y, m, d, h, min| Time(u64::try_from(Utc.with_ymd_and_hms(y, m, d, h, min, 0).unwrap().timestamp_millis()).unwrap());
        assert!(calendar.is_open(utc(2026, 7, 6, 5, 0), 0), "summer: three hours ahead");
        assert!(!calendar.is_open(utc(2026, 11, 23, 5, 59), 0), "winter: two hours ahead");
        assert!(calendar.is_open(utc(2026, 11, 23, 6, 0), 0));
    }

    #[test]
    fn every_problem_is_told() {
        let hours = Hours {
            zone: "Asia/Atlantis".into(),
            week: [("monday".to_owned(), vec![]), ("tue".to_owned(), vec!["18:00-09:00".to_owned()])].into(),
            special: [("16.12.2026".to_owned(), vec![])].into(),
        };
        assert_eq!(build("office", &hours).unwrap_err().len(), 4);
    }
}
