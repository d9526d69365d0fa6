//! What does a far end sound like, frame by frame? Its packets through a jitter buffer, decoded, with losses made up for, where somebody
//! hears it mixed or in another codec. It is decoded once, however many hear it.

use crate::centre::input::Codec;
use crate::media::codec::{FRAME, WIDE_FRAME};
use crate::media::conceal::{Concealer, PAST};
use crate::media::decoder::Decoder;
use crate::media::jitter::{JitterBuffer, Next, Wish};
use crate::media::resample::{Doubler, Halver};
use crate::media::rtp::Packet;
use crate::media::stretch::{lengthen, shorten};

/// Pieces that are joined to one frame at most: packets of 2.5 ms, the shortest of Opus.
const PIECES: usize = 16;

/// One far end's voice.
pub struct Voice {
    jitter: JitterBuffer,
    decoder: Option<Decoder>,
    concealer: Concealer,
    /// Samples a moment of the sound below: 1 at 8 kHz, 2 at 16 kHz.
    scale: usize,
    /// What has been played, as far as making up for losses looks back, then what has not.
    sound: Vec<i16>,
    played: usize,
    /// The period that `frame` belongs to.
    period: Option<u64>,
    frame: Vec<i16>,
    /// The same at the other rate, made when it is first asked for.
    other: Vec<i16>,
    doubler: Doubler,
    halver: Halver,
}

impl Default for Voice {
    fn default() -> Self {
        Voice {
            jitter: JitterBuffer::default(),
            decoder: None,
            concealer: Concealer::new(1),
            scale: 1,
            sound: Vec::new(),
            played: 0,
            period: None,
            frame: vec![0; FRAME],
            other: Vec::new(),
            doubler: Doubler::default(),
            halver: Halver::default(),
        }
    }
}

impl Voice {
    /// A packet of the far end.
    pub fn put(&mut self, packet: &Packet, codec: Codec, payload: &[u8], now_us: u64) {
        self.jitter.put(packet, codec, payload, now_us);
    }

    /// The frame of 20 ms for this period, the same for all who ask within it: 320 samples at 16 kHz if `wide`, else 160 at 8 kHz.
    pub fn frame(&mut self, period: u64, wide: bool, now_us: u64) -> &[i16] {
        if self.period != Some(period) {
            self.period = Some(period);
            self.other.clear();
            self.make_frame(now_us);
        }
        if wide == (self.scale == 2) {
            return &self.frame;
        }
        if self.other.is_empty() && wide {
            self.other.resize(WIDE_FRAME, 0);
            self.doubler.double(&self.frame, &mut self.other);
        } else if self.other.is_empty() {
            self.halver.halve(&self.frame, &mut self.other);
        }
        &self.other
    }

    fn make_frame(&mut self, now_us: u64) {
        for _ in 0..PIECES {
            if self.fresh() >= FRAME * self.scale {
                break;
            }
            self.fetch();
        }
        let length = FRAME * self.scale;
        self.frame.clear();
        self.frame.extend(self.sound.iter().skip(self.played).take(length));
        self.frame.resize(length, 0);
        self.played = (self.played + length).min(self.sound.len());
        self.forget();
        self.jitter.frame_made(now_us, (self.fresh() / self.scale) as i64);
    }

    /// Samples that have not been played.
    fn fresh(&self) -> usize {
        self.sound.len() - self.played
    }

    fn forget(&mut self) {
        let old = self.played.saturating_sub(PAST * self.scale);
        self.sound.drain(..old);
        self.played -= old;
    }

    fn fetch(&mut self) {
        match self.jitter.take() {
            Next::Sound(packet) => {
                self.decode(packet.codec, &packet.payload);
                self.jitter.reuse(packet.payload);
                self.follow_the_delay();
            }
            Next::Lost(moments) => self.make_up(moments as usize),
            Next::Nothing => self.make_up(FRAME),
        }
    }

    fn decode(&mut self, codec: Codec, payload: &[u8]) {
        if self.decoder.as_ref().is_none_or(|decoder| decoder.codec() != codec) {
            self.begin(codec);
        }
        let Some(decoder) = &mut self.decoder else { return };
        let before = self.sound.len();
        decoder.decode(payload, &mut self.sound);
        self.concealer.mend(self.sound.get_mut(before..).unwrap_or_default());
    }

    /// Another codec than before, or the first one.
    fn begin(&mut self, codec: Codec) {
        self.decoder = Decoder::new(codec, false);
        let scale = self.decoder.as_ref().map_or(1, Decoder::scale);
        if scale != self.scale {
            self.scale = scale;
            self.concealer = Concealer::new(scale);
            self.sound.clear();
            self.played = 0;
        }
    }

    /// Fills a gap: as the codec does it, else by repetition; after 60 ms with silence.
    fn make_up(&mut self, moments: usize) {
        let before = self.sound.len();
        let following = self.jitter.following().filter(|(codec, _)| *codec == Codec::Opus).map(|(_, payload)| payload);
        let silent = self.concealer.is_silent();
        let made = !silent && self.decoder.as_mut().is_some_and(|decoder| decoder.make_up(moments, following, &mut self.sound));
        if made {
            self.concealer.fade(self.sound.get_mut(before..).unwrap_or_default());
            return;
        }
        self.sound.resize(before + moments * self.scale, 0);
        if silent {
            return;
        }
        let (past, missing) = self.sound.split_at_mut(before);
        self.concealer.fill(past, missing);
    }

    /// Draws the voice out or shortens it where the delay is not what the line needs.
    fn follow_the_delay(&mut self) {
        let scale = self.scale;
        let by = match self.jitter.wish() {
            Wish::Keep => return,
            Wish::Shorten(most) => -(shorten(&mut self.sound, self.played, most as usize, scale) as i64),
            Wish::Lengthen => lengthen(&mut self.sound, self.played, scale) as i64,
        };
        self.jitter.stretched(by / scale as i64);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use cityline_phone::judge::{chirp, find};

    use super::*;
    use crate::media::codec::{Law, encode, payload_type, steps_a_moment};
    use crate::media::encoder::Encoder;
    use crate::media::poor_line::{BAD, GOOD, PoorLine, header};

    const SPEAKER: chirp::Voice = chirp::Voice::new(0, 7);

    /// What a listener hears of a talker over a line, the delays of the buffer in milliseconds a second, and the packets that came too late.
    struct Listened {
        heard: Vec<i16>,
        delays_ms: Vec<i64>,
        late: u64,
    }

    fn listen(codec: Codec, said: &[i16], line: PoorLine) -> Listened {
        let payloads = Encoder::payloads(codec, said);
        let mut arrivals = line.carry(payloads.len() as u32).into_iter().peekable();
        let (mut voice, mut heard, mut delays_ms) = (Voice::default(), Vec::new(), Vec::new());
        for period in 0..payloads.len() as u64 + 20 {
            let now_us = period * 20_000 + 3_000;
            // A media thread looks every 5 ms.
            while let Some(arrival) = arrivals.next_if(|arrival| arrival.at_us.next_multiple_of(5_000) <= now_us) {
                let payload = &payloads[arrival.n as usize];
                let packet = header(arrival.n, payload_type(codec), steps_a_moment(codec), payload.len());
                voice.put(&packet, codec, payload, arrival.at_us.next_multiple_of(5_000));
            }
            heard.extend_from_slice(voice.frame(period, false, now_us));
            if period % 50 == 49 {
                delays_ms.push(voice.jitter.delay().unwrap_or(0) / 8);
            }
        }
        Listened { heard, delays_ms, late: voice.jitter.late }
    }

    /// Chirps that were found of so many, and how far the first was moved.
    fn found(heard: &[i16]) -> usize {
        find::chirps(heard, &[0]).chirps.iter().filter(|chirp| chirp.voice == SPEAKER).count()
    }

    #[test]
    fn a_good_line_costs_forty_milliseconds_and_nothing_else() {
        let said = chirp::pcm(SPEAKER, 50);
        for codec in [Codec::Pcma, Codec::G722, Codec::Opus] {
            let listened = listen(codec, &said, GOOD);
            assert_eq!((found(&listened.heard), listened.late), (50, 0), "{codec:?}");
            assert!(listened.delays_ms.iter().skip(1).all(|delay| (20..=45).contains(delay)), "{codec:?}: {:?}", listened.delays_ms);
        }
    }

    #[test]
    fn the_delay_grows_with_the_jitter_and_shrinks_after_it() {
        let said = chirp::pcm(SPEAKER, 300);
        let jittered = listen(Codec::Pcma, &said, PoorLine { jitter_us: 50_000, ..GOOD });
        assert!(jittered.late <= 15, "{} of 3,000 packets came too late", jittered.late);
        assert!(jittered.delays_ms.iter().skip(2).all(|delay| (45..=110).contains(delay)), "{:?}", jittered.delays_ms);
        assert!(found(&jittered.heard) >= 280, "{}", found(&jittered.heard));
        let spikes = PoorLine { jitter_us: 120_000, ..GOOD };
        let rough = listen(Codec::Pcma, &said, spikes);
        assert!(rough.late <= 60 && rough.delays_ms.iter().all(|delay| *delay <= 215), "{} late, {:?}", rough.late, rough.delays_ms);
    }

    #[test]
    fn clocks_that_differ_are_followed() {
        let said = chirp::pcm(SPEAKER, 1_500);
        for fast_ppm in [-200, 200] {
            let listened = listen(Codec::Pcma, &said, PoorLine { fast_ppm, ..GOOD });
            assert_eq!(listened.late, 0, "{fast_ppm} ppm");
            assert!(listened.delays_ms.iter().skip(1).all(|delay| (15..=60).contains(delay)), "{fast_ppm} ppm: {:?}", listened.delays_ms);
            assert!(found(&listened.heard) >= 1_480, "{fast_ppm} ppm: {}", found(&listened.heard));
        }
    }

    #[test]
    fn a_bad_line_leaves_most_words_readable_in_every_codec() {
        let said = chirp::pcm(SPEAKER, 300);
        for codec in [Codec::Pcma, Codec::G722, Codec::Opus] {
            let listened = listen(codec, &said, BAD);
            // A chirp of ten packets survives with each of them: 0.95 to the tenth is 60 %.
            println!("{codec:?}: {} of 300, {} late, {:?}", found(&listened.heard), listened.late, listened.delays_ms);
            assert!(found(&listened.heard) >= 190 && listened.late <= 30, "{codec:?}: {}, {} late", found(&listened.heard), listened.late);
        }
    }

    #[test]
    fn a_pause_of_the_sender_is_silence_and_what_follows_is_whole() {
        let payloads = Encoder::payloads(Codec::Pcma, &chirp::pcm(SPEAKER, 10));
        let (mut voice, mut heard) = (Voice::default(), Vec::new());
        for period in 0..1_100u64 {
            // Two seconds of speech, eighteen of nothing, and two of speech.
            let n = if period < 50 { Some(period) } else { (1_000..1_050).contains(&period).then(|| period - 950) };
            if let Some(payload) = n.and_then(|n| payloads.get(n as usize)) {
                voice.put(&header(period as u32, 8, 1, FRAME), Codec::Pcma, payload, period * 20_000 + 1_000);
            }
            heard.extend_from_slice(voice.frame(period, false, period * 20_000 + 6_000));
        }
        assert_eq!(find::chirps(&heard, &[0]).chirps.len(), 10);
        assert!(heard[60 * FRAME..990 * FRAME].iter().all(|sample| *sample == 0));
    }

    /// A sender on a busy machine is held up again and again, and then sends at once what it owes.
    #[test]
    fn a_sender_that_stammers_is_understood_from_its_first_words_on() {
        let said = chirp::pcm(SPEAKER, 100);
        for (codec, stall_ms, every_ms) in [(Codec::Pcma, 80, 330), (Codec::G722, 120, 500), (Codec::Opus, 160, 700)] {
            let sent = |n: u64| (n * 20, n * 20 % every_ms);
            let held_up = |(sent, since): (u64, u64)| if since < stall_ms { sent - since + stall_ms } else { sent };
            let payloads = Encoder::payloads(codec, &said);
            let mut arrivals = (0u32..).map(|n| (100 + held_up(sent(n.into())), n)).zip(&payloads).peekable();
            let (mut voice, mut heard) = (Voice::default(), Vec::new());
            for now_ms in (3..).step_by(20).take(payloads.len() + 20) {
                while let Some(((at_ms, n), payload)) = arrivals.next_if(|((at_ms, _), _)| *at_ms <= now_ms) {
                    let packet = header(n, payload_type(codec), steps_a_moment(codec), payload.len());
                    voice.put(&packet, codec, payload, at_ms * 1_000);
                }
                heard.extend_from_slice(voice.frame(now_ms, false, now_ms * 1_000));
            }
            assert!(found(&heard) >= 85 && voice.jitter.late == 0, "{codec:?}: {} of 100, {} late", found(&heard), voice.jitter.late);
        }
    }

    #[test]
    fn whoever_asks_in_a_period_hears_the_same() {
        let mut voice = Voice::default();
        let payload = [encode(Law::A, 8_000); FRAME];
        for period in 0..10u64 {
            voice.put(&header(period as u32, 8, 1, FRAME), Codec::Pcma, &payload, period * 20_000);
            let narrow = voice.frame(period, false, period * 20_000 + 5_000).to_vec();
            let wide = voice.frame(period, true, period * 20_000 + 10_000).to_vec();
            assert_eq!((narrow.len(), wide.len()), (FRAME, WIDE_FRAME));
            assert_eq!(voice.frame(period, false, period * 20_000 + 15_000), narrow);
        }
    }
}
