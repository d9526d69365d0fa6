//! What do the two ends tell each other about reception? Sender reports with a name that says nothing, and goodbye (RFC 3550 §6).

use rtcp_types::{
    Bye, Compound, Packet as RtcpPacket, ReceiverReport, ReportBlock, RtcpPacketWriterExt, Sdes, SdesChunk, SdesItem, SenderReport,
};

use crate::centre::time::Time;
use crate::media::quality::Reported;
use crate::media::rtp::{Received, samples_between};

/// Room for the largest report of ours.
pub const MAX_REPORT: usize = 160;

/// Seconds from the NTP epoch (1900) to the Unix epoch (RFC 5905).
const NTP_AHEAD_S: u64 = 2_208_988_800;

/// What a sender report says of our own stream.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// Our stream.
    pub ssrc: u32,
    /// The timestamp of this moment.
    pub timestamp: u32,
    /// Packets sent.
    pub packets: u32,
    /// Payload bytes sent.
    pub octets: u32,
}

/// A second of packets: who was sent fewer since the last report cannot tell whether anything arrives.
const ENOUGH_PACKETS: u32 = 50;
/// A far end that misses this many of 256 hears nothing.
const NOTHING_256TH: u8 = 250;
/// Longer round trips are none: the answer is to another report.
const LONGEST_TRIP_US: u64 = 10_000_000;
/// Far ends that count in milliseconds say by up to so much more than they took; on a short way that is more than the trip.
const ROUNDING_US: u64 = 2_000;

/// What the far end has reported.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FarReports {
    /// Middle 32 bits of the NTP time of its last sender report, 0 before the first.
    last_sender_report: u32,
    /// When that arrived, in microseconds.
    arrived_us: u64,
    /// The last two reports of ours: the same middle 32 bits, and when each went out.
    ours: [Option<(u32, u64)>; 2],
    round_trip_us: Option<u64>,
    of_ours: Option<OfOurs>,
    /// What we had sent when it last reported.
    sent: u32,
    unheard: bool,
}

/// What a page reports of our stream, as its own thread has read it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Told {
    /// Lost since the report before, in 1/256.
    pub fraction_256th: u8,
    /// Lost in all.
    pub lost: u32,
    /// Highest sequence number, with its wraps.
    pub highest: u32,
    /// In samples.
    pub jitter: u32,
    /// Round trip, in microseconds.
    pub trip_us: Option<u64>,
}

/// What a report block of the far end says of our stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct OfOurs {
    sent: u32,
    lost: u32,
    highest: u32,
    /// In samples.
    jitter: u32,
}

impl FarReports {
    /// Takes note of a datagram that arrived at `at_us`; what is no RTCP changes nothing.
    pub fn read(&mut self, datagram: &[u8], our: Sent, at_us: u64) {
        let Ok(packets) = Compound::parse(datagram) else { return };
        for packet in packets.flatten() {
            match packet {
                RtcpPacket::Sr(report) => {
                    self.last_sender_report = (report.ntp_timestamp() >> 16) as u32;
                    self.arrived_us = at_us;
                    self.note(report.report_blocks().find(|block| block.ssrc() == our.ssrc), our, at_us);
                }
                RtcpPacket::Rr(report) => self.note(report.report_blocks().find(|block| block.ssrc() == our.ssrc), our, at_us),
                _ => {}
            }
        }
    }

    /// A report of ours goes out.
    fn goes_out(&mut self, ntp: u64, now_us: u64) {
        self.ours = [Some(((ntp >> 16) as u32, now_us)), self.ours[0]];
    }

    /// Takes note of what a page has reported.
    pub fn told(&mut self, told: Told, our: Sent) {
        self.heed(Some(told), our);
        self.round_trip_us = told.trip_us.or(self.round_trip_us);
    }

    fn note(&mut self, block: Option<ReportBlock<'_>>, our: Sent, at_us: u64) {
        // The count is signed: copies make it negative.
        let lost = |block: &ReportBlock<'_>| u32::try_from(samples_between(0, block.cumulative_lost() << 8) >> 8).unwrap_or(0);
        let trip_us = block.as_ref().and_then(|block| self.trip_us(block, at_us));
        let told = block.map(|block| Told {
            fraction_256th: block.fraction_lost(),
            lost: lost(&block),
            highest: block.extended_sequence_number(),
            jitter: block.interarrival_jitter(),
            trip_us,
        });
        self.heed(told, our);
        self.round_trip_us = trip_us.or(self.round_trip_us);
    }

    /// A report of the far end, with what it says of our stream. One that has heard us leaves the block out when nothing of ours has
    /// arrived since the report before (RFC 3550 §6.4); of one that never had a block nothing can be said.
    fn heed(&mut self, told: Option<Told>, our: Sent) {
        let enough = our.packets.wrapping_sub(self.sent) >= ENOUGH_PACKETS;
        let silent = match (&told, self.of_ours) {
            (Some(told), Some(before)) => told.fraction_256th >= NOTHING_256TH || told.highest == before.highest,
            (Some(told), None) => told.fraction_256th >= NOTHING_256TH,
            (None, before) => before.is_some(),
        };
        if enough {
            self.unheard = silent;
        }
        self.sent = our.packets;
        let Some(Told { lost, highest, jitter, .. }) = told else { return };
        self.of_ours = Some(OfOurs { sent: our.packets, lost, highest, jitter });
    }

    /// RFC 3550 §6.4.1: from our report to the far end's answer, less how long that took.
    fn trip_us(&self, block: &ReportBlock<'_>, at_us: u64) -> Option<u64> {
        let last = block.last_sender_report_timestamp();
        let (_, sent_us) = self.ours.into_iter().flatten().find(|(ntp, _)| last != 0 && *ntp == last)?;
        let delay_us = u64::from(block.delay_since_last_sender_report_timestamp()) * 1_000_000 / 65_536;
        let trip_us = (at_us.checked_sub(sent_us)? + ROUNDING_US).checked_sub(delay_us)?.saturating_sub(ROUNDING_US);
        Some(trip_us).filter(|trip| *trip <= LONGEST_TRIP_US)
    }

    /// The last round trip, in microseconds; `None` before the far end has answered a report of ours.
    pub fn round_trip_us(&self) -> Option<u64> {
        self.round_trip_us
    }

    /// Whether it says that nothing of ours arrives.
    pub fn says_unheard(&self) -> bool {
        self.unheard
    }

    /// What it has said of our stream in all; `None` if nothing.
    pub fn reported(&self) -> Option<Reported> {
        let OfOurs { sent, lost, jitter, .. } = self.of_ours.filter(|of_ours| of_ours.sent > 0)?;
        Some(Reported { sent: sent.into(), lost: lost.min(sent).into(), jitter_us: jitter.saturating_mul(125) })
    }

    fn block(&self, received: Received, now_us: u64) -> rtcp_types::ReportBlockBuilder {
        // In 1/65536 s (RFC 3550 §6.4.1).
        let delay =
            if self.last_sender_report == 0 { 0 } else { now_us.saturating_sub(self.arrived_us).saturating_mul(65_536) / 1_000_000 };
        ReportBlock::builder(received.ssrc)
            .fraction_lost(received.fraction_lost)
            .cumulative_lost(received.lost)
            .extended_sequence_number(received.highest)
            .interarrival_jitter(received.jitter)
            .last_sender_report_timestamp(self.last_sender_report)
            .delay_since_last_sender_report_timestamp(u32::try_from(delay).unwrap_or(u32::MAX))
    }
}

/// Writes a report into `out` and returns its length; `None` if it does not fit.
pub fn write_report(
    out: &mut [u8; MAX_REPORT],
    sent: Sent,
    far: &mut FarReports,
    received: Option<Received>,
    now: Time,
    now_us: u64,
) -> Option<usize> {
    let block = received.map(|received| far.block(received, now_us));
    let name = cname(sent.ssrc);
    let names = Sdes::builder().add_chunk(SdesChunk::builder(sent.ssrc).add_item(SdesItem::builder(SdesItem::CNAME, &name)));
    let written = if sent.packets == 0 {
        let report = block.into_iter().fold(ReceiverReport::builder(sent.ssrc), |report, block| report.add_report_block(block));
        Compound::builder().add_packet(report).add_packet(names).write_into(out)
    } else {
        let time = ntp(now);
        far.goes_out(time, now_us);
        let report = SenderReport::builder(sent.ssrc)
            .ntp_timestamp(time)
            .rtp_timestamp(sent.timestamp)
            .packet_count(sent.packets)
            .octet_count(sent.octets);
        let report = block.into_iter().fold(report, |report, block| report.add_report_block(block));
        Compound::builder().add_packet(report).add_packet(names).write_into(out)
    };
    written.ok()
}

/// Writes the goodbye of a stream (RFC 3550 §6.6).
pub fn write_bye(out: &mut [u8; MAX_REPORT], ssrc: u32) -> Option<usize> {
    let name = cname(ssrc);
    let names = Sdes::builder().add_chunk(SdesChunk::builder(ssrc).add_item(SdesItem::builder(SdesItem::CNAME, &name)));
    let bye = Bye::builder().add_source(ssrc);
    Compound::builder().add_packet(ReceiverReport::builder(ssrc)).add_packet(names).add_packet(bye).write_into(out).ok()
}

/// A name that neither tells the host nor the caller (RFC 7022 §4.2: short-term persistent).
fn cname(ssrc: u32) -> String {
    format!("{ssrc:08x}@cityline")
}

fn ntp(now: Time) -> u64 {
    let seconds = (now.0 / 1_000 + NTP_AHEAD_S) & 0xffff_ffff;
    (seconds << 32) | (((now.0 % 1_000) << 32) / 1_000)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const OURS: Sent = Sent { ssrc: 7, timestamp: 1, packets: 1_000, octets: 160_000 };

    /// A report of an end whose stream is 9.
    fn report(far: &mut FarReports, received: Option<Received>, now: u64) -> Vec<u8> {
        let mut out = [0; MAX_REPORT];
        let sent = Sent { ssrc: 9, ..OURS };
        let length = write_report(&mut out, sent, far, received, Time(now), now * 1_000).unwrap();
        out[..length].to_vec()
    }

    fn received(highest: u32, fraction_lost: u8) -> Option<Received> {
        Some(Received { ssrc: 7, fraction_lost, lost: 3, highest, jitter: 40 })
    }

    #[test]
    fn two_ends_understand_each_other() {
        let mut far = FarReports::default();
        let text = report(&mut FarReports::default(), received(99, 12), 1_000);
        far.read(&text, OURS, 5);
        assert_eq!((far.reported(), far.arrived_us), (Some(Reported { sent: 1_000, lost: 3, jitter_us: 5_000 }), 5));
        far.read(&[1, 2, 3], OURS, 6);
        let mut out = [0; MAX_REPORT];
        let length = write_bye(&mut out, 9).unwrap();
        assert!(out[..length].windows(8).any(|bytes| bytes == b"00000009"), "goodbye has the name");
        assert!(text.windows(17).any(|bytes| bytes == b"00000009@cityline"));
    }

    #[test]
    fn the_round_trip_is_the_time_less_what_the_far_end_took() {
        let (mut us, mut them) = (FarReports::default(), FarReports::default());
        let ours = report(&mut us, None, 1_000);
        them.read(&ours, Sent { ssrc: 8, ..OURS }, 1_040_000);
        let Received { ssrc, .. } = received(99, 0).unwrap();
        let theirs = report(&mut them, Some(Received { ssrc, ..received(99, 0).unwrap() }), 1_540);
        us.read(&theirs, OURS, 1_620_000);
        let trip = us.round_trip_us().unwrap();
        assert!((119_900..=120_100).contains(&trip), "{trip}: 40 ms there, 80 back, 500 in between");
        us.read(&theirs, OURS, 60_000_000);
        assert_eq!(us.round_trip_us(), Some(trip), "an answer that old is to something else");
        us.read(&theirs, OURS, 1_490_000);
        assert_eq!(us.round_trip_us(), Some(trip), "it took longer than the whole way: that is none");
        us.read(&theirs, OURS, 1_499_000);
        assert_eq!(us.round_trip_us(), Some(0), "a far end that counts in milliseconds has rounded up");
    }

    #[test]
    fn a_far_end_that_hears_nothing_says_so_in_three_ways() {
        let heard = |first: Option<Received>, second: Option<Received>, packets: u32| {
            let mut far = FarReports::default();
            far.read(&report(&mut FarReports::default(), first, 1_000), OURS, 1);
            assert!(!far.says_unheard());
            far.read(&report(&mut FarReports::default(), second, 6_000), Sent { packets: OURS.packets + packets, ..OURS }, 2);
            !far.says_unheard()
        };
        assert!(heard(received(99, 0), received(349, 0), 250));
        assert!(!heard(received(99, 0), received(349, 252), 250), "all is lost");
        assert!(!heard(received(99, 0), received(99, 0), 250), "nothing since the last report");
        assert!(!heard(received(99, 0), None, 250), "not a word of us any more");
        assert!(heard(received(99, 0), None, 10), "we were hardly speaking");
        assert!(heard(None, None, 250), "it never says a word of us");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_break_it(mut bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..80), kind in 200u8..208) {
            if let [flags, named, ..] = bytes.as_mut_slice() {
                (*flags, *named) = (0x80 | *flags & 0x1f, kind);
            }
            FarReports::default().read(&bytes, OURS, 5);
        }
    }
}
