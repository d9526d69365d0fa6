//! What of a leg outlives its process, and how does it go on in the next?

use std::net::{IpAddr, SocketAddr};

use super::Leg;
use crate::centre::time::Time;
use crate::media::persist::{KEEP_EVERY_PACKETS, KEEP_EVERY_US, Record};
use crate::media::sdes::Secured;
use crate::private::Private;

impl Leg {
    /// Notes the description that the terms were taken from, for the next process.
    pub fn note_theirs(&mut self, text: String, signalled: Option<IpAddr>) {
        self.theirs = Some((Private::new(text), signalled));
        self.kept_until_us = 0;
    }

    /// What the next process needs of it, when that has changed or its numbers have moved on.
    pub fn record(&mut self, now: impl FnOnce() -> Time, now_us: u64) -> Option<Record> {
        if now_us < self.kept_until_us && !self.has_moved_on() {
            return None;
        }
        let (theirs, signalled) = self.theirs.clone()?;
        self.kept_until_us = now_us + KEEP_EVERY_US;
        self.kept_sequence = self.out.next_sequence();
        self.kept_key |= self.secured.is_some();
        Some(Record {
            port: self.port()?,
            ssrc: self.out.ssrc(),
            sequence: self.out.next_sequence(),
            timestamp: self.out.timestamp_at(now_us),
            at: now(),
            latched: self.remote.latched(),
            ours: Private::new(self.author.said()),
            theirs,
            signalled,
            secured: self.secured.as_ref().zip(self.author.keys.ours()).map(|(secured, ours)| secured.stand(ours)),
        })
    }

    /// Whether a protected stream has used up the numbers that its last record leaves: fast senders, and jumps of theirs.
    fn has_moved_on(&self) -> bool {
        self.secured.is_some() && self.out.next_sequence().wrapping_sub(self.kept_sequence) >= KEEP_EVERY_PACKETS
    }

    /// Whether a key of ours may lie in its record.
    pub fn has_kept_key(&self) -> bool {
        self.kept_key
    }

    /// Goes on with the protection of a former process.
    pub fn secure(&mut self, secured: Option<Box<Secured>>) {
        self.kept_key |= secured.is_some();
        self.secured = secured;
    }

    /// Goes on sending to the source that a former process had settled on.
    pub fn settle(&mut self, source: SocketAddr) {
        self.remote.settle(source);
    }
}
