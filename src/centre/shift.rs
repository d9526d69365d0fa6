//! Who is on shift now? A table of shifts in local time, and what supervisors have ordered for today: it decides who may be offered a call.
//!
//! Without a table everybody is on shift who is not sent home.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Centre;
use super::deadline::Reason;
use super::fact::Fact;
use super::ids::{AgentId, Language, QueueId, ShiftId, SkillId};
use super::line::Line;
use super::schedule::Calendar;
use super::time::Time;

/// An order without an end, where no table tells one, ends after this, in milliseconds.
const DAY_MS: u64 = 86_400_000;

/// One shift of the table.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Shift {
    /// When.
    pub hours: Calendar,
    /// Who.
    pub agents: BTreeSet<AgentId>,
    /// What of their skills counts on it; languages always do. Nothing: all.
    pub skills: BTreeSet<SkillId>,
    /// Which queues it serves; nothing: all.
    pub queues: BTreeSet<QueueId>,
}

impl Shift {
    /// Whether it serves a queue.
    pub fn serves(&self, queue: &QueueId) -> bool {
        self.queues.is_empty() || self.queues.contains(queue)
    }

    /// Whether a skill counts on it.
    pub fn counts(&self, skill: &SkillId) -> bool {
        self.skills.is_empty() || self.skills.contains(skill) || Language::from_code(skill.as_str()).is_some()
    }

    /// Whether who is on it may take the callers of a line, if they can do what is needed.
    pub fn takes(&self, line: &Line) -> bool {
        self.serves(&line.queue) && line.needs.levels().all(|(skill, _)| self.counts(skill))
    }
}

/// What a supervisor wants of somebody's shift.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DutyWanted)]
pub enum Wanted {
    /// On shift from now on; by the rules of a shift, or for all that they can do.
    On { shift: Option<ShiftId> },
    /// In the hours of this shift, in place of their own.
    Moved { to: ShiftId },
    /// Sent home.
    Home {},
    /// Back to what the table says.
    Table {},
}

impl Wanted {
    /// Whether the shift that it names is there.
    fn stands_in(&self, table: &BTreeMap<ShiftId, Shift>) -> bool {
        match self {
            Wanted::On { shift: Some(shift) } | Wanted::Moved { to: shift } => table.contains_key(shift),
            Wanted::On { shift: None } | Wanted::Home {} | Wanted::Table {} => true,
        }
    }
}

/// An order of a supervisor about somebody's shift. The words are short and name no resident.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ShiftOrder {
    /// About whom.
    pub agent: AgentId,
    /// What.
    pub wanted: Wanted,
    /// Until when, in milliseconds since the epoch; without it for the day, with the night that begins on it.
    pub until_ms: Option<u64>,
    /// Who orders it.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// Orders in force and who is on which shift.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Duty {
    orders: BTreeMap<AgentId, (Wanted, Time)>,
    /// Those who are not on shift.
    off: BTreeSet<AgentId>,
    /// The shifts that those serve who are on any; who is neither here nor off serves all that they can.
    on: BTreeMap<AgentId, BTreeSet<ShiftId>>,
}

impl Duty {
    /// Whether somebody is on shift.
    pub fn is_on(&self, agent: &AgentId) -> bool {
        !self.off.contains(agent)
    }

    /// The shifts that somebody serves; nothing for who serves all that they can, or is off shift.
    pub fn shifts(&self, agent: &AgentId) -> impl Iterator<Item = &ShiftId> {
        self.on.get(agent).into_iter().flatten()
    }

    fn told(&self, agent: &AgentId) -> (bool, BTreeSet<ShiftId>) {
        (self.is_on(agent), self.on.get(agent).cloned().unwrap_or_default())
    }
}

impl Centre {
    /// A supervisor has decided about somebody's shift: it holds in this step.
    pub(super) fn shift_ordered(&mut self, order: ShiftOrder) {
        let ShiftOrder { agent, wanted, until_ms, by, reason } = order;
        if !wanted.stands_in(&self.settings.shifts) || !self.settings.agents.contains_key(&agent) {
            return;
        }
        let until = until_ms.map_or_else(|| self.end_of_order(&agent, &wanted), Time);
        match wanted {
            Wanted::Table {} => drop(self.duty.orders.remove(&agent)),
            Wanted::On { .. } | Wanted::Moved { .. } | Wanted::Home {} => {
                self.duty.orders.insert(agent.clone(), (wanted.clone(), until));
            }
        }
        self.out.fact(Fact::ShiftOrdered { agent, wanted, until_ms: until.0, by, reason });
        self.match_shifts();
    }

    /// Where nobody says until when: for the day. That is until the last span ends of the shifts that the order is about which goes on or begins
    /// today, on the next day where it is a night; in a night that began yesterday until its end; else until midnight.
    pub(super) fn end_of_order(&self, agent: &AgentId, wanted: &Wanted) -> Time {
        let (shifts, now, ahead) = (&self.settings.shifts, self.now, self.wall_ahead_ms);
        let about: Vec<&Shift> = match wanted {
            Wanted::On { shift: Some(shift) } | Wanted::Moved { to: shift } => shifts.get(shift).into_iter().collect(),
            Wanted::On { shift: None } | Wanted::Home {} | Wanted::Table {} => {
                shifts.values().filter(|shift| shift.agents.contains(agent)).collect()
            }
        };
        let night = about.iter().filter_map(|shift| shift.hours.end_of_the_night(now, ahead)).max();
        let day = || about.iter().filter_map(|shift| shift.hours.end_of_the_day(now, ahead)).max();
        let midnight = || about.first().or(shifts.values().next().as_ref()).map(|shift| shift.hours.next_midnight(now, ahead));
        night.or_else(day).or_else(midnight).unwrap_or(now.plus_ms(DAY_MS))
    }

    /// Who is on shift at this moment, by orders and table; told where it has changed. The next change has a deadline.
    pub(super) fn match_shifts(&mut self) {
        let (now, agents, table) = (self.now, &self.settings.agents, &self.settings.shifts);
        // An order about a shift that the table does not have any more is void: the table holds.
        self.duty.orders.retain(|agent, (wanted, until)| *until > now && agents.contains_key(agent) && wanted.stands_in(table));
        self.duty.off.retain(|agent| agents.contains_key(agent));
        self.duty.on.retain(|agent, _| agents.contains_key(agent));
        let agents: Vec<AgentId> = agents.keys().cloned().collect();
        for agent in agents {
            let (is_on, shifts) = self.duty_at(&agent, now);
            if self.duty.told(&agent) == (is_on, shifts.clone()) {
                continue;
            }
            self.duty.off.remove(&agent);
            self.duty.on.remove(&agent);
            if !is_on {
                self.duty.off.insert(agent.clone());
            } else if !shifts.is_empty() {
                self.duty.on.insert(agent.clone(), shifts.clone());
            }
            self.out.fact(Fact::ShiftChanged { agent, is_on, shifts: shifts.into_iter().collect() });
        }
        let tables = self.settings.shifts.values().filter_map(|shift| shift.hours.next_change(now, self.wall_ahead_ms));
        match tables.chain(self.duty.orders.values().map(|(_, until)| *until)).min() {
            Some(at) => self.deadlines.set(Reason::ShiftChanges, at),
            None => self.deadlines.cancel(&Reason::ShiftChanges),
        }
    }

    /// Whether somebody is on shift at a moment, and on which, by the table and by the orders that are in force then.
    pub(super) fn duty_at(&self, agent: &AgentId, at: Time) -> (bool, BTreeSet<ShiftId>) {
        let shifts = &self.settings.shifts;
        let goes_on = |shift: &Shift| shift.hours.is_open(at, self.wall_ahead_ms);
        match self.duty.orders.get(agent).filter(|(_, until)| *until > at).map(|(wanted, _)| wanted) {
            Some(Wanted::Home {}) => (false, BTreeSet::new()),
            Some(Wanted::On { shift }) => (true, shift.iter().filter(|shift| shifts.contains_key(*shift)).cloned().collect()),
            Some(Wanted::Moved { to }) => {
                let on: BTreeSet<ShiftId> = shifts.get(to).filter(|shift| goes_on(shift)).map(|_| to.clone()).into_iter().collect();
                (!on.is_empty(), on)
            }
            Some(Wanted::Table {}) | None => {
                let theirs = shifts.iter().filter(|(_, shift)| shift.agents.contains(agent) && goes_on(shift));
                let on: BTreeSet<ShiftId> = theirs.map(|(id, _)| id.clone()).collect();
                (shifts.is_empty() || !on.is_empty(), on)
            }
        }
    }

    /// Who is on which shift, and the orders in force, each with its end.
    pub fn duty(&self) -> &Duty {
        &self.duty
    }

    /// The shifts that somebody serves, as the settings have them; `None` for who serves all that they can.
    pub(super) fn serving(&self, agent: &AgentId) -> Option<Vec<&Shift>> {
        let serving = self.duty.on.get(agent)?;
        Some(serving.iter().filter_map(|shift| self.settings.shifts.get(shift)).collect())
    }

    /// Who is not as without a table, as facts told long ago: for a board that begins anew with the process.
    pub(super) fn duty_retold(&self) -> Vec<Fact> {
        let off = self.duty.off.iter().map(|agent| Fact::ShiftChanged { agent: agent.clone(), is_on: false, shifts: Vec::new() });
        let on = self.duty.on.iter().map(|(agent, shifts)| {
            let shifts = shifts.iter().cloned().collect();
            Fact::ShiftChanged { agent: agent.clone(), is_on: true, shifts }
        });
        off.chain(on).collect()
    }
}
