//! Who asks, and may they? Sign-in, sessions and roles.

use std::sync::{Arc, PoisonError};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use axum::{Extension, Json};
use axum_login::{AuthUser, AuthnBackend};
use serde::Deserialize;

use crate::private::Private;
use crate::store::{Role, Store, StoreError, User};

use super::Web;
use super::door::Visitor;
use super::error::WebError;
use super::extract::Body;
use super::me::Me;
use super::resident::Resident;
use super::second_factor;

/// The longest name and password that are looked at, in bytes.
const LONGEST: usize = 256;

/// A session's life is written anew when this part of it has passed.
const RENEWED_EVERY: u64 = 20;

/// Under which a session keeps the moment when its life was last written.
const SEEN: &str = "seen";

/// The session of a request.
pub(super) type Auth = axum_login::AuthSession<Accounts>;

/// The account that was let in, for handlers behind [`require`].
#[derive(Clone, Debug)]
pub(super) struct SignedIn(pub User);

/// Accounts of the store, as the login layer wants them.
#[derive(Clone, Debug)]
pub(super) struct Accounts(pub Store);

/// What is typed to sign in.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct Credentials {
    name: String,
    #[schema(value_type = String)]
    password: Private<String>,
    /// What the telephone shows, where the account has a second factor.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    code: Option<Private<String>>,
}

impl AuthUser for User {
    type Id = String;

    fn id(&self) -> String {
        self.name.clone()
    }

    fn session_auth_hash(&self) -> &[u8] {
        self.hash.as_bytes()
    }
}

impl AuthnBackend for Accounts {
    type User = User;
    type Credentials = Credentials;
    type Error = StoreError;

    async fn authenticate(&self, typed: Credentials) -> Result<Option<User>, StoreError> {
        self.0.check_password(&typed.name, &typed.password).await
    }

    async fn get_user(&self, name: &String) -> Result<Option<User>, StoreError> {
        self.0.user(name).await
    }
}

impl From<axum_login::Error<Accounts>> for WebError {
    fn from(error: axum_login::Error<Accounts>) -> Self {
        match error {
            axum_login::Error::Session(error) => error.into(),
            axum_login::Error::Backend(error) => error.into(),
        }
    }
}

/// POST /api/login. Each try counts before it is checked. 401 `needs_code`: the password is right, and the account has a second factor.
#[utoipa::path(post, path = "/api/login", request_body = Credentials, responses((status = 200, body = Me), (status = 401, body = super::error::Refusal),
    (status = 403, body = super::error::Refusal), (status = 429, body = super::error::Refusal), (status = 503, body = super::error::Refusal)))]
pub(super) async fn login(
    State(web): State<Arc<Web>>,
    ConnectInfo(visitor): ConnectInfo<Visitor>,
    mut auth: Auth,
    Body(typed): Body<Credentials>,
) -> Result<Json<Me>, WebError> {
    if typed.name.len() > LONGEST || typed.password.reveal().len() > LONGEST {
        return Err(WebError::WrongPassword);
    }
    let (name, (address, people), code) = (typed.name.clone(), visitor.host(), typed.code.clone());
    let who = super::guesses::From { name: &name, address, people };
    let guesses = || web.guesses.lock().unwrap_or_else(PoisonError::into_inner);
    guesses().try_one(who, web.clock.now()).map_err(|retry_after_s| WebError::Locked { retry_after_s })?;
    let Some(user) = auth.authenticate(typed).await? else {
        metrics::counter!("cityline_logins_total", "outcome" => "wrong").increment(1);
        return Err(WebError::WrongPassword);
    };
    let passed = second_factor::pass(&web, &user.name, code.as_ref().map(|code| code.reveal().as_str())).await;
    if matches!(passed, Err(WebError::NeedsCode)) {
        guesses().half_right(who);
    }
    passed?;
    guesses().right(who, web.clock.now());
    Resident::leave(&auth.session).await?;
    auth.login(&user).await?;
    metrics::counter!("cityline_logins_total", "outcome" => "right").increment(1);
    tracing::info!(user = %user.name, role = user.role.word(), "signed in");
    Ok(Json(Me::of(&web, user).await?))
}

/// POST /api/logout. The operator's desk goes with the session.
#[utoipa::path(post, path = "/api/logout", responses((status = 204)))]
pub(super) async fn logout(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    mut auth: Auth,
) -> Result<StatusCode, WebError> {
    auth.logout().await?;
    web.desks.dismiss(&user.name.as_str().into());
    Ok(StatusCode::NO_CONTENT)
}

/// Lets accounts of these roles through, and keeps their session alive; or the resident of a session, whose time is measured. A key speaks for its organisation, whatever session comes with it.
pub(super) async fn require(
    roles: &'static [Role],
    State(web): State<Arc<Web>>,
    auth: Auth,
    mut request: Request,
    next: Next,
) -> Result<Response, WebError> {
    if roles.contains(&Role::Resident) {
        let resident = Resident::of(&web, &auth.session).await?.ok_or(WebError::SignIn)?;
        request.extensions_mut().insert(resident);
        return Ok(next.run(request).await);
    }
    let key = bearer(&request);
    let by_key = key.is_some();
    let user = match key {
        Some(key) => web.store.user_of_key(&key).await?,
        None => auth.user.clone(),
    };
    let user = user.ok_or(WebError::SignIn)?;
    if !roles.contains(&user.role) {
        return Err(WebError::Role { role: user.role.word() });
    }
    if !by_key {
        keep_alive(&web, &auth).await?;
    }
    request.extensions_mut().insert(SignedIn(user));
    Ok(next.run(request).await)
}

/// What stands behind `Authorization: Bearer` (RFC 6750 §2.1); empty where it cannot be read.
fn bearer(request: &Request) -> Option<Private<String>> {
    let value = request.headers().get(header::AUTHORIZATION)?;
    let told = value.to_str().ok().and_then(|text| text.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    Some(Private::new(told.map(|(_, key)| key.trim().to_owned()).unwrap_or_default()))
}

async fn keep_alive(web: &Web, auth: &Auth) -> Result<(), WebError> {
    let (now, life_ms) = (web.clock.now().0, web.config.session_s.saturating_mul(1000));
    let seen: u64 = auth.session.get(SEEN).await?.unwrap_or_default();
    if now.saturating_sub(seen) > life_ms / RENEWED_EVERY {
        auth.session.insert(SEEN, now).await?;
    }
    Ok(())
}
