//! How are calls read over HTTP, and who sees whose number?

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};

use crate::centre::explanation::Moment;
use crate::centre::ids::{AgentId, CallId, NumberId};
use crate::private::Private;
use crate::store::{Access, Call, CallDetail, CallFilter, Role};

use super::Web;
use super::auth::SignedIn;
use super::error::WebError;
use super::extract::{Asked, At};

/// Which calls are asked for.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// Calls with a smaller id.
    before: Option<u64>,
    /// To this short number.
    number: Option<String>,
    /// Answered by this operator.
    agent: Option<String>,
    /// How many, 500 at most, 0 for 50.
    #[serde(default)]
    #[param(required = false)]
    limit: u32,
}

/// GET /api/calls?before=ID&number=109&agent=NAME&limit=N, newest first, without personal data.
#[utoipa::path(get, path = "/api/calls", params(Filter), responses((status = 200, body = [Call])))]
pub(super) async fn list(State(web): State<Arc<Web>>, Asked(filter): Asked<Filter>) -> Result<Json<Vec<Call>>, WebError> {
    let filter = CallFilter {
        before: filter.before.map(CallId),
        number: filter.number.map(NumberId::from),
        agent: filter.agent.map(AgentId::from),
        limit: filter.limit,
    };
    Ok(Json(web.store.calls(&filter).await?))
}

/// Why the call waited as it did, at each change and at each offer, with the same in words.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = CallMoment)]
pub(super) struct MomentView {
    #[serde(flatten)]
    moment: Moment,
    /// The moment in words, a line for itself and one for each operator.
    words: Vec<String>,
}

/// GET /api/calls/{id}/why: who could have taken the call at each moment, who not and why, and by which rule it was offered. Empty where the
/// journal does not hold the call any more; the offers stand with the call all the same.
#[utoipa::path(get, path = "/api/calls/{call}/why", params(("call" = u64, Path)), responses((status = 200, body = [MomentView])))]
pub(super) async fn why(State(web): State<Arc<Web>>, At(id): At<u64>) -> Result<Json<Vec<MomentView>>, WebError> {
    // One at a time: each runs a piece of the journal again.
    static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let _turn = TURN.lock().await;
    let waits = web.waits.clone();
    let moments = tokio::task::spawn_blocking(move || waits(CallId(id))).await.map_err(|_| WebError::Slow)?;
    let moments = moments.map_err(|why| {
        tracing::error!(why, "the journal cannot be read for an explanation");
        WebError::Slow
    })?;
    Ok(Json(moments.into_iter().map(|moment| MomentView { words: moment.in_words(), moment }).collect()))
}

/// GET /api/calls/{id}: the call with its legs, queue events, offers, steps and recordings. A supervisor sees the caller's number
/// and that is on record; others see its end.
#[utoipa::path(get, path = "/api/calls/{call}", params(("call" = u64, Path)), responses((status = 200, body = CallDetail)))]
pub(super) async fn detail(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At(id): At<u64>,
) -> Result<Json<CallDetail>, WebError> {
    let call = CallId(id);
    let mut detail = web.store.call(call).await?.ok_or_else(|| WebError::Missing { what: call.to_string() })?;
    if user.role == Role::Supervisor {
        web.store.log_access(web.clock.now(), &user.name, Access::Call, &call.to_string()).await?;
    } else {
        detail.caller = detail.caller.map(|number| Private::new(number.masked()));
    }
    Ok(Json(detail))
}
