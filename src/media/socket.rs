//! Through which sockets does a leg speak? A pair of UDP ports, the even one for RTP and the next for RTCP (RFC 3550 §11).
//!
//! They stand in no epoll set: the owning thread reads them on its tick until they are empty, because a wake-up a packet costs more than the packet.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use socket2::SockRef;

/// Expedited forwarding (RFC 3246) as a type-of-service byte: routers that honour it send voice first.
const EXPEDITED: u32 = 46 << 2;

/// The two sockets of one leg; dropping it closes them.
pub struct SocketPair {
    rtp: UdpSocket,
    rtcp: UdpSocket,
    port: u16,
}

impl SocketPair {
    /// Binds `port` for RTP and the one above it for RTCP. Errors: one of them is taken, or the address is not this machine's.
    pub fn bind(address: IpAddr, port: u16) -> io::Result<SocketPair> {
        Ok(SocketPair { rtp: bound(address, port)?, rtcp: bound(address, port.saturating_add(1))?, port })
    }

    /// The RTP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The next RTP datagram that waits, with its sender; `None` when none does.
    pub fn receive(&self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        receive(&self.rtp, buffer)
    }

    /// The next RTCP datagram that waits.
    pub fn receive_report(&self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        receive(&self.rtcp, buffer)
    }

    /// Sends an RTP packet. Whether it went out; a network that cannot take it now is a lost packet, not an error.
    pub fn send(&self, packet: &[u8], to: SocketAddr) -> bool {
        self.rtp.send_to(packet, to).is_ok()
    }

    /// Sends an RTCP packet, like [`SocketPair::send`].
    pub fn send_report(&self, packet: &[u8], to: SocketAddr) -> bool {
        self.rtcp.send_to(packet, to).is_ok()
    }
}

fn bound(address: IpAddr, port: u16) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((address, port))?;
    socket.set_nonblocking(true)?;
    if address.is_ipv4() {
        // A network that refuses the mark still carries the sound.
        let _ = SockRef::from(&socket).set_tos_v4(EXPEDITED);
    }
    Ok(socket)
}

fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
    loop {
        match socket.recv_from(buffer) {
            Ok(read) => return Some(read),
            // An ICMP error of an earlier send is reported once, in place of a datagram.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => continue,
            Err(_) => return None,
        }
    }
}
