//! How is a voice played a little faster or slower without a change of pitch? Whole periods are left out or said twice, joined by a blend
//! (waveform similarity overlap-add).

use crate::media::pitch::repetition;

/// Periods that may be left out or repeated, in moments: 2.5 to 15 ms.
const PERIODS: (usize, usize) = (20, 120);
/// What is compared, and blended, in moments (10 ms).
const WINDOW: usize = 80;
/// Of a voice, so alike that the seam is not heard.
const ALIKE: f32 = 0.6;
/// Mean amplitude below which sound is a pause: about −50 dBm0.
const PAUSE: i32 = 60;

/// Leaves out a period of at most `most` moments from the end of `sound`, of which the samples from `fresh` on have not been played.
/// Returns the samples that are gone; 0 where no seam would go unheard.
pub fn shorten(sound: &mut Vec<i16>, fresh: usize, most: usize, scale: usize) -> usize {
    let window = WINDOW * scale;
    let room = sound.len().saturating_sub(fresh + window).min(PERIODS.1.min(most) * scale);
    let Some(lag) = seam(sound, window, PERIODS.0 * scale, room) else { return 0 };
    let end = sound.len() - window;
    for n in 0..window {
        let (from, to) = (sound.get(end - lag + n).copied(), sound.get(end + n).copied());
        if let (Some(place), Some(from), Some(to)) = (sound.get_mut(end - lag + n), from, to) {
            *place = blend(from, to, n, window);
        }
    }
    sound.truncate(sound.len() - lag);
    lag
}

/// Says a period of at most 15 ms twice. Returns the samples that were added; 0 when there is too little sound.
pub fn lengthen(sound: &mut Vec<i16>, fresh: usize, scale: usize) -> usize {
    let window = WINDOW * scale;
    let room = sound.len().saturating_sub(window).min(PERIODS.1 * scale);
    if sound.len() < fresh + window || room < PERIODS.0 * scale {
        return 0;
    }
    let lag = repetition(sound, window, PERIODS.0 * scale, room).map_or(room, |found| found.lag);
    let begin = sound.len() - window;
    let tail: Vec<i16> = sound.get(begin..).unwrap_or_default().to_vec();
    let again: Vec<i16> = sound.get(begin - lag..).unwrap_or_default().to_vec();
    sound.truncate(begin);
    sound.extend(tail.iter().zip(&again).enumerate().map(|(n, (from, to))| blend(*from, *to, n, window)));
    sound.extend(again.get(window..).unwrap_or_default());
    lag
}

/// The lag at which the end of the sound can be laid over what came before it.
fn seam(sound: &[i16], window: usize, least: usize, most: usize) -> Option<usize> {
    if most < least {
        return None;
    }
    let last = sound.get(sound.len().checked_sub(window)?..)?;
    let loudness = last.iter().map(|sample| i32::from(*sample).abs()).sum::<i32>() / window.max(1) as i32;
    if loudness < PAUSE {
        return Some(most);
    }
    repetition(sound, window, least, most).filter(|found| found.likeness >= ALIKE).map(|found| found.lag)
}

fn blend(from: i16, to: i16, n: usize, length: usize) -> i16 {
    let share = (n + 1) as f32 / (length + 1) as f32;
    (f32::from(from) * (1.0 - share) + f32::from(to) * share) as i16
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn voice(samples: usize) -> Vec<i16> {
        (0..samples).map(|n| ((n % 57) as f32 * -120.0 + 3_000.0) as i16).collect()
    }

    fn is_unbroken(sound: &[i16]) -> bool {
        (0..sound.len() - 58).all(|n| (i32::from(sound[n]) - i32::from(sound[n + 57])).abs() <= 200)
    }

    #[test]
    fn a_period_less_and_a_period_more_leave_the_voice_as_it_was() {
        let mut sound = voice(560);
        assert_eq!(shorten(&mut sound, 240, 120, 1), 57);
        assert_eq!(sound.len(), 503);
        assert!(is_unbroken(&sound));
        assert_eq!(lengthen(&mut sound, 400, 1), 57);
        assert_eq!(sound.len(), 560);
        assert!(is_unbroken(&sound));
    }

    #[test]
    fn nothing_is_done_where_it_would_be_heard_and_a_pause_may_go() {
        let mut dice = crate::media::poor_line::Dice(11);
        let mut noise: Vec<i16> = (0..560).map(|_| dice.up_to(20_000) as i16 - 10_000).collect();
        assert_eq!(shorten(&mut noise, 240, 120, 1), 0);
        assert_eq!(shorten(&mut vec![3; 560], 240, 100, 1), 100);
        assert_eq!(lengthen(&mut vec![0; 60], 0, 1), 0);
    }
}
