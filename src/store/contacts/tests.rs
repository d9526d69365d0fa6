//! Are contacts counted once and apart from cases, articles found, and views each account's own?
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;

use cityline_bases::{Kind, on_both};

use super::*;
use crate::cases::assignment::Place;
use crate::cases::decide::{Report, Wish};
use crate::cases::event::{Author, Kind as Of};
use crate::cases::terms::Priority;
use crate::centre::ids::NumberId;
use crate::private::Private;
use crate::store::tests::Folder;
use crate::store::{ArticleText, CaseFilter, NewArticle, NewCase, ReportWords, SavedView};

on_both!(
    a_call_is_one_contact_and_both_measures_follow,
    an_article_is_found_in_each_language_and_counts_what_it_answered,
    views_are_kept_by_name_and_by_account,
);

const AT: u64 = 1_772_434_800_000;
const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

fn contact(draft: &str, caller: u64, disposition: Disposition) -> NewContact {
    NewContact {
        by_name: "aigul".into(),
        draft: draft.into(),
        channel: Channel::Phone,
        caller: CallerRef(caller),
        call: None,
        topic: Some("roads".into()),
        district: None,
        disposition,
        article: None,
        number: None,
    }
}

fn case(draft: &str, caller: u64, call: u64, at: u64) -> NewCase {
    NewCase {
        service: NumberId::from("109"),
        year: 2026,
        report: Report {
            kind: Of::Question,
            channel: Channel::Phone,
            topic: "roads".into(),
            priority: Priority::Normal,
            district: Some("north".into()),
            call: Some(CallId(call)),
            proposed: None,
        },
        caller: CallerRef(caller),
        resident: None,
        place: Place { district: Some("north".into()), ..Place::default() },
        at_degrees: None,
        words: ReportWords { text: Private::new("pothole".into()), ..ReportWords::default() },
        by: Author::Operator { name: "aigul".into() },
        by_name: "aigul".into(),
        draft: draft.into(),
        at: Time(at),
    }
}

async fn a_call_is_one_contact_and_both_measures_follow(kind: Kind) {
    let folder = Folder::new(kind, "contacts");
    let store = folder.open().await.unwrap();
    let number = store.open_case(case("one", 5, 70, AT)).await.unwrap().number;
    store.open_case(case("two", 5, 70, AT + 1)).await.unwrap();
    let words = Private::new("explained".to_owned());
    let supervisor = Author::Supervisor { name: "saule".into() };
    store.act(&number.parse().unwrap(), &Wish::Finish { photos: vec![] }, supervisor, Some(&words), Time(AT + HOUR / 2)).await.unwrap();
    let of_the_call = NewContact { call: Some(CallId(70)), ..contact("after", 5, Disposition::Consultation) };
    assert!(!store.write_contact(&of_the_call, Time(AT + 2)).await.unwrap(), "the call has its contact");
    let asked = contact("c", 6, Disposition::Consultation);
    assert!(store.write_contact(&asked, Time(AT + 3)).await.unwrap());
    assert!(!store.write_contact(&asked, Time(AT + 4)).await.unwrap(), "the same form");
    assert!(store.write_contact(&contact("d", 6, Disposition::HandedOn), Time(AT + 2 * DAY)).await.unwrap());
    assert!(store.write_contact(&contact("e", 7, Disposition::Silent), Time(AT + 5)).await.unwrap());
    let counts = store.contacts(Time(AT), Time(AT + 3 * DAY)).await.unwrap();
    let told: Vec<(&str, i64)> = counts.iter().map(|count| (count.disposition.as_str(), count.count)).collect();
    assert_eq!(told, [("case", 1), ("consultation", 1), ("handed_on", 1), ("silent", 1)], "two cases, one contact");
    let later = Time(AT + 30 * DAY);
    let counted = store.first_calls(Time(AT), Time(AT + 3 * DAY), 7, later).await.unwrap();
    assert_eq!(counted, FirstCalls { contacts: 3, closed_at_once: 2, followed: 3, repeated: 1, days: 7 });
    assert_eq!(store.first_calls(Time(AT), Time(AT + 3 * DAY), 7, Time(AT + DAY)).await.unwrap().followed, 0, "their days have not passed");
    let map = store.districts(Time(AT), later, None, &Sight::centre(vec![]), later).await.unwrap();
    assert_eq!(map, [DistrictCount { district: Some("north".into()), cases: 2, open: 1, overdue: 1 }]);
    let root = Author::Administrator { name: "root".into() };
    store.erase_case(&number.parse().unwrap(), root, &Private::new("Article 17".into()), later).await.unwrap();
    let left: i64 = query("SELECT COUNT(*) FROM contacts WHERE caller = 5").fetch_scalar(store.db.readers()).await.unwrap();
    assert_eq!(left, 0, "nobody is behind an erased case's contact");
}

async fn an_article_is_found_in_each_language_and_counts_what_it_answered(kind: Kind) {
    let folder = Folder::new(kind, "articles");
    let store = folder.open().await.unwrap();
    let text = |title: &str, body: &str| ArticleText { title: title.into(), body: body.into() };
    let article = |topic: &str, texts: BTreeMap<String, ArticleText>| NewArticle {
        topic: topic.into(),
        owner: "reference".into(),
        review_ms: AT.cast_signed(),
        texts,
        active: true,
    };
    let heat = BTreeMap::from([
        ("ru".to_owned(), text("Отопительный сезон", "Начинается 15 октября")),
        ("kk".to_owned(), text("Жылыту маусымы", "15 қазанда басталады")),
        ("uk".to_owned(), text("Опалювальний сезон", "Починається 15 жовтня")),
        ("en".to_owned(), text("Heating season", "It begins on 15 October")),
    ]);
    let heat = store.put_article(None, &article("heating", heat), "saule", Time(AT)).await.unwrap().unwrap();
    let bus = BTreeMap::from([("ru".to_owned(), text("Проездной", "Где купить проездной на сезон"))]);
    let bus = store.put_article(None, &article("transport", bus.clone()), "saule", Time(AT)).await.unwrap().unwrap();
    let found =
        async |text: &str| -> Vec<i64> { store.search_articles(text).await.unwrap().into_iter().map(|article| article.id).collect() };
    for (asked, expected) in [
        ("отопительный", vec![heat]),
        ("атопительный сезон", vec![heat]),
        ("қазанда", vec![heat]),
        ("опалювальний", vec![heat]),
        ("heating season october", vec![heat]),
        ("сезон", vec![heat, bus]),
        ("", vec![heat, bus]),
        ("зоопарк", vec![]),
    ] {
        assert_eq!(found(asked).await, expected, "{asked}");
    }
    let answered = NewContact { article: Some(bus), ..contact("x", 3, Disposition::Consultation) };
    store.write_contact(&answered, Time(AT)).await.unwrap();
    assert_eq!(found("сезон").await, [bus, heat], "what has answered more stands first");
    assert_eq!(store.article(bus).await.unwrap().unwrap().answered, 1);
    let mut aside = store.article(bus).await.unwrap().unwrap().article;
    aside.active = false;
    assert_eq!(store.put_article(Some(bus), &aside, "saule", Time(AT)).await.unwrap(), Some(bus));
    assert_eq!(store.put_article(Some(999), &aside, "saule", Time(AT)).await.unwrap(), None);
    assert_eq!(found("проездной").await, Vec::<i64>::new());
}

async fn views_are_kept_by_name_and_by_account(kind: Kind) {
    let folder = Folder::new(kind, "views");
    let store = folder.open().await.unwrap();
    let view = |name: &str, topic: &str| SavedView {
        name: name.into(),
        filter: CaseFilter { topic: Some(topic.into()), overdue: true, ..CaseFilter::default() },
    };
    for n in 0..50 {
        assert!(store.put_view("aigul", &view(&format!("v{n:02}"), "roads"), Time(AT)).await.unwrap());
    }
    assert!(!store.put_view("aigul", &view("one more", "roads"), Time(AT)).await.unwrap());
    assert!(store.put_view("aigul", &view("v07", "heating"), Time(AT)).await.unwrap(), "in the place of the other");
    let kept = store.views("aigul").await.unwrap();
    assert_eq!((kept.len(), kept[7].filter.topic.as_deref(), kept[7].filter.overdue), (50, Some("heating"), true));
    assert!(store.views("olena").await.unwrap().is_empty() && !store.remove_view("olena", "v07").await.unwrap());
    assert!(store.remove_view("aigul", "v07").await.unwrap());
}
