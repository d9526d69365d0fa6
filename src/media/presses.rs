//! How do we press keys at a far end? One after the other, as RFC 4733 events, or where it reads none as the two tones themselves.

use std::collections::VecDeque;
use std::f64::consts::TAU;

use crate::centre::input::Digit;
use crate::media::codec::{FRAME, RATE_HZ};
use crate::media::inband::tones_hz;

/// Turns of 20 ms that a key is held for: 120 ms, three times what a receiver must hear (ITU-T Q.24).
const HELD: u16 = 6;
/// The end of an event is said so many times in all (RFC 4733 §2.5.1.4).
const ENDS: u16 = 3;
/// Turns from one key to the next: the pause is 80 ms, of which Q.24 wants 40.
const TURNS: u16 = 10;
/// Keys that wait; what is pressed beyond is left out, and its author has long been heard to fail.
const MOST: usize = 64;
/// Amplitude of each of the two tones: −11 dBm0, in the middle of what ITU-T Q.24 lets receivers expect.
const AMPLITUDE: f64 = 6_500.0;
/// RFC 4733 §2.3.2: the power of the tone, in −dBm0.
const VOLUME: u8 = 11;
const END: u8 = 0x80;

/// The keys that are to be pressed.
#[derive(Default)]
pub struct Presses {
    waiting: VecDeque<Digit>,
    turn: u16,
}

/// What is done about a key in a turn of 20 ms.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    digit: Digit,
    turn: u16,
}

impl Presses {
    /// More keys, after those that wait.
    pub fn press(&mut self, digits: &[Digit]) {
        let room = MOST.saturating_sub(self.waiting.len());
        self.waiting.extend(digits.iter().take(room));
    }

    /// Whether a key is being pressed: nothing else is sent meanwhile.
    pub fn is_busy(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The next turn; `None` when nothing waits.
    pub fn take_turn(&mut self) -> Option<Moment> {
        let moment = Moment { digit: *self.waiting.front()?, turn: self.turn };
        self.turn += 1;
        if self.turn == TURNS {
            self.turn = 0;
            self.waiting.pop_front();
        }
        Some(moment)
    }
}

impl Moment {
    /// Whether the key goes down.
    pub fn begins(self) -> bool {
        self.turn == 0
    }

    /// The event's payload (RFC 4733 §2.3), whose clock makes so many steps a moment of 1/8000 s; `None` in the pause after it.
    pub fn event(self, steps: u32) -> Option<[u8; 4]> {
        let last = HELD - 1;
        if self.turn >= last + ENDS {
            return None;
        }
        let flags = if self.turn >= last { END | VOLUME } else { VOLUME };
        let moments = (u32::from(self.turn.min(last)) + 1) * FRAME as u32;
        let [high, low] = u16::try_from(moments * steps).unwrap_or(u16::MAX).to_be_bytes();
        Some([self.digit.event(), flags, high, low])
    }

    /// The key's sound in this turn (ITU-T Q.23), silence in the pause after it.
    pub fn tones(self) -> [i16; FRAME] {
        let mut sound = [0; FRAME];
        if self.turn < HELD {
            let [low, high] = tones_hz(self.digit).map(|hz| TAU * f64::from(hz) / f64::from(RATE_HZ));
            let first = usize::from(self.turn) * FRAME;
            for (n, sample) in sound.iter_mut().enumerate() {
                let at = (first + n) as f64;
                *sample = (AMPLITUDE * ((low * at).sin() + (high * at).sin())) as i16;
            }
        }
        sound
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::media::codec::{Law, encode};
    use crate::media::inband::ToneListener;

    fn digits(keys: &str) -> Vec<Digit> {
        keys.chars().filter_map(Digit::new).collect()
    }

    #[test]
    fn an_event_grows_and_its_end_is_said_three_times() {
        let mut presses = Presses::default();
        presses.press(&digits("#5"));
        let first: Vec<Moment> = std::iter::from_fn(|| presses.take_turn()).take(usize::from(TURNS)).collect();
        let payloads: Vec<[u8; 4]> = first.iter().filter_map(|moment| moment.event(1)).collect();
        let durations: Vec<u16> = payloads.iter().map(|payload| u16::from_be_bytes([payload[2], payload[3]])).collect();
        assert_eq!(durations, [160, 320, 480, 640, 800, 960, 960, 960]);
        assert!(payloads.iter().all(|payload| payload[0] == 11));
        let ends: Vec<bool> = payloads.iter().map(|payload| payload[1] & END != 0).collect();
        assert_eq!(ends, [false, false, false, false, false, true, true, true]);
        let opus = first[0].event(6).unwrap();
        assert_eq!(u16::from_be_bytes([opus[2], opus[3]]), 960, "the clock of Opus");
        assert!(presses.is_busy());
        assert!(presses.take_turn().unwrap().begins());
        assert_eq!(std::iter::from_fn(|| presses.take_turn()).count(), usize::from(TURNS) - 1);
        assert!(!presses.is_busy());
    }

    #[test]
    fn our_own_listener_reads_the_tones_of_every_key() {
        let keys = "0123456789*#ABCD";
        let (mut presses, mut listener, mut heard) = (Presses::default(), ToneListener::default(), String::new());
        presses.press(&digits(keys));
        while let Some(moment) = presses.take_turn() {
            let sound = moment.tones().map(|sample| encode(Law::A, sample));
            heard.extend(listener.hear(Law::A, &sound).map(Digit::key));
        }
        assert_eq!(heard, keys);
    }

    #[test]
    fn keys_beyond_what_may_wait_are_left_out() {
        let mut presses = Presses::default();
        presses.press(&vec![Digit::new('1').unwrap(); MOST + 5]);
        assert_eq!(std::iter::from_fn(|| presses.take_turn()).count(), MOST * usize::from(TURNS));
    }
}
