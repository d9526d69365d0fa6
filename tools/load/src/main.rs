//! What can a call server bear, and how does it sound then? Callers and operators with sound, judged from outside.

mod callers;
mod content;
mod day;
mod desks;
mod operators;
mod process;
mod registers;
mod report;
mod setups;
mod window;

use std::error::Error;
use std::net::SocketAddrV4;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cityline_phone::line::{Account, Line};
use cityline_phone::media::codec::Codec;
use cityline_phone::media::sound;
use cityline_phone::sip::digest::Credentials;
use cityline_phone::sip::transport::Peer;
use cityline_phone::sys;
use clap::{Parser, ValueEnum};

use callers::{Outcome, Plan};
use operators::Speech;
use report::{Content, Flow, Ms, Report};
use window::{Phase, Window};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// INVITE, 200, first packet, BYE at a rate.
    Setups,
    /// Callers who hear a prompt.
    Prompt,
    /// Callers who hear music.
    Music,
    /// Callers who talk to operators.
    Bridged,
    /// Callers in A-law who talk to operators in Opus.
    Opus,
    /// Callers in A-law who talk to operators in G.722.
    G722,
    /// Callers who talk to operators, and both sides protect their sound (SDES-SRTP).
    Encrypted,
    /// Rooms of three who all talk: caller, operator, and whoever is called at `--service` from the operator's desk.
    Mixed,
    /// Callers who wait, and operators who hang up.
    Queue,
    /// Phones that register with digest at a rate, the accounts of `--register` in turn.
    Register,
    /// The callers of `--drawn`, each at their moment, and operators' phones at `--operators-at` who answer them.
    Day,
    /// No callers: answer every call at `--operators-at` for `--seconds`, and chirp. Another run of this program has a far end in it.
    Answer,
}

impl Mode {
    /// Does every caller talk to an operator, in a call of their own?
    fn bridges(self) -> bool {
        matches!(self, Mode::Bridged | Mode::Opus | Mode::G722 | Mode::Encrypted | Mode::Mixed)
    }

    /// What operators speak alone, where it is not what callers speak.
    fn operators_codec(self) -> Option<Codec> {
        match self {
            Mode::Opus => Some(Codec::Opus),
            Mode::G722 => Some(Codec::G722),
            _ => None,
        }
    }
}

/// Plays callers and operators with sound against a call server, and judges what arrives.
#[derive(Parser)]
#[command(name = "cityline-load", version)]
struct Options {
    #[arg(long, value_enum)]
    mode: Mode,
    /// The server's SIP address.
    #[arg(long, default_value = "127.0.0.1:5060")]
    target: SocketAddrV4,
    /// The number that is dialled.
    #[arg(long, default_value = "109")]
    number: String,
    /// Calls: at once, or in all for set-ups.
    #[arg(long, default_value_t = 100)]
    calls: usize,
    /// INVITEs a second.
    #[arg(long, default_value_t = 50.0)]
    rate: f64,
    /// Seconds of the measured window.
    #[arg(long, default_value_t = 12.0)]
    seconds: f64,
    /// Milliseconds that a set-up call stays after its first packet.
    #[arg(long, default_value_t = 0)]
    hold_ms: u64,
    /// Where callers call from.
    #[arg(long, default_value = "127.0.0.1:0")]
    source: SocketAddrV4,
    /// Where operators' phones are.
    #[arg(long, default_value = "127.0.0.1:5070")]
    operators_at: SocketAddrV4,
    /// Operators in a queue, or operators that register.
    #[arg(long, default_value_t = 30)]
    operators: usize,
    /// Register the operators USER01, USER02 … at the target, each with the password PASSWORD followed by its user name; as many digits as
    /// `--operators` has, at least two.
    #[arg(long, value_name = "USER:PASSWORD")]
    register: Option<String>,
    /// Where operators sign in to make rooms of three, USER001 … with the password PASSWORD followed by the user name.
    #[arg(long, default_value = "127.0.0.1:8110")]
    web: SocketAddrV4,
    #[arg(long, value_name = "USER:PASSWORD", default_value = "room:pw-")]
    desks: String,
    /// The service of the dialplans that is the third in a room; its address has this user.
    #[arg(long, default_value = "bridge")]
    service: String,
    /// Shortest and longest talk of an operator in a queue, milliseconds.
    #[arg(long, num_args = 2, default_values_t = [2000, 4000])]
    talk_ms: Vec<u64>,
    /// Calls of each side whose sound is judged.
    #[arg(long, default_value_t = 20)]
    judge: usize,
    /// Callers as `cityline simulate --draw` writes them (day).
    #[arg(long)]
    drawn: Option<PathBuf>,
    /// Milliseconds that an operator's phone rings before it is picked up (day).
    #[arg(long, default_value_t = 4000)]
    ring_ms: u64,
    /// Seconds within which an answer is in target (day).
    #[arg(long, default_value_t = 20)]
    target_s: u64,
    /// The prompt that callers should hear: a WAV of 16 bit at 8 kHz.
    #[arg(long)]
    prompt: Option<PathBuf>,
    /// The server's process, for its processor time and memory.
    #[arg(long)]
    pid: Option<u32>,
    /// Seed of the operators' talking times.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the report is written as JSON.
    #[arg(long)]
    report: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    sys::raise_open_files();
    let report = match options.mode {
        Mode::Answer => return run_answer(&options),
        Mode::Day => return run_day(&options),
        Mode::Setups => run_setups(&options)?,
        Mode::Register => run_registers(&options)?,
        Mode::Prompt | Mode::Music | Mode::Bridged | Mode::Opus | Mode::G722 | Mode::Encrypted | Mode::Mixed | Mode::Queue => {
            run_held(&options)?
        }
    };
    println!("{}", report.line());
    if let Some(path) = &options.report {
        let text = serde_json::to_string_pretty(&report)?;
        std::fs::write(path, text).map_err(|error| format!("cannot write the report {}: {error}", path.display()))?;
    }
    if report.pass { Ok(()) } else { Err("the run did not pass".into()) }
}

fn plan(options: &Options) -> Plan {
    let window = Duration::from_secs_f64(options.seconds.clamp(0.1, 86_400.0));
    let ramp = Duration::from_secs_f64(options.calls as f64 / options.rate.max(0.01));
    Plan {
        target: options.target,
        number: options.number.clone(),
        calls: options.calls,
        rate: options.rate,
        window,
        refill: options.mode == Mode::Queue,
        registered: if options.register.is_some() { options.operators as u64 } else { 0 },
        operators: if options.mode.bridges() { options.calls as u64 } else { 0 },
        rooms: if options.mode == Mode::Mixed { options.calls as u64 } else { 0 },
        secure: options.mode == Mode::Encrypted,
        judged: options.judge,
        keep: ramp + window + Duration::from_secs(30),
        pid: options.pid,
    }
}

/// Lives through drawn callers.
fn run_day(options: &Options) -> Result<(), Box<dyn Error>> {
    let path = options.drawn.as_ref().ok_or("--drawn is needed: callers as `cityline simulate --draw` writes them")?;
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let plan = day::Plan {
        target: options.target,
        callers: day::read(&text)?,
        rings: Duration::from_millis(options.ring_ms),
        in_target: Duration::from_secs(options.target_s),
    };
    let day = day::run(Line::bind(options.operators_at)?, plan)?;
    let text = serde_json::to_string_pretty(&day)?;
    println!("{text}");
    if let Some(path) = &options.report {
        std::fs::write(path, text).map_err(|error| format!("cannot write the report {}: {error}", path.display()))?;
    }
    if day.valid && day.failed == 0 { Ok(()) } else { Err("the run did not pass".into()) }
}

/// Answers calls for a while.
fn run_answer(options: &Options) -> Result<(), Box<dyn Error>> {
    let window = Arc::new(Window::default());
    let (room, shared, behaviour) = (Line::bind(options.operators_at)?, Arc::clone(&window), operators_of(options));
    let thread = std::thread::spawn(move || operators::run(room, operators::Behaviour { judged: 0, ..behaviour }, shared));
    std::thread::sleep(plan(options).window);
    window.enter(Phase::End);
    thread.join().map_err(|_| "the operators' thread failed")??;
    Ok(())
}

fn run_setups(options: &Options) -> Result<Report, Box<dyn Error>> {
    let line = Line::bind(options.source)?;
    let (outcome, bye) = setups::run(line, plan(options), Duration::from_millis(options.hold_ms))?;
    let mut report = report_of(options, &outcome);
    report.bye_ms = Ms::of(&bye);
    report.conclude(false);
    Ok(report)
}

fn run_registers(options: &Options) -> Result<Report, Box<dyn Error>> {
    let line = Line::bind(options.source)?;
    let behaviour = operators_of(options);
    let (domain, registrar) = (options.target.ip().to_string(), Peer::Udp(options.target));
    let account = |credentials| Account { credentials, domain: domain.clone(), registrar, expires: operators::EXPIRES };
    let outcome = registers::run(line, plan(options), behaviour.accounts.into_iter().map(account).collect())?;
    let mut report = report_of(options, &outcome);
    report.conclude(false);
    Ok(report)
}

fn run_held(options: &Options) -> Result<Report, Box<dyn Error>> {
    let wanted = options.prompt.as_deref().map(sound::read_wav).transpose()?.and_then(|channels| channels.into_iter().next());
    let window = Arc::new(Window::default());
    let line = Line::bind(options.source)?;
    let talks = options.mode.bridges() || options.mode == Mode::Queue;
    let room = if talks { Some(Line::bind(options.operators_at)?) } else { None };
    let behaviour = operators_of(options);
    if options.mode == Mode::Mixed {
        for number in 1..=options.calls {
            desks::open(options.web, &account(&options.desks, number, 3), &options.service, Arc::clone(&window))?;
        }
    }
    let shared = Arc::clone(&window);
    let operators = room.map(|room| std::thread::spawn(move || operators::run(room, behaviour, shared)));
    let outcome = callers::run(line, plan(options), Arc::clone(&window))?;
    let operators = operators.map(|thread| thread.join().map_err(|_| "the operators' thread failed")).transpose()?.transpose()?;
    let mut report = report_of(options, &outcome);
    report.callers = Flow::of(&outcome.arrivals, outcome.legs, outcome.window);
    if options.mode == Mode::Queue {
        report.callers.expect(outcome.expected);
    }
    if let Some(operators) = &operators {
        add_operators(&mut report, options, &outcome, operators);
    }
    // A room that never had all three is a failed call.
    report.failed += plan(options).rooms.saturating_sub(window.rooms.load(Ordering::Relaxed));
    if !options.mode.bridges() {
        report.callers_content = content::judge_sound(&outcome.records, wanted.as_deref());
    }
    report.conclude(true);
    Ok(report)
}

fn operators_of(options: &Options) -> operators::Behaviour {
    let millis = |at: usize| Duration::from_millis(options.talk_ms.get(at).copied().unwrap_or(3000));
    let digits = options.operators.to_string().len().max(2);
    let accounts = options.register.iter().flat_map(|spec| (1..=options.operators).map(move |number| account(spec, number, digits)));
    operators::Behaviour {
        accounts: accounts.collect(),
        registrar: options.target,
        secure: options.mode == Mode::Encrypted,
        third: (options.mode == Mode::Mixed).then(|| options.service.clone()),
        speech: options.mode.operators_codec().map(|codec| Speech::encode(codec, options.calls)),
        talk: (options.mode == Mode::Queue).then(|| (millis(0), millis(1))),
        judged: options.judge,
        keep: plan(options).keep,
        seed: options.seed,
    }
}

/// USER and PASSWORD of a number, of which the user name is a part.
fn account(spec: &str, number: usize, digits: usize) -> Credentials {
    let (user, password) = spec.split_once(':').unwrap_or((spec, ""));
    let user = format!("{user}{number:0digits$}");
    Credentials { password: format!("{password}{user}"), user }
}

fn report_of(options: &Options, outcome: &Outcome) -> Report {
    Report {
        mode: format!("{:?}", options.mode).to_lowercase(),
        target: options.target.to_string(),
        number: options.number.clone(),
        calls: options.calls as u64,
        rate: options.rate,
        window_s: outcome.window.as_secs_f64(),
        reached: outcome.reached,
        failed: outcome.failed_by_code.values().sum(),
        failed_by_code: outcome.failed_by_code.clone(),
        ended_early: outcome.ended_early,
        retransmitted: outcome.retransmitted,
        repeated: outcome.repeated,
        set_up_ms: Ms::of(&outcome.set_up),
        first_packet_ms: Ms::of(&outcome.first_packet),
        own: vec![outcome.own.clone()],
        server: outcome.server,
        ..Report::default()
    }
}

fn add_operators(report: &mut Report, options: &Options, callers: &Outcome, operators: &operators::Outcome) {
    report.own.push(operators.own.clone());
    report.failed += operators.failed;
    if options.mode == Mode::Queue {
        report.talks = operators.talks;
        report.talks_per_minute = operators.talks as f64 * 60.0 / callers.window.as_secs_f64().max(0.001);
        report.next_ring_ms = Ms::of(&operators.next_ring);
        return;
    }
    report.operators = Flow::of(&operators.arrivals, operators.legs, callers.window);
    let clear = !content::is_ambiguous(options.calls);
    let mixed = options.mode == Mode::Mixed;
    let judge = |records, bands: &[u8], said| {
        let mut content: Content = content::judge_chirps(records, bands, said, if mixed { 2 } else { 1 });
        // With more legs than voices a chirp's sender is not certain.
        content.mouth_to_ear_ms = if clear { content.mouth_to_ear_ms } else { Ms::default() };
        content
    };
    report.callers_content = judge(&callers.records, &[2, 3], &operators.said);
    let (others, said) = if mixed {
        let all = callers.said.iter().chain(&operators.said);
        (vec![0, 2, 3], all.map(|(voice, said)| (*voice, said.clone())).collect())
    } else {
        (vec![0, 1], callers.said.clone())
    };
    report.operators_content = judge(&operators.records, &others, &said);
}
