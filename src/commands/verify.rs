//! Is the register's history whole? Walks all of it, against the seals of the database and of a file from elsewhere.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use cityline::cases::chain::Seal;
use cityline::clock::Clock;
use cityline::config::Config;
use cityline::store::{Store, VerifyError};

/// Prints what was walked; fails at the first break, and names it.
pub async fn run(config: &Config, file: Option<&Path>) -> anyhow::Result<ExitCode> {
    let seals = match file {
        Some(file) => read(file)?,
        None => Vec::new(),
    };
    let store = Store::open(config).await?;
    let clock = Clock::of_process();
    let begun = clock.now();
    let verified = store.verify(&seals).await;
    let took = clock.now() - begun;
    store.close().await;
    match verified {
        Ok(found) => {
            println!(
                "the history is whole: {} events, {} words, {} erased by law, {} cases, {} files, {} seals",
                found.events, found.words, found.erased, found.cases, found.files, found.seals
            );
            println!("head {} at place {}; {:.1} s, {} MB at most", found.head, found.events, took.as_secs_f64(), peak_mb());
            if file.is_none() {
                println!("note: only seals that lie elsewhere tell of a chain that was written anew; name them by --seal FILE");
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(VerifyError::Store(error)) => Err(error.into()),
        Err(broken) => {
            println!("THE HISTORY IS NOT WHOLE: {broken}");
            println!("keep the database as it is, compare it with a backup from before, and ask who could write it");
            Ok(ExitCode::FAILURE)
        }
    }
}

fn read(file: &Path) -> anyhow::Result<Vec<Seal>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("the seals of {} cannot be read", file.display()))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| line.parse::<Seal>().with_context(|| file.display().to_string())).collect()
}

/// The most memory that the process had, in megabytes; 0 where the system does not tell.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kb =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")).and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kb.unwrap_or_default() / 1024
}
