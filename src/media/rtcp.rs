//! What do the two ends tell each other about reception? Sender reports with a name that says nothing, and goodbye (RFC 3550 §6).

use rtcp_types::{
    Bye, Compound, Packet as RtcpPacket, ReceiverReport, ReportBlock, RtcpPacketWriterExt, Sdes, SdesChunk, SdesItem, SenderReport,
};

use crate::centre::time::Time;
use crate::media::rtp::Received;

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

/// The latest of what the far end reported.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FarReports {
    /// Middle 32 bits of the NTP time of its last sender report, 0 before the first.
    last_sender_report: u32,
    /// When that arrived, in microseconds.
    arrived_us: u64,
    /// Loss of our stream at the far end, in 1/256.
    pub fraction_lost: u8,
    /// Jitter of our stream at the far end, in samples.
    pub jitter: u32,
}

impl FarReports {
    /// Takes note of a datagram; what is no RTCP changes nothing.
    pub fn read(&mut self, datagram: &[u8], our_ssrc: u32, now_us: u64) {
        let Ok(packets) = Compound::parse(datagram) else { return };
        for packet in packets.flatten() {
            match packet {
                RtcpPacket::Sr(report) => {
                    self.last_sender_report = (report.ntp_timestamp() >> 16) as u32;
                    self.arrived_us = now_us;
                    report.report_blocks().for_each(|block| self.note(&block, our_ssrc));
                }
                RtcpPacket::Rr(report) => report.report_blocks().for_each(|block| self.note(&block, our_ssrc)),
                _ => {}
            }
        }
    }

    fn note(&mut self, block: &ReportBlock<'_>, our_ssrc: u32) {
        if block.ssrc() == our_ssrc {
            self.fraction_lost = block.fraction_lost();
            self.jitter = block.interarrival_jitter();
        }
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
    far: &FarReports,
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
        let report = SenderReport::builder(sent.ssrc)
            .ntp_timestamp(ntp(now))
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
    let bye = Bye::builder().add_source(ssrc);
    Compound::builder().add_packet(ReceiverReport::builder(ssrc)).add_packet(bye).write_into(out).ok()
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

    #[test]
    fn two_ends_understand_each_other() {
        let received = Received { ssrc: 7, fraction_lost: 12, lost: 3, highest: 99, jitter: 40 };
        let sent = Sent { ssrc: 9, timestamp: 1, packets: 2, octets: 320 };
        let mut out = [0; MAX_REPORT];
        let length = write_report(&mut out, sent, &FarReports::default(), Some(received), Time(1_000), 0).unwrap();
        let mut far = FarReports::default();
        far.read(out.get(..length).unwrap(), 7, 5);
        assert_eq!((far.fraction_lost, far.jitter, far.arrived_us), (12, 40, 5));
        far.read(&[1, 2, 3], 7, 6);
        assert!(write_bye(&mut out, 9).is_some());
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_break_it(mut bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..80), kind in 200u8..208) {
            if let [flags, named, ..] = bytes.as_mut_slice() {
                (*flags, *named) = (0x80 | *flags & 0x1f, kind);
            }
            FarReports::default().read(&bytes, 7, 5);
        }
    }
}
