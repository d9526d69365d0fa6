//! How do files of addresses, organisations and old registers come in over HTTP? Looked at first, then written behind the request, with its progress.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use futures_util::FutureExt;
use serde::{Deserialize, Serialize};

use crate::store::{Access, Building, ImportKind, ImportReport, Street};

use super::Web;
use super::auth::SignedIn;
use super::error::WebError;
use super::extract::{Asked, At};

/// The longest file, in bytes.
pub(super) const LONGEST_FILE: usize = 20 * 1024 * 1024;

/// Imports that are remembered, the newest; the process forgets them when it ends.
const REMEMBERED: usize = 20;

/// The imports of this process; one goes at a time.
#[derive(Default)]
pub(super) struct Imports(Mutex<VecDeque<Arc<Import>>>);

struct Import {
    id: u64,
    by: String,
    report: ImportReport,
    written: AtomicU64,
    state: Mutex<Going>,
}

#[derive(Clone, Serialize, utoipa::ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
enum Going {
    Running,
    Done,
    /// Nothing was written.
    Failed {
        why: String,
    },
}

/// An import as it is told.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Told {
    id: u64,
    by: String,
    written: u64,
    #[serde(flatten)]
    state: Going,
    #[serde(flatten)]
    report: ImportReport,
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
    fn all(&self) -> std::sync::MutexGuard<'_, VecDeque<Arc<Import>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins one, unless another goes on.
    fn begin(&self, by: &str, report: ImportReport) -> Result<Arc<Import>, WebError> {
        let mut all = self.all();
        if let Some(other) = all.iter().find(|import| matches!(import.going(), Going::Running)) {
            return Err(WebError::Conflict(format!("import {} by {} goes on; wait for its end", other.id, other.by)));
        }
        let id = all.front().map_or(1, |newest| newest.id + 1);
        let import = Arc::new(Import { id, by: by.to_owned(), report, written: AtomicU64::new(0), state: Mutex::new(Going::Running) });
        all.push_front(import.clone());
        all.truncate(REMEMBERED);
        Ok(import)
    }
}

impl Import {
    fn going(&self) -> Going {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn told(&self) -> Told {
        let state = self.going();
        Told { id: self.id, by: self.by.clone(), written: self.written.load(Ordering::Relaxed), state, report: self.report.clone() }
    }
}

/// Looks at a CSV or XLSX and writes nothing; with `write=true` its good rows are written, all or none, and the answer
/// (202) names the import.
#[utoipa::path(post, path = "/api/imports", params(Mode), request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = ImportReport), (status = 202, body = Told)))]
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
    let import = web.imports.begin(&user.name, checked.report.clone())?;
    let answer = told(&import.told());
    tokio::spawn(async move {
        let writing = AssertUnwindSafe(web.store.write_import(checked, web.clock.now(), &import.written));
        let ended = match writing.catch_unwind().await {
            Ok(Ok(_)) => Going::Done,
            Ok(Err(error)) => {
                tracing::error!(%error, import = import.id, "an import was given up: nothing of it is written");
                Going::Failed { why: WebError::from(error).to_string() }
            }
            Err(_) => {
                tracing::error!(
                    import = import.id,
                    "writing an import panicked: nothing of it is written, please report this with the file"
                );
                Going::Failed { why: "a fault of the server; nothing of it is written".to_owned() }
            }
        };
        *import.state.lock().unwrap_or_else(PoisonError::into_inner) = ended;
    });
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

fn told(what: &impl Serialize) -> serde_json::Value {
    serde_json::to_value(what).unwrap_or_default()
}

/// The last imports, the newest first.
#[utoipa::path(get, path = "/api/imports", responses((status = 200, body = [Told])))]
pub(super) async fn list(State(web): State<Arc<Web>>) -> Json<Vec<Told>> {
    Json(web.imports.all().iter().map(|import| import.told()).collect())
}

/// An import, with how far it has come.
#[utoipa::path(get, path = "/api/imports/{id}", params(("id" = u64, Path)), responses((status = 200, body = Told)))]
pub(super) async fn detail(State(web): State<Arc<Web>>, At(id): At<u64>) -> Result<Json<Told>, WebError> {
    let found = web.imports.all().iter().find(|import| import.id == id).map(|import| import.told());
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
