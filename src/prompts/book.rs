//! Which sounds say "you are number 2, about 5 minutes" in a language? All of them are in memory, ready to be sent.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use audio_codec::Encoder;
use audio_codec::pcma::PcmaEncoder;
use audio_codec::pcmu::PcmuEncoder;

use super::fault::PromptsError;
use super::sound::{RATE_HZ, read_built};
use super::source::{Manifest, minutes_number, position_number};
use crate::centre::ids::{Language, PromptId};
use crate::centre::output::Sound;

/// Samples of one packet: 20 ms.
pub const FRAME: usize = 160;
/// The longest silence that is made, in milliseconds.
const LONGEST_SILENCE_MS: u32 = 60_000;
/// What is heard in place of a sound that does not exist, in milliseconds of silence.
const UNKNOWN_MS: u32 = 1_000;

/// The ringing tone: its pitch, its peak (−22 dB below full scale, as loud as speech), its length, its soft edges and its pause.
const TONE_HZ: f32 = 425.0;
const TONE_PEAK: f32 = 2_600.0;
const TONE_SAMPLES: usize = 6_400;
const EDGE_SAMPLES: f32 = 40.0;
const TONE_PAUSE_SAMPLES: usize = 25_600;

/// A sound, ready to be sent: the same samples as A-law, µ-law and 16 bits, at 8 kHz, in whole frames of 20 ms.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Clip {
    /// A-law (payload type 8).
    pub pcma: Arc<[u8]>,
    /// µ-law (payload type 0).
    pub pcmu: Arc<[u8]>,
    /// 16 bits.
    pub pcm: Arc<[i16]>,
}

impl Clip {
    fn new(pcm: Arc<[i16]>) -> Self {
        Self { pcma: PcmaEncoder::new().encode(&pcm).into(), pcmu: PcmuEncoder::new().encode(&pcm).into(), pcm }
    }

    /// The ringing tone of Kazakhstan and its neighbours (ITU-T E.180): 425 Hz for 0.8 s, then 3.2 s of pause.
    fn ring_tone() -> Self {
        static TONE: OnceLock<Clip> = OnceLock::new();
        let sample = |n: usize| {
            let edge = (n.min(TONE_SAMPLES - 1 - n) as f32 / EDGE_SAMPLES).min(1.0);
            (edge * TONE_PEAK * (std::f32::consts::TAU * TONE_HZ * n as f32 / RATE_HZ as f32).sin()) as i16
        };
        let tone = || (0..TONE_SAMPLES).map(sample).chain([0; TONE_PAUSE_SAMPLES]).collect();
        TONE.get_or_init(|| Self::new(tone())).clone()
    }

    /// Silence of so many milliseconds, rounded up to whole frames; at most a minute.
    pub fn silence(ms: u32) -> Self {
        let frames = ms.min(LONGEST_SILENCE_MS).div_ceil(20) as usize;
        Self::new(vec![0; frames * FRAME].into())
    }
}

/// All sounds of the centre. Immutable: it is shared as an `Arc`, and a reload swaps that.
#[derive(Clone, Debug)]
pub struct PromptBook {
    spoken: BTreeMap<Language, BTreeMap<String, Track>>,
    music: BTreeMap<PromptId, Track>,
    vocabulary: BTreeSet<(PromptId, Language)>,
    unknown: Clip,
}

/// A sound whose A-law and µ-law are made when it is first played.
#[derive(Clone, Debug)]
struct Track {
    pcm: Arc<[i16]>,
    clip: OnceLock<Clip>,
}

impl Track {
    fn clip(&self) -> Clip {
        self.clip.get_or_init(|| Clip::new(Arc::clone(&self.pcm))).clone()
    }
}

impl PromptBook {
    /// Loads every sound of the manifest from the folder that `build` wrote.
    ///
    /// # Errors
    /// Every file that is missing or cannot be played, at once, with id, language and mend.
    pub fn load(folder: &Path, manifest: &Manifest) -> Result<Self, Vec<PromptsError>> {
        if !folder.is_dir() {
            return Err(vec![PromptsError::NotBuilt { folder: folder.to_owned() }]);
        }
        let mut faults = Vec::new();
        let mut spoken = BTreeMap::new();
        for language in Language::ALL {
            let mut tracks = BTreeMap::new();
            for id in manifest.files(language) {
                let file = folder.join(language.code()).join(format!("{id}.wav"));
                let missing = PromptsError::Missing { id: id.clone(), language, file: file.clone() };
                tracks.extend(track(&file, missing, &mut faults).map(|track| (id, track)));
            }
            spoken.insert(language, tracks);
        }
        let mut music = BTreeMap::new();
        for id in manifest.music.keys() {
            let file = folder.join(format!("{id}.wav"));
            let missing = PromptsError::NoMusic { id: id.to_string(), file: file.clone() };
            music.extend(track(&file, missing, &mut faults).map(|track| (id.clone(), track)));
        }
        let book = Self { spoken, music, vocabulary: manifest.vocabulary(), unknown: Clip::silence(UNKNOWN_MS) };
        if faults.is_empty() { Ok(book) } else { Err(faults) }
    }

    /// The same with these sounds besides, at 8 kHz.
    pub fn with(&self, sounds: &BTreeMap<(PromptId, Language), Arc<[i16]>>) -> Self {
        let mut book = self.clone();
        for ((id, language), pcm) in sounds {
            let mut pcm = pcm.to_vec();
            pcm.resize(pcm.len().next_multiple_of(FRAME), 0);
            let track = Track { pcm: pcm.into(), clip: OnceLock::new() };
            book.spoken.entry(*language).or_default().insert(id.to_string(), track);
        }
        book
    }

    /// The sounds, one after the other; never empty. A sound that does not exist is a second of silence: plans and settings are
    /// checked against [`PromptBook::vocabulary`] before they are in force, so this is the last resort of a call that is up.
    pub fn resolve(&self, sound: &Sound) -> Vec<Clip> {
        match sound {
            Sound::Prompt { id, language } => vec![self.spoken(*language, id.as_str())],
            Sound::Position { n, language } => self.position(*n, *language),
            Sound::Minutes { n, language } => self.minutes(*n, *language),
            Sound::Music { id } | Sound::Bed { id } => vec![self.music.get(id).map_or_else(|| self.unknown.clone(), Track::clip)],
            Sound::Silence { ms } => vec![Clip::silence((*ms).max(1))],
            // Who has the number says its digits in place of this.
            Sound::Number { .. } => vec![self.unknown.clone()],
            Sound::RingTone => vec![Clip::ring_tone()],
        }
    }

    /// Every prompt that can be spoken, by language; music counts as spoken in all of them.
    pub fn vocabulary(&self) -> &BTreeSet<(PromptId, Language)> {
        &self.vocabulary
    }

    /// Whether this is the id of music on hold.
    pub fn has_music(&self, id: &PromptId) -> bool {
        self.music.contains_key(id)
    }

    /// "Your number in the queue is two." A place of 0 is told as 1; above 120 the text has no number.
    fn position(&self, n: u32, language: Language) -> Vec<Clip> {
        match self.track(language, &position_number(n.max(1))) {
            Some(number) => vec![self.spoken(language, "position"), number.clip()],
            None => vec![self.spoken(language, "position-many")],
        }
    }

    /// "The expected wait is about five minutes." 0 is "less than a minute", above 120 "more than two hours".
    fn minutes(&self, n: u32, language: Language) -> Vec<Clip> {
        match self.track(language, &minutes_number(n)) {
            Some(number) => vec![self.spoken(language, "minutes"), number.clip()],
            None if n == 0 => vec![self.spoken(language, "minutes-none")],
            None => vec![self.spoken(language, "minutes-many")],
        }
    }

    fn spoken(&self, language: Language, id: &str) -> Clip {
        self.track(language, id).map_or_else(|| self.unknown.clone(), Track::clip)
    }

    fn track(&self, language: Language, id: &str) -> Option<&Track> {
        self.spoken.get(&language)?.get(id)
    }
}

/// A file's sound, filled up to whole frames.
fn track(file: &Path, missing: PromptsError, faults: &mut Vec<PromptsError>) -> Option<Track> {
    match read_built(file) {
        Ok(mut pcm) => {
            pcm.resize(pcm.len().next_multiple_of(FRAME), 0);
            Some(Track { pcm: pcm.into(), clip: OnceLock::new() })
        }
        Err(error) => {
            faults.push(if file.exists() { error } else { missing });
            None
        }
    }
}
