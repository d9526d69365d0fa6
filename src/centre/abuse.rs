//! What if a caller is abusive? They are warned, or hear a last word and are let go; their number is marked, and the operator may rest.

use super::Centre;
use super::agent::Wish;
use super::call::Stage;
use super::deadline::Reason;
use super::fact::{EndReason, Fact};
use super::ids::{AgentId, CallId, LegId, PromptId, StepId};
use super::ivr::{Phase, Walk};
use super::output::{Ending, Refusal, Sound, ToMedia};

/// What is said of abuse is taken for over after this many milliseconds, should nobody report its end.
const SAID_MS: u64 = 20_000;

/// A number is marked for so many days at most.
const MOST_DAYS: u8 = 90;

/// What a resident is told who is warned.
pub const WARNING: &str = "abuse-warning";
/// What they are told when the call ends for it.
pub const LAST_WORD: &str = "abuse-ended";

impl Centre {
    /// The resident hears the warning in place of the operator, who hears the resident meanwhile.
    pub(super) fn warn(&mut self, agent: &AgentId, call: CallId) -> Result<(), Refusal> {
        let talk = self.own_talk(agent, call)?;
        let hears_music = self.calls.get(&call).is_some_and(|known| known.hold_music.contains(&0));
        if talk.resident_waits() || talk.warned || hears_music || self.holds_by_phone(LegId::caller(call)) {
            return Err(Refusal::NotNow);
        }
        self.out.fact(Fact::Warned { call, agent: agent.clone() });
        self.rearrange(call, |talk| talk.warned = true);
        self.say_of_abuse(call, WARNING);
        Ok(())
    }

    /// The call is over for its operator at once, and for the resident after a last word.
    pub(super) fn end_abuse(&mut self, agent: &AgentId, call: CallId, days: u8) -> Result<(), Refusal> {
        let talk = self.own_talk(agent, call)?.clone();
        if talk.third.is_some() {
            return Err(Refusal::NotNow);
        }
        let caller = self.calls.get(&call).map(|known| known.caller).ok_or(Refusal::NotNow)?;
        self.out.fact(Fact::CallerMarked { call, caller, agent: agent.clone(), days: days.clamp(1, MOST_DAYS) });
        self.end_supervisions(call);
        if let Some(known) = self.agents.get_mut(agent) {
            known.wish.get_or_insert(Wish::CoolOff);
        }
        self.give_up_place(call, &talk, EndReason::OperatorHungUp);
        self.deadlines.cancel(&Reason::NoSound(call));
        if let Some(known) = self.calls.get_mut(&call) {
            known.hold_music.remove(&0);
        }
        self.out.media(ToMedia::Connect { call, hears: Vec::new() });
        self.walk(call, &StepId::from(LAST_WORD), Phase::Dismissed);
        self.say_of_abuse(call, LAST_WORD);
        Ok(())
    }

    fn say_of_abuse(&mut self, call: CallId, id: &str) {
        let sound = Sound::Prompt { id: PromptId::from(id), language: self.language_of(call) };
        self.play(call, vec![sound], Ending::Report);
        self.deadlines.set(Reason::AbuseSaid(call), self.now.plus_ms(SAID_MS));
    }

    /// What was said of abuse has been heard, or should have been.
    pub(super) fn abuse_said(&mut self, call: CallId) {
        if self.talk(call).is_some_and(|talk| talk.warned) {
            self.out.media(ToMedia::StopPlay { leg: LegId::caller(call) });
            self.rearrange(call, |talk| talk.warned = false);
            self.warning_over(call);
        } else if matches!(self.stage(call), Some(Stage::Walking(Walk { phase: Phase::Dismissed, .. }))) {
            self.end_call(call, EndReason::Abuse);
        }
    }

    /// Whatever plays to the resident from here on, it is no warning.
    pub(super) fn forget_warning(&mut self, call: CallId) {
        if let Some(talk) = self.talk_mut(call).filter(|talk| talk.warned) {
            talk.warned = false;
            self.warning_over(call);
        }
    }

    fn warning_over(&mut self, call: CallId) {
        self.deadlines.cancel(&Reason::AbuseSaid(call));
        self.out.fact(Fact::WarningOver { call });
    }
}
