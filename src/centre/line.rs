//! Who stands before whom? All who wait, in each queue by seniority, and in lines of those who need the same.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::ids::{AgentId, CallId, QueueId};
use super::queue::Wait;
use super::skill::Needs;
use super::time::Time;

/// Since when a caller counts as waiting, in milliseconds since the epoch: the beginning of the wait less the credit.
///
/// With the call's number it is a total order that no time changes: nobody is overtaken by who came later by more than the
/// difference between the largest and the smallest credit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seniority(i64);

impl Seniority {
    /// Of a wait since `since` that counts as longer by `credit_ms`.
    pub fn of(since: Time, credit_ms: i64) -> Self {
        Self(i64::try_from(since.0).unwrap_or(i64::MAX).saturating_sub(credit_ms))
    }
}

/// Callers of one queue who need the same. Whoever may take one of them may take them all.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Line {
    /// The queue.
    pub queue: QueueId,
    /// What an operator must be able to do.
    pub needs: Needs,
}

type Standing = BTreeSet<(Seniority, CallId)>;

/// All who wait: in each queue by seniority, and by what they need, so that routing looks at the heads of the lines alone.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct Waiting {
    /// Everyone in the queue, those with a ringing offer included: this is the place that is told.
    places: BTreeMap<QueueId, Standing>,
    /// Those without an offer. Written as a list, because a line cannot be a key in JSON.
    #[serde(serialize_with = "as_list")]
    lines: BTreeMap<Line, Standing>,
    /// Who was offered the last call of a queue.
    turns: BTreeMap<QueueId, AgentId>,
}

/// As snapshots hold it.
#[derive(Deserialize)]
struct Stored {
    places: BTreeMap<QueueId, Standing>,
    lines: Vec<(StoredLine, Standing)>,
    #[serde(default)]
    turns: BTreeMap<QueueId, AgentId>,
}

/// Older snapshots know a line by what its callers need alone, over all queues.
#[derive(Deserialize)]
#[serde(untagged)]
enum StoredLine {
    OfQueue(Line),
    OverAll(Needs),
}

impl From<Stored> for Waiting {
    fn from(stored: Stored) -> Self {
        let Stored { places, lines: stored, turns } = stored;
        let mut lines: BTreeMap<Line, Standing> = BTreeMap::new();
        for (line, standing) in stored {
            match line {
                StoredLine::OfQueue(line) => lines.entry(line).or_default().extend(standing),
                StoredLine::OverAll(needs) => {
                    for (queue, place) in places.iter().flat_map(|(queue, all)| all.intersection(&standing).map(move |at| (queue, *at))) {
                        let line = Line { queue: queue.clone(), needs: needs.clone() };
                        lines.entry(line).or_default().insert(place);
                    }
                }
            }
        }
        Self { places, lines, turns }
    }
}

impl Waiting {
    /// A caller takes their place: by seniority, then by number, so that the order is total.
    pub fn enter(&mut self, call: CallId, wait: &Wait) {
        self.places.entry(wait.queue.clone()).or_default().insert((wait.seniority(), call));
        self.seek(call, wait);
    }

    /// The caller may be offered (again).
    pub fn seek(&mut self, call: CallId, wait: &Wait) {
        self.lines.entry(line_of(wait)).or_default().insert((wait.seniority(), call));
    }

    /// The caller is being offered: the place stays, nobody else gets the call. Whether they could have been offered.
    pub fn offered(&mut self, call: CallId, wait: &Wait) -> bool {
        let line = line_of(wait);
        let Some(standing) = self.lines.get_mut(&line) else { return false };
        let stood = standing.remove(&(wait.seniority(), call));
        if standing.is_empty() {
            self.lines.remove(&line);
        }
        stood
    }

    /// The caller leaves the queue.
    pub fn leave(&mut self, call: CallId, wait: &Wait) {
        self.offered(call, wait);
        if let Some(places) = self.places.get_mut(&wait.queue) {
            places.remove(&(wait.seniority(), call));
            if places.is_empty() {
                self.places.remove(&wait.queue);
            }
        }
    }

    /// The caller goes on waiting, in another line or at another place; who was not to be offered still is not.
    pub fn change(&mut self, call: CallId, before: &Wait, after: &Wait) {
        let stood = self.offered(call, before);
        self.leave(call, before);
        self.enter(call, after);
        if !stood {
            self.offered(call, after);
        }
    }

    /// How many are in the queue.
    pub fn length(&self, queue: &QueueId) -> usize {
        self.places.get(queue).map_or(0, BTreeSet::len)
    }

    /// The caller's place, 1 for the next.
    pub fn place(&self, call: CallId, wait: &Wait) -> u32 {
        let before = self.places.get(&wait.queue).map_or(0, |places| places.range(..(wait.seniority(), call)).count());
        u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// Whether anybody waits without an offer.
    pub fn is_anyone_seeking(&self) -> bool {
        !self.lines.is_empty()
    }

    /// The first of each line, the most senior first.
    pub fn heads(&self) -> Vec<(&Line, CallId)> {
        let mut heads: Vec<_> = self.lines.iter().filter_map(|(line, standing)| standing.first().map(|head| (*head, line))).collect();
        heads.sort_unstable_by_key(|(head, _)| *head);
        heads.into_iter().map(|((_, call), line)| (line, call)).collect()
    }

    /// This operator is offered a call of the queue.
    pub fn had_turn(&mut self, queue: &QueueId, agent: &AgentId) {
        self.turns.insert(queue.clone(), agent.clone());
    }

    /// Who was offered the last call of the queue.
    pub fn last_turn(&self, queue: &QueueId) -> Option<&AgentId> {
        self.turns.get(queue)
    }

    /// How many without an offer are before somebody with this wait, in each line.
    pub fn before(&self, call: CallId, wait: &Wait) -> impl Iterator<Item = (&Line, usize)> {
        let here = (wait.seniority(), call);
        self.lines.iter().map(move |(line, standing)| (line, standing.range(..here).count()))
    }
}

fn line_of(wait: &Wait) -> Line {
    Line { queue: wait.queue.clone(), needs: wait.needs.clone() }
}

fn as_list<S: serde::Serializer>(lines: &BTreeMap<Line, Standing>, out: S) -> Result<S::Ok, S::Error> {
    lines.iter().collect::<Vec<_>>().serialize(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::centre::ids::Language;

    #[test]
    fn a_snapshot_of_before_there_were_rings_finds_everybody_in_their_queues() {
        let text = r#"{"places":{"heating":[[1000,1],[2000,2]],"roads":[[1500,3]]},"lines":[[["heating","ru"],[[2000,2]]],[["ru"],[[1500,3]]]],"handling_ms":{}}"#;
        let waiting: Waiting = serde_json::from_str(text).unwrap();
        let wait = |queue: &str, since: u64, needs: &[&str]| Wait {
            queue: queue.into(),
            since: Time(since),
            before_ms: 0,
            needs: Needs::of(&needs.iter().map(|skill| (*skill).into()).collect(), 1),
            language: Language::Ru,
            ring: 0,
            credit_ms: 0,
        };
        let mut anew = Waiting::default();
        anew.enter(CallId(1), &wait("heating", 1_000, &["heating", "ru"]));
        anew.offered(CallId(1), &wait("heating", 1_000, &["heating", "ru"]));
        anew.enter(CallId(2), &wait("heating", 2_000, &["heating", "ru"]));
        anew.enter(CallId(3), &wait("roads", 1_500, &["ru"]));
        assert_eq!(waiting, anew);
        let again: Waiting = serde_json::from_str(&serde_json::to_string(&anew).unwrap()).unwrap();
        assert_eq!(again, anew);
    }
}
