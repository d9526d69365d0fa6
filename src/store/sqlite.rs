//! How is a SQLite file opened? One connection that writes, several that read; its schema is brought up to date first.

use std::path::Path;
use std::time::Duration;

use sqlx::Connection;
use sqlx::Sqlite;
use sqlx::migrate::Migrator;
use sqlx::pool::PoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use super::StoreError;
use super::bulk::STATEMENTS_KEPT;
use super::db::{Db, schema_error};

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// How long a statement waits for another process that holds the file, the command line's `user` for one.
const BUSY: Duration = Duration::from_secs(5);

/// How long a request waits for a free connection before it is told that the database is too busy.
const ACQUIRE: Duration = Duration::from_secs(5);

/// Pages that a connection keeps, 16 MB: the upper levels of the indexes of half a million cases, without which each search reads them anew.
const CACHE: &str = "-16384";

/// Connections that read; more than the threads that serve pages gain nothing.
const READERS: u32 = 4;

pub(super) async fn open(path: &Path) -> Result<Db, StoreError> {
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
        .pragma("cache_size", CACHE)
        .busy_timeout(BUSY);
    let pool = |connections| {
        let options = PoolOptions::<Sqlite>::new().max_connections(connections).acquire_timeout(ACQUIRE);
        // A disk that is full ends a transaction without being asked; the library counts it as open, and would refuse every other
        // one from then on. The connection is given up, and the next one is sound.
        options.before_acquire(|connection, _| Box::pin(async { Ok(!connection.is_in_transaction()) }))
    };
    let unopened = |why| StoreError::Open { path: path.to_owned(), why };
    let writer = pool(1).connect_with(options.clone()).await.map_err(unopened)?;
    MIGRATIONS.run(&writer).await.map_err(|error| schema_error(&path.display().to_string(), error))?;
    let readers = pool(READERS).connect_with(options).await.map_err(unopened)?;
    Ok(Db::Sqlite { writer, readers })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::store::statement::query;
    use crate::store::transaction::Lock;

    #[tokio::test]
    async fn a_transaction_that_the_database_ended_by_itself_does_not_stop_the_next() {
        let folder = std::env::temp_dir().join(format!("cityline-ended-{}", std::process::id()));
        let db = open(&folder.join("city.db")).await.unwrap();
        let mut transaction = db.begin(Lock::Rows).await.unwrap();
        // What SQLite does on SQLITE_FULL, SQLITE_IOERR and SQLITE_NOMEM.
        query("ROLLBACK").execute(&mut transaction).await.unwrap();
        assert!(transaction.commit().await.is_err());
        for _ in 0..3 {
            db.begin(Lock::Rows).await.unwrap().commit().await.unwrap();
        }
        db.close().await;
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
