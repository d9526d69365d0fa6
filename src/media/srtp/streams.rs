//! Which packets of a stream may still come, and which number has each? The streams of one key, in either direction (RFC 3711 §3.3).

use super::{Cipher, ENCRYPTED, Key, MOST_PACKETS, MOST_REPORTS, MOST_STREAMS, Name, Use, sound_of, u32_at};
use crate::media::rtp::steps;

/// Which packets of a stream have been: the highest number, and which of the 128 up to it (RFC 3711 §3.3.2).
#[derive(Clone, Copy)]
pub(super) struct Seen {
    highest: u64,
    window: u128,
}

impl Seen {
    pub(super) fn first(index: u64) -> Seen {
        Seen { highest: index, window: 1 }
    }

    /// All up to this one count as having been.
    fn up_to(highest: u64) -> Seen {
        Seen { highest, window: u128::MAX }
    }

    /// The number that a sequence number stands for: the one nearest to the highest (RFC 3711 §3.3.1).
    pub(super) fn index_of(&self, sequence: u16) -> Option<u64> {
        self.highest.checked_add_signed(i64::from(steps(self.highest as u16, sequence))).filter(|index| *index < MOST_PACKETS)
    }

    pub(super) fn is_new(&self, index: u64) -> bool {
        match self.highest.checked_sub(index) {
            None => true,
            Some(back) => back < 128 && self.window >> back & 1 == 0,
        }
    }

    pub(super) fn note(&mut self, index: u64) {
        match self.highest.checked_sub(index) {
            Some(back) => self.window |= 1u128.checked_shl(back as u32).unwrap_or(0),
            None => {
                let ahead = index - self.highest;
                self.window = u32::try_from(ahead).ok().and_then(|ahead| self.window.checked_shl(ahead)).unwrap_or(0) | 1;
                self.highest = index;
            }
        }
    }
}

/// What one key of ours protects.
pub struct Sending {
    sound: Cipher,
    reports: Cipher,
    pub(super) stream: Option<(u32, Seen)>,
    pub(super) next_report: u32,
    pub(super) left: u64,
}

impl Sending {
    /// With this key. `None` never happens with a key of its suite's length.
    pub fn new(key: &Key) -> Option<Sending> {
        let (sound, reports) = (Cipher::new(key, Use::Sound)?, Cipher::new(key, Use::Reports)?);
        Some(Sending { sound, reports, stream: None, next_report: 0, left: MOST_PACKETS })
    }

    /// With a key that a former process has used: nothing at or below `highest` of this stream is sent again, and no report below this one.
    pub fn resume(key: &Key, ssrc: u32, highest: u64, next_report: u32) -> Option<Sending> {
        Some(Sending { stream: Some((ssrc, Seen::up_to(highest))), next_report, ..Sending::new(key)? })
    }

    /// The stream with its highest number, and the number of the next report.
    pub fn stands(&self) -> (Option<(u32, u64)>, u32) {
        (self.stream.map(|(ssrc, seen)| (ssrc, seen.highest)), self.next_report)
    }

    /// Protects the packet in `buffer[..end]`, behind which there must be room, and gives the new end. `None`: it must not go out,
    /// because its number was used before (that would give both packets away), or the key's time is over.
    pub fn protect(&mut self, buffer: &mut [u8], end: usize) -> Option<usize> {
        let (begin, sequence, ssrc) = sound_of(buffer.get(..end)?)?;
        let mut seen = match self.stream {
            Some((known, seen)) if known == ssrc => Some(seen),
            _ => None,
        };
        let index = seen.map_or(Some(u64::from(sequence)), |seen| seen.index_of(sequence).filter(|index| seen.is_new(*index)))?;
        self.left = self.left.checked_sub(1)?;
        let seen = seen.get_or_insert_with(|| Seen::first(index));
        seen.note(index);
        self.stream = Some((ssrc, *seen));
        self.sound.seal(buffer, begin, end, Name { ssrc, index })
    }

    /// The same for a report.
    pub fn protect_report(&mut self, buffer: &mut [u8], end: usize) -> Option<usize> {
        let ssrc = u32_at(buffer.get(..end)?, 4)?;
        let index = self.next_report;
        self.next_report = index.checked_add(1).filter(|next| *next < MOST_REPORTS)?;
        self.reports.seal_report(buffer, end, Name { ssrc, index: u64::from(index) })
    }

    /// Whether the stream's rollover counter is above zero: then far ends disagree on what a new key does to it.
    pub fn has_rolled_over(&self) -> bool {
        self.stream.is_some_and(|(_, seen)| seen.highest > u64::from(u16::MAX))
    }
}

/// What one key of the far end opens.
pub struct Receiving {
    sound: Cipher,
    reports: Cipher,
    streams: Vec<(u32, Seen)>,
    report_streams: Vec<(u32, Seen)>,
    /// Streams go on from here, if their sender keeps its rollover counter under a new key.
    former: Vec<(u32, u64)>,
    left: u64,
}

impl Receiving {
    /// With this key, which protects `lifetime` packets at most. `former`: what its sender used before, if it is a new key.
    pub fn new(key: &Key, lifetime: u64, former: Option<&Receiving>) -> Option<Receiving> {
        let former = former.map(|former| former.streams.iter().map(|(ssrc, seen)| (*ssrc, seen.highest)).collect()).unwrap_or_default();
        Some(Receiving {
            sound: Cipher::new(key, Use::Sound)?,
            reports: Cipher::new(key, Use::Reports)?,
            streams: Vec::new(),
            report_streams: Vec::new(),
            former,
            left: lifetime.min(MOST_PACKETS),
        })
    }

    /// With a key that a former process has known: these streams go on above their highest numbers, and by them is told how often each
    /// has wrapped.
    pub fn resume(key: &Key, lifetime: u64, streams: &[(u32, u64)]) -> Option<Receiving> {
        let streams = streams.iter().take(MOST_STREAMS).map(|(ssrc, highest)| (*ssrc, Seen::up_to(*highest))).collect();
        Some(Receiving { streams, ..Receiving::new(key, lifetime, None)? })
    }

    /// The streams with their highest numbers.
    pub fn stands(&self) -> Vec<(u32, u64)> {
        self.streams.iter().map(|(ssrc, seen)| (*ssrc, seen.highest)).collect()
    }

    /// Opens a packet where it lies and gives its new length. `None`: it is not authentic, or was here before.
    pub fn open(&mut self, packet: &mut [u8]) -> Option<usize> {
        let (begin, sequence, ssrc) = sound_of(packet)?;
        if self.left == 0 {
            return None;
        }
        let (end, index) = match find(&self.streams, ssrc) {
            Some(seen) => {
                let index = seen.index_of(sequence).filter(|index| seen.is_new(*index))?;
                (self.sound.open(packet, begin, Name { ssrc, index })?, index)
            }
            None => self.open_first(packet, begin, sequence, ssrc)?,
        };
        note(&mut self.streams, ssrc, index);
        self.left -= 1;
        Some(end)
    }

    /// A stream begins with a rollover counter of 0 (RFC 4568 §6.4), goes on under a new key (RFC 3711 §8.1), or has wrapped before we
    /// heard of it; the tag tells.
    fn open_first(&self, packet: &mut [u8], begin: usize, sequence: u16, ssrc: u32) -> Option<(usize, u64)> {
        let went_on =
            self.former.iter().find(|(known, _)| *known == ssrc).and_then(|(_, highest)| Seen::first(*highest).index_of(sequence));
        let indices = [Some(u64::from(sequence)), Some(u64::from(sequence) | 1 << 16), went_on];
        indices.into_iter().flatten().find_map(|index| Some((self.sound.open(packet, begin, Name { ssrc, index })?, index)))
    }

    /// The same for a report.
    pub fn open_report(&mut self, packet: &mut [u8]) -> Option<usize> {
        let ssrc = u32_at(packet, 4)?;
        let seen = find(&self.report_streams, ssrc);
        let name = |word: u32| {
            let index = u64::from(word & !ENCRYPTED);
            seen.is_none_or(|seen| seen.is_new(index)).then_some(Name { ssrc, index })
        };
        let (end, name) = self.reports.open_report(packet, name)?;
        note(&mut self.report_streams, ssrc, name.index);
        Some(end)
    }
}

fn find(streams: &[(u32, Seen)], ssrc: u32) -> Option<Seen> {
    streams.iter().find(|(known, _)| *known == ssrc).map(|(_, seen)| *seen)
}

fn note(streams: &mut Vec<(u32, Seen)>, ssrc: u32, index: u64) {
    if let Some((_, seen)) = streams.iter_mut().find(|(known, _)| *known == ssrc) {
        return seen.note(index);
    }
    if streams.len() >= MOST_STREAMS {
        streams.remove(0);
    }
    streams.push((ssrc, Seen::first(index)));
}
