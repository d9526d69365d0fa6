//! How is a PostgreSQL database opened? Its schema is brought up to date; every connection has limits, so that nothing waits for ever.

use std::io::ErrorKind;
use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::pool::PoolOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool, Postgres};
use tokio::sync::OnceCell;

use super::StoreError;
use super::bulk::STATEMENTS_KEPT;
use super::db::schema_error;
use super::statement::answered;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// How long the server takes for a connection at most, when the database is opened.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a request waits for a connection before it is told that the database is too busy, or away.
const ACQUIRE: Duration = Duration::from_secs(3);
/// Connections; a server takes 100 of all programs unless it was told otherwise.
const CONNECTIONS: u32 = 10;
/// How long a statement may take.
const STATEMENT: &str = "10s";
/// How long it waits for another transaction.
const LOCK: &str = "5s";
/// A transaction that says nothing for this long is ended, and its locks are free: its process is out of reach.
const IDLE: &str = "30s";

/// A database at a server, and whether its schema is known to be ours.
#[derive(Debug)]
pub(super) struct Server {
    /// Without the limits of the pool.
    options: PgConnectOptions,
    /// Told in errors; holds no password.
    name: String,
    pool: PgPool,
    up_to_date: OnceCell<()>,
}

impl Server {
    /// A database by its address; nothing is asked yet.
    pub fn at(address: &str) -> Result<Server, StoreError> {
        let options = PgConnectOptions::from_str(address).map_err(StoreError::Address)?;
        let options = options.application_name("cityline").statement_cache_capacity(STATEMENTS_KEPT);
        let limits = [("statement_timeout", STATEMENT), ("lock_timeout", LOCK), ("idle_in_transaction_session_timeout", IDLE)];
        let pool = pool(options.clone().options(limits));
        Ok(Server { name: name(&options), options, pool, up_to_date: OnceCell::new() })
    }

    /// Brings the schema up to date, unless that is done.
    pub async fn prepare(&self) -> Result<(), StoreError> {
        self.up_to_date.get_or_try_init(|| migrate(&self.options, &self.name)).await.copied()
    }

    /// The connections; none before the schema is known to be ours.
    pub fn pool(&self) -> Result<&PgPool, sqlx::Error> {
        if self.up_to_date.initialized() { Ok(&self.pool) } else { Err(sqlx::Error::Io(ErrorKind::NotConnected.into())) }
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Connects when it is first needed, and again whenever the server was away.
fn pool(options: PgConnectOptions) -> PgPool {
    let pool = PoolOptions::<Postgres>::new().max_connections(CONNECTIONS).acquire_timeout(ACQUIRE);
    // One that does not answer must not keep its place until the system's own limits, which are minutes.
    let pool = pool.after_release(|connection, _| Box::pin(async { answered(connection.ping()).await.map(|()| true) }));
    pool.connect_lazy_with(options)
}

/// On a connection of its own: to make an index over years of calls takes longer than any other statement may.
async fn migrate(options: &PgConnectOptions, name: &str) -> Result<(), StoreError> {
    let silent = || sqlx::Error::Io(ErrorKind::TimedOut.into());
    let connected = tokio::time::timeout(CONNECT, options.connect()).await.unwrap_or_else(|_| Err(silent()));
    let mut connection = connected.map_err(|why| unreachable(name, why))?;
    check_encoding(&mut connection, name).await?;
    // As `run`, whose future cannot be awaited by a task (the trait `Acquire` is not general enough).
    MIGRATIONS.run_direct(None, &mut connection, false).await.map_err(|error| schema_error(name, error))?;
    // The server notices by itself where this is not heard.
    let _ = connection.close().await;
    Ok(())
}

/// In a database without an encoding, texts would be counted, cut and compared as bytes.
async fn check_encoding(connection: &mut PgConnection, name: &str) -> Result<(), StoreError> {
    let encoding: String = sqlx::query_scalar("SHOW server_encoding").fetch_one(connection).await.map_err(|why| unreachable(name, why))?;
    if encoding == "UTF8" { Ok(()) } else { Err(StoreError::Encoding { database: name.to_owned(), encoding }) }
}

/// Where the database is, without user and password.
fn name(options: &PgConnectOptions) -> String {
    let database = options.get_database().unwrap_or(options.get_username());
    match options.get_socket() {
        Some(folder) => format!("postgres://{}/{database}", folder.display()),
        None => format!("postgres://{}:{}/{database}", options.get_host(), options.get_port()),
    }
}

/// Whether a statement failed because the server cannot be reached or takes none at the moment, not because of what it said: it may
/// be tried again as it is.
pub(super) fn is_away(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => true,
        // Class 08: connection lost; 53300: no connection is free; 57P01 to 57P03: it stops, has crashed, or starts.
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            code.starts_with("08") || matches!(&*code, "53300" | "57P01" | "57P02" | "57P03")
        }
        _ => false,
    }
}

const TLS: &str = "see sslmode and sslrootcert in data.database, and the server's certificate";

fn unreachable(name: &str, why: sqlx::Error) -> StoreError {
    let code = why.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned();
    let mend = match (&why, code.as_str()) {
        (_, "28000" | "28P01") => "see user and password in data.database, and pg_hba.conf of the server",
        (_, "3D000") => "make the database (CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8'), or see its name in data.database",
        // A certificate that is not believed comes as invalid data.
        (sqlx::Error::Io(error), _) if error.kind() == ErrorKind::InvalidData => TLS,
        (sqlx::Error::Tls(_), _) => TLS,
        _ => "start the server, or see host and port in data.database",
    };
    StoreError::Unreachable { database: name.to_owned(), why, mend }
}
