//! Who wants to be told when an incident is over? Those who pressed "1": a projection of facts.

use crate::centre::ids::{CallId, CallerRef, Language, NoticeId};
use crate::centre::time::Time;

use super::bulk::{BulkRow, ms, signed};
use super::statement::Statement;

pub(super) struct SubscriptionRow {
    incident: i64,
    caller: CallerRef,
    language: Language,
    call: CallId,
    at: Time,
}

impl SubscriptionRow {
    /// `None` for a notice that is none of the register's, and for a number that cannot be called.
    pub fn new(at: Time, call: CallId, caller: CallerRef, notice: &NoticeId, language: Language) -> Option<Self> {
        let incident = notice.as_str().parse().ok()?;
        (!caller.is_withheld()).then_some(Self { incident, caller, language, call, at })
    }
}

/// Whoever subscribes twice is told once.
impl BulkRow for SubscriptionRow {
    const HEAD: &'static str = "INSERT INTO subscriptions (incident, caller, language, call_id, at_ms) VALUES ";
    const TAIL: &'static str = " ON CONFLICT (incident, caller) DO NOTHING";
    const COLUMNS: usize = 5;

    fn bind(&self, statement: Statement) -> Statement {
        statement.bind(self.incident).bind(signed(self.caller.0)).bind(self.language.code()).bind(signed(self.call.0)).bind(ms(self.at.0))
    }
}
