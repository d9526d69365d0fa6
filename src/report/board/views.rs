//! What does a screen draw of the board? Calls, queues and operators as they are, and counts by the definitions.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::centre::fact::EndReason;
use crate::centre::ids::{AgentId, CallId, Language, NumberId, QueueId, ShiftId, SkillId};
use crate::report::alerts::Alert;
use crate::report::steering::SteeringView;
use crate::report::waits::{ServiceLevel, Waits};

use super::scene::Targets;

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
    pub queues: Waits,
}

/// The board as screens draw it. Times in milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct BoardView {
    /// The moment of this view.
    pub at_ms: u64,
    /// From when the counts of today are.
    pub since_ms: u64,
    /// Over how many whole minutes the figures of `window` are made, the one that has begun among them.
    pub window_minutes: u64,
    /// Which service level is told.
    pub measure: ServiceLevel,
    /// The figures of all queues in the window.
    pub window: Figures,
    /// The last two hours by five minutes, the oldest first.
    pub strip: Vec<StripView>,
    /// Calls that are up, all of them.
    pub calls_up: usize,
    /// The oldest 200 of them, in order of arrival.
    pub calls: Vec<CallView>,
    /// The queues by name.
    pub queues: Vec<QueueView>,
    /// The alerts that are on, the oldest first.
    pub alerts: Vec<Alert>,
    /// The operators by name, those who signed in since the process runs.
    pub operators: Vec<OperatorView>,
    /// Who wants a supervisor to come, by name.
    pub help: Vec<HelpView>,
    /// Counts of today.
    pub today: Today,
    /// What supervisors have ordered that holds now.
    pub steering: SteeringView,
    /// Another number where somebody came on shift or left it, or a supervisor has ordered so: who shows the table asks for it again.
    pub shifts_revision: u64,
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
    /// Callers who wait for a callback, without a line.
    pub callbacks: usize,
    /// Counts of today.
    pub counts: Waits,
    /// Callers of today who must be called back.
    pub callbacks_owed: u64,
    /// The figures of the window.
    pub window: Figures,
    /// What its operators must be able to do, besides speaking the caller's language.
    pub skills: Vec<SkillId>,
    /// Who serves it.
    pub staff: Staff,
    /// What is wanted of it.
    pub targets: Targets,
}

/// The figures of the last minutes. Shares in hundredths of a percent, times in milliseconds; nothing where there is nobody of whom one could be said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Figures {
    /// Who entered.
    pub entered: u64,
    /// The counts that the figures are made of: waits that ended in the window, and as offered those, too, that go on for longer than the target.
    pub counts: Waits,
    /// The service level, by the board's measure.
    pub level: Option<u64>,
    /// Of those who were offered, those who hung up (B / O).
    pub abandonment: Option<u64>,
    /// Average speed of answer (ASA).
    pub average_answer_ms: Option<u64>,
    /// Average handling time (AHT): talk, hold and wrap-up of a call.
    pub average_handling_ms: Option<u64>,
    /// Calls that the average handling time is made of.
    pub handled: u64,
    /// Handling / (handling + available idle), of the operators who serve the queue.
    pub occupancy: Option<u64>,
}

/// How many of those on shift who can take a queue's calls do what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Staff {
    /// Take calls.
    pub ready: u32,
    /// Have one, or have it ringing.
    pub talking: u32,
    /// Write one up.
    pub wrap_up: u32,
    /// Are signed in and take none.
    pub away: u32,
}

/// Five minutes of all queues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct StripView {
    /// When they begin.
    pub from_ms: u64,
    /// Who entered a queue.
    pub entered: u64,
    /// Waits that ended.
    pub ended: u64,
    /// Of them those that were answered in target.
    pub in_target: u64,
}

/// A call behind a queue's figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct BehindView {
    /// Its id.
    pub call: CallId,
    /// When its wait ended, or began where it goes on.
    pub at_ms: u64,
    /// For how long it waited, or has waited.
    pub waited_ms: u64,
    /// What became of it.
    pub outcome: Outcome,
    /// Whether the wait was, or still is, within the queue's target.
    pub in_target: bool,
    /// Who answered.
    pub operator: Option<AgentId>,
}

/// What became of a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WaitOutcome)]
pub enum Outcome {
    /// It goes on.
    Waiting,
    /// An operator answered.
    Answered,
    /// The caller hung up.
    Abandoned,
    /// It left the queue in another way.
    FlowedOut,
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
    /// The queue whose call they work on.
    pub queue: Option<QueueId>,
    /// The language of that call.
    pub language: Option<Language>,
    /// What it is about.
    pub topic: Option<String>,
    /// What they can do today, and how well.
    #[schema(value_type = BTreeMap<String, u8>)]
    pub skills: BTreeMap<SkillId, u8>,
    /// What they can do by the settings, where an order of today says otherwise.
    #[schema(value_type = Option<BTreeMap<String, u8>>)]
    pub settled_skills: Option<BTreeMap<SkillId, u8>>,
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
