//! Is a file checked before anything is written, and written whole or not at all?
#![allow(clippy::unwrap_used, clippy::expect_used)]

use cityline_bases::{Kind, on_both};

use super::*;
use crate::store::tests::Folder;
use crate::store::{CaseFilter, Sight};

on_both!(
    addresses_come_in_and_an_address_as_it_is_typed_is_placed,
    an_old_register_comes_in_with_numbers_without_gaps,
    a_failure_in_the_middle_writes_nothing,
);

const ZONE: chrono_tz::Tz = chrono_tz::Asia::Qostanay;
const AT: Time = Time(1_772_434_800_000);

const ADDRESSES: &str = "street;former;house;district;lat;lon;chairman;chairman_number
Тәуелсіздік даңғылы;проспект Ленина; 12 А;north;53,21;63,62;Serik Omarov;+77140000001
Тәуелсіздік даңғылы;улица Советская;14;north;53.2;63.6;;
улица Абая;;1;south;;;;
переулок Абая;;1;north;;;;
улица Абая;;дом 1;south;;;;
;;7;north;;;;
Гоголя;;7;east;;;;
Гоголя;;9;north;953;63;;
";

async fn checked(store: &Store, kind: ImportKind, file: impl Into<Vec<u8>>) -> Checked {
    store.check_import(kind, file.into(), ZONE, "root").await.unwrap()
}

async fn written(store: &Store, kind: ImportKind, file: impl Into<Vec<u8>>) -> ImportReport {
    let count = AtomicU64::new(0);
    let checked = checked(store, kind, file).await;
    let id = store.begin_import("root", &checked.report, AT).await.unwrap();
    let report = store.write_import(id, checked, AT, &count).await.unwrap();
    let told = store.import(id).await.unwrap().unwrap();
    assert_eq!((told.state, told.written), (ImportState::Done, report.good as u64));
    assert_eq!(count.into_inner(), report.good as u64, "progress ends with all");
    report
}

async fn addresses_come_in_and_an_address_as_it_is_typed_is_placed(kind: Kind) {
    let folder = Folder::new(kind, "import-addresses");
    let store = folder.open().await.unwrap();
    let looked = checked(&store, ImportKind::Addresses, ADDRESSES).await.report;
    assert_eq!((looked.rows, looked.good, looked.refused), (8, 4, 4));
    let lines: Vec<(usize, bool)> = looked.reasons.iter().map(|row| (row.line, row.why.len() > 10)).collect();
    assert_eq!(lines, [(6, true), (7, true), (8, true), (9, true)], "{:?}", looked.reasons);
    assert!(store.streets("").await.unwrap().is_empty(), "to look writes nothing");
    assert_eq!(written(&store, ImportKind::Addresses, ADDRESSES).await, looked);
    written(&store, ImportKind::Addresses, ADDRESSES).await;
    let all = store.streets("").await.unwrap();
    assert_eq!(all.len(), 3, "twice is once");
    let found = store.streets("ленин").await.unwrap();
    assert_eq!(found[0].former, ["проспект Ленина", "улица Советская"]);
    let houses = store.buildings(found[0].id).await.unwrap();
    assert_eq!(houses[0].chairman.as_ref().unwrap().reveal(), "Serik Omarov");
    let private = |text: &str| Private::new(text.to_owned());
    let locate = async |street: &str, house: &str| {
        let address = register::Address { street: private(street), house: Some(private(house)), flat: None };
        store.locate(&address).await.unwrap()
    };
    let placed = locate("пр. Ленина", "дом 12а").await;
    assert_eq!((placed.building, placed.district.as_deref()), (Some(houses[0].id), Some("north")));
    assert_eq!(placed.at_degrees, Some((53.21, 63.62)));
    assert_eq!(locate("Абая", "1").await, addresses::Located::default(), "which of the two?");
    assert_eq!(locate("переулок Абая", "1").await.district.as_deref(), Some("north"));
    assert_eq!(locate("Тәуелсіздік", "999").await.building, None);
}

const CASES: &str = "number,service,registered,topic,street,house,text,organisation,done,answer,district
17/1,109,2025-12-31 23:30,heating,Абая,5,Холодно,,02.01.2026,Починили,
17/2,109,2026-01-01 00:10,roads,,,Яма,,,,north
17/3,109,yesterday,roads,,,Яма,,,,
17/4,109,2026-01-02,no-topic,,,Яма,,,,
17/5,109,2026-01-02,roads,,,Яма,nobody,,,
17/6,109,2026-01-02,roads,,,Яма,,2025-01-01,Да,
17/2,109,2026-01-02,roads,,,Яма,,,,
";

async fn an_old_register_comes_in_with_numbers_without_gaps(kind: Kind) {
    let folder = Folder::new(kind, "import-cases");
    let store = folder.open().await.unwrap();
    let report = written(&store, ImportKind::Cases, CASES).await;
    assert_eq!((report.rows, report.good), (7, 2), "{:?}", report.reasons);
    written(&store, ImportKind::Cases, CASES).await;
    let rows = store.cases(&CaseFilter::default(), &Sight::centre(vec![]), AT).await.unwrap();
    let told: Vec<(&str, &str)> = rows.iter().map(|row| (row.number.as_str(), row.state.as_str())).collect();
    assert_eq!(told, [("109-2026-000001", "registered"), ("109-2025-000001", "closed")], "by the city's calendar, once");
    assert_eq!(store.verify(&[]).await.unwrap().events, 4);
    let found = store.search_cases("17 холодно", &CaseFilter::default(), &Sight::centre(vec![]), AT).await.unwrap();
    assert_eq!(found[0].number, "109-2025-000001", "by the number on the resident's paper");
}

async fn a_failure_in_the_middle_writes_nothing(kind: Kind) {
    let folder = Folder::new(kind, "import-half");
    let store = folder.open().await.unwrap();
    let mut checked = checked(&store, ImportKind::Cases, CASES).await;
    let Rows::Cases(cases) = &mut checked.rows else { panic!("cases") };
    cases[1].new.report.topic = "gone-meanwhile".into();
    let id = store.begin_import("root", &checked.report, AT).await.unwrap();
    assert!(store.write_import(id, checked, AT, &AtomicU64::new(0)).await.is_err());
    assert_eq!(store.import(id).await.unwrap().unwrap().state, ImportState::Running, "nobody has noted its end");
    let after_restart = folder.open().await.unwrap();
    let ImportState::Failed { why } = after_restart.import(id).await.unwrap().unwrap().state else { panic!("it was not ended") };
    assert!(why.contains("nothing of it"), "{why}");
    store.fail_import(id, "no such topic", AT).await.unwrap();
    assert_eq!(after_restart.imports().await.unwrap()[0].state, ImportState::Failed { why: "no such topic".into() });
    assert!(store.cases(&CaseFilter::default(), &Sight::centre(vec![]), AT).await.unwrap().is_empty());
    assert_eq!(written(&store, ImportKind::Organisations, "id,name,routes\nheat,Heat,heating@north;water\nX Y,no,\n").await.good, 1);
    assert_eq!((store.organisations().await.unwrap().len(), store.routes().await.unwrap().len()), (1, 2));
}

#[tokio::test]
async fn a_workbook_is_read_as_its_cells_mean() {
    let folder = Folder::new(Kind::Sqlite, "import-workbook");
    let store = folder.open().await.unwrap();
    let file = include_bytes!("../../../tests/fixtures/cases.xlsx");
    let report = written(&store, ImportKind::Cases, &file[..]).await;
    assert_eq!((report.rows, report.good, report.reasons[0].line), (2, 1, 4), "{report:?}");
    let found = store.search_cases("17", &CaseFilter::default(), &Sight::centre(vec![]), AT).await.unwrap();
    // 31 December 2025, noon in Qostanay, five hours before UTC.
    assert_eq!((found[0].number.as_str(), found[0].registered_ms), ("109-2025-000001", 1_767_164_400_000));
}

#[tokio::test]
async fn files_that_cannot_be_taken_are_refused_with_their_mend() {
    let folder = Folder::new(Kind::Sqlite, "import-odd");
    let store = folder.open().await.unwrap();
    for (file, told) in [
        (&b""[..], "empty"),
        (b"\xcf\xf0\xe8;\xe2", "UTF-8"),
        (b"street;hosue\na;1", "hosue"),
        (b"PK\x03\x04 no workbook", "cannot be read"),
    ] {
        let refused = store.check_import(ImportKind::Addresses, file.to_vec(), ZONE, "root").await.unwrap_err().to_string();
        assert!(refused.contains(told), "{told} in {refused}");
    }
    let long = format!("street;house\n{};1\n", "a".repeat(10_001));
    assert!(store.check_import(ImportKind::Addresses, long.into(), ZONE, "root").await.unwrap_err().to_string().contains("line 2"));
}
