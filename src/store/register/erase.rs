//! How does what is personal go by law, without breaking the history? The event that says so first, then the words, then who it was.

use crate::cases::event::{Author, What};
use crate::cases::ids::CaseNumber;
use crate::centre::time::Time;
use crate::private::Private;
use crate::store::Store;
use crate::store::search;
use crate::store::statement::query;
use crate::store::transaction::Lock;

use super::RegisterError;
use super::act::{CaseRow, change_in};

impl Store {
    /// Erases the words of every event of a case up to now, and who and where it was. The reason stays: it names the law, not the resident.
    ///
    /// # Errors
    /// When there is no such case, or the database refuses.
    pub async fn erase_case(&self, number: &CaseNumber, by: Author, reason: &Private<String>, at: Time) -> Result<CaseRow, RegisterError> {
        let register = self.register().await?;
        let subject = number.to_string();
        let mut transaction = self.db.begin(Lock::Register).await?;
        let held: Vec<(i64,)> =
            query("SELECT place FROM chain_words WHERE place IN (SELECT place FROM chain WHERE subject = $1) ORDER BY place")
                .bind(&subject)
                .fetch_all(&mut transaction)
                .await?;
        let events: Vec<u64> = held.iter().map(|(place,)| place.cast_unsigned()).collect();
        let erased = events.clone();
        let decide = |_: &_, _| Ok(What::Erased { events });
        let row = change_in(&mut transaction, number, &register, &by, Some(reason.reveal()), at, decide).await?;
        for place in erased {
            query("DELETE FROM chain_words WHERE place = $1").bind(place.cast_signed()).execute(&mut transaction).await?;
        }
        search::forget(&mut transaction, number).await?;
        query("UPDATE contacts SET caller = NULL WHERE number = $1").bind(&subject).execute(&mut transaction).await?;
        query("DELETE FROM case_people WHERE number = $1").bind(&subject).execute(&mut transaction).await?;
        query("UPDATE attachments SET gone = TRUE WHERE subject = $1").bind(&subject).execute(&mut transaction).await?;
        transaction.commit().await?;
        self.remove_gone().await?;
        Ok(row)
    }
}
