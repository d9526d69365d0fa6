//! What does a leg say to its far end? Packets passed on from another leg, or on its turn a frame of its own: a mix, a sound, silence.

use super::{Buffer, Leg};
use crate::centre::ids::PlayId;
use crate::centre::input::{Codec, FromMedia};
use crate::media::codec::{FRAME, Law, law, passes, silence, transcode};
use crate::media::counters::Counters;
use crate::media::playback::Progress;
use crate::media::rtp::{HEADER, Packet, Stamp, write_header};

/// A connected ear that has been sent nothing for so long is sent silence, so that NATs and phones keep the line open.
const KEEP_ALIVE_US: u64 = 100_000;

impl Leg {
    /// Passes on sound that another leg has sent. `codec` is what lies in the buffer, and is kept true.
    pub fn pass_sound(&mut self, packet: &Packet, codec: &mut Codec, buffer: &mut Buffer, now_us: u64, counters: &mut Counters) {
        let Some(terms) = self.terms.as_ref().filter(|terms| terms.we_may_send()) else { return };
        let (kind, ours) = (terms.sound_type, terms.codec);
        if !passes(*codec, ours) {
            return;
        }
        let Some(stamp) = self.out.forwarded(packet, now_us) else { return };
        if let (Some(sound), Some(from), Some(to)) = (buffer.get_mut(packet.begin..packet.end), law(*codec), law(ours)) {
            transcode(from, to, sound);
            *codec = ours;
        }
        self.send_in_place(packet, stamp, kind, buffer, counters);
    }

    /// Steps of its events' clock a moment of 1/8000 s.
    pub fn event_steps(&self) -> u32 {
        self.terms.as_ref().map_or(1, |terms| terms.event_steps)
    }

    /// Passes on an event, if the far end reads them; `steps` are those of its author. Of several voices no events are passed on.
    pub fn pass_event(&mut self, packet: &Packet, steps: u32, buffer: &mut Buffer, now_us: u64, counters: &mut Counters) {
        let Some(terms) = self.terms.as_ref().filter(|terms| terms.we_may_send()) else { return };
        let (Some(kind), ours) = (terms.event_type, terms.event_steps) else { return };
        match &self.mixer {
            None => {
                if let Some(stamp) = self.out.forwarded(packet, now_us) {
                    self.send_in_place(packet, stamp, kind, buffer, counters);
                }
            }
            Some(mixer) if mixer.mouths().len() == 1 => {
                let Some(event) = buffer.get(packet.begin..packet.end).and_then(<[u8]>::first_chunk::<4>) else { return };
                self.repeat_event(packet, at_clock(*event, steps, ours), kind, now_us, counters);
            }
            Some(_) => {}
        }
    }

    /// Sends an event between frames of our own.
    fn repeat_event(&mut self, packet: &Packet, event: [u8; 4], kind: u8, now_us: u64, counters: &mut Counters) {
        let Some(to) = self.listener(now_us) else { return };
        let mut out = [0; HEADER + 4];
        if let Some((head, payload)) = out.split_first_chunk_mut::<HEADER>() {
            write_header(head, self.out.event(packet, now_us), kind);
            payload.copy_from_slice(&event);
        }
        counters.packets_out += u64::from(self.transmit(&out, to));
    }

    fn send_in_place(&mut self, packet: &Packet, stamp: Stamp, kind: u8, buffer: &mut Buffer, counters: &mut Counters) {
        let Some(out) = buffer.get_mut(packet.begin.saturating_sub(HEADER)..packet.end) else { return };
        let (Some(head), Some(to)) = (out.first_chunk_mut::<HEADER>(), self.remote.target()) else { return };
        write_header(head, stamp, kind);
        counters.packets_out += u64::from(self.transmit(out, to));
    }

    /// The leg's turn to send, every 20 ms: a frame of what plays to it, or of silence. Tells when the last sound has been sent.
    pub fn take_turn(&mut self, now_us: u64, counters: &mut Counters) -> Option<FromMedia> {
        self.turn = self.turn.wrapping_add(1);
        let play = self.speak(now_us, counters)?;
        Some(FromMedia::Played { leg: self.id, play })
    }

    fn speak(&mut self, now_us: u64, counters: &mut Counters) -> Option<PlayId> {
        self.heard?;
        let terms = self.terms.as_ref()?;
        let (codec, kind, may_send) = (terms.codec, terms.sound_type, terms.we_may_send());
        if self.is_passed_on(now_us) {
            return None;
        }
        let mut packet = [0; HEADER + FRAME];
        let (head, frame) = packet.split_first_chunk_mut::<HEADER>()?;
        let frame = frame.first_chunk_mut::<FRAME>()?;
        let (length, ended) = match law(codec) {
            Some(law) => (FRAME, self.fill(law, frame)),
            None => self.encode(frame),
        };
        if let (true, 1.., Some(to)) = (may_send, length, self.listener(now_us)) {
            write_header(head, self.out.own(length, now_us), kind);
            let whole = packet.get(..HEADER + length).unwrap_or_default();
            counters.packets_out += u64::from(self.transmit(whole, to));
        }
        ended
    }

    /// Whether somebody else's packets are passed on to this leg, so that it needs no frame of ours.
    fn is_passed_on(&self, now_us: u64) -> bool {
        let quiet = || self.out.last_sent_us().is_none_or(|at| now_us.saturating_sub(at) > KEEP_ALIVE_US);
        self.mixer.is_none() && self.mouths > 0 && !quiet() && !self.out.is_own()
    }

    /// A frame of what the leg is to hear, in G.711; what has ended with it.
    fn fill(&mut self, law: Law, frame: &mut [u8; FRAME]) -> Option<PlayId> {
        match (&self.mixer, &mut self.playback) {
            (Some(mixer), _) => mixer.write(law, frame),
            (None, Some(playback)) if self.mouths == 0 => {
                let progress = playback.fill(law, frame, &mut self.music);
                return self.ended(progress);
            }
            (None, _) => frame.fill(silence(law)),
        }
        None
    }

    /// The same in a codec that must be computed, and its bytes.
    fn encode(&mut self, frame: &mut [u8; FRAME]) -> (usize, Option<PlayId>) {
        let Some(encoder) = &mut self.encoder else { return (0, None) };
        let mut sound = [0; FRAME];
        let ended = match (&self.mixer, &mut self.playback) {
            (Some(mixer), _) => return (encoder.encode_wide(&mixer.wide(), frame), None),
            (None, Some(playback)) if self.mouths == 0 => Some(playback.fill_pcm(&mut sound, &mut self.music)),
            (None, _) => None,
        };
        let length = encoder.encode(&sound, frame);
        (length, ended.and_then(|progress| self.ended(progress)))
    }

    fn ended(&mut self, progress: Progress) -> Option<PlayId> {
        let Progress::Ended(play) = progress else { return None };
        self.playback = None;
        Some(play)
    }
}

/// An event whose duration counts at another clock.
fn at_clock([code, flags, high, low]: [u8; 4], theirs: u32, ours: u32) -> [u8; 4] {
    let duration = u32::from(u16::from_be_bytes([high, low])) * ours / theirs.max(1);
    let [high, low] = u16::try_from(duration).unwrap_or(u16::MAX).to_be_bytes();
    [code, flags, high, low]
}
