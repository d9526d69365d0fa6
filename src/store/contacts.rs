//! How often does somebody turn to the city, and what comes of it? Contacts, counted apart from cases.

use serde::Serialize;
use sqlx::FromRow;

use crate::cases::contact::Disposition;
use crate::cases::event::Channel;
use crate::centre::ids::{CallId, CallerRef};
use crate::centre::time::Time;
use crate::report::resolution::FirstCalls;

use super::bulk::{ms, signed};
use super::statement::{Conditions, On, query};
use super::{Sight, Store, StoreError};

#[cfg(test)]
mod tests;

/// A case that the centre itself does within this counts as closed at the first call.
const AT_ONCE_MS: i64 = 3_600_000;
const DAY_MS: i64 = 86_400_000;

/// A contact to be kept.
#[derive(Clone, Debug)]
pub struct NewContact {
    /// The account, or the channel's name.
    pub by_name: String,
    /// The form's own name: the same one from the same author is the same contact.
    pub draft: String,
    /// By which way.
    pub channel: Channel,
    /// Whose it was.
    pub caller: CallerRef,
    /// In which call.
    pub call: Option<CallId>,
    /// What about.
    pub topic: Option<String>,
    /// Where.
    pub district: Option<String>,
    /// What came of it.
    pub disposition: Disposition,
    /// The article that answered it.
    pub article: Option<i64>,
    /// The case that came of it, or was asked for.
    pub number: Option<String>,
}

/// Contacts of one kind.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct ContactCount {
    /// A [`Disposition`] as a word.
    pub disposition: String,
    /// A `Channel` as a word.
    pub channel: String,
    /// How many.
    pub count: i64,
}

/// Cases of a district, for the map. What has no district stands under none.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct DistrictCount {
    /// The district.
    pub district: Option<String>,
    /// Cases.
    pub cases: i64,
    /// Of these, open.
    pub open: i64,
    /// Of these, late.
    pub overdue: i64,
}

impl Store {
    /// Keeps a contact; the same draft again is the same one, and so is a call that has a contact already. True where it is another.
    pub async fn write_contact(&self, contact: &NewContact, at: Time) -> Result<bool, StoreError> {
        let counted = write(self.db.writer(), contact, at).await?;
        super::drafts::written(self.db.writer(), &contact.by_name, &contact.draft).await?;
        Ok(counted)
    }

    /// Contacts of `from..to` by what came of them and by which way they came.
    pub async fn contacts(&self, from: Time, to: Time) -> Result<Vec<ContactCount>, StoreError> {
        let counts = query(
            "SELECT disposition, channel, COUNT(*) AS count FROM contacts WHERE at_ms >= $1 AND at_ms < $2 \
             GROUP BY disposition, channel ORDER BY disposition, channel",
        );
        Ok(counts.bind(ms(from.0)).bind(ms(to.0)).fetch_all(self.db.readers()).await?)
    }

    /// The counts of first-call resolution over contacts of `from..to`; repeats are looked for within `days`.
    pub async fn first_calls(&self, from: Time, to: Time, days: u32, now: Time) -> Result<FirstCalls, StoreError> {
        let within = i64::from(days) * DAY_MS;
        let (contacts, closed_at_once): (i64, i64) = query(
            "SELECT COUNT(*), COUNT(CASE WHEN c.disposition = 'consultation' OR (cases.organisation IS NULL AND \
             cases.resolution_kept_ms <= cases.registered_ms + $3) THEN 1 END) \
             FROM contacts AS c LEFT JOIN cases ON cases.number = c.number AND c.disposition = 'case' \
             WHERE c.at_ms >= $1 AND c.at_ms < $2 AND c.disposition NOT IN ('wrong_number', 'silent')",
        )
        .bind(ms(from.0))
        .bind(ms(to.0))
        .bind(AT_ONCE_MS)
        .fetch_one(self.db.readers())
        .await?;
        let (followed, repeated): (i64, i64) = query(
            "SELECT COUNT(*), COUNT(CASE WHEN EXISTS (SELECT 1 FROM contacts AS later WHERE later.caller = c.caller \
             AND later.topic = c.topic AND later.at_ms > c.at_ms AND later.at_ms <= c.at_ms + $3) \
             OR EXISTS (SELECT 1 FROM case_people AS near JOIN contacts AS later ON later.number = near.number \
             WHERE near.building = here.building AND later.topic = c.topic AND later.at_ms > c.at_ms \
             AND later.at_ms <= c.at_ms + $3) THEN 1 END) \
             FROM contacts AS c LEFT JOIN case_people AS here ON here.number = c.number \
             WHERE c.at_ms >= $1 AND c.at_ms < $2 AND c.at_ms <= $4 AND c.topic IS NOT NULL \
             AND (c.caller IS NOT NULL OR here.building IS NOT NULL) AND c.disposition NOT IN ('wrong_number', 'silent')",
        )
        .bind(ms(from.0))
        .bind(ms(to.0))
        .bind(within)
        .bind(ms(now.0) - within)
        .fetch_one(self.db.readers())
        .await?;
        let [contacts, closed_at_once, followed, repeated] = [contacts, closed_at_once, followed, repeated].map(i64::cast_unsigned);
        Ok(FirstCalls { contacts, closed_at_once, followed, repeated, days })
    }

    /// Cases that were registered in `from..to`, by district: what the account sees of them.
    pub async fn districts(
        &self,
        from: Time,
        to: Time,
        topic: Option<&str>,
        sight: &Sight,
        now: Time,
    ) -> Result<Vec<DistrictCount>, StoreError> {
        let mut wanted = Conditions::default();
        wanted.add("registered_ms >= $", ms(from.0));
        wanted.add("registered_ms < $", ms(to.0));
        if let Some(topic) = topic {
            wanted.add("(topic = $ OR (topic > $ || '/' AND topic < $ || '0'))", topic);
        }
        sight.narrow(&mut wanted);
        // A whole number of ours, so that it needs no place among the values.
        let now = ms(now.0);
        let late = format!("resolution_due_ms < {now} OR (reaction_kept_ms IS NULL AND reaction_due_ms < {now})");
        let select = format!(
            "SELECT district, COUNT(*) AS cases, COUNT(CASE WHEN is_open THEN 1 END) AS open, \
             COUNT(CASE WHEN is_open AND ({late}) THEN 1 END) AS overdue FROM cases"
        );
        let statement = wanted.query(&select, "GROUP BY district ORDER BY district LIMIT $", 1_000);
        let mut counts: Vec<DistrictCount> = statement.fetch_all(self.db.readers()).await?;
        // The databases disagree where NULL stands.
        counts.sort_by(|one, other| one.district.cmp(&other.district));
        Ok(counts)
    }
}

/// The same also within a transaction.
pub(super) async fn write(on: impl Into<On<'_>>, contact: &NewContact, at: Time) -> Result<bool, sqlx::Error> {
    let channel = serde_json::to_value(contact.channel).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default();
    let written = query(
        "INSERT INTO contacts (at_ms, by_name, draft, channel, caller, call_id, topic, district, disposition, article, number) \
         SELECT CAST($1 AS BIGINT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS BIGINT), CAST($6 AS BIGINT), \
         CAST($7 AS TEXT), CAST($8 AS TEXT), CAST($9 AS TEXT), CAST($10 AS BIGINT), CAST($11 AS TEXT) \
         WHERE $6 IS NULL OR NOT EXISTS (SELECT 1 FROM contacts WHERE call_id = $6) ON CONFLICT (by_name, draft) DO NOTHING",
    );
    let written = written
        .bind(ms(at.0))
        .bind(&contact.by_name)
        .bind(&contact.draft)
        .bind(channel)
        .bind((!contact.caller.is_withheld()).then(|| signed(contact.caller.0)))
        .bind(contact.call.map(|call| signed(call.0)))
        .bind(contact.topic.clone())
        .bind(contact.district.clone())
        .bind(contact.disposition.word())
        .bind(contact.article)
        .bind(contact.number.clone())
        .execute(on)
        .await?;
    Ok(written == 1)
}
