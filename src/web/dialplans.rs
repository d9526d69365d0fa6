//! Which way do callers go? Each plan as a picture with its faults, and its text, which is checked before it is in force.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};

use crate::centre::dialplan::{Fault, Graph, graph};
use crate::config::PlanText;
use crate::config::edited::Edit;

use super::Web;
use super::auth::SignedIn;
use super::error::WebError;
use super::extract::{At, Body};
use super::settings::{Decided, InForce, decide};

/// The longest plan, in bytes: one of hundreds of steps.
const LONGEST_PLAN: usize = 256 * 1024;
/// The longest name of a plan, in bytes.
const LONGEST_NAME: usize = 40;

/// Every plan, and the revision of the settings that they are of.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Plans {
    /// Whoever changes a plan names it.
    revision: u64,
    /// The plans, by their names.
    plans: Vec<PlanView>,
}

/// A plan.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct PlanView {
    /// Its name.
    name: String,
    /// Whether it was written here, and not into a file.
    edited: bool,
    /// What it says, as TOML.
    text: String,
    /// The same as a picture, with its faults.
    #[serde(flatten)]
    graph: Graph,
}

/// A plan to be looked at.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PlanTried)]
pub(super) struct Tried {
    /// Its name.
    #[schema(max_length = 40)]
    name: String,
    /// What it says, as TOML.
    text: String,
}

/// What a plan is to say.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PlanWanted)]
pub(super) struct Wanted {
    /// The revision that was read.
    revision: u64,
    /// Why.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
    /// What it is to say, as TOML.
    text: String,
}

/// Every plan as a picture, with the faults and warnings of `cityline check` at their steps.
#[utoipa::path(get, path = "/api/dialplans", responses((status = 200, body = Plans)))]
pub(super) async fn list(State(web): State<Arc<Web>>) -> Result<Json<Plans>, WebError> {
    let in_force = web.settings.now.borrow().clone();
    let texts = in_force.config.plan_texts().map_err(|error| WebError::Faults(vec![error.to_string()]))?;
    let mut plans: Vec<PlanView> = texts.into_iter().map(|plan| PlanView::of(&in_force, plan)).collect();
    plans.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(Json(Plans { revision: in_force.config.edition, plans }))
}

/// How a plan would look, and what is wrong with it. Nothing is kept.
#[utoipa::path(post, path = "/api/dialplans/check", request_body = Tried, responses((status = 200, body = PlanView)))]
pub(super) async fn check(State(web): State<Arc<Web>>, Body(Tried { name, text }): Body<Tried>) -> Result<Json<PlanView>, WebError> {
    sound(&name, &text)?;
    let in_force = web.settings.now.borrow().clone();
    Ok(Json(PlanView::of(&in_force, PlanText { file: name.clone(), name, text, is_edited: true })))
}

/// Puts a plan in force, in the place of the one of its name, or as a new one. Calls that are up go on by theirs. 422 names every fault.
#[utoipa::path(put, path = "/api/dialplans/{name}", params(("name" = String, Path, description = "As 109")), request_body = Wanted,
    responses((status = 200, body = Decided)))]
pub(super) async fn put(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    At(name): At<String>,
    Body(Wanted { revision, reason, text }): Body<Wanted>,
) -> Result<Json<Decided>, WebError> {
    sound(&name, &text)?;
    let in_force = web.settings.now.borrow().clone();
    let drawn = graph(&name, &text, &in_force.config.vocabulary(in_force.prompts.clone()));
    if !drawn.faults.is_empty() {
        let told = |fault: &Fault| format!("{name}:{}: {} — mend: {}", fault.line, fault.what, fault.mend);
        return Err(WebError::Faults(drawn.faults.iter().map(told).collect()));
    }
    decide(&web, &user.name, revision, reason, Edit { plan: Some((name, text)), ..Edit::default() }).await
}

fn sound(name: &str, text: &str) -> Result<(), WebError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(plain) {
        return Err(WebError::Invalid { what: "that is no name of a plan".into(), mend: "Write letters, digits and hyphens, 40 at most." });
    }
    if text.len() > LONGEST_PLAN {
        return Err(WebError::Invalid { what: format!("the plan has {} bytes of {LONGEST_PLAN}", text.len()), mend: "Part it." });
    }
    Ok(())
}

impl PlanView {
    fn of(in_force: &InForce, plan: PlanText) -> Self {
        let PlanText { name, file, text, is_edited } = plan;
        let mut graph = graph(&file, &text, &in_force.config.vocabulary(in_force.prompts.clone()));
        let in_vain = |node: &crate::centre::dialplan::Node| {
            let what = in_force.config.in_vain(node.action.as_ref()?)?;
            let mend = "Name where calls go in the settings file, or dial an address of its own.".to_owned();
            Some(Fault { step: Some(node.id.clone()), line: node.line, what, mend, is_warning: true })
        };
        let warnings: Vec<Fault> = graph.nodes.iter().filter_map(in_vain).collect();
        graph.faults.extend(warnings);
        Self { name, edited: is_edited, text, graph }
    }
}
