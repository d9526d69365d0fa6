//! What can the core ask of the world? Every output there is, by the shell that carries it out.

use serde::{Deserialize, Serialize};

use super::explanation::Explanation;
use super::fact::EndReason;
use super::ids::{AgentId, CallId, CallerRef, ContactId, Language, LegId, PlayId, PromptId, QueueId, RecordingId, SdpRef};
use super::input::Digit;
use super::steer::Order;

/// One order. The engine carries them out in order, after the record that holds their hash is in the journal.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Output {
    /// For the signalling shell.
    Line(ToLine),
    /// For the media shell.
    Media(ToMedia),
    /// For the desks.
    Desk(ToDesk),
    /// Ask the store what is known of this caller; `Input::LookedUp` answers.
    LookUp { call: CallId, caller: CallerRef },
    /// Keys of the resident's leg are a number, for the shell alone; `Input::Keyed` tells what becomes of it.
    Keying { call: CallId, order: KeyingOrder },
    /// This number is about to be dialled: the shell gets it from the store.
    Recall { number: CallerRef },
}

/// What is to be done with the keys of a caller who keys a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum KeyingOrder {
    /// Keep them, until `#`, `*`, or as many as a number has.
    Begin,
    /// Nothing more comes: what is there is the number.
    Finish,
    /// Forget them.
    End,
}

/// Orders to the signalling shell.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum ToLine {
    /// 180 on the resident's leg.
    Ring { leg: LegId },
    /// 200 on the resident's leg, with this answer.
    Answer { leg: LegId, sdp: SdpRef },
    /// A final refusal of the resident's INVITE; `retry_after_s` goes with 503.
    Reject { leg: LegId, status: u16, retry_after_s: Option<u32> },
    /// INVITE to a far end, with our offer. `auto_answer` asks the phone to pick up by itself (Call-Info: answer-after=0). `replaces` is a
    /// leg of the same far end, whose dialog there this one takes the place of (RFC 3891).
    Dial {
        leg: LegId,
        target: Target,
        shown: Shown,
        sdp: SdpRef,
        auto_answer: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        replaces: Option<LegId>,
    },
    /// Give up a leg that has not answered: CANCEL, and ACK + BYE should its 200 come late.
    CancelDial { leg: LegId },
    /// Answer the far end's new offer.
    AcceptOffer { leg: LegId, sdp: SdpRef },
    /// Refuse the far end's new offer with 488; what was agreed before stays.
    RefuseOffer { leg: LegId },
    /// Offer the far end this description in a dialog that is up, as soon as it is our turn; a newer one takes the place of one that waits.
    /// `FromLine::Renegotiated` or `FromLine::NotRenegotiated` follows.
    Renegotiate { leg: LegId, sdp: SdpRef },
    /// End a leg that has answered.
    HangUp { leg: LegId, reason: EndReason },
    /// What became of a REFER, as a final SIP status: 200 means that the other side is taken care of and this leg is about to be hung up;
    /// with any other the leg goes on as it was.
    ReferProgress { leg: LegId, status: u16 },
}

/// Orders to the media shell.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum ToMedia {
    /// Open a port; with `offer` the answer to it is made, without it an offer of ours.
    Open { leg: LegId, offer: Option<SdpRef> },
    /// The far end's session description; with `answer` it is an offer that wants one.
    Agree { leg: LegId, sdp: SdpRef, answer: bool },
    /// Play these sounds one after the other, in place of what plays; `ending` says what follows.
    Play { leg: LegId, play: PlayId, sounds: Vec<Sound>, ending: Ending },
    /// Play nothing.
    StopPlay { leg: LegId },
    /// Who hears whom in this call from here on; legs that are not named hear what plays to them.
    Connect { call: CallId, hears: Vec<Hears> },
    /// Record the room: left = `resident`, right = everybody that the resident hears.
    Record { recording: RecordingId, resident: LegId },
    /// Close the recording; `FromMedia::Recorded` follows.
    StopRecord { recording: RecordingId },
    /// Write silence in place of what is said, until `ResumeRecord`; the timeline goes on.
    PauseRecord { recording: RecordingId },
    /// Record on.
    ResumeRecord { recording: RecordingId },
    /// Close the leg's port and forget it.
    Close { leg: LegId },
    /// Open a leg to the page of this operator, which needs no signalling: `FromMedia::Agreed` follows. Once more for the same leg where a
    /// new process has to find it.
    Attach { leg: LegId, agent: AgentId },
    /// Press these keys at the far end, one after the other. The leg hears nothing else meanwhile.
    SendDigits { leg: LegId, digits: Vec<Digit> },
}

/// Orders to the desks. Only the named operator gets them.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum ToDesk {
    /// Ring, and show this at once.
    Offer { agent: AgentId, offer: Offer },
    /// The offer is over, however it ended.
    OfferGone { agent: AgentId, call: CallId },
    /// What the operator asked for cannot be, and why.
    Refused { agent: AgentId, why: Refusal },
    /// The call that the operator talks in or writes up, for a desk that has opened meanwhile; nothing rings.
    Work { agent: AgentId, offer: Offer, stands: Option<Stands> },
    /// A supervisor has ordered this about the operator, or about everybody.
    Ordered { agent: AgentId, order: Order, by: String, reason: String },
}

/// How a call stands for the operator who works on it, beyond plain talk.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Stands {
    /// The resident waits.
    Held,
    /// Somebody is being called in; the resident waits.
    Asking,
    /// Somebody is asked; the resident waits.
    Consulting,
    /// All three talk.
    Conference,
    /// It is over, and is being written up.
    Ended,
}

/// One direction of a room: `ear` hears `mouth`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hears {
    /// Who hears.
    pub ear: LegId,
    /// Who is heard.
    pub mouth: LegId,
}

/// What an operator sees of a call that is offered.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Offer {
    /// The call.
    pub call: CallId,
    /// Who calls; the desk's shell resolves it to the resident's story.
    pub caller: CallerRef,
    /// From which queue.
    pub queue: QueueId,
    /// In which language the caller wants to speak.
    pub language: Language,
    /// The topic that the caller chose, by its step.
    pub topic: Option<String>,
    /// How long the caller has waited in the queue, in milliseconds.
    pub waited_ms: u64,
    /// For how long the offer rings, in milliseconds.
    pub rings_ms: u64,
    /// Why it came to this operator.
    pub why: Explanation,
    /// The colleague who asks, or who gives the call away; `None` for a caller of the queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<AgentId>,
    /// It is accepted by itself so many milliseconds after the desk has shown it; 0 for never.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub auto_answer_ms: u64,
    /// Whom the operator is connected with is called, once the operator is on the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback: Option<OfferedCallback>,
}

/// A callback that is offered.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OfferedCallback {
    /// The number, which the desk's shell resolves.
    pub to: CallerRef,
    /// Which try this is, from 1.
    pub attempt: u8,
    /// How many there may be.
    pub of: u8,
}

/// What older journals do not have is left out, so that their outputs keep their hash.
fn is_zero(ms: &u64) -> bool {
    *ms == 0
}

/// Where a leg is dialled to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Target {
    /// A registered contact of an operator's phone.
    Contact(ContactId),
    /// A fixed SIP address of an operator or a service, from the settings.
    Address(String),
    /// A number outside, which the shell's number book resolves.
    Outside(CallerRef),
    /// The page of an operator: such a leg is never dialled.
    Browser(AgentId),
}

/// What the dialled end is shown as the calling side.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Shown {
    /// The resident of this call: the shell resolves the number.
    Resident(CallerRef),
    /// The city's own number.
    City(super::ids::NumberId),
    /// A colleague: the shell knows the extension of the phone.
    Operator(AgentId),
}

/// Something to play.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Sound {
    /// A text of the manifest, in a language.
    Prompt { id: PromptId, language: Language },
    /// "You are number 2 in the queue."
    Position { n: u32, language: Language },
    /// "The expected wait is about 5 minutes."
    Minutes { n: u32, language: Language },
    /// Music on hold by its id, from where this leg's music stood.
    Music { id: PromptId },
    /// The same music beneath all that follows in the order, lowered while they are heard; nothing where the leg hears none.
    Bed { id: PromptId },
    /// The digits of a number; the shell knows them.
    Number { number: CallerRef, language: Language },
    /// Nothing, for so long.
    Silence { ms: u32 },
    /// That a far end rings (ITU-T E.180): one tone and its pause.
    RingTone,
}

/// What follows when the last sound has been played.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Ending {
    /// `FromMedia::Played`, then silence.
    Report,
    /// The first sound again, without a gap, until something else is ordered.
    Repeat,
}

/// Why an operator's wish was refused.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Refusal {
    /// There is no registered phone to ring.
    NoPhone,
    /// The page's sound is not connected.
    NoSound,
    /// The operator is in a call or has an offer.
    Busy,
    /// The pause reason is not in the settings.
    UnknownReason(String),
    /// The call is no longer offered to this operator.
    OfferOver,
    /// The account is not among the operators of the settings.
    UnknownOperator,
    /// This operator answers on the phone itself.
    PickUpThePhone,
    /// The operator does not talk in this call.
    NotYourTalk,
    /// Whoever is asked for is not free.
    NotFree,
    /// Nobody is known by that name, or they cannot be asked for this.
    UnknownTarget,
    /// Not while the call is as it is.
    NotNow,
    /// The centre is evacuated.
    Evacuated,
}

impl Refusal {
    /// As a word, for the database and for screens.
    pub fn word(&self) -> &'static str {
        match self {
            Refusal::NoPhone => "no_phone",
            Refusal::NoSound => "no_sound",
            Refusal::Busy => "busy",
            Refusal::UnknownReason(_) => "unknown_reason",
            Refusal::OfferOver => "offer_over",
            Refusal::UnknownOperator => "unknown_operator",
            Refusal::PickUpThePhone => "pick_up_the_phone",
            Refusal::NotYourTalk => "not_your_talk",
            Refusal::NotFree => "not_free",
            Refusal::UnknownTarget => "unknown_target",
            Refusal::NotNow => "not_now",
            Refusal::Evacuated => "evacuated",
        }
    }
}
