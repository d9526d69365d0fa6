//! Which TCP connections are up? One task each reads and writes it; what they may hold, and how long a stranger may, is bounded.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use super::frame::{Frame, next};
use super::peer::{Carrier, ConnId, Peer};

/// Connections at most; a further one takes the place of the stranger that was silent longest, or is closed at once where there is none.
const MOST: usize = 2048;
/// Connections from one address at most; a further one takes the place of a stranger of that address, or is closed at once.
const MOST_A_SOURCE: usize = 256;
/// Messages that may wait for a slow reader; when there are more, its connection is closed.
const WAITING: usize = 128;
/// Messages of all connections that may wait for us; when there are more, connections wait and TCP slows the senders.
const ARRIVED: usize = 1024;
/// A connection must bring its first message, and the rest of a message that has begun, within this.
const HURRY: Duration = Duration::from_secs(20);
/// A known connection on which nothing comes for longer is closed; above the longest registration.
const IDLE: Duration = Duration::from_secs(2 * 3600);
/// The same for a stranger's: time for the second try of a registration.
const STRANGER_IDLE: Duration = Duration::from_secs(30);
/// How long a connection may take to be made, and a write to be taken.
const PATIENCE: Duration = Duration::from_secs(5);

/// What connections report.
pub enum Event {
    /// One message, or what stands in place of one.
    Arrived { peer: Peer, raw: Bytes },
    /// It is gone. A stranger's carried nothing of ours.
    Closed { conn: ConnId, known: bool },
}

/// All connections.
pub struct Streams {
    all: HashMap<ConnId, Stream>,
    by_address: HashMap<SocketAddr, ConnId>,
    by_source: HashMap<IpAddr, usize>,
    events: mpsc::Sender<Event>,
    last: u64,
}

struct Stream {
    address: SocketAddr,
    queue: mpsc::Sender<Bytes>,
    known: Known,
    /// When its last message came.
    heard: Instant,
}

/// Whether a connection is of a trunk, of a registered phone or of our making; shared with its task. All others are strangers'.
#[derive(Clone)]
struct Known(Arc<AtomicBool>);

impl Known {
    fn new(known: bool) -> Known {
        Known(Arc::new(AtomicBool::new(known)))
    }

    fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Streams {
    /// No connection yet, and the end where their events come out.
    pub fn new() -> (Streams, mpsc::Receiver<Event>) {
        let (events, arrived) = mpsc::channel(ARRIVED);
        (Streams { all: HashMap::new(), by_address: HashMap::new(), by_source: HashMap::new(), events, last: 0 }, arrived)
    }

    /// Takes a connection that came in, or closes it when there are too many. `known`: it is of a trunk's address.
    pub fn accept(&mut self, stream: TcpStream, address: SocketAddr, known: bool) {
        if !self.make_room(address.ip()) {
            metrics::counter!("cityline_sip_connections_refused_total").increment(1);
            return;
        }
        let known = Known::new(known);
        let (conn, waiting) = self.enter(address, known.clone());
        let events = self.events.clone();
        tokio::spawn(async move {
            Connection::new(stream, conn, address, events.clone(), known.clone()).run(waiting).await;
            let _ = events.send(Event::Closed { conn, known: known.get() }).await;
        });
    }

    /// A phone has registered over this connection: it may stay.
    pub fn welcome(&mut self, conn: ConnId) {
        if let Some(stream) = self.all.get(&conn) {
            stream.known.0.store(true, Ordering::Relaxed);
        }
    }

    /// A message has come over this connection.
    pub fn heard(&mut self, conn: ConnId) {
        if let Some(stream) = self.all.get_mut(&conn) {
            stream.heard = Instant::now();
        }
    }

    fn make_room(&mut self, source: IpAddr) -> bool {
        if self.by_source.get(&source).is_some_and(|count| *count >= MOST_A_SOURCE) {
            return self.evict(|stream| stream.address.ip() == source);
        }
        self.all.len() < MOST || self.evict(|_| true)
    }

    /// Closes the stranger's connection that was silent longest; false where there is none.
    fn evict(&mut self, among: impl Fn(&Stream) -> bool) -> bool {
        let strangers = self.all.iter().filter(|(_, stream)| !stream.known.get() && among(stream));
        let Some(conn) = strangers.min_by_key(|(_, stream)| stream.heard).map(|(conn, _)| *conn) else { return false };
        metrics::counter!("cityline_sip_connections_evicted_total").increment(1);
        self.forget(conn);
        true
    }

    /// Sends over the connection that is named, over another one to the same address, or over a new one.
    pub fn send(&mut self, peer: Peer, message: Bytes) {
        let named = match peer.carrier {
            Carrier::Tcp(Some(conn)) if self.all.contains_key(&conn) => Some(conn),
            _ => self.by_address.get(&peer.addr).copied(),
        };
        let Some(conn) = named.or_else(|| self.connect(peer.addr)) else { return };
        let slow = self.all.get(&conn).is_some_and(|stream| stream.queue.try_send(message).is_err());
        if slow {
            metrics::counter!("cityline_sip_slow_connections_total").increment(1);
            self.forget(conn);
        }
    }

    /// Forgets a connection; its task ends once its queue is gone.
    pub fn forget(&mut self, conn: ConnId) {
        let Some(Stream { address, .. }) = self.all.remove(&conn) else { return };
        if self.by_address.get(&address) == Some(&conn) {
            self.by_address.remove(&address);
        }
        if let Some(count) = self.by_source.get_mut(&address.ip()) {
            *count -= 1;
            if *count == 0 {
                self.by_source.remove(&address.ip());
            }
        }
    }

    fn connect(&mut self, address: SocketAddr) -> Option<ConnId> {
        if self.all.len() >= MOST && !self.evict(|_| true) {
            return None;
        }
        let known = Known::new(true);
        let (conn, waiting) = self.enter(address, known.clone());
        let events = self.events.clone();
        tokio::spawn(async move {
            if let Ok(Ok(stream)) = timeout(PATIENCE, TcpStream::connect(address)).await {
                Connection::new(stream, conn, address, events.clone(), known).run(waiting).await;
            }
            let _ = events.send(Event::Closed { conn, known: true }).await;
        });
        Some(conn)
    }

    fn enter(&mut self, address: SocketAddr, known: Known) -> (ConnId, mpsc::Receiver<Bytes>) {
        self.last += 1;
        let conn = ConnId(self.last);
        let (queue, waiting) = mpsc::channel(WAITING);
        self.all.insert(conn, Stream { address, queue, known, heard: Instant::now() });
        self.by_address.insert(address, conn);
        *self.by_source.entry(address.ip()).or_insert(0) += 1;
        (conn, waiting)
    }
}

struct Connection {
    stream: TcpStream,
    peer: Peer,
    events: mpsc::Sender<Event>,
    arrived: BytesMut,
    known: Known,
    until: Instant,
    /// Whether `until` is the end of a message that is awaited, and not of silence.
    begun: bool,
}

/// Whether a connection is read on.
enum Then {
    Go,
    Close,
}

impl Connection {
    fn new(stream: TcpStream, conn: ConnId, addr: SocketAddr, events: mpsc::Sender<Event>, known: Known) -> Connection {
        let _ = stream.set_nodelay(true);
        let peer = Peer { addr, carrier: Carrier::Tcp(Some(conn)) };
        let arrived = BytesMut::with_capacity(4096);
        Connection { stream, peer, events, arrived, known, until: Instant::now() + HURRY, begun: true }
    }

    /// Reads and writes until either side has had enough.
    async fn run(mut self, mut waiting: mpsc::Receiver<Bytes>) {
        loop {
            tokio::select! {
                message = waiting.recv() => {
                    let Some(message) = message else { return };
                    if !self.write(&message).await { return }
                    self.stay_if_welcome();
                }
                read = timeout_at(self.until, self.stream.read_buf(&mut self.arrived)) => {
                    let Ok(Ok(1..)) = read else { return };
                    if let Then::Close = self.take_frames().await { return self.write_rest(waiting).await }
                }
            }
        }
    }

    async fn take_frames(&mut self) -> Then {
        loop {
            match next(&self.arrived) {
                Frame::Wait => {
                    self.wait_on();
                    return Then::Go;
                }
                Frame::Blank { bytes, ping } => {
                    self.arrived.advance(bytes);
                    self.begun = false;
                    if ping && !self.write(b"\r\n").await {
                        return Then::Close;
                    }
                }
                Frame::Message { bytes, last } => {
                    let raw = self.arrived.split_to(bytes).freeze();
                    self.begun = false;
                    let gone = self.events.send(Event::Arrived { peer: self.peer, raw }).await.is_err();
                    if last || gone {
                        return Then::Close;
                    }
                }
                Frame::Nonsense => return Then::Close,
            }
        }
    }

    /// Sets the moment of the end. A message that has begun keeps the one that its first bytes set, however slowly the rest drips.
    fn wait_on(&mut self) {
        if self.arrived.is_empty() {
            self.until = Instant::now() + if self.known.get() { IDLE } else { STRANGER_IDLE };
        } else if !self.begun {
            self.until = Instant::now() + HURRY;
        }
        self.begun = !self.arrived.is_empty();
    }

    /// The answer that makes a stranger known comes after the message that earned it.
    fn stay_if_welcome(&mut self) {
        if self.known.get() && !self.begun {
            self.wait_on();
        }
    }

    async fn write(&mut self, message: &[u8]) -> bool {
        matches!(timeout(PATIENCE, self.stream.write_all(message)).await, Ok(Ok(())))
    }

    /// After a message that cannot be framed: its answer still goes out.
    async fn write_rest(mut self, mut waiting: mpsc::Receiver<Bytes>) {
        while let Ok(Some(message)) = timeout(Duration::from_millis(500), waiting.recv()).await {
            if !self.write(&message).await {
                return;
            }
        }
        let _ = self.stream.shutdown().await;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use tokio::net::TcpListener;

    const REGISTER: &[u8] = b"REGISTER sip:c SIP/2.0\r\nContent-Length: 0\r\n\r\n";

    /// A connection whose bytes the test brings itself; the other values keep it open.
    async fn connection() -> (Connection, TcpStream, mpsc::Receiver<Event>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let far = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (near, address) = listener.accept().await.unwrap();
        let (events, arrived) = mpsc::channel(10);
        (Connection::new(near, ConnId(1), address, events, Known::new(false)), far, arrived)
    }

    async fn bring(connection: &mut Connection, bytes: &[u8]) -> Instant {
        connection.arrived.extend_from_slice(bytes);
        assert!(matches!(connection.take_frames().await, Then::Go));
        connection.until
    }

    #[tokio::test]
    async fn a_message_that_drips_has_one_end() {
        let (mut connection, _far, _arrived) = connection().await;
        let first = connection.until;
        assert_eq!([bring(&mut connection, b"REG").await, bring(&mut connection, b"IST").await], [first; 2]);
        let between = bring(&mut connection, &REGISTER[6..]).await;
        assert!(between > first);
        let next = bring(&mut connection, b"R").await;
        assert!(next < between, "the next one is in a hurry too");
        assert_eq!(bring(&mut connection, b"E").await, next);
    }

    #[tokio::test]
    async fn only_the_known_may_be_silent_for_long() {
        let (mut connection, _far, _arrived) = connection().await;
        for bytes in [b"\r\n", REGISTER] {
            let until = bring(&mut connection, bytes).await;
            assert!(until <= Instant::now() + STRANGER_IDLE);
        }
        connection.stay_if_welcome();
        assert!(connection.until <= Instant::now() + STRANGER_IDLE);
        connection.known.0.store(true, Ordering::Relaxed);
        connection.stay_if_welcome();
        assert!(connection.until > Instant::now() + IDLE - STRANGER_IDLE);
    }

    fn address(source: usize, port: usize) -> SocketAddr {
        SocketAddr::from(([198, 51, 100, u8::try_from(source).unwrap()], u16::try_from(port).unwrap()))
    }

    #[test]
    fn the_stranger_that_was_silent_longest_makes_room() {
        let (mut streams, _arrived) = Streams::new();
        let queues: Vec<_> = (0..MOST).map(|n| streams.enter(address(n / MOST_A_SOURCE, n % MOST_A_SOURCE), Known::new(false))).collect();
        let (first, second) = (queues[0].0, queues[1].0);
        streams.heard(first);
        assert!(streams.make_room(address(99, 1).ip()) && streams.all.contains_key(&first) && !streams.all.contains_key(&second));
        assert!(streams.make_room(address(1, 1).ip()) && !streams.all.contains_key(&queues[MOST_A_SOURCE].0), "of its own address");
        streams.all.keys().copied().collect::<Vec<_>>().into_iter().for_each(|conn| streams.welcome(conn));
        assert!(!streams.make_room(address(2, 1).ip()), "nobody is closed who is known");
    }
}
