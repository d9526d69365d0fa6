//! Who carries the core's orders out? The shells, the store's questions, the board and the screens, as the engine sees them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::sync::{broadcast, mpsc, watch};

use crate::centre::Centre;
use crate::centre::fact::{Fact, QueueEnd};
use crate::centre::ids::{CallId, CallerRef, Language, LegId};
use crate::centre::input::Input;
use crate::centre::output::{Output, Sound, ToLine, ToMedia};
use crate::centre::time::Time;
use crate::clock::Clock;
use crate::engine::World;
use crate::journal::JournalError;
use crate::lanes::Inputs;
use crate::media::MediaEngine;
use crate::number_book::NumberBook;
use crate::private::Private;
use crate::report::board::Board;
use crate::sip::SipShell;
use crate::vitals::Pulse;
use crate::web::{FactEvent, Health, WebShell};

/// How many calls and recordings are up.
#[derive(Clone, Copy, Default, Debug)]
pub struct Up {
    calls: i64,
    recordings: i64,
}

impl Up {
    /// What a former process left up.
    pub fn of(centre: &Centre) -> Up {
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        Up { calls: count(centre.calls_up()), recordings: count(centre.open_recordings().count()) }
    }

    /// Whether nothing is left to be ended.
    pub fn is_nothing(&self) -> bool {
        self.calls <= 0 && self.recordings <= 0
    }

    /// Counts one fact.
    fn count(&mut self, fact: &Fact) -> bool {
        match fact {
            Fact::CallStarted { .. } | Fact::CalledOut { .. } => self.calls += 1,
            // Who waits for a callback is not up; a callback that ends is a call again, if only to end as one.
            Fact::CallEnded { .. } | Fact::CallbackStands { .. } => self.calls = (self.calls - 1).max(0),
            Fact::CallbackEnded { .. } => self.calls += 1,
            Fact::RecordingStarted { .. } => self.recordings += 1,
            Fact::RecordingEnded { .. } => self.recordings = (self.recordings - 1).max(0),
            _ => return false,
        }
        true
    }
}

/// Endings put off at most: two for each leg of a very large centre. The oldest goes when there are more, and is counted.
const UNSENT: usize = 40_000;

/// Everything but the shells that hears from the engine.
pub struct Wires {
    /// Questions to the store; a full channel leaves one unanswered, and the core's deadline decides.
    pub questions: mpsc::Sender<(CallId, CallerRef)>,
    /// Numbers that are about to be dialled and have to be looked up; one that a full channel leaves out cannot be dialled this time.
    pub recalls: mpsc::Sender<CallerRef>,
    /// Numbers on their way to signalling.
    pub numbers: NumberBook,
    /// The way back to the engine, for keys of numbers.
    pub inputs: Inputs,
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
    /// The time, for the date.
    pub clock: Clock,
    /// The engine's: it ends with the world, which the engine's task owns.
    pub pulse: Pulse,
}

/// The world of the engine.
pub struct Shells {
    sip: Arc<SipShell>,
    media: Arc<MediaEngine>,
    web: Arc<WebShell>,
    wires: Wires,
    /// Whether the last group went into the journal: a failure is logged once.
    journal_ok: bool,
    /// Endings that a full shell could not take.
    unsent: VecDeque<Output>,
    /// The city's date, counted in days: the board's counts begin anew with it.
    day: i32,
}

impl Shells {
    /// The shells and the wires between them.
    pub fn new(sip: Arc<SipShell>, media: Arc<MediaEngine>, web: Arc<WebShell>, wires: Wires) -> Self {
        let day = local_day(wires.clock.now(), wires.zone);
        Self { sip, media, web, wires, journal_ok: true, unsent: VecDeque::new(), day }
    }
}

impl Shells {
    /// A shell's queue is full. An ending is kept until it has room, because the core has forgotten its leg already;
    /// for any other order the core gives the leg up.
    fn put_off(&mut self, leg: LegId, ending: Option<Output>) -> Result<(), Input> {
        let Some(ending) = ending else { return Err(Input::ShellLost { leg }) };
        if self.unsent.len() >= UNSENT {
            self.unsent.pop_front();
            metrics::counter!("cityline_endings_lost_total").increment(1);
            tracing::error!("a shell has been stuck for so long that an ending is lost; restart the process when it can be spared");
        }
        self.unsent.push_back(ending);
        Ok(())
    }

    /// Endings that were put off go first, in their order.
    fn catch_up(&mut self) {
        while let Some(ending) = self.unsent.pop_front() {
            let sent = match &ending {
                Output::Line(order) => self.sip.carry_out(order.clone()),
                Output::Media(order) => self.media.carry_out(order.clone()),
                Output::Desk(_) | Output::LookUp { .. } | Output::Keying { .. } | Output::Recall { .. } => Ok(()),
            };
            if sent.is_err() {
                self.unsent.push_front(ending);
                return;
            }
        }
    }
}

/// Orders after which the core knows nothing of the leg any more.
fn ends_line(order: &ToLine) -> bool {
    match order {
        ToLine::Reject { .. } | ToLine::CancelDial { .. } | ToLine::HangUp { .. } => true,
        ToLine::Ring { .. }
        | ToLine::Answer { .. }
        | ToLine::Dial { .. }
        | ToLine::AcceptOffer { .. }
        | ToLine::RefuseOffer { .. }
        | ToLine::Renegotiate { .. }
        | ToLine::ReferProgress { .. } => false,
    }
}

/// A number's digits in place of its reference: sound knows neither.
fn speaking_out(order: ToMedia, numbers: &NumberBook) -> ToMedia {
    let ToMedia::Play { leg, play, sounds, ending } = order else { return order };
    let sounds = sounds.into_iter().flat_map(|sound| match sound {
        Sound::Number { number, language } => digits_of(numbers.number(number), language),
        sound => vec![sound],
    });
    ToMedia::Play { leg, play, sounds: sounds.collect(), ending }
}

fn digits_of(number: Option<Private<String>>, language: Language) -> Vec<Sound> {
    let digits = number.map(|number| number.reveal().chars().filter(char::is_ascii_digit).collect::<Vec<_>>()).unwrap_or_default();
    digits.into_iter().map(|digit| Sound::Prompt { id: format!("digit-{digit}").into(), language }).collect()
}

/// The same for sound.
fn ends_media(order: &ToMedia) -> bool {
    match order {
        ToMedia::StopRecord { .. } | ToMedia::Close { .. } => true,
        ToMedia::Open { .. }
        | ToMedia::Attach { .. }
        | ToMedia::Agree { .. }
        | ToMedia::Play { .. }
        | ToMedia::StopPlay { .. }
        | ToMedia::SendDigits { .. }
        | ToMedia::Connect { .. }
        | ToMedia::Record { .. }
        | ToMedia::PauseRecord { .. }
        | ToMedia::ResumeRecord { .. } => false,
    }
}

impl World for Shells {
    fn carry_out(&mut self, output: Output) -> Result<(), Input> {
        self.catch_up();
        match output {
            Output::Line(order) => {
                let ending = ends_line(&order).then(|| Output::Line(order.clone()));
                self.sip.carry_out(order).or_else(|leg| self.put_off(leg, ending))
            }
            Output::Media(order) => {
                let order = speaking_out(order, &self.wires.numbers);
                let ending = ends_media(&order).then(|| Output::Media(order.clone()));
                self.media.carry_out(order).or_else(|leg| self.put_off(leg, ending))
            }
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
            Output::Keying { call, order } => {
                // The engine takes it next; a full lane leaves it out, and the core's deadline decides.
                self.wires.inputs.keying().carry_out(call, order).map_or(Ok(()), Err)
            }
            Output::Recall { number } => {
                if self.wires.numbers.number(number).is_none() && self.wires.recalls.try_send(number).is_err() {
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
            if let Some(event) = FactEvent::of(time, fact) {
                // Nobody looks: that is not an error.
                let _ = self.wires.facts.send(event);
            }
        }
    }

    fn journal_failed(&mut self, error: &JournalError) {
        metrics::counter!("cityline_journal_errors_total").increment(1);
        self.wires.health.set_journal(false);
        if std::mem::replace(&mut self.journal_ok, false) {
            tracing::error!(%error, "the journal cannot be written: calls go on from memory");
        }
    }

    fn written(&mut self, seq: u64) {
        if !std::mem::replace(&mut self.journal_ok, true) {
            tracing::info!("the journal is written again");
            self.wires.health.set_journal(true);
        }
        self.wires.written.send_replace(seq);
    }

    fn came_round(&mut self) {
        self.catch_up();
        let now = self.wires.clock.now();
        self.wires.pulse.beat();
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
        Fact::CallStarted { .. } => metrics::counter!("cityline_calls_total").increment(1),
        Fact::CalledOut { .. } => metrics::counter!("cityline_calls_out_total").increment(1),
        Fact::Transferred { .. } => metrics::counter!("cityline_transfers_total").increment(1),
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
