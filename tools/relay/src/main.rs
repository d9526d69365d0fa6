//! Which bad path is wanted? The relay as a program: one listening address, one target.

use std::net::SocketAddrV4;
use std::time::Duration;

use clap::Parser;

use cityline_relay::{Impairment, Relay, Ways};

/// Forwards UDP both ways and loses, delays, reorders and doubles packets by a seed.
#[derive(Parser)]
#[command(name = "cityline-relay", version)]
struct Options {
    /// Where senders come to.
    #[arg(long)]
    listen: SocketAddrV4,
    /// Where their packets go to.
    #[arg(long)]
    target: SocketAddrV4,
    /// Percent of packets that are lost.
    #[arg(long, default_value_t = 0.0)]
    lose: f64,
    /// Mean length of a run of losses, in packets.
    #[arg(long, default_value_t = 1.0)]
    burst: f64,
    /// Longest run of losses, in packets; 0 for any.
    #[arg(long, default_value_t = 0)]
    longest: u32,
    /// Milliseconds that every packet is held back.
    #[arg(long, default_value_t = 0)]
    delay_ms: u64,
    /// Milliseconds of further, random delay at most.
    #[arg(long, default_value_t = 0)]
    jitter_ms: u64,
    /// Percent of packets that later ones overtake.
    #[arg(long, default_value_t = 0.0)]
    reorder: f64,
    /// Milliseconds by which those are late.
    #[arg(long, default_value_t = 50)]
    reorder_ms: u64,
    /// Percent of packets that arrive twice.
    #[arg(long, default_value_t = 0.0)]
    duplicate: f64,
    /// Leaves packets from the target to the senders as they are.
    #[arg(long)]
    one_way: bool,
    /// Leads SIP dialogs and their sound over the relay: both ends read its ports in place of each other's.
    #[arg(long)]
    sip: bool,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Seconds until it ends by itself; 0: never.
    #[arg(long, default_value_t = 0)]
    duration: u64,
}

fn main() -> std::io::Result<()> {
    let options = Options::parse();
    let impairment = Impairment {
        lose: options.lose / 100.0,
        burst: options.burst,
        longest: options.longest,
        delay: Duration::from_millis(options.delay_ms),
        jitter: Duration::from_millis(options.jitter_ms),
        reorder: options.reorder / 100.0,
        reorder_by: Duration::from_millis(options.reorder_ms),
        duplicate: options.duplicate / 100.0,
    };
    let ways = Ways { to_target: impairment, from_target: if options.one_way { Impairment::default() } else { impairment } };
    let relay = Relay::start(*options.listen.ip(), ways, options.seed)?;
    let (port, target) = (options.listen.port(), options.target);
    let address = if options.sip { relay.open_signalling(port, target)? } else { relay.open(port, target)? };
    println!("{address} -> {}", options.target);
    let forever = Duration::from_secs(u64::MAX / 4);
    std::thread::sleep(if options.duration == 0 { forever } else { Duration::from_secs(options.duration) });
    println!("{:?}", relay.counts());
    Ok(())
}
