//! Was it heard? Judges of received sound: numbered chirps and known prompts. They work on a leg's time line as on a WAV channel.

pub mod chirp;
pub mod correlate;
pub mod find;
pub mod prompt;
pub mod recording;
