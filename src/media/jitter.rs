//! When is a packet that has come early, late, twice or out of order played? A buffer where sound is decoded; its delay follows the line.
//!
//! Times are moments of 1/8000 s. The slack of a packet is for how long it waits until it is due; jitter only ever delays, so the
//! greatest slack of the last second is the delay of the buffer, and it follows a far clock that runs fast or slow by itself.

use std::collections::VecDeque;

use crate::centre::input::Codec;
use crate::media::codec::{FRAME, moments, steps_a_moment};
use crate::media::rtp::{Packet, samples_between};

/// Bounds of the delay, 20 and 200 ms.
const LEAST_DELAY: i64 = 160;
const MOST_DELAY: i64 = 1_600;
/// The delay that a stream begins with (40 ms): the first packet may have been a fast one.
const FIRST_DELAY: i64 = 320;
/// The delay beyond the wanted one at which sound is played faster (20 ms), and at which it is left out (200 ms).
const TOO_MUCH: i64 = 160;
const FAR_TOO_MUCH: i64 = 1_600;
/// The delay below the wanted one at which sound is drawn out (5 ms).
const TOO_LITTLE: i64 = 40;
/// Timestamps further apart than this (2 s) are those of a sender that began anew.
const JUMP: i64 = 16_000;
/// Packets that wait at most; the oldest go, and the voice goes on with what follows them.
const MOST_WAITING: usize = 64;
/// A packet holds this much at most (120 ms, RFC 6716 §2.1.4).
const LONGEST_PACKET: i64 = 960;
/// Half the time over which the greatest slack counts (500 ms).
const HALF_WINDOW: i64 = 4_000;
/// After so long without anything to play (60 ms) a new spurt begins, with the delay that is wanted then.
const SPURT: i64 = 480;

/// The buffer of one voice.
#[derive(Default)]
pub struct JitterBuffer {
    waiting: VecDeque<Waiting>,
    /// Payloads that have been played, to be filled again.
    spare: Vec<Vec<u8>>,
    source: Option<Source>,
    /// The moment that is played next, and for how long nothing was there to play.
    next: i64,
    waited: i64,
    /// When the last frame was made, and in how many moments the next packet is wanted after it.
    frame_us: u64,
    due_in: i64,
    /// Interarrival jitter (RFC 3550 §6.4.1) in 1/16 moment.
    jitter_16th: i64,
    /// The delay that is wanted: it grows at once with the jitter, and with what late packets would have needed, and dies away slowly.
    wanted: i64,
    slack: Slack,
    /// Packets that came too late to be played.
    pub late: u64,
}

/// What waits to be played.
#[derive(Debug)]
pub struct Waiting {
    moment: i64,
    length: i64,
    /// How it is read.
    pub codec: Codec,
    /// Its bytes.
    pub payload: Vec<u8>,
}

struct Source {
    ssrc: u32,
    timestamp: u32,
    moment: i64,
    transit: i64,
}

/// The greatest slack of the last half second to second.
#[derive(Default)]
struct Slack {
    now: Option<i64>,
    before: Option<i64>,
    since: i64,
}

/// What comes next in the voice.
#[derive(Debug)]
pub enum Next {
    /// A packet; give its payload back by [`JitterBuffer::reuse`].
    Sound(Waiting),
    /// So many moments before the next packet that never came, or came too late.
    Lost(i64),
    /// Nothing waits: the far end pauses, or all of it is late.
    Nothing,
}

/// What would bring the delay to where it should be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    /// Nothing.
    Keep,
    /// Play faster, by so many moments.
    Shorten(i64),
    /// Draw out.
    Lengthen,
}

impl JitterBuffer {
    /// A packet that has arrived. What repeats another, and what is too late, is dropped.
    pub fn put(&mut self, packet: &Packet, codec: Codec, payload: &[u8], now_us: u64) {
        let length = moments(codec, payload) as i64;
        if length == 0 || length > LONGEST_PACKET {
            return;
        }
        let arrival = (now_us / 125) as i64;
        let moment = self.moment_of(packet, codec, arrival);
        self.measure(moment, arrival);
        let slack = moment - self.next - self.waited + self.until_due(arrival);
        self.slack.note(slack, arrival);
        self.heed(slack);
        if self.waiting.is_empty() && self.waited >= SPURT && slack >= 0 {
            // Nobody hears a pause grow or shrink.
            self.move_by(self.wanted - self.slack.greatest().unwrap_or(slack));
        }
        if moment + length <= self.next {
            self.late += 1;
            return;
        }
        self.keep(moment, length, codec, payload);
    }

    /// The next piece of the voice.
    pub fn take(&mut self) -> Next {
        let Some(first) = self.waiting.front() else {
            self.waited += FRAME as i64;
            return Next::Nothing;
        };
        let ahead = first.moment - self.next;
        if self.waited > 0 {
            // What was waited for and never came is lost; what came after all is late, and the delay has grown by that.
            let passed = self.waited.min(ahead.max(0));
            self.slack.shift(self.waited - passed);
            self.next += passed;
            self.waited = 0;
        }
        let ahead = first.moment - self.next;
        self.slack.shift((-ahead).max(0));
        if ahead > 0 {
            let lost = ahead.min(FRAME as i64);
            self.next += lost;
            return Next::Lost(lost);
        }
        match self.waiting.pop_front() {
            Some(packet) => {
                self.next = packet.moment + packet.length;
                Next::Sound(packet)
            }
            None => Next::Nothing,
        }
    }

    /// The packet that follows directly, if it is there.
    pub fn following(&self) -> Option<(Codec, &[u8])> {
        let first = self.waiting.front().filter(|first| first.moment == self.next)?;
        Some((first.codec, &first.payload))
    }

    /// Takes the bytes of a packet that has been played.
    pub fn reuse(&mut self, payload: Vec<u8>) {
        if self.spare.len() < MOST_WAITING {
            self.spare.push(payload);
        }
    }

    /// A frame has been made at this time, after which `left` moments of decoded sound remain.
    pub fn frame_made(&mut self, now_us: u64, left: i64) {
        let frame = FRAME as i64;
        self.frame_us = now_us;
        self.due_in = frame * (1 + left / frame);
        // What is no longer needed is forgotten with a half-life of seven seconds.
        let needed = self.needed();
        self.wanted -= (self.wanted - needed).max(0) / 512 + i64::from(self.wanted > needed);
        self.wanted = self.wanted.clamp(LEAST_DELAY, MOST_DELAY);
    }

    /// What the delay needs.
    pub fn wish(&mut self) -> Wish {
        let Some(delay) = self.slack.greatest() else { return Wish::Keep };
        let wanted = self.wanted;
        if delay > wanted + FAR_TOO_MUCH {
            self.skip(delay - wanted);
            return Wish::Keep;
        }
        if delay > wanted + TOO_MUCH {
            Wish::Shorten(delay - wanted)
        } else if delay < wanted - TOO_LITTLE {
            Wish::Lengthen
        } else {
            Wish::Keep
        }
    }

    /// The voice was drawn out by so many moments, or shortened if that is negative.
    pub fn stretched(&mut self, by: i64) {
        self.slack.shift(by);
    }

    /// The delay of the latest second, in moments.
    #[cfg(test)]
    pub fn delay(&self) -> Option<i64> {
        self.slack.greatest()
    }

    /// Three times the mean jitter covers nearly all packets of an evenly jittered line; what late ones needed covers the others.
    fn needed(&self) -> i64 {
        (3 * (self.jitter_16th >> 4) + 40).clamp(LEAST_DELAY, MOST_DELAY)
    }

    /// Where in the voice a packet lies. One that is far from where the clock expects it begins a new voice, and empties the buffer.
    fn moment_of(&mut self, packet: &Packet, codec: Codec, arrival: i64) -> i64 {
        if let Some(source) = self.source.as_mut().filter(|source| source.ssrc == packet.ssrc) {
            let moment = source.moment + samples_between(source.timestamp, packet.timestamp) / i64::from(steps_a_moment(codec));
            if (arrival - moment - source.transit).abs() <= JUMP {
                if moment > source.moment {
                    (source.timestamp, source.moment) = (packet.timestamp, moment);
                }
                return moment;
            }
        }
        while let Some(old) = self.waiting.pop_front() {
            self.reuse(old.payload);
        }
        self.source = Some(Source { ssrc: packet.ssrc, timestamp: packet.timestamp, moment: 0, transit: arrival });
        self.waited = 0;
        self.slack = Slack::default();
        self.next = self.until_due(arrival) - FIRST_DELAY.max(self.wanted);
        0
    }

    /// RFC 3550 A.8.
    fn measure(&mut self, moment: i64, arrival: i64) {
        let Some(source) = &mut self.source else { return };
        let transit = arrival - moment;
        let moved = (transit - source.transit).abs().min(MOST_DELAY);
        source.transit = transit;
        self.jitter_16th += moved - ((self.jitter_16th + 8) >> 4);
    }

    /// In how many moments the next packet is wanted.
    fn until_due(&self, arrival: i64) -> i64 {
        let frame = FRAME as i64;
        if self.frame_us == 0 {
            return frame / 2;
        }
        self.due_in - (arrival - (self.frame_us / 125) as i64).clamp(0, frame)
    }

    /// Makes the delay longer by so many moments, of which nothing is heard.
    fn move_by(&mut self, moments: i64) {
        self.next -= moments;
        self.slack.shift(moments);
    }

    /// A packet that is late tells which delay would have been enough.
    fn heed(&mut self, slack: i64) {
        self.wanted = self.wanted.max(self.needed());
        if slack < 0
            && let Some(delay) = self.slack.greatest()
        {
            self.wanted = self.wanted.max(delay - slack + TOO_LITTLE).min(MOST_DELAY);
        }
    }

    fn keep(&mut self, moment: i64, length: i64, codec: Codec, payload: &[u8]) {
        let place = self.waiting.iter().rposition(|other| other.moment <= moment).map_or(0, |before| before + 1);
        if place.checked_sub(1).and_then(|before| self.waiting.get(before)).is_some_and(|other| other.moment == moment) {
            return;
        }
        let mut bytes = self.spare.pop().unwrap_or_default();
        bytes.clear();
        bytes.extend_from_slice(payload);
        self.waiting.insert(place, Waiting { moment, length, codec, payload: bytes });
        if self.waiting.len() > MOST_WAITING
            && let Some(oldest) = self.waiting.pop_front()
        {
            self.reuse(oldest.payload);
            if let Some(first) = self.waiting.front() {
                self.move_by(self.next - first.moment);
            }
        }
    }

    /// Leaves out what is much too old.
    fn skip(&mut self, by: i64) {
        self.move_by(-by);
        while self.waiting.front().is_some_and(|first| first.moment + first.length <= self.next) {
            if let Some(old) = self.waiting.pop_front() {
                self.reuse(old.payload);
            }
        }
    }
}

impl Slack {
    fn note(&mut self, slack: i64, arrival: i64) {
        if arrival - self.since >= HALF_WINDOW {
            (self.before, self.now, self.since) = (self.now, None, arrival);
        }
        self.now = Some(self.now.map_or(slack, |now| now.max(slack)));
    }

    fn shift(&mut self, by: i64) {
        self.now = self.now.map(|slack| slack + by);
        self.before = self.before.map(|slack| slack + by);
    }

    fn greatest(&self) -> Option<i64> {
        self.now.into_iter().chain(self.before).max()
    }
}
