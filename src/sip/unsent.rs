//! What must the engine still hear that found its lane full? Kept in order, one queue a lane, so that no hang-up waits behind what its own lane would take.

use std::collections::VecDeque;

use crate::centre::input::Input;
use crate::lanes::{Inputs, is_urgent};

use super::exchange::MOST_LEGS;

/// Inputs that a queue keeps, one ending a leg and some; what comes on top is lost and counted.
const MOST: usize = 2 * MOST_LEGS;

/// Inputs that wait for their lane.
#[derive(Default)]
pub struct Unsent {
    urgent: VecDeque<Input>,
    others: VecDeque<Input>,
}

impl Unsent {
    /// Hands an input over, or keeps it behind those of its lane that wait already.
    pub fn tell(&mut self, inputs: &Inputs, input: Input) {
        let queue = if is_urgent(&input) { &mut self.urgent } else { &mut self.others };
        if queue.is_empty() && inputs.send(input.clone()).is_ok() {
            return;
        }
        if queue.len() < MOST {
            queue.push_back(input);
        } else {
            metrics::counter!("cityline_sip_reports_lost_total").increment(1);
        }
    }

    /// Tries again, each lane for itself.
    pub fn send(&mut self, inputs: &Inputs) {
        for queue in [&mut self.urgent, &mut self.others] {
            while let Some(input) = queue.front() {
                if inputs.send(input.clone()).is_err() {
                    break;
                }
                queue.pop_front();
            }
        }
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.urgent.is_empty() && self.others.is_empty()
    }
}
