//! What of the settings do the shells want to know? The phones of operators, what everybody may, and what stands on the board.

use crate::centre::ids::AgentId;
use crate::centre::settings::Settings;
use crate::config::Config;
use crate::report::board::{QueueScene, Scene, Targets};
use crate::sip::PhoneAccount;
use crate::web::{DemoAccount, Welcome};

/// The accounts that operators' phones register with.
pub fn phones(config: &Config) -> Vec<PhoneAccount> {
    let account = |(name, operator): (&String, &crate::config::Operator)| {
        let phone = operator.phone.as_ref()?;
        Some(PhoneAccount {
            agent: AgentId::from(name.as_str()),
            user: phone.user.clone(),
            password: phone.password.clone(),
            secure: phone.secure,
        })
    };
    config.operators.iter().filter_map(account).collect()
}

/// What a page knows before anybody signs in.
pub fn welcome(config: &Config, demo: Vec<DemoAccount>, demo_number: Option<&'static str>) -> Welcome {
    let cabinet = !demo.is_empty() || !config.outbox.sms_webhook.is_empty();
    Welcome { demo: !demo.is_empty(), cabinet, demo_accounts: demo, demo_number, ..Welcome::default() }
}

/// What stands on the board before anything happens.
pub fn scene(config: &Config, settings: &Settings) -> Scene {
    let board = &config.board;
    let targets = |queue: &str| {
        let wanted = board.queues.get(queue).copied().unwrap_or_default().or(board.targets);
        let usual = Targets::default();
        let answer_ms = wanted.answer_ms.unwrap_or(usual.answer_ms);
        Targets {
            answer_ms,
            short_ms: wanted.short_ms.unwrap_or(usual.short_ms),
            level_percent: wanted.level_percent.unwrap_or(usual.level_percent),
            longest_ms: wanted.longest_ms.unwrap_or(answer_ms),
            waiting: wanted.waiting.unwrap_or(usual.waiting),
            abandoned_percent: wanted.abandoned_percent.unwrap_or(usual.abandoned_percent),
        }
    };
    let queues = settings
        .queues
        .iter()
        .map(|(queue, rules)| (queue.clone(), QueueScene { skills: rules.skills.clone(), targets: targets(queue.as_str()) }));
    let levels = |levels: &crate::centre::skill::Skills| levels.levels().map(|(skill, level)| (skill.clone(), level)).collect();
    Scene {
        window_minutes: board.window_minutes,
        measure: board.measure,
        queues: queues.collect(),
        people: settings.agents.iter().map(|(agent, known)| (agent.clone(), levels(&known.skills))).collect(),
        shifts: settings.shifts.iter().map(|(id, shift)| (id.clone(), shift.queues.clone())).collect(),
        alerts: config.alert_rules(),
    }
}
