//! What does a leg cost? The media plane alone, with N far ends on loopback that send and receive 50 packets a second.
//!
//! `media_load prompt|bridge|g722|opus|conference LEGS SECONDS` prints the CPU of the media threads and of the recordings' thread (user and kernel,
//! from /proc), what arrived at the far ends, and the memory a leg. The far ends run on a thread of their own. `g722` and `opus` bridge
//! that codec with PCMA, so that each bridge is transcoded both ways; `conference` mixes three of PCMA. All talks are recorded.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use cityline::centre::ids::{CallId, LegId, PlayId, RecordingId};
use cityline::centre::input::{FromMedia, Input};
use cityline::centre::output::{Ending, Hears, Sound, ToMedia};
use cityline::clock::Clock;
use cityline::config;
use cityline::lanes::{InputLanes, lanes};
use cityline::media::{MediaEngine, MediaParts, Sounds, start};
use cityline::prompts::Clip;
use cityline::sdp_book::SdpBook;
use cityline::vitals::Vitals;

/// Twenty seconds of something.
struct OnePrompt(Clip);

impl Sounds for OnePrompt {
    fn resolve(&self, _: &Sound) -> Vec<Clip> {
        vec![self.0.clone()]
    }
}

/// What is measured.
#[derive(Clone, Copy, PartialEq)]
enum Load {
    Prompt,
    /// Talks of so many legs, the second of each in this codec.
    Talk(u64, Speech),
}

#[derive(Clone, Copy, PartialEq)]
enum Speech {
    Pcma,
    G722,
    Opus,
}

struct Far {
    socket: UdpSocket,
    speech: Speech,
    sequence: u16,
    heard: u64,
}

#[derive(Default)]
struct Tally {
    sent: AtomicU64,
    heard: AtomicU64,
    worst_late_us: AtomicU64,
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, kind, legs, seconds] = arguments.as_slice() else { bail!("media_load prompt|bridge|g722|opus|conference LEGS SECONDS") };
    let (load, legs, seconds): (Load, u64, u64) = (load_of(kind)?, legs.parse()?, seconds.parse()?);
    let folder = std::env::temp_dir().join(format!("media-load-{}", std::process::id()));
    let (inputs, mut reports) = lanes(100_000);
    let sdps = SdpBook::default();
    let config = config::Media {
        address: "127.0.0.1".parse()?,
        ports: (30_000, 49_999),
        threads: 1,
        silence_after_ms: 5_000,
        inband_digits: true,
        srtp_on_avp: false,
        webrtc_port: 0,
        webrtc_addresses: Vec::new(),
    };
    let sounds = Arc::new(OnePrompt(Clip::silence(20_000)));
    let clock = Clock::of_process();
    let parts = MediaParts { config, recordings: folder.clone(), inputs, sdps: sdps.clone(), sounds, clock, vitals: Vitals::new(clock) };
    let engine = start(parts)?;
    let mut far = (0..legs).map(|n| far_end(speech_of(n, load))).collect::<Result<Vec<Far>, _>>()?;
    let before_kb = resident_kb()?;
    for (n, far) in far.iter().enumerate() {
        let leg = leg_of(n as u64, load);
        let (port, format) = (far.socket.local_addr()?.port(), far.speech.payload_type());
        let maps = "a=rtpmap:111 opus/48000/2\na=rtpmap:101 telephone-event/8000";
        let offer = sdps.put(format!("c=IN IP4 127.0.0.7\nm=audio {port} RTP/AVP {format} 101\n{maps}"));
        order(&engine, ToMedia::Open { leg, offer: Some(offer) })?;
        let answer = sdps.take(opened(&mut reports)?).context("no answer")?;
        let answered = answer.split("m=audio ").nth(1).and_then(|rest| rest.split(' ').next()).context("no port")?;
        far.socket.connect(SocketAddr::new("127.0.0.1".parse()?, answered.parse()?))?;
    }
    for n in 0..legs {
        begin(&engine, leg_of(n, load), load)?;
    }
    let (stop, tally) = (Arc::new(AtomicBool::new(false)), Arc::new(Tally::default()));
    let thread = {
        let (stop, tally) = (stop.clone(), tally.clone());
        std::thread::Builder::new().name("far".into()).spawn(move || talk(&mut far, &stop, &tally))?
    };
    std::thread::sleep(Duration::from_secs(2));
    let (cpu, sent, heard) = (cpu_ms()?, tally.sent.load(Ordering::Relaxed), tally.heard.load(Ordering::Relaxed));
    tally.worst_late_us.store(0, Ordering::Relaxed);
    let began = Instant::now();
    std::thread::sleep(Duration::from_secs(seconds));
    let (after, took) = (cpu_ms()?, began.elapsed().as_secs_f64());
    let sent = tally.sent.load(Ordering::Relaxed) - sent;
    let heard = tally.heard.load(Ordering::Relaxed) - heard;
    let units = legs as f64 / legs_a_call(load) as f64;
    let share = |ms: f64| ms / 10.0 / took * 100.0 / units;
    let grown_kb = resident_kb()?.saturating_sub(before_kb) as f64;
    println!(
        "{kind} {legs} legs: media {:.2} % + recordings {:.2} % of a core per 100; heard {:.1} % of {:.0}/s, far sent {:.1} %; {:.1} KB each; far end late {} us",
        share(after.0 - cpu.0),
        share(after.1 - cpu.1),
        heard as f64 / took / (legs as f64 * 50.0) * 100.0,
        legs as f64 * 50.0,
        sent as f64 / took / (legs as f64 * 50.0) * 100.0,
        grown_kb / units,
        tally.worst_late_us.load(Ordering::Relaxed),
    );
    stop.store(true, Ordering::Relaxed);
    let _ = thread.join();
    engine.stop();
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

fn order(engine: &MediaEngine, order: ToMedia) -> anyhow::Result<()> {
    engine.carry_out(order).map_err(|leg| anyhow::anyhow!("{leg} was not taken"))
}

fn load_of(kind: &str) -> anyhow::Result<Load> {
    Ok(match kind {
        "prompt" => Load::Prompt,
        "bridge" => Load::Talk(2, Speech::Pcma),
        "g722" => Load::Talk(2, Speech::G722),
        "opus" => Load::Talk(2, Speech::Opus),
        "conference" => Load::Talk(3, Speech::Pcma),
        other => bail!("no load is called {other}"),
    })
}

fn legs_a_call(load: Load) -> u64 {
    if let Load::Talk(legs, _) = load { legs } else { 1 }
}

fn speech_of(n: u64, load: Load) -> Speech {
    match load {
        Load::Talk(legs, speech) if n % legs == 1 => speech,
        _ => Speech::Pcma,
    }
}

fn leg_of(n: u64, load: Load) -> LegId {
    let legs = legs_a_call(load);
    LegId { call: CallId(n / legs), n: (n % legs) as u16 }
}

/// Plays, or connects everybody of a talk whose last leg this is with everybody else.
fn begin(engine: &MediaEngine, leg: LegId, load: Load) -> anyhow::Result<()> {
    let Load::Talk(legs, _) = load else {
        let sounds = vec![Sound::Music { id: "music".into() }];
        return order(engine, ToMedia::Play { leg, play: PlayId(1), sounds, ending: Ending::Repeat });
    };
    if u64::from(leg.n) + 1 == legs {
        let of = |n| LegId { call: leg.call, n };
        let pairs = (0..=leg.n).flat_map(|ear| (0..=leg.n).map(move |mouth| (ear, mouth)));
        let hears = pairs.filter(|(ear, mouth)| ear != mouth).map(|(ear, mouth)| Hears { ear: of(ear), mouth: of(mouth) }).collect();
        order(engine, ToMedia::Connect { call: leg.call, hears })?;
        order(engine, ToMedia::Record { recording: RecordingId { call: leg.call, n: 1 }, resident: of(0) })?;
    }
    Ok(())
}

impl Speech {
    fn payload_type(self) -> u8 {
        match self {
            Speech::Pcma => 8,
            Speech::G722 => 9,
            Speech::Opus => 111,
        }
    }

    fn steps_a_packet(self) -> u32 {
        if self == Speech::Opus { 960 } else { 160 }
    }

    /// A second of something like a voice, in packets of 20 ms.
    fn packets(self) -> anyhow::Result<Vec<Vec<u8>>> {
        let vowel = |n: usize| {
            let at = n as f32 / 16_000.0;
            let pitch = 120.0 + 30.0 * (at * 9.0).sin();
            (1..12).map(|k| (std::f32::consts::TAU * pitch * k as f32 * at).sin() * 2_500.0 / k as f32).sum::<f32>() as i16
        };
        let sound: Vec<i16> = (0..16_000).map(vowel).collect();
        let frames = sound.chunks_exact(320);
        Ok(match self {
            Speech::Pcma => vec![vec![0x55; 160]; 50],
            Speech::G722 => {
                let mut encoder = audio_codec::g722::G722Encoder::new();
                frames.map(|frame| audio_codec::Encoder::encode(&mut encoder, frame)).collect()
            }
            Speech::Opus => {
                let mut encoder = opus::Encoder::new(16_000, opus::Channels::Mono, opus::Application::Voip)?;
                frames.map(|frame| encoder.encode_vec(frame, 400)).collect::<Result<_, _>>()?
            }
        })
    }
}

fn opened(reports: &mut InputLanes) -> anyhow::Result<cityline::centre::ids::SdpRef> {
    let until = Instant::now() + Duration::from_secs(2);
    while Instant::now() < until {
        if let Ok(Input::Media(FromMedia::Opened { sdp, .. })) = reports.common.try_recv() {
            return Ok(sdp);
        }
        std::thread::yield_now();
    }
    bail!("a leg was not opened within two seconds")
}

fn far_end(speech: Speech) -> std::io::Result<Far> {
    let socket = UdpSocket::bind("127.0.0.7:0")?;
    socket.set_nonblocking(true)?;
    Ok(Far { socket, speech, sequence: 0, heard: 0 })
}

/// Every 5 ms a quarter of the far ends sends, and all of that quarter's sockets are read empty.
fn talk(far: &mut [Far], stop: &AtomicBool, tally: &Tally) -> anyhow::Result<()> {
    let [pcma, g722, opus] = [Speech::Pcma.packets()?, Speech::G722.packets()?, Speech::Opus.packets()?];
    let began = Instant::now();
    let mut buffer = [0; 2_048];
    for tick in 0u32.. {
        let due = began + Duration::from_millis(5) * tick;
        if let Some(left) = due.checked_duration_since(Instant::now()) {
            std::thread::sleep(left);
        }
        tally.worst_late_us.fetch_max(due.elapsed().as_micros() as u64, Ordering::Relaxed);
        if stop.load(Ordering::Relaxed) {
            break;
        }
        for (n, far) in far.iter_mut().enumerate().filter(|(n, _)| (*n as u32 / 2 + tick).is_multiple_of(4)) {
            let said = match far.speech {
                Speech::Pcma => &pcma,
                Speech::G722 => &g722,
                Speech::Opus => &opus,
            };
            let payload = said.get(usize::from(far.sequence) % said.len()).context("no sound")?;
            far.sequence = far.sequence.wrapping_add(1);
            let [s0, s1] = far.sequence.to_be_bytes();
            let mut packet = vec![0x80, far.speech.payload_type(), s0, s1];
            packet.extend((u32::from(far.sequence) * far.speech.steps_a_packet()).to_be_bytes());
            packet.extend((n as u32).to_be_bytes());
            packet.extend(payload);
            tally.sent.fetch_add(u64::from(far.socket.send(&packet).is_ok()), Ordering::Relaxed);
            while far.socket.recv(&mut buffer).is_ok() {
                far.heard += 1;
                tally.heard.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
    Ok(())
}

/// Milliseconds of CPU of the media threads and of the recordings' thread, in the kernel too.
fn cpu_ms() -> anyhow::Result<(f64, f64)> {
    let (mut media, mut recordings) = (0.0, 0.0);
    for task in std::fs::read_dir("/proc/self/task")? {
        let path = task?.path();
        let name = std::fs::read_to_string(path.join("comm"))?;
        let spent = std::fs::read_to_string(path.join("schedstat"))?;
        let ms = spent.split(' ').next().context("schedstat")?.parse::<f64>()? / 1e6;
        match name.trim() {
            "recordings" => recordings += ms,
            name if name.starts_with("media ") => media += ms,
            _ => {}
        }
    }
    Ok((media, recordings))
}

fn resident_kb() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
