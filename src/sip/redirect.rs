//! Where else may a call go that a far end will not take? The Contacts of a 3xx, and a longer session after 422 (RFC 3261 §8.1.3.4, RFC 4028 §7.3).

use crate::centre::time::Time;

use super::calling::Calling;
use super::exchange::Exchange;
use super::guard::Response;
use super::message::Name;
use super::outbound::Route;
use super::peer::Peer;
use super::uri::{NameAddr, Scheme, Uri, param, split_outside};

/// Addresses that one call goes to at most, the first included.
const MOST_WAYS: usize = 5;

impl Exchange {
    /// Sends a refused call elsewhere, if there is a way; gives it back if there is none.
    pub(super) fn send_on(&mut self, now: Time, mut calling: Box<Calling>, response: &Response<'_>) -> Option<Box<Calling>> {
        if response.status == 422 {
            let longer = response.message.number(Name::MinSe).unwrap_or_default();
            if longer <= calling.min_se_s {
                return Some(calling);
            }
            calling.min_se_s = longer;
            self.call(now, calling);
            return None;
        }
        if (300..400).contains(&response.status) {
            self.note_ways(now, &mut calling, response);
        }
        self.next_way(now, calling)
    }

    /// The next address that a call was sent on to; gives the call back when none is left.
    pub(super) fn next_way(&mut self, now: Time, mut calling: Box<Calling>) -> Option<Box<Calling>> {
        let route = calling.others.pop_front().and_then(|uri| self.way(&uri));
        let Some(Route { uri, peer, pinned }) = route else { return Some(calling) };
        calling.tried.push(uri.clone());
        (calling.dialog.target, calling.dialog.peer, calling.dialog.pinned) = (uri, peer, pinned);
        self.call(now, calling);
        None
    }

    /// Keeps the Contacts of a 3xx that we may go to, the best first.
    fn note_ways(&self, now: Time, calling: &mut Calling, response: &Response<'_>) {
        let contacts = response.message.all(Name::Contact).flat_map(|header| split_outside(header, b',')).filter_map(NameAddr::read);
        let mut ways: Vec<(u16, &str)> = contacts
            .filter(|contact| self.may_go(now, response.from_peer, &contact.uri))
            .map(|contact| (preference(contact.params), contact.uri.text))
            .filter(|(_, uri)| !calling.tried.iter().any(|tried| tried == uri))
            .collect();
        ways.sort_by_key(|(preference, _)| std::cmp::Reverse(*preference));
        let room = MOST_WAYS.saturating_sub(calling.tried.len());
        calling.others = ways.into_iter().map(|(_, uri)| uri.to_owned()).take(room).collect();
    }

    /// A trunk may send calls anywhere, anybody else to the same machine, to a trunk or to where a phone of ours is registered:
    /// else whoever forges an answer could make us call strangers. Never to ourselves.
    fn may_go(&self, now: Time, from: Peer, uri: &Uri<'_>) -> bool {
        let Some(way) = self.way(uri.text) else { return false };
        let ip = way.peer.addr.ip();
        let trusted = self.trunks.of(from.addr.ip()).is_some()
            || ip == from.addr.ip()
            || self.trunks.of(ip).is_some()
            || self.registrar.knows(now, ip);
        trusted && way.peer.addr != self.own.address(way.peer)
    }

    fn way(&self, uri: &str) -> Option<Route> {
        let read = Uri::read(uri).filter(|uri| uri.headers.is_empty() && matches!(uri.scheme, Scheme::Sip | Scheme::Sips))?;
        Some(Route { uri: uri.to_owned(), peer: Peer { addr: read.socket()?, carrier: read.carrier() }, pinned: false })
    }
}

/// `q` in thousandths, 1000 where none is given.
fn preference(params: &str) -> u16 {
    let q = param(params, "q").and_then(|q| q.parse::<f32>().ok()).unwrap_or(1.0);
    (q.clamp(0.0, 1.0) * 1000.0) as u16
}
