//! How does an operator give a call away by the phone itself? REFER, the NOTIFYs that tell how it goes, and Replaces (RFC 3515, RFC 4488, RFC 3891).

use std::collections::BTreeMap;

use crate::centre::ids::{CallId, LegId};
use crate::centre::input::{FromLine, ReferTo};
use crate::centre::time::Time;

use super::clients::{NewRequest, Purpose};
use super::dialog::More;
use super::exchange::Exchange;
use super::guard::Request;
use super::inbound::is_number;
use super::legs::Leg;
use super::message::{Method, Name};
use super::reply::phrase;
use super::uri::{NameAddr, Uri, param, unescape};

/// Digits that a number outside has at least; what is shorter is the name of a service.
const OUTSIDE_DIGITS: usize = 5;
/// For how long a phone may count on further NOTIFYs, in seconds: longer than anybody rings.
const SUBSCRIBED_S: u32 = 180;

/// How long a dialog between two phones is remembered that a transfer is to take the place of, in milliseconds: the phone is dialled at once.
const REMEMBERED_MS: u64 = 10_000;
/// Such dialogs at one time; a further transfer rings like any call.
const MOST_CONSULTATIONS: usize = 1_000;
/// The longest value of a Replaces that is passed on, in bytes.
const LONGEST_REPLACES: usize = 512;

/// Dialogs between two phones that are no legs of ours, by the call that takes their place: what the phone of a colleague who was asked
/// is told in our INVITE (RFC 5589 §7).
pub type Consultations = BTreeMap<CallId, (Time, String)>;

/// A REFER whose end has not been told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Referral {
    /// The number of its subscription; the first one of a dialog goes without (RFC 3515 §2.4.6).
    id: Option<u32>,
    /// Whether the phone wants no NOTIFY (RFC 4488).
    silent: bool,
}

impl Exchange {
    /// A phone wants the other side taken elsewhere: the core decides. Only ends that we have dialled may ask, and no number outside.
    pub(super) fn refer(&mut self, now: Time, request: &Request<'_>, key: &str) {
        let Some(leg) = request.to.tag().and_then(|tag| self.leg_of(request, tag)) else {
            let status = if request.to.tag().is_some() { 481 } else { 403 };
            return self.refuse(now, request, status, "");
        };
        let status = match self.legs.get(&leg) {
            Some(Leg::Up(up)) if !up.refers => 403,
            Some(Leg::Up(up)) if up.referral.is_some() => 491,
            Some(Leg::Up(_)) => match self.refer_to(now, leg.call, request) {
                Some(to) => return self.take_referral(now, leg, to, request, key),
                None => 400,
            },
            Some(Leg::Arrived { .. } | Leg::Dialled { .. }) => 403,
            Some(Leg::Closing(_)) | None => 481,
        };
        self.answer_once(now, request, key, status, "");
    }

    fn take_referral(&mut self, now: Time, leg: LegId, to: ReferTo, request: &Request<'_>, key: &str) {
        if !self.try_report(FromLine::Referred { leg, to }) {
            return self.answer_once(now, request, key, 503, "Retry-After: 2\r\n");
        }
        let silent = request.message.first(Name::ReferSub).is_some_and(|value| value.trim().eq_ignore_ascii_case("false"));
        let Some(Leg::Up(up)) = self.legs.get_mut(&leg) else { return };
        let id = std::mem::replace(&mut up.referred, true).then_some(request.cseq);
        up.referral = Some(Referral { id, silent });
        let contact = self.own.contact(up.dialog.peer);
        if silent {
            return self.answer_once(now, request, key, 200, &format!("{contact}Supported: norefersub\r\nRefer-Sub: false\r\n"));
        }
        self.answer_once(now, request, key, 202, &contact);
        self.notify(now, leg, 100);
    }

    /// Whom a REFER names; `None` for what is no address of ours and no number.
    fn refer_to(&mut self, now: Time, call: CallId, request: &Request<'_>) -> Option<ReferTo> {
        let to = NameAddr::read(request.message.only(Name::ReferTo)?)?;
        let user = to.uri.user_text();
        self.consultations.remove(&call);
        if let Some(replaces) = to.uri.headers.split('&').find_map(|header| header.strip_prefix("Replaces=")) {
            let replaces = unescape(replaces);
            if let Some(leg) = self.replaced(&replaces) {
                return Some(ReferTo::Replaces(leg));
            }
            let agent = self.registrar.agent_of(&user)?.clone();
            self.remember_consultation(now, call, replaces)?;
            return Some(ReferTo::Agent(agent));
        }
        if let Some(agent) = self.registrar.agent_of(&user) {
            return Some(ReferTo::Agent(agent.clone()));
        }
        let digits = user.strip_prefix('+').unwrap_or(&user);
        if digits.len() >= OUTSIDE_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return self.links.numbers.put(&user).map(ReferTo::Outside);
        }
        is_number(&user).then_some(ReferTo::Name(user))
    }

    /// The phone has asked a colleague by a call of its own, past us: our INVITE to the colleague's phone takes that call's place.
    fn remember_consultation(&mut self, now: Time, call: CallId, replaces: String) -> Option<()> {
        let sound = |byte: u8| byte.is_ascii_graphic() && byte != b',';
        if replaces.len() > LONGEST_REPLACES || !replaces.bytes().all(sound) || !replaces.contains(";to-tag=") {
            return None;
        }
        self.consultations.retain(|_, (at, _)| now.ms_since(*at) < REMEMBERED_MS);
        if self.consultations.len() < MOST_CONSULTATIONS {
            self.consultations.insert(call, (now, replaces));
        }
        Some(())
    }

    /// The dialog that an INVITE to a phone takes the place of in this call.
    pub(super) fn consulted_by(&self, now: Time, call: CallId) -> Option<String> {
        let (at, replaces) = self.consultations.get(&call)?;
        (now.ms_since(*at) < REMEMBERED_MS).then(|| replaces.clone())
    }

    /// The leg whose dialog a Replaces names, from either side's view.
    fn replaced(&mut self, replaces: &str) -> Option<LegId> {
        let (call_id, params) = replaces.split_once(';')?;
        self.leg_between(call_id, param(params, "to-tag")?, param(params, "from-tag")?)
    }

    /// The core tells how it went. A phone that has hung up in the meantime need not be told.
    pub(super) fn refer_progress(&mut self, now: Time, leg: LegId, status: u16) {
        self.notify(now, leg, status);
        if status >= 300 {
            self.consultations.remove(&leg.call);
        }
        if let Some(Leg::Up(up)) = self.legs.get_mut(&leg)
            && status >= 200
        {
            up.referral = None;
        }
    }

    /// NOTIFY with the status line of the call that the REFER asked for; a final one ends the subscription (RFC 3515 §2.4.5, §2.4.7).
    fn notify(&mut self, now: Time, leg: LegId, status: u16) {
        let (client, branch) = self.clients.reserve(self.salts.next());
        let Some(Leg::Up(up)) = self.legs.get_mut(&leg) else { return };
        let Some(referral) = up.referral.filter(|referral| !referral.silent) else { return };
        let peer = up.dialog.next_hop();
        let id = referral.id.map_or(String::new(), |id| format!(";id={id}"));
        let state = if status < 200 { format!("active;expires={SUBSCRIBED_S}") } else { "terminated;reason=noresource".to_owned() };
        let headers = format!(
            "{}Event: refer{id}\r\nSubscription-State: {state}\r\nContent-Type: message/sipfrag;version=2.0\r\n",
            self.own.contact(peer)
        );
        let fragment = format!("SIP/2.0 {status} {}\r\n", phrase(status));
        let more = More { peer, cseq: None, headers: &headers, sdp: Some(&fragment) };
        let request = up.dialog.request(Method::Notify, &branch, &self.own, more);
        let notify = NewRequest { branch, peer, request, method: Method::Notify, purpose: Purpose::Nothing };
        self.clients.send(now, client, notify, &mut self.timers, &mut self.out);
    }
}

/// Whether an address of the settings is a phone's or a service's own, not a number that a trunk reaches.
pub fn is_own_address(text: &str) -> bool {
    Uri::read(text).is_some_and(|uri| !uri.host.is_empty())
}
