//! What if a line of a call goes dead? It is told, and a talk ends after a while; who waits or listens may be silent for as long as they like.

use super::Centre;
use super::call::{Call, Stage};
use super::colleague::{Internal, Phase};
use super::deadline::Reason;
use super::fact::Fact;
use super::ids::{CallId, LegId};

impl Centre {
    /// Nothing arrives from a leg.
    pub(super) fn sound_lost(&mut self, leg: LegId) {
        if self.leg_mut(leg).is_none() {
            return;
        }
        self.out.fact(Fact::LegSound { leg, lost: true });
        if leg.n == 0 {
            self.deadlines.cancel(&Reason::NoSound(leg.call));
            self.note_silence(leg.call, |known| known.silent = true);
        }
    }

    /// Sound arrives again.
    pub(super) fn sound_back(&mut self, leg: LegId) {
        if self.leg_mut(leg).is_none() {
            return;
        }
        self.out.fact(Fact::LegSound { leg, lost: false });
        if leg.n == 0 {
            self.note_silence(leg.call, |known| known.silent = false);
        }
    }

    /// The far end says that it hears nothing of ours, or its system refuses it. Unlike silence that is never muting, so it counts on either
    /// side of a talk.
    pub(super) fn far_end_unheard(&mut self, leg: LegId, unheard: bool) {
        if self.leg_mut(leg).is_none() {
            return;
        }
        self.out.fact(Fact::LegUnheard { leg, unheard });
        self.note_silence(leg.call, |known| {
            known.unheard.remove(&leg.n);
            known.unheard.extend(unheard.then_some(leg.n));
        });
    }

    /// A talk begins on lines that may be dead already.
    pub(super) fn judge_lines(&mut self, call: CallId) {
        self.deadlines.cancel(&Reason::NoSound(call));
        self.note_silence(call, |_| {});
    }

    /// The end of a talk on a dead line stays where it was set, whatever else fails meanwhile.
    pub(super) fn note_silence(&mut self, call: CallId, change: impl FnOnce(&mut Call)) {
        let ends_after = self.settings.limits.no_sound_ends_ms;
        let Some(known) = self.calls.get_mut(&call) else { return };
        change(known);
        let dead = self.is_dead(call);
        if dead && ends_after > 0 {
            self.deadlines.set_first(Reason::NoSound(call), self.now.plus_ms(ends_after));
        } else {
            self.deadlines.cancel(&Reason::NoSound(call));
        }
    }

    /// Whether a side of a talk is dead that is heard in its room: who is on hold is not missed.
    fn is_dead(&self, call: CallId) -> bool {
        let Some(known) = self.calls.get(&call) else { return false };
        let sides = match &known.stage {
            Stage::Talking(talk) => [0, talk.leg],
            Stage::Internal(Internal { phase: Phase::Talks { from, to }, .. }) => [*from, *to],
            Stage::Arriving
            | Stage::Walking(_)
            | Stage::Waiting(_)
            | Stage::Offered(_)
            | Stage::Dialling(_)
            | Stage::Transferring(_)
            | Stage::CallingOut(_)
            | Stage::Internal(_) => return false,
        };
        let leg = |n: u16| LegId { call, n };
        let is_in = |n: u16| (known.silent && n == 0) || known.unheard.contains(&n);
        let suspects: Vec<u16> = sides.into_iter().filter(|n| is_in(*n)).collect();
        !suspects.is_empty() && suspects.into_iter().any(|n| self.arrangement(call).is_heard(leg(n)))
    }
}
