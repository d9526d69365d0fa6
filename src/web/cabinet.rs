//! How does a resident follow, confirm and reopen their own cases? Behind a code to their telephone; all that they do is on record.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use tower_sessions::Session;

use crate::cases::case::State as Stands;
use crate::cases::decide::Wish;
use crate::cases::event::{Author, What};
use crate::cases::ids::CaseNumber;
use crate::centre::time::Time;
use crate::private::Private;
use crate::store::{Access, Attachment, CaseDetail, HistoryEntry, Names, Topic};

use super::Web;
use super::cases::{LONGEST_TEXT, checked};
use super::error::WebError;
use super::evidence;
use super::extract::{At, Body};
use super::resident::Resident;
use super::status::CaseStatus;

/// As whom a resident's files are kept.
const RESIDENT: &str = "resident";

/// Who is signed in to the cabinet.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Cabinet {
    /// The number's last digits.
    pub number: String,
    /// When the session ends, in milliseconds since the epoch.
    pub until_ms: u64,
}

/// A resident's case.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct CabinetCase {
    #[serde(flatten)]
    status: CaseStatus,
    /// What it is about, as the register calls it.
    topic: String,
    /// The same in each language, by its code; empty where the city has given that topic up.
    topic_names: Names,
    /// Whether it waits for the resident's word.
    may_confirm: bool,
    /// Whether it may be said that it is not done after all.
    may_reopen: bool,
}

/// A resident's case with what happened to it.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct CabinetStory {
    #[serde(flatten)]
    case: CabinetCase,
    /// What was reported; `null` where it was erased.
    #[schema(value_type = Option<String>)]
    text: Option<Private<String>>,
    /// What whoever executed said last that was done.
    #[schema(value_type = Option<String>)]
    answer: Option<Private<String>>,
    /// With whom it lies, by name.
    organisation: Option<String>,
    /// What happened, in order.
    events: Vec<CabinetEvent>,
    /// Photos and documents.
    files: Vec<CabinetFile>,
}

/// Something that happened to a resident's case.
#[derive(Serialize, utoipa::ToSchema)]
struct CabinetEvent {
    /// When, in milliseconds since the epoch.
    at_ms: u64,
    /// What: "registered", "forwarded", "accepted", "started", "paused", "resumed", "done", "confirmed", "closed", "reopened", "attached".
    #[schema(value_type = String)]
    what: &'static str,
}

/// A photo or a document of a resident's case.
#[derive(Serialize, utoipa::ToSchema)]
struct CabinetFile {
    /// Its SHA-256, in hexadecimal digits.
    hash: String,
    /// Its media type.
    media: String,
    /// Its size.
    bytes: i64,
    /// When it came, in milliseconds since the epoch.
    at_ms: i64,
    /// Whether the resident sent it.
    own: bool,
}

/// Why it is not done after all.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reopening {
    #[schema(value_type = String, min_length = 1, max_length = 10000)]
    words: Private<String>,
}

/// Who is signed in to the cabinet.
#[utoipa::path(get, path = "/api/cabinet/me", responses((status = 200, body = Cabinet)))]
pub(super) async fn me(Extension(resident): Extension<Resident>) -> Json<Cabinet> {
    Json(Cabinet::of(&resident))
}

/// Leaves the cabinet.
#[utoipa::path(post, path = "/api/cabinet/logout", responses((status = 204)))]
pub(super) async fn logout(session: Session) -> Result<StatusCode, WebError> {
    session.flush().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The resident's own cases, the newest first, 100 at most; those of restricted topics are left out.
#[utoipa::path(get, path = "/api/cabinet/cases", responses((status = 200, body = [CabinetCase])))]
pub(super) async fn list(
    State(web): State<Arc<Web>>,
    Extension(resident): Extension<Resident>,
) -> Result<Json<Vec<CabinetCase>>, WebError> {
    let now = web.clock.now();
    web.store.log_access(now, &resident.name(), Access::Cabinet, "cases").await?;
    let topics = topics(&web).await?;
    let mut cases = Vec::new();
    for number in web.store.own_cases(resident.caller).await? {
        cases.extend(web.store.case(&number).await?.map(|detail| CabinetCase::of(&detail, &topics, now)));
    }
    Ok(Json(cases))
}

/// One of the resident's own cases; another's is answered as one that is not there.
#[utoipa::path(get, path = "/api/cabinet/cases/{number}", params(("number" = String, Path, description = "As 109-2026-000123")),
    responses((status = 200, body = CabinetStory)))]
pub(super) async fn detail(
    State(web): State<Arc<Web>>,
    Extension(resident): Extension<Resident>,
    At(number): At<String>,
) -> Result<Json<CabinetStory>, WebError> {
    let number = own(&web, &resident, &number).await?;
    let detail = web.store.case(&number).await?.ok_or_else(|| missing(&number.to_string()))?;
    let files = web.store.attachments(&number).await?.into_iter().map(CabinetFile::from).collect();
    let organisation = match &detail.row.organisation {
        Some(id) => web.store.organisations().await?.into_iter().find(|known| known.organisation.id == *id),
        None => None,
    };
    Ok(Json(CabinetStory {
        case: CabinetCase::of(&detail, &topics(&web).await?, web.clock.now()),
        text: reported(&detail),
        answer: detail.history.iter().rev().find(|entry| matches!(entry.event.what, What::Done { .. })).and_then(|done| done.words.clone()),
        organisation: organisation.map(|known| known.organisation.name),
        events: detail.history.iter().filter_map(CabinetEvent::of).collect(),
        files,
    }))
}

/// Says that it is done.
#[utoipa::path(post, path = "/api/cabinet/cases/{number}/confirm", params(("number" = String, Path, description = "As 109-2026-000123")),
    responses((status = 200, body = CabinetCase)))]
pub(super) async fn confirm(
    State(web): State<Arc<Web>>,
    Extension(resident): Extension<Resident>,
    At(number): At<String>,
) -> Result<Json<CabinetCase>, WebError> {
    act(&web, &resident, &number, &Wish::Confirm { call: None }, None).await
}

/// Says that it is not done after all, and why: both terms begin anew.
#[utoipa::path(post, path = "/api/cabinet/cases/{number}/reopen", params(("number" = String, Path, description = "As 109-2026-000123")),
    request_body = Reopening, responses((status = 200, body = CabinetCase)))]
pub(super) async fn reopen(
    State(web): State<Arc<Web>>,
    Extension(resident): Extension<Resident>,
    At(number): At<String>,
    Body(Reopening { words }): Body<Reopening>,
) -> Result<Json<CabinetCase>, WebError> {
    checked("words", words.reveal(), LONGEST_TEXT)?;
    act(&web, &resident, &number, &Wish::Reopen, Some(&words)).await
}

/// Adds a photo (JPEG, PNG, WebP, HEIC) or a document (PDF) of 10 MB at most.
#[utoipa::path(post, path = "/api/cabinet/cases/{number}/files", params(("number" = String, Path, description = "As 109-2026-000123")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses((status = 201, body = Attachment)))]
pub(super) async fn add(
    State(web): State<Arc<Web>>,
    Extension(resident): Extension<Resident>,
    At(number): At<String>,
    file: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Attachment>), WebError> {
    let number = own(&web, &resident, &number).await?;
    let (media, file) = evidence::taken(file)?;
    let added = web.store.attach(&number, media, file, (Author::Resident, RESIDENT), web.clock.now()).await?;
    metrics::counter!("cityline_files_attached_total").increment(1);
    Ok((StatusCode::CREATED, Json(added)))
}

/// A file of the resident's own case; who opens it is on record.
#[utoipa::path(get, path = "/api/cabinet/cases/{number}/files/{hash}",
    params(("number" = String, Path, description = "As 109-2026-000123"), ("hash" = String, Path, description = "Its SHA-256, in hexadecimal digits")),
    responses((status = 200, description = "The file, under the media type that it has.", body = [u8], content_type = "application/octet-stream")))]
pub(super) async fn open(
    State(web): State<Arc<Web>>,
    Extension(resident): Extension<Resident>,
    At((number, hash)): At<(String, String)>,
) -> Result<Response, WebError> {
    let number = own(&web, &resident, &number).await?;
    let lost = || WebError::Missing { what: "a file of this hash".to_owned() };
    let (media, file) = web.store.evidence(&number, &hash).await?.ok_or_else(lost)?;
    web.store.log_access(web.clock.now(), &resident.name(), Access::Evidence, &format!("{number} {hash}")).await?;
    Ok(evidence::shown(media, file))
}

async fn act(
    web: &Web,
    resident: &Resident,
    number: &str,
    wish: &Wish,
    words: Option<&Private<String>>,
) -> Result<Json<CabinetCase>, WebError> {
    let number = own(web, resident, number).await?;
    web.store.act(&number, wish, Author::Resident, words, web.clock.now()).await?;
    let detail = web.store.case(&number).await?.ok_or_else(|| missing(&number.to_string()))?;
    Ok(Json(CabinetCase::of(&detail, &topics(web).await?, web.clock.now())))
}

/// The number that is meant, where it is a case of the resident's; who asked is on record before anything is shown.
async fn own(web: &Web, resident: &Resident, number: &str) -> Result<CaseNumber, WebError> {
    let parsed: CaseNumber = number.parse().map_err(|_| missing(number))?;
    if !web.store.is_own_case(resident.caller, &parsed).await? {
        return Err(missing(number));
    }
    web.store.log_access(web.clock.now(), &resident.name(), Access::Cabinet, &parsed.to_string()).await?;
    Ok(parsed)
}

async fn topics(web: &Web) -> Result<Vec<Topic>, WebError> {
    Ok(web.store.rule_book().await?.1.topics)
}

fn missing(number: &str) -> WebError {
    WebError::Missing { what: format!("the case {}", number.chars().take(40).collect::<String>()) }
}

/// What the resident said when it was registered.
fn reported(detail: &CaseDetail) -> Option<Private<String>> {
    let words = detail.history.first()?.words.as_ref()?;
    serde_json::from_str::<crate::store::ReportWords>(words.reveal()).ok().map(|report| report.text)
}

impl Cabinet {
    /// Of a resident who is signed in.
    pub fn of(resident: &Resident) -> Self {
        Self { number: resident.shown.clone(), until_ms: resident.until.0 }
    }
}

impl CabinetCase {
    fn of(detail: &CaseDetail, topics: &[Topic], now: Time) -> Self {
        let known = topics.iter().find(|topic| topic.id == detail.row.topic);
        let state = &detail.case.state;
        Self {
            status: CaseStatus::of(detail, now),
            topic: detail.row.topic.clone(),
            topic_names: known.map(|topic| topic.names.clone()).unwrap_or_default(),
            may_confirm: matches!(state, Stands::Done { .. }),
            may_reopen: matches!(state, Stands::Done { .. } | Stands::Confirmed | Stands::Closed),
        }
    }
}

impl CabinetEvent {
    /// What a resident is told of; how the centre works inside is not theirs to read.
    fn of(entry: &HistoryEntry) -> Option<Self> {
        let what = &entry.event.what;
        let told = match what {
            What::Registered { .. }
            | What::Forwarded { .. }
            | What::Accepted
            | What::Started
            | What::Paused { .. }
            | What::Resumed { .. }
            | What::Done { .. }
            | What::Confirmed { .. }
            | What::Closed
            | What::Reopened { .. }
            | What::Attached { .. } => true,
            What::Returned
            | What::ControlCalled { .. }
            | What::Noted
            | What::ResidentNamed
            | What::Corrected { .. }
            | What::Linked { .. }
            | What::Unlinked { .. }
            | What::Escalated { .. }
            | What::Erased { .. } => false,
        };
        told.then(|| Self { at_ms: entry.event.at.0, what: what.word() })
    }
}

impl From<Attachment> for CabinetFile {
    fn from(file: Attachment) -> Self {
        let Attachment { hash, media, bytes, by_name, at_ms } = file;
        Self { hash, media, bytes, at_ms, own: by_name == RESIDENT }
    }
}
