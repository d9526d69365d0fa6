//! How are cases, topics, organisations and districts named, and how is a case numbered?

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::centre::ids::names;

names! {
    /// What a case is about, a path from the general to the particular: "heating/no-heating/flat".
    TopicId,
    /// A body that executes: a utility, a department, a building's management.
    OrganisationId,
    /// A part of the city.
    DistrictId,
    /// Working hours, by their name.
    WorkCalendarId,
    /// Why a clock may stand still, one of the stated rules ("frost", "resident-away").
    PauseRuleId,
    /// One cause behind several cases.
    IncidentId,
}

impl TopicId {
    /// Whether this topic is `other` or lies below it ("heating/radiator" is within "heating").
    pub fn is_within(&self, other: &TopicId) -> bool {
        let rest = self.as_str().strip_prefix(other.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// How many steps lead to it: 1 for "heating", 2 for "heating/radiator".
    pub fn depth(&self) -> usize {
        self.as_str().split('/').count()
    }

    /// The first step: "heating" of "heating/radiator".
    pub fn root(&self) -> TopicId {
        TopicId::from(self.as_str().split('/').next().unwrap_or_default())
    }
}

/// The number that the resident is told: "109-2026-000123", counted without gaps within a service and a year.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseNumber {
    /// The short number under which it was taken ("109"), digits alone.
    pub service: Arc<str>,
    /// The year of registration by the city's calendar, 2000 to 9999.
    pub year: u16,
    /// 1.. within service and year.
    pub n: u32,
}

/// Why a text is no number of a case.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0:?} is no case number; write it as 109-2026-000123")]
pub struct NotANumber(pub String);

impl fmt::Display for CaseNumber {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}-{:06}", self.service, self.year, self.n)
    }
}

impl fmt::Debug for CaseNumber {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self}")
    }
}

impl FromStr for CaseNumber {
    type Err = NotANumber;

    fn from_str(text: &str) -> Result<Self, NotANumber> {
        let wrong = || NotANumber(text.chars().take(40).collect());
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let mut parts = text.splitn(3, '-');
        let (Some(service), Some(year), Some(n)) = (parts.next(), parts.next(), parts.next()) else { return Err(wrong()) };
        if !digits(service) || service.len() > 15 || !digits(year) || year.len() != 4 || !digits(n) || n.len() < 6 {
            return Err(wrong());
        }
        let (year, n) = (year.parse().map_err(|_| wrong())?, n.parse().map_err(|_| wrong())?);
        let number = CaseNumber { service: service.into(), year, n };
        // "0000001" would be a second name of the first case.
        if n == 0 || year < 2000 || number.to_string() != text { Err(wrong()) } else { Ok(number) }
    }
}

impl Serialize for CaseNumber {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CaseNumber {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_number_has_one_way_to_be_written() {
        let number: CaseNumber = "109-2026-000123".parse().unwrap();
        assert_eq!((&*number.service, number.year, number.n), ("109", 2026, 123));
        assert_eq!(number.to_string(), "109-2026-000123");
        assert_eq!("109-2026-1000000".parse::<CaseNumber>().unwrap().n, 1_000_000);
        for wrong in [
            "",
            "109",
            "109-2026",
            "109-2026-123",
            "109-2026-0000123",
            "109-26-000123",
            "109-2026-000000",
            "x-2026-000001",
            "109-2026-00012٣",
        ] {
            assert!(wrong.parse::<CaseNumber>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_topic_lies_within_those_above_it() {
        let topic = TopicId::from("heating/radiator");
        assert!(topic.is_within(&"heating".into()) && topic.is_within(&topic));
        assert!(!topic.is_within(&"heat".into()) && !topic.is_within(&"heating/radiator/cold".into()));
        assert_eq!((topic.depth(), topic.root()), (2, TopicId::from("heating")));
    }
}
