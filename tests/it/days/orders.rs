//! Does every order to the sound and to the desks fit what is going on?

use cityline::centre::fact::{AgentStatus, Party};
use cityline::centre::ids::{CallId, LegId};
use cityline::centre::output::{Sound, Stands, ToDesk, ToMedia};

use super::calls::{Call, Talk};
use super::model::{Model, Step};

impl Model {
    pub fn take_media(&mut self, order: &ToMedia, step: &mut Step) {
        let (now, ends_after) = (self.now, self.settings.limits.no_sound_ends_ms);
        self.faults.extend(self.legs.media(order).err());
        match order {
            ToMedia::Connect { call, hears } => {
                self.rooms.connect(*call, hears, &self.legs);
                self.begins_talk(*call, step);
                let heard = self.rooms.is_heard(LegId::caller(*call));
                if let Some(known) = self.calls.get_mut(call).filter(|known| heard && known.silent_until.is_none()) {
                    known.silent_until = (known.silent && ends_after > 0).then(|| now.plus_ms(ends_after));
                }
            }
            ToMedia::Record { recording, .. } => {
                let talk = self.calls.get_mut(&recording.call).and_then(|known| known.talk.as_mut());
                let first = talk.map(|talk| talk.recording.replace(*recording).is_none());
                self.check(first == Some(true), || format!("{recording:?} without a talk of its own"));
            }
            ToMedia::StopRecord { recording } => {
                let goes_on = self.calls.get_mut(&recording.call).and_then(|known| known.talk.as_mut()).filter(|_| step.anew);
                let of_talk = goes_on.or_else(|| step.ended_talks.get_mut(&recording.call)).and_then(|talk| talk.recording.take());
                self.check(of_talk == Some(*recording), || format!("{recording:?} is stopped while its talk goes on"));
            }
            ToMedia::Play { leg, sounds, .. } => {
                let music = matches!(sounds.as_slice(), [Sound::Music { .. }] | [Sound::Prompt { .. }, Sound::Music { .. }]);
                let menu = leg.n == 0 && self.calls.get(&leg.call).is_none_or(|known| !known.was_served());
                let tone = matches!(sounds.as_slice(), [Sound::RingTone]);
                let outside = self.calls.get(&leg.call).and_then(|known| known.ringing.as_ref());
                let may_ring = leg.n != 0 || menu || outside.is_some_and(|(party, _)| !matches!(party, Party::Agent(_)));
                let of_abuse = leg.n == 0 && self.calls.get(&leg.call).is_some_and(Call::is_told_of_abuse);
                self.check(music || menu || of_abuse || (tone && may_ring), || format!("{sounds:?} plays into {leg}"));
                self.rooms.plays(*leg, (music || (tone && leg.n == 0)) && self.legs.is_live(*leg));
            }
            ToMedia::StopPlay { leg } => self.rooms.plays(*leg, false),
            ToMedia::PauseRecord { recording } | ToMedia::ResumeRecord { recording } => {
                let talk = self.calls.get(&recording.call).and_then(|known| known.talk.as_ref());
                let paused = matches!(order, ToMedia::PauseRecord { .. });
                let fits = talk.is_some_and(|talk| talk.recording == Some(*recording) && talk.paused == paused);
                self.check(fits, || format!("{order:?} of another talk"));
            }
            ToMedia::Open { .. } | ToMedia::Attach { .. } | ToMedia::SendDigits { .. } | ToMedia::Agree { .. } | ToMedia::Close { .. } => {}
        }
    }

    /// The first matrix of a call that was answered from the queue or by a service begins its talk.
    fn begins_talk(&mut self, call: CallId, step: &Step) {
        if self.rooms.is_all_early(call, &self.legs) && !self.rooms.is_empty(call) {
            return;
        }
        let Some(known) = self.calls.get(&call).filter(|known| !known.was_served()) else { return };
        if known.wait.is_some() {
            // An operator who gives the call to a queue leaves an empty room before the resident waits.
            let empty = self.rooms.is_empty(call);
            return self.check(empty, || format!("{call} is bridged in a queue"));
        }
        let (agent, queue) = step.connected.get(&call).cloned().unzip();
        let partner = self.legs.only(call, |party| match (party, &agent) {
            (Party::Agent(found), Some(agent)) => found == agent,
            (Party::Outside(_), None) => true,
            _ => false,
        });
        self.check(partner.is_some(), || format!("{call} talks with nobody, not {agent:?}"));
        if let (Some(known), Some(leg)) = (self.calls.get_mut(&call), partner) {
            known.talk = Some(Talk::new(leg, agent, queue));
            known.silent_until = None;
        }
    }

    pub fn take_desk(&mut self, order: &ToDesk, step: &mut Step) {
        match order {
            ToDesk::Offer { agent, offer } => {
                let rings = |known: &Call| known.offer.as_ref().is_some_and(|(owner, _)| owner == agent);
                let asked = offer.from.is_some() && step.asked.contains(&(offer.call, agent.clone()));
                let over_again = step.ended_offers.iter().any(|(call, owner, _)| *call == offer.call && owner == agent);
                let known = self.calls.get(&offer.call);
                let aged = known.and_then(|known| known.wait.as_ref()).is_none_or(|wait| self.now.ms_since(wait.since) == offer.waited_ms);
                let theirs =
                    (offer.from.is_none() && (known.is_some_and(rings) || over_again)) || asked || step.calls_colleague(offer.call, agent);
                self.check(theirs && aged, || format!("{agent} is shown {offer:?}"));
            }
            ToDesk::OfferGone { agent, call } => {
                let asked = step.asked.contains(&(*call, agent.clone()));
                let ended = asked
                    || step.calls_colleague(*call, agent)
                    || step.ended_offers.iter().any(|(id, owner, _)| id == call && owner == agent);
                self.check(ended, || format!("{agent} is told that {call} is gone"));
            }
            ToDesk::Work { agent, offer, stands } => {
                let status = self.staff.status(agent);
                let theirs = match stands {
                    Some(Stands::Ended) => status == AgentStatus::WrapUp,
                    Some(_) | None => status == AgentStatus::Talking(offer.call),
                };
                self.check(theirs, || format!("{agent}, who is {status:?}, is shown {offer:?} again"));
            }
            ToDesk::Refused { .. } => {}
            ToDesk::Ordered { agent, by, .. } => {
                let known = self.settings.agents.contains_key(agent);
                self.check(known && by == "boss", || format!("{agent} is shown an order of {by}"));
            }
        }
    }
}
