//! How does sound leave the media thread for a recording? As copied payloads in blocks over a bounded queue; nothing here waits.

use std::collections::VecDeque;
use std::sync::mpsc::{SyncSender, TrySendError};

use crate::centre::ids::RecordingId;
use crate::centre::input::Codec;
use crate::media::codec::FRAME;
use crate::media::room::Side;
use crate::media::rtp::Packet;

/// Frames of one block, for all recordings of the thread together.
const FRAMES_A_BLOCK: usize = 256;
/// A block that is not full leaves after this.
const BLOCK_AGE_US: u64 = 100_000;
/// Blocks that wait here when the queue is full; frames beyond them are lost to the recording and counted.
const MAX_WAITING_BLOCKS: usize = 4;

/// Where the sound of a leg belongs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Track {
    /// Which recording.
    pub recording: RecordingId,
    /// Which channel.
    pub side: Side,
    /// The leg's number in its call: each has a timeline of its own.
    pub mouth: u16,
}

/// One packet of sound, its bytes lying in the block.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// Where it belongs.
    pub track: Track,
    /// How its bytes are read.
    pub codec: Codec,
    /// The sender's stream and clock.
    pub ssrc: u32,
    /// In samples.
    pub timestamp: u32,
    /// When it arrived, in microseconds.
    pub arrived_us: u64,
    /// Bytes.
    pub length: usize,
}

/// Frames in the order of arrival.
#[derive(Default)]
pub struct Block {
    frames: Vec<Frame>,
    sound: Vec<u8>,
}

/// What the writer is told, in this order for each recording.
pub enum ToWriter {
    /// A recording begins.
    Open { recording: RecordingId, at_us: u64 },
    /// Sound.
    Sound(Block),
    /// A recording ends; `lost` samples of it never left the media thread.
    Close { recording: RecordingId, at_us: u64, lost: u64 },
}

impl Block {
    /// The frames and their bytes.
    pub fn frames(&self) -> impl Iterator<Item = (&Frame, &[u8])> {
        let mut rest = self.sound.as_slice();
        self.frames.iter().map(move |frame| {
            let (sound, later) = rest.split_at_checked(frame.length).unwrap_or_default();
            rest = later;
            (frame, sound)
        })
    }

    fn is_full(&self) -> bool {
        self.frames.len() >= FRAMES_A_BLOCK
    }

    fn push(&mut self, frame: Frame, sound: &[u8]) {
        if self.frames.capacity() == 0 {
            self.frames.reserve_exact(FRAMES_A_BLOCK);
            self.sound.reserve_exact(FRAMES_A_BLOCK * FRAME);
        }
        self.frames.push(frame);
        self.sound.extend_from_slice(sound);
    }
}

/// One media thread's way to the writer.
pub struct Tap {
    queue: SyncSender<ToWriter>,
    block: Block,
    left_us: u64,
    waiting: VecDeque<ToWriter>,
    lost: Vec<(RecordingId, u64)>,
}

impl Tap {
    /// A way to the writer that reads `queue`; what happens when it is full is told at [`Tap::frame`].
    pub fn new(queue: SyncSender<ToWriter>) -> Tap {
        Tap { queue, block: Block::default(), left_us: 0, waiting: VecDeque::new(), lost: Vec::new() }
    }

    /// A recording begins.
    pub fn open(&mut self, recording: RecordingId, at_us: u64) {
        self.push(ToWriter::Open { recording, at_us });
    }

    /// Copies one packet's sound. When the queue and the blocks that wait for it are full, the sound is left out and counted.
    pub fn frame(&mut self, track: Track, codec: Codec, packet: &Packet, sound: &[u8], now_us: u64) {
        if self.block.is_full() && !self.seal(now_us) {
            self.count_lost(track.recording, sound.len());
            return;
        }
        let (ssrc, timestamp, length) = (packet.ssrc, packet.timestamp, sound.len());
        self.block.push(Frame { track, codec, ssrc, timestamp, arrived_us: now_us, length }, sound);
    }

    /// A recording ends.
    pub fn close(&mut self, recording: RecordingId, at_us: u64) {
        let place = self.lost.iter().position(|(id, _)| *id == recording);
        let lost = place.map_or(0, |place| self.lost.swap_remove(place).1);
        self.push(ToWriter::Close { recording, at_us, lost });
    }

    /// On each tick: hands over what is old enough and what waited.
    pub fn flush(&mut self, now_us: u64) {
        if now_us.saturating_sub(self.left_us) >= BLOCK_AGE_US {
            self.seal(now_us);
            self.left_us = now_us;
        }
        self.hand_over();
    }

    /// Whether something still has to be handed over.
    pub fn is_busy(&self) -> bool {
        !self.waiting.is_empty() || !self.block.frames.is_empty()
    }

    /// At the end of the thread: waits for the writer to take the rest, because nothing else is left to do.
    pub fn finish(&mut self) {
        self.waiting.push_back(ToWriter::Sound(std::mem::take(&mut self.block)));
        for message in self.waiting.drain(..) {
            if self.queue.send(message).is_err() {
                return;
            }
        }
    }

    /// Beginnings and ends stay behind the sound that came before them. They wait without a bound: there are as many as recordings.
    fn push(&mut self, message: ToWriter) {
        if !self.block.frames.is_empty() {
            self.waiting.push_back(ToWriter::Sound(std::mem::take(&mut self.block)));
        }
        self.waiting.push_back(message);
        self.hand_over();
    }

    /// Puts the block with those that wait, if there is room.
    fn seal(&mut self, now_us: u64) -> bool {
        self.hand_over();
        if self.block.frames.is_empty() {
            return true;
        }
        if self.waiting.len() >= MAX_WAITING_BLOCKS {
            return false;
        }
        self.left_us = now_us;
        self.waiting.push_back(ToWriter::Sound(std::mem::take(&mut self.block)));
        self.hand_over();
        true
    }

    fn hand_over(&mut self) {
        while let Some(message) = self.waiting.pop_front() {
            if let Err(TrySendError::Full(message) | TrySendError::Disconnected(message)) = self.queue.try_send(message) {
                self.waiting.push_front(message);
                return;
            }
        }
    }

    fn count_lost(&mut self, recording: RecordingId, samples: usize) {
        let samples = samples as u64;
        match self.lost.iter_mut().find(|(id, _)| *id == recording) {
            Some((_, lost)) => *lost += samples,
            None => self.lost.push((recording, samples)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::centre::ids::CallId;
    use std::sync::mpsc::sync_channel;

    #[test]
    fn a_full_queue_costs_sound_and_nothing_else() {
        let (queue, writer) = sync_channel(1);
        let mut tap = Tap::new(queue);
        let recording = RecordingId { call: CallId(1), n: 1 };
        let track = Track { recording, side: Side::Left, mouth: 0 };
        let packet = Packet { marker: false, payload_type: 8, sequence: 0, timestamp: 0, ssrc: 0, begin: 12, end: 172 };
        tap.open(recording, 0);
        let pushed = 6 * FRAMES_A_BLOCK;
        (0..pushed).for_each(|_| tap.frame(track, Codec::Pcma, &packet, &[0xd5; FRAME], 0));
        tap.close(recording, 9);
        let (mut arrived, mut lost_samples) = (0, None);
        while lost_samples.is_none() {
            match writer.recv().unwrap() {
                ToWriter::Open { at_us, .. } => assert_eq!((at_us, arrived), (0, 0)),
                ToWriter::Sound(block) => arrived += block.frames().filter(|(_, sound)| sound.len() == FRAME).count(),
                ToWriter::Close { lost, .. } => lost_samples = Some(lost),
            }
            tap.flush(1);
        }
        assert_eq!(arrived + lost_samples.unwrap() as usize / FRAME, pushed);
        assert!(arrived >= 4 * FRAMES_A_BLOCK, "{arrived}");
    }
}
