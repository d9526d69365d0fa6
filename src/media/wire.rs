//! Through what does a leg speak? Sockets of its own, or the line to an operator's page.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::media::rtcp::Told;
use crate::media::socket::SocketPair;
use crate::media::webrtc::line::Line;

/// Where everything of a page comes from and goes to: the thread of the pages knows its address, and who is believed there.
pub const PAGE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// A leg's way out and in; see [`SocketPair`] for what each function does on sockets.
pub enum Wire {
    /// Two UDP ports.
    Sockets(SocketPair),
    /// A page's line.
    Page(Line),
}

impl Wire {
    /// The RTP port; a page's line has none.
    pub fn port(&self) -> Option<u16> {
        match self {
            Wire::Sockets(sockets) => Some(sockets.port()),
            Wire::Page(_) => None,
        }
    }

    /// Whether it is a page's.
    pub fn is_page(&self) -> bool {
        matches!(self, Wire::Page(_))
    }

    /// The next RTP packet that waits, with its sender.
    pub fn receive(&self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        match self {
            Wire::Sockets(sockets) => sockets.receive(buffer),
            Wire::Page(line) => line.receive(buffer).map(|length| (length, PAGE)),
        }
    }

    /// Whether the far end's system has refused packets.
    pub fn was_refused(&self) -> bool {
        match self {
            Wire::Sockets(sockets) => sockets.was_refused(),
            Wire::Page(_) => false,
        }
    }

    /// The next RTCP packet that waits. Pages' RTCP is spoken by their own thread, which tells what it says ([`Wire::told`]).
    pub fn receive_report(&self, buffer: &mut [u8]) -> Option<(usize, SocketAddr, Option<u64>)> {
        match self {
            Wire::Sockets(sockets) => sockets.receive_report(buffer),
            Wire::Page(_) => None,
        }
    }

    /// What a page has reported of our stream since the last call.
    pub fn told(&self) -> Option<Told> {
        match self {
            Wire::Sockets(_) => None,
            Wire::Page(line) => line.told(),
        }
    }

    /// Hears this far end alone from here on. Whether that is new.
    pub fn keep_to(&self, far: SocketAddr) -> bool {
        match self {
            Wire::Sockets(sockets) => sockets.keep_to(far),
            Wire::Page(_) => false,
        }
    }

    /// Hears every source again.
    pub fn let_go(&self) {
        match self {
            Wire::Sockets(sockets) => sockets.let_go(),
            Wire::Page(_) => {}
        }
    }

    /// Sends an RTP packet. Whether it went out.
    pub fn send(&self, packet: &[u8], to: SocketAddr) -> bool {
        match self {
            Wire::Sockets(sockets) => sockets.send(packet, to),
            Wire::Page(line) => line.send(packet),
        }
    }

    /// Sends an RTCP packet. Whether it went out.
    pub fn send_report(&self, packet: &[u8], to: SocketAddr) -> bool {
        match self {
            Wire::Sockets(sockets) => sockets.send_report(packet, to),
            Wire::Page(_) => false,
        }
    }
}
