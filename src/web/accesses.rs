//! Who has opened which personal data? The record, for whoever answers for it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use crate::store::{AccessEntry, AccessFilter};

use super::Web;
use super::error::WebError;
use super::extract::Asked;

/// Which entries are asked for.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// Entries with a smaller id.
    before: Option<i64>,
    /// Of this account.
    who: Option<String>,
    /// Of this kind: "story", "recording", "cases" and so on.
    action: Option<String>,
    /// How many, 500 at most, 0 for 50.
    #[serde(default)]
    #[param(required = false)]
    limit: u32,
}

/// Who opened which personal data, the newest first.
#[utoipa::path(get, path = "/api/accesses", params(Filter), responses((status = 200, body = [AccessEntry])))]
pub(super) async fn list(State(web): State<Arc<Web>>, Asked(filter): Asked<Filter>) -> Result<Json<Vec<AccessEntry>>, WebError> {
    let Filter { before, who, action, limit } = filter;
    Ok(Json(web.store.accesses_of(&AccessFilter { before, who, action, limit }).await?))
}
