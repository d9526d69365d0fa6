//! What does a leg hear that is not connected? Clips one after the other, to the sample, without a gap and without a click.

use crate::centre::ids::{PlayId, PromptId};
use crate::centre::output::{Ending, Sound};
use crate::media::codec::{FRAME, Law, RATE_HZ, silence};
use crate::prompts::{Clip, PromptBook};

/// Where sounds come from. A sound that is missing is an empty list: the rest of a sequence is played.
pub trait Sounds: Send + Sync {
    /// The clips that say this, in order.
    fn resolve(&self, sound: &Sound) -> Vec<Clip>;
}

impl Sounds for PromptBook {
    fn resolve(&self, sound: &Sound) -> Vec<Clip> {
        PromptBook::resolve(self, sound)
    }
}

/// Where in its music a leg is.
#[derive(Clone, PartialEq, Debug)]
pub struct MusicPosition {
    music: PromptId,
    sample: usize,
}

/// One order to play, on its way.
pub struct Playback {
    play: PlayId,
    pieces: Vec<Piece>,
    ending: Ending,
    piece: usize,
    sample: usize,
}

enum Piece {
    Clip(Clip),
    Silence { samples: usize },
    Music { music: PromptId, clip: Clip },
}

/// What is left after a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// More to play.
    Playing,
    /// The last sample is in this frame.
    Ended(PlayId),
}

impl Playback {
    /// An order to play `sounds`; music goes on from `position` if that is the same music.
    pub fn new(play: PlayId, sounds: &[Sound], ending: Ending, book: &dyn Sounds, position: Option<&MusicPosition>) -> Playback {
        let pieces: Vec<Piece> = sounds.iter().flat_map(|sound| pieces_of(sound, book)).filter(|piece| piece.samples() > 0).collect();
        let mut playback = Playback { play, pieces, ending, piece: 0, sample: 0 };
        playback.resume_music(position);
        playback
    }

    /// Fills one frame with G.711; what is left of it at the end of the last sound is silence. `position` follows the music.
    pub fn fill(&mut self, law: Law, frame: &mut [u8; FRAME], position: &mut Option<MusicPosition>) -> Progress {
        match law {
            Law::A => self.fill_with(frame, silence(law), |clip| &clip.pcma, position),
            Law::Mu => self.fill_with(frame, silence(law), |clip| &clip.pcmu, position),
        }
    }

    /// The same with samples of 16 bits.
    pub fn fill_pcm(&mut self, frame: &mut [i16; FRAME], position: &mut Option<MusicPosition>) -> Progress {
        self.fill_with(frame, 0, |clip| &clip.pcm, position)
    }

    fn fill_with<T: Copy>(
        &mut self,
        frame: &mut [T],
        silence: T,
        sound_of: impl Fn(&Clip) -> &[T],
        position: &mut Option<MusicPosition>,
    ) -> Progress {
        let mut rest = frame;
        while !rest.is_empty() {
            let Some(piece) = self.pieces.get(self.piece) else {
                rest.fill(silence);
                return Progress::Ended(self.play);
            };
            let count = rest.len().min(piece.samples().saturating_sub(self.sample));
            let (now, later) = rest.split_at_mut(count);
            match piece.clip().and_then(|clip| sound_of(clip).get(self.sample..self.sample + count)) {
                Some(sound) => now.copy_from_slice(sound),
                None => now.fill(silence),
            }
            rest = later;
            self.sample += count;
            if let Piece::Music { music, .. } = piece {
                *position = Some(MusicPosition { music: music.clone(), sample: self.sample });
            }
            if self.sample >= piece.samples() {
                self.next_piece(position);
            }
        }
        if self.pieces.get(self.piece).is_some() { Progress::Playing } else { Progress::Ended(self.play) }
    }

    fn next_piece(&mut self, position: &mut Option<MusicPosition>) {
        if matches!(self.pieces.get(self.piece), Some(Piece::Music { .. })) {
            *position = None;
        }
        self.piece += 1;
        self.sample = 0;
        if self.piece >= self.pieces.len() && self.ending == Ending::Repeat {
            self.piece = 0;
        }
        self.resume_music(position.as_ref());
    }

    fn resume_music(&mut self, position: Option<&MusicPosition>) {
        if let (Some(Piece::Music { music, clip }), Some(position)) = (self.pieces.get(self.piece), position)
            && *music == position.music
            && position.sample < clip.pcma.len()
        {
            self.sample = position.sample;
        }
    }
}

impl Piece {
    fn samples(&self) -> usize {
        match self {
            Piece::Clip(clip) | Piece::Music { clip, .. } => clip.pcma.len().min(clip.pcmu.len()),
            Piece::Silence { samples } => *samples,
        }
    }

    fn clip(&self) -> Option<&Clip> {
        match self {
            Piece::Clip(clip) | Piece::Music { clip, .. } => Some(clip),
            Piece::Silence { .. } => None,
        }
    }
}

fn pieces_of(sound: &Sound, book: &dyn Sounds) -> Vec<Piece> {
    match sound {
        Sound::Silence { ms } => {
            vec![Piece::Silence { samples: usize::try_from(u64::from(*ms) * u64::from(RATE_HZ) / 1_000).unwrap_or(0) }]
        }
        Sound::Music { id } => book.resolve(sound).into_iter().map(|clip| Piece::Music { music: id.clone(), clip }).collect(),
        Sound::Prompt { .. } | Sound::Position { .. } | Sound::Minutes { .. } | Sound::RingTone => {
            book.resolve(sound).into_iter().map(Piece::Clip).collect()
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use super::*;
    use crate::centre::ids::Language;

    /// A book in which "tone" is a second of 500 Hz, "a" is 200 bytes counting up from 0, "b" 200 from 100, and music 250 from 0.
    pub(crate) struct Counting;

    impl Sounds for Counting {
        fn resolve(&self, sound: &Sound) -> Vec<Clip> {
            let (first, length) = match sound {
                Sound::Prompt { id, .. } if id.as_str() == "tone" => {
                    let tone = |n: usize| (8_000.0 * (std::f32::consts::TAU * n as f32 / 16.0).sin()) as i16;
                    let silence: Arc<[u8]> = vec![0; 8_000].into();
                    return vec![Clip { pcma: silence.clone(), pcmu: silence, pcm: (0..8_000).map(tone).collect() }];
                }
                Sound::Prompt { id, .. } if id.as_str() == "a" => (0u8, 200u8),
                Sound::Prompt { .. } => (100, 200),
                Sound::Music { .. } => (0, 250),
                Sound::Position { .. } | Sound::Minutes { .. } | Sound::Silence { .. } | Sound::RingTone => return Vec::new(),
            };
            let bytes: Arc<[u8]> = (0..length).map(|n| first.wrapping_add(n)).collect();
            vec![Clip { pcma: bytes.clone(), pcmu: bytes, pcm: Vec::new().into() }]
        }
    }

    pub(crate) fn prompt(id: &str) -> Sound {
        Sound::Prompt { id: id.into(), language: Language::Ru }
    }

    fn music() -> Sound {
        Sound::Music { id: "music".into() }
    }

    fn frames(playback: &mut Playback, position: &mut Option<MusicPosition>, count: usize) -> (Vec<u8>, Progress) {
        let (mut all, mut progress) = (Vec::new(), Progress::Playing);
        for _ in 0..count {
            let mut frame = [0; FRAME];
            progress = playback.fill(Law::A, &mut frame, position);
            all.extend_from_slice(&frame);
        }
        (all, progress)
    }

    #[test]
    fn a_sequence_has_no_gap_and_ends_once() {
        let sounds = [prompt("a"), Sound::Silence { ms: 1 }, prompt("b")];
        let mut playback = Playback::new(PlayId(7), &sounds, Ending::Report, &Counting, None);
        let (bytes, progress) = frames(&mut playback, &mut None, 3);
        let whole: Vec<u8> = (0..200).chain([0xd5; 8]).chain((0..200u8).map(|n| n.wrapping_add(100))).chain([0xd5; 72]).collect();
        assert_eq!(bytes, whole);
        assert_eq!(progress, Progress::Ended(PlayId(7)));
    }

    #[test]
    fn repeating_joins_the_end_to_the_beginning() {
        let mut playback = Playback::new(PlayId(1), &[prompt("a")], Ending::Repeat, &Counting, None);
        let (bytes, progress) = frames(&mut playback, &mut None, 5);
        assert_eq!(bytes, (0..200).cycle().take(800).collect::<Vec<u8>>());
        assert_eq!(progress, Progress::Playing);
    }

    #[test]
    fn music_goes_on_where_it_stood_and_wraps() {
        let mut position = None;
        let mut playback = Playback::new(PlayId(1), &[music()], Ending::Repeat, &Counting, None);
        frames(&mut playback, &mut position, 1);
        let mut playback = Playback::new(PlayId(2), &[prompt("a")], Ending::Report, &Counting, position.as_ref());
        frames(&mut playback, &mut position, 2);
        let mut playback = Playback::new(PlayId(3), &[music()], Ending::Repeat, &Counting, position.as_ref());
        let (bytes, _) = frames(&mut playback, &mut position, 2);
        assert_eq!(bytes, (160..250).chain(0..230).collect::<Vec<u8>>());
    }

    #[test]
    fn nothing_to_play_ends_at_once() {
        let mut playback = Playback::new(PlayId(4), &[], Ending::Repeat, &Counting, None);
        assert_eq!(frames(&mut playback, &mut None, 1).1, Progress::Ended(PlayId(4)));
    }
}
