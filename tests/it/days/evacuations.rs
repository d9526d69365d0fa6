//! Is anybody lost when a random day is cut by an evacuation? From the order on nobody is offered anything, nobody waits, and everybody who
//! waited or talked with an operator is owed a callback, whatever else happens meanwhile.

use std::collections::BTreeSet;

use cityline::centre::Centre;
use cityline::centre::fact::{AgentStatus, Fact};
use cityline::centre::ids::{CallId, CallerRef, ContactId, LegId, SdpRef};
use cityline::centre::input::{Codec, FromDesk, FromLine, FromMedia, Input};
use cityline::centre::output::{Ending, Output, ToMedia};
use cityline::centre::steer::{Order, Steered};
use cityline::centre::time::Time;

use super::Today;
use super::dice::Dice;
use super::towns::OPERATORS;
use super::world::World;
use crate::city::key;

/// A centre that is emptied, with the shells' bare answers.
struct Emptied {
    centre: Centre,
    now: Time,
    inputs: Vec<(Time, Input)>,
    facts: Vec<Fact>,
    playing: Vec<Input>,
}

impl Emptied {
    fn handle(&mut self, input: Input) -> Vec<Output> {
        self.inputs.push((self.now, input.clone()));
        self.centre.handle(self.now, input);
        let outputs: Vec<Output> = std::iter::from_fn(|| self.centre.poll_output()).collect();
        self.facts.extend(self.centre.take_facts());
        for output in &outputs {
            match output {
                Output::Media(ToMedia::Play { leg, play, ending: Ending::Report, .. }) => {
                    self.playing.push(Input::Media(FromMedia::Played { leg: *leg, play: *play }));
                }
                Output::Media(ToMedia::Open { leg, .. }) => {
                    self.playing.push(Input::Media(FromMedia::Opened { leg: *leg, sdp: SdpRef(1) }));
                    self.playing.push(Input::Media(FromMedia::Agreed { leg: *leg, codec: Codec::Pcmu, answer: None, about: None }));
                }
                _ => {}
            }
        }
        outputs
    }

    fn order(&mut self, on: bool) {
        let order = Order::Evacuation { on };
        self.handle(Input::Steered(Box::new(Steered { order, until_ms: None, by: "boss".into(), reason: "smoke".into() })));
    }

    fn something_happens(&mut self, dice: &mut Dice, call: u64) {
        let agent = || (*dice_pick(call, &OPERATORS)).into();
        let input = match dice.below(9) {
            0 => Input::Desk(FromDesk::Ready { agent: agent() }),
            1 => Input::Desk(FromDesk::SignOut { agent: agent() }),
            2 => Input::Desk(FromDesk::PhoneChanged { agent: agent(), contacts: vec![ContactId(call)] }),
            3 => Input::Desk(FromDesk::Pause { agent: agent(), reason: "lunch".into() }),
            4 | 5 => {
                let (call, caller) = (CallId(1_000_000 + call), CallerRef(call));
                let sdp = Some(SdpRef(1));
                Input::Line(FromLine::CallArrived { call, caller, number: "109".into(), trunk: "city".into(), sdp })
            }
            6 => {
                let up: Vec<LegId> = self.centre.legs().into_iter().filter(|leg| leg.n == 0).collect();
                let Some(leg) = dice.pick(&up).copied() else { return };
                Input::Media(FromMedia::Digit { leg, digit: key(*dice.pick(&['1', '2', '*']).unwrap_or(&'1')) })
            }
            7 => Input::DeadlineReached,
            _ => {
                let played = std::mem::take(&mut self.playing);
                played.into_iter().for_each(|input| drop(self.handle(input)));
                return;
            }
        };
        self.handle(input);
    }
}

fn dice_pick<T>(n: u64, of: &[T]) -> &T {
    &of[(n % of.len() as u64) as usize]
}

#[test]
fn an_evacuation_offers_nothing_and_loses_nobody() {
    let (mut waited, mut talked) = (0, 0);
    for seed in 90_000..90_500 {
        let _today = Today(seed);
        let mut world = World::new(seed);
        world.live_until(30 + seed as usize % 60);
        let calls = &world.model.calls;
        let of_operator = |id: &CallId| calls[id].talk.as_ref().is_some_and(|talk| talk.agent.is_some() && talk.third.is_none());
        let kept: BTreeSet<CallId> = calls.iter().filter(|(_, known)| !known.caller.is_withheld()).map(|(id, _)| *id).collect();
        let in_queue: BTreeSet<CallId> = kept.iter().filter(|id| calls[id].wait.is_some()).copied().collect();
        let in_talk: BTreeSet<CallId> = kept.iter().filter(|id| of_operator(id)).copied().collect();
        waited += in_queue.len();
        talked += in_talk.len();
        let before = world.centre.snapshot();
        let mut emptied =
            Emptied { centre: world.centre.snapshot(), now: world.now, inputs: Vec::new(), facts: Vec::new(), playing: Vec::new() };
        emptied.order(true);
        let owed: BTreeSet<CallId> = emptied.facts.iter().filter_map(owes).chain(world.owed()).collect();
        let lost: Vec<&CallId> = in_queue.union(&in_talk).filter(|call| !owed.contains(call)).collect();
        assert!(lost.is_empty(), "{lost:?} waited or talked and are owed nothing");
        emptied.facts.clear();
        let mut dice = Dice::new(seed);
        for event in 0..80 {
            emptied.now = emptied.now.plus_ms(dice.below(4_000));
            emptied.something_happens(&mut dice, event);
        }
        let breaks = |fact: &&Fact| {
            matches!(fact, Fact::Offered { .. } | Fact::Enqueued { .. } | Fact::Connected { .. })
                || matches!(fact, Fact::AgentChanged { state: AgentStatus::Ready | AgentStatus::Offered(_), .. })
        };
        let broken: Vec<&Fact> = emptied.facts.iter().filter(breaks).collect();
        assert!(broken.is_empty(), "in an evacuation: {broken:?}");
        emptied.order(false);
        assert!(!emptied.centre.is_evacuated());
        let mut twin = before;
        for (at, input) in &emptied.inputs {
            twin.handle(*at, input.clone());
            while twin.poll_output().is_some() {}
            twin.take_facts();
        }
        assert!(twin == emptied.centre, "the same inputs lead to another state");
    }
    println!("evacuated {waited} who waited and {talked} who talked");
    assert!(waited > 100 && talked > 50, "{waited} waited, {talked} talked: hardly anybody, which proves nothing");
}

fn owes(fact: &Fact) -> Option<CallId> {
    match fact {
        Fact::CallbackOwed { call, .. } => Some(*call),
        _ => None,
    }
}
