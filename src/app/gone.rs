//! Which part of the server does its work no more? One that has ended, or one that hangs for so long that nobody can wait for it.

use std::fmt;
use std::time::Duration;

use crate::vitals::{HANGS_MS, Part, Vitals};

/// How long a vital part may hang before it is given up, on machines without a service manager too.
struct Patience {
    /// Since its last beat, in milliseconds.
    age_ms: u64,
    /// Between two looks.
    look: Duration,
    /// So many looks in a row must have found it late: when the whole process was stopped, the first look finds everybody so.
    looks: u32,
}

const PATIENCE: Patience = Patience { age_ms: 3 * HANGS_MS, look: Duration::from_secs(1), looks: 20 };

/// A part that is gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gone {
    /// It has ended, by a panic or without one.
    Ended(Part),
    /// It does not come round any more.
    Hangs(Part),
}

impl fmt::Display for Gone {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Gone::Ended(part) => write!(out, "{part} has ended by a fault"),
            Gone::Hangs(part) => write!(out, "{part} has not come round for {} s", PATIENCE.age_ms / 1_000),
        }
    }
}

/// Resolves when a part is gone.
pub async fn one_is_gone(vitals: Vitals) -> Gone {
    tokio::select! {
        part = vitals.ended() => Gone::Ended(part),
        part = one_hangs(&vitals, &PATIENCE) => Gone::Hangs(part),
    }
}

async fn one_hangs(vitals: &Vitals, patience: &Patience) -> Part {
    let mut looks = tokio::time::interval(patience.look);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut seen = 0;
    loop {
        looks.tick().await;
        let late = vitals.late().into_iter().filter(|late| late.part.is_vital()).max_by_key(|late| late.age_ms);
        seen = if late.is_some() { seen + 1 } else { 0 };
        if let Some(late) = late.filter(|late| late.age_ms >= patience.age_ms && seen >= patience.looks) {
            return late.part;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[tokio::test]
    async fn who_is_late_at_many_looks_is_given_up_and_nobody_else() {
        let vitals = Vitals::with_limit(Clock::of_process(), 50);
        let patience = Patience { age_ms: 100, look: Duration::from_millis(5), looks: 20 };
        let (feeder, engine) = (vitals.pulse(Part::Projection), vitals.pulse(Part::Engine));
        let hung = one_hangs(&vitals, &patience);
        tokio::pin!(hung);
        let beats = async {
            for _ in 0..100 {
                tokio::time::sleep(Duration::from_millis(5)).await;
                engine.beat();
            }
        };
        tokio::select! {
            part = &mut hung => assert_eq!(part, Part::Engine, "only where this machine stood still"),
            () = beats => assert_eq!(hung.await, Part::Engine),
        }
        drop((feeder, engine));
    }
}
