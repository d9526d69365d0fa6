//! What is an operator doing? Offline, ready, offered, talking, wrapping up, paused or not responding: every change of it.

use serde::{Deserialize, Serialize};

use super::Centre;
use super::call_out::Wanted;
use super::colleague::Before;
use super::deadline::Reason;
use super::estimate::Busy;
use super::fact::{AgentStatus, Fact, OfferEnd};
use super::help::Help;
use super::ids::{AgentId, CallId, ContactId, Generation, PauseReason};
use super::input::FromDesk;
use super::output::{Offer, Refusal, ToDesk};
use super::settings::Device;
use super::time::Time;
use super::wrap_up::{COOL_OFF, is_cool_off};

/// Contacts of one operator that are rung at once; further ones are not.
pub const MAX_CONTACTS: usize = 4;

/// One operator of the settings.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Agent {
    /// What they are doing.
    pub state: State,
    /// Since when.
    pub since: Time,
    /// The desk that is open, if one is.
    pub desk: Option<Generation>,
    /// Where their phone is registered.
    pub contacts: Vec<ContactId>,
    /// The page whose sound is connected.
    #[serde(default)]
    pub media: Option<Generation>,
    /// They would be ready if their page had not lost its sound, and are again when it is back in time.
    #[serde(default)]
    pub returns: bool,
    /// A supervisor has sent them off: their phone alone does not make them ready again.
    #[serde(default)]
    pub sent_off: bool,
    /// What they asked for while busy; it comes when wrap-up ends.
    pub wish: Option<Wish>,
    /// The call with a colleague that they are in beside what their state tells.
    #[serde(default)]
    pub beside: Option<CallId>,
    /// The desk was open when the process ended, and is believed in until it is back or has had the time to come.
    #[serde(default)]
    pub desk_awaited: bool,
    /// The call that was shown at the desk last, without what was found of others: for a desk that opens while it is worked on.
    #[serde(default)]
    pub work: Option<Offer>,
    /// The wrap-up has been extended.
    #[serde(default)]
    pub extended: bool,
    /// They want a supervisor to come to their talk.
    #[serde(default)]
    pub help: Option<Help>,
    /// Calls of queues that they have answered since they signed in.
    #[serde(default)]
    pub answered: u32,
    /// The call of a queue that keeps them busy, from its first ring to the end of wrap-up.
    #[serde(default)]
    pub busy: Option<Busy>,
}

/// What an operator is doing; what only a state needs lives in it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum State {
    /// Not signed in.
    #[default]
    Offline,
    /// Takes calls.
    Ready,
    /// This call rings.
    Offered { call: CallId },
    /// Talks in this call.
    Talking { call: CallId },
    /// Writes down what the last call was.
    WrapUp,
    /// Takes no calls, because.
    Paused { reason: PauseReason },
    /// Did not answer an offer.
    NotResponding,
    /// Takes part in this call as a supervisor, or their phone is being called for it.
    Supervising { call: CallId },
    /// Calls a colleague, is called by one, or talks with one, and goes on as before when that is over.
    Internal { call: CallId, before: Before },
}

/// What an operator asked for while busy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Wish {
    /// A pause.
    Pause(PauseReason),
    /// The end of the shift.
    SignOut,
    /// A rest after a caller who was abusive.
    CoolOff,
}

impl Agent {
    /// Whether the operator is on shift and not in a pause: counted when waits are estimated.
    pub fn is_at_work(&self) -> bool {
        match self.state {
            State::Ready | State::Offered { .. } | State::Talking { .. } | State::WrapUp => true,
            State::Internal { before: Before::Ready | Before::WrapUp { .. }, .. } => true,
            State::Internal { before: Before::Offline | Before::Paused { .. } | Before::NotResponding { .. }, .. } => false,
            State::Offline | State::Paused { .. } | State::NotResponding | State::Supervising { .. } => false,
        }
    }

    /// The state as facts and explanations tell it.
    pub fn status(&self) -> AgentStatus {
        match &self.state {
            State::Offline => AgentStatus::Offline,
            State::Ready => AgentStatus::Ready,
            State::Offered { call } => AgentStatus::Offered(*call),
            State::Talking { call } => AgentStatus::Talking(*call),
            State::WrapUp => AgentStatus::WrapUp,
            State::Paused { reason } => AgentStatus::Paused(reason.clone()),
            State::NotResponding => AgentStatus::NotResponding,
            State::Supervising { call } => AgentStatus::Supervising(*call),
            State::Internal { call, .. } => AgentStatus::Internal(*call),
        }
    }
}

impl Centre {
    /// What an operator or one of their devices did.
    pub(super) fn on_desk(&mut self, input: FromDesk) {
        let agent = input.agent().clone();
        if !self.settings.agents.contains_key(&agent) {
            if matches!(input, FromDesk::DeskMediaDown { .. }) {
                return self.give_up_pages(&agent);
            }
            self.out.desk(ToDesk::Refused { agent, why: Refusal::UnknownOperator });
            return;
        }
        self.agents.entry(agent).or_default();
        match input {
            FromDesk::DeskUp { agent, generation } => self.desk_up(&agent, generation),
            FromDesk::DeskGone { agent, generation } => self.desk_gone(&agent, generation),
            FromDesk::PhoneChanged { agent, contacts } => self.phone_changed(&agent, contacts),
            FromDesk::DeskMediaUp { agent, generation } => self.desk_media_up(&agent, generation),
            FromDesk::DeskMediaDown { agent, generation } => self.desk_media_down(&agent, generation),
            FromDesk::Ready { agent } => self.wants_ready(&agent),
            FromDesk::Pause { agent, reason } => self.wants_pause(&agent, reason),
            FromDesk::SignOut { agent } => self.wants(&agent, Wish::SignOut),
            FromDesk::OfferShown { agent, call } => {
                if self.is_offered(&agent, call) {
                    self.out.fact(Fact::OfferShown { call, agent: agent.clone() });
                    self.will_answer_by_itself(&agent, call);
                }
            }
            FromDesk::Accept { agent, call } => self.accept_at_desk(&agent, call),
            FromDesk::Decline { agent, call } => self.decline(&agent, call),
            FromDesk::HangUp { agent, call } => self.operator_hangs_up(&agent, call),
            FromDesk::WrapUpDone { agent } => self.wrap_up_done(&agent),
            FromDesk::Hold { agent, call } => self.wished(&agent, |centre| centre.hold(&agent, call, true)),
            FromDesk::Resume { agent, call } => self.wished(&agent, |centre| centre.hold(&agent, call, false)),
            FromDesk::Consult { agent, call, with } => self.wished(&agent, |centre| centre.consult(&agent, call, &with)),
            FromDesk::CompleteConsult { agent, call } => self.wished(&agent, |centre| centre.complete_consult(&agent, call)),
            FromDesk::EndConsult { agent, call } => self.wished(&agent, |centre| centre.end_consult(&agent, call)),
            FromDesk::Conference { agent, call } => self.wished(&agent, |centre| centre.conference(&agent, call)),
            FromDesk::Transfer { agent, call, to } => self.wished(&agent, |centre| centre.transfer(&agent, call, &to)),
            FromDesk::CallOut { agent, call, to, queue, shown } => {
                let wanted = Wanted { call, to, queue, shown };
                self.wished(&agent, |centre| centre.call_out(&agent, &wanted));
            }
            FromDesk::Monitor { agent, call, mode } => self.wished(&agent, |centre| centre.supervise(&agent, call, mode)),
            FromDesk::TakeOver { agent, call } => self.wished(&agent, |centre| centre.take_over(&agent, call)),
            FromDesk::StopMonitor { agent, call } => self.wished(&agent, |centre| centre.stop_supervising(&agent, call)),
            FromDesk::ExtendWrapUp { agent } => self.wished(&agent, |centre| centre.extend_wrap_up(&agent)),
            FromDesk::AskHelp { agent, call } => self.wished(&agent, |centre| centre.ask_help(&agent, call)),
            FromDesk::HelpDone { agent } => self.wished(&agent, |centre| centre.help_done(&agent)),
            FromDesk::Warn { agent, call } => self.wished(&agent, |centre| centre.warn(&agent, call)),
            FromDesk::EndAbuse { agent, call, days } => self.wished(&agent, |centre| centre.end_abuse(&agent, call, days)),
            FromDesk::PauseRecording { agent, call } => self.wished(&agent, |centre| centre.pause_recording(&agent, call, true)),
            FromDesk::ResumeRecording { agent, call } => self.wished(&agent, |centre| centre.pause_recording(&agent, call, false)),
            FromDesk::SendDigits { agent, call, digits } => self.wished(&agent, |centre| centre.send_digits(&agent, call, digits)),
        }
    }

    /// What is wanted of a live call is done, or the desk is told why not.
    fn wished(&mut self, agent: &AgentId, wish: impl FnOnce(&mut Centre) -> Result<(), Refusal>) {
        if let Err(why) = wish(self) {
            self.out.desk(ToDesk::Refused { agent: agent.clone(), why });
        }
    }

    fn wrap_up_done(&mut self, agent: &AgentId) {
        match self.agent_state(agent) {
            Some(State::WrapUp) => self.wrap_up_over(agent),
            Some(State::Internal { before: Before::WrapUp { .. }, .. }) => {
                let wish = self.take_wish(agent);
                self.go_on_as(agent, wish.map_or(Before::Ready, Before::of_wish));
            }
            Some(
                State::Offline
                | State::Ready
                | State::Offered { .. }
                | State::Talking { .. }
                | State::Paused { .. }
                | State::NotResponding
                | State::Supervising { .. }
                | State::Internal { .. },
            )
            | None => {}
        }
    }

    fn desk_up(&mut self, agent: &AgentId, generation: Generation) {
        if let Some(known) = self.agents.get_mut(agent) {
            known.desk = known.desk.max(Some(generation));
            known.desk_awaited = false;
        }
        self.show_evacuation(agent);
        match self.agent_state(agent) {
            Some(State::Offered { call }) => {
                let call = *call;
                self.show_offer(call);
            }
            Some(State::Talking { .. } | State::WrapUp) => {
                self.show_work(agent);
                self.tell_end_of_state(agent);
            }
            Some(State::Paused { .. }) => self.tell_end_of_state(agent),
            Some(State::Internal { call, .. }) if self.rings_at_page(agent, *call) => {
                let call = *call;
                self.show_colleague(call);
            }
            Some(State::Offline | State::Ready | State::NotResponding | State::Supervising { .. } | State::Internal { .. }) | None => {}
        }
    }

    pub(super) fn desk_gone(&mut self, agent: &AgentId, generation: Generation) {
        let Some(known) = self.agents.get_mut(agent) else { return };
        if known.desk != Some(generation) {
            return;
        }
        (known.desk, known.desk_awaited) = (None, false);
        if known.media.is_none() {
            self.give_up_pages(agent);
        }
        if !self.can_be_rung(agent) {
            self.rest_unreachable(agent);
        }
    }

    /// Who would be offered calls cannot be rung any more: nothing new comes, and what rings goes to another. Every other state stays as
    /// it is; then this is false.
    pub(super) fn rest_unreachable(&mut self, agent: &AgentId) -> bool {
        match self.agent_state(agent) {
            Some(State::Ready) => self.set_agent(agent, State::NotResponding),
            Some(State::Offered { call }) => {
                let call = *call;
                self.offer_failed(call, OfferEnd::AgentGone);
            }
            Some(
                State::Offline
                | State::Talking { .. }
                | State::WrapUp
                | State::Paused { .. }
                | State::NotResponding
                | State::Supervising { .. }
                | State::Internal { .. },
            )
            | None => return false,
        }
        true
    }

    fn phone_changed(&mut self, agent: &AgentId, contacts: Vec<ContactId>) {
        let by_phone = self.is_ready_by_phone(agent);
        let Some(known) = self.agents.get_mut(agent) else { return };
        let mut contacts = contacts;
        contacts.truncate(MAX_CONTACTS);
        if known.contacts == contacts {
            return;
        }
        known.contacts = contacts;
        if matches!(self.settings.agents.get(agent).map(|known| &known.device), Some(Device::Fixed { .. } | Device::Browser)) {
            return;
        }
        let has_phone = !known.contacts.is_empty();
        let state = known.state.clone();
        match (state, has_phone) {
            (State::Offline | State::NotResponding, true) if by_phone && self.can_be_rung(agent) && !self.is_sent_off(agent) => {
                self.set_agent(agent, State::Ready);
            }
            (State::Ready, false) => self.set_agent(agent, if by_phone { State::Offline } else { State::NotResponding }),
            (State::NotResponding, false) if by_phone => self.set_agent(agent, State::Offline),
            (State::Offered { call }, false) => self.offer_failed(call, OfferEnd::AgentGone),
            (State::Internal { before: Before::Offline | Before::NotResponding { .. }, .. }, true)
                if by_phone && self.can_be_rung(agent) && !self.is_sent_off(agent) =>
            {
                self.go_on_as(agent, Before::Ready);
            }
            (State::Offered { .. }, true)
            | (State::Internal { .. }, _)
            | (State::Offline | State::NotResponding | State::Ready, _)
            | (State::Talking { .. } | State::WrapUp | State::Paused { .. } | State::Supervising { .. }, _) => {}
        }
    }

    fn wants_ready(&mut self, agent: &AgentId) {
        self.agents.get_mut(agent).into_iter().for_each(|known| known.sent_off = false);
        match self.agent_state(agent) {
            Some(State::Offered { .. } | State::Talking { .. } | State::Supervising { .. }) => {
                if let Some(known) = self.agents.get_mut(agent) {
                    known.wish = None;
                }
            }
            Some(State::Ready) | None => {}
            Some(state) => {
                let is_internal = matches!(state, State::Internal { .. });
                match self.why_not_ready(agent) {
                    Some(why) => self.out.desk(ToDesk::Refused { agent: agent.clone(), why }),
                    None if is_internal => self.go_on_as(agent, Before::Ready),
                    None => self.set_agent(agent, State::Ready),
                }
            }
        }
    }

    fn wants_pause(&mut self, agent: &AgentId, reason: PauseReason) {
        if self.settings.pause_reasons.contains(&reason) {
            self.wants(agent, Wish::Pause(reason));
        } else {
            let why = Refusal::UnknownReason(reason.to_string());
            self.out.desk(ToDesk::Refused { agent: agent.clone(), why });
        }
    }

    /// A pause or the end of the shift: at once, or after the talk. An offer that rings is declined by it.
    fn wants(&mut self, agent: &AgentId, wish: Wish) {
        self.agents.get_mut(agent).into_iter().for_each(|known| known.sent_off = false);
        match self.agent_state(agent) {
            Some(State::Talking { .. } | State::Supervising { .. }) => {
                if let Some(known) = self.agents.get_mut(agent) {
                    known.wish = Some(wish);
                }
            }
            Some(State::Offered { call }) => {
                let call = *call;
                self.offer_failed(call, OfferEnd::Declined);
                self.set_agent(agent, state_of(wish));
            }
            Some(State::Offline) if wish == Wish::SignOut => {}
            Some(State::Internal { .. }) => self.go_on_as(agent, Before::of_wish(wish)),
            Some(State::Offline | State::Ready | State::WrapUp | State::Paused { .. } | State::NotResponding) | None => {
                self.set_agent(agent, state_of(wish));
            }
        }
    }

    fn decline(&mut self, agent: &AgentId, call: CallId) {
        if self.is_offered(agent, call) {
            self.offer_failed(call, OfferEnd::Declined);
        } else if self.rings_at_page(agent, call) {
            self.internal_hung_up(agent, call);
        } else {
            self.out.desk(ToDesk::Refused { agent: agent.clone(), why: Refusal::OfferOver });
        }
    }

    /// After the talk: time to write things down, the queue's or none.
    pub(super) fn start_wrap_up(&mut self, agent: &AgentId, wrap_up_ms: u64) {
        self.set_agent(agent, State::WrapUp);
        if wrap_up_ms == 0 {
            self.wrap_up_over(agent);
        } else {
            self.agents.get_mut(agent).into_iter().for_each(|known| known.extended = false);
            self.deadlines.set(Reason::WrapUp(agent.clone()), self.now.plus_ms(wrap_up_ms));
            self.tell_end_of_state(agent);
        }
    }

    /// What they were offered is over through no fault of theirs.
    pub(super) fn let_go(&mut self, agent: &AgentId) {
        let state = match self.take_wish(agent) {
            Some(wish) => state_of(wish),
            None if self.can_be_rung(agent) => State::Ready,
            None => State::NotResponding,
        };
        self.set_agent(agent, state);
    }

    fn take_wish(&mut self, agent: &AgentId) -> Option<Wish> {
        self.agents.get_mut(agent).and_then(|known| known.wish.take())
    }

    /// Wrap-up has ended: what was wished for comes, or the next call.
    pub(super) fn wrap_up_over(&mut self, agent: &AgentId) {
        let wish = self.take_wish(agent);
        let gone = !self.settings.agents.contains_key(agent);
        let state = match wish {
            _ if gone => State::Offline,
            Some(wish) => state_of(wish),
            None if self.can_be_rung(agent) => State::Ready,
            None if self.is_ready_by_phone(agent) => State::Offline,
            None => State::NotResponding,
        };
        self.set_agent(agent, state);
    }

    /// An operator let an offer pass: they must say "ready", or rest for a while where they have no desk to say it. Who was in a pause or
    /// signed out when a colleague's resident was left to them is so again.
    pub(super) fn set_aside(&mut self, agent: &AgentId, how: OfferEnd) {
        if let Some(wish) = self.take_wish(agent) {
            self.set_agent(agent, state_of(wish));
            return;
        }
        let by_phone = self.is_ready_by_phone(agent);
        let rung = self.can_be_rung(agent);
        self.set_agent(
            agent,
            match how {
                // The process ended while it rang, and nobody is at fault.
                OfferEnd::AgentGone if rung => State::Ready,
                _ if by_phone && !rung => State::Offline,
                _ => State::NotResponding,
            },
        );
        let rests = by_phone && rung && how != OfferEnd::AgentGone;
        if rests {
            // Never at once: an offer that rings for no time and a rest of no time would go round for ever in one step.
            let rest_ms = self.settings.limits.rest_ms.max(1);
            self.deadlines.set(Reason::Rest(agent.clone()), self.now.plus_ms(rest_ms));
        }
    }

    /// The rest of an operator without a desk is over.
    pub(super) fn rest_over(&mut self, agent: &AgentId) {
        if self.agent_state(agent) == Some(&State::NotResponding) && self.can_be_rung(agent) {
            self.set_agent(agent, State::Ready);
        }
    }

    /// The one place where an operator's state changes: the fact, the time and the deadlines of the former state follow.
    pub(super) fn set_agent(&mut self, agent: &AgentId, state: State) {
        let now = self.now;
        let state = self.after_evacuation(agent, state);
        let Some(known) = self.agents.get_mut(agent) else { return };
        if known.state == state {
            return;
        }
        // Who still talks with a colleague is offered nothing.
        let state = match known.beside {
            Some(call) if state == State::Ready => {
                known.beside = None;
                State::Internal { call, before: Before::Ready }
            }
            Some(_) | None => state,
        };
        match state {
            State::Offered { .. } | State::Talking { .. } | State::Supervising { .. } | State::WrapUp | State::Internal { .. } => {}
            State::Offline | State::Ready | State::Paused { .. } | State::NotResponding => (known.wish, known.work) = (None, None),
        }
        if state == State::Offline {
            known.answered = 0;
        }
        known.sent_off &= state != State::Ready;
        known.state = state;
        known.since = now;
        known.returns = false;
        let status = known.status();
        self.deadlines.cancel(&Reason::WrapUp(agent.clone()));
        self.deadlines.cancel(&Reason::Rest(agent.clone()));
        self.deadlines.cancel(&Reason::CoolOff(agent.clone()));
        let rests = status.pause_reason().is_some_and(is_cool_off);
        self.out.fact(Fact::AgentChanged { agent: agent.clone(), state: status });
        self.help_follows_state(agent);
        self.note_handling(agent);
        if rests {
            self.cool_off(agent);
        }
    }

    pub(super) fn agent_state(&self, agent: &AgentId) -> Option<&State> {
        self.agents.get(agent).map(|known| &known.state)
    }

    fn is_offered(&self, agent: &AgentId, call: CallId) -> bool {
        self.agent_state(agent) == Some(&State::Offered { call })
    }

    fn device(&self, agent: &AgentId) -> Option<&Device> {
        self.settings.agents.get(agent).map(|known| &known.device)
    }

    /// Whether a live device would ring.
    pub(super) fn can_be_rung(&self, agent: &AgentId) -> bool {
        match self.device(agent) {
            Some(Device::Fixed { .. }) => true,
            Some(Device::Browser) => self.agents.get(agent).is_some_and(|known| known.desk.is_some() && known.media.is_some()),
            Some(Device::Phone { answer_at_desk, .. }) => {
                self.agents.get(agent).is_some_and(|known| !known.contacts.is_empty() && (!answer_at_desk || known.desk.is_some()))
            }
            None => false,
        }
    }

    /// Whether the operator works without a desk: ready by registering, or always.
    pub(super) fn is_ready_by_phone(&self, agent: &AgentId) -> bool {
        match self.device(agent) {
            Some(Device::Fixed { .. }) => true,
            Some(Device::Phone { ready_when_registered, .. }) => *ready_when_registered,
            Some(Device::Browser) | None => false,
        }
    }

    fn is_sent_off(&self, agent: &AgentId) -> bool {
        self.agents.get(agent).is_some_and(|known| known.sent_off)
    }

    /// What an operator who cannot be rung is told.
    pub(super) fn missing_device(&self, agent: &AgentId) -> Refusal {
        if self.is_at_page(agent) { Refusal::NoSound } else { Refusal::NoPhone }
    }

    /// New settings: operators who came or left, those who are always ready, and those whose new device is not there.
    pub(super) fn match_agents_to_settings(&mut self) {
        for agent in self.settings.agents.keys() {
            self.agents.entry(agent.clone()).or_default();
        }
        let known: Vec<AgentId> = self.agents.keys().cloned().collect();
        for agent in known {
            let fixed = matches!(self.device(&agent), Some(Device::Fixed { .. }));
            if self.device(&agent).is_none()
                && let Some(known) = self.agents.get_mut(&agent)
            {
                // What becomes of their devices from here on is not told to the core.
                (known.desk, known.desk_awaited, known.contacts, known.media) = (None, false, Vec::new(), None);
                known.sent_off = false;
            }
            match (self.device(&agent).is_some(), self.agent_state(&agent)) {
                (true, Some(State::Offline)) if fixed && !self.is_sent_off(&agent) => self.set_agent(&agent, State::Ready),
                (true, Some(State::NotResponding))
                    if self.is_ready_by_phone(&agent)
                        && self.can_be_rung(&agent)
                        && !self.deadlines.is_set(&Reason::Rest(agent.clone())) =>
                {
                    self.set_agent(&agent, State::Ready);
                }
                (true, Some(State::Ready)) if !self.can_be_rung(&agent) => {
                    let state = if self.is_ready_by_phone(&agent) { State::Offline } else { State::NotResponding };
                    self.set_agent(&agent, state);
                }
                (false, Some(State::Offline)) => {
                    self.agents.remove(&agent);
                }
                (false, Some(State::Offered { call })) => {
                    let call = *call;
                    self.offer_failed(call, OfferEnd::AgentGone);
                    self.set_agent(&agent, State::Offline);
                }
                (false, Some(State::Ready | State::WrapUp | State::Paused { .. } | State::NotResponding)) => {
                    self.set_agent(&agent, State::Offline);
                    self.agents.remove(&agent);
                }
                (true, _) | (false, Some(State::Talking { .. } | State::Supervising { .. } | State::Internal { .. }) | None) => {}
            }
        }
    }
}

pub(super) fn state_of(wish: Wish) -> State {
    match wish {
        Wish::Pause(reason) => State::Paused { reason },
        Wish::SignOut => State::Offline,
        Wish::CoolOff => State::Paused { reason: PauseReason::from(COOL_OFF) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_work_is_who_is_on_shift_and_not_in_a_pause() {
        let at_work = |state: State| Agent { state, ..Agent::default() }.is_at_work();
        let call = CallId(1);
        assert!([State::Ready, State::Offered { call }, State::Talking { call }, State::WrapUp].into_iter().all(at_work));
        let pause = State::Paused { reason: PauseReason::from("lunch") };
        assert!(![State::Offline, pause, State::NotResponding].into_iter().any(at_work));
        assert!(at_work(State::Internal { call, before: Before::Ready }) && !at_work(State::Internal { call, before: Before::Offline }));
    }
}
