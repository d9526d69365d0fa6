//! What has the city decided about cases, as it is written, approved and stored? A document; each change is a new revision of it.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::cases::clocks::Which;
use crate::cases::decide::{Executor, PauseRule, Rules};
use crate::cases::escalation::{Step, Told};
use crate::cases::ids::{DistrictId, OrganisationId, PauseRuleId, TopicId, WorkCalendarId};
use crate::cases::incident::Closeness;
use crate::cases::terms::{Counts, Priority, Span, Term, TermsTable, Version};
use crate::centre::time::Time;
use crate::config::Hours;

/// What a city starts with.
const DEFAULTS: &str = include_str!("defaults.toml");

const MINUTE_MS: u64 = 60_000;
/// A working day has eight hours, whatever the calendar.
const WORKING_DAY_MS: u64 = 8 * 60 * MINUTE_MS;

/// A text in the languages of the service, by their codes.
pub type Names = BTreeMap<String, String>;

/// The document.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleBook {
    /// The working hours of the centre itself.
    pub centre: String,
    /// How long after a case was done control may close it without a word of the resident.
    pub close_after: String,
    /// And after how many control calls.
    pub control_calls: u32,
    /// Working hours, by name.
    pub calendars: BTreeMap<String, Hours>,
    /// The table of terms, all its versions.
    pub terms: Vec<WrittenVersion>,
    /// The rules by which a clock may stand still.
    #[serde(default)]
    pub pauses: BTreeMap<String, WrittenPause>,
    /// The escalation chain.
    #[serde(default)]
    pub escalation: Vec<WrittenStep>,
    /// When cases seem to have one cause.
    pub closeness: WrittenCloseness,
    /// The parts of the city.
    #[serde(default)]
    pub districts: Vec<District>,
    /// The tree of topics.
    pub topics: Vec<Topic>,
}

/// The terms that hold from a day on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WrittenVersion {
    /// 1.. in the order of approval.
    pub version: u32,
    /// The day from which they hold, "2026-01-31", by UTC.
    #[schema(value_type = String, format = Date)]
    pub valid_from: NaiveDate,
    /// The lines.
    pub terms: Vec<WrittenTerm>,
}

/// One line of the terms.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WrittenTerm {
    /// The topic and all below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// The priority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Until the organisation has taken it on.
    pub reaction: String,
    /// Until it is done.
    pub resolution: String,
}

/// A reason for a clock to stand still.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WrittenPause {
    /// Its name in each language.
    pub names: Names,
    /// For how long in all.
    pub longest: String,
    /// Whether the organisation may use it by itself.
    pub by_organisation: bool,
}

/// A step of the escalation chain: `after` the promised moment, or `before` it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WrittenStep {
    /// 1.. within its clock.
    pub step: u8,
    /// Which promise it watches.
    pub clock: Which,
    /// How long after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// How long before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Who is told.
    pub to: Told,
}

/// When cases are close enough to have one cause.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WrittenCloseness {
    /// How many.
    pub cases: usize,
    /// Within which time from one to the next.
    pub within: String,
    /// Within which distance from one to the next, in metres.
    pub within_m: u32,
    /// How many steps of the topic must agree.
    pub topic_depth: usize,
}

/// A part of the city.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct District {
    /// Its id.
    pub id: String,
    /// Its name in each language.
    pub names: Names,
}

/// A topic.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// Its path.
    pub id: String,
    /// Its name in each language.
    pub names: Names,
    /// What is asked besides.
    #[serde(default)]
    pub attributes: Vec<String>,
    /// The group that alone sees its cases, beside whom they lie with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restricted: Option<String>,
}

/// The document as the rules that decide.
#[derive(Clone, PartialEq, Debug)]
pub struct Register {
    /// The revision that it was read from.
    pub revision: i64,
    /// What may be done to a case.
    pub rules: Rules,
    /// The chain of escalation.
    pub escalation: Vec<Step>,
    /// When cases are close.
    pub closeness: Closeness,
    /// The group that sees a topic, where it is restricted.
    pub restricted: BTreeMap<TopicId, String>,
    /// The parts of the city.
    pub districts: Vec<DistrictId>,
    /// What each topic is called, in all languages together.
    pub topic_names: BTreeMap<TopicId, String>,
}

impl RuleBook {
    /// The document that a new city starts with.
    ///
    /// # Errors
    /// Never in a released program: a test reads it.
    pub fn defaults() -> Result<RuleBook, Vec<String>> {
        toml::from_str(DEFAULTS).map_err(|error| vec![format!("the built-in rules: {error}")])
    }

    /// The rules that the document says, with the organisations that there are.
    ///
    /// # Errors
    /// All that is wrong, a line a problem with its mend.
    pub fn read(&self, revision: i64, organisations: BTreeMap<OrganisationId, Executor>) -> Result<Register, Vec<String>> {
        let mut wrong = Vec::new();
        let mut calendars = BTreeMap::new();
        for (name, hours) in &self.calendars {
            match hours.calendar(name) {
                Ok(calendar) => _ = calendars.insert(WorkCalendarId::from(name.as_str()), calendar),
                Err(problems) => wrong.extend(problems),
            }
        }
        let centre = WorkCalendarId::from(self.centre.as_str());
        if !self.calendars.contains_key(&self.centre) {
            wrong.push(format!("centre: no calendar is called {:?}; name one of calendars", self.centre));
        }
        let mut within = |place: &str, text: &str| match span(text) {
            Some(span) => span,
            None => {
                wrong.push(format!("{place}: {text:?} is no span; write \"30 m\", \"8 h\", \"3 d\" or \"2 d working\""));
                Span { ms: 0, counts: Counts::Always }
            }
        };
        let versions = self.terms.iter().map(|version| version.read(&mut within)).collect();
        let pauses = self.pauses.iter().map(|(name, pause)| pause.read(name, &mut within)).collect();
        let escalation = self.escalation.iter().map(|step| step.read(&mut within)).collect();
        let close_after_ms = within("close_after", &self.close_after).ms;
        let closeness = Closeness {
            cases: self.closeness.cases,
            within_ms: within("closeness.within", &self.closeness.within).ms,
            within_m: self.closeness.within_m,
            topic_depth: self.closeness.topic_depth,
        };
        wrong.extend(self.names_wrong());
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let topics = self.topics.iter().map(|topic| TopicId::from(topic.id.as_str())).collect();
        let terms = TermsTable { versions };
        let rules = Rules { terms, calendars, centre, organisations, topics, pauses, close_after_ms, control_calls: self.control_calls };
        let restricted =
            self.topics.iter().filter_map(|topic| Some((TopicId::from(topic.id.as_str()), topic.restricted.clone()?))).collect();
        let districts = self.districts.iter().map(|district| DistrictId::from(district.id.as_str())).collect();
        let called = |topic: &Topic| topic.names.values().map(String::as_str).collect::<Vec<_>>().join(" ");
        let topic_names = self.topics.iter().map(|topic| (TopicId::from(topic.id.as_str()), called(topic))).collect();
        Ok(Register { revision, rules, escalation, closeness, restricted, districts, topic_names })
    }

    /// What is wrong with ids: a topic must have its parents, and everything its terms.
    fn names_wrong(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for topic in &self.topics {
            let parent = topic.id.rsplit_once('/').map(|(parent, _)| parent);
            if parent.is_some_and(|parent| !self.topics.iter().any(|other| other.id == parent)) {
                wrong.push(format!("topics: {:?} lies below a topic that is not there; add {:?}", topic.id, parent.unwrap_or_default()));
            }
            if topic.id.is_empty() || topic.id.split('/').any(str::is_empty) || topic.id.len() > 100 {
                wrong.push(format!("topics: {:?} is no path; write it as \"heating/no-heating\"", topic.id));
            }
        }
        let any = |version: &WrittenVersion| {
            version.terms.iter().any(|term| term.topic.is_none() && term.organisation.is_none() && term.priority.is_none())
        };
        for version in self.terms.iter().filter(|version| !any(version)) {
            wrong.push(format!(
                "terms: version {} has no line for everything else; add one that names neither topic, organisation nor priority",
                version.version
            ));
        }
        if self.terms.is_empty() {
            wrong.push("terms: there is no version; approve one".to_owned());
        }
        wrong
    }
}

impl WrittenVersion {
    fn read(&self, within: &mut impl FnMut(&str, &str) -> Span) -> Version {
        let midnight = self.valid_from.and_hms_opt(0, 0, 0).unwrap_or_default().and_utc().timestamp_millis();
        let place = format!("terms version {}", self.version);
        let terms = self.terms.iter().map(|term| Term {
            topic: term.topic.as_deref().map(TopicId::from),
            organisation: term.organisation.as_deref().map(OrganisationId::from),
            priority: term.priority,
            reaction: within(&place, &term.reaction),
            resolution: within(&place, &term.resolution),
        });
        Version { version: self.version, valid_from: Time(u64::try_from(midnight).unwrap_or(0)), terms: terms.collect() }
    }
}

impl WrittenPause {
    fn read(&self, name: &str, within: &mut impl FnMut(&str, &str) -> Span) -> (PauseRuleId, PauseRule) {
        let longest_ms = within(&format!("pauses.{name}"), &self.longest).ms;
        (PauseRuleId::from(name), PauseRule { longest_ms, by_organisation: self.by_organisation })
    }
}

impl WrittenStep {
    fn read(&self, within: &mut impl FnMut(&str, &str) -> Span) -> Step {
        let place = format!("escalation {:?} {}", self.clock, self.step);
        let mut ms = |text: &Option<String>| text.as_deref().map_or(0, |text| i64::try_from(within(&place, text).ms).unwrap_or(i64::MAX));
        let after_ms = ms(&self.after) - ms(&self.before);
        Step { step: self.step, clock: self.clock, after_ms, to: self.to.clone() }
    }
}

/// "30 m", "8 h", "3 d", each also "working".
fn span(text: &str) -> Option<Span> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (n, unit, counts) = match words[..] {
        [n, unit] => (n, unit, Counts::Always),
        [n, unit, "working"] => (n, unit, Counts::Working),
        _ => return None,
    };
    let unit_ms = match (unit, counts) {
        ("m", _) => MINUTE_MS,
        ("h", _) => 60 * MINUTE_MS,
        ("d", Counts::Always) => 24 * 60 * MINUTE_MS,
        ("d", Counts::Working) => WORKING_DAY_MS,
        _ => return None,
    };
    // A year is the longest: what is longer is a slip.
    let ms = n.parse::<u64>().ok()?.checked_mul(unit_ms).filter(|ms| *ms <= 366 * 24 * 60 * MINUTE_MS)?;
    Some(Span { ms, counts })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_a_city_starts_with_can_be_read_and_written() {
        let book = RuleBook::defaults().unwrap();
        let register = book.read(1, BTreeMap::new()).unwrap();
        assert!(register.rules.topics.len() > 20 && register.escalation.len() == 6 && register.restricted.len() == 2);
        let written = serde_json::to_string(&book).unwrap();
        assert_eq!(serde_json::from_str::<RuleBook>(&written).unwrap(), book);
        for topic in &book.topics {
            assert_eq!(topic.names.keys().collect::<Vec<_>>(), ["en", "kk", "ru", "uk"], "{}", topic.id);
        }
    }

    #[test]
    fn every_slip_is_told_with_its_mend() {
        let mut book = RuleBook::defaults().unwrap();
        book.centre = "nowhere".into();
        book.close_after = "soon".into();
        book.terms[0].terms.remove(0);
        book.topics.retain(|topic| topic.id != "heating");
        let wrong = book.read(1, BTreeMap::new()).unwrap_err().join("\n");
        for told in ["nowhere", "soon", "no line for everything else", "heating/leak"] {
            assert!(wrong.contains(told), "{told} in {wrong}");
        }
    }

    #[test]
    fn spans_are_read_in_their_clock() {
        assert_eq!(span("2 d working"), Some(Span { ms: 16 * 3_600_000, counts: Counts::Working }));
        assert_eq!(span("30 m"), Some(Span { ms: 1_800_000, counts: Counts::Always }));
        for wrong in ["", "2", "2 w", "-1 h", "400 d", "2 h worked", "99999999999999999999 h"] {
            assert_eq!(span(wrong), None, "{wrong}");
        }
    }
}
