//! Can this version read what a former one wrote? Journals, and what was kept of live calls, of the days that the folders' names say.
//!
//! A fixture never changes. A decision that was mended comes out otherwise: the records that differ stand here with the reason.

use std::path::{Path, PathBuf};

use cityline::journal::replay_file;
use cityline::media;
use cityline::sip;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/2026-11-22");

/// File, its records, and those that come out otherwise: where a wrap-up begins, its end is told since operators may extend it.
const JOURNALS: [(&str, u64, &[u64]); 7] = [
    ("recovery1-1", 29, &[]),
    ("recovery1-30", 18, &[44]),
    ("room-call-out-1", 15, &[]),
    // A REFER to a colleague by a call of their own makes the call to that colleague carry Replaces.
    ("room-refer-1", 30, &[15, 23, 26, 28]),
    ("room-supervisor-1", 28, &[21, 25]),
    ("room-three-1", 23, &[21]),
    ("room-transfers-1", 33, &[18, 26]),
];

#[test]
fn journals_of_former_versions_replay() {
    for (name, records, differing) in JOURNALS {
        let replay = replay_file(&Path::new(FIXTURES).join(format!("{name}.journal"))).unwrap();
        assert_eq!(replay.records, records, "{name}");
        assert_eq!(replay.differing, differing, "{name}");
    }
}

/// Four who waited and one talk: their dialogs and their sound, of the residents and of the operator's phone.
#[test]
fn what_a_former_version_kept_of_live_calls_is_read() {
    let folder = copied(&Path::new(FIXTURES).join("live"));
    let legs = sip::Survivors::open(&folder).unwrap().legs();
    assert_eq!(legs.len(), 6, "{legs:?}");
    let sound = media::Survivors::open(&folder, &legs).unwrap();
    assert_eq!(sound.records.len(), 6);
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Whoever opens these files writes to them.
fn copied(from: &Path) -> PathBuf {
    let to = std::env::temp_dir().join(format!("cityline-golden-{}", std::process::id()));
    std::fs::create_dir_all(&to).unwrap();
    for file in std::fs::read_dir(from).unwrap().flatten() {
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
    to
}
