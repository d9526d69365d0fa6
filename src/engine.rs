//! How does the core live? One task owns it: handle, append, carry out, sleep until the deadline.

#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use tokio::sync::mpsc::Receiver;

use crate::centre::Centre;
use crate::centre::fact::Fact;
use crate::centre::ids::CallId;
use crate::centre::input::{FromDesk, FromLine, FromMedia, Input};
use crate::centre::output::Output;
use crate::centre::time::Time;
use crate::clock::{Clock, processor_time};
use crate::journal::{Journal, JournalError, Record, load_last};
use crate::lanes::InputLanes;

/// Inputs handled before their records are written together: a group costs one `write`, and delays nobody by more than its handling.
const GROUP: usize = 256;

/// What carries the core's orders out. None of its methods may wait.
pub trait World: Send {
    /// Carries one order out. `Err` names the input that tells the core of a shell that could not take it, or what came of it at once.
    fn carry_out(&mut self, output: Output) -> Result<(), Input>;

    /// Shows facts to screens and metrics; they are in the journal already.
    fn show(&mut self, time: Time, facts: &[Fact]);

    /// The journal cannot be written: calls go on from memory, and somebody must know. Told again with every group until `written`.
    fn journal_failed(&mut self, error: &JournalError);

    /// A group of records up to `seq` is in the journal, and what it asked for is carried out.
    fn written(&mut self, seq: u64);

    /// The engine came round, with or without anything to decide: at least once a second.
    fn came_round(&mut self);
}

/// The core, its journal and the world around it.
pub struct Engine<W> {
    centre: Centre,
    journal: Journal,
    world: W,
    clock: Clock,
    /// How far the wall clock was ahead when the core was last told.
    wall_ahead_ms: i64,
    /// When the journal was last looked after.
    looked_after: Time,
    work: Work,
}

/// What the core has cost, for `/metrics`: inputs handled, and processor time of deciding and of building their records.
#[derive(Default)]
struct Work {
    inputs: u64,
    spent: std::time::Duration,
}

impl Work {
    fn tell(&self) {
        metrics::counter!("cityline_core_inputs_total").absolute(self.inputs);
        metrics::counter!("cityline_core_cpu_us_total").absolute(u64::try_from(self.spent.as_micros()).unwrap_or(u64::MAX));
    }
}

/// The journal is looked after, and life is told, this often.
const HEARTBEAT: std::time::Duration = std::time::Duration::from_secs(1);
/// A wall clock that moved by less than this, in milliseconds, was merely slewed.
const STEP_MS: i64 = 1_000;

impl<W: World> Engine<W> {
    /// An engine whose core is at its journal's end.
    pub fn new(centre: Centre, journal: Journal, world: W, clock: Clock) -> Self {
        Self { centre, journal, world, clock, wall_ahead_ms: 0, looked_after: Time::default(), work: Work::default() }
    }

    /// Handles inputs until both lanes are closed or `stop` resolves; then the journal is whole. Errors: nothing brings the journal to the disk
    /// any more.
    pub async fn run(mut self, mut lanes: InputLanes, stop: impl Future<Output = ()>) -> Result<(), JournalError> {
        tokio::pin!(stop);
        let mut group = Vec::with_capacity(GROUP);
        let mut heartbeat = tokio::time::interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let deadline = self.centre.next_deadline().map(|(at, _)| self.clock.instant(at).into());
            tokio::select! {
                biased;
                () = &mut stop => return Ok(()),
                Some(input) = lanes.reserved.recv() => group.push(input),
                Some(input) = lanes.common.recv() => group.push(input),
                () = sleep_until(deadline) => group.push(Input::DeadlineReached),
                _ = heartbeat.tick() => {}
            }
            fill(&mut group, &mut lanes.reserved, &mut lanes.common);
            self.tell_of_a_clock_step(&mut group);
            self.handle_group(&mut group);
            self.look_after_journal();
            self.world.came_round();
            if !self.journal.is_synced() {
                return Err(JournalError::NotSynced);
            }
        }
    }

    /// What became of a former process, told as of the moment of its last record: what ended with it ended then, not after the downtime.
    pub fn handle_past(&mut self, at: Time, inputs: Vec<Input>) {
        for input in inputs {
            let Some((record, outputs)) = self.step(at, input) else { continue };
            // A shell that cannot take an order has lost its leg, which it will say, or the deadline of the recovery.
            outputs.into_iter().for_each(|output| drop(self.world.carry_out(output)));
            self.world.show(record.time, &record.facts);
        }
        self.commit();
    }

    /// Handles inputs one by one, writes their records together, then carries out what they asked for.
    pub fn handle_group(&mut self, group: &mut Vec<Input>) {
        while !group.is_empty() {
            let (before, count) = (processor_time(), group.len());
            let steps: Vec<(Record, Vec<Output>)> = group.drain(..).filter_map(|input| self.step(self.clock.now(), input)).collect();
            self.work.spent += processor_time().saturating_sub(before);
            self.work.inputs += u64::try_from(count).unwrap_or_default();
            self.commit();
            for (record, outputs) in steps {
                for output in outputs {
                    group.extend(self.world.carry_out(output).err());
                }
                self.world.show(record.time, &record.facts);
            }
        }
    }

    fn commit(&mut self) {
        match self.journal.commit() {
            Ok(()) if self.journal.is_whole() => self.world.written(self.journal.last_seq()),
            Ok(()) => {}
            Err(error) => self.world.journal_failed(&error),
        }
    }

    /// Once a second: what the disk refused is tried again, and a segment that is long or lacks records is followed by a new one.
    fn look_after_journal(&mut self) {
        let now = self.clock.now();
        if now.ms_since(self.looked_after) < 1_000 {
            return;
        }
        self.looked_after = now;
        self.work.tell();
        if !self.journal.is_whole() {
            self.commit();
        }
        match self.journal.rotate_if_due(&self.centre) {
            Ok(_) if self.journal.is_whole() => self.world.written(self.journal.last_seq()),
            Ok(_) => {}
            Err(error) => self.world.journal_failed(&error),
        }
    }

    /// One input; `None` when it could not be handled and nothing could be done in its place.
    fn step(&mut self, now: Time, input: Input) -> Option<(Record, Vec<Output>)> {
        let handled = catch_unwind(AssertUnwindSafe(|| self.centre.handle(now, input.clone())));
        if handled.is_err() {
            return self.poisoned(now, &input);
        }
        Some(self.record(now, input))
    }

    /// Handling panicked: nothing of it counts. The core is rebuilt from the journal, and the call that it was about ends.
    /// A deadline that was due is blamed before the input that came after it. What cannot be handled either leaves no record.
    fn poisoned(&mut self, now: Time, input: &Input) -> Option<(Record, Vec<Output>)> {
        metrics::counter!("cityline_inputs_poisoned_total").increment(1);
        tracing::error!(?input, "handling an input panicked; its call ends, please report this line with the journal");
        self.rebuild();
        let due = self.centre.next_deadline().filter(|(at, _)| *at <= now).and_then(|(_, reason)| reason.call());
        let input = due.or_else(|| call_of(input)).map(|call| Input::CallPoisoned { call })?;
        if catch_unwind(AssertUnwindSafe(|| self.centre.handle(now, input.clone()))).is_err() {
            tracing::error!(?input, "its call could not be ended either: restart the process when it can be spared");
            self.rebuild();
            return None;
        }
        Some(self.record(now, input))
    }

    fn rebuild(&mut self) {
        let rebuilt = self.journal.commit().and_then(|()| load_last(self.journal.folder()));
        match rebuilt {
            Ok(Some(replay)) if self.journal.is_whole() => self.centre = replay.centre,
            Ok(_) => tracing::error!("the core cannot be rebuilt while records wait for the disk: it goes on as the fault left it"),
            Err(error) => self.world.journal_failed(&error),
        }
    }

    fn record(&mut self, now: Time, input: Input) -> (Record, Vec<Output>) {
        let outputs: Vec<Output> = std::iter::from_fn(|| self.centre.poll_output()).collect();
        let facts = self.centre.take_facts();
        (self.journal.add(now, input, facts, &outputs), outputs)
    }

    fn tell_of_a_clock_step(&mut self, group: &mut Vec<Input>) {
        let ahead = self.clock.wall_ahead_ms();
        let moved = ahead - self.wall_ahead_ms;
        if moved.abs() >= STEP_MS {
            self.wall_ahead_ms = ahead;
            group.insert(0, Input::WallClockStepped { ms: moved });
        }
    }
}

async fn sleep_until(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Takes what else has come, hang-ups first.
fn fill(group: &mut Vec<Input>, reserved: &mut Receiver<Input>, common: &mut Receiver<Input>) {
    while group.len() < GROUP {
        match reserved.try_recv().or_else(|_| common.try_recv()) {
            Ok(input) => group.push(input),
            Err(_) => return,
        }
    }
}

/// The core as the journal of a folder has it, for a new process.
pub struct Resumed {
    /// The core after the last record, or a new one.
    pub centre: Centre,
    /// The number of the next record.
    pub next_seq: u64,
    /// When the last record was made; `None` where there was no journal.
    pub last_time: Option<Time>,
}

/// Rebuilds the core from the journal's last segment.
pub fn resume(folder: &Path) -> Result<Resumed, JournalError> {
    let Some(replay) = crate::journal::load_last(folder)? else {
        return Ok(Resumed { centre: Centre::new(), next_seq: 1, last_time: None });
    };
    if replay.damaged > 0 || !replay.poisoned.is_empty() {
        let (damaged, poisoned) = (replay.damaged, replay.poisoned.len());
        tracing::error!(
            damaged,
            poisoned,
            "the journal has faults: the server starts with what is known, and calls that lack in it are hung up"
        );
    }
    if !replay.differing.is_empty() {
        tracing::warn!(records = replay.differing.len(), "the journal was written by a version that decided otherwise");
    }
    // A segment without records holds a snapshot only: its time is that of the core itself.
    let last_time = Some(replay.last_time.unwrap_or_else(|| replay.centre.time()));
    Ok(Resumed { centre: replay.centre, next_seq: replay.next_seq, last_time })
}

/// The call that an input is about.
fn call_of(input: &Input) -> Option<CallId> {
    match input {
        Input::Line(line) => Some(match line {
            FromLine::CallArrived { call, .. } | FromLine::Diverted { call, .. } | FromLine::PhoneCalled { call, .. } => *call,
            FromLine::Ringing { leg }
            | FromLine::EarlyMedia { leg, .. }
            | FromLine::Answered { leg, .. }
            | FromLine::Refused { leg, .. }
            | FromLine::Reoffered { leg, .. }
            | FromLine::Renegotiated { leg, .. }
            | FromLine::NotRenegotiated { leg, .. }
            | FromLine::Digit { leg, .. }
            | FromLine::HungUp { leg, .. }
            | FromLine::Referred { leg, .. }
            | FromLine::Replacing { leg, .. } => leg.call,
        }),
        Input::Media(media) => Some(match media {
            FromMedia::Opened { leg, .. }
            | FromMedia::Agreed { leg, .. }
            | FromMedia::Failed { leg, .. }
            | FromMedia::Digit { leg, .. }
            | FromMedia::Played { leg, .. }
            | FromMedia::SoundLost { leg }
            | FromMedia::SoundBack { leg }
            | FromMedia::Held { leg, .. }
            | FromMedia::Unheard { leg, .. }
            | FromMedia::Quality { leg, .. } => leg.call,
            FromMedia::Recorded { recording, .. } => recording.call,
        }),
        Input::Desk(desk) => match desk {
            FromDesk::OfferShown { call, .. }
            | FromDesk::Accept { call, .. }
            | FromDesk::Decline { call, .. }
            | FromDesk::HangUp { call, .. }
            | FromDesk::Hold { call, .. }
            | FromDesk::Resume { call, .. }
            | FromDesk::SendDigits { call, .. }
            | FromDesk::Consult { call, .. }
            | FromDesk::CompleteConsult { call, .. }
            | FromDesk::EndConsult { call, .. }
            | FromDesk::Conference { call, .. }
            | FromDesk::Transfer { call, .. }
            | FromDesk::CallOut { call, .. }
            | FromDesk::Monitor { call, .. }
            | FromDesk::TakeOver { call, .. }
            | FromDesk::StopMonitor { call, .. }
            | FromDesk::AskHelp { call, .. }
            | FromDesk::Warn { call, .. }
            | FromDesk::EndAbuse { call, .. }
            | FromDesk::PauseRecording { call, .. }
            | FromDesk::ResumeRecording { call, .. } => Some(*call),
            FromDesk::DeskUp { .. }
            | FromDesk::DeskGone { .. }
            | FromDesk::PhoneChanged { .. }
            | FromDesk::DeskMediaUp { .. }
            | FromDesk::DeskMediaDown { .. }
            | FromDesk::Ready { .. }
            | FromDesk::Pause { .. }
            | FromDesk::SignOut { .. }
            | FromDesk::WrapUpDone { .. }
            | FromDesk::ExtendWrapUp { .. }
            | FromDesk::HelpDone { .. } => None,
        },
        Input::LookedUp { call, .. } | Input::Keyed { call, .. } | Input::CallPoisoned { call } => Some(*call),
        Input::ShellLost { leg } | Input::LegRecovered { leg } | Input::LegGone { leg } => Some(leg.call),
        Input::SettingsChanged(_)
        | Input::DeadlineReached
        | Input::WallClockStepped { .. }
        | Input::Restarted { .. }
        | Input::NoticesChanged(_)
        | Input::ShiftOrdered(_)
        | Input::Steered(_)
        | Input::DrainStarted
        | Input::Stopping => None,
    }
}
