//! Does an address of a trunk answer? What OPTIONS and failed calls say of it, with hysteresis, so that one lost packet moves no call.

use crate::centre::time::Time;

use super::clients::ClientId;

/// So many failures in a row take an address out, and so many answers bring it back.
const IN_A_ROW: u8 = 2;
/// An address that answers otherwise than before is asked again after this, in milliseconds.
const SOON_MS: u64 = 5_000;
/// How long an answer may take, in milliseconds.
const PATIENCE_MS: u64 = 4_000;

/// The state of one address. It counts as up until it has failed.
#[derive(Clone, Debug)]
pub struct Health {
    up: bool,
    /// Signs in a row that it is otherwise.
    signs: u8,
    /// Between two checks, in milliseconds; 0 for none: then it is always up.
    every_ms: u64,
    phase: Phase,
}

#[derive(Clone, Debug)]
enum Phase {
    Due(Time),
    Asked { client: ClientId, until: Time },
}

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Nothing, until then; `None` for never.
    Wait(Option<Time>),
    /// OPTIONS.
    Ask,
    /// Nothing more is expected of this request.
    GiveUp(ClientId),
}

impl Health {
    /// Of an address that is asked every so many milliseconds from now on, 0 for never.
    pub fn new(now: Time, every_ms: u64) -> Health {
        Health { up: true, signs: 0, every_ms, phase: Phase::Due(now) }
    }

    /// Whether calls may go there.
    pub fn is_up(&self) -> bool {
        self.up
    }

    /// What is due.
    pub fn step(&self, now: Time) -> Step {
        match self.phase {
            _ if self.every_ms == 0 => Step::Wait(None),
            Phase::Due(at) if at <= now => Step::Ask,
            Phase::Asked { client, until } if until <= now => Step::GiveUp(client),
            Phase::Due(at) | Phase::Asked { until: at, .. } => Step::Wait(Some(at)),
        }
    }

    /// It is being asked.
    pub fn asked(&mut self, now: Time, client: ClientId) {
        self.phase = Phase::Asked { client, until: now.plus_ms(PATIENCE_MS.min(self.every_ms)) };
    }

    /// Whether it is asked by this request.
    pub fn is_asked_by(&self, of: ClientId) -> bool {
        matches!(self.phase, Phase::Asked { client, .. } if client == of)
    }

    /// It has answered its check, or has not; returns whether it is up or down from here on where that changed.
    pub fn heard(&mut self, now: Time, alive: bool) -> Option<bool> {
        let changed = self.sign(alive);
        let pause = if self.signs > 0 { SOON_MS.min(self.every_ms) } else { self.every_ms };
        self.phase = Phase::Due(now.plus_ms(pause));
        changed
    }

    /// A call did not reach it. Without checks nothing would ever bring it back, so that it then counts for nothing.
    pub fn failed_a_call(&mut self, now: Time) -> Option<bool> {
        if self.every_ms == 0 {
            return None;
        }
        if let Phase::Due(at) = self.phase {
            self.phase = Phase::Due(at.min(now.plus_ms(SOON_MS)));
        }
        self.sign(false)
    }

    fn sign(&mut self, alive: bool) -> Option<bool> {
        self.signs = if alive == self.up { 0 } else { self.signs + 1 };
        if self.signs < IN_A_ROW {
            return None;
        }
        (self.up, self.signs) = (alive, 0);
        Some(alive)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sign_changes_nothing() {
        let mut health = Health::new(Time(0), 30_000);
        assert_eq!(health.step(Time(0)), Step::Ask);
        assert_eq!(health.heard(Time(0), false), None);
        assert_eq!(health.step(Time(1)), Step::Wait(Some(Time(SOON_MS))), "asked again soon");
        assert_eq!(health.heard(Time(1), true), None);
        assert_eq!([health.heard(Time(2), false), health.heard(Time(3), false)], [None, Some(false)]);
        assert!(!health.is_up());
        assert_eq!(
            [health.heard(Time(4), true), health.heard(Time(5), false), health.heard(Time(6), true), health.heard(Time(7), true)],
            [None, None, None, Some(true)]
        );
        assert_eq!(health.step(Time(8)), Step::Wait(Some(Time(30_007))));
    }

    #[test]
    fn calls_count_where_checks_can_bring_it_back() {
        let mut health = Health::new(Time(0), 30_000);
        health.heard(Time(0), true);
        assert_eq!([health.failed_a_call(Time(1)), health.failed_a_call(Time(2))], [None, Some(false)]);
        assert_eq!(health.step(Time(2)), Step::Wait(Some(Time(1 + SOON_MS))));
        let mut unwatched = Health::new(Time(0), 0);
        assert_eq!([unwatched.failed_a_call(Time(1)), unwatched.failed_a_call(Time(2))], [None, None]);
        assert!(unwatched.is_up() && unwatched.step(Time(9)) == Step::Wait(None));
    }
}
