//! Does the caller want to be called back, and at which number? The plan's callback step, from the question to the promise.

use super::Centre;
use super::call::Stage;
use super::deadline::Reason;
use super::dialplan::{Action, Spoken};
use super::fact::{CallbackRefusal, EndReason, Fact};
use super::ids::{CallId, CallerRef, LegId, PlayId, PromptId, StepId};
use super::input::{Digit, Keyed};
use super::ivr::{Phase, Walk};
use super::output::{Ending, KeyingOrder, Output, Sound, ToMedia};
use super::queue::Wait;

/// The key that asks for a callback, while waiting and in the step.
pub const CALLBACK_KEY: char = '1';
/// The key that asks for another number.
const ANOTHER: char = '2';
/// The key with which the caller goes on waiting.
const WAIT_ON: char = '*';
/// How long a caller may take to begin with a number, in milliseconds.
const BEGINS_MS: u64 = 15_000;
/// The shell must say within this, in milliseconds, what a number is that was keyed.
const SHELL_MS: u64 = 1_000;

/// "To be called back without losing your place, press one." Said while waiting.
pub const OFFER: &str = "callback-offer";
/// "Press one to be called at this number, two to key another one, star to go on waiting."
const ASK: &str = "callback-ask";
/// The same of a caller whose number is withheld.
const ASK_NUMBER: &str = "callback-ask-number";
/// "Key the number, then the hash key."
const KEY_NUMBER: &str = "callback-key-number";
/// "This number cannot be called."
const WRONG_NUMBER: &str = "callback-wrong-number";
/// "You have keyed", before the digits.
const YOU_KEYED: &str = "callback-you-keyed";
/// "If that is right, press one; to key it again, two; to go on waiting, star."
const CONFIRM: &str = "callback-confirm";
/// "You will be called in your turn. Goodbye."
const PROMISED: &str = "callback-promised";
/// "You are going to be called at this number already."
const STANDS_ALREADY: &str = "callback-stands-already";
/// "No more callbacks can be taken now."
const FULL: &str = "callback-full";

/// What the step and the announcements say, beside the digits of a number.
pub const PROMPTS: [&str; 10] = [OFFER, ASK, ASK_NUMBER, KEY_NUMBER, WRONG_NUMBER, YOU_KEYED, CONFIRM, PROMISED, STANDS_ALREADY, FULL];

impl Centre {
    /// Where "1" leads somebody who waits.
    pub(super) fn callback_key(&self, call: CallId, digit: Digit) -> Option<StepId> {
        if digit.key() != CALLBACK_KEY {
            return None;
        }
        let step = self.calls.get(&call)?.queue_step.as_ref()?;
        match self.action(call, step)? {
            Action::Queue { callback, .. } => callback.clone(),
            Action::Play { .. }
            | Action::Language { .. }
            | Action::Menu { .. }
            | Action::Hours { .. }
            | Action::Callback { .. }
            | Action::Dial { .. }
            | Action::HangUp { .. } => None,
        }
    }

    /// Whether an announcement offers a callback to somebody who waits.
    pub(super) fn offers_callback(&self, call: CallId, wait: &Wait) -> bool {
        let after_ms = self.queue_settings(&wait.queue).map_or(0, |rules| rules.callback_after_ms);
        let key = Digit::new(CALLBACK_KEY);
        // In a rush it is offered at once.
        let is_due = self.is_surge(&wait.queue) || (after_ms > 0 && self.now.ms_since(wait.since) >= after_ms);
        is_due && key.is_some_and(|key| self.callback_key(call, key).is_some())
    }

    /// Whether this step is one that asks for a callback.
    pub(super) fn asks_for_callback(&self, call: CallId, step: &StepId) -> bool {
        matches!(self.action(call, step), Some(Action::Callback { .. }))
    }

    /// Asks; `tries` times at most.
    pub(super) fn ask_for_callback(&mut self, call: CallId, step: &StepId, tries: u8) {
        let withheld = self.calls.get(&call).is_none_or(|known| known.caller.is_withheld());
        let say = Spoken::Prompt { id: PromptId::from(if withheld { ASK_NUMBER } else { ASK }), language: None };
        self.ask(call, step, &[say], tries);
    }

    /// A key in the callback step; false where it has no meaning of its own there.
    pub(super) fn key_at_callback(&mut self, call: CallId, walk: &Walk, digit: Digit) -> bool {
        let Some(Action::Callback { otherwise, tries, .. }) = self.action(call, &walk.step).cloned() else { return false };
        let own = self.calls.get(&call).map(|known| known.caller).filter(|caller| !caller.is_withheld());
        let to = match walk.phase {
            Phase::Asking { .. } | Phase::Listening { .. } => own,
            Phase::Confirming { to, .. } => Some(to),
            // Its keys are a number, or come too late to mean anything.
            Phase::Keying { .. } | Phase::Finishing { .. } | Phase::Parting | Phase::Refusing => return true,
            Phase::Speaking
            | Phase::LookingUp
            | Phase::Telling
            | Phase::Deciding
            | Phase::Thanking
            | Phase::Dismissed
            | Phase::SentAway => return false,
        };
        let step = walk.step.clone();
        let pressed = Fact::KeyPressed { call, step: step.clone(), key: digit.key() };
        match (digit.key(), to) {
            (CALLBACK_KEY, Some(to)) => {
                self.out.fact(pressed);
                self.promise(call, &step, to);
            }
            (ANOTHER, _) => {
                self.out.fact(pressed);
                self.begin_keying(call, &step, tries, &[KEY_NUMBER]);
            }
            (WAIT_ON, _) => {
                self.out.fact(pressed);
                self.enter_step(call, &otherwise, true);
            }
            _ => return false,
        }
        true
    }

    /// The sounds of the callback step are over.
    pub(super) fn callback_step_played(&mut self, call: CallId, walk: &Walk) {
        let Some(Action::Callback { otherwise, wait_ms, .. }) = self.action(call, &walk.step).cloned() else { return };
        match walk.phase {
            Phase::Refusing => self.enter_step(call, &otherwise, false),
            Phase::Keying { .. } => self.deadlines.set(Reason::Key(call), self.now.plus_ms(BEGINS_MS)),
            _ => self.deadlines.set(Reason::Key(call), self.now.plus_ms(wait_ms)),
        }
    }

    /// Nothing was pressed: what was keyed is the number, the question is asked again, or the plan goes on.
    pub(super) fn no_key_at_callback(&mut self, call: CallId, walk: &Walk) {
        let Some(Action::Callback { otherwise, .. }) = self.action(call, &walk.step).cloned() else {
            self.stop_keying(call);
            return self.enter_step(call, &walk.step, false);
        };
        match walk.phase {
            Phase::Keying { tries } => {
                self.walk(call, &walk.step, Phase::Finishing { tries });
                self.deadlines.set(Reason::Key(call), self.now.plus_ms(SHELL_MS));
                self.out.send(Output::Keying { call, order: KeyingOrder::Finish });
            }
            Phase::Confirming { to, tries: tries @ 1.. } => self.confirm(call, &walk.step, to, tries - 1),
            _ => {
                self.stop_keying(call);
                self.enter_step(call, &otherwise, false);
            }
        }
    }

    fn begin_keying(&mut self, call: CallId, step: &StepId, tries: u8, say: &[&str]) {
        self.deadlines.cancel(&Reason::Key(call));
        self.walk(call, step, Phase::Keying { tries: tries.saturating_sub(1) });
        self.out.send(Output::Keying { call, order: KeyingOrder::Begin });
        let language = self.language_of(call);
        self.play(call, say.iter().map(|id| Sound::Prompt { id: PromptId::from(*id), language }).collect(), Ending::Report);
    }

    /// The caller leaves while the shell keeps their keys.
    pub(super) fn stop_keying(&mut self, call: CallId) {
        if let Some(Stage::Walking(Walk { phase: Phase::Keying { .. } | Phase::Finishing { .. }, .. })) = self.stage(call) {
            self.out.send(Output::Keying { call, order: KeyingOrder::End });
        }
    }

    /// The shell tells of the number that is keyed.
    pub(super) fn keyed(&mut self, call: CallId, keyed: Keyed) {
        let Some(Stage::Walking(walk)) = self.stage(call).cloned() else { return };
        let (Phase::Keying { tries } | Phase::Finishing { tries }) = walk.phase else { return };
        let Some(Action::Callback { otherwise, wait_ms, .. }) = self.action(call, &walk.step).cloned() else { return };
        match keyed {
            Keyed::Key => {
                if matches!(walk.phase, Phase::Keying { .. }) {
                    // The end of what was said, should it be on its way, is none of this step any more.
                    if let Some(known) = self.calls.get_mut(&call) {
                        known.play = PlayId(known.play.0.wrapping_add(1));
                    }
                    self.out.media(ToMedia::StopPlay { leg: LegId::caller(call) });
                    self.deadlines.set(Reason::Key(call), self.now.plus_ms(wait_ms));
                }
            }
            Keyed::Number(to) if !to.is_withheld() => self.confirm(call, &walk.step, to, tries),
            Keyed::Number(_) | Keyed::Refused if tries > 0 => self.begin_keying(call, &walk.step, tries, &[WRONG_NUMBER, KEY_NUMBER]),
            Keyed::Number(_) | Keyed::Refused | Keyed::GivenUp => {
                self.deadlines.cancel(&Reason::Key(call));
                self.enter_step(call, &otherwise, true);
            }
        }
    }

    fn confirm(&mut self, call: CallId, step: &StepId, to: CallerRef, tries: u8) {
        self.deadlines.cancel(&Reason::Key(call));
        self.walk(call, step, Phase::Confirming { to, tries });
        let language = self.language_of(call);
        let prompt = |id: &str| Sound::Prompt { id: PromptId::from(id), language };
        self.play(call, vec![prompt(YOU_KEYED), Sound::Number { number: to, language }, prompt(CONFIRM)], Ending::Report);
    }

    /// The caller wants to be called at this number.
    fn promise(&mut self, call: CallId, step: &StepId, to: CallerRef) {
        self.deadlines.cancel(&Reason::Key(call));
        let Some(Action::Callback { queue, .. }) = self.action(call, step).cloned() else { return };
        if self.queue_settings(&queue).is_none() {
            return self.end_call(call, EndReason::PlanEnded);
        }
        let language = self.language_of(call);
        let (phase, said) = match self.stand(call, &queue, to) {
            Ok(()) => (Phase::Parting, PROMISED),
            Err(why) => {
                self.out.fact(Fact::CallbackRefused { call, queue, why });
                let said = match why {
                    CallbackRefusal::Full => FULL,
                    CallbackRefusal::StandsAlready => STANDS_ALREADY,
                };
                (Phase::Refusing, said)
            }
        };
        self.walk(call, step, phase);
        self.play(call, vec![Sound::Prompt { id: PromptId::from(said), language }], Ending::Report);
    }
}
