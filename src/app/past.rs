//! What is the core told of the process before this one? It has ended, what of its legs and phones is left, and how long its recordings are.

use std::collections::BTreeSet;
use std::path::Path;

use crate::centre::Centre;
use crate::centre::ids::{AgentId, ContactId, LegId};
use crate::centre::input::{FromDesk, FromMedia, Input};
use crate::centre::recovery::LIVES_ON_MS;
use crate::centre::time::Time;
use crate::media;

/// The process before this one, as its journal has it.
pub struct Past {
    /// When its last record was made.
    pub ended: Time,
    /// For how long nothing ran, in milliseconds.
    pub downtime_ms: u64,
}

impl Past {
    /// The legs that may live on: those that the core believes in and that signalling still knows, unless too much time has passed.
    pub fn may_live(&self, centre: &Centre, dialogs: &BTreeSet<LegId>) -> BTreeSet<LegId> {
        if self.downtime_ms > LIVES_ON_MS {
            return BTreeSet::new();
        }
        centre.legs().into_iter().filter(|leg| dialogs.contains(leg)).collect()
    }

    /// What the core is told. Legs of `found` are told of by signalling, once their far ends have answered.
    pub fn told(&self, centre: &Centre, found: &BTreeSet<LegId>, contacts: &[(AgentId, Vec<ContactId>)], recordings: &Path) -> Vec<Input> {
        let mut told = vec![Input::Restarted { downtime_ms: self.downtime_ms }];
        told.extend(centre.open_recordings().map(|recording| {
            let length_ms = media::recorded_ms(recordings, recording).unwrap_or(0);
            Input::Media(FromMedia::Recorded { recording, length_ms, lost_ms: 0 })
        }));
        let known: BTreeSet<&AgentId> = centre.operators().collect();
        let phones = contacts.iter().filter(|(agent, _)| known.contains(agent));
        told.extend(
            phones.map(|(agent, contacts)| Input::Desk(FromDesk::PhoneChanged { agent: agent.clone(), contacts: contacts.clone() })),
        );
        // A page connects its sound anew by itself, and the core waits for it.
        let may_return = |leg: LegId| self.downtime_ms <= LIVES_ON_MS && centre.is_page(leg);
        let lost = centre.legs().into_iter().filter(|leg| !found.contains(leg) && !may_return(*leg));
        told.extend(lost.map(|leg| Input::LegGone { leg }));
        told
    }
}
