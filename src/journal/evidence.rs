//! What becomes of a segment with a fault in it? It stays under another name too, for whoever looks into it, and the log says where to look.

use std::io;
use std::path::Path;

use super::JournalError;

/// A line that cannot be read.
pub fn damaged(path: &Path, fault: &JournalError) {
    metrics::counter!("cityline_journal_lines_damaged_total").increment(1);
    tracing::error!(%fault, "a line of the journal is damaged: what it told is lost, all else counts; check the disk");
    keep(path);
}

/// A record that the core panics over.
pub fn poisoned(path: &Path, line: usize, seq: u64) {
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
