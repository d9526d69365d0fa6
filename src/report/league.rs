//! Which organisation keeps its promises? Median and share in time of reaction and resolution, each with what it is a share of.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::centre::time::Time;

/// The promises of one case, since its clocks count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promised {
    /// With whom it lies; `None`: with the centre.
    pub organisation: Option<String>,
    /// The registration, or the last reopening.
    pub counts_from: Time,
    /// When it had to be taken on.
    pub reaction_due: Time,
    /// When it was.
    pub reaction_kept: Option<Time>,
    /// When it had to be done.
    pub resolution_due: Time,
    /// When it was.
    pub resolution_kept: Option<Time>,
}

/// How one of the two promises was kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Kept {
    /// Cases in which it was kept, in time or late.
    pub kept: u64,
    /// The median of the times that this took from the moment from which the clock counts, by day and night, in milliseconds; of `kept`.
    pub median_ms: Option<u64>,
    /// Cases in which it was kept in time.
    pub in_time: u64,
    /// Cases that are judged: it was kept, or it is broken and still owed. The denominator of `in_time_percent`.
    pub judged: u64,
    /// `in_time` of `judged` in percent, rounded down; `null` where nothing is judged.
    pub in_time_percent: Option<u64>,
    /// Cases that are not judged: it is not due yet.
    pub running: u64,
}

/// A line of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LeagueLine {
    /// Who; `null`: the centre.
    pub organisation: Option<String>,
    /// Cases registered in the span that lie with it.
    pub cases: u64,
    /// The promise to take a case on.
    pub reaction: Kept,
    /// The promise to do it.
    pub resolution: Kept,
}

/// The fold: give it every case, then ask.
#[derive(Clone, Debug, Default)]
pub struct League {
    desks: BTreeMap<Option<String>, Desk>,
}

#[derive(Clone, Debug, Default)]
struct Desk {
    cases: u64,
    reaction: Tally,
    resolution: Tally,
}

#[derive(Clone, Debug, Default)]
struct Tally {
    took_ms: Vec<u64>,
    in_time: u64,
    broken: u64,
    running: u64,
}

impl League {
    /// Counts a case, as it stands at `now`.
    pub fn count(&mut self, case: Promised, now: Time) {
        let desk = self.desks.entry(case.organisation).or_default();
        desk.cases += 1;
        desk.reaction.count(case.counts_from, case.reaction_due, case.reaction_kept, now);
        desk.resolution.count(case.counts_from, case.resolution_due, case.resolution_kept, now);
    }

    /// The table: who took their cases on in time most often first, then who is quickest, then by name.
    pub fn lines(self) -> Vec<LeagueLine> {
        let mut lines: Vec<LeagueLine> = self.desks.into_iter().map(|(organisation, desk)| desk.line(organisation)).collect();
        lines.sort_by(|one, other| {
            let rank = |line: &LeagueLine| (line.reaction.in_time_percent, std::cmp::Reverse(line.reaction.median_ms.unwrap_or(u64::MAX)));
            rank(other).cmp(&rank(one))
        });
        lines
    }
}

impl Desk {
    fn line(self, organisation: Option<String>) -> LeagueLine {
        LeagueLine { organisation, cases: self.cases, reaction: self.reaction.kept(), resolution: self.resolution.kept() }
    }
}

impl Tally {
    fn count(&mut self, from: Time, due: Time, kept: Option<Time>, now: Time) {
        match kept {
            Some(kept) => {
                self.took_ms.push(kept.ms_since(from));
                self.in_time += u64::from(kept <= due);
            }
            None if now > due => self.broken += 1,
            None => self.running += 1,
        }
    }

    fn kept(mut self) -> Kept {
        let kept = self.took_ms.len() as u64;
        let judged = kept + self.broken;
        Kept {
            kept,
            median_ms: median(&mut self.took_ms),
            in_time: self.in_time,
            judged,
            in_time_percent: (self.in_time * 100).checked_div(judged),
            running: self.running,
        }
    }
}

/// The middle one, or the mean of the two in the middle, rounded down.
fn median(values: &mut [u64]) -> Option<u64> {
    values.sort_unstable();
    let upper = *values.get(values.len() / 2)?;
    let lower = *values.get(values.len().saturating_sub(1) / 2)?;
    Some(lower + (upper - lower) / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(organisation: &str, reaction_kept: Option<u64>) -> Promised {
        Promised {
            organisation: Some(organisation.into()),
            counts_from: Time(100),
            reaction_due: Time(200),
            reaction_kept: reaction_kept.map(Time),
            resolution_due: Time(1_000),
            resolution_kept: None,
        }
    }

    #[test]
    fn what_is_owed_and_broken_is_judged_and_what_runs_is_not() {
        let mut league = League::default();
        for kept in [Some(150), Some(200), Some(230), None] {
            league.count(case("heat", kept), Time(300));
        }
        league.count(case("roads", Some(110)), Time(300));
        let lines = league.lines();
        assert_eq!(lines.iter().map(|line| line.organisation.as_deref()).collect::<Vec<_>>(), [Some("roads"), Some("heat")]);
        let heat = Kept { kept: 3, median_ms: Some(100), in_time: 2, judged: 4, in_time_percent: Some(50), running: 0 };
        assert_eq!((lines[1].cases, &lines[1].reaction), (4, &heat));
        let nothing = Kept { running: 4, ..Kept::default() };
        assert_eq!(lines[1].resolution, nothing, "no percentage of nothing");
    }

    #[test]
    fn the_median_of_an_even_number_lies_between() {
        assert_eq!(
            [median(&mut []), median(&mut [7]), median(&mut [9, 1]), median(&mut [u64::MAX, u64::MAX])],
            [None, Some(7), Some(5), Some(u64::MAX)]
        );
    }
}
