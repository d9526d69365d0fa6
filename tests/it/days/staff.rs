//! Is every operator in the state that what happened leads to, and in one call at most?

mod devices;
mod person;

use std::collections::BTreeMap;

use cityline::centre::fact::{AgentStatus, OfferEnd};
use cityline::centre::ids::{AgentId, CallId, ContactId, Generation, QueueId, SkillId};
use cityline::centre::input::{FromDesk, Input};
use cityline::centre::settings::{Device, QueueSettings, Settings};
use cityline::centre::time::Time;
use cityline::centre::wrap_up::COOL_OFF;

use super::calls::Call;
use super::colleagues::Between;
use super::lines::Levels;
use super::model::Step;
use devices::{apply_to_device, goes_on_otherwise};

/// Contacts that are rung at most.
const CONTACTS: usize = 4;
/// Desks come back within this after a restart, in milliseconds.
const DESKS_RETURN_MS: u64 = 15_000;
/// A page's lost sound comes back within this, in milliseconds.
const SOUND_RETURNS_MS: u64 = 18_000;

#[derive(Clone, Debug)]
struct Person {
    status: AgentStatus,
    since: Time,
    desk: Option<Generation>,
    /// Until when a desk of before a restart may come back, and whether that time has just ended.
    desk_until: Option<Time>,
    desk_lost: bool,
    contacts: Vec<ContactId>,
    /// The page whose sound is there, and until when who lost it is ready again by its return.
    page: Option<Generation>,
    returns_until: Option<Time>,
    wish: Option<AgentStatus>,
    /// Sent off by an order, and nothing was wished since: their phone alone does not bring them back.
    sent_off: bool,
    wrap_until: Option<Time>,
    rest_until: Option<Time>,
    talk_queue: Option<QueueId>,
    /// What they did before a call with a colleague, and do after it; and until when.
    before: AgentStatus,
    before_until: Option<Time>,
    extended: bool,
    cool_until: Option<Time>,
    help: Option<CallId>,
    /// Calls answered since they signed in.
    answered: u32,
}

/// Somebody who could be offered a call.
#[derive(Clone)]
pub struct Free {
    pub since: Time,
    pub answered: u32,
}

impl Default for Person {
    fn default() -> Self {
        Self {
            status: AgentStatus::Offline,
            since: Time(0),
            desk: None,
            desk_until: None,
            desk_lost: false,
            contacts: Vec::new(),
            page: None,
            returns_until: None,
            wish: None,
            sent_off: false,
            wrap_until: None,
            rest_until: None,
            talk_queue: None,
            before: AgentStatus::Offline,
            before_until: None,
            extended: false,
            cool_until: None,
            help: None,
            answered: 0,
        }
    }
}

/// Who is in which state, and the levels that supervisors have ordered for today.
#[derive(Default)]
pub struct Staff(BTreeMap<AgentId, Person>, BTreeMap<AgentId, BTreeMap<SkillId, u8>>);

type Rules = BTreeMap<QueueId, QueueSettings>;

/// Rests after a caller who was abusive.
pub fn is_cool_off(status: &AgentStatus) -> bool {
    matches!(status, AgentStatus::Paused(reason) if reason.as_str() == COOL_OFF)
}

fn by_phone(device: Option<&Device>) -> bool {
    matches!(device, Some(Device::Fixed { .. } | Device::Phone { ready_when_registered: true, .. }))
}

fn device<'a>(settings: &'a Settings, agent: &AgentId) -> Option<&'a Device> {
    settings.agents.get(agent).map(|known| &known.device)
}

impl Staff {
    pub fn status(&self, agent: &AgentId) -> AgentStatus {
        self.0.get(agent).map_or(AgentStatus::Offline, |person| person.status.clone())
    }

    /// When the state ends, as told: right away, again, or extended for the first time.
    pub fn state_ends(&mut self, agent: &AgentId, until_ms: u64, extendable: bool, extended: bool, settings: &Settings) -> Option<String> {
        let person = self.0.entry(agent.clone()).or_default();
        let fits = match &person.status {
            AgentStatus::WrapUp if extended => {
                let until = person.wrap_until.map(|until| until.plus_ms(settings.limits.extend_wrap_up_ms));
                person.wrap_until = until;
                !std::mem::replace(&mut person.extended, true) && !extendable && until == Some(Time(until_ms))
            }
            AgentStatus::WrapUp => person.wrap_until == Some(Time(until_ms)) && extendable != person.extended,
            cool if is_cool_off(cool) => person.cool_until == Some(Time(until_ms)) && !extendable,
            _ => false,
        };
        (!fits).then(|| format!("{agent}'s state ends at {until_ms}, extendable: {extendable}: {person:?}"))
    }

    /// Whether they had not asked before.
    pub fn asks_help(&mut self, agent: &AgentId, call: CallId) -> bool {
        self.0.entry(agent.clone()).or_default().help.replace(call).is_none()
    }

    pub fn help_over(&mut self, agent: &AgentId) -> Option<CallId> {
        self.0.entry(agent.clone()).or_default().help.take()
    }

    pub fn will_cool_off(&mut self, agent: &AgentId) {
        let person = self.0.entry(agent.clone()).or_default();
        person.wish.get_or_insert(AgentStatus::Paused(COOL_OFF.into()));
    }

    pub fn busy(&self) -> Vec<AgentId> {
        self.0.iter().filter(|(_, person)| person.is_busy()).map(|(agent, _)| agent.clone()).collect()
    }

    /// How well an operator does something.
    pub fn level(&self, agent: &AgentId, skill: &SkillId, settings: &Settings) -> u8 {
        if let Some(level) = self.1.get(agent).and_then(|levels| levels.get(skill)) {
            return *level;
        }
        let known = settings.agents.get(agent).and_then(|known| known.skills.levels().find(|(name, _)| *name == skill));
        known.map_or(0, |(_, level)| level)
    }

    /// What supervisors have ordered for today.
    pub fn able_today(&mut self, able: &BTreeMap<AgentId, super::steering::Today>) {
        self.1 = able.iter().map(|(agent, (levels, ..))| (agent.clone(), levels.clone())).collect();
    }

    /// An operator has answered a call of a queue.
    pub fn answers(&mut self, agent: &AgentId) {
        self.0.entry(agent.clone()).or_default().answered += 1;
    }

    /// The free operators who can do all this so well.
    pub fn free(&self, needs: &Levels, settings: &Settings) -> Vec<(AgentId, Free)> {
        let can = |agent: &AgentId| needs.iter().all(|(skill, least)| self.level(agent, skill, settings) >= *least);
        let back = |agent: &AgentId, person: &Person| {
            let at_desk = matches!(device(settings, agent), Some(Device::Browser | Device::Phone { answer_at_desk: true, .. }));
            person.desk_until.is_none() || !at_desk
        };
        let free = self.0.iter().filter(|(agent, person)| person.status == AgentStatus::Ready && can(agent) && back(agent, person));
        free.map(|(agent, person)| (agent.clone(), Free { since: person.since, answered: person.answered })).collect()
    }

    /// The page of this operator whose sound is there.
    pub fn page(&self, agent: &AgentId) -> Option<Generation> {
        self.0.get(agent)?.page
    }

    /// Devices and wishes, as far as the operator is one of the settings.
    pub fn note(&mut self, input: &Input, settings: &Settings) {
        let Input::Desk(input) = input else { return };
        let agent = input.agent();
        if settings.agents.contains_key(agent) {
            let person = self.0.entry(agent.clone()).or_default();
            apply(person, input, settings);
            let wished = match input {
                FromDesk::Pause { reason, .. } => settings.pause_reasons.contains(reason),
                FromDesk::Ready { .. } | FromDesk::SignOut { .. } => true,
                _ => false,
            };
            person.sent_off &= !wished;
        }
    }

    /// A supervisor has signed them out.
    pub fn send_off(&mut self, agent: &AgentId, settings: &Settings) {
        if let Some(person) = self.0.get_mut(agent) {
            person.sent_off = by_phone(device(settings, agent));
        }
    }

    /// Desks of before have fifteen seconds to come back, and sound three more.
    pub fn restarted(&mut self, now: Time, downtime_ms: u64, settings: &Settings) {
        let until = now.plus_ms(downtime_ms + DESKS_RETURN_MS);
        for (agent, person) in &mut self.0 {
            let at_page = matches!(device(settings, agent), Some(Device::Browser));
            person.desk_until = person.desk.map(|_| until);
            let was_ready = matches!(person.status, AgentStatus::Ready | AgentStatus::Offered(_));
            if person.page.take().is_some() && was_ready && at_page {
                person.returns_until = Some(now.plus_ms(downtime_ms + SOUND_RETURNS_MS));
            }
        }
    }

    /// Before each step: desks that have not come back are gone.
    pub fn await_desks(&mut self, now: Time) {
        for person in self.0.values_mut() {
            person.desk_lost = person.desk_until.is_some_and(|until| until <= now);
            if person.desk_lost {
                (person.desk, person.desk_until) = (None, None);
                person.forgets_a_silent_page();
            }
        }
    }

    pub fn desk_lost(&self, agent: &AgentId) -> bool {
        self.0.get(agent).is_some_and(|person| person.desk_lost)
    }

    pub fn settings_applied(&mut self, settings: &Settings) {
        for (_, person) in self.0.iter_mut().filter(|(agent, _)| !settings.agents.contains_key(*agent)) {
            (person.desk, person.desk_until, person.page) = (None, None, None);
            person.contacts.clear();
            person.sent_off = false;
        }
    }

    /// The state in which an operator must be after their own input.
    pub fn expect(
        &self,
        now: Time,
        input: &Input,
        settings: &Settings,
        calls: &BTreeMap<CallId, Call>,
        rules: &Rules,
    ) -> Option<(AgentId, AgentStatus)> {
        let Input::Desk(input) = input else { return None };
        let agent = input.agent();
        let before = self.0.get(agent).cloned().unwrap_or_default();
        if !settings.agents.contains_key(agent) {
            // Of one who left the settings in a talk the end of the page's sound alone is still heeded.
            let page_ends = matches!(input, FromDesk::DeskMediaDown { .. });
            return (!page_ends).then_some((agent.clone(), before.status));
        }
        let mut person = before.clone();
        apply(&mut person, input, settings);
        let device = device(settings, agent);
        let status = match (input, before.status.clone()) {
            (FromDesk::DeskUp { .. } | FromDesk::OfferShown { .. } | FromDesk::Accept { .. }, same) => same,
            (FromDesk::HangUp { call, .. } | FromDesk::Decline { call, .. }, AgentStatus::Internal(talked)) if *call == talked => {
                return None;
            }
            (_, same @ AgentStatus::Internal(_)) => same,
            (FromDesk::DeskGone { .. }, status) => person.desk_gone(&before, status, device),
            (FromDesk::PhoneChanged { .. }, status) => person.phone_changed(&before, status, device),
            (FromDesk::DeskMediaUp { .. }, AgentStatus::NotResponding) if person.comes_back(device, now) => AgentStatus::Ready,
            (FromDesk::DeskMediaUp { .. }, same) => same,
            (FromDesk::DeskMediaDown { .. }, same) if person.page == before.page || !matches!(device, Some(Device::Browser)) => {
                match same {
                    AgentStatus::Talking(_) | AgentStatus::Supervising(_) => return None,
                    same => same,
                }
            }
            (FromDesk::DeskMediaDown { .. }, AgentStatus::Ready) => AgentStatus::NotResponding,
            (FromDesk::DeskMediaDown { .. }, AgentStatus::Offered(_)) => person.aside(device),
            (FromDesk::DeskMediaDown { .. }, AgentStatus::Talking(_) | AgentStatus::Supervising(_)) => return None,
            (FromDesk::DeskMediaDown { .. }, same) => same,
            (
                FromDesk::Ready { .. },
                status @ (AgentStatus::Offered(_) | AgentStatus::Talking(_) | AgentStatus::Supervising(_) | AgentStatus::Ready),
            ) => status,
            (FromDesk::Ready { .. }, status) => {
                if person.rung(device) {
                    AgentStatus::Ready
                } else {
                    status
                }
            }
            (FromDesk::Pause { reason, .. }, status) if !settings.pause_reasons.contains(reason) => status,
            (FromDesk::Pause { .. } | FromDesk::SignOut { .. }, status @ (AgentStatus::Talking(_) | AgentStatus::Supervising(_))) => status,
            (FromDesk::Pause { reason, .. }, _) => AgentStatus::Paused(reason.clone()),
            (FromDesk::SignOut { .. }, _) => AgentStatus::Offline,
            (FromDesk::Decline { call, .. }, AgentStatus::Offered(offered)) if *call == offered => person.aside(device),
            (FromDesk::HangUp { call, .. }, AgentStatus::Supervising(talking)) if *call == talking => person.after_wrap_up(device),
            (FromDesk::HangUp { call, .. }, AgentStatus::Talking(talking))
                if *call == talking && calls.get(call).is_some_and(|known| known.beside().any(|beside| beside == agent)) =>
            {
                person.after_wrap_up(device)
            }
            (FromDesk::HangUp { call, .. }, AgentStatus::Talking(talking)) if *call == talking => {
                let queue = calls.get(call).and_then(|known| known.talk.as_ref()).and_then(|talk| talk.queue.as_ref());
                let wraps = queue.and_then(|queue| rules.get(queue)).is_some_and(|rules| rules.wrap_up_ms > 0);
                if wraps { AgentStatus::WrapUp } else { person.after_wrap_up(device) }
            }
            (FromDesk::WrapUpDone { .. }, AgentStatus::WrapUp) => person.after_wrap_up(device),
            (FromDesk::Decline { .. } | FromDesk::HangUp { .. } | FromDesk::WrapUpDone { .. }, same) => same,
            (
                FromDesk::Hold { .. }
                | FromDesk::Resume { .. }
                | FromDesk::SendDigits { .. }
                | FromDesk::Consult { .. }
                | FromDesk::EndConsult { .. }
                | FromDesk::Conference { .. }
                | FromDesk::ExtendWrapUp { .. }
                | FromDesk::AskHelp { .. }
                | FromDesk::HelpDone { .. }
                | FromDesk::Warn { .. }
                | FromDesk::PauseRecording { .. }
                | FromDesk::ResumeRecording { .. },
                same,
            ) => same,
            // What may be refused for many reasons is judged by its cause alone.
            (
                FromDesk::CompleteConsult { .. }
                | FromDesk::Transfer { .. }
                | FromDesk::CallOut { .. }
                | FromDesk::Monitor { .. }
                | FromDesk::TakeOver { .. }
                | FromDesk::StopMonitor { .. }
                | FromDesk::EndAbuse { .. },
                _,
            ) => return None,
        };
        Some((agent.clone(), status))
    }

    /// A free operator may be offered a call in the same step, and one whose phone is busy with a colleague is not free yet.
    pub fn check_expected(&self, expected: &Option<(AgentId, AgentStatus)>) -> Option<String> {
        let (agent, expected) = expected.as_ref()?;
        let found = self.status(agent);
        let offered = *expected == AgentStatus::Ready && matches!(found, AgentStatus::Offered(_) | AgentStatus::Internal(_));
        (found != *expected && !offered).then(|| format!("{agent} is {found:?}, not {expected:?}"))
    }

    /// A change of state, with its cause in the step.
    #[allow(clippy::too_many_arguments)]
    pub fn changed(
        &mut self,
        now: Time,
        agent: &AgentId,
        to: &AgentStatus,
        input: &Input,
        step: &Step,
        settings: &Settings,
        rules: &Rules,
    ) -> Result<(), String> {
        let device = device(settings, agent);
        let person = self.0.entry(agent.clone()).or_default();
        let from = person.status.clone();
        let own = match input {
            Input::Desk(input) if input.agent() == agent => Some(input),
            _ => None,
        };
        let anew = matches!(input, Input::SettingsChanged(_) | Input::Restarted { .. });
        let ready = matches!(own, Some(FromDesk::Ready { .. }));
        let pause = matches!((own, to), (Some(FromDesk::Pause { reason, .. }), AgentStatus::Paused(to)) if reason == to);
        let leaves = matches!(own, Some(FromDesk::SignOut { .. }));
        let by_devices = matches!(
            own,
            Some(FromDesk::PhoneChanged { .. } | FromDesk::DeskGone { .. } | FromDesk::DeskMediaUp { .. } | FromDesk::DeskMediaDown { .. })
        );
        let lost_sound = matches!(own, Some(FromDesk::DeskMediaDown { .. })) && *to == AgentStatus::NotResponding;
        let rested = person.rest_until.is_some_and(|until| until <= now);
        let offer_end = match &from {
            AgentStatus::Offered(call) => {
                let theirs = |(id, owner, _): &&(CallId, AgentId, OfferEnd)| id == call && owner == agent;
                let ended = step.ended_offers.iter().rev().find(theirs).or(step.asks_ended.iter().rev().find(theirs));
                // Who is asked when the call ends is let go without a word of its own.
                ended.map(|(_, _, how)| *how).or(step.asked.contains(&(*call, agent.clone())).then_some(OfferEnd::CallerGone))
            }
            _ => None,
        };
        let calls_out = matches!((own, to), (Some(FromDesk::CallOut { call, .. }), AgentStatus::Talking(talking)) if call == talking);
        let supervises = matches!((own, to), (Some(FromDesk::Monitor { call, .. }), AgentStatus::Supervising(joins)) if call == joins);
        let asked = |call: &CallId| step.asked.contains(&(*call, agent.clone()));
        let caused = match (&from, to) {
            (AgentStatus::Paused(_), to) if person.cool_until.is_some_and(|until| until <= now) && *to == person.after_wrap_up(device) => {
                true
            }
            (
                AgentStatus::Ready | AgentStatus::WrapUp | AgentStatus::NotResponding | AgentStatus::Paused(_) | AgentStatus::Offline,
                AgentStatus::Talking(_),
            ) => calls_out || step.taken.contains(agent),
            (AgentStatus::Offered(_) | AgentStatus::Talking(_), AgentStatus::Supervising(_)) => false,
            (_, AgentStatus::Supervising(_)) => supervises,
            (AgentStatus::Supervising(call), AgentStatus::Talking(talking)) => {
                call == talking && matches!(own, Some(FromDesk::TakeOver { call: taken, .. }) if taken == call)
            }
            (AgentStatus::Supervising(_), to) => *to == person.after_wrap_up(device),
            (AgentStatus::Internal(call), AgentStatus::Offered(of)) => step.between.contains_key(call) && asked(of),
            (AgentStatus::Internal(call), to) => step.between_ended.contains(call) && *to == person.after_internal(device, now),
            // Whoever would be ready, or calls or is called.
            (_, AgentStatus::Internal(call)) => step.between.get(call).is_some_and(|(from, to)| from == agent || to == agent),
            (AgentStatus::Ready, AgentStatus::Offered(_)) => true,
            // Rang for a colleague, and rings on for the colleague's resident.
            (
                AgentStatus::WrapUp | AgentStatus::NotResponding | AgentStatus::Paused(_) | AgentStatus::Offline,
                AgentStatus::Offered(of),
            ) => asked(of) && step.has_ended_between(agent),
            (AgentStatus::Offered(call), AgentStatus::Talking(talking)) => {
                call == talking && (offer_end == Some(OfferEnd::Answered) || asked(call))
            }
            (AgentStatus::Offered(_), to) => match offer_end {
                Some(OfferEnd::CallerGone) => *to == person.let_go(device),
                Some(OfferEnd::Answered) | None => false,
                // Nobody is at fault when the process ends.
                Some(OfferEnd::AgentGone) if matches!(input, Input::Restarted { .. }) && person.rung(device) => {
                    *to == person.let_go(device)
                }
                Some(_) => *to == person.aside(device),
            },
            (AgentStatus::Talking(_), AgentStatus::WrapUp) => {
                !step.beside.contains(agent) || step.ended_talks.values().any(|talk| talk.agent.as_ref() == Some(agent))
            }
            (AgentStatus::Talking(_), to) => step.beside.contains(agent) && *to == person.after_wrap_up(device),
            (AgentStatus::WrapUp, to) => {
                let over = person.wrap_until.is_some_and(|until| until <= now) || matches!(own, Some(FromDesk::WrapUpDone { .. }));
                (over && *to == person.after_wrap_up(device))
                    || (ready && *to == AgentStatus::Ready)
                    || pause
                    || ((leaves || anew) && *to == AgentStatus::Offline)
            }
            (AgentStatus::NotResponding | AgentStatus::Offline | AgentStatus::Paused(_), AgentStatus::Ready) => {
                let may = ready || (!matches!(from, AgentStatus::Paused(_)) && (rested || ((by_devices || anew) && !person.sent_off)));
                may && person.rung(device)
            }
            (_, AgentStatus::Paused(_)) => pause,
            (AgentStatus::Ready, AgentStatus::NotResponding) => person.desk_lost || ((by_devices || anew) && !person.rung(device)),
            (_, AgentStatus::Offline) => leaves || by_devices || anew,
            (_, AgentStatus::Ready | AgentStatus::WrapUp | AgentStatus::NotResponding) => false,
        };
        person.extended &=
            matches!(to, AgentStatus::Internal(_)) || (*to == AgentStatus::WrapUp && matches!(from, AgentStatus::Internal(_)));
        person.cool_until = is_cool_off(to).then(|| now.plus_ms(settings.limits.cool_off_ms));
        // What fell due before the desk was given up, in the same step, found it there.
        let caused = caused || (person.desk_lost && *to == AgentStatus::Ready);
        let (wrap_before, rest_before) = (person.wrap_until, person.rest_until);
        let rests = offer_end.is_some_and(|how| !matches!(how, OfferEnd::AgentGone | OfferEnd::CallerGone));
        person.rest_until = (*to == AgentStatus::NotResponding && rests && by_phone(device) && person.rung(device))
            .then(|| now.plus_ms(settings.limits.rest_ms.max(1)));
        if let AgentStatus::Talking(call) = to {
            person.talk_queue = step.connected.get(call).map(|(_, queue)| queue).or(step.queues.get(call)).cloned();
        }
        let wrap_up_ms = person.talk_queue.as_ref().and_then(|queue| rules.get(queue)).map_or(0, |rules| rules.wrap_up_ms);
        person.wrap_until = (*to == AgentStatus::WrapUp).then(|| now.plus_ms(wrap_up_ms));
        if matches!(from, AgentStatus::Internal(_)) {
            let goes_on = person.before_until.filter(|until| *until > now);
            match to {
                AgentStatus::WrapUp => person.wrap_until = goes_on,
                AgentStatus::NotResponding => person.rest_until = goes_on,
                _ => {}
            }
        }
        let taken = step.taken.contains(agent);
        match to {
            AgentStatus::Supervising(_) => person.wish = back_to(&from),
            AgentStatus::Internal(_) => {
                let waits = matches!(from, AgentStatus::WrapUp | AgentStatus::NotResponding) && step.began_between(agent);
                person.before_until = if waits { wrap_before.or(rest_before) } else { None };
                let rests =
                    matches!(from, AgentStatus::Offline | AgentStatus::WrapUp | AgentStatus::Paused(_) | AgentStatus::NotResponding);
                person.before = if rests && step.began_between(agent) { from.clone() } else { AgentStatus::Ready };
            }
            AgentStatus::Offered(_) if matches!(from, AgentStatus::Internal(_)) => {
                person.wish = Some(person.before.clone()).filter(|before| matches!(before, AgentStatus::Paused(_) | AgentStatus::Offline));
            }
            AgentStatus::Offered(_) if step.has_ended_between(agent) => {
                person.wish = Some(from.clone()).filter(|from| matches!(from, AgentStatus::Paused(_) | AgentStatus::Offline));
            }
            AgentStatus::Talking(_) if taken && !matches!(from, AgentStatus::Supervising(_)) => {
                person.wish = Some(from.clone()).filter(|from| matches!(from, AgentStatus::Paused(_) | AgentStatus::Offline));
            }
            AgentStatus::Talking(_) if calls_out => person.wish = back_to(&from).filter(|wish| matches!(wish, AgentStatus::Paused(_))),
            AgentStatus::Talking(_) | AgentStatus::WrapUp => {}
            AgentStatus::Ready | AgentStatus::Offline | AgentStatus::Offered(_) | AgentStatus::Paused(_) | AgentStatus::NotResponding => {
                person.wish = None;
            }
        }
        person.sent_off &= *to != AgentStatus::Ready;
        person.returns_until = if anew { person.returns_until } else { lost_sound.then(|| now.plus_ms(SOUND_RETURNS_MS)) };
        (person.status, person.since) = (to.clone(), now);
        if *to == AgentStatus::Offline {
            person.answered = 0;
        }
        if caused { Ok(()) } else { Err(format!("{agent} went from {from:?} to {to:?} by {input:?}")) }
    }

    pub fn check(
        &mut self,
        now: Time,
        calls: &BTreeMap<CallId, Call>,
        between: &BTreeMap<CallId, Between>,
        settings: &Settings,
    ) -> Vec<String> {
        let fault = |(agent, person): (&AgentId, &Person)| {
            let device = device(settings, agent);
            let well = match &person.status {
                AgentStatus::Ready => person.rung(device),
                AgentStatus::Offered(call) => {
                    let offered = |known: &Call| known.offer.as_ref().is_some_and(|(owner, _)| owner == agent);
                    calls.get(call).is_some_and(|known| offered(known) || known.asked() == Some(agent)) && device.is_some()
                }
                AgentStatus::Talking(call) => {
                    let talks = |known: &Call| known.talk.as_ref().is_some_and(|talk| talk.agent.as_ref() == Some(agent));
                    calls.get(call).is_some_and(|known| talks(known) || known.beside().any(|beside| beside == agent))
                }
                AgentStatus::WrapUp => person.wrap_until.is_some_and(|until| until > now),
                AgentStatus::NotResponding => {
                    device.is_some() && !(person.rest_until.is_some_and(|until| until <= now) && person.rung(device))
                }
                cool if is_cool_off(cool) => device.is_some() && person.cool_until.is_some_and(|until| until > now),
                AgentStatus::Paused(_) => device.is_some(),
                AgentStatus::Supervising(call) => calls.get(call).is_some_and(|known| known.talk.is_some()),
                AgentStatus::Internal(call) => between.get(call).is_some_and(|known| known.is_of(agent)),
                AgentStatus::Offline => true,
            };
            let helped = person.help.is_none_or(|call| person.status == AgentStatus::Talking(call));
            (!well || !helped).then(|| format!("{agent} is not what they should be: {person:?}"))
        };
        let faults = self.0.iter().filter_map(fault).collect();
        // A rest that ended while nothing could ring is over: the operator must say "ready".
        for person in self.0.values_mut().filter(|person| person.rest_until.is_some_and(|until| until <= now)) {
            person.rest_until = None;
        }
        faults
    }
}

/// What a supervisor, or who calls a resident, goes back to.
fn back_to(before: &AgentStatus) -> Option<AgentStatus> {
    match before {
        AgentStatus::Paused(_) => Some(before.clone()),
        AgentStatus::Offline | AgentStatus::NotResponding => Some(AgentStatus::Offline),
        AgentStatus::Ready
        | AgentStatus::Offered(_)
        | AgentStatus::Talking(_)
        | AgentStatus::WrapUp
        | AgentStatus::Supervising(_)
        | AgentStatus::Internal(_) => None,
    }
}

/// What an input says of the operator's devices and wishes.
fn apply(person: &mut Person, input: &FromDesk, settings: &Settings) {
    let talks = matches!(person.status, AgentStatus::Talking(_) | AgentStatus::Supervising(_));
    let contacts_before = person.contacts.clone();
    apply_to_device(person, input, settings, talks);
    if matches!(person.status, AgentStatus::Internal(_)) {
        goes_on_otherwise(person, input, settings, &contacts_before);
    }
}
