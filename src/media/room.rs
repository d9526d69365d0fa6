//! Who hears whom in a call, and what do two voices at one ear sound like? One matrix a call, and a sum where it is needed.

use crate::centre::ids::{LegId, RecordingId};
use crate::centre::output::Hears;
use crate::media::codec::{FRAME, Law, WIDE_FRAME, encode};

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
    /// What is said is left out for a while; the timeline goes on.
    pub paused: bool,
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

/// Below this voices add up as they are (−2.5 dB); above it their sum is bent softly towards full scale, so that two loud ones do not crackle.
const KNEE: i32 = 24_576;
/// Full scale.
const FULL: i32 = 32_767;

/// Several voices at one ear, or one that must be decoded for it.
pub struct Mixer {
    mouths: Vec<usize>,
    wide: bool,
    sum: [i32; WIDE_FRAME],
}

impl Mixer {
    /// A mixer of the voices at these places; at 16 kHz if `wide`, else at 8 kHz.
    pub fn new(mouths: &[usize], wide: bool) -> Mixer {
        Mixer { mouths: mouths.to_vec(), wide, sum: [0; WIDE_FRAME] }
    }

    /// Whose voices.
    pub fn mouths(&self) -> &[usize] {
        &self.mouths
    }

    /// Whether it wants frames at 16 kHz.
    pub fn is_wide(&self) -> bool {
        self.wide
    }

    /// A new frame, without a sound yet.
    pub fn begin(&mut self) {
        self.sum = [0; WIDE_FRAME];
    }

    /// Adds a frame of one voice at this mixer's rate.
    pub fn add(&mut self, frame: &[i16]) {
        for (sum, sample) in self.sum.iter_mut().zip(frame) {
            *sum += i32::from(*sample);
        }
    }

    /// The frame in G.711, of a mixer at 8 kHz.
    pub fn write(&self, law: Law, frame: &mut [u8; FRAME]) {
        for (byte, sum) in frame.iter_mut().zip(self.sum) {
            *byte = encode(law, within_scale(sum));
        }
    }

    /// The frame at 16 kHz, of a wide mixer.
    pub fn wide(&self) -> [i16; WIDE_FRAME] {
        self.sum.map(within_scale)
    }
}

/// A sum as a sample: exact up to the knee, then ever less steep, never beyond full scale.
fn within_scale(sum: i32) -> i16 {
    let size = sum.abs();
    if size <= KNEE {
        return sum as i16;
    }
    let (over, room) = (size - KNEE, FULL - KNEE);
    let bent = KNEE + (i64::from(over) * i64::from(room) / i64::from(over + room)) as i32;
    (bent * sum.signum()) as i16
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::centre::ids::CallId;

    #[test]
    fn the_sides_of_a_recording_follow_the_matrix() {
        let [resident, operator, listener] = [0, 1, 2].map(|n| LegId { call: CallId(1), n });
        let recording = RoomRecording { id: RecordingId { call: CallId(1), n: 1 }, resident, paused: false };
        let hears = |ear, mouth| Hears { ear, mouth };
        let talk = Room { hears: vec![hears(resident, operator), hears(operator, resident), hears(operator, listener)], ..Room::default() };
        assert_eq!(talk.side(&recording, resident), Some(Side::Left));
        assert_eq!(talk.side(&recording, operator), Some(Side::Right));
        assert_eq!(talk.side(&recording, listener), None, "a whisper is not recorded");
        assert_eq!(Room::default().side(&recording, resident), None, "hold is silence");
    }

    #[test]
    fn voices_add_up_and_loud_ones_do_not_wrap() {
        let mut mixer = Mixer::new(&[3, 4], true);
        mixer.add(&[1_000; WIDE_FRAME]);
        mixer.add(&[2_000; FRAME]);
        assert_eq!((mixer.wide()[0], mixer.wide()[WIDE_FRAME - 1]), (3_000, 1_000));
        mixer.begin();
        for _ in 0..5 {
            mixer.add(&[i16::MIN; WIDE_FRAME]);
        }
        assert!((-32_767..-31_000).contains(&mixer.wide()[0]));
        let bent: Vec<i16> = (0..200_000).step_by(50).map(within_scale).collect();
        assert!(bent.windows(2).all(|pair| pair[0] <= pair[1]) && bent.last().is_some_and(|most| *most > 31_000));
    }
}
