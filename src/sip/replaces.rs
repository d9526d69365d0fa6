//! Which dialog is an INVITE to take the place of, and who may say so? Replaces, from operators' own phones alone (RFC 3891).

use std::collections::VecDeque;

use crate::centre::ids::{AgentId, LegId};
use crate::centre::input::FromLine;
use crate::centre::time::Time;

use super::exchange::Exchange;
use super::guard::Request;
use super::legs::{self, Leg, Salts};
use super::message::Name;
use super::uri::param;

/// Dialogs that are over and still known as such; an older one is as unknown as any.
const MOST_OVER: usize = 1_024;
/// Legs that phones bring into a call are numbered from here on; the core counts its own up from 1.
const FIRST_OF_PHONES: u16 = 0x8000;

/// Dialogs that have ended of late, by a keyed hash of their Call-ID and our tag.
#[derive(Default)]
pub(super) struct Over(VecDeque<u64>);

impl Over {
    /// This dialog has ended.
    pub fn note(&mut self, salts: &Salts, call_id: &str, our_tag: &str) {
        if self.0.len() >= MOST_OVER {
            self.0.pop_front();
        }
        self.0.push_back(salts.of_dialog(call_id, our_tag));
    }

    fn has(&self, salts: &Salts, call_id: &str, our_tag: &str) -> bool {
        self.0.contains(&salts.of_dialog(call_id, our_tag))
    }
}

/// A Replaces, read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Replaces<'a> {
    call_id: &'a str,
    to_tag: &'a str,
    from_tag: &'a str,
    early_only: bool,
}

impl<'a> Replaces<'a> {
    /// Reads a value; `None` for one that names no dialog.
    pub fn read(value: &'a str) -> Option<Replaces<'a>> {
        let (call_id, params) = value.split_once(';')?;
        let tag = |name| param(params, name).filter(|tag| !tag.is_empty());
        let call_id = call_id.trim();
        let is_one = !call_id.is_empty() && call_id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',');
        let read =
            Replaces { call_id, to_tag: tag("to-tag")?, from_tag: tag("from-tag")?, early_only: param(params, "early-only").is_some() };
        is_one.then_some(read)
    }
}

impl Exchange {
    /// An INVITE with Replaces. Strangers and trunks take nobody's place.
    pub(super) fn invite_in_place(&mut self, now: Time, request: &Request<'_>, key: &str) {
        let Some(agent) = self.phone_of(request) else {
            return match self.trunks.of(request.from_peer.addr.ip()) {
                Some(_) => self.refuse(now, request, 403, ""),
                None => self.refuse_stranger(now, request),
            };
        };
        let Some(value) = request.message.only(Name::Replaces) else { return self.refuse(now, request, 400, "") };
        let Some(replaces) = Replaces::read(value) else { return self.refuse(now, request, 400, "") };
        if !self.is_proven(now, request) {
            return;
        }
        match self.leg_named_by(replaces) {
            Ok(replaced) => self.take_place(now, request, key, &agent, replaced),
            Err(status) => self.refuse(now, request, status, ""),
        }
    }

    fn take_place(&mut self, now: Time, request: &Request<'_>, key: &str, agent: &AgentId, replaced: LegId) {
        let Some(leg) = self.leg_of_phone(replaced) else { return self.shed(now, request) };
        let agent = agent.clone();
        let told = |sdp| FromLine::Replacing { leg, replaced: replaced.n, agent, sdp };
        self.phone_comes_in(now, request, key, leg, told);
    }

    /// A number that no leg of the call has.
    fn leg_of_phone(&mut self, replaced: LegId) -> Option<LegId> {
        let random = self.salts.next();
        (0..8)
            .map(|shift| LegId { n: FIRST_OF_PHONES | (random >> (shift * 8)) as u16, ..replaced })
            .find(|leg| !self.legs.contains_key(leg))
    }

    /// The leg that is to be replaced. Errors: the status of RFC 3891 §3. What only rings is no room that anybody could take a place in.
    fn leg_named_by(&mut self, replaces: Replaces<'_>) -> Result<LegId, u16> {
        let Replaces { call_id, to_tag, from_tag, early_only } = replaces;
        if let Some(leg) = self.leg_between(call_id, to_tag, from_tag) {
            return match self.legs.get(&leg) {
                Some(Leg::Up(up)) if up.bye.is_some() => Err(603),
                Some(Leg::Up(_)) if early_only => Err(486),
                Some(Leg::Up(_)) => Ok(leg),
                Some(Leg::Closing(_)) => Err(603),
                Some(Leg::Arrived { .. } | Leg::Dialled { .. }) | None => Err(481),
            };
        }
        let is_over = [to_tag, from_tag].iter().any(|tag| self.over.has(&self.salts, call_id, tag));
        Err(if is_over { 603 } else { 481 })
    }

    /// The leg of the dialog with this Call-ID and these tags, from either side's view.
    pub(super) fn leg_between(&mut self, call_id: &str, to_tag: &str, from_tag: &str) -> Option<LegId> {
        [(to_tag, from_tag), (from_tag, to_tag)].into_iter().find_map(|(ours, theirs)| {
            let leg = legs::leg_of(ours)?;
            let dialog = self.legs.get_mut(&leg)?.dialog()?;
            (dialog.local_tag == ours && dialog.is_of(call_id, theirs)).then_some(leg)
        })
    }

    /// The dialog of a leg as its far end would name it in an INVITE that it gets.
    pub(super) fn named_there(&mut self, leg: LegId) -> Option<String> {
        let dialog = self.legs.get_mut(&leg)?.dialog()?;
        Some(format!("{};to-tag={};from-tag={}", dialog.call_id, dialog.remote_tag, dialog.local_tag))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_dialog_is_named_by_all_three() {
        let read = Replaces::read("98asjd8@there;to-tag=7743;from-tag=6472;early-only").unwrap();
        assert_eq!((read.call_id, read.to_tag, read.from_tag, read.early_only), ("98asjd8@there", "7743", "6472", true));
        for odd in ["", "c1", "c1;to-tag=a", "c1;from-tag=a;to-tag", ";to-tag=a;from-tag=b", "a,b;to-tag=a;from-tag=b"] {
            assert_eq!(Replaces::read(odd), None, "{odd}");
        }
    }

    #[test]
    fn the_oldest_that_is_over_is_forgotten() {
        let (mut over, salts) = (Over::default(), Salts::default());
        (0..=MOST_OVER).for_each(|n| over.note(&salts, &n.to_string(), "t"));
        assert_eq!((over.has(&salts, "0", "t"), over.has(&salts, "1", "t"), over.has(&salts, "1", "u")), (false, true, false));
    }
}
