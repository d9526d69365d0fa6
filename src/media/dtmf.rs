//! Which keys did the far end press? RFC 4733 events, each press once, however many of its packets are lost, doubled or late.

use crate::centre::input::Digit;
use crate::media::rtp::{Packet, samples_between};

/// Presses that are remembered to know their late packets again.
const REMEMBERED: usize = 8;

/// The payload of an event packet (RFC 4733 §2.3).
struct Event {
    code: u8,
    ended: bool,
    /// Samples since the event's timestamp.
    duration: u16,
}

#[derive(Clone, Copy)]
struct Press {
    ssrc: u32,
    timestamp: u32,
    code: u8,
    ended: bool,
    duration: u16,
}

/// Reads the events of one leg. A press counts at the first of its packets that arrives, so a lost end costs nothing.
#[derive(Default)]
pub struct EventReader {
    presses: [Option<Press>; REMEMBERED],
    next: usize,
}

impl EventReader {
    /// The key of a packet that begins a press; `None` for its further packets and for events that are no keys.
    pub fn read(&mut self, packet: &Packet, payload: &[u8]) -> Option<Digit> {
        let event = parse(payload)?;
        let digit = Digit::from_event(event.code)?;
        for press in self.presses.iter_mut().flatten() {
            if press.is_of(packet, &event) {
                press.ended |= event.ended;
                press.duration = press.duration.max(event.duration);
                return None;
            }
        }
        let continued = self.presses.iter().flatten().any(|press| press.goes_on_as(packet, &event));
        self.remember(Press {
            ssrc: packet.ssrc,
            timestamp: packet.timestamp,
            code: event.code,
            ended: event.ended,
            duration: event.duration,
        });
        (!continued).then_some(digit)
    }

    fn remember(&mut self, press: Press) {
        if let Some(place) = self.presses.get_mut(self.next) {
            *place = Some(press);
        }
        self.next = (self.next + 1) % REMEMBERED;
    }
}

impl Press {
    fn is_of(&self, packet: &Packet, event: &Event) -> bool {
        self.ssrc == packet.ssrc && self.timestamp == packet.timestamp && self.code == event.code
    }

    /// A press too long for its 16-bit duration goes on in a segment with a new timestamp (RFC 4733 §2.5.1.3), and some
    /// phones move the timestamp with every packet: the same key, not ended, no marker, and no pause in between.
    fn goes_on_as(&self, packet: &Packet, event: &Event) -> bool {
        let since = samples_between(self.timestamp, packet.timestamp);
        self.ssrc == packet.ssrc
            && self.code == event.code
            && !self.ended
            && !packet.marker
            && (0..=i64::from(self.duration)).contains(&since)
    }
}

fn parse(payload: &[u8]) -> Option<Event> {
    let [code, flags, high, low] = *payload.first_chunk::<4>()?;
    Some(Event { code, ended: flags & 0x80 != 0, duration: u16::from_be_bytes([high, low]) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    type Wire = (Packet, [u8; 4]);

    /// Packets of one press as phones send them: every 20 ms, the end three times.
    fn press(code: u8, timestamp: u32, packets: u16) -> Vec<Wire> {
        let one = |n: u16, end: bool| {
            let packet = Packet { marker: n == 1, payload_type: 101, sequence: 0, timestamp, ssrc: 5, begin: 12, end: 16 };
            let [high, low] = (n * 160).to_be_bytes();
            (packet, [code, if end { 0x8a } else { 0x0a }, high, low])
        };
        (1..=packets).map(|n| one(n, false)).chain((0..3).map(|_| one(packets + 1, true))).collect()
    }

    fn read(wires: &[Wire]) -> String {
        let mut reader = EventReader::default();
        wires.iter().filter_map(|(packet, payload)| reader.read(packet, payload)).map(Digit::key).collect()
    }

    /// A small generator of its own, so that a failing seed can be kept.
    fn draw(state: &mut u64) -> u64 {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state
    }

    /// 1,000 presses over a line that loses, doubles and swaps packets of its own accord.
    fn over_a_poor_line(seed: u64, lost_in_1000: u64) -> (String, String) {
        let (mut state, mut wires, mut sent) = (seed | 1, Vec::new(), String::new());
        for n in 0..1_000u32 {
            let code = (draw(&mut state) % 16) as u8;
            sent.push(Digit::from_event(code).unwrap().key());
            wires.extend(press(code, (u32::MAX - 40_000).wrapping_add(n * 1_200), 3 + (draw(&mut state) % 4) as u16));
        }
        wires.retain(|_| draw(&mut state) % 1_000 >= lost_in_1000);
        let doubled: Vec<Wire> =
            wires.iter().flat_map(|wire| vec![*wire; if draw(&mut state).is_multiple_of(20) { 2 } else { 1 }]).collect();
        let mut arrived = doubled;
        for n in 1..arrived.len() {
            // Only within a press: a network that swaps presses swaps keys.
            let same = arrived[n].0.timestamp == arrived[n - 1].0.timestamp;
            if same && draw(&mut state).is_multiple_of(20) {
                arrived.swap(n - 1, n);
            }
        }
        (sent, read(&arrived))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn a_thousand_of_a_thousand_at_five_percent_loss(seed: u64) {
            let (sent, heard) = over_a_poor_line(seed, 50);
            prop_assert_eq!(sent, heard);
        }

        #[test]
        fn no_bytes_break_it(bytes in prop::collection::vec(any::<u8>(), 0..12), timestamp: u32) {
            let packet = Packet { marker: false, payload_type: 101, sequence: 0, timestamp, ssrc: 5, begin: 12, end: 16 };
            EventReader::default().read(&packet, &bytes);
        }
    }

    #[test]
    fn one_surviving_packet_is_enough_and_a_late_one_adds_nothing() {
        let (one, two) = (press(1, 1_000, 4), press(1, 3_000, 4));
        assert_eq!(read(&[one[2], two[6], one[6]]), "11");
    }

    #[test]
    fn a_very_long_press_is_one() {
        let mut wires = Vec::new();
        for n in 1..=500u32 {
            let (segment, within) = (n * 160 / 65_535, n * 160 % 65_535);
            let packet =
                Packet { marker: n == 1, payload_type: 101, sequence: 0, timestamp: segment * 65_535, ssrc: 5, begin: 12, end: 16 };
            let [high, low] = if n == 409 { [0xff, 0xff] } else { (within as u16).to_be_bytes() };
            wires.push((packet, [7, 10, high, low]));
        }
        wires[408].0.timestamp = 0;
        assert_eq!(read(&wires), "7");
    }

    #[test]
    fn a_timestamp_that_moves_with_each_packet_is_still_one_press() {
        let moving: Vec<Wire> = press(3, 800, 5)
            .into_iter()
            .enumerate()
            .map(|(n, (mut packet, payload))| {
                packet.timestamp += 160 * n.min(5) as u32;
                (packet, payload)
            })
            .collect();
        assert_eq!(read(&moving), "3");
    }
}
