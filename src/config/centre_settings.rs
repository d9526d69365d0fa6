//! What of the settings does the core go by? `Config` and the dialplans become its `Settings`.

use std::collections::{BTreeMap, BTreeSet};

use super::{Config, Operator, Problems, Queue};
use crate::centre::dialplan::{self, Action, Plan, PlanError, Vocabulary};
use crate::centre::evacuation::EvacuationSettings;
use crate::centre::ids::{AgentId, CalendarId, Language, NumberId, PauseReason, PromptId, QueueId, SkillId, StepId};
use crate::centre::schedule::Calendar;
use crate::centre::settings::{AgentSettings, CallbackRules, Device, Limits, QueueSettings, Ring, Settings};
use crate::centre::surge::SurgeRule;

/// The plans that run when the settings name none.
const EMBEDDED: [(&str, &str); 3] = [
    ("109.toml", include_str!("../../dialplans/109.toml")),
    ("1520.toml", include_str!("../../dialplans/1520.toml")),
    ("quality.toml", include_str!("../../dialplans/quality.toml")),
];

/// A dialplan as it is written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlanText {
    /// Its name: that of its file, without the ending.
    pub name: String,
    /// The file, as messages name it.
    pub file: String,
    /// What it says.
    pub text: String,
    /// Whether it takes the place of a file, or stands in none.
    pub is_edited: bool,
}

/// The dialplans or calendars cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A dialplan file cannot be read.
    #[error("dialplan {file}: {source}; mend the path under `dialplans` in the settings")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Plans have errors; each names file, line and mend.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Plans(Vec<PlanError>),
    /// Two plans are for the same number.
    #[error("two dialplans answer {0}: leave one of them out of `dialplans`")]
    SameNumber(NumberId),
    /// A queue's music is not among the sounds.
    #[error("queues.{queue}.music: no music is called {music:?}; name one of prompts/manifest.toml, or leave it out")]
    NoMusic {
        /// The queue.
        queue: QueueId,
        /// What it wants to play.
        music: PromptId,
    },
    /// What callers are to hear in an evacuation is not among the sounds.
    #[error("evacuation.prompt: no text is called {0}; name one of prompts/manifest.toml, or leave it out")]
    NoPrompt(PromptId),
    /// Where callers are to go in an evacuation is a step of no plan.
    #[error("evacuation.step: no dialplan has a step called {0}; add it to one, or leave it out")]
    NoStep(StepId),
    /// Calendars have errors.
    #[error("settings:\n{0}")]
    Calendars(Problems),
}

impl Config {
    /// The core's settings, with every plan checked against `prompts`. `revision` must be higher than the one in force.
    ///
    /// # Errors
    /// When a plan, a calendar or a queue's music cannot be used; each says what and the mend.
    pub fn centre_settings(&self, prompts: BTreeSet<(PromptId, Language)>, revision: u64) -> Result<Settings, SettingsError> {
        let calendars = self.calendars_built()?;
        let queues: BTreeMap<QueueId, QueueSettings> =
            self.queues.iter().map(|(name, queue)| (QueueId::from(name.as_str()), queue_settings(queue))).collect();
        for (queue, rules) in &queues {
            if !prompts.iter().any(|(id, _)| *id == rules.music) {
                return Err(SettingsError::NoMusic { queue: queue.clone(), music: rules.music.clone() });
            }
        }
        let evacuation = self.evacuation_built(&prompts)?;
        let known = self.vocabulary(prompts);
        let numbers = self.plans(&known)?;
        if let Some(step) = evacuation.step.as_ref().filter(|step| numbers.values().all(|plan| !plan.steps.contains_key(*step))) {
            return Err(SettingsError::NoStep(step.clone()));
        }
        Ok(Settings {
            revision,
            evacuation,
            numbers,
            queues,
            agents: self.operators.iter().map(|(name, operator)| (AgentId::from(name.as_str()), agent_settings(operator))).collect(),
            calendars,
            pause_reasons: self.pause_reasons.iter().map(|reason| PauseReason::from(reason.as_str())).collect(),
            limits: Limits {
                max_calls: self.limits.max_calls,
                dial_ms: self.limits.dial_ms,
                rest_ms: self.limits.rest_ms,
                no_sound_ends_ms: self.limits.no_sound_ends_ms,
                extend_wrap_up_ms: self.limits.extend_wrap_up_ms,
                cool_off_ms: self.limits.cool_off_ms,
                ..Limits::default()
            },
            credits: self.credits,
            callbacks: self.callback_rules(),
            shifts: self.shifts_built().map_err(|wrong| SettingsError::Calendars(Problems(wrong)))?,
        })
    }

    fn callback_rules(&self) -> CallbackRules {
        let rules = &self.callbacks;
        CallbackRules {
            automatic: rules.automatic,
            tries: rules.tries,
            again_after_ms: rules.again_after_s.saturating_mul(1_000),
            ring_ms: rules.ring_s.saturating_mul(1_000),
            most: rules.most,
            calendar: (!rules.calendar.is_empty()).then(|| CalendarId::from(rules.calendar.as_str())),
        }
    }

    /// A text that is not among the sounds is an error where it was asked for; our own is there with the next build of the prompts.
    fn evacuation_built(&self, prompts: &BTreeSet<(PromptId, Language)>) -> Result<EvacuationSettings, SettingsError> {
        let prompt = self.evacuation.prompt.as_deref().map(PromptId::from);
        if let Some(missing) = prompt.as_ref().filter(|wanted| !prompts.iter().any(|(id, _)| id == *wanted)) {
            return Err(SettingsError::NoPrompt(missing.clone()));
        }
        let step = self.evacuation.step.as_deref().map(StepId::from);
        Ok(EvacuationSettings { prompt: prompt.unwrap_or(EvacuationSettings::default().prompt), step })
    }

    fn calendars_built(&self) -> Result<BTreeMap<CalendarId, Calendar>, SettingsError> {
        let mut built = BTreeMap::new();
        let mut problems = Vec::new();
        for (name, hours) in &self.calendars {
            match hours.calendar(name) {
                Ok(calendar) => {
                    built.insert(CalendarId::from(name.as_str()), calendar);
                }
                Err(wrong) => problems.extend(wrong),
            }
        }
        if problems.is_empty() { Ok(built) } else { Err(SettingsError::Calendars(Problems(problems))) }
    }

    /// What plans may name.
    pub fn vocabulary(&self, prompts: BTreeSet<(PromptId, Language)>) -> Vocabulary {
        let queues = self.queues.keys().map(|name| QueueId::from(name.as_str())).collect();
        let calendars = self.calendars.keys().map(|name| CalendarId::from(name.as_str())).collect();
        Vocabulary { prompts, queues, calendars }
    }

    /// Why what a step does is in vain although it is right: it dials or calls back a number where no trunk takes calls to the outside.
    pub fn in_vain(&self, action: &Action) -> Option<String> {
        match action {
            Action::Dial { party, address, failed, .. }
                if !address.starts_with("sip") && self.trunks.values().all(|trunk| trunk.to.is_empty()) =>
            {
                Some(format!(
                    "{party} is dialled at {address}, and no trunk says where calls to the outside go; \
                     give a trunk its `to`, or every caller goes on at step {failed}"
                ))
            }
            Action::Callback { otherwise, .. } if self.trunks.values().all(|trunk| trunk.to.is_empty()) => Some(format!(
                "numbers are to be called back, and no trunk says where calls to the outside go; give a trunk its `to`, or lead callers to step \
                 {otherwise} at once: until then operators find their numbers in the list of callbacks owed"
            )),
            _ => None,
        }
    }

    /// Every plan as it is written: files, or the embedded ones, and in the place of a file the text of its name.
    pub fn plan_texts(&self) -> Result<Vec<PlanText>, SettingsError> {
        let name = |file: &str| std::path::Path::new(file).file_stem().map_or(file.to_owned(), |stem| stem.to_string_lossy().into_owned());
        let of_file = |(file, text): (String, String)| PlanText { name: name(&file), file, text, is_edited: false };
        let mut plans: Vec<PlanText> = self.plan_files()?.into_iter().map(of_file).collect();
        plans.retain(|plan| !self.plans.contains_key(&plan.name));
        let edited = |(name, text): (&String, &String)| PlanText {
            name: name.clone(),
            file: format!("plans.{name}"),
            text: text.clone(),
            is_edited: true,
        };
        plans.extend(self.plans.iter().map(edited));
        Ok(plans)
    }

    fn plan_files(&self) -> Result<Vec<(String, String)>, SettingsError> {
        if self.dialplans.is_empty() {
            return Ok(EMBEDDED.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect());
        }
        let read = |path: &std::path::PathBuf| {
            let file = path.display().to_string();
            std::fs::read_to_string(path).map(|text| (file.clone(), text)).map_err(|source| SettingsError::Unreadable { file, source })
        };
        self.dialplans.iter().map(read).collect()
    }

    fn plans(&self, known: &Vocabulary) -> Result<BTreeMap<NumberId, Plan>, SettingsError> {
        let mut plans = BTreeMap::new();
        let mut errors = Vec::new();
        for PlanText { file, text, .. } in self.plan_texts()? {
            match dialplan::read(&file, &text, known) {
                Ok(plan) => {
                    let number = plan.number.clone();
                    if plans.insert(number.clone(), plan).is_some() {
                        return Err(SettingsError::SameNumber(number));
                    }
                }
                Err(wrong) => errors.extend(wrong),
            }
        }
        if errors.is_empty() { Ok(plans) } else { Err(SettingsError::Plans(errors)) }
    }
}

fn queue_settings(queue: &Queue) -> QueueSettings {
    let default = QueueSettings::default();
    QueueSettings {
        skills: queue.skills.iter().map(|skill| SkillId::from(skill.as_str())).collect(),
        language_required: queue.language_required.unwrap_or(default.language_required),
        music: queue.music.as_deref().map_or(default.music, PromptId::from),
        announce_every_ms: queue.announce_every_ms.unwrap_or(default.announce_every_ms),
        offer_ms: queue.offer_ms.unwrap_or(default.offer_ms),
        wrap_up_ms: queue.wrap_up_ms.unwrap_or(default.wrap_up_ms),
        max_waiting: queue.max_waiting.unwrap_or(default.max_waiting),
        max_wait_ms: queue.max_wait_ms.unwrap_or(default.max_wait_ms),
        record: queue.record.unwrap_or(default.record),
        auto_answer_ms: queue.auto_answer_ms.unwrap_or(default.auto_answer_ms),
        rings: queue.rings.iter().map(ring).collect(),
        strategy: queue.strategy.unwrap_or(default.strategy),
        credit_ms: queue.credit_ms.unwrap_or(default.credit_ms),
        callback_after_ms: queue.callback_after_ms.unwrap_or(default.callback_after_ms),
        over_music: queue.over_music.unwrap_or(true),
        surge: queue.surge.map(|rule| SurgeRule {
            calls: rule.calls,
            within_ms: rule.within_s.saturating_mul(1_000),
            calm_ms: rule.calm_s.saturating_mul(1_000),
        }),
    }
}

fn agent_settings(operator: &Operator) -> AgentSettings {
    let device = match &operator.address {
        Some(address) => Device::Fixed { address: address.clone() },
        None if operator.browser => Device::Browser,
        None => Device::Phone { ready_when_registered: operator.ready_when_registered, answer_at_desk: operator.answer_at_desk },
    };
    AgentSettings { skills: operator.skills.clone(), device }
}

fn ring(ring: &super::Ring) -> Ring {
    let dropped = ring.drop.iter().map(|skill| SkillId::from(skill.as_str())).collect();
    Ring { after_ms: ring.after_ms, level: ring.level.unwrap_or(1), dropped }
}
