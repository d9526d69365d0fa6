//! Has the far end heard a provisional answer? 100rel on both sides: RSeq, RAck and PRACK (RFC 3262).

use crate::centre::ids::LegId;
use crate::centre::time::Time;

use super::clients::{NewRequest, Purpose};
use super::dialog::{Dialog, More};
use super::exchange::Exchange;
use super::guard::{Request, Response};
use super::legs::Leg;
use super::message::{Method, Name};
use super::negotiate::Turn;

/// The first number of a transaction's reliable answers: 1 to 2³¹ − 1 (RFC 3262 §3).
pub fn first_rseq(random: u64) -> u32 {
    u32::try_from(random % 0x7fff_ffff).unwrap_or_default() + 1
}

impl Exchange {
    /// PRACK of a provisional answer of ours.
    pub(super) fn prack(&mut self, now: Time, request: &Request<'_>, key: &str) {
        let status = match self.is_pracked(request) {
            Some(true) if request.message.has_sdp() => 488,
            Some(true) => 200,
            Some(false) | None => return self.refuse(now, request, 481, ""),
        };
        self.answer_once(now, request, key, status, "");
    }

    fn is_pracked(&mut self, request: &Request<'_>) -> Option<bool> {
        let (rseq, invite) = rack(request.message.only(Name::RAck)?)?;
        let leg = self.leg_of(request, request.to.tag()?)?;
        let (tx, cseq) = match self.legs.get(&leg)? {
            Leg::Arrived { dialog, tx, .. } => (*tx, dialog.remote_cseq?),
            Leg::Up(up) => match up.negotiation.turn() {
                Turn::AwaitsAck { tx, cseq, first: true, .. } => (*tx, *cseq),
                Turn::AwaitsAck { .. } | Turn::Settled | Turn::TheyOffered { .. } | Turn::WeOffered { .. } => return None,
            },
            Leg::Dialled { .. } | Leg::Closing(_) => return None,
        };
        Some(cseq == invite && self.servers.pracked(tx, rseq))
    }

    /// Nobody has acknowledged our reliable provisional answer: the INVITE is refused (RFC 3262 §3).
    pub(super) fn no_prack(&mut self, now: Time, leg: LegId) {
        if matches!(self.legs.get(&leg), Some(Leg::Arrived { .. })) {
            self.reject(now, leg, 504, None);
            self.report_gone(leg);
        }
    }

    /// PRACK for a reliable provisional answer of a far end that we call, in the early dialog that it makes.
    pub(super) fn send_prack(&mut self, now: Time, rseq: u32, cseq: u32, pinned: bool, response: &Response<'_>) {
        let (client, branch) = self.clients.reserve(self.salts.next());
        let mut early = Dialog::of_stray(response, pinned);
        let peer = early.next_hop();
        let headers = format!("RAck: {rseq} {} INVITE\r\n", response.cseq);
        let request = early.request(Method::Prack, &branch, &self.own, More { peer, cseq: Some(cseq), headers: &headers, sdp: None });
        let prack = NewRequest { branch, peer, request, method: Method::Prack, purpose: Purpose::Nothing };
        self.clients.send(now, client, prack, &mut self.timers, &mut self.out);
    }
}

/// The number of the answer and the CSeq of the INVITE that a RAck names.
fn rack(value: &str) -> Option<(u32, u32)> {
    let mut parts = value.split_ascii_whitespace();
    let (rseq, cseq, method) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?);
    (method == "INVITE" && parts.next().is_none()).then_some((rseq, cseq))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_rack_names() {
        assert_eq!(rack("776656 1 INVITE"), Some((776_656, 1)));
        assert_eq!((rack("1 1 BYE"), rack("1 INVITE"), rack("-1 1 INVITE"), rack("1 1 INVITE x")), (None, None, None, None));
        assert_eq!((first_rseq(0), first_rseq(0x7fff_fffe)), (1, 0x7fff_ffff));
    }
}
