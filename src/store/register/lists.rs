//! Which cases wait for control, whose desk is late, and what does the league table count? Lists over the whole register.

use serde::Serialize;
use sqlx::FromRow;

use crate::cases::case::Case;
use crate::centre::time::Time;
use crate::report::league::Promised;
use crate::store::bulk::ms;
use crate::store::statement::{Conditions, query};
use crate::store::{Sight, Store};

use super::RegisterError;
use super::act::{COLUMNS, CaseRow};

/// The most control calls that one request gets.
const MOST: u32 = 500;

/// Rows of the league table that are read at once.
const PART: i64 = 5_000;

/// A case that is done and not confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlWork {
    /// The case.
    pub row: CaseRow,
    /// Control calls since it was done.
    pub control_calls: u32,
}

/// What an organisation owes late.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow, utoipa::ToSchema)]
pub struct LateDesk {
    /// At whose desk; `null`: the centre's.
    pub organisation: Option<String>,
    /// How many cases are late there.
    pub cases: i64,
    /// The broken promise that is oldest, in milliseconds since the epoch.
    pub oldest_due_ms: i64,
}

#[derive(FromRow)]
struct Body {
    number: String,
    body: String,
}

#[derive(FromRow)]
struct PromisedRow {
    id: i64,
    organisation: Option<String>,
    registered_ms: i64,
    reaction_due_ms: i64,
    reaction_kept_ms: Option<i64>,
    resolution_due_ms: i64,
    resolution_kept_ms: Option<i64>,
    /// The fold, where the clocks count from a reopening.
    body: Option<String>,
}

impl Store {
    /// Cases that are done, those first that wait longest for the resident's word; `limit` is 500 at most, 0 for 50.
    pub async fn control_work(&self, sight: &Sight, limit: u32) -> Result<Vec<ControlWork>, RegisterError> {
        let limit = i64::from(if limit == 0 { 50 } else { limit.min(MOST) });
        let done = |columns: &str| {
            let mut wanted = Conditions::default();
            wanted.add_plain("state = 'done'");
            sight.narrow(&mut wanted);
            wanted.query(&format!("SELECT {columns} FROM cases"), "ORDER BY resolution_kept_ms, id LIMIT $", limit)
        };
        let rows: Vec<CaseRow> = done(COLUMNS).fetch_all(self.db.readers()).await?;
        let bodies: Vec<Body> = done("number, body").fetch_all(self.db.readers()).await?;
        let mut calls = std::collections::BTreeMap::new();
        for Body { number, body } in bodies {
            let case: Case = serde_json::from_str(&body).map_err(|_| RegisterError::damaged("cases.body"))?;
            calls.insert(number, case.control_calls);
        }
        Ok(rows.into_iter().map(|row| ControlWork { control_calls: calls.get(&row.number).copied().unwrap_or(0), row }).collect())
    }

    /// Who is late with how much, the most cases first.
    pub async fn late_desks(&self, sight: &Sight, now: Time) -> Result<Vec<LateDesk>, RegisterError> {
        let mut wanted = Conditions::default();
        wanted.add("is_open = TRUE AND (resolution_due_ms < $ OR (reaction_kept_ms IS NULL AND reaction_due_ms < $))", ms(now.0));
        sight.narrow(&mut wanted);
        let due =
            "CASE WHEN reaction_kept_ms IS NULL AND reaction_due_ms < resolution_due_ms THEN reaction_due_ms ELSE resolution_due_ms END";
        // By an expression: SQLite would rather read all cases in the order of an index of organisations than sort the few that are late.
        let statement = wanted.query(
            &format!("SELECT MIN(organisation) AS organisation, COUNT(*) AS cases, MIN({due}) AS oldest_due_ms FROM cases"),
            "GROUP BY organisation || '' ORDER BY cases DESC, 1 LIMIT $",
            2_000_i64,
        );
        Ok(statement.fetch_all(self.db.readers()).await?)
    }

    /// Gives `fold` the promises of all cases that were registered in a span, its end not included, in parts.
    pub async fn each_promise(&self, from: Time, to: Time, mut fold: impl FnMut(Promised)) -> Result<(), RegisterError> {
        let mut after = (ms(from.0), 0);
        loop {
            let part: Vec<PromisedRow> = query(
                "SELECT id, organisation, registered_ms, reaction_due_ms, reaction_kept_ms, resolution_due_ms, resolution_kept_ms, \
                 CASE WHEN reopened > 0 THEN body END AS body FROM cases \
                 WHERE (registered_ms, id) > ($1, $2) AND registered_ms < $3 ORDER BY registered_ms, id LIMIT $4",
            )
            .bind(after.0)
            .bind(after.1)
            .bind(ms(to.0))
            .bind(PART)
            .fetch_all(self.db.readers())
            .await?;
            let Some(last) = part.last() else { return Ok(()) };
            after = (last.registered_ms, last.id);
            for row in part {
                fold(row.read()?);
            }
        }
    }
}

impl PromisedRow {
    fn read(self) -> Result<Promised, RegisterError> {
        let time = |ms: i64| Time(u64::try_from(ms).unwrap_or(0));
        let counts_from = match &self.body {
            None => time(self.registered_ms),
            Some(body) => serde_json::from_str::<Case>(body).map_err(|_| RegisterError::damaged("cases.body"))?.counts_from,
        };
        Ok(Promised {
            organisation: self.organisation,
            counts_from,
            reaction_due: time(self.reaction_due_ms),
            reaction_kept: self.reaction_kept_ms.map(time),
            resolution_due: time(self.resolution_due_ms),
            resolution_kept: self.resolution_kept_ms.map(time),
        })
    }
}
