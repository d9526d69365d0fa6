//! How does sound flow on thousands of legs? One thread, one socket a leg, a tick of 5 ms.
//!
//! A leg sends in every fourth tick; sockets are drained in every tick, so that a wake-up serves all of them.

pub mod capture;
pub mod codec;
pub mod dtmf;
pub mod g711;
pub mod leg;
pub mod rtp;
pub mod sound;
pub mod srtp;

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};

use crate::sys::{self, Poller};
use capture::{Arrivals, Heard};
use codec::Codec;
use leg::{Far, Leg, Noticed};
use sound::Sound;

use crate::judge::chirp::Said;

/// Time between two ticks.
pub const TICK: Duration = Duration::from_millis(5);
/// Ticks in 20 ms: a leg sends in one of them.
const PHASES: u64 = 4;
/// Ticks that are made up for after a late wake-up; more are skipped, and the run counts as late.
const MOST_CATCH_UP: u64 = 40;
/// Bytes that a leg's socket holds: about a second of packets.
const SOCKET_BYTES: usize = 64 * 1024;

/// A leg's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LegKey(pub u64);

/// How late the ticks of this thread came, in milliseconds.
#[derive(Clone, Debug, Default)]
pub struct Lateness {
    pub ticks: u64,
    pub over_5ms: u64,
    pub over_10ms: u64,
    pub longest_us: u64,
    /// Ticks that were never made up for.
    pub skipped: u64,
}

/// All legs of one thread.
#[derive(Debug)]
pub struct Media {
    host: Ipv4Addr,
    legs: HashMap<LegKey, Leg>,
    phases: [Vec<LegKey>; PHASES as usize],
    poller: Poller,
    count: u64,
    /// When tick 0 was; none while there is no leg.
    start: Option<Instant>,
    tick: u64,
    lateness: Lateness,
    random: fastrand::Rng,
}

impl Media {
    /// Legs that have their ports on that address.
    ///
    /// # Errors
    /// When the system gives no epoll instance.
    pub fn new(host: Ipv4Addr, seed: u64) -> io::Result<Self> {
        Ok(Self {
            host,
            legs: HashMap::new(),
            phases: Default::default(),
            poller: Poller::new()?,
            count: 0,
            start: None,
            tick: 0,
            lateness: Lateness::default(),
            random: fastrand::Rng::with_seed(seed),
        })
    }

    /// Opens a leg on a port of the system's choice; it hears at once and sends when it is connected.
    ///
    /// # Errors
    /// When no port or descriptor is left.
    pub fn open(&mut self, sound: Sound, keep: Duration) -> io::Result<(LegKey, SocketAddrV4)> {
        let socket = sys::bind_udp(SocketAddrV4::new(self.host, 0), SOCKET_BYTES)?;
        let port = socket.local_addr()?.port();
        self.count += 1;
        let key = LegKey(self.count);
        self.poller.watch(&socket, key.0)?;
        let keep_packets = keep.as_millis() as usize / 20;
        self.legs.insert(key, Leg::new(socket, sound, keep_packets, self.random.u32(..)));
        if let Some(phase) = self.phases.iter_mut().min_by_key(|phase| phase.len()) {
            phase.push(key);
        }
        Ok((key, SocketAddrV4::new(self.host, port)))
    }

    /// Closes a leg and gives what it heard and said.
    pub fn close(&mut self, key: LegKey) -> Option<(Heard, Said)> {
        for phase in &mut self.phases {
            if let Some(at) = phase.iter().position(|known| *known == key) {
                phase.swap_remove(at);
                break;
            }
        }
        let leg = self.legs.remove(&key)?;
        if self.legs.is_empty() {
            self.start = None;
        }
        Some(leg.into_records())
    }

    /// Where a leg receives.
    pub fn address(&self, key: LegKey) -> Option<SocketAddrV4> {
        Some(SocketAddrV4::new(self.host, self.legs.get(&key)?.port()?))
    }

    /// A leg that is open.
    pub fn leg(&self, key: LegKey) -> Option<&Leg> {
        self.legs.get(&key)
    }

    /// A leg that is open, to be changed.
    pub fn leg_mut(&mut self, key: LegKey) -> Option<&mut Leg> {
        self.legs.get_mut(&key)
    }

    /// When the next tick is due; none without legs.
    pub fn next_tick(&mut self, now: Instant) -> Option<Instant> {
        if self.legs.is_empty() {
            return None;
        }
        let start = *self.start.get_or_insert_with(|| {
            self.tick = 0;
            now
        });
        Some(start + TICK * self.tick as u32)
    }

    /// Does what is due by `now`: hears first, then sends.
    pub fn run(&mut self, now: Instant, mut notice: impl FnMut(LegKey, Noticed)) {
        let Some(due) = self.next_tick(now).filter(|due| *due <= now) else { return };
        let late = now - due;
        self.note_lateness(late);
        self.drain(&mut notice);
        let mut behind = late.as_micros() as u64 / TICK.as_micros() as u64;
        if behind > MOST_CATCH_UP {
            self.lateness.skipped += behind - MOST_CATCH_UP;
            self.tick += behind - MOST_CATCH_UP;
            behind = MOST_CATCH_UP;
        }
        for _ in 0..=behind {
            self.send_phase((self.tick % PHASES) as usize);
            self.tick += 1;
        }
    }

    fn note_lateness(&mut self, late: Duration) {
        let us = late.as_micros() as u64;
        self.lateness.ticks += 1;
        self.lateness.over_5ms += u64::from(us > 5_000);
        self.lateness.over_10ms += u64::from(us > 10_000);
        self.lateness.longest_us = self.lateness.longest_us.max(us);
    }

    fn drain(&mut self, notice: &mut impl FnMut(LegKey, Noticed)) {
        let mut buffer = [0; 2048];
        loop {
            let mut any = false;
            for token in self.poller.wait(Duration::ZERO) {
                any = true;
                let key = LegKey(token);
                let noticed = self.legs.get_mut(&key).and_then(|leg| leg.receive(&mut buffer));
                noticed.into_iter().flat_map(|notices| notices.iter()).for_each(|what| notice(key, what));
            }
            if !any {
                return;
            }
        }
    }

    fn send_phase(&mut self, phase: usize) {
        for key in self.phases.get(phase).into_iter().flatten() {
            if let Some(leg) = self.legs.get_mut(key) {
                leg.send();
            }
        }
    }

    /// How late this thread was itself.
    pub fn lateness(&self) -> &Lateness {
        &self.lateness
    }

    /// Forgets the sound that was kept so far: what is judged begins here.
    pub fn forget_sound(&mut self) {
        self.legs.values_mut().for_each(Leg::forget_sound);
    }

    /// Forgets the lateness and all counts of arrivals so far, at the begin of a measured window.
    pub fn reset_counts(&mut self) {
        self.lateness = Lateness::default();
        self.legs.values_mut().for_each(Leg::reset_arrivals);
    }
}

/// A pair of legs of the same thread that play echo: how late the thread is, seen with the eyes of the judged calls.
#[derive(Clone, Copy, Debug)]
pub struct EchoControl {
    caller: LegKey,
    echo: LegKey,
}

impl EchoControl {
    /// Opens both legs; the sound goes round until they are closed.
    ///
    /// # Errors
    /// When no port or descriptor is left.
    pub fn open(media: &mut Media) -> io::Result<Self> {
        let (echo, address) = media.open(Sound::Echo, Duration::ZERO)?;
        let (caller, _) = media.open(Sound::Silence, Duration::ZERO)?;
        if let Some(leg) = media.leg_mut(caller) {
            leg.connect(Far { address, codec: Codec::Alaw, events: None, listens: true, keys: None });
        }
        Ok(Self { caller, echo })
    }

    /// How evenly the echo came back.
    pub fn arrivals(self, media: &Media) -> Option<&Arrivals> {
        media.leg(self.caller).map(|leg| &leg.heard().arrivals)
    }

    /// Closes both legs.
    pub fn close(self, media: &mut Media) -> Option<Arrivals> {
        media.close(self.echo);
        media.close(self.caller).map(|(heard, _)| heard.arrivals)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn run_for(media: &mut Media, length: Duration) -> Vec<(LegKey, Noticed)> {
        let (end, mut noticed) = (Instant::now() + length, Vec::new());
        while Instant::now() < end {
            let due = media.next_tick(Instant::now()).unwrap();
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            media.run(Instant::now(), |key, what| noticed.push((key, what)));
        }
        noticed
    }

    #[test]
    fn an_echo_comes_back_evenly() {
        let mut media = Media::new(Ipv4Addr::LOCALHOST, 1).unwrap();
        let control = EchoControl::open(&mut media).unwrap();
        run_for(&mut media, Duration::from_millis(400));
        let arrivals = control.close(&mut media).unwrap();
        assert!((15..=21).contains(&arrivals.packets), "{arrivals:?}");
        assert_eq!((arrivals.lost, arrivals.late_or_twice), (0, 0));
    }

    #[test]
    fn keys_and_the_first_sound_are_noticed() {
        let mut media = Media::new(Ipv4Addr::LOCALHOST, 2).unwrap();
        let (ear, address) = media.open(Sound::Nothing, Duration::from_secs(5)).unwrap();
        let (mouth, _) = media.open(Sound::once(&[4000; 1600]), Duration::ZERO).unwrap();
        let far = Far { address, codec: Codec::Ulaw, events: Some(101), listens: true, keys: None };
        media.leg_mut(mouth).unwrap().connect(far);
        media.leg_mut(ear).unwrap().connect(Far { listens: false, ..far });
        media.leg_mut(mouth).unwrap().press("4#");
        let noticed = run_for(&mut media, Duration::from_millis(700));
        let expected = [Noticed::Digit('4'), Noticed::FirstSound, Noticed::Digit('#')];
        assert!(expected.iter().all(|what| noticed.contains(&(ear, *what))), "{noticed:?}");
        let (heard, _) = media.close(ear).unwrap();
        assert_eq!(heard.digits.iter().map(|(_, key)| *key).collect::<String>(), "4#");
    }
}
