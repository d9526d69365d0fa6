//! Who may hold a connection, and for how long? A bounded number, each only while it is used: descriptors are for calls first.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, Sleep, sleep};
use tokio_rustls::TlsAcceptor;

use super::wire::Wire;

/// For so many speaks a proxy on this machine, where questions of one address are counted.
const BEHIND_A_PROXY: u32 = 20;

/// What connections may take.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Connections at once; the next waits in the kernel's queue.
    pub all: usize,
    /// Connections of one address at once; the next is closed. This machine itself has no such limit: a TLS proxy on it speaks for everybody.
    pub of_one: usize,
    /// Until the end of the first request's head.
    pub head: Duration,
    /// Without a byte from us. Desks and streams are sent something every few seconds, an answer is there within 30.
    pub quiet: Duration,
}

impl Limits {
    /// An office of a hundred desks may stand behind one address.
    pub const USUAL: Limits = Limits { all: 1_024, of_one: 256, head: Duration::from_secs(10), quiet: Duration::from_secs(60) };
}

/// Who holds a connection.
#[derive(Clone, Debug)]
pub(super) struct Visitor {
    /// From where.
    pub address: SocketAddr,
    /// Whether the connection is TLS, known before its first request; `None` where the door has no certificate.
    secure: Option<Arc<AtomicBool>>,
}

/// A listener that keeps the limits.
pub(super) struct Door {
    listener: TcpListener,
    limits: Limits,
    places: Arc<Semaphore>,
    guests: Guests,
    tls: watch::Receiver<Option<TlsAcceptor>>,
}

/// How many connections each address has.
#[derive(Clone, Default)]
struct Guests(Arc<Mutex<BTreeMap<IpAddr, usize>>>);

/// One connection's share of its address; dropping it gives the share back.
struct Guest {
    guests: Guests,
    address: IpAddr,
}

/// A connection. It ends by itself when it is quiet for too long.
pub(super) struct Connection {
    stream: Wire,
    limits: Limits,
    ends: Pin<Box<Sleep>>,
    /// Line ends that were read in a row, until two of them end the first head.
    head: Option<u8>,
    _place: OwnedSemaphorePermit,
    _guest: Option<Guest>,
}

impl Door {
    /// A door in front of this listener. While there is a certificate both TLS and plain connections come in.
    pub fn new(listener: TcpListener, limits: Limits, tls: watch::Receiver<Option<TlsAcceptor>>) -> Door {
        Door { listener, limits, places: Arc::new(Semaphore::new(limits.all)), guests: Guests::default(), tls }
    }
}

impl Listener for Door {
    type Io = Connection;
    type Addr = Visitor;

    async fn accept(&mut self) -> (Connection, Visitor) {
        loop {
            // Nobody closes the semaphore.
            let Ok(place) = self.places.clone().acquire_owned().await else { return std::future::pending().await };
            let (stream, from) = Listener::accept(&mut self.listener).await;
            let Ok(guest) = self.guests.admit(from.ip(), self.limits.of_one) else {
                metrics::counter!("cityline_web_connections_refused_total").increment(1);
                continue;
            };
            // Small answers must not wait for the other side's delayed ACK; without that they are late, not lost.
            let _ = stream.set_nodelay(true);
            let (limits, ends) = (self.limits, Box::pin(sleep(self.limits.head)));
            let acceptor = self.tls.borrow().clone();
            let secure = acceptor.is_some().then(Arc::<AtomicBool>::default);
            let stream = match (acceptor, &secure) {
                (Some(acceptor), Some(secure)) => Wire::either(stream, acceptor, secure.clone()),
                (None, _) | (_, None) => Wire::Plain(stream),
            };
            let connection = Connection { stream, limits, ends, head: Some(0), _place: place, _guest: guest };
            return (connection, Visitor { address: from, secure });
        }
    }

    fn local_addr(&self) -> io::Result<Visitor> {
        Ok(Visitor { address: self.listener.local_addr()?, secure: None })
    }
}

/// An address has as many connections as it may.
#[derive(Debug)]
struct Full;

impl Guests {
    /// A share for one more connection; none is needed for this machine's own.
    fn admit(&self, from: IpAddr, most: usize) -> Result<Option<Guest>, Full> {
        let address = host_of(from);
        if address.is_loopback() {
            return Ok(None);
        }
        let mut counts = self.lock();
        let count = counts.entry(address).or_default();
        if *count >= most {
            return Err(Full);
        }
        *count += 1;
        Ok(Some(Guest { guests: self.clone(), address }))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut counts = self.guests.lock();
        if let Some(count) = counts.get_mut(&self.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

impl Visitor {
    /// Whether the connection is TLS.
    pub fn is_secure(&self) -> bool {
        self.secure.as_ref().is_some_and(|secure| secure.load(Ordering::Acquire))
    }

    /// Whether somebody from outside speaks plainly although there is a certificate.
    pub fn is_bare(&self) -> bool {
        self.secure.is_some() && !self.is_secure() && !host_of(self.address.ip()).is_loopback()
    }

    /// As whom a visitor is counted, and for how many: behind this machine's own address a TLS proxy speaks for everybody.
    pub fn counted(&self) -> (String, u32) {
        let (host, times) = self.host();
        (host.to_string(), times)
    }

    /// The same by the address: of IPv6 the /64.
    pub fn host(&self) -> (IpAddr, u32) {
        let host = host_of(self.address.ip());
        (host, if host.is_loopback() { BEHIND_A_PROXY } else { 1 })
    }
}

/// What counts as one address: of IPv6 the /64, which one subscriber has whole.
fn host_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) if !v6.is_loopback() => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
        other => other,
    }
}

impl Connection {
    fn may_stay(&mut self, limit: Duration) {
        self.ends.as_mut().reset(Instant::now() + limit);
    }

    /// Whether a byte of these ends the first request's head.
    fn ends_head(&mut self, read: &[u8]) -> bool {
        let Some(ends) = &mut self.head else { return false };
        for byte in read {
            match byte {
                b'\n' => *ends += 1,
                b'\r' => {}
                _ => *ends = 0,
            }
            if *ends == 2 {
                self.head = None;
                return true;
            }
        }
        false
    }

    /// What waits goes on waiting until the connection's time is over.
    fn in_time<T>(&mut self, cx: &mut Context<'_>, done: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if done.is_pending() {
            ready!(self.ends.as_mut().poll(cx));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        done
    }

    fn written(&mut self, cx: &mut Context<'_>, done: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if matches!(done, Poll::Ready(Ok(_))) {
            self.may_stay(self.limits.quiet);
        }
        self.in_time(cx, done)
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let done = Pin::new(&mut this.stream).poll_read(cx, buffer);
        if this.ends_head(buffer.filled().get(before..).unwrap_or_default()) {
            this.may_stay(this.limits.quiet);
        }
        this.in_time(cx, done)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let done = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.written(cx, done)
    }

    fn poll_write_vectored(self: Pin<&mut Self>, cx: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let done = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        this.written(cx, done)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use axum::Router;
    use axum::routing::get;
    use futures_util::FutureExt;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    /// Nothing here takes longer.
    const LIMIT: Duration = Duration::from_secs(10);

    async fn door(limits: Limits) -> (Door, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (Door::new(listener, limits, watch::channel(None).1), address)
    }

    async fn is_answered(stream: &mut TcpStream) -> bool {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: city\r\n\r\n").await.unwrap();
        let mut answer = [0; 1_024];
        let length = tokio::time::timeout(LIMIT, stream.read(&mut answer)).await.expect("an answer").unwrap_or(0);
        answer[..length].starts_with(b"HTTP/1.1 200")
    }

    async fn is_closed(stream: &mut TcpStream) {
        let read = tokio::time::timeout(LIMIT, stream.read(&mut [0; 1_024])).await.expect("it is closed");
        assert!(matches!(read, Ok(0) | Err(_)));
    }

    #[tokio::test]
    async fn who_sends_no_request_is_let_go_and_who_did_stays() {
        let (door, address) = door(Limits { head: Duration::from_millis(200), ..Limits::USUAL }).await;
        let server = tokio::spawn(axum::serve(door, Router::new().route("/", get(|| async { "here" }))).into_future());
        let mut used = TcpStream::connect(address).await.unwrap();
        assert!(is_answered(&mut used).await);
        let [mut idle, mut half] = [TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap()];
        half.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
        is_closed(&mut idle).await;
        is_closed(&mut half).await;
        assert!(is_answered(&mut used).await);
        server.abort();
    }

    #[tokio::test]
    async fn who_lies_quiet_after_an_answer_is_let_go() {
        let (door, address) = door(Limits { quiet: Duration::from_millis(200), ..Limits::USUAL }).await;
        let server = tokio::spawn(axum::serve(door, Router::new().route("/", get(|| async { "here" }))).into_future());
        let mut used = TcpStream::connect(address).await.unwrap();
        assert!(is_answered(&mut used).await);
        is_closed(&mut used).await;
        server.abort();
    }

    #[tokio::test]
    async fn when_every_place_is_taken_the_next_waits() {
        let (mut door, address) = door(Limits { all: 1, ..Limits::USUAL }).await;
        let _guests = [TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap()];
        let first = tokio::time::timeout(LIMIT, door.accept()).await.expect("a place");
        assert!(door.accept().now_or_never().is_none());
        drop(first);
        tokio::time::timeout(LIMIT, door.accept()).await.expect("the place is free again");
    }

    #[test]
    fn who_speaks_plainly_from_outside_is_bare_where_there_is_a_certificate() {
        let visitor = |from: &str, secure: Option<bool>| Visitor {
            address: from.parse().unwrap(),
            secure: secure.map(|secure| Arc::new(AtomicBool::new(secure))),
        };
        assert!(visitor("203.0.113.7:1", Some(false)).is_bare());
        assert!(!visitor("203.0.113.7:1", Some(true)).is_bare() && visitor("203.0.113.7:1", Some(true)).is_secure());
        assert!(!visitor("127.0.0.1:1", Some(false)).is_bare() && !visitor("[::ffff:127.0.0.1]:1", Some(false)).is_bare());
        assert!(!visitor("203.0.113.7:1", None).is_bare(), "a proxy in front may speak TLS");
    }

    #[test]
    fn one_address_has_its_share_and_this_machine_is_not_counted() {
        let guests = Guests::default();
        let admit = |from: &str| guests.admit(from.parse().unwrap(), 2);
        let held = [admit("203.0.113.7").unwrap(), admit("::ffff:203.0.113.7").unwrap()];
        assert!(admit("203.0.113.7").is_err() && admit("203.0.113.8").is_ok());
        drop(held);
        assert!(admit("203.0.113.7").is_ok());
        let _network = [admit("2001:db8::1").unwrap(), admit("2001:db8::2").unwrap()];
        assert!(admit("2001:db8::3").is_err() && admit("2001:db8:0:1::1").is_ok());
        assert!(["127.0.0.1", "127.0.0.1", "127.0.0.1", "::1"].iter().all(|own| admit(own).unwrap().is_none()));
    }
}
