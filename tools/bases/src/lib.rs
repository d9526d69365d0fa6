//! On which database does a test run? On both: a SQLite file, and a fresh database of a private PostgreSQL.

#![allow(clippy::expect_used)]

mod server;

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

pub use server::Server;

/// A database that Cityline knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    Sqlite,
    /// A database of the shared server.
    Postgres,
}

/// Makes two tests of each story, an `async fn` of a [`Kind`]: `sqlite::NAME` and `postgres::NAME`. A story that is not named here is dead code,
/// and so refused.
#[macro_export]
macro_rules! on_both {
    ($($(#[$attribute:meta])* $story:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test] $(#[$attribute])* async fn $story() { super::$story($crate::Kind::Sqlite).await })+
        }
        mod postgres {
            $(#[tokio::test] $(#[$attribute])* async fn $story() { super::$story($crate::Kind::Postgres).await })+
        }
    };
}

/// A database for one test; dropped with the value.
#[derive(Debug)]
pub struct Base {
    /// As `data.database` wants it.
    pub address: String,
    /// Its name at the shared server; a file goes with its folder.
    database: Option<String>,
}

impl Base {
    /// An empty database in this folder, or at the shared server.
    pub fn empty(kind: Kind, folder: &Path) -> Base {
        Base::made(kind, folder, "template0")
    }

    /// A database with the schema that `migrate` makes at an address. In PostgreSQL it is made once and copied from then on; a file is left to
    /// whoever opens it.
    pub fn migrated(kind: Kind, folder: &Path, migrate: impl FnOnce(String) + Send + 'static) -> Base {
        static MIGRATED: OnceLock<()> = OnceLock::new();
        if kind == Kind::Postgres {
            MIGRATED.get_or_init(|| {
                let server = Server::shared();
                server.sql("postgres", "CREATE DATABASE migrated TEMPLATE template0 OWNER city");
                let address = server.address("migrated");
                // A thread of its own: whoever migrates may want a runtime, and the test has one already.
                std::thread::spawn(move || migrate(address)).join().expect("the schema is made");
            });
        }
        Base::made(kind, folder, "migrated")
    }

    /// A database that lies elsewhere, at a server that the test may stop.
    pub fn at(address: String) -> Base {
        Base { address, database: None }
    }

    fn made(kind: Kind, folder: &Path, template: &str) -> Base {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        if kind == Kind::Sqlite {
            return Base { address: format!("sqlite:{}", folder.join("cityline.db").display()), database: None };
        }
        let name = format!("city_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let server = Server::shared();
        server.sql("postgres", &format!("CREATE DATABASE {name} TEMPLATE {template} OWNER city"));
        Base { address: server.address(&name), database: Some(name) }
    }
}

impl Drop for Base {
    fn drop(&mut self) {
        if let Some(name) = &self.database {
            // What is left of a test that failed goes with the server.
            let _ = Server::shared().psql("postgres", &format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}
