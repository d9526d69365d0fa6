//! How do texts become sound files? Spoken or recorded, levelled by one gain a voice, written whole.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::thread;

use super::fault::PromptsError;
use super::loudness::{VOICE_LUFS, gain, levelled, lufs};
use super::music::compose;
use super::sound::{read_any, to_pcm, write_built};
use super::source::{Source, Utterance, Voice};
use super::voice::{Speaker, digest};
use crate::centre::ids::Language;

/// The program that speaks.
pub(super) const ESPEAK: &str = "espeak-ng";
/// The folder, within the built one, that keeps what was spoken before its gain.
const KEPT: &str = ".spoken";
/// The file that says what the folder was built from; it is written last.
const STAMP: &str = "built-from";
/// Counted up when the way from source to files changes.
const MAKE: u32 = 2;

/// What a build did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// Files that the folder holds.
    pub files: usize,
    /// Of these, texts that had to be spoken.
    pub spoken: usize,
    /// Of these, recorded files.
    pub recorded: usize,
    /// Nothing had changed, nothing was written.
    pub unchanged: bool,
}

/// Builds all sound files into `out`. What has not changed since the last build is not made again.
///
/// # Errors
/// espeak-ng missing, a recording that cannot be read, a folder that cannot be written. Files that were built before stay whole.
pub fn build(source: &Source, out: &Path) -> Result<Report, Vec<PromptsError>> {
    build_with(Path::new(ESPEAK), source, out)
}

fn build_with(program: &Path, source: &Source, out: &Path) -> Result<Report, Vec<PromptsError>> {
    let stamp = stamp(source).map_err(|error| vec![error])?;
    let names = file_names(source, out);
    if std::fs::read_to_string(out.join(STAMP)).is_ok_and(|old| old == stamp) && names.iter().all(|file| file.is_file()) {
        return Ok(Report { files: names.len(), unchanged: true, ..Report::default() });
    }
    prepare(out).map_err(|error| vec![error])?;
    let voices: Vec<VoiceBuild<'_>> = source
        .utterances
        .iter()
        .filter_map(|(language, said)| {
            let voice = source.manifest.voices.get(language)?;
            Some(VoiceBuild { program, source, out, language: *language, voice, said })
        })
        .collect();
    let mut report = Report { files: names.len(), ..Report::default() };
    let mut faults = Vec::new();
    for built in in_parallel(&voices) {
        match built {
            Ok(part) => {
                report.spoken += part.spoken;
                report.recorded += part.recorded;
            }
            Err(error) => faults.push(error),
        }
    }
    faults.extend(music(source, out).err());
    if faults.is_empty() {
        faults.extend(finish(&voices, out, &stamp).err());
    }
    if faults.is_empty() { Ok(report) } else { Err(faults) }
}

/// One voice a thread: most of the time goes into waiting for the child process.
fn in_parallel(voices: &[VoiceBuild<'_>]) -> Vec<Result<Report, PromptsError>> {
    thread::scope(|scope| {
        let running: Vec<_> = voices.iter().map(|voice| scope.spawn(|| voice.build())).collect();
        running.into_iter().filter_map(|thread| thread.join().ok()).collect()
    })
}

struct VoiceBuild<'b> {
    program: &'b Path,
    source: &'b Source,
    out: &'b Path,
    language: Language,
    voice: &'b Voice,
    said: &'b [Utterance],
}

impl VoiceBuild<'_> {
    fn build(&self) -> Result<Report, PromptsError> {
        let (mut generated, mut recorded, mut report) = (Vec::new(), Vec::new(), Report::default());
        let kept = self.out.join(KEPT);
        let speaker = self.speaker(&kept);
        for utterance in self.said {
            if let Some(file) = self.source.recording(self.language, &utterance.id) {
                recorded.push((utterance, read_any(&file)?));
                report.recorded += 1;
            } else {
                let (sound, spoken) = speaker.say(utterance)?;
                report.spoken += usize::from(spoken);
                generated.push((utterance, sound));
            }
        }
        self.write(&generated)?;
        self.write(&recorded)?;
        Ok(report)
    }

    fn speaker<'s>(&'s self, kept: &'s Path) -> Speaker<'s> {
        Speaker { program: self.program, language: self.language, voice: self.voice, kept }
    }

    /// Everything that one voice says, by one gain.
    fn write(&self, said: &[(&Utterance, Vec<f32>)]) -> Result<(), PromptsError> {
        let Some(loudness) = lufs(said.iter().map(|(_, sound)| sound.as_slice())) else { return Ok(()) };
        let gain = gain(loudness, VOICE_LUFS);
        said.iter().try_for_each(|(utterance, sound)| {
            let file = self.out.join(self.language.code()).join(format!("{}.wav", utterance.id));
            write_built(&file, &to_pcm(&levelled(sound, gain)))
        })
    }
}

fn music(source: &Source, out: &Path) -> Result<(), PromptsError> {
    source.manifest.music.iter().try_for_each(|(id, music)| write_built(&out.join(format!("{id}.wav")), &to_pcm(&compose(music.seed))))
}

/// Makes the folders, and takes the stamp away: a build that is cut off is not taken for a whole one.
fn prepare(out: &Path) -> Result<(), PromptsError> {
    let folders = Language::ALL.map(|language| out.join(language.code())).into_iter().chain([out.join(KEPT)]);
    for folder in folders {
        std::fs::create_dir_all(&folder).map_err(|why| PromptsError::NotWritten { file: folder, why })?;
    }
    match std::fs::remove_file(out.join(STAMP)) {
        Err(why) if why.kind() != std::io::ErrorKind::NotFound => Err(PromptsError::NotWritten { file: out.join(STAMP), why }),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Forgets what is kept of texts that are no longer said, then sets the stamp.
fn finish(voices: &[VoiceBuild<'_>], out: &Path, stamp: &str) -> Result<(), PromptsError> {
    let kept = out.join(KEPT);
    let wanted: BTreeSet<PathBuf> =
        voices.iter().flat_map(|voice| voice.said.iter().map(|utterance| voice.speaker(&kept).file(utterance))).collect();
    let present = std::fs::read_dir(&kept).map_err(|why| PromptsError::NotRead { file: kept.clone(), why })?;
    for file in present.filter_map(Result::ok).map(|entry| entry.path()).filter(|file| !wanted.contains(file)) {
        let _ = std::fs::remove_file(file); // What cannot be removed only takes room.
    }
    std::fs::write(out.join(STAMP), stamp).map_err(|why| PromptsError::NotWritten { file: out.join(STAMP), why })
}

/// Every file that a build writes.
fn file_names(source: &Source, out: &Path) -> Vec<PathBuf> {
    let spoken = source.utterances.iter().flat_map(|(language, said)| {
        let folder = out.join(language.code());
        said.iter().map(move |utterance| folder.join(format!("{}.wav", utterance.id)))
    });
    let music = source.manifest.music.keys().map(|id| out.join(format!("{id}.wav")));
    spoken.chain(music).collect()
}

/// A hash of everything that the files are made from.
fn stamp(source: &Source) -> Result<String, PromptsError> {
    let mut all = format!("{MAKE} {:?}", (&source.manifest, &source.utterances)).into_bytes();
    for (language, said) in &source.utterances {
        for file in said.iter().filter_map(|utterance| source.recording(*language, &utterance.id)) {
            let bytes = std::fs::read(&file).map_err(|why| PromptsError::NotRead { file, why })?;
            all.extend_from_slice(digest(&bytes).as_bytes());
        }
    }
    Ok(digest(&all))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::sound::RATE_HZ;
    use super::super::{PromptBook, check};
    use super::*;
    use crate::centre::ids::PromptId;
    use crate::centre::output::Sound;

    /// A folder of this test alone, which is gone with it.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("cityline-{name}-{}", std::process::id()));
            let _ = std::fs::remove_dir_all(&folder);
            Self(folder)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn first_line(faults: &[PromptsError]) -> String {
        faults.first().unwrap().to_string()
    }

    /// Few words, so that a test of the build itself is quick.
    fn short_source() -> Source {
        let mut source = Source::embedded().unwrap();
        source.manifest.music.clear();
        source.utterances.values_mut().for_each(|said| said.truncate(2));
        source
    }

    #[test]
    fn everything_is_built_as_loud_as_it_should_be_and_a_second_build_has_nothing_to_do() {
        let out = Folder::new("prompts");
        let source = Source::embedded().unwrap();
        let line = first_line(&PromptBook::load(&out.0, &source.manifest).unwrap_err());
        assert!(line.starts_with("there are no prompts in ") && line.ends_with(" — mend: run `cityline prompts build`"), "{line}");
        let report = build(&source, &out.0).unwrap();
        assert!(report.spoken > 900 && report.recorded == 0 && !report.unchanged, "{report:?}");
        let voices = check(&out.0, &source.manifest).unwrap();
        assert_eq!(voices.len(), 4);
        assert!(voices.iter().all(|(_, lufs)| (lufs - VOICE_LUFS).abs() < 1.0), "{voices:?}");
        assert!(build(&source, &out.0).unwrap().unchanged);

        let book = PromptBook::load(&out.0, &source.manifest).unwrap();
        for language in Language::ALL {
            let pieces = |sound: Sound| book.resolve(&sound).len();
            assert_eq!(pieces(Sound::Position { n: 2, language }), 2);
            assert_eq!(pieces(Sound::Position { n: 121, language }), 1);
            assert_eq!(pieces(Sound::Minutes { n: 0, language }), 1);
            assert_eq!(pieces(Sound::Minutes { n: 120, language }), 2);
            assert_eq!(pieces(Sound::Minutes { n: 4_000_000, language }), 1);
        }
        let music = &book.resolve(&Sound::Music { id: PromptId::from("music") })[0];
        assert_eq!((music.pcm.len(), music.pcma.len(), music.pcmu.len()), (384_000, 384_000, 384_000));
        let silence = &book.resolve(&Sound::Silence { ms: 30 })[0];
        assert_eq!((silence.pcma.len(), silence.pcma[0], silence.pcmu[0]), (320, 0xD5, 0xFF));

        std::fs::remove_file(out.0.join("ru/busy.wav")).unwrap();
        let line = first_line(&PromptBook::load(&out.0, &source.manifest).unwrap_err());
        assert!(
            line.starts_with("prompt \"busy\" in ru is missing: ") && line.ends_with(" — mend: run `cityline prompts build`"),
            "{line}"
        );
        assert_eq!(build(&source, &out.0).unwrap().spoken, 0, "what was spoken is kept");
    }

    #[test]
    fn a_recorded_file_takes_the_place_of_the_generated_one() {
        let (out, recorded) = (Folder::new("override"), Folder::new("recorded"));
        std::fs::create_dir_all(recorded.0.join("kk")).unwrap();
        let mut source = short_source();
        source.recorded = Some(recorded.0.clone());
        let id = source.utterances[&Language::Kk][0].id.clone();
        let spec = hound::WavSpec { channels: 2, sample_rate: 44_100, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
        let mut writer = hound::WavWriter::create(recorded.0.join(format!("kk/{id}.wav")), spec).unwrap();
        for i in 0..44_100 * 2 {
            let sample = (8_000.0 * (i as f32 * 440.0 * std::f32::consts::TAU / 44_100.0).sin()) as i16;
            writer.write_sample(sample).unwrap();
            writer.write_sample(sample).unwrap();
        }
        writer.finalize().unwrap();
        let report = build(&source, &out.0).unwrap();
        assert_eq!((report.recorded, report.spoken), (1, 7));
        let pcm = super::super::sound::read_built(&out.0.join(format!("kk/{id}.wav"))).unwrap();
        assert!(pcm.len().abs_diff(2 * RATE_HZ as usize) < 400, "two seconds at 8 kHz, not {} samples", pcm.len());
        let crossings = pcm.windows(2).filter(|pair| pair[0] < 0 && pair[1] >= 0).count();
        assert!(crossings.abs_diff(880) < 20, "440 Hz stay 440 Hz");
    }

    #[test]
    fn without_espeak_the_mend_is_to_install_it() {
        let out = Folder::new("no-espeak");
        let faults = build_with(Path::new("/nowhere/espeak-ng"), &short_source(), &out.0).unwrap_err();
        let line = first_line(&faults);
        assert!(line.starts_with("espeak-ng cannot be started: ") && line.ends_with("install espeak-ng (apt install espeak-ng)"), "{line}");
    }

    #[test]
    fn an_unknown_voice_is_named() {
        let out = Folder::new("no-voice");
        let mut source = short_source();
        source.manifest.voices.get_mut(&Language::Uk).unwrap().voice = "klingon-of-nowhere".to_owned();
        let line = first_line(&build(&source, &out.0).unwrap_err());
        assert!(line.starts_with("espeak-ng could not speak \"") && line.contains("in uk"), "{line}");
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        let out = Folder::new("file");
        std::fs::write(&out.0, "not a folder").unwrap();
        let line = first_line(&build(&short_source(), &out.0).unwrap_err());
        assert!(line.contains(" cannot be written: ") && line.contains(" — mend: see that this user may write there"), "{line}");
    }
}
