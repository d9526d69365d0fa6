//! Which UDP ports are free? Even ones of the configured range, each rested for five seconds after its last call.

use std::collections::VecDeque;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Stray packets of an ended call must not reach the next one: a port rests this long.
const REST_US: u64 = 5_000_000;

/// Ports that another program holds are skipped, this many at most.
const PORTS_TRIED: usize = 16;

/// The free ports of the range. Taking and giving back cost the same however many there are.
pub struct Ports {
    inner: Mutex<Inner>,
}

struct Inner {
    free: VecDeque<u16>,
    /// Given back, with the moment from which each may be taken again; in order.
    resting: VecDeque<(u64, u16)>,
}

impl Ports {
    /// Every even port `p` of `first..=last` whose `p + 1` lies in the range too, in an order drawn from `seed`:
    /// who guesses the next port could speak into a call.
    pub fn new((first, last): (u16, u16), seed: u64) -> Ports {
        let mut even: Vec<u16> = (first..last).filter(|port| port % 2 == 0).collect();
        shuffle(&mut even, seed);
        Ports { inner: Mutex::new(Inner { free: even.into(), resting: VecDeque::new() }) }
    }

    /// A port that rests no longer, `None` when every one is in use or resting.
    pub fn take(&self, now_us: u64) -> Option<u16> {
        let mut inner = self.lock();
        while let Some(&(until, port)) = inner.resting.front()
            && until <= now_us
        {
            inner.resting.pop_front();
            inner.free.push_back(port);
        }
        inner.free.pop_front()
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
                    self.give_back(port, now_us);
                }
            }
        }
        None
    }

    /// Gives a port back; it rests before it is taken again.
    pub fn give_back(&self, port: u16, now_us: u64) {
        self.lock().resting.push_back((now_us.saturating_add(REST_US), port));
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
        ports.give_back(first, 1_000);
        assert_eq!(ports.take(REST_US), None);
        assert_eq!(ports.take(REST_US + 1_000), Some(first));
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
        assert_eq!(left, 3, "five, less one that is bound and one that rests");
    }
}
