//! What would become of a report before it is written? Who would execute it and by when, what is like it near by, and notes of a number.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};

use crate::cases::assignment::{self, Place};
use crate::cases::decide::Report;
use crate::cases::event::{Channel, Kind, What};
use crate::cases::ids::{DistrictId, OrganisationId, TopicId};
use crate::cases::terms::Priority;
use crate::centre::ids::CallId;
use crate::centre::time::Time;
use crate::private::Private;
use crate::store::{Access, Duplicate, RegisterError, Spot};

use super::Web;
use super::auth::SignedIn;
use super::cases::{checked, of_call};
use super::error::WebError;
use super::extract::{Asked, At, Body};

const LONGEST_NAME: usize = 100;
/// The longest note, in characters.
const LONGEST_NOTE: usize = 500;

/// What is reported, and where.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Reported {
    topic: String,
    /// The building, by its number in the register of addresses.
    #[serde(default)]
    building: Option<i64>,
    /// The district, where the building is not known.
    #[serde(default)]
    district: Option<String>,
    #[serde(default)]
    priority: Option<Priority>,
    /// Latitude in degrees, where the building is not known.
    #[serde(default)]
    lat: Option<f64>,
    /// Longitude in degrees.
    #[serde(default)]
    lon: Option<f64>,
}

/// What a report would become. Moments in milliseconds since the epoch.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Proposed {
    /// Who would execute it; `null`: nobody is named for it, and it stays with the centre.
    #[schema(value_type = Option<String>)]
    organisation: Option<OrganisationId>,
    /// Their name.
    organisation_name: Option<String>,
    /// The district of the building.
    district: Option<String>,
    /// When it would have to be taken on.
    reaction_due_ms: u64,
    /// When it would have to be done.
    resolution_due_ms: u64,
}

/// A note of the number that calls.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NoteWanted {
    call: CallId,
    /// The resident whom it is about, where several have the number.
    #[serde(default)]
    resident: Option<i64>,
    #[schema(value_type = String, min_length = 1, max_length = 500)]
    text: Private<String>,
}

/// The number that a note was given.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = NoteWritten)]
pub(super) struct Written {
    id: i64,
}

/// Who would execute a report, and both deadlines, before it is written.
#[utoipa::path(get, path = "/api/propose", params(Reported), responses((status = 200, body = Proposed), (status = 404, body = super::error::Refusal), (status = 409, body = super::error::Refusal)))]
pub(super) async fn propose(State(web): State<Arc<Web>>, Asked(reported): Asked<Reported>) -> Result<Json<Proposed>, WebError> {
    checked("topic", &reported.topic, LONGEST_NAME)?;
    let (register, routes) = (web.store.register().await?, web.store.routes().await?);
    let place = place(&web, &reported).await?;
    let topic = TopicId::from(reported.topic.as_str());
    let active = |id: &&OrganisationId| register.rules.organisations.get(*id).is_some_and(|executor| executor.active);
    let organisation = assignment::propose(&routes, &topic, &place).map(|proposal| proposal.organisation).filter(active).cloned();
    let report = Report {
        kind: Kind::Complaint,
        channel: Channel::Phone,
        topic,
        priority: reported.priority.unwrap_or_default(),
        district: place.district.clone(),
        call: None,
        proposed: organisation.clone(),
    };
    let registered = register.rules.register(report, web.clock.now()).map_err(RegisterError::from)?;
    let (reaction, resolution) = match registered {
        What::Registered { promise, .. } => (promise.reaction_due, promise.resolution_due),
        _ => (Time(0), Time(0)),
    };
    let name = match &organisation {
        Some(id) => web.store.organisation_name(id.as_str()).await?,
        None => None,
    };
    Ok(Json(Proposed {
        organisation,
        organisation_name: name,
        district: place.district.map(|district| district.as_str().to_owned()),
        reaction_due_ms: reaction.0,
        resolution_due_ms: resolution.0,
    }))
}

async fn place(web: &Web, reported: &Reported) -> Result<Place, WebError> {
    let said = reported.district.as_deref().map(DistrictId::from);
    let Some(building) = reported.building else { return Ok(Place { district: said, ..Place::default() }) };
    let found = web.store.spot_of_building(building).await?;
    let (street, district, _) = found.ok_or_else(|| WebError::Missing { what: format!("the building {building}") })?;
    let district = said.or(district.as_deref().map(DistrictId::from));
    Ok(Place { district, street: Some(street), building: Some(building) })
}

/// Open reports of the same within 300 m and two weeks, the nearest first.
#[utoipa::path(get, path = "/api/duplicates", params(Reported), responses((status = 200, body = [Duplicate]), (status = 404, body = super::error::Refusal), (status = 409, body = super::error::Refusal)))]
pub(super) async fn duplicates(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    Asked(reported): Asked<Reported>,
) -> Result<Json<Vec<Duplicate>>, WebError> {
    checked("topic", &reported.topic, LONGEST_NAME)?;
    let spot = match reported.building {
        Some(building) => web.store.spot_of_building(building).await?.map(|(_, _, spot)| spot).unwrap_or_default(),
        None => Spot { building: None, at_degrees: reported.lat.zip(reported.lon) },
    };
    let now = web.clock.now();
    let duplicates = web.store.duplicates(&reported.topic, spot, &user.sight(), now).await?;
    for duplicate in &duplicates {
        web.store.log_access(now, &user.name, Access::Cases, &duplicate.number).await?;
    }
    Ok(Json(duplicates))
}

/// Writes a short note of the number that calls; whoever is offered a call of it sees the note.
#[utoipa::path(post, path = "/api/notes", request_body = NoteWanted, responses((status = 201, body = Written), (status = 404, body = super::error::Refusal)))]
pub(super) async fn write_note(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    Body(wanted): Body<NoteWanted>,
) -> Result<(StatusCode, Json<Written>), WebError> {
    checked("text", wanted.text.reveal(), LONGEST_NOTE)?;
    let (caller, _) = of_call(&web, &user, wanted.call).await?;
    if caller.is_withheld() {
        return Err(WebError::Invalid { what: "the number is withheld".into(), mend: "Write it into the case." });
    }
    if let Some(resident) = wanted.resident
        && !web.store.residents_of(caller).await?.iter().any(|known| known.id == resident)
    {
        return Err(WebError::Missing { what: format!("the resident {resident} of this number") });
    }
    let id = web.store.write_note(caller, wanted.resident, &wanted.text, &user.name, web.clock.now()).await?;
    Ok((StatusCode::CREATED, Json(Written { id })))
}

/// Takes a note away.
#[utoipa::path(delete, path = "/api/notes/{id}", params(("id" = i64, Path)), responses((status = 204)))]
pub(super) async fn remove_note(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At(id): At<i64>,
) -> Result<StatusCode, WebError> {
    web.store.log_access(web.clock.now(), &user.name, Access::Story, &format!("note {id} taken away")).await?;
    let removed = web.store.remove_note(id).await?;
    if removed { Ok(StatusCode::NO_CONTENT) } else { Err(WebError::Missing { what: "a note of this number".into() }) }
}
