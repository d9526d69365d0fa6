//! Of what are supervisors to be alerted? Rules with a limit, how long it must be passed, and how long it must not be until all is well again.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::Config;
use crate::centre::ids::QueueId;
use crate::report::alerts::{Kind, Rule};

/// More rules than this are looked at by nobody.
const MOST: usize = 100;

/// The longest time that a limit may have to be passed, in seconds: an hour.
const LONGEST_S: u64 = 3_600;

/// A rule.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertRule {
    /// What is looked at.
    pub kind: Kind,
    /// In which queue; without one in each by itself.
    #[serde(default)]
    pub queue: Option<String>,
    /// What must not be exceeded: seconds for `longest`, percent for `abandoned`, else a count.
    #[serde(default)]
    pub above: Option<u64>,
    /// What must be reached: percent, for `service_level`.
    #[serde(default)]
    pub below: Option<u64>,
    /// The limit must be passed for so many seconds without a break.
    #[serde(default = "usual_s")]
    pub for_s: u64,
    /// It must not be passed for so many until the alert ends.
    #[serde(default = "usual_s")]
    pub calm_s: u64,
}

fn usual_s() -> u64 {
    30
}

impl AlertRule {
    /// The limit in the unit of its kind, or what is wrong with it.
    fn limit(&self) -> Result<u64, &'static str> {
        let percent = |share: u64, what| if share <= 100 { Ok(share * 100) } else { Err(what) };
        match (self.kind, self.above, self.below) {
            (Kind::Longest | Kind::Waiting | Kind::OffersUnanswered, Some(above), None) => Ok(above),
            (Kind::Abandoned, Some(above), None) => percent(above, "above is a share in percent; give at most 100"),
            (Kind::ServiceLevel, None, Some(below)) => percent(below, "below is a share in percent; give at most 100"),
            (Kind::NobodyReady, None, None) => Ok(1),
            (Kind::Longest | Kind::Waiting | Kind::OffersUnanswered | Kind::Abandoned, _, _) => {
                Err("it is raised when there is more than that; give above, and no below")
            }
            (Kind::ServiceLevel, _, _) => Err("it is raised when there is less than that; give below, and no above"),
            (Kind::NobodyReady, _, _) => Err("nobody is nobody; leave above and below out"),
        }
    }
}

impl Config {
    /// The rules as the board goes by them.
    pub fn alert_rules(&self) -> BTreeSet<Rule> {
        let rule = |rule: &AlertRule| {
            let limit = rule.limit().ok()?;
            let queue = rule.queue.as_deref().map(QueueId::from);
            Some(Rule { kind: rule.kind, queue, limit, for_ms: rule.for_s * 1_000, calm_ms: rule.calm_s * 1_000 })
        };
        self.alerts.iter().filter_map(rule).collect()
    }

    pub(super) fn check_alerts(&self, problems: &mut Vec<String>) {
        if self.alerts.len() > MOST {
            problems.push(format!("alerts: there are {} rules; give at most {MOST}", self.alerts.len()));
        }
        for (at, rule) in self.alerts.iter().enumerate() {
            // Counted from 1, as people do.
            let name = format!("alerts, rule {}", at + 1);
            problems.extend(rule.limit().err().map(|wrong| format!("{name}: {wrong}")));
            if let Some(queue) = rule.queue.as_ref().filter(|queue| !self.queues.contains_key(*queue)) {
                problems.push(format!("{name}: no queue is called {queue:?}; name one of the queues, or none for each by itself"));
            }
            for (key, seconds) in [("for_s", rule.for_s), ("calm_s", rule.calm_s)] {
                if seconds > LONGEST_S {
                    problems.push(format!("{name}: {key} = {seconds} is too long to help anybody; give at most {LONGEST_S}"));
                }
            }
        }
        if self.outbox.alerts_webhook.is_empty() && !self.outbox.alerts_secret.reveal().is_empty() {
            problems.push("outbox.alerts_secret: nothing is signed by it; give outbox.alerts_webhook too, or leave it out".into());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[derive(Deserialize)]
    struct Rules {
        alerts: Vec<AlertRule>,
    }

    fn with(text: &str) -> Config {
        let mut config = Config::load(None).unwrap();
        config.alerts = toml::from_str::<Rules>(text).unwrap().alerts;
        config
    }

    fn problems(text: &str) -> String {
        let mut problems = Vec::new();
        with(text).check_alerts(&mut problems);
        problems.join("\n")
    }

    #[test]
    fn rules_become_limits_in_the_units_of_their_kinds() {
        let text = "[[alerts]]\nkind = \"service_level\"\nqueue = \"heating\"\nbelow = 80\nfor_s = 60\n\
                    [[alerts]]\nkind = \"longest\"\nabove = 90\ncalm_s = 5\n[[alerts]]\nkind = \"nobody_ready\"\n";
        assert_eq!(problems(text), "");
        let rules = with(text).alert_rules();
        let rule =
            |kind, queue: Option<&str>, limit, for_ms, calm_ms| Rule { kind, queue: queue.map(QueueId::from), limit, for_ms, calm_ms };
        assert!(rules.contains(&rule(Kind::ServiceLevel, Some("heating"), 8_000, 60_000, 30_000)), "{rules:?}");
        assert!(
            rules.contains(&rule(Kind::Longest, None, 90, 30_000, 5_000))
                && rules.contains(&rule(Kind::NobodyReady, None, 1, 30_000, 30_000))
        );
    }

    #[test]
    fn what_cannot_be_is_named_with_its_mend() {
        let one = |text: &str| problems(&format!("[[alerts]]\n{text}\n"));
        assert!(one("kind = \"longest\"").contains("rule 1: it is raised when there is more than that; give above"));
        assert!(one("kind = \"service_level\"\nabove = 80").contains("give below"));
        assert!(one("kind = \"abandoned\"\nabove = 101").contains("at most 100"));
        assert!(one("kind = \"nobody_ready\"\nbelow = 1").contains("leave above and below out"));
        assert!(one("kind = \"waiting\"\nabove = 5\nqueue = \"heatng\"").contains("no queue is called \"heatng\""));
        assert!(one("kind = \"waiting\"\nabove = 5\nfor_s = 3601").contains("for_s = 3601"));
    }
}
