//! Was this prompt heard, and whole?

use super::correlate::{Pattern, floats};

/// A prompt is judged in parts of half a second.
const PART: usize = 4000;
/// A part may stray by 10 ms from the place of the whole.
const STRAY: usize = 80;
/// Parts that are more than 40 dB below the whole are pauses, and not judged.
const PAUSE: f64 = 1e-4;

/// How alike a prompt and the best place for it are.
#[derive(Clone, Debug, PartialEq)]
pub struct Recognition {
    /// Place of the prompt's first sample in what was heard.
    pub at: usize,
    /// Coefficient of the whole, 0 to 1.
    pub whole: f32,
    /// Coefficients of its parts of half a second, without pauses.
    pub parts: Vec<f32>,
}

impl Recognition {
    /// The lower of the whole's coefficient and the worst part's: a prompt that lacks a part scores low.
    pub fn score(&self) -> f32 {
        self.parts.iter().copied().fold(self.whole, f32::min).max(0.0)
    }
}

/// Looks for a prompt in what was heard; both are 16-bit PCM of 8 kHz. None for a silent prompt or no sound.
pub fn recognise(prompt: &[i16], heard: &[i16]) -> Option<Recognition> {
    let (prompt, heard) = (floats(prompt), floats(heard));
    let along = Pattern::new(&prompt)?.along(&heard);
    let (at, whole) = along.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let loud = energy(&prompt) / prompt.len() as f64 * PAUSE;
    let parts = prompt.chunks_exact(PART.min(prompt.len())).enumerate();
    let parts = parts.filter(|(_, part)| energy(part) / part.len() as f64 > loud);
    let parts = parts.map(|(n, part)| best_near(part, &heard, at + n * PART)).collect();
    Some(Recognition { at, whole: whole.max(0.0), parts })
}

fn best_near(part: &[f32], heard: &[f32], at: usize) -> f32 {
    let from = at.saturating_sub(STRAY);
    let room = heard.get(from..(at + part.len() + STRAY).min(heard.len())).unwrap_or_default();
    let along = Pattern::new(part).map(|pattern| pattern.along(room)).unwrap_or_default();
    along.into_iter().fold(0.0, f32::max)
}

fn energy(sound: &[f32]) -> f64 {
    sound.iter().map(|sample| f64::from(*sample).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::media::g711::Law;
    use std::process::Command;

    /// Speech of espeak-ng at 8 kHz.
    fn speech(language: &str, text: &str) -> Vec<i16> {
        let wav = Command::new("espeak-ng").args(["-v", language, "--stdout", text]).output().expect("espeak-ng must be installed").stdout;
        let samples: Vec<i16> = wav[44..].chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
        let at = |n: usize| samples[(n as f64 * 22_050.0 / 8000.0) as usize];
        (0..(samples.len() as f64 * 8000.0 / 22_050.0) as usize).map(at).collect()
    }

    fn call_with(prompt: &[i16]) -> Vec<i16> {
        let mut random = fastrand::Rng::with_seed(1);
        let noise = |random: &mut fastrand::Rng| random.i16(-20..20);
        let mut heard: Vec<i16> = (0..5000).map(|_| noise(&mut random)).collect();
        heard.extend(prompt.iter().map(|sample| Law::Alaw.decode(Law::Alaw.encode(sample / 2))));
        heard.extend((0..9000).map(|_| noise(&mut random)));
        heard
    }

    #[test]
    fn knows_its_prompt_and_no_other() {
        let russian = speech("ru", "Здравствуйте. Вы позвонили в единый центр города. Разговоры записываются.");
        let english = speech("en", "Hello. You have called the city's single number. Conversations are recorded.");
        let kazakh = speech("kk", "Сәлеметсіз бе. Сіз қаланың бірыңғай нөміріне қоңырау шалдыңыз.");
        let heard = call_with(&russian);
        let found = recognise(&russian, &heard).unwrap();
        assert!(found.score() >= 0.9 && found.at.abs_diff(5000) <= 1, "{found:?}");
        for other in [&english, &kazakh] {
            let other = recognise(other, &heard).unwrap();
            assert!(other.whole < 0.3 && other.score() < 0.3, "{other:?}");
        }
    }

    #[test]
    fn a_part_that_is_missing_is_seen() {
        let prompt = speech("uk", "Вітаємо. Ви зателефонували до контактного центру міста. Розмови записуються.");
        let mut muted = call_with(&prompt);
        let middle = 5000 + prompt.len() / 2;
        muted[middle..middle + 4000].fill(0);
        assert!(recognise(&prompt, &muted).unwrap().score() < 0.8);
        let cut = call_with(&prompt[..prompt.len() * 3 / 4]);
        assert!(recognise(&prompt, &cut).unwrap().score() < 0.5);
        assert_eq!(recognise(&[0; 4000], &cut), None);
    }
}
