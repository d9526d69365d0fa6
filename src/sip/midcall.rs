//! What may the far end ask while a call is up? Re-INVITE and INFO (RFC 3261 §14, RFC 6086).

use crate::centre::ids::{LegId, SdpRef};
use crate::centre::input::{Digit, FromLine};
use crate::centre::time::Time;

use super::exchange::Exchange;
use super::guard::Request;
use super::legs::Leg;
use super::negotiate::{By, Turn, Verdict};
use super::reply::{ABILITIES, Reply, ReplyHead};
use super::servers::ServerId;
use super::session::{Asked, TOO_SHORT};

impl Exchange {
    /// A re-INVITE: the core answers an offer; one without an offer gets our last description.
    pub(super) fn reinvite(&mut self, now: Time, request: &Request<'_>, key: &str) {
        let Some(leg) = request.to.tag().and_then(|tag| self.leg_of(request, tag)) else {
            return self.refuse(now, request, 481, "");
        };
        let Some(Leg::Up(up)) = self.legs.get_mut(&leg) else {
            return self.answer_once(now, request, key, 500, "Retry-After: 1\r\n");
        };
        if Some(request.cseq) <= up.dialog.remote_cseq {
            return self.answer_once(now, request, key, 500, "");
        }
        up.dialog.remote_cseq = Some(request.cseq);
        if let Err((status, headers)) = bearable(request) {
            return self.answer_once(now, request, key, status, headers);
        }
        match up.negotiation.judge(now, By::Invite, request.message.has_sdp()) {
            Verdict::Ask => self.ask(now, leg, request, key, By::Invite),
            Verdict::OfferOurs => self.offer_ours(now, leg, request, key),
            Verdict::Busy => self.answer_once(now, request, key, 500, &retry_after(request)),
            Verdict::Glare => self.answer_once(now, request, key, 491, ""),
        }
    }

    /// Puts an offer of the far end to the core.
    pub(super) fn ask(&mut self, now: Time, leg: LegId, request: &Request<'_>, key: &str, by: By) {
        let sdp = self.links.sdps.put_received(request.message.body, request.from_peer.addr.ip());
        if !self.try_report(FromLine::Reoffered { leg, sdp }) {
            return self.answer_once(now, request, key, 500, "Retry-After: 2\r\n");
        }
        let Some(Leg::Up(up)) = self.legs.get_mut(&leg) else { return };
        if let Turn::AwaitsAck { tx, .. } = up.negotiation.turn() {
            self.servers.acked(now, *tx, &mut self.timers);
        }
        let tx = self.servers.open(key, ReplyHead::of(&request.message, request.from_peer), by == By::Invite, Some(leg));
        up.negotiation.they_offered(tx, request.cseq, by);
        up.dialog.refresh(request.contact);
        up.dialog.describes(request.message.body);
        up.asks.renew(&request.message);
        if by == By::Invite {
            self.servers.answer(now, tx, Reply { status: 100, ..Reply::default() }, &mut self.timers, &mut self.out);
        }
    }

    fn offer_ours(&mut self, now: Time, leg: LegId, request: &Request<'_>, key: &str) {
        let Some(Leg::Up(up)) = self.legs.get_mut(&leg) else { return };
        up.dialog.refresh(request.contact);
        up.asks.renew(&request.message);
        let sdp = up.sdp.clone();
        let tx = self.servers.open(key, ReplyHead::of(&request.message, request.from_peer), true, Some(leg));
        self.say_yes(now, leg, tx, sdp);
        if let Some(Leg::Up(up)) = self.legs.get_mut(&leg) {
            up.negotiation.accepted(tx, request.cseq, true);
        }
        self.proceed(now, leg);
    }

    /// The core takes the offer. One that has been withdrawn in the meantime is stale, which is no error.
    pub(super) fn accept_offer(&mut self, now: Time, leg: LegId, sdp: SdpRef) {
        let Some(sdp) = self.links.sdps.take(sdp) else { return self.refuse_offer(now, leg) };
        let Some(Leg::Up(up)) = self.legs.get_mut(&leg) else { return self.order_without_leg(leg) };
        let Some((tx, cseq, by)) = up.negotiation.answer_comes() else { return };
        self.say_yes(now, leg, tx, sdp);
        if let Some(Leg::Up(up)) = self.legs.get_mut(&leg)
            && by == By::Invite
        {
            up.negotiation.accepted(tx, cseq, false);
        }
        self.proceed(now, leg);
    }

    /// 200 with a description of ours, which sets the session's terms anew.
    fn say_yes(&mut self, now: Time, leg: LegId, tx: ServerId, sdp: String) {
        let Some(Leg::Up(up)) = self.legs.get_mut(&leg) else { return };
        let (session, timer) = up.asks.session.grant(now);
        let headers = format!("{}{ABILITIES}{timer}", up.dialog.contact(&self.own));
        let reply = Reply { status: 200, tag: &up.dialog.local_tag, headers: &headers, in_dialog: true, sdp: Some(&sdp) };
        self.servers.answer(now, tx, reply, &mut self.timers, &mut self.out);
        (up.session, up.sdp) = (session, sdp);
    }

    /// The core refuses the offer; what was agreed before stays (RFC 3261 §14.2).
    pub(super) fn refuse_offer(&mut self, now: Time, leg: LegId) {
        let Some(Leg::Up(up)) = self.legs.get_mut(&leg) else { return self.order_without_leg(leg) };
        let Some((tx, ..)) = up.negotiation.answer_comes() else { return };
        self.servers.answer(now, tx, Reply { status: 488, ..Reply::default() }, &mut self.timers, &mut self.out);
        self.proceed(now, leg);
    }

    /// INFO: a key in one of the two customary forms; an empty one only shows that the far end lives.
    pub(super) fn info(&mut self, now: Time, request: &Request<'_>, key: &str) {
        let Some(leg) = request.to.tag().and_then(|tag| self.leg_of(request, tag)) else {
            return self.refuse(now, request, 481, "");
        };
        let (kind, body) = (request.message.content_type(), String::from_utf8_lossy(request.message.body));
        let relay = kind.eq_ignore_ascii_case("application/dtmf-relay");
        if !relay && !kind.eq_ignore_ascii_case("application/dtmf") {
            let empty = request.message.body.is_empty();
            return self.answer_once(
                now,
                request,
                key,
                if empty { 200 } else { 415 },
                "Accept: application/dtmf-relay, application/dtmf\r\n",
            );
        }
        let status = match digit(&body, relay) {
            Some(digit) if self.try_report(FromLine::Digit { leg, digit }) => 200,
            Some(_) => 503,
            None => 400,
        };
        self.answer_once(now, request, key, status, "");
    }
}

/// Whether we can work with what a request that changes the session brings.
pub(super) fn bearable(request: &Request<'_>) -> Result<(), (u16, &'static str)> {
    if !request.message.body.is_empty() && !request.message.has_sdp() {
        return Err((415, "Accept: application/sdp\r\n"));
    }
    if Asked::of(&request.message).is_too_short() {
        return Err((422, TOO_SHORT));
    }
    Ok(())
}

/// Some seconds, different from one request to the next (RFC 3261 §14.2).
pub(super) fn retry_after(request: &Request<'_>) -> String {
    format!("Retry-After: {}\r\n", request.cseq % 10 + 1)
}

/// The key of an INFO body: `Signal=5` on a line of its own, or the bare key.
fn digit(body: &str, relay: bool) -> Option<Digit> {
    let text = if relay {
        body.lines().filter_map(|line| line.split_once('=')).find(|(name, _)| name.trim().eq_ignore_ascii_case("signal"))?.1
    } else {
        body
    };
    let text = text.trim();
    if let Ok(code) = text.parse::<u8>()
        && text.len() == 2
    {
        return Digit::from_event(code);
    }
    let mut keys = text.chars();
    let key = keys.next()?.to_ascii_uppercase();
    if keys.next().is_some() { None } else { Digit::new(key) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_by_info() {
        assert_eq!(digit("Signal=5\r\nDuration=160\r\n", true), Digit::new('5'));
        assert_eq!(digit("Signal= *\r\n", true), Digit::new('*'));
        assert_eq!(digit("Signal=11\r\n", true), Digit::new('#'));
        assert_eq!(digit("d", false), Digit::new('D'));
        assert_eq!(digit("Duration=160", true), None);
        assert_eq!(digit("x1", false), None);
    }
}
