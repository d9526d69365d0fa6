//! Which limits does the day pass? Rules over the board's figures: each alert is raised once, when its limit has been passed for so long, and
//! ended once, when it has not been for so long.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use crate::centre::ids::QueueId;
use crate::centre::time::Time;

/// Alerts that are over and still shown.
const RECENT_KEPT: usize = 50;

/// What a rule looks at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AlertKind)]
pub enum Kind {
    /// The longest wait of those who wait now, in seconds.
    Longest,
    /// How many wait.
    Waiting,
    /// The service level of the board's window, in hundredths of a percent.
    ServiceLevel,
    /// Of those who were offered in the window, those who hung up, in hundredths of a percent.
    Abandoned,
    /// How many of those on shift who serve the queue are ready, talk or write a call up.
    NobodyReady,
    /// Offers of the last five minutes that nobody took.
    OffersUnanswered,
}

/// A rule of the settings.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Rule {
    /// What is looked at.
    pub kind: Kind,
    /// In which queue; without one in each by itself.
    pub queue: Option<QueueId>,
    /// What must not be passed, in the unit of the kind.
    pub limit: u64,
    /// It must be passed for so many milliseconds without a break.
    pub for_ms: u64,
    /// It must not be passed for so many until the alert ends.
    pub calm_ms: u64,
}

/// What is seen of a queue at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    /// Which.
    pub queue: QueueId,
    /// The longest wait, in seconds.
    pub longest_s: u64,
    /// How many wait.
    pub waiting: u64,
    /// The service level, in hundredths of a percent; nothing where nobody was offered.
    pub level: Option<u64>,
    /// The share of those who hung up, likewise.
    pub abandonment: Option<u64>,
    /// Who takes its calls, or has one.
    pub at_work: u64,
    /// Offers of the last minutes that nobody took.
    pub unanswered: u64,
}

/// A limit that is passed, or was.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, utoipa::ToSchema)]
pub struct Alert {
    /// Its number, never used again.
    pub id: u64,
    /// What was looked at.
    pub kind: Kind,
    /// In which queue.
    pub queue: QueueId,
    /// The limit: seconds, hundredths of a percent, or a count, by the kind.
    pub threshold: u64,
    /// What was seen when it was raised, in the same unit.
    pub value: u64,
    /// When it was raised, in milliseconds since the epoch.
    pub raised_ms: u64,
    /// When it ended; nothing while it is on.
    pub ended_ms: Option<u64>,
}

/// How one rule stands in one queue.
#[derive(Clone, Debug)]
struct Watch {
    /// Whether the limit was passed at the last look.
    passed: bool,
    /// Since when that is so.
    since: Time,
    raised: Option<Alert>,
}

/// The alerts. Its memory is bounded by rules times queues, and by the last fifty that are over.
#[derive(Clone, Debug, Default)]
pub struct Alerts {
    watches: BTreeMap<(Rule, QueueId), Watch>,
    recent: VecDeque<Alert>,
    last_id: u64,
}

impl Seen {
    /// What a rule of this kind looks at; nothing where nothing can be said.
    fn measured(&self, kind: Kind) -> Option<u64> {
        match kind {
            Kind::Longest => Some(self.longest_s),
            Kind::Waiting => Some(self.waiting),
            Kind::ServiceLevel => self.level,
            Kind::Abandoned => self.abandonment,
            Kind::NobodyReady => Some(self.at_work),
            Kind::OffersUnanswered => Some(self.unanswered),
        }
    }
}

impl Rule {
    /// Whether a figure is worse than the limit.
    fn is_passed_by(&self, value: u64) -> bool {
        match self.kind {
            Kind::ServiceLevel | Kind::NobodyReady => value < self.limit,
            Kind::Longest | Kind::Waiting | Kind::Abandoned | Kind::OffersUnanswered => value > self.limit,
        }
    }
}

impl Alerts {
    /// Looks at the queues by the rules that are in force; returns what was raised or ended by this look. What a rule or queue that is gone had
    /// raised ends with it.
    pub fn look(&mut self, now: Time, rules: &BTreeSet<Rule>, queues: &[Seen]) -> Vec<Alert> {
        let mut before = std::mem::take(&mut self.watches);
        let mut changed = Vec::new();
        for rule in rules {
            for seen in queues.iter().filter(|seen| rule.queue.as_ref().is_none_or(|queue| *queue == seen.queue)) {
                let key = (rule.clone(), seen.queue.clone());
                let mut watch = before.remove(&key).unwrap_or(Watch { passed: false, since: now, raised: None });
                changed.extend(self.step(&mut watch, rule, seen, now));
                self.watches.insert(key, watch);
            }
        }
        let gone: Vec<Alert> = before.into_values().filter_map(|watch| watch.raised).collect();
        changed.extend(gone.into_iter().map(|alert| self.ended(alert, now)));
        changed
    }

    fn step(&mut self, watch: &mut Watch, rule: &Rule, seen: &Seen, now: Time) -> Option<Alert> {
        let value = seen.measured(rule.kind);
        let passed = value.is_some_and(|value| rule.is_passed_by(value));
        if watch.passed != passed {
            (watch.passed, watch.since) = (passed, now);
        }
        let held_ms = now.ms_since(watch.since);
        match watch.raised.take() {
            None if passed && held_ms >= rule.for_ms => {
                // Above the last, and above those of every process before this one.
                self.last_id = now.0.max(self.last_id + 1);
                let alert = Alert {
                    id: self.last_id,
                    kind: rule.kind,
                    queue: seen.queue.clone(),
                    threshold: rule.limit,
                    value: value.unwrap_or_default(),
                    raised_ms: now.0,
                    ended_ms: None,
                };
                watch.raised = Some(alert.clone());
                Some(alert)
            }
            Some(alert) if !passed && held_ms >= rule.calm_ms => Some(self.ended(alert, now)),
            as_before => {
                watch.raised = as_before;
                None
            }
        }
    }

    fn ended(&mut self, alert: Alert, now: Time) -> Alert {
        let alert = Alert { ended_ms: Some(now.0), ..alert };
        if self.recent.len() >= RECENT_KEPT {
            self.recent.pop_front();
        }
        self.recent.push_back(alert.clone());
        alert
    }

    /// Those that are on, the oldest first.
    pub fn active(&self) -> Vec<Alert> {
        let mut active: Vec<Alert> = self.watches.values().filter_map(|watch| watch.raised.clone()).collect();
        active.sort_by_key(|alert| alert.id);
        active
    }

    /// Those that are over, the newest first, fifty at most.
    pub fn recent(&self) -> Vec<Alert> {
        self.recent.iter().rev().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(kind: Kind, limit: u64) -> Rule {
        Rule { kind, queue: None, limit, for_ms: 10_000, calm_ms: 30_000 }
    }

    fn quiet(queue: &str) -> Seen {
        Seen { queue: queue.into(), longest_s: 0, waiting: 0, level: None, abandonment: None, at_work: 3, unanswered: 0 }
    }

    /// Looks once a second at how many wait; returns the seconds at which something was raised (true) or ended.
    fn watch(alerts: &mut Alerts, rules: &BTreeSet<Rule>, waiting: impl Fn(u64) -> u64) -> Vec<(u64, bool)> {
        let look = |second: u64| {
            let seen = Seen { waiting: waiting(second), ..quiet("heating") };
            let changed = alerts.look(Time(second * 1_000), rules, &[seen]);
            changed.into_iter().map(move |alert| (second, alert.ended_ms.is_none())).collect::<Vec<_>>()
        };
        (0..200).flat_map(look).collect()
    }

    #[test]
    fn an_alert_is_raised_once_and_ended_once() {
        let mut alerts = Alerts::default();
        let rules = [rule(Kind::Waiting, 5)].into();
        let told = watch(&mut alerts, &rules, |second| if (20..100).contains(&second) { 6 } else { 5 });
        assert_eq!(told, [(30, true), (130, false)], "it is raised after ten seconds, and ends after thirty that are calm");
        assert_eq!((alerts.active(), alerts.recent().len()), (vec![], 1));
        assert_eq!((alerts.recent()[0].raised_ms, alerts.recent()[0].ended_ms, alerts.recent()[0].value), (30_000, Some(130_000), 6));
    }

    #[test]
    fn a_figure_that_swings_round_its_limit_raises_one_alert_at_most() {
        let rules: BTreeSet<Rule> = [rule(Kind::Waiting, 5)].into();
        let told = watch(&mut Alerts::default(), &rules, |second| 4 + second / 4 % 3);
        assert_eq!(told, [], "it was never over the limit for ten seconds");
        let told = watch(&mut Alerts::default(), &rules, |second| if second < 50 { 9 } else { 4 + second / 4 % 3 });
        assert_eq!(told, [(10, true)], "it was never calm for thirty");
    }

    #[test]
    fn each_queue_is_watched_by_itself_and_numbers_are_never_used_again() {
        let mut alerts = Alerts::default();
        let rules: BTreeSet<Rule> = [Rule { for_ms: 0, ..rule(Kind::NobodyReady, 1) }].into();
        let nobody = |queue| Seen { at_work: 0, ..quiet(queue) };
        let raised = alerts.look(Time(5), &rules, &[nobody("heating"), nobody("roads"), quiet("lifts")]);
        let told: Vec<(u64, &str)> = raised.iter().map(|alert| (alert.id, alert.queue.as_str())).collect();
        assert_eq!(told, [(5, "heating"), (6, "roads")]);
        assert_eq!(alerts.active(), raised);
        let ended = alerts.look(Time(6), &BTreeSet::new(), &[nobody("heating")]);
        assert_eq!(ended.len(), 2, "what a rule has raised that is gone ends with it");
        let again = alerts.look(Time(6), &rules, &[nobody("heating")]);
        assert_eq!(again.iter().map(|alert| alert.id).collect::<Vec<_>>(), [7]);
    }

    #[test]
    fn each_kind_has_its_side_of_the_limit_and_nothing_is_said_of_nobody() {
        let raises = |kind: Kind, limit: u64, seen: Seen| {
            let rules = [Rule { for_ms: 0, ..rule(kind, limit) }].into();
            !Alerts::default().look(Time(0), &rules, &[seen]).is_empty()
        };
        assert!(
            raises(Kind::Longest, 60, Seen { longest_s: 61, ..quiet("q") })
                && !raises(Kind::Longest, 60, Seen { longest_s: 60, ..quiet("q") })
        );
        let level = |level| Seen { level, ..quiet("q") };
        assert!(raises(Kind::ServiceLevel, 8_000, level(Some(7_999))) && !raises(Kind::ServiceLevel, 8_000, level(Some(8_000))));
        assert!(!raises(Kind::ServiceLevel, 8_000, level(None)));
        let gone = |abandonment| Seen { abandonment, ..quiet("q") };
        assert!(raises(Kind::Abandoned, 500, gone(Some(501))) && !raises(Kind::Abandoned, 500, gone(None)));
        assert!(raises(Kind::OffersUnanswered, 3, Seen { unanswered: 4, ..quiet("q") }));
    }
}
