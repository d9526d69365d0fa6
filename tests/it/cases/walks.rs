//! Can a case go a way that it may not? Random walks of random people, beside a table of the transitions written another way.

use std::collections::BTreeSet;

use cityline::cases::case::{Case, State};
use cityline::cases::clocks::Which;
use cityline::cases::decide::{Report, Rules, Wish};
use cityline::cases::event::{Author, Channel, ControlOutcome, Event, Kind, What};
use cityline::cases::ids::OrganisationId;
use cityline::cases::terms::Priority;
use cityline::centre::time::Time;

use super::{DAY, HOUR, YEAR_2026, rules};
use crate::days::dice::Dice;

const MINUTE: u64 = 60_000;

/// From which state a wish leads to which; what is not here must be refused.
const WAYS: &[(&str, &str, &str)] = &[
    ("registered", "forward", "forwarded"),
    ("registered", "finish", "done"),
    ("forwarded", "forward", "forwarded"),
    ("forwarded", "accept", "accepted"),
    ("forwarded", "return", "registered"),
    ("forwarded", "start", "in_work"),
    ("forwarded", "finish", "done"),
    ("accepted", "forward", "forwarded"),
    ("accepted", "return", "registered"),
    ("accepted", "start", "in_work"),
    ("accepted", "finish", "done"),
    ("in_work", "forward", "forwarded"),
    ("in_work", "return", "registered"),
    ("in_work", "pause", "paused"),
    ("in_work", "finish", "done"),
    ("paused", "forward", "forwarded"),
    ("paused", "resume", "in_work"),
    ("paused", "finish", "done"),
    ("done", "confirm", "confirmed"),
    ("done", "close", "closed"),
    ("done", "control_call", "done"),
    ("done", "reopen", "reopened"),
    ("confirmed", "reopen", "reopened"),
    ("closed", "reopen", "reopened"),
    ("reopened", "forward", "forwarded"),
    ("reopened", "accept", "accepted"),
    ("reopened", "return", "registered"),
    ("reopened", "start", "in_work"),
    ("reopened", "finish", "done"),
];

const WISHES: [&str; 14] = [
    "forward",
    "accept",
    "return",
    "start",
    "pause",
    "resume",
    "finish",
    "confirm",
    "control_call",
    "close",
    "reopen",
    "note",
    "correct",
    "finish",
];

fn people() -> Vec<Author> {
    let name = || "somebody".to_owned();
    vec![
        Author::Resident,
        Author::Operator { name: name() },
        Author::Organisation { organisation: "heat".into(), name: name() },
        Author::Organisation { organisation: "roads".into(), name: name() },
        Author::Quality { name: name() },
        Author::Supervisor { name: name() },
        Author::Administrator { name: name() },
        Author::System { part: "clock".into() },
    ]
}

fn wish(name: &str, now: Time, dice: &mut Dice) -> Wish {
    match name {
        "forward" => {
            let organisation: OrganisationId = (*dice.pick(&["heat", "roads", "gone", "nobody"]).unwrap()).into();
            Wish::Forward { organisation }
        }
        "accept" => Wish::Accept,
        "return" => Wish::Return,
        "start" => Wish::Start,
        "pause" => {
            let rule = (*dice.pick(&["frost", "court", "laziness"]).unwrap()).into();
            Wish::Pause { rule, until: now.plus_ms(dice.below(6 * 24) * HOUR) }
        }
        "resume" => Wish::Resume,
        "finish" => Wish::Finish { photos: if dice.percent(30) { vec!["aa".repeat(32)] } else { Vec::new() } },
        "confirm" => Wish::Confirm { call: None },
        "control_call" => Wish::ControlCall { call: None, outcome: ControlOutcome::NoAnswer },
        "close" => Wish::Close,
        "reopen" => Wish::Reopen,
        "note" => Wish::Note,
        _ => Wish::Correct { kind: None, topic: dice.percent(80).then(|| "roads".into()), priority: None, district: None },
    }
}

fn registered(rules: &Rules, now: Time, dice: &mut Dice) -> Event {
    let report = Report {
        kind: Kind::Complaint,
        channel: Channel::Phone,
        topic: (*dice.pick(&["heating", "heating/flat", "roads"]).unwrap()).into(),
        priority: if dice.percent(20) { Priority::Urgent } else { Priority::Normal },
        district: None,
        call: None,
        proposed: dice.percent(70).then(|| "heat".into()),
    };
    Event { at: now, by: Author::Operator { name: "aigul".into() }, what: rules.register(report, now).unwrap() }
}

/// What must hold of a step that was allowed.
fn allowed(before: &Case, after: &Case, name: &str, by: &Author, words: bool, what: &What, now: Time) {
    let told = || format!("{name} by {} where it is {}: {what:?}", by.role(), before.state.word());
    let way = WAYS.iter().find(|(from, wish, _)| *from == before.state.word() && *wish == name);
    match name {
        "note" | "correct" => assert_eq!(after.state, before.state, "{}", told()),
        _ => assert_eq!(way.unwrap_or_else(|| panic!("{} is no way", told())).2, after.state.word(), "{}", told()),
    }
    let executor = matches!(by, Author::Organisation { organisation, .. } if before.organisation.as_ref() == Some(organisation));
    if matches!(by, Author::Organisation { .. }) {
        assert!(executor, "a stranger: {}", told());
    }
    if matches!(name, "accept" | "return" | "start") {
        assert!(executor, "{}", told());
    }
    if matches!(by, Author::Resident) {
        assert!(matches!(name, "confirm" | "reopen" | "note"), "{}", told());
    }
    assert!(!matches!(by, Author::Administrator { .. }), "who runs the server writes no history: {}", told());
    match what {
        What::Done { photos } => assert!(words || !photos.is_empty(), "no evidence: {}", told()),
        What::Forwarded { organisation, .. } => assert!(["heat", "roads"].contains(&organisation.as_str()), "{}", told()),
        What::Closed => {
            let State::Done { since } = before.state else { panic!("{}", told()) };
            assert!(now.ms_since(since) >= 7 * DAY && before.control_calls >= 2, "{}", told());
        }
        _ => {}
    }
    promises(before, after, what, now);
}

/// What a resident was promised is put off by a stated pause alone, and begun anew by a reopening alone.
fn promises(before: &Case, after: &Case, what: &What, now: Time) {
    let named = before.organisation.is_some() || before.proposed.is_some() || before.reopened > 0;
    let (old, new) = (before.clocks.resolution, after.clocks.resolution);
    match what {
        What::Paused { until, .. } => assert!(new.due >= old.due && *until > now),
        What::Reopened { .. } => assert!(new.kept.is_none() && new.due > now),
        What::Forwarded { .. } if !named => {}
        _ => assert!(new.due <= old.due, "put off from {} to {} by {what:?}", old.due, new.due),
    }
    if !matches!(what, What::Reopened { .. }) {
        assert!(old.kept.is_none() || new.kept == old.kept, "a kept promise stays kept");
    }
    let overdue = (new.kept.is_none() && now > new.due).then_some(Which::Resolution);
    let reaction = after.clocks.reaction;
    let expected = overdue.or((reaction.kept.is_none() && now > reaction.due).then_some(Which::Reaction));
    assert_eq!(after.overdue(now), expected);
}

#[test]
fn no_walk_leaves_the_ways_and_every_refusal_says_why() {
    let (rules, people) = (rules(), people());
    let (mut gone, mut refused) = (BTreeSet::new(), BTreeSet::new());
    for seed in 0..400 {
        let mut dice = Dice::new(seed);
        let mut now = Time(YEAR_2026 + dice.below(365 * 24 * 60) * MINUTE);
        let mut events = vec![registered(&rules, now, &mut dice)];
        let mut case = Case::of(&events[0]).unwrap();
        for _ in 0..150 {
            now = now.plus_ms(dice.below(36 * 60) * MINUTE);
            let name = *dice.pick(&WISHES).unwrap();
            let (wish, by, words) = (wish(name, now, &mut dice), dice.pick(&people).unwrap(), dice.percent(80));
            let before = case.clone();
            match rules.decide(&case, &wish, by, words, now) {
                Ok(what) => {
                    events.push(Event { at: now, by: by.clone(), what: what.clone() });
                    case.apply(events.last().unwrap()).unwrap();
                    allowed(&before, &case, name, by, words, &what, now);
                    gone.insert((before.state.word(), name, case.state.word()));
                }
                Err(refusal) => {
                    assert!(!refusal.to_string().is_empty() && !refusal.mend().is_empty());
                    refused.insert((before.state.word(), name));
                }
            }
        }
        assert_eq!(Case::fold(&events).unwrap(), Some(case), "the history alone makes the case");
    }
    let ways = gone.iter().filter(|(_, name, _)| !matches!(*name, "note" | "correct")).count();
    assert_eq!(ways, WAYS.len(), "every way was gone: {gone:?}");
    assert!(refused.len() > 80, "{}", refused.len());
}

/// Every state, every wish, every person: what the table of ways does not have is refused whoever asks.
#[test]
fn what_is_no_way_is_refused_to_everybody() {
    let rules = rules();
    let mut dice = Dice::new(1);
    let now = Time(YEAR_2026);
    let states = [
        State::Registered,
        State::Forwarded,
        State::Accepted,
        State::InWork,
        State::Paused { rule: "frost".into(), since: now, until: now.plus_ms(DAY) },
        State::Done { since: now },
        State::Confirmed,
        State::Closed,
        State::Reopened,
    ];
    let mut asked = 0;
    for state in states {
        for name in WISHES {
            let way = WAYS.iter().any(|(from, wish, _)| *from == state.word() && *wish == name);
            for by in people() {
                let mut case = Case::of(&registered(&rules, now, &mut dice)).unwrap();
                (case.state, case.organisation) = (state.clone(), Some("heat".into()));
                let decided = rules.decide(&case, &wish(name, now, &mut dice), &by, true, now.plus_ms(30 * DAY));
                assert!(way || matches!(name, "note" | "correct") || decided.is_err(), "{name} where it is {}: {decided:?}", state.word());
                asked += 1;
            }
        }
    }
    assert_eq!(asked, 9 * 14 * 8);
}

#[test]
fn a_pause_keeps_what_was_left_of_the_term_and_a_rule_is_used_up() {
    let rules = rules();
    // Monday, 2 March 2026, 09:00 in Kyiv (07:00 UTC).
    let start = Time(YEAR_2026 + 60 * DAY + 7 * HOUR);
    let report = Report { proposed: Some("heat".into()), ..report("heating") };
    let mut case = Case::of(&Event { at: start, by: people()[1].clone(), what: rules.register(report, start).unwrap() }).unwrap();
    let heat = people()[2].clone();
    let go = |case: &mut Case, wish: Wish, by: &Author, at: Time| {
        let what = rules.decide(case, &wish, by, true, at).unwrap();
        case.apply(&Event { at, by: by.clone(), what }).unwrap();
    };
    go(&mut case, Wish::Forward { organisation: "heat".into() }, &people()[1], start);
    assert_eq!(case.clocks.resolution.due, start.plus_ms(2 * DAY + 9 * HOUR), "24 hours of work: Wednesday 18:00");
    go(&mut case, Wish::Start, &heat, start);
    // Tuesday 09:00: 16 hours are left; they stand still until Thursday 09:00.
    let tuesday = start.plus_ms(DAY);
    go(&mut case, Wish::Pause { rule: "frost".into(), until: start.plus_ms(3 * DAY) }, &heat, tuesday);
    assert_eq!(case.clocks.resolution.due, start.plus_ms(4 * DAY + 9 * HOUR), "Friday 18:00");
    go(&mut case, Wish::Resume, &heat, start.plus_ms(2 * DAY));
    assert_eq!(case.clocks.resolution.due, start.plus_ms(3 * DAY + 9 * HOUR), "resumed a day before: Thursday 18:00");
    assert_eq!(case.paused_ms[&"frost".into()], DAY);
    let again = Wish::Pause { rule: "frost".into(), until: start.plus_ms(2 * DAY + 5 * DAY) };
    assert!(rules.decide(&case, &again, &heat, true, start.plus_ms(2 * DAY)).is_err(), "four of five days are left");
    let court = Wish::Pause { rule: "court".into(), until: start.plus_ms(4 * DAY) };
    assert!(rules.decide(&case, &court, &heat, true, start.plus_ms(2 * DAY)).is_err(), "not the organisation's rule");
}

fn report(topic: &str) -> Report {
    Report {
        kind: Kind::Complaint,
        channel: Channel::Phone,
        topic: topic.into(),
        priority: Priority::Normal,
        district: None,
        call: None,
        proposed: None,
    }
}
