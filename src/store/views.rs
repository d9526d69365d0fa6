//! Which lists does an account want to see again? Filters of the register under a name of its own.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::centre::time::Time;

use super::bulk::ms;
use super::statement::query;
use super::{CaseFilter, Store, StoreError};

/// Views that an account has at most.
const MOST: i64 = 50;

/// A view.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedView {
    /// Its name, the account's own.
    pub name: String,
    /// What it shows.
    pub filter: CaseFilter,
}

#[derive(FromRow)]
struct ViewRow {
    name: String,
    filter: String,
}

impl Store {
    /// An account's views by their names.
    pub async fn views(&self, who: &str) -> Result<Vec<SavedView>, StoreError> {
        let rows = query("SELECT name, filter FROM saved_views WHERE who = $1 ORDER BY name");
        let rows: Vec<ViewRow> = rows.bind(who).fetch_all(self.db.readers()).await?;
        let view = |row: ViewRow| Some(SavedView { name: row.name, filter: serde_json::from_str(&row.filter).ok()? });
        Ok(rows.into_iter().filter_map(view).collect())
    }

    /// Keeps a view in the place of one of its name; false where the account has 50 others.
    pub async fn put_view(&self, who: &str, view: &SavedView, at: Time) -> Result<bool, StoreError> {
        let put = query(
            "INSERT INTO saved_views (who, name, filter, at_ms) \
             SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS BIGINT) \
             WHERE (SELECT COUNT(*) FROM saved_views WHERE who = $1 AND name <> $2) < $5 \
             ON CONFLICT (who, name) DO UPDATE SET filter = excluded.filter, at_ms = excluded.at_ms",
        );
        let filter = serde_json::to_string(&view.filter).unwrap_or_default();
        Ok(put.bind(who).bind(&view.name).bind(filter).bind(ms(at.0)).bind(MOST).execute(self.db.writer()).await? == 1)
    }

    /// Forgets a view; false where there is none of this name.
    pub async fn remove_view(&self, who: &str, name: &str) -> Result<bool, StoreError> {
        let gone = query("DELETE FROM saved_views WHERE who = $1 AND name = $2");
        Ok(gone.bind(who).bind(name).execute(self.db.writer()).await? == 1)
    }
}
