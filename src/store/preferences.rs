//! How does an account want its screens? JSON that the page alone understands.

use crate::centre::time::Time;

use super::bulk::ms;
use super::statement::query;
use super::{Store, StoreError};

impl Store {
    /// An account's preferences, as they were given; an empty object before.
    pub async fn preferences(&self, who: &str) -> Result<serde_json::Map<String, serde_json::Value>, StoreError> {
        let found: Option<(String,)> =
            query("SELECT body FROM preferences WHERE who = $1").bind(who).fetch_optional(self.db.readers()).await?;
        Ok(found.and_then(|(body,)| serde_json::from_str(&body).ok()).unwrap_or_default())
    }

    /// Keeps an account's preferences in the place of those of before.
    pub async fn put_preferences(&self, who: &str, body: &str, at: Time) -> Result<(), StoreError> {
        let put = query(
            "INSERT INTO preferences (who, body, at_ms) VALUES ($1, $2, $3) \
             ON CONFLICT (who) DO UPDATE SET body = excluded.body, at_ms = excluded.at_ms",
        );
        put.bind(who).bind(body).bind(ms(at.0)).execute(self.db.writer()).await?;
        Ok(())
    }
}
