//! Who executes, which cases go there, and with which key does an organisation come by itself?

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};

use crate::private::Private;
use crate::store::{KeptOrganisation, Organisation, Route, revision_of};

use super::Web;
use super::auth::SignedIn;
use super::error::WebError;
use super::extract::{At, Body};

/// The longest id, in bytes.
const LONGEST_ID: usize = 60;

/// The longest of an organisation's other words, in characters.
const LONGEST_WORD: usize = 300;

/// The most routing rules: one for every building of a large city.
const MOST_ROUTES: usize = 20_000;

/// What is known of an organisation; its id stands in the path.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Known {
    /// Its name.
    #[schema(min_length = 1, max_length = 300)]
    name: String,
    /// Its working hours, by their name in the rules.
    calendar: String,
    /// Its head, to whom late cases come.
    #[serde(default)]
    #[schema(max_length = 300)]
    head: Option<String>,
    /// Where new cases are mailed to.
    #[serde(default)]
    #[schema(max_length = 300)]
    email: Option<String>,
    /// Its telephone.
    #[serde(default)]
    #[schema(max_length = 300)]
    phone: Option<String>,
    /// Where new cases are posted to.
    #[serde(default)]
    #[schema(max_length = 300)]
    webhook: Option<String>,
    /// Whether cases may be forwarded to it.
    active: bool,
    /// The revision that is changed; 0 for an organisation that is not there.
    revision: i64,
}

/// Every routing rule, with the revision that they are.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Routes {
    /// The revision that is read, or that is changed.
    revision: String,
    /// The rules, in the order in which those of equal fineness are tried.
    routes: Vec<Route>,
}

/// A key, told this once.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Key {
    /// To be sent as `Authorization: Bearer KEY`. It is not kept here: who loses it has another made.
    #[schema(value_type = String)]
    key: Private<String>,
}

/// Every organisation, by its id.
#[utoipa::path(get, path = "/api/organisations", responses((status = 200, body = [KeptOrganisation])))]
pub(super) async fn list(State(web): State<Arc<Web>>) -> Result<Json<Vec<KeptOrganisation>>, WebError> {
    Ok(Json(web.store.organisations().await?))
}

/// Adds an organisation, or changes what is known of it. It names the revision that it changes; where somebody was faster the answer is 409.
#[utoipa::path(put, path = "/api/organisations/{id}", params(("id" = String, Path, description = "Small letters, digits and -, 60 at most")),
    request_body = Known, responses((status = 200, body = KeptOrganisation)))]
pub(super) async fn put(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At(id): At<String>,
    Body(known): Body<Known>,
) -> Result<Json<KeptOrganisation>, WebError> {
    let from = known.revision;
    let organisation = known.of(id)?;
    let revision = web.store.change_organisation(&organisation, from, web.clock.now()).await?;
    tracing::info!(organisation = %organisation.id, by = %user.name, "an organisation was changed");
    Ok(Json(KeptOrganisation { organisation, revision }))
}

/// Makes a key by which the organisation sees and acts on its own cases; the one that it had opens nothing from here on.
#[utoipa::path(post, path = "/api/organisations/{id}/key", params(("id" = String, Path)), responses((status = 201, body = Key)))]
pub(super) async fn make_key(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At(id): At<String>,
) -> Result<(StatusCode, Json<Key>), WebError> {
    let key = web.store.make_key(&id).await?.ok_or_else(|| missing("the organisation", &id))?;
    tracing::info!(organisation = %id, by = %user.name, "an organisation has another key");
    Ok((StatusCode::CREATED, Json(Key { key })))
}

/// Takes the organisation's key away.
#[utoipa::path(delete, path = "/api/organisations/{id}/key", params(("id" = String, Path)), responses((status = 204)))]
pub(super) async fn take_key(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At(id): At<String>,
) -> Result<StatusCode, WebError> {
    if !web.store.take_key(&id).await? {
        return Err(missing("a key of the organisation", &id));
    }
    tracing::info!(organisation = %id, by = %user.name, "an organisation has no key any more");
    Ok(StatusCode::NO_CONTENT)
}

/// Which organisation gets cases of which topic and area.
#[utoipa::path(get, path = "/api/routes", responses((status = 200, body = Routes)))]
pub(super) async fn routes(State(web): State<Arc<Web>>) -> Result<Json<Routes>, WebError> {
    let routes = web.store.written_routes().await?;
    Ok(Json(Routes { revision: revision_of(&routes), routes }))
}

/// Puts these routing rules in the place of all others. It names the revision that it changes; where somebody was faster the answer is 409, and
/// every fault is named in a 422.
#[utoipa::path(put, path = "/api/routes", request_body = Routes, responses((status = 200, body = Routes)))]
pub(super) async fn put_routes(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    Body(Routes { revision, routes }): Body<Routes>,
) -> Result<Json<Routes>, WebError> {
    let register = web.store.register().await?;
    let faults: Vec<String> = routes.iter().enumerate().filter_map(|(n, route)| fault(&register, n + 1, route)).take(100).collect();
    if routes.len() > MOST_ROUTES || !faults.is_empty() {
        let many = (routes.len() > MOST_ROUTES).then(|| format!("{} rules of {MOST_ROUTES}; name wider areas", routes.len()));
        return Err(WebError::Faults(many.into_iter().chain(faults).collect()));
    }
    let revision = web.store.put_routes(&routes, Some(&revision)).await?;
    tracing::info!(rules = routes.len(), by = %user.name, "other routing rules hold");
    Ok(Json(Routes { revision, routes }))
}

/// What is wrong with a rule, with its mend.
fn fault(register: &crate::store::Register, n: usize, route: &Route) -> Option<String> {
    let short = |text: &str| text.chars().take(LONGEST_ID).collect::<String>();
    let topic = route.topic.as_deref().filter(|topic| !register.rules.topics.contains(&(*topic).into()));
    let district = route.district.as_deref().filter(|district| !register.districts.iter().any(|known| known.as_str() == *district));
    if !register.rules.organisations.contains_key(&route.organisation.as_str().into()) {
        Some(format!("rule {n}: there is no organisation {:?}; add it first", short(&route.organisation)))
    } else if let Some(topic) = topic {
        Some(format!("rule {n}: there is no topic {:?}; name one of the rules", short(topic)))
    } else {
        district.map(|district| format!("rule {n}: there is no district {:?}; name one of the rules", short(district)))
    }
}

impl Known {
    fn of(self, id: String) -> Result<Organisation, WebError> {
        let named = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if id.is_empty() || id.len() > LONGEST_ID || !id.bytes().all(named) {
            return Err(WebError::Invalid { what: "that is no id of an organisation".into(), mend: "Write it as heat-networks." });
        }
        let Known { name, calendar, head, email, phone, webhook, active, revision: _ } = self;
        let words = [Some(&name), head.as_ref(), email.as_ref(), phone.as_ref(), webhook.as_ref()];
        let long = words.into_iter().flatten().any(|word| word.chars().count() > LONGEST_WORD);
        if long || name.trim().is_empty() {
            return Err(WebError::Invalid { what: "the name is empty, or a word too long".into(), mend: "Write 300 characters at most." });
        }
        Ok(Organisation { id, name, calendar, head, email, phone, webhook, active })
    }
}

fn missing(what: &str, id: &str) -> WebError {
    WebError::Missing { what: format!("{what} {}", id.chars().take(LONGEST_ID).collect::<String>()) }
}
