//! Who carries the core's orders out? The shells, the store's questions, the board and the screens, as the engine sees them.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::sync::{broadcast, mpsc, watch};

use crate::centre::fact::{Fact, QueueEnd};
use crate::centre::ids::{CallId, CallerRef};
use crate::centre::input::Input;
use crate::centre::output::Output;
use crate::centre::time::Time;
use crate::clock::Clock;
use crate::engine::World;
use crate::journal::JournalError;
use crate::media::MediaEngine;
use crate::report::board::Board;
use crate::sip::SipShell;
use crate::web::{FactEvent, Health, WebShell};

/// How many calls and recordings are up.
#[derive(Clone, Copy, Default, Debug)]
pub struct Up {
    calls: i64,
    recordings: i64,
}

impl Up {
    /// Whether nothing is left to be ended.
    pub fn is_nothing(&self) -> bool {
        self.calls <= 0 && self.recordings <= 0
    }

    /// Counts one fact; what a former process began is only ended here, and does not count.
    fn count(&mut self, fact: &Fact) -> bool {
        match fact {
            Fact::CallStarted { .. } => self.calls += 1,
            Fact::CallEnded { .. } => self.calls = (self.calls - 1).max(0),
            Fact::RecordingStarted { .. } => self.recordings += 1,
            Fact::RecordingEnded { .. } => self.recordings = (self.recordings - 1).max(0),
            _ => return false,
        }
        true
    }
}

/// Everything but the shells that hears from the engine.
pub struct Wires {
    /// Questions to the store; a full channel leaves one unanswered, and the core's deadline decides.
    pub questions: mpsc::Sender<(CallId, CallerRef)>,
    /// What happens now.
    pub board: Arc<Mutex<Board>>,
    /// What each screen reads from; a slow one loses events and starts again from the board.
    pub facts: broadcast::Sender<FactEvent>,
    /// Whether the parts live.
    pub health: Arc<Health>,
    /// The last record in the journal.
    pub written: watch::Sender<u64>,
    /// What is up, for an orderly end.
    pub up: watch::Sender<Up>,
    /// The city's time zone, for its midnight.
    pub zone: chrono_tz::Tz,
    /// For the age of the last decision.
    pub clock: Clock,
}

/// The world of the engine.
pub struct Shells {
    sip: Arc<SipShell>,
    media: Arc<MediaEngine>,
    web: Arc<WebShell>,
    wires: Wires,
    /// The city's date, counted in days: the board's counts begin anew with it.
    day: i32,
}

impl Shells {
    /// The shells and the wires between them.
    pub fn new(sip: Arc<SipShell>, media: Arc<MediaEngine>, web: Arc<WebShell>, wires: Wires) -> Self {
        let day = local_day(wires.clock.now(), wires.zone);
        Self { sip, media, web, wires, day }
    }
}

impl World for Shells {
    fn carry_out(&mut self, output: Output) -> Result<(), Input> {
        match output {
            Output::Line(order) => self.sip.carry_out(order).map_err(|leg| Input::ShellLost { leg }),
            Output::Media(order) => self.media.carry_out(order).map_err(|leg| Input::ShellLost { leg }),
            Output::Desk(order) => {
                self.web.carry_out(order);
                Ok(())
            }
            Output::LookUp { call, caller } => {
                if self.wires.questions.try_send((call, caller)).is_err() {
                    metrics::counter!("cityline_look_ups_lost_total").increment(1);
                }
                Ok(())
            }
        }
    }

    fn show(&mut self, time: Time, facts: &[Fact]) {
        if facts.is_empty() {
            return;
        }
        {
            let mut board = self.wires.board.lock().unwrap_or_else(PoisonError::into_inner);
            facts.iter().for_each(|fact| board.apply(time, fact));
        }
        for fact in facts {
            count(fact);
            self.wires.up.send_if_modified(|up| up.count(fact));
            // Nobody looks: that is not an error.
            let _ = self.wires.facts.send(FactEvent { at: time, fact: fact.clone() });
        }
    }

    fn journal_failed(&mut self, error: &JournalError) {
        metrics::counter!("cityline_journal_errors_total").increment(1);
        self.wires.health.set_journal(false);
        tracing::error!(%error, "the journal cannot be written: calls go on from memory");
    }

    fn written(&mut self, seq: u64) {
        self.wires.written.send_replace(seq);
    }

    fn came_round(&mut self) {
        let now = self.wires.clock.now();
        self.wires.health.engine_came_round(now);
        let day = local_day(now, self.wires.zone);
        if std::mem::replace(&mut self.day, day) != day {
            self.wires.board.lock().unwrap_or_else(PoisonError::into_inner).start_day(now);
        }
    }
}

fn local_day(now: Time, zone: chrono_tz::Tz) -> i32 {
    use chrono::Datelike;
    let ms = i64::try_from(now.0).unwrap_or_default();
    chrono::DateTime::from_timestamp_millis(ms).map_or(0, |utc| utc.with_timezone(&zone).num_days_from_ce())
}

/// Counts for `/metrics`; everything else of a fact is in the database.
fn count(fact: &Fact) {
    match fact {
        Fact::CallStarted { number, .. } => metrics::counter!("cityline_calls_total", "number" => number.to_string()).increment(1),
        Fact::CallEnded { reason, .. } => metrics::counter!("cityline_calls_ended_total", "reason" => reason.word()).increment(1),
        Fact::Offered { .. } => metrics::counter!("cityline_offers_total").increment(1),
        Fact::Dequeued { queue, how: QueueEnd::Answered, waited_ms, .. } => {
            metrics::histogram!("cityline_wait_seconds", "queue" => queue.to_string()).record(seconds(*waited_ms));
        }
        Fact::RecordingEnded { lost_ms, .. } => metrics::counter!("cityline_recording_lost_ms_total").increment(*lost_ms),
        _ => {}
    }
}

fn seconds(ms: u64) -> f64 {
    std::time::Duration::from_millis(ms).as_secs_f64()
}

/// The recorder of this process's metrics, and the handle that `/metrics` prints from.
pub fn metrics_recorder() -> anyhow::Result<PrometheusHandle> {
    static HANDLE: std::sync::OnceLock<PrometheusHandle> = std::sync::OnceLock::new();
    if let Some(handle) = HANDLE.get() {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new().install_recorder().context("metrics: another recorder is installed in this process")?;
    Ok(HANDLE.get_or_init(|| handle).clone())
}
