//! Where does the chain stand, for a seal that is written elsewhere?

use sqlx::FromRow;

use crate::cases::chain::{Digest, Seal};
use crate::centre::time::Time;
use crate::store::Store;
use crate::store::bulk::ms;
use crate::store::outbox::{self, Post};
use crate::store::statement::query;
use crate::store::transaction::Lock;

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

    /// Keeps a seal that was written elsewhere, with a message of it to each of the receivers: the outbox takes it there.
    pub async fn keep_seal(&self, seal: &Seal, receivers: &[&str]) -> Result<(), RegisterError> {
        let mut transaction = self.db.begin(Lock::Rows).await?;
        let insert =
            query("INSERT INTO seals (place, head, at_ms) SELECT $1, $2, $3 WHERE NOT EXISTS (SELECT 1 FROM seals WHERE place = $1)");
        insert.bind(seal.place.cast_signed()).bind(seal.head.to_string()).bind(seal.at_ms).execute(&mut transaction).await?;
        let body =
            serde_json::json!({ "what": "sealed", "place": seal.place, "head": seal.head, "at_ms": seal.at_ms, "line": seal.to_string() });
        let post = |receiver: &&str| Post::to((*receiver).to_owned(), "register", format!("seal:{}", seal.place), body.to_string());
        outbox::post(&mut transaction, &receivers.iter().map(post).collect::<Vec<_>>(), Time(seal.at_ms.unsigned_abs())).await?;
        transaction.commit().await?;
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
