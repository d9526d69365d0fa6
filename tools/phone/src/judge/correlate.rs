//! How alike are a pattern and every place of a long sound? Normalised cross-correlation by FFT (overlap-save).

use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

/// Smallest block that is transformed at once.
const LEAST_BLOCK: usize = 4096;
/// Mean square below which a stretch counts as silence (amplitude of about 12): nothing is alike to silence.
const SILENCE: f64 = 150.0;

/// A pattern that is looked for.
pub struct Pattern {
    length: usize,
    energy: f64,
    block: usize,
    spectrum: Vec<Complex<f32>>,
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
}

impl Pattern {
    /// Prepares a pattern; none when it is empty or silent.
    pub fn new(pattern: &[f32]) -> Option<Self> {
        let energy = energy_of(pattern);
        if energy <= 0.0 {
            return None;
        }
        let block = (2 * pattern.len()).next_power_of_two().max(LEAST_BLOCK);
        let mut planner = RealFftPlanner::new();
        let (forward, inverse) = (planner.plan_fft_forward(block), planner.plan_fft_inverse(block));
        let mut padded = pattern.to_vec();
        padded.resize(block, 0.0);
        let mut spectrum = forward.make_output_vec();
        forward.process(&mut padded, &mut spectrum).ok()?;
        spectrum.iter_mut().for_each(|value| *value = value.conj());
        Some(Self { length: pattern.len(), energy, block, spectrum, forward, inverse })
    }

    /// The coefficient (−1 to 1) at every place where the pattern fits into the sound; silence gives 0.
    ///
    /// A sound that is shorter than the pattern is judged as if silence followed.
    pub fn along(&self, sound: &[f32]) -> Vec<f32> {
        let places = sound.len().saturating_sub(self.length) + 1;
        let mut coefficients = Vec::with_capacity(places);
        let step = self.block - self.length + 1;
        let mut products = self.inverse.make_output_vec();
        let mut spectrum = self.forward.make_output_vec();
        for from in (0..places).step_by(step) {
            let mut block: Vec<f32> = sound.iter().skip(from).take(self.block).copied().collect();
            block.resize(self.block, 0.0);
            if self.forward.process(&mut block, &mut spectrum).is_err() {
                break;
            }
            spectrum.iter_mut().zip(&self.spectrum).for_each(|(value, pattern)| *value *= pattern);
            // A spectrum of real sound is real at its ends; rounding must not fail the inverse.
            spectrum.iter_mut().take(1).for_each(|value| value.im = 0.0);
            spectrum.iter_mut().last().into_iter().for_each(|value| value.im = 0.0);
            if self.inverse.process(&mut spectrum, &mut products).is_err() {
                break;
            }
            coefficients.extend(products.iter().take(step.min(places - from)).map(|product| product / self.block as f32));
        }
        self.normalise(sound, &mut coefficients);
        coefficients
    }

    fn normalise(&self, sound: &[f32], coefficients: &mut [f32]) {
        let mut energy = energy_of(sound.get(..self.length).unwrap_or(sound));
        let floor = SILENCE * self.length as f64;
        for (at, coefficient) in coefficients.iter_mut().enumerate() {
            *coefficient = if energy > floor { (f64::from(*coefficient) / (energy * self.energy).sqrt()) as f32 } else { 0.0 };
            let square = |at: usize| sound.get(at).map_or(0.0, |sample| f64::from(*sample).powi(2));
            energy += square(at + self.length) - square(at);
        }
    }
}

fn energy_of(sound: &[f32]) -> f64 {
    sound.iter().map(|sample| f64::from(*sample).powi(2)).sum()
}

/// Samples as floating numbers, unscaled.
pub fn floats(pcm: &[i16]) -> Vec<f32> {
    pcm.iter().map(|sample| f32::from(*sample)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn finds_the_pattern_at_its_place_in_any_block() {
        let mut random = fastrand::Rng::with_seed(3);
        let pattern: Vec<f32> = (0..500).map(|_| random.f32() * 2000.0 - 1000.0).collect();
        let mut sound = vec![0.0; 10_000];
        for at in [0, 4000, 9500] {
            sound.splice(at..at + 500, pattern.iter().map(|sample| sample * 0.5));
        }
        let along = Pattern::new(&pattern).unwrap().along(&sound);
        assert_eq!(along.len(), 9501);
        let found: Vec<_> = (0..along.len()).filter(|at| along[*at] > 0.99).collect();
        assert_eq!(found, [0, 4000, 9500]);
        assert!(Pattern::new(&[0.0; 9]).is_none());
    }
}
