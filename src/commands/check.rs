//! Would the server start and serve? Checks settings, folders, prompts and dialplans, and prints all that is wrong.

use std::path::Path;
use std::process::ExitCode;

use cityline::config::Config;
use cityline::prompts::{self, Source};
use cityline::store::Store;

/// Prints one line a matter; fails when anything is wrong.
pub async fn run(file: Option<&Path>) -> ExitCode {
    let config = match Config::load(file) {
        Ok(config) => config,
        Err(error) => {
            println!("✗ {error}");
            return ExitCode::FAILURE;
        }
    };
    println!("✓ settings");
    let store = tell("database and folders", Store::open(&config).await.map(drop).map_err(|error| error.to_string()));
    let prompts = tell("prompts", prompts_of(&config));
    let plans = tell("dialplans, queues and calendars", plans_of(&config));
    let certificates = tell("certificates", cityline::sip::check_tls(&config.sip).map_err(|error| error.to_string()));
    if store && prompts && plans && certificates { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn tell(what: &str, found: Result<(), String>) -> bool {
    match &found {
        Ok(()) => println!("✓ {what}"),
        Err(why) => println!("✗ {what}\n{why}"),
    }
    found.is_ok()
}

fn prompts_of(config: &Config) -> Result<(), String> {
    let all = |errors: Vec<prompts::PromptsError>| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let source = Source::embedded().map_err(all)?;
    prompts::check(&config.prompts(), &source.manifest).map(drop).map_err(all)
}

/// Plans are checked against the manifest, so that they can be mended before any sound is there.
fn plans_of(config: &Config) -> Result<(), String> {
    let source = Source::embedded().map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    config.centre_settings(source.manifest.vocabulary(), 1).map(drop).map_err(|error| error.to_string())
}
