//! How do supervisors hear that a limit is passed? A task that looks at the board once a second, and writes messages for the webhook.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::centre::time::Time;
use crate::clock::Clock;
use crate::config;
use crate::report::alerts::Alert;
use crate::report::board::Board;
use crate::store::Store;

/// The receiver of messages about alerts.
pub const ALERTS_BY_WEBHOOK: &str = "alerts-webhook";

/// Between two looks.
const EVERY: Duration = Duration::from_secs(1);

/// Messages that wait for a database that is away, at most; the oldest of more are lost, and the log names them.
const KEPT: usize = 1_000;

/// What the task is given.
pub struct AlertParts {
    /// What is looked at.
    pub board: Arc<Mutex<Board>>,
    /// Where messages are written.
    pub store: Store,
    /// Whether there is a webhook that is to be told.
    pub tells: bool,
    /// The time.
    pub clock: Clock,
}

/// Whether alerts are posted to somebody, as the settings say.
pub fn tells(config: &config::Outbox) -> bool {
    !config.alerts_webhook.is_empty()
}

/// Looks until `stop`, and ends what is on then: the next process raises it anew, as another alert. One that crashes ends nothing.
pub async fn run(parts: AlertParts, stop: CancellationToken) {
    let (mut waiting, mut healthy) = (VecDeque::new(), true);
    let mut looks = tokio::time::interval(EVERY);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stop.run_until_cancelled(looks.tick()).await.is_some() {
        parts.take(&mut waiting, Board::look);
        match parts.write(&mut waiting).await {
            Ok(()) => healthy = true,
            Err(error) => {
                if std::mem::replace(&mut healthy, false) {
                    tracing::error!(%error, "messages about alerts wait until the database takes them again");
                }
            }
        }
    }
    parts.take(&mut waiting, Board::end_alerts);
    if let Err(error) = parts.write(&mut waiting).await {
        tracing::error!(%error, lost = waiting.len(), "messages about alerts are lost: the database does not take them");
    }
}

impl AlertParts {
    fn take(&self, waiting: &mut VecDeque<Alert>, look: impl FnOnce(&mut Board, Time) -> Vec<Alert>) {
        let now = self.clock.now();
        let changed = look(&mut self.board.lock().unwrap_or_else(PoisonError::into_inner), now);
        for alert in changed {
            let Alert { id, kind, queue, threshold, value, ended_ms, .. } = &alert;
            let (on, ended) = (ended_ms.is_none(), ended_ms.is_some());
            metrics::counter!("cityline_alerts_total", "what" => if on { "raised" } else { "ended" }).increment(1);
            tracing::warn!(id, ?kind, %queue, threshold, value, ended, "an alert");
            if !self.tells {
                continue;
            }
            if waiting.len() >= KEPT
                && let Some(lost) = waiting.pop_front()
            {
                tracing::error!(id = lost.id, "a message about an alert is lost: the database has been away for too long");
            }
            waiting.push_back(alert);
        }
    }

    async fn write(&self, waiting: &mut VecDeque<Alert>) -> anyhow::Result<()> {
        while let Some(alert) = waiting.front() {
            let what = if alert.ended_ms.is_none() { "raised" } else { "ended" };
            let body = serde_json::json!({ "what": what, "alert": alert }).to_string();
            self.store.post_alert(ALERTS_BY_WEBHOOK, alert.id, what, body, self.clock.now()).await?;
            waiting.pop_front();
        }
        Ok(())
    }
}
