//! How are contacts, articles, figures of the first call, the districts' map and saved views read and written over HTTP?

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};

use crate::cases::contact::Disposition;
use crate::cases::event::Channel;
use crate::centre::ids::{CallId, CallerRef};
use crate::centre::time::Time;
use crate::report::resolution::{FirstCalls, Measure};
use crate::store::{Article, ContactCount, DistrictCount, NewArticle, NewContact, SavedView};

use super::Web;
use super::auth::SignedIn;
use super::cases::{checked, shorter};
use super::error::WebError;
use super::extract::{Asked, At, Body};

const LONGEST_NAME: usize = 100;
const LONGEST_TITLE: usize = 300;
const LONGEST_BODY: usize = 10_000;
const LANGUAGES: [&str; 4] = ["kk", "ru", "uk", "en"];
/// A period without an end is this long, in milliseconds; the longest is ten of it.
const MONTH_MS: u64 = 30 * 86_400_000;

/// A contact without a case, or for one that is there already.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Contact {
    draft: String,
    disposition: Disposition,
    #[serde(default)]
    call: Option<CallId>,
    #[serde(default)]
    channel: Option<Channel>,
    #[serde(default)]
    topic: Option<String>,
    #[serde(default)]
    district: Option<String>,
    /// "This answered it".
    #[serde(default)]
    article: Option<i64>,
}

/// Whether it was counted, or had been before.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Counted {
    counted: bool,
}

/// A period in milliseconds since the epoch, `from..to`; the last thirty days where nothing is said.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Period {
    #[serde(default)]
    from: Option<u64>,
    #[serde(default)]
    to: Option<u64>,
    #[serde(default)]
    topic: Option<String>,
    #[serde(default)]
    days: Option<u32>,
}

/// The words of a question.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    #[serde(default)]
    #[param(required = false)]
    text: String,
}

/// Both measures of the first call, with their counts.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct FirstCallFigures {
    counted: FirstCalls,
    measures: [Measure; 2],
}

/// A number that was given.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Given {
    id: i64,
}

impl Period {
    fn bounds(&self, now: Time) -> Result<(Time, Time), WebError> {
        let to = self.to.unwrap_or(now.0);
        let from = self.from.unwrap_or_else(|| to.saturating_sub(MONTH_MS));
        if from >= to || to - from > 10 * MONTH_MS {
            let what = "the period is empty or longer than 300 days".to_owned();
            return Err(WebError::Invalid { what, mend: "Give from and to in milliseconds since the epoch." });
        }
        Ok((Time(from), Time(to)))
    }
}

/// Counts a contact that is no case, with the article that answered it.
#[utoipa::path(post, path = "/api/contacts", request_body = Contact, responses((status = 201, body = Counted), (status = 200, body = Counted), (status = 404, body = super::error::Refusal)))]
pub(super) async fn contact(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    Body(contact): Body<Contact>,
) -> Result<(StatusCode, Json<Counted>), WebError> {
    checked("draft", &contact.draft, LONGEST_NAME)?;
    for (what, text) in [("topic", &contact.topic), ("district", &contact.district)] {
        shorter(what, text.as_deref().unwrap_or_default(), LONGEST_NAME)?;
    }
    if let Some(id) = contact.article {
        let article = web.store.article(id).await?;
        article.ok_or_else(|| WebError::Missing { what: format!("the article {id}") })?;
    }
    let caller = match contact.call {
        Some(call) => match web.desks.work_on(&user.name.as_str().into(), call) {
            Some(work) => work.offer.caller,
            None => web.store.caller_of_call(call).await?.map_or(CallerRef::WITHHELD, |(caller, _)| caller),
        },
        None => CallerRef::WITHHELD,
    };
    let contact = NewContact {
        by_name: user.name.clone(),
        draft: contact.draft,
        channel: contact.channel.unwrap_or(Channel::Phone),
        caller,
        call: contact.call,
        topic: contact.topic,
        district: contact.district,
        disposition: contact.disposition,
        article: contact.article,
        number: None,
    };
    let counted = web.store.write_contact(&contact, web.clock.now()).await?;
    Ok((if counted { StatusCode::CREATED } else { StatusCode::OK }, Json(Counted { counted })))
}

/// Contacts by what came of them.
#[utoipa::path(get, path = "/api/contacts", params(Period), responses((status = 200, body = [ContactCount])))]
pub(super) async fn contacts(State(web): State<Arc<Web>>, Asked(period): Asked<Period>) -> Result<Json<Vec<ContactCount>>, WebError> {
    let (from, to) = period.bounds(web.clock.now())?;
    Ok(Json(web.store.contacts(from, to).await?))
}

/// First-call resolution, both measures; repeats within 7 days where nothing is said.
#[utoipa::path(get, path = "/api/first-calls", params(Period), responses((status = 200, body = FirstCallFigures)))]
pub(super) async fn first_calls(State(web): State<Arc<Web>>, Asked(period): Asked<Period>) -> Result<Json<FirstCallFigures>, WebError> {
    let now = web.clock.now();
    let (from, to) = period.bounds(now)?;
    let counted = web.store.first_calls(from, to, period.days.unwrap_or(7).clamp(1, 90), now).await?;
    Ok(Json(FirstCallFigures { counted, measures: [counted.closed_at_the_first_call(), counted.no_repeat()] }))
}

/// Cases by district, for the map.
#[utoipa::path(get, path = "/api/districts", params(Period), responses((status = 200, body = [DistrictCount])))]
pub(super) async fn districts(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    Asked(period): Asked<Period>,
) -> Result<Json<Vec<DistrictCount>>, WebError> {
    let now = web.clock.now();
    let (from, to) = period.bounds(now)?;
    Ok(Json(web.store.districts(from, to, period.topic.as_deref(), &user.sight(), now).await?))
}

/// Articles that hold words, the best first.
#[utoipa::path(get, path = "/api/articles", params(Question), responses((status = 200, body = [Article])))]
pub(super) async fn articles(State(web): State<Arc<Web>>, Asked(question): Asked<Question>) -> Result<Json<Vec<Article>>, WebError> {
    shorter("text", &question.text, LONGEST_TITLE)?;
    Ok(Json(web.store.search_articles(&question.text).await?))
}

/// An article, also one that is not found by a search.
#[utoipa::path(get, path = "/api/articles/{id}", params(("id" = i64, Path)), responses((status = 200, body = Article)))]
pub(super) async fn article(State(web): State<Arc<Web>>, At(id): At<i64>) -> Result<Json<Article>, WebError> {
    web.store.article(id).await?.map(Json).ok_or_else(|| WebError::Missing { what: format!("the article {id}") })
}

/// Writes an article.
#[utoipa::path(post, path = "/api/articles", request_body = NewArticle, responses((status = 201, body = Given)))]
pub(super) async fn write_article(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    Body(article): Body<NewArticle>,
) -> Result<(StatusCode, Json<Given>), WebError> {
    sound(&web, &article).await?;
    let written = web.store.put_article(None, &article, &user.name, web.clock.now()).await?;
    let id = written.ok_or_else(|| WebError::Conflict("there are 5000 articles; put one aside and use its number again".to_owned()))?;
    Ok((StatusCode::CREATED, Json(Given { id })))
}

/// Changes an article, or puts it aside.
#[utoipa::path(put, path = "/api/articles/{id}", params(("id" = i64, Path)), request_body = NewArticle, responses((status = 200, body = Given)))]
pub(super) async fn change_article(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At(id): At<i64>,
    Body(article): Body<NewArticle>,
) -> Result<Json<Given>, WebError> {
    sound(&web, &article).await?;
    let written = web.store.put_article(Some(id), &article, &user.name, web.clock.now()).await?;
    written.map(|id| Json(Given { id })).ok_or_else(|| WebError::Missing { what: format!("the article {id}") })
}

/// An article names a topic of the rules and says something in each language that it names.
async fn sound(web: &Web, article: &NewArticle) -> Result<(), WebError> {
    checked("owner", &article.owner, LONGEST_NAME)?;
    if !web.store.register().await?.rules.topics.contains(&article.topic.as_str().into()) {
        return Err(WebError::Invalid { what: "topic is none of the rules".into(), mend: "Look at /api/topics." });
    }
    if article.texts.is_empty() || article.texts.keys().any(|language| !LANGUAGES.contains(&language.as_str())) {
        return Err(WebError::Invalid { what: "texts are in no language of the service".into(), mend: "Name kk, ru, uk or en." });
    }
    for text in article.texts.values() {
        checked("title", &text.title, LONGEST_TITLE)?;
        checked("body", &text.body, LONGEST_BODY)?;
    }
    Ok(())
}

/// One's own saved views.
#[utoipa::path(get, path = "/api/views", responses((status = 200, body = [SavedView])))]
pub(super) async fn views(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
) -> Result<Json<Vec<SavedView>>, WebError> {
    Ok(Json(web.store.views(&user.name).await?))
}

/// Saves a view in the place of one of its name.
#[utoipa::path(put, path = "/api/views", request_body = SavedView, responses((status = 204)))]
pub(super) async fn put_view(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    Body(view): Body<SavedView>,
) -> Result<StatusCode, WebError> {
    checked("name", &view.name, LONGEST_NAME)?;
    if web.store.put_view(&user.name, &view, web.clock.now()).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(WebError::Conflict("you have 50 views; remove one".to_owned()))
}

/// Forgets a saved view.
#[utoipa::path(delete, path = "/api/views/{name}", params(("name" = String, Path)), responses((status = 204)))]
pub(super) async fn remove_view(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At(name): At<String>,
) -> Result<StatusCode, WebError> {
    let removed = web.store.remove_view(&user.name, &name).await?;
    if removed { Ok(StatusCode::NO_CONTENT) } else { Err(WebError::Missing { what: "a view of this name".into() }) }
}
