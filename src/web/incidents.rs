//! How are incidents and works read, confirmed, published and declared fixed over HTTP, and which residents are to be called about them?

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;

use crate::cases::incident_life::{Wish, Works};
use crate::private::Private;
use crate::store::{Access, CallToMake, IncidentDetail, IncidentFilter, IncidentRow};

use super::Web;
use super::auth::SignedIn;
use super::cases::{LONGEST_TEXT, author, seen, shorter};
use super::error::WebError;
use super::extract::{Asked, At, Body};

/// What is to be done to an incident, and the words beside it: the reason or the cause.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = IncidentAct)]
pub(super) struct Act {
    #[serde(flatten)]
    wish: Wish,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 10000)]
    words: Option<Private<String>>,
}

/// A case that belongs to an incident.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = IncidentMember)]
pub(super) struct Member {
    /// As 109-2026-000123.
    number: String,
}

/// Works to be published, and what is done.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = PublishedWorks)]
pub(super) struct Published {
    #[serde(flatten)]
    works: Works,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 10000)]
    words: Option<Private<String>>,
}

/// Incidents and works, newest first; an organisation sees its own.
#[utoipa::path(get, path = "/api/incidents", params(IncidentFilter), responses((status = 200, body = [IncidentRow])))]
pub(super) async fn list(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    Asked(filter): Asked<IncidentFilter>,
) -> Result<Json<Vec<IncidentRow>>, WebError> {
    Ok(Json(web.store.incidents(&filter, &user.sight()).await?))
}

/// An incident with its cases and its history; when it is fixed, its report.
#[utoipa::path(get, path = "/api/incidents/{n}", params(("n" = u32, Path)), responses((status = 200, body = IncidentDetail)))]
pub(super) async fn detail(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At(n): At<u32>,
) -> Result<Json<IncidentDetail>, WebError> {
    let found = web.store.incident(i64::from(n), &user.sight()).await?;
    found.map(Json).ok_or_else(|| WebError::Missing { what: format!("the incident {n}") })
}

/// Confirms, dismisses, rewords or fixes an incident, as far as its rules allow the account; they answer 409 with the reason and the mend.
#[utoipa::path(post, path = "/api/incidents/{n}/act", params(("n" = u32, Path)), request_body = Act, responses((status = 200, body = IncidentRow)))]
pub(super) async fn act(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At(n): At<u32>,
    Body(Act { wish, words }): Body<Act>,
) -> Result<Json<IncidentRow>, WebError> {
    let n = i64::from(n);
    if web.store.incident(n, &user.sight()).await?.is_none() {
        return Err(WebError::Missing { what: format!("the incident {n}") });
    }
    short(words.as_ref())?;
    Ok(Json(web.store.act_on_incident(n, &wish, author(&user), words.as_ref(), web.clock.now()).await?))
}

/// Takes a case into an incident that is not over, because a resident reports the same.
#[utoipa::path(post, path = "/api/incidents/{n}/cases", params(("n" = u32, Path)), request_body = Member, responses((status = 200, body = IncidentRow)))]
pub(super) async fn join(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At(n): At<u32>,
    Body(Member { number }): Body<Member>,
) -> Result<Json<IncidentRow>, WebError> {
    let number = seen(&web, &user, &number).await?;
    Ok(Json(web.store.join_incident(i64::from(n), &number, &author(&user), web.clock.now()).await?))
}

/// Publishes works: callers are told of them from their beginning until they are over.
#[utoipa::path(post, path = "/api/works", request_body = Published, responses((status = 201, body = IncidentRow)))]
pub(super) async fn publish(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    Body(Published { works, words }): Body<Published>,
) -> Result<(StatusCode, Json<IncidentRow>), WebError> {
    short(words.as_ref())?;
    let row = web.store.publish_works(&works, author(&user), words.as_ref(), web.clock.now()).await?;
    Ok((StatusCode::CREATED, Json(row)))
}

/// Residents who are to be told that something is over. They hold numbers, so it is on record who reads them.
#[utoipa::path(get, path = "/api/calls-to-make", responses((status = 200, body = [CallToMake])))]
pub(super) async fn calls_to_make(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
) -> Result<Json<Vec<CallToMake>>, WebError> {
    let calls = web.store.calls_to_make().await?;
    if !calls.is_empty() {
        web.store.log_access(web.clock.now(), &user.name, Access::Callbacks, &format!("{} calls to make", calls.len())).await?;
    }
    Ok(Json(calls))
}

/// Ticks a call to a resident off.
#[utoipa::path(post, path = "/api/calls-to-make/{id}/done", params(("id" = u32, Path)), responses((status = 204)))]
pub(super) async fn call_made(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At(id): At<u32>,
) -> Result<StatusCode, WebError> {
    let made = web.store.call_made(i64::from(id), &user.name, web.clock.now()).await?;
    if made { Ok(StatusCode::NO_CONTENT) } else { Err(WebError::Missing { what: format!("a call to make of number {id}") }) }
}

fn short(words: Option<&Private<String>>) -> Result<(), WebError> {
    words.map_or(Ok(()), |words| shorter("words", words.reveal(), LONGEST_TEXT))
}
