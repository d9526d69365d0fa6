//! How is a refusal told? One error for every route: JSON `{error, what, mend}`, logged once, here.

use std::net::SocketAddr;

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::store::{ImportError, RegisterError, StoreError};

use super::tls::TlsError;

/// When a page should come again while the database is away, in seconds.
const AWAY_RETRY_S: u64 = 5;

/// Why a request is refused, or the server cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// The address cannot be listened on.
    #[error("web: {address} cannot be listened on ({why}); end the program that holds it, or set web.listen to a free address")]
    Listen { address: SocketAddr, why: std::io::Error },
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Somebody from outside speaks plainly although there is a certificate.
    #[error("this server is asked over https")]
    Bare,
    /// Nobody is signed in.
    #[error("nobody is signed in")]
    SignIn,
    /// Name or password are wrong; which of them is not told.
    #[error("name or password are wrong")]
    WrongPassword,
    /// The password is right, and a code is asked for.
    #[error("the account has a second factor, and no code was sent")]
    NeedsCode,
    /// The code is wrong, or was used before.
    #[error("the code is wrong, too old, or was used before")]
    WrongCode,
    /// Too many questions of one address, or about one number.
    #[error("too many questions at once")]
    Pace { retry_after_s: u64 },
    /// Too many guesses.
    #[error("too many wrong passwords")]
    Locked { retry_after_s: u64 },
    /// The role does not allow it.
    #[error("the role {role} may not do this")]
    Role { role: &'static str },
    /// The account has no operator in the settings.
    #[error("{name} is none of the operators of the settings")]
    NotAnOperator { name: String },
    /// The page that asks comes from another site.
    #[error("the request comes from another site")]
    Origin,
    /// There is no such thing.
    #[error("{what} is not there")]
    Missing { what: String },
    /// The request cannot be understood.
    #[error("{what}")]
    Invalid { what: String, mend: &'static str },
    /// A document has these faults, each with its mend.
    #[error("the document has {} faults", .0.len())]
    Faults(Vec<String>),
    /// It took too long.
    #[error("the answer took too long")]
    Slow,
    /// Sessions and accounts cannot be read: the database does not answer.
    #[error("sessions and accounts cannot be read: the database does not answer")]
    Away,
    /// The database refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The register's rules refuse it.
    #[error(transparent)]
    Refused(crate::cases::decide::Refusal),
    /// The rules of incidents refuse it.
    #[error(transparent)]
    IncidentRefused(crate::cases::incident_life::Refusal),
    /// Somebody was faster.
    #[error("{0}")]
    Conflict(String),
    /// The session could not be read or written.
    #[error("the session could not be kept: {0}")]
    Session(String),
}

/// Why a request is refused.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Refusal {
    /// A code for programs.
    #[schema(value_type = String)]
    error: &'static str,
    /// What is in the way.
    what: String,
    /// What to do about it.
    #[schema(value_type = String)]
    mend: &'static str,
    /// Every fault of a document that was sent, each with its mend.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    #[schema(required = false)]
    faults: Vec<String>,
}

impl WebError {
    /// Status, code for programs, and what the reader can do.
    fn parts(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            WebError::Listen { .. } => (StatusCode::INTERNAL_SERVER_ERROR, "listen", "See the server's log."),
            WebError::Tls(_) => (StatusCode::INTERNAL_SERVER_ERROR, "certificate", "See the server's log."),
            WebError::Bare => (StatusCode::FORBIDDEN, "bare", "Ask at the same address with https://."),
            WebError::SignIn => (StatusCode::UNAUTHORIZED, "sign_in", "Sign in first."),
            WebError::WrongPassword => (StatusCode::UNAUTHORIZED, "wrong_password", "Type both again, or ask an administrator."),
            WebError::NeedsCode => (StatusCode::UNAUTHORIZED, "needs_code", "Send name, password and the code that the telephone shows."),
            WebError::WrongCode => (StatusCode::UNAUTHORIZED, "wrong_code", "Wait for the next code and type that one."),
            WebError::Pace { .. } => (StatusCode::TOO_MANY_REQUESTS, "pace", "Wait as long as Retry-After says."),
            WebError::Locked { .. } => (StatusCode::TOO_MANY_REQUESTS, "locked", "Wait some minutes, or ask an administrator."),
            WebError::Role { .. } => (StatusCode::FORBIDDEN, "role", "Sign in with an account that may, or ask an administrator."),
            WebError::NotAnOperator { .. } => {
                (StatusCode::FORBIDDEN, "not_an_operator", "Add the operator to the settings under the account's name.")
            }
            WebError::Origin => (StatusCode::FORBIDDEN, "origin", "Open the page at the server's own address."),
            WebError::Missing { .. } => (StatusCode::NOT_FOUND, "missing", "Look at the list; it may be written a moment later."),
            WebError::Invalid { mend, .. } => (StatusCode::UNPROCESSABLE_ENTITY, "invalid", mend),
            WebError::Faults(_) => (StatusCode::UNPROCESSABLE_ENTITY, "faults", "Mend what stands in faults, and send it again."),
            WebError::Slow => (StatusCode::SERVICE_UNAVAILABLE, "slow", "Try again in a moment."),
            WebError::Away | WebError::Store(StoreError::Away(_)) => {
                (StatusCode::SERVICE_UNAVAILABLE, "database_away", "Try again in a moment; calls go on meanwhile.")
            }
            WebError::Store(_) => (StatusCode::SERVICE_UNAVAILABLE, "store", "Try again; if it stays, the server's log says why."),
            WebError::Refused(refusal) => (StatusCode::CONFLICT, "refused", refusal.mend()),
            WebError::IncidentRefused(refusal) => (StatusCode::CONFLICT, "refused", refusal.mend()),
            WebError::Conflict(_) => (StatusCode::CONFLICT, "conflict", "Read it anew and try again."),
            WebError::Session(_) => (StatusCode::SERVICE_UNAVAILABLE, "session", "Sign in again."),
        }
    }

    /// What the reader is told: never the inside of the database.
    fn told(&self) -> String {
        match self {
            WebError::Away | WebError::Store(StoreError::Away(_)) => "the database does not answer".to_owned(),
            WebError::Store(_) => "the database could not be used".to_owned(),
            other => other.to_string(),
        }
    }
}

impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        let (status, error, mend) = self.parts();
        if status.is_server_error() {
            tracing::error!(error = %self, "request failed");
        } else {
            tracing::debug!(error = %self, "request refused");
        }
        let faults = if let WebError::Faults(faults) = &self { faults.clone() } else { Vec::new() };
        let mut response = (status, Json(Refusal { error, what: self.told(), mend, faults })).into_response();
        let retry_after_s = match self {
            WebError::Locked { retry_after_s } | WebError::Pace { retry_after_s } => Some(retry_after_s),
            WebError::Away | WebError::Store(StoreError::Away(_)) => Some(AWAY_RETRY_S),
            _ => None,
        };
        if let Some(seconds) = retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<RegisterError> for WebError {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Refused(refusal) => WebError::Refused(refusal),
            RegisterError::Incident(refusal) => WebError::IncidentRefused(refusal),
            RegisterError::NoResident(id) => WebError::Missing { what: format!("the resident {id}") },
            RegisterError::NoIncident(n) => WebError::Missing { what: format!("the incident {n}") },
            RegisterError::Missing(number) => WebError::Missing { what: format!("the case {number}") },
            RegisterError::Rules(wrong) => WebError::Faults(wrong),
            RegisterError::Revision { .. } => WebError::Conflict(error.to_string()),
            RegisterError::Unwritable(why) => WebError::Store(StoreError::Value { what: "an event", value: why }),
            RegisterError::Store(error) => WebError::Store(error),
        }
    }
}

impl From<ImportError> for WebError {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Register(error) => error.into(),
            other => WebError::Invalid { what: other.to_string(), mend: "Mend the file and send it again." },
        }
    }
}

impl From<JsonRejection> for WebError {
    fn from(rejection: JsonRejection) -> Self {
        WebError::Invalid { what: rejection.body_text(), mend: "Send JSON with the fields that the route names." }
    }
}

impl From<QueryRejection> for WebError {
    fn from(rejection: QueryRejection) -> Self {
        WebError::Invalid { what: rejection.body_text(), mend: "Look at the names and types of the parameters." }
    }
}

impl From<PathRejection> for WebError {
    fn from(rejection: PathRejection) -> Self {
        WebError::Invalid { what: rejection.body_text(), mend: "Look at the address: numbers are whole and not negative." }
    }
}

impl From<tower_sessions::session::Error> for WebError {
    fn from(error: tower_sessions::session::Error) -> Self {
        WebError::Session(error.to_string())
    }
}
