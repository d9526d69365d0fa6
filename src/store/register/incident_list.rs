//! Which incidents and works are there, what happened to each, and what are callers told now?

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::cases::incident_life::{Happened, Incident};
use crate::centre::time::Time;
use crate::private::Private;
use crate::store::Store;
use crate::store::bulk::ms;
use crate::store::cases::Sight;
use crate::store::statement::{Conditions, query};

use super::RegisterError;
use super::incidents::subject;

/// The most incidents that one request gets.
const MOST: u32 = 500;
/// The most cases that are listed with an incident.
const MOST_CASES: i64 = 500;
/// The most notices that callers are told at once.
const MOST_TOLD: i64 = 200;

/// The columns of an [`IncidentRow`].
pub(super) const COLUMNS: &str = "n, sort, state, topic, owner, begins_ms, ends_ms, changed_ms, cases";

/// An incident as lists show it. Times in milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow, utoipa::ToSchema)]
pub struct IncidentRow {
    /// Its number.
    pub n: i64,
    /// "incident" or "works".
    pub sort: String,
    /// "proposed", "confirmed", "dismissed" or "fixed".
    pub state: String,
    /// What is out of order.
    pub topic: String,
    /// Whose it is.
    pub owner: Option<String>,
    /// Since when, or from when on.
    pub begins_ms: i64,
    /// When works end.
    pub ends_ms: Option<i64>,
    /// When something last happened to it.
    pub changed_ms: i64,
    /// How many cases belong to it.
    pub cases: i64,
}

/// One event as it is read.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct IncidentEntry {
    /// Its place in the chain.
    pub place: i64,
    /// What happened, when and by whom.
    #[serde(flatten)]
    pub event: Happened,
    /// The reason or the cause.
    #[schema(value_type = Option<String>)]
    pub words: Option<Private<String>>,
}

/// An incident with its history: when it is fixed, its report.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct IncidentDetail {
    /// Its number.
    pub n: i64,
    /// The fold of its events.
    #[serde(flatten)]
    pub incident: Incident,
    /// How many want to be told when it is over, beside those who have a case.
    pub subscribers: i64,
    /// Its cases, five hundred at most.
    pub numbers: Vec<String>,
    /// All that happened, in order.
    pub history: Vec<IncidentEntry>,
}

/// What callers are told now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeInForce {
    /// Of which incident or works.
    pub n: i64,
    /// The incident.
    pub incident: Incident,
    /// Whether they are works that go on longer than was announced.
    pub overruns: bool,
}

/// Which incidents are asked for; what is not given is any.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct IncidentFilter {
    /// Where it stands.
    #[serde(default)]
    pub state: Option<String>,
    /// "incident" or "works".
    #[serde(default)]
    pub sort: Option<String>,
    /// Those with a smaller number; newest first.
    #[serde(default)]
    pub before: Option<i64>,
    /// How many, 500 at most, 0 for 50.
    #[serde(default)]
    #[param(required = false)]
    pub limit: u32,
}

#[derive(FromRow)]
struct Entry {
    place: i64,
    event: String,
    words: Option<String>,
}

impl Store {
    /// Incidents and works, newest first. An organisation sees its own.
    pub async fn incidents(&self, filter: &IncidentFilter, sight: &Sight) -> Result<Vec<IncidentRow>, RegisterError> {
        let mut wanted = Conditions::default();
        wanted.add("n < $", filter.before.unwrap_or(i64::MAX));
        for (condition, value) in [("state = $", &filter.state), ("sort = $", &filter.sort), ("owner = $", &sight.organisation)] {
            if let Some(value) = value {
                wanted.add(condition, value);
            }
        }
        let limit = if filter.limit == 0 { 50 } else { filter.limit.min(MOST) };
        let statement = wanted.query(&format!("SELECT {COLUMNS} FROM incidents"), "ORDER BY n DESC LIMIT $", i64::from(limit));
        Ok(statement.fetch_all(self.db.readers()).await?)
    }

    /// An incident with its history; `None` where there is none of this number, or the account does not see it.
    pub async fn incident(&self, n: i64, sight: &Sight) -> Result<Option<IncidentDetail>, RegisterError> {
        let body: Option<(String,)> = query("SELECT body FROM incidents WHERE n = $1").bind(n).fetch_optional(self.db.readers()).await?;
        let Some((body,)) = body else { return Ok(None) };
        let incident: Incident = serde_json::from_str(&body).map_err(|_| RegisterError::damaged("incidents.body"))?;
        let own = |organisation: &String| incident.owner.as_ref().is_some_and(|owner| owner.as_str() == organisation);
        if !sight.organisation.as_ref().is_none_or(own) {
            return Ok(None);
        }
        let entries: Vec<Entry> = query(
            "SELECT chain.place AS place, chain.event AS event, chain_words.words AS words \
             FROM chain LEFT JOIN chain_words ON chain_words.place = chain.place WHERE chain.subject = $1 ORDER BY chain.place",
        )
        .bind(subject(n))
        .fetch_all(self.db.readers())
        .await?;
        let numbers: Vec<(String,)> =
            query("SELECT number FROM incident_cases WHERE incident = $1 AND NOT parted ORDER BY number LIMIT $2")
                .bind(n)
                .bind(MOST_CASES)
                .fetch_all(self.db.readers())
                .await?;
        let subscribers = query("SELECT COUNT(*) FROM subscriptions WHERE incident = $1").bind(n).fetch_scalar(self.db.readers()).await?;
        let history: Result<Vec<IncidentEntry>, RegisterError> = entries.into_iter().map(Entry::read).collect();
        Ok(Some(IncidentDetail {
            n,
            incident,
            subscribers,
            numbers: numbers.into_iter().map(|(number,)| number).collect(),
            history: history?,
        }))
    }

    /// What callers are told at this moment, the newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn notices_in_force(&self, now: Time) -> Result<Vec<NoticeInForce>, RegisterError> {
        let told = query("SELECT n, body FROM incidents WHERE state = 'confirmed' AND begins_ms <= $1 ORDER BY n DESC LIMIT $2");
        let rows: Vec<(i64, String)> = told.bind(ms(now.0)).bind(MOST_TOLD).fetch_all(self.db.readers()).await?;
        let read = |(n, body): (i64, String)| {
            let incident: Incident = serde_json::from_str(&body).map_err(|_| RegisterError::damaged("incidents.body"))?;
            Ok(NoticeInForce { n, overruns: incident.overruns(now), incident })
        };
        rows.into_iter().map(read).collect()
    }
}

impl Entry {
    fn read(self) -> Result<IncidentEntry, RegisterError> {
        let event = serde_json::from_str(&self.event).map_err(|_| RegisterError::damaged("chain.event"))?;
        Ok(IncidentEntry { place: self.place, event, words: self.words.map(Private::new) })
    }
}
