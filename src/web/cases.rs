//! How are cases read, written and acted on over HTTP?

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use chrono::{DateTime, Datelike};
use serde::{Deserialize, Serialize};

use crate::cases::assignment::Place;
use crate::cases::case::Case;
use crate::cases::decide::{Report, Wish};
use crate::cases::event::{Author, Channel, Kind};
use crate::cases::ids::CaseNumber;
use crate::cases::terms::Priority;
use crate::centre::ids::{CallId, CallerRef, NumberId};
use crate::centre::time::Time;
use crate::private::Private;
use crate::store::{
    Access, Address, CaseDetail, CaseFilter, CaseRow, HistoryEntry, NewCase, ReportWords, ResidentWords, Role, Topic, User,
};

use super::Web;
use super::auth::SignedIn;
use super::case_view::CaseView;
use super::error::WebError;
use super::extract::{Asked, At, Body};

/// The longest topic, draft name and service, in characters.
const LONGEST_NAME: usize = 100;

/// The longest text, in characters.
pub(super) const LONGEST_TEXT: usize = 10_000;

/// A case to be written. Without a call it says under which service it is counted.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CaseWanted)]
pub(super) struct Wanted {
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^[0-9]{1,15}$")]
    pub service: Option<NumberId>,
    #[serde(default)]
    pub call: Option<CallId>,
    #[schema(min_length = 1, max_length = 100)]
    pub topic: String,
    #[schema(value_type = String, min_length = 1, max_length = 10000)]
    pub text: Private<String>,
    /// The form's own name: the same one from the same author is the same case.
    #[schema(min_length = 1, max_length = 100)]
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
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct Act {
    #[serde(flatten)]
    wish: Wish,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 10000)]
    words: Option<Private<String>>,
}

/// A case with all that happened to it.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct CaseStory {
    /// Where it stands.
    #[serde(flatten)]
    row: CaseView,
    /// The fold of its events.
    case: Case,
    /// All that happened, in order.
    history: Vec<HistoryEntry>,
}

/// Cases that the account sees, newest first, or the latest first where `overdue=true`, or those that hold the words of `text`, the best first.
#[utoipa::path(get, path = "/api/cases", params(CaseFilter), responses((status = 200, body = [CaseView])))]
pub(super) async fn list(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    Asked(filter): Asked<CaseFilter>,
) -> Result<Json<Vec<CaseView>>, WebError> {
    let subject = format!("cases before {}", filter.before.map_or("now".to_owned(), |id| id.to_string()));
    let now = web.clock.now();
    web.store.log_access(now, &user.name, Access::Cases, &subject).await?;
    let sight = user.sight();
    let rows = match &filter.text {
        Some(text) => {
            shorter("text", text, LONGEST_NAME)?;
            web.store.search_cases(text, &filter, &sight, now).await?
        }
        None => web.store.cases(&filter, &sight, now).await?,
    };
    Ok(Json(CaseView::of_all(rows, now)))
}

/// A case with its history.
#[utoipa::path(get, path = "/api/cases/{number}", params(("number" = String, Path, description = "As 109-2026-000123")), responses((status = 200, body = CaseStory)))]
pub(super) async fn detail(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At(number): At<String>,
) -> Result<Json<CaseStory>, WebError> {
    let number = seen(&web, &user, &number).await?;
    let now = web.clock.now();
    web.store.log_access(now, &user.name, Access::Cases, &number.to_string()).await?;
    let detail = web.store.case(&number).await?.ok_or_else(|| WebError::Missing { what: format!("the case {number}") })?;
    let CaseDetail { row, case, history } = detail;
    Ok(Json(CaseStory { row: CaseView::of(row, now), case, history }))
}

/// Writes a case; the same draft of the same account again returns the case that it made.
#[utoipa::path(post, path = "/api/cases", request_body = Wanted, responses((status = 201, body = CaseView), (status = 404, body = super::error::Refusal)))]
pub(super) async fn create(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    Body(wanted): Body<Wanted>,
) -> Result<(StatusCode, Json<CaseView>), WebError> {
    let row = write(&web, &user, wanted).await?;
    Ok((StatusCode::CREATED, Json(CaseView::of(row, web.clock.now()))))
}

/// Does something to a case, as far as its rules allow the account; they answer 409 with the reason and the mend.
#[utoipa::path(post, path = "/api/cases/{number}/act", params(("number" = String, Path, description = "As 109-2026-000123")), request_body = Act, responses((status = 200, body = CaseView)))]
pub(super) async fn act(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At(number): At<String>,
    Body(Act { wish, words }): Body<Act>,
) -> Result<Json<CaseView>, WebError> {
    let number = seen(&web, &user, &number).await?;
    if let Some(words) = &words {
        shorter("words", words.reveal(), LONGEST_TEXT)?;
    }
    let now = web.clock.now();
    Ok(Json(CaseView::of(web.store.act(&number, &wish, author(&user), words.as_ref(), now).await?, now)))
}

/// An erasure by law.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Erasure {
    #[schema(value_type = String)]
    number: CaseNumber,
    /// By which law; it stays, and names nobody.
    #[schema(value_type = String, min_length = 1, max_length = 10000)]
    reason: Private<String>,
}

/// Takes what is personal out of a case, and leaves its history whole.
#[utoipa::path(post, path = "/api/erasures", request_body = Erasure, responses((status = 200, body = CaseView), (status = 404, body = super::error::Refusal)))]
pub(super) async fn erase(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    Body(Erasure { number, reason }): Body<Erasure>,
) -> Result<Json<CaseView>, WebError> {
    checked("reason", reason.reveal(), LONGEST_TEXT)?;
    let now = web.clock.now();
    web.store.log_access(now, &user.name, Access::Cases, &format!("erasure of {number}")).await?;
    Ok(Json(CaseView::of(web.store.erase_case(&number, author(&user), &reason, now).await?, now)))
}

/// The tree of topics with their names, for forms.
#[utoipa::path(get, path = "/api/topics", responses((status = 200, body = [Topic])))]
pub(super) async fn topics(State(web): State<Arc<Web>>) -> Result<Json<Vec<Topic>>, WebError> {
    Ok(Json(web.store.rule_book().await?.1.topics))
}

/// The number that is meant, if there is such a case and the account sees it; both refusals read alike.
pub(super) async fn seen(web: &Web, user: &User, number: &str) -> Result<CaseNumber, WebError> {
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
        (Role::Resident, _) => Author::Resident,
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
pub(super) async fn of_call(web: &Web, user: &User, call: CallId) -> Result<(CallerRef, NumberId), WebError> {
    let number = web.with_board(|board| board.number(call).cloned());
    let own = web.desks.work_on(&user.name.as_str().into(), call).map(|work| work.offer.caller);
    match (own, number, user.role) {
        (Some(caller), Some(number), _) => Ok((caller, number)),
        (Some(_), None, _) | (None, _, Role::Supervisor | Role::Administrator) => {
            let stored = web.store.caller_of_call(call).await?;
            stored.ok_or_else(|| WebError::Missing { what: call.to_string() })
        }
        (None, _, Role::Operator | Role::Quality | Role::Organisation | Role::City | Role::Resident) => {
            Err(WebError::Invalid { what: format!("{call} is not yours"), mend: "Write it without the call, naming the service." })
        }
    }
}

pub(super) fn checked(what: &str, text: &str, most: usize) -> Result<(), WebError> {
    if text.trim().is_empty() {
        return Err(WebError::Invalid { what: format!("{what} is empty"), mend: "Fill it in." });
    }
    shorter(what, text, most)
}

pub(super) fn shorter(what: &str, text: &str, most: usize) -> Result<(), WebError> {
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
