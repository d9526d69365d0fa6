//! Who must be called back, who was promised it, and has it been done?

use serde::Serialize;
use sqlx::FromRow;

use crate::centre::fact::CallbackEnd;
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

/// A caller who was promised a callback and waits without a line. Times in milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow, utoipa::ToSchema)]
pub struct CallbackStanding {
    /// The call.
    pub call_id: i64,
    /// The number to call; personal data.
    pub number: Option<String>,
    /// In which queue's turn.
    pub queue: String,
    /// In which language, by its code.
    pub language: String,
    /// Since when the caller waits.
    pub waiting_since_ms: i64,
    /// When it was promised.
    pub stood_ms: i64,
    /// How often they were called.
    pub tries: i64,
    /// When they were called last.
    pub dialled_ms: Option<i64>,
    /// They are not called again before.
    pub again_ms: Option<i64>,
}

impl Store {
    /// The callbacks that stand, those who wait longest first.
    pub async fn callbacks_standing(&self) -> Result<Vec<CallbackStanding>, StoreError> {
        let statement = query(
            "SELECT call_id, callers.number, queue, callback_wishes.language, waiting_since_ms, stood_ms, tries, dialled_ms, again_ms \
             FROM callback_wishes LEFT JOIN callers USING (caller) WHERE ended_ms IS NULL AND stood_ms IS NOT NULL \
             ORDER BY waiting_since_ms LIMIT $1",
        );
        Ok(statement.bind(MOST).fetch_all(self.db.readers()).await?)
    }

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

/// What the facts of a batch say of a wish to be called back.
pub(super) struct WishRow {
    call: CallId,
    pub stands: Option<Stands>,
    dialled: Option<(Time, u8)>,
    pub again_ms: Option<u64>,
    pub ended: Option<(Time, CallbackEnd)>,
}

/// A callback was promised.
pub(super) struct Stands {
    pub to: CallerRef,
    pub queue: QueueId,
    pub language: Language,
    pub waiting_since_ms: u64,
    pub at: Time,
}

impl WishRow {
    pub fn new(call: CallId) -> Self {
        Self { call, stands: None, dialled: None, again_ms: None, ended: None }
    }

    pub fn dialled(&mut self, at: Time, attempt: u8) {
        self.dialled = Some((at, attempt));
    }
}

/// One a call; what is told later is added.
impl BulkRow for WishRow {
    const HEAD: &'static str = "INSERT INTO callback_wishes (call_id, caller, queue, language, waiting_since_ms, stood_ms, tries, \
        dialled_ms, again_ms, ended_ms, how) VALUES ";
    const TAIL: &'static str = " ON CONFLICT (call_id) DO UPDATE SET caller = COALESCE(excluded.caller, callback_wishes.caller), \
        queue = COALESCE(excluded.queue, callback_wishes.queue), language = COALESCE(excluded.language, callback_wishes.language), \
        waiting_since_ms = COALESCE(excluded.waiting_since_ms, callback_wishes.waiting_since_ms), \
        stood_ms = COALESCE(excluded.stood_ms, callback_wishes.stood_ms), \
        tries = CASE WHEN excluded.tries > callback_wishes.tries THEN excluded.tries ELSE callback_wishes.tries END, \
        dialled_ms = COALESCE(excluded.dialled_ms, callback_wishes.dialled_ms), \
        again_ms = COALESCE(excluded.again_ms, callback_wishes.again_ms), \
        ended_ms = COALESCE(excluded.ended_ms, callback_wishes.ended_ms), how = COALESCE(excluded.how, callback_wishes.how)";
    const COLUMNS: usize = 11;

    fn bind(&self, statement: Statement) -> Statement {
        let stands = self.stands.as_ref();
        statement
            .bind(signed(self.call.0))
            .bind(stands.map(|stands| signed(stands.to.0)))
            .bind(stands.map(|stands| stands.queue.as_str().to_owned()))
            .bind(stands.map(|stands| stands.language.code()))
            .bind(stands.map(|stands| ms(stands.waiting_since_ms)))
            .bind(stands.map(|stands| ms(stands.at.0)))
            .bind(self.dialled.map_or(0, |(_, attempt)| i64::from(attempt)))
            .bind(self.dialled.map(|(at, _)| ms(at.0)))
            .bind(self.again_ms.map(ms))
            .bind(self.ended.map(|(at, _)| ms(at.0)))
            .bind(self.ended.map(|(_, how)| how.word()))
    }
}
