//! What is to be said? The manifest and the texts of every language become a list of utterances.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use fluent_bundle::{FluentArgs, FluentBundle, FluentResource};
use serde::Deserialize;

use super::fault::PromptsError;
use super::numbers::{Counted, MOST, words};
use crate::centre::ids::{Language, PromptId};

/// The texts that stand for themselves in every language, besides those of the manifest.
const PIECES: [&str; 5] = ["position", "position-many", "minutes", "minutes-none", "minutes-many"];

/// `prompts/manifest.toml`.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The generated voice of each language.
    pub voices: BTreeMap<Language, Voice>,
    /// Music on hold.
    pub music: BTreeMap<PromptId, Music>,
    /// The prompts.
    pub prompts: BTreeMap<PromptId, Prompt>,
}

/// A generated voice.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Voice {
    /// As espeak-ng names it.
    pub voice: String,
    /// Its speed.
    pub words_per_minute: u16,
    /// 0–99, 50 being the voice's own.
    pub pitch: u8,
}

/// One piece of music on hold.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Music {
    /// What it is composed from.
    pub seed: u64,
}

/// One prompt.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prompt {
    /// The languages in which it is spoken.
    pub languages: BTreeSet<Language>,
    /// The name of a recorded file in `recorded/<language>/`; its id with `.wav` where this is not given.
    pub recorded: Option<String>,
}

/// One thing to say, or to have been said.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Utterance {
    /// The name of its file.
    pub id: String,
    /// Its words.
    pub text: String,
}

/// Everything that the prompts are built from.
#[derive(Clone, PartialEq, Debug)]
pub struct Source {
    /// The manifest.
    pub manifest: Manifest,
    /// What is said in each language.
    pub utterances: BTreeMap<Language, Vec<Utterance>>,
    /// Where recorded files lie, if anywhere.
    pub recorded: Option<PathBuf>,
}

impl Source {
    /// The manifest and the texts that are part of this program.
    ///
    /// # Errors
    /// None for a program that passed its tests.
    pub fn embedded() -> Result<Self, Vec<PromptsError>> {
        Self::from_texts(include_str!("../../prompts/manifest.toml"), |language| {
            Ok(match language {
                Language::Kk => include_str!("../../prompts/kk.ftl"),
                Language::Ru => include_str!("../../prompts/ru.ftl"),
                Language::Uk => include_str!("../../prompts/uk.ftl"),
                Language::En => include_str!("../../prompts/en.ftl"),
            }
            .to_owned())
        })
    }

    /// The manifest, the texts and the recordings of a folder.
    ///
    /// # Errors
    /// Everything that is wrong with them, at once.
    pub fn read(folder: &Path) -> Result<Self, Vec<PromptsError>> {
        let manifest = read_file(&folder.join("manifest.toml")).map_err(|error| vec![error])?;
        let mut source = Self::from_texts(&manifest, |language| read_file(&folder.join(format!("{language}.ftl"))))?;
        source.recorded = Some(folder.join("recorded"));
        Ok(source)
    }

    fn from_texts(manifest: &str, text_of: impl Fn(Language) -> Result<String, PromptsError>) -> Result<Self, Vec<PromptsError>> {
        let manifest = Manifest::parse(manifest).map_err(|error| vec![error])?;
        let mut faults = Vec::new();
        let mut utterances = BTreeMap::new();
        for language in Language::ALL {
            match text_of(language).map_err(|error| vec![error]).and_then(|text| Texts::parse(language, text)) {
                Ok(texts) => {
                    utterances.insert(language, texts.utterances(&manifest, &mut faults));
                }
                Err(errors) => faults.extend(errors),
            }
        }
        copies(&utterances, &mut faults);
        if faults.is_empty() { Ok(Self { manifest, utterances, recorded: None }) } else { Err(faults) }
    }

    /// The recorded file that takes the place of an utterance, if there is one.
    pub fn recording(&self, language: Language, id: &str) -> Option<PathBuf> {
        let named = self.manifest.prompts.get(&PromptId::from(id)).and_then(|prompt| prompt.recorded.clone());
        let file = self.recorded.as_ref()?.join(language.code()).join(named.unwrap_or_else(|| format!("{id}.wav")));
        file.is_file().then_some(file)
    }
}

impl Manifest {
    /// Reads the text of a manifest.
    ///
    /// # Errors
    /// [`PromptsError::Manifest`] with the line.
    pub fn parse(text: &str) -> Result<Self, PromptsError> {
        let manifest: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| text.bytes().take(span.start).filter(|byte| *byte == b'\n').count() + 1);
            manifest_error(line, error.message().to_owned(), "correct this line")
        })?;
        for language in Language::ALL {
            if !manifest.voices.contains_key(&language) {
                let mend = "add for example kk = { voice = \"kk\", words_per_minute = 140, pitch = 45 } to [voices]";
                return Err(manifest_error(1, format!("there is no voice for {language}"), mend));
            }
        }
        let reserved =
            |id: &&PromptId| PIECES.contains(&id.as_str()) || id.as_str().contains("-number-") || id.as_str().contains(['/', '.']);
        if let Some(id) = manifest.prompts.keys().chain(manifest.music.keys()).find(reserved) {
            return Err(manifest_error(
                1,
                format!("\"{id}\" cannot be the id of a prompt"),
                "choose another one, of letters, digits and hyphens",
            ));
        }
        Ok(manifest)
    }

    /// The prompts that can be spoken, each with its language; music counts as spoken in all of them.
    pub fn vocabulary(&self) -> BTreeSet<(PromptId, Language)> {
        let spoken = self.prompts.iter().flat_map(|(id, prompt)| prompt.languages.iter().map(|language| (id.clone(), *language)));
        let music = self.music.keys().flat_map(|id| Language::ALL.map(|language| (id.clone(), language)));
        spoken.chain(music).collect()
    }

    /// The names of all files that a language must have.
    pub fn files(&self, language: Language) -> Vec<String> {
        let prompts = self.prompts.iter().filter(|(_, prompt)| prompt.languages.contains(&language)).map(|(id, _)| id.to_string());
        let places = (1..=MOST).map(position_number);
        let minutes = (1..=MOST).map(minutes_number);
        prompts.chain(PIECES.map(str::to_owned)).chain(places).chain(minutes).collect()
    }
}

/// The file of a place's number.
pub fn position_number(n: u32) -> String {
    format!("position-number-{n}")
}

/// The file of a number of minutes.
pub fn minutes_number(n: u32) -> String {
    format!("minutes-number-{n}")
}

/// One language's file of texts.
struct Texts {
    language: Language,
    bundle: FluentBundle<FluentResource>,
}

impl Texts {
    fn parse(language: Language, text: String) -> Result<Self, Vec<PromptsError>> {
        let fault = |line, what| PromptsError::Texts { file: file_name(language), line, what };
        let resource = FluentResource::try_new(text).map_err(|(resource, errors)| {
            let line_at = |byte| resource.source().bytes().take(byte).filter(|byte| *byte == b'\n').count() + 1;
            errors.iter().map(|error| fault(line_at(error.pos.start), error.kind.to_string())).collect::<Vec<_>>()
        })?;
        let locale = language.code().parse().map_err(|_| vec![fault(1, "this is no language".to_owned())])?;
        let mut bundle = FluentBundle::new(vec![locale]);
        bundle.set_use_isolating(false);
        bundle.add_resource(resource).map_err(|errors| errors.iter().map(|error| fault(1, error.to_string())).collect::<Vec<_>>())?;
        Ok(Self { language, bundle })
    }

    /// Everything that is said in this language; what has no text is a fault.
    fn utterances(&self, manifest: &Manifest, faults: &mut Vec<PromptsError>) -> Vec<Utterance> {
        let mut all = Vec::new();
        let prompts = manifest.prompts.iter().filter(|(_, prompt)| prompt.languages.contains(&self.language)).map(|(id, _)| id.as_str());
        for id in prompts.chain(PIECES) {
            self.say(id, id.to_owned(), None, &mut all, faults);
        }
        for n in 1..=MOST {
            let (place, minutes) = (words(n, self.language, Counted::Place), words(n, self.language, Counted::Minutes));
            self.say("position-number", position_number(n), place.map(|words| (n, words)), &mut all, faults);
            self.say("minutes-number", minutes_number(n), minutes.map(|words| (n, words)), &mut all, faults);
        }
        all
    }

    fn say(&self, message: &str, id: String, number: Option<(u32, String)>, all: &mut Vec<Utterance>, faults: &mut Vec<PromptsError>) {
        let pattern = self.bundle.get_message(message).and_then(|message| message.value());
        let Some(pattern) = pattern else {
            return faults.push(PromptsError::NoText { file: file_name(self.language), id: message.to_owned(), language: self.language });
        };
        let mut args = FluentArgs::new();
        if let Some((n, words)) = number {
            args.set("n", n);
            args.set("words", words);
        }
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, Some(&args), &mut errors).trim().to_owned();
        faults.extend(errors.iter().map(|error| PromptsError::Texts {
            file: file_name(self.language),
            line: 1,
            what: format!("{message}: {error}"),
        }));
        all.push(Utterance { id, text });
    }
}

/// A text that is word for word that of another language has not been translated. Numbers and digits are left out: "сто" is Russian and
/// Ukrainian.
fn copies(utterances: &BTreeMap<Language, Vec<Utterance>>, faults: &mut Vec<PromptsError>) {
    let mut seen: BTreeMap<&str, (Language, &str)> = BTreeMap::new();
    for (language, said) in utterances {
        for utterance in said.iter().filter(|utterance| !utterance.id.contains("-number-") && !utterance.id.starts_with("digit-")) {
            match seen.insert(&utterance.text, (*language, &utterance.id)) {
                Some((one, id)) if one != *language => faults.push(PromptsError::Copied { id: id.to_owned(), one, other: *language }),
                Some(_) | None => {}
            }
        }
    }
}

fn file_name(language: Language) -> String {
    format!("prompts/{language}.ftl")
}

fn manifest_error(line: usize, what: String, mend: &str) -> PromptsError {
    PromptsError::Manifest { file: "prompts/manifest.toml".to_owned(), line, what, mend: mend.to_owned() }
}

fn read_file(file: &Path) -> Result<String, PromptsError> {
    std::fs::read_to_string(file).map_err(|why| PromptsError::NotRead { file: file.to_owned(), why })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::fmt::Write;

    use super::*;

    const MANIFEST: &str = include_str!("../../prompts/manifest.toml");

    fn says(edit: impl Fn(Language, &str) -> String) -> Vec<String> {
        let text = |language: Language| Ok(edit(language, &std::fs::read_to_string(format!("prompts/{language}.ftl")).unwrap()));
        Source::from_texts(MANIFEST, text).expect_err("this source has a fault").iter().map(ToString::to_string).collect()
    }

    /// The fixture was read by a person line by line: it is the truth, not the code.
    #[test]
    fn numbers_from_0_to_120_are_spoken_as_in_the_table() {
        let source = Source::embedded().unwrap();
        let mut table = String::new();
        for language in Language::ALL {
            let text = |id: String| &source.utterances[&language].iter().find(|utterance| utterance.id == id).unwrap().text;
            writeln!(table, "{language} 0 {}", words(0, language, Counted::Place).unwrap()).unwrap();
            for n in 1..=MOST {
                writeln!(table, "{language} {n} {} | {}", text(position_number(n)), text(minutes_number(n))).unwrap();
            }
        }
        let fixture = Path::new("tests/fixtures/spoken-numbers.txt");
        let expected = std::fs::read_to_string(fixture).unwrap_or_default();
        for (line, (got, wanted)) in table.lines().zip(expected.lines()).enumerate() {
            assert_eq!(got, wanted, "line {}", line + 1);
        }
        assert_eq!(table.lines().count(), expected.lines().count());
    }

    #[test]
    fn no_number_above_120_has_words() {
        assert!(Language::ALL.iter().all(|language| words(MOST + 1, *language, Counted::Place).is_none()));
    }

    #[test]
    fn no_text_is_a_copy_of_another_languages() {
        assert!(Source::embedded().is_ok());
        let found = says(|language, text| match language {
            Language::Uk => text.replace("wrong-key = Такого вибору немає.", "wrong-key = Такого пункта нет."),
            Language::Kk | Language::Ru | Language::En => text.to_owned(),
        });
        assert_eq!(found, ["\"wrong-key\" says the same in ru and in uk — mend: write it in uk"]);
    }

    #[test]
    fn a_prompt_without_a_text_names_file_and_mend() {
        let found = says(|language, text| match language {
            Language::En => text.lines().filter(|line| !line.starts_with("busy")).collect::<Vec<_>>().join("\n"),
            Language::Kk | Language::Ru | Language::Uk => text.to_owned(),
        });
        assert_eq!(
            found,
            ["prompts/en.ftl: \"busy\" has no text — mend: add `busy = …` to it, or take en out of its languages in prompts/manifest.toml"]
        );
    }

    #[test]
    fn a_broken_text_names_its_line() {
        let found = says(|language, text| match language {
            Language::En => text.replacen("welcome-109 =", "welcome-109", 1),
            Language::Kk | Language::Ru | Language::Uk => text.to_owned(),
        });
        assert!(found[0].starts_with("prompts/en.ftl:3: "), "{found:?}");
    }

    #[test]
    fn a_broken_manifest_names_its_line() {
        let error = Manifest::parse(&MANIFEST.replace("pitch = 42", "pitsch = 42")).unwrap_err().to_string();
        assert!(error.starts_with("prompts/manifest.toml:5: unknown field `pitsch`"), "{error}");
        let error = Manifest::parse(&MANIFEST.replace("busy = ", "minutes = ")).unwrap_err().to_string();
        assert_eq!(
            error,
            "prompts/manifest.toml:1: \"minutes\" cannot be the id of a prompt — mend: choose another one, of letters, digits and hyphens"
        );
    }
}
