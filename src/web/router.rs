//! Which route is answered by whom, and for which roles?

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{self, Next};
use axum::routing::{get, post};
use axum_login::AuthManagerLayerBuilder;
use tower_sessions::cookie::SameSite;
use tower_sessions::cookie::time::Duration;
use tower_sessions::{Expiry, SessionManagerLayer};

use crate::store::Role::{self, Administrator, City, Operator, Organisation, Quality, Supervisor};
use crate::store::Sessions;

use super::auth::{self, Accounts, Auth};
use super::error::WebError;
use super::{Web, callbacks, calls, cases, desk, guard, health, live, metrics, page, recordings};

/// The longest body that is read, in bytes.
const LONGEST_BODY: usize = 64 * 1024;

/// Everybody who has an account.
const ANYBODY: &[Role] = &Role::ALL;
/// Those who work in the centre: they see what happens there.
const STAFF: &[Role] = &[Operator, Quality, Supervisor, Administrator];
/// Those who talk with residents, and those who lead them.
const RESIDENTS: &[Role] = &[Operator, Supervisor];
/// Those who act on a case, as its rules allow.
const ACTORS: &[Role] = &[Operator, Quality, Supervisor, Organisation];
/// Those who read the register, each what they may see.
const REGISTER: &[Role] = &[Operator, Quality, Supervisor, Organisation, City];
/// Those who judge calls.
const JUDGES: &[Role] = &[Quality, Supervisor, Administrator];

/// All routes. What is not under a role is open on purpose: the page itself, sign-in, health and metrics, none with personal data.
pub(super) fn router(web: Arc<Web>) -> Router {
    let judged = Router::new()
        .route("/api/calls", get(calls::list))
        .route("/api/calls/{call}", get(calls::detail))
        .route("/api/recordings/{call}/{n}", get(recordings::listen));
    let residents = Router::new()
        .route("/api/cases", post(cases::create))
        .route("/api/callbacks", get(callbacks::list))
        .route("/api/callbacks/{call}/done", post(callbacks::done));
    let register = Router::new().route("/api/cases", get(cases::list)).route("/api/cases/{number}", get(cases::detail)).merge(only(
        &web,
        ACTORS,
        Router::new().route("/api/cases/{number}/act", post(cases::act)),
    ));
    let erasures = Router::new().route("/api/erasures", post(cases::erase));
    let anybody =
        Router::new().route("/api/me", get(auth::me)).route("/api/logout", post(auth::logout)).route("/api/topics", get(cases::topics));
    let staff = Router::new().route("/api/board", get(live::board));
    let streams = only(&web, STAFF, Router::new().route("/api/live", get(live::live))).merge(only(
        &web,
        RESIDENTS,
        Router::new().route("/desk", get(desk::desk)),
    ));
    let answered = only(&web, JUDGES, judged)
        .merge(only(&web, RESIDENTS, residents))
        .merge(only(&web, REGISTER, register))
        .merge(only(&web, &[Administrator], erasures))
        .merge(only(&web, STAFF, staff))
        .merge(only(&web, ANYBODY, anybody))
        .route("/api/login", post(auth::login))
        .layer(middleware::from_fn(guard::limited));
    let open = Router::new()
        .route("/", get(page::index))
        .route("/page.css", get(page::style))
        .route("/page.js", get(page::program))
        .route("/icon.svg", get(page::icon))
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(metrics::metrics))
        .fallback(nothing);
    answered
        .merge(streams)
        .layer(AuthManagerLayerBuilder::new(Accounts(web.store.clone()), sessions(&web)).build())
        .layer(middleware::from_fn(guard::sessions_told))
        .merge(open)
        .layer(middleware::from_fn(guard::same_origin))
        .layer(middleware::from_fn(guard::headers))
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .with_state(web)
}

/// Puts routes behind a sign-in with one of these roles.
fn only(web: &Arc<Web>, roles: &'static [Role], routes: Router<Arc<Web>>) -> Router<Arc<Web>> {
    let gate = move |state: State<Arc<Web>>, auth: Auth, request: Request, next: Next| auth::require(roles, state, auth, request, next);
    routes.route_layer(middleware::from_fn_with_state(web.clone(), gate))
}

/// The cookie is for this site and not for scripts. It is not marked `Secure`, because the server itself speaks HTTP.
fn sessions(web: &Web) -> SessionManagerLayer<Sessions> {
    let life_s = i64::try_from(web.config.session_s).unwrap_or(i64::MAX);
    SessionManagerLayer::new(Sessions::new(web.store.clone(), web.clock))
        .with_name("cityline")
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_secure(false)
        .with_expiry(Expiry::OnInactivity(Duration::seconds(life_s)))
}

async fn nothing() -> WebError {
    WebError::Missing { what: "this address".into() }
}
