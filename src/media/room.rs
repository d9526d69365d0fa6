//! Who hears whom in a call, and what do two voices at one ear sound like? One matrix a call, and a sum where it is needed.

use std::collections::VecDeque;

use crate::centre::ids::{LegId, RecordingId};
use crate::centre::input::Codec;
use crate::centre::output::Hears;
use crate::media::codec::{FRAME, decode, encode};

/// Samples that wait at one ear for one voice: 120 ms, the oldest go.
const MAX_WAITING: usize = 6 * FRAME;

/// One call on its media thread.
#[derive(Default)]
pub struct Room {
    /// Its legs by number, and the place of each on the thread.
    pub legs: Vec<(LegId, usize)>,
    /// Who hears whom; legs that are not open yet count from when they are.
    pub hears: Vec<Hears>,
    /// What is recorded of it.
    pub recordings: Vec<RoomRecording>,
}

/// A recording of a room.
pub struct RoomRecording {
    /// Its name.
    pub id: RecordingId,
    /// Whose sound goes to the left.
    pub resident: LegId,
}

/// Which channel of a recording a leg's sound goes to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Side {
    /// The resident.
    Left,
    /// Whom the resident hears.
    Right,
}

impl Room {
    /// The place of a leg.
    pub fn place(&self, leg: LegId) -> Option<usize> {
        self.legs.iter().find(|(id, _)| *id == leg).map(|(_, place)| *place)
    }

    /// The places of those who hear `mouth`.
    pub fn ears(&self, mouth: LegId) -> Vec<usize> {
        self.hears.iter().filter(|pair| pair.mouth == mouth && pair.ear != mouth).filter_map(|pair| self.place(pair.ear)).collect()
    }

    /// The places of those whom `ear` hears.
    pub fn mouths(&self, ear: LegId) -> Vec<usize> {
        self.hears.iter().filter(|pair| pair.ear == ear && pair.mouth != ear).filter_map(|pair| self.place(pair.mouth)).collect()
    }

    /// Where the sound of `leg` goes in a recording: the resident's when somebody hears it, others' when the resident does.
    pub fn side(&self, recording: &RoomRecording, leg: LegId) -> Option<Side> {
        if leg == recording.resident {
            self.hears.iter().any(|pair| pair.mouth == leg).then_some(Side::Left)
        } else {
            self.hears.iter().any(|pair| pair.mouth == leg && pair.ear == recording.resident).then_some(Side::Right)
        }
    }
}

/// Several voices at one ear.
pub struct Mixer {
    voices: Vec<(usize, VecDeque<i16>)>,
}

impl Mixer {
    /// A mixer of the voices at these places.
    pub fn new(mouths: &[usize]) -> Mixer {
        Mixer { voices: mouths.iter().map(|place| (*place, VecDeque::with_capacity(MAX_WAITING))).collect() }
    }

    /// A packet of one voice.
    pub fn hear(&mut self, mouth: usize, codec: Codec, sound: &[u8]) {
        let Some((_, waiting)) = self.voices.iter_mut().find(|(place, _)| *place == mouth) else { return };
        for byte in sound {
            if waiting.len() >= MAX_WAITING {
                waiting.pop_front();
            }
            waiting.push_back(decode(codec, *byte));
        }
    }

    /// The next frame of all voices together; a voice that has nothing is silent.
    pub fn fill(&mut self, codec: Codec, frame: &mut [u8; FRAME]) {
        for byte in frame {
            let sum: i32 = self.voices.iter_mut().filter_map(|(_, waiting)| waiting.pop_front()).map(i32::from).sum();
            *byte = encode(codec, sum.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::centre::ids::CallId;

    #[test]
    fn the_sides_of_a_recording_follow_the_matrix() {
        let [resident, operator, listener] = [0, 1, 2].map(|n| LegId { call: CallId(1), n });
        let recording = RoomRecording { id: RecordingId { call: CallId(1), n: 1 }, resident };
        let hears = |ear, mouth| Hears { ear, mouth };
        let talk = Room { hears: vec![hears(resident, operator), hears(operator, resident), hears(operator, listener)], ..Room::default() };
        assert_eq!(talk.side(&recording, resident), Some(Side::Left));
        assert_eq!(talk.side(&recording, operator), Some(Side::Right));
        assert_eq!(talk.side(&recording, listener), None, "a whisper is not recorded");
        assert_eq!(Room::default().side(&recording, resident), None, "hold is silence");
    }

    #[test]
    fn voices_add_up() {
        let mut mixer = Mixer::new(&[3, 4]);
        mixer.hear(3, Codec::Pcma, &[encode(Codec::Pcma, 1_000); FRAME]);
        mixer.hear(4, Codec::Pcmu, &[encode(Codec::Pcmu, 2_000); FRAME / 2]);
        let mut frame = [0; FRAME];
        mixer.fill(Codec::Pcma, &mut frame);
        assert!((decode(Codec::Pcma, frame[0]) - 3_000).abs() < 130);
        assert!((decode(Codec::Pcma, frame[FRAME - 1]) - 1_000).abs() < 40);
    }
}
