//! Who hears whom? A room is a matrix; talk, hold, consult, conference and whisper are different ones.

use super::ids::LegId;
use super::output::Hears;

/// Two people talk.
pub fn talk(one: LegId, other: LegId) -> Vec<Hears> {
    vec![Hears { ear: one, mouth: other }, Hears { ear: other, mouth: one }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::centre::ids::CallId;

    #[test]
    fn in_a_talk_each_hears_the_other() {
        let (resident, operator) = (LegId { call: CallId(1), n: 0 }, LegId { call: CallId(1), n: 1 });
        let room = talk(resident, operator);
        assert!(room.contains(&Hears { ear: resident, mouth: operator }));
        assert!(room.contains(&Hears { ear: operator, mouth: resident }));
        assert!(room.iter().all(|hears| hears.ear != hears.mouth), "nobody hears themselves");
    }
}
