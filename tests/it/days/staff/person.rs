//! What is an operator next, once what keeps them busy is over? By their wishes and devices.

use cityline::centre::fact::AgentStatus;
use cityline::centre::settings::Device;
use cityline::centre::time::Time;

use super::{Person, by_phone};

impl Person {
    pub fn rung(&self, device: Option<&Device>) -> bool {
        match device {
            Some(Device::Fixed { .. }) => true,
            Some(Device::Browser) => self.desk.is_some() && self.page.is_some(),
            Some(Device::Phone { answer_at_desk, .. }) => !self.contacts.is_empty() && (!answer_at_desk || self.desk.is_some()),
            None => false,
        }
    }

    /// After an offer that was let pass: back to the pause or home to which a colleague's resident was left.
    pub fn aside(&self, device: Option<&Device>) -> AgentStatus {
        match &self.wish {
            Some(wish) => wish.clone(),
            None if by_phone(device) && !self.rung(device) => AgentStatus::Offline,
            None => AgentStatus::NotResponding,
        }
    }

    /// After an offer that was over through no fault of theirs.
    pub fn let_go(&self, device: Option<&Device>) -> AgentStatus {
        match &self.wish {
            Some(wish) => wish.clone(),
            None if self.rung(device) => AgentStatus::Ready,
            None => AgentStatus::NotResponding,
        }
    }

    pub fn after_wrap_up(&self, device: Option<&Device>) -> AgentStatus {
        match &self.wish {
            _ if device.is_none() => AgentStatus::Offline,
            Some(wish) => wish.clone(),
            None if self.rung(device) => AgentStatus::Ready,
            None => self.aside(device),
        }
    }

    /// After a call with a colleague.
    pub fn after_internal(&self, device: Option<&Device>, now: Time) -> AgentStatus {
        let over = self.before_until.is_some_and(|until| until <= now);
        match &self.before {
            _ if device.is_none() => AgentStatus::Offline,
            AgentStatus::Ready => self.after_wrap_up(device),
            AgentStatus::WrapUp if over => self.after_wrap_up(device),
            AgentStatus::NotResponding if by_phone(device) && !self.rung(device) => AgentStatus::Offline,
            AgentStatus::NotResponding if over && self.rung(device) => AgentStatus::Ready,
            same => same.clone(),
        }
    }

    pub fn is_busy(&self) -> bool {
        matches!(self.status, AgentStatus::Offered(_) | AgentStatus::Talking(_) | AgentStatus::Supervising(_) | AgentStatus::Internal(_))
    }
}
