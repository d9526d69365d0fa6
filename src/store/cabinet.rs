//! Which code proves that a number is a resident's, and which cases are theirs? Codes live for minutes, and what told one goes soon after.

use crate::cases::ids::CaseNumber;
use crate::centre::ids::CallerRef;
use crate::centre::time::Time;
use crate::private::Private;

use super::bulk::{ms, signed};
use super::statement::query;
use super::transaction::Lock;
use super::{Store, StoreError};

/// The most cases of one number that are listed.
const MOST: i64 = 100;
/// A code that was guessed wrongly so often opens nothing any more.
const WRONG_GUESSES: i64 = 5;
/// What told a code is deleted after this, in milliseconds, whether or not it was sent.
const TOLD_FOR_MS: u64 = 3_600_000;

/// What a case is a number's by: it was reported from it, or it is of a resident who has it.
const OWN: &str = "(case_people.caller = $1 OR case_people.resident IN (SELECT resident FROM resident_numbers WHERE caller = $1))";

impl Store {
    /// The cases of a number that its owner may see, the newest first, 100 at most. Restricted ones are left out: a telephone is often shared.
    pub async fn own_cases(&self, caller: CallerRef) -> Result<Vec<CaseNumber>, StoreError> {
        if caller.is_withheld() {
            return Ok(Vec::new());
        }
        let own = super::statement::query_made(format!(
            "SELECT cases.number FROM case_people JOIN cases ON cases.number = case_people.number \
             WHERE {OWN} AND cases.restricted IS NULL ORDER BY case_people.case_id DESC LIMIT $2"
        ));
        let own: Vec<(String,)> = own.bind(signed(caller.0)).bind(MOST).fetch_all(self.db.readers()).await?;
        Ok(own.into_iter().filter_map(|(number,)| number.parse().ok()).collect())
    }

    /// Whether a case is a number's, and its owner may see it.
    pub async fn is_own_case(&self, caller: CallerRef, number: &CaseNumber) -> Result<bool, StoreError> {
        if caller.is_withheld() {
            return Ok(false);
        }
        let own = super::statement::query_made(format!(
            "SELECT 1 FROM case_people JOIN cases ON cases.number = case_people.number \
             WHERE {OWN} AND cases.restricted IS NULL AND cases.number = $2"
        ));
        Ok(own.bind(signed(caller.0)).bind(number.to_string()).fetch_optional::<(i32,)>(self.db.readers()).await?.is_some())
    }

    /// Keeps the proof of a code in the place of the one of before, and writes what tells it in the place of what was not sent yet, in one
    /// transaction.
    pub async fn put_code(&self, caller: CallerRef, proof: &str, expires: Time, told: &str, at: Time) -> Result<(), StoreError> {
        let mut transaction = self.db.begin(Lock::Rows).await?;
        let put = query(
            "INSERT INTO cabinet_codes (caller, proof, expires_ms, wrong) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (caller) DO UPDATE SET proof = excluded.proof, expires_ms = excluded.expires_ms, wrong = excluded.wrong",
        );
        put.bind(signed(caller.0)).bind(proof).bind(ms(expires.0)).bind(0_i64).execute(&mut transaction).await?;
        // What told a code that is no use any more must not go out, nor keep the new one waiting.
        let unsent = query("DELETE FROM outbox WHERE subject = 'cabinet' AND receiver = $1 AND next_ms IS NOT NULL");
        unsent.bind(format!("sms:{}", signed(caller.0))).execute(&mut transaction).await?;
        let post = query(
            "INSERT INTO outbox (subject, receiver, kind, by_phone, caller, body, tries, created_ms, next_ms) \
             VALUES ('cabinet', $1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (subject, receiver, kind) DO NOTHING",
        );
        let post = post.bind(format!("sms:{}", signed(caller.0))).bind(format!("code:{}", at.0)).bind(false).bind(signed(caller.0));
        post.bind(told).bind(0_i64).bind(ms(at.0)).bind(ms(at.0)).execute(&mut transaction).await?;
        Ok(transaction.commit().await?)
    }

    /// Uses a code up; false where it is none, and the guess is counted.
    pub async fn take_code(&self, caller: CallerRef, proof: &str, now: Time) -> Result<bool, StoreError> {
        let taken = query("DELETE FROM cabinet_codes WHERE caller = $1 AND proof = $2 AND expires_ms > $3 AND wrong < $4");
        let taken = taken.bind(signed(caller.0)).bind(proof).bind(ms(now.0)).bind(WRONG_GUESSES).execute(self.db.writer()).await?;
        if taken == 0 {
            let wrong = query("UPDATE cabinet_codes SET wrong = wrong + 1 WHERE caller = $1");
            wrong.bind(signed(caller.0)).execute(self.db.writer()).await?;
        }
        Ok(taken == 1)
    }

    /// Deletes the codes that have expired, and what told them.
    pub async fn forget_expired_codes(&self, now: Time) -> Result<(), StoreError> {
        query("DELETE FROM cabinet_codes WHERE expires_ms <= $1").bind(ms(now.0)).execute(self.db.writer()).await?;
        let told = query("DELETE FROM outbox WHERE subject = 'cabinet' AND created_ms <= $1");
        told.bind(ms(now.0.saturating_sub(TOLD_FOR_MS))).execute(self.db.writer()).await?;
        Ok(())
    }

    /// The number of a caller, to be sent a message; `None` where it was erased.
    pub async fn number_of(&self, caller: CallerRef) -> Result<Option<Private<String>>, StoreError> {
        let number = query("SELECT number FROM callers WHERE caller = $1").bind(signed(caller.0));
        let number: Option<(Option<String>,)> = number.fetch_optional(self.db.readers()).await?;
        Ok(number.and_then(|(number,)| number).map(Private::new))
    }
}
