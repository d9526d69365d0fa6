//! Who is signed in? Sessions of browsers in the database, under the hash of the cookie's value.

use async_trait::async_trait;
use sha2::{Digest, Sha256};
use tower_sessions::SessionStore;
use tower_sessions::cookie::time::OffsetDateTime;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};

use crate::centre::time::Time;
use crate::clock::Clock;

use super::bulk::ms;
use super::statement::query;
use super::{Store, StoreError};

/// The session store of the web layer.
#[derive(Clone, Debug)]
pub struct Sessions {
    store: Store,
    clock: Clock,
}

impl Sessions {
    /// Sessions in this database; `clock` says which have expired.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }
}

impl Store {
    /// Deletes the sessions that have expired; returns how many.
    pub async fn forget_expired_sessions(&self, now: Time) -> std::result::Result<u64, StoreError> {
        let gone = query("DELETE FROM sessions WHERE expires_ms <= $1").bind(ms(now.0)).execute(self.db.writer()).await?;
        Ok(gone)
    }
}

#[async_trait]
impl SessionStore for Sessions {
    /// An id that exists is drawn again.
    async fn create(&self, record: &mut Record) -> Result<()> {
        loop {
            let made = query("INSERT INTO sessions (id, data, expires_ms) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
                .bind(hashed(&record.id))
                .bind(encoded(record)?)
                .bind(unix_ms(record.expiry_date))
                .execute(self.store.db.writer())
                .await
                .map_err(backend)?;
            if made == 1 {
                return Ok(());
            }
            record.id = Id::default();
        }
    }

    async fn save(&self, record: &Record) -> Result<()> {
        query(
            "INSERT INTO sessions (id, data, expires_ms) VALUES ($1, $2, $3) \
             ON CONFLICT (id) DO UPDATE SET data = excluded.data, expires_ms = excluded.expires_ms",
        )
        .bind(hashed(&record.id))
        .bind(encoded(record)?)
        .bind(unix_ms(record.expiry_date))
        .execute(self.store.db.writer())
        .await
        .map_err(backend)?;
        Ok(())
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let found: Option<(String, i64)> = query("SELECT data, expires_ms FROM sessions WHERE id = $1 AND expires_ms > $2")
            .bind(hashed(id))
            .bind(ms(self.clock.now().0))
            .fetch_optional(self.store.db.readers())
            .await
            .map_err(backend)?;
        let Some((data, expires_ms)) = found else { return Ok(None) };
        let data = serde_json::from_str(&data).map_err(|error| Error::Decode(error.to_string()))?;
        let expiry_date = OffsetDateTime::from_unix_timestamp_nanos(i128::from(expires_ms) * 1_000_000);
        let expiry_date = expiry_date.map_err(|error| Error::Decode(error.to_string()))?;
        Ok(Some(Record { id: *id, data, expiry_date }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        query("DELETE FROM sessions WHERE id = $1").bind(hashed(id)).execute(self.store.db.writer()).await.map_err(backend)?;
        Ok(())
    }
}

fn hashed(id: &Id) -> String {
    Sha256::digest(id.to_string()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn encoded(record: &Record) -> Result<String> {
    serde_json::to_string(&record.data).map_err(|error| Error::Encode(error.to_string()))
}

fn unix_ms(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

fn backend(error: sqlx::Error) -> Error {
    Error::Backend(error.to_string())
}
