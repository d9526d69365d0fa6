//! Who is there? Operators who come, take breaks and go, each with the phone that rings at their place.

use std::collections::BTreeMap;

use crate::centre::fact::Fact;
use crate::centre::ids::{AgentId, ContactId, Generation, PauseReason};
use crate::centre::input::{FromDesk, Input};
use crate::centre::time::Time;

use super::super::callers::ms;
use super::super::scenario::{Breaks, Group, HALF_HOUR_MS, Hours, Scenario, day_of};
use super::outline::{BREAK, operators};
use super::{Event, Simulation};

/// All operators of a scenario.
pub struct Crew(BTreeMap<AgentId, Operator>);

struct Operator {
    hours: Hours,
    breaks: Option<Breaks>,
    phone: ContactId,
    is_there: bool,
    /// Counted up when they come: what was noted of a former shift is stale.
    shift: u64,
    /// A break is wished for; it begins when the talk and what is to be written down are over.
    wants_break: bool,
    /// Counted up with every wrap-up.
    wrap_up: u64,
    writes: bool,
    /// How long they write after their talk.
    wrap_up_ms: Option<u64>,
}

impl Crew {
    pub fn of(scenario: &Scenario) -> Self {
        let named =
            scenario.operators.iter().flat_map(|(name, group)| operators(name, group).into_iter().map(move |operator| (operator, group)));
        let operator = |phone, group: &Group| Operator {
            hours: group.present,
            breaks: group.breaks,
            phone: ContactId(phone),
            is_there: false,
            shift: 0,
            wants_break: false,
            wrap_up: 0,
            writes: false,
            wrap_up_ms: None,
        };
        Self((1..).zip(named).map(|(phone, (name, group))| (name, operator(phone, group))).collect())
    }

    /// The operator talks, and will then write for so long.
    pub fn talks(&mut self, agent: &AgentId, wrap_up_ms: Option<u64>) {
        self.0.get_mut(agent).into_iter().for_each(|known| known.wrap_up_ms = wrap_up_ms);
    }

    /// A wrap-up begins: its number, and how long it lasts.
    pub fn writes_down(&mut self, agent: &AgentId) -> Option<(u64, u64)> {
        let known = self.0.get_mut(agent)?;
        known.wrap_up += 1;
        known.writes = true;
        Some((known.wrap_up, known.wrap_up_ms?))
    }

    /// Whatever they wrote down is written.
    pub fn is_done(&mut self, agent: &AgentId) {
        self.0.get_mut(agent).into_iter().for_each(|known| known.writes = false);
    }

    /// Whether this wrap-up still goes on.
    pub fn writes(&self, agent: &AgentId, wrap_up: u64) -> bool {
        self.0.get(agent).is_some_and(|known| known.writes && known.wrap_up == wrap_up)
    }

    fn works(&self, agent: &AgentId, shift: u64) -> Option<Breaks> {
        self.0.get(agent).filter(|known| known.is_there && known.shift == shift)?.breaks
    }

    /// Who comes and who goes as this half hour of the day begins.
    fn changes(&self, of_day: usize) -> Vec<AgentId> {
        self.0.iter().filter(|(_, known)| known.hours.contains(of_day) != known.is_there).map(|(agent, _)| agent.clone()).collect()
    }
}

impl<W: FnMut(Time, &Fact)> Simulation<'_, W> {
    /// Half an hour begins. Who goes is let go before who comes is offered a call.
    pub(super) fn half_hour(&mut self, number: u64) {
        self.note(HALF_HOUR_MS, Event::HalfHour(number + 1));
        for agent in self.crew.changes(day_of(number).1) {
            let Some(known) = self.crew.0.get_mut(&agent) else { continue };
            known.is_there = !known.is_there;
            if known.is_there {
                known.shift += 1;
                known.wants_break = false;
                let (shift, phone) = (known.shift, known.phone);
                self.comes(agent, shift, phone);
            } else {
                self.give(Input::Desk(FromDesk::SignOut { agent }));
            }
        }
    }

    fn comes(&mut self, agent: AgentId, shift: u64, phone: ContactId) {
        let generation = Generation(u32::try_from(shift).unwrap_or(u32::MAX));
        self.give(Input::Desk(FromDesk::DeskUp { agent: agent.clone(), generation }));
        self.give(Input::Desk(FromDesk::PhoneChanged { agent: agent.clone(), contacts: vec![phone] }));
        self.give(Input::Desk(FromDesk::Ready { agent: agent.clone() }));
        self.note_break(agent, shift);
    }

    fn note_break(&mut self, agent: AgentId, shift: u64) {
        let Some(breaks) = self.crew.works(&agent, shift) else { return };
        let work_s = breaks.mean_s * (1.0 - breaks.share) / breaks.share;
        let after_ms = ms(self.breaks.exponential(work_s));
        self.note(after_ms, Event::Break { agent, shift });
    }

    pub(super) fn takes_break(&mut self, agent: AgentId, shift: u64) {
        if self.crew.works(&agent, shift).is_none() {
            return;
        }
        self.crew.0.get_mut(&agent).into_iter().for_each(|known| known.wants_break = true);
        self.give(Input::Desk(FromDesk::Pause { agent, reason: PauseReason::from(BREAK) }));
    }

    /// A break that was wished for begins, and lasts from here on.
    pub(super) fn break_begins(&mut self, agent: &AgentId) {
        let Some(known) = self.crew.0.get_mut(agent).filter(|known| known.wants_break) else { return };
        known.wants_break = false;
        let shift = known.shift;
        let Some(breaks) = self.crew.works(agent, shift) else { return };
        let after_ms = ms(self.breaks.exponential(breaks.mean_s));
        self.note(after_ms, Event::Back { agent: agent.clone(), shift });
    }

    pub(super) fn is_back(&mut self, agent: AgentId, shift: u64) {
        if self.crew.works(&agent, shift).is_some() {
            self.give(Input::Desk(FromDesk::Ready { agent: agent.clone() }));
            self.note_break(agent, shift);
        }
    }
}
