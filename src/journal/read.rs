//! How is a journal read? A segment with a check of every hash, to prove it; from a position on, to feed the store.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::segment::{ReadLine, Told, ToldLine, parse_line, segments};
use super::{JournalError, Record, evidence, hash_outputs};
use crate::centre::Centre;
use crate::centre::time::Time;

/// What a replay came to.
#[derive(Debug)]
pub struct Replay {
    /// The core after the last record.
    pub centre: Centre,
    /// The number of the next record.
    pub next_seq: u64,
    /// The time of the last record, if there is one.
    pub last_time: Option<Time>,
    /// How many records were handled.
    pub records: u64,
    /// Records whose outputs or facts came out otherwise than they ran live.
    pub differing: Vec<u64>,
    /// Whether the last line was torn, as after a crash in mid-write.
    pub torn: bool,
    /// Lines that could not be read.
    pub damaged: usize,
    /// Records that the core panicked over.
    pub poisoned: Vec<u64>,
}

/// Runs one segment again and compares every output hash and every fact with those that ran live.
pub fn replay_file(path: &Path) -> Result<Replay, JournalError> {
    let mut lines = Lines::open(path)?;
    let mut replay = match lines.next()? {
        Some(ReadLine::Snapshot { next_seq, centre }) => Replay::of(*centre, next_seq),
        Some(ReadLine::Record(_)) | None => return Err(lines.damaged("the first line holds no snapshot")),
    };
    while let Some(line) = lines.next()? {
        match line {
            ReadLine::Snapshot { .. } => return Err(lines.damaged("a second snapshot")),
            ReadLine::Record(record) => {
                let seq = record.seq;
                let stepped = catch_unwind(AssertUnwindSafe(|| replay.step(*record)));
                stepped.map_err(|_| JournalError::Poisoned { path: path.to_owned(), line: lines.number, seq })?;
            }
        }
    }
    replay.torn = lines.torn;
    Ok(replay)
}

impl Replay {
    /// A core before its first record, which has the number `next_seq`.
    pub(super) fn of(centre: Centre, next_seq: u64) -> Replay {
        let (differing, poisoned) = (Vec::new(), Vec::new());
        Replay { centre, next_seq, last_time: None, records: 0, differing, torn: false, damaged: 0, poisoned }
    }

    /// Brings the core over a record once more, which has been counted already.
    pub(super) fn again(&mut self, record: &Record) {
        self.centre.handle(record.time, record.input.clone());
        while self.centre.poll_output().is_some() {}
        drop(self.centre.take_facts());
    }

    /// Brings the core over the next record.
    pub(super) fn step(&mut self, record: Record) {
        self.centre.handle(record.time, record.input);
        let outputs: Vec<_> = std::iter::from_fn(|| self.centre.poll_output()).collect();
        let facts = self.centre.take_facts();
        if hash_outputs(&outputs) != record.outputs || facts != record.facts {
            self.differing.push(record.seq);
        }
        self.next_seq = record.seq.saturating_add(1);
        self.last_time = Some(record.time);
        self.records += 1;
    }
}

/// The complete lines of one segment. An incomplete last one is not an error: the process may have ended, or be writing it.
pub(super) struct Lines {
    path: PathBuf,
    reader: BufReader<File>,
    number: usize,
    buffer: Vec<u8>,
    torn: bool,
}

impl Lines {
    pub(super) fn open(path: &Path) -> Result<Self, JournalError> {
        let file = File::open(path).map_err(|source| JournalError::Io { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), reader: BufReader::new(file), number: 0, buffer: Vec::new(), torn: false })
    }

    /// The next complete line; `None` at the end, where an incomplete line stays unread. After a damaged line the next one follows.
    pub(super) fn next<L: DeserializeOwned>(&mut self) -> Result<Option<L>, JournalError> {
        self.buffer.clear();
        let read =
            self.reader.read_until(b'\n', &mut self.buffer).map_err(|source| JournalError::Io { path: self.path.clone(), source })?;
        if self.buffer.pop() != Some(b'\n') {
            self.torn = read > 0;
            let back = i64::try_from(read).unwrap_or(0);
            self.reader.seek(SeekFrom::Current(-back)).map_err(|source| JournalError::Io { path: self.path.clone(), source })?;
            return Ok(None);
        }
        self.number += 1;
        parse_line(&self.buffer).map(Some).map_err(|what| self.damaged(&what))
    }

    /// The line that was read last, from 1.
    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// Whether the last line is incomplete.
    pub(super) fn torn(&self) -> bool {
        self.torn
    }

    fn damaged(&self, what: &str) -> JournalError {
        JournalError::Damaged { path: self.path.clone(), line: self.number, what: what.to_owned() }
    }
}

/// The next line that is not damaged. What lies in a file behind a line feed was written whole, so that waiting would mend nothing.
fn whole_line(lines: &mut Lines) -> Result<Option<ToldLine>, JournalError> {
    loop {
        match lines.next() {
            Err(fault @ JournalError::Damaged { .. }) => evidence::damaged(&lines.path, lines.number, &fault),
            read => return read,
        }
    }
}

/// Reads what records tell from a position on, across segments, also those that are written while it reads.
pub struct Tail {
    folder: PathBuf,
    lines: Option<Lines>,
    segment: u64,
    next_seq: u64,
}

impl Tail {
    /// Starts after the record `position`; 0 for the beginning.
    pub fn after(folder: &Path, position: u64) -> Self {
        Self { folder: folder.to_owned(), lines: None, segment: 0, next_seq: position + 1 }
    }

    /// Up to `limit` further records; fewer, or none, at the end of what is written.
    pub fn read(&mut self, limit: usize) -> Result<Vec<Told>, JournalError> {
        let mut records = Vec::new();
        while records.len() < limit {
            if self.lines.is_none() && !self.open()? {
                break;
            }
            let Some(lines) = &mut self.lines else { break };
            match whole_line(lines)? {
                Some(ToldLine::Record(record)) if record.seq >= self.next_seq => {
                    self.next_seq = record.seq.saturating_add(1);
                    records.push(record);
                }
                Some(_) => {}
                None if self.has_later_segment()? => self.finish_segment(&mut records)?,
                None => break,
            }
        }
        Ok(records)
    }

    /// A later segment exists, so this one is complete: what was written between the last look and that one is read, then it is left.
    fn finish_segment(&mut self, records: &mut Vec<Told>) -> Result<(), JournalError> {
        if let Some(mut lines) = self.lines.take() {
            while let Some(line) = whole_line(&mut lines)? {
                if let ToldLine::Record(record) = line
                    && record.seq >= self.next_seq
                {
                    self.next_seq = record.seq.saturating_add(1);
                    records.push(record);
                }
            }
        }
        Ok(())
    }

    /// Opens the segment that holds the next record: the last one that begins at or before it, else the first one after.
    fn open(&mut self) -> Result<bool, JournalError> {
        let all = self.segments()?;
        let holds = all.iter().rev().find(|(first, _)| *first <= self.next_seq && *first > self.segment);
        let Some((first, path)) = holds.or_else(|| all.iter().find(|(first, _)| *first > self.segment)) else { return Ok(false) };
        self.segment = *first;
        self.lines = Some(Lines::open(path)?);
        Ok(true)
    }

    fn has_later_segment(&self) -> Result<bool, JournalError> {
        Ok(self.segments()?.iter().any(|(first, _)| *first > self.segment))
    }

    fn segments(&self) -> Result<Vec<(u64, PathBuf)>, JournalError> {
        if !self.folder.exists() {
            return Ok(Vec::new());
        }
        segments(&self.folder).map_err(|source| JournalError::Io { path: self.folder.clone(), source })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::centre::ids::{CallId, CallerRef, LegId};
    use crate::centre::input::{FromLine, HangUpCause, Input};
    use crate::journal::Journal;
    use std::io::Write;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("cityline-journal-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        folder
    }

    fn write(journal: &mut Journal, centre: &mut Centre, time: u64, input: Input) {
        centre.handle(Time(time), input.clone());
        let outputs: Vec<_> = std::iter::from_fn(|| centre.poll_output()).collect();
        let facts = centre.take_facts();
        journal.add(Time(time), input, facts, &outputs);
        journal.commit().unwrap();
    }

    fn arrival(call: u64) -> Input {
        Input::Line(FromLine::CallArrived {
            call: CallId(call),
            caller: CallerRef(9),
            number: "109".into(),
            trunk: "city".into(),
            sdp: None,
        })
    }

    #[test]
    fn a_replay_comes_to_the_same_and_a_torn_line_is_left_out() {
        let folder = folder("replay");
        let mut centre = Centre::new();
        let mut journal = Journal::begin(&folder, &centre, 1).unwrap();
        write(&mut journal, &mut centre, 1000, arrival(1));
        write(&mut journal, &mut centre, 2000, Input::Line(FromLine::HungUp { leg: LegId::caller(CallId(1)), cause: HangUpCause::Cancel }));
        let path = journal.path().to_owned();
        std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"1234abcd {\"Rec").unwrap();
        let replay = replay_file(&path).unwrap();
        assert_eq!((replay.records, replay.next_seq, replay.torn), (2, 3, true));
        assert_eq!(replay.differing, Vec::<u64>::new());
        assert_eq!(replay.centre, centre);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_changed_record_is_found() {
        let folder = folder("changed");
        let mut centre = Centre::new();
        let mut journal = Journal::begin(&folder, &centre, 1).unwrap();
        write(&mut journal, &mut centre, 1000, arrival(1));
        let path = journal.path().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("\"109\"", "\"110\"")).unwrap();
        assert!(matches!(replay_file(&path), Err(JournalError::Damaged { line: 2, .. })));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_tail_reads_on_over_segments_and_restarts() {
        let folder = folder("tail");
        let mut centre = Centre::new();
        let mut tail = Tail::after(&folder, 0);
        assert!(tail.read(10).unwrap().is_empty());
        let mut journal = Journal::begin(&folder, &centre, 1).unwrap();
        for call in 1..=3 {
            write(&mut journal, &mut centre, call, arrival(call));
        }
        assert_eq!(tail.read(2).unwrap().iter().map(|record| record.seq).collect::<Vec<_>>(), [1, 2]);
        drop(journal);
        let mut journal = Journal::begin(&folder, &centre, 4).unwrap();
        write(&mut journal, &mut centre, 4, arrival(4));
        assert_eq!(tail.read(10).unwrap().iter().map(|record| record.seq).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(Tail::after(&folder, 3).read(10).unwrap().len(), 1);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
