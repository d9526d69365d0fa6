//! With which numbers do records and calls go on? Above all that the journal holds and the database has seen.

use crate::store::{Store, StoreError};

/// How far the numbers leap where the database cannot be asked: far more than a torn journal can have lost.
const LEAP: u64 = 1_000_000;

/// The first numbers of a new process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct First {
    /// Of a record.
    pub seq: u64,
    /// Of a call.
    pub call: u64,
}

impl First {
    /// A journal that was cut short or set aside must not make numbers that the database has seen begin again. While the database is away
    /// a journal that is there (`resumed`) is believed, with room for what it may have lost; without one there is no start.
    pub async fn unseen_by(self, store: &Store, resumed: bool) -> Result<First, StoreError> {
        match seen(store).await {
            Ok(seen) => Ok(First { seq: self.seq.max(seen.seq + 1), call: self.call.max(seen.call + 1) }),
            Err(StoreError::Away(_)) if resumed => Ok(First { seq: self.seq + LEAP, call: self.call + LEAP }),
            Err(error) => {
                // Says which database it is, and what to do.
                store.prepare().await?;
                Err(error)
            }
        }
    }
}

async fn seen(store: &Store) -> Result<First, StoreError> {
    let seq = store.position().await?.map_or(0, |position| position.0);
    let call = store.highest_call().await?.map_or(0, |call| call.0);
    Ok(First { seq, call })
}
