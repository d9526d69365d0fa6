//! What does somebody at a desk want of a live call? Names and typed numbers become what the core knows, or a word why not.

use std::sync::atomic::Ordering;

use crate::centre::ids::{AgentId, CallId, CallTo, NumberId, QueueId};
use crate::centre::input::{Digit, FromDesk};
use crate::private::Private;
use crate::store::Role;

use super::Web;
use super::messages::Whom;

/// Why a wish goes no further than the desk.
pub(super) struct Unfit {
    pub what: &'static str,
    pub mend: &'static str,
}

const NO_NUMBER: Unfit = Unfit { what: "that is no phone number", mend: "Type 2 to 20 digits, with a + in front where it needs one." };

/// Keys that wait at a far end, at most.
const MOST_DIGITS: usize = 32;

/// The keys of a text.
pub(super) fn digits(text: &str) -> Result<Vec<Digit>, Unfit> {
    let keys: Option<Vec<Digit>> = text.chars().take(MOST_DIGITS + 1).map(Digit::new).collect();
    let fits = keys.filter(|keys| (1..=MOST_DIGITS).contains(&keys.len()));
    fits.ok_or(Unfit { what: "these are no keys of a phone", mend: "Give 1 to 32 of 0–9, *, #, A–D." })
}

/// Whom the core shall take the call to. A number stays with the shells; the core gets its reference.
pub(super) fn whom(web: &Web, whom: Whom) -> Result<CallTo, Unfit> {
    match whom {
        Whom::Queue(queue) => Ok(CallTo::Queue(queue)),
        Whom::Operator(operator) => Ok(CallTo::Agent(operator)),
        Whom::Service(name) => Ok(CallTo::Service(name)),
        Whom::Number(number) => web.numbers.put(number.reveal()).map(CallTo::Outside).ok_or(NO_NUMBER),
    }
}

/// A call to a resident, with a number of its own.
pub(super) fn call_out(
    web: &Web,
    agent: AgentId,
    number: &Private<String>,
    queue: Option<QueueId>,
    shown: Option<NumberId>,
) -> Result<FromDesk, Unfit> {
    let to = web.numbers.put(number.reveal()).ok_or(NO_NUMBER)?;
    let call = CallId(web.next_call.fetch_add(1, Ordering::Relaxed));
    Ok(FromDesk::CallOut { agent, call, to, queue, shown })
}

/// For how long a number may be marked.
pub(super) fn days_marked(days: u8) -> Result<u8, Unfit> {
    let fits = (1..=90).contains(&days);
    fits.then_some(days).ok_or(Unfit { what: "a number is marked for 1 to 90 days", mend: "Say for how many days." })
}

/// The longest form that is kept, in bytes of JSON.
const LONGEST_DRAFT: usize = 32 * 1024;

/// Whether a form can be kept under this name.
pub(super) fn draft(name: &str, content: &str) -> Result<(), Unfit> {
    if name.trim().is_empty() || name.chars().count() > 100 {
        return Err(Unfit { what: "the form has no name, or one of more than 100 characters", mend: "Load the page again." });
    }
    let fits = content.len() <= LONGEST_DRAFT;
    fits.then_some(()).ok_or(Unfit { what: "the form is longer than 32 KB", mend: "Shorten it; it is not kept." })
}

/// Who may listen to others' talks.
pub(super) fn may_supervise(role: Role) -> Result<(), Unfit> {
    match role {
        Role::Supervisor => Ok(()),
        Role::Operator | Role::Quality | Role::Administrator | Role::Organisation | Role::City | Role::Resident => {
            Err(Unfit { what: "only a supervisor may listen to a talk", mend: "Ask your supervisor." })
        }
    }
}

/// The longest reason of a supervisor, in characters.
const LONGEST_REASON: usize = 200;

/// Why a supervisor comes to a talk.
pub(super) fn reason(text: &str) -> Result<(), Unfit> {
    let fits = !text.trim().is_empty() && text.chars().count() <= LONGEST_REASON;
    fits.then_some(()).ok_or(Unfit { what: "there is no reason, or one of more than 200 characters", mend: "Say in a few words why." })
}

/// Keeps the number of a resident who is called, so that their story is found. A database that is away loses it, and says so.
pub(super) async fn remember(web: &Web, number: &Private<String>) {
    let seen = web.numbers.seen(number.reveal(), web.clock.now());
    if let Some(seen) = seen
        && let Err(error) = web.store.remember_callers(&[seen]).await
    {
        tracing::warn!(%error, "the number of a resident who was called is not kept: the database does not answer");
    }
}
