//! Is a database that cannot be used refused with its mend and without its password, and are both schemas one?

use std::collections::BTreeSet;

use cityline_bases::{Kind, Server, on_both};

use super::super::*;
use super::Folder;

on_both!(a_newer_schema_is_refused);

fn refusal(result: Result<Store, StoreError>) -> String {
    result.map(drop).expect_err("it must be refused").to_string()
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_named_with_its_mend() {
    let folder = Folder::new(Kind::Sqlite, "open");
    std::fs::create_dir_all(&folder.path).unwrap();
    let file = folder.path.join("file");
    std::fs::write(&file, "this is no database, but long enough to be looked at as one by SQLite: ".repeat(20)).unwrap();
    let text = refusal(Store::open_at(&format!("sqlite:{}", file.display()), folder.path.join("r")).await);
    assert!(text.contains("file") && text.contains("see that"), "{text}");
    let text = refusal(Store::open_at(&folder.base.address, file.join("below a file")).await);
    assert!(text.contains("below a file") && text.contains("right to write"), "{text}");
}

#[tokio::test]
async fn an_address_that_leads_nowhere_is_told_with_its_mend_and_without_the_password() {
    let folder = Folder::new(Kind::Sqlite, "nowhere");
    let server = Server::shared();
    let port = server.port();
    server.sql("postgres", "CREATE DATABASE bytes TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C' OWNER city");
    for (address, told) in [
        ("mysql://city:secret@db/x".to_owned(), vec!["\"mysql\"", "postgres://USER:PASSWORD@HOST/DATABASE"]),
        ("postgres://city:secret@[127.0.0.1/x".to_owned(), vec!["cannot be read", "%40"]),
        ("postgres://city:secret@127.0.0.1:9/x".to_owned(), vec!["postgres://127.0.0.1:9/x", "start the server"]),
        (format!("postgres://city:secret@127.0.0.1:{port}/nothing"), vec!["nothing", "CREATE DATABASE"]),
        (format!("postgres://keyed:secret@127.0.0.1:{port}/postgres"), vec!["keyed", "user and password in data.database"]),
        (format!("postgres://city:secret@127.0.0.1:{port}/postgres"), vec!["schema", "may make tables there"]),
        (format!("postgres://city:secret@127.0.0.1:{port}/bytes"), vec!["SQL_ASCII", "ENCODING 'UTF8'"]),
    ] {
        let text = refusal(Store::open_at(&address, folder.path.join("r")).await);
        assert!(told.iter().all(|words| text.contains(words)), "{told:?}: {text}");
        assert!(!text.contains("secret"), "{text}");
    }
}

#[tokio::test]
async fn a_password_opens_what_it_is_for() {
    let folder = Folder::new(Kind::Postgres, "keyed");
    let address = folder.base.address.replace("city@", "keyed:open%20sesame@");
    let text = refusal(Store::open_at(&address, folder.path.join("r")).await);
    assert!(text.contains("permission denied"), "let in, but the tables are another's: {text}");
}

async fn a_newer_schema_is_refused(kind: Kind) {
    let folder = Folder::new(kind, "newer");
    let store = folder.open().await.unwrap();
    let later = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', $1, $2, 0)";
    query(later).bind(true).bind(vec![0]).execute(store.db.writer()).await.unwrap();
    store.close().await;
    assert!(refusal(folder.open().await).contains("schema 9999, which is newer"));
}

/// Table, column, type in Rust's words, whether it may be NULL. An index over words is a table in SQLite and a column in PostgreSQL: neither counts.
async fn columns(kind: Kind) -> BTreeSet<(String, String, String, bool)> {
    let folder = Folder::new(kind, "columns");
    let store = folder.open().await.unwrap();
    let statement = statement::query_each(
        "SELECT m.name, c.name, c.type, c.\"notnull\" = 0 FROM sqlite_schema m, pragma_table_info(m.name) c \
         WHERE m.type = 'table' AND m.name NOT LIKE '%\\_fts%' ESCAPE '\\'",
        "SELECT table_name::text, column_name::text, data_type::text, is_nullable = 'YES' FROM information_schema.columns \
         WHERE table_schema = 'public' AND data_type <> 'tsvector'",
    );
    let rows: Vec<(String, String, String, bool)> = statement.fetch_all(store.db.readers()).await.unwrap();
    let ours = rows.into_iter().filter(|(table, ..)| !table.starts_with("_sqlx") && !table.starts_with("sqlite"));
    ours.map(|(table, column, of, null)| (table, column, word(kind, &of).to_owned(), null)).collect()
}

/// The table of migrations/README.md. SQLite has no BOOLEAN: what is one in PostgreSQL is an integer there, and both are told as integers.
fn word(kind: Kind, column: &str) -> &'static str {
    match (kind, column.to_uppercase().as_str()) {
        (Kind::Sqlite, "INTEGER") | (Kind::Postgres, "BIGINT" | "BOOLEAN") => "i64",
        (_, "TEXT") => "String",
        (Kind::Sqlite, "BLOB") | (Kind::Postgres, "BYTEA") => "Vec<u8>",
        (Kind::Sqlite, "REAL") | (Kind::Postgres, "DOUBLE PRECISION") => "f64",
        _ => "none that migrations/README.md names",
    }
}

#[tokio::test]
async fn both_databases_have_the_same_tables_and_columns() {
    let (sqlite, postgres) = (columns(Kind::Sqlite).await, columns(Kind::Postgres).await);
    assert!(sqlite.len() > 80, "{}", sqlite.len());
    let told = |left: &BTreeSet<_>, right: &BTreeSet<_>| left.difference(right).cloned().collect::<Vec<_>>();
    assert_eq!((told(&sqlite, &postgres), told(&postgres, &sqlite)), (Vec::new(), Vec::new()), "only in SQLite, only in PostgreSQL");
    assert!(postgres.iter().all(|(.., kind, _)| !kind.contains("none")), "{postgres:?}");
}
