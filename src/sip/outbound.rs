//! How is a far end called? From our INVITE to its answer, refusal or silence, and the giving up in every phase (RFC 3261 §9.1, §13.2).

use crate::centre::ids::{LegId, SdpRef};
use crate::centre::input::FromLine;
use crate::centre::output::{Shown, Target};
use crate::centre::time::Time;
use crate::config::is_host_name;

use super::calling::Calling;
use super::clients::{ClientId, NewRequest, Purpose};
use super::dialog::{Dialog, More};
use super::exchange::{Exchange, MOST_LEGS};
use super::failover::Tries;
use super::guard::{Request, Response};
use super::identity;
use super::legs::{Asks, Leg, Up, leg_of, tag_of};
use super::message::{Method, Name};
use super::names::{Found, Place};
use super::negotiate::Negotiation;
use super::peer::Peer;
use super::reply::ABILITIES;
use super::session;
use super::transfer::is_own_address;
use super::uri::{Scheme, Uri};

/// Far ends of one INVITE whose surplus answers were ended, remembered at most: a repeated answer of a further one is ended again.
const MOST_ENDED: usize = 16;

/// Calls whose host may be looked up at once; a further one is refused with 503.
const MOST_UNFOUND: usize = 1_000;

/// Where an INVITE goes.
pub(super) struct Route {
    /// The Request-URI.
    pub uri: String,
    /// The way.
    pub peer: Peer,
    /// Whether the whole dialog stays with the address that it began with.
    pub pinned: bool,
}

/// What the core wants of a leg that it dials.
pub(super) struct Wish {
    /// Where to.
    pub target: Target,
    /// As whom.
    pub shown: Shown,
    /// Whether the phone is asked to pick up by itself.
    pub auto_answer: bool,
    /// The leg of the same far end whose dialog there this one takes the place of.
    pub replaces: Option<LegId>,
}

/// A leg that is dialled as soon as its host is found.
pub(super) struct Unfound {
    place: Place,
    uri: String,
    wish: Wish,
    sdp: String,
}

impl Exchange {
    /// INVITE with our offer. What cannot be dialled is refused like a far end would.
    pub(super) fn dial(&mut self, now: Time, leg: LegId, wish: Wish, sdp: SdpRef) {
        let sdp = self.take_offer(&wish.target, sdp);
        if self.legs.contains_key(&leg) || self.unfound.contains_key(&leg) {
            tracing::error!(%leg, "a leg was dialled twice; the second order is dropped");
            return;
        }
        match sdp {
            None => self.report(FromLine::Refused { leg, status: 500 }),
            Some(_) if self.legs.len() >= MOST_LEGS => self.report(FromLine::Refused { leg, status: 503 }),
            Some(sdp) => self.dial_target(now, leg, wish, sdp),
        }
    }

    fn dial_target(&mut self, now: Time, leg: LegId, wish: Wish, sdp: String) {
        match wish.target.clone() {
            Target::Contact(contact) => match self.registrar.contact(contact).map(|(uri, peer, pinned)| (uri.to_owned(), peer, pinned)) {
                Some((uri, peer, pinned)) => self.dial_directly(now, leg, &wish, Route { uri, peer, pinned }, sdp),
                None => self.report(FromLine::Refused { leg, status: 480 }),
            },
            Target::Address(text) => self.dial_text(now, leg, wish, text, sdp),
            Target::Outside(number) => match self.links.numbers.number(number) {
                Some(number) => self.dial_text(now, leg, wish, number.into_inner(), sdp),
                None => self.report(FromLine::Refused { leg, status: 480 }),
            },
            // The core connects pages without a word of ours.
            Target::Browser(_) => self.report(FromLine::Refused { leg, status: 480 }),
        }
    }

    /// A SIP address, or a bare number, which goes out by a trunk.
    fn dial_text(&mut self, now: Time, leg: LegId, wish: Wish, text: String, sdp: String) {
        match Uri::read(&text) {
            Some(uri) if matches!(uri.scheme, Scheme::Sip | Scheme::Sips) => {
                let place = Place { host: uri.host.to_owned(), port: uri.port, carrier: uri.carrier() };
                self.dial_place(now, leg, Unfound { place, uri: text, wish, sdp });
            }
            _ => self.dial_outside(now, leg, wish, &text, sdp),
        }
    }

    /// A SIP address, at once or when its host is found.
    fn dial_place(&mut self, now: Time, leg: LegId, to: Unfound) {
        let may_be = to.place.literal().is_some() || is_host_name(&to.place.host);
        let found = if may_be { self.names.find(now, &to.place) } else { Found::Nowhere };
        let first = if let Found::At(addresses) = &found { addresses.first().copied() } else { None };
        if let Some(addr) = first {
            let Unfound { place, uri, wish, sdp } = to;
            let peer = Peer { addr, carrier: place.carrier };
            return self.dial_directly(now, leg, &wish, Route { uri, peer, pinned: false }, sdp);
        }
        let status = match found {
            Found::Asked if self.unfound.len() < MOST_UNFOUND => {
                self.unfound.insert(leg, to);
                return;
            }
            Found::Asked => 503,
            Found::At(_) | Found::Nowhere => 480,
        };
        self.report(FromLine::Refused { leg, status });
    }

    /// Dials what waited for this place.
    pub(super) fn dial_found(&mut self, now: Time, place: &Place) {
        let legs: Vec<LegId> = self.unfound.iter().filter(|(_, waiting)| waiting.place == *place).map(|(leg, _)| *leg).collect();
        for leg in legs {
            if let Some(to) = self.unfound.remove(&leg) {
                self.dial_place(now, leg, to);
            }
        }
    }

    /// A far end that is called without any trunk.
    fn dial_directly(&mut self, now: Time, leg: LegId, wish: &Wish, route: Route, sdp: String) {
        let domain = self.own.address(route.peer).ip().to_string();
        let shown = match &wish.shown {
            Shown::City(number) => identity::Shown::ours(number.as_str(), &domain, false),
            Shown::Resident(_) => identity::Shown::resident(self.residents_number(leg), None, &domain),
            Shown::Operator(agent) => identity::Shown::colleague(agent, self.registrar.user_of(agent), &domain),
        };
        let refers = match &wish.target {
            Target::Contact(_) => true,
            Target::Address(text) => is_own_address(text),
            Target::Outside(_) | Target::Browser(_) => false,
        };
        let replaces = match (wish.replaces, &wish.target) {
            (Some(replaced), _) => self.named_there(replaced),
            (None, Target::Contact(_)) => self.consulted_by(now, leg.call),
            (None, Target::Address(_) | Target::Outside(_) | Target::Browser(_)) => None,
        };
        self.send_invite(now, leg, route, NewCall { shown, auto_answer: wish.auto_answer, refers, replaces, sdp, tries: None });
    }

    /// The first INVITE of a leg.
    pub(super) fn send_invite(&mut self, now: Time, leg: LegId, route: Route, new: NewCall) {
        let NewCall { shown, auto_answer, refers, replaces, sdp, tries } = new;
        let Route { uri, peer, pinned } = route;
        let tag = tag_of(leg, self.salts.next());
        let call_id = format!("{:016x}{:016x}", self.salts.next(), self.salts.next());
        let (local, remote) = (format!("{};tag={tag}", shown.from), format!("<{uri}>"));
        let dialog = Dialog { pinned, ..Dialog::outgoing(call_id, local, tag, remote, uri, peer) };
        let own = self.own.address(peer);
        let answer = if auto_answer { format!("Call-Info: <sip:{own}>;answer-after=0\r\n") } else { String::new() };
        let replaces = replaces.map_or(String::new(), |dialog| format!("Replaces: {dialog}\r\n"));
        let mut calling = Calling::new(leg, dialog, sdp, answer + &replaces + &shown.headers);
        (calling.tries, calling.refers) = (tries, refers);
        self.call(now, Box::new(calling));
    }

    /// INVITE to the target of a call, the first one or another.
    pub(super) fn call(&mut self, now: Time, mut calling: Box<Calling>) {
        let (client, branch) = self.clients.reserve(self.salts.next());
        let peer = calling.dialog.peer;
        let timer = session::invite_headers(calling.min_se_s);
        let headers = format!("{}{ABILITIES}{timer}{}User-Agent: Cityline\r\n", calling.dialog.contact(&self.own), calling.headers);
        let more = More { peer, cseq: None, headers: &headers, sdp: Some(&calling.sdp) };
        let request = calling.dialog.request(Method::Invite, &branch, &self.own, more);
        calling.begin_again();
        calling.cseq = calling.dialog.local_cseq;
        if let Some(leg) = calling.leg {
            self.legs.insert(leg, Leg::Dialled { client });
        }
        let silent_ms = calling.tries.as_ref().and_then(|tries| tries.silent_ms());
        let invite = NewRequest { branch, peer, request, method: Method::Invite, purpose: Purpose::Dial(calling) };
        self.clients.send(now, client, invite, &mut self.timers, &mut self.out);
        if let Some(silent_ms) = silent_ms {
            self.clients.bear_silence(client, now.plus_ms(silent_ms), &mut self.timers);
        }
    }

    /// The number of the resident whose call a leg belongs to; `None` where it is withheld.
    pub(super) fn residents_number(&self, leg: LegId) -> Option<&str> {
        self.numbers.get(&leg.call).map(|number| number.reveal().as_str()).filter(|number| !number.is_empty())
    }

    /// Gives a dialled leg up. Its answer, should it still come, gets ACK and BYE, and the core hears nothing more.
    pub(super) fn cancel_dial(&mut self, now: Time, leg: LegId) {
        match self.legs.get(&leg) {
            Some(Leg::Dialled { client }) => {
                let client = *client;
                self.legs.remove(&leg);
                self.cancel_invite(now, client);
            }
            Some(Leg::Up(_)) => self.hang_up(now, leg, crate::centre::fact::EndReason::GivenUp),
            Some(Leg::Arrived { .. } | Leg::Closing(_)) => {}
            None => self.order_without_leg(leg),
        }
    }

    pub(super) fn cancel_invite(&mut self, now: Time, client: ClientId) {
        let Some((branch, peer)) = self.clients.branch(client).map(|(branch, peer)| (branch.to_owned(), peer)) else { return };
        let Some(Purpose::Dial(calling)) = self.clients.purpose(client) else { return };
        calling.leg = None;
        let cseq = Some(calling.cseq);
        let cancel = calling.dialog.request(Method::Cancel, &branch, &self.own, More { peer, cseq, headers: "", sdp: None });
        self.clients.cancel(now, client, cancel, &mut self.timers, &mut self.out);
    }

    /// An answer to an INVITE of ours.
    pub(super) fn dial_response(&mut self, now: Time, client: ClientId, response: &Response<'_>) {
        match response.status {
            ..=100 => {}
            101..200 => self.rings(now, client, response),
            200..300 => self.picked_up(now, client, response),
            300.. => self.refused(now, client, response),
        }
    }

    /// A far end rings, or lets its own sound be heard before it answers.
    fn rings(&mut self, now: Time, client: ClientId, response: &Response<'_>) {
        let Some(Purpose::Dial(calling)) = self.clients.purpose(client) else { return };
        let tag = response.to.tag().unwrap_or_default();
        let reliable = response.message.lists(Name::Require, "100rel").then(|| response.message.number(Name::RSeq)).flatten();
        if reliable.is_some_and(|rseq| !calling.is_next(tag, rseq)) {
            return;
        }
        let first = !std::mem::replace(&mut calling.rang, true);
        let sounds = response.message.has_sdp() && calling.is_new_sound(tag, &String::from_utf8_lossy(response.message.body));
        let leg = calling.leg;
        if let Some(rseq) = reliable {
            calling.dialog.local_cseq += 1;
            let (cseq, pinned) = (calling.dialog.local_cseq, calling.dialog.pinned);
            self.send_prack(now, rseq, cseq, pinned, response);
        }
        let Some(leg) = leg else { return };
        if first {
            self.try_report(FromLine::Ringing { leg });
        }
        if sounds {
            let sdp = self.links.sdps.put_received(response.message.body, response.from_peer.addr.ip());
            self.try_report(FromLine::EarlyMedia { leg, sdp });
        }
    }

    /// Whether a request comes from a far end of an INVITE of ours that has spoken and not answered.
    pub(super) fn is_early(&mut self, request: &Request<'_>) -> bool {
        let (Some(ours), Some(theirs)) = (request.to.tag(), request.from.tag()) else { return false };
        let Some(Leg::Dialled { client }) = leg_of(ours).and_then(|leg| self.legs.get(&leg)) else { return false };
        let Some(Purpose::Dial(calling)) = self.clients.purpose(*client) else { return false };
        calling.dialog.local_tag == ours && calling.dialog.call_id == request.call_id && calling.knows(theirs)
    }

    fn picked_up(&mut self, now: Time, client: ClientId, response: &Response<'_>) {
        let tag = response.to.tag().unwrap_or_default();
        let Some(purpose) = self.clients.purpose(client) else { return };
        let pinned = match purpose {
            Purpose::Dial(calling) => calling.dialog.pinned,
            Purpose::Answered { remote_tag, .. } if remote_tag == tag => return self.clients.ack_again(client, &mut self.out),
            Purpose::Answered { pinned, ended, .. } => {
                let (pinned, again) = (*pinned, ended.iter().any(|ended| ended == tag));
                if !again && ended.len() < MOST_ENDED {
                    ended.push(tag.to_owned());
                }
                return self.end_stray(now, None, again, pinned, response);
            }
            Purpose::Bye { .. } | Purpose::Reinvite { .. } | Purpose::Update(_) | Purpose::OfTrunk | Purpose::Nothing => return,
        };
        let purpose = std::mem::replace(purpose, Purpose::Answered { remote_tag: tag.to_owned(), pinned, ended: Vec::new() });
        self.clients.answered(now, client, &mut self.timers);
        match purpose {
            Purpose::Dial(calling) => match calling.leg {
                Some(leg) => self.connect(now, client, leg, *calling, response),
                None => self.end_stray(now, Some(client), false, pinned, response),
            },
            Purpose::Answered { .. }
            | Purpose::Bye { .. }
            | Purpose::Reinvite { .. }
            | Purpose::Update(_)
            | Purpose::OfTrunk
            | Purpose::Nothing => {}
        }
    }

    /// The far end has answered a leg that is wanted: ACK, and the core hears of it.
    fn connect(&mut self, now: Time, client: ClientId, leg: LegId, calling: Calling, response: &Response<'_>) {
        // The answer may have come before, in a reliable 183 (RFC 3262 §5).
        let early = calling.early_sdp(response.to.tag().unwrap_or_default()).map(str::to_owned);
        let (mut dialog, sdp, refers) = (calling.dialog, calling.sdp, calling.refers);
        dialog.answered(response);
        self.send_ack(Some(client), &mut dialog, response.cseq);
        let asks = Asks::of(&response.message);
        let session = asks.session.agreed(now);
        let answer = if response.message.has_sdp() { Some(response.message.body) } else { early.as_deref().map(str::as_bytes) };
        if let Some(answer) = answer {
            dialog.describes(answer);
        }
        self.legs.insert(leg, Leg::Up(Box::new(Up { session, refers, ..Up::new(dialog, Negotiation::default(), sdp, asks) })));
        self.proceed(now, leg);
        let Some(answer) = answer else { return self.drop_dialled(now, leg, 488) };
        let sdp = self.links.sdps.put_received(answer, response.from_peer.addr.ip());
        if !self.try_report(FromLine::Answered { leg, sdp }) {
            self.drop_dialled(now, leg, 503);
        }
    }

    fn drop_dialled(&mut self, now: Time, leg: LegId, status: u16) {
        self.hang_up(now, leg, crate::centre::fact::EndReason::SignallingFailed);
        self.report(FromLine::Refused { leg, status });
    }

    /// An answer that nobody waits for, or the second one of a forked INVITE: ACK and BYE (RFC 3261 §13.2.2.4); `again`: ACK alone.
    fn end_stray(&mut self, now: Time, client: Option<ClientId>, again: bool, pinned: bool, response: &Response<'_>) {
        metrics::counter!("cityline_sip_late_answers_total").increment(1);
        let mut dialog = Dialog::of_stray(response, pinned);
        self.send_ack(client, &mut dialog, response.cseq);
        if again {
            return;
        }
        self.bye_of(now, &mut dialog, Purpose::Nothing, "");
    }

    pub(super) fn send_ack(&mut self, client: Option<ClientId>, dialog: &mut Dialog, cseq: u32) {
        let (_, branch) = self.clients.reserve(self.salts.next());
        let peer = dialog.next_hop();
        let ack = dialog.request(Method::Ack, &branch, &self.own, More { peer, cseq: Some(cseq), headers: "", sdp: None });
        match client {
            Some(client) => self.clients.ack(client, peer, ack, &mut self.out),
            None => self.out.push((peer, ack)),
        }
    }

    /// A refusal: its ACK belongs to the transaction (RFC 3261 §17.1.1.3).
    fn refused(&mut self, now: Time, client: ClientId, response: &Response<'_>) {
        if !self.clients.answered(now, client, &mut self.timers) {
            return self.clients.ack_again(client, &mut self.out);
        }
        let Some((branch, peer)) = self.clients.branch(client).map(|(branch, peer)| (branch.to_owned(), peer)) else { return };
        let Some(purpose @ Purpose::Dial(_)) = self.clients.purpose(client) else { return };
        let Purpose::Dial(mut calling) = std::mem::replace(purpose, Purpose::Nothing) else { return };
        let to = response.message.first(Name::To).unwrap_or_default().to_owned();
        let to = std::mem::replace(&mut calling.dialog.remote, to);
        let more = More { peer, cseq: Some(response.cseq), headers: "", sdp: None };
        let ack = calling.dialog.request(Method::Ack, &branch, &self.own, more);
        calling.dialog.remote = to;
        self.clients.ack(client, peer, ack, &mut self.out);
        if calling.leg.is_some()
            && let Some(calling) = self.prove(now, calling, response)
            && let Some(calling) = self.send_on(now, calling, response)
        {
            self.not_answered_by_all(now, *calling, response.status);
        }
    }

    /// Silence: the call goes on where it was sent, or nowhere.
    pub(super) fn not_answered(&mut self, now: Time, calling: Calling) {
        if calling.leg.is_some()
            && let Some(calling) = self.next_way(now, Box::new(calling))
        {
            self.not_answered_by_all(now, *calling, 408);
        }
    }

    fn not_answered_by_all(&mut self, now: Time, mut calling: Calling, status: u16) {
        if let Some(failed) = calling.fail() {
            self.dial_failed(now, failed, status);
        }
    }
}

/// What the first INVITE of a leg says.
pub(super) struct NewCall {
    /// As whom.
    pub shown: identity::Shown,
    /// Whether the phone is asked to pick up by itself.
    pub auto_answer: bool,
    /// Whether its far end may ask us by REFER to take the other side elsewhere.
    pub refers: bool,
    /// The dialog of the far end that this call takes the place of (RFC 3891).
    pub replaces: Option<String>,
    /// Our offer.
    pub sdp: String,
    /// How the call may go on elsewhere.
    pub tries: Option<Box<Tries>>,
}
