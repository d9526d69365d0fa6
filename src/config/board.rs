//! What is wanted on the wallboard? The window of its figures, its service level, and what each queue is measured by.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Config;
use crate::report::waits::ServiceLevel;

/// The longest window, in minutes: what the board keeps.
const LONGEST_WINDOW: u64 = 120;
const SHORTEST_WINDOW: u64 = 5;

/// The wallboard.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Board {
    /// Over how many whole minutes its figures are made, 5 to 120.
    pub window_minutes: u64,
    /// Which service level is told.
    pub measure: ServiceLevel,
    /// What is wanted of every queue.
    pub targets: Targets,
    /// What is wanted otherwise of some, by their names.
    pub queues: BTreeMap<String, Targets>,
    /// Whether operators are told that a supervisor listens to their talk, whispers or joins.
    pub show_supervision: bool,
}

/// What is wanted of a queue; what is not given is as for every queue, and there as usual.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Targets {
    /// An answer within this is in target, in milliseconds; 20 s as usual.
    pub answer_ms: Option<u64>,
    /// Who hangs up before this counts as a short wait, in milliseconds; 5 s as usual.
    pub short_ms: Option<u64>,
    /// The share of answers in target, in percent; 80 as usual.
    pub level_percent: Option<u8>,
    /// The longest wait that is well, in milliseconds; `answer_ms` as usual.
    pub longest_ms: Option<u64>,
    /// So many may wait at once; 0, as usual, for any number.
    pub waiting: Option<u32>,
    /// The share of callers who may hang up, in percent; 10 as usual.
    pub abandoned_percent: Option<u8>,
}

impl Default for Board {
    fn default() -> Self {
        Self {
            window_minutes: 30,
            measure: ServiceLevel::default(),
            targets: Targets::default(),
            queues: BTreeMap::new(),
            show_supervision: true,
        }
    }
}

impl Targets {
    /// These, and where they say nothing the others.
    pub fn or(self, others: Targets) -> Targets {
        Targets {
            answer_ms: self.answer_ms.or(others.answer_ms),
            short_ms: self.short_ms.or(others.short_ms),
            level_percent: self.level_percent.or(others.level_percent),
            longest_ms: self.longest_ms.or(others.longest_ms),
            waiting: self.waiting.or(others.waiting),
            abandoned_percent: self.abandoned_percent.or(others.abandoned_percent),
        }
    }
}

impl Config {
    pub(super) fn check_board(&self, problems: &mut Vec<String>) {
        let board = &self.board;
        if !(SHORTEST_WINDOW..=LONGEST_WINDOW).contains(&board.window_minutes) {
            problems
                .push(format!("board.window_minutes: {} is no window; give {SHORTEST_WINDOW} to {LONGEST_WINDOW}", board.window_minutes));
        }
        for (queue, targets) in &board.queues {
            if !self.queues.contains_key(queue) {
                problems.push(format!("board.queues.{queue}: no queue is called so; name one of the queues, or leave it out"));
            }
            check_targets(&format!("board.queues.{queue}"), targets, problems);
        }
        check_targets("board.targets", &board.targets, problems);
    }
}

fn check_targets(name: &str, targets: &Targets, problems: &mut Vec<String>) {
    for (what, percent) in [("level_percent", targets.level_percent), ("abandoned_percent", targets.abandoned_percent)] {
        if percent.is_some_and(|percent| percent > 100) {
            problems.push(format!("{name}.{what}: a share is at most 100"));
        }
    }
    for (what, ms) in [("answer_ms", targets.answer_ms), ("longest_ms", targets.longest_ms)] {
        if ms == Some(0) {
            problems.push(format!("{name}.{what}: nobody is answered in no time; give milliseconds, 20000 for twenty seconds"));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let mut config = Config::load(None).unwrap();
        config.board = toml::from_str(text).unwrap();
        let mut problems = Vec::new();
        config.check_board(&mut problems);
        problems
    }

    #[test]
    fn what_cannot_be_is_named_with_its_mend() {
        assert!(
            problems("measure = \"minus_short_abandons\"\n[targets]\nanswer_ms = 15000\n[queues.heating]\nlevel_percent = 90\n").is_empty()
        );
        assert!(problems("window_minutes = 3").join("").contains("give 5 to 120"));
        assert!(problems("[queues.heatng]\n").join("").contains("board.queues.heatng"));
        assert!(problems("[targets]\nlevel_percent = 101\nanswer_ms = 0").len() == 2);
    }
}
