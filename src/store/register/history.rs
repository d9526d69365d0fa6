//! How is a case read, with all that happened to it? From the chain, each event with the words beside it.

use serde::Serialize;
use sqlx::FromRow;

use crate::cases::case::Case;
use crate::cases::event::Event;
use crate::cases::ids::CaseNumber;
use crate::private::Private;
use crate::store::Store;
use crate::store::statement::{query, query_made};

use super::RegisterError;
use super::act::{COLUMNS, CaseRow};

/// One event as it is read.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct HistoryEntry {
    /// Its place in the chain.
    pub place: i64,
    /// What happened, when and by whom.
    #[serde(flatten)]
    pub event: Event,
    /// What was said; `None` where nothing was, or where it was erased by law.
    #[schema(value_type = Option<String>)]
    pub words: Option<Private<String>>,
    /// Whether words stood here that were erased.
    pub erased: bool,
    /// The chain's hash, in hexadecimal digits.
    pub hash: String,
}

/// A case with its history.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CaseDetail {
    /// Where it stands.
    #[serde(flatten)]
    pub row: CaseRow,
    /// The fold of its events.
    pub case: Case,
    /// All that happened, in order.
    pub history: Vec<HistoryEntry>,
}

#[derive(FromRow)]
struct Entry {
    place: i64,
    event: String,
    committed: bool,
    words: Option<String>,
    hash: Vec<u8>,
}

impl Store {
    /// A case with its history; `None` where there is none of this number.
    pub async fn case(&self, number: &CaseNumber) -> Result<Option<CaseDetail>, RegisterError> {
        let subject = number.to_string();
        let row = query_made(format!("SELECT {COLUMNS} FROM cases WHERE number = $1"));
        let row: Option<CaseRow> = row.bind(&subject).fetch_optional(self.db.readers()).await?;
        let Some(row) = row else { return Ok(None) };
        let history = self.history(&subject).await?;
        let case = Case::fold(history.iter().map(|entry| &entry.event)).map_err(|error| RegisterError::Unwritable(error.to_string()))?;
        Ok(Some(CaseDetail { row, case: case.ok_or_else(|| RegisterError::damaged("chain"))?, history }))
    }

    /// The events of a subject, in order.
    pub async fn history(&self, subject: &str) -> Result<Vec<HistoryEntry>, RegisterError> {
        let entries: Vec<Entry> = query(
            "SELECT chain.place AS place, chain.event AS event, chain.words IS NOT NULL AS committed, \
             chain_words.words AS words, chain.hash AS hash \
             FROM chain LEFT JOIN chain_words ON chain_words.place = chain.place WHERE chain.subject = $1 ORDER BY chain.place",
        )
        .bind(subject)
        .fetch_all(self.db.readers())
        .await?;
        entries.into_iter().map(Entry::read).collect()
    }
}

impl Entry {
    fn read(self) -> Result<HistoryEntry, RegisterError> {
        let event = serde_json::from_str(&self.event).map_err(|_| RegisterError::damaged("chain.event"))?;
        let hash = crate::cases::chain::Digest::try_from(self.hash.as_slice()).map_err(|_| RegisterError::damaged("chain.hash"))?;
        let erased = self.committed && self.words.is_none();
        Ok(HistoryEntry { place: self.place, event, words: self.words.map(Private::new), erased, hash: hash.to_string() })
    }
}
