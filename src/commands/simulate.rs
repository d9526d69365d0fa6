//! What would a day be like? Simulates a scenario's file with the real core, and prints the figures or how good its estimates were.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use cityline::clock::Clock;
use cityline::staffing::estimates::Estimates;
use cityline::staffing::scenario::Scenario;
use cityline::staffing::simulate::simulate_and_watch;
use cityline::staffing::table::Figures;

/// Prints the figures by half hour; with `estimates` what callers were told against what they waited. The time that it took goes to
/// standard error, so that the same scenario prints the same.
pub fn run(file: &Path, json: bool, estimates: bool) -> anyhow::Result<ExitCode> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let scenario = Scenario::read(&text).with_context(|| file.display().to_string())?;
    let clock = Clock::of_process();
    let begun = clock.now();
    let mut told = Estimates::default();
    let simulated = simulate_and_watch(&scenario, |at, fact| {
        if estimates {
            told.apply(at, fact);
        }
    });
    let took = clock.now() - begun;
    let printed = match (estimates, json) {
        (false, false) => Figures::of(&scenario, &simulated).table(),
        (false, true) => serde_json::to_string_pretty(&Figures::of(&scenario, &simulated))? + "\n",
        (true, false) => told.measured().table(),
        (true, true) => serde_json::to_string_pretty(&told.measured())? + "\n",
    };
    print!("{printed}");
    eprintln!("{} calls, {} inputs to the core, {:.2} s", simulated.calls, simulated.inputs, took.as_secs_f64());
    Ok(ExitCode::SUCCESS)
}
