//! How does a media thread carry out an order of the core? One function an order; orders for what is gone change nothing.

use std::sync::atomic::Ordering;

use crate::centre::ids::{CallId, LegId, PlayId, RecordingId, SdpRef};
use crate::centre::input::{FromMedia, MediaFailure};
use crate::centre::output::{Ending, Hears, Sound, ToMedia};
use crate::media::codec::passes;
use crate::media::leg::Leg;
use crate::media::opening::{Read, read};
use crate::media::playback::Playback;
use crate::media::quality;
use crate::media::recorder::Track;
use crate::media::room::{Room, RoomRecording};
use crate::media::worker::Worker;

/// Legs that are put on one tick before the next is used: what few legs save in wake-ups, many would pay for in bursts.
const LEGS_SHARE_A_TICK: usize = 100;

impl Worker {
    /// Carries out one order.
    pub(super) fn carry_out(&mut self, order: ToMedia) {
        match order {
            // Opened by who gave the order; the leg comes by a command of its own.
            ToMedia::Open { .. } | ToMedia::Attach { .. } => {}
            ToMedia::Agree { leg, sdp, answer } => {
                let agreed = self.agree(leg, sdp, answer);
                self.answer(leg, sdp, agreed);
                if let Some(held) = self.leg_mut(leg).and_then(Leg::hold_changed) {
                    self.tell(FromMedia::Held { leg, held });
                }
            }
            ToMedia::Play { leg, play, sounds, ending } => self.play(leg, play, &sounds, ending),
            ToMedia::StopPlay { leg } => {
                if let Some(leg) = self.leg_mut(leg) {
                    leg.playback = None;
                }
            }
            ToMedia::SendDigits { leg, digits } => {
                if let Some(leg) = self.leg_mut(leg) {
                    leg.presses.press(&digits);
                }
            }
            ToMedia::Connect { call, hears } => self.connect(call, hears),
            ToMedia::Record { recording, resident } => self.record(recording, resident),
            ToMedia::StopRecord { recording } => self.stop_record(recording),
            ToMedia::PauseRecord { recording } => self.pause_record(recording, true),
            ToMedia::ResumeRecord { recording } => self.pause_record(recording, false),
            ToMedia::Close { leg } => self.close(leg),
        }
    }

    /// Closes all that is open, at the end of the process; legs that are left to the next one fall silent without a word.
    pub(super) fn close_everything(&mut self) {
        let calls: Vec<CallId> = self.rooms.keys().copied().collect();
        for call in calls {
            let Some(room) = self.rooms.get(&call) else { continue };
            let recordings: Vec<RecordingId> = room.recordings.iter().map(|recording| recording.id).collect();
            let legs: Vec<LegId> = room.legs.iter().map(|(leg, _)| *leg).collect();
            recordings.into_iter().for_each(|recording| self.stop_record(recording));
            if !self.outfit.leave.load(Ordering::Acquire) {
                legs.into_iter().for_each(|leg| self.close(leg));
            }
        }
        self.outfit.tap.finish();
    }

    /// An outcome for the core; an order for a leg that is gone has none.
    fn answer(&mut self, leg: LegId, about: SdpRef, outcome: Result<Option<FromMedia>, MediaFailure>) {
        match outcome {
            Ok(report) => report.into_iter().for_each(|report| self.tell(report)),
            Err(why) => self.tell(FromMedia::Failed { leg, why, about: Some(about) }),
        }
    }

    fn agree(&mut self, id: LegId, sdp: SdpRef, answer: bool) -> Result<Option<FromMedia>, MediaFailure> {
        if self.place(id).is_none() {
            return Ok(None);
        }
        let Read { description, terms, signalled, text } = read(&self.outfit.sdps, &self.outfit.config, sdp)?;
        let (hear_tones, now_us, sdps) = (self.outfit.config.inband_digits, self.now_us(), self.outfit.sdps.clone());
        let Some(leg) = self.leg_mut(id) else { return Ok(None) };
        leg.settle_keys(&terms, answer)?;
        let codec = terms.codec;
        let reply = answer.then(|| sdps.put(leg.author.answer(&description, &terms)));
        leg.agree(terms, signalled, hear_tones, now_us);
        leg.note_theirs(text, signalled);
        self.arrange(id.call);
        Ok(Some(FromMedia::Agreed { leg: id, codec, answer: reply, about: Some(sdp) }))
    }

    /// Few legs share a tick, because the thread sleeps over ticks without any; many are spread evenly.
    fn phase_of_new_leg(&self) -> usize {
        let filled = |phase: &usize| self.turns.get(*phase).map_or(usize::MAX, Vec::len);
        let phases = 0..self.turns.len();
        let first = phases.clone().find(|phase| filled(phase) < LEGS_SHARE_A_TICK);
        first.or_else(|| phases.min_by_key(filled)).unwrap_or(0)
    }

    /// Takes up a leg that was opened for this thread.
    pub(super) fn seat(&mut self, mut leg: Box<Leg>) {
        let (id, phase) = (leg.id, self.phase_of_new_leg());
        if self.place(id).is_some() {
            return self.outfit.ports.give_back_of(&leg, self.now_us());
        }
        leg.phase = phase;
        let place = self.vacant.pop().unwrap_or(self.legs.len());
        match self.legs.get_mut(place) {
            Some(seat) => *seat = Some(leg),
            None => self.legs.push(Some(leg)),
        }
        if let Some(turns) = self.turns.get_mut(phase) {
            turns.push(place);
        }
        let room = self.rooms.entry(id.call).or_default();
        room.legs.push((id, place));
        if !room.hears.is_empty() {
            self.arrange(id.call);
        }
    }

    fn close(&mut self, id: LegId) {
        let Some(place) = self.place(id) else { return };
        let Some(mut leg) = self.legs.get_mut(place).and_then(Option::take) else { return };
        leg.say_goodbye();
        if let Some(quality) = leg.quality() {
            quality::publish(&quality);
            self.tell(FromMedia::Quality { leg: id, quality });
        }
        match &self.outfit.kept {
            Some(kept) if leg.has_kept_key() => kept.wipe(&id),
            Some(kept) => kept.remove(&id),
            None => {}
        }
        self.counters.lost += leg.lost();
        self.outfit.ports.give_back_of(&leg, self.now_us());
        self.vacant.push(place);
        if let Some(turns) = self.turns.get_mut(leg.phase) {
            turns.retain(|other| *other != place);
        }
        self.talking.retain(|(other, _)| *other != place);
        let Some(room) = self.rooms.get_mut(&id.call) else { return };
        room.legs.retain(|(other, _)| *other != id);
        room.hears.retain(|pair| pair.ear != id && pair.mouth != id);
        if room.legs.is_empty() && room.recordings.is_empty() {
            self.rooms.remove(&id.call);
        } else {
            self.arrange(id.call);
        }
    }

    fn play(&mut self, leg: LegId, play: PlayId, sounds: &[Sound], ending: Ending) {
        let (book, now_us) = (self.outfit.sounds.clone(), self.now_us());
        if let Some(leg) = self.leg_mut(leg) {
            let playback = Playback::new(play, sounds, ending, book.as_ref(), leg.music.as_ref());
            leg.play(playback, now_us);
        }
    }

    fn connect(&mut self, call: CallId, hears: Vec<Hears>) {
        if let Some(room) = self.rooms.get_mut(&call) {
            room.hears = hears;
            self.arrange(call);
        }
    }

    fn record(&mut self, id: RecordingId, resident: LegId) {
        let now_us = self.now_us();
        let Some(room) = self.rooms.get_mut(&id.call) else { return };
        if room.recordings.iter().all(|recording| recording.id != id) {
            room.recordings.push(RoomRecording { id, resident, paused: false });
            self.outfit.tap.open(id, now_us);
            self.arrange(id.call);
        }
    }

    fn pause_record(&mut self, id: RecordingId, paused: bool) {
        let Some(room) = self.rooms.get_mut(&id.call) else { return };
        room.recordings.iter_mut().filter(|recording| recording.id == id).for_each(|recording| recording.paused = paused);
        self.arrange(id.call);
    }

    fn stop_record(&mut self, id: RecordingId) {
        let now_us = self.now_us();
        let Some(room) = self.rooms.get_mut(&id.call) else { return };
        let before = room.recordings.len();
        room.recordings.retain(|recording| recording.id != id);
        if room.recordings.len() < before {
            self.outfit.tap.close(id, now_us);
        }
        if room.legs.is_empty() && room.recordings.is_empty() {
            self.rooms.remove(&id.call);
        } else {
            self.arrange(id.call);
        }
    }

    /// Tells every leg of a call whom it hears, who hears it, and where it is recorded.
    pub(super) fn arrange(&mut self, call: CallId) {
        let now_us = self.now_us();
        let Some(room) = self.rooms.get(&call) else { return };
        let decoded = decoded(room, &self.legs);
        for (id, place) in &room.legs {
            let Some(leg) = self.legs.get_mut(*place).and_then(Option::as_mut) else { continue };
            let mouths = room.mouths(*id);
            leg.ears = room.ears(*id);
            leg.hear(&mouths, mouths.iter().any(|mouth| decoded.contains(&(*place, *mouth))), now_us);
            let is_decoded = decoded.iter().any(|(_, mouth)| mouth == place);
            leg.voice = if is_decoded { leg.voice.take().or_else(|| Some(Box::default())) } else { None };
            leg.track = room
                .recordings
                .iter()
                .filter(|recording| !recording.paused)
                .find_map(|recording| Some(Track { recording: recording.id, side: room.side(recording, *id)?, mouth: id.n }));
            self.talking.retain(|(other, _)| other != place);
            if leg.is_talking() {
                leg.pace.disturbed();
                self.talking.push((*place, 0));
            }
        }
    }

    fn place(&self, leg: LegId) -> Option<usize> {
        self.rooms.get(&leg.call)?.place(leg)
    }

    fn leg_mut(&mut self, leg: LegId) -> Option<&mut Leg> {
        let place = self.place(leg)?;
        self.legs.get_mut(place)?.as_deref_mut()
    }
}

/// Ears and mouths, by their places, between which sound must be decoded: several voices at one ear, or codecs that do not pass.
fn decoded(room: &Room, legs: &[Option<Box<Leg>>]) -> Vec<(usize, usize)> {
    let leg_at = |place: usize| legs.get(place).and_then(Option::as_ref);
    let mut pairs = Vec::new();
    for (ear, place) in &room.legs {
        let Some(listens) = leg_at(*place).and_then(|leg| leg.codec()) else { continue };
        let mouths = room.mouths(*ear);
        let apart = |mouth: &usize| leg_at(*mouth).and_then(|leg| leg.speaks()).is_some_and(|speaks| !passes(speaks, listens));
        if mouths.len() > 1 || mouths.iter().any(apart) {
            pairs.extend(mouths.into_iter().map(|mouth| (*place, mouth)));
        }
    }
    pairs
}
