//! How does the phone reach what the standard library lacks: epoll, the kernel's arrival times, and the limit of open files?
#![allow(unsafe_code)]

use std::io;
use std::mem::{size_of, zeroed};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use libc::{c_int, c_void};

/// Most descriptors that one call of [`Poller::wait`] reports; the rest comes with the next call.
const BATCH: usize = 512;

/// A level-triggered epoll instance whose descriptors are known by a token.
#[derive(Debug)]
pub struct Poller {
    epoll: OwnedFd,
    events: Vec<libc::epoll_event>,
}

impl Poller {
    /// An empty poller.
    ///
    /// # Errors
    /// What `epoll_create1` reports, normally too many open files.
    pub fn new() -> io::Result<Self> {
        // SAFETY: no pointers; the descriptor that comes back is ours alone, so `OwnedFd` may close it.
        let epoll = unsafe {
            let fd = libc::epoll_create1(libc::EPOLL_CLOEXEC);
            if fd < 0 {
                return Err(io::Error::last_os_error());
            }
            OwnedFd::from_raw_fd(fd)
        };
        Ok(Self { epoll, events: vec![libc::epoll_event { events: 0, u64: 0 }; BATCH] })
    }

    /// Watches a descriptor for readability. Closing the descriptor ends the watch.
    ///
    /// # Errors
    /// What `epoll_ctl` reports.
    pub fn watch(&self, what: &impl AsFd, token: u64) -> io::Result<()> {
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: token };
        // SAFETY: both descriptors are open for the length of the call and `event` is a live local.
        let done = unsafe { libc::epoll_ctl(self.epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, what.as_fd().as_raw_fd(), &mut event) };
        if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Waits until something is readable or the time is over (rounded up to 1 ms), and returns the tokens of what is.
    pub fn wait(&mut self, limit: Duration) -> impl Iterator<Item = u64> + '_ {
        let ms = limit.as_micros().div_ceil(1000).min(60_000) as c_int;
        // SAFETY: `events` holds BATCH initialised entries and the kernel writes at most BATCH of them.
        let count = unsafe { libc::epoll_wait(self.epoll.as_raw_fd(), self.events.as_mut_ptr(), BATCH as c_int, ms) };
        self.events.iter().take(count.max(0) as usize).map(|event| event.u64)
    }
}

/// One datagram that came in.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// Bytes written to the buffer.
    pub length: usize,
    /// The sender.
    pub from: SocketAddrV4,
    /// When the kernel took it in, nanoseconds since the Unix epoch.
    pub at_ns: u64,
}

/// A UDP socket that does not block, stamps what arrives and holds `receive_bytes` of it (the kernel may hold less).
///
/// # Errors
/// What binding reports: the address is busy or not of this machine.
pub fn bind_udp(address: SocketAddrV4, receive_bytes: usize) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(address)?;
    socket.set_nonblocking(true)?;
    set_option(&socket, libc::SO_TIMESTAMPNS, 1)?;
    set_option(&socket, libc::SO_RCVBUF, receive_bytes.min(c_int::MAX as usize) as c_int)?;
    Ok(socket)
}

fn set_option(socket: &UdpSocket, option: c_int, value: c_int) -> io::Result<()> {
    let pointer = (&raw const value).cast::<c_void>();
    // SAFETY: `pointer` names a live c_int and the length given is its own.
    let done = unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, option, pointer, size_of::<c_int>() as libc::socklen_t) };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Takes one datagram from an IPv4 socket, if there is one. Errors of earlier sends (port unreachable) count as "none".
pub fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> Option<Arrival> {
    let mut control = [0u64; 8];
    // SAFETY: all-zero is a valid value of these C structures.
    let (mut from, mut message): (libc::sockaddr_in, libc::msghdr) = unsafe { (zeroed(), zeroed()) };
    let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    message.msg_name = (&raw mut from).cast();
    message.msg_namelen = size_of::<libc::sockaddr_in>() as libc::socklen_t;
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(&control);
    // SAFETY: every pointer in `message` names a live local or the caller's buffer, with its true length.
    let length = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, libc::MSG_DONTWAIT) };
    let length = usize::try_from(length).ok()?;
    let address = Ipv4Addr::from(u32::from_be(from.sin_addr.s_addr));
    Some(Arrival {
        length,
        from: SocketAddrV4::new(address, u16::from_be(from.sin_port)),
        at_ns: stamp_of(&message).unwrap_or_else(wall_ns),
    })
}

fn stamp_of(message: &libc::msghdr) -> Option<u64> {
    // SAFETY: `message` was filled by recvmsg and its control buffer is still alive in the caller; the CMSG macros stay inside it,
    // and the time stamp is copied out unaligned.
    unsafe {
        let mut head = libc::CMSG_FIRSTHDR(message);
        while !head.is_null() {
            if (*head).cmsg_level == libc::SOL_SOCKET && (*head).cmsg_type == libc::SCM_TIMESTAMPNS {
                let stamp = libc::CMSG_DATA(head).cast::<libc::timespec>().read_unaligned();
                return Some(stamp.tv_sec as u64 * 1_000_000_000 + stamp.tv_nsec as u64);
            }
            head = libc::CMSG_NXTHDR(message, head);
        }
    }
    None
}

/// The wall clock in nanoseconds since the Unix epoch: the scale of the kernel's arrival times.
pub fn wall_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}

/// Raises the soft limit of open files to the hard one and returns it; thousands of legs need a socket each.
pub fn raise_open_files() -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a live local that both calls read or write whole.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
            libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
        }
    }
    limit.rlim_cur
}

/// Processor ticks a second in `/proc/PID/stat`.
pub fn clock_ticks_per_second() -> u64 {
    // SAFETY: no pointers.
    u64::try_from(unsafe { libc::sysconf(libc::_SC_CLK_TCK) }).unwrap_or(100).max(1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn stamps_what_arrives() {
        let any = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
        let (a, b) = (bind_udp(any, 1 << 16).unwrap(), bind_udp(any, 1 << 16).unwrap());
        let mut poller = Poller::new().unwrap();
        poller.watch(&b, 7).unwrap();
        let before = wall_ns();
        a.send_to(b"sound", b.local_addr().unwrap()).unwrap();
        assert_eq!(poller.wait(Duration::from_secs(1)).collect::<Vec<_>>(), [7]);
        let mut buffer = [0; 64];
        let arrival = receive(&b, &mut buffer).unwrap();
        assert_eq!(&buffer[..arrival.length], b"sound");
        assert_eq!(arrival.from.port(), a.local_addr().unwrap().port());
        assert!(arrival.at_ns >= before && arrival.at_ns <= wall_ns());
        assert!(receive(&b, &mut buffer).is_none());
    }
}
