//! Who must be called back? Callers who were promised it and wait without a line, and those who waited and could not be kept.
//!
//! Who was promised a callback is the call of before without its line: place, age and credit stay, and routing takes them in their turn.
//! The operator comes first, then the number is called, so that whoever answers hears a human at once. Each dial counts as a try, whyever
//! nobody was reached.

use serde::{Deserialize, Serialize};

use super::Centre;
use super::call::Stage;
use super::call_out::{CallingOut, Step};
use super::deadline::Reason;
use super::explanation::{CallingBack, Held};
use super::fact::{CallbackEnd, CallbackRefusal, EndReason, Fact};
use super::ids::{AgentId, CallId, CallerRef, LegId, QueueId};
use super::ivr::{Phase, Walk};
use super::leg::LegState;
use super::output::{OfferedCallback, Output, Shown, Target};
use super::queue::Wait;
use super::time::Time;

/// Callbacks remembered by the core at most; all of them are in the store, by their facts.
const KEPT: usize = 10_000;

/// A callback that is owed. The call's id makes it one of a kind: it is never owed twice.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Callback {
    /// The call in which the caller waited.
    pub call: CallId,
    /// Whom to call.
    pub caller: CallerRef,
    /// The place and age that they keep.
    pub wait: Wait,
}

/// A callback that was promised.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Wish {
    /// The number to call.
    pub to: CallerRef,
    /// In which queue's turn.
    pub queue: QueueId,
    /// How often it was called.
    pub tries: u8,
    /// It is not called again before.
    pub again: Option<Time>,
}

impl Centre {
    /// Notes that this waiting caller is to be called back. Who withholds their number cannot be.
    pub(super) fn owe_callback(&mut self, call: CallId, caller: CallerRef, wait: Wait) {
        if caller.is_withheld() || self.callbacks.contains_key(&call) {
            return;
        }
        if self.callbacks.len() >= KEPT {
            self.callbacks.pop_first();
        }
        self.out.fact(Fact::CallbackOwed {
            call,
            caller,
            queue: wait.queue.clone(),
            language: wait.language,
            waiting_since_ms: waits_since(&wait),
        });
        self.callbacks.insert(call, Callback { call, caller, wait });
    }

    /// Whom to call should this resident be lost: where they were reached, else where they called from.
    pub(super) fn whom_to_call(&self, call: CallId) -> Option<CallerRef> {
        self.calls.get(&call).map(|known| known.reached_at.unwrap_or(known.caller))
    }

    // ---- the promise ----

    /// Whether the caller of this call was promised a callback.
    pub(super) fn is_callback(&self, call: CallId) -> bool {
        self.standing.contains_key(&call)
    }

    /// A callback stands for this call, unless as many do as may, or one for the same number.
    pub(super) fn stand(&mut self, call: CallId, queue: &QueueId, to: CallerRef) -> Result<(), CallbackRefusal> {
        if self.standing.values().any(|wish| wish.to == to && wish.queue == *queue) {
            return Err(CallbackRefusal::StandsAlready);
        }
        if self.standing.len() >= usize::try_from(self.settings.callbacks.most).unwrap_or(usize::MAX) {
            return Err(CallbackRefusal::Full);
        }
        let kept = self.wait_of(call).filter(|wait| wait.queue == *queue).map(waits_since);
        let waited = self.calls.get(&call).and_then(|known| known.waits_since).map(|since| since.0);
        let (language, now) = (self.language_of(call), self.now);
        self.standing.insert(call, Wish { to, queue: queue.clone(), tries: 0, again: None });
        let waiting_since_ms = kept.or(waited).unwrap_or(now.0);
        self.out.fact(Fact::CallbackStands { call, to, queue: queue.clone(), language, waiting_since_ms });
        Ok(())
    }

    /// The promise was heard: the line is given up, the place is not.
    pub(super) fn caller_parts(&mut self, call: CallId) {
        self.end_leg(LegId::caller(call), EndReason::PlanEnded);
        self.wait_without_line(call);
    }

    /// The resident's line is over: a call ends with it, unless its caller was promised a callback.
    pub(super) fn resident_gone(&mut self, call: CallId, reason: EndReason) {
        match self.stage(call) {
            Some(Stage::Walking(Walk { phase: Phase::Parting, .. })) if self.is_callback(call) => self.wait_without_line(call),
            Some(Stage::CallingOut(CallingOut { back: Some(_), .. })) => self.try_failed(call, reason),
            _ => self.end_call(call, reason),
        }
    }

    /// The caller waits on in the queue, to be called in their turn.
    fn wait_without_line(&mut self, call: CallId) {
        let Some(queue) = self.standing.get(&call).map(|wish| wish.queue.clone()) else { return };
        let Some(rules) = self.queue_settings(&queue).cloned() else { return self.end_call(call, EndReason::PlanEnded) };
        if let Some(known) = self.calls.get_mut(&call) {
            known.silent = false;
            known.unheard.clear();
            known.typed_ahead.clear();
            known.telling.clear();
            known.way_back = None;
        }
        self.deadlines.cancel(&Reason::Key(call));
        let kept = self.kept(call);
        let wait = match kept {
            Some(kept) if kept.queue == queue => Some(self.kept_wait(call, &kept, &rules)),
            Some(_) => {
                self.leave_queue(call, super::fact::QueueEnd::KeyPressed);
                self.take_place(call, &queue, &rules)
            }
            None => self.take_place(call, &queue, &rules),
        };
        let Some(wait) = wait else { return };
        self.set_stage(call, Stage::Waiting(wait));
        self.match_callback(call);
    }

    // ---- when they may be called ----

    /// Whoever may be called stands in the line of those who are offered; whoever may not is held back, at the same place.
    pub(super) fn match_callback(&mut self, call: CallId) {
        if !self.is_callback(call) {
            return;
        }
        let Some(Stage::Waiting(wait)) = self.stage(call).cloned() else { return };
        match self.held(call) {
            Some(_) => drop(self.waiting.offered(call, &wait)),
            None => self.waiting.seek(call, &wait),
        }
        match self.changes(call) {
            Some(at) => self.deadlines.set(Reason::CallBack(call), at),
            None => self.deadlines.cancel(&Reason::CallBack(call)),
        }
    }

    /// The rules, the hours or the clock have changed.
    pub(super) fn match_callbacks(&mut self) {
        let calls: Vec<CallId> = self.standing.keys().copied().collect();
        calls.into_iter().for_each(|call| self.match_callback(call));
    }

    /// Those who wait in a queue without a line, and their waits.
    pub(super) fn without_line<'a>(&'a self, queue: &'a QueueId) -> impl Iterator<Item = (CallId, &'a Wait)> {
        let theirs = self.standing.iter().filter(|(_, wish)| wish.queue == *queue);
        theirs.filter_map(|(call, _)| match self.stage(*call) {
            Some(Stage::Waiting(wait)) => Some((*call, wait)),
            _ => None,
        })
    }

    /// Why somebody is not called now, whoever is free.
    pub(super) fn held(&self, call: CallId) -> Option<Held> {
        if self.draining {
            return Some(Held::Draining {});
        }
        if let Some(until) = self.standing.get(&call)?.again.filter(|again| *again > self.now) {
            return Some(Held::Again { until_ms: until.0 });
        }
        let hours = self.calling_hours()?;
        let until_ms = hours.next_change(self.now, self.wall_ahead_ms).map(|at| at.0);
        (!hours.is_open(self.now, self.wall_ahead_ms)).then_some(Held::Hours { until_ms })
    }

    /// When that is to be asked again.
    fn changes(&self, call: CallId) -> Option<Time> {
        let again = self.standing.get(&call)?.again.filter(|again| *again > self.now);
        let hours = self.calling_hours().and_then(|hours| hours.next_change(self.now, self.wall_ahead_ms));
        again.into_iter().chain(hours).min()
    }

    fn calling_hours(&self) -> Option<&super::schedule::Calendar> {
        self.settings.calendars.get(self.settings.callbacks.calendar.as_ref()?)
    }

    /// What an explanation says of it.
    pub(super) fn calling_back(&self, call: CallId) -> Option<CallingBack> {
        let wish = self.standing.get(&call)?;
        Some(CallingBack { tries: wish.tries, held: self.held(call) })
    }

    // ---- the call ----

    /// What the operator sees of it.
    pub(super) fn offered_callback(&self, call: CallId) -> Option<OfferedCallback> {
        let wish = self.standing.get(&call)?;
        Some(OfferedCallback { to: wish.to, attempt: wish.tries.saturating_add(1), of: self.settings.callbacks.tries })
    }

    /// Whose story the operator sees: the caller's, or where that is withheld what is known of the number that is called.
    pub(super) fn whose_story(&self, call: CallId, caller: CallerRef) -> CallerRef {
        self.standing.get(&call).map(|wish| wish.to).filter(|_| caller.is_withheld()).unwrap_or(caller)
    }

    /// The number is about to be needed.
    pub(super) fn recall_number(&mut self, call: CallId) {
        if let Some(wish) = self.standing.get(&call) {
            self.out.send(Output::Recall { number: wish.to });
        }
    }

    /// The operator is on the line: the resident is called.
    pub(super) fn call_back(&mut self, operator: LegId, agent: AgentId, wait: Wait) {
        let call = operator.call;
        let Some((number, wish)) = self.calls.get(&call).map(|known| known.number.clone()).zip(self.standing.get_mut(&call)) else {
            return;
        };
        wish.tries = wish.tries.saturating_add(1);
        let (to, attempt) = (wish.to, wish.tries);
        self.deadlines.cancel(&Reason::CallBack(call));
        self.set_agent(&agent, super::agent::State::Talking { call });
        self.out.fact(Fact::CallbackDialled { call, agent: agent.clone(), attempt });
        let step = Step::Resident { operator: operator.n };
        self.set_stage(call, Stage::CallingOut(CallingOut { agent, queue: wait.queue.clone(), step, back: Some(wait) }));
        let state = LegState::Opening { target: Target::Outside(to), shown: Shown::City(number), auto_answer: false, replaces: None };
        self.open_leg_as(LegId::caller(call), super::fact::Party::Resident, state);
        self.deadlines.set(Reason::CallingEnds(call), self.now.plus_ms(self.settings.callbacks.ring_ms));
    }

    /// The resident has answered: the wait is over.
    pub(super) fn reached(&mut self, call: CallId, agent: AgentId, operator: u16, wait: &Wait) {
        self.answer_wait(call, agent, wait.clone(), operator);
    }

    /// Nobody was reached, or the operator went: the place stays, the operator is free, and there may be another time.
    pub(super) fn try_failed(&mut self, call: CallId, why: EndReason) {
        let Some(Stage::CallingOut(CallingOut { agent, step: Step::Resident { operator }, back: Some(wait), .. })) =
            self.stage(call).cloned()
        else {
            return;
        };
        self.deadlines.cancel(&Reason::CallingEnds(call));
        self.end_leg(LegId::caller(call), why);
        self.end_leg(LegId { call, n: operator }, why);
        self.set_stage(call, Stage::Waiting(wait));
        let rules = self.settings.callbacks.clone();
        let again = self.now.plus_ms(rules.again_after_ms);
        let Some(wish) = self.standing.get_mut(&call) else { return };
        wish.again = Some(again);
        let attempt = wish.tries;
        let is_last = attempt >= rules.tries;
        self.out.fact(Fact::CallbackTried { call, attempt, why, again_ms: (!is_last).then_some(again.0) });
        self.wrap_up_over(&agent);
        if is_last {
            self.end_call(call, EndReason::NotReached);
        } else {
            self.match_callback(call);
        }
    }

    // ---- the end ----

    /// The call ends although its caller was promised a callback: it is owed from here on, but to who has been answered.
    pub(super) fn break_promise(&mut self, call: CallId, reason: EndReason) {
        let Some(wish) = self.standing.get(&call).filter(|_| reason != EndReason::AnsweredElsewhere) else { return };
        let to = wish.to;
        if let Some(wait) = self.wait_of(call).cloned() {
            self.owe_callback(call, to, wait);
        }
    }

    /// The call is over, and whatever was promised with it.
    pub(super) fn callback_ended(&mut self, call: CallId, reason: EndReason) {
        if self.standing.remove(&call).is_some() {
            let how = match reason {
                EndReason::AnsweredElsewhere => CallbackEnd::CalledAgain,
                EndReason::NotReached => CallbackEnd::NotReached,
                _ => CallbackEnd::Lost,
            };
            self.out.fact(Fact::CallbackEnded { call, how });
        }
    }

    /// A caller is answered in this queue. Was it a callback, it is done; who was promised one and has called again needs it no more.
    pub(super) fn called_again(&mut self, call: CallId, queue: &QueueId) {
        if let Some(wish) = self.standing.remove(&call) {
            self.calls.get_mut(&call).into_iter().for_each(|known| known.reached_at = Some(wish.to));
            self.out.fact(Fact::CallbackEnded { call, how: CallbackEnd::Reached });
            return;
        }
        let Some(caller) = self.calls.get(&call).map(|known| known.caller).filter(|caller| !caller.is_withheld()) else { return };
        let theirs = |(other, wish): (&CallId, &Wish)| {
            let by = self.calls.get(other).map(|known| known.caller);
            (wish.queue == *queue && (wish.to == caller || by == Some(caller))).then_some(*other)
        };
        let over: Vec<CallId> = self.standing.iter().filter_map(theirs).collect();
        over.into_iter().for_each(|other| self.end_call(other, EndReason::AnsweredElsewhere));
    }

    // ---- the end of the process and after ----

    /// The process ends: whoever was promised a callback goes on waiting in the next one. False for every other call.
    pub(super) fn keep_callback(&mut self, call: CallId) -> bool {
        if !self.is_callback(call) {
            return false;
        }
        match self.stage(call) {
            Some(Stage::Walking(_)) => self.caller_parts(call),
            Some(Stage::Offered(_)) => self.offer_cut_off(call),
            Some(Stage::CallingOut(_)) => self.try_failed(call, EndReason::Interrupted),
            Some(
                Stage::Waiting(_) | Stage::Arriving | Stage::Dialling(_) | Stage::Talking(_) | Stage::Transferring(_) | Stage::Internal(_),
            )
            | None => {}
        }
        self.match_callback(call);
        true
    }

    /// A new process calls nobody back before it knows of the calls that were up.
    pub(super) fn hold_callbacks_back(&mut self, until: Time) {
        for wish in self.standing.values_mut() {
            wish.again = Some(wish.again.map_or(until, |again| again.max(until)));
        }
        self.match_callbacks();
    }

    /// That a callback stands, for a board that begins anew.
    pub(super) fn callback_retold(&self, call: CallId) -> Option<(Time, Fact)> {
        let (wish, wait) = self.standing.get(&call).zip(self.wait_of(call))?;
        let (to, queue, language) = (wish.to, wish.queue.clone(), wait.language);
        Some((wait.since, Fact::CallbackStands { call, to, queue, language, waiting_since_ms: waits_since(wait) }))
    }
}

/// Since when the caller waits, in whichever queue, in milliseconds since the epoch.
fn waits_since(wait: &Wait) -> u64 {
    wait.since.0.saturating_sub(wait.before_ms)
}
