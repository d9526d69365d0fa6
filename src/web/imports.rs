//! How do files of addresses, organisations and old registers come in over HTTP? Looked at first, then written behind the request, with its progress.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use futures_util::FutureExt;
use serde::{Deserialize, Serialize};

use crate::store::{Access, Building, Import, ImportKind, ImportReport, ImportState, Street};

use super::Web;
use super::auth::SignedIn;
use super::error::WebError;
use super::extract::{Asked, At};

/// The longest file, in bytes.
pub(super) const LONGEST_FILE: usize = 20 * 1024 * 1024;

/// The import that this process is writing; one goes at a time.
#[derive(Default)]
pub(super) struct Imports(Mutex<Option<Arc<Going>>>);

struct Going {
    id: i64,
    by: String,
    written: AtomicU64,
}

/// Whether to write what is good.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Mode {
    /// What the file holds.
    kind: ImportKind,
    /// Whether its good rows are written.
    #[serde(default)]
    #[param(required = false)]
    write: bool,
}

/// What street is asked for.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    /// Beginnings of words of any of its names.
    #[serde(default)]
    #[param(required = false)]
    text: String,
}

impl Imports {
    fn going(&self) -> MutexGuard<'_, Option<Arc<Going>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps one that begins, unless another goes on.
    fn begin(&self, id: i64, by: &str) -> Result<Arc<Going>, WebError> {
        let mut going = self.going();
        if let Some(other) = going.as_ref() {
            return Err(WebError::Conflict(format!("import {} by {} goes on; wait for its end", other.id, other.by)));
        }
        Ok(going.insert(Arc::new(Going { id, by: by.to_owned(), written: AtomicU64::new(0) })).clone())
    }

    /// The import with how far it has come: the database learns of its rows when all are written.
    fn told(&self, mut import: Import) -> Import {
        if let Some(going) = self.going().as_ref().filter(|going| going.id == import.id && import.state == ImportState::Running) {
            import.written = going.written.load(Ordering::Relaxed);
        }
        import
    }
}

/// Looks at a CSV or XLSX and writes nothing; with `write=true` its good rows are written, all or none, and the answer
/// (202) names the import.
#[utoipa::path(post, path = "/api/imports", params(Mode), request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = ImportReport), (status = 202, body = Import)))]
pub(super) async fn import(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    Asked(mode): Asked<Mode>,
    file: Bytes,
) -> Result<(StatusCode, Json<serde_json::Value>), WebError> {
    let checked = web.store.check_import(mode.kind, file.to_vec(), web.zone, &user.name).await?;
    if !mode.write {
        return Ok((StatusCode::OK, Json(told(&checked.report))));
    }
    let id = web.store.begin_import(&user.name, &checked.report, web.clock.now()).await?;
    let going = match web.imports.begin(id, &user.name) {
        Ok(going) => going,
        Err(other) => {
            web.store.fail_import(id, &other.to_string(), web.clock.now()).await?;
            return Err(other);
        }
    };
    let begun = web.store.import(id).await?.ok_or_else(|| WebError::Missing { what: format!("import {id}") })?;
    tokio::spawn(async move {
        let writing = AssertUnwindSafe(web.store.write_import(id, checked, web.clock.now(), &going.written));
        let failed = match writing.catch_unwind().await {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => {
                tracing::error!(%error, import = id, "an import was given up: nothing of it is written");
                Some(WebError::from(error).to_string())
            }
            Err(_) => {
                tracing::error!(import = id, "writing an import panicked: nothing of it is written, please report this with the file");
                Some("a fault of the server; nothing of it is written".to_owned())
            }
        };
        if let Some(why) = failed
            && let Err(error) = web.store.fail_import(id, &why, web.clock.now()).await
        {
            tracing::error!(%error, import = id, "that an import was given up could not be noted");
        }
        web.imports.going().take();
    });
    Ok((StatusCode::ACCEPTED, Json(told(&begun))))
}

fn told(what: &impl Serialize) -> serde_json::Value {
    serde_json::to_value(what).unwrap_or_default()
}

/// The last imports, the newest first, also those of before a restart.
#[utoipa::path(get, path = "/api/imports", responses((status = 200, body = [Import])))]
pub(super) async fn list(State(web): State<Arc<Web>>) -> Result<Json<Vec<Import>>, WebError> {
    Ok(Json(web.store.imports().await?.into_iter().map(|import| web.imports.told(import)).collect()))
}

/// An import, with how far it has come.
#[utoipa::path(get, path = "/api/imports/{id}", params(("id" = u32, Path)), responses((status = 200, body = Import)))]
pub(super) async fn detail(State(web): State<Arc<Web>>, At(id): At<u32>) -> Result<Json<Import>, WebError> {
    let found = web.store.import(i64::from(id)).await?.map(|import| web.imports.told(import));
    found.map(Json).ok_or_else(|| WebError::Missing { what: format!("import {id}") })
}

/// Streets by any of their names.
#[utoipa::path(get, path = "/api/streets", params(Named), responses((status = 200, body = [Street])))]
pub(super) async fn streets(State(web): State<Arc<Web>>, Asked(named): Asked<Named>) -> Result<Json<Vec<Street>>, WebError> {
    Ok(Json(web.store.streets(&named.text.chars().take(200).collect::<String>()).await?))
}

/// The buildings of a street, with whoever answers for them: it is on record who reads that.
#[utoipa::path(get, path = "/api/streets/{id}/buildings", params(("id" = i64, Path)), responses((status = 200, body = [Building])))]
pub(super) async fn buildings(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At(street): At<i64>,
) -> Result<Json<Vec<Building>>, WebError> {
    web.store.log_access(web.clock.now(), &user.name, Access::Addresses, &format!("street {street}")).await?;
    Ok(Json(web.store.buildings(street).await?))
}
