//! What did administrators decide on their screen? One file beside the data, laid over the settings file section by section.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use figment::providers::{Data, Format, Toml};
use figment::value::{Dict, Map};
use figment::{Metadata, Profile, Provider};
use serde::{Deserialize, Serialize};

use super::{Config, Hours, Operator, Phone, Problems, Queue, ShiftTemplate, ShiftWanted};
use crate::centre::credit::Credits;
use crate::centre::ids::SkillId;
use crate::centre::skill::{BEST, Skills};
use crate::private::Private;

/// Its name in the data folder.
const FILE: &str = "edited.toml";

/// The sections that an edit replaces whole: what it holds is what its author saw.
const WHOLE: [&str; 5] = ["operators", "queues", "calendars", "shift_templates", "shifts"];

/// All that was decided so far; what is `None` is as the settings file has it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edited {
    /// Rises with every decision.
    #[serde(default)]
    pub edition: u64,
    /// Why operators may pause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause_reasons: Option<Vec<String>>,
    /// Dialplans by their names, as texts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub plans: BTreeMap<String, String>,
    /// Queues by their names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queues: Option<BTreeMap<String, Queue>>,
    /// Opening hours by their names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendars: Option<BTreeMap<String, Hours>>,
    /// When shifts go on, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift_templates: Option<BTreeMap<String, ShiftTemplate>>,
    /// Who works when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shifts: Option<BTreeMap<String, ShiftWanted>>,
    /// By how much longer callers count as waiting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credits: Option<Credits>,
    /// Operators by their names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operators: Option<BTreeMap<String, Operator>>,
}

/// One decision: what is not given stays as it is.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// The operators, all of them.
    pub operators: Option<BTreeMap<String, OperatorEdit>>,
    /// The queues, all of them.
    pub queues: Option<BTreeMap<String, Queue>>,
    /// The opening hours, all of them.
    pub calendars: Option<BTreeMap<String, Hours>>,
    /// Why operators may pause, all of it.
    pub pause_reasons: Option<Vec<String>>,
    /// When shifts go on, all of them.
    pub shift_templates: Option<BTreeMap<String, ShiftTemplate>>,
    /// Who works when, all of it.
    pub shifts: Option<BTreeMap<String, ShiftWanted>>,
    /// By how much longer callers count as waiting.
    pub credits: Option<Credits>,
    /// A dialplan by its name, as text.
    pub plan: Option<(String, String)>,
}

/// What an operator is to be.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OperatorEdit {
    /// Skills, languages by their code among them: a list, in which a skill keeps the level that the operator has in it, or a table of levels
    /// from 0 to 10.
    pub skills: SkillsEdit,
    /// The phone that registers.
    #[serde(default)]
    pub phone: Option<PhoneEdit>,
    /// A fixed SIP address instead.
    #[serde(default)]
    pub address: Option<String>,
    /// Registering the phone is being ready.
    #[serde(default)]
    #[schema(required = false)]
    pub ready_when_registered: bool,
    /// Offers ring at the desk alone.
    #[serde(default)]
    #[schema(required = false)]
    pub answer_at_desk: bool,
    /// The desk's page is the phone; without a word it stays as it is.
    #[serde(default)]
    pub browser: Option<bool>,
}

/// What an operator is to be able to do.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(untagged, expecting = "a list of skills, or a table of their levels from 0 to 10")]
pub enum SkillsEdit {
    /// By name: a skill that is new has the best level.
    Names(Vec<String>),
    /// With levels, all of them.
    Levels(BTreeMap<String, u8>),
}

impl SkillsEdit {
    /// The names.
    pub fn names(&self) -> Vec<&String> {
        match self {
            SkillsEdit::Names(names) => names.iter().collect(),
            SkillsEdit::Levels(levels) => levels.keys().collect(),
        }
    }

    fn over(self, current: Option<&Skills>) -> Skills {
        match self {
            SkillsEdit::Names(names) => {
                let kept = |skill: &SkillId| current.map_or(0, |skills| skills.level(skill));
                let level = |skill: SkillId| (skill.clone(), Some(kept(&skill)).filter(|level| *level > 0).unwrap_or(BEST));
                names.into_iter().map(SkillId::from).map(level).collect()
            }
            SkillsEdit::Levels(levels) => levels.into_iter().map(|(skill, level)| (SkillId::from(skill), level)).collect(),
        }
    }
}

/// What an operator's phone is to be.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PhoneEdit {
    /// The user part of its address of record.
    pub user: String,
    /// The digest password; without one the operator's phone keeps its own.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub password: Option<Private<String>>,
    /// Whether it is offered protected sound only.
    #[serde(default)]
    pub secure: Option<bool>,
}

/// Where the edits of a data folder lie.
pub fn path(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

/// The text of the edits; `None` before the first.
///
/// # Errors
/// When the file cannot be read.
pub fn text(folder: &Path) -> io::Result<Option<String>> {
    match std::fs::read_to_string(path(folder)) {
        Ok(text) => Ok(Some(text)),
        // A folder that cannot be is told of by whoever makes it.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Keeps a text in the place of the former one, whole or not at all. It holds passwords: nobody else reads it.
///
/// # Errors
/// When the folder cannot be written.
pub fn keep(folder: &Path, text: &str) -> io::Result<()> {
    let (path, next) = (path(folder), folder.join(format!("{FILE}.next")));
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&next)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&next, &path)?;
    std::fs::File::open(folder)?.sync_all()
}

impl Edited {
    /// What a file says; nothing where there is none.
    ///
    /// # Errors
    /// When it is none that this program writes.
    pub fn read(text: Option<&str>) -> Result<Edited, Problems> {
        let unreadable =
            |error: toml::de::Error| Problems(vec![format!("{FILE}: {}; restore it from a backup, or take it away", error.message())]);
        text.map_or_else(|| Ok(Edited::default()), |text| toml::from_str(text).map_err(unreadable))
    }

    /// The file's text.
    ///
    /// # Errors
    /// When something cannot be written as TOML.
    pub fn written(&self) -> Result<String, Problems> {
        let text = toml::to_string(self).map_err(|error| Problems(vec![format!("{FILE}: {error}")]))?;
        Ok(format!("# Written by the administrator's screen; it lies over the settings file.\n{text}"))
    }

    /// The same with one decision more. `current` is what holds: phones without a password keep the one that they have there.
    ///
    /// # Errors
    /// When a phone has no password at all.
    pub fn with(mut self, edit: Edit, current: &Config, edition: u64) -> Result<Edited, Problems> {
        self.edition = edition;
        if let Some(operators) = edit.operators {
            self.operators = Some(operators_of(operators, current)?);
        }
        self.queues = edit.queues.or(self.queues);
        self.calendars = edit.calendars.or(self.calendars);
        self.pause_reasons = edit.pause_reasons.or(self.pause_reasons);
        self.shift_templates = edit.shift_templates.or(self.shift_templates);
        self.shifts = edit.shifts.or(self.shifts);
        self.credits = edit.credits.or(self.credits);
        self.plans.extend(edit.plan);
        Ok(self)
    }

    /// The sections that it lies over, as the settings call them.
    pub fn sections(&self) -> Vec<&'static str> {
        let parts = [
            ("operators", self.operators.is_some()),
            ("queues", self.queues.is_some()),
            ("calendars", self.calendars.is_some()),
            ("pause_reasons", self.pause_reasons.is_some()),
            ("shift_templates", self.shift_templates.is_some()),
            ("shifts", self.shifts.is_some()),
            ("credits", self.credits.is_some()),
            ("plans", !self.plans.is_empty()),
        ];
        parts.into_iter().filter_map(|(name, edited)| edited.then_some(name)).collect()
    }

    /// All of it as JSON, for the record, without a password.
    pub fn told(&self) -> serde_json::Value {
        let mut told = serde_json::to_value(self).unwrap_or_default();
        let operators = told.get_mut("operators").and_then(serde_json::Value::as_object_mut);
        for operator in operators.into_iter().flat_map(|operators| operators.values_mut()) {
            if let Some(phone) = operator.get_mut("phone").and_then(serde_json::Value::as_object_mut) {
                phone.remove("password");
            }
        }
        told
    }
}

impl Edit {
    /// The sections that it replaces, as the settings call them.
    pub fn sections(&self) -> Vec<String> {
        let parts = [
            ("operators", self.operators.is_some()),
            ("queues", self.queues.is_some()),
            ("calendars", self.calendars.is_some()),
            ("pause_reasons", self.pause_reasons.is_some()),
            ("shift_templates", self.shift_templates.is_some()),
            ("shifts", self.shifts.is_some()),
            ("credits", self.credits.is_some()),
        ];
        let named = parts.into_iter().filter(|(_, edited)| *edited).map(|(name, _)| name.to_owned());
        named.chain(self.plan.iter().map(|(name, _)| format!("plans.{name}"))).collect()
    }
}

fn operators_of(wanted: BTreeMap<String, OperatorEdit>, current: &Config) -> Result<BTreeMap<String, Operator>, Problems> {
    let mut problems = Vec::new();
    let mut operators = BTreeMap::new();
    for (name, wanted) in wanted {
        let known = current.operators.get(&name).and_then(|operator| operator.phone.as_ref());
        let phone = wanted.phone.map(|phone| Phone {
            password: phone.password.or_else(|| known.map(|known| known.password.clone())).unwrap_or_default(),
            user: phone.user,
            secure: phone.secure,
        });
        if phone.as_ref().is_some_and(|phone| phone.password.reveal().is_empty()) {
            problems.push(format!("operators.{name}.phone.password: the phone has none yet; give it one"));
        }
        let OperatorEdit { skills, phone: _, address, ready_when_registered, answer_at_desk, browser } = wanted;
        let skills = skills.over(current.operators.get(&name).map(|operator| &operator.skills));
        let browser = browser.unwrap_or_else(|| current.operators.get(&name).is_some_and(|operator| operator.browser));
        operators.insert(name, Operator { skills, phone, address, ready_when_registered, answer_at_desk, browser });
    }
    if problems.is_empty() { Ok(operators) } else { Err(Problems(problems)) }
}

/// The settings file, less the sections that the edits replace whole.
pub(super) struct Beneath<'a> {
    file: Data<Toml>,
    edits: &'a figment::Figment,
}

impl<'a> Beneath<'a> {
    pub(super) fn new(file: &Path, edits: &'a figment::Figment) -> Self {
        Self { file: Toml::file_exact(file), edits }
    }
}

impl Provider for Beneath<'_> {
    fn metadata(&self) -> Metadata {
        self.file.metadata()
    }

    fn data(&self) -> figment::error::Result<Map<Profile, Dict>> {
        let mut data = self.file.data()?;
        for section in WHOLE.iter().filter(|section| self.edits.find_value(section).is_ok()) {
            data.values_mut().for_each(|dict| drop(dict.remove(*section)));
        }
        Ok(data)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn operator(password: Option<&str>) -> OperatorEdit {
        let password = password.map(|password| Private::new(password.to_owned()));
        let phone = Some(PhoneEdit { user: "201".into(), password, secure: None });
        OperatorEdit {
            skills: SkillsEdit::Names(vec!["ru".into(), "lifts".into()]),
            phone,
            address: None,
            ready_when_registered: false,
            answer_at_desk: true,
            browser: None,
        }
    }

    #[test]
    fn an_edit_replaces_its_sections_and_keeps_the_passwords_that_nobody_typed() {
        let now = Config::load_with(None, None).unwrap();
        let edit = Edit {
            operators: Some([("aigul".to_owned(), operator(None))].into()),
            pause_reasons: Some(vec!["tea".into()]),
            ..Edit::default()
        };
        let edited = Edited::default().with(edit, &now, 1).unwrap();
        assert_eq!(edited.sections(), ["operators", "pause_reasons"]);
        assert!(!edited.told().to_string().contains("demo-201"));
        let text = edited.written().unwrap();
        let then = Config::load_with(None, Some(&text)).unwrap();
        assert_eq!(then.operators.keys().collect::<Vec<_>>(), ["aigul"], "the others are gone");
        assert_eq!(then.operators["aigul"].phone.as_ref().unwrap().password.reveal(), "demo-201");
        assert_eq!((then.edition, then.pause_reasons, then.queues.len()), (1, vec!["tea".to_owned()], now.queues.len()));
        let new = Edit { operators: Some([("dana".to_owned(), operator(None))].into()), ..Edit::default() };
        assert!(Edited::default().with(new, &now, 2).unwrap_err().to_string().contains("operators.dana.phone.password"));
        let again = Edited::read(Some(&text)).unwrap();
        assert_eq!(again.told(), edited.told());
    }

    #[test]
    fn a_list_of_skills_keeps_the_levels_that_nobody_changed() {
        let mut now = Config::load_with(None, None).unwrap();
        let levels = SkillsEdit::Levels([("ru".to_owned(), 4), ("heating".to_owned(), 7)].into());
        let first =
            Edit { operators: Some([("aigul".to_owned(), OperatorEdit { skills: levels, ..operator(None) })].into()), ..Edit::default() };
        let text = Edited::default().with(first, &now, 1).unwrap().written().unwrap();
        now = Config::load_with(None, Some(&text)).unwrap();
        let named = Edit { operators: Some([("aigul".to_owned(), operator(None))].into()), ..Edit::default() };
        let text = Edited::read(Some(&text)).unwrap().with(named, &now, 2).unwrap().written().unwrap();
        let then = Config::load_with(None, Some(&text)).unwrap();
        let skills: Vec<(String, u8)> = then.operators["aigul"].skills.levels().map(|(skill, level)| (skill.to_string(), level)).collect();
        assert_eq!(skills, [("lifts".to_owned(), 10), ("ru".to_owned(), 4)]);
    }

    #[test]
    fn a_plan_takes_the_place_of_the_one_of_its_name() {
        let now = Config::load_with(None, None).unwrap();
        let known = now.plan_texts().unwrap().into_iter().find(|plan| plan.name == "109").unwrap();
        let plan = Some(("109".to_owned(), known.text.replace("iKomek 109", "City \"109\"\n").replace('\n', "\r\n")));
        let text = Edited::default().with(Edit { plan, ..Edit::default() }, &now, 3).unwrap().written().unwrap();
        let then = Config::load_with(None, Some(&text)).unwrap().plan_texts().unwrap();
        assert_eq!(then.len(), 3);
        let edited = then.iter().find(|plan| plan.name == "109").unwrap();
        assert!(edited.is_edited && edited.text.contains("City \"109\""));
    }
}
