//! How do facts reach the database? By reading the journal from the store's own position: a database that was away catches up, exactly once.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::journal::{Tail, prune};
use crate::store::{Position, Projected, Store};
use crate::vitals::Pulse;

/// Records read and written in one transaction, at most.
const BATCH: usize = 2_000;
/// Facts may be this late in the database: many records then share a transaction, and most of a short call's facts one row.
const GATHER: Duration = Duration::from_millis(500);
/// Where nothing is written it looks up this often.
const IDLE: Duration = Duration::from_secs(10);
/// Segments that every record of which is in the database are looked for this often.
const PRUNE: Duration = Duration::from_secs(60);
/// The first pause after a failure; it doubles up to the last.
const FIRST_RETRY: Duration = Duration::from_millis(250);
const LAST_RETRY: Duration = Duration::from_secs(10);

/// Removes what the database has passed of the journal, less the newest `keep` segments, until `stop`.
pub async fn tidy(store: Store, folder: PathBuf, keep: usize, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PRUNE) => {}
        }
        // A database that does not answer has passed nothing.
        let Ok(Some(Position(passed))) = store.position().await else { continue };
        let folder = folder.clone();
        match tokio::task::spawn_blocking(move || prune(&folder, passed, keep)).await {
            Ok(Ok(gone)) if gone > 0 => tracing::info!(gone, "segments of the journal are in the database and went"),
            Ok(Err(error)) => tracing::warn!(%error, "old segments of the journal stay"),
            Ok(Ok(_)) | Err(_) => {}
        }
    }
}

/// Feeds the store until `stop`, then once more to the journal's end.
pub async fn run(store: Store, folder: PathBuf, mut written: watch::Receiver<u64>, stop: CancellationToken, pulse: Pulse) {
    let mut retry = FIRST_RETRY;
    loop {
        pulse.beat();
        match feed(&store, &folder, &mut written, &stop, &pulse).await {
            Ok(()) => return,
            Err(error) => {
                tracing::error!(%error, "facts wait in the journal until the database takes them again");
                metrics::counter!("cityline_projection_errors_total").increment(1);
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(retry) => retry = (retry * 2).min(LAST_RETRY),
        }
    }
}

/// Reads from the store's position on; ends without an error only when told to stop and nothing is left.
async fn feed(
    store: &Store,
    folder: &Path,
    written: &mut watch::Receiver<u64>,
    stop: &CancellationToken,
    pulse: &Pulse,
) -> anyhow::Result<()> {
    store.prepare().await?;
    let position = store.position().await?.map_or(0, |position| position.0);
    let mut tail = Tail::after(folder, position);
    loop {
        pulse.beat();
        let stopping = stop.is_cancelled();
        written.borrow_and_update();
        let (back, records) = tokio::task::spawn_blocking(move || {
            let records = tail.read(BATCH);
            (tail, records)
        })
        .await?;
        tail = back;
        let batch: Vec<Projected> =
            records?.into_iter().map(|record| Projected { position: Position(record.seq), at: record.time, facts: record.facts }).collect();
        let read = batch.len();
        if read > 0 {
            store.project(&batch).await?;
        }
        if read == BATCH {
            continue;
        }
        if stopping {
            return Ok(());
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(IDLE) => {}
            changed = written.changed() => {
                if changed.is_ok() {
                    gather(stop).await;
                }
            }
        }
    }
}

async fn gather(stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(GATHER) => {}
    }
}
