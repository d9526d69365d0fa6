//! What can an operator do, and how well? Levels of skills, and the least of each that a caller needs.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize};

use super::ids::SkillId;

/// The highest level of a skill; 0 is "cannot".
pub const BEST: u8 = 10;

/// What somebody can do: a level from 0 (cannot) to [`BEST`] for each skill, languages by their code among them.
///
/// Read from a table of levels, or from a list of names, each of which counts as [`BEST`].
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Skills(BTreeMap<SkillId, u8>);

/// What a caller needs: the least level of each skill, 1 for "can at all".
///
/// Read from a table of levels, or from a list of names, each of which counts as 1: so older snapshots have it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Needs(BTreeMap<SkillId, u8>);

/// Both ways in which skills are written.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a list of skills, or a table of their levels from 0 to 10")]
enum Written {
    List(Vec<SkillId>),
    Levels(BTreeMap<SkillId, u8>),
}

impl Written {
    fn levels(self, of_list: u8) -> BTreeMap<SkillId, u8> {
        match self {
            Written::List(names) => names.into_iter().map(|name| (name, of_list)).collect(),
            Written::Levels(levels) => levels,
        }
    }
}

impl<'de> Deserialize<'de> for Skills {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Written::deserialize(input).map(|written| Self(written.levels(BEST)))
    }
}

impl<'de> Deserialize<'de> for Needs {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Written::deserialize(input).map(|written| Self(written.levels(1)))
    }
}

impl Skills {
    /// How well: 0 for a skill that is not named.
    pub fn level(&self, skill: &SkillId) -> u8 {
        self.0.get(skill).copied().unwrap_or(0).min(BEST)
    }

    /// The skills with their levels as written.
    pub fn levels(&self) -> impl Iterator<Item = (&SkillId, u8)> {
        self.0.iter().map(|(skill, level)| (skill, *level))
    }

    /// What can be done at all.
    pub fn names(&self) -> impl Iterator<Item = &SkillId> {
        self.0.iter().filter(|(_, level)| **level > 0).map(|(skill, _)| skill)
    }

    /// Takes a skill away.
    pub fn remove(&mut self, skill: &SkillId) {
        self.0.remove(skill);
    }
}

impl FromIterator<(SkillId, u8)> for Skills {
    fn from_iter<I: IntoIterator<Item = (SkillId, u8)>>(levels: I) -> Self {
        Self(levels.into_iter().collect())
    }
}

/// Names alone: each at its best.
impl FromIterator<SkillId> for Skills {
    fn from_iter<I: IntoIterator<Item = SkillId>>(names: I) -> Self {
        names.into_iter().map(|name| (name, BEST)).collect()
    }
}

impl Needs {
    /// Each of these at this level at least.
    pub fn of(skills: &BTreeSet<SkillId>, level: u8) -> Self {
        Self(skills.iter().map(|skill| (skill.clone(), level)).collect())
    }

    /// The needed skills with their least levels.
    pub fn levels(&self) -> impl Iterator<Item = (&SkillId, u8)> {
        self.0.iter().map(|(skill, level)| (skill, *level))
    }

    /// The needed skills.
    pub fn names(&self) -> Vec<SkillId> {
        self.0.keys().cloned().collect()
    }

    /// Those whose least level is more than "can at all".
    pub fn above_one(&self) -> BTreeMap<SkillId, u8> {
        self.0.iter().filter(|(_, level)| **level > 1).map(|(skill, level)| (skill.clone(), *level)).collect()
    }

    /// Whether somebody with these levels can take the caller.
    pub fn are_met(&self, level: impl Fn(&SkillId) -> u8) -> bool {
        self.0.iter().all(|(skill, least)| level(skill) >= (*least).max(1))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_list_of_skills_is_each_of_them_at_its_best() {
        let listed: Skills = serde_json::from_str(r#"["kk", "lifts"]"#).unwrap();
        let levels: Skills = serde_json::from_str(r#"{"kk": 10, "lifts": 10}"#).unwrap();
        assert_eq!(listed, levels);
        assert_eq!((listed.level(&"kk".into()), listed.level(&"ru".into())), (BEST, 0));
        let needs: Needs = serde_json::from_str(r#"["kk"]"#).unwrap();
        assert_eq!(needs, Needs::of(&["kk".into()].into(), 1), "an older snapshot names what is needed at all");
    }

    #[test]
    fn a_level_below_what_is_needed_does_not_do_and_none_never_does() {
        let needs = Needs::of(&["lifts".into()].into(), 4);
        let with = |level: u8| needs.are_met(|_| level);
        assert!(with(4) && with(10) && !with(3));
        assert!(!Needs::of(&["lifts".into()].into(), 0).are_met(|_| 0));
    }

    #[test]
    fn what_is_neither_is_refused_by_name() {
        let wrong = serde_json::from_str::<Skills>("7").unwrap_err().to_string();
        assert!(wrong.contains("a list of skills, or a table of their levels"), "{wrong}");
    }
}
