//! Do the properties hold that other systems' users missed? Each test reads what was told on the same random days, by its own lights.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use cityline::centre::Centre;
use cityline::centre::fact::{AgentStatus, Fact, OfferEnd, Party, QueueEnd};
use cityline::centre::ids::{AgentId, CallId, LegId, QueueId};
use cityline::centre::input::{FromDesk, FromLine, Input};
use cityline::centre::output::{Output, ToDesk};
use cityline::centre::settings::Device;
use cityline::centre::steer::Order;
use cityline::centre::surge::Mode;
use cityline::centre::time::Time;

use super::EVENTS;
use super::judge::judge;
use super::world::{Record, World};

const DAYS: std::ops::Range<u64> = 90_000..90_060;
/// Offers of these days ring for 20 s at most, and whoever says yes at the end has 5 s to be connected.
const LONGEST_OFFER_MS: u64 = 25_000;

fn days() -> &'static [Vec<Record>] {
    static LIVED: OnceLock<Vec<Vec<Record>>> = OnceLock::new();
    LIVED.get_or_init(|| {
        let day = |seed: u64| {
            let mut world = World::new(seed);
            world.live(EVENTS);
            world.records
        };
        DAYS.map(day).collect()
    })
}

/// Offers that ring before each record, by call: to whom, and since when.
fn with_offers(day: &[Record], mut look: impl FnMut(&Record, &BTreeMap<CallId, (AgentId, Time)>)) {
    let mut ringing = BTreeMap::new();
    for record in day {
        look(record, &ringing);
        for fact in &record.facts {
            match fact {
                Fact::Offered { call, agent, .. } => {
                    assert!(ringing.insert(*call, (agent.clone(), record.time)).is_none(), "{call} rings at two operators");
                }
                Fact::OfferEnded { call, .. } => drop(ringing.remove(call)),
                _ => {}
            }
        }
    }
    assert!(ringing.is_empty(), "left ringing: {ringing:?}");
}

/// FS#1062: an offer is a lease with a deadline.
#[test]
fn an_offer_is_a_lease_that_ends_in_its_time() {
    for day in days() {
        with_offers(day, |record, ringing| {
            let restarted = matches!(record.input, Input::Restarted { .. });
            for (call, (agent, since)) in ringing.iter().filter(|_| !restarted) {
                let ends = record.facts.iter().any(|fact| matches!(fact, Fact::OfferEnded { call: id, .. } if id == call));
                let age_ms = record.time.ms_since(*since);
                assert!(ends || age_ms <= LONGEST_OFFER_MS, "{call} rings at {agent} for {age_ms} ms");
            }
        });
    }
}

/// FS#2529, RU#217: a hang-up reaches an offer that rings, or is not sent yet.
#[test]
fn a_hang_up_ends_the_offer_in_the_same_step() {
    let mut seen = 0;
    for day in days() {
        with_offers(day, |record, ringing| {
            let Input::Line(FromLine::HungUp { leg: LegId { call, n: 0 }, .. }) = &record.input else { return };
            if ringing.contains_key(call) {
                let gone = |fact: &Fact| matches!(fact, Fact::OfferEnded { call: id, how, .. } if id == call && *how != OfferEnd::Answered);
                assert!(record.facts.iter().any(gone), "{call} goes on ringing");
                seen += 1;
            }
        });
    }
    assert!(seen > 10, "nobody hung up while it rang");
}

/// FS#2540, AST#176: the win and the release of every loser are one transition.
#[test]
fn one_phone_wins_and_all_others_are_released_in_the_same_step() {
    let mut wins = 0;
    for day in days() {
        let mut legs: BTreeMap<LegId, Party> = BTreeMap::new();
        for record in day {
            for fact in &record.facts {
                match fact {
                    Fact::LegStarted { leg, party } => drop(legs.insert(*leg, party.clone())),
                    Fact::LegEnded { leg, .. } => drop(legs.remove(leg)),
                    _ => {}
                }
            }
            for fact in &record.facts {
                let Fact::Connected { call, agent, .. } = fact else { continue };
                let theirs = legs.iter().filter(|(leg, party)| leg.call == *call && **party == Party::Agent(agent.clone())).count();
                assert_eq!(theirs, 1, "{agent} has {theirs} legs in {call} after the win");
                wins += 1;
            }
        }
    }
    assert!(wins > 50);
}

/// AST#1557: the win is committed when audio is connected; until then the caller keeps place and age.
#[test]
fn whoever_leaves_the_queue_as_answered_is_connected_in_that_step_with_the_age_of_the_wait() {
    for record in days().iter().flatten() {
        for fact in &record.facts {
            let Fact::Dequeued { call, queue, how: QueueEnd::Answered, waited_ms } = fact else { continue };
            let same = |fact: &Fact| matches!(fact, Fact::Connected { call: id, queue: of, waited_ms: ms, .. } if id == call && of == queue && ms == waited_ms);
            assert!(record.facts.iter().any(same), "{call} left {queue} as answered, and talks with nobody");
        }
    }
}

/// FS#1641, FS#1216, AST#1691: waiting caller and eligible free operator make an offer in the same step.
#[test]
fn nobody_waits_while_somebody_who_may_take_them_is_free() {
    let mut looked = 0;
    for day in days() {
        let mut centre = Centre::new();
        for record in day {
            centre.handle(record.time, record.input.clone());
            while centre.poll_output().is_some() {}
            drop(centre.take_facts());
            let up: BTreeSet<CallId> = centre.legs().into_iter().map(|leg| leg.call).collect();
            for why in
                up.into_iter().filter_map(|call| centre.explain_wait(call)).filter(|_| !matches!(record.input, Input::Restarted { .. }))
            {
                assert_eq!(judge(&why, None), Ok(()));
                looked += 1;
            }
        }
    }
    assert!(looked > 1_000, "hardly anybody waits on these days");
}

/// FS#800: every transition during an offer is defined.
#[test]
fn an_operator_leaves_an_offer_only_as_it_ends() {
    for day in days() {
        let mut states: BTreeMap<AgentId, AgentStatus> = BTreeMap::new();
        let mut queued: BTreeSet<(CallId, AgentId)> = BTreeSet::new();
        for record in day {
            for fact in &record.facts {
                match fact {
                    Fact::Offered { call, agent, .. } => drop(queued.insert((*call, agent.clone()))),
                    Fact::AgentChanged { agent, state } => {
                        if let Some(AgentStatus::Offered(call)) = states.insert(agent.clone(), state.clone())
                            && queued.remove(&(call, agent.clone()))
                        {
                            let ends =
                                |fact: &Fact| matches!(fact, Fact::OfferEnded { call: id, agent: of, .. } if *id == call && of == agent);
                            assert!(
                                record.facts.iter().any(ends),
                                "{agent} left the offer of {call} without its end, by {:?}",
                                record.input
                            );
                        }
                    }
                    _ => {}
                }
            }
        }
    }
}

/// AST#1736, AST#759: one stream of facts, from which every count derives: what begins ends once.
#[test]
fn every_call_wait_offer_and_leg_begins_and_ends_once() {
    for day in days() {
        let mut open: BTreeSet<String> = BTreeSet::new();
        for fact in day.iter().flat_map(|record| &record.facts) {
            let (name, begins) = match fact {
                Fact::CallStarted { call, .. } | Fact::CalledOut { call, .. } => (format!("{call}"), true),
                Fact::CallEnded { call, .. } => (format!("{call}"), false),
                Fact::Enqueued { call, queue, .. } => (format!("{call} in {queue}"), true),
                Fact::Dequeued { call, queue, .. } => (format!("{call} in {queue}"), false),
                Fact::Offered { call, agent, .. } => (format!("{call} at {agent}"), true),
                Fact::OfferEnded { call, agent, .. } => (format!("{call} at {agent}"), false),
                Fact::LegStarted { leg, .. } => (format!("{leg:?}"), true),
                Fact::LegEnded { leg, .. } => (format!("{leg:?}"), false),
                _ => continue,
            };
            let known = if begins { open.insert(name.clone()) } else { open.remove(&name) };
            assert!(known, "{name}: begins is {begins}, twice or from nothing");
        }
        assert!(open.is_empty(), "{open:?} never ended");
    }
}

/// FP#621, FP#525: a callback is a caller with a place of their own, and is owed once.
#[test]
fn a_callback_is_owed_once_and_with_the_age_of_the_wait() {
    for day in days() {
        let mut owed = BTreeSet::new();
        for record in day {
            for fact in &record.facts {
                let Fact::CallbackOwed { call, waiting_since_ms, .. } = fact else { continue };
                assert!(owed.insert(*call), "{call} is owed two callbacks");
                assert!(*waiting_since_ms <= record.time.0);
            }
        }
    }
}

/// zammad#2177: the pop goes to the offered operator alone.
#[test]
fn a_call_of_a_queue_is_shown_to_the_offered_operator_alone() {
    for day in days() {
        with_offers(day, |record, ringing| {
            let mut to: BTreeSet<(CallId, AgentId)> = ringing.iter().map(|(call, (agent, _))| (*call, agent.clone())).collect();
            to.extend(record.facts.iter().filter_map(|fact| match fact {
                Fact::Offered { call, agent, .. } => Some((*call, agent.clone())),
                _ => None,
            }));
            for output in &record.outputs {
                let Output::Desk(ToDesk::Offer { agent, offer }) = output else { continue };
                assert!(offer.from.is_some() || to.contains(&(offer.call, agent.clone())), "{agent} is shown {}", offer.call);
            }
        });
    }
}

/// AST#1006, AST#607: wrap-up belongs to the operator. Nothing but the operator, an order, or a new beginning ends it before its time, and
/// nothing but the operator puts it off.
#[test]
fn wrap_up_ends_in_its_time_or_by_its_operator() {
    let mut ended = 0;
    for day in days() {
        let mut until: BTreeMap<AgentId, Option<u64>> = BTreeMap::new();
        for record in day {
            for fact in &record.facts {
                match fact {
                    Fact::AgentChanged { agent, state: AgentStatus::WrapUp } => drop(until.insert(agent.clone(), None)),
                    Fact::AgentChanged { agent, state } => {
                        let Some(Some(ends)) = until.remove(agent) else { continue };
                        let frees = matches!(
                            state,
                            AgentStatus::Ready | AgentStatus::Paused(_) | AgentStatus::Offline | AgentStatus::NotResponding
                        );
                        ended += usize::from(frees);
                        let own = ends <= record.time.0 || is_about(&record.input, agent);
                        assert!(own || !frees, "{agent} is {state:?} {} ms before the end, by {:?}", ends - record.time.0, record.input);
                    }
                    Fact::StateEnds { agent, until_ms, .. } => {
                        let Some(known) = until.get_mut(agent) else { continue };
                        let own = matches!(&record.input, Input::Desk(input) if input.agent() == agent);
                        assert!(
                            known.is_none_or(|before| before >= *until_ms) || own,
                            "{agent}'s wrap-up is put off by {:?}",
                            record.input
                        );
                        *known = Some(*until_ms);
                    }
                    _ => {}
                }
            }
        }
    }
    assert!(ended > 100, "{ended}");
}

/// Whether an input may change what this operator does, whatever else it is about.
fn is_about(input: &Input, agent: &AgentId) -> bool {
    match input {
        Input::Desk(input) => input.agent() == agent,
        Input::Line(FromLine::PhoneCalled { from, to, .. }) => from == agent || to == agent,
        Input::Line(FromLine::Replacing { agent: of, .. }) => of == agent,
        Input::Steered(steered) => steered.order.target() == agent.as_str(),
        Input::SettingsChanged(_) | Input::Restarted { .. } => true,
        _ => false,
    }
}

/// AST#66: whoever was in a pause when the process ended is in it when it begins again, for the same reason.
#[test]
fn a_pause_and_its_reason_outlive_a_restart() {
    let mut paused = 0;
    for day in days() {
        let mut states: BTreeMap<AgentId, AgentStatus> = BTreeMap::new();
        for record in day {
            let before = states.clone();
            for fact in &record.facts {
                if let Fact::AgentChanged { agent, state } = fact {
                    states.insert(agent.clone(), state.clone());
                }
            }
            if !matches!(record.input, Input::Restarted { .. }) {
                continue;
            }
            for (agent, state) in before.iter().filter(|(_, state)| state.pause_reason().is_some()) {
                paused += 1;
                let now = &states[agent];
                assert!(now == state || *now == AgentStatus::Offline, "{agent} was {state:?} and is {now:?} after a restart");
            }
        }
    }
    assert!(paused > 1, "{paused}");
}

/// FS#1822, FU#1043: a queue that drains is closed when the last of those who wait has left, and not before; nobody comes back to it.
#[test]
fn a_queue_drains_and_is_closed_then() {
    let mut drained = 0;
    for day in days() {
        let mut waiting: BTreeMap<QueueId, BTreeSet<CallId>> = BTreeMap::new();
        let mut modes: BTreeMap<QueueId, Mode> = BTreeMap::new();
        for record in day {
            for fact in &record.facts {
                match fact {
                    Fact::Enqueued { call, queue, .. } => drop(waiting.entry(queue.clone()).or_default().insert(*call)),
                    Fact::Dequeued { call, queue, .. } => {
                        let stood = waiting.get_mut(queue).is_some_and(|calls| calls.remove(call));
                        assert!(stood, "{call} left {queue}, where it was not");
                    }
                    Fact::QueueModeChanged { queue, mode, .. } => {
                        let before = modes.insert(queue.clone(), *mode).unwrap_or_default();
                        let by_order = matches!(&record.input, Input::Steered(steered)
                            if matches!(&steered.order, Order::Mode { mode, .. } if *mode != Mode::Draining));
                        if before == Mode::Draining && *mode == Mode::Closed && !by_order {
                            drained += 1;
                            let left = waiting.get(queue).map_or(0, BTreeSet::len);
                            assert_eq!(left, 0, "{queue} is closed while {left} wait in it");
                        }
                    }
                    _ => {}
                }
            }
            for (queue, mode) in modes.iter().filter(|(_, mode)| **mode == Mode::Draining) {
                let left = waiting.get(queue).map_or(0, BTreeSet::len);
                assert!(left > 0, "{queue} has nobody left and is {mode:?} still");
            }
        }
    }
    assert!(drained > 2, "{drained}");
}

/// FU#2831: readiness is bound to a live device: whose phone has no registration left is not ready, and is offered nothing.
#[test]
fn whoever_has_no_phone_left_is_neither_ready_nor_offered_anything() {
    let mut lost = 0;
    for day in days() {
        let mut states: BTreeMap<AgentId, AgentStatus> = BTreeMap::new();
        let mut by_phone: BTreeSet<AgentId> = BTreeSet::new();
        let mut gone: BTreeSet<AgentId> = BTreeSet::new();
        for record in day {
            for fact in &record.facts {
                if let Fact::AgentChanged { agent, state } = fact {
                    states.insert(agent.clone(), state.clone());
                }
            }
            match &record.input {
                Input::SettingsChanged(settings) => {
                    let phones = settings.agents.iter().filter(|(_, known)| matches!(known.device, Device::Phone { .. }));
                    by_phone = phones.map(|(agent, _)| agent.clone()).collect();
                }
                Input::Desk(FromDesk::PhoneChanged { agent, contacts }) if by_phone.contains(agent) => {
                    lost += usize::from(contacts.is_empty() && gone.insert(agent.clone()));
                    if !contacts.is_empty() {
                        gone.remove(agent);
                    }
                }
                _ => {}
            }
            for agent in gone.intersection(&by_phone) {
                let state = states.get(agent).unwrap_or(&AgentStatus::Offline);
                let takes = matches!(state, AgentStatus::Ready | AgentStatus::Offered(_));
                assert!(!takes, "{agent} is {state:?} without a phone, after {:?}", record.input);
            }
        }
    }
    assert!(lost > 5, "{lost}");
}
