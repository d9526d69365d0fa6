//! Whose turn is it to describe the session? The offer/answer state of one dialog (RFC 3264, RFC 3261 §13.2.1, §14).

use super::servers::ServerId;

/// Where offer and answer stand. We make no re-INVITE of our own, so an offer of ours goes out only in a 2xx.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Negotiation {
    /// Both sides know what is agreed.
    Settled,
    /// The far end has offered; the core must accept or refuse.
    TheyOffered { tx: ServerId, cseq: u32 },
    /// Our 2xx awaits its ACK. `late`: the 2xx held our offer, so the ACK holds the answer. `first`: it is the one that made the dialog.
    AwaitsAck { tx: ServerId, cseq: u32, late: bool, first: bool },
}

/// What to do with a re-INVITE.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reinvite {
    /// Ask the core.
    Ask,
    /// Offer our last description again.
    OfferOurs,
    /// An earlier one is not done: 500 with Retry-After (RFC 3261 §14.2).
    Busy,
    /// Our offer is out: 491 (RFC 3261 §14.2).
    Glare,
}

impl Negotiation {
    /// Judges a re-INVITE that comes in this state.
    pub fn reinvite(self, with_sdp: bool) -> Reinvite {
        match self {
            Negotiation::Settled if with_sdp => Reinvite::Ask,
            Negotiation::Settled => Reinvite::OfferOurs,
            Negotiation::TheyOffered { .. } => Reinvite::Busy,
            Negotiation::AwaitsAck { late: true, .. } => Reinvite::Glare,
            // The ACK was lost or overtaken: the new INVITE proves that our 2xx arrived.
            Negotiation::AwaitsAck { first: false, .. } if with_sdp => Reinvite::Ask,
            Negotiation::AwaitsAck { .. } => Reinvite::Busy,
        }
    }
}
