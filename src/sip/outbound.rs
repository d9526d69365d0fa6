//! How is a far end called? From our INVITE to its answer, refusal or silence, and the giving up in every phase (RFC 3261 §9.1, §13.2).

use crate::centre::ids::{LegId, SdpRef};
use crate::centre::input::FromLine;
use crate::centre::output::{Shown, Target};
use crate::centre::time::Time;

use super::clients::{ClientId, NewRequest, Purpose};
use super::dialog::{Dialog, More};
use super::exchange::{Exchange, MOST_LEGS};
use super::guard::Response;
use super::legs::{Asks, Leg, Up, tag_of};
use super::message::{Method, Name};
use super::negotiate::Negotiation;
use super::peer::{Carrier, Peer};
use super::reply::ABILITIES;
use super::session;
use super::uri::{Scheme, Uri};

/// Where an INVITE goes.
struct Route {
    uri: String,
    peer: Peer,
    /// Whether the whole dialog stays with the address that it began with.
    pinned: bool,
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
        let sdp = self.links.sdps.take(sdp);
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
    fn address(&self, text: &str) -> Option<Route> {
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
        let mut dialog = Box::new(Dialog {
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
        });
        let (client, branch) = self.clients.reserve(self.salts.next());
        let answer = if wish.auto_answer { format!("Call-Info: <sip:{own}>;answer-after=0\r\n") } else { String::new() };
        let timer = session::invite_headers(session::MIN_SE_S);
        let headers = format!("{}{ABILITIES}{timer}{answer}User-Agent: Cityline\r\n", self.own.contact(route.peer));
        let more = More { peer: route.peer, cseq: None, headers: &headers, sdp: Some(&sdp) };
        let request = dialog.request(Method::Invite, &branch, &self.own, more);
        let purpose = Purpose::Dial { leg: Some(leg), dialog, rang: false, sdp };
        let invite = NewRequest { branch, peer: route.peer, request, method: Method::Invite, purpose };
        self.clients.send(now, client, invite, &mut self.timers, &mut self.out);
        self.legs.insert(leg, Leg::Dialled { client });
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
        let Some(Purpose::Dial { leg, dialog, .. }) = self.clients.purpose(client) else { return };
        *leg = None;
        let cseq = Some(dialog.local_cseq);
        let cancel = dialog.request(Method::Cancel, &branch, &self.own, More { peer, cseq, headers: "", sdp: None });
        self.clients.cancel(now, client, cancel, &mut self.timers, &mut self.out);
    }

    /// An answer to an INVITE of ours.
    pub(super) fn dial_response(&mut self, now: Time, client: ClientId, response: &Response<'_>) {
        match response.status {
            ..200 => self.rings(client, response.status),
            200..300 => self.picked_up(now, client, response),
            300.. => self.refused(now, client, response),
        }
    }

    fn rings(&mut self, client: ClientId, status: u16) {
        let Some(Purpose::Dial { leg: Some(leg), rang: rang @ false, .. }) = self.clients.purpose(client) else { return };
        if status > 100 {
            *rang = true;
            let leg = *leg;
            self.try_report(FromLine::Ringing { leg });
        }
    }

    fn picked_up(&mut self, now: Time, client: ClientId, response: &Response<'_>) {
        let tag = response.to.tag().unwrap_or_default();
        let Some(purpose) = self.clients.purpose(client) else { return };
        let pinned = match purpose {
            Purpose::Dial { dialog, .. } => dialog.pinned,
            Purpose::Answered { remote_tag, .. } if remote_tag == tag => return self.clients.ack_again(client, &mut self.out),
            Purpose::Answered { pinned, .. } => {
                let pinned = *pinned;
                return self.end_stray(now, None, pinned, response);
            }
            Purpose::Bye(_) | Purpose::Reinvite { .. } | Purpose::Update(_) | Purpose::Nothing => return,
        };
        let purpose = std::mem::replace(purpose, Purpose::Answered { remote_tag: tag.to_owned(), pinned });
        self.clients.answered(now, client, &mut self.timers);
        match purpose {
            Purpose::Dial { leg: Some(leg), dialog, sdp, .. } => self.connect(now, client, leg, *dialog, sdp, response),
            Purpose::Dial { leg: None, .. } => self.end_stray(now, Some(client), pinned, response),
            Purpose::Answered { .. } | Purpose::Bye(_) | Purpose::Reinvite { .. } | Purpose::Update(_) | Purpose::Nothing => {}
        }
    }

    /// The far end has answered a leg that is wanted: ACK, and the core hears of it.
    fn connect(&mut self, now: Time, client: ClientId, leg: LegId, mut dialog: Dialog, sdp: String, response: &Response<'_>) {
        dialog.answered(response);
        self.send_ack(Some(client), &mut dialog, response.cseq);
        let asks = Asks::of(&response.message);
        let session = asks.session.agreed(now);
        self.legs.insert(leg, Leg::Up(Box::new(Up { session, ..Up::new(dialog, Negotiation::default(), sdp, asks) })));
        self.proceed(now, leg);
        if !response.message.has_sdp() {
            self.drop_dialled(now, leg, 488);
            return;
        }
        let sdp = self.links.sdps.put_received(response.message.body, response.from_peer.addr.ip());
        if !self.try_report(FromLine::Answered { leg, sdp }) {
            self.drop_dialled(now, leg, 503);
        }
    }

    fn drop_dialled(&mut self, now: Time, leg: LegId, status: u16) {
        self.hang_up(now, leg, crate::centre::fact::EndReason::SignallingFailed);
        self.report(FromLine::Refused { leg, status });
    }

    /// An answer that nobody waits for, or the second one of a forked INVITE: ACK and BYE (RFC 3261 §13.2.2.4).
    fn end_stray(&mut self, now: Time, client: Option<ClientId>, pinned: bool, response: &Response<'_>) {
        metrics::counter!("cityline_sip_late_answers_total").increment(1);
        let mut dialog = Dialog::of_stray(response, pinned);
        self.send_ack(client, &mut dialog, response.cseq);
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
        let Some(purpose) = self.clients.purpose(client) else { return };
        let Purpose::Dial { leg, mut dialog, .. } = std::mem::replace(purpose, Purpose::Nothing) else { return };
        dialog.remote = response.message.first(Name::To).unwrap_or_default().to_owned();
        let more = More { peer, cseq: Some(response.cseq), headers: "", sdp: None };
        let ack = dialog.request(Method::Ack, &branch, &self.own, more);
        self.clients.ack(client, peer, ack, &mut self.out);
        if let Some(leg) = leg {
            self.legs.remove(&leg);
            self.report(FromLine::Refused { leg, status: response.status });
        }
    }
}
