//! Where can a caller get to? Every step is reached, every path has a way out, and who presses nothing ends at a human.

use std::collections::BTreeSet;

use super::Action;
use super::fault::Faults;
use super::read::{Draft, DraftStep};
use crate::centre::asking::CALLBACK_KEY;
use crate::centre::ids::StepId;

/// Notes every fault of the paths. Steps that could not be read are taken to be good: their own fault is noted already.
pub(super) fn check(draft: &Draft, faults: &mut Faults<'_>) {
    unreached(draft, faults);
    without_a_way_out(draft, faults);
    without_a_sound(draft, faults);
    without_a_human(draft, faults);
    callbacks_of_other_kinds(draft, faults);
}

/// "1" of who waits leads to a callback step, and means nothing else there.
fn callbacks_of_other_kinds(draft: &Draft, faults: &mut Faults<'_>) {
    let is_taken = draft.keys.keys().any(|key| key.key() == CALLBACK_KEY);
    for (id, step) in &draft.steps {
        let Some(Action::Queue { callback: Some(callback), .. }) = &step.action else { continue };
        let to = draft.steps.get(callback).and_then(|to| to.action.as_ref());
        if !matches!(to, Some(Action::Callback { .. }) | None) {
            let what = format!("callback of step \"{id}\" leads to step \"{callback}\", which is none");
            faults.add(step.at, what, "name a step of kind = \"callback\"");
        }
        if is_taken {
            let what = format!("key {CALLBACK_KEY} of the plan hides the callback of step \"{id}\"");
            faults.add(step.at, what, "take another key in [keys], or leave callback out");
        }
    }
}

/// Every step that the text leads to from here.
fn ways(step: &DraftStep) -> Vec<&StepId> {
    let own = match &step.action {
        None => step.names.iter().collect(),
        Some(Action::Play { next, .. } | Action::Language { next, .. }) => vec![next],
        Some(Action::Menu { keys, otherwise, .. }) => keys.values().chain([otherwise]).collect(),
        Some(Action::Hours { open, closed, .. }) => vec![open, closed],
        Some(Action::Queue { overflow, subscribed, callback, .. }) => overflow.iter().chain(subscribed).chain(callback).collect(),
        Some(Action::Callback { otherwise, .. }) => vec![otherwise],
        Some(Action::Dial { failed, .. }) => vec![failed],
        Some(Action::HangUp { .. }) => Vec::new(),
    };
    own.into_iter().chain(&step.closed).chain(&step.surge).collect()
}

/// The ways that are gone at once, without a sound and without a wait: a known caller's language is not asked for, a full queue does not take one.
fn ways_at_once(step: &DraftStep) -> Vec<&StepId> {
    let own = match &step.action {
        Some(Action::Hours { open, closed, .. }) => vec![open, closed],
        Some(Action::Queue { overflow, .. }) => overflow.iter().collect(),
        Some(Action::Language { next, .. }) => vec![next],
        Some(Action::Play { .. } | Action::Menu { .. } | Action::Dial { .. } | Action::Callback { .. } | Action::HangUp { .. }) | None => {
            Vec::new()
        }
    };
    // The way of a rush is gone once a call: it turns for ever with no other.
    own.into_iter().chain(&step.closed).collect()
}

/// Every step that can be reached in one or more moves; steps that do not exist are among them.
fn reach<'d>(draft: &'d Draft, from: Vec<&'d StepId>, moves: fn(&'d DraftStep) -> Vec<&'d StepId>) -> BTreeSet<&'d StepId> {
    let (mut reached, mut open) = (BTreeSet::new(), from);
    while let Some(id) = open.pop() {
        if reached.insert(id) {
            open.extend(draft.steps.get(id).map(moves).unwrap_or_default());
        }
    }
    reached
}

fn unreached(draft: &Draft, faults: &mut Faults<'_>) {
    let Some(start) = &draft.start else { return };
    if !draft.steps.contains_key(&start.value) {
        return;
    }
    let from = draft.keys.values().chain([&start.value]).collect();
    let reached = reach(draft, from, ways);
    for (id, step) in draft.steps.iter().filter(|(id, _)| !reached.contains(id)) {
        faults.add(step.at, format!("nothing leads to step \"{id}\""), "lead to it from a step or a key, or remove it");
    }
}

/// From every step a queue, a dialled party or a hang-up must be reachable by the plan's own ways, keys of the whole plan aside.
fn without_a_way_out(draft: &Draft, faults: &mut Faults<'_>) {
    let ends = |id: &StepId| match draft.steps.get(id).map(|step| &step.action) {
        Some(Some(Action::Queue { .. } | Action::Dial { .. } | Action::HangUp { .. })) | Some(None) | None => true,
        Some(Some(
            Action::Play { .. } | Action::Language { .. } | Action::Menu { .. } | Action::Hours { .. } | Action::Callback { .. },
        )) => false,
    };
    loops(
        draft,
        faults,
        ways,
        |circle| !circle.iter().any(|id| ends(id)),
        "has no way out",
        "lead from one of them to a queue, a dial or a hang_up",
    );
}

/// A circle that costs no time would turn for ever within one moment.
fn without_a_sound(draft: &Draft, faults: &mut Faults<'_>) {
    loops(draft, faults, ways_at_once, |_| true, "can turn without a sound", "put a play step between them, or lead elsewhere");
}

/// Notes each circle once, at its first step in the text. `bad` is asked about everything that can be reached from it.
fn loops<'d>(
    draft: &'d Draft,
    faults: &mut Faults<'_>,
    moves: fn(&'d DraftStep) -> Vec<&'d StepId>,
    bad: impl Fn(&BTreeSet<&'d StepId>) -> bool,
    what: &str,
    mend: &str,
) {
    let mut steps: Vec<(&StepId, &DraftStep)> = draft.steps.iter().collect();
    steps.sort_by_key(|(_, step)| step.at);
    let mut told = BTreeSet::new();
    for (id, step) in &steps {
        let onward = reach(draft, moves(step), moves);
        if told.contains(id) || !onward.contains(*id) || !bad(&onward) {
            continue;
        }
        let circle: Vec<&StepId> = steps
            .iter()
            .map(|(id, _)| *id)
            .filter(|other| onward.contains(other))
            .filter(|other| returns(draft, other, id, moves))
            .collect();
        let names: Vec<String> = circle.iter().map(|id| format!("\"{id}\"")).collect();
        faults.add(step.at, format!("the loop of {} {what}", names.join(", ")), mend);
        told.extend(circle);
    }
}

/// Whether a caller at `from` can get to `to`.
fn returns<'d>(draft: &'d Draft, from: &StepId, to: &StepId, moves: fn(&'d DraftStep) -> Vec<&'d StepId>) -> bool {
    draft.steps.get(from).is_some_and(|step| reach(draft, moves(step), moves).contains(to))
}

/// Who presses nothing, in opening hours, must end at a queue or at a dialled party, unless the number only tells something.
fn without_a_human(draft: &Draft, faults: &mut Faults<'_>) {
    if draft.announcement {
        return;
    }
    let Some(start) = &draft.start else { return };
    let (mut at, mut walked) = (&start.value, BTreeSet::new());
    while let Some(step) = draft.steps.get(at) {
        let end = match &step.action {
            Some(Action::Play { repeat: false, next, .. } | Action::Language { next, .. }) => Ok(next),
            Some(Action::Menu { otherwise, .. } | Action::Callback { otherwise, .. }) => Ok(otherwise),
            Some(Action::Hours { open, .. }) => Ok(open),
            Some(Action::Play { repeat: true, .. }) => Err("repeats for ever"),
            Some(Action::HangUp { .. }) => Err("hangs up"),
            Some(Action::Queue { .. } | Action::Dial { .. }) | None => return,
        };
        let next = if walked.insert(at) { end } else { Err("is walked again and again") };
        match next {
            Ok(next) => at = next,
            Err(how) => {
                let what = format!("a caller who presses nothing ends at step \"{at}\", which {how}");
                return faults.add(step.at, what, "let the way without keys lead to a queue");
            }
        }
    }
}
