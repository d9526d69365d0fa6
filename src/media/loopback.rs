//! Does the whole engine do what its parts promise? Two phones of plain sockets talk through it on loopback.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::codec::Law;
use super::playback::tests::{Counting, prompt};
use super::rtp::{HEADER, Packet, Stamp, parse, write_header};
use super::*;
use crate::centre::ids::{PlayId, RecordingId, SdpRef};
use crate::centre::input::{Codec, FromMedia, Input};
use crate::centre::output::{Ending, Hears, Sound};
use crate::lanes::{InputLanes, lanes};
use crate::vitals::Vitals;

/// Everything happens within this, or the test fails.
const LIMIT: Duration = Duration::from_secs(10);

pub(super) struct Bench {
    engine: Option<MediaEngine>,
    lanes: InputLanes,
    sdps: SdpBook,
    pub(super) folder: PathBuf,
}

/// A phone of one socket, its stream beginning at chosen numbers.
pub(super) struct Phone {
    socket: UdpSocket,
    to: SocketAddr,
    sequence: u16,
    pub(super) timestamp: u32,
}

impl Bench {
    pub(super) fn start(name: &str, ports: (u16, u16)) -> Bench {
        let folder = std::env::temp_dir().join(format!("cityline-media-{name}-{}", std::process::id()));
        let (inputs, lanes) = lanes(1_000);
        let config = config::Media {
            address: "127.0.0.1".parse().unwrap(),
            ports,
            threads: 2,
            silence_after_ms: 500,
            inband_digits: true,
            srtp_on_avp: false,
            webrtc_port: 0,
            webrtc_addresses: Vec::new(),
        };
        let sdps = SdpBook::default();
        let parts = MediaParts {
            config,
            recordings: folder.clone(),
            inputs,
            sdps: sdps.clone(),
            sounds: Arc::new(Counting),
            clock: Clock::of_process(),
            vitals: Vitals::new(Clock::of_process()),
        };
        Bench { engine: Some(start(parts).unwrap()), lanes, sdps, folder }
    }

    pub(super) fn order(&self, order: ToMedia) {
        self.engine.as_ref().unwrap().carry_out(order).unwrap();
    }

    /// The first report that `wanted` makes something of; others are passed over.
    pub(super) fn wait<T>(&mut self, wanted: impl Fn(&FromMedia) -> Option<T>) -> T {
        let until = Instant::now() + LIMIT;
        loop {
            for lane in [&mut self.lanes.reserved, &mut self.lanes.common] {
                if let Ok(Input::Media(report)) = lane.try_recv()
                    && let Some(found) = wanted(&report)
                {
                    return found;
                }
            }
            assert!(Instant::now() < until, "no such report within {LIMIT:?}");
            std::thread::yield_now();
        }
    }

    fn text(&mut self, sdp: SdpRef) -> String {
        self.sdps.take(sdp).unwrap()
    }

    /// A leg whose phone offers `formats`, and the phone.
    pub(super) fn phone(&mut self, leg: LegId, formats: &str) -> Phone {
        let address = address_of_phone(leg);
        let socket = UdpSocket::bind((address, 0)).unwrap();
        socket.set_read_timeout(Some(LIMIT)).unwrap();
        let port = socket.local_addr().unwrap().port();
        let text = format!("v=0\r\nc=IN IP4 {address}\r\nm=audio {port} RTP/AVP {formats}\r\na=rtpmap:101 telephone-event/8000\r\n");
        self.order(ToMedia::Open { leg, offer: Some(self.sdps.put(text)) });
        let sdp = self.wait(|report| match report {
            FromMedia::Opened { leg: opened, sdp } if *opened == leg => Some(*sdp),
            _ => None,
        });
        Phone { socket, to: address_of(&self.text(sdp)), sequence: 65_000, timestamp: u32::MAX - 2_000 }
    }

    pub(super) fn end(mut self) {
        self.engine.take().unwrap().stop();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Phone {
    pub(super) fn say(&mut self, payload_type: u8, sound: &[u8]) {
        let stamp = Stamp { marker: false, sequence: self.sequence, timestamp: self.timestamp, ssrc: 77 };
        self.socket.send_to(&datagram(stamp, payload_type, sound), self.to).unwrap();
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(sound.len() as u32);
    }

    fn hear(&self) -> (Packet, Vec<u8>) {
        let mut buffer = [0; 2_048];
        let length = self.socket.recv(&mut buffer).expect("a packet within the limit");
        let packet = parse(&buffer[..length]).unwrap();
        (packet, buffer[packet.begin..packet.end].to_vec())
    }

    /// A packet that is there already.
    pub(super) fn hear_now(&self) -> Option<(Packet, Vec<u8>)> {
        let mut buffer = [0; 2_048];
        self.socket.set_nonblocking(true).unwrap();
        let length = self.socket.recv(&mut buffer);
        self.socket.set_nonblocking(false).unwrap();
        let packet = parse(&buffer[..length.ok()?]).unwrap();
        Some((packet, buffer[packet.begin..packet.end].to_vec()))
    }

    /// Reads what comes until then: the pace of a phone.
    fn listen_until(&self, then: Instant) {
        while let Some(left) = then.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            self.socket.set_read_timeout(Some(left)).unwrap();
            let _ = self.socket.recv(&mut [0; 2_048]);
        }
    }

    /// Packets until one is `wanted`, that one included.
    pub(super) fn hear_until(&self, wanted: impl Fn(&[u8]) -> bool) -> Vec<(Packet, Vec<u8>)> {
        let (mut heard, until) = (Vec::new(), Instant::now() + LIMIT);
        while Instant::now() < until {
            heard.push(self.hear());
            if wanted(&heard.last().unwrap().1) {
                return heard;
            }
        }
        panic!("not heard within {LIMIT:?}");
    }
}

fn datagram(stamp: Stamp, payload_type: u8, sound: &[u8]) -> Vec<u8> {
    let mut head = [0; HEADER];
    write_header(&mut head, stamp, payload_type);
    [&head, sound].concat()
}

/// Every phone of every process has an address of its own: a leg goes on speaking to a phone that is gone, and the system may give its port
/// to another.
fn address_of_phone(LegId { call, n }: LegId) -> Ipv4Addr {
    let [process, call] = [u64::from(std::process::id()), call.0].map(|number| (number % 250) as u8 + 1);
    Ipv4Addr::new(127, process, call, n as u8 + 7)
}

fn address_of(sdp: &str) -> SocketAddr {
    let description = super::sdp::parse(sdp).unwrap();
    description.terms(true).unwrap().address.unwrap()
}

pub(super) fn leg(call: u64, n: u16) -> LegId {
    LegId { call: CallId(call), n }
}

fn both(call: u64) -> ToMedia {
    let hears = |ear, mouth| Hears { ear: leg(call, ear), mouth: leg(call, mouth) };
    ToMedia::Connect { call: CallId(call), hears: vec![hears(0, 1), hears(1, 0)] }
}

pub(super) fn play(leg: LegId, play: u32, sounds: Vec<Sound>, ending: Ending) -> ToMedia {
    ToMedia::Play { leg, play: PlayId(play), sounds, ending }
}

#[test]
fn prompts_arrive_to_the_byte_and_end_once() {
    let mut bench = Bench::start("prompts", (42_000, 42_019));
    let phone = bench.phone(leg(1, 0), "8 101");
    bench.order(play(leg(1, 0), 5, vec![prompt("a"), prompt("b")], Ending::Report));
    let heard: Vec<_> = (0..3).map(|_| phone.hear()).collect();
    let sound: Vec<u8> = heard.iter().flat_map(|(_, sound)| sound.clone()).collect();
    let expected: Vec<u8> = (0..200u8).chain((0..200).map(|n: u8| n.wrapping_add(100))).chain([0xd5; 80]).collect();
    assert_eq!(sound, expected);
    let numbers: Vec<_> = heard.iter().map(|(packet, _)| (packet.sequence.wrapping_sub(heard[0].0.sequence), packet.marker)).collect();
    assert_eq!(numbers, [(0, true), (1, false), (2, false)]);
    let ended = bench.wait(|report| match report {
        FromMedia::Played { play, .. } => Some(*play),
        _ => None,
    });
    assert_eq!(ended, PlayId(5));
    bench.end();
}

#[test]
fn one_stream_from_prompt_over_music_to_talk_and_strangers_are_not_heard() {
    let mut bench = Bench::start("talk", (42_020, 42_039));
    let mut caller = bench.phone(leg(2, 0), "8 101");
    let mut operator = bench.phone(leg(2, 1), "0 101");
    let music = Sound::Music { id: "music".into() };
    bench.order(play(leg(2, 0), 1, vec![prompt("b")], Ending::Repeat));
    let mut heard = vec![caller.hear(), caller.hear()];
    bench.order(play(leg(2, 0), 2, vec![music], Ending::Repeat));
    heard.extend(caller.hear_until(|sound| sound[0] == 0));
    bench.order(both(2));
    let word = codec::encode(Law::Mu, 5_000);
    let translated = codec::encode(Law::A, codec::decode(Law::Mu, word));
    // A packet that is read in the moment before the talk begins goes nowhere: the operator goes on speaking.
    let until = Instant::now() + LIMIT;
    while heard.last().is_none_or(|(_, sound)| *sound != [translated; 160]) {
        assert!(Instant::now() < until, "the operator is not heard within {LIMIT:?}");
        operator.say(0, &[word; 160]);
        heard.push(caller.hear());
    }
    heard.extend([caller.hear(), caller.hear()]);
    let stranger = UdpSocket::bind("127.0.0.8:0").unwrap();
    let stamp = Stamp { marker: false, sequence: 1, timestamp: 1, ssrc: 1 };
    stranger.send_to(&datagram(stamp, 0, &[0x11; 160]), operator.to).unwrap();
    operator.say(0, &[0x22; 160]);
    heard.extend(caller.hear_until(|sound| sound == [codec::encode(Law::A, codec::decode(Law::Mu, 0x22)); 160]));
    let foreign = codec::encode(Law::A, codec::decode(Law::Mu, 0x11));
    assert!(heard.iter().all(|(_, sound)| sound[0] != foreign));
    for pair in heard.windows(2) {
        let (before, after) = (pair[0].0, pair[1].0);
        assert_eq!(after.sequence, before.sequence.wrapping_add(1));
        assert_eq!(after.ssrc, before.ssrc);
        let step = after.timestamp.wrapping_sub(before.timestamp);
        assert!(step > 0 && step.is_multiple_of(160), "{step}");
    }
    caller.say(8, &[0x33; 160]);
    let theirs = codec::encode(Law::Mu, codec::decode(Law::A, 0x33));
    operator.hear_until(|sound| sound == [theirs; 160]);
    bench.end();
}

#[test]
fn keys_pass_to_the_core_and_to_the_other_phone() {
    let mut bench = Bench::start("keys", (42_040, 42_059));
    let mut caller = bench.phone(leg(3, 0), "8 101");
    let operator = bench.phone(leg(3, 1), "8 101");
    bench.order(both(3));
    for duration in [160u16, 320, 480] {
        let [high, low] = duration.to_be_bytes();
        let timestamp = caller.timestamp;
        caller.say(101, &[5, 10, high, low]);
        caller.timestamp = timestamp;
    }
    let digit = bench.wait(|report| match report {
        FromMedia::Digit { leg: pressed, digit } => Some((*pressed, digit.key())),
        _ => None,
    });
    assert_eq!(digit, (leg(3, 0), '5'));
    operator.hear_until(|sound| sound == [5, 10, 480u16.to_be_bytes()[0], 480u16.to_be_bytes()[1]]);
    bench.end();
}

#[test]
fn a_silent_line_is_told_and_its_return_too() {
    let mut bench = Bench::start("silence", (42_060, 42_079));
    let mut caller = bench.phone(leg(4, 0), "8 101");
    bench.order(play(leg(4, 0), 1, vec![prompt("a")], Ending::Repeat));
    bench.wait(|report| matches!(report, FromMedia::SoundLost { .. }).then_some(()));
    caller.say(8, &[0xd5; 160]);
    bench.wait(|report| matches!(report, FromMedia::SoundBack { .. }).then_some(()));
    bench.end();
}

#[test]
fn offers_are_agreed_again_and_refused_without_harm() {
    let mut bench = Bench::start("agree", (42_080, 42_099));
    let ours = leg(5, 1);
    bench.order(ToMedia::Open { leg: ours, offer: None });
    let sdp = bench.wait(|report| match report {
        FromMedia::Opened { sdp, .. } => Some(*sdp),
        _ => None,
    });
    assert!(bench.text(sdp).contains("RTP/AVP 8 0 9 111 101\r\n"));
    let agree = |bench: &Bench, text: &str, answer| {
        let sdp = bench.sdps.put(text.to_owned());
        bench.order(ToMedia::Agree { leg: ours, sdp, answer });
    };
    agree(&bench, "c=IN IP4 127.0.0.7\nm=audio 4000 RTP/AVP 0", false);
    let agreed = |report: &FromMedia| match report {
        FromMedia::Agreed { codec, answer, .. } => Some((*codec, *answer)),
        _ => None,
    };
    assert_eq!(bench.wait(agreed), (Codec::Pcmu, None));
    agree(&bench, "m=audio 4000 RTP/AVP 18", true);
    bench.wait(|report| matches!(report, FromMedia::Failed { why: crate::centre::input::MediaFailure::NoCodec, .. }).then_some(()));
    agree(&bench, "c=IN IP4 127.0.0.7\nm=audio 4000 RTP/AVP 8\na=sendonly", true);
    let (codec, answer) = bench.wait(agreed);
    assert_eq!(codec, Codec::Pcma);
    assert!(bench.text(answer.unwrap()).contains("a=recvonly"));
    let hold = |report: &FromMedia| match report {
        FromMedia::Held { held, .. } => Some(*held),
        _ => None,
    };
    assert!(bench.wait(hold), "sendonly is a hold");
    agree(&bench, "c=IN IP4 127.0.0.7\nm=audio 4000 RTP/AVP 8\na=inactive", true);
    agree(&bench, "c=IN IP4 127.0.0.7\nm=audio 4000 RTP/AVP 8", true);
    assert!(!bench.wait(hold), "each change is told once");
    bench.end();
}

#[test]
fn without_a_free_port_the_leg_fails() {
    let mut bench = Bench::start("ports", (42_100, 42_101));
    bench.order(ToMedia::Open { leg: leg(6, 0), offer: None });
    bench.order(ToMedia::Open { leg: leg(6, 1), offer: None });
    bench.wait(|report| matches!(report, FromMedia::Failed { why: crate::centre::input::MediaFailure::NoPort, .. }).then_some(()));
    bench.end();
}

#[test]
fn a_talk_is_recorded_left_and_right() {
    let mut bench = Bench::start("record", (42_110, 42_129));
    let mut caller = bench.phone(leg(7, 0), "8 101");
    let mut operator = bench.phone(leg(7, 1), "8 101");
    bench.order(both(7));
    let recording = RecordingId { call: CallId(7), n: 1 };
    let began = Instant::now();
    bench.order(ToMedia::Record { recording, resident: leg(7, 0) });
    let path = recording_path(&bench.folder, recording);
    while !path.exists() {
        assert!(began.elapsed() < LIMIT, "no recording within {LIMIT:?}");
        std::thread::yield_now();
    }
    let (left, right) = (codec::encode(Law::A, 9_000), codec::encode(Law::A, -9_000));
    let speaks = Instant::now();
    for n in 0..59u32 {
        if n % 20 < 6 && n >= 20 {
            // Lost on the way to us, for longer than is made up for.
            caller.sequence += 1;
            caller.timestamp = caller.timestamp.wrapping_add(160);
        } else {
            caller.say(8, &[left; 160]);
        }
        operator.say(8, &[right; 160]);
        caller.listen_until(speaks + Duration::from_millis(20) * (n + 1));
    }
    // The last words are told apart from the rest, so that the recording is closed when both have been heard and not before.
    let (last, last_answer) = (codec::encode(Law::A, 12_000), codec::encode(Law::A, -12_000));
    caller.say(8, &[last; 160]);
    operator.say(8, &[last_answer; 160]);
    operator.hear_until(|sound| sound.contains(&last));
    caller.hear_until(|sound| sound.contains(&last_answer));
    bench.order(ToMedia::StopRecord { recording });
    let (length_ms, lost_ms) = bench.wait(|report| match report {
        FromMedia::Recorded { length_ms, lost_ms, .. } => Some((*length_ms, *lost_ms)),
        _ => None,
    });
    assert_eq!(lost_ms, 0);
    assert!(length_ms <= began.elapsed().as_millis() as u64, "{length_ms}");
    let mut reader = hound::WavReader::open(path).unwrap();
    let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
    let loud = |channel: usize, sign: i16| -> Vec<usize> {
        (0..samples.len() / 2).filter(|n| samples[2 * n + channel].saturating_mul(sign) > 8_000).collect()
    };
    let (said, answered) = (loud(0, 1), loud(1, -1));
    // The last packet may reach beyond the moment at which the recording is closed; where all were read late, some are bent by a fiftieth.
    let bent = |packets: usize| packets * 160 + packets * 160 / 50;
    assert!((47 * 160..=bent(48)).contains(&said.len()), "{}", said.len());
    assert!((59 * 160..=bent(60)).contains(&answered.len()), "{}", answered.len());
    assert!(said[0].abs_diff(answered[0]) <= 320, "{} and {}", said[0], answered[0]);
    assert!(said.windows(2).filter(|pair| pair[1] - pair[0] > 1).all(|pair| (pair[1] - pair[0]).abs_diff(6 * 160) < 20));
    bench.end();
}
