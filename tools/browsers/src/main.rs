//! What does a browser leg cost the server? Operators' pages sign in, connect their sound, take calls and count what they hear.
//!
//! `cityline-browsers WEB PAGES SECONDS PID REPORT`: PAGES operators page001 … with the password `pw-` and their name sign in at WEB, are
//! ready, and take whatever they are offered. When all of them talk, the server's process PID is measured for SECONDS.

mod page;
mod process;

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::watch;

use page::{Heard, Page, Phase};

/// Pages that connect at once: an operators' shift does not begin within a second.
const AT_ONCE: usize = 8;
/// All pages talk within this, or the run is over.
const TALKS: Duration = Duration::from_secs(180);
/// What is left of the ramp-up is not measured.
const SETTLES: Duration = Duration::from_secs(5);

struct Run {
    web: String,
    pages: usize,
    seconds: u64,
    pid: u32,
    report: String,
}

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [web, pages, seconds, pid, report] = <[String; 5]>::try_from(words).map_err(|_| "usage: cityline-browsers WEB PAGES SECONDS PID REPORT")?;
    let run = Run { web, pages: pages.parse()?, seconds: seconds.parse()?, pid: pid.parse()?, report };
    tokio::runtime::Runtime::new()?.block_on(measure(run))
}

async fn measure(run: Run) -> Result<(), Box<dyn Error + Send + Sync>> {
    let (phase, phases) = watch::channel(Phase::Begins);
    let heard = Arc::new(Heard::default());
    let mut connected_ms = Vec::new();
    let mut pages = Vec::new();
    let names: Vec<String> = (1..=run.pages).map(|n| format!("page{n:03}")).collect();
    for some in names.chunks(AT_ONCE) {
        let opened = some.iter().map(|name| Page::open(&run.web, name, phases.clone(), heard.clone()));
        for page in futures_util::future::join_all(opened).await {
            let page = page?;
            connected_ms.push(page.connected_ms);
            pages.push(tokio::spawn(page.work()));
        }
    }
    println!("{} pages are ready", pages.len());
    let limit = Instant::now() + TALKS;
    while heard.talking() < run.pages {
        if Instant::now() > limit {
            return Err(format!("{} of {} pages talk", heard.talking(), run.pages).into());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(SETTLES).await;
    println!("all talk");
    phase.send(Phase::Measured)?;
    let (before, began) = (process::times(run.pid)?, Instant::now());
    let own_before = process::times(std::process::id())?;
    tokio::time::sleep(Duration::from_secs(run.seconds)).await;
    let (after, took) = (process::times(run.pid)?, began.elapsed());
    let own_after = process::times(std::process::id())?;
    phase.send(Phase::Over)?;
    for page in pages {
        page.await?;
    }
    let share = |before: f64, after: f64| (after - before) / took.as_secs_f64() * 100.0;
    let server = share(before.all_s, after.all_s);
    let report = json!({
        "pages": run.pages,
        "window_s": took.as_secs_f64(),
        "server_percent_of_a_core": server,
        "pages_thread_percent_of_a_core": share(before.pages_s, after.pages_s),
        "media_threads_percent_of_a_core": share(before.media_s, after.media_s),
        "generator_percent_of_a_core": share(own_before.all_s, own_after.all_s),
        "percent_of_a_core_a_page": server / run.pages as f64,
        "server_memory_mb": after.memory_mb,
        "packets_heard": heard.packets(),
        "packets_lost": heard.lost(),
        "packets_expected": (took.as_secs_f64() * 50.0 * run.pages as f64).round(),
        "connected_ms": quantiles(&mut connected_ms),
        "answered_ms": quantiles(&mut heard.answered_ms()),
    });
    std::fs::write(&run.report, serde_json::to_string_pretty(&report)?)?;
    println!("{report}");
    Ok(())
}

/// Median, nine of ten, ninety-nine of a hundred, and the longest.
fn quantiles(all: &mut [f64]) -> Value {
    all.sort_by(f64::total_cmp);
    let at = |share: f64| all.get(((all.len() as f64 * share) as usize).min(all.len().saturating_sub(1))).copied();
    json!({ "p50": at(0.5), "p90": at(0.9), "p99": at(0.99), "longest": at(1.0), "count": all.len() })
}
