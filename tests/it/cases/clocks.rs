//! Do the clocks agree with a calculation of another kind? Minute by minute, by the zone database, over holidays and changes of the clock.

use chrono::{DateTime, NaiveDate, Timelike};
use chrono_tz::Tz;
use cityline::cases::worktime;
use cityline::centre::time::Time;
use cityline::config::Hours;

use super::{DAY, HOUR, YEAR_2026, always, office};
use crate::days::dice::Dice;

const MINUTE: u64 = 60_000;

/// Zones with their changes of 2026 within reach: Kyiv and London by an hour, Lord Howe by half of one, Qostanay by none.
const ZONES: [&str; 5] = ["Europe/Kyiv", "Asia/Qostanay", "Europe/London", "Australia/Lord_Howe", "America/New_York"];

/// Whether a minute is worked, by the local clock of the zone database and the hours as they are written.
struct Written<'h> {
    hours: &'h Hours,
    zone: Tz,
}

impl Written<'_> {
    fn works(&self, at_ms: u64) -> bool {
        let local = DateTime::from_timestamp_millis(at_ms.cast_signed()).unwrap().with_timezone(&self.zone);
        let date = local.date_naive();
        let spans = self.hours.special.get(&date.to_string()).or_else(|| self.hours.week.get(&weekday(date)));
        let minute = local.hour() * 60 + local.minute();
        spans.into_iter().flatten().any(|span| {
            let (from, to) = span.split_once('-').unwrap();
            (minutes(from)..minutes(to)).contains(&minute)
        })
    }

    /// Where so many worked minutes are over, walked one by one.
    fn after(&self, from_ms: u64, mut left: u64) -> u64 {
        let mut at = from_ms;
        while left > 0 {
            left -= u64::from(self.works(at));
            at += MINUTE;
        }
        at
    }
}

fn weekday(date: NaiveDate) -> String {
    date.format("%a").to_string().to_lowercase()
}

fn minutes(text: &str) -> u32 {
    let (hour, minute) = text.split_once(':').unwrap();
    hour.parse::<u32>().unwrap() * 60 + minute.parse::<u32>().unwrap()
}

#[test]
fn working_time_is_what_the_local_clock_says_minute_by_minute() {
    let mut dice = Dice::new(44);
    let mut spans = 0;
    for zone in ZONES {
        for hours in [office(zone), always(zone), nights(zone)] {
            let calendar = hours.calendar("tested").unwrap();
            let written = Written { hours: &hours, zone: zone.parse().unwrap() };
            for _ in 0..16 {
                let from = YEAR_2026 + dice.below(365 * 24 * 60) * MINUTE;
                let span = dice.below(40 * 60);
                let expected = if span == 0 { from } else { written.after(from, span) };
                assert_eq!(
                    worktime::after(&calendar, Time(from), span * MINUTE),
                    Some(Time(expected)),
                    "{zone}: {span} minutes from {}",
                    DateTime::from_timestamp_millis(from.cast_signed()).unwrap()
                );
                assert_eq!(worktime::between(&calendar, Time(from), Time(expected)), span * MINUTE, "{zone}");
                spans += 1;
            }
        }
    }
    assert_eq!(spans, 240);
}

/// Hours that the changes of the clock fall into.
fn nights(zone: &str) -> Hours {
    Hours { week: ["sat", "sun"].map(|day| (day.to_owned(), vec!["00:30-04:30".to_owned()])).into(), ..office(zone) }
}

#[test]
fn every_change_of_the_clock_is_met_on_both_sides() {
    for zone in ZONES {
        let hours = nights(zone);
        let calendar = hours.calendar("tested").unwrap();
        let written = Written { hours: &hours, zone: zone.parse().unwrap() };
        // Every night of the year, half an hour before and after each of its hours.
        for night in 0..365 {
            let from = YEAR_2026 + night * DAY;
            let worked = (0..24 * 60).filter(|minute| written.works(from + minute * MINUTE)).count() as u64;
            assert_eq!(worktime::between(&calendar, Time(from), Time(from + 24 * HOUR)), worked * MINUTE, "{zone}, night {night}");
        }
    }
}
