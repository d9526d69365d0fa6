//! Who waits, in which order, and what are they told? Callers in queues, with places that never change hands.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Centre;
use super::call::Stage;
use super::deadline::Reason;
use super::fact::{EndReason, Fact, QueueEnd};
use super::ids::{AgentId, CallId, Language, LegId, PromptId, QueueId, SkillId};
use super::output::{Ending, Sound};
use super::settings::QueueSettings;
use super::time::Time;

/// The place is told for the first time after this many milliseconds: who is answered at once need not hear it.
const FIRST_ANNOUNCEMENT_MS: u64 = 4_000;
/// A talk is taken to last this long, in milliseconds, until the queue has had one.
const FIRST_HANDLING_MS: u64 = 180_000;
/// A talk moves the mean by 1/8: some twenty talks make it follow a change.
const MEAN_WEIGHT: u64 = 8;

/// One caller's wait. It outlives offers that nobody answers: place and age stay.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Wait {
    /// In which queue.
    pub queue: QueueId,
    /// The clock of the wait: when the caller entered the queue.
    pub since: Time,
    /// What the operator must be able to do, sorted.
    pub needs: BTreeSet<SkillId>,
    /// The caller's language.
    pub language: Language,
}

/// All who wait: in each queue by age, and by what they need, so that routing looks at the heads alone.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Waiting {
    /// Everyone in the queue, those with a ringing offer included: this is the place that is told.
    places: BTreeMap<QueueId, BTreeSet<(Time, CallId)>>,
    /// Those without an offer, by what they need. A list, because a set cannot be a key in JSON.
    #[serde(with = "as_list")]
    lines: BTreeMap<BTreeSet<SkillId>, BTreeSet<(Time, CallId)>>,
    /// How long a talk lasts, wrap-up included, in milliseconds.
    handling_ms: BTreeMap<QueueId, u64>,
}

impl Waiting {
    /// A caller takes their place: by age, then by number, so that the order is total.
    pub fn enter(&mut self, call: CallId, wait: &Wait) {
        self.places.entry(wait.queue.clone()).or_default().insert((wait.since, call));
        self.seek(call, wait);
    }

    /// The caller may be offered (again).
    pub fn seek(&mut self, call: CallId, wait: &Wait) {
        self.lines.entry(wait.needs.clone()).or_default().insert((wait.since, call));
    }

    /// The caller is being offered: the place stays, nobody else gets the call.
    pub fn offered(&mut self, call: CallId, wait: &Wait) {
        if let Some(line) = self.lines.get_mut(&wait.needs) {
            line.remove(&(wait.since, call));
            if line.is_empty() {
                self.lines.remove(&wait.needs);
            }
        }
    }

    /// The caller leaves the queue.
    pub fn leave(&mut self, call: CallId, wait: &Wait) {
        self.offered(call, wait);
        if let Some(places) = self.places.get_mut(&wait.queue) {
            places.remove(&(wait.since, call));
            if places.is_empty() {
                self.places.remove(&wait.queue);
            }
        }
    }

    /// How many are in the queue.
    pub fn length(&self, queue: &QueueId) -> usize {
        self.places.get(queue).map_or(0, BTreeSet::len)
    }

    /// The caller's place, 1 for the next.
    pub fn place(&self, call: CallId, wait: &Wait) -> u32 {
        let before = self.places.get(&wait.queue).map_or(0, |places| places.range(..(wait.since, call)).count());
        u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// Whether anybody waits without an offer.
    pub fn is_anyone_seeking(&self) -> bool {
        !self.lines.is_empty()
    }

    /// The one who has waited longest of each kind of need.
    pub fn heads(&self) -> impl Iterator<Item = (&BTreeSet<SkillId>, (Time, CallId))> {
        self.lines.iter().filter_map(|(needs, line)| line.first().map(|head| (needs, *head)))
    }

    /// A talk of this queue took so long, wrap-up included.
    pub fn handled(&mut self, queue: &QueueId, ms: u64) {
        let mean = self.handling_ms(queue);
        self.handling_ms.insert(queue.clone(), (mean * (MEAN_WEIGHT - 1) + ms) / MEAN_WEIGHT);
    }

    fn handling_ms(&self, queue: &QueueId) -> u64 {
        self.handling_ms.get(queue).copied().unwrap_or(FIRST_HANDLING_MS)
    }

    /// Whole minutes until the caller at `place` is likely answered by `operators` at work, at least 1; `None` without operators.
    pub fn minutes(&self, queue: &QueueId, place: u32, operators: usize) -> Option<u32> {
        let operators = u64::try_from(operators).ok().filter(|count| *count > 0)?;
        let ms = u64::from(place) * self.handling_ms(queue) / operators;
        Some(u32::try_from(ms.div_ceil(60_000)).unwrap_or(u32::MAX).max(1))
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
        let full = self.waiting.length(queue) >= usize::try_from(rules.max_waiting).unwrap_or(usize::MAX);
        if full && !overflowed && self.overflow(call) {
            return;
        }
        let Some(wait) = self.new_wait(call, queue, &rules) else { return };
        self.out.fact(Fact::Enqueued { call, queue: queue.clone(), language: wait.language, skills: wait.needs.iter().cloned().collect() });
        self.waiting.enter(call, &wait);
        if self.is_unknown(LegId::caller(call)) {
            self.waiting.offered(call, &wait);
        }
        if rules.announce_every_ms > 0 {
            self.deadlines.set(Reason::Announce(call), self.now.plus_ms(FIRST_ANNOUNCEMENT_MS));
        }
        if rules.max_wait_ms > 0 && !overflowed {
            self.deadlines.set(Reason::MaxWait(call), wait.since.plus_ms(rules.max_wait_ms));
        }
        self.set_stage(call, Stage::Waiting(wait));
        self.play_music(call, rules.music);
    }

    /// The wait of a caller who comes back to the same queue goes on where it was.
    fn new_wait(&mut self, call: CallId, queue: &QueueId, rules: &QueueSettings) -> Option<Wait> {
        let language = self.language_of(call);
        let now = self.now;
        let known = self.calls.get_mut(&call)?;
        let since = match &known.waited {
            Some((before, since)) if before == queue => *since,
            _ => now,
        };
        known.waited = Some((queue.clone(), since));
        Some(Wait { queue: queue.clone(), since, needs: rules.needs(language), language })
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
        let Some(Stage::Waiting(wait)) = self.stage(call) else { return };
        let longest = self.queue_settings(&wait.queue).map_or(0, |rules| rules.max_wait_ms);
        let overdue = longest > 0 && self.now.ms_since(wait.since) >= longest;
        let once = self.calls.get(&call).is_some_and(|known| !known.overflowed);
        if overdue && once && self.overflow_step(call).is_some() {
            self.leave_queue(call, QueueEnd::Overflowed);
            self.overflow(call);
        }
    }

    /// Takes the caller out of the queue, with the fact; the stage is the caller's to set next.
    pub(super) fn leave_queue(&mut self, call: CallId, how: QueueEnd) {
        let Some(wait) = self.wait_of(call).cloned() else { return };
        self.waiting.leave(call, &wait);
        self.deadlines.cancel(&Reason::Announce(call));
        self.deadlines.cancel(&Reason::MaxWait(call));
        self.out.fact(Fact::Dequeued { call, queue: wait.queue, how, waited_ms: self.now.ms_since(wait.since) });
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
        let place = self.waiting.place(call, &wait);
        let minutes = self.waiting.minutes(&wait.queue, place, self.at_work(&wait.needs));
        let mut sounds = vec![Sound::Position { n: place, language: wait.language }];
        sounds.extend(minutes.map(|n| Sound::Minutes { n, language: wait.language }));
        self.play(call, sounds, Ending::Report);
        self.out.fact(Fact::PlaceTold { call, queue: wait.queue, place, minutes });
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

    /// Operators who are signed in and can do this.
    fn at_work(&self, needs: &BTreeSet<SkillId>) -> usize {
        let can = |agent: &AgentId| self.settings.agents.get(agent).is_some_and(|known| needs.is_subset(&known.skills));
        self.agents.iter().filter(|(id, agent)| agent.is_at_work() && can(id)).count()
    }

    /// The rules of a queue; one that the settings dropped keeps its own until its callers are gone.
    pub(super) fn queue_settings(&self, queue: &QueueId) -> Option<&QueueSettings> {
        self.settings.queues.get(queue).or_else(|| self.closing.queues.get(queue))
    }
}

mod as_list {
    use super::{BTreeMap, BTreeSet, CallId, SkillId, Time};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    type Lines = BTreeMap<BTreeSet<SkillId>, BTreeSet<(Time, CallId)>>;

    pub fn serialize<S: Serializer>(lines: &Lines, out: S) -> Result<S::Ok, S::Error> {
        lines.iter().collect::<Vec<_>>().serialize(out)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Lines, D::Error> {
        Ok(Vec::deserialize(input)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expected_wait_follows_the_last_talks() {
        let (queue, mut waiting) = (QueueId::from("heating"), Waiting::default());
        assert_eq!(waiting.minutes(&queue, 4, 2), Some(6), "nobody has talked yet: three minutes a talk");
        waiting.handled(&queue, 1_140_000);
        assert_eq!(waiting.handling_ms(&queue), 300_000, "an eighth of the way from 3 minutes to 19");
        assert_eq!(waiting.minutes(&queue, 4, 2), Some(10));
        assert_eq!(waiting.minutes(&queue, 1, 60), Some(1), "never none");
        assert_eq!(waiting.minutes(&queue, 1, 0), None, "without operators nobody knows");
        assert_eq!(waiting.handling_ms(&QueueId::from("lifts")), 180_000, "another queue has talks of its own");
    }
}
