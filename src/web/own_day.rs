//! What does an operator's page show of their own day? Figures, breaks that are due, and what is left to be done.

use std::time::Duration;

use chrono::{DateTime, NaiveTime};
use serde::Serialize;

use crate::centre::ids::{AgentId, CallId};
use crate::centre::time::Time;
use crate::report::own_day::OwnDay;
use crate::store::{StoreError, User};

use super::Web;
use super::error::WebError;

/// A day is told without what the database has not said within this.
const LIMIT: Duration = Duration::from_secs(2);

/// Control calls that are counted at most.
const MOST_CONTROL: u32 = 100;

/// The day so far, the breaks, and the tasks.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct DayView {
    /// The figures.
    #[serde(flatten)]
    day: OwnDay,
    /// The breaks of the shift.
    breaks: Vec<BreakView>,
    /// Own calls of today that are over without case or contact, the newest first: their disposition is still to be given.
    undisposed: Vec<CallId>,
    /// Control calls that wait to be made, a hundred at most.
    control_calls: usize,
    /// Callers who are owed a callback.
    callbacks: u64,
}

/// A break of the shift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct BreakView {
    /// When it is due, in milliseconds since the epoch.
    due_ms: u64,
    /// How long it may last, in milliseconds.
    length_ms: u64,
}

/// The day of an operator; `None` where the database does not answer.
pub(super) async fn own_day(web: &Web, user: &User, working_on: Option<CallId>) -> Option<DayView> {
    match tokio::time::timeout(LIMIT, read(web, user, working_on)).await {
        Ok(Ok(day)) => Some(day),
        Ok(Err(error)) => {
            tracing::warn!(%error, "an operator's day could not be read");
            None
        }
        Err(_) => None,
    }
}

async fn read(web: &Web, user: &User, working_on: Option<CallId>) -> Result<DayView, WebError> {
    let now = web.clock.now();
    let (agent, from) = (AgentId::from(user.name.as_str()), midnight(web, now));
    let sight = user.sight();
    let (day, undisposed, control, callbacks) = tokio::join!(
        web.store.own_day(&agent, from, now),
        web.store.undisposed(&agent, from),
        web.store.control_work(&sight, MOST_CONTROL),
        web.store.how_many_callbacks_owed(),
    );
    let day = day?;
    let began = day.began_ms;
    let breaks = web.config.breaks.iter();
    let breaks = breaks.filter_map(|rest| Some(BreakView { due_ms: began?.saturating_add(rest.after_ms), length_ms: rest.length_ms }));
    Ok(DayView {
        breaks: breaks.collect(),
        undisposed: undisposed?.into_iter().filter(|call| Some(*call) != working_on).collect(),
        control_calls: control?.len(),
        callbacks: callbacks?,
        day,
    })
}

/// The beginning of the city's day.
fn midnight(web: &Web, now: Time) -> Time {
    let at = i64::try_from(now.0).ok().and_then(DateTime::from_timestamp_millis).unwrap_or_default().with_timezone(&web.zone);
    let first = at.date_naive().and_time(NaiveTime::MIN).and_local_timezone(web.zone).earliest();
    first.map_or(now, |first| Time(first.timestamp_millis().unsigned_abs()))
}

/// Whether something was written of a call that is being written up. A database that is away holds nobody up.
pub(super) async fn is_disposed(web: &Web, call: CallId, limit: Duration) -> bool {
    let asked: Result<Result<bool, StoreError>, _> = tokio::time::timeout(limit, web.store.is_disposed(call)).await;
    !matches!(asked, Ok(Ok(false)))
}
