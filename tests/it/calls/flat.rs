//! Does a busy city wear the server out? Twenty times the demo's calls: memory, descriptors, ports and files. Half a minute here, an hour in
//! `make soak`.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cityline_phone::city::{CallerOptions, OperatorOptions, run_callers, run_operators};
use cityline_phone::sip::digest::Credentials;

use super::SOON;
use super::crash::report;
use super::server::{Place, Server, a_moment};

/// Twenty times the demo's.
const CALLS_A_MINUTE: f64 = 240.0;
/// Enough for them: 4 calls a second, 20 s each with ringing and rest.
const OPERATORS: usize = 90;
/// What callers and operators have for their last talk.
const LAST_TALKS: Duration = Duration::from_secs(40);
/// In so many of the talks the operator must hear the caller; in the others the caller hangs up while the operator answers.
const HEARD: f64 = 0.98;
/// So many times the server is looked at.
const LOOKS: u32 = 60;
/// The first sixth is for warming up: ten minutes of an hour.
const WARM: usize = LOOKS as usize / 6;
/// The database opens its reading connections when it needs them: four, with three files each.
const DATABASE_FILES: usize = 12;

/// How long calls come; `SOAK_FLAT_S` makes it longer.
fn duration() -> Duration {
    Duration::from_secs(std::env::var("SOAK_FLAT_S").map_or(30, |seconds| seconds.parse().unwrap()))
}

/// What a process holds.
#[derive(Clone, Copy, Debug)]
struct Look {
    at: Duration,
    /// Resident memory in kilobytes.
    memory_kb: u64,
    descriptors: usize,
    sockets: usize,
    threads: usize,
    /// Files below the data folder that are no recordings.
    files: usize,
    calls: usize,
}

impl Look {
    fn at(place: &Place, pid: u32, at: Duration) -> Look {
        let process = Path::new("/proc").join(pid.to_string());
        let status = fs::read_to_string(process.join("status")).unwrap();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().next().unwrap().parse::<u64>().unwrap()
        };
        let open: Vec<_> = fs::read_dir(process.join("fd")).unwrap().flatten().map(|entry| fs::read_link(entry.path())).collect();
        let sockets = open.iter().flatten().filter(|link| link.to_string_lossy().starts_with("socket:")).count();
        let var = place.folder.join("var");
        let calls = place.rows("SELECT count(*) FROM calls WHERE ended_ms IS NULL").parse().unwrap();
        Look {
            at,
            memory_kb: field("VmRSS:"),
            descriptors: open.len(),
            sockets,
            threads: field("Threads:") as usize,
            files: files_in(&var) + files_in(&var.join("journal")) + files_in(&var.join("live")),
            calls,
        }
    }
}

fn files_in(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, |entries| entries.flatten().filter(|entry| entry.path().is_file()).count())
}

fn city() -> (String, Vec<Credentials>) {
    let (mut settings, mut accounts) = (String::new(), Vec::new());
    for n in 0..OPERATORS {
        let (user, password) = (format!("{}", 300 + n), format!("secret-{n}"));
        settings += &format!(
            "[operators.operator{n}]\nskills = [\"kk\", \"ru\", \"uk\", \"en\", \"heating\", \"utilities\", \"roads\", \"quality\"]\n\
             ready_when_registered = true\nphone = {{ user = \"{user}\", password = \"{password}\" }}\n"
        );
        accounts.push(Credentials { user, password });
    }
    for queue in ["general", "heating", "utilities", "roads", "quality"] {
        let skills = if queue == "general" { String::new() } else { format!("\"{queue}\"") };
        settings += &format!("[queues.{queue}]\nskills = [{skills}]\nwrap_up_ms = 2000\n");
    }
    (settings, accounts)
}

#[test]
fn a_busy_hour_leaves_the_server_as_it_was() {
    let (settings, accounts) = city();
    let server = Server::start("flat", &settings);
    let time = duration();
    let operators =
        OperatorOptions { duration: time + LAST_TALKS, talk: Duration::from_secs(12), ..OperatorOptions::for_target(server.sip, accounts) };
    let callers = CallerOptions { calls_per_minute: CALLS_A_MINUTE, duration: time, ..CallerOptions::for_target(server.sip) };
    let over = AtomicBool::new(false);
    let (looks, came, answered) = thread::scope(|scope| {
        let answering = scope.spawn(|| run_operators(&operators, &mut |_| {}).unwrap());
        let ready = "SELECT count(*) FROM agent_states WHERE state = 'ready' AND until_ms IS NULL";
        server.rows_until(ready, SOON, |rows| rows == OPERATORS.to_string());
        let before = Look::at(&server, server.pid(), Duration::ZERO);
        let watching = scope.spawn(|| watch(&server, time, &over));
        let came = run_callers(&callers, &mut |_| {}).unwrap();
        over.store(true, Ordering::Relaxed);
        let mut looks = watching.join().unwrap();
        looks.insert(0, before);
        looks.push(at_rest(&server, before, time));
        (looks, came, answering.join().unwrap())
    });
    let calls = server.rows("SELECT count(*) FROM calls");
    let heard = 100.0 * answered.heard_share();
    report(&format!(
        "| {calls} calls in {} min, up to {} at once, {} talks | {} failed; callers heard in {heard:.1} % of the talks; {} of {} chirps missing |",
        time.as_secs() / 60,
        looks.iter().map(|look| look.calls).max().unwrap(),
        answered.talks,
        came.failed,
        came.chirps_missing + answered.chirps_missing,
        came.chirps_heard + answered.chirps_heard
    ));
    for look in looks.iter().step_by(WARM).chain(looks.last()) {
        let Look { at, memory_kb, descriptors, sockets, threads, files, calls } = look;
        let minute = at.as_secs_f64() / 60.0;
        let memory = memory_kb / 1_024;
        report(&format!(
            "| at minute {minute:.1}, {calls} calls up | {memory} MB, {descriptors} descriptors, {sockets} of them sockets, {threads} threads, {files} files |"
        ));
    }
    assert_eq!(came.failed, 0, "{:?}", came.failed_by_code);
    assert!(answered.talks > 0 && answered.heard_share() >= HEARD, "{} of {} talks heard", answered.talks_heard, answered.talks);
    is_flat(&looks, time);
}

/// Looks at the server as often as [`LOOKS`] says, until the calls are over.
fn watch(server: &Server, time: Duration, over: &AtomicBool) -> Vec<Look> {
    let began = Instant::now();
    let mut looks = Vec::new();
    while !over.load(Ordering::Relaxed) {
        if began.elapsed() >= time / LOOKS * (looks.len() as u32 + 1) {
            looks.push(Look::at(server, server.pid(), began.elapsed()));
        }
        a_moment();
    }
    looks
}

/// When all calls are over, every socket is closed that they had, and no recording is open.
fn at_rest(server: &Server, before: Look, time: Duration) -> Look {
    server.rows_until("SELECT count(*) FROM calls WHERE ended_ms IS NULL", SOON, |rows| rows == "0");
    let limit = Instant::now() + SOON;
    loop {
        let look = Look::at(server, server.pid(), time + LAST_TALKS);
        let open = files_in(&server.folder.join("var/recordings/open"));
        if look.sockets == before.sockets && look.descriptors <= before.descriptors + DATABASE_FILES && open == 0 {
            return look;
        }
        assert!(Instant::now() < limit, "{open} recordings are open; before: {before:?}, after: {look:?}");
        a_moment();
    }
}

/// Nothing grows once it is warm. Threads are the same from the beginning.
fn is_flat(looks: &[Look], time: Duration) {
    let [before, .., after] = looks else { panic!("the server was not looked at") };
    assert!(after.threads <= before.threads + 8, "threads: {} before, {} after", before.threads, after.threads);
    if time >= Duration::from_secs(1_800) {
        let most = |looks: &[Look], of: fn(&Look) -> u64| looks.iter().map(of).max().unwrap();
        let (warm, later) = (&looks[WARM / 2..2 * WARM], &looks[looks.len() - 2 * WARM..]);
        let memory: fn(&Look) -> u64 = |look| look.memory_kb;
        assert!(most(later, memory) <= most(warm, memory) * 11 / 10, "memory: {} kB, later {} kB", most(warm, memory), most(later, memory));
        let files: fn(&Look) -> u64 = |look| look.files as u64;
        assert!(most(later, files) <= most(warm, files) + 40, "files: {}, later {}", most(warm, files), most(later, files));
    }
}
