//! What is kept of a call, and how is it found again?

use serde::Serialize;
use sqlx::FromRow;

use crate::centre::fact::EndReason;
use crate::centre::ids::{AgentId, CallId, CallerRef, Language, NumberId, QueueId, TrunkId};
use crate::centre::time::Time;
use crate::private::Private;

use super::bulk::{BulkRow, ms, signed};
use super::statement::{Statement, query};
use super::{CallEvent, Leg, LegQuality, OfferMade, QueueEvent, Recording, StepTaken, Store, StoreError};

/// The most calls that one request gets.
const MOST: u32 = 500;

/// One call, without personal data. Times in milliseconds since the epoch, spans in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow, utoipa::ToSchema)]
pub struct Call {
    /// Its `CallId`.
    pub id: i64,
    /// The short number that was dialled.
    pub number: Option<String>,
    /// The trunk that it came by.
    pub trunk: Option<String>,
    /// The language, by its code.
    pub language: Option<String>,
    /// What the caller chose it to be about.
    pub topic: Option<String>,
    /// The queue from which it was answered.
    pub queue: Option<String>,
    /// The operator who answered last, or who called the resident and was answered.
    pub agent: Option<String>,
    /// When it came in.
    pub started_ms: Option<i64>,
    /// When the resident heard us.
    pub answered_ms: Option<i64>,
    /// When operator and resident heard each other.
    pub connected_ms: Option<i64>,
    /// How long it waited in the queue until then.
    pub waited_ms: Option<i64>,
    /// When it was over; `None` while it is up.
    pub ended_ms: Option<i64>,
    /// An `EndReason` as a word.
    pub end_reason: Option<String>,
    /// The operator who called the resident; `None` for a call that came in.
    pub called_out_by: Option<String>,
}

/// Which calls are wanted; newest first.
#[derive(Clone, Debug, Default)]
pub struct CallFilter {
    /// Calls with a smaller id only: the last one of the page before.
    pub before: Option<CallId>,
    /// Of this short number.
    pub number: Option<NumberId>,
    /// Answered by this operator.
    pub agent: Option<AgentId>,
    /// How many, 500 at most; 0 for 50.
    pub limit: u32,
}

/// A call with everything that happened in it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct CallDetail {
    /// The call itself.
    pub call: Call,
    /// The caller's number, as far as it is known; the web layer masks it by role.
    #[schema(value_type = Option<String>)]
    pub caller: Option<Private<String>>,
    /// Its legs by number.
    pub legs: Vec<Leg>,
    /// How good the sound of each was.
    pub leg_quality: Vec<LegQuality>,
    /// Its stays in queues, in order.
    pub queue_events: Vec<QueueEvent>,
    /// Its offers with their explanations, in order.
    pub offers: Vec<OfferMade>,
    /// Its way through the dialplan.
    pub steps: Vec<StepTaken>,
    /// What operators and supervisors did with it.
    pub events: Vec<CallEvent>,
    /// Its recordings.
    pub recordings: Vec<Recording>,
}

impl Store {
    /// The calls of a filter, newest first.
    pub async fn calls(&self, filter: &CallFilter) -> Result<Vec<Call>, StoreError> {
        let limit = if filter.limit == 0 { 50 } else { filter.limit.min(MOST) };
        let calls = query(
            "SELECT * FROM calls WHERE id < $1 AND ($2 IS NULL OR number = $2) AND ($3 IS NULL OR agent = $3) ORDER BY id DESC LIMIT $4",
        )
        .bind(filter.before.map_or(i64::MAX, |call| signed(call.0)))
        .bind(filter.number.as_ref().map(NumberId::as_str))
        .bind(filter.agent.as_ref().map(AgentId::as_str))
        .bind(i64::from(limit))
        .fetch_all(self.db.readers())
        .await?;
        Ok(calls)
    }

    /// A call with its legs, queue events, offers, steps and recordings; `None` where it is not (yet) in the database.
    pub async fn call(&self, call: CallId) -> Result<Option<CallDetail>, StoreError> {
        let Some(row) = query("SELECT * FROM calls WHERE id = $1").bind(signed(call.0)).fetch_optional(self.db.readers()).await? else {
            return Ok(None);
        };
        Ok(Some(CallDetail {
            call: row,
            caller: self.number_of_call(call).await?,
            legs: self.legs(call).await?,
            leg_quality: self.leg_quality(call).await?,
            queue_events: self.queue_events(call).await?,
            offers: self.offers(call).await?,
            steps: self.steps(call).await?,
            events: self.call_events(call).await?,
            recordings: self.recordings(call).await?,
        }))
    }

    /// The highest call number that is stored; `None` for an empty database.
    pub async fn highest_call(&self) -> Result<Option<CallId>, StoreError> {
        let highest: Option<i64> = query("SELECT MAX(id) FROM calls").fetch_scalar(self.db.readers()).await?;
        Ok(highest.map(|id| CallId(id.cast_unsigned())))
    }

    async fn number_of_call(&self, call: CallId) -> Result<Option<Private<String>>, StoreError> {
        let statement = query("SELECT callers.number FROM calls JOIN callers USING (caller) WHERE calls.id = $1").bind(signed(call.0));
        let found: Option<(Option<String>,)> = statement.fetch_optional(self.db.readers()).await?;
        Ok(found.and_then(|(number,)| number).map(Private::new))
    }
}

/// What the facts of a batch say about a call.
pub(super) struct CallRow {
    call: CallId,
    number: Option<NumberId>,
    trunk: Option<TrunkId>,
    caller: Option<CallerRef>,
    connected: Option<(Time, QueueId, AgentId, u64)>,
    started: Option<Time>,
    called_out_by: Option<AgentId>,
    pub language: Option<Language>,
    pub topic: Option<String>,
    pub answered: Option<Time>,
    pub ended: Option<(Time, EndReason)>,
}

impl CallRow {
    pub fn new(call: CallId) -> Self {
        Self {
            call,
            number: None,
            trunk: None,
            caller: None,
            connected: None,
            started: None,
            called_out_by: None,
            language: None,
            topic: None,
            answered: None,
            ended: None,
        }
    }

    pub fn start(&mut self, at: Time, number: &NumberId, trunk: &TrunkId, caller: CallerRef) {
        self.started = Some(at);
        self.number = Some(number.clone());
        self.trunk = Some(trunk.clone());
        self.caller = (caller != CallerRef::WITHHELD).then_some(caller);
    }

    /// A call that an operator makes; its queue sets the rules.
    pub fn call_out(&mut self, at: Time, number: &NumberId, caller: CallerRef, agent: &AgentId) {
        self.started = Some(at);
        self.number = Some(number.clone());
        self.caller = (caller != CallerRef::WITHHELD).then_some(caller);
        self.called_out_by = Some(agent.clone());
    }

    pub fn connect(&mut self, at: Time, queue: &QueueId, agent: &AgentId, waited_ms: u64) {
        self.connected = Some((at, queue.clone(), agent.clone(), waited_ms));
    }
}

impl BulkRow for CallRow {
    const HEAD: &'static str = "INSERT INTO calls (id, number, trunk, caller, language, topic, queue, agent, started_ms, answered_ms, \
        connected_ms, waited_ms, ended_ms, end_reason, called_out_by) VALUES ";
    const TAIL: &'static str = " ON CONFLICT (id) DO UPDATE SET \
        number = COALESCE(excluded.number, calls.number), trunk = COALESCE(excluded.trunk, calls.trunk), \
        caller = COALESCE(excluded.caller, calls.caller), language = COALESCE(excluded.language, calls.language), \
        topic = COALESCE(excluded.topic, calls.topic), queue = COALESCE(excluded.queue, calls.queue), agent = COALESCE(excluded.agent, calls.agent, \
        CASE WHEN excluded.answered_ms IS NOT NULL THEN calls.called_out_by END), \
        started_ms = COALESCE(excluded.started_ms, calls.started_ms), answered_ms = COALESCE(excluded.answered_ms, calls.answered_ms), \
        connected_ms = COALESCE(excluded.connected_ms, calls.connected_ms), waited_ms = COALESCE(excluded.waited_ms, calls.waited_ms), \
        ended_ms = COALESCE(excluded.ended_ms, calls.ended_ms), end_reason = COALESCE(excluded.end_reason, calls.end_reason), \
        called_out_by = COALESCE(excluded.called_out_by, calls.called_out_by)";
    const COLUMNS: usize = 15;

    fn bind(&self, statement: Statement) -> Statement {
        let connected = self.connected.as_ref();
        // Whoever calls a resident talks with them from the resident's answer on.
        let agent = connected.map(|(_, _, agent, _)| agent).or(self.called_out_by.as_ref().filter(|_| self.answered.is_some()));
        statement
            .bind(signed(self.call.0))
            .bind(self.number.as_ref().map(|name| name.as_str().to_owned()))
            .bind(self.trunk.as_ref().map(|name| name.as_str().to_owned()))
            .bind(self.caller.map(|caller| signed(caller.0)))
            .bind(self.language.map(Language::code))
            .bind(self.topic.clone())
            .bind(connected.map(|(_, queue, _, _)| queue.as_str().to_owned()))
            .bind(agent.map(|agent| agent.as_str().to_owned()))
            .bind(self.started.map(|at| ms(at.0)))
            .bind(self.answered.map(|at| ms(at.0)))
            .bind(connected.map(|(at, _, _, _)| ms(at.0)))
            .bind(connected.map(|(_, _, _, waited)| ms(*waited)))
            .bind(self.ended.map(|(at, _)| ms(at.0)))
            .bind(self.ended.map(|(_, reason)| reason.word()))
            .bind(self.called_out_by.as_ref().map(|name| name.as_str().to_owned()))
    }
}
