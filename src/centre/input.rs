//! What can happen to the core? Every input there is, from the lines, the sound, the desks, the settings and the clock.

use serde::{Deserialize, Serialize};

use super::ids::{
    AgentId, CallId, CallTo, CallerRef, ContactId, Generation, Language, LegId, NumberId, PauseReason, PlayId, QueueId, RecordingId,
    SdpRef, Supervision, TrunkId,
};
use super::notice::Notice;
use super::settings::Settings;
use super::shift::ShiftOrder;
use super::steer::Steered;

/// One thing that happened. New kinds are added, old ones never change: journals of older versions must replay.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Input {
    /// The signalling shell saw something.
    Line(FromLine),
    /// The media shell heard or finished something.
    Media(FromMedia),
    /// An operator did something at the desk, or their devices came or went.
    Desk(FromDesk),
    /// The answer to `Output::LookUp`; one that comes after its deadline changes nothing.
    LookedUp { call: CallId, known: CallerKnown },
    /// Settings, dialplans and calendars were replaced; they are stored before this is told.
    SettingsChanged(Box<Settings>),
    /// A named deadline of `next_deadline` has come.
    DeadlineReached,
    /// The wall clock was set: calendars add `ms` to the core's time from here on.
    WallClockStepped { ms: i64 },
    /// A shell could not take an output for this leg, because its queue was full or it is gone.
    ShellLost { leg: LegId },
    /// Handling an input of this call panicked; the core was rebuilt and must end the call.
    CallPoisoned { call: CallId },
    /// A new process has replayed the journal; nothing was carried out for `downtime_ms`.
    Restarted { downtime_ms: u64 },
    /// After `Restarted`: the shell has this leg again, its sound flows.
    LegRecovered { leg: LegId },
    /// After `Restarted`: this leg could not be brought back.
    LegGone { leg: LegId },
    /// No new calls from here on; those that are up go on to their end.
    DrainStarted,
    /// The process ends now: calls that are still up are hung up, and who waited is owed a callback.
    Stopping,
    /// What callers are told before they wait: all notices in force, the most pressing first. Their sounds are there already.
    NoticesChanged(Vec<Notice>),
    /// A supervisor moves somebody between shifts, adds them or sends them home.
    ShiftOrdered(ShiftOrder),
    /// A supervisor orders a state, what somebody does today, a queue's mode or the evacuation.
    Steered(Box<Steered>),
    /// What came of `Output::Keying`: the shell keeps the digits, and the core hears of the number by its reference.
    Keyed { call: CallId, keyed: Keyed },
}

/// What a caller did who keys a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Keyed {
    /// One more key.
    Key,
    /// A number that may be called; it is stored.
    Number(CallerRef),
    /// What was keyed is no number, or none that may be called.
    Refused,
    /// The caller has thought better of it.
    GivenUp,
}

/// What signalling reports. `leg.n == 0` is the resident's leg.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum FromLine {
    /// An INVITE from a known trunk. `sdp` is its offer, `None` when the offer comes late.
    CallArrived { call: CallId, caller: CallerRef, number: NumberId, trunk: TrunkId, sdp: Option<SdpRef> },
    /// The call that has just arrived was sent on to us by somebody else's line.
    Diverted { call: CallId, why: Diverted },
    /// The far end of a leg that we dialled rings.
    Ringing { leg: LegId },
    /// The far end of a leg that we dialled lets its own sound be heard before it answers (183 with `sdp`); one for each far end of a
    /// forked call, and again where it changes its mind.
    EarlyMedia { leg: LegId, sdp: SdpRef },
    /// The far end of a leg that we dialled answered.
    Answered { leg: LegId, sdp: SdpRef },
    /// A leg that we dialled ended without an answer. `status` is the SIP status, 408 for silence.
    Refused { leg: LegId, status: u16 },
    /// The far end offers new session parameters in a dialog that is up.
    Reoffered { leg: LegId, sdp: SdpRef },
    /// The far end has answered our offer in a dialog that is up, by `sdp`: what `ToLine::Renegotiate` offered, or what we
    /// last described, where its re-INVITE asked for that.
    Renegotiated { leg: LegId, sdp: SdpRef },
    /// The far end has refused what `ToLine::Renegotiate` offered; what was agreed before stays. `status` is the SIP status.
    NotRenegotiated { leg: LegId, status: u16 },
    /// A key by SIP INFO.
    Digit { leg: LegId, digit: Digit },
    /// The far end ended this leg, in any phase.
    HungUp { leg: LegId, cause: HangUpCause },
    /// REFER: the far end of this leg wants the other side taken elsewhere (RFC 3515). `ToLine::ReferProgress` answers.
    Referred { leg: LegId, to: ReferTo },
    /// INVITE from an operator's own phone to a colleague; the shell has seen the phone's password. `call` is numbered like a call that
    /// comes in, and its leg 0 is the phone's.
    PhoneCalled { call: CallId, from: AgentId, to: AgentId, sdp: Option<SdpRef> },
    /// INVITE with Replaces from an operator's own phone (RFC 3891): `leg` is to take the place of the leg `replaced` of the same call.
    /// The shell has chosen its number, above 32,767, so that it is none of those that the core counts up.
    Replacing { leg: LegId, replaced: u16, agent: AgentId, sdp: Option<SdpRef> },
}

/// Where a REFER points to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ReferTo {
    /// What was dialled, where it is no number outside: the name of a queue or of an operator. The core knows both.
    Name(String),
    /// The operator whose phone has this user part.
    Agent(AgentId),
    /// A number outside, by its reference.
    Outside(CallerRef),
    /// The leg whose dialog the `Replaces` parameter names (RFC 3891): the attended transfer of a SIP phone.
    Replaces(LegId),
}

/// What the media shell reports.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum FromMedia {
    /// A port is open; `sdp` is the answer to the leg's offer, or our offer where it had none.
    Opened { leg: LegId, sdp: SdpRef },
    /// The far end's answer is in force, or a new offer of it; in the second case `answer` goes back to it. `about` is the description that
    /// was ordered to be put in force; older journals do not name it.
    Agreed {
        leg: LegId,
        codec: Codec,
        answer: Option<SdpRef>,
        #[serde(default)]
        about: Option<SdpRef>,
    },
    /// No port, no common codec, or a session description that cannot be read. It may overtake `Agreed` of an earlier order, so that
    /// `about` names the description, as there.
    Failed {
        leg: LegId,
        why: MediaFailure,
        #[serde(default)]
        about: Option<SdpRef>,
    },
    /// A key by RFC 4733 or heard in the sound; each press once.
    Digit { leg: LegId, digit: Digit },
    /// Everything of this order has been played.
    Played { leg: LegId, play: PlayId },
    /// Nothing has arrived from the leg for the seconds of `Settings::silence_after_ms`.
    SoundLost { leg: LegId },
    /// Sound arrives again after `SoundLost`.
    SoundBack { leg: LegId },
    /// The recorder has closed this file. `length_ms` is its timeline; `lost_ms` of it could not be written.
    Recorded { recording: RecordingId, length_ms: u64, lost_ms: u64 },
    /// The far end holds (`sendonly` or `inactive`, RFC 3264 §8.4) or takes the call back; told at each change only.
    Held { leg: LegId, held: bool },
    /// The far end says that nothing of ours arrives, or its system refuses our packets; or that is over.
    Unheard { leg: LegId, unheard: bool },
    /// A leg that had sound is closed; this is how good it was.
    Quality { leg: LegId, quality: Quality },
}

/// What operators and their devices report.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum FromDesk {
    /// The operator signed in at a desk, or came back with a new page.
    DeskUp { agent: AgentId, generation: Generation },
    /// The desk of this generation is gone.
    DeskGone { agent: AgentId, generation: Generation },
    /// The registered contacts of the operator's phone, all of them; empty when none is left.
    PhoneChanged { agent: AgentId, contacts: Vec<ContactId> },
    /// The sound of the page of this generation is connected; it takes the place of an older one.
    DeskMediaUp { agent: AgentId, generation: Generation },
    /// Nothing is heard of that page's sound any more.
    DeskMediaDown { agent: AgentId, generation: Generation },
    /// "I take calls."
    Ready { agent: AgentId },
    /// "I take no calls, because."
    Pause { agent: AgentId, reason: PauseReason },
    /// The shift is over.
    SignOut { agent: AgentId },
    /// The page shows the offer of this call.
    OfferShown { agent: AgentId, call: CallId },
    /// The operator takes the offered call at the desk.
    Accept { agent: AgentId, call: CallId },
    /// The operator refuses the offered call.
    Decline { agent: AgentId, call: CallId },
    /// The operator ends the talk.
    HangUp { agent: AgentId, call: CallId },
    /// Nothing is left to write down about the last call.
    WrapUpDone { agent: AgentId },
    /// The operator lets the resident wait with music.
    Hold { agent: AgentId, call: CallId },
    /// The operator takes the resident back.
    Resume { agent: AgentId, call: CallId },
    /// The operator asks somebody while the resident hears music. A queue cannot be asked.
    Consult { agent: AgentId, call: CallId, with: CallTo },
    /// The consultant takes the resident over; while they still ring, they ring on for the resident.
    CompleteConsult { agent: AgentId, call: CallId },
    /// The consultant is let go and the resident is back with the operator; from a conference too.
    EndConsult { agent: AgentId, call: CallId },
    /// Resident, operator and consultant all talk.
    Conference { agent: AgentId, call: CallId },
    /// The operator gives the call away without asking.
    Transfer { agent: AgentId, call: CallId, to: CallTo },
    /// The operator calls a resident. `call` is a new number from the counter that numbers calls which come in; without `queue` the
    /// first that the operator serves sets the rules, without `shown` the resident sees the first of the city's numbers.
    CallOut { agent: AgentId, call: CallId, to: CallerRef, queue: Option<QueueId>, shown: Option<NumberId> },
    /// A supervisor listens to a talk, or takes part in it in another way than before. The shell has checked that the account may.
    Monitor { agent: AgentId, call: CallId, mode: Supervision },
    /// A supervisor who takes part in a talk takes the operator's place.
    TakeOver { agent: AgentId, call: CallId },
    /// A supervisor leaves the talk.
    StopMonitor { agent: AgentId, call: CallId },
    /// The operator needs more time to write things down; once a wrap-up.
    ExtendWrapUp { agent: AgentId },
    /// The operator wants a supervisor to come to their talk.
    AskHelp { agent: AgentId, call: CallId },
    /// The operator needs no help any more.
    HelpDone { agent: AgentId },
    /// The operator has the resident warned.
    Warn { agent: AgentId, call: CallId },
    /// The operator ends a talk for abuse; the number is marked for so many days, 1 to 90.
    EndAbuse { agent: AgentId, call: CallId, days: u8 },
    /// The operator pauses the recording of their talk.
    PauseRecording { agent: AgentId, call: CallId },
    /// The operator lets it go on.
    ResumeRecording { agent: AgentId, call: CallId },
    /// Keys to press at whom the operator talks with: who was asked, else the resident.
    SendDigits { agent: AgentId, call: CallId, digits: Vec<Digit> },
}

/// A key of a phone: 0–9, `*`, `#`, A–D.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digit(char);

impl FromDesk {
    /// Whose desk it comes from.
    pub fn agent(&self) -> &AgentId {
        match self {
            FromDesk::DeskUp { agent, .. }
            | FromDesk::DeskGone { agent, .. }
            | FromDesk::PhoneChanged { agent, .. }
            | FromDesk::DeskMediaUp { agent, .. }
            | FromDesk::DeskMediaDown { agent, .. }
            | FromDesk::Ready { agent }
            | FromDesk::Pause { agent, .. }
            | FromDesk::SignOut { agent }
            | FromDesk::OfferShown { agent, .. }
            | FromDesk::Accept { agent, .. }
            | FromDesk::Decline { agent, .. }
            | FromDesk::HangUp { agent, .. }
            | FromDesk::WrapUpDone { agent }
            | FromDesk::Hold { agent, .. }
            | FromDesk::Resume { agent, .. }
            | FromDesk::Consult { agent, .. }
            | FromDesk::CompleteConsult { agent, .. }
            | FromDesk::EndConsult { agent, .. }
            | FromDesk::Conference { agent, .. }
            | FromDesk::Transfer { agent, .. }
            | FromDesk::CallOut { agent, .. }
            | FromDesk::Monitor { agent, .. }
            | FromDesk::TakeOver { agent, .. }
            | FromDesk::StopMonitor { agent, .. }
            | FromDesk::SendDigits { agent, .. }
            | FromDesk::ExtendWrapUp { agent }
            | FromDesk::AskHelp { agent, .. }
            | FromDesk::HelpDone { agent }
            | FromDesk::Warn { agent, .. }
            | FromDesk::EndAbuse { agent, .. }
            | FromDesk::PauseRecording { agent, .. }
            | FromDesk::ResumeRecording { agent, .. } => agent,
        }
    }
}

impl Digit {
    /// The key of a character, `None` for one that no phone has.
    pub fn new(key: char) -> Option<Self> {
        matches!(key, '0'..='9' | '*' | '#' | 'A'..='D').then_some(Self(key))
    }

    /// The key of an RFC 4733 §3.2 event code: 0–9 digits, 10 `*`, 11 `#`, 12–15 A–D.
    pub fn from_event(code: u8) -> Option<Self> {
        "0123456789*#ABCD".chars().nth(usize::from(code)).map(Self)
    }

    /// Its code in RFC 4733 §3.2.
    pub fn event(self) -> u8 {
        "0123456789*#ABCD".find(self.0).and_then(|code| u8::try_from(code).ok()).unwrap_or(0)
    }

    /// The key as a character.
    pub fn key(self) -> char {
        self.0
    }
}

/// What the store knows of a caller, as far as the core decides by it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct CallerKnown {
    /// The language of the caller's last choice.
    pub language: Option<Language>,
    /// How many of the caller's cases are open.
    pub open_cases: u32,
    /// The district of the caller's last case.
    pub district: Option<String>,
    /// The operator with whom the caller talked last.
    #[serde(default)]
    pub last_operator: Option<AgentId>,
    /// How many of the open cases are overdue.
    #[serde(default)]
    pub overdue_cases: u32,
    /// There was another call within the last 24 hours.
    #[serde(default)]
    pub called_lately: bool,
    /// A resident with this number belongs to a protected group.
    #[serde(default)]
    pub is_protected: bool,
    /// The number is marked for abuse.
    #[serde(default)]
    pub is_marked: bool,
}

/// Which sound a leg carries.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    /// G.711 A-law, 8 kHz.
    Pcma,
    /// G.711 µ-law, 8 kHz.
    Pcmu,
    /// G.722, 16 kHz.
    G722,
    /// Opus (RFC 6716), as far as 16 kHz.
    Opus,
}

/// How good the sound of a leg was. What the far end did not report is `None`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Quality {
    /// Packets of the far end from the first to the last.
    pub expected: u64,
    /// Those of them that arrived.
    pub received: u64,
    /// Share of them that did not, in 1/10,000.
    pub loss_10k: u32,
    /// Mean length of a run of losses, in 1/100 packets; 0 without a loss.
    pub burst_100th: u32,
    /// Interarrival jitter (RFC 3550 §6.4.1) at the end, in microseconds.
    pub jitter_us: u32,
    /// Round trip by RTCP, in milliseconds.
    pub rtt_ms: Option<u32>,
    /// Mean opinion score of what arrived (ITU-T G.107), in 1/100: 100 to 450.
    pub mos_100th: u32,
    /// Share of our packets that the far end missed, in 1/10,000.
    pub far_loss_10k: Option<u32>,
    /// Their jitter there, in microseconds.
    pub far_jitter_us: Option<u32>,
    /// Mean opinion score of what the far end heard, in 1/100.
    pub far_mos_100th: Option<u32>,
    /// Whether the packets were protected (SDES-SRTP).
    pub secured: bool,
}

/// Why a call was sent on to us, as the line says (RFC 5806, RFC 4458).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Diverted {
    /// The number that was dialled was busy, or wanted not to be disturbed.
    Busy,
    /// Nobody answered there.
    NoAnswer,
    /// All its calls are sent on.
    Always,
    /// It could not be reached.
    Unreachable,
    /// For another reason, or for one that is not told.
    Other,
}

/// Why the far end's leg ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum HangUpCause {
    /// BYE.
    Bye,
    /// CANCEL before an answer.
    Cancel,
    /// Our 200 was never acknowledged (RFC 3261 §13.3.1.4).
    NoAck,
    /// The connection or the transaction failed.
    Failed,
}

/// Why a leg has no sound.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum MediaFailure {
    /// Every port of the range is in use.
    NoPort,
    /// The session description cannot be read.
    BadSdp,
    /// Nothing that we speak is in the offer or answer.
    NoCodec,
    /// The media shell cannot take more legs.
    Overloaded,
    /// The page that the leg is to speak to has no sound.
    NoPage,
}
