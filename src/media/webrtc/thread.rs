//! What does the thread of the pages do? It reads its port on a tick, drives every session, and passes sound between pages and legs.

use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use str0m::crypto::CryptoProvider;
use str0m::crypto::dtls::DtlsCert;

use super::line::PageEnd;
use super::session::{Common, News, Session, datagram};
use super::{Connected, Greeting, NoSession, Order, Surroundings, lock};
use crate::centre::ids::{AgentId, Generation};
use crate::centre::input::{FromDesk, Input};
use crate::media::epoll::Alarm;
use crate::media::priority;

/// The tick of the media threads: a wake-up costs more than a packet.
const TICK: Duration = Duration::from_millis(5);
/// With no session the thread looks up this often.
const IDLE: Duration = Duration::from_secs(1);
/// Datagrams a tick; a flood waits in the kernel, and is dropped there.
const DATAGRAMS_A_TICK: usize = 1_024;
/// A page that has sent nothing for so long has no sound: one that lives sends fifty packets a second, muted or not.
const SILENT_US: u64 = 3_000_000;

/// Addresses of pages that are kept, so that their datagrams find their session at once; what others send is found by asking each session.
const SOURCES: usize = 8_192;
/// After so long it does not come back as this session.
const GONE_US: u64 = 30_000_000;
/// A page that is not connected after so long has lost its way.
const CONNECTS_US: u64 = 20_000_000;
/// Sessions at once, those that are being replaced among them.
const MOST_SESSIONS: usize = 2_000;

/// What the thread is built from.
pub struct Outfit {
    /// The one port.
    pub socket: UdpSocket,
    /// Where pages are told to reach it.
    pub candidates: Vec<SocketAddr>,
    /// Ciphers.
    pub provider: Arc<CryptoProvider>,
    /// Our certificate.
    pub certificate: DtlsCert,
    /// What it is told.
    pub orders: Receiver<Order>,
    /// Ends its sleep.
    pub alarm: Alarm,
    /// Set when it must end.
    pub stop: Arc<AtomicBool>,
    /// Which pages are connected.
    pub connected: Connected,
    /// The rest of the process.
    pub around: Surroundings,
}

/// One operator.
#[derive(Default)]
struct Seat {
    /// The session that is connected, the newest of them.
    live: Option<u64>,
    /// The leg that speaks to the page.
    leg: Option<PageEnd>,
    /// The page that the core believes to be connected.
    told: Option<Generation>,
}

/// All sessions.
pub struct Switchboard {
    outfit: Outfit,
    common: Common,
    sessions: HashMap<u64, Session>,
    next: u64,
    sources: HashMap<SocketAddr, u64>,
    seats: HashMap<AgentId, Seat>,
}

impl Switchboard {
    /// The thread's work before it begins.
    pub fn new(outfit: Outfit) -> Switchboard {
        let common =
            Common { provider: outfit.provider.clone(), certificate: outfit.certificate.clone(), candidates: outfit.candidates.clone() };
        Switchboard { outfit, common, sessions: HashMap::new(), next: 0, sources: HashMap::new(), seats: HashMap::new() }
    }

    /// The thread: until it is told to stop.
    pub fn run(mut self) {
        priority::raise();
        let mut buffer = [0; 2_048];
        while !self.outfit.stop.load(Ordering::Acquire) {
            self.outfit.alarm.wait(if self.sessions.is_empty() { IDLE } else { TICK });
            self.outfit.around.pulse.beat();
            self.take_orders();
            self.read(&mut buffer);
            self.pass_on();
            self.wake_sessions();
            self.drop_the_lost();
            self.tell();
        }
        let all: Vec<u64> = self.sessions.keys().copied().collect();
        all.into_iter().for_each(|id| self.end(id));
    }

    fn now(&self) -> (Instant, u64) {
        (self.outfit.around.clock.instant_now(), self.outfit.around.clock.elapsed_us())
    }

    fn take_orders(&mut self) {
        while let Ok(order) = self.outfit.orders.try_recv() {
            match order {
                Order::Greet(greeting) => self.greet(greeting),
                Order::Attach(agent, end) => self.seats.entry(agent).or_default().leg = Some(end),
            }
        }
    }

    fn greet(&mut self, greeting: Greeting) {
        let Greeting { agent, generation, sdp, answer } = greeting;
        let theirs = |session: &Session| session.agent == agent;
        if self.sessions.values().any(|session| theirs(session) && session.generation > generation) {
            return answer(Err(NoSession::Stale));
        }
        if self.sessions.len() >= MOST_SESSIONS {
            return answer(Err(NoSession::Overloaded));
        }
        // What has not come to be connected is not waited for any longer.
        let unfinished = self.sessions.iter().filter(|(_, session)| theirs(session) && !session.connected).map(|(id, _)| *id);
        unfinished.collect::<Vec<u64>>().into_iter().for_each(|id| self.end(id));
        match Session::accept(agent, generation, sdp.reveal(), &self.common, random_numbers(), self.now()) {
            Ok((session, text)) => {
                self.next += 1;
                self.sessions.insert(self.next, session);
                self.drain(self.next);
                answer(Ok(text));
            }
            Err(why) => answer(Err(NoSession::Unfit(why))),
        }
    }

    /// Reads what has arrived at the port.
    fn read(&mut self, buffer: &mut [u8; 2_048]) {
        for _ in 0..DATAGRAMS_A_TICK {
            // An error of an earlier packet (ICMP) is told in place of a datagram.
            let (length, source) = match self.outfit.socket.recv_from(buffer) {
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                Err(_) => continue,
            };
            self.received(buffer.get(..length).unwrap_or_default(), source);
        }
    }

    fn received(&mut self, bytes: &[u8], source: SocketAddr) {
        let (now, now_us) = self.now();
        let Some(local) = self.common.candidates.first().copied() else { return };
        let Some(input) = datagram(bytes, source, local, now) else { return };
        let known = self.sources.get(&source).copied().filter(|id| self.sessions.get(id).is_some_and(|session| session.accepts(&input)));
        let found = known.or_else(|| self.sessions.iter().find(|(_, session)| session.accepts(&input)).map(|(id, _)| *id));
        let Some((id, session)) = found.and_then(|id| Some((id, self.sessions.get_mut(&id)?))) else {
            metrics::counter!("cityline_media_page_datagrams_foreign_total").increment(1);
            return;
        };
        session.receive(input, now_us);
        // A table that is full only costs the look through all sessions.
        if known.is_none() && self.sources.len() < SOURCES {
            self.sources.insert(source, id);
        }
        self.drain(id);
    }

    /// Legs' packets go to their pages; without one they go nowhere, as into a broken network.
    fn pass_on(&mut self) {
        let now = self.now();
        let mut spoken = Vec::new();
        for seat in self.seats.values_mut() {
            while let Some(end) = &seat.leg {
                match end.receive() {
                    Ok(Some(datagram)) => spoken.extend(seat.live.map(|id| (id, datagram))),
                    Ok(None) => break,
                    Err(super::line::Closed) => seat.leg = None,
                }
            }
        }
        for (id, datagram) in spoken {
            if let Some(session) = self.sessions.get_mut(&id) {
                session.speak(datagram.bytes(), now);
                self.drain(id);
                // What was written leaves when time goes on.
                self.wake(id, now.0);
            }
        }
    }

    fn wake_sessions(&mut self) {
        let (now, _) = self.now();
        let due: Vec<u64> = self.sessions.iter().filter(|(_, session)| session.wake_at <= now).map(|(id, _)| *id).collect();
        due.into_iter().for_each(|id| self.wake(id, now));
    }

    fn wake(&mut self, id: u64, now: Instant) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.wake(now);
            self.drain(id);
        }
    }

    /// Carries out all that follows from the last input of a session.
    fn drain(&mut self, id: u64) {
        while let Some(news) = self.sessions.get_mut(&id).and_then(Session::news) {
            match news {
                News::Send(bytes, to) => {
                    // A network that cannot take it now has lost it.
                    let _ = self.outfit.socket.send_to(&bytes, to);
                }
                News::Connected => self.goes_live(id),
                News::Heard(header, payload) => {
                    if let Some(end) = self.seat_of(id).and_then(|seat| seat.leg.as_ref()) {
                        end.send(&header, &payload);
                    }
                }
                News::Told(told) => {
                    if let Some(end) = self.seat_of(id).and_then(|seat| seat.leg.as_ref()) {
                        end.tell(told);
                    }
                }
                News::Closed => return self.forget(id),
            }
        }
    }

    /// The seat that this session is the live one of.
    fn seat_of(&self, id: u64) -> Option<&Seat> {
        let agent = &self.sessions.get(&id)?.agent;
        self.seats.get(agent).filter(|seat| seat.live == Some(id))
    }

    /// A page is connected: it takes the place of the one before, and the leg of that one.
    fn goes_live(&mut self, id: u64) {
        let Some(session) = self.sessions.get(&id) else { return };
        let agent = session.agent.clone();
        lock(&self.outfit.connected).insert(agent.clone(), session.codec);
        let former = self.seats.entry(agent).or_default().live.replace(id);
        former.filter(|former| *former != id).into_iter().for_each(|former| self.end(former));
    }

    fn end(&mut self, id: u64) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.close();
            while let Some(news) = session.news() {
                match news {
                    News::Send(bytes, to) => drop(self.outfit.socket.send_to(&bytes, to)),
                    News::Closed => break,
                    News::Connected | News::Heard(..) | News::Told(_) => {}
                }
            }
        }
        self.forget(id);
    }

    fn forget(&mut self, id: u64) {
        let Some(session) = self.sessions.remove(&id) else { return };
        self.sources.retain(|_, other| *other != id);
        if let Some(seat) = self.seats.get_mut(&session.agent).filter(|seat| seat.live == Some(id)) {
            seat.live = None;
            lock(&self.outfit.connected).remove(&session.agent);
        }
    }

    fn drop_the_lost(&mut self) {
        let (_, now_us) = self.now();
        let lost = |session: &Session| {
            let limit_us = if session.connected { GONE_US } else { CONNECTS_US };
            let since_us = if session.connected { session.heard_us } else { session.began_us };
            now_us.saturating_sub(since_us) > limit_us
        };
        let gone: Vec<u64> = self.sessions.iter().filter(|(_, session)| lost(session)).map(|(id, _)| *id).collect();
        gone.into_iter().for_each(|id| self.end(id));
    }

    /// Tells the core which pages have sound, where that is other than was told. What finds no room is told on the next tick.
    fn tell(&mut self) {
        let (_, now_us) = self.now();
        for (agent, seat) in &mut self.seats {
            let live = seat.live.and_then(|id| self.sessions.get(&id));
            let heard = live.filter(|session| now_us.saturating_sub(session.heard_us) <= SILENT_US);
            let has = heard.map(|session| session.generation);
            if has == seat.told {
                continue;
            }
            let agent = agent.clone();
            let change = match (has, seat.told) {
                (Some(generation), _) => FromDesk::DeskMediaUp { agent, generation },
                (None, Some(generation)) => FromDesk::DeskMediaDown { agent, generation },
                (None, None) => continue,
            };
            if self.outfit.around.inputs.send(Input::Desk(change)).is_ok() {
                seat.told = has;
            }
        }
        self.seats.retain(|_, seat| seat.live.is_some() || seat.leg.is_some() || seat.told.is_some());
    }
}

/// Numbers that nobody outside can guess; zeros should the system have none, which costs nothing but that.
fn random_numbers() -> [u32; 2] {
    let mut bytes = [0; 8];
    if let Err(error) = getrandom::fill(&mut bytes) {
        tracing::error!(%error, "the system gives no random numbers: RTP streams can be guessed");
    }
    let number = u64::from_ne_bytes(bytes);
    [number as u32, (number >> 32) as u32]
}
