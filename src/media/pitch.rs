//! Where does sound repeat itself? The lag of the strongest normalised correlation, which for a voice is its pitch or a multiple of it.

/// A repetition: how far back, in samples, and how alike, −1 to 1.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Repetition {
    /// Samples.
    pub lag: usize,
    /// 1 is the same shape.
    pub likeness: f32,
}

/// Finds for the last `window` samples of `sound` where between `least` and `most` samples earlier they are most alike. `None` when
/// there is not so much sound, or it is silence.
pub fn repetition(sound: &[i16], window: usize, least: usize, most: usize) -> Option<Repetition> {
    let whole: Vec<f32> = sound.get(sound.len().checked_sub(window + most)?..)?.iter().copied().map(f32::from).collect();
    let last = whole.get(most..)?;
    let energy = dot(last, last);
    if energy < window as f32 {
        return None;
    }
    let mut best: Option<Repetition> = None;
    for lag in least..=most {
        let earlier = whole.get(most - lag..most - lag + window)?;
        let likeness = dot(last, earlier) / (energy * dot(earlier, earlier)).sqrt().max(1.0);
        // The shortest of nearly equal lags: three periods of a voice are as alike as one, and sound older.
        if best.is_none_or(|best| likeness > best.likeness + 0.02) {
            best = Some(Repetition { lag, likeness });
        } else if let Some(best) = &mut best
            && likeness > best.likeness
            && lag < best.lag + least / 2
        {
            *best = Repetition { lag, likeness };
        }
    }
    best
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    // Eight sums at once, which the compiler keeps in one register.
    let mut sums = [0f32; 8];
    let (a, b) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a.zip(b) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_period_of_a_voice_is_found() {
        for period in [40usize, 57, 80, 118] {
            let voice: Vec<i16> =
                (0..400).map(|n| ((n % period) as f32 / period as f32 * -4_000.0) as i16 + (n % period == 0) as i16 * 9_000).collect();
            let found = repetition(&voice, 160, 20, 120).unwrap();
            assert_eq!(found.lag % period, 0, "{found:?} for {period}");
            assert!(found.likeness > 0.95);
        }
        assert_eq!(repetition(&[0; 400], 160, 40, 120), None, "silence");
        assert_eq!(repetition(&[9; 100], 160, 40, 120), None, "too little");
    }
}
