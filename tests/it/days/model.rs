//! What must be true of a centre after every step? A small model that sees the inputs, outputs and facts and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use cityline::centre::dialplan::{Action, Plan};
use cityline::centre::fact::{AgentStatus, EndReason, Fact, OfferEnd, QueueEnd};
use cityline::centre::ids::{AgentId, CallId, CallerRef, LegId, QueueId, RecordingId, ShiftId, StepId};
use cityline::centre::input::{FromDesk, FromLine, FromMedia, HangUpCause, Input};
use cityline::centre::output::Output;
use cityline::centre::settings::{QueueSettings, Settings};
use cityline::centre::shift::Wanted;
use cityline::centre::steer::{Order, StateWanted, Steered};
use cityline::centre::surge::Mode;
use cityline::centre::time::Time;

use super::about::{call_of, leg_of};
use super::calls::{Call, Talk, Third};
use super::colleagues::Between;
use super::legs::Legs;
use super::rooms::Rooms;
use super::staff::Staff;
use super::steering::as_wished;

#[derive(Default)]
pub struct Model {
    pub now: Time,
    pub calls: BTreeMap<CallId, Call>,
    pub over: BTreeSet<CallId>,
    early_ends: BTreeSet<CallId>,
    pub settings: Settings,
    /// The last rules of every queue that has ever been.
    rules: BTreeMap<QueueId, QueueSettings>,
    /// The last plan of the city's number: calls that are up go on by it when the number is taken away.
    pub plan: Option<Plan>,
    pub legs: Legs,
    pub staff: Staff,
    /// Calls between operators.
    pub between: BTreeMap<CallId, Between>,
    /// Who was offered the last call of a queue.
    pub turns: BTreeMap<QueueId, AgentId>,
    /// Who is on shift as they are not without a table, and the orders of supervisors with their ends.
    pub duty: BTreeMap<AgentId, (bool, Vec<ShiftId>)>,
    pub orders: BTreeMap<AgentId, (Wanted, Time)>,
    /// What supervisors have ordered for today, and the queues that are not as the plan has them.
    pub able: BTreeMap<AgentId, super::steering::Today>,
    pub modes: BTreeMap<QueueId, (Mode, Option<u64>)>,
    /// The largest bound that any settings of the day have stated.
    pub bound_ms: u64,
    /// By how much somebody was overtaken at most.
    pub overtaken_ms: u64,
    pub owed: BTreeSet<CallId>,
    /// The order that is judged.
    given: Option<Steered>,
    draining: bool,
    recovery_until: Option<Time>,
    arrived: BTreeSet<CallId>,
    recordings_told: BTreeSet<RecordingId>,
    pub rooms: Rooms,
    /// What is wrong; empty as long as all is well.
    pub faults: Vec<String>,
}

/// What the step has told so far, for what comes later in it.
#[derive(Default)]
pub struct Step {
    pub ended_offers: Vec<(CallId, AgentId, OfferEnd)>,
    pub ended_calls: BTreeMap<CallId, EndReason>,
    pub ended_talks: BTreeMap<CallId, Talk>,
    pub connected: BTreeMap<CallId, (AgentId, QueueId)>,
    started: BTreeMap<CallId, ()>,
    /// Who was asked by name, at its beginning or since.
    pub asked: BTreeSet<(CallId, AgentId)>,
    /// How asking ended.
    pub asks_ended: Vec<(CallId, AgentId, OfferEnd)>,
    /// Who was busy with a call beside its operator, at its beginning or since.
    pub beside: BTreeSet<AgentId>,
    /// By the rules of which queue a call goes.
    pub queues: BTreeMap<CallId, QueueId>,
    /// A new process connects and records what it has found.
    pub anew: bool,
    /// Calls between operators that were up at its beginning or since.
    pub between: BTreeMap<CallId, (AgentId, AgentId)>,
    /// Who began one in it, on either side.
    pub between_begun: Vec<AgentId>,
    /// Those that have ended in it.
    pub between_ended: BTreeSet<CallId>,
    /// Who has taken an operator's place.
    pub taken: BTreeSet<AgentId>,
}

impl Model {
    /// One step of the centre: judges it against everything before.
    pub fn step(&mut self, now: Time, input: &Input, outputs: &[Output], facts: &[Fact]) {
        self.now = self.now.max(now);
        let given = match input {
            Input::Steered(steered) => Some(steered.as_ref().clone()),
            _ => None,
        };
        // A state that is ordered is judged as the operator's own wish.
        let wished = as_wished(input);
        let input = wished.as_ref().unwrap_or(input);
        self.given = given;
        let up_before: BTreeSet<CallId> = self.calls.keys().chain(self.between.keys()).copied().collect();
        let must_end = self.must_end(input);
        self.staff.await_desks(self.now);
        let expected_states = self.staff.expect(self.now, input, &self.settings, &self.calls, &self.rules);
        if let Input::LegRecovered { leg } = input
            && leg.n == 0
            && let Some(known) = self.calls.get_mut(&leg.call)
        {
            known.unknown = false;
        }
        self.note_hold(input);
        self.rooms.note(input, &self.legs);
        self.note_page(input);
        self.note_look_up(input);
        self.legs.note(input);
        self.staff.note(input, &self.settings);
        if let Some(Order::State { operator, to: StateWanted::SignedOut, .. }) = self.given.as_ref().map(|given| &given.order) {
            self.staff.send_off(operator, &self.settings);
        }
        let mut step = self.begin_step();
        step.anew = matches!(input, Input::Restarted { .. } | Input::LegRecovered { .. });
        // Operators are told to go on before the call's end is told.
        step.between_ended.extend(facts.iter().filter_map(|fact| match fact {
            Fact::ColleagueCallEnded { call, .. } => Some(*call),
            _ => None,
        }));
        for fact in facts {
            self.take_fact(fact, input, &mut step);
        }
        for output in outputs {
            self.take_output(output, &mut step);
        }
        self.check_arrival(input, &step, &up_before);
        for call in must_end {
            self.check(!self.calls.contains_key(&call), || format!("{call} is still up after {input:?}"));
        }
        self.faults.extend(self.staff.check_expected(&expected_states));
        self.check_invariants(&step);
        self.calls.values_mut().filter_map(|known| known.wait.as_mut()).for_each(|wait| wait.is_settled = false);
    }

    fn begin_step(&self) -> Step {
        let mut step = Step { between: self.operators_between(), ..Step::default() };
        for (id, call) in &self.calls {
            let calls_out = call.out.as_ref().map(|(agent, _)| agent);
            step.asked.extend(call.asked().into_iter().chain(calls_out).map(|agent| (*id, agent.clone())));
            step.beside.extend(call.beside().cloned());
            step.queues.extend(call.queue().map(|queue| (*id, queue.clone())));
        }
        step
    }

    /// A hold at the desk counts for the operator of the talk, unless they are asking somebody.
    fn note_hold(&mut self, input: &Input) {
        let (agent, call, hold) = match input {
            Input::Desk(FromDesk::Hold { agent, call }) => (agent, call, true),
            Input::Desk(FromDesk::Resume { agent, call }) => (agent, call, false),
            _ => return,
        };
        let known = self.settings.agents.contains_key(agent);
        let talk = self.calls.get_mut(call).and_then(|known| known.talk.as_mut());
        let Some(talk) = talk.filter(|talk| known && talk.agent.as_ref() == Some(agent)) else { return };
        if !matches!(talk.third, Some(Third::Rings(_) | Third::Consulted(..))) {
            talk.hold = hold;
        }
    }

    pub fn check(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.faults.push(what());
        }
    }

    pub fn rules(&self, queue: &QueueId) -> QueueSettings {
        self.rules.get(queue).cloned().unwrap_or_default()
    }

    /// Calls that cannot be up after this input, whatever else it does.
    fn must_end(&self, input: &Input) -> Vec<CallId> {
        let leg_over = |leg: &LegId| -> Option<CallId> {
            let call = self.calls.get(&leg.call)?;
            let is_side = leg.n == 0 || call.talk.as_ref().is_some_and(|talk| talk.leg == leg.n && talk.third.is_none());
            (is_side && self.legs.is_live(*leg)).then_some(leg.call)
        };
        match input {
            Input::Line(FromLine::HungUp { leg, .. } | FromLine::Refused { leg, .. }) => leg_over(leg).into_iter().collect(),
            Input::ShellLost { leg } | Input::LegGone { leg } => leg_over(leg).into_iter().collect(),
            Input::Media(FromMedia::Failed { leg, .. }) if !self.legs.is_reoffered(*leg) && !self.legs.is_asked_early(*leg) => {
                leg_over(leg).into_iter().collect()
            }
            Input::CallPoisoned { call } => self.calls.contains_key(call).then_some(*call).into_iter().collect(),
            Input::Desk(FromDesk::HangUp { agent, call }) => {
                let is_theirs = |talk: &Talk| talk.agent.as_ref() == Some(agent) && talk.third.is_none();
                let theirs = self.calls.get(call).and_then(|known| known.talk.as_ref()).is_some_and(is_theirs);
                let known = self.settings.agents.contains_key(agent);
                (theirs && known).then_some(*call).into_iter().collect()
            }
            Input::Stopping => self.calls.keys().copied().collect(),
            _ => Vec::new(),
        }
    }

    fn check_arrival(&mut self, input: &Input, step: &Step, up_before: &BTreeSet<CallId>) {
        match input {
            Input::Line(FromLine::CallArrived { call, number, .. }) => {
                let new = self.arrived.insert(*call);
                let full = up_before.len() >= self.settings.limits.max_calls as usize;
                let expected = match () {
                    () if up_before.contains(call) => (false, None),
                    () if !new => return,
                    () if self.early_ends.remove(call) => (true, Some(EndReason::LeftInMenu)),
                    () if !self.settings.numbers.contains_key(number) => (true, Some(EndReason::UnknownNumber)),
                    () if full || self.draining => (true, Some(EndReason::Overloaded)),
                    () => (true, None),
                };
                let found = (step.started.contains_key(call), step.ended_calls.get(call).copied());
                self.check(found == expected, || format!("{call} arrived: {found:?}, not {expected:?}"));
                let up = self.calls.contains_key(call);
                let may = expected.1.is_none();
                self.check(up == may, || format!("{call} arrived: up is {up}"));
            }
            Input::Line(FromLine::PhoneCalled { call, .. }) => drop(self.arrived.insert(*call)),
            Input::Line(FromLine::HungUp { leg, .. }) if leg.n == 0 && !self.arrived.contains(&leg.call) => {
                self.early_ends.insert(leg.call);
            }
            Input::DrainStarted | Input::Stopping => self.draining = true,
            _ => {}
        }
        self.check(step.started.len() <= 1, || "one input started several calls".to_owned());
    }

    fn take_fact(&mut self, fact: &Fact, input: &Input, step: &mut Step) {
        if let Some(call) = call_of(fact) {
            let begins = matches!(
                fact,
                Fact::CallStarted { .. } | Fact::CalledOut { .. } | Fact::RecordingEnded { .. } | Fact::ColleagueCalled { .. }
            );
            let known = self.calls.contains_key(&call) || self.between.contains_key(&call) || begins;
            self.check(known, || format!("{fact:?} of a call that is not up"));
            if !known {
                return;
            }
        }
        match fact {
            Fact::StepEntered { call, step } => self.step_entered(*call, step),
            Fact::CallStarted { call, caller, .. } => self.started(*call, *caller, step),
            Fact::LanguageChosen { call, language, .. } => {
                self.calls.get_mut(call).into_iter().for_each(|known| known.language = Some(*language));
            }
            Fact::Enqueued { call, queue, language, skills } => self.enqueued(*call, queue, *language, skills),
            Fact::PlaceTold { call, queue, place, .. } => self.place_told(*call, queue, *place),
            Fact::Offered { call, queue, agent, why } => self.offered(*call, queue, agent, why),
            Fact::OfferShown { call, agent } => {
                let theirs = self.calls.get(call).and_then(|known| known.offer.as_ref()).is_some_and(|(offered, _)| offered == agent);
                let asked = self.calls.get(call).is_some_and(|known| known.asked() == Some(agent));
                self.check(theirs || asked, || format!("{call} is shown to {agent}, whom it is not offered to"));
            }
            Fact::OfferEnded { call, agent, how } => self.offer_ended(*call, agent, *how, input, step),
            Fact::Connected { call, queue, agent, waited_ms } => self.connected(*call, queue, agent, *waited_ms, step),
            Fact::Dequeued { call, queue, how, waited_ms } => self.dequeued(*call, queue, *how, *waited_ms),
            Fact::LegStarted { leg, party } => self.faults.extend(self.legs.started(*leg, party).err()),
            Fact::LegEnded { leg, .. } => {
                self.rooms.leg_ended(*leg);
                self.faults.extend(self.legs.ended(*leg).err());
            }
            Fact::LegSound { leg, lost } => self.sound(*leg, *lost),
            Fact::RecordingStarted { recording, .. } => self.faults.extend(self.legs.recording_told(*recording).err()),
            Fact::RecordingEnded { recording, .. } => {
                let first = self.recordings_told.insert(*recording);
                self.check(first, || format!("{recording:?} ended twice"));
            }
            Fact::AgentChanged { agent, state } => {
                let changed = self.staff.changed(self.now, agent, state, input, step, &self.settings, &self.rules);
                self.faults.extend(changed.err());
            }
            Fact::CallbackOwed { call, caller, queue, waiting_since_ms, .. } => {
                let known = self.calls.get(call);
                let since = known.and_then(|known| known.wait.as_ref()).map(|wait| wait.counts_since.0);
                let rings =
                    known.and_then(|known| known.ringing.as_ref()).is_some_and(|(_, of)| of == queue) && *waiting_since_ms <= self.now.0;
                let first = self.owed.insert(*call);
                let good = first && (since == Some(*waiting_since_ms) || rings) && !caller.is_withheld();
                self.check(good, || format!("a callback for {call} that is not owed"));
            }
            Fact::CallEnded { call, reason } => self.ended(*call, *reason, input, step),
            Fact::SettingsApplied { revision } => {
                if let Input::SettingsChanged(settings) = input {
                    self.check(settings.revision == *revision, || "another revision was applied".to_owned());
                    self.rules.extend(settings.queues.clone());
                    self.plan = settings.numbers.values().next().cloned().or(self.plan.take());
                    self.bound_ms = self.bound_ms.max(settings.credits.bound_ms());
                    self.settings = (**settings).clone();
                    self.staff.settings_applied(&self.settings);
                    self.lines_judged();
                }
            }
            Fact::Restarted { downtime_ms } => self.restarted(*downtime_ms),
            Fact::CallAnswered { .. } | Fact::KeyPressed { .. } | Fact::TopicChosen { .. } | Fact::LegAnswered { .. } => {}
            Fact::CalledOut { call, caller, agent, queue, .. } => self.called_out(*call, *caller, agent, queue, step),
            Fact::ConsultStarted { call, agent, with } => self.consult_started(*call, agent, with, step),
            Fact::ConsultEnded { call, how, .. } => self.consult_ended(*call, *how, step),
            Fact::Joined { leg, party, role } => self.joined(*leg, party, *role, step),
            Fact::Transferred { call, agent, to } => self.transferred(*call, agent, to, step),
            Fact::TransferFailed { call, queue, how } => self.transfer_failed(*call, queue, *how, step),
            Fact::Held { leg, .. } => self.check_talks(leg.call, "holds"),
            Fact::TakenOver { call, agent, .. } => {
                step.taken.insert(agent.clone());
                self.check_talks(*call, "is taken over");
            }
            Fact::LegReplaced { leg, by } => self.leg_replaced(*leg, *by),
            Fact::PageLost { call, agent, queue } => self.page_lost(*call, agent, queue, step),
            Fact::ColleagueCalled { call, from, to } => self.colleague_called(*call, from, to, step),
            Fact::ColleagueCallEnded { call, .. } => self.colleague_call_ended(*call),
            Fact::StateEnds { .. }
            | Fact::HelpAsked { .. }
            | Fact::HelpOver { .. }
            | Fact::Warned { .. }
            | Fact::WarningOver { .. }
            | Fact::CallerMarked { .. }
            | Fact::RecordingPaused { .. } => self.desk_work(fact, input, step),
            Fact::Credited { call, credit_ms, .. } => self.credited(*call, *credit_ms),
            Fact::PutBehind { call, queue, from, to } => self.put_behind(*call, queue, *from, *to),
            Fact::ShiftOrdered { agent, wanted, until_ms, .. } => self.shift_ordered(input, agent, wanted, *until_ms),
            Fact::ShiftChanged { agent, is_on, shifts } => drop(self.duty.insert(agent.clone(), (*is_on, shifts.clone()))),
            Fact::RingReached { call, ring, needed, .. } => self.ring_reached(*call, *ring, needed),
            Fact::Steered { .. } | Fact::QueueModeChanged { .. } | Fact::AbleToday { .. } | Fact::EvacuationChanged { .. } => {
                let given = self.given.clone();
                self.steering(fact, given.as_ref());
            }
            Fact::CallDiverted { .. } | Fact::NoticeTold { .. } | Fact::Subscribed { .. } => {}
            Fact::WaitsOn { .. }
            | Fact::CallbackStands { .. }
            | Fact::CallbackRefused { .. }
            | Fact::CallbackDialled { .. }
            | Fact::CallbackTried { .. }
            | Fact::CallbackEnded { .. } => self.check(false, || format!("no plan of these days has callbacks: {fact:?}")),
            // The days' lines are never refused or marked.
            Fact::LegUnheard { .. } | Fact::LegQuality { .. } => {}
        }
    }

    /// Back to a queue after a talk: a new wait, from which nobody is turned away.
    pub fn waits_anew(&mut self, call: CallId) {
        if let Some(known) = self.calls.get_mut(&call) {
            (known.waited, known.waits_since, known.overflowed, known.at_the_door) = (None, None, true, None);
            known.place_told = None;
            (known.queue_step, known.line_lost) = (None, false);
        }
    }

    pub fn started(&mut self, call: CallId, caller: CallerRef, step: &mut Step) {
        let new = !self.calls.contains_key(&call) && !self.over.contains(&call);
        self.check(new, || format!("{call} started twice"));
        step.started.insert(call, ());
        self.calls.insert(call, Call::new(caller, self.now));
    }

    pub fn step_of_plan(&self, step: &StepId) -> Option<&Action> {
        let plan = self.plan.as_ref()?;
        plan.steps.get(step).or(plan.steps.get(&plan.start)).map(|step| &step.action)
    }

    fn offer_ended(&mut self, call: CallId, agent: &AgentId, how: OfferEnd, input: &Input, step: &mut Step) {
        let now = self.now;
        let Some(known) = self.calls.get_mut(&call) else { return };
        let (owner, until) = known.offer.take().map_or((None, now), |(owner, until)| (Some(owner), until));
        let about = leg_of(input).is_some_and(|leg| leg.call == call);
        let by_agent = matches!(input, Input::Desk(desk) if desk.agent() == agent);
        let caused = match how {
            OfferEnd::Answered => about && matches!(input, Input::Media(FromMedia::Agreed { .. })),
            OfferEnd::Declined => by_agent,
            OfferEnd::NoAnswer => until <= now,
            OfferEnd::Failed(_) => about && leg_of(input).is_some_and(|leg| leg.n > 0),
            OfferEnd::CallerGone => {
                about
                    || known.silent_until.is_some_and(|until| until <= now)
                    || matches!(input, Input::CallPoisoned { .. } | Input::Stopping)
            }
            OfferEnd::AgentGone => {
                by_agent || self.staff.desk_lost(agent) || matches!(input, Input::SettingsChanged(_) | Input::Restarted { .. })
            }
        };
        self.check(owner.as_ref() == Some(agent), || format!("the offer of {call} to {agent} ended, but {owner:?} has it"));
        self.check(caused, || format!("the offer of {call} to {agent} ended as {how:?} by {input:?}"));
        step.ended_offers.push((call, agent.clone(), how));
    }

    fn connected(&mut self, call: CallId, queue: &QueueId, agent: &AgentId, waited_ms: u64, step: &mut Step) {
        let since = self.calls.get(&call).and_then(|known| known.waited.clone());
        let right = since.is_some_and(|(last, since)| last == *queue && self.now.ms_since(since) == waited_ms);
        let won = step.ended_offers.contains(&(call, agent.clone(), OfferEnd::Answered));
        self.check(right && won, || format!("{call} was connected to {agent} after {waited_ms} ms"));
        step.connected.insert(call, (agent.clone(), queue.clone()));
        self.staff.answers(agent);
    }

    fn dequeued(&mut self, call: CallId, queue: &QueueId, how: QueueEnd, waited_ms: u64) {
        let now = self.now;
        let Some(known) = self.calls.get_mut(&call) else { return };
        let Some(wait) = known.wait.take() else {
            self.faults.push(format!("{call} left a queue that it was not in"));
            return;
        };
        let offered = known.offer.is_some();
        let again = how == QueueEnd::Overflowed && std::mem::replace(&mut known.overflowed, true);
        let age = now.ms_since(wait.since);
        let longest = self.rules(queue).max_wait_ms;
        self.check(wait.queue == *queue && age == waited_ms, || format!("{call} left {queue} after {waited_ms} ms, not {age}"));
        self.check(!offered, || format!("{call} left the queue while it was offered"));
        self.check(!again, || format!("{call} overflowed twice"));
        self.check(how != QueueEnd::Overflowed || (longest > 0 && age >= longest), || {
            format!("{call} overflowed after {age} ms of {longest}")
        });
    }

    fn sound(&mut self, leg: LegId, lost: bool) {
        let ends_after = self.settings.limits.no_sound_ends_ms;
        let until = (lost && ends_after > 0).then(|| self.now.plus_ms(ends_after));
        if leg.n == 0
            && let Some(known) = self.calls.get_mut(&leg.call)
        {
            known.silent = lost;
            known.silent_until = until.filter(|_| known.talk.is_some() && self.rooms.is_heard(leg));
        }
    }

    /// The settings that are new hold for talks that are up, but an end that was set stays where it was.
    fn lines_judged(&mut self) {
        let ends_after = self.settings.limits.no_sound_ends_ms;
        for (id, known) in &mut self.calls {
            let dead = known.silent && known.talk.is_some() && self.rooms.is_heard(LegId::caller(*id)) && ends_after > 0;
            known.silent_until = dead.then(|| known.silent_until.unwrap_or(self.now.plus_ms(ends_after)));
        }
    }

    fn ended(&mut self, call: CallId, reason: EndReason, input: &Input, step: &mut Step) {
        let now = self.now;
        let Some(known) = self.calls.remove(&call) else { return };
        let cause = leg_of(input).filter(|leg| leg.call == call);
        let by_resident = cause.is_some_and(|leg| leg.n == 0);
        let hung_up = matches!(input, Input::Line(FromLine::HungUp { cause: HangUpCause::Bye | HangUpCause::Cancel, .. }));
        let signalling = matches!(input, Input::Line(FromLine::HungUp { .. } | FromLine::Refused { .. }));
        let talked = known.was_served();
        let waited = known.waited.is_some();
        let caused = match reason {
            EndReason::CallerHungUp => by_resident && hung_up && talked,
            EndReason::Abandoned => by_resident && hung_up && !talked && waited,
            EndReason::LeftInMenu => (by_resident && hung_up && !talked) || matches!(input, Input::Line(FromLine::CallArrived { .. })),
            EndReason::OperatorHungUp => {
                let at_desk = matches!(input, Input::Desk(FromDesk::HangUp { call: id, .. }) if *id == call);
                talked && (at_desk || (cause.is_some() && !by_resident && hung_up))
            }
            EndReason::OutsideEnded => talked && cause.is_some() && !by_resident && signalling,
            EndReason::PlanEnded => !talked && known.wait.is_none(),
            EndReason::UnknownNumber | EndReason::Overloaded => matches!(input, Input::Line(FromLine::CallArrived { .. })),
            EndReason::MediaFailed => cause.is_some() && matches!(input, Input::Media(FromMedia::Failed { .. })),
            EndReason::NoSound => known.silent_until.is_some_and(|until| until <= now) || self.calls_from_a_lost_page(&known),
            EndReason::SignallingFailed => cause.is_some() && signalling,
            EndReason::ShellLost => cause.is_some() && matches!(input, Input::ShellLost { .. }),
            EndReason::Interrupted => {
                matches!(input, Input::LegGone { .. } | Input::Stopping) || self.recovery_until.is_some_and(|until| until <= now)
            }
            EndReason::Poisoned => matches!(input, Input::CallPoisoned { call: id } if *id == call),
            EndReason::NotReached => known.out.is_some(),
            EndReason::Abuse => known.dismissed,
            EndReason::AnsweredElsewhere
            | EndReason::Evacuated
            | EndReason::GivenUp
            | EndReason::Refused
            | EndReason::Transferred
            | EndReason::ConsultOver
            | EndReason::TakenOver
            | EndReason::SupervisionOver
            | EndReason::Replaced => false,
        };
        self.check(caused, || format!("{call} ended as {reason:?} by {input:?}"));
        self.check(known.wait.is_none() && known.offer.is_none(), || format!("{call} ended in a queue or an offer"));
        if reason == EndReason::Interrupted && matches!(input, Input::LegGone { leg } if leg.n > 0) {
            self.check(talked, || format!("{call} lost a leg that it did not need"));
        }
        step.ended_talks.extend(known.talk.map(|talk| (call, talk)));
        self.rooms.call_ended(call);
        step.ended_calls.insert(call, reason);
        self.over.insert(call);
    }

    fn restarted(&mut self, downtime_ms: u64) {
        self.draining = false;
        self.recovery_until = (!self.calls.is_empty()).then(|| self.now.plus_ms(downtime_ms + 10_000)).or(self.recovery_until);
        self.calls.values_mut().for_each(|call| call.unknown = true);
        self.legs.restarted();
        self.rooms.pages_hold(self.legs.all_pages(), true);
        self.staff.restarted(self.now, downtime_ms, &self.settings);
    }

    fn take_output(&mut self, output: &Output, step: &mut Step) {
        match output {
            Output::Line(order) => self.faults.extend(self.legs.line(order).err()),
            Output::Media(order) => self.take_media(order, step),
            Output::Desk(order) => self.take_desk(order, step),
            Output::Keying { .. } | Output::Recall { .. } => {
                self.check(false, || format!("no plan of these days has callbacks: {output:?}"))
            }
            Output::LookUp { call, caller } => {
                let right = step.started.contains_key(call) && self.calls.get(call).is_some_and(|known| known.caller == *caller);
                self.check(right, || format!("{call} is looked up"));
            }
        }
    }

    fn check_invariants(&mut self, step: &Step) {
        let now = self.now;
        if self.recovery_until.is_some_and(|until| until <= now) {
            self.recovery_until = None;
            let unknown: Vec<CallId> = self.calls.iter().filter(|(_, known)| known.unknown).map(|(id, _)| *id).collect();
            self.check(unknown.is_empty(), || format!("{unknown:?} are not known ten seconds after the start"));
        }
        let mut faults = Vec::new();
        for (id, call) in &self.calls {
            if let Some((agent, until)) = &call.offer {
                let theirs = self.staff.status(agent) == AgentStatus::Offered(*id);
                // Who says yes at the last moment has five seconds to be connected.
                if !theirs || call.wait.is_none() || until.plus_ms(5_000) < now {
                    faults.push(format!("{id} is offered to {agent} until {until}, who is {:?}", self.staff.status(agent)));
                }
            }
            if let Some(talk) = &call.talk {
                let theirs = talk.agent.as_ref().is_none_or(|agent| self.staff.status(agent) == AgentStatus::Talking(*id));
                let bridged = self.legs.is_live(LegId { call: *id, n: talk.leg });
                if !theirs || !bridged || call.wait.is_some() || call.offer.is_some() {
                    faults.push(format!("{id} talks with {:?} on leg {}", talk.agent, talk.leg));
                }
            }
            if !self.legs.is_live(LegId::caller(*id)) && call.out.is_none() {
                faults.push(format!("{id} is up without its resident"));
            }
            if call.silent_until.is_some_and(|until| until < now) {
                faults.push(format!("{id} is silent for too long"));
            }
        }
        faults.extend(self.check_duty());
        faults.extend(self.check_lines());
        faults.extend(self.check_steering());
        for (id, wait) in self.seeking() {
            let since = wait.since;
            let overdue = self.calls.get(&id).and_then(|call| call.wait.as_ref().filter(|_| !call.overflowed)).is_some_and(|wait| {
                let longest = self.rules(&wait.queue).max_wait_ms;
                longest > 0 && now.ms_since(since) > longest && now > wait.entered
            });
            if overdue && self.has_overflow(id) {
                faults.push(format!("{id} waits longer than its queue allows"));
            }
        }
        for (call, talk) in &step.ended_talks {
            if talk.recording.is_some() {
                faults.push(format!("the recording of {call} was not stopped"));
            }
        }
        for (id, call) in &mut self.calls {
            if call.talk.is_some() && !self.rooms.is_heard(LegId::caller(*id)) {
                call.silent_until = None;
            }
        }
        faults.extend(self.rooms.check(&self.calls, &self.legs));
        faults.extend(self.staff.check(now, &self.calls, &self.between, &self.settings));
        faults.extend(self.check_between());
        faults.extend(self.legs.check(&self.calls, &self.between));
        self.faults.extend(faults);
    }
}
