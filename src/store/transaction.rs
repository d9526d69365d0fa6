//! What is written together or not at all, and what does it have for itself meanwhile?

use sqlx::{Postgres, Sqlite};

use super::db::Db;
use super::statement::{answered, query};

/// What a transaction has for itself until it ends, so that what it reads stays true while it writes. SQLite has one writer anyway; in
/// PostgreSQL the others who ask for the same wait (an advisory lock). One lock a transaction: nobody waits for anybody in a circle.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lock {
    /// Nothing but the rows that it writes: for statements that are right whatever others do between them. Rows of one table are
    /// written in the order of their keys, so that two such transactions do not wait for each other.
    Rows = 0,
    /// The position of the projection, and what it writes.
    Projection = 1,
    /// The history of the register, and the numbers of cases.
    Register = 2,
}

/// Marks our advisory locks among those of other programs in the same database.
const OURS: i64 = 1_520_109;

/// An open transaction. Dropped without `commit` it has done nothing.
pub(super) enum Transaction {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres(sqlx::Transaction<'static, Postgres>),
}

impl Db {
    /// A transaction that will write. It has its lock before it reads anything, so that it cannot fail half-way for another writer.
    pub async fn begin(&self, lock: Lock) -> Result<Transaction, sqlx::Error> {
        match self {
            Db::Sqlite { writer, .. } => Ok(Transaction::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?)),
            Db::Postgres(server) => {
                let mut transaction = Transaction::Postgres(answered(server.pool()?.begin()).await?);
                if !matches!(lock, Lock::Rows) {
                    let take = query("SELECT pg_advisory_xact_lock(CAST($1 AS INT), CAST($2 AS INT))").bind(OURS).bind(lock as i64);
                    take.execute(&mut transaction).await?;
                }
                Ok(transaction)
            }
        }
    }

    /// A transaction that only reads, and sees one moment of the database however long it takes.
    pub async fn begin_reading(&self) -> Result<Transaction, sqlx::Error> {
        match self {
            Db::Sqlite { readers, .. } => Ok(Transaction::Sqlite(readers.begin().await?)),
            Db::Postgres(server) => {
                let mut transaction = Transaction::Postgres(answered(server.pool()?.begin()).await?);
                query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY").execute(&mut transaction).await?;
                Ok(transaction)
            }
        }
    }
}

impl Transaction {
    /// Writes what was done. An error of PostgreSQL may leave open whether it is written: what is done again must find out.
    pub async fn commit(self) -> Result<(), sqlx::Error> {
        match self {
            Transaction::Sqlite(transaction) => transaction.commit().await,
            Transaction::Postgres(transaction) => answered(transaction.commit()).await,
        }
    }
}
