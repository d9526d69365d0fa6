//! Which cases have one cause? Those of one topic that are close in place and time; a person confirms what is proposed here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ids::{CaseNumber, DistrictId, IncidentId, TopicId};
use crate::centre::time::Time;

/// Metres a degree of latitude, on a sphere of 6,371 km.
const METRES_A_DEGREE: f64 = 111_194.93;

/// When cases are close.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Closeness {
    /// How many cases make a proposal.
    pub cases: usize,
    /// Within which time from one to the next, in milliseconds.
    pub within_ms: u64,
    /// Within which distance from one to the next, in metres, where both places are known to the building.
    pub within_m: u32,
    /// How many steps of the topic's path must be the same.
    pub topic_depth: usize,
}

/// What is known of a case that may have the same cause as others.
#[derive(Clone, PartialEq, Debug)]
pub struct Sighting {
    /// Which case.
    pub case: CaseNumber,
    /// What it is about.
    pub topic: TopicId,
    /// When it was registered.
    pub at: Time,
    /// Its district.
    pub district: Option<DistrictId>,
    /// Its building's place, degrees of latitude and longitude (WGS 84).
    pub at_degrees: Option<(f64, f64)>,
}

/// Cases that seem to have one cause.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Proposal {
    /// What they share of their topics.
    pub topic: TopicId,
    /// Their districts, most cases first.
    pub districts: Vec<DistrictId>,
    /// The cases, oldest first.
    pub cases: Vec<CaseNumber>,
    /// When the first was registered.
    pub since: Time,
}

/// What follows from a proposal, by what is known of its cases already.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FollowUp {
    /// These cases join an incident that is proposed or confirmed.
    Join { incident: IncidentId, cases: Vec<CaseNumber> },
    /// These are a new one.
    New(Proposal),
    /// Nothing is new.
    Nothing,
}

/// What is known of a case: the incident that it belongs to, and whether that is proposed or confirmed.
pub type Belongs<'b> = Option<(&'b IncidentId, bool)>;

/// Cases near others of a live incident join the one that most of them belong to. What belongs to one that is over counts for no new one:
/// a dismissed proposal does not come back with the next case, and a fault after the repair is another incident.
pub fn follow_up<'b>(mut proposal: Proposal, least: usize, belongs: impl Fn(&CaseNumber) -> Belongs<'b>) -> FollowUp {
    let mut live: BTreeMap<&IncidentId, usize> = BTreeMap::new();
    for (incident, _) in proposal.cases.iter().filter_map(&belongs).filter(|(_, is_live)| *is_live) {
        *live.entry(incident).or_default() += 1;
    }
    // Of two with as many cases the one with the smaller name: the answer must not depend on the order of cases.
    let most = live.into_iter().rev().max_by_key(|(_, cases)| *cases).map(|(incident, _)| incident.clone());
    proposal.cases.retain(|case| belongs(case).is_none());
    match most {
        _ if proposal.cases.is_empty() => FollowUp::Nothing,
        Some(incident) => FollowUp::Join { incident, cases: proposal.cases },
        None if proposal.cases.len() >= least.max(2) => FollowUp::New(proposal),
        None => FollowUp::Nothing,
    }
}

/// Groups of cases that are close, largest first. Sightings may come in any order; the result does not depend on it.
///
/// Two cases are close when topics agree as deep as asked, they lie within the time of each other, and within the distance; where one of
/// the places is not known to the building, the same district must do. Groups grow from neighbour to neighbour. The work grows with the
/// square of the cases of one topic within the time: callers give some thousands at most.
pub fn proposals(sightings: &[Sighting], closeness: &Closeness) -> Vec<Proposal> {
    let mut by_topic: BTreeMap<TopicId, Vec<&Sighting>> = BTreeMap::new();
    for sighting in sightings {
        by_topic.entry(shared(&sighting.topic, closeness.topic_depth)).or_default().push(sighting);
    }
    let mut found: Vec<Proposal> = by_topic.into_iter().flat_map(|(topic, sightings)| of_topic(&topic, sightings, closeness)).collect();
    found.sort_by(|one, other| other.cases.len().cmp(&one.cases.len()).then_with(|| one.cases.cmp(&other.cases)));
    found
}

fn of_topic(topic: &TopicId, mut sightings: Vec<&Sighting>, closeness: &Closeness) -> Vec<Proposal> {
    sightings.sort_by(|one, other| (one.at, &one.case).cmp(&(other.at, &other.case)));
    let mut leader: Vec<usize> = (0..sightings.len()).collect();
    for (i, one) in sightings.iter().enumerate() {
        for (j, other) in sightings.iter().enumerate().skip(i + 1) {
            if other.at.ms_since(one.at) > closeness.within_ms {
                break;
            }
            if near(one, other, closeness.within_m) {
                join(&mut leader, i, j);
            }
        }
    }
    let mut groups: BTreeMap<usize, Vec<&Sighting>> = BTreeMap::new();
    for (i, sighting) in sightings.iter().enumerate() {
        groups.entry(led_by(&leader, i)).or_default().push(sighting);
    }
    groups.into_values().filter(|group| group.len() >= closeness.cases.max(2)).map(|group| proposal(topic, &group)).collect()
}

fn proposal(topic: &TopicId, group: &[&Sighting]) -> Proposal {
    let mut counts: BTreeMap<&DistrictId, usize> = BTreeMap::new();
    for district in group.iter().filter_map(|sighting| sighting.district.as_ref()) {
        *counts.entry(district).or_default() += 1;
    }
    let mut districts: Vec<(&DistrictId, usize)> = counts.into_iter().collect();
    districts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    Proposal {
        topic: topic.clone(),
        districts: districts.into_iter().map(|(district, _)| district.clone()).collect(),
        cases: group.iter().map(|sighting| sighting.case.clone()).collect(),
        since: group.iter().map(|sighting| sighting.at).min().unwrap_or_default(),
    }
}

fn near(one: &Sighting, other: &Sighting, within_m: u32) -> bool {
    match (one.at_degrees, other.at_degrees) {
        (Some(here), Some(there)) => metres(here, there) <= f64::from(within_m),
        _ => one.district.is_some() && one.district == other.district,
    }
}

/// Metres between two places, by the plane that touches the sphere half-way: right to a part in a thousand within a city.
pub fn metres((lat, lon): (f64, f64), (other_lat, other_lon): (f64, f64)) -> f64 {
    let north = (lat - other_lat) * METRES_A_DEGREE;
    let east = (lon - other_lon) * METRES_A_DEGREE * f64::midpoint(lat, other_lat).to_radians().cos();
    north.hypot(east)
}

fn shared(topic: &TopicId, depth: usize) -> TopicId {
    TopicId::from(topic.as_str().split('/').take(depth.max(1)).collect::<Vec<_>>().join("/"))
}

fn led_by(leader: &[usize], of: usize) -> usize {
    let mut at = of;
    while let Some(&up) = leader.get(at).filter(|up| **up != at) {
        at = up;
    }
    at
}

fn join(leader: &mut [usize], one: usize, other: usize) {
    let (one, other) = (led_by(leader, one), led_by(leader, other));
    if let Some(place) = leader.get_mut(one.max(other)) {
        *place = one.min(other);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    const MINUTE: u64 = 60_000;
    const RULE: Closeness = Closeness { cases: 5, within_ms: 60 * MINUTE, within_m: 300, topic_depth: 1 };

    fn sighting(n: u32, topic: &str, minute: u64, district: Option<&str>, at_degrees: Option<(f64, f64)>) -> Sighting {
        let case = CaseNumber { service: "109".into(), year: 2026, n };
        Sighting { case, topic: topic.into(), at: Time(minute * MINUTE), district: district.map(DistrictId::from), at_degrees }
    }

    #[test]
    fn forty_reports_of_one_district_are_one_proposal() {
        let mut all: Vec<Sighting> = (1..=40).map(|n| sighting(n, "heating/no-heating", u64::from(n), Some("north"), None)).collect();
        all.push(sighting(41, "heating/no-heating", 20, Some("south"), None));
        all.push(sighting(42, "roads", 20, Some("north"), None));
        let found = proposals(&all, &RULE);
        assert_eq!((found.len(), found[0].cases.len(), found[0].districts.as_slice()), (1, 40, &[DistrictId::from("north")][..]));
        all.reverse();
        assert_eq!(proposals(&all, &RULE), found, "the order of reports does not matter");
    }

    #[test]
    fn further_cases_join_and_what_was_dismissed_does_not_come_back() {
        let all: Vec<Sighting> = (1..=8).map(|n| sighting(n, "heating", u64::from(n), Some("north"), None)).collect();
        let proposal = || proposals(&all, &RULE).remove(0);
        let incident = IncidentId::from("3");
        let up_to = |last: u32, is_live: bool| {
            let incident = &incident;
            move |case: &CaseNumber| (case.n <= last).then_some((incident, is_live))
        };
        let FollowUp::New(new) = follow_up(proposal(), 5, |_| None) else { panic!("it is new") };
        assert_eq!(new.cases.len(), 8);
        let FollowUp::Join { cases, .. } = follow_up(proposal(), 5, up_to(6, true)) else { panic!("two join") };
        assert_eq!(cases.iter().map(|case| case.n).collect::<Vec<_>>(), [7, 8]);
        assert_eq!(follow_up(proposal(), 5, up_to(8, true)), FollowUp::Nothing);
        assert_eq!(follow_up(proposal(), 5, up_to(4, false)), FollowUp::Nothing, "four that are left are too few");
        assert!(matches!(follow_up(proposal(), 5, up_to(3, false)), FollowUp::New(new) if new.cases.len() == 5));
    }

    #[test]
    fn distance_and_time_separate() {
        let place = |metres: f64| Some((53.2 + metres / METRES_A_DEGREE, 63.6));
        let row: Vec<Sighting> = (0..10).map(|n| sighting(n + 1, "water", 0, Some("north"), place(f64::from(n) * 250.0))).collect();
        assert_eq!(proposals(&row, &RULE)[0].cases.len(), 10, "from neighbour to neighbour");
        let apart: Vec<Sighting> = (0..10).map(|n| sighting(n + 1, "water", 0, Some("north"), place(f64::from(n) * 350.0))).collect();
        assert!(proposals(&apart, &RULE).is_empty());
        let slow: Vec<Sighting> = (0..10).map(|n| sighting(n + 1, "water", u64::from(n) * 61, Some("north"), None)).collect();
        assert!(proposals(&slow, &RULE).is_empty());
    }

    #[test]
    fn metres_follow_the_sphere() {
        let (astana, near) = ((51.1282, 71.4304), (51.1372, 71.4304));
        assert!((metres(astana, near) - 1000.75).abs() < 1.0);
        assert!((metres((60.0, 30.0), (60.0, 30.01)) - 555.97).abs() < 1.0);
    }
}
