//! Which keys are digits of a number? They are taken out on the way to the engine, so that the core and the journal never see them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::centre::ids::{CallId, CallerRef, LegId};
use crate::centre::input::{FromLine, FromMedia, Input, Keyed};
use crate::centre::output::KeyingOrder;
use crate::private::Private;

/// Callers who key a number at once, at most. When there are more the one whose call came first is told that it is none.
const MOST: usize = 2_000;

/// What a number must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The fewest digits.
    pub least: usize,
    /// The most; with as many it is complete.
    pub most: usize,
    /// What begins like one of these is refused.
    pub refused: Vec<String>,
    /// What begins like none of these is refused, where there are any.
    pub allowed: Vec<String>,
}

/// Notes a number that may be called, and says by what reference; `None` where it is none.
pub type Judge = Box<dyn Fn(&Private<String>) -> Option<CallerRef> + Send + Sync>;

/// The numbers that are being keyed. A clone is the same.
#[derive(Clone, Default)]
pub struct Keying(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    judge: OnceLock<Judge>,
}

#[derive(Default)]
struct State {
    calls: BTreeMap<CallId, Private<String>>,
    rules: Option<Rules>,
}

impl Rules {
    /// Whether these digits may be called.
    pub fn allow(&self, digits: &str) -> bool {
        let begins = |prefixes: &[String]| prefixes.iter().any(|prefix| digits.starts_with(prefix.as_str()));
        (self.least..=self.most).contains(&digits.len()) && !begins(&self.refused) && (self.allowed.is_empty() || begins(&self.allowed))
    }
}

impl Keying {
    /// Who notes numbers; once a process.
    pub fn judge_by(&self, judge: Judge) {
        let _ = self.0.judge.set(judge);
    }

    /// What numbers must be from here on.
    pub fn set_rules(&self, rules: Rules) {
        self.lock().rules = Some(rules);
    }

    /// Carries out what the core orders of a caller's keys. What comes of it at once is for the engine.
    pub fn carry_out(&self, call: CallId, order: KeyingOrder) -> Option<Input> {
        let mut state = self.lock();
        match order {
            KeyingOrder::Begin => {
                state.calls.insert(call, Private::new(String::new()));
                let over = (state.calls.len() > MOST).then(|| state.calls.pop_first()).flatten();
                over.map(|(call, _)| Input::Keyed { call, keyed: Keyed::Refused })
            }
            KeyingOrder::Finish => {
                let digits = state.calls.remove(&call)?;
                let rules = state.rules.clone();
                drop(state);
                Some(self.finished(call, &digits, rules.as_ref()))
            }
            KeyingOrder::End => {
                state.calls.remove(&call);
                None
            }
        }
    }

    /// The input, or what the engine may know of it where it is a key of a number.
    pub fn instead_of(&self, input: Input) -> Input {
        let (Input::Media(FromMedia::Digit { leg, digit }) | Input::Line(FromLine::Digit { leg, digit })) = &input else { return input };
        let (LegId { call, n }, key) = (*leg, digit.key());
        let mut state = self.lock();
        let most = state.rules.as_ref().map_or(0, |rules| rules.most);
        let Some(digits) = state.calls.get_mut(&call).filter(|_| n == 0) else { return input };
        match key {
            '*' => {
                state.calls.remove(&call);
                Input::Keyed { call, keyed: Keyed::GivenUp }
            }
            '0'..='9' => {
                *digits = Private::new(format!("{}{key}", digits.reveal()));
                if digits.reveal().len() < most {
                    return Input::Keyed { call, keyed: Keyed::Key };
                }
                drop(state);
                self.carry_out(call, KeyingOrder::Finish).unwrap_or(Input::Keyed { call, keyed: Keyed::Refused })
            }
            '#' => {
                drop(state);
                self.carry_out(call, KeyingOrder::Finish).unwrap_or(Input::Keyed { call, keyed: Keyed::Refused })
            }
            _ => Input::Keyed { call, keyed: Keyed::Key },
        }
    }

    fn finished(&self, call: CallId, digits: &Private<String>, rules: Option<&Rules>) -> Input {
        let allowed = rules.is_some_and(|rules| rules.allow(digits.reveal()));
        let noted = self.0.judge.get().filter(|_| allowed).and_then(|judge| judge(digits));
        Input::Keyed { call, keyed: noted.map_or(Keyed::Refused, Keyed::Number) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::centre::input::Digit;

    fn keying() -> Keying {
        let keying = Keying::default();
        keying.set_rules(Rules { least: 3, most: 6, refused: vec!["112".into()], allowed: Vec::new() });
        keying.judge_by(Box::new(|digits| digits.reveal().parse().ok().map(CallerRef)));
        keying
    }

    fn press(keying: &Keying, keys: &str) -> Vec<Input> {
        let digit = |key| Input::Media(FromMedia::Digit { leg: LegId::caller(CallId(1)), digit: Digit::new(key).unwrap() });
        keys.chars().map(|key| keying.instead_of(digit(key))).collect()
    }

    fn keyed(keyed: Keyed) -> Input {
        Input::Keyed { call: CallId(1), keyed }
    }

    #[test]
    fn no_digit_of_a_number_reaches_the_engine() {
        let keying = keying();
        assert!(matches!(press(&keying, "7")[..], [Input::Media(FromMedia::Digit { .. })]), "nobody keys a number yet");
        assert_eq!(keying.carry_out(CallId(1), KeyingOrder::Begin), None);
        assert_eq!(press(&keying, "4321#"), [Keyed::Key, Keyed::Key, Keyed::Key, Keyed::Key, Keyed::Number(CallerRef(4_321))].map(keyed));
        assert!(matches!(press(&keying, "7")[..], [Input::Media(FromMedia::Digit { .. })]), "it is over");
    }

    #[test]
    fn a_number_is_complete_by_its_length_by_silence_or_given_up() {
        let keying = keying();
        keying.carry_out(CallId(1), KeyingOrder::Begin);
        assert_eq!(press(&keying, "123456").pop(), Some(keyed(Keyed::Number(CallerRef(123_456)))));
        keying.carry_out(CallId(1), KeyingOrder::Begin);
        press(&keying, "1234");
        assert_eq!(keying.carry_out(CallId(1), KeyingOrder::Finish), Some(keyed(Keyed::Number(CallerRef(1_234)))));
        keying.carry_out(CallId(1), KeyingOrder::Begin);
        assert_eq!(press(&keying, "12*").pop(), Some(keyed(Keyed::GivenUp)));
    }

    #[test]
    fn too_short_a_number_and_one_that_nobody_may_call_are_refused() {
        let keying = keying();
        for keys in ["12#", "1123#", "#"] {
            keying.carry_out(CallId(1), KeyingOrder::Begin);
            assert_eq!(press(&keying, keys).pop(), Some(keyed(Keyed::Refused)), "{keys}");
        }
    }
}
