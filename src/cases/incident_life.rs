//! What happens to an incident or to works, who may wish for it, and where does it stand? Its own events, in the same chain as those of cases.

mod refusal;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::event::Author;
use super::ids::{CaseNumber, DistrictId, OrganisationId, TopicId};
use crate::centre::ids::Language;
use crate::centre::time::Time;

pub use refusal::Refusal;

/// The longest text of a notice in one language, in characters: about 40 seconds of speech.
pub const LONGEST_NOTICE: usize = 600;
/// The most districts that one incident names.
pub const MOST_DISTRICTS: usize = 100;
/// The most cases that part from an incident at once.
pub const MOST_PARTED: usize = 100;

/// What callers are told, by language; all four are needed.
pub type Texts = BTreeMap<Language, String>;

/// What lies behind several cases.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// Something broke.
    Incident,
    /// Somebody works, with a beginning and an end that are known before.
    Works,
}

/// One event.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Happened {
    /// When.
    pub at: Time,
    /// Who did it.
    pub by: Author,
    /// What.
    pub what: What,
}

/// What happened. Texts of notices are told to everybody and stand here; reasons and causes are words beside the event.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "what", rename_all = "snake_case")]
#[schema(as = IncidentWhat)]
pub enum What {
    /// Cases that are close seem to have one cause.
    Proposed {
        topic: TopicId,
        districts: Vec<DistrictId>,
        since: Time,
        #[schema(value_type = Vec<String>)]
        cases: Vec<CaseNumber>,
    },
    /// An organisation publishes works; the words say what is done.
    Published { topic: TopicId, districts: Vec<DistrictId>, begins: Time, ends: Time, owner: Option<OrganisationId>, notice: Texts },
    /// It is one incident, and callers are told.
    Confirmed { districts: Vec<DistrictId>, owner: Option<OrganisationId>, repair_due: Option<Time>, notice: Texts },
    /// Callers are told something else.
    Reworded { repair_due: Option<Time>, notice: Texts },
    /// Further cases belong to it.
    Grown {
        #[schema(value_type = Vec<String>)]
        cases: Vec<CaseNumber>,
    },
    /// These cases have nothing to do with it; the words say why.
    Parted {
        #[schema(value_type = Vec<String>)]
        cases: Vec<CaseNumber>,
    },
    /// The cases have nothing to do with each other; the words say why.
    Dismissed,
    /// A photo or a document was added.
    Attached {
        /// Its SHA-256, in hexadecimal digits.
        file: String,
        /// Its media type, by its content.
        media: String,
        /// Its size.
        bytes: u64,
    },
    /// It is over; the words are the cause.
    Fixed {
        /// SHA-256 of each photo, in hexadecimal digits.
        photos: Vec<String>,
        /// Whose it was.
        owner: Option<OrganisationId>,
    },
}

/// What somebody wants to do with it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "do", rename_all = "snake_case")]
#[schema(as = IncidentWish)]
pub enum Wish {
    /// It is one; from here on callers are told. Other districts than those proposed may be named.
    Confirm {
        #[serde(default)]
        districts: Option<Vec<DistrictId>>,
        #[serde(default)]
        owner: Option<OrganisationId>,
        #[serde(default)]
        repair_due: Option<Time>,
        notice: Texts,
    },
    /// These cases do not belong to it.
    Part {
        #[schema(value_type = Vec<String>)]
        cases: Vec<CaseNumber>,
    },
    /// It is none.
    Dismiss,
    /// Callers shall be told something else.
    Reword {
        #[serde(default)]
        repair_due: Option<Time>,
        notice: Texts,
    },
    /// It is over.
    Fix {
        #[serde(default)]
        photos: Vec<String>,
        #[serde(default)]
        owner: Option<OrganisationId>,
    },
}

/// Works as somebody publishes them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Works {
    /// What is out of order meanwhile.
    pub topic: TopicId,
    /// Where; nothing: in the whole city.
    #[serde(default)]
    pub districts: Vec<DistrictId>,
    /// From when callers are told.
    pub begins: Time,
    /// Until when.
    pub ends: Time,
    /// Who works; an organisation's own account need not say.
    #[serde(default)]
    pub owner: Option<OrganisationId>,
    /// What callers are told.
    pub notice: Texts,
}

/// Where it stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = IncidentState)]
pub enum State {
    /// A supervisor has to look.
    Proposed,
    /// Callers are told.
    Confirmed,
    /// It was none.
    Dismissed,
    /// It is over.
    Fixed,
}

/// An incident as its events have made it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Incident {
    /// Broken, or worked upon.
    pub sort: Sort,
    /// Where it stands.
    pub state: State,
    /// What is out of order.
    pub topic: TopicId,
    /// Where; nothing: in the whole city.
    pub districts: Vec<DistrictId>,
    /// Since when, or from when on.
    pub begins: Time,
    /// When works end.
    pub ends: Option<Time>,
    /// Whose it is.
    pub owner: Option<OrganisationId>,
    /// When it should be repaired.
    pub repair_due: Option<Time>,
    /// What callers are told.
    pub notice: Texts,
    /// The wording of that, 1..; each has sounds of its own. 0: nothing was worded.
    pub wording: u32,
    /// How many cases belong to it.
    pub cases: u64,
    /// SHA-256 of each photo of the report.
    pub photos: Vec<String>,
    /// When it was fixed or dismissed.
    pub ended: Option<Time>,
}

/// Why an event cannot follow: the history is damaged, because nothing that is decided here leads there.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("an event {event} cannot follow where the incident is {state}")]
pub struct OutOfOrder {
    /// What should follow.
    pub event: &'static str,
    /// Where it stands.
    pub state: &'static str,
}

impl State {
    /// The state as a word, as the database and the interface have it.
    pub fn word(self) -> &'static str {
        match self {
            State::Proposed => "proposed",
            State::Confirmed => "confirmed",
            State::Dismissed => "dismissed",
            State::Fixed => "fixed",
        }
    }

    /// Whether further cases join.
    pub fn is_live(self) -> bool {
        matches!(self, State::Proposed | State::Confirmed)
    }
}

impl Sort {
    /// As the database and the interface have it.
    pub fn word(self) -> &'static str {
        match self {
            Sort::Incident => "incident",
            Sort::Works => "works",
        }
    }
}

impl What {
    /// The event as a word; it is the tag of its JSON.
    pub fn word(&self) -> &'static str {
        match self {
            What::Proposed { .. } => "proposed",
            What::Published { .. } => "published",
            What::Confirmed { .. } => "confirmed",
            What::Reworded { .. } => "reworded",
            What::Grown { .. } => "grown",
            What::Parted { .. } => "parted",
            What::Dismissed => "dismissed",
            What::Attached { .. } => "attached",
            What::Fixed { .. } => "fixed",
        }
    }
}

impl Works {
    /// The event that publishes them, by the organisation that works or by a supervisor.
    ///
    /// # Errors
    /// When the author may not, a text is missing, or the end does not lie ahead.
    pub fn publish(&self, by: &Author, now: Time) -> Result<What, Refusal> {
        let owner = match by {
            Author::Organisation { organisation, .. } => Some(organisation.clone()),
            Author::Supervisor { .. } => self.owner.clone(),
            _ => return Err(Refusal::Role { role: by.role() }),
        };
        if self.ends <= now || self.ends <= self.begins {
            return Err(Refusal::Moment(self.ends));
        }
        whole(&self.notice)?;
        few(&self.districts)?;
        let Works { topic, districts, begins, ends, notice, .. } = self.clone();
        Ok(What::Published { topic, districts, begins, ends, owner, notice })
    }
}

impl Incident {
    /// The incident of its first event; `None` where that begins none.
    pub fn of(first: &Happened) -> Option<Incident> {
        let empty = Incident {
            sort: Sort::Incident,
            state: State::Proposed,
            topic: TopicId::from(""),
            districts: Vec::new(),
            begins: first.at,
            ends: None,
            owner: None,
            repair_due: None,
            notice: Texts::new(),
            wording: 0,
            cases: 0,
            photos: Vec::new(),
            ended: None,
        };
        match &first.what {
            What::Proposed { topic, districts, since, cases } => {
                Some(Incident { topic: topic.clone(), districts: districts.clone(), begins: *since, cases: cases.len() as u64, ..empty })
            }
            What::Published { topic, districts, begins, ends, owner, notice } => Some(Incident {
                sort: Sort::Works,
                state: State::Confirmed,
                topic: topic.clone(),
                districts: districts.clone(),
                begins: *begins,
                ends: Some(*ends),
                owner: owner.clone(),
                repair_due: Some(*ends),
                notice: notice.clone(),
                wording: 1,
                ..empty
            }),
            What::Confirmed { .. }
            | What::Reworded { .. }
            | What::Grown { .. }
            | What::Parted { .. }
            | What::Attached { .. }
            | What::Dismissed
            | What::Fixed { .. } => None,
        }
    }

    /// The incident of its whole history; `Ok(None)` where there is none.
    ///
    /// # Errors
    /// When an event cannot follow the one before it.
    pub fn fold<'e>(events: impl IntoIterator<Item = &'e Happened>) -> Result<Option<Incident>, OutOfOrder> {
        let mut events = events.into_iter();
        let Some(first) = events.next() else { return Ok(None) };
        let mut incident = Incident::of(first).ok_or(OutOfOrder { event: first.what.word(), state: "not proposed" })?;
        for event in events {
            incident.apply(event)?;
        }
        Ok(Some(incident))
    }

    /// Takes the next event in.
    ///
    /// # Errors
    /// When it cannot follow; the incident is as it was.
    pub fn apply(&mut self, event: &Happened) -> Result<(), OutOfOrder> {
        if !may_follow(self.state, &event.what) {
            return Err(OutOfOrder { event: event.what.word(), state: self.state.word() });
        }
        match &event.what {
            What::Proposed { .. } | What::Published { .. } | What::Attached { .. } => {}
            What::Confirmed { districts, owner, repair_due, notice } => {
                self.state = State::Confirmed;
                self.districts.clone_from(districts);
                self.owner.clone_from(owner);
                self.word(*repair_due, notice);
            }
            What::Reworded { repair_due, notice } => self.word(*repair_due, notice),
            What::Grown { cases } => self.cases = self.cases.saturating_add(cases.len() as u64),
            What::Parted { cases } => self.cases = self.cases.saturating_sub(cases.len() as u64),
            What::Dismissed => self.end(State::Dismissed, event.at),
            What::Fixed { photos, owner } => {
                self.photos.clone_from(photos);
                if owner.is_some() {
                    self.owner.clone_from(owner);
                }
                self.end(State::Fixed, event.at);
            }
        }
        Ok(())
    }

    /// The event that follows a wish. `words` tells whether anything was written beside it.
    ///
    /// # Errors
    /// When it may not be done, with the reason.
    pub fn decide(&self, wish: &Wish, by: &Author, words: bool, now: Time) -> Result<What, Refusal> {
        if !self.may_wish(wish, by) {
            return Err(Refusal::Role { role: by.role() });
        }
        let what = match wish {
            Wish::Confirm { districts, owner, repair_due, notice } => What::Confirmed {
                districts: districts.clone().unwrap_or_else(|| self.districts.clone()),
                owner: owner.clone(),
                repair_due: *repair_due,
                notice: notice.clone(),
            },
            Wish::Part { cases } => What::Parted { cases: cases.clone() },
            Wish::Dismiss => What::Dismissed,
            Wish::Reword { repair_due, notice } => What::Reworded { repair_due: *repair_due, notice: notice.clone() },
            Wish::Fix { photos, owner } => What::Fixed { photos: photos.clone(), owner: owner.clone() },
        };
        if !may_follow(self.state, &what) {
            return Err(Refusal::State { state: self.state.word(), event: what.word() });
        }
        check(&what, words, now)?;
        Ok(what)
    }

    /// The event that adds a file: a supervisor's or the owner's, also to the report of what is fixed.
    ///
    /// # Errors
    /// When the author may not, or it was dismissed.
    pub fn attach(&self, by: &Author, file: String, media: String, bytes: u64) -> Result<What, Refusal> {
        if !matches!(by, Author::Supervisor { .. }) && !self.is_owner(by) {
            return Err(Refusal::Role { role: by.role() });
        }
        let what = What::Attached { file, media, bytes };
        if may_follow(self.state, &what) { Ok(what) } else { Err(Refusal::State { state: self.state.word(), event: what.word() }) }
    }

    /// The event that takes a case in, because the centre says that it belongs to it.
    ///
    /// # Errors
    /// When the author may not, or it is over.
    pub fn take_in(&self, by: &Author, case: CaseNumber) -> Result<What, Refusal> {
        if !matches!(by, Author::Operator { .. } | Author::Supervisor { .. }) {
            return Err(Refusal::Role { role: by.role() });
        }
        let what = What::Grown { cases: vec![case] };
        if may_follow(self.state, &what) { Ok(what) } else { Err(Refusal::State { state: self.state.word(), event: what.word() }) }
    }

    /// Whether callers are told of it at a moment: works also after their end, until somebody says that they are over.
    pub fn is_told(&self, now: Time) -> bool {
        self.state == State::Confirmed && self.begins <= now
    }

    /// Whether works go on longer than was announced.
    pub fn overruns(&self, now: Time) -> bool {
        self.is_told(now) && self.ends.is_some_and(|ends| ends <= now)
    }

    /// A supervisor decides; the owner says what callers hear and that it is over.
    fn may_wish(&self, wish: &Wish, by: &Author) -> bool {
        match (wish, by) {
            (_, Author::Supervisor { .. }) => true,
            (Wish::Reword { .. } | Wish::Fix { .. }, _) => self.is_owner(by),
            (Wish::Confirm { .. } | Wish::Part { .. } | Wish::Dismiss, _) => false,
        }
    }

    fn is_owner(&self, by: &Author) -> bool {
        matches!(by, Author::Organisation { organisation, .. } if self.owner.as_ref() == Some(organisation))
    }

    fn word(&mut self, repair_due: Option<Time>, notice: &Texts) {
        self.repair_due = repair_due;
        self.wording = self.wording.saturating_add(1);
        self.notice.clone_from(notice);
    }

    fn end(&mut self, state: State, at: Time) {
        self.state = state;
        self.ended = Some(at);
    }
}

/// | from | to |
/// |---|---|
/// | proposed | confirmed, dismissed; it grows, cases part from it |
/// | confirmed | fixed; reworded; it grows, cases part from it |
/// | dismissed | nothing: what comes after is another incident |
/// | fixed | nothing but files of its report |
///
/// Files are added to each that was not dismissed.
fn may_follow(state: State, what: &What) -> bool {
    match what {
        What::Proposed { .. } | What::Published { .. } => false,
        What::Confirmed { .. } | What::Dismissed => state == State::Proposed,
        What::Reworded { .. } | What::Fixed { .. } => state == State::Confirmed,
        What::Grown { .. } | What::Parted { .. } => state.is_live(),
        What::Attached { .. } => state != State::Dismissed,
    }
}

fn check(what: &What, words: bool, now: Time) -> Result<(), Refusal> {
    match what {
        What::Confirmed { districts, repair_due, notice, .. } => {
            few(districts)?;
            ahead(*repair_due, now)?;
            whole(notice)
        }
        What::Reworded { repair_due, notice } => {
            ahead(*repair_due, now)?;
            whole(notice)
        }
        What::Dismissed | What::Parted { .. } if !words => Err(Refusal::Words("the reason")),
        What::Parted { cases } if cases.is_empty() || cases.len() > MOST_PARTED => Err(Refusal::Cases(cases.len())),
        What::Fixed { .. } if !words => Err(Refusal::Words("the cause")),
        What::Fixed { photos, .. } => {
            let digest = |photo: &&String| photo.parse::<super::chain::Digest>().is_err();
            photos.iter().find(digest).map_or(Ok(()), |photo| Err(Refusal::Photo(photo.chars().take(80).collect())))
        }
        What::Dismissed
        | What::Parted { .. }
        | What::Proposed { .. }
        | What::Published { .. }
        | What::Grown { .. }
        | What::Attached { .. } => Ok(()),
    }
}

fn whole(notice: &Texts) -> Result<(), Refusal> {
    for language in Language::ALL {
        let text = notice.get(&language).map(|text| text.trim()).filter(|text| !text.is_empty());
        let length = text.ok_or(Refusal::NoText(language))?.chars().count();
        if length > LONGEST_NOTICE {
            return Err(Refusal::LongText { language, length });
        }
    }
    Ok(())
}

fn ahead(moment: Option<Time>, now: Time) -> Result<(), Refusal> {
    moment.filter(|moment| *moment <= now).map_or(Ok(()), |moment| Err(Refusal::Moment(moment)))
}

fn few(districts: &[DistrictId]) -> Result<(), Refusal> {
    if districts.len() > MOST_DISTRICTS { Err(Refusal::Districts(districts.len())) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
