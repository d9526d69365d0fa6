//! Which cases are meant by some words? The same ones in the same order on both databases: those that hold every word, then those whose
//! words begin so, then those whose words are alike; the newest first within each.

use crate::cases::address::is_street_kind;
use crate::cases::ids::CaseNumber;
use crate::cases::words::words;
use crate::centre::time::Time;

use super::cases::{CaseFilter, Sight};
use super::db::Db;
use super::register::{COLUMNS, CaseRow};
use super::statement::{Conditions, query};
use super::{Store, StoreError};

mod alike;
mod index;

pub(super) use alike::Frequencies;
#[cfg(test)]
pub(super) use index::KeptRow;
pub(super) use index::{forget, index, index_anew};

#[cfg(test)]
mod tests;

/// Words of a question that are looked for; what follows is left out.
const MOST_WORDS: usize = 8;
/// The shortest word that is taken for a beginning, in characters: a shorter one begins too many.
const SHORTEST_BEGINNING: usize = 3;
/// The most cases that a search gives, and how many it gives unasked.
const MOST: u32 = 50;
const USUAL: u32 = 10;
/// Cases of one span of ids, which PostgreSQL's index of words knows as "§N": where a word is common, the newest two hold enough, and the index
/// need not be read to its end. Migration 0008 has the same number.
const SPAN: i64 = 1_000;

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

/// Who asks for which cases.
struct Wanted<'w> {
    filter: &'w CaseFilter,
    sight: &'w Sight,
    now: Time,
    limit: usize,
}

impl Store {
    /// Cases by words of their report, address, topic and number, the best first: 10, or as many as the filter says, 50 at most. A whole number
    /// finds its case alone. Nothing that the account does not see is found, and nothing where there is no word.
    pub async fn search_cases(&self, text: &str, filter: &CaseFilter, sight: &Sight, now: Time) -> Result<Vec<CaseRow>, StoreError> {
        let limit = if filter.limit == 0 { USUAL } else { filter.limit.min(MOST) } as usize;
        let wanted = Wanted { filter, sight, now, limit };
        if let Ok(number) = text.trim().parse::<CaseNumber>() {
            return Ok(self.narrowed(&wanted, |conditions| conditions.add("number = $", number.to_string())).await?);
        }
        let mut asked = asked(text);
        let mut found: Vec<CaseRow> = Vec::new();
        for fit in [Fit::Whole, Fit::Beginning, Fit::Alike] {
            if asked.is_empty() || found.len() >= limit {
                break;
            }
            if fit == Fit::Alike {
                for asked in &mut asked {
                    asked.alike = self.words_like(&asked.word, now).await?;
                }
            }
            if !widens(&asked, fit) {
                continue;
            }
            // Each wider circle holds the narrower ones: the whole limit is asked for, and what is there already is left out.
            for row in self.fitting(&asked, fit, &wanted).await? {
                if found.len() < limit && !found.iter().any(|earlier| earlier.id == row.id) {
                    found.push(row);
                }
            }
        }
        Ok(found)
    }

    async fn fitting(&self, asked: &[Asked], fit: Fit, wanted: &Wanted<'_>) -> Result<Vec<CaseRow>, StoreError> {
        if let Db::Sqlite { .. } = self.db {
            let text = in_fts5(asked, fit);
            return Ok(self.narrowed(wanted, |conditions| conditions.add("case_search_fts MATCH $", text)).await?);
        }
        let text = in_lexemes(asked, fit);
        if wanted.filter.organisation.is_some() || wanted.sight.organisation.is_some() {
            // Of one organisation there are few cases: the planner knows whether its newest or the words lead to them sooner.
            return Ok(self.narrowed(wanted, |conditions| conditions.add(OF_FEW, text)).await?);
        }
        if wanted.filter.before.is_none() {
            let newest = query("SELECT COALESCE(MAX(id), 0) FROM case_search").fetch_scalar::<i64>(self.db.readers()).await? / SPAN;
            let newest = format!("('§{newest}' | '§{}') & {text}", newest - 1);
            let newest = self.narrowed(wanted, |conditions| conditions.add(BY_LEXEMES, newest)).await?;
            if newest.len() >= wanted.limit {
                return Ok(newest);
            }
        }
        Ok(self.narrowed(wanted, |conditions| conditions.add(BY_LEXEMES, text)).await?)
    }

    /// What the account sees of the cases that the filter leaves and `meant` means, the newest first.
    async fn narrowed(&self, wanted: &Wanted<'_>, meant: impl FnOnce(&mut Conditions)) -> Result<Vec<CaseRow>, sqlx::Error> {
        let mut conditions = Conditions::default();
        meant(&mut conditions);
        wanted.filter.narrow(&mut conditions, wanted.now);
        wanted.sight.narrow(&mut conditions);
        let by_words = matches!(self.db, Db::Sqlite { .. }) && conditions.says("MATCH");
        // SQLite's index gives its rows by their numbers, from either end: no more is read than is shown.
        let (from, order) = match by_words {
            true => ("case_search_fts CROSS JOIN cases ON cases.id = case_search_fts.rowid", "case_search_fts.rowid"),
            false => ("cases", "id"),
        };
        let limit = i64::try_from(wanted.limit).unwrap_or(i64::MAX);
        let statement = conditions.query(&format!("SELECT {COLUMNS} FROM {from}"), &format!("ORDER BY {order} DESC LIMIT $"), limit);
        statement.fetch_all(self.db.readers()).await
    }
}

const OF_FEW: &str = "id IN (SELECT id FROM case_search WHERE lexemes @@ CAST($ AS TSQUERY))";
/// As an array, so that PostgreSQL asks the index of words first, whatever its planner hopes of words that never stand together.
const BY_LEXEMES: &str = "id = ANY(ARRAY(SELECT id FROM case_search WHERE lexemes @@ CAST($ AS TSQUERY)))";

/// The words of a question, each once. What says only that a street is meant stands in every address, and is left out beside other words.
fn asked(text: &str) -> Vec<Asked> {
    let mut all: Vec<String> = Vec::new();
    for word in words(text) {
        if !all.contains(&word) {
            all.push(word);
        }
    }
    if all.iter().any(|word| !is_street_kind(word)) {
        all.retain(|word| !is_street_kind(word));
    }
    all.into_iter().take(MOST_WORDS).map(|word| Asked { word, alike: Vec::new() }).collect()
}

/// Whether a word may be the beginning of others: not a number, because no house is another's beginning, and nothing short.
fn begins(word: &str) -> bool {
    word.chars().count() >= SHORTEST_BEGINNING && !word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether more may fit so than in the narrower way.
fn widens(asked: &[Asked], fit: Fit) -> bool {
    match fit {
        Fit::Whole => true,
        Fit::Beginning => asked.iter().any(|asked| begins(&asked.word)),
        Fit::Alike => asked.iter().any(|asked| !asked.alike.is_empty()),
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
        let any: Vec<String> = std::iter::once(one(&asked.word, fit != Fit::Whole && begins(&asked.word))).chain(others).collect();
        format!("({})", any.join(or))
    });
    each.collect::<Vec<_>>().join(and)
}
