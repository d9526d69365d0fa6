//! Which UDP ports are free? Even ones of the configured range, each rested for five seconds after its last call while others are left.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::media::leg::Leg;

/// Stray packets of an ended call must not reach the next one: a port rests this long.
const REST_US: u64 = 5_000_000;

/// A far end may send so long after its call is over for us: a BYE whose answer is lost is sent again for 64 times T1, and sound with it
/// (RFC 3261 §17.1.2.2).
const SPEAKS_ON_US: u64 = 35_000_000;

/// Ports that another program holds are skipped, this many at most.
const PORTS_TRIED: usize = 16;

/// Who spoke at a port: the source, and the SSRC of its stream.
pub type Speaker = (SocketAddr, u32);

/// The free ports of the range. Taking and giving back cost the same however many there are.
pub struct Ports {
    inner: Mutex<Inner>,
}

struct Inner {
    free: VecDeque<u16>,
    /// Given back, with the moment from which each may be taken again; in order.
    resting: VecDeque<(u64, u16)>,
    /// Who spoke at a port that has served, and until when they may go on: of each port the calls of the last [`SPEAKS_ON_US`].
    former: HashMap<u16, Vec<(u64, Speaker)>>,
}

impl Ports {
    /// Every even port `p` of `first..=last` whose `p + 1` lies in the range too, in an order drawn from `seed`:
    /// who guesses the next port could speak into a call.
    pub fn new((first, last): (u16, u16), seed: u64) -> Ports {
        let mut even: Vec<u16> = (first..last).filter(|port| port % 2 == 0).collect();
        shuffle(&mut even, seed);
        Ports { inner: Mutex::new(Inner { free: even.into(), resting: VecDeque::new(), former: HashMap::new() }) }
    }

    /// A port that rests no longer; when there is none, the one that has rested longest, because a call without sound is worse than a stray
    /// packet, which its new leg takes for a stranger's. `None` when every one is in use.
    pub fn take(&self, now_us: u64) -> Option<u16> {
        let mut inner = self.lock();
        while let Some(&(until, port)) = inner.resting.front()
            && until <= now_us
        {
            inner.resting.pop_front();
            inner.free.push_back(port);
        }
        inner.free.pop_front().or_else(|| inner.resting.pop_front().map(|(_, port)| port))
    }

    /// What `bind` makes of the first port that can be had. `None`, which the log explains, when there is none, or no descriptor.
    pub fn bind<T>(&self, now_us: u64, bind: impl Fn(u16) -> io::Result<T>) -> Option<T> {
        for _ in 0..PORTS_TRIED {
            let port = self.take(now_us)?;
            match bind(port) {
                Ok(bound) => return Some(bound),
                Err(error) if is_out_of_descriptors(&error) => {
                    tracing::error!(%error, "a call gets no sound, the process has too many open files: raise the limit (LimitNOFILE, ulimit -n)");
                    self.lock().free.push_front(port);
                    return None;
                }
                Err(error) => {
                    tracing::warn!(port, %error, "a media port cannot be bound: keep other programs out of media.ports");
                    self.give_back(port, None, now_us);
                }
            }
        }
        None
    }

    /// Takes this very port, of a leg that a former process had. Whether it was free.
    pub fn claim(&self, port: u16) -> bool {
        let mut inner = self.lock();
        let before = inner.free.len();
        inner.free.retain(|free| *free != port);
        inner.free.len() < before
    }

    /// Gives a port back, at which this one spoke last; it rests before it is taken again.
    pub fn give_back(&self, port: u16, last: Option<Speaker>, now_us: u64) {
        let mut inner = self.lock();
        inner.resting.push_back((now_us.saturating_add(REST_US), port));
        if let Some(last) = last {
            let former = inner.former.entry(port).or_default();
            former.retain(|(until, _)| *until > now_us);
            former.push((now_us.saturating_add(SPEAKS_ON_US), last));
        }
    }

    /// Gives back the port of a leg, where it has any.
    pub fn give_back_of(&self, leg: &Leg, now_us: u64) {
        if let Some(port) = leg.port() {
            self.give_back(port, leg.speaker(), now_us);
        }
    }

    /// Who spoke at this port in its former calls, and may still speak.
    pub fn former(&self, port: u16, now_us: u64) -> Vec<Speaker> {
        let inner = self.lock();
        let former = inner.former.get(&port).map(Vec::as_slice).unwrap_or_default();
        former.iter().filter(|(until, _)| *until > now_us).map(|(_, speaker)| *speaker).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The process's limit or the system's: no other port would help.
fn is_out_of_descriptors(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}

/// Fisher and Yates, with xorshift64 as the source.
fn shuffle(ports: &mut [u16], seed: u64) {
    let mut state = seed | 1;
    for last in (1..ports.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let other = usize::try_from(state % (last as u64 + 1)).unwrap_or(last);
        ports.swap(last, other);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_port_rests_before_it_serves_again() {
        let ports = Ports::new((30_001, 30_005), 7);
        let mut pairs = [ports.take(0).unwrap(), ports.take(0).unwrap()];
        let first = pairs[0];
        pairs.sort_unstable();
        assert_eq!(pairs, [30_002, 30_004]);
        assert_eq!(ports.take(0), None);
        let second = 60_006 - first;
        ports.give_back(first, None, 1_000);
        ports.give_back(second, None, 2_000_000);
        assert_eq!(ports.take(REST_US + 1_000), Some(first), "rested");
        ports.give_back(first, None, REST_US + 1_000);
        assert_eq!(ports.take(REST_US + 2_000), Some(second), "none has rested: the one that rests longest");
    }

    #[test]
    fn who_spoke_lately_at_a_port_is_remembered_across_calls() {
        let ports = Ports::new((30_001, 30_005), 7);
        let speaker = |ssrc| (SocketAddr::from(([203, 0, 113, 7], 4_000)), ssrc);
        ports.give_back(30_002, Some(speaker(1)), 0);
        ports.give_back(30_002, Some(speaker(2)), 20_000_000);
        assert_eq!(ports.former(30_002, 25_000_000), [speaker(1), speaker(2)]);
        assert_eq!(ports.former(30_002, SPEAKS_ON_US), [speaker(2)]);
        assert_eq!(ports.former(30_004, 0), []);
    }

    #[test]
    fn a_port_that_rests_waits_while_others_are_free() {
        let ports = Ports::new((30_001, 30_007), 7);
        let first = ports.take(0).unwrap();
        ports.give_back(first, None, 0);
        assert!([ports.take(1), ports.take(1)].iter().all(|port| port.is_some_and(|port| port != first)));
        assert_eq!(ports.take(1), Some(first));
    }

    #[test]
    fn a_port_that_is_taken_is_skipped_and_a_lack_of_descriptors_costs_none() {
        let ports = Ports::new((30_000, 30_009), 7);
        let taken = std::cell::Cell::new(0);
        let bound = ports.bind(0, |port| match taken.replace(taken.get() + 1) {
            0 => Err(io::ErrorKind::AddrInUse.into()),
            _ => Ok(port),
        });
        assert!(bound.is_some());
        let tries = std::cell::Cell::new(0);
        let none: Option<()> = ports.bind(0, |_| {
            tries.set(tries.get() + 1);
            Err(io::Error::from_raw_os_error(libc::EMFILE))
        });
        assert_eq!((none, tries.get()), (None, 1));
        let left = std::iter::from_fn(|| ports.take(0)).count();
        assert_eq!(left, 4, "five, less one that is bound");
    }
}
