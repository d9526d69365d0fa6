//! The command line: serve, demo, check, answer, replay, explain, verify, simulate, openapi, prompts, user.

mod commands;

use std::path::PathBuf;
use std::process::ExitCode;

use cityline::store::Role;
use clap::{Args, Parser, Subcommand};

/// The call-handling server behind a city's short number.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    /// Settings file; without it the embedded settings run a centre on loopback.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Answer calls until told to stop (Ctrl-C or SIGTERM).
    Serve,
    /// A demo city: this server, with callers and operators from a process of their own.
    Demo(DemoArgs),
    /// Check settings, dialplans, prompts and folders, and print everything that is wrong with its mend.
    Check,
    /// Take an organisation's answer by mail: a letter from standard input, as a mail server gives it.
    Answer,
    /// Run a segment of the journal again and compare every output and fact with those that ran live.
    Replay {
        /// A file of the journal folder.
        file: PathBuf,
    },
    /// Tell a call's story: its steps, its waits, and why each offer went where it went.
    Explain {
        /// The call's number.
        call: u64,
    },
    /// Walk the whole history of the register and name the first break, if there is one.
    Verify {
        /// A file of seals that lay elsewhere, a line each.
        #[arg(long, value_name = "FILE")]
        seal: Option<PathBuf>,
    },
    /// Simulate a day with the real core in virtual time, and print service level, waits and occupancy by half hour.
    Simulate {
        /// The scenario: calls, talks, patience and operators; tools/simulate has examples.
        file: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
        /// Print how good the waits were that callers were told.
        #[arg(long)]
        estimates: bool,
        /// Print the callers instead, as `cityline-load --mode day` plays them to a server.
        #[arg(long, conflicts_with_all = ["json", "estimates"])]
        draw: bool,
    },
    /// Print the OpenAPI document of the HTTP interface.
    Openapi,
    /// Sounds: speak them, or check them.
    #[command(subcommand)]
    Prompts(PromptsCommand),
    /// Accounts of operators, quality staff, supervisors and administrators.
    #[command(subcommand)]
    User(UserCommand),
    /// The demo's callers and operators, against any server.
    #[command(hide = true)]
    City(CityArgs),
}

#[derive(Subcommand)]
enum PromptsCommand {
    /// Speak the texts with espeak-ng, take recorded files where there are some, level them all.
    Build {
        /// Folder of texts, manifest and recorded files; without it the embedded texts.
        #[arg(long)]
        from: Option<PathBuf>,
    },
    /// Check that every sound is there and as loud as it should be.
    Check,
}

#[derive(Subcommand)]
enum UserCommand {
    /// Add an account or change its role and password, which is read from the first line of standard input.
    Add {
        /// The name to log in with; an operator's is the name in the settings.
        name: String,
        /// operator, quality, supervisor, administrator, organisation or city.
        #[arg(long)]
        role: Role,
        /// The organisation that the account speaks for, with the role organisation.
        #[arg(long, required_if_eq("role", "organisation"))]
        organisation: Option<String>,
        /// A group whose restricted topics the account sees; may be given several times.
        #[arg(long)]
        group: Vec<String>,
    },
    /// Remove an account.
    Remove {
        /// Its name.
        name: String,
    },
    /// Take an account's second factor away, for somebody who has lost the telephone: no code is asked for until a new one is set up.
    ForgetCode {
        /// The account's name.
        name: String,
    },
    /// List the accounts.
    List,
}

/// How the demo's city behaves.
#[derive(Args, Clone)]
struct DemoArgs {
    /// Calls that come in a minute, on average.
    #[arg(long, default_value_t = 12.0)]
    calls_per_minute: f64,
    /// The same seed makes the same city.
    #[arg(long, default_value_t = 109)]
    seed: u64,
    /// Seconds until the summary; without it the demo runs until Ctrl-C.
    #[arg(long)]
    duration: Option<u64>,
    /// Write the summary as JSON to this file.
    #[arg(long)]
    report: Option<PathBuf>,
}

/// Which server the city calls.
#[derive(Args)]
struct CityArgs {
    /// Its SIP address, host and port.
    #[arg(long)]
    target: String,
    #[command(flatten)]
    demo: DemoArgs,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match commands::run(cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("cityline: {error:#}");
            ExitCode::FAILURE
        }
    }
}
