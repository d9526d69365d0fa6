//! How does sound reach and leave the calls? A few threads that own the legs' sockets, and a door for the core's orders.
//!
//! Reading order: `opening` makes a leg, `worker` is a thread's loop, `orders` what it is told, `leg` what it owns. `sdp`, `negotiation` and
//! `latch` say whom a leg speaks to, `sdes` and `srtp` how strangers are kept out; `rtp`, `stream`, `rtcp` and `codec` what is on the wire; `playback`, `room`, `dtmf`
//! and `inband` what is in the sound; `wire` and `webrtc` how a leg reaches the page of a desk; `recorder`, `timeline`, `writer` and `wav` what is kept of it, and `quality` how good it was.

mod codec;
mod conceal;
mod counters;
mod decoder;
mod dtmf;
mod encoder;
mod epoll;
#[cfg(test)]
mod fuzz;
mod inband;
mod jitter;
mod lane;
mod latch;
mod leg;
#[cfg(test)]
mod loopback;
#[cfg(test)]
mod loopback_codecs;
mod negotiation;
mod opening;
mod orders;
mod pace;
mod persist;
mod pitch;
mod playback;
#[cfg(test)]
mod poor_line;
mod ports;
mod presses;
mod priority;
mod quality;
mod recorder;
mod resample;
mod room;
mod rtcp;
mod rtp;
mod sdes;
mod sdp;
mod socket;
mod srtp;
mod stream;
mod stretch;
mod timeline;
mod voice;
mod wav;
pub mod webrtc;
mod wire;
mod worker;
mod writer;

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use crate::centre::ids::{AgentId, CallId, LegId, SdpRef};
use crate::centre::input::{FromMedia, Input, MediaFailure};
use crate::centre::output::ToMedia;
use crate::clock::Clock;
use crate::config;
use crate::kept::Kept;
use crate::lanes::Inputs;
use crate::sdp_book::SdpBook;
use crate::vitals::{Part, Vitals};
use epoll::{Alarm, Bell};
use opening::Opener;
use ports::Ports;
use recorder::Tap;
use webrtc::{Greeting, NoSession, Pages, Surroundings};
use worker::{Command, Outfit, Worker};
use writer::Writer;

pub use persist::Survivors;
pub use playback::Sounds;
pub use writer::{recorded_ms, recording_path, repair};

/// Orders that wait for one thread; beyond it the leg is lost ([`MediaEngine::carry_out`]).
const COMMANDS: usize = 8_192;

/// Blocks of sound that wait for the writer, about 46 KB each; beyond it sound is left out of recordings and counted.
const BLOCKS: usize = 256;

/// What the media plane is built from.
pub struct MediaParts {
    /// Address, ports, threads, limits.
    pub config: config::Media,
    /// The folder of recordings.
    pub recordings: PathBuf,
    /// Where reports go.
    pub inputs: Inputs,
    /// Session descriptions on their way to and from signalling.
    pub sdps: SdpBook,
    /// What is played.
    pub sounds: Arc<dyn Sounds>,
    /// The time.
    pub clock: Clock,
    /// Where a thread is missed when it ends or hangs.
    pub vitals: Vitals,
}

/// The media plane cannot start. Each error names the thing and the mend.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// The address is not one of this machine.
    #[error("media.address {address} cannot be bound ({error}): give an address of this machine")]
    Address {
        /// As in the settings.
        address: IpAddr,
        /// What the system said.
        error: io::Error,
    },
    /// Sessions must name an address that the far end can reach.
    #[error("media.address is {0}: name the address that phones and trunks can reach")]
    Unspecified(IpAddr),
    /// Fewer than two ports.
    #[error("media.ports {0} to {1} hold no pair of ports: give an even first and a larger last port")]
    Ports(u16, u16),
    /// The recordings' folder is not usable.
    #[error("recordings cannot be kept in {folder} ({error}): make the folder writable, or name another in data.folder")]
    Recordings {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The port of the pages cannot be had.
    #[error("media.webrtc_port {port} cannot be bound ({error}): give another port, or 0 for no phones in pages")]
    Pages {
        /// As in the settings.
        port: u16,
        /// What the system said.
        error: io::Error,
    },
    /// The process is out of threads, descriptors or random numbers.
    #[error("the system gives no media thread ({0}): raise the limits of open files and threads")]
    System(io::Error),
}

/// The running media plane. Dropping it without [`MediaEngine::stop`] leaves its threads to the end of the process.
pub struct MediaEngine {
    opener: Opener,
    inputs: Inputs,
    doors: Vec<Door>,
    pages: Option<Pages>,
    writer: JoinHandle<()>,
    stop: Arc<AtomicBool>,
    leave: Arc<AtomicBool>,
}

/// The way to one thread.
struct Door {
    commands: SyncSender<Command>,
    bell: Bell,
    resting: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

/// Starts the threads. Errors: what the settings name cannot be had.
pub fn start(parts: MediaParts) -> Result<MediaEngine, MediaError> {
    resume(parts, None).map(|(engine, _)| engine)
}

/// The same, with the legs that a former process left; returns those that have their ports and streams again.
pub fn resume(parts: MediaParts, left: Option<Survivors>) -> Result<(MediaEngine, BTreeSet<LegId>), MediaError> {
    check(&parts.config, &parts.recordings)?;
    let (stop, leave) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (kept, records) = left.map_or((None, Vec::new()), |left| (Some(left.kept), left.records));
    let ports = Arc::new(Ports::new(parts.config.ports, seed()?));
    let (blocks, queue) = sync_channel(BLOCKS);
    let writer = Writer::new(parts.recordings.clone(), queue, parts.inputs.clone(), parts.clock, parts.vitals.pulse(Part::Recordings));
    let writer = spawn("recordings", move || writer.run())?;
    let doors = (0..threads(&parts.config))
        .map(|number| {
            let (stop, leave, kept) = (stop.clone(), leave.clone(), kept.clone());
            Door::open(number, &parts, &ports, Tap::new(blocks.clone()), Shared { stop, leave, kept })
        })
        .collect::<Result<Vec<Door>, MediaError>>()?;
    let around = || Surroundings { inputs: parts.inputs.clone(), clock: parts.clock, pulse: parts.vitals.pulse(Part::Pages) };
    let port = parts.config.webrtc_port;
    let pages = webrtc::start(&parts.config, around).map_err(|error| MediaError::Pages { port, error })?;
    let MediaParts { config, inputs, sdps, clock, .. } = parts;
    let opener = Opener { config, ports, sdps, clock };
    let engine = MediaEngine { opener, inputs, doors, pages, writer, stop, leave };
    let found = records.into_iter().filter(|(leg, record)| engine.reopen(*leg, record, kept.as_deref())).map(|(leg, _)| leg).collect();
    Ok((engine, found))
}

/// What all threads share, beside their parts.
struct Shared {
    stop: Arc<AtomicBool>,
    leave: Arc<AtomicBool>,
    kept: Option<Arc<Kept<LegId>>>,
}

impl MediaEngine {
    /// Hands an order to the thread that owns the call. Never waits. Errors: that thread's queue is full, or the thread is
    /// gone; the order is not carried out, and the leg that it concerns is returned so that the core may give it up.
    pub fn carry_out(&self, order: ToMedia) -> Result<(), LegId> {
        let leg = leg_of(&order);
        if let ToMedia::Open { offer, .. } = order {
            return self.open(leg, offer);
        }
        if let ToMedia::Attach { agent, .. } = &order {
            return self.attach(leg, agent);
        }
        // Who waits for an answer or begins to talk is served at once, the rest by the next tick that has work, 20 ms later at most.
        let at_once = matches!(order, ToMedia::Agree { .. } | ToMedia::Connect { .. });
        let door = self.door(leg)?;
        door.send(Command::Order(order), at_once).map_err(|_| leg)
    }

    /// Opens a leg here and now; its thread takes it up before its next order.
    fn open(&self, id: LegId, offer: Option<SdpRef>) -> Result<(), LegId> {
        let door = self.door(id)?;
        let report = match self.opener.open(id, offer) {
            Ok((leg, report)) => {
                door.send(Command::Seat(Box::new(leg)), false).map_err(|refused| {
                    if let Command::Seat(leg) = refused {
                        self.opener.discard(&leg);
                    }
                    id
                })?;
                report
            }
            Err(why) => FromMedia::Failed { leg: id, why, about: offer },
        };
        // Without room for the report the core gives the leg up, and closes it.
        self.inputs.send(Input::Media(report)).map_err(|_| id)
    }

    /// Opens a leg to the page of this operator.
    fn attach(&self, id: LegId, agent: &AgentId) -> Result<(), LegId> {
        let report = match self.pages.as_ref().and_then(|pages| pages.attach(agent)) {
            Some((line, codec)) => {
                let leg = self.opener.attach(id, line, codec);
                self.door(id)?.send(Command::Seat(Box::new(leg)), true).map_err(|_| id)?;
                FromMedia::Agreed { leg: id, codec, answer: None, about: None }
            }
            None => FromMedia::Failed { leg: id, why: MediaFailure::NoPage, about: None },
        };
        self.inputs.send(Input::Media(report)).map_err(|_| id)
    }

    /// Connects a page of a desk; the greeting takes the answer.
    pub fn greet(&self, greeting: Greeting) {
        match &self.pages {
            Some(pages) => pages.greet(greeting),
            None => (greeting.answer)(Err(NoSession::Off)),
        }
    }

    /// The UDP port of the pages, where there is one.
    pub fn pages_port(&self) -> Option<u16> {
        self.pages.as_ref().map(Pages::port)
    }

    /// Gives a leg of a former process to its thread; whether it has one again.
    fn reopen(&self, id: LegId, record: &persist::Record, kept: Option<&Kept<LegId>>) -> bool {
        let leg = self.opener.reopen(id, record.clone());
        let seated = leg.is_some_and(|leg| self.door(id).is_ok_and(|door| door.send(Command::Seat(Box::new(leg)), false).is_ok()));
        if !seated {
            kept.into_iter().for_each(|kept| kept.remove(&id));
        }
        seated
    }

    fn door(&self, leg: LegId) -> Result<&Door, LegId> {
        let threads = self.doors.len().max(1) as u64;
        self.doors.get((leg.call.0 % threads) as usize).ok_or(leg)
    }

    /// From the next order on sounds come from this book; what plays now is finished as it began.
    pub fn set_sounds(&self, sounds: Arc<dyn Sounds>) {
        for door in &self.doors {
            if door.commands.try_send(Command::Sounds(sounds.clone())).is_err() {
                tracing::error!("a media thread is too busy for new prompts: reload them again");
            }
        }
    }

    /// Closes every recording and leaves the legs to the next process, which finds them by their records.
    pub fn leave(self) {
        self.leave.store(true, Ordering::Release);
        self.stop();
    }

    /// Closes every leg and recording and waits for the threads.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Release);
        for door in self.doors {
            drop(door.commands);
            door.bell.ring();
            if door.thread.join().is_err() {
                tracing::error!("a media thread had panicked");
            }
        }
        self.pages.into_iter().for_each(Pages::stop);
        if self.writer.join().is_err() {
            tracing::error!("the recordings' thread had panicked");
        }
    }
}

impl Door {
    /// Puts a command into the thread's queue, and ends its sleep where that is asked for or it would last. Gives back what finds no room.
    fn send(&self, command: Command, at_once: bool) -> Result<(), Command> {
        self.commands.try_send(command).map_err(|error| {
            metrics::counter!("cityline_media_overflows_total").increment(1);
            match error {
                TrySendError::Full(command) | TrySendError::Disconnected(command) => command,
            }
        })?;
        if at_once || self.resting.load(Ordering::SeqCst) {
            self.bell.ring();
        }
        Ok(())
    }

    fn open(number: usize, parts: &MediaParts, ports: &Arc<Ports>, tap: Tap, shared: Shared) -> Result<Door, MediaError> {
        let (commands, queue) = sync_channel(COMMANDS);
        let alarm = Alarm::new().map_err(MediaError::System)?;
        let bell = alarm.bell();
        let resting = Arc::new(AtomicBool::new(false));
        let worker = Worker::new(Outfit {
            commands: queue,
            alarm,
            stop: shared.stop,
            leave: shared.leave,
            kept: shared.kept,
            resting: resting.clone(),
            inputs: parts.inputs.clone(),
            sdps: parts.sdps.clone(),
            sounds: parts.sounds.clone(),
            ports: ports.clone(),
            config: parts.config.clone(),
            clock: parts.clock,
            tap,
            pulse: parts.vitals.pulse(Part::Media(number)),
        });
        let thread = spawn(&format!("media {number}"), move || worker.run())?;
        Ok(Door { commands, bell, resting, thread })
    }
}

fn check(config: &config::Media, recordings: &Path) -> Result<(), MediaError> {
    let address = config.address;
    if address.is_unspecified() {
        return Err(MediaError::Unspecified(address));
    }
    UdpSocket::bind((address, 0)).map_err(|error| MediaError::Address { address, error })?;
    let (first, last) = config.ports;
    if first.saturating_add(first % 2) >= last {
        return Err(MediaError::Ports(first, last));
    }
    let probe = recordings.join(".writable");
    let written = std::fs::create_dir_all(recordings).and_then(|()| std::fs::write(&probe, [])).and_then(|()| std::fs::remove_file(&probe));
    written.map_err(|error| MediaError::Recordings { folder: recordings.to_owned(), error })
}

fn threads(config: &config::Media) -> usize {
    if config.threads > 0 { config.threads } else { std::thread::available_parallelism().map_or(1, usize::from) }
}

fn seed() -> Result<u64, MediaError> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|error| MediaError::System(io::Error::other(error)))?;
    Ok(u64::from_ne_bytes(bytes))
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, MediaError> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map_err(MediaError::System)
}

/// The leg that suffers if an order is lost; an order for a whole call names the resident's.
fn leg_of(order: &ToMedia) -> LegId {
    let caller = |call: CallId| LegId::caller(call);
    match order {
        ToMedia::Open { leg, .. }
        | ToMedia::Agree { leg, .. }
        | ToMedia::Play { leg, .. }
        | ToMedia::StopPlay { leg }
        | ToMedia::Attach { leg, .. }
        | ToMedia::SendDigits { leg, .. }
        | ToMedia::Close { leg } => *leg,
        ToMedia::Connect { call, .. } => caller(*call),
        ToMedia::Record { recording, .. }
        | ToMedia::StopRecord { recording }
        | ToMedia::PauseRecord { recording }
        | ToMedia::ResumeRecord { recording } => caller(recording.call),
    }
}
