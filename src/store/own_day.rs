//! How did an operator's day go? Their intervals, their holds, and the calls of which nothing was written down.

use crate::centre::ids::{AgentId, CallId};
use crate::centre::time::Time;
use crate::report::own_day::{Interval, OwnDay};

use super::bulk::{ms, signed};
use super::statement::query;
use super::{Store, StoreError};

/// An operator's last calls that are looked at for what came of them.
const LAST_CALLS: i64 = 300;

impl Store {
    /// An operator's day since `from`. Facts that are not in the database yet are missing from it.
    pub async fn own_day(&self, agent: &AgentId, from: Time, now: Time) -> Result<OwnDay, StoreError> {
        let intervals = self.agent_intervals(agent, from, now).await?;
        let held: Vec<(i64, String, i64)> = query(
            "SELECT events.call_id, events.what, events.at_ms FROM calls \
             JOIN call_events AS events ON events.call_id = calls.id AND events.what IN ('held', 'resumed') \
             JOIN legs ON legs.call_id = events.call_id AND legs.n = events.leg AND legs.name = calls.agent \
             WHERE calls.agent = $1 AND calls.started_ms >= $2 ORDER BY events.call_id, events.position, events.place",
        )
        .bind(agent.as_str().to_owned())
        .bind(ms(from.0))
        .fetch_all(self.db.readers())
        .await?;
        let time = |ms: i64| Time(ms.unsigned_abs());
        let mut day = OwnDay::default();
        for interval in &intervals {
            let until = interval.until_ms.map(time).unwrap_or(now);
            let reason = interval.reason.as_deref();
            day.add(&Interval { state: &interval.state, reason, from: time(interval.from_ms).max(from), until });
        }
        for pair in held.windows(2) {
            if let [(call, began, from), (same, ended, until)] = pair
                && call == same
                && (began.as_str(), ended.as_str()) == ("held", "resumed")
            {
                day.hold_ms += until.saturating_sub(*from).unsigned_abs();
            }
        }
        Ok(day)
    }

    /// The operator's calls since `from` that are over and of which neither case nor contact was written, the newest first.
    pub async fn undisposed(&self, agent: &AgentId, from: Time) -> Result<Vec<CallId>, StoreError> {
        let calls: Vec<(i64,)> = query(
            "SELECT id FROM (SELECT id, connected_ms, ended_ms FROM calls WHERE agent = $1 ORDER BY id DESC LIMIT $2) AS last \
             WHERE connected_ms >= $3 AND ended_ms IS NOT NULL \
             AND NOT EXISTS (SELECT 1 FROM contacts WHERE contacts.call_id = last.id) ORDER BY id DESC",
        )
        .bind(agent.as_str().to_owned())
        .bind(LAST_CALLS)
        .bind(ms(from.0))
        .fetch_all(self.db.readers())
        .await?;
        Ok(calls.into_iter().map(|(id,)| CallId(id.cast_unsigned())).collect())
    }

    /// Whether a case or a contact was written in this call.
    pub async fn is_disposed(&self, call: CallId) -> Result<bool, StoreError> {
        let found: Option<(i64,)> =
            query("SELECT id FROM contacts WHERE call_id = $1 LIMIT 1").bind(signed(call.0)).fetch_optional(self.db.readers()).await?;
        Ok(found.is_some())
    }

    /// How many callers are owed a callback.
    pub async fn how_many_callbacks_owed(&self) -> Result<u64, StoreError> {
        let owed: i64 = query("SELECT COUNT(*) FROM callbacks WHERE done_ms IS NULL").fetch_scalar(self.db.readers()).await?;
        Ok(owed.unsigned_abs())
    }
}
