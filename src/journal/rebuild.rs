//! Which core does a folder of segments lead to? That of its last record, whatever became of lines in between: one that is damaged, or
//! that the core panics over, costs what it told and nothing else.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::read::{Lines, Replay};
use super::segment::{ReadLine, segments};
use super::{JournalError, Record, evidence};
use crate::centre::Centre;

/// The core is kept aside every so many records, so that a panic costs handling these again.
const CHECKPOINT: usize = 1_000;
/// Where lines were damaged, numbers of records leap by this: nobody knows which ones the lost lines had.
const LEAP: u64 = 1_000;

/// Rebuilds the core from the last segment of a folder; `None` where there is no journal yet. Where that one's snapshot cannot be read, the
/// segments before it lead to the same state. Files with faults are kept under the extension `damaged`. Errors: the folder or a file
/// cannot be read at all.
pub fn load_last(folder: &Path) -> Result<Option<Replay>, JournalError> {
    if !folder.exists() {
        return Ok(None);
    }
    let all = segments(folder).map_err(|source| JournalError::Io { path: folder.to_owned(), source })?;
    let Some((oldest, _)) = all.first() else { return Ok(None) };
    let mut rebuild = Rebuild::of(Centre::new(), *oldest);
    let mut from = 0;
    for (n, (_, path)) in all.iter().enumerate().rev() {
        if let Some(snapshot) = snapshot(path)? {
            (rebuild, from) = (snapshot, n);
            break;
        }
    }
    for (first, path) in all.iter().skip(from) {
        rebuild.read(*first, path)?;
    }
    Ok(Some(rebuild.ended()))
}

/// The state that a segment begins with, if it can be read.
fn snapshot(path: &Path) -> Result<Option<Rebuild>, JournalError> {
    match Lines::open(path)?.next() {
        Ok(Some(ReadLine::Snapshot { next_seq, centre })) => Ok(Some(Rebuild::of(*centre, next_seq))),
        Ok(Some(ReadLine::Record(_)) | None) => Ok(None),
        Err(JournalError::Io { path, source }) => Err(JournalError::Io { path, source }),
        Err(_) => Ok(None),
    }
}

struct Rebuild {
    replay: Replay,
    /// The core of some records ago, and the records since.
    checkpoint: Centre,
    since: Vec<Record>,
}

impl Rebuild {
    fn of(centre: Centre, next_seq: u64) -> Rebuild {
        Rebuild { checkpoint: centre.clone(), replay: Replay::of(centre, next_seq), since: Vec::new() }
    }

    /// Goes on through a segment, whose first record has the number `first`.
    fn read(&mut self, first: u64, path: &Path) -> Result<(), JournalError> {
        let mut lines = Lines::open(path)?;
        self.replay.next_seq = self.replay.next_seq.max(first);
        loop {
            match lines.next() {
                Ok(Some(ReadLine::Record(record))) => self.step(*record, path, lines.number()),
                Ok(Some(ReadLine::Snapshot { .. })) => {}
                Ok(None) => break,
                Err(JournalError::Io { path, source }) => return Err(JournalError::Io { path, source }),
                Err(fault) => {
                    self.replay.damaged += 1;
                    self.replay.next_seq = self.replay.next_seq.saturating_add(1);
                    evidence::damaged(path, lines.number(), &fault);
                }
            }
        }
        self.replay.torn = lines.torn();
        Ok(())
    }

    fn step(&mut self, record: Record, path: &Path, line: usize) {
        let stepped = catch_unwind(AssertUnwindSafe(|| self.replay.step(record.clone())));
        if stepped.is_err() {
            return self.poisoned(record.seq, path, line);
        }
        self.since.push(record);
        if self.since.len() >= CHECKPOINT {
            self.keep_aside();
        }
    }

    /// The core panicked over a record: it is that of before, as if the record had never been.
    fn poisoned(&mut self, seq: u64, path: &Path, line: usize) {
        self.replay.centre = self.checkpoint.clone();
        for record in &self.since {
            self.replay.again(record);
        }
        self.keep_aside();
        self.replay.poisoned.push(seq);
        self.replay.next_seq = seq.saturating_add(1);
        evidence::poisoned(path, line, seq);
    }

    fn keep_aside(&mut self) {
        self.checkpoint = self.replay.centre.clone();
        self.since.clear();
    }

    fn ended(self) -> Replay {
        let leap = if self.replay.damaged > 0 { LEAP } else { 0 };
        Replay { next_seq: self.replay.next_seq.saturating_add(leap), ..self.replay }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::PathBuf;

    use super::*;
    use crate::centre::ids::{CallId, CallerRef, LegId};
    use crate::centre::input::{Digit, FromLine, HangUpCause, Input};
    use crate::centre::poison::POISONED;
    use crate::centre::time::Time;
    use crate::journal::{Journal, Tail, replay_file};

    /// A folder, the journal in it, and the core that it leads to.
    struct Past {
        folder: PathBuf,
        journal: Journal,
        centre: Centre,
    }

    impl Past {
        fn new(name: &str) -> Past {
            let folder = std::env::temp_dir().join(format!("cityline-rebuild-{name}-{}", std::process::id()));
            let _ = std::fs::remove_dir_all(&folder);
            let centre = Centre::new();
            Past { journal: Journal::begin(&folder, &centre, 1).unwrap(), folder, centre }
        }

        fn happens(&mut self, input: Input) {
            let time = Time(self.journal.last_seq() + 1_000);
            self.centre.handle(time, input.clone());
            let outputs: Vec<_> = std::iter::from_fn(|| self.centre.poll_output()).collect();
            let facts = self.centre.take_facts();
            self.journal.add(time, input, facts, &outputs);
            self.journal.commit().unwrap();
        }

        /// A record that no core can handle, as another version may have.
        fn is_poisoned(&mut self) {
            let digit = Digit::new('1').unwrap();
            self.journal.add(Time(2_000), Input::Line(FromLine::Digit { leg: LegId::caller(POISONED), digit }), Vec::new(), &[]);
            self.journal.commit().unwrap();
        }

        fn next_segment(&mut self) {
            self.journal = Journal::begin(&self.folder, &self.centre, self.journal.last_seq() + 1).unwrap();
        }

        fn told(&self) -> Vec<u64> {
            Tail::after(&self.folder, 0).read(1_000).unwrap().iter().map(|record| record.seq).collect()
        }

        fn rebuilt(&self) -> Replay {
            load_last(&self.folder).unwrap().unwrap()
        }
    }

    impl Drop for Past {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }

    fn arrival(call: u64) -> Input {
        let (call, caller) = (CallId(call), CallerRef(9));
        Input::Line(FromLine::CallArrived { call, caller, number: "109".into(), trunk: "city".into(), sdp: None })
    }

    fn end(call: u64) -> Input {
        Input::Line(FromLine::HungUp { leg: LegId::caller(CallId(call)), cause: HangUpCause::Bye })
    }

    /// Changes a byte in the middle of a line, counted from 1.
    fn damage(path: &Path, line: usize) -> Vec<u8> {
        let mut text = std::fs::read(path).unwrap();
        let begin = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(line.wrapping_sub(2)).map_or(0, |(at, _)| at + 1);
        text[begin + 20] ^= 1;
        std::fs::write(path, &text).unwrap();
        text
    }

    #[test]
    fn a_damaged_line_costs_what_it_told_and_the_file_is_kept() {
        let mut past = Past::new("damaged");
        (1..=6).for_each(|call| past.happens(arrival(call)));
        let path = past.journal.path().to_owned();
        // The second call is lost; the sixth comes after it.
        let evidence = damage(&path, 3);
        assert!(matches!(replay_file(&path), Err(JournalError::Damaged { line: 3, .. })), "who asks for proof hears of it");
        let replay = past.rebuilt();
        assert_eq!((replay.records, replay.damaged, replay.centre.highest_call()), (5, 1, CallId(6)));
        assert!(replay.next_seq > 1_000, "no number twice: {}", replay.next_seq);
        assert_eq!(past.told(), [1, 3, 4, 5, 6], "the database gets the rest");
        assert_eq!(std::fs::read(path.with_extension("damaged")).unwrap(), evidence);
        assert_eq!(past.rebuilt().records, 5, "and again");
        // What prune takes away stays under the other name.
        std::fs::remove_file(&path).unwrap();
        assert_eq!(std::fs::read(path.with_extension("damaged")).unwrap(), evidence);
    }

    #[test]
    fn a_record_that_panics_is_as_if_it_had_never_been() {
        let mut past = Past::new("poisoned");
        for call in 1..=CHECKPOINT as u64 + 5 {
            past.happens(arrival(call));
            past.happens(end(call));
        }
        past.is_poisoned();
        past.happens(arrival(9_000));
        past.is_poisoned();
        let path = past.journal.path().to_owned();
        let replay = past.rebuilt();
        let last = past.journal.last_seq();
        assert!(replay.centre == past.centre);
        assert_eq!((replay.poisoned.as_slice(), replay.next_seq), ([last - 2, last].as_slice(), last + 1));
        assert_eq!(replay.differing, Vec::<u64>::new());
        assert!(path.with_extension("damaged").exists());
        assert!(matches!(replay_file(&path), Err(JournalError::Poisoned { seq, .. }) if seq == last - 2), "who asks for proof hears of it");
    }

    #[test]
    fn without_its_snapshot_a_segment_is_reached_from_the_one_before() {
        let mut past = Past::new("snapshot");
        past.happens(arrival(1));
        let first = past.journal.path().to_owned();
        past.next_segment();
        past.happens(arrival(2));
        let second = past.journal.path().to_owned();
        past.next_segment();
        past.happens(arrival(3));
        let third = past.journal.path().to_owned();
        damage(&third, 1);
        damage(&second, 1);
        let replay = past.rebuilt();
        assert!(replay.centre == past.centre, "every record is there");
        assert_eq!(past.told(), [1, 2, 3]);
        assert!(second.with_extension("damaged").exists() && third.with_extension("damaged").exists());
        assert!(!first.with_extension("damaged").exists());
        // Torn before its snapshot was on the disk, as a power cut leaves it.
        std::fs::write(&third, b"").unwrap();
        assert_eq!(past.rebuilt().centre.highest_call(), CallId(2));
        damage(&first, 1);
        assert_eq!(past.rebuilt().centre.highest_call(), CallId(2), "numbers do not begin anew without any state");
    }

    /// Found by fuzzing.
    #[test]
    fn a_record_with_the_highest_number_is_read() {
        let past = Past::new("number");
        let record = Record { seq: u64::MAX, time: Time(9), input: Input::DeadlineReached, facts: Vec::new(), outputs: 0 };
        let mut line = Vec::new();
        crate::journal::segment::push_line(&mut line, &crate::journal::segment::Line::Record(&record));
        let text = [std::fs::read(past.journal.path()).unwrap(), line].concat();
        std::fs::write(past.journal.path(), text).unwrap();
        assert_eq!((past.rebuilt().records, past.rebuilt().next_seq), (1, u64::MAX));
        assert_eq!(past.told(), [u64::MAX]);
    }

    #[test]
    fn noise_is_no_reason_not_to_start() {
        let past = Past::new("noise");
        let path = past.journal.path().to_owned();
        std::fs::write(&path, [b"\xff\n\n00000000 {}\n".as_slice(), &[0; 4_096]].concat()).unwrap();
        let replay = past.rebuilt();
        assert_eq!((replay.records, replay.damaged, replay.centre.calls_up()), (0, 3, 0));
        assert!(replay.next_seq > 1);
        assert_eq!(past.told(), Vec::<u64>::new());
    }
}
