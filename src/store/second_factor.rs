//! Which accounts prove themselves by a second factor, and which codes were used already?

use std::collections::BTreeSet;

use sqlx::FromRow;

use crate::centre::time::Time;

use super::bulk::ms;
use super::statement::query;
use super::{Store, StoreError};

/// A second factor (RFC 6238). Its secret follows from the salt and the key of the data folder.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct SecondFactor {
    /// Hexadecimal digits, anew for each.
    pub salt: String,
    /// Since when it is asked for, in milliseconds since the epoch; `None`: its owner has not shown a code yet.
    pub confirmed_ms: Option<i64>,
}

impl Store {
    /// An account's second factor; `None` where it has none.
    pub async fn second_factor(&self, name: &str) -> Result<Option<SecondFactor>, StoreError> {
        let factor = query("SELECT salt, confirmed_ms FROM second_factors WHERE name = $1");
        Ok(factor.bind(name).fetch_optional(self.db.readers()).await?)
    }

    /// The accounts that are asked for a code.
    pub async fn second_factors(&self) -> Result<BTreeSet<String>, StoreError> {
        let names: Vec<(String,)> =
            query("SELECT name FROM second_factors WHERE confirmed_ms IS NOT NULL").fetch_all(self.db.readers()).await?;
        Ok(names.into_iter().map(|(name,)| name).collect())
    }

    /// Begins a second factor in the place of one that was never confirmed; false where one is confirmed.
    pub async fn begin_second_factor(&self, name: &str, salt: &str) -> Result<bool, StoreError> {
        let begun = query(
            "INSERT INTO second_factors (name, salt, last_step) VALUES ($1, $2, $3) \
             ON CONFLICT (name) DO UPDATE SET salt = excluded.salt WHERE second_factors.confirmed_ms IS NULL",
        );
        Ok(begun.bind(name).bind(salt).bind(0_i64).execute(self.db.writer()).await? == 1)
    }

    /// Uses the code of a step up, and with it those of every step before; the first one confirms the factor. False where it was used already.
    pub async fn use_step(&self, name: &str, salt: &str, step: u64, at: Time) -> Result<bool, StoreError> {
        let used = query(
            "UPDATE second_factors SET last_step = $1, confirmed_ms = COALESCE(confirmed_ms, $2) \
             WHERE name = $3 AND salt = $4 AND last_step < $1",
        );
        Ok(used.bind(ms(step)).bind(ms(at.0)).bind(name).bind(salt).execute(self.db.writer()).await? == 1)
    }

    /// Takes an account's second factor away; false where it has none.
    pub async fn remove_second_factor(&self, name: &str) -> Result<bool, StoreError> {
        Ok(query("DELETE FROM second_factors WHERE name = $1").bind(name).execute(self.db.writer()).await? == 1)
    }
}
