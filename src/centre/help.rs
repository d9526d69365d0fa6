//! Who wants a supervisor to come? An operator asks for help in a talk until one takes part in it, it is over, or the operator says so.

use serde::{Deserialize, Serialize};

use super::Centre;
use super::agent::State;
use super::fact::{Fact, HelpEnd};
use super::ids::{AgentId, CallId};
use super::output::Refusal;
use super::time::Time;

/// An operator's wish for help.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Help {
    /// In which talk.
    pub call: CallId,
    /// Since when.
    pub since: Time,
}

impl Centre {
    /// The operator asks for help in their talk; asking again changes nothing.
    pub(super) fn ask_help(&mut self, agent: &AgentId, call: CallId) -> Result<(), Refusal> {
        self.own_talk(agent, call)?;
        let since = self.now;
        if let Some(known) = self.agents.get_mut(agent).filter(|known| known.help.is_none()) {
            known.help = Some(Help { call, since });
            self.out.fact(Fact::HelpAsked { call, agent: agent.clone() });
        }
        Ok(())
    }

    /// The operator needs no help any more.
    pub(super) fn help_done(&mut self, agent: &AgentId) -> Result<(), Refusal> {
        self.agents.get(agent).and_then(|known| known.help).ok_or(Refusal::NotNow)?;
        self.help_ends(agent, HelpEnd::Done);
        Ok(())
    }

    /// A supervisor takes part in this talk.
    pub(super) fn help_has_come(&mut self, call: CallId) {
        let asked = self.agents.iter().filter(|(_, known)| known.help.is_some_and(|help| help.call == call));
        let asked: Vec<AgentId> = asked.map(|(agent, _)| agent.clone()).collect();
        asked.iter().for_each(|agent| self.help_ends(agent, HelpEnd::Came));
    }

    /// The operator's state has changed: who does not talk in that call any more needs no help in it.
    pub(super) fn help_follows_state(&mut self, agent: &AgentId) {
        let Some(known) = self.agents.get(agent) else { return };
        if known.help.is_some_and(|help| known.state != State::Talking { call: help.call }) {
            self.help_ends(agent, HelpEnd::TalkOver);
        }
    }

    fn help_ends(&mut self, agent: &AgentId, how: HelpEnd) {
        if let Some(help) = self.agents.get_mut(agent).and_then(|known| known.help.take()) {
            self.out.fact(Fact::HelpOver { call: help.call, agent: agent.clone(), how });
        }
    }
}
