//! Who gets which call? A pure, deterministic core: no IO, no async, no clock, no randomness of its own.

pub mod dialplan;
pub mod fact;
pub mod ids;
pub mod input;
pub mod output;
pub mod routing;
pub mod schedule;
pub mod settings;
pub mod time;
