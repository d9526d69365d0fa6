//! Who must be called back, and has it been done?

use serde::Serialize;
use sqlx::FromRow;

use crate::centre::ids::{CallId, CallerRef, Language, QueueId};
use crate::centre::time::Time;

use super::bulk::{BulkRow, ms, signed};
use super::statement::{Statement, query};
use super::{Store, StoreError};

/// The most callbacks that one request gets.
const MOST: i64 = 500;

/// A callback that is owed, or was made. Times in milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow, utoipa::ToSchema)]
pub struct Callback {
    /// The call that could not be kept.
    pub call_id: i64,
    /// The number to call; personal data, for those who make the call.
    pub number: Option<String>,
    /// From which queue.
    pub queue: String,
    /// In which language, by its code.
    pub language: String,
    /// Since when the caller waits: the old place.
    pub waiting_since_ms: i64,
    /// When it came to be owed.
    pub owed_ms: i64,
    /// When it was done.
    pub done_ms: Option<i64>,
    /// By whom.
    pub done_by: Option<String>,
}

impl Store {
    /// The callbacks that are still to be made, those who wait longest first.
    pub async fn callbacks_owed(&self) -> Result<Vec<Callback>, StoreError> {
        let statement = query(
            "SELECT callbacks.*, callers.number FROM callbacks LEFT JOIN callers USING (caller) \
             WHERE done_ms IS NULL ORDER BY waiting_since_ms LIMIT $1",
        );
        Ok(statement.bind(MOST).fetch_all(self.db.readers()).await?)
    }

    /// Notes that a callback was made; false where none is owed for this call.
    pub async fn callback_done(&self, call: CallId, by: &str, at: Time) -> Result<bool, StoreError> {
        let statement = query("UPDATE callbacks SET done_ms = $1, done_by = $2 WHERE call_id = $3 AND done_ms IS NULL");
        let done = statement.bind(ms(at.0)).bind(by).bind(signed(call.0)).execute(self.db.writer()).await?;
        Ok(done == 1)
    }
}

pub(super) struct CallbackRow {
    at: Time,
    call: CallId,
    caller: CallerRef,
    queue: QueueId,
    language: Language,
    waiting_since_ms: u64,
}

impl CallbackRow {
    pub fn new(at: Time, call: CallId, caller: CallerRef, queue: &QueueId, language: Language, waiting_since_ms: u64) -> Self {
        Self { at, call, caller, queue: queue.clone(), language, waiting_since_ms }
    }
}

/// A call owes one callback, however often it is said.
impl BulkRow for CallbackRow {
    const HEAD: &'static str = "INSERT INTO callbacks (call_id, caller, queue, language, waiting_since_ms, owed_ms) VALUES ";
    const TAIL: &'static str = " ON CONFLICT (call_id) DO NOTHING";
    const COLUMNS: usize = 6;

    fn bind(&self, statement: Statement) -> Statement {
        statement
            .bind(signed(self.call.0))
            .bind((self.caller != CallerRef::WITHHELD).then(|| signed(self.caller.0)))
            .bind(self.queue.as_str().to_owned())
            .bind(self.language.code())
            .bind(ms(self.waiting_since_ms))
            .bind(ms(self.at.0))
    }
}
