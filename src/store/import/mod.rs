//! How do addresses, organisations and old registers get in? A file is checked row by row; what is good is written in one transaction.

mod check;
#[cfg(test)]
mod fuzzed;
mod record;
mod sheet;

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use crate::cases::case::Case;
use crate::cases::event::{Author, What};
use crate::cases::ids::OrganisationId;
use crate::centre::time::Time;
use crate::private::Private;

pub use record::{Import, ImportState};

use super::register::{self, NewCase, Organisation, RegisterError, Route};
use super::statement::query;
use super::transaction::{Lock, Transaction};
use super::{NewBuilding, Store, StoreError, addresses};

/// Refused rows that are told; the others are counted.
const MOST_TOLD: usize = 500;

/// Old cases of a file at most: the register is locked while they are written.
const MOST_CASES: usize = 20_000;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportKind {
    /// Buildings with their streets.
    Addresses,
    /// Organisations, with what is routed to them.
    Organisations,
    /// An old register.
    Cases,
}

/// A row that is not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Refused {
    /// Its line in the file.
    pub line: usize,
    /// Why, with what mends it. It never repeats a name, number or address.
    pub why: String,
}

/// What a file would do, or has done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ImportReport {
    /// What it holds.
    pub kind: ImportKind,
    /// Its rows, without the first and empty ones.
    pub rows: usize,
    /// Rows that can be written.
    pub good: usize,
    /// Rows that cannot.
    pub refused: usize,
    /// The first 500 of those.
    pub reasons: Vec<Refused>,
}

/// A file that was checked.
#[derive(Debug)]
pub struct Checked {
    /// What came of it.
    pub report: ImportReport,
    rows: Rows,
}

#[derive(Debug)]
enum Rows {
    Addresses(Vec<NewBuilding>),
    Organisations(Vec<(Organisation, Vec<Route>)>),
    Cases(Vec<OldCase>),
}

/// A case of an old register, and what became of it.
#[derive(Debug)]
struct OldCase {
    new: NewCase,
    organisation: Option<OrganisationId>,
    /// When it was done, and what was answered.
    done: Option<(Time, String)>,
}

/// Why a file is not taken at all.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// There is no row in it.
    #[error("the file is empty; its first line names the columns")]
    Empty,
    /// It is in another encoding.
    #[error("the file is not in UTF-8; save it as \"CSV UTF-8\" or as XLSX")]
    Encoding,
    /// It cannot be read.
    #[error("the file cannot be read: {0}; save it as CSV UTF-8 or XLSX")]
    File(String),
    /// A column that means nothing.
    #[error("there is no column {name:?}; there are {known}")]
    Column { name: String, known: String },
    /// It is too large.
    #[error("the file has too many {0}; split it")]
    Large(&'static str),
    /// A text that is too long.
    #[error("line {line} has a cell of more than 10000 characters; shorten it")]
    Cell { line: usize },
    /// The register refused it.
    #[error(transparent)]
    Register(#[from] RegisterError),
}

impl From<sqlx::Error> for ImportError {
    fn from(error: sqlx::Error) -> Self {
        ImportError::Register(error.into())
    }
}

impl From<StoreError> for ImportError {
    fn from(error: StoreError) -> Self {
        ImportError::Register(error.into())
    }
}

impl Store {
    /// Checks a file and writes nothing. Moments without a zone are those of `zone`; old cases are written by `by`.
    ///
    /// # Errors
    /// When the file as a whole cannot be taken.
    pub async fn check_import(&self, kind: ImportKind, file: Vec<u8>, zone: chrono_tz::Tz, by: &str) -> Result<Checked, ImportError> {
        let register = self.register().await?;
        let (_, book) = self.rule_book().await?;
        let calendars: Vec<String> = book.calendars.into_keys().collect();
        let by = by.to_owned();
        let read = tokio::task::spawn_blocking(move || check::checked(kind, &file, &check::Known { register, calendars, zone, by }));
        read.await.map_err(|_| ImportError::File("it ended the program that read it".to_owned()))?
    }

    /// Writes the good rows of a file that was begun as `id`, in one transaction with the note of its end: all of them or none. `written` counts
    /// them as it goes; while it goes, nobody else writes the register.
    ///
    /// # Errors
    /// When the rules or the database refuse a row: nothing is written then.
    pub async fn write_import(&self, id: i64, checked: Checked, at: Time, written: &AtomicU64) -> Result<ImportReport, ImportError> {
        let register = self.register().await?;
        let routes = self.routes().await?;
        let located = self.located(&checked.rows).await?;
        let mut transaction = self.db.begin(Lock::Register).await?;
        let count = || _ = written.fetch_add(1, Ordering::Relaxed);
        match checked.rows {
            Rows::Addresses(buildings) => {
                for building in &buildings {
                    addresses::put(&mut transaction, building).await?;
                    count();
                }
            }
            Rows::Organisations(organisations) => {
                for (organisation, routes) in &organisations {
                    put_organisation(&mut transaction, organisation, routes, at).await?;
                    count();
                }
            }
            Rows::Cases(cases) => {
                for (mut old, located) in cases.into_iter().zip(located) {
                    register::place(&mut old.new, located);
                    write_old(&mut transaction, &register, &routes, old).await?;
                    count();
                }
            }
        }
        record::done(&mut transaction, id, written.load(Ordering::Relaxed), at).await?;
        transaction.commit().await?;
        Ok(checked.report)
    }

    /// Looked up before the transaction, which must not wait for another connection.
    async fn located(&self, rows: &Rows) -> Result<Vec<addresses::Located>, StoreError> {
        let mut located = Vec::new();
        if let Rows::Cases(cases) = rows {
            for old in cases {
                located.push(match &old.new.words.address {
                    Some(address) => self.locate(address).await?,
                    None => addresses::Located::default(),
                });
            }
        }
        Ok(located)
    }
}

async fn put_organisation(
    transaction: &mut Transaction,
    organisation: &Organisation,
    routes: &[Route],
    at: Time,
) -> Result<(), sqlx::Error> {
    register::write_organisation(&mut *transaction, organisation, at).await?;
    query("DELETE FROM routes WHERE organisation = $1").bind(&organisation.id).execute(&mut *transaction).await?;
    for route in routes {
        register::write_route(&mut *transaction, route).await?;
    }
    Ok(())
}

/// An old case gets the next number of its year, its registration, and its end where it has one.
async fn write_old(
    transaction: &mut Transaction,
    register: &register::Register,
    routes: &[crate::cases::assignment::Rule],
    old: OldCase,
) -> Result<(), RegisterError> {
    let OldCase { mut new, organisation, done } = old;
    new.report.proposed = organisation;
    let by = Author::System { part: "import".to_owned() };
    let Some(opened) = register::open_in(transaction, register, routes, new).await? else { return Ok(()) };
    let Some((at, answer)) = done else { return Ok(()) };
    let number = opened.number.parse().map_err(|_| RegisterError::Unwritable("the number of an old case".to_owned()))?;
    let words = Private::new(answer);
    let finish = |_: &Case, _| Ok(What::Done { photos: Vec::new() });
    register::change_in(transaction, &number, register, &by, Some(words.reveal()), at, finish).await?;
    register::change_in(transaction, &number, register, &by, None, at, |_, _| Ok(What::Closed)).await?;
    Ok(())
}
