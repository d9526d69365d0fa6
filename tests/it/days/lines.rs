//! Who stands where, and who may take whom? The model's own reading of rings, levels, credits and the queues' rules.

use std::collections::BTreeMap;

use cityline::centre::Centre;
use cityline::centre::dialplan::Action;
use cityline::centre::explanation::{Explanation, Rule};
use cityline::centre::ids::{AgentId, CallId, Language, QueueId, ShiftId, SkillId};
use cityline::centre::input::Input;
use cityline::centre::settings::{QueueSettings, Strategy};
use cityline::centre::shift::{Shift, Wanted};
use cityline::centre::skill::Needs;
use cityline::centre::time::Time;

use super::calls::{Call, Wait};
use super::judge::judge;
use super::model::Model;
use super::staff::Free;

/// What somebody must be able to do, by the least level of each skill.
pub type Levels = BTreeMap<SkillId, u8>;

/// The ring that a wait has reached, and what it asks for.
pub fn ring(rules: &QueueSettings, language: Language, waited_ms: u64) -> (u32, Levels) {
    let mut reached = (0, 1, Vec::new());
    for (n, ring) in rules.rings.iter().enumerate() {
        if ring.after_ms <= waited_ms {
            reached = (n as u32, ring.level, ring.dropped.iter().cloned().collect());
        }
    }
    let (n, level, dropped) = reached;
    let mut needs: Levels = rules.skills.iter().filter(|skill| !dropped.contains(skill)).map(|skill| (skill.clone(), level)).collect();
    if rules.language_required {
        needs.insert(language.skill(), level);
    }
    (n, needs)
}

impl Model {
    /// The caller waits in another ring from here on; whether it is the right one shows when the step is over.
    pub fn ring_reached(&mut self, call: CallId, n: u32, needed: &Needs) {
        let Some(wait) = self.calls.get_mut(&call).and_then(|known| known.wait.as_mut()) else { return };
        wait.ring = n;
        wait.needs = needed.levels().map(|(skill, level)| (skill.clone(), level)).collect();
    }

    /// What the store knows of a caller counts where it comes in time, and once.
    pub fn note_look_up(&mut self, input: &Input) {
        let Input::LookedUp { call, known: told } = input else { return };
        let look_up_ms = self.settings.limits.look_up_ms;
        let now = self.now;
        let Some(known) = self.calls.get_mut(call).filter(|known| !known.caller.is_withheld() && !known.looked_up) else { return };
        if now < known.arrived.plus_ms(look_up_ms) {
            known.looked_up = true;
            known.story = told.clone();
            known.wait.iter_mut().for_each(|wait| wait.is_settled = true);
        }
    }

    /// By how much longer the caller counts as waiting, as the settings and the story say.
    fn credit_due(&self, known: &Call, queue: &QueueId) -> i64 {
        let credits = &self.settings.credits;
        let (most, least) = (credits.raise_at_most_ms as i64, -(credits.lower_at_most_ms as i64));
        if known.line_lost {
            return most;
        }
        let step = known.queue_step.as_ref().and_then(|step| self.step_of_plan(step));
        let by_step = match step {
            Some(Action::Queue { credit_ms, .. }) => *credit_ms,
            _ => 0,
        };
        let story = &known.story;
        let by_case = match (story.overdue_cases, story.open_cases) {
            (0, 0) => 0,
            (0, _) => credits.open_case_ms,
            _ => credits.overdue_case_ms,
        };
        let when = |holds: bool, ms: u64| if holds { ms as i64 } else { 0 };
        let raised = by_step + by_case + self.rules(queue).credit_ms;
        let sum = raised as i64 + when(story.called_lately, credits.repeat_call_ms) + when(story.is_protected, credits.protected_ms)
            - when(story.is_marked, credits.abuse_ms);
        sum.max(least).min(most)
    }

    pub fn credited(&mut self, call: CallId, credit_ms: i64) {
        let Some(wait) = self.calls.get_mut(&call).and_then(|known| known.wait.as_mut()) else { return };
        wait.credit_ms = credit_ms;
        let is_settled = wait.is_settled;
        self.check(is_settled, || format!("{call} was given {credit_ms} ms in the middle of the wait"));
    }

    /// The place grew since it was told last, and the caller hears why before they hear the place.
    pub fn put_behind(&mut self, call: CallId, queue: &QueueId, from: u32, to: u32) {
        let told = self.calls.get_mut(&call).and_then(|known| known.place_told.replace((queue.clone(), to)));
        self.check(told == Some((queue.clone(), from)) && to > from, || {
            format!("{call} was put from {from} to {to}, and was told {told:?}")
        });
    }

    /// Callers who wait and whom nobody rings for, the most senior first.
    pub fn seeking(&self) -> Vec<(CallId, &Wait)> {
        let seeks = |known: &Call| known.offer.is_none() && !known.unknown;
        let waits = self.calls.iter().filter(|(_, known)| seeks(known));
        let mut line: Vec<(CallId, &Wait)> = waits.filter_map(|(id, known)| known.wait.as_ref().map(|wait| (*id, wait))).collect();
        line.sort_by_key(|(id, wait)| (wait.seniority(), *id));
        line
    }

    /// Who is free and may take a caller with this wait: by skills, by the shift, and by the queues that the shift serves.
    pub fn free_for(&self, wait: &Wait) -> Vec<(AgentId, Free)> {
        let mut free = self.staff.free(&wait.needs, &self.settings);
        free.retain(|(agent, _)| self.serves(agent, wait));
        free
    }

    fn serves(&self, agent: &AgentId, wait: &Wait) -> bool {
        let member = self.able.get(agent).and_then(|(_, queues, _)| queues.get(&wait.queue)).copied();
        let languages = ["kk", "ru", "uk", "en"];
        let fits = |shift: &Shift| {
            let counts = |skill: &SkillId| shift.skills.is_empty() || shift.skills.contains(skill) || languages.contains(&skill.as_str());
            (shift.queues.is_empty() || shift.queues.contains(&wait.queue)) && wait.needs.keys().all(counts)
        };
        let everybody = (true, Vec::new());
        let (is_on, shifts) = self.duty.get(agent).unwrap_or(&everybody);
        if let Some(member) = member {
            return *is_on && member;
        }
        *is_on && (shifts.is_empty() || shifts.iter().filter_map(|shift| self.settings.shifts.get(shift)).any(fits))
    }

    /// A supervisor has ordered something about somebody's shift.
    pub fn shift_ordered(&mut self, input: &Input, agent: &AgentId, wanted: &Wanted, until_ms: u64) {
        let theirs = matches!(input, Input::ShiftOrdered(order) if order.agent == *agent && order.wanted == *wanted
            && order.until_ms.is_none_or(|until| until == until_ms));
        self.check(theirs, || format!("an order about {agent} that nobody gave: {wanted:?}"));
        match wanted {
            Wanted::Table {} => drop(self.orders.remove(agent)),
            _ => drop(self.orders.insert(agent.clone(), (wanted.clone(), Time(until_ms)))),
        }
    }

    /// Whoever is on shift is so by the table or by an order, at every moment.
    pub fn check_duty(&mut self) -> Vec<String> {
        let now = self.now;
        // What names a shift that the table has dropped is void.
        let stands = |wanted: &Wanted| match wanted {
            Wanted::On { shift: Some(id) } | Wanted::Moved { to: id } => self.settings.shifts.contains_key(id),
            _ => true,
        };
        self.orders.retain(|agent, (wanted, until)| *until > now && self.settings.agents.contains_key(agent) && stands(wanted));
        self.duty.retain(|agent, _| self.settings.agents.contains_key(agent));
        let goes_on = |id: &ShiftId| self.settings.shifts.get(id).is_some_and(|shift| shift.hours.is_open(now, 0));
        let mut faults = Vec::new();
        for agent in self.settings.agents.keys() {
            let tabled = || -> Vec<ShiftId> {
                let theirs = self.settings.shifts.iter().filter(|(id, shift)| shift.agents.contains(agent) && goes_on(id));
                theirs.map(|(id, _)| id.clone()).collect()
            };
            let expected: (bool, Vec<ShiftId>) = match self.orders.get(agent).map(|(wanted, _)| wanted) {
                Some(Wanted::Home {}) => (false, Vec::new()),
                Some(Wanted::On { shift }) => (true, shift.iter().filter(|id| self.settings.shifts.contains_key(*id)).cloned().collect()),
                Some(Wanted::Moved { to }) => (goes_on(to), Some(to.clone()).filter(goes_on).into_iter().collect()),
                Some(Wanted::Table {}) | None => (self.settings.shifts.is_empty() || !tabled().is_empty(), tabled()),
            };
            let told = self.duty.get(agent).cloned().unwrap_or((true, Vec::new()));
            if told != expected {
                faults.push(format!("{agent} is on shift as {told:?}, and should be as {expected:?}"));
            }
        }
        faults
    }

    /// Whom this caller would be offered to now, and by which rule.
    pub fn chosen_for(&self, call: CallId, wait: &Wait) -> Option<(AgentId, Rule)> {
        let mut free = self.free_for(wait);
        free.sort_by_key(|(agent, free)| (free.since, agent.clone()));
        let strategy = self.rules(&wait.queue).strategy;
        let last = self.calls.get(&call).and_then(|known| known.story.last_operator.as_ref());
        let found = match strategy {
            Strategy::LongestIdle => free.into_iter().next(),
            Strategy::MostSkilled => {
                let sum =
                    |agent: &AgentId| wait.needs.keys().map(|skill| i64::from(self.staff.level(agent, skill, &self.settings))).sum::<i64>();
                free.into_iter().min_by_key(|(agent, _)| -sum(agent))
            }
            Strategy::FewestCalls => free.into_iter().min_by_key(|(_, free)| free.answered),
            Strategy::RoundRobin => {
                free.sort_by_key(|(agent, _)| agent.clone());
                let before = self.turns.get(&wait.queue);
                let next = free.iter().find(|(agent, _)| before.is_none_or(|before| agent > before));
                next.or(free.first()).cloned()
            }
            Strategy::LastOperator => match free.iter().find(|(agent, _)| Some(agent) == last) {
                Some((agent, _)) => return Some((agent.clone(), Rule::LastOperator)),
                None => return free.into_iter().next().map(|(agent, _)| (agent, Rule::LongestIdle)),
            },
        };
        let rule = match strategy {
            Strategy::LongestIdle | Strategy::LastOperator => Rule::LongestIdle,
            Strategy::MostSkilled => Rule::MostSkilled,
            Strategy::FewestCalls => Rule::FewestCalls,
            Strategy::RoundRobin => Rule::RoundRobin,
        };
        found.map(|(agent, _)| (agent, rule))
    }

    /// An offer is the one that is due, and its explanation says what the model knows of every operator.
    pub fn offered(&mut self, call: CallId, queue: &QueueId, agent: &AgentId, why: &Explanation) {
        let next = self.seeking().into_iter().find_map(|(id, wait)| self.chosen_for(id, wait).map(|(agent, rule)| (id, agent, rule)));
        self.check(next.as_ref() == Some(&(call, agent.clone(), why.rule)), || {
            format!("{call} was offered to {agent} by {:?}, not {next:?}", why.rule)
        });
        self.faults.extend(judge(why, Some(agent)).err());
        if let Some(wait) = self.calls.get(&call).and_then(|known| known.wait.as_ref()) {
            let needed: Levels = why.needed.iter().map(|skill| (skill.clone(), why.minimum.get(skill).copied().unwrap_or(1))).collect();
            let eligible = self.free_for(wait).into_iter().map(|(agent, _)| agent);
            let mut eligible: Vec<AgentId> = eligible.collect();
            eligible.sort();
            let told = why.verdicts.iter().filter(|(_, verdict)| {
                use cityline::centre::explanation::Verdict::{Chosen, Eligible};
                matches!(verdict, Chosen { .. } | Eligible { .. })
            });
            let told: Vec<AgentId> = told.map(|(agent, _)| agent.clone()).collect();
            let fits = needed == wait.needs && told == eligible && why.credit_ms == wait.credit_ms;
            self.check(fits, || format!("{call} is explained by {why:?}, and {eligible:?} could have taken it"));
        }
        let overtakes_ms = self.overtakes(call, agent);
        let bound_ms = self.bound_ms;
        self.check(overtakes_ms <= bound_ms, || format!("{call} overtakes somebody who came {overtakes_ms} ms earlier"));
        self.overtaken_ms = self.overtaken_ms.max(overtakes_ms);
        let until = self.now.plus_ms(self.rules(queue).offer_ms);
        self.turns.insert(queue.clone(), agent.clone());
        if let Some(known) = self.calls.get_mut(&call) {
            known.offer = Some((agent.clone(), until));
        }
    }

    pub fn place_told(&mut self, call: CallId, queue: &QueueId, place: u32) {
        let stands =
            |id: &CallId, known: &Call| known.wait.as_ref().filter(|wait| wait.queue == *queue).map(|wait| (wait.seniority(), *id));
        let mut line: Vec<((i64, CallId), CallId)> =
            self.calls.iter().filter_map(|(id, known)| stands(id, known).map(|stand| (stand, *id))).collect();
        line.sort();
        let expected = line.iter().position(|(_, id)| *id == call).map(|before| before as u32 + 1);
        self.check(expected == Some(place), || format!("{call} was told place {place}, not {expected:?}"));
        let Some(known) = self.calls.get_mut(&call) else { return };
        let before = known.place_told.replace((queue.clone(), place));
        let grew = before.as_ref().is_some_and(|(of, before)| of == queue && *before < place);
        self.check(!grew, || format!("{call} was at {before:?} and is at {place}, and nobody said why"));
    }

    /// By how much later than somebody who is still waiting, and whom the operator could have taken, this caller came.
    fn overtakes(&self, call: CallId, agent: &AgentId) -> u64 {
        let Some(since) = self.calls.get(&call).and_then(|known| known.wait.as_ref()).map(|wait| wait.counts_since) else { return 0 };
        let could = |wait: &Wait| self.free_for(wait).iter().any(|(free, _)| free == agent);
        let behind =
            self.seeking().into_iter().filter(|(id, wait)| *id != call && could(wait)).map(|(_, wait)| since.ms_since(wait.counts_since));
        behind.max().unwrap_or(0)
    }

    /// Whoever waits does so for reasons that bear it out by themselves.
    pub fn check_waits(&mut self, centre: &Centre) {
        let waiting: Vec<CallId> = self.seeking().into_iter().map(|(call, _)| call).collect();
        for call in waiting {
            let judged = centre.explain_wait(call).map(|why| judge(&why, None)).unwrap_or(Err("it is not explained".to_owned()));
            self.faults.extend(judged.err().map(|wrong| format!("{call} waits: {wrong}")));
        }
    }

    /// Waiting caller and eligible free operator make an offer in the same step, and every wait is in the ring that its time and the rules say.
    pub fn check_lines(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (id, wait) in self.seeking() {
            if let Some((agent, _)) = self.chosen_for(id, wait) {
                faults.push(format!("{id} waits since {} while {agent} is free and able", wait.since));
            }
        }
        for (id, wait) in self.calls.iter().filter_map(|(id, known)| known.wait.as_ref().map(|wait| (id, wait))) {
            let (n, needs) = ring(&self.rules(&wait.queue), wait.language, self.now.ms_since(wait.since));
            if let Some(known) = self.calls.get(id).filter(|_| wait.is_settled) {
                let due = self.credit_due(known, &wait.queue);
                if due != wait.credit_ms {
                    faults.push(format!("{id} counts as waiting {} ms longer, and should {due}", wait.credit_ms));
                }
            }
            if (n, &needs) != (wait.ring, &wait.needs) {
                faults.push(format!("{id} waits in ring {} with {:?}, and should in {n} with {needs:?}", wait.ring, wait.needs));
            }
        }
        faults
    }
}

impl Wait {
    /// Since when the caller counts as waiting.
    pub fn seniority(&self) -> i64 {
        self.counts_since.0 as i64 - self.credit_ms
    }

    /// A wait that begins, or goes on, in this queue.
    pub fn begun(queue: &QueueId, since: Time, entered: Time, language: Language, rules: &QueueSettings) -> Self {
        let (ring, needs) = ring(rules, language, entered.ms_since(since));
        Self { queue: queue.clone(), since, counts_since: since, needs, entered, ring, credit_ms: 0, is_settled: true, language }
    }
}
