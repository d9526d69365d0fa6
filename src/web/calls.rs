//! How are calls read over HTTP, and who sees whose number?

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use serde::Deserialize;

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
