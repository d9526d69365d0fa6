//! Does the engine go on when the core panics, and when the journal cannot be written?
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use super::*;
use crate::centre::dialplan::{Action, Plan, Spoken, Step};
use crate::centre::fact::EndReason;
use crate::centre::ids::{CallerRef, Language, LegId, SdpRef};
use crate::centre::input::{Digit, HangUpCause};
use crate::centre::output::ToLine;
use crate::centre::poison::POISONED;
use crate::centre::settings::Settings;
use crate::journal::replay_file;

/// What the engine has asked for and told.
#[derive(Default)]
struct Told {
    outputs: Vec<Output>,
    facts: Vec<Fact>,
    written: u64,
    failures: usize,
}

#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Told>>);

impl World for Recorder {
    fn carry_out(&mut self, output: Output) -> Result<(), Input> {
        self.0.lock().unwrap().outputs.push(output);
        Ok(())
    }

    fn show(&mut self, _: Time, facts: &[Fact]) {
        self.0.lock().unwrap().facts.extend_from_slice(facts);
    }

    fn journal_failed(&mut self, _: &JournalError) {
        self.0.lock().unwrap().failures += 1;
    }

    fn written(&mut self, seq: u64) {
        self.0.lock().unwrap().written = seq;
    }

    fn came_round(&mut self) {}
}

/// A number whose plan says one thing for ever.
fn settings() -> Settings {
    let say = vec![Spoken::Silence { ms: 1_000 }];
    let step = Step { topic: None, action: Action::Play { say, repeat: true, next: "speak".into() } };
    let plan = Plan {
        number: "109".into(),
        title: "test".to_owned(),
        languages: vec![Language::Kk],
        start: "speak".into(),
        keys: BTreeMap::new(),
        steps: [("speak".into(), step)].into(),
        closed: Default::default(),
        surge: Default::default(),
    };
    Settings { revision: 1, numbers: [("109".into(), plan)].into(), ..Settings::default() }
}

struct Stage {
    engine: Engine<Recorder>,
    told: Recorder,
    folder: PathBuf,
}

impl Stage {
    fn new(name: &str) -> Stage {
        let folder = std::env::temp_dir().join(format!("cityline-engine-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        let journal = Journal::begin(&folder, &Centre::new(), 1).unwrap();
        let told = Recorder::default();
        let mut stage = Stage { engine: Engine::new(Centre::new(), journal, told.clone(), Clock::of_process()), told, folder };
        stage.handle(vec![Input::SettingsChanged(Box::new(settings()))]);
        stage
    }

    fn handle(&mut self, mut inputs: Vec<Input>) {
        self.engine.handle_group(&mut inputs);
    }

    /// A call that is up.
    fn calls(&mut self, call: CallId) {
        let arrived =
            FromLine::CallArrived { call, caller: CallerRef(0), number: "109".into(), trunk: "city".into(), sdp: Some(SdpRef(1)) };
        self.handle(vec![Input::Line(arrived), Input::Media(FromMedia::Opened { leg: LegId::caller(call), sdp: SdpRef(2) })]);
    }

    fn ended(&self) -> Vec<(CallId, EndReason)> {
        let end = |fact: &Fact| match fact {
            Fact::CallEnded { call, reason } => Some((*call, *reason)),
            _ => None,
        };
        self.told.0.lock().unwrap().facts.iter().filter_map(end).collect()
    }

    /// The journal leads to the very core that lives.
    fn journal_is_true(&self) {
        let replay = replay_file(self.engine.journal.path()).unwrap();
        assert_eq!(replay.differing, Vec::<u64>::new());
        assert!(replay.centre == self.engine.centre);
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn hangs_up(call: CallId) -> Input {
    Input::Line(FromLine::HungUp { leg: LegId::caller(call), cause: HangUpCause::Bye })
}

#[test]
fn an_input_that_panics_ends_its_call_alone_and_leaves_no_trace_of_itself() {
    let mut stage = Stage::new("poison");
    let other = CallId(7);
    stage.calls(other);
    stage.calls(POISONED);
    let digit = Input::Line(FromLine::Digit { leg: LegId::caller(POISONED), digit: Digit::new('1').unwrap() });
    let key = Input::Line(FromLine::Digit { leg: LegId::caller(other), digit: Digit::new('1').unwrap() });
    stage.handle(vec![digit.clone(), key, digit]);
    assert_eq!(stage.ended(), [(POISONED, EndReason::Poisoned)]);
    let bye = |leg: LegId| move |output: &Output| matches!(output, Output::Line(ToLine::HangUp { leg: ended, .. }) if *ended == leg);
    assert!(stage.told.0.lock().unwrap().outputs.iter().any(bye(LegId::caller(POISONED))), "its caller is told");
    stage.journal_is_true();
    stage.handle(vec![hangs_up(other)]);
    assert_eq!(stage.ended().last(), Some(&(other, EndReason::LeftInMenu)), "the other call has gone on");
    stage.journal_is_true();
}

#[test]
fn calls_go_on_while_the_disk_is_full_and_every_record_is_written_afterwards() {
    let mut stage = Stage::new("full");
    stage.calls(CallId(1));
    let written = stage.told.0.lock().unwrap().written;
    let disk = stage.engine.journal.fill_the_disk();
    stage.calls(CallId(2));
    stage.handle(vec![hangs_up(CallId(1))]);
    assert_eq!(stage.ended(), [(CallId(1), EndReason::LeftInMenu)]);
    assert_eq!(stage.told.0.lock().unwrap().written, written, "the store must not read past it");
    assert!(stage.told.0.lock().unwrap().failures > 0);
    stage.engine.journal.free_the_disk(disk);
    stage.handle(vec![hangs_up(CallId(2))]);
    assert_eq!(stage.told.0.lock().unwrap().written, stage.engine.journal.last_seq());
    stage.journal_is_true();
}

#[test]
fn what_is_told_of_the_past_may_panic_and_the_start_goes_on() {
    let mut stage = Stage::new("past");
    stage.calls(POISONED);
    stage.calls(CallId(7));
    let digit = Input::Line(FromLine::Digit { leg: LegId::caller(POISONED), digit: Digit::new('1').unwrap() });
    let at = stage.engine.clock.now();
    stage.engine.handle_past(at, vec![Input::Restarted { downtime_ms: 1 }, digit, Input::LegGone { leg: LegId::caller(CallId(7)) }]);
    assert_eq!(stage.ended(), [(POISONED, EndReason::Poisoned), (CallId(7), EndReason::Interrupted)]);
    stage.journal_is_true();
}

#[test]
fn an_engine_whose_journal_nobody_syncs_ends() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut stage = Stage::new("sync");
    stage.engine.journal.end_syncing();
    let (_inputs, lanes) = crate::lanes::lanes(10);
    let journal = Journal::begin(&stage.folder.join("other"), &Centre::new(), 1).unwrap();
    let idle = Engine::new(Centre::new(), journal, stage.told.clone(), stage.engine.clock);
    let engine = std::mem::replace(&mut stage.engine, idle);
    let ended = runtime
        .block_on(async { tokio::time::timeout(std::time::Duration::from_secs(10), engine.run(lanes, std::future::pending())).await });
    assert!(matches!(ended, Ok(Err(JournalError::NotSynced))), "{ended:?}");
}

/// A new segment would fit where the records that wait do not: it must not come before them.
#[test]
fn a_full_segment_is_not_left_while_records_wait_for_the_disk() {
    let mut stage = Stage::new("boundary");
    stage.calls(CallId(1));
    let (path, written) = (stage.engine.journal.path().to_owned(), stage.told.0.lock().unwrap().written);
    stage.engine.journal.fill_the_segment();
    let disk = stage.engine.journal.fill_the_disk();
    stage.calls(CallId(2));
    stage.engine.looked_after = Time::default();
    stage.engine.look_after_journal();
    assert_eq!((stage.engine.journal.path(), stage.told.0.lock().unwrap().written), (path.as_path(), written));
    stage.engine.journal.free_the_disk(disk);
    stage.engine.looked_after = Time::default();
    stage.engine.look_after_journal();
    assert_ne!(stage.engine.journal.path(), path);
    assert_eq!(stage.engine.journal.given_up(), None);
    let last = stage.engine.journal.last_seq();
    let read: Vec<u64> = crate::journal::Tail::after(&stage.folder, 0).read(1_000).unwrap().iter().map(|record| record.seq).collect();
    assert_eq!(read, (1..=last).collect::<Vec<_>>(), "no record is stepped over");
    stage.journal_is_true();
}

#[test]
fn after_a_long_outage_a_new_segment_begins_with_what_is_up() {
    let mut stage = Stage::new("gap");
    let disk = stage.engine.journal.fill_the_disk();
    let mut call = 0;
    while stage.engine.journal.path().exists() && stage.engine.journal.given_up().is_none() {
        call += 1;
        stage.calls(CallId(call));
    }
    let given_up = stage.engine.journal.given_up().unwrap();
    assert!(given_up.records > call && given_up.bytes > 64 * 1024, "{given_up:?}");
    stage.calls(CallId(call + 1));
    assert!(stage.engine.journal.given_up().unwrap().records > given_up.records, "what comes after is counted, too");
    stage.handle(vec![hangs_up(CallId(call + 1))]);
    stage.engine.journal.free_the_disk(disk);
    stage.engine.looked_after = Time::default();
    stage.engine.look_after_journal();
    assert!(stage.engine.journal.is_whole());
    stage.handle(vec![hangs_up(CallId(call))]);
    stage.journal_is_true();
    assert_eq!(stage.engine.centre.calls_up() as u64, call - 1, "no call was lost");
    assert_eq!(stage.told.0.lock().unwrap().written, stage.engine.journal.last_seq());
}

/// How long the engine stands still while it begins a new segment with a thousand calls up. A measurement for an optimised build:
/// `cargo test --workspace --lib --profile fuzz -- --ignored --nocapture a_rotation`.
#[test]
#[ignore = "a measurement"]
fn a_rotation_with_a_thousand_calls_stops_the_engine_for_less_than_five_milliseconds() {
    let mut stage = Stage::new("rotation");
    (1..=1_000).for_each(|call| stage.calls(CallId(call)));
    let mut took_us = Vec::new();
    for call in 1..=50 {
        stage.handle(vec![hangs_up(CallId(call))]);
        stage.calls(CallId(1_000 + call));
        stage.engine.journal.fill_the_segment();
        stage.engine.looked_after = Time::default();
        let began = stage.engine.clock.elapsed_us();
        stage.engine.look_after_journal();
        took_us.push(stage.engine.clock.elapsed_us() - began);
    }
    took_us.sort_unstable();
    let bytes = std::fs::metadata(stage.engine.journal.path()).unwrap().len();
    println!("a rotation with 1,000 calls, snapshot of {bytes} bytes: median {} us, worst {} us", took_us[25], took_us[49]);
    assert!(took_us[25] < 5_000, "{took_us:?}");
}
