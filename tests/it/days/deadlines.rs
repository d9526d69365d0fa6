//! Is whatever the core waits for still going on?

use cityline::centre::deadline::Reason;
use cityline::centre::fact::AgentStatus;
use cityline::centre::ids::CallId;

use super::calls::Call;
use super::colleagues::Between;
use super::model::Model;
use super::staff::is_cool_off;

impl Model {
    /// What the core waits for next is something that is still going on.
    pub fn check_deadline(&mut self, reason: &Reason) {
        let call = |call: &CallId| self.calls.get(call);
        let alive = match reason {
            Reason::LookUp(id) | Reason::Key(id) => {
                call(id).is_some_and(|known| known.wait.is_none() || matches!(reason, Reason::LookUp(_)))
            }
            Reason::Announce(id) | Reason::MaxWait(id) | Reason::Ring(id) => call(id).is_some_and(|known| known.wait.is_some()),
            // On these days nobody is called back; on those of `callbacks` they are.
            Reason::CallBack(_) => false,
            Reason::OfferEnds(id) => call(id).is_some_and(|known| known.offer.is_some()),
            Reason::DialEnds(id) => call(id).is_some_and(|known| known.wait.is_none() && known.talk.is_none()),
            Reason::NoSound(id) => self.between.contains_key(id) || call(id).is_some_and(|known| known.silent_until.is_some()),
            Reason::WrapUp(agent) => self.staff.status(agent) == AgentStatus::WrapUp,
            Reason::Rest(agent) => self.staff.status(agent) == AgentStatus::NotResponding,
            Reason::Recovery | Reason::DesksReturn => true,
            Reason::ShiftChanges => !self.settings.shifts.is_empty() || !self.orders.is_empty(),
            Reason::OrdersEnd => !self.able.is_empty() || self.modes.values().any(|(_, until)| until.is_some()),
            Reason::Calm(queue) => self.rules(queue).surge.is_some(),
            Reason::CallingEnds(id) => self.between.get(id).is_some_and(Between::rings) || call(id).is_some_and(Call::is_calling),
            Reason::MediaReturns(agent) => self.staff.page(agent).is_none(),
            Reason::CoolOff(agent) => is_cool_off(&self.staff.status(agent)),
            Reason::AbuseSaid(id) => call(id).is_some_and(Call::is_told_of_abuse),
            Reason::RecordingPaused(id) => call(id).and_then(|known| known.talk.as_ref()).is_some_and(|talk| talk.paused),
            Reason::AutoAnswer(id) => call(id).is_some_and(|known| known.offer.is_some()),
            Reason::SupervisorRings(agent) => matches!(self.staff.status(agent), AgentStatus::Supervising(_)),
        };
        self.check(alive, || format!("a deadline is left: {reason:?}"));
    }
}
