//! To whom was a call offered, why, and how did the offer end?

use serde::Serialize;
use sqlx::FromRow;

use crate::centre::explanation::Explanation;
use crate::centre::fact::OfferEnd;
use crate::centre::ids::{AgentId, CallId, QueueId};
use crate::centre::time::Time;

use super::bulk::{BulkRow, ms, signed};
use super::projection::FactId;
use super::statement::{Statement, query};
use super::{Store, StoreError};

/// One offer. Times in milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Serialize, FromRow, utoipa::ToSchema)]
pub struct OfferMade {
    /// From which queue.
    pub queue: String,
    /// To whom.
    pub agent: String,
    /// The routing's explanation: the rule, what was needed, and what was found of every operator.
    #[sqlx(try_from = "String")]
    #[schema(value_type = Object)]
    pub why: Why,
    /// When.
    pub offered_ms: i64,
    /// When the operator's page showed it.
    pub shown_ms: Option<i64>,
    /// When it ended.
    pub ended_ms: Option<i64>,
    /// An `OfferEnd` as a word.
    pub how: Option<String>,
}

/// An explanation as the database holds it: JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Why(pub Explanation);

impl TryFrom<String> for Why {
    type Error = StoreError;

    fn try_from(value: String) -> Result<Self, StoreError> {
        serde_json::from_str(&value).map(Why).map_err(|_| StoreError::Value { what: "offers.why", value })
    }
}

impl Store {
    /// The offers of a call, in order.
    pub(super) async fn offers(&self, call: CallId) -> Result<Vec<OfferMade>, StoreError> {
        let statement = query("SELECT * FROM offers WHERE call_id = $1 ORDER BY position, place").bind(signed(call.0));
        Ok(statement.fetch_all(self.db.readers()).await?)
    }
}

/// An offer that begins, and what became of it in the same batch.
pub(super) struct OfferRow {
    id: FactId,
    at: Time,
    pub call: CallId,
    queue: QueueId,
    pub agent: AgentId,
    why: String,
    pub moved: OfferMoved,
}

impl OfferRow {
    pub fn new(id: FactId, at: Time, call: CallId, queue: &QueueId, agent: &AgentId, why: &Explanation) -> Self {
        let why = serde_json::to_string(why).unwrap_or_default();
        Self { id, at, call, queue: queue.clone(), agent: agent.clone(), why, moved: OfferMoved::default() }
    }
}

impl BulkRow for OfferRow {
    const HEAD: &'static str =
        "INSERT INTO offers (call_id, position, place, queue, agent, why, offered_ms, shown_ms, ended_ms, how) VALUES ";
    const TAIL: &'static str = "";
    const COLUMNS: usize = 10;

    fn bind(&self, statement: Statement) -> Statement {
        statement
            .bind(signed(self.call.0))
            .bind(self.id.position())
            .bind(self.id.place())
            .bind(self.queue.as_str().to_owned())
            .bind(self.agent.as_str().to_owned())
            .bind(self.why.clone())
            .bind(ms(self.at.0))
            .bind(self.moved.shown.map(|at| ms(at.0)))
            .bind(self.moved.ended.map(|(at, _)| ms(at.0)))
            .bind(self.moved.ended.map(|(_, how)| how.word()))
    }
}

/// What became of an offer; the first of each kind counts.
#[derive(Clone, Copy, Default)]
pub(super) struct OfferMoved {
    pub shown: Option<Time>,
    pub ended: Option<(Time, OfferEnd)>,
}

impl OfferMoved {
    pub fn merge(&mut self, later: OfferMoved) {
        self.shown = self.shown.or(later.shown);
        self.ended = self.ended.or(later.ended);
    }
}

/// What became of an offer of an earlier batch.
impl BulkRow for ((CallId, AgentId), OfferMoved) {
    const HEAD: &'static str = "UPDATE offers SET shown_ms = COALESCE(shown_ms, moved.column3), ended_ms = moved.column4, \
        how = moved.column5 FROM (VALUES ";
    const TAIL: &'static str = ") AS moved WHERE call_id = moved.column1 AND agent = moved.column2 AND ended_ms IS NULL";
    const COLUMNS: usize = 5;

    fn bind(&self, statement: Statement) -> Statement {
        let ((call, agent), moved) = self;
        statement
            .bind(signed(call.0))
            .bind(agent.as_str().to_owned())
            .bind(moved.shown.map(|at| ms(at.0)))
            .bind(moved.ended.map(|(at, _)| ms(at.0)))
            .bind(moved.ended.map(|(_, how)| how.word()))
    }
}
