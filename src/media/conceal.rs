//! What is heard where a packet is missing? The voice's own last periods, repeated and faded to nothing within 60 ms (the method of
//! ITU-T G.711 Appendix I, without its delay of 3.75 ms: the seam at the beginning is smoothed by what it differs).

use crate::media::pitch::repetition;

/// Longer gaps are silence from here on, in moments (60 ms): what is made up for longer sounds like a machine.
pub const LONGEST: usize = 480;

/// In moments: full level for so long (10 ms), and further periods join the cycle as often, so that the repetition does not buzz.
const STEP: usize = 80;
/// Periods in the cycle at most.
const MOST_PERIODS: usize = 3;
/// Pitches that are looked for, in moments: 66 to 320 Hz.
const PITCH: (usize, usize) = (25, 120);
/// What is compared to find the pitch, in moments (20 ms).
const WINDOW: usize = 160;
/// Sound that must lie before a gap, in moments: the longest cycle and the part before it that its end is blended with.
pub const PAST: usize = 400;
/// Blend into the sound that follows, in moments: 4 ms, as much more a step of the gap, 10 ms at most.
const BLEND: usize = 32;
const LONGEST_BLEND: usize = 80;
/// The seam at the beginning of a gap is smoothed for so long (2 ms).
const SEAM: usize = 16;

/// Conceals the gaps of one voice.
pub struct Concealer {
    /// Samples a moment: 1 at 8 kHz, 2 at 16 kHz.
    scale: usize,
    gap: Option<Gap>,
}

/// A gap that has begun.
struct Gap {
    /// The sound before it.
    past: Vec<i16>,
    period: usize,
    /// How alike the last two periods were, 0 to 1: what does not repeat is repeated more softly.
    level: f32,
    /// By how much the first made-up sample missed.
    seam: f32,
    /// The decoder makes up for the gap itself, and goes on smoothly by itself.
    foreign: bool,
    /// Samples made so far.
    made: usize,
}

impl Concealer {
    /// For sound of `scale` samples a moment of 1/8000 s.
    pub fn new(scale: usize) -> Concealer {
        Concealer { scale, gap: None }
    }

    /// Whether the gap has lasted so long that there is nothing left to repeat.
    pub fn is_silent(&self) -> bool {
        self.gap.as_ref().is_some_and(|gap| gap.made >= LONGEST * self.scale)
    }

    /// Fills `missing`, which follows `past`. A gap may come in several pieces; `past` counts for the first.
    pub fn fill(&mut self, past: &[i16], missing: &mut [i16]) {
        let scale = self.scale;
        let gap = self.gap.get_or_insert_with(|| Gap::begin(past, scale));
        for value in missing {
            *value = gap.next(scale);
        }
    }

    /// What the decoder has made up itself, as Opus does: fades it, and remembers that there is a gap.
    pub fn fade(&mut self, made: &mut [i16]) {
        let scale = self.scale;
        let gap = self.gap.get_or_insert_with(|| Gap { foreign: true, ..Gap::begin(&[], scale) });
        for value in made {
            *value = (f32::from(*value) * fade_at(gap.made, scale)) as i16;
            gap.made += 1;
        }
    }

    /// Sound is there again: blends its beginning with the repetition.
    pub fn mend(&mut self, sound: &mut [i16]) {
        let Some(mut gap) = self.gap.take() else { return };
        let steps = gap.made / (STEP * self.scale).max(1);
        let blend = ((BLEND + BLEND * steps).min(LONGEST_BLEND) * self.scale).min(sound.len());
        for (n, value) in sound.iter_mut().take(blend).enumerate() {
            let share = (n + 1) as f32 / (blend + 1) as f32;
            let (here, made_up) = (f32::from(*value), f32::from(gap.next(self.scale)));
            let before = if gap.foreign { here * fade_at(gap.made, self.scale) } else { made_up };
            *value = (here * share + before * (1.0 - share)) as i16;
        }
    }
}

/// Full for a step, then a fifth less a step, as Appendix I has it.
fn fade_at(made: usize, scale: usize) -> f32 {
    let step = (STEP * scale) as f32;
    let beyond = (made as f32 - step).max(0.0) / step;
    (1.0 - 0.2 * beyond).max(0.0)
}

impl Gap {
    fn begin(past: &[i16], scale: usize) -> Gap {
        let found = repetition(past, WINDOW * scale, PITCH.0 * scale, PITCH.1 * scale);
        let kept = past.len().saturating_sub(PAST * scale);
        let past = past.get(kept..).unwrap_or_default().to_vec();
        let Some(found) = found else { return Gap { past: Vec::new(), period: 1, level: 0.0, seam: 0.0, foreign: false, made: 0 } };
        let level = found.likeness.clamp(0.0, 1.0).sqrt();
        let mut gap = Gap { past, period: found.lag, level, seam: 0.0, foreign: false, made: 0 };
        let last = gap.past.last().copied().map_or(0.0, f32::from);
        let before = gap.past.len().checked_sub(found.lag + 1).and_then(|at| gap.past.get(at)).copied().map_or(last, f32::from);
        // The repetition goes on from the sample one period before the last; what they differ dies away.
        gap.seam = last - before * level;
        gap
    }

    fn next(&mut self, scale: usize) -> i16 {
        let at = self.made;
        self.made += 1;
        let fade = fade_at(at, scale);
        if self.past.is_empty() || fade == 0.0 {
            return 0;
        }
        let seam = self.seam * (1.0 - at as f32 / (SEAM * scale) as f32).max(0.0);
        ((self.cycle(at, scale) * self.level + seam) * fade).clamp(f32::from(i16::MIN), f32::from(i16::MAX)) as i16
    }

    /// The repetition at sample `at` of the gap: one period first, then two and three, each joined to the one before.
    fn cycle(&self, at: usize, scale: usize) -> f32 {
        let step = STEP * scale;
        let periods = (at / step + 1).min(self.most_periods());
        let now = self.repeated(at, periods);
        let blend = (self.period / 4).max(1);
        let since = at % step;
        if periods > 1 && at / step < self.most_periods() && since < blend {
            let before = self.repeated(at, periods - 1);
            let share = since as f32 / blend as f32;
            return before * (1.0 - share) + now * share;
        }
        now
    }

    /// Sample `at` of the last `periods` periods in a circle; the end of the circle is blended with what came before its beginning.
    fn repeated(&self, at: usize, periods: usize) -> f32 {
        let (length, blend) = (self.period * periods, (self.period / 4).max(1));
        // The circle begins at the last period, so that each has the phase of the one before.
        let place = (at + self.period * (periods - 1)) % length;
        let value =
            |before_end: usize| self.past.len().checked_sub(before_end).and_then(|n| self.past.get(n)).copied().map_or(0.0, f32::from);
        let plain = value(length - place);
        let left = length - place;
        if left > blend {
            return plain;
        }
        let share = (blend - left + 1) as f32 / (blend + 1) as f32;
        plain * (1.0 - share) + value(length + left) * share
    }

    fn most_periods(&self) -> usize {
        let room = self.past.len().saturating_sub(self.period / 4) / self.period.max(1);
        room.clamp(1, MOST_PERIODS)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::f32::consts::TAU;

    use super::*;
    use crate::media::poor_line::{BAD, PoorLine, speech};

    const FRAME: usize = 160;

    /// Speech with the packets that the line lost: made up for, silent, and which they are.
    fn received(clean: &[i16], line: PoorLine) -> (Vec<i16>, Vec<i16>, Vec<bool>) {
        let packets = clean.len() / FRAME;
        let mut lost = vec![true; packets];
        line.carry(packets as u32).iter().for_each(|arrival| lost[arrival.n as usize] = false);
        let (mut concealed, mut silent) = (Vec::new(), Vec::new());
        let mut concealer = Concealer::new(1);
        for (packet, lost) in clean.chunks_exact(FRAME).zip(&lost) {
            let at = concealed.len();
            concealed.extend_from_slice(packet);
            silent.extend_from_slice(if *lost { &[0; FRAME] } else { packet });
            let (past, now) = concealed.split_at_mut(at);
            if *lost {
                concealer.fill(past, now);
            } else {
                concealer.mend(now);
            }
        }
        (concealed, silent, lost)
    }

    /// Frames in which somebody speaks and something was lost.
    fn spoilt(clean: &[i16], lost: &[bool]) -> Vec<usize> {
        let speaks =
            |n: usize| clean[n * FRAME..(n + 1) * FRAME].iter().map(|s| f32::from(*s).powi(2)).sum::<f32>() > 160.0 * 200.0 * 200.0;
        (0..lost.len()).filter(|n| lost[*n] && speaks(*n)).collect()
    }

    /// Mean signal-to-noise ratio of these frames in decibels, each held within −10 and 35 (segmental SNR).
    fn segmental_snr(clean: &[i16], heard: &[i16], frames: &[usize]) -> f32 {
        let of = |n: &usize| {
            let range = n * FRAME..(n + 1) * FRAME;
            let (mut signal, mut noise) = (0f32, 1f32);
            for (a, b) in clean[range.clone()].iter().zip(&heard[range]) {
                signal += f32::from(*a).powi(2);
                noise += (f32::from(*a) - f32::from(*b)).powi(2);
            }
            (10.0 * (signal / noise).log10()).clamp(-10.0, 35.0)
        };
        frames.iter().map(of).sum::<f32>() / frames.len() as f32
    }

    /// Mean log-spectral distance of these frames in decibels over 200 to 3,400 Hz; a line of the spectrum
    /// below 2 of 32,768 counts as that, which is softer than what A-law makes of silence.
    fn spectral_distance(clean: &[i16], heard: &[i16], frames: &[usize]) -> f32 {
        let spectrum = |sound: &[i16]| -> Vec<f32> {
            let line = |k: usize| {
                let (mut re, mut im) = (0f32, 0f32);
                for (n, sample) in sound.iter().enumerate() {
                    let (sin, cos) = (TAU * (k * n % FRAME) as f32 / FRAME as f32).sin_cos();
                    let window = 0.5 - 0.5 * (TAU * n as f32 / FRAME as f32).cos();
                    (re, im) = (re + f32::from(*sample) * window * cos, im + f32::from(*sample) * window * sin);
                }
                10.0 * ((re * re + im * im) / (FRAME * FRAME) as f32).max(2.0 * 2.0).log10()
            };
            (4..68).map(line).collect()
        };
        let of = |n: &usize| {
            let range = n * FRAME..(n + 1) * FRAME;
            let (a, b) = (spectrum(&clean[range.clone()]), spectrum(&heard[range]));
            (a.iter().zip(&b).map(|(a, b)| (a - b).powi(2)).sum::<f32>() / a.len() as f32).sqrt()
        };
        frames.iter().map(of).sum::<f32>() / frames.len() as f32
    }

    #[test]
    fn speech_that_is_made_up_for_is_nearer_to_what_was_said_than_silence() {
        let clean = speech();
        let (mut snr, mut distance, mut frames_in_all) = ([0.0; 2], [0.0; 2], 0.0);
        for seed in 1..=12 {
            let (concealed, silent, lost) = received(&clean, PoorLine { seed: seed * 7_919, ..BAD });
            let frames = spoilt(&clean, &lost);
            let weight = frames.len() as f32;
            frames_in_all += weight;
            for (n, heard) in [&concealed, &silent].into_iter().enumerate() {
                snr[n] += weight * segmental_snr(&clean, heard, &frames);
                distance[n] += weight * spectral_distance(&clean, heard, &frames);
            }
        }
        let (snr, distance) = (snr.map(|sum| sum / frames_in_all), distance.map(|sum| sum / frames_in_all));
        println!("{frames_in_all} lost frames of speech: segmental SNR {snr:.2?} dB, log-spectral distance {distance:.2?} dB");
        assert!(frames_in_all > 300.0);
        // The measure is the spectrum: the phase of what nobody has heard cannot be guessed, and only costs no more than silence.
        assert!(distance[0] < 0.7 * distance[1], "log-spectral distance {distance:?}");
        assert!(snr[0] > snr[1] - 1.0, "segmental SNR {snr:?}");
    }

    #[test]
    fn a_long_gap_dies_away_and_the_sound_comes_back_whole() {
        for scale in [1, 2] {
            let tone = |n: usize| (9_000.0 * (TAU * 150.0 * n as f32 / (8_000 * scale) as f32).sin()) as i16;
            let mut sound: Vec<i16> = (0..2_000 * scale).map(tone).collect();
            let (begin, end) = (800 * scale, 1_600 * scale);
            let mut concealer = Concealer::new(scale);
            let (past, rest) = sound.split_at_mut(begin);
            let (gap, after) = rest.split_at_mut(end - begin);
            concealer.fill(past, gap);
            assert!(concealer.is_silent());
            assert!(gap[..80 * scale].iter().any(|s| s.abs() > 8_000), "the first 10 ms at full level");
            assert!(gap[LONGEST * scale..].iter().all(|s| *s == 0), "nothing after 60 ms");
            concealer.mend(after);
            assert!(!concealer.is_silent());
            assert!(after[LONGEST_BLEND * scale..].iter().enumerate().all(|(n, s)| *s == tone(end + LONGEST_BLEND * scale + n)));
            let steepest = sound.windows(2).map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs()).max().unwrap();
            assert!(steepest < 2_200, "{steepest} where the tone itself has steps of 1,060");
        }
    }

    #[test]
    fn without_a_past_a_gap_is_silence() {
        let mut gap = [1; 160];
        Concealer::new(1).fill(&[5; 20], &mut gap);
        assert_eq!(gap, [0; 160]);
    }
}
