//! How does an incident come to be, and how is it acted on? Cases that are close become a proposal; rules decide, the chain gets the event.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::FromRow;

use crate::cases::event::{self, Author};
use crate::cases::ids::{CaseNumber, DistrictId, IncidentId, OrganisationId};
use crate::cases::incident::{Belongs, FollowUp, Proposal, Sighting, follow_up, proposals};
use crate::cases::incident_life::{Happened, Incident, Refusal, Sort, State, What, Wish, Works};
use crate::centre::time::Time;
use crate::private::Private;
use crate::store::Store;
use crate::store::bulk::{self, BulkRow, ms, signed};
use crate::store::statement::{Statement, query, query_made};
use crate::store::transaction::{Lock, Transaction};

use super::RegisterError;
use super::act::change_in;
use super::book::Register;
use super::chain::append;
use super::evidence;
use super::incident_list::{COLUMNS, IncidentRow};
use super::link::tell_fixed;

/// Cases that are looked at for what they have in common, the newest; in a storm the older ones have become incidents already.
const MOST_NEAR: i64 = 2_000;

/// What is known of a case that may have the same cause as others.
#[derive(FromRow)]
struct Near {
    number: String,
    topic: String,
    registered_ms: i64,
    district: Option<String>,
    lat: Option<f64>,
    lon: Option<f64>,
    incident: Option<i64>,
    incident_state: Option<String>,
    parted: Option<bool>,
}

/// A case that belongs to an incident.
struct Member<'m> {
    incident: i64,
    case: &'m CaseNumber,
}

/// Several requests may find the same case near.
impl BulkRow for Member<'_> {
    const HEAD: &'static str = "INSERT INTO incident_cases (incident, number, linked) VALUES ";
    const TAIL: &'static str = " ON CONFLICT (incident, number) DO NOTHING";
    const COLUMNS: usize = 3;

    fn bind(&self, statement: Statement) -> Statement {
        statement.bind(self.incident).bind(self.case.to_string()).bind(false)
    }
}

/// What the server itself does to incidents.
fn system() -> Author {
    Author::System { part: "incidents".to_owned() }
}

/// The name of an incident in the chain.
pub(super) fn subject(n: i64) -> String {
    format!("incident:{n}")
}

impl Store {
    /// Looks at the open cases of the last hours: those that are close become a proposed incident, or join one. Returns how many incidents
    /// that changed. Restricted topics stay out: callers are told of incidents.
    ///
    /// # Errors
    /// When the rules cannot be read, or the database refuses; what was written before stays.
    pub async fn propose_incidents(&self, now: Time) -> Result<usize, RegisterError> {
        let register = self.register().await?;
        let near = self.near(&register, now).await?;
        let mut belongs: BTreeMap<CaseNumber, (IncidentId, bool)> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        let mut sightings = Vec::with_capacity(near.len());
        for row in near {
            let case: CaseNumber = row.number.parse().map_err(|_| RegisterError::damaged("cases.number"))?;
            if let (Some(incident), Some(state)) = (row.incident, &row.incident_state) {
                // Whoever has parted from one counts for no new one, as if it were over, until they belong to another.
                let is_live = row.parted != Some(true) && [State::Proposed, State::Confirmed].iter().any(|live| live.word() == state);
                let of = (IncidentId::from(incident.to_string()), is_live);
                belongs
                    .entry(case.clone())
                    .and_modify(|known| {
                        if is_live {
                            known.clone_from(&of)
                        }
                    })
                    .or_insert(of);
            }
            // It stands there twice where it has parted from one incident and belongs to another.
            if !seen.insert(case.clone()) {
                continue;
            }
            sightings.push(Sighting {
                case,
                topic: row.topic.into(),
                at: Time(row.registered_ms.unsigned_abs()),
                district: row.district.map(DistrictId::from),
                at_degrees: row.lat.zip(row.lon),
            });
        }
        // Some thousand cases of one topic cost tens of milliseconds, which calls must not wait for.
        let closeness = register.closeness;
        let found = tokio::task::spawn_blocking(move || proposals(&sightings, &closeness)).await;
        let mut changed = 0;
        for proposal in found.unwrap_or_default() {
            let known = |case: &CaseNumber| -> Belongs<'_> { belongs.get(case).map(|(incident, live)| (incident, *live)) };
            match follow_up(proposal, register.closeness.cases, known) {
                FollowUp::New(proposal) => self.propose(&proposal, now).await?,
                FollowUp::Join { incident, cases } => self.grow(&incident, cases, now).await?,
                FollowUp::Nothing => continue,
            }
            changed += 1;
        }
        Ok(changed)
    }

    /// Publishes works; callers are told from their beginning to their end.
    ///
    /// # Errors
    /// When the author may not, topic, district or organisation are not known, or the database refuses.
    pub async fn publish_works(
        &self,
        works: &Works,
        by: Author,
        words: Option<&Private<String>>,
        at: Time,
    ) -> Result<IncidentRow, RegisterError> {
        let register = self.register().await?;
        if !register.rules.topics.contains(&works.topic) {
            return Err(Refusal::Topic(works.topic.clone()).into());
        }
        known(&register, &works.districts, works.owner.as_ref())?;
        let first = Happened { at, what: works.publish(&by, at)?, by };
        let mut transaction = self.db.begin(Lock::Register).await?;
        let n = begin(&mut transaction, &first, words.map(|words| words.reveal().as_str())).await?;
        let row = row(&mut transaction, n).await?;
        transaction.commit().await?;
        self.stirred.notify_one();
        Ok(row)
    }

    /// Does what somebody wishes to an incident. When it is fixed everybody who is linked or subscribed is told, in the same transaction.
    ///
    /// # Errors
    /// When there is no such incident, or the rules refuse it, or the database does.
    pub async fn act_on_incident(
        &self,
        n: i64,
        wish: &Wish,
        by: Author,
        words: Option<&Private<String>>,
        at: Time,
    ) -> Result<IncidentRow, RegisterError> {
        let register = self.register().await?;
        if let Wish::Confirm { districts, owner, .. } = wish {
            known(&register, districts.as_deref().unwrap_or_default(), owner.as_ref())?;
        }
        if let Wish::Fix { owner, .. } = wish {
            known(&register, &[], owner.as_ref())?;
        }
        let words = words.map(|words| words.reveal().trim()).filter(|words| !words.is_empty());
        let names = self.topic_names().await?;
        let mut transaction = self.db.begin(Lock::Register).await?;
        let decide = |incident: &Incident, at| Ok(incident.decide(wish, &by, words.is_some(), at)?);
        let incident = change(&mut transaction, n, &by, words, at, decide).await?;
        if let Wish::Fix { photos, .. } = wish
            && let Some(file) = evidence::missing(&mut transaction, &subject(n), photos).await?
        {
            return Err(Refusal::NoFile(file).into());
        }
        if let Wish::Part { cases } = wish {
            part(&mut transaction, &register, n, cases, &by, words, at).await?;
        }
        if incident.state == State::Fixed {
            tell_fixed(&mut transaction, n, &incident.topic, &names, at).await?;
        }
        let row = row(&mut transaction, n).await?;
        transaction.commit().await?;
        self.stirred.notify_one();
        Ok(row)
    }

    /// Takes a case into an incident because somebody at the centre says that it belongs to it; one that belongs to it already stays so.
    ///
    /// # Errors
    /// When there is no such incident or no such open case that callers may be told of, or the incident is over, or the case was parted from it.
    pub async fn join_incident(&self, n: i64, case: &CaseNumber, by: &Author, at: Time) -> Result<IncidentRow, RegisterError> {
        let mut transaction = self.db.begin(Lock::Register).await?;
        let open: Option<(i64,)> = query("SELECT id FROM cases WHERE number = $1 AND is_open AND restricted IS NULL")
            .bind(case.to_string())
            .fetch_optional(&mut transaction)
            .await?;
        open.ok_or_else(|| RegisterError::Missing(case.clone()))?;
        let member: Option<(bool,)> = query("SELECT parted FROM incident_cases WHERE incident = $1 AND number = $2")
            .bind(n)
            .bind(case.to_string())
            .fetch_optional(&mut transaction)
            .await?;
        match member {
            Some((true,)) => return Err(Refusal::NoMember(case.clone()).into()),
            Some((false,)) => {}
            None => {
                let decide = |incident: &Incident, _| Ok(incident.take_in(by, case.clone())?);
                change(&mut transaction, n, by, None, at, decide).await?;
                belong(&mut transaction, n, std::slice::from_ref(case)).await?;
            }
        }
        let row = row(&mut transaction, n).await?;
        transaction.commit().await?;
        self.stirred.notify_one();
        Ok(row)
    }

    async fn near(&self, register: &Register, now: Time) -> Result<Vec<Near>, sqlx::Error> {
        // Twice the time: who is near the last that joined is near all that joined before.
        let since = now.0.saturating_sub(register.closeness.within_ms.saturating_mul(2));
        query(
            "SELECT cases.number AS number, cases.topic AS topic, cases.registered_ms AS registered_ms, cases.district AS district, \
             COALESCE(buildings.lat, case_people.lat) AS lat, COALESCE(buildings.lon, case_people.lon) AS lon, \
             incident_cases.incident AS incident, incidents.state AS incident_state, incident_cases.parted AS parted \
             FROM cases LEFT JOIN case_people ON case_people.case_id = cases.id \
             LEFT JOIN buildings ON buildings.id = case_people.building \
             LEFT JOIN incident_cases ON incident_cases.number = cases.number \
             LEFT JOIN incidents ON incidents.n = incident_cases.incident \
             WHERE cases.registered_ms >= $1 AND cases.is_open AND cases.restricted IS NULL \
             AND cases.kind IN ('complaint', 'request', 'emergency') ORDER BY cases.registered_ms DESC LIMIT $2",
        )
        .bind(ms(since))
        .bind(MOST_NEAR)
        .fetch_all(self.db.readers())
        .await
    }

    async fn propose(&self, proposal: &Proposal, now: Time) -> Result<(), RegisterError> {
        let Proposal { topic, districts, cases, since } = proposal.clone();
        let first = Happened { at: now, by: system(), what: What::Proposed { topic, districts, since, cases: cases.clone() } };
        let mut transaction = self.db.begin(Lock::Register).await?;
        let n = begin(&mut transaction, &first, None).await?;
        belong(&mut transaction, n, &cases).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn grow(&self, incident: &IncidentId, cases: Vec<CaseNumber>, now: Time) -> Result<(), RegisterError> {
        let n: i64 = incident.as_str().parse().map_err(|_| RegisterError::damaged("incidents.n"))?;
        let mut transaction = self.db.begin(Lock::Register).await?;
        let what = What::Grown { cases: cases.clone() };
        let decide = |incident: &Incident, _| {
            // It may have ended since it was read: then nobody joins it.
            let ended = Refusal::State { state: incident.state.word(), event: "grown" };
            if incident.state.is_live() { Ok(what) } else { Err(ended.into()) }
        };
        change(&mut transaction, n, &system(), None, now, decide).await?;
        belong(&mut transaction, n, &cases).await?;
        transaction.commit().await?;
        Ok(())
    }
}

fn known(register: &Register, districts: &[DistrictId], owner: Option<&OrganisationId>) -> Result<(), Refusal> {
    if let Some(unknown) = districts.iter().find(|district| !register.districts.contains(district)) {
        return Err(Refusal::District(unknown.clone()));
    }
    match owner.filter(|owner| !register.rules.organisations.contains_key(owner)) {
        Some(unknown) => Err(Refusal::Organisation(unknown.clone())),
        None => Ok(()),
    }
}

async fn belong(transaction: &mut Transaction, incident: i64, cases: &[CaseNumber]) -> Result<(), sqlx::Error> {
    let members: Vec<Member<'_>> = cases.iter().map(|case| Member { incident, case }).collect();
    bulk::write(transaction, &members).await
}

/// Takes cases out of an incident, and writes it into the history of those that say that they belong to it. The rows stay, so that nobody joins
/// what they have parted from.
async fn part(
    transaction: &mut Transaction,
    register: &Register,
    n: i64,
    cases: &[CaseNumber],
    by: &Author,
    words: Option<&str>,
    at: Time,
) -> Result<(), RegisterError> {
    for case in cases {
        let number = case.to_string();
        let member: Option<(bool,)> = query("SELECT linked FROM incident_cases WHERE incident = $1 AND number = $2 AND NOT parted")
            .bind(n)
            .bind(&number)
            .fetch_optional(&mut *transaction)
            .await?;
        let (linked,) = member.ok_or_else(|| Refusal::NoMember(case.clone()))?;
        if linked {
            let what = event::What::Unlinked { incident: n.to_string().into() };
            change_in(transaction, case, register, by, words, at, |_, _| Ok(what)).await?;
        }
        let done = query("UPDATE incident_cases SET parted = TRUE, linked = FALSE WHERE incident = $1 AND number = $2");
        done.bind(n).bind(number).execute(&mut *transaction).await?;
    }
    Ok(())
}

/// The first event of a new incident, and its row; the transaction holds `Lock::Register`, so that numbers are given one after the other.
async fn begin(transaction: &mut Transaction, first: &Happened, words: Option<&str>) -> Result<i64, RegisterError> {
    let incident = Incident::of(first).ok_or_else(|| RegisterError::damaged("incidents.body"))?;
    let n: i64 = query("SELECT COALESCE(MAX(n), 0) + 1 FROM incidents").fetch_scalar(&mut *transaction).await?;
    let place = append(transaction, &subject(n), first.at, first, words).await?;
    let insert = query(
        "INSERT INTO incidents (state, topic, owner, begins_ms, ends_ms, changed_ms, cases, last_place, body, n, sort) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    );
    follows(insert, &incident, first.at, place)?.bind(n).bind(incident.sort.word()).execute(transaction).await?;
    metrics::counter!("cityline_incidents_total", "sort" => incident.sort.word()).increment(1);
    if incident.sort == Sort::Incident {
        tracing::info!(incident = n, cases = incident.cases, "cases that are close are proposed as one incident");
    }
    Ok(n)
}

/// Appends the event that `decide` makes of the incident as it stands, and lets its row follow.
pub(super) async fn change(
    transaction: &mut Transaction,
    n: i64,
    by: &Author,
    words: Option<&str>,
    at: Time,
    decide: impl FnOnce(&Incident, Time) -> Result<What, RegisterError>,
) -> Result<Incident, RegisterError> {
    let found: Option<(String, i64)> =
        query("SELECT body, changed_ms FROM incidents WHERE n = $1").bind(n).fetch_optional(&mut *transaction).await?;
    let (body, last_ms) = found.ok_or(RegisterError::NoIncident(n))?;
    let mut incident: Incident = serde_json::from_str(&body).map_err(|_| RegisterError::damaged("incidents.body"))?;
    // A history is told forwards, also where two machines' clocks differ.
    let at = at.max(Time(last_ms.unsigned_abs()));
    let event = Happened { at, by: by.clone(), what: decide(&incident, at)? };
    incident.apply(&event).map_err(|error| RegisterError::Unwritable(error.to_string()))?;
    let place = append(transaction, &subject(n), at, &event, words).await?;
    let update = query(
        "UPDATE incidents SET state = $1, topic = $2, owner = $3, begins_ms = $4, ends_ms = $5, changed_ms = $6, cases = $7, \
         last_place = $8, body = $9 WHERE n = $10",
    );
    follows(update, &incident, at, place)?.bind(n).execute(transaction).await?;
    Ok(incident)
}

/// The columns that follow from the fold, in the order in which both statements bind them.
fn follows(statement: Statement, incident: &Incident, at: Time, place: u64) -> Result<Statement, RegisterError> {
    let body = serde_json::to_string(incident).map_err(|error| RegisterError::Unwritable(error.to_string()))?;
    Ok(statement
        .bind(incident.state.word())
        .bind(incident.topic.as_str())
        .bind(incident.owner.as_ref().map(|owner| owner.as_str().to_owned()))
        .bind(ms(incident.begins.0))
        .bind(incident.ends.map(|ends| ms(ends.0)))
        .bind(ms(at.0))
        .bind(signed(incident.cases))
        .bind(signed(place))
        .bind(body))
}

async fn row(transaction: &mut Transaction, n: i64) -> Result<IncidentRow, RegisterError> {
    let row = query_made(format!("SELECT {COLUMNS} FROM incidents WHERE n = $1")).bind(n).fetch_optional(transaction).await?;
    row.ok_or(RegisterError::NoIncident(n))
}
