//! Do close cases become one incident, and is everybody told of its end exactly once, on both databases?
#![allow(clippy::unwrap_used, clippy::expect_used)]

use cityline_bases::{Kind, on_both};

use super::tests::{MONDAY, city, new_case, words};
use crate::cases::event::{Author, What};
use crate::cases::ids::CaseNumber;
use crate::cases::incident_life::{Refusal, Texts, Wish, Works};
use crate::centre::fact::Fact;
use crate::centre::ids::{CallId, CallerRef, Language, NoticeId};
use crate::centre::time::Time;
use crate::store::statement::query;
use crate::store::tests::Folder;
use crate::store::{IncidentFilter, IncidentRow, Position, Projected, RegisterError, Sight, Store, VerifyError};

on_both!(
    close_cases_become_one_incident_and_everybody_is_told_once,
    what_was_dismissed_does_not_come_back,
    works_are_told_from_their_beginning_until_they_are_over,
    who_parts_from_an_incident_is_not_told_and_does_not_join_again,
    an_operator_takes_a_case_into_an_incident_once_while_it_is_not_over,
    late_cases_escalate_once_a_step_and_say_so_once,
);

const HOUR: u64 = 3_600_000;

fn supervisor() -> Author {
    Author::Supervisor { name: "dana".into() }
}

fn texts() -> Texts {
    Language::ALL.into_iter().map(|language| (language, format!("No heating in the north ({language})."))).collect()
}

fn confirm() -> Wish {
    Wish::Confirm { districts: None, owner: Some("heat".into()), repair_due: None, notice: texts() }
}

fn centre() -> Sight {
    Sight::centre(vec![])
}

/// `n` cases of as many callers, a minute apart.
async fn report(store: &Store, from: u64, n: u64) -> Vec<CaseNumber> {
    let mut numbers = Vec::new();
    for i in from..from + n {
        let mut case = new_case(i * 60_000, &format!("draft-{i}"));
        case.caller = CallerRef(1_000 + i);
        numbers.push(store.open_case(case).await.unwrap().number.parse().unwrap());
    }
    numbers
}

async fn listed(store: &Store) -> Vec<IncidentRow> {
    store.incidents(&IncidentFilter::default(), &centre()).await.unwrap()
}

async fn subscribe(store: &Store, position: u64, caller: u64) {
    let fact = Fact::Subscribed { call: CallId(position), caller: CallerRef(caller), notice: NoticeId::from("1"), language: Language::En };
    let record = Projected { position: Position(position), at: Time(MONDAY + HOUR), facts: vec![fact.clone(), fact] };
    store.project(&[record]).await.unwrap();
}

async fn close_cases_become_one_incident_and_everybody_is_told_once(kind: Kind) {
    let folder = Folder::new(kind, "incidents");
    let store = city(&folder).await;
    report(&store, 0, 4).await;
    assert_eq!(store.propose_incidents(Time(MONDAY + HOUR)).await.unwrap(), 0, "four are no incident");
    let mut police = new_case(0, "police");
    police.report.topic = "police/parking".into();
    store.open_case(police).await.unwrap();
    let numbers = report(&store, 4, 4).await;
    assert_eq!(store.propose_incidents(Time(MONDAY + HOUR)).await.unwrap(), 1);
    assert_eq!(store.propose_incidents(Time(MONDAY + HOUR)).await.unwrap(), 0, "nothing is new");
    let incident = listed(&store).await.remove(0);
    assert_eq!((incident.n, incident.state.as_str(), incident.topic.as_str(), incident.cases), (1, "proposed", "heating", 8));
    assert_eq!(store.link_cases(Time(MONDAY + HOUR)).await.unwrap(), 0, "a proposal says nothing in the cases yet");
    assert!(store.notices_in_force(Time(MONDAY + HOUR)).await.unwrap().is_empty());

    store.act_on_incident(1, &confirm(), supervisor(), None, Time(MONDAY + HOUR)).await.unwrap();
    assert_eq!(store.link_cases(Time(MONDAY + HOUR)).await.unwrap(), 8);
    let joined = report(&store, 8, 2).await;
    assert_eq!(store.propose_incidents(Time(MONDAY + HOUR)).await.unwrap(), 1);
    assert_eq!(store.link_cases(Time(MONDAY + HOUR)).await.unwrap(), 2);
    for number in [&numbers[0], &joined[1]] {
        let case = store.case(number).await.unwrap().unwrap();
        assert!(matches!(&case.history.last().unwrap().event.what, What::Linked { incident } if incident.as_str() == "1"));
        assert!(case.case.incidents.contains(&"1".into()));
    }
    assert_eq!(store.notices_in_force(Time(MONDAY + HOUR)).await.unwrap()[0].incident.wording, 1);

    // One who has a case subscribes too, and one who has none.
    subscribe(&store, 1, 1_003).await;
    subscribe(&store, 2, 7_777).await;
    let heat = || Author::Organisation { organisation: "heat".into(), name: "erlan".into() };
    let fix = |photo: &str| Wish::Fix { photos: vec![photo.to_owned()], owner: None };
    let unknown = fix(&"0".repeat(64));
    let refused = store.act_on_incident(1, &unknown, heat(), Some(&words("a main")), Time(MONDAY + 2 * HOUR)).await.unwrap_err();
    assert!(matches!(refused, RegisterError::Incident(Refusal::NoFile(_))), "{refused}");
    let photo = b"\xFF\xD8\xFF the burst main".to_vec();
    for by in [Author::Operator { name: "aigul".into() }, Author::Organisation { organisation: "police".into(), name: "x".into() }] {
        assert!(store.attach_to_incident(1, "image/jpeg", photo.clone(), (by, "x"), Time(MONDAY + HOUR)).await.is_err());
    }
    let mut hash = String::new();
    for _ in 0..2 {
        let added = store.attach_to_incident(1, "image/jpeg", photo.clone(), (heat(), "erlan"), Time(MONDAY + 2 * HOUR)).await.unwrap();
        hash = added.hash;
    }
    assert_eq!(store.incident_evidence(1, &hash).await.unwrap().unwrap().1.to_vec(), photo);
    let fix = fix(&hash);
    let refused = store.act_on_incident(1, &fix, supervisor(), Some(&words(" ")), Time(MONDAY + 2 * HOUR)).await.unwrap_err();
    assert!(matches!(refused, RegisterError::Incident(Refusal::Words(_))), "{refused}");
    let fixed = store.act_on_incident(1, &fix, heat(), Some(&words("a main had burst")), Time(MONDAY + 2 * HOUR)).await.unwrap();
    assert_eq!(fixed.state, "fixed");
    assert_eq!(store.calls_to_make().await.unwrap().len(), 11, "ten who reported and one who subscribed");
    subscribe(&store, 3, 8_888).await;
    for _ in 0..2 {
        store.tell_late(Time(MONDAY + 2 * HOUR)).await.unwrap();
        assert_eq!(store.calls_to_make().await.unwrap().len(), 12, "the late one too, and nobody twice");
    }
    let call = store.calls_to_make().await.unwrap().remove(0);
    assert!(call.text.contains("«Отопление»") && call.subject == "incident:1", "{call:?}");
    assert!(store.call_made(call.id, "aigul", Time(MONDAY + 3 * HOUR)).await.unwrap());
    assert!(!store.call_made(call.id, "aigul", Time(MONDAY + 3 * HOUR)).await.unwrap());
    store.tell_late(Time(MONDAY + 3 * HOUR)).await.unwrap();
    assert_eq!(store.calls_to_make().await.unwrap().len(), 11, "who was called is not called again");

    let report = store.incident(1, &centre()).await.unwrap().unwrap();
    assert_eq!((report.numbers.len(), report.subscribers, report.incident.photos.len()), (10, 3, 1));
    let told: Vec<&str> = report.history.iter().map(|entry| entry.event.what.word()).collect();
    assert_eq!(told, ["proposed", "confirmed", "grown", "attached", "fixed"]);
    assert_eq!(report.history[4].words.as_ref().unwrap().reveal(), "a main had burst");
    let of = |name: &str| Sight { organisation: Some(name.into()), groups: vec![] };
    assert!(store.incident(1, &of("heat")).await.unwrap().is_some() && store.incident(1, &of("police")).await.unwrap().is_none());
    assert_eq!(store.verify(&[]).await.unwrap().files, 1);
    let kept = folder.evidence().join(&hash[..2]).join(&hash);
    std::fs::write(&kept, "a nicer photo").unwrap();
    assert!(matches!(store.verify(&[]).await, Err(VerifyError::File { .. })), "another photo in its place");
    std::fs::remove_file(&kept).unwrap();
    assert!(matches!(store.verify(&[]).await, Err(VerifyError::File { .. })), "none");
    std::fs::write(&kept, &photo).unwrap();
    query("DELETE FROM attachments").execute(store.db.writer()).await.unwrap();
    assert!(matches!(store.verify(&[]).await, Err(VerifyError::File { .. })), "nobody knows that there was one");
}

async fn what_was_dismissed_does_not_come_back(kind: Kind) {
    let folder = Folder::new(kind, "incidents-dismissed");
    let store = city(&folder).await;
    report(&store, 0, 5).await;
    assert_eq!(store.propose_incidents(Time(MONDAY)).await.unwrap(), 1);
    store.act_on_incident(1, &Wish::Dismiss, supervisor(), Some(&words("a drill")), Time(MONDAY)).await.unwrap();
    report(&store, 5, 4).await;
    assert_eq!(store.propose_incidents(Time(MONDAY)).await.unwrap(), 0);
    report(&store, 9, 1).await;
    assert_eq!(store.propose_incidents(Time(MONDAY)).await.unwrap(), 1, "five others are another one");
    let cases: Vec<(i64, i64)> = listed(&store).await.iter().map(|row| (row.n, row.cases)).collect();
    assert_eq!(cases, [(2, 5), (1, 5)]);
    let missing = store.act_on_incident(9, &Wish::Dismiss, supervisor(), Some(&words("x")), Time(MONDAY)).await.unwrap_err();
    assert!(matches!(missing, RegisterError::NoIncident(9)), "{missing}");
    assert!(store.calls_to_make().await.unwrap().is_empty());
}

async fn works_are_told_from_their_beginning_until_they_are_over(kind: Kind) {
    let folder = Folder::new(kind, "works");
    let store = city(&folder).await;
    let works = Works {
        topic: "heating".into(),
        districts: vec!["south".into()],
        begins: Time(MONDAY + HOUR),
        ends: Time(MONDAY + 2 * HOUR),
        owner: None,
        notice: texts(),
    };
    let heat = || Author::Organisation { organisation: "heat".into(), name: "erlan".into() };
    let published = store.publish_works(&works, heat(), Some(&words("pressure test")), Time(MONDAY)).await.unwrap();
    assert_eq!((published.sort.as_str(), published.owner.as_deref()), ("works", Some("heat")));
    for (hours, told) in [(0, vec![]), (1, vec![false]), (2, vec![true])] {
        let in_force = store.notices_in_force(Time(MONDAY + hours * HOUR)).await.unwrap();
        assert_eq!(in_force.iter().map(|notice| notice.overruns).collect::<Vec<_>>(), told, "after {hours} h");
    }
    for (wrong, says) in [
        (Works { topic: "nothing".into(), ..works.clone() }, "nothing"),
        (Works { districts: vec!["nowhere".into()], ..works.clone() }, "nowhere"),
        (Works { ends: Time(MONDAY), ..works.clone() }, "ahead"),
    ] {
        let refused = store.publish_works(&wrong, heat(), None, Time(MONDAY)).await.unwrap_err().to_string();
        assert!(refused.contains(says), "{refused}");
    }
    let over = Wish::Fix { photos: vec![], owner: None };
    store.act_on_incident(1, &over, heat(), Some(&words("tested")), Time(MONDAY + 3 * HOUR)).await.unwrap();
    assert!(store.notices_in_force(Time(MONDAY + 3 * HOUR)).await.unwrap().is_empty());
    let by_operator = store.publish_works(&works, Author::Operator { name: "aigul".into() }, None, Time(MONDAY)).await;
    assert!(matches!(by_operator, Err(RegisterError::Incident(Refusal::Role { .. }))));
    store.verify(&[]).await.unwrap();
}

async fn who_parts_from_an_incident_is_not_told_and_does_not_join_again(kind: Kind) {
    let folder = Folder::new(kind, "incidents-parted");
    let store = city(&folder).await;
    let numbers = report(&store, 0, 8).await;
    let at = Time(MONDAY + HOUR);
    store.propose_incidents(at).await.unwrap();
    let part = |cases: &[CaseNumber]| Wish::Part { cases: cases.to_vec() };
    store.act_on_incident(1, &part(&numbers[..1]), supervisor(), Some(&words("a lift")), at).await.unwrap();
    store.act_on_incident(1, &confirm(), supervisor(), None, at).await.unwrap();
    assert_eq!(store.link_cases(at).await.unwrap(), 7);
    for wrong in [part(&[]), part(&numbers[..1]), part(&[numbers[1].clone(), numbers[1].clone()])] {
        assert!(store.act_on_incident(1, &wrong, supervisor(), Some(&words("a lift")), at).await.is_err());
    }
    let refused = store.act_on_incident(1, &part(&numbers[1..2]), supervisor(), None, at).await.unwrap_err();
    assert!(matches!(refused, RegisterError::Incident(Refusal::Words(_))), "{refused}");
    let parted = store.act_on_incident(1, &part(&numbers[1..3]), supervisor(), Some(&words("a lift")), at).await.unwrap();
    assert_eq!(parted.cases, 5);
    let case = store.case(&numbers[1]).await.unwrap().unwrap();
    assert!(case.case.incidents.is_empty() && matches!(case.history.last().unwrap().event.what, What::Unlinked { .. }));
    assert!(store.case(&numbers[0]).await.unwrap().unwrap().history.iter().all(|entry| entry.event.what.word() != "linked"));
    assert_eq!(store.propose_incidents(at).await.unwrap(), 0, "nobody joins what they have parted from");
    assert_eq!(store.link_cases(at).await.unwrap(), 0);
    assert_eq!(store.incident(1, &centre()).await.unwrap().unwrap().numbers.len(), 5);
    let fix = Wish::Fix { photos: vec![], owner: None };
    store.act_on_incident(1, &fix, supervisor(), Some(&words("a main had burst")), at).await.unwrap();
    assert_eq!(store.calls_to_make().await.unwrap().len(), 5);
    store.verify(&[]).await.unwrap();
}

async fn an_operator_takes_a_case_into_an_incident_once_while_it_is_not_over(kind: Kind) {
    let folder = Folder::new(kind, "incidents-joined");
    let store = city(&folder).await;
    let numbers = report(&store, 0, 5).await;
    let at = Time(MONDAY + HOUR);
    store.propose_incidents(at).await.unwrap();
    let [further, later] = <[CaseNumber; 2]>::try_from(report(&store, 8, 2).await).unwrap();
    let operator = Author::Operator { name: "aigul".into() };
    for _ in 0..2 {
        assert_eq!(store.join_incident(1, &further, &operator, at).await.unwrap().cases, 6);
    }
    assert_eq!(store.join_incident(1, &numbers[0], &operator, at).await.unwrap().cases, 6);
    assert!(matches!(store.join_incident(9, &further, &operator, at).await, Err(RegisterError::NoIncident(9))));
    let gone: CaseNumber = "109-2026-999999".parse().unwrap();
    assert!(matches!(store.join_incident(1, &gone, &operator, at).await, Err(RegisterError::Missing(_))));
    let part = Wish::Part { cases: vec![further.clone()] };
    store.act_on_incident(1, &part, supervisor(), Some(&words("a lift")), at).await.unwrap();
    let parted = store.join_incident(1, &further, &operator, at).await.unwrap_err();
    assert!(matches!(parted, RegisterError::Incident(Refusal::NoMember(_))), "{parted}");
    let refused = store.join_incident(1, &later, &Author::Resident, at).await.unwrap_err();
    assert!(matches!(refused, RegisterError::Incident(Refusal::Role { .. })), "{refused}");
    store.act_on_incident(1, &Wish::Dismiss, supervisor(), Some(&words("two faults")), at).await.unwrap();
    let over = store.join_incident(1, &later, &operator, at).await.unwrap_err();
    assert!(matches!(over, RegisterError::Incident(Refusal::State { .. })), "{over}");
    store.verify(&[]).await.unwrap();
}

async fn late_cases_escalate_once_a_step_and_say_so_once(kind: Kind) {
    let folder = Folder::new(kind, "escalation");
    let store = city(&folder).await;
    let mut heat = store.organisations().await.unwrap().remove(0).organisation;
    heat.webhook = Some("http://127.0.0.1:1/cases".into());
    store.put_organisation(&heat, Time(MONDAY + 1)).await.unwrap();
    let number = report(&store, 0, 1).await.remove(0);
    let due = |now: u64| {
        let store = store.clone();
        async move { store.messages_due(Time(MONDAY + now), 50).await.unwrap() }
    };
    let forwarded = due(0).await.remove(0);
    assert_eq!((forwarded.receiver.as_str(), forwarded.kind.as_str()), ("organisation:heat", "forwarded:new"));
    store.message_failed(forwarded.id, "refused", Some(Time(MONDAY + HOUR))).await.unwrap();
    assert!(due(HOUR - 1).await.is_empty() && due(HOUR).await[0].tries == 1);
    store.message_sent(forwarded.id, "webhook", Time(MONDAY + HOUR)).await.unwrap();
    assert_eq!(store.escalate(Time(MONDAY + 4 * HOUR - 1)).await.unwrap(), 0, "heating has four hours");
    assert_eq!(store.next_escalation().await.unwrap(), Some(Time(MONDAY + 4 * HOUR)));
    for _ in 0..2 {
        store.escalate(Time(MONDAY + 8 * HOUR)).await.unwrap();
        let told: Vec<String> = due(8 * HOUR).await.into_iter().map(|message| message.receiver).collect();
        assert_eq!(told, ["organisation:heat", "supervisors"], "both steps of the reaction, each once");
    }
    let case = store.case(&number).await.unwrap().unwrap();
    let taken = case.history.iter().filter(|entry| matches!(entry.event.what, What::Escalated { .. })).count();
    assert_eq!(taken, 2);
    store.verify(&[]).await.unwrap();
}
