//! What happened, in which order, for good? The log of records from which the core can be rebuilt and the store is made.
//!
//! A journal is a folder of segments. A segment is a text file: its first line holds a snapshot of the core, each further
//! line one record; every line begins with the CRC-32 of the rest, so that a torn last line is known for what it is.
//! A record is written (one `write`) before its outputs are carried out, which survives the end of the process; a thread of
//! its own syncs groups of records within 50 ms, which survives the end of the machine.

mod evidence;
#[cfg(test)]
mod fuzz;
mod prune;
mod read;
mod rebuild;
mod segment;
mod sync;
mod waits;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::centre::Centre;
use crate::centre::fact::Fact;
use crate::centre::input::Input;
use crate::centre::output::Output;
use crate::centre::time::Time;

pub use prune::prune;
pub use read::{Replay, Tail, replay_file};
pub use rebuild::load_last;
pub use segment::Told;
use segment::{Line, segment_path};
use sync::Syncer;
pub use waits::waits_of;

/// A new segment is begun after this many records, so that a restart replays no more than these.
const RECORDS_A_SEGMENT: u64 = 100_000;
/// Records that wait for a disk that refuses them, in bytes: some minutes of a busy centre. More are given up, and the gap is marked.
const KEPT_BYTES: usize = if cfg!(test) { 64 * 1024 } else { 16 * 1024 * 1024 };

/// One step of the core.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Counted up over all segments, from 1.
    pub seq: u64,
    /// When the core handled the input.
    pub time: Time,
    /// What happened.
    pub input: Input,
    /// What the core told of it.
    pub facts: Vec<Fact>,
    /// Hash of the outputs, in order: a replay must come to the same.
    pub outputs: u64,
}

/// The journal cannot be used. Each message names the file and the mend.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// A file or folder cannot be read or written.
    #[error("journal {}: {source}; make sure that the folder exists, is writable and has room", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line in the middle of a segment is damaged.
    #[error("journal {}:{line}: {what}; restore the file from a copy if there is one, a server starts without this line", path.display())]
    Damaged {
        /// The segment.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// The core panics over a record.
    #[error("journal {}:{line}: the core panics over record {seq}; report it with the file, a server starts without this record", path.display())]
    Poisoned {
        /// The segment.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// The record's number.
        seq: u64,
    },
    /// The thread that syncs is gone.
    #[error("the journal's sync thread has ended: start the server again, and report this with the log")]
    NotSynced,
}

/// The writing end, owned by the engine.
pub struct Journal {
    folder: PathBuf,
    file: File,
    path: PathBuf,
    syncer: Syncer,
    next_seq: u64,
    in_segment: u64,
    /// Bytes of the segment that hold whole lines; what a failed write left behind them is overwritten.
    whole_bytes: u64,
    pending: Vec<u8>,
    pending_records: u64,
    /// Records were given up because the disk was away for too long: only a new segment, with its snapshot, may follow.
    gap: Option<GivenUp>,
}

/// Records that no file holds.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct GivenUp {
    /// How many.
    pub records: u64,
    /// Their lines, in bytes.
    pub bytes: u64,
}

impl Journal {
    /// Begins a new segment in `folder` with a snapshot of `centre`, whose next record is `next_seq`.
    pub fn begin(folder: &Path, centre: &Centre, next_seq: u64) -> Result<Journal, JournalError> {
        std::fs::create_dir_all(folder).map_err(|source| JournalError::Io { path: folder.to_owned(), source })?;
        let (file, path, whole_bytes) = new_segment(folder, centre, next_seq)?;
        file.sync_data().and_then(|()| File::open(folder)?.sync_all()).map_err(|source| JournalError::Io { path: path.clone(), source })?;
        let syncer = Syncer::start(&file).map_err(|source| JournalError::Io { path: path.clone(), source })?;
        let pending = Vec::with_capacity(64 * 1024);
        Ok(Journal {
            folder: folder.to_owned(),
            file,
            path,
            syncer,
            next_seq,
            in_segment: 0,
            whole_bytes,
            pending,
            pending_records: 0,
            gap: None,
        })
    }

    /// Adds a record to the group that [`Journal::commit`] writes; returns its number.
    pub fn add(&mut self, time: Time, input: Input, facts: Vec<Fact>, outputs: &[Output]) -> Record {
        let record = Record { seq: self.next_seq, time, input, facts, outputs: hash_outputs(outputs) };
        self.next_seq += 1;
        self.in_segment += 1;
        segment::push_line(&mut self.pending, &Line::Record(&record));
        self.pending_records += 1;
        if self.gap.is_some() {
            self.give_up();
        }
        record
    }

    /// Writes the group in one call. What it held may be carried out after this. What the disk refuses is kept and written with
    /// the next group.
    pub fn commit(&mut self) -> Result<(), JournalError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        match self.file.write_all_at(&self.pending, self.whole_bytes) {
            Ok(()) => {
                self.whole_bytes += self.pending.len() as u64;
                self.pending.clear();
                self.pending_records = 0;
                self.syncer.wake();
                Ok(())
            }
            Err(source) => {
                // Never a torn line before a whole one.
                let _ = self.file.set_len(self.whole_bytes);
                if self.pending.len() > KEPT_BYTES {
                    self.give_up();
                }
                Err(JournalError::Io { path: self.path.clone(), source })
            }
        }
    }

    /// What waits is dropped and counted; from here on nothing follows in this segment.
    fn give_up(&mut self) {
        let gap = self.gap.get_or_insert_default();
        gap.records += self.pending_records;
        gap.bytes += self.pending.len() as u64;
        metrics::counter!("cityline_journal_records_given_up_total").increment(self.pending_records);
        self.pending.clear();
        self.pending_records = 0;
    }

    /// Whether every record so far is in the file.
    pub fn is_whole(&self) -> bool {
        self.pending.is_empty() && self.gap.is_none()
    }

    /// Begins a new segment when this one is long enough, or when records were given up. Never while records wait for the disk: a reader
    /// that goes on to the new segment would step over them. `centre` is the state after the last record. Nothing is synced here: until the
    /// sync thread has done so a power cut may leave a segment without its snapshot, which is reached from the one before.
    pub fn rotate_if_due(&mut self, centre: &Centre) -> Result<bool, JournalError> {
        if !self.pending.is_empty() || (self.in_segment < RECORDS_A_SEGMENT && self.gap.is_none()) {
            return Ok(false);
        }
        let (file, path, whole_bytes) = new_segment(&self.folder, centre, self.next_seq)?;
        self.syncer.follow(&file, &self.folder).map_err(|source| JournalError::Io { path: path.clone(), source })?;
        if let Some(GivenUp { records, bytes }) = self.gap.take() {
            tracing::error!(
                records,
                bytes,
                last = self.next_seq - 1,
                "records were given up while the disk was away: the database lacks what they told; give the journal's disk more room"
            );
        }
        (self.file, self.path, self.whole_bytes, self.in_segment) = (file, path, whole_bytes, 0);
        Ok(true)
    }

    /// The number of the last record.
    pub fn last_seq(&self) -> u64 {
        self.next_seq - 1
    }

    /// Whether somebody still brings to the disk what is written.
    pub fn is_synced(&self) -> bool {
        self.syncer.runs()
    }

    /// The folder of all segments.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The segment that is written now.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// A disk that refuses every byte, for tests.
#[cfg(test)]
impl Journal {
    /// From here on nothing can be written; what is to be given back when the disk has room again.
    #[allow(clippy::unwrap_used)]
    pub fn fill_the_disk(&mut self) -> File {
        let full = File::options().write(true).open("/dev/full").unwrap();
        std::mem::replace(&mut self.file, full)
    }

    /// The disk has room again.
    pub fn free_the_disk(&mut self, file: File) {
        self.file = file;
    }

    /// What was given up.
    pub fn given_up(&self) -> Option<GivenUp> {
        self.gap
    }

    /// The sync thread ends, as by a fault.
    pub fn end_syncing(&mut self) {
        self.syncer.end();
    }

    /// The segment is as long as one may be.
    pub fn fill_the_segment(&mut self) {
        self.in_segment = RECORDS_A_SEGMENT;
    }
}

fn new_segment(folder: &Path, centre: &Centre, next_seq: u64) -> Result<(File, PathBuf, u64), JournalError> {
    let path = segment_path(folder, next_seq);
    let fail = |source| JournalError::Io { path: path.clone(), source };
    let mut first = Vec::new();
    segment::push_line(&mut first, &Line::Snapshot { next_seq, centre });
    // Written beside and renamed: while the machine runs, a segment that exists has its snapshot.
    let draft = path.with_extension("draft");
    let mut file = File::create(&draft).map_err(fail)?;
    io::Write::write_all(&mut file, &first).map_err(fail)?;
    std::fs::rename(&draft, &path).map_err(fail)?;
    Ok((file, path, first.len() as u64))
}

/// A hash of outputs that is the same on every machine: FNV-1a over their JSON.
pub fn hash_outputs(outputs: &[Output]) -> u64 {
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    for output in outputs {
        // Writing to a hash cannot fail, and outputs hold no map with keys that JSON has no text for.
        let _ = serde_json::to_writer(&mut hash, output);
    }
    hash.0
}

struct Fnv(u64);

impl io::Write for Fnv {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
