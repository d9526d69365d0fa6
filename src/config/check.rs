//! Do the settings fit together? Every problem at once, each with its key and its mend.

use std::fmt;

use super::{Config, ConfigError, Ring, calendar, trunks};
use crate::centre::skill::BEST;
use crate::centre::surge::MOST_ARRIVALS;

/// An offer that rings for less, in milliseconds, sets every operator aside before they can answer.
const SHORTEST_OFFER_MS: u64 = 1_000;
/// A caller may be overtaken by one who came so many milliseconds later, at most: an hour.
const LONGEST_OVERTAKING_MS: u64 = 3_600_000;
/// Announcements closer than this, in milliseconds, follow one another without a pause.
const SHORTEST_ANNOUNCE_MS: u64 = 10_000;

/// What is wrong, one line a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<String>);

impl fmt::Display for Problems {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.0 {
            writeln!(out, "  {problem}")?;
        }
        Ok(())
    }
}

impl Config {
    /// Checks what types alone cannot.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let mut problems = Vec::new();
        self.check_media(&mut problems);
        self.check_trunks(&mut problems);
        self.check_queues(&mut problems);
        self.check_operators(&mut problems);
        self.check_board(&mut problems);
        self.check_alerts(&mut problems);
        self.check_webhooks(&mut problems);
        self.check_callbacks(&mut problems);
        problems.extend(self.shifts_built().err().unwrap_or_default());
        for (name, hours) in &self.calendars {
            problems.extend(calendar::build(name, hours).err().unwrap_or_default());
        }
        self.check_sip(&mut problems);
        self.check_web(&mut problems);
        if problems.is_empty() { Ok(()) } else { Err(ConfigError::Check(Problems(problems))) }
    }

    fn check_media(&self, problems: &mut Vec<String>) {
        let (first, last) = self.media.ports;
        if first == 0 || last <= first {
            problems.push(format!("media.ports: [{first}, {last}] holds no ports; the second must be above the first"));
        }
        let webrtc = self.media.webrtc_port;
        if webrtc != 0 && (first..=last).contains(&webrtc) {
            problems.push(format!("media.webrtc_port: {webrtc} is one of media.ports; give one outside of them"));
        }
        if webrtc == 0 && self.operators.values().any(|operator| operator.browser) {
            problems.push("media.webrtc_port: operators have their phone in the page; give a port, or them another phone".into());
        }
        if self.media.webrtc_addresses.iter().any(|address| address.is_unspecified() || address.is_ipv4() != self.media.address.is_ipv4()) {
            problems.push("media.webrtc_addresses: name addresses that pages can reach, of the family of media.address".into());
        }
        if self.media.address.is_unspecified() {
            problems.push("media.address: an address that callers can send sound to is needed, not 0.0.0.0".into());
        }
    }

    fn check_sip(&self, problems: &mut Vec<String>) {
        let sip = &self.sip;
        if sip.udp.is_none() && sip.tcp.is_none() && sip.tls.is_none() {
            problems.push("sip: neither udp nor tcp nor tls is set; give at least one address to listen on".into());
        }
        if sip.certificate.is_some() != sip.key.is_some() {
            problems.push("sip: a certificate and its key go together; set sip.certificate and sip.key".into());
        } else if sip.tls.is_some() && sip.certificate.is_none() {
            problems.push("sip.tls: nobody could be shown a certificate; set sip.certificate and sip.key to PEM files".into());
        }
    }

    fn check_web(&self, problems: &mut Vec<String>) {
        let web = &self.web;
        if web.certificate.is_some() != web.key.is_some() {
            problems.push("web: a certificate and its key go together; set web.certificate and web.key".into());
        }
    }

    fn check_trunks(&self, problems: &mut Vec<String>) {
        for (name, trunk) in &self.trunks {
            problems.extend(trunks::problems(name, trunk, self.sip.trusted.is_some()));
        }
    }

    fn check_queues(&self, problems: &mut Vec<String>) {
        if self.credits.bound_ms() > LONGEST_OVERTAKING_MS {
            problems.push(format!(
                "credits: raise_at_most_ms and lower_at_most_ms say who may be overtaken by whom; together give at most {LONGEST_OVERTAKING_MS}"
            ));
        }
        for (name, queue) in &self.queues {
            if queue.offer_ms.is_some_and(|ms| ms < SHORTEST_OFFER_MS) {
                problems.push(format!("queues.{name}.offer_ms: nobody answers within that; give at least {SHORTEST_OFFER_MS}"));
            }
            problems.extend(rings_problem(&queue.rings).map(|wrong| format!("queues.{name}.rings: {wrong}")));
            let dropped = queue.rings.iter().flat_map(|ring| &ring.drop).find(|skill| !queue.skills.contains(*skill));
            problems.extend(dropped.map(|skill| {
                format!("queues.{name}.rings: {skill:?} is dropped, but the queue does not ask for it; write one of its skills")
            }));
            if let Some(surge) = queue.surge
                && !((1..=MOST_ARRIVALS).contains(&surge.calls)
                    && (1..=3_600).contains(&surge.within_s)
                    && (1..=3_600).contains(&surge.calm_s))
            {
                problems.push(format!("queues.{name}.surge: give calls from 1 to {MOST_ARRIVALS}, within_s and calm_s from 1 to 3600"));
            }
            if queue.announce_every_ms.is_some_and(|ms| ms > 0 && ms < SHORTEST_ANNOUNCE_MS) {
                problems.push(format!(
                    "queues.{name}.announce_every_ms: callers would hear nothing else; give 0 or at least {SHORTEST_ANNOUNCE_MS}"
                ));
            }
        }
    }

    fn check_callbacks(&self, problems: &mut Vec<String>) {
        let rules = &self.callbacks;
        let mut wrong = |key: &str, what: &str| problems.push(format!("callbacks.{key}: {what}"));
        if !(1..=9).contains(&rules.tries) {
            wrong("tries", "nobody is called less than once, or more often than 9 times; give 1 to 9");
        }
        if !(60..=86_400).contains(&rules.again_after_s) {
            wrong("again_after_s", "who was not reached is called again at once, or never; give 60 to 86400");
        }
        if !(10..=120).contains(&rules.ring_s) {
            wrong("ring_s", "an operator waits for as long as it rings; give 10 to 120");
        }
        if rules.most == 0 || rules.most > 10_000 {
            wrong("most", "give 1 to 10000; without callbacks leave the step out of the dialplan");
        }
        if !rules.calendar.is_empty() && !self.calendars.contains_key(&rules.calendar) {
            wrong("calendar", &format!("no calendar is called {:?}; add [calendars.{}] or name another", rules.calendar, rules.calendar));
        }
        let numbers = &rules.numbers;
        if numbers.least_digits < 2 || numbers.most_digits > 20 || numbers.least_digits > numbers.most_digits {
            wrong("numbers", "least_digits and most_digits hold no number; give at least 2, at most 20, and the smaller first");
        }
        for (key, prefixes) in [("numbers.refused", &numbers.refused), ("numbers.allowed", &numbers.allowed)] {
            for prefix in prefixes.iter().filter(|prefix| prefix.is_empty() || !prefix.bytes().all(|byte| byte.is_ascii_digit())) {
                wrong(key, &format!("{prefix:?} cannot be keyed; write the digits that a number begins with"));
            }
        }
    }

    fn check_operators(&self, problems: &mut Vec<String>) {
        let mut users = std::collections::BTreeMap::new();
        for (name, operator) in &self.operators {
            if let Some((skill, level)) = operator.skills.levels().find(|(_, level)| *level > BEST) {
                problems.push(format!("operators.{name}.skills: {skill} = {level} is above the best; give a level from 0 to {BEST}"));
            }
            if operator.browser && operator.address.is_some() {
                problems.push(format!("operators.{name}: their phone is the desk's page or a fixed address, not both"));
            } else if !operator.browser && operator.phone.is_some() == operator.address.is_some() {
                problems.push(format!(
                    "operators.{name}: give either a phone (user and password) or a fixed address, not both and not neither; browser = true \
                     makes a phone of the desk's page"
                ));
            }
            if operator.address.as_ref().is_some_and(|address| !address.starts_with("sip:") && !address.starts_with("sips:")) {
                problems.push(format!("operators.{name}.address: write it as \"sip:name@203.0.113.7:5060\" or \"sip:name@host.example\""));
            }
            if let Some(phone) = &operator.phone
                && let Some(other) = users.insert(phone.user.clone(), name)
            {
                problems.push(format!(
                    "operators.{name}.phone.user: {:?} is the phone of {other} too; give each operator a user of their own",
                    phone.user
                ));
            }
        }
    }
}

/// Rings only ever widen: each later, lower and with no fewer skills dropped than the one before.
fn rings_problem(rings: &[Ring]) -> Option<&'static str> {
    let level = |ring: &Ring| ring.level.unwrap_or(1);
    let keeps = |(before, after): (&Ring, &Ring)| before.drop.iter().all(|skill| after.drop.contains(skill));
    let pairs = || rings.iter().zip(rings.iter().skip(1));
    if rings.first().is_some_and(|ring| ring.after_ms != 0) {
        Some("the first holds from the beginning of the wait; give it after_ms = 0")
    } else if rings.iter().any(|ring| !(1..=BEST).contains(&level(ring))) {
        Some("a level is a number from 1 to 10")
    } else if pairs().any(|(before, after)| after.after_ms <= before.after_ms) {
        Some("each begins later than the one before; put them in the order of after_ms")
    } else if pairs().any(|(before, after)| level(after) > level(before)) || !pairs().all(keeps) {
        Some("a later ring asks for no more than the one before; lower its level, or repeat what was dropped")
    } else {
        None
    }
}

/// An address with its prefix length: "203.0.113.0/24", or one address alone.
pub fn parse_network(text: &str) -> Option<(std::net::IpAddr, u8)> {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let address: std::net::IpAddr = address.parse().ok()?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(longest), |bits| bits.parse().ok())?;
    (bits <= longest).then_some((address, bits))
}

/// Whether `address` lies in `network`.
pub fn network_has(network: (std::net::IpAddr, u8), address: std::net::IpAddr) -> bool {
    let bits = |address: std::net::IpAddr| match address {
        std::net::IpAddr::V4(v4) => (u128::from(u32::from(v4)), 32u32),
        std::net::IpAddr::V6(v6) => (u128::from(v6), 128),
    };
    let ((own, length), (other, other_length)) = (bits(network.0), bits(address.to_canonical()));
    if length != other_length {
        return false;
    }
    let shift = length.saturating_sub(u32::from(network.1));
    own.checked_shr(shift).unwrap_or(0) == other.checked_shr(shift).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn networks_hold_their_addresses() {
        let network = parse_network("203.0.113.0/24").unwrap();
        assert!(network_has(network, "203.0.113.9".parse().unwrap()));
        assert!(!network_has(network, "203.0.114.9".parse().unwrap()));
        assert!(network_has(network, "::ffff:203.0.113.9".parse().unwrap()), "an IPv4 address seen by an IPv6 socket");
        assert!(network_has(parse_network("0.0.0.0/0").unwrap(), "8.8.8.8".parse().unwrap()));
        assert_eq!(parse_network("203.0.113.0/33"), None);
    }

    #[test]
    fn a_ring_drops_what_the_queue_asks_for() {
        let problems = |drop: &str| {
            let mut config = Config::load(None).unwrap();
            let queue = config.queues.get_mut("heating").unwrap();
            queue.rings = vec![Ring { after_ms: 0, level: None, drop: vec![drop.to_owned()] }];
            let mut problems = Vec::new();
            config.check_queues(&mut problems);
            problems
        };
        assert_eq!(problems("heating"), Vec::<String>::new());
        assert!(problems("heatng")[0].contains("\"heatng\" is dropped"));
    }

    #[test]
    fn callbacks_that_cannot_be_are_refused_with_the_mend() {
        type Change = fn(&mut crate::config::Callbacks);
        let problems = |change: Change| {
            let mut config = Config::load(None).unwrap();
            change(&mut config.callbacks);
            let mut problems = Vec::new();
            config.check_callbacks(&mut problems);
            problems
        };
        assert_eq!(problems(|rules| rules.calendar = "office".into()), Vec::<String>::new());
        let wrong: [(Change, &str); 7] = [
            (|rules| rules.tries = 0, "callbacks.tries"),
            (|rules| rules.again_after_s = 1, "callbacks.again_after_s"),
            (|rules| rules.ring_s = 300, "callbacks.ring_s"),
            (|rules| rules.most = 0, "callbacks.most"),
            (|rules| rules.calendar = "ofice".into(), "no calendar is called \"ofice\""),
            (|rules| rules.numbers.least_digits = 13, "the smaller first"),
            (|rules| rules.numbers.refused.push("+7".into()), "\"+7\" cannot be keyed"),
        ];
        for (change, told) in wrong {
            let told_of = problems(change);
            assert!(told_of.len() == 1 && told_of[0].contains(told), "{told}: {told_of:?}");
        }
    }

    #[test]
    fn rings_that_narrow_are_refused() {
        let ring = |after_ms: u64, level: u8, drop: &[&str]| Ring {
            after_ms,
            level: Some(level),
            drop: drop.iter().map(|skill| (*skill).to_owned()).collect(),
        };
        assert_eq!(rings_problem(&[]), None);
        assert_eq!(rings_problem(&[ring(0, 8, &[]), ring(20_000, 5, &[]), ring(60_000, 1, &["lifts"])]), None);
        for (rings, told) in [
            (vec![ring(1, 8, &[])], "after_ms = 0"),
            (vec![ring(0, 11, &[])], "from 1 to 10"),
            (vec![ring(0, 8, &[]), ring(0, 5, &[])], "begins later"),
            (vec![ring(0, 5, &[]), ring(9, 8, &[])], "asks for no more"),
            (vec![ring(0, 5, &["lifts"]), ring(9, 5, &[])], "asks for no more"),
        ] {
            assert!(rings_problem(&rings).unwrap().contains(told), "{rings:?}");
        }
    }

    #[test]
    fn the_embedded_defaults_are_sound() {
        Config::load(None).unwrap();
    }

    #[test]
    fn a_wrong_key_is_named() {
        let folder = std::env::temp_dir().join(format!("cityline-config-{}", std::process::id()));
        std::fs::write(&folder, "[sip]\nudb = \"127.0.0.1:5060\"\n").unwrap();
        let message = Config::load(Some(&folder)).unwrap_err().to_string();
        std::fs::remove_file(&folder).unwrap();
        assert!(message.contains("udb") && message.contains("sip"), "{message}");
    }
}
