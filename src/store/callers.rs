//! Who calls? The resident behind a reference: what the core needs at once, and the story for the operator's screen.

use std::collections::BTreeMap;

use serde::Serialize;
use sqlx::FromRow;

use crate::caller::CallerSeen;
use crate::centre::ids::{AgentId, CallId, CallerRef, Language};
use crate::centre::input::CallerKnown;
use crate::centre::time::Time;
use crate::private::Private;

use super::bulk::{self, BulkRow, ms, signed};
use super::notes::Note;
use super::register::{COLUMNS, CaseRow, ResidentSketch};
use super::statement::{Statement, query, query_made};
use super::transaction::{Lock, Transaction};
use super::{Store, StoreError};

/// Calls in a story.
const LAST_CALLS: i64 = 5;

/// Open cases in a story.
const OPEN_CASES: i64 = 20;

const DAY_MS: i64 = 86_400_000;

/// What an operator sees of a resident while the phone rings. Personal data: only for the operator to whom the call is offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// The number, as it may be dialled; `None` when it is withheld.
    pub number: Option<Private<String>>,
    /// The name that the line gave.
    pub name: Option<Private<String>>,
    /// The last calls, newest first, five at most; the one that rings may be among them.
    pub calls: Vec<CallSketch>,
    /// Open cases, newest first, twenty at most.
    pub cases: Vec<CaseRow>,
    /// Callbacks owed.
    pub callbacks: i64,
    /// Those whose number it is, with what protects them; twenty at most.
    pub residents: Vec<ResidentSketch>,
    /// What operators have written of the number, the newest first, ten at most.
    pub notes: Vec<Note>,
    /// Until when the number is marked for abuse, in milliseconds since the epoch; it may be over.
    pub abuse_until_ms: Option<i64>,
}

/// An earlier call, as far as the story needs it. Times in milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow, utoipa::ToSchema)]
pub struct CallSketch {
    /// Its `CallId`.
    pub id: i64,
    /// The short number.
    pub number: Option<String>,
    /// When.
    pub started_ms: Option<i64>,
    /// What about.
    pub topic: Option<String>,
    /// Who answered.
    pub agent: Option<String>,
    /// An `EndReason` as a word; `None` while it is up.
    pub end_reason: Option<String>,
}

#[derive(FromRow)]
struct Known {
    language: Option<String>,
    open_cases: i64,
    district: Option<String>,
    last_operator: Option<String>,
    overdue_cases: i64,
    called_lately: i64,
    is_protected: i64,
    abuse_until_ms: Option<i64>,
}

#[derive(Default, FromRow)]
struct Resident {
    number: Option<String>,
    name: Option<String>,
    abuse_until_ms: Option<i64>,
}

impl Store {
    /// Keeps the numbers of those who called, in rising order of time, in one transaction.
    pub async fn remember_callers(&self, seen: &[CallerSeen]) -> Result<(), StoreError> {
        let mut known = BTreeMap::<CallerRef, SeenRow>::new();
        for seen in seen.iter().filter(|seen| seen.caller != CallerRef::WITHHELD) {
            known.entry(seen.caller).and_modify(|row| row.again(seen)).or_insert_with(|| SeenRow::new(seen));
        }
        if known.is_empty() {
            return Ok(());
        }
        let mut transaction = self.db.begin(Lock::Rows).await?;
        bulk::write(&mut transaction, &known.into_values().collect::<Vec<_>>()).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// What the core decides by, in one indexed query; nothing is known of a withheld number. `call` is the one that has just come in.
    pub async fn known(&self, caller: CallerRef, call: CallId, now: Time) -> Result<CallerKnown, StoreError> {
        if caller == CallerRef::WITHHELD {
            return Ok(CallerKnown::default());
        }
        let known: Known = query(
            "SELECT (SELECT language FROM callers WHERE caller = $1) AS language, \
             theirs.open_cases, theirs.overdue_cases, \
             (SELECT cases.district FROM case_people JOIN cases ON cases.id = case_people.case_id \
             WHERE case_people.caller = $1 AND cases.district IS NOT NULL ORDER BY cases.id DESC LIMIT 1) AS district, \
             (SELECT agent FROM calls WHERE caller = $1 AND agent IS NOT NULL ORDER BY id DESC LIMIT 1) AS last_operator, \
             (SELECT COUNT(*) FROM (SELECT id FROM calls WHERE caller = $1 AND id < $2 AND started_ms > $3 LIMIT 1) AS lately) AS called_lately, \
             (SELECT COUNT(*) FROM resident_numbers JOIN residents ON residents.id = resident_numbers.resident \
             WHERE resident_numbers.caller = $1 AND residents.protected IS NOT NULL) AS is_protected, \
             (SELECT abuse_until_ms FROM callers WHERE caller = $1) AS abuse_until_ms \
             FROM (SELECT COUNT(*) AS open_cases, COUNT(CASE WHEN cases.resolution_due_ms < $4 \
             OR (cases.reaction_kept_ms IS NULL AND cases.reaction_due_ms < $4) THEN 1 END) AS overdue_cases \
             FROM case_people JOIN cases ON cases.id = case_people.case_id WHERE case_people.caller = $1 AND cases.is_open) AS theirs",
        )
        .bind(signed(caller.0))
        .bind(signed(call.0))
        .bind(ms(now.0).saturating_sub(DAY_MS))
        .bind(ms(now.0))
        .fetch_one(self.db.readers())
        .await?;
        Ok(CallerKnown {
            language: known.language.as_deref().and_then(Language::from_code),
            open_cases: u32::try_from(known.open_cases).unwrap_or(u32::MAX),
            district: known.district,
            last_operator: known.last_operator.map(AgentId::from),
            overdue_cases: u32::try_from(known.overdue_cases).unwrap_or(u32::MAX),
            called_lately: known.called_lately > 0,
            is_protected: known.is_protected > 0,
            is_marked: known.abuse_until_ms.is_some_and(|until| until > ms(now.0)),
        })
    }

    /// The resident's story for the screen pop.
    pub async fn story(&self, caller: CallerRef) -> Result<Story, StoreError> {
        let id = signed(caller.0);
        let resident = query("SELECT number, name, abuse_until_ms FROM callers WHERE caller = $1").bind(id);
        let calls = query("SELECT id, number, started_ms, topic, agent, end_reason FROM calls WHERE caller = $1 ORDER BY id DESC LIMIT $2");
        // From the newest on, until there are enough: some have reported thousands.
        let columns = COLUMNS.split(", ").map(|column| format!("cases.{column}")).collect::<Vec<_>>().join(", ");
        let cases = query_made(format!(
            "SELECT {columns} FROM case_people JOIN cases ON cases.id = case_people.case_id \
             WHERE case_people.caller = $1 AND cases.is_open ORDER BY case_people.case_id DESC LIMIT $2"
        ));
        let callbacks = query("SELECT COUNT(*) FROM callbacks WHERE caller = $1 AND done_ms IS NULL");
        // At once, because somebody looks at a screen that is empty.
        let (resident, calls, cases, callbacks, residents, notes) = tokio::try_join!(
            async { Ok(resident.fetch_optional::<Resident>(self.db.readers()).await?) },
            async { Ok(calls.bind(id).bind(LAST_CALLS).fetch_all(self.db.readers()).await?) },
            async { Ok(cases.bind(id).bind(OPEN_CASES).fetch_all(self.db.readers()).await?) },
            async { Ok(callbacks.bind(id).fetch_scalar(self.db.readers()).await?) },
            self.residents_of(caller),
            self.notes_of(caller),
        )?;
        let resident = resident.unwrap_or_default();
        let (number, name) = (resident.number.map(Private::new), resident.name.map(Private::new));
        Ok(Story { number, name, calls, cases, callbacks, residents, notes, abuse_until_ms: resident.abuse_until_ms })
    }
}

/// What a batch says of a caller: the last number, the last name that came with one.
struct SeenRow<'a> {
    last: &'a CallerSeen,
    name: Option<&'a Private<String>>,
    first: Time,
}

impl<'a> SeenRow<'a> {
    fn new(seen: &'a CallerSeen) -> Self {
        Self { last: seen, name: seen.name.as_ref(), first: seen.at }
    }

    fn again(&mut self, seen: &'a CallerSeen) {
        self.last = seen;
        self.name = seen.name.as_ref().or(self.name);
    }
}

impl BulkRow for SeenRow<'_> {
    const HEAD: &'static str = "INSERT INTO callers (caller, number, name, first_ms, last_ms) VALUES ";
    const TAIL: &'static str = " ON CONFLICT (caller) DO UPDATE SET number = excluded.number, name = COALESCE(excluded.name, callers.name), \
        last_ms = excluded.last_ms";
    const COLUMNS: usize = 5;

    fn bind(&self, statement: Statement) -> Statement {
        statement
            .bind(signed(self.last.caller.0))
            .bind(self.last.number.reveal())
            .bind(self.name.map(Private::reveal))
            .bind(ms(self.first.0))
            .bind(ms(self.last.at.0))
    }
}

/// The language that a caller chose by a key.
pub(super) struct LanguageRow {
    pub caller: CallerRef,
    pub language: Language,
    pub at: Time,
}

impl BulkRow for LanguageRow {
    const HEAD: &'static str = "INSERT INTO callers (caller, language, first_ms, last_ms) VALUES ";
    const TAIL: &'static str = " ON CONFLICT (caller) DO UPDATE SET language = excluded.language";
    const COLUMNS: usize = 4;

    fn bind(&self, statement: Statement) -> Statement {
        statement.bind(signed(self.caller.0)).bind(self.language.code()).bind(ms(self.at.0)).bind(ms(self.at.0))
    }
}

/// A number that an operator has marked for abuse.
pub(super) struct MarkRow {
    caller: CallerRef,
    agent: AgentId,
    until_ms: i64,
}

impl MarkRow {
    /// `None` where the number is withheld: there is nothing to mark.
    pub fn new(at: Time, caller: CallerRef, agent: &AgentId, days: u8) -> Option<Self> {
        let until_ms = ms(at.0).saturating_add(i64::from(days) * DAY_MS);
        (!caller.is_withheld()).then(|| Self { caller, agent: agent.clone(), until_ms })
    }

    /// The row of the caller may not be there yet: numbers come by another way.
    pub async fn write(&self, transaction: &mut Transaction) -> Result<(), sqlx::Error> {
        let marked = query(
            "INSERT INTO callers (caller, first_ms, last_ms, abuse_until_ms, abuse_by) VALUES ($1, 0, 0, $2, $3) \
             ON CONFLICT (caller) DO UPDATE SET abuse_until_ms = excluded.abuse_until_ms, abuse_by = excluded.abuse_by",
        );
        marked.bind(signed(self.caller.0)).bind(self.until_ms).bind(self.agent.as_str().to_owned()).execute(transaction).await?;
        Ok(())
    }
}
