//! How do we change a session that is up, or show that it lives? Our own re-INVITEs (RFC 3261 §14.1, RFC 4028 §7.4).

use crate::centre::ids::{LegId, SdpRef};
use crate::centre::input::FromLine;
use crate::centre::time::Time;

use super::challenge::Challenge;
use super::clients::{ClientId, NewRequest, Purpose};
use super::dialog::{Dialog, More};
use super::exchange::Exchange;
use super::guard::Response;
use super::legs::Leg;
use super::message::{Method, Name};
use super::negotiate::{Offer, after_glare_ms};
use super::reply::ABILITIES;
use super::session::{Asked, Due as SessionDue};
use super::timers::Due;

/// The longest time that a far end may ask for before it is offered again, in seconds (RFC 3261 §14.2 has it choose up to 10).
const LONGEST_PAUSE_S: u32 = 32;
/// A leg looks at its session at least so often, in milliseconds: moments far away would outlive legs that are gone.
const HOP_MS: u64 = 60_000;

/// Why a far end does not take what we ask within a dialog.
pub(super) struct Refusal {
    /// Its status.
    pub status: u16,
    /// Seconds after which we may ask again.
    pub pause_s: Option<u32>,
    /// The shortest session that it takes, in seconds.
    pub min_s: u32,
}

impl Refusal {
    /// One that says no more than its status.
    pub fn of_status(status: u16) -> Refusal {
        Refusal { status, pause_s: None, min_s: 0 }
    }

    /// Reads a final answer.
    pub fn of(response: &Response<'_>) -> Refusal {
        let number = |name| response.message.number(name);
        Refusal { status: response.status, pause_s: number(Name::RetryAfter), min_s: number(Name::MinSe).unwrap_or_default() }
    }
}

impl Exchange {
    /// The core offers a description in a dialog that is up; it goes out as soon as it is our turn.
    pub(super) fn renegotiate(&mut self, now: Time, leg: LegId, sdp: SdpRef) {
        let sdp = self.links.sdps.take(sdp);
        let Some(Leg::Up(up)) = self.legs.get_mut(&leg) else { return self.order_without_leg(leg) };
        match sdp {
            Some(sdp) => up.negotiation.want(Offer::New(sdp)),
            None => self.report(FromLine::NotRenegotiated { leg, status: 500 }),
        }
        self.proceed(now, leg);
    }

    /// Does what a leg that is up has to do by itself: its next offer, if it is our turn, and its next moment.
    pub(super) fn proceed(&mut self, now: Time, leg: LegId) {
        let Some(Leg::Up(up)) = self.legs.get_mut(&leg) else { return };
        if up.bye.is_none()
            && let Some(offer) = up.negotiation.next(now)
        {
            self.offer(now, leg, offer, None);
        }
        self.wake(now, leg);
    }

    fn wake(&mut self, now: Time, leg: LegId) {
        let Some(Leg::Up(up)) = self.legs.get_mut(&leg) else { return };
        if up.bye.is_some() {
            return;
        }
        let session = up.session.map(|session| session.wakes());
        let Some(at) = [up.negotiation.wakes(), session].into_iter().flatten().min() else { return };
        if up.wakes.is_some_and(|set| set > now && set <= at) {
            return;
        }
        // Legs look at distant ends together, so that the task is woken twice a minute, whatever their number.
        let at = if at > now.plus_ms(HOP_MS) { Time((now.0 + HOP_MS) / (HOP_MS / 2) * (HOP_MS / 2)) } else { at.max(now) };
        up.wakes = Some(at);
        self.timers.set(at, Due::Leg(leg));
    }

    /// A moment of a leg that is up has come.
    pub(super) fn keep_alive(&mut self, now: Time, leg: LegId) {
        let Some(Leg::Up(up)) = self.legs.get_mut(&leg) else { return };
        match up.session.as_mut().and_then(|session| session.due(now).map(|due| (due, session))) {
            Some((SessionDue::End, _)) => {
                metrics::counter!("cityline_sip_sessions_expired_total").increment(1);
                return self.drop_leg(now, leg);
            }
            Some((SessionDue::Refresh, session)) => {
                session.tried(now);
                if up.asks.updates {
                    self.send_update(now, leg);
                } else {
                    up.negotiation.want(Offer::Refresh);
                }
            }
            None => {}
        }
        self.proceed(now, leg);
    }

    /// Sends an offer; `proof` is the header line that answers the far end's challenge.
    fn offer(&mut self, now: Time, leg: LegId, offer: Offer, proof: Option<String>) {
        let (client, branch) = self.clients.reserve(self.salts.next());
        let Some(Leg::Up(up)) = self.legs.get_mut(&leg) else { return };
        let peer = up.dialog.next_hop();
        let timer = up.session.map(|session| session.request_headers()).unwrap_or_default();
        let proven = proof.is_some();
        let headers = format!("{}{ABILITIES}{timer}{}", up.dialog.contact(&self.own), proof.unwrap_or_default());
        let sdp = match &offer {
            Offer::New(sdp) => sdp,
            Offer::Refresh => &up.sdp,
        };
        let more = More { peer, cseq: None, headers: &headers, sdp: Some(sdp) };
        let request = up.dialog.request(Method::Invite, &branch, &self.own, more);
        let purpose = Purpose::Reinvite { leg, dialog: Box::new(up.dialog.clone()), proven };
        up.negotiation.we_offered(client, offer);
        let invite = NewRequest { branch, peer, request, method: Method::Invite, purpose };
        self.clients.send(now, client, invite, &mut self.timers, &mut self.out);
    }

    /// An answer to a re-INVITE of ours; whether it says anything of the dialog: a challenge that is answered does not.
    pub(super) fn reinvite_response(&mut self, now: Time, client: ClientId, response: &Response<'_>) -> bool {
        match response.status {
            ..200 => {}
            _ if !self.clients.answered(now, client, &mut self.timers) => self.clients.ack_again(client, &mut self.out),
            200..300 => self.offer_taken(now, client, response),
            300.. => return self.offer_refused(now, client, response),
        }
        true
    }

    fn offer_taken(&mut self, now: Time, client: ClientId, response: &Response<'_>) {
        let Some(Purpose::Reinvite { leg, dialog, .. }) = self.clients.purpose(client) else { return };
        let (leg, mut dialog) = (*leg, dialog.clone());
        dialog.refresh(response.contact);
        self.send_ack(Some(client), &mut dialog, response.cseq);
        let Some(Leg::Up(up)) = self.legs.get_mut(&leg) else { return };
        let Some(offer) = up.negotiation.over(client) else { return };
        up.negotiation.settled();
        up.dialog.target = dialog.target;
        up.session = Asked::of(&response.message).agreed(now);
        match offer {
            Offer::New(sdp) => {
                up.sdp = sdp;
                if response.message.has_sdp() {
                    up.dialog.describes(response.message.body);
                }
                self.tell_answer(leg, response);
            }
            // An answer may name another key, port, host, codec or direction, though we have offered the same again.
            Offer::Refresh if response.message.has_sdp() && up.dialog.describes(response.message.body) => self.tell_answer(leg, response),
            Offer::Refresh => {}
        }
        self.proceed(now, leg);
    }

    fn tell_answer(&mut self, leg: LegId, response: &Response<'_>) {
        if !response.message.has_sdp() {
            return self.report(FromLine::NotRenegotiated { leg, status: 488 });
        }
        let sdp = self.links.sdps.put_received(response.message.body, response.from_peer.addr.ip());
        self.report(FromLine::Renegotiated { leg, sdp });
    }

    fn offer_refused(&mut self, now: Time, client: ClientId, response: &Response<'_>) -> bool {
        let Some((branch, peer)) = self.clients.branch(client).map(|(branch, peer)| (branch.to_owned(), peer)) else { return true };
        let Some(Purpose::Reinvite { leg, dialog, proven }) = self.clients.purpose(client) else { return true };
        let (leg, mut dialog, proven) = (*leg, dialog.clone(), *proven);
        response.message.first(Name::To).unwrap_or_default().clone_into(&mut dialog.remote);
        let more = More { peer, cseq: Some(response.cseq), headers: "", sdp: None };
        let ack = dialog.request(Method::Ack, &branch, &self.own, more);
        self.clients.ack(client, peer, ack, &mut self.out);
        let asked = matches!(response.status, 401 | 407) && !proven;
        if asked && self.prove_offer(now, leg, client, response) {
            return false;
        }
        self.offer_failed(now, leg, client, Refusal::of(response));
        true
    }

    /// Offers again with the trunk's credentials what was challenged; false where there are none, or the challenge is none that we know.
    fn prove_offer(&mut self, now: Time, leg: LegId, client: ClientId, response: &Response<'_>) -> bool {
        let Some(Leg::Up(up)) = self.legs.get(&leg) else { return false };
        let dialog = up.dialog.clone();
        let Some(proof) = self.proof(&dialog, Method::Invite, response) else { return false };
        let Some(Leg::Up(up)) = self.legs.get_mut(&leg) else { return false };
        let Some(offer) = up.negotiation.over(client) else { return false };
        self.offer(now, leg, offer, Some(proof));
        true
    }

    /// The header line that answers a challenge to a request of this method in a dialog; `None` without one, or without a login.
    pub(super) fn proof(&mut self, dialog: &Dialog, method: Method, response: &Response<'_>) -> Option<String> {
        let cnonce = self.salts.next();
        let login = self.trunks.of(dialog.peer.addr.ip()).and_then(|rules| rules.login.as_ref());
        let mut challenge = Challenge::read(&response.message).filter(|_| matches!(response.status, 401 | 407))?;
        Some(challenge.answer(login?, method.name(), &dialog.target, cnonce))
    }

    /// What was agreed stays. A glare and a far end that asks for time are met again later; one that knows no dialog has none.
    pub(super) fn offer_failed(&mut self, now: Time, leg: LegId, client: ClientId, refusal: Refusal) {
        let random = self.salts.next();
        let Some(Leg::Up(up)) = self.legs.get_mut(&leg) else { return };
        let Some(offer) = up.negotiation.over(client) else { return };
        let pause_s = refusal.pause_s.filter(|seconds| *seconds <= LONGEST_PAUSE_S);
        let failed = match (refusal.status, pause_s, &mut up.session) {
            (408 | 481, ..) => return self.drop_leg(now, leg),
            (491, ..) => up.negotiation.put_off(offer, now.plus_ms(after_glare_ms(up.dialog.ours, random))),
            (500 | 503, Some(seconds), _) => up.negotiation.put_off(offer, now.plus_ms(u64::from(seconds) * 1000)),
            (422, _, Some(session)) => {
                session.lengthen(refusal.min_s);
                up.negotiation.put_off(offer, now)
            }
            _ => Some(offer),
        };
        if failed.is_some() {
            up.negotiation.settled();
        }
        if matches!(failed, Some(Offer::New(_))) && !up.negotiation.has_newer() {
            self.report(FromLine::NotRenegotiated { leg, status: refusal.status });
        }
        self.proceed(now, leg);
    }
}
