//! Which database? SQLite or PostgreSQL, with the same tables and, but for a few, the same statements.
//!
//! A query: `query("SELECT … WHERE id = $1").bind(id).fetch_optional(self.db.readers()).await?`, on `self.db.writer()` where a single
//! statement writes. A transaction: `let mut transaction = self.db.begin(Lock::Cases).await?;`, then `….execute(&mut transaction)`, then
//! `transaction.commit()`. Where the databases need different words: `query_each(sqlite, postgres)`. Both understand `$1`, `RETURNING`,
//! `ON CONFLICT … DO UPDATE` (name the table there: `SET n = calls.n + excluded.n`), `UPDATE … FROM (VALUES …)`, CTEs and windows.

use std::path::Path;
use std::sync::Arc;

use sqlx::migrate::MigrateError;
use sqlx::sqlite::SqlitePool;

use super::statement::On;
use super::{StoreError, postgres, sqlite};

/// The databases that Cityline knows.
#[derive(Clone, Debug)]
pub(super) enum Db {
    /// One connection that writes, so that writers queue here and not at the file's lock, and some that read beside it (WAL).
    Sqlite { writer: SqlitePool, readers: SqlitePool },
    /// Connections that do both.
    Postgres(Arc<postgres::Server>),
}

impl Db {
    /// The database of an address, `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/DATABASE`. A server is asked nothing before `prepare`.
    pub async fn open(address: &str) -> Result<Db, StoreError> {
        match address.split_once(':') {
            Some(("sqlite", path)) => sqlite::open(Path::new(path.trim_start_matches("//"))).await,
            Some(("postgres" | "postgresql", _)) => Ok(Db::Postgres(Arc::new(postgres::Server::at(address)?))),
            other => Err(StoreError::Scheme(other.map(|(scheme, _)| scheme.to_owned()).unwrap_or_default())),
        }
    }

    /// Brings the schema up to date; until that has succeeded, every statement is told that the database is away.
    pub async fn prepare(&self) -> Result<(), StoreError> {
        match self {
            Db::Sqlite { .. } => Ok(()),
            Db::Postgres(server) => server.prepare().await,
        }
    }

    /// Connections for reading.
    pub fn readers(&self) -> On<'_> {
        match self {
            Db::Sqlite { readers, .. } => On::Sqlite(readers),
            Db::Postgres(server) => On::Postgres(server),
        }
    }

    /// The connection for a single writing statement.
    pub fn writer(&self) -> On<'_> {
        match self {
            Db::Sqlite { writer, .. } => On::Sqlite(writer),
            Db::Postgres(server) => On::Postgres(server),
        }
    }

    /// Lets the connections finish; SQLite writes its log back into the file.
    pub async fn close(&self) {
        match self {
            Db::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Db::Postgres(server) => server.close().await,
        }
    }
}

pub(super) fn schema_error(database: &str, error: MigrateError) -> StoreError {
    let database = database.to_owned();
    match error {
        MigrateError::VersionMissing(version) => StoreError::Newer { database, version },
        MigrateError::VersionMismatch(version) => StoreError::Altered { database, version },
        why => StoreError::Schema { database, why },
    }
}
