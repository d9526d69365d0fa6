//! What has a media thread done in the last second? Counted without locks, published once a second.

/// Figures of one thread since they were last published.
#[derive(Default, Debug)]
pub struct Counters {
    /// RTP datagrams read.
    pub packets_in: u64,
    /// RTP datagrams sent.
    pub packets_out: u64,
    /// Datagrams of strangers.
    pub foreign: u64,
    /// Datagrams that are no RTP or of a type that was not agreed.
    pub odd: u64,
    /// Datagrams that did not prove to be the far end's, on protected legs.
    pub unproven: u64,
    /// Packets that never arrived, of legs that have closed.
    pub lost: u64,
    /// Orders and reports that found a full queue.
    pub overflows: u64,
    /// How late the latest tick was, in microseconds.
    pub latest_tick_us: u64,
    /// Ticks that were left out because the thread was stopped for longer than a jitter buffer covers.
    pub ticks_skipped: u64,
}

impl Counters {
    /// Adds the figures to the process's metrics and starts from zero. `legs` is the change since the last time.
    pub fn publish(&mut self, legs: i64) {
        let counters = std::mem::take(self);
        metrics::gauge!("cityline_media_legs").increment(legs as f64);
        metrics::counter!("cityline_media_packets_in_total").increment(counters.packets_in);
        metrics::counter!("cityline_media_packets_out_total").increment(counters.packets_out);
        metrics::counter!("cityline_media_packets_foreign_total").increment(counters.foreign);
        metrics::counter!("cityline_media_packets_odd_total").increment(counters.odd);
        metrics::counter!("cityline_media_packets_unproven_total").increment(counters.unproven);
        metrics::counter!("cityline_media_packets_lost_total").increment(counters.lost);
        metrics::counter!("cityline_media_overflows_total").increment(counters.overflows);
        metrics::counter!("cityline_media_ticks_skipped_total").increment(counters.ticks_skipped);
        metrics::histogram!("cityline_media_tick_late_seconds").record(counters.latest_tick_us as f64 / 1e6);
    }
}
