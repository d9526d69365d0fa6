//! Who could have taken a call at each moment of its waiting? The journal knows: its records are run again, and each step is asked.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::JournalError;
use super::read::Lines;
use super::segment::{ReadLine, segments};
use crate::centre::Centre;
use crate::centre::explanation::Moment;
use crate::centre::fact::Fact;
use crate::centre::ids::CallId;

/// Moments of waiting that are told of one call, at most: where there were more, every other one is left out. Offers are told all.
const MOST: usize = 1_000;

/// What was found of every operator while the call waited, told at each change, and at each offer, in order. Empty where the journal does
/// not hold the call any more. It reads and runs those segments again in which the call was up: seconds each. Errors: a file cannot be read.
pub fn waits_of(folder: &Path, call: CallId) -> Result<Vec<Moment>, JournalError> {
    let all = segments(folder).map_err(|source| JournalError::Io { path: folder.to_owned(), source })?;
    // The last segment that begins before the call does; where none does, the oldest, if the call was up then or nothing is known of before.
    let from = match all.iter().rposition(|(_, path)| beginning(path, call) == Beginning::Before) {
        Some(from) => from,
        None if all.first().is_some_and(|(_, path)| beginning(path, call) == Beginning::Over) => return Ok(Vec::new()),
        None => 0,
    };
    let mut search = Search { call, centre: Centre::new(), seen: false, moments: Vec::new() };
    for (_, path) in all.iter().skip(from) {
        if search.read(path)? {
            break;
        }
    }
    Ok(search.moments)
}

/// How a segment begins, as a call sees it. Numbers of calls only rise.
#[derive(PartialEq, Eq)]
enum Beginning {
    /// Before the call came in.
    Before,
    /// While it is up.
    Up,
    /// It is over.
    Over,
    /// Without a snapshot that can be read.
    Unknown,
}

fn beginning(path: &Path, call: CallId) -> Beginning {
    match Lines::open(path).and_then(|mut lines| lines.next()) {
        Ok(Some(ReadLine::Snapshot { centre, .. })) => beginning_by(&centre, call),
        Ok(Some(ReadLine::Record(_)) | None) | Err(_) => Beginning::Unknown,
    }
}

fn beginning_by(snapshot: &Centre, call: CallId) -> Beginning {
    if snapshot.is_up(call) {
        Beginning::Up
    } else if snapshot.highest_call() < call {
        Beginning::Before
    } else {
        Beginning::Over
    }
}

struct Search {
    call: CallId,
    centre: Centre,
    seen: bool,
    moments: Vec<Moment>,
}

impl Search {
    /// Runs a segment again; whether the call is over, also where it never came in.
    fn read(&mut self, path: &Path) -> Result<bool, JournalError> {
        let mut lines = Lines::open(path)?;
        loop {
            match lines.next() {
                Ok(Some(ReadLine::Snapshot { centre, .. })) => {
                    self.centre = *centre;
                    if beginning_by(&self.centre, self.call) == Beginning::Over {
                        return Ok(true);
                    }
                }
                Ok(Some(ReadLine::Record(record))) => {
                    let step = AssertUnwindSafe(|| {
                        self.centre.handle(record.time, record.input.clone());
                        while self.centre.poll_output().is_some() {}
                        drop(self.centre.take_facts());
                    });
                    if catch_unwind(step).is_ok() && self.note(record.time.0, &record.facts) {
                        return Ok(true);
                    }
                }
                // What a damaged line told is lost; the rest still tells most of it.
                Err(JournalError::Damaged { .. }) => {}
                Ok(None) => return Ok(false),
                Err(other) => return Err(other),
            }
        }
    }

    /// What a step was for the call; whether it was its last.
    fn note(&mut self, at_ms: u64, facts: &[Fact]) -> bool {
        for fact in facts {
            match fact {
                Fact::Offered { call, agent, why, .. } if *call == self.call => {
                    self.moments.push(Moment { at_ms, offered_to: Some(agent.clone()), why: why.clone(), left_out: 0 });
                }
                Fact::CallEnded { call, .. } if *call == self.call => return true,
                _ => {}
            }
        }
        if let Some(why) = self.centre.explain_wait(self.call) {
            let is_new = self.moments.last().is_none_or(|last| last.offered_to.is_some() || last.why != why);
            if is_new {
                self.moments.push(Moment { at_ms, offered_to: None, why, left_out: 0 });
                thin_out(&mut self.moments, MOST);
            }
        }
        self.seen |= self.centre.is_up(self.call);
        self.seen && !self.centre.is_up(self.call)
    }
}

/// Leaves out every other moment of waiting where there are more than `most`, but the last. What follows says how many went.
fn thin_out(moments: &mut Vec<Moment>, most: usize) {
    let waiting = moments.iter().filter(|moment| moment.offered_to.is_none()).count();
    if waiting <= most {
        return;
    }
    let (mut left, mut goes, mut left_out) = (waiting, false, 0);
    moments.retain_mut(|moment| {
        if moment.offered_to.is_none() {
            left -= 1;
            goes = !goes && left > 0;
            if goes {
                left_out += 1 + moment.left_out;
                return false;
            }
        }
        moment.left_out += std::mem::take(&mut left_out);
        true
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::centre::explanation::{Explanation, Rule};

    #[test]
    fn what_is_left_out_is_counted_and_offers_stay() {
        let mut moments = Vec::new();
        for at_ms in 0..1_000 {
            let offered_to = (at_ms % 100 == 50).then(|| "aigul".into());
            moments.push(Moment { at_ms, offered_to, why: Explanation::default(), left_out: 0 });
            thin_out(&mut moments, 20);
        }
        let offers = moments.iter().filter(|moment| moment.offered_to.is_some()).count();
        assert_eq!((offers, moments.last().map(|last| last.at_ms)), (10, Some(999)));
        assert!(moments.len() <= 31, "{}", moments.len());
        assert_eq!(moments.iter().map(|moment| 1 + moment.left_out).sum::<u64>(), 1_000);
        assert!(moments.is_sorted_by_key(|moment| moment.at_ms));
        assert_eq!(moments[0].why.rule, Rule::default());
    }
}
