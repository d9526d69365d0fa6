//! What is due when? One heap of moments; the owner of each knows whether its moment still counts.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::centre::ids::LegId;
use crate::centre::time::Time;

use super::clients::ClientId;
use super::servers::ServerId;

/// T1: the estimate of a round trip, in milliseconds (RFC 3261 §17.1.1.1).
pub const T1_MS: u64 = 500;
/// T2: the longest pause between two retransmissions of what is not an INVITE.
pub const T2_MS: u64 = 4_000;
/// T4: how long a message may stay in the network.
pub const T4_MS: u64 = 5_000;
/// 64·T1: after this a transaction has failed, and a final answer is not repeated any more.
pub const GIVE_UP_MS: u64 = 64 * T1_MS;

/// Whose moment it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Due {
    /// A server transaction repeats its answer, or ends.
    Server(ServerId),
    /// A client transaction repeats its request, or ends.
    Client(ClientId),
    /// A leg has waited long enough.
    Leg(LegId),
}

/// All moments. An entry stays when its owner moves on: the owner keeps the moment that counts and ignores all others.
#[derive(Default)]
pub struct Timers(BinaryHeap<Reverse<(Time, Due)>>);

impl Timers {
    /// Adds a moment.
    pub fn set(&mut self, at: Time, due: Due) {
        self.0.push(Reverse((at, due)));
    }

    /// The next moment that still counts; those before it are forgotten, so that nobody is woken for them.
    pub fn next(&mut self, counts: impl Fn(Time, Due) -> bool) -> Option<Time> {
        while let Some(Reverse((at, due))) = self.0.peek().copied() {
            if counts(at, due) {
                return Some(at);
            }
            self.0.pop();
        }
        None
    }

    /// Takes out one moment that has come.
    pub fn pop(&mut self, now: Time) -> Option<(Time, Due)> {
        if self.0.peek().is_none_or(|Reverse((at, _))| *at > now) {
            return None;
        }
        self.0.pop().map(|Reverse(entry)| entry)
    }
}
