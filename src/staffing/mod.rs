//! How many operators does it take, and how long do callers wait? Pure: Erlang's formulas, and a simulator that drives the real core.

#[cfg(test)]
mod agreement;
pub mod callers;
pub mod chance;
pub mod erlang;
pub mod estimates;
pub mod scenario;
pub mod simulate;
pub mod table;
pub mod tally;
