//! How loud is a prompt? Loudness by EBU R 128 (ITU-R BS.1770), one gain a voice, and a limit for peaks.

use std::path::Path;

use ebur128::{EbuR128, Mode};

use super::fault::PromptsError;
use super::sound::{RATE_HZ, read_built};
use super::source::Manifest;
use crate::centre::ids::Language;

/// The loudness of a voice as a whole, in LUFS.
pub const VOICE_LUFS: f64 = -23.0;
/// How far a voice may be from it, in LU.
pub const SPREAD_LU: f64 = 1.5;
/// How far one prompt may be from its voice, in LU. Texts differ by their sounds, so this is wider.
pub const UNEVEN_LU: f64 = 3.0;
/// The highest true peak, in dBTP.
pub const MOST_DBTP: f64 = -5.0;
/// The loudness of music on hold, in LUFS: below the voices.
pub const MUSIC_LUFS: f64 = -26.0;

/// A prompt must last so long, in samples, for its own loudness to mean something.
const LONG: usize = 3 * RATE_HZ as usize;
/// The peak that the limiter keeps samples below, −6.4 dB of full scale: true peaks of these voices lie about 1 dB above samples.
const LIMIT: f32 = 0.48;
/// Over how many samples to each side the limiter turns down and up: 2.5 ms.
const LIMIT_SPREAD: usize = 20;

/// A meter that has heard these samples, `None` only if it cannot be made.
fn meter<'c>(clips: impl IntoIterator<Item = &'c [f32]>) -> Option<EbuR128> {
    let mut meter = EbuR128::new(1, RATE_HZ, Mode::I | Mode::TRUE_PEAK).ok()?;
    clips.into_iter().try_for_each(|clip| meter.add_frames_f32(clip)).ok()?;
    Some(meter)
}

/// The loudness of a voice in LUFS, over everything that it says; `None` for silence.
pub fn lufs<'c>(clips: impl IntoIterator<Item = &'c [f32]>) -> Option<f64> {
    meter(clips)?.loudness_global().ok().filter(|lufs| lufs.is_finite())
}

/// The highest true peak, in dB of full scale.
pub fn dbtp(clip: &[f32]) -> Option<f64> {
    Some(20.0 * meter([clip])?.true_peak(0).ok()?.log10())
}

/// The factor that brings a loudness to another.
pub fn gain(from_lufs: f64, to_lufs: f64) -> f32 {
    10_f64.powf((to_lufs - from_lufs) / 20.0) as f32
}

/// Turned up or down, and turned down softly around each peak that would be too high.
pub fn levelled(clip: &[f32], gain: f32) -> Vec<f32> {
    let mut sound: Vec<f32> = clip.iter().map(|sample| sample * gain).collect();
    let mut factors = vec![1.0_f32; sound.len()];
    let peaks: Vec<(usize, f32)> =
        sound.iter().map(|sample| LIMIT / sample.abs()).enumerate().filter(|(_, factor)| *factor < 1.0).collect();
    for (peak, factor) in peaks {
        // Whole within the spread, and back to nothing over as much again, so that there is no step.
        for i in peak.saturating_sub(2 * LIMIT_SPREAD)..(peak + 2 * LIMIT_SPREAD).min(factors.len()) {
            let away = i.abs_diff(peak).saturating_sub(LIMIT_SPREAD) as f32 / LIMIT_SPREAD as f32;
            let softened = factor + (1.0 - factor) * away;
            factors.get_mut(i).into_iter().for_each(|known| *known = known.min(softened));
        }
    }
    sound.iter_mut().zip(factors).for_each(|(sample, factor)| *sample *= factor);
    sound
}

/// Checks the built files of a folder: that all are there, can be played, and are as loud as they should be.
///
/// # Errors
/// Everything that is wrong, at once.
pub fn check(folder: &Path, manifest: &Manifest) -> Result<Vec<(Language, f64)>, Vec<PromptsError>> {
    if !folder.is_dir() {
        return Err(vec![PromptsError::NotBuilt { folder: folder.to_owned() }]);
    }
    let mut faults = Vec::new();
    let voices = Language::ALL.into_iter().filter_map(|language| Some((language, check_voice(folder, manifest, language, &mut faults)?)));
    let voices: Vec<(Language, f64)> = voices.collect();
    for id in manifest.music.keys() {
        let file = folder.join(format!("{id}.wav"));
        match read_built(&file) {
            Ok(pcm) => check_peak(&file, &to_float(&pcm), &mut faults),
            Err(_) if !file.exists() => faults.push(PromptsError::NoMusic { id: id.to_string(), file }),
            Err(error) => faults.push(error),
        }
    }
    if faults.is_empty() { Ok(voices) } else { Err(faults) }
}

fn check_voice(folder: &Path, manifest: &Manifest, language: Language, faults: &mut Vec<PromptsError>) -> Option<f64> {
    let mut clips = Vec::new();
    for id in manifest.files(language) {
        let file = folder.join(language.code()).join(format!("{id}.wav"));
        match read_built(&file) {
            Ok(pcm) => clips.push((file, to_float(&pcm))),
            Err(_) if !file.exists() => faults.push(PromptsError::Missing { id, language, file }),
            Err(error) => faults.push(error),
        }
    }
    let voice = lufs(clips.iter().map(|(_, clip)| clip.as_slice()))?;
    if (voice - VOICE_LUFS).abs() > SPREAD_LU {
        faults.push(PromptsError::Loudness { language, lufs: voice });
    }
    for (file, clip) in clips {
        check_peak(&file, &clip, faults);
        let own = lufs([clip.as_slice()]).filter(|own| clip.len() >= LONG && (own - voice).abs() > UNEVEN_LU);
        faults.extend(own.map(|lufs| PromptsError::Uneven { file, lufs, voice }));
    }
    Some(voice)
}

fn check_peak(file: &Path, clip: &[f32], faults: &mut Vec<PromptsError>) {
    faults.extend(dbtp(clip).filter(|peak| *peak > MOST_DBTP).map(|dbtp| PromptsError::Peak { file: file.to_owned(), dbtp }));
}

fn to_float(pcm: &[i16]) -> Vec<f32> {
    pcm.iter().map(|sample| f32::from(*sample) / 32_768.0).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn tone(amplitude: f32) -> Vec<f32> {
        (0..RATE_HZ * 2).map(|i| amplitude * (i as f32 * 1_000.0 * std::f32::consts::TAU / RATE_HZ as f32).sin()).collect()
    }

    #[test]
    fn a_gain_brings_a_voice_to_its_loudness() {
        let soft = tone(0.01);
        let factor = gain(lufs([soft.as_slice()]).unwrap(), VOICE_LUFS);
        let levelled = levelled(&soft, factor);
        assert!((lufs([levelled.as_slice()]).unwrap() - VOICE_LUFS).abs() < 0.1);
    }

    #[test]
    fn a_peak_is_turned_down_and_nothing_else() {
        let mut clip = tone(0.2);
        clip[8_000] = 0.9;
        let limited = levelled(&clip, 1.0);
        assert!(limited.iter().all(|sample| sample.abs() <= LIMIT + 1e-6));
        assert_eq!(limited[..7_900], clip[..7_900]);
        assert_eq!(limited[8_100..], clip[8_100..]);
    }
}
