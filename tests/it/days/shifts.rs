//! What do supervisors order about shifts on a random day?

use cityline::centre::ids::AgentId;
use cityline::centre::input::Input;
use cityline::centre::shift::{ShiftOrder, Wanted};

use super::towns::{OPERATORS, SHIFTS};
use super::world::World;

impl World {
    pub(super) fn a_supervisor_orders_shifts(&mut self) {
        let agent = AgentId::from(*self.dice.pick(&OPERATORS).unwrap_or(&"aigul"));
        let shift = (*self.dice.pick(&SHIFTS).unwrap_or(&"day")).into();
        let wanted = match self.dice.below(6) {
            0 => Wanted::Home {},
            1 => Wanted::Table {},
            2 | 3 => Wanted::On { shift: None },
            4 => Wanted::On { shift: Some(shift) },
            _ => Wanted::Moved { to: shift },
        };
        let until_ms = self.dice.percent(60).then(|| self.now.0 + self.dice.below(60_000));
        self.handle(Input::ShiftOrdered(ShiftOrder { agent, wanted, until_ms, by: "boss".into(), reason: "today".into() }));
    }
}
