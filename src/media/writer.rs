//! How do recordings get onto the disk? One thread decodes, lays both sides on one timeline and writes, twice a second a recording.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use crate::centre::ids::{CallId, RecordingId};
use crate::centre::input::{Codec, FromMedia, Input};
use crate::clock::Clock;
use crate::lanes::Inputs;
use crate::media::codec::samples_of;
use crate::media::recorder::{Block, Frame, ToWriter};
use crate::media::room::Side;
use crate::media::timeline::Timeline;
use crate::media::wav::{WavFile, length_ms};

/// A packet may arrive this much later than its place and still be written (250 ms): jitter, and the way from the media thread.
const HOLD_BACK: u64 = 2_000;
/// Sound is written when so much is settled (400 ms). Hold-back, this and `ROUND` together stay below the second that a crash may cost.
const SETTLED: u64 = 3_200;
/// Messages that are taken between two looks at all recordings at most: what a full queue holds, several times.
const MESSAGES_A_ROUND: usize = 1_024;
/// Between two looks at all recordings.
const ROUND: Duration = Duration::from_millis(100);
/// First packets of a voice that are looked at together before it is placed (200 ms of sound).
const FIRST_PACKETS: usize = 10;
/// By so much at most the first of them came later than the least late (100 ms); a file that gets so near to it waits no longer.
const LATE: u64 = 800;
/// Sound beyond this much ahead of what is written (4 s) is not kept.
const MAX_AHEAD: usize = 32_000;
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
}

/// One leg's voice in a recording.
#[derive(Default)]
struct Voice {
    timeline: Timeline,
    /// Its first packets, until so many have come that the least late of them is known, or the file gets to them.
    first: Vec<(Frame, Vec<u8>)>,
}

/// A recording that grows. Positions count moments, 1/8000 s, from its beginning.
struct Recording {
    path: PathBuf,
    file: Option<WavFile>,
    began_us: u64,
    voices: BTreeMap<(Side, u16), Voice>,
    /// The first moment that is not written.
    written: u64,
    /// Left and right from there on.
    ahead: Vec<[i16; 2]>,
    /// Moments that the disk did not take.
    lost: u64,
}

impl Writer {
    /// A writer below `folder` of what comes over `queue`.
    pub fn new(folder: PathBuf, queue: Receiver<ToWriter>, inputs: Inputs, clock: Clock) -> Writer {
        Writer { folder, queue, inputs, clock, open: BTreeMap::new(), reports: VecDeque::new(), bytes: Vec::new() }
    }

    /// The thread: until every media thread has ended.
    pub fn run(mut self) {
        // Between rounds it sleeps whatever arrives: being woken for every block would cost more than the block.
        'rounds: loop {
            let idle = self.open.is_empty() && self.reports.is_empty();
            let mut message = if idle { self.queue.recv().map_err(|_| TryRecvError::Disconnected) } else { self.next_round() };
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
fn add(moments: &mut [[i16; 2]], codec: Codec, sound: &[u8], channel: impl Fn(&mut [i16; 2]) -> &mut i16) {
    let samples = samples_of(codec);
    for (moment, byte) in moments.iter_mut().zip(sound) {
        let channel = channel(moment);
        *channel = channel.saturating_add(samples[usize::from(*byte)]);
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
        let mut recording = Recording { path, file: None, began_us, voices: BTreeMap::new(), written: 0, ahead: Vec::new(), lost: 0 };
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

    /// Takes one packet. One that begins a voice, or begins it anew, waits for the next few.
    fn lay(&mut self, frame: &Frame, sound: &[u8]) {
        let arrival = self.moment(frame.arrived_us) as i64;
        let voice = self.voices.entry((frame.track.side, frame.track.mouth)).or_default();
        if voice.first.is_empty() && voice.timeline.continues(frame.ssrc, frame.timestamp, arrival) {
            return self.put(frame, sound);
        }
        voice.first.push((*frame, sound.to_vec()));
        if voice.first.len() >= FIRST_PACKETS {
            self.begin_voices(|voice| voice.first.len() >= FIRST_PACKETS);
        }
    }

    /// Places the first packets of those voices.
    fn begin_voices(&mut self, ready: impl Fn(&Voice) -> bool) {
        let began_us = self.began_us;
        let arrival = |frame: &Frame| (frame.arrived_us.saturating_sub(began_us) / 125) as i64;
        let mut first = Vec::new();
        for voice in self.voices.values_mut().filter(|voice| !voice.first.is_empty() && ready(voice)) {
            voice.timeline.begin(voice.first.iter().map(|(frame, _)| (frame.ssrc, frame.timestamp, arrival(frame))));
            first.append(&mut voice.first);
        }
        first.iter().for_each(|(frame, sound)| self.put(frame, sound));
    }

    /// Lays one packet where it belongs. Voices of the same side add up.
    fn put(&mut self, frame: &Frame, sound: &[u8]) {
        let (side, mouth) = (frame.track.side, frame.track.mouth);
        let arrival = self.moment(frame.arrived_us) as i64;
        let voice = self.voices.entry((side, mouth)).or_default();
        let Some(place) = voice.timeline.place(frame.ssrc, frame.timestamp, sound.len(), arrival) else { return };
        let offset = place - self.written as i64;
        // What would lie in the part that is written came too late; its end may still be in time.
        let skipped = usize::try_from(-offset.min(0)).unwrap_or(usize::MAX);
        let begin = usize::try_from(offset.max(0)).unwrap_or(usize::MAX);
        let sound = sound.get(skipped..).unwrap_or_default();
        let end = begin.saturating_add(sound.len());
        if end > MAX_AHEAD {
            return;
        }
        if self.ahead.len() < end {
            self.ahead.resize(end, [0; 2]);
        }
        let moments = self.ahead.get_mut(begin..).unwrap_or_default();
        match side {
            Side::Left => add(moments, frame.codec, sound, |[left, _]| left),
            Side::Right => add(moments, frame.codec, sound, |[_, right]| right),
        }
    }

    /// Writes up to moment `end`, silence where nothing was said. What the disk refuses is lost, and silence if it comes back.
    fn write_to(&mut self, end: u64, bytes: &mut Vec<u8>) {
        let began_us = self.began_us;
        let near = |frame: &Frame| frame.arrived_us.saturating_sub(began_us) / 125 < end + LATE;
        self.begin_voices(|voice| voice.first.first().is_some_and(|(frame, _)| near(frame)));
        while self.written < end {
            let count = usize::try_from(end - self.written).unwrap_or(MAX_AHEAD).min(MAX_AHEAD);
            self.write(count, bytes);
        }
    }

    fn write(&mut self, count: usize, bytes: &mut Vec<u8>) {
        if self.ahead.len() < count {
            self.ahead.resize(count, [0; 2]);
        }
        bytes.clear();
        bytes.resize(count * 4, 0);
        for (four, [left, right]) in bytes.chunks_exact_mut(4).zip(self.ahead.drain(..count)) {
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
    use crate::media::codec::{FRAME, encode};
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
    fn both_sides_lie_where_they_were_said_and_loss_is_silence() {
        let folder = folder("lay");
        let path = recording_path(&folder, id());
        assert!(path.ends_with("000012/12345-1.wav"));
        let mut recording = Recording::begin(path.clone(), 1_000_000);
        let (loud, mut bytes) = (encode(Codec::Pcma, 8_000), Vec::new());
        for n in (0..500u32).filter(|n| n % 10 != 3) {
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
                let expected = moment >= begin && moment < begin + 80_000 && (moment - begin) / FRAME % 10 != 3;
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
        let (loud, mut bytes) = (encode(Codec::Pcma, 8_000), Vec::new());
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
