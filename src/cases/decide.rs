//! May this be done to a case, and what follows? A wish becomes an event, or a refusal that says why and what to do instead.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::case::{Case, State, may_follow};
use super::event::{Author, Channel, ControlOutcome, Kind, Promise, What};
use super::ids::{DistrictId, OrganisationId, PauseRuleId, TopicId, WorkCalendarId};
use super::terms::{Counts, Priority, TermsTable};
use crate::centre::ids::CallId;
use crate::centre::schedule::Calendar;
use crate::centre::time::Time;

/// What the city has decided about cases. A case of tomorrow may meet other rules; its events keep what followed from these.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rules {
    /// How soon, by topic, organisation and priority.
    pub terms: TermsTable,
    /// Working hours, by their name.
    pub calendars: BTreeMap<WorkCalendarId, Calendar>,
    /// The working hours of the centre itself, which answer for a case that lies with nobody else.
    pub centre: WorkCalendarId,
    /// Who executes.
    pub organisations: BTreeMap<OrganisationId, Executor>,
    /// Every topic that there is.
    pub topics: BTreeSet<TopicId>,
    /// The rules by which a clock may stand still.
    pub pauses: BTreeMap<PauseRuleId, PauseRule>,
    /// Control may close a case that long after it was done without a word of the resident, in milliseconds.
    pub close_after_ms: u64,
    /// And only after that many control calls.
    pub control_calls: u32,
}

/// An organisation, as far as the rules need it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Executor {
    /// Its working hours.
    pub calendar: WorkCalendarId,
    /// Whether cases may be forwarded to it.
    pub active: bool,
}

/// A stated reason for a clock to stand still.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PauseRule {
    /// For how long at most in all since the case's clocks count, in milliseconds of day and night.
    pub longest_ms: u64,
    /// Whether the organisation may use it by itself; else the centre must.
    pub by_organisation: bool,
}

/// A report to be registered.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Report {
    /// What kind.
    pub kind: Kind,
    /// By which way it came in.
    pub channel: Channel,
    /// What it is about.
    pub topic: TopicId,
    /// How pressing.
    pub priority: Priority,
    /// Where.
    pub district: Option<DistrictId>,
    /// In which call.
    pub call: Option<CallId>,
    /// Who should execute, by [`super::assignment`].
    pub proposed: Option<OrganisationId>,
}

/// What somebody wants to do to a case.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Wish {
    /// Send it to an organisation.
    Forward { organisation: OrganisationId },
    /// Take it on.
    Accept,
    /// Send it back: it is not ours.
    Return,
    /// Begin to work.
    Start,
    /// Let the clock stand still by a rule, until a moment at most.
    Pause { rule: PauseRuleId, until: Time },
    /// Let it go on.
    Resume,
    /// It is done; the words or the photos are the evidence.
    Finish { photos: Vec<String> },
    /// The resident says that it is done.
    Confirm { call: Option<CallId> },
    /// The resident was asked and did not decide.
    ControlCall { call: Option<CallId>, outcome: ControlOutcome },
    /// Close it without a word of the resident.
    Close,
    /// It is not done after all.
    Reopen,
    /// Add a note.
    Note,
    /// Put right what was registered wrongly.
    Correct { kind: Option<Kind>, topic: Option<TopicId>, priority: Option<Priority>, district: Option<DistrictId> },
}

/// Why it cannot be done. Every text says what stands in the way; [`Refusal::mend`] what to do.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// The case is elsewhere on its way.
    #[error("a case that is {state} cannot be {event}")]
    State { state: &'static str, event: &'static str },
    /// The author may not.
    #[error("the role {role} may not do this to this case")]
    Role { role: &'static str },
    /// A transition without a reason, a result without evidence.
    #[error("{0} is missing")]
    Words(&'static str),
    /// There is no such organisation, or it takes no cases.
    #[error("the organisation {0} takes no cases")]
    Organisation(OrganisationId),
    /// The case lies with it already.
    #[error("the case lies with {0} already")]
    Already(OrganisationId),
    /// There is no such topic.
    #[error("the topic {0} is not known")]
    Topic(TopicId),
    /// No terms were approved.
    #[error("no terms are approved for {topic} at {organisation}")]
    Terms { topic: TopicId, organisation: OrganisationId },
    /// The working hours are not there, or are never open.
    #[error("the working hours {0} are not known, or never open")]
    Calendar(WorkCalendarId),
    /// There is no such rule.
    #[error("no rule {0} lets a clock stand still")]
    Rule(PauseRuleId),
    /// The pause ends before it begins, or is longer than the rule allows.
    #[error("the rule {rule} allows a pause until {latest} at most")]
    Pause { rule: PauseRuleId, latest: Time },
    /// Control waits for the resident.
    #[error("the resident may speak until {until}")]
    TooEarly { until: Time },
    /// Control has not asked the resident often enough.
    #[error("the resident was asked {made} times of {needed}")]
    NotAsked { made: u32, needed: u32 },
    /// Nothing is corrected.
    #[error("the correction changes nothing")]
    Nothing,
    /// Evidence that nobody has sent.
    #[error("the case has no file {0}")]
    NoFile(String),
    /// What was personal is gone.
    #[error("the case was erased by law, or is not there")]
    Erased,
    /// Too many.
    #[error("the case has {0} files, and no more are taken")]
    Files(i64),
}

impl Refusal {
    /// What whoever was refused can do.
    pub fn mend(&self) -> &'static str {
        match self {
            Refusal::State { .. } => "Read the history: somebody may have been faster.",
            Refusal::Role { .. } => "Ask whoever the case lies with, or a supervisor.",
            Refusal::Words(_) => "Write it, so that the resident can read it.",
            Refusal::Organisation(_) | Refusal::Already(_) => "Choose another organisation.",
            Refusal::Topic(_) => "Choose one of the tree of topics.",
            Refusal::Terms { .. } => "Ask an administrator to approve terms for it.",
            Refusal::Calendar(_) => "Ask an administrator to mend the working hours.",
            Refusal::Rule(_) => "Choose one of the rules.",
            Refusal::Pause { .. } => "Name a moment within the rule, or work on.",
            Refusal::TooEarly { .. } | Refusal::NotAsked { .. } => "Call the resident, or wait.",
            Refusal::Nothing => "Name what shall change.",
            Refusal::NoFile(_) => "Send it first, and name it by the hash that you get.",
            Refusal::Erased => "Register it anew where it must go on.",
            Refusal::Files(_) => "Describe the others in words.",
        }
    }
}

impl Rules {
    /// The event that registers a report.
    ///
    /// # Errors
    /// When topic, organisation, terms or working hours are not known.
    pub fn register(&self, report: Report, now: Time) -> Result<What, Refusal> {
        self.known(&report.topic)?;
        let promise = self.promise(report.proposed.as_ref(), &report.topic, report.priority, now)?;
        let Report { kind, channel, topic, priority, district, call, proposed } = report;
        Ok(What::Registered { kind, channel, topic, priority, district, call, proposed, promise })
    }

    /// The event by which a photo or a document is added; whoever may write a note may do that.
    ///
    /// # Errors
    /// When the author may not.
    pub fn attach(&self, case: &Case, by: &Author, file: String, media: String, bytes: u64) -> Result<What, Refusal> {
        if !may_wish(case, &Wish::Note, by) {
            return Err(Refusal::Role { role: by.role() });
        }
        Ok(What::Attached { file, media, bytes })
    }

    /// The event that follows a wish. `words` tells whether anything was written beside it.
    ///
    /// # Errors
    /// When it may not be done, with the reason.
    pub fn decide(&self, case: &Case, wish: &Wish, by: &Author, words: bool, now: Time) -> Result<What, Refusal> {
        let what = self.follow(case, wish, by, words, now)?;
        if !may_follow(&case.state, &what) {
            return Err(Refusal::State { state: case.state.word(), event: what.word() });
        }
        Ok(what)
    }

    fn follow(&self, case: &Case, wish: &Wish, by: &Author, words: bool, now: Time) -> Result<What, Refusal> {
        if !may_wish(case, wish, by) {
            return Err(Refusal::Role { role: by.role() });
        }
        if let Some(missing) = missing(wish, words) {
            return Err(Refusal::Words(missing));
        }
        Ok(match wish {
            Wish::Forward { organisation } => self.forward(case, organisation, now)?,
            Wish::Accept => What::Accepted,
            Wish::Return => What::Returned,
            Wish::Start => What::Started,
            Wish::Pause { rule, until } => self.pause(case, rule, *until, by, now)?,
            Wish::Resume => self.resume(case, now)?,
            Wish::Finish { photos } => What::Done { photos: photos.clone() },
            Wish::Confirm { call } => What::Confirmed { call: *call },
            Wish::ControlCall { call, outcome } => What::ControlCalled { call: *call, outcome: *outcome },
            Wish::Close => self.close(case, now)?,
            Wish::Reopen => What::Reopened { promise: self.promise(case.organisation.as_ref(), &case.topic, case.priority, now)? },
            Wish::Note => What::Noted,
            Wish::Correct { kind, topic, priority, district } => {
                if kind.is_none() && topic.is_none() && priority.is_none() && district.is_none() {
                    return Err(Refusal::Nothing);
                }
                topic.as_ref().map_or(Ok(()), |topic| self.known(topic))?;
                What::Corrected { kind: *kind, topic: topic.clone(), priority: *priority, district: district.clone() }
            }
        })
    }

    /// A promise that was given is never put off by forwarding: the earlier of the two moments holds. Only where nobody had been
    /// proposed was it the centre's own, which the first organisation's terms replace.
    fn forward(&self, case: &Case, organisation: &OrganisationId, now: Time) -> Result<What, Refusal> {
        if case.organisation.as_ref() == Some(organisation) && !matches!(case.state, State::Reopened) {
            return Err(Refusal::Already(organisation.clone()));
        }
        if !self.organisations.get(organisation).is_some_and(|executor| executor.active) {
            return Err(Refusal::Organisation(organisation.clone()));
        }
        let mut promise = self.promise(Some(organisation), &case.topic, case.priority, case.counts_from)?;
        if case.organisation.is_some() || case.proposed.is_some() || case.reopened > 0 {
            promise.reaction_due = promise.reaction_due.min(case.clocks.reaction.due);
            promise.resolution_due = promise.resolution_due.min(self.due_at(case, now)?);
        }
        Ok(What::Forwarded { organisation: organisation.clone(), promise })
    }

    fn promise(&self, with: Option<&OrganisationId>, topic: &TopicId, priority: Priority, from: Time) -> Result<Promise, Refusal> {
        let nobody = OrganisationId::from("");
        let organisation = with.unwrap_or(&nobody);
        let none = || Refusal::Terms { topic: topic.clone(), organisation: organisation.clone() };
        let (terms, term) = self.terms.term(from, topic, organisation, priority).ok_or_else(none)?;
        let (name, calendar) = self.calendar(with)?;
        let due = |span: super::terms::Span| span.after(calendar, from).ok_or_else(|| Refusal::Calendar(name.clone()));
        let (reaction_due, resolution_due) = (due(term.reaction)?, due(term.resolution)?);
        Ok(Promise { terms, reaction_due, resolution_due })
    }

    fn calendar(&self, with: Option<&OrganisationId>) -> Result<(&WorkCalendarId, &Calendar), Refusal> {
        let name = match with {
            None => &self.centre,
            Some(organisation) => {
                let known = self.organisations.get(organisation).ok_or_else(|| Refusal::Organisation(organisation.clone()))?;
                &known.calendar
            }
        };
        self.calendars.get(name).map(|calendar| (name, calendar)).ok_or_else(|| Refusal::Calendar(name.clone()))
    }

    /// What was left of the term when the pause began is left when it ends.
    fn pause(&self, case: &Case, rule: &PauseRuleId, until: Time, by: &Author, now: Time) -> Result<What, Refusal> {
        let stated = self.pauses.get(rule).ok_or_else(|| Refusal::Rule(rule.clone()))?;
        if matches!(by, Author::Organisation { .. }) && !stated.by_organisation {
            return Err(Refusal::Role { role: by.role() });
        }
        let used = case.paused_ms.get(rule).copied().unwrap_or(0);
        let latest = now.plus_ms(stated.longest_ms.saturating_sub(used));
        if until <= now || until > latest {
            return Err(Refusal::Pause { rule: rule.clone(), latest });
        }
        Ok(What::Paused { rule: rule.clone(), until, resolution_due: self.shifted(case, case.clocks.resolution.due, now, until)? })
    }

    fn resume(&self, case: &Case, now: Time) -> Result<What, Refusal> {
        if !matches!(case.state, State::Paused { .. }) {
            return Err(Refusal::State { state: case.state.word(), event: "resumed" });
        }
        Ok(What::Resumed { resolution_due: self.due_at(case, now)? })
    }

    /// When it must be done if it goes on at `now`. A pause that has ended by itself has moved the promise already.
    fn due_at(&self, case: &Case, now: Time) -> Result<Time, Refusal> {
        let due = case.clocks.resolution.due;
        match case.state {
            State::Paused { until, .. } if now < until => self.shifted(case, due, until, now),
            _ => Ok(due),
        }
    }

    /// The moment that is as far behind `to`, in the time that the case's term counts, as `due` is behind `from`. What was overdue stays as it is.
    fn shifted(&self, case: &Case, due: Time, from: Time, to: Time) -> Result<Time, Refusal> {
        if due <= from {
            return Ok(due);
        }
        let (name, calendar) = self.calendar(case.organisation.as_ref())?;
        let nobody = OrganisationId::from("");
        let with = case.organisation.as_ref().unwrap_or(&nobody);
        let counts =
            self.terms.term(case.counts_from, &case.topic, with, case.priority).map_or(Counts::Working, |(_, term)| term.resolution.counts);
        let left = super::terms::Span { ms: counts.between(calendar, from, due), counts };
        left.after(calendar, to).ok_or_else(|| Refusal::Calendar(name.clone()))
    }

    fn close(&self, case: &Case, now: Time) -> Result<What, Refusal> {
        let State::Done { since } = case.state else {
            return Err(Refusal::State { state: case.state.word(), event: "closed" });
        };
        let until = since.plus_ms(self.close_after_ms);
        if now < until {
            return Err(Refusal::TooEarly { until });
        }
        if case.control_calls < self.control_calls {
            return Err(Refusal::NotAsked { made: case.control_calls, needed: self.control_calls });
        }
        Ok(What::Closed)
    }

    fn known(&self, topic: &TopicId) -> Result<(), Refusal> {
        if self.topics.contains(topic) { Ok(()) } else { Err(Refusal::Topic(topic.clone())) }
    }
}

/// Who may do what. An organisation acts on what lies with it; the centre may act for everybody but an executor's word that it works;
/// a resident confirms, reopens and adds a note.
fn may_wish(case: &Case, wish: &Wish, by: &Author) -> bool {
    let centre = matches!(by, Author::Operator { .. } | Author::Supervisor { .. } | Author::System { .. });
    let control = matches!(by, Author::Quality { .. } | Author::Supervisor { .. } | Author::System { .. });
    let executor = case.lies_with(by);
    match wish {
        // Taking a case away from who works on it is a supervisor's decision.
        Wish::Forward { .. } if matches!(case.state, State::Registered | State::Reopened) => centre,
        Wish::Forward { .. } => matches!(by, Author::Supervisor { .. }),
        Wish::Accept | Wish::Return | Wish::Start => executor,
        Wish::Pause { .. } | Wish::Resume => executor || matches!(by, Author::Supervisor { .. }),
        // What lies with nobody is answered by the centre itself.
        Wish::Finish { .. } => executor || (case.organisation.is_none() && centre && !matches!(by, Author::System { .. })),
        Wish::Confirm { .. } | Wish::Reopen => {
            matches!(by, Author::Resident) || matches!(by, Author::Operator { .. } | Author::Quality { .. } | Author::Supervisor { .. })
        }
        Wish::ControlCall { .. } => centre || control,
        Wish::Close => control,
        Wish::Note => executor || centre || control || matches!(by, Author::Resident),
        Wish::Correct { .. } => matches!(by, Author::Operator { .. } | Author::Supervisor { .. } | Author::Quality { .. }),
    }
}

/// What must be written beside a wish and is not. Who takes a case on, begins or resumes explains nothing; all else has a reason.
fn missing(wish: &Wish, words: bool) -> Option<&'static str> {
    if words {
        return None;
    }
    match wish {
        Wish::Accept | Wish::Start | Wish::Resume | Wish::Confirm { .. } => None,
        Wish::Finish { photos } if !photos.is_empty() => None,
        Wish::Finish { .. } => Some("the evidence (a text or a photo)"),
        Wish::Note => Some("the note"),
        Wish::ControlCall { .. } => Some("what was heard"),
        Wish::Forward { .. } | Wish::Return | Wish::Pause { .. } | Wish::Close | Wish::Reopen | Wish::Correct { .. } => Some("the reason"),
    }
}
