//! How does signalling reach the world? One task owns the sockets and all state: bytes, orders and moments go in, bytes come out.
//!
//! In reading order: `guard` judges bytes (`message`, `uri` read them), `exchange` turns them into reports and answers, with one file
//! a topic (`inbound`, `phone_call`, `replaces`, `outbound`, `redirect`, `reliable`, `midcall`, `renegotiate`, `update`, `transfer`, `ending`, `registrar`); `trunk` with `health`,
//! `registration`, `failover` and `upkeep` are the lines to carriers, `identity` and `numbers` say who calls, `names`, `resolve` and `srv` where a
//! host is; `servers`, `clients` and `timers` are the transactions of RFC 3261 §17; `dialog` is what a call must remember, `negotiate` whose turn
//! it is, `session` how long that is good; `streams`, `frame` and `tls` are TCP and TLS.
//!
//! Messages and transactions are our own, and rsipstack is the second parser of the tests, because of what its 0.7.14 does with both.
//! Its parser takes method names in any case, splits a user part at its first `;`, writes URIs back changed (a remote target must go back
//! byte for byte), refuses a Via of an unknown transport, and takes the last of two Content-Lengths; behind a strict guard each message
//! would be read twice, by two readers that disagree. Its transactions are a task and an unbounded channel each, all lists of pending
//! ACKs are scanned whenever one ends, and its receive loop is serial. One state machine without IO answers in 70 to 90 µs a call,
//! is tested in virtual time, bounds every table, and keeps the dialog in a form that outlives the process.

mod calling;
mod challenge;
mod clients;
mod dialog;
mod digest;
mod diversion;
mod ending;
mod exchange;
mod failover;
mod frame;
mod guard;
mod health;
mod identity;
mod inbound;
mod legs;
mod message;
mod midcall;
mod names;
mod negotiate;
mod numbers;
mod outbound;
mod peer;
mod persist;
mod phone_call;
mod rate;
mod redirect;
mod registrar;
mod registration;
mod reliable;
mod renegotiate;
mod replaces;
mod reply;
mod resolve;
mod secure;
mod servers;
mod session;
mod srv;
#[cfg(test)]
mod stories;
mod streams;
mod timers;
mod tls;
mod transfer;
mod trunk;
mod unsent;
mod update;
mod upkeep;
mod uri;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::caller::{CallerKey, CallerSeen};
use crate::centre::ids::{AgentId, ContactId, LegId};
use crate::centre::output::ToLine;
use crate::clock::Clock;
use crate::config;
use crate::lanes::Inputs;
use crate::number_book::NumberBook;
use crate::sdp_book::SdpBook;
use crate::vitals::{Part, Pulse, Vitals};

use dialog::Own;
use exchange::{Exchange, Links};
use names::{Answer, Place};
use peer::{Carrier, Peer};
use registrar::Registrar;
use resolve::Resolved;
use streams::{Event, Streams};
use tls::Tls;

pub use persist::Survivors;
pub use registrar::PhoneAccount;
pub use tls::TlsError;

/// Orders that may wait for the task; when there are more, [`SipShell::carry_out`] says so and the core loses the leg.
const ORDERS: usize = 16_384;
/// Orders, datagrams or stream events that are taken in one turn before the others get theirs.
const BATCH: usize = 64;
/// The socket's receive buffer that is asked for, in bytes: some 10,000 INVITEs.
const RECEIVE_BUFFER: usize = 16 * 1024 * 1024;
/// The longest datagram, in bytes.
const LONGEST_DATAGRAM: usize = 65_535;

/// Everything that signalling is made of.
pub struct SipParts {
    /// Addresses, realm, limits.
    pub config: config::Sip,
    /// Lines into the city's exchange.
    pub trunks: BTreeMap<String, config::Trunk>,
    /// Who may register a phone.
    pub phones: Vec<PhoneAccount>,
    /// To the engine.
    pub inputs: Inputs,
    /// Session descriptions, shared with media.
    pub sdps: SdpBook,
    /// Hashes numbers.
    pub caller_key: CallerKey,
    /// Numbers with their references, to the store. When it is full, new calls get 503.
    pub callers: mpsc::Sender<CallerSeen>,
    /// Numbers outside that the core knows by their references.
    pub numbers: NumberBook,
    /// Time.
    pub clock: Clock,
    /// Where it is missed when it ends or hangs.
    pub vitals: Vitals,
    /// The next call's id; the caller of [`start`] sets it above all that were ever used.
    pub next_call: Arc<AtomicU64>,
}

/// Signalling could not start.
#[derive(Debug, thiserror::Error)]
pub enum SipError {
    /// A socket could not be had.
    #[error("{key} = \"{address}\": {cause}; {mend}")]
    Listen {
        /// The key of the settings.
        key: &'static str,
        /// Its value.
        address: SocketAddr,
        /// What the system said.
        cause: io::Error,
        /// What to do about it.
        mend: &'static str,
    },
    /// A certificate or key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The system gave no random bytes.
    #[error("no random bytes for the digest's key: {0}; see that /dev/urandom can be read")]
    Random(getrandom::Error),
}

/// The running signalling.
pub struct SipShell {
    orders: mpsc::Sender<ToLine>,
    changes: mpsc::Sender<Change>,
    udp: Option<SocketAddr>,
    tcp: Option<SocketAddr>,
    tls: Option<SocketAddr>,
    /// Every phone's contacts at the start.
    contacts: Vec<(AgentId, Vec<ContactId>)>,
    task: JoinHandle<()>,
}

/// New settings.
enum Change {
    Trunks(BTreeMap<String, config::Trunk>),
    Phones(Vec<PhoneAccount>),
    Tls(Tls),
}

/// Too many changes wait; nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("signalling is too busy to take new settings: reload again in a moment")]
pub struct Busy;

/// Other certificates are not in force; those before them are.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// They cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// They must wait.
    #[error(transparent)]
    Busy(#[from] Busy),
}

/// Whether the certificates of the settings can be used.
pub fn check_tls(config: &config::Sip) -> Result<(), TlsError> {
    Tls::read(config).map(drop)
}

/// Binds the sockets and starts the task that owns them. It ends when `stop` is cancelled.
pub async fn start(parts: SipParts, stop: CancellationToken) -> Result<SipShell, SipError> {
    resume(parts, None, stop).await
}

/// The same, with what a former process left: the dialogs of `found` live on, those of all other legs are ended.
pub async fn resume(parts: SipParts, left: Option<(Survivors, BTreeSet<LegId>)>, stop: CancellationToken) -> Result<SipShell, SipError> {
    let udp = parts.config.udp.map(bind_udp).transpose()?;
    let certificates = Tls::read(&parts.config)?;
    let tcp = listen("sip.tcp", parts.config.tcp).await?;
    let tls = listen("sip.tls", parts.config.tls).await?;
    let udp_addr = udp.as_ref().and_then(|socket| socket.local_addr().ok());
    let (tcp_addr, tls_addr) = (bound(tcp.as_ref()), bound(tls.as_ref()));
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(SipError::Random)?;
    let now = parts.clock.now();
    let mut registrar = Registrar::new(now, &parts.config, key, parts.phones);
    let dialogs = left.map(|(survivors, found)| (survivors.register(now, &mut registrar), found));
    let contacts = registrar.contacts();
    let own = Own::new(udp_addr, tcp_addr, tls_addr, parts.config.shown);
    let SipParts { inputs, sdps, caller_key, callers, numbers, next_call, vitals, .. } = parts;
    let links = Links { inputs, sdps, caller_key, callers, numbers, next_call };
    let mut exchange = Exchange::new(now, own, registrar, parts.config.calls_per_second, links);
    exchange.reload_trunks(now, &parts.trunks);
    if let Some((dialogs, found)) = dialogs {
        exchange.resume(now, dialogs, &found);
    }
    let (questions, resolved) = resolve::start(None, vitals.pulse(Part::Task("name look-ups")));
    let (streams, stream_events) = Streams::new(certificates);
    let (orders, ordered) = mpsc::channel(ORDERS);
    let (changes, changed) = mpsc::channel(4);
    let shell = Loop {
        exchange,
        udp,
        tcp,
        tls,
        streams,
        stream_events,
        questions,
        resolved,
        ordered,
        changed,
        clock: parts.clock,
        scratch: String::new(),
        pulse: vitals.pulse(Part::Signalling),
    };
    let task = tokio::spawn(shell.run(stop));
    Ok(SipShell { orders, changes, udp: udp_addr, tcp: tcp_addr, tls: tls_addr, contacts, task })
}

impl SipShell {
    /// Hands over an order of the core; never waits. The leg comes back when the queue is full.
    pub fn carry_out(&self, order: ToLine) -> Result<(), LegId> {
        self.orders.try_send(order).map_err(|error| match error {
            mpsc::error::TrySendError::Full(order) | mpsc::error::TrySendError::Closed(order) => leg_of(&order),
        })
    }

    /// Puts other trunks in force; calls that are up stay.
    pub fn reload_trunks(&self, trunks: &BTreeMap<String, config::Trunk>) -> Result<(), Busy> {
        self.changes.try_send(Change::Trunks(trunks.clone())).map_err(|_| Busy)
    }

    /// Puts other phones in force; registrations of those that did not change stay.
    pub fn reload_phones(&self, phones: Vec<PhoneAccount>) -> Result<(), Busy> {
        self.changes.try_send(Change::Phones(phones)).map_err(|_| Busy)
    }

    /// Reads certificates, key and those that are trusted again. Connections that are up stay as they are.
    pub fn reload_tls(&self, config: &config::Sip) -> Result<(), ReloadError> {
        let tls = Tls::read(config)?;
        Ok(self.changes.try_send(Change::Tls(tls)).map_err(|_| Busy)?)
    }

    /// Every phone's operator and contacts as they were at the start: those of a former process that are still in force.
    pub fn contacts(&self) -> &[(AgentId, Vec<ContactId>)] {
        &self.contacts
    }

    /// The UDP address that is listened on.
    pub fn udp_addr(&self) -> Option<SocketAddr> {
        self.udp
    }

    /// The TCP address that is listened on.
    pub fn tcp_addr(&self) -> Option<SocketAddr> {
        self.tcp
    }

    /// The TLS address that is listened on.
    pub fn tls_addr(&self) -> Option<SocketAddr> {
        self.tls
    }

    /// Waits for the task, after its token was cancelled.
    pub async fn stopped(self) {
        drop((self.orders, self.changes));
        let _ = self.task.await;
    }
}

fn leg_of(order: &ToLine) -> LegId {
    match order {
        ToLine::Ring { leg }
        | ToLine::Answer { leg, .. }
        | ToLine::Reject { leg, .. }
        | ToLine::Dial { leg, .. }
        | ToLine::CancelDial { leg }
        | ToLine::AcceptOffer { leg, .. }
        | ToLine::RefuseOffer { leg }
        | ToLine::Renegotiate { leg, .. }
        | ToLine::HangUp { leg, .. }
        | ToLine::ReferProgress { leg, .. } => *leg,
    }
}

fn bind_udp(address: SocketAddr) -> Result<UdpSocket, SipError> {
    let bound = || {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        UdpSocket::from_std(socket.into())
    };
    bound().map_err(|cause| refused("sip.udp", address, cause))
}

async fn listen(key: &'static str, address: Option<SocketAddr>) -> Result<Option<TcpListener>, SipError> {
    let Some(address) = address else { return Ok(None) };
    TcpListener::bind(address).await.map(Some).map_err(|cause| refused(key, address, cause))
}

fn bound(listener: Option<&TcpListener>) -> Option<SocketAddr> {
    listener.and_then(|listener| listener.local_addr().ok())
}

fn refused(key: &'static str, address: SocketAddr, cause: io::Error) -> SipError {
    let mend = match cause.kind() {
        io::ErrorKind::AddrInUse => "another program holds this port: stop it, or give another port",
        io::ErrorKind::AddrNotAvailable => "no interface of this machine has this address: give one of its own, or 0.0.0.0",
        io::ErrorKind::PermissionDenied => "ports below 1024 need a privilege: give a higher port",
        _ => "give an address that this machine can listen on",
    };
    SipError::Listen { key, address, cause, mend }
}

struct Loop {
    /// The first to go when the task panics, so that signalling is missed before those who end with it.
    pulse: Pulse,
    exchange: Exchange,
    udp: Option<UdpSocket>,
    tcp: Option<TcpListener>,
    tls: Option<TcpListener>,
    streams: Streams,
    stream_events: mpsc::Receiver<Event>,
    questions: mpsc::Sender<Place>,
    resolved: mpsc::Receiver<Resolved>,
    ordered: mpsc::Receiver<ToLine>,
    changed: mpsc::Receiver<Change>,
    clock: Clock,
    /// A message's head where it had to be cleaned.
    scratch: String,
}

impl Loop {
    async fn run(mut self, stop: CancellationToken) {
        let mut datagram = vec![0; LONGEST_DATAGRAM];
        let sleep = sleep_until(Instant::now());
        tokio::pin!(sleep);
        let mut measured = self.clock.now();
        loop {
            let now = self.clock.now();
            let wake = self.exchange.next_deadline(now).map_or(now.plus_ms(1000), |at| at.min(now.plus_ms(1000)));
            sleep.as_mut().reset(self.clock.instant(wake).into());
            tokio::select! {
                () = stop.cancelled() => break,
                Some(order) = self.ordered.recv() => self.exchange.order(self.clock.now(), order),
                () = readable(self.udp.as_ref()) => {}
                Some(event) = self.stream_events.recv() => self.stream_event(event),
                (stream, addr) = accepted(self.tcp.as_ref()) => self.accept(stream, Peer { addr, carrier: Carrier::Tcp(None) }),
                (stream, addr) = accepted(self.tls.as_ref()) => self.accept(stream, Peer { addr, carrier: Carrier::Tls(None) }),
                Some(change) = self.changed.recv() => self.change(change),
                Some(resolved) = self.resolved.recv() => self.resolved(resolved),
                () = &mut sleep => {}
            }
            self.pulse.beat();
            self.take_orders();
            self.take_datagrams(&mut datagram);
            let now = self.clock.now();
            self.exchange.due(now);
            if now.ms_since(measured) >= 1000 {
                self.exchange.measure(now);
                measured = now;
            }
            self.send();
        }
        while let Ok(order) = self.ordered.try_recv() {
            self.exchange.order(self.clock.now(), order);
        }
        self.send();
    }

    fn take_orders(&mut self) {
        let now = self.clock.now();
        for _ in 0..BATCH {
            let Ok(order) = self.ordered.try_recv() else { return };
            self.exchange.order(now, order);
        }
    }

    /// Reads what the socket holds. Sending every few datagrams keeps answers early when many wait.
    fn take_datagrams(&mut self, datagram: &mut [u8]) {
        let now = self.clock.now();
        for _ in 0..BATCH {
            let Some(Ok((length, addr))) = self.udp.as_ref().map(|socket| socket.try_recv_from(datagram)) else { return };
            let raw = datagram.get(..length).unwrap_or_default();
            self.exchange.receive(now, raw, &mut self.scratch, Peer { addr, carrier: Carrier::Udp });
        }
    }

    fn stream_event(&mut self, event: Event) {
        match event {
            Event::Arrived { peer, raw } => {
                if let Some(conn) = peer.conn() {
                    self.streams.heard(conn);
                }
                self.exchange.receive(self.clock.now(), &raw, &mut self.scratch, peer);
            }
            Event::Closed { peer, known } => {
                if let Some(conn) = peer.conn() {
                    self.streams.forget(conn);
                }
                if known {
                    self.exchange.closed(self.clock.now(), peer);
                }
            }
        }
    }

    fn accept(&mut self, stream: TcpStream, from: Peer) {
        let of_trunk = self.exchange.trunks.of(from.addr.ip()).is_some();
        self.streams.accept(stream, from, of_trunk);
    }

    /// A certificate must name the host that was looked up, not the address that was found (RFC 5922 §7.2).
    fn resolved(&mut self, (place, answer): Resolved) {
        let answer = answer.and_then(|answer| self.reachable(place.carrier, answer));
        if let (Carrier::Tls(_), Some(answer)) = (place.carrier, &answer) {
            answer.addresses.iter().for_each(|address| self.streams.call_by(*address, &place.host));
        }
        self.exchange.resolved(self.clock.now(), &place, answer);
    }

    /// An IPv4 socket sends to no IPv6 address.
    fn reachable(&self, carrier: Carrier, mut answer: Answer) -> Option<Answer> {
        let bound = self.udp.as_ref().and_then(|socket| socket.local_addr().ok());
        answer.addresses.retain(|address| carrier != Carrier::Udp || bound.is_none_or(|bound| bound.is_ipv4() == address.is_ipv4()));
        (!answer.addresses.is_empty()).then_some(answer)
    }

    fn change(&mut self, change: Change) {
        match change {
            Change::Trunks(trunks) => self.exchange.reload_trunks(self.clock.now(), &trunks),
            Change::Phones(phones) => self.exchange.reload_phones(phones),
            Change::Tls(tls) => self.streams.secure_with(tls),
        }
    }

    /// Sends what waits, once what must outlive the process is kept. A datagram that the system does not take is lost, which its
    /// transaction mends.
    fn send(&mut self) {
        self.exchange.keep();
        for place in self.exchange.take_questions() {
            if let Err(unasked) = self.questions.try_send(place) {
                let place = unasked.into_inner();
                self.exchange.resolved(self.clock.now(), &place, None);
            }
        }
        for conn in self.exchange.take_registered() {
            self.streams.welcome(conn);
        }
        for (peer, message) in self.exchange.take_out() {
            match (peer.carrier, &self.udp) {
                (Carrier::Udp, Some(socket)) => {
                    if socket.try_send_to(&message, peer.addr).is_err() {
                        metrics::counter!("cityline_sip_unsent_datagrams_total").increment(1);
                    }
                }
                (Carrier::Tcp(_) | Carrier::Tls(_), _) => self.streams.send(peer, message),
                (Carrier::Udp, None) => {}
            }
        }
    }
}

async fn readable(socket: Option<&UdpSocket>) {
    match socket {
        Some(socket) => {
            let _ = socket.readable().await;
        }
        None => std::future::pending().await,
    }
}

/// The next connection. A system that is out of descriptors is given time.
async fn accepted(listener: Option<&TcpListener>) -> (TcpStream, SocketAddr) {
    let Some(listener) = listener else { return std::future::pending().await };
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(100)).await,
        }
    }
}
