//! What does a leg say to its far end? Packets passed on from another leg, or on its turn a frame of its own: a mix, a sound, silence.

use super::{Buffer, Leg};
use crate::centre::ids::PlayId;
use crate::centre::input::{Codec, FromMedia};
use crate::media::codec::{FRAME, Law, encode, law, passes, silence, transcode};
use crate::media::counters::Counters;
use crate::media::playback::Progress;
use crate::media::presses::Moment;
use crate::media::rtp::{HEADER, Packet, Stamp, write_header};

/// A connected ear that has been sent nothing for so long is sent silence, so that NATs and phones keep the line open.
const KEEP_ALIVE_US: u64 = 100_000;

impl Leg {
    /// Passes on sound that another leg has sent. `codec` is what lies in the buffer, and is kept true.
    pub fn pass_sound(&mut self, packet: &Packet, codec: &mut Codec, buffer: &mut Buffer, now_us: u64, counters: &mut Counters) {
        let Some(terms) = self.terms.as_ref().filter(|terms| terms.we_may_send()) else { return };
        let (kind, ours) = (terms.sound_type, terms.codec);
        if !passes(*codec, ours) || self.presses.is_busy() {
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
        let (Some(kind), ours, false) = (terms.event_type, terms.event_steps, self.presses.is_busy()) else { return };
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
        if let Some(moment) = self.presses.take_turn() {
            self.press(moment, now_us, counters);
            return None;
        }
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

    /// A key's turn: its event, its tones where the far end reads no events, or the pause after it.
    fn press(&mut self, moment: Moment, now_us: u64, counters: &mut Counters) -> Option<()> {
        let terms = self.terms.as_ref().filter(|terms| terms.we_may_send())?;
        let (codec, sound_type, steps) = (terms.codec, terms.sound_type, terms.event_steps);
        let mut packet = [0; HEADER + FRAME];
        let (head, payload) = packet.split_first_chunk_mut::<HEADER>()?;
        let length = match terms.event_type {
            Some(kind) => {
                let event = moment.event(steps)?;
                write_header(head, self.out.press(moment.begins(), now_us), kind);
                payload.first_chunk_mut::<4>()?.copy_from_slice(&event);
                event.len()
            }
            None => {
                let length = self.encode_tones(codec, &moment.tones(), payload.first_chunk_mut::<FRAME>()?);
                write_header(head, self.out.own(length, now_us), sound_type);
                length
            }
        };
        let to = self.listener(now_us)?;
        counters.packets_out += u64::from(self.transmit(packet.get(..HEADER + length)?, to));
        Some(())
    }

    fn encode_tones(&mut self, codec: Codec, tones: &[i16; FRAME], frame: &mut [u8; FRAME]) -> usize {
        let Some(law) = law(codec) else {
            return self.encoder.as_mut().map_or(0, |encoder| encoder.encode(tones, frame));
        };
        for (byte, sample) in frame.iter_mut().zip(tones) {
            *byte = encode(law, *sample);
        }
        FRAME
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
        // Music beneath goes on until the next order: no gap is heard before it.
        if self.playback.as_ref().is_none_or(|playback| !playback.has_bed()) {
            self.playback = None;
        }
        Some(play)
    }
}

/// An event whose duration counts at another clock.
fn at_clock([code, flags, high, low]: [u8; 4], theirs: u32, ours: u32) -> [u8; 4] {
    let duration = u32::from(u16::from_be_bytes([high, low])) * ours / theirs.max(1);
    let [high, low] = u16::try_from(duration).unwrap_or(u16::MAX).to_be_bytes();
    [code, flags, high, low]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::net::UdpSocket;

    use super::super::tests::leg;
    use super::*;
    use crate::centre::input::Digit;
    use crate::media::dtmf::EventReader;
    use crate::media::inband::ToneListener;
    use crate::media::rtp::parse;
    use crate::media::sdp;

    /// What a far end at a socket of its own gets in so many turns of 20 ms.
    fn sent_in(leg: &mut Leg, far: &UdpSocket, turns: u64) -> Vec<(Packet, Vec<u8>)> {
        let (mut counters, mut sent, mut buffer) = (Counters::default(), Vec::new(), [0; 2_048]);
        far.set_nonblocking(true).unwrap();
        for turn in 0..turns {
            leg.take_turn(1_000_000 + turn * 20_000, &mut counters);
            while let Ok(length) = far.recv(&mut buffer) {
                let packet = parse(&buffer[..length]).unwrap();
                sent.push((packet, buffer[packet.begin..packet.end].to_vec()));
            }
        }
        sent
    }

    fn presses(formats: &str, keys: &str) -> Vec<(Packet, Vec<u8>)> {
        let (mut leg, _) = leg();
        let far = UdpSocket::bind("127.0.0.1:0").unwrap();
        let text = format!("m=audio {} RTP/AVP {formats}\nc=IN IP4 127.0.0.1", far.local_addr().unwrap().port());
        leg.agree(sdp::parse(&text).unwrap().terms(true).unwrap(), None, false, 0);
        leg.hear(&[], false, 0);
        leg.open_the_line(0);
        leg.presses.press(&keys.chars().filter_map(Digit::new).collect::<Vec<_>>());
        sent_in(&mut leg, &far, 10 * keys.len() as u64 + 5)
    }

    #[test]
    fn keys_are_pressed_as_events_one_after_the_other() {
        let sent = presses("8 101\na=rtpmap:101 telephone-event/8000", "4#");
        let mut reader = EventReader::default();
        let events: Vec<&(Packet, Vec<u8>)> = sent.iter().filter(|(packet, _)| packet.payload_type == 101).collect();
        let keys: String = events.iter().filter_map(|(packet, payload)| reader.read(packet, payload)).map(Digit::key).collect();
        assert_eq!((keys.as_str(), events.len(), sent.len()), ("4#", 16, 16 + 5));
        let numbers: Vec<u16> = sent.iter().map(|(packet, _)| packet.sequence).collect();
        assert!(numbers.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1)), "{numbers:?}");
        let begins: Vec<bool> = events.iter().map(|(packet, _)| packet.marker).collect();
        assert_eq!((begins[0], begins[8], begins.iter().filter(|marker| **marker).count()), (true, true, 2));
        let moved = events[8].0.timestamp.wrapping_sub(events[0].0.timestamp);
        assert_eq!(moved, 10 * FRAME as u32, "the second key began 200 ms after the first");
    }

    #[test]
    fn a_far_end_without_events_hears_the_tones() {
        let sent = presses("8", "4#");
        let (mut listener, mut heard) = (ToneListener::default(), String::new());
        for (_, sound) in &sent {
            heard.extend(listener.hear(law(Codec::Pcma).unwrap(), sound).map(Digit::key));
        }
        assert_eq!(heard, "4#");
    }
}
