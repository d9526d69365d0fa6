//! How are cases read, written and closed over HTTP?

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use chrono::{DateTime, Datelike};
use serde::Deserialize;

use crate::centre::ids::{CallId, CallerRef, NumberId};
use crate::centre::time::Time;
use crate::private::Private;
use crate::store::{Access, Case, CaseStatus, NewCase, Role, User};

use super::Web;
use super::auth::SignedIn;
use super::error::WebError;
use super::extract::{Asked, At, Body};

/// The longest topic, draft name and service, in characters.
const LONGEST_NAME: usize = 100;

/// The longest text, in characters.
const LONGEST_TEXT: usize = 10_000;

/// Which cases are asked for.
#[derive(Deserialize)]
pub(super) struct Filter {
    status: Option<CaseStatus>,
    before: Option<i64>,
    #[serde(default)]
    limit: u32,
}

/// A case to be written. Without a call it says under which service it is counted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    pub service: Option<NumberId>,
    pub call: Option<CallId>,
    pub topic: String,
    pub text: Private<String>,
    pub draft: String,
}

/// GET /api/cases?status=open&before=ID&limit=N, newest first.
pub(super) async fn list(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    Asked(filter): Asked<Filter>,
) -> Result<Json<Vec<Case>>, WebError> {
    let subject = format!("cases before {}", filter.before.map_or("now".to_owned(), |id| id.to_string()));
    web.store.log_access(web.clock.now(), &user.name, Access::Cases, &subject).await?;
    Ok(Json(web.store.cases(filter.status, filter.before, filter.limit).await?))
}

/// POST /api/cases.
pub(super) async fn create(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    Body(wanted): Body<Wanted>,
) -> Result<(StatusCode, Json<Case>), WebError> {
    Ok((StatusCode::CREATED, Json(write(&web, &user, wanted).await?)))
}

/// POST /api/cases/{number}/close.
pub(super) async fn close(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At(number): At<String>,
) -> Result<Json<Case>, WebError> {
    let closed = web.store.close_case(&number, &user.name, web.clock.now()).await?;
    closed.map(Json).ok_or_else(|| WebError::Missing { what: format!("an open case {number}") })
}

/// Writes a case after checking it; in a call, it belongs to its caller.
pub(super) async fn write(web: &Web, user: &User, wanted: Wanted) -> Result<Case, WebError> {
    checked("topic", &wanted.topic, LONGEST_NAME)?;
    checked("text", wanted.text.reveal(), LONGEST_TEXT)?;
    checked("draft", &wanted.draft, LONGEST_NAME)?;
    let (caller, service) = match wanted.call {
        Some(call) => of_call(web, user, call).await?,
        None => (CallerRef::WITHHELD, wanted.service.ok_or_else(no_service)?),
    };
    checked("service", service.as_str(), LONGEST_NAME)?;
    let at = web.clock.now();
    let case = NewCase {
        service,
        year: year(web, at),
        caller,
        call: wanted.call,
        topic: wanted.topic,
        text: wanted.text,
        by: user.name.clone(),
        draft: wanted.draft,
        at,
    };
    metrics::counter!("cityline_cases_written_total").increment(1);
    Ok(web.store.write_case(&case).await?)
}

/// Operators write in the call that they work on; a supervisor in any.
async fn of_call(web: &Web, user: &User, call: CallId) -> Result<(CallerRef, NumberId), WebError> {
    let number = web.with_board(|board| board.number(call).cloned());
    let own = web.desks.work_on(&user.name.as_str().into(), call).map(|work| work.offer.caller);
    match (own, number, user.role) {
        (Some(caller), Some(number), _) => Ok((caller, number)),
        (Some(_), None, _) | (None, _, Role::Supervisor | Role::Administrator) => {
            let stored = web.store.caller_of_call(call).await?;
            stored.ok_or_else(|| WebError::Missing { what: call.to_string() })
        }
        (None, _, Role::Operator | Role::Quality) => {
            Err(WebError::Invalid { what: format!("{call} is not yours"), mend: "Write it without the call, naming the service." })
        }
    }
}

fn checked(what: &str, text: &str, most: usize) -> Result<(), WebError> {
    let length = text.chars().count();
    if text.trim().is_empty() {
        return Err(WebError::Invalid { what: format!("{what} is empty"), mend: "Fill it in." });
    }
    if length > most {
        return Err(WebError::Invalid { what: format!("{what} has {length} characters of {most}"), mend: "Shorten it." });
    }
    Ok(())
}

fn no_service() -> WebError {
    WebError::Invalid { what: "neither call nor service is named".into(), mend: "Name the short number under which the case is counted." }
}

/// The year by the city's calendar.
fn year(web: &Web, at: Time) -> i32 {
    let ms = i64::try_from(at.0).unwrap_or_default();
    DateTime::from_timestamp_millis(ms).unwrap_or_default().with_timezone(&web.zone).year()
}
