//! What does the server cost? Processor time and memory of a process, and what other tenants take from the machine.

use std::fs;

use cityline_phone::sys;
use serde::Serialize;

/// A reading of the counters.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading {
    /// User and system time of the process, kernel work in its context included; seconds.
    cpu_s: f64,
    /// Resident memory in KB.
    pub rss_kb: u64,
    /// Stolen and total ticks of the whole machine.
    steal: u64,
    total: u64,
}

/// What was used between two readings.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Used {
    pub cpu_s: f64,
    /// Of one core.
    pub core_pct: f64,
    pub rss_start_kb: u64,
    pub rss_end_kb: u64,
    /// Of the whole machine, taken by its host.
    pub steal_pct: f64,
}

/// Reads the counters of a process; zeros for one that is not there.
pub fn read(pid: u32) -> Reading {
    let (steal, total) = machine().unwrap_or_default();
    Reading { cpu_s: cpu_s(pid).unwrap_or(0.0), rss_kb: rss_kb(pid).unwrap_or(0), steal, total }
}

impl Reading {
    /// What was used until a later reading, `seconds` after this one.
    pub fn until(&self, later: &Self, seconds: f64) -> Used {
        let cpu_s = later.cpu_s - self.cpu_s;
        let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { 100.0 * part as f64 / whole as f64 };
        Used {
            cpu_s,
            core_pct: 100.0 * cpu_s / seconds.max(0.001),
            rss_start_kb: self.rss_kb,
            rss_end_kb: later.rss_kb,
            steal_pct: share(later.steal.saturating_sub(self.steal), later.total.saturating_sub(self.total)),
        }
    }
}

fn cpu_s(pid: u32) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in brackets may hold blanks: fields are counted after it. utime and stime are fields 14 and 15.
    let mut fields = text.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(ticks as f64 / sys::clock_ticks_per_second() as f64)
}

fn rss_kb(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.split_whitespace().next()?.parse().ok()
}

fn machine() -> Option<(u64, u64)> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    let fields: Vec<u64> = text.lines().next()?.split_whitespace().skip(1).filter_map(|field| field.parse().ok()).collect();
    Some((*fields.get(7)?, fields.iter().take(8).sum()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_this_process() {
        let reading = read(std::process::id());
        assert!(reading.rss_kb > 500 && reading.total > 0);
        assert_eq!(read(u32::MAX).rss_kb, 0);
    }
}
