//! How is a day told in virtual time? A `Story` owns a centre, plays the shells where they are not the subject, and keeps the books.

mod told;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use cityline::centre::Centre;
use cityline::centre::deadline::Reason;
use cityline::centre::fact::{AgentStatus, EndReason, Fact};
use cityline::centre::ids::{AgentId, CallId, CallTo, CallerRef, ContactId, Generation, Language, LegId, SdpRef, Supervision};
use cityline::centre::input::{CallerKnown, Codec, FromDesk, FromLine, FromMedia, HangUpCause, Input, MediaFailure};
use cityline::centre::output::{Ending, Output, ToDesk, ToLine, ToMedia};
use cityline::centre::settings::Settings;
use cityline::centre::time::Time;

use crate::city::{KEY_WAIT_MS, key};

/// Friday 2026-11-20 00:00 UTC.
const MORNING: Time = Time(1_795_132_800_000);
const OPENS_MS: u64 = 2;
const AGREES_MS: u64 = 5;
const LOOKS_UP_MS: u64 = 20;
/// Every announcement lasts this long.
pub const SPEAKS_MS: u64 = 2_000;

/// Which shells answer by themselves.
pub struct Shells {
    pub opens: bool,
    pub plays: bool,
    pub agrees: bool,
    pub looks_up: bool,
}

/// How far a leg is, as the shells know it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Line {
    Quiet,
    Dialled,
    Answered,
    Over,
}

struct Leg {
    line: Line,
    open: bool,
}

pub struct Story {
    pub centre: Centre,
    pub now: Time,
    pub shells: Shells,
    /// Every input with its time, for a journal.
    pub inputs: Vec<(Time, Input)>,
    /// Every output, in order.
    pub asked: Vec<Output>,
    /// Every fact, with its time.
    pub told: Vec<(Time, Fact)>,
    languages: BTreeMap<CallerRef, Language>,
    known: BTreeMap<CallerRef, CallerKnown>,
    coming: BTreeMap<(Time, u64), Input>,
    legs: BTreeMap<LegId, Leg>,
    over: BTreeSet<CallId>,
    last_call: u64,
    last_event: u64,
}

impl Story {
    pub fn new(settings: Settings) -> Self {
        let mut story = Self {
            centre: Centre::new(),
            now: MORNING,
            shells: Shells { opens: true, plays: true, agrees: true, looks_up: true },
            inputs: Vec::new(),
            asked: Vec::new(),
            told: Vec::new(),
            languages: BTreeMap::new(),
            known: BTreeMap::new(),
            coming: BTreeMap::new(),
            legs: BTreeMap::new(),
            over: BTreeSet::new(),
            last_call: 0,
            last_event: 0,
        };
        story.reload(settings);
        story
    }

    // ---- what happens ----

    pub fn reload(&mut self, settings: Settings) {
        self.happens(Input::SettingsChanged(Box::new(settings)));
    }

    /// The store remembers this caller's language.
    pub fn remembers(&mut self, caller: u64, language: Language) {
        self.languages.insert(CallerRef(caller), language);
    }

    /// The store knows where this caller's last case was.
    pub fn lives_in(&mut self, caller: u64, district: &str) {
        self.known.entry(CallerRef(caller)).or_default().district = Some(district.to_owned());
    }

    /// What the store knows of this caller.
    pub fn knows(&mut self, caller: u64, known: CallerKnown) {
        self.known.insert(CallerRef(caller), known);
    }

    pub fn calls(&mut self, caller: u64) -> CallId {
        self.calls_number(caller, "109", true)
    }

    pub fn calls_number(&mut self, caller: u64, number: &str, with_offer: bool) -> CallId {
        self.last_call += 1;
        let call = CallId(self.last_call);
        self.arrives(call, caller, number, with_offer);
        call
    }

    pub fn arrives(&mut self, call: CallId, caller: u64, number: &str, with_offer: bool) {
        self.last_call = self.last_call.max(call.0);
        let sdp = with_offer.then_some(SdpRef(call.0 * 100));
        self.line(FromLine::CallArrived { call, caller: CallerRef(caller), number: number.into(), trunk: "city".into(), sdp });
    }

    /// A caller who chooses Russian and heating, and waits.
    pub fn waits_for_heating(&mut self, caller: u64) -> CallId {
        self.waits_for(caller, '1')
    }

    /// A caller who chooses Russian and this topic.
    pub fn waits_for(&mut self, caller: u64, topic: char) -> CallId {
        let call = self.calls(caller);
        self.pass(SPEAKS_MS + 100);
        self.presses(call, '2');
        self.presses(call, topic);
        call
    }

    /// A caller who talks with this operator about heating.
    pub fn talks_with(&mut self, caller: u64, agent: &str) -> CallId {
        let call = self.waits_for_heating(caller);
        self.pass(100);
        let leg = self.rings_at(agent);
        self.answers(leg);
        assert_eq!(self.agent(agent), AgentStatus::Talking(call));
        call
    }

    pub fn presses(&mut self, call: CallId, digit: char) {
        self.media(FromMedia::Digit { leg: LegId::caller(call), digit: key(digit) });
    }

    /// The caller says nothing until the question gives up waiting once.
    pub fn is_silent(&mut self) {
        self.pass(SPEAKS_MS + KEY_WAIT_MS);
    }

    pub fn hangs_up(&mut self, call: CallId) {
        self.leg_hangs_up(LegId::caller(call));
    }

    pub fn leg_hangs_up(&mut self, leg: LegId) {
        self.line(FromLine::HungUp { leg, cause: HangUpCause::Bye });
    }

    pub fn answers(&mut self, leg: LegId) {
        self.line(FromLine::Answered { leg, sdp: SdpRef(u64::from(leg.n) + leg.call.0 * 100) });
        self.pass(AGREES_MS);
    }

    pub fn refuses(&mut self, leg: LegId, status: u16) {
        self.line(FromLine::Refused { leg, status });
    }

    pub fn media_fails(&mut self, leg: LegId, why: MediaFailure) {
        self.media(FromMedia::Failed { leg, why, about: None });
    }

    /// The desk opens, the phone registers, the operator says "ready".
    pub fn signs_in(&mut self, agent: &str, contacts: &[u64]) {
        self.desk(FromDesk::DeskUp { agent: agent.into(), generation: Generation(1) });
        self.registers(agent, contacts);
        self.desk(FromDesk::Ready { agent: agent.into() });
    }

    pub fn registers(&mut self, agent: &str, contacts: &[u64]) {
        self.desk(FromDesk::PhoneChanged { agent: agent.into(), contacts: contacts.iter().copied().map(ContactId).collect() });
    }

    pub fn pauses(&mut self, agent: &str, reason: &str) {
        self.desk(FromDesk::Pause { agent: agent.into(), reason: reason.into() });
    }

    pub fn holds(&mut self, agent: &str, call: CallId) {
        self.desk(FromDesk::Hold { agent: agent.into(), call });
    }

    pub fn resumes(&mut self, agent: &str, call: CallId) {
        self.desk(FromDesk::Resume { agent: agent.into(), call });
    }

    pub fn consults_with(&mut self, agent: &str, call: CallId, with: CallTo) {
        self.desk(FromDesk::Consult { agent: agent.into(), call, with });
        self.pass(100);
    }

    pub fn completes(&mut self, agent: &str, call: CallId) {
        self.desk(FromDesk::CompleteConsult { agent: agent.into(), call });
    }

    pub fn transfers(&mut self, agent: &str, call: CallId, to: CallTo) {
        self.desk(FromDesk::Transfer { agent: agent.into(), call, to });
        self.pass(100);
    }

    pub fn hangs_up_at_desk(&mut self, agent: &str, call: CallId) {
        self.desk(FromDesk::HangUp { agent: agent.into(), call });
    }

    /// A supervisor joins in this way, with sound.
    pub fn supervises(&mut self, agent: &str, call: CallId, mode: Supervision) -> LegId {
        self.desk(FromDesk::Monitor { agent: agent.into(), call, mode });
        self.pass(100);
        let leg = self.rings_at(agent);
        self.answers(leg);
        leg
    }

    /// The operator asks a colleague, who answers; the colleague's leg.
    pub fn asks_colleague(&mut self, agent: &str, call: CallId, colleague: &str) -> LegId {
        self.consults_with(agent, call, CallTo::Agent(colleague.into()));
        let leg = self.rings_at(colleague);
        self.answers(leg);
        leg
    }

    pub fn desk(&mut self, input: FromDesk) {
        self.happens(Input::Desk(input));
    }

    pub fn line(&mut self, input: FromLine) {
        self.happens(Input::Line(input));
    }

    pub fn media(&mut self, input: FromMedia) {
        self.happens(Input::Media(input));
    }

    pub fn happens(&mut self, input: Input) {
        self.note_input(&input);
        self.inputs.push((self.now, input.clone()));
        self.centre.handle(self.now, input);
        self.drain();
    }

    /// Time goes by: deadlines fire and the shells do what they were asked, each at its moment.
    pub fn pass(&mut self, ms: u64) {
        let until = self.now.plus_ms(ms);
        loop {
            let deadline = self.centre.next_deadline().map(|(at, reason)| (at, Some(reason)));
            let event = self.coming.first_key_value().map(|((at, _), _)| (*at, None));
            let Some((at, reason)) = [deadline, event].into_iter().flatten().filter(|(at, _)| *at <= until).min_by_key(|(at, _)| *at)
            else {
                break;
            };
            self.now = self.now.max(at);
            match reason {
                Some(reason) => {
                    self.is_of_a_live_call(&reason);
                    self.happens(Input::DeadlineReached);
                }
                None => {
                    if let Some((_, input)) = self.coming.pop_first() {
                        self.happens(input);
                    }
                }
            }
        }
        self.now = until;
    }

    /// The process ends and a new one replays: what the shells were about to say is lost.
    pub fn restarts(&mut self, downtime_ms: u64) {
        let kept = serde_json::to_string(&self.centre.snapshot()).expect("a snapshot is written");
        self.centre = serde_json::from_str(&kept).expect("a snapshot is read");
        self.coming.clear();
        // The core does not know how far they were: it hangs up whatever it gives up.
        self.legs.values_mut().filter(|leg| leg.line != Line::Over).for_each(|leg| leg.line = Line::Answered);
        self.now = self.now.plus_ms(downtime_ms);
        self.happens(Input::Restarted { downtime_ms });
    }

    /// Nothing of any call is left: no leg, port, busy operator or deadline.
    pub fn everything_is_released(&mut self) {
        assert_eq!(self.centre.calls_up(), 0, "calls are up");
        assert!(self.centre.legs().is_empty(), "legs are left");
        for (leg, known) in &self.legs {
            assert!(!known.open, "the port of {leg} is open");
            assert!(matches!(known.line, Line::Over | Line::Quiet), "{leg} is {:?}", known.line);
        }
        let agents: BTreeSet<AgentId> = self.told.iter().filter_map(|(_, fact)| changed_agent(fact)).collect();
        for agent in agents {
            assert_eq!(self.agent(agent.as_str()).call(), None, "{agent} is busy with nothing");
        }
        self.pass(3_600_000);
        assert_eq!(self.centre.next_deadline(), None, "a deadline is left");
        let starts = self.asked_count(|output| matches!(output, Output::Media(ToMedia::Record { .. })));
        let stops = self.asked_count(|output| matches!(output, Output::Media(ToMedia::StopRecord { .. })));
        assert_eq!(starts, stops, "every recording is closed once");
        let offers = self.told_count(|fact| matches!(fact, Fact::Offered { .. }));
        assert_eq!(offers, self.told_count(|fact| matches!(fact, Fact::OfferEnded { .. })), "every offer ends");
        let waits = self.told_count(|fact| matches!(fact, Fact::Enqueued { .. }));
        assert_eq!(waits, self.told_count(|fact| matches!(fact, Fact::Dequeued { .. })), "every wait ends");
    }

    // ---- the books and the shells ----

    fn is_of_a_live_call(&self, reason: &Reason) {
        match reason {
            Reason::LookUp(call)
            | Reason::Key(call)
            | Reason::Announce(call)
            | Reason::MaxWait(call)
            | Reason::OfferEnds(call)
            | Reason::DialEnds(call)
            | Reason::NoSound(call)
            | Reason::CallingEnds(call)
            | Reason::AbuseSaid(call)
            | Reason::RecordingPaused(call)
            | Reason::AutoAnswer(call)
            | Reason::Ring(call)
            | Reason::CallBack(call) => assert!(!self.over.contains(call), "{reason:?} is left of a call that is over"),
            Reason::WrapUp(_)
            | Reason::Rest(_)
            | Reason::Recovery
            | Reason::OrdersEnd
            | Reason::Calm(_)
            | Reason::SupervisorRings(_)
            | Reason::DesksReturn
            | Reason::ShiftChanges
            | Reason::MediaReturns(_)
            | Reason::CoolOff(_) => {}
        }
    }

    fn note_input(&mut self, input: &Input) {
        match input {
            Input::Line(FromLine::Replacing { leg, .. }) => {
                self.legs.entry(*leg).or_insert(Leg { line: Line::Answered, open: false });
            }
            Input::Line(FromLine::CallArrived { call, .. } | FromLine::PhoneCalled { call, .. }) => {
                self.legs.entry(LegId::caller(*call)).or_insert(Leg { line: Line::Answered, open: false });
            }
            Input::Line(FromLine::Answered { leg, .. }) => self.set_line(*leg, Line::Answered),
            Input::Line(FromLine::Refused { leg, .. } | FromLine::HungUp { leg, .. }) | Input::LegGone { leg } => {
                self.set_line(*leg, Line::Over);
            }
            _ => {}
        }
    }

    /// A far end that is over stays so.
    fn set_line(&mut self, leg: LegId, line: Line) {
        let known = self.legs.entry(leg).or_insert(Leg { line, open: false });
        if known.line != Line::Over {
            known.line = line;
        }
    }

    fn drain(&mut self) {
        let mut outputs: VecDeque<Output> = std::iter::from_fn(|| self.centre.poll_output()).collect();
        let facts = self.centre.take_facts();
        let interrupted = |fact: &Fact| match fact {
            Fact::LegEnded { leg, reason: EndReason::Interrupted } => Some(*leg),
            _ => None,
        };
        let interrupted: Vec<LegId> = facts.iter().filter_map(interrupted).collect();
        self.over.extend(facts.iter().filter_map(|fact| match fact {
            Fact::CallEnded { call, .. } => Some(*call),
            _ => None,
        }));
        self.told.extend(facts.into_iter().map(|fact| (self.now, fact)));
        while let Some(output) = outputs.pop_front() {
            self.asked.push(output.clone());
            self.carry_out(output);
        }
        interrupted.into_iter().for_each(|leg| self.set_line(leg, Line::Over));
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Line(order) => self.carry_out_line(order),
            Output::Media(order) => self.carry_out_media(order),
            Output::LookUp { call, caller } => {
                let known = self.known.get(&caller).cloned().unwrap_or_default();
                let known = CallerKnown { language: self.languages.get(&caller).copied(), ..known };
                if self.shells.looks_up {
                    self.later(LOOKS_UP_MS, Input::LookedUp { call, known });
                }
            }
            Output::Keying { .. } | Output::Recall { .. } => {}
            Output::Desk(
                ToDesk::Offer { .. } | ToDesk::OfferGone { .. } | ToDesk::Refused { .. } | ToDesk::Work { .. } | ToDesk::Ordered { .. },
            ) => {}
        }
    }

    fn carry_out_line(&mut self, order: ToLine) {
        match order {
            ToLine::Dial { leg, .. } => {
                assert!(self.legs[&leg].open, "{leg} is dialled without a port");
                assert_eq!(self.legs[&leg].line, Line::Quiet, "{leg} is dialled twice");
                self.set_line(leg, Line::Dialled);
                self.later(30, Input::Line(FromLine::Ringing { leg }));
            }
            ToLine::CancelDial { leg } => {
                assert_eq!(self.legs[&leg].line, Line::Dialled, "{leg} is cancelled");
                self.set_line(leg, Line::Over);
            }
            ToLine::HangUp { leg, .. } => {
                assert_eq!(self.legs[&leg].line, Line::Answered, "{leg} is hung up");
                self.set_line(leg, Line::Over);
            }
            ToLine::Reject { leg, .. } => self.set_line(leg, Line::Over),
            ToLine::Answer { leg, .. }
            | ToLine::AcceptOffer { leg, .. }
            | ToLine::RefuseOffer { leg }
            | ToLine::Renegotiate { leg, .. }
            | ToLine::Ring { leg }
            | ToLine::ReferProgress { leg, .. } => {
                assert_ne!(self.legs[&leg].line, Line::Over, "an order for {leg}, which is over");
            }
        }
    }

    fn carry_out_media(&mut self, order: ToMedia) {
        match order {
            ToMedia::Open { leg, .. } => {
                let known = self.legs.entry(leg).or_insert(Leg { line: Line::Quiet, open: false });
                assert!(!known.open, "{leg} is opened twice");
                known.open = true;
                // A resident who is called back has a new line.
                if leg.n == 0 && known.line == Line::Over {
                    known.line = Line::Quiet;
                }
                if self.shells.opens {
                    self.later(OPENS_MS, Input::Media(FromMedia::Opened { leg, sdp: SdpRef(leg.call.0 * 100 + 50) }));
                }
            }
            // Signalling knows nothing of a page's leg: whatever it were told of it would be a fault.
            ToMedia::Attach { leg, .. } => {
                self.legs.entry(leg).or_insert(Leg { line: Line::Over, open: true });
                if self.shells.agrees {
                    self.later(AGREES_MS, Input::Media(FromMedia::Agreed { leg, codec: Codec::Pcma, answer: None, about: None }));
                }
            }
            ToMedia::Close { leg } => {
                let known = self.legs.get_mut(&leg).expect("only what was opened is closed");
                assert!(std::mem::replace(&mut known.open, false), "{leg} is closed twice");
            }
            ToMedia::Agree { leg, sdp, answer } => {
                self.is_open(leg);
                let answer = answer.then_some(SdpRef(leg.call.0 * 100 + 60));
                if self.shells.agrees {
                    self.later(AGREES_MS, Input::Media(FromMedia::Agreed { leg, codec: Codec::Pcma, answer, about: Some(sdp) }));
                }
            }
            ToMedia::Play { leg, play, ending, .. } => {
                self.is_open(leg);
                if ending == Ending::Report && self.shells.plays {
                    self.later(SPEAKS_MS, Input::Media(FromMedia::Played { leg, play }));
                }
            }
            ToMedia::StopPlay { leg } | ToMedia::SendDigits { leg, .. } => self.is_open(leg),
            ToMedia::Connect { hears, .. } => hears.iter().for_each(|pair| {
                self.is_open(pair.ear);
                self.is_open(pair.mouth);
            }),
            ToMedia::Record { resident, .. } => self.is_open(resident),
            ToMedia::PauseRecord { .. } | ToMedia::ResumeRecord { .. } => {}
            ToMedia::StopRecord { recording } => {
                self.later(10, Input::Media(FromMedia::Recorded { recording, length_ms: 1_000, lost_ms: 0 }));
            }
        }
    }

    fn is_open(&self, leg: LegId) {
        assert!(self.legs.get(&leg).is_some_and(|known| known.open), "an order for {leg}, whose port is closed");
    }

    fn later(&mut self, ms: u64, input: Input) {
        self.last_event += 1;
        self.coming.insert((self.now.plus_ms(ms), self.last_event), input);
    }
}

fn changed_agent(fact: &Fact) -> Option<AgentId> {
    match fact {
        Fact::AgentChanged { agent, .. } => Some(agent.clone()),
        _ => None,
    }
}
