//! What has the administrator decided, and what is to hold instead? Read as it is in force; a change is checked, kept and put in force as a reload is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot, watch};

use crate::centre::credit::Credits;
use crate::centre::ids::{Language, PromptId};
use crate::config::edited::{Edit, OperatorEdit};
use crate::config::{Config, Hours, Operator, Queue, ShiftTemplate, ShiftWanted};
use crate::store::{NewRevision, SettingsRevision, StoreError};

use super::Web;
use super::auth::SignedIn;
use super::cases::{checked, shorter};
use super::error::WebError;
use super::extract::Body;

/// The longest reason, in characters.
const LONGEST_REASON: usize = 500;
/// The longest name of an operator, queue, calendar or pause reason, in characters.
const LONGEST_NAME: usize = 60;

/// Decisions that may wait for their turn; each takes some milliseconds, so one more is told to come again.
pub const DECISIONS: usize = 8;

/// What is in force, and the way to change it.
pub struct SettingsParts {
    /// What is in force.
    pub now: watch::Receiver<Arc<InForce>>,
    /// Where decisions are taken.
    pub decide: mpsc::Sender<Decision>,
}

/// What is in force.
pub struct InForce {
    /// The settings.
    pub config: Config,
    /// The prompts that plans may name.
    pub prompts: BTreeSet<(PromptId, Language)>,
    /// The sections that lie over the settings file.
    pub edited: Vec<&'static str>,
}

/// A decision of an administrator, and where its end is told.
pub struct Decision {
    /// The revision that its author has read.
    pub revision: u64,
    /// What is to hold.
    pub edit: Edit,
    /// Who decides, and why.
    pub new: NewRevision,
    /// The revision that it is, or why it is none.
    pub answer: oneshot::Sender<Result<u64, Undecided>>,
}

/// Why a decision does not hold. What held before goes on.
#[derive(Debug, thiserror::Error)]
pub enum Undecided {
    /// Somebody was faster.
    #[error("the settings have revision {now} meanwhile")]
    Outdated {
        /// The revision that holds.
        now: u64,
    },
    /// It does not fit together, one line a fault with its mend.
    #[error("the settings have {} faults", .0.len())]
    Faults(Vec<String>),
    /// The record could not be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file could not be kept.
    #[error("the decision could not be kept: {0}")]
    Disk(std::io::Error),
}

/// The settings that administrators decide here, as they are in force.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Settings {
    /// The revision; whoever changes them names it.
    revision: u64,
    /// The sections that lie over the settings file.
    edited: Vec<&'static str>,
    /// The operators by their names.
    operators: BTreeMap<String, OperatorView>,
    /// The queues by their names; `null`: as the server decides.
    queues: BTreeMap<String, Queue>,
    /// The opening hours by their names.
    calendars: BTreeMap<String, Hours>,
    /// Why operators may pause.
    pause_reasons: Vec<String>,
    /// By how much longer callers count as waiting, for what their story tells.
    credits: Credits,
    /// When shifts go on.
    shift_templates: BTreeMap<String, ShiftTemplate>,
    /// Who works when.
    shifts: BTreeMap<String, ShiftWanted>,
    /// Every skill that an operator has or a queue needs.
    skills: BTreeSet<String>,
    /// The short numbers that are answered.
    numbers: Vec<NumberView>,
    /// The lines to the outside.
    trunks: Vec<TrunkView>,
}

/// An operator, without a password.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SettingsOperator)]
struct OperatorView {
    /// Skills, languages by their code among them.
    skills: Vec<String>,
    /// How well the operator does them, from 0 (not) to 10.
    levels: BTreeMap<String, u8>,
    /// The phone that registers.
    phone: Option<PhoneView>,
    /// A fixed SIP address instead.
    address: Option<String>,
    /// Registering the phone is being ready.
    ready_when_registered: bool,
    /// Offers ring at the desk alone.
    answer_at_desk: bool,
    /// The page of the desk is the phone.
    browser: bool,
}

/// A phone, without its password.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SettingsPhone)]
struct PhoneView {
    /// The user part of its address of record.
    user: String,
    /// Whether it has a password; which one is told to nobody.
    has_password: bool,
    /// Whether it is offered protected sound only.
    secure: Option<bool>,
}

/// A short number.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SettingsNumber)]
struct NumberView {
    /// As it is dialled.
    number: String,
    /// Its name.
    title: String,
    /// The languages spoken, by their codes.
    languages: Vec<String>,
    /// The plan that answers it.
    plan: String,
}

/// A line to the outside.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SettingsTrunk)]
struct TrunkView {
    /// Its name.
    name: String,
    /// Where calls are sent.
    to: Vec<String>,
    /// The short number that its calls are for, where their INVITEs name another.
    number: Option<String>,
}

/// What is to hold instead; a section that is not given stays.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SettingsWanted)]
pub(super) struct Wanted {
    /// The revision that was read.
    revision: u64,
    /// Why.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
    /// The operators, all of them.
    #[serde(default)]
    operators: Option<BTreeMap<String, OperatorEdit>>,
    /// The queues, all of them.
    #[serde(default)]
    queues: Option<BTreeMap<String, Queue>>,
    /// The opening hours, all of them.
    #[serde(default)]
    calendars: Option<BTreeMap<String, Hours>>,
    /// Why operators may pause, all of it.
    #[serde(default)]
    pause_reasons: Option<Vec<String>>,
    /// By how much longer callers count as waiting, for what their story tells.
    #[serde(default)]
    credits: Option<Credits>,
    /// When shifts go on, all of them.
    #[serde(default)]
    shift_templates: Option<BTreeMap<String, ShiftTemplate>>,
    /// Who works when, all of it.
    #[serde(default)]
    shifts: Option<BTreeMap<String, ShiftWanted>>,
}

/// The revision that a decision is.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SettingsDecided)]
pub(super) struct Decided {
    pub revision: u64,
}

/// The settings as they are in force; passwords are told to nobody.
#[utoipa::path(get, path = "/api/settings", responses((status = 200, body = Settings)))]
pub(super) async fn read(State(web): State<Arc<Web>>) -> Result<Json<Settings>, WebError> {
    Ok(Json(Settings::of(&web.settings.now.borrow())))
}

/// Decides otherwise. It names the revision that it changes: where somebody was faster the answer is 409; 422 names every fault.
#[utoipa::path(put, path = "/api/settings", request_body = Wanted, responses((status = 200, body = Decided)))]
pub(super) async fn put(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    Body(wanted): Body<Wanted>,
) -> Result<Json<Decided>, WebError> {
    let Wanted { revision, reason, operators, queues, calendars, pause_reasons, credits, shift_templates, shifts } = wanted;
    let edit = Edit { operators, queues, calendars, pause_reasons, credits, shift_templates, shifts, plan: None };
    sound(&edit)?;
    decide(&web, &user.name, revision, reason, edit).await
}

/// Who decided what and why, the newest first.
#[utoipa::path(get, path = "/api/settings/revisions", responses((status = 200, body = [SettingsRevision])))]
pub(super) async fn revisions(State(web): State<Arc<Web>>) -> Result<Json<Vec<SettingsRevision>>, WebError> {
    Ok(Json(web.store.settings_revisions().await?))
}

/// Has a decision checked, kept and put in force.
pub(super) async fn decide(web: &Web, by: &str, revision: u64, reason: String, edit: Edit) -> Result<Json<Decided>, WebError> {
    checked("reason", &reason, LONGEST_REASON)?;
    let sections = edit.sections();
    if sections.is_empty() {
        return Err(WebError::Invalid { what: "nothing is decided".into(), mend: "Give a section that is to hold instead." });
    }
    let new = NewRevision { by: by.to_owned(), reason, sections: sections.clone(), at: web.clock.now() };
    let (answer, answered) = oneshot::channel();
    // Full, or at its end: somebody else's decisions are being put in force.
    web.settings.decide.try_send(Decision { revision, edit, new, answer }).map_err(|_| WebError::Slow)?;
    match answered.await {
        Ok(Ok(revision)) => {
            tracing::info!(revision, by, sections = sections.join(", "), "other settings are in force");
            Ok(Json(Decided { revision }))
        }
        Ok(Err(undecided)) => Err(undecided.into()),
        Err(_) => Err(WebError::Slow),
    }
}

/// Whether all names can be kept and shown.
fn sound(edit: &Edit) -> Result<(), WebError> {
    let mut names: Vec<&String> = edit.pause_reasons.iter().flatten().collect();
    names.extend(edit.operators.iter().flat_map(BTreeMap::keys));
    names.extend(edit.queues.iter().flat_map(BTreeMap::keys).chain(edit.calendars.iter().flat_map(BTreeMap::keys)));
    names.extend(edit.shifts.iter().flat_map(BTreeMap::keys).chain(edit.shift_templates.iter().flat_map(BTreeMap::keys)));
    for name in names {
        checked("a name", name, LONGEST_NAME)?;
        if name.chars().any(char::is_control) {
            return Err(WebError::Invalid { what: "a name holds a control character".into(), mend: "Write it without." });
        }
    }
    let skills = edit.operators.iter().flat_map(BTreeMap::values).flat_map(|operator| operator.skills.names());
    for skill in skills.chain(edit.queues.iter().flat_map(BTreeMap::values).flat_map(|queue| &queue.skills)) {
        shorter("a skill", skill, LONGEST_NAME)?;
    }
    Ok(())
}

impl Settings {
    fn of(in_force: &InForce) -> Self {
        let config = &in_force.config;
        let skills = config.operators.values().flat_map(|operator| operator.skills.names()).map(ToString::to_string);
        let skills = skills.chain(config.queues.values().flat_map(|queue| &queue.skills).cloned()).collect();
        let trunk = |(name, trunk): (&String, &crate::config::Trunk)| TrunkView {
            name: name.clone(),
            to: trunk.to.clone(),
            number: trunk.number.clone(),
        };
        Self {
            revision: config.edition,
            edited: in_force.edited.clone(),
            operators: config.operators.iter().map(|(name, operator)| (name.clone(), operator.into())).collect(),
            queues: config.queues.clone(),
            calendars: config.calendars.clone(),
            pause_reasons: config.pause_reasons.clone(),
            credits: config.credits,
            shift_templates: config.shift_templates.clone(),
            shifts: config.shifts.clone(),
            skills,
            numbers: numbers(in_force),
            trunks: config.trunks.iter().map(trunk).collect(),
        }
    }
}

fn numbers(in_force: &InForce) -> Vec<NumberView> {
    let known = in_force.config.vocabulary(in_force.prompts.clone());
    let number = |plan: crate::config::PlanText| {
        let read = crate::centre::dialplan::read(&plan.file, &plan.text, &known).ok()?;
        let languages = read.languages.iter().map(|language| language.code().to_owned()).collect();
        Some(NumberView { number: read.number.to_string(), title: read.title, languages, plan: plan.name })
    };
    in_force.config.plan_texts().unwrap_or_default().into_iter().filter_map(number).collect()
}

impl From<&Operator> for OperatorView {
    fn from(operator: &Operator) -> Self {
        let phone = |phone: &crate::config::Phone| PhoneView {
            user: phone.user.clone(),
            has_password: !phone.password.reveal().is_empty(),
            secure: phone.secure,
        };
        Self {
            skills: operator.skills.names().map(ToString::to_string).collect(),
            levels: operator.skills.levels().map(|(skill, level)| (skill.to_string(), level)).collect(),
            phone: operator.phone.as_ref().map(phone),
            address: operator.address.clone(),
            ready_when_registered: operator.ready_when_registered,
            answer_at_desk: operator.answer_at_desk,
            browser: operator.browser,
        }
    }
}

impl From<Undecided> for WebError {
    fn from(undecided: Undecided) -> Self {
        match undecided {
            Undecided::Faults(faults) => WebError::Faults(faults),
            Undecided::Outdated { .. } => WebError::Conflict(undecided.to_string()),
            Undecided::Store(error) => WebError::Store(error),
            Undecided::Disk(why) => WebError::Store(StoreError::Value { what: "the settings' file", value: why.to_string() }),
        }
    }
}
