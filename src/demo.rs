//! What does a city look like when it calls? `cityline demo`: a server with a past, and residents and operators from a process of their own.

mod city;
mod executors;
mod history;
mod live;
mod resident;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use serde::Serialize;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::app::{App, Surroundings};
use crate::centre::time::Time;
use crate::clock::Clock;
use crate::config::{AlertRule, Config, Operator};
use crate::private::Private;
use crate::prompts::{self, Source};
use crate::report::alerts::Kind;
use crate::store::{Role, Standing};
use crate::web::DemoAccount;

use city::CityReport;
pub use city::city;

/// The demo's folder below that of the settings.
const FOLDER: &str = "demo";
/// The password of every account of the demo. The demo listens on loopback alone.
const PASSWORD: &str = "demo-demo";
/// The operator whose desk is free for whoever looks at the demo.
const VISITOR: &str = "asel";
/// Robots write nothing down; a visitor can still read what was.
const WRAP_UP_MS: u64 = 10_000;
/// A wait of more seconds than this is an alert.
const LONG_WAIT_S: u64 = 45;
/// The city's process has this long to end by itself after its last report.
const CITY_ENDS: Duration = Duration::from_secs(5);

/// How the demo's city behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// Calls that come in a minute, on average.
    pub calls_per_minute: f64,
    /// The same seed makes the same city.
    pub seed: u64,
    /// Seconds that calls come in; none for until Ctrl-C.
    pub duration_s: Option<u64>,
    /// Where the summary goes as JSON.
    pub report: Option<PathBuf>,
}

/// What the demo was, in figures: the city's own, and the server's.
#[derive(Serialize)]
struct Summary {
    calls: u64,
    answered: u64,
    abandoned: u64,
    recordings: i64,
    recorded_ms: i64,
    waiting: cityline_phone::city::summary::Times,
    /// Share of talks in which operators heard the caller.
    heard_share: f64,
    city: CityReport,
}

/// Runs the demo until its time is over or Ctrl-C, and prints its summary.
pub async fn run(file: Option<PathBuf>, options: Options) -> anyhow::Result<()> {
    let folder = Config::load(file.as_deref())?.data.folder.join(FOLDER);
    let config = demo_config(Config::load_in(file.as_deref(), &folder)?);
    speak_prompts(&config)?;
    let clock = Clock::of_process();
    std::fs::create_dir_all(&config.data.folder).with_context(|| format!("the folder {} cannot be made", config.data.folder.display()))?;
    let past = history::write(&config, options.seed, clock.now())?;
    let people = people(&config);
    let app = App::start_in(
        config.clone(),
        Surroundings { file, demo: shown(&config, &people), demo_number: Some(resident::NUMBER), shape: demo_config },
    )
    .await?;
    accounts(&app, people, clock).await?;
    history::cases(&app.store, &past, clock.now()).await?;
    resident::write(&app.store, &config.data.folder, clock.now()).await?;
    greet(&app);

    let mut child = start_city(&app, &options)?;
    let mut lines = BufReader::new(child.stdout.take().context("the city has no output")?).lines();
    let started = clock.now();
    let last = follow(&app, &mut lines).await?;
    end_city(child, &mut lines).await;
    let summary = sum_up(&app, last, started).await?;
    app.stop().await?;
    print_summary(&summary);
    if let Some(path) = &options.report {
        let text = serde_json::to_string_pretty(&summary)?;
        std::fs::write(path, text).with_context(|| format!("the report {} cannot be written", path.display()))?;
    }
    Ok(())
}

/// The demo's operators work on robot phones without a desk, but for one who waits for whoever looks at the demo; its data lie apart from
/// a real centre's.
fn demo_config(mut config: Config) -> Config {
    let prompts = config.prompts();
    config.data.prompts = prompts;
    config.data.folder = config.data.folder.join(FOLDER);
    config.web.own_certificate = config.web.certificate.is_none();
    for operator in config.operators.values_mut() {
        operator.ready_when_registered = operator.phone.is_some();
    }
    if config.media.webrtc_port != 0 {
        let visitor = visitor(&config);
        config.operators.entry(VISITOR.to_owned()).or_insert(visitor);
    }
    for queue in config.queues.values_mut() {
        queue.wrap_up_ms.get_or_insert(WRAP_UP_MS);
    }
    if config.alerts.is_empty() {
        config.alerts = alerts();
    }
    config
}

/// Of what the demo's supervisor is alerted: a wait that is too long, and a queue that nobody serves.
fn alerts() -> Vec<AlertRule> {
    let rule = |kind, above| AlertRule { kind, queue: None, above, below: None, for_s: 5, calm_s: 15 };
    vec![rule(Kind::Longest, Some(LONG_WAIT_S)), rule(Kind::NobodyReady, None)]
}

/// Somebody who can do whatever any operator can, and speaks from the page.
fn visitor(config: &Config) -> Operator {
    let skills = config.operators.values().flat_map(|operator| operator.skills.names().cloned()).collect();
    Operator { skills, phone: None, address: None, ready_when_registered: false, answer_at_desk: false, browser: true }
}

fn speak_prompts(config: &Config) -> anyhow::Result<()> {
    let all = |errors: Vec<prompts::PromptsError>| anyhow!("{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    if !config.prompts().exists() {
        println!("Speaking the prompts in four languages (about half a minute, once) …");
    }
    prompts::build(&Source::embedded().map_err(all)?, &config.prompts()).map_err(all)?;
    Ok(())
}

/// Who may be tried: every operator of the settings, and one account of each other role that the made-up city has work for.
fn people(config: &Config) -> Vec<DemoAccount> {
    let robots = config.operators.iter().filter(|(_, operator)| !operator.browser);
    let visitors = config.operators.iter().filter(|(_, operator)| operator.browser);
    let operators = visitors.chain(robots).map(|(name, _)| (name.as_str(), Role::Operator));
    let others = [
        ("supervisor", Role::Supervisor),
        ("quality", Role::Quality),
        ("admin", Role::Administrator),
        ("city", Role::City),
        (executors::SHOWN, Role::Organisation),
    ];
    let account = |(name, role): (&str, Role)| DemoAccount { name: name.to_owned(), role, password: PASSWORD.to_owned() };
    operators.chain(others).map(account).collect()
}

/// Those whom the way in offers at one click: of the operators only the one whose desk is free.
fn shown(config: &Config, people: &[DemoAccount]) -> Vec<DemoAccount> {
    let at_page = |name: &str| config.operators.get(name).is_none_or(|operator| operator.browser);
    let free = people.iter().any(|one| one.role == Role::Operator && at_page(&one.name));
    people.iter().filter(|one| !free || one.role != Role::Operator || at_page(&one.name)).cloned().collect()
}

async fn accounts(app: &App, people: Vec<DemoAccount>, clock: Clock) -> anyhow::Result<()> {
    executors::write(&app.store, clock.now()).await?;
    for DemoAccount { name, role, password } in people {
        let organisation = (role == Role::Organisation).then(|| executors::SHOWN.to_owned());
        app.store.put_user(&name, &Private::new(password), Standing { organisation, ..role.into() }, clock.now()).await?;
    }
    Ok(())
}

fn greet(app: &App) {
    println!("Cityline demo: calls to 109 and 1520 are answered, steered by language, queued, connected and recorded.");
    println!("  page      http://{}   (one click for each role; {VISITOR} / {PASSWORD} takes calls in the browser)", app.web_address());
    println!("  or        {}   (by a certificate of its own: the browser will ask)", app.web_url());
    if let Some(address) = app.sip_address() {
        println!("  call it   sip:109@{address}   with any SIP phone on this machine");
    }
    println!("  stop it   Ctrl-C");
}

fn start_city(app: &App, options: &Options) -> anyhow::Result<Child> {
    let target = app.sip_address().context("the demo needs SIP over UDP: set sip.udp")?;
    let program = std::env::current_exe().context("this program cannot find itself")?;
    let mut command = Command::new(program);
    command.args(["city", "--target", &target.to_string(), "--seed", &options.seed.to_string()]);
    command.args(["--calls-per-minute", &options.calls_per_minute.to_string()]);
    if let Some(seconds) = options.duration_s {
        command.args(["--duration", &seconds.to_string()]);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn().context("the city's process cannot be started")
}

/// Shows what happens until the city has ended or Ctrl-C; returns its last report.
async fn follow(app: &App, lines: &mut Lines<BufReader<ChildStdout>>) -> anyhow::Result<CityReport> {
    let mut view = live::Live::new(std::io::stdout().is_terminal());
    let mut last = CityReport::default();
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            line = lines.next_line() => match line? {
                Some(line) => last = serde_json::from_str(&line).with_context(|| format!("the city said {line:?}"))?,
                None => return Ok(last),
            },
            _ = tick.tick() => {
                let board = app.board.lock().map(|board| board.view(Clock::of_process().now()));
                if let Ok(board) = board {
                    view.draw(&board, &last);
                }
            }
            _ = tokio::signal::ctrl_c() => return Ok(last),
        }
    }
}

/// Closes the city's input, which tells it to hang up; one that does not end is killed with its handle.
async fn end_city(mut child: Child, lines: &mut Lines<BufReader<ChildStdout>>) {
    drop(child.stdin.take());
    let ended = async {
        while let Ok(Some(_)) = lines.next_line().await {}
        let _ = child.wait().await;
    };
    let _ = tokio::time::timeout(CITY_ENDS, ended).await;
}

async fn sum_up(app: &App, city: CityReport, since: Time) -> anyhow::Result<Summary> {
    app.caught_up(Duration::from_secs(10)).await;
    let (recordings, recorded_ms) = app.store.recordings_since(since).await?;
    let callers = city.callers.as_ref();
    if city.callers.is_none() {
        bail!("the city's process reported nothing: see its message above");
    }
    Ok(Summary {
        calls: callers.map_or(0, |callers| callers.calls),
        answered: callers.map_or(0, |callers| callers.answered),
        abandoned: callers.map_or(0, |callers| callers.abandoned),
        recordings,
        recorded_ms,
        waiting: callers.map_or_else(Default::default, |callers| callers.waiting),
        heard_share: city.operators.as_ref().map_or(1.0, cityline_phone::city::summary::OperatorSummary::heard_share),
        city,
    })
}

fn print_summary(summary: &Summary) {
    println!(
        "\n{} calls: {} answered, {} abandoned, {} recordings ({:.1} minutes)",
        summary.calls,
        summary.answered,
        summary.abandoned,
        summary.recordings,
        minutes(summary.recorded_ms)
    );
    println!(
        "waiting: median {:.1} s, nine of ten within {:.1} s, longest {:.1} s; callers heard in {:.0} % of the talks",
        summary.waiting.p50,
        summary.waiting.p90,
        summary.waiting.longest,
        summary.heard_share * 100.0
    );
}

fn minutes(ms: i64) -> f64 {
    std::time::Duration::from_millis(ms.unsigned_abs()).as_secs_f64() / 60.0
}
