//! Which number outside does a reference of the core stand for? Who types or dials one puts it in; signalling looks it up to dial.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::caller::{CallerKey, CallerSeen, normalise};
use crate::centre::ids::CallerRef;
use crate::centre::time::Time;
use crate::private::Private;

/// Numbers kept at most; each is dialled within a minute, so an older one than this many is not needed any more.
const KEPT: usize = 20_000;

/// Digits that a number has; what is shorter is no number outside, what is longer none at all (E.164 §6.1 with a prefix).
const DIGITS: std::ops::RangeInclusive<usize> = 2..=20;

/// Numbers on their way to signalling. A clone is the same book.
#[derive(Clone)]
pub struct NumberBook {
    key: CallerKey,
    numbers: Arc<Mutex<Numbers>>,
}

#[derive(Default)]
struct Numbers {
    by_reference: BTreeMap<CallerRef, Private<String>>,
    oldest: VecDeque<CallerRef>,
}

impl NumberBook {
    /// An empty book. Its references are those of the callers with the same numbers, because the key is the same.
    pub fn new(key: CallerKey) -> Self {
        Self { key, numbers: Arc::default() }
    }

    /// Puts a number in and returns what the core may know of it; `None` for what is no number. When the book is full the oldest goes.
    pub fn put(&self, typed: &str) -> Option<CallerRef> {
        let number = normalise(typed.trim());
        if !DIGITS.contains(&number.reveal().trim_start_matches('+').len()) {
            return None;
        }
        let reference = self.key.reference(&number);
        let mut numbers = self.lock();
        if numbers.by_reference.insert(reference, number).is_none() {
            numbers.oldest.push_back(reference);
        }
        while numbers.oldest.len() > KEPT {
            if let Some(oldest) = numbers.oldest.pop_front() {
                numbers.by_reference.remove(&oldest);
            }
        }
        Some(reference)
    }

    /// The number of a resident who is called, for the store to keep; `None` for what is no number.
    pub fn seen(&self, typed: &str, at: Time) -> Option<CallerSeen> {
        let caller = self.put(typed)?;
        Some(CallerSeen { caller, number: self.number(caller)?, name: None, at })
    }

    /// The same of several; `None` where one of them is no number.
    pub fn all_seen(&self, typed: &[Private<String>], at: Time) -> Option<Vec<CallerSeen>> {
        typed.iter().map(|typed| self.seen(typed.reveal(), at)).collect()
    }

    /// The number of a reference, normalised; `None` where it was not put in, or too long ago.
    pub fn number(&self, reference: CallerRef) -> Option<Private<String>> {
        self.lock().by_reference.get(&reference).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Numbers> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_number_is_found_by_its_reference_and_what_is_none_is_refused() {
        let book = NumberBook::new(CallerKey::new([7; 32]));
        let reference = book.put(" +7 (701) 123-45-45 ").unwrap();
        assert_eq!(book.number(reference).unwrap().reveal(), "+77011234545");
        assert_eq!(book.put("+77011234545"), Some(reference), "the same number is the same reference");
        assert!(book.put("anonymous").is_none() && book.put("1").is_none() && book.put(&"9".repeat(21)).is_none());
        assert!(book.number(CallerRef::WITHHELD).is_none());
    }

    #[test]
    fn the_oldest_number_goes_when_the_book_is_full() {
        let book = NumberBook::new(CallerKey::new([7; 32]));
        let first = book.put("100000").unwrap();
        for number in 0..KEPT {
            book.put(&format!("2{number:06}")).unwrap();
        }
        assert!(book.number(first).is_none());
        assert!(book.numbers.lock().unwrap().by_reference.len() == KEPT);
    }
}
