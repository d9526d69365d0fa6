//! Do far ends with other codecs, and over poor lines, understand each other? baresip with G.722 and Opus, and speech that is made up for.

use std::f32::consts::TAU;
use std::net::Ipv4Addr;
use std::time::Duration;

use cityline_phone::judge::chirp::Voice;
use cityline_phone::media::g711::Law;
use cityline_phone::media::sound::read_wav;
use cityline_phone::{CallOptions, Event, Phone, Sound, Then};
use cityline_relay::{Impairment, Relay, Ways};
use serde_json::json;

use super::baresip::Baresip;
use super::cast::until_operator_is;
use super::cast::{CENTRE_112 as COLLEAGUE, OPERATOR, RESIDENT, calls, ended, goes_on, phone_of, record, rings, short_city_with_one};
use super::crash::report;
use super::desk::Desk;
use super::ears::{Ear, Hears, lately, room, until};
use super::poor::POOR;
use super::rooms::{begin, city};
use super::server::{Server, free_port, prompt};
use super::{SOON, heard};

/// A talk goes on until so much of it is recorded, in samples (six seconds), and so many of its thirty chirps arrive at least: a buffer
/// that follows a busy machine bends some.
const TALK: usize = 6 * 8_000;
const CHIRPS: usize = 12;

const FRAME: usize = 160;

/// A resident's phone with these codecs, in its order of preference.
fn resident(server: &Server, codecs: &str) -> Baresip {
    let account = format!("<sip:+77010700001@{}>;regint=0;audio_codecs={codecs}", server.sip);
    Baresip::start(&format!("coded-{}", server.sip.port()), &account, RESIDENT)
}

/// An operator's phone with this codec alone.
fn operator(server: &Server, user: &str, codec: &str, voice: Voice) -> Baresip {
    let account = format!("<sip:{user}@{}>;auth_pass=secret-{user};answermode=auto;regint=300;audio_codecs={codec}", server.sip);
    let phone = Baresip::start(&format!("coded-{user}-{}", server.sip.port()), &account, voice);
    phone.until("registration", || phone.log().contains("[1 binding]"));
    phone
}

/// The resident calls, talks and hangs up.
fn talk(server: &Server, resident: &Baresip) {
    until_operator_is(server, "daniyar", "ready", SOON);
    resident.order("dial", &server.uri("200"));
    resident.until("talk", || read_wav(&server.recording(1, 1)).is_ok_and(|channels| channels[0].len() >= TALK));
    resident.order("hangup", "");
    assert_eq!(ended(server, "end_reason"), "caller_hung_up");
}

/// At the resident's ear, at the operator's and in the recording each voice is where it belongs, and nowhere else.
fn judge(server: &Server, at_resident: &[i16], at_operator: &[i16]) {
    let channels = read_wav(&server.recording(1, 1)).unwrap();
    let places = [("resident", at_resident, OPERATOR), ("operator", at_operator, RESIDENT)];
    let sides = [("left side", channels[0].as_slice(), RESIDENT), ("right side", &channels[1], OPERATOR)];
    for (place, pcm, voice) in places.into_iter().chain(sides) {
        let found = heard(pcm, voice).map_or(0, |hearing| hearing.chirps.len());
        assert!(found >= CHIRPS, "{place}: {found} chirps of {voice:?}");
        let other = if voice == RESIDENT { OPERATOR } else { RESIDENT };
        assert!(heard(pcm, other).is_none(), "{place}: {other:?}");
    }
}

#[test]
fn a_resident_with_g722_and_an_operator_with_opus_understand_each_other() {
    let server = Server::start("codecs-wide", &short_city_with_one());
    let operator = operator(&server, "202", "opus/48000/2", OPERATOR);
    let resident = resident(&server, "G722/16000/1");
    talk(&server, &resident);
    judge(&server, &resident.heard(), &operator.heard());
}

#[test]
fn a_resident_who_offers_g722_and_opus_reaches_an_operator_with_pcma() {
    let server = Server::start("codecs-pcma", &short_city_with_one());
    let operator = phone_of(&server, "202", rings(100, Then::Answer, OPERATOR));
    let resident = resident(&server, "opus/48000/2,G722/16000/1");
    talk(&server, &resident);
    let at_operator = record(&mut operator.next_call(SOON).unwrap()).heard.timeline().pcm;
    judge(&server, &resident.heard(), &at_operator);
    assert!(resident.log().contains("Set audio encoder: G722"), "the lighter of the two\n{}", resident.log());
}

#[test]
fn of_all_that_a_resident_offers_pcma_is_taken() {
    let server = Server::start("codecs-all", &short_city_with_one());
    let operator = phone_of(&server, "202", rings(100, Then::Answer, OPERATOR));
    let resident = resident(&server, "opus/48000/2,G722/16000/1,PCMU/8000/1,PCMA/8000/1");
    talk(&server, &resident);
    let at_operator = record(&mut operator.next_call(SOON).unwrap()).heard.timeline().pcm;
    judge(&server, &resident.heard(), &at_operator);
    assert!(resident.log().contains("Set audio encoder: PCMA"), "{}", resident.log());
}

#[test]
fn three_with_three_codecs_hear_the_other_two() {
    let server = Server::start("codecs-three", &city(free_port()));
    let aigul = operator(&server, "201", "opus/48000/2", OPERATOR);
    let colleague = operator(&server, "202", "PCMA/8000/1", COLLEAGUE);
    let resident = resident(&server, "G722/16000/1");
    let mut desk = begin(&server, &resident);
    let _second = Desk::ready(&server, "daniyar");
    desk.brings(json!({ "type": "consult", "call": 1, "with": { "operator": "daniyar" } }), "consulting");
    room("consult", &[(&resident, Hears::Music), (&aigul, Hears::Voices(&[COLLEAGUE])), (&colleague, Hears::Voices(&[OPERATOR]))]);
    desk.brings(json!({ "type": "conference", "call": 1 }), "conference");
    room(
        "conference",
        &[
            (&resident, Hears::Voices(&[OPERATOR, COLLEAGUE])),
            (&aigul, Hears::Voices(&[RESIDENT, COLLEAGUE])),
            (&colleague, Hears::Voices(&[RESIDENT, OPERATOR])),
        ],
    );
    resident.order("hangup", "");
    ended(&server, "id");
}

#[test]
fn a_transcoded_talk_goes_on_in_the_next_process() {
    let settings = short_city_with_one();
    let server = Server::start("codecs-crash", &settings);
    let operator = operator(&server, "202", "opus/48000/2", OPERATOR);
    let resident = resident(&server, "G722/16000/1");
    until_operator_is(&server, "daniyar", "ready", SOON);
    resident.order("dial", &server.uri("200"));
    let understand = |resident: &Baresip, operator: &Baresip| {
        let hears =
            |ear: &Baresip, voice| heard(&lately(ear, Duration::from_secs(2)), voice).is_some_and(|hearing| hearing.chirps.len() >= 5);
        until("talk", || hears(resident, OPERATOR) && hears(operator, RESIDENT));
    };
    understand(&resident, &operator);
    let place = server.kill();
    let before = [&resident, &operator].map(|phone| phone.length() + 2 * 8_000);
    let server = Server::start_at(place, &settings);
    until("sound again", || [&resident, &operator].iter().zip(before).all(|(phone, before)| phone.length() >= before));
    understand(&resident, &operator);
    resident.order("hangup", "");
    assert_eq!(ended(&server, "end_reason"), "caller_hung_up");
}

/// Half a minute of speech by espeak-ng in four languages, as A-law has it.
fn speech() -> Vec<i16> {
    let said = [("kk", "welcome-109"), ("ru", "welcome-1520"), ("uk", "welcome-1520"), ("en", "welcome-109")];
    let notices = ["kk", "ru", "uk", "en"].map(|language| (language, "recorded-notice"));
    let pcm = said.iter().chain(&notices).flat_map(|(language, id)| prompt(language, id));
    let mut pcm: Vec<i16> = pcm.map(|sample| Law::Alaw.decode(Law::Alaw.encode(sample))).collect();
    pcm.truncate(pcm.len() / FRAME * FRAME);
    pcm
}

/// Where each frame of what was said lies in what was heard, for those that arrived as they were. `None` for the others, and for those
/// in which nobody speaks: they lie everywhere.
fn places(said: &[i16], heard: &[i16]) -> Vec<Option<usize>> {
    let mut shift: Option<usize> = None;
    let frames = said.chunks_exact(FRAME).enumerate();
    let find = |(n, frame): (usize, &[i16])| {
        let range = match shift {
            None => 0..heard.len(),
            Some(shift) => (n * FRAME + shift).saturating_sub(1_600)..n * FRAME + shift + 1_600,
        };
        let place = range.clone().filter(|at| heard.get(*at..at + FRAME) == Some(frame));
        let place = place.min_by_key(|at| shift.map_or(0, |shift| at.abs_diff(n * FRAME + shift)));
        let place = place.filter(|_| speaks(frame));
        shift = place.and_then(|at| at.checked_sub(n * FRAME)).or(shift);
        place
    };
    frames.map(find).collect()
}

fn speaks(frame: &[i16]) -> bool {
    frame.iter().map(|sample| f32::from(*sample).powi(2)).sum::<f32>() > FRAME as f32 * 200.0 * 200.0
}

/// Signal-to-noise ratio of a frame in decibels, held within −10 and 35: segmental SNR is the mean of it.
fn snr_db(said: &[i16], heard: &[i16]) -> f32 {
    let power = |sum: f32, difference: f32| sum + difference * difference;
    let signal = said.iter().map(|a| f32::from(*a)).fold(0.0, power);
    let noise = said.iter().zip(heard).map(|(a, b)| f32::from(*a) - f32::from(*b)).fold(1.0, power);
    (10.0 * (signal / noise).log10()).clamp(-10.0, 35.0)
}

/// Log-spectral distance of a frame in decibels over 200 to 3,400 Hz; what is softer than A-law's own noise counts as that.
fn spectral_distance_db(said: &[i16], heard: &[i16]) -> f32 {
    let line = |sound: &[i16], k: usize| {
        let (mut re, mut im) = (0f32, 0f32);
        for (n, sample) in sound.iter().enumerate() {
            let window = 0.5 - 0.5 * (TAU * n as f32 / FRAME as f32).cos();
            let (sin, cos) = (TAU * (k * n % FRAME) as f32 / FRAME as f32).sin_cos();
            (re, im) = (re + f32::from(*sample) * window * cos, im + f32::from(*sample) * window * sin);
        }
        10.0 * ((re * re + im * im) / (FRAME * FRAME) as f32).max(4.0).log10()
    };
    let lines = 4..68;
    (lines.clone().map(|k| (line(said, k) - line(heard, k)).powi(2)).sum::<f32>() / lines.len() as f32).sqrt()
}

#[test]
fn speech_over_a_bad_line_is_recorded_nearer_to_what_was_said_than_with_silence_in_its_gaps() {
    let server = Server::start("codecs-poor", &short_city_with_one());
    let operator = phone_of(&server, "202", rings(100, Then::Answer, OPERATOR));
    until_operator_is(&server, "daniyar", "ready", SOON);
    let resident = Phone::on_loopback().unwrap();
    let options = CallOptions { from: "+77010700002".to_owned(), sound: Sound::Nothing, ..CallOptions::default() };
    let mut call = calls(&server, &resident, "200", options);
    let mut answered = operator.next_call(SOON).unwrap();
    answered.wait_for(Event::Confirmed, SOON).unwrap();
    let relay = Relay::start(Ipv4Addr::LOCALHOST, Ways { to_target: POOR, from_target: Impairment::default() }, 7).unwrap();
    call.send_sound_to(relay.open(0, call.far().unwrap().unwrap().address).unwrap()).unwrap();
    let said = speech();
    call.say(Sound::once(&said)).unwrap();
    goes_on(&mut call, Duration::from_millis(said.len() as u64 / 8 + 1_000));
    call.hang_up().unwrap();
    // The operator's phone is passed all that arrived, and nothing in the place of what did not.
    let passed_on = places(&said, &record(&mut answered).heard.timeline().pcm);
    ended(&server, "id");
    server.rows_until("SELECT length_ms FROM recordings WHERE length_ms > 0", SOON, |rows| !rows.is_empty());
    let recorded = read_wav(&server.recording(1, 1)).unwrap().swap_remove(0);
    let known = places(&said, &recorded);
    let (mut shift, mut frames, mut sums) = (0, 0, [0f32; 4]);
    for (n, frame) in said.chunks_exact(FRAME).enumerate() {
        shift = known[n].and_then(|at| at.checked_sub(n * FRAME)).unwrap_or(shift);
        if !speaks(frame) || passed_on[n].is_some() || known[n].is_some() || shift == 0 {
            continue;
        }
        let heard = &recorded[n * FRAME + shift..(n + 1) * FRAME + shift];
        let silence = [0; FRAME];
        let figures =
            [snr_db(frame, heard), snr_db(frame, &silence), spectral_distance_db(frame, heard), spectral_distance_db(frame, &silence)];
        sums.iter_mut().zip(figures).for_each(|(sum, figure)| *sum += figure);
        frames += 1;
    }
    let [snr, silent_snr, distance, silent_distance] = sums.map(|sum| sum / frames.max(1) as f32);
    let arrived = passed_on.iter().filter(|place| place.is_some()).count();
    report(&format!(
        "| speech over a bad line, {frames} frames of it lost, {arrived} arrived | log-spectral distance {distance:.1} dB, with silence {silent_distance:.1} dB; \
         segmental SNR {snr:.1} dB, with silence {silent_snr:.1} dB |"
    ));
    assert!(frames >= 20 && arrived >= 500, "{frames} frames lost, {arrived} arrived");
    assert!(distance < 0.8 * silent_distance, "log-spectral distance {distance} dB, with silence {silent_distance} dB");
    assert!(snr > silent_snr - 1.0, "segmental SNR {snr} dB, with silence {silent_snr} dB");
}
