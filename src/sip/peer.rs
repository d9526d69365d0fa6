//! Over what is a far end reached? An address and the carrier that messages take to it.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// A TCP or TLS connection of this process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConnId(pub u64);

/// UDP, or a connection: the named one while it is up, another one to the address when it is not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Carrier {
    /// Our one UDP socket.
    Udp,
    /// A TCP connection.
    Tcp(Option<ConnId>),
    /// TLS over TCP (RFC 3261 §26.2).
    Tls(Option<ConnId>),
}

impl Carrier {
    /// The same way without its connection, which has died with its process.
    pub fn anew(self) -> Carrier {
        match self {
            Carrier::Udp => Carrier::Udp,
            Carrier::Tcp(_) => Carrier::Tcp(None),
            Carrier::Tls(_) => Carrier::Tls(None),
        }
    }
}

/// The far end of a message.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Peer {
    /// Its address, as packets show it.
    pub addr: SocketAddr,
    /// The way to it.
    pub carrier: Carrier,
}

impl Carrier {
    /// The same way without a connection of its own.
    pub fn unbound(self) -> Carrier {
        match self {
            Carrier::Udp => Carrier::Udp,
            Carrier::Tcp(_) => Carrier::Tcp(None),
            Carrier::Tls(_) => Carrier::Tls(None),
        }
    }

    /// The same way by this connection.
    pub fn over(self, conn: ConnId) -> Carrier {
        match self {
            Carrier::Udp => Carrier::Udp,
            Carrier::Tcp(_) => Carrier::Tcp(Some(conn)),
            Carrier::Tls(_) => Carrier::Tls(Some(conn)),
        }
    }
}

impl Peer {
    /// The transport's name in Via.
    pub fn transport(&self) -> &'static str {
        match self.carrier {
            Carrier::Udp => "UDP",
            Carrier::Tcp(_) => "TCP",
            Carrier::Tls(_) => "TLS",
        }
    }

    /// The parameter of a Contact that leads back over the same way.
    pub fn transport_param(&self) -> &'static str {
        match self.carrier {
            Carrier::Udp => "",
            Carrier::Tcp(_) => ";transport=tcp",
            Carrier::Tls(_) => ";transport=tls",
        }
    }

    /// Whether the carrier itself repeats what is lost, so that we need not (RFC 3261 §17).
    pub fn is_reliable(&self) -> bool {
        !matches!(self.carrier, Carrier::Udp)
    }

    /// The connection that is named.
    pub fn conn(&self) -> Option<ConnId> {
        match self.carrier {
            Carrier::Udp => None,
            Carrier::Tcp(conn) | Carrier::Tls(conn) => conn,
        }
    }

    /// Whether any connection to the address will do, and `other` is one.
    pub fn may_use(&self, other: Peer) -> bool {
        self.conn().is_none() && self.is_reliable() && self.addr == other.addr && self.carrier == other.carrier.unbound()
    }
}
