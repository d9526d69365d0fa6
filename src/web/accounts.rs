//! Who has an account, with which role, and for which organisation does it speak?

use std::sync::{Arc, PoisonError};

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};

use crate::centre::time::Time;
use crate::private::Private;
use crate::store::{Access, Role, Standing, User};

use super::Web;
use super::auth::SignedIn;
use super::error::WebError;
use super::extract::{At, Body};

/// The longest name, password and group, in bytes.
const LONGEST: usize = 256;

/// The shortest password of an account that is made here, in characters.
const SHORTEST_PASSWORD: usize = 8;

/// The most groups of an account.
const MOST_GROUPS: usize = 50;

/// An account, without its password.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Account {
    /// The login name.
    name: String,
    /// What it may do.
    role: Role,
    /// The organisation that it speaks for.
    organisation: Option<String>,
    /// The groups whose restricted topics it sees.
    groups: Vec<String>,
    /// Whether a code is asked for at sign-in.
    second_factor: bool,
    /// Until when nobody is let in by its name, because of wrong guesses, in milliseconds since the epoch; `null` while it is not locked.
    locked_until_ms: Option<u64>,
}

/// What an account is to be.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// What it may do.
    role: Role,
    /// The organisation that it speaks for; with the role `organisation`, and with no other.
    #[serde(default)]
    organisation: Option<String>,
    /// The groups whose restricted topics it sees.
    #[serde(default)]
    #[schema(required = false, max_items = 50)]
    groups: Vec<String>,
    /// Its password: needed for a new account, else it stays as it is. A new one ends the sessions.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 8, max_length = 256)]
    password: Option<Private<String>>,
}

/// Every account, by its name.
#[utoipa::path(get, path = "/api/accounts", responses((status = 200, body = [Account])))]
pub(super) async fn list(State(web): State<Arc<Web>>) -> Result<Json<Vec<Account>>, WebError> {
    let factors = web.store.second_factors().await?;
    let account = |user: User| Account::of(&web, factors.contains(&user.name), user);
    Ok(Json(web.store.users().await?.into_iter().map(account).collect()))
}

/// Makes an account, or gives one another standing.
#[utoipa::path(put, path = "/api/accounts/{name}", params(("name" = String, Path)), request_body = Wanted, responses((status = 200, body = Account)))]
pub(super) async fn put(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At(name): At<String>,
    Body(wanted): Body<Wanted>,
) -> Result<Json<Account>, WebError> {
    checked(&web, &name, &wanted).await?;
    if name == user.name && wanted.role != user.role {
        return Err(WebError::Conflict("an administrator cannot give the own role away".into()));
    }
    let Wanted { role, organisation, groups, password } = wanted;
    let (standing, now) = (Standing { role, organisation, groups }, web.clock.now());
    // On record before it holds, because it opens a way in.
    let what = format!("account {name} changed{}", if password.is_some() { ", with a new password" } else { "" });
    web.store.log_access(now, &user.name, Access::Accounts, &what).await?;
    match password {
        Some(password) => web.store.put_user(&name, &password, standing, now).await?,
        None if web.store.set_standing(&name, &standing, now).await? => {}
        None => return Err(WebError::Invalid { what: "a new account has no password".into(), mend: "Give it one." }),
    }
    tracing::info!(account = %name, role = role.word(), by = %user.name, "an account was changed");
    let changed = web.store.user(&name).await?.ok_or_else(|| WebError::Missing { what: "the account".into() })?;
    Ok(Json(Account::of(&web, web.store.second_factors().await?.contains(&name), changed)))
}

/// Takes an account away, with its sessions and its second factor.
#[utoipa::path(delete, path = "/api/accounts/{name}", params(("name" = String, Path)), responses((status = 204)))]
pub(super) async fn remove(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At(name): At<String>,
) -> Result<StatusCode, WebError> {
    if name == user.name {
        return Err(WebError::Conflict("an administrator cannot take the own account away".into()));
    }
    web.store.log_access(web.clock.now(), &user.name, Access::Accounts, &format!("account {name} taken away")).await?;
    if !web.store.remove_user(&name).await? {
        return Err(WebError::Missing { what: "the account".into() });
    }
    tracing::info!(account = %name, by = %user.name, "an account was taken away");
    Ok(StatusCode::NO_CONTENT)
}

/// Takes an account's second factor away, for somebody who has lost the telephone. It is on record.
#[utoipa::path(delete, path = "/api/accounts/{name}/second-factor", params(("name" = String, Path)), responses((status = 204)))]
pub(super) async fn remove_second_factor(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At(name): At<String>,
) -> Result<StatusCode, WebError> {
    if name == user.name {
        return Err(WebError::Conflict("the own second factor is taken away with the own password, at the own account".into()));
    }
    web.store.log_access(web.clock.now(), &user.name, Access::Accounts, &format!("second factor of {name} taken away")).await?;
    if !web.store.remove_second_factor(&name).await? {
        return Err(WebError::Missing { what: "a second factor of this account".into() });
    }
    tracing::info!(account = %name, by = %user.name, "a second factor was taken away");
    Ok(StatusCode::NO_CONTENT)
}

/// Lets whoever has guessed wrongly at an account's password try anew. It is on record.
#[utoipa::path(delete, path = "/api/accounts/{name}/lock", params(("name" = String, Path)), responses((status = 204)))]
pub(super) async fn unlock(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At(name): At<String>,
) -> Result<StatusCode, WebError> {
    let now = web.clock.now();
    if locked_until(&web, &name).is_none() {
        return Err(WebError::Missing { what: "a lock of this account".into() });
    }
    web.store.log_access(now, &user.name, Access::Accounts, &format!("account {name} unlocked")).await?;
    web.guesses.lock().unwrap_or_else(PoisonError::into_inner).forgive(&name);
    tracing::info!(account = %name, by = %user.name, "an account was unlocked");
    Ok(StatusCode::NO_CONTENT)
}

fn locked_until(web: &Web, name: &str) -> Option<Time> {
    web.guesses.lock().unwrap_or_else(PoisonError::into_inner).locked_until(name, web.clock.now())
}

/// Whether a password may be kept.
pub(super) fn sound_password(password: &Private<String>) -> Result<(), WebError> {
    let password = password.reveal();
    if password.chars().count() < SHORTEST_PASSWORD || password.len() > LONGEST {
        let what = "the password is too short or too long".to_owned();
        return Err(WebError::Invalid { what, mend: "Take 8 characters or more, 256 bytes at most." });
    }
    Ok(())
}

async fn checked(web: &Web, name: &str, wanted: &Wanted) -> Result<(), WebError> {
    let invalid = |what: &str, mend| Err(WebError::Invalid { what: what.to_owned(), mend });
    let plain =
        |text: &str| !text.is_empty() && text.len() <= LONGEST && !text.chars().any(|c| c.is_control() || c.is_whitespace() || c == ':');
    if !plain(name) {
        return invalid("that is no name of an account", "Write it without blanks and colons, 256 bytes at most.");
    }
    if wanted.groups.len() > MOST_GROUPS || !wanted.groups.iter().all(|group| plain(group)) {
        return invalid("that are no groups", "Name 50 at most, without blanks.");
    }
    wanted.password.as_ref().map_or(Ok(()), sound_password)?;
    match (&wanted.organisation, wanted.role) {
        (None, Role::Organisation) => invalid("the account speaks for no organisation", "Name it."),
        (Some(id), Role::Organisation) => {
            let known = web.store.organisations().await?.iter().any(|known| known.organisation.id == *id);
            if known { Ok(()) } else { invalid("there is no such organisation", "Add it first.") }
        }
        (_, Role::Resident) => invalid("residents have no accounts", "Take another role; residents sign in by a code to their telephone."),
        (Some(_), _) => invalid("only the role organisation speaks for one", "Leave the organisation out, or take that role."),
        (None, _) => Ok(()),
    }
}

impl Account {
    fn of(web: &Web, second_factor: bool, user: User) -> Self {
        let locked_until_ms = locked_until(web, &user.name).map(|until| until.0);
        Self { groups: user.groups(), name: user.name, role: user.role, organisation: user.organisation, second_factor, locked_until_ms }
    }
}
