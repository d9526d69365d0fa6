//! What is heard, and what is recorded, when an operator pauses the recording, or warns an abusive caller and ends the call? Judged by sound.

use cityline_phone::judge::chirp::Voice;
use cityline_phone::judge::prompt::recognise;
use cityline_phone::media::sound::read_wav;
use serde_json::json;

use super::{begin, city, ends, events_become, only, phone, resident, talk};
use crate::calls::cast::{OPERATOR, RESIDENT};
use crate::calls::ears::{Ear, room, until, voices};
use crate::calls::server::{Server, free_port, prompt};

/// 20 ms at 8 kHz.
const FRAME: usize = 160;
/// Mean square of silence at most; a chirp is above 10,000,000.
const SILENCE: i64 = 1_000;
/// Likeness of a second of what is spoken, at a phone that follows our clock and slips by samples; other sounds stay below 0.3.
const SPOKEN: f32 = 0.5;
/// A second at 8 kHz.
const SECOND: usize = 8_000;

/// The longest silence with sound before and after it, as its first sample and its length.
fn longest_silence(pcm: &[i16]) -> (usize, usize) {
    let silent = |frame: &[i16]| frame.iter().map(|s| i64::from(*s) * i64::from(*s)).sum::<i64>() / (frame.len() as i64) < SILENCE;
    let (mut longest, mut began) = ((0, 0), None);
    for (n, frame) in pcm.chunks_exact(FRAME).enumerate() {
        if silent(frame) {
            began = began.or(Some(n));
        } else if let Some(first) = began.take()
            && n - first > longest.1
            && first > 0
        {
            longest = (first, n - first);
        }
    }
    (longest.0 * FRAME, longest.1 * FRAME)
}

/// Whether this was said: most of its seconds are there.
fn is_said(id: &str, heard: &[i16]) -> bool {
    let said = prompt("kk", id);
    let likeness: Vec<f32> = said.chunks_exact(SECOND).map(|second| recognise(second, heard).map_or(0.0, |found| found.whole)).collect();
    println!("{id}: {} samples heard, likeness of its seconds {likeness:?}", heard.len());
    likeness.iter().filter(|likeness| **likeness >= SPOKEN).count() * 4 >= likeness.len() * 3
}

fn is_heard(pcm: &[i16], voice: Voice) -> bool {
    voices(pcm).iter().any(|(found, count)| *found == voice && *count >= 4)
}

#[test]
fn a_recording_that_is_paused_holds_silence_of_the_same_length_on_both_sides() {
    let server = Server::start("room-paused", &city(free_port()));
    let (resident, operator, mut desk) = talk(&server);
    let talk = |what| drop(room(what, &[(&resident, only(&[OPERATOR])), (&operator, only(&[RESIDENT]))]));
    talk("before");
    desk.order(json!({ "type": "pause_recording", "call": 1 }));
    desk.until("paused", |message| message["type"] == "recording" && message["paused"] == true);
    let from = operator.length();
    talk("both hear each other while it is paused");
    let to = operator.length();
    desk.order(json!({ "type": "resume_recording", "call": 1 }));
    desk.until("resumed", |message| message["type"] == "recording" && message["paused"] == false);
    talk("after");
    ends(&server, &resident);
    let channels = read_wav(&server.recording(1, 1)).unwrap();
    for (pcm, voice) in channels.iter().zip([RESIDENT, OPERATOR]) {
        let (at, length) = longest_silence(pcm);
        println!("paused for about {} samples, silent for {length} of {}", to - from, pcm.len());
        assert!(length + 1_600 > to - from, "{voice:?}: silent for {length} samples, paused for {}", to - from);
        assert!(length < to - from + 16_000, "{voice:?}: silent for {length} samples, paused for {}", to - from);
        assert!(is_heard(&pcm[..at], voice) && is_heard(&pcm[at + length..], voice), "{voice:?} is there before and after");
    }
    events_become(&server, &["recording_paused aigul -", "recording_resumed aigul -"]);
}

#[test]
fn an_abusive_caller_is_warned_then_let_go_and_the_number_is_marked() {
    let server = Server::start("room-abuse", &city(free_port()));
    let operator = phone(&server, "201", OPERATOR);
    let resident = resident(&server, RESIDENT);
    let mut desk = begin(&server, &resident);
    let before = resident.length();
    desk.brings(json!({ "type": "warn", "call": 1 }), "warned");
    room("while the warning plays", &[(&operator, only(&[RESIDENT]))]);
    desk.until("the end of the warning", |message| message["type"] == "call_state" && message["state"] == "heard");
    room("they talk on", &[(&resident, only(&[OPERATOR])), (&operator, only(&[RESIDENT]))]);
    assert!(is_said("abuse-warning", &resident.heard_so_far()[before..]), "the warning is heard");
    let before = resident.length();
    desk.order(json!({ "type": "end_abuse", "call": 1, "days": 30 }));
    until("the end of the call", || server.rows("SELECT end_reason FROM calls") == "abuse");
    assert!(is_said("abuse-ended", &resident.heard_so_far()[before..]), "the last word is heard");
    let days =
        server.rows("SELECT (abuse_until_ms - (SELECT at_ms FROM call_events WHERE what = 'marked')) / 86400000, abuse_by FROM callers");
    assert_eq!(days, "30|aigul");
    events_become(&server, &["warned aigul -", "marked aigul -"]);
    desk.until("the rest", |message| message["type"] == "state" && message["reason"] == "cool_off" && message["until_ms"].is_u64());
}
