//! When is a record safe from a power cut? A thread syncs the file within 50 ms of a write, many records at a time.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// A sync costs the disk and us much the same however much it covers: so many milliseconds of writes share one.
const GROUP: Duration = Duration::from_millis(50);

enum Order {
    Written,
    /// A new segment, and the folder in which it has its name.
    Follow {
        file: File,
        folder: PathBuf,
    },
}

/// The thread and the way to it. Two orders fit: a "written" that the thread has not begun to sync stands for all that follow, and a
/// new segment waits for its place.
pub struct Syncer {
    orders: Option<SyncSender<Order>>,
    /// Whether something is written that no sync has begun to cover.
    unsynced: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Syncer {
    /// Starts syncing `file`.
    pub fn start(file: &File) -> io::Result<Self> {
        let file = file.try_clone()?;
        let (orders, rx) = sync_channel(2);
        let unsynced = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&unsynced);
        let thread = std::thread::Builder::new().name("journal-sync".into()).spawn(move || run(file, &rx, &seen))?;
        Ok(Self { orders: Some(orders), unsynced, thread: Some(thread) })
    }

    /// Something was written.
    pub fn wake(&self) {
        if self.unsynced.swap(true, Ordering::AcqRel) {
            return;
        }
        if let Some(Err(TrySendError::Disconnected(_))) = self.orders.as_ref().map(|orders| orders.try_send(Order::Written)) {
            metrics::counter!("cityline_journal_sync_errors_total").increment(1);
        }
    }

    /// Whether the thread runs.
    pub fn runs(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// From here on another file of this folder is written; the former one is synced to its end first, then what this one begins with.
    pub fn follow(&self, file: &File, folder: &Path) -> io::Result<()> {
        let (file, folder) = (file.try_clone()?, folder.to_owned());
        match self.orders.as_ref().map(|orders| orders.send(Order::Follow { file, folder })) {
            Some(Ok(())) => Ok(()),
            Some(Err(_)) | None => Err(io::Error::other("the sync thread has ended")),
        }
    }
}

impl Syncer {
    /// Syncs what is written and ends the thread.
    pub fn end(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        self.end();
    }
}

fn run(mut file: File, orders: &Receiver<Order>, unsynced: &AtomicBool) {
    while let Ok(order) = orders.recv() {
        let next = match order {
            Order::Follow { file, folder } => Some((file, folder)),
            // Wait for the rest of the group; only a new segment, or the end, comes before it is over.
            Order::Written => match orders.recv_timeout(GROUP) {
                Ok(Order::Follow { file, folder }) => Some((file, folder)),
                Ok(Order::Written) | Err(_) => None,
            },
        };
        // Before the sync: what is written while it runs asks for another.
        unsynced.store(false, Ordering::Release);
        sync(&file);
        if let Some((next, folder)) = next {
            file = next;
            sync(&file);
            sync_name(&folder);
        }
    }
    sync(&file);
}

fn sync(file: &File) {
    told(file.sync_data());
}

/// A file's name is in its folder, which is synced by itself.
fn sync_name(folder: &Path) {
    told(File::open(folder).and_then(|folder| folder.sync_all()));
}

fn told(synced: io::Result<()>) {
    if let Err(error) = synced {
        metrics::counter!("cityline_journal_sync_errors_total").increment(1);
        tracing::error!(%error, "the journal cannot be synced: what was written since may be lost in a power cut; check the disk");
    }
}
