//! How does a sound file become 8 kHz samples, and samples a sound file?

use std::io::Read;
use std::path::Path;

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler};

use super::fault::PromptsError;

/// The rate of everything that is played, in samples a second.
pub const RATE_HZ: u32 = 8_000;
/// Where sound begins and ends: −46 dB below full scale.
const QUIET: f32 = 0.005;
/// What is kept before the first and after the last sound, in samples: 20 ms and 120 ms.
const LEAD: usize = 160;
const TAIL: usize = 960;

/// The samples of a WAV of any rate and any number of channels, at 8 kHz in mono, ±1.0 being full scale.
///
/// # Errors
/// A file that is not a WAV, or one without sound.
pub fn read_any(file: &Path) -> Result<Vec<f32>, PromptsError> {
    let fault = |what: String| PromptsError::Sound { file: file.to_owned(), what, mend: "save it as a WAV of 16, 24 or 32 bits" };
    let mut reader = hound::WavReader::open(file).map_err(|error| fault(error.to_string()))?;
    let spec = reader.spec();
    let samples: Result<Vec<f32>, hound::Error> = match spec.sample_format {
        hound::SampleFormat::Float => reader.samples::<f32>().collect(),
        hound::SampleFormat::Int => {
            let full = f32::powi(2.0, i32::from(spec.bits_per_sample) - 1);
            reader.samples::<i32>().map(|sample| sample.map(|value| value as f32 / full)).collect()
        }
    };
    let samples = samples.map_err(|error| fault(error.to_string()))?;
    let channels = usize::from(spec.channels.max(1));
    let mono: Vec<f32> = samples.chunks(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32).collect();
    let sound = trimmed(&resampled(&mono, spec.sample_rate).map_err(fault)?);
    if sound.is_empty() { Err(fault("it holds no sound".to_owned())) } else { Ok(sound) }
}

fn resampled(mono: &[f32], rate_hz: u32) -> Result<Vec<f32>, String> {
    if rate_hz == RATE_HZ || mono.is_empty() {
        return Ok(mono.to_vec());
    }
    let mut fft = Fft::<f32>::new(rate_hz as usize, RATE_HZ as usize, 1024, 1, FixedSync::Both).map_err(|error| error.to_string())?;
    let input = InterleavedSlice::new(mono, 1, mono.len()).map_err(|error| error.to_string())?;
    let output = fft.process_all(&input, mono.len(), None).map_err(|error| error.to_string())?;
    Ok(output.take_data())
}

/// The sound without the silence around it.
fn trimmed(samples: &[f32]) -> Vec<f32> {
    let loud = |sample: &f32| sample.abs() > QUIET;
    let (Some(first), Some(last)) = (samples.iter().position(loud), samples.iter().rposition(loud)) else { return Vec::new() };
    let end = (last + TAIL).min(samples.len());
    samples.get(first.saturating_sub(LEAD)..end).unwrap_or_default().to_vec()
}

/// Samples as they are played: 16 bits.
pub fn to_pcm(samples: &[f32]) -> Vec<i16> {
    samples.iter().map(|sample| (sample * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16).collect()
}

/// The samples of a built file: 8 kHz, mono, 16 bits.
///
/// # Errors
/// A file of another kind.
pub fn read_built(file: &Path) -> Result<Vec<i16>, PromptsError> {
    let fault = |what: String| PromptsError::Sound { file: file.to_owned(), what, mend: "run `cityline prompts build`" };
    let reader = hound::WavReader::open(file).map_err(|error| fault(error.to_string()))?;
    if reader.spec() != built_spec() {
        return Err(fault("it is not 8 kHz mono of 16 bits".to_owned()));
    }
    // The bytes at once: a centre reads a thousand files when it starts, and hound decodes sample by sample.
    let samples = reader.len() as usize;
    // What the header claims is no reason to make room for it.
    let there = std::fs::metadata(file).map_err(|error| fault(error.to_string()))?.len();
    if there < samples as u64 * 2 {
        return Err(fault("its end is missing".to_owned()));
    }
    let mut bytes = Vec::with_capacity(samples * 2);
    let whole = reader.into_inner().take(samples as u64 * 2).read_to_end(&mut bytes);
    whole.map_err(|error| fault(error.to_string()))?;
    let pcm: Vec<i16> = bytes.as_chunks::<2>().0.iter().map(|pair| i16::from_le_bytes(*pair)).collect();
    if pcm.len() < samples {
        return Err(fault("its end is missing".to_owned()));
    }
    if pcm.is_empty() { Err(fault("it holds no sound".to_owned())) } else { Ok(pcm) }
}

/// Writes a built file whole: beside it first, then renamed into its place.
///
/// # Errors
/// A folder that cannot be written.
pub fn write_built(file: &Path, pcm: &[i16]) -> Result<(), PromptsError> {
    let beside = file.with_extension("part");
    write_wav(&beside, pcm).map_err(|error| PromptsError::NotWritten { file: beside.clone(), why: io_error(error) })?;
    std::fs::rename(&beside, file).map_err(|why| PromptsError::NotWritten { file: file.to_owned(), why })
}

fn write_wav(file: &Path, pcm: &[i16]) -> Result<(), hound::Error> {
    let mut writer = hound::WavWriter::create(file, built_spec())?;
    pcm.iter().try_for_each(|sample| writer.write_sample(*sample))?;
    writer.finalize()
}

fn built_spec() -> hound::WavSpec {
    hound::WavSpec { channels: 1, sample_rate: RATE_HZ, bits_per_sample: 16, sample_format: hound::SampleFormat::Int }
}

fn io_error(error: hound::Error) -> std::io::Error {
    match error {
        hound::Error::IoError(error) => error,
        other => std::io::Error::other(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_cut_or_strange_file_is_named_with_its_mend() {
        let file = std::env::temp_dir().join(format!("cityline-sound-{}.wav", std::process::id()));
        write_built(&file, &[1, -2, 3, 4]).unwrap();
        assert_eq!(read_built(&file).unwrap(), [1, -2, 3, 4]);
        let whole = std::fs::read(&file).unwrap();
        std::fs::write(&file, &whole[..whole.len() - 3]).unwrap();
        let line = read_built(&file).unwrap_err().to_string();
        assert!(line.ends_with("its end is missing — mend: run `cityline prompts build`"), "{line}");
        let mut claims = whole.clone();
        claims[40..44].copy_from_slice(&0xffff_fff0_u32.to_le_bytes());
        std::fs::write(&file, claims).unwrap();
        assert!(read_built(&file).unwrap_err().to_string().contains("its end is missing"), "and no room is made for 4 GB");
        std::fs::write(&file, "no sound at all").unwrap();
        assert!(read_built(&file).is_err() && read_any(&file).is_err());
        std::fs::remove_file(&file).unwrap();
    }
}
