//! Do the rules of cases hold? Clocks against a calculation of another kind, and random walks over the states.

mod clocks;
mod walks;

use std::collections::BTreeMap;

use cityline::cases::decide::{Executor, PauseRule, Rules};
use cityline::cases::ids::{OrganisationId, TopicId};
use cityline::cases::terms::{Counts, Priority, Span, Term, TermsTable, Version};
use cityline::centre::time::Time;
use cityline::config::Hours;

pub const HOUR: u64 = 3_600_000;
pub const DAY: u64 = 24 * HOUR;
/// 2026-01-01 00:00 UTC.
pub const YEAR_2026: u64 = 1_767_225_600_000;

/// Hours of a zone, Monday to Friday with a lunch hour, with three days of their own.
pub fn office(zone: &str) -> Hours {
    let day = vec!["09:00-13:00".to_owned(), "14:00-18:00".to_owned()];
    Hours {
        zone: zone.to_owned(),
        week: ["mon", "tue", "wed", "thu", "fri"].map(|name| (name.to_owned(), day.clone())).into(),
        special: [("2026-03-23", vec![]), ("2026-03-28", vec!["00:00-06:00"]), ("2026-12-16", vec!["10:00-15:30"])]
            .map(|(date, spans): (&str, Vec<&str>)| (date.to_owned(), spans.into_iter().map(str::to_owned).collect()))
            .into(),
    }
}

/// Round the clock.
pub fn always(zone: &str) -> Hours {
    let day = vec!["00:00-24:00".to_owned()];
    Hours {
        zone: zone.to_owned(),
        week: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map(|name| (name.to_owned(), day.clone())).into(),
        special: BTreeMap::new(),
    }
}

/// Rules of a small city with three organisations in three time zones.
pub fn rules() -> Rules {
    let span = |hours, counts| Span { ms: hours * HOUR, counts };
    let term = |topic: Option<&str>, priority, reaction, resolution, counts| Term {
        topic: topic.map(TopicId::from),
        organisation: None,
        priority,
        reaction: span(reaction, counts),
        resolution: span(resolution, counts),
    };
    let terms = vec![
        term(None, None, 8, 80, Counts::Working),
        term(Some("heating"), None, 2, 24, Counts::Working),
        term(Some("heating"), Some(Priority::Urgent), 1, 6, Counts::Always),
    ];
    let calendar = |name: &str, hours: &Hours| (name.into(), hours.calendar(name).unwrap());
    let executor = |name: &str, calendar: &str, active| (OrganisationId::from(name), Executor { calendar: calendar.into(), active });
    Rules {
        terms: TermsTable { versions: vec![Version { version: 1, valid_from: Time(0), terms }] },
        calendars: [
            calendar("centre", &always("Asia/Qostanay")),
            calendar("kyiv", &office("Europe/Kyiv")),
            calendar("qostanay", &office("Asia/Qostanay")),
        ]
        .into(),
        centre: "centre".into(),
        organisations: [executor("heat", "kyiv", true), executor("roads", "qostanay", true), executor("gone", "kyiv", false)].into(),
        topics: ["heating", "heating/flat", "roads"].map(TopicId::from).into(),
        pauses: [
            ("frost".into(), PauseRule { longest_ms: 5 * DAY, by_organisation: true }),
            ("court".into(), PauseRule { longest_ms: 30 * DAY, by_organisation: false }),
        ]
        .into(),
        close_after_ms: 7 * DAY,
        control_calls: 2,
    }
}
