//! What does a day of the city sound like? Seeded callers and robot operators that speak SIP and RTP to any server.
//!
//! Callers speak in chirps of band 0, operators in band 1: each side knows by the other's voice that a talk has begun.

mod callers;
mod dice;
mod operators;
pub mod summary;

pub use callers::{CallerOptions, run_callers};
pub use operators::{OperatorOptions, run_operators};

use std::time::Duration;

/// The band in which callers chirp.
pub const CALLERS_BAND: u8 = 0;
/// The band in which operators chirp.
pub const OPERATORS_BAND: u8 = 1;
/// Calls that are still up after the end get so long before they are hung up.
const DRAIN: Duration = Duration::from_secs(30);
/// Time between two reports of progress.
const PROGRESS: Duration = Duration::from_secs(1);
