//! Is the process alive, and is it ready for calls? Told by its parts, asked by whoever runs it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use crate::vitals::{HANGS_MS, Part, Vitals};

use super::Web;

/// What the parts tell of themselves; every part sets its own.
pub struct Health {
    vitals: Vitals,
    journal: AtomicBool,
    sip: AtomicBool,
    media: AtomicBool,
    draining: AtomicBool,
}

/// How the process stands. Ready when `engine`, `journal`, `sip` and `media` are true and `draining` is not; `store` does not count, because calls
/// are taken without the database.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct HealthView {
    /// The engine has come round within ten seconds.
    pub engine: bool,
    /// How long ago it did, in milliseconds.
    pub engine_age_ms: u64,
    /// The journal is written.
    pub journal: bool,
    /// Signalling listens, and has come round within ten seconds.
    pub sip: bool,
    /// Sound can be opened, and every media thread has come round within ten seconds.
    pub media: bool,
    /// The database answers.
    pub store: bool,
    /// No new calls are taken.
    pub draining: bool,
    /// Parts that have not come round for longer than they may.
    pub late: Vec<LateView>,
}

/// A part that has not come round for longer than it may.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct LateView {
    /// Which, in words.
    pub part: String,
    /// How long ago it came round, in milliseconds.
    pub age_ms: u64,
}

impl Health {
    /// Nothing is up yet; who is late is asked of `vitals`.
    pub fn new(vitals: Vitals) -> Health {
        let [journal, sip, media, draining] = std::array::from_fn(|_| AtomicBool::new(false));
        Health { vitals, journal, sip, media, draining }
    }

    /// Whether the journal is written; false while the centre is degraded.
    pub fn set_journal(&self, up: bool) {
        self.journal.store(up, Ordering::Relaxed);
    }

    /// Whether signalling listens.
    pub fn set_sip(&self, up: bool) {
        self.sip.store(up, Ordering::Relaxed);
    }

    /// Whether media threads run.
    pub fn set_media(&self, up: bool) {
        self.media.store(up, Ordering::Relaxed);
    }

    /// No new calls from here on.
    pub fn set_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// The first of engine, signalling and media threads that has not come round lately; `None` while all live.
    pub fn hangs(&self) -> Option<Part> {
        let late = self.vitals.late().into_iter().map(|late| late.part).find(|part| part.is_vital());
        late.or_else(|| self.vitals.age_of(Part::Engine).is_none().then_some(Part::Engine))
    }

    fn view(&self, store: bool) -> HealthView {
        let late = self.vitals.late();
        let told = |part: &AtomicBool| part.load(Ordering::Relaxed);
        let in_time = |of: fn(Part) -> bool| !late.iter().any(|late| of(late.part));
        let engine_age_ms = self.vitals.age_of(Part::Engine);
        HealthView {
            engine: engine_age_ms.is_some() && in_time(|part| part == Part::Engine),
            engine_age_ms: engine_age_ms.unwrap_or(HANGS_MS),
            journal: told(&self.journal),
            sip: told(&self.sip) && in_time(|part| part == Part::Signalling),
            media: told(&self.media) && in_time(|part| matches!(part, Part::Media(_))),
            store,
            draining: told(&self.draining),
            late: late.iter().map(|late| LateView { part: late.part.to_string(), age_ms: late.age_ms }).collect(),
        }
    }
}

impl HealthView {
    fn is_ready(&self) -> bool {
        self.engine && self.journal && self.sip && self.media && !self.draining
    }
}

/// GET /livez: 200 unless engine, signalling or a media thread hangs; then the process should be restarted.
#[utoipa::path(get, path = "/livez", responses((status = 200, body = HealthView), (status = 503, description = "The engine, signalling or a media thread hangs.", body = HealthView)))]
pub(super) async fn livez(State(web): State<Arc<Web>>) -> (StatusCode, Json<HealthView>) {
    (status(web.health.hangs().is_none()), Json(web.health.view(true)))
}

/// GET /readyz: 200 where new calls may be sent here.
#[utoipa::path(get, path = "/readyz", responses((status = 200, body = HealthView), (status = 503, description = "No new calls should be sent here.", body = HealthView)))]
pub(super) async fn readyz(State(web): State<Arc<Web>>) -> (StatusCode, Json<HealthView>) {
    let store = web.store.check().await.inspect_err(|error| tracing::warn!(%error, "asked for our health")).is_ok();
    let view = web.health.view(store);
    (status(view.is_ready()), Json(view))
}

fn status(well: bool) -> StatusCode {
    if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}
