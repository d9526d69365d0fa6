//! Who must be called back? Callers who waited and could not be kept, with their old place.

use serde::{Deserialize, Serialize};

use super::Centre;
use super::fact::Fact;
use super::ids::{CallId, CallerRef};
use super::queue::Wait;

/// Callbacks remembered by the core at most; all of them are in the store, by their facts.
const KEPT: usize = 10_000;

/// A callback that is owed. The call's id makes it one of a kind: it is never owed twice.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Callback {
    /// The call in which the caller waited.
    pub call: CallId,
    /// Whom to call.
    pub caller: CallerRef,
    /// The place and age that they keep.
    pub wait: Wait,
}

impl Centre {
    /// Notes that this waiting caller is to be called back. Who withholds their number cannot be.
    pub(super) fn owe_callback(&mut self, call: CallId, caller: CallerRef, wait: Wait) {
        if caller.is_withheld() || self.callbacks.contains_key(&call) {
            return;
        }
        if self.callbacks.len() >= KEPT {
            self.callbacks.pop_first();
        }
        self.out.fact(Fact::CallbackOwed {
            call,
            caller,
            queue: wait.queue.clone(),
            language: wait.language,
            waiting_since_ms: wait.since.0.saturating_sub(wait.before_ms),
        });
        self.callbacks.insert(call, Callback { call, caller, wait });
    }
}
