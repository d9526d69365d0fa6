//! Where does a case stand? The fold of its events.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::clocks::{Clocks, Which};
use super::event::{Author, Channel, Event, Kind, Promise, What};
use super::ids::{DistrictId, IncidentId, OrganisationId, PauseRuleId, TopicId};
use super::terms::Priority;
use crate::centre::ids::CallId;
use crate::centre::time::Time;

/// A case as its events have made it. What is personal lies with the words, not here.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Case {
    /// What kind of report.
    pub kind: Kind,
    /// By which way it came in.
    pub channel: Channel,
    /// What it is about.
    pub topic: TopicId,
    /// How pressing.
    pub priority: Priority,
    /// Where.
    pub district: Option<DistrictId>,
    /// The call in which it was reported.
    pub call: Option<CallId>,
    /// When it was registered.
    pub registered: Time,
    /// From when on its clocks count: the registration, or the last reopening.
    pub counts_from: Time,
    /// Where it stands.
    pub state: State,
    /// With whom it lies; `None`: with the centre itself.
    pub organisation: Option<OrganisationId>,
    /// Who should have it, as the routing proposed at registration.
    pub proposed: Option<OrganisationId>,
    /// What was promised, and what was kept.
    pub clocks: Clocks,
    /// The version of terms behind the promise.
    pub terms: u32,
    /// How often it was reopened.
    pub reopened: u32,
    /// Incidents that it is linked to.
    pub incidents: BTreeSet<IncidentId>,
    /// Escalation steps taken since the clocks count.
    pub escalated: BTreeSet<(Which, u8)>,
    /// Control calls since it was last done.
    pub control_calls: u32,
    /// For how long each rule has let the clock stand still since the clocks count, in milliseconds.
    pub paused_ms: BTreeMap<PauseRuleId, u64>,
}

/// The stations of a case.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// It has its number and waits to be forwarded, at first or after an organisation returned it.
    Registered,
    /// It lies with an organisation that has not taken it on.
    Forwarded,
    /// The organisation has taken it on.
    Accepted,
    /// Somebody works on it.
    InWork,
    /// Work stands still by a rule.
    Paused {
        /// Which rule.
        rule: PauseRuleId,
        /// From when.
        since: Time,
        /// When it goes on by itself.
        until: Time,
    },
    /// Done, says the executor.
    Done {
        /// Since when.
        since: Time,
    },
    /// Done, says the resident.
    Confirmed,
    /// Closed by control without a word of the resident.
    Closed,
    /// Not done after all; it lies with whom it lay before.
    Reopened,
}

/// Why an event cannot follow: the history is damaged, because nothing that [`super::decide`] allows leads here.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("an event {event} of {at} cannot follow where the case is {state}")]
pub struct OutOfOrder {
    /// What should follow.
    pub event: &'static str,
    /// When.
    pub at: Time,
    /// Where the case stands.
    pub state: &'static str,
}

impl State {
    /// The state as a word, as the database and the interface have it.
    pub fn word(&self) -> &'static str {
        match self {
            State::Registered => "registered",
            State::Forwarded => "forwarded",
            State::Accepted => "accepted",
            State::InWork => "in_work",
            State::Paused { .. } => "paused",
            State::Done { .. } => "done",
            State::Confirmed => "confirmed",
            State::Closed => "closed",
            State::Reopened => "reopened",
        }
    }

    /// Whether somebody owes the resident work.
    pub fn is_open(&self) -> bool {
        !matches!(self, State::Done { .. } | State::Confirmed | State::Closed)
    }
}

impl Case {
    /// The case of its first event; `None` where that does not register it.
    pub fn of(first: &Event) -> Option<Case> {
        let What::Registered { kind, channel, topic, priority, district, call, proposed, promise } = &first.what else { return None };
        Some(Case {
            kind: *kind,
            channel: *channel,
            topic: topic.clone(),
            priority: *priority,
            district: district.clone(),
            call: *call,
            registered: first.at,
            counts_from: first.at,
            state: State::Registered,
            organisation: None,
            proposed: proposed.clone(),
            clocks: promise.clocks(),
            terms: promise.terms,
            reopened: 0,
            incidents: BTreeSet::new(),
            escalated: BTreeSet::new(),
            control_calls: 0,
            paused_ms: BTreeMap::new(),
        })
    }

    /// The case of its whole history; `Ok(None)` where there is none.
    ///
    /// # Errors
    /// When an event cannot follow the one before it.
    pub fn fold<'e>(events: impl IntoIterator<Item = &'e Event>) -> Result<Option<Case>, OutOfOrder> {
        let mut events = events.into_iter();
        let Some(first) = events.next() else { return Ok(None) };
        let outside = OutOfOrder { event: first.what.word(), at: first.at, state: "not registered" };
        let mut case = Case::of(first).ok_or(outside)?;
        for event in events {
            case.apply(event)?;
        }
        Ok(Some(case))
    }

    /// Takes the next event in.
    ///
    /// # Errors
    /// When it cannot follow; the case is as it was.
    pub fn apply(&mut self, event: &Event) -> Result<(), OutOfOrder> {
        let fits = may_follow(&self.state, &event.what);
        if !fits {
            return Err(OutOfOrder { event: event.what.word(), at: event.at, state: self.state.word() });
        }
        if matches!(event.what, What::Resumed { .. } | What::Done { .. } | What::Forwarded { .. }) {
            self.count_pause(event.at);
        }
        match &event.what {
            What::Registered { .. } | What::Noted | What::Attached { .. } | What::ResidentNamed | What::Erased { .. } => {}
            What::Forwarded { organisation, promise } => {
                self.state = State::Forwarded;
                self.organisation = Some(organisation.clone());
                self.promised(*promise);
            }
            What::Accepted => {
                self.state = State::Accepted;
                self.clocks.reaction.keep(event.at);
            }
            What::Returned => {
                self.state = State::Registered;
                self.organisation = None;
            }
            What::Started => {
                self.state = State::InWork;
                self.clocks.reaction.keep(event.at);
            }
            What::Paused { rule, until, resolution_due } => {
                self.state = State::Paused { rule: rule.clone(), since: event.at, until: *until };
                self.clocks.resolution.due = *resolution_due;
            }
            What::Resumed { resolution_due } => {
                self.state = State::InWork;
                self.clocks.resolution.due = *resolution_due;
            }
            What::Done { .. } => {
                self.state = State::Done { since: event.at };
                self.control_calls = 0;
                self.clocks.reaction.keep(event.at);
                self.clocks.resolution.keep(event.at);
            }
            What::Confirmed { .. } => self.state = State::Confirmed,
            What::ControlCalled { .. } => self.control_calls = self.control_calls.saturating_add(1),
            What::Closed => self.state = State::Closed,
            What::Reopened { promise } => {
                self.state = State::Reopened;
                self.counts_from = event.at;
                self.reopened = self.reopened.saturating_add(1);
                self.escalated.clear();
                self.paused_ms.clear();
                self.clocks = promise.clocks();
                self.terms = promise.terms;
            }
            What::Corrected { kind, topic, priority, district } => self.correct(*kind, topic.as_ref(), *priority, district.as_ref()),
            What::Linked { incident } => {
                self.incidents.insert(incident.clone());
            }
            What::Unlinked { incident } => {
                self.incidents.remove(incident);
            }
            What::Escalated { clock, step, .. } => {
                self.escalated.insert((*clock, *step));
            }
        }
        Ok(())
    }

    /// Whether the promise to do it is broken and still owed, or the one to take it on.
    pub fn overdue(&self, now: Time) -> Option<Which> {
        self.clocks.overdue(now)
    }

    /// Whether an author speaks for the organisation with which the case lies.
    pub fn lies_with(&self, by: &Author) -> bool {
        matches!(by, Author::Organisation { organisation, .. } if self.organisation.as_ref() == Some(organisation))
    }

    fn count_pause(&mut self, at: Time) {
        if let State::Paused { rule, since, until } = &self.state {
            let used = self.paused_ms.entry(rule.clone()).or_default();
            *used = used.saturating_add(at.min(*until).ms_since(*since));
        }
    }

    fn promised(&mut self, promise: Promise) {
        self.terms = promise.terms;
        self.clocks.reaction.due = promise.reaction_due;
        self.clocks.resolution.due = promise.resolution_due;
    }

    fn correct(&mut self, kind: Option<Kind>, topic: Option<&TopicId>, priority: Option<Priority>, district: Option<&DistrictId>) {
        self.kind = kind.unwrap_or(self.kind);
        self.priority = priority.unwrap_or(self.priority);
        if let Some(topic) = topic {
            self.topic = topic.clone();
        }
        if let Some(district) = district {
            self.district = Some(district.clone());
        }
    }
}

impl Promise {
    fn clocks(self) -> Clocks {
        Clocks::until(self.reaction_due, self.resolution_due)
    }
}

/// The table of transitions: which event may follow in which state.
///
/// | from | to |
/// |---|---|
/// | registered | forwarded; done, where the centre itself answers |
/// | forwarded | accepted, in work, done; forwarded to another; registered when it is returned |
/// | accepted | in work, done; forwarded to another; registered when it is returned |
/// | in work | paused, done; forwarded to another; registered when it is returned |
/// | paused | in work, done; forwarded to another |
/// | done | confirmed, closed, reopened |
/// | confirmed, closed | reopened |
/// | reopened | as forwarded; forwarded |
pub fn may_follow(state: &State, what: &What) -> bool {
    match what {
        What::Registered { .. } => false,
        What::Forwarded { .. } => state.is_open(),
        What::Accepted => matches!(state, State::Forwarded | State::Reopened),
        What::Started => matches!(state, State::Forwarded | State::Accepted | State::Reopened),
        What::Returned => matches!(state, State::Forwarded | State::Accepted | State::InWork | State::Reopened),
        What::Paused { .. } => matches!(state, State::InWork),
        What::Resumed { .. } => matches!(state, State::Paused { .. }),
        What::Done { .. } => state.is_open(),
        What::Confirmed { .. } | What::Closed | What::ControlCalled { .. } => matches!(state, State::Done { .. }),
        What::Reopened { .. } => matches!(state, State::Done { .. } | State::Confirmed | State::Closed),
        What::Noted
        | What::Attached { .. }
        | What::ResidentNamed
        | What::Corrected { .. }
        | What::Linked { .. }
        | What::Unlinked { .. }
        | What::Escalated { .. }
        | What::Erased { .. } => true,
    }
}
