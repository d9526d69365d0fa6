//! How long do callers wait where arithmetic knows it? Erlang C for callers who never give up, Erlang A for those whose patience is
//! exponential; both for Poisson arrivals, exponential handling and one queue.

use thiserror::Error;

/// What cannot be computed.
#[derive(Clone, Copy, PartialEq, Debug, Error)]
pub enum ErlangError {
    /// Nobody gives up, and more comes in than is handled.
    #[error("{erlang:.2} erlang for {operators} operators: the queue grows without bound; more operators than erlangs are needed")]
    Overloaded { erlang: f64, operators: u32 },
    /// A rate or a span that must be above zero is not.
    #[error("{what} is {value}: a number above 0 is needed")]
    NotPositive { what: &'static str, value: f64 },
}

/// What comes in, and how long it keeps an operator busy.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Load {
    /// Calls a second.
    pub calls_per_s: f64,
    /// Mean of talk and wrap-up together, in seconds.
    pub handling_s: f64,
}

/// A queue in equilibrium that nobody leaves unanswered.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ErlangC {
    /// The share of callers who wait at all.
    pub waiting: f64,
    /// Average speed of answer, in seconds, those answered at once included.
    pub asa_s: f64,
    /// The share of their time for which operators are busy.
    pub occupancy: f64,
    /// At which a caller who waits leaves the queue, per second: (n − A) / AHT.
    drain_per_s: f64,
}

/// A queue in equilibrium whose callers give up after a patience that is exponential.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ErlangA {
    /// The share of callers who wait at all.
    pub waiting: f64,
    /// The share of callers who give up.
    pub abandonment: f64,
    /// Mean wait of all callers, in seconds, however it ends.
    pub wait_s: f64,
    /// The share of their time for which operators are busy.
    pub occupancy: f64,
}

impl Load {
    /// The load in erlangs: how many operators would be busy if there were enough.
    pub fn erlang(self) -> f64 {
        self.calls_per_s * self.handling_s
    }

    fn checked(self) -> Result<Self, ErlangError> {
        positive("the arrival rate", self.calls_per_s)?;
        positive("the handling time", self.handling_s)?;
        Ok(self)
    }
}

impl ErlangC {
    /// Erlang's formula for waiting (A. K. Erlang 1917; the recursion of `blocking`).
    ///
    /// # Errors
    /// With a load of as many erlangs as there are operators or more, and for rates that are not above zero.
    pub fn new(load: Load, operators: u32) -> Result<Self, ErlangError> {
        let erlang = load.checked()?.erlang();
        let n = f64::from(operators);
        if erlang >= n {
            return Err(ErlangError::Overloaded { erlang, operators });
        }
        let blocked = blocking(erlang, operators);
        let waiting = n * blocked / (n - erlang * (1.0 - blocked));
        let drain_per_s = (n - erlang) / load.handling_s;
        Ok(Self { waiting, asa_s: waiting / drain_per_s, occupancy: erlang / n, drain_per_s })
    }

    /// The share of callers who are answered within so many seconds.
    pub fn service_level(&self, within_s: f64) -> f64 {
        1.0 - self.waiting * (-self.drain_per_s * within_s).exp()
    }
}

impl ErlangA {
    /// The M/M/n+M queue (C. Palm 1957): `patience_s` is the mean patience, in seconds. It is stable under any load.
    ///
    /// # Errors
    /// For rates or a patience that are not above zero, and without operators.
    pub fn new(load: Load, operators: u32, patience_s: f64) -> Result<Self, ErlangError> {
        let erlang = load.checked()?.erlang();
        let n = f64::from(operators);
        positive("the number of operators", n)?;
        positive("the patience", patience_s)?;
        let queue = Queue::of(load.calls_per_s, n / load.handling_s, 1.0 / patience_s);
        // All states in units of the one in which every operator is busy and nobody waits.
        let blocked = blocking(erlang, operators);
        let states = queue.states + queue.unit * (1.0 - blocked) / blocked;
        let abandonment = queue.waiting / states / patience_s / load.calls_per_s;
        let occupancy = erlang * (1.0 - abandonment) / n;
        Ok(Self { waiting: queue.states / states, abandonment, wait_s: abandonment * patience_s, occupancy })
    }
}

/// The states in which every operator is busy, by how many wait.
struct Queue {
    /// The weight of the state in which nobody waits.
    unit: f64,
    /// Their weights added up.
    states: f64,
    /// Their weights times how many wait.
    waiting: f64,
}

impl Queue {
    /// A weight beyond this makes all of them smaller, so that an overload of any size fits into a number.
    const LARGEST: f64 = 1e200;

    fn of(arrivals: f64, served: f64, gives_up: f64) -> Self {
        let mut sums = Self { unit: 1.0, states: 1.0, waiting: 0.0 };
        let (mut weight, mut waiting) = (1.0, 0.0);
        loop {
            waiting += 1.0;
            let ratio = arrivals / (served + waiting * gives_up);
            weight *= ratio;
            sums.states += weight;
            sums.waiting += waiting * weight;
            if ratio < 1.0 && waiting * weight / (1.0 - ratio) < sums.waiting * f64::EPSILON {
                return sums;
            }
            if weight > Self::LARGEST {
                weight /= Self::LARGEST;
                sums = Self { unit: sums.unit / Self::LARGEST, states: sums.states / Self::LARGEST, waiting: sums.waiting / Self::LARGEST };
            }
        }
    }
}

/// Erlang's formula for loss: the share that finds all operators busy where nobody may wait.
fn blocking(erlang: f64, operators: u32) -> f64 {
    (1..=operators).fold(1.0, |blocked, k| erlang * blocked / (f64::from(k) + erlang * blocked))
}

fn positive(what: &'static str, value: f64) -> Result<(), ErlangError> {
    if value > 0.0 && value.is_finite() { Ok(()) } else { Err(ErlangError::NotPositive { what, value }) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// One call a second, so that the handling time is the load.
    fn erlangs(erlang: f64) -> Load {
        Load { calls_per_s: 1.0, handling_s: erlang }
    }

    fn close(left: f64, right: f64, within: f64) {
        assert!((left - right).abs() < within, "{left} is not {right}");
    }

    #[test]
    fn two_erlangs_for_three_operators_wait_in_four_of_nine_cases() {
        close(ErlangC::new(erlangs(2.0), 3).unwrap().waiting, 4.0 / 9.0, 1e-15);
    }

    #[test]
    fn the_published_vector_of_erlang_c() {
        let queue = ErlangC::new(Load { calls_per_s: 100.0 / 1800.0, handling_s: 180.0 }, 14).unwrap();
        close(queue.waiting, 0.174_131_933_595_049_8, 1e-12);
        close(queue.service_level(20.0), 0.888_350_019_179_466_9, 1e-12);
        close(queue.asa_s, 7.835_937_011_777_24, 1e-10);
        close(queue.occupancy, 0.714_285_7, 1e-7);
    }

    #[test]
    fn the_plausible_city_answers_its_busy_hour() {
        let busy_hour = Load { calls_per_s: 231.0 / 3600.0, handling_s: 240.0 };
        close(busy_hour.erlang(), 15.4, 1e-9);
        close(ErlangC::new(busy_hour, 19).unwrap().service_level(20.0), 0.784, 5e-4);
        close(ErlangC::new(busy_hour, 20).unwrap().service_level(20.0), 0.867, 5e-4);
        let night = Load { calls_per_s: 60.0 / 3600.0, handling_s: 240.0 };
        close(ErlangC::new(night, 8).unwrap().service_level(20.0), 0.958, 5e-4);
    }

    #[test]
    fn a_queue_that_grows_without_bound_is_an_error() {
        assert_eq!(ErlangC::new(erlangs(3.0), 3), Err(ErlangError::Overloaded { erlang: 3.0, operators: 3 }));
        assert!(ErlangC::new(erlangs(1.0), 0).is_err());
        assert!(ErlangC::new(Load { calls_per_s: f64::NAN, handling_s: 1.0 }, 3).is_err());
        assert!(ErlangA::new(erlangs(1.0), 0, 60.0).is_err());
    }

    #[test]
    fn the_published_vector_of_erlang_a() {
        let queue = ErlangA::new(Load { calls_per_s: 0.8, handling_s: 60.0 }, 50, 120.0).unwrap();
        close(queue.abandonment, 0.030_912_2, 5e-8);
        close(queue.wait_s, 3.709_47, 5e-6);
        close(queue.waiting, 0.467_774, 5e-7);
        close(queue.occupancy, 0.930_324, 5e-7);
    }

    #[test]
    fn patience_as_long_as_handling_makes_the_state_a_poisson_number() {
        let queue = ErlangA::new(erlangs(10.0), 12, 10.0).unwrap();
        close(queue.waiting, 0.303_223_853_696_893_2, 1e-12);
        close(queue.abandonment, 0.053_091_625_4, 5e-11);
    }

    #[test]
    fn an_overload_of_any_size_has_an_answer() {
        // Ten operators for a hundred erlangs: nine of ten callers must give up.
        let queue = ErlangA::new(Load { calls_per_s: 100.0, handling_s: 1.0 }, 10, 100.0).unwrap();
        close(queue.abandonment, 0.9, 1e-9);
        close(queue.waiting, 1.0, 1e-9);
        close(queue.occupancy, 1.0, 1e-9);
    }
}
