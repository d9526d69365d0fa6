//! Does every part still run, and has it come round lately? Each holds a pulse, which beats while it works and is missed when it falls.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::Clock;

/// A task or thread without which the server would be deaf, dumb or forgetful.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Part {
    /// The task that owns the core.
    Engine,
    /// The task that owns the sockets of SIP.
    Signalling,
    /// A media thread, by its number from 0.
    Media(usize),
    /// The thread of the pages' sound.
    Pages,
    /// The thread that writes recordings.
    Recordings,
    /// The task that takes facts from the journal to the database.
    Projection,
    /// Any other; it may sleep for as long as it likes, so that only its end is missed.
    Task(&'static str),
}

impl Part {
    /// Whether calls are lost on a server in which it hangs: then a new process is better than this one.
    pub fn is_vital(self) -> bool {
        matches!(self, Part::Engine | Part::Signalling | Part::Media(_) | Part::Pages)
    }

    /// After how many milliseconds without a beat it is late. The vital ones come round once a second without any work; the database may
    /// keep its feeder for some statements' time, and a disk the recordings' thread.
    fn late_after_ms(self, vital_ms: u64) -> Option<u64> {
        match self {
            Part::Engine | Part::Signalling | Part::Media(_) | Part::Pages => Some(vital_ms),
            Part::Recordings => Some(vital_ms.saturating_mul(2)),
            Part::Projection => Some(vital_ms.saturating_mul(12)),
            Part::Task(_) => None,
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Engine => out.write_str("the engine"),
            Part::Signalling => out.write_str("signalling"),
            Part::Media(number) => write!(out, "media thread {number}"),
            Part::Pages => out.write_str("the pages' thread"),
            Part::Recordings => out.write_str("the recordings' thread"),
            Part::Projection => out.write_str("the database's feeder"),
            Part::Task(name) => write!(out, "the task {name}"),
        }
    }
}

/// A vital part that has not come round for this long, in milliseconds, hangs.
pub const HANGS_MS: u64 = 10_000;

/// What is known of all parts; a clone is the same knowledge.
#[derive(Clone)]
pub struct Vitals {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Clock,
    vital_ms: u64,
    parts: Mutex<Vec<(Part, Arc<Beat>)>>,
    /// Parts may end from here on.
    ends_wanted: AtomicBool,
    /// The one that ended without being asked to; of several the one that the others ended for.
    ended: watch::Sender<Option<Ended>>,
}

/// An end that nobody asked for.
#[derive(Clone, Copy)]
struct Ended {
    /// How likely the others ended because of it: a panic before a plain end, and a part with a thread or a limit of its own before a task.
    panicked: bool,
    limited: bool,
    /// The first of its kind.
    part: Part,
}

/// A part that falls takes those with it that wait for it, and they may be missed first: for so long a graver end is waited for.
const GRAVER_WITHIN: Duration = Duration::from_millis(500);

/// When a part last came round, in microseconds of the clock; and what a test does to it.
struct Beat {
    at_us: AtomicU64,
    fault: AtomicU8,
}

/// What a test can do to a part, by [`Vitals::strike`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Fault {
    /// It goes on, and its beats are not felt.
    Stalls = 1,
    /// It panics where it would beat next.
    Panics = 2,
}

/// A part that is late.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Late {
    /// Which.
    pub part: Part,
    /// How long ago it came round, in milliseconds.
    pub age_ms: u64,
}

impl Vitals {
    /// Nothing runs yet.
    pub fn new(clock: Clock) -> Vitals {
        Vitals::with_limit(clock, HANGS_MS)
    }

    /// The same with another limit than [`HANGS_MS`] for vital parts, in milliseconds.
    pub fn with_limit(clock: Clock, vital_ms: u64) -> Vitals {
        let (parts, ends_wanted) = (Mutex::default(), AtomicBool::new(false));
        Vitals { shared: Arc::new(Shared { clock, vital_ms, parts, ends_wanted, ended: watch::Sender::new(None) }) }
    }

    /// The pulse of a part that begins now. The part owns it: however it ends, the pulse goes with it.
    pub fn pulse(&self, part: Part) -> Pulse {
        let beat = Arc::new(Beat { at_us: AtomicU64::new(self.shared.clock.elapsed_us()), fault: AtomicU8::new(0) });
        self.parts().push((part, beat.clone()));
        Pulse { part, beat, vitals: self.clone() }
    }

    /// From here on parts end because they were told to.
    pub fn let_end(&self) {
        self.shared.ends_wanted.store(true, Ordering::Release);
    }

    /// The part that has ended untold; waits for one. Where others end for it, it is told of the one that fell and not of those.
    pub async fn ended(&self) -> Part {
        let mut ended = self.shared.ended.subscribe();
        // The sender lives as long as this does: neither wait can fail.
        let first = ended.wait_for(Option::is_some).await.ok().and_then(|found| *found);
        let graver = ended.wait_for(|found| found.is_some_and(|found| found.panicked));
        let graver = tokio::time::timeout(GRAVER_WITHIN, graver).await.ok().and_then(|found| found.ok().and_then(|found| *found));
        let told = graver.or(*ended.borrow()).or(first);
        match told {
            Some(found) => found.part,
            None => std::future::pending().await,
        }
    }

    /// Parts that have not come round for longer than they may.
    pub fn late(&self) -> Vec<Late> {
        let late = |(part, beat): &(Part, Arc<Beat>)| {
            let age_ms = self.age_ms(beat);
            part.late_after_ms(self.shared.vital_ms).filter(|limit| age_ms >= *limit).map(|_| Late { part: *part, age_ms })
        };
        self.parts().iter().filter_map(late).collect()
    }

    /// How long ago a part came round, in milliseconds; `None` where there is none such.
    pub fn age_of(&self, part: Part) -> Option<u64> {
        self.parts().iter().find(|(known, _)| *known == part).map(|(_, beat)| self.age_ms(beat))
    }

    /// Does this to a part that runs. For tests: nothing else calls it.
    pub fn strike(&self, part: Part, fault: Fault) {
        for (_, beat) in self.parts().iter().filter(|(known, _)| *known == part) {
            beat.fault.store(fault as u8, Ordering::Relaxed);
        }
    }

    fn age_ms(&self, beat: &Beat) -> u64 {
        self.shared.clock.elapsed_us().saturating_sub(beat.at_us.load(Ordering::Relaxed)) / 1_000
    }

    fn parts(&self) -> std::sync::MutexGuard<'_, Vec<(Part, Arc<Beat>)>> {
        self.shared.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The pulse of one part.
pub struct Pulse {
    part: Part,
    beat: Arc<Beat>,
    vitals: Vitals,
}

impl Pulse {
    /// The part has come round.
    pub fn beat(&self) {
        match self.beat.fault.load(Ordering::Relaxed) {
            0 => self.beat.at_us.store(self.vitals.shared.clock.elapsed_us(), Ordering::Relaxed),
            fault if fault == Fault::Panics as u8 => panic!("{} was struck by a test", self.part),
            _ => {}
        }
    }

    /// Runs a task that holds its pulse and does not beat.
    pub async fn keep(self, task: impl Future<Output = ()>) {
        task.await;
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.vitals.parts().retain(|(_, beat)| !Arc::ptr_eq(beat, &self.beat));
        if !self.vitals.shared.ends_wanted.load(Ordering::Acquire) {
            let (panicked, limited) = (std::thread::panicking(), self.part.late_after_ms(0).is_some());
            self.vitals.shared.ended.send_if_modified(|ended| {
                let graver = ended.is_none_or(|before| (before.panicked, before.limited) < (panicked, limited));
                if graver {
                    *ended = Some(Ended { panicked, limited, part: self.part });
                }
                graver
            });
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn late(vitals: &Vitals) -> Vec<Part> {
        vitals.late().iter().map(|late| late.part).collect()
    }

    #[test]
    fn a_part_that_does_not_come_round_is_late_until_it_does() {
        let vitals = Vitals::with_limit(Clock::of_process(), 5);
        let (media, sealing) = (vitals.pulse(Part::Media(1)), vitals.pulse(Part::Task("sealing")));
        while late(&vitals) != [Part::Media(1)] {
            std::thread::yield_now();
        }
        vitals.strike(Part::Media(1), Fault::Stalls);
        media.beat();
        assert_eq!(late(&vitals), [Part::Media(1)]);
        let vitals = Vitals::with_limit(Clock::of_process(), 60_000);
        let engine = vitals.pulse(Part::Engine);
        engine.beat();
        assert!(late(&vitals).is_empty() && vitals.age_of(Part::Engine).unwrap() < 60_000);
        assert_eq!(vitals.age_of(Part::Signalling), None);
        drop((media, sealing));
    }

    #[tokio::test]
    async fn the_first_end_that_nobody_asked_for_is_told_whichever_it_is() {
        for panics in [false, true] {
            let vitals = Vitals::new(Clock::of_process());
            let (sealing, outbox) = (vitals.pulse(Part::Task("sealing")), vitals.pulse(Part::Task("outbox")));
            let task = tokio::spawn(sealing.keep(async move { assert!(!panics, "on purpose") }));
            assert_eq!(task.await.is_err(), panics);
            drop(outbox);
            assert_eq!(vitals.ended().await, Part::Task("sealing"));
        }
    }

    /// The engine takes the task of answers with it, whose end may be noted before its own.
    #[tokio::test]
    async fn of_parts_that_end_together_the_one_that_fell_is_told() {
        for panics in [false, true] {
            let vitals = Vitals::new(Clock::of_process());
            let (engine, answers) = (vitals.pulse(Part::Engine), vitals.pulse(Part::Task("answers")));
            drop(answers);
            let told = tokio::spawn({
                let vitals = vitals.clone();
                async move { vitals.ended().await }
            });
            tokio::task::yield_now().await;
            let falls = tokio::spawn(engine.keep(async move { assert!(!panics, "on purpose") }));
            assert_eq!(falls.await.is_err(), panics);
            assert_eq!(told.await.unwrap(), Part::Engine);
        }
    }

    #[tokio::test]
    async fn an_end_that_was_asked_for_is_not_told() {
        let vitals = Vitals::new(Clock::of_process());
        let engine = vitals.pulse(Part::Engine);
        vitals.let_end();
        drop(engine);
        assert!(vitals.late().is_empty());
        assert!(tokio::time::timeout(std::time::Duration::from_millis(20), vitals.ended()).await.is_err());
    }
}
