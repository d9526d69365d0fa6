//! How does a written table of shifts become the core's? Templates say when, shifts say who; a night goes over midnight.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Config, Hours};
use crate::centre::ids::{AgentId, QueueId, SkillId};
use crate::centre::shift::Shift;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// When a shift goes on: `from = "20:00"`, `to = "08:00"` ends on the next day.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShiftTemplate {
    /// IANA time zone.
    pub zone: String,
    /// Its beginning, "HH:MM".
    pub from: String,
    /// Its end, "HH:MM"; the same as the beginning for a whole day.
    pub to: String,
    /// The weekdays on which it begins (`mon` … `sun`); nothing: every day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub days: Vec<String>,
}

/// Who works when.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ShiftPlan)]
pub struct ShiftWanted {
    /// The template that says when.
    pub template: String,
    /// Who.
    pub operators: Vec<String>,
    /// What of their skills counts on it, languages beside; nothing: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub skills: Vec<String>,
    /// Which queues it serves; nothing: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub queues: Vec<String>,
}

impl ShiftTemplate {
    /// The open spans of each weekday.
    fn hours(&self) -> Result<Hours, String> {
        let mut week: BTreeMap<String, Vec<String>> = BTreeMap::new();
        if let Some(unknown) = self.days.iter().find(|day| !DAYS.contains(&day.as_str())) {
            return Err(format!("no weekday is called {unknown:?}; use {}", DAYS.join(", ")));
        }
        let minute = |text: &str| super::calendar::minute(text).ok_or_else(|| format!("{text:?} is no time of day; write it as \"08:00\""));
        let over_midnight = minute(&self.from)? >= minute(&self.to)?;
        for (n, day) in DAYS.iter().enumerate().filter(|(_, day)| self.days.is_empty() || self.days.iter().any(|known| known == *day)) {
            let next = DAYS.get((n + 1) % 7).copied().unwrap_or("mon");
            let mut add = |day: &str, from: &str, to: &str| {
                if minute(from) != minute(to) {
                    week.entry(day.to_owned()).or_default().push(format!("{from}-{to}"));
                }
            };
            add(day, &self.from, if over_midnight { "24:00" } else { &self.to });
            if over_midnight {
                add(next, "00:00", &self.to);
            }
        }
        Ok(Hours { zone: self.zone.clone(), week, special: BTreeMap::new() })
    }
}

impl Config {
    /// The core's table of shifts, or every problem with its mend.
    pub(super) fn shifts_built(&self) -> Result<BTreeMap<crate::centre::ids::ShiftId, Shift>, Vec<String>> {
        let mut problems = Vec::new();
        let mut built = BTreeMap::new();
        for (name, template) in &self.shift_templates {
            let hours = template.hours().map_err(|wrong| vec![wrong]).and_then(|hours| super::calendar::build(name, &hours));
            problems.extend(hours.err().into_iter().flatten().map(|wrong| format!("shift_templates.{name}: {wrong}")));
        }
        for (name, wanted) in &self.shifts {
            let Some(template) = self.shift_templates.get(&wanted.template) else {
                problems.push(format!("shifts.{name}.template: no template is called {:?}; add it to shift_templates", wanted.template));
                continue;
            };
            let strangers = wanted.operators.iter().filter(|operator| !self.operators.contains_key(*operator));
            problems.extend(
                strangers.map(|who| format!("shifts.{name}.operators: no operator is called {who:?}; add them, or leave them out")),
            );
            let unknown = wanted.queues.iter().filter(|queue| !self.queues.contains_key(*queue));
            problems.extend(unknown.map(|queue| format!("shifts.{name}.queues: no queue is called {queue:?}; add it, or leave it out")));
            let untaught = wanted.skills.iter().filter(|skill| !self.is_taught(skill));
            problems.extend(untaught.map(|skill| {
                format!("shifts.{name}.skills: no operator and no queue has the skill {skill:?}; give it to somebody, or leave it out")
            }));
            let calendar = template.hours().ok().and_then(|hours| super::calendar::build(name, &hours).ok());
            built.extend(calendar.map(|hours| (name.as_str().into(), wanted.shift(hours))));
        }
        if problems.is_empty() { Ok(built) } else { Err(problems) }
    }

    /// Whether anybody can do it or any queue asks for it: another name is a slip of the pen, which would leave callers waiting.
    fn is_taught(&self, skill: &str) -> bool {
        self.operators.values().any(|operator| operator.skills.levels().any(|(known, _)| known.as_str() == skill))
            || self.queues.values().any(|queue| queue.skills.iter().any(|known| known == skill))
    }
}

impl ShiftWanted {
    fn shift(&self, hours: crate::centre::schedule::Calendar) -> Shift {
        Shift {
            hours,
            agents: self.operators.iter().map(|name| AgentId::from(name.as_str())).collect(),
            skills: self.skills.iter().map(|name| SkillId::from(name.as_str())).collect(),
            queues: self.queues.iter().map(|name| QueueId::from(name.as_str())).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn table(text: &str) -> Result<BTreeMap<crate::centre::ids::ShiftId, Shift>, Vec<String>> {
        let mut config = Config::load(None).unwrap();
        let written: BTreeMap<String, ShiftWanted> = toml::from_str(text).unwrap();
        config.shifts = written;
        config.shifts_built()
    }

    #[test]
    fn a_night_of_the_templates_goes_over_midnight() {
        let built = table("[late]\ntemplate = \"night\"\noperators = [\"aigul\", \"bogdan\"]\nqueues = [\"general\"]\n").unwrap();
        let night = built.get(&"late".into()).unwrap();
        assert_eq!(night.hours.week[0], [(0, 480), (1200, 1440)]);
        assert!(night.agents.contains(&"aigul".into()) && night.serves(&"general".into()) && !night.serves(&"roads".into()));
    }

    #[test]
    fn what_a_shift_names_must_be_there() {
        let wrong = table(
            "[late]\ntemplate = \"nigth\"\noperators = []\n[early]\ntemplate = \"day-1\"\noperators = [\"nobody\"]\nqueues = [\"q\"]\n",
        );
        assert_eq!(wrong.unwrap_err().len(), 3);
    }

    #[test]
    fn a_skill_that_nobody_has_and_no_queue_asks_for_is_refused() {
        let skills = |skills: &str| table(&format!("[late]\ntemplate = \"night\"\noperators = [\"aigul\"]\nskills = [{skills}]\n"));
        assert!(skills("\"heating\"").is_ok());
        assert!(skills("\"heatng\"").unwrap_err()[0].contains("\"heatng\""));
    }

    #[test]
    fn an_hour_of_one_digit_is_the_same_hour() {
        let template = |from: &str, to: &str| ShiftTemplate {
            zone: "Asia/Qostanay".into(),
            from: from.into(),
            to: to.into(),
            days: vec!["mon".into()],
        };
        let week = |from, to| crate::config::calendar::build("day", &template(from, to).hours().unwrap()).unwrap().week;
        assert_eq!(week("8:00", "17:00"), week("08:00", "17:00"));
        assert_eq!((&week("9:00", "24:00")[0], &week("9:00", "24:00")[1]), (&vec![(540, 1440)], &vec![]));
        assert!(template("8", "17:00").hours().unwrap_err().contains("\"8\""));
    }

    #[test]
    fn a_weekend_night_ends_on_monday_morning() {
        let template = ShiftTemplate { zone: "Asia/Qostanay".into(), from: "20:00".into(), to: "08:00".into(), days: vec!["sun".into()] };
        let hours = template.hours().unwrap();
        assert_eq!(
            hours.week,
            BTreeMap::from([("mon".to_owned(), vec!["00:00-08:00".to_owned()]), ("sun".to_owned(), vec!["20:00-24:00".to_owned()])])
        );
    }
}
