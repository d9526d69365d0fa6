//! How is a simulated day read? Figures of each half hour and of all, as a table for people and as JSON for programs.

use std::fmt::Write as _;

use serde::Serialize;

use crate::report::waits::ServiceLevel;

use super::scenario::Scenario;
use super::simulate::Simulated;
use super::tally::Interval;

/// The figures of a scenario. Shares are between 0 and 1, `null` where nobody was counted; counts are those of all days together.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// The scenario's title.
    pub title: String,
    /// Its seed.
    pub seed: u64,
    /// Its days.
    pub days: u32,
    /// T, in seconds.
    pub target_s: u32,
    /// Who hung up before so many seconds is a short abandon.
    pub short_abandon_s: u32,
    /// What `service_level` means.
    pub definition: &'static str,
    /// Each half hour of the day.
    pub half_hours: Vec<Row>,
    /// All of it.
    pub all: Row,
    /// The service level of all by each definition.
    pub service_levels: Vec<Level>,
}

/// One line.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// When the half hour begins ("08:30"); "all" for the whole.
    pub from: String,
    /// Operators whose shift it is; of the whole the most at once.
    pub operators: u32,
    /// The counts.
    pub counts: Interval,
    /// Answered within T / offered.
    pub service_level: Option<f64>,
    /// Average speed of answer, in seconds.
    pub asa_s: Option<f64>,
    /// Abandoned / offered.
    pub abandonment: Option<f64>,
    /// Handling / (handling + available idle).
    pub occupancy: Option<f64>,
}

/// A service level by its definition.
#[derive(Clone, Debug, Serialize)]
pub struct Level {
    /// Which one.
    pub name: ServiceLevel,
    /// Its formula.
    pub definition: &'static str,
    /// The share.
    pub value: Option<f64>,
}

impl Figures {
    /// The figures of what came of a scenario.
    pub fn of(scenario: &Scenario, simulated: &Simulated) -> Self {
        let total = simulated.tally.total();
        let most = (0..super::scenario::HALF_HOURS).map(|of_day| scenario.present(of_day)).max().unwrap_or_default();
        let half_hours = simulated.tally.of_a_day();
        let rows = half_hours.iter().enumerate().map(|(at, counts)| {
            let from = format!("{:02}:{:02}", at / 2, at % 2 * 30);
            Row::new(from, scenario.present(at), *counts)
        });
        let level = |name: ServiceLevel| Level { name, definition: name.definition(), value: total.waits.service_level(name) };
        Self {
            title: scenario.title.clone(),
            seed: scenario.seed,
            days: scenario.days,
            target_s: scenario.target_s,
            short_abandon_s: scenario.short_abandon_s,
            definition: ServiceLevel::default().definition(),
            half_hours: rows.collect(),
            all: Row::new("all".to_owned(), most, total),
            service_levels: ServiceLevel::ALL.map(level).into(),
        }
    }

    /// The table.
    pub fn table(&self) -> String {
        let mut text = format!("{}\nseed {}, days {}, T = {} s\n\n", self.title, self.seed, self.days, self.target_s);
        text.push_str("from   operators  offered  answered  abandoned  level    ASA s  longest s  abandonment  occupancy\n");
        for row in self.half_hours.iter().chain([&self.all]) {
            row.write(&mut text);
        }
        text.push_str("\nlevel: service level, by callers who entered the queue in the half hour; of all, by each definition:\n");
        for level in &self.service_levels {
            let _ = writeln!(text, "  {:>7}  {}", percent(level.value), level.definition);
        }
        let waits = &self.all.counts.waits;
        let short = percent(waits.abandonment_without_short());
        let _ = writeln!(text, "abandonment: abandoned / offered; {short} without {} short abandons", waits.abandoned_short);
        text.push_str("occupancy: talks and wrap-up / the same and the time ready without a call, by the clock\n");
        text
    }
}

impl Row {
    fn new(from: String, operators: u32, counts: Interval) -> Self {
        Self {
            from,
            operators,
            counts,
            service_level: counts.waits.service_level(ServiceLevel::default()),
            asa_s: counts.waits.asa_ms().map(|ms| ms / 1000.0),
            abandonment: counts.waits.abandonment(),
            occupancy: counts.occupancy(),
        }
    }

    fn write(&self, text: &mut String) {
        let waits = &self.counts.waits;
        let _ = writeln!(
            text,
            "{:<5}  {:>9}  {:>7}  {:>8}  {:>9}  {:>7}  {:>5}  {:>9.0}  {:>11}  {:>9}",
            self.from,
            self.operators,
            waits.offered,
            waits.answered,
            waits.abandoned,
            percent(self.service_level),
            self.asa_s.map_or("-".to_owned(), |seconds| format!("{seconds:.1}")),
            waits.longest_ms as f64 / 1000.0,
            percent(self.abandonment),
            percent(self.occupancy),
        );
    }
}

pub(super) fn percent(share: Option<f64>) -> String {
    share.map_or("-".to_owned(), |share| format!("{:.1} %", share * 100.0))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::simulate::simulate;
    use super::*;

    const CITY_DAY: &str = include_str!("../../tools/simulate/city-day.toml");

    #[test]
    fn a_city_day_has_a_line_for_each_half_hour_and_is_the_same_again() {
        let scenario = Scenario::read(CITY_DAY).unwrap();
        let simulated = simulate(&scenario);
        let figures = Figures::of(&scenario, &simulated);
        let waits = figures.all.counts.waits;
        assert!((2_150..2_480).contains(&waits.offered), "2,312 on average, give or take chance: {}", waits.offered);
        assert_eq!(waits.offered, waits.answered + waits.abandoned, "nobody is lost");
        assert_eq!(figures.half_hours.len(), 48);
        assert_eq!([figures.half_hours[6].operators, figures.half_hours[24].operators, figures.all.operators], [8, 30, 30]);
        assert_eq!(figures.table().lines().filter(|line| line.contains(':') && line.contains('%')).count(), 49);
        assert_eq!(Figures::of(&scenario, &simulate(&scenario)).table(), figures.table());
    }
}
