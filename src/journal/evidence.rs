//! What becomes of a segment with a fault in it? It stays under another name too, for whoever looks into it, and the log says where to look.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::JournalError;

/// Places of faults that have been told; of what comes on top only the file is kept.
const MOST_TOLD: usize = 10_000;

/// Whether this place is told for the first time: the database's feeder reads a segment again after each failure.
fn is_new(path: &Path, line: usize) -> bool {
    static TOLD: Mutex<BTreeSet<(PathBuf, usize)>> = Mutex::new(BTreeSet::new());
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    told.len() < MOST_TOLD && told.insert((path.to_owned(), line))
}

/// A line that cannot be read.
pub fn damaged(path: &Path, line: usize, fault: &JournalError) {
    if !is_new(path, line) {
        return keep(path);
    }
    metrics::counter!("cityline_journal_lines_damaged_total").increment(1);
    tracing::error!(%fault, "a line of the journal is damaged: what it told is lost, all else counts; check the disk");
    keep(path);
}

/// A record that the core panics over.
pub fn poisoned(path: &Path, line: usize, seq: u64) {
    if !is_new(path, line) {
        return keep(path);
    }
    metrics::counter!("cityline_journal_records_poisoned_total").increment(1);
    tracing::error!(file = %path.display(), line, seq, "the core panicked over a record of the journal: it is left out, please report it with the file");
    keep(path);
}

/// A second name for the file: it outlives the first, which goes when the database has its facts.
fn keep(path: &Path) {
    let aside = path.with_extension("damaged");
    if aside.exists() {
        return;
    }
    let kept = std::fs::hard_link(path, &aside).or_else(|_| copy(path, &aside));
    match kept {
        Ok(()) => {
            metrics::counter!("cityline_journal_segments_damaged_total").increment(1);
            tracing::error!(file = %aside.display(), "the segment is kept under this name until somebody removes it");
        }
        Err(error) => tracing::error!(%error, file = %path.display(), "the segment cannot be kept under another name: copy it away"),
    }
}

/// Where the file system has no second names.
fn copy(path: &Path, aside: &Path) -> io::Result<()> {
    std::fs::copy(path, aside).map(drop)
}
