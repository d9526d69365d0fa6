//! When is it measured? What the threads of a run share.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

/// The phases of a run, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Calls come up.
    Ramp,
    /// The measured window.
    Measure,
    /// Everybody reads their counts.
    Collect,
    /// Calls end.
    End,
}

/// Shared by the thread of the callers, which sets the phase, and that of the operators.
#[derive(Debug, Default)]
pub struct Window {
    phase: AtomicU8,
    /// Operators' legs that are up.
    pub talking: AtomicU64,
    /// Rooms in which all three talk.
    pub rooms: AtomicU64,
    /// Operators that are registered.
    pub registered: AtomicU64,
}

impl Window {
    /// The phase at this moment.
    pub fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Acquire) {
            0 => Phase::Ramp,
            1 => Phase::Measure,
            2 => Phase::Collect,
            _ => Phase::End,
        }
    }

    /// Goes on to a phase.
    pub fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Release);
    }
}
