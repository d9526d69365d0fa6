//! What did supervisors order for now? In the order in which it happened.

use serde::Serialize;
use sqlx::FromRow;

use crate::centre::steer::Order;
use crate::centre::time::Time;

use super::bulk::{BulkRow, ms};
use super::projection::FactId;
use super::statement::{Statement, query};
use super::{Store, StoreError};

/// Orders that are shown.
const SHOWN: i64 = 50;

/// One order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow, utoipa::ToSchema)]
#[schema(as = OrderOnRecord)]
pub struct OrderRow {
    /// `state`, `able`, `mode` or `evacuation`.
    pub kind: String,
    /// The operator or the queue; nothing: the whole centre.
    pub target: String,
    /// The order itself, as JSON.
    pub what: String,
    /// Until when it was to hold, in milliseconds since the epoch.
    pub until_ms: Option<i64>,
    /// Who ordered it.
    pub by_name: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at_ms: i64,
    /// Why it could not be: `no_phone`, `no_sound` or `evacuated`, of a state.
    pub refused: Option<String>,
}

impl Store {
    /// The last orders, the newest first.
    pub async fn orders(&self) -> Result<Vec<OrderRow>, StoreError> {
        let statement = query(
            "SELECT kind, target, what, until_ms, by_name, reason, at_ms, refused FROM orders ORDER BY position DESC, place DESC LIMIT $1",
        );
        Ok(statement.bind(SHOWN).fetch_all(self.db.readers()).await?)
    }
}

pub(super) struct SteeredRow {
    pub id: FactId,
    pub at: Time,
    pub order: Order,
    pub until_ms: Option<u64>,
    pub by: String,
    pub reason: String,
    pub refused: Option<&'static str>,
}

impl BulkRow for SteeredRow {
    const HEAD: &'static str =
        "INSERT INTO orders (position, place, kind, target, what, until_ms, by_name, reason, at_ms, refused) VALUES ";
    const TAIL: &'static str = "";
    const COLUMNS: usize = 10;

    fn bind(&self, statement: Statement) -> Statement {
        statement
            .bind(self.id.position())
            .bind(self.id.place())
            .bind(self.order.kind().to_owned())
            .bind(self.order.target().to_owned())
            .bind(serde_json::to_string(&self.order).unwrap_or_default())
            .bind(self.until_ms.map(ms))
            .bind(self.by.clone())
            .bind(self.reason.clone())
            .bind(ms(self.at.0))
            .bind(self.refused)
    }
}
