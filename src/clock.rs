//! What time is it? The only place that asks the system.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::centre::time::Time;

/// How long the processor has worked for this thread; zero where the system does not say.
#[allow(unsafe_code)]
pub fn processor_time() -> Duration {
    let mut spent = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `spent` outlives the call, which writes it.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut spent) };
    Duration::new(u64::try_from(spent.tv_sec).unwrap_or_default(), u32::try_from(spent.tv_nsec).unwrap_or_default())
}

/// The wall clock at the start of the process and the monotonic time since: it never steps.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    wall_at_start_ms: u64,
    started: Instant,
}

impl Clock {
    /// The clock of this process; every call returns the same one.
    pub fn of_process() -> Clock {
        static CLOCK: OnceLock<Clock> = OnceLock::new();
        *CLOCK.get_or_init(|| Clock { wall_at_start_ms: wall_ms(), started: Instant::now() })
    }

    /// The same clock, but never before `earliest`: the wall clock may have been set back while nothing ran.
    pub fn not_before(mut self, earliest: Time) -> Clock {
        self.wall_at_start_ms = self.wall_at_start_ms.max(earliest.0);
        self
    }

    /// Now, for the core: wall clock at start plus monotonic time since.
    pub fn now(&self) -> Time {
        let since = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Time(self.wall_at_start_ms.saturating_add(since))
    }

    /// Microseconds since the process first asked for the time: monotonic, for what is finer than the core's milliseconds.
    pub fn elapsed_us(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Now, as libraries want it that keep time by themselves.
    pub fn instant_now(&self) -> Instant {
        Instant::now()
    }

    /// How long ago the system's wall clock stood at `stamp_us`, microseconds since the epoch, as it stamps datagrams; 0 for a stamp of the future.
    pub fn since_stamp_us(&self, stamp_us: u64) -> u64 {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(wall.as_micros()).unwrap_or(u64::MAX).saturating_sub(stamp_us)
    }

    /// The moment of `time` as the runtime's sleep wants it.
    pub fn instant(&self, time: Time) -> Instant {
        let since = time.0.saturating_sub(self.wall_at_start_ms);
        self.started.checked_add(Duration::from_millis(since)).unwrap_or(self.started)
    }

    /// How far the wall clock is ahead of [`Clock::now`], in milliseconds: not 0 once somebody has set it.
    pub fn wall_ahead_ms(&self) -> i64 {
        let wall = i64::try_from(wall_ms()).unwrap_or(i64::MAX);
        wall.saturating_sub(i64::try_from(self.now().0).unwrap_or(i64::MAX))
    }
}

fn wall_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
