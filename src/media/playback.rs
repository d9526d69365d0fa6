//! What does a leg hear that is not connected? Clips one after the other, to the sample, without a gap and without a click; over music that
//! is lowered for so long, where the order says so.

use crate::centre::ids::{PlayId, PromptId};
use crate::centre::output::{Ending, Sound};
use crate::media::codec::{FRAME, Law, RATE_HZ, encode, silence};
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
    /// How loud it is, of `FULL`.
    gain: i32,
}

/// Music as it is.
const FULL: i32 = 1 << 15;
/// Music beneath speech: −15 dB.
const LOWERED: i32 = 5_827;
/// What the gain moves by with a sample: from one to the other in a quarter of a second.
const STEP: i32 = 13;

/// One order to play, on its way.
pub struct Playback {
    play: PlayId,
    pieces: Vec<Piece>,
    ending: Ending,
    piece: usize,
    sample: usize,
    /// The music beneath; where the leg's position in it says.
    bed: Option<Clip>,
    /// The end has been told; the bed goes on until the next order.
    told: bool,
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
        let beneath = |sound: &Sound| match sound {
            Sound::Bed { id } => position.filter(|position| position.music == *id).and_then(|_| book.resolve(sound).into_iter().next()),
            _ => None,
        };
        let bed = sounds.iter().find_map(beneath).filter(|clip| !clip.pcm.is_empty());
        let mut playback = Playback { play, pieces, ending, piece: 0, sample: 0, bed, told: false };
        playback.resume_music(position);
        playback
    }

    /// Fills one frame with G.711; what is left of it at the end of the last sound is silence. `position` follows the music.
    pub fn fill(&mut self, law: Law, frame: &mut [u8; FRAME], position: &mut Option<MusicPosition>) -> Progress {
        if self.is_mixed(position.as_ref()) {
            let mut sound = [0; FRAME];
            let progress = self.fill_pcm(&mut sound, position);
            frame.iter_mut().zip(sound).for_each(|(byte, sample)| *byte = encode(law, sample));
            return progress;
        }
        match law {
            Law::A => self.fill_with(frame, silence(law), |clip| &clip.pcma, position),
            Law::Mu => self.fill_with(frame, silence(law), |clip| &clip.pcmu, position),
        }
    }

    /// The same with samples of 16 bits.
    pub fn fill_pcm(&mut self, frame: &mut [i16; FRAME], position: &mut Option<MusicPosition>) -> Progress {
        let progress = self.fill_with(frame, 0, |clip| &clip.pcm, position);
        match (&self.bed, position.as_mut()) {
            (Some(bed), Some(position)) => {
                let target = if progress == Progress::Playing { LOWERED } else { FULL };
                position.lay(bed, target, frame);
                self.told(progress)
            }
            (None, Some(position)) if position.gain < FULL && matches!(self.pieces.get(self.piece), Some(Piece::Music { .. })) => {
                position.rise(frame);
                progress
            }
            _ => progress,
        }
    }

    /// Whether the music goes on beneath when all has been said, until something else is ordered.
    pub fn has_bed(&self) -> bool {
        self.bed.is_some()
    }

    /// Samples must be computed, because music is lowered.
    fn is_mixed(&self, position: Option<&MusicPosition>) -> bool {
        let is_low = position.is_some_and(|position| position.gain < FULL);
        self.bed.is_some() || (is_low && matches!(self.pieces.get(self.piece), Some(Piece::Music { .. })))
    }

    /// With a bed the end comes again and again: it is told once.
    fn told(&mut self, progress: Progress) -> Progress {
        match progress {
            Progress::Ended(_) if std::mem::replace(&mut self.told, true) => Progress::Playing,
            told => told,
        }
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
                let gain = position.as_ref().map_or(FULL, |before| before.gain);
                *position = Some(MusicPosition { music: music.clone(), sample: self.sample, gain });
            }
            if self.sample >= piece.samples() {
                self.next_piece(position);
            }
        }
        if self.pieces.get(self.piece).is_some() { Progress::Playing } else { Progress::Ended(self.play) }
    }

    fn next_piece(&mut self, position: &mut Option<MusicPosition>) {
        if matches!(self.pieces.get(self.piece), Some(Piece::Music { .. })) {
            position.as_mut().into_iter().for_each(|position| position.sample = 0);
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

impl MusicPosition {
    /// Lays the music beneath what is said, on its way to this gain.
    fn lay(&mut self, bed: &Clip, target: i32, frame: &mut [i16]) {
        for sample in frame {
            self.gain = if self.gain > target { (self.gain - STEP).max(target) } else { (self.gain + STEP).min(target) };
            let music = bed.pcm.get(self.sample).copied().unwrap_or(0);
            *sample = sample.saturating_add(scaled(music, self.gain));
            self.sample = if self.sample + 1 < bed.pcm.len() { self.sample + 1 } else { 0 };
        }
    }

    /// Music that was lowered comes back.
    fn rise(&mut self, frame: &mut [i16]) {
        for sample in frame {
            self.gain = (self.gain + STEP).min(FULL);
            *sample = scaled(*sample, self.gain);
        }
    }
}

fn scaled(sample: i16, gain: i32) -> i16 {
    i16::try_from((i32::from(sample) * gain) >> 15).unwrap_or(0)
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
        // What lies beneath is no piece of the sequence.
        Sound::Bed { .. } => Vec::new(),
        Sound::Prompt { .. } | Sound::Position { .. } | Sound::Minutes { .. } | Sound::Number { .. } | Sound::RingTone => {
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
                Sound::Position { .. }
                | Sound::Minutes { .. }
                | Sound::Silence { .. }
                | Sound::Bed { .. }
                | Sound::Number { .. }
                | Sound::RingTone => return Vec::new(),
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

    /// A book of music at 400 Hz and of two seconds of speech at 1,000 Hz.
    struct Tones;

    impl Sounds for Tones {
        fn resolve(&self, sound: &Sound) -> Vec<Clip> {
            let (step, length) = match sound {
                Sound::Music { .. } | Sound::Bed { .. } => (20.0, 24_000),
                _ => (8.0, 16_000),
            };
            let tone = |n: usize| (8_000.0 * (std::f32::consts::TAU * n as f32 / step).sin()) as i16;
            let pcm: Arc<[i16]> = (0..length).map(tone).collect();
            let law = |law: Law| pcm.iter().map(|sample| encode(law, *sample)).collect::<Arc<[u8]>>();
            vec![Clip { pcma: law(Law::A), pcmu: law(Law::Mu), pcm: pcm.clone() }]
        }
    }

    /// What a leg hears: music, then an announcement over it, then the music that is ordered some frames after its end was told.
    fn over_music(fill: impl Fn(&mut Playback, &mut Option<MusicPosition>) -> (Vec<i16>, Progress)) -> (Vec<i16>, usize, usize) {
        let mut position = None;
        let (mut all, mut ends) = (Vec::new(), 0);
        let mut playback = Playback::new(PlayId(1), &[music()], Ending::Repeat, &Tones, None);
        let hear = |playback: &mut Playback, position: &mut Option<MusicPosition>, frames: usize, all: &mut Vec<i16>| {
            let mut ends = 0;
            for _ in 0..frames {
                let (sound, progress) = fill(playback, position);
                all.extend(sound);
                ends += usize::from(progress != Progress::Playing);
            }
            ends
        };
        ends += hear(&mut playback, &mut position, 50, &mut all);
        let sounds = [Sound::Bed { id: "music".into() }, prompt("speech")];
        playback = Playback::new(PlayId(2), &sounds, Ending::Report, &Tones, position.as_ref());
        ends += hear(&mut playback, &mut position, 103, &mut all);
        let told = all.len();
        playback = Playback::new(PlayId(3), &[music()], Ending::Repeat, &Tones, position.as_ref());
        ends += hear(&mut playback, &mut position, 50, &mut all);
        (all, told, ends)
    }

    /// How loud this many samples a turn are in the sound, by Goertzel's sum.
    fn level(sound: &[i16], step: f32) -> f32 {
        let turn = |n: usize| std::f32::consts::TAU * n as f32 / step;
        let parts = sound.iter().enumerate().map(|(n, sample)| (f32::from(*sample) * turn(n).cos(), f32::from(*sample) * turn(n).sin()));
        let (x, y) = parts.fold((0.0, 0.0), |(x, y), (cos, sin)| (x + cos, y + sin));
        2.0 * (x * x + y * y).sqrt() / sound.len() as f32
    }

    fn judge_over_music(heard: &[i16], told: usize, ends: usize) {
        assert_eq!(ends, 1, "the end of what is said is told once");
        let (before, speech, after) = (&heard[..8_000], &heard[12_000..20_000], &heard[told + 4_000..told + 8_000]);
        let lowered = 20.0 * (level(speech, 20.0) / level(before, 20.0)).log10();
        assert!((-16.0..=-14.0).contains(&lowered), "the music beneath speech is at {lowered} dB");
        let back = 20.0 * (level(after, 20.0) / level(before, 20.0)).log10();
        assert!(back.abs() < 0.5, "the music comes back to {back} dB");
        assert!(level(speech, 8.0) > 7_500.0, "what is said is as loud as ever");
        // 1,000 Hz at full level moves by 6,200 from one sample to the next, 400 Hz by 2,500: a click would be beyond what they add up to.
        let jump = heard.windows(2).map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs()).max().unwrap();
        assert!(jump < 9_200, "a click of {jump}");
        let music_alone =
            heard[told - 400..told + 4_000].windows(2).map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs()).max().unwrap();
        assert!(music_alone < 2_900, "a click of {music_alone} where the music comes back");
        let quietest = heard.chunks(FRAME).map(|frame| level(frame, 20.0)).fold(f32::MAX, f32::min);
        assert!(quietest > 1_000.0, "the music is never gone: {quietest}");
    }

    #[test]
    fn announcements_are_heard_over_music_that_is_lowered_and_comes_back() {
        let (heard, told, ends) = over_music(|playback, position| {
            let mut frame = [0; FRAME];
            let progress = playback.fill_pcm(&mut frame, position);
            (frame.to_vec(), progress)
        });
        judge_over_music(&heard, told, ends);
        for law in [Law::A, Law::Mu] {
            let (heard, told, ends) = over_music(|playback, position| {
                let mut frame = [0; FRAME];
                let progress = playback.fill(law, &mut frame, position);
                (frame.iter().map(|byte| crate::media::codec::decode(law, *byte)).collect(), progress)
            });
            judge_over_music(&heard, told, ends);
        }
    }

    #[test]
    fn where_no_music_was_heard_nothing_lies_beneath() {
        let sounds = [Sound::Bed { id: "music".into() }, prompt("a")];
        let mut playback = Playback::new(PlayId(7), &sounds, Ending::Report, &Counting, None);
        let (bytes, progress) = frames(&mut playback, &mut None, 2);
        assert_eq!(bytes[..200], (0..200u8).collect::<Vec<u8>>()[..]);
        assert_eq!(progress, Progress::Ended(PlayId(7)));
    }
}
