//! Who calls and who answers in the demo? The city's own process: it speaks SIP and RTP to a target and reports once a second.

use std::io::{Read, Write};
use std::net::SocketAddrV4;
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use cityline_phone::city::summary::{CallerSummary, OperatorSummary};
use cityline_phone::city::{CallerOptions, OperatorOptions, run_callers, run_operators};
use cityline_phone::sip::digest::Credentials;
use serde::{Deserialize, Serialize};

use super::Options;
use crate::config::Config;

/// A demo without an end stops after a day: nobody watches it for longer.
const A_DAY: Duration = Duration::from_secs(86_400);
/// Operators work a little longer than callers come, so that the last talks end well.
const OPERATORS_STAY: Duration = Duration::from_secs(20);

/// What the city tells, one JSON object a line.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CityReport {
    /// What the callers met.
    pub callers: Option<CallerSummary>,
    /// What the operators did.
    pub operators: Option<OperatorSummary>,
}

enum Told {
    Callers(CallerSummary),
    Operators(OperatorSummary),
}

/// `cityline city`: callers and operators against `target`, until their time is over or standard input closes.
pub fn city(target: &str, options: &Options) -> anyhow::Result<()> {
    let target: SocketAddrV4 = target.parse().map_err(|_| anyhow!("--target {target:?} is no address: write it as 127.0.0.1:5060"))?;
    let (tell, told) = mpsc::sync_channel(16);
    start_callers(target, options, tell.clone());
    start_operators(target, options, tell)?;
    std::thread::spawn(end_with_input);
    let mut report = CityReport::default();
    let mut out = std::io::stdout().lock();
    for told in told {
        match told {
            Told::Callers(summary) => report.callers = Some(summary),
            Told::Operators(summary) => report.operators = Some(summary),
        }
        writeln!(out, "{}", serde_json::to_string(&report)?).context("nobody reads the city's reports")?;
    }
    Ok(())
}

fn start_callers(target: SocketAddrV4, options: &Options, tell: mpsc::SyncSender<Told>) {
    let mut callers = CallerOptions::for_target(target);
    callers.calls_per_minute = options.calls_per_minute;
    callers.seed = options.seed;
    callers.duration = options.duration_s.map_or(A_DAY, Duration::from_secs);
    callers.patience = Duration::from_secs(60);
    callers.residents = super::history::RESIDENTS;
    std::thread::spawn(move || {
        let ended = run_callers(&callers, &mut |summary| drop(tell.send(Told::Callers(summary.clone()))));
        report_end(ended.map(|summary| drop(tell.send(Told::Callers(summary)))));
    });
}

fn start_operators(target: SocketAddrV4, options: &Options, tell: mpsc::SyncSender<Told>) -> anyhow::Result<()> {
    let phones = Config::load(None)?.operators.into_values().filter_map(|operator| operator.phone);
    let accounts = phones.map(|phone| Credentials { user: phone.user, password: phone.password.into_inner() }).collect();
    let mut operators = OperatorOptions::for_target(target, accounts);
    operators.seed = options.seed;
    operators.duration = options.duration_s.map_or(A_DAY, |seconds| Duration::from_secs(seconds) + OPERATORS_STAY);
    operators.talk = Duration::from_secs(15);
    std::thread::spawn(move || {
        let ended = run_operators(&operators, &mut |summary| drop(tell.send(Told::Operators(summary.clone()))));
        report_end(ended.map(|summary| drop(tell.send(Told::Operators(summary)))));
    });
    Ok(())
}

fn report_end<T, E: std::fmt::Display>(ended: Result<T, E>) {
    if let Err(error) = ended {
        eprintln!("the city: {error}");
    }
}

/// The demo that started this process is gone, or has had enough.
fn end_with_input() {
    let mut byte = [0u8; 1];
    while matches!(std::io::stdin().read(&mut byte), Ok(read) if read > 0) {}
    std::process::exit(0);
}
