//! What did administrators decide on their screen, who and why? Each decision once, without a password.

use serde::Serialize;
use sqlx::FromRow;

use crate::centre::time::Time;

use super::bulk::ms;
use super::statement::query;
use super::{Store, StoreError};

/// The most decisions that are listed.
const MOST: i64 = 200;

/// A decision to be kept.
#[derive(Clone, Debug)]
pub struct NewRevision {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// What was replaced: "operators", "plans.109".
    pub sections: Vec<String>,
    /// When.
    pub at: Time,
}

/// A decision. Times in milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SettingsRevision {
    /// Its number.
    pub revision: i64,
    /// When.
    pub at_ms: i64,
    /// Who.
    pub by_name: String,
    /// Why.
    pub reason: String,
    /// What was replaced: "operators", "plans.109".
    pub sections: Vec<String>,
}

#[derive(FromRow)]
struct Row {
    revision: i64,
    at_ms: i64,
    by_name: String,
    reason: String,
    sections: String,
}

impl Store {
    /// The highest number of a decision; 0 before the first.
    pub async fn settings_revision(&self) -> Result<i64, StoreError> {
        let last = query("SELECT COALESCE(MAX(revision), 0) FROM settings_revisions");
        Ok(last.fetch_scalar(self.db.readers()).await?)
    }

    /// Keeps a decision under its number, with what holds by it; false where that number is taken.
    pub async fn add_settings_revision(&self, revision: i64, new: &NewRevision, body: &str) -> Result<bool, StoreError> {
        let add = query(
            "INSERT INTO settings_revisions (revision, at_ms, by_name, reason, sections, body) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (revision) DO NOTHING",
        );
        let add = add.bind(revision).bind(ms(new.at.0)).bind(&new.by).bind(&new.reason);
        let add = add.bind(serde_json::to_string(&new.sections).unwrap_or_default()).bind(body);
        Ok(add.execute(self.db.writer()).await? == 1)
    }

    /// Takes a decision back that could not be put in force.
    pub async fn remove_settings_revision(&self, revision: i64) -> Result<(), StoreError> {
        query("DELETE FROM settings_revisions WHERE revision = $1").bind(revision).execute(self.db.writer()).await?;
        Ok(())
    }

    /// The decisions, the newest first, 200 at most.
    pub async fn settings_revisions(&self) -> Result<Vec<SettingsRevision>, StoreError> {
        let rows = query("SELECT revision, at_ms, by_name, reason, sections FROM settings_revisions ORDER BY revision DESC LIMIT $1");
        let rows: Vec<Row> = rows.bind(MOST).fetch_all(self.db.readers()).await?;
        let revision = |Row { revision, at_ms, by_name, reason, sections }| {
            let sections = serde_json::from_str(&sections).unwrap_or_default();
            SettingsRevision { revision, at_ms, by_name, reason, sections }
        };
        Ok(rows.into_iter().map(revision).collect())
    }
}
