//! Which port may a test give to a server or a phone that it starts?

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};

/// A port of loopback that is free for UDP and TCP, and that nobody else in this process gets before a thousand others.
///
/// It lies between 10000 and 12000: the system hands out higher ones at any moment, to somebody else before the program that was started
/// has bound it, and servers take theirs for RTP above. It is even, and the odd one above it is nobody's: baresip takes that for TLS, unasked.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = std::process::id() as u16;
    loop {
        let port = 10_000 + first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % 1_000 * 2;
        let address = (Ipv4Addr::LOCALHOST, port);
        if TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok() {
            return port;
        }
    }
}
