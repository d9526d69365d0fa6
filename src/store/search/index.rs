//! By which words is a case found? What is written into the index with it, and goes when it is erased.

use std::collections::BTreeSet;

use crate::cases::case::Case;
use crate::cases::ids::CaseNumber;
use crate::cases::words::{Groups, distinct};
use crate::store::bulk::{self, BulkRow};
use crate::store::register::{Address, Register, RegisterError, ReportWords};
use crate::store::statement::{Statement, query, query_made};
use crate::store::transaction::Transaction;

use super::{Asked, Fit, in_fts5, in_lexemes};

/// Words of a case that are kept; what follows is not found.
const MOST_KEPT: usize = 600;

/// All that a case is found by.
fn kept(words: &ReportWords, number: &CaseNumber, case: &Case, register: &Register) -> BTreeSet<String> {
    let mut text = words.text.reveal().clone();
    let mut say = |more: &str| {
        text.push(' ');
        text.push_str(more);
    };
    if let Some(Address { street, house, flat }) = &words.address {
        for part in [Some(street), house.as_ref(), flat.as_ref()].into_iter().flatten() {
            say(part.reveal());
        }
    }
    for (_, names) in register.topic_names.iter().filter(|(topic, _)| case.topic.is_within(topic)) {
        say(names);
    }
    say(&format!("{} {:06}", number.n, number.n));
    distinct(&text).into_iter().take(MOST_KEPT).collect()
}

/// Makes a case be found by its words from now on, and no more by those of before. The transaction must hold `Lock::Register`.
pub(in crate::store) async fn index(
    transaction: &mut Transaction,
    number: &CaseNumber,
    case: &Case,
    words: &ReportWords,
    register: &Register,
) -> Result<(), RegisterError> {
    forget(transaction, number).await?;
    let kept = kept(words, number, case, register);
    let text = kept.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    query("INSERT INTO case_search (id, words) SELECT id, $1 FROM cases WHERE number = $2")
        .bind(text)
        .bind(number.to_string())
        .execute(&mut *transaction)
        .await?;
    Ok(learn(transaction, kept).await?)
}

/// The same, for a case whose topic was corrected, from the words of its registration; an erased one has none.
pub(in crate::store) async fn index_anew(
    transaction: &mut Transaction,
    number: &CaseNumber,
    case: &Case,
    register: &Register,
) -> Result<(), RegisterError> {
    let words: Option<(String,)> = query("SELECT words FROM chain_words WHERE place = (SELECT MIN(place) FROM chain WHERE subject = $1)")
        .bind(number.to_string())
        .fetch_optional(&mut *transaction)
        .await?;
    match words.and_then(|(words,)| serde_json::from_str(&words).ok()) {
        Some(words) => index(transaction, number, case, &words, register).await,
        None => Ok(()),
    }
}

/// Takes a case out of what is searched, and each word that stood in no other case. The transaction must hold `Lock::Register`.
pub(in crate::store) async fn forget(transaction: &mut Transaction, number: &CaseNumber) -> Result<(), sqlx::Error> {
    let of_case = "id = (SELECT id FROM cases WHERE number = $1)";
    let kept: Option<(String,)> = query_made(format!("SELECT words FROM case_search WHERE {of_case}"))
        .bind(number.to_string())
        .fetch_optional(&mut *transaction)
        .await?;
    let Some((words,)) = kept else { return Ok(()) };
    query_made(format!("DELETE FROM case_search WHERE {of_case}")).bind(number.to_string()).execute(&mut *transaction).await?;
    for word in words.split(' ') {
        if standing(transaction, word).await? {
            continue;
        }
        query("DELETE FROM search_words WHERE word = $1").bind(word).execute(&mut *transaction).await?;
        for group in Groups::of(word).texts() {
            let gone = query("DELETE FROM search_trigrams WHERE trigram = $1 AND word = $2");
            gone.bind(group).bind(word).execute(&mut *transaction).await?;
        }
    }
    Ok(())
}

/// Whether a word stands in any case.
async fn standing(transaction: &mut Transaction, word: &str) -> Result<bool, sqlx::Error> {
    let asked = [Asked { word: word.to_owned(), alike: Vec::new() }];
    let statement = match transaction {
        Transaction::Sqlite(_) => {
            query("SELECT rowid FROM case_search_fts WHERE case_search_fts MATCH $1 LIMIT 1").bind(in_fts5(&asked, Fit::Whole))
        }
        Transaction::Postgres(_) => {
            query("SELECT id FROM case_search WHERE lexemes @@ CAST($1 AS TSQUERY) LIMIT 1").bind(in_lexemes(&asked, Fit::Whole))
        }
    };
    Ok(statement.fetch_optional::<(i64,)>(&mut *transaction).await?.is_some())
}

/// Keeps words that stood in no case before, so that what is mistyped finds them.
async fn learn(transaction: &mut Transaction, kept: BTreeSet<String>) -> Result<(), sqlx::Error> {
    let mut words: Vec<String> = kept.into_iter().filter(|word| !Groups::of(word).is_empty()).collect();
    let mut known = BTreeSet::new();
    for part in words.chunks(64) {
        let places: Vec<String> = (1..=part.len()).map(|n| format!("${n}")).collect();
        let statement = query_made(format!("SELECT word FROM search_words WHERE word IN ({})", places.join(", ")));
        let rows: Vec<(String,)> = part.iter().fold(statement, |statement, word| statement.bind(word)).fetch_all(&mut *transaction).await?;
        known.extend(rows.into_iter().map(|(word,)| word));
    }
    words.retain(|word| !known.contains(word));
    let groups: Vec<GroupRow> = words
        .iter()
        .flat_map(|word| Groups::of(word).texts().map(|trigram| GroupRow { trigram, word: word.clone() }).collect::<Vec<_>>())
        .collect();
    bulk::write(transaction, &words.into_iter().map(WordRow).collect::<Vec<_>>()).await?;
    bulk::write(transaction, &groups).await
}

struct WordRow(String);

impl BulkRow for WordRow {
    const HEAD: &'static str = "INSERT INTO search_words (word) VALUES ";
    const TAIL: &'static str = "";
    const COLUMNS: usize = 1;

    fn bind(&self, statement: Statement) -> Statement {
        statement.bind(&self.0)
    }
}

struct GroupRow {
    trigram: String,
    word: String,
}

impl BulkRow for GroupRow {
    const HEAD: &'static str = "INSERT INTO search_trigrams (trigram, word) VALUES ";
    const TAIL: &'static str = "";
    const COLUMNS: usize = 2;

    fn bind(&self, statement: Statement) -> Statement {
        statement.bind(&self.trigram).bind(&self.word)
    }
}

/// Rows as the measurement writes them, many at once.
#[cfg(test)]
pub(in crate::store) struct KeptRow {
    id: i64,
    words: BTreeSet<String>,
}

#[cfg(test)]
impl KeptRow {
    pub fn of(words: &ReportWords, number: &CaseNumber, case: &Case, register: &Register, id: i64) -> Self {
        Self { id, words: kept(words, number, case, register) }
    }

    /// Writes them, and the words that are not among the `known`.
    pub async fn write(transaction: &mut Transaction, rows: &[KeptRow], known: &mut BTreeSet<String>) -> Result<(), sqlx::Error> {
        bulk::write(transaction, rows).await?;
        let fresh: BTreeSet<String> = rows.iter().flat_map(|row| &row.words).filter(|word| !known.contains(*word)).cloned().collect();
        known.extend(fresh.iter().cloned());
        learn(transaction, fresh).await
    }
}

#[cfg(test)]
impl BulkRow for KeptRow {
    const HEAD: &'static str = "INSERT INTO case_search (id, words) VALUES ";
    const TAIL: &'static str = "";
    const COLUMNS: usize = 2;

    fn bind(&self, statement: Statement) -> Statement {
        statement.bind(self.id).bind(self.words.iter().map(String::as_str).collect::<Vec<_>>().join(" "))
    }
}
