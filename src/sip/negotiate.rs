//! Whose turn is it to describe the session? The offer/answer machine of one dialog (RFC 3264, RFC 3261 §13.2.1, §14, RFC 3311 §5).

use crate::centre::time::Time;

use super::clients::ClientId;
use super::servers::ServerId;

/// An offer of ours is put off so often, by glare or because the far end asks for time; then it counts as refused.
const MOST_TRIES: u8 = 10;

/// For so long an answer to a withdrawn offer is waited for, in milliseconds. It takes as long as media does; one that takes longer was lost.
const OWED_MS: u64 = 5_000;

/// The offer/answer machine of one dialog: one exchange is open at a time, and what we want of the far end meanwhile waits.
#[derive(Debug, Default)]
pub struct Negotiation {
    turn: Turn,
    /// The description that is to be offered next. A newer one takes its place.
    wanted: Option<Offer>,
    /// No offer of ours before this moment.
    pause: Option<Time>,
    /// How often the offer that waits was put off.
    tries: u8,
    /// Until then the core still owes its answer to an offer that has been withdrawn: that answer is stale.
    owed: Option<Time>,
}

/// A description that we offer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Offer {
    /// The core has asked for it, and hears what becomes of it.
    New(String),
    /// What is agreed already, to show that the session lives (RFC 4028 §7.4).
    Refresh,
}

/// Which exchange is open.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Turn {
    /// None: both sides know what is agreed.
    #[default]
    Settled,
    /// The far end has offered; the core must accept or refuse.
    TheyOffered { tx: ServerId, cseq: u32, by: By },
    /// Our 2xx awaits its ACK. `late`: the 2xx held our offer, so the ACK holds the answer. `first`: it is the one that made the dialog.
    AwaitsAck { tx: ServerId, cseq: u32, late: bool, first: bool },
    /// Our re-INVITE is out. Its transaction is the number of the offer: answers to any other are stale.
    WeOffered { client: ClientId, offer: Offer },
}

/// The request that carries an offer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// INVITE: its 2xx awaits an ACK.
    Invite,
    /// UPDATE: it is done with its answer.
    Update,
}

/// What to do with a request that changes the session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Ask the core.
    Ask,
    /// Offer our last description again.
    OfferOurs,
    /// An earlier one is not done: 500 with Retry-After (RFC 3261 §14.2, RFC 3311 §5.2).
    Busy,
    /// Our own offer is out: 491 (RFC 3261 §14.2, RFC 3311 §5.2).
    Glare,
}

impl Negotiation {
    /// Of a dialog that our 2xx has made.
    pub fn answered(tx: ServerId, cseq: u32, late: bool) -> Negotiation {
        Negotiation { turn: Turn::AwaitsAck { tx, cseq, late, first: true }, ..Negotiation::default() }
    }

    /// Which exchange is open.
    pub fn turn(&self) -> &Turn {
        &self.turn
    }

    /// Ends whatever is open, and forgets what waits.
    pub fn close(&mut self) -> Turn {
        (self.wanted, self.pause) = (None, None);
        std::mem::take(&mut self.turn)
    }

    /// Judges a re-INVITE, or an UPDATE with an offer, that comes now.
    pub fn judge(&self, now: Time, by: By, with_sdp: bool) -> Verdict {
        match self.turn {
            Turn::WeOffered { .. } | Turn::AwaitsAck { late: true, .. } => Verdict::Glare,
            Turn::TheyOffered { .. } => Verdict::Busy,
            Turn::Settled | Turn::AwaitsAck { .. } if with_sdp && self.owed.is_some_and(|until| now < until) => Verdict::Busy,
            Turn::Settled if with_sdp => Verdict::Ask,
            Turn::Settled => Verdict::OfferOurs,
            // The ACK was lost or overtaken: the new INVITE proves that our 2xx arrived.
            Turn::AwaitsAck { first: false, .. } if with_sdp && by == By::Invite => Verdict::Ask,
            Turn::AwaitsAck { .. } => Verdict::Busy,
        }
    }

    /// The core has been asked about an offer.
    pub fn they_offered(&mut self, tx: ServerId, cseq: u32, by: By) {
        (self.turn, self.owed) = (Turn::TheyOffered { tx, cseq, by }, None);
    }

    /// The core answers an offer: which one. `None` for an offer that has been withdrawn: its answer is stale.
    pub fn answer_comes(&mut self) -> Option<(ServerId, u32, By)> {
        match self.turn {
            Turn::TheyOffered { tx, cseq, by } => {
                self.turn = Turn::Settled;
                Some((tx, cseq, by))
            }
            _ => {
                self.owed = None;
                None
            }
        }
    }

    /// Our 2xx to a re-INVITE went out.
    pub fn accepted(&mut self, tx: ServerId, cseq: u32, late: bool) {
        self.turn = Turn::AwaitsAck { tx, cseq, late, first: false };
    }

    /// The far end has withdrawn its offer.
    pub fn withdrawn(&mut self, now: Time, tx: ServerId) {
        if matches!(self.turn, Turn::TheyOffered { tx: open, .. } if open == tx) {
            self.turn = Turn::Settled;
            self.owed = Some(now.plus_ms(OWED_MS));
        }
    }

    /// The ACK of our 2xx has come: of which transaction, and whether it must hold an answer, and whether it made the dialog.
    pub fn acked(&mut self, acked: u32) -> Option<(ServerId, bool, bool)> {
        let Turn::AwaitsAck { tx, cseq, late, first } = self.turn else { return None };
        if cseq != acked {
            return None;
        }
        self.turn = Turn::Settled;
        Some((tx, late, first))
    }

    /// We want to offer; it waits for its turn. A description of the core passes a mere refresh.
    pub fn want(&mut self, offer: Offer) {
        match offer {
            Offer::New(_) => (self.wanted, self.tries) = (Some(offer), 0),
            Offer::Refresh => self.wanted = self.wanted.take().or(Some(Offer::Refresh)),
        }
    }

    /// What is to be offered now, if it is our turn.
    pub fn next(&mut self, now: Time) -> Option<Offer> {
        if self.turn != Turn::Settled || self.pause.is_some_and(|until| until > now) {
            return None;
        }
        self.pause = None;
        self.wanted.take()
    }

    /// When something that waits may be offered, if only time keeps it back.
    pub fn wakes(&self) -> Option<Time> {
        self.pause.filter(|_| self.wanted.is_some() && self.turn == Turn::Settled)
    }

    /// Our re-INVITE went out.
    pub fn we_offered(&mut self, client: ClientId, offer: Offer) {
        self.turn = Turn::WeOffered { client, offer };
    }

    /// A final answer to this re-INVITE has come: what it offered. `None` when it is not the one that is open.
    pub fn over(&mut self, client: ClientId) -> Option<Offer> {
        if !matches!(self.turn, Turn::WeOffered { client: open, .. } if open == client) {
            return None;
        }
        match std::mem::take(&mut self.turn) {
            Turn::WeOffered { offer, .. } => Some(offer),
            Turn::Settled | Turn::TheyOffered { .. } | Turn::AwaitsAck { .. } => None,
        }
    }

    /// An offer of ours must come again at this moment. It comes back when it has been put off too often.
    pub fn put_off(&mut self, offer: Offer, until: Time) -> Option<Offer> {
        self.tries += 1;
        if self.tries > MOST_TRIES {
            self.tries = 0;
            return Some(offer);
        }
        self.pause = Some(until);
        self.wanted = match self.wanted.take() {
            Some(newer @ Offer::New(_)) => Some(newer),
            Some(Offer::Refresh) | None => Some(offer),
        };
        None
    }

    /// Whether a newer offer than the one that has just ended waits.
    pub fn has_newer(&self) -> bool {
        matches!(self.wanted, Some(Offer::New(_)))
    }

    /// An offer of ours was taken or refused: the next one begins without its past.
    pub fn settled(&mut self) {
        self.tries = 0;
    }
}

/// How long to wait after 491, in milliseconds, from any number: 2.1–4 s for who owns the Call-ID, up to 2 s for the other (RFC 3261 §14.1),
/// and never no time at all: the far end must have had its turn.
pub fn after_glare_ms(owner: bool, random: u64) -> u64 {
    if owner { 2_100 + random % 191 * 10 } else { random % 200 * 10 + 10 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TX: ServerId = ServerId::of_test(1);
    const OURS: ClientId = ClientId::of_test(7);

    fn new(text: &str) -> Offer {
        Offer::New(text.to_owned())
    }

    #[test]
    fn one_exchange_at_a_time() {
        let mut negotiation = Negotiation::answered(TX, 1, false);
        negotiation.want(new("a"));
        assert_eq!(negotiation.next(Time(0)), None, "the ACK first");
        assert_eq!(negotiation.acked(2), None);
        assert_eq!(negotiation.acked(1), Some((TX, false, true)));
        negotiation.they_offered(TX, 2, By::Invite);
        assert_eq!(negotiation.next(Time(0)), None);
        assert_eq!(negotiation.judge(Time(0), By::Update, true), Verdict::Busy);
        assert_eq!(negotiation.answer_comes(), Some((TX, 2, By::Invite)));
        negotiation.want(new("b"));
        negotiation.want(Offer::Refresh);
        assert_eq!(negotiation.next(Time(0)), Some(new("b")), "the newest, and it refreshes too");
        negotiation.we_offered(OURS, new("b"));
        assert_eq!(
            (negotiation.judge(Time(0), By::Invite, true), negotiation.judge(Time(0), By::Update, true)),
            (Verdict::Glare, Verdict::Glare)
        );
        assert_eq!(negotiation.over(ClientId::of_test(6)), None, "an answer to another offer is stale");
        assert_eq!(negotiation.over(OURS), Some(new("b")));
    }

    #[test]
    fn a_glare_is_tried_again_but_not_for_ever() {
        let mut negotiation = Negotiation::default();
        for n in 0..10 {
            assert_eq!(negotiation.put_off(new("a"), Time(n * 10 + 5)), None);
            assert_eq!((negotiation.next(Time(n * 10 + 4)), negotiation.wakes()), (None, Some(Time(n * 10 + 5))));
            assert_eq!(negotiation.next(Time(n * 10 + 5)), Some(new("a")));
        }
        assert_eq!(negotiation.put_off(new("a"), Time(200)), Some(new("a")));
        negotiation.want(new("newer"));
        assert_eq!(negotiation.put_off(new("a"), Time(300)), None);
        assert_eq!(negotiation.next(Time(300)), Some(new("newer")));
    }

    #[test]
    fn the_answer_to_a_withdrawn_offer_answers_no_other() {
        let mut negotiation = Negotiation::default();
        negotiation.they_offered(TX, 2, By::Invite);
        negotiation.withdrawn(Time(0), TX);
        assert_eq!(negotiation.judge(Time(0), By::Invite, true), Verdict::Busy, "until the core has spoken about the first");
        assert_eq!(negotiation.judge(Time(0), By::Invite, false), Verdict::OfferOurs);
        assert_eq!(negotiation.answer_comes(), None);
        assert_eq!(negotiation.judge(Time(0), By::Invite, true), Verdict::Ask);
    }

    #[test]
    fn an_answer_that_was_lost_blocks_no_offer_for_long() {
        let mut negotiation = Negotiation::default();
        negotiation.they_offered(TX, 2, By::Invite);
        negotiation.withdrawn(Time(0), TX);
        assert_eq!(negotiation.judge(Time(OWED_MS - 1), By::Invite, true), Verdict::Busy);
        assert_eq!(negotiation.judge(Time(OWED_MS), By::Invite, true), Verdict::Ask);
        negotiation.they_offered(TX, 3, By::Invite);
        assert_eq!(negotiation.answer_comes(), Some((TX, 3, By::Invite)));
    }

    #[test]
    fn who_owns_the_call_id_waits_longer() {
        for random in 0..500 {
            assert!((2_100..=4_000).contains(&after_glare_ms(true, random)) && after_glare_ms(false, random) <= 2_000);
        }
    }
}
