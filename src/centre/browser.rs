//! What if an operator's phone is the page of the desk? Its legs are connected without signalling, and a talk outlives a page that is
//! loaded again or loses its network for a while: the resident hears music until its sound is back.

use super::Centre;
use super::agent::State;
use super::deadline::Reason;
use super::fact::{EndReason, Fact, Party};
use super::ids::{AgentId, CallId, Generation, LegId, PromptId};
use super::leg::{Leg, LegState};
use super::output::{Ending, Sound, ToMedia};

/// A page that has lost its sound, which shows after 3 s, has this many milliseconds to come back: its network may be away for 15 s.
const RETURNS_MS: u64 = 18_000;
/// What a resident is told whose operator's page has lost its sound.
pub const RESTORING: &str = "line-restoring";
/// The same when it has not come back.
pub const LOST: &str = "line-lost";

impl Centre {
    /// A leg to the page of an operator: it needs no answer.
    pub(super) fn attach_leg(&mut self, leg: LegId, agent: AgentId) {
        let Some(known) = self.calls.get_mut(&leg.call) else { return };
        let party = Party::Agent(agent.clone());
        known.legs.insert(leg.n, Leg { browser: true, ..Leg::new(party.clone(), LegState::Agreeing) });
        self.out.fact(Fact::LegStarted { leg, party });
        self.out.media(ToMedia::Attach { leg, agent });
    }

    /// The page's sound is connected: a talk goes on, and who would have been ready is so again.
    pub(super) fn desk_media_up(&mut self, agent: &AgentId, generation: Generation) {
        let Some(known) = self.agents.get_mut(agent) else { return };
        known.media = Some(generation);
        let returns = std::mem::take(&mut known.returns);
        self.deadlines.cancel(&Reason::MediaReturns(agent.clone()));
        for leg in self.page_legs(agent) {
            if self.is_unknown(leg) {
                self.out.media(ToMedia::Attach { leg, agent: agent.clone() });
            } else {
                self.phone_held(leg, false);
            }
        }
        if returns && self.agent_state(agent) == Some(&State::NotResponding) && self.can_be_rung(agent) {
            self.set_agent(agent, State::Ready);
        }
    }

    /// The page's sound is gone: whom it talked with hears music, nobody new is offered to it, and it is waited for.
    pub(super) fn desk_media_down(&mut self, agent: &AgentId, generation: Generation) {
        let Some(known) = self.agents.get_mut(agent).filter(|known| known.media == Some(generation)) else { return };
        known.media = None;
        let desk_is_gone = known.desk.is_none();
        let legs = self.page_legs(agent);
        if desk_is_gone {
            self.give_up_pages(agent);
        } else if !legs.is_empty() {
            legs.into_iter().for_each(|leg| self.page_silent(leg));
            self.await_page(agent, self.now.plus_ms(RETURNS_MS));
        }
        self.set_aside_without_sound(agent, RETURNS_MS);
    }

    /// Nobody is heard from there: whoever waits for it from here on is told so before the music.
    fn page_silent(&mut self, leg: LegId) {
        let resident = LegId::caller(leg.call);
        let waited = self.hears_hold_music(resident);
        self.phone_held(leg, true);
        if !waited && self.hears_hold_music(resident) && self.talk(leg.call).is_some() {
            self.play_hold_music_after(resident, Some(PromptId::from(RESTORING)));
        }
    }

    fn set_aside_without_sound(&mut self, agent: &AgentId, for_ms: u64) {
        if !self.is_at_page(agent) || !self.rest_unreachable(agent) {
            return;
        }
        if self.agent_state(agent) == Some(&State::NotResponding) {
            self.agents.get_mut(agent).into_iter().for_each(|known| known.returns = true);
            self.await_page(agent, self.now.plus_ms(for_ms));
        }
    }

    fn await_page(&mut self, agent: &AgentId, until: super::time::Time) {
        self.deadlines.set_first(Reason::MediaReturns(agent.clone()), until);
    }

    /// Nothing is awaited of the operator's page any more: its legs are over, and the resident waits in the queue again, before all others.
    pub(super) fn give_up_pages(&mut self, agent: &AgentId) {
        self.deadlines.cancel(&Reason::MediaReturns(agent.clone()));
        self.agents.get_mut(agent).into_iter().for_each(|known| known.returns = false);
        for leg in self.page_legs(agent) {
            let leads = self.talk(leg.call).is_some_and(|talk| talk.leg == leg.n && talk.third.is_none() && talk.operator().is_some());
            if leads && !self.is_unknown(LegId::caller(leg.call)) {
                self.back_to_queue(leg.call);
            } else {
                self.leg_failed(leg, EndReason::NoSound);
            }
        }
    }

    /// After `Restarted`: the page's sound is there again.
    pub(super) fn page_found(&mut self, leg: LegId) {
        self.leg_recovered(leg);
        self.phone_held(leg, false);
    }

    /// A new process has no sound of any page yet: they are waited for, and whom they talked with hears music. Returns who would be ready.
    pub(super) fn pages_silent(&mut self, downtime_ms: u64) -> Vec<AgentId> {
        let had: Vec<AgentId> = self.agents.iter().filter(|(_, known)| known.media.is_some()).map(|(id, _)| id.clone()).collect();
        for agent in &had {
            self.agents.get_mut(agent).into_iter().for_each(|known| known.media = None);
        }
        let everybody: Vec<AgentId> = self.agents.keys().cloned().collect();
        for agent in everybody {
            let legs = self.page_legs(&agent);
            if legs.is_empty() {
                continue;
            }
            for leg in legs {
                self.leg_mut(leg).into_iter().for_each(|known| known.held = true);
                if self.hears_hold_music(leg) {
                    self.stop_hold_music(leg.call, leg.n);
                }
            }
            self.deadlines.set(Reason::MediaReturns(agent), self.now.plus_ms(downtime_ms).plus_ms(RETURNS_MS));
        }
        had.into_iter().filter(|agent| matches!(self.agent_state(agent), Some(State::Ready | State::Offered { .. }))).collect()
    }

    /// Those of before a restart who are ready, but for their page's sound. Who speaks by a phone needs none.
    pub(super) fn await_sounds(&mut self, ready: &[AgentId], downtime_ms: u64) {
        for agent in ready {
            if !self.is_at_page(agent) {
                continue;
            }
            self.set_aside_without_sound(agent, downtime_ms.saturating_add(RETURNS_MS));
            if let Some(known) = self.agents.get_mut(agent).filter(|known| known.state == State::NotResponding) {
                known.returns = true;
                self.await_page(agent, self.now.plus_ms(downtime_ms).plus_ms(RETURNS_MS));
            }
        }
    }

    /// Whether the far end of this leg is a page, of which signalling knows nothing.
    pub fn is_page(&self, leg: LegId) -> bool {
        self.calls.get(&leg.call).and_then(|call| call.legs.get(&leg.n)).is_some_and(|known| known.browser)
    }

    /// The legs to the operator's page; all of them are of the call that the operator is in.
    fn page_legs(&self, agent: &AgentId) -> Vec<LegId> {
        let call: Option<CallId> = self.agents.get(agent).and_then(|known| known.status().call());
        let Some((call, known)) = call.and_then(|call| self.calls.get_key_value(&call)) else { return Vec::new() };
        let theirs = |leg: &Leg| leg.browser && leg.party == Party::Agent(agent.clone());
        known.legs.iter().filter(|(_, leg)| theirs(leg)).map(|(n, _)| LegId { call: *call, n: *n }).collect()
    }

    /// The resident of a talk waits again, at the place of who has waited since the call came in, and with the largest credit: nobody of
    /// this queue who came later is before them. The clock of the wait begins anew: what was talk was no wait.
    fn back_to_queue(&mut self, call: CallId) {
        let operator = self.talk(call).and_then(|talk| talk.operator()).map(|(agent, queue)| (agent.clone(), queue.clone()));
        let Some((agent, queue)) = operator else { return };
        self.out.fact(Fact::PageLost { call, agent, queue: queue.clone() });
        self.leave_resident(call, EndReason::NoSound);
        if let Some(known) = self.calls.get_mut(&call) {
            (known.waited, known.waits_since, known.queue_step, known.overflowed) = (None, Some(known.arrived), None, true);
            (known.line_lost, known.place_told) = (true, None);
        }
        self.enter_queue(call, &queue);
        self.tell_of_loss(call);
    }

    /// Who waits again hears why, and at which place, at once; the next announcement is the queue's own.
    fn tell_of_loss(&mut self, call: CallId) {
        let Some(wait) = self.wait_of(call).cloned() else { return };
        let every_ms = self.queue_settings(&wait.queue).map_or(0, |rules| rules.announce_every_ms);
        if every_ms > 0 {
            self.deadlines.set(Reason::Announce(call), self.now.plus_ms(every_ms));
        }
        let (place, language) = (self.place(call, &wait), wait.language);
        let sounds = vec![Sound::Prompt { id: PromptId::from(LOST), language }, Sound::Position { n: place, language }];
        self.play(call, sounds, Ending::Report);
        self.note_place(call, &wait, place);
        self.out.fact(Fact::PlaceTold { call, queue: wait.queue, place, minutes: None });
    }
}
