//! What of the settings do the shells want to know? The phones of operators, and what everybody may.

use crate::centre::ids::AgentId;
use crate::config::Config;
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
