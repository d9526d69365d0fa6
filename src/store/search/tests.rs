//! Does a search find what is meant, the same on both databases, and nothing that is hidden or erased?
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;

use cityline_bases::{Kind, on_both};

use super::*;
use crate::cases::assignment::Place;
use crate::cases::decide::{Report, Wish};
use crate::cases::event::{Author, Channel, Kind as Of};
use crate::cases::terms::Priority;
use crate::centre::ids::{CallerRef, NumberId};
use crate::private::Private;
use crate::store::register::open_in;
use crate::store::tests::Folder;
use crate::store::transaction::Lock;
use crate::store::{Address, NewCase, Organisation, ReportWords, Route};

on_both!(what_is_restricted_or_lies_elsewhere_is_not_found, what_is_erased_leaves_no_word_behind, a_corrected_topic_is_found_by_its_name);

const AT: u64 = 1_772_434_800_000;

const PLACES: [(&str, &str); 5] =
    [("улица Абая", "15"), ("Тәуелсіздік даңғылы", "7а"), ("вулиця Шевченка", "3/1"), ("проспект Пушкина", "120"), ("Абая", "151")];

fn case(topic: &str, text: &str, (street, house): (&str, &str), draft: String) -> NewCase {
    let private = |text: &str| Private::new(text.to_owned());
    NewCase {
        service: NumberId::from("109"),
        year: 2026,
        report: Report {
            kind: Of::Complaint,
            channel: Channel::Phone,
            topic: topic.into(),
            priority: Priority::Normal,
            district: None,
            call: None,
            proposed: None,
        },
        caller: CallerRef(3),
        resident: None,
        place: Place::default(),
        at_degrees: None,
        words: ReportWords {
            text: private(text),
            address: Some(Address { street: private(street), house: Some(private(house)), flat: None }),
            resident: None,
        },
        by: Author::Operator { name: "aigul".into() },
        by_name: "aigul".into(),
        draft,
        at: Time(AT),
    }
}

fn lines(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('|').map(str::trim).collect())
}

/// Every report for every address; returns the report's name by the number of its case.
async fn registered(store: &Store) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    let register = store.register().await.unwrap();
    let mut transaction = store.db.begin(Lock::Register).await.unwrap();
    for (n, place) in PLACES.into_iter().enumerate() {
        for line in lines(include_str!("corpus.txt")) {
            let [name, topic, text] = line[..] else { panic!("{line:?}") };
            let row = open_in(&mut transaction, &register, &[], case(topic, text, place, format!("{name}-{n}"))).await.unwrap().unwrap();
            names.insert(row.number, name.to_owned());
        }
    }
    transaction.commit().await.unwrap();
    query("ANALYZE").execute(store.db.writer()).await.unwrap();
    names
}

async fn found(store: &Store, text: &str, sight: &Sight) -> Vec<String> {
    let rows = store.search_cases(text, &CaseFilter::default(), sight, Time(AT)).await.unwrap();
    rows.into_iter().map(|row| row.number).collect()
}

fn centre() -> Sight {
    Sight::centre(vec![])
}

#[tokio::test]
async fn a_hundred_questions_in_four_languages_find_the_same_ten_on_both() {
    let folders = [Kind::Sqlite, Kind::Postgres].map(|kind| Folder::new(kind, "search"));
    let [sqlite, postgres] = &folders;
    let (sqlite, postgres) = (sqlite.open().await.unwrap(), postgres.open().await.unwrap());
    let names = registered(&sqlite).await;
    assert_eq!(registered(&postgres).await, names);
    let mut wrong = Vec::new();
    let mut asked = 0;
    for line in lines(include_str!("queries.txt")) {
        let [text, meant] = line[..] else { panic!("{line:?}") };
        let (one, other) = (found(&sqlite, text, &centre()).await, found(&postgres, text, &centre()).await);
        assert_eq!(one, other, "{text}");
        let told: Vec<&str> = one.iter().filter_map(|number| names.get(number)).map(String::as_str).collect();
        if !told.contains(&meant) {
            wrong.push(format!("{text}: {told:?} without {meant}"));
        }
        asked += 1;
    }
    assert_eq!((asked, wrong), (100, Vec::new()));
    let number = names.keys().next().unwrap();
    assert_eq!(found(&sqlite, &format!(" {number} "), &centre()).await, [number.as_str()], "a number finds its case alone");
    for odd in ["", "🚒 \u{0} ' \" *", "\"", "a OR b NEAR(c)", "абая'); DROP TABLE cases; --"] {
        assert_eq!(found(&sqlite, odd, &centre()).await, found(&postgres, odd, &centre()).await, "{odd}");
    }
}

async fn what_is_restricted_or_lies_elsewhere_is_not_found(kind: Kind) {
    let folder = Folder::new(kind, "search-sight");
    let store = folder.open().await.unwrap();
    let (id, name, calendar) = ("heat".to_owned(), "Heat networks".to_owned(), "office".to_owned());
    let heat = Organisation { id, name, calendar, head: None, email: None, phone: None, webhook: None, active: true };
    store.put_organisation(&heat, Time(AT)).await.unwrap();
    let route = Route { topic: Some("heating".into()), district: None, street: None, building: None, organisation: "heat".into() };
    store.put_routes(&[route], None).await.unwrap();
    let hidden = store.open_case(case("police", "парковка на газоне", PLACES[0], "one".into())).await.unwrap().number;
    let heating = store.open_case(case("heating", "холодно", PLACES[0], "two".into())).await.unwrap().number;
    let organisation = Sight { organisation: Some("heat".into()), groups: vec![] };
    assert_eq!(found(&store, "парковка", &centre()).await, Vec::<String>::new());
    assert_eq!(found(&store, "парковке", &Sight::centre(vec!["police".into()])).await, [hidden.as_str()]);
    assert_eq!(found(&store, &hidden, &centre()).await, Vec::<String>::new(), "nor by its number");
    assert_eq!(found(&store, "абая", &organisation).await, [heating.as_str()]);
    let closed = CaseFilter { open: Some(false), ..CaseFilter::default() };
    assert!(store.search_cases("абая", &closed, &organisation, Time(AT)).await.unwrap().is_empty());
}

async fn what_is_erased_leaves_no_word_behind(kind: Kind) {
    let folder = Folder::new(kind, "search-erased");
    let store = folder.open().await.unwrap();
    let gone = store.open_case(case("roads", "яма у дома Ахметжановой", PLACES[0], "one".into())).await.unwrap().number;
    let stays = store.open_case(case("roads", "яма", PLACES[0], "two".into())).await.unwrap().number;
    assert_eq!(found(&store, "ахметжанова", &centre()).await, [gone.as_str()]);
    let root = Author::Administrator { name: "root".into() };
    store.erase_case(&gone.parse().unwrap(), root, &Private::new("Article 17".into()), Time(AT)).await.unwrap();
    assert_eq!(found(&store, "ахметжанова", &centre()).await, Vec::<String>::new());
    assert_eq!(found(&store, "яма абая", &centre()).await, [stays.as_str()]);
    let kept: i64 = query("SELECT (SELECT COUNT(*) FROM search_words WHERE word LIKE 'ахмет%') + (SELECT COUNT(*) FROM search_trigrams WHERE word LIKE 'ахмет%')")
        .fetch_scalar(store.db.readers())
        .await
        .unwrap();
    assert_eq!(kept, 0, "nor among the words that a mistyped one is compared with");
}

async fn a_corrected_topic_is_found_by_its_name(kind: Kind) {
    let folder = Folder::new(kind, "search-corrected");
    let store = folder.open().await.unwrap();
    let number = store.open_case(case("roads", "стоит", PLACES[0], "one".into())).await.unwrap().number;
    assert!(found(&store, "лифты", &centre()).await.is_empty());
    let wish = Wish::Correct { kind: None, topic: Some("lifts".into()), priority: None, district: None };
    let by = Author::Supervisor { name: "saule".into() };
    store.act(&number.parse().unwrap(), &wish, by, Some(&Private::new("misheard".into())), Time(AT + 1)).await.unwrap();
    assert_eq!(found(&store, "лифты стоит", &centre()).await, [number.as_str()]);
    assert!(found(&store, "дороги", &centre()).await.is_empty());
}
