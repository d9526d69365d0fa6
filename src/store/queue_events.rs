//! When did a caller enter which queue, and how did the wait end?

use serde::Serialize;
use sqlx::FromRow;

use crate::centre::fact::QueueEnd;
use crate::centre::ids::{CallId, Language, QueueId, SkillId};
use crate::centre::time::Time;

use super::bulk::{BulkRow, ms, signed};
use super::projection::FactId;
use super::statement::{Statement, query};
use super::{Store, StoreError};

/// One stay in a queue. Times in milliseconds since the epoch, spans in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow, utoipa::ToSchema)]
pub struct QueueEvent {
    /// The queue.
    pub queue: String,
    /// The caller's language, by its code.
    pub language: String,
    /// What was needed of the operator, separated by blanks.
    pub skills: String,
    /// When the wait began.
    pub entered_ms: i64,
    /// When it ended; `None` while the caller waits.
    pub left_ms: Option<i64>,
    /// A `QueueEnd` as a word.
    pub how: Option<String>,
    /// The wait as the core counted it.
    pub waited_ms: Option<i64>,
}

impl Store {
    /// The stays of a call in queues, in order.
    pub(super) async fn queue_events(&self, call: CallId) -> Result<Vec<QueueEvent>, StoreError> {
        let statement = query("SELECT * FROM queue_events WHERE call_id = $1 ORDER BY position, place").bind(signed(call.0));
        Ok(statement.fetch_all(self.db.readers()).await?)
    }
}

/// A wait that begins, and its end where that is in the same batch.
pub(super) struct QueueRow {
    id: FactId,
    pub call: CallId,
    queue: QueueId,
    language: Language,
    skills: String,
    at: Time,
    pub closed: Option<QueueClosed>,
}

impl QueueRow {
    pub fn new(id: FactId, at: Time, call: CallId, queue: &QueueId, language: Language, skills: &[SkillId]) -> Self {
        let skills = skills.iter().map(SkillId::as_str).collect::<Vec<_>>().join(" ");
        Self { id, call, queue: queue.clone(), language, skills, at, closed: None }
    }
}

impl BulkRow for QueueRow {
    const HEAD: &'static str = "INSERT INTO queue_events (call_id, position, place, queue, language, skills, entered_ms, left_ms, how, \
        waited_ms) VALUES ";
    const TAIL: &'static str = "";
    const COLUMNS: usize = 10;

    fn bind(&self, statement: Statement) -> Statement {
        let closed = self.closed.as_ref();
        statement
            .bind(signed(self.call.0))
            .bind(self.id.position())
            .bind(self.id.place())
            .bind(self.queue.as_str().to_owned())
            .bind(self.language.code())
            .bind(self.skills.clone())
            .bind(ms(self.at.0))
            .bind(closed.map(|closed| ms(closed.at.0)))
            .bind(closed.map(|closed| closed.how.word()))
            .bind(closed.map(|closed| ms(closed.waited_ms)))
    }
}

/// The end of a wait that began in an earlier batch.
pub(super) struct QueueClosed {
    at: Time,
    pub call: CallId,
    queue: QueueId,
    how: QueueEnd,
    waited_ms: u64,
}

impl QueueClosed {
    pub fn new(at: Time, call: CallId, queue: &QueueId, how: QueueEnd, waited_ms: u64) -> Self {
        Self { at, call, queue: queue.clone(), how, waited_ms }
    }
}

impl BulkRow for QueueClosed {
    const HEAD: &'static str =
        "UPDATE queue_events SET left_ms = ended.column3, how = ended.column4, waited_ms = ended.column5 FROM (VALUES ";
    const TAIL: &'static str = ") AS ended WHERE call_id = ended.column1 AND queue = ended.column2 AND left_ms IS NULL";
    const COLUMNS: usize = 5;

    fn bind(&self, statement: Statement) -> Statement {
        statement
            .bind(signed(self.call.0))
            .bind(self.queue.as_str().to_owned())
            .bind(ms(self.at.0))
            .bind(self.how.word())
            .bind(ms(self.waited_ms))
    }
}
