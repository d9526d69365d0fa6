//! Is whoever comes to a queue let in, turned away or led around it as they should be?

use cityline::centre::dialplan::Action;
use cityline::centre::ids::{CallId, Language, QueueId, SkillId, StepId};

use super::calls::Wait;
use super::model::Model;

impl Model {
    pub fn enqueued(&mut self, call: CallId, queue: &QueueId, language: Language, skills: &[SkillId]) {
        let (now, rules) = (self.now, self.rules(queue));
        let full = self.length(queue) >= rules.max_waiting as usize;
        let Some(known) = self.calls.get_mut(&call) else { return };
        let had_place = known.waited.as_ref().is_some_and(|(before, _)| before == queue);
        let by_step = known.at_queue.take().is_some();
        let turned_away = known.at_the_door.take().is_some_and(|_| full && !known.overflowed && !had_place);
        let fresh = known.wait.is_none() && known.talk.is_none();
        let chosen = known.language.is_none_or(|chosen| chosen == language);
        let since = known.waited.as_ref().filter(|(before, _)| before == queue).map_or(now, |(_, since)| *since);
        known.waited = Some((queue.clone(), since));
        let counts_since = *known.waits_since.get_or_insert(since);
        let wait = Wait { counts_since, ..Wait::begun(queue, since, now, language, &rules) };
        let needs: Vec<SkillId> = wait.needs.keys().cloned().collect();
        known.wait = Some(wait);
        self.check(skills == needs, || format!("{call} needs {needs:?}, not {skills:?}"));
        self.check(fresh && chosen, || format!("{call} is queued twice, or in another language"));
        self.check(!turned_away, || format!("{call} was let into {queue}, which is full"));
        self.came_in(call, queue, had_place, by_step);
    }

    /// A step that follows on a queue's step at once: the queue was full.
    pub fn step_entered(&mut self, call: CallId, step: &StepId) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        let door = known.at_the_door.take();
        let came_by = known.at_queue.take();
        let around = door.as_ref().is_some_and(|queue| self.leads_around(queue, came_by.as_ref()));
        let Some(known) = self.calls.get_mut(&call) else { return };
        let again = door.is_some() && !around && std::mem::replace(&mut known.overflowed, true);
        if let Some(Action::Queue { .. }) =
            self.plan.as_ref().and_then(|plan| plan.steps.get(step).or(plan.steps.get(&plan.start))).map(|step| &step.action)
        {
            known.at_queue = Some(step.clone());
            known.queue_step = Some(step.clone());
        }
        known.at_the_door = self.plan.as_ref().and_then(|plan| plan.steps.get(step)).and_then(|step| match &step.action {
            Action::Queue { queue, overflow: Some(_), .. } => Some(queue.clone()),
            _ => None,
        });
        let full = around || door.as_ref().is_none_or(|queue| self.length(queue) >= self.rules(queue).max_waiting as usize);
        let had_place =
            door.is_some() && self.calls.get(&call).is_some_and(|known| known.waited.as_ref().map(|(queue, _)| queue) == door.as_ref());
        self.check(full && !again && !had_place, || format!("{call} was turned away at {door:?}, again: {again}"));
    }

    pub fn has_short_way(&self, step: &StepId) -> bool {
        self.plan.as_ref().is_some_and(|plan| plan.surge.contains_key(step))
    }

    pub fn length(&self, queue: &QueueId) -> usize {
        self.calls.values().filter_map(|known| known.wait.as_ref()).filter(|wait| wait.queue == *queue).count()
    }

    /// Whether the plan has a way for a caller who has waited for too long.
    pub fn has_overflow(&self, call: CallId) -> bool {
        let step = self.calls.get(&call).and_then(|known| known.queue_step.as_ref());
        matches!(step.and_then(|step| self.step_of_plan(step)), Some(Action::Queue { overflow: Some(_), .. }))
    }
}
