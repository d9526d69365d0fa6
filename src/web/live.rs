//! How does the board reach the screens? Once a second as one text that all share, if anything changed.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::Utf8Bytes;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::stream::{self, Stream, StreamExt};
use tokio::sync::watch;

use crate::centre::ids::QueueId;
use crate::report::board::{BehindView, BoardView};
use crate::report::steering::SteeringView;
use crate::store::Role;

use super::Web;
use super::auth::SignedIn;
use super::error::WebError;
use super::extract::At;
use super::messages::ToPage;

/// Between two boards.
const EVERY: Duration = Duration::from_secs(1);

const MINUTE_MS: u64 = 60_000;

/// A stream ends after this and the browser asks again, with its session as it is then.
const STREAM_LIFE: Duration = Duration::from_secs(600);

/// The board as a message, once for each kind of reader.
#[derive(Clone, Debug, Default)]
pub(super) struct Boards {
    /// For those who lead.
    leading: Utf8Bytes,
    /// For everybody else: without what supervisors have ordered about colleagues.
    working: Utf8Bytes,
}

impl Boards {
    fn of(web: &Web) -> Self {
        let mut board = Box::new(web.board_view());
        let leading = written(ToPage::Board { board: board.clone() });
        board.steering = for_working(std::mem::take(&mut board.steering));
        Self { leading, working: written(ToPage::Board { board }) }
    }

    /// The text for who has this role.
    pub(super) fn text(&self, role: Role) -> Utf8Bytes {
        if leads(role) { self.leading.clone() } else { self.working.clone() }
    }
}

fn written(message: ToPage) -> Utf8Bytes {
    serde_json::to_string(&message).unwrap_or_default().into()
}

/// Whether somebody of this role is shown what is ordered about others, and why.
pub(super) fn leads(role: Role) -> bool {
    matches!(role, Role::Supervisor | Role::Administrator)
}

/// What holds for everybody; an order about one person, and why it was given, is between that person and those who lead.
fn for_working(steering: SteeringView) -> SteeringView {
    SteeringView { able: Vec::new(), refused: Vec::new(), ..steering }
}

/// Publishes the board until the server stops. Nothing is written while nobody looks.
pub(super) async fn publish(web: Arc<Web>, sender: watch::Sender<Boards>) {
    let mut told = None;
    let mut ticks = tokio::time::interval(EVERY);
    while web.stop.run_until_cancelled(ticks.tick()).await.is_some() {
        // The window's figures move on with the minutes, whatever happens.
        let now = (web.with_board(|board| board.revision()), web.clock.now().0 / MINUTE_MS);
        if sender.receiver_count() > 1 && told != Some(now) {
            told = Some(now);
            sender.send_replace(Boards::of(&web));
        }
    }
}

/// The board of this moment, as a message for who has this role.
pub(super) fn message(web: &Web, role: Role) -> Utf8Bytes {
    Boards::of(web).text(role)
}

/// Boards that are published from here on.
pub(super) fn follow(web: &Web) -> watch::Receiver<Boards> {
    let mut live = web.live.clone();
    live.mark_unchanged();
    live
}

/// GET /api/board.
#[utoipa::path(get, path = "/api/board", responses((status = 200, body = BoardView)))]
pub(super) async fn board(State(web): State<Arc<Web>>, Extension(SignedIn(user)): Extension<SignedIn>) -> axum::Json<BoardView> {
    let mut board = web.board_view();
    if !leads(user.role) {
        board.steering = for_working(board.steering);
    }
    axum::Json(board)
}

/// The calls behind a queue's figures: who waits, the longest first, then the waits of the window that are over, the newest first, 500 at most.
#[utoipa::path(get, path = "/api/board/queues/{queue}", params(("queue" = String, Path)), responses((status = 200, body = [BehindView])))]
pub(super) async fn behind(State(web): State<Arc<Web>>, At(queue): At<String>) -> Result<axum::Json<Vec<BehindView>>, WebError> {
    let now = web.clock.now();
    let calls = web.with_board(|board| board.behind(&QueueId::from(queue.as_str()), now));
    calls.map(axum::Json).ok_or_else(|| WebError::Missing { what: format!("a queue called {queue}") })
}

/// GET /api/live: the board at once and after each change, as server-sent events.
#[utoipa::path(get, path = "/api/live", responses((status = 200, description = "The board at once and after each change.", body = String, content_type = "text/event-stream")))]
pub(super) async fn live(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let followed = follow(&web);
    let role = user.role;
    let first = message(&web, role);
    let later = stream::unfold(followed, move |mut live| async move {
        live.changed().await.ok()?;
        let text = live.borrow_and_update().text(role);
        Some((text, live))
    });
    let stop = web.stop.clone();
    let end = async move {
        let _ = tokio::time::timeout(STREAM_LIFE, stop.cancelled()).await;
    };
    let texts = stream::once(std::future::ready(first)).chain(later).take_until(end);
    Sse::new(texts.map(|text| Ok(Event::default().data(text.as_str())))).keep_alive(KeepAlive::default())
}
