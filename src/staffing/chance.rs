//! Where does chance come from in a pure room? From a seed, by PCG32 (O'Neill 2014, XSH-RR): the same numbers on every machine.

/// A stream of draws. Streams of one seed do not follow from each other, so that one more draw in one leaves the others as they are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chance {
    state: u64,
    /// Odd; which of the streams it is.
    step: u64,
}

impl Chance {
    /// The beginning of a stream.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut chance = Self { state: 0, step: stream << 1 | 1 };
        chance.next();
        chance.state = chance.state.wrapping_add(seed);
        chance.next();
        chance
    }

    fn next(&mut self) -> u32 {
        let old = self.state;
        self.state = old.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(self.step);
        let shifted = (((old >> 18) ^ old) >> 27) as u32;
        shifted.rotate_right((old >> 59) as u32)
    }

    /// Evenly between 0 and 1, neither of them.
    pub fn unit(&mut self) -> f64 {
        // 53 bits are what the number holds; the half keeps it off both ends.
        let bits = (u64::from(self.next()) << 32 | u64::from(self.next())) >> 12;
        (bits as f64 + 0.5) / (1_u64 << 52) as f64
    }

    /// Exponential with this mean.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * self.unit().ln()
    }

    /// Lognormal with this mean and this standard deviation, both of the value itself.
    pub fn lognormal(&mut self, mean: f64, deviation: f64) -> f64 {
        let variance = (deviation / mean).powi(2).ln_1p();
        (mean.ln() - variance / 2.0 + variance.sqrt() * self.normal()).exp()
    }

    /// Normal with mean 0 and standard deviation 1 (Box and Muller 1958).
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.unit().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean_and_deviation(mut draw: impl FnMut() -> f64) -> (f64, f64) {
        let drawn: Vec<f64> = (0..200_000).map(|_| draw()).collect();
        let n = drawn.len() as f64;
        let mean = drawn.iter().sum::<f64>() / n;
        (mean, (drawn.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt())
    }

    /// The first numbers of O'Neill's own demonstration (pcg32-demo, seed 42, stream 54).
    #[test]
    fn it_is_the_published_generator() {
        let mut chance = Chance::new(42, 54);
        assert_eq!([chance.next(), chance.next(), chance.next()], [0xa15c_02b7, 0x7b47_f409, 0xba1d_3330]);
    }

    #[test]
    fn spans_have_the_mean_and_the_deviation_that_were_asked_for() {
        let mut chance = Chance::new(1, 1);
        let (mean, deviation) = mean_and_deviation(|| chance.exponential(60.0));
        assert!((mean - 60.0).abs() < 0.5 && (deviation - 60.0).abs() < 0.8, "{mean} ± {deviation}");
        let (mean, deviation) = mean_and_deviation(|| chance.lognormal(180.0, 120.0));
        assert!((mean - 180.0).abs() < 1.0 && (deviation - 120.0).abs() < 2.0, "{mean} ± {deviation}");
    }

    #[test]
    fn a_seed_has_streams_of_its_own() {
        assert_eq!(Chance::new(7, 1).unit(), Chance::new(7, 1).unit());
        assert_ne!(Chance::new(7, 1).unit(), Chance::new(7, 2).unit());
        assert_ne!(Chance::new(8, 1).unit(), Chance::new(7, 1).unit());
    }
}
