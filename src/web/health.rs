//! Is the process alive, and is it ready for calls? Told by its parts, asked by whoever runs it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use crate::centre::time::Time;

use super::Web;

/// An engine that has not come round for this long, in milliseconds, hangs.
const ENGINE_HANGS_MS: u64 = 10_000;

/// What the parts tell of themselves; every part sets its own.
#[derive(Debug, Default)]
pub struct Health {
    engine_ms: AtomicU64,
    journal: AtomicBool,
    sip: AtomicBool,
    media: AtomicBool,
    draining: AtomicBool,
}

/// How the process stands. Ready when all but `draining` are true; `store` does not count, because calls are taken without the database.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
pub struct HealthView {
    /// The engine has come round within ten seconds.
    pub engine: bool,
    /// How long ago it did, in milliseconds.
    pub engine_age_ms: u64,
    /// The journal is written.
    pub journal: bool,
    /// Signalling listens.
    pub sip: bool,
    /// Sound can be opened.
    pub media: bool,
    /// The database answers.
    pub store: bool,
    /// No new calls are taken.
    pub draining: bool,
}

impl Health {
    /// The engine came round: after each decision, and at least once a second while it has nothing to decide.
    pub fn engine_came_round(&self, at: Time) {
        self.engine_ms.store(at.0, Ordering::Relaxed);
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

    /// Whether the engine has come round lately.
    pub fn is_alive(&self, now: Time) -> bool {
        self.view(now, true).engine
    }

    fn view(&self, now: Time, store: bool) -> HealthView {
        let engine_age_ms = now.ms_since(Time(self.engine_ms.load(Ordering::Relaxed)));
        let told = |part: &AtomicBool| part.load(Ordering::Relaxed);
        HealthView {
            engine: engine_age_ms < ENGINE_HANGS_MS,
            engine_age_ms,
            journal: told(&self.journal),
            sip: told(&self.sip),
            media: told(&self.media),
            store,
            draining: told(&self.draining),
        }
    }
}

impl HealthView {
    fn is_ready(&self) -> bool {
        self.engine && self.journal && self.sip && self.media && !self.draining
    }
}

/// GET /livez: 200 unless the engine hangs; then the process should be restarted.
#[utoipa::path(get, path = "/livez", responses((status = 200, body = HealthView), (status = 503, description = "The engine hangs.", body = HealthView)))]
pub(super) async fn livez(State(web): State<Arc<Web>>) -> (StatusCode, Json<HealthView>) {
    let view = web.health.view(web.clock.now(), true);
    (status(view.engine), Json(view))
}

/// GET /readyz: 200 where new calls may be sent here.
#[utoipa::path(get, path = "/readyz", responses((status = 200, body = HealthView), (status = 503, description = "No new calls should be sent here.", body = HealthView)))]
pub(super) async fn readyz(State(web): State<Arc<Web>>) -> (StatusCode, Json<HealthView>) {
    let store = web.store.check().await.inspect_err(|error| tracing::warn!(%error, "asked for our health")).is_ok();
    let view = web.health.view(web.clock.now(), store);
    (status(view.is_ready()), Json(view))
}

fn status(well: bool) -> StatusCode {
    if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}
