//! Does the wallboard tell what the definitions make of the facts? Its window is counted anew from all facts of the day, without minutes.

use std::collections::BTreeMap;

use cityline::centre::fact::{AgentStatus, Fact};
use cityline::centre::ids::{AgentId, CallId, QueueId};
use cityline::centre::time::Time;
use cityline::report::board::{Board, Targets, Waits};
use cityline::report::waits::{hundredths, occupancy};

use super::world::Record;

/// After so many records the board is looked at.
const EVERY: usize = 40;
const MINUTE_MS: u64 = 60_000;
/// The usual window.
const WINDOW_MINUTES: u64 = 30;

/// Figures of a window, counted anew.
#[derive(Default)]
struct Anew {
    entered: BTreeMap<QueueId, u64>,
    counts: BTreeMap<QueueId, Waits>,
    waiting: BTreeMap<CallId, (QueueId, Time)>,
    up: std::collections::BTreeSet<CallId>,
    states: BTreeMap<AgentId, (AgentStatus, Time)>,
    handling_ms: u64,
    idle_ms: u64,
}

/// Looks at the board of a day now and then.
pub fn judge(records: &[Record]) {
    let mut board = Board::new(Time(0));
    for (n, record) in records.iter().enumerate() {
        record.facts.iter().for_each(|fact| board.apply(record.time, fact));
        if n % EVERY == 0 || n + 1 == records.len() {
            compare(&board, &records[..=n], record.time);
        }
    }
}

fn compare(board: &Board, records: &[Record], now: Time) {
    let begins = Time((now.0 / MINUTE_MS + 1).saturating_sub(WINDOW_MINUTES) * MINUTE_MS);
    let mut anew = Anew::default();
    for record in records {
        record.facts.iter().for_each(|fact| anew.take(record.time, fact, begins));
    }
    let agents: Vec<AgentId> = anew.states.keys().cloned().collect();
    agents.iter().for_each(|agent| anew.state_ends(agent, now, begins));
    for (queue, since) in anew.waiting.values() {
        if now.ms_since(*since) > Targets::default().answer_ms {
            anew.counts.entry(queue.clone()).or_default().offered += 1;
        }
    }
    let view = board.view(now);
    for queue in &view.queues {
        assert_eq!(queue.window.counts, anew.counts.get(&queue.queue).copied().unwrap_or_default(), "{} at {now}", queue.queue);
        assert_eq!(queue.window.entered, anew.entered.get(&queue.queue).copied().unwrap_or_default(), "{} at {now}", queue.queue);
        let waiting = anew.waiting.values().filter(|(of, _)| *of == queue.queue).count();
        assert_eq!(queue.waiting, waiting, "{} at {now}", queue.queue);
        let longest = anew.waiting.values().filter(|(of, _)| *of == queue.queue).map(|(_, since)| since.0).min();
        assert_eq!(queue.longest_since_ms, longest, "{} at {now}", queue.queue);
    }
    assert_eq!(view.window.occupancy, hundredths(occupancy(anew.handling_ms, anew.idle_ms)), "at {now}");
}

impl Anew {
    fn take(&mut self, at: Time, fact: &Fact, begins: Time) {
        let counts = at >= begins;
        match fact {
            Fact::CallStarted { call, .. } | Fact::CalledOut { call, .. } => drop(self.up.insert(*call)),
            Fact::Enqueued { call, queue, .. } => {
                *self.entered.entry(queue.clone()).or_default() += u64::from(counts);
                if self.up.contains(call) {
                    self.waiting.insert(*call, (queue.clone(), at));
                }
            }
            Fact::Dequeued { call, queue, how, waited_ms } => {
                self.waiting.remove(call);
                if counts {
                    let usual = Targets::default();
                    let waits = self.counts.entry(queue.clone()).or_default();
                    waits.offered += 1;
                    waits.ended(*how, *waited_ms, usual.answer_ms, usual.short_ms);
                }
            }
            Fact::CallbackStands { call, .. } => drop(self.waiting.remove(call)),
            Fact::CallEnded { call, .. } => {
                self.waiting.remove(call);
                self.up.remove(call);
            }
            Fact::AgentChanged { agent, state } => {
                self.state_ends(agent, at, begins);
                self.states.insert(agent.clone(), (state.clone(), at));
            }
            _ => {}
        }
    }

    fn state_ends(&mut self, agent: &AgentId, at: Time, begins: Time) {
        let Some((state, since)) = self.states.get(agent) else { return };
        let ms = at.ms_since((*since).max(begins));
        match state {
            AgentStatus::Talking(_) | AgentStatus::WrapUp => self.handling_ms += ms,
            AgentStatus::Ready | AgentStatus::Offered(_) => self.idle_ms += ms,
            _ => {}
        }
    }
}
