//! How does the board reach the screens? Once a second as one text that all share, if anything changed.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::Utf8Bytes;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::stream::{self, Stream, StreamExt};
use tokio::sync::watch;

use crate::centre::ids::QueueId;
use crate::report::board::{BehindView, BoardView};

use super::Web;
use super::error::WebError;
use super::extract::At;
use super::messages::ToPage;

/// Between two boards.
const EVERY: Duration = Duration::from_secs(1);

const MINUTE_MS: u64 = 60_000;

/// A stream ends after this and the browser asks again, with its session as it is then.
const STREAM_LIFE: Duration = Duration::from_secs(600);

/// Publishes the board until the server stops. Nothing is written while nobody looks.
pub(super) async fn publish(web: Arc<Web>, sender: watch::Sender<Utf8Bytes>) {
    let mut told = None;
    let mut ticks = tokio::time::interval(EVERY);
    while web.stop.run_until_cancelled(ticks.tick()).await.is_some() {
        // The window's figures move on with the minutes, whatever happens.
        let now = (web.with_board(|board| board.revision()), web.clock.now().0 / MINUTE_MS);
        if sender.receiver_count() > 1 && told != Some(now) {
            told = Some(now);
            sender.send_replace(message(&web));
        }
    }
}

/// The board of this moment, as a message.
pub(super) fn message(web: &Web) -> Utf8Bytes {
    let message = ToPage::Board { board: Box::new(web.board_view()) };
    serde_json::to_string(&message).unwrap_or_default().into()
}

/// Boards that are published from here on.
pub(super) fn follow(web: &Web) -> watch::Receiver<Utf8Bytes> {
    let mut live = web.live.clone();
    live.mark_unchanged();
    live
}

/// GET /api/board.
#[utoipa::path(get, path = "/api/board", responses((status = 200, body = BoardView)))]
pub(super) async fn board(State(web): State<Arc<Web>>) -> axum::Json<BoardView> {
    axum::Json(web.board_view())
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
pub(super) async fn live(State(web): State<Arc<Web>>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let followed = follow(&web);
    let first = message(&web);
    let later = stream::unfold(followed, |mut live| async move {
        live.changed().await.ok()?;
        let text = live.borrow_and_update().clone();
        Some((text, live))
    });
    let stop = web.stop.clone();
    let end = async move {
        let _ = tokio::time::timeout(STREAM_LIFE, stop.cancelled()).await;
    };
    let texts = stream::once(std::future::ready(first)).chain(later).take_until(end);
    Sse::new(texts.map(|text| Ok(Event::default().data(text.as_str())))).keep_alive(KeepAlive::default())
}
