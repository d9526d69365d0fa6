//! What does something cost? Time on the wall, and of processors: ours, and the database server's own.

use std::future::Future;
use std::time::Instant;

use super::Duration;

/// Many of one kind.
pub(super) struct Spans {
    name: String,
    took: Vec<Duration>,
    cost: Cost,
}

impl Spans {
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), took: Vec::new(), cost: Cost::begin() }
    }

    pub async fn of<T>(&mut self, done: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let result = done.await;
        self.took.push(begun.elapsed());
        result
    }

    pub fn last(&self) -> Duration {
        self.took.last().copied().unwrap_or_default()
    }

    /// Median, the hundredth that is slowest, the slowest, and the processors' mean.
    pub fn print(mut self) {
        let (own, server) = self.cost.cpu_ms();
        self.took.sort_unstable();
        let n = self.took.len();
        let at = |part: usize| self.took[(n * part / 1000).min(n - 1)].as_secs_f64() * 1e3;
        let (own, server) = (own / n as f64, server / n as f64);
        println!(
            "{}: n {n}, median {:.2} ms, p99 {:.2} ms, worst {:.2} ms; processors {own:.2} + {server:.2} ms each",
            self.name,
            at(500),
            at(990),
            at(1000)
        );
    }
}

/// One that is long.
pub(super) struct Cost {
    begun: Instant,
    own_ms: f64,
    server_ms: f64,
}

impl Cost {
    pub fn begin() -> Self {
        let (own_ms, server_ms) = (cpu_ms("self").unwrap_or(0.0), servers_ms());
        Self { begun: Instant::now(), own_ms, server_ms }
    }

    /// Milliseconds of processors since the beginning: ours, and the server's.
    fn cpu_ms(&self) -> (f64, f64) {
        (cpu_ms("self").unwrap_or(0.0) - self.own_ms, servers_ms() - self.server_ms)
    }

    /// Returns the seconds on the wall.
    pub fn print(&self, what: &str) -> f64 {
        let wall = self.begun.elapsed().as_secs_f64();
        let (own, server) = self.cpu_ms();
        println!("{what}: {:.0} ms; processors {own:.0} + {server:.0} ms", wall * 1e3);
        wall
    }
}

/// User and system time of a process in milliseconds, in ticks of 10.
fn cpu_ms(process: &str) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    Some((fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?) * 10.0)
}

/// The same of the server processes that serve us: PostgreSQL names its user in their title.
fn servers_ms() -> f64 {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ours = processes.filter(|process| {
        let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        line.starts_with("postgres: city ") && std::env::var("CITYLINE_BASE").map_or(true, |base| base.contains(&database(&line)))
    });
    ours.filter_map(|process| cpu_ms(process.file_name().to_str()?)).sum()
}

/// "postgres: USER DATABASE HOST(PORT) …"
fn database(title: &str) -> String {
    title.split_whitespace().nth(2).unwrap_or_default().to_owned()
}

/// The most memory that the process held since it was last asked, in MB.
pub(super) fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap().to_owned();
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}
