//! What happens to calls, told as stories in virtual time? Each drives the core through its inputs and outputs alone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod hang_ups;
mod lines;
mod offers;
mod operators;
mod plan_walk;
mod queues;
mod reload;
mod restart;
mod story;
mod troubles;
