//! What happened in this call, and why did each offer go where it went? Its story from the database.

use std::process::ExitCode;

use anyhow::anyhow;
use cityline::centre::ids::CallId;
use cityline::config::Config;
use cityline::store::{CallDetail, Store};

/// Prints the story; numbers of callers stay out of it.
pub async fn run(config: &Config, call: u64) -> anyhow::Result<ExitCode> {
    let store = Store::open(config).await?;
    let detail = store
        .call(CallId(call))
        .await?
        .ok_or_else(|| anyhow!("call {call} is not in the database: see the calls of the page, or wait a second"))?;
    print(&detail);
    let folder = config.data.folder.join("journal");
    let moments = cityline::journal::waits_of(&folder, CallId(call))?;
    if moments.is_empty() {
        println!("the journal holds nothing of its waiting any more");
    }
    let began_ms = moments.first().map_or(0, |first| first.at_ms);
    for moment in &moments {
        let after_ms = moment.at_ms.saturating_sub(began_ms);
        println!("after {}.{:03} s: {}", after_ms / 1000, after_ms % 1000, moment.in_words().join("\n  "));
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

fn print(detail: &CallDetail) {
    println!("{}", serde_json::to_string_pretty(&detail.call).unwrap_or_default());
    for step in &detail.steps {
        println!("step {}", serde_json::to_string(step).unwrap_or_default());
    }
    for wait in &detail.queue_events {
        println!("wait {}", serde_json::to_string(wait).unwrap_or_default());
    }
    for offer in &detail.offers {
        println!("offered to {}: {}", offer.agent, offer.why.0.in_words());
        for (agent, verdict) in &offer.why.0.verdicts {
            println!("  {agent}: {}", verdict.in_words());
        }
    }
}
