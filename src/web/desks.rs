//! Whose page is open, and what was told to it? One seat an operator; a second page takes it over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use crate::centre::fact::{AgentStatus, Fact, Party, Role};
use crate::centre::ids::{AgentId, CallId, Generation, NumberId, Supervision};
use crate::centre::output::{Offer, Stands, ToDesk};
use crate::centre::time::Time;

use super::messages::{Attends, CallNow, SpeaksBy, ToPage};

/// Messages that may wait for a slow page; one more and the page is cut off. It comes back and is told everything anew.
const INBOX: usize = 64;

/// All seats. A clone is the same room.
#[derive(Clone)]
pub(super) struct Desks {
    seats: Arc<Mutex<Seats>>,
}

#[derive(Default)]
struct Seats {
    all: BTreeMap<AgentId, Seat>,
    /// Those whose operators work on a call, so that the end of any call looks at these alone.
    working: BTreeSet<AgentId>,
    /// Operators are not told of supervisors in their talks.
    hides_supervision: bool,
}

/// What is known of one operator; it outlives pages, so that a reloaded one is told the same.
#[derive(Default)]
struct Seat {
    /// Its owner is an operator of the settings.
    is_open: bool,
    speaks_by: SpeaksBy,
    generation: Generation,
    page: Option<mpsc::Sender<ToPage>>,
    state: Option<AgentStatus>,
    since: Time,
    ends: Option<Ends>,
    work: Option<Work>,
}

/// When a state ends by itself.
#[derive(Clone, Copy)]
pub(super) struct Ends {
    pub until_ms: u64,
    pub extendable: bool,
}

/// The call that was offered last: while it rings, is talked in and is written up.
#[derive(Clone)]
pub(super) struct Work {
    pub offer: Offer,
    pub ringing: bool,
    /// A state of this work was told: until then its end may overtake its beginning.
    pub begun: bool,
    pub seen: Seen,
}

/// What the shells know of a call beside the core.
#[derive(Clone, Default)]
pub(super) struct Seen {
    /// The number of the city.
    pub number: Option<NumberId>,
    /// The caller's number, but for its last two digits.
    pub caller: Option<String>,
    /// The number at which the resident is called back, in the same way.
    pub called: Option<String>,
}

impl Work {
    /// As the page gets it.
    pub fn message(&self) -> ToPage {
        ToPage::offer(&self.offer, self.ringing, &self.seen)
    }
}

/// What a fact changes on pages. Most of a call's change none, and need not be handed on.
pub(super) enum Change<'a> {
    /// What an operator is doing.
    Of(&'a AgentId, &'a AgentStatus),
    /// When that ends by itself.
    Ends(&'a AgentId, Ends),
    /// The recording of a call, for everybody who works on it.
    Recording(CallId, bool),
    /// A call, for one operator alone.
    To(&'a AgentId, CallId, CallNow),
    /// A call, for everybody who works on it.
    Working(CallId, CallNow),
    /// A supervisor takes part in a call, in this way from here on.
    Supervises(&'a AgentId, CallId, Supervision),
    /// Who takes a call from whom.
    TakesOver(&'a AgentId, CallId, &'a AgentId),
}

impl<'a> Change<'a> {
    /// What this fact changes.
    pub fn of(fact: &'a Fact) -> Option<Self> {
        match fact {
            Fact::AgentChanged { agent, state } => Some(Change::Of(agent, state)),
            Fact::Connected { call, agent, .. } => Some(Change::To(agent, *call, CallNow::Connected)),
            Fact::CallEnded { call, .. } => Some(Change::Working(*call, CallNow::Ended)),
            Fact::Held { leg, held } => Some(Change::Working(leg.call, if *held { CallNow::Held } else { CallNow::Resumed })),
            Fact::ConsultStarted { call, .. } => Some(Change::Working(*call, CallNow::Asking)),
            Fact::StateEnds { agent, until_ms, extendable } => {
                Some(Change::Ends(agent, Ends { until_ms: *until_ms, extendable: *extendable }))
            }
            Fact::RecordingPaused { recording, paused, .. } => Some(Change::Recording(recording.call, *paused)),
            Fact::Warned { call, .. } => Some(Change::Working(*call, CallNow::Warned)),
            Fact::WarningOver { call } => Some(Change::Working(*call, CallNow::Heard)),
            Fact::HelpAsked { call, agent } => Some(Change::To(agent, *call, CallNow::HelpAsked)),
            Fact::HelpOver { call, agent, .. } => Some(Change::To(agent, *call, CallNow::HelpOver)),
            Fact::ConsultEnded { call, .. } => Some(Change::Working(*call, CallNow::Alone)),
            Fact::TakenOver { call, agent, from } => Some(Change::TakesOver(agent, *call, from)),
            Fact::Joined { leg, party, role } => Self::joined(leg.call, party, *role),
            _ => None,
        }
    }

    /// Everybody who works on the call hears who takes part in it; of a supervisor's part they hear where that is the policy.
    fn joined(call: CallId, party: &'a Party, role: Role) -> Option<Self> {
        match (role, party) {
            (Role::Supervisor(mode), Party::Agent(agent)) => Some(Change::Supervises(agent, call, mode)),
            (Role::Supervisor(_), Party::Resident | Party::Outside(_) | Party::Number(_)) => None,
            (Role::Consultant | Role::Guest | Role::Partner, _) => Some(Change::Working(call, role.into())),
        }
    }
}

/// A page's hold on its seat.
pub(super) struct Held {
    pub generation: Generation,
    pub inbox: mpsc::Receiver<ToPage>,
}

impl Desks {
    /// A seat for each operator of the settings, none for anybody else.
    pub fn new(operators: BTreeMap<AgentId, SpeaksBy>) -> Self {
        let desks = Self { seats: Arc::default() };
        desks.seat(&operators);
        desks
    }

    /// From here on these are the operators. Whoever has a page keeps it.
    pub fn seat(&self, operators: &BTreeMap<AgentId, SpeaksBy>) {
        let Seats { all, .. } = &mut *self.lock();
        for (operator, speaks_by) in operators {
            all.entry(operator.clone()).or_default().speaks_by = *speaks_by;
        }
        for (operator, seat) in all.iter_mut() {
            seat.is_open = operators.contains_key(operator);
        }
    }

    /// By what the operator speaks.
    pub fn speaks_by(&self, operator: &AgentId) -> SpeaksBy {
        self.lock().all.get(operator).map(|seat| seat.speaks_by).unwrap_or_default()
    }

    /// Whether there is a seat for this account.
    pub fn is_open(&self, operator: &AgentId) -> bool {
        self.lock().all.get(operator).is_some_and(|seat| seat.is_open)
    }

    /// Gives the seat to a page; the one before is told and let go. Generations rise across restarts, because they begin with the
    /// seconds of the clock. `None` for somebody who is no operator.
    pub fn take(&self, operator: &AgentId, now: Time) -> Option<Held> {
        let mut seats = self.lock();
        let seat = seats.all.get_mut(operator).filter(|seat| seat.is_open)?;
        let (sender, inbox) = mpsc::channel(INBOX);
        if let Some(former) = seat.page.replace(sender) {
            // A page too slow for this word is let go without it.
            let _ = former.try_send(ToPage::TakenOver);
        }
        let by_clock = u32::try_from(now.0 / 1000).unwrap_or(u32::MAX);
        seat.generation = Generation(seat.generation.0.saturating_add(1).max(by_clock));
        Some(Held { generation: seat.generation, inbox })
    }

    /// Whether this page still has the seat.
    pub fn is_held(&self, operator: &AgentId, generation: Generation) -> bool {
        self.lock().all.get(operator).is_some_and(|seat| seat.generation == generation)
    }

    /// The page is gone; nothing is sent to it any more.
    pub fn leave(&self, operator: &AgentId, generation: Generation) {
        if let Some(seat) = self.lock().all.get_mut(operator).filter(|seat| seat.generation == generation) {
            seat.page = None;
        }
    }

    /// Lets the operator's page go, whichever it is: after signing out.
    pub fn dismiss(&self, operator: &AgentId) {
        if let Some(seat) = self.lock().all.get_mut(operator) {
            seat.page = None;
        }
    }

    /// Pages that are connected.
    pub fn connected(&self) -> usize {
        self.lock().all.values().filter(|seat| seat.page.is_some()).count()
    }

    /// The call that the operator works on, if it is this one.
    pub fn work_on(&self, operator: &AgentId, call: CallId) -> Option<Work> {
        self.work(operator).filter(|work| work.offer.call == call)
    }

    /// The call that the operator writes up.
    pub fn writes_up(&self, operator: &AgentId) -> Option<CallId> {
        let seats = self.lock();
        let seat = seats.all.get(operator).filter(|seat| seat.state == Some(AgentStatus::WrapUp))?;
        seat.work.as_ref().map(|work| work.offer.call)
    }

    /// When what the operator is doing ends by itself.
    pub fn ends(&self, operator: &AgentId) -> Option<Ends> {
        self.lock().all.get(operator)?.ends
    }

    /// The call that the operator works on.
    pub fn work(&self, operator: &AgentId) -> Option<Work> {
        self.lock().all.get(operator)?.work.clone()
    }

    /// Carries an order of the core out; never waits.
    pub fn carry_out(&self, order: ToDesk, seen: Seen) {
        match order {
            ToDesk::Offer { agent, offer } => self.with(&agent, |seat| {
                let work = Work { offer, ringing: true, begun: false, seen };
                seat.push(work.message());
                seat.work = Some(work);
            }),
            ToDesk::OfferGone { agent, call } => self.with(&agent, |seat| seat.offer_gone(call)),
            ToDesk::Work { agent, offer, stands } => self.with(&agent, |seat| seat.shown_again(offer, stands, seen)),
            ToDesk::Refused { agent, why } => self.with(&agent, |seat| seat.push(ToPage::refused(&why))),
            ToDesk::Ordered { agent, order, by, reason } => self.with(&agent, |seat| seat.push(ToPage::Ordered { order, by, reason })),
        }
    }

    /// Tells pages what a fact means for them.
    pub fn follow(&self, at: Time, fact: &Fact) {
        match Change::of(fact) {
            Some(Change::Of(agent, state)) => {
                let left = self.supervised(agent).filter(|call| state.call() != Some(*call));
                self.with(agent, |seat| seat.changed(state, at));
                if let Some(call) = left {
                    self.tell_supervised(call, agent, Attends::Left);
                }
            }
            Some(Change::Supervises(agent, call, mode)) => {
                self.with(agent, |seat| seat.push(ToPage::CallState { call, state: Role::Supervisor(mode).into() }));
                self.tell_supervised(call, agent, mode.into());
            }
            Some(Change::TakesOver(agent, call, from)) => self.hand_over(agent, call, from),
            Some(Change::Ends(agent, ends)) => self.with(agent, |seat| seat.ends(ends)),
            Some(Change::Recording(call, paused)) => self.tell_working(call, &ToPage::Recording { call, paused }),
            Some(Change::To(agent, call, state)) => self.with(agent, |seat| seat.push(ToPage::CallState { call, state })),
            Some(Change::Working(call, state)) => self.tell_working(call, &ToPage::CallState { call, state }),
            None => {}
        }
    }

    /// Tells a page its state as the board has it: after facts were missed.
    pub fn tell_state(&self, operator: &AgentId, state: &AgentStatus, since: Time) {
        self.with(operator, |seat| seat.changed(state, since));
    }

    /// Whether operators are told that a supervisor takes part in their talk.
    pub fn show_supervision(&self, show: bool) {
        self.lock().hides_supervision = !show;
    }

    /// In which call a supervisor takes part.
    fn supervised(&self, agent: &AgentId) -> Option<CallId> {
        match self.lock().all.get(agent)?.state {
            Some(AgentStatus::Supervising(call)) => Some(call),
            _ => None,
        }
    }

    fn tell_supervised(&self, call: CallId, by: &AgentId, how: Attends) {
        if !self.lock().hides_supervision {
            self.tell_working(call, &ToPage::Supervised { call, by: by.clone(), how });
        }
    }

    /// Who takes a call is shown what its operator was; the operator is told in any case.
    fn hand_over(&self, to: &AgentId, call: CallId, from: &AgentId) {
        let work = self.work_on(from, call);
        self.with(from, |seat| seat.push(ToPage::Supervised { call, by: to.clone(), how: Attends::TookOver }));
        if let Some(Work { offer, seen, .. }) = work {
            self.with(to, |seat| seat.shown_again(Offer { from: None, ..offer }, None, seen));
        }
    }

    fn tell_working(&self, call: CallId, message: &ToPage) {
        let Seats { all, working, .. } = &mut *self.lock();
        for operator in working.iter() {
            if let Some(seat) = all.get_mut(operator).filter(|seat| seat.work.as_ref().is_some_and(|work| work.offer.call == call)) {
                seat.push(message.clone());
            }
        }
    }

    fn with(&self, operator: &AgentId, change: impl FnOnce(&mut Seat)) {
        let Seats { all, working, .. } = &mut *self.lock();
        let Some(seat) = all.get_mut(operator) else { return };
        change(seat);
        if seat.work.is_none() {
            working.remove(operator);
        } else if !working.contains(operator) {
            working.insert(operator.clone());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    fn push(&mut self, message: ToPage) {
        let Some(page) = &self.page else { return };
        if page.try_send(message).is_err() {
            metrics::counter!("cityline_desks_cut_off_total").increment(1);
            self.page = None;
        }
    }

    /// A new process learns what its operator works on; a page that was opened again has been shown the call already.
    fn shown_again(&mut self, offer: Offer, stands: Option<Stands>, seen: Seen) {
        let call = offer.call;
        if self.work.as_ref().is_none_or(|work| work.offer.call != call) {
            let work = Work { offer, ringing: false, begun: true, seen };
            self.push(work.message());
            self.work = Some(work);
        }
        if let Some(stands) = stands {
            self.push(ToPage::CallState { call, state: stands.into() });
        }
    }

    fn offer_gone(&mut self, call: CallId) {
        if let Some(work) = self.work.as_mut().filter(|work| work.offer.call == call) {
            work.ringing = false;
        }
        self.push(ToPage::OfferGone { call });
        self.forget_idle_work();
    }

    fn changed(&mut self, state: &AgentStatus, since: Time) {
        if self.state.as_ref() != Some(state) {
            self.ends = None;
        }
        (self.state, self.since) = (Some(state.clone()), since);
        self.push(state_message(state, since, self.ends));
        self.forget_idle_work();
    }

    fn ends(&mut self, ends: Ends) {
        self.ends = Some(ends);
        if let Some(state) = &self.state {
            self.push(state_message(state, self.since, self.ends));
        }
    }

    /// Orders and facts come on two ways, so an older state may arrive after an offer: what rings is never forgotten for a state.
    fn forget_idle_work(&mut self) {
        let busy =
            matches!(self.state, Some(AgentStatus::Offered(_) | AgentStatus::Talking(_) | AgentStatus::WrapUp | AgentStatus::Internal(_)));
        let Some(work) = &mut self.work else { return };
        work.begun |= busy;
        if !work.ringing && !busy && work.begun {
            self.work = None;
        }
    }
}

/// A state as the page gets it.
pub(super) fn state_message(state: &AgentStatus, since: Time, ends: Option<Ends>) -> ToPage {
    let reason = state.pause_reason().map(ToString::to_string);
    ToPage::State {
        state: state.into(),
        reason,
        call: state.call(),
        since_ms: since.0,
        until_ms: ends.map(|ends| ends.until_ms),
        extendable: ends.is_some_and(|ends| ends.extendable),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::centre::explanation::{Explanation, Rule};
    use crate::centre::ids::{CallerRef, Language};

    fn desks() -> (Desks, AgentId) {
        let operator = AgentId::from("aigul");
        (Desks::new([(operator.clone(), SpeaksBy::Page)].into()), operator)
    }

    fn offer(operator: &AgentId, call: u64) -> ToDesk {
        let why = Explanation { rule: Rule::LongestIdle, ..Explanation::default() };
        let offer = Offer {
            call: CallId(call),
            caller: CallerRef(1),
            queue: "heating".into(),
            language: Language::Kk,
            topic: None,
            waited_ms: 1,
            rings_ms: 2,
            why,
            from: None,
            auto_answer_ms: 0,
            callback: None,
        };
        ToDesk::Offer { agent: operator.clone(), offer }
    }

    fn change(desks: &Desks, operator: &AgentId, state: AgentStatus) {
        desks.follow(Time(1), &Fact::AgentChanged { agent: operator.clone(), state });
    }

    #[test]
    fn other_settings_change_by_what_an_operator_speaks() {
        let (desks, operator) = desks();
        assert_eq!(desks.speaks_by(&operator), SpeaksBy::Page);
        desks.seat(&[(operator.clone(), SpeaksBy::Telephone)].into());
        assert_eq!(desks.speaks_by(&operator), SpeaksBy::Telephone);
    }

    #[test]
    fn a_second_page_takes_over_with_a_higher_generation() {
        let (desks, operator) = desks();
        let mut first = desks.take(&operator, Time(5_000)).unwrap();
        let second = desks.take(&operator, Time(5_001)).unwrap();
        assert_eq!((first.generation, second.generation), (Generation(5), Generation(6)));
        assert_eq!(first.inbox.try_recv(), Ok(ToPage::TakenOver));
        assert!(!desks.is_held(&operator, first.generation) && desks.is_held(&operator, second.generation));
        assert!(desks.take(&AgentId::from("mallory"), Time(0)).is_none());
    }

    #[test]
    fn a_call_stays_the_operators_from_the_offer_to_the_end_of_wrap_up() {
        let (desks, operator) = desks();
        change(&desks, &operator, AgentStatus::Ready);
        desks.carry_out(offer(&operator, 7), Seen::default());
        change(&desks, &operator, AgentStatus::Ready);
        assert!(desks.work_on(&operator, CallId(7)).is_some(), "a late fact of the state before");
        change(&desks, &operator, AgentStatus::Offered(CallId(7)));
        desks.carry_out(ToDesk::OfferGone { agent: operator.clone(), call: CallId(7) }, Seen::default());
        change(&desks, &operator, AgentStatus::Talking(CallId(7)));
        change(&desks, &operator, AgentStatus::WrapUp);
        assert!(desks.work_on(&operator, CallId(7)).is_some());
        assert!(desks.work_on(&operator, CallId(8)).is_none());
        change(&desks, &operator, AgentStatus::Ready);
        assert!(desks.work(&operator).is_none());
    }

    #[test]
    fn an_end_of_the_offer_that_overtakes_its_state_takes_no_call_away() {
        let (desks, operator) = desks();
        let _held = desks.take(&operator, Time(0)).unwrap();
        change(&desks, &operator, AgentStatus::Ready);
        desks.carry_out(offer(&operator, 7), Seen::default());
        desks.carry_out(ToDesk::OfferGone { agent: operator.clone(), call: CallId(7) }, Seen::default());
        change(&desks, &operator, AgentStatus::Offered(CallId(7)));
        change(&desks, &operator, AgentStatus::Talking(CallId(7)));
        assert!(desks.work_on(&operator, CallId(7)).is_some());
        change(&desks, &operator, AgentStatus::Ready);
        assert!(desks.work(&operator).is_none());
    }

    #[test]
    fn an_operator_is_told_of_a_supervisor_where_that_is_the_policy_and_who_takes_over_is_shown_the_call() {
        let (desks, operator) = desks();
        let boss = AgentId::from("boss");
        desks.seat(&[(operator.clone(), SpeaksBy::Page), (boss.clone(), SpeaksBy::Page)].into());
        let (mut page, mut of_boss) = (desks.take(&operator, Time(0)).unwrap(), desks.take(&boss, Time(0)).unwrap());
        desks.carry_out(offer(&operator, 7), Seen::default());
        change(&desks, &operator, AgentStatus::Talking(CallId(7)));
        let joined = |mode| Fact::Joined {
            leg: crate::centre::ids::LegId { call: CallId(7), n: 2 },
            party: Party::Agent(boss.clone()),
            role: Role::Supervisor(mode),
        };
        let told = |page: &mut Held| {
            let all: Vec<ToPage> = std::iter::from_fn(|| page.inbox.try_recv().ok()).collect();
            all.into_iter()
                .filter_map(|message| if let ToPage::Supervised { how, .. } = message { Some(how) } else { None })
                .collect::<Vec<_>>()
        };
        desks.show_supervision(false);
        change(&desks, &boss, AgentStatus::Supervising(CallId(7)));
        desks.follow(Time(1), &joined(Supervision::Monitor));
        assert_eq!(told(&mut page), [], "it is not the policy");
        desks.show_supervision(true);
        desks.follow(Time(1), &joined(Supervision::Whisper));
        change(&desks, &boss, AgentStatus::Paused("lunch".into()));
        change(&desks, &boss, AgentStatus::Supervising(CallId(7)));
        assert_eq!(told(&mut page), [Attends::Whisper, Attends::Left]);
        let took = Fact::TakenOver { call: CallId(7), agent: boss.clone(), from: operator.clone() };
        desks.follow(Time(2), &took);
        change(&desks, &operator, AgentStatus::WrapUp);
        change(&desks, &boss, AgentStatus::Talking(CallId(7)));
        assert_eq!((told(&mut page), told(&mut of_boss)), (vec![Attends::TookOver], vec![]));
        assert!(desks.work_on(&boss, CallId(7)).is_some_and(|work| !work.ringing), "the call is shown to who has it");
        assert!(desks.work_on(&operator, CallId(7)).is_some(), "who lost it writes it up");
    }

    #[test]
    fn a_page_that_does_not_read_is_cut_off_and_costs_nobody_anything() {
        let (desks, operator) = desks();
        let _held = desks.take(&operator, Time(0)).unwrap();
        for _ in 0..=INBOX {
            change(&desks, &operator, AgentStatus::Ready);
        }
        assert_eq!(desks.connected(), 0);
    }
}
