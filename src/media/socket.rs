//! Through which sockets does a leg speak? A pair of UDP ports, the even one for RTP and the next for RTCP (RFC 3550 §11).
//!
//! They stand in no epoll set: the owning thread reads them on its tick until they are empty, because a wake-up a packet costs more than the packet.
//! The system is asked by calls of our own to tell of refused packets and to hear every source again, which the standard library does
//! not offer.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::io;
use std::mem::MaybeUninit;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

use socket2::{Domain, Protocol, SockRef, Socket, Type};

/// Expedited forwarding (RFC 3246) as a type-of-service byte: routers that honour it send voice first.
const EXPEDITED: u32 = 46 << 2;

/// Errors that are read in place of one datagram at most.
const ERRORS_A_LOOK: usize = 4;

/// The two sockets of one leg; dropping it closes them.
pub struct SocketPair {
    rtp: UdpSocket,
    rtcp: UdpSocket,
    port: u16,
    /// The only far end that the system lets through, once it is known.
    kept_to: Cell<Option<SocketAddr>>,
    refused: Cell<bool>,
}

impl SocketPair {
    /// Binds `port` for RTP and the one above it for RTCP. Errors: one of them is taken, or the address is not this machine's.
    pub fn bind(address: IpAddr, port: u16) -> io::Result<SocketPair> {
        let rtp = bound(address, port)?;
        tell_of_refusals(&rtp, address);
        let rtcp = bound(address, port.saturating_add(1))?;
        switch_on(&rtcp, libc::SOL_SOCKET, libc::SO_TIMESTAMP);
        Ok(SocketPair { rtp, rtcp, port, kept_to: Cell::new(None), refused: Cell::new(false) })
    }

    /// The RTP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The next RTP datagram that waits, with its sender; `None` when none does.
    pub fn receive(&self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        for _ in 0..ERRORS_A_LOOK {
            match self.rtp.recv_from(buffer) {
                Ok(read) => return Some(read),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
                Err(error) => self.note(&error),
            }
        }
        None
    }

    /// Whether the far end's system has said since the last call that nobody listens there.
    pub fn was_refused(&self) -> bool {
        self.refused.take()
    }

    /// The next RTCP datagram that waits, its sender, and when the system took it in, in microseconds since the epoch. That is what round
    /// trips are measured by: the datagram may have waited for a second. `None` for the moment where the system does not tell.
    pub fn receive_report(&self, buffer: &mut [u8]) -> Option<(usize, SocketAddr, Option<u64>)> {
        receive_stamped(&self.rtcp, buffer)
    }

    /// From here on the system itself drops what others send, and finds the way once instead of for every packet. What already waits is
    /// still given out, and must be judged. A system that refuses leaves everything as it was. Returns whether that is new.
    pub fn keep_to(&self, far: SocketAddr) -> bool {
        let anew = self.kept_to.get() != Some(far) && self.rtp.connect(far).is_ok();
        if anew {
            self.kept_to.set(Some(far));
        }
        anew
    }

    /// Hears every source again.
    pub fn let_go(&self) {
        if self.kept_to.take().is_some() {
            dissolve(&self.rtp);
        }
    }

    /// Sends an RTP packet. Whether it went out; a network that cannot take it now is a lost packet, not an error.
    pub fn send(&self, packet: &[u8], to: SocketAddr) -> bool {
        let sent = if self.kept_to.get() == Some(to) { self.rtp.send(packet) } else { self.rtp.send_to(packet, to) };
        sent.inspect_err(|error| self.note(error)).is_ok()
    }

    /// Sends an RTCP packet, like [`SocketPair::send`].
    pub fn send_report(&self, packet: &[u8], to: SocketAddr) -> bool {
        self.rtcp.send_to(packet, to).is_ok()
    }

    /// An error of an earlier packet (ICMP) is told in place of what was asked for; its report is taken off the socket.
    fn note(&self, error: &io::Error) {
        if error.kind() == io::ErrorKind::ConnectionRefused {
            self.refused.set(true);
        }
        let mut report = [MaybeUninit::uninit(); 64];
        let _ = SockRef::from(&self.rtp).recv_with_flags(&mut report, libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT);
    }
}

fn bound(address: IpAddr, port: u16) -> io::Result<UdpSocket> {
    let at = SocketAddr::new(address, port);
    let socket = Socket::new(Domain::for_address(at), Type::DGRAM.nonblocking(), Some(Protocol::UDP))?;
    socket.bind(&at.into())?;
    if address.is_ipv4() {
        // A network that refuses the mark still carries the sound.
        let _ = socket.set_tos_v4(EXPEDITED);
    }
    Ok(socket.into())
}

/// Undoes `connect`, which the standard library does not offer; the socket keeps its port.
fn dissolve(socket: &UdpSocket) {
    // SAFETY: all-zero bytes are a valid `sockaddr`, and AF_UNSPEC asks for nothing beyond its family.
    let mut nobody: libc::sockaddr = unsafe { std::mem::zeroed() };
    nobody.sa_family = libc::AF_UNSPEC as libc::sa_family_t;
    // SAFETY: the descriptor is open, `nobody` outlives the call and its size is told.
    unsafe { libc::connect(socket.as_raw_fd(), &raw const nobody, size_of_val(&nobody) as libc::socklen_t) };
}

/// Without this a socket that is not connected never hears of ICMP (RFC 1122 §4.1.3.3); where it cannot be had nothing else changes.
fn tell_of_refusals(socket: &UdpSocket, address: IpAddr) {
    let (level, option) = if address.is_ipv4() { (libc::IPPROTO_IP, libc::IP_RECVERR) } else { (libc::IPPROTO_IPV6, libc::IPV6_RECVERR) };
    switch_on(socket, level, option);
}

/// Switches an option of a socket on, if the system has it.
fn switch_on(socket: &UdpSocket, level: libc::c_int, option: libc::c_int) {
    let on: libc::c_int = 1;
    // SAFETY: the descriptor is open, `on` outlives the call and its size is told.
    unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, (&raw const on).cast(), size_of_val(&on) as libc::socklen_t) };
}

/// Room for one control message with a time; more than that is not asked for.
#[repr(align(8))]
struct Control([u8; 64]);

/// `recvfrom` that also tells when the datagram came.
fn receive_stamped(socket: &UdpSocket, buffer: &mut [u8]) -> Option<(usize, SocketAddr, Option<u64>)> {
    let mut control = Control([0; 64]);
    let mut parts = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    let mut stamp = None;
    let mut length = 0;
    let receive = |name: *mut socket2::SockAddrStorage, name_length: *mut libc::socklen_t| {
        // SAFETY: all-zero bytes are a valid `msghdr`; every pointer in it outlives the call, and its length is told.
        let received = unsafe {
            let mut message: libc::msghdr = std::mem::zeroed();
            (message.msg_name, message.msg_namelen) = (name.cast(), *name_length);
            (message.msg_iov, message.msg_iovlen) = (&raw mut parts, 1);
            (message.msg_control, message.msg_controllen) = (control.0.as_mut_ptr().cast(), control.0.len());
            let received = libc::recvmsg(socket.as_raw_fd(), &raw mut message, 0);
            if received >= 0 {
                *name_length = message.msg_namelen;
                stamp = stamp_of(&message);
            }
            received
        };
        length = usize::try_from(received).map_err(|_| io::Error::last_os_error())?;
        Ok(())
    };
    // SAFETY: `recvmsg` fills the address in and tells its length, or fails.
    let ((), from) = unsafe { socket2::SockAddr::try_init(receive) }.ok()?;
    Some((length, from.as_socket()?, stamp))
}

/// The time in a received message's control part, in microseconds since the epoch.
///
/// # Safety
/// `message` must be as `recvmsg` left it.
unsafe fn stamp_of(message: &libc::msghdr) -> Option<u64> {
    // SAFETY: the macros walk the control part by the lengths that the system has written there; the time's bytes need not be aligned.
    let time: libc::timeval = unsafe {
        let head = libc::CMSG_FIRSTHDR(message);
        if head.is_null() || (*head).cmsg_level != libc::SOL_SOCKET || (*head).cmsg_type != libc::SCM_TIMESTAMP {
            return None;
        }
        std::ptr::read_unaligned(libc::CMSG_DATA(head).cast())
    };
    let (seconds, micros) = (u64::try_from(time.tv_sec).ok()?, u64::try_from(time.tv_usec).ok()?);
    seconds.checked_mul(1_000_000)?.checked_add(micros)
}
