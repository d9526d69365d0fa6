//! Which words of cases are like a mistyped one? Those that share the most groups of three characters; nothing of it is the database's own.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::cases::words::Groups;
use crate::centre::time::Time;
use crate::store::Store;
use crate::store::statement::{query, query_made};

/// How like a word must be to stand for another, in thousandths, and how many may at most.
const ALIKE: usize = 400;
const MOST_ALIKE: usize = 8;
/// Of the groups that a word must share, this many must be among its rarest.
const RARE: usize = 2;
/// Words that are compared with one of a question, at most: more share its rarest groups in no language.
const CANDIDATES: i64 = 20_000;
/// How long the frequencies of groups are believed, in milliseconds. Old ones cost time, and find the same.
const BELIEVED_MS: u64 = 3_600_000;

/// In how many words each group stands, and when that was counted.
pub(in crate::store) type Frequencies = Arc<RwLock<Option<(Time, Arc<BTreeMap<String, i64>>)>>>;

impl Store {
    /// The words of cases that are most like this one, itself left out; the same on both databases.
    pub(super) async fn words_like(&self, word: &str, now: Time) -> Result<Vec<String>, sqlx::Error> {
        let own = Groups::of(word);
        if own.is_empty() {
            return Ok(Vec::new());
        }
        let likeness = |(other,): (String,)| (own.alike(&Groups::of(&other)), other);
        let candidates = self.sharing(&own, now).await?.into_iter().map(likeness);
        let mut near: Vec<(usize, String)> = candidates.filter(|(alike, other)| *alike >= ALIKE && other != word).collect();
        near.sort_by(|(one, first), (other, second)| other.cmp(one).then_with(|| first.cmp(second)));
        near.truncate(MOST_ALIKE);
        Ok(near.into_iter().map(|(_, other)| other).collect())
    }

    /// Every word that may reach `ALIKE`, and others. Such a word shares `least` groups of ours or more, so at least `RARE` of any
    /// `all - least + RARE`: the rarest are asked for, because common ones stand in a tenth of all words.
    async fn sharing(&self, own: &Groups, now: Time) -> Result<Vec<(String,)>, sqlx::Error> {
        let frequencies = self.frequencies(now).await?;
        let mut groups: Vec<String> = own.texts().collect();
        let least = (groups.len() * ALIKE).div_ceil(1000);
        let rare = RARE.min(least);
        groups.sort_by_key(|group| frequencies.get(group).copied().unwrap_or(0));
        groups.truncate(groups.len() - least + rare);
        let places: Vec<String> = (1..=groups.len()).map(|n| format!("${n}")).collect();
        let statement = query_made(format!(
            "SELECT word FROM search_trigrams WHERE trigram IN ({}) GROUP BY word HAVING COUNT(*) >= {rare} ORDER BY COUNT(*) DESC, word LIMIT {CANDIDATES}",
            places.join(", ")
        ));
        groups.iter().fold(statement, |statement, group| statement.bind(group)).fetch_all(self.db.readers()).await
    }

    async fn frequencies(&self, now: Time) -> Result<Arc<BTreeMap<String, i64>>, sqlx::Error> {
        if let Some((at, counted)) = self.frequencies.read().unwrap_or_else(PoisonError::into_inner).as_ref()
            && now.0.abs_diff(at.0) < BELIEVED_MS
        {
            return Ok(counted.clone());
        }
        let rows: Vec<(String, i64)> =
            query("SELECT trigram, COUNT(*) FROM search_trigrams GROUP BY trigram").fetch_all(self.db.readers()).await?;
        let counted = Arc::new(rows.into_iter().collect::<BTreeMap<_, _>>());
        *self.frequencies.write().unwrap_or_else(PoisonError::into_inner) = Some((now, counted.clone()));
        Ok(counted)
    }
}
