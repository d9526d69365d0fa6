//! How many sockets and files may the process have open? As many as the system allows it, with a word if that is too few.
#![allow(unsafe_code)]

use std::io;

/// What is open besides callers' sound: operators' legs, connections of browsers, trunks and phones, the database, recordings.
const BESIDES_CALLS: u64 = 3_000;

/// Descriptors that a server for so many calls needs: RTP and RTCP of each caller, and what is open besides.
pub fn wanted(max_calls: u32) -> u64 {
    2 * u64::from(max_calls) + BESIDES_CALLS
}

/// Raises the soft limit of open files to the hard one, and warns where that is below `wanted`.
pub fn raise(wanted: u64) {
    match raised() {
        Ok(open_files) if open_files < wanted => {
            tracing::warn!(
                "only {open_files} files may be open, limits.max_calls needs {wanted}: raise the hard limit (LimitNOFILE, ulimit -Hn)"
            );
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "the limit of open files cannot be raised: set it to {wanted} (LimitNOFILE, ulimit -n)"),
    }
}

/// The limit that is in force afterwards.
fn raised() -> io::Result<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a live local that the call writes whole.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: `limit` is a live local that the call reads whole.
    if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(limit.rlim_cur)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        let soft = raised().unwrap();
        let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
        let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
        let words: Vec<_> = line.split_ascii_whitespace().skip(3).take(2).collect();
        assert_eq!(words, [soft.to_string(), soft.to_string()]);
    }

    #[test]
    fn ten_thousand_calls_need_twice_as_many_sockets_and_more() {
        assert_eq!(wanted(10_000), 23_000);
    }
}
