//! What is due when? A queue of deadlines, each with what is to be done.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::time::Instant;

/// Deadlines in order of time; entries of the same time come out in the order they were put in.
///
/// An entry cannot be taken back: whoever takes it out checks whether it still matters.
#[derive(Debug)]
pub struct Agenda<T> {
    heap: BinaryHeap<Reverse<Entry<T>>>,
    count: u64,
}

#[derive(Debug)]
struct Entry<T> {
    at: Instant,
    order: u64,
    what: T,
}

impl<T> Default for Agenda<T> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), count: 0 }
    }
}

impl<T> Agenda<T> {
    /// Puts something on the agenda.
    pub fn put(&mut self, at: Instant, what: T) {
        self.count += 1;
        self.heap.push(Reverse(Entry { at, order: self.count, what }));
    }

    /// The next thing that is due by `now`.
    pub fn due(&mut self, now: Instant) -> Option<T> {
        if self.next().is_some_and(|at| at <= now) { self.heap.pop().map(|entry| entry.0.what) } else { None }
    }

    /// When the next thing is due.
    pub fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|entry| entry.0.at)
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn comes_out_in_order_of_time() {
        let start = Instant::now();
        let mut agenda = Agenda::default();
        for (ms, what) in [(30, 'c'), (10, 'a'), (10, 'b')] {
            agenda.put(start + Duration::from_millis(ms), what);
        }
        assert_eq!(agenda.due(start), None);
        let late = start + Duration::from_millis(20);
        assert_eq!((agenda.due(late), agenda.due(late), agenda.due(late)), (Some('a'), Some('b'), None));
    }
}
