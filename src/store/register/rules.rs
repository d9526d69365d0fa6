//! Which rules hold now, and who executes? Read once a revision and kept; a change by anybody is seen at the next question.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use sqlx::FromRow;

use crate::cases::assignment::{Area, Rule};
use crate::cases::decide::Executor;
use crate::cases::ids::{OrganisationId, TopicId};
use crate::centre::time::Time;
use crate::store::Store;
use crate::store::bulk::ms;
use crate::store::statement::{On, query};
use crate::store::transaction::Lock;

use super::RegisterError;
use super::book::{Register, RuleBook};

/// What was read last, and of which state of the tables.
pub(in crate::store) type Kept = Arc<RwLock<Option<(State, Arc<Register>)>>>;

/// Tells whether rules or organisations have changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromRow)]
pub(in crate::store) struct State {
    revision: i64,
    organisations: i64,
    changed_ms: i64,
}

/// A body that executes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, FromRow, utoipa::ToSchema)]
pub struct Organisation {
    /// Its id, as cases name it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its working hours, by their name in the rules.
    pub calendar: String,
    /// Its head, to whom late cases come.
    #[serde(default)]
    pub head: Option<String>,
    /// Where new cases are mailed to.
    #[serde(default)]
    pub email: Option<String>,
    /// Its telephone.
    #[serde(default)]
    pub phone: Option<String>,
    /// Where new cases are posted to.
    #[serde(default)]
    pub webhook: Option<String>,
    /// Whether cases may be forwarded to it.
    pub active: bool,
}

/// A routing rule as it is stored; what is not given is any.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, FromRow, utoipa::ToSchema)]
pub struct Route {
    /// The topic and all below it.
    pub topic: Option<String>,
    /// The district.
    pub district: Option<String>,
    /// The street.
    pub street: Option<i64>,
    /// The building.
    pub building: Option<i64>,
    /// Who executes.
    pub organisation: String,
}

/// An organisation with the state that it is in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct KeptOrganisation {
    /// What is known of it.
    #[serde(flatten)]
    #[sqlx(flatten)]
    pub organisation: Organisation,
    /// Rises with every change; whoever changes it names the one that they have read.
    pub revision: i64,
}

#[derive(FromRow)]
struct ExecutorRow {
    id: String,
    calendar: String,
    active: bool,
}

impl Store {
    /// The rules that hold now.
    ///
    /// # Errors
    /// When the database does not answer, or holds rules that this program cannot read.
    pub async fn register(&self) -> Result<Arc<Register>, RegisterError> {
        let state = self.rules_state().await?;
        if let Some((_, register)) = self.rules.read().unwrap_or_else(PoisonError::into_inner).as_ref().filter(|(kept, _)| *kept == state) {
            return Ok(register.clone());
        }
        let book = self.rule_book().await?.1;
        let register = Arc::new(book.read(state.revision, self.executors().await?).map_err(RegisterError::Rules)?);
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = Some((state, register.clone()));
        Ok(register)
    }

    /// The document that holds, and its revision; 0 for what a city starts with.
    pub async fn rule_book(&self) -> Result<(i64, RuleBook), RegisterError> {
        let newest = query("SELECT revision, body FROM register_rules ORDER BY revision DESC LIMIT 1");
        let newest: Option<(i64, String)> = newest.fetch_optional(self.db.readers()).await?;
        match newest {
            None => Ok((0, RuleBook::defaults().map_err(RegisterError::Rules)?)),
            Some((revision, body)) => {
                let read = serde_json::from_str(&body);
                Ok((revision, read.map_err(|error| RegisterError::Rules(vec![format!("revision {revision}: {error}")]))?))
            }
        }
    }

    /// Makes a document the rules, as the revision after `from`; all revisions are kept.
    ///
    /// # Errors
    /// When the document is wrong, or somebody has changed it since `from`.
    pub async fn approve_rules(&self, from: i64, book: &RuleBook, by: &str, at: Time) -> Result<i64, RegisterError> {
        // A revision that no database can hold is none that anybody has read.
        let next = from.saturating_add(1);
        book.read(next, self.executors().await?).map_err(RegisterError::Rules)?;
        let body = serde_json::to_string(book).map_err(|error| RegisterError::Unwritable(error.to_string()))?;
        let mut transaction = self.db.begin(Lock::Register).await?;
        let now: i64 = query("SELECT COALESCE(MAX(revision), 0) FROM register_rules").fetch_scalar(&mut transaction).await?;
        if now != from {
            return Err(RegisterError::Revision { now: now.to_string(), given: from.to_string() });
        }
        let insert = query("INSERT INTO register_rules (revision, at_ms, by_name, body) VALUES ($1, $2, $3, $4)");
        insert.bind(next).bind(ms(at.0)).bind(by).bind(body).execute(&mut transaction).await?;
        transaction.commit().await?;
        Ok(next)
    }

    /// Every organisation, by its id.
    pub async fn organisations(&self) -> Result<Vec<KeptOrganisation>, RegisterError> {
        let all =
            query("SELECT id, name, calendar, head, email, phone, webhook, active, changed_ms AS revision FROM organisations ORDER BY id");
        Ok(all.fetch_all(self.db.readers()).await?)
    }

    /// Adds an organisation, or changes what is known of it, whatever that is.
    ///
    /// # Errors
    /// When its working hours are not in the rules.
    pub async fn put_organisation(&self, organisation: &Organisation, at: Time) -> Result<(), RegisterError> {
        self.hours_known(organisation).await?;
        Ok(write_organisation(self.db.writer(), organisation, at).await?)
    }

    /// The same, where nobody has changed it since the revision `from`; 0 for one that is not there. Returns the revision that it is.
    ///
    /// # Errors
    /// When its working hours are not in the rules, or somebody has changed it.
    pub async fn change_organisation(&self, organisation: &Organisation, from: i64, at: Time) -> Result<i64, RegisterError> {
        const REVISION: &str = "SELECT changed_ms FROM organisations WHERE id = $1";
        self.hours_known(organisation).await?;
        let mut transaction = self.db.begin(Lock::Register).await?;
        let now: Option<(i64,)> = query(REVISION).bind(&organisation.id).fetch_optional(&mut transaction).await?;
        let now = now.map_or(0, |(now,)| now);
        if now != from {
            return Err(RegisterError::Revision { now: now.to_string(), given: from.to_string() });
        }
        write_organisation(&mut transaction, organisation, at).await?;
        let revision = query(REVISION).bind(&organisation.id).fetch_scalar(&mut transaction).await?;
        transaction.commit().await?;
        Ok(revision)
    }

    async fn hours_known(&self, organisation: &Organisation) -> Result<(), RegisterError> {
        let (_, book) = self.rule_book().await?;
        if !book.calendars.contains_key(&organisation.calendar) {
            let why = format!("{}: no calendar is called {:?}; name one of the rules", organisation.id, organisation.calendar);
            return Err(RegisterError::Rules(vec![why]));
        }
        Ok(())
    }

    /// The routing rules, in their order.
    pub async fn routes(&self) -> Result<Vec<Rule>, RegisterError> {
        Ok(self.written_routes().await?.into_iter().map(Rule::from).collect())
    }

    /// The name of an organisation; `None` where there is none of this id.
    pub async fn organisation_name(&self, id: &str) -> Result<Option<String>, RegisterError> {
        let name: Option<(String,)> =
            query("SELECT name FROM organisations WHERE id = $1").bind(id).fetch_optional(self.db.readers()).await?;
        Ok(name.map(|(name,)| name))
    }

    /// The same as they were written.
    pub async fn written_routes(&self) -> Result<Vec<Route>, RegisterError> {
        Ok(query(ROUTES).fetch_all(self.db.readers()).await?)
    }

    /// Puts these routing rules in the place of all others, in one transaction, where nobody has changed those since the revision `from`
    /// (see [`revision_of`]); without one, whatever they are. Returns the revision that they are.
    ///
    /// # Errors
    /// When somebody has changed them.
    pub async fn put_routes(&self, routes: &[Route], from: Option<&str>) -> Result<String, RegisterError> {
        let mut transaction = self.db.begin(Lock::Register).await?;
        let now = revision_of(&query(ROUTES).fetch_all::<Route>(&mut transaction).await?);
        if let Some(from) = from.filter(|from| *from != now) {
            return Err(RegisterError::Revision { now, given: from.chars().take(40).collect() });
        }
        query("DELETE FROM routes").execute(&mut transaction).await?;
        for route in routes {
            write_route(&mut transaction, route).await?;
        }
        transaction.commit().await?;
        Ok(revision_of(routes))
    }

    async fn rules_state(&self) -> Result<State, RegisterError> {
        let state = query(
            "SELECT (SELECT COALESCE(MAX(revision), 0) FROM register_rules) AS revision, \
             (SELECT COUNT(*) FROM organisations) AS organisations, \
             (SELECT COALESCE(MAX(changed_ms), 0) FROM organisations) AS changed_ms",
        );
        Ok(state.fetch_one(self.db.readers()).await?)
    }

    async fn executors(&self) -> Result<BTreeMap<OrganisationId, Executor>, RegisterError> {
        let rows: Vec<ExecutorRow> = query("SELECT id, calendar, active FROM organisations").fetch_all(self.db.readers()).await?;
        let executor =
            |row: ExecutorRow| (OrganisationId::from(row.id), Executor { calendar: row.calendar.as_str().into(), active: row.active });
        Ok(rows.into_iter().map(executor).collect())
    }
}

const ROUTES: &str = "SELECT topic, district, street, building, organisation FROM routes ORDER BY id";

/// By what routing rules are known again: the beginning of the SHA-256 of what they say, whoever wrote them by whichever way.
pub fn revision_of(routes: &[Route]) -> String {
    let mut hash = Sha256::new();
    for route in routes {
        hash.update(serde_json::to_vec(route).unwrap_or_default());
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Adds an organisation, or changes what is known of it, also within a transaction.
pub(in crate::store) async fn write_organisation(on: impl Into<On<'_>>, organisation: &Organisation, at: Time) -> Result<(), sqlx::Error> {
    let Organisation { id, name, calendar, head, email, phone, webhook, active } = organisation.clone();
    query(
        "INSERT INTO organisations (id, name, calendar, head, email, phone, webhook, active, changed_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, calendar = excluded.calendar, head = excluded.head, \
         email = excluded.email, phone = excluded.phone, webhook = excluded.webhook, active = excluded.active, \
         changed_ms = CASE WHEN excluded.changed_ms > organisations.changed_ms THEN excluded.changed_ms ELSE organisations.changed_ms + 1 END",
    )
    .bind(id)
    .bind(name)
    .bind(calendar)
    .bind(head)
    .bind(email)
    .bind(phone)
    .bind(webhook)
    .bind(active)
    .bind(ms(at.0))
    .execute(on)
    .await?;
    Ok(())
}

/// Adds a routing rule behind the others.
pub(in crate::store) async fn write_route(on: impl Into<On<'_>>, route: &Route) -> Result<(), sqlx::Error> {
    query("INSERT INTO routes (topic, district, street, building, organisation) VALUES ($1, $2, $3, $4, $5)")
        .bind(route.topic.clone())
        .bind(route.district.clone())
        .bind(route.street)
        .bind(route.building)
        .bind(&route.organisation)
        .execute(on)
        .await?;
    Ok(())
}

impl From<Route> for Rule {
    fn from(route: Route) -> Rule {
        let area = match (route.building, route.street, route.district) {
            (Some(building), _, _) => Some(Area::Building(building)),
            (None, Some(street), _) => Some(Area::Street(street)),
            (None, None, Some(district)) => Some(Area::District(district.into())),
            (None, None, None) => None,
        };
        Rule { topic: route.topic.map(TopicId::from), area, organisation: route.organisation.into() }
    }
}
