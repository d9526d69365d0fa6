//! Who is a resident? A person with their numbers, language, consent and protected group, apart from what they reported.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::caller::CallerSeen;
use crate::cases::decide::Refusal;
use crate::cases::event::{Author, What};
use crate::cases::ids::CaseNumber;
use crate::centre::ids::CallerRef;
use crate::centre::time::Time;
use crate::private::Private;
use crate::store::bulk::{ms, signed};
use crate::store::statement::query;
use crate::store::transaction::{Lock, Transaction};
use crate::store::{Store, StoreError};

use super::act::{CaseRow, change_in};
use super::{RegisterError, book};

/// The most residents of one number that are told: a family, a hostel.
const MOST: i64 = 20;

/// What is known of a resident beside their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
pub struct NewResident {
    /// Their name.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 300)]
    pub name: Option<Private<String>>,
    /// The language in which they are spoken to, by its code.
    #[serde(default)]
    pub language: Option<String>,
    /// A protected group that they belong to, such as "veteran".
    #[serde(default)]
    #[schema(max_length = 60)]
    pub protected: Option<String>,
    /// Whether they want to be told by call or message what became of a case; without it nobody calls them.
    #[serde(default)]
    pub consent: bool,
}

/// A resident. Times in milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Resident {
    /// Their number here.
    pub id: i64,
    /// Their name.
    #[schema(value_type = Option<String>)]
    pub name: Option<Private<String>>,
    /// The language in which they are spoken to.
    pub language: Option<String>,
    /// A protected group that they belong to.
    pub protected: Option<String>,
    /// Since when they want to be told; `null`: they do not.
    pub consent_ms: Option<i64>,
    /// Rises with every change; whoever changes it names the one that they have read.
    pub revision: i64,
    /// Their telephone numbers.
    #[schema(value_type = Vec<String>)]
    pub numbers: Vec<Private<String>>,
    /// Cases that are written as theirs, the newest first, 50 at most.
    pub cases: Vec<String>,
}

/// A resident on the screen of whoever takes the call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ResidentSketch {
    /// Their number here.
    pub id: i64,
    /// Their name.
    #[schema(value_type = Option<String>)]
    pub name: Option<Private<String>>,
    /// A protected group that they belong to.
    pub protected: Option<String>,
}

#[derive(FromRow)]
struct Row {
    name: Option<String>,
    language: Option<String>,
    protected: Option<String>,
    consent_ms: Option<i64>,
    changed_ms: i64,
}

impl Store {
    /// Adds a resident with their numbers, which are kept as those of callers; returns their number.
    pub async fn add_resident(&self, new: &NewResident, numbers: &[CallerSeen], at: Time) -> Result<i64, RegisterError> {
        self.remember_callers(numbers).await?;
        let mut transaction = self.db.begin(Lock::Register).await?;
        let insert =
            query("INSERT INTO residents (name, language, protected, consent_ms, changed_ms) VALUES ($1, $2, $3, $4, $5) RETURNING id");
        let insert = insert.bind(new.name.as_ref().map(Private::reveal)).bind(new.language.clone()).bind(new.protected.clone());
        let id = insert.bind(new.consent.then_some(ms(at.0))).bind(ms(at.0)).fetch_scalar(&mut transaction).await?;
        put_numbers(&mut transaction, id, numbers).await?;
        transaction.commit().await?;
        Ok(id)
    }

    /// Changes what is known of a resident, where nobody has since the revision `from`; the numbers are these from here on. False where there is
    /// no such resident.
    ///
    /// # Errors
    /// When somebody has changed it.
    pub async fn change_resident(
        &self,
        id: i64,
        new: &NewResident,
        numbers: &[CallerSeen],
        from: i64,
        at: Time,
    ) -> Result<bool, RegisterError> {
        self.remember_callers(numbers).await?;
        let mut transaction = self.db.begin(Lock::Register).await?;
        let now: Option<(i64,)> = query("SELECT changed_ms FROM residents WHERE id = $1").bind(id).fetch_optional(&mut transaction).await?;
        let Some((now,)) = now else { return Ok(false) };
        if now != from {
            return Err(RegisterError::Revision { now: now.to_string(), given: from.to_string() });
        }
        let update = query(
            "UPDATE residents SET name = $1, language = $2, protected = $3, \
             consent_ms = CASE WHEN $4 THEN COALESCE(consent_ms, $5) END, changed_ms = $6 WHERE id = $7",
        );
        let update = update.bind(new.name.as_ref().map(Private::reveal)).bind(new.language.clone()).bind(new.protected.clone());
        let update = update.bind(new.consent).bind(ms(at.0)).bind(ms(at.0).max(now.saturating_add(1))).bind(id);
        update.execute(&mut transaction).await?;
        query("DELETE FROM resident_numbers WHERE resident = $1").bind(id).execute(&mut transaction).await?;
        put_numbers(&mut transaction, id, numbers).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// One resident; `None` where there is none of this number.
    pub async fn resident(&self, id: i64) -> Result<Option<Resident>, StoreError> {
        let row: Option<Row> = query("SELECT name, language, protected, consent_ms, changed_ms FROM residents WHERE id = $1")
            .bind(id)
            .fetch_optional(self.db.readers())
            .await?;
        let Some(Row { name, language, protected, consent_ms, changed_ms }) = row else { return Ok(None) };
        let numbers: Vec<(Option<String>,)> = query(
            "SELECT callers.number FROM resident_numbers JOIN callers ON callers.caller = resident_numbers.caller \
             WHERE resident_numbers.resident = $1 ORDER BY callers.number",
        )
        .bind(id)
        .fetch_all(self.db.readers())
        .await?;
        let cases: Vec<(String,)> = query("SELECT number FROM case_people WHERE resident = $1 ORDER BY case_id DESC LIMIT 50")
            .bind(id)
            .fetch_all(self.db.readers())
            .await?;
        Ok(Some(Resident {
            id,
            name: name.map(Private::new),
            language,
            protected,
            consent_ms,
            revision: changed_ms,
            numbers: numbers.into_iter().filter_map(|(number,)| number.map(Private::new)).collect(),
            cases: cases.into_iter().map(|(number,)| number).collect(),
        }))
    }

    /// Residents of a number, twenty at most.
    pub async fn residents_of(&self, caller: CallerRef) -> Result<Vec<ResidentSketch>, StoreError> {
        if caller.is_withheld() {
            return Ok(Vec::new());
        }
        let rows: Vec<(i64, Option<String>, Option<String>)> = query(
            "SELECT residents.id, residents.name, residents.protected FROM resident_numbers \
             JOIN residents ON residents.id = resident_numbers.resident WHERE resident_numbers.caller = $1 ORDER BY residents.id LIMIT $2",
        )
        .bind(signed(caller.0))
        .bind(MOST)
        .fetch_all(self.db.readers())
        .await?;
        Ok(rows.into_iter().map(|(id, name, protected)| ResidentSketch { id, name: name.map(Private::new), protected }).collect())
    }

    /// The resident of a number that is nobody else's.
    pub(super) async fn only_resident(&self, caller: CallerRef) -> Result<Option<i64>, StoreError> {
        Ok(match self.residents_of(caller).await?.as_slice() {
            [only] => Some(only.id),
            _ => None,
        })
    }

    /// Writes whose case it is, or that nobody's; the history says that it was said, and beside it who, until that is erased.
    ///
    /// # Errors
    /// When there is no such case or resident, or the case's people were erased.
    pub async fn name_resident(&self, number: &CaseNumber, resident: Option<i64>, by: Author, at: Time) -> Result<CaseRow, RegisterError> {
        let register: std::sync::Arc<book::Register> = self.register().await?;
        let mut transaction = self.db.begin(Lock::Register).await?;
        if let Some(id) = resident {
            let known = query("SELECT id FROM residents WHERE id = $1").bind(id).fetch_optional::<(i64,)>(&mut transaction).await?;
            known.ok_or(RegisterError::NoResident(id))?;
        }
        let words = resident.map_or_else(|| "none".to_owned(), |id| id.to_string());
        let row = change_in(&mut transaction, number, &register, &by, Some(&words), at, |_, _| Ok(What::ResidentNamed)).await?;
        let update = query("UPDATE case_people SET resident = $1 WHERE number = $2").bind(resident).bind(number.to_string());
        if update.execute(&mut transaction).await? == 0 {
            return Err(Refusal::Erased.into());
        }
        transaction.commit().await?;
        Ok(row)
    }

    /// Takes a resident's record with its numbers away, by law; cases stay and are nobody's. False where there is no such resident.
    pub async fn forget_resident(&self, id: i64) -> Result<bool, RegisterError> {
        let mut transaction = self.db.begin(Lock::Register).await?;
        for part in ["DELETE FROM resident_numbers WHERE resident = $1", "UPDATE case_people SET resident = NULL WHERE resident = $1"] {
            query(part).bind(id).execute(&mut transaction).await?;
        }
        let gone = query("DELETE FROM residents WHERE id = $1").bind(id).execute(&mut transaction).await? == 1;
        transaction.commit().await?;
        Ok(gone)
    }
}

async fn put_numbers(transaction: &mut Transaction, id: i64, numbers: &[CallerSeen]) -> Result<(), sqlx::Error> {
    for number in numbers.iter().filter(|number| !number.caller.is_withheld()) {
        let insert = query("INSERT INTO resident_numbers (caller, resident) VALUES ($1, $2) ON CONFLICT (caller, resident) DO NOTHING");
        insert.bind(signed(number.caller.0)).bind(id).execute(&mut *transaction).await?;
    }
    Ok(())
}
