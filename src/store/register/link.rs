//! How do the cases of an incident learn of it, and who is told that it is over? In batches, each whole, so that nothing waits for a thousand.

use std::collections::BTreeMap;

use sqlx::FromRow;

use crate::cases::event::{Author, What};
use crate::cases::ids::{CaseNumber, TopicId};
use crate::cases::incident_life::Incident;
use crate::cases::telling;
use crate::centre::ids::{CallerRef, Language};
use crate::centre::time::Time;
use crate::store::Store;
use crate::store::bulk::ms;
use crate::store::outbox::{self, Post};
use crate::store::statement::query;
use crate::store::transaction::{Lock, Transaction};

use super::RegisterError;
use super::act::change_in;
use super::book::Names;
use super::incidents::subject;

/// Cases that are linked in one transaction.
const LINKED_AT_ONCE: i64 = 100;
/// Residents whose messages are written at once.
const TOLD_AT_ONCE: i64 = 500;
/// How long after the end a subscription may still come: the projection of facts lags that far at most, unless the database was away.
const LATE_MS: u64 = 7 * 24 * 3_600_000;

/// The names of topics, by their ids.
pub(super) type TopicNames = BTreeMap<String, Names>;

/// Somebody who is to be told.
#[derive(FromRow)]
struct Receiver {
    caller: i64,
    language: Option<String>,
}

impl Store {
    /// Writes into the history of cases that they belong to a confirmed incident, a hundred at once; returns how many.
    ///
    /// # Errors
    /// When the database refuses; nothing of the batch is written then.
    pub async fn link_cases(&self, now: Time) -> Result<usize, RegisterError> {
        let register = self.register().await?;
        let mut transaction = self.db.begin(Lock::Register).await?;
        let owed: Vec<(i64, String)> = query(
            "SELECT incident_cases.incident, incident_cases.number FROM incident_cases JOIN incidents ON incidents.n = incident_cases.incident \
             WHERE NOT incident_cases.linked AND NOT incident_cases.parted AND incidents.state IN ('confirmed', 'fixed') \
             ORDER BY incident_cases.incident, incident_cases.number LIMIT $1",
        )
        .bind(LINKED_AT_ONCE)
        .fetch_all(&mut transaction)
        .await?;
        let by = Author::System { part: "incidents".to_owned() };
        for (incident, number) in &owed {
            let case: CaseNumber = number.parse().map_err(|_| RegisterError::damaged("incident_cases.number"))?;
            let what = What::Linked { incident: incident.to_string().into() };
            change_in(&mut transaction, &case, &register, &by, None, now, |_, _| Ok(what)).await?;
            let done = query("UPDATE incident_cases SET linked = TRUE WHERE incident = $1 AND number = $2");
            done.bind(*incident).bind(number).execute(&mut transaction).await?;
        }
        transaction.commit().await?;
        Ok(owed.len())
    }

    /// Tells those whose subscription or case came to be known after their incident was fixed.
    ///
    /// # Errors
    /// When the database refuses; whoever was told before stays told.
    pub async fn tell_late(&self, now: Time) -> Result<(), RegisterError> {
        let since = ms(now.0.saturating_sub(LATE_MS));
        let fixed: Vec<(i64, String)> = query("SELECT n, body FROM incidents WHERE state = 'fixed' AND changed_ms >= $1 ORDER BY n")
            .bind(since)
            .fetch_all(self.db.readers())
            .await?;
        for (n, body) in fixed {
            let waiting: Option<Receiver> = query(RECEIVERS).bind(n).bind(subject(n)).bind(1_i64).fetch_optional(self.db.readers()).await?;
            if waiting.is_none() {
                continue;
            }
            let incident: Incident = serde_json::from_str(&body).map_err(|_| RegisterError::damaged("incidents.body"))?;
            let names = self.topic_names().await?;
            let mut transaction = self.db.begin(Lock::Register).await?;
            tell_fixed(&mut transaction, n, &incident.topic, &names, now).await?;
            transaction.commit().await?;
        }
        Ok(())
    }

    pub(super) async fn topic_names(&self) -> Result<TopicNames, RegisterError> {
        Ok(self.rule_book().await?.1.topics.into_iter().map(|topic| (topic.id, topic.names)).collect())
    }
}

/// Those who have a case in an incident, less those whose consent is not there, and those who subscribed; less those who are told already.
const RECEIVERS: &str = "SELECT receivers.caller AS caller, \
     COALESCE(callers.language, (SELECT language FROM subscriptions WHERE incident = $1 AND caller = receivers.caller)) AS language \
     FROM (SELECT case_people.caller AS caller FROM incident_cases JOIN cases ON cases.number = incident_cases.number \
     JOIN case_people ON case_people.case_id = cases.id \
     LEFT JOIN residents ON residents.id = case_people.resident WHERE incident_cases.incident = $1 AND NOT incident_cases.parted \
     AND case_people.caller IS NOT NULL \
     AND (case_people.resident IS NULL OR residents.consent_ms IS NOT NULL) \
     UNION SELECT subscriptions.caller AS caller FROM subscriptions WHERE subscriptions.incident = $1) AS receivers \
     LEFT JOIN callers ON callers.caller = receivers.caller \
     WHERE NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.subject = $2 AND outbox.kind = 'fixed' \
     AND outbox.receiver = 'caller:' || CAST(receivers.caller AS TEXT)) ORDER BY receivers.caller LIMIT $3";

/// Writes a call to be made for everybody who is to know that it is over, each once. The transaction holds `Lock::Register`.
pub(super) async fn tell_fixed(
    transaction: &mut Transaction,
    n: i64,
    topic: &TopicId,
    names: &TopicNames,
    at: Time,
) -> Result<(), RegisterError> {
    loop {
        let receivers: Vec<Receiver> = query(RECEIVERS).bind(n).bind(subject(n)).bind(TOLD_AT_ONCE).fetch_all(&mut *transaction).await?;
        if receivers.is_empty() {
            return Ok(());
        }
        let posts: Vec<Post> = receivers
            .into_iter()
            .map(|receiver| {
                let language = receiver.language.as_deref().and_then(Language::from_code).unwrap_or(telling::UNKNOWN);
                let name = names.get(topic.as_str()).and_then(|names| names.get(language.code()));
                let text = telling::fixed(language, name.map_or(topic.as_str(), String::as_str));
                Post::call(CallerRef(receiver.caller.cast_unsigned()), language, &subject(n), "fixed", text)
            })
            .collect();
        outbox::post(transaction, &posts, at).await?;
    }
}
