//! Which segments may go? Those whose every record all projections have passed, while newer ones with their snapshots are kept.

use std::path::{Path, PathBuf};

use super::JournalError;
use super::segment::segments;

/// Removes the segments that end at or before the record `passed`, but keeps the newest `keep`, at least two: the snapshot of the last one may not
/// be on the disk yet. Returns how many went.
/// Errors: the folder cannot be read or written.
pub fn prune(folder: &Path, passed: u64, keep: usize) -> Result<usize, JournalError> {
    let fail = |path: &Path| {
        let path = path.to_owned();
        move |source| JournalError::Io { path, source }
    };
    let all = segments(folder).map_err(fail(folder))?;
    let gone = may_go(&all, passed, keep);
    for path in &gone {
        std::fs::remove_file(path).map_err(fail(path))?;
    }
    Ok(gone.len())
}

/// A segment ends where the next one begins.
fn may_go(all: &[(u64, PathBuf)], passed: u64, keep: usize) -> Vec<PathBuf> {
    let older = all.len().saturating_sub(keep.max(2));
    let ended = all.iter().zip(all.iter().skip(1)).take(older);
    ended.take_while(|(_, (next, _))| *next <= passed.saturating_add(1)).map(|((_, path), _)| path.clone()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::centre::Centre;
    use crate::journal::Journal;

    fn folder() -> PathBuf {
        let folder = std::env::temp_dir().join(format!("cityline-prune-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        for first in [1, 11, 21, 31] {
            Journal::begin(&folder, &Centre::new(), first).unwrap();
        }
        folder
    }

    fn left(folder: &Path) -> Vec<u64> {
        segments(folder).unwrap().into_iter().map(|(first, _)| first).collect()
    }

    #[test]
    fn a_segment_goes_once_it_is_passed_and_enough_newer_ones_are_there() {
        let folder = folder();
        assert_eq!(prune(&folder, 9, 1).unwrap(), 0, "record 10 is not in the database");
        assert_eq!(prune(&folder, 10, 4).unwrap(), 0, "four are to be kept");
        assert_eq!(prune(&folder, 15, 1).unwrap(), 1);
        assert_eq!(left(&folder), [11, 21, 31], "15 lies in the second");
        assert_eq!(prune(&folder, u64::MAX, 0).unwrap(), 1);
        assert_eq!(left(&folder), [21, 31], "the last two are what a restart needs");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
