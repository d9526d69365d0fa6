//! Where is a caller in the plan? One caller walking: speaking, asking, listening, and what each key or silence leads to.

use serde::{Deserialize, Serialize};

use super::Centre;
use super::call::{Call, Dialling, Stage};
use super::deadline::Reason;
use super::dialplan::{Action, Plan, Spoken};
use super::fact::{Chosen, EndReason, Fact, Party, QueueEnd};
use super::ids::{CallId, CallerRef, Language, LegId, PromptId, QueueId, StepId};
use super::input::{CallerKnown, Digit};
use super::leg::LegState;
use super::output::{Ending, Shown, Sound, Target};
use super::surge::{Around, CLOSED};

/// Steps that take no time (opening hours, a language that is known) one after the other, at most.
const MAX_HOPS: usize = 32;

/// Keys that may be typed ahead; further ones are forgotten.
const TYPED_AHEAD: usize = 8;

/// Where a caller is in the plan.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Walk {
    /// The step.
    pub step: StepId,
    /// What goes on in it.
    pub phase: Phase,
}

/// What goes on in a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Phase {
    /// The step speaks; then the plan goes on.
    Speaking,
    /// The step speaks and takes a key already; `tries` more times it would ask again.
    Asking { tries: u8 },
    /// The step has spoken and waits for a key.
    Listening { tries: u8 },
    /// The language step waits for what the store knows of the caller.
    LookingUp,
    /// The queue step tells notices, and takes a key already.
    Telling,
    /// It has told them and waits for a key.
    Deciding,
    /// It thanks for a subscription; then the caller waits.
    Thanking,
    /// No step of a plan: the caller hears why the talk was ended, and the call is over.
    Dismissed,
    /// No step of a plan: the caller hears that nobody takes calls, and the call is over. Keys of the whole plan work.
    SentAway,
    /// The callback step takes a number, whose keys the shell keeps.
    Keying { tries: u8 },
    /// Nothing more is keyed: the shell is to say what the number is.
    Finishing { tries: u8 },
    /// The callback step says the number and asks whether it is right.
    Confirming { to: CallerRef, tries: u8 },
    /// The callback step says why there is none; then the plan goes on.
    Refusing,
    /// The caller is promised a callback; then the line is given up.
    Parting,
}

/// Where a step leads.
enum Lead {
    /// At once to another one.
    To(StepId),
    /// The caller is busy with this one.
    Stay,
}

impl Centre {
    /// The resident can hear: the plan of the number begins.
    pub(super) fn start_plan(&mut self, call: CallId) {
        if self.greets_evacuated(call) {
            return;
        }
        let Some(start) = self.plan(call).map(|plan| plan.start.clone()) else { return };
        self.enter_step(call, &start, false);
    }

    /// Goes to a step, and through those that take no time. A plan that runs in circles ends the call.
    pub(super) fn enter_step(&mut self, call: CallId, step: &StepId, by_key: bool) {
        let mut step = step.clone();
        let mut by_key = by_key;
        for _ in 0..MAX_HOPS {
            match self.do_step(call, &step, by_key) {
                Lead::To(next) => step = next,
                Lead::Stay => return,
            }
            by_key = false;
        }
        self.end_call(call, EndReason::PlanEnded);
    }

    fn do_step(&mut self, call: CallId, step: &StepId, by_key: bool) -> Lead {
        let Some((name, known)) = self.plan(call).and_then(|plan| plan.step(step)) else {
            self.end_call(call, EndReason::PlanEnded);
            return Lead::Stay;
        };
        let (name, known) = (name.clone(), known.clone());
        self.out.fact(Fact::StepEntered { call, step: name.clone() });
        self.deadlines.cancel(&Reason::Key(call));
        if let (Some(topic), Some(entry)) = (known.topic, self.calls.get_mut(&call)) {
            entry.topic = Some(topic.clone());
            self.out.fact(Fact::TopicChosen { call, topic });
        }
        match known.action {
            Action::Play { say, repeat, .. } => {
                self.walk(call, &name, Phase::Speaking);
                self.say(call, &say, if repeat { Ending::Repeat } else { Ending::Report });
                Lead::Stay
            }
            Action::Language { tries, .. } => self.ask_language(call, &name, tries, by_key),
            Action::Menu { tries, say, .. } => self.ask_in_menu(call, &name, &say, tries),
            Action::Hours { calendar, open, closed } => {
                let is_open = self.settings.calendars.get(&calendar).is_some_and(|hours| hours.is_open(self.now, self.wall_ahead_ms));
                Lead::To(if is_open { open } else { closed })
            }
            Action::Queue { queue, .. } => self.come_to_queue(call, &name, &queue),
            Action::Callback { tries, .. } => {
                self.ask_for_callback(call, &name, tries);
                Lead::Stay
            }
            Action::Dial { say, party, address, record, failed } => {
                if self.kept(call).is_some() {
                    self.leave_queue(call, QueueEnd::KeyPressed);
                }
                self.dial_outside(call, &say, party, address, Dialling { leg: 0, failed, record, speaks: !say.is_empty() });
                Lead::Stay
            }
            Action::HangUp { say } => {
                self.walk(call, &name, Phase::Speaking);
                self.say(call, &say, Ending::Report);
                Lead::Stay
            }
        }
    }

    /// The queue's step: past a queue that takes nobody new, then notices, the shorter way of a rush, and the place.
    fn come_to_queue(&mut self, call: CallId, step: &StepId, queue: &QueueId) -> Lead {
        self.forget_typed(call);
        if self.calls.get_mut(&call).is_some_and(|known| known.came_to.insert(queue.clone())) {
            self.note_arrival(queue);
        }
        let turns_away = self.mode(queue).turns_away();
        if !turns_away && self.tell_notices(call, step) {
            return Lead::Stay;
        }
        match self.way_around(call, step) {
            Around::To(step) => return Lead::To(step),
            Around::TurnedAway => match self.full_queue(call) {
                Some(step) => return Lead::To(step),
                None => self.part_with(call, PromptId::from(CLOSED)),
            },
            Around::None => self.queue_up(call, step, queue),
        }
        Lead::Stay
    }

    /// A menu in a rush: what concerns the caller is told first, and the shorter menu takes its place.
    fn ask_in_menu(&mut self, call: CallId, step: &StepId, say: &[Spoken], tries: u8) -> Lead {
        let queues = self.queues_of_plan(call);
        if queues.iter().any(|queue| self.is_surge(queue)) {
            if self.tell_notices(call, step) {
                return Lead::Stay;
            }
            if let Some(shorter) = self.short_way(call, step, &queues) {
                return Lead::To(shorter);
            }
        }
        self.ask(call, step, say, tries);
        Lead::Stay
    }

    fn queue_up(&mut self, call: CallId, step: &StepId, queue: &QueueId) {
        self.walk(call, step, Phase::Speaking);
        self.note_queue_step(call, step);
        self.enter_queue(call, queue);
    }

    /// The caller of a queue step has heard the notices and takes a place.
    pub(super) fn wait_in_queue(&mut self, call: CallId, step: &StepId) {
        match self.action(call, step) {
            Some(Action::Queue { queue, .. }) => {
                let queue = queue.clone();
                match self.way_around(call, step) {
                    Around::To(step) => return self.enter_step(call, &step, false),
                    Around::TurnedAway => {
                        return match self.full_queue(call) {
                            Some(step) => self.enter_step(call, &step, false),
                            None => self.part_with(call, PromptId::from(CLOSED)),
                        };
                    }
                    Around::None => {}
                }
                self.queue_up(call, step, &queue);
            }
            // New settings have made another step of it.
            Some(_) => self.enter_step(call, step, false),
            None => self.end_call(call, EndReason::PlanEnded),
        }
    }

    /// The language step: skipped for a caller whose last choice is known, unless they came here by a key.
    fn ask_language(&mut self, call: CallId, step: &StepId, tries: u8, by_key: bool) -> Lead {
        let Some(Action::Language { say, next, keys, .. }) = self.action(call, step).cloned() else { return Lead::Stay };
        let typed = self.calls.get(&call).and_then(|entry| entry.typed_ahead.front()).is_some_and(|digit| keys.contains_key(digit));
        if !by_key && !typed {
            if self.deadlines.is_set(&Reason::LookUp(call)) {
                self.walk(call, step, Phase::LookingUp);
                return Lead::Stay;
            }
            if let Some(language) = self.remembered(call) {
                self.choose_language(call, language, Chosen::Remembered);
                return Lead::To(next);
            }
        }
        self.ask(call, step, &say, tries);
        Lead::Stay
    }

    /// What the store knows of the caller; `None` when it has not said in time.
    pub(super) fn looked_up(&mut self, call: CallId, known: Option<CallerKnown>) {
        self.deadlines.cancel(&Reason::LookUp(call));
        let has_answered = known.is_some();
        if let Some(entry) = self.calls.get_mut(&call) {
            entry.known = known;
        }
        // A silent store tells no story: whoever waits already keeps their place.
        if has_answered {
            self.credit_follows_story(call);
        }
        if let Some(Stage::Walking(Walk { step, phase: Phase::LookingUp })) = self.stage(call) {
            let step = step.clone();
            self.enter_step(call, &step, false);
        }
    }

    /// Asks for a key, unless one was typed ahead: who knows the way need not hear it again.
    pub(super) fn ask(&mut self, call: CallId, step: &StepId, say: &[Spoken], tries: u8) {
        let phase = Phase::Asking { tries: tries.saturating_sub(1) };
        self.walk(call, step, phase);
        match self.calls.get_mut(&call).and_then(|entry| entry.typed_ahead.pop_front()) {
            Some(digit) => self.key_in_step(call, &Walk { step: step.clone(), phase }, digit),
            None => self.say(call, say, Ending::Report),
        }
    }

    /// The way that the keys were typed for has ended, or another was taken.
    fn forget_typed(&mut self, call: CallId) {
        if let Some(entry) = self.calls.get_mut(&call) {
            entry.typed_ahead.clear();
        }
    }

    /// A key while a step speaks that takes none: what it says is heard to its end, and the key counts for the next question.
    fn type_ahead(&mut self, call: CallId, digit: Digit) {
        let Some(entry) = self.calls.get_mut(&call) else { return };
        if entry.typed_ahead.len() < TYPED_AHEAD {
            entry.typed_ahead.push_back(digit);
        }
    }

    /// The sounds of the step are over.
    pub(super) fn step_played(&mut self, call: CallId) {
        let Some(Stage::Walking(walk)) = self.stage(call) else { return };
        let walk = walk.clone();
        match walk.phase {
            Phase::Dismissed => return self.abuse_said(call),
            Phase::SentAway => return self.end_call(call, EndReason::PlanEnded),
            Phase::Speaking
            | Phase::Asking { .. }
            | Phase::Listening { .. }
            | Phase::LookingUp
            | Phase::Telling
            | Phase::Deciding
            | Phase::Thanking
            | Phase::Keying { .. }
            | Phase::Finishing { .. }
            | Phase::Confirming { .. }
            | Phase::Refusing
            | Phase::Parting => {}
        }
        let Some(action) = self.action(call, &walk.step) else { return };
        match (action, walk.phase) {
            (_, Phase::Telling) => self.notices_told(call, &walk.step),
            (_, Phase::Thanking) => self.wait_in_queue(call, &walk.step),
            (Action::Play { next, .. }, Phase::Speaking) => {
                let next = next.clone();
                self.enter_step(call, &next, false);
            }
            (Action::HangUp { .. }, Phase::Speaking) => self.end_call(call, EndReason::PlanEnded),
            (_, Phase::Parting) => self.caller_parts(call),
            (Action::Callback { .. }, Phase::Refusing | Phase::Keying { .. } | Phase::Confirming { .. }) => {
                self.callback_step_played(call, &walk)
            }
            (
                Action::Language { wait_ms, .. } | Action::Menu { wait_ms, .. } | Action::Callback { wait_ms, .. },
                Phase::Asking { tries },
            ) => {
                let until = self.now.plus_ms(*wait_ms);
                self.walk(call, &walk.step, Phase::Listening { tries });
                self.deadlines.set(Reason::Key(call), until);
            }
            (
                _,
                Phase::Listening { .. } | Phase::LookingUp | Phase::Deciding | Phase::Dismissed | Phase::SentAway | Phase::Finishing { .. },
            ) => {}
            // New settings have made another step of it.
            (Action::Play { .. } | Action::HangUp { .. }, Phase::Asking { .. })
            | (Action::Language { .. } | Action::Menu { .. } | Action::Callback { .. }, Phase::Speaking)
            | (_, Phase::Refusing | Phase::Keying { .. } | Phase::Confirming { .. })
            | (Action::Hours { .. } | Action::Queue { .. } | Action::Dial { .. }, Phase::Speaking | Phase::Asking { .. }) => {
                self.enter_step(call, &walk.step, false);
            }
        }
    }

    /// No key came: ask again, or go on as the plan says for a silent caller.
    pub(super) fn no_key(&mut self, call: CallId) {
        let Some(Stage::Walking(walk)) = self.stage(call) else { return };
        let (step, tries) = match walk.phase {
            Phase::Listening { tries } => (walk.step.clone(), tries),
            Phase::Deciding => {
                let step = walk.step.clone();
                self.go_on_from_notices(call, &step);
                return;
            }
            Phase::Keying { .. } | Phase::Finishing { .. } | Phase::Confirming { .. } => {
                let walk = walk.clone();
                return self.no_key_at_callback(call, &walk);
            }
            Phase::Speaking
            | Phase::Asking { .. }
            | Phase::LookingUp
            | Phase::Telling
            | Phase::Thanking
            | Phase::Dismissed
            | Phase::Refusing
            | Phase::SentAway
            | Phase::Parting => return,
        };
        let Some(action) = self.action(call, &step).cloned() else { return };
        match action {
            Action::Language { say, .. } | Action::Menu { say, .. } if tries > 0 => self.ask(call, &step, &say, tries),
            Action::Callback { .. } if tries > 0 => self.ask_for_callback(call, &step, tries),
            Action::Callback { otherwise, .. } => self.enter_step(call, &otherwise, false),
            Action::Language { otherwise, next, .. } => match self.take_way_back(call) {
                // Who said nothing goes on waiting in the language of before.
                Some(back) => self.enter_step(call, &back, false),
                None => {
                    self.choose_language(call, otherwise, Chosen::Default);
                    self.enter_step(call, &next, false);
                }
            },
            Action::Menu { otherwise, .. } => self.enter_step(call, &otherwise, false),
            // New settings have made another step of it.
            Action::Play { .. } | Action::Hours { .. } | Action::Queue { .. } | Action::Dial { .. } | Action::HangUp { .. } => {
                self.enter_step(call, &step, false);
            }
        }
    }

    /// A key of the resident, wherever they are in the plan or the queue.
    pub(super) fn on_digit(&mut self, leg: LegId, digit: Digit) {
        // Of a line that was given up nothing is heard any more.
        if leg.n != 0 || self.is_callback(leg.call) {
            return;
        }
        let call = leg.call;
        match self.stage(call) {
            Some(Stage::Walking(Walk { phase: Phase::Dismissed, .. })) => {}
            Some(Stage::Walking(walk)) => {
                let walk = walk.clone();
                self.key_in_step(call, &walk, digit);
            }
            Some(Stage::Waiting(_) | Stage::Offered(_)) => self.key_while_waiting(call, digit),
            Some(
                Stage::Arriving
                | Stage::Dialling(_)
                | Stage::Talking(_)
                | Stage::Transferring(_)
                | Stage::CallingOut(_)
                | Stage::Internal(_),
            )
            | None => {}
        }
    }

    /// A key of the plan takes the caller out of the queue; the one for a callback does not.
    fn key_while_waiting(&mut self, call: CallId, digit: Digit) {
        let of_plan = self.plan_key(call, digit);
        let callback = self.callback_key(call, digit).filter(|_| of_plan.is_none());
        let Some(step) = of_plan.or_else(|| callback.clone()) else { return };
        self.note_way_back(call, &step);
        if matches!(self.stage(call), Some(Stage::Offered(_))) {
            self.offer_without_caller(call);
        }
        match callback {
            Some(_) => self.keep_place(call),
            None => self.leave_queue(call, QueueEnd::KeyPressed),
        }
        self.enter_step(call, &step, true);
    }

    fn key_in_step(&mut self, call: CallId, walk: &Walk, digit: Digit) {
        let step = walk.step.clone();
        let listens = matches!(walk.phase, Phase::Asking { .. } | Phase::Listening { .. });
        if matches!(walk.phase, Phase::Telling | Phase::Deciding) && self.key_at_notices(call, &step, digit) {
            return;
        }
        if self.key_at_callback(call, walk, digit) {
            return;
        }
        let action = self.action(call, &step).filter(|_| walk.phase != Phase::SentAway).cloned();
        match action {
            Some(Action::Language { keys, next, .. }) if listens && keys.contains_key(&digit) => {
                self.out.fact(Fact::KeyPressed { call, step, key: digit.key() });
                if let Some(language) = keys.get(&digit) {
                    self.choose_language(call, *language, Chosen::Key);
                }
                let next = self.take_way_back(call).unwrap_or(next);
                self.enter_step(call, &next, true);
            }
            Some(Action::Menu { keys, .. }) if listens && keys.contains_key(&digit) => {
                self.out.fact(Fact::KeyPressed { call, step, key: digit.key() });
                if let Some(next) = keys.get(&digit) {
                    self.enter_step(call, next, true);
                }
            }
            Some(Action::Play { repeat: true, next, .. }) if self.plan_key(call, digit).is_none() => {
                self.out.fact(Fact::KeyPressed { call, step, key: digit.key() });
                self.enter_step(call, &next, true);
            }
            _ => match self.plan_key(call, digit) {
                Some(next) => {
                    self.out.fact(Fact::KeyPressed { call, step, key: digit.key() });
                    let back = self.take_way_back(call);
                    if matches!(self.action(call, &next), Some(Action::Language { .. })) {
                        self.calls.get_mut(&call).into_iter().for_each(|known| known.way_back.clone_from(&back));
                    }
                    self.forget_typed(call);
                    self.enter_step(call, &next, true);
                }
                None if listens => self.wrong_key(call, walk),
                None => self.type_ahead(call, digit),
            },
        }
    }

    /// Who leaves the queue for another language goes back to it, and keeps the age of the wait.
    fn note_way_back(&mut self, call: CallId, step: &StepId) {
        let is_choice = matches!(self.action(call, step), Some(Action::Language { .. }));
        if let Some(known) = self.calls.get_mut(&call) {
            known.way_back = known.queue_step.clone().filter(|_| is_choice);
        }
    }

    fn take_way_back(&mut self, call: CallId) -> Option<StepId> {
        self.calls.get_mut(&call)?.way_back.take()
    }

    /// A key without a meaning counts as a try; after the last one the caller goes on as a silent one does.
    fn wrong_key(&mut self, call: CallId, walk: &Walk) {
        let (Phase::Asking { tries } | Phase::Listening { tries }) = walk.phase else { return };
        self.deadlines.cancel(&Reason::Key(call));
        self.walk(call, &walk.step, Phase::Listening { tries });
        if tries == 0 {
            self.no_key(call);
            return;
        }
        let Some(action) = self.action(call, &walk.step).cloned() else { return };
        match action {
            Action::Menu { say, mut wrong, .. } => {
                wrong.extend(say);
                self.ask(call, &walk.step, &wrong, tries);
            }
            Action::Language { say, .. } => self.ask(call, &walk.step, &say, tries),
            Action::Callback { .. } => self.ask_for_callback(call, &walk.step, tries),
            Action::Play { .. } | Action::Hours { .. } | Action::Queue { .. } | Action::Dial { .. } | Action::HangUp { .. } => {
                self.enter_step(call, &walk.step, false);
            }
        }
    }

    fn choose_language(&mut self, call: CallId, language: Language, how: Chosen) {
        if let Some(entry) = self.calls.get_mut(&call) {
            entry.language = Some(language);
            let caller = entry.caller;
            self.out.fact(Fact::LanguageChosen { call, caller, language, how });
        }
    }

    fn dial_outside(&mut self, call: CallId, say: &[Spoken], party: String, address: String, mut dialling: Dialling) {
        let Some(caller) = self.calls.get(&call).map(|known| known.caller) else { return };
        self.say(call, say, Ending::Report);
        let state =
            LegState::Opening { target: Target::Address(address), shown: Shown::Resident(caller), auto_answer: false, replaces: None };
        let Some(leg) = self.open_leg(call, Party::Outside(party), state) else { return };
        dialling.leg = leg.n;
        self.set_stage(call, Stage::Dialling(dialling));
        self.deadlines.set(Reason::DialEnds(call), self.now.plus_ms(self.settings.limits.dial_ms));
    }

    /// The outside party did not answer.
    pub(super) fn dial_ended(&mut self, call: CallId) {
        let Some(Stage::Dialling(dialling)) = self.stage(call) else { return };
        let (leg, failed) = (LegId { call, n: dialling.leg }, dialling.failed.clone());
        self.end_leg(leg, EndReason::GivenUp);
        self.enter_step(call, &failed, false);
    }

    /// The language of a call: chosen, else remembered, else the plan's first.
    pub(super) fn language_of(&self, call: CallId) -> Language {
        let chosen = self.calls.get(&call).and_then(|known| known.language);
        let first = self.plan(call).and_then(|plan| plan.languages.first().copied());
        chosen.or_else(|| self.remembered(call)).or(first).unwrap_or(Language::En)
    }

    /// The language of the caller's last choice, if this plan speaks it.
    fn remembered(&self, call: CallId) -> Option<Language> {
        let language = self.calls.get(&call)?.known.as_ref()?.language?;
        self.plan(call)?.languages.contains(&language).then_some(language)
    }

    fn say(&mut self, call: CallId, say: &[Spoken], ending: Ending) {
        let own = self.language_of(call);
        let sound = |spoken: &Spoken| match spoken {
            Spoken::Prompt { id, language } => Sound::Prompt { id: id.clone(), language: language.unwrap_or(own) },
            Spoken::Silence { ms } => Sound::Silence { ms: *ms },
        };
        self.play(call, say.iter().map(sound).collect(), ending);
    }

    pub(super) fn walk(&mut self, call: CallId, step: &StepId, phase: Phase) {
        self.set_stage(call, Stage::Walking(Walk { step: step.clone(), phase }));
    }

    fn note_queue_step(&mut self, call: CallId, step: &StepId) {
        if let Some(entry) = self.calls.get_mut(&call) {
            entry.queue_step = Some(step.clone());
        }
    }

    /// Where the plan sends a caller whom the queue cannot take.
    pub(super) fn overflow_step(&self, call: CallId) -> Option<StepId> {
        let step = self.calls.get(&call)?.queue_step.as_ref()?;
        match self.action(call, step)? {
            Action::Queue { overflow, .. } => overflow.clone(),
            Action::Play { .. }
            | Action::Language { .. }
            | Action::Menu { .. }
            | Action::Hours { .. }
            | Action::Dial { .. }
            | Action::Callback { .. }
            | Action::HangUp { .. } => None,
        }
    }

    fn plan_key(&self, call: CallId, digit: Digit) -> Option<StepId> {
        self.plan(call)?.keys.get(&digit).cloned()
    }

    /// Whether the caller's plan has a step of this name.
    pub(super) fn action_named(&self, call: CallId, step: &StepId) -> bool {
        self.plan(call).is_some_and(|plan| plan.steps.contains_key(step))
    }

    pub(super) fn action(&self, call: CallId, step: &StepId) -> Option<&Action> {
        self.plan(call)?.step(step).map(|(_, known)| &known.action)
    }

    /// The plan of the call's number; one that the settings dropped serves its callers to their end.
    pub(super) fn plan(&self, call: CallId) -> Option<&Plan> {
        let Call { number, .. } = self.calls.get(&call)?;
        self.settings.numbers.get(number).or_else(|| self.closing.plans.get(number))
    }
}

impl Plan {
    /// A step by its name; a name that a reload has removed leads to the start.
    fn step(&self, name: &StepId) -> Option<(&StepId, &super::dialplan::Step)> {
        self.steps.get_key_value(name).or_else(|| self.steps.get_key_value(&self.start))
    }
}
