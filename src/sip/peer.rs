//! Over what is a far end reached? An address and the carrier that messages take to it.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// A TCP connection of this process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConnId(pub u64);

/// UDP, or a TCP connection.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Carrier {
    /// Our one UDP socket.
    Udp,
    /// This connection while it is up, a new one to the address when it is not.
    Tcp(Option<ConnId>),
}

/// The far end of a message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Peer {
    /// Its address, as packets show it.
    pub addr: SocketAddr,
    /// The way to it.
    pub carrier: Carrier,
}

impl Peer {
    /// The transport's name in Via and Contact.
    pub fn transport(&self) -> &'static str {
        match self.carrier {
            Carrier::Udp => "UDP",
            Carrier::Tcp(_) => "TCP",
        }
    }

    /// Whether the carrier itself repeats what is lost, so that we need not (RFC 3261 §17).
    pub fn is_reliable(&self) -> bool {
        matches!(self.carrier, Carrier::Tcp(_))
    }
}
