//! When is a record safe from a power cut? A thread syncs the file within 50 ms of a write, many records at a time.

use std::fs::File;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

const GROUP: Duration = Duration::from_millis(50);

enum Order {
    Written,
    Follow(File),
}

/// The thread and the way to it. One order fits beside the one in work: a second "written" adds nothing to the first.
pub struct Syncer {
    orders: Option<SyncSender<Order>>,
    thread: Option<JoinHandle<()>>,
}

impl Syncer {
    /// Starts syncing `file`.
    pub fn start(file: &File) -> io::Result<Self> {
        let file = file.try_clone()?;
        let (orders, rx) = sync_channel(1);
        let thread = std::thread::Builder::new().name("journal-sync".into()).spawn(move || run(file, &rx))?;
        Ok(Self { orders: Some(orders), thread: Some(thread) })
    }

    /// Something was written.
    pub fn wake(&self) {
        if let Some(Err(TrySendError::Disconnected(_))) = self.orders.as_ref().map(|orders| orders.try_send(Order::Written)) {
            metrics::counter!("cityline_journal_sync_errors_total").increment(1);
        }
    }

    /// From here on another file is written; the former one is synced to its end first.
    pub fn follow(&self, file: &File) -> io::Result<()> {
        let file = file.try_clone()?;
        match self.orders.as_ref().map(|orders| orders.send(Order::Follow(file))) {
            Some(Ok(())) => Ok(()),
            Some(Err(_)) | None => Err(io::Error::other("the sync thread has ended")),
        }
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(mut file: File, orders: &Receiver<Order>) {
    while let Ok(order) = orders.recv() {
        match order {
            Order::Follow(next) => {
                sync(&file);
                file = next;
            }
            Order::Written => {
                // Wait for the rest of the group; a new segment ends it early.
                let next = match orders.recv_timeout(GROUP) {
                    Ok(Order::Follow(next)) => Some(next),
                    Ok(Order::Written) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => None,
                };
                sync(&file);
                file = next.unwrap_or(file);
            }
        }
    }
    sync(&file);
}

fn sync(file: &File) {
    if let Err(error) = file.sync_data() {
        metrics::counter!("cityline_journal_sync_errors_total").increment(1);
        tracing::error!(%error, "the journal cannot be synced: what was written since may be lost in a power cut; check the disk");
    }
}
