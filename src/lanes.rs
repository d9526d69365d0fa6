//! How do inputs reach the engine? Over two bounded lanes, so that a hang-up never waits behind a flood of new calls.

use tokio::sync::mpsc;

use crate::centre::input::{FromLine, FromMedia, Input};
use crate::keying::Keying;

/// New calls are shed with 503 when the common lane holds this share of its places or more.
const SHED_NEW_CALLS_ABOVE: f64 = 0.5;

/// The sending end: cheap to clone, never blocks, usable from any thread.
#[derive(Clone)]
pub struct Inputs {
    reserved: mpsc::Sender<Input>,
    common: mpsc::Sender<Input>,
    keying: Keying,
}

/// The engine's end.
pub struct InputLanes {
    /// Hang-ups, digits, endings: handled first.
    pub reserved: mpsc::Receiver<Input>,
    /// Everything else.
    pub common: mpsc::Receiver<Input>,
}

/// The lane of this input is full; the sender must shed the call or close the leg, and count it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the engine's input lane is full: shed load, or give the process more CPU")]
pub struct LaneFull;

/// Both lanes, each with room for `places` inputs.
pub fn lanes(places: usize) -> (Inputs, InputLanes) {
    let (reserved, reserved_rx) = mpsc::channel(places);
    let (common, common_rx) = mpsc::channel(places);
    (Inputs { reserved, common, keying: Keying::default() }, InputLanes { reserved: reserved_rx, common: common_rx })
}

impl Inputs {
    /// Hands an input to the engine. When its lane is full nothing is kept and the sender is told.
    pub fn send(&self, input: Input) -> Result<(), LaneFull> {
        // Keys of a number stay here.
        let input = self.keying.instead_of(input);
        let lane = if is_urgent(&input) { &self.reserved } else { &self.common };
        lane.try_send(input).map_err(|_| {
            metrics::counter!("cityline_inputs_lost_total").increment(1);
            LaneFull
        })
    }

    /// What becomes of keys that are a number.
    pub fn keying(&self) -> &Keying {
        &self.keying
    }

    /// Whether a new call may be offered to the engine; false means 503 before anything is done for it.
    pub fn has_room_for_calls(&self) -> bool {
        let free = self.common.capacity() as f64;
        free > self.common.max_capacity() as f64 * (1.0 - SHED_NEW_CALLS_ABOVE)
    }
}

/// Whether an input takes the reserved lane. Endings and digits: what frees people and callers must not wait.
pub fn is_urgent(input: &Input) -> bool {
    matches!(
        input,
        Input::Line(FromLine::HungUp { .. } | FromLine::Refused { .. } | FromLine::Digit { .. })
            | Input::Media(FromMedia::Digit { .. } | FromMedia::Failed { .. })
            | Input::ShellLost { .. }
            | Input::Keyed { .. }
            | Input::DrainStarted
            | Input::Stopping
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::centre::ids::{CallId, LegId};
    use crate::centre::input::HangUpCause;

    #[test]
    fn a_hang_up_passes_a_full_common_lane() {
        let (inputs, mut ends) = lanes(2);
        inputs.send(Input::DeadlineReached).unwrap();
        assert!(!inputs.has_room_for_calls());
        inputs.send(Input::DeadlineReached).unwrap();
        assert_eq!(inputs.send(Input::DeadlineReached), Err(LaneFull));
        let leg = LegId::caller(CallId(1));
        inputs.send(Input::Line(FromLine::HungUp { leg, cause: HangUpCause::Bye })).unwrap();
        assert!(ends.reserved.try_recv().is_ok());
    }
}
