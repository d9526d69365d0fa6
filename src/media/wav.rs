//! What does a recording's file look like at any moment? A strict WAV (RIFF, 16-bit PCM, two channels, 8 kHz) that never claims more than it has.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::media::codec::RATE_HZ;

/// Bytes before the sound.
const HEADER: u64 = 44;
/// Bytes of one moment: two channels of 16 bits.
const MOMENT: u64 = 4;

/// A file that grows.
pub struct WavFile {
    file: File,
}

impl WavFile {
    /// An empty recording at `path`, its folder made. Errors: the folder cannot be made or written.
    pub fn create(path: &Path) -> io::Result<WavFile> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
        file.write_all_at(&header(0), 0)?;
        Ok(WavFile { file })
    }

    /// Writes sound that begins at moment `at`, then the header that claims it: killed in between, the file is short, not broken.
    pub fn write(&self, at: u64, moments: &[u8]) -> io::Result<()> {
        self.file.write_all_at(moments, HEADER + at * MOMENT)?;
        self.file.write_all_at(&header(at + moments.len() as u64 / MOMENT), 0)
    }
}

/// Milliseconds of sound in the file at `path`, as its header claims and its size allows.
pub fn length_ms(path: &Path) -> io::Result<u64> {
    let file = File::open(path)?;
    let mut head = [0u8; HEADER as usize];
    file.read_exact_at(&mut head, 0)?;
    let claimed = head.last_chunk::<4>().map_or(0, |bytes| u64::from(u32::from_le_bytes(*bytes)));
    let there = file.metadata()?.len().saturating_sub(HEADER);
    Ok(claimed.min(there) / MOMENT * 1_000 / u64::from(RATE_HZ))
}

/// The header of `moments` samples a channel; a file of 37 hours is the longest that it can name.
fn header(moments: u64) -> [u8; HEADER as usize] {
    let bytes = u32::try_from(moments * MOMENT).unwrap_or(u32::MAX - 36).min(u32::MAX - 36);
    let fields: [&[u8]; 12] = [
        b"RIFF",
        &(bytes + 36).to_le_bytes(),
        b"WAVEfmt ",
        &16u32.to_le_bytes(),
        &1u16.to_le_bytes(),
        &2u16.to_le_bytes(),
        &RATE_HZ.to_le_bytes(),
        &(RATE_HZ * MOMENT as u32).to_le_bytes(),
        &(MOMENT as u16).to_le_bytes(),
        &16u16.to_le_bytes(),
        b"data",
        &bytes.to_le_bytes(),
    ];
    let mut out = [0; HEADER as usize];
    for (to, from) in out.iter_mut().zip(fields.iter().flat_map(|field| field.iter())) {
        *to = *from;
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn another_reader_opens_it_at_every_stage() {
        let folder = std::env::temp_dir().join(format!("cityline-wav-{}", std::process::id()));
        let path = folder.join("1").join("1-1.wav");
        let file = WavFile::create(&path).unwrap();
        assert_eq!(hound::WavReader::open(&path).unwrap().duration(), 0);
        file.write(0, &[1, 0, 2, 0, 3, 0, 4, 0]).unwrap();
        let mut reader = hound::WavReader::open(&path).unwrap();
        assert_eq!((reader.spec().channels, reader.spec().sample_rate, reader.spec().bits_per_sample), (2, 8_000, 16));
        assert_eq!(reader.samples::<i16>().map(Result::unwrap).collect::<Vec<_>>(), [1, 2, 3, 4]);
        file.write(2, &[0; 4 * 7_998]).unwrap();
        assert_eq!(length_ms(&path).unwrap(), 1_000);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
