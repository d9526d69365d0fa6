//! Who waits, in which order, and what are they told? Callers in queues, with places that never change hands.

use serde::{Deserialize, Serialize};

use super::Centre;
use super::call::Stage;
use super::deadline::Reason;
use super::fact::{EndReason, Fact, QueueEnd};
use super::ids::{CallId, Language, LegId, PromptId, QueueId};
use super::line::Seniority;
use super::output::{Ending, Sound};
use super::settings::QueueSettings;
use super::skill::Needs;
use super::time::Time;

/// The place is told for the first time after this many milliseconds: who is answered at once need not hear it.
const FIRST_ANNOUNCEMENT_MS: u64 = 4_000;

/// "Others, whose matter is more pressing, have been put before you."
pub const PUT_BEHIND: &str = "place-put-behind";

/// One caller's wait. It outlives offers that nobody answers: place and age stay.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Wait {
    /// In which queue.
    pub queue: QueueId,
    /// The clock of the wait, of its rings and of its statistics: when the caller entered this queue.
    pub since: Time,
    /// How long the caller had waited before, in other queues or for a line that was lost, in milliseconds: it counts for the place.
    #[serde(default)]
    pub before_ms: u64,
    /// What the operator must be able to do in the ring that the wait has reached.
    pub needs: Needs,
    /// The caller's language.
    pub language: Language,
    /// The ring of the queue that the wait has reached, counted from 0.
    #[serde(default)]
    pub ring: u32,
    /// By how much longer the caller counts as waiting, in milliseconds; less where it is negative.
    #[serde(default)]
    pub credit_ms: i64,
}

impl Wait {
    /// Where the caller stands among all who wait.
    pub fn seniority(&self) -> Seniority {
        Seniority::of(Time(self.since.0.saturating_sub(self.before_ms)), self.credit_ms)
    }
}

impl Centre {
    /// The plan's queue step: the caller takes a place, or goes to `overflow` when the queue is full.
    pub(super) fn enter_queue(&mut self, call: CallId, queue: &QueueId) {
        let Some(rules) = self.queue_settings(queue).cloned() else {
            self.end_call(call, EndReason::PlanEnded);
            return;
        };
        let overflowed = self.calls.get(&call).is_some_and(|known| known.overflowed);
        match self.kept(call) {
            Some(kept) if kept.queue == *queue => return self.wait_on(call, &kept),
            Some(_) => self.leave_queue(call, QueueEnd::KeyPressed),
            None => {}
        }
        let full = self.is_queue_full(queue, &rules);
        // Who left for another language and comes back had a place, and keeps it.
        let has_place = self.calls.get(&call).is_some_and(|known| known.waited.as_ref().is_some_and(|(before, _)| before == queue));
        if full && !has_place && !overflowed && self.overflow(call) {
            return;
        }
        if self.is_evacuated() {
            return self.owe_instead(call, queue, &rules);
        }
        let Some(wait) = self.take_place(call, queue, &rules) else { return };
        if self.is_unknown(LegId::caller(call)) {
            self.waiting.offered(call, &wait);
        }
        if rules.announce_every_ms > 0 {
            self.deadlines.set(Reason::Announce(call), self.now.plus_ms(FIRST_ANNOUNCEMENT_MS));
        }
        self.await_overflow(call, &wait, &rules);
        self.set_stage(call, Stage::Waiting(wait));
        self.play_music(call, rules.music);
    }

    /// Whether nobody else may wait on the line: who was promised a callback and has none takes up no room.
    fn is_queue_full(&self, queue: &QueueId, rules: &QueueSettings) -> bool {
        let most = usize::try_from(rules.max_waiting).unwrap_or(usize::MAX);
        let all = self.waiting.length(queue);
        all >= most && all.saturating_sub(self.without_line(queue).count()) >= most
    }

    /// The place that is told, 1 for the next: callbacks that may not be called yet stand before nobody.
    pub(super) fn place(&self, call: CallId, wait: &Wait) -> u32 {
        let here = (wait.seniority(), call);
        let before = |(other, wait): &(CallId, &Wait)| (wait.seniority(), *other) < here && self.held(*other).is_some();
        let held = self.without_line(&wait.queue).filter(before).count();
        self.waiting.place(call, wait).saturating_sub(u32::try_from(held).unwrap_or_default()).max(1)
    }

    /// A wait begins: the caller stands in the queue from here on.
    pub(super) fn take_place(&mut self, call: CallId, queue: &QueueId, rules: &QueueSettings) -> Option<Wait> {
        let wait = self.new_wait(call, queue, rules)?;
        self.out.fact(Fact::Enqueued { call, queue: queue.clone(), language: wait.language, skills: wait.needs.names() });
        if !rules.rings.is_empty() {
            self.tell_ring(call, &wait);
        }
        self.await_ring(call, &wait, rules);
        if wait.credit_ms != 0 {
            let (credit_ms, of) = self.credit(call, rules);
            self.out.fact(Fact::Credited { call, queue: queue.clone(), credit_ms, of });
        }
        self.waiting.enter(call, &wait);
        Some(wait)
    }

    /// The caller is asked something and keeps the place: they are in the queue, and nobody is offered them. The stage is the caller's to set.
    pub(super) fn keep_place(&mut self, call: CallId) {
        let Some(wait) = self.wait_of(call).cloned() else { return };
        self.waiting.offered(call, &wait);
        self.deadlines.cancel(&Reason::Announce(call));
        self.deadlines.cancel(&Reason::MaxWait(call));
        if let Some(known) = self.calls.get_mut(&call) {
            known.kept = Some(wait);
        }
    }

    /// The place that is kept while the caller is asked something.
    pub(super) fn kept(&self, call: CallId) -> Option<Wait> {
        self.calls.get(&call)?.kept.clone()
    }

    /// The caller waits on at the place that was kept, by the language and the rules of now.
    fn wait_on(&mut self, call: CallId, kept: &Wait) {
        let Some(rules) = self.queue_settings(&kept.queue).cloned() else { return };
        let wait = self.kept_wait(call, kept, &rules);
        if !self.is_unknown(LegId::caller(call)) {
            self.waiting.seek(call, &wait);
        }
        if rules.announce_every_ms > 0 {
            self.deadlines.set(Reason::Announce(call), self.now.plus_ms(rules.announce_every_ms));
        }
        self.await_overflow(call, &wait, &rules);
        self.set_stage(call, Stage::Waiting(wait));
        self.play_music(call, rules.music);
    }

    /// The wait that was kept, without an offer.
    pub(super) fn kept_wait(&mut self, call: CallId, kept: &Wait, rules: &QueueSettings) -> Wait {
        let language = self.language_of(call);
        let (ring, needs) = rules.needs(language, self.now.ms_since(kept.since));
        let wait = Wait { language, ring, needs, ..kept.clone() };
        self.await_ring(call, &wait, rules);
        self.waiting.change(call, kept, &wait);
        self.waiting.offered(call, &wait);
        if let Some(known) = self.calls.get_mut(&call) {
            known.kept = None;
        }
        self.out.fact(Fact::WaitsOn { call, queue: wait.queue.clone() });
        wait
    }

    /// The wait of a caller who comes back to the same queue goes on where it was; in another queue it counts for the place.
    pub(super) fn new_wait(&mut self, call: CallId, queue: &QueueId, rules: &QueueSettings) -> Option<Wait> {
        let language = self.language_of(call);
        let now = self.now;
        let credit_ms = self.credit(call, rules).0;
        let known = self.calls.get_mut(&call)?;
        let since = match &known.waited {
            Some((before, since)) if before == queue => *since,
            _ => now,
        };
        known.waited = Some((queue.clone(), since));
        let before_ms = since.ms_since(*known.waits_since.get_or_insert(since));
        let (ring, needs) = rules.needs(language, now.ms_since(since));
        Some(Wait { queue: queue.clone(), since, before_ms, needs, language, ring, credit_ms })
    }

    fn tell_ring(&mut self, call: CallId, wait: &Wait) {
        self.out.fact(Fact::RingReached { call, queue: wait.queue.clone(), ring: wait.ring, needed: wait.needs.clone() });
    }

    fn await_ring(&mut self, call: CallId, wait: &Wait, rules: &QueueSettings) {
        match rules.next_ring_ms(self.now.ms_since(wait.since)) {
            Some(after_ms) => self.deadlines.set(Reason::Ring(call), wait.since.plus_ms(after_ms)),
            None => self.deadlines.cancel(&Reason::Ring(call)),
        }
    }

    /// After the longest wait that the queue allows the caller goes elsewhere, once.
    fn await_overflow(&mut self, call: CallId, wait: &Wait, rules: &QueueSettings) {
        let once = self.calls.get(&call).is_some_and(|known| !known.overflowed);
        if rules.max_wait_ms > 0 && once {
            self.deadlines.set(Reason::MaxWait(call), wait.since.plus_ms(rules.max_wait_ms));
        } else {
            self.deadlines.cancel(&Reason::MaxWait(call));
        }
    }

    /// Callers who wait do so by the rules that are in force.
    pub(super) fn match_waits_to_settings(&mut self) {
        let waiting: Vec<CallId> = self.calls.keys().copied().filter(|call| self.wait_of(*call).is_some()).collect();
        for call in waiting {
            self.match_ring(call);
            if matches!(self.stage(call), Some(Stage::Waiting(_) | Stage::Offered(_))) && !self.is_callback(call) {
                self.match_deadlines(call);
                self.overflow_if_overdue(call);
            }
        }
    }

    fn match_deadlines(&mut self, call: CallId) {
        let Some(wait) = self.wait_of(call).cloned() else { return };
        let Some(rules) = self.queue_settings(&wait.queue).cloned() else { return };
        self.await_overflow(call, &wait, &rules);
        if rules.announce_every_ms > 0 {
            self.deadlines.set_first(Reason::Announce(call), self.now.plus_ms(FIRST_ANNOUNCEMENT_MS));
        } else {
            self.deadlines.cancel(&Reason::Announce(call));
        }
    }

    /// What is needed for a caller follows the wait and the queue's rules; also while an offer rings, for what comes after it.
    pub(super) fn match_ring(&mut self, call: CallId) {
        let Some(before) = self.wait_of(call).cloned() else { return };
        let Some(rules) = self.queue_settings(&before.queue).cloned() else { return };
        let (ring, needs) = rules.needs(before.language, self.now.ms_since(before.since));
        let wait = Wait { ring, needs, ..before.clone() };
        self.await_ring(call, &wait, &rules);
        if wait != before {
            self.tell_ring(call, &wait);
            self.change_wait(call, &before, wait);
        }
    }

    /// The caller goes on waiting otherwise: in the same queue, in the line and at the place that the new wait says.
    pub(super) fn change_wait(&mut self, call: CallId, before: &Wait, after: Wait) {
        self.waiting.change(call, before, &after);
        let Some(known) = self.calls.get_mut(&call) else { return };
        match &mut known.stage {
            Stage::Waiting(wait) => *wait = after,
            Stage::Offered(ringing) => ringing.wait = after,
            Stage::Walking(_) => known.kept = Some(after),
            Stage::CallingOut(out) => out.back = Some(after),
            Stage::Arriving | Stage::Dialling(_) | Stage::Talking(_) | Stage::Transferring(_) | Stage::Internal(_) => {}
        }
    }

    /// Sends the caller to the step for a queue that cannot take them; false where the plan has none.
    fn overflow(&mut self, call: CallId) -> bool {
        let Some(step) = self.overflow_step(call) else { return false };
        if let Some(known) = self.calls.get_mut(&call) {
            known.overflowed = true;
        }
        self.enter_step(call, &step, false);
        true
    }

    /// Sends a caller who has waited as long as the queue allows elsewhere; while an offer rings the question is put off to its end.
    pub(super) fn overflow_if_overdue(&mut self, call: CallId) {
        let Some(Stage::Waiting(wait)) = self.stage(call).filter(|_| !self.is_callback(call)) else { return };
        let longest = self.queue_settings(&wait.queue).map_or(0, |rules| rules.max_wait_ms);
        let overdue = longest > 0 && self.now.ms_since(wait.since) >= longest;
        let once = self.calls.get(&call).is_some_and(|known| !known.overflowed);
        if overdue
            && once
            && let Some(step) = self.overflow_step(call)
        {
            if self.asks_for_callback(call, &step) {
                self.keep_place(call);
            } else {
                self.leave_queue(call, QueueEnd::Overflowed);
            }
            self.overflow(call);
        }
    }

    /// Takes the caller out of the queue, with the fact; the stage is the caller's to set next.
    pub(super) fn leave_queue(&mut self, call: CallId, how: QueueEnd) {
        let Some(wait) = self.wait_of(call).cloned() else { return };
        self.waiting.leave(call, &wait);
        // Who is called back was not asked for patience.
        if !self.is_callback(call) {
            self.pace.left(&wait.queue, how, self.now.ms_since(wait.since));
        }
        if let Some(known) = self.calls.get_mut(&call) {
            known.kept = None;
        }
        self.deadlines.cancel(&Reason::Announce(call));
        self.deadlines.cancel(&Reason::MaxWait(call));
        self.deadlines.cancel(&Reason::Ring(call));
        let queue = wait.queue.clone();
        self.out.fact(Fact::Dequeued { call, queue, how, waited_ms: self.now.ms_since(wait.since) });
        self.close_if_drained(&wait.queue);
    }

    /// Tells the caller the place and, where it can be said, the minutes.
    pub(super) fn announce_place(&mut self, call: CallId) {
        let Some(wait) = self.wait_of(call).cloned() else { return };
        let every = self.queue_settings(&wait.queue).map_or(0, |rules| rules.announce_every_ms);
        if every > 0 {
            self.deadlines.set(Reason::Announce(call), self.now.plus_ms(every));
        }
        if !matches!(self.stage(call), Some(Stage::Waiting(_))) {
            return;
        }
        let place = self.place(call, &wait);
        let minutes = self.minutes_left(call, &wait);
        let mut sounds = vec![Sound::Position { n: place, language: wait.language }];
        if self.note_place(call, &wait, place) {
            sounds.insert(0, Sound::Prompt { id: PromptId::from(PUT_BEHIND), language: wait.language });
        }
        sounds.extend(minutes.map(|n| Sound::Minutes { n, language: wait.language }));
        if self.offers_callback(call, &wait) {
            sounds.push(Sound::Prompt { id: PromptId::from(super::asking::OFFER), language: wait.language });
        }
        if let Some(id) = self.queue_settings(&wait.queue).filter(|rules| rules.over_music).map(|rules| rules.music.clone()) {
            sounds.insert(0, Sound::Bed { id });
        }
        self.play(call, sounds, Ending::Report);
        self.out.fact(Fact::PlaceTold { call, queue: wait.queue, place, minutes });
    }

    /// A place is about to be told. Whether others have been put before the caller since the last time, which must be told first.
    pub(super) fn note_place(&mut self, call: CallId, wait: &Wait, place: u32) -> bool {
        let Some(known) = self.calls.get_mut(&call) else { return false };
        let before = known.place_told.replace((wait.queue.clone(), place)).filter(|(queue, _)| *queue == wait.queue);
        let Some((queue, from)) = before.filter(|(_, before)| place > *before) else { return false };
        self.out.fact(Fact::PutBehind { call, queue, from, to: place });
        true
    }

    /// The announcement is over: music again.
    pub(super) fn announcement_played(&mut self, call: CallId) {
        let music = self.wait_of(call).and_then(|wait| self.queue_settings(&wait.queue)).map(|rules| rules.music.clone());
        if let Some(music) = music {
            self.play_music(call, music);
        }
    }

    fn play_music(&mut self, call: CallId, music: PromptId) {
        self.play(call, vec![Sound::Music { id: music }], Ending::Repeat);
    }

    /// The rules of a queue; one that the settings dropped keeps its own until its callers are gone.
    pub(super) fn queue_settings(&self, queue: &QueueId) -> Option<&QueueSettings> {
        self.settings.queues.get(queue).or_else(|| self.closing.queues.get(queue))
    }
}
