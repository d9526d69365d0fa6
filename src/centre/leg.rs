//! How far is one leg of a call? From its port to its last word, each state with the ending that it asks for.

use serde::{Deserialize, Serialize};

use super::Centre;
use super::call::RETRY_AFTER_S;
use super::early::Early;
use super::fact::{EndReason, Fact, Party};
use super::ids::{CallId, LegId, SdpRef};
use super::output::{Shown, Target, ToLine, ToMedia};

/// One leg.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Leg {
    /// Who is at its far end.
    pub party: Party,
    /// How far it is.
    pub state: LegState,
    /// Whether an offer of the far end is being answered.
    pub reoffered: bool,
    /// Whether its far end's own phone holds.
    #[serde(default)]
    pub held: bool,
    /// What has come of its far end before the answer.
    #[serde(default)]
    pub early: Early,
    /// Orders to put sound before the answer in force whose outcome has not been told.
    #[serde(default)]
    pub early_asked: u8,
    /// Their descriptions, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub early_sdps: Vec<SdpRef>,
    /// The leg whose place this one, which came in, is to take.
    #[serde(default)]
    pub replaces: Option<u16>,
    /// Its far end is the page of an operator: signalling knows nothing of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub browser: bool,
}

/// How far a leg is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum LegState {
    /// The port of a leg that came in is being opened; not answered yet. With `late` the INVITE had no offer.
    Arriving { late: bool },
    /// A port is open and `sdp` is the answer, which waits for a colleague's; `late` as above.
    Waiting { sdp: SdpRef, late: bool },
    /// Answered with our offer; the far end's answer comes with the ACK.
    AwaitingAnswer,
    /// A port for a leg that is to be dialled is being opened.
    Opening {
        target: Target,
        shown: Shown,
        auto_answer: bool,
        #[serde(default)]
        replaces: Option<LegId>,
    },
    /// INVITE sent.
    Dialled,
    /// The far end has answered; its session description is being put in force.
    Agreeing,
    /// Sound can flow.
    Up,
    /// A new process does not know yet whether it can be had back.
    Unknown,
}

impl Leg {
    /// A leg that begins.
    pub fn new(party: Party, state: LegState) -> Leg {
        Leg {
            party,
            state,
            reoffered: false,
            held: false,
            early: Early::Nothing,
            early_asked: 0,
            early_sdps: Vec::new(),
            replaces: None,
            browser: false,
        }
    }
}

impl Centre {
    /// Ends a leg towards its far end, in the way that its state asks for.
    pub(super) fn end_leg(&mut self, leg: LegId, reason: EndReason) {
        let Some(known) = self.leg_mut(leg) else { return };
        if known.browser {
            return self.drop_leg(leg, reason);
        }
        match known.state.clone() {
            LegState::Arriving { .. } | LegState::Waiting { .. } => {
                self.out.line(ToLine::Reject { leg, status: 503, retry_after_s: Some(RETRY_AFTER_S) })
            }
            LegState::Dialled => self.out.line(ToLine::CancelDial { leg }),
            LegState::AwaitingAnswer | LegState::Agreeing | LegState::Up | LegState::Unknown => {
                self.out.line(ToLine::HangUp { leg, reason })
            }
            LegState::Opening { .. } => {}
        }
        self.drop_leg(leg, reason);
    }

    /// Forgets a leg whose far end is gone: its port is closed.
    pub(super) fn drop_leg(&mut self, leg: LegId, reason: EndReason) {
        let Some(known) = self.calls.get_mut(&leg.call) else { return };
        known.hold_music.remove(&leg.n);
        known.ring_tone = known.ring_tone.filter(|n| *n != leg.n);
        if known.legs.remove(&leg.n).is_some() {
            self.out.media(ToMedia::Close { leg });
            self.out.fact(Fact::LegEnded { leg, reason });
        }
    }

    /// Begins a leg that is to be dialled: its port first.
    pub(super) fn open_leg(&mut self, call: CallId, party: Party, state: LegState) -> Option<LegId> {
        let known = self.calls.get_mut(&call)?;
        let leg = LegId { call, n: known.next_leg };
        known.next_leg = known.next_leg.saturating_add(1);
        self.open_leg_as(leg, party, state);
        Some(leg)
    }

    /// Begins a leg under a number of its own: that of a resident who is called.
    pub(super) fn open_leg_as(&mut self, leg: LegId, party: Party, state: LegState) {
        if let LegState::Opening { target: Target::Browser(agent), .. } = state {
            return self.attach_leg(leg, agent);
        }
        let Some(known) = self.calls.get_mut(&leg.call) else { return };
        known.legs.insert(leg.n, Leg::new(party.clone(), state));
        self.out.fact(Fact::LegStarted { leg, party });
        self.out.media(ToMedia::Open { leg, offer: None });
    }

    /// The far end's answer to an offer of ours is put in force.
    pub(super) fn far_end_renegotiated(&mut self, leg: LegId, sdp: SdpRef) {
        // A leg of a former process is asked for by an offer; what it answers holds, whether or not the shell has told of it yet.
        if self.leg_mut(leg).is_some_and(|known| matches!(known.state, LegState::Up | LegState::Unknown)) {
            self.out.media(ToMedia::Agree { leg, sdp, answer: false });
        }
    }

    pub(super) fn leg_mut(&mut self, leg: LegId) -> Option<&mut Leg> {
        self.calls.get_mut(&leg.call)?.legs.get_mut(&leg.n)
    }
}
