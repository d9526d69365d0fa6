//! What can be wrong with the prompts, and what mends it?

use std::path::PathBuf;

use crate::centre::ids::Language;

/// One fault of the prompts.
#[derive(Debug, thiserror::Error)]
pub enum PromptsError {
    /// The program that speaks is not on this machine.
    #[error("espeak-ng cannot be started: {0} — mend: install espeak-ng (apt install espeak-ng)")]
    NoVoice(std::io::Error),
    /// It ended with an error.
    #[error("espeak-ng could not speak \"{id}\" in {language}: {why} — mend: look at the voice in prompts/manifest.toml and at the text")]
    NotSpoken { id: String, language: Language, why: String },
    /// A file or folder cannot be read.
    #[error("{} cannot be read: {why} — mend: see that it exists and that this user may read it", file.display())]
    NotRead { file: PathBuf, why: std::io::Error },
    /// A file or folder cannot be written.
    #[error("{} cannot be written: {why} — mend: see that this user may write there and that the disk has room", file.display())]
    NotWritten { file: PathBuf, why: std::io::Error },
    /// The manifest cannot be understood.
    #[error("{file}:{line}: {what} — mend: {mend}")]
    Manifest { file: String, line: usize, what: String, mend: String },
    /// A file of texts cannot be understood.
    #[error("{file}:{line}: {what} — mend: write `id = text`, further lines indented")]
    Texts { file: String, line: usize, what: String },
    /// A prompt of the manifest has no text.
    #[error("{file}: \"{id}\" has no text — mend: add `{id} = …` to it, or take {language} out of its languages in prompts/manifest.toml")]
    NoText { file: String, id: String, language: Language },
    /// A text is word for word that of another language.
    #[error("\"{id}\" says the same in {one} and in {other} — mend: write it in {other}")]
    Copied { id: String, one: Language, other: Language },
    /// Nothing has been built.
    #[error("there are no prompts in {} — mend: run `cityline prompts build`", folder.display())]
    NotBuilt { folder: PathBuf },
    /// A prompt has not been built.
    #[error("prompt \"{id}\" in {language} is missing: {} — mend: run `cityline prompts build`", file.display())]
    Missing { id: String, language: Language, file: PathBuf },
    /// The music has not been built.
    #[error("music \"{id}\" is missing: {} — mend: run `cityline prompts build`", file.display())]
    NoMusic { id: String, file: PathBuf },
    /// A sound file is of a kind that is not played.
    #[error("{} cannot be played: {what} — mend: {mend}", file.display())]
    Sound { file: PathBuf, what: String, mend: &'static str },
    /// A voice as a whole is too loud or too soft.
    #[error("the prompts in {language} have {lufs:.1} LUFS instead of {wanted:.1} ± {spread:.1} — mend: run `cityline prompts build`, or record them again at that loudness", wanted = super::loudness::VOICE_LUFS, spread = super::loudness::SPREAD_LU)]
    Loudness { language: Language, lufs: f64 },
    /// One prompt is much louder or softer than its voice.
    #[error("{} has {lufs:.1} LUFS, its voice {voice:.1} — mend: record it again as loud as the others", file.display())]
    Uneven { file: PathBuf, lufs: f64, voice: f64 },
    /// A prompt peaks too high.
    #[error("{} peaks at {dbtp:.1} dBTP, above {most:.1} — mend: run `cityline prompts build`, or record it again with a limiter", file.display(), most = super::loudness::MOST_DBTP)]
    Peak { file: PathBuf, dbtp: f64 },
}
