//! Are real calls answered, steered, connected, recorded and stored? The built server and SIP phones on loopback, judged by sound.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod alerts;
mod away;
pub mod baresip;
mod callbacks;
pub mod cast;
mod codecs;
mod crash;
mod decisions;
pub mod desk;
mod disk;
pub mod ears;
mod endings;
mod flat;
mod foreign;
mod gone;
mod hold;
mod incident;
mod kamailio;
mod keys;
mod length;
mod lines;
mod linphone;
mod path;
mod poor;
mod quality;
mod raw;
mod recovery;
mod register;
mod reload;
mod ringing;
pub mod rooms;
mod secure;
pub mod server;
mod start;
mod steering;
mod strangers;
mod supervisor;

use std::time::Duration;

use cityline_phone::judge::chirp::Voice;
use cityline_phone::judge::find::{self, Hearing};
use cityline_phone::judge::prompt::recognise;

/// What happens at once on a quiet machine happens within this on a busy one.
pub const SOON: Duration = Duration::from_secs(20);

/// What was heard of a voice in this sound.
pub fn heard(pcm: &[i16], voice: Voice) -> Option<Hearing> {
    find::hearings(&find::chirps(pcm, &[0, 1, 2, 3])).remove(&voice)
}

/// How surely a prompt of ours is in this sound, 0 to 1; the worst half second of it counts.
pub fn score(language: &str, id: &str, pcm: &[i16]) -> f32 {
    recognise(&server::prompt(language, id), pcm).map_or(0.0, |found| found.score())
}

/// How alike the sound is to a prompt that should not be in it.
pub fn likeness(language: &str, id: &str, pcm: &[i16]) -> f32 {
    recognise(&server::prompt(language, id), pcm).map_or(0.0, |found| found.whole)
}
