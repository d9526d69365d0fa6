//! How is a text spoken? By espeak-ng as a child process, once a text; what it said is kept by a hash of voice and text.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use sha2::{Digest, Sha256};

use super::fault::PromptsError;
use super::sound::{read_any, read_built, to_pcm, write_built};
use super::source::{Utterance, Voice};
use crate::centre::ids::Language;

/// Counted up when the way from text to sound changes, so that nothing old is taken for new.
const MAKE: u32 = 1;

/// One voice with the folder that keeps what it said.
pub(super) struct Speaker<'s> {
    pub program: &'s Path,
    pub language: Language,
    pub voice: &'s Voice,
    pub kept: &'s Path,
}

impl Speaker<'_> {
    /// The sound of an utterance at 8 kHz, without the gain, and whether it had to be spoken for it.
    pub(super) fn say(&self, utterance: &Utterance) -> Result<(Vec<f32>, bool), PromptsError> {
        let file = self.file(utterance);
        if let Ok(pcm) = read_built(&file) {
            return Ok((pcm.into_iter().map(|sample| f32::from(sample) / 32_768.0).collect(), false));
        }
        let raw = file.with_extension("raw");
        self.speak(utterance, &raw)?;
        let sound = read_any(&raw);
        let _ = std::fs::remove_file(&raw); // Left behind it only takes room: the next build writes over it.
        // A full disk does not make espeak-ng fail: it leaves half a file.
        let sound = sound.map_err(|error| self.failed(utterance, format!("what it wrote is not whole ({error}); is the disk full?")))?;
        write_built(&file, &to_pcm(&sound))?;
        Ok((sound, true))
    }

    /// Where the utterance is kept.
    pub(super) fn file(&self, utterance: &Utterance) -> PathBuf {
        let Voice { voice, words_per_minute, pitch } = self.voice;
        let name = digest(format!("{MAKE} {voice} {words_per_minute} {pitch} {}", utterance.text).as_bytes());
        self.kept.join(name).with_extension("wav")
    }

    fn speak(&self, utterance: &Utterance, into: &Path) -> Result<(), PromptsError> {
        let failed = |why| self.failed(utterance, why);
        let mut child = self.start(into).map_err(PromptsError::NoVoice)?;
        // A child that ends early breaks the pipe; its exit status says why.
        let _ = child.stdin.take().map(|mut input| input.write_all(utterance.text.as_bytes()));
        let end = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
        if end.status.success() {
            return Ok(());
        }
        Err(failed(format!("{} {}", end.status, String::from_utf8_lossy(&end.stderr).trim())))
    }

    fn failed(&self, utterance: &Utterance, why: String) -> PromptsError {
        PromptsError::NotSpoken { id: utterance.id.clone(), language: self.language, why }
    }

    fn start(&self, into: &Path) -> std::io::Result<Child> {
        let (speed, pitch) = (self.voice.words_per_minute.to_string(), self.voice.pitch.to_string());
        Command::new(self.program)
            .args(["-v", &self.voice.voice, "-s", &speed, "-p", &pitch, "-b", "1", "-z", "--stdin", "-w"])
            .arg(into)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
    }
}

/// A hash as a file's name: 32 hexadecimal digits.
pub(super) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(16).fold(String::new(), |mut name, byte| {
        let _ = write!(name, "{byte:02x}"); // Writing to a String cannot fail.
        name
    })
}
