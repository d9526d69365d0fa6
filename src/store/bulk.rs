//! How are many rows written in few statements? Several rows a statement, in a few sizes, so that every text is prepared once.

use std::fmt::Write;
use std::sync::Arc;

use super::statement::{Statement, query_made};
use super::transaction::Transaction;

/// Rows a statement: any number is a sum of few of these. With at most 15 columns the largest stays far below SQLite's 32,766 values
/// and PostgreSQL's 65,535.
const SIZES: [usize; 7] = [64, 32, 16, 8, 4, 2, 1];

/// Statements that a connection keeps prepared: the sizes of a dozen tables, and everything else.
pub(super) const STATEMENTS_KEPT: usize = 200;

/// A row that is written together with others of its kind: `HEAD (…),(…) TAIL`. With `ON CONFLICT … DO UPDATE` no two rows of a call to
/// [`write`] may have the same key: PostgreSQL changes no row twice in one statement.
pub(super) trait BulkRow {
    /// The text before the values.
    const HEAD: &'static str;
    /// The text after them.
    const TAIL: &'static str;
    /// Values a row.
    const COLUMNS: usize;

    /// Gives the statement this row's values, in the order of the columns.
    fn bind(&self, statement: Statement) -> Statement;
}

/// Writes all rows, largest statements first.
pub(super) async fn write<R: BulkRow>(transaction: &mut Transaction, rows: &[R]) -> Result<(), sqlx::Error> {
    let numbered = matches!(transaction, Transaction::Postgres(_));
    let mut rest = rows;
    for size in SIZES {
        if rest.len() < size {
            continue;
        }
        let text = text::<R>(size, numbered);
        while let Some((chunk, others)) = rest.split_at_checked(size) {
            let statement = chunk.iter().fold(query_made(text.clone()), |statement, row| row.bind(statement));
            statement.execute(&mut *transaction).await?;
            rest = others;
        }
    }
    Ok(())
}

/// Only constants of our own go into the text. SQLite gets bare `?`, because it looks a numbered parameter up by its name: that doubles a
/// call's cost. PostgreSQL knows nothing but numbers.
fn text<R: BulkRow>(rows: usize, numbered: bool) -> Arc<str> {
    let mut text = String::from(R::HEAD);
    for at in 0..rows * R::COLUMNS {
        text.push_str(match at {
            0 => "(",
            _ if at % R::COLUMNS == 0 => "),(",
            _ => ",",
        });
        if numbered {
            let _ = write!(text, "${}", at + 1);
        } else {
            text.push('?');
        }
    }
    text.push(')');
    text.push_str(R::TAIL);
    text.into()
}

/// A 64-bit name as the databases hold it: the same bits, signed.
pub(super) fn signed(value: u64) -> i64 {
    value.cast_signed()
}

/// The moment or length in milliseconds as the databases hold it.
pub(super) fn ms(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
