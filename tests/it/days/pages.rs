//! What becomes of talks with pages that come and go? The model's own account.

use cityline::centre::ids::{AgentId, CallId, LegId, QueueId};
use cityline::centre::input::{FromDesk, Input};
use cityline::centre::settings::Device;

use super::calls::{Call, Talk};
use super::model::{Model, Step};

impl Model {
    /// An operator calls a resident from a page that has lost its sound, and nobody talks yet. Who is in the settings no more has no page.
    pub fn calls_from_a_lost_page(&self, known: &Call) -> bool {
        let at_page = |agent| self.settings.agents.get(agent).is_none_or(|known| known.device == Device::Browser);
        known.out.as_ref().is_some_and(|(agent, _)| at_page(agent) && self.staff.page(agent).is_none())
    }

    /// Who talks with a page that has lost its sound is as if on hold there.
    pub fn note_page(&mut self, input: &Input) {
        match input {
            Input::Desk(FromDesk::DeskMediaUp { agent, .. }) if self.settings.agents.contains_key(agent) => {
                let found: Vec<LegId> = self.legs.pages(agent).into_iter().filter(|leg| !self.legs.is_lost_page(*leg)).collect();
                self.rooms.pages_hold(found, false);
            }
            Input::Desk(FromDesk::DeskMediaDown { agent, generation }) if self.staff.page(agent) == Some(*generation) => {
                self.rooms.pages_hold(self.legs.pages(agent), true);
            }
            _ => {}
        }
    }

    /// The resident goes back to the queue with the age of the call.
    pub fn page_lost(&mut self, call: CallId, agent: &AgentId, queue: &QueueId, step: &mut Step) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        let (talk, arrived) = (known.talk.take(), known.arrived);
        let is_theirs = |talk: &Talk| talk.agent.as_ref() == Some(agent) && talk.queue.as_ref() == Some(queue) && talk.third.is_none();
        let theirs = talk.as_ref().is_some_and(is_theirs);
        known.silent_until = None;
        step.ended_talks.extend(talk.map(|talk| (call, talk)));
        self.waits_anew(call);
        self.calls.get_mut(&call).into_iter().for_each(|known| {
            (known.waited, known.waits_since, known.place_told) = (None, Some(arrived), None);
            known.line_lost = true;
        });
        self.check(theirs, || format!("{agent} loses {call}, which is not theirs"));
    }
}
