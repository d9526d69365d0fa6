//! How do photos and documents of cases and incidents come in, and who opens them? By their content, and every opening is on record.

use std::sync::Arc;

use axum::Extension;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::store::{Access, Attachment, User, media};

use super::Web;
use super::auth::SignedIn;
use super::cases::{author, seen};
use super::error::WebError;
use super::extract::At;

/// Adds a photo (JPEG, PNG, WebP, HEIC) or a document (PDF) of 10 MB at most; the same file again is the same one.
#[utoipa::path(post, path = "/api/cases/{number}/files", params(("number" = String, Path, description = "As 109-2026-000123")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses((status = 201, body = Attachment)))]
pub(super) async fn add(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At(number): At<String>,
    file: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Attachment>), WebError> {
    let number = seen(&web, &user, &number).await?;
    let (media, file) = taken(file)?;
    let added = web.store.attach(&number, media, file, (author(&user), &user.name), web.clock.now()).await?;
    metrics::counter!("cityline_files_attached_total").increment(1);
    Ok((StatusCode::CREATED, Json(added)))
}

/// The files of a case, the oldest first.
#[utoipa::path(get, path = "/api/cases/{number}/files", params(("number" = String, Path, description = "As 109-2026-000123")),
    responses((status = 200, body = [Attachment])))]
pub(super) async fn list(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At(number): At<String>,
) -> Result<Json<Vec<Attachment>>, WebError> {
    let number = seen(&web, &user, &number).await?;
    Ok(Json(web.store.attachments(&number).await?))
}

/// A file of a case; who opens it is on record.
#[utoipa::path(get, path = "/api/cases/{number}/files/{hash}",
    params(("number" = String, Path, description = "As 109-2026-000123"), ("hash" = String, Path, description = "Its SHA-256, in hexadecimal digits")),
    responses((status = 200, description = "The file, under the media type that it has.", body = [u8], content_type = "application/octet-stream")))]
pub(super) async fn open(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At((number, hash)): At<(String, String)>,
) -> Result<Response, WebError> {
    let number = seen(&web, &user, &number).await?;
    let missing = || WebError::Missing { what: "a file of this hash".to_owned() };
    let (media, file) = web.store.evidence(&number, &hash).await?.ok_or_else(missing)?;
    web.store.log_access(web.clock.now(), &user.name, Access::Evidence, &format!("{number} {hash}")).await?;
    Ok(shown(media, file))
}

/// Adds a photo (JPEG, PNG, WebP, HEIC) or a document (PDF) of 10 MB at most to an incident or to works; the same file again is the same one.
#[utoipa::path(post, path = "/api/incidents/{n}/files", params(("n" = u32, Path)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses((status = 201, body = Attachment)))]
pub(super) async fn add_to_incident(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At(n): At<u32>,
    file: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Attachment>), WebError> {
    let n = incident_seen(&web, &user, n).await?;
    let (media, file) = taken(file)?;
    let added = web.store.attach_to_incident(n, media, file, (author(&user), &user.name), web.clock.now()).await?;
    metrics::counter!("cityline_files_attached_total").increment(1);
    Ok((StatusCode::CREATED, Json(added)))
}

/// The files of an incident, the oldest first.
#[utoipa::path(get, path = "/api/incidents/{n}/files", params(("n" = u32, Path)), responses((status = 200, body = [Attachment])))]
pub(super) async fn list_of_incident(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At(n): At<u32>,
) -> Result<Json<Vec<Attachment>>, WebError> {
    let n = incident_seen(&web, &user, n).await?;
    Ok(Json(web.store.incident_attachments(n).await?))
}

/// A file of an incident; who opens it is on record.
#[utoipa::path(get, path = "/api/incidents/{n}/files/{hash}",
    params(("n" = u32, Path), ("hash" = String, Path, description = "Its SHA-256, in hexadecimal digits")),
    responses((status = 200, description = "The file, under the media type that it has.", body = [u8], content_type = "application/octet-stream")))]
pub(super) async fn open_of_incident(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At((n, hash)): At<(u32, String)>,
) -> Result<Response, WebError> {
    let n = incident_seen(&web, &user, n).await?;
    let missing = || WebError::Missing { what: "a file of this hash".to_owned() };
    let (media, file) = web.store.incident_evidence(n, &hash).await?.ok_or_else(missing)?;
    web.store.log_access(web.clock.now(), &user.name, Access::Evidence, &format!("incident:{n} {hash}")).await?;
    Ok(shown(media, file))
}

/// The number of an incident, if the account sees it.
async fn incident_seen(web: &Web, user: &User, n: u32) -> Result<i64, WebError> {
    let found = web.store.incident(i64::from(n), &user.sight()).await?;
    found.map(|_| i64::from(n)).ok_or_else(|| WebError::Missing { what: format!("the incident {n}") })
}

/// What came, with its media type by its content.
pub(super) fn taken(file: Result<Bytes, BytesRejection>) -> Result<(&'static str, Vec<u8>), WebError> {
    let refused = |what: String| WebError::Invalid { what, mend: "Send a JPEG, PNG, WebP, HEIC or PDF of 10 MB at most." };
    let file = file.map_err(|rejection| refused(rejection.body_text()))?;
    let media = media(&file).ok_or_else(|| refused("the file is neither a photo nor a PDF".to_owned()))?;
    Ok((media, file.to_vec()))
}

/// A document is saved and not shown: it may hold programs.
pub(super) fn shown(media: String, file: Bytes) -> Response {
    let shown = if media.starts_with("image/") { "inline" } else { "attachment" };
    ([(header::CONTENT_TYPE, media), (header::CONTENT_DISPOSITION, shown.to_owned())], file).into_response()
}
