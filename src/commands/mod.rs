//! Which command does what? Each has a file; here they are chosen, with the settings and the log that they need.

mod answer;
mod check;
mod explain;
mod prompts;
mod replay;
mod simulate;
mod user;
mod verify;

use std::process::ExitCode;

use cityline::config::Config;
use cityline::store::Standing;
use cityline::{app, demo};
use tracing_subscriber::EnvFilter;

use super::{Cli, Command, DemoArgs, PromptsCommand, UserCommand};

/// The memory that a call takes stays small when threads share their heaps: more of them only spread it. On one core a second one
/// would only pass the engine's and signalling's work to and fro.
const MOST_WORKER_THREADS: usize = 2;

/// What is left of tasks when everything has been ended may take so long.
const LAST_TASKS: std::time::Duration = std::time::Duration::from_secs(2);

/// What a server says of itself. Parsers of what strangers send to the pages' port say nothing: a line for each datagram would be theirs to write.
const SERVING: &str = "cityline=info,warn,is=error,str0m=error,dimpl=error";

/// Runs the chosen command to its end.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let config = || Config::load(cli.config.as_deref());
    match cli.command {
        Command::Serve => {
            log(SERVING);
            let runtime = runtime()?;
            let served = runtime.block_on(app::serve(config()?, cli.config.clone()));
            // A task that hangs must not keep the process from its end.
            runtime.shutdown_timeout(LAST_TASKS);
            served.map(|()| ExitCode::SUCCESS)
        }
        Command::Demo(args) => {
            log("cityline=warn,error");
            runtime()?.block_on(demo::run(cli.config.clone(), options(&args))).map(|()| ExitCode::SUCCESS)
        }
        Command::City(args) => demo::city(&args.target, &options(&args.demo)).map(|()| ExitCode::SUCCESS),
        Command::Check => Ok(runtime()?.block_on(check::run(cli.config.as_deref()))),
        Command::Replay { file } => replay::run(&file),
        Command::Answer => runtime()?.block_on(answer::run(&config()?)),
        Command::Explain { call } => runtime()?.block_on(explain::run(&config()?, call)),
        Command::Simulate { file, draw: true, .. } => simulate::draw(&file),
        Command::Simulate { file, json, estimates, draw: false } => simulate::run(&file, json, estimates),
        Command::Openapi => {
            print!("{}", cityline::web::openapi());
            Ok(ExitCode::SUCCESS)
        }
        Command::Prompts(PromptsCommand::Build { from }) => prompts::build(&config()?, from.as_deref()),
        Command::Prompts(PromptsCommand::Check) => prompts::check(&config()?),
        Command::Verify { seal } => runtime()?.block_on(verify::run(&config()?, seal.as_deref())),
        Command::User(UserCommand::Add { name, role, organisation, group }) => {
            let standing = Standing { role, organisation, groups: group };
            runtime()?.block_on(user::add(&config()?, &name, standing))
        }
        Command::User(UserCommand::Remove { name }) => runtime()?.block_on(user::remove(&config()?, &name)),
        Command::User(UserCommand::ForgetCode { name }) => runtime()?.block_on(user::forget_code(&config()?, &name)),
        Command::User(UserCommand::List) => runtime()?.block_on(user::list(&config()?)),
    }
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    tokio::runtime::Builder::new_multi_thread().worker_threads(cores.min(MOST_WORKER_THREADS)).enable_all().build()
}

fn log(otherwise: &str) {
    let filter = EnvFilter::try_from_env("CITYLINE_LOG").unwrap_or_else(|_| EnvFilter::new(otherwise));
    // A log that cannot be written, on a full disk for one, is lost: a word about that would go the same way, and end the process.
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).log_internal_errors(false).init();
}

fn options(args: &DemoArgs) -> demo::Options {
    demo::Options { calls_per_minute: args.calls_per_minute, seed: args.seed, duration_s: args.duration, report: args.report.clone() }
}
