//! What do a desk's page and the server say to each other? Every message there is, as JSON with its `type`.

use serde::{Deserialize, Serialize};

use crate::centre::explanation::Explanation;
use crate::centre::ids::{AgentId, CallId, Generation, Language, NumberId, QueueId, Supervision};
use crate::centre::output::{Offer, Refusal};
use crate::private::Private;
use crate::store::Story;

/// From the page. Every wish names what it is about; the server decides.
#[derive(Clone, Debug, PartialEq, Deserialize)]
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
    /// Write a case. `draft` is the form's own name: sent again, it makes no second case.
    WriteCase { call: CallId, topic: String, text: Private<String>, draft: String },
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
    CallOut { number: Private<String>, queue: Option<QueueId>, shown: Option<NumberId> },
    /// A supervisor listens, whispers or joins.
    Monitor { call: CallId, mode: Supervision },
    /// A supervisor who listens takes the call.
    TakeOver { call: CallId },
    /// A supervisor leaves the talk.
    StopMonitor { call: CallId },
}

/// Whom a page asks for: `{"operator":"olena"}`, `{"number":"+7…"}`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whom {
    /// Whoever of a queue is free.
    Queue(QueueId),
    /// An operator.
    Operator(AgentId),
    /// A service of the dialplans, by its name there.
    Service(String),
    /// A number outside, as typed.
    Number(Private<String>),
}

/// To the page, in a [`Frame`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToPage {
    /// The socket is open; what follows is the whole state.
    Welcome { operator: AgentId, generation: Generation, pause_reasons: Vec<String>, now_ms: u64 },
    /// What the operator is doing, since when (milliseconds since the epoch).
    State { state: &'static str, reason: Option<String>, call: Option<CallId>, since_ms: u64 },
    /// A call; `ringing` is false for one that was taken and is shown again after a reload.
    Offer {
        call: CallId,
        queue: QueueId,
        language: Language,
        topic: Option<String>,
        waited_ms: u64,
        rings_ms: u64,
        why: Explanation,
        ringing: bool,
        /// The colleague who asks, or who gives the call away; the operator's own name for a call to a resident.
        #[serde(skip_serializing_if = "Option::is_none")]
        from: Option<AgentId>,
    },
    /// Who calls, and what is known of them.
    Context { call: CallId, story: Story },
    /// The offer no longer rings.
    OfferGone { call: CallId },
    /// The call was connected, `held`, `resumed`, `ended`; somebody is being asked (`asking`), answers (`consulting`), talks with all
    /// (`conference`) or is gone (`alone`); to a supervisor, how they take part (`monitor`, `whisper`, `barge`).
    CallState { call: CallId, state: &'static str },
    /// A wish that cannot be, and what can be done.
    Refused { what: String, mend: &'static str },
    /// The case of this form has a number.
    CaseSaved { draft: String, number: String },
    /// To be sent back at once.
    Echo { n: u32 },
    /// Another page of this operator took over; this one must not come back by itself.
    TakenOver,
}

/// A message with its number: the page asks for everything again when one is missing.
#[derive(Debug, Serialize)]
pub struct Frame<'a> {
    /// 1.. within a socket.
    pub event: u64,
    /// The message.
    #[serde(flatten)]
    pub message: &'a ToPage,
}

impl ToPage {
    /// An offer as the page gets it: without the caller's reference, which means nothing there.
    pub fn offer(offer: &Offer, ringing: bool) -> ToPage {
        ToPage::Offer {
            call: offer.call,
            queue: offer.queue.clone(),
            language: offer.language,
            topic: offer.topic.clone(),
            waited_ms: offer.waited_ms,
            rings_ms: offer.rings_ms,
            why: offer.why.clone(),
            ringing,
            from: offer.from.clone(),
        }
    }

    /// A refusal of the core in words.
    pub fn refused(why: &Refusal) -> ToPage {
        let (what, mend) = match why {
            Refusal::NoPhone => ("there is no registered phone to ring", "Switch the phone on, then say ready again."),
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
