//! What is kept of calls, callers, cases and people? The database: a projection of the journal, and what only it holds.

mod access_log;
mod agent_states;
mod bulk;
mod call_events;
mod callbacks;
mod callers;
mod calls;
mod cases;
mod db;
mod leg_quality;
mod legs;
mod offers;
mod projection;
mod queue_events;
mod recordings;
mod sessions;
mod steps;
mod users;

use std::path::PathBuf;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;

use crate::config::Config;

use db::Db;

pub use access_log::{Access, AccessEntry};
pub use agent_states::AgentInterval;
pub use call_events::CallEvent;
pub use callbacks::Callback;
pub use callers::{CallSketch, Story};
pub use calls::{Call, CallDetail, CallFilter};
pub use cases::{Case, CaseStatus, NewCase, Text};
pub use leg_quality::LegQuality;
pub use legs::Leg;
pub use offers::{OfferMade, Why};
pub use projection::{Position, Projected};
pub use queue_events::QueueEvent;
pub use recordings::{Recording, RecordingFile};
pub use sessions::Sessions;
pub use steps::StepTaken;
pub use users::{Role, User};

/// The database and the recordings' folder. A clone is the same store.
#[derive(Clone, Debug)]
pub struct Store {
    db: Db,
    files: Arc<dyn ObjectStore>,
    hashing: Arc<tokio::sync::Semaphore>,
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
    #[error("store: the database {} has schema {version}, which is newer than this program; run the newer Cityline, or restore a backup", path.display())]
    Newer { path: PathBuf, version: i64 },
    /// The schema was made by a migration with another text.
    #[error("store: migration {version} of the database {} is not the one of this program; use the Cityline that made it, or restore a backup", path.display())]
    Altered { path: PathBuf, version: i64 },
    /// The schema cannot be brought up to date.
    #[error("store: the schema of {} cannot be brought up to date: {why}", path.display())]
    Schema { path: PathBuf, why: sqlx::migrate::MigrateError },
    /// PostgreSQL is not there yet.
    #[error("store: PostgreSQL is not supported yet; set data.database to sqlite:PATH, or leave it empty")]
    Postgres,
    /// The address is of no database that we know.
    #[error("store: data.database begins with {0:?}; write sqlite:PATH, or leave it empty")]
    Scheme(String),
    /// A statement failed: the disk is full, the file is held by another process, or the database is damaged.
    #[error("store: the database refused a statement: {0}")]
    Database(#[from] sqlx::Error),
    /// Another process projects into the same database.
    #[error("store: another process has moved the projection from {expected:?}; run one Cityline a database")]
    TwoWriters { expected: Option<Position> },
    /// A value in the database is none that this program writes.
    #[error("store: {what} holds {value:?}, which this program does not know")]
    Value { what: &'static str, value: String },
    /// A recording cannot be read.
    #[error("store: the recording {path} cannot be read: {why}")]
    Recording { path: String, why: object_store::Error },
    /// The password could not be hashed or compared.
    #[error("store: the password could not be checked: {0}")]
    Password(String),
}

impl Store {
    /// Opens, makes or brings up to date what the settings name; recordings lie in `recordings` of the data folder.
    pub async fn open(config: &Config) -> Result<Store, StoreError> {
        Store::open_at(config.database().reveal(), config.data.folder.join("recordings")).await
    }

    /// The same, from a database address (`sqlite:PATH`) and a folder of recordings.
    pub async fn open_at(address: &str, recordings: PathBuf) -> Result<Store, StoreError> {
        let unusable = |why: std::io::Error| StoreError::Folder { folder: recordings.clone(), why };
        std::fs::create_dir_all(&recordings).map_err(unusable)?;
        let files = LocalFileSystem::new_with_prefix(&recordings).map_err(|error| unusable(std::io::Error::other(error)))?;
        let db = Db::open(address).await?;
        Ok(Store { db, files: Arc::new(files), hashing: users::hashing_places() })
    }

    /// Whether the database answers.
    pub async fn check(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(self.db.readers()).await?;
        Ok(())
    }

    /// Finishes what is being written and closes; to be awaited at shutdown.
    pub async fn close(&self) {
        self.db.close().await;
    }
}

#[cfg(test)]
mod tests;
