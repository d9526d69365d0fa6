//! Where in a recording does a packet belong? Where its RTP timestamp says, counted from the least late of the first, so that
//! loss leaves a hole and jitter moves nothing; and never far from the clock, so that two phones' clocks do not drift apart.

use crate::media::codec::FRAME;
use crate::media::rtp::samples_between;

/// One voice may be this far from the clock, in samples (20 ms): two channels are then within 40 ms of each other.
const TOLERANCE: i64 = FRAME as i64;

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
}

impl Timeline {
    /// Is this packet one of the voice that has been placed so far? If not, a beginning is to be found for it: see [`Timeline::begin`].
    pub fn continues(&self, ssrc: u32, timestamp: u32, arrival: i64) -> bool {
        self.anchor.as_ref().is_some_and(|anchor| anchor.continues(ssrc, timestamp, arrival))
    }

    /// Begins anew with the voice whose first packets had these SSRCs, timestamps and arrivals: the least late of them tells where it lies.
    ///
    /// Anchored on the first alone, it would lie as late as that one happened to be read, and be moved, with a seam, soon after.
    pub fn begin(&mut self, first: impl Iterator<Item = (u32, u32, i64)> + Clone) {
        let Some((ssrc, timestamp, arrival)) = first.clone().next() else { return };
        let mut anchor = Anchor::at(ssrc, timestamp, arrival);
        let delays = first.filter(|(ssrc, timestamp, arrival)| anchor.continues(*ssrc, *timestamp, *arrival));
        let least = delays.map(|(_, timestamp, arrival)| arrival - anchor.position_of(timestamp)).min().unwrap_or_default();
        anchor.position += least;
        self.anchor = Some(anchor);
    }

    /// The sample at which a packet of `length` samples begins that arrived at sample `arrival` of the recording's clock.
    /// `None` if the voice was ahead of the clock and this packet is left out to bring it back.
    pub fn place(&mut self, ssrc: u32, timestamp: u32, length: usize, arrival: i64) -> Option<i64> {
        let anchor = match &mut self.anchor {
            Some(anchor) if anchor.continues(ssrc, timestamp, arrival) => anchor,
            other => other.insert(Anchor::at(ssrc, timestamp, arrival)),
        };
        anchor.follow(timestamp, arrival);
        let position = anchor.position_of(timestamp);
        if position < anchor.floor {
            return None;
        }
        anchor.end = anchor.end.max(position + length as i64);
        Some(position)
    }
}

impl Anchor {
    fn at(ssrc: u32, timestamp: u32, arrival: i64) -> Anchor {
        let least_delay = i64::MAX;
        Anchor {
            ssrc,
            timestamp,
            position: arrival,
            end: arrival,
            floor: i64::MIN,
            least_delay,
            left_in_window: FIRST_WINDOW,
            settled: false,
        }
    }

    fn position_of(&self, timestamp: u32) -> i64 {
        self.position + samples_between(self.timestamp, timestamp)
    }

    fn continues(&self, ssrc: u32, timestamp: u32, arrival: i64) -> bool {
        self.ssrc == ssrc && (arrival - self.position_of(timestamp)).abs() <= JUMP
    }

    /// Takes note of an arrival. The anchor moves along, so that a talk of days stays within half the range of a timestamp.
    fn follow(&mut self, timestamp: u32, arrival: i64) {
        let position = self.position_of(timestamp);
        if position > self.position {
            (self.timestamp, self.position) = (timestamp, position);
        }
        self.least_delay = self.least_delay.min(arrival - position);
        self.left_in_window = self.left_in_window.saturating_sub(1);
        if self.left_in_window == 0 {
            self.compare_with_the_clock();
        }
    }

    fn compare_with_the_clock(&mut self) {
        let delay = std::mem::replace(&mut self.least_delay, i64::MAX);
        let apart = delay.abs() > TOLERANCE;
        if apart {
            self.position += delay;
            self.floor = self.end;
        }
        self.settled |= !apart;
        self.left_in_window = if self.settled { WINDOW } else { FIRST_WINDOW };
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
                (sent, timeline.place(1, (u32::MAX - 5_000).wrapping_add(n * 160), 160, sent + 800 + jitter(n)))
            })
            .collect()
    }

    #[test]
    fn jitter_moves_nothing() {
        for (n, (_, place)) in positions(3_000, 0, |n| i64::from(n.wrapping_mul(2_654_435_761) >> 16) % 480).into_iter().enumerate() {
            assert_eq!(place, Some(800 + n as i64 * 160));
        }
    }

    /// Ten minutes; 500 ppm is ten times what phones' crystals are off.
    #[test]
    fn clocks_that_run_apart_stay_within_the_tolerance() {
        for ppm in [-500, 500] {
            let all = positions(30_000, ppm, |n| i64::from(n.wrapping_mul(2_654_435_761) >> 16) % 160);
            let left_out = all.iter().filter(|(_, place)| place.is_none()).count();
            assert!(left_out <= 40, "{left_out}");
            for (sent, place) in all {
                let off = place.map_or(0, |place| place - sent - 800);
                assert!(off.abs() <= 2 * TOLERANCE, "{off} at {ppm} ppm");
            }
        }
    }

    #[test]
    fn a_first_packet_that_came_late_is_corrected_within_a_second() {
        let all = positions(600, 0, |n| if n == 0 { 1_600 } else { 0 });
        assert!(all.iter().skip(50).all(|(sent, place)| (place.unwrap() - sent - 800).abs() <= TOLERANCE));
        let placed: Vec<i64> = all.iter().filter_map(|(_, place)| *place).collect();
        assert!(placed.windows(2).all(|pair| pair[1] - pair[0] >= 160), "nothing lies on other sound");
    }

    #[test]
    fn a_voice_begins_where_the_least_late_of_its_first_packets_tells() {
        let first = (0..10u32).map(|n| (1, n * 160, 800 + i64::from(n) * 160 + [300, 410, 250, 0][n as usize % 4]));
        let mut timeline = Timeline::default();
        timeline.begin(first.clone());
        for (n, (ssrc, timestamp, arrival)) in first.enumerate() {
            assert!(timeline.continues(ssrc, timestamp, arrival));
            assert_eq!(timeline.place(ssrc, timestamp, 160, arrival), Some(800 + n as i64 * 160));
        }
        assert!(!timeline.continues(2, 1_600, 2_400), "another stream");
        assert!(!timeline.continues(1, 3_000_000_000, 2_400), "another time");
    }

    #[test]
    fn a_jump_begins_anew_where_it_arrived() {
        let mut timeline = Timeline::default();
        assert_eq!(timeline.place(1, 1_000, 160, 80), Some(80));
        assert_eq!(timeline.place(1, 3_000_000_000, 160, 240), Some(240));
        assert_eq!(timeline.place(2, 77, 160, 400), Some(400));
        assert_eq!(timeline.place(2, 237, 160, 560), Some(560));
    }
}
