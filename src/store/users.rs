//! Who may sign in, and as what? Accounts with their role; passwords as argon2 hashes.

use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use tokio::sync::Semaphore;

use crate::centre::time::Time;
use crate::private::Private;

use super::Sight;
use super::bulk::ms;
use super::statement::query;
use super::{Store, StoreError};

/// Passwords that are hashed at one time: each takes about 20 MB and a core, so a flood of logins queues here and not at the calls.
const HASHED_AT_ONCE: usize = 2;

/// Compared where the name is unknown, so that the time taken does not tell which names exist.
static NOBODY: LazyLock<String> = LazyLock::new(|| password_auth::generate_hash("nobody"));

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Takes calls and writes cases.
    Operator,
    /// Listens to recordings and judges them.
    Quality,
    /// Sees everything that happens.
    Supervisor,
    /// Decides who may what.
    Administrator,
    /// Of an organisation that executes: sees and answers what lies with it.
    Organisation,
    /// City hall: reads the register and its figures.
    City,
    /// Has proved that a number is theirs, and sees what was reported from it. No account has this role.
    Resident,
}

impl Role {
    /// Every role that an account may have.
    pub const ALL: [Role; 6] = [Role::Operator, Role::Quality, Role::Supervisor, Role::Administrator, Role::Organisation, Role::City];

    /// The role as a word, in the database, on the command line and on screens.
    pub fn word(self) -> &'static str {
        match self {
            Role::Operator => "operator",
            Role::Quality => "quality",
            Role::Supervisor => "supervisor",
            Role::Administrator => "administrator",
            Role::Organisation => "organisation",
            Role::City => "city",
            Role::Resident => "resident",
        }
    }
}

impl std::str::FromStr for Role {
    type Err = StoreError;

    fn from_str(word: &str) -> Result<Self, StoreError> {
        let unknown = || StoreError::Value { what: "role", value: word.to_owned() };
        Role::ALL.into_iter().find(|role| role.word() == word).ok_or_else(unknown)
    }
}

impl TryFrom<String> for Role {
    type Error = StoreError;

    fn try_from(word: String) -> Result<Self, StoreError> {
        word.parse()
    }
}

/// An account. An operator's name is the name of the operator in the settings.
#[derive(Clone, PartialEq, Eq, FromRow)]
pub struct User {
    /// The login name.
    pub name: String,
    /// What it may do.
    #[sqlx(try_from = "String")]
    pub role: Role,
    /// PHC string; a session stands only as long as it is the same.
    pub hash: String,
    /// The organisation that an account of [`Role::Organisation`] speaks for.
    pub organisation: Option<String>,
    /// The groups whose restricted topics it sees, a JSON array.
    sees: String,
}

/// What an account is for: its role, and for whom it speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What it may do.
    pub role: Role,
    /// The organisation that it speaks for; with [`Role::Organisation`] alone.
    pub organisation: Option<String>,
    /// The groups whose restricted topics it sees.
    pub groups: Vec<String>,
}

impl From<Role> for Standing {
    fn from(role: Role) -> Self {
        Self { role, organisation: None, groups: Vec::new() }
    }
}

impl Standing {
    /// Whether it speaks for an organisation exactly where its role does.
    fn checked(&self) -> Result<(), StoreError> {
        if self.role == Role::Resident {
            return Err(StoreError::Value { what: "the role of an account", value: self.role.word().to_owned() });
        }
        if (self.role == Role::Organisation) == self.organisation.is_some() {
            return Ok(());
        }
        let value = self.organisation.clone().unwrap_or_else(|| "none".to_owned());
        Err(StoreError::Value { what: "the organisation of an account", value })
    }
}

impl User {
    /// Whoever holds an organisation's key: it speaks for the organisation as an account of it does.
    pub(super) fn of_key(organisation: String) -> Self {
        let name = format!("key:{organisation}");
        Self { name, role: Role::Organisation, hash: String::new(), organisation: Some(organisation), sees: "[]".to_owned() }
    }

    /// The groups whose restricted topics it sees.
    pub fn groups(&self) -> Vec<String> {
        serde_json::from_str(&self.sees).unwrap_or_default()
    }

    /// What the account sees of the register.
    pub fn sight(&self) -> Sight {
        Sight { organisation: self.organisation.clone(), groups: self.groups() }
    }
}

impl std::fmt::Debug for User {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} ({})", self.name, self.role.word())
    }
}

pub(super) fn hashing_places() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(HASHED_AT_ONCE))
}

impl Store {
    /// Makes an account, or gives an existing one this password and standing; its sessions end.
    ///
    /// # Errors
    /// When an organisation's account names none, or another's names one.
    pub async fn put_user(
        &self,
        name: &str,
        password: &Private<String>,
        standing: impl Into<Standing>,
        at: Time,
    ) -> Result<(), StoreError> {
        let standing = standing.into();
        standing.checked()?;
        let Standing { role, organisation, groups } = standing;
        let password = password.reveal().clone();
        let hash = self.hashed(move || Ok(password_auth::generate_hash(password))).await?;
        query(
            "INSERT INTO users (name, hash, role, changed_ms, organisation, sees) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (name) DO UPDATE SET hash = excluded.hash, role = excluded.role, changed_ms = excluded.changed_ms, \
             organisation = excluded.organisation, sees = excluded.sees",
        )
        .bind(name)
        .bind(hash)
        .bind(role.word())
        .bind(ms(at.0))
        .bind(organisation)
        .bind(serde_json::to_string(&groups).unwrap_or_default())
        .execute(self.db.writer())
        .await?;
        Ok(())
    }

    /// Gives an account another standing; its sessions go on with it. False where there is none of this name.
    ///
    /// # Errors
    /// When an organisation's account names none, or another's names one.
    pub async fn set_standing(&self, name: &str, standing: &Standing, at: Time) -> Result<bool, StoreError> {
        standing.checked()?;
        let changed = query("UPDATE users SET role = $1, organisation = $2, sees = $3, changed_ms = $4 WHERE name = $5")
            .bind(standing.role.word())
            .bind(standing.organisation.clone())
            .bind(serde_json::to_string(&standing.groups).unwrap_or_default())
            .bind(ms(at.0))
            .bind(name)
            .execute(self.db.writer())
            .await?;
        Ok(changed == 1)
    }

    /// Gives an account another password, where it still has the hash that was read; its sessions end. `None` where somebody was faster.
    pub async fn change_password(&self, user: &User, password: &Private<String>, at: Time) -> Result<Option<User>, StoreError> {
        let password = password.reveal().clone();
        let hash = self.hashed(move || Ok(password_auth::generate_hash(password))).await?;
        let changed = query("UPDATE users SET hash = $1, changed_ms = $2 WHERE name = $3 AND hash = $4");
        let changed = changed.bind(&hash).bind(ms(at.0)).bind(&user.name).bind(&user.hash).execute(self.db.writer()).await?;
        Ok((changed == 1).then(|| User { hash, ..user.clone() }))
    }

    /// Removes an account with what was its own; false where there is none of this name.
    pub async fn remove_user(&self, name: &str) -> Result<bool, StoreError> {
        for own in ["DELETE FROM second_factors WHERE name = $1", "DELETE FROM preferences WHERE who = $1"] {
            query(own).bind(name).execute(self.db.writer()).await?;
        }
        let removed = query("DELETE FROM users WHERE name = $1").bind(name).execute(self.db.writer()).await?;
        Ok(removed == 1)
    }

    /// The account of a name.
    pub async fn user(&self, name: &str) -> Result<Option<User>, StoreError> {
        let statement = query("SELECT name, role, hash, organisation, sees FROM users WHERE name = $1").bind(name);
        Ok(statement.fetch_optional(self.db.readers()).await?)
    }

    /// All accounts by name.
    pub async fn users(&self) -> Result<Vec<User>, StoreError> {
        Ok(query("SELECT name, role, hash, organisation, sees FROM users ORDER BY name").fetch_all(self.db.readers()).await?)
    }

    /// The account, if name and password are right. It takes as long where the name is unknown.
    pub async fn check_password(&self, name: &str, password: &Private<String>) -> Result<Option<User>, StoreError> {
        let user = self.user(name).await?;
        let stored = user.as_ref().map(|user| user.hash.clone());
        let password = password.reveal().clone();
        let right = self
            .hashed(move || match password_auth::verify_password(password, stored.as_deref().unwrap_or(&NOBODY)) {
                Ok(()) => Ok(stored.is_some()),
                Err(password_auth::VerifyError::PasswordInvalid) => Ok(false),
                Err(password_auth::VerifyError::Parse(error)) => Err(StoreError::Password(error.to_string())),
            })
            .await?;
        Ok(user.filter(|_| right))
    }

    /// Does the slow work on a thread of its own, a few at a time.
    async fn hashed<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T, StoreError> + Send + 'static) -> Result<T, StoreError> {
        let failed = |error: &dyn std::error::Error| StoreError::Password(error.to_string());
        let _place = self.hashing.acquire().await.map_err(|error| failed(&error))?;
        tokio::task::spawn_blocking(work).await.map_err(|error| failed(&error))?
    }
}
