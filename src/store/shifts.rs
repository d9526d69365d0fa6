//! What did supervisors order about shifts, and who was on shift when? In the order in which it happened.

use serde::Serialize;
use sqlx::FromRow;

use crate::centre::ids::{AgentId, ShiftId};
use crate::centre::shift::Wanted;
use crate::centre::time::Time;

use super::bulk::{BulkRow, ms};
use super::projection::FactId;
use super::statement::{Statement, query};
use super::{Store, StoreError};

/// Orders that are shown.
const SHOWN: i64 = 50;

/// One order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow, utoipa::ToSchema)]
#[schema(as = ShiftOrder)]
pub struct ShiftOrderRow {
    /// About whom.
    pub agent: String,
    /// `on`, `moved`, `home` or `table`.
    pub wanted: String,
    /// The shift, where one was named.
    pub shift: Option<String>,
    /// Until when it held, unless another came, in milliseconds since the epoch.
    pub until_ms: i64,
    /// Who ordered it.
    pub by_name: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at_ms: i64,
}

impl Store {
    /// The last orders, the newest first.
    pub async fn shift_orders(&self) -> Result<Vec<ShiftOrderRow>, StoreError> {
        let statement = query(
            "SELECT agent, wanted, shift, until_ms, by_name, reason, at_ms FROM shift_orders ORDER BY position DESC, place DESC LIMIT $1",
        );
        Ok(statement.bind(SHOWN).fetch_all(self.db.readers()).await?)
    }
}

pub(super) struct OrderedRow {
    pub id: FactId,
    pub at: Time,
    pub agent: AgentId,
    pub wanted: Wanted,
    pub until_ms: u64,
    pub by: String,
    pub reason: String,
}

impl BulkRow for OrderedRow {
    const HEAD: &'static str = "INSERT INTO shift_orders (position, place, agent, wanted, shift, until_ms, by_name, reason, at_ms) VALUES ";
    const TAIL: &'static str = "";
    const COLUMNS: usize = 9;

    fn bind(&self, statement: Statement) -> Statement {
        let (word, shift) = match &self.wanted {
            Wanted::On { shift } => ("on", shift.as_ref()),
            Wanted::Moved { to } => ("moved", Some(to)),
            Wanted::Home {} => ("home", None),
            Wanted::Table {} => ("table", None),
        };
        statement
            .bind(self.id.position())
            .bind(self.id.place())
            .bind(self.agent.as_str().to_owned())
            .bind(word.to_owned())
            .bind(shift.map(|shift| shift.as_str().to_owned()))
            .bind(ms(self.until_ms))
            .bind(self.by.clone())
            .bind(self.reason.clone())
            .bind(ms(self.at.0))
    }
}

/// From this moment on somebody is on these shifts, or off.
pub(super) struct OnShiftRow {
    pub id: FactId,
    pub at: Time,
    pub agent: AgentId,
    pub is_on: bool,
    pub shifts: Vec<ShiftId>,
}

impl BulkRow for OnShiftRow {
    const HEAD: &'static str = "INSERT INTO shift_changes (position, place, agent, is_on, shifts, at_ms) VALUES ";
    const TAIL: &'static str = "";
    const COLUMNS: usize = 6;

    fn bind(&self, statement: Statement) -> Statement {
        let names: Vec<&str> = self.shifts.iter().map(ShiftId::as_str).collect();
        statement
            .bind(self.id.position())
            .bind(self.id.place())
            .bind(self.agent.as_str().to_owned())
            .bind(i64::from(self.is_on))
            .bind(names.join(","))
            .bind(ms(self.at.0))
    }
}
