//! What is a service level, an average answer, an abandonment? The figures of an interval, made of its counts by stated definitions.
//!
//! Shares are told in hundredths of a percent, so that they are whole numbers and the same on every screen.

use serde::{Deserialize, Serialize};

/// All of something, in hundredths of a percent.
pub const WHOLE: u64 = 10_000;

/// Counts of an interval; figures are made of them by the definitions. Spans in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Counts {
    /// Callers who entered the queue (O).
    pub offered: u64,
    /// Answered by an operator (A).
    pub answered: u64,
    /// Answered within the queue's target (A_T).
    pub answered_in_target: u64,
    /// Hung up while waiting (B), the short ones among them.
    pub abandoned: u64,
    /// Hung up before the threshold of short waits (B_s).
    pub abandoned_short: u64,
    /// Hung up within the queue's target (B_T).
    pub abandoned_in_target: u64,
    /// Left the queue in another way (F).
    pub flowed_out: u64,
    /// The waits of those who were answered, added up.
    pub waited_ms: u64,
    /// The longest wait that ended.
    pub longest_wait_ms: u64,
}

/// Which service level is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// A_T / O: whoever was not answered in time counts against it.
    #[default]
    Strict,
    /// A_T / (A + B − B_s): without those who hung up at once.
    LessShort,
    /// A_T / (O − B_T): without those who hung up while there was time.
    LessEarly,
    /// (A_T + B_T) / (A + B): those who hung up while there was time count for it.
    EarlyCredited,
    /// A_T / A: of those who were answered.
    OfAnswered,
}

impl Measure {
    /// The share in target; `None` where there is nobody of whom it could be said.
    pub fn level(self, counts: &Counts) -> Option<u64> {
        let Counts { offered, answered, answered_in_target: in_target, abandoned, abandoned_short, abandoned_in_target: early, .. } =
            *counts;
        match self {
            Measure::Strict => share(in_target, offered),
            Measure::LessShort => share(in_target, (answered + abandoned).saturating_sub(abandoned_short)),
            Measure::LessEarly => share(in_target, offered.saturating_sub(early)),
            Measure::EarlyCredited => share(in_target + early, answered + abandoned),
            Measure::OfAnswered => share(in_target, answered),
        }
    }
}

impl Counts {
    /// Adds another interval's counts.
    pub fn add(&mut self, other: &Counts) {
        self.offered += other.offered;
        self.answered += other.answered;
        self.answered_in_target += other.answered_in_target;
        self.abandoned += other.abandoned;
        self.abandoned_short += other.abandoned_short;
        self.abandoned_in_target += other.abandoned_in_target;
        self.flowed_out += other.flowed_out;
        self.waited_ms = self.waited_ms.saturating_add(other.waited_ms);
        self.longest_wait_ms = self.longest_wait_ms.max(other.longest_wait_ms);
    }

    /// B / O.
    pub fn abandonment(&self) -> Option<u64> {
        share(self.abandoned, self.offered)
    }

    /// (B − B_s) / (O − B_s).
    pub fn abandonment_less_short(&self) -> Option<u64> {
        share(self.abandoned.saturating_sub(self.abandoned_short), self.offered.saturating_sub(self.abandoned_short))
    }

    /// ASA: the waits of the answered / A, in milliseconds.
    pub fn average_answer_ms(&self) -> Option<u64> {
        self.waited_ms.checked_div(self.answered)
    }
}

/// A part of a whole in hundredths of a percent, rounded to the nearest; `None` of nothing.
pub fn share(part: u64, whole: u64) -> Option<u64> {
    part.saturating_mul(WHOLE).saturating_add(whole / 2).checked_div(whole)
}

/// Occupancy: handling / (handling + available idle).
pub fn occupancy(handling_ms: u64, idle_ms: u64) -> Option<u64> {
    share(handling_ms, handling_ms.saturating_add(idle_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of the definitions.
    fn vector() -> Counts {
        Counts {
            offered: 100,
            answered: 90,
            answered_in_target: 80,
            abandoned: 10,
            abandoned_short: 3,
            abandoned_in_target: 6,
            waited_ms: 900_000,
            ..Counts::default()
        }
    }

    #[test]
    fn every_figure_follows_the_definitions() {
        let levels = [Measure::Strict, Measure::LessShort, Measure::LessEarly, Measure::EarlyCredited, Measure::OfAnswered]
            .map(|measure| measure.level(&vector()));
        assert_eq!(levels, [8_000, 8_247, 8_511, 8_600, 8_889].map(Some));
        assert_eq!((vector().abandonment(), vector().abandonment_less_short()), (Some(1_000), Some(722)));
        assert_eq!(vector().average_answer_ms(), Some(10_000));
        assert_eq!(occupancy(5, 2), Some(7_143));
    }

    #[test]
    fn of_nothing_nothing_is_said() {
        let nothing = Counts::default();
        assert_eq!((Measure::Strict.level(&nothing), nothing.abandonment(), nothing.average_answer_ms()), (None, None, None));
        assert_eq!(occupancy(0, 0), None);
    }
}
