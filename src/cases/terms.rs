//! How soon must somebody react, and how soon must it be solved? A versioned table by topic, organisation and priority.

use serde::{Deserialize, Serialize};

use super::ids::{OrganisationId, TopicId};
use crate::centre::schedule::Calendar;
use crate::centre::time::Time;

use super::worktime;

/// How pressing a case is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// As everything else.
    #[default]
    Normal,
    /// Before the others.
    High,
    /// Life, health or a whole street depends on it.
    Urgent,
}

/// A length of time, and which clock measures it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Span {
    /// Its length in milliseconds.
    pub ms: u64,
    /// Whether the organisation's working time is counted, or the time of day and night.
    pub counts: Counts,
}

/// Which time a span counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counts {
    /// Working time of the organisation's calendar.
    Working,
    /// Every minute of day and night.
    Always,
}

/// One line of the table. What it leaves open is any.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Term {
    /// The topic and all below it.
    #[serde(default)]
    pub topic: Option<TopicId>,
    /// The organisation that executes.
    #[serde(default)]
    pub organisation: Option<OrganisationId>,
    /// The case's priority.
    #[serde(default)]
    pub priority: Option<Priority>,
    /// Until the organisation has taken it on.
    pub reaction: Span,
    /// Until it is done.
    pub resolution: Span,
}

/// The terms that hold from a moment on, until the next version holds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Version {
    /// 1.. in the order of approval.
    pub version: u32,
    /// From when on it holds for cases that are registered or reopened.
    pub valid_from: Time,
    /// Its lines, in any order.
    pub terms: Vec<Term>,
}

/// All versions. A case keeps the terms of the moment from which its clocks count.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct TermsTable {
    /// In any order; of two that hold from the same moment the higher version wins.
    pub versions: Vec<Version>,
}

impl TermsTable {
    /// The version in force at a moment and its line for a case; `None` where nothing was approved for it.
    ///
    /// The line that says most wins: the organisation before the topic, a deeper topic before a shallower one, then the priority. Of
    /// equals the first.
    pub fn term(&self, at: Time, topic: &TopicId, organisation: &OrganisationId, priority: Priority) -> Option<(u32, &Term)> {
        let version =
            self.versions.iter().filter(|version| version.valid_from <= at).max_by_key(|version| (version.valid_from, version.version))?;
        let fits = |term: &&Term| {
            term.topic.as_ref().is_none_or(|wide| topic.is_within(wide))
                && term.organisation.as_ref().is_none_or(|named| named == organisation)
                && term.priority.is_none_or(|named| named == priority)
        };
        let says = |term: &Term| (term.organisation.is_some(), term.topic.as_ref().map_or(0, TopicId::depth), term.priority.is_some());
        let best = version.terms.iter().filter(fits).rev().max_by_key(|term| says(term))?;
        Some((version.version, best))
    }
}

impl Span {
    /// The moment at which the span is over; `None` where the calendar has not that much working time in ten years.
    pub fn after(self, calendar: &Calendar, from: Time) -> Option<Time> {
        match self.counts {
            Counts::Working => worktime::after(calendar, from, self.ms),
            Counts::Always => Some(from.plus_ms(self.ms)),
        }
    }
}

impl Counts {
    /// Milliseconds in `[from, to)` that count.
    pub fn between(self, calendar: &Calendar, from: Time, to: Time) -> u64 {
        match self {
            Counts::Working => worktime::between(calendar, from, to),
            Counts::Always => to.ms_since(from),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn term(topic: Option<&str>, organisation: Option<&str>, priority: Option<Priority>, hours: u64) -> Term {
        let span = Span { ms: hours * 3_600_000, counts: Counts::Always };
        Term {
            topic: topic.map(TopicId::from),
            organisation: organisation.map(OrganisationId::from),
            priority,
            reaction: span,
            resolution: span,
        }
    }

    #[test]
    fn the_line_that_says_most_wins() {
        let terms = vec![
            term(None, None, None, 100),
            term(Some("heating"), None, None, 50),
            term(Some("heating"), None, Some(Priority::Urgent), 10),
            term(Some("heating/flat"), None, None, 20),
            term(None, Some("heat-networks"), None, 5),
        ];
        let table = TermsTable { versions: vec![Version { version: 1, valid_from: Time(0), terms }] };
        let hours = |topic: &str, organisation: &str, priority| {
            table.term(Time(1), &topic.into(), &organisation.into(), priority).unwrap().1.reaction.ms / 3_600_000
        };
        assert_eq!(hours("roads", "city", Priority::Normal), 100);
        assert_eq!(hours("heating/yard", "city", Priority::Normal), 50);
        assert_eq!(hours("heating/yard", "city", Priority::Urgent), 10);
        assert_eq!(hours("heating/flat/cold", "city", Priority::Urgent), 20, "the topic before the priority");
        assert_eq!(hours("heating/flat", "heat-networks", Priority::Urgent), 5, "the organisation before all");
    }

    #[test]
    fn a_case_keeps_the_terms_of_its_day() {
        let version = |version, from, hours| Version { version, valid_from: Time(from), terms: vec![term(None, None, None, hours)] };
        let table = TermsTable { versions: vec![version(2, 1_000, 24), version(1, 10, 72), version(3, 1_000, 12)] };
        let at = |ms| table.term(Time(ms), &"roads".into(), &"city".into(), Priority::Normal).map(|(version, _)| version);
        assert_eq!((at(9), at(10), at(999), at(1_000)), (None, Some(1), Some(1), Some(3)));
    }
}
