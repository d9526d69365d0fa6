//! What does the reader of sounds say of a file? For those who mutate files.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use super::sound;

/// A built sound.
pub fn write(path: &Path) {
    let pcm: Vec<i16> = (0..800).map(|n| ((n * 7_919) % 20_000 - 10_000) as i16).collect();
    sound::write_built(path, &pcm).unwrap();
}

/// Whether it is read as a sound of any kind, and as a built one.
pub fn read(path: &Path) -> (bool, bool) {
    (sound::read_any(path).is_ok(), sound::read_built(path).is_ok())
}
