//! What is wrong with a dialplan, where, and what mends it?

use std::fmt;

/// One fault of a dialplan's file.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub struct PlanError {
    /// The file's name, as it was given.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub mend: String,
}

impl fmt::Display for PlanError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {} — mend: {}", self.file, self.line, self.what, self.mend)
    }
}

/// The faults found so far in one file, each at a byte of its text.
pub(super) struct Faults<'a> {
    file: &'a str,
    text: &'a str,
    found: Vec<PlanError>,
}

impl<'a> Faults<'a> {
    pub(super) fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text, found: Vec::new() }
    }

    /// Notes a fault at byte `at` of the text.
    pub(super) fn add(&mut self, at: usize, what: impl Into<String>, mend: impl Into<String>) {
        let line = self.text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
        self.found.push(PlanError { file: self.file.to_owned(), line, what: what.into(), mend: mend.into() });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All of them, in the order of their lines.
    pub(super) fn in_line_order(mut self) -> Vec<PlanError> {
        self.found.sort_by_key(|error| error.line);
        self.found
    }
}

/// The known name that `written` was probably meant to be: at most two letters away.
pub(super) fn nearest<'n>(written: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let near = known.into_iter().map(|name| (letters_apart(written, name), name)).min()?;
    (near.0 <= 2 && near.0 < written.chars().count()).then_some(near.1)
}

/// "did you mean "x"?" with the nearest name, else `otherwise`.
pub(super) fn did_you_mean<'n>(written: &str, known: impl IntoIterator<Item = &'n str>, otherwise: impl Into<String>) -> String {
    nearest(written, known).map_or_else(|| otherwise.into(), |name| format!("did you mean \"{name}\"?"))
}

/// Levenshtein's distance in characters.
fn letters_apart(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut next = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let swap = row.get(j).map_or(0, |cost| cost + usize::from(a != *b));
            let drop = row.get(j + 1).map_or(0, |cost| cost + 1);
            let put = next.get(j).map_or(0, |cost| cost + 1);
            next.push(swap.min(drop).min(put));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_at_most_two_letters_away() {
        assert_eq!(nearest("heatng", ["water", "heating"]), Some("heating"));
        assert_eq!(nearest("heat", ["water", "heating"]), None);
        assert_eq!(nearest("no", ["to"]), Some("to"));
        assert_eq!(nearest("x", ["y"]), None);
    }

    #[test]
    fn faults_come_in_line_order() {
        let mut faults = Faults::new("a.toml", "one\ntwo\nthree");
        faults.add(8, "late", "x");
        faults.add(4, "early", "y");
        let lines: Vec<String> = faults.in_line_order().iter().map(ToString::to_string).collect();
        assert_eq!(lines, ["a.toml:2: early — mend: y", "a.toml:3: late — mend: x"]);
    }
}
