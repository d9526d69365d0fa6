//! How long may an operator write things down, or rest after a caller who was abusive? The end is told, and wrap-up can be extended once.

use super::Centre;
use super::agent::State;
use super::deadline::Reason;
use super::fact::Fact;
use super::ids::{AgentId, PauseReason};
use super::output::Refusal;

/// The reason of the pause after a caller who was abusive; it ends by itself.
pub const COOL_OFF: &str = "cool_off";

impl Centre {
    /// More time to write things down, once.
    pub(super) fn extend_wrap_up(&mut self, agent: &AgentId) -> Result<(), Refusal> {
        let reason = Reason::WrapUp(agent.clone());
        let until = self.deadlines.at(&reason).ok_or(Refusal::NotNow)?;
        let writes = |known: &&mut super::agent::Agent| known.state == State::WrapUp && !known.extended;
        self.agents.get_mut(agent).filter(writes).ok_or(Refusal::NotNow)?.extended = true;
        self.deadlines.set(reason, until.plus_ms(self.settings.limits.extend_wrap_up_ms));
        self.tell_end_of_state(agent);
        Ok(())
    }

    /// The pause after a caller who was abusive begins.
    pub(super) fn cool_off(&mut self, agent: &AgentId) {
        let cool_off_ms = self.settings.limits.cool_off_ms;
        self.deadlines.set(Reason::CoolOff(agent.clone()), self.now.plus_ms(cool_off_ms));
        self.tell_end_of_state(agent);
    }

    /// Tells until when the operator writes things down or rests, where that ends by itself.
    pub(super) fn tell_end_of_state(&mut self, agent: &AgentId) {
        let Some(known) = self.agents.get(agent) else { return };
        let (ends, extendable) = match &known.state {
            State::WrapUp => (Reason::WrapUp(agent.clone()), !known.extended),
            State::Paused { reason } if is_cool_off(reason) => (Reason::CoolOff(agent.clone()), false),
            State::Offline
            | State::Ready
            | State::Offered { .. }
            | State::Talking { .. }
            | State::Paused { .. }
            | State::NotResponding
            | State::Supervising { .. }
            | State::Internal { .. } => return,
        };
        if let Some(until) = self.deadlines.at(&ends) {
            self.out.fact(Fact::StateEnds { agent: agent.clone(), until_ms: until.0, extendable });
        }
    }
}

pub(super) fn is_cool_off(reason: &PauseReason) -> bool {
    reason.as_str() == COOL_OFF
}
