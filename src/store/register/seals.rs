//! Where does the chain stand, for a seal that is written elsewhere?

use sqlx::FromRow;

use crate::cases::chain::{Digest, Seal};
use crate::centre::time::Time;
use crate::store::Store;
use crate::store::bulk::ms;
use crate::store::statement::query;

use super::RegisterError;

#[derive(FromRow)]
struct Head {
    place: i64,
    hash: Vec<u8>,
}

impl Store {
    /// The seal of the chain as it stands, kept here too; `None` while the chain is empty or has not grown since the last one.
    pub async fn seal(&self, at: Time) -> Result<Option<Seal>, RegisterError> {
        let head =
            query("SELECT place, hash FROM chain WHERE place > (SELECT COALESCE(MAX(place), 0) FROM seals) ORDER BY place DESC LIMIT 1");
        let head: Option<Head> = head.fetch_optional(self.db.readers()).await?;
        let Some(Head { place, hash }) = head else { return Ok(None) };
        let head = Digest::try_from(hash.as_slice()).map_err(|_| RegisterError::damaged("chain.hash"))?;
        let seal = Seal { place: place.cast_unsigned(), head, at_ms: ms(at.0) };
        let insert = query("INSERT INTO seals (place, head, at_ms) VALUES ($1, $2, $3) ON CONFLICT (place) DO NOTHING");
        insert.bind(place).bind(head.to_string()).bind(seal.at_ms).execute(self.db.writer()).await?;
        Ok(Some(seal))
    }

    /// Every seal that was taken, in order.
    pub async fn seals(&self) -> Result<Vec<Seal>, RegisterError> {
        let rows: Vec<(i64, String, i64)> =
            query("SELECT place, head, at_ms FROM seals ORDER BY place").fetch_all(self.db.readers()).await?;
        let seal = |(place, head, at_ms): (i64, String, i64)| {
            let head = head.parse().map_err(|_| RegisterError::damaged("seals.head"))?;
            Ok(Seal { place: place.cast_unsigned(), head, at_ms })
        };
        rows.into_iter().map(seal).collect()
    }
}
