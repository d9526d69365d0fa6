//! To whom does a leg speak, and whom does it believe? Symmetric RTP (RFC 4961) that latches once and never moves for a stranger.
//!
//! A source is believed if the session description names its address; or, within the first seconds, if the description names
//! none or a private one, because a NAT stands in between, and the source's address is the one that signalling comes from.
//! Within the same seconds the very port of the description takes the place of another one: a carrier's machine that sends a last packet
//! of a former call, to the port that is this leg's now, does not make it deaf.

use std::net::{IpAddr, SocketAddr};

/// For so long after the first agreement a source behind a NAT may introduce itself.
const INTRODUCTION_US: u64 = 5_000_000;

/// The far end's transport, as promised and as seen.
#[derive(Default)]
pub struct Remote {
    promised: Option<SocketAddr>,
    latched: Option<SocketAddr>,
    signalled: Option<IpAddr>,
    open_until_us: u64,
}

impl Remote {
    /// A session description is in force: `promised` is where it wants sound, `None` where that cannot be told.
    /// `signalled` is where its message came from. One that repeats the former address changes nothing.
    pub fn aim(&mut self, promised: Option<SocketAddr>, signalled: Option<IpAddr>, now_us: u64) {
        if self.open_until_us == 0 || promised != self.promised {
            *self = Remote { promised, latched: None, signalled, open_until_us: now_us.saturating_add(INTRODUCTION_US) };
        }
    }

    /// The source that a former process had settled on; it is believed from the start.
    pub fn settle(&mut self, source: SocketAddr) {
        self.latched = Some(source);
    }

    /// The settled source.
    pub fn latched(&self) -> Option<SocketAddr> {
        self.latched
    }

    /// Where sound goes: the latched source, until then the address of the description.
    pub fn target(&self) -> Option<SocketAddr> {
        self.latched.or(self.promised)
    }

    /// Whether the source is settled.
    pub fn has_latched(&self) -> bool {
        self.latched.is_some()
    }

    /// Whether no other source can take the place of the latched one any more.
    pub fn is_final(&self, now_us: u64) -> bool {
        self.latched.is_some() && (self.latched == self.promised || now_us >= self.open_until_us)
    }

    /// Whether a datagram of `from` is the far end's; the first one that is decides, unless the very port that was promised comes soon.
    pub fn admits(&mut self, from: SocketAddr, now_us: u64) -> bool {
        if let Some(latched) = self.latched
            && (latched == from || self.promised != Some(from) || self.is_final(now_us))
        {
            return latched == from;
        }
        let promised = self.promised.map(|promised| promised.ip());
        let introduces_itself = || now_us < self.open_until_us && self.signalled == Some(from.ip()) && promised.is_none_or(may_be_hidden);
        let believed = promised == Some(from.ip()) || introduces_itself();
        if believed {
            self.latched = Some(from);
        }
        believed
    }

    /// Where reports go, if `promised_port` is the RTCP port of the description.
    pub fn report_target(&self, promised_port: u16) -> Option<SocketAddr> {
        let target = self.target()?;
        let as_promised = self.promised.is_some_and(|promised| promised.ip() == target.ip());
        let port = if as_promised { promised_port } else { target.port().checked_add(1)? };
        Some(SocketAddr::new(target.ip(), port))
    }
}

/// A private address (RFC 1918, 6598, 3927, 4193): a NAT may show us another in its place.
fn may_be_hidden(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [a, b, ..] = address.octets();
            let shared = a == 100 && (64..128).contains(&b);
            shared || address.is_private() || address.is_link_local() || address.is_loopback()
        }
        IpAddr::V6(address) => address.is_unique_local() || address.is_unicast_link_local() || address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::net::Ipv4Addr;

    use super::*;

    /// Where the messages of every far end here come from.
    const SIGNALLING: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 9));

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn aimed(promised: &str) -> Remote {
        let mut remote = Remote::default();
        remote.aim(Some(at(promised)), Some(SIGNALLING), 0);
        remote
    }

    #[test]
    fn the_promised_address_latches_and_strangers_never_do() {
        let mut remote = aimed("203.0.113.7:4000");
        assert!(!remote.admits(at("198.51.100.9:4000"), 1));
        assert!(remote.admits(at("203.0.113.7:4002"), 1), "another port of the same host");
        assert!(!remote.admits(at("203.0.113.7:4004"), 1), "it latched once");
        assert_eq!(remote.target(), Some(at("203.0.113.7:4002")));
        assert!(remote.is_final(INTRODUCTION_US));
        assert!(!remote.admits(at("203.0.113.7:4000"), INTRODUCTION_US), "too late");
    }

    #[test]
    fn a_packet_of_a_former_call_does_not_make_the_leg_deaf() {
        let mut remote = aimed("203.0.113.7:4000");
        assert!(remote.admits(at("203.0.113.7:3998"), 1) && !remote.is_final(1));
        assert!(remote.admits(at("203.0.113.7:4000"), 2) && remote.is_final(2));
        assert!(!remote.admits(at("203.0.113.7:3998"), 3));
        assert_eq!(remote.target(), Some(at("203.0.113.7:4000")));
    }

    #[test]
    fn a_phone_behind_nat_may_introduce_itself_in_time() {
        let public = at("198.51.100.9:61000");
        assert!(aimed("192.168.1.5:4000").admits(public, 1_000_000));
        assert!(!aimed("192.168.1.5:4000").admits(public, INTRODUCTION_US));
        assert!(!aimed("203.0.113.7:4000").admits(public, 1), "a public address stands for itself");
    }

    #[test]
    fn behind_nat_only_the_host_that_signals_is_believed() {
        assert!(!aimed("192.168.1.5:4000").admits(at("198.51.100.10:61000"), 1));
        assert!(!aimed("192.168.1.5:4000").admits(at("192.168.1.6:4000"), 1));
        let nameless = |signalled| {
            let mut remote = Remote::default();
            remote.aim(None, signalled, 0);
            remote
        };
        assert!(nameless(Some(SIGNALLING)).admits(at("198.51.100.9:61000"), 1));
        assert!(!nameless(Some(SIGNALLING)).admits(at("198.51.100.10:61000"), 1));
        assert!(!nameless(None).admits(at("198.51.100.9:61000"), 1));
    }

    #[test]
    fn a_new_description_is_believed_anew_and_a_repeated_one_is_not() {
        let mut remote = aimed("203.0.113.7:4000");
        assert!(remote.admits(at("203.0.113.7:4002"), 1));
        remote.aim(Some(at("203.0.113.7:4000")), Some(SIGNALLING), 2);
        assert_eq!(remote.target(), Some(at("203.0.113.7:4002")));
        remote.aim(Some(at("203.0.113.8:5000")), Some(SIGNALLING), 3);
        assert_eq!(remote.target(), Some(at("203.0.113.8:5000")));
    }
}
