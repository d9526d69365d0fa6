//! What happens to calls, told as stories in virtual time? Each drives the core through its inputs and outputs alone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod ages;
mod call_outs;
pub mod callbacks;
mod colleagues;
mod consults;
mod credits;
mod desk_work;
mod digits;
mod early;
mod estimates;
mod evacuation;
mod hang_ups;
mod holds;
mod lines;
mod notices;
mod offers;
mod operators;
mod pages;
mod plan_walk;
mod queues;
mod refers;
mod reload;
mod restart;
mod routing;
mod shifts;
mod steering;
pub mod story;
mod supervision;
mod surge;
mod transfers;
mod troubles;
mod why;
