//! What does the board show to the rules of alerts? Each queue's figures of this moment, and the offers that nobody took lately.

use std::collections::BTreeSet;

use crate::centre::ids::QueueId;
use crate::centre::time::Time;
use crate::report::alerts::{Alert, Alerts, Seen};

use super::Board;

/// Offers that nobody took count for so long, in milliseconds.
const UNANSWERED_MS: u64 = 300_000;

/// So many of them are remembered at most; of more nothing would be told that these do not tell.
const UNANSWERED_KEPT: usize = 1_000;

impl Board {
    /// Looks whether limits are passed; to be called once a second. Returns what was raised or ended by this look.
    pub fn look(&mut self, now: Time) -> Vec<Alert> {
        while self.unanswered.front().is_some_and(|(at, _)| now.ms_since(*at) >= UNANSWERED_MS) {
            self.unanswered.pop_front();
        }
        let seen = if self.scene.alerts.is_empty() { Vec::new() } else { self.seen(now) };
        let changed = self.alerts.look(now, &self.scene.alerts, &seen);
        if !changed.is_empty() {
            self.revision += 1;
        }
        changed
    }

    /// Ends what is on, as the process ends: nobody looks from here on.
    pub fn end_alerts(&mut self, now: Time) -> Vec<Alert> {
        self.alerts.look(now, &BTreeSet::new(), &[])
    }

    /// The alerts that are on, and those that are over.
    pub fn alerts(&self) -> &Alerts {
        &self.alerts
    }

    fn seen(&self, now: Time) -> Vec<Seen> {
        let whole = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let of = |view: super::QueueView| Seen {
            longest_s: view.longest_since_ms.map_or(0, |since| now.ms_since(Time(since)) / 1_000),
            waiting: whole(view.waiting),
            level: view.window.level,
            abandonment: view.window.abandonment,
            at_work: u64::from(view.staff.ready) + u64::from(view.staff.talking) + u64::from(view.staff.wrap_up),
            unanswered: whole(self.unanswered.iter().filter(|(_, queue)| *queue == view.queue).count()),
            queue: view.queue,
        };
        // A queue that the settings have dropped is served to its end and watched no more.
        self.queue_views(now).into_iter().filter(|view| self.scene.queues.contains_key(&view.queue)).map(of).collect()
    }

    pub(super) fn note_unanswered(&mut self, at: Time, queue: QueueId) {
        if self.unanswered.len() >= UNANSWERED_KEPT {
            self.unanswered.pop_front();
        }
        self.unanswered.push_back((at, queue));
    }
}
