//! What happens on a random day? Callers, phones, operators and shells that behave, misbehave, repeat themselves and come late.

use std::collections::BTreeMap;

use cityline::centre::Centre;
use cityline::centre::fact::{AgentStatus, Fact};
use cityline::centre::ids::{AgentId, CallId, CallTo, CallerRef, ContactId, Generation, Language, LegId, SdpRef, Supervision};
use cityline::centre::input::{CallerKnown, Codec, Digit, FromDesk, FromLine, FromMedia, HangUpCause, Input, MediaFailure};
use cityline::centre::output::{Ending, Output, ToLine, ToMedia};
use cityline::centre::time::Time;

use super::about::leg_of;
use super::dice::Dice;
use super::legs::Line;
use super::model::Model;
use super::towns::{OPERATORS, evening, town};
use crate::city::key;

/// 2026-11-20, a Friday.
const MORNING: Time = Time(1_795_132_800_000);
/// The evening ends after this long at the latest.
const EVENING_MS: u64 = 6 * 3_600_000;

/// One handled input with what came of it.
pub struct Record {
    pub time: Time,
    pub input: Input,
    pub outputs: Vec<Output>,
    pub facts: Vec<Fact>,
}

pub struct World {
    pub seed: u64,
    pub centre: Centre,
    pub records: Vec<Record>,
    pub(super) model: Model,
    pub(super) dice: Dice,
    pub(super) now: Time,
    coming: BTreeMap<(Time, u64), Input>,
    events: u64,
    pub(super) next_call: u64,
    pub(super) late_offers: Vec<CallId>,
    generation: u32,
    revision: u64,
    /// Only the end of the process: what shells were about to say is lost, and the day begins a new journal.
    is_evening: bool,
    /// Legs that phones have brought into calls.
    pub(super) replacing: u16,
}

impl World {
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            centre: Centre::new(),
            records: Vec::new(),
            model: Model::default(),
            dice: Dice::new(seed),
            now: MORNING,
            coming: BTreeMap::new(),
            events: 0,
            next_call: 0,
            late_offers: Vec::new(),
            generation: 0,
            revision: 0,
            is_evening: false,
            replacing: 0,
        }
    }

    /// A day of so many events, and the evening that serves everyone.
    pub fn live(&mut self, events: usize) {
        self.live_until(events);
        self.evening();
    }

    /// So many events, in the middle of the day.
    pub fn live_until(&mut self, events: usize) {
        self.reload();
        OPERATORS.iter().for_each(|agent| self.signs_in(agent));
        for _ in 0..events {
            let gap = *self.dice.pick(&[0, 0, 20, 300, 2_000, 9_000]).unwrap_or(&0);
            let ms = self.dice.below(gap + 1);
            self.pass(ms);
            self.something_happens();
        }
    }

    fn something_happens(&mut self) {
        match self.dice.below(1_592) {
            0..230 => self.somebody_calls(),
            230..480 => self.somebody_presses(),
            480..560 => self.somebody_hangs_up(),
            560..800 => self.an_operator_does_something(),
            800..840 => self.a_far_end_does_something(),
            840..880 => self.something_is_told_again(),
            880..905 => self.something_is_told_of_the_dead(),
            905..935 => self.sound_comes_or_goes(),
            935..950 => self.a_shell_fails(),
            950..958 => self.a_hang_up_overtakes(),
            958..974 => self.reload(),
            974..978 => self.a_supervisor_orders_shifts(),
            978..986 => self.restart(),
            986..989 => self.handle(Input::DrainStarted),
            989..990 => self.stops(),
            990..1_000 => self.handle(Input::DeadlineReached),
            1_000..1_440 => self.an_operator_works_with_a_call(),
            1_440..1_465 => self.a_phone_calls_a_colleague(),
            1_500..1_520 => self.a_phone_puts_two_together(),
            1_465..1_480 => self.a_phone_takes_a_place(),
            1_480..1_500 => self.a_far_end_speaks_early(),
            1_580..1_592 => self.a_supervisor_steers(),
            _ => self.a_phone_works_with_its_call(),
        }
    }

    // ---- callers ----

    fn somebody_calls(&mut self) {
        self.next_call += self.dice.between(1, 3);
        let call = CallId(self.next_call);
        self.arrives(call);
    }

    fn arrives(&mut self, call: CallId) {
        let late = self.dice.percent(10);
        if late {
            self.late_offers.push(call);
        }
        let number = if self.dice.percent(95) { "109" } else { "999" };
        let caller = CallerRef(self.dice.below(40));
        let sdp = (!late).then_some(SdpRef(call.0));
        self.handle(Input::Line(FromLine::CallArrived { call, caller, number: number.into(), trunk: "city".into(), sdp }));
    }

    fn a_hang_up_overtakes(&mut self) {
        self.next_call += 2;
        let call = CallId(self.next_call - self.dice.below(2));
        self.handle(Input::Line(FromLine::HungUp { leg: LegId::caller(call), cause: HangUpCause::Cancel }));
        self.pass(1);
        self.arrives(call);
    }

    fn somebody_up(&mut self) -> Option<CallId> {
        let up: Vec<CallId> = self.model.calls.keys().copied().collect();
        self.dice.pick(&up).copied()
    }

    fn somebody_presses(&mut self) {
        let Some(call) = self.somebody_up() else { return };
        let digit = key(*self.dice.pick(&['1', '1', '1', '2', '2', '3', '9', '0', '*', '#']).unwrap_or(&'1'));
        let leg = LegId::caller(call);
        let by_info = self.dice.percent(20);
        self.handle(if by_info { Input::Line(FromLine::Digit { leg, digit }) } else { Input::Media(FromMedia::Digit { leg, digit }) });
    }

    fn somebody_hangs_up(&mut self) {
        let Some(call) = self.somebody_up() else { return };
        let cause =
            *self.dice.pick(&[HangUpCause::Bye, HangUpCause::Bye, HangUpCause::Cancel, HangUpCause::NoAck]).unwrap_or(&HangUpCause::Bye);
        self.handle(Input::Line(FromLine::HungUp { leg: LegId::caller(call), cause }));
    }

    fn sound_comes_or_goes(&mut self) {
        let Some(leg) = self.any_live_leg() else { return };
        let lost = self.dice.percent(60);
        self.handle(Input::Media(if lost { FromMedia::SoundLost { leg } } else { FromMedia::SoundBack { leg } }));
    }

    // ---- legs ----

    pub(super) fn any_live_leg(&mut self) -> Option<LegId> {
        let legs: Vec<LegId> = self.model.legs.live.keys().copied().collect();
        self.dice.pick(&legs).copied()
    }

    /// A leg of which signalling knows: that of a page it never hears of.
    pub(super) fn any_leg_of_a_line(&mut self) -> Option<LegId> {
        let legs: Vec<LegId> = self.model.legs.live.keys().copied().filter(|leg| !self.model.legs.is_page(*leg)).collect();
        self.dice.pick(&legs).copied()
    }

    fn a_shell_fails(&mut self) {
        let Some(leg) = self.any_live_leg() else { return };
        let why =
            *self.dice.pick(&[MediaFailure::NoPort, MediaFailure::NoCodec, MediaFailure::Overloaded]).unwrap_or(&MediaFailure::NoPort);
        let input = match self.dice.below(3) {
            0 => Input::ShellLost { leg },
            1 => Input::CallPoisoned { call: leg.call },
            _ => Input::Media(FromMedia::Failed { leg, why, about: None }),
        };
        self.handle(input);
    }

    fn something_is_told_again(&mut self) {
        let at = self.dice.below(self.records.len() as u64) as usize;
        let Some(input) = self.records.get(at).map(|record| record.input.clone()) else { return };
        let dead = leg_of(&input).is_none_or(|leg| !self.model.legs.live.contains_key(&leg));
        let again = match &input {
            Input::Line(FromLine::CallArrived { call, .. }) => self.model.calls.contains_key(call),
            // A number is given to one call alone.
            Input::Desk(FromDesk::CallOut { call, .. }) => self.model.calls.contains_key(call),
            Input::Line(FromLine::PhoneCalled { call, .. }) => self.model.between.contains_key(call),
            Input::Line(FromLine::Replacing { .. }) => false,
            Input::Line(FromLine::Reoffered { .. }) | Input::Media(FromMedia::Agreed { answer: Some(_), .. }) => dead,
            Input::Line(_) | Input::Media(_) | Input::Desk(_) | Input::LookedUp { .. } | Input::Keyed { .. } | Input::DeadlineReached => {
                true
            }
            Input::ShellLost { .. } | Input::CallPoisoned { .. } | Input::LegGone { .. } => dead,
            Input::SettingsChanged(_)
            | Input::WallClockStepped { .. }
            | Input::Restarted { .. }
            | Input::LegRecovered { .. }
            | Input::DrainStarted
            | Input::NoticesChanged(_)
            | Input::ShiftOrdered(_)
            | Input::Steered(_)
            | Input::Stopping => false,
        };
        if again {
            self.handle(input);
        }
    }

    fn something_is_told_of_the_dead(&mut self) {
        let dead = self.model.legs.dead();
        let Some(leg) = self.dice.pick(&dead).copied() else { return };
        let sdp = SdpRef(1);
        let input = match self.dice.below(8) {
            0 => Input::Line(FromLine::Answered { leg, sdp }),
            1 => Input::Line(FromLine::Refused { leg, status: 487 }),
            2 => Input::Line(FromLine::HungUp { leg, cause: HangUpCause::Bye }),
            3 => Input::Media(FromMedia::Opened { leg, sdp }),
            4 => Input::Media(FromMedia::Agreed { leg, codec: Codec::Pcmu, answer: None, about: None }),
            5 => Input::Media(FromMedia::Failed { leg, why: MediaFailure::BadSdp, about: None }),
            6 => Input::LegRecovered { leg },
            _ => Input::Media(FromMedia::Digit { leg, digit: key('0') }),
        };
        self.handle(input);
    }

    // ---- operators ----

    fn signs_in(&mut self, agent: &str) {
        let agent = AgentId::from(agent);
        self.generation += 1;
        let contacts = self.contacts();
        let inputs = [
            FromDesk::DeskUp { agent: agent.clone(), generation: Generation(self.generation) },
            FromDesk::PhoneChanged { agent: agent.clone(), contacts },
            FromDesk::DeskMediaUp { agent: agent.clone(), generation: Generation(self.generation) },
            FromDesk::Ready { agent },
        ];
        for input in inputs {
            if self.dice.percent(90) {
                self.handle(Input::Desk(input));
            }
        }
    }

    fn contacts(&mut self) -> Vec<ContactId> {
        let count = *self.dice.pick(&[1, 1, 1, 2, 3, 6]).unwrap_or(&1);
        (0..count).map(|_| ContactId(self.dice.below(30))).collect()
    }

    fn an_operator_does_something(&mut self) {
        let name = *self.dice.pick(&OPERATORS).unwrap_or(&"aigul");
        let agent = AgentId::from(name);
        let call = self.model.staff.status(&agent).call().or_else(|| self.somebody_up()).unwrap_or(CallId(0));
        let generation = Generation(self.generation - self.dice.below(2) as u32);
        let input = match self.dice.below(31) {
            0..5 => return self.signs_in(name),
            27 | 28 => FromDesk::DeskMediaDown { generation: self.model.staff.page(&agent).unwrap_or(generation), agent },
            29 => FromDesk::DeskMediaUp { agent, generation: Generation(self.generation) },
            5 => FromDesk::DeskGone { agent, generation: Generation(self.dice.between(1, u64::from(self.generation) + 1) as u32) },
            6 => FromDesk::PhoneChanged { agent, contacts: Vec::new() },
            7 => FromDesk::PhoneChanged { agent, contacts: self.contacts() },
            8..11 => FromDesk::Ready { agent },
            11 => FromDesk::Pause { agent, reason: "lunch".into() },
            12 => FromDesk::Pause { agent, reason: "siesta".into() },
            13 => FromDesk::SignOut { agent },
            14 => FromDesk::OfferShown { agent, call },
            15..17 => FromDesk::Accept { agent, call },
            17 | 23..27 => FromDesk::Decline { agent, call },
            18 => FromDesk::HangUp { agent, call },
            19 => FromDesk::DeskUp { agent, generation },
            20 => FromDesk::Ready { agent: "stranger".into() },
            21..23 => FromDesk::ExtendWrapUp { agent },
            _ => FromDesk::WrapUpDone { agent },
        };
        self.handle(Input::Desk(input));
    }

    /// Mostly somebody who talks does something that makes sense; sometimes anybody does anything.
    fn an_operator_works_with_a_call(&mut self) {
        let agent = self.somebody_at_work();
        let call = self.model.staff.status(&agent).call().filter(|_| self.dice.percent(95)).or_else(|| self.somebody_up());
        let call = call.unwrap_or(CallId(0));
        let input = match self.dice.below(43) {
            0..3 => FromDesk::Hold { agent, call },
            3..5 => FromDesk::Resume { agent, call },
            5..9 | 36..42 => FromDesk::Consult { agent, call, with: self.somebody_to_call() },
            9..11 => FromDesk::CompleteConsult { agent, call },
            11 => FromDesk::EndConsult { agent, call },
            12..14 => FromDesk::Conference { agent, call },
            14..16 => FromDesk::Transfer { agent, call, to: self.somebody_to_call() },
            16 => return self.somebody_is_called(),
            17..22 => return self.a_supervisor_goes_on(),
            26..28 => FromDesk::AskHelp { agent, call },
            28 => FromDesk::HelpDone { agent },
            29..31 => FromDesk::Warn { agent, call },
            31 => FromDesk::EndAbuse { agent, call, days: self.dice.below(100) as u8 },
            32..34 => FromDesk::PauseRecording { agent, call },
            34 => FromDesk::ResumeRecording { agent, call },
            42 => FromDesk::SendDigits { agent, call, digits: Digit::new('5').into_iter().collect() },
            _ => return self.somebody_supervises(),
        };
        self.handle(Input::Desk(input));
    }

    pub(super) fn somebody_at_work(&mut self) -> AgentId {
        let busy: Vec<AgentId> = self.model.staff.busy();
        match self.dice.pick(&busy).cloned() {
            Some(agent) if self.dice.percent(90) => agent,
            _ => AgentId::from(*self.dice.pick(&OPERATORS).unwrap_or(&"aigul")),
        }
    }

    fn somebody_to_call(&mut self) -> CallTo {
        match self.dice.below(10) {
            0..5 => CallTo::Agent(AgentId::from(*self.dice.pick(&OPERATORS).unwrap_or(&"aigul"))),
            5..7 => CallTo::Queue((*self.dice.pick(&["general", "heating", "roads", "nothing"]).unwrap_or(&"general")).into()),
            7 => CallTo::Service((*self.dice.pick(&["112", "113"]).unwrap_or(&"112")).to_owned()),
            _ => CallTo::Outside(CallerRef(self.dice.below(6))),
        }
    }

    fn somebody_is_called(&mut self) {
        self.next_call += 1;
        let agent = AgentId::from(*self.dice.pick(&OPERATORS).unwrap_or(&"aigul"));
        let queue = self.dice.pick(&[None, None, Some("heating".into()), Some("nothing".into())]).cloned().flatten();
        let (call, to) = (CallId(self.next_call), CallerRef(self.dice.below(6)));
        self.handle(Input::Desk(FromDesk::CallOut { agent, call, to, queue, shown: None }));
    }

    fn somebody_supervises(&mut self) {
        let talks: Vec<CallId> = self.model.calls.iter().filter(|(_, call)| call.talk.is_some()).map(|(id, _)| *id).collect();
        let Some(call) = self.dice.pick(&talks).copied() else { return };
        let agent = AgentId::from(*self.dice.pick(&OPERATORS).unwrap_or(&"aigul"));
        let modes = [Supervision::Monitor, Supervision::Whisper, Supervision::Barge];
        let mode = *self.dice.pick(&modes).unwrap_or(&Supervision::Monitor);
        self.handle(Input::Desk(FromDesk::Monitor { agent, call, mode }));
    }

    /// Another mode, the end of it, or the talk itself.
    fn a_supervisor_goes_on(&mut self) {
        let busy = self.model.staff.busy();
        let beside = |agent: &AgentId| match self.model.staff.status(agent) {
            AgentStatus::Supervising(call) => Some((agent.clone(), call)),
            _ => None,
        };
        let supervisors: Vec<(AgentId, CallId)> = busy.iter().filter_map(beside).collect();
        let Some((agent, call)) = self.dice.pick(&supervisors).cloned() else { return self.somebody_supervises() };
        let input = match self.dice.below(8) {
            0 => FromDesk::StopMonitor { agent, call },
            1..3 => FromDesk::TakeOver { agent, call },
            3..5 => FromDesk::Monitor { agent, call, mode: Supervision::Barge },
            5..7 => FromDesk::Monitor { agent, call, mode: Supervision::Whisper },
            _ => FromDesk::Monitor { agent, call, mode: Supervision::Monitor },
        };
        self.handle(Input::Desk(input));
    }

    // ---- the whole ----

    fn reload(&mut self) {
        self.revision += 1;
        let settings = town(&mut self.dice, self.revision, self.now);
        self.handle(Input::SettingsChanged(Box::new(settings)));
    }

    fn stops(&mut self) {
        self.handle(Input::Stopping);
        self.restart();
    }

    /// A new process: the shells keep what is found again, and lose the rest.
    fn restart(&mut self) {
        let downtime_ms = self.dice.below(40_000);
        self.now = self.now.plus_ms(downtime_ms);
        self.handle(Input::Restarted { downtime_ms });
        let stays = self.dice.percent(40);
        let (mut found, legs) = (Vec::new(), self.centre.legs());
        for leg in legs {
            let answered = self.model.legs.live.get(&leg).is_some_and(|known| known.line == Line::Answered && known.agreed);
            if !self.model.legs.live.contains_key(&leg) {
                continue;
            }
            // Nobody speaks of a page's leg: the page comes back, or does not.
            if self.model.legs.is_page(leg) && self.dice.percent(90) {
                continue;
            }
            if answered && stays && self.dice.percent(80) {
                found.push(leg);
                self.handle(Input::LegRecovered { leg });
            } else if self.dice.percent(95) {
                self.handle(Input::LegGone { leg });
            }
        }
        self.coming.retain(|_, input| leg_of(input).is_some_and(|leg| found.contains(&leg)));
        OPERATORS.iter().for_each(|agent| self.signs_in(agent));
    }

    /// Operators with all skills come, everybody behaves, and nobody may be left.
    fn evening(&mut self) {
        self.is_evening = true;
        self.revision += 1;
        self.handle(Input::SettingsChanged(Box::new(evening(self.revision))));
        let until = self.now.plus_ms(EVENING_MS);
        while !(self.model.calls.is_empty() && self.model.between.is_empty()) && self.now < until {
            self.pass(10_000);
            for leg in self.model.first_legs_between() {
                self.handle(Input::Line(FromLine::HungUp { leg, cause: HangUpCause::Bye }));
            }
            let talks: Vec<CallId> = self.model.calls.iter().filter(|(_, call)| call.talk.is_some()).map(|(id, _)| *id).collect();
            for call in talks {
                self.handle(Input::Line(FromLine::HungUp { leg: LegId::caller(call), cause: HangUpCause::Bye }));
            }
        }
        self.pass(120_000);
        self.model.check_night();
        self.report();
        assert_eq!(self.centre.calls_up(), 0, "day {}", self.seed);
        assert_eq!(self.centre.next_deadline(), None, "day {}", self.seed);
    }

    /// Deadlines fire and shells answer, each at its time; sometimes the engine wakes late.
    fn pass(&mut self, ms: u64) {
        let until = self.now.plus_ms(ms);
        loop {
            let deadline = self.centre.next_deadline().map(|(at, _)| (at, true));
            let event = self.coming.first_key_value().map(|((at, _), _)| (*at, false));
            let Some((at, is_deadline)) = [deadline, event].into_iter().flatten().min_by_key(|(at, is_deadline)| (*at, !is_deadline))
            else {
                break;
            };
            if at > until {
                break;
            }
            self.now = self.now.max(at);
            if is_deadline {
                self.handle(Input::DeadlineReached);
            } else if let Some((_, input)) = self.coming.pop_first() {
                self.handle(input);
            }
        }
        self.now = self.now.max(until);
    }

    pub(super) fn handle(&mut self, input: Input) {
        self.centre.handle(self.now, input.clone());
        let outputs: Vec<Output> = std::iter::from_fn(|| self.centre.poll_output()).collect();
        let facts = self.centre.take_facts();
        self.model.step(self.now, &input, &outputs, &facts);
        self.model.check_waits(&self.centre);
        if let Some((_, reason)) = self.centre.next_deadline() {
            self.model.check_deadline(&reason);
        }
        for output in &outputs {
            self.carry_out(output);
        }
        self.records.push(Record { time: self.now, input, outputs, facts });
        self.report();
    }

    fn report(&self) {
        if self.model.faults.is_empty() {
            return;
        }
        let tail = self.records.iter().rev().take(12).rev();
        let story: Vec<String> =
            tail.map(|record| format!("{} {:?}\n    {:?}\n    {:?}", record.time, record.input, record.facts, record.outputs)).collect();
        panic!("day {}, step {}:\n{}\n\n{}", self.seed, self.records.len(), self.model.faults.join("\n"), story.join("\n"));
    }

    // ---- the shells ----

    fn carry_out(&mut self, output: &Output) {
        match output {
            Output::Line(order) => self.carry_out_line(order),
            Output::Media(order) => self.carry_out_media(order),
            Output::LookUp { call, .. } => {
                let language = self.dice.pick(&[None, Some(Language::Ru), Some(Language::En), Some(Language::Uk)]).copied().flatten();
                let last_operator = self.dice.pick(&OPERATORS).filter(|_| self.dice.percent(50)).map(|name| AgentId::from(*name));
                let known = CallerKnown {
                    language,
                    last_operator,
                    open_cases: self.dice.below(2) as u32,
                    overdue_cases: u32::from(self.dice.percent(10)),
                    called_lately: self.dice.percent(20),
                    is_protected: self.dice.percent(10),
                    is_marked: self.dice.percent(10),
                    ..CallerKnown::default()
                };
                if self.dice.percent(90) {
                    let ms = self.dice.below(500);
                    self.later(ms, Input::LookedUp { call: *call, known });
                }
            }
            Output::Desk(_) | Output::Keying { .. } | Output::Recall { .. } => {}
        }
    }

    fn carry_out_line(&mut self, order: &ToLine) {
        match order {
            ToLine::Dial { leg, .. } => {
                let leg = *leg;
                self.later(20, Input::Line(FromLine::Ringing { leg }));
                let ms = self.dice.between(50, 20_000);
                let answered = Input::Line(FromLine::Answered { leg, sdp: SdpRef(leg.call.0) });
                match self.dice.below(100) {
                    _ if self.is_evening => self.later(500, answered),
                    0..70 => self.later(ms, answered),
                    70..88 => self.later(ms, Input::Line(FromLine::Refused { leg, status: 486 })),
                    _ => {}
                }
            }
            ToLine::Answer { leg, .. } if self.late_offers.contains(&leg.call) => {
                self.later(60, Input::Line(FromLine::Answered { leg: *leg, sdp: SdpRef(leg.call.0) }));
            }
            ToLine::HangUp { leg, .. } | ToLine::CancelDial { leg } if self.dice.percent(10) => {
                let ms = self.dice.below(40);
                self.later(ms, Input::Line(FromLine::HungUp { leg: *leg, cause: HangUpCause::Bye }));
            }
            ToLine::Renegotiate { leg, .. } => {
                let (leg, ms) = (*leg, self.dice.between(20, 500));
                let refused = self.dice.percent(10).then_some(FromLine::NotRenegotiated { leg, status: 488 });
                self.later(ms, Input::Line(refused.unwrap_or(FromLine::Renegotiated { leg, sdp: SdpRef(leg.call.0) })));
            }
            ToLine::Ring { .. }
            | ToLine::Answer { .. }
            | ToLine::Reject { .. }
            | ToLine::CancelDial { .. }
            | ToLine::AcceptOffer { .. }
            | ToLine::RefuseOffer { .. }
            | ToLine::HangUp { .. }
            | ToLine::ReferProgress { .. } => {}
        }
    }

    fn carry_out_media(&mut self, order: &ToMedia) {
        let fails = !self.is_evening && self.dice.percent(3);
        match order {
            ToMedia::Attach { leg, .. } if fails => {
                self.later(5, Input::Media(FromMedia::Failed { leg: *leg, why: MediaFailure::NoPage, about: None }));
            }
            ToMedia::Attach { leg, .. } => {
                let ms = self.dice.below(20);
                self.later(ms, Input::Media(FromMedia::Agreed { leg: *leg, codec: Codec::Pcma, answer: None, about: None }));
            }
            ToMedia::Open { leg, .. } | ToMedia::Agree { leg, .. } if fails => {
                self.later(5, Input::Media(FromMedia::Failed { leg: *leg, why: MediaFailure::NoPort, about: None }));
            }
            ToMedia::Open { leg, .. } => {
                let ms = self.dice.below(60);
                self.later(ms, Input::Media(FromMedia::Opened { leg: *leg, sdp: SdpRef(leg.call.0) }));
            }
            ToMedia::Agree { leg, answer, .. } => {
                let ms = self.dice.below(60);
                let answer = answer.then_some(SdpRef(leg.call.0));
                self.later(ms, Input::Media(FromMedia::Agreed { leg: *leg, codec: Codec::Pcma, answer, about: None }));
            }
            ToMedia::Play { leg, play, ending: Ending::Report, .. } => {
                let ms = self.dice.between(200, 4_000);
                self.later(ms, Input::Media(FromMedia::Played { leg: *leg, play: *play }));
            }
            ToMedia::StopRecord { recording } => {
                let ms = self.dice.below(100);
                self.later(ms, Input::Media(FromMedia::Recorded { recording: *recording, length_ms: 1, lost_ms: 0 }));
            }
            ToMedia::Play { .. }
            | ToMedia::StopPlay { .. }
            | ToMedia::SendDigits { .. }
            | ToMedia::Connect { .. }
            | ToMedia::Record { .. }
            | ToMedia::PauseRecord { .. }
            | ToMedia::ResumeRecord { .. }
            | ToMedia::Close { .. } => {}
        }
    }

    fn later(&mut self, ms: u64, input: Input) {
        self.events += 1;
        self.coming.insert((self.now.plus_ms(ms), self.events), input);
    }
}
