//! How does a bad network feel? A relay for UDP whose losses, delays and repetitions follow a seed.
//!
//! Every port that is opened forwards to one target; every sender behind it gets a socket of its own towards the target, so that
//! answers find back. What comes in at a port has one row of fates, the answers to each sender have another. A port for SIP also
//! rewrites what passes, so that the rest of the dialog and its sound go by the relay too.

mod signalling;
mod weather;

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use cityline_phone::agenda::Agenda;
use cityline_phone::sys::{self, Poller};

pub use weather::{Fate, Impairment, Ways, Weather};

/// Packets that are on their way at once; more are lost, and counted.
const MOST_HELD: usize = 20_000;
/// Senders behind one relay; packets of more are lost, and counted.
const MOST_SENDERS: usize = 4_000;
/// Bytes that a socket holds.
const SOCKET_BYTES: usize = 1 << 20;
/// Ports of a call's sound are closed when nothing has passed for so long.
const MEDIA_IDLE: Duration = Duration::from_secs(30);
/// Pairs of ports that are tried for one stream.
const PAIRS_TRIED: usize = 64;
/// Longest sleep: a new port and the end are seen so soon.
const TURN: Duration = Duration::from_millis(50);

/// What happened to the packets of both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub taken: u64,
    pub lost: u64,
    pub doubled: u64,
    /// Lost because the relay held too much, or had no port for another sender.
    pub overflowed: u64,
    /// Lost because they came to a socket towards a target, and not from there.
    pub strange: u64,
}

/// A relay with a thread of its own; dropping it closes its ports.
pub struct Relay {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    open: AtomicBool,
    host: Ipv4Addr,
    ways: Ways,
    seed: u64,
    ports: AtomicU64,
    /// Ports that the thread has not taken yet.
    waiting: Mutex<Vec<Port>>,
    counts: [AtomicU64; 5],
}

/// One socket of the relay.
struct Port {
    socket: UdpSocket,
    role: Role,
    weather: Weather,
    kind: Kind,
    used: Instant,
}

/// What passes a port.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Whatever it is.
    Any,
    /// SIP.
    Signalling,
    /// A stream of a call whose signalling passes; `back` if its target is on the senders' side of that.
    Media { back: bool },
}

enum Role {
    /// Senders come here; each is known by the token of its own socket towards the target.
    Front { target: SocketAddrV4, senders: HashMap<SocketAddrV4, u64>, number: u64 },
    /// What the target answers to one sender goes out of the front.
    Back { front: u64, sender: SocketAddrV4 },
}

/// The two ports by which a stream's sound and its reports go; the first one's address.
struct Pair {
    by: SocketAddrV4,
    tokens: [u64; 2],
}

/// A packet on its way: out of that socket, to that address.
struct Held {
    token: u64,
    to: SocketAddrV4,
    bytes: Vec<u8>,
}

impl Relay {
    /// Starts a relay whose ports are on that address.
    ///
    /// # Errors
    /// When the system gives no epoll instance or thread.
    pub fn start(host: Ipv4Addr, ways: impl Into<Ways>, seed: u64) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            open: AtomicBool::new(true),
            host,
            ways: ways.into(),
            seed,
            ports: AtomicU64::new(0),
            waiting: Mutex::new(Vec::new()),
            counts: Default::default(),
        });
        let mut carrier = Carrier::new(Arc::clone(&shared))?;
        let thread = std::thread::Builder::new().name("relay".to_owned()).spawn(move || carrier.run())?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Opens a port (0: one of the system's choice) that forwards to a target, and gives its address.
    ///
    /// # Errors
    /// When the port is busy.
    pub fn open(&self, port: u16, target: SocketAddrV4) -> io::Result<SocketAddrV4> {
        self.front(port, target, Kind::Any)
    }

    /// Opens a port for SIP to a target: the requests that follow in a dialog, and the sound, go by the relay in both directions as well.
    ///
    /// # Errors
    /// When the port is busy.
    pub fn open_signalling(&self, port: u16, target: SocketAddrV4) -> io::Result<SocketAddrV4> {
        self.front(port, target, Kind::Signalling)
    }

    fn front(&self, port: u16, target: SocketAddrV4, kind: Kind) -> io::Result<SocketAddrV4> {
        let host = self.shared.host;
        let socket = sys::bind_udp(SocketAddrV4::new(host, port), SOCKET_BYTES)?;
        let port = socket.local_addr()?.port();
        let number = self.shared.ports.fetch_add(1, Ordering::Relaxed);
        let role = Role::Front { target, senders: HashMap::new(), number };
        let port_of = Port { socket, role, weather: self.shared.weather(number, 0, true), kind, used: Instant::now() };
        self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(port_of);
        Ok(SocketAddrV4::new(host, port))
    }

    /// What happened so far.
    pub fn counts(&self) -> Counts {
        let [taken, lost, doubled, overflowed, strange] = self.shared.counts.each_ref().map(|count| count.load(Ordering::Relaxed));
        Counts { taken, lost, doubled, overflowed, strange }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.open.store(false, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// The row of fates for the n-th port and its n-th stream, towards the target or from there.
    fn weather(&self, port: u64, stream: u64, to_target: bool) -> Weather {
        let impairment = if to_target { self.ways.to_target } else { self.ways.from_target };
        Weather::new(impairment, self.seed ^ port << 32 ^ stream << 1)
    }

    fn count(&self, which: usize) {
        if let Some(count) = self.counts.get(which) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// What the thread holds.
struct Carrier {
    shared: Arc<Shared>,
    poller: Poller,
    ports: HashMap<u64, Port>,
    count: u64,
    held: Agenda<Held>,
    held_count: usize,
    /// By which port a stream's address is reached.
    media: HashMap<SocketAddrV4, Pair>,
    swept: Instant,
}

impl Carrier {
    fn new(shared: Arc<Shared>) -> io::Result<Self> {
        Ok(Self {
            shared,
            poller: Poller::new()?,
            ports: HashMap::new(),
            count: 0,
            held: Agenda::default(),
            held_count: 0,
            media: HashMap::new(),
            swept: Instant::now(),
        })
    }

    fn run(&mut self) {
        while self.shared.open.load(Ordering::Relaxed) {
            let new = std::mem::take(&mut *self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner));
            for port in new {
                // A port that cannot be watched loses all its packets: what a relay may do.
                let _ = self.watch(port);
            }
            let now = Instant::now();
            let limit = self.held.next().map_or(TURN, |due| due.saturating_duration_since(now).min(TURN));
            let ready: Vec<u64> = self.poller.wait(limit).collect();
            ready.into_iter().for_each(|token| self.take(token));
            self.release(Instant::now());
            self.sweep(Instant::now());
        }
    }

    /// Closes what calls that are over have left.
    fn sweep(&mut self, now: Instant) {
        if now.duration_since(self.swept) < MEDIA_IDLE / 10 {
            return;
        }
        self.swept = now;
        let paired: HashSet<u64> = self.media.values().filter(|pair| self.is_used(pair, now)).flat_map(|pair| pair.tokens).collect();
        self.ports.retain(|token, port| {
            !matches!(port.kind, Kind::Media { .. }) || paired.contains(token) || now.duration_since(port.used) < MEDIA_IDLE
        });
        self.media.retain(|_, pair| pair.tokens.iter().all(|token| self.ports.contains_key(token)));
        let ports = &self.ports;
        let gone: Vec<(u64, SocketAddrV4)> = ports.iter().flat_map(|(token, port)| gone_senders(ports, *token, port)).collect();
        for (token, sender) in gone {
            if let Some(Port { role: Role::Front { senders, .. }, .. }) = self.ports.get_mut(&token) {
                senders.remove(&sender);
            }
        }
    }

    /// Whether either port of a pair is in use: the sound of a call keeps the way of its reports open.
    fn is_used(&self, pair: &Pair, now: Instant) -> bool {
        pair.tokens.iter().filter_map(|token| self.ports.get(token)).any(|port| now.duration_since(port.used) < MEDIA_IDLE)
    }

    fn watch(&mut self, port: Port) -> Option<u64> {
        self.count += 1;
        self.poller.watch(&port.socket, self.count).ok()?;
        self.ports.insert(self.count, port);
        Some(self.count)
    }

    fn take(&mut self, token: u64) {
        let mut buffer = [0; 64 * 1024];
        while let Some(port) = self.ports.get(&token) {
            let Some(arrival) = sys::receive(&port.socket, &mut buffer) else { return };
            let bytes = buffer.get(..arrival.length).unwrap_or_default();
            self.shared.count(0);
            self.forward(token, arrival.from, bytes);
        }
    }

    fn forward(&mut self, token: u64, from: SocketAddrV4, bytes: &[u8]) {
        let Some((by, out, to)) = self.way(token, from) else { return };
        let now = Instant::now();
        for token in [by, out] {
            if let Some(port) = self.ports.get_mut(&token) {
                port.used = now;
            }
        }
        let Some(port) = self.ports.get_mut(&by) else { return };
        let (fate, kind) = (port.weather.next_fate(), port.kind);
        let rewritten = if kind == Kind::Signalling { self.rewritten(token, out, bytes) } else { None };
        let bytes = rewritten.as_deref().unwrap_or(bytes);
        match fate.first {
            None => self.shared.count(1),
            Some(delay) => self.hold(out, to, bytes, delay),
        }
        if let Some(delay) = fate.second {
            self.shared.count(2);
            self.hold(out, to, bytes, delay);
        }
    }

    /// Whether that is the target of this front: a socket towards it takes nothing from others. Its number may have been somebody's port a
    /// moment ago, and what is still sent there would pass for the target's.
    fn answers(&self, front: u64, from: SocketAddrV4) -> bool {
        matches!(self.ports.get(&front), Some(Port { role: Role::Front { target, .. }, .. }) if *target == from)
    }

    /// Whose weather decides, out of which socket, and to whom: a front's row of fates for all that comes in, a back's for the answers.
    /// `None`, and counted, for what has no way: it comes from a stranger, or there is no room for another sender.
    fn way(&mut self, token: u64, from: SocketAddrV4) -> Option<(u64, u64, SocketAddrV4)> {
        let port = self.ports.get(&token)?;
        let kind = port.kind;
        let (target, number, known, count) = match &port.role {
            Role::Back { front, sender } if self.answers(*front, from) => return Some((token, *front, *sender)),
            Role::Back { .. } => {
                self.shared.count(4);
                return None;
            }
            Role::Front { target, senders, number } => (*target, *number, senders.get(&from).copied(), senders.len()),
        };
        if let Some(back) = known {
            return Some((token, back, target));
        }
        let socket = if count < MOST_SENDERS { sys::bind_udp(SocketAddrV4::new(self.shared.host, 0), SOCKET_BYTES).ok() } else { None };
        let Some(socket) = socket else {
            self.shared.count(3);
            return None;
        };
        let weather = self.shared.weather(number, count as u64 + 1, kind == Kind::Media { back: true });
        let back = self.watch(Port { socket, role: Role::Back { front: token, sender: from }, weather, kind, used: Instant::now() })?;
        if let Some(Port { role: Role::Front { senders, .. }, .. }) = self.ports.get_mut(&token) {
            senders.insert(from, back);
        }
        Some((token, back, target))
    }

    /// A SIP message that came in at `token` and leaves by `out`, as the one who gets it must read it.
    fn rewritten(&mut self, token: u64, out: u64, bytes: &[u8]) -> Option<Vec<u8>> {
        let to_target = matches!(self.ports.get(&token)?.role, Role::Front { .. });
        let (front, back) = if to_target { (token, out) } else { (out, token) };
        let Role::Front { target, .. } = self.ports.get(&front)?.role else { return None };
        let Role::Back { sender, .. } = self.ports.get(&back)?.role else { return None };
        let (front, back) = (self.address(front)?, self.address(back)?);
        let swaps = if to_target { [(front, target), (sender, back)] } else { [(target, front), (back, sender)] };
        signalling::rewrite(bytes, &swaps, |media| self.media_by(media, to_target))
    }

    fn address(&self, token: u64) -> Option<SocketAddrV4> {
        let port = self.ports.get(&token)?.socket.local_addr().ok()?.port();
        Some(SocketAddrV4::new(self.shared.host, port))
    }

    /// By which port of the relay a stream's address is reached: a pair, for RTP and RTCP. `back`: the address is on the senders' side.
    fn media_by(&mut self, target: SocketAddrV4, back: bool) -> Option<SocketAddrV4> {
        if let Some(Pair { by, tokens }) = self.media.get(&target) {
            // A call is about to speak over it: what the pair has idled before counts no more.
            for token in tokens {
                self.ports.get_mut(token).into_iter().for_each(|port| port.used = Instant::now());
            }
            return Some(*by);
        }
        let host = self.shared.host;
        let (rtp, rtcp) = (0..PAIRS_TRIED).find_map(|_| pair(host))?;
        let by = SocketAddrV4::new(host, rtp.local_addr().ok()?.port());
        let of_reports = SocketAddrV4::new(*target.ip(), target.port().saturating_add(1));
        let mut open = |socket, target| {
            let number = self.shared.ports.fetch_add(1, Ordering::Relaxed);
            let role = Role::Front { target, senders: HashMap::new(), number };
            let weather = self.shared.weather(number, 0, !back);
            self.watch(Port { socket, role, weather, kind: Kind::Media { back }, used: Instant::now() })
        };
        let tokens = [open(rtp, target)?, open(rtcp, of_reports)?];
        self.media.insert(target, Pair { by, tokens });
        Some(by)
    }

    fn hold(&mut self, token: u64, to: SocketAddrV4, bytes: &[u8], delay: Duration) {
        if delay.is_zero() {
            return self.send(token, to, bytes);
        }
        if self.held_count >= MOST_HELD {
            return self.shared.count(3);
        }
        self.held_count += 1;
        self.held.put(Instant::now() + delay, Held { token, to, bytes: bytes.to_vec() });
    }

    fn release(&mut self, now: Instant) {
        while let Some(Held { token, to, bytes }) = self.held.due(now) {
            self.held_count -= 1;
            self.send(token, to, &bytes);
        }
    }

    fn send(&self, token: u64, to: SocketAddrV4, bytes: &[u8]) {
        if let Some(port) = self.ports.get(&token) {
            let _ = port.socket.send_to(bytes, to);
        }
    }
}

/// An even port and the one above it.
fn pair(host: Ipv4Addr) -> Option<(UdpSocket, UdpSocket)> {
    let rtp = sys::bind_udp(SocketAddrV4::new(host, 0), SOCKET_BYTES).ok()?;
    let port = rtp.local_addr().ok()?.port();
    let above = port.checked_add(1).filter(|_| port % 2 == 0)?;
    Some((rtp, sys::bind_udp(SocketAddrV4::new(host, above), SOCKET_BYTES).ok()?))
}

/// Senders of a front whose own sockets are closed.
fn gone_senders(ports: &HashMap<u64, Port>, token: u64, port: &Port) -> Vec<(u64, SocketAddrV4)> {
    match &port.role {
        Role::Back { .. } => Vec::new(),
        Role::Front { senders, .. } => {
            senders.iter().filter(|(_, back)| !ports.contains_key(back)).map(|(sender, _)| (token, *sender)).collect()
        }
    }
}
