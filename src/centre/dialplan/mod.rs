//! What happens to a caller of a short number? A plan: checked steps that `ivr.rs` walks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ids::{CalendarId, Language, NumberId, PromptId, QueueId, StepId};
use super::input::Digit;

mod check;
mod fault;
mod fields;
mod graph;
mod read;
#[cfg(test)]
mod tests;

pub use fault::PlanError;
pub use graph::{Edge, Fault, Graph, Node, graph};
pub use read::{Vocabulary, read};

/// The checked plan of one short number. Every step, queue, calendar and prompt that it names exists.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The short number, as dialled.
    pub number: NumberId,
    /// Its name for screens ("iKomek 109").
    pub title: String,
    /// The languages spoken, the first is the one for callers who choose none.
    pub languages: Vec<Language>,
    /// Where a call begins.
    pub start: StepId,
    /// Keys that work in every step that listens, the queue included ("0" for 112, "*" for another language).
    pub keys: BTreeMap<Digit, StepId>,
    /// The steps.
    pub steps: BTreeMap<StepId, Step>,
    /// Where callers go from the step of a queue that takes nobody new.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub closed: BTreeMap<StepId, StepId>,
    /// The shorter ways from menus and queues while there is a rush.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub surge: BTreeMap<StepId, StepId>,
}

impl Plan {
    /// The queues that its callers may come to.
    pub fn queues(&self) -> impl Iterator<Item = &QueueId> {
        self.steps.values().filter_map(|step| match &step.action {
            Action::Queue { queue, .. } | Action::Callback { queue, .. } => Some(queue),
            Action::Play { .. }
            | Action::Language { .. }
            | Action::Menu { .. }
            | Action::Hours { .. }
            | Action::Dial { .. }
            | Action::HangUp { .. } => None,
        })
    }
}

/// One step of a plan.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Step {
    /// What the caller's report is about from here on, for the operator's screen.
    pub topic: Option<String>,
    /// What is done.
    pub action: Action,
}

/// What a step does.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Action {
    /// Speak, then go on. With `repeat` the sounds start over until a key, which leads to `next`, or a hang-up.
    Play { say: Vec<Spoken>, repeat: bool, next: StepId },
    /// Let the caller choose the language. Skipped, when entered from another step and not by a key, for a caller whose last choice is known.
    Language { say: Vec<Spoken>, keys: BTreeMap<Digit, Language>, wait_ms: u64, tries: u8, otherwise: Language, next: StepId },
    /// Let the caller choose a step. `wrong` is said after a key without a meaning; no key at all goes to `otherwise` after `tries`.
    Menu { say: Vec<Spoken>, keys: BTreeMap<Digit, StepId>, wait_ms: u64, tries: u8, wrong: Vec<Spoken>, otherwise: StepId },
    /// Go on by the opening hours.
    Hours { calendar: CalendarId, open: StepId, closed: StepId },
    /// Wait for an operator. `overflow` is for a full queue or too long a wait. Before that, whom an incident or works concern is told of
    /// them (see [`super::notice`]); `subscribed` is for who presses "1" then, where they do not go on to the queue.
    Queue {
        queue: QueueId,
        overflow: Option<StepId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subscribed: Option<StepId>,
        /// By so much longer its callers count as waiting, in milliseconds.
        #[serde(default, skip_serializing_if = "is_zero")]
        credit_ms: u64,
        /// The callback step to which "1" leads a caller who waits.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        callback: Option<StepId>,
    },
    /// Ask whether the caller wants to be called back in this queue's turn, and at which number. Who does keeps the place and waits without a
    /// line; who does not, or says nothing `tries` times, goes to `otherwise`.
    Callback { queue: QueueId, wait_ms: u64, tries: u8, otherwise: StepId },
    /// Hand the call over to a service outside ("112"), at a SIP address or at a number of the default trunk.
    Dial { say: Vec<Spoken>, party: String, address: String, record: bool, failed: StepId },
    /// Speak, then end the call.
    HangUp { say: Vec<Spoken> },
}

fn is_zero(ms: &u64) -> bool {
    *ms == 0
}

/// Something a step says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Spoken {
    /// A text, in the given language or else in the caller's.
    Prompt { id: PromptId, language: Option<Language> },
    /// A pause in milliseconds.
    Silence { ms: u32 },
}
