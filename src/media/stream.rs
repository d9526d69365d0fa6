//! How do prompts, music and forwarded talk become one RTP stream? With one SSRC, sequence numbers without a hole of our
//! own making, and timestamps that follow the clock (RFC 3550 §5.1, the translator of §7.2).

use crate::media::codec::{FRAME, RATE_HZ};
use crate::media::rtp::{Packet, Stamp, samples_between, steps};

/// A frame that follows the last packet by more than this begins a talk spurt; ticks and networks jitter by less.
const SPURT_GAP_US: u64 = 60_000;

/// A forwarded packet this far from the last one belongs to a source that started anew.
const SOURCE_JUMP: i32 = 100;

/// The same for timestamps: two seconds.
const SOURCE_JUMP_SAMPLES: i64 = 2 * RATE_HZ as i64;

/// What one leg sends.
pub struct Outgoing {
    ssrc: u32,
    next_sequence: u16,
    /// Of the packet that was last in order, and when it was sent.
    last: Option<(u32, u64)>,
    first_timestamp: u32,
    splice: Option<Splice>,
    packets: u32,
    octets: u32,
    /// Steps of the timestamp a moment of 1/8000 s.
    steps_a_moment: u32,
    /// The event that is passed on beside our own frames: its source's timestamp and ours.
    event: Option<(u32, u32)>,
}

/// How a source's numbers become ours, for as long as nothing else is sent in between.
struct Splice {
    ssrc: u32,
    sequence_ahead: u16,
    timestamp_ahead: u32,
    /// The oldest packet that is passed on; it follows the newest one, or the wrap would make every packet older than it.
    oldest: u16,
    highest: u16,
    timestamp: u32,
}

impl Outgoing {
    /// A stream with these first numbers, which RFC 3550 §5.1 wants random.
    pub fn new(ssrc: u32, sequence: u16, timestamp: u32) -> Outgoing {
        Outgoing {
            ssrc,
            next_sequence: sequence,
            last: None,
            first_timestamp: timestamp,
            splice: None,
            packets: 0,
            octets: 0,
            steps_a_moment: 1,
            event: None,
        }
    }

    /// The clock of the codec that is sent from here on; the timestamp goes on from where it is (RFC 7160 §4).
    pub fn set_steps_a_moment(&mut self, steps: u32) {
        self.steps_a_moment = steps.max(1);
    }

    /// The sequence number of the next packet.
    pub fn next_sequence(&self) -> u16 {
        self.next_sequence
    }

    /// Our stream's name.
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Goes on as another stream: a receiver takes what follows for a new one.
    pub fn rename(&mut self) {
        self.ssrc = self.ssrc.wrapping_add(1);
        self.next_sequence &= 0x7fff;
        self.splice = None;
    }

    /// Packets and payload bytes sent, for sender reports.
    pub fn sent(&self) -> (u32, u32) {
        (self.packets, self.octets)
    }

    /// When something was last sent, in microseconds; `None` before the first packet.
    pub fn last_sent_us(&self) -> Option<u64> {
        self.last.map(|(_, at)| at)
    }

    /// Whether the last packet was a frame of our own.
    pub fn is_own(&self) -> bool {
        self.last.is_some() && self.splice.is_none()
    }

    /// The timestamp that a sample of this moment has, for sender reports.
    pub fn timestamp_at(&self, now_us: u64) -> u32 {
        let (timestamp, at) = self.last.unwrap_or((self.first_timestamp, now_us));
        timestamp.wrapping_add(((now_us.saturating_sub(at) / 125) as u32).wrapping_mul(self.steps_a_moment))
    }

    /// Numbers for a frame of 20 ms of our own: a prompt, music, silence, a mix.
    pub fn own(&mut self, octets: usize, now_us: u64) -> Stamp {
        let continues = self.splice.is_none() && self.last.is_some_and(|(_, at)| now_us.saturating_sub(at) <= SPURT_GAP_US);
        self.splice = None;
        let timestamp = self.next_timestamp(now_us);
        let sequence = self.next_sequence;
        self.next_sequence = sequence.wrapping_add(1);
        self.last = Some((timestamp, now_us));
        self.stamp(!continues, sequence, timestamp, octets)
    }

    /// Numbers for a packet of an event that is passed on between frames of our own: all of one event have its first moment's timestamp
    /// (RFC 4733 §2.3).
    pub fn event(&mut self, packet: &Packet, now_us: u64) -> Stamp {
        let begun = self.event.filter(|(theirs, _)| *theirs == packet.timestamp).map(|(_, ours)| ours);
        let timestamp = begun.unwrap_or_else(|| self.timestamp_at(now_us));
        self.event = Some((packet.timestamp, timestamp));
        let sequence = self.next_sequence;
        self.next_sequence = sequence.wrapping_add(1);
        self.stamp(packet.marker, sequence, timestamp, packet.end - packet.begin)
    }

    /// Numbers for a packet of a key that is pressed in place of other sound: all of one press have the timestamp of its first moment
    /// (RFC 4733 §2.5.1.1), and what follows counts from there.
    pub fn press(&mut self, begins: bool, now_us: u64) -> Stamp {
        self.splice = None;
        let began = self.last.filter(|_| !begins).map(|(timestamp, _)| timestamp);
        let timestamp = began.unwrap_or_else(|| self.next_timestamp(now_us));
        if began.is_none() {
            self.last = Some((timestamp, now_us));
        }
        let sequence = self.next_sequence;
        self.next_sequence = sequence.wrapping_add(1);
        self.stamp(begins, sequence, timestamp, 4)
    }

    /// Numbers for a packet that is passed on. Gaps, order and spacing of its source are kept, so that the receiver can
    /// tell loss from silence. `None` if it is older than the sound that the stream has already gone on with.
    pub fn forwarded(&mut self, packet: &Packet, now_us: u64) -> Option<Stamp> {
        let fits = self.splice.as_ref().is_some_and(|splice| splice.fits(packet, self.steps_a_moment));
        if !fits {
            self.splice = Some(Splice {
                ssrc: packet.ssrc,
                sequence_ahead: self.next_sequence.wrapping_sub(packet.sequence),
                timestamp_ahead: self.next_timestamp(now_us).wrapping_sub(packet.timestamp),
                oldest: packet.sequence,
                highest: packet.sequence,
                timestamp: packet.timestamp,
            });
        }
        let splice = self.splice.as_mut()?;
        if steps(splice.oldest, packet.sequence) < 0 {
            return None;
        }
        let sequence = packet.sequence.wrapping_add(splice.sequence_ahead);
        let timestamp = packet.timestamp.wrapping_add(splice.timestamp_ahead);
        if steps(splice.highest, packet.sequence) >= 0 {
            (splice.highest, splice.timestamp) = (packet.sequence, packet.timestamp);
            if steps(splice.oldest, splice.highest) > SOURCE_JUMP {
                splice.oldest = splice.highest.wrapping_sub(SOURCE_JUMP as u16);
            }
            self.next_sequence = sequence.wrapping_add(1);
            self.last = Some((timestamp, now_us));
        }
        Some(self.stamp(packet.marker || !fits, sequence, timestamp, packet.end - packet.begin))
    }

    fn stamp(&mut self, marker: bool, sequence: u16, timestamp: u32, octets: usize) -> Stamp {
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(octets as u32);
        Stamp { marker, sequence, timestamp, ssrc: self.ssrc }
    }

    /// One frame after the last packet, or after a pause the whole frames that have passed.
    fn next_timestamp(&self, now_us: u64) -> u32 {
        let Some((timestamp, at)) = self.last else { return self.first_timestamp };
        let passed_us = now_us.saturating_sub(at);
        let frames = if passed_us > SPURT_GAP_US { (passed_us + 10_000) / 20_000 } else { 1 };
        timestamp.wrapping_add((frames as u32).wrapping_mul(FRAME as u32 * self.steps_a_moment))
    }
}

impl Splice {
    fn fits(&self, packet: &Packet, steps_a_moment: u32) -> bool {
        self.ssrc == packet.ssrc
            && steps(self.highest, packet.sequence).abs() <= SOURCE_JUMP
            && samples_between(self.timestamp, packet.timestamp).abs() <= SOURCE_JUMP_SAMPLES * i64::from(steps_a_moment)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn packet(sequence: u16, timestamp: u32) -> Packet {
        Packet { marker: false, payload_type: 8, sequence, timestamp, ssrc: 9, begin: 12, end: 172 }
    }

    #[test]
    fn prompt_talk_and_prompt_are_one_stream() {
        let mut out = Outgoing::new(1, 65_534, 1_000);
        let a = out.own(160, 0);
        let b = out.own(160, 20_000);
        let c = out.forwarded(&packet(500, 77_000), 35_000).unwrap();
        let d = out.forwarded(&packet(501, 77_160), 55_000).unwrap();
        let e = out.own(160, 80_000);
        let numbers = [a, b, c, d, e].map(|s| (s.marker, s.sequence, s.timestamp));
        assert_eq!(numbers, [(true, 65_534, 1_000), (false, 65_535, 1_160), (true, 0, 1_320), (false, 1, 1_480), (true, 2, 1_640)]);
    }

    #[test]
    fn loss_and_reordering_of_the_source_pass_through() {
        let mut out = Outgoing::new(1, 10, 0);
        let sent: Vec<_> = [(100, 0), (103, 480), (102, 320), (104, 640)]
            .into_iter()
            .map(|(sequence, timestamp)| out.forwarded(&packet(sequence, timestamp), 0).unwrap())
            .map(|stamp| (stamp.sequence, stamp.timestamp))
            .collect();
        assert_eq!(sent, [(10, 0), (13, 480), (12, 320), (14, 640)]);
        assert_eq!(out.forwarded(&packet(99, 4_294_967_136), 0), None, "older than the splice");
    }

    #[test]
    fn a_long_talk_loses_nothing() {
        let mut out = Outgoing::new(1, 10, 0);
        let passed = (0..70_000u32).filter(|n| out.forwarded(&packet(*n as u16, n * 160), u64::from(*n) * 20_000).is_some()).count();
        assert_eq!(passed, 70_000);
    }

    #[test]
    fn a_pause_moves_the_timestamp_by_the_clock() {
        let mut out = Outgoing::new(1, 0, 0);
        out.own(160, 0);
        let late = out.own(160, 1_001_000);
        assert_eq!((late.marker, late.timestamp), (true, 8_000));
    }
}
