//! How is a case registered and acted on? Rules decide, the chain gets the event, and the row follows, in one transaction.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::cases::assignment::{self, Place, Rule};
use crate::cases::case::Case;
use crate::cases::contact::Disposition;
use crate::cases::decide::{Refusal, Report, Wish};
use crate::cases::escalation;
use crate::cases::event::{Author, Event, What};
use crate::cases::ids::{CaseNumber, OrganisationId, TopicId};
use crate::centre::ids::{CallerRef, NumberId};
use crate::centre::time::Time;
use crate::private::Private;
use crate::store::Store;
use crate::store::addresses::Located;
use crate::store::bulk::{ms, signed};
use crate::store::contacts::{self, NewContact};
use crate::store::drafts;
use crate::store::outbox::{self, Post};
use crate::store::search;
use crate::store::statement::query;
use crate::store::transaction::{Lock, Transaction};

use super::book::Register;
use super::chain::append;
use super::{RegisterError, chain, evidence};

/// As whom cases of old registers are written.
pub(in crate::store) const IMPORT: &str = "import";

/// A report to be registered.
#[derive(Clone, Debug)]
pub struct NewCase {
    /// The short number under which it is counted.
    pub service: NumberId,
    /// The year in which it is counted, by the city's calendar.
    pub year: u16,
    /// What is reported. Where it proposes nobody, the routing does.
    pub report: Report,
    /// Whose it is.
    pub caller: CallerRef,
    /// The resident, where known.
    pub resident: Option<i64>,
    /// Where.
    pub place: Place,
    /// Latitude and longitude, where no building is named.
    pub at_degrees: Option<(f64, f64)>,
    /// What was said, with all that is personal.
    pub words: ReportWords,
    /// Who writes it.
    pub by: Author,
    /// Their account, or the channel's name.
    pub by_name: String,
    /// The form's own name: the same one from the same author is the same case.
    pub draft: String,
    /// When.
    pub at: Time,
}

/// The words of a registration: what a resident said, who they are and where.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportWords {
    /// What is reported.
    pub text: Private<String>,
    /// Where, as it is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// Who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resident: Option<ResidentWords>,
}

/// An address as it is said.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// The street.
    #[schema(value_type = String)]
    pub street: Private<String>,
    /// The house.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub house: Option<Private<String>>,
    /// The flat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub flat: Option<Private<String>>,
}

/// A resident as the case names them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResidentWords {
    /// Their name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub name: Option<Private<String>>,
    /// Their number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub number: Option<Private<String>>,
}

/// Where a case stands, as lists show it. Times in milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow, utoipa::ToSchema)]
pub struct CaseRow {
    /// Counts up; for paging.
    pub id: i64,
    /// "109-2026-000001".
    pub number: String,
    /// What kind of report.
    pub kind: String,
    /// By which way it came in.
    pub channel: String,
    /// What it is about.
    pub topic: String,
    /// How pressing.
    pub priority: String,
    /// Where.
    pub district: Option<String>,
    /// With whom it lies; `None`: with the centre.
    pub organisation: Option<String>,
    /// Where it stands.
    pub state: String,
    /// The group that alone sees it, beside whom it lies with.
    pub restricted: Option<String>,
    /// The call in which it was reported.
    pub call_id: Option<i64>,
    /// When it was registered.
    pub registered_ms: i64,
    /// When it must be taken on.
    pub reaction_due_ms: i64,
    /// When it was.
    pub reaction_kept_ms: Option<i64>,
    /// When it must be done.
    pub resolution_due_ms: i64,
    /// When it was.
    pub resolution_kept_ms: Option<i64>,
    /// How often it was reopened.
    pub reopened: i64,
}

/// The columns of a [`CaseRow`].
pub(in crate::store) const COLUMNS: &str = "id, number, kind, channel, topic, priority, district, organisation, state, restricted, call_id, \
     registered_ms, reaction_due_ms, reaction_kept_ms, resolution_due_ms, resolution_kept_ms, reopened";

#[derive(FromRow)]
struct Body {
    body: String,
    last_ms: i64,
}

impl Store {
    /// Registers a report: the next number of its service and year, the first event, and, where an organisation is proposed, the second
    /// that forwards it there. The same draft of the same author again returns the case that it made.
    ///
    /// # Errors
    /// When the rules refuse it, or the database does.
    pub async fn open_case(&self, mut new: NewCase) -> Result<CaseRow, RegisterError> {
        let register = self.register().await?;
        let routes = self.routes().await?;
        if let Some(address) = new.words.address.as_ref().filter(|_| new.place == Place::default() && new.at_degrees.is_none()) {
            let located = self.locate(address).await?;
            place(&mut new, located);
        }
        if new.resident.is_none() {
            new.resident = self.only_resident(new.caller).await?;
        }
        let (by_name, draft, at) = (new.by_name.clone(), new.draft.clone(), new.at);
        let mut transaction = self.db.begin(Lock::Register).await?;
        let opened = match open_in(&mut transaction, &register, &routes, new).await? {
            Some(row) => {
                post_forwarded(&mut transaction, &row, "forwarded:new".to_owned(), at).await?;
                row
            }
            None => drafted(&mut transaction, &by_name, &draft).await?.ok_or_else(|| RegisterError::damaged("cases.draft"))?,
        };
        drafts::written(&mut transaction, &by_name, &draft).await?;
        transaction.commit().await?;
        self.stirred.notify_one();
        Ok(opened)
    }

    /// Does what somebody wishes to a case.
    ///
    /// # Errors
    /// When there is no such case, or the rules refuse it, or the database does.
    pub async fn act(
        &self,
        number: &CaseNumber,
        wish: &Wish,
        by: Author,
        words: Option<&Private<String>>,
        at: Time,
    ) -> Result<CaseRow, RegisterError> {
        let register = self.register().await?;
        let words = words.map(|words| words.reveal().trim()).filter(|words| !words.is_empty());
        let decide = |case: &Case, at: Time| Ok(register.rules.decide(case, wish, &by, words.is_some(), at)?);
        let mut transaction = self.db.begin(Lock::Register).await?;
        let row = change_in(&mut transaction, number, &register, &by, words, at, decide).await?;
        if let Wish::Finish { photos } = wish
            && let Some(file) = evidence::missing(&mut transaction, &number.to_string(), photos).await?
        {
            return Err(Refusal::NoFile(file).into());
        }
        transaction.commit().await?;
        Ok(row)
    }
}

/// Registers a report within a transaction that holds `Lock::Register`; `None` where the same draft has made its case already.
pub(in crate::store) async fn open_in(
    transaction: &mut Transaction,
    register: &Register,
    routes: &[Rule],
    mut new: NewCase,
) -> Result<Option<CaseRow>, RegisterError> {
    if drafted(transaction, &new.by_name, &new.draft).await?.is_some() {
        return Ok(None);
    }
    let active = |organisation: &&OrganisationId| register.rules.organisations.get(*organisation).is_some_and(|executor| executor.active);
    if new.report.proposed.is_none() {
        let proposal = assignment::propose(routes, &new.report.topic, &new.place).map(|proposal| proposal.organisation);
        new.report.proposed = proposal.filter(active).cloned();
    }
    let proposed = new.report.proposed.clone();
    let what = register.rules.register(new.report.clone(), new.at)?;
    let words = written(&new.words)?;
    let number = next_number(transaction, &new.service, new.year).await?;
    let subject = number.to_string();
    let first = Event { at: new.at, by: new.by.clone(), what };
    let mut case = Case::of(&first).ok_or_else(|| RegisterError::damaged("cases.body"))?;
    let mut place = append(transaction, &subject, new.at, &first, Some(&words)).await?;
    if let Some(organisation) = proposed {
        let by = Author::System { part: "routing".to_owned() };
        let what = register.rules.decide(&case, &Wish::Forward { organisation }, &by, true, new.at)?;
        let forwarded = Event { at: new.at, by, what };
        case.apply(&forwarded).map_err(|error| RegisterError::Unwritable(error.to_string()))?;
        place = append(transaction, &subject, new.at, &forwarded, None).await?;
    }
    insert(transaction, &number, &new, &case, register, place).await?;
    Ok(Some(row(transaction, &subject).await?.ok_or_else(|| RegisterError::damaged("cases.number"))?))
}

/// Puts a report where its address lies, as far as that is known and nothing else was said.
pub(in crate::store) fn place(new: &mut NewCase, located: Located) {
    new.place.street = new.place.street.or(located.street);
    new.place.building = new.place.building.or(located.building);
    new.place.district = new.place.district.take().or(located.district.map(|district| district.as_str().into()));
    new.report.district = new.report.district.take().or(new.place.district.clone());
    new.at_degrees = new.at_degrees.or(located.at_degrees);
}

/// Appends the event that `decide` makes of the case as it stands, and lets its row follow. The transaction holds `Lock::Register`, so that two who
/// act at one time act in turn.
pub(in crate::store) async fn change_in(
    transaction: &mut Transaction,
    number: &CaseNumber,
    register: &Register,
    by: &Author,
    words: Option<&str>,
    at: Time,
    decide: impl FnOnce(&Case, Time) -> Result<What, RegisterError>,
) -> Result<CaseRow, RegisterError> {
    let subject = number.to_string();
    let found: Option<Body> =
        query("SELECT body, (SELECT at_ms FROM chain WHERE place = cases.last_place) AS last_ms FROM cases WHERE number = $1")
            .bind(&subject)
            .fetch_optional(&mut *transaction)
            .await?;
    let found = found.ok_or_else(|| RegisterError::Missing(number.clone()))?;
    let mut case: Case = serde_json::from_str(&found.body).map_err(|_| RegisterError::damaged("cases.body"))?;
    // A history is told forwards, also where two machines' clocks differ.
    let at = at.max(Time(u64::try_from(found.last_ms).unwrap_or(0)));
    let event = Event { at, by: by.clone(), what: decide(&case, at)? };
    case.apply(&event).map_err(|error| RegisterError::Unwritable(error.to_string()))?;
    let place = chain::append(transaction, &subject, at, &event, words).await?;
    update(transaction, &subject, &case, register, place).await?;
    if matches!(event.what, What::Corrected { topic: Some(_), .. }) {
        search::index_anew(transaction, number, &case, register).await?;
    }
    let row = row(transaction, &subject).await?.ok_or_else(|| RegisterError::damaged("cases.number"))?;
    if matches!(event.what, What::Forwarded { .. }) {
        post_forwarded(transaction, &row, format!("forwarded:{place}"), at).await?;
    }
    Ok(row)
}

/// The organisation with which a case lies is told so, once a `kind`, where it has named a way; else it looks into the register itself.
async fn post_forwarded(transaction: &mut Transaction, case: &CaseRow, kind: String, at: Time) -> Result<(), RegisterError> {
    let Some(organisation) = &case.organisation else { return Ok(()) };
    let reached = query("SELECT 1 FROM organisations WHERE id = $1 AND (COALESCE(webhook, '') <> '' OR COALESCE(email, '') <> '')");
    if reached.bind(organisation).fetch_optional::<(i32,)>(&mut *transaction).await?.is_none() {
        return Ok(());
    }
    let body = serde_json::json!({
        "what": "forwarded", "case": case.number, "topic": case.topic, "priority": case.priority, "district": case.district,
        "reaction_due_ms": case.reaction_due_ms, "resolution_due_ms": case.resolution_due_ms,
    });
    let post = Post::to(format!("organisation:{organisation}"), &case.number, kind, body.to_string());
    Ok(outbox::post(transaction, &[post], at).await?)
}

fn written(words: &ReportWords) -> Result<String, RegisterError> {
    serde_json::to_string(words).map_err(|error| RegisterError::Unwritable(error.to_string()))
}

async fn drafted(transaction: &mut Transaction, by: &str, draft: &str) -> Result<Option<CaseRow>, sqlx::Error> {
    let statement = crate::store::statement::query_made(format!("SELECT {COLUMNS} FROM cases WHERE by_name = $1 AND draft = $2"));
    statement.bind(by).bind(draft).fetch_optional(transaction).await
}

async fn row(transaction: &mut Transaction, number: &str) -> Result<Option<CaseRow>, sqlx::Error> {
    let statement = crate::store::statement::query_made(format!("SELECT {COLUMNS} FROM cases WHERE number = $1"));
    statement.bind(number).fetch_optional(transaction).await
}

async fn next_number(transaction: &mut Transaction, service: &NumberId, year: u16) -> Result<CaseNumber, RegisterError> {
    let last: i64 = query(
        "INSERT INTO case_counters (service, year, last) VALUES ($1, $2, 1) \
         ON CONFLICT (service, year) DO UPDATE SET last = case_counters.last + 1 RETURNING last",
    )
    .bind(service.as_str())
    .bind(i64::from(year))
    .fetch_scalar(transaction)
    .await?;
    let n = u32::try_from(last).map_err(|_| RegisterError::damaged("case_counters.last"))?;
    Ok(CaseNumber { service: service.as_str().into(), year, n })
}

/// The columns that follow from the fold, in the order in which [`insert`] and [`update`] bind them.
struct Follows<'c> {
    case: &'c Case,
    register: &'c Register,
    place: u64,
}

impl Follows<'_> {
    fn bind(&self, statement: crate::store::statement::Statement) -> Result<crate::store::statement::Statement, RegisterError> {
        let Self { case, register, place } = self;
        let word = |value: serde_json::Result<serde_json::Value>| {
            let value = value.ok().and_then(|value| value.as_str().map(str::to_owned));
            value.ok_or_else(|| RegisterError::Unwritable("a word of the case".to_owned()))
        };
        let kept = |clock: crate::cases::clocks::Clock| clock.kept.map(|at| ms(at.0));
        let body = serde_json::to_string(case).map_err(|error| RegisterError::Unwritable(error.to_string()))?;
        Ok(statement
            .bind(word(serde_json::to_value(case.kind))?)
            .bind(case.topic.as_str())
            .bind(word(serde_json::to_value(case.priority))?)
            .bind(case.district.as_ref().map(|district| district.as_str().to_owned()))
            .bind(case.organisation.as_ref().map(|organisation| organisation.as_str().to_owned()))
            .bind(case.state.word())
            .bind(case.state.is_open())
            .bind(restricted(register, &case.topic).map(str::to_owned))
            .bind(ms(case.clocks.reaction.due.0))
            .bind(kept(case.clocks.reaction))
            .bind(ms(case.clocks.resolution.due.0))
            .bind(kept(case.clocks.resolution))
            .bind(escalation::next(&register.escalation, case).map(|at| ms(at.0)))
            .bind(i64::from(case.reopened))
            .bind(signed(*place))
            .bind(body))
    }
}

/// The group that sees a topic: that of the nearest restricted topic above it.
fn restricted<'r>(register: &'r Register, topic: &TopicId) -> Option<&'r str> {
    let above = register.restricted.iter().filter(|(wide, _)| topic.is_within(wide));
    above.max_by_key(|(wide, _)| wide.depth()).map(|(_, group)| group.as_str())
}

async fn insert(
    transaction: &mut Transaction,
    number: &CaseNumber,
    new: &NewCase,
    case: &Case,
    register: &Register,
    place: u64,
) -> Result<(), RegisterError> {
    let statement = query(
        "INSERT INTO cases (kind, topic, priority, district, organisation, state, is_open, restricted, reaction_due_ms, reaction_kept_ms, \
         resolution_due_ms, resolution_kept_ms, next_ms, reopened, last_place, body, number, by_name, draft, channel, call_id, registered_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)",
    );
    let channel = serde_json::to_value(case.channel).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default();
    Follows { case, register, place }
        .bind(statement)?
        .bind(number.to_string())
        .bind(&new.by_name)
        .bind(&new.draft)
        .bind(channel)
        .bind(case.call.map(|call| signed(call.0)))
        .bind(ms(case.registered.0))
        .execute(&mut *transaction)
        .await?;
    let flat = new.words.address.as_ref().and_then(|address| address.flat.as_ref()).map(|flat| flat.reveal().clone());
    query(
        "INSERT INTO case_people (number, caller, resident, street, building, flat, lat, lon, case_id) \
         SELECT number, CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS BIGINT), CAST($5 AS BIGINT), CAST($6 AS TEXT), \
         CAST($7 AS DOUBLE PRECISION), CAST($8 AS DOUBLE PRECISION), id FROM cases WHERE number = $1",
    )
    .bind(number.to_string())
    .bind((!new.caller.is_withheld()).then(|| signed(new.caller.0)))
    .bind(new.resident)
    .bind(new.place.street)
    .bind(new.place.building)
    .bind(flat)
    .bind(new.at_degrees.map(|(lat, _)| lat))
    .bind(new.at_degrees.map(|(_, lon)| lon))
    .execute(&mut *transaction)
    .await?;
    contact(transaction, number, new).await?;
    search::index(transaction, number, case, &new.words, register).await
}

/// Whoever has a case written has turned to the city; not now where it comes from an old register.
async fn contact(transaction: &mut Transaction, number: &CaseNumber, new: &NewCase) -> Result<(), sqlx::Error> {
    if new.by_name == IMPORT {
        return Ok(());
    }
    let contact = NewContact {
        by_name: new.by_name.clone(),
        draft: new.draft.clone(),
        channel: new.report.channel,
        caller: new.caller,
        call: new.report.call,
        topic: Some(new.report.topic.as_str().to_owned()),
        district: new.report.district.as_ref().map(|district| district.as_str().to_owned()),
        disposition: Disposition::Case,
        article: None,
        number: Some(number.to_string()),
    };
    contacts::write(transaction, &contact, new.at).await.map(drop)
}

async fn update(transaction: &mut Transaction, number: &str, case: &Case, register: &Register, place: u64) -> Result<(), RegisterError> {
    let statement = query(
        "UPDATE cases SET kind = $1, topic = $2, priority = $3, district = $4, organisation = $5, state = $6, is_open = $7, restricted = $8, \
         reaction_due_ms = $9, reaction_kept_ms = $10, resolution_due_ms = $11, resolution_kept_ms = $12, next_ms = $13, reopened = $14, \
         last_place = $15, body = $16 WHERE number = $17",
    );
    Follows { case, register, place }.bind(statement)?.bind(number).execute(transaction).await?;
    Ok(())
}
