//! What became of the files that were taken in, also of one that a process did not end? Kept in the database, beside what it wrote.

use serde::Serialize;
use sqlx::FromRow;

use super::{ImportReport, RegisterError};
use crate::centre::time::Time;
use crate::store::bulk::{ms, signed};
use crate::store::statement::query;
use crate::store::transaction::Transaction;
use crate::store::{Store, StoreError};

/// The most that a list has.
const MOST: i64 = 50;

/// Where an import stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ImportState {
    /// Its rows are being written.
    Running,
    /// They are written.
    Done,
    /// Nothing was written.
    Failed {
        /// Why.
        why: String,
    },
}

/// An import as it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Import {
    /// Its number.
    pub id: i64,
    /// Who sent the file.
    pub by: String,
    /// When, in milliseconds since the epoch.
    pub begun_ms: i64,
    /// When it ended.
    pub ended_ms: Option<i64>,
    /// Rows that are written so far.
    pub written: u64,
    /// Where it stands.
    #[serde(flatten)]
    pub state: ImportState,
    /// What was found in the file.
    #[serde(flatten)]
    pub report: ImportReport,
}

#[derive(FromRow)]
struct Row {
    id: i64,
    process: i64,
    by_name: String,
    report: String,
    begun_ms: i64,
    ended_ms: Option<i64>,
    written: i64,
    why: Option<String>,
}

impl Store {
    /// Notes that the good rows of a file are going to be written; returns its number.
    pub async fn begin_import(&self, by: &str, report: &ImportReport, at: Time) -> Result<i64, StoreError> {
        let report = serde_json::to_string(report).map_err(|error| StoreError::Value { what: "a report", value: error.to_string() })?;
        let insert = query("INSERT INTO imports (process, by_name, report, begun_ms, written) VALUES ($1, $2, $3, $4, 0) RETURNING id");
        Ok(insert.bind(self.process).bind(by).bind(report).bind(ms(at.0)).fetch_scalar(self.db.writer()).await?)
    }

    /// Notes that nothing was written, and why.
    pub async fn fail_import(&self, id: i64, why: &str, at: Time) -> Result<(), StoreError> {
        let failed = query("UPDATE imports SET ended_ms = $1, why = $2 WHERE id = $3 AND ended_ms IS NULL");
        failed.bind(ms(at.0)).bind(why.chars().take(1_000).collect::<String>()).bind(id).execute(self.db.writer()).await?;
        Ok(())
    }

    /// The last imports, the newest first.
    pub async fn imports(&self) -> Result<Vec<Import>, StoreError> {
        let rows: Vec<Row> =
            query("SELECT id, process, by_name, report, begun_ms, ended_ms, written, why FROM imports ORDER BY id DESC LIMIT $1")
                .bind(MOST)
                .fetch_all(self.db.readers())
                .await?;
        rows.into_iter().map(|row| row.read(self.process)).collect()
    }

    /// One of them; `None` where there is none of this number.
    pub async fn import(&self, id: i64) -> Result<Option<Import>, StoreError> {
        let row: Option<Row> = query("SELECT id, process, by_name, report, begun_ms, ended_ms, written, why FROM imports WHERE id = $1")
            .bind(id)
            .fetch_optional(self.db.readers())
            .await?;
        row.map(|row| row.read(self.process)).transpose()
    }
}

/// Notes the end, in the transaction of the rows.
pub(super) async fn done(transaction: &mut Transaction, id: i64, written: u64, at: Time) -> Result<(), RegisterError> {
    let done = query("UPDATE imports SET ended_ms = $1, written = $2 WHERE id = $3");
    done.bind(ms(at.0)).bind(signed(written)).bind(id).execute(transaction).await?;
    Ok(())
}

impl Row {
    /// What another process has begun and not ended is not written: its end would be in the transaction of its rows.
    fn read(self, process: i64) -> Result<Import, StoreError> {
        let Row { id, process: of, by_name: by, report, begun_ms, ended_ms, written, why } = self;
        let state = match (ended_ms, why) {
            (Some(_), None) => ImportState::Done,
            (Some(_), Some(why)) => ImportState::Failed { why },
            (None, _) if of == process => ImportState::Running,
            (None, _) => {
                ImportState::Failed { why: "the server ended while it was written: nothing of it is; send the file again".to_owned() }
            }
        };
        let report =
            serde_json::from_str(&report).map_err(|_| StoreError::Value { what: "imports.report", value: "•••".to_owned() })?;
        Ok(Import { id, by, begun_ms, ended_ms, written: written.unsigned_abs(), state, report })
    }
}
