//! Which cases are meant by some words? The same ones in the same order on both databases: those that hold every word, then those whose
//! words begin so, then those whose words are alike; the newest first within each.

use std::collections::BTreeSet;

use crate::cases::case::Case;
use crate::cases::ids::CaseNumber;
use crate::cases::words::{alike, distinct, trigrams, words};
use crate::centre::time::Time;

use super::bulk::{self, BulkRow};
use super::cases::{CaseFilter, Sight};
use super::db::Db;
use super::register::{Address, COLUMNS, CaseRow, Register, RegisterError, ReportWords};
use super::statement::{Conditions, Statement, query, query_made};
use super::transaction::Transaction;
use super::{Store, StoreError};

#[cfg(test)]
mod tests;

/// Words of a question that are looked for; what follows is left out.
const MOST_WORDS: usize = 8;
/// Words of a case that are kept; what follows is not found.
const MOST_KEPT: usize = 600;
/// The most cases that a search gives, and how many it gives unasked.
const MOST: u32 = 50;
const USUAL: u32 = 10;
/// How like a word must be to stand for another, in thousandths, and how many may at most.
const ALIKE: usize = 400;
const MOST_ALIKE: usize = 8;
/// Words that are compared with one of a question: those that share the most groups.
const CANDIDATES: i64 = 300;
/// PostgreSQL looks through this many of the newest cases first: where a word is common that is enough.
const NEWEST: i64 = 20_000;

/// How well a case must fit, the best first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit {
    Whole,
    Beginning,
    Alike,
}

/// One word of a question, and those that may stand for it.
struct Asked {
    word: String,
    alike: Vec<String>,
}

impl Store {
    /// Cases by words of their report, address, topic and number, the best first: 10, or as many as the filter says, 50 at most. A whole number
    /// finds its case alone. Nothing that the account does not see is found, and nothing where there is no word.
    pub async fn search_cases(&self, text: &str, filter: &CaseFilter, sight: &Sight, now: Time) -> Result<Vec<CaseRow>, StoreError> {
        if let Ok(number) = text.trim().parse::<CaseNumber>() {
            return Ok(self.narrowed(filter, sight, now, 1, |wanted| wanted.add("number = $", number.to_string())).await?);
        }
        let mut asked: Vec<Asked> = Vec::new();
        for word in words(text) {
            if asked.len() < MOST_WORDS && !asked.iter().any(|asked| asked.word == word) {
                asked.push(Asked { word, alike: Vec::new() });
            }
        }
        let limit = if filter.limit == 0 { USUAL } else { filter.limit.min(MOST) } as usize;
        let mut found: Vec<CaseRow> = Vec::new();
        for fit in [Fit::Whole, Fit::Beginning, Fit::Alike] {
            if asked.is_empty() || found.len() >= limit {
                break;
            }
            if fit == Fit::Alike {
                for asked in &mut asked {
                    asked.alike = self.words_like(&asked.word).await?;
                }
            }
            // Each wider circle holds the narrower ones: the whole limit is asked for, and what is there already is left out.
            for row in self.fitting(&asked, fit, filter, sight, now, limit).await? {
                if found.len() < limit && !found.iter().any(|earlier| earlier.id == row.id) {
                    found.push(row);
                }
            }
        }
        Ok(found)
    }

    async fn fitting(
        &self,
        asked: &[Asked],
        fit: Fit,
        filter: &CaseFilter,
        sight: &Sight,
        now: Time,
        limit: usize,
    ) -> Result<Vec<CaseRow>, StoreError> {
        if let Db::Sqlite { .. } = self.db {
            let text = in_fts5(asked, fit);
            return Ok(self.narrowed(filter, sight, now, limit, |wanted| wanted.add("case_search_fts MATCH $", text)).await?);
        }
        let text = in_lexemes(asked, fit);
        let newest = self.narrowed(filter, sight, now, limit, |wanted| {
            wanted.add_plain(&format!("id > (SELECT MAX(id) - {NEWEST} FROM case_search)"));
            wanted.add("id IN (SELECT id FROM case_search WHERE lexemes @@ CAST($ AS TSQUERY))", text.clone());
        });
        let newest = newest.await?;
        if newest.len() >= limit {
            return Ok(newest);
        }
        // As an array, so that the index of words is asked first, whatever the planner hopes of words that never stand together.
        let all = "id = ANY(ARRAY(SELECT id FROM case_search WHERE lexemes @@ CAST($ AS TSQUERY)))";
        Ok(self.narrowed(filter, sight, now, limit, |wanted| wanted.add(all, text)).await?)
    }

    /// What the account sees of the cases that the filter leaves and `meant` means, the newest first.
    async fn narrowed(
        &self,
        filter: &CaseFilter,
        sight: &Sight,
        now: Time,
        limit: usize,
        meant: impl FnOnce(&mut Conditions),
    ) -> Result<Vec<CaseRow>, sqlx::Error> {
        let mut wanted = Conditions::default();
        meant(&mut wanted);
        filter.narrow(&mut wanted, now);
        sight.narrow(&mut wanted);
        let by_words = matches!(self.db, Db::Sqlite { .. }) && wanted.says("MATCH");
        // SQLite's index gives its rows by their numbers, from either end: no more is read than is shown.
        let (from, order) = match by_words {
            true => ("case_search_fts CROSS JOIN cases ON cases.id = case_search_fts.rowid", "case_search_fts.rowid"),
            false => ("cases", "id"),
        };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let statement = wanted.query(&format!("SELECT {COLUMNS} FROM {from}"), &format!("ORDER BY {order} DESC LIMIT $"), limit);
        statement.fetch_all(self.db.readers()).await
    }

    /// The words of cases that are most like this one, itself left out.
    async fn words_like(&self, word: &str) -> Result<Vec<String>, sqlx::Error> {
        let own = trigrams(word);
        if own.is_empty() {
            return Ok(Vec::new());
        }
        // Whoever shares less of our groups cannot reach `ALIKE` of both together.
        let least = (own.len() * ALIKE).div_ceil(1000);
        let places: Vec<String> = (1..=own.len()).map(|n| format!("${n}")).collect();
        let statement = query_made(format!(
            "SELECT word FROM search_trigrams WHERE trigram IN ({}) GROUP BY word HAVING COUNT(*) >= {least} \
             ORDER BY COUNT(*) DESC, word LIMIT {CANDIDATES}",
            places.join(", ")
        ));
        let candidates: Vec<(String,)> =
            own.iter().fold(statement, |statement, group| statement.bind(group)).fetch_all(self.db.readers()).await?;
        let likeness = |(other,): (String,)| (alike(&own, &trigrams(&other)), other);
        let mut near: Vec<(usize, String)> =
            candidates.into_iter().map(likeness).filter(|(alike, other)| *alike >= ALIKE && other != word).collect();
        near.sort_by(|(one, first), (other, second)| other.cmp(one).then_with(|| first.cmp(second)));
        near.truncate(MOST_ALIKE);
        Ok(near.into_iter().map(|(_, other)| other).collect())
    }
}

/// A question in the words of FTS5. Words are letters and digits alone, so that nothing has to be escaped.
fn in_fts5(asked: &[Asked], fit: Fit) -> String {
    written(asked, fit, " AND ", " OR ", |word, begins| if begins { format!("\"{word}\"*") } else { format!("\"{word}\"") })
}

/// A question as a `tsquery`.
fn in_lexemes(asked: &[Asked], fit: Fit) -> String {
    written(asked, fit, " & ", " | ", |word, begins| if begins { format!("'{word}':*") } else { format!("'{word}'") })
}

fn written(asked: &[Asked], fit: Fit, and: &str, or: &str, one: impl Fn(&str, bool) -> String) -> String {
    let each = asked.iter().map(|asked| {
        let others = asked.alike.iter().filter(|_| fit == Fit::Alike).map(|word| one(word, false));
        let any: Vec<String> = std::iter::once(one(&asked.word, fit != Fit::Whole)).chain(others).collect();
        format!("({})", any.join(or))
    });
    each.collect::<Vec<_>>().join(and)
}

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
pub(super) async fn index(
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
pub(super) async fn index_anew(
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
pub(super) async fn forget(transaction: &mut Transaction, number: &CaseNumber) -> Result<(), sqlx::Error> {
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
        for group in trigrams(word) {
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
    let mut words: Vec<String> = kept.into_iter().filter(|word| !trigrams(word).is_empty()).collect();
    let mut known = BTreeSet::new();
    for part in words.chunks(64) {
        let places: Vec<String> = (1..=part.len()).map(|n| format!("${n}")).collect();
        let statement = query_made(format!("SELECT word FROM search_words WHERE word IN ({})", places.join(", ")));
        let rows: Vec<(String,)> = part.iter().fold(statement, |statement, word| statement.bind(word)).fetch_all(&mut *transaction).await?;
        known.extend(rows.into_iter().map(|(word,)| word));
    }
    words.retain(|word| !known.contains(word));
    let groups: Vec<GroupRow> =
        words.iter().flat_map(|word| trigrams(word).into_iter().map(|trigram| GroupRow { trigram, word: word.clone() })).collect();
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
pub(super) struct KeptRow {
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
