//! What may an operator's own phone begin? A call to a colleague, once it has proven whose it is (RFC 3261 §22.2).

use std::sync::atomic::Ordering;

use crate::centre::ids::{AgentId, CallId, LegId, SdpRef};
use crate::centre::input::FromLine;
use crate::centre::time::Time;

use super::exchange::Exchange;
use super::guard::Request;
use super::inbound::{Incoming, acceptable, is_number};
use super::registrar::is_behind;

impl Exchange {
    /// The operator whose registered phone this request comes from. In the network of a trunk only the phone's very own address counts:
    /// whoever else is there may call under any number.
    pub(super) fn phone_of(&self, request: &Request<'_>) -> Option<AgentId> {
        let user = request.from.uri.user_text();
        let agent = self.registrar.agent_of(&user)?;
        let in_trunk = self.trunks.of(request.from_peer.addr.ip()).is_some();
        self.registrar.is_at(&user, request.from_peer, in_trunk).then(|| agent.clone())
    }

    /// Whether the request shows the phone's password; if not, it has been answered.
    pub(super) fn is_proven(&mut self, now: Time, request: &Request<'_>) -> bool {
        let user = request.from.uri.user_text();
        match self.registrar.authorise(now, request, &user) {
            Ok(()) => true,
            Err(refused) => {
                self.refuse(now, request, refused.status, &refused.headers);
                false
            }
        }
    }

    /// An INVITE of a phone of ours; false for one that goes on like anybody's, to a number of the city.
    pub(super) fn invite_of_phone(&mut self, now: Time, request: &Request<'_>, key: &str) -> bool {
        let Some(from) = self.phone_of(request) else { return false };
        let user = request.uri.user_text();
        let to = match self.registrar.colleague(&user) {
            Some(agent) => agent.clone(),
            None if self.trunks.of(request.from_peer.addr.ip()).is_some() => return false,
            // An operator may have no phone that registers: the core knows.
            None => AgentId::from(user.as_str()),
        };
        if !is_number(&user) {
            self.refuse(now, request, 404, "");
        } else if self.is_proven(now, request) {
            let call = CallId(self.links.next_call.fetch_add(1, Ordering::Relaxed));
            let told = |sdp| FromLine::PhoneCalled { call, from, to, sdp };
            self.phone_comes_in(now, request, key, LegId::caller(call), told);
        }
        true
    }

    /// A leg that a phone of ours begins: the core judges it.
    pub(super) fn phone_comes_in(
        &mut self,
        now: Time,
        request: &Request<'_>,
        key: &str,
        leg: LegId,
        told: impl FnOnce(Option<SdpRef>) -> FromLine,
    ) {
        if let Err((status, headers)) = acceptable(request) {
            return self.refuse(now, request, status, headers);
        }
        let pinned = request.contact.is_none_or(|contact| is_behind(&contact, request.from_peer));
        if !self.has_room(now) || !self.comes_in(now, request, key, Incoming { leg, pinned, refers: true }, told) {
            self.shed(now, request);
        }
    }
}
