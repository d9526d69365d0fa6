//! How is a statement written once and run on either database? Its text and its values are ours; here alone they become a driver's.

use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::MaybePoolConnection;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, FromRow, Postgres, SqlSafeStr, SqlStr, Sqlite, SqlitePool};

use super::postgres::Server;
use super::transaction::Transaction;

/// How long a statement may take at PostgreSQL until it is given up, with its connection: the server itself ends it sooner
/// (`postgres::STATEMENT`), so that only one that does not answer at all is meant.
const UNANSWERED: Duration = Duration::from_secs(15);

/// What `fetch_…` reads: a struct with `#[derive(FromRow)]`, or a tuple.
pub(super) trait Row: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}

impl<T> Row for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}

/// A statement that is being given its values. Parameters are `$1`, `$2`, … on both databases.
#[must_use = "a statement does nothing until it is run"]
pub(super) struct Statement {
    text: Text,
    values: Vec<Value>,
}

enum Text {
    Same(&'static str),
    Each { sqlite: &'static str, postgres: &'static str },
    Made(Arc<str>),
}

/// A statement that both databases understand.
pub(super) fn query(text: &'static str) -> Statement {
    Statement { text: Text::Same(text), values: Vec::new() }
}

/// A statement for which the databases need different words; its values are the same. Say why beside it.
#[allow(dead_code, reason = "so far the tests alone need different words")]
pub(super) fn query_each(sqlite: &'static str, postgres: &'static str) -> Statement {
    Statement { text: Text::Each { sqlite, postgres }, values: Vec::new() }
}

/// A statement whose text was put together, from constants of ours alone: what anybody typed is bound.
pub(super) fn query_made(text: impl Into<Arc<str>>) -> Statement {
    Statement { text: Text::Made(text.into()), values: Vec::new() }
}

/// A value of a statement. NULL has a type too: PostgreSQL wants to know it.
pub(super) enum Value {
    Int(Option<i64>),
    Real(Option<f64>),
    Bool(Option<bool>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
}

/// What a statement can be given, and what NULL it is where there is none.
pub(super) trait Bindable {
    const NULL: Value;
    fn value(self) -> Value;
}

impl Bindable for i64 {
    const NULL: Value = Value::Int(None);
    fn value(self) -> Value {
        Value::Int(Some(self))
    }
}

impl Bindable for f64 {
    const NULL: Value = Value::Real(None);
    fn value(self) -> Value {
        Value::Real(Some(self))
    }
}

impl Bindable for bool {
    const NULL: Value = Value::Bool(None);
    fn value(self) -> Value {
        Value::Bool(Some(self))
    }
}

impl Bindable for String {
    const NULL: Value = Value::Text(None);
    /// PostgreSQL refuses the character U+0000, which no text needs: a caller's display name with one must not stop the projection.
    fn value(self) -> Value {
        Value::Text(Some(if self.contains('\0') { self.replace('\0', "\u{FFFD}") } else { self }))
    }
}

impl Bindable for &String {
    const NULL: Value = Value::Text(None);
    fn value(self) -> Value {
        self.clone().value()
    }
}

impl Bindable for &str {
    const NULL: Value = Value::Text(None);
    fn value(self) -> Value {
        self.to_owned().value()
    }
}

impl Bindable for Vec<u8> {
    const NULL: Value = Value::Bytes(None);
    fn value(self) -> Value {
        Value::Bytes(Some(self))
    }
}

impl Bindable for Value {
    const NULL: Value = Value::Text(None);
    fn value(self) -> Value {
        self
    }
}

impl<T: Bindable> Bindable for Option<T> {
    const NULL: Value = T::NULL;
    fn value(self) -> Value {
        self.map_or(T::NULL, T::value)
    }
}

/// Conditions that are put together as they are asked for, each with its value, so that the database plans for these alone.
#[derive(Default)]
pub(super) struct Conditions {
    texts: Vec<String>,
    values: Vec<Value>,
}

impl Conditions {
    /// Adds a condition, in which `$` stands for the value. The text is ours: what anybody typed is the value.
    pub fn add(&mut self, text: &str, value: impl Bindable) {
        self.values.push(value.value());
        self.texts.push(text.replace('$', &format!("${}", self.values.len())));
    }

    /// Adds a condition that is met by one of several values, or by none of them where `or` is met.
    pub fn add_any(&mut self, or: &str, text: &str, values: Vec<String>) {
        let mut texts = vec![or.to_owned()];
        for value in values {
            self.values.push(value.value());
            texts.push(text.replace('$', &format!("${}", self.values.len())));
        }
        self.texts.push(format!("({})", texts.join(" OR ")));
    }

    /// Adds a condition without a value.
    pub fn add_plain(&mut self, text: &str) {
        self.texts.push(text.to_owned());
    }

    /// Whether one of the conditions says this.
    pub fn says(&self, words: &str) -> bool {
        self.texts.iter().any(|text| text.contains(words))
    }

    /// The statement `SELECT … WHERE conditions …rest`, with its values bound; `$` in `rest` stands for `last`.
    pub fn query(mut self, select: &str, rest: &str, last: impl Bindable) -> Statement {
        self.values.push(last.value());
        let conditions = if self.texts.is_empty() { "TRUE".to_owned() } else { self.texts.join(" AND ") };
        let rest = rest.replace('$', &format!("${}", self.values.len()));
        Statement { text: Text::Made(format!("{select} WHERE {conditions} {rest}").into()), values: self.values }
    }
}

/// Where a statement runs: on a connection that is free, or in a transaction.
pub(super) enum On<'c> {
    Sqlite(&'c SqlitePool),
    Postgres(&'c Server),
    In(&'c mut Transaction),
}

impl<'c> From<&'c mut Transaction> for On<'c> {
    fn from(transaction: &'c mut Transaction) -> Self {
        On::In(transaction)
    }
}

/// The connection that a statement has until it is done.
enum Held<'c> {
    Sqlite(MaybePoolConnection<'c, Sqlite>),
    Postgres(MaybePoolConnection<'c, Postgres>),
}

impl<'c> On<'c> {
    async fn hold(self) -> Result<Held<'c>, sqlx::Error> {
        Ok(match self {
            On::Sqlite(pool) => Held::Sqlite(pool.acquire().await?.into()),
            On::Postgres(server) => Held::Postgres(server.pool()?.acquire().await?.into()),
            On::In(Transaction::Sqlite(transaction)) => Held::Sqlite(MaybePoolConnection::Connection(&mut **transaction)),
            On::In(Transaction::Postgres(transaction)) => Held::Postgres(MaybePoolConnection::Connection(&mut **transaction)),
        })
    }
}

impl Statement {
    /// Gives the next parameter its value.
    pub fn bind(mut self, value: impl Bindable) -> Self {
        self.values.push(value.value());
        self
    }

    /// All rows.
    pub async fn fetch_all<R: Row>(self, on: impl Into<On<'_>>) -> Result<Vec<R>, sqlx::Error> {
        match on.into().hold().await? {
            Held::Sqlite(mut connection) => {
                let (text, values) = self.for_sqlite()?;
                sqlx::query_as_with(text, values).fetch_all(&mut *connection).await
            }
            Held::Postgres(mut connection) => {
                let (text, values) = self.for_postgres()?;
                answered(sqlx::query_as_with(text, values).fetch_all(&mut *connection)).await
            }
        }
    }

    /// The first row, if there is one.
    pub async fn fetch_optional<R: Row>(self, on: impl Into<On<'_>>) -> Result<Option<R>, sqlx::Error> {
        match on.into().hold().await? {
            Held::Sqlite(mut connection) => {
                let (text, values) = self.for_sqlite()?;
                sqlx::query_as_with(text, values).fetch_optional(&mut *connection).await
            }
            Held::Postgres(mut connection) => {
                let (text, values) = self.for_postgres()?;
                answered(sqlx::query_as_with(text, values).fetch_optional(&mut *connection)).await
            }
        }
    }

    /// The first row; that there is none is an error.
    pub async fn fetch_one<R: Row>(self, on: impl Into<On<'_>>) -> Result<R, sqlx::Error> {
        self.fetch_optional(on).await?.ok_or(sqlx::Error::RowNotFound)
    }

    /// The first column of the first row; that there is none is an error.
    pub async fn fetch_scalar<T>(self, on: impl Into<On<'_>>) -> Result<T, sqlx::Error>
    where
        (T,): Row,
    {
        let (value,) = self.fetch_one(on).await?;
        Ok(value)
    }

    /// Writes, and says how many rows that concerned.
    pub async fn execute(self, on: impl Into<On<'_>>) -> Result<u64, sqlx::Error> {
        match on.into().hold().await? {
            Held::Sqlite(mut connection) => {
                let (text, values) = self.for_sqlite()?;
                Ok(sqlx::query_with(text, values).execute(&mut *connection).await?.rows_affected())
            }
            Held::Postgres(mut connection) => {
                let (text, values) = self.for_postgres()?;
                Ok(answered(sqlx::query_with(text, values).execute(&mut *connection)).await?.rows_affected())
            }
        }
    }

    fn for_sqlite(self) -> Result<(SqlStr, SqliteArguments), sqlx::Error> {
        let text = match self.text {
            Text::Same(text) | Text::Each { sqlite: text, .. } => text.into_sql_str(),
            Text::Made(text) => AssertSqlSafe(text).into_sql_str(),
        };
        let mut arguments = SqliteArguments::default();
        for value in self.values {
            let added = match value {
                Value::Int(value) => arguments.add(value),
                Value::Real(value) => arguments.add(value),
                Value::Bool(value) => arguments.add(value),
                Value::Text(value) => arguments.add(value),
                Value::Bytes(value) => arguments.add(value),
            };
            added.map_err(sqlx::Error::Encode)?;
        }
        Ok((text, arguments))
    }

    fn for_postgres(self) -> Result<(SqlStr, PgArguments), sqlx::Error> {
        let text = match self.text {
            Text::Same(text) | Text::Each { postgres: text, .. } => text.into_sql_str(),
            Text::Made(text) => AssertSqlSafe(text).into_sql_str(),
        };
        let mut arguments = PgArguments::default();
        for value in self.values {
            let added = match value {
                Value::Int(value) => arguments.add(value),
                Value::Real(value) => arguments.add(value),
                Value::Bool(value) => arguments.add(value),
                Value::Text(value) => arguments.add(value),
                Value::Bytes(value) => arguments.add(value),
            };
            added.map_err(sqlx::Error::Encode)?;
        }
        Ok((text, arguments))
    }
}

/// What the server answers, or that it does not. The pool finds out about the connection that is left in the middle.
pub(super) async fn answered<T>(answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    match tokio::time::timeout(UNANSWERED, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "the server does not answer"))),
    }
}
