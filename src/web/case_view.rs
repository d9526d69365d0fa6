//! How does a case look from outside? Where it stands, with both clocks and how late each is at this moment.

use serde::Serialize;

use crate::cases::clocks::{Clock, Clocks, Which};
use crate::centre::time::Time;
use crate::store::CaseRow;

/// A case with its lateness. Times in milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct CaseView {
    #[serde(flatten)]
    row: CaseRow,
    /// The promise that is broken and still owed; `null` where none is.
    overdue: Option<Which>,
    /// For how long that one is, in milliseconds; `null` where none is.
    late_ms: Option<u64>,
    /// By how much it was, or is being, taken on too late, in milliseconds; `null` where in time.
    reaction_late_ms: Option<u64>,
    /// By how much it was, or is being, done too late, in milliseconds; `null` where in time.
    resolution_late_ms: Option<u64>,
}

impl CaseView {
    /// The case as it looks at a moment.
    pub fn of(row: CaseRow, now: Time) -> Self {
        let time = |ms: i64| Time(u64::try_from(ms).unwrap_or(0));
        let clock = |due: i64, kept: Option<i64>| Clock { due: time(due), kept: kept.map(time) };
        let clocks = Clocks {
            reaction: clock(row.reaction_due_ms, row.reaction_kept_ms),
            resolution: clock(row.resolution_due_ms, row.resolution_kept_ms),
        };
        let overdue = clocks.overdue(now);
        Self {
            overdue,
            late_ms: overdue.and_then(|which| clocks.of(which).late_ms(now)),
            reaction_late_ms: clocks.reaction.late_ms(now),
            resolution_late_ms: clocks.resolution.late_ms(now),
            row,
        }
    }

    /// The same of many.
    pub fn of_all(rows: Vec<CaseRow>, now: Time) -> Vec<Self> {
        rows.into_iter().map(|row| Self::of(row, now)).collect()
    }
}
