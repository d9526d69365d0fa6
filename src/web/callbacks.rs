//! Which callbacks are owed, and who has made one?

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};

use crate::centre::ids::CallId;
use crate::store::{Access, Callback, CallbackStanding};

use super::Web;
use super::auth::SignedIn;
use super::error::WebError;
use super::extract::At;

/// GET /api/callbacks: those still to be made, the longest wait first. They hold numbers, so it is on record who reads them.
#[utoipa::path(get, path = "/api/callbacks", responses((status = 200, body = [Callback])))]
pub(super) async fn list(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
) -> Result<Json<Vec<Callback>>, WebError> {
    let owed = web.store.callbacks_owed().await?;
    if !owed.is_empty() {
        web.store.log_access(web.clock.now(), &user.name, Access::Callbacks, &format!("{} owed", owed.len())).await?;
    }
    Ok(Json(owed))
}

/// GET /api/callbacks/standing: callers who were promised a callback and wait for it, the longest wait first. It is on record who reads them.
#[utoipa::path(get, path = "/api/callbacks/standing", responses((status = 200, body = [CallbackStanding])))]
pub(super) async fn standing(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
) -> Result<Json<Vec<CallbackStanding>>, WebError> {
    let standing = web.store.callbacks_standing().await?;
    if !standing.is_empty() {
        web.store.log_access(web.clock.now(), &user.name, Access::Callbacks, &format!("{} standing", standing.len())).await?;
    }
    Ok(Json(standing))
}

/// POST /api/callbacks/{call}/done.
#[utoipa::path(post, path = "/api/callbacks/{call}/done", params(("call" = u64, Path)), responses((status = 204)))]
pub(super) async fn done(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At(id): At<u64>,
) -> Result<StatusCode, WebError> {
    let done = web.store.callback_done(CallId(id), &user.name, web.clock.now()).await?;
    if done { Ok(StatusCode::NO_CONTENT) } else { Err(WebError::Missing { what: format!("a callback owed for call {id}") }) }
}
