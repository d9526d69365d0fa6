//! What do operators' devices make of their states?

use super::*;

impl Person {
    /// Whether the sound of the page makes ready who was so when it went.
    pub fn comes_back(&self, device: Option<&Device>, now: Time) -> bool {
        self.returns_until.is_some_and(|until| until > now) && self.rung(device)
    }

    /// A desk that is gone is not waited for, nor is its page.
    pub fn forgets_a_silent_page(&mut self) {
        if self.page.is_none() {
            self.returns_until = None;
        }
    }

    pub fn desk_gone(&self, before: &Person, status: AgentStatus, device: Option<&Device>) -> AgentStatus {
        match status {
            same if self.desk == before.desk || self.rung(device) => same,
            AgentStatus::Ready => AgentStatus::NotResponding,
            AgentStatus::Offered(_) => self.aside(device),
            same => same,
        }
    }

    pub fn phone_changed(&self, before: &Person, status: AgentStatus, device: Option<&Device>) -> AgentStatus {
        match status {
            same if self.contacts == before.contacts || matches!(device, Some(Device::Fixed { .. } | Device::Browser)) => same,
            AgentStatus::Offline | AgentStatus::NotResponding if by_phone(device) && self.rung(device) && !self.sent_off => {
                AgentStatus::Ready
            }
            AgentStatus::Offered(_) if self.contacts.is_empty() => self.aside(device),
            AgentStatus::Ready if self.contacts.is_empty() && by_phone(device) && !self.rung(device) => AgentStatus::Offline,
            AgentStatus::Ready if self.contacts.is_empty() && !self.rung(device) => AgentStatus::NotResponding,
            AgentStatus::NotResponding if self.contacts.is_empty() && by_phone(device) => AgentStatus::Offline,
            same => same,
        }
    }
}

/// What an operator in a call with a colleague does after it.
pub fn goes_on_otherwise(person: &mut Person, input: &FromDesk, settings: &Settings, contacts_before: &[ContactId]) {
    let device = device(settings, input.agent());
    let after = match input {
        FromDesk::Ready { .. } if person.rung(device) => Some(AgentStatus::Ready),
        FromDesk::Pause { reason, .. } if settings.pause_reasons.contains(reason) => Some(AgentStatus::Paused(reason.clone())),
        FromDesk::SignOut { .. } => Some(AgentStatus::Offline),
        FromDesk::WrapUpDone { .. } if person.before == AgentStatus::WrapUp => Some(person.wish.take().unwrap_or(AgentStatus::Ready)),
        FromDesk::PhoneChanged { .. }
            if person.contacts != contacts_before
                && !person.contacts.is_empty()
                && matches!(device, Some(Device::Phone { ready_when_registered: true, .. }))
                && matches!(person.before, AgentStatus::Offline | AgentStatus::NotResponding)
                && person.rung(device)
                && !person.sent_off =>
        {
            Some(AgentStatus::Ready)
        }
        _ => None,
    };
    if let Some(after) = after {
        (person.before, person.before_until, person.wish) = (after, None, None);
    }
}

pub fn apply_to_device(person: &mut Person, input: &FromDesk, settings: &Settings, talks: bool) {
    match input {
        FromDesk::DeskUp { generation, .. } => (person.desk, person.desk_until) = (person.desk.max(Some(*generation)), None),
        FromDesk::DeskGone { generation, .. } if person.desk == Some(*generation) => {
            (person.desk, person.desk_until) = (None, None);
            person.forgets_a_silent_page();
        }
        FromDesk::DeskMediaUp { generation, .. } => person.page = Some(*generation),
        FromDesk::DeskMediaDown { generation, .. } if person.page == Some(*generation) => person.page = None,
        FromDesk::PhoneChanged { contacts, .. } => person.contacts = contacts.iter().copied().take(CONTACTS).collect(),
        FromDesk::Ready { .. } if talks || matches!(person.status, AgentStatus::Offered(_)) => person.wish = None,
        FromDesk::Pause { reason, .. } if talks && settings.pause_reasons.contains(reason) => {
            person.wish = Some(AgentStatus::Paused(reason.clone()));
        }
        FromDesk::SignOut { .. } if talks => person.wish = Some(AgentStatus::Offline),
        FromDesk::DeskGone { .. }
        | FromDesk::DeskMediaDown { .. }
        | FromDesk::Ready { .. }
        | FromDesk::Pause { .. }
        | FromDesk::SignOut { .. }
        | FromDesk::OfferShown { .. }
        | FromDesk::Accept { .. }
        | FromDesk::Decline { .. }
        | FromDesk::HangUp { .. }
        | FromDesk::WrapUpDone { .. }
        | FromDesk::Hold { .. }
        | FromDesk::Resume { .. }
        | FromDesk::Consult { .. }
        | FromDesk::CompleteConsult { .. }
        | FromDesk::EndConsult { .. }
        | FromDesk::Conference { .. }
        | FromDesk::Transfer { .. }
        | FromDesk::CallOut { .. }
        | FromDesk::Monitor { .. }
        | FromDesk::TakeOver { .. }
        | FromDesk::StopMonitor { .. }
        | FromDesk::SendDigits { .. }
        | FromDesk::ExtendWrapUp { .. }
        | FromDesk::AskHelp { .. }
        | FromDesk::HelpDone { .. }
        | FromDesk::Warn { .. }
        | FromDesk::EndAbuse { .. }
        | FromDesk::PauseRecording { .. }
        | FromDesk::ResumeRecording { .. } => {}
    }
}
