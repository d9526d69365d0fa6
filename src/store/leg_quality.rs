//! How good was the sound of a call's legs?

use serde::Serialize;
use sqlx::FromRow;

use crate::centre::ids::{CallId, LegId};
use crate::centre::input::Quality;

use super::bulk::{BulkRow, signed};
use super::statement::{Statement, query};
use super::{Store, StoreError};

/// The figures of one leg; see [`Quality`] for their units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow, utoipa::ToSchema)]
pub struct LegQuality {
    /// 0 for the resident's.
    pub n: i64,
    /// Packets of the far end.
    pub expected: i64,
    /// Those that arrived.
    pub received: i64,
    /// What did not, in 1/10,000.
    pub loss_10k: i64,
    /// Mean run of losses, in 1/100 packets.
    pub burst_100th: i64,
    /// Jitter, in microseconds.
    pub jitter_us: i64,
    /// Round trip, in milliseconds.
    pub rtt_ms: Option<i64>,
    /// Mean opinion score of what arrived, in 1/100.
    pub mos_100th: i64,
    /// What the far end missed, in 1/10,000.
    pub far_loss_10k: Option<i64>,
    /// Jitter there, in microseconds.
    pub far_jitter_us: Option<i64>,
    /// Mean opinion score of what the far end heard, in 1/100.
    pub far_mos_100th: Option<i64>,
    /// Whether the packets were protected.
    pub secured: bool,
}

impl Store {
    /// The figures of a call's legs that had sound, by their number.
    pub(super) async fn leg_quality(&self, call: CallId) -> Result<Vec<LegQuality>, StoreError> {
        let statement = query("SELECT * FROM leg_quality WHERE call_id = $1 ORDER BY n").bind(signed(call.0));
        Ok(statement.fetch_all(self.db.readers()).await?)
    }
}

/// What a batch says of a leg's sound.
pub(super) struct LegQualityRow {
    pub leg: LegId,
    pub quality: Quality,
}

impl BulkRow for LegQualityRow {
    const HEAD: &'static str = "INSERT INTO leg_quality (call_id, n, expected, received, loss_10k, burst_100th, jitter_us, rtt_ms, mos_100th, \
        far_loss_10k, far_jitter_us, far_mos_100th, secured) VALUES ";
    const TAIL: &'static str = " ON CONFLICT (call_id, n) DO NOTHING";
    const COLUMNS: usize = 13;

    fn bind(&self, statement: Statement) -> Statement {
        let quality = &self.quality;
        statement
            .bind(signed(self.leg.call.0))
            .bind(i64::from(self.leg.n))
            .bind(signed(quality.expected))
            .bind(signed(quality.received))
            .bind(i64::from(quality.loss_10k))
            .bind(i64::from(quality.burst_100th))
            .bind(i64::from(quality.jitter_us))
            .bind(quality.rtt_ms.map(i64::from))
            .bind(i64::from(quality.mos_100th))
            .bind(quality.far_loss_10k.map(i64::from))
            .bind(quality.far_jitter_us.map(i64::from))
            .bind(quality.far_mos_100th.map(i64::from))
            .bind(quality.secured)
    }
}
