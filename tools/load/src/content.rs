//! Did the right sound arrive? The sample of calls whose sound was kept.

use std::collections::HashMap;
use std::time::Duration;

use cityline_phone::judge::chirp::{Said, Voice};
use cityline_phone::judge::find::{self, Ear, Found};
use cityline_phone::judge::prompt;
use cityline_phone::line::Record;
use cityline_phone::media::sound::PACKET_SAMPLES;

use crate::report::{Content, Ms};

/// Callers chirp in the first two bands, operators in the others: 512 of each can be told apart.
pub const VOICES: usize = 512;
/// Level from which a packet counts as sound.
const AUDIBLE: i16 = 100;

/// The voice of the n-th caller.
pub fn caller_voice(n: usize) -> Voice {
    Voice::new((n / 256 % 2) as u8, n as u8)
}

/// The voice of the n-th operator's leg.
pub fn operator_voice(n: usize) -> Voice {
    Voice::new(2 + (n / 256 % 2) as u8, n as u8)
}

/// The voice of the n-th operator's leg in rooms of three: the operator and the third can be told apart in a mix.
pub fn mixed_voice(n: usize, third: bool) -> Voice {
    Voice::new(2 + u8::from(third), n as u8)
}

/// Is a number beyond those whose voice is theirs alone?
pub fn is_ambiguous(count: usize) -> bool {
    count > VOICES
}

/// Judges chirps in the records of one side; `bands` are the other side's, `said` what its voices sent and when,
/// `voices` how many of them are to be heard in each record.
pub fn judge_chirps(records: &[Record], bands: &[u8], said: &HashMap<Voice, Said>, voices: usize) -> Content {
    let ear = Ear::for_bands(bands);
    let mut content = Content::default();
    let mut delays: Vec<Duration> = Vec::new();
    for record in records {
        let timeline = record.heard.timeline();
        let found: Found = ear.chirps(&timeline.pcm);
        let hearings = find::hearings(&found);
        content.judged += 1;
        content.heard += u64::from(hearings.len() >= voices);
        content.crossed += u64::from(hearings.len() > voices);
        content.chirps_damaged += found.damaged.len() as u64;
        for (voice, hearing) in hearings {
            content.chirps += hearing.chirps.len() as u64;
            content.chirps_missing += hearing.missing;
            content.chirps_repeated += hearing.repeated;
            content.chirps_disordered += hearing.disordered;
            delays.extend(said.get(&voice).map(|said| hearing.delays(&timeline, said)).unwrap_or_default());
        }
    }
    content.mouth_to_ear_ms = Ms::of(&delays);
    content
}

/// Judges records of callers that hear a prompt or music; with a prompt its score, else any sound.
pub fn judge_sound(records: &[Record], wanted: Option<&[i16]>) -> Content {
    let mut content = Content { audible_lowest: 1.0, ..Content::default() };
    let mut scores: Vec<f32> = Vec::new();
    for record in records {
        let pcm = record.heard.timeline().pcm;
        let audible = audible_share(&pcm);
        content.judged += 1;
        content.audible_lowest = content.audible_lowest.min(audible);
        match wanted {
            Some(wanted) => {
                let score = prompt::recognise(wanted, &pcm).map_or(0.0, |found| found.score());
                content.heard += u64::from(score >= 0.9);
                scores.push(score);
            }
            None => content.heard += u64::from(audible > 0.1),
        }
    }
    scores.sort_by(f32::total_cmp);
    content.prompt_lowest = scores.first().copied().unwrap_or(0.0);
    content.prompt_median = scores.get(scores.len() / 2).copied().unwrap_or(0.0);
    content
}

fn audible_share(pcm: &[i16]) -> f64 {
    let packets = pcm.chunks(PACKET_SAMPLES).map(|packet| packet.iter().any(|sample| sample.unsigned_abs() > AUDIBLE as u16));
    let (audible, all) = packets.fold((0u64, 0u64), |(audible, all), heard| (audible + u64::from(heard), all + 1));
    if all == 0 { 0.0 } else { audible as f64 / all as f64 }
}
