//! Who am I, how do I want my screens, and how do I change what I sign in with?

use std::sync::{Arc, PoisonError};

use axum::Extension;
use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::private::Private;
use crate::store::{Role, User};

use super::Web;
use super::accounts::sound_password;
use super::auth::{Auth, SignedIn};
use super::door::Visitor;
use super::error::WebError;
use super::extract::Body;
use super::guesses::From;
use super::second_factor::{totp, use_up};

/// The longest preferences, in bytes of JSON.
const LONGEST_PREFERENCES: usize = 8 * 1024;

/// Who is signed in.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Me {
    /// The login name.
    name: String,
    /// What it may do; the document says of each route which roles may.
    role: Role,
    /// Whether a code is asked for at sign-in.
    second_factor: bool,
    /// Whether it takes calls: it is an operator of the settings.
    has_desk: bool,
    /// What [`put`] was given last; an empty object before.
    #[schema(value_type = Object)]
    preferences: Map<String, Value>,
}

/// How an account wants its screens.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Preferences {
    /// Whatever the page wants to know again, 8 KB at most: language, theme, devices.
    #[schema(value_type = Object)]
    preferences: Map<String, Value>,
}

/// Another password.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPassword {
    /// The one that holds.
    #[schema(value_type = String)]
    old: Private<String>,
    /// The one that is to hold.
    #[schema(value_type = String, min_length = 8, max_length = 256)]
    new: Private<String>,
}

/// The password, typed once more: a page that was left open changes nothing.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Password {
    #[schema(value_type = String)]
    password: Private<String>,
}

/// What a telephone needs to show codes. It is told once.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Enrolment {
    /// `otpauth://…`, for a picture that the telephone reads.
    uri: String,
    /// The same secret, to be typed.
    secret: String,
}

/// A code of the telephone.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Code {
    #[schema(min_length = 6, max_length = 16)]
    code: String,
}

impl Me {
    /// An account, as its owner sees it.
    pub async fn of(web: &Web, user: User) -> Result<Me, WebError> {
        let factor = web.store.second_factor(&user.name).await?;
        Ok(Me {
            second_factor: factor.is_some_and(|factor| factor.confirmed_ms.is_some()),
            has_desk: web.desks.is_open(&user.name.as_str().into()),
            preferences: web.store.preferences(&user.name).await?,
            role: user.role,
            name: user.name,
        })
    }
}

/// GET /api/me.
#[utoipa::path(get, path = "/api/me", responses((status = 200, body = Me)))]
pub(super) async fn me(State(web): State<Arc<Web>>, Extension(SignedIn(user)): Extension<SignedIn>) -> Result<Json<Me>, WebError> {
    Ok(Json(Me::of(&web, user).await?))
}

/// Keeps how the account wants its screens, in the place of what was kept before.
#[utoipa::path(put, path = "/api/me", request_body = Preferences, responses((status = 204)))]
pub(super) async fn put(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    Body(Preferences { preferences }): Body<Preferences>,
) -> Result<StatusCode, WebError> {
    let text = Value::Object(preferences).to_string();
    if text.len() > LONGEST_PREFERENCES {
        let what = format!("the preferences have {} bytes of {LONGEST_PREFERENCES}", text.len());
        return Err(WebError::Invalid { what, mend: "Keep less." });
    }
    web.store.put_preferences(&user.name, &text, web.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Changes the own password. Other sessions of the account end, this one goes on.
#[utoipa::path(put, path = "/api/me/password", request_body = NewPassword,
    responses((status = 204), (status = 429, body = super::error::Refusal)))]
pub(super) async fn password(
    State(web): State<Arc<Web>>,
    ConnectInfo(visitor): ConnectInfo<Visitor>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    mut auth: Auth,
    Body(NewPassword { old, new }): Body<NewPassword>,
) -> Result<StatusCode, WebError> {
    sound_password(&new)?;
    proven(&web, &visitor, &user, &old).await?;
    let user = web.store.change_password(&user, &new, web.clock.now()).await?.ok_or(WebError::SignIn)?;
    auth.login(&user).await?;
    tracing::info!(user = %user.name, "changed the own password");
    Ok(StatusCode::NO_CONTENT)
}

/// Begins a second factor: its secret is told this once, and asked for after a code of it was shown.
#[utoipa::path(post, path = "/api/me/second-factor", request_body = Password,
    responses((status = 201, body = Enrolment), (status = 429, body = super::error::Refusal)))]
pub(super) async fn enrol(
    State(web): State<Arc<Web>>,
    ConnectInfo(visitor): ConnectInfo<Visitor>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    Body(Password { password }): Body<Password>,
) -> Result<(StatusCode, Json<Enrolment>), WebError> {
    proven(&web, &visitor, &user, &password).await?;
    let unfit = || WebError::Invalid { what: "codes cannot be made for this name".into(), mend: "Ask an administrator for another name." };
    let salt = salt()?;
    let totp = totp(&web.key, &user.name, &salt).ok_or_else(unfit)?;
    let uri = totp.to_url().map_err(|_| unfit())?;
    if !web.store.begin_second_factor(&user.name, &salt).await? {
        return Err(WebError::Conflict("the account has a second factor; an administrator takes it away".into()));
    }
    let secret = totp_rs::Secret::from(web.key.secret(&["second factor", &user.name, &salt]).into_inner()).to_base32();
    Ok((StatusCode::CREATED, Json(Enrolment { uri, secret })))
}

/// Confirms a second factor by its first code: from here on one is asked for.
#[utoipa::path(post, path = "/api/me/second-factor/confirm", request_body = Code,
    responses((status = 204), (status = 404, body = super::error::Refusal), (status = 429, body = super::error::Refusal)))]
pub(super) async fn confirm(
    State(web): State<Arc<Web>>,
    ConnectInfo(visitor): ConnectInfo<Visitor>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    Body(Code { code }): Body<Code>,
) -> Result<StatusCode, WebError> {
    let missing = || WebError::Missing { what: "a second factor that waits for its first code".into() };
    let factor = web.store.second_factor(&user.name).await?.filter(|factor| factor.confirmed_ms.is_none()).ok_or_else(missing)?;
    guess(&web, &visitor, &user.name)?;
    use_up(&web, &user.name, &factor, &code).await?;
    right(&web, &visitor, &user.name);
    tracing::info!(user = %user.name, "has a second factor");
    Ok(StatusCode::NO_CONTENT)
}

fn who<'a>(visitor: &Visitor, name: &'a str) -> From<'a> {
    let (address, people) = visitor.host();
    From { name, address, people }
}

/// Sees that who asks knows the account's password; guesses count as those at sign-in.
async fn proven(web: &Web, visitor: &Visitor, user: &User, password: &Private<String>) -> Result<(), WebError> {
    guess(web, visitor, &user.name)?;
    web.store.check_password(&user.name, password).await?.ok_or(WebError::WrongPassword)?;
    right(web, visitor, &user.name);
    Ok(())
}

fn guess(web: &Web, visitor: &Visitor, name: &str) -> Result<(), WebError> {
    let mut guesses = web.guesses.lock().unwrap_or_else(PoisonError::into_inner);
    let tried = guesses.try_one(who(visitor, name), web.clock.now());
    tried.map_err(|retry_after_s| WebError::Locked { retry_after_s })
}

fn right(web: &Web, visitor: &Visitor, name: &str) {
    web.guesses.lock().unwrap_or_else(PoisonError::into_inner).right(who(visitor, name), web.clock.now());
}

/// Sixteen hexadecimal digits that nobody had before.
fn salt() -> Result<String, WebError> {
    let mut bytes = [0; 8];
    let refused = |error| WebError::Session(format!("the system gives no random numbers: {error}"));
    getrandom::fill(&mut bytes).map_err(refused)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
