//! May an incident go where its events lead, by whom, and is it told for as long as it lasts?
#![allow(clippy::unwrap_used)]
use super::*;

const NOW: Time = Time(1_000_000);

fn texts() -> Texts {
    Language::ALL.into_iter().map(|language| (language, format!("no heating in the north ({language})"))).collect()
}

fn supervisor() -> Author {
    Author::Supervisor { name: "dana".into() }
}

fn of(organisation: &str) -> Author {
    Author::Organisation { organisation: organisation.into(), name: "erlan".into() }
}

fn proposed() -> Incident {
    let cases = (1..=5).map(|n| CaseNumber { service: "109".into(), year: 2026, n }).collect();
    let what = What::Proposed { topic: "heating".into(), districts: vec!["north".into()], since: Time(1), cases };
    Incident::of(&Happened { at: NOW, by: Author::System { part: "incidents".into() }, what }).unwrap()
}

fn confirm() -> Wish {
    Wish::Confirm { districts: None, owner: Some("heat".into()), repair_due: Some(NOW.plus_ms(5)), notice: texts() }
}

fn after(mut incident: Incident, wish: &Wish, by: Author) -> Incident {
    let what = incident.decide(wish, &by, true, NOW).unwrap();
    incident.apply(&Happened { at: NOW, by, what }).unwrap();
    incident
}

#[test]
fn an_incident_is_confirmed_told_reworded_by_its_owner_and_fixed() {
    let incident = after(proposed(), &confirm(), supervisor());
    assert!(incident.is_told(NOW) && incident.wording == 1 && incident.cases == 5);
    let incident = after(incident, &Wish::Reword { repair_due: None, notice: texts() }, of("heat"));
    assert_eq!((incident.wording, incident.repair_due), (2, None));
    let fix = Wish::Fix { photos: vec!["a".repeat(64)], owner: None };
    assert_eq!(incident.decide(&fix, &of("roads"), true, NOW), Err(Refusal::Role { role: "organisation" }));
    assert_eq!(incident.decide(&fix, &of("heat"), false, NOW), Err(Refusal::Words("the cause")));
    let fixed = after(incident, &fix, of("heat"));
    assert_eq!((fixed.state, fixed.ended, fixed.is_told(NOW)), (State::Fixed, Some(NOW), false));
    let again = fixed.decide(&fix, &supervisor(), true, NOW);
    assert_eq!(again, Err(Refusal::State { state: "fixed", event: "fixed" }));
}

#[test]
fn what_is_missing_or_wrong_is_refused_with_its_name() {
    let incident = proposed();
    let with = |notice: Texts| Wish::Confirm { districts: None, owner: None, repair_due: None, notice };
    let mut three = texts();
    three.remove(&Language::Uk);
    assert_eq!(incident.decide(&with(three), &supervisor(), false, NOW), Err(Refusal::NoText(Language::Uk)));
    let mut long = texts();
    long.insert(Language::En, "x".repeat(601));
    assert!(matches!(incident.decide(&with(long), &supervisor(), false, NOW), Err(Refusal::LongText { length: 601, .. })));
    let past = Wish::Confirm { districts: None, owner: None, repair_due: Some(NOW), notice: texts() };
    assert_eq!(incident.decide(&past, &supervisor(), false, NOW), Err(Refusal::Moment(NOW)));
    assert_eq!(incident.decide(&Wish::Dismiss, &supervisor(), false, NOW), Err(Refusal::Words("the reason")));
    let operator = Author::Operator { name: "aigul".into() };
    assert_eq!(incident.decide(&confirm(), &operator, true, NOW), Err(Refusal::Role { role: "operator" }));
    let photo = Wish::Fix { photos: vec!["photo.jpg".into()], owner: None };
    let confirmed = after(incident, &confirm(), supervisor());
    assert_eq!(confirmed.decide(&photo, &supervisor(), true, NOW), Err(Refusal::Photo("photo.jpg".into())));
}

#[test]
fn works_are_told_from_their_beginning_until_they_are_over() {
    let works = |begins, ends| Works {
        topic: "water".into(),
        districts: vec![],
        begins: Time(begins),
        ends: Time(ends),
        owner: Some("roads".into()),
        notice: texts(),
    };
    assert_eq!(works(5, 5).publish(&of("water"), Time(1)), Err(Refusal::Moment(Time(5))));
    let what = works(100, 200).publish(&of("water"), Time(1)).unwrap();
    let incident = Incident::of(&Happened { at: Time(1), by: of("water"), what }).unwrap();
    assert_eq!(incident.owner, Some("water".into()), "nobody publishes in another's name");
    assert_eq!([99, 100, 199, 200].map(|ms| incident.is_told(Time(ms))), [false, true, true, true]);
    assert_eq!([100, 199, 200].map(|ms| incident.overruns(Time(ms))), [false, false, true]);
    let fix = Wish::Fix { photos: vec![], owner: None };
    assert!(!after(incident, &fix, of("water")).is_told(Time(300)), "until they are over");
}

#[test]
fn every_walk_of_events_is_folded_or_refused() {
    let all = [
        What::Confirmed { districts: vec![], owner: None, repair_due: None, notice: texts() },
        What::Reworded { repair_due: None, notice: texts() },
        What::Grown { cases: vec![] },
        What::Parted { cases: vec![] },
        What::Dismissed,
        What::Fixed { photos: vec![], owner: None },
    ];
    let mut open = vec![(proposed(), 0)];
    let mut ends = std::collections::BTreeSet::new();
    while let Some((incident, depth)) = open.pop() {
        for what in all.iter().filter(|_| depth < 4) {
            let mut next = incident.clone();
            let event = Happened { at: NOW, by: supervisor(), what: what.clone() };
            match next.apply(&event) {
                Ok(()) => open.push((next, depth + 1)),
                Err(_) => assert_eq!(next, incident, "a refused event changes nothing"),
            }
        }
        if !incident.state.is_live() {
            ends.insert(incident.state);
            assert!(all.iter().all(|what| !may_follow(incident.state, what)), "nothing follows an end");
        }
    }
    assert_eq!(ends, [State::Dismissed, State::Fixed].into());
}
