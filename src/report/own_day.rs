//! What does an operator see of their own day? Calls, time in talk, hold, wrap-up and pauses, folded from the intervals of their states.

use serde::Serialize;

use crate::centre::time::Time;

/// An interval of the day.
#[derive(Clone, Copy, Debug)]
pub struct Interval<'a> {
    /// An `AgentStatus` as a word.
    pub state: &'a str,
    /// The reason of a pause.
    pub reason: Option<&'a str>,
    /// From when.
    pub from: Time,
    /// Until when, not included.
    pub until: Time,
}

/// A day so far. Spans in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct OwnDay {
    /// Talks with residents.
    pub calls: u64,
    /// Time in them, holds among it.
    pub talk_ms: u64,
    /// Time in which residents were on hold.
    pub hold_ms: u64,
    /// Time in wrap-up.
    pub wrap_up_ms: u64,
    /// Talk and wrap-up of one call, on average; 0 before the first.
    pub handling_ms: u64,
    /// Pauses by their reasons, in the order in which they were first taken.
    pub pauses: Vec<PauseTime>,
    /// When the operator signed in, in milliseconds since the epoch.
    pub began_ms: Option<u64>,
}

/// Pauses of one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PauseTime {
    /// The reason.
    pub reason: String,
    /// How many.
    pub count: u64,
    /// How long, all together.
    pub ms: u64,
}

impl OwnDay {
    /// Takes the next interval in.
    pub fn add(&mut self, interval: &Interval<'_>) {
        let span = interval.until.0.saturating_sub(interval.from.0);
        if interval.state != "offline" {
            self.began_ms.get_or_insert(interval.from.0);
        }
        match interval.state {
            "talking" => {
                self.calls += 1;
                self.talk_ms += span;
            }
            "wrap_up" => self.wrap_up_ms += span,
            "paused" => self.paused(interval.reason.unwrap_or_default(), span),
            _ => {}
        }
        self.handling_ms = (self.talk_ms + self.wrap_up_ms).checked_div(self.calls).unwrap_or(0);
    }

    fn paused(&mut self, reason: &str, span: u64) {
        match self.pauses.iter_mut().find(|known| known.reason == reason) {
            Some(known) => (known.count, known.ms) = (known.count + 1, known.ms + span),
            None => self.pauses.push(PauseTime { reason: reason.to_owned(), count: 1, ms: span }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_adds_up() {
        let mut day = OwnDay::default();
        let states = [
            ("offline", None, 0, 10),
            ("ready", None, 10, 20),
            ("talking", None, 20, 120),
            ("wrap_up", None, 120, 150),
            ("paused", Some("lunch"), 150, 1_000),
            ("talking", None, 1_000, 1_100),
            ("wrap_up", None, 1_100, 1_170),
            ("paused", Some("lunch"), 1_170, 1_180),
        ];
        for (state, reason, from, until) in states {
            day.add(&Interval { state, reason, from: Time(from), until: Time(until) });
        }
        assert_eq!((day.calls, day.talk_ms, day.wrap_up_ms, day.handling_ms, day.began_ms), (2, 200, 100, 150, Some(10)));
        assert_eq!(day.pauses, [PauseTime { reason: "lunch".to_owned(), count: 2, ms: 860 }]);
    }
}
