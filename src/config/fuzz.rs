//! Can a file of the administrator's make the program panic instead of naming the fault? Mutated settings and dialplans.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::centre::dialplan::{self, Vocabulary};
use crate::centre::ids::Language;
use crate::fuzz::{Target, feed, fixture, folder, outcome};

#[test]
fn any_settings_are_taken_or_their_fault_is_told() {
    let place = folder("settings");
    let file = place.join("city.toml");
    let own = "[sip]\nudp = \"127.0.0.1:5060\"\n[operators.a]\nskills = [\"kk\"]\nphone = { user = \"201\", password = \"x\" }\n\
               [calendars.office]\nzone = \"Asia/Qostanay\"\nweek = { mon = [\"09:00-18:00\"] }\nspecial = { \"2026-12-16\" = [] }\n\
               [trunks.city]\nfrom = [\"10.0.0.0/8\"]\nto = [\"10.0.0.1:5060\"]\n[queues.q]\nskills = []\n";
    let seeds = vec![own.as_bytes().to_vec(), DEFAULTS.as_bytes().to_vec()];
    let words =
        ["[", "]", "\"", " = ", "\n", "{", "}", "24:00", "23:59-00:00", "\"::/0\"", "\"0.0.0.0/33\"", "true", "[[", "'''", "\"mon\"", "é"];
    let target = Target { name: "settings", seeds, words: &words, longest: 20_000, bytes: (20_000_000, 2_000), takes_ms: 1_500 };
    feed(&target, |raw| {
        std::fs::write(&file, raw).unwrap();
        match Config::load(Some(&file)) {
            Ok(config) => outcome(&config.centre_settings(Default::default(), 1).is_ok()),
            Err(error) => {
                let told = error.to_string();
                assert!(!told.is_empty());
                outcome(&told.len().min(400))
            }
        }
    });
    std::fs::remove_dir_all(place).unwrap();
}

#[test]
fn any_dialplan_is_taken_or_its_faults_are_told_with_their_lines() {
    let files = [
        "dialplans/109.toml",
        "dialplans/1520.toml",
        "dialplans/quality.toml",
        "tests/fixtures/plans/keys.toml",
        "tests/fixtures/plans/straight.toml",
    ];
    let seeds = files.map(fixture).to_vec();
    let words = [
        "[steps.",
        "]",
        "\"",
        " = ",
        "\n",
        "{",
        "}",
        "kind = \"menu\"",
        "kind = \"queue\"",
        "next = ",
        "keys = { 1 = ",
        "say = [",
        "silence:",
        "@kk",
        "welcome",
        "private",
    ];
    let vocabulary = Vocabulary {
        prompts: ["welcome", "choose", "topics"]
            .into_iter()
            .flat_map(|id| [(id.into(), Language::Kk), (id.into(), Language::Ru)])
            .collect(),
        ..Vocabulary::default()
    };
    let target = Target { name: "dialplans", seeds, words: &words, longest: 30_000, bytes: (20_000_000, 2_000), takes_ms: 1_500 };
    feed(&target, |raw| {
        let text = String::from_utf8_lossy(raw);
        match dialplan::read("plan.toml", &text, &vocabulary) {
            Ok(plan) => outcome(&(1, plan.steps.len(), plan.queues().count())),
            Err(faults) => {
                assert!(!faults.is_empty() && faults.iter().all(|fault| fault.line <= text.lines().count() + 1));
                outcome(&(0, faults.len(), faults[0].to_string().len()))
            }
        }
    });
}
