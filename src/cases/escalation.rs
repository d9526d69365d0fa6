//! Whom does a case that is late, or about to be, come to? A chain of steps by time; each is taken once.

use serde::{Deserialize, Serialize};

use super::case::Case;
use super::clocks::Which;
use crate::centre::time::Time;

/// One step of the chain.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Step {
    /// 1.. within its clock.
    pub step: u8,
    /// Which promise it watches.
    pub clock: Which,
    /// How long after the moment that was promised, in milliseconds; negative: before it.
    pub after_ms: i64,
    /// Who is told.
    pub to: Told,
}

/// Who is told.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// The organisation with which the case lies.
    Organisation,
    /// Its head.
    Head,
    /// The supervisors of the centre.
    Supervisors,
    /// City hall.
    City,
}

impl Told {
    /// As the history says it.
    pub fn word(&self) -> &'static str {
        match self {
            Told::Organisation => "organisation",
            Told::Head => "head",
            Told::Supervisors => "supervisors",
            Told::City => "city",
        }
    }
}

impl Step {
    /// When the step is to be taken for a case, if its promise is not kept before.
    pub fn at(&self, case: &Case) -> Time {
        let due = case.clocks.of(self.clock).due;
        if self.after_ms >= 0 {
            due.plus_ms(self.after_ms.unsigned_abs())
        } else {
            Time(due.0.saturating_sub(self.after_ms.unsigned_abs()))
        }
    }
}

/// The steps that are due and were not taken, in the order in which they fell due.
pub fn due<'s>(chain: &'s [Step], case: &Case, now: Time) -> Vec<&'s Step> {
    if !case.state.is_open() {
        return Vec::new();
    }
    let owed = |step: &&Step| {
        case.clocks.of(step.clock).kept.is_none() && step.at(case) <= now && !case.escalated.contains(&(step.clock, step.step))
    };
    let mut steps: Vec<&Step> = chain.iter().filter(owed).collect();
    steps.sort_by_key(|step| (step.at(case), step.clock, step.step));
    steps
}

/// The next moment at which something falls due for a case; `None` where nothing will.
pub fn next(chain: &[Step], case: &Case) -> Option<Time> {
    let open = case.state.is_open();
    let ahead = |step: &&Step| open && case.clocks.of(step.clock).kept.is_none() && !case.escalated.contains(&(step.clock, step.step));
    chain.iter().filter(ahead).map(|step| step.at(case)).min()
}
