//! Which callers hear of an incident or of works before they wait? Notices are pushed in; here is who is concerned, and what "1" does.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Centre;
use super::call::Stage;
use super::deadline::Reason;
use super::dialplan::Action;
use super::fact::Fact;
use super::ids::{CallId, CallerRef, NoticeId, PromptId, StepId};
use super::input::Digit;
use super::ivr::{Phase, Walk};
use super::output::{Ending, Sound};

/// Notices in force at most; further ones are not told.
pub const MOST: usize = 200;
/// Notices that one caller hears at most: who waits for an operator must not wait for these.
const MOST_TOLD: usize = 3;
/// How long a caller may think about "press one" after the last word, in milliseconds.
const DECIDES_MS: u64 = 3_000;
/// The key that subscribes.
const SUBSCRIBES: char = '1';
/// "Press one to be told when it is fixed."
pub const PRESS_ONE: &str = "notice-press-one";
/// "You will be called when it is fixed."
pub const THANKS: &str = "notice-subscribed";

/// What callers from an area are told before they wait.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Notice {
    /// Which incident or works.
    pub id: NoticeId,
    /// Its text, spoken in every language. Another wording has another name.
    pub prompt: PromptId,
    /// What it is about, as a path ("heating/no-heating").
    pub topic: String,
    /// Where; nothing: in the whole city.
    pub districts: BTreeSet<String>,
}

impl Notice {
    /// Whether a caller is told: by the district where that is known, else by what the call is about. What holds for the whole city is told
    /// to those who call about it.
    pub fn concerns(&self, district: Option<&str>, topic: Option<&str>) -> bool {
        let root = |path: &str| path.split('/').next().map(str::to_owned);
        match district {
            Some(district) if !self.districts.is_empty() => self.districts.contains(district),
            Some(_) | None => topic.is_some_and(|topic| root(topic) == root(&self.topic)),
        }
    }
}

impl Centre {
    /// Other notices are in force.
    pub(super) fn notices_changed(&mut self, mut notices: Vec<Notice>) {
        notices.truncate(MOST);
        self.notices = notices;
    }

    /// Tells a caller who is about to wait what concerns them and was not told yet; whether there was anything.
    pub(super) fn tell_notices(&mut self, call: CallId, step: &StepId) -> bool {
        let Some(known) = self.calls.get(&call) else { return false };
        let district = known.known.as_ref().and_then(|known| known.district.as_deref());
        let concerned = |notice: &&Notice| notice.concerns(district, known.topic.as_deref()) && !known.told.contains(&notice.id);
        let notices: Vec<Notice> = self.notices.iter().filter(concerned).take(MOST_TOLD).cloned().collect();
        if notices.is_empty() {
            return false;
        }
        let language = self.language_of(call);
        let mut sounds: Vec<Sound> = notices.iter().map(|notice| Sound::Prompt { id: notice.prompt.clone(), language }).collect();
        if self.can_subscribe(call) {
            sounds.push(Sound::Prompt { id: PRESS_ONE.into(), language });
        }
        if let Some(known) = self.calls.get_mut(&call) {
            known.telling = notices.into_iter().map(|notice| notice.id).collect();
        }
        self.walk(call, step, Phase::Telling);
        self.play(call, sounds, Ending::Report);
        true
    }

    /// Everything was said: who can be called back may think for a moment.
    pub(super) fn notices_told(&mut self, call: CallId, step: &StepId) {
        if self.can_subscribe(call) {
            self.walk(call, step, Phase::Deciding);
            self.deadlines.set(Reason::Key(call), self.now.plus_ms(DECIDES_MS));
        } else {
            self.go_on_from_notices(call, step);
        }
    }

    /// The caller has heard them and goes on to the queue.
    pub(super) fn go_on_from_notices(&mut self, call: CallId, step: &StepId) {
        self.note_told(call);
        self.wait_in_queue(call, step);
    }

    /// A key while notices are told; false where it means nothing here.
    pub(super) fn key_at_notices(&mut self, call: CallId, step: &StepId, digit: Digit) -> bool {
        if digit.key() != SUBSCRIBES || !self.can_subscribe(call) {
            return false;
        }
        // Before it is offered, "1" is meant for the menu that the caller knows.
        let is_menu = matches!(self.action(call, step), Some(Action::Menu { .. }));
        if is_menu && matches!(self.stage(call), Some(Stage::Walking(Walk { phase: Phase::Telling, .. }))) {
            return false;
        }
        self.deadlines.cancel(&Reason::Key(call));
        self.out.fact(Fact::KeyPressed { call, step: step.clone(), key: digit.key() });
        let language = self.language_of(call);
        let caller = self.calls.get(&call).map_or(CallerRef::WITHHELD, |known| known.caller);
        for notice in self.note_told(call) {
            self.out.fact(Fact::Subscribed { call, caller, notice, language });
        }
        match self.action(call, step) {
            Some(Action::Queue { subscribed: Some(next), .. }) => {
                let next = next.clone();
                self.enter_step(call, &next, true);
            }
            _ => {
                self.walk(call, step, Phase::Thanking);
                self.play(call, vec![Sound::Prompt { id: THANKS.into(), language }], Ending::Report);
            }
        }
        true
    }

    /// A withheld number cannot be called back.
    fn can_subscribe(&self, call: CallId) -> bool {
        self.calls.get(&call).is_some_and(|known| !known.caller.is_withheld())
    }

    /// What was being told has been told: it is not said again in this call.
    fn note_told(&mut self, call: CallId) -> Vec<NoticeId> {
        let Some(known) = self.calls.get_mut(&call) else { return Vec::new() };
        let telling = std::mem::take(&mut known.telling);
        known.told.extend(telling.iter().cloned());
        for notice in &telling {
            self.out.fact(Fact::NoticeTold { call, notice: notice.clone() });
        }
        telling
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_district_decides_where_it_is_known_else_the_topic() {
        let notice = |districts: &[&str]| Notice {
            id: "1".into(),
            prompt: "notice-1-1".into(),
            topic: "heating/no-heating".into(),
            districts: districts.iter().map(|district| (*district).to_owned()).collect(),
        };
        let north = notice(&["north"]);
        assert!(north.concerns(Some("north"), Some("roads")) && north.concerns(Some("north"), None));
        assert!(!north.concerns(Some("south"), Some("heating")), "heating is on in the south");
        assert!(north.concerns(None, Some("heating")) && !north.concerns(None, Some("heat")) && !north.concerns(None, None));
        let everywhere = notice(&[]);
        assert!(everywhere.concerns(Some("south"), Some("heating")) && !everywhere.concerns(Some("south"), Some("roads")));
    }
}
