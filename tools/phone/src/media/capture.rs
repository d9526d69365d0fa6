//! What did a leg receive, when, and how evenly?

use crate::media::codec::{Codec, Ear};
use crate::media::rtp::Header;

/// Gaps of up to 200 ms have a bin of 1 ms each; the last bin holds all that are longer.
const BINS: usize = 201;

/// How packets came in: counts, sequence and the time between two of them.
#[derive(Clone, Debug)]
pub struct Arrivals {
    /// Packets of sound.
    pub packets: u64,
    /// Numbers missing in the sequence.
    pub lost: u64,
    /// Packets that came again or after their successor.
    pub late_or_twice: u64,
    /// Changes of the SSRC.
    pub restarts: u64,
    /// What was no packet of RTP in the agreed codec.
    pub foreign: u64,
    /// Kernel's arrival time of the first and the last packet, nanoseconds since the epoch; 0 before the first.
    pub first_ns: u64,
    pub last_ns: u64,
    /// Longest time between two packets, microseconds.
    pub longest_gap_us: u64,
    /// Gaps of more than 40 ms.
    pub over_40ms: u64,
    gaps: Vec<u32>,
    sequence: u16,
    ssrc: u32,
}

impl Default for Arrivals {
    fn default() -> Self {
        Self {
            packets: 0,
            lost: 0,
            late_or_twice: 0,
            restarts: 0,
            foreign: 0,
            first_ns: 0,
            last_ns: 0,
            longest_gap_us: 0,
            over_40ms: 0,
            gaps: vec![0; BINS],
            sequence: 0,
            ssrc: 0,
        }
    }
}

impl Arrivals {
    /// Counts one packet; `digit` packets belong to the flow but carry no sound.
    pub(super) fn count(&mut self, header: Header, at_ns: u64) {
        self.packets += 1;
        if self.first_ns == 0 {
            self.first_ns = at_ns;
        } else {
            self.count_gap(at_ns.saturating_sub(self.last_ns) / 1000);
            self.count_sequence(header);
        }
        self.last_ns = at_ns;
        if self.ssrc != header.ssrc || self.packets == 1 || header.sequence.wrapping_sub(self.sequence) < 0x8000 {
            self.sequence = header.sequence;
        }
        self.ssrc = header.ssrc;
    }

    fn count_gap(&mut self, gap_us: u64) {
        self.longest_gap_us = self.longest_gap_us.max(gap_us);
        self.over_40ms += u64::from(gap_us > 40_000);
        if let Some(bin) = self.gaps.get_mut((gap_us / 1000).min(BINS as u64 - 1) as usize) {
            *bin += 1;
        }
    }

    fn count_sequence(&mut self, header: Header) {
        if header.ssrc != self.ssrc {
            self.restarts += 1;
            return;
        }
        match header.sequence.wrapping_sub(self.sequence) {
            0 | 0x8000.. => self.late_or_twice += 1,
            ahead => self.lost += u64::from(ahead) - 1,
        }
    }

    /// Begins the counts anew, at the start of a measured window; the flow itself goes on.
    pub fn reset(&mut self) {
        let (sequence, ssrc, last_ns) = (self.sequence, self.ssrc, self.last_ns);
        *self = Self { sequence, ssrc, last_ns, first_ns: last_ns, ..Self::default() };
    }

    /// Adds another leg's counts; first and last become the earliest and the latest.
    pub fn add(&mut self, other: &Self) {
        self.packets += other.packets;
        self.lost += other.lost;
        self.late_or_twice += other.late_or_twice;
        self.restarts += other.restarts;
        self.foreign += other.foreign;
        self.first_ns = if self.first_ns == 0 { other.first_ns } else { self.first_ns.min(other.first_ns.max(1)) };
        self.last_ns = self.last_ns.max(other.last_ns);
        self.longest_gap_us = self.longest_gap_us.max(other.longest_gap_us);
        self.over_40ms += other.over_40ms;
        for (mine, theirs) in self.gaps.iter_mut().zip(&other.gaps) {
            *mine += theirs;
        }
    }

    /// The gap in ms that a share (0 to 1) of all gaps does not exceed; 0 when there is none.
    pub fn gap_ms(&self, share: f64) -> u64 {
        let total: u64 = self.gaps.iter().map(|count| u64::from(*count)).sum();
        let wanted = (total as f64 * share).ceil() as u64;
        let mut seen = 0;
        let bin = self.gaps.iter().position(|count| {
            seen += u64::from(*count);
            seen >= wanted.max(1)
        });
        bin.unwrap_or(0) as u64
    }

    /// Packets that 50 a second make between the first and the last arrival.
    pub fn expected(&self) -> u64 {
        if self.packets == 0 { 0 } else { (self.last_ns.saturating_sub(self.first_ns) + 10_000_000) / 20_000_000 + 1 }
    }
}

/// One packet that was kept.
#[derive(Clone, Copy, Debug)]
struct Packet {
    at_ns: u64,
    header: Header,
    codec: Codec,
    from: u32,
    length: u16,
}

/// What a leg heard. Keeps at most the number of packets it was made for; what comes later is counted, not kept.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    pub arrivals: Arrivals,
    /// Keys by RFC 4733 with their arrival time in nanoseconds.
    pub digits: Vec<(u64, char)>,
    packets: Vec<Packet>,
    bytes: Vec<u8>,
    limit: usize,
}

impl Heard {
    /// Keeps sound of up to so many packets (50 a second).
    pub(super) fn with_limit(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    pub(super) fn keep(&mut self, header: Header, codec: Codec, payload: &[u8], at_ns: u64) {
        if self.packets.len() >= self.limit {
            return;
        }
        let packet = Packet { at_ns, header, codec, from: self.bytes.len() as u32, length: payload.len() as u16 };
        self.packets.push(packet);
        self.bytes.extend_from_slice(payload);
    }

    pub(super) fn forget_sound(&mut self) {
        self.packets.clear();
        self.bytes.clear();
    }

    /// The sound on the sender's own time line: packets at the place that their RTP timestamp names, silence where one is missing.
    ///
    /// A new SSRC, or a jump of more than a minute, continues at the place that its arrival time suggests.
    pub fn timeline(&self) -> Timeline {
        let mut timeline = Timeline::default();
        let mut last: Option<(&Packet, usize)> = None;
        let mut ear: Option<(Codec, Ear)> = None;
        for packet in &self.packets {
            let at = last.map_or(0, |(before, place)| place_after(before, place, packet, timeline.pcm.len()));
            let (_, ear) = match &mut ear {
                Some(known) if known.0 == packet.codec => known,
                other => other.insert((packet.codec, Ear::new(packet.codec))),
            };
            timeline.put(at, &ear.hear(self.payload(packet)), packet.at_ns);
            last = Some((packet, at));
        }
        timeline.marks.sort_unstable();
        timeline
    }

    /// The sound of the last packets, in the order they came in.
    pub fn recent(&self, packets: usize) -> Vec<i16> {
        let from = self.packets.len().saturating_sub(packets);
        let mut ear = Ear::new(self.packets.last().map_or(Codec::Alaw, |packet| packet.codec));
        self.packets.iter().skip(from).flat_map(|packet| ear.hear(self.payload(packet))).collect()
    }

    fn payload(&self, packet: &Packet) -> &[u8] {
        let from = packet.from as usize;
        self.bytes.get(from..from + usize::from(packet.length)).unwrap_or_default()
    }
}

fn place_after(before: &Packet, place: usize, packet: &Packet, end: usize) -> usize {
    const MINUTE: i64 = 60 * 8000;
    let step = i64::from(packet.header.timestamp.wrapping_sub(before.header.timestamp) as i32) / i64::from(packet.codec.steps());
    if packet.header.ssrc == before.header.ssrc && step.abs() < MINUTE {
        return (place as i64 + step).max(0) as usize;
    }
    let passed = packet.at_ns.saturating_sub(before.at_ns) / 125_000;
    (place + passed.min(MINUTE as u64) as usize).max(end)
}

/// Received sound with the arrival time of every part.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// 16-bit PCM at 8 kHz.
    pub pcm: Vec<i16>,
    /// Place of each packet's first sample, and its arrival.
    marks: Vec<(usize, u64)>,
}

impl Timeline {
    fn put(&mut self, at: usize, sound: &[i16], at_ns: u64) {
        let end = at + sound.len();
        if self.pcm.len() < end {
            self.pcm.resize(end, 0);
        }
        for (place, sample) in self.pcm.iter_mut().skip(at).zip(sound) {
            *place = *sample;
        }
        self.marks.push((at, at_ns));
    }

    /// When the packet with that sample came in, nanoseconds since the epoch, plus the sample's place in the packet.
    pub fn arrival_ns(&self, sample: usize) -> Option<u64> {
        let after = self.marks.partition_point(|(at, _)| *at <= sample);
        let (at, ns) = self.marks.get(after.checked_sub(1)?)?;
        Some(ns + (sample - at) as u64 * 125_000)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::media::g711::Law;

    fn header(sequence: u16, ssrc: u32) -> Header {
        Header { marker: false, payload_type: 8, sequence, timestamp: u32::from(sequence).wrapping_mul(160), ssrc }
    }

    #[test]
    fn counts_loss_repeats_and_gaps() {
        let mut arrivals = Arrivals::default();
        for (sequence, ms) in [(65_534, 0), (65_535, 20), (1, 60), (0, 65), (1, 66), (2, 120)] {
            arrivals.count(header(sequence, 1), 1_000_000_000 + ms * 1_000_000);
        }
        assert_eq!((arrivals.packets, arrivals.lost, arrivals.late_or_twice), (6, 1, 2));
        assert_eq!((arrivals.over_40ms, arrivals.longest_gap_us, arrivals.gap_ms(0.5)), (1, 54_000, 20));
        assert_eq!(arrivals.expected(), 7);
    }

    #[test]
    fn the_timeline_puts_packets_where_they_belong() {
        let mut heard = Heard::with_limit(10);
        for (sequence, value) in [(10, 1000), (12, 3000), (11, 2000)] {
            let payload = [Law::Alaw.encode(value); 160];
            heard.keep(header(sequence, 1), Codec::Alaw, &payload, u64::from(sequence) * 20_000_000);
        }
        let timeline = heard.timeline();
        let about: Vec<i16> = [0, 160, 320].iter().map(|at| (timeline.pcm[*at] + 60) / 1000).collect();
        assert_eq!((about, timeline.pcm.len()), (vec![1, 2, 3], 480));
        assert_eq!(timeline.arrival_ns(170), Some(11 * 20_000_000 + 10 * 125_000));
    }

    #[test]
    fn a_new_source_goes_on_where_its_time_is() {
        let mut heard = Heard::with_limit(10);
        heard.keep(header(1, 1), Codec::Ulaw, &[0; 160], 0);
        heard.keep(header(900, 2), Codec::Ulaw, &[0; 160], 100_000_000);
        assert_eq!(heard.timeline().pcm.len(), 960);
    }
}
