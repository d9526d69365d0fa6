//! How does a call of ours begin, change and end, and what do answers to our requests mean?

use std::time::Instant;

use super::agent::{Agent, Call, CallKey, Event, Notice, Order, Outgoing, Side, Stage, Timer};
use super::message::{FirstLine, Message};
use super::transaction::{GIVE_UP, Purpose, T1, T2, Transaction};
use super::transport::Peer;
use crate::sdp::{Description, Direction};

impl Agent {
    /// Sends an INVITE.
    pub fn place(&mut self, outgoing: Outgoing, now: Instant) -> CallKey {
        let key = self.next_key();
        let Outgoing { to, from_user, peer, offer, account, headers } = outgoing;
        let call_id = format!("{}@{}", self.word(), self.local.ip());
        let mut call = Call {
            stage: Stage::Leaving,
            peer,
            call_id: call_id.clone(),
            local: format!("<sip:{from_user}@{}>", self.local),
            remote: format!("<{to}>"),
            local_tag: self.word(),
            remote_tag: None,
            target: to,
            route: Vec::new(),
            cseq: 0,
            session: self.random.u64(1..1 << 48),
            version: 0,
            described: None,
            far: None,
            account,
            ack: None,
        };
        let mut invite = call.request("INVITE");
        invite.push("Contact", self.contact(&from_user, peer));
        invite.push("Allow", super::inbound::ALLOW);
        headers.iter().for_each(|(name, value)| invite.push(name, value.clone()));
        let invite = invite.with_body("application/sdp", call.describe(offer));
        let branch = self.begin(invite, Purpose::Invite(key), peer, false, now);
        call.stage = Stage::Calling { branch, proceeding: false, leave: false };
        self.by_call_id.insert(call_id, key);
        self.calls.insert(key, call);
        key
    }

    /// Ends a call in whatever stage it is: CANCEL, 603 or BYE.
    pub fn hang_up(&mut self, key: CallKey, now: Instant) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        match &mut call.stage {
            Stage::Calling { leave, .. } if *leave => {}
            Stage::Calling { branch, proceeding, leave } => {
                *leave = true;
                // Before any answer a CANCEL may not go out (§9.1): the first provisional answer sends it.
                if *proceeding {
                    let branch = branch.clone();
                    self.cancel(&branch, now);
                }
            }
            Stage::Offered { .. } => self.refuse(key, 603, now),
            Stage::Answering { .. } | Stage::Up => {
                call.stage = Stage::Leaving;
                let (request, to) = (call.request("BYE"), call.next_hop());
                self.begin(request, Purpose::Bye(key), to, false, now);
            }
            Stage::Leaving => {}
        }
    }

    fn cancel(&mut self, branch: &str, now: Instant) {
        let Some(invite) = self.transactions.get(branch) else { return };
        let FirstLine::Request { uri, .. } = &invite.request.first else { return };
        let mut cancel = Message::request("CANCEL", uri);
        for name in ["Via", "From", "To", "Call-ID", "Route"] {
            invite.request.all(name).for_each(|value| cancel.push(name, value));
        }
        cancel.push("CSeq", format!("{} CANCEL", invite.request.cseq().0));
        cancel.push("Max-Forwards", "70");
        let (bytes, to) = (cancel.to_bytes(), invite.to);
        // CANCEL keeps the branch of its INVITE (§9.1): our own table tells the two apart by a suffix.
        let name = format!("{branch}/CANCEL");
        let give_up = now + GIVE_UP;
        let transaction = Transaction {
            purpose: Purpose::Cancel,
            request: cancel,
            bytes: bytes.clone(),
            to,
            interval: T1,
            proceeding: false,
            proven: false,
        };
        if !to.is_reliable() {
            self.agenda.put(now + T1, Timer::Repeat(name.clone()));
        }
        self.agenda.put(give_up, Timer::GiveUp(name.clone()));
        self.agenda.put(give_up, Timer::GiveUp(branch.to_owned()));
        self.transactions.insert(name, transaction);
        self.send(to, bytes);
    }

    /// Sends a re-INVITE with another direction (hold: `SendOnly`).
    pub fn change(&mut self, key: CallKey, direction: Direction, now: Instant) {
        let Some(call) = self.calls.get_mut(&key).filter(|call| matches!(call.stage, Stage::Up)) else { return };
        let Some(ours) = call.described.clone() else { return };
        let body = call.describe(Description { direction, ..ours });
        let (mut invite, to) = (call.request("INVITE"), call.next_hop());
        let user = super::message::user_of(super::message::uri_of(&call.local)).to_owned();
        invite.push("Contact", self.contact(&user, to));
        self.begin(invite.with_body("application/sdp", body), Purpose::Reinvite(key), to, false, now);
    }

    /// Sends an INFO within a call.
    pub fn inform(&mut self, key: CallKey, kind: &str, body: &str, now: Instant) {
        let Some(call) = self.calls.get_mut(&key).filter(|call| matches!(call.stage, Stage::Up)) else { return };
        let (request, to) = (call.request("INFO").with_body(kind, body.as_bytes().to_vec()), call.next_hop());
        self.begin(request, Purpose::Ask(Some(key)), to, false, now);
    }

    /// Sends an OPTIONS outside of any call.
    pub fn ask_options(&mut self, uri: &str, to: Peer, now: Instant) {
        let mut request = Message::request("OPTIONS", uri);
        let tag = self.word();
        request.push("From", format!("<sip:phone@{}>;tag={tag}", self.local));
        request.push("To", format!("<{uri}>"));
        request.push("Call-ID", self.word());
        request.push("CSeq", "1 OPTIONS");
        self.begin(request, Purpose::Ask(None), to, false, now);
    }

    pub(super) fn take_response(&mut self, from: Peer, response: &Message, now: Instant) {
        let FirstLine::Response { code, .. } = response.first else { return };
        let suffix = if response.method() == "CANCEL" { "/CANCEL" } else { "" };
        let branch = format!("{}{suffix}", response.branch());
        if let Some(said) = self.said.get(&format!("{branch}/ACK")) {
            let (to, bytes) = (said.to, said.bytes.clone());
            self.counters.repeated += 1;
            return self.send(to, bytes);
        }
        if !self.transactions.contains_key(&branch) {
            return self.take_late_response(from, response, now);
        }
        if code < 200 { self.take_provisional(&branch, response, code, now) } else { self.take_final(&branch, response, code, now) }
    }

    /// A 2xx whose transaction is over: said again, or the answer of another branch of a fork.
    fn take_late_response(&mut self, from: Peer, response: &Message, now: Instant) {
        let known = self.by_call_id.get(response.call_id()).and_then(|key| self.calls.get(key));
        let Some(call) = known.filter(|_| response.method() == "INVITE") else {
            self.counters.stray += 1;
            return;
        };
        if response.tag("To") == call.remote_tag.as_deref() {
            let (to, ack) = (call.next_hop(), call.ack.clone());
            self.counters.repeated += 1;
            return ack.into_iter().for_each(|ack| self.send(to, ack));
        }
        let FirstLine::Response { code: 200..300, .. } = response.first else { return };
        let loser = Call::answered_elsewhere(call, response, from);
        self.acknowledge_loser(loser, response.cseq().0, now);
    }

    fn acknowledge_loser(&mut self, mut loser: Call, cseq: u32, now: Instant) {
        let to = loser.next_hop();
        let ack = self.with_via(loser.request_numbered("ACK", cseq), to);
        self.send(to, ack);
        let bye = loser.request("BYE");
        self.begin(bye, Purpose::Ask(None), to, false, now);
    }

    fn with_via(&mut self, mut request: Message, to: Peer) -> Vec<u8> {
        let branch = self.word();
        request.set("Via", format!("SIP/2.0/{} {};branch=z9hG4bK{branch};rport", to.via_name(), self.local));
        request.set("Max-Forwards", "70");
        request.to_bytes()
    }

    fn take_provisional(&mut self, branch: &str, response: &Message, code: u16, now: Instant) {
        let Some(transaction) = self.transactions.get_mut(branch) else { return };
        transaction.proceeding = true;
        let Purpose::Invite(key) = transaction.purpose else {
            transaction.interval = T2;
            return;
        };
        let Some(call) = self.calls.get_mut(&key) else { return };
        if let Stage::Calling { proceeding, leave, branch } = &mut call.stage {
            let first = !std::mem::replace(proceeding, true);
            if *leave && first {
                let branch = branch.clone();
                return self.cancel(&branch, now);
            }
        }
        let far = Description::parse(&response.body).and_then(|theirs| call.agree(&theirs));
        match far {
            Some(far) => {
                self.orders.push_back(Order::Connect(key, far));
                self.report(key, Event::EarlyMedia);
            }
            None => self.report(key, Event::Progress(code)),
        }
    }

    fn take_final(&mut self, branch: &str, response: &Message, code: u16, now: Instant) {
        let Some(transaction) = self.transactions.remove(branch) else { return };
        if transaction.is_invite() && code >= 300 {
            self.acknowledge_refusal(branch, &transaction, response, now);
        }
        if matches!(code, 401 | 407) && !transaction.proven && self.prove(&transaction, response, now) {
            return;
        }
        match transaction.purpose {
            Purpose::Invite(key) if code < 300 => self.take_answer(key, &transaction, response, now),
            Purpose::Invite(key) => self.take_refusal(key, code),
            Purpose::Reinvite(key) => self.take_change_answer(key, &transaction, response, code),
            Purpose::Bye(key) => self.finish(key, Event::Ended(Side::Us)),
            Purpose::Ask(Some(key)) => self.report(key, Event::InfoAnswered(code)),
            Purpose::Ask(None) if response.method() == "OPTIONS" => {
                self.orders.push_back(Order::Notice(Notice::OptionsAnswered(code)));
            }
            Purpose::Register(key) if code < 300 => self.registered(key, response, now),
            Purpose::Register(key) => self.registration_failed(key, code, now),
            Purpose::Ask(None) | Purpose::Cancel => {}
        }
    }

    /// ACK to a 3xx–6xx: part of the transaction, same branch (§17.1.1.3); said again whenever the answer comes again.
    fn acknowledge_refusal(&mut self, branch: &str, invite: &Transaction, response: &Message, now: Instant) {
        let FirstLine::Request { uri, .. } = &invite.request.first else { return };
        let mut ack = Message::request("ACK", uri);
        for name in ["Via", "From", "Call-ID", "Route"] {
            invite.request.all(name).for_each(|value| ack.push(name, value));
        }
        ack.push("To", response.header("To").unwrap_or_default());
        ack.push("CSeq", format!("{} ACK", invite.request.cseq().0));
        ack.push("Max-Forwards", "70");
        let bytes = ack.to_bytes();
        self.remember(format!("{branch}/ACK"), bytes.clone(), invite.to, false, now);
        self.send(invite.to, bytes);
    }

    /// Says a request again with credentials; false when there are none that fit.
    fn prove(&mut self, transaction: &Transaction, challenge: &Message, now: Instant) -> bool {
        let account = match transaction.purpose {
            Purpose::Register(key) => self.registrations.get(&key).map(|registration| registration.account.credentials.clone()),
            Purpose::Invite(key) | Purpose::Reinvite(key) | Purpose::Bye(key) | Purpose::Ask(Some(key)) => {
                self.calls.get(&key).and_then(|call| call.account.clone())
            }
            Purpose::Ask(None) | Purpose::Cancel => None,
        };
        let Some((header, value)) = account.and_then(|who| self.proof(&transaction.request, challenge, &who)) else { return false };
        let mut request = transaction.request.clone();
        let number = request.cseq().0 + 1;
        let method = request.method().to_owned();
        request.set("CSeq", format!("{number} {method}"));
        request.set(header, value);
        self.count_cseq(transaction.purpose, number);
        let branch = self.begin(request, transaction.purpose, transaction.to, true, now);
        if let Purpose::Invite(key) = transaction.purpose
            && let Some(call) = self.calls.get_mut(&key)
            && let Stage::Calling { branch: known, .. } = &mut call.stage
        {
            *known = branch;
        }
        true
    }

    fn count_cseq(&mut self, purpose: Purpose, number: u32) {
        match purpose {
            Purpose::Invite(key) | Purpose::Reinvite(key) | Purpose::Bye(key) | Purpose::Ask(Some(key)) => {
                if let Some(call) = self.calls.get_mut(&key) {
                    call.cseq = number;
                }
            }
            Purpose::Register(key) => {
                if let Some(registration) = self.registrations.get_mut(&key) {
                    registration.cseq = number;
                }
            }
            Purpose::Ask(None) | Purpose::Cancel => {}
        }
    }

    fn take_answer(&mut self, key: CallKey, invite: &Transaction, response: &Message, now: Instant) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        let leave = matches!(call.stage, Stage::Calling { leave: true, .. });
        call.enter_dialog(response);
        let far = Description::parse(&response.body).and_then(|theirs| call.agree(&theirs));
        let (ack, to) = (call.request_numbered("ACK", invite.request.cseq().0), call.next_hop());
        call.stage = Stage::Up;
        let ack = self.with_via(ack, to);
        if let Some(call) = self.calls.get_mut(&key) {
            call.ack = Some(ack.clone());
        }
        self.send(to, ack);
        if leave {
            // The answer crossed our CANCEL.
            return self.hang_up(key, now);
        }
        far.into_iter().for_each(|far| self.orders.push_back(Order::Connect(key, far)));
        self.report(key, Event::Answered);
    }

    fn take_refusal(&mut self, key: CallKey, code: u16) {
        let left = matches!(self.calls.get(&key).map(|call| &call.stage), Some(Stage::Calling { leave: true, .. }));
        let event = if left && code == 487 { Event::Ended(Side::Us) } else { Event::Rejected(code) };
        self.finish(key, event);
    }

    fn take_change_answer(&mut self, key: CallKey, invite: &Transaction, response: &Message, code: u16) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        if code < 300 {
            let far = Description::parse(&response.body).and_then(|theirs| call.agree(&theirs));
            let (ack, to) = (call.request_numbered("ACK", invite.request.cseq().0), call.next_hop());
            let ack = self.with_via(ack, to);
            self.send(to, ack);
            far.into_iter().for_each(|far| self.orders.push_back(Order::Connect(key, far)));
        }
        self.report(key, Event::ChangeAnswered(code));
    }
}

impl Call {
    /// What a 2xx fixes: tag, target and route set (§12.1.2).
    fn enter_dialog(&mut self, response: &Message) {
        self.remote_tag = response.tag("To").map(str::to_owned);
        if let Some(contact) = response.contact() {
            contact.clone_into(&mut self.target);
        }
        self.route = response.all("Record-Route").rev().flat_map(|value| value.split(',')).map(|one| one.trim().to_owned()).collect();
    }

    /// The dialog of another branch that answered too.
    fn answered_elsewhere(call: &Self, response: &Message, peer: Peer) -> Self {
        let mut loser = Self {
            stage: Stage::Leaving,
            peer,
            call_id: call.call_id.clone(),
            local: call.local.clone(),
            remote: call.remote.clone(),
            local_tag: call.local_tag.clone(),
            remote_tag: None,
            target: call.target.clone(),
            route: Vec::new(),
            cseq: call.cseq,
            session: 0,
            version: 0,
            described: None,
            far: None,
            account: None,
            ack: None,
        };
        loser.enter_dialog(response);
        loser
    }
}
