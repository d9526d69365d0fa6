//! Is the history whole, gapless and unalterable, on both databases?
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;

use cityline_bases::{Kind, on_both};

use super::*;
use crate::caller::CallerSeen;
use crate::cases::assignment::Place;
use crate::cases::chain::{Break, Digest, Link, Seal};
use crate::cases::decide::{Report, Wish};
use crate::cases::event::{Author, Channel, What};
use crate::cases::terms::Priority;
use crate::centre::ids::{CallerRef, NumberId};
use crate::centre::time::Time;
use crate::private::Private;
use crate::store::statement::{query, query_made};
use crate::store::tests::Folder;
use crate::store::{CaseFilter, Sight, Store};

on_both!(
    numbers_have_no_gaps_under_fifty_writers,
    a_case_goes_its_way_and_its_history_verifies,
    raw_statements_against_the_history_are_refused,
    what_a_superuser_alters_is_found,
    a_chain_that_was_computed_anew_is_found_against_a_seal,
    words_go_by_law_and_the_chain_stays_whole,
    an_organisation_sees_its_own_cases_and_restricted_topics_their_group,
    rules_change_by_revision_and_no_revision_overwrites_another,
    photos_are_evidence_in_the_history_and_go_with_an_erasure,
    a_resident_has_numbers_and_cases_until_they_are_forgotten,
);

const DAY: u64 = 24 * 3_600_000;
/// Monday, 2 March 2026, 07:00 UTC.
pub(super) const MONDAY: u64 = 1_772_434_800_000;

pub(super) fn new_case(n: u64, draft: &str) -> NewCase {
    NewCase {
        service: NumberId::from("109"),
        year: 2026,
        report: Report {
            kind: crate::cases::event::Kind::Complaint,
            channel: Channel::Phone,
            topic: "heating/no-heating".into(),
            priority: Priority::Normal,
            district: Some("north".into()),
            call: None,
            proposed: None,
        },
        caller: CallerRef(3),
        resident: None,
        place: Place { district: Some("north".into()), ..Place::default() },
        at_degrees: None,
        words: ReportWords { text: Private::new(format!("cold flat {n}")), ..ReportWords::default() },
        by: operator(),
        by_name: "aigul".into(),
        draft: draft.into(),
        at: Time(MONDAY + n),
    }
}

fn operator() -> Author {
    Author::Operator { name: "aigul".into() }
}

fn executor() -> Author {
    Author::Organisation { organisation: "heat".into(), name: "dana".into() }
}

pub(super) fn words(text: &str) -> Private<String> {
    Private::new(text.into())
}

pub(super) async fn city(folder: &Folder) -> Store {
    let store = folder.open().await.unwrap();
    let heat = Organisation {
        id: "heat".into(),
        name: "Heat networks".into(),
        calendar: "office".into(),
        head: None,
        email: None,
        phone: None,
        webhook: None,
        active: true,
    };
    store.put_organisation(&heat, Time(MONDAY)).await.unwrap();
    store.put_organisation(&Organisation { id: "police".into(), name: "Police".into(), ..heat }, Time(MONDAY)).await.unwrap();
    let route = |topic: &str, organisation: &str| Route {
        topic: Some(topic.into()),
        district: None,
        street: None,
        building: None,
        organisation: organisation.into(),
    };
    store.put_routes(&[route("heating", "heat"), route("police", "police")], None).await.unwrap();
    store
}

async fn sealed(store: &Store) -> Seal {
    let seal = store.head_to_seal(Time(MONDAY)).await.unwrap().unwrap();
    store.keep_seal(&seal, &["seals-mail"]).await.unwrap();
    seal
}

async fn numbers_have_no_gaps_under_fifty_writers(kind: Kind) {
    let folder = Folder::new(kind, "register-writers");
    let store = city(&folder).await;
    let writers = (0..50).map(|n| {
        let store = store.clone();
        tokio::spawn(async move { store.open_case(new_case(n, &format!("draft-{}", n / 2))).await.unwrap().number })
    });
    let mut numbers = BTreeSet::new();
    for writer in writers {
        numbers.insert(writer.await.unwrap());
    }
    let expected: BTreeSet<String> = (1..=25).map(|n| format!("109-2026-{n:06}")).collect();
    assert_eq!(numbers, expected, "fifty requests of twenty-five forms");
    assert_eq!(store.known(CallerRef(3), crate::centre::ids::CallId(u32::MAX.into()), Time(0)).await.unwrap().open_cases, 25);
    let late = store.known(CallerRef(3), crate::centre::ids::CallId(1), Time(MONDAY + 365 * 24 * 3_600_000)).await.unwrap();
    assert_eq!((late.open_cases, late.overdue_cases), (25, 25));
    let found = store.verify(&[]).await.unwrap();
    assert_eq!((found.events, found.cases), (50, 25), "each registered and forwarded");
}

async fn a_case_goes_its_way_and_its_history_verifies(kind: Kind) {
    let folder = Folder::new(kind, "register-way");
    let store = city(&folder).await;
    let row = store.open_case(new_case(0, "one")).await.unwrap();
    assert_eq!((row.state.as_str(), row.organisation.as_deref()), ("forwarded", Some("heat")));
    assert_eq!(row.reaction_due_ms, (MONDAY + 4 * 3_600_000).cast_signed(), "four hours for heating");
    let number: CaseNumber = row.number.parse().unwrap();
    let later = |hours: u64| Time(MONDAY + hours * 3_600_000);
    let refused = store.act(&number, &Wish::Accept, operator(), None, later(1)).await.unwrap_err();
    assert!(matches!(refused, RegisterError::Refused(_)), "{refused}");
    store.act(&number, &Wish::Accept, executor(), None, later(1)).await.unwrap();
    store.act(&number, &Wish::Start, executor(), None, later(2)).await.unwrap();
    let no_evidence = store.act(&number, &Wish::Finish { photos: vec![] }, executor(), Some(&words("  ")), later(3)).await;
    assert!(no_evidence.is_err(), "blanks are no evidence");
    store.act(&number, &Wish::Finish { photos: vec![] }, executor(), Some(&words("valve replaced")), later(3)).await.unwrap();
    let row = store.act(&number, &Wish::Confirm { call: None }, operator(), None, later(30)).await.unwrap();
    assert_eq!((row.state.as_str(), row.resolution_kept_ms), ("confirmed", Some(later(3).0.cast_signed())));
    let detail = store.case(&number).await.unwrap().unwrap();
    let told: Vec<&str> = detail.history.iter().map(|entry| entry.event.what.word()).collect();
    assert_eq!(told, ["registered", "forwarded", "accepted", "started", "done", "confirmed"]);
    assert_eq!(detail.history[4].words.as_ref().unwrap().reveal(), "valve replaced");
    assert_eq!(detail.row, row);
    let seal = sealed(&store).await;
    assert_eq!(store.head_to_seal(later(32)).await.unwrap(), None, "nothing was added");
    let found = store.verify(&[seal]).await.unwrap();
    assert_eq!((found.events, found.words, found.cases, found.seals, found.head), (6, 2, 1, 2, seal.head));
}

async fn photos_are_evidence_in_the_history_and_go_with_an_erasure(kind: Kind) {
    let folder = Folder::new(kind, "register-photos");
    let store = city(&folder).await;
    let mut numbers = Vec::new();
    for draft in ["one", "two"] {
        numbers.push(store.open_case(new_case(0, draft)).await.unwrap().number.parse::<CaseNumber>().unwrap());
    }
    let file = b"\xFF\xD8\xFF a photo".to_vec();
    let mut hash = String::new();
    for number in numbers.iter().chain([&numbers[0]]) {
        let added = store.attach(number, "image/jpeg", file.clone(), (executor(), "dana"), Time(MONDAY + 1)).await.unwrap();
        hash = added.hash;
    }
    let told = store.case(&numbers[0]).await.unwrap().unwrap().history;
    let attached = |entry: &&HistoryEntry| matches!(&entry.event.what, What::Attached { file, bytes: 11, .. } if *file == hash);
    assert_eq!(told.iter().filter(attached).count(), 1, "the same file again is the same one");
    let stranger = Author::Organisation { organisation: "police".into(), name: "x".into() };
    assert!(store.attach(&numbers[0], "image/jpeg", vec![1], (stranger, "x"), Time(MONDAY)).await.is_err());
    let finish = |photo: &str| Wish::Finish { photos: vec![photo.to_owned()] };
    let unknown = store.act(&numbers[0], &finish(&"0".repeat(64)), executor(), None, Time(MONDAY + 2)).await.unwrap_err();
    assert!(matches!(unknown, RegisterError::Refused(Refusal::NoFile(_))), "{unknown}");
    assert_eq!(store.act(&numbers[0], &finish(&hash), executor(), None, Time(MONDAY + 2)).await.unwrap().state, "done");
    assert_eq!(store.attachments(&numbers[0]).await.unwrap().len(), 1);
    let root = || Author::Administrator { name: "root".into() };
    for (n, number) in numbers.iter().enumerate() {
        let (media, bytes) = store.evidence(number, &hash).await.unwrap().unwrap();
        assert_eq!((media.as_str(), bytes.to_vec()), ("image/jpeg", file.clone()), "the other's erasure leaves it");
        store.erase_case(number, root(), &words("Article 17"), Time(MONDAY + 3)).await.unwrap();
        assert!(store.evidence(number, &hash).await.unwrap().is_none() && store.attachments(number).await.unwrap().is_empty());
        assert_eq!(folder.evidence().join(&hash[..2]).join(&hash).exists(), n == 0, "gone with the last case that has it");
    }
    store.verify(&[]).await.unwrap();
    assert!(matches!(store.attach(&numbers[0], "x", file.clone(), (root(), "root"), Time(MONDAY)).await, Err(RegisterError::Refused(_))));
}

async fn a_resident_has_numbers_and_cases_until_they_are_forgotten(kind: Kind) {
    let folder = Folder::new(kind, "register-residents");
    let store = city(&folder).await;
    let seen = |caller: u64, number: &str| CallerSeen { caller: CallerRef(caller), number: words(number), name: None, at: Time(MONDAY) };
    let numbers = [seen(3, "+77142000003"), seen(4, "+77142000004")];
    let dana = NewResident { name: Some(words("Dana")), protected: Some("veteran".into()), consent: true, ..NewResident::default() };
    let id = store.add_resident(&dana, &numbers, Time(MONDAY)).await.unwrap();
    let case: CaseNumber = store.open_case(new_case(0, "one")).await.unwrap().number.parse().unwrap();
    let found = store.resident(id).await.unwrap().unwrap();
    assert_eq!((found.numbers.len(), found.consent_ms, &found.cases), (2, Some(MONDAY.cast_signed()), &vec![case.to_string()]));
    assert_eq!(store.story(CallerRef(4)).await.unwrap().residents[0].protected.as_deref(), Some("veteran"));
    assert!(store.known(CallerRef(4), crate::centre::ids::CallId(1), Time(0)).await.unwrap().is_protected);
    let silent = NewResident { consent: false, ..dana.clone() };
    assert!(store.change_resident(id, &silent, &numbers[..1], found.revision, Time(MONDAY)).await.unwrap());
    let late = store.change_resident(id, &dana, &numbers, found.revision, Time(MONDAY)).await.unwrap_err();
    assert!(matches!(late, RegisterError::Revision { .. }), "{late}");
    let changed = store.resident(id).await.unwrap().unwrap();
    assert_eq!((changed.numbers.len(), changed.consent_ms), (1, None));
    store.name_resident(&case, None, operator(), Time(MONDAY + 1)).await.unwrap();
    assert!(store.resident(id).await.unwrap().unwrap().cases.is_empty());
    assert!(matches!(store.name_resident(&case, Some(99), operator(), Time(MONDAY + 1)).await, Err(RegisterError::NoResident(99))));
    store.name_resident(&case, Some(id), operator(), Time(MONDAY + 2)).await.unwrap();
    let told = store.case(&case).await.unwrap().unwrap().history;
    assert_eq!(told.iter().filter(|entry| entry.event.what == What::ResidentNamed).count(), 2);
    assert!(store.forget_resident(id).await.unwrap() && !store.forget_resident(id).await.unwrap());
    assert!(store.story(CallerRef(3)).await.unwrap().residents.is_empty());
    store.verify(&[]).await.unwrap();
}

async fn raw_statements_against_the_history_are_refused(kind: Kind) {
    let folder = Folder::new(kind, "register-raw");
    let store = city(&folder).await;
    store.open_case(new_case(0, "one")).await.unwrap();
    sealed(&store).await;
    let mut attacks = vec![
        "UPDATE chain SET at_ms = 0",
        "UPDATE chain SET event = '{}' WHERE place = 1",
        "DELETE FROM chain",
        "DELETE FROM chain WHERE place = 2",
        "INSERT INTO chain SELECT 7, subject, at_ms, event, words, hash FROM chain WHERE place = 1",
        "INSERT INTO chain SELECT 1, subject, at_ms, event, words, hash FROM chain WHERE place = 2",
        "UPDATE chain_words SET words = 'warm'",
        "DELETE FROM chain_words",
        "DELETE FROM seals",
        "UPDATE seals SET head = ''",
    ];
    attacks.extend(match kind {
        Kind::Sqlite => [
            "INSERT OR REPLACE INTO chain SELECT 1, subject, 0, event, words, hash FROM chain WHERE place = 1",
            "REPLACE INTO chain_words SELECT place, salt, 'warm' FROM chain_words",
            "REPLACE INTO seals SELECT place, '', at_ms FROM seals",
        ],
        Kind::Postgres => ["TRUNCATE chain", "TRUNCATE chain_words", "TRUNCATE seals"],
    });
    for attack in attacks {
        let refused = query_made(attack).execute(store.db.writer()).await;
        assert!(refused.is_err(), "{attack}");
    }
    store.verify(&[]).await.unwrap();
}

/// What whoever owns the database can do: take the guards away first.
async fn unguarded(kind: Kind, store: &Store) {
    for (table, names) in [
        ("chain", &["chain_is_not_changed", "chain_is_not_deleted", "chain_is_only_appended"][..]),
        ("chain_words", &["words_are_not_changed", "words_go_by_erasure_only", "words_are_only_appended", "words_are_written_once"][..]),
    ] {
        for name in names {
            let drop = match kind {
                Kind::Sqlite => format!("DROP TRIGGER IF EXISTS {name}"),
                Kind::Postgres => format!("DROP TRIGGER IF EXISTS {name} ON {table}"),
            };
            query_made(drop).execute(store.db.writer()).await.unwrap();
        }
    }
}

async fn altered(kind: Kind, name: &str, attack: &str) -> VerifyError {
    let folder = Folder::new(kind, name);
    let store = city(&folder).await;
    for n in 0..3 {
        store.open_case(new_case(n, &format!("draft-{n}"))).await.unwrap();
    }
    let seal = sealed(&store).await;
    unguarded(kind, &store).await;
    query_made(attack).execute(store.db.writer()).await.unwrap();
    store.verify(&[seal]).await.unwrap_err()
}

async fn what_a_superuser_alters_is_found(kind: Kind) {
    let found = async |n: usize, attack: &str| altered(kind, &format!("register-altered-{n}"), attack).await.to_string();
    assert!(found(0, "UPDATE chain SET event = REPLACE(event, 'aigul', 'olena') WHERE place = 3").await.contains("place 3"));
    assert!(found(1, "DELETE FROM chain WHERE place = 3").await.contains("place 3 is missing"));
    assert!(found(2, "DELETE FROM chain WHERE place > 4").await.contains("ends before"));
    assert!(found(3, "UPDATE chain_words SET words = 'warm' WHERE place = 1").await.contains("words were altered"));
    assert!(found(4, "DELETE FROM chain_words WHERE place = 5").await.contains("without an erasure"));
    assert!(
        found(5, "UPDATE cases SET body = (SELECT body FROM cases WHERE id = 1) WHERE id = 2").await.contains("not what its events make")
    );
    assert!(found(6, "UPDATE chain SET hash = (SELECT hash FROM chain WHERE place = 1) WHERE place = 2").await.contains("place 2"));
    assert!(found(7, "DELETE FROM cases WHERE id = 3").await.contains("as many rows"));
}

/// All places from the first altered one hashed anew, as somebody would who knows how.
async fn recompute(store: &Store) {
    type Stored = (i64, String, i64, String, Option<Vec<u8>>);
    let rows: Vec<Stored> =
        query("SELECT place, subject, at_ms, event, words FROM chain ORDER BY place").fetch_all(store.db.readers()).await.unwrap();
    let mut before = Digest::default();
    for (place, subject, at_ms, event, words) in rows {
        let words = words.map(|words| Digest::try_from(words.as_slice()).unwrap());
        before = Link { place: place.cast_unsigned(), subject: &subject, at_ms, event: &event, words }.hash(&before);
        let update = query("UPDATE chain SET hash = $1 WHERE place = $2");
        update.bind(before.0.to_vec()).bind(place).execute(store.db.writer()).await.unwrap();
    }
}

async fn a_chain_that_was_computed_anew_is_found_against_a_seal(kind: Kind) {
    let folder = Folder::new(kind, "register-anew");
    let store = city(&folder).await;
    store.open_case(new_case(0, "one")).await.unwrap();
    let seal = sealed(&store).await;
    store.open_case(new_case(1, "two")).await.unwrap();
    unguarded(kind, &store).await;
    let postgres = "DROP TRIGGER seals_are_not_changed ON seals";
    let guards = ["DROP TRIGGER seals_are_not_deleted", "DROP TRIGGER seals_are_not_changed"];
    match kind {
        Kind::Sqlite => {
            for guard in guards {
                query_made(guard).execute(store.db.writer()).await.unwrap();
            }
        }
        Kind::Postgres => _ = query_made(postgres).execute(store.db.writer()).await.unwrap(),
    }
    query_made("UPDATE chain SET at_ms = at_ms + 1 WHERE place = 1").execute(store.db.writer()).await.unwrap();
    query_made("DELETE FROM seals").execute(store.db.writer()).await.unwrap();
    recompute(&store).await;
    assert_eq!(store.verify(&[]).await.unwrap().events, 4, "alone, the new chain looks whole");
    let told = store.verify(&[seal]).await.unwrap_err();
    assert!(matches!(told, VerifyError::Break(Break::Seal { place: 2, .. })), "{told}");
    let _: Seal = seal.to_string().parse().unwrap();
}

async fn words_go_by_law_and_the_chain_stays_whole(kind: Kind) {
    let folder = Folder::new(kind, "register-erased");
    let store = city(&folder).await;
    let number: CaseNumber = store.open_case(new_case(0, "one")).await.unwrap().number.parse().unwrap();
    store.open_case(new_case(1, "two")).await.unwrap();
    store.act(&number, &Wish::Note, operator(), Some(&words("called again")), Time(MONDAY + DAY)).await.unwrap();
    let seal = sealed(&store).await;
    store.erase_case(&number, Author::Administrator { name: "root".into() }, &words("Article 17"), Time(MONDAY + 2 * DAY)).await.unwrap();
    let detail = store.case(&number).await.unwrap().unwrap();
    let erased: Vec<bool> = detail.history.iter().map(|entry| entry.erased).collect();
    assert_eq!(erased, [true, false, true, false], "registration and note; the forwarding had no words, the law has");
    assert!(matches!(&detail.history[3].event.what, What::Erased { events } if events == &[1, 5]));
    let found = store.verify(&[seal]).await.unwrap();
    assert_eq!((found.erased, found.words), (2, 2));
    assert_eq!(
        store.known(CallerRef(3), crate::centre::ids::CallId(u32::MAX.into()), Time(0)).await.unwrap().open_cases,
        1,
        "nobody is behind the case any more"
    );
}

async fn an_organisation_sees_its_own_cases_and_restricted_topics_their_group(kind: Kind) {
    let folder = Folder::new(kind, "register-sight");
    let store = city(&folder).await;
    store.open_case(new_case(0, "one")).await.unwrap();
    let mut police = new_case(1, "two");
    police.report.topic = "police/parking".into();
    let police: CaseNumber = store.open_case(police).await.unwrap().number.parse().unwrap();
    let count = async |sight: &Sight, filter: CaseFilter| store.cases(&filter, sight, Time(MONDAY + 400 * DAY)).await.unwrap().len();
    let all = CaseFilter::default;
    let (centre, officer) = (Sight::centre(vec![]), Sight::centre(vec!["it's".into(), "police".into()]));
    let of = |name: &str| Sight { organisation: Some(name.into()), groups: vec![] };
    assert_eq!([count(&centre, all()).await, count(&officer, all()).await], [1, 2]);
    assert_eq!([count(&of("heat"), all()).await, count(&of("police"), all()).await, count(&of("roads"), all()).await], [1, 1, 0]);
    assert!(!store.sees_case(&police, &centre).await.unwrap() && store.sees_case(&police, &of("police")).await.unwrap());
    let topic = |topic: &str| CaseFilter { topic: Some(topic.into()), ..CaseFilter::default() };
    assert_eq!(
        [count(&officer, topic("heating")).await, count(&officer, topic("heat")).await, count(&officer, topic("police/parking")).await],
        [1, 0, 1]
    );
    assert_eq!(count(&officer, CaseFilter { overdue: true, ..all() }).await, 2);
    assert_eq!(store.cases(&CaseFilter { overdue: true, ..all() }, &officer, Time(MONDAY)).await.unwrap().len(), 0);
}

async fn rules_change_by_revision_and_no_revision_overwrites_another(kind: Kind) {
    let folder = Folder::new(kind, "register-rules");
    let store = city(&folder).await;
    let (revision, mut book) = store.rule_book().await.unwrap();
    assert_eq!(revision, 0);
    book.control_calls = 5;
    assert_eq!(store.approve_rules(0, &book, "root", Time(1)).await.unwrap(), 1);
    assert_eq!(store.register().await.unwrap().rules.control_calls, 5, "seen at once");
    let late = store.approve_rules(0, &book, "other", Time(2)).await.unwrap_err();
    assert!(matches!(&late, RegisterError::Revision { now, given } if now == "1" && given == "0"), "{late}");
    book.centre = "nowhere".into();
    assert!(matches!(store.approve_rules(1, &book, "root", Time(3)).await, Err(RegisterError::Rules(_))));
}
