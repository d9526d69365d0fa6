//! What is somebody still to be told, and was it done? Each message is written once, with what it is about, and stays as a record.
//!
//! The table is bounded by what it is about: a case has as many messages as forwardings and steps of escalation, an incident one a resident.

use serde::Serialize;
use sqlx::FromRow;

use crate::centre::ids::{CallerRef, Language};
use crate::centre::time::Time;

use super::bulk::{self, BulkRow, ms, signed};
use super::statement::{Statement, query};
use super::transaction::{Lock, Transaction};
use super::{Store, StoreError};

/// Messages to one receiver that are due at once: one that is away must not take the place of all others.
const OF_ONE: i64 = 5;

/// The most calls to residents that one request gets.
const MOST: i64 = 500;

/// A message to be written. The same subject, receiver and kind again is the same message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    subject: String,
    receiver: String,
    kind: String,
    caller: Option<CallerRef>,
    language: Option<Language>,
    body: String,
}

/// A message that is due. The body is JSON without personal data.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Message {
    /// Its number, by which a receiver knows it again.
    pub id: i64,
    /// What it is about: a case's number, or "incident:7".
    pub subject: String,
    /// "organisation:heat", "head:heat", "supervisors", "city" or a webhook of the settings.
    pub receiver: String,
    /// What it says of that: "forwarded:17", "escalated:resolution:2".
    pub kind: String,
    /// JSON.
    pub body: String,
    /// How often it was tried.
    pub tries: i64,
}

/// Where an organisation is reached.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Reach {
    /// The address that messages are posted to.
    pub webhook: Option<String>,
    /// The key that signs them.
    pub secret: Option<String>,
    /// The mail address.
    pub email: Option<String>,
    /// Who is told when it is late: a mail address, or a name.
    pub head: Option<String>,
}

/// A resident who is to be called. Times in milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow, utoipa::ToSchema)]
pub struct CallToMake {
    /// Its number, by which it is ticked off.
    pub id: i64,
    /// What it is about: "incident:7".
    pub subject: String,
    /// The number to call; personal data, for those who make the call.
    pub number: Option<String>,
    /// In which language the resident speaks, by its code.
    pub language: Option<String>,
    /// What to say, in that language.
    pub text: String,
    /// Since when.
    pub created_ms: i64,
}

impl Post {
    /// To an organisation, its head, the supervisors or city hall.
    pub fn to(receiver: String, subject: &str, kind: String, body: String) -> Self {
        Self { subject: subject.to_owned(), receiver, kind, caller: None, language: None, body }
    }

    /// To a resident, by an operator's call.
    pub fn call(caller: CallerRef, language: Language, subject: &str, kind: &str, text: String) -> Self {
        let receiver = format!("caller:{}", signed(caller.0));
        Self { subject: subject.to_owned(), receiver, kind: kind.to_owned(), caller: Some(caller), language: Some(language), body: text }
    }
}

impl BulkRow for (&Post, Time) {
    const HEAD: &'static str =
        "INSERT INTO outbox (subject, receiver, kind, by_phone, caller, language, body, tries, created_ms, next_ms) VALUES ";
    const TAIL: &'static str = " ON CONFLICT (subject, receiver, kind) DO NOTHING";
    const COLUMNS: usize = 10;

    fn bind(&self, statement: Statement) -> Statement {
        let (post, at) = self;
        let by_phone = post.caller.is_some();
        statement
            .bind(&post.subject)
            .bind(&post.receiver)
            .bind(&post.kind)
            .bind(by_phone)
            .bind(post.caller.map(|caller| signed(caller.0)))
            .bind(post.language.map(Language::code))
            .bind(&post.body)
            .bind(0_i64)
            .bind(ms(at.0))
            .bind((!by_phone).then_some(ms(at.0)))
    }
}

/// Writes messages beside what they tell of, in its transaction.
pub(super) async fn post(transaction: &mut Transaction, posts: &[Post], at: Time) -> Result<(), sqlx::Error> {
    let rows: Vec<(&Post, Time)> = posts.iter().map(|post| (post, at)).collect();
    bulk::write(transaction, &rows).await
}

impl Store {
    /// Writes that an alert was raised or ended, once.
    pub async fn post_alert(&self, receiver: &str, id: u64, what: &str, body: String, at: Time) -> Result<(), StoreError> {
        let mut transaction = self.db.begin(Lock::Rows).await?;
        post(&mut transaction, &[Post::to(receiver.to_owned(), &format!("alert:{id}"), what.to_owned(), body)], at).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Messages that are due, the oldest first, `most` at most and [`OF_ONE`] to one receiver. A receiver is told one thing after the other of
    /// what it is told about: a new message has the one before it tried again, and waits until that was taken or given up.
    pub async fn messages_due(&self, now: Time, most: u32) -> Result<Vec<Message>, StoreError> {
        let due = query(
            "SELECT id, subject, receiver, kind, body, tries FROM (SELECT id, subject, receiver, kind, body, tries, next_ms, \
             ROW_NUMBER() OVER (PARTITION BY receiver ORDER BY next_ms, id) AS place FROM outbox WHERE id IN \
             (SELECT (SELECT MIN(first.id) FROM outbox AS first WHERE first.subject = due.subject AND first.receiver = due.receiver \
             AND first.next_ms IS NOT NULL) FROM outbox AS due WHERE due.next_ms <= $1)) AS firsts \
             WHERE place <= $2 ORDER BY next_ms, id LIMIT $3",
        );
        Ok(due.bind(ms(now.0)).bind(OF_ONE).bind(i64::from(most)).fetch_all(self.db.readers()).await?)
    }

    /// Notes that a message was taken; `how` is its way ("webhook", "mail", "file").
    pub async fn message_sent(&self, id: i64, how: &str, at: Time) -> Result<(), StoreError> {
        let done = query("UPDATE outbox SET done_ms = $1, done_by = $2, next_ms = NULL, tries = tries + 1, error = NULL WHERE id = $3");
        done.bind(ms(at.0)).bind(how).bind(id).execute(self.db.writer()).await?;
        Ok(())
    }

    /// Notes that it was not, and when it is tried again, with those behind it that tell the same receiver of the same; without a moment it is
    /// given up, and stays with its error.
    pub async fn message_failed(&self, id: i64, error: &str, again: Option<Time>) -> Result<(), StoreError> {
        let mut transaction = self.db.begin(Lock::Rows).await?;
        let failed = query("UPDATE outbox SET next_ms = $1, tries = tries + 1, error = $2 WHERE id = $3");
        failed.bind(again.map(|again| ms(again.0))).bind(error).bind(id).execute(&mut transaction).await?;
        if let Some(again) = again {
            let behind = query(
                "UPDATE outbox SET next_ms = $1 WHERE id > $2 AND next_ms < $1 AND subject = (SELECT subject FROM outbox WHERE id = $2) \
                 AND receiver = (SELECT receiver FROM outbox WHERE id = $2)",
            );
            behind.bind(ms(again.0)).bind(id).execute(&mut transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Where an organisation is reached; `None` where there is none of this id.
    pub async fn reach(&self, organisation: &str) -> Result<Option<Reach>, StoreError> {
        let reach = query("SELECT webhook, secret, email, head FROM organisations WHERE id = $1");
        Ok(reach.bind(organisation).fetch_optional(self.db.readers()).await?)
    }

    /// Residents who are to be called, those who wait longest first.
    pub async fn calls_to_make(&self) -> Result<Vec<CallToMake>, StoreError> {
        let calls = query(
            "SELECT outbox.id AS id, outbox.subject AS subject, callers.number AS number, outbox.language AS language, \
             outbox.body AS text, outbox.created_ms AS created_ms FROM outbox LEFT JOIN callers ON callers.caller = outbox.caller \
             WHERE by_phone AND done_ms IS NULL ORDER BY outbox.created_ms, outbox.id LIMIT $1",
        );
        Ok(calls.bind(MOST).fetch_all(self.db.readers()).await?)
    }

    /// Notes that a resident was called; false where no such call is to be made.
    pub async fn call_made(&self, id: i64, by: &str, at: Time) -> Result<bool, StoreError> {
        let done = query("UPDATE outbox SET done_ms = $1, done_by = $2, tries = tries + 1 WHERE id = $3 AND by_phone AND done_ms IS NULL");
        Ok(done.bind(ms(at.0)).bind(by).bind(id).execute(self.db.writer()).await? == 1)
    }
}
