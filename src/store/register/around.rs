//! What goes on where a caller lives, and which reports of the same are near? Incidents and works in force, and likely duplicates.

use std::collections::BTreeSet;

use serde::Serialize;
use sqlx::FromRow;

use crate::cases::incident::metres;
use crate::cases::incident_life::{Incident, Sort, Texts};
use crate::centre::ids::CallerRef;
use crate::centre::time::Time;
use crate::private::Private;
use crate::store::Store;
use crate::store::bulk::{ms, signed};
use crate::store::cases::Sight;
use crate::store::statement::{Conditions, query};

use super::{RegisterError, ReportWords};

/// The caller's cases that tell where they live and report from: the newest.
const CASES: i64 = 20;
/// Incidents and works that are looked at.
const IN_FORCE: i64 = 200;
/// Works that begin within this are told of, in milliseconds: a week.
const AHEAD_MS: u64 = 7 * 86_400_000;
/// Reports of the last so many milliseconds may be of the same thing: two weeks.
const SAME_WITHIN_MS: u64 = 14 * 86_400_000;
/// Reports that are looked at for duplicates: the newest of the topic.
const LOOKED_AT: i64 = 5_000;
/// Within so many metres two reports may be of the same thing.
const NEAR_M: f64 = 300.0;
/// Duplicates that are shown.
const DUPLICATES: usize = 10;
/// Letters of a duplicate's text that are shown.
const LETTERS: usize = 200;

/// An incident or works where a caller lives or has reported. Times in milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct NearIncident {
    /// Its number.
    pub n: i64,
    /// An incident, or works.
    pub sort: Sort,
    /// What is out of order.
    pub topic: String,
    /// Where; nothing: in the whole city.
    pub districts: Vec<String>,
    /// Since when, or from when on.
    pub begins_ms: u64,
    /// When works end.
    pub ends_ms: Option<u64>,
    /// When it should be repaired.
    pub repair_due_ms: Option<u64>,
    /// What callers are told.
    pub notice: Texts,
}

/// A report that may be of the same thing.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Duplicate {
    /// The case.
    pub number: String,
    /// What about.
    pub topic: String,
    /// Where it stands.
    pub state: String,
    /// When it was registered, in milliseconds since the epoch.
    pub registered_ms: i64,
    /// How far away, in metres; 0 in the same building.
    pub distance_m: u32,
    /// The beginning of what was said; nothing where that was erased.
    #[schema(value_type = Option<String>)]
    pub text: Option<Private<String>>,
    /// The incident that it belongs to and that is not over.
    pub incident: Option<i64>,
}

/// Where something is, as a question of duplicates says it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spot {
    /// The building, by its number in the register of addresses.
    pub building: Option<i64>,
    /// Latitude and longitude in degrees.
    pub at_degrees: Option<(f64, f64)>,
}

#[derive(FromRow)]
struct Building {
    street: i64,
    district: Option<String>,
    lat: Option<f64>,
    lon: Option<f64>,
}

#[derive(FromRow)]
struct Reported {
    number: String,
    topic: String,
    state: String,
    registered_ms: i64,
    building: Option<i64>,
    lat: Option<f64>,
    lon: Option<f64>,
}

impl Store {
    /// Incidents and works of now and of the coming week in the districts where the caller has reported, and those of the whole city.
    pub async fn near_caller(&self, caller: CallerRef, now: Time) -> Result<Vec<NearIncident>, RegisterError> {
        if caller.is_withheld() {
            return Ok(Vec::new());
        }
        let districts = query(
            "SELECT cases.district FROM case_people JOIN cases ON cases.id = case_people.case_id \
             WHERE case_people.caller = $1 AND cases.district IS NOT NULL ORDER BY case_people.case_id DESC LIMIT $2",
        );
        let told = query("SELECT n, body FROM incidents WHERE state = 'confirmed' AND begins_ms <= $1 ORDER BY n DESC LIMIT $2");
        let (districts, told): (Vec<(String,)>, Vec<(i64, String)>) = tokio::try_join!(
            districts.bind(signed(caller.0)).bind(CASES).fetch_all(self.db.readers()),
            told.bind(ms(now.0.saturating_add(AHEAD_MS))).bind(IN_FORCE).fetch_all(self.db.readers()),
        )?;
        let own: BTreeSet<String> = districts.into_iter().map(|(district,)| district).collect();
        let mut near = Vec::new();
        for (n, body) in told {
            let incident: Incident = serde_json::from_str(&body).map_err(|_| RegisterError::damaged("incidents.body"))?;
            if incident.districts.is_empty() || incident.districts.iter().any(|district| own.contains(district.as_str())) {
                near.push(NearIncident::of(n, incident));
            }
        }
        Ok(near)
    }

    /// The place of a building: its district and, where they are known, its degrees. `None` where there is no such building.
    pub async fn spot_of_building(&self, building: i64) -> Result<Option<(i64, Option<String>, Spot)>, RegisterError> {
        let row = query("SELECT street, district, lat, lon FROM buildings WHERE id = $1").bind(building);
        let found: Option<Building> = row.fetch_optional(self.db.readers()).await?;
        Ok(found
            .map(|Building { street, district, lat, lon }| (street, district, Spot { building: Some(building), at_degrees: lat.zip(lon) })))
    }

    /// Open reports of the topic, or of one below or above it, within 300 m, the nearest first, ten at most: what the account sees of them.
    pub async fn duplicates(&self, topic: &str, spot: Spot, sight: &Sight, now: Time) -> Result<Vec<Duplicate>, RegisterError> {
        let whole = topic.split('/').next().unwrap_or(topic);
        let mut wanted = Conditions::default();
        wanted.add("cases.registered_ms >= $", ms(now.0.saturating_sub(SAME_WITHIN_MS)));
        wanted.add("cases.is_open = $", true);
        wanted.add("(cases.topic = $ OR (cases.topic > $ || '/' AND cases.topic < $ || '0'))", whole);
        sight.narrow(&mut wanted);
        let select = "SELECT cases.number AS number, cases.topic AS topic, cases.state AS state, cases.registered_ms AS registered_ms, \
             case_people.building AS building, COALESCE(buildings.lat, case_people.lat) AS lat, \
             COALESCE(buildings.lon, case_people.lon) AS lon FROM cases JOIN case_people ON case_people.case_id = cases.id \
             LEFT JOIN buildings ON buildings.id = case_people.building";
        let rows: Vec<Reported> =
            wanted.query(select, "ORDER BY cases.registered_ms DESC LIMIT $", LOOKED_AT).fetch_all(self.db.readers()).await?;
        let alike = |row: &Reported| row.topic == topic || below(&row.topic, topic) || below(topic, &row.topic);
        let placed = |row: Reported| Some((spot.distance(&row).filter(|metres| *metres <= NEAR_M)?, row));
        let mut near: Vec<(f64, Reported)> = rows.into_iter().filter(alike).filter_map(placed).collect();
        near.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        near.truncate(DUPLICATES);
        let mut duplicates = Vec::with_capacity(near.len());
        for (distance, row) in near {
            let text = self.reported_text(&row.number).await?;
            let incident = self.live_incident(&row.number).await?;
            let Reported { number, topic, state, registered_ms, .. } = row;
            duplicates.push(Duplicate { number, topic, state, registered_ms, distance_m: distance.round() as u32, text, incident });
        }
        Ok(duplicates)
    }

    /// The newest of those that a case belongs to and that are not over.
    async fn live_incident(&self, number: &str) -> Result<Option<i64>, RegisterError> {
        let found: Option<(i64,)> = query(
            "SELECT incident_cases.incident FROM incident_cases JOIN incidents ON incidents.n = incident_cases.incident \
             WHERE incident_cases.number = $1 AND NOT incident_cases.parted AND incidents.state IN ('proposed', 'confirmed') \
             ORDER BY incident_cases.incident DESC LIMIT 1",
        )
        .bind(number)
        .fetch_optional(self.db.readers())
        .await?;
        Ok(found.map(|(incident,)| incident))
    }

    async fn reported_text(&self, number: &str) -> Result<Option<Private<String>>, RegisterError> {
        let words: Option<(String,)> = query(
            "SELECT chain_words.words FROM chain JOIN chain_words ON chain_words.place = chain.place \
             WHERE chain.subject = $1 ORDER BY chain.place LIMIT 1",
        )
        .bind(number)
        .fetch_optional(self.db.readers())
        .await?;
        let said = words.and_then(|(words,)| serde_json::from_str::<ReportWords>(&words).ok()).map(|words| words.text);
        Ok(said.map(|text| Private::new(text.reveal().chars().take(LETTERS).collect())))
    }
}

impl Spot {
    fn distance(&self, row: &Reported) -> Option<f64> {
        if self.building.is_some() && self.building == row.building {
            return Some(0.0);
        }
        Some(metres(self.at_degrees?, row.lat.zip(row.lon)?))
    }
}

impl NearIncident {
    fn of(n: i64, incident: Incident) -> Self {
        Self {
            n,
            sort: incident.sort,
            topic: incident.topic.as_str().to_owned(),
            districts: incident.districts.iter().map(|district| district.as_str().to_owned()).collect(),
            begins_ms: incident.begins.0,
            ends_ms: incident.ends.map(|at| at.0),
            repair_due_ms: incident.repair_due.map(|at| at.0),
            notice: incident.notice,
        }
    }
}

fn below(deep: &str, wide: &str) -> bool {
    deep.strip_prefix(wide).is_some_and(|rest| rest.starts_with('/'))
}
