//! Which screens at the wall may show the wallboard? Each by a token that is shown once; only its SHA-256 is kept.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::FromRow;

use crate::centre::time::Time;
use crate::private::Private;

use super::bulk::ms;
use super::statement::query;
use super::{Store, StoreError};

/// What every token begins with, so that it is known for one where it should not lie.
const BEGINNING: &str = "kiosk_";

/// That a screen is there is written down this often, in milliseconds.
const SEEN_EVERY_MS: u64 = 60_000;

/// A screen at the wall.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow, utoipa::ToSchema)]
pub struct Kiosk {
    /// Its number here.
    pub id: i64,
    /// Where it hangs.
    pub name: String,
    /// Who let it in.
    pub by_name: String,
    /// When, in milliseconds since the epoch.
    pub made_ms: i64,
    /// When it asked last, to the minute; nothing before it has.
    pub seen_ms: Option<i64>,
}

impl Store {
    /// Lets a screen in by a token of 256 bits, which is told once. `None` where the system gives no random numbers.
    pub async fn make_kiosk(&self, name: &str, by: &str, at: Time) -> Result<Option<(i64, Private<String>)>, StoreError> {
        let mut bytes = [0; 32];
        if let Err(error) = getrandom::fill(&mut bytes) {
            tracing::error!(%error, "the system gives no random numbers");
            return Ok(None);
        }
        let token = format!("{BEGINNING}{}", URL_SAFE_NO_PAD.encode(bytes));
        let insert = query("INSERT INTO kiosks (name, hash, by_name, made_ms) VALUES ($1, $2, $3, $4) RETURNING id");
        let insert = insert.bind(name).bind(hashed(&token)).bind(by).bind(ms(at.0));
        Ok(Some((insert.fetch_scalar(self.db.writer()).await?, Private::new(token))))
    }

    /// The screens, by number.
    pub async fn kiosks(&self) -> Result<Vec<Kiosk>, StoreError> {
        Ok(query("SELECT id, name, by_name, made_ms, seen_ms FROM kiosks ORDER BY id").fetch_all(self.db.readers()).await?)
    }

    /// Shuts a screen out; false where there is none of this number.
    pub async fn remove_kiosk(&self, id: i64) -> Result<bool, StoreError> {
        Ok(query("DELETE FROM kiosks WHERE id = $1").bind(id).execute(self.db.writer()).await? == 1)
    }

    /// The screen that has this token. The comparison is of hashes, so its time tells nothing of a token.
    pub async fn kiosk_of(&self, token: &Private<String>, now: Time) -> Result<Option<Kiosk>, StoreError> {
        if !token.reveal().starts_with(BEGINNING) {
            return Ok(None);
        }
        let found = query("SELECT id, name, by_name, made_ms, seen_ms FROM kiosks WHERE hash = $1").bind(hashed(token.reveal()));
        let found: Option<Kiosk> = found.fetch_optional(self.db.readers()).await?;
        if let Some(kiosk) = found.as_ref().filter(|kiosk| kiosk.seen_ms.is_none_or(|seen| seen + ms(SEEN_EVERY_MS) <= ms(now.0))) {
            let seen = query("UPDATE kiosks SET seen_ms = $1 WHERE id = $2").bind(ms(now.0)).bind(kiosk.id);
            seen.execute(self.db.writer()).await?;
        }
        Ok(found)
    }
}

fn hashed(token: &str) -> String {
    Sha256::digest(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
