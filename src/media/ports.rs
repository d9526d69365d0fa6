//! Which UDP ports are free? Even ones of the configured range, each rested for five seconds after its last call.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Stray packets of an ended call must not reach the next one: a port rests this long.
const REST_US: u64 = 5_000_000;

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

    /// Gives a port back; it rests before it is taken again.
    pub fn give_back(&self, port: u16, now_us: u64) {
        self.lock().resting.push_back((now_us.saturating_add(REST_US), port));
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
}
