//! How well were callers answered? Counts of a period, and the figures that the definitions make of them.

use serde::{Deserialize, Serialize};

use crate::centre::fact::QueueEnd;

/// Counts of callers who entered a queue in a period. Stored are these, never percentages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, utoipa::ToSchema)]
#[schema(as = Counts)]
pub struct Waits {
    /// Entered the queue (O).
    pub offered: u64,
    /// Answered by an operator (A).
    pub answered: u64,
    /// Answered within the target (A_T).
    pub answered_in_target: u64,
    /// Hung up while waiting (B).
    pub abandoned: u64,
    /// Hung up before the threshold of short abandons (B_s).
    pub abandoned_short: u64,
    /// Hung up within the target (B_T).
    pub abandoned_in_target: u64,
    /// Left the queue in another way (F).
    pub flowed_out: u64,
    /// The waits of those who were answered, added up, in milliseconds.
    pub waited_ms: u64,
    /// The waits of all, added up, in milliseconds.
    pub all_waited_ms: u64,
    /// The longest wait that ended, in milliseconds.
    pub longest_ms: u64,
}

/// Which service level is meant: what the answered in time are divided by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServiceLevel {
    /// A_T / O.
    #[default]
    Strict,
    /// A_T / (A + B − B_s).
    MinusShortAbandons,
    /// A_T / (O − B_T).
    MinusAbandonsInTarget,
    /// (A_T + B_T) / (A + B).
    AbandonsInTargetCredited,
    /// A_T / A.
    OfTheAnswered,
}

impl ServiceLevel {
    /// All of them, the default first.
    pub const ALL: [ServiceLevel; 5] = [
        ServiceLevel::Strict,
        ServiceLevel::MinusShortAbandons,
        ServiceLevel::MinusAbandonsInTarget,
        ServiceLevel::AbandonsInTargetCredited,
        ServiceLevel::OfTheAnswered,
    ];

    /// The formula, as it stands beside the figure.
    pub fn definition(self) -> &'static str {
        match self {
            ServiceLevel::Strict => "answered within T / offered",
            ServiceLevel::MinusShortAbandons => "answered within T / (answered + abandoned − short abandons)",
            ServiceLevel::MinusAbandonsInTarget => "answered within T / (offered − abandoned within T)",
            ServiceLevel::AbandonsInTargetCredited => "(answered within T + abandoned within T) / (answered + abandoned)",
            ServiceLevel::OfTheAnswered => "answered within T / answered",
        }
    }
}

impl Waits {
    /// A caller's wait ended after so long. Targets and thresholds in milliseconds.
    pub fn ended(&mut self, how: QueueEnd, waited_ms: u64, target_ms: u64, short_ms: u64) {
        let in_target = u64::from(waited_ms <= target_ms);
        self.longest_ms = self.longest_ms.max(waited_ms);
        self.all_waited_ms += waited_ms;
        match how {
            QueueEnd::Answered => {
                self.answered += 1;
                self.answered_in_target += in_target;
                self.waited_ms += waited_ms;
            }
            QueueEnd::Abandoned => {
                self.abandoned += 1;
                self.abandoned_short += u64::from(waited_ms < short_ms);
                self.abandoned_in_target += in_target;
            }
            QueueEnd::Overflowed | QueueEnd::KeyPressed | QueueEnd::Interrupted | QueueEnd::Failed | QueueEnd::Evacuated => {
                self.flowed_out += 1;
            }
        }
    }

    /// The two counted together.
    #[must_use]
    pub fn and(self, other: Waits) -> Waits {
        Waits {
            offered: self.offered + other.offered,
            answered: self.answered + other.answered,
            answered_in_target: self.answered_in_target + other.answered_in_target,
            abandoned: self.abandoned + other.abandoned,
            abandoned_short: self.abandoned_short + other.abandoned_short,
            abandoned_in_target: self.abandoned_in_target + other.abandoned_in_target,
            flowed_out: self.flowed_out + other.flowed_out,
            waited_ms: self.waited_ms + other.waited_ms,
            all_waited_ms: self.all_waited_ms + other.all_waited_ms,
            longest_ms: self.longest_ms.max(other.longest_ms),
        }
    }

    /// A service level as a share; `None` where it divides by nothing.
    pub fn service_level(&self, which: ServiceLevel) -> Option<f64> {
        let (met, of) = match which {
            ServiceLevel::Strict => (self.answered_in_target, self.offered),
            ServiceLevel::MinusShortAbandons => {
                (self.answered_in_target, (self.answered + self.abandoned).saturating_sub(self.abandoned_short))
            }
            ServiceLevel::MinusAbandonsInTarget => (self.answered_in_target, self.offered.saturating_sub(self.abandoned_in_target)),
            ServiceLevel::AbandonsInTargetCredited => (self.answered_in_target + self.abandoned_in_target, self.answered + self.abandoned),
            ServiceLevel::OfTheAnswered => (self.answered_in_target, self.answered),
        };
        share(met, of)
    }

    /// B / O.
    pub fn abandonment(&self) -> Option<f64> {
        share(self.abandoned, self.offered)
    }

    /// (B − B_s) / (O − B_s): who hung up at once was not waiting.
    pub fn abandonment_without_short(&self) -> Option<f64> {
        share(self.abandoned.saturating_sub(self.abandoned_short), self.offered.saturating_sub(self.abandoned_short))
    }

    /// Average speed of answer, in milliseconds: the waits of the answered by their number.
    pub fn asa_ms(&self) -> Option<f64> {
        share(self.waited_ms, self.answered)
    }
}

/// Occupancy: handling / (handling + available idle).
pub fn occupancy(handling_ms: u64, idle_ms: u64) -> Option<f64> {
    share(handling_ms, handling_ms.saturating_add(idle_ms))
}

/// A share in hundredths of a percent, so that it is a whole number and the same on every screen.
pub fn hundredths(share: Option<f64>) -> Option<u64> {
    share.map(|share| (share * 10_000.0).round() as u64)
}

fn share(met: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| met as f64 / of as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test vector of the definitions.
    const VECTOR: Waits = Waits {
        offered: 100,
        answered: 90,
        answered_in_target: 80,
        abandoned: 10,
        abandoned_short: 3,
        abandoned_in_target: 6,
        flowed_out: 0,
        waited_ms: 900_000,
        all_waited_ms: 950_000,
        longest_ms: 60_000,
    };

    #[test]
    fn every_service_level_is_that_of_its_definition() {
        let levels = ServiceLevel::ALL.map(|which| hundredths(VECTOR.service_level(which)));
        assert_eq!(levels, [8000, 8247, 8511, 8600, 8889].map(Some));
    }

    #[test]
    fn abandonment_and_asa_say_what_they_divide_by() {
        assert_eq!([hundredths(VECTOR.abandonment()), hundredths(VECTOR.abandonment_without_short())], [Some(1000), Some(722)]);
        assert_eq!([hundredths(occupancy(5, 2)), hundredths(occupancy(0, 0))], [Some(7143), None]);
        assert_eq!(VECTOR.asa_ms(), Some(10_000.0));
        assert_eq!(Waits::default().service_level(ServiceLevel::Strict), None, "nobody called: there is no share");
    }

    #[test]
    fn a_wait_counts_by_its_end() {
        let mut waits = Waits { offered: 4, ..Waits::default() };
        waits.ended(QueueEnd::Answered, 20_000, 20_000, 5_000);
        waits.ended(QueueEnd::Answered, 20_001, 20_000, 5_000);
        waits.ended(QueueEnd::Abandoned, 4_999, 20_000, 5_000);
        waits.ended(QueueEnd::Overflowed, 60_000, 20_000, 5_000);
        assert_eq!([waits.answered, waits.answered_in_target, waits.flowed_out], [2, 1, 1]);
        assert_eq!([waits.abandoned, waits.abandoned_short, waits.abandoned_in_target], [1, 1, 1]);
        assert_eq!([waits.waited_ms, waits.all_waited_ms, waits.longest_ms], [40_001, 105_000, 60_000]);
    }
}
