//! What did residents report? A first table of cases, numbered without gaps within a service and a year.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::centre::ids::{CallId, CallerRef, NumberId};
use crate::centre::time::Time;
use crate::private::Private;

use super::bulk::{ms, signed};
use super::statement::query;
use super::transaction::{Lock, Transaction};
use super::{Store, StoreError};

/// The most cases that one request gets.
const MOST: u32 = 500;

/// A case. Times in milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow)]
pub struct Case {
    /// Counts up; for paging.
    pub id: i64,
    /// "109-2026-000001": service, year, number within them.
    pub number: String,
    /// The call in which it was written.
    pub call_id: Option<i64>,
    /// What it is about.
    pub topic: String,
    /// What the resident said; it may hold personal data.
    #[sqlx(try_from = "String")]
    pub text: Text,
    /// Open or closed.
    #[sqlx(try_from = "String")]
    pub status: CaseStatus,
    /// Who wrote it.
    pub created_by: String,
    /// When.
    pub created_ms: i64,
    /// Who closed it.
    pub closed_by: Option<String>,
    /// When.
    pub closed_ms: Option<i64>,
}

/// A text of a resident, which never prints itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Text(pub Private<String>);

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(Private::new(text))
    }
}

/// Where a case stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CaseStatus {
    /// Somebody owes an answer.
    Open,
    /// Done.
    Closed,
}

impl CaseStatus {
    /// The status as the database holds it.
    pub fn word(self) -> &'static str {
        match self {
            CaseStatus::Open => "open",
            CaseStatus::Closed => "closed",
        }
    }
}

impl TryFrom<String> for CaseStatus {
    type Error = StoreError;

    fn try_from(value: String) -> Result<Self, StoreError> {
        match value.as_str() {
            "open" => Ok(CaseStatus::Open),
            "closed" => Ok(CaseStatus::Closed),
            _ => Err(StoreError::Value { what: "cases.status", value }),
        }
    }
}

/// A case to be written.
#[derive(Clone, Debug)]
pub struct NewCase {
    /// The short number under which it is counted.
    pub service: NumberId,
    /// The year in which it is counted, by the city's calendar.
    pub year: i32,
    /// Whose it is.
    pub caller: CallerRef,
    /// The call in which it was told.
    pub call: Option<CallId>,
    /// What it is about.
    pub topic: String,
    /// What was said.
    pub text: Private<String>,
    /// Who writes it.
    pub by: String,
    /// The form's own name: the same one from the same author is the same case.
    pub draft: String,
    /// When.
    pub at: Time,
}

impl Store {
    /// Writes a case and gives it the next number of its service and year, in one transaction; the number is never given twice
    /// and none is left out. The same draft of the same author again returns the case that it made.
    pub async fn write_case(&self, case: &NewCase) -> Result<Case, StoreError> {
        let mut transaction = self.db.begin(Lock::Cases).await?;
        let earlier = query("SELECT * FROM cases WHERE created_by = $1 AND draft = $2").bind(&case.by).bind(&case.draft);
        if let Some(written) = earlier.fetch_optional(&mut transaction).await? {
            return Ok(written);
        }
        let number = next_number(&mut transaction, &case.service, case.year).await?;
        let written = query(
            "INSERT INTO cases (number, caller, call_id, topic, text, status, created_by, draft, created_ms) \
             VALUES ($1, $2, $3, $4, $5, 'open', $6, $7, $8) RETURNING *",
        )
        .bind(number)
        .bind((case.caller != CallerRef::WITHHELD).then(|| signed(case.caller.0)))
        .bind(case.call.map(|call| signed(call.0)))
        .bind(&case.topic)
        .bind(case.text.reveal())
        .bind(&case.by)
        .bind(&case.draft)
        .bind(ms(case.at.0))
        .fetch_one(&mut transaction)
        .await?;
        transaction.commit().await?;
        Ok(written)
    }

    /// Cases, newest first: of one status, with an id below `before`, `limit` of them (500 at most, 0 for 50).
    pub async fn cases(&self, status: Option<CaseStatus>, before: Option<i64>, limit: u32) -> Result<Vec<Case>, StoreError> {
        let limit = if limit == 0 { 50 } else { limit.min(MOST) };
        let statement = query("SELECT * FROM cases WHERE id < $1 AND ($2 IS NULL OR status = $2) ORDER BY id DESC LIMIT $3");
        let statement = statement.bind(before.unwrap_or(i64::MAX)).bind(status.map(CaseStatus::word)).bind(i64::from(limit));
        Ok(statement.fetch_all(self.db.readers()).await?)
    }

    /// Closes an open case; `None` where there is no open one of this number.
    pub async fn close_case(&self, number: &str, by: &str, at: Time) -> Result<Option<Case>, StoreError> {
        let statement =
            query("UPDATE cases SET status = 'closed', closed_by = $1, closed_ms = $2 WHERE number = $3 AND status = 'open' RETURNING *");
        Ok(statement.bind(by).bind(ms(at.0)).bind(number).fetch_optional(self.db.writer()).await?)
    }

    /// The caller and the short number of a call, for a case that is written in it; `None` where the call is not stored (yet).
    pub async fn caller_of_call(&self, call: CallId) -> Result<Option<(CallerRef, NumberId)>, StoreError> {
        let found: Option<(Option<i64>, Option<String>)> =
            query("SELECT caller, number FROM calls WHERE id = $1").bind(signed(call.0)).fetch_optional(self.db.readers()).await?;
        Ok(found.and_then(|(caller, number)| Some((CallerRef(caller.unwrap_or_default().cast_unsigned()), NumberId::from(number?)))))
    }
}

async fn next_number(transaction: &mut Transaction, service: &NumberId, year: i32) -> Result<String, sqlx::Error> {
    let last: i64 = query(
        "INSERT INTO case_counters (service, year, last) VALUES ($1, $2, 1) \
         ON CONFLICT (service, year) DO UPDATE SET last = case_counters.last + 1 RETURNING last",
    )
    .bind(service.as_str().to_owned())
    .bind(i64::from(year))
    .fetch_scalar(transaction)
    .await?;
    Ok(format!("{service}-{year}-{last:06}"))
}
