//! How does a server live through callers who were drawn? Each comes at their moment, gives up when out of patience, and talks for as long as
//! was drawn, whoever answers; both sides chirp, and what each heard of the other is judged.

use std::collections::HashMap;
use std::net::SocketAddrV4;
use std::time::{Duration, Instant};

use cityline_phone::Sound;
use cityline_phone::agenda::Agenda;
use cityline_phone::judge::find::{self, Ear};
use cityline_phone::line::{AnswerOptions, CallKey, CallOptions, Event, Line, LineError, Record, Script};
use cityline_phone::media::EchoControl;
use serde::Serialize;

use crate::content;
use crate::report::{Ms, Own};

/// What is heard is kept so long.
const KEEP: Duration = Duration::from_secs(3_600);
/// The n-th caller's number is this with n in seven digits behind it: operators' phones show it.
const NUMBERS: &str = "+7701";
const DIGITS: usize = 7;
/// Before the first caller.
const LEAD: Duration = Duration::from_secs(2);

/// One caller, as `cityline simulate --draw` writes them.
#[derive(Clone, Debug)]
pub struct Drawn {
    at: Duration,
    number: String,
    patience: Option<Duration>,
    talk: Duration,
}

/// What is played.
#[derive(Clone, Debug)]
pub struct Plan {
    pub target: SocketAddrV4,
    pub callers: Vec<Drawn>,
    /// Operators' phones ring for so long before they are picked up.
    pub rings: Duration,
    /// Answered within this counts as answered in target.
    pub in_target: Duration,
}

/// What came of it, seen from the phones.
#[derive(Debug, Default, Serialize)]
pub struct Day {
    pub calls: u64,
    /// Talks that began.
    pub answered: u64,
    pub gave_up: u64,
    /// Calls that were refused, failed, or were ended by the server before a talk.
    pub failed: u64,
    /// Answered in target / calls.
    pub service_level: f64,
    /// From the server's answer to the talk.
    pub waited_ms: Ms,
    pub chirps: u64,
    pub chirps_missing: u64,
    pub chirps_damaged: u64,
    /// Legs that heard somebody else than the one they talked with.
    pub crossed: u64,
    /// Talks of three seconds and more in which a side heard nothing of the other.
    pub deaf: u64,
    pub own: Own,
    /// The phones were in time: the run counts.
    pub valid: bool,
}

/// Reads callers: a heading, then `at_ms,number,patience_ms,talk_ms` a line, the patience empty for who never gives up.
///
/// # Errors
/// The first line that is none.
pub fn read(text: &str) -> Result<Vec<Drawn>, String> {
    let line = |line: &str| {
        let mut fields = line.split(',');
        let at = Duration::from_millis(fields.next()?.parse().ok()?);
        let number = fields.next().filter(|number| !number.is_empty())?.to_owned();
        let patience = match fields.next()? {
            "" => None,
            ms => Some(Duration::from_millis(ms.parse().ok()?)),
        };
        Some(Drawn { at, number, patience, talk: Duration::from_millis(fields.next()?.trim().parse().ok()?) })
    };
    let lines = text.lines().skip(1).filter(|text| !text.is_empty());
    lines.map(|text| line(text).ok_or_else(|| format!("`{text}` is no caller: at_ms,number,patience_ms,talk_ms are needed"))).collect()
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Call(usize),
    GiveUp(usize),
    PickUp(CallKey),
    TalkOver(usize),
}

/// A caller who is up.
struct Up {
    key: CallKey,
    answered: Option<Instant>,
    talks: bool,
    gives_up: bool,
}

struct City {
    plan: Plan,
    echo: EchoControl,
    agenda: Agenda<Step>,
    up: HashMap<usize, Up>,
    /// Whose leg is whose: callers' own, and operators' by the caller whom they answer.
    callers: HashMap<CallKey, usize>,
    operators: HashMap<CallKey, usize>,
    to_come: usize,
    waited: Vec<Duration>,
    /// What was heard by a caller, and by their operator.
    heard: Vec<(usize, bool, Record)>,
    talked: HashMap<usize, Instant>,
    lengths: HashMap<usize, Duration>,
    day: Day,
}

/// Lives through the day; operators' phones are where the line is bound.
///
/// # Errors
/// When no socket is left.
pub fn run(mut line: Line, plan: Plan) -> Result<Day, LineError> {
    let echo = EchoControl::open(line.media()).map_err(LineError::NoSocket)?;
    let mut agenda = Agenda::default();
    let begins = Instant::now() + LEAD;
    plan.callers.iter().enumerate().for_each(|(n, caller)| agenda.put(begins + caller.at, Step::Call(n)));
    let mut city = City {
        to_come: plan.callers.len(),
        plan,
        echo,
        agenda,
        up: HashMap::new(),
        callers: HashMap::new(),
        operators: HashMap::new(),
        waited: Vec::new(),
        heard: Vec::new(),
        talked: HashMap::new(),
        lengths: HashMap::new(),
        day: Day::default(),
    };
    line.run(&mut city);
    let lateness = line.media().lateness().clone();
    let echo = city.echo.arrivals(line.media()).cloned().unwrap_or_default();
    city.day.own = Own::of(&lateness, &echo);
    Ok(city.concluded())
}

impl City {
    fn step(&mut self, line: &mut Line, step: Step, now: Instant) {
        match step {
            Step::Call(n) => self.calls(line, n),
            Step::GiveUp(n) => {
                if let Some(up) = self.up.get_mut(&n).filter(|up| !up.talks) {
                    up.gives_up = true;
                    line.hang_up(up.key);
                }
            }
            Step::PickUp(key) => {
                let Some(n) = self.operators.get(&key) else { return };
                let options = AnswerOptions { keep: KEEP, sound: Sound::Chirps(content::operator_voice(*n)), ..AnswerOptions::default() };
                if line.answer(key, &options).is_err() {
                    line.reject(key, 480);
                }
            }
            Step::TalkOver(n) => {
                if let Some(up) = self.up.get(&n) {
                    self.lengths.extend(self.talked.get(&n).map(|since| (n, now - *since)));
                    line.hang_up(up.key);
                }
            }
        }
    }

    fn calls(&mut self, line: &mut Line, n: usize) {
        self.to_come -= 1;
        self.day.calls += 1;
        let Some(caller) = self.plan.callers.get(n) else { return };
        let (from, sound) = (format!("{NUMBERS}{n:0DIGITS$}"), Sound::Chirps(content::caller_voice(n)));
        let options = CallOptions { from, sound, keep: KEEP, ..CallOptions::default() };
        match line.call(&format!("sip:{}@{}", caller.number, self.plan.target), &options) {
            Ok(key) => {
                self.callers.insert(key, n);
                self.up.insert(n, Up { key, answered: None, talks: false, gives_up: false });
            }
            Err(_) => self.day.failed += 1,
        }
    }

    /// An operator's phone rings for somebody whose number it shows.
    fn rings(&mut self, line: &mut Line, key: CallKey, from: &str, now: Instant) {
        let shown = from.find(NUMBERS).and_then(|at| from.get(at + NUMBERS.len()..at + NUMBERS.len() + DIGITS));
        let Some(n) = shown.and_then(|digits| digits.parse().ok()) else { return line.reject(key, 404) };
        line.ring(key);
        self.operators.insert(key, n);
        self.agenda.put(now + self.plan.rings, Step::PickUp(key));
    }

    fn talks(&mut self, n: usize, now: Instant) {
        let Some(up) = self.up.get_mut(&n).filter(|up| !up.talks) else { return };
        up.talks = true;
        self.day.answered += 1;
        self.waited.extend(up.answered.map(|since| now - since));
        self.talked.insert(n, now);
        if let Some(caller) = self.plan.callers.get(n) {
            self.agenda.put(now + caller.talk, Step::TalkOver(n));
        }
    }

    fn over(&mut self, line: &mut Line, key: CallKey) {
        let record = line.take_record(key);
        if let Some(n) = self.callers.remove(&key) {
            if let Some(up) = self.up.remove(&n) {
                self.day.gave_up += u64::from(up.gives_up && !up.talks);
                self.day.failed += u64::from(!up.gives_up && !up.talks);
            }
            self.heard.extend(record.map(|record| (n, false, record)));
        } else if let Some(n) = self.operators.remove(&key) {
            self.heard.extend(record.map(|record| (n, true, record)));
        }
    }

    fn concluded(mut self) -> Day {
        let ears = [Ear::for_bands(&[2, 3]), Ear::for_bands(&[0, 1])];
        for (n, is_operator, record) in &self.heard {
            let found = ears[usize::from(*is_operator)].chirps(&record.heard.timeline().pcm);
            let expected = if *is_operator { content::caller_voice(*n) } else { content::operator_voice(*n) };
            self.day.chirps_damaged += found.damaged.len() as u64;
            let hearings = find::hearings(&found);
            self.day.crossed += u64::from(hearings.keys().any(|voice| *voice != expected));
            self.day.chirps += hearings.values().map(|hearing| hearing.chirps.len() as u64).sum::<u64>();
            self.day.chirps_missing += hearings.values().map(|hearing| hearing.missing).sum::<u64>();
            let talked = self.lengths.get(n).is_some_and(|length| *length >= Duration::from_secs(3));
            let is_leg_of_talk = *is_operator || self.talked.contains_key(n);
            self.day.deaf +=
                u64::from(talked && is_leg_of_talk && !hearings.contains_key(&expected) && record.heard.timeline().pcm.len() > 24_000);
        }
        let in_target = self.waited.iter().filter(|waited| **waited <= self.plan.in_target).count();
        self.day.service_level = in_target as f64 / self.day.calls.max(1) as f64;
        self.day.waited_ms = Ms::of(&self.waited);
        self.day.valid = self.day.own.was_in_time();
        self.day
    }
}

impl Script for City {
    fn on_event(&mut self, line: &mut Line, call: CallKey, event: Event) {
        let now = Instant::now();
        match event {
            Event::Incoming { from, .. } => self.rings(line, call, &from, now),
            Event::Answered => {
                let Some(n) = self.callers.get(&call).copied() else { return };
                self.up.get_mut(&n).into_iter().for_each(|up| up.answered = Some(now));
                let patience = self.plan.callers.get(n).and_then(|caller| caller.patience);
                patience.into_iter().for_each(|patience| self.agenda.put(now + patience, Step::GiveUp(n)));
            }
            Event::Confirmed => {
                if let Some(n) = self.operators.get(&call).copied() {
                    self.talks(n, now);
                }
            }
            last if last.is_last() => self.over(line, call),
            _ => {}
        }
    }

    fn on_turn(&mut self, line: &mut Line, now: Instant) -> Option<Instant> {
        while let Some(step) = self.agenda.due(now) {
            self.step(line, step, now);
        }
        let over = self.to_come == 0 && self.up.is_empty() && self.operators.is_empty();
        (!over).then(|| self.agenda.next().unwrap_or(now + Duration::from_millis(20)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_are_read_with_and_without_patience() {
        let callers = read("at_ms,number,patience_ms,talk_ms\n10,city-ru,5000,60000\n20,city-kk,,1\n").unwrap_or_default();
        assert_eq!(callers.len(), 2);
        assert_eq!((callers[0].at, callers[0].patience), (Duration::from_millis(10), Some(Duration::from_secs(5))));
        assert_eq!((callers[1].number.as_str(), callers[1].patience, callers[1].talk), ("city-kk", None, Duration::from_millis(1)));
        assert!(read("at_ms\nnonsense").is_err());
    }
}
