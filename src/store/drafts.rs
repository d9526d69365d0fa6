//! Which forms has an account begun? Each is kept as the page has it, until its case or contact is written.

use serde::Serialize;
use serde_json::Value;
use sqlx::FromRow;

use crate::centre::ids::CallId;
use crate::centre::time::Time;

use super::bulk::{ms, signed};
use super::statement::{On, query};
use super::{Store, StoreError};

/// Drafts that an account has at most; one more takes the place of the oldest.
const MOST: i64 = 50;

/// A form that was begun.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Draft {
    /// Its name, the form's own.
    pub draft: String,
    /// The call that it is about.
    pub call: Option<CallId>,
    /// What the page has given, unread.
    #[schema(value_type = Object)]
    pub content: Value,
    /// When, in milliseconds since the epoch.
    pub at_ms: i64,
}

#[derive(FromRow)]
struct Row {
    draft: String,
    call_id: Option<i64>,
    content: String,
    at_ms: i64,
}

impl Store {
    /// An account's drafts, the newest first.
    pub async fn drafts(&self, who: &str) -> Result<Vec<Draft>, StoreError> {
        let rows = query("SELECT draft, call_id, content, at_ms FROM drafts WHERE by_name = $1 ORDER BY at_ms DESC, draft LIMIT $2");
        let rows: Vec<Row> = rows.bind(who).bind(MOST).fetch_all(self.db.readers()).await?;
        let draft = |row: Row| {
            let content = serde_json::from_str(&row.content).ok()?;
            Some(Draft { draft: row.draft, call: row.call_id.map(|call| CallId(call.cast_unsigned())), content, at_ms: row.at_ms })
        };
        Ok(rows.into_iter().filter_map(draft).collect())
    }

    /// Keeps a form in the place of what it was before.
    pub async fn save_draft(&self, who: &str, draft: &str, call: Option<CallId>, content: &Value, at: Time) -> Result<(), StoreError> {
        let put = query(
            "INSERT INTO drafts (by_name, draft, call_id, content, at_ms) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (by_name, draft) \
             DO UPDATE SET call_id = COALESCE(excluded.call_id, drafts.call_id), content = excluded.content, at_ms = excluded.at_ms",
        );
        let put = put.bind(who).bind(draft).bind(call.map(|call| signed(call.0))).bind(content.to_string()).bind(ms(at.0));
        put.execute(self.db.writer()).await?;
        let oldest = query(
            "DELETE FROM drafts WHERE by_name = $1 AND draft NOT IN \
             (SELECT draft FROM drafts WHERE by_name = $1 ORDER BY at_ms DESC, draft LIMIT $2)",
        );
        oldest.bind(who).bind(MOST).execute(self.db.writer()).await?;
        Ok(())
    }

    /// Forgets a form that was given up.
    pub async fn drop_draft(&self, who: &str, draft: &str) -> Result<(), StoreError> {
        Ok(written(self.db.writer(), who, draft).await?)
    }

    /// Forgets forms that nobody has touched since.
    pub async fn forget_old_drafts(&self, before: Time) -> Result<u64, StoreError> {
        Ok(query("DELETE FROM drafts WHERE at_ms < $1").bind(ms(before.0)).execute(self.db.writer()).await?)
    }
}

/// What the form was for is written; also within a transaction.
pub(super) async fn written(on: impl Into<On<'_>>, who: &str, draft: &str) -> Result<(), sqlx::Error> {
    query("DELETE FROM drafts WHERE by_name = $1 AND draft = $2").bind(who).bind(draft).execute(on).await?;
    Ok(())
}
