//! Can what arrives of a far end, or a file of ours that is damaged, hurt the sound? Mutated descriptions, packets, reports and records.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use super::codec::moments;
use super::decoder::Decoder;
use super::dtmf::EventReader;
use super::inband::ToneListener;
use super::lane::Lane;
use super::loopback::leg;
use super::negotiation::Author;
use super::playback::tests::Counting;
use super::recorder::{Frame, Track};
use super::room::Side;
use super::rtcp::{FarReports, Sent};
use super::rtp::{HEADER, Packet, Reception, Stamp, parse, write_header};
use super::sdes::{CryptoLine, Keys, Secured, Settled};
use super::voice::Voice;
use super::*;
use crate::centre::ids::RecordingId;
use crate::centre::input::Codec;
use crate::centre::output::Hears;
use crate::fuzz::{Target, feed, fixture, folder, outcome};
use crate::lanes::lanes;

const LINE: &str = "1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";

const OFFERS: [&str; 5] = [
    "v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\ns=-\r\nc=IN IP4 1.2.3.4\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 0 9 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n",
    "v=0\r\nc=IN IP6 ::1\r\na=inactive\r\nm=video 1 RTP/AVP 96\r\nm=audio 5004 RTP/SAVP 111 8\r\na=rtpmap:111 opus/48000/2\r\na=rtcp:5010 IN IP4 1.1.1.1\r\na=sendonly\r\n\
     a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20\r\n",
    "c=IN IP4 0.0.0.0\nm=audio 0 RTP/AVP\n",
    "v=0\nm=image 4 udptl t38\nc=IN IP4 9.9.9.9\nm=audio 9 RTP/AVPF 18 3 8\na=ptime:20\na=maxptime:40\na=recvonly\n",
    "v=0\r\nc=IN IP4 1.2.3.4/127/3\r\nm=audio 4000/2 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000/1\r\na=silenceSupp:off\r\n",
];

const SDP_WORDS: [&str; 24] = [
    "\r\nm=audio 4000 RTP/AVP 8\r\n",
    "\r\nm=audio 4000 RTP/SAVP 0 101\r\n",
    "\r\nc=IN IP4 1.2.3.4\r\n",
    "\r\nc=IN IP6 ::1\r\n",
    "\r\nc=IN IP4 host.example\r\n",
    "\r\na=rtpmap:96 opus/48000/2\r\n",
    "\r\na=rtpmap:8 G722/8000\r\n",
    "\r\na=rtpmap:127 telephone-event/48000\r\n",
    "\r\na=rtcp:1\r\n",
    "\r\na=rtcp-mux\r\n",
    "\r\na=sendonly\r\n",
    "\r\na=inactive\r\n",
    "\r\na=crypto:2 AEAD_AES_128_GCM inline:AAAA\r\n",
    "inline:",
    "|2^48",
    "|1:4",
    " WSH=64",
    " UNENCRYPTED_SRTP",
    "a=",
    ":",
    "/",
    " ",
    "\r\n",
    "é",
];

#[test]
fn any_description_is_answered_by_one_that_we_would_read_or_refused() {
    let seeds = OFFERS.map(|text| text.as_bytes().to_vec()).to_vec();
    let target = Target { name: "session descriptions", seeds, words: &SDP_WORDS, longest: 40_000, bytes: (400_000, 100), takes_ms: 80 };
    feed(&target, |raw| {
        let text = String::from_utf8_lossy(raw).into_owned();
        let mut description = match sdp::parse(&text) {
            Ok(description) => description,
            Err(why) => return outcome(&format!("{why:?}")),
        };
        description.crypto_on_avp = raw.len() % 2 == 0;
        let found = description.terms(raw.len() % 3 > 0);
        let Ok(terms) = found else { return outcome(&(description.sections.len(), format!("{:?}", found.err()))) };
        let kept = sdp::essence(text, terms.section);
        let mut again = sdp::parse(&kept).expect("what is kept can be read");
        again.crypto_on_avp = description.crypto_on_avp;
        let same = again.terms(raw.len() % 3 > 0).expect("and says as much");
        assert_eq!(
            (same.address, same.codec, same.sound_type, same.event_type),
            (terms.address, terms.codec, terms.sound_type, terms.event_type)
        );
        let mut author = Author::new("127.0.0.1:4000".parse().unwrap(), 7);
        if let Ok(Settled::Keyed(_)) = author.keys.settle(terms.crypto.as_ref(), true, None) {}
        let answer = author.answer(&description, &terms);
        let answered = sdp::parse(&answer).expect("our answer can be read");
        assert_eq!(answered.sections.len(), description.sections.len(), "each section has its answer");
        outcome(&(
            description.sections.len(),
            format!("{:?} {:?} {}", terms.codec, terms.event_type, terms.crypto.is_some()),
            terms.address.is_some(),
        ))
    });
}

#[test]
fn a_key_is_read_as_it_was_written_or_refused() {
    let words = ["inline:", "|", "2^31", "==", " ", "AEAD_AES_256_GCM", "AES_256_CM_HMAC_SHA1_80", "WSH=", "+", "/"];
    let seeds = vec![LINE.as_bytes().to_vec(), format!("{LINE}|2^20 WSH=64").into_bytes()];
    feed(&Target { name: "keys", seeds, words: &words, longest: 2_000, bytes: (20_000, 20), takes_ms: 30 }, |raw| {
        let Some(line) = CryptoLine::read(&String::from_utf8_lossy(raw)) else { return 0 };
        let mut text = String::new();
        line.write(&mut text);
        let value = text.trim().strip_prefix("a=crypto:").unwrap();
        let again = CryptoLine::read(value).expect("ours is read");
        assert!(again.key == line.key && again.tag == line.tag);
        outcome(&(line.tag.min(3), line.key.suite().name()))
    });
}

fn packet(payload_type: u8, sequence: u16, payload: &[u8]) -> Vec<u8> {
    let mut head = [0; HEADER];
    let stamp = Stamp { marker: sequence.is_multiple_of(50), sequence, timestamp: u32::from(sequence) * 160, ssrc: 77 };
    write_header(&mut head, stamp, payload_type);
    [&head, payload].concat()
}

fn packets() -> Vec<Vec<u8>> {
    let event = |code: u8, ended: u8, duration: u16| [&[code, ended << 7 | 10][..], &duration.to_be_bytes()].concat();
    let mut all: Vec<Vec<u8>> = (0..4).map(|n| packet(8, 65_534_u16.wrapping_add(n), &[0xd5; 160])).collect();
    all.push(packet(0, 5, &[0x7f; 80]));
    all.push(packet(9, 6, &[0x55; 160]));
    all.push(packet(111, 7, &[0x78, 1, 2, 3, 4, 5, 6, 7]));
    all.push(packet(111, 8, &[0xfb, 0x83, 1, 2, 3]));
    all.extend(
        [(1, 0, 160), (1, 0, 800), (1, 1, 1_600), (11, 0, 65_535)]
            .map(|(code, ended, duration)| packet(101, 9, &event(code, ended, duration))),
    );
    let mut extended = packet(8, 10, &[0; 200]);
    extended[0] |= 0x3f;
    all.push(extended);
    all.push(vec![0x80, 200, 0, 6, 0, 0, 0, 77, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3]);
    all
}

const BYTES: [&str; 6] = ["\u{0}", "\u{1}", "\u{7f}", "\u{0}\u{0}\u{0}\u{0}", "AAAAAAAAAAAAAAAA", "\u{10}"];

#[test]
fn any_packet_is_sound_a_key_or_nothing() {
    let target = Target { name: "RTP packets", seeds: packets(), words: &BYTES, longest: 2_048, bytes: (2_000_000, 400), takes_ms: 200 };
    let (mut reception, mut events, mut tones, mut lane, mut now_us) =
        (Reception::default(), EventReader::default(), ToneListener::default(), Lane::new(0), 0_u64);
    let mut voices: Vec<Voice> = (0..2).map(|_| Voice::default()).collect();
    let recording = RecordingId { call: CallId(1), n: 1 };
    feed(&target, |raw| {
        now_us += 20_000;
        let Some(packet) = parse(raw) else { return 0 };
        let payload = raw.get(packet.begin..packet.end).expect("the payload lies in the packet");
        let mut head = [0; HEADER];
        let Packet { marker, sequence, timestamp, ssrc, payload_type, .. } = packet;
        write_header(&mut head, Stamp { marker, sequence, timestamp, ssrc }, payload_type);
        let again = parse(&[&head, payload].concat()).unwrap();
        assert_eq!((again.sequence, again.timestamp, again.ssrc, again.payload_type), (sequence, timestamp, ssrc, payload_type));
        let novelty = format!("{:?}", reception.note(&packet, now_us));
        let (lost, _) = (reception.lost(), reception.arrived());
        let report = reception.report().is_some();
        let digit = events.read(&packet, payload);
        let codec = [Codec::Pcma, Codec::Pcmu, Codec::G722, Codec::Opus][usize::from(payload_type) % 4];
        let tone = tones.hear(super::codec::Law::A, payload);
        let length = moments(codec, payload);
        let frame = Frame {
            track: Track { recording, side: Side::Left, mouth: 0 },
            codec,
            ssrc,
            timestamp,
            arrived_us: now_us,
            length: payload.len(),
        };
        lane.lay(&frame, payload, now_us / 125);
        let settled = (now_us / 125).saturating_sub(4_000);
        lane.settle(settled);
        let _ = lane.next(160).len();
        lane.advance(160);
        for (n, voice) in voices.iter_mut().enumerate() {
            voice.put(&packet, codec, payload, now_us);
            let heard = voice.frame(now_us / 20_000, n == 1, now_us).len();
            assert!(heard > 0);
        }
        outcome(&(novelty, report, digit.is_some(), tone.is_some(), length.min(2_000) / 80, lost.min(3), payload_type % 4))
    });
}

#[test]
fn any_payload_is_decoded_into_a_bounded_frame() {
    let seeds = vec![vec![0xd5; 160], vec![0x78, 1, 2, 3, 4, 5, 6, 7], vec![0xfb, 0x83, 1, 2, 3], vec![]];
    let target = Target { name: "codecs", seeds, words: &BYTES, longest: 1_500, bytes: (4_000_000, 400), takes_ms: 200 };
    let mut decoders: Vec<Decoder> =
        [Codec::Pcma, Codec::Pcmu, Codec::G722, Codec::Opus].into_iter().filter_map(|codec| Decoder::new(codec, false)).collect();
    feed(&target, |payload| {
        let mut lengths = Vec::new();
        for decoder in &mut decoders {
            let mut out = Vec::new();
            decoder.decode(payload, &mut out);
            assert!(out.len() <= 48 * 130 + 4 * payload.len(), "{} samples of {} bytes", out.len(), payload.len());
            lengths.push(out.len() / 40);
            out.clear();
            decoder.make_up(160, Some(payload), &mut out);
        }
        outcome(&lengths)
    });
}

#[test]
fn any_report_is_read_or_left_out() {
    let sender = vec![0x81, 200, 0, 12, 0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
    let block = [0, 0, 0, 77, 255, 0xff, 0xff, 0xff, 0, 0, 0, 5, 0, 0, 0, 6, 3, 4, 5, 6, 0, 1, 0, 0];
    let described = [0x81, 202, 0, 4, 0, 0, 0, 9, 1, 3, b'a', b'b', b'c', 0, 0, 0, 0, 0, 0, 0];
    let goodbye = [0x81, 203, 0, 1, 0, 0, 0, 9];
    let compound = [&sender[..], &block, &described, &goodbye].concat();
    let receiver = [&[0x81, 201, 0, 7, 0, 0, 0, 9][..], &block].concat();
    let target =
        Target { name: "RTCP reports", seeds: vec![compound, receiver], words: &BYTES, longest: 1_500, bytes: (50_000, 50), takes_ms: 40 };
    let (mut far, mut at_us) = (FarReports::default(), 0);
    feed(&target, |raw| {
        at_us += 1_000_000;
        let our = Sent { ssrc: 77, timestamp: at_us as u32, packets: (at_us / 20_000) as u32, octets: at_us as u32 };
        far.read(raw, our, at_us);
        let mut out = [0; rtcp::MAX_REPORT];
        let _ = rtcp::write_report(&mut out, our, &mut far, None, crate::centre::time::Time(at_us / 1_000), at_us);
        outcome(&(
            far.round_trip_us().map(|us| us / 100_000),
            far.says_unheard(),
            format!("{:?}", far.reported().map(|reported| reported.lost.min(2))),
        ))
    });
}

/// Two ends with keys: what one seals the other opens, once and unchanged.
fn secured() -> (Box<Secured>, Box<Secured>) {
    let line = CryptoLine::read(LINE).unwrap();
    let mut answering = Keys::default();
    let Ok(Settled::Keyed(theirs)) = answering.settle(Some(&line), true, None) else { panic!("no keys") };
    let ours = answering.ours().unwrap().clone();
    let stand = serde_json::json!({ "ours": LINE, "sent": null, "next_report": 0, "heard": [] });
    let us = Keys::default().resume(&serde_json::from_value(stand).unwrap(), &ours, 77, 65_534).unwrap();
    (us, theirs)
}

#[test]
fn only_what_was_sealed_is_opened_and_once() {
    let (mut us, mut them) = secured();
    let sealed: Vec<Vec<u8>> =
        (0..40).map(|n| us.seal(&packet(8, 65_534_u16.wrapping_add(n), &[n as u8; 160])).unwrap().to_vec()).collect();
    let report = us.seal_report(&packets().pop().unwrap()).unwrap().to_vec();
    let honest: BTreeSet<Vec<u8>> = sealed.iter().cloned().collect();
    let seeds = sealed.iter().chain([&report]).cloned().collect();
    let target = Target { name: "SRTP packets", seeds, words: &BYTES, longest: 2_048, bytes: (20_000, 20), takes_ms: 40 };
    let mut opened = BTreeSet::new();
    feed(&target, |raw| {
        let mut bytes = raw.to_vec();
        let whole = them.open(&mut bytes);
        if whole.is_some() {
            assert!(honest.contains(raw) && opened.insert(raw.to_vec()), "forged, or opened twice");
        }
        let mut bytes = raw.to_vec();
        let told = them.open_report(&mut bytes);
        assert!(told.is_none() || raw == report, "a forged report");
        outcome(&(whole, told))
    });
    assert!(opened.len() > 30, "{}", opened.len());
}

#[test]
fn a_recording_whose_header_lies_has_a_length_or_none() {
    let place = folder("wav");
    let (path, built) = (place.join("1.wav"), place.join("2.wav"));
    let file = wav::WavFile::create(&path).unwrap();
    file.write(0, &[1, 2, 3, 4].repeat(400)).unwrap();
    crate::prompts::fuzzed::write(&built);
    let seeds = [&path, &built].map(|path| std::fs::read(path).unwrap()).to_vec();
    let words = ["RIFF", "WAVEfmt ", "data", "LIST", "fact", "\u{0}\u{0}\u{0}\u{0}", "\u{1}\u{0}", "\u{3}\u{0}"];
    let target = Target { name: "WAV files", seeds, words: &words, longest: 20_000, bytes: (40_000_000, 400), takes_ms: 1_500 };
    feed(&target, |raw| {
        std::fs::write(&path, raw).unwrap();
        let length = wav::length_ms(&path);
        assert!(length.as_ref().map_or(0, |ms| *ms) <= raw.len() as u64, "longer than the file");
        outcome(&(length.is_ok(), crate::prompts::fuzzed::read(&path)))
    });
    std::fs::remove_dir_all(place).unwrap();
}

/// The places of a file that hold a record, without length and checksum.
fn records(file: &[u8]) -> Vec<Vec<u8>> {
    let body = |place: &[u8]| {
        let length = u32::from_le_bytes(place.get(..4)?.try_into().ok()?) as usize;
        place.get(8..8 + length).filter(|body| !body.is_empty()).map(<[u8]>::to_vec)
    };
    file.chunks(4_096).filter_map(body).collect()
}

fn media_config(ports: (u16, u16)) -> config::Media {
    let address = IpAddr::from([127, 0, 0, 1]);
    config::Media {
        address,
        ports,
        threads: 1,
        silence_after_ms: 5_000,
        inband_digits: true,
        srtp_on_avp: true,
        webrtc_port: 0,
        webrtc_addresses: Vec::new(),
    }
}

#[test]
fn sound_of_a_file_that_lies_is_taken_up_or_left_out() {
    let all = records(&fixture("tests/fixtures/2026-11-22/live/sound"));
    let place = folder("sound");
    let clock = Clock::of_process();
    let words = ["\u{0}", "\u{7f}", "port", "sequence", "secured", "theirs", LINE, "m=audio 1 RTP/SAVP 8\r\na=crypto:"];
    let ports = Arc::new(Ports::new((42_400, 42_499), 1));
    let opener = Opener { config: media_config((42_400, 42_499)), ports, sdps: SdpBook::default(), clock };
    let target = Target { name: "kept sound", seeds: all.clone(), words: &words, longest: 4_088, bytes: (2_000_000, 400), takes_ms: 300 };
    feed(&target, |body| {
        let mut file = [(body.len() as u32).to_le_bytes(), crc32fast::hash(body).to_le_bytes()].concat();
        file.extend_from_slice(body);
        std::fs::write(place.join("sound"), file).unwrap();
        let wanted: BTreeSet<LegId> = (0..40).flat_map(|call| [leg(call, 0), leg(call, 1)]).collect();
        let survivors = Survivors::open(&place, &wanted).unwrap();
        let mut found = Vec::new();
        for (id, record) in survivors.records {
            let _ = record.goes_on(clock.now(), 6);
            let port = record.port;
            let mut moved = record;
            moved.port = 42_400 + port % 50 * 2;
            if let Some(leg) = opener.reopen(id, moved) {
                found.push((id.n, leg.is_talking()));
                opener.discard(&leg);
            }
        }
        outcome(&found)
    });
    std::fs::remove_dir_all(place).unwrap();
}

/// A thread with a talk that is recorded, under a storm: it must go on, and the far end be heard.
#[test]
fn no_packet_ends_a_media_thread_or_the_recordings() {
    let place = folder("threads");
    let (clock, sdps) = (Clock::of_process(), SdpBook::default());
    let vitals = Vitals::new(clock);
    let (inputs, mut reports) = lanes(10_000);
    let parts = MediaParts {
        config: media_config((42_500, 42_599)),
        recordings: place.clone(),
        inputs,
        sdps: sdps.clone(),
        sounds: Arc::new(Counting),
        clock,
        vitals: vitals.clone(),
    };
    let engine = start(parts).unwrap();
    let phones: Vec<UdpSocket> = (0..2).map(|n| UdpSocket::bind((IpAddr::from([127, 0, 9, n + 1]), 0)).unwrap()).collect();
    let mut to = Vec::new();
    for (n, phone) in phones.iter().enumerate() {
        let own = phone.local_addr().unwrap();
        let (formats, map) = if n == 0 { ("8 0 101", "") } else { ("111 9 101", "a=rtpmap:111 opus/48000/2\r\n") };
        let text = format!(
            "v=0\r\nc=IN IP4 {}\r\nm=audio {} RTP/AVP {formats}\r\n{map}a=rtpmap:101 telephone-event/8000\r\n",
            own.ip(),
            own.port()
        );
        engine.carry_out(ToMedia::Open { leg: leg(1, n as u16), offer: Some(sdps.put(text)) }).unwrap();
        let answer = loop {
            let report = reports.common.try_recv().or_else(|_| reports.reserved.try_recv());
            if let Ok(Input::Media(FromMedia::Opened { sdp, .. })) = report {
                break sdps.take(sdp).unwrap();
            }
        };
        to.push(sdp::parse(&answer).unwrap().terms(true).unwrap().address.unwrap());
    }
    let hears = |ear, mouth| Hears { ear: leg(1, ear), mouth: leg(1, mouth) };
    engine.carry_out(ToMedia::Connect { call: CallId(1), hears: vec![hears(0, 1), hears(1, 0)] }).unwrap();
    let recording = RecordingId { call: CallId(1), n: 1 };
    engine.carry_out(ToMedia::Record { recording, resident: leg(1, 0) }).unwrap();
    let mut seeds = packets();
    seeds.push(packet(8, 1, &[0xd5; 160]));
    let target = Target { name: "media threads", seeds, words: &BYTES, longest: 2_048, bytes: (200_000, 20), takes_ms: 200 };
    let mut sent = 0_u64;
    feed(&target, |raw| {
        sent += 1;
        let n = (sent % 2) as usize;
        let mut place = to[n];
        if sent.is_multiple_of(7) {
            place = SocketAddr::new(place.ip(), place.port() + 1);
        }
        let _ = phones[n].send_to(raw, place);
        if sent.is_multiple_of(8) {
            // As fast as the thread asks its sockets, that most is read.
            std::thread::sleep(std::time::Duration::from_micros(700));
        }
        while reports.common.try_recv().or_else(|_| reports.reserved.try_recv()).is_ok() {}
        assert!(vitals.age_of(Part::Media(0)).is_some() && vitals.age_of(Part::Recordings).is_some(), "a thread has ended");
        0
    });
    assert!(vitals.late().is_empty());
    engine.stop();
    assert!(recorded_ms(&place, recording).is_some());
    std::fs::remove_dir_all(place).unwrap();
}
