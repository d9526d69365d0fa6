//! Which recordings are there, and how is their sound read?

use std::ops::Range;

use futures_util::stream::BoxStream;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStoreExt};
use serde::Serialize;
use sqlx::FromRow;

use crate::centre::ids::{AgentId, CallId, RecordingId};
use crate::centre::time::Time;

use super::bulk::{BulkRow, ms, signed};
use super::statement::{Statement, query};
use super::{Store, StoreError};

/// One recording of a call. Spans in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow, utoipa::ToSchema)]
pub struct Recording {
    /// 1.. within the call.
    pub n: i64,
    /// Below the recordings' folder.
    #[serde(skip)]
    pub path: String,
    /// Whose talk it holds.
    pub agent: Option<String>,
    /// When it began, in milliseconds since the epoch.
    pub started_ms: Option<i64>,
    /// Its timeline; `None` until it is complete.
    pub length_ms: Option<i64>,
    /// How much of the timeline could not be written.
    pub lost_ms: Option<i64>,
}

/// The sound of a recording, or a part of it, as it comes from the store.
pub struct RecordingFile {
    /// Bytes of the whole file.
    pub size_bytes: u64,
    /// Which of them follow.
    pub range: Range<u64>,
    /// The bytes.
    pub bytes: BoxStream<'static, Result<bytes::Bytes, object_store::Error>>,
}

impl Store {
    /// The recordings of a call by their number.
    pub(super) async fn recordings(&self, call: CallId) -> Result<Vec<Recording>, StoreError> {
        let statement = query("SELECT * FROM recordings WHERE call_id = $1 ORDER BY n").bind(signed(call.0));
        Ok(statement.fetch_all(self.db.readers()).await?)
    }

    /// One recording, `None` where there is none.
    pub async fn recording(&self, recording: RecordingId) -> Result<Option<Recording>, StoreError> {
        let statement = query("SELECT * FROM recordings WHERE call_id = $1 AND n = $2");
        Ok(statement.bind(signed(recording.call.0)).bind(i64::from(recording.n)).fetch_optional(self.db.readers()).await?)
    }

    /// How many recordings began at or after this moment and are complete, and how long they are together, in milliseconds.
    pub async fn recordings_since(&self, since: Time) -> Result<(i64, i64), StoreError> {
        let statement = query(
            "SELECT COUNT(*), CAST(COALESCE(SUM(length_ms), 0) AS BIGINT) FROM recordings WHERE started_ms >= $1 AND length_ms IS NOT NULL",
        );
        Ok(statement.bind(ms(since.0)).fetch_one(self.db.readers()).await?)
    }

    /// Opens the sound of a recording from byte `from` to `to` (not included); `None` where the file is gone.
    /// A range that begins behind the end gives the whole file.
    pub async fn open_recording(&self, recording: &Recording, from: u64, to: Option<u64>) -> Result<Option<RecordingFile>, StoreError> {
        let unreadable = |why| StoreError::Recording { path: recording.path.clone(), why };
        let path = Path::parse(&recording.path).map_err(|why| unreadable(why.into()))?;
        let size_bytes = match self.files.head(&path).await {
            Ok(found) => found.size,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(why) => return Err(unreadable(why)),
        };
        let end = to.unwrap_or(size_bytes).min(size_bytes);
        let range = if from < end { from..end } else { 0..size_bytes };
        let options = GetOptions { range: (size_bytes > 0).then(|| GetRange::Bounded(range.clone())), ..GetOptions::default() };
        let found = self.files.get_opts(&path, options).await.map_err(unreadable)?;
        Ok(Some(RecordingFile { size_bytes, range, bytes: found.into_stream() }))
    }
}

/// What the facts of a batch say about a recording.
pub(super) struct RecordingRow {
    recording: RecordingId,
    agent: Option<AgentId>,
    started: Option<Time>,
    /// Length and loss.
    pub ended: Option<(u64, u64)>,
}

impl RecordingRow {
    pub fn new(recording: RecordingId) -> Self {
        Self { recording, agent: None, started: None, ended: None }
    }

    pub fn start(&mut self, at: Time, agent: Option<&AgentId>) {
        self.started = Some(at);
        self.agent = agent.cloned();
    }
}

impl BulkRow for RecordingRow {
    const HEAD: &'static str = "INSERT INTO recordings (call_id, n, path, agent, started_ms, length_ms, lost_ms) VALUES ";
    const TAIL: &'static str = " ON CONFLICT (call_id, n) DO UPDATE SET agent = COALESCE(excluded.agent, recordings.agent), \
        started_ms = COALESCE(excluded.started_ms, recordings.started_ms), length_ms = COALESCE(excluded.length_ms, recordings.length_ms), \
        lost_ms = COALESCE(excluded.lost_ms, recordings.lost_ms)";
    const COLUMNS: usize = 7;

    fn bind(&self, statement: Statement) -> Statement {
        statement
            .bind(signed(self.recording.call.0))
            .bind(i64::from(self.recording.n))
            .bind(self.recording.path())
            .bind(self.agent.as_ref().map(|agent| agent.as_str().to_owned()))
            .bind(self.started.map(|at| ms(at.0)))
            .bind(self.ended.map(|(length, _)| ms(length)))
            .bind(self.ended.map(|(_, lost)| ms(lost)))
    }
}
