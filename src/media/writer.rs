//! How do recordings get onto the disk? One thread decodes, lays both sides on one timeline and writes, twice a second a recording.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::Duration;

use crate::centre::ids::{CallId, RecordingId};
use crate::centre::input::{FromMedia, Input};
use crate::clock::Clock;
use crate::lanes::Inputs;
use crate::media::lane::Lane;
use crate::media::recorder::{Block, Frame, ToWriter};
use crate::media::room::Side;
use crate::media::wav::{WavFile, length_ms};
use crate::vitals::Pulse;

/// A packet may arrive this much later than its place and still be written (250 ms): jitter, and the way from the media thread.
const HOLD_BACK: u64 = 2_000;
/// Sound is written when so much is settled (400 ms). Hold-back, this and `ROUND` together stay below the second that a crash may cost.
const SETTLED: u64 = 3_200;
/// Messages that are taken between two looks at all recordings at most: what a full queue holds, several times.
const MESSAGES_A_ROUND: usize = 1_024;
/// Between two looks at all recordings.
const ROUND: Duration = Duration::from_millis(100);
/// With no recording open the thread looks up this often.
const IDLE: Duration = Duration::from_secs(1);
/// Written at once at most (4 s).
const MOST_AT_ONCE: usize = 32_000;
/// The folder of marks of recordings that are not closed yet.
const OPEN_MARKS: &str = "open";

/// Where a recording lies below `folder`: `000012/12345-1.wav`, a thousand calls a folder.
pub fn recording_path(folder: &Path, recording: RecordingId) -> PathBuf {
    let RecordingId { call: CallId(call), n } = recording;
    folder.join(format!("{:06}", call / 1_000)).join(format!("{call}-{n}.wav"))
}

/// How long the file of a recording is, in milliseconds; `None` when there is none that can be read.
pub fn recorded_ms(folder: &Path, recording: RecordingId) -> Option<u64> {
    length_ms(&recording_path(folder, recording)).ok()
}

/// The recordings that a crash left open, with their length in milliseconds, and an end to their marks.
///
/// Their headers are right already. Errors: the folder of marks cannot be read; a recording that cannot be read is logged and left out.
pub fn repair(folder: &Path) -> io::Result<Vec<(RecordingId, u64)>> {
    let marks = match std::fs::read_dir(folder.join(OPEN_MARKS)) {
        Ok(marks) => marks,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for mark in marks {
        let mark = mark?;
        let Some(recording) = mark.file_name().to_str().and_then(marked) else { continue };
        match length_ms(&recording_path(folder, recording)) {
            Ok(length_ms) => found.push((recording, length_ms)),
            Err(error) => tracing::error!(?recording, %error, "a recording that was open at the crash cannot be read"),
        }
        std::fs::remove_file(mark.path())?;
    }
    found.sort_unstable();
    Ok(found)
}

fn mark_path(folder: &Path, recording: RecordingId) -> PathBuf {
    folder.join(OPEN_MARKS).join(format!("{}-{}", recording.call.0, recording.n))
}

fn marked(name: &str) -> Option<RecordingId> {
    let (call, n) = name.split_once('-')?;
    Some(RecordingId { call: CallId(call.parse().ok()?), n: n.parse().ok()? })
}

/// The thread and all recordings that are open.
pub struct Writer {
    folder: PathBuf,
    queue: Receiver<ToWriter>,
    inputs: Inputs,
    clock: Clock,
    open: BTreeMap<RecordingId, Recording>,
    /// Ends that found no room in the engine's lane.
    reports: VecDeque<FromMedia>,
    /// The bytes of one write.
    bytes: Vec<u8>,
    pulse: Pulse,
}

/// A recording that grows. Positions count moments, 1/8000 s, from its beginning.
struct Recording {
    path: PathBuf,
    file: Option<WavFile>,
    began_us: u64,
    voices: BTreeMap<(Side, u16), Lane>,
    /// The first moment that is not written.
    written: u64,
    /// Left and right of one write.
    moments: Vec<[i16; 2]>,
    /// Moments that the disk did not take.
    lost: u64,
}

impl Writer {
    /// A writer below `folder` of what comes over `queue`.
    pub fn new(folder: PathBuf, queue: Receiver<ToWriter>, inputs: Inputs, clock: Clock, pulse: Pulse) -> Writer {
        Writer { folder, queue, inputs, clock, open: BTreeMap::new(), reports: VecDeque::new(), bytes: Vec::new(), pulse }
    }

    /// The thread: until every media thread has ended.
    pub fn run(mut self) {
        // Between rounds it sleeps whatever arrives: being woken for every block would cost more than the block.
        'rounds: loop {
            let idle = self.open.is_empty() && self.reports.is_empty();
            let mut message = if idle { self.first() } else { self.next_round() };
            self.pulse.beat();
            for _ in 0..MESSAGES_A_ROUND {
                match message {
                    Ok(message) => self.take(message),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => break 'rounds,
                }
                message = self.queue.try_recv();
            }
            self.look_at_all(self.clock.elapsed_us());
        }
        let left: Vec<RecordingId> = self.open.keys().copied().collect();
        let now_us = self.clock.elapsed_us();
        left.into_iter().for_each(|recording| self.close(recording, now_us, 0));
        self.hand_in_reports();
    }

    /// What ends the idleness; nothing for so long that its pulse stays felt.
    fn first(&self) -> Result<ToWriter, TryRecvError> {
        self.queue.recv_timeout(IDLE).map_err(|error| match error {
            RecvTimeoutError::Timeout => TryRecvError::Empty,
            RecvTimeoutError::Disconnected => TryRecvError::Disconnected,
        })
    }

    fn next_round(&self) -> Result<ToWriter, TryRecvError> {
        std::thread::sleep(ROUND);
        self.queue.try_recv()
    }

    fn take(&mut self, message: ToWriter) {
        match message {
            ToWriter::Open { recording, at_us } => {
                let path = recording_path(&self.folder, recording);
                mark(&mark_path(&self.folder, recording));
                self.open.insert(recording, Recording::begin(path, at_us));
            }
            ToWriter::Sound(block) => self.take_sound(&block),
            ToWriter::Close { recording, at_us, lost } => self.close(recording, at_us, lost),
        }
    }

    fn take_sound(&mut self, block: &Block) {
        for (frame, sound) in block.frames() {
            if let Some(recording) = self.open.get_mut(&frame.track.recording) {
                recording.lay(frame, sound);
            }
        }
    }

    fn look_at_all(&mut self, now_us: u64) {
        for recording in self.open.values_mut() {
            let settled = recording.moment(now_us).saturating_sub(HOLD_BACK);
            if settled.saturating_sub(recording.written) >= SETTLED {
                recording.write_to(settled, &mut self.bytes);
            }
        }
        self.hand_in_reports();
    }

    fn close(&mut self, id: RecordingId, at_us: u64, lost: u64) {
        let Some(mut recording) = self.open.remove(&id) else { return };
        recording.write_to(recording.moment(at_us), &mut self.bytes);
        if let Err(error) = std::fs::remove_file(mark_path(&self.folder, id)) {
            tracing::warn!(recording = ?id, %error, "the mark of a closed recording stays: it will be reported again after a restart");
        }
        let lost_ms = (recording.lost + lost) / 8;
        self.reports.push_back(FromMedia::Recorded { recording: id, length_ms: recording.written / 8, lost_ms });
        self.hand_in_reports();
    }

    /// Gives reports to the engine; those that find no room are tried again on the next round. Their number is bounded by the calls'.
    fn hand_in_reports(&mut self) {
        while let Some(report) = self.reports.pop_front() {
            if self.inputs.send(Input::Media(report.clone())).is_err() {
                self.reports.push_front(report);
                return;
            }
        }
    }
}

/// Adds sound to one channel.
fn add(moments: &mut [[i16; 2]], sound: &[i16], channel: impl Fn(&mut [i16; 2]) -> &mut i16) {
    for (moment, sample) in moments.iter_mut().zip(sound) {
        let channel = channel(moment);
        *channel = channel.saturating_add(*sample);
    }
}

fn mark(path: &Path) {
    let made = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(path, []));
    if let Err(error) = made {
        tracing::error!(folder = %path.display(), %error, "recordings cannot be marked as open: make the folder writable");
    }
}

impl Recording {
    fn begin(path: PathBuf, began_us: u64) -> Recording {
        let mut recording = Recording { path, file: None, began_us, voices: BTreeMap::new(), written: 0, moments: Vec::new(), lost: 0 };
        recording.create();
        recording
    }

    fn create(&mut self) {
        match WavFile::create(&self.path) {
            Ok(file) => self.file = Some(file),
            Err(error) if self.lost == 0 => {
                tracing::error!(file = %self.path.display(), %error, "a recording cannot be made: make its folder writable and free space");
            }
            Err(_) => {}
        }
    }

    /// The moment of the recording's clock.
    fn moment(&self, at_us: u64) -> u64 {
        at_us.saturating_sub(self.began_us) / 125
    }

    /// Lays one packet where it belongs.
    fn lay(&mut self, frame: &Frame, sound: &[u8]) {
        let (arrival, written) = (self.moment(frame.arrived_us), self.written);
        let voice = self.voices.entry((frame.track.side, frame.track.mouth));
        voice.or_insert_with(|| Lane::new(written)).lay(frame, sound, arrival);
    }

    /// Writes up to moment `end`, silence where nothing was said. What the disk refuses is lost, and silence if it comes back.
    fn write_to(&mut self, end: u64, bytes: &mut Vec<u8>) {
        while self.written < end {
            let count = usize::try_from(end - self.written).unwrap_or(MOST_AT_ONCE).min(MOST_AT_ONCE);
            self.write(count, bytes);
        }
    }

    /// The next `count` moments of all voices; those of the same side add up.
    fn add_up(&mut self, count: usize) {
        self.moments.clear();
        self.moments.resize(count, [0; 2]);
        for ((side, _), lane) in &mut self.voices {
            lane.settle(self.written + count as u64);
            match side {
                Side::Left => add(&mut self.moments, lane.next(count), |[left, _]| left),
                Side::Right => add(&mut self.moments, lane.next(count), |[_, right]| right),
            }
            lane.advance(count);
        }
    }

    fn write(&mut self, count: usize, bytes: &mut Vec<u8>) {
        self.add_up(count);
        bytes.clear();
        bytes.resize(count * 4, 0);
        for (four, [left, right]) in bytes.chunks_exact_mut(4).zip(&self.moments) {
            let ([a, b], [c, d]) = (left.to_le_bytes(), right.to_le_bytes());
            four.copy_from_slice(&[a, b, c, d]);
        }
        if self.file.is_none() {
            self.create();
        }
        let written = self.file.as_ref().map(|file| file.write(self.written, bytes));
        if let Some(Err(error)) = &written
            && self.lost == 0
        {
            tracing::error!(file = %self.path.display(), %error, "a recording cannot be written: free space on its disk");
        }
        if !matches!(written, Some(Ok(()))) {
            self.lost += count as u64;
        }
        self.written += count as u64;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::centre::input::Codec;
    use crate::media::codec::{FRAME, Law, encode};
    use crate::media::recorder::Track;

    fn id() -> RecordingId {
        RecordingId { call: CallId(12_345), n: 1 }
    }

    fn folder(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("cityline-{name}-{}", std::process::id()))
    }

    fn frame(side: Side, n: u32, arrived_us: u64) -> Frame {
        let track = Track { recording: id(), side, mouth: side as u16 };
        Frame { track, codec: Codec::Pcma, ssrc: 1, timestamp: n * 160, arrived_us, length: FRAME }
    }

    fn samples(path: &Path) -> Vec<i16> {
        hound::WavReader::open(path).unwrap().samples::<i16>().map(Result::unwrap).collect()
    }

    #[test]
    fn both_sides_lie_where_they_were_said_and_a_long_loss_is_silence() {
        let folder = folder("lay");
        let path = recording_path(&folder, id());
        assert!(path.ends_with("000012/12345-1.wav"));
        let mut recording = Recording::begin(path.clone(), 1_000_000);
        let (loud, mut bytes) = (encode(Law::A, 8_000), Vec::new());
        for n in (0..500u32).filter(|n| n % 10 < 6) {
            // The left side begins 100 ms in, the right side 40 ms after it; both jitter.
            let at = 1_100_000 + u64::from(n) * 20_000;
            recording.lay(&frame(Side::Left, n, at + u64::from(if n == 0 { 0 } else { n % 3 * 9_000 })), &[loud; FRAME]);
            recording.lay(&frame(Side::Right, n, at + 40_000), &[loud; FRAME]);
            let settled = recording.moment(at).saturating_sub(HOLD_BACK);
            if settled > recording.written + SETTLED {
                recording.write_to(settled, &mut bytes);
            }
        }
        recording.write_to(recording.moment(11_500_000), &mut bytes);
        let all = samples(&path);
        assert_eq!(all.len(), 2 * 84_000, "10.5 s");
        let said = |moment: usize, channel: usize| all[2 * moment + channel] > 7_000;
        for moment in 0..84_000 {
            for (channel, begin) in [(0, 800), (1, 1_120)] {
                let expected = moment >= begin && moment < begin + 80_000 && (moment - begin) / FRAME % 10 < 6;
                assert_eq!(said(moment, channel), expected, "channel {channel} at {moment}");
            }
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn packets_that_were_read_late_at_first_leave_no_seam() {
        let folder = folder("seam");
        let path = recording_path(&folder, id());
        let mut recording = Recording::begin(path.clone(), 0);
        let (loud, mut bytes) = (encode(Law::A, 8_000), Vec::new());
        for n in 0..100u32 {
            let (sent, late) = (200_000 + u64::from(n) * 20_000, [38_000, 18_000, 36_000, 16_000, 2_000]);
            let arrived = sent + late.get(n as usize).copied().unwrap_or(1_000);
            recording.lay(&frame(Side::Left, n, arrived), &[loud; FRAME]);
            // The file gets to another voice's place while this one begins.
            let settled = recording.moment(arrived).saturating_sub(HOLD_BACK);
            recording.write_to(settled, &mut bytes);
        }
        recording.write_to(recording.moment(2_300_000), &mut bytes);
        let loud_at: Vec<bool> = samples(&path).chunks(2).map(|both| both[0] > 7_000).collect();
        let from = loud_at.iter().position(|loud| *loud).unwrap();
        assert!((1_600..1_660).contains(&from), "{from}");
        assert!(loud_at[from..from + 16_000].iter().all(|loud| *loud));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_disk_that_refuses_costs_sound_only() {
        let folder = folder("refuse");
        std::fs::write(&folder, b"a file where the folder should be").unwrap();
        let mut recording = Recording::begin(recording_path(&folder, id()), 0);
        recording.lay(&frame(Side::Left, 0, 0), &[0xd5; FRAME]);
        recording.write_to(8_000, &mut Vec::new());
        assert_eq!((recording.written, recording.lost), (8_000, 8_000));
        std::fs::remove_file(&folder).unwrap();
        recording.write_to(16_000, &mut Vec::new());
        assert_eq!((recording.written, recording.lost), (16_000, 8_000));
        assert_eq!(samples(&recording.path).len(), 2 * 16_000, "the lost second is silence");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn what_a_crash_left_open_is_found_once() {
        let folder = folder("repair");
        assert_eq!(repair(&folder).unwrap(), []);
        mark(&mark_path(&folder, id()));
        let mut recording = Recording::begin(recording_path(&folder, id()), 0);
        recording.write_to(8_000, &mut Vec::new());
        assert_eq!(repair(&folder).unwrap(), [(id(), 1_000)]);
        assert_eq!(repair(&folder).unwrap(), []);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
