//! Does every room use only what it may? Reads the sources and holds the import table of ARCHITECTURE.md, and a few house rules.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod source;

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use source::Source;

/// Which modules of ours a room may use, as path prefixes; what is not listed here may use nothing of ours but itself.
const ROOMS: &[(&str, &[&str])] = &[
    ("private", &[]),
    ("centre", &["private"]),
    ("cases", &["private", "centre::ids", "centre::fact", "centre::time", "centre::schedule"]),
    ("quality", &["private", "centre::ids", "centre::fact"]),
    ("report", &["private", "centre::ids", "centre::fact", "centre::time", "centre::routing", "centre::steer", "centre::surge"]),
    ("staffing", &["centre", "report"]),
    ("clock", &["centre", "private"]),
    ("journal", &["centre", "private"]),
    ("config", &["centre", "private", "report::alerts", "report::waits"]),
    ("keying", &["centre::ids", "centre::input", "centre::output", "private"]),
    ("lanes", &["centre", "keying"]),
    ("vitals", &["clock"]),
    ("fuzz", &["clock"]),
    ("kept", &[]),
    ("sdp_book", &["centre::ids"]),
    ("caller", &["centre::ids", "centre::time", "private"]),
    ("number_book", &["centre::ids", "centre::time", "private", "caller"]),
    ("prompts", &["centre::ids", "centre::output", "config"]),
    (
        "sip",
        &[
            "centre::ids",
            "centre::input",
            "centre::output",
            "centre::fact",
            "centre::time",
            "config",
            "clock",
            "private",
            "lanes",
            "vitals",
            "kept",
            "sdp_book",
            "number_book",
            "caller",
        ],
    ),
    (
        "media",
        &[
            "centre::ids",
            "centre::input",
            "centre::output",
            "centre::fact",
            "centre::time",
            "config",
            "clock",
            "private",
            "prompts",
            "lanes",
            "vitals",
            "kept",
            "sdp_book",
        ],
    ),
    ("store", &["centre", "cases", "staffing", "quality", "report", "private", "config", "clock", "caller"]),
    (
        "web",
        &[
            "centre",
            "cases",
            "staffing",
            "quality",
            "report",
            "private",
            "store",
            "config",
            "clock",
            "lanes",
            "number_book",
            "caller",
            "vitals",
        ],
    ),
    ("engine", &["centre", "clock", "journal", "lanes"]),
    ("app", &[""]),
    ("demo", &[""]),
    ("main", &[""]),
    ("commands", &[""]),
    ("lib", &[""]),
];

/// Which rooms alone may use a library. `tower_sessions` is here for the trait that the store's sessions fulfil.
const LIBRARIES: &[(&[&str], &[&str])] = &[
    (&["sqlx", "object_store"], &["store"]),
    (&["axum", "axum_extra", "axum_login", "tower_http", "rust_embed"], &["web"]),
    (&["tower_sessions"], &["web", "store"]),
    // What is answered says its own shape, as it says its own JSON: `centre` and `cases` derive schemas and do nothing else with it.
    (&["utoipa"], &["web", "store", "cases", "centre", "report", "config"]),
    (&["rsipstack"], &["sip"]),
    (&["rtp_rs", "rtcp_types", "sdp_types", "str0m"], &["media"]),
    (&["aes", "aes_gcm", "ctr", "sha1", "zeroize"], &["media"]),
    (&["hound", "audio_codec", "rubato"], &["media", "prompts"]),
    (&["ebur128", "fluent_bundle"], &["prompts"]),
    (&["figment"], &["config"]),
    // `commands` are the subcommands of `main`.
    (&["anyhow"], &["app", "main", "commands", "demo"]),
];

/// Rooms that decide and do nothing else.
const PURE: [&str; 5] = ["centre", "cases", "staffing", "quality", "report"];

/// What a pure room must not touch: IO, tasks, clocks, chance, and maps whose order is chance.
const IMPURE: [&str; 17] = [
    "tokio",
    "tokio_util",
    "std::fs",
    "std::net",
    "std::thread",
    "std::process",
    "std::env",
    "std::time::Instant",
    "std::time::SystemTime",
    "std::collections::HashMap",
    "std::collections::HashSet",
    "rand",
    "getrandom",
    "chrono",
    "socket2",
    "libc",
    "metrics",
];

/// Words that stand nowhere, and why.
const WORDS: [(&str, &str); 4] = [
    ("unbounded_channel", "every queue is bounded, with what happens when it is full"),
    ("todo!", "what is not built is not there"),
    ("unimplemented!", "what is not built is not there"),
    ("dbg!", "tracing tells, and leaves personal data out"),
];

/// Rooms of the tests: what is compiled for tests alone may use them, and nothing else may.
const TEST_ROOMS: [&str; 1] = ["fuzz"];

const LONGEST_FILE: usize = 600;
/// Files that may be longer, each with the length that it may have.
const LONG_FILES: &[(&str, usize)] = &[];

struct Violation {
    file: String,
    line: usize,
    rule: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}", self.file, self.line, self.rule)
    }
}

fn none(found: &[Violation]) {
    let told: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "{} violations\n{}", found.len(), told.join("\n"));
}

fn sources() -> Vec<Source> {
    let found = source::read_all(Path::new("src"));
    assert!(found.len() > 50, "the sources are read from the package's folder");
    found
}

#[test]
fn every_room_uses_only_the_rooms_that_it_may() {
    let sources = sources();
    let rooms: BTreeSet<&str> = sources.iter().map(Source::room).collect();
    let mut found = Vec::new();
    for source in &sources {
        let Some((_, allowed)) = ROOMS.iter().find(|(room, _)| *room == source.room()) else {
            found.push(source.violation(1, format!("the room `{}` is not in the import table", source.room())));
            continue;
        };
        for (line, path) in source.own_paths() {
            let room = path.split("::").next().unwrap_or_default();
            let for_tests = source.is_test && TEST_ROOMS.contains(&room);
            let may = for_tests || room == source.room() || !rooms.contains(room) || allowed.iter().any(|prefix| is_below(&path, prefix));
            if !may {
                found.push(source.violation(line, format!("`{}` may not use `{path}`", source.room())));
            }
        }
    }
    none(&found);
}

#[test]
fn every_library_stays_in_its_rooms() {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test) {
        for (line, path) in source.foreign_paths() {
            let library = path.split("::").next().unwrap_or_default();
            let rooms = LIBRARIES.iter().find(|(names, _)| names.contains(&library)).map(|(_, rooms)| *rooms);
            if rooms.is_some_and(|rooms| !rooms.contains(&source.room())) {
                found.push(source.violation(line, format!("`{library}` belongs to {rooms:?}, not to `{}`", source.room())));
            }
        }
    }
    none(&found);
}

#[test]
fn pure_rooms_do_nothing_but_decide() {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| PURE.contains(&source.room()) && !source.is_test) {
        for (line, path) in source.foreign_paths() {
            if IMPURE.iter().any(|prefix| is_below(&path, prefix)) {
                found.push(source.violation(line, format!("`{}` is pure and may not use `{path}`", source.room())));
            }
        }
        for word in ["async", "await", "HashMap", "HashSet"] {
            let lines = source.lines_with_word(word);
            found.extend(lines.into_iter().map(|line| source.violation(line, format!("`{}` is pure: no `{word}`", source.room()))));
        }
    }
    none(&found);
}

/// Timers of the runtime (`tokio::time`) are not the clock: they say how long, not when.
#[test]
fn only_the_clock_asks_the_system_for_the_time() {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| source.room() != "clock" && !source.is_test) {
        let paths = source.foreign_paths();
        let of_std = |name: &str| paths.iter().any(|(_, path)| *path == format!("std::time::{name}"));
        for (name, reads) in [("Instant", of_std("Instant")), ("SystemTime", of_std("SystemTime"))] {
            let lines = if reads { source.lines_with_word(&format!("{name}::now")) } else { Vec::new() };
            found.extend(lines.into_iter().map(|line| source.violation(line, format!("only `clock` calls `{name}::now`"))));
        }
    }
    none(&found);
}

#[test]
fn what_must_not_stand_in_the_sources_does_not() {
    let mut found = Vec::new();
    for source in sources() {
        for (word, why) in WORDS {
            let lines = source.lines_with_word(word);
            found.extend(lines.into_iter().map(|line| source.violation(line, format!("`{word}`: {why}"))));
        }
    }
    none(&found);
}

#[test]
fn every_file_opens_with_its_question_and_is_short() {
    let mut found = Vec::new();
    let everywhere = ["src", "tests", "tools"].map(|folder| source::read_all(Path::new(folder)));
    for source in everywhere.iter().flatten() {
        if !source.text.starts_with("//! ") {
            found.push(source.violation(1, "the first line says what the file answers, after `//!`".to_owned()));
        }
        let longest = LONG_FILES.iter().find(|(file, _)| *file == source.file).map_or(LONGEST_FILE, |(_, lines)| *lines);
        let lines = source.text.lines().count();
        if lines > longest {
            found.push(source.violation(lines, format!("{lines} lines, more than {longest}: split it")));
        }
    }
    none(&found);
}

impl Source {
    fn violation(&self, line: usize, rule: String) -> Violation {
        Violation { file: self.file.clone(), line, rule }
    }
}

/// Whether a path is the prefix or below it; the empty prefix is above everything.
fn is_below(path: &str, prefix: &str) -> bool {
    prefix.is_empty() || path == prefix || path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with("::"))
}
