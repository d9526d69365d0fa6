//! What of a leg's sound outlives the process? Its port, its stream's numbers and what was agreed with the far end, kept while it is up.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::centre::ids::LegId;
use crate::centre::time::Time;
use crate::kept::{Kept, KeptError};
use crate::media::codec::RATE_HZ;
use crate::media::sdes::Stand;
use crate::private::Private;

/// A leg's numbers are kept anew after so many microseconds; what was sent since is reckoned from the clock.
pub const KEEP_EVERY_US: u64 = 30_000_000;
/// Packets that a stream may have sent beyond fifty a second: its sequence goes on above them.
const PACKETS_AHEAD: u64 = 100;
/// A protected leg's numbers are kept anew after so many packets, too: none may be sent that the next process does not skip.
pub const KEEP_EVERY_PACKETS: u16 = 1_000;
/// Numbers that a protected stream may skip: a receiver takes a sequence number for the nearest (RFC 3711 §3.3.1).
const MOST_SKIPPED: u64 = 0x7000;
/// Records of legs that are over stay at most this many: nobody wants them.
const LINGERING: usize = 64;
/// Milliseconds of a packet.
const PACKET_MS: u64 = 20;

/// One leg, as the next process needs it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Our RTP port.
    pub port: u16,
    /// Our stream.
    pub ssrc: u32,
    /// The sequence number of its next packet.
    pub sequence: u16,
    /// The timestamp of this moment.
    pub timestamp: u32,
    /// When that was.
    pub at: Time,
    /// Where sound goes, if that is settled.
    pub latched: Option<SocketAddr>,
    /// Our last description.
    pub ours: Private<String>,
    /// The far end's last description.
    pub theirs: Private<String>,
    /// Where the message that brought it came from.
    pub signalled: Option<IpAddr>,
    /// Where its protection stands, if it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secured: Option<Stand>,
}

impl Record {
    /// The sequence number and the timestamp with which the stream goes on at `now`: above all that were sent, and by the clock, which
    /// has so many steps a moment of 1/8000 s.
    pub fn goes_on(&self, now: Time, steps_a_moment: u32) -> (u16, u32) {
        let passed_ms = now.ms_since(self.at);
        let steps = (passed_ms.saturating_mul(RATE_HZ as u64) / 1_000).wrapping_mul(steps_a_moment.into());
        (self.sequence.wrapping_add(self.packets(now) as u16), self.timestamp.wrapping_add(steps as u32))
    }

    /// How far the sequence goes on. A protected stream must repeat no number, or it gives two packets away, so that it does not trust the
    /// clock alone: it skips what could have been sent from one record to the next, and as much for the turn that ends with it.
    /// `None` when the far end could not tell how often it has wrapped.
    pub fn packets_protected(&self, now: Time) -> Option<u64> {
        Some(self.packets(now) + 2 * u64::from(KEEP_EVERY_PACKETS)).filter(|packets| *packets < MOST_SKIPPED)
    }

    fn packets(&self, now: Time) -> u64 {
        now.ms_since(self.at) / PACKET_MS + PACKETS_AHEAD
    }
}

/// What a former process left of its legs.
pub struct Survivors {
    /// The file, which goes on being written.
    pub kept: Arc<Kept<LegId>>,
    /// Its records.
    pub records: Vec<(LegId, Record)>,
}

impl Survivors {
    /// Opens the file in this folder. Records of legs that are not `wanted` are forgotten.
    pub fn open(folder: &Path, wanted: &BTreeSet<LegId>) -> Result<Survivors, KeptError> {
        let (kept, mut records) = Kept::<LegId>::open::<Record>(&folder.join("sound"), LINGERING)?;
        records.retain(|(leg, _)| {
            let is_wanted = wanted.contains(leg);
            if !is_wanted {
                kept.wipe(leg);
            }
            is_wanted
        });
        Ok(Survivors { kept: Arc::new(kept), records })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_goes_on_above_all_that_was_sent_and_by_the_clock() {
        let record = Record {
            port: 30_000,
            ssrc: 7,
            sequence: 65_500,
            timestamp: u32::MAX - 7_999,
            at: Time(1_000),
            latched: None,
            ours: Private::new(String::new()),
            theirs: Private::new(String::new()),
            signalled: None,
            secured: None,
        };
        assert_eq!((record.packets_protected(Time(1_000)), record.packets_protected(Time(600_000))), (Some(2_100), None));
        assert_eq!(record.goes_on(Time(1_000), 1), (64, u32::MAX - 7_999));
        assert_eq!(record.goes_on(Time(3_000), 1), (164, 8_000), "two seconds later");
        assert_eq!(record.goes_on(Time(3_000), 6), (164, 88_000), "at 48 kHz");
    }
}
