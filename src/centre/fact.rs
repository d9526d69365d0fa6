//! What happened, for reports and screens? Facts: the only thing that the store, the wallboard and the counts are made of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::credit::CreditFor;
use super::explanation::Explanation;
use super::ids::{
    AgentId, CallId, CallTo, CallerRef, Language, LegId, NoticeId, NumberId, PauseReason, QueueId, RecordingId, ShiftId, SkillId, StepId,
    Supervision, TrunkId,
};
use super::input::{Diverted, Quality};
use super::output::Refusal;
use super::shift::Wanted;
use super::skill::Needs;
use super::steer::Order;
use super::surge::Mode;

/// One thing that happened, at the time of its record. Its identity is (record sequence, place in the record).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Fact {
    /// A call came in at a number of ours.
    CallStarted { call: CallId, number: NumberId, trunk: TrunkId, caller: CallerRef },
    /// It had been sent on to us, for this reason.
    CallDiverted { call: CallId, why: Diverted },
    /// It was answered: the resident hears us.
    CallAnswered { call: CallId },
    /// The language was settled; it is a skill from here on.
    LanguageChosen { call: CallId, caller: CallerRef, language: Language, how: Chosen },
    /// The caller entered a step of the dialplan.
    StepEntered { call: CallId, step: StepId },
    /// The caller pressed a key that the step knows; never one of a private step.
    KeyPressed { call: CallId, step: StepId, key: char },
    /// The caller's way through the plan says what the call is about; the last one counts.
    TopicChosen { call: CallId, topic: String },
    /// The caller entered a queue. The clock of the wait starts here.
    Enqueued { call: CallId, queue: QueueId, language: Language, skills: Vec<SkillId> },
    /// The caller was told the place, and the minutes where they are known.
    PlaceTold { call: CallId, queue: QueueId, place: u32, minutes: Option<u32> },
    /// The call was offered to an operator.
    Offered { call: CallId, queue: QueueId, agent: AgentId, why: Explanation },
    /// The operator's page showed the offer.
    OfferShown { call: CallId, agent: AgentId },
    /// The offer ended.
    OfferEnded { call: CallId, agent: AgentId, how: OfferEnd },
    /// Operator and resident hear each other.
    Connected { call: CallId, queue: QueueId, agent: AgentId, waited_ms: u64 },
    /// The caller left the queue.
    Dequeued { call: CallId, queue: QueueId, how: QueueEnd, waited_ms: u64 },
    /// A leg was dialled, or came in.
    LegStarted { leg: LegId, party: Party },
    /// The far end of the leg answered.
    LegAnswered { leg: LegId },
    /// Nothing arrives from this leg, or it arrives again.
    LegSound { leg: LegId, lost: bool },
    /// The far end of this leg does not hear us, or hears us again.
    LegUnheard { leg: LegId, unheard: bool },
    /// The leg is over.
    LegEnded { leg: LegId, reason: EndReason },
    /// How good the sound of a leg was that is over.
    LegQuality { leg: LegId, quality: Quality },
    /// A recording was started.
    RecordingStarted { recording: RecordingId, agent: Option<AgentId> },
    /// A recording is complete on disk.
    RecordingEnded { recording: RecordingId, length_ms: u64, lost_ms: u64 },
    /// An operator's state changed; the interval of the former one ends here.
    AgentChanged { agent: AgentId, state: AgentStatus },
    /// Somebody who waited could not be kept: they must be called back, with their old place.
    CallbackOwed { call: CallId, caller: CallerRef, queue: QueueId, language: Language, waiting_since_ms: u64 },
    /// The call is over.
    CallEnded { call: CallId, reason: EndReason },
    /// New settings are in force.
    SettingsApplied { revision: u64 },
    /// The centre runs again after so long.
    Restarted { downtime_ms: u64 },
    /// An operator calls a resident, by the rules of this queue; `number` is what the resident is shown.
    CalledOut { call: CallId, number: NumberId, caller: CallerRef, agent: AgentId, queue: QueueId },
    /// The far end of this leg lets the others wait, or is back; at the desk or by its phone.
    Held { leg: LegId, held: bool },
    /// An operator asks somebody while the resident hears music.
    ConsultStarted { call: CallId, agent: AgentId, with: Party },
    /// The consultation, or the conference that it became, is over.
    ConsultEnded { call: CallId, agent: AgentId, how: ConsultEnd },
    /// From here on the far end of this leg has this part in the call, in place of the one before.
    Joined { leg: LegId, party: Party, role: Role },
    /// An operator has given the call away.
    Transferred { call: CallId, agent: AgentId, to: CallTo },
    /// Whom the call was given to did not take it: the resident waits in this queue.
    TransferFailed { call: CallId, queue: QueueId, how: OfferEnd },
    /// A supervisor, or a colleague whose phone replaces the operator's, has taken the operator's place.
    TakenOver { call: CallId, agent: AgentId, from: AgentId },
    /// Another phone of the same operator goes on, on the leg `by`, with what this leg was part of.
    LegReplaced { leg: LegId, by: LegId },
    /// An operator's phone calls a colleague. It is no resident's call: nothing else is told of it but its legs and its end.
    ColleagueCalled { call: CallId, from: AgentId, to: AgentId },
    /// The call between two operators is over.
    ColleagueCallEnded { call: CallId, reason: EndReason },
    /// The caller was told of an incident or of works before they waited.
    NoticeTold { call: CallId, notice: NoticeId },
    /// The caller wants to be told when it is over.
    Subscribed { call: CallId, caller: CallerRef, notice: NoticeId, language: Language },
    /// The operator's state ends by itself then, in milliseconds since the epoch; wrap-up may be extended once.
    StateEnds { agent: AgentId, until_ms: u64, extendable: bool },
    /// The operator wants a supervisor to come to this talk.
    HelpAsked { call: CallId, agent: AgentId },
    /// The operator needs no help in it any more.
    HelpOver { call: CallId, agent: AgentId, how: HelpEnd },
    /// The operator has the resident warned.
    Warned { call: CallId, agent: AgentId },
    /// The warning has been heard, or was cut off.
    WarningOver { call: CallId },
    /// The operator has ended the talk for abuse, and the number is marked for so many days.
    CallerMarked { call: CallId, caller: CallerRef, agent: AgentId, days: u8 },
    /// The operator has paused the recording, or it goes on.
    RecordingPaused { recording: RecordingId, agent: Option<AgentId>, paused: bool },
    /// The page of the operator who talked has lost its sound and has not come back: the resident waits in the queue again.
    PageLost { call: CallId, agent: AgentId, queue: QueueId },
    /// The caller waits in this ring of the queue, counted from 0, by the time or by new settings: from here on the operator must be able to
    /// do this.
    RingReached { call: CallId, queue: QueueId, ring: u32, needed: Needs },
    /// The caller counts as waiting for so many milliseconds more, or less, than they do.
    Credited { call: CallId, queue: QueueId, credit_ms: i64, of: Vec<CreditFor> },
    /// The caller was told that others, whose matter is more pressing, were put before them since the place was told last.
    PutBehind { call: CallId, queue: QueueId, from: u32, to: u32 },
    /// A supervisor has decided about somebody's shift, until then.
    ShiftOrdered { agent: AgentId, wanted: Wanted, until_ms: u64, by: String, reason: String },
    /// An operator's shift has begun or ended, by the clock, an order or new settings; no shift is named for who serves all that they can.
    ShiftChanged { agent: AgentId, is_on: bool, shifts: Vec<ShiftId> },
    /// The caller was asked something, kept the place, and waits on.
    WaitsOn { call: CallId, queue: QueueId },
    /// The caller was promised a callback and waits without a line, at the place of before.
    CallbackStands { call: CallId, to: CallerRef, queue: QueueId, language: Language, waiting_since_ms: u64 },
    /// A wish for a callback was refused, and the caller was told so.
    CallbackRefused { call: CallId, queue: QueueId, why: CallbackRefusal },
    /// An operator is on the line and the number is called, for this time, counted from 1.
    CallbackDialled { call: CallId, agent: AgentId, attempt: u8 },
    /// Nobody was reached this time; the next time is not before then, in milliseconds since the epoch, and `None` where there is none.
    CallbackTried { call: CallId, attempt: u8, why: EndReason, again_ms: Option<u64> },
    /// No callback stands any more for this call.
    CallbackEnded { call: CallId, how: CallbackEnd },
    /// A supervisor has ordered this; what lasts does so until then.
    Steered {
        order: Order,
        until_ms: Option<u64>,
        by: String,
        reason: String,
        /// Why the state that was ordered cannot be; then nothing has changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refused: Option<Refusal>,
    },
    /// A queue's mode from here on; without an author by its rule.
    QueueModeChanged { queue: QueueId, mode: Mode, until_ms: Option<u64>, by: Option<String>, reason: Option<String> },
    /// What an operator does from here on in place of what the settings say; nothing: as they say.
    AbleToday { agent: AgentId, levels: BTreeMap<SkillId, u8>, queues: BTreeMap<QueueId, bool>, until_ms: Option<u64> },
    /// All leave the building, or may come back.
    EvacuationChanged { on: bool, by: String, reason: String },
}

/// Why nobody is promised a callback.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum CallbackRefusal {
    /// As many stand as may.
    Full,
    /// One stands for the same number in the same queue.
    StandsAlready,
}

/// How a callback ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum CallbackEnd {
    /// The resident answered.
    Reached,
    /// Nobody answered however often: it is owed, for somebody to look after.
    NotReached,
    /// The resident called again, and was answered.
    CalledAgain,
    /// The call could not be kept: it is owed.
    Lost,
}

impl CallbackEnd {
    /// The ending as a word for screens and the database.
    pub fn word(self) -> &'static str {
        match self {
            CallbackEnd::Reached => "reached",
            CallbackEnd::NotReached => "not_reached",
            CallbackEnd::CalledAgain => "called_again",
            CallbackEnd::Lost => "lost",
        }
    }
}

/// How a wish for help ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum HelpEnd {
    /// The operator took it back.
    Done,
    /// A supervisor takes part in the talk.
    Came,
    /// The operator does not talk in that call any more.
    TalkOver,
}

/// Which part somebody who was called in has. Who answers a call of the queue is told by `Connected`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Role {
    /// The one with whom the resident talks.
    Partner,
    /// Is asked by the operator; the resident hears music.
    Consultant,
    /// The third in a conference.
    Guest,
    /// A supervisor.
    Supervisor(Supervision),
}

/// How a consultation ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum ConsultEnd {
    /// The operator let the consultant go.
    Ended,
    /// The consultant talks with the resident, the operator has left.
    Completed,
    /// The operator left while the consultant still rang: it rings on for the resident.
    HandedOn,
    /// The consultant did not take part, as with an offer.
    NotTaken(OfferEnd),
    /// The consultant hung up.
    ConsultantGone,
    /// The call ended, or went elsewhere.
    CallOver,
}

/// How a language was settled.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Chosen {
    /// By a key.
    Key,
    /// From the caller's last call.
    Remembered,
    /// By the dialplan, because no key came.
    Default,
}

/// How an offer ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum OfferEnd {
    /// The operator took the call.
    Answered,
    /// The operator refused it.
    Declined,
    /// Nobody answered in time.
    NoAnswer,
    /// The phone refused with this SIP status, or could not be reached (408, 480).
    Failed(u16),
    /// The caller hung up.
    CallerGone,
    /// The operator left, or their phone did.
    AgentGone,
}

/// How a caller left a queue.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum QueueEnd {
    /// An operator answered.
    Answered,
    /// The caller hung up.
    Abandoned,
    /// The queue's rule sent the caller elsewhere: too long a wait, or too many waiting.
    Overflowed,
    /// A key took the caller out of the queue.
    KeyPressed,
    /// The process ended; a callback is owed.
    Interrupted,
    /// The call could not be kept: media or signalling failed.
    Failed,
    /// The centre was evacuated; a callback is owed.
    Evacuated,
}

/// Who is at the far end of a leg.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Party {
    /// The resident who called.
    Resident,
    /// An operator.
    Agent(AgentId),
    /// A service or number outside, by the name that the dialplan gives it ("112").
    Outside(String),
    /// Somebody outside, by the reference of their number.
    Number(CallerRef),
}

/// What an operator is doing.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum AgentStatus {
    /// Not signed in.
    Offline,
    /// Takes calls.
    Ready,
    /// Has this call ringing.
    Offered(CallId),
    /// Talks in this call.
    Talking(CallId),
    /// Writes down what the last call was.
    WrapUp,
    /// Takes no calls, because.
    Paused(PauseReason),
    /// Did not answer an offer; must say "ready" again.
    NotResponding,
    /// Takes part in this call as a supervisor.
    Supervising(CallId),
    /// Calls a colleague in this call, is called by one, or talks with one.
    Internal(CallId),
}

/// Why a call or a leg ended: one list for reports, metrics and screens.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum EndReason {
    /// The resident hung up after talking with an operator.
    CallerHungUp,
    /// The resident hung up while the plan spoke.
    LeftInMenu,
    /// The resident hung up while waiting.
    Abandoned,
    /// The operator hung up.
    OperatorHungUp,
    /// The plan came to its end.
    PlanEnded,
    /// The outside party hung up, or could not be reached.
    OutsideEnded,
    /// Another leg of the same attempt won.
    AnsweredElsewhere,
    /// The leg was given up before its far end answered.
    GivenUp,
    /// The far end refused.
    Refused,
    /// The number is none of ours.
    UnknownNumber,
    /// Too many calls, or the process is draining.
    Overloaded,
    /// The session description could not be used.
    MediaFailed,
    /// No sound arrived for too long.
    NoSound,
    /// Signalling failed: no ACK, a lost connection.
    SignallingFailed,
    /// A shell could not take an order for it.
    ShellLost,
    /// The process ended while it was up.
    Interrupted,
    /// Handling it failed; the fault is in the log.
    Poisoned,
    /// The call went on with somebody else.
    Transferred,
    /// The consultation was over.
    ConsultOver,
    /// A supervisor took the operator's place.
    TakenOver,
    /// The supervisor left, or the talk was over.
    SupervisionOver,
    /// The resident or the colleague whom an operator called could not be reached.
    NotReached,
    /// Another phone of the same operator goes on with it.
    Replaced,
    /// The operator ended it because the resident was abusive.
    Abuse,
    /// The centre was evacuated.
    Evacuated,
}

impl EndReason {
    /// The reason as a word for metrics and the database.
    pub fn word(self) -> &'static str {
        match self {
            EndReason::CallerHungUp => "caller_hung_up",
            EndReason::LeftInMenu => "left_in_menu",
            EndReason::Abandoned => "abandoned",
            EndReason::OperatorHungUp => "operator_hung_up",
            EndReason::PlanEnded => "plan_ended",
            EndReason::OutsideEnded => "outside_ended",
            EndReason::AnsweredElsewhere => "answered_elsewhere",
            EndReason::GivenUp => "given_up",
            EndReason::Refused => "refused",
            EndReason::UnknownNumber => "unknown_number",
            EndReason::Overloaded => "overloaded",
            EndReason::MediaFailed => "media_failed",
            EndReason::NoSound => "no_sound",
            EndReason::SignallingFailed => "signalling_failed",
            EndReason::ShellLost => "shell_lost",
            EndReason::Interrupted => "interrupted",
            EndReason::Poisoned => "poisoned",
            EndReason::Transferred => "transferred",
            EndReason::ConsultOver => "consult_over",
            EndReason::TakenOver => "taken_over",
            EndReason::SupervisionOver => "supervision_over",
            EndReason::NotReached => "not_reached",
            EndReason::Replaced => "replaced",
            EndReason::Abuse => "abuse",
            EndReason::Evacuated => "evacuated",
        }
    }
}

impl QueueEnd {
    /// The ending as a word for metrics, screens and the database.
    pub fn word(self) -> &'static str {
        match self {
            QueueEnd::Answered => "answered",
            QueueEnd::Abandoned => "abandoned",
            QueueEnd::Overflowed => "overflowed",
            QueueEnd::KeyPressed => "key_pressed",
            QueueEnd::Interrupted => "interrupted",
            QueueEnd::Failed => "failed",
            QueueEnd::Evacuated => "evacuated",
        }
    }
}

impl OfferEnd {
    /// The ending as a word for metrics, screens and the database; the SIP status of a failure stays in the fact.
    pub fn word(self) -> &'static str {
        match self {
            OfferEnd::Answered => "answered",
            OfferEnd::Declined => "declined",
            OfferEnd::NoAnswer => "no_answer",
            OfferEnd::Failed(_) => "failed",
            OfferEnd::CallerGone => "caller_gone",
            OfferEnd::AgentGone => "agent_gone",
        }
    }
}

impl Role {
    /// The part as a word for screens and the database.
    pub fn word(self) -> &'static str {
        match self {
            Role::Partner => "partner",
            Role::Consultant => "consultant",
            Role::Guest => "guest",
            Role::Supervisor(Supervision::Monitor) => "monitor",
            Role::Supervisor(Supervision::Whisper) => "whisper",
            Role::Supervisor(Supervision::Barge) => "barge",
        }
    }
}

impl ConsultEnd {
    /// The ending as a word for metrics, screens and the database.
    pub fn word(self) -> &'static str {
        match self {
            ConsultEnd::Ended => "ended",
            ConsultEnd::Completed => "completed",
            ConsultEnd::HandedOn => "handed_on",
            ConsultEnd::NotTaken(how) => how.word(),
            ConsultEnd::ConsultantGone => "consultant_gone",
            ConsultEnd::CallOver => "call_over",
        }
    }
}

impl AgentStatus {
    /// The state as a word for metrics, screens, the database and explanations.
    pub fn word(&self) -> &'static str {
        match self {
            AgentStatus::Offline => "offline",
            AgentStatus::Ready => "ready",
            AgentStatus::Offered(_) => "offered",
            AgentStatus::Talking(_) => "talking",
            AgentStatus::WrapUp => "wrap_up",
            AgentStatus::Paused(_) => "paused",
            AgentStatus::NotResponding => "not_responding",
            AgentStatus::Supervising(_) => "supervising",
            AgentStatus::Internal(_) => "internal",
        }
    }
}

impl AgentStatus {
    /// Why the operator pauses.
    pub fn pause_reason(&self) -> Option<&PauseReason> {
        match self {
            AgentStatus::Paused(reason) => Some(reason),
            AgentStatus::Offline
            | AgentStatus::Ready
            | AgentStatus::Offered(_)
            | AgentStatus::Talking(_)
            | AgentStatus::WrapUp
            | AgentStatus::NotResponding
            | AgentStatus::Supervising(_)
            | AgentStatus::Internal(_) => None,
        }
    }

    /// The call that the state is about.
    pub fn call(&self) -> Option<CallId> {
        match self {
            AgentStatus::Offered(call) | AgentStatus::Talking(call) | AgentStatus::Supervising(call) | AgentStatus::Internal(call) => {
                Some(*call)
            }
            AgentStatus::Offline | AgentStatus::Ready | AgentStatus::WrapUp | AgentStatus::Paused(_) | AgentStatus::NotResponding => None,
        }
    }
}
