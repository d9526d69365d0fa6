//! Where in a recording does a packet belong? Where its RTP timestamp says, counted from the least late of the first, so that
//! loss leaves a hole and jitter moves nothing; and never far from the clock, so that two phones' clocks do not drift apart.
//!
//! A clock that runs apart is followed by packets that are a few samples longer or shorter than they were sent: nothing is left out.

use std::collections::VecDeque;

use crate::media::codec::FRAME;
use crate::media::rtp::samples_between;

/// One voice may be this far from the clock, in samples (5 ms), before it is brought back.
const TOLERANCE: i64 = FRAME as i64 / 4;
/// At the beginning, while nothing is known of the line, and beyond this later (60 ms), it is put where it belongs at once.
const FIRST_TOLERANCE: i64 = FRAME as i64;
const APART: i64 = 480;
/// A packet is bent by one sample in so many (2 %), which nobody hears.
const BEND: i64 = 50;

/// Bent packets that are remembered, so that what comes late before them is not moved by them.
const REMEMBERED: usize = 16;

/// Further than this (2 s) a timestamp does not tell time but a new beginning.
const JUMP: i64 = 16_000;

/// Packets whose least delay is compared with the clock: jitter only ever delays, so the least is the line's own delay.
const WINDOW: u32 = 50;

/// The first windows are shorter: the packet that everything is counted from may have been a late one.
const FIRST_WINDOW: u32 = 10;

/// The mapping of one voice.
#[derive(Default)]
pub struct Timeline {
    anchor: Option<Anchor>,
}

/// Where a packet lies, and for how many samples.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// Its first sample.
    pub at: i64,
    /// Its length, a few samples more or less than it was sent with while the sender's clock is followed.
    pub length: usize,
}

/// What a packet says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Stamped {
    /// The sender's stream.
    pub ssrc: u32,
    /// Its clock.
    pub timestamp: u32,
    /// Steps of that clock a sample of the recording.
    pub steps: u32,
    /// Samples of the recording.
    pub length: usize,
}

struct Anchor {
    ssrc: u32,
    timestamp: u32,
    position: i64,
    /// End of the sound that has been placed.
    end: i64,
    /// What would lie before this is left out, since other sound lies there.
    floor: i64,
    /// Least of arrival less position in this window.
    least_delay: i64,
    left_in_window: u32,
    settled: bool,
    /// By how many samples the voice must still be brought back.
    owed: i64,
    /// The timestamps of the latest bent packets, and by how much each was bent; `position` counts all of them.
    bent: VecDeque<(u32, i64)>,
}

impl Timeline {
    /// Is this packet one of the voice that has been placed so far? If not, a beginning is to be found for it: see [`Timeline::begin`].
    pub fn continues(&self, packet: &Stamped, arrival: i64) -> bool {
        self.anchor.as_ref().is_some_and(|anchor| anchor.continues(packet, arrival))
    }

    /// Begins anew with the voice whose first packets are these, each with its arrival: the least late of them tells where it lies.
    ///
    /// Anchored on the first alone, it would lie as late as that one happened to be read, and be moved, with a seam, soon after.
    pub fn begin(&mut self, first: impl Iterator<Item = (Stamped, i64)> + Clone) {
        let Some((packet, arrival)) = first.clone().next() else { return };
        let mut anchor = Anchor::at(&packet, arrival);
        let delays = first.filter(|(packet, arrival)| anchor.continues(packet, *arrival));
        let least = delays.map(|(packet, arrival)| arrival - anchor.position_of(&packet)).min().unwrap_or_default();
        anchor.position += least;
        self.anchor = Some(anchor);
    }

    /// Where a packet begins that arrived at sample `arrival` of the recording's clock.
    /// `None` if the voice was far ahead of the clock and this packet is left out to bring it back.
    pub fn place(&mut self, packet: Stamped, arrival: i64) -> Option<Place> {
        let anchor = match &mut self.anchor {
            Some(anchor) if anchor.continues(&packet, arrival) => anchor,
            other => other.insert(Anchor::at(&packet, arrival)),
        };
        let place = anchor.follow(&packet, arrival);
        if place.at < anchor.floor {
            return None;
        }
        anchor.end = anchor.end.max(place.at + place.length as i64);
        Some(place)
    }
}

impl Anchor {
    fn at(packet: &Stamped, arrival: i64) -> Anchor {
        Anchor {
            ssrc: packet.ssrc,
            timestamp: packet.timestamp,
            position: arrival,
            end: arrival,
            floor: i64::MIN,
            least_delay: i64::MAX,
            left_in_window: FIRST_WINDOW,
            settled: false,
            owed: 0,
            bent: VecDeque::new(),
        }
    }

    fn position_of(&self, packet: &Stamped) -> i64 {
        self.position + samples_between(self.timestamp, packet.timestamp) / i64::from(packet.steps.max(1))
    }

    fn continues(&self, packet: &Stamped, arrival: i64) -> bool {
        self.ssrc == packet.ssrc && (arrival - self.position_of(packet)).abs() <= JUMP
    }

    /// Takes note of an arrival. The anchor moves along, so that a talk of days stays within half the range of a timestamp.
    fn follow(&mut self, packet: &Stamped, arrival: i64) -> Place {
        self.least_delay = self.least_delay.min(arrival - self.position_of(packet));
        self.left_in_window = self.left_in_window.saturating_sub(1);
        if self.left_in_window == 0 {
            self.compare_with_the_clock();
        }
        let position = self.position_of(packet);
        if samples_between(self.timestamp, packet.timestamp) > 0 {
            let most = packet.length as i64 / BEND;
            let by = self.owed.clamp(-most, most);
            (self.timestamp, self.position) = (packet.timestamp, position + by);
            if by != 0 {
                self.owed -= by;
                self.bent.truncate(REMEMBERED - 1);
                self.bent.push_front((packet.timestamp, by));
            }
        }
        self.before_bends(packet)
    }

    /// Where a packet lies: what is bent begins where it would have, and what was sent before it is not moved by it.
    fn before_bends(&self, packet: &Stamped) -> Place {
        let (mut at, mut length) = (self.position_of(packet), packet.length);
        for (timestamp, by) in &self.bent {
            let ahead = samples_between(packet.timestamp, *timestamp);
            if ahead < 0 {
                break;
            }
            at -= by;
            if ahead == 0 {
                length = length.saturating_add_signed(*by as isize);
            }
        }
        Place { at, length }
    }

    fn compare_with_the_clock(&mut self) {
        let delay = std::mem::replace(&mut self.least_delay, i64::MAX);
        let apart = delay.abs() > if self.settled { APART } else { FIRST_TOLERANCE };
        self.owed = 0;
        if apart {
            self.position += delay;
            self.floor = self.end;
        } else if delay.abs() > TOLERANCE {
            self.owed = delay;
        }
        self.settled |= !apart;
        self.left_in_window = if self.settled { WINDOW } else { FIRST_WINDOW };
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Places of `count` packets whose clock runs `ppm` fast and whose arrival is delayed by `jitter(n)` samples.
    fn places(count: u32, ppm: i64, jitter: impl Fn(u32) -> i64) -> Vec<(i64, Option<Place>)> {
        let mut timeline = Timeline::default();
        (0..count)
            .map(|n| {
                let sent = i64::from(n) * 160 * (1_000_000 - ppm) / 1_000_000;
                let timestamp = (u32::MAX - 5_000).wrapping_add(n * 160);
                (sent, timeline.place(Stamped { ssrc: 1, timestamp, steps: 1, length: 160 }, sent + 800 + jitter(n)))
            })
            .collect()
    }

    #[test]
    fn jitter_moves_nothing() {
        for (n, (_, place)) in places(3_000, 0, |n| i64::from(n.wrapping_mul(2_654_435_761) >> 16) % 480).into_iter().enumerate() {
            assert_eq!(place, Some(Place { at: 800 + n as i64 * 160, length: 160 }));
        }
    }

    /// Ten minutes; 500 ppm is ten times what phones' crystals are off.
    #[test]
    fn clocks_that_run_apart_are_followed_without_a_seam() {
        for ppm in [-500, -200, 200, 500] {
            let all = places(30_000, ppm, |n| i64::from(n.wrapping_mul(2_654_435_761) >> 16) % 160);
            let mut end = 800;
            for (sent, place) in all {
                let place = place.unwrap();
                assert_eq!(place.at, end, "no hole and no overlap at {ppm} ppm");
                end += place.length as i64;
                let off = place.at - sent - 800;
                assert!(off.abs() <= 160, "{off} at {ppm} ppm");
            }
        }
    }

    #[test]
    fn a_first_packet_that_came_late_is_corrected_within_a_second() {
        let all = places(600, 0, |n| if n == 0 { 1_600 } else { 0 });
        assert!(all.iter().skip(50).all(|(sent, place)| (place.unwrap().at - sent - 800).abs() <= FIRST_TOLERANCE));
        let placed: Vec<Place> = all.iter().filter_map(|(_, place)| *place).collect();
        assert!(placed.windows(2).all(|pair| pair[1].at - pair[0].at >= pair[0].length as i64), "nothing lies on other sound");
    }

    #[test]
    fn a_voice_begins_where_the_least_late_of_its_first_packets_tells() {
        for steps in [1, 6] {
            let packet = |n: u32| Stamped { ssrc: 1, timestamp: (u32::MAX - 500).wrapping_add(n * 160 * steps), steps, length: 160 };
            let first = (0..10u32).map(|n| (packet(n), 800 + i64::from(n) * 160 + [300, 410, 250, 0][n as usize % 4]));
            let mut timeline = Timeline::default();
            timeline.begin(first.clone());
            for (n, (packet, arrival)) in first.enumerate() {
                assert!(timeline.continues(&packet, arrival));
                assert_eq!(timeline.place(packet, arrival), Some(Place { at: 800 + n as i64 * 160, length: 160 }));
            }
            assert!(!timeline.continues(&Stamped { ssrc: 2, ..packet(10) }, 2_400), "another stream");
            assert!(!timeline.continues(&Stamped { timestamp: 2_000_000_000, ..packet(10) }, 2_400), "another time");
        }
    }

    #[test]
    fn a_jump_begins_anew_where_it_arrived() {
        let mut timeline = Timeline::default();
        let mut at = |ssrc, timestamp, steps, arrival| timeline.place(Stamped { ssrc, timestamp, steps, length: 160 }, arrival).unwrap().at;
        assert_eq!(at(1, 1_000, 1, 80), 80);
        assert_eq!(at(1, 3_000_000_000, 1, 240), 240);
        assert_eq!(at(2, 77, 6, 400), 400);
        assert_eq!(at(2, 77 + 960, 6, 560), 560, "a clock of 48 kHz");
    }
}
