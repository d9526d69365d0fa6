//! How is the register read as a whole over HTTP: who is late, who keeps promises, what control has to ask, by which rules, and sealed by what?

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};

use crate::cases::chain::Seal;
use crate::centre::time::Time;
use crate::report::league::{League, LeagueLine};
use crate::store::{Access, CaseFilter, HistoryEntry, LateDesk, Names, RuleBook};

use super::Web;
use super::auth::SignedIn;
use super::case_view::CaseView;
use super::cases::seen;
use super::error::WebError;
use super::extract::{Asked, At, Body};

/// The longest span of the league table, in milliseconds: two years. A longer one would hold too many cases at once.
const LONGEST_SPAN_MS: u64 = 2 * 366 * 24 * 3_600_000;

/// The league table's span where none is given, in milliseconds: thirty days.
const USUAL_SPAN_MS: u64 = 30 * 24 * 3_600_000;

/// Events of a case, each with the seal that it lies under.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct History {
    /// All that happened, in order.
    events: Vec<SealedEntry>,
}

/// An event, and the first seal behind it.
#[derive(Serialize, utoipa::ToSchema)]
struct SealedEntry {
    #[serde(flatten)]
    entry: HistoryEntry,
    /// The first seal that was taken with or after it; `null` until one is.
    seal: Option<Seal>,
}

/// Which late cases are asked for.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Late {
    /// At whose desk.
    #[serde(default)]
    organisation: Option<String>,
    /// The topic and all below it.
    #[serde(default)]
    topic: Option<String>,
    /// Where.
    #[serde(default)]
    district: Option<String>,
    /// How many cases, 500 at most, 0 for 50.
    #[serde(default)]
    #[param(required = false)]
    limit: u32,
}

/// The register of broken promises.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Overdue {
    /// The moment at which it is late, in milliseconds since the epoch.
    at_ms: u64,
    /// At whose desk how much is late: everything that is seen, whatever was asked for.
    desks: Vec<LateDesk>,
    /// The cases that were asked for, the latest first.
    cases: Vec<CaseView>,
}

/// How many.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct HowMany {
    /// How many, 500 at most, 0 for 50.
    #[serde(default)]
    #[param(required = false)]
    limit: u32,
}

/// A control call to be made.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ControlCall {
    /// The case.
    #[serde(flatten)]
    case: CaseView,
    /// For how long it has been done, in milliseconds.
    done_for_ms: u64,
    /// Control calls made since.
    control_calls: u32,
    /// Control calls after which it may be closed without a word of the resident.
    control_calls_needed: u32,
    /// When it may be closed so, in milliseconds since the epoch.
    close_after_ms: u64,
}

/// A span of registrations.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Span {
    /// From when, in milliseconds since the epoch; thirty days before its end where it is not given.
    #[serde(default)]
    from_ms: Option<u64>,
    /// Until when, not included, in milliseconds since the epoch; until now where it is not given.
    #[serde(default)]
    to_ms: Option<u64>,
}

/// The league table of cases registered in a span.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct LeagueTable {
    /// From when, in milliseconds since the epoch.
    from_ms: u64,
    /// Until when, not included.
    to_ms: u64,
    /// Who keeps the promise to take cases on most often, first.
    lines: Vec<LeagueLine>,
}

/// Names by ids; those of districts and pauses in each language, by its code.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = RegisterNames)]
pub(super) struct Called {
    /// The parts of the city.
    districts: BTreeMap<String, Names>,
    /// The rules by which a clock may stand still.
    pauses: BTreeMap<String, Names>,
    /// Who executes.
    organisations: BTreeMap<String, String>,
}

/// The rules with the revision that they are.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rules {
    /// The revision that is read, or that is changed; 0 for what a city starts with.
    revision: i64,
    /// The document.
    book: RuleBook,
}

/// What became of a document of rules.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Approved {
    /// The revision that it is.
    revision: i64,
}

/// What happened to a case, event by event, each with its place in the chain, its hash, and the seal that it lies under.
#[utoipa::path(get, path = "/api/cases/{number}/history", params(("number" = String, Path, description = "As 109-2026-000123")),
    responses((status = 200, body = History)))]
pub(super) async fn history(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At(number): At<String>,
) -> Result<Json<History>, WebError> {
    let number = seen(&web, &user, &number).await?;
    web.store.log_access(web.clock.now(), &user.name, Access::Cases, &number.to_string()).await?;
    let entries = web.store.history(&number.to_string()).await?;
    let seals = web.store.seals().await?;
    let seal = |place: i64| {
        let behind = seals.partition_point(|seal| seal.place < place.unsigned_abs());
        seals.get(behind).copied()
    };
    Ok(Json(History { events: entries.into_iter().map(|entry| SealedEntry { seal: seal(entry.place), entry }).collect() }))
}

/// How late, at whose desk: every promise that is broken and still owed, as far as the account sees.
#[utoipa::path(get, path = "/api/register/overdue", params(Late), responses((status = 200, body = Overdue)))]
pub(super) async fn overdue(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    Asked(Late { organisation, topic, district, limit }): Asked<Late>,
) -> Result<Json<Overdue>, WebError> {
    let now = web.clock.now();
    web.store.log_access(now, &user.name, Access::Cases, "overdue").await?;
    let filter = CaseFilter { organisation, topic, district, limit, overdue: true, ..CaseFilter::default() };
    let sight = user.sight();
    let cases = CaseView::of_all(web.store.cases(&filter, &sight, now).await?, now);
    Ok(Json(Overdue { at_ms: now.0, desks: web.store.late_desks(&sight, now).await?, cases }))
}

/// Cases that are done and wait for the resident's word, those first that wait longest.
#[utoipa::path(get, path = "/api/register/control-calls", params(HowMany), responses((status = 200, body = [ControlCall])))]
pub(super) async fn control_calls(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    Asked(HowMany { limit }): Asked<HowMany>,
) -> Result<Json<Vec<ControlCall>>, WebError> {
    let now = web.clock.now();
    web.store.log_access(now, &user.name, Access::Cases, "control calls").await?;
    let register = web.store.register().await?;
    let work = web.store.control_work(&user.sight(), limit).await?;
    let call = |work: crate::store::ControlWork| {
        let done = Time(work.row.resolution_kept_ms.and_then(|ms| u64::try_from(ms).ok()).unwrap_or(now.0));
        ControlCall {
            case: CaseView::of(work.row, now),
            done_for_ms: now.ms_since(done),
            control_calls: work.control_calls,
            control_calls_needed: register.rules.control_calls,
            close_after_ms: done.plus_ms(register.rules.close_after_ms).0,
        }
    };
    Ok(Json(work.into_iter().map(call).collect()))
}

/// Who takes cases on and does them in time: median and share of both promises by organisation, each with its denominator.
#[utoipa::path(get, path = "/api/register/league", params(Span), responses((status = 200, body = LeagueTable)))]
pub(super) async fn league(State(web): State<Arc<Web>>, Asked(span): Asked<Span>) -> Result<Json<LeagueTable>, WebError> {
    let now = web.clock.now();
    let to = span.to_ms.unwrap_or(now.0);
    let from = span.from_ms.unwrap_or(to.saturating_sub(USUAL_SPAN_MS));
    if from > to || to - from > LONGEST_SPAN_MS {
        let what = format!("the span from {from} to {to} is none, or longer than two years");
        return Err(WebError::Invalid { what, mend: "Give from_ms and to_ms in milliseconds since the epoch, the earlier one first." });
    }
    let mut league = League::default();
    web.store.each_promise(Time(from), Time(to), |case| league.count(case, now)).await?;
    Ok(Json(LeagueTable { from_ms: from, to_ms: to, lines: league.lines() }))
}

/// Every seal of the history, in order: whoever keeps a copy elsewhere can prove what stood before it.
#[utoipa::path(get, path = "/api/register/seals", responses((status = 200, body = [Seal])))]
pub(super) async fn seals(State(web): State<Arc<Web>>) -> Result<Json<Vec<Seal>>, WebError> {
    Ok(Json(web.store.seals().await?))
}

/// What districts, pauses and organisations are called, for screens that name them.
#[utoipa::path(get, path = "/api/register/names", responses((status = 200, body = Called)))]
pub(super) async fn names(State(web): State<Arc<Web>>) -> Result<Json<Called>, WebError> {
    let book = web.store.rule_book().await?.1;
    let organisations =
        web.store.organisations().await?.into_iter().map(|known| (known.organisation.id, known.organisation.name)).collect();
    let districts = book.districts.into_iter().map(|district| (district.id, district.names)).collect();
    Ok(Json(Called { districts, pauses: book.pauses.into_iter().map(|(id, pause)| (id, pause.names)).collect(), organisations }))
}

/// Topics, districts, terms, working hours, pauses and escalation, as the city has decided them.
#[utoipa::path(get, path = "/api/register/rules", responses((status = 200, body = Rules)))]
pub(super) async fn rules(State(web): State<Arc<Web>>) -> Result<Json<Rules>, WebError> {
    let (revision, book) = web.store.rule_book().await?;
    Ok(Json(Rules { revision, book }))
}

/// Decides other rules. It names the revision that it changes; where somebody was faster the answer is 409, and every fault is named in a 422.
#[utoipa::path(put, path = "/api/register/rules", request_body = Rules, responses((status = 200, body = Approved)))]
pub(super) async fn put_rules(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    Body(Rules { revision, book }): Body<Rules>,
) -> Result<Json<Approved>, WebError> {
    let revision = web.store.approve_rules(revision, &book, &user.name, web.clock.now()).await?;
    tracing::info!(revision, by = %user.name, "other rules of the register hold");
    Ok(Json(Approved { revision }))
}
