//! What happens to calls, told as stories in virtual time? Each drives the core through its inputs and outputs alone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod call_outs;
mod colleagues;
mod consults;
mod desk_work;
mod early;
mod hang_ups;
mod holds;
mod lines;
mod notices;
mod offers;
mod operators;
mod plan_walk;
mod queues;
mod refers;
mod reload;
mod restart;
mod story;
mod supervision;
mod transfers;
mod troubles;
