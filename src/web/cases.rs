//! How are cases read, written and acted on over HTTP?

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use chrono::{DateTime, Datelike};
use serde::Deserialize;

use crate::cases::assignment::Place;
use crate::cases::decide::{Report, Wish};
use crate::cases::event::{Author, Channel, Kind};
use crate::cases::ids::CaseNumber;
use crate::cases::terms::Priority;
use crate::centre::ids::{CallId, CallerRef, NumberId};
use crate::centre::time::Time;
use crate::private::Private;
use crate::store::{Access, Address, CaseDetail, CaseFilter, CaseRow, NewCase, ReportWords, ResidentWords, Role, Topic, User};

use super::Web;
use super::auth::SignedIn;
use super::error::WebError;
use super::extract::{Asked, At, Body};

/// The longest topic, draft name and service, in characters.
const LONGEST_NAME: usize = 100;

/// The longest text, in characters.
const LONGEST_TEXT: usize = 10_000;

/// A case to be written. Without a call it says under which service it is counted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    #[serde(default)]
    pub service: Option<NumberId>,
    #[serde(default)]
    pub call: Option<CallId>,
    pub topic: String,
    pub text: Private<String>,
    pub draft: String,
    #[serde(default)]
    pub kind: Option<Kind>,
    #[serde(default)]
    pub channel: Option<Channel>,
    #[serde(default)]
    pub priority: Priority,
    #[serde(default)]
    pub place: Place,
    #[serde(default)]
    pub address: Option<Address>,
    #[serde(default)]
    pub resident: Option<ResidentWords>,
}

impl Wanted {
    /// What the desk's short form says.
    pub fn in_call(call: CallId, topic: String, text: Private<String>, draft: String) -> Self {
        let (call, kind, channel, priority) = (Some(call), None, None, Priority::Normal);
        Self { service: None, call, topic, text, draft, kind, channel, priority, place: Place::default(), address: None, resident: None }
    }
}

/// What is to be done to a case, and the words beside it.
#[derive(Deserialize)]
pub(super) struct Act {
    #[serde(flatten)]
    wish: Wish,
    #[serde(default)]
    words: Option<Private<String>>,
}

/// GET /api/cases, newest first, or the latest first where `overdue=true`, or those that hold the words of `text`, the best first.
pub(super) async fn list(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    Asked(filter): Asked<CaseFilter>,
) -> Result<Json<Vec<CaseRow>>, WebError> {
    let subject = format!("cases before {}", filter.before.map_or("now".to_owned(), |id| id.to_string()));
    let now = web.clock.now();
    web.store.log_access(now, &user.name, Access::Cases, &subject).await?;
    Ok(Json(match &filter.text {
        Some(text) => {
            shorter("text", text, LONGEST_NAME)?;
            web.store.search_cases(text, &filter, &user.sight(), now).await?
        }
        None => web.store.cases(&filter, &user.sight(), now).await?,
    }))
}

/// GET /api/cases/{number}, with its history.
pub(super) async fn detail(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At(number): At<String>,
) -> Result<Json<CaseDetail>, WebError> {
    let number = seen(&web, &user, &number).await?;
    web.store.log_access(web.clock.now(), &user.name, Access::Cases, &number.to_string()).await?;
    web.store.case(&number).await?.map(Json).ok_or_else(|| WebError::Missing { what: format!("the case {number}") })
}

/// POST /api/cases.
pub(super) async fn create(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    Body(wanted): Body<Wanted>,
) -> Result<(StatusCode, Json<CaseRow>), WebError> {
    Ok((StatusCode::CREATED, Json(write(&web, &user, wanted).await?)))
}

/// POST /api/cases/{number}/act.
pub(super) async fn act(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At(number): At<String>,
    Body(Act { wish, words }): Body<Act>,
) -> Result<Json<CaseRow>, WebError> {
    let number = seen(&web, &user, &number).await?;
    if let Some(words) = &words {
        shorter("words", words.reveal(), LONGEST_TEXT)?;
    }
    Ok(Json(web.store.act(&number, &wish, author(&user), words.as_ref(), web.clock.now()).await?))
}

/// An erasure by law.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Erasure {
    number: CaseNumber,
    /// By which law; it stays, and names nobody.
    reason: Private<String>,
}

/// POST /api/erasures: takes what is personal out of a case, and leaves its history whole.
pub(super) async fn erase(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    Body(Erasure { number, reason }): Body<Erasure>,
) -> Result<Json<CaseRow>, WebError> {
    checked("reason", reason.reveal(), LONGEST_TEXT)?;
    let now = web.clock.now();
    web.store.log_access(now, &user.name, Access::Cases, &format!("erasure of {number}")).await?;
    Ok(Json(web.store.erase_case(&number, author(&user), &reason, now).await?))
}

/// GET /api/topics: the tree of topics with their names, for forms.
pub(super) async fn topics(State(web): State<Arc<Web>>) -> Result<Json<Vec<Topic>>, WebError> {
    Ok(Json(web.store.rule_book().await?.1.topics))
}

/// The number that is meant, if there is such a case and the account sees it; both refusals read alike.
async fn seen(web: &Web, user: &User, number: &str) -> Result<CaseNumber, WebError> {
    let missing = || WebError::Missing { what: format!("the case {}", number.chars().take(40).collect::<String>()) };
    let number: CaseNumber = number.parse().map_err(|_| missing())?;
    if web.store.sees_case(&number, &user.sight()).await? { Ok(number) } else { Err(missing()) }
}

/// As whom an account writes history.
pub(super) fn author(user: &User) -> Author {
    let name = user.name.clone();
    match (user.role, &user.organisation) {
        (Role::Organisation, Some(organisation)) => Author::Organisation { organisation: organisation.as_str().into(), name },
        (Role::Operator, _) => Author::Operator { name },
        (Role::Quality, _) => Author::Quality { name },
        (Role::Supervisor, _) => Author::Supervisor { name },
        (Role::Administrator | Role::City | Role::Organisation, _) => Author::Administrator { name },
    }
}

/// Writes a case after checking it; in a call, it belongs to its caller.
pub(super) async fn write(web: &Web, user: &User, wanted: Wanted) -> Result<CaseRow, WebError> {
    checked("topic", &wanted.topic, LONGEST_NAME)?;
    checked("text", wanted.text.reveal(), LONGEST_TEXT)?;
    checked("draft", &wanted.draft, LONGEST_NAME)?;
    let (caller, service) = match wanted.call {
        Some(call) => of_call(web, user, call).await?,
        None => (CallerRef::WITHHELD, wanted.service.ok_or_else(no_service)?),
    };
    let digits = service.as_str().len() <= 15 && service.as_str().bytes().all(|byte| byte.is_ascii_digit());
    if !digits || service.as_str().is_empty() {
        return Err(WebError::Invalid { what: "the service is no short number".into(), mend: "Name the number that is dialled, as 109." });
    }
    let at = web.clock.now();
    let report = Report {
        kind: wanted.kind.unwrap_or(Kind::Complaint),
        channel: wanted.channel.unwrap_or(Channel::Phone),
        topic: wanted.topic.into(),
        priority: wanted.priority,
        district: wanted.place.district.clone(),
        call: wanted.call,
        proposed: None,
    };
    let case = NewCase {
        service,
        year: year(web, at),
        report,
        caller,
        resident: None,
        place: wanted.place,
        at_degrees: None,
        words: ReportWords { text: wanted.text, address: wanted.address, resident: wanted.resident },
        by: author(user),
        by_name: user.name.clone(),
        draft: wanted.draft,
        at,
    };
    metrics::counter!("cityline_cases_written_total").increment(1);
    Ok(web.store.open_case(case).await?)
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
        (None, _, Role::Operator | Role::Quality | Role::Organisation | Role::City) => {
            Err(WebError::Invalid { what: format!("{call} is not yours"), mend: "Write it without the call, naming the service." })
        }
    }
}

fn checked(what: &str, text: &str, most: usize) -> Result<(), WebError> {
    if text.trim().is_empty() {
        return Err(WebError::Invalid { what: format!("{what} is empty"), mend: "Fill it in." });
    }
    shorter(what, text, most)
}

fn shorter(what: &str, text: &str, most: usize) -> Result<(), WebError> {
    let length = text.chars().count();
    if length > most {
        return Err(WebError::Invalid { what: format!("{what} has {length} characters of {most}"), mend: "Shorten it." });
    }
    Ok(())
}

fn no_service() -> WebError {
    WebError::Invalid { what: "neither call nor service is named".into(), mend: "Name the short number under which the case is counted." }
}

/// The year by the city's calendar.
fn year(web: &Web, at: Time) -> u16 {
    let ms = i64::try_from(at.0).unwrap_or_default();
    let year = DateTime::from_timestamp_millis(ms).unwrap_or_default().with_timezone(&web.zone).year();
    u16::try_from(year).unwrap_or(1970)
}
