//! Which way did a caller take through the dialplan?

use serde::Serialize;
use sqlx::FromRow;

use crate::centre::ids::{CallId, StepId};
use crate::centre::time::Time;

use super::bulk::{BulkRow, ms, signed};
use super::projection::FactId;
use super::statement::{Statement, query};
use super::{Store, StoreError};

/// A step entered, or a key pressed in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow, utoipa::ToSchema)]
pub struct StepTaken {
    /// The step.
    pub step: String,
    /// The key; `None` where the step was entered.
    pub key: Option<String>,
    /// When, in milliseconds since the epoch.
    pub at_ms: i64,
}

impl Store {
    /// The way of a call, in order.
    pub(super) async fn steps(&self, call: CallId) -> Result<Vec<StepTaken>, StoreError> {
        let statement = query("SELECT step, key, at_ms FROM steps WHERE call_id = $1 ORDER BY position, place");
        Ok(statement.bind(signed(call.0)).fetch_all(self.db.readers()).await?)
    }
}

pub(super) struct StepRow {
    id: FactId,
    at: Time,
    call: CallId,
    step: StepId,
    key: Option<char>,
}

impl StepRow {
    pub fn entered(id: FactId, at: Time, call: CallId, step: &StepId) -> Self {
        Self { id, at, call, step: step.clone(), key: None }
    }

    pub fn pressed(id: FactId, at: Time, call: CallId, step: &StepId, key: char) -> Self {
        Self { id, at, call, step: step.clone(), key: Some(key) }
    }
}

impl BulkRow for StepRow {
    const HEAD: &'static str = "INSERT INTO steps (call_id, position, place, step, key, at_ms) VALUES ";
    const TAIL: &'static str = "";
    const COLUMNS: usize = 6;

    fn bind(&self, statement: Statement) -> Statement {
        statement
            .bind(signed(self.call.0))
            .bind(self.id.position())
            .bind(self.id.place())
            .bind(self.step.as_str().to_owned())
            .bind(self.key.map(String::from))
            .bind(ms(self.at.0))
    }
}
