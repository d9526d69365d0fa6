//! Where does a case stand, for anybody who has its number? Station and dates; nothing personal, and nothing of what is restricted.

use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use serde::Serialize;

use crate::cases::ids::CaseNumber;
use crate::cases::station::{Passed, Station};
use crate::centre::time::Time;
use crate::store::{CaseDetail, Sight};

use super::Web;
use super::door::Visitor;
use super::error::WebError;
use super::extract::At;

/// Where a case stands, as residents are told. Times in milliseconds since the epoch.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(super) struct CaseStatus {
    /// As 109-2026-000123.
    number: String,
    /// The last station that it has reached.
    station: Station,
    /// When it was registered.
    registered_ms: u64,
    /// When it was sent to whoever executes.
    sent_ms: Option<u64>,
    /// When somebody took it on.
    begun_ms: Option<u64>,
    /// When it was done.
    done_ms: Option<u64>,
    /// Until when it is promised.
    due_ms: u64,
    /// For how long it is, or was, late, in milliseconds; `null` where in time.
    late_ms: Option<u64>,
    /// How often it was reopened.
    reopened: u32,
}

impl CaseStatus {
    /// A case at a moment.
    pub fn of(detail: &CaseDetail, now: Time) -> Self {
        let passed = Passed::of(detail.history.iter().map(|entry| &entry.event));
        let ms = |time: Option<Time>| time.map(|time| time.0);
        let case = &detail.case;
        Self {
            number: detail.row.number.clone(),
            station: Station::of(case),
            registered_ms: case.registered.0,
            sent_ms: ms(passed.sent),
            begun_ms: ms(passed.begun),
            done_ms: ms(passed.done),
            due_ms: case.clocks.resolution.due.0,
            late_ms: case.clocks.resolution.late_ms(now),
            reopened: case.reopened,
        }
    }
}

/// Where a case stands, by its number; what is not there and what is not public are answered alike.
#[utoipa::path(get, path = "/api/status/{number}", params(("number" = String, Path, description = "As 109-2026-000123")),
    responses((status = 200, body = CaseStatus), (status = 429, body = super::error::Refusal), (status = 503, body = super::error::Refusal)))]
pub(super) async fn status(
    State(web): State<Arc<Web>>,
    ConnectInfo(visitor): ConnectInfo<Visitor>,
    At(number): At<String>,
) -> Result<Json<CaseStatus>, WebError> {
    let now = web.clock.now();
    let (who, times) = visitor.counted();
    web.status_pace.ask(&who, times, now).map_err(|retry_after_s| WebError::Pace { retry_after_s })?;
    let missing = || WebError::Missing { what: "a public case of this number".to_owned() };
    let number: CaseNumber = number.parse().map_err(|_| missing())?;
    if !web.store.sees_case(&number, &Sight::centre(Vec::new())).await? {
        return Err(missing());
    }
    let detail = web.store.case(&number).await?.ok_or_else(missing)?;
    Ok(Json(CaseStatus::of(&detail, now)))
}
