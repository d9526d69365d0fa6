//! How does a key reach the far end? RFC 4733 events, tones in the sound, and hearing events.

use std::collections::VecDeque;
use std::f64::consts::TAU;

/// Packets of 20 ms that a key is held; three more tell its end.
const HELD_PACKETS: u16 = 6;
/// Repetitions of the end packet (RFC 4733 §2.5.1.4).
const END_PACKETS: u16 = 3;
/// Packets between two keys.
const PAUSE_PACKETS: u16 = 4;
/// Volume of an event in −dBm0.
const VOLUME: u8 = 10;

/// The event number of a key; none for what is no key of a phone.
pub fn event_of(key: char) -> Option<u8> {
    "0123456789*#ABCD".find(key.to_ascii_uppercase()).map(|at| at as u8)
}

/// The key of an event number.
pub fn key_of(event: u8) -> Option<char> {
    "0123456789*#ABCD".chars().nth(usize::from(event))
}

/// One event packet to send in the place of sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventPacket {
    /// The first of its event: carries the RTP marker and a new timestamp, which all packets of the event keep.
    pub first: bool,
    pub payload: [u8; 4],
}

/// The keys that are still to be sent. At most [`Keypad::LONGEST`] wait; more are dropped.
#[derive(Debug, Default)]
pub struct Keypad {
    waiting: VecDeque<u8>,
    /// Packet number within the key that is being sent.
    step: u16,
}

impl Keypad {
    /// Most keys that wait.
    pub const LONGEST: usize = 4096;

    /// Adds keys; other characters are passed over.
    pub fn press(&mut self, keys: &str) {
        let room = Self::LONGEST.saturating_sub(self.waiting.len());
        self.waiting.extend(keys.chars().filter_map(event_of).take(room));
    }

    /// Is a key being sent or waiting?
    pub fn is_busy(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// What goes out in this 20 ms: an event packet, or none for sound.
    pub fn tick(&mut self) -> Option<EventPacket> {
        let event = *self.waiting.front()?;
        let step = self.step;
        self.step += 1;
        if step >= HELD_PACKETS + END_PACKETS {
            if step + 1 >= HELD_PACKETS + END_PACKETS + PAUSE_PACKETS {
                self.waiting.pop_front();
                self.step = 0;
            }
            return None;
        }
        let [high, low] = ((step + 1).min(HELD_PACKETS) * 160).to_be_bytes();
        let end = if step >= HELD_PACKETS { 0x80 } else { 0 };
        Some(EventPacket { first: step == 0, payload: [event, end | VOLUME, high, low] })
    }
}

/// Tells new events from the repetitions of known ones.
#[derive(Debug, Default)]
pub struct Listener {
    last: Option<u32>,
}

impl Listener {
    /// The key that this packet brings, if no packet of the same event came before.
    pub fn hear(&mut self, timestamp: u32, payload: &[u8]) -> Option<char> {
        let key = key_of(*payload.first()?)?;
        // A late packet of an earlier event is older than the last one: signed distance on the circle.
        if self.last.is_some_and(|last| timestamp.wrapping_sub(last) as i32 <= 0) {
            return None;
        }
        self.last = Some(timestamp);
        Some(key)
    }
}

/// The sound of keys (ITU-T Q.23) at 8 kHz: 100 ms a key, 100 ms between them.
pub fn tones(keys: &str) -> Vec<i16> {
    const ROWS: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
    const COLUMNS: [f64; 4] = [1209.0, 1336.0, 1477.0, 1633.0];
    let mut pcm = Vec::new();
    for at in keys.chars().filter_map(|key| "123A456B789C*0#D".find(key.to_ascii_uppercase())) {
        let (row, column) = (ROWS[at / 4 % 4], COLUMNS[at % 4]);
        pcm.extend((0..800).map(|n| {
            let t = f64::from(n) / 8000.0;
            (((row * TAU * t).sin() + (column * TAU * t).sin()) * 5000.0) as i16
        }));
        pcm.extend([0; 800]);
    }
    pcm
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_key_is_one_event_with_three_ends() {
        let mut keypad = Keypad::default();
        keypad.press("2#");
        let packets: Vec<_> = std::iter::repeat_with(|| keypad.tick()).take(26).flatten().collect();
        assert_eq!(packets.len(), 18);
        assert_eq!(packets.iter().filter(|packet| packet.first).count(), 2);
        assert_eq!(packets.iter().filter(|packet| packet.payload[1] & 0x80 != 0).count(), 6);
        assert_eq!(packets[8].payload, [2, 0x80 | VOLUME, 3, 0xc0]);
        assert!(!keypad.is_busy());
    }

    #[test]
    fn repetitions_and_late_packets_are_one_key() {
        let mut listener = Listener::default();
        let heard: Vec<_> = [(10, 1), (10, 1), (900, 2), (10, 1), (900, 2), (u32::MAX, 3)]
            .iter()
            .filter_map(|(timestamp, event)| listener.hear(*timestamp, &[*event, 0, 0, 0]))
            .collect();
        assert_eq!(heard, ['1', '2']);
    }
}
