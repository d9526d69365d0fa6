//! How does an event get behind the last one? In the transaction that it belongs to, with the register's lock held.

use serde::Serialize;
use sqlx::FromRow;

use crate::cases::chain::{Digest, Link, commit};
use crate::centre::time::Time;
use crate::store::bulk::ms;
use crate::store::statement::query;
use crate::store::transaction::Transaction;

use super::RegisterError;

#[derive(FromRow)]
struct Head {
    place: i64,
    hash: Vec<u8>,
}

/// Appends an event with the words beside it, and returns its place. The transaction must hold `Lock::Register`.
pub(super) async fn append(
    transaction: &mut Transaction,
    subject: &str,
    at: Time,
    event: &impl Serialize,
    words: Option<&str>,
) -> Result<u64, RegisterError> {
    let head: Option<Head> = query("SELECT place, hash FROM chain ORDER BY place DESC LIMIT 1").fetch_optional(&mut *transaction).await?;
    let (last, before) = match &head {
        None => (0, Digest::default()),
        Some(head) => (head.place, Digest::try_from(head.hash.as_slice()).map_err(|_| RegisterError::damaged("chain.hash"))?),
    };
    let event = serde_json::to_string(event).map_err(|error| RegisterError::Unwritable(error.to_string()))?;
    // What the database would not give back as it was must not be hashed as it is: PostgreSQL keeps no U+0000.
    let words = words.map(|words| words.replace('\0', "\u{FFFD}"));
    let salted = words.as_deref().map(salted).transpose()?;
    let place = last + 1;
    let link =
        Link { place: place.cast_unsigned(), subject, at_ms: ms(at.0), event: &event, words: salted.as_ref().map(|(_, digest)| *digest) };
    let hash = link.hash(&before);
    query("INSERT INTO chain (place, subject, at_ms, event, words, hash) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(place)
        .bind(subject)
        .bind(link.at_ms)
        .bind(&event)
        .bind(link.words.map(|digest| digest.0.to_vec()))
        .bind(hash.0.to_vec())
        .execute(&mut *transaction)
        .await?;
    if let (Some(words), Some((salt, _))) = (words, salted) {
        let beside = query("INSERT INTO chain_words (place, salt, words) VALUES ($1, $2, $3)");
        beside.bind(place).bind(salt.to_vec()).bind(words).execute(&mut *transaction).await?;
    }
    Ok(place.cast_unsigned())
}

fn salted(words: &str) -> Result<([u8; 32], Digest), RegisterError> {
    let mut salt = [0; 32];
    getrandom::fill(&mut salt).map_err(|error| RegisterError::Unwritable(format!("the system gives no random numbers: {error}")))?;
    Ok((salt, commit(&salt, words)))
}
