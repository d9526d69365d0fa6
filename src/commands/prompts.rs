//! Are the sounds there, and as they should be? Builds and checks them, and prints every fault with its mend.

use std::path::Path;
use std::process::ExitCode;

use anyhow::anyhow;
use cityline::config::Config;
use cityline::prompts::{self, PromptsError, Source};

/// Speaks what has changed since the last time.
pub fn build(config: &Config, from: Option<&Path>) -> anyhow::Result<ExitCode> {
    let source = source(from)?;
    let report = prompts::build(&source, &config.prompts()).map_err(all)?;
    println!(
        "{} sounds in {}: {} spoken, {} recorded, {} unchanged",
        report.files,
        config.prompts().display(),
        report.spoken,
        report.recorded,
        report.unchanged
    );
    Ok(ExitCode::SUCCESS)
}

/// Measures every sound.
pub fn check(config: &Config) -> anyhow::Result<ExitCode> {
    let voices = prompts::check(&config.prompts(), &source(None)?.manifest).map_err(all)?;
    for (language, lufs) in voices {
        println!("{language}: {lufs:.1} LUFS");
    }
    Ok(ExitCode::SUCCESS)
}

fn source(from: Option<&Path>) -> anyhow::Result<Source> {
    from.map_or_else(Source::embedded, Source::read).map_err(all)
}

fn all(errors: Vec<PromptsError>) -> anyhow::Error {
    anyhow!("{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}
