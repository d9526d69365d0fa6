//! What is kept of calls, callers, cases and people? The database: a projection of the journal, and what only it holds.

mod access_log;
mod addresses;
mod agent_states;
mod articles;
mod bulk;
mod cabinet;
mod call_events;
mod callbacks;
mod callers;
mod calls;
mod cases;
mod contacts;
mod db;
mod drafts;
mod import;
mod kiosks;
mod leg_quality;
mod legs;
mod notes;
mod offers;
mod orders;
mod outbox;
mod own_day;
mod postgres;
mod preferences;
mod projection;
mod queue_events;
mod recordings;
mod register;
mod search;
mod second_factor;
mod sessions;
mod settings_revisions;
mod shifts;
mod sqlite;
mod statement;
mod steps;
mod subscriptions;
mod transaction;
mod users;
mod views;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;

use crate::config::Config;

use db::Db;
use statement::query;

pub use access_log::{Access, AccessEntry, AccessFilter};
pub use addresses::{Building, NewBuilding, Street};
pub use agent_states::AgentInterval;
pub use articles::{Article, ArticleText, NewArticle};
pub use call_events::CallEvent;
pub use callbacks::{Callback, CallbackStanding};
pub use callers::{CallSketch, Story};
pub use calls::{Call, CallDetail, CallFilter};
pub use cases::{CaseFilter, Sight};
pub use contacts::{ContactCount, DistrictCount, NewContact};
pub use drafts::Draft;
pub use import::{Checked, Import, ImportError, ImportKind, ImportReport, ImportState, Refused};
pub use kiosks::Kiosk;
pub use leg_quality::LegQuality;
pub use legs::Leg;
pub use notes::Note;
pub use offers::{OfferMade, Why};
pub use orders::OrderRow;
pub use outbox::{CallToMake, Message, Reach};
pub use projection::{Position, Projected};
pub use queue_events::QueueEvent;
pub use recordings::{Recording, RecordingFile};
pub use register::{
    Address, Attachment, CaseDetail, CaseRow, ControlWork, District, Duplicate, HistoryEntry, IncidentDetail, IncidentEntry,
    IncidentFilter, IncidentRow, KeptOrganisation, LONGEST_EVIDENCE, LateDesk, Names, NearIncident, NewCase, NewResident, NoticeInForce,
    Organisation, Register, RegisterError, ReportWords, Resident, ResidentSketch, ResidentWords, Route, RuleBook, Spot, Topic, Verified,
    VerifyError, media, revision_of,
};
pub use second_factor::SecondFactor;
pub use sessions::Sessions;
pub use settings_revisions::{NewRevision, SettingsRevision};
pub use shifts::ShiftOrderRow;
pub use steps::StepTaken;
pub use users::{Role, Standing, User};
pub use views::SavedView;

/// A database that lives answers within this; who asks for our health does not wait long.
const ALIVE: Duration = Duration::from_secs(2);

/// The database and the recordings' folder. A clone is the same store.
#[derive(Clone, Debug)]
pub struct Store {
    db: Db,
    files: Arc<dyn ObjectStore>,
    evidence: Arc<dyn ObjectStore>,
    hashing: Arc<tokio::sync::Semaphore>,
    rules: register::Kept,
    frequencies: search::Frequencies,
    stirred: Arc<tokio::sync::Notify>,
    /// By which a process knows what it has begun itself.
    process: i64,
}

/// Why the store cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder is not there and cannot be made, or cannot be written.
    #[error("store: the folder {} cannot be used ({why}); make it, and give this user the right to write there", folder.display())]
    Folder { folder: PathBuf, why: std::io::Error },
    /// The file cannot be opened.
    #[error("store: the database {} cannot be opened ({why}); see that it is a SQLite file that this user may write", path.display())]
    Open { path: PathBuf, why: sqlx::Error },
    /// A newer Cityline has changed the schema.
    #[error(
        "store: the database {database} has schema {version}, which is newer than this program; run the newer Cityline, or restore a backup"
    )]
    Newer { database: String, version: i64 },
    /// The schema was made by a migration with another text.
    #[error(
        "store: migration {version} of the database {database} is not the one of this program; use the Cityline that made it, or restore a backup"
    )]
    Altered { database: String, version: i64 },
    /// The schema cannot be brought up to date.
    #[error("store: the schema of {database} cannot be brought up to date ({why}); see that its user may make tables there")]
    Schema { database: String, why: sqlx::migrate::MigrateError },
    /// The address is of no database that we know.
    #[error("store: data.database begins with {0:?}; write sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE, or leave it empty")]
    Scheme(String),
    /// The address of a PostgreSQL database cannot be read.
    #[error("store: data.database cannot be read ({0}); write postgres://USER:PASSWORD@HOST/DATABASE, with %40 for an @ in the password")]
    Address(sqlx::Error),
    /// The PostgreSQL database cannot be reached, or lets us not in.
    #[error("store: the database {database} cannot be used ({why}); {mend}")]
    Unreachable { database: String, why: sqlx::Error, mend: &'static str },
    /// The PostgreSQL database holds texts in another encoding.
    #[error(
        "store: the database {database} has the encoding {encoding}; make one with CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8'"
    )]
    Encoding { database: String, encoding: String },
    /// The database does not answer: its server is away, or all connections are in use.
    #[error("store: the database does not answer ({0}); see that its server runs and can be reached")]
    Away(sqlx::Error),
    /// A statement failed: the disk is full, the file is held by another process, or the database is damaged.
    #[error("store: the database refused a statement: {0}")]
    Database(sqlx::Error),
    /// Another process projects into the same database.
    #[error("store: another process has moved the projection from {expected:?}; run one Cityline a database")]
    TwoWriters { expected: Option<Position> },
    /// A value in the database is none that this program writes.
    #[error("store: {what} holds {value:?}, which this program does not know")]
    Value { what: &'static str, value: String },
    /// A recording cannot be read.
    #[error("store: the recording {path} cannot be read: {why}")]
    Recording { path: String, why: object_store::Error },
    /// A photo or a document cannot be read or written.
    #[error("store: the file {hash} of the evidence cannot be used ({why}); see the folder evidence/, and restore a backup")]
    Evidence { hash: String, why: String },
    /// The password could not be hashed or compared.
    #[error("store: the password could not be checked: {0}")]
    Password(String),
}

impl From<sqlx::Error> for StoreError {
    fn from(why: sqlx::Error) -> Self {
        if postgres::is_away(&why) { StoreError::Away(why) } else { StoreError::Database(why) }
    }
}

impl Store {
    /// Opens, makes or brings up to date what the settings name; recordings lie in `recordings` of the data folder.
    pub async fn open(config: &Config) -> Result<Store, StoreError> {
        Store::open_at(config.database().reveal(), config.data.folder.join("recordings")).await
    }

    /// The same, also while a database server cannot be reached: what is asked is refused as [`StoreError::Away`] then, until
    /// [`Store::prepare`] has succeeded.
    pub async fn open_or_wait(config: &Config) -> Result<Store, StoreError> {
        let store = Store::unprepared(config.database().reveal(), config.data.folder.join("recordings")).await?;
        match store.prepare().await {
            Err(StoreError::Unreachable { database, why, mend }) if postgres::is_away(&why) => {
                tracing::error!(error = %why, "the database {database} is away, calls are taken without it: {mend}");
            }
            prepared => prepared?,
        }
        Ok(store)
    }

    /// Brings the schema of a database that was away up to date; at once where that is done.
    pub async fn prepare(&self) -> Result<(), StoreError> {
        self.db.prepare().await
    }

    /// The same, from a database address (`sqlite:PATH`, `postgres://…`) and a folder of recordings.
    pub async fn open_at(address: &str, recordings: PathBuf) -> Result<Store, StoreError> {
        let store = Store::unprepared(address, recordings).await?;
        store.prepare().await?;
        Ok(store)
    }

    async fn unprepared(address: &str, recordings: PathBuf) -> Result<Store, StoreError> {
        let (files, evidence) = (folder(&recordings)?, folder(&recordings.with_file_name("evidence"))?);
        let db = Db::open(address).await?;
        Ok(Store {
            db,
            files,
            evidence,
            hashing: users::hashing_places(),
            rules: register::Kept::default(),
            frequencies: search::Frequencies::default(),
            stirred: Arc::default(),
            process: one_of_many(),
        })
    }

    /// Whether the database answers soon.
    pub async fn check(&self) -> Result<(), StoreError> {
        let answer = tokio::time::timeout(ALIVE, query("SELECT 1").execute(self.db.readers())).await;
        answer.map_err(|_| sqlx::Error::PoolTimedOut)?.map(drop).map_err(StoreError::from)
    }

    /// Waits until a case was registered, or an incident was acted on, by this process; at once where that was since the last wait.
    pub async fn stirred(&self) {
        self.stirred.notified().await;
    }

    /// Finishes what is being written and closes; to be awaited at shutdown.
    pub async fn close(&self) {
        self.db.close().await;
    }
}

fn folder(path: &Path) -> Result<Arc<dyn ObjectStore>, StoreError> {
    let unusable = |why: std::io::Error| StoreError::Folder { folder: path.to_owned(), why };
    std::fs::create_dir_all(path).map_err(unusable)?;
    Ok(Arc::new(LocalFileSystem::new_with_prefix(path).map_err(|error| unusable(std::io::Error::other(error)))?))
}

/// A number that no other process has.
fn one_of_many() -> i64 {
    let mut bytes = [0; 8];
    // Without the system's randomness two processes differ by their address spaces' order at least.
    if getrandom::fill(&mut bytes).is_err() {
        return i64::from(std::process::id());
    }
    i64::from_le_bytes(bytes)
}

#[cfg(test)]
mod half_million;
#[cfg(test)]
mod tests;
