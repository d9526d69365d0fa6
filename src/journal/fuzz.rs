//! Can a journal that was damaged, or written by a liar, keep the server from starting? Mutated segments, with and without right checksums.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::fuzz::{Target, feed, fixture, folder, outcome};

const NAMES: [&str; 7] =
    ["recovery1-1", "recovery1-30", "room-call-out-1", "room-refer-1", "room-supervisor-1", "room-three-1", "room-transfers-1"];

const WORDS: [&str; 20] = [
    "\n",
    "null",
    "{}",
    "[]",
    "\"",
    ",",
    "true",
    "\"DeadlineReached\"",
    "{\"Restarted\":{\"downtime_ms\":1}}",
    "\"DrainStarted\"",
    "\"Stopping\"",
    "{\"WallClockStepped\":{\"ms\":-9223372036854775808}}",
    "\"call\":1",
    "\"n\":1",
    "\"n\":32768",
    "\"Bye\"",
    "\"time\":0",
    "\"seq\":1",
    "\"agent\":\"aigul\"",
    "\u{0}",
];

fn seeds() -> Vec<Vec<u8>> {
    NAMES.map(|name| fixture(&format!("tests/fixtures/2026-11-22/{name}.journal"))).to_vec()
}

/// What a server would begin with, and what its database would be told.
fn begins(place: &Path) -> (u64, u64, usize, usize, usize) {
    let replay = load_last(place).unwrap().unwrap();
    assert!(replay.next_seq > 0);
    let told = Tail::after(place, 0).read(100_000).unwrap().len();
    let _ = std::fs::remove_file(segment_path(place, 1).with_extension("damaged"));
    (replay.records, replay.next_seq.min(100), replay.damaged.min(5), replay.poisoned.len(), told)
}

#[test]
fn a_damaged_segment_never_keeps_the_server_from_starting() {
    let place = folder("segments");
    let target =
        Target { name: "journal segments", seeds: seeds(), words: &WORDS, longest: 200_000, bytes: (8_000_000, 300), takes_ms: 3_000 };
    feed(&target, |raw| {
        std::fs::write(segment_path(&place, 1), raw).unwrap();
        outcome(&begins(&place))
    });
    std::fs::remove_dir_all(place).unwrap();
}

/// Every line gets the checksum of what it holds, so that the core meets what no shell would tell it.
#[test]
fn a_segment_that_lies_is_replayed_as_far_as_the_core_can() {
    let place = folder("liars");
    let lines: Vec<Vec<u8>> = seeds()
        .iter()
        .map(|text| text.split(|byte| *byte == b'\n').filter_map(|line| line.get(9..)).collect::<Vec<_>>().join(&b'\n'))
        .collect();
    let target =
        Target { name: "journal records", seeds: lines, words: &WORDS, longest: 200_000, bytes: (60_000_000, 2_000), takes_ms: 10_000 };
    feed(&target, |raw| {
        let mut text = Vec::with_capacity(raw.len() + 1_000);
        for line in raw.split(|byte| *byte == b'\n') {
            text.extend_from_slice(format!("{:08x} ", crc32fast::hash(line)).as_bytes());
            text.extend_from_slice(line);
            text.push(b'\n');
        }
        std::fs::write(segment_path(&place, 1), text).unwrap();
        let begun = begins(&place);
        assert_eq!(begun.3, 0, "the core panicked over a record");
        outcome(&begun)
    });
    std::fs::remove_dir_all(place).unwrap();
}
