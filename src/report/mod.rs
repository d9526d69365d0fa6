//! What do the figures mean? Pure: counts and states, folded from facts.

pub mod alerts;
pub mod board;
mod dead_lines;
pub mod league;
pub mod own_day;
pub mod resolution;
pub mod steering;
pub mod waits;
