//! Would the server start and serve? Checks settings, folders, prompts and dialplans, and prints all that is wrong, and what is right
//! but leads nowhere.

use std::path::Path;
use std::process::ExitCode;

use cityline::centre::settings::Settings;
use cityline::config::Config;
use cityline::config::edited::{self, Edited};
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
    edited(&config).iter().for_each(|told| println!("! {told}"));
    let store = tell("database and folders", Store::open(&config).await.map(drop).map_err(|error| error.to_string()));
    let prompts = tell("prompts", prompts_of(&config));
    let plans = plans_of(&config);
    let nowhere = plans.as_ref().map_or_else(|_| Vec::new(), |settings| in_vain(settings, &config));
    let plans = tell("dialplans, queues and calendars", plans.map(drop));
    nowhere.iter().for_each(|warning| println!("! {warning}"));
    let certificates = cityline::sip::check_tls(&config.sip).map_err(|error| error.to_string());
    let certificates = certificates.and_then(|()| cityline::web::check_tls(&config.web).map_err(|error| error.to_string()));
    let certificates = tell("certificates", certificates);
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

/// Steps that are right and lead nowhere, as things stand.
fn in_vain(settings: &Settings, config: &Config) -> Vec<String> {
    let steps = settings.numbers.iter().flat_map(|(number, plan)| plan.steps.iter().map(move |(id, step)| (number, id, &step.action)));
    steps.filter_map(|(number, step, action)| Some(format!("number {number}, step {step}: {}", config.in_vain(action)?))).collect()
}

/// That the settings file is not all that holds.
fn edited(config: &Config) -> Option<String> {
    let folder = &config.data.folder;
    let edited = Edited::read(edited::text(folder).ok()?.as_deref()).ok()?;
    let sections = edited.sections();
    (!sections.is_empty()).then(|| {
        format!("{} of the administrator's screen lie over the settings file: {}", edited::path(folder).display(), sections.join(", "))
    })
}
