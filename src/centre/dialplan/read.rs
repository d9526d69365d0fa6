//! What does a dialplan's file say? Text becomes a checked plan, or all its faults at once, each with line and mend.

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::check::check;
use super::fault::{Faults, PlanError, did_you_mean, nearest};
use super::fields::{At, Entry, Fields, text, texts};
use super::{Action, Plan, Spoken, Step};
use crate::centre::ids::{CalendarId, Language, NumberId, PromptId, QueueId, StepId};
use crate::centre::input::Digit;

/// How long a step listens after its last word when it does not say, in milliseconds.
const WAIT_MS: u64 = 5_000;
/// How often a step asks when it does not say.
const TRIES: u64 = 2;
/// A caller may count as waiting for an hour more at most, in milliseconds.
const LARGEST_CREDIT_MS: u64 = 3_600_000;
/// The kinds of steps.
const KINDS: [&str; 8] = ["play", "language", "menu", "hours", "queue", "callback", "dial", "hang_up"];

/// What a plan may name, besides its own steps.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Vocabulary {
    /// The prompts that can be spoken.
    pub prompts: BTreeSet<(PromptId, Language)>,
    /// The queues of the settings.
    pub queues: BTreeSet<QueueId>,
    /// The calendars of the settings.
    pub calendars: BTreeSet<CalendarId>,
}

/// A plan that has been read but whose paths are not checked yet.
pub(super) struct Draft {
    /// Whether the number only tells something: its callers need not end at a human.
    pub announcement: bool,
    pub start: Option<At<StepId>>,
    pub keys: BTreeMap<Digit, StepId>,
    pub steps: BTreeMap<StepId, DraftStep>,
}

/// One step of it.
pub(super) struct DraftStep {
    /// The byte of the text where its name stands.
    pub at: usize,
    pub topic: Option<String>,
    /// `None` when the step could not be read; the fault is noted already.
    pub action: Option<Action>,
    /// Where it leads while its queue takes nobody new, and in a rush.
    pub closed: Option<StepId>,
    pub surge: Option<StepId>,
    /// The steps that its text names, known even where the step could not be read.
    pub names: Vec<StepId>,
}

/// Reads and checks the plan of one short number. `file_name` only serves the messages.
///
/// # Errors
/// Every fault at once, in the order of the lines. A file that is not TOML is told by its syntax alone, because nothing else in it can be trusted.
pub fn read(file_name: &str, text: &str, known: &Vocabulary) -> Result<Plan, Vec<PlanError>> {
    let (plan, _, faults) = drafted(file_name, text, known);
    plan.filter(|_| faults.is_empty()).ok_or(faults)
}

/// The plan as far as it can be read, what it was read from, and all faults, in the order of the lines. Only without faults is the plan one to walk.
pub(super) fn drafted(file_name: &str, text: &str, known: &Vocabulary) -> (Option<Plan>, Option<Draft>, Vec<PlanError>) {
    let mut faults = Faults::new(file_name, text);
    let (document, broken) = DeTable::parse_recoverable(text);
    for error in &broken {
        let at = error.span().map_or(0, |span| span.start);
        faults.add(at, format!("this is not TOML: {}", error.message()), "correct the spelling of this line");
    }
    if !faults.is_empty() {
        return (None, None, faults.in_line_order());
    }
    let reader = Reader { known, faults: &mut faults, languages: Vec::new(), steps: BTreeSet::new() };
    let (plan, draft) = reader.plan(document.get_ref());
    (plan, Some(draft), faults.in_line_order())
}

struct Reader<'r, 'a> {
    known: &'r Vocabulary,
    faults: &'r mut Faults<'a>,
    /// The plan's languages.
    languages: Vec<Language>,
    /// The names of the plan's steps.
    steps: BTreeSet<StepId>,
}

impl Reader<'_, '_> {
    fn plan<'t>(mut self, document: &'t DeTable<'t>) -> (Option<Plan>, Draft) {
        let mut fields = Fields::new(0, "the plan", document);
        let number = self.number(&mut fields);
        let title = fields.need_text("title", self.faults).map(|title| title.value.to_owned());
        self.languages = self.plan_languages(&mut fields);
        let announcement = fields.flag("announcement", false, self.faults);
        let start = fields.need_text("start", self.faults);
        let keys = fields.table("keys", self.faults);
        let steps = fields.table("steps", self.faults);
        fields.finish(self.faults);

        self.steps = steps.iter().map(|entry| StepId::from(entry.key.value)).collect();
        let draft = Draft {
            announcement,
            start: start.map(|start| At { at: start.at, value: self.step(start) }),
            keys: self.step_keys(&keys),
            steps: steps.iter().map(|entry| (StepId::from(entry.key.value), self.draft_step(entry))).collect(),
        };
        check(&draft, self.faults);
        (self.whole(&draft, number, title), draft)
    }

    /// The plan, where nothing of it is missing but steps that could not be read.
    fn whole(self, draft: &Draft, number: Option<NumberId>, title: Option<String>) -> Option<Plan> {
        let step = |(id, step): (&StepId, &DraftStep)| Some((id.clone(), Step { topic: step.topic.clone(), action: step.action.clone()? }));
        Some(Plan {
            number: number?,
            title: title?,
            languages: self.languages,
            start: draft.start.as_ref()?.value.clone(),
            keys: draft.keys.clone(),
            steps: draft.steps.iter().filter_map(step).collect(),
            closed: draft.steps.iter().filter_map(|(id, step)| Some((id.clone(), step.closed.clone()?))).collect(),
            surge: draft.steps.iter().filter_map(|(id, step)| Some((id.clone(), step.surge.clone()?))).collect(),
        })
    }

    fn number(&mut self, fields: &mut Fields<'_>) -> Option<NumberId> {
        let number = fields.need_text("number", self.faults)?;
        if number.value.is_empty() || !number.value.bytes().all(|byte| byte.is_ascii_digit()) {
            self.faults.add(
                number.at,
                format!("number \"{}\" cannot be dialled", number.value),
                "write digits only, as in number = \"109\"",
            );
            return None;
        }
        Some(NumberId::from(number.value))
    }

    fn plan_languages(&mut self, fields: &mut Fields<'_>) -> Vec<Language> {
        let Some(value) = fields.need("languages", self.faults) else { return Vec::new() };
        let Some(codes) = texts(value, "languages", self.faults) else { return Vec::new() };
        let mut languages = Vec::new();
        for code in codes {
            match Language::from_code(code.value) {
                Some(language) if languages.contains(&language) => {
                    self.faults.add(code.at, format!("language \"{language}\" is named twice"), "remove one of them");
                }
                Some(language) => languages.push(language),
                None => self.faults.add(code.at, format!("unknown language \"{}\"", code.value), "write one of kk, ru, uk, en"),
            }
        }
        if languages.is_empty() {
            self.faults.add(value.span().start, "the plan has no language", "write for example languages = [\"kk\", \"ru\"]");
        }
        languages
    }

    /// A step that is referred to. A misspelt one is noted, and taken for the one that was probably meant, so that one slip is one fault.
    fn step(&mut self, name: At<&str>) -> StepId {
        let step = StepId::from(name.value);
        if self.steps.contains(&step) {
            return step;
        }
        let mend = format!("add [steps.{}] or name a step of this file", name.value);
        let mend = did_you_mean(name.value, self.steps.iter().map(StepId::as_str), mend);
        self.faults.add(name.at, format!("unknown step \"{}\"", name.value), mend);
        nearest(name.value, self.steps.iter().map(StepId::as_str)).map_or(step, StepId::from)
    }

    fn draft_step(&mut self, entry: &Entry<'_>) -> DraftStep {
        let at = entry.key.at;
        let DeValue::Table(table) = entry.value.get_ref() else {
            self.faults.add(at, format!("step \"{}\" is not a table", entry.key.value), format!("write [steps.{}]", entry.key.value));
            return DraftStep { at, topic: None, action: None, closed: None, surge: None, names: Vec::new() };
        };
        let mut names = Vec::new();
        names_in(entry.value.get_ref(), &self.steps, &mut names);
        let mut fields = Fields::new(at, format!("step \"{}\"", entry.key.value), table);
        let topic = fields.text("topic", self.faults).map(|topic| topic.value.to_owned());
        let Some(kind) = fields.need_text("kind", self.faults) else {
            return DraftStep { at, topic, action: None, closed: None, surge: None, names };
        };
        if !KINDS.contains(&kind.value) {
            let mend = did_you_mean(kind.value, KINDS, format!("write one of {}", KINDS.join(", ")));
            self.faults.add(kind.at, format!("unknown kind of step \"{}\"", kind.value), mend);
            return DraftStep { at, topic, action: None, closed: None, surge: None, names };
        }
        let link = |key, kinds: &[&str], reader: &mut Self, fields: &mut Fields<'_>| {
            let name = if kinds.contains(&kind.value) { fields.text(key, reader.faults) } else { None };
            name.map(|name| reader.step(name))
        };
        let closed = link("closed", &["queue"], self, &mut fields);
        let surge = link("surge", &["queue", "menu"], self, &mut fields);
        let action = self.action(kind.value, &mut fields);
        fields.finish(self.faults);
        DraftStep { at, topic, action, closed, surge, names }
    }

    /// Every field is read before any absence ends it, so that all faults of the step are noted.
    fn action(&mut self, kind: &str, fields: &mut Fields<'_>) -> Option<Action> {
        match kind {
            "play" => {
                let (say, repeat) = (self.need_say(fields), fields.flag("repeat", false, self.faults));
                Some(Action::Play { say, repeat, next: self.need_step("next", fields)? })
            }
            "language" => self.language_choice(fields),
            "menu" => self.menu(fields),
            "hours" => {
                let calendar = self.calendar(fields);
                let (open, closed) = (self.need_step("open", fields), self.need_step("closed", fields));
                Some(Action::Hours { calendar: calendar?, open: open?, closed: closed? })
            }
            "queue" => {
                let queue = self.queue(fields);
                let overflow = fields.text("overflow", self.faults).map(|name| self.step(name));
                let subscribed = fields.text("subscribed", self.faults).map(|name| self.step(name));
                let credit_ms = fields.number("credit_ms", (0, LARGEST_CREDIT_MS), 0, self.faults);
                let callback = fields.text("callback", self.faults).map(|name| self.step(name));
                Some(Action::Queue { queue: queue?, overflow, subscribed, credit_ms, callback })
            }
            "callback" => {
                let queue = self.queue(fields);
                let (wait_ms, tries) = self.patience(fields);
                let otherwise = self.need_step("otherwise", fields)?;
                Some(Action::Callback { queue: queue?, wait_ms, tries, otherwise })
            }
            "dial" => self.dial(fields),
            _ => Some(Action::HangUp { say: self.need_say(fields) }),
        }
    }

    fn language_choice(&mut self, fields: &mut Fields<'_>) -> Option<Action> {
        let say = self.need_say(fields);
        let keys = self.language_keys(fields);
        let (wait_ms, tries) = self.patience(fields);
        let otherwise = fields.text("otherwise", self.faults).and_then(|code| self.plan_language(code));
        let next = self.need_step("next", fields)?;
        Some(Action::Language { say, keys, wait_ms, tries, otherwise: otherwise.or(self.languages.first().copied())?, next })
    }

    fn menu(&mut self, fields: &mut Fields<'_>) -> Option<Action> {
        let say = self.need_say(fields);
        let entries = fields.table("keys", self.faults);
        if entries.is_empty() {
            self.faults.add(fields.at(), format!("{} offers no keys", fields.name()), "add keys = { 1 = \"…\" }");
        }
        let keys = self.step_keys(&entries);
        let (wait_ms, tries) = self.patience(fields);
        let wrong = self.say("wrong", fields);
        let otherwise = self.need_step("otherwise", fields)?;
        Some(Action::Menu { say, keys, wait_ms, tries, wrong, otherwise })
    }

    fn dial(&mut self, fields: &mut Fields<'_>) -> Option<Action> {
        let say = self.say("say", fields);
        let party = fields.need_text("party", self.faults).map(|party| party.value.to_owned());
        let address = fields.text("address", self.faults).map(|address| address.value.to_owned());
        let record = fields.flag("record", true, self.faults);
        let failed = self.need_step("failed", fields);
        let party = party?;
        Some(Action::Dial { say, address: address.unwrap_or_else(|| party.clone()), party, record, failed: failed? })
    }

    fn patience(&mut self, fields: &mut Fields<'_>) -> (u64, u8) {
        let wait_ms = fields.number("wait_ms", (500, 60_000), WAIT_MS, self.faults);
        let tries = fields.number("tries", (1, 9), TRIES, self.faults);
        (wait_ms, u8::try_from(tries).unwrap_or(u8::MAX))
    }

    fn need_step(&mut self, key: &'static str, fields: &mut Fields<'_>) -> Option<StepId> {
        let name = fields.need_text(key, self.faults)?;
        Some(self.step(name))
    }

    fn queue(&mut self, fields: &mut Fields<'_>) -> Option<QueueId> {
        let name = fields.need_text("queue", self.faults)?;
        let queue = QueueId::from(name.value);
        if !self.known.queues.contains(&queue) {
            let mend = did_you_mean(
                name.value,
                self.known.queues.iter().map(QueueId::as_str),
                "add this queue to the settings or name one of theirs",
            );
            self.faults.add(name.at, format!("unknown queue \"{}\"", name.value), mend);
        }
        Some(queue)
    }

    fn calendar(&mut self, fields: &mut Fields<'_>) -> Option<CalendarId> {
        let name = fields.need_text("calendar", self.faults)?;
        let calendar = CalendarId::from(name.value);
        if !self.known.calendars.contains(&calendar) {
            let mend = did_you_mean(
                name.value,
                self.known.calendars.iter().map(CalendarId::as_str),
                "add this calendar to the settings or name one of theirs",
            );
            self.faults.add(name.at, format!("unknown calendar \"{}\"", name.value), mend);
        }
        Some(calendar)
    }

    fn digit(&mut self, key: At<&str>) -> Option<Digit> {
        let mut characters = key.value.chars();
        let digit = characters.next().and_then(Digit::new).filter(|_| characters.next().is_none());
        if digit.is_none() {
            self.faults.add(key.at, format!("no phone has a key \"{}\"", key.value), "write one of 0–9, \"*\", \"#\"");
        }
        digit
    }

    fn step_keys(&mut self, entries: &[Entry<'_>]) -> BTreeMap<Digit, StepId> {
        let mut keys = BTreeMap::new();
        for entry in entries {
            let digit = self.digit(entry.key);
            let step = text(entry.value, entry.key.value, self.faults).map(|name| self.step(name));
            keys.extend(digit.zip(step));
        }
        keys
    }

    fn language_keys(&mut self, fields: &mut Fields<'_>) -> BTreeMap<Digit, Language> {
        let entries = fields.table("keys", self.faults);
        if entries.is_empty() {
            self.faults.add(fields.at(), format!("{} offers no keys", fields.name()), "add keys = { 1 = \"kk\" }");
        }
        let mut keys = BTreeMap::new();
        for entry in &entries {
            let digit = self.digit(entry.key);
            let language = text(entry.value, entry.key.value, self.faults).and_then(|code| self.plan_language(code));
            keys.extend(digit.zip(language));
        }
        keys
    }

    /// A language that this plan speaks.
    fn plan_language(&mut self, code: At<&str>) -> Option<Language> {
        let language = Language::from_code(code.value);
        if language.is_none() {
            self.faults.add(code.at, format!("unknown language \"{}\"", code.value), "write one of kk, ru, uk, en");
        }
        let spoken = language.filter(|language| self.languages.contains(language));
        if language.is_some() && spoken.is_none() && !self.languages.is_empty() {
            self.faults.add(
                code.at,
                format!("the plan does not speak \"{}\"", code.value),
                "add it to languages at the top, or name one of those",
            );
        }
        spoken
    }

    /// What a step says; nothing said is a fault, because the caller would hear silence.
    fn need_say(&mut self, fields: &mut Fields<'_>) -> Vec<Spoken> {
        let Some(value) = fields.need("say", self.faults) else { return Vec::new() };
        let Some(say) = self.spoken(value, "say") else { return Vec::new() };
        if say.is_empty() {
            self.faults.add(value.span().start, format!("{} says nothing", fields.name()), "name at least one prompt in say = [\"…\"]");
        }
        say
    }

    fn say(&mut self, key: &'static str, fields: &mut Fields<'_>) -> Vec<Spoken> {
        fields.take(key).and_then(|value| self.spoken(value, key)).unwrap_or_default()
    }

    /// The items of a list; one that is at fault is kept, so that a list of faulty items does not also say nothing.
    fn spoken<'t>(&mut self, value: &'t Spanned<DeValue<'t>>, key: &str) -> Option<Vec<Spoken>> {
        Some(texts(value, key, self.faults)?.into_iter().map(|item| self.spoken_item(item)).collect())
    }

    fn spoken_item(&mut self, item: At<&str>) -> Spoken {
        if let Some(ms) = item.value.strip_prefix("silence:") {
            return self.silence(At { at: item.at, value: ms });
        }
        let (id, code) = item.value.split_once('@').map_or((item.value, None), |(id, code)| (id, Some(code)));
        let id = PromptId::from(id);
        let language = code.and_then(|code| self.plan_language(At { at: item.at, value: code }));
        let wanted = match code {
            Some(_) => language.into_iter().collect(),
            None => self.languages.clone(),
        };
        self.prompt(At { at: item.at, value: &id }, &wanted);
        Spoken::Prompt { id, language }
    }

    fn silence(&mut self, ms: At<&str>) -> Spoken {
        let length = ms.value.parse().ok().filter(|ms| (1..=10_000).contains(ms));
        if length.is_none() {
            self.faults.add(
                ms.at,
                format!("\"silence:{}\" is not a pause of 1 to 10000 ms", ms.value),
                "write for example \"silence:500\"",
            );
        }
        Spoken::Silence { ms: length.unwrap_or(1) }
    }

    /// The prompt must exist in every wanted language.
    fn prompt(&mut self, id: At<&PromptId>, wanted: &[Language]) {
        let has = |language: &Language| self.known.prompts.contains(&(id.value.clone(), *language));
        let missing: Vec<&str> = wanted.iter().filter(|language| !has(language)).map(|language| language.code()).collect();
        if self.known.prompts.iter().all(|(known, _)| known != id.value) {
            let ids = self.known.prompts.iter().map(|(known, _)| known.as_str());
            let mend =
                did_you_mean(id.value.as_str(), ids, "add it to prompts/manifest.toml, write its texts, run `cityline prompts build`");
            self.faults.add(id.at, format!("unknown prompt \"{}\"", id.value), mend);
        } else if !missing.is_empty() {
            let missing = missing.join(", ");
            let mend = format!("write its text in prompts/*.ftl for {missing}, run `cityline prompts build`");
            self.faults.add(id.at, format!("prompt \"{}\" does not exist in {missing}", id.value), mend);
        }
    }
}

/// The steps that are named anywhere in a value.
fn names_in(value: &DeValue<'_>, steps: &BTreeSet<StepId>, found: &mut Vec<StepId>) {
    match value {
        DeValue::String(text) => found.extend(steps.get(&StepId::from(text.as_ref())).cloned()),
        DeValue::Array(items) => items.iter().for_each(|item| names_in(item.get_ref(), steps, found)),
        DeValue::Table(table) => table.iter().for_each(|(_, item)| names_in(item.get_ref(), steps, found)),
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {}
    }
}
