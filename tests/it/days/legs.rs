//! Is every leg opened once, dialled only with a port, ended in the way of its state, and closed once?

use std::collections::{BTreeMap, BTreeSet};

use cityline::centre::fact::Party;
use cityline::centre::ids::{AgentId, CallId, LegId, RecordingId};
use cityline::centre::input::{FromLine, FromMedia, Input};
use cityline::centre::output::{ToLine, ToMedia};

use super::about::leg_of;
use super::calls::Call;
use super::colleagues::Between;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Line {
    /// The resident's INVITE waits for an answer.
    Invited,
    /// Not dialled yet.
    Quiet,
    Dialled,
    Answered,
    Over,
}

pub struct Leg {
    pub party: Party,
    pub line: Line,
    pub agreed: bool,
    asked: bool,
    open: bool,
    port: bool,
    agreeing: bool,
    reoffered: bool,
    ended: bool,
    unknown: bool,
    /// Its far end is an operator's page.
    page: bool,
    /// Its far end is heard before its answer.
    early: bool,
    /// Orders to put such sound in force without an outcome.
    early_asked: u32,
}

#[derive(Default)]
pub struct Legs {
    pub live: BTreeMap<LegId, Leg>,
    gone: BTreeSet<LegId>,
    invited: BTreeSet<LegId>,
    recordings: BTreeSet<RecordingId>,
    begun: BTreeSet<RecordingId>,
    stopped: BTreeSet<RecordingId>,
}

impl Legs {
    pub fn is_live(&self, leg: LegId) -> bool {
        self.live.get(&leg).is_some_and(|known| !known.ended)
    }

    /// Whether its far end is heard, and has not answered.
    pub fn is_early(&self, leg: LegId) -> bool {
        self.live.get(&leg).is_some_and(|known| known.early && !known.agreed)
    }

    /// Whether the next outcome is about sound before the answer.
    pub fn is_asked_early(&self, leg: LegId) -> bool {
        self.live.get(&leg).is_some_and(|known| known.early_asked > 0)
    }

    pub fn is_reoffered(&self, leg: LegId) -> bool {
        self.live.get(&leg).is_some_and(|known| known.reoffered)
    }

    /// The one live leg of a call whose party fits.
    pub fn only(&self, call: CallId, fits: impl Fn(&Party) -> bool) -> Option<u16> {
        let mut found = self.live.iter().filter(|(leg, known)| leg.call == call && !known.ended && fits(&known.party));
        let first = found.next().map(|(leg, _)| leg.n);
        first.filter(|_| found.next().is_none())
    }

    pub fn party(&self, leg: LegId) -> Option<&Party> {
        self.live.get(&leg).map(|known| &known.party)
    }

    pub fn note(&mut self, input: &Input) {
        match input {
            Input::Line(FromLine::CallArrived { call, .. } | FromLine::PhoneCalled { call, .. }) => {
                self.invited.insert(LegId::caller(*call));
            }
            Input::Line(FromLine::Replacing { leg, .. }) => drop(self.invited.insert(*leg)),
            _ => {}
        }
        let Some(leg) = leg_of(input) else { return };
        let Some(known) = self.live.get_mut(&leg) else { return };
        match input {
            Input::Media(FromMedia::Opened { .. }) => known.port = known.open,
            Input::Media(FromMedia::Agreed { answer: None, .. }) if known.early_asked > 0 => {
                known.early_asked -= 1;
                known.early |= known.line == Line::Dialled;
            }
            Input::Media(FromMedia::Failed { .. }) if known.early_asked > 0 => known.early_asked -= 1,
            Input::Media(FromMedia::Agreed { answer: None, .. }) => {
                known.agreed = known.agreeing;
                known.unknown &= !known.page;
            }
            Input::Line(FromLine::Answered { .. }) if known.line == Line::Dialled => known.line = Line::Answered,
            Input::Line(FromLine::Refused { .. } | FromLine::HungUp { .. }) | Input::LegGone { .. } => known.line = Line::Over,
            Input::Line(FromLine::Reoffered { .. }) => known.reoffered = true,
            Input::LegRecovered { .. } => known.unknown = false,
            _ => {}
        }
    }

    pub fn is_page(&self, leg: LegId) -> bool {
        self.live.get(&leg).is_some_and(|known| known.page)
    }

    /// Whether a new process has not found its page yet.
    pub fn is_lost_page(&self, leg: LegId) -> bool {
        self.live.get(&leg).is_some_and(|known| known.page && known.unknown)
    }

    /// The legs to this operator's page.
    pub fn pages(&self, agent: &AgentId) -> Vec<LegId> {
        let theirs = |known: &Leg| known.page && !known.ended && matches!(&known.party, Party::Agent(party) if party == agent);
        self.live.iter().filter(|(_, known)| theirs(known)).map(|(leg, _)| *leg).collect()
    }

    /// The legs to all pages.
    pub fn all_pages(&self) -> Vec<LegId> {
        self.live.iter().filter(|(_, known)| known.page && !known.ended).map(|(leg, _)| *leg).collect()
    }

    pub fn restarted(&mut self) {
        self.live.values_mut().for_each(|leg| leg.unknown = true);
    }

    pub fn started(&mut self, leg: LegId, party: &Party) -> Result<(), String> {
        // A resident who called has an INVITE that waits; one who is called is dialled like anybody.
        let invited = self.invited.contains(&leg);
        let line = if invited { Line::Invited } else { Line::Quiet };
        let resident = *party == Party::Resident;
        let new = Leg {
            party: party.clone(),
            line,
            agreed: invited,
            asked: false,
            open: false,
            port: false,
            agreeing: false,
            reoffered: false,
            ended: false,
            unknown: false,
            page: false,
            early: false,
            early_asked: 0,
        };
        let fresh = !self.gone.contains(&leg) && self.live.insert(leg, new).is_none();
        // The first leg of a call between operators is a phone's.
        holds(fresh && (!resident || leg.n == 0) && (resident || leg.n > 0 || invited), || format!("{leg} started twice, or as {party:?}"))
    }

    pub fn ended(&mut self, leg: LegId) -> Result<(), String> {
        let first = self.live.get_mut(&leg).map(|known| !std::mem::replace(&mut known.ended, true));
        holds(first == Some(true), || format!("{leg} ended, but was not there"))
    }

    pub fn recording_told(&mut self, recording: RecordingId) -> Result<(), String> {
        holds(self.recordings.insert(recording), || format!("{recording:?} started twice"))
    }

    pub fn line(&mut self, order: &ToLine) -> Result<(), String> {
        match order {
            ToLine::Reject { leg, .. } if !self.live.contains_key(leg) => {
                return holds(self.invited.remove(leg), || format!("{leg} is rejected without an INVITE"));
            }
            _ => {}
        }
        let leg = line_leg(order);
        let Some(known) = self.live.get_mut(&leg) else { return Err(format!("{order:?}, but {leg} is over")) };
        if known.page {
            return Err(format!("{order:?}, but {leg} is a page's"));
        }
        let before = known.line;
        let allowed = match order {
            ToLine::Answer { .. } => known.port && before == Line::Invited,
            ToLine::Ring { .. } => before == Line::Invited,
            ToLine::Reject { .. } => before == Line::Invited,
            ToLine::Dial { .. } => known.open && known.port && before == Line::Quiet,
            ToLine::CancelDial { .. } => before == Line::Dialled,
            ToLine::HangUp { .. } => before == Line::Answered || (known.unknown && before != Line::Over),
            ToLine::AcceptOffer { .. } | ToLine::RefuseOffer { .. } => before != Line::Over && std::mem::take(&mut known.reoffered),
            ToLine::Renegotiate { .. } => before == Line::Answered,
            ToLine::ReferProgress { .. } => before != Line::Over,
        };
        known.line = match order {
            ToLine::Answer { .. } => Line::Answered,
            ToLine::Dial { .. } => Line::Dialled,
            ToLine::Reject { .. } | ToLine::CancelDial { .. } | ToLine::HangUp { .. } => Line::Over,
            ToLine::Ring { .. }
            | ToLine::AcceptOffer { .. }
            | ToLine::RefuseOffer { .. }
            | ToLine::Renegotiate { .. }
            | ToLine::ReferProgress { .. } => before,
        };
        holds(allowed, || format!("{order:?}, but {leg} is {before:?}"))
    }

    pub fn media(&mut self, order: &ToMedia) -> Result<(), String> {
        match order {
            ToMedia::Connect { hears, .. } => {
                for leg in hears.iter().flat_map(|pair| [pair.ear, pair.mouth]) {
                    let joined = self.live.get(&leg).is_some_and(|known| {
                        known.open && ((known.line == Line::Answered && known.agreed) || (known.early && !known.agreed))
                    });
                    holds(joined, || format!("{leg} is connected, but is not live and answered"))?;
                }
                Ok(())
            }
            ToMedia::StopRecord { recording } => {
                let once = self.begun.contains(recording) && self.stopped.insert(*recording);
                holds(once, || format!("{recording:?} is stopped twice, or was never begun"))
            }
            ToMedia::PauseRecord { recording } | ToMedia::ResumeRecord { recording } => {
                let runs = self.begun.contains(recording) && !self.stopped.contains(recording);
                holds(runs, || format!("{order:?}, but it does not run"))
            }
            ToMedia::Record { recording, resident } => {
                let open = self.live.get(resident).is_some_and(|known| known.open);
                let told = self.recordings.contains(recording) && self.begun.insert(*recording);
                holds(open && told && resident.call == recording.call, || format!("{recording:?} is begun twice, or untold"))
            }
            ToMedia::Open { leg, .. }
            | ToMedia::Attach { leg, .. }
            | ToMedia::Agree { leg, .. }
            | ToMedia::Play { leg, .. }
            | ToMedia::StopPlay { leg }
            | ToMedia::SendDigits { leg, .. }
            | ToMedia::Close { leg } => {
                let Some(known) = self.live.get_mut(leg) else { return Err(format!("{order:?}, but {leg} is over")) };
                holds(known.media(order), || format!("{order:?}, but {leg} is {:?}, open: {}", known.line, known.open))
            }
        }
    }

    /// What ended is closed, and what is closed ended; then it is forgotten.
    pub fn check(&mut self, calls: &BTreeMap<CallId, Call>, between: &BTreeMap<CallId, Between>) -> Vec<String> {
        let mut faults = Vec::new();
        for (leg, known) in &self.live {
            if known.ended == known.open {
                faults.push(format!("{leg}: ended is {}, open is {}", known.ended, known.open));
            }
            if !known.ended && !calls.contains_key(&leg.call) && !between.contains_key(&leg.call) {
                faults.push(format!("{leg} outlives its call"));
            }
        }
        if self.recordings.len() != self.begun.len() {
            faults.push("a recording was told and not begun".to_owned());
        }
        let over: Vec<LegId> = self.live.iter().filter(|(_, known)| known.ended).map(|(leg, _)| *leg).collect();
        for leg in over {
            self.live.remove(&leg);
            self.gone.insert(leg);
        }
        faults
    }

    /// Legs that were and are no more.
    pub fn dead(&self) -> Vec<LegId> {
        self.gone.iter().copied().collect()
    }
}

impl Leg {
    fn media(&mut self, order: &ToMedia) -> bool {
        match order {
            ToMedia::Open { .. } => {
                self.open = true;
                !std::mem::replace(&mut self.asked, true)
            }
            ToMedia::Attach { .. } => {
                let again = std::mem::replace(&mut self.asked, true);
                (self.open, self.page, self.agreeing, self.line) = (true, true, true, Line::Answered);
                !again || self.unknown
            }
            ToMedia::Close { .. } => {
                std::mem::replace(&mut self.open, false) && (self.page || self.unknown || matches!(self.line, Line::Over | Line::Quiet))
            }
            ToMedia::Agree { answer: false, .. } if self.line == Line::Dialled => {
                self.early_asked += 1;
                self.open
            }
            ToMedia::Agree { answer, .. } => {
                self.agreeing = true;
                self.open && self.line == Line::Answered && (!answer || self.reoffered)
            }
            ToMedia::Play { .. } | ToMedia::StopPlay { .. } | ToMedia::SendDigits { .. } => self.open && self.line == Line::Answered,
            ToMedia::Connect { .. }
            | ToMedia::Record { .. }
            | ToMedia::StopRecord { .. }
            | ToMedia::PauseRecord { .. }
            | ToMedia::ResumeRecord { .. } => false,
        }
    }
}

fn line_leg(order: &ToLine) -> LegId {
    match order {
        ToLine::Ring { leg }
        | ToLine::Answer { leg, .. }
        | ToLine::Reject { leg, .. }
        | ToLine::Dial { leg, .. }
        | ToLine::CancelDial { leg }
        | ToLine::AcceptOffer { leg, .. }
        | ToLine::RefuseOffer { leg }
        | ToLine::Renegotiate { leg, .. }
        | ToLine::HangUp { leg, .. }
        | ToLine::ReferProgress { leg, .. } => *leg,
    }
}

fn holds(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}
