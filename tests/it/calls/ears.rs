//! Who hears whom while a room is as it is? What each phone takes in meanwhile is judged: voices by their chirps, music by likeness.

use std::f64::consts::TAU;
use std::time::{Duration, Instant};

use cityline_phone::judge::chirp::Voice;
use cityline_phone::judge::find;
use cityline_phone::judge::prompt::recognise;
use cityline_phone::media::sound::read_wav;

use super::SOON;
use super::server::{a_moment, prompts};

/// What a phone that keeps its sound has heard up to now, 16-bit PCM at 8 kHz.
pub trait Ear {
    /// How it is called in the words of a failed test.
    fn name(&self) -> &str;
    /// All that it has heard so far.
    fn heard_so_far(&self) -> Vec<i16>;
    /// How many samples that is.
    fn length(&self) -> usize;
    /// How many windows are judged as one: an ear that stands still for moments on a busy machine is judged for longer.
    fn windows(&self) -> usize {
        1
    }
    /// After a change it still plays what its buffers hold; this much is passed over, in samples.
    fn settles(&self) -> usize {
        SETTLES
    }
}

/// What is to be heard at one ear.
#[derive(Clone, Copy, Debug)]
pub enum Hears<'a> {
    /// Exactly these voices.
    Voices(&'a [Voice]),
    /// Music, and no voice.
    Music,
    /// Nothing.
    Silence,
}

/// What a phone's jitter buffer holds at most, in samples.
const SETTLES: usize = 4_800;
/// What is judged then: eight chirps' time.
const WINDOW: usize = 12_800;
/// Whole chirps of each voice in a window, at least: one may be cut at either end, and one lost on a busy machine.
const LEAST: usize = 5;
/// The same a window, where several are judged as one.
const LEAST_OF_LONG: usize = 4;
/// As many chirps of somebody who is not to be heard may be in such windows: a gap within a chirp makes it look like another's.
const MISREAD: usize = 1;
/// Likeness of the worst half second of music to the prompt: a phone that follows our clock slips by samples; other sounds stay below 0.3.
const MUSIC: f32 = 0.6;
/// Mean square of silence at most. Idle A-law is a constant 8, two of them mixed are 24; a chirp is above 10,000,000.
const QUIET: f64 = 1_000.0;

/// Waits until every ear has heard a window of the room as it is now, and judges it. Returns the windows, in order.
pub fn room(what: &str, ears: &[(&dyn Ear, Hears<'_>)]) -> Vec<Vec<i16>> {
    let marks: Vec<usize> = ears.iter().map(|(ear, _)| ear.length()).collect();
    let mut windows = Vec::new();
    for ((ear, hears), mark) in ears.iter().zip(marks) {
        let (from, to) = (mark + ear.settles(), mark + ear.settles() + WINDOW * ear.windows());
        until(&format!("{what}: sound at {}", ear.name()), || ear.length() >= to);
        let window = ear.heard_so_far()[from..to].to_vec();
        judge(what, *ear, *hears, &window);
        windows.push(window);
    }
    windows
}

/// Judges what an ear has heard up to now.
pub fn just_now(what: &str, ear: &dyn Ear, hears: Hears<'_>) {
    judge(what, ear, hears, &lately(ear, Duration::from_millis((WINDOW * ear.windows() / 8) as u64)));
}

/// Waits for something that must come.
pub fn until(what: &str, is_there: impl Fn() -> bool) {
    let limit = Instant::now() + SOON;
    while !is_there() {
        assert!(Instant::now() < limit, "{what} does not come");
        a_moment();
    }
}

/// The last of what an ear has heard, for so long.
pub fn lately(ear: &dyn Ear, time: Duration) -> Vec<i16> {
    let mut all = ear.heard_so_far();
    all.split_off(all.len().saturating_sub(time.as_millis() as usize * 8))
}

/// The voices of a sound and how many chirps of each, bands and sources as in [`Voice`].
pub fn voices(pcm: &[i16]) -> Vec<(Voice, usize)> {
    let hearings = find::hearings(&find::chirps(pcm, &[0, 1, 2, 3]));
    hearings.into_iter().map(|(voice, hearing)| (voice, hearing.chirps.len())).collect()
}

fn judge(what: &str, judged: &dyn Ear, hears: Hears<'_>, window: &[i16]) {
    let (ear, windows) = (judged.name(), judged.windows());
    let least = if windows == 1 { LEAST } else { LEAST_OF_LONG * windows };
    let heard = voices(window);
    match hears {
        Hears::Voices(expected) => {
            let misread = if windows == 1 { 0 } else { MISREAD };
            let strangers: Vec<_> = heard.iter().filter(|(voice, count)| !expected.contains(voice) && *count > misread).collect();
            assert!(strangers.is_empty(), "{what}: {ear} hears {strangers:?}");
            for voice in expected {
                let count = heard.iter().find(|(heard, _)| heard == voice).map_or(0, |(_, count)| *count);
                assert!(count >= least, "{what}: {ear} hears {count} chirps of {voice:?}, and of others {heard:?}");
            }
        }
        Hears::Music => {
            assert!(heard.is_empty(), "{what}: {ear} hears {heard:?} beside the music");
            let likeness = music(window);
            assert!(likeness >= MUSIC, "{what}: {ear} hears music with {likeness}, power {}", power(window));
        }
        Hears::Silence => {
            assert!(heard.is_empty() && power(window) < QUIET, "{what}: {ear} hears {heard:?}, power {}", power(window));
        }
    }
}

/// How surely the second in the middle of this sound is a second of the music, 0 to 1.
fn music(window: &[i16]) -> f32 {
    let middle = &window[window.len() / 2 - 4_000..window.len() / 2 + 4_000];
    let mut looped = read_wav(&prompts().join("music.wav")).unwrap().swap_remove(0);
    looped.extend_from_within(..middle.len());
    recognise(middle, &looped).map_or(0.0, |found| found.score())
}

/// Mean square.
fn power(pcm: &[i16]) -> f64 {
    pcm.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / pcm.len().max(1) as f64
}

/// The energy that a sound has in a voice's band: the mean power of its eight tones over windows of 20 ms, plus one to be a logarithm's.
pub fn band_power(pcm: &[i16], voice: Voice) -> f64 {
    const PART: usize = 160;
    let tones: Vec<f64> = (0..8).map(|tone| 300.0 + 800.0 * f64::from(voice.band()) + 100.0 * f64::from(tone)).collect();
    let of_part = |part: &[i16]| tones.iter().map(|hz| tone_power(part, *hz)).sum::<f64>();
    let parts = pcm.chunks_exact(PART);
    let count = parts.len().max(1) as f64;
    parts.map(of_part).sum::<f64>() / count
}

/// The power of one frequency, as the square of half its amplitude.
fn tone_power(part: &[i16], hz: f64) -> f64 {
    let turn = TAU * hz / 8000.0;
    let (mut re, mut im) = (0.0, 0.0);
    for (n, sample) in part.iter().enumerate() {
        re += f64::from(*sample) * (turn * n as f64).cos();
        im += f64::from(*sample) * (turn * n as f64).sin();
    }
    (re * re + im * im) / (part.len() as f64).powi(2)
}

/// How far a voice's band in one sound lies below the same band in another, in dB: −60 is a thousandth of the amplitude.
pub fn below_db(trace: &[i16], loud: &[i16], voice: Voice) -> f64 {
    10.0 * (band_power(trace, voice).max(1e-9) / band_power(loud, voice).max(1e-9)).log10()
}
