//! What is answered to consultations? Articles in the languages of the service, found by their words, each with an owner and a day of review.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::cases::words::{Groups, distinct, words};
use crate::centre::time::Time;

use super::bulk::ms;
use super::statement::query;
use super::{Store, StoreError};

/// Articles at most: all are looked through by a search.
pub const MOST_ARTICLES: i64 = 5_000;
/// The most that a search gives.
const MOST_FOUND: usize = 20;
/// How like a word must be to stand for another, in thousandths.
const ALIKE: usize = 400;

/// An article in one language.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArticleText {
    /// Its title.
    pub title: String,
    /// What is answered.
    pub body: String,
}

/// An article as it is written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewArticle {
    /// What it is about.
    pub topic: String,
    /// Who answers for it.
    pub owner: String,
    /// When it is to be looked at again, in milliseconds since the epoch.
    pub review_ms: i64,
    /// By language.
    pub texts: BTreeMap<String, ArticleText>,
    /// Whether it is found.
    pub active: bool,
}

/// An article as it is read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, utoipa::ToSchema)]
pub struct Article {
    /// Its number.
    pub id: i64,
    /// What it says.
    #[serde(flatten)]
    pub article: NewArticle,
    /// Who wrote it last.
    pub by_name: String,
    /// And when, in milliseconds since the epoch.
    pub changed_ms: i64,
    /// How many contacts it has answered.
    pub answered: i64,
}

#[derive(FromRow)]
struct ArticleRow {
    id: i64,
    topic: String,
    owner: String,
    review_ms: i64,
    texts: String,
    active: bool,
    by_name: String,
    changed_ms: i64,
    answered: i64,
}

const SELECT: &str = "SELECT id, topic, owner, review_ms, texts, active, by_name, changed_ms, \
     (SELECT COUNT(*) FROM contacts WHERE contacts.article = articles.id) AS answered FROM articles";

impl Store {
    /// Writes an article, a new one where no number is given; `None` where there is no such article, or no place for another.
    pub async fn put_article(&self, id: Option<i64>, article: &NewArticle, by: &str, at: Time) -> Result<Option<i64>, StoreError> {
        let said = article.texts.values().map(|text| format!("{} {}", text.title, text.body)).collect::<Vec<_>>().join(" ");
        let found_by = distinct(&said).into_iter().collect::<Vec<_>>().join(" ");
        let texts = serde_json::to_string(&article.texts).unwrap_or_default();
        let statement = match id {
            Some(_) => query(
                "UPDATE articles SET topic = $2, owner = $3, review_ms = $4, texts = $5, words = $6, active = $7, by_name = $8, \
                 changed_ms = $9 WHERE id = $1 RETURNING id",
            ),
            None => query(
                "INSERT INTO articles (topic, owner, review_ms, texts, words, active, by_name, changed_ms) \
                 SELECT CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS BIGINT), CAST($5 AS TEXT), CAST($6 AS TEXT), $7, CAST($8 AS TEXT), \
                 CAST($9 AS BIGINT) WHERE (SELECT COUNT(*) FROM articles) < $1 RETURNING id",
            ),
        };
        let statement = statement.bind(id.unwrap_or(MOST_ARTICLES)).bind(&article.topic).bind(&article.owner).bind(article.review_ms);
        let statement = statement.bind(texts).bind(found_by).bind(article.active).bind(by).bind(ms(at.0));
        let written: Option<(i64,)> = statement.fetch_optional(self.db.writer()).await?;
        Ok(written.map(|(id,)| id))
    }

    /// One article.
    pub async fn article(&self, id: i64) -> Result<Option<Article>, StoreError> {
        let statement = super::statement::query_made(format!("{SELECT} WHERE id = $1"));
        let row: Option<ArticleRow> = statement.bind(id).fetch_optional(self.db.readers()).await?;
        Ok(row.map(Article::from))
    }

    /// Active articles that hold every word, as it is or as a beginning, or one like it; what fits best first, then what has answered most.
    /// Twenty at most; without a word, those whose review is nearest.
    pub async fn search_articles(&self, text: &str) -> Result<Vec<Article>, StoreError> {
        let asked = words(text);
        let rows: Vec<(i64, String)> = query("SELECT id, words FROM articles WHERE active ORDER BY review_ms, id LIMIT $1")
            .bind(MOST_ARTICLES)
            .fetch_all(self.db.readers())
            .await?;
        let fits = |(id, held): (i64, String)| Some((fit(&asked, &held)?, id));
        let mut found: Vec<(usize, i64)> = rows.into_iter().filter_map(fits).collect();
        // Stable: what fits alike stays in the order of review until what was answered is known.
        found.sort_by_key(|(fit, _)| *fit);
        found.truncate(MOST_FOUND);
        let mut articles = Vec::new();
        for (fit, id) in found {
            articles.extend(self.article(id).await?.map(|article| (fit, article)));
        }
        if !asked.is_empty() {
            articles.sort_by_key(|(fit, article)| (*fit, -article.answered, article.id));
        }
        Ok(articles.into_iter().map(|(_, article)| article).collect())
    }
}

/// How badly an article fits: each word 0 as it stands, 1 as a beginning, 2 for one like it; `None` where one is missing.
fn fit(asked: &[String], held: &str) -> Option<usize> {
    let held: Vec<&str> = held.split(' ').collect();
    let one = |word: &String| {
        if held.binary_search(&word.as_str()).is_ok() {
            return Some(0);
        }
        if held.iter().any(|own| own.starts_with(word.as_str())) {
            return Some(1);
        }
        let groups = Groups::of(word);
        (!groups.is_empty() && held.iter().any(|own| groups.alike(&Groups::of(own)) >= ALIKE)).then_some(2)
    };
    asked.iter().map(one).sum()
}

impl From<ArticleRow> for Article {
    fn from(row: ArticleRow) -> Self {
        let ArticleRow { id, topic, owner, review_ms, texts, active, by_name, changed_ms, answered } = row;
        let texts = serde_json::from_str(&texts).unwrap_or_default();
        Article { id, article: NewArticle { topic, owner, review_ms, texts, active }, by_name, changed_ms, answered }
    }
}
