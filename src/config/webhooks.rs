//! Can the addresses be read that messages are posted to?

use super::Config;

impl Config {
    pub(super) fn check_webhooks(&self, problems: &mut Vec<String>) {
        let of = &self.outbox;
        for (name, address) in
            [("seals_webhook", &of.seals_webhook), ("alerts_webhook", &of.alerts_webhook), ("sms_webhook", &of.sms_webhook)]
        {
            if !address.is_empty() && !is_address(address) {
                problems.push(format!("outbox.{name} = {address:?} is no address; write it as https://host/path"));
            }
        }
    }
}

/// `http` or `https`, a host without a user, a port that is a number, and no blanks.
fn is_address(address: &str) -> bool {
    let Some(rest) = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://")) else { return false };
    let authority = rest.split('/').next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse::<u16>().is_ok_and(|port| port > 0)),
        _ => (authority, true),
    };
    port && !host.is_empty() && !host.contains('@') && rest.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::is_address;

    #[test]
    fn addresses() {
        for right in ["https://city.example/hook", "http://10.0.0.1:8080", "http://[::1]:80/x?y=z", "https://hooks.example"] {
            assert!(is_address(right), "{right}");
        }
        for wrong in
            ["hooks.example", "ftp://city.example", "https://", "https://:443/", "http://city.example:port/", "http://a@b/", "http://a b/"]
        {
            assert!(!is_address(wrong), "{wrong}");
        }
    }
}
