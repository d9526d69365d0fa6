//! How do SIP messages travel? One UDP socket, a TCP listener on the same port, and TCP connections.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use super::message::{self, LONGEST_BYTES};
use crate::sys::{self, Poller};

/// The kernel holds so many bytes of SIP: thousands of calls may ring at once.
const SOCKET_BYTES: usize = 8 << 20;
/// Token of the UDP socket, of the listener, and of the first connection.
const UDP: u64 = 1;
const LISTENER: u64 = 2;
const CONNECTIONS: u64 = 16;
/// Bytes that wait for a slow connection; one with more is closed.
const MOST_WAITING: usize = 1 << 20;

/// How a message came or is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Peer {
    Udp(SocketAddrV4),
    Tcp(SocketAddrV4),
}

impl Peer {
    /// The far end's address.
    pub fn address(self) -> SocketAddrV4 {
        match self {
            Self::Udp(address) | Self::Tcp(address) => address,
        }
    }

    /// The same transport to another address.
    pub fn at(self, address: SocketAddrV4) -> Self {
        match self {
            Self::Udp(_) => Self::Udp(address),
            Self::Tcp(_) => Self::Tcp(address),
        }
    }

    /// The transport's name in a Via.
    pub fn via_name(self) -> &'static str {
        match self {
            Self::Udp(_) => "UDP",
            Self::Tcp(_) => "TCP",
        }
    }

    /// Does the transport itself repeat what is lost?
    pub fn is_reliable(self) -> bool {
        matches!(self, Self::Tcp(_))
    }
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    peer: SocketAddrV4,
    read: Vec<u8>,
    waiting: Vec<u8>,
}

/// The sockets of one phone.
#[derive(Debug)]
pub struct Transport {
    udp: UdpSocket,
    listener: TcpListener,
    connections: HashMap<u64, Connection>,
    count: u64,
    /// Connections that could not be made or broke.
    pub broken: u64,
}

/// How often the system is asked for another port.
const PORTS_TRIED: u32 = 50;

impl Transport {
    /// Binds UDP and TCP on one port and watches both.
    ///
    /// # Errors
    /// When the port is busy; with port 0 only when none of the tried ones is free for both.
    pub fn bind(address: SocketAddrV4, poller: &Poller) -> io::Result<Self> {
        let both = || -> io::Result<_> {
            let udp = sys::bind_udp(address, SOCKET_BYTES)?;
            let listener = TcpListener::bind(udp.local_addr()?)?;
            Ok((udp, listener))
        };
        // The system chooses a port that is free for UDP; where a TCP connection has it, it chooses again.
        let mut bound = both();
        for _ in 0..PORTS_TRIED {
            match &bound {
                Err(error) if address.port() == 0 && error.kind() == io::ErrorKind::AddrInUse => bound = both(),
                Ok(_) | Err(_) => break,
            }
        }
        let (udp, listener) = bound?;
        listener.set_nonblocking(true)?;
        poller.watch(&udp, UDP)?;
        poller.watch(&listener, LISTENER)?;
        Ok(Self { udp, listener, connections: HashMap::new(), count: 0, broken: 0 })
    }

    /// The port of both.
    ///
    /// # Errors
    /// What the system reports.
    pub fn local_address(&self) -> io::Result<SocketAddrV4> {
        match self.udp.local_addr()? {
            SocketAddr::V4(address) => Ok(address),
            SocketAddr::V6(_) => Err(io::Error::other("the phone speaks IPv4 only")),
        }
    }

    /// Sends a message; a lost one is the business of the transaction.
    pub fn send(&mut self, to: Peer, bytes: &[u8], poller: &Poller) {
        match to {
            Peer::Udp(address) => {
                let _ = self.udp.send_to(bytes, address);
            }
            Peer::Tcp(address) => match self.connection_to(address, poller) {
                Ok(token) => self.write(token, bytes),
                Err(_) => self.broken += 1,
            },
        }
    }

    fn connection_to(&mut self, address: SocketAddrV4, poller: &Poller) -> io::Result<u64> {
        if let Some((token, _)) = self.connections.iter().find(|(_, connection)| connection.peer == address) {
            return Ok(*token);
        }
        let stream = TcpStream::connect_timeout(&address.into(), Duration::from_secs(2))?;
        self.keep(stream, address, poller)
    }

    fn keep(&mut self, stream: TcpStream, peer: SocketAddrV4, poller: &Poller) -> io::Result<u64> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        self.count += 1;
        let token = CONNECTIONS + self.count;
        poller.watch(&stream, token)?;
        self.connections.insert(token, Connection { stream, peer, read: Vec::new(), waiting: Vec::new() });
        Ok(token)
    }

    fn write(&mut self, token: u64, bytes: &[u8]) {
        let Some(connection) = self.connections.get_mut(&token) else { return };
        connection.waiting.extend_from_slice(bytes);
        if !connection.flush() || connection.waiting.len() > MOST_WAITING {
            self.connections.remove(&token);
            self.broken += 1;
        }
    }

    /// Sends what waited for slow connections.
    pub fn flush(&mut self) {
        let broken = self.connections.len();
        self.connections.retain(|_, connection| connection.flush());
        self.broken += (broken - self.connections.len()) as u64;
    }

    /// Takes everything that is readable at this token.
    pub fn read(&mut self, token: u64, poller: &Poller, mut take: impl FnMut(Peer, &[u8])) {
        match token {
            UDP => self.read_udp(&mut take),
            LISTENER => self.accept(poller),
            _ => self.read_connection(token, &mut take),
        }
    }

    fn read_udp(&mut self, take: &mut impl FnMut(Peer, &[u8])) {
        let mut buffer = vec![0; LONGEST_BYTES];
        while let Some(arrival) = sys::receive(&self.udp, &mut buffer) {
            take(Peer::Udp(arrival.from), buffer.get(..arrival.length).unwrap_or_default());
        }
    }

    fn accept(&mut self, poller: &Poller) {
        while let Ok((stream, from)) = self.listener.accept() {
            if let SocketAddr::V4(from) = from
                && self.keep(stream, from, poller).is_err()
            {
                self.broken += 1;
            }
        }
    }

    fn read_connection(&mut self, token: u64, take: &mut impl FnMut(Peer, &[u8])) {
        let Some(connection) = self.connections.get_mut(&token) else { return };
        let open = connection.fill();
        while let Some(length) = message::framed_length(&connection.read).filter(|length| *length <= connection.read.len()) {
            let rest = connection.read.split_off(length);
            take(Peer::Tcp(connection.peer), &connection.read);
            connection.read = rest;
        }
        // Empty lines between messages keep the connection open (RFC 5626 §3.5.1).
        let blank = connection.read.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        connection.read.drain(..blank);
        if !open || connection.read.len() > 2 * LONGEST_BYTES {
            self.connections.remove(&token);
        }
    }
}

impl Connection {
    /// Reads what is there; false at the end of the stream.
    fn fill(&mut self) -> bool {
        let mut buffer = [0; 16 * 1024];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return false,
                Ok(length) => self.read.extend_from_slice(buffer.get(..length).unwrap_or_default()),
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            }
        }
    }

    /// Writes what waits; false when the connection broke.
    fn flush(&mut self) -> bool {
        while !self.waiting.is_empty() {
            match self.stream.write(&self.waiting) {
                Ok(length) => drop(self.waiting.drain(..length)),
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            }
        }
        true
    }
}
