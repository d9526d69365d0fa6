//! What does the store know of a caller, and how does it learn their number? Two small tasks beside the engine.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::caller::CallerSeen;
use crate::centre::ids::{CallId, CallerRef};
use crate::centre::input::Input;
use crate::clock::Clock;
use crate::lanes::Inputs;
use crate::number_book::NumberBook;
use crate::store::Store;

/// Questions that wait at most; a further one goes unanswered, and the core's deadline decides.
pub const QUESTIONS: usize = 1_000;
/// Numbers that wait to be stored at most; while the database is away longer the newest are lost to it, and counted.
pub const NUMBERS: usize = 50_000;
/// Numbers stored in one transaction.
const BATCH: usize = 500;

/// Answers `Output::LookUp` until its channel closes or `stop`.
pub async fn answer(
    store: Store,
    clock: Clock,
    mut questions: mpsc::Receiver<(CallId, CallerRef)>,
    inputs: Inputs,
    stop: CancellationToken,
) {
    loop {
        let question = tokio::select! {
            () = stop.cancelled() => return,
            question = questions.recv() => question,
        };
        let Some((call, caller)) = question else { return };
        match store.known(caller, call, clock.now()).await {
            // A full lane leaves the answer out: the core goes on at its deadline.
            Ok(known) => drop(inputs.send(Input::LookedUp { call, known })),
            Err(error) => tracing::warn!(%error, "a caller's language is not known: the database does not answer"),
        }
    }
}

/// Brings numbers that are about to be dialled from the store into the book, until its channel closes or `stop`.
pub async fn recall(store: Store, numbers: NumberBook, mut wanted: mpsc::Receiver<CallerRef>, stop: CancellationToken) {
    while let Some(Some(number)) = stop.run_until_cancelled(wanted.recv()).await {
        match store.number_of(number).await {
            Ok(found) => drop(found.and_then(|found| numbers.put(found.reveal()))),
            Err(error) => tracing::warn!(%error, "a number cannot be called back this time: the database does not answer"),
        }
    }
}

/// Stores the numbers of callers; a batch that the database refuses is tried again until it takes it.
pub async fn remember(store: Store, mut seen: mpsc::Receiver<CallerSeen>, stop: CancellationToken) {
    let mut batch = Vec::new();
    loop {
        if batch.is_empty() {
            let received = tokio::select! {
                () = stop.cancelled() => seen.try_recv().ok(),
                received = seen.recv() => received,
            };
            let Some(received) = received else { return };
            batch.push(received);
        }
        while batch.len() < BATCH {
            match seen.try_recv() {
                Ok(received) => batch.push(received),
                Err(_) => break,
            }
        }
        match store.remember_callers(&batch).await {
            Ok(()) => batch.clear(),
            Err(error) => {
                tracing::error!(%error, "callers' numbers wait until the database takes them again");
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(std::time::Duration::from_secs(1)) => {}
                }
            }
        }
    }
}
