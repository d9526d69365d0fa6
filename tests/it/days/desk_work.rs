//! What do operators do beside the talk itself? The model's own account of help, warnings, abuse, pauses of the recording and timed states.

use cityline::centre::fact::{AgentStatus, Fact, HelpEnd};
use cityline::centre::ids::{AgentId, CallId};
use cityline::centre::input::{FromDesk, Input};

use super::calls::{Talk, Third};
use super::model::{Model, Step};

impl Model {
    pub fn desk_work(&mut self, fact: &Fact, input: &Input, step: &mut Step) {
        match fact {
            Fact::StateEnds { agent, until_ms, extendable } => {
                let extended = matches!(input, Input::Desk(FromDesk::ExtendWrapUp { agent: own }) if own == agent);
                let fault = self.staff.state_ends(agent, *until_ms, *extendable, extended, &self.settings);
                self.faults.extend(fault);
            }
            Fact::HelpAsked { call, agent } => {
                let first = self.staff.asks_help(agent, *call);
                let talks = self.leads(*call, agent);
                self.check(first && talks, || format!("{agent} asks for help in {call}"));
            }
            Fact::HelpOver { call, agent, how } => self.help_over(*call, agent, *how, input),
            Fact::Warned { call, agent } => {
                let may = self.leads(*call, agent);
                let Some(talk) = self.talk_of(*call) else { return self.check(false, || format!("{call} is warned")) };
                let waits = talk.hold || matches!(talk.third, Some(Third::Rings(_) | Third::Consulted(..)));
                let again = std::mem::replace(&mut talk.warned, true);
                self.check(may && !waits && !again, || format!("{agent} warns in {call}, again: {again}, waits: {waits}"));
            }
            Fact::WarningOver { call } => {
                // A transfer is told before the supervisors leave the talk, which may end the warning.
                let talk = self.calls.get_mut(call).and_then(|known| known.talk.as_mut()).or_else(|| step.ended_talks.get_mut(call));
                let warned = talk.is_some_and(|talk| std::mem::take(&mut talk.warned));
                self.check(warned, || format!("no warning is over in {call}"));
            }
            Fact::CallerMarked { call, caller, agent, days } => {
                let theirs = self.leads(*call, agent) && (1..=90).contains(days);
                let Some(known) = self.calls.get_mut(call) else { return };
                let right = known.caller == *caller && known.talk.as_ref().is_some_and(|talk| talk.third.is_none());
                (known.dismissed, known.silent_until) = (true, None);
                step.ended_talks.extend(known.talk.take().map(|talk| (*call, talk)));
                self.staff.will_cool_off(agent);
                self.check(theirs && right, || format!("{agent} ends {call} for abuse"));
            }
            Fact::RecordingPaused { recording, paused, .. } => {
                let before = self.talk_of(recording.call).map(|talk| std::mem::replace(&mut talk.paused, *paused));
                self.check(before == Some(!paused), || format!("{recording:?} is paused: {paused}, was {before:?}"));
            }
            _ => {}
        }
    }

    fn help_over(&mut self, call: CallId, agent: &AgentId, how: HelpEnd, input: &Input) {
        let asked = self.staff.help_over(agent) == Some(call);
        let caused = match how {
            HelpEnd::Done => matches!(input, Input::Desk(FromDesk::HelpDone { agent: own }) if own == agent),
            HelpEnd::Came => true,
            HelpEnd::TalkOver => self.staff.status(agent) != AgentStatus::Talking(call),
        };
        self.check(asked && caused, || format!("{agent} needs no help in {call}: {how:?}"));
    }

    fn leads(&self, call: CallId, agent: &AgentId) -> bool {
        let talk = self.calls.get(&call).and_then(|known| known.talk.as_ref());
        talk.is_some_and(|talk| talk.agent.as_ref() == Some(agent))
    }

    fn talk_of(&mut self, call: CallId) -> Option<&mut Talk> {
        self.calls.get_mut(&call)?.talk.as_mut()
    }
}
