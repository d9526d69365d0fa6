//! Which photos and documents belong to a case or an incident? Files under their SHA-256 beside the database; the history names each, and an
//! erasure takes those of a case.

use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use sqlx::FromRow;

use crate::cases::case::Case;
use crate::cases::chain::Digest;
use crate::cases::decide::Refusal;
use crate::cases::event::Author;
use crate::cases::ids::CaseNumber;
use crate::cases::incident_life::{self, Incident};
use crate::centre::time::Time;
use crate::store::bulk::ms;
use crate::store::statement::query;
use crate::store::transaction::{Lock, Transaction};
use crate::store::{Store, StoreError};

use super::act::change_in;
use super::{RegisterError, incidents};

/// The longest file, in bytes: a photo of a telephone.
pub const LONGEST_EVIDENCE: usize = 10 * 1024 * 1024;
/// The most files of one case or incident.
const MOST: i64 = 30;

/// A photo or a document of a case or an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow, utoipa::ToSchema)]
pub struct Attachment {
    /// Its SHA-256, in hexadecimal digits: by this the history and whoever finishes a case name it.
    pub hash: String,
    /// Its media type, by its content.
    pub media: String,
    /// Its size.
    pub bytes: i64,
    /// Who sent it.
    pub by_name: String,
    /// When, in milliseconds since the epoch.
    pub at_ms: i64,
}

/// What a file is by its first bytes, as far as it is taken as evidence: a photo, or a document (PDF). What the sender calls it says nothing.
pub fn media(file: &[u8]) -> Option<&'static str> {
    let at = |from: usize, mark: &[u8]| file.get(from..from + mark.len()) == Some(mark);
    if at(0, b"\xFF\xD8\xFF") {
        Some("image/jpeg")
    } else if at(0, b"\x89PNG\r\n\x1A\n") {
        Some("image/png")
    } else if at(0, b"RIFF") && at(8, b"WEBP") {
        Some("image/webp")
    } else if at(4, b"ftypheic") || at(4, b"ftypheix") || at(4, b"ftypmif1") {
        Some("image/heic")
    } else if at(0, b"%PDF-") {
        Some("application/pdf")
    } else {
        None
    }
}

impl Store {
    /// Adds a file to a case, and its hash to the history; the same file again is the same one. `media` is what it is.
    ///
    /// # Errors
    /// When there is no such case, the author may not, there are too many, or disk or database refuse.
    pub async fn attach(
        &self,
        number: &CaseNumber,
        media: &str,
        file: Vec<u8>,
        (by, by_name): (Author, &str),
        at: Time,
    ) -> Result<Attachment, RegisterError> {
        let register = self.register().await?;
        let coming = Coming::of(number.to_string(), media, file);
        let mut transaction = self.db.begin(Lock::Register).await?;
        if let Some(known) = attachment(&mut transaction, &coming.subject, &coming.hash).await? {
            return Ok(known);
        }
        // Whoever was erased by law does not come back with a photo.
        let people = query("SELECT 1 FROM case_people WHERE number = $1").bind(&coming.subject);
        if people.fetch_optional::<(i32,)>(&mut transaction).await?.is_none() {
            return Err(Refusal::Erased.into());
        }
        if let Some(count) = coming.too_many(&mut transaction).await? {
            return Err(Refusal::Files(count).into());
        }
        let (hash, media, bytes) = coming.told();
        let decide = |case: &Case, _| Ok(register.rules.attach(case, &by, hash, media, bytes)?);
        change_in(&mut transaction, number, &register, &by, None, at, decide).await?;
        self.keep(transaction, coming, by_name, at).await
    }

    /// Adds a file to an incident or to works, and its hash to the history, as [`Store::attach`] does for cases.
    ///
    /// # Errors
    /// When there is no such incident, the author may not, there are too many, or disk or database refuse.
    pub async fn attach_to_incident(
        &self,
        n: i64,
        media: &str,
        file: Vec<u8>,
        (by, by_name): (Author, &str),
        at: Time,
    ) -> Result<Attachment, RegisterError> {
        let coming = Coming::of(incidents::subject(n), media, file);
        let mut transaction = self.db.begin(Lock::Register).await?;
        if let Some(known) = attachment(&mut transaction, &coming.subject, &coming.hash).await? {
            return Ok(known);
        }
        if let Some(count) = coming.too_many(&mut transaction).await? {
            return Err(incident_life::Refusal::Files(count).into());
        }
        let (hash, media, bytes) = coming.told();
        let decide = |incident: &Incident, _| Ok(incident.attach(&by, hash, media, bytes)?);
        incidents::change(&mut transaction, n, &by, None, at, decide).await?;
        self.keep(transaction, coming, by_name, at).await
    }

    /// The file first: what the history names is there.
    async fn keep(&self, mut transaction: Transaction, coming: Coming, by_name: &str, at: Time) -> Result<Attachment, RegisterError> {
        let Coming { subject, media, hash, file } = coming;
        let bytes = i64::try_from(file.len()).unwrap_or(i64::MAX);
        self.evidence.put(&place(&hash), PutPayload::from(file)).await.map_err(|why| lost(&hash, &why))?;
        let insert = query(
            "INSERT INTO attachments (subject, hash, media, bytes, by_name, at_ms, gone) VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (subject, hash) DO UPDATE SET gone = excluded.gone, by_name = excluded.by_name, at_ms = excluded.at_ms",
        );
        let insert = insert.bind(&subject).bind(&hash).bind(media).bind(bytes).bind(by_name);
        insert.bind(ms(at.0)).bind(false).execute(&mut transaction).await?;
        let added = attachment(&mut transaction, &subject, &hash).await?.ok_or_else(|| RegisterError::damaged("attachments"))?;
        transaction.commit().await?;
        Ok(added)
    }

    /// The files of a case, the oldest first.
    pub async fn attachments(&self, number: &CaseNumber) -> Result<Vec<Attachment>, StoreError> {
        self.attachments_of(&number.to_string()).await
    }

    /// The files of an incident, the oldest first.
    pub async fn incident_attachments(&self, n: i64) -> Result<Vec<Attachment>, StoreError> {
        self.attachments_of(&incidents::subject(n)).await
    }

    async fn attachments_of(&self, subject: &str) -> Result<Vec<Attachment>, StoreError> {
        let all = query("SELECT hash, media, bytes, by_name, at_ms FROM attachments WHERE subject = $1 AND NOT gone ORDER BY at_ms, hash");
        Ok(all.bind(subject).fetch_all(self.db.readers()).await?)
    }

    /// A file of a case with its media type; `None` where the case has none of this hash.
    ///
    /// # Errors
    /// When it is not on the disk, or is not what the history says.
    pub async fn evidence(&self, number: &CaseNumber, hash: &str) -> Result<Option<(String, Bytes)>, RegisterError> {
        self.evidence_of(&number.to_string(), hash).await
    }

    /// A file of an incident, as [`Store::evidence`] of a case.
    ///
    /// # Errors
    /// When it is not on the disk, or is not what the history says.
    pub async fn incident_evidence(&self, n: i64, hash: &str) -> Result<Option<(String, Bytes)>, RegisterError> {
        self.evidence_of(&incidents::subject(n), hash).await
    }

    async fn evidence_of(&self, subject: &str, hash: &str) -> Result<Option<(String, Bytes)>, RegisterError> {
        let media: Option<(String,)> = query("SELECT media FROM attachments WHERE subject = $1 AND hash = $2 AND NOT gone")
            .bind(subject)
            .bind(hash)
            .fetch_optional(self.db.readers())
            .await?;
        let Some((media,)) = media else { return Ok(None) };
        Ok(Some((media, self.file(hash).await?)))
    }

    /// The file of this hash; an error where it is not on the disk, or is another.
    pub(super) async fn file(&self, hash: &str) -> Result<Bytes, StoreError> {
        let lost = |why: String| StoreError::Evidence { hash: hash.to_owned(), why };
        let file = self.evidence.get(&place(hash)).await.map_err(|why| lost(why.to_string()))?;
        let file = file.bytes().await.map_err(|why| lost(why.to_string()))?;
        if Digest(Sha256::digest(&file).into()).to_string() != hash {
            return Err(lost("it is not what the history says".to_owned()));
        }
        Ok(file)
    }

    /// Whether a case or an incident has this file now.
    pub(super) async fn is_kept(&self, subject: &str, hash: &str) -> Result<bool, StoreError> {
        let kept = query("SELECT 1 FROM attachments WHERE subject = $1 AND hash = $2 AND NOT gone").bind(subject).bind(hash);
        Ok(kept.fetch_optional::<(i32,)>(self.db.readers()).await?.is_some())
    }

    /// Removes files that an erasure has taken from their last case. What fails is tried again after the next erasure.
    pub(super) async fn remove_gone(&self) -> Result<(), RegisterError> {
        let mut transaction = self.db.begin(Lock::Register).await?;
        let gone: Vec<(String, String)> = query("SELECT subject, hash FROM attachments WHERE gone").fetch_all(&mut transaction).await?;
        for (subject, hash) in gone {
            let held = query("SELECT 1 FROM attachments WHERE hash = $1 AND NOT gone LIMIT 1").bind(&hash);
            if held.fetch_optional::<(i32,)>(&mut transaction).await?.is_none() {
                match self.evidence.delete(&place(&hash)).await {
                    Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                    Err(why) => return Err(lost(&hash, &why)),
                }
            }
            query("DELETE FROM attachments WHERE subject = $1 AND hash = $2").bind(subject).bind(hash).execute(&mut transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

/// The first of these files that a case or an incident does not have, shortened.
pub(super) async fn missing(transaction: &mut Transaction, subject: &str, files: &[String]) -> Result<Option<String>, sqlx::Error> {
    for file in files {
        if attachment(transaction, subject, file).await?.is_none() {
            return Ok(Some(file.chars().take(80).collect()));
        }
    }
    Ok(None)
}

/// A file on its way in.
struct Coming {
    subject: String,
    media: String,
    hash: String,
    file: Vec<u8>,
}

impl Coming {
    fn of(subject: String, media: &str, file: Vec<u8>) -> Self {
        Self { subject, media: media.to_owned(), hash: Digest(Sha256::digest(&file).into()).to_string(), file }
    }

    /// As the history tells it: hash, media type, bytes.
    fn told(&self) -> (String, String, u64) {
        (self.hash.clone(), self.media.clone(), u64::try_from(self.file.len()).unwrap_or(u64::MAX))
    }

    /// How many files there are, where no more may come.
    async fn too_many(&self, transaction: &mut Transaction) -> Result<Option<i64>, sqlx::Error> {
        let count = query("SELECT COUNT(*) FROM attachments WHERE subject = $1 AND NOT gone").bind(&self.subject);
        let count: i64 = count.fetch_scalar(transaction).await?;
        Ok(Some(count).filter(|count| *count >= MOST))
    }
}

async fn attachment(transaction: &mut Transaction, subject: &str, hash: &str) -> Result<Option<Attachment>, sqlx::Error> {
    let found = query("SELECT hash, media, bytes, by_name, at_ms FROM attachments WHERE subject = $1 AND hash = $2 AND NOT gone");
    found.bind(subject).bind(hash).fetch_optional(transaction).await
}

/// A folder for each first byte, so that none has too many files. The hash is of our own table: nothing else reaches the disk.
fn place(hash: &str) -> Path {
    Path::from(format!("{}/{hash}", hash.get(..2).unwrap_or_default()))
}

fn lost(hash: &str, why: &object_store::Error) -> RegisterError {
    RegisterError::Store(StoreError::Evidence { hash: hash.to_owned(), why: why.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_first_bytes_say() {
        assert_eq!(media(b"\xFF\xD8\xFF\xE0 and more"), Some("image/jpeg"));
        assert_eq!(media(b"RIFF\x10\0\0\0WEBPVP8 "), Some("image/webp"));
        assert_eq!(media(b"\0\0\0\x18ftypheic\0"), Some("image/heic"));
        assert_eq!(media(b"%PDF-1.7\n"), Some("application/pdf"));
        for other in [&b""[..], b"\xFF\xD8", b"<svg onload=alert(1)>", b"MZ\x90", b"RIFF\x10\0\0\0WAVEfmt ", b"GIF89a"] {
            assert_eq!(media(other), None);
        }
    }
}
