//! Which legs of a call are without sound, in one direction or both?

use std::collections::BTreeMap;

/// Legs of one call whose line is dead, by number; bounded by the legs that are up.
#[derive(Clone, Debug, Default)]
pub(super) struct DeadLines(BTreeMap<u16, Dead>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Dead {
    silent: bool,
    unheard: bool,
}

impl DeadLines {
    /// Nothing arrives from a leg, or it does again.
    pub fn silent(&mut self, leg: u16, silent: bool) {
        self.change(leg, |line| line.silent = silent);
    }

    /// A leg's far end does not hear us, or it does again.
    pub fn unheard(&mut self, leg: u16, unheard: bool) {
        self.change(leg, |line| line.unheard = unheard);
    }

    /// A leg is over.
    pub fn forget(&mut self, leg: u16) {
        self.0.remove(&leg);
    }

    /// Whether there is one.
    pub fn any(&self) -> bool {
        !self.0.is_empty()
    }

    fn change(&mut self, leg: u16, change: impl FnOnce(&mut Dead)) {
        let line = self.0.entry(leg).or_default();
        change(line);
        if *line == Dead::default() {
            self.0.remove(&leg);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_dead_until_both_directions_live_or_it_is_over() {
        let mut lines = DeadLines::default();
        lines.silent(0, true);
        lines.unheard(0, true);
        lines.silent(0, false);
        assert!(lines.any());
        lines.unheard(0, false);
        assert!(!lines.any());
        lines.silent(1, true);
        lines.forget(1);
        assert!(!lines.any());
    }
}
