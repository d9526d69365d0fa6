//! What happened yesterday? The real core lives through some hours in virtual time, so that the demo's database has a past.

use std::path::Path;

use crate::caller::{CallerSeen, normalise};
use crate::cases::assignment::Place;
use crate::cases::decide::Report;
use crate::cases::event::{Author, Channel, Kind};
use crate::cases::terms::Priority;
use crate::centre::Centre;
use crate::centre::ids::{AgentId, CallId, CallerRef, ContactId, LegId, NumberId, SdpRef};
use crate::centre::input::{Codec, Digit, FromDesk, FromLine, FromMedia, HangUpCause, Input};
use crate::centre::output::{Ending, Output, ToLine, ToMedia};
use crate::centre::time::Time;
use crate::config::Config;
use crate::journal::Journal;
use crate::private::Private;
use crate::prompts::Source;
use crate::store::{NewCase, ReportWords, Store};

/// Calls of the past.
const CALLS: u64 = 240;
/// One comes in every so many milliseconds, on average.
const APART_MS: u64 = 150_000;
/// Residents who make them, and who call again today.
pub const RESIDENTS: u16 = 90;
/// Keys of the plan of 109, with the topics that they stand for.
const TOPICS: [(char, &str); 6] = [('1', "heating"), ('2', "water"), ('3', "lighting"), ('4', "roads"), ('5', "transport"), ('6', "other")];
/// The past ends this long before the present, in milliseconds.
const PAUSE_MS: u64 = 3_600_000;

/// Who called in the past, and what about.
pub struct Past {
    residents: Vec<CallerSeen>,
    reports: Vec<(CallerRef, CallId, String)>,
}

/// Lives through the past, into the journal of a data folder that has none yet.
pub fn write(config: &Config, seed: u64, now: Time) -> anyhow::Result<Past> {
    let folder = config.data.folder.join("journal");
    if folder.exists() {
        return Ok(Past { residents: Vec::new(), reports: Vec::new() });
    }
    let mut life = Life::begin(config, &folder, seed, now)?;
    for call in 1..=CALLS {
        life.one_call(CallId(call))?;
    }
    Ok(life.past)
}

/// Residents' numbers and some of what they reported as cases.
pub async fn cases(store: &Store, past: &Past, now: Time) -> anyhow::Result<()> {
    store.remember_callers(&past.residents).await?;
    for (caller, call, topic) in past.reports.iter().step_by(3) {
        let case = NewCase {
            service: NumberId::from("109"),
            year: year(now),
            report: report(Some(*call), topic),
            caller: *caller,
            resident: None,
            place: Place::default(),
            at_degrees: None,
            words: ReportWords { text: Private::new(format!("Reported by phone: {topic}.")), ..ReportWords::default() },
            by: Author::Operator { name: "aigul".to_owned() },
            by_name: "aigul".to_owned(),
            draft: format!("demo-{}", call.0),
            at: now,
        };
        store.open_case(case).await?;
    }
    Ok(())
}

/// A complaint by telephone.
pub fn report(call: Option<CallId>, topic: &str) -> Report {
    Report {
        kind: Kind::Complaint,
        channel: Channel::Phone,
        topic: topic.into(),
        priority: Priority::Normal,
        district: None,
        call,
        proposed: None,
    }
}

/// The year in which a case is counted.
pub fn year(now: Time) -> u16 {
    use chrono::Datelike;
    let ms = i64::try_from(now.0).unwrap_or_default();
    chrono::DateTime::from_timestamp_millis(ms).and_then(|at| u16::try_from(at.year()).ok()).unwrap_or(1970)
}

/// The past on its way: a core, its journal, and a world that always answers.
struct Life {
    centre: Centre,
    journal: Journal,
    now: Time,
    dice: u64,
    past: Past,
}

impl Life {
    fn begin(config: &Config, folder: &Path, seed: u64, now: Time) -> anyhow::Result<Life> {
        let key = crate::app::caller_key(&config.data.folder)?;
        let source = Source::embedded().map_err(|errors| anyhow::anyhow!("{errors:?}"))?;
        let mut settings = config.centre_settings(source.manifest.vocabulary(), 1)?;
        settings.queues.values_mut().for_each(|queue| queue.record = false);
        let agents: Vec<AgentId> = settings.agents.keys().cloned().collect();
        let start = Time(now.0.saturating_sub(CALLS * APART_MS + PAUSE_MS));
        let resident = |n: u16| {
            let number = normalise(&format!("+7700000{n:04}"));
            CallerSeen { caller: key.reference(&number), number, name: None, at: start }
        };
        let past = Past { residents: (0..RESIDENTS).map(resident).collect(), reports: Vec::new() };
        let centre = Centre::new();
        let journal = Journal::begin(folder, &centre, 1)?;
        let mut life = Life { centre, journal, now: start, dice: seed | 1, past };
        life.happen(Input::SettingsChanged(Box::new(settings)))?;
        for (n, agent) in agents.into_iter().enumerate() {
            life.happen(Input::Desk(FromDesk::PhoneChanged { agent, contacts: vec![ContactId(n as u64 + 1)] }))?;
        }
        Ok(life)
    }

    fn one_call(&mut self, call: CallId) -> anyhow::Result<()> {
        let pick = self.roll(RESIDENTS.into()) as usize % self.past.residents.len().max(1);
        let Some(caller) = self.past.residents.get(pick).map(|resident| resident.caller) else { return Ok(()) };
        let leg = LegId::caller(call);
        let arrived = FromLine::CallArrived { call, caller, number: NumberId::from("109"), trunk: "city".into(), sdp: Some(SdpRef(0)) };
        self.happen(Input::Line(arrived))?;
        let (topic_key, topic) = TOPICS[self.roll(TOPICS.len() as u64) as usize % TOPICS.len()];
        let language_key = ['1', '2', '3'][self.roll(3) as usize % 3];
        for key in [language_key, topic_key] {
            self.pass(3_000)?;
            if let Some(digit) = Digit::new(key) {
                self.happen(Input::Media(FromMedia::Digit { leg, digit }))?;
            }
        }
        self.past.reports.push((caller, call, topic.to_owned()));
        let talk = 30_000 + self.roll(150_000);
        self.pass(talk)?;
        self.happen(Input::Line(FromLine::HungUp { leg, cause: HangUpCause::Bye }))?;
        let gap = self.roll(APART_MS / 2);
        self.pass(gap)
    }

    /// Time goes on, and with it every deadline.
    fn pass(&mut self, ms: u64) -> anyhow::Result<()> {
        let until = self.now.plus_ms(ms);
        while let Some((at, _)) = self.centre.next_deadline().filter(|(at, _)| *at <= until) {
            self.now = self.now.max(at);
            self.happen(Input::DeadlineReached)?;
        }
        self.now = until;
        Ok(())
    }

    /// One input, and the world's answers to what it asked for.
    fn happen(&mut self, input: Input) -> anyhow::Result<()> {
        let mut inputs = std::collections::VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            self.centre.handle(self.now, input.clone());
            let outputs: Vec<Output> = std::iter::from_fn(|| self.centre.poll_output()).collect();
            let facts = self.centre.take_facts();
            self.journal.add(self.now, input, facts, &outputs);
            inputs.extend(outputs.into_iter().filter_map(answer));
        }
        Ok(self.journal.commit()?)
    }

    /// The next of a seeded row of numbers below `limit` (xorshift).
    fn roll(&mut self, limit: u64) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        self.dice % limit.max(1)
    }
}

/// What a willing world says to an order.
fn answer(output: Output) -> Option<Input> {
    match output {
        Output::Media(ToMedia::Open { leg, .. }) => Some(Input::Media(FromMedia::Opened { leg, sdp: SdpRef(0) })),
        Output::Media(ToMedia::Agree { leg, sdp, .. }) => {
            Some(Input::Media(FromMedia::Agreed { leg, codec: Codec::Pcma, answer: None, about: Some(sdp) }))
        }
        Output::Media(ToMedia::Play { leg, play, ending: Ending::Report, .. }) => Some(Input::Media(FromMedia::Played { leg, play })),
        Output::Line(ToLine::Dial { leg, .. }) => Some(Input::Line(FromLine::Answered { leg, sdp: SdpRef(0) })),
        Output::Media(_) | Output::Line(_) | Output::Desk(_) | Output::LookUp { .. } | Output::Keying { .. } | Output::Recall { .. } => {
            None
        }
    }
}
