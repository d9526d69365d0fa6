//! How late is it? Two clocks a case, reaction and resolution; overdue is computed from them, never set.

use serde::{Deserialize, Serialize};

use crate::centre::time::Time;

/// One promise in time: due at a moment, kept at another or not yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Clock {
    /// When it is due.
    pub due: Time,
    /// When it was kept; until then it runs, or stands still by a rule that has moved `due`.
    #[serde(default)]
    pub kept: Option<Time>,
}

/// The clocks of a case that was forwarded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Clocks {
    /// Until the organisation takes the case on.
    pub reaction: Clock,
    /// Until it is done.
    pub resolution: Clock,
}

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// Until the organisation takes the case on.
    Reaction,
    /// Until it is done.
    Resolution,
}

impl Clock {
    /// A running clock.
    pub fn until(due: Time) -> Self {
        Self { due, kept: None }
    }

    /// Milliseconds by which the promise is, or was, broken; `None` where it holds.
    pub fn late_ms(self, now: Time) -> Option<u64> {
        Some(self.kept.unwrap_or(now).ms_since(self.due)).filter(|late| *late > 0)
    }

    /// Whether the promise is broken and still owed.
    pub fn is_overdue(self, now: Time) -> bool {
        self.kept.is_none() && now > self.due
    }

    /// The promise is kept; only the first time counts.
    pub fn keep(&mut self, at: Time) {
        self.kept.get_or_insert(at);
    }
}

impl Clocks {
    /// Both clocks running.
    pub fn until(reaction: Time, resolution: Time) -> Self {
        Self { reaction: Clock::until(reaction), resolution: Clock::until(resolution) }
    }

    /// The clock that is overdue: the resolution's before the reaction's, because its breach weighs more.
    pub fn overdue(self, now: Time) -> Option<Which> {
        if self.resolution.is_overdue(now) {
            Some(Which::Resolution)
        } else if self.reaction.is_overdue(now) {
            Some(Which::Reaction)
        } else {
            None
        }
    }

    /// One of the two.
    pub fn of(self, which: Which) -> Clock {
        match which {
            Which::Reaction => self.reaction,
            Which::Resolution => self.resolution,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_is_counted_until_the_promise_is_kept() {
        let mut clock = Clock::until(Time(100));
        assert_eq!((clock.late_ms(Time(100)), clock.late_ms(Time(130))), (None, Some(30)));
        assert!(!clock.is_overdue(Time(100)) && clock.is_overdue(Time(101)));
        clock.keep(Time(120));
        clock.keep(Time(500));
        assert_eq!((clock.late_ms(Time(900)), clock.is_overdue(Time(900))), (Some(20), false));
    }

    #[test]
    fn the_resolution_weighs_more() {
        let clocks = Clocks::until(Time(10), Time(20));
        assert_eq!([10, 11, 21].map(|at| clocks.overdue(Time(at))), [None, Some(Which::Reaction), Some(Which::Resolution)]);
    }
}
