//! How does a page of the desk speak and hear? By WebRTC over one UDP port: a thread owns it and all sessions, and legs reach them by lines.
//!
//! Reading order: `thread` is the loop, `session` one page's connection, `line` the rings between a session and a leg. A page has one
//! session for its whole shift; legs come and go on it with the calls. Sessions are ICE-lite (RFC 8445 §2.5): the page checks the way to us,
//! our answer holds all that it needs, and candidates of its own need not be told.

pub mod line;
mod session;
mod thread;

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use socket2::{Domain, Protocol, Socket, Type};
use str0m::crypto;

use crate::centre::ids::{AgentId, Generation};
use crate::centre::input::Codec;
use crate::clock::Clock;
use crate::config;
use crate::lanes::Inputs;
use crate::media::epoll::{Alarm, Bell};
use crate::private::Private;
use crate::vitals::Pulse;
use line::{Line, PageEnd};
use thread::{Outfit, Switchboard};

/// Orders that wait for the thread; beyond it a page is told to try again, and a leg is lost.
const ORDERS: usize = 256;

/// A page's offer, and the way back to it.
pub struct Greeting {
    /// Whose page.
    pub agent: AgentId,
    /// Which page of theirs; a newer one takes the place of an older.
    pub generation: Generation,
    /// Its session description.
    pub sdp: Private<String>,
    /// Takes the answer. Called on the thread of the pages: it must not wait.
    pub answer: Box<dyn FnOnce(Result<String, NoSession>) + Send>,
}

/// Why a page gets no session.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoSession {
    /// No port is configured.
    #[error("sound in the page is switched off: set media.webrtc_port")]
    Off,
    /// Too many orders wait.
    #[error("the server is overloaded: try again")]
    Overloaded,
    /// A newer page of this operator has a session.
    #[error("another page of this operator has taken over")]
    Stale,
    /// The description cannot be used.
    #[error("the session description cannot be used ({0}): offer one audio section with PCMA, PCMU or Opus")]
    Unfit(String),
}

/// What the thread is told.
pub enum Order {
    /// A page wants a session.
    Greet(Greeting),
    /// A leg to the page of this operator.
    Attach(AgentId, PageEnd),
}

/// Which pages are connected, with their codec.
pub type Connected = Arc<Mutex<BTreeMap<AgentId, Codec>>>;

/// The way to the pages.
pub struct Pages {
    orders: SyncSender<Order>,
    bell: Bell,
    connected: Connected,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
    port: u16,
}

/// What the pages' thread needs of the process.
pub struct Surroundings {
    /// Where it is told that pages come and go.
    pub inputs: Inputs,
    /// The time.
    pub clock: Clock,
    /// Beats each time that the thread comes round.
    pub pulse: Pulse,
}

/// Binds the port and starts the thread; `None` where no port is configured. Errors: the port cannot be had, or there is no thread.
pub fn start(config: &config::Media, around: impl FnOnce() -> Surroundings) -> io::Result<Option<Pages>> {
    if config.webrtc_port == 0 {
        return Ok(None);
    }
    let socket = bound(SocketAddr::new(config.address, config.webrtc_port))?;
    let port = socket.local_addr()?.port();
    let addresses: Vec<IpAddr> = if config.webrtc_addresses.is_empty() { vec![config.address] } else { config.webrtc_addresses.clone() };
    let provider = crypto::from_feature_flags();
    let certificate =
        provider.dtls_provider.generate_certificate().ok_or_else(|| io::Error::other("no certificate for DTLS can be made"))?;
    let (orders, queue) = sync_channel(ORDERS);
    let alarm = Alarm::new()?;
    let (bell, stop, connected) = (alarm.bell(), Arc::new(AtomicBool::new(false)), Connected::default());
    let board = Switchboard::new(Outfit {
        socket,
        candidates: addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect(),
        provider: Arc::new(provider),
        certificate,
        orders: queue,
        alarm,
        stop: stop.clone(),
        connected: connected.clone(),
        around: around(),
    });
    let thread = std::thread::Builder::new().name("pages".into()).spawn(move || board.run())?;
    Ok(Some(Pages { orders, bell, connected, stop, thread, port }))
}

impl Pages {
    /// Hands an offer to the thread; the answer comes by the greeting itself.
    pub fn greet(&self, greeting: Greeting) {
        if let Err(error) = self.orders.try_send(Order::Greet(greeting)) {
            let (std::sync::mpsc::TrySendError::Full(order) | std::sync::mpsc::TrySendError::Disconnected(order)) = error;
            if let Order::Greet(greeting) = order {
                (greeting.answer)(Err(NoSession::Overloaded));
            }
            return;
        }
        self.bell.ring();
    }

    /// A line to the page of this operator, and what is spoken on it; `None` where no page is connected. An older line of it is cut.
    pub fn attach(&self, agent: &AgentId) -> Option<(Line, Codec)> {
        let codec = lock(&self.connected).get(agent).copied()?;
        let (line, end) = line::line();
        self.orders.try_send(Order::Attach(agent.clone(), end)).ok()?;
        Some((line, codec))
    }

    /// The UDP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends every session and waits for the thread.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Release);
        self.bell.ring();
        if self.thread.join().is_err() {
            tracing::error!("the pages' thread had panicked");
        }
    }
}

/// The table of connected pages.
fn lock(connected: &Connected) -> MutexGuard<'_, BTreeMap<AgentId, Codec>> {
    connected.lock().unwrap_or_else(PoisonError::into_inner)
}

fn bound(at: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(at), Type::DGRAM.nonblocking(), Some(Protocol::UDP))?;
    socket.bind(&at.into())?;
    // The sound of all pages waits here for up to a tick; a system that gives less loses packets of a burst.
    let _ = socket.set_recv_buffer_size(1 << 20);
    Ok(socket.into())
}
