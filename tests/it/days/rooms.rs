//! Does everybody hear whom they should, and nobody more? The matrix as ordered, against one worked out from facts and inputs.

use std::collections::{BTreeMap, BTreeSet};

use cityline::centre::ids::{CallId, LegId, Supervision};
use cityline::centre::input::{FromMedia, Input};
use cityline::centre::output::Hears;

use super::calls::{Call, Talk, Third};
use super::legs::Legs;

type Pairs = BTreeSet<(u16, u16)>;

#[derive(Default)]
pub struct Rooms {
    /// The ear and the mouth of each pair, as last ordered.
    hears: BTreeMap<CallId, Pairs>,
    music: BTreeSet<LegId>,
    /// Whose phones hold.
    holding: BTreeSet<LegId>,
    supervisors: BTreeMap<LegId, Supervision>,
}

impl Rooms {
    /// Pages hold while their sound is away.
    pub fn pages_hold(&mut self, pages: Vec<LegId>, hold: bool) {
        for page in pages {
            if hold {
                self.holding.insert(page);
            } else {
                self.holding.remove(&page);
            }
        }
    }

    pub fn note(&mut self, input: &Input, legs: &Legs) {
        match input {
            Input::Media(FromMedia::Agreed { leg, answer: None, .. }) if legs.is_lost_page(*leg) => drop(self.holding.remove(leg)),
            Input::Media(FromMedia::Held { leg, held: true }) if legs.is_live(*leg) => drop(self.holding.insert(*leg)),
            Input::Media(FromMedia::Held { leg, held: false }) => drop(self.holding.remove(leg)),
            _ => {}
        }
    }

    /// Legs that end in the same step take their pairs along.
    pub fn connect(&mut self, call: CallId, hears: &[Hears], legs: &Legs) {
        let live = hears.iter().filter(|pair| legs.is_live(pair.ear) && legs.is_live(pair.mouth));
        self.hears.insert(call, live.map(|pair| (pair.ear.n, pair.mouth.n)).collect());
    }

    pub fn plays(&mut self, leg: LegId, music: bool) {
        if music {
            self.music.insert(leg);
        } else {
            self.music.remove(&leg);
        }
    }

    pub fn supervises(&mut self, leg: LegId, mode: Supervision) {
        self.supervisors.insert(leg, mode);
    }

    pub fn no_supervisor(&mut self, leg: LegId) {
        self.supervisors.remove(&leg);
    }

    /// Another phone goes on with the part of a leg.
    pub fn replaced(&mut self, old: LegId, new: LegId) {
        let mode = self.supervisors.remove(&old);
        self.supervisors.extend(mode.map(|mode| (new, mode)));
    }

    /// Whether all that is heard in a call is heard before an answer.
    pub fn is_all_early(&self, call: CallId, legs: &Legs) -> bool {
        self.hears.get(&call).is_none_or(|pairs| pairs.iter().all(|(_, mouth)| legs.is_early(LegId { call, n: *mouth })))
    }

    /// Who hears whom.
    pub fn pairs(&self, call: CallId) -> impl Iterator<Item = (u16, u16)> + '_ {
        self.hears.get(&call).into_iter().flatten().copied()
    }

    pub fn leg_ended(&mut self, leg: LegId) {
        self.music.remove(&leg);
        self.holding.remove(&leg);
        self.supervisors.remove(&leg);
        if let Some(pairs) = self.hears.get_mut(&leg.call) {
            pairs.retain(|(ear, mouth)| *ear != leg.n && *mouth != leg.n);
        }
    }

    pub fn call_ended(&mut self, call: CallId) {
        self.hears.remove(&call);
    }

    pub fn is_heard(&self, leg: LegId) -> bool {
        self.hears.get(&leg.call).is_some_and(|pairs| pairs.iter().any(|(_, mouth)| *mouth == leg.n))
    }

    pub fn is_empty(&self, call: CallId) -> bool {
        self.hears.get(&call).is_none_or(BTreeSet::is_empty)
    }

    pub fn check(&self, calls: &BTreeMap<CallId, Call>, legs: &Legs) -> Vec<String> {
        let mut faults = Vec::new();
        for (call, known) in calls {
            let nothing = Pairs::new();
            let all = self.hears.get(call).unwrap_or(&nothing);
            let is_early = |pair: &&(u16, u16)| legs.is_early(LegId { call: *call, n: pair.1 });
            let (early, found): (Pairs, Pairs) = all.iter().copied().partition(|pair| is_early(&pair));
            // Who listens before an answer: the operator of a talk, whoever calls a resident, else the resident.
            let listens = |ear: u16| known.talk.as_ref().map_or(known.out.is_some() == (ear != 0), |talk| ear == talk.leg);
            if early.iter().any(|(ear, _)| !listens(*ear)) {
                faults.push(format!("{call}: {early:?} before an answer"));
            }
            let (hears, music) = match &known.talk {
                Some(talk) => self.expected(*call, talk),
                None => (Pairs::new(), BTreeSet::new()),
            };
            if found != hears {
                faults.push(format!("{call}: {found:?} hear each other, not {hears:?}"));
            }
            let plays: BTreeSet<u16> = self.of(*call, &self.music).collect();
            if known.talk.is_some() && plays != music {
                faults.push(format!("{call}: music plays to {plays:?}, not {music:?}"));
            }
            if known.ringing.is_some() && !plays.contains(&0) && early.is_empty() {
                faults.push(format!("{call}: the resident hears nothing while somebody rings for them"));
            }
            let secret = |leg: u16| self.supervisors.get(&LegId { call: *call, n: leg }).is_some_and(|mode| *mode != Supervision::Barge);
            if found.iter().any(|(ear, mouth)| *ear == 0 && secret(*mouth)) {
                faults.push(format!("{call}: the resident hears a supervisor who does not join"));
            }
        }
        faults
    }

    fn of(&self, call: CallId, legs: &BTreeSet<LegId>) -> impl Iterator<Item = u16> {
        legs.iter().filter(move |leg| leg.call == call).map(|leg| leg.n).collect::<Vec<_>>().into_iter()
    }

    /// Who waits is in nobody's ear; all others who do not hold hear each other; supervisors as far as their way goes.
    fn expected(&self, call: CallId, talk: &Talk) -> (Pairs, BTreeSet<u16>) {
        let holding: BTreeSet<u16> = self.of(call, &self.holding).collect();
        let waits = talk.hold || matches!(talk.third, Some(Third::Rings(_) | Third::Consulted(..)));
        let mut circle: Vec<u16> = vec![talk.leg];
        circle.extend((!waits).then_some(0));
        circle.extend(talk.third.as_ref().and_then(Third::up));
        let all = circle.len();
        circle.retain(|n| !holding.contains(n));
        let supervisors: Vec<(u16, Supervision)> = self
            .supervisors
            .iter()
            .filter(|(leg, _)| leg.call == call && !holding.contains(&leg.n))
            .map(|(leg, mode)| (leg.n, *mode))
            .collect();
        let speakers: Vec<u16> =
            circle.iter().copied().chain(supervisors.iter().filter(|(_, mode)| *mode == Supervision::Barge).map(|(n, _)| *n)).collect();
        let mut hears = Pairs::new();
        for ear in &speakers {
            hears.extend(speakers.iter().filter(|mouth| *mouth != ear).map(|mouth| (*ear, *mouth)));
        }
        for (n, mode) in supervisors.iter().filter(|(_, mode)| *mode != Supervision::Barge) {
            hears.extend(speakers.iter().map(|mouth| (*n, *mouth)));
            if *mode == Supervision::Whisper && circle.contains(&talk.leg) {
                hears.insert((talk.leg, *n));
            }
        }
        let mut music: BTreeSet<u16> = BTreeSet::new();
        music.extend((waits && !holding.contains(&0)).then_some(0));
        if let [alone] = circle.as_slice()
            && all > 1
            && !hears.iter().any(|(ear, _)| ear == alone)
        {
            music.insert(*alone);
        }
        // Whoever speaks to the resident is heard by them again when the warning is over.
        if talk.warned {
            hears.retain(|(ear, _)| *ear != 0);
        }
        (hears, music)
    }
}
