//! What stands between us and each far end? The state of every leg, found by its id or by the tag that we gave it.

use std::hash::{BuildHasher, RandomState};

use serde::{Deserialize, Serialize};

use crate::centre::fact::EndReason;
use crate::centre::ids::{CallId, LegId};
use crate::centre::time::Time;

use super::clients::ClientId;
use super::dialog::Dialog;
use super::message::{Message, Name};
use super::negotiate::Negotiation;
use super::servers::ServerId;
use super::session::{Asked, Session};
use super::transfer::Referral;

/// One leg.
pub enum Leg {
    /// An INVITE to us without a final answer of ours. `offered`: it brought a session description. `refers` as in [`Up`].
    Arrived { dialog: Box<Dialog>, tx: ServerId, offered: bool, asks: Asks, refers: bool, due: Time },
    /// An INVITE of ours without a final answer.
    Dialled { client: ClientId },
    /// Answered, by either side.
    Up(Box<Up>),
    /// Our BYE is out; the far end's own may cross it.
    Closing(Box<Dialog>),
}

/// A leg that has been answered.
pub struct Up {
    /// Its dialog.
    pub dialog: Dialog,
    /// Whose turn it is to offer, and what waits.
    pub negotiation: Negotiation,
    /// Our last session description, for a re-INVITE that brings none.
    pub sdp: String,
    /// Until when the session is good, where the far end knows of session timers.
    pub session: Option<Session>,
    /// What the far end can do, as it last said.
    pub asks: Asks,
    /// Whether its far end may ask us by REFER to take the other side elsewhere.
    pub refers: bool,
    /// The REFER whose end has not been told.
    pub referral: Option<Referral>,
    /// Whether there has been a REFER.
    pub referred: bool,
    /// The core has hung up before the ACK of our first 2xx: BYE follows that ACK (RFC 3261 §15).
    pub bye: Option<EndReason>,
    /// The moment that the leg waits for.
    pub wakes: Option<Time>,
}

impl Up {
    /// A leg that has just been answered.
    pub fn new(dialog: Dialog, negotiation: Negotiation, sdp: String, asks: Asks) -> Up {
        Up { dialog, negotiation, sdp, session: None, asks, refers: false, referral: None, referred: false, bye: None, wakes: None }
    }
}

/// What a far end can do, and asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Asks {
    /// Session timers (RFC 4028).
    pub session: Asked,
    /// Whether it takes UPDATE (RFC 3311).
    pub updates: bool,
    /// Whether it requires provisional answers to be reliable (RFC 3262).
    pub reliable: bool,
}

impl Asks {
    /// Reads the message that makes a dialog.
    pub fn of(message: &Message<'_>) -> Asks {
        let reliable = message.lists(Name::Require, "100rel");
        Asks { session: Asked::of(message), updates: message.lists(Name::Allow, "UPDATE"), reliable }
    }

    /// Reads a later message of the dialog.
    pub fn renew(&mut self, message: &Message<'_>) {
        self.session = Asked::of(message);
        if message.first(Name::Allow).is_some() {
            self.updates = message.lists(Name::Allow, "UPDATE");
        }
    }
}

impl Leg {
    /// Whether it waits for this moment.
    pub fn counts_on(&self, at: Time) -> bool {
        match self {
            Leg::Arrived { due, .. } => *due == at,
            Leg::Up(up) => up.wakes == Some(at),
            Leg::Dialled { .. } | Leg::Closing(_) => false,
        }
    }

    /// The dialog, of legs that the far end can name.
    pub fn dialog(&mut self) -> Option<&mut Dialog> {
        match self {
            Leg::Arrived { dialog, .. } | Leg::Closing(dialog) => Some(dialog),
            Leg::Up(up) => Some(&mut up.dialog),
            Leg::Dialled { .. } => None,
        }
    }
}

/// Numbers that strangers cannot guess: a keyed hash of a counter.
#[derive(Default)]
pub struct Salts {
    key: RandomState,
    count: u64,
}

impl Salts {
    /// The next one.
    pub fn next(&mut self) -> u64 {
        self.count += 1;
        self.key.hash_one(self.count)
    }

    /// The number of a dialog, by its Call-ID and our tag.
    pub fn of_dialog(&self, call_id: &str, our_tag: &str) -> u64 {
        self.key.hash_one((call_id, our_tag))
    }

    /// The same number for the same text: the tag of answers that keep no state (RFC 3261 §8.2.7).
    pub fn of(&self, text: &str) -> u64 {
        self.key.hash_one(text)
    }
}

/// Our tag for a leg. It holds the leg's id, so that no table of dialogs is needed.
pub fn tag_of(leg: LegId, salt: u64) -> String {
    format!("{:x}.{:x}.{salt:016x}", leg.call.0, leg.n)
}

/// The leg that a tag of ours names; whether it is truly ours only the leg's dialog can say.
pub fn leg_of(tag: &str) -> Option<LegId> {
    let mut parts = tag.split('.');
    let call = CallId(u64::from_str_radix(parts.next()?, 16).ok()?);
    let n = u16::from_str_radix(parts.next()?, 16).ok()?;
    Some(LegId { call, n })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_leads_back_to_its_leg() {
        let leg = LegId { call: CallId(70_000), n: 3 };
        assert_eq!(leg_of(&tag_of(leg, 99)), Some(leg));
        assert_eq!(leg_of("as58f4201b"), None);
    }
}
