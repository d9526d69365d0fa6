//! How does a resident's call come in? From the INVITE of a trunk to the ACK of our answer (RFC 3261 §13.3).

use std::sync::atomic::Ordering;

use crate::caller::CallerSeen;
use crate::centre::ids::{CallId, CallerRef, LegId, NumberId, SdpRef, TrunkId};
use crate::centre::input::{FromLine, HangUpCause};
use crate::centre::time::Time;

use super::dialog::Dialog;
use super::diversion::diverted;
use super::exchange::{Exchange, MOST_LEGS};
use super::guard::Request;
use super::identity::Caller;
use super::legs::{Asks, Leg, Up, tag_of};
use super::message::{Method, Name};
use super::negotiate::Negotiation;
use super::reliable::first_rseq;
use super::reply::{ABILITIES, Reply, ReplyHead};
use super::session::{Asked, TOO_SHORT};
use super::timers::Due;
use super::trunk::Rules;

/// How long a call may stand without any order of the core, in milliseconds.
const NO_ORDER_MS: u64 = 30_000;
/// How long it may ring on our side, in milliseconds.
const RINGS_MS: u64 = 180_000;
/// The longest number that can be dialled, in characters: twice E.164 and its prefixes.
const LONGEST_NUMBER: usize = 32;
/// What a caller is told to wait before the next try when there are too many, in seconds.
const RETRY_AFTER_S: u32 = 5;

impl Exchange {
    /// A new call. Everything that can refuse it comes before anything is kept for it.
    pub(super) fn invite(&mut self, now: Time, request: &Request<'_>, key: &str) {
        if request.message.first(Name::Replaces).is_some() {
            return self.invite_in_place(now, request, key);
        }
        if self.invite_of_phone(now, request, key) {
            return;
        }
        let Some(rules) = self.trunks.of(request.from_peer.addr.ip()).cloned() else {
            return self.refuse_stranger(now, request);
        };
        if let Err((status, headers)) = acceptable(request) {
            return self.refuse(now, request, status, headers);
        }
        let number = request.uri.user_text();
        if !is_number(&number) {
            return self.refuse(now, request, 404, "");
        }
        if !self.has_room(now) {
            return self.shed(now, request);
        }
        let call = CallId(self.links.next_call.fetch_add(1, Ordering::Relaxed));
        let Some(caller) = self.caller_of(now, call, request, &rules) else {
            return self.shed(now, request);
        };
        let number = rules.number.clone().unwrap_or_else(|| NumberId::from(number));
        self.arrive(now, request, key, Arrival { call, caller, number, trunk: rules.id.clone() });
    }

    fn arrive(&mut self, now: Time, request: &Request<'_>, key: &str, arrival: Arrival) {
        let Arrival { call, caller, number, trunk } = arrival;
        let incoming = Incoming { leg: LegId::caller(call), pinned: false, refers: false };
        if !self.comes_in(now, request, key, incoming, |sdp| FromLine::CallArrived { call, caller, number, trunk, sdp }) {
            self.numbers.remove(&call);
            return self.shed(now, request);
        }
        if let Some(why) = diverted(&request.message) {
            self.try_report(FromLine::Diverted { call, why });
        }
    }

    /// Keeps a leg that begins with this INVITE, and tells the core of it; false when the core cannot hear.
    pub(super) fn comes_in(
        &mut self,
        now: Time,
        request: &Request<'_>,
        key: &str,
        incoming: Incoming,
        told: impl FnOnce(Option<SdpRef>) -> FromLine,
    ) -> bool {
        let Incoming { leg, pinned, refers } = incoming;
        let mut dialog = Box::new(Dialog::of_invite(request, tag_of(leg, self.salts.next())));
        dialog.pinned = pinned;
        let offered = request.message.has_sdp();
        if offered {
            dialog.describes(request.message.body);
        }
        let sdp = offered.then(|| self.links.sdps.put_received(request.message.body, request.from_peer.addr.ip()));
        if !self.try_report(told(sdp)) {
            return false;
        }
        let tx = self.servers.open(key, ReplyHead::of(&request.message, request.from_peer), true, Some(leg));
        self.servers.will_answer(now, tx, &mut self.timers);
        let due = now.plus_ms(NO_ORDER_MS);
        self.timers.set(due, Due::Leg(leg));
        self.legs.insert(leg, Leg::Arrived { dialog, tx, offered, asks: Asks::of(&request.message), refers, due });
        true
    }

    pub(super) fn has_room(&mut self, now: Time) -> bool {
        self.new_calls.take(now) && self.links.inputs.has_room_for_calls() && self.servers.has_room() && self.legs.len() < MOST_LEGS
    }

    /// Too many calls: the carrier is asked to come again, and nothing is kept.
    pub(super) fn shed(&mut self, now: Time, request: &Request<'_>) {
        metrics::counter!("cityline_sip_calls_shed_total").increment(1);
        self.refuse(now, request, 503, &format!("Retry-After: {RETRY_AFTER_S}\r\n"));
    }

    /// Hands the number to the store and keeps it for the call; `None` when the store's queue is full.
    fn caller_of(&mut self, now: Time, call: CallId, request: &Request<'_>, rules: &Rules) -> Option<CallerRef> {
        let Caller { number, name } = Caller::of(request, rules);
        let caller = self.links.caller_key.reference(&number);
        if caller.is_withheld() {
            return Some(caller);
        }
        self.links.callers.try_send(CallerSeen { caller, number: number.clone(), name, at: now }).ok()?;
        self.numbers.insert(call, number);
        Some(caller)
    }

    /// 180 to the resident.
    pub(super) fn ring(&mut self, now: Time, leg: LegId) {
        let random = self.salts.next();
        let Some(Leg::Arrived { dialog, tx, due, asks, offered, .. }) = self.legs.get_mut(&leg) else {
            return self.order_without_leg(leg);
        };
        *due = now.plus_ms(RINGS_MS);
        self.timers.set(*due, Due::Leg(leg));
        let contact = dialog.contact(&self.own);
        let reply = Reply { status: 180, tag: &dialog.local_tag, headers: &contact, in_dialog: true, sdp: None };
        if !asks.reliable {
            return self.servers.answer(now, *tx, reply, &mut self.timers, &mut self.out);
        }
        // Where the offer is left to us, a reliable 180 would have to hold it (RFC 3261 §13.2.1): there is none yet.
        if *offered {
            let rseq = first_rseq(random);
            let headers = format!("{contact}{ABILITIES}Require: 100rel\r\nRSeq: {rseq}\r\n");
            let reply = Reply { headers: &headers, ..reply };
            self.servers.answer_reliably(now, *tx, rseq, reply, &mut self.timers, &mut self.out);
        }
    }

    /// 200 to the resident, repeated until its ACK.
    pub(super) fn answer(&mut self, now: Time, leg: LegId, sdp: SdpRef) {
        if !matches!(self.legs.get(&leg), Some(Leg::Arrived { .. })) {
            return self.order_without_leg(leg);
        }
        let Some(sdp) = self.links.sdps.take(sdp) else {
            tracing::error!(%leg, "the session description of an answer is gone; the call ends");
            self.reject(now, leg, 500, None);
            return self.report_gone(leg);
        };
        let Some(Leg::Arrived { dialog, tx, offered, asks, refers, .. }) = self.legs.remove(&leg) else { return };
        let (session, timer) = asks.session.grant(now);
        let headers = format!("{}{ABILITIES}{timer}", dialog.contact(&self.own));
        let reply = Reply { status: 200, tag: &dialog.local_tag, headers: &headers, in_dialog: true, sdp: Some(&sdp) };
        self.servers.answer(now, tx, reply, &mut self.timers, &mut self.out);
        let negotiation = Negotiation::answered(tx, dialog.remote_cseq.unwrap_or_default(), !offered);
        self.legs.insert(leg, Leg::Up(Box::new(Up { session, refers, ..Up::new(*dialog, negotiation, sdp, asks) })));
        self.proceed(now, leg);
    }

    /// A final refusal to the resident.
    pub(super) fn reject(&mut self, now: Time, leg: LegId, status: u16, retry_after_s: Option<u32>) {
        if !matches!(self.legs.get(&leg), Some(Leg::Arrived { .. })) {
            return self.order_without_leg(leg);
        }
        let Some(Leg::Arrived { dialog, tx, .. }) = self.legs.remove(&leg) else { return };
        self.numbers.remove(&leg.call);
        let headers = retry_after_s.map_or(String::new(), |seconds| format!("Retry-After: {seconds}\r\n"));
        let status = if (300..700).contains(&status) { status } else { 500 };
        let reply = Reply { status, tag: &dialog.local_tag, headers: &headers, ..Reply::default() };
        self.servers.answer(now, tx, reply, &mut self.timers, &mut self.out);
    }

    /// CANCEL: 200 to itself; 487 to an INVITE that has no final answer (RFC 3261 §9.2).
    pub(super) fn cancel(&mut self, now: Time, request: &Request<'_>) {
        let mut key = String::new();
        super::servers::write_key(request, Method::Invite, &mut key);
        let Some(tx) = self.servers.find(&key) else {
            return self.refuse(now, request, 481, "");
        };
        self.refuse(now, request, 200, "");
        let Some((leg, true)) = self.servers.pending_leg(tx) else { return };
        match self.legs.get_mut(&leg) {
            Some(Leg::Arrived { .. }) => {
                self.reject(now, leg, 487, None);
                self.report(FromLine::HungUp { leg, cause: HangUpCause::Cancel });
            }
            Some(Leg::Up(up)) => {
                up.negotiation.withdrawn(now, tx);
                let reply = Reply { status: 487, ..Reply::default() };
                self.servers.answer(now, tx, reply, &mut self.timers, &mut self.out);
                self.proceed(now, leg);
            }
            Some(Leg::Dialled { .. } | Leg::Closing(_)) | None => {}
        }
    }

    /// ACK of a 2xx by its dialog, of a refusal by its transaction.
    pub(super) fn ack(&mut self, now: Time, request: &Request<'_>, key: &str) {
        if self.ack_in_dialog(now, request).is_none()
            && let Some(tx) = self.servers.find(key)
        {
            self.servers.acked(now, tx, &mut self.timers);
        }
    }

    fn ack_in_dialog(&mut self, now: Time, request: &Request<'_>) -> Option<()> {
        let leg = self.leg_of(request, request.to.tag()?)?;
        let Some(Leg::Up(up)) = self.legs.get_mut(&leg) else { return None };
        let (tx, late, first) = up.negotiation.acked(request.cseq)?;
        let bye = up.bye;
        if late && request.message.has_sdp() {
            up.dialog.describes(request.message.body);
        }
        self.servers.acked(now, tx, &mut self.timers);
        if let Some(reason) = bye {
            self.hang_up(now, leg, reason);
        } else if late && first {
            self.late_answer(now, leg, request);
        } else if late && request.message.has_sdp() {
            let sdp = self.links.sdps.put_received(request.message.body, request.from_peer.addr.ip());
            self.report(FromLine::Renegotiated { leg, sdp });
        }
        self.proceed(now, leg);
        Some(())
    }

    /// Our offer went out in the first 2xx; its answer comes in the ACK and is told as `Answered`, on the resident's leg too.
    fn late_answer(&mut self, now: Time, leg: LegId, request: &Request<'_>) {
        let told = request.message.has_sdp() && {
            let sdp = self.links.sdps.put_received(request.message.body, request.from_peer.addr.ip());
            self.try_report(FromLine::Answered { leg, sdp })
        };
        if !told {
            self.drop_leg(now, leg);
        }
    }
}

/// What is known of a leg that comes in.
pub(super) struct Incoming {
    /// Its id.
    pub leg: LegId,
    /// Whether the whole dialog stays with the address that it began with.
    pub pinned: bool,
    /// Whether its far end may ask us by REFER to take the other side elsewhere.
    pub refers: bool,
}

struct Arrival {
    call: CallId,
    caller: CallerRef,
    number: NumberId,
    trunk: TrunkId,
}

/// Whether it can be a service number: journal, board and records carry no text of a stranger's making.
pub(super) fn is_number(text: &str) -> bool {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"+*#-._".contains(&byte);
    (1..=LONGEST_NUMBER).contains(&text.len()) && text.bytes().all(sound)
}

/// Whether we can work with the bodies that an INVITE brings and takes (RFC 3261 §8.2.3, §21.4.7).
pub(super) fn acceptable(request: &Request<'_>) -> Result<(), (u16, &'static str)> {
    let message = &request.message;
    let encoded = message.first(Name::ContentEncoding).is_some_and(|coding| !coding.eq_ignore_ascii_case("identity"));
    if !message.body.is_empty() && (!message.has_sdp() || encoded) {
        return Err((415, "Accept: application/sdp\r\n"));
    }
    let mut accepts = message
        .all(Name::Accept)
        .flat_map(|value| value.split(','))
        .map(|range| range.split(';').next().unwrap_or_default().trim())
        .peekable();
    let takes_sdp = |range: &str| ["application/sdp", "application/*", "*/*"].iter().any(|ours| range.eq_ignore_ascii_case(ours));
    if accepts.peek().is_some() && !accepts.any(takes_sdp) {
        return Err((406, ""));
    }
    if Asked::of(message).is_too_short() {
        return Err((422, TOO_SHORT));
    }
    Ok(())
}
