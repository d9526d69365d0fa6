//! When is a leg's next packet due? Packets come evenly, so a socket is not asked while none can be there: asking costs a quarter of a packet.

/// Ticks and networks are off by so much without being late.
const SLACK_US: u64 = 2_500;

/// Every so many packets the socket is read empty all the same: a far clock that runs fast would leave packets behind.
const SWEEP: u32 = 16;

/// Every so many packets the socket is asked one tick (5 ms) early, so that one late packet does not make all that follow wait.
const EARLY: u32 = 4;
const TICK_US: u64 = 5_000;

/// A far end that has sent nothing for so long is quiet, and is asked every other turn (40 ms): what comes then begins a spurt, which
/// its ear's jitter buffer places anew.
const QUIET_US: u64 = 200_000;
const QUIET_PAUSE_US: u64 = 40_000 - SLACK_US;

/// The rhythm of one far end.
#[derive(Default)]
pub struct Pace {
    last_us: u64,
    ask_from_us: u64,
    period_us: u64,
    packets: u32,
}

impl Pace {
    /// Whether a packet can be there.
    pub fn may_ask(&self, now_us: u64) -> bool {
        now_us >= self.ask_from_us
    }

    /// From when on a packet can be there.
    pub fn ask_from_us(&self) -> u64 {
        self.ask_from_us
    }

    /// A packet of `period_us` of sound was read. Whether it came when it was due, so that no other is waiting.
    pub fn note(&mut self, period_us: u64, now_us: u64) -> bool {
        let since = now_us.saturating_sub(self.last_us);
        let due = since.abs_diff(self.period_us) <= SLACK_US;
        self.packets = self.packets.wrapping_add(1);
        self.last_us = now_us;
        self.period_us = period_us;
        // Asking a tick early mostly finds nothing; never asking early would follow every late packet and never come back.
        let early = if self.packets.is_multiple_of(EARLY) { TICK_US } else { 0 };
        self.ask_from_us = now_us + period_us.saturating_sub(SLACK_US + early);
        due && !self.packets.is_multiple_of(SWEEP)
    }

    /// The socket was asked and held nothing.
    pub fn found_nothing(&mut self, now_us: u64) {
        if now_us.saturating_sub(self.last_us) > QUIET_US {
            self.ask_from_us = now_us + QUIET_PAUSE_US;
        }
    }

    /// Something came that was no packet of the far end's: more of it may follow at any time.
    pub fn disturbed(&mut self) {
        self.ask_from_us = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_stream_is_asked_for_when_it_is_due() {
        let mut pace = Pace::default();
        assert!(!pace.note(20_000, 1_000_000), "the first may have others behind it");
        assert!(!pace.may_ask(1_015_000));
        assert!(pace.may_ask(1_020_000));
        assert!(pace.note(20_000, 1_020_500));
        assert!(!pace.note(20_000, 1_060_000), "late: others may be right behind");
        assert!(!pace.note(20_000, 1_060_000));
        pace.disturbed();
        assert!(pace.may_ask(1_060_000));
    }

    #[test]
    fn a_quiet_far_end_is_asked_half_as_often() {
        let mut pace = Pace::default();
        pace.note(20_000, 1_000_000);
        pace.found_nothing(1_100_000);
        assert!(pace.may_ask(1_100_000), "it may have lost a few packets");
        pace.found_nothing(1_300_000);
        assert!(!pace.may_ask(1_320_000));
        assert!(pace.may_ask(1_340_000));
    }

    #[test]
    fn nothing_is_left_behind_for_long() {
        let mut pace = Pace::default();
        assert!((1..100u64).filter(|n| !pace.note(20_000, n * 20_000)).count() >= 6);
    }
}
