//! What does a screen draw of the board? Calls, queues and operators as they are, and counts by the definitions.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::centre::fact::{EndReason, QueueEnd};
use crate::centre::ids::{AgentId, CallId, Language, NumberId, QueueId, ShiftId};

/// Waits that ended by hanging up before this, in milliseconds, are short abandons (B_s of the definitions).
pub const SHORT_ABANDON_MS: u64 = 5_000;

/// Answered within this, in milliseconds, counts as answered in target (A_T of the definitions).
pub const TARGET_MS: u64 = 20_000;

/// Counts since the start of the day; figures are made of them by the definitions. Spans in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Counts {
    /// Callers who entered the queue (O).
    pub offered: u64,
    /// Answered by an operator (A).
    pub answered: u64,
    /// Answered within [`TARGET_MS`] (A_T).
    pub answered_in_target: u64,
    /// Hung up while waiting (B), the short ones among them.
    pub abandoned: u64,
    /// Hung up before [`SHORT_ABANDON_MS`] (B_s).
    pub abandoned_short: u64,
    /// Left the queue in another way (F).
    pub flowed_out: u64,
    /// The waits of those who were answered, added up.
    pub waited_ms: u64,
    /// The longest wait that ended.
    pub longest_wait_ms: u64,
}

/// Counts of the whole centre since the start of the day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Today {
    /// Calls that came in.
    pub calls: u64,
    /// Calls that are over, by `EndReason`.
    #[schema(value_type = std::collections::BTreeMap<String, u64>)]
    pub ended: BTreeMap<EndReason, u64>,
    /// Offers that nobody took.
    pub offers_missed: u64,
    /// Callers who must be called back.
    pub callbacks_owed: u64,
    /// Calls that operators made to residents.
    pub called_out: u64,
    /// All queues together.
    pub queues: Counts,
}

/// The board as screens draw it. Times in milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct BoardView {
    /// The moment of this view.
    pub at_ms: u64,
    /// From when the counts of today are.
    pub since_ms: u64,
    /// Calls that are up, all of them.
    pub calls_up: usize,
    /// The oldest 200 of them, in order of arrival.
    pub calls: Vec<CallView>,
    /// The queues by name.
    pub queues: Vec<QueueView>,
    /// The operators by name, those who signed in since the process runs.
    pub operators: Vec<OperatorView>,
    /// Who wants a supervisor to come, by name.
    pub help: Vec<HelpView>,
    /// Counts of today.
    pub today: Today,
    /// The last calls, newest first, twenty at most.
    pub last: Vec<EndedView>,
}

/// A call that is up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CallView {
    /// Its id.
    pub call: CallId,
    /// The short number.
    pub number: NumberId,
    /// When it came in.
    pub started_ms: u64,
    /// Since when it is in this state.
    pub since_ms: u64,
    /// The language, once it is settled.
    pub language: Option<Language>,
    /// What it is about.
    pub topic: Option<String>,
    /// `arriving`, `plan`, `waiting`, `offered`, `talking`, `outside`, `transferring` or `calling`.
    #[schema(value_type = String)]
    pub state: &'static str,
    /// The step, queue, operator or service that the state is about.
    pub with: Option<String>,
    /// Whether the sound of one of its lines is lost, in one direction or both.
    pub no_sound: bool,
}

/// A queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct QueueView {
    /// Its name.
    pub queue: QueueId,
    /// Callers waiting, those with an offer among them.
    pub waiting: usize,
    /// Since when the one who waits longest has waited.
    pub longest_since_ms: Option<u64>,
    /// Counts of today.
    pub counts: Counts,
}

/// An operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct OperatorView {
    /// The name.
    pub operator: AgentId,
    /// An `AgentStatus` as a word.
    #[schema(value_type = String)]
    pub state: &'static str,
    /// The reason of a pause.
    pub reason: Option<String>,
    /// The call that is offered or talked in.
    pub call: Option<CallId>,
    /// Since when.
    pub since_ms: u64,
    /// Calls answered today.
    pub answered: u64,
    /// Whether they are on shift; who is not is offered nothing.
    pub on_shift: bool,
    /// The shifts that they are on; nothing for who serves all that they can.
    pub shifts: Vec<ShiftId>,
}

/// An operator who wants a supervisor to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct HelpView {
    /// The name.
    pub operator: AgentId,
    /// In which talk.
    pub call: CallId,
    /// Since when.
    pub since_ms: u64,
}

/// A call that is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct EndedView {
    /// Its id.
    pub call: CallId,
    /// The short number.
    pub number: NumberId,
    /// The language.
    pub language: Option<Language>,
    /// What it was about.
    pub topic: Option<String>,
    /// When it came in.
    pub started_ms: u64,
    /// When it was over.
    pub ended_ms: u64,
    /// Why, as a word.
    #[schema(value_type = String)]
    pub reason: &'static str,
}

impl Counts {
    /// A wait that ended.
    pub(super) fn left(&mut self, how: QueueEnd, waited_ms: u64) {
        self.longest_wait_ms = self.longest_wait_ms.max(waited_ms);
        match how {
            QueueEnd::Answered => {
                self.answered += 1;
                self.answered_in_target += u64::from(waited_ms <= TARGET_MS);
                self.waited_ms = self.waited_ms.saturating_add(waited_ms);
            }
            QueueEnd::Abandoned => {
                self.abandoned += 1;
                self.abandoned_short += u64::from(waited_ms < SHORT_ABANDON_MS);
            }
            QueueEnd::Overflowed | QueueEnd::KeyPressed | QueueEnd::Interrupted | QueueEnd::Failed => self.flowed_out += 1,
        }
    }
}
