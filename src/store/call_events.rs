//! What did operators and supervisors do with a live call? Holding, asking, handing on, listening, in the order in which it happened.

use serde::Serialize;
use sqlx::FromRow;

use crate::centre::fact::Party;
use crate::centre::ids::{AgentId, CallId, CallTo, LegId, NoticeId, QueueId};
use crate::centre::time::Time;

use super::bulk::{BulkRow, ms, signed};
use super::legs::words;
use super::projection::FactId;
use super::statement::{Statement, query};
use super::{Store, StoreError};

/// One thing that was done with a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow, utoipa::ToSchema)]
pub struct CallEvent {
    /// `held`, `resumed`, `consult`, the word of a `ConsultEnd` after `consult_`, that of a `Role` after `joined_`, `transfer`,
    /// `transfer_failed`, `taken_over`, `help_asked`, `help_over`, `warned`, `marked`, `recording_paused`, `recording_resumed`, `notice_told`,
    /// `subscribed`, `raised`, `lowered`, `put_behind`, `waits_on`, `callback_stands`, `callback_refused`, `callback_dialled`, `callback_tried`,
    /// the word of a `CallbackEnd` after `callback_`, or `ring_` with the number of the queue's ring that the wait has reached.
    pub what: String,
    /// The operator or supervisor who did it.
    pub agent: Option<String>,
    /// The leg that it is about.
    pub leg: Option<i64>,
    /// Whom or what it is about: `agent`, `outside`, `number`, `queue` or `notice`.
    pub party: Option<String>,
    /// Their name, or the reference of the number.
    pub name: Option<String>,
    /// When, in milliseconds since the epoch.
    pub at_ms: i64,
}

impl Store {
    /// What was done with a call, in order.
    pub(super) async fn call_events(&self, call: CallId) -> Result<Vec<CallEvent>, StoreError> {
        let statement = query("SELECT what, agent, leg, party, name, at_ms FROM call_events WHERE call_id = $1 ORDER BY position, place");
        Ok(statement.bind(signed(call.0)).fetch_all(self.db.readers()).await?)
    }
}

pub(super) struct CallEventRow {
    id: FactId,
    at: Time,
    call: CallId,
    what: String,
    agent: Option<AgentId>,
    leg: Option<u16>,
    whom: Option<(&'static str, Option<String>)>,
}

impl CallEventRow {
    pub fn new(id: FactId, at: Time, call: CallId, what: &str) -> Self {
        Self { id, at, call, what: what.to_owned(), agent: None, leg: None, whom: None }
    }

    pub fn by(mut self, agent: &AgentId) -> Self {
        self.agent = Some(agent.clone());
        self
    }

    pub fn on(mut self, leg: LegId) -> Self {
        self.leg = Some(leg.n);
        self
    }

    /// The notice of this incident.
    pub fn of(mut self, notice: &NoticeId) -> Self {
        self.whom = Some(("notice", Some(notice.as_str().to_owned())));
        self
    }

    pub fn about(mut self, party: &Party) -> Self {
        self.whom = Some(words(party));
        self
    }

    pub fn to(mut self, to: &CallTo) -> Self {
        self.whom = Some(match to {
            CallTo::Queue(queue) => ("queue", Some(queue.as_str().to_owned())),
            CallTo::Agent(agent) => ("agent", Some(agent.as_str().to_owned())),
            CallTo::Service(name) => ("outside", Some(name.clone())),
            CallTo::Outside(number) => words(&Party::Number(*number)),
        });
        self
    }

    pub fn back_to(mut self, queue: &QueueId) -> Self {
        self.whom = Some(("queue", Some(queue.as_str().to_owned())));
        self
    }
}

impl BulkRow for CallEventRow {
    const HEAD: &'static str = "INSERT INTO call_events (call_id, position, place, what, agent, leg, party, name, at_ms) VALUES ";
    const TAIL: &'static str = "";
    const COLUMNS: usize = 9;

    fn bind(&self, statement: Statement) -> Statement {
        let (party, name) = self.whom.clone().unzip();
        statement
            .bind(signed(self.call.0))
            .bind(self.id.position())
            .bind(self.id.place())
            .bind(self.what.clone())
            .bind(self.agent.as_ref().map(|agent| agent.as_str().to_owned()))
            .bind(self.leg.map(i64::from))
            .bind(party)
            .bind(name.flatten())
            .bind(ms(self.at.0))
    }
}
