//! Where in a recording does a packet belong? Where its RTP timestamp says, counted from the arrival of the first, so that
//! loss leaves a hole and jitter moves nothing; and never far from the clock, so that two phones' clocks do not drift apart.

use crate::media::codec::FRAME;
use crate::media::rtp::samples_between;

/// One voice may be this far from the clock, in samples (20 ms): two channels are then within 40 ms of each other.
const TOLERANCE: i64 = FRAME as i64;

/// Further than this (2 s) a timestamp does not tell time but a new beginning.
const JUMP: i64 = 16_000;

/// Packets whose least delay is compared with the clock: jitter only ever delays, so the least is the line's own delay.
const WINDOW: u32 = 50;

/// The mapping of one voice.
#[derive(Default)]
pub struct Timeline {
    anchor: Option<Anchor>,
}

struct Anchor {
    ssrc: u32,
    timestamp: u32,
    position: i64,
    /// Least of arrival less position in this window.
    least_delay: i64,
    packets: u32,
}

impl Timeline {
    /// The sample at which a packet of `timestamp` begins that arrived at sample `arrival` of the recording's clock.
    /// `None` if the voice is ahead of the clock and this packet is left out to bring it back.
    pub fn place(&mut self, ssrc: u32, timestamp: u32, arrival: i64) -> Option<i64> {
        let anchor = match &mut self.anchor {
            Some(anchor) if anchor.continues(ssrc, timestamp, arrival) => anchor,
            other => other.insert(Anchor { ssrc, timestamp, position: arrival, least_delay: i64::MAX, packets: 0 }),
        };
        let position = anchor.position_of(timestamp);
        anchor.follow(timestamp, position);
        anchor.least_delay = anchor.least_delay.min(arrival - position);
        anchor.packets += 1;
        if anchor.packets < WINDOW {
            return Some(position);
        }
        let delay = std::mem::replace(&mut anchor.least_delay, i64::MAX);
        anchor.packets = 0;
        if delay > TOLERANCE {
            anchor.position += delay;
            Some(position + delay)
        } else if delay < -TOLERANCE {
            anchor.position -= FRAME as i64;
            None
        } else {
            Some(position)
        }
    }
}

impl Anchor {
    fn position_of(&self, timestamp: u32) -> i64 {
        self.position + samples_between(self.timestamp, timestamp)
    }

    fn continues(&self, ssrc: u32, timestamp: u32, arrival: i64) -> bool {
        self.ssrc == ssrc && (arrival - self.position_of(timestamp)).abs() <= JUMP
    }

    /// The anchor moves along, so that a talk of days stays within half the range of a timestamp.
    fn follow(&mut self, timestamp: u32, position: i64) {
        if position > self.position {
            (self.timestamp, self.position) = (timestamp, position);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Positions of `count` packets whose clock runs `ppm` fast and whose arrival is delayed by `jitter(n)` samples.
    fn positions(count: u32, ppm: i64, jitter: impl Fn(u32) -> i64) -> Vec<(i64, Option<i64>)> {
        let mut timeline = Timeline::default();
        (0..count)
            .map(|n| {
                let sent = i64::from(n) * 160 * (1_000_000 - ppm) / 1_000_000;
                (sent, timeline.place(1, (u32::MAX - 5_000).wrapping_add(n * 160), sent + 800 + jitter(n)))
            })
            .collect()
    }

    #[test]
    fn jitter_moves_nothing() {
        for (n, (_, place)) in positions(3_000, 0, |n| i64::from(n.wrapping_mul(2_654_435_761) >> 16) % 480).into_iter().enumerate() {
            assert_eq!(place, Some(800 + n as i64 * 160));
        }
    }

    #[test]
    fn clocks_that_run_apart_stay_within_the_tolerance() {
        for ppm in [-500, 500] {
            let all = positions(30_000, ppm, |_| 0);
            let left_out = all.iter().filter(|(_, place)| place.is_none()).count();
            assert!(left_out <= 20, "{left_out}");
            for (sent, place) in all {
                let off = place.map_or(0, |place| place - sent - 800);
                assert!(off.abs() <= 2 * TOLERANCE, "{off} at {ppm} ppm");
            }
        }
    }

    #[test]
    fn a_first_packet_that_came_late_is_corrected() {
        let all = positions(600, 0, |n| if n == 0 { 640 } else { 0 });
        let (sent, place) = *all.last().unwrap();
        assert!((place.unwrap() - sent - 800).abs() <= TOLERANCE);
    }

    #[test]
    fn a_jump_begins_anew_where_it_arrived() {
        let mut timeline = Timeline::default();
        assert_eq!(timeline.place(1, 1_000, 80), Some(80));
        assert_eq!(timeline.place(1, 3_000_000_000, 240), Some(240));
        assert_eq!(timeline.place(2, 77, 400), Some(400));
        assert_eq!(timeline.place(2, 237, 560), Some(560));
    }
}
