//! Which database, and how is it opened? SQLite with one writer and several readers; its schema is brought up to date first.

use std::path::Path;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::pool::PoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqliteSynchronous};
use sqlx::{Connection, Sqlite, Transaction};

use super::StoreError;
use super::bulk::STATEMENTS_KEPT;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");

/// How long a statement waits for another process that holds the file, the command line's `user` for one.
const BUSY: Duration = Duration::from_secs(5);

/// How long a request waits for a free connection before it is told that the database is too busy.
const ACQUIRE: Duration = Duration::from_secs(5);

/// Connections that read; more than the threads that serve pages gain nothing.
const READERS: u32 = 4;

/// The databases that Cityline knows. PostgreSQL becomes the second variant, with the same statements (`$1`) on both.
#[derive(Clone, Debug)]
pub(super) enum Db {
    /// One connection that writes, so that writers queue here and not at the file's lock, and some that read beside it (WAL).
    Sqlite { writer: SqlitePool, readers: SqlitePool },
}

impl Db {
    /// Opens the database of an address: `sqlite:PATH`.
    pub async fn open(address: &str) -> Result<Db, StoreError> {
        let Some(path) = address.strip_prefix("sqlite:") else { return Err(refusal(address)) };
        Db::open_sqlite(Path::new(path.trim_start_matches("//"))).await
    }

    async fn open_sqlite(path: &Path) -> Result<Db, StoreError> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(|why| StoreError::Folder { folder: folder.to_owned(), why })?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // A case number that was read out to a caller must survive a power cut.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .statement_cache_capacity(STATEMENTS_KEPT)
            .busy_timeout(BUSY);
        let pool = |connections| {
            let options = PoolOptions::<Sqlite>::new().max_connections(connections).acquire_timeout(ACQUIRE);
            // A disk that is full ends a transaction without being asked; the library counts it as open, and would refuse every other
            // one from then on. The connection is given up, and the next one is sound.
            options.before_acquire(|connection, _| Box::pin(async { Ok(!connection.is_in_transaction()) }))
        };
        let unopened = |why| StoreError::Open { path: path.to_owned(), why };
        let writer = pool(1).connect_with(options.clone()).await.map_err(unopened)?;
        SQLITE.run(&writer).await.map_err(|error| schema_error(path, error))?;
        let readers = pool(READERS).connect_with(options).await.map_err(unopened)?;
        Ok(Db::Sqlite { writer, readers })
    }

    /// Connections for reading.
    pub fn readers(&self) -> &SqlitePool {
        match self {
            Db::Sqlite { readers, .. } => readers,
        }
    }

    /// The connection for a single writing statement.
    pub fn writer(&self) -> &SqlitePool {
        match self {
            Db::Sqlite { writer, .. } => writer,
        }
    }

    /// A transaction that will write: it takes the lock at once, so that it cannot fail half-way for another writer.
    pub async fn begin(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        match self {
            Db::Sqlite { writer, .. } => writer.begin_with("BEGIN IMMEDIATE").await,
        }
    }

    /// Lets the connections finish and writes the log back into the file.
    pub async fn close(&self) {
        match self {
            Db::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
        }
    }
}

fn refusal(address: &str) -> StoreError {
    let scheme = address.split(':').next().unwrap_or_default().to_owned();
    if scheme.starts_with("postgres") { StoreError::Postgres } else { StoreError::Scheme(scheme) }
}

fn schema_error(path: &Path, error: MigrateError) -> StoreError {
    let path = path.to_owned();
    match error {
        MigrateError::VersionMissing(version) => StoreError::Newer { path, version },
        MigrateError::VersionMismatch(version) => StoreError::Altered { path, version },
        other => StoreError::Schema { path, why: other },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn a_transaction_that_the_database_ended_by_itself_does_not_stop_the_next() {
        let folder = std::env::temp_dir().join(format!("cityline-ended-{}", std::process::id()));
        let db = Db::open(&format!("sqlite:{}", folder.join("city.db").display())).await.unwrap();
        let mut transaction = db.begin().await.unwrap();
        // What SQLite does on SQLITE_FULL, SQLITE_IOERR and SQLITE_NOMEM.
        sqlx::query("ROLLBACK").execute(&mut *transaction).await.unwrap();
        assert!(transaction.commit().await.is_err());
        for _ in 0..3 {
            db.begin().await.unwrap().commit().await.unwrap();
        }
        db.close().await;
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
