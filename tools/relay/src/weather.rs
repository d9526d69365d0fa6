//! What becomes of the next packet? A seeded row of fates: lost, late, out of order, twice.

use std::time::Duration;

/// How bad a path is. All shares are 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Impairment {
    /// Share of packets that are lost.
    pub lose: f64,
    /// Mean length of a run of losses in packets; up to 1 means that losses are independent.
    pub burst: f64,
    /// Longest run of losses in packets; 0 for any. What is sent more often than that arrives.
    pub longest: u32,
    /// Every packet is held back so long,
    pub delay: Duration,
    /// and by up to so much more, evenly spread: more than the packets' spacing changes their order.
    pub jitter: Duration,
    /// Share of packets that are held back by [`Impairment::reorder_by`] more, so that later ones overtake them.
    pub reorder: f64,
    pub reorder_by: Duration,
    /// Share of packets that arrive twice.
    pub duplicate: f64,
}

/// How bad each direction is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ways {
    /// From the senders to the target.
    pub to_target: Impairment,
    /// Back.
    pub from_target: Impairment,
}

impl From<Impairment> for Ways {
    fn from(both: Impairment) -> Self {
        Self { to_target: both, from_target: both }
    }
}

/// What becomes of one packet: none, one or two copies, each so much later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fate {
    pub first: Option<Duration>,
    pub second: Option<Duration>,
}

/// The fates of one direction's packets, the same for the same seed.
#[derive(Clone, Debug)]
pub struct Weather {
    impairment: Impairment,
    random: fastrand::Rng,
    losing: bool,
    /// Length of the run of losses.
    run: u32,
}

impl Weather {
    /// The row of fates of that seed.
    pub fn new(impairment: Impairment, seed: u64) -> Self {
        Self { impairment, random: fastrand::Rng::with_seed(seed), losing: false, run: 0 }
    }

    /// The next packet's fate. Every packet draws the same number of random values, so that fates do not depend on each other.
    pub fn next_fate(&mut self) -> Fate {
        let draws: [f64; 5] = std::array::from_fn(|_| self.random.f64());
        let [lose, reorder, duplicate, jitter, second_jitter] = draws;
        let spared = self.impairment.longest > 0 && self.run >= self.impairment.longest;
        self.losing = !spared && lose < self.chance_of_loss();
        self.run = if self.losing { self.run.saturating_add(1) } else { 0 };
        let late = if reorder < self.impairment.reorder { self.impairment.reorder_by } else { Duration::ZERO };
        let at = |jitter: f64| self.impairment.delay + self.impairment.jitter.mul_f64(jitter) + late;
        Fate {
            first: (!self.losing).then(|| at(jitter)),
            second: (!self.losing && duplicate < self.impairment.duplicate).then(|| at(second_jitter)),
        }
    }

    /// Gilbert and Elliott's model with nothing lost in the good state and all in the bad one: runs of `burst` packets on average, and a share of `lose` of all packets over time.
    fn chance_of_loss(&self) -> f64 {
        let Impairment { lose, burst, .. } = self.impairment;
        if burst <= 1.0 {
            lose
        } else if self.losing {
            1.0 - 1.0 / burst
        } else {
            lose / (burst * (1.0 - lose).max(f64::EPSILON))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn fates(impairment: Impairment, seed: u64, count: usize) -> Vec<Fate> {
        let mut weather = Weather::new(impairment, seed);
        (0..count).map(|_| weather.next_fate()).collect()
    }

    #[test]
    fn the_seed_decides() {
        let bad = Impairment { lose: 0.3, duplicate: 0.2, jitter: Duration::from_millis(30), ..Impairment::default() };
        assert_eq!(fates(bad, 7, 500), fates(bad, 7, 500));
        assert_ne!(fates(bad, 7, 500), fates(bad, 8, 500));
    }

    #[test]
    fn no_run_of_losses_is_longer_than_allowed() {
        let bad = Impairment { lose: 0.5, burst: 20.0, longest: 8, ..Impairment::default() };
        let all = fates(bad, 9, 20_000);
        let longest = all.split(|fate| fate.first.is_some()).map(<[Fate]>::len).max();
        assert_eq!(longest, Some(8));
    }

    #[test]
    fn shares_and_bursts_are_as_asked() {
        let lost = |fates: &[Fate]| fates.iter().filter(|fate| fate.first.is_none()).count();
        let runs = |fates: &[Fate]| fates.windows(2).filter(|pair| pair[0].first.is_some() && pair[1].first.is_none()).count();
        for (burst, expected) in [(0.0, 1.05), (4.0, 4.0)] {
            let fates = fates(Impairment { lose: 0.05, burst, ..Impairment::default() }, 3, 100_000);
            let (lost, mean) = (lost(&fates) as f64, lost(&fates) as f64 / runs(&fates) as f64);
            assert!((lost / 100_000.0 - 0.05).abs() < 0.006, "{lost}");
            assert!((mean / expected - 1.0).abs() < 0.15, "{mean}");
        }
    }

    #[test]
    fn a_clear_day_changes_nothing() {
        let clear = fates(Impairment::default(), 1, 100);
        assert!(clear.iter().all(|fate| *fate == Fate { first: Some(Duration::ZERO), second: None }));
    }
}
