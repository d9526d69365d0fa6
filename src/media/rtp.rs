//! What is in an RTP packet, and what does its sender's stream look like? RFC 3550 §5.1 and §6.4.
//!
//! Parsing is our own twelve bytes instead of rtp-rs: forwarding writes the new header in place, straight before the
//! payload, and rtp-rs does not tell where in the buffer the payload lies.

use crate::media::quality::Arrived;

/// Bytes of a header without contributing sources and extension, as we send it.
pub const HEADER: usize = 12;

/// Signed distance from one sequence number to another, over the wrap.
pub fn steps(from: u16, to: u16) -> i32 {
    i32::from(to.wrapping_sub(from) as i16)
}

/// Signed distance from one timestamp to another, over the wrap.
pub fn samples_between(from: u32, to: u32) -> i64 {
    i64::from(to.wrapping_sub(from) as i32)
}

/// A parsed header, and where the payload lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packet {
    /// First packet of a talk spurt, or of an event.
    pub marker: bool,
    /// 0–127.
    pub payload_type: u8,
    /// Counts packets, wraps.
    pub sequence: u16,
    /// Counts samples, wraps.
    pub timestamp: u32,
    /// The sender's name for this stream.
    pub ssrc: u32,
    /// Where the payload begins in the datagram.
    pub begin: usize,
    /// Where it ends, padding left out.
    pub end: usize,
}

/// Reads a datagram; `None` if it is no RTP of version 2 or its lengths contradict each other.
pub fn parse(datagram: &[u8]) -> Option<Packet> {
    let head = datagram.first_chunk::<HEADER>()?;
    let [flags, kind, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3] = *head;
    if flags >> 6 != 2 {
        return None;
    }
    let mut begin = HEADER + 4 * usize::from(flags & 0x0f);
    if flags & 0x10 != 0 {
        let words = datagram.get(begin + 2..begin + 4)?.first_chunk::<2>()?;
        begin += 4 + 4 * usize::from(u16::from_be_bytes(*words));
    }
    let padding = if flags & 0x20 != 0 { usize::from(*datagram.last()?) } else { 0 };
    let end = datagram.len().checked_sub(padding)?;
    (begin <= end).then_some(Packet {
        marker: kind & 0x80 != 0,
        payload_type: kind & 0x7f,
        sequence: u16::from_be_bytes([s0, s1]),
        timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
        ssrc: u32::from_be_bytes([c0, c1, c2, c3]),
        begin,
        end,
    })
}

/// What a packet of ours says in its header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// First packet of a talk spurt.
    pub marker: bool,
    /// Sequence number.
    pub sequence: u16,
    /// Timestamp in samples.
    pub timestamp: u32,
    /// Our stream.
    pub ssrc: u32,
}

/// Writes a header.
pub fn write_header(out: &mut [u8; HEADER], stamp: Stamp, payload_type: u8) {
    let [s0, s1] = stamp.sequence.to_be_bytes();
    let [t0, t1, t2, t3] = stamp.timestamp.to_be_bytes();
    let [c0, c1, c2, c3] = stamp.ssrc.to_be_bytes();
    let kind = payload_type & 0x7f | if stamp.marker { 0x80 } else { 0 };
    *out = [0x80, kind, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3];
}

/// What has arrived of a far end's stream, for receiver reports and to drop copies.
#[derive(Default)]
pub struct Reception {
    stream: Option<Stream>,
    jitter_16th: u32,
    /// Steps of the timestamp a moment of 1/8000 s, where they are not one.
    steps_a_moment: Option<u32>,
    /// Of the streams before this one.
    before: Arrived,
}

struct Stream {
    ssrc: u32,
    first: u64,
    /// Highest sequence number, extended by the wraps.
    highest: u64,
    /// Bit `n`: `highest - n` has arrived.
    seen: u64,
    received: u64,
    /// Runs of losses that are too old to be filled, and whether the last such packet was lost.
    runs: u64,
    in_run: bool,
    transit: i64,
    reported: (u64, u64),
    /// What follows the last packet, if that one was older than `seen` reaches.
    after_old: Option<u16>,
}

/// Whether a packet is worth its work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Novelty {
    /// It has not been here before.
    New,
    /// The network delivered it twice, or so late that nobody can tell.
    Copy,
}

/// The figures of a report block (RFC 3550 §6.4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Received {
    /// Whose stream.
    pub ssrc: u32,
    /// Lost since the last report, in 1/256.
    pub fraction_lost: u8,
    /// Lost in all.
    pub lost: u32,
    /// Highest sequence number, with its wraps.
    pub highest: u32,
    /// Interarrival jitter in samples.
    pub jitter: u32,
}

/// Sequence numbers further apart than this belong to a sender that started anew (RFC 3550 A.1).
const RESTART: i32 = 3_000;

/// Packets that `seen` remembers.
const WINDOW: u32 = u64::BITS;

impl Reception {
    /// The clock of what arrives from here on: steps a moment of 1/8000 s.
    pub fn set_steps_a_moment(&mut self, steps: u32) {
        self.steps_a_moment = Some(steps.max(1));
    }

    /// The SSRC of the stream that is received.
    pub fn ssrc(&self) -> Option<u32> {
        self.stream.as_ref().map(|stream| stream.ssrc)
    }

    /// Takes note of a packet that arrived at `now_us`.
    pub fn note(&mut self, packet: &Packet, now_us: u64) -> Novelty {
        let arrival = i64::try_from(now_us / 125).unwrap_or(0).saturating_mul(self.steps_a_moment.unwrap_or(1).into());
        let transit = arrival.wrapping_sub(i64::from(packet.timestamp));
        let Some((stream, novelty)) = self.stream.as_mut().and_then(|stream| stream.note(packet).map(|novelty| (stream, novelty))) else {
            self.before = self.arrived();
            self.stream = Some(Stream::begin(packet, transit));
            return Novelty::New;
        };
        let moved = (transit.wrapping_sub(stream.transit) as i32).unsigned_abs().min(RESTART as u32 * 160);
        stream.transit = transit;
        if novelty == Novelty::New {
            self.jitter_16th = self.jitter_16th + moved - ((self.jitter_16th + 8) >> 4).min(self.jitter_16th);
        }
        novelty
    }

    /// Packets of the far end that never arrived.
    pub fn lost(&self) -> u64 {
        let arrived = self.arrived();
        arrived.expected.saturating_sub(arrived.received)
    }

    /// What has arrived in all.
    pub fn arrived(&self) -> Arrived {
        let Some(stream) = &self.stream else { return self.before };
        Arrived {
            expected: self.before.expected + stream.highest - stream.first + 1,
            received: self.before.received + stream.received,
            runs: self.before.runs + stream.runs_with_window(),
            // Moments of 125 µs.
            jitter_us: (self.jitter_16th >> 4).saturating_mul(125) / self.steps_a_moment.unwrap_or(1),
        }
    }

    /// The figures for a report, and the beginning of the next interval.
    pub fn report(&mut self) -> Option<Received> {
        let stream = self.stream.as_mut()?;
        let (expected, received) = (stream.highest - stream.first + 1, stream.received);
        let (of_interval, arrived) = (expected - stream.reported.0, received - stream.reported.1);
        stream.reported = (expected, received);
        let missing = of_interval.saturating_sub(arrived);
        Some(Received {
            ssrc: stream.ssrc,
            fraction_lost: (missing * 256).checked_div(of_interval).unwrap_or(0).min(255) as u8,
            lost: stream.lost().min(0x7f_ffff) as u32,
            highest: stream.highest as u32,
            jitter: self.jitter_16th >> 4,
        })
    }
}

impl Stream {
    fn begin(packet: &Packet, transit: i64) -> Stream {
        // One wrap is added so that packets from before the first one stay above zero.
        let first = u64::from(packet.sequence) + 0x1_0000;
        Stream {
            ssrc: packet.ssrc,
            first,
            highest: first,
            seen: 1,
            received: 1,
            runs: 0,
            in_run: false,
            transit,
            reported: (0, 0),
            after_old: None,
        }
    }

    /// `None`: the packet is of a stream that begins anew. Its name or a jump tells that, or two packets in order that are
    /// both older than what can still be late (RFC 3550 A.1, `bad_seq`).
    fn note(&mut self, packet: &Packet) -> Option<Novelty> {
        let ahead = steps(self.highest as u16, packet.sequence);
        if self.ssrc != packet.ssrc || ahead.abs() >= RESTART {
            return None;
        }
        if ahead > 0 {
            self.age(ahead.unsigned_abs());
            self.highest += ahead.unsigned_abs() as u64;
            self.seen = self.seen.checked_shl(ahead.unsigned_abs()).unwrap_or(0) | 1;
        } else {
            let bit = 1u64.checked_shl(ahead.unsigned_abs()).unwrap_or(0);
            if bit == 0 {
                let expected = self.after_old.replace(packet.sequence.wrapping_add(1));
                return (expected != Some(packet.sequence)).then_some(Novelty::Copy);
            }
            if self.seen & bit != 0 {
                return Some(Novelty::Copy);
            }
            self.seen |= bit;
            self.first = self.first.min(self.highest - ahead.unsigned_abs() as u64);
        }
        self.after_old = None;
        self.received += 1;
        Some(Novelty::New)
    }

    /// Counts the runs of losses among the packets that leave the window when it moves on by `ahead`.
    fn age(&mut self, ahead: u32) {
        let leaving = ahead.min(WINDOW);
        if self.seen.leading_ones() >= leaving {
            self.in_run = false;
        } else {
            (self.runs, self.in_run) = self.count_runs(leaving);
        }
        if ahead > WINDOW {
            self.runs += u64::from(!self.in_run);
            self.in_run = true;
        }
    }

    /// Runs of losses up to the oldest `packets` of the window, and whether the last of them was lost.
    fn count_runs(&self, packets: u32) -> (u64, bool) {
        let known = (self.highest - self.first + 1).min(u64::from(WINDOW)) as u32;
        let ages = (WINDOW - packets..WINDOW).rev().filter(|age| *age < known);
        ages.fold((self.runs, self.in_run), |(runs, in_run), age| {
            let lost = self.seen >> age & 1 == 0;
            (runs + u64::from(lost && !in_run), lost)
        })
    }

    fn runs_with_window(&self) -> u64 {
        self.count_runs(WINDOW).0
    }

    fn lost(&self) -> u64 {
        (self.highest - self.first + 1).saturating_sub(self.received)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn packet(sequence: u16, timestamp: u32) -> Packet {
        Packet { marker: false, payload_type: 8, sequence, timestamp, ssrc: 1, begin: HEADER, end: HEADER + 160 }
    }

    #[test]
    fn what_is_written_is_read() {
        let stamp = Stamp { marker: true, sequence: 65_535, timestamp: u32::MAX, ssrc: 7 };
        let mut head = [0; HEADER];
        write_header(&mut head, stamp, 101);
        let read = parse(&head).unwrap();
        assert_eq!((read.marker, read.payload_type, read.sequence, read.timestamp), (true, 101, 65_535, u32::MAX));
        assert_eq!((read.ssrc, read.begin, read.end), (7, HEADER, HEADER));
    }

    #[test]
    fn padding_sources_and_extension_are_skipped() {
        let mut bytes = vec![0xb1, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 9, 9, 9, 9, 0xbe, 0xde, 0, 1, 1, 2, 3, 4, 42, 43, 0, 2];
        let read = parse(&bytes).unwrap();
        assert_eq!(bytes.get(read.begin..read.end).unwrap(), [42, 43]);
        *bytes.last_mut().unwrap() = 200;
        assert_eq!(parse(&bytes), None);
        assert_eq!(parse(&[]), None);
        assert_eq!(parse(&[0x80; 11]), None);
    }

    #[test]
    fn losses_and_copies_are_counted_over_the_wrap() {
        let mut reception = Reception::default();
        let sent = [65_533, 65_534, 65_534, 0, 65_535, 3, 3];
        let copies = sent.iter().filter(|&&n| reception.note(&packet(n, u32::from(n) * 160), 0) == Novelty::Copy).count();
        assert_eq!(copies, 2);
        assert_eq!(reception.lost(), 2, "1 and 2 are missing");
        let report = reception.report().unwrap();
        assert_eq!((report.lost, report.fraction_lost), (2, 73));
        assert_eq!(reception.report().unwrap().fraction_lost, 0);
    }

    #[test]
    fn runs_of_losses_are_counted_once_they_cannot_be_filled() {
        let mut reception = Reception::default();
        // Lost: 5, 6, 7; 20 is late; 50; a hundred from 1,000 on.
        let lost = |n: &u16| matches!(n, 5..=7 | 50 | 1_000..1_100);
        for n in (0..2_000u16).filter(|n| !lost(n) && *n != 20) {
            reception.note(&packet(n, 0), 0);
            if n == 30 {
                reception.note(&packet(20, 0), 0);
            }
        }
        let arrived = reception.arrived();
        assert_eq!((arrived.expected, arrived.received, arrived.runs), (2_000, 1_896, 3));
        reception.note(&packet(2_005, 0), 0);
        assert_eq!(reception.arrived().runs, 4, "one at the end counts as well");
    }

    #[test]
    fn a_sender_that_begins_again_a_little_lower_is_heard_from_its_second_packet_on() {
        let mut reception = Reception::default();
        let mut note = |n: u16| reception.note(&packet(n, 0), 0);
        assert_eq!([1_000, 1_001].map(&mut note), [Novelty::New; 2]);
        assert_eq!([500, 1_002, 501].map(&mut note), [Novelty::Copy, Novelty::New, Novelty::Copy], "strays of the old network path");
        assert_eq!([200, 201, 202, 203].map(&mut note), [Novelty::Copy, Novelty::New, Novelty::New, Novelty::New]);
        assert_eq!(reception.lost(), 0);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_break_it(mut bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..60)) {
            if let Some(flags) = bytes.first_mut() {
                *flags = 0x80 | *flags & 0x3f;
            }
            if let Some(packet) = parse(&bytes) {
                assert!(packet.begin >= HEADER && bytes.get(packet.begin..packet.end).is_some());
                let mut reception = Reception::default();
                reception.note(&packet, 1);
                reception.note(&Packet { sequence: packet.sequence.wrapping_add(packet.timestamp as u16), ..packet }, 2);
                reception.report();
            }
        }
    }
}
