//! Which TCP connections are up? One task each reads and writes it; what they may hold is bounded.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use super::frame::{Frame, next};
use super::peer::{Carrier, ConnId, Peer};

/// Connections at most; a further one is closed at once.
const MOST: usize = 2048;
/// Connections from one address at most.
const MOST_A_SOURCE: usize = 256;
/// Messages that may wait for a slow reader; when there are more, its connection is closed.
const WAITING: usize = 128;
/// Messages of all connections that may wait for us; when there are more, connections wait and TCP slows the senders.
const ARRIVED: usize = 1024;
/// A connection must bring its first message, and the rest of a message that has begun, within this.
const HURRY: Duration = Duration::from_secs(20);
/// A connection on which nothing comes for longer is closed; above the longest registration.
const IDLE: Duration = Duration::from_secs(2 * 3600);
/// How long a connection may take to be made, and a write to be taken.
const PATIENCE: Duration = Duration::from_secs(5);

/// What connections report.
pub enum Event {
    /// One message, or what stands in place of one.
    Arrived { peer: Peer, raw: Bytes },
    /// It is gone.
    Closed { conn: ConnId },
}

/// All connections.
pub struct Streams {
    all: HashMap<ConnId, (SocketAddr, mpsc::Sender<Bytes>)>,
    by_address: HashMap<SocketAddr, ConnId>,
    by_source: HashMap<IpAddr, usize>,
    events: mpsc::Sender<Event>,
    last: u64,
}

impl Streams {
    /// No connection yet, and the end where their events come out.
    pub fn new() -> (Streams, mpsc::Receiver<Event>) {
        let (events, arrived) = mpsc::channel(ARRIVED);
        (Streams { all: HashMap::new(), by_address: HashMap::new(), by_source: HashMap::new(), events, last: 0 }, arrived)
    }

    /// Takes a connection that came in, or closes it when there are too many.
    pub fn accept(&mut self, stream: TcpStream, address: SocketAddr) {
        if self.all.len() >= MOST || self.by_source.get(&address.ip()).is_some_and(|count| *count >= MOST_A_SOURCE) {
            metrics::counter!("cityline_sip_connections_refused_total").increment(1);
            return;
        }
        let (conn, waiting) = self.enter(address);
        let events = self.events.clone();
        tokio::spawn(async move {
            Connection::new(stream, conn, address, events.clone()).run(waiting).await;
            let _ = events.send(Event::Closed { conn }).await;
        });
    }

    /// Sends over the connection that is named, over another one to the same address, or over a new one.
    pub fn send(&mut self, peer: Peer, message: Bytes) {
        let named = match peer.carrier {
            Carrier::Tcp(Some(conn)) if self.all.contains_key(&conn) => Some(conn),
            _ => self.by_address.get(&peer.addr).copied(),
        };
        let Some(conn) = named.or_else(|| self.connect(peer.addr)) else { return };
        let slow = self.all.get(&conn).is_some_and(|(_, queue)| queue.try_send(message).is_err());
        if slow {
            metrics::counter!("cityline_sip_slow_connections_total").increment(1);
            self.forget(conn);
        }
    }

    /// Forgets a connection; its task ends once its queue is gone.
    pub fn forget(&mut self, conn: ConnId) {
        let Some((address, _)) = self.all.remove(&conn) else { return };
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
        if self.all.len() >= MOST {
            return None;
        }
        let (conn, waiting) = self.enter(address);
        let events = self.events.clone();
        tokio::spawn(async move {
            if let Ok(Ok(stream)) = timeout(PATIENCE, TcpStream::connect(address)).await {
                Connection::new(stream, conn, address, events.clone()).run(waiting).await;
            }
            let _ = events.send(Event::Closed { conn }).await;
        });
        Some(conn)
    }

    fn enter(&mut self, address: SocketAddr) -> (ConnId, mpsc::Receiver<Bytes>) {
        self.last += 1;
        let conn = ConnId(self.last);
        let (queue, waiting) = mpsc::channel(WAITING);
        self.all.insert(conn, (address, queue));
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
    until: Instant,
}

/// Whether a connection is read on.
enum Then {
    Go,
    Close,
}

impl Connection {
    fn new(stream: TcpStream, conn: ConnId, addr: SocketAddr, events: mpsc::Sender<Event>) -> Connection {
        let _ = stream.set_nodelay(true);
        let peer = Peer { addr, carrier: Carrier::Tcp(Some(conn)) };
        Connection { stream, peer, events, arrived: BytesMut::with_capacity(4096), until: Instant::now() + HURRY }
    }

    /// Reads and writes until either side has had enough.
    async fn run(mut self, mut waiting: mpsc::Receiver<Bytes>) {
        loop {
            tokio::select! {
                message = waiting.recv() => {
                    let Some(message) = message else { return };
                    if !self.write(&message).await { return }
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
                    let patience = if self.arrived.is_empty() { IDLE } else { HURRY };
                    self.until = Instant::now() + patience;
                    return Then::Go;
                }
                Frame::Blank { bytes, ping } => {
                    self.arrived.advance(bytes);
                    if ping && !self.write(b"\r\n").await {
                        return Then::Close;
                    }
                }
                Frame::Message { bytes, last } => {
                    let raw = self.arrived.split_to(bytes).freeze();
                    let gone = self.events.send(Event::Arrived { peer: self.peer, raw }).await.is_err();
                    if last || gone {
                        return Then::Close;
                    }
                }
                Frame::Nonsense => return Then::Close,
            }
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
