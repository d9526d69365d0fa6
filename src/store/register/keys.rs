//! Which organisation does a key speak for? Keys are shown once; only their SHA-256 is kept.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::private::Private;
use crate::store::statement::query;
use crate::store::{Store, StoreError, User};

use super::RegisterError;

/// What every key begins with, so that it is known for one where it should not lie.
const BEGINNING: &str = "cityline_";

impl Store {
    /// Makes a key of 256 bits for an organisation, in the place of the one that it had; `None` where there is no such organisation.
    ///
    /// # Errors
    /// When the system gives no random numbers, or the database refuses.
    pub async fn make_key(&self, organisation: &str) -> Result<Option<Private<String>>, RegisterError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| RegisterError::Unwritable(format!("the system gives no random numbers: {error}")))?;
        let key = format!("{BEGINNING}{}", URL_SAFE_NO_PAD.encode(bytes));
        let kept = query("UPDATE organisations SET secret = $1 WHERE id = $2");
        let changed = kept.bind(hashed(&key)).bind(organisation).execute(self.db.writer()).await?;
        Ok((changed == 1).then(|| Private::new(key)))
    }

    /// Takes an organisation's key away; false where it has none.
    pub async fn take_key(&self, organisation: &str) -> Result<bool, RegisterError> {
        let taken = query("UPDATE organisations SET secret = NULL WHERE id = $1 AND secret IS NOT NULL");
        Ok(taken.bind(organisation).execute(self.db.writer()).await? == 1)
    }

    /// As whom a key acts; `None` where no organisation has it. The comparison is of hashes, so its time tells nothing of a key.
    pub async fn user_of_key(&self, key: &Private<String>) -> Result<Option<User>, StoreError> {
        if !key.reveal().starts_with(BEGINNING) {
            return Ok(None);
        }
        let found = query("SELECT id FROM organisations WHERE secret = $1").bind(hashed(key.reveal()));
        let found: Option<(String,)> = found.fetch_optional(self.db.readers()).await?;
        Ok(found.map(|(organisation,)| User::of_key(organisation)))
    }
}

fn hashed(key: &str) -> String {
    Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
