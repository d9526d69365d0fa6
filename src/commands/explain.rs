//! What happened in this call, and why did each offer go where it went? Its story from the database.

use std::process::ExitCode;

use anyhow::anyhow;
use cityline::centre::explanation::Verdict;
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
        println!("offered to {}: {:?}, needed {:?}", offer.agent, offer.why.0.rule, offer.why.0.needed);
        for (agent, verdict) in &offer.why.0.verdicts {
            println!("  {agent}: {}", in_words(verdict));
        }
    }
}

fn in_words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Chosen { idle_ms } => format!("chosen, idle for {} s", idle_ms / 1000),
        Verdict::Eligible { idle_ms } => format!("could have taken it, idle for {} s", idle_ms / 1000),
        Verdict::Lacks { skills } => format!("lacks {}", skills.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
        Verdict::NotReady { state } => format!("was {state}"),
    }
}
