//! Which TCP and TLS connections are up? One task each reads and writes it; what they may hold, and how long a stranger may, is bounded.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use futures_util::FutureExt;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::frame::{Frame, next};
use super::peer::{Carrier, ConnId, Peer};
use super::tls::Tls;

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
/// How long a connection may take to be made, a handshake of ours to be done, and a write to be taken.
const PATIENCE: Duration = Duration::from_secs(5);
/// A TLS handshake that a far end began must be done within this. Until then it holds one of the stranger's places above.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Names that addresses are known by, for their certificates; when there are more, all are forgotten and learnt again.
const MOST_NAMES: usize = 1024;

/// What connections report.
pub enum Event {
    /// One message, or what stands in place of one.
    Arrived { peer: Peer, raw: Bytes },
    /// It is gone, or could not be made. A stranger's carried nothing of ours.
    Closed { peer: Peer, known: bool },
}

/// All connections.
pub struct Streams {
    all: HashMap<ConnId, Stream>,
    /// The youngest connection to each far end, which names no connection here.
    by_address: HashMap<Peer, ConnId>,
    by_source: HashMap<IpAddr, usize>,
    tls: Tls,
    names: HashMap<SocketAddr, ServerName<'static>>,
    events: mpsc::Sender<Event>,
    last: u64,
}

struct Stream {
    /// Its far end, which names no connection here.
    peer: Peer,
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
    pub fn new(tls: Tls) -> (Streams, mpsc::Receiver<Event>) {
        let (events, arrived) = mpsc::channel(ARRIVED);
        let (all, by_address, by_source, names) = (HashMap::new(), HashMap::new(), HashMap::new(), HashMap::new());
        (Streams { all, by_address, by_source, tls, names, events, last: 0 }, arrived)
    }

    /// Takes other certificates for connections from here on.
    pub fn secure_with(&mut self, tls: Tls) {
        self.tls = tls;
    }

    /// The name that the certificate at an address must have; the address itself where none was told.
    pub fn call_by(&mut self, address: SocketAddr, name: &str) {
        let Ok(name) = ServerName::try_from(name.to_owned()) else { return };
        if self.names.len() >= MOST_NAMES {
            self.names.clear();
        }
        self.names.insert(address, name);
    }

    /// Takes a connection that came in, or closes it when there are too many. `known`: it is of a trunk's address.
    pub fn accept(&mut self, stream: TcpStream, from: Peer, known: bool) {
        if !self.make_room(from.addr.ip()) {
            metrics::counter!("cityline_sip_connections_refused_total").increment(1);
            return;
        }
        let acceptor = self.tls.server.clone();
        let entry = self.enter(from, Known::new(known));
        entry.spawn(move |entry| async move {
            let _ = stream.set_nodelay(true);
            match from.carrier {
                Carrier::Tls(_) => entry.serve_secure(stream, acceptor).await,
                Carrier::Udp | Carrier::Tcp(_) => entry.serve(stream).await,
            }
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
            return self.evict(|stream| stream.peer.addr.ip() == source);
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
        let unbound = Peer { carrier: peer.carrier.unbound(), ..peer };
        let named = peer.conn().filter(|conn| self.all.contains_key(conn)).or_else(|| self.by_address.get(&unbound).copied());
        let Some(conn) = named.or_else(|| self.connect(unbound)) else { return };
        let slow = self.all.get(&conn).is_some_and(|stream| stream.queue.try_send(message).is_err());
        if slow {
            metrics::counter!("cityline_sip_slow_connections_total").increment(1);
            self.forget(conn);
        }
    }

    /// Forgets a connection; its task ends once its queue is gone.
    pub fn forget(&mut self, conn: ConnId) {
        let Some(Stream { peer, .. }) = self.all.remove(&conn) else { return };
        if self.by_address.get(&peer) == Some(&conn) {
            self.by_address.remove(&peer);
        }
        if let Some(count) = self.by_source.get_mut(&peer.addr.ip()) {
            *count -= 1;
            if *count == 0 {
                self.by_source.remove(&peer.addr.ip());
            }
        }
    }

    fn connect(&mut self, to: Peer) -> Option<ConnId> {
        if self.all.len() >= MOST && !self.evict(|_| true) {
            return None;
        }
        let connector = self.tls.client.clone();
        let name = self.names.get(&to.addr).cloned().unwrap_or_else(|| ServerName::IpAddress(to.addr.ip().into()));
        let entry = self.enter(to, Known::new(true));
        let conn = entry.peer.conn();
        entry.spawn(move |entry| async move {
            let Ok(Ok(stream)) = timeout(PATIENCE, TcpStream::connect(to.addr)).await else { return entry.close().await };
            let _ = stream.set_nodelay(true);
            match to.carrier {
                Carrier::Tls(_) => entry.call_secure(stream, connector, name).await,
                Carrier::Udp | Carrier::Tcp(_) => entry.serve(stream).await,
            }
        });
        conn
    }

    fn enter(&mut self, peer: Peer, known: Known) -> Entry {
        self.last += 1;
        let conn = ConnId(self.last);
        let (queue, waiting) = mpsc::channel(WAITING);
        self.all.insert(conn, Stream { peer, queue, known: known.clone(), heard: Instant::now() });
        self.by_address.insert(peer, conn);
        *self.by_source.entry(peer.addr.ip()).or_insert(0) += 1;
        Entry { peer: Peer { carrier: peer.carrier.over(conn), ..peer }, known, waiting, events: self.events.clone() }
    }
}

/// A connection's own end of what [`Streams`] knows of it.
struct Entry {
    peer: Peer,
    known: Known,
    waiting: mpsc::Receiver<Bytes>,
    events: mpsc::Sender<Event>,
}

impl Entry {
    /// Starts what serves the connection. Should that panic, the connection is over like any other.
    fn spawn<S: Future<Output = ()> + Send + 'static>(self, serve: impl FnOnce(Entry) -> S) {
        let (peer, known, events) = (self.peer, self.known.clone(), self.events.clone());
        let serving = AssertUnwindSafe(serve(self)).catch_unwind();
        tokio::spawn(async move {
            if serving.await.is_err() {
                metrics::counter!("cityline_sip_connections_poisoned_total").increment(1);
                tracing::error!("serving a connection panicked: it is closed, please report this");
                let _ = events.send(Event::Closed { peer, known: known.get() }).await;
            }
        });
    }

    async fn serve(self, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let Entry { peer, known, waiting, events } = self;
        Connection::new(stream, peer, events.clone(), known.clone()).run(waiting).await;
        let _ = events.send(Event::Closed { peer, known: known.get() }).await;
    }

    async fn serve_secure(self, stream: TcpStream, acceptor: Option<TlsAcceptor>) {
        let Some(acceptor) = acceptor else { return self.close().await };
        match timeout(HANDSHAKE, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => self.serve(stream).await,
            Ok(Err(_)) | Err(_) => {
                metrics::counter!("cityline_sip_handshakes_failed_total", "side" => "server").increment(1);
                self.close().await;
            }
        }
    }

    async fn call_secure(self, stream: TcpStream, connector: Option<TlsConnector>, name: ServerName<'static>) {
        let Some(connector) = connector else {
            tracing::warn!("TLS to {}: nobody is trusted; name a file of certificates under sip.trusted", self.peer.addr);
            return self.close().await;
        };
        match timeout(PATIENCE, connector.connect(name, stream)).await {
            Ok(Ok(stream)) => return self.serve(stream).await,
            Ok(Err(error)) => tracing::warn!("TLS to {}: {error}; see that sip.trusted holds who signed its certificate", self.peer.addr),
            Err(_) => tracing::warn!("TLS to {}: no handshake within {} s", self.peer.addr, PATIENCE.as_secs()),
        }
        metrics::counter!("cityline_sip_handshakes_failed_total", "side" => "client").increment(1);
        self.close().await;
    }

    async fn close(self) {
        let _ = self.events.send(Event::Closed { peer: self.peer, known: self.known.get() }).await;
    }
}

struct Connection<S> {
    stream: S,
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

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    fn new(stream: S, peer: Peer, events: mpsc::Sender<Event>, known: Known) -> Connection<S> {
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
        let write = async {
            self.stream.write_all(message).await?;
            self.stream.flush().await
        };
        matches!(timeout(PATIENCE, write).await, Ok(Ok(())))
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
    async fn connection() -> (Connection<TcpStream>, TcpStream, mpsc::Receiver<Event>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let far = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (near, address) = listener.accept().await.unwrap();
        let (events, arrived) = mpsc::channel(10);
        let peer = Peer { addr: address, carrier: Carrier::Tcp(Some(ConnId(1))) };
        (Connection::new(near, peer, events, Known::new(false)), far, arrived)
    }

    async fn bring(connection: &mut Connection<TcpStream>, bytes: &[u8]) -> Instant {
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

    fn peer(source: usize, port: usize) -> Peer {
        let addr = SocketAddr::from(([198, 51, 100, u8::try_from(source).unwrap()], u16::try_from(port).unwrap()));
        Peer { addr, carrier: Carrier::Tcp(None) }
    }

    #[test]
    fn the_stranger_that_was_silent_longest_makes_room() {
        let (mut streams, _arrived) = Streams::new(Tls::default());
        let entries: Vec<_> = (0..MOST).map(|n| streams.enter(peer(n / MOST_A_SOURCE, n % MOST_A_SOURCE), Known::new(false))).collect();
        let conn = |n: usize| entries[n].peer.conn().unwrap();
        let (first, second) = (conn(0), conn(1));
        streams.heard(first);
        assert!(streams.make_room(peer(99, 1).addr.ip()) && streams.all.contains_key(&first) && !streams.all.contains_key(&second));
        assert!(streams.make_room(peer(1, 1).addr.ip()) && !streams.all.contains_key(&conn(MOST_A_SOURCE)), "of its own address");
        streams.all.keys().copied().collect::<Vec<_>>().into_iter().for_each(|conn| streams.welcome(conn));
        assert!(!streams.make_room(peer(2, 1).addr.ip()), "nobody is closed who is known");
    }
}
