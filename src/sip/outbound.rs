//! How is a far end called? From our INVITE to its answer, refusal or silence, and the giving up in every phase (RFC 3261 §9.1, §13.2).

use crate::centre::ids::{LegId, SdpRef};
use crate::centre::input::FromLine;
use crate::centre::output::{Shown, Target};
use crate::centre::time::Time;

use super::calling::Calling;
use super::clients::{ClientId, NewRequest, Purpose};
use super::dialog::{Dialog, More};
use super::exchange::{Exchange, MOST_LEGS};
use super::guard::{Request, Response};
use super::legs::{Asks, Leg, Up, leg_of, tag_of};
use super::message::{Method, Name};
use super::negotiate::Negotiation;
use super::peer::{Carrier, Peer};
use super::reply::ABILITIES;
use super::session;
use super::transfer::is_own_address;
use super::uri::{Scheme, Uri};

/// Far ends of one INVITE whose surplus answers were ended, remembered at most: a repeated answer of a further one is ended again.
const MOST_ENDED: usize = 16;

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
}

impl Exchange {
    /// INVITE with our offer. What cannot be dialled is refused like a far end would.
    pub(super) fn dial(&mut self, now: Time, leg: LegId, wish: &Wish, sdp: SdpRef) {
        let sdp = self.take_offer(&wish.target, sdp);
        if self.legs.contains_key(&leg) {
            tracing::error!(%leg, "a leg was dialled twice; the second order is dropped");
            return;
        }
        let ready = match (self.route(&wish.target), sdp) {
            (_, None) => Err(500),
            _ if self.legs.len() >= MOST_LEGS => Err(503),
            (None, _) => Err(480),
            (Some(route), Some(sdp)) => Ok((route, sdp)),
        };
        match ready {
            Ok((route, sdp)) => self.send_invite(now, leg, route, wish, sdp),
            Err(status) => self.report(FromLine::Refused { leg, status }),
        }
    }

    fn route(&self, target: &Target) -> Option<Route> {
        match target {
            Target::Contact(contact) => {
                let (uri, peer, pinned) = self.registrar.contact(*contact)?;
                Some(Route { uri: uri.to_owned(), peer, pinned })
            }
            Target::Address(text) => self.address(text),
            Target::Outside(number) => self.address(self.links.numbers.number(*number)?.reveal()),
        }
    }

    /// A SIP URI with a literal address, or a bare number, which goes out by the trunk that takes calls.
    pub(super) fn address(&self, text: &str) -> Option<Route> {
        match Uri::read(text) {
            Some(uri) if uri.scheme == Scheme::Sip => {
                let carrier = if uri.wants_tcp() { Carrier::Tcp(None) } else { Carrier::Udp };
                Some(Route { uri: text.to_owned(), peer: Peer { addr: uri.socket()?, carrier }, pinned: false })
            }
            _ => {
                let addr = self.trunks.outside()?;
                let number = text.strip_prefix("tel:").unwrap_or(text);
                let sound = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+*#-.".contains(&byte));
                let uri = sound.then(|| format!("sip:{}@{addr}", number.replace('#', "%23")))?;
                Some(Route { uri, peer: Peer { addr, carrier: Carrier::Udp }, pinned: false })
            }
        }
    }

    fn send_invite(&mut self, now: Time, leg: LegId, route: Route, wish: &Wish, sdp: String) {
        let own = self.own.address(route.peer);
        let tag = tag_of(leg, self.salts.next());
        let dialog = Dialog {
            call_id: format!("{:016x}{:016x}", self.salts.next(), self.salts.next()),
            local: format!("<sip:{}@{}>;tag={tag}", self.shown_number(leg, &wish.shown), own.ip()),
            remote: format!("<{}>", route.uri),
            local_tag: tag,
            remote_tag: String::new(),
            local_cseq: 0,
            remote_cseq: None,
            ours: true,
            routes: Vec::new(),
            target: route.uri,
            peer: route.peer,
            pinned: route.pinned,
        };
        let answer = if wish.auto_answer { format!("Call-Info: <sip:{own}>;answer-after=0\r\n") } else { String::new() };
        let refers = match &wish.target {
            Target::Contact(_) => true,
            Target::Address(text) => is_own_address(text),
            Target::Outside(_) => false,
        };
        let mut calling = Box::new(Calling::new(leg, dialog, sdp, answer));
        calling.refers = refers;
        self.call(now, calling);
    }

    /// INVITE to the target of a call, the first one or another.
    pub(super) fn call(&mut self, now: Time, mut calling: Box<Calling>) {
        let (client, branch) = self.clients.reserve(self.salts.next());
        let peer = calling.dialog.peer;
        let timer = session::invite_headers(calling.min_se_s);
        let headers = format!("{}{ABILITIES}{timer}{}User-Agent: Cityline\r\n", self.own.contact(peer), calling.headers);
        let more = More { peer, cseq: None, headers: &headers, sdp: Some(&calling.sdp) };
        let request = calling.dialog.request(Method::Invite, &branch, &self.own, more);
        calling.begin_again();
        calling.cseq = calling.dialog.local_cseq;
        if let Some(leg) = calling.leg {
            self.legs.insert(leg, Leg::Dialled { client });
        }
        let invite = NewRequest { branch, peer, request, method: Method::Invite, purpose: Purpose::Dial(calling) };
        self.clients.send(now, client, invite, &mut self.timers, &mut self.out);
    }

    fn shown_number(&self, leg: LegId, shown: &Shown) -> String {
        match shown {
            Shown::City(number) => number.as_str().to_owned(),
            Shown::Resident(_) => {
                let number = self.numbers.get(&leg.call).map(|number| number.reveal().as_str()).filter(|number| !number.is_empty());
                number.unwrap_or("anonymous").to_owned()
            }
        }
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

    fn cancel_invite(&mut self, now: Time, client: ClientId) {
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
            Purpose::Bye(_) | Purpose::Reinvite { .. } | Purpose::Update(_) | Purpose::Nothing => return,
        };
        let purpose = std::mem::replace(purpose, Purpose::Answered { remote_tag: tag.to_owned(), pinned, ended: Vec::new() });
        self.clients.answered(now, client, &mut self.timers);
        match purpose {
            Purpose::Dial(calling) => match calling.leg {
                Some(leg) => self.connect(now, client, leg, *calling, response),
                None => self.end_stray(now, Some(client), false, pinned, response),
            },
            Purpose::Answered { .. } | Purpose::Bye(_) | Purpose::Reinvite { .. } | Purpose::Update(_) | Purpose::Nothing => {}
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
        self.legs.insert(leg, Leg::Up(Box::new(Up { session, refers, ..Up::new(dialog, Negotiation::default(), sdp, asks) })));
        self.proceed(now, leg);
        let answer = match early.as_deref().map(str::as_bytes) {
            _ if response.message.has_sdp() => response.message.body,
            Some(early) => early,
            None => return self.drop_dialled(now, leg, 488),
        };
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
            && let Some(calling) = self.send_on(now, calling, response)
        {
            self.not_answered_by_all(*calling, response.status);
        }
    }

    /// Silence: the call goes on where it was sent, or nowhere.
    pub(super) fn not_answered(&mut self, now: Time, calling: Calling) {
        if calling.leg.is_some()
            && let Some(calling) = self.next_way(now, Box::new(calling))
        {
            self.not_answered_by_all(*calling, 408);
        }
    }

    fn not_answered_by_all(&mut self, calling: Calling, status: u16) {
        let Some(leg) = calling.leg else { return };
        self.legs.remove(&leg);
        self.report(FromLine::Refused { leg, status });
    }
}
