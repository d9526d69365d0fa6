//! May a number be called that a caller has keyed? By the settings; it is noted for signalling and stored, and the core gets its reference.

use tokio::sync::mpsc;

use crate::caller::CallerSeen;
use crate::clock::Clock;
use crate::config::KeyedNumbers;
use crate::keying::{Judge, Rules};
use crate::number_book::NumberBook;

/// The settings' rules.
pub fn rules(numbers: &KeyedNumbers) -> Rules {
    let KeyedNumbers { least_digits, most_digits, refused, allowed } = numbers.clone();
    Rules { least: least_digits, most: most_digits, refused, allowed }
}

/// Notes a number in the book and gives it to the store. One that the store cannot be given is refused: it would be lost with the process.
pub fn judge(numbers: NumberBook, stored: mpsc::Sender<CallerSeen>, clock: Clock) -> Judge {
    Box::new(move |digits| {
        let seen = numbers.seen(digits.reveal(), clock.now())?;
        let reference = seen.caller;
        stored.try_send(seen).ok().map(|()| reference)
    })
}
