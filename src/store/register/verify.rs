//! Is the history whole? A walk over all of it, in parts, so that a million events need no more memory than some thousands.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::Deserialize;
use sqlx::FromRow;

use crate::cases::case::Case;
use crate::cases::chain::{Break, Digest, Link, Seal, Walk, commit};
use crate::cases::event::{Event, What};
use crate::cases::ids::CaseNumber;
use crate::store::statement::query;
use crate::store::transaction::Transaction;
use crate::store::{Store, StoreError};

/// Events that are read at once.
const PART: i64 = 5_000;

/// What a walk has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Events.
    pub events: u64,
    /// Words whose salted hash was right.
    pub words: u64,
    /// Words that were erased by law.
    pub erased: u64,
    /// Cases whose row is the fold of their events.
    pub cases: u64,
    /// Files that are on the disk as the history tells them.
    pub files: u64,
    /// Seals that fitted.
    pub seals: u64,
    /// The head of the chain.
    pub head: Digest,
}

/// Where the history is not whole.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The chain does not hold.
    #[error(transparent)]
    Break(#[from] Break),
    /// A number is missing between two others.
    #[error("the case {0} is missing: numbers have no gaps")]
    Number(CaseNumber),
    /// A case's row is not what its events make.
    #[error("the case {0}: {1}")]
    Row(String, &'static str),
    /// A photo or a document is missing, is another, or nobody added it.
    #[error("the file {hash} of {subject}: {why}")]
    File { subject: String, hash: String, why: String },
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for VerifyError {
    fn from(error: sqlx::Error) -> Self {
        VerifyError::Store(error.into())
    }
}

#[derive(FromRow)]
struct Row {
    place: i64,
    subject: String,
    at_ms: i64,
    event: String,
    committed: Option<Vec<u8>>,
    hash: Vec<u8>,
    salt: Option<Vec<u8>>,
    words: Option<String>,
}

/// An event of a case or an incident that added a file, as far as the walk needs it.
#[derive(Deserialize)]
struct Added {
    what: File,
}

#[derive(Deserialize)]
struct File {
    file: String,
}

/// What the walk remembers: the chain's head, words that are owed an erasure, and how far each year's numbers have come.
#[derive(Default)]
struct Walked {
    walk: Walk,
    found: Verified,
    /// Seals that are still to fit, in their order.
    due: VecDeque<Seal>,
    /// Places whose words are gone, with their subject, until an event says that they were erased.
    gone: BTreeMap<u64, String>,
    numbers: BTreeMap<(String, u16), u32>,
    /// Files that were added and not erased, by subject and hash.
    files: BTreeSet<(String, String)>,
}

impl Store {
    /// Walks the whole history: the chain, the words beside it, the numbers, each case's row, and seals (those of the database, and others
    /// that were written elsewhere). While one part is looked at, the next is read.
    ///
    /// # Errors
    /// The first break.
    pub async fn verify(&self, elsewhere: &[Seal]) -> Result<Verified, VerifyError> {
        let mut seals = self.seals().await.map_err(|_| damaged("seals"))?;
        seals.extend_from_slice(elsewhere);
        seals.sort_by_key(|seal| seal.place);
        let mut walked = Walked { due: seals.into(), ..Walked::default() };
        // One moment of the database: what is written meanwhile is the next walk's.
        let mut moment = self.db.begin_reading().await?;
        let mut rows = part(&mut moment, 0).await?;
        while let Some(last) = rows.last().map(|row| row.place) {
            let looked = tokio::task::spawn_blocking(move || walked.part(&rows));
            let (next, looked) = tokio::join!(part(&mut moment, last), looked);
            (walked, rows) = (looked.map_err(|_| damaged("chain"))??, next?);
        }
        if let Some(seal) = walked.due.pop_front() {
            walked.walk.reaches(&seal)?;
        }
        if let Some((place, subject)) = walked.gone.pop_first() {
            return Err(Break::Gone { place, subject }.into());
        }
        walked.found.head = walked.walk.head();
        walked.found.cases = cases(&mut moment).await?;
        let registered: u64 = walked.numbers.values().map(|last| u64::from(*last)).sum();
        if registered != walked.found.cases {
            return Err(VerifyError::Row("of all".to_owned(), "there are not as many rows as registrations"));
        }
        walked.found.files = self.files(&mut moment, walked.files).await?;
        Ok(walked.found)
    }

    /// Compares the files of the history with those that are kept; returns how many there are.
    async fn files(&self, moment: &mut Transaction, mut told: BTreeSet<(String, String)>) -> Result<u64, VerifyError> {
        let fault = |subject: &str, hash: &str, why: String| VerifyError::File { subject: subject.to_owned(), hash: hash.to_owned(), why };
        let kept: Vec<(String, String)> =
            query("SELECT subject, hash FROM attachments WHERE NOT gone ORDER BY subject, hash").fetch_all(moment).await?;
        let files = kept.len() as u64;
        for (subject, hash) in kept {
            match self.file(&hash).await {
                Ok(_) => {}
                // An erasure since the moment that is walked may have taken it.
                Err(StoreError::Evidence { .. }) if !self.is_kept(&subject, &hash).await? => {}
                Err(StoreError::Evidence { why, .. }) => return Err(fault(&subject, &hash, why)),
                Err(other) => return Err(other.into()),
            }
            let known = (subject, hash);
            if !told.remove(&known) {
                return Err(fault(&known.0, &known.1, "the history does not tell of it".to_owned()));
            }
        }
        match told.pop_first() {
            Some((subject, hash)) => Err(fault(&subject, &hash, "it was added and is gone".to_owned())),
            None => Ok(files),
        }
    }
}

async fn part(moment: &mut Transaction, after: i64) -> Result<Vec<Row>, VerifyError> {
    // The words from the same place on: PostgreSQL's merge would begin with the first ones for every part.
    let rows = query(
        "SELECT chain.place AS place, chain.subject AS subject, chain.at_ms AS at_ms, chain.event AS event, chain.words AS committed, \
         chain.hash AS hash, chain_words.salt AS salt, chain_words.words AS words \
         FROM chain LEFT JOIN chain_words ON chain_words.place = chain.place AND chain_words.place > $1 \
         WHERE chain.place > $1 ORDER BY chain.place LIMIT $2",
    );
    Ok(rows.bind(after).bind(PART).fetch_all(moment).await?)
}

/// Rows of cases, and the events of those cases in the same order.
#[derive(Default)]
struct Cases {
    rows: Vec<(i64, String, String)>,
    events: Vec<(String, String)>,
}

impl Cases {
    async fn read(moment: &mut Transaction, after: i64) -> Result<Cases, VerifyError> {
        let rows: Vec<(i64, String, String)> = query("SELECT id, number, body FROM cases WHERE id > $1 ORDER BY id LIMIT $2")
            .bind(after)
            .bind(PART)
            .fetch_all(&mut *moment)
            .await?;
        let (Some((first, ..)), Some((last, ..))) = (rows.first(), rows.last()) else { return Ok(Cases::default()) };
        let events = query(
            "SELECT chain.subject, chain.event FROM chain JOIN cases ON cases.number = chain.subject \
             WHERE cases.id BETWEEN $1 AND $2 ORDER BY cases.id, chain.place",
        );
        let events = events.bind(*first).bind(*last).fetch_all(&mut *moment).await?;
        Ok(Cases { rows, events })
    }

    /// Compares each row with the fold of its events; returns how many there are.
    fn compare(self) -> Result<u64, VerifyError> {
        let mut events = self.events.into_iter().peekable();
        let mut compared = 0;
        for (_, number, body) in self.rows {
            let mut own = Vec::new();
            while let Some((_, event)) = events.next_if(|(subject, _)| *subject == number) {
                let read = serde_json::from_str::<Event>(&event);
                own.push(read.map_err(|_| VerifyError::Row(number.clone(), "an event cannot be read"))?);
            }
            let fold = Case::fold(&own).map_err(|_| VerifyError::Row(number.clone(), "its events cannot follow each other"))?;
            let body = serde_json::from_str::<Case>(&body).ok();
            if fold.is_none() || fold != body {
                return Err(VerifyError::Row(number, "where it stands is not what its events make"));
            }
            compared += 1;
        }
        Ok(compared)
    }
}

/// Compares the rows of all cases with their events, in the order of their ids; returns how many there are.
async fn cases(moment: &mut Transaction) -> Result<u64, VerifyError> {
    let mut compared = 0;
    let mut cases = Cases::read(moment, 0).await?;
    while let Some(last) = cases.rows.last().map(|(id, ..)| *id) {
        let (next, done) = tokio::join!(Cases::read(moment, last), tokio::task::spawn_blocking(move || cases.compare()));
        compared += done.map_err(|_| damaged("cases"))??;
        cases = next?;
    }
    Ok(compared)
}

impl Walked {
    fn part(mut self, rows: &[Row]) -> Result<Walked, VerifyError> {
        for row in rows {
            self.step(row)?;
            while let Some(seal) = self.due.pop_front_if(|seal| seal.place <= self.walk.place()) {
                self.walk.fits(&seal)?;
                self.found.seals += 1;
            }
        }
        Ok(self)
    }

    fn step(&mut self, row: &Row) -> Result<(), VerifyError> {
        let place = row.place.cast_unsigned();
        let altered = || Break::Altered { place, subject: row.subject.clone() };
        let hash = Digest::try_from(row.hash.as_slice()).map_err(|_| altered())?;
        let committed = row.committed.as_deref().map(Digest::try_from).transpose().map_err(|_| altered())?;
        let link = Link { place, subject: &row.subject, at_ms: row.at_ms, event: &row.event, words: committed };
        self.walk.step(&link, &hash)?;
        self.found.events += 1;
        self.words(row, committed)?;
        self.meaning(row)
    }

    fn words(&mut self, row: &Row, committed: Option<Digest>) -> Result<(), Break> {
        let (place, subject) = (row.place.cast_unsigned(), row.subject.clone());
        match (committed, &row.salt, &row.words) {
            (None, None, None) => Ok(()),
            (Some(_), None, None) => {
                self.gone.insert(place, subject);
                Ok(())
            }
            (Some(digest), Some(salt), Some(words)) => {
                let salt = <[u8; 32]>::try_from(salt.as_slice()).ok();
                if salt.map(|salt| commit(&salt, words)) != Some(digest) {
                    return Err(Break::Words { place, subject });
                }
                self.found.words += 1;
                Ok(())
            }
            _ => Err(Break::Words { place, subject }),
        }
    }

    /// Registrations count the numbers, erasures excuse words and files that are gone. Other events mean nothing to the walk.
    fn meaning(&mut self, row: &Row) -> Result<(), VerifyError> {
        if row.event.contains("\"attached\"")
            && let Ok(Added { what: File { file } }) = serde_json::from_str(&row.event)
        {
            self.files.insert((row.subject.clone(), file));
            return Ok(());
        }
        let registers = row.event.contains("\"registered\"");
        let erases = row.event.contains("\"erased\"");
        if !registers && !erases {
            return Ok(());
        }
        let Ok(event) = serde_json::from_str::<Event>(&row.event) else { return Ok(()) };
        match event.what {
            What::Registered { .. } => self.number(&row.subject),
            What::Erased { events } => {
                self.files.retain(|(subject, _)| *subject != row.subject);
                for place in events.into_iter().collect::<BTreeSet<_>>() {
                    if self.gone.get(&place).is_some_and(|subject| *subject == row.subject) {
                        self.gone.remove(&place);
                        self.found.erased += 1;
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn number(&mut self, subject: &str) -> Result<(), VerifyError> {
        let Ok(number) = subject.parse::<CaseNumber>() else { return Err(VerifyError::Row(subject.to_owned(), "is no number of a case")) };
        let last = self.numbers.entry((number.service.to_string(), number.year)).or_default();
        if number.n != *last + 1 {
            return Err(VerifyError::Number(CaseNumber { n: *last + 1, ..number }));
        }
        *last = number.n;
        Ok(())
    }
}

fn damaged(what: &'static str) -> VerifyError {
    VerifyError::Store(StoreError::Value { what, value: "•••".to_owned() })
}
