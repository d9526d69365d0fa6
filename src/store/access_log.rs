//! Who opened which personal data, and when?

use serde::Serialize;
use sqlx::FromRow;

use crate::centre::time::Time;

use super::bulk::ms;
use super::statement::query;
use super::{Store, StoreError};

/// More entries are never read at once.
const MOST: u32 = 500;

/// What was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// A resident's story, on the screen of the operator to whom the call is offered.
    Story,
    /// The sound of a recording.
    Recording,
    /// A call with the caller's number.
    Call,
    /// The list of callbacks with their numbers.
    Callbacks,
    /// The list of cases with their texts.
    Cases,
    /// Buildings with whoever answers for them.
    Addresses,
    /// A photo or a document of a case.
    Evidence,
    /// A resident's record, with numbers.
    Residents,
    /// An account that was taken away, or its second factor: who did is on record, because it opens a way in.
    Accounts,
    /// A resident's own cases, by whoever proved that the number is theirs.
    Cabinet,
    /// A talk, by a supervisor who listened, whispered, joined or took over; with the reason.
    Supervision,
    /// An order of a supervisor about operators, queues or the whole centre, with its reason.
    Order,
}

impl Access {
    /// The word in the log.
    pub fn word(self) -> &'static str {
        match self {
            Access::Story => "story",
            Access::Recording => "recording",
            Access::Call => "call",
            Access::Callbacks => "callbacks",
            Access::Cases => "cases",
            Access::Addresses => "addresses",
            Access::Evidence => "evidence",
            Access::Residents => "residents",
            Access::Accounts => "accounts",
            Access::Cabinet => "cabinet",
            Access::Supervision => "supervision",
            Access::Order => "order",
        }
    }
}

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow, utoipa::ToSchema)]
pub struct AccessEntry {
    /// Its number; a later entry has a larger one.
    pub id: i64,
    /// When, in milliseconds since the epoch.
    pub at_ms: i64,
    /// The account.
    pub who: String,
    /// An `Access` as a word.
    pub action: String,
    /// What was opened, by its id: "call 12", "call 12 recording 1".
    pub subject: String,
}

/// Which entries are wanted.
#[derive(Clone, Debug, Default)]
pub struct AccessFilter {
    /// Entries with a smaller id only: the last one of the page before.
    pub before: Option<i64>,
    /// Of this account.
    pub who: Option<String>,
    /// An `Access` as a word.
    pub action: Option<String>,
    /// How many, 500 at most; 0 means 50.
    pub limit: u32,
}

impl Store {
    /// Writes down who opens what; to be awaited before it is shown.
    pub async fn log_access(&self, at: Time, who: &str, action: Access, subject: &str) -> Result<(), StoreError> {
        let statement = query("INSERT INTO access_log (at_ms, who, action, subject) VALUES ($1, $2, $3, $4)");
        statement.bind(ms(at.0)).bind(who).bind(action.word()).bind(subject).execute(self.db.writer()).await?;
        Ok(())
    }

    /// The last entries, newest first.
    pub async fn accesses(&self, limit: u32) -> Result<Vec<AccessEntry>, StoreError> {
        let statement = query("SELECT id, at_ms, who, action, subject FROM access_log ORDER BY id DESC LIMIT $1");
        Ok(statement.bind(i64::from(limit)).fetch_all(self.db.readers()).await?)
    }

    /// The entries that are wanted, newest first.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn accesses_of(&self, filter: &AccessFilter) -> Result<Vec<AccessEntry>, StoreError> {
        let limit = if filter.limit == 0 { 50 } else { filter.limit.min(MOST) };
        let statement = query(
            "SELECT id, at_ms, who, action, subject FROM access_log \
             WHERE id < $1 AND ($2 IS NULL OR who = $2) AND ($3 IS NULL OR action = $3) ORDER BY id DESC LIMIT $4",
        );
        let statement = statement.bind(filter.before.unwrap_or(i64::MAX)).bind(filter.who.as_deref()).bind(filter.action.as_deref());
        Ok(statement.bind(i64::from(limit)).fetch_all(self.db.readers()).await?)
    }
}
