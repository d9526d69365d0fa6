//! What does a call become when operators work with it? The model's own account of consulting, conferences, transfers and calls out.

use cityline::centre::fact::{ConsultEnd, OfferEnd, Party, Role};
use cityline::centre::ids::{AgentId, CallId, CallTo, CallerRef, LegId, QueueId};

use super::calls::{Talk, Third};
use super::model::{Model, Step};

impl Model {
    pub fn called_out(&mut self, call: CallId, caller: CallerRef, agent: &AgentId, queue: &QueueId, step: &mut Step) {
        self.started(call, caller, step);
        step.asked.insert((call, agent.clone()));
        step.beside.insert(agent.clone());
        step.queues.insert(call, queue.clone());
        if let Some(known) = self.calls.get_mut(&call) {
            known.out = Some((agent.clone(), queue.clone()));
        }
        self.check(!caller.is_withheld(), || format!("{call} goes to nobody"));
    }

    pub fn check_talks(&mut self, call: CallId, what: &str) {
        // A phone may hold before its call is a talk; nothing comes of it.
        let up = self.calls.contains_key(&call);
        self.check(up, || format!("{call} {what}, but is not up"));
    }

    pub fn consult_started(&mut self, call: CallId, agent: &AgentId, with: &Party, step: &mut Step) {
        let talk = self.calls.get_mut(&call).and_then(|known| known.talk.as_mut());
        let may = talk.as_ref().is_some_and(|talk| talk.agent.as_ref() == Some(agent) && talk.third.is_none());
        if let Some(talk) = talk {
            (talk.third, talk.hold) = (Some(Third::Rings(with.clone())), false);
        }
        if let Party::Agent(asked) = with {
            step.asked.insert((call, asked.clone()));
        }
        self.check(may, || format!("{agent} asks {with:?} in {call}"));
    }

    pub fn consult_ended(&mut self, call: CallId, how: ConsultEnd, step: &mut Step) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        let Some(third) = known.talk.as_mut().and_then(|talk| talk.third.take()) else {
            return self.check(false, || format!("{call} had nobody to ask"));
        };
        let up = third.up().is_some();
        let fits = match how {
            ConsultEnd::Ended | ConsultEnd::CallOver => true,
            ConsultEnd::Completed | ConsultEnd::ConsultantGone => up,
            ConsultEnd::HandedOn | ConsultEnd::NotTaken(_) => !up,
        };
        if let (Party::Agent(agent), false) = (third.party(), up) {
            let to_them = match how {
                ConsultEnd::NotTaken(how) => Some(how),
                ConsultEnd::Ended | ConsultEnd::CallOver => Some(OfferEnd::CallerGone),
                ConsultEnd::Completed | ConsultEnd::ConsultantGone | ConsultEnd::HandedOn => None,
            };
            step.asks_ended.extend(to_them.map(|how| (call, agent.clone(), how)));
        }
        if how == ConsultEnd::HandedOn {
            let talk = known.talk.take();
            known.ringing = talk.as_ref().and_then(|talk| talk.queue.clone()).map(|queue| (third.party().clone(), queue));
            known.silent_until = None;
            step.ended_talks.extend(talk.map(|talk| (call, talk)));
        }
        self.check(fits, || format!("asking in {call} ended as {how:?}, answered: {up}"));
    }

    pub fn joined(&mut self, leg: LegId, party: &Party, role: Role, step: &mut Step) {
        let theirs = self.legs.party(leg) == Some(party) && self.legs.is_live(leg);
        self.check(theirs, || format!("{leg} joins as {party:?}"));
        match role {
            Role::Supervisor(mode) => self.rooms.supervises(leg, mode),
            Role::Consultant | Role::Guest => self.joined_beside(leg, party, role),
            Role::Partner => self.joined_as_partner(leg, party, step),
        }
    }

    fn joined_beside(&mut self, leg: LegId, party: &Party, role: Role) {
        let talk = self.calls.get_mut(&leg.call).and_then(|known| known.talk.as_mut());
        let Some(talk) = talk else { return self.check(false, || format!("{leg} joins no talk")) };
        let before = talk.third.clone();
        let (third, may) = match (role, &before) {
            (Role::Guest, Some(Third::Consulted(asked, n))) => (Third::Guest(party.clone(), leg.n), asked == party && *n == leg.n),
            (_, Some(Third::Rings(asked))) => (Third::Consulted(party.clone(), leg.n), role == Role::Consultant && asked == party),
            _ => (Third::Consulted(party.clone(), leg.n), false),
        };
        talk.third = Some(third);
        self.check(may, || format!("{leg} joins as {role:?} without having been asked"));
    }

    /// The resident talks with somebody else than before, or for the first time.
    fn joined_as_partner(&mut self, leg: LegId, party: &Party, step: &mut Step) {
        let agent = match party {
            Party::Agent(agent) => Some(agent.clone()),
            Party::Resident | Party::Outside(_) | Party::Number(_) => None,
        };
        let queue = step.queues.get(&leg.call).cloned().filter(|_| agent.is_some());
        let Some(known) = self.calls.get_mut(&leg.call) else { return };
        let former = known.talk.replace(Talk::new(leg.n, agent, queue));
        (known.ringing, known.out, known.silent_until) = (None, None, None);
        step.ended_talks.extend(former.map(|talk| (leg.call, talk)));
        self.rooms.no_supervisor(leg);
    }

    pub fn transferred(&mut self, call: CallId, agent: &AgentId, to: &CallTo, step: &mut Step) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        let talk = known.talk.take();
        let theirs = talk.as_ref().is_some_and(|talk| talk.agent.as_ref() == Some(agent) && talk.third.is_none());
        let party = match to {
            CallTo::Queue(_) => None,
            CallTo::Agent(agent) => Some(Party::Agent(agent.clone())),
            CallTo::Service(name) => Some(Party::Outside(name.clone())),
            CallTo::Outside(number) => Some(Party::Number(*number)),
        };
        known.silent_until = None;
        known.ringing = party.zip(talk.as_ref().and_then(|talk| talk.queue.clone()));
        step.ended_talks.extend(talk.map(|talk| (call, talk)));
        match to {
            CallTo::Queue(_) => self.waits_anew(call),
            CallTo::Agent(asked) => drop(step.asked.insert((call, asked.clone()))),
            CallTo::Service(_) | CallTo::Outside(_) => {}
        }
        self.check(theirs, || format!("{agent} gives {call} away, which is not theirs"));
    }

    pub fn transfer_failed(&mut self, call: CallId, queue: &QueueId, how: OfferEnd, step: &mut Step) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        let ringing = known.ringing.take();
        let back = ringing.as_ref().is_some_and(|(_, back)| back == queue);
        if let Some((Party::Agent(agent), _)) = ringing {
            step.asks_ended.push((call, agent, how));
        }
        self.waits_anew(call);
        self.check(back, || format!("{call} goes back to {queue}, where it did not come from"));
    }
}
