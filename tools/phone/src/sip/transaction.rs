//! What was sent and is not answered yet, and what must be said again when it is asked again (RFC 3261 §17)?

use std::time::{Duration, Instant};

use super::agent::{CallKey, RegistrationKey};
use super::message::Message;
use super::transport::Peer;

/// First interval of a retransmission (T1).
pub const T1: Duration = Duration::from_millis(500);
/// Longest interval (T2).
pub const T2: Duration = Duration::from_secs(4);
/// When a request without an answer has failed (timers B, F, H: 64 × T1).
pub const GIVE_UP: Duration = Duration::from_secs(32);

/// What a request of ours is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Invite(CallKey),
    Reinvite(CallKey),
    Cancel,
    Bye(CallKey),
    /// INFO and OPTIONS: the answer is reported, a failure changes nothing.
    Ask(Option<CallKey>),
    Register(RegistrationKey),
}

/// A request of ours that waits for its final answer.
#[derive(Debug)]
pub(super) struct Transaction {
    pub purpose: Purpose,
    pub request: Message,
    pub bytes: Vec<u8>,
    pub to: Peer,
    pub interval: Duration,
    /// A provisional answer came: an INVITE is not sent again, another request at T2.
    pub proceeding: bool,
    /// Credentials were sent already: a second challenge is a refusal.
    pub proven: bool,
}

impl Transaction {
    pub fn is_invite(&self) -> bool {
        matches!(self.purpose, Purpose::Invite(_) | Purpose::Reinvite(_))
    }

    /// Counts the interval on (timers A and E) and says when the next repetition is due.
    pub fn back_off(&mut self, now: Instant) -> Instant {
        self.interval = if self.is_invite() {
            self.interval * 2
        } else if self.proceeding {
            T2
        } else {
            (self.interval * 2).min(T2)
        };
        now + self.interval
    }
}

/// Something that was sent last in a transaction of the other side, or for one of ours that ended.
#[derive(Debug)]
pub(super) struct Said {
    pub bytes: Vec<u8>,
    pub to: Peer,
    /// The interval at which it is sent until an ACK comes (timer G); none for what is only sent when asked again.
    pub until_ack: Option<Duration>,
    pub forget: Instant,
}
