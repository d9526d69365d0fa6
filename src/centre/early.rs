//! What is heard of somebody who is called and has not answered? A ringing tone, or the far end's own sound (RFC 3960).

use serde::{Deserialize, Serialize};

use super::Centre;
use super::call::Stage;
use super::call_out::Step;
use super::calling::Calling;
use super::consult::Third;
use super::ids::{CallId, LegId, PlayId, SdpRef};
use super::leg::LegState;
use super::output::{Ending, Hears, Sound, ToMedia};

/// What has come of a far end that was dialled, before its answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Early {
    /// Nothing that can be heard.
    #[default]
    Nothing,
    /// It rings.
    Rings,
    /// It lets its own sound be heard.
    Sounds,
}

/// Who listens, and to whom of those who are called.
struct Listening {
    ear: u16,
    called: Vec<u16>,
}

impl Centre {
    /// The far end of a leg that we dialled rings.
    pub(super) fn far_end_rings(&mut self, leg: LegId) {
        if let Some(known) = self.leg_mut(leg).filter(|known| known.state == LegState::Dialled && known.early == Early::Nothing) {
            known.early = Early::Rings;
            self.begin_ring_tone(leg.call);
            self.colleague_rings(leg);
        }
    }

    /// It describes its sound before it answers: that is put in force for whoever listens.
    pub(super) fn far_end_speaks_early(&mut self, leg: LegId, sdp: SdpRef) {
        let is_heard = self.is_listened_to(leg);
        let Some(known) = self.leg_mut(leg).filter(|known| is_heard && known.state == LegState::Dialled) else { return };
        known.early_asked = known.early_asked.saturating_add(1);
        known.early_sdps.push(sdp);
        self.out.media(ToMedia::Agree { leg, sdp, answer: false });
    }

    /// Whether anybody hears this leg before its answer, or will once an announcement is over.
    fn is_listened_to(&self, leg: LegId) -> bool {
        matches!(self.stage(leg.call), Some(Stage::Dialling(dialling)) if dialling.leg == leg.n)
            || self.listening(leg.call).is_some_and(|listening| listening.called.contains(&leg.n))
    }

    /// Whether what media says of a leg is about sound before its answer; each such order has one outcome. One that does not name its
    /// description is that of the oldest order.
    pub(super) fn is_about_early_sound(&mut self, leg: LegId, about: Option<SdpRef>) -> bool {
        let Some(known) = self.leg_mut(leg).filter(|known| known.early_asked > 0) else { return false };
        let at = match about {
            Some(sdp) => known.early_sdps.iter().position(|asked| *asked == sdp),
            None => Some(0),
        };
        let Some(at) = at else { return false };
        known.early_asked -= 1;
        if at < known.early_sdps.len() {
            known.early_sdps.remove(at);
        }
        true
    }

    /// The early sound can flow. It takes the place of the ringing tone; nobody is heard by the far end yet.
    pub(super) fn early_sound(&mut self, leg: LegId) {
        let call = leg.call;
        let before = self.arrangement(call);
        let Some(known) = self.leg_mut(leg).filter(|known| known.state == LegState::Dialled) else { return };
        known.early = Early::Sounds;
        self.end_ring_tone(call);
        self.arranged(call, &before);
        self.hear_the_called(call);
    }

    /// Outside of a talk: whoever waits for an answer hears what there is of it, in place of music.
    pub(super) fn hear_the_called(&mut self, call: CallId) {
        if self.talk(call).is_some() {
            return;
        }
        self.begin_ring_tone(call);
        if let Some(pair) = self.early_pair(call) {
            if self.calls.get(&call).is_some_and(|known| known.hold_music.contains(&pair.ear.n)) {
                self.stop_hold_music(call, pair.ear.n);
            }
            self.out.media(ToMedia::Connect { call, hears: vec![pair] });
        }
    }

    /// The ear and the mouth of early sound.
    pub(super) fn early_pair(&self, call: CallId) -> Option<Hears> {
        let Listening { ear, called } = self.listening(call)?;
        let mouth = called.into_iter().find(|n| self.early(call, *n) == Early::Sounds)?;
        Some(Hears { ear: LegId { call, n: ear }, mouth: LegId { call, n: mouth } })
    }

    /// Ends the ringing tone where it is over: before music or voices come.
    pub(super) fn end_ring_tone(&mut self, call: CallId) {
        let wanted = self.ring_tone(call);
        let Some(known) = self.calls.get_mut(&call).filter(|known| known.ring_tone != wanted) else { return };
        if let Some(n) = known.ring_tone.take().filter(|n| known.legs.contains_key(n)) {
            self.out.media(ToMedia::StopPlay { leg: LegId { call, n } });
        }
    }

    /// Plays the ringing tone to whoever waits for an answer and hears nothing else of it.
    pub(super) fn begin_ring_tone(&mut self, call: CallId) {
        let wanted = self.ring_tone(call);
        let Some(known) = self.calls.get_mut(&call).filter(|known| known.ring_tone.is_none()) else { return };
        let Some(n) = wanted else { return };
        (known.ring_tone, known.play) = (wanted, PlayId(known.play.0.wrapping_add(1)));
        known.hold_music.remove(&n);
        let play = known.play;
        self.out.media(ToMedia::Play { leg: LegId { call, n }, play, sounds: vec![Sound::RingTone], ending: Ending::Repeat });
    }

    fn ring_tone(&self, call: CallId) -> Option<u16> {
        let Listening { ear, called } = self.listening(call)?;
        let any = |early| called.iter().any(|n| self.early(call, *n) == early);
        // The operator may be on the way out: their leg is over, and the one who rings is about to ring for the resident.
        let listens =
            self.calls.get(&call).is_some_and(|known| known.legs.contains_key(&ear)) && !self.holds_by_phone(LegId { call, n: ear });
        (listens && any(Early::Rings) && !any(Early::Sounds)).then_some(ear)
    }

    /// An operator who has asked for somebody or calls a resident, and a resident who is taken to a number outside. Who is given away to an
    /// operator goes on hearing music, and an announcement is heard to its end.
    fn listening(&self, call: CallId) -> Option<Listening> {
        let all = |calling: &Calling| calling.legs.iter().copied().collect();
        match self.stage(call)? {
            Stage::Talking(talk) => match &talk.third {
                Some(Third::Called(calling)) => Some(Listening { ear: talk.leg, called: all(calling) }),
                Some(Third::Consulted { .. } | Third::Guest { .. }) | None => None,
            },
            Stage::CallingOut(out) => match out.step {
                Step::Resident { operator } => Some(Listening { ear: operator, called: vec![0] }),
                Step::Operator(_) => None,
            },
            Stage::Transferring(transfer) => {
                let calling = &transfer.calling;
                calling.agent().is_none().then(|| Listening { ear: 0, called: all(calling) })
            }
            Stage::Dialling(dialling) => (!dialling.speaks).then(|| Listening { ear: 0, called: vec![dialling.leg] }),
            Stage::Arriving | Stage::Walking(_) | Stage::Waiting(_) | Stage::Offered(_) | Stage::Internal(_) => None,
        }
    }

    fn early(&self, call: CallId, n: u16) -> Early {
        self.calls.get(&call).and_then(|known| known.legs.get(&n)).map_or(Early::Nothing, |leg| leg.early)
    }
}
