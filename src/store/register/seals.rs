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
    /// The seal of the chain as it stands; `None` while the chain is empty or has not grown since the last one.
    pub async fn head_to_seal(&self, at: Time) -> Result<Option<Seal>, RegisterError> {
        let head =
            query("SELECT place, hash FROM chain WHERE place > (SELECT COALESCE(MAX(place), 0) FROM seals) ORDER BY place DESC LIMIT 1");
        let head: Option<Head> = head.fetch_optional(self.db.readers()).await?;
        let Some(Head { place, hash }) = head else { return Ok(None) };
        let head = Digest::try_from(hash.as_slice()).map_err(|_| RegisterError::damaged("chain.hash"))?;
        Ok(Some(Seal { place: place.cast_unsigned(), head, at_ms: ms(at.0) }))
    }

    /// Keeps a seal that was written elsewhere.
    pub async fn keep_seal(&self, seal: &Seal) -> Result<(), RegisterError> {
        let insert =
            query("INSERT INTO seals (place, head, at_ms) SELECT $1, $2, $3 WHERE NOT EXISTS (SELECT 1 FROM seals WHERE place = $1)");
        insert.bind(seal.place.cast_signed()).bind(seal.head.to_string()).bind(seal.at_ms).execute(self.db.writer()).await?;
        Ok(())
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
