//! What does one voice of a recording sound like, as far as it is not written yet? Packets where they were said, gaps of up to 60 ms made up
//! for, longer ones silent.

use std::collections::VecDeque;

use crate::centre::input::Codec;
use crate::media::codec::{law, moments, samples_of, steps_a_moment};
use crate::media::conceal::{Concealer, LONGEST, PAST};
use crate::media::decoder::Decoder;
use crate::media::recorder::Frame;
use crate::media::resample::bend;
use crate::media::timeline::{Place, Stamped, Timeline};

/// Sound beyond this much ahead of what is written (4 s) is not kept.
const MAX_AHEAD: usize = 32_000;
/// Packets of G.722 or Opus that wait to be decoded in order; the oldest are decoded early.
const MOST_CODED: usize = 256;
/// Gaps this short (1 ms) are between packets that were bent differently.
const HAIRLINE: usize = 8;
/// A packet is 120 ms at most (RFC 6716 §2.1.4).
const LONGEST_PACKET: usize = 960;
/// First packets of a voice that are looked at together before it is placed (200 ms of sound).
const FIRST_PACKETS: usize = 10;
/// By so much at most the first of them came later than the least late (100 ms); a file that gets so near to it waits no longer.
const LATE: i64 = 800;

/// One voice. Positions count moments of 1/8000 s from the beginning of the recording.
pub struct Lane {
    timeline: Timeline,
    /// Its first packets, until so many have come that the least late of them is known, or the file gets to them.
    first: Vec<Unplaced>,
    /// Position of the first sample of `sound`; before `written` lies what making up for gaps looks back at.
    begin: u64,
    written: u64,
    sound: Vec<i16>,
    /// Where there is sound, in order, without overlap.
    heard: VecDeque<(u64, u64)>,
    coded: VecDeque<Coded>,
    decoder: Option<Decoder>,
    /// Where the decoded sound ends.
    decoded: u64,
    pcm: Vec<i16>,
}

/// A packet that waits for its place.
struct Unplaced {
    stamped: Stamped,
    arrival: i64,
    codec: Codec,
    payload: Vec<u8>,
}

/// A packet whose codec must be decoded in order.
struct Coded {
    place: Place,
    codec: Codec,
    payload: Vec<u8>,
}

impl Lane {
    /// A voice of which everything before `written` is silence.
    pub fn new(written: u64) -> Lane {
        Lane {
            timeline: Timeline::default(),
            first: Vec::new(),
            begin: written,
            written,
            sound: Vec::new(),
            heard: VecDeque::new(),
            coded: VecDeque::new(),
            decoder: None,
            decoded: 0,
            pcm: Vec::new(),
        }
    }

    /// Takes a packet that arrived at this moment. One that begins the voice, or begins it anew, waits for the next few.
    pub fn lay(&mut self, frame: &Frame, payload: &[u8], arrival: u64) {
        let (codec, arrival, length) = (frame.codec, arrival as i64, moments(frame.codec, payload));
        if length == 0 || (law(codec).is_none() && length > LONGEST_PACKET) {
            return;
        }
        let stamped = Stamped { ssrc: frame.ssrc, timestamp: frame.timestamp, steps: steps_a_moment(codec), length };
        if self.first.is_empty() && self.timeline.continues(&stamped, arrival) {
            return self.place(stamped, codec, payload, arrival);
        }
        self.first.push(Unplaced { stamped, arrival, codec, payload: payload.to_vec() });
        if self.first.len() >= FIRST_PACKETS {
            self.begin_voice();
        }
    }

    /// Finds the beginning of the voice, and places its first packets.
    fn begin_voice(&mut self) {
        self.timeline.begin(self.first.iter().map(|packet| (packet.stamped, packet.arrival)));
        for packet in std::mem::take(&mut self.first) {
            self.place(packet.stamped, packet.codec, &packet.payload, packet.arrival);
        }
    }

    /// Lays a packet where it belongs; what must be decoded in order waits there.
    fn place(&mut self, stamped: Stamped, codec: Codec, payload: &[u8], arrival: i64) {
        let Some(place) = self.timeline.place(stamped, arrival) else { return };
        let Some(law) = law(codec) else {
            self.keep(Coded { place, codec, payload: payload.to_vec() });
            return;
        };
        let samples = samples_of(law);
        if place.length == stamped.length
            && let Some(room) = self.room(place.at, place.length)
        {
            room.iter_mut().zip(payload).for_each(|(sample, byte)| *sample = samples[usize::from(*byte)]);
            return;
        }
        let pcm: Vec<i16> = payload.iter().map(|byte| samples[usize::from(*byte)]).collect();
        self.put(place, &pcm);
    }

    /// Makes everything before `end` ready to be written: decodes, and makes up for gaps.
    pub fn settle(&mut self, end: u64) {
        if self.first.first().is_some_and(|packet| packet.arrival < end as i64 + LATE) {
            self.begin_voice();
        }
        while let Some(next) = self.coded.pop_front_if(|next| next.place.at < end as i64) {
            self.decode(&next);
        }
        self.make_up(end);
    }

    /// The next `count` samples, as far as there is sound; silence follows.
    pub fn next(&self, count: usize) -> &[i16] {
        let from = (self.written - self.begin) as usize;
        self.sound.get(from..(from + count).min(self.sound.len())).unwrap_or_default()
    }

    /// They are written.
    pub fn advance(&mut self, count: usize) {
        self.written += count as u64;
        let old = (self.written - self.begin).saturating_sub(PAST as u64) as usize;
        self.sound.drain(..old.min(self.sound.len()));
        self.begin += old as u64;
        while self.heard.get(1).is_some_and(|(begin, _)| *begin < self.written) {
            self.heard.pop_front();
        }
    }

    /// Room for sound that lies whole in what is not written, marked as heard. `None` where it does not.
    fn room(&mut self, at: i64, length: usize) -> Option<&mut [i16]> {
        let at = u64::try_from(at).ok().filter(|at| *at >= self.written)?;
        if at + length as u64 > self.written + MAX_AHEAD as u64 {
            return None;
        }
        self.mark(at, at + length as u64);
        let from = (at - self.begin) as usize;
        if self.sound.len() < from + length {
            self.sound.resize(from + length, 0);
        }
        self.sound.get_mut(from..from + length)
    }

    /// Lays sound, bent to the length of its place; what would lie in the part that is written came too late.
    fn put(&mut self, place: Place, pcm: &[i16]) {
        if pcm.is_empty() {
            return;
        }
        let mut bent = vec![0; place.length];
        bend(pcm, &mut bent);
        let late = usize::try_from(self.written as i64 - place.at).unwrap_or(0);
        let Some(kept) = bent.get(late..).filter(|kept| !kept.is_empty()) else { return };
        if let Some(room) = self.room(place.at + late as i64, kept.len()) {
            room.copy_from_slice(kept);
        }
    }

    /// Joins a stretch to those that are known.
    fn mark(&mut self, begin: u64, end: u64) {
        if let Some(last) = self.heard.back_mut()
            && last.0 <= begin
            && begin <= last.1
        {
            last.1 = last.1.max(end);
            return;
        }
        let place = self.heard.iter().position(|(other, _)| begin < *other).unwrap_or(self.heard.len());
        self.heard.insert(place, (begin, end));
        let joined = std::mem::take(&mut self.heard);
        for (begin, end) in joined {
            match self.heard.back_mut() {
                Some(last) if begin <= last.1 => last.1 = last.1.max(end),
                _ => self.heard.push_back((begin, end)),
            }
        }
    }

    fn keep(&mut self, coded: Coded) {
        let place = self.coded.iter().rposition(|other| other.place.at <= coded.place.at).map_or(0, |before| before + 1);
        if place.checked_sub(1).and_then(|before| self.coded.get(before)).is_none_or(|other| other.place.at < coded.place.at) {
            self.coded.insert(place, coded);
        }
        if self.coded.len() > MOST_CODED
            && let Some(oldest) = self.coded.pop_front()
        {
            self.decode(&oldest);
        }
    }

    fn decode(&mut self, coded: &Coded) {
        if self.decoder.as_ref().is_none_or(|decoder| decoder.codec() != coded.codec) {
            self.decoder = Decoder::new(coded.codec, true);
        }
        let (at, gap) = (coded.place.at, coded.place.at - self.decoded as i64);
        let mut pcm = std::mem::take(&mut self.pcm);
        if let Some(decoder) = &mut self.decoder
            && self.decoded > 0
            && (HAIRLINE as i64 + 1..=LONGEST as i64).contains(&gap)
        {
            pcm.clear();
            // Opus goes on from what it knows, and finds the last 20 ms again in this packet.
            let (before, again) = (gap as usize - gap.min(160) as usize, gap.min(160) as usize);
            decoder.make_up(before, None, &mut pcm);
            decoder.make_up(again, Some(&coded.payload), &mut pcm);
            self.put(Place { at: at - gap, length: gap as usize }, &pcm);
        }
        if let Some(decoder) = &mut self.decoder {
            pcm.clear();
            decoder.decode(&coded.payload, &mut pcm);
            self.put(coded.place, &pcm);
        }
        self.decoded = u64::try_from(at + coded.place.length as i64).unwrap_or(0);
        self.pcm = pcm;
    }

    /// Fills gaps that begin before `end`, if sound goes on after them within 60 ms.
    fn make_up(&mut self, end: u64) {
        let mut n = 0;
        while let (Some(before), Some(after)) = (self.heard.get(n).copied(), self.heard.get(n + 1).copied()) {
            let gap = after.0.saturating_sub(before.1) as usize;
            if before.1 >= end {
                return;
            }
            if gap > LONGEST || before.1 < self.written {
                n += 1;
                continue;
            }
            self.fill(before.1, after.0, after.1);
            if let Some(joined) = self.heard.get_mut(n) {
                joined.1 = after.1;
            }
            self.heard.remove(n + 1);
        }
    }

    fn fill(&mut self, from: u64, to: u64, until: u64) {
        let [from, to, until] = [from, to, until].map(|at| (at - self.begin) as usize);
        let (past, rest) = self.sound.split_at_mut(from);
        let Some((missing, sound)) = rest.split_at_mut_checked(to - from) else { return };
        if missing.len() <= HAIRLINE {
            let (before, after) = (past.last().copied().unwrap_or(0), sound.first().copied().unwrap_or(0));
            missing.iter_mut().zip(1..).for_each(|(sample, n): (&mut i16, i32)| {
                *sample = (i32::from(before) + (i32::from(after) - i32::from(before)) * n / (to - from + 1) as i32) as i16;
            });
            return;
        }
        let mut concealer = Concealer::new(1);
        concealer.fill(past, missing);
        let heard = sound.len().min(until - to);
        concealer.mend(sound.get_mut(..heard).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::centre::ids::{CallId, RecordingId};
    use crate::media::codec::{FRAME, Law, encode};
    use crate::media::encoder::Encoder;
    use crate::media::poor_line::{BAD, GOOD, PoorLine, header, speech};
    use crate::media::recorder::Track;
    use crate::media::room::Side;

    /// What was said over a line, as the recording has it: written 250 ms behind, 400 ms at once.
    fn recorded(codec: Codec, said: &[i16], line: PoorLine) -> Vec<i16> {
        let payloads = Encoder::payloads(codec, said);
        let recording = RecordingId { call: CallId(1), n: 1 };
        let track = Track { recording, side: Side::Left, mouth: 0 };
        let (mut lane, mut written) = (Lane::new(0), Vec::new());
        let mut write = |lane: &mut Lane, until: u64| {
            let count = until as usize - written.len();
            lane.settle(until);
            written.extend_from_slice(lane.next(count));
            written.resize(until as usize, 0);
            lane.advance(count);
            written.len() as u64
        };
        let mut end = 0;
        for arrival in line.carry(payloads.len() as u32) {
            let payload = &payloads[arrival.n as usize];
            let packet = header(arrival.n, 0, steps_a_moment(codec), payload.len());
            let (ssrc, timestamp, arrived_us) = (packet.ssrc, packet.timestamp, arrival.at_us);
            lane.lay(&Frame { track, codec, ssrc, timestamp, arrived_us, length: payload.len() }, payload, arrived_us / 125);
            if arrived_us / 125 > end + 2_000 + 3_200 {
                end = write(&mut lane, arrived_us / 125 - 2_000);
            }
        }
        let last = 800 + (said.len() as i64 * 1_000_000 / (1_000_000 + line.fast_ppm)) as u64;
        write(&mut lane, last);
        written
    }

    /// How many samples later `heard` has what `said` has at `at`, and how alike they are there.
    fn shift(said: &[i16], heard: &[i16], at: usize) -> (i64, f32) {
        let part: Vec<f32> = said[at..at + 4_000].iter().copied().map(f32::from).collect();
        let energy = part.iter().map(|s| s * s).sum::<f32>();
        let alike = |shift: usize| {
            let other = heard.get(at + shift..at + shift + 4_000)?.iter().copied().map(f32::from);
            let (dot, size) = part.iter().zip(other).fold((0f32, 1f32), |(dot, size), (a, b)| (dot + a * b, size + b * b));
            Some((shift as i64, dot / (energy * size).sqrt().max(1.0)))
        };
        (600..1_400).filter_map(alike).max_by(|a, b| a.1.total_cmp(&b.1)).unwrap()
    }

    #[test]
    fn a_bad_line_and_a_fast_clock_leave_a_recording_in_step() {
        let said: Vec<i16> = speech().iter().copied().cycle().take(40 * 8_000).collect();
        for (codec, fast_ppm) in [(Codec::Pcma, -200), (Codec::G722, 200), (Codec::Opus, 200)] {
            let heard = recorded(codec, &said, PoorLine { fast_ppm, ..BAD });
            // The first second finds out how late the line is; a part in ten may fall into losses or silence.
            let places = (1..13).map(|n| n * 24_000).map(|at| (at as i64, shift(&said, &heard, at)));
            let sure: Vec<i64> =
                places.filter(|(_, (_, alike))| *alike > 0.6).map(|(at, (shift, _))| shift + at * fast_ppm / 1_000_000).collect();
            let (first, last) = (sure.iter().min().unwrap(), sure.iter().max().unwrap());
            println!("{codec:?} at {fast_ppm} ppm: {} of 12 places recognised, {first} to {last} samples late", sure.len());
            assert!(sure.len() >= 10 && last - first <= 160, "{codec:?} at {fast_ppm} ppm: {sure:?}");
            // 1 % of the time that was said lies where nothing was heard at all.
            let loud = |sound: &[i16]| sound.chunks(160).filter(|frame| frame.iter().any(|s| s.abs() > 500)).count() as i64;
            let (spoken, kept) = (loud(&said), loud(&heard));
            assert!((spoken - kept).abs() * 25 < spoken, "{codec:?}: {kept} frames of {spoken} are loud");
        }
    }

    #[test]
    fn a_fast_clock_leaves_no_click() {
        let tone: Vec<i16> =
            (0..60 * 8_000).map(|n| (8_000.0 * (std::f64::consts::TAU * 300.0 * n as f64 / 8_000.0).sin()) as i16).collect();
        for fast_ppm in [-200, 200] {
            let heard = recorded(Codec::Pcma, &tone, PoorLine { fast_ppm, jitter_us: 20_000, doubled: 10, ..GOOD });
            let inner = &heard[16_000..heard.len() - 8_000];
            let steepest = inner.windows(2).map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs()).max().unwrap();
            // The tone has steps of 1,885, A-law adds 256 at its peak.
            assert!(steepest < 2_400, "{fast_ppm} ppm: {steepest}");
            assert!(inner.windows(60).all(|part| part.iter().any(|s| s.abs() > 4_000)), "no hole");
        }
    }

    #[test]
    fn a_short_gap_is_made_up_for_and_a_long_one_is_silence() {
        let tone: Vec<i16> = (0..50 * 160).map(|n| if n % 80 < 40 { 5_000 } else { -5_000 }).collect();
        let track = Track { recording: RecordingId { call: CallId(1), n: 1 }, side: Side::Left, mouth: 0 };
        let mut lane = Lane::new(0);
        for n in (0..50u32).filter(|n| *n != 10 && !(20..24).contains(n)) {
            let frame = Frame { track, codec: Codec::Pcma, ssrc: 1, timestamp: n * 160, arrived_us: 0, length: FRAME };
            let payload: Vec<u8> = tone[n as usize * FRAME..(n as usize + 1) * FRAME].iter().map(|s| encode(Law::A, *s)).collect();
            lane.lay(&frame, &payload, u64::from(n) * 160);
        }
        lane.settle(8_000);
        let heard = lane.next(8_000);
        assert!(heard[10 * FRAME..11 * FRAME].iter().filter(|s| s.abs() > 3_500).count() > 140);
        assert!(heard[20 * FRAME..24 * FRAME].iter().all(|s| *s == 0));
    }
}
