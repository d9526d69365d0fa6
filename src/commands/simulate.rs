//! What would a day be like? Simulates a scenario's file with the real core, and prints the figures or how good its estimates were.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use cityline::clock::Clock;
use cityline::staffing::callers::Callers;
use cityline::staffing::estimates::Estimates;
use cityline::staffing::scenario::Scenario;
use cityline::staffing::simulate::simulate_and_watch;
use cityline::staffing::table::Figures;

/// Prints who calls when: milliseconds from the first midnight, the number dialled, patience (empty where nobody gives up) and talk.
pub fn draw(file: &Path) -> anyhow::Result<ExitCode> {
    let scenario = read(file)?;
    let mut text = "at_ms,number,patience_ms,talk_ms\n".to_owned();
    for caller in Callers::all(&scenario) {
        let patience = caller.patience_ms.map_or(String::new(), |ms| ms.to_string());
        text += &format!("{},{}-{},{patience},{}\n", caller.at_ms, caller.queue, caller.language, caller.talk_ms);
    }
    print!("{text}");
    Ok(ExitCode::SUCCESS)
}

fn read(file: &Path) -> anyhow::Result<Scenario> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    Scenario::read(&text).with_context(|| file.display().to_string())
}

/// Prints the figures by half hour; with `estimates` what callers were told against what they waited. The time that it took goes to
/// standard error, so that the same scenario prints the same.
pub fn run(file: &Path, json: bool, estimates: bool) -> anyhow::Result<ExitCode> {
    let scenario = read(file)?;
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
