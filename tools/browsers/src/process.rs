//! How much processor time has a process taken, and which of its threads? From /proc, in seconds.

use std::fs;
use std::io;

/// Clock ticks a second of /proc (`getconf CLK_TCK`), 100 on every Linux of today.
const TICKS_A_SECOND: f64 = 100.0;

/// Processor time since the start, user and system together.
pub struct Times {
    /// The whole process.
    pub all_s: f64,
    /// The thread of the pages' sound.
    pub pages_s: f64,
    /// The media threads.
    pub media_s: f64,
    /// What it holds in memory.
    pub memory_mb: f64,
}

/// The times of a process. Errors: it is gone.
pub fn times(pid: u32) -> io::Result<Times> {
    let all_s = ticks(&fs::read_to_string(format!("/proc/{pid}/stat"))?) / TICKS_A_SECOND;
    let (mut pages_s, mut media_s) = (0.0, 0.0);
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let Ok(stat) = fs::read_to_string(task?.path().join("stat")) else { continue };
        let seconds = ticks(&stat) / TICKS_A_SECOND;
        match name(&stat) {
            "pages" => pages_s += seconds,
            thread if thread.starts_with("media") => media_s += seconds,
            _ => {}
        }
    }
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kb = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse::<f64>().ok());
    Ok(Times { all_s, pages_s, media_s, memory_mb: kb.unwrap_or(0.0) / 1024.0 })
}

fn name(stat: &str) -> &str {
    stat.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')')).map_or("", |(name, _)| name)
}

/// utime and stime: the 14th and 15th field, counted past the name in brackets.
fn ticks(stat: &str) -> f64 {
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum()
}
