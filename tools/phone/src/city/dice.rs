//! What does chance decide? Seeded draws for a city.

use std::time::Duration;

/// A row of draws that is the same for the same seed.
#[derive(Debug)]
pub(super) struct Dice(fastrand::Rng);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// Exponential with that mean, at most ten times of it: the time between arrivals of a Poisson process.
    pub fn exponential(&mut self, mean: Duration) -> Duration {
        let draw = -(1.0 - self.0.f64()).ln();
        mean.mul_f64(draw.min(10.0))
    }

    /// Evenly between two times.
    pub fn between(&mut self, least: Duration, most: Duration) -> Duration {
        least + most.saturating_sub(least).mul_f64(self.0.f64())
    }

    /// True in that share of draws.
    pub fn chance(&mut self, share: f64) -> bool {
        self.0.f64() < share
    }

    /// One of several by weight; none when there is nothing to choose.
    pub fn choose<'a, T>(&mut self, among: &'a [(T, f64)]) -> Option<&'a T> {
        let mut left = self.0.f64() * among.iter().map(|(_, weight)| weight).sum::<f64>();
        let hit = among.iter().find(|(_, weight)| {
            left -= weight;
            left < 0.0
        });
        hit.or(among.last()).map(|(what, _)| what)
    }

    /// A mobile number of the city, of a range that is not assigned.
    pub fn phone_number(&mut self, residents: u16) -> String {
        format!("+7700000{:04}", self.0.u16(0..residents.clamp(1, 10_000)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_have_their_means() {
        let mut dice = Dice::new(1);
        let sum: Duration = (0..20_000).map(|_| dice.exponential(Duration::from_secs(10))).sum();
        assert!((sum.as_secs_f64() / 20_000.0 - 10.0).abs() < 0.3);
        let among = [('a', 3.0), ('b', 1.0)];
        let hits = (0..20_000).filter(|_| dice.choose(&among) == Some(&'a')).count();
        assert!((14_600..15_400).contains(&hits));
        assert_eq!(dice.choose::<char>(&[]), None);
    }
}
