//! What did an operator do from when until when? Stored intervals, each closed by the next change.

use serde::Serialize;
use sqlx::FromRow;

use crate::centre::fact::AgentStatus;
use crate::centre::ids::AgentId;
use crate::centre::time::Time;

use super::bulk::{BulkRow, ms, signed};
use super::projection::FactId;
use super::statement::{Statement, query};
use super::{Store, StoreError};

/// The most intervals that one request gets.
const MOST: i64 = 1_000;

/// One interval of an operator's day. Times in milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow)]
pub struct AgentInterval {
    /// The operator.
    pub agent: String,
    /// An `AgentStatus` as a word.
    pub state: String,
    /// The reason of a pause.
    pub reason: Option<String>,
    /// The call that was offered or talked in.
    pub call_id: Option<i64>,
    /// From when.
    pub from_ms: i64,
    /// Until when, not included; `None` for the state that lasts.
    pub until_ms: Option<i64>,
}

impl Store {
    /// An operator's intervals that end after `from` and begin before `until`, in order, a thousand at most.
    pub async fn agent_intervals(&self, agent: &AgentId, from: Time, until: Time) -> Result<Vec<AgentInterval>, StoreError> {
        let intervals = query(
            "SELECT * FROM agent_states WHERE agent = $1 AND (until_ms IS NULL OR until_ms > $2) AND from_ms < $3 \
             ORDER BY position, place LIMIT $4",
        )
        .bind(agent.as_str().to_owned())
        .bind(ms(from.0))
        .bind(ms(until.0))
        .bind(MOST)
        .fetch_all(self.db.readers())
        .await?;
        Ok(intervals)
    }
}

/// An interval that begins, and its end where that is in the same batch.
pub(super) struct AgentRow {
    id: FactId,
    pub agent: AgentId,
    state: AgentStatus,
    pub from: Time,
    pub until: Option<Time>,
}

impl AgentRow {
    pub fn new(id: FactId, at: Time, agent: &AgentId, state: &AgentStatus) -> Self {
        Self { id, agent: agent.clone(), state: state.clone(), from: at, until: None }
    }
}

impl BulkRow for AgentRow {
    const HEAD: &'static str = "INSERT INTO agent_states (agent, position, place, state, reason, call_id, from_ms, until_ms) VALUES ";
    const TAIL: &'static str = "";
    const COLUMNS: usize = 8;

    fn bind(&self, statement: Statement) -> Statement {
        let reason = self.state.pause_reason().map(|reason| reason.as_str().to_owned());
        statement
            .bind(self.agent.as_str().to_owned())
            .bind(self.id.position())
            .bind(self.id.place())
            .bind(self.state.word())
            .bind(reason)
            .bind(self.state.call().map(|call| signed(call.0)))
            .bind(ms(self.from.0))
            .bind(self.until.map(|at| ms(at.0)))
    }
}

/// The end of the interval that an earlier batch left open.
pub(super) struct AgentClosed {
    pub agent: AgentId,
    pub at: Time,
}

impl BulkRow for AgentClosed {
    const HEAD: &'static str = "UPDATE agent_states SET until_ms = ended.column2 FROM (VALUES ";
    const TAIL: &'static str = ") AS ended WHERE agent = ended.column1 AND until_ms IS NULL";
    const COLUMNS: usize = 2;

    fn bind(&self, statement: Statement) -> Statement {
        statement.bind(self.agent.as_str().to_owned()).bind(ms(self.at.0))
    }
}
