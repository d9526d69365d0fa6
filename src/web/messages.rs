//! What do a desk's page and the server say to each other? Every message there is, as JSON with its `type`.

use serde::{Deserialize, Serialize};

use crate::centre::explanation::Explanation;
use crate::centre::fact::{AgentStatus, Role};
use crate::centre::ids::{AgentId, CallId, Generation, Language, NumberId, QueueId, Supervision};
use crate::centre::output::{Offer, Refusal, Stands};
use crate::centre::settings::Device;
use crate::centre::steer::Order;
use crate::private::Private;
use crate::report::board::BoardView;
use crate::store::Draft;

use super::desks::Seen;
use super::orders::Given;
use super::own_day::DayView;
use super::shifts::OrderWanted;
use super::story::StoryView;

/// From the page. Every wish names what it is about; the server decides.
#[derive(Clone, Debug, PartialEq, Deserialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum FromPage {
    /// "Tell me everything": after a gap in the numbers of the events.
    Hello {
        /// The last event that the page has seen.
        last_event: Option<u64>,
    },
    /// I take calls.
    Ready,
    /// I take no calls, because.
    Pause { reason: String },
    /// The shift is over.
    SignOut,
    /// The offer is on the screen.
    OfferShown { call: CallId },
    /// I take the call.
    Accept { call: CallId },
    /// I do not take it.
    Decline { call: CallId },
    /// End the talk.
    HangUp { call: CallId },
    /// Nothing is left to write down.
    WrapUpDone,
    /// The answer to [`ToPage::Echo`]: the page itself is alive, not just its browser.
    Echo { n: u32 },
    /// The page's own description (SDP, whole: candidates need not be told) of the sound that it wants to exchange. [`ToPage::Sound`] answers.
    /// A page offers once, before it says ready, and anew when its connection has failed.
    Sound {
        #[schema(value_type = String)]
        sdp: Private<String>,
    },
    /// Write a case. `draft` is the form's own name: sent again, it makes no second case.
    WriteCase {
        call: CallId,
        topic: String,
        #[schema(value_type = String)]
        text: Private<String>,
        draft: String,
    },
    /// The resident waits with music.
    Hold { call: CallId },
    /// The resident is back.
    Resume { call: CallId },
    /// Ask somebody while the resident hears music.
    Consult { call: CallId, with: Whom },
    /// The consultant takes the resident.
    CompleteConsult { call: CallId },
    /// The consultant is let go.
    EndConsult { call: CallId },
    /// All three talk.
    Conference { call: CallId },
    /// Give the call away.
    Transfer { call: CallId, to: Whom },
    /// Call a resident, by the rules of a queue and under a number of the city, or the first of each.
    CallOut {
        #[schema(value_type = String)]
        number: Private<String>,
        queue: Option<QueueId>,
        shown: Option<NumberId>,
    },
    /// A supervisor listens, whispers or joins, for a reason that names no resident; it is on record before it happens.
    Monitor {
        call: CallId,
        mode: Supervision,
        #[schema(min_length = 1, max_length = 200)]
        reason: String,
    },
    /// A supervisor who listens takes the call, for a reason.
    TakeOver {
        call: CallId,
        #[schema(min_length = 1, max_length = 200)]
        reason: String,
    },
    /// A supervisor leaves the talk.
    StopMonitor { call: CallId },
    /// Keys for a machine at the other end, 32 at most: 0–9, `*`, `#`, A–D. They reach whom I have asked, else the resident.
    Digits { call: CallId, digits: String },
    /// More time to write things down, once a wrap-up.
    ExtendWrapUp,
    /// A supervisor shall come to my talk.
    AskHelp { call: CallId },
    /// I need no help any more.
    HelpDone,
    /// The resident hears a warning in their language.
    Warn { call: CallId },
    /// The call ends after a last word, and the number is marked for 1 to 90 days.
    EndAbuse {
        call: CallId,
        #[schema(minimum = 1, maximum = 90)]
        days: u8,
    },
    /// Silence is recorded, for two minutes at most.
    PauseRecording { call: CallId },
    /// The recording goes on.
    ResumeRecording { call: CallId },
    /// Keep this form for me: 32 KB of JSON at most, for a week or until its case or contact is written. `draft` is its own name.
    SaveDraft {
        draft: String,
        call: Option<CallId>,
        #[schema(value_type = Object)]
        content: serde_json::Value,
    },
    /// The form was given up.
    DropDraft { draft: String },
    /// A supervisor moves somebody between shifts, adds them or sends them home.
    OrderShift { order: OrderWanted },
    /// A supervisor orders what holds now.
    Order { order: Given },
}

/// Whom a page asks for: `{"operator":"olena"}`, `{"number":"+7…"}`.
#[derive(Clone, Debug, PartialEq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Whom {
    /// Whoever of a queue is free.
    Queue(QueueId),
    /// An operator.
    Operator(AgentId),
    /// A service of the dialplans, by its name there.
    Service(String),
    /// A number outside, as typed.
    #[schema(value_type = String)]
    Number(Private<String>),
}

/// To the page, in a [`Frame`].
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToPage {
    /// The socket is open; what follows is the whole state.
    Welcome { operator: AgentId, generation: Generation, pause_reasons: Vec<String>, speaks_by: SpeaksBy, now_ms: u64 },
    /// What the operator is doing, since when and until when it would go on by itself (milliseconds since the epoch). The end is told by a
    /// second message, at once after the first.
    State {
        state: Doing,
        reason: Option<String>,
        call: Option<CallId>,
        since_ms: u64,
        until_ms: Option<u64>,
        /// Wrap-up can be extended.
        extendable: bool,
    },
    /// A call; `ringing` is false for one that was taken and is shown again after a reload.
    Offer {
        call: CallId,
        queue: QueueId,
        language: Language,
        topic: Option<String>,
        waited_ms: u64,
        rings_ms: u64,
        why: Box<Explanation>,
        ringing: bool,
        /// The colleague who asks, or who gives the call away; the operator's own name for a call to a resident.
        #[serde(skip_serializing_if = "Option::is_none")]
        from: Option<AgentId>,
        /// It is accepted by itself, some moments after the page has said that it shows it.
        auto_answer: bool,
        /// The number of the city that was called, or from which a resident is called.
        number: Option<NumberId>,
        /// The caller's number, but for its last two digits.
        calls_from: Option<String>,
        /// Nobody is on the line yet: the resident is called once the operator is.
        #[serde(skip_serializing_if = "Option::is_none")]
        callback: Option<CallbackOffered>,
    },
    /// Who calls, and what is known of them.
    Context { call: CallId, story: Box<StoryView> },
    /// The offer no longer rings.
    OfferGone { call: CallId },
    /// What became of the call that this operator works on.
    CallState { call: CallId, state: CallNow },
    /// To who works on the call: a supervisor takes part in it, or does so no more. Sent where that is the policy.
    Supervised { call: CallId, by: AgentId, how: Attends },
    /// The recording of this call is paused, or goes on.
    Recording { call: CallId, paused: bool },
    /// A wish that cannot be, and what can be done.
    Refused {
        what: String,
        #[schema(value_type = String)]
        mend: &'static str,
    },
    /// The answer to the page's description.
    Sound { sdp: String },
    /// The case of this form has a number.
    CaseSaved { draft: String, number: String },
    /// A form is kept, since then (milliseconds since the epoch).
    DraftSaved { draft: String, at_ms: u64 },
    /// The forms that were begun, the newest first: after `welcome`.
    Drafts { drafts: Vec<Draft> },
    /// The operator's own day: after `welcome`, and when they have written a call up.
    Day {
        #[serde(flatten)]
        day: Box<DayView>,
    },
    /// To be sent back at once.
    Echo { n: u32 },
    /// A supervisor has ordered this about the operator, or about everybody: an evacuation is told to a page that opens later, too.
    Ordered { order: Order, by: String, reason: String },
    /// Another page of this operator took over; this one must not come back by itself.
    TakenOver,
    /// The board, once a second where it has changed. It goes to all pages alike and has no number.
    Board { board: Box<BoardView> },
}

/// A callback that is offered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CallbackOffered {
    /// The number that is called, but for its last two digits; `null` where it is not known yet.
    pub to: Option<String>,
    /// Which try this is, from 1.
    pub attempt: u8,
    /// How many there may be.
    pub of: u8,
}

/// By what an operator speaks, as the settings have it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SpeaksBy {
    /// By the page itself: it connects its sound before it says ready.
    Page,
    /// By a telephone beside it: the page has no sound of its own.
    #[default]
    Telephone,
}

/// What an operator is doing, as a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Doing {
    /// Not signed in.
    Offline,
    /// Takes calls.
    Ready,
    /// Has a call ringing.
    Offered,
    /// Talks.
    Talking,
    /// Writes down what the last call was.
    WrapUp,
    /// Takes no calls, for the reason that is told with it.
    Paused,
    /// Did not answer an offer; must say "ready" again.
    NotResponding,
    /// Takes part in a talk as a supervisor.
    Supervising,
    /// Talks with a colleague.
    Internal,
}

/// How a supervisor takes part in a talk, as its operator is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Attends {
    /// Hears it.
    Monitor,
    /// Hears it and speaks to the operator.
    Whisper,
    /// Speaks with both.
    Barge,
    /// Has taken the operator's place.
    TookOver,
    /// Not any more.
    Left,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallNow {
    /// Operator and resident hear each other.
    Connected,
    /// Somebody waits with music.
    Held,
    /// They are back.
    Resumed,
    /// It is over.
    Ended,
    /// Somebody is being asked.
    Asking,
    /// They answer.
    Consulting,
    /// All three talk.
    Conference,
    /// Who was asked is gone.
    Alone,
    /// The resident hears the warning.
    Warned,
    /// They have heard it.
    Heard,
    /// Supervisors see that you want help.
    HelpAsked,
    /// One has come, or you need none any more.
    HelpOver,
    /// To a supervisor: you listen.
    Monitor,
    /// To a supervisor: the operator alone hears you.
    Whisper,
    /// To a supervisor: everybody hears you.
    Barge,
}

impl From<&Device> for SpeaksBy {
    fn from(device: &Device) -> Self {
        match device {
            Device::Browser => SpeaksBy::Page,
            Device::Phone { .. } | Device::Fixed { .. } => SpeaksBy::Telephone,
        }
    }
}

impl From<&AgentStatus> for Doing {
    fn from(status: &AgentStatus) -> Self {
        match status {
            AgentStatus::Offline => Doing::Offline,
            AgentStatus::Ready => Doing::Ready,
            AgentStatus::Offered(_) => Doing::Offered,
            AgentStatus::Talking(_) => Doing::Talking,
            AgentStatus::WrapUp => Doing::WrapUp,
            AgentStatus::Paused(_) => Doing::Paused,
            AgentStatus::NotResponding => Doing::NotResponding,
            AgentStatus::Supervising(_) => Doing::Supervising,
            AgentStatus::Internal(_) => Doing::Internal,
        }
    }
}

impl From<Stands> for CallNow {
    fn from(stands: Stands) -> Self {
        match stands {
            Stands::Held => CallNow::Held,
            Stands::Asking => CallNow::Asking,
            Stands::Consulting => CallNow::Consulting,
            Stands::Conference => CallNow::Conference,
            Stands::Ended => CallNow::Ended,
        }
    }
}

impl From<Supervision> for Attends {
    fn from(mode: Supervision) -> Self {
        match mode {
            Supervision::Monitor => Attends::Monitor,
            Supervision::Whisper => Attends::Whisper,
            Supervision::Barge => Attends::Barge,
        }
    }
}

impl From<Role> for CallNow {
    fn from(role: Role) -> Self {
        match role {
            Role::Partner => CallNow::Connected,
            Role::Consultant => CallNow::Consulting,
            Role::Guest => CallNow::Conference,
            Role::Supervisor(Supervision::Monitor) => CallNow::Monitor,
            Role::Supervisor(Supervision::Whisper) => CallNow::Whisper,
            Role::Supervisor(Supervision::Barge) => CallNow::Barge,
        }
    }
}

/// A message with its number: the page asks for everything again when one is missing.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Frame<'a> {
    /// 1.. within a socket.
    pub event: u64,
    /// The message.
    #[serde(flatten)]
    pub message: &'a ToPage,
}

impl ToPage {
    /// An offer as the page gets it: without the caller's reference, which means nothing there.
    pub(super) fn offer(offer: &Offer, ringing: bool, seen: &Seen) -> ToPage {
        let Seen { number, caller: calls_from, called } = seen.clone();
        ToPage::Offer {
            call: offer.call,
            queue: offer.queue.clone(),
            language: offer.language,
            topic: offer.topic.clone(),
            waited_ms: offer.waited_ms,
            rings_ms: offer.rings_ms,
            why: Box::new(offer.why.clone()),
            ringing,
            from: offer.from.clone(),
            auto_answer: ringing && offer.auto_answer_ms > 0,
            number,
            calls_from,
            callback: offer.callback.as_ref().map(|back| CallbackOffered { to: called, attempt: back.attempt, of: back.of }),
        }
    }

    /// A refusal of the core in words.
    pub fn refused(why: &Refusal) -> ToPage {
        let (what, mend) = match why {
            Refusal::NoPhone => ("there is no registered phone to ring", "Switch the phone on, then say ready again."),
            Refusal::NoSound => ("your page's sound is not connected", "Allow the microphone, or load the page again; then say ready."),
            Refusal::Busy => ("you have a call or an offer", "Finish it first."),
            Refusal::UnknownReason(reason) => {
                return ToPage::Refused { what: format!("{reason:?} is no reason for a pause"), mend: "Choose one of the list." };
            }
            Refusal::OfferOver => ("the call is no longer offered to you", "Nothing to do: it went on."),
            Refusal::UnknownOperator => ("your account is none of the operators", "Ask an administrator to add you to the settings."),
            Refusal::PickUpThePhone => ("this call is answered at the phone", "Pick up the phone that rings."),
            Refusal::NotYourTalk => ("you do not talk in this call", "Nothing to do: it went on."),
            Refusal::NotFree => ("whoever you asked for is not free", "Ask somebody else, or give the call to a queue."),
            Refusal::UnknownTarget => ("nobody is known by that name", "Choose one of the list, or type a number."),
            Refusal::Evacuated => ("the centre is evacuated", "Leave the building; a supervisor says when to come back."),
            Refusal::NotNow => ("that cannot be done at this moment", "Look at the state of the call, then try again."),
        };
        ToPage::Refused { what: what.to_owned(), mend }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn messages_have_their_type_and_nothing_unknown() {
        let read = |text| serde_json::from_str::<FromPage>(text);
        assert_eq!(read(r#"{"type":"accept","call":7}"#).unwrap(), FromPage::Accept { call: CallId(7) });
        assert_eq!(read(r#"{"type":"ready"}"#).unwrap(), FromPage::Ready);
        assert!(read(r#"{"type":"accept","call":7,"as":"olena"}"#).is_err());
        assert!(read(r#"{"type":"become_administrator"}"#).is_err());
        let olena = Whom::Operator("olena".into());
        assert_eq!(
            read(r#"{"type":"consult","call":7,"with":{"operator":"olena"}}"#).unwrap(),
            FromPage::Consult { call: CallId(7), with: olena }
        );
        assert!(read(r#"{"type":"transfer","call":7,"to":{"planet":"mars"}}"#).is_err());
        let frame = Frame { event: 3, message: &ToPage::Echo { n: 9 } };
        assert_eq!(serde_json::to_string(&frame).unwrap(), r#"{"event":3,"type":"echo","n":9}"#);
    }
}
