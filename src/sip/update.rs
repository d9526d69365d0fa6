//! What does UPDATE change? The far end's refreshes and offers outside of INVITE, and our own refreshes (RFC 3311, RFC 4028).

use crate::centre::ids::LegId;
use crate::centre::time::Time;

use super::clients::{NewRequest, Purpose};
use super::dialog::More;
use super::exchange::Exchange;
use super::guard::{Request, Response};
use super::legs::Leg;
use super::message::Method;
use super::midcall::{bearable, retry_after};
use super::negotiate::{By, Offer, Verdict};
use super::renegotiate::Refusal;
use super::reply::ABILITIES;
use super::session::Asked;

impl Exchange {
    /// An UPDATE: an offer is put to the core, one without refreshes target and session.
    pub(super) fn update(&mut self, now: Time, request: &Request<'_>, key: &str) {
        let Some(leg) = request.to.tag().and_then(|tag| self.leg_of(request, tag)) else {
            return self.early_update(now, request, key);
        };
        if let Err((status, headers)) = bearable(request) {
            return self.answer_once(now, request, key, status, headers);
        }
        let with_sdp = request.message.has_sdp();
        match self.legs.get_mut(&leg) {
            Some(Leg::Up(up)) if Some(request.cseq) > up.dialog.remote_cseq => {
                up.dialog.remote_cseq = Some(request.cseq);
                match up.negotiation.judge(now, By::Update, with_sdp) {
                    _ if !with_sdp => self.refreshed(now, leg, request, key),
                    Verdict::Ask | Verdict::OfferOurs => self.ask(now, leg, request, key, By::Update),
                    Verdict::Busy => self.answer_once(now, request, key, 500, &retry_after(request)),
                    Verdict::Glare => self.answer_once(now, request, key, 491, ""),
                }
            }
            Some(Leg::Arrived { dialog, .. }) if !with_sdp && Some(request.cseq) > dialog.remote_cseq => {
                dialog.refresh(request.contact);
                let headers = format!("{}{ABILITIES}", self.own.contact(request.from_peer));
                self.answer_once(now, request, key, 200, &headers);
            }
            // The offer of the INVITE has no answer yet, or an old request comes late (RFC 3311 §5.2).
            Some(Leg::Up(_) | Leg::Arrived { .. }) => self.answer_once(now, request, key, 500, &retry_after(request)),
            Some(Leg::Dialled { .. } | Leg::Closing(_)) | None => self.refuse(now, request, 481, ""),
        }
    }

    /// UPDATE of a far end that has not answered our INVITE yet: it may refresh its target, and what it offers is too early.
    fn early_update(&mut self, now: Time, request: &Request<'_>, key: &str) {
        if !self.is_early(request) {
            self.refuse(now, request, 481, "");
        } else if request.message.has_sdp() {
            self.answer_once(now, request, key, 488, "");
        } else {
            let headers = format!("{}{ABILITIES}", self.own.contact(request.from_peer));
            self.answer_once(now, request, key, 200, &headers);
        }
    }

    fn refreshed(&mut self, now: Time, leg: LegId, request: &Request<'_>, key: &str) {
        let Some(Leg::Up(up)) = self.legs.get_mut(&leg) else { return };
        up.dialog.refresh(request.contact);
        up.asks.renew(&request.message);
        let (session, timer) = up.asks.session.grant(now);
        up.session = session;
        let headers = format!("{}{ABILITIES}{timer}", up.dialog.contact(&self.own));
        self.answer_once(now, request, key, 200, &headers);
        self.proceed(now, leg);
    }

    /// Shows that the session lives, without a word on what is agreed.
    pub(super) fn send_update(&mut self, now: Time, leg: LegId) {
        let (client, branch) = self.clients.reserve(self.salts.next());
        let Some(Leg::Up(up)) = self.legs.get_mut(&leg) else { return };
        let peer = up.dialog.next_hop();
        let timer = up.session.map(|session| session.request_headers()).unwrap_or_default();
        let headers = format!("{}{ABILITIES}{timer}", up.dialog.contact(&self.own));
        let request = up.dialog.request(Method::Update, &branch, &self.own, More { peer, cseq: None, headers: &headers, sdp: None });
        let update = NewRequest { branch, peer, request, method: Method::Update, purpose: Purpose::Update(leg) };
        self.clients.send(now, client, update, &mut self.timers, &mut self.out);
    }

    /// The final answer to an UPDATE of ours.
    pub(super) fn update_response(&mut self, now: Time, leg: LegId, response: &Response<'_>) {
        let Some(Leg::Up(up)) = self.legs.get_mut(&leg) else { return };
        if response.status >= 300 {
            return self.update_refused(now, leg, Refusal::of(response));
        }
        up.dialog.refresh(response.contact);
        up.session = Asked::of(&response.message).agreed(now);
        self.proceed(now, leg);
    }

    /// An UPDATE of ours was not taken. A re-INVITE refreshes too: every far end knows it, and it answers a challenge.
    pub(super) fn update_refused(&mut self, now: Time, leg: LegId, refusal: Refusal) {
        let Some(Leg::Up(up)) = self.legs.get_mut(&leg) else { return };
        match (refusal.status, &mut up.session) {
            (408 | 481, _) => return self.drop_leg(now, leg),
            (422, Some(session)) if session.min_s < refusal.min_s => {
                session.lengthen(refusal.min_s);
                self.send_update(now, leg);
            }
            (status, _) => {
                // Who refuses the method itself, or wants a proof with each, is spared the next one.
                up.asks.updates &= !matches!(status, 401 | 403 | 405 | 407 | 501);
                up.negotiation.want(Offer::Refresh);
            }
        }
        self.proceed(now, leg);
    }
}
