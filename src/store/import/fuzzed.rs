//! Can a file that somebody sends hurt the server? Mutated tables of addresses, organisations and old cases.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use super::check::{Known, checked};
use super::sheet;
use super::*;
use crate::cases::{address, words};
use crate::fuzz::{JSON, Target, feed, fixture, outcome};
use crate::store::RuleBook;

const CSV: [&str; 4] = [
    "street;former;house;district;lat;lon;chairman;chairman_number\nАбая;Ленина;12/1;centre;53.2;63.6;Иванов;+77011234567\n",
    "id,name,calendar,head,email,phone,webhook,active,routes\nheat,Жылу,office,,a@b.kz,+7714,https://x/y,yes,heating=centre\n",
    "number,service,registered,kind,channel,topic,district,street,house,flat,text,resident,phone,organisation,done,answer\n\
     7,109,2025-01-02 10:00,complaint,phone,heating,centre,Абая,1,2,\"холодно, \"\"очень\"\"\",Иванов,+7701,heat,2025-01-03,сделано\n",
    "\u{FEFF}street\thouse\na\t1\n",
];

#[test]
fn any_file_is_a_table_or_refused() {
    let mut seeds: Vec<Vec<u8>> = CSV.map(|text| text.as_bytes().to_vec()).to_vec();
    seeds.push(fixture("tests/fixtures/cases.xlsx"));
    let tokens = ["\"", "\n", ";", ",", "\t", "street", "house", "\u{FEFF}", "=1+1", "PK\u{1}\u{2}", "é", "\u{0}", "2025-13-45"];
    let target = Target { name: "imported files", seeds, words: &tokens, longest: 60_000, bytes: (60_000_000, 2_000), takes_ms: 3_000 };
    let known = Known {
        register: Arc::new(RuleBook::defaults().unwrap().read(1, Default::default()).unwrap()),
        calendars: vec!["office".into()],
        zone: chrono_tz::Asia::Qostanay,
        by: "test".into(),
    };
    feed(&target, |raw| {
        let mut found = Vec::new();
        for kind in [ImportKind::Addresses, ImportKind::Organisations, ImportKind::Cases] {
            match checked(kind, raw, &known) {
                Ok(checked) => {
                    let ImportReport { rows, good, refused, .. } = checked.report;
                    assert_eq!(rows, good + refused);
                    found.push((rows.min(9), good.min(9)));
                }
                Err(_) => found.push((99, 99)),
            }
        }
        let _ = sheet::read(raw, &["street"]);
        outcome(&found)
    });
}

#[test]
fn any_text_has_words_and_any_address_a_key() {
    let seeds = ["Ұлы Дала көшесі 12/1а", "вул. Шевченка, буд. 5-Б", "ул. Абая угол пр. Аль-Фараби", "12 Main st."]
        .map(|text| text.as_bytes().to_vec())
        .to_vec();
    let tokens = ["улица", "көшесі", "вулиця", "street", "ё", "Ё", "'", "ʼ", "-", "/", " ", "\u{301}", "İ", "ß", "\u{0}", "1234567890"];
    let target = Target { name: "words and addresses", seeds, words: &tokens, longest: 4_000, bytes: (400_000, 2_000), takes_ms: 200 };
    feed(&target, |raw| {
        let text = String::from_utf8_lossy(raw);
        let found = words::words(&text);
        let again = words::words(&found.join(" "));
        assert_eq!(again, found, "words of words are the same");
        let grams = found.iter().map(|word| words::Groups::of(word).texts().count()).sum::<usize>();
        let keys = (address::street_key(&text), address::full_key(&text), address::house_key(&text));
        assert_eq!(address::street_key(&keys.0), keys.0, "a key is its own");
        let number = text.parse::<crate::cases::ids::CaseNumber>();
        if let Ok(number) = &number {
            assert_eq!(number.to_string().parse::<crate::cases::ids::CaseNumber>().ok().as_ref(), Some(number));
        }
        outcome(&(found.len().min(9), grams.min(30) / 3, keys.0.len().min(9), number.is_ok()))
    });
}

#[test]
fn any_rules_of_the_register_are_taken_or_their_faults_are_told() {
    let rules = serde_json::to_vec(&RuleBook::defaults().unwrap()).unwrap();
    let own = ["\"3 working days\"", "\"99999999999 days\"", "\"24:00\"", "\"Asia/Nowhere\"", "\"mon\"", "-1", "\"heating/radiator\""];
    let tokens = [&JSON[..], &own].concat();
    let target = Target {
        name: "rules of the register",
        seeds: vec![rules],
        words: &tokens,
        longest: 100_000,
        bytes: (4_000_000, 500),
        takes_ms: 1_000,
    };
    feed(&target, |raw| {
        let Ok(book) = serde_json::from_slice::<RuleBook>(raw) else { return 0 };
        match book.read(1, Default::default()) {
            Ok(register) => outcome(&(register.districts.len(), register.escalation.len())),
            Err(wrong) => outcome(&(wrong.len(), wrong[0].len())),
        }
    });
}
