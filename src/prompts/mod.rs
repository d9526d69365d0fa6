//! Which sounds say what, in which language? Texts become sound files (`build`), and these stay in memory to be played (`PromptBook`).

mod book;
mod build;
mod fault;
#[cfg(test)]
pub mod fuzzed;
mod loudness;
mod music;
mod notices;
mod numbers;
mod sound;
mod source;
mod voice;

pub use book::{Clip, FRAME, PromptBook};
pub use build::{Report, build};
pub use fault::PromptsError;
pub use loudness::check;
pub use notices::{NoticeSounds, NoticeText};
pub use source::{Manifest, Music, Prompt, Source, Utterance, Voice};
