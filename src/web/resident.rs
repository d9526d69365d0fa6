//! Who is the resident that asks? Whoever proved by a code that a number is theirs; their session opens the cabinet and nothing else.

use serde::{Deserialize, Serialize};
use tower_sessions::Session;

use crate::centre::ids::CallerRef;
use crate::centre::time::Time;

use super::Web;
use super::error::WebError;

/// Under which a session keeps the resident.
const KEY: &str = "resident";

/// A session in the cabinet ends after this, in milliseconds, whatever is done in it: telephones and browsers are shared.
pub(super) const LIFE_MS: u64 = 3_600_000;

/// A resident who was let in, for handlers behind [`super::auth::require`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Resident {
    /// Whose number it is.
    pub caller: CallerRef,
    /// The number's last digits, for the screen.
    pub shown: String,
    /// When the session ends.
    pub until: Time,
}

impl Resident {
    /// The name under which what a resident does is on record: it names the number to nobody who has not the key.
    pub fn name(&self) -> String {
        format!("resident:{:016x}", self.caller.0)
    }

    /// The resident of a session; `None` where it is nobody's, or over.
    pub async fn of(web: &Web, session: &Session) -> Result<Option<Resident>, WebError> {
        let resident: Option<Resident> = session.get(KEY).await?;
        Ok(resident.filter(|resident| resident.until > web.clock.now()))
    }

    /// Makes the session this resident's alone: whoever else was signed in on this browser is not any more.
    pub async fn enter(&self, session: &Session) -> Result<(), WebError> {
        session.flush().await?;
        Ok(session.insert(KEY, self).await?)
    }

    /// Takes the resident out of a session that becomes an account's.
    pub async fn leave(session: &Session) -> Result<(), WebError> {
        if session.get::<Resident>(KEY).await?.is_some() {
            session.flush().await?;
        }
        Ok(())
    }
}
