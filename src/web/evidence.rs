//! How do photos and documents of a case come in, and who opens them? By their content, and every opening is on record.

use std::sync::Arc;

use axum::Extension;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::store::{Access, Attachment, media};

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
    let refused = |what: String| WebError::Invalid { what, mend: "Send a JPEG, PNG, WebP, HEIC or PDF of 10 MB at most." };
    let file = file.map_err(|rejection| refused(rejection.body_text()))?;
    let media = media(&file).ok_or_else(|| refused("the file is neither a photo nor a PDF".to_owned()))?;
    let added = web.store.attach(&number, media, file.to_vec(), (author(&user), &user.name), web.clock.now()).await?;
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
    // A document is saved and not shown: it may hold programs.
    let shown = if media.starts_with("image/") { "inline" } else { "attachment" };
    let headers = [(header::CONTENT_TYPE, media), (header::CONTENT_DISPOSITION, shown.to_owned())];
    Ok((headers, file).into_response())
}
