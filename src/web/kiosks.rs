//! What does a screen at the wall show, and who lets it in? The wallboard without calls and without a word about residents, by a token.

use std::sync::Arc;

use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};

use crate::centre::ids::{AgentId, Language, QueueId};
use crate::centre::surge::Mode;
use crate::private::Private;
use crate::report::alerts::Alert;
use crate::report::board::{BoardView, Figures, OperatorView, QueueView, StripView};
use crate::report::steering::ModeView;
use crate::report::waits::ServiceLevel;
use crate::store::Kiosk;

use super::Web;
use super::auth::SignedIn;
use super::cases::checked;
use super::door::Visitor;
use super::error::WebError;
use super::extract::{At, Body};

/// The longest name, in characters.
const LONGEST_NAME: usize = 80;

/// The most screens.
const MOST: usize = 100;

/// A screen that is to be let in.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = KioskWanted)]
pub(super) struct Wanted {
    /// Where it hangs.
    #[schema(min_length = 1, max_length = 80)]
    name: String,
}

/// What a screen is let in by. It is told once.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = KioskMade)]
pub(super) struct Made {
    id: i64,
    /// The screen opens `/wall/kiosk#` with this behind it.
    #[schema(value_type = String)]
    token: Private<String>,
}

/// The wallboard of a screen at the wall. Times in milliseconds since the epoch.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = KioskBoard)]
pub(super) struct View {
    /// The moment of this view.
    at_ms: u64,
    /// From when the counts of today are.
    since_ms: u64,
    /// Over how many minutes the figures are made.
    window_minutes: u64,
    /// Which service level is told.
    measure: ServiceLevel,
    /// The figures of all queues.
    window: Figures,
    /// The last two hours by five minutes.
    strip: Vec<StripView>,
    /// The queues.
    queues: Vec<QueueView>,
    /// The alerts that are on.
    alerts: Vec<Alert>,
    /// The queues that are not simply open; by whom and why is no word for a wall.
    modes: Vec<QueueMode>,
    /// Since when the centre is evacuated, in milliseconds since the epoch.
    evacuated_since_ms: Option<u64>,
    /// The people who are signed in.
    operators: Vec<Person>,
}

/// How a queue is.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = KioskMode)]
struct QueueMode {
    /// Which.
    queue: QueueId,
    /// How.
    mode: Mode,
    /// Since when.
    since_ms: u64,
}

/// Somebody who works.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = KioskPerson)]
struct Person {
    /// The name.
    operator: AgentId,
    /// An `AgentStatus` as a word.
    #[schema(value_type = String)]
    state: &'static str,
    /// Since when.
    since_ms: u64,
    /// The language of the talk.
    language: Option<Language>,
    /// The queue whose call it is.
    queue: Option<QueueId>,
}

impl From<BoardView> for View {
    fn from(board: BoardView) -> Self {
        let BoardView { at_ms, since_ms, window_minutes, measure, window, strip, queues, alerts, steering, operators, .. } = board;
        let there = operators.into_iter().filter(|person| person.state != "offline");
        let person =
            |OperatorView { operator, state, since_ms, language, queue, .. }| Person { operator, state, since_ms, language, queue };
        let modes = steering.modes.into_iter().map(|ModeView { queue, mode, since_ms, .. }| QueueMode { queue, mode, since_ms }).collect();
        let evacuated_since_ms = steering.evacuation.map(|now| now.since_ms);
        Self {
            at_ms,
            since_ms,
            window_minutes,
            measure,
            window,
            strip,
            queues,
            alerts,
            modes,
            evacuated_since_ms,
            operators: there.map(person).collect(),
        }
    }
}

/// The screens at the wall that may show the wallboard.
#[utoipa::path(get, path = "/api/kiosks", responses((status = 200, body = [Kiosk])))]
pub(super) async fn list(State(web): State<Arc<Web>>) -> Result<Json<Vec<Kiosk>>, WebError> {
    Ok(Json(web.store.kiosks().await?))
}

/// Lets a screen in by a token that is told once.
#[utoipa::path(post, path = "/api/kiosks", request_body = Wanted, responses((status = 201, body = Made)))]
pub(super) async fn make(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    Body(Wanted { name }): Body<Wanted>,
) -> Result<(StatusCode, Json<Made>), WebError> {
    checked("name", &name, LONGEST_NAME)?;
    if web.store.kiosks().await?.len() >= MOST {
        return Err(WebError::Conflict(format!("there are {MOST} screens: shut one out first")));
    }
    let made = web.store.make_kiosk(&name, &user.name, web.clock.now()).await?;
    let (id, token) = made.ok_or(WebError::Slow)?;
    tracing::info!(kiosk = id, by = %user.name, "a screen at the wall is let in");
    Ok((StatusCode::CREATED, Json(Made { id, token })))
}

/// Shuts a screen out: its token opens nothing from here on.
#[utoipa::path(delete, path = "/api/kiosks/{id}", params(("id" = i64, Path)), responses((status = 204)))]
pub(super) async fn remove(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At(id): At<i64>,
) -> Result<StatusCode, WebError> {
    if !web.store.remove_kiosk(id).await? {
        return Err(WebError::Missing { what: format!("a screen {id}") });
    }
    tracing::info!(kiosk = id, by = %user.name, "a screen at the wall is shut out");
    Ok(StatusCode::NO_CONTENT)
}

/// The wallboard for a screen at the wall, which sends its token as `Authorization: Bearer`. It names no call and nobody who calls.
#[utoipa::path(get, path = "/api/kiosk", responses((status = 200, body = View), (status = 404, body = super::error::Refusal),
    (status = 429, body = super::error::Refusal), (status = 503, body = super::error::Refusal)))]
pub(super) async fn board(
    State(web): State<Arc<Web>>,
    ConnectInfo(visitor): ConnectInfo<Visitor>,
    headers: HeaderMap,
) -> Result<Json<View>, WebError> {
    let now = web.clock.now();
    let (who, times) = visitor.counted();
    web.kiosk_pace.ask(&who, times, now).map_err(|retry_after_s| WebError::Pace { retry_after_s })?;
    let told = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|text| text.strip_prefix("Bearer "));
    let token = Private::new(told.unwrap_or_default().trim().to_owned());
    let missing = || WebError::Missing { what: "a screen with this token".to_owned() };
    web.store.kiosk_of(&token, now).await?.ok_or_else(missing)?;
    Ok(Json(web.board_view().into()))
}
