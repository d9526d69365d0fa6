//! How does a phone number, a name or an address stay out of logs? `Private<T>` holds it and never prints it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Personal data: readable on purpose by [`Private::reveal`], never by accident through `Debug` or `Display`.
///
/// It serialises as its inner value, because stores and screens must carry it; what may not carry it
/// (the core, its journal, logs, metrics) is kept by the types that those use.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Private<T>(T);

impl<T> Private<T> {
    /// Wraps a value that must not print itself.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself; a place that calls this takes the responsibility for where it goes.
    pub fn reveal(&self) -> &T {
        &self.0
    }

    /// Gives the value up, with the same responsibility as [`Private::reveal`].
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl Private<String> {
    /// A phone number with only its last two digits readable ("•••45"), for screens of those who may not see it whole.
    pub fn masked(&self) -> String {
        let digits = self.0.chars().filter(char::is_ascii_digit).count();
        let tail: String = self.0.chars().rev().take(2).collect::<Vec<_>>().into_iter().rev().collect();
        if digits < 4 { "•••".to_owned() } else { format!("•••{tail}") }
    }
}

impl<T> fmt::Debug for Private<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("•••")
    }
}

impl<T> fmt::Display for Private<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("•••")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_prints_itself() {
        let number = Private::new("+77011234545".to_owned());
        assert_eq!(format!("{number} {number:?}"), "••• •••");
        assert_eq!(number.masked(), "•••45");
        assert_eq!(Private::new("112".to_owned()).masked(), "•••");
    }
}
