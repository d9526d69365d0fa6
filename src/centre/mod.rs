//! Who gets which call? A pure, deterministic core: no IO, no async, no clock, no randomness of its own.
//!
//! The engine calls [`Centre::handle`] with each input, takes the facts and the outputs, and sleeps until
//! [`Centre::next_deadline`]. The same inputs at the same times give the same outputs, always.

pub mod abuse;
pub mod agent;
mod answering;
pub mod asking;
pub mod browser;
pub mod call;
pub mod call_out;
pub mod callback;
pub mod calling;
pub mod colleague;
pub mod consult;
pub mod credit;
pub mod deadline;
pub mod dialplan;
mod discretion;
pub mod early;
mod ending;
pub mod estimate;
pub mod evacuation;
pub mod explanation;
pub mod fact;
pub mod help;
pub mod ids;
pub mod input;
pub mod ivr;
pub mod leg;
pub mod line;
pub mod notice;
pub mod offer;
pub mod output;
pub mod queue;
pub mod recovery;
mod replacing;
pub mod room;
pub mod routing;
pub mod schedule;
pub mod settings;
pub mod shift;
pub mod skill;
mod sound;
pub mod steer;
pub mod supervise;
pub mod surge;
pub mod talk;
pub mod time;
pub mod transfer;
pub mod wrap_up;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use agent::Agent;
use call::Call;
use callback::{Callback, Wish};
use deadline::{Deadlines, Reason};
use dialplan::Plan;
use estimate::Pace;
use fact::{EndReason, Fact};
use ids::{AgentId, CallId, NumberId, QueueId, RecordingId};
use input::Input;
use line::Waiting;
use notice::Notice;
use output::{Output, ToDesk, ToLine, ToMedia};
use settings::{QueueSettings, Settings};
use shift::Duty;
use steer::Steering;
use time::Time;

/// The whole state of the call side. A clone of it is a snapshot.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Centre {
    now: Time,
    settings: Settings,
    closing: Closing,
    calls: BTreeMap<CallId, Call>,
    agents: BTreeMap<AgentId, Agent>,
    waiting: Waiting,
    /// What waits are estimated by.
    #[serde(default)]
    pace: Pace,
    callbacks: BTreeMap<CallId, Callback>,
    /// Calls whose callers were promised a callback; they wait without a line.
    #[serde(default)]
    standing: BTreeMap<CallId, Wish>,
    open_recordings: BTreeSet<RecordingId>,
    /// Who is on shift.
    #[serde(default)]
    duty: Duty,
    /// What supervisors have ordered for now.
    #[serde(default)]
    steering: Steering,
    /// What callers are told before they wait.
    #[serde(default)]
    notices: Vec<Notice>,
    deadlines: Deadlines,
    highest_call: CallId,
    /// Ends of calls that are not up: each may have overtaken its beginning.
    early_ends: BTreeSet<CallId>,
    wall_ahead_ms: i64,
    draining: bool,
    #[serde(skip)]
    out: Effects,
}

/// Plans and queues that the settings have dropped while callers are still in them.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
struct Closing {
    plans: BTreeMap<NumberId, Plan>,
    queues: BTreeMap<QueueId, QueueSettings>,
}

/// What one step asks of the world, and what it tells.
#[derive(Clone, PartialEq, Debug, Default)]
struct Effects {
    outputs: VecDeque<Output>,
    facts: Vec<Fact>,
}

impl Effects {
    fn send(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    fn line(&mut self, order: ToLine) {
        self.send(Output::Line(order));
    }

    fn media(&mut self, order: ToMedia) {
        self.send(Output::Media(order));
    }

    fn desk(&mut self, order: ToDesk) {
        self.send(Output::Desk(order));
    }

    fn fact(&mut self, fact: Fact) {
        self.facts.push(fact);
    }
}

impl Centre {
    /// A centre without settings: it refuses every call until `Input::SettingsChanged`.
    pub fn new() -> Self {
        Self::default()
    }

    /// One thing happened at `now`. Deadlines that are due come first, in their order; an earlier `now` counts as the last one.
    pub fn handle(&mut self, now: Time, input: Input) {
        self.now = self.now.max(now);
        // Of a time that has passed nobody is offered a call: after a restart neither operators nor callers are known to be there.
        let is_live = !matches!(input, Input::Restarted { .. });
        if let Input::CallPoisoned { call } = input {
            // Before any deadline: one of them may be what panics.
            self.poisoned(call);
            return;
        }
        while let Some(reason) = self.deadlines.take_due(self.now) {
            self.deadline_reached(reason);
            if is_live {
                self.route();
            }
        }
        self.take(input);
        self.route();
    }

    /// The next order, in the sequence in which they must be carried out.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.out.outputs.pop_front()
    }

    /// What happened since the last call of this.
    pub fn take_facts(&mut self) -> Vec<Fact> {
        std::mem::take(&mut self.out.facts)
    }

    /// When `Input::DeadlineReached` is due at the latest, and why.
    pub fn next_deadline(&self) -> Option<(Time, Reason)> {
        self.deadlines.next()
    }

    /// The state as it is between two steps.
    pub fn snapshot(&self) -> Centre {
        self.clone()
    }

    /// The revision of the settings in force.
    pub fn settings_revision(&self) -> u64 {
        self.settings.revision
    }

    /// The highest call number so far: the next call of a new process must be above it.
    pub fn highest_call(&self) -> CallId {
        self.highest_call
    }

    /// The moment of the last step.
    pub fn time(&self) -> Time {
        self.now
    }

    /// Recordings whose end has not been told.
    pub fn open_recordings(&self) -> impl Iterator<Item = RecordingId> {
        self.open_recordings.iter().copied()
    }

    /// The operators that the core knows of.
    pub fn operators(&self) -> impl Iterator<Item = &AgentId> {
        self.agents.keys()
    }

    /// What callers are told before they wait.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// Whether a call is up.
    pub fn is_up(&self, call: CallId) -> bool {
        self.calls.contains_key(&call)
    }

    /// How many calls are up; those that wait for a callback are not.
    pub fn calls_up(&self) -> usize {
        self.calls.len().saturating_sub(self.standing.len())
    }

    /// How many callers wait for a callback.
    pub fn callbacks_standing(&self) -> usize {
        self.standing.len()
    }

    fn take(&mut self, input: Input) {
        #[cfg(test)]
        poison::strike(&input);
        match input {
            Input::Line(input) => self.on_line(input),
            Input::Media(input) => self.on_media(input),
            Input::Desk(input) => self.on_desk(input),
            Input::LookedUp { call, known } => {
                if self.deadlines.is_set(&Reason::LookUp(call)) {
                    self.looked_up(call, Some(known));
                }
            }
            Input::SettingsChanged(settings) => self.apply_settings(*settings),
            Input::NoticesChanged(notices) => self.notices_changed(notices),
            Input::DeadlineReached => {}
            Input::WallClockStepped { ms } => {
                self.wall_ahead_ms = self.wall_ahead_ms.saturating_add(ms);
                self.match_shifts();
                self.match_callbacks();
            }
            Input::Keyed { call, keyed } => self.keyed(call, keyed),
            Input::ShiftOrdered(order) => self.shift_ordered(order),
            Input::Steered(steered) => self.steered(*steered),
            Input::ShellLost { leg } => self.leg_failed(leg, EndReason::ShellLost),
            Input::CallPoisoned { call } => self.poisoned(call),
            Input::Restarted { downtime_ms } => self.restarted(downtime_ms),
            Input::LegRecovered { leg } => self.leg_recovered(leg),
            Input::LegGone { leg } => self.leg_gone(leg),
            Input::DrainStarted => {
                self.draining = true;
                self.match_callbacks();
            }
            Input::Stopping => self.stop(),
        }
    }

    /// A call that cannot be handled ends; one that had not begun is refused, so that its caller is not left in the dark.
    fn poisoned(&mut self, call: CallId) {
        if self.calls.contains_key(&call) {
            self.end_call(call, EndReason::Poisoned);
        } else if call > self.highest_call {
            self.highest_call = call;
            self.out.line(ToLine::Reject { leg: ids::LegId::caller(call), status: 500, retry_after_s: None });
        }
        self.route();
    }

    fn deadline_reached(&mut self, reason: Reason) {
        match reason {
            Reason::LookUp(call) => self.looked_up(call, None),
            Reason::Key(call) => self.no_key(call),
            Reason::Announce(call) => self.announce_place(call),
            Reason::MaxWait(call) => self.overflow_if_overdue(call),
            Reason::Ring(call) => self.match_ring(call),
            Reason::CallBack(call) => self.match_callback(call),
            Reason::ShiftChanges => self.match_shifts(),
            Reason::OrdersEnd => self.match_orders(),
            Reason::Calm(queue) => self.calm(&queue),
            Reason::OfferEnds(call) => self.offer_failed(call, fact::OfferEnd::NoAnswer),
            Reason::DialEnds(call) => self.dial_ended(call),
            Reason::NoSound(call) => self.end_call(call, EndReason::NoSound),
            Reason::WrapUp(agent) => self.wrap_up_over(&agent),
            Reason::Rest(agent) => self.rest_over(&agent),
            Reason::Recovery => self.recovery_over(),
            Reason::DesksReturn => self.desks_returned(),
            Reason::CallingEnds(call) => self.calling_ends(call),
            Reason::SupervisorRings(agent) => self.supervisor_rang(&agent),
            // It ends as wrap-up does: in what can be.
            Reason::CoolOff(agent) => self.wrap_up_over(&agent),
            Reason::AbuseSaid(call) => self.abuse_said(call),
            Reason::RecordingPaused(call) => self.recording_goes_on(call),
            Reason::AutoAnswer(call) => self.answer_by_itself(call),
            Reason::MediaReturns(agent) => self.give_up_pages(&agent),
        }
    }

    /// New settings: callers in dropped plans and queues are served to their end, operators come and leave.
    fn apply_settings(&mut self, settings: Settings) {
        let before = std::mem::replace(&mut self.settings, settings);
        self.closing.plans.extend(before.numbers);
        self.closing.queues.extend(before.queues);
        let in_use: BTreeSet<NumberId> = self.calls.values().map(|call| call.number.clone()).collect();
        let numbers = &self.settings.numbers;
        self.closing.plans.retain(|number, _| in_use.contains(number) && !numbers.contains_key(number));
        let mut needed: BTreeSet<QueueId> = self.calls.values().filter_map(|call| call.queue()).cloned().collect();
        needed.extend(self.closing.plans.values().flat_map(Plan::queues).cloned());
        needed.extend(self.standing.values().map(|wish| wish.queue.clone()));
        let queues = &self.settings.queues;
        self.closing.queues.retain(|queue, _| needed.contains(queue) && !queues.contains_key(queue));
        self.out.fact(Fact::SettingsApplied { revision: self.settings.revision });
        self.match_agents_to_settings();
        self.match_shifts();
        self.match_modes_to_settings();
        self.match_orders();
        self.match_waits_to_settings();
        self.match_callbacks();
        // How long a line may be dead holds for talks that are up, too.
        let calls: Vec<CallId> = self.calls.keys().copied().collect();
        calls.into_iter().for_each(|call| self.note_silence(call, |_| {}));
    }
}

/// A fault on purpose, for the tests of those who must outlive one.
#[cfg(test)]
pub mod poison {
    use super::ids::CallId;
    use super::input::{FromLine, Input};

    /// Handling anything that the line tells of this call panics.
    pub const POISONED: CallId = CallId(6_660_666);

    pub(super) fn strike(input: &Input) {
        let struck = match input {
            Input::Line(FromLine::Digit { leg, .. }) => leg.call == POISONED,
            _ => false,
        };
        assert!(!struck, "poisoned on purpose");
    }
}
