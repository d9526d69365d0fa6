//! What do operators' phones order by themselves on a random day? Holding, giving away, calling colleagues, taking places.

use cityline::centre::fact::Party;
use cityline::centre::ids::{AgentId, CallId, CallerRef, LegId, SdpRef};
use cityline::centre::input::{FromLine, FromMedia, HangUpCause, Input, ReferTo};

use super::legs::Line;
use super::towns::OPERATORS;
use super::world::World;

impl World {
    pub(super) fn a_far_end_does_something(&mut self) {
        let Some(leg) = self.any_leg_of_a_line() else { return };
        if leg.n > 0 && self.model.legs.live.get(&leg).is_some_and(|known| known.line != Line::Quiet) && self.dice.percent(50) {
            self.handle(Input::Line(FromLine::HungUp { leg, cause: HangUpCause::Bye }));
        } else if !self.model.legs.is_reoffered(leg) {
            self.handle(Input::Line(FromLine::Reoffered { leg, sdp: SdpRef(leg.call.0) }));
        }
    }

    pub fn a_phone_works_with_its_call(&mut self) {
        let Some(leg) = self.any_leg_of_a_line() else { return };
        if self.dice.percent(70) {
            let held = self.dice.percent(60);
            return self.handle(Input::Media(FromMedia::Held { leg, held }));
        }
        let to = match self.dice.below(4) {
            0 => ReferTo::Name((*self.dice.pick(&["heating", "bolat", "112", "nothing"]).unwrap_or(&"heating")).to_owned()),
            1 => ReferTo::Agent(AgentId::from(*self.dice.pick(&OPERATORS).unwrap_or(&"aigul"))),
            2 => ReferTo::Outside(CallerRef(self.dice.below(6))),
            _ => ReferTo::Replaces(self.another_leg(leg)),
        };
        self.handle(Input::Line(FromLine::Referred { leg, to }));
    }

    /// A leg of the same operator in another call, if there is one, else any of this call.
    fn another_leg(&mut self, leg: LegId) -> LegId {
        let party = self.model.legs.party(leg).cloned();
        let of_the_same = |other: &LegId| other.call != leg.call && self.model.legs.party(*other) == party.as_ref();
        let others: Vec<LegId> = self.model.legs.live.keys().copied().filter(of_the_same).collect();
        self.dice.pick(&others).copied().unwrap_or(LegId { n: self.dice.below(5) as u16, ..leg })
    }

    /// An operator's phone gives the call to a colleague whom it has asked by a call of its own.
    pub fn a_phone_puts_two_together(&mut self) {
        let between: Vec<CallId> = self.model.between.keys().copied().collect();
        let Some(call) = self.dice.pick(&between).copied() else { return self.a_phone_calls_a_colleague() };
        let leg = LegId { call, n: self.dice.below(2) as u16 };
        if self.model.legs.is_page(leg) {
            return;
        }
        let to = ReferTo::Replaces(self.another_leg(leg));
        self.handle(Input::Line(FromLine::Referred { leg, to }));
    }

    pub fn a_phone_calls_a_colleague(&mut self) {
        self.next_call += 1;
        let call = CallId(self.next_call);
        let late = self.dice.percent(10);
        if late {
            self.late_offers.push(call);
        }
        let from = self.somebody_at_work();
        let to = AgentId::from(*self.dice.pick(&OPERATORS).unwrap_or(&"aigul"));
        let sdp = (!late).then_some(SdpRef(call.0));
        self.handle(Input::Line(FromLine::PhoneCalled { call, from, to, sdp }));
    }

    /// Mostly the operator's own second phone, sometimes a colleague's.
    pub fn a_phone_takes_a_place(&mut self) {
        let Some(old) = self.any_leg_of_a_line() else { return };
        let owner = match self.model.legs.party(old) {
            Some(Party::Agent(agent)) if self.dice.percent(60) => agent.clone(),
            _ => AgentId::from(*self.dice.pick(&OPERATORS).unwrap_or(&"aigul")),
        };
        self.replacing += 1;
        let leg = LegId { n: 0x8000 + self.replacing, ..old };
        self.handle(Input::Line(FromLine::Replacing { leg, replaced: old.n, agent: owner, sdp: Some(SdpRef(old.call.0)) }));
    }

    pub fn a_far_end_speaks_early(&mut self) {
        let dialled: Vec<LegId> =
            self.model.legs.live.iter().filter(|(_, known)| known.line == Line::Dialled).map(|(leg, _)| *leg).collect();
        if let Some(leg) = self.dice.pick(&dialled).copied() {
            self.handle(Input::Line(FromLine::EarlyMedia { leg, sdp: SdpRef(leg.call.0) }));
        }
    }
}
