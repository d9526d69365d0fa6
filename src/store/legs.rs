//! Which legs did a call have, and how did each end?

use serde::Serialize;
use sqlx::FromRow;

use crate::centre::fact::{EndReason, Party, Role};
use crate::centre::ids::{CallId, LegId};
use crate::centre::time::Time;

use super::bulk::{BulkRow, ms, signed};
use super::statement::{Statement, query};
use super::{Store, StoreError};

/// One leg. Times in milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow, utoipa::ToSchema)]
pub struct Leg {
    /// 0 for the resident's.
    pub n: i64,
    /// `resident`, `agent`, `outside` or `number`.
    pub party: Option<String>,
    /// The operator, the name of the service outside, or the reference of the number as `callers` has it.
    pub name: Option<String>,
    /// When it came in or was dialled.
    pub started_ms: Option<i64>,
    /// When its far end answered.
    pub answered_ms: Option<i64>,
    /// When it was over.
    pub ended_ms: Option<i64>,
    /// An `EndReason` as a word.
    pub end_reason: Option<String>,
    /// How often its sound was lost.
    pub sound_lost: i64,
    /// How often its far end did not hear us.
    pub unheard: i64,
    /// The last part that somebody who was called in had, a `Role` as a word; `None` for who answered a call of a queue.
    pub role: Option<String>,
    /// Since when somebody who was called in was the one with whom the resident talks.
    pub partner_ms: Option<i64>,
}

impl Store {
    /// The legs of a call by their number.
    pub(super) async fn legs(&self, call: CallId) -> Result<Vec<Leg>, StoreError> {
        let statement = query("SELECT * FROM legs WHERE call_id = $1 ORDER BY n").bind(signed(call.0));
        Ok(statement.fetch_all(self.db.readers()).await?)
    }
}

/// What the facts of a batch say about a leg.
pub(super) struct LegRow {
    leg: LegId,
    started: Option<(Time, Party)>,
    pub answered: Option<Time>,
    pub ended: Option<(Time, EndReason)>,
    pub sound_lost: i64,
    pub unheard: i64,
    role: Option<Role>,
    partner: Option<Time>,
}

impl LegRow {
    pub fn new(leg: LegId) -> Self {
        Self { leg, started: None, answered: None, ended: None, sound_lost: 0, unheard: 0, role: None, partner: None }
    }

    pub fn start(&mut self, at: Time, party: &Party) {
        self.started = Some((at, party.clone()));
    }

    pub fn join(&mut self, at: Time, role: Role) {
        self.role = Some(role);
        if role == Role::Partner {
            self.partner = self.partner.or(Some(at));
        }
    }
}

impl BulkRow for LegRow {
    const HEAD: &'static str = "INSERT INTO legs (call_id, n, party, name, started_ms, answered_ms, ended_ms, end_reason, sound_lost, unheard, role, partner_ms) VALUES ";
    const TAIL: &'static str = " ON CONFLICT (call_id, n) DO UPDATE SET party = COALESCE(excluded.party, legs.party), \
        name = COALESCE(excluded.name, legs.name), started_ms = COALESCE(excluded.started_ms, legs.started_ms), \
        answered_ms = COALESCE(excluded.answered_ms, legs.answered_ms), ended_ms = COALESCE(excluded.ended_ms, legs.ended_ms), \
        end_reason = COALESCE(excluded.end_reason, legs.end_reason), sound_lost = legs.sound_lost + excluded.sound_lost, \
        unheard = legs.unheard + excluded.unheard, \
        role = COALESCE(excluded.role, legs.role), partner_ms = COALESCE(legs.partner_ms, excluded.partner_ms)";
    const COLUMNS: usize = 12;

    fn bind(&self, statement: Statement) -> Statement {
        let (party, name) = self.started.as_ref().map(|(_, party)| words(party)).unzip();
        statement
            .bind(signed(self.leg.call.0))
            .bind(i64::from(self.leg.n))
            .bind(party)
            .bind(name.flatten())
            .bind(self.started.as_ref().map(|(at, _)| ms(at.0)))
            .bind(self.answered.map(|at| ms(at.0)))
            .bind(self.ended.map(|(at, _)| ms(at.0)))
            .bind(self.ended.map(|(_, reason)| reason.word()))
            .bind(self.sound_lost)
            .bind(self.unheard)
            .bind(self.role.map(Role::word))
            .bind(self.partner.map(|at| ms(at.0)))
    }
}

pub(super) fn words(party: &Party) -> (&'static str, Option<String>) {
    match party {
        Party::Resident => ("resident", None),
        Party::Agent(agent) => ("agent", Some(agent.as_str().to_owned())),
        Party::Outside(name) => ("outside", Some(name.clone())),
        Party::Number(number) => ("number", Some(signed(number.0).to_string())),
    }
}
