//! What do people decide beforehand? Numbers, queues, operators, calendars: an input to the core, never read by it from outside.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::credit::Credits;
use super::dialplan::Plan;
use super::evacuation::EvacuationSettings;
use super::ids::{AgentId, CalendarId, Language, NumberId, PauseReason, PromptId, QueueId, ShiftId, SkillId};
use super::schedule::Calendar;
use super::shift::Shift;
use super::skill::{Needs, Skills};
use super::surge::SurgeRule;

/// Everything that the core goes by; a change is a new whole with a higher revision.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Settings {
    /// Counted up with every change.
    pub revision: u64,
    /// The short numbers, each with its checked plan.
    pub numbers: BTreeMap<NumberId, Plan>,
    /// The queues.
    pub queues: BTreeMap<QueueId, QueueSettings>,
    /// The operators.
    pub agents: BTreeMap<AgentId, AgentSettings>,
    /// Opening hours by name.
    pub calendars: BTreeMap<CalendarId, Calendar>,
    /// Why operators may pause.
    pub pause_reasons: BTreeSet<PauseReason>,
    /// Limits of the whole centre.
    pub limits: Limits,
    /// Who counts as having waited for longer.
    #[serde(default)]
    pub credits: Credits,
    /// The table of shifts; without any everybody is on shift.
    #[serde(default)]
    pub shifts: BTreeMap<ShiftId, Shift>,
    /// How those are called back who want to be.
    #[serde(default)]
    pub callbacks: CallbackRules,
    /// What callers hear while the centre is evacuated.
    #[serde(default)]
    pub evacuation: EvacuationSettings,
}

/// One queue.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct QueueSettings {
    /// What its operators must be able to do, besides speaking the caller's language.
    pub skills: BTreeSet<SkillId>,
    /// Whether the caller's language is required of the operator.
    pub language_required: bool,
    /// Music while waiting.
    pub music: PromptId,
    /// Milliseconds between two announcements of the place, 0 for none.
    pub announce_every_ms: u64,
    /// How long an offer rings, in milliseconds.
    pub offer_ms: u64,
    /// How long an operator has to write things down, in milliseconds.
    pub wrap_up_ms: u64,
    /// More callers than this are sent to the plan's overflow step.
    pub max_waiting: u32,
    /// A longer wait, in milliseconds, sends to the plan's overflow step; 0 for never.
    pub max_wait_ms: u64,
    /// Whether talks are recorded.
    pub record: bool,
    /// An offer is accepted by itself so many milliseconds after the desk has shown it; 0 for never.
    #[serde(default)]
    pub auto_answer_ms: u64,
    /// Who may take a caller after how long a wait, in rising order of time; without any everybody who can do it at all.
    #[serde(default)]
    pub rings: Vec<Ring>,
    /// Which of several who may take a caller gets the call.
    #[serde(default)]
    pub strategy: Strategy,
    /// By so much longer its callers count as waiting, in milliseconds.
    #[serde(default)]
    pub credit_ms: u64,
    /// After so long a wait, in milliseconds, announcements offer a callback, where the plan has a step for it; 0 for never.
    #[serde(default)]
    pub callback_after_ms: u64,
    /// Announcements are spoken over the music, which is lowered for so long.
    #[serde(default)]
    pub over_music: bool,
    /// When it is in surge by itself; without a rule by a supervisor's order alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surge: Option<SurgeRule>,
}

/// How those are called back who want to be.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct CallbackRules {
    /// The operator is not asked: an offer at a desk is accepted by itself.
    pub automatic: bool,
    /// How often somebody is called before they count as not reached.
    pub tries: u8,
    /// After how long they are called again, in milliseconds.
    pub again_after_ms: u64,
    /// How long their phone rings, in milliseconds.
    pub ring_ms: u64,
    /// Callbacks that may stand at once; a further wish is refused.
    pub most: u32,
    /// In whose hours they are called; at any time without one.
    pub calendar: Option<CalendarId>,
}

/// Who may take a caller who has waited for so long: the best first, later the good, at last anyone.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ring {
    /// From this wait on, in milliseconds.
    pub after_ms: u64,
    /// The least level of every needed skill, 1 to 10.
    pub level: u8,
    /// Skills of the queue that are not needed any more. A language that is required stays so.
    pub dropped: BTreeSet<SkillId>,
}

/// Which of several operators who may take a caller gets the call; whoever is equal by it has been ready for longer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// The one who has been ready for the longest time.
    #[default]
    LongestIdle,
    /// The one who does what is needed best: by the sum of the levels.
    MostSkilled,
    /// The one who has answered the fewest calls since they signed in.
    FewestCalls,
    /// Each in turn, by name.
    RoundRobin,
    /// The one with whom the caller talked last, if they may take the call; else the longest idle.
    LastOperator,
}

impl QueueSettings {
    /// What an operator must be able to do for a caller of this language who has waited for so long, and the ring that says so.
    pub fn needs(&self, language: Language, waited_ms: u64) -> (u32, Needs) {
        let reached = self.rings.iter().take_while(|ring| ring.after_ms <= waited_ms).count();
        let ring = reached.checked_sub(1).and_then(|at| self.rings.get(at));
        let mut skills = self.skills.clone();
        skills.retain(|skill| ring.is_none_or(|ring| !ring.dropped.contains(skill)));
        skills.extend(self.language_required.then(|| language.skill()));
        (u32::try_from(reached.saturating_sub(1)).unwrap_or(u32::MAX), Needs::of(&skills, ring.map_or(1, |ring| ring.level)))
    }

    /// After which wait the next ring begins, for somebody who has waited for so long.
    pub fn next_ring_ms(&self, waited_ms: u64) -> Option<u64> {
        self.rings.iter().map(|ring| ring.after_ms).find(|after_ms| *after_ms > waited_ms)
    }
}

/// One operator.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AgentSettings {
    /// What the operator can do and how well, languages by their code among them.
    pub skills: Skills,
    /// How the operator is rung.
    pub device: Device,
}

/// How an operator is rung.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Device {
    /// At the contacts that the phone registers. Ready by the desk, or by registering where `ready_when_registered`.
    /// With `answer_at_desk` an offer rings at the desk alone, and the phone is dialled to answer by itself once it is accepted.
    Phone { ready_when_registered: bool, answer_at_desk: bool },
    /// At one fixed SIP address, always ready: for benchmarks and for services without a desk.
    Fixed { address: String },
    /// In the page of the desk, whose sound is connected while the operator is ready. Offers ring there, and who accepts talks at once.
    Browser,
}

/// Limits of the whole centre.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Limits {
    /// Calls that may be up at once; one more is refused with 503.
    pub max_calls: u32,
    /// How long to wait for what the store knows of a caller, in milliseconds.
    pub look_up_ms: u64,
    /// A dialled leg outside must answer within this, in milliseconds.
    pub dial_ms: u64,
    /// An operator who did not answer and has no desk is tried again after this, in milliseconds.
    pub rest_ms: u64,
    /// A talk in which the resident's side has been silent for this long ends, in milliseconds; 0 for never.
    pub no_sound_ends_ms: u64,
    /// By so much an operator may extend a wrap-up, in milliseconds.
    #[serde(default = "extend_wrap_up_ms")]
    pub extend_wrap_up_ms: u64,
    /// How long an operator rests after a caller who was abusive, in milliseconds.
    #[serde(default = "cool_off_ms")]
    pub cool_off_ms: u64,
}

fn extend_wrap_up_ms() -> u64 {
    60_000
}

fn cool_off_ms() -> u64 {
    300_000
}

impl Default for QueueSettings {
    fn default() -> Self {
        Self {
            skills: BTreeSet::new(),
            language_required: true,
            music: PromptId::from("music"),
            announce_every_ms: 30_000,
            offer_ms: 15_000,
            wrap_up_ms: 20_000,
            max_waiting: 500,
            max_wait_ms: 0,
            record: true,
            auto_answer_ms: 0,
            rings: Vec::new(),
            strategy: Strategy::default(),
            credit_ms: 0,
            callback_after_ms: 0,
            over_music: false,
            surge: None,
        }
    }
}

impl Default for CallbackRules {
    fn default() -> Self {
        Self { automatic: false, tries: 3, again_after_ms: 300_000, ring_ms: 30_000, most: 500, calendar: None }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_calls: 10_000,
            look_up_ms: 300,
            dial_ms: 30_000,
            rest_ms: 30_000,
            no_sound_ends_ms: 60_000,
            extend_wrap_up_ms: extend_wrap_up_ms(),
            cool_off_ms: cool_off_ms(),
        }
    }
}
