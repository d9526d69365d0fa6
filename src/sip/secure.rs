//! Which far ends are offered protected sound? Those whose settings say so; what they are offered is RTP/SAVP alone (RFC 4568).

use crate::centre::ids::SdpRef;
use crate::centre::output::Target;

use super::exchange::Exchange;
use super::uri::{Scheme, Uri};

impl Exchange {
    /// Our offer for this far end, plain or protected; `None` if it was taken already.
    pub(super) fn take_offer(&self, target: &Target, sdp: SdpRef) -> Option<String> {
        if self.is_secure(target) { self.links.sdps.take_secure(sdp) } else { self.links.sdps.take(sdp) }
    }

    fn is_secure(&self, target: &Target) -> bool {
        match target {
            Target::Contact(contact) => self.registrar.is_secure(*contact),
            Target::Outside(_) => self.trunks.are_secure(),
            Target::Browser(_) => false,
            Target::Address(text) => match Uri::read(text) {
                Some(uri) if matches!(uri.scheme, Scheme::Sip | Scheme::Sips) => uri.scheme == Scheme::Sips,
                _ => self.trunks.are_secure(),
            },
        }
    }
}
