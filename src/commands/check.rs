//! Would the server start and serve? Checks settings, folders, prompts and dialplans, and prints all that is wrong, and what is right
//! but leads nowhere.

use std::path::Path;
use std::process::ExitCode;

use cityline::centre::dialplan::Action;
use cityline::centre::ids::{NumberId, StepId};
use cityline::centre::settings::Settings;
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
    let plans = plans_of(&config);
    let nowhere = plans.as_ref().map_or_else(|_| Vec::new(), |settings| dialled_in_vain(settings, &config));
    let plans = tell("dialplans, queues and calendars", plans.map(drop));
    nowhere.iter().for_each(|warning| println!("! {warning}"));
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
fn plans_of(config: &Config) -> Result<Settings, String> {
    let source = Source::embedded().map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    config.centre_settings(source.manifest.vocabulary(), 1).map_err(|error| error.to_string())
}

/// Steps that dial a number where no trunk takes calls to the outside: their callers hear that it failed, and go on from there.
fn dialled_in_vain(settings: &Settings, config: &Config) -> Vec<String> {
    if config.trunks.values().any(|trunk| !trunk.to.is_empty()) {
        return Vec::new();
    }
    let dials = |number: &NumberId, step: &StepId, action: &Action| match action {
        Action::Dial { party, address, failed, .. } if !address.starts_with("sip") => Some(format!(
            "number {number}, step {step}: {party} is dialled at {address}, and no trunk says where calls to the outside go; \
             give a trunk its `to`, or every caller goes on at step {failed}"
        )),
        _ => None,
    };
    let steps = settings.numbers.iter().flat_map(|(number, plan)| plan.steps.iter().map(move |(id, step)| (number, id, &step.action)));
    steps.filter_map(|(number, step, action)| dials(number, step, action)).collect()
}
