//! What does a media thread do? It sleeps until its tick or an order, reads its legs' sockets empty, passes sound on and sends.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use crate::centre::ids::{CallId, LegId};
use crate::centre::input::{Codec, FromMedia, Input};
use crate::centre::output::ToMedia;
use crate::clock::Clock;
use crate::kept::Kept;
use crate::lanes::Inputs;
use crate::media::codec::moments;
use crate::media::counters::Counters;
use crate::media::epoll::Alarm;
use crate::media::leg::{Buffer, Heard, Leg};
use crate::media::playback::Sounds;
use crate::media::ports::Ports;
use crate::media::priority;
use crate::media::recorder::Tap;
use crate::media::room::Room;
use crate::media::rtp::Packet;
use crate::sdp_book::SdpBook;
use crate::vitals::Pulse;

/// Sound moves on a grid of 5 ms: a wake-up costs more than a packet, and four ticks make a frame.
const TICK_US: u64 = 5_000;
/// Ticks a frame of 20 ms; each leg sends on one of them.
pub const PHASES: usize = 4;
/// With no leg open the thread looks up this often.
const IDLE: Duration = Duration::from_secs(1);
/// A thread that was stopped makes up for so many ticks (60 ms), which a jitter buffer takes; older ones are left out.
const CATCH_UP: u64 = 12;
/// Datagrams of one leg a tick; a flood waits in the kernel, and is dropped there.
const DATAGRAMS_A_TICK: usize = 8;
/// Event packets may come faster than sound.
const EVENT_PERIOD_US: u64 = 5_000;
/// Reports that wait for room in the engine's lane; beyond it the oldest is dropped and counted.
const MAX_REPORTS: usize = 4_096;
/// Orders carried out between two ticks at most.
const ORDERS_A_TURN: usize = 1_024;

/// What the engine's side sends to a thread.
pub enum Command {
    /// An order of the core.
    Order(ToMedia),
    /// A leg that was opened for this thread; its orders follow.
    Seat(Box<Leg>),
    /// Sounds that are played from the next `Play` on.
    Sounds(Arc<dyn Sounds>),
}

/// What a worker is built from.
pub struct Outfit {
    /// Orders for this thread.
    pub commands: Receiver<Command>,
    /// Ends the thread's sleep.
    pub alarm: Alarm,
    /// Set when the thread must close everything and end.
    pub stop: Arc<AtomicBool>,
    /// Set while the thread sleeps without ticks: who sends an order then wakes it.
    pub resting: Arc<AtomicBool>,
    /// Where reports go.
    pub inputs: Inputs,
    /// Where descriptions lie.
    pub sdps: SdpBook,
    /// What is played.
    pub sounds: Arc<dyn Sounds>,
    /// The ports of the process.
    pub ports: Arc<Ports>,
    /// Our address, and what the settings say.
    pub config: crate::config::Media,
    /// The time.
    pub clock: Clock,
    /// The way to the recordings' writer.
    pub tap: Tap,
    /// What outlives the process.
    pub kept: Option<Arc<Kept<LegId>>>,
    /// Set when the legs are left to the next process.
    pub leave: Arc<AtomicBool>,
    /// Beats each time that the thread comes round.
    pub pulse: Pulse,
}

/// One media thread and the legs that it owns.
pub struct Worker {
    pub(super) outfit: Outfit,
    pub(super) legs: Vec<Option<Box<Leg>>>,
    pub(super) vacant: Vec<usize>,
    pub(super) rooms: HashMap<CallId, Room>,
    /// Places by the tick on which they send.
    pub(super) turns: [Vec<usize>; PHASES],
    /// Places that are looked at on every tick, each with the moment from which its socket is worth asking: kept beside each other,
    /// because fetching each leg from memory to learn that nothing is due would cost more than a system call now and then.
    pub(super) talking: Vec<(usize, u64)>,
    pub(super) counters: Counters,
    /// Calls in which somebody speaks another codec than before.
    unsettled: Vec<CallId>,
    reports: VecDeque<FromMedia>,
    ticking: bool,
    /// When the grid began, and how many of its ticks are done.
    grid_us: u64,
    ticks: u64,
    published: (u64, usize),
}

impl Worker {
    /// A thread's work before it begins.
    pub fn new(outfit: Outfit) -> Worker {
        Worker {
            outfit,
            legs: Vec::new(),
            vacant: Vec::new(),
            rooms: HashMap::new(),
            turns: Default::default(),
            talking: Vec::new(),
            counters: Counters::default(),
            unsettled: Vec::new(),
            reports: VecDeque::new(),
            ticking: true,
            grid_us: 0,
            ticks: 0,
            published: (0, 0),
        }
    }

    /// The thread: until it is told to stop.
    pub fn run(mut self) {
        priority::raise();
        let mut buffer: Buffer = [0; 2_048];
        while !self.outfit.stop.load(Ordering::Acquire) {
            let pause = self.rest();
            self.outfit.alarm.wait(pause);
            self.outfit.pulse.beat();
            self.outfit.resting.store(false, Ordering::SeqCst);
            self.take_orders();
            self.catch_up(&mut buffer);
            self.outfit.tap.flush(self.now_us());
            self.hand_in_reports();
            self.publish();
        }
        self.close_everything();
    }

    pub(super) fn now_us(&self) -> u64 {
        self.outfit.clock.elapsed_us()
    }

    /// A report for the engine.
    pub(super) fn tell(&mut self, report: FromMedia) {
        if self.reports.len() >= MAX_REPORTS {
            self.reports.pop_front();
            self.counters.overflows += 1;
        }
        self.reports.push_back(report);
    }

    /// How long to sleep. Before a long sleep it says that it rests, and looks once more for an order that came before that was seen.
    fn rest(&mut self) -> Duration {
        let pause = self.pause();
        if self.ticking {
            return pause;
        }
        self.outfit.resting.store(true, Ordering::SeqCst);
        self.take_orders();
        self.pause()
    }

    /// How long there is nothing to do: until the next tick on which a leg has its turn, or is read. A centre at night costs nothing.
    fn pause(&mut self) -> Duration {
        let waits = !self.reports.is_empty() || self.outfit.tap.is_busy();
        let wanted = waits || self.vacant.len() < self.legs.len();
        if wanted != self.ticking {
            self.ticking = wanted;
            self.grid_us = self.now_us();
            self.ticks = 0;
        }
        if !wanted {
            return IDLE;
        }
        let last = self.ticks + PHASES as u64;
        let next = (self.ticks + 1..last).find(|tick| waits || self.has_work(*tick)).unwrap_or(last);
        Duration::from_micros((self.grid_us + next * TICK_US).saturating_sub(self.now_us()))
    }

    fn has_work(&self, tick: u64) -> bool {
        !self.talking.is_empty() || self.turns.get(phase_of(tick)).is_some_and(|turns| !turns.is_empty())
    }

    fn take_orders(&mut self) {
        for _ in 0..ORDERS_A_TURN {
            match self.outfit.commands.try_recv() {
                Ok(Command::Order(order)) => self.carry_out(order),
                Ok(Command::Seat(leg)) => self.seat(leg),
                Ok(Command::Sounds(sounds)) => self.outfit.sounds = sounds,
                Err(_) => return,
            }
        }
    }

    /// Runs the ticks that are due.
    fn catch_up(&mut self, buffer: &mut Buffer) {
        if !self.ticking {
            return;
        }
        let due = self.now_us().saturating_sub(self.grid_us) / TICK_US;
        if due.saturating_sub(self.ticks) > CATCH_UP {
            self.counters.ticks_skipped += due - self.ticks - 1;
            self.ticks = due - 1;
        }
        while self.ticks < due {
            self.ticks += 1;
            if self.has_work(self.ticks) {
                self.tick(buffer);
            }
        }
    }

    fn tick(&mut self, buffer: &mut Buffer) {
        let now_us = self.now_us();
        let late_us = now_us.saturating_sub(self.grid_us + self.ticks * TICK_US);
        self.counters.latest_tick_us = self.counters.latest_tick_us.max(late_us);
        let phase = phase_of(self.ticks);
        let mut talking = std::mem::take(&mut self.talking);
        for (place, ask_from_us) in talking.iter_mut().filter(|(_, ask_from_us)| now_us >= *ask_from_us) {
            *ask_from_us = self.listen(*place, buffer, now_us);
        }
        self.talking = talking;
        let turns = self.turns.get_mut(phase).map(std::mem::take).unwrap_or_default();
        for place in &turns {
            self.turn(*place, buffer, now_us);
        }
        if let Some(places) = self.turns.get_mut(phase) {
            *places = turns;
        }
        while let Some(call) = self.unsettled.pop() {
            self.arrange(call);
        }
    }

    /// One leg's turn: it is read, if that is not done on every tick, and sends.
    fn turn(&mut self, place: usize, buffer: &mut Buffer, now_us: u64) {
        if self.legs.get(place).and_then(Option::as_ref).is_some_and(|leg| !leg.is_talking()) {
            self.listen(place, buffer, now_us);
        }
        self.mix(place, now_us);
        let limit_us = self.outfit.config.silence_after_ms.saturating_mul(1_000);
        let Some(leg) = self.legs.get_mut(place).and_then(Option::as_mut) else { return };
        let ended = leg.take_turn(now_us, &mut self.counters);
        let silence = leg.watch_silence(now_us, limit_us);
        leg.exchange_reports(buffer, &self.outfit.clock, now_us);
        if let Some(kept) = &self.outfit.kept
            && let Some(record) = leg.record(|| self.outfit.clock.now(), now_us)
        {
            // The next process must not believe an older record: the numbers of a protected stream would come twice. It gives the leg up.
            if !kept.put(leg.id, &record) && leg.has_kept_key() {
                kept.wipe(&leg.id);
            }
        }
        let unheard = leg.watch_hearing(now_us);
        ended.into_iter().chain(silence).chain(unheard).for_each(|report| self.tell(report));
    }

    /// Adds up for a leg what it hears in this period, where that has to be decoded.
    fn mix(&mut self, place: usize, now_us: u64) {
        let period = self.ticks / PHASES as u64;
        let Some(mut mixer) = self.legs.get_mut(place).and_then(Option::as_mut).and_then(|leg| leg.mixer.take()) else { return };
        mixer.begin();
        for n in 0..mixer.mouths().len() {
            let mouth = mixer.mouths().get(n).and_then(|mouth| self.legs.get_mut(*mouth)).and_then(Option::as_mut);
            if let Some(voice) = mouth.and_then(|mouth| mouth.voice.as_mut()) {
                let wide = mixer.is_wide();
                mixer.add(voice.frame(period, wide, now_us));
            }
        }
        if let Some(leg) = self.legs.get_mut(place).and_then(Option::as_mut) {
            leg.mixer = Some(mixer);
        }
    }

    /// Reads what has arrived for one leg and passes it on. When to ask again.
    fn listen(&mut self, place: usize, buffer: &mut Buffer, now_us: u64) -> u64 {
        let Some(seat) = self.legs.get_mut(place) else { return u64::MAX };
        let Some(mut leg) = seat.take_if(|leg| leg.pace.may_ask(now_us)) else { return now_us };
        for _ in 0..DATAGRAMS_A_TICK {
            let period_us = match leg.receive(buffer, now_us, &mut self.counters) {
                Heard::Nothing => {
                    // In a talk every moment of sound has its place; only who speaks to nobody may wait to be heard.
                    if !leg.is_talking() {
                        leg.pace.found_nothing(now_us);
                    }
                    break;
                }
                Heard::Dropped => {
                    leg.pace.disturbed();
                    continue;
                }
                Heard::Sound(packet, codec) => {
                    self.pass_sound(&mut leg, packet, codec, buffer, now_us);
                    moments(codec, buffer.get(packet.begin..packet.end).unwrap_or_default()) as u64 * 125
                }
                Heard::Event(packet, digit) => {
                    let steps = leg.event_steps();
                    self.ears_of(&leg, |ear, counters| ear.pass_event(&packet, steps, buffer, now_us, counters));
                    digit.into_iter().for_each(|digit| self.tell(FromMedia::Digit { leg: leg.id, digit }));
                    EVENT_PERIOD_US
                }
            };
            if leg.pace.note(period_us, now_us) {
                break;
            }
        }
        let ask_from_us = leg.pace.ask_from_us();
        if let Some(home) = self.legs.get_mut(place) {
            *home = Some(leg);
        }
        ask_from_us
    }

    fn pass_sound(&mut self, leg: &mut Leg, packet: Packet, codec: Codec, buffer: &mut Buffer, now_us: u64) {
        let sound = buffer.get(packet.begin..packet.end).unwrap_or_default();
        if let Some(track) = leg.track {
            self.outfit.tap.frame(track, codec, &packet, sound, now_us);
        }
        if let Some(digit) = leg.tone(codec, sound) {
            self.tell(FromMedia::Digit { leg: leg.id, digit });
        }
        if let Some(voice) = &mut leg.voice {
            voice.put(&packet, codec, sound, now_us);
        }
        if leg.spoke(codec) {
            self.unsettled.push(leg.id.call);
        }
        let mut lies = codec;
        self.ears_of(leg, |ear, counters| {
            if ear.mixer.is_none() {
                ear.pass_sound(&packet, &mut lies, buffer, now_us, counters);
            }
        });
    }

    fn ears_of(&mut self, leg: &Leg, mut pass: impl FnMut(&mut Leg, &mut Counters)) {
        for ear in &leg.ears {
            if let Some(ear) = self.legs.get_mut(*ear).and_then(Option::as_mut) {
                pass(ear, &mut self.counters);
            }
        }
    }

    /// Gives reports to the engine; those that find no room are tried again on the next tick.
    fn hand_in_reports(&mut self) {
        while let Some(report) = self.reports.pop_front() {
            if self.outfit.inputs.send(Input::Media(report.clone())).is_err() {
                self.reports.push_front(report);
                return;
            }
        }
    }

    fn publish(&mut self) {
        let (now_us, legs) = (self.now_us(), self.legs.len() - self.vacant.len());
        if now_us.saturating_sub(self.published.0) >= 1_000_000 {
            self.counters.publish(legs as i64 - self.published.1 as i64);
            self.published = (now_us, legs);
        }
    }
}

/// Which legs have their turn on a tick.
fn phase_of(tick: u64) -> usize {
    (tick % PHASES as u64) as usize
}
