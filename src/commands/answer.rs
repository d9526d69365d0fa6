//! How does an organisation answer by mail? The city's mail server gives each letter to `cityline answer`, which does to the case what it says.

use std::io::Read as _;
use std::process::ExitCode;

use anyhow::ensure;
use cityline::app::{LONGEST_LETTER, caller_key, take_answer};
use cityline::clock::Clock;
use cityline::config::Config;
use cityline::store::Store;

/// The letter cannot be taken (`EX_DATAERR` of sysexits.h): the mail server returns it to its sender with what was written to standard error.
const UNUSABLE: u8 = 65;

/// Reads a letter from standard input.
pub async fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let mut letter = Vec::new();
    let most = u64::try_from(LONGEST_LETTER).unwrap_or(u64::MAX);
    std::io::stdin().take(most + 1).read_to_end(&mut letter)?;
    ensure!(letter.len() <= LONGEST_LETTER, "the letter is longer than 25 MB; send photos in the register itself");
    let store = Store::open(config).await?;
    let taken = take_answer(&store, &caller_key(&config.data.folder)?, &letter, Clock::of_process().now()).await;
    store.close().await;
    match taken {
        Ok(case) => {
            println!("{} is {}", case.number, case.state);
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            eprintln!("cityline: {error:#}");
            Ok(ExitCode::from(UNUSABLE))
        }
    }
}
