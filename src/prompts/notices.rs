//! How is a text spoken that nobody knew beforehand? At once, by the voice of its language, and put beside the prompts that are there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::book::PromptBook;
use super::build::ESPEAK;
use super::fault::PromptsError;
use super::loudness::{VOICE_LUFS, gain, levelled, lufs};
use super::sound::{read_any, read_built, to_pcm, write_built};
use super::source::{Utterance, Voice};
use super::voice::Speaker;
use crate::centre::ids::{Language, PromptId};

/// Recorded by a person: `recorded/<language>/<id>.wav` takes the place of what would be spoken.
const RECORDED: &str = "recorded";
/// What was spoken, before its gain, by a hash of voice and text.
const KEPT: &str = ".spoken";

/// One text to be spoken.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct NoticeText {
    /// By which name it is played.
    pub id: PromptId,
    /// In which language.
    pub language: Language,
    /// Its words.
    pub text: String,
}

/// The sounds of notices, in a folder that outlives the process, and the book that holds them beside all others.
#[derive(Debug)]
pub struct NoticeSounds {
    folder: PathBuf,
    voices: BTreeMap<Language, Voice>,
    books: Mutex<Books>,
}

#[derive(Debug)]
struct Books {
    /// Without notices.
    base: Arc<PromptBook>,
    /// The sounds of notices, as they are played.
    notices: BTreeMap<(PromptId, Language), Arc<[i16]>>,
}

impl NoticeSounds {
    /// What a former process has spoken is there at once: the core that it left tells it at once.
    pub fn open(folder: PathBuf, voices: BTreeMap<Language, Voice>, base: Arc<PromptBook>) -> Self {
        let mut notices = BTreeMap::new();
        for language in Language::ALL {
            // Without the folder nothing was spoken.
            let files = std::fs::read_dir(folder.join(language.code())).into_iter().flatten().filter_map(Result::ok);
            for file in files.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "wav")) {
                if let (Some(id), Ok(pcm)) = (file.file_stem().and_then(|id| id.to_str()), read_built(&file)) {
                    notices.insert((PromptId::from(id), language), pcm.into());
                }
            }
        }
        Self { folder, voices, books: Mutex::new(Books { base, notices }) }
    }

    /// All sounds that are there.
    pub fn book(&self) -> Arc<PromptBook> {
        let books = self.books();
        Arc::new(books.base.with(&books.notices))
    }

    /// The prompts were built anew.
    pub fn set_base(&self, base: Arc<PromptBook>) -> Arc<PromptBook> {
        self.books().base = base;
        self.book()
    }

    /// Makes the sounds of these texts, and forgets all others. Blocks for about a tenth of a second for each that is new.
    ///
    /// # Errors
    /// espeak-ng missing, a recording that cannot be read, a folder that cannot be written: then nothing is forgotten, and nothing is played
    /// that was not before.
    pub fn speak(&self, texts: &[NoticeText]) -> Result<Arc<PromptBook>, PromptsError> {
        let mut notices = BTreeMap::new();
        for text in texts {
            notices.insert((text.id.clone(), text.language), self.sound(text)?.into());
        }
        for (id, language) in self.books().notices.keys().filter(|key| !notices.contains_key(*key)) {
            let _ = std::fs::remove_file(self.file(id, *language)); // What cannot be removed only takes room.
        }
        self.books().notices = notices;
        Ok(self.book())
    }

    fn sound(&self, text: &NoticeText) -> Result<Vec<i16>, PromptsError> {
        let file = self.file(&text.id, text.language);
        let recorded = self.folder.join(RECORDED).join(text.language.code()).join(format!("{}.wav", text.id));
        if !recorded.is_file()
            && let Ok(pcm) = read_built(&file)
        {
            return Ok(pcm);
        }
        let sound = if recorded.is_file() { read_any(&recorded)? } else { self.spoken(text)? };
        let pcm = to_pcm(&lufs([sound.as_slice()]).map_or_else(|| sound.clone(), |loudness| levelled(&sound, gain(loudness, VOICE_LUFS))));
        make_folder(file.parent().unwrap_or(&self.folder))?;
        write_built(&file, &pcm)?;
        Ok(pcm)
    }

    fn spoken(&self, text: &NoticeText) -> Result<Vec<f32>, PromptsError> {
        let kept = self.folder.join(KEPT);
        make_folder(&kept)?;
        let utterance = Utterance { id: text.id.to_string(), text: text.text.clone() };
        let missing = || PromptsError::NotSpoken { id: utterance.id.clone(), language: text.language, why: "it has no voice".to_owned() };
        let voice = self.voices.get(&text.language).ok_or_else(missing)?;
        let speaker = Speaker { program: Path::new(ESPEAK), language: text.language, voice, kept: &kept };
        Ok(speaker.say(&utterance)?.0)
    }

    fn file(&self, id: &PromptId, language: Language) -> PathBuf {
        self.folder.join(language.code()).join(format!("{id}.wav"))
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn make_folder(folder: &Path) -> Result<(), PromptsError> {
    std::fs::create_dir_all(folder).map_err(|why| PromptsError::NotWritten { file: folder.to_owned(), why })
}
