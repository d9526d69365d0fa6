//! Can a page or a program hurt the server by what it sends? Mutated messages of the desk's socket and bodies of requests.
#![allow(clippy::unwrap_used)]

use serde::de::DeserializeOwned;

use super::messages::FromPage;
use crate::fuzz::{JSON, Target, feed, outcome};

const BODIES: [&str; 14] = [
    r#"{"type":"hello","last_event":7}"#,
    r#"{"type":"pause","reason":"lunch"}"#,
    r#"{"type":"consult","call":5,"with":{"operator":"olena"}}"#,
    r#"{"type":"transfer","call":5,"to":{"number":"+77011234567"}}"#,
    r#"{"type":"call_out","number":"+7 701 123","queue":"q","shown":null}"#,
    r#"{"type":"monitor","call":18446744073709551615,"mode":"whisper","reason":"x"}"#,
    r#"{"type":"write_case","call":1,"topic":"heating","text":"\u0041\ud83d\ude00","draft":"d"}"#,
    r#"{"type":"echo","n":4294967295}"#,
    r#"{"name":"a","password":"b"}"#,
    r#"{"what":"forward","organisation":"heat","why":"x"}"#,
    r#"{"do":"confirm","notice":{"kk":"х","ru":"х"},"districts":["centre"]}"#,
    r#"{"id":"heat","name":"x","calendar":"office","active":true,"routes":[]}"#,
    r#"{"from_ms":0,"to_ms":9007199254740993}"#,
    r#"{"zone":"Asia/Qostanay","week":{"mon":["09:00-18:00"]},"special":{"2026-12-16":[]}}"#,
];

fn is<T: DeserializeOwned>(raw: &[u8]) -> bool {
    serde_json::from_slice::<T>(raw).is_ok()
}

#[test]
fn any_message_is_one_of_ours_or_refused() {
    let seeds = BODIES.map(|text| text.as_bytes().to_vec()).to_vec();
    let own = ["true", "\\u0000", "\\ud800", "1e999", "-0", "\"type\":", "\"call\":", "[[[[[[[[[[[[[[[["];
    let words = [&JSON[..], &own].concat();
    let target = Target { name: "desk messages and bodies", seeds, words: &words, longest: 20_000, bytes: (200_000, 200), takes_ms: 100 };
    feed(&target, |raw| {
        let page = serde_json::from_slice::<FromPage>(raw).map(|wish| std::mem::discriminant(&wish)).ok();
        let hours = serde_json::from_slice::<crate::config::Hours>(raw).map(|hours| hours.calendar("office").is_ok()).ok();
        let others = [
            is::<super::accounts::Wanted>(raw),
            is::<super::cases::Wanted>(raw),
            is::<super::cases::Act>(raw),
            is::<super::incidents::Act>(raw),
            is::<super::reference::Contact>(raw),
            is::<super::register::Span>(raw),
        ];
        outcome(&(page, hours, others))
    });
}
