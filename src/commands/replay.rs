//! Does the core still decide what it decided live? Replays one segment and compares every output hash.

use std::path::Path;
use std::process::ExitCode;

use cityline::journal::replay_file;

/// Prints what the replay came to; fails when a record differs.
pub fn run(file: &Path) -> anyhow::Result<ExitCode> {
    let replay = replay_file(file)?;
    println!("{} records, {} calls up at the end", replay.records, replay.centre.calls_up());
    if replay.torn {
        println!("the last line is incomplete: the process ended, or is writing it");
    }
    if replay.differing.is_empty() {
        println!("every output and every fact is the same");
        return Ok(ExitCode::SUCCESS);
    }
    println!("{} records came out otherwise: {:?}", replay.differing.len(), &replay.differing[..replay.differing.len().min(20)]);
    println!("this version decides otherwise than the one that wrote the file; replay it with that one");
    Ok(ExitCode::FAILURE)
}
