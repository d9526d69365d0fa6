//! What should an operator know of a number before saying hello? Short notes, each with who wrote it and when.

use serde::Serialize;
use sqlx::FromRow;

use crate::centre::ids::CallerRef;
use crate::centre::time::Time;
use crate::private::Private;

use super::bulk::{ms, signed};
use super::statement::query;
use super::{Store, StoreError};

/// Notes that are shown of a number.
const MOST: i64 = 10;

/// A note of a number, or of one resident of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Note {
    /// Its number here.
    pub id: i64,
    /// The resident whom it is about.
    pub resident: Option<i64>,
    /// Who wrote it.
    pub by_name: String,
    /// When, in milliseconds since the epoch.
    pub at_ms: i64,
    /// What it says.
    #[schema(value_type = String)]
    pub text: Private<String>,
}

#[derive(FromRow)]
struct Row {
    id: i64,
    resident: Option<i64>,
    by_name: String,
    at_ms: i64,
    text: String,
}

impl Store {
    /// Writes a note of a number; returns its own number.
    pub async fn write_note(
        &self,
        caller: CallerRef,
        resident: Option<i64>,
        text: &Private<String>,
        by_name: &str,
        at: Time,
    ) -> Result<i64, StoreError> {
        let insert = query("INSERT INTO notes (caller, resident, by_name, at_ms, text) VALUES ($1, $2, $3, $4, $5) RETURNING id");
        let insert = insert.bind(signed(caller.0)).bind(resident).bind(by_name).bind(ms(at.0)).bind(text.reveal());
        Ok(insert.fetch_scalar(self.db.writer()).await?)
    }

    /// Takes a note away; false where there is none of this number.
    pub async fn remove_note(&self, id: i64) -> Result<bool, StoreError> {
        Ok(query("DELETE FROM notes WHERE id = $1").bind(id).execute(self.db.writer()).await? == 1)
    }

    /// The notes of a number, the newest first, ten at most.
    pub(super) async fn notes_of(&self, caller: CallerRef) -> Result<Vec<Note>, StoreError> {
        let rows = query("SELECT id, resident, by_name, at_ms, text FROM notes WHERE caller = $1 ORDER BY id DESC LIMIT $2");
        let rows: Vec<Row> = rows.bind(signed(caller.0)).bind(MOST).fetch_all(self.db.readers()).await?;
        let note = |Row { id, resident, by_name, at_ms, text }: Row| Note { id, resident, by_name, at_ms, text: Private::new(text) };
        Ok(rows.into_iter().map(note).collect())
    }
}
