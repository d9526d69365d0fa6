//! How are residents written down, found by a number, and named as those whose case it is? Every look at one is on record.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;

use crate::centre::ids::Language;
use crate::private::Private;
use crate::store::{Access, NewResident, Resident};

use super::Web;
use super::auth::SignedIn;
use super::case_view::CaseView;
use super::cases::{author, seen, shorter};
use super::error::WebError;
use super::extract::{At, Body};

/// The most numbers of one resident.
const MOST_NUMBERS: usize = 10;
/// The longest name and group, in characters.
const LONGEST_NAME: usize = 300;
const LONGEST_GROUP: usize = 60;

/// A resident to be written down.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = ResidentWanted)]
pub(super) struct Wanted {
    #[serde(flatten)]
    resident: NewResident,
    /// Their telephone numbers.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 10)]
    numbers: Vec<Private<String>>,
}

/// The same, with the revision that is changed.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = ResidentChanged)]
pub(super) struct Changed {
    #[serde(flatten)]
    wanted: Wanted,
    /// The revision that was read.
    revision: i64,
}

/// A number that is asked for; it stands in no address, which others log.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ResidentNumber)]
pub(super) struct Asked {
    #[schema(value_type = String)]
    number: Private<String>,
}

/// Whose case it is; `null`: nobody's.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CaseResident)]
pub(super) struct Whose {
    resident: Option<i64>,
}

/// Writes a resident down, with their numbers.
#[utoipa::path(post, path = "/api/residents", request_body = Wanted, responses((status = 201, body = Resident)))]
pub(super) async fn add(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    Body(wanted): Body<Wanted>,
) -> Result<(StatusCode, Json<Resident>), WebError> {
    sound(&wanted)?;
    let numbers = web.numbers.all_seen(&wanted.numbers, web.clock.now()).ok_or_else(no_number)?;
    let id = web.store.add_resident(&wanted.resident, &numbers, web.clock.now()).await?;
    Ok((StatusCode::CREATED, Json(opened(&web, &user.name, id).await?)))
}

/// Changes what is known of a resident. It names the revision that it changes; where somebody was faster the answer is 409.
#[utoipa::path(put, path = "/api/residents/{id}", params(("id" = u32, Path)), request_body = Changed, responses((status = 200, body = Resident)))]
pub(super) async fn change(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At(id): At<u32>,
    Body(Changed { wanted, revision }): Body<Changed>,
) -> Result<Json<Resident>, WebError> {
    sound(&wanted)?;
    let numbers = web.numbers.all_seen(&wanted.numbers, web.clock.now()).ok_or_else(no_number)?;
    let id = i64::from(id);
    if !web.store.change_resident(id, &wanted.resident, &numbers, revision, web.clock.now()).await? {
        return Err(missing(id));
    }
    Ok(Json(opened(&web, &user.name, id).await?))
}

/// A resident with their numbers and cases; who looks is on record.
#[utoipa::path(get, path = "/api/residents/{id}", params(("id" = u32, Path)), responses((status = 200, body = Resident)))]
pub(super) async fn detail(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At(id): At<u32>,
) -> Result<Json<Resident>, WebError> {
    Ok(Json(opened(&web, &user.name, i64::from(id)).await?))
}

/// Those whose number this is; who looks is on record.
#[utoipa::path(post, path = "/api/residents/by-number", request_body = Asked, responses((status = 200, body = [Resident])))]
pub(super) async fn by_number(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    Body(Asked { number }): Body<Asked>,
) -> Result<Json<Vec<Resident>>, WebError> {
    let caller = web.numbers.put(number.reveal()).ok_or_else(no_number)?;
    let mut found = Vec::new();
    for sketch in web.store.residents_of(caller).await? {
        found.push(opened(&web, &user.name, sketch.id).await?);
    }
    Ok(Json(found))
}

/// Takes a resident's record away, by law; cases stay, and are nobody's.
#[utoipa::path(delete, path = "/api/residents/{id}", params(("id" = u32, Path)), responses((status = 204)))]
pub(super) async fn forget(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At(id): At<u32>,
) -> Result<StatusCode, WebError> {
    let id = i64::from(id);
    web.store.log_access(web.clock.now(), &user.name, Access::Residents, &format!("erasure of resident {id}")).await?;
    if web.store.forget_resident(id).await? { Ok(StatusCode::NO_CONTENT) } else { Err(missing(id)) }
}

/// Says whose case it is; the history keeps that it was said.
#[utoipa::path(put, path = "/api/cases/{number}/resident", params(("number" = String, Path, description = "As 109-2026-000123")),
    request_body = Whose, responses((status = 200, body = CaseView)))]
pub(super) async fn name(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At(number): At<String>,
    Body(Whose { resident }): Body<Whose>,
) -> Result<Json<CaseView>, WebError> {
    let number = seen(&web, &user, &number).await?;
    let now = web.clock.now();
    Ok(Json(CaseView::of(web.store.name_resident(&number, resident, author(&user), now).await?, now)))
}

/// Reads a resident and writes down who did.
async fn opened(web: &Web, who: &str, id: i64) -> Result<Resident, WebError> {
    web.store.log_access(web.clock.now(), who, Access::Residents, &format!("resident {id}")).await?;
    web.store.resident(id).await?.ok_or_else(|| missing(id))
}

/// Whether everything can be kept.
fn sound(Wanted { resident, numbers }: &Wanted) -> Result<(), WebError> {
    shorter("name", resident.name.as_ref().map_or("", |name| name.reveal()), LONGEST_NAME)?;
    shorter("protected", resident.protected.as_deref().unwrap_or_default(), LONGEST_GROUP)?;
    if resident.language.as_deref().is_some_and(|code| Language::from_code(code).is_none()) {
        return Err(WebError::Invalid { what: "the language is none of the service".into(), mend: "Name kk, ru, uk or en." });
    }
    if numbers.len() > MOST_NUMBERS {
        return Err(WebError::Invalid { what: format!("{} numbers of {MOST_NUMBERS}", numbers.len()), mend: "Keep those that are used." });
    }
    Ok(())
}

fn no_number() -> WebError {
    WebError::Invalid { what: "that is no telephone number".into(), mend: "Write it as +77142123456." }
}

fn missing(id: i64) -> WebError {
    WebError::Missing { what: format!("the resident {id}") }
}
