//! What must be kept of an INVITE of ours until it is answered? Its offer, the far ends that have spoken, and where else it may go.

use std::collections::VecDeque;

use crate::centre::ids::LegId;

use super::dialog::Dialog;
use super::failover::{Failed, Tries};
use super::session::MIN_SE_S;

/// Far ends that one INVITE may reach by forking; what others say before they answer is not heard.
const MOST_FORKS: usize = 8;
/// Reliable answers that one far end may give before it answers; further ones are not acknowledged.
const MOST_RELIABLE: u8 = 50;
/// Descriptions of its sound that one far end may give before it answers; further ones are not told.
const MOST_SOUNDS: u8 = 4;

/// An INVITE of ours without a final answer.
pub struct Calling {
    /// The leg; `None` once the core has given it up.
    pub leg: Option<LegId>,
    /// The dialog as far as our side makes it. Its CSeq counts on through all early dialogs.
    pub dialog: Dialog,
    /// The CSeq of the INVITE, which its CANCEL and its ACK share.
    pub cseq: u32,
    /// What we offered.
    pub sdp: String,
    /// Header lines of this call alone, repeated where it goes elsewhere.
    pub headers: String,
    /// Whether its far end may ask us by REFER to take the other side elsewhere.
    pub refers: bool,
    /// The shortest session that the way takes, in seconds.
    pub min_se_s: u32,
    /// Whether the core has heard that it rings.
    pub rang: bool,
    /// Addresses that it went to.
    pub tried: Vec<String>,
    /// How it may go on by another way of the trunks; `None` for a call that goes by none.
    pub tries: Option<Box<Tries>>,
    /// Addresses that it was sent on to and has not tried, the best first.
    pub others: VecDeque<String>,
    early: Vec<Early>,
}

/// A far end that has spoken before its answer.
struct Early {
    tag: String,
    /// The number of its last reliable answer.
    rseq: Option<u32>,
    reliable: u8,
    sounds: u8,
    /// Its session description: of a reliable answer it is the answer to our offer (RFC 3262 §5).
    sdp: Option<String>,
}

impl Calling {
    /// A call to the target of `dialog`.
    pub fn new(leg: LegId, dialog: Dialog, sdp: String, headers: String) -> Calling {
        let tried = vec![dialog.target.clone()];
        Calling {
            leg: Some(leg),
            dialog,
            cseq: 0,
            sdp,
            headers,
            refers: false,
            min_se_s: MIN_SE_S,
            rang: false,
            tried,
            tries: None,
            others: VecDeque::new(),
            early: Vec::new(),
        }
    }

    /// What is left of a call that comes to nothing where it went; `None` once the core has given it up.
    pub fn fail(&mut self) -> Option<Failed> {
        let leg = self.leg.take()?;
        Some(Failed { leg, rang: self.rang, sdp: std::mem::take(&mut self.sdp), tries: self.tries.take() })
    }

    /// Forgets the far ends of the INVITE before.
    pub fn begin_again(&mut self) {
        self.early.clear();
        self.dialog.remote_tag.clear();
    }

    /// A provisional answer with a number has come from this far end: whether it is the next one. One that is repeated or comes out
    /// of order is none (RFC 3262 §4).
    pub fn is_next(&mut self, tag: &str, rseq: u32) -> bool {
        let Some(early) = self.early(tag) else { return false };
        let next = early.reliable < MOST_RELIABLE && early.rseq.is_none_or(|last| rseq == last.wrapping_add(1));
        if next {
            early.rseq = Some(rseq);
            early.reliable += 1;
        }
        next
    }

    /// This far end has described its sound before its answer: whether that is news.
    pub fn is_new_sound(&mut self, tag: &str, sdp: &str) -> bool {
        let is_news = |early: &&mut Early| early.sounds < MOST_SOUNDS && early.sdp.as_deref() != Some(sdp);
        let Some(early) = self.early(tag).filter(is_news) else { return false };
        early.sdp = Some(sdp.to_owned());
        early.sounds += 1;
        true
    }

    /// What this far end has described before its answer.
    pub fn early_sdp(&self, tag: &str) -> Option<&str> {
        self.early.iter().find(|early| early.tag == tag)?.sdp.as_deref()
    }

    /// Whether this far end has made an early dialog.
    pub fn knows(&self, tag: &str) -> bool {
        self.early.iter().any(|early| early.tag == tag)
    }

    fn early(&mut self, tag: &str) -> Option<&mut Early> {
        let at = self.early.iter().position(|early| early.tag == tag);
        let at = at.or_else(|| {
            (self.early.len() < MOST_FORKS).then(|| {
                self.early.push(Early { tag: tag.to_owned(), rseq: None, reliable: 0, sounds: 0, sdp: None });
                self.early.len() - 1
            })
        });
        self.early.get_mut(at?)
    }
}
