//! How does the phone answer what comes in: calls, their changes and ends, and questions?

use std::time::Instant;

use super::agent::{Agent, Call, CallKey, Event, Order, Side, Stage, Timer};
use super::message::{self, FirstLine, Message};
use super::transaction::{GIVE_UP, T1};
use super::transport::Peer;
use crate::sdp::Description;

/// The methods that we answer.
pub(super) const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO";

impl Agent {
    pub(super) fn take_request(&mut self, from: Peer, request: &Message, now: Instant) {
        let method = request.method();
        if method == "ACK" {
            return self.take_ack(request);
        }
        let name = format!("{}/{method}", request.branch());
        if let Some(said) = self.said.get(&name) {
            let (to, bytes) = (said.to, said.bytes.clone());
            self.counters.repeated += 1;
            return self.send(to, bytes);
        }
        let known = self.by_call_id.get(request.call_id()).copied();
        match (method, known) {
            ("INVITE", None) if request.tag("To").is_none() => self.take_invite(from, request, now),
            ("INVITE", Some(key)) if request.tag("To").is_some() => self.take_change(key, from, request, now),
            ("CANCEL", Some(key)) => self.take_cancel(key, from, request, now),
            ("BYE", Some(key)) => {
                self.answer(from, request, 200, "OK", now);
                self.refuse_unanswered(key, now);
                self.finish(key, Event::Ended(Side::Them));
            }
            ("INFO", Some(key)) => {
                self.answer(from, request, 200, "OK", now);
                self.report(key, Event::Info(String::from_utf8_lossy(&request.body).into_owned()));
            }
            ("OPTIONS", _) => self.answer(from, request, 200, "OK", now),
            ("INVITE" | "CANCEL" | "BYE" | "INFO", _) => {
                self.counters.stray += 1;
                self.answer(from, request, 481, "Call/Transaction Does Not Exist", now);
            }
            _ => self.answer(from, request, 405, "Method Not Allowed", now),
        }
    }

    /// Sends a final answer without a body and keeps it for repetitions of the request.
    fn answer(&mut self, to: Peer, request: &Message, code: u16, reason: &str, now: Instant) {
        let mut reply = request.reply(code, reason, &self.word());
        reply.push("Allow", ALLOW);
        self.reply_with(to, request, &reply, now);
    }

    fn reply_with(&mut self, to: Peer, request: &Message, reply: &Message, now: Instant) {
        let bytes = reply.to_bytes();
        let refused = matches!(reply.first, FirstLine::Response { code: 300.., .. });
        let name = format!("{}/{}", request.branch(), request.method());
        self.remember(name, bytes.clone(), to, refused && request.method() == "INVITE", now);
        self.send(to, bytes);
    }

    fn take_invite(&mut self, from: Peer, invite: &Message, now: Instant) {
        let FirstLine::Request { uri, .. } = &invite.first else { return };
        let key = self.next_key();
        let without_tag = |header: &str| format!("<{}>", message::uri_of(invite.header(header).unwrap_or_default()));
        let call = Call {
            stage: Stage::Offered { invite: invite.clone() },
            peer: from,
            call_id: invite.call_id().to_owned(),
            local: without_tag("To"),
            remote: without_tag("From"),
            local_tag: self.word(),
            remote_tag: invite.tag("From").map(str::to_owned),
            target: invite.contact().unwrap_or_default().to_owned(),
            route: invite.all("Record-Route").flat_map(|value| value.split(',')).map(|one| one.trim().to_owned()).collect(),
            cseq: 0,
            session: self.random.u64(1..1 << 48),
            version: 0,
            described: None,
            far: None,
            account: None,
            ack: None,
        };
        self.by_call_id.insert(call.call_id.clone(), key);
        self.calls.insert(key, call);
        self.provisional(key, 100, "Trying", None, now);
        let caller = message::user_of(message::uri_of(invite.header("From").unwrap_or_default())).to_owned();
        self.report(key, Event::Incoming { user: message::user_of(uri).to_owned(), from: caller });
    }

    /// Sends 1xx, with our description for sound before the answer.
    pub fn provisional(&mut self, key: CallKey, code: u16, reason: &str, ours: Option<Description>, now: Instant) {
        let Some((invite, mut reply)) = self.reply_in_call(key, code, reason) else { return };
        let mut far = None;
        if let Some(call) = self.calls.get_mut(&key)
            && let Some(ours) = ours
        {
            let (body, agreed) = call.answer_invite(&invite, ours);
            far = agreed;
            reply = reply.with_body("application/sdp", body);
        }
        let Some(to) = self.calls.get(&key).map(|call| call.peer) else { return };
        self.reply_with(to, &invite, &reply, now);
        far.into_iter().for_each(|far| self.orders.push_back(Order::Connect(key, far)));
    }

    /// The INVITE of a call without a final answer, and a reply to it with tag and Contact.
    fn reply_in_call(&self, key: CallKey, code: u16, reason: &str) -> Option<(Message, Message)> {
        let call = self.calls.get(&key)?;
        let Stage::Offered { invite } = &call.stage else { return None };
        let mut reply = invite.reply(code, reason, &call.local_tag);
        if code > 100 {
            let user = message::user_of(message::uri_of(&call.local));
            reply.push("Contact", self.contact(user, call.peer));
            reply.push("Allow", ALLOW);
        }
        Some((invite.clone(), reply))
    }

    /// Sends 200 with our description and repeats it until the ACK comes.
    pub fn accept(&mut self, key: CallKey, ours: Description, now: Instant) {
        let Some((invite, reply)) = self.reply_in_call(key, 200, "OK") else { return };
        let Some(call) = self.calls.get_mut(&key) else { return };
        let body = if call.far.is_some() {
            // Described in a 183 already: the same again.
            call.described.clone().map(|ours| ours.to_text(call.session, call.version).into_bytes()).unwrap_or_default()
        } else {
            call.answer_invite(&invite, ours).0
        };
        let ok = reply.with_body("application/sdp", body).to_bytes();
        call.stage = Stage::Answering { ok: ok.clone(), interval: T1, give_up: now + GIVE_UP };
        let (to, far) = (call.peer, call.far);
        self.agenda.put(now + T1, Timer::RepeatOk(key));
        self.remember(format!("{}/INVITE", invite.branch()), ok.clone(), to, false, now);
        self.send(to, ok);
        far.into_iter().for_each(|far| self.orders.push_back(Order::Connect(key, far)));
    }

    /// Refuses a call that rings; the call is over.
    pub fn refuse(&mut self, key: CallKey, code: u16, now: Instant) {
        let reason = match code {
            486 => "Busy Here",
            480 => "Temporarily Unavailable",
            487 => "Request Terminated",
            603 => "Decline",
            _ => "Refused",
        };
        self.refuse_silently(key, code, reason, now);
        self.finish(key, Event::Ended(Side::Us));
    }

    fn refuse_silently(&mut self, key: CallKey, code: u16, reason: &str, now: Instant) {
        let Some((invite, reply)) = self.reply_in_call(key, code, reason) else { return };
        let Some(to) = self.calls.get(&key).map(|call| call.peer) else { return };
        self.reply_with(to, &invite, &reply, now);
    }

    fn refuse_unanswered(&mut self, key: CallKey, now: Instant) {
        self.refuse_silently(key, 487, "Request Terminated", now);
    }

    fn take_cancel(&mut self, key: CallKey, from: Peer, request: &Message, now: Instant) {
        self.answer(from, request, 200, "OK", now);
        if self.calls.get(&key).is_some_and(|call| matches!(call.stage, Stage::Offered { .. })) {
            self.refuse_unanswered(key, now);
            self.finish(key, Event::Cancelled);
        }
    }

    fn take_ack(&mut self, ack: &Message) {
        if let Some(said) = self.said.get_mut(&format!("{}/INVITE", ack.branch())) {
            said.until_ack = None;
        }
        let Some(key) = self.by_call_id.get(ack.call_id()).copied() else { return };
        let Some(call) = self.calls.get_mut(&key) else { return };
        if matches!(call.stage, Stage::Answering { .. }) {
            call.stage = Stage::Up;
            // An INVITE without an offer has the answer in its ACK (RFC 3264 §4).
            let far = Description::parse(&ack.body).and_then(|theirs| call.agree(&theirs));
            far.into_iter().for_each(|far| self.orders.push_back(Order::Connect(key, far)));
            self.report(key, Event::Confirmed);
        }
    }

    /// A re-INVITE: answered at once with the mirrored direction.
    fn take_change(&mut self, key: CallKey, from: Peer, request: &Message, now: Instant) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        if !matches!(call.stage, Stage::Up | Stage::Answering { .. }) {
            return self.answer(from, request, 491, "Request Pending", now);
        }
        if let Some(contact) = request.contact() {
            contact.clone_into(&mut call.target);
        }
        let offer = Description::parse(&request.body);
        let ours = match &offer {
            Some(theirs) => call.answer_to(theirs),
            None => call.described.clone(),
        };
        let Some(ours) = ours else { return self.answer(from, request, 488, "Not Acceptable Here", now) };
        let body = call.describe(ours);
        let far = offer.as_ref().and_then(|theirs| call.agree(theirs));
        let mut reply = request.reply(200, "OK", &call.local_tag);
        let user = message::user_of(message::uri_of(&call.local)).to_owned();
        reply.push("Contact", self.contact(&user, from));
        self.reply_with(from, request, &reply.with_body("application/sdp", body), now);
        if let Some(far) = far {
            self.orders.push_back(Order::Connect(key, far));
            self.report(key, Event::Changed { listens: far.listens });
        }
    }
}

impl Call {
    /// Our description for the answer to their INVITE; when it brings no offer, it is one itself.
    fn answer_invite(&mut self, invite: &Message, ours: Description) -> (Vec<u8>, Option<crate::media::leg::Far>) {
        self.described = Some(ours.clone());
        match Description::parse(&invite.body) {
            Some(theirs) => {
                let answer = self.answer_to(&theirs).unwrap_or(ours);
                let far = self.agree(&theirs);
                (self.describe(answer), far)
            }
            None => (self.describe(ours), None),
        }
    }
}
