//! Do far ends that speak G.722 and Opus hear and get heard? Phones of plain sockets with codecs of their own, judged by chirps.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::{Duration, Instant};

use cityline_phone::judge::{chirp, find};

use super::codec::{FRAME, Law, encode, moments, payload_type, steps_a_moment};
use super::decoder::Decoder;
use super::encoder::Encoder;
use super::loopback::{Bench, Phone, leg, play};
use super::playback::tests::prompt;
use super::*;
use crate::centre::ids::RecordingId;
use crate::centre::input::Codec;
use crate::centre::output::{Ending, Hears};

/// Chirps that each says: four seconds.
const CHIRPS: usize = 20;
/// Chirps that must arrive whole: a pause within one spoils it, and on a busy machine the talkers themselves make some.
const LEAST: usize = 10;

/// A phone with a voice and a codec.
struct Talker {
    phone: Phone,
    codec: Codec,
    voice: chirp::Voice,
    said: Vec<i16>,
    encoder: Option<Encoder>,
    decoder: Decoder,
    heard: Vec<i16>,
}

impl Talker {
    fn new(bench: &mut Bench, leg: LegId, codec: Codec) -> Talker {
        let formats = match codec {
            Codec::Opus => "111 101\r\na=rtpmap:111 opus/48000/2".to_owned(),
            other => format!("{} 101", payload_type(other)),
        };
        let voice = chirp::Voice::new(leg.n as u8, leg.n as u8 + 1);
        let (said, phone) = (chirp::pcm(voice, CHIRPS), bench.phone(leg, &formats));
        let decoder = Decoder::new(codec, true).unwrap();
        Talker { phone, codec, voice, said, encoder: Encoder::new(codec), decoder, heard: Vec::new() }
    }

    fn speak(&mut self, n: usize) {
        let Some(frame) = self.said.get(n * FRAME..(n + 1) * FRAME) else { return };
        let mut out = [0; FRAME];
        let length = match &mut self.encoder {
            Some(encoder) => encoder.encode(frame.try_into().unwrap(), &mut out),
            None => {
                let law = if self.codec == Codec::Pcmu { Law::Mu } else { Law::A };
                out.iter_mut().zip(frame).for_each(|(byte, sample)| *byte = encode(law, *sample));
                FRAME
            }
        };
        let timestamp = self.phone.timestamp;
        self.phone.say(payload_type(self.codec), &out[..length]);
        self.phone.timestamp = timestamp.wrapping_add(160 * steps_a_moment(self.codec));
    }

    /// Takes in all that has come; what is of another codec or spacing fails the test.
    fn listen(&mut self) {
        while let Some((packet, payload)) = self.phone.hear_now() {
            assert_eq!(packet.payload_type, payload_type(self.codec));
            assert_eq!(moments(self.codec, &payload), FRAME);
            self.decoder.decode(&payload, &mut self.heard);
        }
    }

    /// Chirps of this voice that were heard.
    fn heard_of(&self, voice: chirp::Voice) -> usize {
        find::chirps(&self.heard, &[voice.band()]).chirps.iter().filter(|chirp| chirp.voice == voice).count()
    }
}

/// All speak at once until all is said. Whoever is held up goes on from there, as a sound card that ran dry does: what came in one burst
/// afterwards would be played faster until it is made up for, and chirps are not read so.
fn converse(talkers: &mut [Talker]) {
    priority::raise();
    let mut due = Instant::now();
    for n in 0..(CHIRPS + 3) * 10 {
        for talker in talkers.iter_mut() {
            talker.speak(n);
            talker.listen();
        }
        due = Instant::now().max(due + Duration::from_millis(20));
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
}

fn everybody_hears_everybody(call: u64, legs: u16) -> ToMedia {
    let pairs = (0..legs).flat_map(|ear| (0..legs).map(move |mouth| (ear, mouth)));
    let hears = pairs.filter(|(ear, mouth)| ear != mouth).map(|(ear, mouth)| Hears { ear: leg(call, ear), mouth: leg(call, mouth) });
    ToMedia::Connect { call: CallId(call), hears: hears.collect() }
}

#[test]
fn codecs_that_differ_are_transcoded_both_ways_and_recorded() {
    let mut bench = Bench::start("transcode", (42_200, 42_239));
    for (call, codecs) in [(21, [Codec::Pcma, Codec::G722]), (22, [Codec::Opus, Codec::Pcmu]), (23, [Codec::G722, Codec::Opus])] {
        let mut talkers = [0, 1].map(|n| Talker::new(&mut bench, leg(call, n), codecs[usize::from(n)]));
        bench.order(everybody_hears_everybody(call, 2));
        let recording = RecordingId { call: CallId(call), n: 1 };
        bench.order(ToMedia::Record { recording, resident: leg(call, 0) });
        converse(&mut talkers);
        bench.order(ToMedia::StopRecord { recording });
        bench.wait(|report| matches!(report, FromMedia::Recorded { .. }).then_some(()));
        let [caller, operator] = &talkers;
        for (ear, mouth) in [(caller, operator), (operator, caller)] {
            let heard = ear.heard_of(mouth.voice);
            println!("{:?} heard {heard} of {CHIRPS} chirps of {:?}", ear.codec, mouth.codec);
            assert!(heard >= LEAST, "{:?} heard {heard} chirps of {:?}", ear.codec, mouth.codec);
            assert_eq!(ear.heard_of(ear.voice), 0, "{:?} hears itself", ear.codec);
        }
        let samples: Vec<i16> =
            hound::WavReader::open(recording_path(&bench.folder, recording)).unwrap().samples().map(Result::unwrap).collect();
        for (side, talker) in talkers.iter().enumerate() {
            let channel: Vec<i16> = samples.iter().copied().skip(side).step_by(2).collect();
            let found = find::chirps(&channel, &[0, 1]).chirps;
            let own = found.iter().filter(|chirp| chirp.voice == talker.voice).count();
            println!("{:?}: {own} of {CHIRPS} chirps recorded", talker.codec);
            assert!(own >= LEAST && own == found.len(), "{:?}: {own} of {} chirps recorded", talker.codec, found.len());
        }
    }
    bench.end();
}

#[test]
fn three_with_three_codecs_hear_the_other_two_and_never_themselves() {
    let mut bench = Bench::start("conference", (42_240, 42_259));
    let codecs = [Codec::Pcma, Codec::G722, Codec::Opus];
    let mut talkers = [0, 1, 2].map(|n| Talker::new(&mut bench, leg(24, n), codecs[usize::from(n)]));
    bench.order(everybody_hears_everybody(24, 3));
    converse(&mut talkers);
    for ear in &talkers {
        for mouth in &talkers {
            let heard = ear.heard_of(mouth.voice);
            if ear.voice == mouth.voice {
                assert_eq!(heard, 0, "{:?} hears itself", ear.codec);
            } else {
                println!("{:?} heard {heard} of {CHIRPS} chirps of {:?}", ear.codec, mouth.codec);
                assert!(heard >= LEAST, "{:?} heard {heard} chirps of {:?}", ear.codec, mouth.codec);
            }
        }
    }
    bench.end();
}

#[test]
fn prompts_and_keys_reach_far_ends_of_every_codec() {
    let mut bench = Bench::start("wide-prompts", (42_260, 42_279));
    for (call, codec) in [(25, Codec::G722), (26, Codec::Opus)] {
        let mut caller = Talker::new(&mut bench, leg(call, 0), codec);
        bench.order(play(leg(call, 0), 1, vec![prompt("tone")], Ending::Report));
        let until = Instant::now() + Duration::from_secs(10);
        while caller.heard.len() < 4_000 {
            assert!(Instant::now() < until, "{codec:?}: {} samples", caller.heard.len());
            caller.listen();
            std::thread::yield_now();
        }
        let crossings = caller.heard[800..3_200].windows(2).filter(|pair| (pair[0] < 0) != (pair[1] < 0)).count();
        assert!((290..=310).contains(&crossings), "{codec:?}: {crossings} crossings in 300 ms of 500 Hz");
        let mut operator = Talker::new(&mut bench, leg(call, 1), Codec::Pcma);
        bench.order(everybody_hears_everybody(call, 2));
        for duration in [160u16, 320, 480] {
            let [high, low] = duration.to_be_bytes();
            let timestamp = caller.phone.timestamp;
            caller.phone.say(101, &[7, 10, high, low]);
            caller.phone.timestamp = timestamp;
        }
        let digit = bench.wait(|report| match report {
            FromMedia::Digit { leg: pressed, digit } => Some((*pressed, digit.key())),
            _ => None,
        });
        assert_eq!(digit, (leg(call, 0), '7'));
        let event = operator.phone.hear_until(|sound| sound.len() == 4).pop().unwrap();
        assert_eq!((event.0.payload_type, event.1[0]), (101, 7));
        operator.heard.clear();
    }
    bench.end();
}
