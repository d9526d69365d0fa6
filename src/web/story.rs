//! What is known of a caller while the phone rings? Who they are, what is open and late, what goes on where they live.

use serde::Serialize;

use crate::centre::ids::{CallId, CallerRef};
use crate::centre::time::Time;
use crate::private::Private;
use crate::store::{Access, CallSketch, NearIncident, Note, ResidentSketch, Story};

use super::Web;
use super::case_view::CaseView;
use super::error::WebError;

/// What an operator sees of a resident. Personal data: only for the operator to whom the call is offered.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = Story)]
pub struct StoryView {
    /// The number, as it may be dialled; `null` when it is withheld.
    #[schema(value_type = Option<String>)]
    number: Option<Private<String>>,
    /// The name that the line gave.
    #[schema(value_type = Option<String>)]
    name: Option<Private<String>>,
    /// The last calls, newest first, five at most; the one that rings may be among them.
    calls: Vec<CallSketch>,
    /// Open cases, newest first, twenty at most, each with how late it is.
    cases: Vec<CaseView>,
    /// Callbacks owed.
    callbacks: i64,
    /// Those whose number it is, with what protects them; twenty at most.
    residents: Vec<ResidentSketch>,
    /// Incidents and works of now and the coming week in the districts where the caller has reported, and those of the whole city.
    near: Vec<NearIncident>,
    /// What operators have written of the number, the newest first, ten at most.
    notes: Vec<Note>,
    /// Until when the number is marked for abuse, in milliseconds since the epoch; `null` where it is not.
    abuse_until_ms: Option<u64>,
}

impl StoryView {
    fn of(story: Story, near: Vec<NearIncident>, now: Time) -> Self {
        let Story { number, name, calls, cases, callbacks, residents, notes, abuse_until_ms } = story;
        let cases = CaseView::of_all(cases, now);
        let abuse_until_ms = abuse_until_ms.map(i64::unsigned_abs).filter(|until| *until > now.0);
        Self { number, name, calls, cases, callbacks, residents, near, notes, abuse_until_ms }
    }
}

/// The story of a caller, after it was written down who opens it.
pub(super) async fn story(web: &Web, who: &str, call: CallId, caller: CallerRef) -> Result<StoryView, WebError> {
    let now = web.clock.now();
    web.store.log_access(now, who, Access::Story, &call.to_string()).await?;
    let (story, near) = tokio::join!(web.store.story(caller), web.store.near_caller(caller, now));
    Ok(StoryView::of(story?, near?, now))
}
