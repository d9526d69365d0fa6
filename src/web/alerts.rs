//! Which limits are passed? The alerts that are on, and the last that are over.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::report::alerts::Alert;

use super::Web;

/// Alerts, since the process runs.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Alerts)]
pub(super) struct View {
    /// Those that are on, the oldest first.
    active: Vec<Alert>,
    /// Those that are over, the newest first, fifty at most.
    recent: Vec<Alert>,
}

/// GET /api/alerts.
#[utoipa::path(get, path = "/api/alerts", responses((status = 200, body = View)))]
pub(super) async fn list(State(web): State<Arc<Web>>) -> Json<View> {
    Json(web.with_board(|board| View { active: board.alerts().active(), recent: board.alerts().recent() }))
}
