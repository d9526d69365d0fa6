//! Who hears whom? A room is a matrix; talk, hold, consult, conference and whisper are different ones.

use std::collections::BTreeSet;

use super::ids::{LegId, Supervision};
use super::output::Hears;

/// Who is in a talk, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Room {
    /// The resident.
    pub resident: LegId,
    /// The one with whom the resident talks.
    pub partner: LegId,
    /// Who was called in and has answered: a consultant, or the third of a conference.
    pub third: Option<LegId>,
    /// The resident is on hold, or waits while somebody else is asked.
    pub resident_waits: bool,
    /// Far ends whose own phones hold: nothing is heard from them, nothing reaches them.
    pub holding: BTreeSet<LegId>,
    /// Supervisors who have answered.
    pub supervisors: Vec<(LegId, Supervision)>,
}

/// What a room comes to: its matrix, and who hears music.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Arrangement {
    /// Who hears whom.
    pub hears: Vec<Hears>,
    /// Who hears music, because nobody talks to them.
    pub music: BTreeSet<LegId>,
}

impl Room {
    /// A resident who waits is in no circle, so that nobody who talks about them is heard by them; a whisper has one ear.
    pub fn arrange(&self) -> Arrangement {
        let circle = self.circle();
        let barging = self.listeners().filter(|(_, mode)| *mode == Supervision::Barge).map(|(leg, _)| leg);
        let speakers: Vec<LegId> = circle.iter().copied().chain(barging).collect();
        let mut hears = everybody(&speakers);
        for (leg, mode) in self.listeners().filter(|(_, mode)| *mode != Supervision::Barge) {
            hears.extend(speakers.iter().map(|mouth| Hears { ear: leg, mouth: *mouth }));
            if mode == Supervision::Whisper && circle.contains(&self.partner) {
                hears.push(Hears { ear: self.partner, mouth: leg });
            }
        }
        let talked_to = |leg: &LegId| hears.iter().any(|pair| pair.ear == *leg);
        let alone = circle.first().copied().filter(|leg| circle.len() < self.members().count() && !talked_to(leg));
        let waits = Some(self.resident).filter(|resident| self.resident_waits && !self.holding.contains(resident));
        Arrangement { hears, music: [alone, waits].into_iter().flatten().collect() }
    }

    /// Who would hear each other if no phone held.
    fn members(&self) -> impl Iterator<Item = LegId> {
        let resident = (!self.resident_waits).then_some(self.resident);
        [resident, Some(self.partner), self.third].into_iter().flatten()
    }

    fn circle(&self) -> Vec<LegId> {
        self.members().filter(|leg| !self.holding.contains(leg)).collect()
    }

    fn listeners(&self) -> impl Iterator<Item = (LegId, Supervision)> {
        self.supervisors.iter().copied().filter(|(leg, _)| !self.holding.contains(leg))
    }
}

impl Arrangement {
    /// Whether anybody hears this leg.
    pub fn is_heard(&self, leg: LegId) -> bool {
        self.hears.iter().any(|pair| pair.mouth == leg)
    }
}

fn everybody(speakers: &[LegId]) -> Vec<Hears> {
    let others = |ear: &LegId| {
        let ear = *ear;
        speakers.iter().filter(move |mouth| **mouth != ear).map(move |mouth| Hears { ear, mouth: *mouth })
    };
    speakers.iter().flat_map(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::centre::ids::CallId;

    const RESIDENT: LegId = leg(0);
    const OPERATOR: LegId = leg(1);
    const THIRD: LegId = leg(2);
    const SUPERVISOR: LegId = leg(3);

    const fn leg(n: u16) -> LegId {
        LegId { call: CallId(1), n }
    }

    fn talk() -> Room {
        Room {
            resident: RESIDENT,
            partner: OPERATOR,
            third: None,
            resident_waits: false,
            holding: BTreeSet::new(),
            supervisors: Vec::new(),
        }
    }

    /// Each ear with its mouths, as `"0:1 1:0"`.
    fn pairs(room: &Room) -> String {
        let mut pairs: Vec<String> = room.arrange().hears.iter().map(|pair| format!("{}:{}", pair.ear.n, pair.mouth.n)).collect();
        pairs.sort();
        pairs.join(" ")
    }

    fn music(room: &Room) -> Vec<u16> {
        room.arrange().music.iter().map(|leg| leg.n).collect()
    }

    #[test]
    fn in_a_talk_each_hears_the_other_and_nobody_hears_music() {
        assert_eq!((pairs(&talk()).as_str(), music(&talk())), ("0:1 1:0", vec![]));
    }

    #[test]
    fn on_hold_the_resident_hears_music_alone() {
        let hold = Room { resident_waits: true, ..talk() };
        assert_eq!((pairs(&hold).as_str(), music(&hold)), ("", vec![0]));
    }

    #[test]
    fn whoever_is_left_alone_by_a_phone_that_holds_hears_music() {
        let held_by = |leg: LegId| Room { holding: [leg].into(), ..talk() };
        assert_eq!((pairs(&held_by(OPERATOR)).as_str(), music(&held_by(OPERATOR))), ("", vec![0]));
        assert_eq!((pairs(&held_by(RESIDENT)).as_str(), music(&held_by(RESIDENT))), ("", vec![1]));
        let both = Room { holding: [RESIDENT, OPERATOR].into(), ..talk() };
        assert_eq!((pairs(&both).as_str(), music(&both)), ("", vec![]));
    }

    #[test]
    fn a_consultation_is_between_two_and_a_conference_between_three() {
        let consult = Room { third: Some(THIRD), resident_waits: true, ..talk() };
        assert_eq!((pairs(&consult).as_str(), music(&consult)), ("1:2 2:1", vec![0]));
        let conference = Room { third: Some(THIRD), ..talk() };
        assert_eq!((pairs(&conference).as_str(), music(&conference)), ("0:1 0:2 1:0 1:2 2:0 2:1", vec![]));
        let without_operator = Room { holding: [OPERATOR].into(), ..conference };
        assert_eq!((pairs(&without_operator).as_str(), music(&without_operator)), ("0:2 2:0", vec![]));
    }

    #[test]
    fn a_supervisor_hears_what_is_said_and_is_heard_as_far_as_wanted() {
        let with = |mode| Room { supervisors: vec![(SUPERVISOR, mode)], ..talk() };
        assert_eq!(pairs(&with(Supervision::Monitor)), "0:1 1:0 3:0 3:1");
        assert_eq!(pairs(&with(Supervision::Whisper)), "0:1 1:0 1:3 3:0 3:1");
        assert_eq!(pairs(&with(Supervision::Barge)), "0:1 0:3 1:0 1:3 3:0 3:1");
    }

    /// Every room that there can be: what must hold in all of them.
    #[test]
    fn no_room_lets_a_resident_hear_a_whisper_or_what_is_said_while_they_wait() {
        let modes = [Supervision::Monitor, Supervision::Whisper, Supervision::Barge];
        for bits in 0..64_u32 {
            for mode in modes {
                let holding = [RESIDENT, OPERATOR, THIRD, SUPERVISOR].into_iter().filter(|leg| bits & (4 << leg.n) != 0).collect();
                let third = (bits & 1 != 0).then_some(THIRD);
                let room = Room { third, resident_waits: bits & 2 != 0, holding, supervisors: vec![(SUPERVISOR, mode)], ..talk() };
                let Arrangement { hears, music } = room.arrange();
                let resident_hears = |mouth: LegId| hears.contains(&Hears { ear: RESIDENT, mouth });
                assert!(mode == Supervision::Barge || !resident_hears(SUPERVISOR), "{room:?}");
                assert!(!room.resident_waits || hears.iter().all(|pair| pair.ear != RESIDENT), "{room:?}");
                assert!(mode != Supervision::Monitor || hears.iter().all(|pair| pair.mouth != SUPERVISOR), "{room:?}");
                assert!(hears.iter().all(|pair| pair.ear != pair.mouth), "nobody hears themselves: {room:?}");
                assert!(hears.iter().all(|pair| !room.holding.contains(&pair.ear) && !room.holding.contains(&pair.mouth)), "{room:?}");
                assert!(hears.iter().all(|pair| !music.contains(&pair.ear)), "music is heard alone: {room:?}");
                let once: BTreeSet<(LegId, LegId)> = hears.iter().map(|pair| (pair.ear, pair.mouth)).collect();
                assert_eq!(once.len(), hears.len(), "each pair stands once: {room:?}");
            }
        }
    }
}
